//! The command line: one binary that serves, migrates, imports and watches.

mod access;
mod backup;
pub mod bar;
mod check;
mod config;
mod database;
mod doctor;
mod ending;
mod export;
mod import;
mod mail;
mod metrics;
mod open;
#[cfg(feature = "otlp")]
mod otlp;
mod schema;
mod search;
mod seed;
pub mod serve;
pub mod setup;
mod stripe;
pub mod telemetry;
mod watch;
mod worker;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand};

use domain::media::MAX_UPLOAD;
use engine::auth::oidc::{ProviderConfig, Providers};
use engine::db::DatabaseUrl;
use engine::error::{Error, Result};
use engine::media::files::Files;
use engine::provider::notification::Mailer;
use engine::provider::payment::stripe::Stripe;
use engine::provider::rate::RateProviders;
use engine::relay;

/// Emporion: the whole back end of an online shop behind GraphQL.
#[derive(Debug, Parser)]
#[command(name = "emporion", version, arg_required_else_help = true)]
struct Cli {
    #[command(flatten)]
    log: telemetry::Log,
    #[command(subcommand)]
    command: Command,
}

/// The stack of each thread, in bytes. Only what is used takes memory: some two megabytes in a build for debugging, where
/// every branch of a mutation has its own place, and a tenth of that in a release.
const STACK: usize = 16 * 1024 * 1024;

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve the shop; in an empty folder, set it up first.
    Serve(Box<serve::Serve>),
    /// Do the shop's own work in a process of its own.
    Worker(worker::Worker),
    /// Bring the database's schema up or down, or show where it stands.
    Migrate(database::Migrate),
    /// Bring products in from another shop.
    Import(import::Import),
    /// Write what the shop holds into a file.
    Export(export::Export),
    /// Fill the shop with something to look at.
    Seed(seed::Seed),
    /// Follow something live.
    Watch(watch::Watch),
    /// Look after the search index.
    Search(search::Search),
    /// Print the GraphQL schema.
    Schema(schema::SchemaCommand),
    /// Give people access.
    Staff(access::Staff),
    /// Give programs access.
    Key(access::Key),
    /// Look the shop over and say how to mend what is wrong.
    Doctor(doctor::Doctor),
    /// Verify that the whole database agrees with itself.
    Check(check::Check),
    /// Make a copy of the shop while it is served, look one over, or put one in the shop's place.
    Backup(backup::Backup),
    /// Show the settings that the commands would use.
    Config(config::Config),
}

/// Where the shop lives: the same for every command that needs it.
#[derive(Debug, Clone, Args)]
pub struct Place {
    /// The folder of the shop's files; the embedded database is in it.
    #[arg(long, global = true, env = "EMPORION_DATA_DIR", default_value = "emporion-data", value_name = "DIR")]
    pub data_dir: PathBuf,
    /// The database: `sqlite:PATH` or `postgres://…`; `shop.db` in the data folder when absent.
    #[arg(long, global = true, env = "EMPORION_DATABASE_URL", value_name = "URL", hide_env_values = true)]
    pub database_url: Option<DatabaseUrl>,
    /// Redis, to wake the other processes of the shop: `redis://…`.
    #[arg(long, global = true, env = "EMPORION_REDIS_URL", value_name = "URL", hide_env_values = true, value_parser = redis_url)]
    pub redis_url: Option<String>,
    /// The folder of what is uploaded, one for all processes of the shop; `files` in the data folder when absent.
    #[arg(long, global = true, env = "EMPORION_FILES_DIR", value_name = "DIR")]
    pub files_dir: Option<PathBuf>,
    /// What seals secrets in the database, such as those of second factors: at least 32 random characters, the same
    /// for all processes of the shop.
    #[arg(long = "vault-secret", id = "vault_secret", global = true, env = "EMPORION_SECRET", value_name = "TEXT", hide_env_values = true, hide_default_value = true,
        value_parser = secret)]
    pub secret: Option<String>,
    /// A file that describes where staff can log in besides, by OpenID Connect.
    #[arg(long, global = true, env = "EMPORION_IDENTITY_PROVIDERS", value_name = "FILE")]
    pub identity_providers: Option<PathBuf>,
    /// A file that describes who names tax rates and shipping prices over HTTP.
    #[arg(long, global = true, env = "EMPORION_RATE_PROVIDERS", value_name = "FILE")]
    pub rate_providers: Option<PathBuf>,
    /// The largest upload, in bytes.
    #[arg(long, global = true, env = "EMPORION_MAX_UPLOAD", default_value_t = MAX_UPLOAD, value_name = "BYTES",
        value_parser = clap::value_parser!(u64).range(1..=MOST_UPLOAD))]
    pub max_upload: u64,
    #[command(flatten)]
    mail: mail::Mail,
    #[command(flatten)]
    stripe: stripe::Stripe,
}

/// The largest upload that may be set: files are looked at in memory.
const MOST_UPLOAD: u64 = 256 * 1024 * 1024;

impl Place {
    /// The database's address.
    pub fn database(&self) -> DatabaseUrl {
        self.database_url.clone().unwrap_or_else(|| DatabaseUrl::Sqlite(self.data_dir.join("shop.db")))
    }

