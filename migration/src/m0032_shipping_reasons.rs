//! How the shipping charges of an order were found.

pub const UP: &[&str] = &[r#"alter table order_shipping_line add column explanation {json}"#];

pub const DOWN: &[&str] = &[r#"alter table order_shipping_line drop column explanation"#];
