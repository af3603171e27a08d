//! Secret keys of integrations: made, changed, revoked. Only a key's hash is
//! kept; the key itself is shown once.

use chrono::{DateTime, TimeDelta, Utc};
use domain::auth::{MAX_API_KEYS, Permission};
use domain::id::{ApiKeyId, ChannelId, LocationId, RoleId};
use domain::reach::{Grant, Reach};
use domain::refusal::{ErrorCode, Refusal, Refusals};
use domain::text::title;
use entity::api_key;
use serde_json::json;

use super::{API_KEY_PREFIX, repo, token};
use crate::actor::Need;
use crate::app::App;
use crate::db::StatementCount;
use crate::error::{Error, Result};
use crate::op::{Op, Tx};
use crate::staff::ops::within_own;
use crate::staff::roles::{check_limits, words};

const WRITE: Need = Need::Permission(Permission::AccessWrite);
/// How exactly the last use of a key is known: finer would be a write per request.
const USE_NOTED_EVERY: TimeDelta = TimeDelta::minutes(1);

/// Notes that a key is used, at most once a minute. What fails here must not
/// fail the request.
pub async fn note_use(app: &App, key: &api_key::Model, now: DateTime<Utc>) {
    if key.last_used_at.is_some_and(|last| now - last < USE_NOTED_EVERY) {
        return;
    }
    if let Err(error) = write_use(app, key.id, now).await {
        tracing::warn!(key = %key.id, %error, "the use of the key was not noted");
    }
}

async fn write_use(app: &App, key: ApiKeyId, now: DateTime<Utc>) -> Result<()> {
    let conn = app.db.begin(&StatementCount::default()).await?;
    repo::touch_api_key(&conn, key, now).await?;
    Ok(conn.commit().await?)
}

fn shown(secret: &str) -> String {
    secret.chars().take(API_KEY_PREFIX.len() + 4).collect()
}

/// A new secret key for an integration.
#[derive(Debug, Clone)]
pub struct CreateApiKey {
    /// What staff call it.
    pub title: String,
    /// The name of the role that it has.
    pub role: String,
    /// The key itself, drawn at random by the caller.
    pub secret: String,
}

impl Op for CreateApiKey {
    const NAME: &'static str = "api_key.create";
    const NEEDS: Need = WRITE;
    type Out = api_key::Model;

    async fn run(&self, tx: &mut Tx) -> Result<api_key::Model> {
        self.create(tx, &[], &[]).await
    }
}

/// The same, limited to some channels and locations.
#[derive(Debug, Clone)]
pub struct CreateLimitedApiKey {
    /// The key.
    pub key: CreateApiKey,
    /// In which channels; in all when none is listed.
    pub channels: Vec<ChannelId>,
    /// At which locations; at all when none is listed.
    pub locations: Vec<LocationId>,
}

impl Op for CreateLimitedApiKey {
    const NAME: &'static str = CreateApiKey::NAME;
    const NEEDS: Need = WRITE;
    type Out = api_key::Model;

    async fn run(&self, tx: &mut Tx) -> Result<api_key::Model> {
        self.key.create(tx, &self.channels, &self.locations).await
    }
}

impl CreateApiKey {
    async fn create(&self, tx: &mut Tx, channels: &[ChannelId], locations: &[LocationId]) -> Result<api_key::Model> {
        let settings = tx.settings().await?;
        let mut refusals = Refusals::default();
        let name = refusals.keep(title(&self.title).map_err(|refusal| refusal.at(["title"])));
        let role = repo::role_named(tx, &self.role).await?;
        let (channels, locations): (Reach<ChannelId>, Reach<LocationId>) =
            check_limits(&settings, channels, locations, &[], &mut refusals);
        match &role {
            Some(role) => {
                let (channels, locations) = (channels.clone(), locations.clone());
                let wanted = Grant { permissions: repo::granted_by(role), channels, locations };
                refusals.keep(within_own(tx.actor(), &vec![wanted].into()).map_err(|refusal| refusal.at(["role"])));
            }
            None => refusals.push(Refusal::new(ErrorCode::NotFound, "There is no such role.").at(["role"])),
        }
        if repo::count_api_keys(&tx.conn).await? >= MAX_API_KEYS as u64 {
            let message = format!("A shop has at most {MAX_API_KEYS} API keys in force.");
            refusals.push(Refusal::new(ErrorCode::TooMany, message).limit(MAX_API_KEYS as i64));
        }
        refusals.into_result()?;
        let (Some(name), Some(role)) = (name, role) else { return Err(Error::internal("a refusal was lost")) };
        let row = api_key::Model {
            id: tx.id(),
            version: 1,
            created_at: tx.now(),
            updated_at: tx.now(),
            title: name,
            prefix: shown(&self.secret),
            hash: token::hash(&self.secret),
            role_id: role.id,
            revoked_at: None,
            last_used_at: None,
            channels: words(&channels),
            locations: words(&locations),
        };
        let row = repo::insert_api_key(tx, row).await?;
        let after = json!({
            "title": row.title, "role": role.name, "channels": row.channels, "locations": row.locations,
        });
        tx.audit(row.id, None, Some(after));
        Ok(row)
    }
}

/// A key in force whose role grants nothing beyond what the caller holds.
async fn lock_own(tx: &Tx, id: ApiKeyId) -> Result<api_key::Model> {
    let row = repo::lock_api_key(tx, id).await?.ok_or_else(|| Error::not_found("API key"))?;
    if row.revoked_at.is_some() {
        return Err(Refusal::new(ErrorCode::StateInvalid, "This key was revoked.").at(["id"]).into());
    }
    let role: RoleId = row.role_id;
    let role = repo::find_role(&tx.conn, role).await?.ok_or_else(|| Error::not_found("role"))?;
    within_own(tx.actor(), &repo::grants_of_key(&row, &role)).map_err(|refusal| refusal.at(["id"]))?;
    Ok(row)
}

/// Gives a key another secret: the old one opens nothing any more.
#[derive(Debug, Clone)]
pub struct RotateApiKey {
    /// Which one.
    pub id: ApiKeyId,
    /// The new key itself, drawn at random by the caller.
    pub secret: String,
}

impl Op for RotateApiKey {
    const NAME: &'static str = "api_key.rotate";
    const NEEDS: Need = WRITE;
    type Out = api_key::Model;

    async fn run(&self, tx: &mut Tx) -> Result<api_key::Model> {
        let mut row = lock_own(tx, self.id).await?;
        let before = row.prefix.clone();
        row.prefix = shown(&self.secret);
        row.hash = token::hash(&self.secret);
        row.last_used_at = None;
        row.version += 1;
        row.updated_at = tx.now();
        let row = repo::update_api_key(tx, row).await?;
        tx.audit(row.id, Some(json!({ "prefix": before })), Some(json!({ "prefix": row.prefix })));
        Ok(row)
    }
}

/// Revokes a key: it opens nothing any more.
#[derive(Debug, Clone, Copy)]
pub struct RevokeApiKey(pub ApiKeyId);

impl Op for RevokeApiKey {
    const NAME: &'static str = "api_key.revoke";
    const NEEDS: Need = WRITE;
    type Out = api_key::Model;

    async fn run(&self, tx: &mut Tx) -> Result<api_key::Model> {
        let mut row = lock_own(tx, self.0).await?;
        row.revoked_at = Some(tx.now());
        row.version += 1;
        row.updated_at = tx.now();
        let row = repo::update_api_key(tx, row).await?;
        tx.audit(row.id, Some(json!({ "title": row.title })), None);
        Ok(row)
    }
}
