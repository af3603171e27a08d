//! How promotions and campaigns look to staff.

use std::sync::Arc;

use async_graphql::{Context, ID, Object, SimpleObject};
use chrono::{DateTime, Utc};
use domain::promotion::campaign::Budget;
use domain::promotion::{PromotionClass, PromotionMethod, PromotionState, PromotionStatus};
use entity::{campaign, promotion};

use super::hint::types::AdminPromotionHint;
use super::load::{CodeCountOf, HintsOf, SpendingOf, UsageOf};
use super::rule::spelled::shown;
use super::usage::types::AdminPromotionUsage;
use crate::api::call::call;
use crate::api::guard::orders_read_everywhere;
use crate::api::page::connection;
use crate::api::scalar::{Int64, Json, Money, id};
use crate::api::word::Enum;
use engine::promotion::repo::usage::Span;
use engine::promotion::rows;

connection! {
    /// Promotions.
    AdminPromotionConnection, AdminPromotionEdge, AdminPromotion, promotion::Model
}

/// How often a promotion may be used; null where there is no limit. A use is one checkout or order that it gave
/// something.
#[derive(Debug, Clone, Copy, SimpleObject)]
pub struct AdminPromotionLimits {
    /// By everybody together.
    pub in_all: Option<Int64>,
    /// By one buyer: a customer, or an e-mail address.
    pub per_customer: Option<Int64>,
    /// Of one of its codes.
    pub per_code: Option<Int64>,
}

/// What takes money off carts, by itself or by a code.
#[derive(Debug, Clone)]
pub struct AdminPromotion(pub promotion::Model);

impl From<promotion::Model> for AdminPromotion {
    fn from(row: promotion::Model) -> Self {
        Self(row)
    }
}

/// What takes money off carts, by itself or by a code.
#[Object]
impl AdminPromotion {
    /// Its id.
    async fn id(&self) -> ID {
        id(self.0.id)
    }

    /// Rises with every change; send it as `expectedVersion`.
    async fn version(&self) -> i32 {
        self.0.version
    }

    /// What shoppers read.
    async fn title(&self) -> &str {
        &self.0.title
    }

    /// How it comes to a cart.
    async fn method(&self) -> Enum<PromotionMethod> {
        Enum(self.0.method)
    }

    /// Whether staff have let it go.
    async fn status(&self) -> Enum<PromotionStatus> {
        Enum(self.0.status)
    }

    /// Where it is at this moment, by itself and as a part of its campaign.
    async fn state(&self, ctx: &Context<'_>) -> async_graphql::Result<Enum<PromotionState>> {
        let call = call(ctx)?;
        let campaign = self.0.campaign_id.and_then(|id| call.settings.promotions.campaign(id)).map(rows::campaign);
        let now = call.app.clock.now().timestamp_micros();
        Ok(Enum(rows::promotion(&self.0).state(campaign.as_ref(), now)))
    }

    /// What it takes its money off.
    async fn class(&self) -> Enum<PromotionClass> {
        Enum(self.0.offer.class())
    }

    /// The highest comes first, within its class; of equal ones the oldest.
    async fn priority(&self) -> i32 {
        self.0.priority
    }

    /// When it starts; null when it always counted.
    async fn starts_at(&self) -> Option<DateTime<Utc>> {
        self.0.starts_at
    }

    /// When it ends, exclusive; null when it has no end.
    async fn ends_at(&self) -> Option<DateTime<Utc>> {
        self.0.ends_at
    }

    /// The campaign that it is part of.
    async fn campaign(&self, ctx: &Context<'_>) -> async_graphql::Result<Option<AdminCampaign>> {
        let settings = &call(ctx)?.settings;
        let known = self.0.campaign_id.and_then(|id| settings.promotions.campaign(id));
        Ok(known.cloned().map(AdminCampaign))
    }

    /// Whether it stands alone: beside it no other promotion counts.
    async fn exclusive(&self) -> bool {
        self.0.exclusive
    }

    /// The classes of promotions that may stand beside it: two stand together when each names the class of the other.
    /// At most 3.
    async fn combines_with(&self) -> Vec<Enum<PromotionClass>> {
        rows::combines_with(&self.0).into_iter().map(Enum).collect()
    }

    /// How often it may be used.
    async fn limits(&self) -> AdminPromotionLimits {
        AdminPromotionLimits {
            in_all: self.0.limit_in_all.map(Int64),
            per_customer: self.0.limit_per_customer.map(Int64),
            per_code: self.0.limit_per_code.map(Int64),
        }
    }

    /// When it counts: an `AdminPromotionConditionsInput`, ready to be sent again.
    async fn conditions(&self) -> Json {
        Json(shown(&self.0.conditions))
    }

