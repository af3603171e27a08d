//! The prices of one list out of a file, as a job.
//!
//! The file is looked over as a whole before anything is written: a fault in
//! its header, and unless one wants otherwise a fault in any row, leaves the
//! list as it is. Then prices are set some hundred rows at a time, all rows of
//! a variant together, each time with the note how far the job has come. What
//! the file does not name goes at the end, where the list is to hold nothing else.

use std::path::PathBuf;

use domain::auth::Permission;
use domain::catalog::{OnError, WriteOutcome};
use domain::id::{PriceId, PriceListId, ProductId, StagedUploadId};
use domain::import::{Record, RowRefusal};
use domain::job::{JobKind, JobStep, MAX_ERRORS};
use domain::pricing::check::MAX_PRICES;
use domain::pricing::sheet::{PriceImportMode, PriceSheet};
use domain::refusal::{ErrorCode, Refusal, Refusals};
use entity::job;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::bulk::{PriceDone, PriceRow, SetPrices, VariantName};
use super::ops::no_list;
use super::{listing, repo};
use crate::actor::{Caller, Need};
use crate::error::{Error, Result};
use crate::event::Aggregate;
use crate::job::Lease;
use crate::job::ops::{BeginWork, CreateJob, NoteProgress, Progress, RenewLease, advance, held};
use crate::job::records::{Records, delimiter};
use crate::job::runner::{End, Run};
use crate::job::text::{Fault, Text};
use crate::op::{Op, Tx, input_hash};

/// The most rows of one transaction, but that one variant is never parted.
const ROWS: usize = 500;
/// The most products that are looked through at once for what the file does not name.
const PRODUCTS: usize = 50;

/// Which prices are brought in, and how.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PriceImportInput {
    /// A file of this machine; what was uploaded when absent.
    pub path: Option<PathBuf>,
    /// The hash of the file's bytes.
    pub hash: String,
    /// What staff call it.
    pub name: String,
    /// In which list.
    pub list: PriceListId,
    /// What becomes of the prices that it has.
    pub mode: PriceImportMode,
    /// What a refused row does to the others.
    pub on_error: OnError,
}

impl PriceImportInput {
    /// The job that does it.
    pub fn job(&self, dry_run: bool, owner: Option<String>) -> Result<CreateJob> {
        // Where the file lies and what it is called makes no difference.
        let same = Self { path: None, name: String::new(), ..self.clone() };
        let fingerprint = input_hash(&(JobKind::PriceImport, &same, dry_run))?;
        let fingerprint = fingerprint.iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(CreateJob {
            kind: JobKind::PriceImport,
            input: serde_json::to_value(self).map_err(Error::internal)?,
            fingerprint,
            file_hash: self.path.is_none().then(|| self.hash.clone()),
            dry_run,
            owner,
        })
    }
}

/// Starts an import of what was uploaded.
#[derive(Debug, Clone)]
pub struct StartPriceImport {
    /// The upload, which must be the caller's.
    pub upload: StagedUploadId,
    /// Everything else; path, hash and name are those of the upload.
    pub input: PriceImportInput,
    /// Whether it only tells what it would do.
    pub dry_run: bool,
}

impl Op for StartPriceImport {
    const NAME: &'static str = "price.import_start";
    // A list counts in every channel.
    const NEEDS: Need = Need::Everywhere(Permission::CatalogWrite);
    type Out = job::Model;

    async fn run(&self, tx: &mut Tx) -> Result<job::Model> {
        let mut refusals = Refusals::default();
        let upload = refusals.keep(crate::media::ops::importable(tx, self.upload).await?);
        if !tx.settings().await?.price_lists.iter().any(|row| row.id == self.input.list && row.deleted_at.is_none()) {
            refusals.push(no_list());
        }
        refusals.into_result()?;
        let upload = upload.ok_or_else(|| Error::internal("a refusal was lost"))?;
        let hash = upload.file_hash.ok_or_else(|| Error::internal("an upload without a file"))?;
        let input = PriceImportInput { path: None, hash, name: upload.filename, ..self.input.clone() };
        input.job(self.dry_run, None)?.run(tx).await
    }
}

/// The prices of a file, variant by variant.
struct Source {
    records: Records,
    sheet: PriceSheet,
}

/// The rows of some variants.
#[derive(Debug, Default)]
struct Part {
    /// Behind which variant they end.
    to: usize,
    /// How many rows they are.
    count: usize,
    /// The rows that can be read, with their prices.
    rows: Vec<(Record, PriceRow)>,
    /// How many rows can't, or belong to the same variant as such a row.
    refused: usize,
    /// Why.
    errors: Vec<RowRefusal>,
}

