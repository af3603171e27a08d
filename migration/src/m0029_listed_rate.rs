//! With which tax rate the listing prices of a region were worked out.

pub const UP: &[&str] = &[r#"alter table region add column listed_rate_ppm integer"#];

pub const DOWN: &[&str] = &[r#"alter table region drop column listed_rate_ppm"#];
