//! `emporion import`: the jobs that `productImport` and `priceListPricesImport` make, in this process.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::str::FromStr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use clap::{Args, Subcommand};
use domain::catalog::OnError;
use domain::id::JobId;
use domain::import::{ImportDialect, RowRefusal};
use domain::job::JobState;
use domain::money::Currency;
use domain::pricing::sheet::PriceImportMode;
use entity::job;
use tokio_util::sync::CancellationToken;

use super::Place;
use super::bar::Progress;
use super::open::open_shop;
use engine::actor::Caller;
use engine::app::App;
use engine::catalog::import::{ImportInput, check_currency};
use engine::error::{Error, Result};
use engine::job::ops::{CreateJob, TakeJob, Taken};
use engine::job::text::hash_of;
use engine::job::{repo, runner};
use engine::pricing::import::{PriceImportInput, list_named};

/// How often a job of another process is looked at.
const LOOK: Duration = Duration::from_millis(300);

/// Brings in what a file holds.
#[derive(Debug, Args)]
pub struct Import {
    #[command(subcommand)]
    source: Source,
}

#[derive(Debug, Subcommand)]
enum Source {
    /// Import a product file of another shop: Shopify's CSV, Medusa's templates,
    /// Saleor's objects as JSON. Encoding, delimiter and dialect are found out.
    /// Unless told otherwise, one refused product refuses the whole file. A run
    /// that was broken off goes on when it is started again.
    Products(Products),
    /// Import a product file as Shopify exports it. It may be run again: what
    /// is known by handle and option values is brought up to date, stock is
    /// left alone.
    Shopify(Shopify),
    /// Import the prices of a price list, as `export prices` writes them. Unless told otherwise, one refused row
    /// refuses the whole file. A run that was broken off goes on when it is started again.
    Prices(Prices),
}

#[derive(Debug, Args)]
struct Products {
    /// The file.
    file: PathBuf,
    /// How it is written: shopify, medusa-v1, medusa-v2 or saleor; found out when absent.
    #[arg(long, value_name = "DIALECT", value_parser = dialect)]
    dialect: Option<ImportDialect>,
    /// The currency of prices that name none, such as EUR; that of the default region when absent.
    #[arg(long, value_name = "CODE", value_parser = currency)]
    currency: Option<Currency>,
    /// Only tell what would be done.
    #[arg(long)]
    dry_run: bool,
    /// Leave refused products out and write the others.
    #[arg(long)]
    skip_refused: bool,
    /// Where pictures lie that the file names by a path alone.
    #[arg(long, value_name = "URL")]
    media_base: Option<String>,
    #[command(flatten)]
    progress: Progress,
    #[command(flatten)]
    place: Place,
}

#[derive(Debug, Args)]
struct Shopify {
    /// The CSV file.
    file: PathBuf,
    /// The currency of its prices, such as EUR; the file does not say.
    #[arg(long, value_name = "CODE", value_parser = currency)]
    currency: Currency,
    /// Only tell what would be done.
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    progress: Progress,
    #[command(flatten)]
    place: Place,
}

#[derive(Debug, Args)]
struct Prices {
    /// The CSV file.
    file: PathBuf,
    /// The handle of the price list.
    #[arg(long, value_name = "HANDLE")]
    list: String,
    /// What becomes of the prices that the list has: merge, replace-variants (only of variants that the file names)
    /// or replace-list.
    #[arg(long, value_name = "MODE", value_parser = mode)]
    mode: PriceImportMode,
    /// Only tell what would be done.
    #[arg(long)]
    dry_run: bool,
    /// Leave variants with a refused row out and write the others.
    #[arg(long)]
    skip_refused: bool,
    #[command(flatten)]
    progress: Progress,
    #[command(flatten)]
    place: Place,
}

fn currency(text: &str) -> Result<Currency, String> {
    text.parse().map_err(|_| format!("{text:?} is no ISO 4217 currency code such as EUR or USD"))
}

fn dialect(text: &str) -> Result<ImportDialect, String> {
    word(text, ImportDialect::ALL.iter().map(|word| word.as_str()))
}

fn mode(text: &str) -> Result<PriceImportMode, String> {
    word(text, PriceImportMode::ALL.iter().map(|word| word.as_str()))
}

/// A word of a list, as one writes it on a command line.
fn word<T: FromStr>(text: &str, known: impl Iterator<Item = &'static str>) -> Result<T, String> {
    text.to_uppercase().replace('-', "_").parse().map_err(|_| {
        let known: Vec<String> = known.map(|word| word.to_lowercase().replace('_', "-")).collect();
        format!("{text:?} is none of {}", known.join(", "))
    })
}

fn on_error(skip_refused: bool) -> OnError {
    if skip_refused { OnError::SkipRow } else { OnError::Abort }
}

