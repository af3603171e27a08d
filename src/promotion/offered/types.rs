//! What is on offer for a product: the automatic promotions that may lower its price, as a shopper reads them.

use std::collections::HashMap;

use async_graphql::{ID, SimpleObject};
use chrono::{DateTime, Utc};
use domain::category::along;
use domain::id::{MetafieldDefinitionId, VariantId};
use domain::metafield::Key;
use domain::promotion::compiled::Needs;
use domain::promotion::facts::{BuyerFacts, ItemFacts};
use domain::promotion::{Promotion, PromotionClass};
use entity::product;
use futures_util::future::{join_all, try_join_all};
use uuid::Uuid;

use crate::api::call::Call;
use crate::api::scalar::id;
use crate::api::word::Enum;
use crate::catalog::load::{TagsOf, VariantsOf};
use crate::category::load::CategoriesOf;
use crate::collection::load::CollectionsOf;
use crate::customer::load::GroupsOf;
use crate::metafield::load::MetafieldOf;
use crate::pricing::types::{Price, offered};
use crate::promotion::load::PlacedBy;
use engine::pricing::buyer::Buyer;
use engine::promotion::assigned::keys;
use engine::promotion::local;

/// A promotion that may lower the price of a product.
#[derive(Debug, Clone, SimpleObject)]
pub struct ProductPromotion {
    /// Its id.
    pub promotion_id: ID,
    /// What shoppers read.
    pub title: String,
    /// What it takes its money off.
    pub class: Enum<PromotionClass>,
    /// When it ends, exclusive; null when it has no end.
    pub ends_at: Option<DateTime<Utc>>,
}

impl ProductPromotion {
    fn new(call: &Call, promotion: &Promotion) -> Self {
        let known = &call.settings.promotions;
        let own = known.find(promotion.id).and_then(|row| row.ends_at);
        let of_campaign = promotion.campaign.and_then(|id| known.campaign(id)).and_then(|row| row.ends_at);
        Self {
            promotion_id: id(promotion.id),
            title: promotion.title.clone(),
            class: Enum(promotion.class()),
            ends_at: own.into_iter().chain(of_campaign).min(),
        }
    }
}

/// The promotions that may lower the price of a product, by rank. What they ask for is read together with what the
/// fields beside it read; where no promotion comes by itself nothing is.
pub async fn on_offer(call: &Call, row: &product::Model) -> async_graphql::Result<Vec<ProductPromotion>> {
    let compiled = &call.settings.promotions.compiled;
    let Some(region) = &call.region else { return Ok(Vec::new()) };
    if !compiled.has_automatic() || !row.discountable || row.gift_card {
        return Ok(Vec::new());
    }
    let needs = compiled.offer_needs();
    let customer = call.caller.actor.customer();
    let (items, groups, orders) = futures_util::try_join!(
        items(call, row, needs),
        async {
            match customer.filter(|_| needs.groups) {
                Some(customer) => call.load(GroupsOf(customer)).await,
                None => Ok(Default::default()),
            }
        },
        async {
            match customer.filter(|_| needs.orders) {
                Some(customer) => call.load(PlacedBy(customer)).await.map(Some),
                None => Ok(None),
            }
        },
    )?;
    let mut buyer = Buyer::new(call.channel.id, region, customer, None);
    buyer.joins(groups.iter().map(|group| group.id));
    let now = call.app.clock.now();
    let facts = BuyerFacts {
        currency: region.row.currency,
        now: now.timestamp_micros(),
        local: local(now),
        attributes: &buyer.attributes,
        place: None,
        orders,
    };
    let mut found: Vec<&Promotion> = Vec::new();
    for item in &items {
        let more = compiled.on_offer(item, &facts);
        found.extend(more.into_iter().filter(|one| found.iter().all(|known| known.id != one.id)).collect::<Vec<_>>());
    }
    found.sort_by_cached_key(|promotion| promotion.rank());
    Ok(found.into_iter().map(|promotion| ProductPromotion::new(call, promotion)).collect())
}

/// What is known of the variants of a product; of all alike where no promotion tells them apart.
async fn items(call: &Call, row: &product::Model, needs: &Needs) -> async_graphql::Result<Vec<ItemFacts>> {
    let (tags, collections, categories, (variants, held, prices)) = futures_util::try_join!(
        async { if needs.tags { call.load(TagsOf(row.id)).await } else { Ok(Default::default()) } },
        // Also those that are not shown: promotions may be for them.
        async {
            let key = CollectionsOf::new(row.id, call, true);
            if needs.collections { call.load(key).await } else { Ok(Default::default()) }
        },
        async {
            let key = CategoriesOf { product: row.id, shown: false };
            if needs.categories { call.load(key).await } else { Ok(Default::default()) }
        },
        variants(call, row, needs),
    )?;
    let item = |(place, variant): (usize, &VariantId)| {
        let price = prices.get(place).and_then(Option::as_ref);
        // What has no price here is not for sale, at whatever it costs.
        if needs.prices && price.is_none() {
            return None;
        }
        let own = [Uuid::from(row.id), (*variant).into()];
        Some(ItemFacts {
            variant: *variant,
            product: row.id,
            product_type: row.type_id,
            tags: tags.iter().map(|tag| tag.id).collect(),
            collections: collections.iter().map(|collection| collection.id).collect(),
            categories: categories.iter().flat_map(|category| along(&category.path)).collect(),
            metafields: own.iter().flat_map(|owner| held.get(owner).cloned().unwrap_or_default()).collect(),
            on_sale: price.is_some_and(|price| price.compare_at.is_some()),
            unit_price_minor: price.map_or(0, |price| price.amount.amount_minor.0),
            discountable: row.discountable,
            gift_card: row.gift_card,
        })
    };
    Ok(variants.iter().enumerate().filter_map(item).collect())
}

/// The variants, with what they hold and cost. Prices are asked for as soon as the variants are there, which is when
/// the variants beside them ask for theirs.
async fn variants(
    call: &Call,
    row: &product::Model,
    needs: &Needs,
) -> async_graphql::Result<(Vec<VariantId>, Held, Vec<Option<Price>>)> {
    let variants: Vec<VariantId> = match needs.variants || needs.prices {
        true => call.load(VariantsOf(row.id)).await?.iter().map(|variant| variant.id).collect(),
        false => vec![VariantId(Uuid::nil())],
    };
    let prices = async {
        if !needs.prices {
            return Ok(Vec::new());
        }
        try_join_all(variants.iter().map(|variant| offered(call, (row.id, *variant), None))).await
    };
    let (held, prices) = futures_util::try_join!(metafields(call, row, needs, &variants), prices)?;
    Ok((variants, held, prices))
}

type Held = HashMap<Uuid, Vec<(MetafieldDefinitionId, Key)>>;

/// What the metafields hold that promotions ask for.
async fn metafields(
    call: &Call,
    row: &product::Model,
    needs: &Needs,
    variants: &[VariantId],
) -> async_graphql::Result<Held> {
    let owners = std::iter::once(Uuid::from(row.id)).chain(variants.iter().map(|variant| (*variant).into()));
    let asked = owners.flat_map(|owner| needs.metafields.iter().map(move |definition| MetafieldOf(owner, *definition)));
    let read = join_all(asked.map(|key| call.load(key))).await;
    let mut held = Held::new();
    for value in read {
        if let Some(value) = value? {
            held.entry(value.owner_id).or_default().extend(keys(&call.settings, &value));
        }
    }
    Ok(held)
}
