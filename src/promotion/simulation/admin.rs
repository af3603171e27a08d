//! Simulations of promotions on the admin surface.

use async_graphql::{Context, ID, InputObject, Object};
use chrono::{DateTime, Utc};
use domain::auth::Permission;
use domain::id::PromotionId;
use domain::refusal::{ErrorCode, Refusal, Refusals};

use super::types::{AdminPromotionCartTrial, AdminPromotionSimulatePayload, PastOrders};
use crate::api::call::{Call, call};
use crate::api::guard::catalog_read;
use crate::api::payload::part;
use crate::api::scalar::parse_id;
use crate::quote::admin::AdminQuoteInput;
use engine::error::{Error, Result};
use engine::order::repo::OrderFilter;
use engine::promotion::repo;
use engine::promotion::simulation::on_cart;
use engine::promotion::simulation::orders::MAX_ORDERS;
use engine::scope;
use engine::version::Change;
use entity::promotion;

/// Orders of the past that a promotion is tried on: the newest of those that you name. Canceled ones are left out.
#[derive(Debug, InputObject)]
pub struct AdminPromotionSimulateOrdersInput {
    /// Placed at this moment or later.
    pub placed_from: Option<DateTime<Utc>>,
    /// Placed before this moment.
    pub placed_before: Option<DateTime<Utc>>,
    /// Bought in this channel; in every one that your roles reach when absent.
    pub channel_id: Option<ID>,
    /// At most so many, 1 to 1000.
    #[graphql(default = 1000)]
    pub first: i32,
}

impl AdminPromotionSimulateOrdersInput {
    fn read(self, call: &Call) -> Result<(OrderFilter, usize)> {
        let mut refusals = Refusals::default();
        let channel = self.channel_id.as_ref().map(|id| parse_id(id, &["orders", "channelId"])).transpose();
        let channel = refusals.keep(channel).flatten();
        let most = usize::try_from(self.first).ok().filter(|most| (1..=MAX_ORDERS).contains(most));
        if most.is_none() {
            let message = format!("Between 1 and {MAX_ORDERS} orders are looked at.");
            refusals.push(Refusal::new(ErrorCode::Invalid, message).limit(MAX_ORDERS as i64).at(["orders", "first"]));
        }
        refusals.into_result()?;
        let filter = OrderFilter {
            channel,
            placed_from: self.placed_from,
            placed_before: self.placed_before,
            channels: scope::channels(&call.caller.actor, Permission::OrdersRead),
            ..OrderFilter::default()
        };
        Ok((filter, most.unwrap_or(MAX_ORDERS)))
    }
}

/// Which promotion is tried, and on what: a cart, orders of the past, or both.
#[derive(Debug, InputObject)]
pub struct AdminPromotionSimulateInput {
    /// The promotion: a draft, one that is held back, or one that runs.
    pub promotion_id: ID,
    /// A cart that you think of. Naming its buyer, by account or mailbox, needs ORDERS_READ in its channel besides.
    pub cart: Option<AdminQuoteInput>,
    /// Orders of the past; reading what it would have done to them needs ORDERS_READ besides.
    pub orders: Option<AdminPromotionSimulateOrdersInput>,
}

/// Refusals of a part of the input, each where that part stands.
fn below<T>(place: &str, outcome: Result<T>) -> Result<T> {
    let moved = |refusal: Refusal| {
        let path: Vec<String> = std::iter::once(place.to_owned()).chain(refusal.path.iter().cloned()).collect();
        refusal.at(path)
    };
    outcome.map_err(|error| match error {
        Error::Refused(refusals) => Error::Refused(refusals.into_iter().map(moved).collect()),
        other => other,
    })
}

async fn on_sample(call: &Call, row: &promotion::Model, input: AdminQuoteInput) -> Result<AdminPromotionCartTrial> {
    let asked = input.read(call, Permission::CatalogRead)?;
    // What a buyer would pay tells what he bought: that only those learn who may read orders of this channel.
    let named = match (asked.customer, &asked.buyer.email) {
        (Some(_), _) => Some(&["customerId"][..]),
        (None, Change::To(_)) => Some(&["buyer", "email"][..]),
        _ => None,
    };
    let reads = scope::channels(&call.caller.actor, Permission::OrdersRead).holds(asked.channel);
    if let Some(path) = named.filter(|_| !reads) {
        let message = "Naming a buyer needs ORDERS_READ in the cart's channel.";
        return Err(Refusal::new(ErrorCode::OutOfScope, message).at(path.iter().copied()).into());
    }
    let tried = call.app.asking(|| on_cart(&call.app, || call.conn(), &call.settings, row, &asked)).await?;
    Ok(AdminPromotionCartTrial::new(row, tried))
}

/// Queries about what promotions would do.
#[derive(Debug, Default)]
pub struct SimulationAdminQuery;

#[Object]
impl SimulationAdminQuery {
    /// What a promotion would do: to a cart that you think of, and to orders of the past. On trial it counts as if it
    /// were let go and one of its codes were entered, whatever its window. Nothing is stored.
    #[graphql(guard = "catalog_read()")]
    async fn promotion_simulate(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which promotion, and on what it is tried.")] input: AdminPromotionSimulateInput,
    ) -> async_graphql::Result<AdminPromotionSimulatePayload> {
        let call = call(ctx)?;
        let outcome = async {
            let id: PromotionId = parse_id(&input.promotion_id, &["promotionId"])?;
            let missing = || Refusal::new(ErrorCode::NotFound, "There is no such promotion.").at(["promotionId"]);
            let row = repo::find(&call.conn(), id).await?.ok_or_else(missing)?;
            if input.cart.is_none() && input.orders.is_none() {
                let message = "Name a cart or orders on which it is tried.";
                return Err(Refusal::new(ErrorCode::Required, message).at(["cart"]).into());
            }
            let past = input.orders.map(|orders| orders.read(call)).transpose()?;
            let cart = match input.cart {
                Some(cart) => Some(below("cart", on_sample(call, &row, cart).await)?),
                None => None,
            };
            Ok((cart, past.map(|(filter, most)| PastOrders { row, filter, most })))
        };
        let (told, user_errors) = part(outcome.await)?;
        let (cart, past) = told.unwrap_or_default();
        Ok(AdminPromotionSimulatePayload { cart, past, user_errors })
    }
}
