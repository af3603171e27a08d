//! Metafields on the admin surface.

use std::sync::Arc;

use async_graphql::{Context, ID, InputObject, Object, SimpleObject};
use chrono::{DateTime, Utc};
use domain::metafield::{DefinitionDraft, MetafieldOwnerType, MetafieldStoreAccess, MetafieldType, Validations};
use entity::metafield_definition;

use super::types::Metafield;
use crate::api::call::call;
use crate::api::guard::{admin, settings_read, settings_write};
use crate::api::payload::payload;
use crate::api::scalar::{id, parse_id};
use crate::api::word::Enum;
use engine::metafield::ops::{DeleteDefinition, Entry, Held, SetDefinition, SetMetafields};

/// What a metafield holds, and who reads it.
#[derive(Debug, Clone)]
pub struct AdminMetafieldDefinition(pub metafield_definition::Model);

/// What a metafield holds, and who reads it.
#[Object]
impl AdminMetafieldDefinition {
    /// Its id.
    async fn id(&self) -> ID {
        id(self.0.id)
    }

    /// Rises with every change; send it as `expectedVersion`.
    async fn version(&self) -> i32 {
        self.0.version
    }

    /// What has it.
    async fn owner_type(&self) -> Enum<MetafieldOwnerType> {
        Enum(self.0.owner_type)
    }

    /// The group of its key.
    async fn namespace(&self) -> &str {
        &self.0.namespace
    }

    /// Its key within the namespace.
    async fn key(&self) -> &str {
        &self.0.key
    }

    /// Its name for staff.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// What it is for.
    async fn description(&self) -> Option<&str> {
        self.0.description.as_deref()
    }

    /// What it holds.
    async fn r#type(&self) -> Enum<MetafieldType> {
        Enum(self.0.kind)
    }

    /// What values must obey beyond their type.
    async fn validations(&self) -> AdminMetafieldValidations {
        let known: Validations = serde_json::from_value(self.0.validations.clone()).unwrap_or_default();
        AdminMetafieldValidations {
            min: known.min,
            max: known.max,
            max_length: known.max_length,
            choices: known.choices,
        }
    }

    /// What shoppers may do with it.
    async fn store_access(&self) -> Enum<MetafieldStoreAccess> {
        Enum(self.0.store_access)
    }

    /// Whether shoppers who may read it may filter lists by it. Staff may filter by all.
    async fn filterable(&self) -> bool {
        self.0.filterable
    }

    /// When it was made.
    async fn created_at(&self) -> DateTime<Utc> {
        self.0.created_at
    }

    /// When it was changed last.
    async fn updated_at(&self) -> DateTime<Utc> {
        self.0.updated_at
    }
}

/// What values must obey beyond their type.
#[derive(Debug, Clone, SimpleObject)]
pub struct AdminMetafieldValidations {
    /// The least value.
    pub min: Option<String>,
    /// The greatest value.
    pub max: Option<String>,
    /// The longest text, in characters.
    pub max_length: Option<i32>,
    /// The only values; any when there are none. At most 100.
    pub choices: Vec<String>,
}

/// Queries about metafields.
#[derive(Debug, Default)]
pub struct MetafieldAdminQuery;

#[Object]
impl MetafieldAdminQuery {
    /// What metafields there are on a kind of owner, by namespace and key; at most 250.
    #[graphql(guard = "settings_read()")]
    async fn metafield_definitions(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "On what.")] owner_type: Enum<MetafieldOwnerType>,
    ) -> async_graphql::Result<Vec<AdminMetafieldDefinition>> {
        let known = call(ctx)?.settings.metafields_of(owner_type.0, true);
        Ok(known.cloned().map(AdminMetafieldDefinition).collect())
    }
}

/// What values must obey beyond their type.
#[derive(Debug, InputObject)]
pub struct AdminMetafieldValidationsInput {
    /// The least value, in the type's text form: of numbers, days, moments, weights and lengths.
    pub min: Option<String>,
    /// The greatest value.
    pub max: Option<String>,
    /// The longest text, in characters.
    pub max_length: Option<i32>,
    /// The only values, at most 100: of lines, numbers, colors and web addresses.
    pub choices: Option<Vec<String>>,
}

/// A definition as you want it, found again by owner, namespace and key.
#[derive(Debug, InputObject)]
pub struct AdminMetafieldDefinitionSetInput {
    /// On what.
    pub owner_type: Enum<MetafieldOwnerType>,
    /// The group of its key: lower-case letters, digits, _ and -, at most 64.
    pub namespace: String,
    /// Its key within the namespace, likewise.
    pub key: String,
    /// Its name for staff, 1 to 255 characters.
    pub name: String,
    /// What it is for, at most 1000 characters.
    pub description: Option<String>,
    /// What it holds. It can't change while there are values.
    pub r#type: Enum<MetafieldType>,
    /// What values must obey. Values that are there stay as they are.
    pub validations: Option<AdminMetafieldValidationsInput>,
    /// What shoppers may do with it; nothing when absent.
    pub store_access: Option<Enum<MetafieldStoreAccess>>,
    /// Whether shoppers who may read it may filter lists by it.
    #[graphql(default)]
    pub filterable: bool,
    /// The version that you read; another one in the database is a `CONFLICT`.
    pub expected_version: Option<i32>,
}

/// Which definition goes.
#[derive(Debug, InputObject)]
pub struct AdminMetafieldDefinitionDeleteInput {
    /// Which one.
    pub id: ID,
    /// Takes its values out as well; without it, a definition with values stays.
    #[graphql(default)]
    pub delete_values: bool,
}

