//! Products out of a file of another shop, as a job.
//!
//! The file is looked over as a whole before anything is written: a fault in its
//! header, and unless one wants otherwise a fault in any product, leaves the shop
//! as it is. Then products are stored some hundred at a time, each time together
//! with the note how far the job has come.
//!
//! | to change | edit |
//! |---|---|
//! | what the columns of a dialect mean | `domain::import`, `domain::shopify` |
//! | how encoding and delimiter are found out | `job::text`, `job::records` |
//! | how the dialect is found out | [`source`] |
//! | what is made besides products | [`places`] |
//! | which product and which variant is meant | `known.rs` |
//! | which numbers products hand to each other | `handover.rs` |
//! | what a second import changes, and how it is stored | [`write`] |
//! | what is one transaction | [`chunk`] |

pub mod chunk;
mod handover;
mod known;
pub mod places;
pub mod source;
pub mod write;

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::PathBuf;
use std::sync::Arc;

use domain::auth::Permission;
use domain::catalog::OnError;
use domain::id::StagedUploadId;
use domain::import::{Context, ImportDialect, Imported, RefusedProduct, RowRefusal};
use domain::job::{JobKind, JobStep, MAX_ERRORS};
use domain::money::Currency;
use domain::refusal::{ErrorCode, Refusal};
use entity::job;
use serde::{Deserialize, Serialize};

use self::chunk::{ImportChunk, Mode};
use self::handover::{Handed, Numbers};
use self::places::{Needed, Places, context};
use self::source::Source;
use crate::actor::Need;
use crate::app::App;
use crate::error::{Error, Result};
use crate::job::ops::{BeginWork, CreateJob, NoteProgress, Progress, RenewLease};
use crate::job::runner::{End, Run};
use crate::job::text::Text;
use crate::op::{Op, Tx, input_hash};

/// The most products of one transaction.
const PRODUCTS: usize = 200;
/// The most records of one transaction, but that one product is never parted.
const RECORDS: usize = 400;

/// What is imported, and how.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ImportInput {
    /// A file of this machine; what was uploaded when absent.
    pub path: Option<PathBuf>,
    /// The hash of the file's bytes.
    pub hash: String,
    /// What staff call it.
    pub name: String,
    /// How it is written; found out when absent.
    pub dialect: Option<ImportDialect>,
    /// The currency of prices that name none; that of the default channel when absent.
    pub currency: Option<Currency>,
    /// What a refused product does to the others.
    pub on_error: OnError,
    /// Where pictures lie that are named by a path alone.
    pub media_base: Option<String>,
}

