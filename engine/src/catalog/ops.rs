//! What staff and imports change about products.

use domain::auth::Permission;
use domain::catalog::{CheckedProduct, MAX_SEO_DESCRIPTION, PriceDraft, ProductDraft, ProductStatus, check_product};
use domain::id::{CategoryId, ChannelId, ProductId, ShippingProfileId, VariantId};
use domain::refusal::{ErrorCode, Refusal, Refusals};
use domain::text::{Handle, title};
use entity::product;
use serde_json::json;

pub use super::publish::PublishProduct;
use super::publish::{default_channels, publications};
use super::repo;
use super::rows::VariantRows;
use super::save::{Extent, Saved, save};
use crate::actor::Need;
use crate::category::ops::check_of_product;
use crate::error::{Error, Result};
use crate::event::Aggregate;
use crate::op::{Op, Tx};
use crate::shipping::profile::must_be_known;
use crate::version::{Change, check_version};

const WRITE: Need = Need::Permission(Permission::CatalogWrite);

/// A new product with all that belongs to it.
#[derive(Debug, Clone)]
pub struct CreateProduct {
    /// As it is wished.
    pub draft: ProductDraft,
    /// Where it is published; in every open channel when absent and its status is published.
    pub channels: Option<Vec<ChannelId>>,
}

impl Op for CreateProduct {
    const NAME: &'static str = "product.create";
    const NEEDS: Need = WRITE;
    type Out = product::Model;

    async fn run(&self, tx: &mut Tx) -> Result<product::Model> {
        let misplaced = check_of_product(tx, &self.draft.categories).await?;
        let wished = match check_product(self.draft.clone()) {
            Ok(wished) if misplaced.is_empty() => wished,
            checked => return Err(Error::Refused(checked.err().into_iter().flatten().chain(misplaced).collect())),
        };
        if repo::lock_handle(tx, &wished.handle).await?.is_some() {
            return Err(wished.handle.taken().into());
        }
        let channels = match &self.channels {
            Some(ids) => ids.clone(),
            None => default_channels(tx, wished.status).await?,
        };
        let rows = publications(tx, ProductId(uuid::Uuid::nil()), &channels, None).await?;
        let row = save(tx, &wished, None, Some(rows), &Extent::default()).await?.0;
        if !self.draft.categories.is_empty() {
            crate::category::repo::replace_of_product(tx, row.id, &self.draft.categories).await?;
        }
        Ok(row)
    }
}

/// A product as a file wants it: found again by its handle, and its variants
/// by their option values.
#[derive(Debug, Clone)]
pub struct ImportProduct {
    /// As the file says.
    pub product: CheckedProduct,
    /// Undo everything in the end: only the answer is wanted.
    pub dry_run: bool,
}

impl Op for ImportProduct {
    const NAME: &'static str = "product.import";
    const NEEDS: Need = WRITE;
    type Out = (ProductId, Saved);

    async fn run(&self, tx: &mut Tx) -> Result<(ProductId, Saved)> {
        let known = repo::lock_handle(tx, &self.product.handle).await?;
        // What staff decided about a known product's channels stays.
        let unpublished = match &known {
            Some(row) => {
                self.product.status == ProductStatus::Published
                    && row.status != ProductStatus::Published
                    && repo::channels_of(&tx.conn, &[row.id]).await?.is_empty()
            }
            None => true,
        };
        let rows = match unpublished {
            false => None,
            true => {
                let channels = default_channels(tx, self.product.status).await?;
                Some(publications(tx, ProductId(uuid::Uuid::nil()), &channels, None).await?)
            }
        };
        let (row, saved) = save(tx, &self.product, known, rows, &Extent::default()).await?;
        Ok((row.id, saved))
    }

    fn commits(&self) -> bool {
        !self.dry_run
    }
}

/// New prices of a variant.
#[derive(Debug, Clone)]
pub struct VariantPrices {
    /// Which variant.
    pub variant: VariantId,
    /// One price per currency; prices in other currencies stay.
    pub prices: Vec<PriceDraft>,
}

/// What changes about a product; what is not given stays.
#[derive(Debug, Clone, Default)]
pub struct UpdateProduct {
    /// The version that staff saw.
    pub expected_version: Option<i32>,
    /// The title.
    pub title: Option<String>,
    /// The handle.
    pub handle: Option<String>,
    /// The line below the title.
    pub subtitle: Change<String>,
    /// The description; it is sanitised.
    pub description_html: Option<String>,
    /// Who made it.
    pub vendor: Change<String>,
    /// The name of its type.
    pub product_type: Change<String>,
    /// All its tags.
    pub tags: Option<Vec<String>>,
    /// All its categories, the main one first.
    pub categories: Option<Vec<CategoryId>>,
    /// Whether shoppers see it.
    pub status: Option<ProductStatus>,
    /// Its number in another system.
    pub external_reference: Change<String>,
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
    /// New prices of its variants.
    pub prices: Vec<VariantPrices>,
}

