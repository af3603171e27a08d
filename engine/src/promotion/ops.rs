//! What staff do with promotions.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use domain::auth::Permission;
use domain::id::{CampaignId, PromotionId};
use domain::promotion::check::MAX_RUNNING;
use domain::promotion::condition::Conditions;
use domain::promotion::offer::Offer;
use domain::promotion::{Limits, Promotion, PromotionClass, PromotionMethod, PromotionStatus};
use domain::refusal::{ErrorCode, Refusal, Refusals};
use entity::promotion;
use serde_json::json;

use super::rows::{self, promotion_row, summary};
use super::{MAX_PROMOTIONS, no_promotion, repo};
use crate::actor::{Caller, Need};
use crate::app::App;
use crate::error::Result;
use crate::event::Aggregate;
use crate::op::{Op, Tx};
use crate::sweeper::in_turns;
use crate::version::{Change, check_version};

pub(super) const WRITE: Need = Need::Everywhere(Permission::CatalogWrite);

fn micros(moment: DateTime<Utc>) -> i64 {
    moment.timestamp_micros()
}

/// Tells of a promotion that was written.
async fn told(
    tx: &mut Tx,
    kind: &'static str,
    before: Option<&promotion::Model>,
    row: promotion::Model,
) -> Result<promotion::Model> {
    let row = repo::save(tx, row, before.is_none()).await?;
    tx.emit(Aggregate::new("promotion", row.id), kind, json!({ "version": row.version }));
    let after = row.deleted_at.is_none().then(|| summary(&row));
    tx.audit(row.id, before.map(summary), after);
    // Carts know nothing of drafts.
    let is_draft = |row: &promotion::Model| row.status == PromotionStatus::Draft;
    if !is_draft(&row) || before.is_some_and(|before| !is_draft(before)) {
        tx.touch_settings().await?;
    }
    Ok(row)
}

async fn lock(tx: &Tx, id: PromotionId, expected_version: Option<i32>) -> Result<promotion::Model> {
    let row = repo::lock(tx, id).await?.ok_or_else(no_promotion)?;
    check_version(expected_version, row.version)?;
    Ok(row)
}

async fn check_campaign(tx: &Tx, campaign: Option<CampaignId>) -> Result<Result<(), Refusal>> {
    let Some(campaign) = campaign else { return Ok(Ok(())) };
    // It is held, lest it is deleted beside.
    Ok(match repo::lock_campaign(tx, campaign).await? {
        Some(_) => Ok(()),
        None => Err(Refusal::new(ErrorCode::NotFound, "There is no such campaign.").at(["campaignId"])),
    })
}

async fn check_room(tx: &Tx) -> Result<()> {
    if repo::count(&tx.conn).await? < MAX_PROMOTIONS {
        return Ok(());
    }
    let message = format!("A shop has at most {MAX_PROMOTIONS} promotions: delete one that is over.");
    Err(Refusal::new(ErrorCode::TooMany, message).limit(MAX_PROMOTIONS as i64).into())
}

/// Makes a promotion: a draft, which no cart knows.
#[derive(Debug, Clone)]
pub struct CreatePromotion {
    /// What shoppers read.
    pub title: String,
    /// How it comes to a cart.
    pub method: PromotionMethod,
    /// The highest comes first.
    pub priority: i32,
    /// When it starts, inclusive.
    pub starts_at: Option<DateTime<Utc>>,
    /// When it ends, exclusive.
    pub ends_at: Option<DateTime<Utc>>,
    /// The campaign that it is part of.
    pub campaign: Option<CampaignId>,
    /// Whether it stands alone.
    pub exclusive: bool,
    /// The classes of promotions that may stand beside it.
    pub combines_with: Vec<PromotionClass>,
    /// How often it may be used.
    pub limits: Limits,
    /// When it counts.
    pub conditions: Conditions,
    /// What it gives.
    pub offer: Offer,
}

impl Op for CreatePromotion {
    const NAME: &'static str = "promotion.create";
    const NEEDS: Need = WRITE;
    type Out = promotion::Model;

