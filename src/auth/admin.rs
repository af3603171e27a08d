//! Logging in and giving access on the admin surface.

use async_graphql::{Context, ID, InputObject, Object, SimpleObject};
use domain::auth::{Permission, Surface};
use domain::reach::Grants;
use domain::refusal::Refusals;

use super::types::AdminApiKey;
use crate::api::call::call;
use crate::api::guard::{access_read, access_write, admin};
use crate::api::payload::{UserError, part, payload, top_level};
use crate::api::scalar::{id, parse_id};
use crate::api::word::Enum;
use crate::staff::admin::ids;
use engine::actor::Actor;
use engine::auth::factor::LogIn;
use engine::auth::keys::{CreateApiKey, CreateLimitedApiKey, RevokeApiKey, RotateApiKey};
use engine::auth::ops::{self, CloseSession, RevokeSession, Tokens};
use engine::auth::repo;
use engine::auth::token::{ACCESS_LIFE, random_token};

/// Who is asking, and what that lets him do.
#[derive(Debug, Clone, SimpleObject)]
pub struct AdminMe {
    /// The id of the member of staff or of the API key.
    pub id: ID,
    /// The name, for a member of staff.
    pub name: Option<String>,
    /// The e-mail, for a member of staff.
    pub email: Option<String>,
    /// What the roles grant.
    pub permissions: Vec<Enum<Permission>>,
    /// The permissions that are limited to some channels or locations; what isn't listed has no limit.
    pub limits: Vec<AdminPermissionLimit>,
}

/// How far a permission reaches.
#[derive(Debug, Clone, SimpleObject)]
pub struct AdminPermissionLimit {
    /// Which permission.
    pub permission: Enum<Permission>,
    /// The channels that it reaches; null when it reaches all.
    pub channel_ids: Option<Vec<ID>>,
    /// The locations that it reaches; null when it reaches all.
    pub location_ids: Option<Vec<ID>>,
}

fn limits(grants: &Grants) -> Vec<AdminPermissionLimit> {
    let limited = grants.permissions().into_iter().filter(|permission| !grants.everywhere_for(*permission));
    let limit = |permission: Permission| AdminPermissionLimit {
        permission: Enum(permission),
        channel_ids: grants.channels(permission).limits().map(|ids| ids.iter().map(id).collect()),
        location_ids: grants.locations(permission).limits().map(|ids| ids.iter().map(id).collect()),
    };
    limited.map(limit).collect()
}

/// Tokens of a session.
#[derive(Debug, Clone, SimpleObject)]
pub struct AdminTokens {
    /// Send it as `Authorization: Bearer …`.
    pub access_token: String,
    /// How many seconds the access token is good for.
    pub access_token_expires_in: i32,
    /// Send it once to `staffTokenRefresh` for new tokens. Using an old one ends the session.
    pub refresh_token: String,
}

impl From<Tokens> for AdminTokens {
    fn from(tokens: Tokens) -> Self {
        Self {
            access_token: tokens.access,
            access_token_expires_in: ACCESS_LIFE.num_seconds() as i32,
            refresh_token: tokens.refresh,
        }
    }
}

/// Queries about access.
#[derive(Debug, Default)]
pub struct AuthAdminQuery;

#[Object]
impl AuthAdminQuery {
    /// Who you are and what you may do.
    #[graphql(guard = "admin()")]
    async fn me(&self, ctx: &Context<'_>) -> async_graphql::Result<AdminMe> {
        let call = call(ctx)?;
        let words = |grants: &Grants| grants.permissions().into_iter().map(Enum).collect();
        match &call.caller.actor {
            Actor::Staff { id: staff, grants, .. } => {
                let row = repo::find_staff(&call.conn(), *staff).await.map_err(top_level)?;
                Ok(AdminMe {
                    id: id(staff),
                    name: row.as_ref().map(|row| row.name.clone()),
                    email: row.map(|row| row.email.to_string()),
                    permissions: words(grants),
                    limits: limits(grants),
                })
            }
            Actor::ApiKey { id: key, grants } => {
                Ok(AdminMe { id: id(key), name: None, email: None, permissions: words(grants), limits: limits(grants) })
            }
            _ => Err(top_level(engine::error::Error::Unauthenticated)),
        }
    }

    /// Every API key in force, at most 100, then the 250 newest of the others.
    #[graphql(guard = "access_read()")]
    async fn api_keys(&self, ctx: &Context<'_>) -> async_graphql::Result<Vec<AdminApiKey>> {
        let rows = repo::api_keys(&call(ctx)?.conn()).await.map_err(top_level)?;
        Ok(rows.into_iter().map(AdminApiKey).collect())
    }
}

