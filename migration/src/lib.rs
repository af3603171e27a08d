//! The schema's history: explicit DDL, up and down, for SQLite and PostgreSQL.
//! Imports no entity, so that a table can change without rewriting the past.

mod dialect;
mod m0001_log;
mod m0002_access;
mod m0003_places;
mod m0004_catalog;
mod m0005_stock;
mod m0006_cart;
mod m0007_order;
mod m0011_search;

pub use sea_orm_migration::{MigrationStatus, MigratorTrait};

use sea_orm_migration::MigrationTrait;

/// Applies and reverts the migrations in order.
pub struct Migrator;

impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(m0001_log::Migration),
            Box::new(m0002_access::Migration),
            Box::new(m0003_places::Migration),
            Box::new(m0004_catalog::Migration),
            Box::new(m0005_stock::Migration),
            Box::new(m0006_cart::Migration),
            Box::new(m0007_order::Migration),
            Box::new(m0011_search::Migration),
        ]
    }
}
