//! Zones of shipping options on the admin surface.

use async_graphql::{Context, ID, InputObject, Object};
use engine::shipping::zone::{DeleteServiceZone, SetServiceZone};

use crate::api::call::call;
use crate::api::guard::{settings_read, settings_write};
use crate::api::payload::payload;
use crate::api::scalar::{id, parse_id};
use crate::shipping::types::{AdminServiceAreaInput, AdminServiceZone};

/// Queries about zones.
#[derive(Debug, Default)]
pub struct ZoneAdminQuery;

#[Object]
impl ZoneAdminQuery {
    /// Every zone that shipping options go to, oldest first. A shop has at most 250.
    #[graphql(guard = "settings_read()")]
    async fn service_zones(&self, ctx: &Context<'_>) -> async_graphql::Result<Vec<AdminServiceZone>> {
        Ok(call(ctx)?.settings.service_zones.iter().cloned().map(AdminServiceZone).collect())
    }
}

/// A zone as you want it.
#[derive(Debug, InputObject)]
pub struct AdminServiceZoneSetInput {
    /// Which zone: a known handle changes that one, a new handle makes one. Made from the name when absent.
    pub handle: Option<String>,
    /// The version that you read; another one in the database is a `CONFLICT`.
    pub expected_version: Option<i32>,
    /// Its name, 1 to 255 characters.
    pub name: String,
    /// All its areas, at most 250. Two of the same kind that share a place are an `OVERLAP`.
    pub areas: Vec<AdminServiceAreaInput>,
}

/// Which zone is taken away.
#[derive(Debug, InputObject)]
pub struct AdminServiceZoneDeleteInput {
    /// Its id.
    pub id: ID,
    /// The version that you read; another one in the database is a `CONFLICT`.
    pub expected_version: Option<i32>,
}

payload! {
    /// What `serviceZoneSet` did.
    AdminServiceZoneSetPayload {
        /// The zone as it is now.
        service_zone: AdminServiceZone
    }
}

payload! {
    /// What `serviceZoneDelete` did.
    AdminServiceZoneDeletePayload {
        /// The id of the zone that was taken away.
        deleted_id: ID
    }
}

/// Mutations of zones.
#[derive(Debug, Default)]
pub struct ZoneAdminMutation;

#[Object]
impl ZoneAdminMutation {
    /// Makes or changes a zone for all shipping options that go there.
    #[graphql(guard = "settings_write()")]
    async fn service_zone_set(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The zone as you want it.")] input: AdminServiceZoneSetInput,
    ) -> async_graphql::Result<AdminServiceZoneSetPayload> {
        let call = call(ctx)?;
        let op = SetServiceZone {
            handle: input.handle,
            expected_version: input.expected_version,
            name: input.name,
            areas: input.areas.into_iter().map(Into::into).collect(),
        };
        AdminServiceZoneSetPayload::answer(call.app.run(&call.caller, &op).await.map(AdminServiceZone))
    }

    /// Takes a zone away. One that shipping options go to is `IN_USE`.
    #[graphql(guard = "settings_write()")]
    async fn service_zone_delete(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which zone.")] input: AdminServiceZoneDeleteInput,
    ) -> async_graphql::Result<AdminServiceZoneDeletePayload> {
        let call = call(ctx)?;
        let outcome = async {
            let op = DeleteServiceZone { id: parse_id(&input.id, &["id"])?, expected_version: input.expected_version };
            call.app.run(&call.caller, &op).await.map(id)
        };
        AdminServiceZoneDeletePayload::answer(outcome.await)
    }
}
