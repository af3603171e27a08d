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
mod m0008_collections;
mod m0009_products;
mod m0010_media;
mod m0011_search;
mod m0012_metafields;
mod m0013_translations;
mod m0014_customers;
mod m0016_access;
mod m0018_staff;

pub use sea_orm_migration::{MigrationStatus, MigratorTrait};

use sea_orm_migration::MigrationTrait;
use sea_orm_migration::sea_orm::{ConnectionTrait, DatabaseConnection, Statement};

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
            Box::new(m0008_collections::Migration),
            Box::new(m0009_products::Migration),
            Box::new(m0010_media::Migration),
            Box::new(m0011_search::Migration),
            Box::new(m0012_metafields::Migration),
            Box::new(m0013_translations::Migration),
            Box::new(m0014_customers::Migration),
            Box::new(m0016_access::Migration),
            Box::new(m0018_staff::Migration),
        ]
    }
}

/// The names of the migrations that a database has not seen, in order. Unlike
/// the [`Migrator`]'s own question this writes nothing: a database without the
/// table of migrations has seen none.
pub async fn pending(db: &DatabaseConnection) -> Vec<String> {
    let ask = Statement::from_string(db.get_database_backend(), "select version from seaql_migrations");
    let rows = db.query_all_raw(ask).await.unwrap_or_default();
    let applied: Vec<String> = rows.iter().filter_map(|row| row.try_get_by_index(0).ok()).collect();
    let names = Migrator::migrations().into_iter().map(|migration| migration.name().to_owned());
    names.filter(|name| !applied.contains(name)).collect()
}
