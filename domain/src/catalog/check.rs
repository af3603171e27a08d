//! The check that turns a draft into a product, or into every reason against it.

use std::collections::HashSet;

use super::options::{KnownOption, choose, known_options, made_title};
use super::{
    CheckedProduct, CheckedVariant, MAX_ALT, MAX_DESCRIPTION, MAX_MEDIA, MAX_PRICES, MAX_SEO_DESCRIPTION, MAX_SIDE,
    MAX_STOCK, MAX_TAGS, MAX_URL, MAX_VARIANTS, MediaDraft, MediaKind, OptionDraft, PriceDraft, ProductDraft,
    VariantDraft,
};
use crate::media::external_url;
use crate::money::MAX_MINOR;
use crate::refusal::{ErrorCode, Refusal, Refusals};
use crate::text::{self, Handle};

/// Checks a wished product and makes it complete.
///
/// The answer names every fault at once. Paths are the draft's field names in
/// camel case with places of lists between them: `["variants", "1", "options"]`.
/// A list that is longer than allowed is refused as a whole and its entries
/// are not looked at; when the options themselves are faulty, the variants'
/// values are not held against them, which would only repeat the fault.
///
/// A product without options has exactly one variant; when it is given none,
/// that one is made, without prices. Whether handle, SKU and external reference
/// are free in the shop is for the caller to find out.
pub fn check_product(mut draft: ProductDraft) -> Result<CheckedProduct, Vec<Refusal>> {
    let mut refusals = Refusals::default();
    let title = refusals.keep(text::title(&draft.title).map_err(|refusal| refusal.at(["title"])));
    let handle = draft.handle.take().or_else(|| Handle::from_title(title.as_deref()?));
    if handle.is_none() && title.is_some() {
        refusals
            .push(Refusal::new(ErrorCode::Required, "No handle can be made from this title: give one.").at(["handle"]));
    }
    let subtitle = line(draft.subtitle, &["subtitle"], &mut refusals);
    let vendor = line(draft.vendor, &["vendor"], &mut refusals);
    let product_type = line(draft.product_type, &["productType"], &mut refusals);
    let external_reference = line(draft.external_reference, &["externalReference"], &mut refusals);
    let seo_title = line(draft.seo_title, &["seoTitle"], &mut refusals);
    let seo_description = prose(draft.seo_description, MAX_SEO_DESCRIPTION, &["seoDescription"], &mut refusals);
    let description = prose(Some(draft.description_html), MAX_DESCRIPTION, &["descriptionHtml"], &mut refusals);
    let tags = check_tags(draft.tags, &mut refusals);
    let mut media = check_media(draft.media, &mut refusals);

    if draft.variants.is_empty() && draft.options.is_empty() {
        draft.variants.push(VariantDraft::default());
    }
    if draft.variants.is_empty() {
        refusals.push(Refusal::new(ErrorCode::Required, "A product has at least one variant.").at(["variants"]));
    }
    let mut options = if fits(draft.variants.len(), MAX_VARIANTS, &["variants"], &mut refusals) {
        known_options(draft.options, &draft.variants, &mut refusals)
    } else {
        draft.variants.clear();
        None
    };
    let title = title.unwrap_or_default();
    let mut seen = Seen::default();
    let mut variants = Vec::with_capacity(draft.variants.len());
    for (place, variant) in draft.variants.into_iter().enumerate() {
        let variant = check_variant(place, variant, &title, options.as_deref_mut(), &mut seen, &mut refusals);
        if let Some(url) = &variant.media_url
            && !media.iter().any(|medium| medium.url == *url)
        {
            media.push(MediaDraft { url: url.clone(), alt: None, kind: MediaKind::Image });
        }
        variants.push(variant);
    }
    // Media that came with the variants count as well; a list too long by itself was emptied above.
    fits(media.len(), MAX_MEDIA, &["media"], &mut refusals);

    refusals.into_result()?;
    let Some(handle) = handle else {
        // Not reached: without a handle either the title or the handle was refused.
        return Err(Vec::new());
    };
    let options = options.unwrap_or_default();
    let options = options.into_iter().map(|option| OptionDraft { name: option.name, values: option.values }).collect();
    Ok(CheckedProduct {
        handle,
        title,
        subtitle,
        description_html: description.unwrap_or_default(),
        vendor,
        product_type,
        tags,
        status: draft.status,
        gift_card: draft.gift_card,
        discountable: draft.discountable,
        shipping_profile: draft.shipping_profile,
        external_reference,
        seo_title,
        seo_description,
        options,
        variants,
        media,
        metadata: draft.metadata,
    })
}

