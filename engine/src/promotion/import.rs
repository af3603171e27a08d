//! Codes of one promotion out of a file, as a job.
//!
//! The file is looked over as a whole before anything is written: a fault in its header, and unless one wants
//! otherwise a fault in any row, leaves the promotion as it is. A code that the promotion has already stays as it is,
//! so that a file may be brought in again.

use std::collections::HashMap;
use std::path::PathBuf;

use domain::auth::Permission;
use domain::catalog::OnError;
use domain::id::{PromotionId, StagedUploadId};
use domain::import::{Record, RowRefusal};
use domain::job::{JobKind, JobStep, MAX_ERRORS};
use domain::promotion::code::{MAX_BATCH, check};
use domain::promotion::sheet::CodeSheet;
use domain::refusal::{ErrorCode, Refusal, Refusals};
use entity::{job, promotion_code};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::batch::named;
use super::codes::by_code;
use super::ops::WRITE;
use super::repo::codes;
use crate::actor::{Caller, Need};
use crate::error::{Error, Result};
use crate::event::Aggregate;
use crate::job::Lease;
use crate::job::ops::{BeginWork, CreateJob, Progress, RenewLease, advance, held};
use crate::job::records::{Records, delimiter};
use crate::job::runner::{End, Run};
use crate::job::text::{Fault, Text, fault};
use crate::op::{Op, Tx, input_hash};

/// The most rows of one transaction.
const ROWS: usize = 2_000;

/// Which codes are brought in, and how.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CodeImportInput {
    /// A file of this machine; what was uploaded when absent.
    pub path: Option<PathBuf>,
    /// The hash of the file's bytes.
    pub hash: String,
    /// What staff call it.
    pub name: String,
    /// For which promotion.
    pub promotion: PromotionId,
    /// What staff call the codes.
    pub batch: String,
    /// What a refused row does to the others.
    pub on_error: OnError,
}

/// Starts an import of what was uploaded.
#[derive(Debug, Clone)]
pub struct StartCodeImport {
    /// The upload, which must be the caller's.
    pub upload: StagedUploadId,
    /// Everything else; path, hash and name are those of the upload.
    pub input: CodeImportInput,
}

impl Op for StartCodeImport {
    const NAME: &'static str = "promotion.codes_import";
    const NEEDS: Need = Need::Everywhere(Permission::CatalogWrite);
    type Out = job::Model;

    async fn run(&self, tx: &mut Tx) -> Result<job::Model> {
        let mut refusals = Refusals::default();
        let upload = refusals.keep(crate::media::ops::importable(tx, self.upload).await?);
        let batch = refusals.keep(named(&self.input.batch));
        refusals.into_result()?;
        by_code(tx, self.input.promotion).await?;
        let lost = || Error::internal("a refusal was lost");
        let (upload, batch) = (upload.ok_or_else(lost)?, batch.ok_or_else(lost)?);
        let hash = upload.file_hash.ok_or_else(|| Error::internal("an upload without a file"))?;
        let input = CodeImportInput { path: None, hash, name: upload.filename, batch, ..self.input.clone() };
        let same = CodeImportInput { name: String::new(), ..input.clone() };
        let fingerprint = input_hash(&(JobKind::CodeImport, &same))?;
        let create = CreateJob {
            kind: JobKind::CodeImport,
            input: serde_json::to_value(&input).map_err(Error::internal)?,
            fingerprint: fingerprint.iter().map(|byte| format!("{byte:02x}")).collect(),
            file_hash: Some(input.hash.clone()),
            dry_run: false,
            owner: None,
        };
        create.run(tx).await
    }
}

/// The codes of a file, in the order in which they first stand there.
struct Source {
    records: Records,
    sheet: CodeSheet,
}

/// Some rows of the file.
#[derive(Debug, Clone, Default)]
struct Part {
    /// Behind which code they end.
    to: usize,
    /// How many rows they are.
    count: usize,
    /// Those that can be codes, in their one form.
    rows: Vec<(Record, String)>,
    /// Why others can't.
    errors: Vec<RowRefusal>,
    /// How many rows repeat one before.
    repeated: usize,
}

