//! The second factor of staff on the admin surface.

use async_graphql::{Context, ID, InputObject, Object, SimpleObject};

use crate::api::call::call;
use crate::api::guard::{access_read, access_write, access_write_everywhere, admin};
use crate::api::payload::{UserError, part, payload, top_level};
use crate::api::scalar::{id, parse_id};
use crate::auth::admin::AdminTokens;
use crate::staff::types::AdminStaff;
use engine::actor::Actor;
use engine::auth::factor::{self, DemandFactor, ResetFactor};
use engine::auth::repo;

/// How it stands with your second factor.
#[derive(Debug, Clone, SimpleObject)]
pub struct AdminSecondFactor {
    /// Whether you have one.
    pub enabled: bool,
    /// Whether the shop demands one of everybody.
    pub required: bool,
    /// Whether this session was opened with it. When it was not, though you have one or the shop demands one, the
    /// session grants nothing: set a second factor up.
    pub passed: bool,
    /// How many of your recovery codes are left.
    pub recovery_codes_left: i32,
}

/// What the shop demands of its staff.
#[derive(Debug, Clone, SimpleObject)]
pub struct AdminStaffSecurity {
    /// Whether everybody needs a second factor.
    pub second_factor_required: bool,
}

/// Queries about the second factor.
#[derive(Debug, Default)]
pub struct FactorAdminQuery;

#[Object]
impl FactorAdminQuery {
    /// How it stands with your second factor; null for an API key, which has none.
    #[graphql(guard = "admin()")]
    async fn staff_second_factor(&self, ctx: &Context<'_>) -> async_graphql::Result<Option<AdminSecondFactor>> {
        let call = call(ctx)?;
        let Actor::Staff { id, session, .. } = call.caller.actor else { return Ok(None) };
        let state = repo::factor_state(&call.conn(), id, session).await.map_err(top_level)?;
        Ok(Some(AdminSecondFactor {
            enabled: state.enabled,
            required: state.required,
            passed: state.passed,
            recovery_codes_left: state.recovery_codes_left,
        }))
    }

    /// What the shop demands of its staff.
    #[graphql(guard = "access_read()")]
    async fn staff_security(&self, ctx: &Context<'_>) -> async_graphql::Result<AdminStaffSecurity> {
        let second_factor_required = repo::demands_factor(&call(ctx)?.conn()).await.map_err(top_level)?;
        Ok(AdminStaffSecurity { second_factor_required })
    }
}

/// The end of a log-in.
#[derive(Debug, InputObject)]
pub struct AdminStaffLoginSecondFactorInput {
    /// What `staffLogin` gave; good for five minutes.
    pub challenge: String,
    /// The code that your app shows, or one of your recovery codes.
    pub code: String,
}

/// What a second factor is set up with.
#[derive(Debug, InputObject)]
pub struct AdminStaffSecondFactorEnrollInput {
    /// Your password. May be left out within five minutes after you logged in, by whatever way: who has no password,
    /// because he logs in with an identity provider, logs in there again.
    pub password: Option<String>,
}

/// The first code of a second factor.
#[derive(Debug, InputObject)]
pub struct AdminStaffSecondFactorConfirmInput {
    /// The code that your app shows.
    pub code: String,
}

/// What new recovery codes are given for.
#[derive(Debug, InputObject)]
pub struct AdminStaffRecoveryCodesRegenerateInput {
    /// The code that your app shows, or one of your recovery codes.
    pub code: String,
}

/// What a second factor is removed with.
#[derive(Debug, InputObject)]
pub struct AdminStaffSecondFactorDisableInput {
    /// Your password. May be left out within five minutes after you logged in, by whatever way: who has no password,
    /// because he logs in with an identity provider, logs in there again.
    pub password: Option<String>,
    /// The code that your app shows, or one of your recovery codes.
    pub code: String,
}

/// Whose second factor is removed.
#[derive(Debug, InputObject)]
pub struct AdminStaffSecondFactorResetInput {
    /// Who.
    pub id: ID,
}

/// What the shop demands of its staff.
#[derive(Debug, InputObject)]
pub struct AdminStaffSecuritySetInput {
    /// Whether everybody needs a second factor. Sessions without one grant nothing from then on, until one is set up.
    pub second_factor_required: bool,
}

payload! {
    /// What `staffLoginSecondFactor` did.
    AdminStaffLoginSecondFactorPayload {
        /// The tokens of the new session.
        tokens: AdminTokens
    }
}

/// What `staffSecondFactorEnroll` did.
#[derive(Debug, SimpleObject)]
pub struct AdminStaffSecondFactorEnrollPayload {
    /// The secret for your app, in base32: shown this once.
    pub secret: Option<String>,
    /// The same as an `otpauth:` address, for a QR code: shown this once.
    pub otpauth_uri: Option<String>,
    /// Every reason why nothing was done; empty on success.
    pub user_errors: Vec<UserError>,
}

payload! {
    /// What `staffSecondFactorConfirm` did.
    AdminStaffSecondFactorConfirmPayload {
        /// Ten codes, each of which stands for your app once: shown this once. Your other sessions have ended.
        recovery_codes: Vec<String>
    }
}

