//! `emporion check`: does the whole database agree with itself?

use std::process::ExitCode;

use clap::Args;
use migration::pending;

use super::Place;
use engine::app::App;
use engine::check::{MOST, check};
use engine::db::{DatabaseUrl, Db};
use engine::error::{Error, Result};

/// Verifies stock, money, totals, numbers, histories, places, listings and runs over the whole database, also while it is
/// served, and names each row that breaks a rule. Ends with 1 when one does. Changes nothing.
#[derive(Debug, Args)]
pub struct Check {
    #[command(flatten)]
    place: Place,
}

impl Check {
    /// Does it.
    pub async fn run(self) -> Result<ExitCode> {
        let url = self.place.database();
        if let DatabaseUrl::Sqlite(path) = &url
            && !path.exists()
        {
            // Opening it would make an empty file that looks like a shop.
            return Err(Error::internal(format!("there is no shop in {url}")));
        }
        let db = Db::open(&url).await?;
        let missing = pending(db.admin()).await;
        db.close().await;
        if !missing.is_empty() {
            let message = format!("{} migration(s) are missing: run `emporion migrate up` first", missing.len());
            return Err(Error::internal(message));
        }
        let app = App::builder(&url).await?.open().await?;
        let broken = check(&app).await?;
        app.db.close().await;
        for row in &broken {
            println!("{}: {}, {}", row.rule, row.row, row.found);
        }
        println!("{} broken row(s); at most {MOST} of each rule are named", broken.len());
        Ok(if broken.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}
