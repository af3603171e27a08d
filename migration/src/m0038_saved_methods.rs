//! Ways to pay that customers save at payment providers.

pub const UP: &[&str] = &[
    r#"
create table payment_customer (
    customer_id {id} not null references customer (id),
    provider text not null,
    reference text,
    created_at {time} not null,
    forget_at {time},
    primary key (customer_id, provider)
)
"#,
    r#"create index payment_customer_forget on payment_customer (forget_at) where forget_at is not null"#,
    r#"alter table payment_session add column saved_method text"#,
    r#"alter table payment_session add column saves_method boolean not null default false"#,
    r#"alter table checkout add column saved_method text"#,
    r#"alter table checkout add column saves_method boolean not null default false"#,
    r#"alter table payment add column saved_method text"#,
    r#"alter table payment add column saves_method boolean not null default false"#,
    r#"alter table test_payment add column saves_for text"#,
    r#"
create table test_payment_method (
    reference text not null primary key,
    customer text not null,
    card text not null,
    created_at {time} not null,
    unique (customer, card)
)
"#,
];

pub const DOWN: &[&str] = &[
    r#"drop table test_payment_method"#,
    r#"alter table test_payment drop column saves_for"#,
    r#"alter table payment drop column saves_method"#,
    r#"alter table payment drop column saved_method"#,
    r#"alter table checkout drop column saves_method"#,
    r#"alter table checkout drop column saved_method"#,
    r#"alter table payment_session drop column saves_method"#,
    r#"alter table payment_session drop column saved_method"#,
    r#"drop index payment_customer_forget"#,
    r#"drop table payment_customer"#,
];
