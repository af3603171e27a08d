//! Some products of a file in one transaction, together with the note that they
//! are done: whoever takes the job up goes on behind them.

use std::collections::HashMap;
use std::sync::Arc;

use domain::auth::Permission;
use domain::id::VariantId;
use domain::import::Imported;
use entity::job;

use super::places::Places;
use super::write::{Verdict, store};
use crate::actor::Need;
use crate::catalog::save::Saved;
use crate::error::{Error, Result};
use crate::job::Lease;
use crate::job::ops::{Progress, advance, held};
use crate::op::{Op, Tx};

/// What is done with a chunk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Only what stands against it is asked.
    Check,
    /// Everything is done and undone again.
    Rehearse,
    /// It is done.
    Write,
}

/// Some products of a file.
#[derive(Debug, Clone)]
pub struct ImportChunk {
    /// Who works on the job.
    pub lease: Lease,
    /// What is done with them.
    pub mode: Mode,
    /// Behind how many entries they stand.
    pub from: i64,
    /// How many entries are done with them, those that were refused before among them.
    pub to: i64,
    /// The products.
    pub products: Arc<Vec<Imported>>,
    /// What was refused of the chunk while it was read again: the shop has changed since it was looked over.
    pub late: Progress,
    /// Where their parts go.
    pub places: Arc<Places>,
    /// The merchant's numbers that products of the file hand to others, with the variants that have them.
    pub handed: Arc<HashMap<String, VariantId>>,
}

/// What came of a chunk.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// The job as it is now.
    pub job: job::Model,
    /// What to note of it, when nothing was written.
    pub progress: Progress,
    /// The places of the products that were refused.
    pub refused: Vec<usize>,
    /// Whether somebody called the job off: then nothing was done.
    pub canceled: bool,
}

impl Op for ImportChunk {
    const NAME: &'static str = "product.import";
    // A file may name any channel and any location.
    const NEEDS: Need = Need::Everywhere(Permission::CatalogWrite);
    type Out = Outcome;

    async fn run(&self, tx: &mut Tx) -> Result<Outcome> {
        let job = held(tx, &self.lease).await?;
        if job.cancel_requested {
            return Ok(Outcome { job, progress: Progress::default(), refused: Vec::new(), canceled: true });
        }
        if self.mode != Mode::Check && job.done != self.from {
            return Err(Error::internal("these products were imported already"));
        }
        let verdicts = store(tx, &self.products, &self.places, &self.handed, self.mode == Mode::Check).await?;
        let refused = verdicts.iter().enumerate().filter(|(_, verdict)| verdict.is_err()).map(|(place, _)| place);
        let refused = refused.collect();
        let progress = self.count(verdicts);
        let job = if self.mode == Mode::Write { advance(tx, job, &progress).await? } else { job };
        Ok(Outcome { job, progress, refused, canceled: false })
    }

    fn commits(&self) -> bool {
        self.mode == Mode::Write
    }
}

impl ImportChunk {
    fn count(&self, verdicts: Vec<Verdict>) -> Progress {
        let mut progress = Progress { done: self.to, ..self.late.clone() };
        for (product, verdict) in self.products.iter().zip(verdicts) {
            match verdict {
                Ok(Saved::Created) => progress.created += 1,
                Ok(Saved::Updated) => progress.changed += 1,
                Ok(Saved::Unchanged) => progress.unchanged += 1,
                Err(refusals) => {
                    progress.refused += 1;
                    progress.errors.extend(refusals.iter().map(|refusal| product.in_cell(refusal)));
                }
            }
        }
        progress
    }
}
