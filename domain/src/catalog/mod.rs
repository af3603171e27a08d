//! Products as somebody wishes them, and the one check that every way in (the
//! admin, a CSV file, the demo shop) goes through before a product is stored.

mod check;
mod options;
mod swatch;
mod variant;

use std::collections::BTreeMap;

use crate::id::{CategoryId, ShippingProfileId};
use crate::money::Currency;
use crate::text::{CountryCode, Handle};
use crate::word::words;

pub use check::{address, check_product};
pub use options::{made_title, option_handle};
pub use swatch::Swatch;
pub use variant::{RelatedFault, VariantChange, check_related};

/// The most variants of a product.
pub const MAX_VARIANTS: usize = 250;
/// The most options of a product.
pub const MAX_OPTIONS: usize = 5;
/// The most values that one option of a product declares: no variant could use more.
pub const MAX_OPTION_VALUES: usize = MAX_VARIANTS;
/// The most pictures, films and files of a product.
pub const MAX_MEDIA: usize = 100;
/// The most tags of a product.
pub const MAX_TAGS: usize = 100;
/// The most prices that a variant is given at once.
pub const MAX_PRICES: usize = 100;
/// The most products that are shown beside another by hand.
pub const MAX_RELATED: usize = 20;
/// The most variants that one call writes, whatever products they belong to.
pub const MAX_BULK_ROWS: usize = 2000;
/// The longest side of a variant, in millimeters.
pub const MAX_SIDE: i32 = 100_000;
/// The largest stock of a variant in one place, in pieces.
pub const MAX_STOCK: i32 = 1_000_000_000;
/// The longest address of a picture, film or file, in bytes.
pub const MAX_URL: usize = 2048;
/// The longest description, in characters of HTML.
pub const MAX_DESCRIPTION: usize = 100_000;
/// The longest text shown in place of a picture, in characters.
pub const MAX_ALT: usize = 512;
/// The longest description for search engines, in characters.
pub const MAX_SEO_DESCRIPTION: usize = 2000;
/// The longest handle that [`option_handle`] makes, in characters.
pub const MAX_OPTION_HANDLE: usize = 100;

words! {
    /// Whether shoppers see a product.
    pub enum ProductStatus {
        /// Being prepared: only staff see it.
        Draft = "DRAFT",
        /// For sale in its channels.
        Published = "PUBLISHED",
        /// No longer for sale, kept for its orders.
        Archived = "ARCHIVED",
    }
}

words! {
    /// What happens when the stock of a variant is used up.
    pub enum BackorderPolicy {
        /// It can't be bought.
        Deny = "DENY",
        /// It can be bought as far as what is on its way covers it, and is delivered later.
        Incoming = "INCOMING",
        /// It can be bought and is delivered later.
        Allow = "ALLOW",
    }
}

words! {
    /// What became of something that was to be written.
    pub enum WriteOutcome {
        /// It is new.
        Created = "CREATED",
        /// Something of it was changed.
        Updated = "UPDATED",
        /// It was as wished; nothing was written.
        Unchanged = "UNCHANGED",
        /// It is gone.
        Deleted = "DELETED",
        /// It was refused; nothing of it was written.
        Refused = "REFUSED",
    }
}

words! {
    /// What a refused row does to the rows beside it.
    pub enum OnError {
        /// One refused row refuses all: nothing is written.
        Abort = "ABORT",
        /// Refused rows are left out, the others are written.
        SkipRow = "SKIP_ROW",
    }
}

words! {
    /// What lies of a variant at all locations together.
    pub enum StockState {
        /// At least one piece can be promised.
        InStock = "IN_STOCK",
        /// Its stock is counted, and none can be promised.
        OutOfStock = "OUT_OF_STOCK",
        /// Its stock isn't counted.
        NotCounted = "NOT_COUNTED",
    }
}

words! {
    /// What a medium is.
    pub enum MediaKind {
        /// A picture.
        Image = "IMAGE",
        /// A film.
        Video = "VIDEO",
        /// Anything else to download, such as a manual.
        File = "FILE",
    }
}

/// An option of a product, such as Color, with its values.
#[derive(Clone, Debug, PartialEq)]
pub struct OptionDraft {
    /// What shoppers read: `Color`.
    pub name: String,
    /// The values in the order of choice; when empty, those that the variants use.
    pub values: Vec<String>,
}

