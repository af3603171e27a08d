//! The schema's history: explicit DDL, up and down, for SQLite and PostgreSQL.
//! Imports no entity, so that a table can change without rewriting the past.
//!
//! Each module is one migration: `UP` and `DOWN`, lists of statements in the
//! two databases' common language. Where they spell a type differently, a
//! [word](words) stands for it; a statement that begins with `{sqlite}` or
//! `{postgres}` is for that database alone. A migration that has been applied
//! anywhere never changes: what was applied is kept with its checksum, and a
//! database that differs is refused.

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
mod m0017_listing;
mod m0018_staff;
mod m0019_notifications;
mod m0020_jobs;
mod m0021_price_rows;
mod m0022_stock_lists;
mod m0023_policies;
mod m0024_prices;
mod m0025_taxes;
mod m0026_shipping;
mod m0027_rate_providers;
mod m0028_price_terms;
mod m0029_listed_rate;
mod m0030_line_reasons;
mod m0031_subtotal_rules;
mod m0032_shipping_reasons;
mod m0033_inventory;
mod m0034_payments;
mod m0035_left_carts;
mod m0036_order_payments;
mod m0037_flow_held;
mod m0038_saved_methods;
mod m0039_fences;
mod m0040_promotions;
mod m0041_ledger;
mod m0042_ledger_use;
mod m0043_live_codes;
mod m0044_cart_lines;

use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, DbErr, Statement};
use sqlx::SqlSafeStr;
use sqlx::migrate::{MigrateError, Migration, MigrationType, Migrator};

/// The name of a migration, what it does, and what reverts it.
struct Change {
    name: &'static str,
    up: &'static [&'static str],
    down: &'static [&'static str],
}

macro_rules! history {
    ($($module:ident)*) => {
        /// Every migration, the oldest first.
        const HISTORY: &[Change] =
            &[$(Change { name: stringify!($module), up: $module::UP, down: $module::DOWN }),*];
    };
}

history! {
    m0001_log
    m0002_access
    m0003_places
    m0004_catalog
    m0005_stock
    m0006_cart
    m0007_order
    m0008_collections
    m0009_products
    m0010_media
    m0011_search
    m0012_metafields
    m0013_translations
    m0014_customers
    m0016_access
    m0017_listing
    m0018_staff
    m0019_notifications
    m0020_jobs
    m0021_price_rows
    m0022_stock_lists
    m0023_policies
    m0024_prices
    m0025_taxes
    m0026_shipping
    m0027_rate_providers
    m0028_price_terms
    m0029_listed_rate
    m0030_line_reasons
    m0031_subtotal_rules
    m0032_shipping_reasons
    m0033_inventory
    m0034_payments
    m0035_left_carts
    m0036_order_payments
    m0037_flow_held
    m0038_saved_methods
    m0039_fences
    m0040_promotions
    m0041_ledger
    m0042_ledger_use
    m0043_live_codes
    m0044_cart_lines
}

/// Applies every migration that the database has not seen.
///
/// # Errors
/// When the database holds a migration that this version doesn't know or knows
/// otherwise, and when a statement fails; the failed migration leaves nothing.
pub async fn up(db: &DatabaseConnection) -> Result<(), DbErr> {
    let backend = db.get_database_backend();
    let history = migrator(backend);
    if let Some(newest) = newest_of_older_table(db).await {
        match backend {
            DbBackend::Postgres => history.skip(db.get_postgres_connection_pool(), Some(newest)).await,
            _ => history.skip(db.get_sqlite_connection_pool(), Some(newest)).await,
        }
        .map_err(told)?;
        db.execute_unprepared("drop table seaql_migrations").await?;
    }
    match backend {
        DbBackend::Postgres => history.run(db.get_postgres_connection_pool()).await,
        _ => history.run(db.get_sqlite_connection_pool()).await,
    }
    .map_err(told)
}

/// Reverts the newest `steps` migrations that are applied; what their tables
/// hold is lost.
///
/// # Errors
/// As [`up`].
pub async fn down(db: &DatabaseConnection, steps: usize) -> Result<(), DbErr> {
    let applied: Vec<i64> = applied(db).await;
    let rest = applied.len().saturating_sub(steps);
    let target = rest.checked_sub(1).and_then(|newest| applied.get(newest)).copied().unwrap_or(0);
    let history = migrator(db.get_database_backend());
    match db.get_database_backend() {
        DbBackend::Postgres => history.undo(db.get_postgres_connection_pool(), target).await,
        _ => history.undo(db.get_sqlite_connection_pool(), target).await,
    }
    .map_err(told)
}

