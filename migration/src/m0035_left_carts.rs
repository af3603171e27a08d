//! Carts that nobody comes back to, and what is forgotten after a while.

pub const UP: &[&str] = &[
    // Carts that are older than this are not told about.
    r#"alter table cart add column untouched_since {time}"#,
    r#"alter table cart add column abandoned_at {time}"#,
    r#"alter table cart add column erased_at {time}"#,
    r#"create index cart_untouched on cart (channel_id, untouched_since) where state = 'OPEN'"#,
    r#"create index cart_abandoned on cart (abandoned_at, id) where abandoned_at is not null"#,
    r#"create index cart_expiring on cart (expires_at) where state = 'OPEN'"#,
    r#"create index cart_over on cart (expires_at) where state = 'ABANDONED' and erased_at is null"#,
    r#"alter table channel add column abandoned_after_minutes integer default 60"#,
    r#"create index provider_event_processed on provider_event (processed_at) where processed_at is not null"#,
];

pub const DOWN: &[&str] = &[
    r#"drop index provider_event_processed"#,
    r#"alter table channel drop column abandoned_after_minutes"#,
    r#"drop index cart_over"#,
    r#"drop index cart_expiring"#,
    r#"drop index cart_abandoned"#,
    r#"drop index cart_untouched"#,
    r#"alter table cart drop column erased_at"#,
    r#"alter table cart drop column abandoned_at"#,
    r#"alter table cart drop column untouched_since"#,
];
