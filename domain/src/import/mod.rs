//! Catalogs of other systems: what a file holds, in the words of this shop.
//!
//! Each dialect turns the records of one product into one [`Imported`], or into
//! every reason against it. The caller splits a file into cells and gathers the
//! records that [`Table::key`] says belong together; nothing here reads files.
//!
//! | to change | edit |
//! |---|---|
//! | by which columns a dialect is recognized | [`recognize`] |
//! | how cells become typed metafields | [`field`] |
//! | which numbers products of a file hand to each other | [`handover`] |
//! | what a dialect's columns mean | `domain::shopify`, [`medusa`], [`saleor`] |

pub mod field;
pub mod handover;
pub mod medusa;
pub mod saleor;
pub mod sheet;

use std::sync::Arc;

use crate::catalog::CheckedProduct;
use crate::id::ProductId;
use crate::metafield::{MetafieldOwnerType, MetafieldType, Validations};
use crate::money::Currency;
use crate::refusal::{ErrorCode, Refusal};
use crate::word::words;

pub use field::{Field, NewField};

/// The longest part of a cell that a refusal repeats, in characters.
const MAX_SHOWN: usize = 200;
/// The largest list of objects that is read at once, in bytes.
pub const MAX_OBJECTS: usize = 16 * 1024 * 1024;

words! {
    /// How a file of products is written.
    pub enum ImportDialect {
        /// Shopify's CSV, by its classic or its present column names.
        Shopify = "SHOPIFY",
        /// The template of Medusa 1.
        MedusaV1 = "MEDUSA_V1",
        /// The template and the export of Medusa 2.
        MedusaV2 = "MEDUSA_V2",
        /// Saleor's objects as JSON.
        Saleor = "SALEOR",
    }
}

/// One record of the file.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    /// The line on which it starts, counted from 1.
    pub row: usize,
    /// Its cells, one for each column of the header.
    pub cells: Vec<String>,
}

/// Why a cell can't be read.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct RowRefusal {
    /// The line of its record, as the caller gave it.
    pub row: usize,
    /// The column's name in the header.
    pub column: String,
    /// What stands there, cut to 200 characters.
    pub value: String,
    /// One English sentence.
    pub reason: String,
    /// What clients branch on.
    #[serde(default = "invalid")]
    pub code: ErrorCode,
    /// The merchant's number that stands in the record, where it names a variant.
    #[serde(default)]
    pub sku: Option<String>,
}

fn invalid() -> ErrorCode {
    ErrorCode::Invalid
}

impl RowRefusal {
    /// A refusal of what stands in a column.
    pub fn new(row: usize, column: &str, value: &str, reason: impl Into<String>) -> Self {
        let value = value.chars().take(MAX_SHOWN).collect();
        Self { row, column: column.to_owned(), value, reason: reason.into(), code: invalid(), sku: None }
    }

    /// The same for another reason than that the cell can't be read.
    #[must_use]
    pub fn with(mut self, code: ErrorCode) -> Self {
        self.code = code;
        self
    }

    /// The same in a record with this number.
    #[must_use]
    pub fn of(mut self, sku: &str) -> Self {
        self.sku = Some(sku).filter(|sku| !sku.is_empty()).map(|sku| sku.chars().take(MAX_SHOWN).collect());
        self
    }
}

/// A product that can't be stored.
#[derive(Clone, Debug, PartialEq)]
pub struct RefusedProduct {
    /// What the file calls it; empty for a record that names no product.
    pub handle: String,
    /// The line of its first record.
    pub row: usize,
    /// Every reason, in the order of the lines.
    pub refusals: Vec<RowRefusal>,
}

/// Something of the shop that a file names by handle, or by the name that a handle is made of.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Named {
    /// Its handle.
    pub handle: String,
    /// Its title when it must be made.
    pub title: String,
    /// The handle of what is above it, of a category.
    pub above: Option<String>,
}

/// Where a product is for sale.
#[derive(Clone, Debug, PartialEq)]
pub struct Listing {
    /// The channel.
    pub channel: Named,
    /// From when on, as RFC 3339 says it; at once when absent.
    pub since: Option<String>,
}

