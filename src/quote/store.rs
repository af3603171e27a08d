//! Quotes on the store surface.

use async_graphql::{Context, ID, InputObject, Object};
use engine::auth::token::random_token;
use engine::cart::codes::{count_guesses, forgive_all};
use engine::cart::rehearse::{Rehearsal, rehearse};

use super::types::QuotePayload;
use crate::api::call::call;
use crate::api::input::parse_ids;
use crate::cart::store::{CartLineInput, new_lines};
use crate::cart::types::{CartAddressesInput, CartBuyerInput};

/// What you want to know the price of. It is worked out as a cart would be, for you and at this moment.
#[derive(Debug, InputObject)]
pub struct QuoteInput {
    /// What, at most 100 lines.
    pub lines: Vec<CartLineInput>,
    /// Who is buying.
    #[graphql(default)]
    pub buyer: CartBuyerInput,
    /// Where it goes.
    #[graphql(default)]
    pub addresses: CartAddressesInput,
    /// How it is sent: for each part that ships alone the option that fits it. At most 20.
    pub delivery_option_ids: Option<Vec<ID>>,
    /// Codes of promotions, at most 20. What becomes of each stands in the quote's `codes`, and among the issues when it
    /// gives nothing.
    pub codes: Option<Vec<String>>,
}

/// Queries about quotes.
#[derive(Debug, Default)]
pub struct QuoteStoreQuery;

#[Object]
impl QuoteStoreQuery {
    /// What lines would cost together, with the reason for every price and tax. Nothing is stored.
    async fn quote(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What you want to know the price of.")] input: QuoteInput,
    ) -> async_graphql::Result<QuotePayload> {
        let call = call(ctx)?;
        let outcome = async {
            let lines = new_lines(&input.lines)?;
            let asked = Rehearsal {
                channel: call.channel.id,
                region: call.region.clone(),
                locale: call.locale.clone(),
                agreed: Vec::new(),
                lines,
                buyer: input.buyer.into(),
                addresses: input.addresses.into(),
                customer: call.caller.actor.customer(),
                groups: None,
                deliveries: parse_ids(&input.delivery_option_ids.unwrap_or_default(), "deliveryOptionIds", 20)?,
                codes: input.codes.unwrap_or_default(),
                at: call.app.clock.now(),
                explains: false,
            };
            let guess = random_token("q_");
            count_guesses(&call.app, &call.caller, &guess, &asked.codes).await?;
            let told = call.app.asking(|| rehearse(&call.app, call.conn(), &call.settings, &asked)).await?;
            forgive_all(&call.app, &call.caller, &guess, &told).await?;
            Ok(told)
        };
        QuotePayload::answer(outcome.await, false)
    }
}
