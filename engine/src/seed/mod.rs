//! The demo shop: what a new shop shows before it has anything of its own.
//!
//! | to change | edit |
//! |---|---|
//! | the products | `demo.json` |
//! | their pictures | [mod@picture] |
//! | the collections and categories | `shelf.rs` |
//! | the regions, taxes and shipping | this file |
//! | the legal texts | `legal.rs` |
//! | how much a filled shop holds, and what is bought when | `plan.rs` |
//! | the invented products and people | `goods.rs`, `people.rs`, `word.rs` |
//! | how they are written | `put_goods.rs`, `put_orders.rs` |
//! | where a fill that was cut goes on | `fill.rs` |

mod agree;
mod dice;
mod fill;
mod goods;
mod legal;
mod people;
pub mod picture;
mod plan;
mod put_goods;
mod put_orders;
mod repo;
mod shelf;
mod word;

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use domain::catalog::{
    CheckedProduct, MediaDraft, MediaKind, OnError, OptionDraft, PriceDraft, ProductDraft, ProductStatus, VariantDraft,
    check_product,
};
use domain::id::{ProductId, RegionId};
use domain::money::{Currency, Money};
use domain::pricing::check::PriceWish;
use domain::pricing::{PriceListKind, PriceListStatus};
use domain::rule::Rules;
use domain::text::CountryCode;
use domain::totals::TaxRounding;
use serde::Deserialize;

use crate::actor::Caller;
use crate::app::App;
use crate::catalog::ops::ImportProduct;
use crate::catalog::save::Saved;
use crate::channel::ops::UpdateChannel;
use crate::error::{Error, Result};
use crate::pricing::bulk::{PriceRow, SetPrices, VariantName};
use crate::pricing::ops::SetPriceList;
use crate::region::ops::SetRegion;
use crate::shipping::ops::SetShippingOption;
use crate::tax::ops::{SetTaxRate, Where};
use crate::version::Change;

pub use fill::{Filled, fill};
pub use plan::Size;

/// The countries of the region `europe` with their rates in parts per million.
const EUROPE: [(&str, i32); 6] =
    [("DE", 190_000), ("FR", 200_000), ("AT", 200_000), ("NL", 210_000), ("IT", 220_000), ("ES", 210_000)];
/// The countries of the region `united-states`. What a state takes depends on
/// the place; the demo shop takes nothing.
const UNITED_STATES: [(&str, i32); 1] = [("US", 0)];
/// Shipping options: handle, name, price in EUR, price in USD.
const SHIPPING: [(&str, &str, &str, &str); 2] =
    [("standard", "Standard", "4.90", "6.90"), ("express", "Express", "12.90", "18.90")];

