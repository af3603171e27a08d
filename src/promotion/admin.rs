//! Promotions on the admin surface.

use async_graphql::{Context, Enum as GraphqlEnum, ID, InputObject, MaybeUndefined, Object};
use chrono::{DateTime, Utc};
use domain::id::PromotionId;
use domain::promotion::condition::Conditions;
use domain::promotion::{Limits, PromotionClass, PromotionMethod, PromotionState};
use domain::refusal::Refusals;

use super::rule::spelled::spelled;
use super::rule::types::{AdminPromotionConditionsInput, AdminPromotionOfferInput};
use super::types::{AdminPromotion, AdminPromotionConnection};
use crate::api::call::call;
use crate::api::guard::{catalog_read, catalog_write};
use crate::api::input::change;
use crate::api::page::{ADMIN_MAX, Page, PageArgs, SortDirection, one_sort};
use crate::api::payload::{payload, top_level};
use crate::api::scalar::{Int64, id, parse_id};
use crate::api::word::Enum;
use engine::error::{Error, Result};
use engine::promotion::ops::{
    CreatePromotion, DeletePromotion, DuplicatePromotion, SetPromotionStatus, UpdatePromotion,
};
use engine::promotion::repo::{self, PromotionFilter, PromotionSort};
use engine::version::Change;

/// What promotions must be to be in the list. What you leave out is not asked.
#[derive(Debug, Clone, Default, InputObject)]
pub struct AdminPromotionFilter {
    /// It comes so.
    pub method: Option<Enum<PromotionMethod>>,
    /// It is in one of these states.
    pub states: Option<Vec<Enum<PromotionState>>>,
    /// It is part of this campaign.
    pub campaign_id: Option<ID>,
    /// Its title contains this, whatever its capitals.
    pub query: Option<String>,
}

impl AdminPromotionFilter {
    fn read(self) -> Result<PromotionFilter> {
        let campaign = self.campaign_id.as_ref().map(|id| parse_id(id, &["filter", "campaignId"])).transpose()?;
        let states = self.states.map(|states| states.into_iter().map(|word| word.0).collect());
        Ok(PromotionFilter { method: self.method.map(|word| word.0), states, campaign, words: self.query })
    }
}

/// By what promotions are sorted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, GraphqlEnum)]
pub enum AdminPromotionSortField {
    /// When they were made.
    CreatedAt,
    /// Their title.
    Title,
    /// Their priority.
    Priority,
}

/// How promotions are sorted.
#[derive(Debug, Clone, InputObject)]
pub struct AdminPromotionSort {
    /// By what.
    pub field: AdminPromotionSortField,
    /// Which way.
    #[graphql(default_with = "SortDirection::Asc")]
    pub direction: SortDirection,
}

/// Queries about promotions.
#[derive(Debug, Default)]
pub struct PromotionAdminQuery;

#[Object]
impl PromotionAdminQuery {
    /// All promotions, the newest first.
    #[graphql(guard = "catalog_read()")]
    #[allow(clippy::too_many_arguments)]
    async fn promotions(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "So many from the front: 20 when absent, at most 250.")] first: Option<i32>,
        #[graphql(desc = "Behind this cursor.")] after: Option<String>,
        #[graphql(desc = "So many from the back, at most 250.")] last: Option<i32>,
        #[graphql(desc = "Before this cursor.")] before: Option<String>,
        #[graphql(desc = "Skip so many, at most 10000.")] offset: Option<i32>,
        #[graphql(desc = "What the promotions must be.")] filter: Option<AdminPromotionFilter>,
        #[graphql(desc = "How the list is sorted, by one field; the newest first when absent.")] sort: Option<
            Vec<AdminPromotionSort>,
        >,
    ) -> async_graphql::Result<AdminPromotionConnection> {
        let call = call(ctx)?;
        let count = ctx.look_ahead().field("totalCount").exists();
        let outcome = async {
            let filter = filter.unwrap_or_default().read()?;
            let newest =
                AdminPromotionSort { field: AdminPromotionSortField::CreatedAt, direction: SortDirection::Desc };
            let sort = one_sort(sort, newest)?;
            let key = match sort.field {
                AdminPromotionSortField::CreatedAt => PromotionSort::CreatedAt,
                AdminPromotionSortField::Title => PromotionSort::Title,
                AdminPromotionSortField::Priority => PromotionSort::Priority,
            };
            let descending = sort.direction == SortDirection::Desc;
            let args = PageArgs { first, after, last, before, offset };
            let page = Page::read(args, ADMIN_MAX, descending, &("promotions", key, descending, &filter))?;
            repo::page(&call.conn(), (&filter, call.app.clock.now()), key, page, count).await
        };
        outcome.await.map(AdminPromotionConnection::from).map_err(top_level)
    }

    /// A promotion; null when there is none.
    #[graphql(guard = "catalog_read()")]
    async fn promotion(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Its id.")] id: ID,
    ) -> async_graphql::Result<Option<AdminPromotion>> {
        let Ok(id) = parse_id::<PromotionId>(&id, &["id"]) else { return Ok(None) };
        let row = repo::find(&call(ctx)?.conn(), id).await.map_err(top_level)?;
        Ok(row.map(AdminPromotion))
    }
}

