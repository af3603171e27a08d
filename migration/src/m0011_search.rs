//! The search index of products, its vocabulary, and what finds a word that
//! somebody mistyped.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DbBackend;

use crate::dialect::run;

#[derive(DeriveMigrationName)]
pub struct Migration;

/// Words come folded and taken apart: neither database is asked to do it.
const UP: &[&str] = &[
    r#"
create table search_word (
    word {folded} not null primary key,
    products bigint not null
)
"#,
    r#"
create table search_slip (
    piece {folded} not null,
    word {folded} not null,
    primary key (piece, word)
)
"#,
];

const UP_SQLITE: &[&str] = &[
    r#"
create table search_product (
    number integer primary key,
    product_id blob not null unique references product (id),
    title text not null,
    code text not null,
    keyword text not null,
    body text not null
)
"#,
    // Nothing but the index is kept there: the texts stand in search_product.
    r#"
create virtual table search_index using fts5 (
    title, code, keyword, body,
    content = '', contentless_delete = 1, detail = column, tokenize = 'ascii', prefix = '1 2 3'
)
"#,
];

const UP_POSTGRES: &[&str] = &[
    r#"
create table search_product (
    product_id uuid not null primary key references product (id),
    title text not null,
    code text not null,
    keyword text not null,
    body text not null,
    document tsvector not null
)
"#,
    r#"create index search_product_document on search_product using gin (document)"#,
];

const DOWN: &[&str] = &[r#"drop table search_product"#, r#"drop table search_slip"#, r#"drop table search_word"#];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        run(manager, UP).await?;
        match manager.get_database_backend() {
            DbBackend::Postgres => run(manager, UP_POSTGRES).await,
            _ => run(manager, UP_SQLITE).await,
        }
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        if manager.get_database_backend() != DbBackend::Postgres {
            run(manager, &["drop table search_index"]).await?;
        }
        run(manager, DOWN).await
    }
}
