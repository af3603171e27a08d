//! How what a promotion would do looks to staff.

use std::collections::HashMap;

use async_graphql::{Context, ID, Object, SimpleObject};
use chrono::{DateTime, Utc};
use domain::money::Currency;
use domain::promotion::outcome::{Gap, NotApplied, PromotionObstacle};
use entity::promotion;

use crate::api::call::call;
use crate::api::guard::orders_read;
use crate::api::payload::{UserError, top_level};
use crate::api::scalar::{Int64, Money, id};
use crate::api::word::Enum;
use crate::quote::types::Quote;
use engine::order::repo::OrderFilter;
use engine::promotion::simulation::CartTrial;
use engine::promotion::simulation::orders::{Given, OrdersTrial, on_orders};
use engine::settings::Settings;

/// Why a promotion would give a cart nothing.
#[derive(Debug, Clone, SimpleObject)]
pub struct AdminPromotionNotApplied {
    /// The reason.
    pub reason: Enum<PromotionObstacle>,
    /// The same as one English sentence.
    pub message: String,
    /// Where the condition lies that is not met, outermost first; empty when that is not the reason. At most 40 steps.
    pub condition: Vec<String>,
    /// The kind of test that is not met, such as `spend`.
    pub test: Option<String>,
    /// The title of the promotion that stands in its way.
    pub not_combinable_with: Option<String>,
    /// How much more must be spent until it gives something, when nothing else is in the way.
    pub missing: Option<Money>,
    /// How many more units are needed, when nothing else is in the way.
    pub missing_units: Option<Int64>,
}

impl AdminPromotionNotApplied {
    fn new(why: &NotApplied, settings: &Settings, currency: Currency) -> Self {
        let title = |id| settings.promotions.find(id).map(|row| row.title.clone());
        Self {
            reason: Enum(why.obstacle),
            message: why.message(currency),
            condition: why.condition.clone(),
            test: why.test.map(str::to_owned),
            not_combinable_with: why.with.and_then(title),
            missing: match why.gap {
                Some(Gap::Spend(minor)) => Some(Money::new(minor, currency)),
                _ => None,
            },
            missing_units: match why.gap {
                Some(Gap::Units(units)) => Some(Int64(units)),
                _ => None,
            },
        }
    }
}

/// What a promotion would do to a cart that you think of.
#[derive(Debug, Clone, SimpleObject)]
pub struct AdminPromotionCartTrial {
    /// What the cart costs without it.
    pub without: Quote,
    /// What it costs with it: its codes with what becomes of each, and what comes off each line with the arithmetic. A
    /// gift lies in it as a line of its own.
    pub with: Quote,
    /// What the promotion takes off; 0 when it gives nothing.
    pub amount: Money,
    /// What comes off more than without it: another amount where it changes what other promotions give, below 0 where
    /// it keeps out one that gives more.
    pub cost: Money,
    /// Why it gives nothing; null when it gives something.
    pub not_applied: Option<AdminPromotionNotApplied>,
}

impl AdminPromotionCartTrial {
    /// What was worked out.
    pub fn new(row: &promotion::Model, tried: CartTrial) -> Self {
        let currency = tried.with.rows.cart.currency;
        let (without, with) = (&tried.without.outcome, &tried.with.outcome);
        let given = with.applied.iter().filter(|applied| applied.promotion == row.id);
        let amount = given.map(|applied| applied.amount_minor).sum();
        let of_code = || {
            let own = with.codes.iter().find(|answer| answer.promotion == Some(row.id));
            own.and_then(|answer| answer.why.as_ref())
        };
        let why = if amount == 0 { with.why_not(row.id).or_else(of_code) } else { None };
        Self {
            amount: Money::new(amount, currency),
            cost: Money::new(with.discount() - without.discount(), currency),
            not_applied: why.map(|why| AdminPromotionNotApplied::new(why, &tried.settings, currency)),
            without: Quote::new(tried.without, true),
            with: Quote::supposed(tried.with, tried.settings),
        }
    }
}

/// An order that a promotion would have given something.
#[derive(Debug, Clone, SimpleObject)]
pub struct AdminPromotionTrialOrder {
    /// The id of the order.
    pub order_id: ID,
    /// Its number.
    pub number: Option<Int64>,
    /// When it was placed.
    pub placed_at: DateTime<Utc>,
    /// What it came to.
    pub total: Money,
    /// What the promotion would have taken off; gifts with what they cost today.
    pub amount: Money,
}

