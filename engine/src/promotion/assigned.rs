//! What promotions ask about products: to what they belong, and what their metafields hold.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use domain::category::along;
use domain::id::{CategoryId, ChannelId, CollectionId, MetafieldDefinitionId, ProductId, RegionId, TagId, VariantId};
use domain::metafield::{Key, Value};
use domain::promotion::compiled::Needs;
use domain::promotion::facts::ItemFacts;
use entity::{metafield, product};
use uuid::Uuid;

use crate::catalog::repo::listing::View;
use crate::db::Conn;
use crate::error::Result;
use crate::settings::Settings;

/// From where products are looked at: the rules of collections ask for prices and stock.
#[derive(Debug, Clone, Copy)]
pub struct Market<'s> {
    /// The settings.
    pub settings: &'s Settings,
    /// In which channel.
    pub channel: ChannelId,
    /// In which region.
    pub region: Option<RegionId>,
    /// At which moment.
    pub now: DateTime<Utc>,
}

/// To what products belong, and what their metafields hold, as far as promotions ask for it.
#[derive(Debug, Default)]
pub struct Assigned {
    tags: HashMap<ProductId, Vec<TagId>>,
    collections: HashMap<ProductId, Vec<CollectionId>>,
    categories: HashMap<ProductId, Vec<CategoryId>>,
    metafields: HashMap<Uuid, Vec<(MetafieldDefinitionId, Key)>>,
}

impl Assigned {
    /// Reads what is asked for of products and of their variants: a statement for each kind.
    pub async fn read(
        conn: &Conn,
        market: Market<'_>,
        needs: &Needs,
        products: &[ProductId],
        variants: impl Iterator<Item = VariantId>,
    ) -> Result<Self> {
        let mut found = Self::default();
        if products.is_empty() {
            return Ok(found);
        }
        let settings = market.settings;
        if needs.tags {
            for (product, tag) in crate::catalog::repo::tags_of(conn, products).await? {
                found.tags.entry(product).or_default().push(tag.id);
            }
        }
        if needs.collections {
            let view = View {
                channel: None,
                price_channel: market.channel,
                region: market.region,
                locations: settings.locations_of(market.channel).iter().map(|location| location.id).collect(),
                now: market.now,
                languages: Vec::new(),
            };
            let rows = crate::collection::repo::of_products(conn, &view, products, &settings.rule_collections).await?;
            let ids = rows.into_iter().map(|(product, rows)| (product, rows.iter().map(|row| row.id).collect()));
            found.collections = ids.collect();
        }
        if needs.categories {
            for (product, category) in crate::category::repo::of_products(conn, products, false).await? {
                found.categories.entry(product).or_default().extend(along(&category.path));
            }
        }
        if !needs.metafields.is_empty() {
            let definitions: Vec<_> = needs.metafields.iter().copied().collect();
            let owners: Vec<Uuid> = products.iter().map(|id| Uuid::from(*id)).chain(variants.map(Uuid::from)).collect();
            for row in crate::metafield::repo::values_of(conn, &owners, &definitions).await? {
                let keys = keys(settings, &row);
                found.metafields.entry(row.owner_id).or_default().extend(keys);
            }
        }
        Ok(found)
    }

    /// What is known of a variant of a product; what it costs is for others to say.
    pub fn item(&self, product: &product::Model, variant: VariantId) -> ItemFacts {
        ItemFacts {
            variant,
            product: product.id,
            product_type: product.type_id,
            tags: self.tags.get(&product.id).cloned().unwrap_or_default(),
            collections: self.collections.get(&product.id).cloned().unwrap_or_default(),
            categories: self.categories.get(&product.id).cloned().unwrap_or_default(),
            metafields: [Uuid::from(product.id), variant.into()]
                .iter()
                .flat_map(|owner| self.metafields.get(owner).cloned().unwrap_or_default())
                .collect(),
            on_sale: false,
            unit_price_minor: 0,
            discountable: product.discountable,
            gift_card: product.gift_card,
        }
    }
}

/// By what a value is compared; by nothing when it can't be read any more.
pub fn keys(settings: &Settings, row: &metafield::Model) -> Vec<(MetafieldDefinitionId, Key)> {
    let known = settings.metafield_definitions.iter().find(|known| known.id == row.definition_id);
    let Some(Ok(value)) = known.map(|known| Value::parse(known.kind, &row.value)) else { return Vec::new() };
    value.keys().into_iter().map(|key| (row.definition_id, key)).collect()
}
