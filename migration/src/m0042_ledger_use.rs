//! Gift cards and store credit pay for carts, and gift cards are bought and mailed.

pub const UP: &[&str] = &[
    r#"alter table cart add column uses_store_credit boolean not null default false"#,
    r#"alter table cart_code add column ledger_account_id {id}"#,
    r#"alter table order_line add column gift_card boolean not null default false"#,
    r#"alter table ledger_account add column order_line_id {id}"#,
    r#"alter table ledger_account add column unit integer"#,
    r#"alter table ledger_account add column recipient text"#,
    r#"alter table ledger_account add column locale text"#,
    r#"
create unique index ledger_account_bought on ledger_account (order_line_id, unit) where order_line_id is not null
"#,
    r#"create index ledger_account_recipient on ledger_account (recipient) where recipient is not null"#,
    r#"alter table notification add column ledger_account_id {id}"#,
];

pub const DOWN: &[&str] = &[
    r#"alter table notification drop column ledger_account_id"#,
    r#"drop index ledger_account_recipient"#,
    r#"drop index ledger_account_bought"#,
    r#"alter table ledger_account drop column locale"#,
    r#"alter table ledger_account drop column recipient"#,
    r#"alter table ledger_account drop column unit"#,
    r#"alter table ledger_account drop column order_line_id"#,
    r#"alter table order_line drop column gift_card"#,
    r#"alter table cart_code drop column ledger_account_id"#,
    r#"alter table cart drop column uses_store_credit"#,
];
