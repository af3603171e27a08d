//! Log-ins at identity providers on the admin surface.

use async_graphql::{Context, InputObject, Object, SimpleObject};

use crate::api::call::call;
use crate::api::payload::{UserError, part};
use crate::auth::admin::AdminTokens;
use engine::auth::factor::LogIn;
use engine::auth::oidc::ops;

/// Where staff can prove who they are instead of typing a password.
#[derive(Debug, Clone, SimpleObject)]
pub struct AdminIdentityProvider {
    /// Send it to `staffIdentityLoginStart`.
    pub name: String,
    /// What to write on the button.
    pub title: String,
}

/// Queries about identity providers.
#[derive(Debug, Default)]
pub struct OidcAdminQuery;

#[Object]
impl OidcAdminQuery {
    /// The identity providers of the shop, at most 20. Needs no credential.
    async fn staff_identity_providers(&self, ctx: &Context<'_>) -> async_graphql::Result<Vec<AdminIdentityProvider>> {
        let providers = call(ctx)?.app.identity_providers.all().iter();
        let shown = |config: &engine::auth::oidc::ProviderConfig| AdminIdentityProvider {
            name: config.name.clone(),
            title: config.title.clone(),
        };
        Ok(providers.map(|provider| shown(&provider.config)).collect())
    }
}

/// Where a log-in begins.
#[derive(Debug, InputObject)]
pub struct AdminStaffIdentityLoginStartInput {
    /// The name of an identity provider.
    pub provider: String,
}

/// What came back from the identity provider.
#[derive(Debug, InputObject)]
pub struct AdminStaffIdentityLoginFinishInput {
    /// The `code` of the address to which the person came back.
    pub code: String,
    /// The `state` of that address; compare it with the one that you were given.
    pub state: String,
    /// What `staffIdentityLoginStart` gave you.
    pub login_token: String,
}

/// What `staffIdentityLoginStart` did.
#[derive(Debug, SimpleObject)]
pub struct AdminStaffIdentityLoginStartPayload {
    /// Send the person there.
    pub authorization_url: Option<String>,
    /// What comes back as `state`.
    pub state: Option<String>,
    /// Keep it where only this browser has it, and send it with what comes back, within ten minutes.
    pub login_token: Option<String>,
    /// Every reason why nothing was done; empty on success.
    pub user_errors: Vec<UserError>,
}

/// What `staffIdentityLoginFinish` did.
#[derive(Debug, SimpleObject)]
pub struct AdminStaffIdentityLoginFinishPayload {
    /// The tokens of the new session; null when it was refused or a second factor is missing.
    pub tokens: Option<AdminTokens>,
    /// Whether a code of the second factor is missing.
    pub second_factor_required: bool,
    /// Send it with a code to `staffLoginSecondFactor` within five minutes; null when no code is missing.
    pub challenge: Option<String>,
    /// Every reason why nothing was done; empty on success.
    pub user_errors: Vec<UserError>,
}

/// Mutations of log-ins at identity providers.
#[derive(Debug, Default)]
pub struct OidcAdminMutation;

#[Object]
impl OidcAdminMutation {
    /// Begins a log-in at an identity provider. Needs no credential.
    async fn staff_identity_login_start(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Where.")] input: AdminStaffIdentityLoginStartInput,
    ) -> async_graphql::Result<AdminStaffIdentityLoginStartPayload> {
        let call = call(ctx)?;
        let (started, user_errors) = part(ops::start(&call.app, &call.caller, &input.provider).await)?;
        let (mut payload, started) = match started {
            Some(started) => (AdminStaffIdentityLoginStartPayload::none(user_errors), started),
            None => return Ok(AdminStaffIdentityLoginStartPayload::none(user_errors)),
        };
        payload.authorization_url = Some(started.address);
        payload.state = Some(started.state);
        payload.login_token = Some(started.token);
        Ok(payload)
    }

    /// Ends a log-in at an identity provider, or asks for the second factor. Needs no credential but what came back.
    async fn staff_identity_login_finish(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What came back.")] input: AdminStaffIdentityLoginFinishInput,
    ) -> async_graphql::Result<AdminStaffIdentityLoginFinishPayload> {
        let call = call(ctx)?;
        let outcome = ops::finish(&call.app, &call.caller, &input.state, &input.login_token, &input.code).await;
        let (come, user_errors) = part(outcome)?;
        let (tokens, challenge) = match come {
            Some(LogIn::Done(tokens)) => (Some(tokens.into()), None),
            Some(LogIn::SecondFactor(challenge)) => (None, Some(challenge)),
            None => (None, None),
        };
        let second_factor_required = challenge.is_some();
        Ok(AdminStaffIdentityLoginFinishPayload { tokens, second_factor_required, challenge, user_errors })
    }
}

impl AdminStaffIdentityLoginStartPayload {
    fn none(user_errors: Vec<UserError>) -> Self {
        Self { authorization_url: None, state: None, login_token: None, user_errors }
    }
}