/// Every migration by name, the oldest first, and whether it is applied.
/// Writes nothing: a database without the table of migrations has seen none.
pub async fn status(db: &DatabaseConnection) -> Vec<(&'static str, bool)> {
    let applied = applied(db).await;
    HISTORY.iter().map(|change| (change.name, applied.contains(&version(change.name)))).collect()
}

/// The names of the migrations that a database has not seen, in order.
/// Writes nothing.
pub async fn pending(db: &DatabaseConnection) -> Vec<&'static str> {
    status(db).await.into_iter().filter(|(_, applied)| !applied).map(|(name, _)| name).collect()
}

/// The numbers of migrations that a database has seen and this version doesn't know, or knows otherwise: another
/// release made it. Writes nothing.
///
/// # Errors
/// When the database has no table of migrations.
pub async fn unknown(db: &DatabaseConnection) -> Result<Vec<i64>, DbErr> {
    let backend = db.get_database_backend();
    let ask = "select version, checksum from _sqlx_migrations where success order by version";
    let history = migrator(backend);
    let known = |version: i64, checksum: &[u8]| {
        let mut ups = history.iter().filter(|one| one.migration_type.is_up_migration());
        ups.any(|one| one.version == version && one.checksum.as_ref() == checksum)
    };
    let mut unknown = Vec::new();
    for row in db.query_all_raw(Statement::from_string(backend, ask)).await? {
        let (version, checksum): (i64, Vec<u8>) = (row.try_get_by_index(0)?, row.try_get_by_index(1)?);
        if !known(version, &checksum) {
            unknown.push(version);
        }
    }
    Ok(unknown)
}

/// The versions that are applied, in order.
async fn applied(db: &DatabaseConnection) -> Vec<i64> {
    let ask = "select version from _sqlx_migrations where success order by version";
    let rows = db.query_all_raw(Statement::from_string(db.get_database_backend(), ask)).await.unwrap_or_default();
    rows.iter().filter_map(|row| row.try_get_by_index(0).ok()).collect()
}

/// The newest version in the table that the first shops kept their migrations
/// in, until the sixteenth.
async fn newest_of_older_table(db: &DatabaseConnection) -> Option<i64> {
    let ask = "select version from seaql_migrations order by version desc limit 1";
    let row = db.query_one_raw(Statement::from_string(db.get_database_backend(), ask)).await.ok()??;
    row.try_get_by_index::<String>(0).ok().map(|name| version(&name))
}

fn migrator(backend: DbBackend) -> Migrator {
    let part = |change: &Change, kind: MigrationType, statements: &[&str]| {
        let sql = sqlx::AssertSqlSafe(spelled(backend, statements)).into_sql_str();
        Migration::new(version(change.name), change.name.into(), kind, sql, false)
    };
    Migrator::with_migrations(
        HISTORY
            .iter()
            .flat_map(|change| {
                [
                    part(change, MigrationType::ReversibleUp, change.up),
                    part(change, MigrationType::ReversibleDown, change.down),
                ]
            })
            .collect(),
    )
}

/// The number in a migration's name: 7 of `m0007_order`.
fn version(name: &str) -> i64 {
    name.bytes().filter(u8::is_ascii_digit).fold(0, |number, digit| number * 10 + i64::from(digit - b'0'))
}

/// The statements in the database's own language.
fn spelled(backend: DbBackend, statements: &[&str]) -> String {
    let (own, other) = match backend {
        DbBackend::Postgres => ("{postgres}", "{sqlite}"),
        _ => ("{sqlite}", "{postgres}"),
    };
    let mut script = String::new();
    for statement in statements.iter().filter(|statement| !statement.starts_with(other)) {
        let sql = statement.strip_prefix(own).unwrap_or(statement);
        script += &words(backend).iter().fold(sql.to_owned(), |sql, (word, own)| sql.replace(word, own));
        script += ";\n";
    }
    script
}

/// The few words in which the two databases spell a type differently.
fn words(backend: DbBackend) -> [(&'static str, &'static str); 5] {
    match backend {
        // Folded text sorts by its bytes whatever the server's locale, as it does on SQLite.
        DbBackend::Postgres => [
            ("{id}", "uuid"),
            ("{time}", "timestamptz"),
            ("{json}", "jsonb"),
            ("{bytes}", "bytea"),
            ("{folded}", r#"text collate "C""#),
        ],
        _ => [("{id}", "blob"), ("{time}", "text"), ("{json}", "text"), ("{bytes}", "blob"), ("{folded}", "text")],
    }
}

fn told(error: MigrateError) -> DbErr {
    DbErr::Migration(error.to_string())
}