    async fn run(&self, tx: &mut Tx) -> Result<promotion::Model> {
        check_room(tx).await?;
        let mut refusals = Refusals::default();
        refusals.keep(check_campaign(tx, self.campaign).await?);
        let wished = Promotion {
            id: tx.id(),
            title: self.title.clone(),
            method: self.method,
            status: PromotionStatus::Draft,
            priority: self.priority,
            created_at: micros(tx.now()),
            starts_at: self.starts_at.map(micros),
            ends_at: self.ends_at.map(micros),
            campaign: self.campaign,
            exclusive: self.exclusive,
            combines_with: self.combines_with.clone(),
            limits: self.limits,
            conditions: self.conditions.clone(),
            offer: self.offer.clone(),
        };
        let checked = checked(wished, refusals)?;
        let row = promotion_row(tx, checked, None);
        told(tx, "promotion.created", None, row).await
    }
}

fn checked(wished: Promotion, mut refusals: Refusals) -> Result<Promotion> {
    let kept = wished.clone();
    let checked = wished.check().unwrap_or_else(|more| {
        refusals.extend(more);
        kept
    });
    refusals.into_result()?;
    Ok(checked)
}

/// Changes a promotion. What is let go already counts as it is now from the next look at a cart on; a checkout under
/// way and orders keep what they have.
#[derive(Debug, Clone)]
pub struct UpdatePromotion {
    /// Which one.
    pub id: PromotionId,
    /// The version that staff saw, when it is known.
    pub expected_version: Option<i32>,
    /// What shoppers read.
    pub title: Option<String>,
    /// The highest comes first.
    pub priority: Option<i32>,
    /// When it starts, inclusive.
    pub starts_at: Change<DateTime<Utc>>,
    /// When it ends, exclusive.
    pub ends_at: Change<DateTime<Utc>>,
    /// The campaign that it is part of.
    pub campaign: Change<CampaignId>,
    /// Whether it stands alone.
    pub exclusive: Option<bool>,
    /// The classes of promotions that may stand beside it.
    pub combines_with: Option<Vec<PromotionClass>>,
    /// How often it may be used.
    pub limits: Option<Limits>,
    /// When it counts.
    pub conditions: Option<Conditions>,
    /// What it gives.
    pub offer: Option<Offer>,
}

impl Op for UpdatePromotion {
    const NAME: &'static str = "promotion.update";
    const NEEDS: Need = WRITE;
    type Out = promotion::Model;

    async fn run(&self, tx: &mut Tx) -> Result<promotion::Model> {
        let before = lock(tx, self.id, self.expected_version).await?;
        let mut wished = rows::promotion(&before);
        self.campaign.clone().apply(&mut wished.campaign);
        let mut refusals = Refusals::default();
        if wished.campaign != before.campaign_id {
            refusals.keep(check_campaign(tx, wished.campaign).await?);
        }
        let (mut starts_at, mut ends_at) = (before.starts_at, before.ends_at);
        self.starts_at.clone().apply(&mut starts_at);
        self.ends_at.clone().apply(&mut ends_at);
        (wished.starts_at, wished.ends_at) = (starts_at.map(micros), ends_at.map(micros));
        wished.title = self.title.clone().unwrap_or(wished.title);
        wished.priority = self.priority.unwrap_or(wished.priority);
        wished.exclusive = self.exclusive.unwrap_or(wished.exclusive);
        wished.combines_with = self.combines_with.clone().unwrap_or(wished.combines_with);
        wished.limits = self.limits.unwrap_or(wished.limits);
        wished.conditions = self.conditions.clone().unwrap_or(wished.conditions);
        wished.offer = self.offer.clone().unwrap_or(wished.offer);
        let row = promotion_row(tx, checked(wished, refusals)?, Some(&before));
        if row.status != PromotionStatus::Draft && row.ends_at != before.ends_at {
            check_running(tx, Some(&before)).await?;
        }
        told(tx, "promotion.changed", Some(&before), row).await
    }
}

/// Refuses one more promotion that carts are asked about; `known` is one of them when it is not over.
async fn check_running(tx: &Tx, known: Option<&promotion::Model>) -> Result<()> {
    let counted =
        known.is_some_and(|row| row.status != PromotionStatus::Draft && row.ends_at.is_none_or(|end| end > tx.now()));
    if !counted && repo::count_running(&tx.conn, tx.now()).await? >= MAX_RUNNING as u64 {
        let message = format!("At most {MAX_RUNNING} promotions run at once: delete or end one.");
        return Err(Refusal::new(ErrorCode::TooMany, message).limit(MAX_RUNNING as i64).into());
    }
    Ok(())
}