payload! {
    /// What `staffRecoveryCodesRegenerate` did.
    AdminStaffRecoveryCodesRegeneratePayload {
        /// Ten new codes: shown this once. The older ones work no more.
        recovery_codes: Vec<String>
    }
}

payload! {
    /// What `staffSecondFactorDisable` did.
    AdminStaffSecondFactorDisablePayload {
        /// Your id.
        staff_id: ID
    }
}

payload! {
    /// What `staffSecondFactorReset` did.
    AdminStaffSecondFactorResetPayload {
        /// The member of staff, who has no second factor and no session any more.
        staff: AdminStaff
    }
}

payload! {
    /// What `staffSecuritySet` did.
    AdminStaffSecuritySetPayload {
        /// What the shop demands now.
        staff_security: AdminStaffSecurity
    }
}

/// Mutations of the second factor.
#[derive(Debug, Default)]
pub struct FactorAdminMutation;

#[Object]
impl FactorAdminMutation {
    /// Ends a log-in with a code of your second factor. Needs no credential but the challenge.
    async fn staff_login_second_factor(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The challenge and a code.")] input: AdminStaffLoginSecondFactorInput,
    ) -> async_graphql::Result<AdminStaffLoginSecondFactorPayload> {
        let call = call(ctx)?;
        let outcome = factor::finish_log_in(&call.app, &call.caller, input.challenge, input.code).await;
        AdminStaffLoginSecondFactorPayload::answer(outcome.map(AdminTokens::from))
    }

    /// Begins to set your second factor up, with your password or soon after you logged in. It counts once you
    /// confirmed it.
    #[graphql(guard = "admin()")]
    async fn staff_second_factor_enroll(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Your password.")] input: AdminStaffSecondFactorEnrollInput,
    ) -> async_graphql::Result<AdminStaffSecondFactorEnrollPayload> {
        let call = call(ctx)?;
        let (made, user_errors) = part(factor::enroll(&call.app, &call.caller, input.password).await)?;
        let (secret, otpauth_uri) = made.map(|made| (made.secret, made.address)).unzip();
        Ok(AdminStaffSecondFactorEnrollPayload { secret, otpauth_uri, user_errors })
    }

    /// Confirms your second factor with its first code.
    #[graphql(guard = "admin()")]
    async fn staff_second_factor_confirm(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The code.")] input: AdminStaffSecondFactorConfirmInput,
    ) -> async_graphql::Result<AdminStaffSecondFactorConfirmPayload> {
        let call = call(ctx)?;
        let outcome = factor::confirm(&call.app, &call.caller, input.code).await;
        AdminStaffSecondFactorConfirmPayload::answer(outcome)
    }

    /// Gives you new recovery codes.
    #[graphql(guard = "admin()")]
    async fn staff_recovery_codes_regenerate(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "A code.")] input: AdminStaffRecoveryCodesRegenerateInput,
    ) -> async_graphql::Result<AdminStaffRecoveryCodesRegeneratePayload> {
        let call = call(ctx)?;
        let outcome = factor::renew_recovery_codes(&call.app, &call.caller, input.code).await;
        AdminStaffRecoveryCodesRegeneratePayload::answer(outcome)
    }

    /// Removes your second factor, with your password or soon after you logged in, and a code. Where the shop demands one, your session grants nothing until you have another.
    #[graphql(guard = "admin()")]
    async fn staff_second_factor_disable(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Your password, and a code.")] input: AdminStaffSecondFactorDisableInput,
    ) -> async_graphql::Result<AdminStaffSecondFactorDisablePayload> {
        let call = call(ctx)?;
        let outcome = factor::disable(&call.app, &call.caller, input.password, input.code).await;
        AdminStaffSecondFactorDisablePayload::answer(outcome.map(id))
    }

    /// Removes the second factor of somebody who lost it, and ends his sessions.
    #[graphql(guard = "access_write()")]
    async fn staff_second_factor_reset(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Whose.")] input: AdminStaffSecondFactorResetInput,
    ) -> async_graphql::Result<AdminStaffSecondFactorResetPayload> {
        let call = call(ctx)?;
        let outcome = async {
            let op = ResetFactor(parse_id(&input.id, &["id"])?);
            call.app.run(&call.caller, &op).await.map(AdminStaff)
        };
        AdminStaffSecondFactorResetPayload::answer(outcome.await)
    }

    /// Says what the shop demands of its staff. Needs ACCESS_WRITE without limit to channels or locations.
    #[graphql(guard = "access_write_everywhere()")]
    async fn staff_security_set(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What is demanded.")] input: AdminStaffSecuritySetInput,
    ) -> async_graphql::Result<AdminStaffSecuritySetPayload> {
        let call = call(ctx)?;
        let outcome = call.app.run(&call.caller, &DemandFactor(input.second_factor_required)).await;
        let answer = |second_factor_required| AdminStaffSecurity { second_factor_required };
        AdminStaffSecuritySetPayload::answer(outcome.map(answer))
    }
}
