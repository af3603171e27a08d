//! What must hold of every release build.

use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

use clap::Args;
use tokio::time::{Instant, sleep};

use crate::case::all;
use crate::documents::judge;
use crate::flow::buy;
use crate::peers::fill;
use crate::requests::asked;
use crate::server::Place;
use crate::table::{Table, quantile};
use crate::{Result, Subject, block_on, process};

/// From the start of the process to its first answer, in milliseconds.
const START_UP: f64 = 200.0;
/// Resident memory when nobody asks for anything, in MiB. The goal is 60; three quarters of it are pages of the binary,
/// of which a machine maps some more or fewer.
const IDLE: f64 = 75.0;
/// Statements from nothing to an order.
const CHECKOUT: u64 = 45;
/// How many products are in the shop whose statements are counted.
const PRODUCTS: usize = 150;
/// What is imported, and what that may take, in seconds and MiB.
const IMPORTED: usize = 25_000;
const IMPORT_TIME: f64 = 60.0;
const IMPORT_MEMORY: f64 = 200.0;

/// What is checked.
#[derive(Debug, Args)]
pub struct Options {
    #[command(flatten)]
    subject: Subject,
}

/// Checks everything; fails when something is not as it must be.
pub fn run(options: &Options) -> Result<()> {
    let mut table = Table::default();
    crate::promotions::price(&mut table)?;
    block_on(async {
        footprint(options, &mut table).await?;
        documents(options, &mut table).await?;
        statements(options, &mut table).await?;
        import(options, &mut table).await
    })?;
    table.print();
    match table.missed() {
        missed if missed.is_empty() => Ok(()),
        missed => Err(format!("not as it must be: {}", missed.join(", ")).into()),
    }
}

/// A shop that has been used before starts quickly and is small.
async fn footprint(options: &Options, table: &mut Table) -> Result<()> {
    let mut place = Place::new(&options.subject.binary, None)?;
    place.serve(&["--demo"]).await?.stop().await?;
    let mut starts = Vec::new();
    for _ in 0..5 {
        let server = place.serve(&[]).await?;
        starts.push(server.start_up);
        server.stop().await?;
    }
    table.note("from start to first answer", "ms", Some(START_UP), quantile(&starts, 0.5));
    let server = place.serve(&[]).await?;
    let idle = process::at_rest(server.id()?).await?;
    table.note("memory when nobody asks for anything", "MiB", Some(IDLE), idle / 1024.0);
    server.stop().await
}

/// Documents are judged quickly, whatever they are made of.
async fn documents(options: &Options, table: &mut Table) -> Result<()> {
    let mut place = Place::new(&options.subject.binary, None)?;
    let server = place.serve(&["--answer-cache", "off"]).await?;
    judge(&server, table).await?;
    server.stop().await
}

/// The statements that each kind of request takes.
async fn statements(options: &Options, table: &mut Table) -> Result<()> {
    let mut place = Place::new(&options.subject.binary, None)?;
    let server = place.serve(&[]).await?;
    let catalog = fill(&server, PRODUCTS).await?;
    for case in all(&mut server.shopper().await?, &catalog).await? {
        let counted = asked(&server, &case).await?.ok_or("no statements")?;
        table.note(case.name, "statements", Some(case.statements as f64), counted as f64);
    }
    let mut shopper = server.shopper().await?.counting();
    for number in 0..3 {
        let counted = buy(&mut shopper, &catalog, number).await?.ok_or("no statements")?;
        table.note("four requests to an order", "statements", Some(CHECKOUT as f64), counted as f64);
    }
    server.stop().await
}

/// A large catalog comes in within a minute and little memory.
async fn import(options: &Options, table: &mut Table) -> Result<()> {
    let mut place = Place::new(&options.subject.binary, None)?;
    place.serve(&["--demo"]).await?.stop().await?;
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("products.csv");
    write_catalog(&file)?;
    let mut command = place.command(&["import", "shopify"]);
    let started = Instant::now();
    let mut child = command.arg(&file).args(["--currency", "EUR"]).spawn()?;
    let id = child.id().ok_or("the import has ended")?;
    let mut peak: f64 = 0.0;
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break status;
        }
        // The process may end between the two.
        peak = peak.max(process::peak(id).unwrap_or_default());
        sleep(Duration::from_millis(50)).await;
    };
    let took = started.elapsed().as_secs_f64();
    if !status.success() {
        return Err(format!("the import failed: {status}").into());
    }
    table.note("import of 100,000 variants", "s", Some(IMPORT_TIME), took);
    table.note("memory of the import at most", "MiB", Some(IMPORT_MEMORY), peak / 1024.0);
    Ok(())
}

/// A product file as Shopify exports it: four variants each.
fn write_catalog(file: &Path) -> Result<()> {
    let mut text = "Handle,Title,Body (HTML),Vendor,Type,Tags,Published,Option1 Name,Option1 Value,Option2 Name,\
                    Option2 Value,Variant SKU,Variant Inventory Qty,Variant Price,Image Src,Status\n"
        .to_owned();
    for number in 0..IMPORTED {
        for (place, (size, color)) in [("S", "Red"), ("S", "Blue"), ("L", "Red"), ("L", "Blue")].into_iter().enumerate()
        {
            let head = match place {
                0 => format!(
                    "Thing {number},<p>What it says.</p>,Maker {},Thing,\"new, tag-{}\",true",
                    number % 50,
                    number % 10
                ),
                _ => ",,,,,".to_owned(),
            };
            let picture = if place == 0 { format!("https://pictures.example/{number}.jpg") } else { String::new() };
            let cents = 1_000 + (number * 4 + place) % 9_000;
            writeln!(
                text,
                "thing-{number},{head},Size,{size},Color,{color},T-{number}-{place},10,{}.{:02},{picture},active",
                cents / 100,
                cents % 100
            )?;
        }
    }
    Ok(std::fs::write(file, text)?)
}
