//! A product as another system has it: made, or brought to what is wished.
//! What the wish doesn't name stays; a list that it names is the whole list.

use domain::auth::Permission;
use domain::catalog::{
    MediaDraft, OptionDraft, ProductDraft, ProductStatus, VariantChange, VariantDraft, check_product,
};
use domain::id::{ChannelId, ProductId, ShippingProfileId, VariantId};
use domain::refusal::{ErrorCode, Refusal, Refusals};
use domain::text::Handle;
use entity::product;

use super::held::{self, Held};
use super::publish::{default_channels, publications};
use super::repo::listing::Which;
use super::repo::{self};
use super::save::{Extent, Saved, save};
use crate::actor::Need;
use crate::error::{Error, Result};
use crate::op::{Op, Tx};
use crate::version::{Change, check_version};

/// A variant of a wished product.
#[derive(Debug, Clone, Default)]
pub struct WishedVariant {
    /// Which one; when absent, found by its number in the other system, else
    /// by the merchant's number, else by its values.
    pub id: Option<VariantId>,
    /// What is wished of it.
    pub change: VariantChange,
}

/// A wished product.
#[derive(Debug, Clone)]
pub struct SetProduct {
    /// Which product; one that isn't there is made, unless it was named by id.
    pub which: Which,
    /// The version that the caller saw.
    pub expected_version: Option<i32>,
    /// Its part of the web address.
    pub handle: Option<Handle>,
    /// Its number in another system.
    pub external_reference: Change<String>,
    /// The title; needed for a new one.
    pub title: Option<String>,
    /// The line below the title.
    pub subtitle: Change<String>,
    /// The description; it is sanitised.
    pub description_html: Option<String>,
    /// Who made it.
    pub vendor: Change<String>,
    /// The name of its type.
    pub product_type: Change<String>,
    /// Whether shoppers see it.
    pub status: Option<ProductStatus>,
    /// Whether promotions touch it.
    pub discountable: Option<bool>,
    /// Whether it sells gift cards.
    pub gift_card: Option<bool>,
    /// How it is shipped.
    pub shipping_profile: Change<ShippingProfileId>,
    /// The title for search engines.
    pub seo_title: Change<String>,
    /// The description for search engines.
    pub seo_description: Change<String>,
    /// All its tags.
    pub tags: Option<Vec<String>>,
    /// All its options.
    pub options: Option<Vec<OptionDraft>>,
    /// All its variants.
    pub variants: Option<Vec<WishedVariant>>,
    /// All its media.
    pub media: Option<Vec<MediaDraft>>,
    /// All channels in which it is for sale.
    pub channels: Option<Vec<ChannelId>>,
}

impl Op for SetProduct {
    const NAME: &'static str = "product.set";
    const NEEDS: Need = Need::Permission(Permission::CatalogWrite);
    type Out = (product::Model, Saved);

    async fn run(&self, tx: &mut Tx) -> Result<Self::Out> {
        let known = self.lock(tx).await?;
        if let Some(row) = &known {
            check_version(self.expected_version, row.version)?;
        }
        let held = match &known {
            Some(row) => held::load(&tx.conn, vec![row.clone()]).await?.pop(),
            None => None,
        };
        let mut draft = match &held {
            Some(held) => held.draft(),
            None => self.fresh()?,
        };
        self.overlay(&mut draft);
        let mut refusals = Refusals::default();
        let matched = self.overlay_variants(held.as_ref(), &mut draft, &mut refusals);
        let status = draft.status;
        let wished = match (check_product(draft), refusals.into_result()) {
            (Ok(wished), Ok(())) => wished,
            (checked, found) => {
                let both = found.err().into_iter().chain(checked.err()).flatten();
                return Err(Error::Refused(both.collect()));
            }
        };
        let other = repo::lock_handle(tx, &wished.handle).await?;
        if other.is_some_and(|other| known.as_ref().is_none_or(|row| row.id != other.id)) {
            return Err(wished.handle.taken().into());
        }
        let channels = self.publications(tx, known.as_ref(), status).await?;
        let matched = if known.is_some() { Some(matched) } else { None };
        let extent = Extent { matched, variants: self.variants.is_some(), media: self.media.is_some() };
        save(tx, &wished, known, channels, &extent).await
    }
}

impl SetProduct {
    async fn lock(&self, tx: &Tx) -> Result<Option<product::Model>> {
        Ok(match &self.which {
            Which::Id(id) => Some(repo::lock(tx, *id).await?.ok_or_else(|| Error::not_found("product"))?),
            Which::Handle(text) => repo::lock_handle(tx, &parse(text)?).await?,
            Which::ExternalReference(text) => match repo::find_external(&tx.conn, text.trim()).await? {
                Some(row) => repo::lock(tx, row.id).await?,
                None => None,
            },
        })
    }