/// What one piece of a variant costs in one currency.
#[derive(Clone, Debug, PartialEq)]
pub struct PriceDraft {
    /// The currency of both amounts.
    pub currency: Currency,
    /// Minor units.
    pub amount_minor: i64,
    /// Minor units of the price shown struck through, if any.
    pub compare_at_minor: Option<i64>,
}

/// A picture, film or file of a product.
#[derive(Clone, Debug, PartialEq)]
pub struct MediaDraft {
    /// An absolute http or https address, or a path that the shop itself serves.
    pub url: String,
    /// What is shown or read aloud in its place.
    pub alt: Option<String>,
    /// What it is.
    pub kind: MediaKind,
}

/// A variant as it is wished.
#[derive(Clone, Debug, PartialEq)]
pub struct VariantDraft {
    /// Its own title; made from its option values when absent.
    pub title: Option<String>,
    /// The merchant's number for it.
    pub sku: Option<String>,
    /// EAN, UPC, ISBN or the like.
    pub barcode: Option<String>,
    /// Pairs of an option's name and its value, in any order.
    pub options: Vec<(String, String)>,
    /// Its number in another system.
    pub external_reference: Option<String>,
    /// Grams of one piece, packed.
    pub weight_grams: Option<i32>,
    /// Millimeters of its longest side, packed.
    pub length_mm: Option<i32>,
    /// Millimeters across.
    pub width_mm: Option<i32>,
    /// Millimeters upwards.
    pub height_mm: Option<i32>,
    /// Its number for customs, 6 to 13 digits.
    pub hs_code: Option<String>,
    /// Where it was made.
    pub origin_country: Option<CountryCode>,
    /// Whether it is sent by post.
    pub requires_shipping: bool,
    /// Whether its stock is counted.
    pub manage_inventory: bool,
    /// What happens when the stock is used up.
    pub backorder: BackorderPolicy,
    /// When it is out, in microseconds since 1970, UTC; before that it is sold ahead.
    pub release_at: Option<i64>,
    /// At most one price for each currency.
    pub prices: Vec<PriceDraft>,
    /// Whether prices in other currencies go.
    pub prices_whole: bool,
    /// Pieces in the shop's default place.
    pub stock: Option<i32>,
    /// The address of the medium that shows this variant.
    pub media_url: Option<String>,
    /// Free data.
    pub metadata: BTreeMap<String, String>,
}

impl Default for VariantDraft {
    /// A parcel that is counted and not sold beyond its stock.
    fn default() -> Self {
        Self {
            title: None,
            sku: None,
            barcode: None,
            options: Vec::new(),
            external_reference: None,
            weight_grams: None,
            length_mm: None,
            width_mm: None,
            height_mm: None,
            hs_code: None,
            origin_country: None,
            requires_shipping: true,
            manage_inventory: true,
            backorder: BackorderPolicy::Deny,
            release_at: None,
            prices: Vec::new(),
            prices_whole: false,
            stock: None,
            media_url: None,
            metadata: BTreeMap::new(),
        }
    }
}

/// A product as it is wished, with everything that is stored along with it.
#[derive(Clone, Debug, PartialEq)]
pub struct ProductDraft {
    /// Its part of the web address; made from the title when absent.
    pub handle: Option<Handle>,
    /// What shoppers read.
    pub title: String,
    /// A line below the title.
    pub subtitle: Option<String>,
    /// HTML that the caller has made safe or will make safe: it is not looked into here.
    pub description_html: String,
    /// Who made it.
    pub vendor: Option<String>,
    /// The name of its product type.
    pub product_type: Option<String>,
    /// Words to find and group it by.
    pub tags: Vec<String>,
    /// In these categories, the main one first; whether they are there is not looked into here.
    pub categories: Vec<CategoryId>,
    /// Whether shoppers see it.
    pub status: ProductStatus,
    /// Whether buying it issues a gift card.
    pub gift_card: bool,
    /// Whether promotions touch it.
    pub discountable: bool,
    /// How it is shipped; as the default profile says when absent. Whether it is there is not looked into here.
    pub shipping_profile: Option<ShippingProfileId>,
    /// Its number in another system.
    pub external_reference: Option<String>,
    /// Title for search engines.
    pub seo_title: Option<String>,
    /// Description for search engines.
    pub seo_description: Option<String>,
    /// Its options in order; when empty, those that the variants name.
    pub options: Vec<OptionDraft>,
    /// Its variants in order.
    pub variants: Vec<VariantDraft>,
    /// Its media in order.
    pub media: Vec<MediaDraft>,
    /// Free data.
    pub metadata: BTreeMap<String, String>,
}