impl Source {
    fn open(mut text: Text) -> Result<Self, Fault> {
        let delimiter = delimiter(&text.front()?);
        let (records, sheet) = Records::open(text, delimiter, PriceSheet::new, PriceSheet::sku)?;
        Ok(Self { records, sheet })
    }

    /// Reads the variants behind `from`: as many as have [`ROWS`] rows together, but at least one.
    fn read(&mut self, from: usize) -> Result<Part, Fault> {
        let mut part = Part { to: from, ..Part::default() };
        while part.to < self.records.groups() {
            let size = self.records.size(part.to);
            if part.count > 0 && part.count + size > ROWS {
                break;
            }
            let records = self.records.read(part.to, MAX_PRICES + 1)?;
            self.read_variant(records, size, &mut part);
            part.count += size;
            part.to += 1;
        }
        Ok(part)
    }

    fn read_variant(&self, records: Vec<Record>, size: usize, part: &mut Part) {
        let mut rows = Vec::with_capacity(records.len());
        let mut faults: Vec<Vec<RowRefusal>> = Vec::with_capacity(records.len());
        for record in &records {
            let variant = VariantName::Sku(self.sheet.sku(&record.cells).to_owned());
            let (price, fault) = match self.sheet.read(record) {
                Ok(price) => (price, Vec::new()),
                Err(refusals) => (None, refusals),
            };
            faults.push(fault);
            rows.push(PriceRow { variant, price });
        }
        if size > MAX_PRICES {
            let refusal = Refusal::new(ErrorCode::TooMany, format!("A variant has at most {MAX_PRICES} prices here."));
            part.errors.extend(records.first().map(|first| self.sheet.in_cell(first, &refusal)));
            part.refused += size;
        } else if faults.iter().any(|fault| !fault.is_empty()) {
            let refusal = Refusal::new(ErrorCode::Invalid, "Another row of the same variant was refused.");
            for (record, fault) in records.iter().zip(faults) {
                match fault.is_empty() {
                    true => part.errors.push(self.sheet.in_cell(record, &refusal)),
                    false => part.errors.extend(fault),
                }
            }
            part.refused += size;
        } else {
            part.rows.extend(records.into_iter().zip(rows));
        }
    }
}

/// A job of this kind while it is done.
struct Import<'r> {
    run: &'r Run<'r>,
    input: PriceImportInput,
    source: Option<Source>,
}

/// Does an import.
pub async fn work(run: &Run<'_>) -> Result<End> {
    run.caller.actor.check(Need::Everywhere(JobKind::PriceImport.writes()))?;
    let input: PriceImportInput = serde_json::from_value(run.job.input.clone()).map_err(Error::internal)?;
    let path = input.path.clone().unwrap_or_else(|| run.app.files.path_of(&input.hash));
    let (scratch, hash) = (run.lease.owner.clone(), input.hash.clone());
    let opened = tokio::task::spawn_blocking(move || Source::open(Text::expect(&path, &scratch, &hash)?));
    let source = match opened.await? {
        Ok(source) => source,
        Err(errors) => {
            let why = errors.first().map_or_else(String::new, |error| error.reason.clone());
            return Ok(End::Refused(format!("{why} Nothing was changed."), Progress { errors, ..Progress::default() }));
        }
    };
    let total = source.records.count() as i64;
    let mut import = Import { run, input, source: Some(source) };
    tell(run, &RenewLease { lease: run.lease.clone(), total: Some(total) }).await?;
    if run.job.step == JobStep::Check {
        // With SKIP_ROW, and in a rehearsal, what is refused is found on the way.
        if import.input.on_error == OnError::Abort && !run.job.dry_run {
            let found = match import.look_over().await? {
                Ok(found) => found,
                Err(end) => return Ok(end),
            };
            if found.refused > 0 {
                let why = format!("{} of {total} rows are refused; nothing was changed.", found.refused);
                return Ok(End::Refused(why, found));
            }
        }
        let begin = BeginWork { lease: run.lease.clone(), total, found: Progress::default() };
        tell(run, &begin).await?;
    }
    import.store().await
}

async fn tell<O: Op<Out = job::Model>>(run: &Run<'_>, op: &O) -> Result<job::Model> {
    let row = run.app.run(&Caller::system(), op).await?;
    (run.watch)(&row);
    Ok(row)
}

