//! Customer accounts: profiles, address books, groups, one-time tokens and
//! counted attempts.

pub const UP: &[&str] = &[
    r#"alter table customer add column phone text"#,
    r#"alter table customer add column locale text"#,
    r#"alter table customer add column accepts_marketing boolean not null default false"#,
    r#"alter table customer add column verified_at {time}"#,
    r#"alter table customer add column new_email text"#,
    r#"alter table customer add column previous_email text"#,
    r#"alter table customer add column search_text {folded} not null default ''"#,
    r#"create index customer_created on customer (created_at, id)"#,
    r#"create index customer_email on customer (email, id)"#,
    r#"
create table address (
    id {id} not null primary key,
    version integer not null,
    created_at {time} not null,
    updated_at {time} not null,
    customer_id {id} not null references customer (id),
    address {json} not null,
    default_shipping boolean not null,
    default_billing boolean not null
)
"#,
    r#"create index address_customer on address (customer_id)"#,
    r#"create unique index address_default_shipping on address (customer_id) where default_shipping"#,
    r#"create unique index address_default_billing on address (customer_id) where default_billing"#,
    r#"
create table customer_group (
    id {id} not null primary key,
    version integer not null,
    created_at {time} not null,
    updated_at {time} not null,
    deleted_at {time},
    handle text not null,
    name text not null
)
"#,
    r#"create unique index customer_group_handle on customer_group (handle) where deleted_at is null"#,
    r#"
create table customer_group_member (
    group_id {id} not null references customer_group (id),
    customer_id {id} not null references customer (id),
    primary key (group_id, customer_id)
)
"#,
    r#"create index customer_group_member_customer on customer_group_member (customer_id)"#,
    r#"
create table one_time_token (
    id {id} not null primary key,
    purpose text not null,
    subject_id {id} not null,
    detail text,
    hash {bytes} not null unique,
    created_at {time} not null,
    expires_at {time} not null,
    used_at {time}
)
"#,
    r#"create index one_time_token_subject on one_time_token (subject_id, purpose)"#,
    r#"create index one_time_token_expires on one_time_token (expires_at)"#,
    r#"
create table access_attempt (
    key {bytes} not null primary key,
    count bigint not null,
    since {time} not null
)
"#,
    r#"create index access_attempt_since on access_attempt (since)"#,
    r#"create index order_customer on "order" (customer_id, placed_at, id)"#,
    r#"create index cart_customer on cart (customer_id, updated_at)"#,
    r#"update role set permissions = cast(replace(cast(permissions as text), ']', ', "CUSTOMERS_READ"]') as {json})
        where name in ('owner', 'viewer')"#,
    r#"update role set permissions = cast(replace(cast(permissions as text), ']', ', "CUSTOMERS_WRITE"]') as {json})
        where name = 'owner'"#,
];

pub const DOWN: &[&str] = &[
    r#"update role set permissions =
        cast(replace(cast(permissions as text), ', "CUSTOMERS_WRITE"', '') as {json}) where name = 'owner'"#,
    r#"update role set permissions =
        cast(replace(cast(permissions as text), ', "CUSTOMERS_READ"', '') as {json}) where name in ('owner', 'viewer')"#,
    r#"drop index cart_customer"#,
    r#"drop index order_customer"#,
    r#"drop table access_attempt"#,
    r#"drop table one_time_token"#,
    r#"drop table customer_group_member"#,
    r#"drop table customer_group"#,
    r#"drop table address"#,
    r#"drop index customer_email"#,
    r#"drop index customer_created"#,
    r#"alter table customer drop column search_text"#,
    r#"alter table customer drop column previous_email"#,
    r#"alter table customer drop column new_email"#,
    r#"alter table customer drop column verified_at"#,
    r#"alter table customer drop column accepts_marketing"#,
    r#"alter table customer drop column locale"#,
    r#"alter table customer drop column phone"#,
];
