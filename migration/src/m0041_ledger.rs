//! Gift cards and store credit: accounts, and the entries whose sum is what is on them.

pub const UP: &[&str] = &[
    r#"
create table ledger_account (
    id {id} not null primary key,
    version integer not null,
    created_at {time} not null,
    updated_at {time} not null,
    created_by text not null,
    kind text not null,
    currency text not null,
    balance_minor bigint not null,
    customer_id {id} references customer (id),
    code_hash {bytes},
    code_sealed {bytes},
    last_characters text,
    expires_at {time},
    frozen_at {time},
    note text,
    check (balance_minor >= 0),
    check ((kind = 'GIFT_CARD') = (code_hash is not null)),
    check (kind = 'GIFT_CARD' or customer_id is not null)
)
"#,
    r#"create unique index ledger_account_code on ledger_account (code_hash)"#,
    r#"
create unique index ledger_account_credit on ledger_account (customer_id, currency) where kind = 'STORE_CREDIT'
"#,
    r#"create index ledger_account_customer on ledger_account (customer_id)"#,
    r#"create index ledger_account_created on ledger_account (kind, created_at, id)"#,
    r#"create index ledger_account_balance on ledger_account (kind, balance_minor, id)"#,
    r#"
create table ledger_entry (
    id {id} not null primary key,
    at {time} not null,
    account_id {id} not null references ledger_account (id),
    kind text not null,
    amount_minor bigint not null,
    balance_minor bigint not null,
    checkout_id {id} references checkout (id),
    order_id {id},
    other_account_id {id} references ledger_account (id),
    actor text not null,
    note text,
    check (amount_minor <> 0),
    check (balance_minor >= 0)
)
"#,
    r#"create index ledger_entry_account on ledger_entry (account_id, id)"#,
    r#"create index ledger_entry_checkout on ledger_entry (checkout_id) where checkout_id is not null"#,
    r#"create index ledger_entry_order on ledger_entry (order_id) where order_id is not null"#,
];

pub const DOWN: &[&str] = &[r#"drop table ledger_entry"#, r#"drop table ledger_account"#];
