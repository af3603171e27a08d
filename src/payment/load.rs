//! Payments for loaders.

use std::collections::HashMap;
use std::sync::Arc;

use async_graphql::dataloader::Loader;
use domain::id::{OrderId, PaymentId};
use domain::payment::Entry;
use entity::{payment, payment_entry, payment_link};

use crate::api::call::{Batch, group};
use engine::error::Error;
use engine::payment::repo;

/// The payments of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct PaymentsOf(pub OrderId);

impl Loader<PaymentsOf> for Batch {
    type Value = Arc<Vec<payment::Model>>;
    type Error = Arc<Error>;

    async fn load(&self, keys: &[PaymentsOf]) -> Result<HashMap<PaymentsOf, Self::Value>, Self::Error> {
        let orders: Vec<_> = keys.iter().map(|key| key.0).collect();
        let rows = repo::of_orders(&self.conn, &orders).await?;
        Ok(group(rows.into_iter().filter_map(|row| Some((PaymentsOf(row.order_id?), row)))))
    }
}

/// What each payment of an order covers of it, or may yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct LedgersOf(pub OrderId);

impl Loader<LedgersOf> for Batch {
    type Value = Arc<Vec<Vec<Entry>>>;
    type Error = Arc<Error>;

    async fn load(&self, keys: &[LedgersOf]) -> Result<HashMap<LedgersOf, Self::Value>, Self::Error> {
        let orders: Vec<_> = keys.iter().map(|key| key.0).collect();
        let rows = repo::with_ledgers(&self.conn, &orders).await?;
        Ok(group(rows.into_iter().filter_map(|(row, ledger)| Some((LedgersOf(row.order_id?), ledger)))))
    }
}

/// The links to pay what an order owes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct PaymentLinksOf(pub OrderId);

impl Loader<PaymentLinksOf> for Batch {
    type Value = Arc<Vec<payment_link::Model>>;
    type Error = Arc<Error>;

    async fn load(&self, keys: &[PaymentLinksOf]) -> Result<HashMap<PaymentLinksOf, Self::Value>, Self::Error> {
        let orders: Vec<_> = keys.iter().map(|key| key.0).collect();
        let rows = repo::links_of(&self.conn, &orders).await?;
        Ok(group(rows.into_iter().map(|row| (PaymentLinksOf(row.order_id), row))))
    }
}

/// The ledger of a payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct EntriesOf(pub PaymentId);

impl Loader<EntriesOf> for Batch {
    type Value = Arc<Vec<payment_entry::Model>>;
    type Error = Arc<Error>;

    async fn load(&self, keys: &[EntriesOf]) -> Result<HashMap<EntriesOf, Self::Value>, Self::Error> {
        let payments: Vec<_> = keys.iter().map(|key| key.0).collect();
        let rows = repo::entries_of(&self.conn, &payments).await?;
        Ok(group(rows.into_iter().map(|row| (EntriesOf(row.payment_id), row))))
    }
}
