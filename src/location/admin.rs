//! Locations on the admin surface.

use async_graphql::{Context, ID, InputObject, MaybeUndefined, Object, SimpleObject};
use domain::auth::Permission;
use entity::location;

use crate::address::types::Address;
use crate::api::call::call;
use crate::api::guard::{settings_read, settings_write};
use crate::api::input::change;
use crate::api::payload::payload;
use crate::api::scalar::{Country, id, parse_id};
use engine::location::ops::{DeleteLocation, LocationAddress, SetLocation};
use engine::scope;

/// A place that holds stock.
#[derive(Debug, Clone, SimpleObject)]
pub struct AdminLocation {
    /// Its id.
    pub id: ID,
    /// Rises with every change; send it as `expectedVersion`.
    pub version: i32,
    /// Its handle.
    pub handle: String,
    /// Its name.
    pub name: String,
    /// The country that it is in.
    pub country_code: Option<Country>,
    /// The location with the lower number is taken from first.
    pub priority: i32,
    /// Whether shoppers may pick up what they bought; a shipping option with this location says for how much.
    pub pickup: bool,
    /// Where it is, under its name.
    pub address: Option<Address>,
}

impl From<location::Model> for AdminLocation {
    fn from(row: location::Model) -> Self {
        Self {
            id: id(row.id),
            version: row.version,
            handle: row.handle.to_string(),
            name: row.name,
            country_code: row.country.map(Country),
            priority: row.priority,
            pickup: row.pickup,
            address: row.address.map(Address::from),
        }
    }
}

/// Queries about locations.
#[derive(Debug, Default)]
pub struct LocationAdminQuery;

#[Object]
impl LocationAdminQuery {
    /// Every location that your roles reach, the one that is taken from first in front. A shop has at most 250.
    #[graphql(guard = "settings_read()")]
    async fn locations(&self, ctx: &Context<'_>) -> async_graphql::Result<Vec<AdminLocation>> {
        let call = call(ctx)?;
        let reach = scope::locations(&call.caller.actor, Permission::SettingsRead);
        let reached = call.settings.locations.iter().filter(|location| reach.holds(location.id));
        Ok(reached.cloned().map(AdminLocation::from).collect())
    }
}

/// A location as you want it.
#[derive(Debug, InputObject)]
pub struct AdminLocationSetInput {
    /// Which location: a known handle changes that one, a new handle makes one. Made from the name when absent.
    pub handle: Option<String>,
    /// The version that you read; another one in the database is a `CONFLICT`.
    pub expected_version: Option<i32>,
    /// Its name, 1 to 255 characters.
    pub name: String,
    /// The country that it is in.
    pub country_code: Option<Country>,
    /// The location with the lower number is taken from first.
    #[graphql(default = 0)]
    pub priority: i32,
    /// Whether shoppers may pick up what they bought there; it needs an address then. When absent it stays, and at a
    /// new location nobody may.
    pub pickup: Option<bool>,
    /// Where it is, in its country; null takes the address away.
    pub address: MaybeUndefined<AdminLocationAddressInput>,
}

/// The address of a location. Its country is the location's, and so is the name. Each line has at most 255 characters.
#[derive(Debug, InputObject)]
pub struct AdminLocationAddressInput {
    /// Street and number.
    pub address1: String,
    /// Floor, building.
    pub address2: Option<String>,
    /// City.
    pub city: String,
    /// State, province or county: the code of one of the `provinces` of the country, or its name.
    pub province: Option<String>,
    /// Postal code.
    pub postal_code: Option<String>,
    /// Telephone number.
    pub phone: Option<String>,
}

impl From<AdminLocationAddressInput> for LocationAddress {
    fn from(input: AdminLocationAddressInput) -> Self {
        Self {
            address1: input.address1,
            address2: input.address2,
            city: input.city,
            province: input.province,
            postal_code: input.postal_code,
            phone: input.phone,
        }
    }
}

payload! {
    /// What `locationSet` did.
    AdminLocationSetPayload {
        /// The location as it is now.
        location: AdminLocation
    }
}

/// Which location is deleted.
#[derive(Debug, InputObject)]
pub struct AdminLocationDeleteInput {
    /// Its id.
    pub id: ID,
    /// The version that you read; another one in the database is a `CONFLICT`.
    pub expected_version: Option<i32>,
}

payload! {
    /// What `locationDelete` did.
    AdminLocationDeletePayload {
        /// The id of the location that was deleted.
        deleted_id: ID
    }
}

/// Mutations of locations.
#[derive(Debug, Default)]
pub struct LocationAdminMutation;

#[Object]
impl LocationAdminMutation {
    /// Makes or changes a location.
    #[graphql(guard = "settings_write()")]
    async fn location_set(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The location as you want it.")] input: AdminLocationSetInput,
    ) -> async_graphql::Result<AdminLocationSetPayload> {
        let call = call(ctx)?;
        let op = SetLocation {
            handle: input.handle,
            expected_version: input.expected_version,
            name: input.name,
            country: input.country_code.map(|country| country.0),
            priority: input.priority,
            pickup: input.pickup,
            address: change(input.address.map_value(LocationAddress::from)),
        };
        AdminLocationSetPayload::answer(call.app.run(&call.caller, &op).await.map(AdminLocation::from))
    }

    /// Deletes a location where nothing lies, is promised or on its way, neither to it nor from it to a shopper, where
    /// nobody picks anything up, and without which every channel still has one; else `IN_USE`. Its movements stay, and
    /// its handle is free.
    #[graphql(guard = "settings_write()")]
    async fn location_delete(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which location.")] input: AdminLocationDeleteInput,
    ) -> async_graphql::Result<AdminLocationDeletePayload> {
        let call = call(ctx)?;
        let outcome = async {
            let op = DeleteLocation { id: parse_id(&input.id, &["id"])?, expected_version: input.expected_version };
            call.app.run(&call.caller, &op).await.map(id)
        };
        AdminLocationDeletePayload::answer(outcome.await)
    }
}
