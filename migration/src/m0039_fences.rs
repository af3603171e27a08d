//! Whom a run asks. Levels of a location that is gone, which nobody may change any more.

pub const UP: &[&str] = &[
    r#"alter table flow add column provider text"#,
    r#"alter table stock_level add column closed boolean not null default false"#,
    r#"
update stock_level set closed = true
where location_id in (select location.id from location where location.deleted_at is not null)
"#,
];

pub const DOWN: &[&str] =
    &[r#"alter table stock_level drop column closed"#, r#"alter table flow drop column provider"#];
