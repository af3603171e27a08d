//! When an API key was used last, and the audit log by time and by actor.

pub const UP: &[&str] = &[
    r#"alter table api_key add column last_used_at {time}"#,
    r#"create index audit_entry_at on audit_entry (at, id)"#,
    r#"create index audit_entry_actor on audit_entry (actor, at, id)"#,
];

pub const DOWN: &[&str] = &[
    r#"drop index audit_entry_actor"#,
    r#"drop index audit_entry_at"#,
    r#"alter table api_key drop column last_used_at"#,
];
