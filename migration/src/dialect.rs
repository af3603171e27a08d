//! The few words in which the two databases spell a type differently.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DbBackend;

/// Runs statements in which `{id}`, `{time}`, `{json}`, `{bytes}` and `{folded}` stand for
/// the database's own types.
pub async fn run(manager: &SchemaManager<'_>, statements: &[&str]) -> Result<(), DbErr> {
    // Folded text sorts by its bytes whatever the server's locale, as it does on SQLite.
    let words = match manager.get_database_backend() {
        DbBackend::Postgres => [
            ("{id}", "uuid"),
            ("{time}", "timestamptz"),
            ("{json}", "jsonb"),
            ("{bytes}", "bytea"),
            ("{folded}", r#"text collate "C""#),
        ],
        _ => [("{id}", "blob"), ("{time}", "text"), ("{json}", "text"), ("{bytes}", "blob"), ("{folded}", "text")],
    };
    for statement in statements {
        let sql = words.iter().fold((*statement).to_owned(), |sql, (word, own)| sql.replace(word, own));
        manager.get_connection().execute_unprepared(&sql).await?;
    }
    Ok(())
}
