//! How options of products look.

use async_graphql::{ID, SimpleObject};
use domain::translation::TranslatableField;
use engine::catalog::repo::OptionRow;

use crate::api::call::Call;
use crate::api::ready::at_once;
use crate::api::scalar::id;
use crate::translation::load::{Reader, TextAt};

/// An option of a product, such as Color.
#[derive(Debug, Clone, SimpleObject)]
pub struct ProductOption {
    /// Its id, the same for all products that have it.
    pub id: ID,
    /// Its name.
    pub name: String,
    /// The names of the values that the product's variants have, in their order; at most 250.
    pub values: Vec<String>,
    /// The same values with their looks.
    pub option_values: Vec<ProductOptionValue>,
}

at_once!(ProductOption { id, name, values, option_values });

/// A value of an option of a product, such as Green.
#[derive(Debug, Clone, SimpleObject)]
pub struct ProductOptionValue {
    /// Its id, the same for all products that have it.
    pub id: ID,
    /// Its name.
    pub name: String,
    /// What it looks like.
    pub swatch: Option<Swatch>,
}

at_once!(ProductOptionValue { id, name, swatch });

impl ProductOptionValue {
    /// A value under the name of a language.
    pub fn named(row: &OptionRow, name: String) -> Self {
        let swatch = Swatch::of(row.swatch_color.as_ref(), row.swatch_url.as_ref());
        Self { id: id(row.value), name, swatch }
    }
}

/// What a value of an option looks like: a color or a picture.
#[derive(Debug, Clone, SimpleObject)]
pub struct Swatch {
    /// A color, `#rrggbb`.
    pub color: Option<String>,
    /// The address of a picture: absolute, or a path on this server.
    pub image_url: Option<String>,
}

at_once!(Swatch { color, image_url });

impl Swatch {
    /// What there is of a color and an address.
    pub fn of(color: Option<&String>, image_url: Option<&String>) -> Option<Self> {
        (color.is_some() || image_url.is_some()).then(|| Self { color: color.cloned(), image_url: image_url.cloned() })
    }
}

/// The names of an option and of its value for a reader.
pub async fn option_names(call: &Call, row: &OptionRow, reader: Reader) -> async_graphql::Result<(String, String)> {
    let (name, value) = (
        TextAt::of(row.product, row.option, TranslatableField::Name),
        TextAt::of(row.product, row.value, TranslatableField::Name),
    );
    let (name, value) = futures_util::try_join!(name.read(call, reader, None), value.read(call, reader, None))?;
    Ok((name.unwrap_or_else(|| row.name.clone()), value.unwrap_or_else(|| row.value_name.clone())))
}