impl Source {
    fn open(mut text: Text) -> Result<Self, Fault> {
        let delimiter = delimiter(&text.front()?);
        let (records, sheet) = Records::open(text, delimiter, CodeSheet::new, CodeSheet::code)?;
        if records.count() > MAX_BATCH {
            return Err(fault(1, format!("The file has more than {MAX_BATCH} codes.")));
        }
        Ok(Self { records, sheet })
    }

    fn read(&mut self, from: usize) -> Result<Part, Fault> {
        let mut part = Part { to: from, ..Part::default() };
        while part.to < self.records.groups() && part.count < ROWS {
            let mut records = self.records.read(part.to, 1)?;
            let size = self.records.size(part.to);
            part.count += size;
            part.to += 1;
            let Some(record) = records.pop() else { continue };
            part.repeated += size - 1;
            match check(self.sheet.code(&record.cells)) {
                Ok(code) => part.rows.push((record, code)),
                Err(refusal) => part.errors.push(self.sheet.in_cell(&record, &refusal)),
            }
        }
        Ok(part)
    }
}

/// Does an import.
pub async fn work(run: &Run<'_>) -> Result<End> {
    run.caller.actor.check(Need::Everywhere(JobKind::CodeImport.writes()))?;
    let input: CodeImportInput = serde_json::from_value(run.job.input.clone()).map_err(Error::internal)?;
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
    if run.job.step == JobStep::Check {
        if import.input.on_error == OnError::Abort
            && let Some(end) = import.look_over(total).await?
        {
            return Ok(end);
        }
        let begin = BeginWork { lease: run.lease.clone(), total, found: Progress::default() };
        (run.watch)(&run.app.run(&Caller::system(), &begin).await?);
    }
    import.store().await
}

/// A job of this kind while it is done.
struct Import<'r> {
    run: &'r Run<'r>,
    input: CodeImportInput,
    source: Option<Source>,
}

impl Import<'_> {
    /// Reads some codes, away from the threads that answer requests.
    async fn read(&mut self, from: usize) -> Result<Option<Part>> {
        let mut source = self.source.take().ok_or_else(|| Error::internal("a file was lost while it was read"))?;
        let reading = tokio::task::spawn_blocking(move || {
            let read = source.read(from);
            (source, read)
        });
        let (source, read) = reading.await?;
        let is_end = from >= source.records.groups();
        self.source = Some(source);
        let part = read.map_err(|errors| Error::internal(errors.first().map_or("", |error| error.reason.as_str())))?;
        Ok(Some(part).filter(|_| !is_end))
    }

    fn chunk(&self, part: Part, writes: bool, from: i64) -> Result<CodeChunk> {
        let source = self.source.as_ref().ok_or_else(|| Error::internal("a file was lost while it was read"))?;
        let (lease, input) = (self.run.lease.clone(), self.input.clone());
        Ok(CodeChunk { lease, input, header: source.records.header.clone(), part, writes, from })
    }

    /// Asks of the whole file what stands against it; tells how the job ends when something does.
    async fn look_over(&mut self, total: i64) -> Result<Option<End>> {
        let mut found = Progress::default();
        let (mut at, mut looks) = (0, 0_u32);
        while let Some(part) = self.read(at).await? {
            if self.run.stop.is_cancelled() {
                return Ok(Some(End::Stopped));
            }
            at = part.to;
            let outcome = self.run.app.run(&self.run.caller, &self.chunk(part, false, 0)?).await?;
            if outcome.job.cancel_requested {
                return Ok(Some(End::Canceled));
            }
            found.refused += outcome.progress.refused;
            let room = (MAX_ERRORS * 100).saturating_sub(found.errors.len());
            found.errors.extend(outcome.progress.errors.into_iter().take(room));
            looks += 1;
            if looks.is_multiple_of(20) {
                let renew = RenewLease { lease: self.run.lease.clone(), total: Some(total) };
                self.run.app.run(&Caller::system(), &renew).await?;
            }
        }
        if found.refused == 0 {
            return Ok(None);
        }
        let why = format!("{} of {total} rows are refused; nothing was changed.", found.refused);
        Ok(Some(End::Refused(why, found)))
    }

    /// Writes the codes behind what is done.
    async fn store(&mut self) -> Result<End> {
        let (mut at, mut done) = (0, 0);
        while done < self.run.job.done {
            let Some(source) = &self.source else { return Err(Error::internal("a file was lost while it was read")) };
            done += source.records.size(at) as i64;
            at += 1;
        }
        while let Some(part) = self.read(at).await? {
            if self.run.stop.is_cancelled() {
                return Ok(End::Stopped);
            }
            (at, done) = (part.to, done + part.count as i64);
            let from = done - part.count as i64;
            let outcome = self.run.app.run(&self.run.caller, &self.chunk(part, true, from)?).await?;
            if outcome.job.cancel_requested {
                return Ok(End::Canceled);
            }
            (self.run.watch)(&outcome.job);
            crate::failpoint::reach("code_import.chunk");
        }
        Ok(End::Done)
    }
}

