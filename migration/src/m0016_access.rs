//! When an API key was used last, and the audit log by time and by actor.

use sea_orm_migration::prelude::*;

use crate::dialect::run;

#[derive(DeriveMigrationName)]
pub struct Migration;

const UP: &[&str] = &[
    r#"alter table api_key add column last_used_at {time}"#,
    r#"create index audit_entry_at on audit_entry (at, id)"#,
    r#"create index audit_entry_actor on audit_entry (actor, at, id)"#,
];

const DOWN: &[&str] = &[
    r#"drop index audit_entry_actor"#,
    r#"drop index audit_entry_at"#,
    r#"alter table api_key drop column last_used_at"#,
];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        run(manager, UP).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        run(manager, DOWN).await
    }
}