/// Whether a list is short enough; refuses it when not.
pub(super) fn fits(length: usize, most: usize, path: &[&str], refusals: &mut Refusals) -> bool {
    if length > most {
        let message = format!("There are more than {most} entries.");
        refusals.push(Refusal::new(ErrorCode::TooMany, message).limit(most as i64).at(path.iter().copied()));
    }
    length <= most
}

/// One line of at most [`MAX_TITLE`] characters, trimmed; blank is absent.
fn line(text: Option<String>, path: &[&str], refusals: &mut Refusals) -> Option<String> {
    let text = text.filter(|text| !text.trim().is_empty())?;
    refusals.keep(text::title(&text).map_err(|refusal| refusal.at(path.iter().copied())))
}

/// Text of any lines and at most `most` characters, trimmed; blank is absent.
fn prose(text: Option<String>, most: usize, path: &[&str], refusals: &mut Refusals) -> Option<String> {
    let text = text?;
    let text = text.trim();
    if text.chars().nth(most).is_some() {
        let message = format!("This is longer than {most} characters.");
        refusals.push(Refusal::new(ErrorCode::Invalid, message).limit(most as i64).at(path.iter().copied()));
    }
    Some(text.to_owned()).filter(|text| !text.is_empty())
}

fn check_tags(given: Vec<String>, refusals: &mut Refusals) -> Vec<String> {
    let mut seen = HashSet::new();
    let mut tags = Vec::new();
    for (place, tag) in given.into_iter().enumerate() {
        if seen.insert(tag.trim().to_lowercase()) {
            if tags.len() == MAX_TAGS {
                fits(MAX_TAGS + 1, MAX_TAGS, &["tags"], refusals);
                break;
            }
            tags.extend(line(Some(tag), &["tags", &place.to_string()], refusals));
        }
    }
    tags
}

fn check_media(given: Vec<MediaDraft>, refusals: &mut Refusals) -> Vec<MediaDraft> {
    let mut media: Vec<MediaDraft> = Vec::new();
    if !fits(given.len(), MAX_MEDIA, &["media"], refusals) {
        return media;
    }
    for (place, medium) in given.into_iter().enumerate() {
        let place = place.to_string();
        let url = refusals.keep(address(&medium.url).map_err(|refusal| refusal.at(["media", &place, "url"])));
        let alt = prose(medium.alt, MAX_ALT, &["media", &place, "alt"], refusals);
        if let Some(url) = url
            && !media.iter().any(|known| known.url == url)
        {
            media.push(MediaDraft { url, alt, kind: medium.kind });
        }
    }
    media
}

/// An address that a shopper's browser can show: absolute http or https, or a
/// path of the shop. `//host` and `/\host` look like paths and leave the shop.
pub fn address(text: &str) -> Result<String, Refusal> {
    let text = text.trim();
    if !text.starts_with('/') {
        return external_url(text);
    }
    if text.len() > MAX_URL {
        let message = format!("This is longer than {MAX_URL} bytes.");
        return Err(Refusal::new(ErrorCode::Invalid, message).limit(MAX_URL as i64));
    }
    if !text.starts_with("//") && !text.chars().any(|c| c.is_whitespace() || c.is_control() || c == '\\') {
        Ok(text.to_owned())
    } else {
        Err(Refusal::new(ErrorCode::Invalid, "This is neither an http or https address nor a path that begins with /."))
    }
}

/// What the variants before this one have taken.
#[derive(Default)]
struct Seen {
    skus: HashSet<String>,
    references: HashSet<String>,
    combinations: HashSet<Vec<usize>>,
}