impl Import<'_> {
    fn source(&self) -> Result<&Source> {
        self.source.as_ref().ok_or_else(|| Error::internal("a file was lost while it was read"))
    }

    /// Reads some variants, away from the threads that answer requests.
    async fn read(&mut self, from: usize) -> Result<Part> {
        let mut source = self.source.take().ok_or_else(|| Error::internal("a file was lost while it was read"))?;
        let reading = tokio::task::spawn_blocking(move || {
            let read = source.read(from);
            (source, read)
        });
        let (source, read) = reading.await?;
        self.source = Some(source);
        read.map_err(|errors| Error::internal(errors.first().map_or("", |error| error.reason.as_str())))
    }

    /// Sets the prices of a part, or only asks what stands against them.
    async fn set(&self, part: &Part, mode: Mode, (from, to): (i64, i64)) -> Result<Outcome> {
        let rows = part.rows.iter().map(|(_, row)| row.clone()).collect();
        let (list, keeps) = (Some(self.input.list), self.input.mode == PriceImportMode::Merge);
        let set = SetPrices { list, rows, on_error: OnError::SkipRow, refused: Vec::new(), keeps };
        let records = part.rows.iter().map(|(record, _)| record.clone()).collect();
        let header = self.source()?.records.header.clone();
        let late = Progress { refused: part.refused as i64, errors: part.errors.clone(), ..Progress::default() };
        let chunk = PriceChunk { lease: self.run.lease.clone(), mode, from, to, set, records, header, late };
        self.run.app.run(&self.run.caller, &chunk).await
    }

    /// Asks of the whole file what stands against it.
    async fn look_over(&mut self) -> Result<Result<Progress, End>> {
        let mut found = Progress::default();
        let (mut at, mut looks) = (0, 0_u32);
        while at < self.source()?.records.groups() {
            if self.run.stop.is_cancelled() {
                return Ok(Err(End::Stopped));
            }
            let part = self.read(at).await?;
            let outcome = self.set(&part, Mode::Check, (0, 0)).await?;
            if outcome.canceled {
                return Ok(Err(End::Canceled));
            }
            found.refused += outcome.progress.refused;
            // The job counts them all, and remembers no more than this.
            let room = (MAX_ERRORS * 100).saturating_sub(found.errors.len());
            found.errors.extend(outcome.progress.errors.into_iter().take(room));
            at = part.to;
            looks += 1;
            if looks.is_multiple_of(20) {
                tell(self.run, &RenewLease { lease: self.run.lease.clone(), total: None }).await?;
            }
        }
        Ok(Ok(found))
    }

    /// Sets the prices behind what is done.
    async fn store(&mut self) -> Result<End> {
        let run = self.run;
        let mode = if run.job.dry_run { Mode::Rehearse } else { Mode::Write };
        let (mut at, mut done) = (0, 0);
        while done < run.job.done {
            done += self.source()?.records.size(at) as i64;
            at += 1;
        }
        while at < self.source()?.records.groups() {
            if run.stop.is_cancelled() {
                return Ok(End::Stopped);
            }
            let part = self.read(at).await?;
            let to = done + part.count as i64;
            let outcome = self.set(&part, mode, (done, to)).await?;
            if outcome.canceled {
                return Ok(End::Canceled);
            }
            if mode == Mode::Rehearse {
                tell(run, &NoteProgress { lease: run.lease.clone(), progress: outcome.progress }).await?;
            } else {
                (run.watch)(&outcome.job);
                crate::failpoint::reach("price_import.chunk");
            }
            (at, done) = (part.to, to);
        }
        if self.input.mode == PriceImportMode::ReplaceList && mode == Mode::Write {
            return self.clear().await;
        }
        Ok(End::Done)
    }

    /// Takes the prices away of variants that the file does not name. Begun
    /// anew, it finds nothing where it has been.
    async fn clear(&self) -> Result<End> {
        let mut after = None;
        loop {
            if self.run.stop.is_cancelled() {
                return Ok(End::Stopped);
            }
            let held = repo::skus_in_list(&self.run.app.read(), self.input.list, after, PRODUCTS).await?;
            let Some(last) = held.last().map(|one| one.product) else { return Ok(End::Done) };
            let records = &self.source()?.records;
            let unnamed = held.into_iter().filter(|one| one.sku.as_ref().is_none_or(|sku| !records.names(sku)));
            let mut prices: Vec<PriceId> = Vec::new();
            let mut products: Vec<ProductId> = Vec::new();
            for one in unnamed {
                prices.push(one.price);
                products.push(one.product);
            }
            products.dedup();
            if !prices.is_empty() {
                let (lease, list) = (self.run.lease.clone(), self.input.list);
                let cleared =
                    self.run.app.run(&self.run.caller, &ClearPrices { lease, list, prices, products }).await?;
                if cleared.cancel_requested {
                    return Ok(End::Canceled);
                }
            }
            after = Some(last);
        }
    }
}

