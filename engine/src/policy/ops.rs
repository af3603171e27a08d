//! What staff change about policies.

use domain::auth::Permission;
use domain::id::{ChannelId, PolicyId};
use domain::policy::{self as rule, PolicyKind};
use domain::refusal::{ErrorCode, Refusal, Refusals};
use entity::policy;
use serde_json::json;

use super::repo;
use crate::actor::{Actor, Need};
use crate::error::{Error, Result};
use crate::op::{Op, Tx};
use crate::version::check_version;

/// Whether somebody reaches what belongs to this channel, or to the whole shop.
pub fn reaches(actor: &Actor, permission: Permission, channel: Option<ChannelId>) -> bool {
    match channel {
        Some(channel) => crate::scope::channels(actor, permission).holds(channel),
        None => actor.check(Need::Everywhere(permission)).is_ok(),
    }
}

/// A policy as staff want it; kind and channel say which one it is.
#[derive(Debug, Clone)]
pub struct SetPolicy {
    /// What it is about.
    pub kind: PolicyKind,
    /// For this channel alone; for the whole shop when absent.
    pub channel: Option<ChannelId>,
    /// The version that staff saw, when it is known.
    pub expected_version: Option<i32>,
    /// Its title; when absent it stays, and a new one has its kind's.
    pub title: Option<String>,
    /// The text; it is sanitised.
    pub body_html: String,
}

impl Op for SetPolicy {
    const NAME: &'static str = "policy.set";
    const NEEDS: Need = Need::Permission(Permission::SettingsWrite);
    type Out = policy::Model;

    async fn run(&self, tx: &mut Tx) -> Result<policy::Model> {
        let settings = tx.settings().await?;
        let mut refusals = Refusals::default();
        let within = reaches(tx.actor(), Permission::SettingsWrite, self.channel);
        match self.channel {
            None if !within => return Err(Error::Forbidden),
            Some(id) if !within || !settings.channels.iter().any(|row| row.id == id) => {
                refusals.push(Refusal::new(ErrorCode::NotFound, "There is no such channel.").at(["channelId"]));
            }
            _ => {}
        }
        let body = refusals.keep(rule::check_body(&self.body_html)).map(ammonia::clean);
        if body.as_ref().is_some_and(|body| body.trim().is_empty()) {
            refusals.push(rule::empty());
        }
        let known = match within {
            true => repo::lock_kind(tx, self.kind, self.channel).await?,
            false => None,
        };
        let had = known.as_ref().map(|row| row.title.as_str());
        let title = refusals.keep(rule::title(self.kind, self.title.as_deref(), had));
        refusals.into_result()?;
        let (Some(title), Some(body_html)) = (title, body) else { return Err(Error::internal("a refusal was lost")) };
        check_version(self.expected_version, known.as_ref().map_or(0, |row| row.version))?;
        let row = policy::Model {
            id: known.as_ref().map_or_else(|| tx.id(), |row| row.id),
            version: known.as_ref().map_or(1, |row| row.version + 1),
            created_at: known.as_ref().map_or(tx.now(), |row| row.created_at),
            updated_at: tx.now(),
            deleted_at: None,
            kind: self.kind,
            channel_id: self.channel,
            title,
            body_html,
        };
        let row = repo::save(tx, row, known.is_none()).await?;
        tx.audit(row.id, known.as_ref().map(summary), Some(summary(&row)));
        tx.touch_settings().await?;
        Ok(row)
    }
}

/// Takes a policy out of force; in a channel, the shop's counts again.
#[derive(Debug, Clone)]
pub struct DeletePolicy {
    /// Which one.
    pub id: PolicyId,
    /// The version that staff saw.
    pub expected_version: Option<i32>,
}

impl Op for DeletePolicy {
    const NAME: &'static str = "policy.delete";
    const NEEDS: Need = Need::Permission(Permission::SettingsWrite);
    type Out = PolicyId;

    async fn run(&self, tx: &mut Tx) -> Result<PolicyId> {
        let found = repo::lock(tx, self.id).await?;
        let reached = found.filter(|row| reaches(tx.actor(), Permission::SettingsWrite, row.channel_id));
        let missing = || Refusal::new(ErrorCode::NotFound, "There is no such policy.").at(["id"]);
        let mut row = reached.ok_or_else(missing)?;
        check_version(self.expected_version, row.version)?;
        tx.audit(row.id, Some(summary(&row)), None);
        row.version += 1;
        row.deleted_at = Some(tx.now());
        let row = repo::save(tx, row, false).await?;
        tx.touch_settings().await?;
        Ok(row.id)
    }
}

fn summary(row: &policy::Model) -> serde_json::Value {
    json!({ "kind": row.kind, "channel": row.channel_id, "title": row.title, "bodyHtml": row.body_html })
}