impl From<&Given> for AdminPromotionTrialOrder {
    fn from(given: &Given) -> Self {
        let order = &given.order;
        Self {
            order_id: id(order.id),
            number: order.number.map(Int64),
            placed_at: order.placed_at,
            total: Money::new(order.total_minor, order.currency),
            amount: Money::new(given.amount_minor, order.currency),
        }
    }
}

/// What a promotion would have done to orders of the past. An order tells what was bought, at which prices, by whom,
/// when, from where and by which codes. It does not tell how the shop was then, so these are those of today: to what its
/// products belong and what their metafields hold, in which groups its customer is, what gifts cost (as if they were for
/// sale and enough lay there), and the other promotions: those that are let go today, each from its start to its end, of
/// which none has used up its limit. Nor does it tell what the buyer would have bought, had he known of the promotion.
#[derive(Debug, Clone, SimpleObject)]
pub struct AdminPromotionOrdersTrial {
    /// How many orders were looked at: the newest that you named, the canceled left out.
    pub looked_at: i32,
    /// Whether there are older ones, at which nobody looked.
    pub has_older: bool,
    /// How many of them it would have given something. Its limits in all and per customer, and the budget of its campaign,
    /// are counted from 0, beginning with the oldest order; those of its codes are not.
    pub given: i32,
    /// What it would have cost: what would have come off those orders more than without it. One amount for each
    /// currency, at most 200.
    pub cost: Vec<Money>,
    /// What those orders came to as they were bought. One amount for each currency, at most 200.
    pub revenue: Vec<Money>,
    /// The newest of those orders, the newest first. At most 50.
    pub newest: Vec<AdminPromotionTrialOrder>,
}

impl From<OrdersTrial> for AdminPromotionOrdersTrial {
    fn from(tried: OrdersTrial) -> Self {
        let count = |number: usize| i32::try_from(number).unwrap_or(i32::MAX);
        let money = |amounts: &HashMap<Currency, i64>| {
            let mut sorted: Vec<(&Currency, &i64)> = amounts.iter().collect();
            sorted.sort_by_key(|(currency, _)| currency.code());
            sorted.into_iter().map(|(currency, minor)| Money::new(*minor, *currency)).collect()
        };
        Self {
            looked_at: count(tried.looked_at),
            has_older: tried.has_more,
            given: count(tried.given),
            cost: money(&tried.cost),
            revenue: money(&tried.revenue),
            newest: tried.newest.iter().map(AdminPromotionTrialOrder::from).collect(),
        }
    }
}

/// On which orders a promotion is tried.
#[derive(Debug)]
pub struct PastOrders {
    /// The promotion.
    pub row: promotion::Model,
    /// Which orders.
    pub filter: OrderFilter,
    /// At most so many.
    pub most: usize,
}

/// What a promotion would do, or every reason why that can't be said.
#[derive(Debug)]
pub struct AdminPromotionSimulatePayload {
    /// What it would do to the cart.
    pub cart: Option<AdminPromotionCartTrial>,
    /// On which orders it is tried.
    pub past: Option<PastOrders>,
    /// Every reason why nothing was worked out.
    pub user_errors: Vec<UserError>,
}

/// What a promotion would do, or every reason why that can't be said.
#[Object]
impl AdminPromotionSimulatePayload {
    /// What it would do to the cart; null when you named none.
    async fn cart(&self) -> Option<&AdminPromotionCartTrial> {
        self.cart.as_ref()
    }

    /// What it would have done to the orders; null when you named none. Needs ORDERS_READ besides.
    #[graphql(guard = "orders_read()")]
    async fn orders(&self, ctx: &Context<'_>) -> async_graphql::Result<Option<AdminPromotionOrdersTrial>> {
        let Some(past) = &self.past else { return Ok(None) };
        let call = call(ctx)?;
        let asked = (past.filter.clone(), past.most);
        let tried = on_orders(&call.conn(), &call.settings, &past.row, asked, call.app.clock.now()).await;
        tried.map(|tried| Some(tried.into())).map_err(top_level)
    }

    /// Every reason why nothing was worked out; empty on success.
    async fn user_errors(&self) -> &[UserError] {
        &self.user_errors
    }
}
