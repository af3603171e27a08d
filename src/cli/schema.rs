//! `emporion schema print`.

use clap::{Args, Subcommand, ValueEnum};

/// Works with the GraphQL schema.
#[derive(Debug, Args)]
pub struct SchemaCommand {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Print the schema in GraphQL's schema language.
    Print {
        /// One surface as its endpoint serves it; both when absent.
        #[arg(long)]
        surface: Option<Surface>,
    },
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Surface {
    Store,
    Admin,
}

impl SchemaCommand {
    /// Does it.
    pub fn run(self) {
        let Action::Print { surface } = self.action;
        let text = match surface {
            None => crate::api::unified_schema(true).sdl(),
            Some(Surface::Store) => crate::api::store_schema(true).sdl(),
            Some(Surface::Admin) => crate::api::admin_schema(true).sdl(),
        };
        print!("{text}");
    }
}
