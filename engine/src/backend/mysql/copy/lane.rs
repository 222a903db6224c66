//! A lane at work: piece by piece, chunk by chunk.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::OwnedSemaphorePermit;

use super::manner::{Inserting, Manner};
use super::pieces::{Piece, written};
use super::work::Done;
use super::{Job, roll_back, size};
use crate::backend::mysql::ledger;
use crate::backend::pace::{Kind, Politeness};
use crate::backend::progress::Written;
use crate::dialect::mysql::key::{self, Place};
use crate::dialect::mysql::literal::Text;
use crate::driver::mysql::Session;
use crate::error::{DbError, DbErrorKind, Error, Problem};
use crate::event::Event;
use crate::failpoint;
use crate::sql;
use crate::text::Sql;

/// Who waits no longer than that says nothing of it.
const TELL_AFTER: Duration = Duration::from_secs(1);
/// For so long after somebody was in the way, rows are inserted as it suits others.
const PATIENT_FOR: Duration = Duration::from_secs(1);
/// Parts of a unit that progress counts in.
const PARTS: u64 = 64;

/// A connection that works through rows.
struct Worker {
    job: Arc<Job>,
    session: Session,
    rows: u64,
    manner: Manner,
    /// When somebody was in the way last.
    conflict: Option<Instant>,
    /// As many have one as there are lanes.
    turn: Option<OwnedSemaphorePermit>,
    pace: Politeness,
}

/// A chunk of work: rows of a piece after `from` up to `to`.
struct Chunk {
    piece: i32,
    from: Option<Place>,
    to: Place,
    /// How many rows were counted in it.
    counted: u64,
    /// Whether the piece ends with it.
    is_last: bool,
}

/// How often a chunk was tried.
struct Tries {
    conflicts: u32,
    began: Instant,
    /// Whether the new table has some of its rows.
    some_there: bool,
}

/// What became of a chunk.
enum Outcome {
    /// What was written, and how long that took but for its record and its commit.
    Done(Written, Duration),
    /// To be tried again, with so many rows.
    Again,
}

/// Works through pieces until none is left.
pub(super) async fn work(job: Arc<Job>) -> Result<(), Error> {
    let session = job.session().await?;
    let pace = Politeness::new(job.settings.pace);
    let (rows, manner, job) = (size::FIRST_ROWS, Manner::default(), Arc::clone(&job));
    let mut worker = Worker { job, session, rows, manner, conflict: None, turn: None, pace };
    worker.all().await
}

impl Worker {
    async fn all(&mut self) -> Result<(), Error> {
        let job = Arc::clone(&self.job);
        loop {
            self.turn().await?;
            job.heed(Duration::ZERO).await?;
            let piece = job.pieces.lock().await.take(&self.session, (job.hold, &job.step), &job.work).await?;
            let Some(piece) = piece else { return Ok(()) };
            self.piece(piece).await?;
        }
    }

    /// Waits for its turn, unless it has it.
    async fn turn(&mut self) -> Result<(), Error> {
        if self.turn.is_none() {
            // Nobody closes it.
            self.turn = Arc::clone(&self.job.turns).acquire_owned().await.ok();
        }
        match self.job.stop.is_cancelled() {
            true => Err(Error::Interrupted),
            false => Ok(()),
        }
    }

    async fn piece(&mut self, piece: Piece) -> Result<(), Error> {
        let mut next = piece.next.clone();
        let mut tries = Tries::begin();
        loop {
            self.turn().await?;
            self.look().await?;
            let chunk = self.ahead(&piece, next.clone()).await?;
            failpoint::pass("chunk.before").await;
            let began = Instant::now();
            match self.chunk(&chunk, &mut tries).await? {
                Outcome::Again => continue,
                Outcome::Done(done, worked) => {
                    let took = began.elapsed();
                    failpoint::pass("chunk.after").await;
                    self.turn().await?;
                    self.rest(&done, &chunk, (worked, took)).await?;
                    tries = Tries::begin();
                }
            }
            if chunk.is_last {
                return Ok(());
            }
            next = Some(chunk.to);
        }
    }

    /// How the next chunk is to be done: it is smaller at once where somebody has begun to write.
    async fn look(&mut self) -> Result<(), Error> {
        let manner = self.job.manners.next(&self.session).await;
        let manner = manner.map_err(|error| error.doing(self.job.doing()))?;
        self.rows = manner.rows(self.rows, self.manner);
        self.manner = manner;
        Ok(())
    }

