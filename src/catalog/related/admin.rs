//! Products beside products on the admin surface.

use async_graphql::{Context, ID, InputObject, Object};
use domain::catalog::MAX_RELATED;
use domain::refusal::{ErrorCode, Refusal, Refusals};

use crate::api::call::call;
use crate::api::guard::catalog_write;
use crate::api::payload::payload;
use crate::api::scalar::parse_id;
use crate::catalog::types::AdminProduct;
use engine::catalog::related::SetRelated;
use engine::error::Error;

/// What stands beside a product.
#[derive(Debug, InputObject)]
pub struct AdminProductRelatedSetInput {
    /// Beside which product.
    pub id: ID,
    /// The version that you read; another one in the database is a `CONFLICT`.
    pub expected_version: Option<i32>,
    /// These products and no others, in order, at most 20.
    pub related_ids: Vec<ID>,
}

payload! {
    /// What `productRelatedSet` did.
    AdminProductRelatedSetPayload {
        /// The product as it is now.
        product: AdminProduct
    }
}

/// Mutations of what stands beside products.
#[derive(Debug, Default)]
pub struct RelatedAdminMutation;

#[Object]
impl RelatedAdminMutation {
    /// Says which products stand beside a product.
    #[graphql(guard = "catalog_write()")]
    async fn product_related_set(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The product and its neighbors.")] input: AdminProductRelatedSetInput,
    ) -> async_graphql::Result<AdminProductRelatedSetPayload> {
        let call = call(ctx)?;
        let outcome = async {
            let mut refusals = Refusals::default();
            let id = refusals.keep(parse_id(&input.id, &["id"]));
            if input.related_ids.len() > MAX_RELATED {
                let message = format!("At most {MAX_RELATED} products stand beside another.");
                let refusal = Refusal::new(ErrorCode::TooMany, message).limit(MAX_RELATED as i64);
                return Err(refusal.at(["relatedIds"]).into());
            }
            let read = |(place, id): (usize, &ID)| parse_id(id, &["relatedIds", &place.to_string()]);
            let related = input.related_ids.iter().enumerate().filter_map(|each| refusals.keep(read(each))).collect();
            refusals.into_result()?;
            let id = id.ok_or_else(|| Error::internal("a refusal was lost"))?;
            let op = SetRelated { id, related, expected_version: input.expected_version };
            call.app.run(&call.caller, &op).await.map(AdminProduct::from)
        };
        AdminProductRelatedSetPayload::answer(outcome.await)
    }
}
