//! `emporion export`.

use std::fs::File;
use std::io::{BufWriter, Write, stdout};
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use clap::{Args, Subcommand};
use domain::id::ChannelId;
use domain::money::Currency;
use domain::refusal::{ErrorCode, Refusal};

use super::Place;
use super::bar::Progress;
use super::open::open_furnished;
use super::seed::midnight;
use engine::app::App;
use engine::catalog::export::{ExportFilter, export_shopify};
use engine::error::{Error, Result};
use engine::order::export::export_orders;
use engine::order::repo::OrderFilter;
use engine::pricing::export::export_prices;
use engine::pricing::import::list_named;

/// Writes what the shop holds into a file.
#[derive(Debug, Args)]
pub struct Export {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Write products as CSV in the columns of a Shopify product file, one row for each variant or picture. Brought
    /// in again, it changes nothing.
    Products(Products),
    /// Write orders as CSV, one row for each line, amounts in decimals.
    Orders(Orders),
    /// Write the prices of a price list as CSV, one row for each. Brought in again, it changes nothing.
    Prices(Prices),
}

#[derive(Debug, Args)]
struct Products {
    /// The currency of the prices; that of the channel's region when absent.
    #[arg(long, value_name = "CODE", value_parser = currency)]
    currency: Option<Currency>,
    /// Only products that were changed on this day or later.
    #[arg(long, value_name = "DAY", value_parser = midnight)]
    since: Option<DateTime<Utc>>,
    /// Only products that were changed before this day.
    #[arg(long, value_name = "DAY", value_parser = midnight)]
    until: Option<DateTime<Utc>>,
    #[command(flatten)]
    target: Target,
}

#[derive(Debug, Args)]
struct Orders {
    /// Only orders that were placed on this day or later.
    #[arg(long, value_name = "DAY", value_parser = midnight)]
    since: Option<DateTime<Utc>>,
    /// Only orders that were placed before this day.
    #[arg(long, value_name = "DAY", value_parser = midnight)]
    until: Option<DateTime<Utc>>,
    #[command(flatten)]
    target: Target,
}

#[derive(Debug, Args)]
struct Prices {
    /// The handle of the price list.
    #[arg(long, value_name = "HANDLE")]
    list: String,
    /// The file to write; it is there only once it is whole. The standard output when absent.
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    #[command(flatten)]
    progress: Progress,
    #[command(flatten)]
    place: Place,
}

#[derive(Debug, Args)]
struct Target {
    /// The handle of a channel: only what is sold or was bought in it.
    #[arg(long, value_name = "HANDLE")]
    channel: Option<String>,
    /// The file to write; it is there only once it is whole. The standard output when absent.
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    #[command(flatten)]
    progress: Progress,
    #[command(flatten)]
    place: Place,
}

fn currency(text: &str) -> Result<Currency, String> {
    text.parse().map_err(|_| format!("{text:?} is no ISO 4217 currency code such as EUR or USD"))
}

impl Export {
    /// Does it.
    pub async fn run(self) -> Result<()> {
        match self.what {
            What::Products(export) => export.run().await,
            What::Orders(export) => export.run().await,
            What::Prices(export) => export.run().await,
        }
    }
}

impl Products {
    async fn run(self) -> Result<()> {
        let app = open_furnished(&self.target.place).await?;
        let outcome = self.write(&app).await;
        app.db.close().await;
        outcome
    }

    async fn write(&self, app: &App) -> Result<()> {
        let channel = self.target.channel(app)?;
        let filter = ExportFilter { channel, since: self.since, until: self.until };
        let currency = match self.currency {
            Some(currency) => currency,
            None => default_currency(app, channel)?,
        };
        let mut file = Output::open(self.target.output.as_deref())?;
        let mut bar = self.target.progress.bar("products");
        let told = |done, total| bar.show(done, total);
        let exported = export_shopify(app, currency, &filter, &mut file.writer, told).await?;
        drop(bar);
        file.keep()?;
        eprintln!("wrote {} products with prices in {currency}", exported.written);
        if exported.left_out > 0 {
            eprintln!("left out {} products with more than three options", exported.left_out);
        }
        if exported.unpriced > 0 {
            eprintln!("{} variants have no price in {currency}: their products can't be brought in", exported.unpriced);
        }
        Ok(())
    }
}