/// A value that an owner shall hold.
#[derive(Debug, InputObject)]
pub struct AdminMetafieldInput {
    /// The id of a product, a variant or an order.
    pub owner_id: ID,
    /// The group of the key.
    pub namespace: String,
    /// The key.
    pub key: String,
    /// The value in the text form of its type; null takes it out.
    pub value: Option<String>,
}

/// Values that owners shall hold.
#[derive(Debug, InputObject)]
pub struct AdminMetafieldsSetInput {
    /// At most 250, of any owners. All are written, or none.
    pub metafields: Vec<AdminMetafieldInput>,
}

/// A metafield of an owner.
#[derive(Debug, InputObject)]
pub struct AdminMetafieldNameInput {
    /// The id of a product, a variant or an order.
    pub owner_id: ID,
    /// The group of the key.
    pub namespace: String,
    /// The key.
    pub key: String,
}

/// Values that owners shall hold no more.
#[derive(Debug, InputObject)]
pub struct AdminMetafieldsDeleteInput {
    /// At most 250, of any owners. What holds nothing is passed over.
    pub metafields: Vec<AdminMetafieldNameInput>,
}

payload! {
    /// What `metafieldDefinitionSet` did.
    AdminMetafieldDefinitionSetPayload {
        /// The definition as it is now.
        metafield_definition: AdminMetafieldDefinition
    }
}

payload! {
    /// What `metafieldDefinitionDelete` did.
    AdminMetafieldDefinitionDeletePayload {
        /// The id of what is gone.
        deleted_id: ID
    }
}

payload! {
    /// What `metafieldsSet` did.
    AdminMetafieldsSetPayload {
        /// What was written, in the order of the input; what was taken out is not among them.
        metafields: Vec<Metafield>
    }
}

payload! {
    /// What `metafieldsDelete` did.
    AdminMetafieldsDeletePayload {
        /// How many were asked for; all of them hold nothing now.
        deleted_count: i32
    }
}

/// Mutations of metafields.
#[derive(Debug, Default)]
pub struct MetafieldAdminMutation;

#[Object]
impl MetafieldAdminMutation {
    /// Makes or changes what a metafield holds and who reads it.
    #[graphql(guard = "settings_write()")]
    async fn metafield_definition_set(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The definition.")] input: AdminMetafieldDefinitionSetInput,
    ) -> async_graphql::Result<AdminMetafieldDefinitionSetPayload> {
        let call = call(ctx)?;
        let validations = input.validations.map(|given| Validations {
            min: given.min,
            max: given.max,
            max_length: given.max_length,
            choices: given.choices.unwrap_or_default(),
        });
        let op = SetDefinition {
            owner_type: input.owner_type.0,
            draft: DefinitionDraft {
                namespace: input.namespace,
                key: input.key,
                name: input.name,
                description: input.description,
                kind: input.r#type.0,
                validations: validations.unwrap_or_default(),
            },
            store_access: input.store_access.map_or(MetafieldStoreAccess::None, |access| access.0),
            filterable: input.filterable,
            expected_version: input.expected_version,
        };
        let outcome = call.app.run(&call.caller, &op).await;
        AdminMetafieldDefinitionSetPayload::answer(outcome.map(AdminMetafieldDefinition))
    }

    /// Takes a definition out; one with values only when you say `deleteValues`.
    #[graphql(guard = "settings_write()")]
    async fn metafield_definition_delete(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which definition.")] input: AdminMetafieldDefinitionDeleteInput,
    ) -> async_graphql::Result<AdminMetafieldDefinitionDeletePayload> {
        let call = call(ctx)?;
        let outcome = async {
            let op = DeleteDefinition { id: parse_id(&input.id, &["id"])?, delete_values: input.delete_values };
            call.app.run(&call.caller, &op).await.map(id)
        };
        AdminMetafieldDefinitionDeletePayload::answer(outcome.await)
    }

    /// Writes values of any products, variants and orders. Every fault is named by its place, and then nothing is
    /// written. Products and variants need `CATALOG_WRITE`, orders `ORDERS_WRITE`.
    #[graphql(guard = "admin()")]
    async fn metafields_set(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The values.")] input: AdminMetafieldsSetInput,
    ) -> async_graphql::Result<AdminMetafieldsSetPayload> {
        let call = call(ctx)?;
        let entry = |given: AdminMetafieldInput| Entry {
            owner: given.owner_id.0,
            namespace: given.namespace,
            key: given.key,
            value: given.value,
        };
        let op = SetMetafields { entries: input.metafields.into_iter().map(entry).collect() };
        let outcome = call.app.run(&call.caller, &op).await;
        let held = |rows: Vec<Held>| {
            rows.into_iter().map(|(row, definition)| Metafield::new(Arc::new(row), definition)).collect()
        };
        AdminMetafieldsSetPayload::answer(outcome.map(held))
    }

    /// Takes values out. Needs what `metafieldsSet` needs.
    #[graphql(guard = "admin()")]
    async fn metafields_delete(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which values.")] input: AdminMetafieldsDeleteInput,
    ) -> async_graphql::Result<AdminMetafieldsDeletePayload> {
        let call = call(ctx)?;
        let count = i32::try_from(input.metafields.len()).unwrap_or(i32::MAX);
        let entry = |given: AdminMetafieldNameInput| Entry {
            owner: given.owner_id.0,
            namespace: given.namespace,
            key: given.key,
            value: None,
        };
        let op = SetMetafields { entries: input.metafields.into_iter().map(entry).collect() };
        AdminMetafieldsDeletePayload::answer(call.app.run(&call.caller, &op).await.map(|_| count))
    }
}