fn check_variant(
    place: usize,
    draft: VariantDraft,
    product_title: &str,
    options: Option<&mut [KnownOption]>,
    seen: &mut Seen,
    refusals: &mut Refusals,
) -> CheckedVariant {
    let place = place.to_string();
    let given_title = line(draft.title, &["variants", &place, "title"], refusals);
    let sku = line(draft.sku, &["variants", &place, "sku"], refusals);
    if let Some(sku) = &sku
        && !seen.skus.insert(sku.clone())
    {
        refusals.push(
            Refusal::new(ErrorCode::Duplicate, "Another variant of this product has this SKU.")
                .at(["variants", &place, "sku"]),
        );
    }
    let barcode = line(draft.barcode, &["variants", &place, "barcode"], refusals);
    let external_reference = line(draft.external_reference, &["variants", &place, "externalReference"], refusals);
    if let Some(reference) = &external_reference
        && !seen.references.insert(reference.clone())
    {
        let message = "Another variant of this product has this external reference.";
        let refusal = Refusal::new(ErrorCode::Duplicate, message);
        refusals.push(refusal.at(["variants", &place, "externalReference"]));
    }
    let chosen = options
        .and_then(|options| choose(&place, &draft.options, options, &mut seen.combinations, refusals))
        .unwrap_or_default();
    let values = chosen.iter().map(|(_, value)| value.as_str());
    let title = given_title.unwrap_or_else(|| made_title(product_title, values));
    let sides = [(draft.length_mm, "lengthMm"), (draft.width_mm, "widthMm"), (draft.height_mm, "heightMm")];
    for (side, name) in sides {
        if side.is_some_and(|side| !(1..=MAX_SIDE).contains(&side)) {
            let message = format!("A side lies between 1 and {MAX_SIDE} millimeters.");
            let refusal = Refusal::new(ErrorCode::Invalid, message).limit(i64::from(MAX_SIDE));
            refusals.push(refusal.at(["variants", &place, name]));
        }
    }
    let hs_code = customs_code(draft.hs_code, &place, refusals);
    if draft.weight_grams.is_some_and(|grams| grams < 0) {
        refusals.push(Refusal::new(ErrorCode::Invalid, "A weight can't be below zero.").at([
            "variants",
            &place,
            "weightGrams",
        ]));
    }
    if draft.stock.is_some_and(|stock| !(0..=MAX_STOCK).contains(&stock)) {
        let message = format!("A stock lies between 0 and {MAX_STOCK}.");
        refusals.push(
            Refusal::new(ErrorCode::Invalid, message).limit(i64::from(MAX_STOCK)).at(["variants", &place, "stock"]),
        );
    }
    check_prices(&place, &draft.prices, refusals);
    let media_url = draft
        .media_url
        .filter(|url| !url.trim().is_empty())
        .and_then(|url| refusals.keep(address(&url).map_err(|refusal| refusal.at(["variants", &place, "mediaUrl"]))));
    CheckedVariant {
        title,
        sku,
        barcode,
        options: chosen,
        external_reference,
        weight_grams: draft.weight_grams,
        length_mm: draft.length_mm,
        width_mm: draft.width_mm,
        height_mm: draft.height_mm,
        hs_code,
        origin_country: draft.origin_country,
        requires_shipping: draft.requires_shipping,
        manage_inventory: draft.manage_inventory,
        backorder: draft.backorder,
        release_at: draft.release_at,
        prices: draft.prices,
        prices_whole: draft.prices_whole,
        stock: draft.stock,
        media_url,
        metadata: draft.metadata,
    }
}

/// The digits of a number for customs, which people write with dots or blanks.
fn customs_code(text: Option<String>, place: &str, refusals: &mut Refusals) -> Option<String> {
    let text = text.filter(|text| !text.trim().is_empty())?;
    let digits: String = text.chars().filter(|c| !matches!(c, '.' | ' ')).collect();
    if (6..=13).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Some(digits);
    }
    let message = "A number for customs has 6 to 13 digits, such as 6109.10.";
    refusals.push(Refusal::new(ErrorCode::Invalid, message).at(["variants", place, "hsCode"]));
    None
}

