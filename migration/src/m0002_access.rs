//! Keys, staff, sessions, customers and the audit log.

pub const UP: &[&str] = &[
    r#"
create table signing_key (
    kid text not null primary key,
    secret {bytes} not null,
    created_at {time} not null,
    retired_at {time}
)
"#,
    r#"
create table staff (
    id {id} not null primary key,
    version integer not null,
    created_at {time} not null,
    updated_at {time} not null,
    deleted_at {time},
    email text not null,
    name text not null,
    active boolean not null
)
"#,
    r#"create unique index staff_email on staff (email) where deleted_at is null"#,
    r#"
create table role (
    id {id} not null primary key,
    version integer not null,
    created_at {time} not null,
    updated_at {time} not null,
    name text not null unique,
    permissions {json} not null
)
"#,
    r#"
create table staff_role (
    staff_id {id} not null references staff (id),
    role_id {id} not null references role (id),
    primary key (staff_id, role_id)
)
"#,
    r#"
create table customer (
    id {id} not null primary key,
    version integer not null,
    created_at {time} not null,
    updated_at {time} not null,
    deleted_at {time},
    email text not null,
    has_account boolean not null,
    first_name text,
    last_name text
)
"#,
    r#"create unique index customer_account_email on customer (email) where has_account and deleted_at is null"#,
    r#"
create table auth_identity (
    id {id} not null primary key,
    actor_kind text not null,
    actor_id {id} not null,
    provider text not null,
    subject text not null,
    secret_hash text,
    created_at {time} not null,
    updated_at {time} not null,
    unique (actor_kind, provider, subject)
)
"#,
    r#"
create table session (
    id {id} not null primary key,
    actor_kind text not null,
    actor_id {id} not null,
    surface text not null,
    refresh_hash {bytes} not null,
    generation integer not null,
    created_at {time} not null,
    expires_at {time} not null,
    revoked_at {time}
)
"#,
    r#"create index session_actor on session (actor_kind, actor_id)"#,
    r#"
create table api_key (
    id {id} not null primary key,
    version integer not null,
    created_at {time} not null,
    updated_at {time} not null,
    title text not null,
    prefix text not null,
    hash {bytes} not null unique,
    role_id {id} not null references role (id),
    revoked_at {time}
)
"#,
    r#"
create table audit_entry (
    id {id} not null primary key,
    at {time} not null,
    actor text not null,
    op text not null,
    entity text,
    before {json},
    after {json}
)
"#,
    r#"create index audit_entry_entity on audit_entry (entity)"#,
];

pub const DOWN: &[&str] = &[
    r#"drop table audit_entry"#,
    r#"drop table api_key"#,
    r#"drop table session"#,
    r#"drop table auth_identity"#,
    r#"drop table customer"#,
    r#"drop table staff_role"#,
    r#"drop table role"#,
    r#"drop table staff"#,
    r#"drop table signing_key"#,
];
