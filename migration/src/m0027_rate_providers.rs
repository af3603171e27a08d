//! Providers of tax rates and of shipping prices, and what they answered.

pub const UP: &[&str] = &[
    r#"alter table tax_region add column provider text"#,
    r#"alter table tax_region add column provider_fallback text not null default 'BUILT_IN'"#,
    r#"
create table provider_answer (
    fingerprint {bytes} not null primary key,
    provider text not null,
    answer {json},
    asked_at {time} not null,
    fresh_until {time} not null
)
"#,
    r#"create index provider_answer_asked on provider_answer (asked_at)"#,
];

pub const DOWN: &[&str] = &[
    r#"drop table provider_answer"#,
    r#"alter table tax_region drop column provider_fallback"#,
    r#"alter table tax_region drop column provider"#,
    // Nothing else says what it costs.
    r#"
update shipping_option set kind = 'FLAT', deleted_at = coalesce(deleted_at, updated_at) where kind = 'CALCULATED'
"#,
];
