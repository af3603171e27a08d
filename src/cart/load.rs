//! Carts for loaders.

use std::collections::HashMap;
use std::sync::Arc;

use async_graphql::dataloader::Loader;
use domain::id::CartId;
use engine::cart::left::repo::{self, LeftLine};
use engine::error::Error;
use entity::order;

use crate::api::call::{Batch, group};

/// The lines of a cart by position, each with what it is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct LeftLinesOf(pub CartId);

impl Loader<LeftLinesOf> for Batch {
    type Value = Arc<Vec<LeftLine>>;
    type Error = Arc<Error>;

    async fn load(&self, keys: &[LeftLinesOf]) -> Result<HashMap<LeftLinesOf, Self::Value>, Self::Error> {
        let ids: Vec<_> = keys.iter().map(|key| key.0).collect();
        let rows = repo::lines_of(&self.conn, &ids).await?;
        Ok(group(rows.into_iter().map(|row| (LeftLinesOf(row.line.cart_id), row))))
    }
}

/// The order that a cart became.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct OrderOfCart(pub CartId);

impl Loader<OrderOfCart> for Batch {
    type Value = Option<order::Model>;
    type Error = Arc<Error>;

    async fn load(&self, keys: &[OrderOfCart]) -> Result<HashMap<OrderOfCart, Self::Value>, Self::Error> {
        let ids: Vec<_> = keys.iter().map(|key| key.0).collect();
        let rows = repo::orders_of(&self.conn, &ids).await?;
        Ok(rows.into_iter().map(|(cart, row)| (OrderOfCart(cart), Some(row))).collect())
    }
}
