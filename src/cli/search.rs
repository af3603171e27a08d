//! `emporion search reindex`.

use clap::{Args, Subcommand};

use super::Place;
use super::bar::Progress;
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
    progress: Progress,
    #[command(flatten)]
    place: Place,
}

impl Search {
    /// Does it.
    pub async fn run(self) -> Result<()> {
        let What::Reindex(reindex) = self.what;
        let app = open_shop(&reindex.place).await?;
        let mut bar = reindex.progress.bar("products");
        let done = engine::search::ops::reindex(&app, |done, total| bar.show(done, total)).await;
        drop(bar);
        app.db.close().await;
        println!("indexed {} products", done?);
        Ok(())
    }
}
