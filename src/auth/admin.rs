//! Logging in and giving access on the admin surface.

use async_graphql::{Context, ID, InputObject, Object, SimpleObject};
use domain::auth::{Permission, Surface};
use entity::api_key;

use crate::api::call::call;
use crate::api::guard::{access_write, admin};
use crate::api::payload::{UserError, part, payload, top_level};
use crate::api::scalar::id;
use crate::api::word::Enum;
use engine::actor::Actor;
use engine::auth::ops::{self, CloseSession, CreateApiKey, Tokens};
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

/// A secret key of an integration.
#[derive(Debug, Clone, SimpleObject)]
pub struct AdminApiKey {
    /// Its id.
    pub id: ID,
    /// What staff call it.
    pub title: String,
    /// Its first letters, to tell keys apart.
    pub prefix: String,
}

impl From<api_key::Model> for AdminApiKey {
    fn from(row: api_key::Model) -> Self {
        Self { id: id(row.id), title: row.title, prefix: row.prefix }
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
        let words = |permissions: &[Permission]| permissions.iter().copied().map(Enum).collect();
        match &call.caller.actor {
            Actor::Staff { id: staff, permissions, .. } => {
                let row = repo::find_staff(&call.conn(), *staff).await.map_err(top_level)?;
                Ok(AdminMe {
                    id: id(staff),
                    name: row.as_ref().map(|row| row.name.clone()),
                    email: row.map(|row| row.email.to_string()),
                    permissions: words(permissions),
                })
            }
            Actor::ApiKey { id: key, permissions } => {
                Ok(AdminMe { id: id(key), name: None, email: None, permissions: words(permissions) })
            }
            _ => Err(top_level(engine::error::Error::Unauthenticated)),
        }
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
    /// The role that it has: `owner` or `viewer`.
    pub role: String,
}

payload! {
    /// What `staffLogin` did.
    AdminStaffLoginPayload {
        /// The tokens of the new session.
        tokens: AdminTokens
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

/// Mutations of access.
#[derive(Debug, Default)]
pub struct AuthAdminMutation;

#[Object]
impl AuthAdminMutation {
    /// Logs a member of staff in. Needs no credential.
    async fn staff_login(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "E-mail and password.")] input: AdminStaffLoginInput,
    ) -> async_graphql::Result<AdminStaffLoginPayload> {
        let call = call(ctx)?;
        let outcome = ops::log_in_staff(&call.app, &call.caller, &input.email, input.password).await;
        AdminStaffLoginPayload::answer(outcome.map(AdminTokens::from))
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
        let op =
            CreateApiKey { title: input.title, role: input.role, secret: random_token(engine::auth::API_KEY_PREFIX) };
        let (row, user_errors) = part(call.app.run(&call.caller, &op).await)?;
        let secret = row.as_ref().map(|_| op.secret);
        Ok(AdminApiKeyCreatePayload { api_key: row.map(AdminApiKey::from), secret, user_errors })
    }
}
