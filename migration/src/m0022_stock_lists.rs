//! The indexes of the list of items, and of what is promised of one.

pub const UP: &[&str] = &[
    r#"create index inventory_item_newest on inventory_item (created_at, id)"#,
    r#"create index inventory_item_sku on inventory_item (sku)"#,
    r#"create index reservation_item on reservation (item_id, created_at, id)"#,
];

pub const DOWN: &[&str] =
    &[r#"drop index reservation_item"#, r#"drop index inventory_item_sku"#, r#"drop index inventory_item_newest"#];
