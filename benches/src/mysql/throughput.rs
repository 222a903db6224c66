//! Wall time of a whole change against the server's own copy, and against the other tool that works with triggers.

use std::num::NonZeroU32;
use std::time::Instant;

use mysql_async::Conn;
use mysql_async::prelude::Queryable;
use shoofly_engine::settings::{FillSettings, Pace};
use shoofly_sandbox::Server;

use super::change::{self, Took};
use super::peer::{self, Peer};
use super::{CLAUSE, table};
use crate::figures::median;
use crate::report::{Goal, Report};

/// Seconds of every round.
#[derive(Debug, Default)]
struct Rounds {
    copies: Vec<f64>,
    /// Empty where the other tool is not there.
    peers: Vec<f64>,
    single: Vec<Took>,
    double: Vec<Took>,
}

/// Runs every case in turn, `repeats` times, each on a fresh table.
pub(super) async fn measure(
    server: &Server,
    rows: u64,
    repeats: NonZeroU32,
    report: &mut Report,
) -> anyhow::Result<()> {
    let mut conn = table::connect(server).await?;
    let mut rounds = Rounds::default();
    let mut peer = Peer::find();
    let version = match &peer {
        Some(peer) => peer.version(server).await?,
        None => {
            report.row(peer::NAME, "left out: neither on PATH nor fetched by `scripts/servers percona-toolkit`");
            String::new()
        }
    };
    for repeat in 1..=repeats.get() {
        report.say(&format!("throughput, round {repeat} of {repeats}"));
        table::load(&mut conn, rows).await?;
        rounds.copies.push(copy(&mut conn).await?);
        table::check(&mut conn, rows).await?;
        if let Some(tool) = &peer {
            table::load(&mut conn, rows).await?;
            match tool.run(server).await {
                Ok(seconds) => {
                    table::check(&mut conn, rows).await?;
                    rounds.peers.push(seconds);
                }
                Err(error) => {
                    report.row(&format!("{} {version}", peer::NAME), &format!("left out, it fails here: {error:#}"));
                    rounds.peers.clear();
                    peer = None;
                }
            }
        }
        for (lanes, took) in [(1, &mut rounds.single), (2, &mut rounds.double)] {
            table::load(&mut conn, rows).await?;
            let lanes = NonZeroU32::new(lanes).unwrap_or(NonZeroU32::MIN);
            let settings = FillSettings { lanes, pace: Pace::Full, ..FillSettings::default() };
            took.push(change::run(server, settings).await?.took);
            table::check(&mut conn, rows).await?;
        }
    }
    rounds.tell(&version, rows, report);
    Ok(conn.disconnect().await?)
}

async fn copy(conn: &mut Conn) -> anyhow::Result<f64> {
    let began = Instant::now();
    conn.query_drop(format!("ALTER TABLE bench {CLAUSE}, ALGORITHM=COPY")).await?;
    Ok(began.elapsed().as_secs_f64())
}

impl Rounds {
    fn tell(&self, version: &str, rows: u64, report: &mut Report) {
        let speed = |seconds: f64| format!("{seconds:.2} s, {:.0} krows/s", rows as f64 / seconds / 1e3);
        let (copy, peer) = (median(self.copies.iter().copied()), median(self.peers.iter().copied()));
        let [single, double] = [&self.single, &self.double].map(|took| median(took.iter().map(Took::total)));
        report.row("ALTER TABLE …, ALGORITHM=COPY", &speed(copy));
        if !self.peers.is_empty() {
            report.row(&format!("{} {version}", peer::NAME), &speed(peer));
        }
        report.row("whole change, 1 lane", &speed(single));
        report.row("whole change, 2 lanes", &speed(double));
        for ((part, one), (_, two)) in Took::median(&self.single).parts().zip(Took::median(&self.double).parts()) {
            report.row(&format!("of it: {part}"), &format!("1 lane {one:.2} s, 2 lanes {two:.2} s"));
        }
        report.row("wall time, 1 lane ÷ ALGORITHM=COPY", &format!("{:.2}", single / copy));
        report.ratio("wall time, 2 lanes ÷ ALGORITHM=COPY", double / copy, Goal::AtMost(1.25));
        if !self.peers.is_empty() {
            report.row(&format!("wall time, 1 lane ÷ {}", peer::NAME), &format!("{:.2}", single / peer));
            report.ratio(&format!("wall time, 2 lanes ÷ {}", peer::NAME), double / peer, Goal::AtMost(0.67));
        }
    }
}
