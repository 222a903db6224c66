//! Rows per second, space and WAL of the fill against the one statement.

use std::num::NonZeroU32;
use std::time::Duration;

use shoofly_engine::settings::{FillSettings, Pace};
use shoofly_sandbox::Server;
use tokio_postgres::Client;

use super::fill::{self, Cost};
use crate::figures;
use crate::report::{Goal, Report};

/// Runs every case in turn, `repeats` times, each on a fresh table.
pub(super) async fn measure(
    server: &Server,
    rows: u64,
    repeats: NonZeroU32,
    report: &mut Report,
) -> anyhow::Result<()> {
    let client = fill::connect(server).await?;
    let (mut one, mut single, mut double) = (Vec::new(), Vec::new(), Vec::new());
    for repeat in 1..=repeats.get() {
        report.say(&format!("throughput, round {repeat} of {repeats}"));
        fill::load(&client, rows).await?;
        one.push(one_statement(&client).await?);
        for (lanes, costs) in [(1, &mut single), (2, &mut double)] {
            fill::load(&client, rows).await?;
            costs.push(ours(server, &client, lanes).await?);
        }
    }
    let (one, single, double) = (median(&one), median(&single), median(&double));
    let rate = |cost: Cost| rows as f64 / cost.seconds;
    for (name, cost) in [("one UPDATE", one), ("fill, 1 lane", single), ("fill, 2 lanes", double)] {
        report.row(
            name,
            &format!(
                "{:.0} krows/s, WAL {:.0} MB, heap {:.2}×, HOT {:.0} %",
                rate(cost) / 1e3,
                cost.wal_bytes / 1e6,
                cost.heap_growth,
                cost.hot * 100.0
            ),
        );
    }
    report.ratio("rows/s, 1 lane ÷ one UPDATE", rate(single) / rate(one), Goal::AtLeast(1.25));
    report.ratio("rows/s, 2 lanes ÷ one UPDATE", rate(double) / rate(one), Goal::AtLeast(1.8));
    report.ratio("heap growth, 1 lane", single.heap_growth, Goal::AtMost(1.25));
    report.ratio("heap growth, 2 lanes", double.heap_growth, Goal::AtMost(1.25));
    report.ratio("WAL, 1 lane ÷ one UPDATE", single.wal_bytes / one.wal_bytes, Goal::AtMost(0.75));
    report.ratio("WAL, 2 lanes ÷ one UPDATE", double.wal_bytes / one.wal_bytes, Goal::AtMost(0.75));
    Ok(())
}

async fn one_statement(client: &Client) -> anyhow::Result<Cost> {
    client.batch_execute("ALTER TABLE bench ADD COLUMN amount_big bigint").await?;
    let before = fill::mark(client).await?;
    client.batch_execute("UPDATE bench SET amount_big = amount").await?;
    let after = fill::mark(client).await?;
    fill::cost(client, before, after).await
}

async fn ours(server: &Server, client: &Client, lanes: u32) -> anyhow::Result<Cost> {
    let lanes = NonZeroU32::new(lanes).unwrap_or(NonZeroU32::MIN);
    let settings =
        FillSettings { lanes, pace: Pace::Full, horizon_wait: Duration::from_secs(5), ..FillSettings::default() };
    let (began, ended) = fill::fill(server, client, settings).await?;
    fill::cost(client, began, ended).await
}

/// Of each figure on its own.
fn median(costs: &[Cost]) -> Cost {
    let of = |figure: fn(&Cost) -> f64| figures::median(costs.iter().map(figure));
    Cost {
        seconds: of(|cost| cost.seconds),
        wal_bytes: of(|cost| cost.wal_bytes),
        heap_growth: of(|cost| cost.heap_growth),
        hot: of(|cost| cost.hot),
    }
}
