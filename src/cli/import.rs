//! `emporion import shopify`.

use std::fs::File;
use std::io::IsTerminal;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Subcommand};
use domain::money::Currency;

use super::Place;
use super::open::open_shop;
use engine::catalog::import::{Report, import_shopify_watched};
use engine::error::{Error, Result};

/// Brings products in from another shop.
#[derive(Debug, Args)]
pub struct Import {
    #[command(subcommand)]
    source: Source,
}

#[derive(Debug, Subcommand)]
enum Source {
    /// Import a product file as Shopify exports it. It may be run again: what
    /// is known by handle and option values is brought up to date, stock is
    /// left alone.
    Shopify(Shopify),
}

#[derive(Debug, Args)]
struct Shopify {
    /// The CSV file, in UTF-8.
    file: PathBuf,
    /// The currency of its prices, such as EUR; the file does not say.
    #[arg(long, value_name = "CODE", value_parser = currency)]
    currency: Currency,
    /// Only tell what would be done.
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    place: Place,
}

fn currency(text: &str) -> Result<Currency, String> {
    text.parse().map_err(|_| format!("{text:?} is no ISO 4217 currency code such as EUR or USD"))
}

impl Import {
    /// Does it. Whatever was refused makes the command fail; what was accepted stays.
    pub async fn run(self) -> Result<ExitCode> {
        let Source::Shopify(import) = self.source;
        import.run().await
    }
}

impl Shopify {
    async fn run(self) -> Result<ExitCode> {
        let shown = self.file.display();
        let file =
            File::open(&self.file).map_err(|error| Error::internal(format!("{shown} can't be read: {error}")))?;
        let app = open_shop(&self.place).await?;
        let watched = std::io::stderr().is_terminal();
        let progress = |done: usize, total: usize| match (watched, done == total) {
            (false, _) => {}
            (true, false) => eprint!("\r{done}/{total} products"),
            // Leaves the line to what is printed next.
            (true, true) => eprint!("\r\u{1b}[K"),
        };
        let report = import_shopify_watched(&app, file, self.currency, self.dry_run, progress).await;
        app.db.close().await;
        let report = report?;
        print(&report, self.dry_run);
        Ok(if report.refused.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}

fn print(report: &Report, dry_run: bool) {
    for refusal in report.refused.iter().flat_map(|product| &product.refusals) {
        println!("row {}, column {:?}, value {:?}: {}", refusal.row, refusal.column, refusal.value, refusal.reason);
    }
    let Report { created, updated, unchanged, refused } = report;
    let refused = refused.len();
    let rehearsal = if dry_run { " (dry run: nothing was written)" } else { "" };
    println!("created {created}, updated {updated}, unchanged {unchanged}, refused {refused}{rehearsal}");
}