/// What is done with some rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    /// Only what stands against them is asked.
    Check,
    /// Everything is done and undone again.
    Rehearse,
    /// It is done.
    Write,
}

/// Some rows of a file, together with the note that they are done.
#[derive(Debug)]
struct PriceChunk {
    lease: Lease,
    mode: Mode,
    /// Behind how many rows they stand.
    from: i64,
    /// How many rows are done with them.
    to: i64,
    set: SetPrices,
    /// The records of the rows, to say in which cell a fault lies.
    records: Vec<Record>,
    header: Vec<String>,
    /// What was refused while they were read.
    late: Progress,
}

/// What came of them.
#[derive(Debug)]
struct Outcome {
    job: job::Model,
    progress: Progress,
    /// Whether somebody called the job off: then nothing was done.
    canceled: bool,
}

impl Op for PriceChunk {
    const NAME: &'static str = "price.import";
    // A list counts in every channel.
    const NEEDS: Need = Need::Everywhere(Permission::CatalogWrite);
    type Out = Outcome;

    async fn run(&self, tx: &mut Tx) -> Result<Outcome> {
        let job = held(tx, &self.lease).await?;
        if job.cancel_requested {
            return Ok(Outcome { job, progress: Progress::default(), canceled: true });
        }
        if self.mode == Mode::Write && job.done != self.from {
            return Err(Error::internal("these prices were brought in already"));
        }
        let (mut done, decided) = self.set.decide(tx).await?;
        if self.mode != Mode::Check {
            self.set.write(tx, decided, &mut done).await?;
        }
        let progress = self.count(done)?;
        let job = if self.mode == Mode::Write { advance(tx, job, &progress).await? } else { job };
        Ok(Outcome { job, progress, canceled: false })
    }

    fn commits(&self) -> bool {
        self.mode == Mode::Write
    }
}

impl PriceChunk {
    fn count(&self, done: Vec<PriceDone>) -> Result<Progress> {
        let sheet = PriceSheet::new(&self.header).map_err(|_| Error::internal("a header was lost"))?;
        let mut progress = Progress { done: self.to, ..self.late.clone() };
        for (record, done) in self.records.iter().zip(done) {
            match done.outcome {
                WriteOutcome::Created => progress.created += 1,
                WriteOutcome::Updated | WriteOutcome::Deleted => progress.changed += 1,
                WriteOutcome::Unchanged => progress.unchanged += 1,
                WriteOutcome::Refused => progress.refused += 1,
            }
            progress.errors.extend(done.refusals.iter().map(|refusal| sheet.in_cell(record, refusal)));
        }
        Ok(progress)
    }
}

/// Takes prices of a list away.
#[derive(Debug)]
struct ClearPrices {
    lease: Lease,
    list: PriceListId,
    prices: Vec<PriceId>,
    /// The products that they are for, in the order of their ids.
    products: Vec<ProductId>,
}

impl Op for ClearPrices {
    const NAME: &'static str = "price.import_clear";
    const NEEDS: Need = Need::Everywhere(Permission::CatalogWrite);
    type Out = job::Model;

    async fn run(&self, tx: &mut Tx) -> Result<job::Model> {
        let job = held(tx, &self.lease).await?;
        if job.cancel_requested {
            return Ok(job);
        }
        repo::lock_list(tx, self.list).await?.ok_or_else(no_list)?;
        repo::listing::lock(tx, &self.products).await?;
        repo::delete(tx, &self.prices).await?;
        listing::refresh_products(tx, &self.products).await?;
        let payload = json!({ "written": 0, "gone": self.prices.len() });
        tx.emit(Aggregate::new("price_list", self.list), "price_list.priced", payload.clone());
        tx.audit(self.list, None, Some(payload));
        let done = Progress { done: job.done, ..Progress::default() };
        advance(tx, job, &done).await
    }
}

/// The list that is called so.
pub fn list_named(settings: &crate::settings::Settings, name: &str) -> Result<PriceListId, Refusal> {
    let known = settings
        .price_lists
        .iter()
        .find(|row| row.deleted_at.is_none() && (row.handle.as_str() == name || row.id.to_string() == name));
    Ok(known.ok_or_else(no_list)?.id)
}
