//! Gift cards and store credit: accounts with a ledger of their own, which pay
//! for orders beside a provider.
//!
//! A card is found by the keyed hash of its code, so that a copy of the
//! database alone tells no code. The code itself is kept sealed until somebody
//! claims the card.
//!
//! | to change | edit |
//! |---|---|
//! | what an account may do | `domain::ledger` |
//! | what staff and customers do with accounts | [`ops`] |
//! | how a code is looked up without being guessed | [`code`] |
//! | what checkouts take and what orders give back | [`spend`] |
//! | gift cards that are bought | [`bought`] |

pub mod bought;
pub mod code;
pub mod ops;
pub mod repo;
pub mod spend;

use domain::id::{CustomerId, LedgerAccountId};
use domain::ledger::{LedgerAccount, LedgerKind};
use entity::ledger_account;

use crate::event::Aggregate;

/// The aggregate of an account.
pub fn aggregate(row: &ledger_account::Model) -> Aggregate {
    let kind = match row.kind {
        LedgerKind::GiftCard => "gift_card",
        LedgerKind::StoreCredit => "store_credit",
    };
    Aggregate::new(kind, row.id)
}

/// An account as the rules see it.
pub fn account(row: &ledger_account::Model) -> LedgerAccount {
    LedgerAccount {
        id: row.id,
        kind: row.kind,
        currency: row.currency,
        balance_minor: row.balance_minor,
        expires_at: row.expires_at.map(|at| at.timestamp_micros()),
        frozen: row.frozen_at.is_some(),
    }
}

/// To what a sealed code belongs.
fn owner(id: LedgerAccountId) -> String {
    format!("gift_card:{id}")
}

/// The words of an account for the audit log: no code, no name.
fn summary(row: &ledger_account::Model) -> serde_json::Value {
    serde_json::json!({
        "currency": row.currency, "balanceMinor": row.balance_minor, "expiresAt": row.expires_at,
        "frozenAt": row.frozen_at, "customerId": row.customer_id.map(|id: CustomerId| id.to_string()),
    })
}
