//! What products of a file name besides themselves: channels, locations,
//! categories, collections, metafield definitions. What the shop doesn't have is
//! made before the first product is written.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use domain::auth::Permission;
use domain::id::{CategoryId, ChannelId, CollectionId, LocationId, MetafieldDefinitionId};
use domain::import::{Context, Imported, KnownField, Named, NewField, RegionName, RowRefusal};
use domain::metafield::{DefinitionDraft, MetafieldOwnerType, MetafieldStoreAccess, MetafieldType, Validations};
use domain::money::Currency;

use super::super::repo::import as rows;
use crate::actor::{Caller, Need};
use crate::app::App;
use crate::catalog::texts::TextChange;
use crate::category::ops::SetCategory;
use crate::channel::ops::CreateChannel;
use crate::collection::ops::SetCollection;
use crate::db::Conn;
use crate::error::Result;
use crate::location::ops::SetLocation;
use crate::metafield::ops::SetDefinition;
use crate::settings::Settings;
use crate::version::Change;

/// What a file knows of the shop.
pub fn context(settings: &Settings, currency: Currency, media_base: Option<String>) -> Context {
    let region = |region: &crate::settings::Region| RegionName {
        name: region.row.name.clone(),
        handle: region.row.handle.to_string(),
        currency: region.row.currency,
    };
    let field = |row: &entity::metafield_definition::Model| KnownField {
        owner: row.owner_type,
        namespace: row.namespace.clone(),
        key: row.key.clone(),
        kind: row.kind,
        validations: serde_json::from_value::<Validations>(row.validations.clone()).unwrap_or_default(),
    };
    Context {
        currency,
        regions: settings.regions.iter().map(region).collect(),
        fields: settings.metafield_definitions.iter().map(field).collect(),
        media_base,
    }
}

/// Where the parts of products go, by handle.
#[derive(Debug, Clone, Default)]
pub struct Places {
    /// Channels.
    pub channels: HashMap<String, ChannelId>,
    /// Locations.
    pub locations: HashMap<String, LocationId>,
    /// Categories.
    pub categories: HashMap<String, CategoryId>,
    /// Collections that list products by hand.
    pub collections: HashMap<String, CollectionId>,
    /// Metafield definitions by owner, namespace and key.
    pub fields: HashMap<(MetafieldOwnerType, String, String), MetafieldDefinitionId>,
}

/// What a file names, gathered while it is looked over.
#[derive(Debug, Default)]
pub struct Needed {
    channels: BTreeMap<String, Named>,
    locations: BTreeMap<String, Named>,
    categories: BTreeMap<String, Named>,
    collections: BTreeMap<String, Named>,
    fields: BTreeMap<(MetafieldOwnerType, String, String), NewField>,
    /// The categories that the file describes, each behind the one above it.
    pub tree: Vec<Named>,
}

impl Needed {
    /// Takes in what a product names.
    pub fn note(&mut self, product: &Imported) {
        let keep = |known: &mut BTreeMap<String, Named>, named: &Named| {
            if !known.contains_key(&named.handle) {
                known.insert(named.handle.clone(), named.clone());
            }
        };
        product.channels.iter().flatten().for_each(|listing| keep(&mut self.channels, &listing.channel));
        product.stocks.iter().flatten().for_each(|(named, _)| keep(&mut self.locations, named));
        product.categories.iter().for_each(|named| keep(&mut self.categories, named));
        product.collections.iter().for_each(|named| keep(&mut self.collections, named));
        for field in &product.new_fields {
            let key = (field.owner, field.namespace.clone(), field.key.clone());
            let known = self.fields.entry(key).or_insert_with(|| field.clone());
            // One long text makes all of them long.
            if field.kind == MetafieldType::MultiLineText && known.kind == MetafieldType::SingleLineText {
                known.kind = field.kind;
            }
        }
    }

    /// The refusals of what must be made and may not be: settings are not the
    /// catalog's to change.
    pub fn refused(&self, settings: &Settings, caller: &Caller) -> Vec<RowRefusal> {
        if caller.actor.check(Need::Permission(Permission::SettingsWrite)).is_ok() {
            return Vec::new();
        }
        let mut refusals = Vec::new();
        for named in missing(&self.channels, |handle| settings.channels.iter().any(|row| row.handle.as_str() == handle))
        {
            let reason = "The shop has no such channel, and you may not make one.";
            refusals.push(RowRefusal::new(1, "channel", &named.handle, reason));
        }
        for named in
            missing(&self.locations, |handle| settings.locations.iter().any(|row| row.handle.as_str() == handle))
        {
            let reason = "The shop has no such location, and you may not make one.";
            refusals.push(RowRefusal::new(1, "location", &named.handle, reason));
        }
        for field in self.fields.values() {
            let reason = format!(
                "There is no definition {}.{} of this metafield, and you may not make one.",
                field.namespace, field.key
            );
            refusals.push(RowRefusal::new(field.row, &field.column, "", reason));
        }
        refusals
    }