/// E-mail and password of a member of staff.
#[derive(Debug, InputObject)]
pub struct AdminStaffLoginInput {
    /// The e-mail.
    pub email: String,
    /// The password.
    pub password: String,
}

/// A refresh token.
#[derive(Debug, InputObject)]
pub struct AdminStaffTokenRefreshInput {
    /// The refresh token that came last.
    pub refresh_token: String,
}

/// A new password for yourself.
#[derive(Debug, InputObject)]
pub struct AdminStaffPasswordChangeInput {
    /// The password that you have.
    pub current_password: String,
    /// The password that you want, 12 to 256 characters.
    pub new_password: String,
}

/// What a new API key is.
#[derive(Debug, InputObject)]
pub struct AdminApiKeyCreateInput {
    /// What staff call it, 1 to 255 characters.
    pub title: String,
    /// The name of the role that it has, such as `viewer`; none with a permission that you don't hold yourself.
    pub role: String,
    /// The only channels that it reaches, at most 250; every channel when empty or absent.
    #[graphql(default)]
    pub channel_ids: Vec<ID>,
    /// The only locations that it reaches, at most 250; every location when empty or absent.
    #[graphql(default)]
    pub location_ids: Vec<ID>,
}

/// Which API key gets another secret.
#[derive(Debug, InputObject)]
pub struct AdminApiKeyRotateInput {
    /// Which one.
    pub id: ID,
}

/// Which API key is revoked.
#[derive(Debug, InputObject)]
pub struct AdminApiKeyRevokeInput {
    /// Which one.
    pub id: ID,
}

/// Which session ends.
#[derive(Debug, InputObject)]
pub struct AdminSessionRevokeInput {
    /// Which one.
    pub id: ID,
}

/// What `staffLogin` did.
#[derive(Debug, SimpleObject)]
pub struct AdminStaffLoginPayload {
    /// The tokens of the new session; null when it was refused or a second factor is missing.
    pub tokens: Option<AdminTokens>,
    /// Whether a code of the second factor is missing.
    pub second_factor_required: bool,
    /// Send it with a code to `staffLoginSecondFactor` within five minutes; null when no code is missing.
    pub challenge: Option<String>,
    /// Every reason why nothing was done; empty on success.
    pub user_errors: Vec<UserError>,
}

impl AdminStaffLoginPayload {
    /// The payload for an outcome.
    pub fn answer(outcome: engine::error::Result<LogIn>) -> async_graphql::Result<Self> {
        let (come, user_errors) = part(outcome)?;
        let (tokens, challenge) = match come {
            Some(LogIn::Done(tokens)) => (Some(tokens.into()), None),
            Some(LogIn::SecondFactor(challenge)) => (None, Some(challenge)),
            None => (None, None),
        };
        Ok(Self { tokens, second_factor_required: challenge.is_some(), challenge, user_errors })
    }
}

payload! {
    /// What `staffTokenRefresh` did.
    AdminStaffTokenRefreshPayload {
        /// New tokens; the old refresh token is used up.
        tokens: AdminTokens
    }
}

payload! {
    /// What `staffLogout` did.
    AdminStaffLogoutPayload {
        /// Whether a session was ended.
        logged_out: bool
    }
}

payload! {
    /// What `staffPasswordChange` did.
    AdminStaffPasswordChangePayload {
        /// Your id.
        staff_id: ID
    }
}

/// What `apiKeyCreate` did.
#[derive(Debug, SimpleObject)]
pub struct AdminApiKeyCreatePayload {
    /// The new key.
    pub api_key: Option<AdminApiKey>,
    /// The key itself: shown this once and kept nowhere. Send it as `Authorization: Bearer …`.
    pub secret: Option<String>,
    /// Every reason why nothing was done; empty on success.
    pub user_errors: Vec<UserError>,
}

/// What `apiKeyRotate` did.
#[derive(Debug, SimpleObject)]
pub struct AdminApiKeyRotatePayload {
    /// The key.
    pub api_key: Option<AdminApiKey>,
    /// The new secret: shown this once and kept nowhere. The old one opens nothing any more.
    pub secret: Option<String>,
    /// Every reason why nothing was done; empty on success.
    pub user_errors: Vec<UserError>,
}

payload! {
    /// What `apiKeyRevoke` did.
    AdminApiKeyRevokePayload {
        /// The key, which opens nothing any more.
        api_key: AdminApiKey
    }
}

payload! {
    /// What `sessionRevoke` did.
    AdminSessionRevokePayload {
        /// The id of the session that ended.
        revoked_id: ID
    }
}

/// Mutations of access.
#[derive(Debug, Default)]
pub struct AuthAdminMutation;