/// What the parts of a product are called in the file.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Columns {
    /// The handle.
    pub handle: String,
    /// The name of the first option.
    pub option: String,
    /// The merchant's number of a variant.
    pub sku: String,
    /// The number of a product in the other system.
    pub reference: String,
    /// The number of a variant in the other system.
    pub variant_reference: String,
}

/// A product that can be stored.
#[derive(Clone, Debug, PartialEq)]
pub struct Imported {
    /// The line of its first record.
    pub row: usize,
    /// The product, with the handle that it has in the file.
    pub product: CheckedProduct,
    /// Its id, when the file knows it by ours.
    pub id: Option<ProductId>,
    /// Whether the file can say that promotions don't touch it.
    pub says_discountable: bool,
    /// The lines of its variants.
    pub rows: Vec<usize>,
    /// What lies of each variant at locations by handle; empty when the variant itself says it.
    pub stocks: Vec<Vec<(Named, i32)>>,
    /// Its typed metafields and those of its variants.
    pub fields: Vec<Field>,
    /// Definitions that its metafields need and that the shop doesn't have.
    pub new_fields: Vec<NewField>,
    /// Its categories, the main one first.
    pub categories: Vec<Named>,
    /// Collections that list it.
    pub collections: Vec<Named>,
    /// The channels in which it is for sale; where the file doesn't say, in every open one.
    pub channels: Option<Vec<Listing>>,
    /// What its parts are called in the file.
    pub columns: Arc<Columns>,
}

impl Imported {
    /// A product of which the file says no more than what is stored with it.
    pub fn plain(row: usize, product: CheckedProduct, rows: Vec<usize>, columns: Arc<Columns>) -> Self {
        Self {
            row,
            product,
            id: None,
            says_discountable: false,
            rows,
            stocks: Vec::new(),
            fields: Vec::new(),
            new_fields: Vec::new(),
            categories: Vec::new(),
            collections: Vec::new(),
            channels: None,
            columns,
        }
    }

    /// The refusal of a part of the product as one of a cell.
    pub fn in_cell(&self, refusal: &Refusal) -> RowRefusal {
        let (product, columns) = (&self.product, &self.columns);
        let path: Vec<&str> = refusal.path.iter().map(String::as_str).collect();
        let text = |text: Option<&String>| text.cloned().unwrap_or_default();
        let mut sku = String::new();
        let (row, column, value) = match path.as_slice() {
            ["variants", place, rest @ ..] => {
                let place = place.parse::<usize>().unwrap_or(0);
                let variant = product.variants.get(place);
                sku = text(variant.and_then(|variant| variant.sku.as_ref()));
                let row = self.rows.get(place).copied().unwrap_or(self.row);
                match rest {
                    ["externalReference"] => {
                        let value = text(variant.and_then(|variant| variant.external_reference.as_ref()));
                        (row, columns.variant_reference.clone(), value)
                    }
                    _ => (row, columns.sku.clone(), sku.clone()),
                }
            }
            ["options", ..] => {
                let first = product.options.first().map(|option| option.name.clone());
                (self.row, columns.option.clone(), first.unwrap_or_default())
            }
            ["externalReference"] => (self.row, columns.reference.clone(), text(product.external_reference.as_ref())),
            _ => (self.row, columns.handle.clone(), product.handle.to_string()),
        };
        RowRefusal::new(row, &column, &value, refusal.message.clone()).with(refusal.code).of(&sku)
    }
}

/// A region that prices may be for.
#[derive(Clone, Debug, PartialEq)]
pub struct RegionName {
    /// Its name.
    pub name: String,
    /// Its handle.
    pub handle: String,
    /// Its currency.
    pub currency: Currency,
}

/// A metafield that the shop has.
#[derive(Clone, Debug, PartialEq)]
pub struct KnownField {
    /// On what.
    pub owner: MetafieldOwnerType,
    /// The group of its key.
    pub namespace: String,
    /// Its key.
    pub key: String,
    /// What it holds.
    pub kind: MetafieldType,
    /// What values must obey.
    pub validations: Validations,
}

/// What a reader knows of the shop.
#[derive(Clone, Debug, PartialEq)]
pub struct Context {
    /// The currency of prices that name none.
    pub currency: Currency,
    /// The regions that prices may be for.
    pub regions: Vec<RegionName>,
    /// The metafields that there are.
    pub fields: Vec<KnownField>,
    /// Where pictures lie that are named by a path alone.
    pub media_base: Option<String>,
}