/// Some codes of a file, together with the note that they are done.
#[derive(Debug)]
struct CodeChunk {
    lease: Lease,
    input: CodeImportInput,
    header: Vec<String>,
    part: Part,
    /// Whether they are kept, or only looked over.
    writes: bool,
    /// How many rows are done before.
    from: i64,
}

/// What came of them.
#[derive(Debug)]
struct Outcome {
    job: job::Model,
    progress: Progress,
}

impl Op for CodeChunk {
    const NAME: &'static str = "promotion.codes_import_some";
    const NEEDS: Need = WRITE;
    type Out = Outcome;

    async fn run(&self, tx: &mut Tx) -> Result<Outcome> {
        let job = held(tx, &self.lease).await?;
        if job.cancel_requested {
            return Ok(Outcome { job, progress: Progress::default() });
        }
        if self.writes && job.done != self.from {
            return Err(Error::internal("these codes were brought in already"));
        }
        let promotion = by_code(tx, self.input.promotion).await?;
        let sheet = CodeSheet::new(&self.header).map_err(|_| Error::internal("a header was lost"))?;
        let wished: Vec<String> = self.part.rows.iter().map(|(_, code)| code.clone()).collect();
        if self.writes {
            codes::free(tx, &wished).await?;
        }
        let known = codes::named(&tx.conn, &wished).await?;
        let mut known: HashMap<String, PromotionId> =
            known.into_iter().map(|row| (row.code, row.promotion_id)).collect();
        let done = self.from + self.part.count as i64;
        let refused = self.part.errors.len() as i64;
        let unchanged = self.part.repeated as i64;
        let mut progress =
            Progress { done, refused, unchanged, errors: self.part.errors.clone(), ..Progress::default() };
        let mut rows: Vec<promotion_code::Model> = Vec::new();
        for (record, code) in &self.part.rows {
            // What stands there twice, whatever its capitals, is one code.
            match known.insert(code.clone(), promotion.id) {
                Some(of) if of == promotion.id => progress.unchanged += 1,
                Some(_) => {
                    progress.refused += 1;
                    let refusal = Refusal::new(ErrorCode::Taken, "Another promotion has this code.");
                    progress.errors.push(sheet.in_cell(record, &refusal));
                }
                None => rows.push(promotion_code::Model {
                    id: tx.id(),
                    created_at: tx.now(),
                    deleted_at: None,
                    promotion_id: promotion.id,
                    code: code.clone(),
                    batch: Some(self.input.batch.clone()),
                    ends_at: None,
                    uses: 0,
                }),
            }
        }
        progress.created = rows.len() as i64;
        if !self.writes {
            return Ok(Outcome { job, progress });
        }
        if !rows.is_empty() {
            let payload = json!({ "count": rows.len() });
            tx.emit(Aggregate::new("promotion", promotion.id), "promotion.codes_added", payload);
            tx.audit(promotion.id, None, Some(json!({ "batch": self.input.batch, "count": rows.len() })));
        }
        codes::insert(tx, rows).await?;
        let job = advance(tx, job, &progress).await?;
        Ok(Outcome { job, progress })
    }

    fn commits(&self) -> bool {
        self.writes
    }
}