    /// The next chunk: as many rows as one should have, or those that are left of the piece.
    async fn ahead(&self, piece: &Piece, from: Option<Place>) -> Result<Chunk, Error> {
        let (work, walk) = (&self.job.work, self.job.work.walk());
        let index = (work.table(), work.key_index());
        let failed = |error: DbError| error.doing(self.job.doing());
        let text = key::ahead(index, walk, from.as_ref(), Some(&piece.to), self.rows);
        let rows = self.session.rows(text.as_str()).await.map_err(failed)?;
        let (to, counted, is_last) = match rows.first().and_then(|row| key::place(walk, row)) {
            Some(place) => (place, self.rows, false),
            None => {
                let text = key::count(index, walk, from.as_ref(), Some(&piece.to));
                let left = self.session.rows(text.as_str()).await.map_err(failed)?;
                (piece.to.clone(), u64::try_from(ledger::number(&left)).unwrap_or(0), true)
            }
        };
        Ok(Chunk { piece: piece.number, from, to, counted, is_last })
    }

    async fn chunk(&mut self, chunk: &Chunk, tries: &mut Tries) -> Result<Outcome, Error> {
        match self.carry_out(chunk, tries).await {
            Ok((written, worked)) => Ok(Outcome::Done(written, worked)),
            Err(Failed::Lost) => Err(self.job.lost()),
            Err(Failed::Server(error)) => {
                roll_back(&self.session).await;
                self.failed(error, chunk, tries).await?;
                Ok(Outcome::Again)
            }
        }
    }

    /// Rows, what was left out, and the record: one transaction.
    async fn carry_out(&mut self, chunk: &Chunk, tries: &Tries) -> Result<(Written, Duration), Failed> {
        let job = Arc::clone(&self.job);
        let began = Instant::now();
        let (range, how) = ((chunk.from.as_ref(), &chunk.to), (chunk.counted, self.inserting(tries)));
        let Done { rows, held } = job.work.chunk(&self.session, range, how).await?;
        let worked = began.elapsed();
        let deferred = self.defer(&held).await?;
        failpoint::pass("chunk.written").await;
        let record = sql!(
            "UPDATE shoofly.lane SET next_place = {next}, rows_done = rows_done + {counted}, \
             rows_written = rows_written + {rows}, done = {done} \
             WHERE run = {run} AND step = {step} AND lane = {lane} AND epoch = {epoch} AND done = 0; \
             SELECT IF(ROW_COUNT() = 1, 1, (SELECT 1 UNION SELECT 2)); COMMIT",
            next = written(Some(&chunk.to)),
            counted = chunk.counted,
            rows = rows,
            done = i32::from(chunk.is_last),
            run = job.hold.run,
            step = Text(&job.step.0),
            lane = chunk.piece,
            epoch = job.hold.epoch,
        );
        if self.manner.is_quiet() {
            // The commit waits for the disk, and keeps nobody waiting: another one may work meanwhile.
            self.turn = None;
        }
        match self.session.execute(record.as_str()).await {
            Ok(_) => Ok((Written { rows, stayed: rows, deferred }, worked)),
            Err(error) if ledger::is_taken(&error) => {
                roll_back(&self.session).await;
                Err(Failed::Lost)
            }
            Err(error) => Err(Failed::Server(error)),
        }
    }

    fn inserting(&self, tries: &Tries) -> Inserting {
        match self.manner.inserting {
            _ if self.conflict.is_some_and(|at| at.elapsed() < PATIENT_FOR) => self.job.work.patiently(),
            Inserting::New if tries.some_there => Inserting::AtOnce,
            inserting => inserting,
        }
    }

    /// Notes the rows that were left out: somebody has them locked.
    async fn defer(&self, places: &[Place]) -> Result<u64, DbError> {
        let job = &self.job;
        if places.is_empty() {
            return Ok(0);
        }
        let values: Vec<Sql> = places
            .iter()
            .map(|place| {
                sql!(
                    "({run}, {step}, {place})",
                    run = job.hold.run,
                    step = Text(&job.step.0),
                    place = written(Some(place))
                )
            })
            .collect();
        let text =
            sql!("INSERT INTO shoofly.deferred (run, step, place) VALUES {values}", values = Sql::join(&values, ", "));
        self.session.execute(text.as_str()).await?;
        Ok(places.len() as u64)
    }

