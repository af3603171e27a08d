//! Translated texts, and the languages of a channel besides its default.

pub const UP: &[&str] = &[
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

pub const DOWN: &[&str] = &[r#"alter table channel drop column locales"#, r#"drop table translation"#];
