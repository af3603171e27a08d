//! Recommendations on the store surface.

use async_graphql::{Context, ID, Object};
use domain::catalog::MAX_RELATED;
use domain::id::ProductId;
use domain::refusal::{ErrorCode, Refusal};

use crate::api::call::call;
use crate::api::payload::top_level;
use crate::catalog::types::Product;
use engine::catalog::repo::related::recommended;

/// So many as were asked for; refuses fewer than none and more than 20.
pub fn bounded(first: Option<i32>) -> Result<usize, Refusal> {
    let most = MAX_RELATED as i32;
    match first.unwrap_or(most) {
        first @ 0.. if first <= most => Ok(first as usize),
        _ => {
            let message = format!("first is between 0 and {most}.");
            Err(Refusal::new(ErrorCode::Invalid, message).limit(most.into()).at(["first"]))
        }
    }
}

/// Queries about what goes with a product.
#[derive(Debug, Default)]
pub struct RelatedStoreQuery;

#[Object]
impl RelatedStoreQuery {
    /// What else to show beside a product of this request's channel: first what the merchant named, in its order, then
    /// what shares the most of tags, type and vendor. Never the product itself; nothing beside a product that can't be
    /// seen.
    async fn product_recommendations(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Beside which product.")] product_id: ID,
        #[graphql(desc = "So many: 20 when absent, at most 20.")] first: Option<i32>,
    ) -> async_graphql::Result<Vec<Product>> {
        let call = call(ctx)?;
        let first = bounded(first).map_err(|refusal| top_level(refusal.into()))?;
        let Ok(beside) = product_id.parse::<ProductId>() else { return Ok(Vec::new()) };
        let now = call.app.clock.now();
        let rows = recommended(&call.conn(), beside, call.channel.id, now, first as i64).await.map_err(top_level)?;
        Ok(rows.into_iter().map(Product::from).collect())
    }
}