impl ImportInput {
    /// The job that does it.
    pub fn job(&self, dry_run: bool, owner: Option<String>) -> Result<CreateJob> {
        // Where the file lies and what it is called makes no difference.
        let same = Self { path: None, name: String::new(), ..self.clone() };
        let fingerprint = input_hash(&(JobKind::ProductImport, &same, dry_run))?;
        let fingerprint = fingerprint.iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(CreateJob {
            kind: JobKind::ProductImport,
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
pub struct StartImport {
    /// The upload, which must be the caller's.
    pub upload: StagedUploadId,
    /// Everything else; path, hash and name are those of the upload.
    pub input: ImportInput,
    /// Whether it only tells what it would do.
    pub dry_run: bool,
}

impl Op for StartImport {
    const NAME: &'static str = "product.import_start";
    // A file may name any channel and any location.
    const NEEDS: Need = Need::Everywhere(Permission::CatalogWrite);
    type Out = job::Model;

    async fn run(&self, tx: &mut Tx) -> Result<job::Model> {
        let mut refusals = domain::refusal::Refusals::default();
        let upload = refusals.keep(crate::media::ops::importable(tx, self.upload).await?);
        if let Some(base) = &self.input.media_base {
            let checked = domain::media::external_url(base).map_err(|refusal| refusal.at(["mediaBase"]));
            refusals.keep(checked);
        }
        if let Some(currency) = self.input.currency {
            let sold = check_currency(&*tx.settings().await?, currency).map_err(|refusal| refusal.at(["currencyCode"]));
            refusals.keep(sold);
        }
        refusals.into_result()?;
        let upload = upload.ok_or_else(|| Error::internal("a refusal was lost"))?;
        let hash = upload.file_hash.ok_or_else(|| Error::internal("an upload without a file"))?;
        let input = ImportInput { path: None, hash, name: upload.filename, ..self.input.clone() };
        input.job(self.dry_run, None)?.run(tx).await
    }
}

/// Prices that no region sells in would be seen by nobody.
pub fn check_currency(settings: &crate::settings::Settings, currency: Currency) -> Result<(), Refusal> {
    if settings.regions.iter().any(|region| region.row.currency == currency) {
        return Ok(());
    }
    // Most currencies begin with the code of their country.
    let country = match currency.code() {
        "EUR" => "DE",
        code => code.get(..2).unwrap_or("DE"),
    };
    let message = format!(
        "No region of the shop sells in {currency}: nobody would see these prices. Make one on /admin/graphql first, \
         such as\n  mutation {{ regionSet(input: {{ name: \"{currency}\", currencyCode: \"{currency}\", countries: \
         [\"{country}\"], pricesIncludeTax: true }}) {{ region {{ id }} userErrors {{ message }} }} }}\n\
         or run `emporion seed demo`, which makes one for EUR and one for USD."
    );
    Err(Refusal::new(ErrorCode::RegionMissing, message))
}

/// The currency of prices that name none.
fn currency_of(settings: &crate::settings::Settings, input: &ImportInput) -> Result<Currency> {
    if let Some(currency) = input.currency {
        check_currency(settings, currency)?;
        return Ok(currency);
    }
    let region = settings.default_channel().ok().and_then(|channel| settings.channel_region(channel));
    region.map(|region| region.row.currency).ok_or_else(|| {
        let message = "The shop has no region: make one with regionSet first, so that prices have a currency.";
        Refusal::new(ErrorCode::RegionMissing, message).into()
    })
}

/// A job of this kind while it is done.
struct Import<'r> {
    run: &'r Run<'r>,
    source: Option<Source>,
    context: Context,
    /// The products that can't be read, or repeat what an earlier one has.
    refused: HashSet<usize>,
    needed: Needed,
    /// The numbers that its products hand to each other.
    handed: Arc<Handed>,
    abort: bool,
}

/// Does an import.
pub async fn work(run: &Run<'_>) -> Result<End> {
    run.caller.actor.check(Need::Permission(JobKind::ProductImport.writes()))?;
    let input: ImportInput = serde_json::from_value(run.job.input.clone()).map_err(Error::internal)?;
    let settings = run.app.settings();
    let currency = currency_of(&settings, &input)?;
    let context = context(&settings, currency, input.media_base.clone());
    let source = match open(&run.app, &input, &run.lease.owner, &context).await? {
        Ok(source) => source,
        Err(errors) => return Ok(refuse_whole(errors)),
    };
    let abort = input.on_error == OnError::Abort;
    let mut import = Import {
        run,
        source: Some(source),
        context,
        refused: HashSet::new(),
        needed: Needed::default(),
        handed: Arc::default(),
        abort,
    };
    let total = import.source()?.count();
    tell(run, &RenewLease { lease: run.lease.clone(), total: Some(total as i64) }).await?;
    let found = match import.look_over(total).await? {
        Ok(found) => found,
        Err(end) => return Ok(end),
    };
    let resumed = run.job.step == JobStep::Work;
    if abort && !run.job.dry_run && !resumed && found.refused > 0 {
        let why = format!("{} of {total} products are refused; nothing was changed.", found.refused);
        return Ok(End::Refused(why, found));
    }
    if !resumed {
        let begin = BeginWork { lease: run.lease.clone(), total: total as i64, found: Progress { done: 0, ..found } };
        tell(run, &begin).await?;
    }
    if !run.job.dry_run {
        import.needed.make(&run.app, &run.caller).await?;
        import.renew(currency, input.media_base).await?;
    }
    import.store(run.job.done as usize, total).await
}

fn refuse_whole(errors: Vec<RowRefusal>) -> End {
    let why = errors.first().map_or_else(String::new, |error| error.reason.clone());
    End::Refused(format!("{why} Nothing was changed."), Progress { errors, ..Progress::default() })
}

async fn tell<O: Op<Out = job::Model>>(run: &Run<'_>, op: &O) -> Result<job::Model> {
    let row = run.app.run(&crate::actor::Caller::system(), op).await?;
    (run.watch)(&row);
    Ok(row)
}

/// Opens the file of an import, which must be the one that it was made for.
async fn open(
    app: &Arc<App>,
    input: &ImportInput,
    owner: &str,
    context: &Context,
) -> Result<Result<Source, Vec<RowRefusal>>> {
    let path = match &input.path {
        Some(path) => path.clone(),
        None => app.files.path_of(&input.hash),
    };
    let (scratch, hash) = (owner.to_owned(), input.hash.clone());
    let (dialect, context) = (input.dialect, context.clone());
    let opened =
        tokio::task::spawn_blocking(move || Source::open(Text::expect(&path, &scratch, &hash)?, dialect, &context));
    Ok(opened.await?)
}

type Read = Vec<Result<Imported, RefusedProduct>>;

impl Import<'_> {
    fn source(&self) -> Result<&Source> {
        self.source.as_ref().ok_or_else(|| Error::internal("a file was lost while it was read"))
    }

    /// Reads some products, away from the threads that answer requests.
    async fn read(&mut self, from: usize) -> Result<Read> {
        let mut source = self.source.take().ok_or_else(|| Error::internal("a file was lost while it was read"))?;
        let context = self.context.clone();
        let reading = tokio::task::spawn_blocking(move || {
            let read = source.read(from, (PRODUCTS, RECORDS), &context);
            (source, read)
        });
        let (source, read) = reading.await?;
        self.source = Some(source);
        read.map_err(|errors| Error::internal(errors.first().map_or("", |error| error.reason.as_str())))
    }

    /// Reads the file again with what the shop has by now.
    async fn renew(&mut self, currency: Currency, media_base: Option<String>) -> Result<()> {
        self.context = context(&self.run.app.settings(), currency, media_base);
        if let Some(source) = &mut self.source {
            source.renew(&self.context).map_err(|_| Error::internal("a file was lost while it was read"))?;
        }
        Ok(())
    }

    /// Whether the process is stopping.
    fn stops(&self) -> bool {
        self.run.stop.is_cancelled()
    }

    /// Looks over the whole file: what can't be read, what stands there twice,
    /// and, when one refused product refuses all, what the shop has against it.
    async fn look_over(&mut self, total: usize) -> Result<Result<Progress, End>> {
        let ask = self.abort && !self.run.job.dry_run && self.run.job.step == JobStep::Check;
        let places = Arc::new(Places::default());
        let mut found = Progress::default();
        let mut seen = Seen::default();
        let mut numbers = Numbers::default();
        self.needed.tree = self.source()?.tree().to_vec();
        let (mut from, mut looks) = (0, 0_u32);
        while from < total {
            if self.stops() {
                return Ok(Err(End::Stopped));
            }
            let read = self.read(from).await?;
            let count = read.len();
            let (mut whole, mut at) = (Vec::new(), Vec::new());
            for (place, product) in read.into_iter().enumerate() {
                let refusals = match product {
                    Ok(product) => {
                        let doubled = seen.doubled(&product);
                        if doubled.is_empty() {
                            self.needed.note(&product);
                            whole.push(product);
                            at.push(from + place);
                            continue;
                        }
                        doubled
                    }
                    Err(refused) => refused.refusals,
                };
                self.refused.insert(from + place);
                found.refused += 1;
                keep(&mut found.errors, refusals);
            }
            let taken = numbers.look(&self.run.app.read(), &whole, &at).await?;
            if ask {
                let chunk = self.chunk(Mode::Check, (from, from + count), whole, &places);
                let chunk = ImportChunk { handed: Arc::new(taken), ..chunk };
                let outcome = self.run.app.run(&self.run.caller, &chunk).await?;
                if outcome.canceled {
                    return Ok(Err(End::Canceled));
                }
                found.refused += outcome.progress.refused;
                keep(&mut found.errors, outcome.progress.errors);
                self.refused.extend(outcome.refused.into_iter().map(|place| at[place]));
            }
            from += count;
            looks += 1;
            if looks.is_multiple_of(20) {
                tell(self.run, &RenewLease { lease: self.run.lease.clone(), total: None }).await?;
            }
        }
        for (taker, refusal) in self.hand_over(numbers).await? {
            if ask {
                found.refused += i64::from(self.refused.insert(taker));
                keep(&mut found.errors, vec![refusal]);
            }
        }
        let refused = self.needed.refused(&self.run.app.settings(), &self.run.caller);
        if !refused.is_empty() {
            return Ok(Err(refuse_whole(refused)));
        }
        Ok(Ok(found))
    }

    fn chunk(
        &self,
        mode: Mode,
        (from, to): (usize, usize),
        products: Vec<Imported>,
        places: &Arc<Places>,
    ) -> ImportChunk {
        ImportChunk {
            lease: self.run.lease.clone(),
            mode,
            from: from as i64,
            to: to as i64,
            products: Arc::new(products),
            late: Progress::default(),
            places: places.clone(),
            handed: self.handed.clone(),
        }
    }

    /// Stores what was not refused, behind what is done.
    async fn store(&mut self, mut from: usize, total: usize) -> Result<End> {
        let run = self.run;
        let mode = if run.job.dry_run { Mode::Rehearse } else { Mode::Write };
        let places = Arc::new(self.needed.places(&run.app.read(), &run.app.settings()).await?);
        while from < total {
            if self.stops() {
                return Ok(End::Stopped);
            }
            let read = self.read(from).await?;
            let to = from + read.len();
            let (mut products, mut late) = (Vec::new(), Progress::default());
            for (place, product) in read.into_iter().enumerate() {
                match product {
                    _ if self.refused.contains(&(from + place)) => {}
                    Ok(product) => products.push(product),
                    Err(refused) => {
                        late.refused += 1;
                        late.errors.extend(refused.refusals);
                    }
                }
            }
            let chunk = ImportChunk { late, ..self.chunk(mode, (from, to), products, &places) };
            let outcome = run.app.run(&run.caller, &chunk).await?;
            if outcome.canceled {
                return Ok(End::Canceled);
            }
            if mode == Mode::Rehearse {
                tell(run, &NoteProgress { lease: run.lease.clone(), progress: outcome.progress }).await?;
            } else {
                (run.watch)(&outcome.job);
                crate::failpoint::reach("import.chunk");
            }
            from = to;
        }
        Ok(End::Done)
    }
}

/// Keeps the first refusals: how many there are is counted elsewhere.
fn keep(known: &mut Vec<RowRefusal>, more: Vec<RowRefusal>) {
    // The job counts them all, and remembers no more than this.
    let room = (MAX_ERRORS * 100).saturating_sub(known.len());
    known.extend(more.into_iter().take(room));
}

/// What earlier products of the file have, by the hash of it.
#[derive(Debug, Default)]
struct Seen(HashSet<u64>);

impl Seen {
    fn first(&mut self, what: &str, text: &str) -> bool {
        let mut hasher = DefaultHasher::new();
        (what, text).hash(&mut hasher);
        self.0.insert(hasher.finish())
    }

    /// The refusals of what an earlier product of the file has already.
    fn doubled(&mut self, product: &Imported) -> Vec<RowRefusal> {
        let mut refusals = Vec::new();
        let mut refuse = |message: &str, path: [String; 3]| {
            let path = path.into_iter().filter(|step| !step.is_empty());
            refusals.push(product.in_cell(&Refusal::new(ErrorCode::Duplicate, message).at(path)));
        };
        let own = &product.product;
        if !self.first("handle", own.handle.as_str()) {
            let message = "Another product in this file has this handle.";
            refuse(message, ["handle".to_owned(), String::new(), String::new()]);
        }
        if own.external_reference.as_ref().is_some_and(|text| !self.first("reference", text)) {
            let message = "Another product in this file has this number.";
            refuse(message, ["externalReference".to_owned(), String::new(), String::new()]);
        }
        for (place, variant) in own.variants.iter().enumerate() {
            let at = |field: &str| ["variants".to_owned(), place.to_string(), field.to_owned()];
            if variant.sku.as_ref().is_some_and(|sku| !self.first("sku", sku)) {
                refuse("A variant of another product in this file has this SKU.", at("sku"));
            }
            if variant.external_reference.as_ref().is_some_and(|text| !self.first("variant", text)) {
                refuse("A variant of another product in this file has this number.", at("externalReference"));
            }
        }
        refusals
    }
}
