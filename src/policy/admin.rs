//! Policies on the admin surface.

use async_graphql::{Context, ID, InputObject, Object};
use domain::auth::Permission;
use domain::policy::PolicyKind;

use super::types::AdminPolicy;
use crate::api::call::call;
use crate::api::guard::{settings_read, settings_write};
use crate::api::payload::{payload, top_level};
use crate::api::scalar::{id, parse_id};
use crate::api::word::Enum;
use engine::policy::ops::{DeletePolicy, SetPolicy, reaches};
use engine::policy::repo;

/// Queries about legal texts.
#[derive(Debug, Default)]
pub struct PolicyAdminQuery;

#[Object]
impl PolicyAdminQuery {
    /// The legal texts of a channel alone, or those of the whole shop, by kind: one for each kind at most. What
    /// counts in a channel is its own text, else the shop's.
    #[graphql(guard = "settings_read()")]
    async fn policies(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Those of this channel; those of the whole shop when absent.")] channel_id: Option<ID>,
    ) -> async_graphql::Result<Vec<AdminPolicy>> {
        let call = call(ctx)?;
        let channel = channel_id.as_ref().map(|id| parse_id(id, &["channelId"])).transpose();
        let channel = channel.map_err(|refusal| top_level(refusal.into()))?;
        // The shop's own count in every channel that somebody reaches.
        if channel.is_some() && !reaches(&call.caller.actor, Permission::SettingsRead, channel) {
            return Ok(Vec::new());
        }
        let rows = repo::of(&call.conn(), channel).await.map_err(top_level)?;
        Ok(rows.into_iter().map(AdminPolicy).collect())
    }
}

/// A legal text as you want it.
#[derive(Debug, InputObject)]
pub struct AdminPolicySetInput {
    /// What it is about. Kind and channel say which text it is: a known one is changed, else one is made.
    pub kind: Enum<PolicyKind>,
    /// For this channel alone; for the whole shop when absent.
    pub channel_id: Option<ID>,
    /// The version that you read; another one in the database is a `CONFLICT`.
    pub expected_version: Option<i32>,
    /// Its title, 1 to 255 characters. When absent it stays; a new text has the English name of its kind.
    pub title: Option<String>,
    /// The text as HTML in the shop's own language, at most 100000 characters; what is not safe is taken out.
    pub body_html: String,
}

/// Which legal text is taken away.
#[derive(Debug, InputObject)]
pub struct AdminPolicyDeleteInput {
    /// Its id.
    pub id: ID,
    /// The version that you read; another one in the database is a `CONFLICT`.
    pub expected_version: Option<i32>,
}

payload! {
    /// What `policySet` did.
    AdminPolicySetPayload {
        /// The text as it is now.
        policy: AdminPolicy
    }
}

payload! {
    /// What `policyDelete` did.
    AdminPolicyDeletePayload {
        /// The id of the text that was taken away.
        deleted_id: ID
    }
}

/// Mutations of legal texts.
#[derive(Debug, Default)]
pub struct PolicyAdminMutation;

#[Object]
impl PolicyAdminMutation {
    /// Writes a legal text. One for the whole shop needs SETTINGS_WRITE without limit to channels.
    #[graphql(guard = "settings_write()")]
    async fn policy_set(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The text.")] input: AdminPolicySetInput,
    ) -> async_graphql::Result<AdminPolicySetPayload> {
        let call = call(ctx)?;
        let outcome = async {
            let op = SetPolicy {
                kind: input.kind.0,
                channel: input.channel_id.as_ref().map(|id| parse_id(id, &["channelId"])).transpose()?,
                expected_version: input.expected_version,
                title: input.title,
                body_html: input.body_html,
            };
            call.app.run(&call.caller, &op).await.map(AdminPolicy)
        };
        AdminPolicySetPayload::answer(outcome.await)
    }

    /// Takes a legal text away: where it was a channel's, the shop's counts again. Its translations go with it.
    #[graphql(guard = "settings_write()")]
    async fn policy_delete(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which text.")] input: AdminPolicyDeleteInput,
    ) -> async_graphql::Result<AdminPolicyDeletePayload> {
        let call = call(ctx)?;
        let outcome = async {
            let op = DeletePolicy { id: parse_id(&input.id, &["id"])?, expected_version: input.expected_version };
            call.app.run(&call.caller, &op).await.map(id)
        };
        AdminPolicyDeletePayload::answer(outcome.await)
    }
}
