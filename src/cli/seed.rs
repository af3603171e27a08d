//! `emporion seed demo`.

use clap::{Args, Subcommand, ValueEnum};

use super::Place;
use super::open::open_shop;
use engine::error::Result;

/// Fills the shop with something to look at.
#[derive(Debug, Args)]
pub struct Seed {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Make the demo shop: products with pictures, regions in EUR and USD,
    /// taxes, shipping. What is there already stays as it is.
    Demo(Demo),
}

#[derive(Debug, Args)]
struct Demo {
    /// How much.
    #[arg(long, value_enum, default_value_t = Size::S)]
    size: Size,
    #[command(flatten)]
    place: Place,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Size {
    /// Thirty products.
    S,
}

impl Seed {
    /// Does it.
    pub async fn run(self) -> Result<()> {
        let What::Demo(demo) = self.what;
        let Size::S = demo.size;
        let app = open_shop(&demo.place).await?;
        let written = engine::seed::demo(&app).await;
        app.db.close().await;
        println!("The demo shop is there: {} products were made or brought up to date.", written?);
        Ok(())
    }
}