/// How often a promotion may be used; what you leave out has no limit. A use is one checkout or order that it gave
/// something.
#[derive(Debug, Clone, InputObject)]
pub struct AdminPromotionLimitsInput {
    /// By everybody together, at least 1.
    pub in_all: Option<Int64>,
    /// By one buyer, at least 1: a customer, or an e-mail address.
    pub per_customer: Option<Int64>,
    /// Of one of its codes, at least 1.
    pub per_code: Option<Int64>,
}

impl From<AdminPromotionLimitsInput> for Limits {
    fn from(input: AdminPromotionLimitsInput) -> Self {
        let number = |limit: Option<Int64>| limit.map(|limit| limit.0);
        Self {
            in_all: number(input.in_all),
            per_customer: number(input.per_customer),
            per_code: number(input.per_code),
        }
    }
}

/// A new promotion. It is a draft, which no cart knows, until `promotionActivate`.
#[derive(Debug, InputObject)]
pub struct AdminPromotionCreateInput {
    /// What shoppers read, 1 to 255 characters.
    pub title: String,
    /// How it comes to a cart; this never changes.
    pub method: Enum<PromotionMethod>,
    /// The highest comes first: between -1000000 and 1000000.
    #[graphql(default = 0)]
    pub priority: i32,
    /// When it starts; at once when absent.
    pub starts_at: Option<DateTime<Utc>>,
    /// When it ends, exclusive; never when absent.
    pub ends_at: Option<DateTime<Utc>>,
    /// The campaign that it is part of.
    pub campaign_id: Option<ID>,
    /// Whether it stands alone: beside it no other promotion counts.
    #[graphql(default)]
    pub exclusive: bool,
    /// The classes of promotions that may stand beside it: two stand together when each names the class of the other.
    /// None when absent.
    #[graphql(default)]
    pub combines_with: Vec<Enum<PromotionClass>>,
    /// How often it may be used; as often as one likes when absent.
    pub limits: Option<AdminPromotionLimitsInput>,
    /// When it counts; always when absent.
    pub conditions: Option<AdminPromotionConditionsInput>,
    /// What it gives.
    pub offer: AdminPromotionOfferInput,
}

/// What changes of a promotion. What you leave out stays.
#[derive(Debug, InputObject)]
pub struct AdminPromotionUpdateInput {
    /// Which promotion.
    pub id: ID,
    /// The version that you read; another one in the database is a `CONFLICT`.
    pub expected_version: Option<i32>,
    /// What shoppers read, 1 to 255 characters.
    pub title: Option<String>,
    /// The highest comes first: between -1000000 and 1000000.
    pub priority: Option<i32>,
    /// When it starts; null for at once.
    pub starts_at: MaybeUndefined<DateTime<Utc>>,
    /// When it ends, exclusive; null for never.
    pub ends_at: MaybeUndefined<DateTime<Utc>>,
    /// The campaign that it is part of; null for none.
    pub campaign_id: MaybeUndefined<ID>,
    /// Whether it stands alone.
    pub exclusive: Option<bool>,
    /// The classes of promotions that may stand beside it.
    pub combines_with: Option<Vec<Enum<PromotionClass>>>,
    /// How often it may be used: all limits anew.
    pub limits: Option<AdminPromotionLimitsInput>,
    /// When it counts.
    pub conditions: Option<AdminPromotionConditionsInput>,
    /// What it gives.
    pub offer: Option<AdminPromotionOfferInput>,
}

