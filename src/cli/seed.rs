//! `emporion seed demo`.

use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
use clap::{Args, Subcommand, ValueEnum};

use super::Place;
use super::bar::{Bar, Progress};
use super::open::open_shop;
use engine::error::Result;
use engine::seed::{self, Filled, fill};

/// The last day of the orders when nobody names one: the same shop for everybody.
const UNTIL: &str = "2026-01-01";

/// Fills the shop with something to look at.
#[derive(Debug, Args)]
pub struct Seed {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Fill an empty shop: products with pictures, regions in EUR and USD, taxes, shipping, customers, and orders
    /// over two years in every state. The same size and day give the same shop. What was cut goes on when it is run
    /// again.
    Demo(Demo),
}

#[derive(Debug, Args)]
struct Demo {
    /// How much.
    #[arg(long, value_enum, default_value_t = Size::S)]
    size: Size,
    /// The day before which the orders of two years were placed, such as 2026-01-01.
    #[arg(long, value_name = "DAY", default_value = UNTIL, value_parser = midnight)]
    until: DateTime<Utc>,
    #[command(flatten)]
    progress: Progress,
    #[command(flatten)]
    place: Place,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Size {
    /// 30 products, 200 orders.
    S,
    /// 1,000 products, 5,000 orders.
    M,
    /// 100,000 products, 50,000 orders.
    L,
}

/// The beginning of a day in UTC.
pub(super) fn midnight(text: &str) -> Result<DateTime<Utc>, String> {
    let day: NaiveDate = text.parse().map_err(|_| format!("{text:?} is no day such as 2026-01-01"))?;
    Ok(day.and_time(NaiveTime::MIN).and_utc())
}

impl Seed {
    /// Does it.
    pub async fn run(self) -> Result<()> {
        let What::Demo(demo) = self.what;
        let size = match demo.size {
            Size::S => seed::Size::S,
            Size::M => seed::Size::M,
            Size::L => seed::Size::L,
        };
        let app = open_shop(&demo.place).await?;
        let mut bar: Option<(&str, Bar)> = None;
        let filled = fill(&app, size, demo.until, |unit, done, total| {
            let (_, bar) = match bar.take() {
                Some(same) if same.0 == unit => bar.insert(same),
                _ => bar.insert((unit, demo.progress.bar(unit))),
            };
            bar.show(done, total);
        });
        let filled = filled.await;
        drop(bar);
        app.db.close().await;
        let Filled { products, orders } = filled?;
        println!("The demo shop is there: {products} products, {orders} orders.");
        Ok(())
    }
}
