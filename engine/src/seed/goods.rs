//! Which products there are: the demo shop's own first, then invented ones.
//! Each follows from its place alone, so that nothing need be remembered.

use chrono::{DateTime, TimeDelta, Utc};
use domain::catalog::{ProductStatus, made_title};
use domain::money::Currency;

use super::dice::Dice;
use super::word::{COLORS, NOUNS, SERIES, Season, VENDORS};
use super::{DemoProduct, money, products};
use crate::error::Result;

/// What the draws of products are about.
const GOODS: u64 = 1;
/// How long before the first order the shop was filled.
const FILLED: TimeDelta = TimeDelta::days(40);

/// A product.
#[derive(Debug, Clone)]
pub(super) struct Good {
    pub handle: String,
    pub title: String,
    pub subtitle: Option<String>,
    pub description_html: String,
    pub vendor: String,
    pub product_type: &'static str,
    pub tags: Vec<String>,
    pub status: ProductStatus,
    pub launched: DateTime<Utc>,
    pub season: Season,
    /// The handle of the demo product whose picture it shows.
    pub picture: String,
    /// The names of its options.
    pub options: Vec<String>,
    pub variants: Vec<GoodVariant>,
}

/// A variant of it.
#[derive(Debug, Clone)]
pub(super) struct GoodVariant {
    /// One value of each option.
    pub values: Vec<String>,
    pub sku: String,
    pub eur: i64,
    pub compare_at: Option<i64>,
    pub usd: i64,
    /// What lies there when all orders are through.
    pub stock: i32,
    pub grams: i32,
}

impl Good {
    /// The title of a variant.
    pub fn variant_title(&self, variant: &GoodVariant) -> String {
        made_title(&self.title, variant.values.iter().map(String::as_str))
    }

    /// The address of its picture.
    pub fn picture_url(&self) -> String {
        format!("/media/demo/{}.svg", self.picture)
    }

    /// Whether it can be bought at a moment.
    pub fn is_sold(&self, at: DateTime<Utc>) -> bool {
        self.status == ProductStatus::Published && self.launched <= at
    }
}

/// How many products the demo shop has of its own.
pub(super) fn demo_count() -> Result<usize> {
    Ok(products()?.len())
}

/// The product at a place of a shop that sells from `start` to `until`.
pub(super) fn good(place: usize, start: DateTime<Utc>, until: DateTime<Utc>) -> Result<Good> {
    match products()?.get(place) {
        Some(product) => demo_good(product, start),
        None => Ok(invented(place, start, until)),
    }
}

fn demo_good(product: &'static DemoProduct, start: DateTime<Utc>) -> Result<Good> {
    let (eur, usd): (Currency, Currency) = (super::currency("EUR")?, super::currency("USD")?);
    let mut variants = Vec::with_capacity(product.variants.len());
    for variant in &product.variants {
        let compare_at = variant.compare_at_eur.as_deref().map(|text| money(text, eur)).transpose()?;
        let value = |option: &super::DemoOption| variant.options.get(&option.name).cloned().unwrap_or_default();
        variants.push(GoodVariant {
            values: product.options.iter().map(value).collect(),
            sku: variant.sku.clone(),
            eur: money(&variant.price_eur, eur)?.minor,
            compare_at: compare_at.map(|money| money.minor),
            usd: money(&variant.price_usd, usd)?.minor,
            stock: variant.stock,
            grams: variant.weight_grams,
        });
    }
    let gift = product.tags.iter().any(|tag| tag == "gift");
    Ok(Good {
        handle: product.handle.clone(),
        title: product.title.clone(),
        subtitle: Some(product.subtitle.clone()),
        description_html: product.description_html.clone(),
        vendor: product.vendor.clone(),
        product_type: &product.product_type,
        tags: product.tags.clone(),
        status: ProductStatus::Published,
        launched: start - FILLED,
        season: if gift { Season::Gifts } else { Season::Always },
        picture: product.handle.clone(),
        options: product.options.iter().map(|option| option.name.clone()).collect(),
        variants,
    })
}

