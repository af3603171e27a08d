//! Which texts of which entities are translated, and what a translation may be.

use uuid::Uuid;

use crate::catalog::{MAX_DESCRIPTION, MAX_SEO_DESCRIPTION};
use crate::id::{
    self, OptionId, OptionValueId, PolicyId, ProductId, ProductTypeId, ShippingOptionId, TagId, VariantId,
};
use crate::policy::MAX_BODY;
use crate::refusal::{ErrorCode, Refusal};
use crate::text::title;
use crate::word::words;

/// The most entries of one `translationsSet`.
pub const MAX_ENTRIES: usize = 250;
/// The most languages that one entity is translated into.
pub const MAX_LANGUAGES: usize = 100;

words! {
    /// What has texts that are translated.
    pub enum TranslatableType {
        /// A product.
        Product = "PRODUCT",
        /// A variant.
        Variant = "VARIANT",
        /// An option, shared by the products that have it.
        Option = "OPTION",
        /// A value of an option.
        OptionValue = "OPTION_VALUE",
        /// A shipping option.
        ShippingOption = "SHIPPING_OPTION",
        /// A tag, shared by the products that have it.
        Tag = "TAG",
        /// A product type, shared by the products that are of it.
        ProductType = "PRODUCT_TYPE",
        /// A legal text of the merchant.
        Policy = "POLICY",
    }
}

words! {
    /// A text of an entity.
    pub enum TranslatableField {
        /// The title of a product, a variant or a legal text.
        Title = "TITLE",
        /// The line below a product's title.
        Subtitle = "SUBTITLE",
        /// A product's description as HTML; what is not safe is taken out.
        DescriptionHtml = "DESCRIPTION_HTML",
        /// A product's title for search engines.
        SeoTitle = "SEO_TITLE",
        /// A product's description for search engines.
        SeoDescription = "SEO_DESCRIPTION",
        /// The name of an option, of an option's value, of a shipping option, a tag or a product type.
        Name = "NAME",
        /// A legal text as HTML; what is not safe is taken out.
        BodyHtml = "BODY_HTML",
    }
}

/// The field is a part of a key, and keys must say that they are no number.
#[cfg(feature = "orm")]
impl sea_orm::TryFromU64 for TranslatableField {
    fn try_from_u64(_: u64) -> Result<Self, sea_orm::DbErr> {
        Err(sea_orm::DbErr::ConvertFromU64(stringify!(TranslatableField)))
    }
}

impl TranslatableType {
    /// Its texts. A handle is none: an address stays the same in every language.
    pub fn fields(self) -> &'static [TranslatableField] {
        use TranslatableField as F;
        match self {
            Self::Product => &[F::Title, F::Subtitle, F::DescriptionHtml, F::SeoTitle, F::SeoDescription],
            Self::Variant => &[F::Title],
            Self::Policy => &[F::Title, F::BodyHtml],
            Self::Option | Self::OptionValue | Self::ShippingOption | Self::Tag | Self::ProductType => &[F::Name],
        }
    }

    /// What an id names, when that has texts.
    pub fn of_id(text: &str) -> Option<(Self, Uuid)> {
        let (prefix, uuid) = id::parse(text).ok()?;
        let kind = match prefix {
            ProductId::PREFIX => Self::Product,
            VariantId::PREFIX => Self::Variant,
            OptionId::PREFIX => Self::Option,
            OptionValueId::PREFIX => Self::OptionValue,
            ShippingOptionId::PREFIX => Self::ShippingOption,
            TagId::PREFIX => Self::Tag,
            ProductTypeId::PREFIX => Self::ProductType,
            PolicyId::PREFIX => Self::Policy,
            _ => return None,
        };
        Some((kind, uuid))
    }

    /// The text form of the id of such an entity.
    pub fn id(self, uuid: Uuid) -> String {
        match self {
            Self::Product => ProductId(uuid).to_string(),
            Self::Variant => VariantId(uuid).to_string(),
            Self::Option => OptionId(uuid).to_string(),
            Self::OptionValue => OptionValueId(uuid).to_string(),
            Self::ShippingOption => ShippingOptionId(uuid).to_string(),
            Self::Tag => TagId(uuid).to_string(),
            Self::ProductType => ProductTypeId(uuid).to_string(),
            Self::Policy => PolicyId(uuid).to_string(),
        }
    }
}

impl TranslatableField {
    /// Whether it is HTML, of which only what is safe is kept.
    pub fn is_html(self) -> bool {
        matches!(self, Self::DescriptionHtml | Self::BodyHtml)
    }
}

/// Checks a translated text by the rule of the text itself.
pub fn check_text(field: TranslatableField, text: &str) -> Result<String, Refusal> {
    use TranslatableField as F;
    let most = match field {
        F::Title | F::Subtitle | F::SeoTitle | F::Name => return title(text),
        F::SeoDescription => MAX_SEO_DESCRIPTION,
        F::DescriptionHtml => MAX_DESCRIPTION,
        F::BodyHtml => MAX_BODY,
    };
    let text = text.trim();
    if text.is_empty() {
        Err(Refusal::new(ErrorCode::Required, "This can't be empty; null takes a translation out."))
    } else if text.chars().nth(most).is_some() {
        Err(Refusal::new(ErrorCode::Invalid, format!("This is longer than {most} characters.")).limit(most as i64))
    } else {
        Ok(text.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_name_what_is_translated() {
        for kind in TranslatableType::ALL {
            let uuid = Uuid::from_u128(7);
            assert_eq!(TranslatableType::of_id(&kind.id(uuid)), Some((*kind, uuid)));
            assert!(!kind.fields().is_empty());
        }
        for text in ["", "order_01h2xcejqtf2nbrexx3vqjhp41", "prod_x"] {
            assert_eq!(TranslatableType::of_id(text), None, "{text}");
        }
    }

    #[test]
    fn translations_obey_the_rules_of_the_text() {
        use TranslatableField as F;
        assert_eq!(check_text(F::Title, " Becher ").unwrap(), "Becher");
        assert_eq!(check_text(F::DescriptionHtml, "<p>a</p>\n<p>b</p>").unwrap(), "<p>a</p>\n<p>b</p>");
        for (field, text) in [(F::Title, ""), (F::Name, "a\nb"), (F::SeoDescription, "  "), (F::DescriptionHtml, "")] {
            assert!(check_text(field, text).is_err(), "{field}");
        }
        assert!(check_text(F::SeoDescription, &"a".repeat(MAX_SEO_DESCRIPTION + 1)).is_err());
    }
}
