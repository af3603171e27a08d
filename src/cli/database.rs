//! `emporion migrate up|down|status`.

use clap::{Args, Subcommand};

use super::Place;
use engine::db::{DatabaseUrl, Db};
use engine::error::{Error, Result};

/// Brings the database's schema up or down.
#[derive(Debug, Args)]
pub struct Migrate {
    #[command(subcommand)]
    direction: Direction,
    #[command(flatten)]
    place: Place,
}

#[derive(Debug, Subcommand)]
enum Direction {
    /// Apply every migration that is missing.
    Up,
    /// Revert migrations, the newest first. What their tables hold is lost.
    Down {
        /// How many.
        #[arg(long, default_value_t = 1)]
        steps: usize,
    },
    /// Show which migrations are applied.
    Status,
}

impl Migrate {
    /// Does it.
    pub async fn run(self) -> Result<()> {
        let url = match self.direction {
            Direction::Up => self.place.prepare()?,
            _ => self.place.database(),
        };
        if let DatabaseUrl::Sqlite(path) = &url
            && !matches!(self.direction, Direction::Up)
            && !path.exists()
        {
            // Opening it would make an empty file that looks like a shop.
            return Err(Error::internal(format!("there is no shop in {url}; run `emporion migrate up` first")));
        }
        let db = Db::open(&url).await?;
        match self.direction {
            Direction::Up => migration::up(db.admin()).await?,
            Direction::Down { steps } => migration::down(db.admin(), steps).await?,
            Direction::Status => {}
        }
        for (name, applied) in migration::status(db.admin()).await {
            println!("{}  {name}", if applied { "applied" } else { "pending" });
        }
        db.close().await;
        Ok(())
    }
}