fn check_prices(place: &str, prices: &[PriceDraft], refusals: &mut Refusals) {
    if !fits(prices.len(), MAX_PRICES, &["variants", place, "prices"], refusals) {
        return;
    }
    for (price_place, price) in prices.iter().enumerate() {
        let at = |field: &str| ["variants", place, "prices", &price_place.to_string(), field].map(str::to_owned);
        for (field, minor) in [("amount", Some(price.amount_minor)), ("compareAt", price.compare_at_minor)] {
            match minor {
                Some(minor) if minor < 0 => {
                    refusals.push(Refusal::new(ErrorCode::Invalid, "A price can't be below zero.").at(at(field)));
                }
                Some(minor) if minor > MAX_MINOR => {
                    let refusal = Refusal::new(ErrorCode::Invalid, "This price is too large.");
                    refusals.push(refusal.limit(MAX_MINOR).at(at(field)));
                }
                _ => {}
            }
        }
        if prices[..price_place].iter().any(|earlier| earlier.currency == price.currency) {
            let message = format!("The variant has a price in {} already.", price.currency);
            refusals.push(Refusal::new(ErrorCode::Duplicate, message).at(at("currency")));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn variant(options: &[(&str, &str)]) -> VariantDraft {
        let options = options.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        VariantDraft { options, ..VariantDraft::default() }
    }

    fn shirt(variants: Vec<VariantDraft>) -> ProductDraft {
        ProductDraft { title: " Shirt ".into(), variants, ..ProductDraft::default() }
    }

    fn option(name: &str, values: &[&str]) -> OptionDraft {
        OptionDraft { name: name.into(), values: values.iter().map(|value| (*value).to_owned()).collect() }
    }

    fn price(code: &str, amount_minor: i64, compare_at_minor: Option<i64>) -> PriceDraft {
        PriceDraft { currency: code.parse().unwrap(), amount_minor, compare_at_minor }
    }

    /// `code path/of/the/fault` of each refusal.
    fn faults(draft: ProductDraft) -> Vec<String> {
        let refusals = check_product(draft).unwrap_err();
        refusals.iter().map(|refusal| format!("{} {}", refusal.code.as_str(), refusal.path.join("/"))).collect()
    }

    #[test]
    fn a_bare_title_is_enough() {
        let product = check_product(shirt(vec![])).unwrap();
        assert_eq!((product.handle.as_str(), product.title.as_str()), ("shirt", "Shirt"));
        assert_eq!(product.variants.len(), 1);
        assert_eq!(product.variants[0].title, "Shirt");
        assert!(product.options.is_empty() && product.variants[0].prices.is_empty());
    }

    #[test]
    fn options_come_from_the_variants_when_none_are_declared() {
        let draft = shirt(vec![
            variant(&[("Color", " Green"), ("Size", "M")]),
            variant(&[("size", "L"), ("COLOR", "green")]),
            variant(&[("Color", "Red"), ("Size", "M")]),
        ]);
        let product = check_product(draft).unwrap();
        assert_eq!(product.options, [option("Color", &["Green", "Red"]), option("Size", &["M", "L"])]);
        let titles: Vec<_> = product.variants.iter().map(|variant| variant.title.as_str()).collect();
        assert_eq!(titles, ["Green / M", "Green / L", "Red / M"]);
        assert_eq!(product.variants[1].options[0], ("Color".to_owned(), "Green".to_owned()));
    }

    #[test]
    fn declared_values_keep_their_order() {
        let mut draft = shirt(vec![variant(&[("Size", "L")]), variant(&[("Size", "S")])]);
        draft.options = vec![option("Size", &["S", "M", "L"])];
        assert_eq!(check_product(draft).unwrap().options, [option("Size", &["S", "M", "L"])]);
    }

    #[test]
    fn variants_are_held_against_the_options() {
        let mut draft = shirt(vec![
            variant(&[("Color", "Green"), ("Size", "M")]),
            variant(&[("Color", "Green")]),
            variant(&[("Color", "Blue"), ("Size", "M"), ("Cut", "Slim")]),
            variant(&[("Size", "m"), ("Color", "green")]),
            variant(&[("Size", "M"), ("Color", "Green"), ("Color", "Green")]),
        ]);
        draft.options = vec![option("Color", &["Green"]), option("Size", &[])];
        let expected = [
            "REQUIRED variants/1/options",
            "INVALID variants/2/options/0",
            "INVALID variants/2/options/2",
            "DUPLICATE variants/3/options",
            "DUPLICATE variants/4/options/2",
        ];
        assert_eq!(faults(draft), expected);
        assert_eq!(faults(shirt(vec![variant(&[]), variant(&[])])), ["DUPLICATE variants/1/options"]);
    }

    #[test]
    fn options_are_declared_once() {
        let mut draft = shirt(vec![]);
        draft.options = vec![option("Color", &["Red", "red", ""]), option("color", &[]), option(" ", &[])];
        let expected = [
            "REQUIRED variants",
            "DUPLICATE options/0/values/1",
            "REQUIRED options/0/values/2",
            "DUPLICATE options/1/name",
            "REQUIRED options/2/name",
        ];
        assert_eq!(faults(draft), expected);
        let mut draft = shirt(vec![]);
        draft.options = vec![option("Color", &["Red"])];
        assert_eq!(faults(draft), ["REQUIRED variants"]);
    }

    #[test]
    fn titles_and_handles() {
        assert_eq!(faults(ProductDraft::default()), ["REQUIRED title"]);
        assert_eq!(faults(ProductDraft { title: "日本".into(), ..ProductDraft::default() }), ["REQUIRED handle"]);
        let named = ProductDraft { handle: Some("nihon".parse().unwrap()), ..shirt(vec![]) };
        assert_eq!(check_product(named).unwrap().handle.as_str(), "nihon");
        assert_eq!(faults(ProductDraft { title: "x".repeat(256), ..ProductDraft::default() }), ["INVALID title"]);
    }

    #[test]
    fn numbers_have_bounds() {
        let mut first = variant(&[("Size", "S")]);
        first.sku = Some("A-1".into());
        first.prices = vec![price("EUR", -1, Some(-1)), price("JPY", MAX_MINOR + 1, None), price("EUR", 5, None)];
        first.stock = Some(-1);
        let mut second = variant(&[("Size", "M")]);
        second.sku = Some(" A-1 ".into());
        second.weight_grams = Some(-5);
        second.stock = Some(MAX_STOCK + 1);
        let expected = [
            "INVALID variants/0/stock",
            "INVALID variants/0/prices/0/amount",
            "INVALID variants/0/prices/0/compareAt",
            "INVALID variants/0/prices/1/amount",
            "DUPLICATE variants/0/prices/2/currency",
            "DUPLICATE variants/1/sku",
            "INVALID variants/1/weightGrams",
            "INVALID variants/1/stock",
        ];
        assert_eq!(faults(shirt(vec![first, second])), expected);
    }

    #[test]
    fn lists_have_bounds() {
        let sized = |n: usize| variant(&[("Size", &n.to_string())]);
        assert!(check_product(shirt((0..MAX_VARIANTS).map(sized).collect())).is_ok());
        assert_eq!(faults(shirt((0..=MAX_VARIANTS).map(sized).collect())), ["TOO_MANY variants"]);
        let names = ["a", "b", "c", "d", "e", "f"].map(|name| (name, "1"));
        assert_eq!(faults(shirt(vec![variant(&names)])), ["TOO_MANY options"]);
        let tags = |most: usize| ProductDraft { tags: (0..most).map(|n| n.to_string()).collect(), ..shirt(vec![]) };
        assert!(check_product(tags(MAX_TAGS)).is_ok());
        assert_eq!(faults(tags(MAX_TAGS + 1)), ["TOO_MANY tags"]);
        let medium = |n: usize| MediaDraft { url: format!("/m/{n}"), alt: None, kind: MediaKind::Image };
        let mut draft = ProductDraft { media: (0..MAX_MEDIA).map(medium).collect(), ..shirt(vec![variant(&[])]) };
        assert!(check_product(draft.clone()).is_ok());
        draft.variants[0].media_url = Some("/m/more".into());
        assert_eq!(faults(draft), ["TOO_MANY media"]);
    }

    #[test]
    fn tags_and_media_stand_once() {
        let mut draft = shirt(vec![variant(&[])]);
        draft.tags = ["Garden", " garden ", "", "New"].map(str::to_owned).to_vec();
        let medium = |url: &str| MediaDraft { url: url.into(), alt: None, kind: MediaKind::Image };
        draft.media = vec![medium("/a.jpg"), medium(" /a.jpg ")];
        draft.variants[0].media_url = Some("https://example.com/b.jpg".into());
        let product = check_product(draft).unwrap();
        assert_eq!(product.tags, ["Garden", "New"]);
        assert_eq!(product.media, [medium("/a.jpg"), medium("https://example.com/b.jpg")]);
    }

    #[test]
    fn addresses_stay_on_the_web() {
        for good in ["https://example.com/a.jpg?v=1", "HTTP://example.com", "/files/a.jpg", "/"] {
            assert!(address(good).is_ok(), "{good}");
        }
        let long = format!("/{}", "a".repeat(MAX_URL));
        let bad = ["", "a.jpg", "//evil.example", "/\\evil.example", "javascript:alert(1)", "https://", "https:///a"];
        for bad in bad.into_iter().chain(["ftp://example.com", "https://a b", "é", &long]) {
            assert!(address(bad).is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn what_passes_is_complete(
            title in "[a-c日 ]{0,4}",
            declared in prop::collection::vec(("[a-c ]{0,2}", prop::collection::vec("[a-b]{0,2}", 0..3)), 0..3),
            pairs in prop::collection::vec(prop::collection::vec(("[a-c]{0,1}", "[a-b]{0,2}"), 0..3), 0..5),
        ) {
            let options = declared.into_iter().map(|(name, values)| OptionDraft { name, values }).collect();
            let variants = pairs.into_iter().map(|options| VariantDraft { options, ..VariantDraft::default() });
            let draft = ProductDraft { title, options, variants: variants.collect(), ..ProductDraft::default() };
            match check_product(draft) {
                Err(refusals) => prop_assert!(!refusals.is_empty()),
                Ok(product) => {
                    let mut combinations = HashSet::new();
                    for variant in &product.variants {
                        prop_assert!(combinations.insert(variant.options.clone()));
                        prop_assert_eq!(variant.options.len(), product.options.len());
                        for (option, (name, value)) in product.options.iter().zip(&variant.options) {
                            prop_assert_eq!(&option.name, name);
                            prop_assert!(option.values.contains(value));
                        }
                    }
                }
            }
        }
    }
}
