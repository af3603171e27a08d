//! Carts, payment sessions and checkouts.

pub const UP: &[&str] = &[
    r#"
create table cart (
    id {id} not null primary key,
    version integer not null,
    created_at {time} not null,
    updated_at {time} not null,
    token_hash {bytes} not null,
    channel_id {id} not null references channel (id),
    region_id {id} not null references region (id),
    currency text not null,
    customer_id {id} references customer (id),
    email text,
    locale text not null,
    shipping_address {json},
    billing_address {json},
    state text not null,
    expires_at {time} not null
)
"#,
    r#"
create table cart_line (
    id {id} not null primary key,
    cart_id {id} not null references cart (id),
    position integer not null,
    variant_id {id} not null references variant (id),
    quantity integer not null,
    price_id {id},
    unit_price_minor bigint not null,
    includes_tax boolean not null,
    check (quantity > 0),
    unique (cart_id, variant_id)
)
"#,
    r#"
create table cart_delivery (
    id {id} not null primary key,
    cart_id {id} not null references cart (id),
    position integer not null,
    shipping_option_id {id} references shipping_option (id),
    unique (cart_id, position)
)
"#,
    r#"
create table payment_session (
    id {id} not null primary key,
    created_at {time} not null,
    cart_id {id} not null unique references cart (id),
    provider text not null,
    data {json} not null
)
"#,
    r#"
create table checkout (
    id {id} not null primary key,
    version integer not null,
    created_at {time} not null,
    updated_at {time} not null,
    cart_id {id} not null references cart (id),
    state text not null,
    frozen {json} not null,
    frozen_hash {bytes} not null,
    total_minor bigint not null,
    currency text not null,
    provider text,
    provider_data {json},
    provider_reference text,
    next_action {json},
    order_id {id}
)
"#,
    r#"create index checkout_cart on checkout (cart_id)"#,
];

pub const DOWN: &[&str] = &[
    r#"drop table checkout"#,
    r#"drop table payment_session"#,
    r#"drop table cart_delivery"#,
    r#"drop table cart_line"#,
    r#"drop table cart"#,
];
