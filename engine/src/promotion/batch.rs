//! Many codes of one promotion, made as a job.
//!
//! Some thousand are made at a time, each time with the note how many there are,
//! so that a job that is interrupted makes as many as were wanted and no more.

use chrono::{DateTime, Utc};
use domain::id::PromotionId;
use domain::job::{JobKind, JobStep};
use domain::promotion::code::Shape;
use domain::refusal::{ErrorCode, Refusal};
use entity::{job, promotion_code};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::codes::by_code;
use super::ops::WRITE;
use super::repo::codes;
use crate::actor::{Caller, Need};
use crate::auth::token::random_bytes;
use crate::error::{Error, Result};
use crate::event::Aggregate;
use crate::job::Lease;
use crate::job::ops::{BeginWork, CreateJob, Progress, advance, held};
use crate::job::runner::{End, Run};
use crate::op::{Op, Tx};

/// Codes of one transaction.
const CODES: usize = 2_000;
/// The longest name of a batch, in characters.
const MAX_NAME: usize = 100;

/// Which codes are made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BatchInput {
    /// For which promotion.
    pub promotion: PromotionId,
    /// What staff call them.
    pub batch: String,
    /// How many.
    pub count: usize,
    /// What they begin with.
    pub prefix: String,
    /// Random characters of each.
    pub length: usize,
    /// So many of these stand between two hyphens; 0 sets none.
    pub group: usize,
    /// When they end before their promotion does, exclusive.
    pub ends_at: Option<DateTime<Utc>>,
}

impl BatchInput {
    fn shape(&self) -> Result<Shape, Vec<Refusal>> {
        let shape = Shape::new(&self.prefix, self.length, self.group)?;
        shape.check_count(self.count).map_err(|refusal| vec![refusal])?;
        Ok(shape)
    }
}

/// The name of a batch, trimmed.
pub(super) fn named(batch: &str) -> Result<String, Refusal> {
    let batch = batch.trim();
    if batch.is_empty() || batch.chars().count() > MAX_NAME {
        let message = format!("The name of a batch has 1 to {MAX_NAME} characters.");
        return Err(Refusal::new(ErrorCode::Invalid, message).limit(MAX_NAME as i64).at(["batch"]));
    }
    Ok(batch.to_owned())
}

/// Starts making codes.
#[derive(Debug, Clone)]
pub struct StartBatch(pub BatchInput);

impl Op for StartBatch {
    const NAME: &'static str = "promotion.codes_make";
    const NEEDS: Need = WRITE;
    type Out = job::Model;

    async fn run(&self, tx: &mut Tx) -> Result<job::Model> {
        by_code(tx, self.0.promotion).await?;
        self.0.shape()?;
        let input = BatchInput { batch: named(&self.0.batch)?, ..self.0.clone() };
        if codes::has_batch(&tx.conn, input.promotion, &input.batch).await? {
            let message = "This promotion has codes of a batch of this name already.";
            return Err(Refusal::new(ErrorCode::Taken, message).at(["batch"]).into());
        }
        let create = CreateJob {
            kind: JobKind::CodeBatch,
            input: serde_json::to_value(&input).map_err(Error::internal)?,
            // Two batches alike are two batches.
            fingerprint: tx.id::<domain::id::JobId>().to_string(),
            file_hash: None,
            dry_run: false,
            owner: None,
        };
        create.run(tx).await
    }
}

/// Makes the codes of a job.
pub async fn work(run: &Run<'_>) -> Result<End> {
    run.caller.actor.check(Need::Everywhere(JobKind::CodeBatch.writes()))?;
    let input: BatchInput = serde_json::from_value(run.job.input.clone()).map_err(Error::internal)?;
    let mut done = run.job.done as usize;
    if run.job.step == JobStep::Check {
        let begin = BeginWork { lease: run.lease.clone(), total: input.count as i64, found: Progress::default() };
        (run.watch)(&run.app.run(&Caller::system(), &begin).await?);
    }
    while done < input.count {
        if run.stop.is_cancelled() {
            return Ok(End::Stopped);
        }
        let chunk = MakeCodes { lease: run.lease.clone(), input: input.clone(), from: done };
        let row = run.app.run(&run.caller, &chunk).await?;
        if row.cancel_requested {
            return Ok(End::Canceled);
        }
        (run.watch)(&row);
        crate::failpoint::reach("code_batch.chunk");
        done = row.done as usize;
    }
    Ok(End::Done)
}

/// Some codes, together with the note that they are made.
struct MakeCodes {
    lease: Lease,
    input: BatchInput,
    /// How many there are before.
    from: usize,
}

impl Op for MakeCodes {
    const NAME: &'static str = "promotion.codes_make_some";
    const NEEDS: Need = WRITE;
    type Out = job::Model;

    async fn run(&self, tx: &mut Tx) -> Result<job::Model> {
        let job = held(tx, &self.lease).await?;
        if job.cancel_requested {
            return Ok(job);
        }
        if job.done != self.from as i64 {
            return Err(Error::internal("these codes were made already"));
        }
        let promotion = by_code(tx, self.input.promotion).await?;
        let shape = self.input.shape()?;
        let mut pool = Pool::default();
        let mut next = || pool.next();
        let count = CODES.min(self.input.count - self.from);
        let row = |code: String| promotion_code::Model {
            id: tx.id(),
            created_at: tx.now(),
            deleted_at: None,
            promotion_id: promotion.id,
            code,
            batch: Some(self.input.batch.clone()),
            ends_at: self.input.ends_at,
            uses: 0,
        };
        let drawn: Vec<promotion_code::Model> = (0..count).map(|_| row(shape.make(&mut next))).collect();
        // What is taken, and what was drawn twice, is drawn again with the next ones.
        let made = codes::insert_new(tx, drawn).await? as usize;
        let done = (self.from + made) as i64;
        if done as usize == self.input.count {
            let told = json!({ "batch": self.input.batch, "count": done });
            tx.emit(Aggregate::new("promotion", promotion.id), "promotion.codes_added", json!({ "count": done }));
            tx.audit(promotion.id, None, Some(told));
        }
        advance(tx, job, &Progress { done, created: made as i64, ..Progress::default() }).await
    }
}

/// Random bytes, drawn some at a time.
#[derive(Default)]
struct Pool {
    bytes: Vec<u8>,
}

impl Pool {
    fn next(&mut self) -> u8 {
        if self.bytes.is_empty() {
            self.bytes = random_bytes::<256>().to_vec();
        }
        self.bytes.pop().unwrap_or_default()
    }
}