#[Object]
impl AuthAdminMutation {
    /// Logs a member of staff in, or asks for the second factor. Needs no credential.
    async fn staff_login(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "E-mail and password.")] input: AdminStaffLoginInput,
    ) -> async_graphql::Result<AdminStaffLoginPayload> {
        let call = call(ctx)?;
        let outcome = ops::log_in_staff(&call.app, &call.caller, &input.email, input.password).await;
        AdminStaffLoginPayload::answer(outcome)
    }

    /// Changes a refresh token into new tokens. Needs no other credential.
    async fn staff_token_refresh(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The refresh token.")] input: AdminStaffTokenRefreshInput,
    ) -> async_graphql::Result<AdminStaffTokenRefreshPayload> {
        let call = call(ctx)?;
        let outcome = ops::refresh(&call.app, &call.caller, Surface::Admin, &input.refresh_token).await;
        AdminStaffTokenRefreshPayload::answer(outcome.map(AdminTokens::from))
    }

    /// Ends your session: its tokens open nothing any more.
    #[graphql(guard = "admin()")]
    async fn staff_logout(&self, ctx: &Context<'_>) -> async_graphql::Result<AdminStaffLogoutPayload> {
        let call = call(ctx)?;
        let outcome = match call.caller.actor {
            Actor::Staff { session, .. } => call.app.run(&call.caller, &CloseSession(session)).await.map(|()| true),
            _ => Ok(false),
        };
        AdminStaffLogoutPayload::answer(outcome)
    }

    /// Changes your own password and ends your other sessions.
    #[graphql(guard = "admin()")]
    async fn staff_password_change(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The old and the new password.")] input: AdminStaffPasswordChangeInput,
    ) -> async_graphql::Result<AdminStaffPasswordChangePayload> {
        let call = call(ctx)?;
        let outcome = ops::change_password(&call.app, &call.caller, input.current_password, input.new_password).await;
        AdminStaffPasswordChangePayload::answer(outcome.map(id))
    }

    /// Makes a secret key for an integration.
    #[graphql(guard = "access_write()")]
    async fn api_key_create(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The new key.")] input: AdminApiKeyCreateInput,
    ) -> async_graphql::Result<AdminApiKeyCreatePayload> {
        let call = call(ctx)?;
        let secret = random_token(engine::auth::API_KEY_PREFIX);
        let outcome = async {
            let mut refusals = Refusals::default();
            let channels = ids(&input.channel_ids, &["channelIds".to_owned()], &mut refusals);
            let locations = ids(&input.location_ids, &["locationIds".to_owned()], &mut refusals);
            refusals.into_result()?;
            let key = CreateApiKey { title: input.title, role: input.role, secret: secret.clone() };
            call.app.run(&call.caller, &CreateLimitedApiKey { key, channels, locations }).await
        };
        let (row, user_errors) = part(outcome.await)?;
        let secret = row.as_ref().map(|_| secret);
        Ok(AdminApiKeyCreatePayload { api_key: row.map(AdminApiKey), secret, user_errors })
    }

    /// Gives an API key another secret; the old one opens nothing from then on.
    #[graphql(guard = "access_write()")]
    async fn api_key_rotate(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which key.")] input: AdminApiKeyRotateInput,
    ) -> async_graphql::Result<AdminApiKeyRotatePayload> {
        let call = call(ctx)?;
        let secret = random_token(engine::auth::API_KEY_PREFIX);
        let outcome = async {
            let op = RotateApiKey { id: parse_id(&input.id, &["id"])?, secret: secret.clone() };
            call.app.run(&call.caller, &op).await
        };
        let (row, user_errors) = part(outcome.await)?;
        let secret = row.as_ref().map(|_| secret);
        Ok(AdminApiKeyRotatePayload { api_key: row.map(AdminApiKey), secret, user_errors })
    }

    /// Revokes an API key for good.
    #[graphql(guard = "access_write()")]
    async fn api_key_revoke(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which key.")] input: AdminApiKeyRevokeInput,
    ) -> async_graphql::Result<AdminApiKeyRevokePayload> {
        let call = call(ctx)?;
        let outcome = async {
            let id = parse_id(&input.id, &["id"])?;
            call.app.run(&call.caller, &RevokeApiKey(id)).await.map(AdminApiKey)
        };
        AdminApiKeyRevokePayload::answer(outcome.await)
    }

    /// Ends a session: your own with any credential, another's with ACCESS_WRITE.
    #[graphql(guard = "admin()")]
    async fn session_revoke(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which session.")] input: AdminSessionRevokeInput,
    ) -> async_graphql::Result<AdminSessionRevokePayload> {
        let call = call(ctx)?;
        let outcome = async {
            let op = RevokeSession(parse_id(&input.id, &["id"])?);
            call.app.run(&call.caller, &op).await
        };
        AdminSessionRevokePayload::answer(outcome.await.map(id))
    }
}
