//! Campaigns on the admin surface.

use async_graphql::{Context, ID, InputObject, MaybeUndefined, Object, OneofObject};
use chrono::{DateTime, Utc};
use domain::id::CampaignId;
use domain::promotion::campaign::Budget;
use domain::promotion::offer::{Amount, Amounts};
use domain::refusal::Refusals;

use crate::api::call::call;
use crate::api::guard::{catalog_read, catalog_write};
use crate::api::input::change;
use crate::api::payload::{payload, top_level};
use crate::api::scalar::{Int64, MoneyInput, id, parse_id};
use crate::promotion::types::AdminCampaign;
use engine::promotion::campaign::{CreateCampaign, DeleteCampaign, UpdateCampaign};

/// How much a campaign may give in all.
#[derive(Debug, Clone, OneofObject)]
pub enum AdminCampaignBudgetInput {
    /// So much money, one amount for each currency, at most 100; in others its promotions give nothing. A promotion
    /// whose discount does not fit into what is left gives nothing and says so.
    Spend(Vec<MoneyInput>),
    /// So many uses of its promotions, at least 1; two of them in one checkout are two.
    Uses(Int64),
}

impl AdminCampaignBudgetInput {
    fn read(self, refusals: &mut Refusals) -> Budget {
        match self {
            Self::Uses(uses) => Budget::Uses(uses.0),
            Self::Spend(amounts) => {
                let read = |(place, input): (usize, MoneyInput)| {
                    let money = refusals.keep(input.check(&["budget", "spend", &place.to_string()]))?;
                    Some(Amount { currency: money.currency, amount_minor: money.minor })
                };
                Budget::Spend(Amounts(amounts.into_iter().enumerate().filter_map(read).collect()))
            }
        }
    }
}

/// A new campaign.
#[derive(Debug, InputObject)]
pub struct AdminCampaignCreateInput {
    /// Its name for staff, 1 to 255 characters.
    pub title: String,
    /// When its promotions start; at once when absent.
    pub starts_at: Option<DateTime<Utc>>,
    /// When they end, exclusive; never when absent.
    pub ends_at: Option<DateTime<Utc>>,
    /// How much it may give; without bound when absent.
    pub budget: Option<AdminCampaignBudgetInput>,
}

/// What changes of a campaign. What you leave out stays.
#[derive(Debug, InputObject)]
pub struct AdminCampaignUpdateInput {
    /// Which campaign.
    pub id: ID,
    /// The version that you read; another one in the database is a `CONFLICT`.
    pub expected_version: Option<i32>,
    /// Its name for staff, 1 to 255 characters.
    pub title: Option<String>,
    /// When its promotions start; null for at once.
    pub starts_at: MaybeUndefined<DateTime<Utc>>,
    /// When they end, exclusive; null for never.
    pub ends_at: MaybeUndefined<DateTime<Utc>>,
    /// How much it may give; null for no bound. What it gave already stays counted.
    pub budget: MaybeUndefined<AdminCampaignBudgetInput>,
}

/// Which campaign goes.
#[derive(Debug, InputObject)]
pub struct AdminCampaignDeleteInput {
    /// Its id.
    pub id: ID,
    /// The version that you read; another one in the database is a `CONFLICT`.
    pub expected_version: Option<i32>,
}

payload! {
    /// What `campaignCreate` did.
    AdminCampaignCreatePayload {
        /// The new campaign.
        campaign: AdminCampaign
    }
}

payload! {
    /// What `campaignUpdate` did.
    AdminCampaignUpdatePayload {
        /// The campaign as it is now.
        campaign: AdminCampaign
    }
}

payload! {
    /// What `campaignDelete` did.
    AdminCampaignDeletePayload {
        /// The id of the campaign that was deleted.
        deleted_id: ID
    }
}

/// Queries about campaigns.
#[derive(Debug, Default)]
pub struct CampaignAdminQuery;

#[Object]
impl CampaignAdminQuery {
    /// All campaigns, the oldest first. A shop has at most 1000.
    #[graphql(guard = "catalog_read()")]
    async fn campaigns(&self, ctx: &Context<'_>) -> async_graphql::Result<Vec<AdminCampaign>> {
        // Their counts are of this moment; the settings know them as they were when something else changed.
        let rows = engine::promotion::repo::campaigns(&call(ctx)?.conn()).await.map_err(top_level)?;
        Ok(rows.into_iter().map(AdminCampaign).collect())
    }

    /// A campaign; null when there is none.
    #[graphql(guard = "catalog_read()")]
    async fn campaign(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Its id.")] id: ID,
    ) -> async_graphql::Result<Option<AdminCampaign>> {
        let Ok(id) = parse_id::<CampaignId>(&id, &["id"]) else { return Ok(None) };
        let rows = engine::promotion::repo::campaigns_by_ids(&call(ctx)?.conn(), &[id]).await.map_err(top_level)?;
        Ok(rows.into_iter().find(|row| row.deleted_at.is_none()).map(AdminCampaign))
    }
}

/// Mutations of campaigns.
#[derive(Debug, Default)]
pub struct CampaignAdminMutation;

#[Object]
impl CampaignAdminMutation {
    /// Makes a campaign. Promotions become part of it by `promotionCreate` and `promotionUpdate`.
    #[graphql(guard = "catalog_write()")]
    async fn campaign_create(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The campaign.")] input: AdminCampaignCreateInput,
    ) -> async_graphql::Result<AdminCampaignCreatePayload> {
        let call = call(ctx)?;
        let outcome = async {
            let mut refusals = Refusals::default();
            let budget = input.budget.map(|budget| budget.read(&mut refusals));
            refusals.into_result()?;
            let (title, starts_at, ends_at) = (input.title, input.starts_at, input.ends_at);
            let op = CreateCampaign { title, starts_at, ends_at, budget };
            call.app.run(&call.caller, &op).await.map(AdminCampaign)
        };
        AdminCampaignCreatePayload::answer(outcome.await)
    }

    /// Changes a campaign.
    #[graphql(guard = "catalog_write()")]
    async fn campaign_update(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What changes.")] input: AdminCampaignUpdateInput,
    ) -> async_graphql::Result<AdminCampaignUpdatePayload> {
        let call = call(ctx)?;
        let outcome = async {
            let mut refusals = Refusals::default();
            let budget = input.budget.map_value(|budget| budget.read(&mut refusals));
            let id = refusals.keep(parse_id(&input.id, &["id"]));
            refusals.into_result()?;
            let op = UpdateCampaign {
                id: id.ok_or_else(|| engine::error::Error::internal("a refusal was lost"))?,
                expected_version: input.expected_version,
                title: input.title,
                starts_at: change(input.starts_at),
                ends_at: change(input.ends_at),
                budget: change(budget),
            };
            call.app.run(&call.caller, &op).await.map(AdminCampaign)
        };
        AdminCampaignUpdatePayload::answer(outcome.await)
    }

    /// Deletes a campaign that no promotion is part of.
    #[graphql(guard = "catalog_write()")]
    async fn campaign_delete(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which campaign.")] input: AdminCampaignDeleteInput,
    ) -> async_graphql::Result<AdminCampaignDeletePayload> {
        let call = call(ctx)?;
        let outcome = async {
            let op = DeleteCampaign { id: parse_id(&input.id, &["id"])?, expected_version: input.expected_version };
            call.app.run(&call.caller, &op).await.map(id)
        };
        AdminCampaignDeletePayload::answer(outcome.await)
    }
}
