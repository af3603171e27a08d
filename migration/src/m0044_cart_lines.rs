//! The lines of a cart are found by their cart: what keeps a variant from being in a cart twice has parts since some
//! lines are gifts, and neither part finds all lines.

pub const UP: &[&str] = &[r#"create index cart_line_cart on cart_line (cart_id)"#];

pub const DOWN: &[&str] = &[r#"drop index cart_line_cart"#];