    /// Makes what the shop doesn't have.
    pub async fn make(&self, app: &Arc<App>, caller: &Caller) -> Result<()> {
        let settings = app.settings();
        for named in missing(&self.channels, |handle| settings.channels.iter().any(|row| row.handle.as_str() == handle))
        {
            let (name, handle) = (named.title.clone(), Some(named.handle.clone()));
            app.run(caller, &CreateChannel { name, handle, ..CreateChannel::default() }).await?;
        }
        for named in
            missing(&self.locations, |handle| settings.locations.iter().any(|row| row.handle.as_str() == handle))
        {
            let (handle, name) = (Some(named.handle.clone()), named.title.clone());
            let priority = settings.locations.len() as i32;
            let op = SetLocation {
                handle,
                expected_version: None,
                name,
                country: None,
                priority,
                pickup: None,
                address: Change::Keep,
            };
            app.run(caller, &op).await?;
        }
        self.make_categories(app, caller).await?;
        self.make_collections(app, caller).await?;
        for field in self.fields.values() {
            let op = SetDefinition {
                owner_type: field.owner,
                draft: DefinitionDraft {
                    namespace: field.namespace.clone(),
                    key: field.key.clone(),
                    name: field.name.clone(),
                    description: None,
                    kind: field.kind,
                    validations: Validations::default(),
                },
                store_access: MetafieldStoreAccess::Read,
                filterable: false,
                expected_version: None,
            };
            app.run(caller, &op).await?;
        }
        Ok(())
    }

    async fn make_categories(&self, app: &Arc<App>, caller: &Caller) -> Result<()> {
        let wished: Vec<&Named> = self.tree.iter().chain(self.categories.values()).collect();
        let handles: Vec<String> = wished.iter().map(|named| named.handle.clone()).collect();
        let known = rows::categories_named(&app.read(), &handles).await?;
        let mut known: HashMap<String, CategoryId> =
            known.into_iter().map(|row| (row.handle.to_string(), row.id)).collect();
        for named in wished {
            if known.contains_key(&named.handle) {
                continue;
            }
            let parent = named.above.as_ref().and_then(|above| known.get(above)).copied();
            let op = SetCategory {
                handle: Some(named.handle.clone()),
                texts: TextChange { title: Some(named.title.clone()), ..TextChange::default() },
                parent: parent.map_or(Change::Keep, Change::To),
                ..SetCategory::default()
            };
            let made = app.run(caller, &op).await?;
            known.insert(named.handle.clone(), made.id);
        }
        Ok(())
    }

    async fn make_collections(&self, app: &Arc<App>, caller: &Caller) -> Result<()> {
        let handles: Vec<String> = self.collections.keys().cloned().collect();
        let known = rows::collections_named(&app.read(), &handles).await?;
        for named in missing(&self.collections, |handle| known.iter().any(|row| row.handle.as_str() == handle)) {
            let op = SetCollection {
                handle: Some(named.handle.clone()),
                texts: TextChange { title: Some(named.title.clone()), ..TextChange::default() },
                ..SetCollection::default()
            };
            app.run(caller, &op).await?;
        }
        Ok(())
    }

    /// Where everything is that is there.
    pub async fn places(&self, conn: &Conn, settings: &Settings) -> Result<Places> {
        let categories: Vec<String> = self.categories.keys().cloned().collect();
        let collections: Vec<String> = self.collections.keys().cloned().collect();
        let categories = rows::categories_named(conn, &categories).await?;
        let collections = rows::collections_named(conn, &collections).await?;
        let by_hand = collections.into_iter().filter(|row| row.rule.is_none());
        let field = |row: &entity::metafield_definition::Model| {
            ((row.owner_type, row.namespace.clone(), row.key.clone()), row.id)
        };
        Ok(Places {
            channels: settings.channels.iter().map(|row| (row.handle.to_string(), row.id)).collect(),
            locations: settings.locations.iter().map(|row| (row.handle.to_string(), row.id)).collect(),
            categories: categories.into_iter().map(|row| (row.handle.to_string(), row.id)).collect(),
            collections: by_hand.map(|row| (row.handle.to_string(), row.id)).collect(),
            fields: settings.metafield_definitions.iter().map(field).collect(),
        })
    }
}

fn missing<'n>(
    named: &'n BTreeMap<String, Named>,
    known: impl Fn(&str) -> bool + 'n,
) -> impl Iterator<Item = &'n Named> {
    named.values().filter(move |named| !known(&named.handle))
}