/// Lets a promotion go, or holds it back.
#[derive(Debug, Clone, Copy)]
pub struct SetPromotionStatus {
    /// Which one.
    pub id: PromotionId,
    /// The version that staff saw, when it is known.
    pub expected_version: Option<i32>,
    /// Whether it counts; what is held back waits.
    pub active: bool,
}

impl Op for SetPromotionStatus {
    const NAME: &'static str = "promotion.set_status";
    const NEEDS: Need = WRITE;
    type Out = promotion::Model;

    async fn run(&self, tx: &mut Tx) -> Result<promotion::Model> {
        let before = lock(tx, self.id, self.expected_version).await?;
        let (status, kind) = match self.active {
            true => (PromotionStatus::Active, "promotion.activated"),
            false => (PromotionStatus::Paused, "promotion.paused"),
        };
        if before.status == status {
            return Ok(before);
        }
        if !self.active && before.status == PromotionStatus::Draft {
            let message = "A draft has not been let go yet, so there is nothing to hold back.";
            return Err(Refusal::new(ErrorCode::StateInvalid, message).at(["id"]).into());
        }
        check_running(tx, Some(&before)).await?;
        let (version, updated_at) = (before.version + 1, tx.now());
        let row = promotion::Model { version, updated_at, status, ..before.clone() };
        told(tx, kind, Some(&before), row).await
    }
}

/// Deletes a promotion. Orders keep what it gave; its codes may be given anew. Many of them go some at a time, later:
/// nobody waits for a million rows.
#[derive(Debug, Clone, Copy)]
pub struct DeletePromotion {
    /// Which one.
    pub id: PromotionId,
    /// The version that staff saw, when it is known.
    pub expected_version: Option<i32>,
}

impl Op for DeletePromotion {
    const NAME: &'static str = "promotion.delete";
    const NEEDS: Need = WRITE;
    type Out = PromotionId;

    async fn run(&self, tx: &mut Tx) -> Result<PromotionId> {
        let before = lock(tx, self.id, self.expected_version).await?;
        repo::codes::delete_some(tx, self.id).await?;
        let (version, now) = (before.version + 1, tx.now());
        let row = promotion::Model { version, updated_at: now, deleted_at: Some(now), ..before.clone() };
        Ok(told(tx, "promotion.deleted", Some(&before), row).await?.id)
    }
}

/// Makes a draft that is like a promotion; it has no codes and was never used.
#[derive(Debug, Clone)]
pub struct DuplicatePromotion {
    /// Which one.
    pub id: PromotionId,
    /// What shoppers read of the new one; the same when absent.
    pub title: Option<String>,
}

impl Op for DuplicatePromotion {
    const NAME: &'static str = "promotion.duplicate";
    const NEEDS: Need = WRITE;
    type Out = promotion::Model;

    async fn run(&self, tx: &mut Tx) -> Result<promotion::Model> {
        check_room(tx).await?;
        let like = repo::find(&tx.conn, self.id).await?.ok_or_else(no_promotion)?;
        let mut refusals = Refusals::default();
        refusals.keep(check_campaign(tx, like.campaign_id).await?);
        let wished = Promotion {
            id: tx.id(),
            title: self.title.clone().unwrap_or_else(|| like.title.clone()),
            status: PromotionStatus::Draft,
            created_at: micros(tx.now()),
            ..rows::promotion(&like)
        };
        let row = promotion_row(tx, checked(wished, refusals)?, None);
        told(tx, "promotion.created", None, row).await
    }
}

/// Takes codes of promotions that were deleted out of use, some in each transaction.
pub async fn sweep(app: &Arc<App>) -> Result<()> {
    in_turns(|| async {
        match repo::codes::any_of_deleted(&app.read()).await? {
            Some(promotion) => app.run(&Caller::system(), &ForgetCodes { promotion }).await,
            None => Ok(0),
        }
    })
    .await
}

struct ForgetCodes {
    promotion: PromotionId,
}

impl Op for ForgetCodes {
    const NAME: &'static str = "promotion.forget_codes";
    const NEEDS: Need = Need::System;
    type Out = u64;

    async fn run(&self, tx: &mut Tx) -> Result<u64> {
        repo::codes::delete_some(tx, self.promotion).await
    }
}
