//! Customers for loaders.

use std::collections::HashMap;
use std::sync::Arc;

use async_graphql::dataloader::Loader;
use chrono::{DateTime, Utc};
use domain::id::{ChannelId, CustomerGroupId, CustomerId};
use domain::reach::Reach;
use engine::cart::quote::{Quote, quote};
use engine::customer::repo;
use engine::error::Error;
use entity::{address, customer, customer_group, order};

use crate::api::call::{Batch, group};

/// A customer, also one who was erased.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct CustomerOf(pub CustomerId);

impl Loader<CustomerOf> for Batch {
    type Value = Option<Arc<customer::Model>>;
    type Error = Arc<Error>;

    async fn load(&self, keys: &[CustomerOf]) -> Result<HashMap<CustomerOf, Self::Value>, Self::Error> {
        let ids: Vec<_> = keys.iter().map(|key| key.0).collect();
        let rows = repo::by_ids(&self.conn, &ids).await?;
        Ok(rows.into_iter().map(|row| (CustomerOf(row.id), Some(Arc::new(row)))).collect())
    }
}

/// The address book of a customer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct AddressesOf(pub CustomerId);

impl Loader<AddressesOf> for Batch {
    type Value = Arc<Vec<address::Model>>;
    type Error = Arc<Error>;

    async fn load(&self, keys: &[AddressesOf]) -> Result<HashMap<AddressesOf, Self::Value>, Self::Error> {
        let ids: Vec<_> = keys.iter().map(|key| key.0).collect();
        let rows = repo::addresses_of(&self.conn, &ids).await?;
        Ok(group(rows.into_iter().map(|row| (AddressesOf(row.customer_id), row))))
    }
}

/// The groups of a customer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct GroupsOf(pub CustomerId);

impl Loader<GroupsOf> for Batch {
    type Value = Arc<Vec<customer_group::Model>>;
    type Error = Arc<Error>;

    async fn load(&self, keys: &[GroupsOf]) -> Result<HashMap<GroupsOf, Self::Value>, Self::Error> {
        let ids: Vec<_> = keys.iter().map(|key| key.0).collect();
        let rows = repo::groups_of(&self.conn, &ids).await?;
        Ok(group(rows.into_iter().map(|(customer, row)| (GroupsOf(customer), row))))
    }
}

/// The newest orders of a customer, at most so many, in the channels that the caller reaches.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct NewestOrdersOf(pub CustomerId, pub i64, pub Reach<ChannelId>);

impl Loader<NewestOrdersOf> for Batch {
    type Value = Arc<Vec<order::Model>>;
    type Error = Arc<Error>;

    async fn load(&self, keys: &[NewestOrdersOf]) -> Result<HashMap<NewestOrdersOf, Self::Value>, Self::Error> {
        let ids: Vec<_> = keys.iter().map(|key| key.0).collect();
        let most = keys.iter().map(|key| key.1).max().unwrap_or_default();
        // One caller asks, so all keys have one reach.
        let reach = keys.first().map(|key| key.2.clone()).unwrap_or_default();
        let rows = repo::newest_orders_of(&self.conn, &ids, most, &reach).await?;
        let mut own: HashMap<CustomerId, Vec<order::Model>> = HashMap::new();
        for row in rows {
            if let Some(customer) = row.customer_id {
                own.entry(customer).or_default().push(row);
            }
        }
        let taken = |key: &NewestOrdersOf| {
            own.get(&key.0).map(|rows| rows.iter().take(key.1 as usize).cloned().collect::<Vec<_>>())
        };
        Ok(keys.iter().filter_map(|key| Some((key.clone(), Arc::new(taken(key)?)))).collect())
    }
}

/// How many members a group has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct MembersOf(pub CustomerGroupId);

impl Loader<MembersOf> for Batch {
    type Value = i64;
    type Error = Arc<Error>;

    async fn load(&self, keys: &[MembersOf]) -> Result<HashMap<MembersOf, Self::Value>, Self::Error> {
        let ids: Vec<_> = keys.iter().map(|key| key.0).collect();
        let rows = repo::groups::member_counts(&self.conn, &ids).await?;
        Ok(rows.into_iter().map(|(group, count)| (MembersOf(group), count)).collect())
    }
}

/// The open cart of a customer that was changed last, as it is at this
/// moment. The store shows each caller himself alone, so there is one key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct CartOf(pub CustomerId, pub DateTime<Utc>);

impl Loader<CartOf> for Batch {
    type Value = Option<Arc<Quote>>;
    type Error = Arc<Error>;

    async fn load(&self, keys: &[CartOf]) -> Result<HashMap<CartOf, Self::Value>, Self::Error> {
        let mut found = HashMap::new();
        for key in keys {
            if let Some(cart) = engine::cart::repo::open_of(&self.conn, key.0, None, key.1).await.map_err(Arc::new)? {
                let rows = engine::cart::repo::rows_of(&self.conn, cart).await.map_err(Arc::new)?;
                let told = quote(&self.conn, &self.settings, rows, key.1).await.map_err(Arc::new)?;
                found.insert(*key, Some(Arc::new(told)));
            }
        }
        Ok(found)
    }
}