    /// `Ok` where the chunk is to be tried again.
    async fn failed(&mut self, error: DbError, chunk: &Chunk, tries: &mut Tries) -> Result<(), Error> {
        match error.kind {
            DbErrorKind::LockTimeout | DbErrorKind::Deadlock if tries.began.elapsed() < self.job.give_up_after => {
                metrics::counter!("shoofly_backfill_chunks_total", "outcome" => "conflict").increment(1);
                self.rows = (self.rows / 2).max(size::LEAST_ROWS.min(self.rows));
                self.conflict = Some(Instant::now());
                tries.conflicts += 1;
                if tries.began.elapsed() >= TELL_AFTER && tries.conflicts % 10 == 1 {
                    let because = format!("somebody locks {}: {error}", self.job.work.table().display());
                    self.job.events.emit(Event::FillWaiting { because });
                }
                self.job.back_off(tries.conflicts).await
            }
            // Triggers have brought some of its rows.
            _ if error.is_duplicate() && self.inserting(tries) == Inserting::New => {
                failpoint::pass("chunk.some-there").await;
                tries.some_there = true;
                Ok(())
            }
            // Ever smaller chunks, until the row at fault is alone.
            _ if is_about_rows(&error) && self.rows > 1 => {
                self.rows = (self.rows / 4).max(1);
                Ok(())
            }
            _ if is_about_rows(&error) => Err(self.named(&error, chunk).await),
            _ => Err(error.doing(self.job.doing())),
        }
    }

    async fn named(&self, error: &DbError, chunk: &Chunk) -> Error {
        let work = &self.job.work;
        let rows =
            self.session.rows(work.named_between(chunk.from.as_ref(), &chunk.to).as_str()).await.unwrap_or_default();
        let row = ledger::first(&rows).map_or_else(|| "unknown".to_owned(), str::to_owned);
        let what = match ledger::is_taken(error) {
            true => "another row has the same value in a unique key of the new shape".to_owned(),
            false => error.message.clone(),
        };
        let (why, advice) = work.refusal();
        Error::Data(vec![Problem {
            what,
            place: format!("{}, row {row}", work.table().display()),
            why: why.to_owned(),
            advice: advice.to_owned(),
        }])
    }

    /// Learns from a chunk and pauses as politeness, the server's health and the operator's limit have it.
    async fn rest(&mut self, done: &Written, chunk: &Chunk, (worked, took): (Duration, Duration)) -> Result<(), Error> {
        let job = Arc::clone(&self.job);
        job.progress.chunk(done, took);
        job.progress.moved(chunk.counted.saturating_mul(PARTS));
        // The last one has as many rows as were left.
        if !chunk.is_last {
            let usual = job.health.chunk(job.work.chunk_time().unwrap_or(job.settings.chunk));
            self.rows = size::next(self.rows, (worked, took), self.manner.time(usual));
        }
        if let Some(limit) = &job.limit {
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "at least 1, and small")]
            let most = limit.chunk_rows() as u64;
            self.rows = self.rows.min(most);
        }
        let pause = self.pace.after(Kind::new(0), done.rows, took);
        if pause > Duration::ZERO {
            job.pause(pause).await?;
        }
        job.heed(took).await?;
        if let Some(limit) = &job.limit {
            tokio::select! {
                biased;
                () = job.stop.cancelled() => return Err(Error::Interrupted),
                () = limit.spend(done.rows) => {}
            }
        }
        Ok(())
    }
}

/// Why a chunk was not done.
enum Failed {
    Server(DbError),
    /// The run is another process's.
    Lost,
}

impl Tries {
    fn begin() -> Self {
        Self { conflicts: 0, began: Instant::now(), some_there: false }
    }
}

impl From<DbError> for Failed {
    fn from(error: DbError) -> Self {
        Self::Server(error)
    }
}

/// Whether a row is at fault.
fn is_about_rows(error: &DbError) -> bool {
    matches!(error.kind, DbErrorKind::Data | DbErrorKind::Constraint) || ledger::is_taken(error)
}
