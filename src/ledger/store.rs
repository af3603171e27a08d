//! Gift cards on the store surface.

use async_graphql::{Context, InputObject, Object};

use super::types::{GiftCard, StoreCredit};
use crate::api::call::call;
use crate::api::payload::{payload, top_level};
use engine::ledger::{code, ops};

/// Queries about gift cards.
#[derive(Debug, Default)]
pub struct LedgerStoreQuery;

#[Object]
impl LedgerStoreQuery {
    /// What is on a gift card; null when no card has this code. After too many codes that no card has, it is
    /// `THROTTLED` for a while.
    async fn gift_card(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Its code, in capitals or not, with hyphens or without.")] code: String,
    ) -> async_graphql::Result<Option<GiftCard>> {
        let call = call(ctx)?;
        let found = code::look_up(&call.app, &call.caller, &code).await.map_err(top_level)?;
        Ok(found.map(|row| GiftCard::at(&row, call.app.clock.now())))
    }
}

/// Which gift card is claimed.
#[derive(Debug, InputObject)]
pub struct GiftCardClaimInput {
    /// Its code, in capitals or not, with hyphens or without.
    pub code: String,
}

payload! {
    /// What `giftCardClaim` did.
    GiftCardClaimPayload {
        /// Your store credit with what was on the card.
        store_credit: StoreCredit
    }
}

/// Mutations about gift cards.
#[derive(Debug, Default)]
pub struct LedgerStoreMutation;

#[Object]
impl LedgerStoreMutation {
    /// Moves all that is on a gift card to your store credit, so that nobody else who has the code can spend it.
    async fn gift_card_claim(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which card.")] input: GiftCardClaimInput,
    ) -> async_graphql::Result<GiftCardClaimPayload> {
        let call = call(ctx)?;
        let claimed = ops::claim(&call.app, &call.caller, &input.code).await;
        GiftCardClaimPayload::answer(claimed.map(|row| StoreCredit::from(&row)))
    }
}
