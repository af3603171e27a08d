//! What staff do with campaigns.

use chrono::{DateTime, Utc};
use domain::id::CampaignId;
use domain::promotion::campaign::{Budget, Campaign, MAX_CAMPAIGNS};
use domain::refusal::{ErrorCode, Refusal};
use entity::campaign;
use serde_json::json;

use super::ops::WRITE;
use super::repo;
use super::rows::{self, campaign_row, campaign_summary};
use crate::actor::Need;
use crate::error::Result;
use crate::event::Aggregate;
use crate::op::{Op, Tx};
use crate::version::{Change, check_version};

async fn told(
    tx: &mut Tx,
    kind: &'static str,
    before: Option<&campaign::Model>,
    row: campaign::Model,
) -> Result<campaign::Model> {
    let row = repo::save_campaign(tx, row, before.is_none()).await?;
    tx.emit(Aggregate::new("campaign", row.id), kind, json!({ "version": row.version }));
    let after = row.deleted_at.is_none().then(|| campaign_summary(&row));
    tx.audit(row.id, before.map(campaign_summary), after);
    tx.touch_settings().await?;
    Ok(row)
}

async fn lock(tx: &Tx, id: CampaignId, expected_version: Option<i32>) -> Result<campaign::Model> {
    let missing = || Refusal::new(ErrorCode::NotFound, "There is no such campaign.").at(["id"]);
    let row = repo::lock_campaign(tx, id).await?.ok_or_else(missing)?;
    check_version(expected_version, row.version)?;
    Ok(row)
}

/// Makes a campaign.
#[derive(Debug, Clone)]
pub struct CreateCampaign {
    /// Its name for staff.
    pub title: String,
    /// When it starts, inclusive.
    pub starts_at: Option<DateTime<Utc>>,
    /// When it ends, exclusive.
    pub ends_at: Option<DateTime<Utc>>,
    /// How much it may give.
    pub budget: Option<Budget>,
}

impl Op for CreateCampaign {
    const NAME: &'static str = "campaign.create";
    const NEEDS: Need = WRITE;
    type Out = campaign::Model;

    async fn run(&self, tx: &mut Tx) -> Result<campaign::Model> {
        if tx.settings().await?.promotions.campaigns.len() >= MAX_CAMPAIGNS {
            let message = format!("A shop has at most {MAX_CAMPAIGNS} campaigns: delete one that is over.");
            return Err(Refusal::new(ErrorCode::TooMany, message).limit(MAX_CAMPAIGNS as i64).into());
        }
        let wished = Campaign {
            id: tx.id(),
            title: self.title.clone(),
            starts_at: self.starts_at.map(|moment| moment.timestamp_micros()),
            ends_at: self.ends_at.map(|moment| moment.timestamp_micros()),
            budget: self.budget.clone(),
        };
        let row = campaign_row(tx, wished.check()?, None);
        told(tx, "campaign.created", None, row).await
    }
}

/// Changes a campaign.
#[derive(Debug, Clone)]
pub struct UpdateCampaign {
    /// Which one.
    pub id: CampaignId,
    /// The version that staff saw, when it is known.
    pub expected_version: Option<i32>,
    /// Its name for staff.
    pub title: Option<String>,
    /// When it starts, inclusive.
    pub starts_at: Change<DateTime<Utc>>,
    /// When it ends, exclusive.
    pub ends_at: Change<DateTime<Utc>>,
    /// How much it may give.
    pub budget: Change<Budget>,
}

impl Op for UpdateCampaign {
    const NAME: &'static str = "campaign.update";
    const NEEDS: Need = WRITE;
    type Out = campaign::Model;

    async fn run(&self, tx: &mut Tx) -> Result<campaign::Model> {
        let before = lock(tx, self.id, self.expected_version).await?;
        let (mut starts_at, mut ends_at) = (before.starts_at, before.ends_at);
        self.starts_at.clone().apply(&mut starts_at);
        self.ends_at.clone().apply(&mut ends_at);
        let known = rows::campaign(&before);
        let mut wished = Campaign {
            title: self.title.clone().unwrap_or(known.title),
            starts_at: starts_at.map(|moment| moment.timestamp_micros()),
            ends_at: ends_at.map(|moment| moment.timestamp_micros()),
            ..known
        };
        self.budget.clone().apply(&mut wished.budget);
        let row = campaign_row(tx, wished.check()?, Some(&before));
        told(tx, "campaign.changed", Some(&before), row).await
    }
}

/// Deletes a campaign that no promotion is part of.
#[derive(Debug, Clone, Copy)]
pub struct DeleteCampaign {
    /// Which one.
    pub id: CampaignId,
    /// The version that staff saw, when it is known.
    pub expected_version: Option<i32>,
}

impl Op for DeleteCampaign {
    const NAME: &'static str = "campaign.delete";
    const NEEDS: Need = WRITE;
    type Out = CampaignId;

    async fn run(&self, tx: &mut Tx) -> Result<CampaignId> {
        let before = lock(tx, self.id, self.expected_version).await?;
        let promotions = repo::count_of_campaign(&tx.conn, self.id).await?;
        if promotions > 0 {
            // Without it they would give without any bound.
            let message = format!("{promotions} promotions are part of it: give them another campaign or none.");
            return Err(Refusal::new(ErrorCode::InUse, message).at(["id"]).into());
        }
        let (version, now) = (before.version + 1, tx.now());
        let row = campaign::Model { version, updated_at: now, deleted_at: Some(now), ..before.clone() };
        Ok(told(tx, "campaign.deleted", Some(&before), row).await?.id)
    }
}
