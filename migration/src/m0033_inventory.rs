//! Stock that is kept back, expected or held for a while; which location gives; who wants to know when it is back.

pub const UP: &[&str] = &[
    r#"alter table stock_level add column safety integer not null default 0 check (safety >= 0)"#,
    r#"alter table stock_level add column incoming integer not null default 0 check (incoming >= 0)"#,
    r#"alter table stock_level add column incoming_at {time}"#,
    r#"alter table stock_level add column low_stock integer not null default 3 check (low_stock >= 0)"#,
    r#"alter table stock_movement add column counted text not null default 'STOCKED'"#,
    r#"create index stock_movement_newest on stock_movement (at, id)"#,
    r#"alter table inventory_item add column title text"#,
    r#"alter table variant add column release_at {time}"#,
    r#"alter table channel add column allocation text not null default 'PRIORITY'"#,
    r#"alter table channel add column shows_quantity boolean not null default false"#,
    r#"alter table channel add column hold_minutes integer"#,
    r#"{postgres}alter table reservation alter column checkout_id drop not null"#,
    r#"{postgres}alter table reservation alter column position drop not null"#,
    r#"{postgres}alter table reservation add column cart_id uuid references cart (id)"#,
    r#"{postgres}alter table reservation add column expires_at timestamptz"#,
    r#"{postgres}alter table reservation add column note text"#,
    r#"{postgres}alter table reservation add column may_wait boolean not null default false"#,
    r#"{sqlite}drop index reservation_item"#,
    r#"{sqlite}drop index reservation_order_line"#,
    r#"{sqlite}drop index reservation_checkout"#,
    r#"{sqlite}alter table reservation rename to reservation_before"#,
    r#"{sqlite}
create table reservation (
    id {id} not null primary key,
    created_at {time} not null,
    item_id {id} not null references inventory_item (id),
    location_id {id} not null references location (id),
    quantity integer not null,
    checkout_id {id},
    position integer,
    order_line_id {id},
    cart_id {id} references cart (id),
    expires_at {time},
    note text,
    may_wait boolean not null default false,
    check (quantity > 0)
)
"#,
    r#"{sqlite}
insert into reservation (id, created_at, item_id, location_id, quantity, checkout_id, position, order_line_id)
select id, created_at, item_id, location_id, quantity, checkout_id, position, order_line_id from reservation_before
"#,
    r#"{sqlite}drop table reservation_before"#,
    r#"{sqlite}create index reservation_checkout on reservation (checkout_id)"#,
    r#"{sqlite}create index reservation_order_line on reservation (order_line_id)"#,
    r#"{sqlite}create index reservation_item on reservation (item_id, created_at, id)"#,
    // What was sold under backorder before stays allowed to wait.
    r#"
update reservation set may_wait = true where exists (
    select 1 from variant_item join variant on variant.id = variant_item.variant_id
    where variant_item.item_id = reservation.item_id and variant.backorder <> 'DENY')
"#,
    r#"create index reservation_cart on reservation (cart_id) where cart_id is not null"#,
    r#"create index reservation_expiry on reservation (expires_at) where expires_at is not null"#,
    r#"create index reservation_newest on reservation (created_at, id)"#,
    r#"
create table back_in_stock_request (
    id {id} not null primary key,
    created_at {time} not null,
    variant_id {id} not null references variant (id),
    channel_id {id} not null references channel (id),
    email text not null,
    locale text not null,
    customer_id {id} references customer (id)
)
"#,
    r#"create unique index back_in_stock_request_once on back_in_stock_request (variant_id, channel_id, email)"#,
    r#"create index back_in_stock_request_email on back_in_stock_request (email)"#,
    r#"alter table notification add column variant_id {id}"#,
];

pub const DOWN: &[&str] = &[
    r#"delete from notification where variant_id is not null"#,
    r#"alter table notification drop column variant_id"#,
    r#"drop table back_in_stock_request"#,
    r#"
update stock_level set reserved = reserved - (
    select coalesce(sum(quantity), 0) from reservation where reservation.checkout_id is null
    and reservation.item_id = stock_level.item_id and reservation.location_id = stock_level.location_id)
"#,
    r#"delete from reservation where checkout_id is null"#,
    r#"drop index reservation_newest"#,
    r#"drop index reservation_expiry"#,
    r#"drop index reservation_cart"#,
    r#"{postgres}alter table reservation drop column may_wait"#,
    r#"{postgres}alter table reservation drop column note"#,
    r#"{postgres}alter table reservation drop column expires_at"#,
    r#"{postgres}alter table reservation drop column cart_id"#,
    r#"{postgres}alter table reservation alter column position set not null"#,
    r#"{postgres}alter table reservation alter column checkout_id set not null"#,
    r#"{sqlite}drop index reservation_item"#,
    r#"{sqlite}drop index reservation_order_line"#,
    r#"{sqlite}drop index reservation_checkout"#,
    r#"{sqlite}alter table reservation rename to reservation_after"#,
    r#"{sqlite}
create table reservation (
    id {id} not null primary key,
    created_at {time} not null,
    item_id {id} not null references inventory_item (id),
    location_id {id} not null references location (id),
    quantity integer not null,
    checkout_id {id} not null,
    position integer not null,
    order_line_id {id},
    check (quantity > 0)
)
"#,
    r#"{sqlite}
insert into reservation (id, created_at, item_id, location_id, quantity, checkout_id, position, order_line_id)
select id, created_at, item_id, location_id, quantity, checkout_id, position, order_line_id from reservation_after
"#,
    r#"{sqlite}drop table reservation_after"#,
    r#"{sqlite}create index reservation_checkout on reservation (checkout_id)"#,
    r#"{sqlite}create index reservation_order_line on reservation (order_line_id)"#,
    r#"{sqlite}create index reservation_item on reservation (item_id, created_at, id)"#,
    r#"alter table channel drop column hold_minutes"#,
    r#"alter table channel drop column shows_quantity"#,
    r#"alter table channel drop column allocation"#,
    r#"alter table variant drop column release_at"#,
    r#"alter table inventory_item drop column title"#,
    r#"drop index stock_movement_newest"#,
    r#"delete from stock_movement where counted = 'INCOMING'"#,
    r#"alter table stock_movement drop column counted"#,
    r#"{postgres}alter table stock_level drop column low_stock"#,
    r#"{postgres}alter table stock_level drop column incoming_at"#,
    r#"{postgres}alter table stock_level drop column incoming"#,
    r#"{postgres}alter table stock_level drop column safety"#,
    r#"{sqlite}alter table stock_level drop column low_stock"#,
    r#"{sqlite}alter table stock_level drop column incoming_at"#,
    r#"{sqlite}alter table stock_level drop column incoming"#,
    r#"{sqlite}alter table stock_level drop column safety"#,
];