    /// What it gives: an `AdminPromotionOfferInput`, ready to be sent again.
    async fn offer(&self) -> Json {
        Json(shown(&self.0.offer))
    }

    /// How often it was used, with what checkouts under way hold. What was called off or canceled does not count.
    async fn uses(&self) -> Int64 {
        Int64(self.0.uses)
    }

    /// What has become of its uses, what it gave and what the orders brought. Needs ORDERS_READ in every channel
    /// besides.
    #[graphql(guard = "orders_read_everywhere()")]
    async fn usage(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Of uses that began at this moment or later.")] from: Option<DateTime<Utc>>,
        #[graphql(desc = "Of uses that began before this moment.")] until: Option<DateTime<Utc>>,
    ) -> async_graphql::Result<AdminPromotionUsage> {
        let rows = call(ctx)?.load(UsageOf(self.0.id, Span { from, until })).await?;
        Ok(AdminPromotionUsage::new(&rows))
    }

    /// What you hardly want of it: it can never count, or another automatic promotion and it never count together. It
    /// is looked at beside those that are let go, as if it were one of them. A hint forbids nothing; where there is none
    /// nothing is proven. At most 500.
    async fn hints(&self, ctx: &Context<'_>) -> async_graphql::Result<Vec<AdminPromotionHint>> {
        let call = call(ctx)?;
        let hints = call.load(HintsOf(Arc::new(self.0.clone()))).await?;
        Ok(hints.iter().map(|hint| AdminPromotionHint::new(call, hint, self.0.id)).collect())
    }

    /// How many codes it has.
    async fn codes_count(&self, ctx: &Context<'_>) -> async_graphql::Result<i32> {
        call(ctx)?.load(CodeCountOf(self.0.id)).await
    }

    /// When it was made.
    async fn created_at(&self) -> DateTime<Utc> {
        self.0.created_at
    }

    /// When it was changed last.
    async fn updated_at(&self) -> DateTime<Utc> {
        self.0.updated_at
    }
}

/// How much a campaign may give in all; one of both.
#[derive(Debug, Clone, SimpleObject)]
pub struct AdminCampaignBudget {
    /// So much money, each currency for itself; in others its promotions give nothing. At most 100 amounts.
    pub spend: Option<Vec<Money>>,
    /// So many uses of its promotions; two of them in one checkout are two.
    pub uses: Option<Int64>,
}

impl From<&Budget> for AdminCampaignBudget {
    fn from(budget: &Budget) -> Self {
        match budget {
            Budget::Spend(amounts) => {
                let money = amounts.0.iter().map(|amount| Money::new(amount.amount_minor, amount.currency));
                Self { spend: Some(money.collect()), uses: None }
            }
            Budget::Uses(uses) => Self { spend: None, uses: Some(Int64(*uses)) },
        }
    }
}

/// Promotions with a time and a budget in common.
#[derive(Debug, Clone)]
pub struct AdminCampaign(pub campaign::Model);

/// Promotions with a time and a budget in common.
#[Object]
impl AdminCampaign {
    /// Its id.
    async fn id(&self) -> ID {
        id(self.0.id)
    }

    /// Rises with every change; send it as `expectedVersion`.
    async fn version(&self) -> i32 {
        self.0.version
    }

    /// Its name for staff.
    async fn title(&self) -> &str {
        &self.0.title
    }

    /// When its promotions start; null when it sets no time.
    async fn starts_at(&self) -> Option<DateTime<Utc>> {
        self.0.starts_at
    }

    /// When they end, exclusive; null when it sets no time.
    async fn ends_at(&self) -> Option<DateTime<Utc>> {
        self.0.ends_at
    }

    /// How much it may give; null when it has no bound.
    async fn budget(&self) -> Option<AdminCampaignBudget> {
        self.0.budget.as_ref().map(AdminCampaignBudget::from)
    }

    /// How often its promotions were used, with what checkouts under way hold.
    async fn uses(&self) -> Int64 {
        Int64(self.0.uses)
    }

    /// What its promotions gave, with what checkouts under way hold: one amount for each currency, at most 200.
    async fn spent(&self, ctx: &Context<'_>) -> async_graphql::Result<Vec<Money>> {
        let rows = call(ctx)?.load(SpendingOf(self.0.id)).await?;
        Ok(rows.iter().map(|row| Money::new(row.spent_minor, row.currency)).collect())
    }

    /// When it was made.
    async fn created_at(&self) -> DateTime<Utc> {
        self.0.created_at
    }

    /// When it was changed last.
    async fn updated_at(&self) -> DateTime<Utc> {
        self.0.updated_at
    }
}
