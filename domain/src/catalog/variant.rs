//! What is wished of a variant that may be there already, and which products
//! may stand beside another.

use super::{BackorderPolicy, MAX_RELATED, PriceDraft, VariantDraft};
use crate::id::ProductId;
use crate::refusal::{ErrorCode, Refusal};
use crate::text::CountryCode;

/// What changes about a variant. The outer `None` keeps what is there, the
/// inner one empties it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct VariantChange {
    /// Its own title; emptied, it is made from the values.
    pub title: Option<Option<String>>,
    /// The merchant's number.
    pub sku: Option<Option<String>>,
    /// EAN, UPC, ISBN or the like.
    pub barcode: Option<Option<String>>,
    /// Its number in another system.
    pub external_reference: Option<Option<String>>,
    /// All pairs of an option's name and its value.
    pub options: Option<Vec<(String, String)>>,
    /// Grams.
    pub weight_grams: Option<Option<i32>>,
    /// Millimeters.
    pub length_mm: Option<Option<i32>>,
    /// Millimeters.
    pub width_mm: Option<Option<i32>>,
    /// Millimeters.
    pub height_mm: Option<Option<i32>>,
    /// Its number for customs.
    pub hs_code: Option<Option<String>>,
    /// Where it was made.
    pub origin_country: Option<Option<CountryCode>>,
    /// Whether it is sent.
    pub requires_shipping: Option<bool>,
    /// Whether its stock is counted.
    pub manage_inventory: Option<bool>,
    /// What happens when its stock is used up.
    pub backorder: Option<BackorderPolicy>,
    /// When it is out, in microseconds since 1970, UTC.
    pub release_at: Option<Option<i64>>,
    /// All its prices.
    pub prices: Option<Vec<PriceDraft>>,
    /// Pieces in the shop's default place, of a new variant only.
    pub stock: Option<i32>,
    /// The address of the medium that shows it.
    pub media_url: Option<Option<String>>,
}

impl VariantChange {
    /// Writes the change over a variant as it is, or over a new one.
    pub fn apply(&self, draft: &mut VariantDraft) {
        fn put<T: Clone>(change: &Option<T>, place: &mut T) {
            if let Some(value) = change {
                place.clone_from(value);
            }
        }
        put(&self.title, &mut draft.title);
        put(&self.sku, &mut draft.sku);
        put(&self.barcode, &mut draft.barcode);
        put(&self.external_reference, &mut draft.external_reference);
        put(&self.options, &mut draft.options);
        put(&self.weight_grams, &mut draft.weight_grams);
        put(&self.length_mm, &mut draft.length_mm);
        put(&self.width_mm, &mut draft.width_mm);
        put(&self.height_mm, &mut draft.height_mm);
        put(&self.hs_code, &mut draft.hs_code);
        put(&self.origin_country, &mut draft.origin_country);
        put(&self.requires_shipping, &mut draft.requires_shipping);
        put(&self.manage_inventory, &mut draft.manage_inventory);
        put(&self.backorder, &mut draft.backorder);
        put(&self.release_at, &mut draft.release_at);
        put(&self.media_url, &mut draft.media_url);
        if let Some(prices) = &self.prices {
            draft.prices.clone_from(prices);
            draft.prices_whole = true;
        }
        draft.stock = self.stock;
    }
}

/// Where a product that is to stand beside another does not fit.
pub type RelatedFault = (usize, Refusal);

/// Refuses more than [`MAX_RELATED`] products, the product itself, and doubles.
/// A list that is too long has its fault at its first surplus place and no other.
pub fn check_related(product: ProductId, related: &[ProductId]) -> Result<(), Vec<RelatedFault>> {
    if related.len() > MAX_RELATED {
        let message = format!("At most {MAX_RELATED} products stand beside another.");
        return Err(vec![(MAX_RELATED, Refusal::new(ErrorCode::TooMany, message).limit(MAX_RELATED as i64))]);
    }
    let mut faults = Vec::new();
    for (place, id) in related.iter().enumerate() {
        if *id == product {
            faults.push((place, Refusal::new(ErrorCode::Invalid, "A product does not stand beside itself.")));
        } else if related[..place].contains(id) {
            faults.push((place, Refusal::new(ErrorCode::Duplicate, "This product stands here twice.")));
        }
    }
    if faults.is_empty() { Ok(()) } else { Err(faults) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    #[test]
    fn what_is_not_named_stays_and_null_empties() {
        let mut draft = VariantDraft { sku: Some("A".into()), barcode: Some("1".into()), ..VariantDraft::default() };
        let change =
            VariantChange { barcode: Some(None), backorder: Some(BackorderPolicy::Allow), ..Default::default() };
        change.apply(&mut draft);
        let barcode = draft.barcode.clone();
        assert_eq!((draft.sku.as_deref(), barcode, draft.backorder), (Some("A"), None, BackorderPolicy::Allow));
        assert!(!draft.prices_whole);
        VariantChange { prices: Some(Vec::new()), ..Default::default() }.apply(&mut draft);
        assert!(draft.prices_whole);
    }

    #[test]
    fn a_product_does_not_stand_beside_itself_nor_twice() {
        let id = |number| ProductId(Uuid::from_u128(number));
        assert_eq!(check_related(id(1), &[id(2), id(3)]), Ok(()));
        let faults = check_related(id(1), &[id(2), id(1), id(2)]).unwrap_err();
        let told: Vec<_> = faults.iter().map(|(place, refusal)| (*place, refusal.code)).collect();
        assert_eq!(told, [(1, ErrorCode::Invalid), (2, ErrorCode::Duplicate)]);
        let many: Vec<_> = (2..=22).map(id).collect();
        assert_eq!(check_related(id(1), &many).unwrap_err()[0].1.limit, Some(20));
        assert_eq!(check_related(id(1), &many[..20]), Ok(()));
    }
}