/// [`UpdateProduct`] for one product.
#[derive(Debug, Clone)]
pub struct UpdateProductOp {
    /// Which product.
    pub id: ProductId,
    /// What changes.
    pub change: UpdateProduct,
}

impl Op for UpdateProductOp {
    const NAME: &'static str = "product.update";
    const NEEDS: Need = WRITE;
    type Out = product::Model;

    async fn run(&self, tx: &mut Tx) -> Result<product::Model> {
        let before = repo::lock(tx, self.id).await?.ok_or_else(|| Error::not_found("product"))?;
        check_version(self.change.expected_version, before.version)?;
        let mut after = before.clone();
        let mut refusals = Refusals::default();
        self.change.apply(&mut after, &mut refusals);
        if after.handle != before.handle && repo::lock_handle(tx, &after.handle).await?.is_some() {
            refusals.push(after.handle.taken());
        }
        if let Some(reference) = &after.external_reference
            && after.external_reference != before.external_reference
            && repo::find_external(&tx.conn, reference).await?.is_some()
        {
            let message = "Another product has this external reference.";
            refusals.push(Refusal::new(ErrorCode::Taken, message).at(["externalReference"]));
        }
        let settings = tx.settings().await?;
        refusals.extend(must_be_known(&settings.shipping_profiles, after.shipping_profile_id));
        let prices = self.checked_prices(tx, &mut refusals).await?;
        let type_name = self.change.checked_type(&mut refusals);
        let tags = self.change.checked_tags(&mut refusals);
        refusals.extend(check_of_product(tx, self.change.categories.as_deref().unwrap_or_default()).await?);
        refusals.into_result()?;
        match type_name {
            Change::Keep => {}
            Change::Clear => after.type_id = None,
            Change::To(name) => after.type_id = Some(repo::type_named(tx, &name).await?),
        }
        if let Some(tags) = &tags {
            let ids = repo::tags_named(tx, tags).await?;
            repo::replace_tags(tx, self.id, &ids).await?;
        }
        if let Some(categories) = &self.change.categories {
            crate::category::repo::replace_of_product(tx, self.id, categories).await?;
        }
        let mut rows = VariantRows::default();
        for (variant, wished, held) in prices {
            rows.price(tx, &settings, variant, (&wished, false), &held);
        }
        rows.write(tx, &settings).await?;
        after.version += 1;
        after.updated_at = tx.now();
        let after = repo::update(tx, after).await?;
        crate::pricing::listing::refresh_product(tx, after.id).await?;
        let payload = json!({ "version": after.version });
        tx.emit(Aggregate::new("product", after.id), "product.updated", payload);
        let summary = |row: &product::Model| json!({ "handle": row.handle, "title": row.title, "status": row.status });
        tx.audit(after.id, Some(summary(&before)), Some(summary(&after)));
        Ok(after)
    }
}

type NewPrices = (VariantId, Vec<PriceDraft>, Vec<entity::price::Model>);

impl UpdateProductOp {
    async fn checked_prices(&self, tx: &Tx, refusals: &mut Refusals) -> Result<Vec<NewPrices>> {
        if self.change.prices.is_empty() {
            return Ok(Vec::new());
        }
        let own: Vec<VariantId> =
            repo::variants_of(&tx.conn, &[self.id]).await?.into_iter().map(|variant| variant.id).collect();
        let held = crate::pricing::repo::all_of_variants(&tx.conn, &own).await?;
        let mut checked = Vec::new();
        for (place, new) in self.change.prices.iter().enumerate() {
            let at = |rest: &[&str]| {
                let start = ["variants".to_owned(), place.to_string()];
                start.into_iter().chain(rest.iter().map(ToString::to_string)).collect::<Vec<_>>()
            };
            if self.change.prices[..place].iter().any(|other| other.variant == new.variant) {
                refusals.push(Refusal::new(ErrorCode::Duplicate, "This variant stands here twice.").at(at(&["id"])));
            }
            if !own.contains(&new.variant) {
                refusals.push(Refusal::new(ErrorCode::NotFound, "The product has no such variant.").at(at(&["id"])));
            }
            for (number, price) in new.prices.iter().enumerate() {
                let number_text = number.to_string();
                if price.amount_minor < 0 || price.compare_at_minor.is_some_and(|minor| minor < 0) {
                    let refusal = Refusal::new(ErrorCode::Invalid, "A price can't be negative.");
                    refusals.push(refusal.at(at(&["prices", &number_text])));
                }
                if new.prices[..number].iter().any(|other| other.currency == price.currency) {
                    let refusal = Refusal::new(ErrorCode::Duplicate, "This currency has a price already.");
                    refusals.push(refusal.at(at(&["prices", &number_text])));
                }
            }
            checked.push((new.variant, new.prices.clone(), held.clone()));
        }
        Ok(checked)
    }
}

