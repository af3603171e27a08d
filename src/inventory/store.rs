//! Stock on the store surface.

use async_graphql::{Context, ID, InputObject, Object};

use crate::api::call::call;
use crate::api::payload::payload;
use crate::api::scalar::parse_id;
use crate::catalog::variant::types::Variant;
use engine::inventory::back::RequestBackInStock;

/// What somebody waits for.
#[derive(Debug, InputObject)]
pub struct BackInStockRequestInput {
    /// Which variant; one that is out of stock in this request's channel.
    pub variant_id: ID,
    /// Where the mail goes; your own mailbox when absent and you are signed in.
    pub email: Option<String>,
}

payload! {
    /// What `backInStockRequest` did.
    BackInStockRequestPayload {
        /// The variant that is waited for.
        variant: Variant
    }
}

/// Mutations of those who wait for stock.
#[derive(Debug, Default)]
pub struct InventoryStoreMutation;

#[Object]
impl InventoryStoreMutation {
    /// Asks for one mail when a variant can be bought again, in the language of this request. Asking again changes
    /// nothing.
    async fn back_in_stock_request(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What you wait for.")] input: BackInStockRequestInput,
    ) -> async_graphql::Result<BackInStockRequestPayload> {
        let call = call(ctx)?;
        let outcome = async {
            let variant = parse_id(&input.variant_id, &["variantId"])?;
            let op = RequestBackInStock { variant, email: input.email, locale: call.locale.clone() };
            call.app.run(&call.caller, &op).await.map(Variant::from)
        };
        BackInStockRequestPayload::answer(outcome.await)
    }
}
