//! What a shopper is told about the shop.

use async_graphql::{Context, Object};

use super::types::Channel;
use crate::api::call::call;
use crate::region::types::Region;

/// The shop as this request sees it.
#[derive(Debug)]
pub struct Shop;

/// The shop as this request sees it.
#[Object]
impl Shop {
    /// The channel of this request.
    async fn channel(&self, ctx: &Context<'_>) -> async_graphql::Result<Channel> {
        Ok(Channel::from(&call(ctx)?.channel))
    }

    /// The region of this request; null while the shop has none.
    async fn region(&self, ctx: &Context<'_>) -> async_graphql::Result<Option<Region>> {
        Ok(call(ctx)?.region.clone().map(Region))
    }

    /// Every region of the shop, oldest first. A shop has at most 250.
    #[graphql(complexity = "5 + child_complexity * 10")]
    async fn regions(&self, ctx: &Context<'_>) -> async_graphql::Result<Vec<Region>> {
        Ok(call(ctx)?.settings.regions.iter().cloned().map(Region).collect())
    }

    /// The language in which this request is answered: a BCP 47 tag.
    async fn locale<'a>(&self, ctx: &Context<'a>) -> async_graphql::Result<&'a str> {
        Ok(&call(ctx)?.locale)
    }
}

/// Queries about the shop.
#[derive(Debug, Default)]
pub struct ShopStoreQuery;

#[Object]
impl ShopStoreQuery {
    /// The shop as this request sees it: channel, region, language.
    async fn shop(&self) -> Shop {
        Shop
    }
}
