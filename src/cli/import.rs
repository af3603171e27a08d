//! `emporion import`: the job that `productImport` makes, in this process.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use clap::{Args, Subcommand};
use domain::catalog::OnError;
use domain::id::JobId;
use domain::import::{ImportDialect, RowRefusal};
use domain::job::JobState;
use domain::money::Currency;
use entity::job;
use tokio_util::sync::CancellationToken;

use super::Place;
use super::bar::Progress;
use super::open::open_shop;
use engine::actor::Caller;
use engine::app::App;
use engine::catalog::import::{ImportInput, check_currency, hash_of};
use engine::error::{Error, Result};
use engine::job::ops::{TakeJob, Taken};
use engine::job::{repo, runner};

/// How often a job of another process is looked at.
const LOOK: Duration = Duration::from_millis(300);

/// Brings products in from another shop.
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

fn currency(text: &str) -> Result<Currency, String> {
    text.parse().map_err(|_| format!("{text:?} is no ISO 4217 currency code such as EUR or USD"))
}

fn dialect(text: &str) -> Result<ImportDialect, String> {
    let word = text.to_uppercase().replace('-', "_");
    word.parse().map_err(|_| {
        let known: Vec<String> =
            ImportDialect::ALL.iter().map(|word| word.as_str().to_lowercase().replace('_', "-")).collect();
        format!("{text:?} is none of {}", known.join(", "))
    })
}

impl Import {
    /// Does it. Whatever was refused makes the command fail.
    pub async fn run(self) -> Result<ExitCode> {
        match self.source {
            Source::Products(import) => {
                let on_error = if import.skip_refused { OnError::SkipRow } else { OnError::Abort };
                let input = ImportInput {
                    path: None,
                    hash: String::new(),
                    name: String::new(),
                    dialect: import.dialect,
                    currency: import.currency,
                    on_error,
                    media_base: import.media_base,
                };
                run((&import.place, import.progress), &import.file, input, import.dry_run).await
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
                run((&import.place, import.progress), &import.file, input, import.dry_run).await
            }
        }
    }
}

async fn run(
    (place, progress): (&Place, Progress),
    file: &Path,
    mut input: ImportInput,
    dry_run: bool,
) -> Result<ExitCode> {
    let shown = file.display();
    let path = file.canonicalize().map_err(|error| Error::internal(format!("{shown} can't be read: {error}")))?;
    let app = open_shop(place).await?;
    if let Some(currency) = input.currency {
        check_currency(&app.settings(), currency)?;
    }
    let owner = runner::owner(&app);
    input.hash = match hash_of(path.clone(), owner.clone()).await? {
        Ok(hash) => hash,
        Err(refusals) => {
            tell_refusals(&refusals);
            return Ok(ExitCode::FAILURE);
        }
    };
    input.name = file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    input.path = Some(path);
    let outcome = import(&app, &input, dry_run, owner, progress).await;
    app.db.close().await;
    Ok(report(&outcome?))
}

/// Does the job, goes on with one that was broken off, or waits for one that
/// another process is at.
async fn import(
    app: &Arc<App>,
    input: &ImportInput,
    dry_run: bool,
    owner: String,
    progress: Progress,
) -> Result<job::Model> {
    let create = input.job(dry_run, Some(owner.clone()))?;
    let bar = Mutex::new(progress.bar("products"));
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
                eprintln!("Going on with the import that was broken off at product {}.", row.done);
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
