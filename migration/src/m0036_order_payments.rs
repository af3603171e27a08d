//! Payments of what an order still owes, and links to pay it by.

pub const UP: &[&str] = &[
    r#"alter table payment add column data {json}"#,
    r#"alter table payment add column next_action {json}"#,
    r#"alter table payment add column capture text"#,
    r#"alter table payment add column failure text"#,
    r#"
create table payment_link (
    id {id} not null primary key,
    order_id {id} not null references "order" (id),
    created_at {time} not null,
    created_by text not null,
    expires_at {time} not null,
    revoked_at {time},
    amount_minor bigint,
    currency text not null,
    check (amount_minor > 0)
)
"#,
    r#"create index payment_link_order on payment_link (order_id)"#,
    r#"alter table payment add column link_id {id} references payment_link (id)"#,
    r#"create index payment_link_of on payment (link_id)"#,
    r#"alter table provider_event add column payment_id {id}"#,
];

pub const DOWN: &[&str] = &[
    r#"alter table provider_event drop column payment_id"#,
    r#"drop index payment_link_of"#,
    r#"alter table payment drop column link_id"#,
    r#"drop table payment_link"#,
    r#"alter table payment drop column failure"#,
    r#"alter table payment drop column capture"#,
    r#"alter table payment drop column next_action"#,
    r#"alter table payment drop column data"#,
];
