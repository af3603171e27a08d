//! What is counted where, what is promised, and every movement.

pub const UP: &[&str] = &[
    r#"
create table inventory_item (
    id {id} not null primary key,
    created_at {time} not null,
    sku text
)
"#,
    r#"
create table variant_item (
    variant_id {id} not null references variant (id),
    item_id {id} not null references inventory_item (id),
    required_quantity integer not null,
    primary key (variant_id, item_id),
    check (required_quantity > 0)
)
"#,
    r#"
create table stock_level (
    item_id {id} not null references inventory_item (id),
    location_id {id} not null references location (id),
    stocked integer not null,
    reserved integer not null,
    updated_at {time} not null,
    primary key (item_id, location_id),
    check (stocked >= 0),
    check (reserved >= 0)
)
"#,
    r#"
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
    r#"create index reservation_checkout on reservation (checkout_id)"#,
    r#"create index reservation_order_line on reservation (order_line_id)"#,
    r#"
create table stock_movement (
    id {id} not null primary key,
    at {time} not null,
    item_id {id} not null references inventory_item (id),
    location_id {id} not null references location (id),
    delta integer not null,
    reason text not null,
    cause text,
    actor text not null
)
"#,
    r#"create index stock_movement_item on stock_movement (item_id, location_id)"#,
];

pub const DOWN: &[&str] = &[
    r#"drop table stock_movement"#,
    r#"drop table reservation"#,
    r#"drop table stock_level"#,
    r#"drop table variant_item"#,
    r#"drop table inventory_item"#,
];
