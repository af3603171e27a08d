//! The catalog for loaders.

use std::collections::{HashMap, HashSet};
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use async_graphql::dataloader::Loader;
use domain::id::{ProductId, ProductTypeId, VariantId};
use entity::{media, product, product_channel, product_type, tag, variant};

use crate::api::call::{Batch, group};
use engine::catalog::repo::listing::{Listing, pages};
use engine::catalog::repo::{self, OptionRow};
use engine::error::Error;
use engine::page::Rows;

/// Declares a key whose value is a list of rows.
macro_rules! list_loader {
    ($(#[$doc:meta])* $key:ident($id:ty) => $row:ty, $fetch:expr, $keyed:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub struct $key(pub $id);

        impl Loader<$key> for Batch {
            type Value = Arc<Vec<Arc<$row>>>;
            type Error = Arc<Error>;

            async fn load(&self, keys: &[$key]) -> Result<HashMap<$key, Self::Value>, Self::Error> {
                let ids: Vec<$id> = keys.iter().map(|key| key.0).collect();
                let rows = $fetch(&self.conn, &ids).await?;
                Ok(group(rows.into_iter().map($keyed).map(|(key, row)| (key, Arc::new(row)))))
            }
        }
    };
}

list_loader! {
    /// The variants of a product in order.
    VariantsOf(ProductId) => variant::Model, repo::variants_of, |row| (VariantsOf(row.product_id), row)
}

/// The options of a product with their values, in order; with `each`, those of each of its variants.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct GridOf {
    /// Of which product.
    pub product: ProductId,
    /// Whether the values of each variant are told, or what its variants have together.
    pub each: bool,
}

/// Values of options, each with the variant that has it where they are told apart.
pub type Grid = Arc<Vec<(Option<VariantId>, OptionRow)>>;

impl Loader<GridOf> for Batch {
    type Value = Grid;
    type Error = Arc<Error>;

    /// One statement: what is asked for together is read out of what each variant has when that is asked for too.
    async fn load(&self, keys: &[GridOf]) -> Result<HashMap<GridOf, Self::Value>, Self::Error> {
        let products: HashSet<ProductId> = keys.iter().map(|key| key.product).collect();
        let products: Vec<ProductId> = products.into_iter().collect();
        if keys.iter().all(|key| !key.each) {
            let rows = repo::options_of(&self.conn, &products).await?;
            let keyed = |row: OptionRow| (GridOf { product: row.product, each: false }, (None, row));
            return Ok(group(rows.into_iter().map(keyed)));
        }
        let rows = repo::selected_of_products(&self.conn, &products).await?;
        let each = group(rows.into_iter().map(|(variant, row)| (row.product, (Some(variant), row))));
        let told = |key: &GridOf| {
            let grid = each.get(&key.product)?;
            Some((*key, if key.each { grid.clone() } else { Arc::new(together(grid)) }))
        };
        Ok(keys.iter().filter_map(told).collect())
    }
}

/// What variants have together: each value of each option once, as the first variant has it.
fn together(grid: &[(Option<VariantId>, OptionRow)]) -> Vec<(Option<VariantId>, OptionRow)> {
    let mut seen = HashSet::new();
    let first = grid.iter().filter(|(_, row)| seen.insert((row.option, row.value)));
    first.map(|(_, row)| (None, row.clone())).collect()
}

list_loader! {
    /// The option values of a variant.
    SelectedOf(VariantId) => OptionRow, repo::selected_of, |(variant, row)| (SelectedOf(variant), row)
}

list_loader! {
    /// The media of a product in order.
    MediaOf(ProductId) => media::Model, repo::media_of, |(product, row)| (MediaOf(product), row)
}

list_loader! {
    /// The media of a variant in order.
    VariantMediaOf(VariantId) => media::Model, repo::variant_media_of, |(variant, row)| (VariantMediaOf(variant), row)
}

list_loader! {
    /// The tags of a product in order.
    TagsOf(ProductId) => tag::Model, repo::tags_of, |(product, row)| (TagsOf(product), row)
}

list_loader! {
    /// The channels in which a product is published.
    ChannelsOf(ProductId) => product_channel::Model, repo::channels_of, |row| (ChannelsOf(row.product_id), row)
}

/// Declares a key whose value is one row.
macro_rules! row_loader {
    ($(#[$doc:meta])* $key:ident($id:ty) => $row:ty, $fetch:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub struct $key(pub $id);

        impl Loader<$key> for Batch {
            type Value = Option<Arc<$row>>;
            type Error = Arc<Error>;

            async fn load(&self, keys: &[$key]) -> Result<HashMap<$key, Self::Value>, Self::Error> {
                let ids: Vec<$id> = keys.iter().map(|key| key.0).collect();
                let rows = $fetch(&self.conn, &ids).await?;
                Ok(rows.into_iter().map(|row| ($key(row.id), Some(Arc::new(row)))).collect())
            }
        }
    };
}

row_loader! {
    /// A product by id.
    ProductBy(ProductId) => product::Model, repo::by_ids
}

row_loader! {
    /// A variant by id.
    VariantBy(VariantId) => variant::Model, repo::variants_by_ids
}

row_loader! {
    /// A product type by id.
    TypeBy(ProductTypeId) => product_type::Model, repo::types_by_ids
}

/// A list of products within something else, such as a collection.
#[derive(Debug, Clone)]
pub struct ListingOf {
    listing: Arc<Listing>,
    /// All of the list as text: what tells it from others.
    text: Arc<str>,
}

impl ListingOf {
    /// The key of a list.
    pub fn new(listing: Listing) -> Self {
        Self { text: format!("{listing:?}").into(), listing: Arc::new(listing) }
    }
}

impl PartialEq for ListingOf {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for ListingOf {}

impl Hash for ListingOf {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.text.hash(state);
    }
}

impl Loader<ListingOf> for Batch {
    type Value = Option<Rows<product::Model>>;
    type Error = Arc<Error>;

    async fn load(&self, keys: &[ListingOf]) -> Result<HashMap<ListingOf, Self::Value>, Self::Error> {
        let listings = keys.iter().map(|key| Listing::clone(&key.listing)).collect();
        let found = pages(&self.conn, listings).await?;
        Ok(keys.iter().cloned().zip(found.into_iter().map(Some)).collect())
    }
}