impl Import {
    /// Does it. Whatever was refused makes the command fail.
    pub async fn run(self) -> Result<ExitCode> {
        match self.source {
            Source::Products(import) => {
                let input = ImportInput {
                    path: None,
                    hash: String::new(),
                    name: String::new(),
                    dialect: import.dialect,
                    currency: import.currency,
                    on_error: on_error(import.skip_refused),
                    media_base: import.media_base,
                };
                let target = (&import.place, import.progress, "product");
                run(target, &import.file, |app, file| products(app, file, input, import.dry_run)).await
            }
            Source::Shopify(import) => {
                let input = ImportInput {
                    path: None,
                    hash: String::new(),
                    name: String::new(),
                    dialect: Some(ImportDialect::Shopify),
                    currency: Some(import.currency),
                    on_error: OnError::SkipRow,
                    media_base: None,
                };
                let target = (&import.place, import.progress, "product");
                run(target, &import.file, |app, file| products(app, file, input, import.dry_run)).await
            }
            Source::Prices(import) => {
                let prices = |app: &App, file: Found| {
                    let list = list_named(&app.settings(), &import.list)?;
                    let (path, hash, name) = (Some(file.path), file.hash, file.name);
                    let (mode, on_error) = (import.mode, on_error(import.skip_refused));
                    let input = PriceImportInput { path, hash, name, list, mode, on_error };
                    input.job(import.dry_run, Some(file.owner))
                };
                run((&import.place, import.progress, "row"), &import.file, prices).await
            }
        }
    }
}

/// The file, and who reads it.
struct Found {
    path: PathBuf,
    hash: String,
    name: String,
    owner: String,
}

fn products(app: &App, file: Found, input: ImportInput, dry_run: bool) -> Result<CreateJob> {
    if let Some(currency) = input.currency {
        check_currency(&app.settings(), currency)?;
    }
    let input = ImportInput { path: Some(file.path), hash: file.hash, name: file.name, ..input };
    input.job(dry_run, Some(file.owner))
}

async fn run(
    (place, progress, entry): (&Place, Progress, &'static str),
    file: &Path,
    job: impl FnOnce(&App, Found) -> Result<CreateJob>,
) -> Result<ExitCode> {
    let shown = file.display();
    let path = file.canonicalize().map_err(|error| Error::internal(format!("{shown} can't be read: {error}")))?;
    let app = open_shop(place).await?;
    let owner = runner::owner(&app);
    let hash = match hash_of(path.clone(), owner.clone()).await? {
        Ok(hash) => hash,
        Err(refusals) => {
            tell_refusals(&refusals);
            return Ok(ExitCode::FAILURE);
        }
    };
    let name = file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let create = job(&app, Found { path, hash, name, owner: owner.clone() })?;
    let outcome = import(&app, create, owner, progress, entry).await;
    app.db.close().await;
    Ok(report(&outcome?))
}

/// Does the job, goes on with one that was broken off, or waits for one that
/// another process is at.
async fn import(
    app: &Arc<App>,
    create: CreateJob,
    owner: String,
    progress: Progress,
    entry: &'static str,
) -> Result<job::Model> {
    let bar = Mutex::new(progress.bar(if entry == "row" { "rows" } else { "products" }));
    let watch = |row: &job::Model| {
        if let (Some(total), Ok(mut bar)) = (row.total, bar.lock()) {
            bar.show(usize::try_from(row.done).unwrap_or(0), usize::try_from(total).unwrap_or(0));
        }
    };
    let take = TakeJob { owner, fingerprint: Some(create.fingerprint.clone()) };
    let system = Caller::system();
    let mut told = false;
    loop {
        let held = match app.run(&system, &take).await? {
            Taken::None => app.run(&system, &create).await?,
            Taken::Held(row) => {
                eprintln!("Going on with the import that was broken off at {entry} {}.", row.done);
                *row
            }
            Taken::Busy(row) => {
                if !told {
                    eprintln!("This import is held by a process that works on it, or was lost a moment ago; waiting.");
                    told = true;
                }
                match waited(app, row.id).await? {
                    Some(ended) => return Ok(ended),
                    None => continue,
                }
            }
        };
        return runner::work(app, held, &CancellationToken::new(), &watch).await;
    }
}

/// The job, when it has ended after a moment.
async fn waited(app: &Arc<App>, id: JobId) -> Result<Option<job::Model>> {
    tokio::time::sleep(LOOK).await;
    Ok(repo::find(&app.read(), id).await?.filter(|row| row.state.has_ended()))
}

fn tell_refusals(refusals: &[RowRefusal]) {
    for refusal in refusals {
        println!("row {}, column {:?}, value {:?}: {}", refusal.row, refusal.column, refusal.value, refusal.reason);
    }
}

fn report(row: &job::Model) -> ExitCode {
    let refusals: Vec<RowRefusal> = serde_json::from_value(row.errors.clone()).unwrap_or_default();
    tell_refusals(&refusals);
    let more = row.error_count - refusals.len() as i64;
    if more > 0 {
        println!("and {more} more");
    }
    if let Some(failure) = &row.failure {
        eprintln!("emporion: {failure}");
    }
    let job::Model { created, changed, unchanged, refused, .. } = row;
    let rehearsal = if row.dry_run { " (dry run: nothing was written)" } else { "" };
    println!("created {created}, updated {changed}, unchanged {unchanged}, refused {refused}{rehearsal}");
    let done = row.state == JobState::Succeeded && *refused == 0;
    if done { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