fn invented(place: usize, start: DateTime<Utc>, until: DateTime<Utc>) -> Good {
    let mut dice = Dice::of(GOODS, place);
    let noun = &NOUNS[place % NOUNS.len()];
    let material = *dice.pick(noun.materials);
    let series = format!("{}{}", dice.pick(&SERIES.0), dice.pick(&SERIES.1));
    let status = match dice.below(100) {
        0..=2 => ProductStatus::Draft,
        3..=4 => ProductStatus::Archived,
        _ => ProductStatus::Published,
    };
    // Most are there from the beginning, the others come by and by.
    let launched = match dice.chance(70) {
        true => start - FILLED + TimeDelta::minutes(dice.between(0, 40 * 24 * 60)),
        false => start + TimeDelta::minutes(dice.between(0, (until - start).num_minutes() * 9 / 10)),
    };
    let title = format!("{series} {material} {}", noun.name);
    let mut tags: Vec<String> = vec![material.to_lowercase(), noun.product_type.to_lowercase()];
    tags.extend(noun.season.tag().map(str::to_owned));
    if dice.chance(12) {
        tags.push("handmade".to_owned());
    }
    let (options, variants) = variants(&mut dice, place, noun);
    let kind = noun.name.to_lowercase();
    let description_html = format!(
        "<p>A {kind} of the {series} series, made of {}. It was drawn for small rooms and long use.</p><p>{}</p>",
        material.to_lowercase(),
        dice.pick(&[
            "Each piece is looked over by hand before it leaves the workshop.",
            "It comes in a plain box that can be sent back.",
            "Spare parts are kept for ten years.",
            "Wipe it with a damp cloth; it needs nothing else.",
        ])
    );
    Good {
        handle: format!("{}-{place}", title.to_lowercase().replace(' ', "-")),
        title,
        subtitle: dice.chance(60).then(|| format!("{material}, {} g", noun.grams)),
        description_html,
        vendor: (*dice.pick(&VENDORS)).to_owned(),
        product_type: noun.product_type,
        tags,
        status,
        launched,
        season: noun.season,
        picture: noun.picture.to_owned(),
        options,
        variants,
    }
}

/// The options of a kind with the combinations that are made of it.
fn variants(dice: &mut Dice, place: usize, noun: &super::word::Noun) -> (Vec<String>, Vec<GoodVariant>) {
    // A half of what could have choices has none: single pieces.
    let single = dice.chance(45);
    let colors: Vec<&str> = match noun.colored && !single {
        true => {
            let first = dice.below(COLORS.len());
            (0..2 + dice.below(2)).map(|step| COLORS[(first + step * 3) % COLORS.len()]).collect()
        }
        false => Vec::new(),
    };
    let sizes: &[&str] = if single { &[] } else { noun.sizes };
    let mut options = Vec::new();
    let mut combinations: Vec<Vec<String>> = vec![Vec::new()];
    for (name, values) in [("Color", colors.as_slice()), ("Size", sizes)] {
        if !values.is_empty() {
            options.push(name.to_owned());
            let with = |before: &Vec<String>| -> Vec<Vec<String>> {
                let before = before.clone();
                values.iter().map(|value| [before.as_slice(), &[(*value).to_owned()]].concat()).collect()
            };
            combinations = combinations.iter().flat_map(with).collect();
        }
    }
    let base = dice.between(noun.euros.0, noun.euros.1) * 100 + 90;
    let reduced = dice.chance(12);
    let several = combinations.len() > 1;
    let made = combinations.into_iter().enumerate().map(|(at, values)| {
        // Larger ones cost more.
        let size = values.last().and_then(|value| sizes.iter().position(|size| size == value)).unwrap_or(0) as i64;
        let eur = base + base * size / 400 * 100;
        let stock = match dice.below(100) {
            0..=8 => 0,
            9..=20 => dice.between(1, 3),
            _ => dice.between(4, 120),
        };
        GoodVariant {
            values,
            sku: if several { format!("G{place:06}-{}", at + 1) } else { format!("G{place:06}") },
            eur,
            compare_at: reduced.then_some(eur + eur / 500 * 100 + 100),
            usd: eur * 11 / 1000 * 100 + 50,
            stock: stock as i32,
            grams: (noun.grams + noun.grams * size / 4) as i32,
        }
    });
    let made = made.collect();
    (options, made)
}
