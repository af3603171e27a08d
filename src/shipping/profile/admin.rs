//! Shipping profiles on the admin surface.

use async_graphql::{Context, ID, InputObject, Object};
use engine::shipping::profile::{DeleteShippingProfile, SetShippingProfile};

use crate::api::call::call;
use crate::api::guard::{settings_read, settings_write};
use crate::api::payload::payload;
use crate::api::scalar::{id, parse_id};
use crate::shipping::types::AdminShippingProfile;

/// Queries about shipping profiles.
#[derive(Debug, Default)]
pub struct ProfileAdminQuery;

#[Object]
impl ProfileAdminQuery {
    /// Every shipping profile, the default one in front. A shop has at most 100.
    #[graphql(guard = "settings_read()")]
    async fn shipping_profiles(&self, ctx: &Context<'_>) -> async_graphql::Result<Vec<AdminShippingProfile>> {
        Ok(call(ctx)?.settings.shipping_profiles.iter().cloned().map(AdminShippingProfile::from).collect())
    }
}

/// A shipping profile as you want it.
#[derive(Debug, InputObject)]
pub struct AdminShippingProfileSetInput {
    /// Which profile: a known handle changes that one, a new handle makes one. Made from the name when absent.
    pub handle: Option<String>,
    /// The version that you read; another one in the database is a `CONFLICT`.
    pub expected_version: Option<i32>,
    /// Its name, 1 to 255 characters.
    pub name: String,
}

/// Which shipping profile is taken away.
#[derive(Debug, InputObject)]
pub struct AdminShippingProfileDeleteInput {
    /// Its id.
    pub id: ID,
    /// The version that you read; another one in the database is a `CONFLICT`.
    pub expected_version: Option<i32>,
}

payload! {
    /// What `shippingProfileSet` did.
    AdminShippingProfileSetPayload {
        /// The profile as it is now.
        shipping_profile: AdminShippingProfile
    }
}

payload! {
    /// What `shippingProfileDelete` did.
    AdminShippingProfileDeletePayload {
        /// The id of the profile that was taken away.
        deleted_id: ID
    }
}

/// Mutations of shipping profiles.
#[derive(Debug, Default)]
pub struct ProfileAdminMutation;

#[Object]
impl ProfileAdminMutation {
    /// Makes or changes a shipping profile.
    #[graphql(guard = "settings_write()")]
    async fn shipping_profile_set(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The profile as you want it.")] input: AdminShippingProfileSetInput,
    ) -> async_graphql::Result<AdminShippingProfileSetPayload> {
        let call = call(ctx)?;
        let op =
            SetShippingProfile { handle: input.handle, expected_version: input.expected_version, name: input.name };
        AdminShippingProfileSetPayload::answer(call.app.run(&call.caller, &op).await.map(AdminShippingProfile::from))
    }

    /// Takes a shipping profile away. The default one, and one that products or shipping options have, is `IN_USE`.
    #[graphql(guard = "settings_write()")]
    async fn shipping_profile_delete(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which profile.")] input: AdminShippingProfileDeleteInput,
    ) -> async_graphql::Result<AdminShippingProfileDeletePayload> {
        let call = call(ctx)?;
        let outcome = async {
            let wished = parse_id(&input.id, &["id"])?;
            let op = DeleteShippingProfile { id: wished, expected_version: input.expected_version };
            call.app.run(&call.caller, &op).await.map(id)
        };
        AdminShippingProfileDeletePayload::answer(outcome.await)
    }
}
