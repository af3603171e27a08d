//! Invitations and recovery on the admin surface.

use async_graphql::{Context, ID, InputObject, Object};
use domain::refusal::Refusals;

use crate::api::call::call;
use crate::api::guard::access_write;
use crate::api::payload::payload;
use crate::api::scalar::{id, parse_id};
use crate::staff::admin::{AdminRoleAssignmentInput, wishes};
use crate::staff::types::AdminStaff;
use engine::staff::invite::{self, InviteStaff, ResendInvitation, RevokeInvitation};

/// Who is invited.
#[derive(Debug, InputObject)]
pub struct AdminStaffInviteInput {
    /// Where the invitation goes; also what the person logs in with.
    pub email: String,
    /// What to call the person, 1 to 255 characters.
    pub name: String,
    /// The roles with how far each reaches, 1 to 20; none beyond what you hold yourself.
    pub roles: Vec<AdminRoleAssignmentInput>,
}

/// Whose invitation is sent again.
#[derive(Debug, InputObject)]
pub struct AdminStaffInvitationResendInput {
    /// Who.
    pub id: ID,
}

/// Whose invitation is taken back.
#[derive(Debug, InputObject)]
pub struct AdminStaffInvitationRevokeInput {
    /// Who.
    pub id: ID,
}

/// What an invitation is accepted with.
#[derive(Debug, InputObject)]
pub struct AdminStaffInvitationAcceptInput {
    /// The token out of the mail; it works once, within 7 days.
    pub token: String,
    /// The password that you want, 12 to 256 characters.
    pub password: String,
}

/// Whose password is forgotten.
#[derive(Debug, InputObject)]
pub struct AdminStaffRecoveryRequestInput {
    /// The e-mail.
    pub email: String,
}

/// A new password by a mailed token.
#[derive(Debug, InputObject)]
pub struct AdminStaffRecoverInput {
    /// The token out of the mail; it works once, within an hour.
    pub token: String,
    /// The password that you want, 12 to 256 characters.
    pub password: String,
}

payload! {
    /// What `staffInvite` did.
    AdminStaffInvitePayload {
        /// The person, who can log in once the invitation is accepted.
        staff: AdminStaff
    }
}

payload! {
    /// What `staffInvitationResend` did.
    AdminStaffInvitationResendPayload {
        /// The person, to whom a new mail goes.
        staff: AdminStaff
    }
}

payload! {
    /// What `staffInvitationRevoke` did.
    AdminStaffInvitationRevokePayload {
        /// The id of the person who is no member of staff any more.
        revoked_id: ID
    }
}

payload! {
    /// What `staffInvitationAccept` did.
    AdminStaffInvitationAcceptPayload {
        /// Your id. Log in with your e-mail and the password.
        staff_id: ID
    }
}

payload! {
    /// What `staffRecoveryRequest` did.
    AdminStaffRecoveryRequestPayload {
        /// Whether the request was taken. It tells nothing about who has access.
        accepted: bool
    }
}

payload! {
    /// What `staffRecover` did.
    AdminStaffRecoverPayload {
        /// Whether the password is the new one. Every session has ended; a second factor stays as it was.
        recovered: bool
    }
}

/// Mutations of invitations and recovery.
#[derive(Debug, Default)]
pub struct InvitationAdminMutation;

#[Object]
impl InvitationAdminMutation {
    /// Invites somebody to the staff. A mail goes to the address; what it holds is shown nowhere else.
    #[graphql(guard = "access_write()")]
    async fn staff_invite(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Who is invited.")] input: AdminStaffInviteInput,
    ) -> async_graphql::Result<AdminStaffInvitePayload> {
        let call = call(ctx)?;
        let outcome = async {
            let mut refusals = Refusals::default();
            let roles = wishes(&input.roles, &mut refusals);
            refusals.into_result()?;
            let op = InviteStaff { email: input.email, name: input.name, roles };
            call.app.run(&call.caller, &op).await.map(AdminStaff)
        };
        AdminStaffInvitePayload::answer(outcome.await)
    }

    /// Sends an invitation again. The older mail opens nothing any more once the new one is sent.
    #[graphql(guard = "access_write()")]
    async fn staff_invitation_resend(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Whose.")] input: AdminStaffInvitationResendInput,
    ) -> async_graphql::Result<AdminStaffInvitationResendPayload> {
        let call = call(ctx)?;
        let outcome = async {
            let op = ResendInvitation(parse_id(&input.id, &["id"])?);
            call.app.run(&call.caller, &op).await.map(AdminStaff)
        };
        AdminStaffInvitationResendPayload::answer(outcome.await)
    }

    /// Takes an invitation back that was not accepted.
    #[graphql(guard = "access_write()")]
    async fn staff_invitation_revoke(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Whose.")] input: AdminStaffInvitationRevokeInput,
    ) -> async_graphql::Result<AdminStaffInvitationRevokePayload> {
        let call = call(ctx)?;
        let outcome = async {
            let op = RevokeInvitation(parse_id(&input.id, &["id"])?);
            call.app.run(&call.caller, &op).await.map(id)
        };
        AdminStaffInvitationRevokePayload::answer(outcome.await)
    }

    /// Accepts an invitation. Needs no credential but the mailed token.
    async fn staff_invitation_accept(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The token and a password.")] input: AdminStaffInvitationAcceptInput,
    ) -> async_graphql::Result<AdminStaffInvitationAcceptPayload> {
        let call = call(ctx)?;
        let outcome = invite::accept(&call.app, &call.caller, input.token, input.password).await;
        AdminStaffInvitationAcceptPayload::answer(outcome.map(id))
    }

    /// Asks for a mail that lets a member of staff set a new password. Needs no credential; the answer is the same
    /// for every address.
    async fn staff_recovery_request(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Whose password.")] input: AdminStaffRecoveryRequestInput,
    ) -> async_graphql::Result<AdminStaffRecoveryRequestPayload> {
        let call = call(ctx)?;
        let outcome = invite::request_recovery(&call.app, &call.caller, &input.email).await;
        AdminStaffRecoveryRequestPayload::answer(outcome.map(|()| true))
    }

    /// Sets a new password and ends every session. Needs no credential but the mailed token.
    async fn staff_recover(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The token and a password.")] input: AdminStaffRecoverInput,
    ) -> async_graphql::Result<AdminStaffRecoverPayload> {
        let call = call(ctx)?;
        let outcome = invite::recover(&call.app, &call.caller, input.token, input.password).await;
        AdminStaffRecoverPayload::answer(outcome.map(|()| true))
    }
}
