//! Whether somebody works on a run at this moment, apart from when it is
//! looked at next; runs in the order of their beginning; which link a mail brings.

pub const UP: &[&str] = &[
    r#"alter table flow add column held boolean not null default false"#,
    r#"create index flow_created on flow (created_at, id)"#,
    r#"alter table notification add column payment_link_id {id}"#,
];

pub const DOWN: &[&str] = &[
    r#"alter table notification drop column payment_link_id"#,
    r#"drop index flow_created"#,
    r#"alter table flow drop column held"#,
];
