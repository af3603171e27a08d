//! Gift cards, store credit and their ledgers for loaders.

use std::collections::HashMap;
use std::sync::Arc;

use async_graphql::dataloader::Loader;
use domain::id::{CheckoutId, CustomerId, LedgerAccountId, OrderId};
use engine::error::Error;
use engine::ledger::repo;
use entity::{ledger_account, ledger_entry};

use crate::api::call::{Batch, group};

/// A gift card or store credit by its id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct LedgerAccountOf(pub LedgerAccountId);

impl Loader<LedgerAccountOf> for Batch {
    type Value = Option<Arc<ledger_account::Model>>;
    type Error = Arc<Error>;

    async fn load(&self, keys: &[LedgerAccountOf]) -> Result<HashMap<LedgerAccountOf, Self::Value>, Self::Error> {
        let ids: Vec<_> = keys.iter().map(|key| key.0).collect();
        let rows = repo::by_ids(&self.conn, &ids).await?;
        Ok(rows.into_iter().map(|row| (LedgerAccountOf(row.id), Some(Arc::new(row)))).collect())
    }
}

/// The order that a checkout became.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct OrderOfCheckout(pub CheckoutId);

impl Loader<OrderOfCheckout> for Batch {
    type Value = Option<OrderId>;
    type Error = Arc<Error>;

    async fn load(&self, keys: &[OrderOfCheckout]) -> Result<HashMap<OrderOfCheckout, Self::Value>, Self::Error> {
        let ids: Vec<_> = keys.iter().map(|key| key.0).collect();
        let placed = engine::checkout::repo::placed(&self.conn, &ids).await?;
        Ok(placed.into_iter().map(|(checkout, order)| (OrderOfCheckout(checkout), Some(order))).collect())
    }
}

/// What the shop owes a customer, by currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct CreditsOf(pub CustomerId);

impl Loader<CreditsOf> for Batch {
    type Value = Arc<Vec<ledger_account::Model>>;
    type Error = Arc<Error>;

    async fn load(&self, keys: &[CreditsOf]) -> Result<HashMap<CreditsOf, Self::Value>, Self::Error> {
        let ids: Vec<_> = keys.iter().map(|key| key.0).collect();
        let rows = repo::credits_of(&self.conn, &ids).await?;
        Ok(group(rows.into_iter().filter_map(|row| Some((CreditsOf(row.customer_id?), row)))))
    }
}

/// The newest entries of an account, at most so many.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct NewestEntriesOf(pub LedgerAccountId, pub u64);

impl Loader<NewestEntriesOf> for Batch {
    type Value = Arc<Vec<ledger_entry::Model>>;
    type Error = Arc<Error>;

    async fn load(&self, keys: &[NewestEntriesOf]) -> Result<HashMap<NewestEntriesOf, Self::Value>, Self::Error> {
        let ids: Vec<_> = keys.iter().map(|key| key.0).collect();
        let most = keys.iter().map(|key| key.1).max().unwrap_or_default();
        let mut own: HashMap<LedgerAccountId, Vec<ledger_entry::Model>> = HashMap::new();
        for row in repo::newest_entries(&self.conn, &ids, most).await? {
            own.entry(row.account_id).or_default().push(row);
        }
        let taken = |key: &NewestEntriesOf| {
            own.get(&key.0).map(|rows| rows.iter().take(key.1 as usize).cloned().collect::<Vec<_>>())
        };
        Ok(keys.iter().filter_map(|key| Some((*key, Arc::new(taken(key)?)))).collect())
    }
}