impl Default for ProductDraft {
    /// An unseen, discountable product with nothing in it, not even a title.
    fn default() -> Self {
        Self {
            handle: None,
            title: String::new(),
            subtitle: None,
            description_html: String::new(),
            vendor: None,
            product_type: None,
            tags: Vec::new(),
            categories: Vec::new(),
            status: ProductStatus::Draft,
            gift_card: false,
            discountable: true,
            shipping_profile: None,
            external_reference: None,
            seo_title: None,
            seo_description: None,
            options: Vec::new(),
            variants: Vec::new(),
            media: Vec::new(),
            metadata: BTreeMap::new(),
        }
    }
}

/// A variant that passed [`check_product`]. The fields mean what they mean in
/// [`VariantDraft`].
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct CheckedVariant {
    /// Given, or made: `Green / M`, or the product's title when it has no options.
    pub title: String,
    /// Unique within the product.
    pub sku: Option<String>,
    /// Trimmed.
    pub barcode: Option<String>,
    /// Exactly one pair for each option of the product, in the product's order and spelling.
    pub options: Vec<(String, String)>,
    /// One line, unique within the product.
    pub external_reference: Option<String>,
    /// Grams, not below zero.
    pub weight_grams: Option<i32>,
    /// From 1 to [`MAX_SIDE`].
    pub length_mm: Option<i32>,
    /// From 1 to [`MAX_SIDE`].
    pub width_mm: Option<i32>,
    /// From 1 to [`MAX_SIDE`].
    pub height_mm: Option<i32>,
    /// 6 to 13 digits and nothing between them.
    pub hs_code: Option<String>,
    /// As wished.
    pub origin_country: Option<CountryCode>,
    /// As wished.
    pub requires_shipping: bool,
    /// As wished.
    pub manage_inventory: bool,
    /// As wished.
    pub backorder: BackorderPolicy,
    /// As wished.
    pub release_at: Option<i64>,
    /// At most one for each currency, none below zero.
    pub prices: Vec<PriceDraft>,
    /// As wished.
    pub prices_whole: bool,
    /// From 0 to [`MAX_STOCK`].
    pub stock: Option<i32>,
    /// The address of one of the product's media.
    pub media_url: Option<String>,
    /// As wished.
    pub metadata: BTreeMap<String, String>,
}

/// A product that passed [`check_product`], trimmed and complete. The fields
/// mean what they mean in [`ProductDraft`].
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct CheckedProduct {
    /// Given, or made from the title.
    pub handle: Handle,
    /// Not empty, one line.
    pub title: String,
    /// One line.
    pub subtitle: Option<String>,
    /// As wished.
    pub description_html: String,
    /// One line.
    pub vendor: Option<String>,
    /// One line.
    pub product_type: Option<String>,
    /// Each once, whatever its capitals; the first spelling stays.
    pub tags: Vec<String>,
    /// As wished.
    pub status: ProductStatus,
    /// As wished.
    pub gift_card: bool,
    /// As wished.
    pub discountable: bool,
    /// As wished.
    pub shipping_profile: Option<ShippingProfileId>,
    /// One line.
    pub external_reference: Option<String>,
    /// One line.
    pub seo_title: Option<String>,
    /// Trimmed.
    pub seo_description: Option<String>,
    /// Each option once, each with at least one value; declared values in the
    /// declared order, others in the order in which the variants first use them.
    pub options: Vec<OptionDraft>,
    /// At least one, no two with the same combination of values.
    pub variants: Vec<CheckedVariant>,
    /// Each address once, those that only variants name at the end.
    pub media: Vec<MediaDraft>,
    /// As wished.
    pub metadata: BTreeMap<String, String>,
}
