//! Orders for loaders.

use std::collections::HashMap;
use std::sync::Arc;

use async_graphql::dataloader::Loader;
use domain::id::OrderId;
use entity::{event, line_adjustment, line_tax, order_line, order_shipping_line};

use crate::api::call::{Batch, group};
use engine::error::Error;
use engine::order::repo;

/// Declares a key whose value is the rows of an order.
macro_rules! order_loader {
    ($(#[$doc:meta])* $key:ident => $row:ty, $fetch:expr, $order:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub struct $key(pub OrderId);

        impl Loader<$key> for Batch {
            type Value = Arc<Vec<$row>>;
            type Error = Arc<Error>;

            async fn load(&self, keys: &[$key]) -> Result<HashMap<$key, Self::Value>, Self::Error> {
                let ids: Vec<OrderId> = keys.iter().map(|key| key.0).collect();
                let rows = $fetch(&self.conn, &ids).await?;
                Ok(group(rows.into_iter().map(|row| ($key($order(&row)), row))))
            }
        }
    };
}

order_loader! {
    /// The lines of an order by position.
    LinesOf => order_line::Model, repo::lines_of, |row: &order_line::Model| row.order_id
}

order_loader! {
    /// The shipping charges of an order by position.
    ShippingOf => order_shipping_line::Model, repo::shipping_of, |row: &order_shipping_line::Model| row.order_id
}

order_loader! {
    /// The taxes of an order.
    TaxesOf => line_tax::Model, repo::taxes_of, |row: &line_tax::Model| row.order_id
}

order_loader! {
    /// What promotions took off an order, in the order in which they came.
    AdjustmentsOf => line_adjustment::Model, repo::adjustments_of, |row: &line_adjustment::Model| row.order_id
}

order_loader! {
    /// The latest history of an order, oldest first.
    EventsOf => event::Model, repo::events_of, |row: &event::Model| OrderId(row.aggregate_id)
}
