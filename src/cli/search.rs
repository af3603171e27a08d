//! `emporion search reindex`.

use std::io::IsTerminal;
use std::time::Instant;

use clap::{Args, Subcommand};

use super::Place;
use super::open::open_shop;
use engine::error::Result;

/// Looks after the search index.
#[derive(Debug, Args)]
pub struct Search {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Build the index anew from the products. Searches find only what is done until it ends.
    Reindex(Reindex),
}

#[derive(Debug, Args)]
struct Reindex {
    #[command(flatten)]
    place: Place,
}

impl Search {
    /// Does it.
    pub async fn run(self) -> Result<()> {
        let What::Reindex(reindex) = self.what;
        let app = open_shop(&reindex.place).await?;
        let watched = std::io::stderr().is_terminal();
        let began = Instant::now();
        let done = engine::search::ops::reindex(&app, |done, total| {
            if watched {
                eprint!("\r\u{1b}[K{}", bar(done, total, began.elapsed().as_secs_f64()));
            }
        });
        let done = done.await;
        app.db.close().await;
        if watched {
            eprint!("\r\u{1b}[K");
        }
        println!("indexed {} products", done?);
        Ok(())
    }
}

/// How far it is, how fast it goes and how long it will take.
fn bar(done: usize, total: usize, seconds: f64) -> String {
    const WIDTH: usize = 30;
    let full = (done * WIDTH).checked_div(total).unwrap_or(WIDTH).min(WIDTH);
    let rate = done as f64 / seconds.max(0.001);
    let left = if rate > 0.0 { (total.saturating_sub(done)) as f64 / rate } else { 0.0 };
    let (minutes, rest) = (left as u64 / 60, left as u64 % 60);
    format!(
        "[{}{}] {done}/{total} products, {rate:.0}/s, {minutes}:{rest:02} left",
        "#".repeat(full),
        "-".repeat(WIDTH - full)
    )
}
