//! Promotions and campaigns between their rows and the rules.

use chrono::{DateTime, Utc};
use domain::promotion::campaign::Campaign;
use domain::promotion::{Limits, Promotion, PromotionClass};
use entity::{campaign, promotion};
use serde_json::json;

use crate::op::Tx;

fn micros(moment: Option<DateTime<Utc>>) -> Option<i64> {
    moment.map(|moment| moment.timestamp_micros())
}

fn moment(micros: Option<i64>) -> Option<DateTime<Utc>> {
    micros.and_then(DateTime::from_timestamp_micros)
}

/// The classes that may stand beside a promotion.
pub fn combines_with(row: &promotion::Model) -> Vec<PromotionClass> {
    // Nothing else is ever written there; what can't be read stands beside none.
    serde_json::from_value(row.combines_with.clone()).unwrap_or_default()
}

/// How often a promotion may be used.
pub fn limits(row: &promotion::Model) -> Limits {
    Limits { in_all: row.limit_in_all, per_customer: row.limit_per_customer, per_code: row.limit_per_code }
}

/// A promotion as the rules see it.
pub fn promotion(row: &promotion::Model) -> Promotion {
    Promotion {
        id: row.id,
        title: row.title.clone(),
        method: row.method,
        status: row.status,
        priority: row.priority,
        created_at: row.created_at.timestamp_micros(),
        starts_at: micros(row.starts_at),
        ends_at: micros(row.ends_at),
        campaign: row.campaign_id,
        exclusive: row.exclusive,
        combines_with: combines_with(row),
        limits: limits(row),
        conditions: row.conditions.clone(),
        offer: row.offer.clone(),
    }
}

/// A campaign as the rules see it.
pub fn campaign(row: &campaign::Model) -> Campaign {
    Campaign {
        id: row.id,
        title: row.title.clone(),
        starts_at: micros(row.starts_at),
        ends_at: micros(row.ends_at),
        budget: row.budget.clone(),
    }
}

/// The row of a promotion that was checked, in place of `before`.
pub(super) fn promotion_row(tx: &Tx, checked: Promotion, before: Option<&promotion::Model>) -> promotion::Model {
    promotion::Model {
        id: checked.id,
        version: before.map_or(1, |row| row.version + 1),
        created_at: before.map_or(tx.now(), |row| row.created_at),
        updated_at: tx.now(),
        deleted_at: None,
        title: checked.title,
        method: checked.method,
        status: checked.status,
        priority: checked.priority,
        starts_at: moment(checked.starts_at),
        ends_at: moment(checked.ends_at),
        campaign_id: checked.campaign,
        exclusive: checked.exclusive,
        combines_with: json!(checked.combines_with),
        limit_in_all: checked.limits.in_all,
        limit_per_customer: checked.limits.per_customer,
        limit_per_code: checked.limits.per_code,
        conditions: checked.conditions,
        offer: checked.offer,
        uses: before.map_or(0, |row| row.uses),
    }
}

/// The row of a campaign that was checked, in place of `before`.
pub(super) fn campaign_row(tx: &Tx, checked: Campaign, before: Option<&campaign::Model>) -> campaign::Model {
    campaign::Model {
        id: checked.id,
        version: before.map_or(1, |row| row.version + 1),
        created_at: before.map_or(tx.now(), |row| row.created_at),
        updated_at: tx.now(),
        deleted_at: None,
        title: checked.title,
        starts_at: moment(checked.starts_at),
        ends_at: moment(checked.ends_at),
        budget: checked.budget,
        uses: before.map_or(0, |row| row.uses),
    }
}

/// What the audit log keeps of a promotion.
pub(super) fn summary(row: &promotion::Model) -> serde_json::Value {
    json!({
        "title": row.title, "method": row.method, "status": row.status, "priority": row.priority,
        "startsAt": row.starts_at, "endsAt": row.ends_at, "campaign": row.campaign_id, "exclusive": row.exclusive,
        "combinesWith": row.combines_with, "limits": limits(row), "conditions": row.conditions, "offer": row.offer,
    })
}

/// What the audit log keeps of a campaign.
pub(super) fn campaign_summary(row: &campaign::Model) -> serde_json::Value {
    json!({ "title": row.title, "startsAt": row.starts_at, "endsAt": row.ends_at, "budget": row.budget })
}