impl Context {
    /// A shop with one currency and nothing else.
    pub fn new(currency: Currency) -> Self {
        Self { currency, regions: Vec::new(), fields: Vec::new(), media_base: None }
    }

    /// The address of a picture; nothing when it is a path and nobody said where pictures lie.
    pub fn media_url(&self, text: &str) -> Option<String> {
        let absolute = ["http://", "https://"]
            .iter()
            .any(|scheme| text.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme)));
        if absolute || text.starts_with('/') {
            return Some(text.to_owned());
        }
        let base = self.media_base.as_ref()?;
        Some(format!("{}/{}", base.trim_end_matches('/'), text))
    }
}

/// A table of products with its header read.
#[derive(Debug)]
pub enum Table {
    /// Shopify's.
    Shopify(crate::shopify::Sheet),
    /// Medusa's.
    Medusa(medusa::Template),
}

impl Table {
    /// Reads the header. `Err` is for a file that is of no use as a whole.
    pub fn new(dialect: ImportDialect, header: &[String], context: &Context) -> Result<Self, Vec<RowRefusal>> {
        match dialect {
            ImportDialect::Shopify => crate::shopify::Sheet::new(header).map(Self::Shopify),
            ImportDialect::MedusaV1 | ImportDialect::MedusaV2 => {
                medusa::Template::new(header, context).map(Self::Medusa)
            }
            ImportDialect::Saleor => Err(vec![RowRefusal::new(1, "", "", "Saleor's objects are JSON, not a table.")]),
        }
    }

    /// What tells the records of one product from those of another; empty when the record names none.
    pub fn key<'r>(&self, cells: &'r [String]) -> &'r str {
        match self {
            Self::Shopify(sheet) => sheet.key(cells),
            Self::Medusa(template) => template.key(cells),
        }
    }

    /// Reads the records of one product, of which there is at least one.
    pub fn read(&self, records: &[Record], context: &Context) -> Result<Imported, RefusedProduct> {
        match self {
            Self::Shopify(sheet) => crate::shopify::read_product(sheet, records, context),
            Self::Medusa(template) => template.read(records, context),
        }
    }
}

/// The dialect of a table by its header.
pub fn recognize(header: &[String]) -> Option<ImportDialect> {
    let names: Vec<String> = header.iter().map(|name| sheet::plain(name).to_lowercase()).collect();
    let has = |name: &str| names.iter().any(|known| known == name);
    let begins = |start: &str| names.iter().any(|known| known.starts_with(start));
    if has("title") && (has("handle") || has("url handle")) {
        return Some(ImportDialect::Shopify);
    }
    let product = has("product handle") || has("product title") || has("product id");
    match product {
        true if begins("variant option ") || begins("variant price ") => Some(ImportDialect::MedusaV2),
        true if begins("option ") || begins("price ") || begins("image ") => Some(ImportDialect::MedusaV1),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(text: &str) -> Vec<String> {
        text.split(',').map(str::to_owned).collect()
    }

    #[test]
    fn a_dialect_is_known_by_its_columns() {
        for (header, dialect) in [
            ("Handle,Title,Variant Price", Some(ImportDialect::Shopify)),
            ("\u{feff}title, URL HANDLE ,Price", Some(ImportDialect::Shopify)),
            ("Product Id,Product Title,Variant Price USD", Some(ImportDialect::MedusaV2)),
            ("Product Handle,Option 1 Name,Price USD", Some(ImportDialect::MedusaV1)),
            ("Product Variant ID,SKU,Price USD", None),
            ("", None),
        ] {
            assert_eq!(recognize(&names(header)), dialect, "{header}");
        }
    }

    #[test]
    fn a_picture_s_path_needs_a_place() {
        let mut context = Context::new("EUR".parse().unwrap());
        assert_eq!(context.media_url("HTTPS://a.example/x.png").as_deref(), Some("HTTPS://a.example/x.png"));
        assert_eq!(context.media_url("x.png"), None);
        context.media_base = Some("https://b.example/media/".into());
        assert_eq!(context.media_url("x.png").as_deref(), Some("https://b.example/media/x.png"));
    }
}