    /// What is uploaded.
    pub fn files(&self) -> Files {
        Files::new(self.files_dir.clone().unwrap_or_else(|| self.data_dir.join("files")), self.max_upload)
    }

    /// How mail leaves the shop.
    pub fn mail(&self) -> Result<Mailer> {
        self.mail.mailer(&self.data_dir)
    }

    /// The account at Stripe, when there is one; settings that can't be used are an error in words.
    pub fn stripe(&self) -> Result<Option<Arc<Stripe>>> {
        self.stripe.provider()
    }

    /// Where staff log in besides; a file that can't be used is an error in words.
    pub fn identity_providers(&self) -> Result<Providers> {
        #[derive(serde::Deserialize)]
        #[serde(deny_unknown_fields)]
        struct File {
            #[serde(default)]
            provider: Vec<ProviderConfig>,
        }
        let Some(path) = &self.identity_providers else { return Ok(Providers::default()) };
        described(path, |file: File| Providers::new(file.provider))
    }

    /// Who names tax rates and shipping prices from outside; a file that can't be used is an error in words.
    pub fn rate_providers(&self) -> Result<RateProviders> {
        let Some(path) = &self.rate_providers else { return Ok(RateProviders::default()) };
        described(path, RateProviders::new)
    }

    /// The database's address, with the data folder made when it is needed:
    /// for the commands that set a shop up.
    pub fn prepare(&self) -> Result<DatabaseUrl> {
        if self.database_url.is_none() {
            std::fs::create_dir_all(&self.data_dir).map_err(|error| {
                Error::internal(format!("the data folder {} can't be made: {error}", self.data_dir.display()))
            })?;
        }
        Ok(self.database())
    }
}

/// What an operator's file describes.
fn described<F: serde::de::DeserializeOwned, T>(
    path: &Path,
    read: impl FnOnce(F) -> std::result::Result<T, String>,
) -> Result<T> {
    let wrong = |fault: String| Error::internal(format!("{}: {fault}", path.display()));
    let text = std::fs::read_to_string(path).map_err(|error| wrong(error.to_string()))?;
    // Only the message: the text around a fault may be a secret.
    let file: F = toml::from_str(&text).map_err(|error| wrong(error.message().to_owned()))?;
    read(file).map_err(wrong)
}

/// The fewest characters of the operator's secret.
const LEAST_SECRET: usize = 32;

fn secret(text: &str) -> std::result::Result<String, String> {
    match text.chars().count() >= LEAST_SECRET {
        true => Ok(text.to_owned()),
        false => Err(format!("the secret has at least {LEAST_SECRET} characters")),
    }
}

fn redis_url(text: &str) -> std::result::Result<String, String> {
    if relay::is_redis_url(text) { Ok(text.to_owned()) } else { Err("a Redis address begins with redis://".to_owned()) }
}

/// How long threads that are still at work may take when the process ends.
const LAST: Duration = Duration::from_millis(500);

/// Runs what the arguments say.
pub fn main() -> ExitCode {
    let cli = match config::with_file(Cli::command()) {
        Ok(command) => match Cli::from_arg_matches(&command.get_matches()) {
            Ok(cli) => cli,
            Err(error) => error.exit(),
        },
        Err(error) => {
            eprintln!("emporion: {error}");
            return ExitCode::FAILURE;
        }
    };
    let _telemetry = cli.log.begin();
    let runtime = tokio::runtime::Builder::new_multi_thread().thread_stack_size(STACK).enable_all().build();
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("emporion: {error}");
            return ExitCode::FAILURE;
        }
    };
    let ended = runtime.block_on(run(cli.command));
    // A thread that is still at work holds up nobody.
    runtime.shutdown_timeout(LAST);
    match ended {
        Ok(code) => code,
        Err(error) => {
            eprintln!("emporion: {}", explain(&error));
            ExitCode::FAILURE
        }
    }
}

async fn run(command: Command) -> Result<ExitCode> {
    match command {
        Command::Serve(command) => command.run().await?,
        Command::Worker(command) => command.run().await?,
        Command::Migrate(command) => command.run().await?,
        Command::Import(command) => return command.run().await,
        Command::Export(command) => command.run().await?,
        Command::Seed(command) => command.run().await?,
        Command::Watch(command) => return command.run().await,
        Command::Search(command) => command.run().await?,
        Command::Schema(command) => command.run(),
        Command::Staff(command) => command.run().await?,
        Command::Key(command) => command.run().await?,
        Command::Doctor(command) => return command.run().await,
        Command::Check(command) => return command.run().await,
        Command::Backup(command) => return command.run().await,
        Command::Config(command) => command.run(Cli::command())?,
    }
    Ok(ExitCode::SUCCESS)
}

/// An error in words for whoever sits at the terminal.
fn explain(error: &Error) -> String {
    match error {
        Error::Refused(refusals) => refusals
            .iter()
            .map(|refusal| match refusal.path.is_empty() {
                true => refusal.message.clone(),
                false => format!("{}: {}", refusal.path.join("."), refusal.message),
            })
            .collect::<Vec<_>>()
            .join("\n          "),
        other => other.to_string(),
    }
}
