//! Why a line of an order cost what it did.

pub const UP: &[&str] = &[r#"alter table order_line add column explanation {json}"#];

pub const DOWN: &[&str] = &[r#"alter table order_line drop column explanation"#];