/// What is on sale: handle, price in EUR, price in USD.
const SALE: [(&str, &str, &str); 1] = [("mantel-clock", "45.00", "49.00")];
/// What the sale is called.
const SALE_NAME: &str = "Clock week";

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct DemoProduct {
    handle: String,
    title: String,
    subtitle: String,
    description_html: String,
    vendor: String,
    product_type: String,
    tags: Vec<String>,
    options: Vec<DemoOption>,
    variants: Vec<DemoVariant>,
    picture: DemoPicture,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct DemoOption {
    name: String,
    values: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct DemoVariant {
    options: BTreeMap<String, String>,
    sku: String,
    price_eur: String,
    compare_at_eur: Option<String>,
    price_usd: String,
    stock: i32,
    weight_grams: i32,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct DemoPicture {
    shape: String,
    color_a: String,
    color_b: String,
}

static PRODUCTS: LazyLock<Result<Vec<DemoProduct>, String>> =
    LazyLock::new(|| serde_json::from_str(include_str!("demo.json")).map_err(|error| error.to_string()));

fn products() -> Result<&'static [DemoProduct]> {
    PRODUCTS.as_deref().map_err(|error| Error::internal(format!("the demo shop's products can't be read: {error}")))
}

/// The picture of a product of the demo shop as SVG, by the product's handle.
pub fn picture(handle: &str) -> Option<String> {
    let product = products().ok()?.iter().find(|product| product.handle == handle)?;
    let DemoPicture { shape, color_a, color_b } = &product.picture;
    picture::svg(shape, color_a, color_b)
}

/// Makes the demo shop, and answers with the number of products that were made
/// or brought up to date: none when it is there already. Regions, tax rates and
/// shipping options that are known stay as staff left them.
pub async fn demo(app: &Arc<App>) -> Result<usize> {
    let (eur, usd) = (currency("EUR")?, currency("USD")?);
    let europe = region(app, "europe", "Europe", eur, true, &EUROPE).await?;
    region(app, "united-states", "United States", usd, false, &UNITED_STATES).await?;
    for (country, rate_ppm) in EUROPE {
        tax_rate(app, country, "VAT", "VAT", rate_ppm).await?;
    }
    for (country, rate_ppm) in UNITED_STATES {
        tax_rate(app, country, "SALES", "Sales tax", rate_ppm).await?;
    }
    for (handle, name, in_eur, in_usd) in SHIPPING {
        shipping_option(app, handle, name, vec![money(in_eur, eur)?, money(in_usd, usd)?]).await?;
    }
    sell_in(app, europe).await?;
    legal::write(app).await?;
    let mut written = 0;
    let mut stored = Vec::new();
    for product in products()? {
        let op = ImportProduct { product: checked(product, eur, usd)?, dry_run: false };
        let (id, saved) = app.run(&Caller::system(), &op).await?;
        written += usize::from(saved != Saved::Unchanged);
        stored.push(shelf::Stored { handle: &product.handle, product_type: &product.product_type, id });
    }
    shelf::furnish(app, &stored).await?;
    for (handle, in_eur, in_usd) in SALE {
        let product = stored.iter().find(|stored| stored.handle == handle);
        let product = product.ok_or_else(|| Error::internal(format!("the demo shop has no {handle}")))?;
        sale(app, product.id, vec![money(in_eur, eur)?, money(in_usd, usd)?]).await?;
    }
    Ok(written)
}

/// A sale without an end, unless there is one: what it costs, in each currency.
async fn sale(app: &Arc<App>, product: ProductId, amounts: Vec<Money>) -> Result<()> {
    if app.settings().price_lists.iter().any(|list| list.name == SALE_NAME) {
        return Ok(());
    }
    let list = SetPriceList {
        handle: None,
        expected_version: None,
        name: SALE_NAME.to_owned(),
        description: None,
        kind: PriceListKind::Sale,
        status: PriceListStatus::Active,
        starts_at: None,
        ends_at: None,
        priority: 0,
        rules: Rules::default(),
    };
    let list = app.run(&Caller::system(), &list).await?.id;
    let variants = crate::catalog::repo::variants_of(&app.read(), &[product]).await?;
    let row = |variant: &entity::variant::Model, amount: &Money| PriceRow {
        variant: VariantName::Id(variant.id),
        price: Some(PriceWish {
            currency: amount.currency,
            amount_minor: amount.minor,
            compare_at_minor: None,
            includes_tax: None,
            min_quantity: None,
            max_quantity: None,
            rules: Rules::default(),
        }),
    };
    let rows = variants.iter().flat_map(|variant| amounts.iter().map(move |amount| row(variant, amount))).collect();
    app.run(
        &Caller::system(),
        &SetPrices { list: Some(list), rows, on_error: OnError::Abort, refused: Vec::new(), keeps: false },
    )
    .await?;
    Ok(())
}

fn currency(code: &str) -> Result<Currency> {
    code.parse().map_err(Error::internal)
}

fn money(text: &str, currency: Currency) -> Result<Money> {
    Money::parse(text, currency).map_err(|error| Error::internal(format!("{text} {error}")))
}

fn countries(listed: &[(&str, i32)]) -> Result<Vec<CountryCode>> {
    listed.iter().map(|(code, _)| code.parse::<CountryCode>().map_err(Error::from)).collect()
}

async fn region(
    app: &Arc<App>,
    handle: &str,
    name: &str,
    currency: Currency,
    prices_include_tax: bool,
    listed: &[(&str, i32)],
) -> Result<RegionId> {
    if let Some(known) = app.settings().region_named(handle) {
        return Ok(known.row.id);
    }
    let op = SetRegion {
        handle: Some(handle.to_owned()),
        expected_version: None,
        name: name.to_owned(),
        currency,
        countries: countries(listed)?,
        prices_include_tax,
        tax_rounding: TaxRounding::Line,
        // Cards to try are offered where there are any, which is nowhere in production.
        providers: app
            .payments
            .names()
            .into_iter()
            .filter(|name| ["manual", "test"].contains(&name.as_str()))
            .collect(),
        captures: Vec::new(),
        known_providers: app.payments.names(),
    };
    Ok(app.run(&Caller::system(), &op).await?.row.id)
}

async fn tax_rate(app: &Arc<App>, country: &str, code: &str, name: &str, rate_ppm: i32) -> Result<()> {
    let country: CountryCode = country.parse()?;
    if app.settings().taxes.any_in(&country) {
        return Ok(());
    }
    let op = SetTaxRate {
        id: None,
        of: Where::Country(country),
        expected_version: None,
        code: code.to_owned(),
        name: name.to_owned(),
        rate_ppm,
        is_default: true,
        combinable: false,
        products: Vec::new(),
        product_types: Vec::new(),
        shipping_options: Vec::new(),
    };
    app.run(&Caller::system(), &op).await?;
    Ok(())
}

async fn shipping_option(app: &Arc<App>, handle: &str, name: &str, prices: Vec<Money>) -> Result<()> {
    if app.settings().shipping_options.iter().any(|option| option.row.handle.as_str() == handle) {
        return Ok(());
    }
    let mut everywhere = countries(&EUROPE)?;
    everywhere.extend(countries(&UNITED_STATES)?);
    let op = SetShippingOption {
        handle: Some(handle.to_owned()),
        expected_version: None,
        name: name.to_owned(),
        countries: Some(everywhere),
        prices: Some(prices),
        // Of the two currencies only the euro's countries take any.
        includes_tax: Some(true),
        ..SetShippingOption::default()
    };
    app.run(&Caller::system(), &op).await?;
    Ok(())
}

/// Makes a region the default of the default channel, unless it has one.
async fn sell_in(app: &Arc<App>, region: RegionId) -> Result<()> {
    let settings = app.settings();
    let channel = settings.default_channel()?;
    if channel.default_region_id.is_some() {
        return Ok(());
    }
    let op = UpdateChannel { default_region: Change::To(region), ..UpdateChannel::of(channel.id) };
    app.run(&Caller::system(), &op).await?;
    Ok(())
}

fn checked(product: &DemoProduct, eur: Currency, usd: Currency) -> Result<CheckedProduct> {
    let option = |option: &DemoOption| OptionDraft { name: option.name.clone(), values: option.values.clone() };
    let variants =
        product.variants.iter().map(|variant| variant_draft(variant, eur, usd)).collect::<Result<Vec<_>>>()?;
    let draft = ProductDraft {
        handle: Some(product.handle.parse()?),
        title: product.title.clone(),
        subtitle: Some(product.subtitle.clone()),
        description_html: product.description_html.clone(),
        vendor: Some(product.vendor.clone()),
        product_type: Some(product.product_type.clone()),
        tags: product.tags.clone(),
        status: ProductStatus::Published,
        options: product.options.iter().map(option).collect(),
        variants,
        media: vec![MediaDraft {
            url: format!("/media/demo/{}.svg", product.handle),
            alt: Some(product.title.clone()),
            kind: MediaKind::Image,
        }],
        ..ProductDraft::default()
    };
    Ok(check_product(draft)?)
}

fn variant_draft(variant: &DemoVariant, eur: Currency, usd: Currency) -> Result<VariantDraft> {
    let compare_at = variant.compare_at_eur.as_deref().map(|text| money(text, eur)).transpose()?;
    let prices = vec![
        PriceDraft {
            currency: eur,
            amount_minor: money(&variant.price_eur, eur)?.minor,
            compare_at_minor: compare_at.map(|money| money.minor),
        },
        PriceDraft { currency: usd, amount_minor: money(&variant.price_usd, usd)?.minor, compare_at_minor: None },
    ];
    let options = variant.options.iter().map(|(name, value)| (name.clone(), value.clone())).collect();
    Ok(VariantDraft {
        sku: Some(variant.sku.clone()),
        options,
        weight_grams: Some(variant.weight_grams),
        prices,
        stock: Some(variant.stock),
        ..VariantDraft::default()
    })
}