impl Orders {
    async fn run(self) -> Result<()> {
        let app = open_furnished(&self.target.place).await?;
        let outcome = self.write(&app).await;
        app.db.close().await;
        outcome
    }

    async fn write(&self, app: &App) -> Result<()> {
        let channel = self.target.channel(app)?;
        let (placed_from, placed_before) = (self.since, self.until);
        let filter = OrderFilter { channel, placed_from, placed_before, ..OrderFilter::default() };
        let mut file = Output::open(self.target.output.as_deref())?;
        let mut bar = self.target.progress.bar("orders");
        let written = export_orders(app, &filter, &mut file.writer, |done, total| bar.show(done, total)).await?;
        drop(bar);
        file.keep()?;
        eprintln!("wrote {written} orders");
        Ok(())
    }
}

impl Prices {
    async fn run(self) -> Result<()> {
        let app = open_furnished(&self.place).await?;
        let outcome = self.write(&app).await;
        app.db.close().await;
        outcome
    }

    async fn write(&self, app: &App) -> Result<()> {
        let list = list_named(&app.settings(), &self.list)?;
        let mut file = Output::open(self.output.as_deref())?;
        let mut bar = self.progress.bar("prices");
        let exported = export_prices(app, list, &mut file.writer, |done, total| bar.show(done, total)).await?;
        drop(bar);
        file.keep()?;
        eprintln!("wrote {} prices", exported.written);
        if exported.left_out > 0 {
            eprintln!("left out {} prices of variants without a SKU", exported.left_out);
        }
        Ok(())
    }
}

impl Target {
    fn channel(&self, app: &App) -> Result<Option<ChannelId>> {
        let Some(handle) = &self.channel else { return Ok(None) };
        let settings = app.settings();
        let known = settings.channels.iter().find(|channel| channel.handle.as_str() == handle);
        let missing = || Refusal::new(ErrorCode::NotFound, "There is no such channel.").at(["channel"]);
        Ok(Some(known.ok_or_else(missing)?.id))
    }
}

fn default_currency(app: &App, channel: Option<ChannelId>) -> Result<Currency> {
    let settings = app.settings();
    let channel = match channel.and_then(|id| settings.channels.iter().find(|channel| channel.id == id)) {
        Some(channel) => channel,
        None => settings.default_channel()?,
    };
    let region = settings.channel_region(channel).ok_or_else(|| {
        Refusal::new(ErrorCode::RegionMissing, "The shop has no region: say with --currency which prices to write.")
    })?;
    Ok(region.row.currency)
}

/// Where it is written to.
struct Output {
    writer: Box<dyn Write>,
    /// The name while it is written, and the one that it gets.
    names: Option<(PathBuf, PathBuf)>,
}

impl Output {
    fn open(path: Option<&Path>) -> Result<Self> {
        let Some(path) = path else { return Ok(Self { writer: Box::new(BufWriter::new(stdout())), names: None }) };
        let refused = |error: std::io::Error| Error::internal(format!("{} can't be written: {error}", path.display()));
        let name = path.file_name().ok_or_else(|| refused(std::io::ErrorKind::IsADirectory.into()))?;
        let making = path.with_file_name(format!(".{}.{}.part", name.to_string_lossy(), std::process::id()));
        let file = File::create(&making).map_err(refused)?;
        Ok(Self { writer: Box::new(BufWriter::new(file)), names: Some((making, path.to_owned())) })
    }

    /// Gives the file its name now that it is whole.
    fn keep(mut self) -> Result<()> {
        let refused = |error: std::io::Error| Error::internal(format!("the file can't be written: {error}"));
        self.writer.flush().map_err(refused)?;
        if let Some((making, path)) = &self.names {
            std::fs::rename(making, path).map_err(refused)?;
            self.names = None;
        }
        Ok(())
    }
}

impl Drop for Output {
    fn drop(&mut self) {
        if let Some((making, _)) = &self.names {
            // Half a file is of no use to anybody.
            let _ = std::fs::remove_file(making);
        }
    }
}
