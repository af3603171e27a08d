//! Values of options for loaders.

use std::collections::HashMap;
use std::sync::Arc;

use async_graphql::dataloader::Loader;
use domain::id::OptionId;
use entity::option_value;

use crate::api::call::{Batch, group};
use engine::catalog::repo::write::values_of;
use engine::error::Error;

/// Every value of an option in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ValuesOf(pub OptionId);

impl Loader<ValuesOf> for Batch {
    type Value = Arc<Vec<option_value::Model>>;
    type Error = Arc<Error>;

    async fn load(&self, keys: &[ValuesOf]) -> Result<HashMap<ValuesOf, Self::Value>, Self::Error> {
        let ids: Vec<OptionId> = keys.iter().map(|key| key.0).collect();
        let rows = values_of(&self.conn, &ids).await?;
        Ok(group(rows.into_iter().map(|row| (ValuesOf(row.option_id), row))))
    }
}
