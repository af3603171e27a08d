//! The event log, its readers, runs, idempotency keys, counters and settings.

pub const UP: &[&str] = &[
    r#"
create table event (
    id {id} not null primary key,
    aggregate_type text not null,
    aggregate_id {id} not null,
    sequence bigint not null,
    kind text not null,
    version integer not null,
    payload {json} not null,
    actor text not null,
    at {time} not null,
    position bigint unique,
    unique (aggregate_type, aggregate_id, sequence)
)
"#,
    r#"create index event_unstamped on event (id) where position is null"#,
    r#"
create table consumer (
    name text not null primary key,
    position bigint not null
)
"#,
    r#"
create table flow (
    id {id} not null primary key,
    version integer not null,
    created_at {time} not null,
    updated_at {time} not null,
    kind text not null,
    key text not null unique,
    state text not null,
    step text not null,
    attempts integer not null,
    run_at {time} not null,
    deadline {time} not null,
    data {json} not null
)
"#,
    r#"create index flow_due on flow (state, run_at)"#,
    r#"
create table idempotency (
    actor text not null,
    operation text not null,
    key text not null,
    input_hash {bytes} not null,
    entity_id {id},
    created_at {time} not null,
    expires_at {time} not null,
    primary key (actor, operation, key)
)
"#,
    r#"create index idempotency_expires on idempotency (expires_at)"#,
    r#"
create table counter (
    name text not null primary key,
    value bigint not null
)
"#,
    r#"
create table setting (
    key text not null primary key,
    value text not null
)
"#,
    // What is counted from the first day: the version of the settings, the numbers of orders.
    r#"insert into counter (name, value) values ('settings', 1), ('order_number', 1000)"#,
];

pub const DOWN: &[&str] = &[
    r#"drop table setting"#,
    r#"drop table counter"#,
    r#"drop table idempotency"#,
    r#"drop table flow"#,
    r#"drop table consumer"#,
    r#"drop table event"#,
];
