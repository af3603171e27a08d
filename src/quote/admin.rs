//! Quotes on the admin surface: for any customer, any group and any moment.

use async_graphql::{Context, ID, InputObject, Object};
use chrono::{DateTime, Utc};
use domain::auth::Permission;
use domain::id::ChannelId;
use domain::refusal::{ErrorCode, Refusal, Refusals};
use engine::cart::ops::NewLine;
use engine::cart::rehearse::{AgreeOnPrice, Rehearsal, rehearse};
use engine::error::Result;
use engine::scope;

use super::types::{Quote, QuotePayload};
use crate::api::call::{Call, call};
use crate::api::guard::{orders_read, orders_write};
use crate::api::input::parse_ids;
use crate::api::payload::payload;
use crate::api::scalar::{Int64, MoneyInput, parse_id};
use crate::cart::types::{CartAddressesInput, CartBuyerInput};

/// Pieces of a variant that staff want to know the price of.
#[derive(Debug, InputObject)]
pub struct AdminQuoteLineInput {
    /// Which variant.
    pub variant_id: ID,
    /// How many, between 1 and 9999; one when absent.
    #[graphql(default_with = "Int64(1)")]
    pub quantity: Int64,
    /// What one piece shall cost, in the basis that is usual in the region; what applies by itself when absent.
    pub unit_price: Option<MoneyInput>,
}

/// What you want to know the price of: as a cart would cost it, for whom and when you say.
#[derive(Debug, InputObject)]
pub struct AdminQuoteInput {
    /// What, at most 100 lines.
    pub lines: Vec<AdminQuoteLineInput>,
    /// In which channel; the shop's default when absent.
    pub channel_id: Option<ID>,
    /// Who is buying, as far as he says it himself.
    #[graphql(default)]
    pub buyer: CartBuyerInput,
    /// Where it goes.
    #[graphql(default)]
    pub addresses: CartAddressesInput,
    /// Who is buying: the customer with this account.
    pub customer_id: Option<ID>,
    /// The customer groups that count, in place of those that the customer is in. At most 50.
    pub customer_group_ids: Option<Vec<ID>>,
    /// How it is sent: for each part that ships alone the option that fits it. At most 20.
    pub delivery_option_ids: Option<Vec<ID>>,
    /// Codes of promotions, at most 20. What becomes of each stands in the quote's `codes`, and among the issues when it
    /// gives nothing.
    pub codes: Option<Vec<String>>,
    /// For which moment, such as next Friday; this one when absent. Stock and settings are those of now.
    pub at: Option<DateTime<Utc>>,
}

impl AdminQuoteInput {
    /// What is asked, in a channel in which the caller holds this permission.
    pub fn read(self, call: &Call, permission: Permission) -> Result<Rehearsal> {
        let channel: Option<ChannelId> = self.channel_id.as_ref().map(|id| parse_id(id, &["channelId"])).transpose()?;
        let reach = scope::channels(&call.caller.actor, permission);
        let channel = match channel {
            Some(channel) => call.settings.channel(channel).filter(|_| reach.holds(channel)),
            None => Some(&call.channel).filter(|channel| reach.holds(channel.id)),
        };
        let channel = channel.ok_or_else(|| {
            Refusal::new(ErrorCode::NotFound, "There is no such channel, or your roles don't reach it.")
                .at(["channelId"])
        })?;
        let mut refusals = Refusals::default();
        let mut lines = Vec::with_capacity(self.lines.len());
        let mut agreed = Vec::with_capacity(self.lines.len());
        for (place, line) in self.lines.iter().enumerate() {
            let place = place.to_string();
            let variant = parse_id(&line.variant_id, &["lines", &place, "variantId"]);
            let price = line.unit_price.as_ref().map(|price| price.check(&["lines", &place, "unitPrice"]));
            let (variant, price) = (refusals.keep(variant), refusals.keep(price.transpose()));
            if let (Some(variant), Some(price)) = (variant, price) {
                lines.push(NewLine { variant, quantity: line.quantity.0 });
                agreed.push(price);
            }
        }
        refusals.into_result()?;
        let groups = self.customer_group_ids.as_deref();
        Ok(Rehearsal {
            channel: channel.id,
            region: call.settings.channel_region(channel).cloned(),
            locale: channel.default_locale.clone(),
            lines,
            agreed,
            buyer: self.buyer.into(),
            addresses: self.addresses.into(),
            customer: self.customer_id.as_ref().map(|id| parse_id(id, &["customerId"])).transpose()?,
            groups: groups.map(|ids| parse_ids(ids, "customerGroupIds", 50)).transpose()?,
            deliveries: parse_ids(&self.delivery_option_ids.unwrap_or_default(), "deliveryOptionIds", 20)?,
            codes: self.codes.unwrap_or_default(),
            at: self.at.unwrap_or_else(|| call.app.clock.now()),
            explains: true,
        })
    }
}

/// Queries about quotes.
#[derive(Debug, Default)]
pub struct QuoteAdminQuery;

#[Object]
impl QuoteAdminQuery {
    /// What lines would cost together to whom you say and when you say, with the reason for every price, tax and
    /// delivery. Nothing is stored.
    #[graphql(guard = "orders_read()")]
    async fn quote(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What you want to know the price of.")] input: AdminQuoteInput,
    ) -> async_graphql::Result<QuotePayload> {
        let call = call(ctx)?;
        let outcome = async {
            let asked = input.read(call, Permission::OrdersRead)?;
            call.app.asking(|| rehearse(&call.app, call.conn(), &call.settings, &asked)).await
        };
        QuotePayload::answer(outcome.await, true)
    }
}

/// What one piece of a line of a cart costs from now on.
#[derive(Debug, InputObject)]
pub struct AdminCartLinePriceSetInput {
    /// Which cart.
    pub cart_id: ID,
    /// Which line.
    pub line_id: ID,
    /// What one piece costs, in the cart's currency and the basis that is usual in its region. When absent the price is
    /// chosen as for everybody again.
    pub unit_price: Option<MoneyInput>,
}

payload! {
    /// What `cartLinePriceSet` did.
    AdminCartLinePriceSetPayload {
        /// What the cart costs now.
        quote: Quote
    }
}

/// Mutations of what carts cost.
#[derive(Debug, Default)]
pub struct QuoteAdminMutation;

#[Object]
impl QuoteAdminMutation {
    /// Agrees on what one piece of a line costs: no list, tier or rule counts for it until you take it back, or the
    /// cart changes its currency.
    #[graphql(guard = "orders_write()")]
    async fn cart_line_price_set(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which line, and what one piece costs.")] input: AdminCartLinePriceSetInput,
    ) -> async_graphql::Result<AdminCartLinePriceSetPayload> {
        let call = call(ctx)?;
        let outcome = async {
            let op = AgreeOnPrice {
                cart: parse_id(&input.cart_id, &["cartId"])?,
                line: parse_id(&input.line_id, &["lineId"])?,
                unit_price: input.unit_price.map(|price| price.check(&["unitPrice"])).transpose()?,
            };
            call.app.run(&call.caller, &op).await.map(|worked| Quote::new(worked, true))
        };
        AdminCartLinePriceSetPayload::answer(outcome.await)
    }
}
