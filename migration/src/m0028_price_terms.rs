//! Since when a price list is what it is, and what it was before.

pub const UP: &[&str] = &[
    r#"alter table price_list add column terms_at {time}"#,
    r#"update price_list set terms_at = created_at"#,
    r#"
create table price_list_history (
    price_list_id {id} not null references price_list (id) on delete cascade,
    kind text not null,
    priority integer not null,
    rules {json} not null,
    from_at {time} not null,
    until_at {time} not null,
    primary key (price_list_id, from_at),
    check (from_at < until_at)
)
"#,
];

pub const DOWN: &[&str] = &[r#"drop table price_list_history"#, r#"alter table price_list drop column terms_at"#];
