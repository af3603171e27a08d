//! Translated texts, and the languages of a channel besides its default.

use sea_orm_migration::prelude::*;

use crate::dialect::run;

#[derive(DeriveMigrationName)]
pub struct Migration;

const UP: &[&str] = &[
    r#"
create table translation (
    entity_id {id} not null,
    locale text not null,
    field text not null,
    entity_type text not null,
    value text not null,
    source_digest {bytes} not null,
    updated_at {time} not null,
    primary key (entity_id, locale, field)
)
"#,
    r#"alter table channel add column locales {json} not null default '[]'"#,
];

const DOWN: &[&str] = &[r#"alter table channel drop column locales"#, r#"drop table translation"#];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        run(manager, UP).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        run(manager, DOWN).await
    }
}
