//! How metafields look on what has them.

use std::sync::Arc;

use async_graphql::{Context, ID, Object};
use chrono::{DateTime, Utc};
use domain::metafield::{MAX_DEFINITIONS, MetafieldOwnerType, MetafieldType, Value};
use domain::refusal::{ErrorCode, Refusal};
use entity::{metafield, metafield_definition};
use uuid::Uuid;

use super::load::MetafieldOf;
use crate::api::call::call;
use crate::api::payload::top_level;
use crate::api::scalar::{Json, id};
use crate::api::word::Enum;

/// Typed data of the merchant's own.
#[derive(Debug, Clone)]
pub struct Metafield {
    row: Arc<metafield::Model>,
    definition: metafield_definition::Model,
}

impl Metafield {
    /// A value under its definition.
    pub fn new(row: Arc<metafield::Model>, definition: metafield_definition::Model) -> Self {
        Self { row, definition }
    }
}

/// Typed data of the merchant's own.
#[Object]
impl Metafield {
    /// Its id.
    async fn id(&self) -> ID {
        id(self.row.id)
    }

    /// The group of its key.
    async fn namespace(&self) -> &str {
        &self.definition.namespace
    }

    /// Its key within the namespace.
    async fn key(&self) -> &str {
        &self.definition.key
    }

    /// What it holds.
    async fn r#type(&self) -> Enum<MetafieldType> {
        Enum(self.definition.kind)
    }

    /// The value as text, in the one form of its type.
    async fn value(&self) -> &str {
        &self.row.value
    }

    /// The value as JSON: whole numbers, truth values and lists as such, decimals as text.
    async fn json_value(&self) -> Json {
        let value = Value::parse(self.definition.kind, &self.row.value);
        Json(value.map_or_else(|_| self.row.value.clone().into(), |value| value.json()))
    }

    /// When it was changed last.
    async fn updated_at(&self) -> DateTime<Utc> {
        self.row.updated_at
    }
}

/// The metafields of an owner, for its type to merge.
#[derive(Debug, Clone)]
pub struct Metafields {
    owner_type: MetafieldOwnerType,
    owner: Uuid,
    staff: bool,
}

impl Metafields {
    /// As shoppers see them.
    pub fn store(owner_type: MetafieldOwnerType, owner: impl Into<Uuid>) -> Self {
        Self { owner_type, owner: owner.into(), staff: false }
    }

    /// As staff see them.
    pub fn staff(owner_type: MetafieldOwnerType, owner: impl Into<Uuid>) -> Self {
        Self { owner_type, owner: owner.into(), staff: true }
    }
}

#[Object]
impl Metafields {
    /// One metafield; null when it holds nothing, isn't defined or isn't for you: the answer is the same.
    async fn metafield(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The group of the key.")] namespace: String,
        #[graphql(desc = "The key.")] key: String,
    ) -> async_graphql::Result<Option<Metafield>> {
        let call = call(ctx)?;
        let mut known = call.settings.metafields_of(self.owner_type, self.staff);
        let Some(definition) = known.find(|row| row.namespace == namespace && row.key == key) else { return Ok(None) };
        let row = call.load(MetafieldOf(self.owner, definition.id)).await?;
        Ok(row.map(|row| Metafield::new(row, definition.clone())))
    }

    /// The metafields that hold something, by namespace and key.
    async fn metafields(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Only those of this group.")] namespace: Option<String>,
        #[graphql(desc = "Only these keys; without a namespace, as `namespace.key`. At most 250.")] keys: Option<
            Vec<String>,
        >,
        #[graphql(desc = "So many of them: 50 when absent, at most 250.")] first: Option<i32>,
    ) -> async_graphql::Result<Vec<Metafield>> {
        let call = call(ctx)?;
        let limit = MAX_DEFINITIONS as i64;
        let first = usize::try_from(first.unwrap_or(50)).ok().filter(|first| *first <= MAX_DEFINITIONS);
        let Some(first) = first else {
            let message = format!("first is between 0 and {limit}.");
            return Err(top_level(Refusal::new(ErrorCode::Invalid, message).limit(limit).at(["first"]).into()));
        };
        if keys.as_ref().is_some_and(|keys| keys.len() > MAX_DEFINITIONS) {
            let message = format!("At most {limit} keys at once.");
            return Err(top_level(Refusal::new(ErrorCode::TooMany, message).limit(limit).at(["keys"]).into()));
        }
        let wanted = |row: &&metafield_definition::Model| {
            namespace.as_ref().is_none_or(|namespace| *namespace == row.namespace)
                && keys.as_ref().is_none_or(|keys| match namespace {
                    Some(_) => keys.contains(&row.key),
                    None => keys.contains(&format!("{}.{}", row.namespace, row.key)),
                })
        };
        let known: Vec<_> = call.settings.metafields_of(self.owner_type, self.staff).filter(wanted).collect();
        let mut found = call.load_all(known.iter().map(|row| MetafieldOf(self.owner, row.id))).await?;
        let held = known.into_iter().filter_map(|definition| {
            let row = found.remove(&MetafieldOf(self.owner, definition.id)).flatten()?;
            Some(Metafield::new(row, definition.clone()))
        });
        Ok(held.take(first).collect())
    }
}
