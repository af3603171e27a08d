//! Price lists, rules of prices, and what prices were before.

pub const UP: &[&str] = &[
    r#"
create table price_list (
    id {id} not null primary key,
    version integer not null,
    created_at {time} not null,
    updated_at {time} not null,
    deleted_at {time},
    handle text not null,
    name text not null,
    description text,
    kind text not null,
    status text not null,
    starts_at {time},
    ends_at {time},
    priority integer not null,
    rules {json} not null,
    shown_at {time},
    check (starts_at is null or ends_at is null or starts_at < ends_at)
)
"#,
    r#"create unique index price_list_handle on price_list (handle) where deleted_at is null"#,
    r#"alter table price add column price_list_id {id} references price_list (id)"#,
    r#"alter table price add column rules {json}"#,
    r#"create index price_in_list on price (price_list_id, created_at, id) where price_list_id is not null"#,
    r#"
create table price_history (
    id {id} not null primary key,
    variant_id {id} not null references variant (id),
    price_list_id {id} references price_list (id),
    currency text not null,
    amount_minor bigint not null,
    includes_tax boolean not null,
    min_quantity integer,
    max_quantity integer,
    rules {json},
    from_at {time} not null,
    until_at {time} not null
)
"#,
    r#"create index price_history_until on price_history (until_at)"#,
    r#"create index price_history_list on price_history (price_list_id) where price_list_id is not null"#,
    // A line says in which currency it was shown: the region of its cart may have changed since.
    r#"alter table cart_line add column currency text"#,
    r#"update cart_line set currency = (select cart.currency from cart where cart.id = cart_line.cart_id)"#,
    r#"alter table cart_line add column custom_price boolean not null default false"#,
    r#"create index price_history_variant on price_history (variant_id, currency, until_at)"#,
];

pub const DOWN: &[&str] = &[
    r#"alter table cart_line drop column custom_price"#,
    r#"alter table cart_line drop column currency"#,
    r#"drop table price_history"#,
    r#"drop index price_in_list"#,
    // What stands in a list or under rules is no price of those who know neither.
    r#"delete from price where price_list_id is not null or rules is not null"#,
    r#"alter table price drop column rules"#,
    r#"alter table price drop column price_list_id"#,
    r#"drop table price_list"#,
];
