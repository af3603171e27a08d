//! How long the promotions of a large cart take: computation alone, within this process.

use std::hint::black_box;

use domain::collection::PriceRange;
use domain::id::{ProductId, PromotionId, ShippingOptionId, VariantId};
use domain::money::Currency;
use domain::promotion::compiled::Compiled;
use domain::promotion::condition::{CartTest, Conditions, ItemTest, Items, Tree, Weekday};
use domain::promotion::facts::{BuyerFacts, ChargeFacts, Counts, Facts, ItemFacts, LineFacts, LocalTime};
use domain::promotion::offer::{Amounts, BuyGet, Offer, Reduction, Target};
use domain::promotion::{Limits, Promotion, PromotionClass, PromotionMethod, PromotionStatus};
use domain::rule::Attributes;
use tokio::time::Instant;
use uuid::Uuid;

use crate::Result;
use crate::table::Table;

/// Lines of the cart.
const LINES: i32 = 100;
/// Promotions that all come by themselves.
const PROMOTIONS: u32 = 200;
/// How long they may take, in milliseconds.
const TIME: f64 = 5.0;
/// How often they are worked out.
const TIMES: usize = 200;

/// Notes how long a cart takes under many promotions of all kinds, most of which give something.
pub fn price(table: &mut Table) -> Result<()> {
    let currency: Currency = "EUR".parse().map_err(|_| "no currency")?;
    let compiled = Compiled::new((0..PROMOTIONS).map(|number| promotion(number, currency)), []);
    let lines: Vec<LineFacts> = (0..LINES).map(line).collect();
    let charges = [ChargeFacts { position: 1, option: ShippingOptionId(Uuid::from_u128(1)), amount_minor: 590 }];
    let (attributes, counts) = (Attributes::new(), Counts::default());
    let facts = Facts {
        buyer: BuyerFacts {
            currency,
            now: 1_000_000,
            local: LocalTime { weekday: Weekday::Monday, minute: 0 },
            attributes: &attributes,
            place: None,
            orders: None,
        },
        lines: &lines,
        charges: &charges,
        ships: true,
        codes: &[],
        gifts: &[],
        counts: &counts,
    };
    let given = compiled.apply(&facts).applied.len();
    if given < PROMOTIONS as usize / 2 {
        return Err(format!("only {given} of {PROMOTIONS} promotions give something").into());
    }
    let mut took = Vec::with_capacity(TIMES);
    for _ in 0..TIMES {
        let start = Instant::now();
        black_box(compiled.apply(black_box(&facts)));
        took.push(start.elapsed().as_secs_f64() * 1_000.0);
    }
    let median = crate::table::quantile(&took, 0.5);
    table.note("100 lines under 200 promotions", "ms", Some(TIME), median);
    Ok(())
}

fn line(position: i32) -> LineFacts {
    let number = position as u128 * 2;
    LineFacts {
        position,
        quantity: 3,
        gift_of: None,
        item: ItemFacts {
            variant: VariantId(Uuid::from_u128(number)),
            product: ProductId(Uuid::from_u128(number)),
            product_type: None,
            tags: Vec::new(),
            collections: Vec::new(),
            categories: Vec::new(),
            metafields: Vec::new(),
            on_sale: false,
            unit_price_minor: 1_000 + i64::from(position),
            discountable: true,
            gift_card: false,
        },
    }
}

fn products(from: u32) -> Items {
    let ids = (from..from + 20).map(|number| ProductId(Uuid::from_u128(number.into())));
    Tree::Is(ItemTest::Product(ids.collect()))
}

/// Off the order, off items, off shipping, and items for others; some combine with nobody, so that who stays must be
/// decided.
fn promotion(number: u32, currency: Currency) -> Promotion {
    let hundredth = || Reduction::Percentage { rate_ppm: 10_000, at_most: Amounts::default() };
    let offer = match number % 5 {
        0 => Offer::Reduce { target: Target::Order, reduction: hundredth() },
        1 => Offer::BuyGet(BuyGet {
            buy: products(number),
            buy_quantity: 2,
            get: products(number + 10),
            get_quantity: 1,
            reduction: Reduction::Free,
            at_most_times: None,
            gives_dearest: false,
        }),
        2 => Offer::Reduce { target: Target::Shipping(Vec::new()), reduction: hundredth() },
        _ => Offer::Reduce { target: Target::Items(products(number)), reduction: hundredth() },
    };
    let alone = number % 40 == 39;
    let least = if alone { i64::MAX >> 11 } else { 100 };
    let range = PriceRange { currency, at_least: Some(least), at_most: None };
    Promotion {
        id: PromotionId(Uuid::from_u128(number.into())),
        title: "A promotion".to_owned(),
        method: PromotionMethod::Automatic,
        status: PromotionStatus::Active,
        priority: (number % 7) as i32,
        created_at: number.into(),
        starts_at: None,
        ends_at: None,
        campaign: None,
        exclusive: alone,
        combines_with: PromotionClass::ALL.to_vec(),
        limits: Limits::default(),
        conditions: Conditions(Tree::Is(CartTest::Spend { of: Items::default(), ranges: vec![range] })),
        offer,
    }
}