    fn fresh(&self) -> Result<ProductDraft> {
        let mut draft = ProductDraft::default();
        match &self.which {
            Which::Id(_) => {}
            Which::Handle(text) => draft.handle = Some(parse(text)?),
            Which::ExternalReference(text) => {
                let text = domain::text::title(text).map_err(|refusal| refusal.at(["by", "externalReference"]))?;
                draft.external_reference = Some(text);
            }
        }
        Ok(draft)
    }

    fn overlay(&self, draft: &mut ProductDraft) {
        fn put<T: Clone>(wished: &Option<T>, place: &mut T) {
            if let Some(value) = wished {
                place.clone_from(value);
            }
        }
        if self.handle.is_some() {
            draft.handle.clone_from(&self.handle);
        }
        put(&self.title, &mut draft.title);
        put(&self.description_html, &mut draft.description_html);
        put(&self.status, &mut draft.status);
        put(&self.discountable, &mut draft.discountable);
        put(&self.gift_card, &mut draft.gift_card);
        put(&self.tags, &mut draft.tags);
        put(&self.options, &mut draft.options);
        put(&self.media, &mut draft.media);
        self.external_reference.clone().apply(&mut draft.external_reference);
        self.subtitle.clone().apply(&mut draft.subtitle);
        self.shipping_profile.clone().apply(&mut draft.shipping_profile);
        self.vendor.clone().apply(&mut draft.vendor);
        self.product_type.clone().apply(&mut draft.product_type);
        self.seo_title.clone().apply(&mut draft.seo_title);
        self.seo_description.clone().apply(&mut draft.seo_description);
    }

    /// The variants of the draft, and which known one each of them is.
    fn overlay_variants(
        &self,
        held: Option<&Held>,
        draft: &mut ProductDraft,
        refusals: &mut Refusals,
    ) -> Vec<Option<VariantId>> {
        let kept = |url: &String| self.media.as_ref().is_none_or(|media| media.iter().any(|medium| medium.url == *url));
        let Some(wished) = &self.variants else {
            for variant in &mut draft.variants {
                variant.media_url = variant.media_url.take().filter(kept);
            }
            return held.into_iter().flat_map(|held| &held.variants).map(|row| Some(row.id)).collect();
        };
        // Without options of their own the wished variants name the product's anew.
        if self.options.is_none() && wished.iter().all(|variant| variant.change.options.is_some()) {
            draft.options.clear();
        }
        let mut matched: Vec<Option<VariantId>> = Vec::with_capacity(wished.len());
        draft.variants.clear();
        for (place, variant) in wished.iter().enumerate() {
            let at = |name: &str| ["variants".to_owned(), place.to_string(), name.to_owned()];
            let row = held.and_then(|held| find(held, variant));
            if variant.id.is_some() && row.is_none() {
                refusals.push(Refusal::new(ErrorCode::NotFound, "The product has no such variant.").at(at("id")));
            }
            let id = row.map(|row| row.id);
            if id.is_some() && matched.contains(&id) {
                let message = "An earlier entry of the list is this variant already.";
                refusals.push(Refusal::new(ErrorCode::Duplicate, message).at(at("id")));
            }
            let mut wish = match (held, row) {
                (Some(held), Some(row)) => held.variant(row),
                _ => VariantDraft::default(),
            };
            wish.media_url = wish.media_url.filter(kept);
            variant.change.apply(&mut wish);
            draft.variants.push(wish);
            matched.push(id);
        }
        matched
    }

    async fn publications(
        &self,
        tx: &mut Tx,
        known: Option<&product::Model>,
        status: ProductStatus,
    ) -> Result<Option<Vec<entity::product_channel::Model>>> {
        let nobody = ProductId(uuid::Uuid::nil());
        if let Some(channels) = &self.channels {
            return Ok(Some(publications(tx, nobody, channels, None).await?));
        }
        let open = match known {
            None => true,
            Some(row) => {
                status == ProductStatus::Published
                    && row.status != ProductStatus::Published
                    && repo::channels_of(&tx.conn, &[row.id]).await?.is_empty()
            }
        };
        if !open {
            return Ok(None);
        }
        let channels = default_channels(tx, status).await?;
        Ok(Some(publications(tx, nobody, &channels, None).await?))
    }
}

fn parse(handle: &str) -> Result<Handle> {
    Ok(handle.parse().map_err(|refusal: Refusal| refusal.at(["by", "handle"]))?)
}

/// The known variant that is meant.
fn find<'h>(held: &'h Held, wished: &WishedVariant) -> Option<&'h entity::variant::Model> {
    let rows = &held.variants;
    if let Some(id) = wished.id {
        return rows.iter().find(|row| row.id == id);
    }
    let given = |text: &Option<Option<String>>| text.clone().flatten().map(|text| text.trim().to_owned());
    let reference = given(&wished.change.external_reference);
    let by_reference =
        reference.and_then(|text| rows.iter().find(|row| row.external_reference.as_ref() == Some(&text)));
    let sku = given(&wished.change.sku);
    by_reference
        .or_else(|| sku.and_then(|text| rows.iter().find(|row| row.sku.as_ref() == Some(&text))))
        .or_else(|| held.with_values(wished.change.options.as_deref().unwrap_or_default()))
}