/// Which promotion is let go.
#[derive(Debug, InputObject)]
pub struct AdminPromotionActivateInput {
    /// Its id.
    pub id: ID,
    /// The version that you read; another one in the database is a `CONFLICT`.
    pub expected_version: Option<i32>,
}

/// Which promotion is held back.
#[derive(Debug, InputObject)]
pub struct AdminPromotionPauseInput {
    /// Its id.
    pub id: ID,
    /// The version that you read; another one in the database is a `CONFLICT`.
    pub expected_version: Option<i32>,
}

/// Which promotion goes.
#[derive(Debug, InputObject)]
pub struct AdminPromotionDeleteInput {
    /// Its id.
    pub id: ID,
    /// The version that you read; another one in the database is a `CONFLICT`.
    pub expected_version: Option<i32>,
}

/// Which promotion the new one is like.
#[derive(Debug, InputObject)]
pub struct AdminPromotionDuplicateInput {
    /// Its id.
    pub id: ID,
    /// What shoppers read of the new one; the same when absent.
    pub title: Option<String>,
}

payload! {
    /// What `promotionCreate` did.
    AdminPromotionCreatePayload {
        /// The new promotion: a draft.
        promotion: AdminPromotion
    }
}

payload! {
    /// What `promotionUpdate` did.
    AdminPromotionUpdatePayload {
        /// The promotion as it is now.
        promotion: AdminPromotion
    }
}

payload! {
    /// What `promotionActivate` did.
    AdminPromotionActivatePayload {
        /// The promotion as it is now.
        promotion: AdminPromotion
    }
}

payload! {
    /// What `promotionPause` did.
    AdminPromotionPausePayload {
        /// The promotion as it is now.
        promotion: AdminPromotion
    }
}

payload! {
    /// What `promotionDelete` did.
    AdminPromotionDeletePayload {
        /// The id of the promotion that was deleted.
        deleted_id: ID
    }
}

payload! {
    /// What `promotionDuplicate` did.
    AdminPromotionDuplicatePayload {
        /// The new promotion: a draft without codes.
        promotion: AdminPromotion
    }
}

fn lost() -> Error {
    Error::internal("a refusal was lost")
}

/// Refusals whose paths are spelled as staff spell them.
fn told<T>(outcome: Result<T>) -> Result<T> {
    outcome.map_err(|error| match error {
        Error::Refused(refusals) => Error::Refused(spelled(refusals)),
        other => other,
    })
}

fn words<W: Copy>(words: Vec<Enum<W>>) -> Vec<W> {
    words.into_iter().map(|word| word.0).collect()
}

/// Mutations of promotions.
#[derive(Debug, Default)]
pub struct PromotionAdminMutation;

#[Object]
impl PromotionAdminMutation {
    /// Makes a promotion: a draft, which no cart knows until `promotionActivate`.
    #[graphql(guard = "catalog_write()")]
    async fn promotion_create(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The promotion.")] input: AdminPromotionCreateInput,
    ) -> async_graphql::Result<AdminPromotionCreatePayload> {
        let call = call(ctx)?;
        let outcome = async {
            let mut refusals = Refusals::default();
            let known = &call.settings.metafield_definitions;
            let conditions = match &input.conditions {
                Some(conditions) => conditions.read(known, &mut refusals),
                None => Some(Conditions::default()),
            };
            let offer = input.offer.read(known, &mut refusals);
            let campaign = input.campaign_id.as_ref().map(|id| parse_id(id, &["campaignId"]));
            let campaign = campaign.and_then(|id| refusals.keep(id));
            refusals.into_result()?;
            let op = CreatePromotion {
                title: input.title,
                method: input.method.0,
                priority: input.priority,
                starts_at: input.starts_at,
                ends_at: input.ends_at,
                campaign,
                exclusive: input.exclusive,
                combines_with: words(input.combines_with),
                limits: input.limits.map(Limits::from).unwrap_or_default(),
                conditions: conditions.ok_or_else(lost)?,
                offer: offer.ok_or_else(lost)?,
            };
            call.app.run(&call.caller, &op).await.map(AdminPromotion)
        };
        AdminPromotionCreatePayload::answer(told(outcome.await))
    }

