//! Orders, payments and fulfillments.

pub const UP: &[&str] = &[
    r#"
create table "order" (
    id {id} not null primary key,
    version integer not null,
    created_at {time} not null,
    updated_at {time} not null,
    number bigint unique,
    channel_id {id} not null references channel (id),
    region_id {id} not null references region (id),
    currency text not null,
    customer_id {id} references customer (id),
    checkout_id {id} not null unique references checkout (id),
    email text not null,
    locale text not null,
    status text not null,
    payment_status text not null,
    fulfillment_status text not null,
    subtotal_minor bigint not null,
    discount_minor bigint not null,
    shipping_minor bigint not null,
    tax_minor bigint not null,
    total_minor bigint not null,
    shipping_address {json},
    billing_address {json},
    placed_at {time} not null,
    canceled_at {time}
)
"#,
    r#"create index order_placed on "order" (placed_at, id)"#,
    r#"create index order_status on "order" (status, placed_at)"#,
    r#"create index order_payment_status on "order" (payment_status, placed_at)"#,
    r#"create index order_fulfillment_status on "order" (fulfillment_status, placed_at)"#,
    r#"create index order_email on "order" (email)"#,
    r#"
create table order_line (
    id {id} not null primary key,
    order_id {id} not null references "order" (id),
    position integer not null,
    variant_id {id} references variant (id),
    product_id {id} references product (id),
    title text not null,
    variant_title text not null,
    sku text,
    options {json} not null,
    thumbnail text,
    requires_shipping boolean not null,
    unit_price_minor bigint not null,
    includes_tax boolean not null,
    subtotal_minor bigint not null,
    discount_minor bigint not null,
    net_minor bigint not null,
    tax_minor bigint not null,
    total_minor bigint not null,
    ordered integer not null,
    fulfilled integer not null,
    shipped integer not null,
    delivered integer not null,
    canceled integer not null,
    unique (order_id, position),
    check (fulfilled + canceled <= ordered and shipped <= fulfilled and delivered <= shipped)
)
"#,
    r#"
create table order_shipping_line (
    id {id} not null primary key,
    order_id {id} not null references "order" (id),
    position integer not null,
    shipping_option_id {id} references shipping_option (id),
    name text not null,
    amount_minor bigint not null,
    includes_tax boolean not null,
    discount_minor bigint not null,
    net_minor bigint not null,
    tax_minor bigint not null,
    total_minor bigint not null,
    unique (order_id, position)
)
"#,
    r#"
create table line_tax (
    id {id} not null primary key,
    order_id {id} not null references "order" (id),
    order_line_id {id} references order_line (id),
    order_shipping_line_id {id} references order_shipping_line (id),
    code text not null,
    name text not null,
    rate_ppm integer not null,
    base_minor bigint not null,
    tax_minor bigint not null
)
"#,
    r#"create index line_tax_order on line_tax (order_id)"#,
    r#"
create table order_token (
    id {id} not null primary key,
    order_id {id} not null references "order" (id),
    created_at {time} not null,
    expires_at {time} not null,
    revoked_at {time}
)
"#,
    r#"create index order_token_order on order_token (order_id)"#,
    r#"
create table payment (
    id {id} not null primary key,
    version integer not null,
    created_at {time} not null,
    updated_at {time} not null,
    checkout_id {id} not null references checkout (id),
    order_id {id} references "order" (id),
    provider text not null,
    amount_minor bigint not null,
    currency text not null,
    state text not null,
    provider_reference text
)
"#,
    r#"create index payment_order on payment (order_id)"#,
    r#"create index payment_checkout on payment (checkout_id)"#,
    r#"
create table payment_entry (
    id {id} not null primary key,
    at {time} not null,
    payment_id {id} not null references payment (id),
    kind text not null,
    state text not null,
    amount_minor bigint not null,
    provider_reference text,
    cause text not null,
    check (amount_minor >= 0)
)
"#,
    r#"create index payment_entry_payment on payment_entry (payment_id)"#,
    r#"
create table fulfillment (
    id {id} not null primary key,
    version integer not null,
    created_at {time} not null,
    updated_at {time} not null,
    order_id {id} not null references "order" (id),
    location_id {id} not null references location (id),
    state text not null,
    shipped_at {time},
    delivered_at {time},
    canceled_at {time}
)
"#,
    r#"create index fulfillment_order on fulfillment (order_id)"#,
    r#"
create table fulfillment_line (
    id {id} not null primary key,
    fulfillment_id {id} not null references fulfillment (id),
    order_line_id {id} not null references order_line (id),
    quantity integer not null,
    check (quantity > 0)
)
"#,
    r#"create index fulfillment_line_fulfillment on fulfillment_line (fulfillment_id)"#,
    r#"
create table fulfillment_item (
    fulfillment_id {id} not null references fulfillment (id),
    order_line_id {id} not null references order_line (id),
    item_id {id} not null references inventory_item (id),
    quantity integer not null,
    primary key (fulfillment_id, order_line_id, item_id)
)
"#,
    r#"
create table tracking (
    id {id} not null primary key,
    fulfillment_id {id} not null references fulfillment (id),
    number text not null,
    carrier text,
    url text
)
"#,
    r#"create index tracking_fulfillment on tracking (fulfillment_id)"#,
];

pub const DOWN: &[&str] = &[
    r#"drop table tracking"#,
    r#"drop table fulfillment_item"#,
    r#"drop table fulfillment_line"#,
    r#"drop table fulfillment"#,
    r#"drop table payment_entry"#,
    r#"drop table payment"#,
    r#"drop table order_token"#,
    r#"drop table line_tax"#,
    r#"drop table order_shipping_line"#,
    r#"drop table order_line"#,
    r#"drop table "order""#,
];