impl UpdateProduct {
    fn apply(&self, row: &mut product::Model, refusals: &mut Refusals) {
        if let Some(text) = &self.title
            && let Some(text) = refusals.keep(title(text).map_err(|refusal| refusal.at(["title"])))
        {
            row.title_fold = text.to_lowercase();
            row.title = text;
        }
        if let Some(text) = &self.handle
            && let Some(handle) = refusals.keep(text.parse::<Handle>().map_err(|refusal| refusal.at(["handle"])))
        {
            row.handle = handle;
        }
        if let Some(html) = &self.description_html {
            if html.chars().count() > domain::catalog::MAX_DESCRIPTION {
                let message = format!("A description has at most {} characters.", domain::catalog::MAX_DESCRIPTION);
                refusals.push(Refusal::new(ErrorCode::Invalid, message).at(["descriptionHtml"]));
            }
            row.description_html = ammonia::clean(html);
        }
        if let Some(status) = self.status {
            row.status = status;
        }
        if let Some(discountable) = self.discountable {
            row.discountable = discountable;
        }
        row.gift_card = self.gift_card.unwrap_or(row.gift_card);
        self.shipping_profile.clone().apply(&mut row.shipping_profile_id);
        if let Change::To(text) = &self.seo_description
            && text.chars().nth(MAX_SEO_DESCRIPTION).is_some()
        {
            let message = format!("This is longer than {MAX_SEO_DESCRIPTION} characters.");
            let refusal = Refusal::new(ErrorCode::Invalid, message).limit(MAX_SEO_DESCRIPTION as i64);
            refusals.push(refusal.at(["seoDescription"]));
        }
        let trimmed = self.seo_description.clone().try_map(|text| Ok::<_, Refusal>(text.trim().to_owned()));
        trimmed.unwrap_or_default().apply(&mut row.seo_description);
        for (change, place, name) in [
            (&self.subtitle, &mut row.subtitle, "subtitle"),
            (&self.vendor, &mut row.vendor, "vendor"),
            (&self.external_reference, &mut row.external_reference, "externalReference"),
            (&self.seo_title, &mut row.seo_title, "seoTitle"),
        ] {
            let checked = change.clone().try_map(|text| title(&text)).map_err(|refusal| refusal.at([name]));
            if let Some(change) = refusals.keep(checked) {
                change.apply(place);
            }
        }
    }

    fn checked_type(&self, refusals: &mut Refusals) -> Change<String> {
        let checked = self.product_type.clone().try_map(|name| title(&name));
        refusals.keep(checked.map_err(|refusal| refusal.at(["productType"]))).unwrap_or_default()
    }

    fn checked_tags(&self, refusals: &mut Refusals) -> Option<Vec<String>> {
        let tags = self.tags.as_ref()?;
        if tags.len() > domain::catalog::MAX_TAGS {
            let message = format!("A product has at most {} tags.", domain::catalog::MAX_TAGS);
            let refusal = Refusal::new(ErrorCode::TooMany, message).limit(domain::catalog::MAX_TAGS as i64);
            refusals.push(refusal.at(["tags"]));
            return None;
        }
        let mut checked: Vec<String> = Vec::new();
        for (place, tag) in tags.iter().enumerate() {
            let at = ["tags".to_owned(), place.to_string()];
            if let Some(tag) = refusals.keep(title(tag).map_err(|refusal| refusal.at(at)))
                && !checked.iter().any(|known| known.to_lowercase() == tag.to_lowercase())
            {
                checked.push(tag);
            }
        }
        Some(checked)
    }
}

/// Takes a product out of the shop. Its orders keep what they show of it.
#[derive(Debug, Clone)]
pub struct DeleteProduct {
    /// Which product.
    pub id: ProductId,
    /// The version that staff saw.
    pub expected_version: Option<i32>,
}

impl Op for DeleteProduct {
    const NAME: &'static str = "product.delete";
    const NEEDS: Need = WRITE;
    type Out = ProductId;

    async fn run(&self, tx: &mut Tx) -> Result<ProductId> {
        let mut row = repo::lock(tx, self.id).await?.ok_or_else(|| Error::not_found("product"))?;
        check_version(self.expected_version, row.version)?;
        super::publish::refuse_out_of_scope(tx, row.id).await?;
        row.deleted_at = Some(tx.now());
        row.version += 1;
        row.updated_at = tx.now();
        let row = repo::update(tx, row).await?;
        repo::delete_variants(tx, row.id).await?;
        crate::collection::repo::forget_product(tx, row.id).await?;
        crate::category::repo::replace_of_product(tx, row.id, &[]).await?;
        repo::replace_channels(tx, row.id, Vec::new()).await?;
        crate::pricing::listing::refresh_product(tx, row.id).await?;
        tx.emit(Aggregate::new("product", row.id), "product.deleted", json!({}));
        tx.audit(row.id, Some(json!({ "handle": row.handle, "title": row.title })), None);
        Ok(row.id)
    }
}