    /// Changes a promotion. One that was let go counts as it is now from the next look at a cart on; a checkout under
    /// way and orders keep what they have.
    #[graphql(guard = "catalog_write()")]
    async fn promotion_update(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What changes.")] input: AdminPromotionUpdateInput,
    ) -> async_graphql::Result<AdminPromotionUpdatePayload> {
        let call = call(ctx)?;
        let outcome = async {
            let mut refusals = Refusals::default();
            let known = &call.settings.metafield_definitions;
            let conditions = input.conditions.as_ref().and_then(|input| input.read(known, &mut refusals));
            let offer = input.offer.as_ref().and_then(|input| input.read(known, &mut refusals));
            let campaign = change(input.campaign_id).try_map(|id| parse_id(&id, &["campaignId"]));
            let campaign = refusals.keep(campaign).unwrap_or(Change::Keep);
            let id = refusals.keep(parse_id(&input.id, &["id"]));
            refusals.into_result()?;
            let op = UpdatePromotion {
                id: id.ok_or_else(lost)?,
                expected_version: input.expected_version,
                title: input.title,
                priority: input.priority,
                starts_at: change(input.starts_at),
                ends_at: change(input.ends_at),
                campaign,
                exclusive: input.exclusive,
                combines_with: input.combines_with.map(words),
                limits: input.limits.map(Limits::from),
                conditions,
                offer,
            };
            call.app.run(&call.caller, &op).await.map(AdminPromotion)
        };
        AdminPromotionUpdatePayload::answer(told(outcome.await))
    }

    /// Lets a promotion go: from its start to its end it counts. At most 500 run at once, those that are held back
    /// counted with them.
    #[graphql(guard = "catalog_write()")]
    async fn promotion_activate(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which promotion.")] input: AdminPromotionActivateInput,
    ) -> async_graphql::Result<AdminPromotionActivatePayload> {
        let call = call(ctx)?;
        let outcome = async {
            let id = parse_id(&input.id, &["id"])?;
            let op = SetPromotionStatus { id, expected_version: input.expected_version, active: true };
            call.app.run(&call.caller, &op).await.map(AdminPromotion)
        };
        AdminPromotionActivatePayload::answer(outcome.await)
    }

    /// Holds a promotion back: carts get nothing of it until `promotionActivate`.
    #[graphql(guard = "catalog_write()")]
    async fn promotion_pause(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which promotion.")] input: AdminPromotionPauseInput,
    ) -> async_graphql::Result<AdminPromotionPausePayload> {
        let call = call(ctx)?;
        let outcome = async {
            let id = parse_id(&input.id, &["id"])?;
            let op = SetPromotionStatus { id, expected_version: input.expected_version, active: false };
            call.app.run(&call.caller, &op).await.map(AdminPromotion)
        };
        AdminPromotionPausePayload::answer(outcome.await)
    }

    /// Deletes a promotion. Orders keep what it gave; its codes may be given anew.
    #[graphql(guard = "catalog_write()")]
    async fn promotion_delete(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which promotion.")] input: AdminPromotionDeleteInput,
    ) -> async_graphql::Result<AdminPromotionDeletePayload> {
        let call = call(ctx)?;
        let outcome = async {
            let op = DeletePromotion { id: parse_id(&input.id, &["id"])?, expected_version: input.expected_version };
            call.app.run(&call.caller, &op).await.map(id)
        };
        AdminPromotionDeletePayload::answer(outcome.await)
    }

    /// Makes a draft that is like a promotion. It has no codes and was never used.
    #[graphql(guard = "catalog_write()")]
    async fn promotion_duplicate(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which promotion it is like.")] input: AdminPromotionDuplicateInput,
    ) -> async_graphql::Result<AdminPromotionDuplicatePayload> {
        let call = call(ctx)?;
        let outcome = async {
            let op = DuplicatePromotion { id: parse_id(&input.id, &["id"])?, title: input.title };
            call.app.run(&call.caller, &op).await.map(AdminPromotion)
        };
        AdminPromotionDuplicatePayload::answer(outcome.await)
    }
}
