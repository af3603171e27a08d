//! Lists, counts and exports of a promotion's codes look at those that are in use: so do their indexes, which a million
//! that are gone don't make longer. Codes of deleted promotions are looked for by promotion.

pub const UP: &[&str] = &[
    r#"drop index promotion_code_promotion"#,
    r#"drop index promotion_code_id"#,
    r#"drop index promotion_code_batch"#,
    r#"
create index promotion_code_promotion on promotion_code (promotion_id, created_at, id) where deleted_at is null
"#,
    r#"create index promotion_code_id on promotion_code (promotion_id, id) where deleted_at is null"#,
    r#"create index promotion_code_batch on promotion_code (promotion_id, batch, id) where deleted_at is null"#,
    r#"create index promotion_deleted on promotion (id) where deleted_at is not null"#,
];

pub const DOWN: &[&str] = &[
    r#"drop index promotion_deleted"#,
    r#"drop index promotion_code_batch"#,
    r#"drop index promotion_code_id"#,
    r#"drop index promotion_code_promotion"#,
    r#"create index promotion_code_promotion on promotion_code (promotion_id, created_at, id)"#,
    r#"create index promotion_code_id on promotion_code (promotion_id, id)"#,
    r#"create index promotion_code_batch on promotion_code (promotion_id, batch, id)"#,
];
