//! A copy of a product to start another from.

use domain::auth::Permission;
use domain::catalog::{ProductStatus, check_product};
use domain::id::ProductId;
use domain::refusal::{ErrorCode, Refusal, Refusals};
use domain::text::{Handle, title};
use entity::{price, product, variant_media};
use serde_json::json;

use super::held;
use super::repo::{self, write};
use super::rows::VariantRows;
use super::save::{Extent, save};
use crate::actor::Need;
use crate::db::insert_all;
use crate::error::{Error, Result};
use crate::event::Aggregate;
use crate::op::{Op, Tx};

/// Copies a product with everything but its stock, its places of sale and what
/// only one product may have. The copy is a draft.
#[derive(Debug, Clone)]
pub struct DuplicateProduct {
    /// Which product.
    pub id: ProductId,
    /// The title of the copy.
    pub title: String,
    /// The handle of the copy; made from the title when absent.
    pub handle: Option<Handle>,
    /// What is put behind the merchant's numbers; without it the copy has none.
    pub sku_suffix: Option<String>,
}

impl Op for DuplicateProduct {
    const NAME: &'static str = "product.duplicate";
    const NEEDS: Need = Need::Permission(Permission::CatalogWrite);
    type Out = product::Model;

    async fn run(&self, tx: &mut Tx) -> Result<product::Model> {
        let row = repo::lock(tx, self.id).await?.ok_or_else(|| Error::not_found("product"))?;
        let held = held::load(&tx.conn, vec![row]).await?.pop();
        let held = held.ok_or_else(|| Error::internal("a locked product vanished"))?;
        let mut refusals = Refusals::default();
        let suffix = self.sku_suffix.as_deref().map(title).transpose();
        let suffix = refusals.keep(suffix.map_err(|refusal| refusal.at(["skuSuffix"]))).flatten();
        let mut draft = held.draft();
        draft.title.clone_from(&self.title);
        draft.handle.clone_from(&self.handle);
        draft.external_reference = None;
        draft.status = ProductStatus::Draft;
        draft.media.clear();
        for variant in &mut draft.variants {
            let sku = variant.sku.take();
            variant.sku = suffix.as_ref().and_then(|suffix| Some(format!("{}{suffix}", sku?)));
            variant.external_reference = None;
            variant.media_url = None;
        }
        let wished =
            check_product(draft).map_err(|faults| faults.into_iter().map(outside_variants).collect::<Vec<_>>());
        let wished = match (wished, refusals.into_result()) {
            (Ok(wished), Ok(())) => wished,
            (checked, found) => {
                return Err(Error::Refused(found.err().into_iter().chain(checked.err()).flatten().collect()));
            }
        };
        if repo::lock_handle(tx, &wished.handle).await?.is_some() {
            return Err(wished.handle.taken().into());
        }
        let saved = save(tx, &wished, None, Some(Vec::new()), &Extent::default()).await;
        let (copy, _) = saved.map_err(|error| match error {
            Error::Refused(faults) => Error::Refused(faults.into_iter().map(outside_variants).collect()),
            other => other,
        })?;
        write::copy_links(tx, self.id, copy.id).await?;
        self.copy_prices_and_pictures(tx, &held, copy.id).await?;
        crate::pricing::listing::refresh_product(tx, copy.id).await?;
        tx.emit(Aggregate::new("product", copy.id), "product.duplicated", json!({ "from": self.id }));
        Ok(copy)
    }
}

/// What stands against the copy's numbers stands against the suffix.
fn outside_variants(refusal: Refusal) -> Refusal {
    match refusal.path.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["variants", _, "sku"] if refusal.code == ErrorCode::Taken => {
            Refusal::new(ErrorCode::Taken, "With this suffix a number is that of another variant.").at(["skuSuffix"])
        }
        ["variants", _, "sku"] => refusal.at(["skuSuffix"]),
        _ => refusal,
    }
}

impl DuplicateProduct {
    async fn copy_prices_and_pictures(&self, tx: &mut Tx, held: &held::Held, copy: ProductId) -> Result<()> {
        let copies = repo::variants_of(&tx.conn, &[copy]).await?;
        let originals: Vec<_> = held.variants.iter().map(|row| row.id).collect();
        // The copy has the same values in the same order, so the same combination.
        let twin = |id| {
            let combination = &held.variants.iter().find(|row| row.id == id)?.combination;
            copies.iter().find(|row| row.combination == *combination).map(|row| row.id)
        };
        let prices = crate::pricing::repo::all_of_variants(&tx.conn, &originals).await?;
        let mut rows = VariantRows::default();
        let now = tx.now();
        rows.add_prices(prices.into_iter().filter_map(|row| {
            let variant_id = Some(twin(row.variant_id?)?);
            Some(price::Model { id: tx.id(), created_at: now, updated_at: now, variant_id, ..row })
        }));
        let settings = tx.settings().await?;
        rows.write(tx, &settings).await?;
        let links = write::media_links(&tx.conn, &originals).await?;
        let links =
            links.into_iter().filter_map(|row| Some(variant_media::Model { variant_id: twin(row.variant_id)?, ..row }));
        Ok(insert_all::<variant_media::Entity>(&tx.conn, links.collect()).await?)
    }
}
