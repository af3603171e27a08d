//! How money is taken by region and provider, why it was given back, what
//! providers tell by themselves, and the payments of the provider `test`.

pub const UP: &[&str] = &[
    r#"alter table region_payment_provider add column capture text not null default 'AUTOMATIC'"#,
    // Money that comes by transfer or in cash is never there at once.
    r#"update region_payment_provider set capture = 'MANUAL' where provider = 'manual'"#,
    r#"alter table checkout add column capture text"#,
    r#"create index checkout_reference on checkout (provider_reference)"#,
    r#"create index payment_reference on payment (provider_reference)"#,
    r#"alter table payment_entry add column reason text"#,
    r#"alter table payment_entry add column note text"#,
    r#"
create table provider_event (
    id {id} not null primary key,
    received_at {time} not null,
    provider text not null,
    event_id text not null,
    kind text not null,
    reference text,
    checkout_id {id},
    amount_minor bigint,
    currency text,
    body text not null,
    attempts integer not null,
    look_at {time} not null,
    processed_at {time},
    outcome text
)
"#,
    r#"create unique index provider_event_event on provider_event (provider, event_id)"#,
    r#"create index provider_event_reference on provider_event (reference)"#,
    r#"create index provider_event_due on provider_event (look_at) where processed_at is null"#,
    r#"
create table test_payment (
    reference text not null primary key,
    idempotency_key text not null,
    created_at {time} not null,
    card text not null,
    capture text not null,
    amount_minor bigint not null,
    currency text not null,
    state text not null,
    captured_minor bigint not null,
    refunded_minor bigint not null,
    return_url text,
    settles_at {time},
    check (captured_minor <= amount_minor and refunded_minor <= captured_minor)
)
"#,
    r#"create unique index test_payment_key on test_payment (idempotency_key)"#,
    r#"
create table test_payment_step (
    idempotency_key text not null primary key,
    reference text not null references test_payment (reference),
    kind text not null,
    amount_minor bigint not null,
    refused text
)
"#,
];

pub const DOWN: &[&str] = &[
    r#"drop table test_payment_step"#,
    r#"drop table test_payment"#,
    r#"drop table provider_event"#,
    r#"alter table payment_entry drop column note"#,
    r#"alter table payment_entry drop column reason"#,
    r#"drop index payment_reference"#,
    r#"drop index checkout_reference"#,
    r#"alter table checkout drop column capture"#,
    r#"alter table region_payment_provider drop column capture"#,
];
