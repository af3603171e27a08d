//! Carts and promotions of every kind, at random.

use std::collections::HashMap;

use domain::collection::PriceRange;
use domain::id::{CampaignId, ProductId, PromotionId, ShippingOptionId, VariantId};
use domain::money::Currency;
use domain::promotion::campaign::{Budget, Campaign, Spent};
use domain::promotion::compiled::Compiled;
use domain::promotion::condition::{CartTest, Conditions, ItemTest, Items, Tree, Weekday};
use domain::promotion::facts::{
    BuyerFacts, ChargeFacts, Counts, EnteredCode, Facts, GiftFacts, ItemFacts, KnownCode, LineFacts, LocalTime, Uses,
};
use domain::promotion::offer::{
    Amount, Amounts, BuyGet, FixedAllocation, Gift, Offer, Reduction, Target, Tier, TierStart,
};
use domain::promotion::outcome::{AdjustedRow, Outcome};
use domain::promotion::{Limits, Promotion, PromotionClass, PromotionMethod, PromotionStatus};
use domain::rule::Attributes;
use proptest::prelude::*;
use uuid::Uuid;

const NOW: i64 = 1_000;
const CURRENCIES: [&str; 3] = ["JPY", "EUR", "BHD"];

pub fn uuid(number: u32) -> Uuid {
    Uuid::from_u128(number.into())
}

/// The same in every currency: what is tried are figures, not rates of exchange.
fn amounts(amount_minor: i64) -> Amounts {
    let amount = |code: &str| Amount { currency: code.parse().unwrap(), amount_minor };
    Amounts(CURRENCIES.iter().map(|code| amount(code)).collect())
}

fn items() -> impl Strategy<Value = Items> {
    let product = |number| Tree::Is(ItemTest::Product(vec![ProductId(uuid(number))]));
    prop_oneof![
        2 => Just(Items::default()),
        2 => (0..4_u32).prop_map(product),
        1 => (0..4_u32).prop_map(move |number| Tree::Not(Box::new(product(number)))),
        1 => (0..4_u32, 0..4_u32).prop_map(move |(one, other)| Tree::Any(vec![product(one), product(other)])),
        1 => (1..5).prop_map(|least| Tree::Is(ItemTest::Quantity { at_least: Some(least), at_most: None })),
    ]
}

fn minor() -> impl Strategy<Value = i64> {
    prop_oneof![0..10_i64, 0..5_000_i64, 0..200_000_i64]
}

fn reductions(whole: bool) -> impl Strategy<Value = Reduction> {
    let allocation = if whole { Just(FixedAllocation::Once).boxed() } else { sample(FixedAllocation::ALL).boxed() };
    let most = prop_oneof![2 => Just(Amounts::default()), 1 => (1..5_000_i64).prop_map(amounts)];
    prop_oneof![
        3 => (1..=1_000_000_i32, most).prop_map(|(rate_ppm, at_most)| Reduction::Percentage { rate_ppm, at_most }),
        2 => (minor(), allocation)
            .prop_map(|(minor, allocation)| Reduction::Fixed { amounts: amounts(minor.max(1)), allocation }),
        1 => minor().prop_map(move |minor| match whole {
            true => Reduction::Free,
            false => Reduction::FixedPrice { amounts: amounts(minor) },
        }),
        1 => Just(Reduction::Free),
    ]
}

fn sample<T: Copy + std::fmt::Debug + 'static>(all: &'static [T]) -> impl Strategy<Value = T> {
    prop::sample::select(all)
}

fn tiers(whole: bool) -> impl Strategy<Value = Vec<Tier>> {
    let by_spend = prop::collection::vec((1..100_000_i64, reductions(whole)), 1..4).prop_map(|mut tiers| {
        tiers.sort_by_key(|(from, _)| *from);
        let tier = |(from, reduction)| Tier { from: TierStart::Spend(amounts(from)), reduction };
        tiers.into_iter().map(tier).collect::<Vec<_>>()
    });
    let by_quantity = prop::collection::vec((1..12_i32, reductions(whole)), 1..4).prop_map(|mut tiers| {
        tiers.sort_by_key(|(from, _)| *from);
        let tier = |(from, reduction)| Tier { from: TierStart::Quantity(from), reduction };
        tiers.into_iter().map(tier).collect::<Vec<_>>()
    });
    prop_oneof![by_spend, by_quantity]
}

fn bundles() -> impl Strategy<Value = BuyGet> {
    let times = prop::option::of(1..4);
    (items(), 1..4, items(), 1..4, reductions(false), times, any::<bool>()).prop_map(
        |(buy, buy_quantity, get, get_quantity, reduction, at_most_times, gives_dearest)| BuyGet {
            buy,
            buy_quantity,
            get,
            get_quantity,
            reduction,
            at_most_times,
            gives_dearest,
        },
    )
}

fn offers() -> impl Strategy<Value = Offer> {
    let target = |target, reduction| Offer::Reduce { target, reduction };
    let shipping = || Target::Shipping(Vec::new());
    prop_oneof![
        4 => (items(), reductions(false)).prop_map(move |(items, reduction)| target(Target::Items(items), reduction)),
        3 => reductions(true).prop_map(move |reduction| target(Target::Order, reduction)),
        2 => reductions(false).prop_map(move |reduction| target(shipping(), reduction)),
        1 => (items(), tiers(false)).prop_map(|(items, tiers)| Offer::Tiers { target: Target::Items(items), tiers }),
        1 => tiers(true).prop_map(|tiers| Offer::Tiers { target: Target::Order, tiers }),
        4 => bundles().prop_map(Offer::BuyGet),
        1 => (1..3).prop_map(|quantity| Offer::Gifts(vec![Gift { variant: VariantId(uuid(70)), quantity }])),
    ]
}

fn tests() -> impl Strategy<Value = Tree<CartTest>> {
    let range = |(low, high): (Option<i64>, Option<i64>)| {
        let range = |code: &&str| PriceRange { currency: code.parse().unwrap(), at_least: low, at_most: high };
        CURRENCIES.iter().map(range).collect::<Vec<_>>()
    };
    let bounds = (prop::option::of(0..100_000_i64), prop::option::of(0..200_000_i64));
    let test = prop_oneof![
        4 => (items(), bounds).prop_map(move |(of, bounds)| CartTest::Spend { of, ranges: range(bounds) }),
        1 => (items(), 0..8).prop_map(|(of, least)| CartTest::Quantity { of, at_least: Some(least), at_most: None }),
        1 => any::<bool>().prop_map(CartTest::SignedIn),
    ];
    test.prop_map(Tree::Is).prop_recursive(2, 4, 2, |part| {
        prop_oneof![
            prop::collection::vec(part.clone(), 0..3).prop_map(Tree::All),
            prop::collection::vec(part.clone(), 1..3).prop_map(Tree::Any),
            part.prop_map(|part| Tree::Not(Box::new(part))),
        ]
    })
}

fn promotions() -> impl Strategy<Value = Vec<Promotion>> {
    let classes = prop::sample::subsequence(PromotionClass::ALL.to_vec(), 0..=3);
    let classes = prop_oneof![2 => Just(PromotionClass::ALL.to_vec()), 1 => classes];
    let frame = (-2..3_i32, 0..4_i64, prop::bool::weighted(0.1), classes, any::<bool>(), prop::bool::weighted(0.3));
    let conditions = prop_oneof![1 => Just(Tree::default()), 1 => tests()];
    let limits = (prop::option::weighted(0.2, 1..4_i64), prop::option::weighted(0.2, 1..4_i64));
    let one = (frame, conditions, offers(), limits).prop_map(|(frame, conditions, offer, limits)| {
        let (priority, created_at, exclusive, combines_with, automatic, in_campaign) = frame;
        Promotion {
            id: PromotionId(uuid(0)),
            title: "A promotion".to_owned(),
            method: if automatic { PromotionMethod::Automatic } else { PromotionMethod::Code },
            status: PromotionStatus::Active,
            priority,
            created_at,
            starts_at: None,
            ends_at: None,
            campaign: in_campaign.then_some(CampaignId(uuid(1))),
            exclusive,
            combines_with,
            limits: Limits { in_all: limits.0, per_customer: limits.1, per_code: None },
            conditions: Conditions(conditions),
            offer,
        }
    });
    prop::collection::vec(one, 1..9).prop_map(|mut all| {
        all.iter_mut().zip(1..).for_each(|(one, number)| one.id = PromotionId(uuid(number)));
        all
    })
}

/// Units of a product that has one variant.
pub fn line(position: i32, product: u32, quantity: i32, unit_price_minor: i64) -> LineFacts {
    let item = ItemFacts {
        variant: VariantId(uuid(product)),
        product: ProductId(uuid(product)),
        product_type: None,
        tags: Vec::new(),
        collections: Vec::new(),
        categories: Vec::new(),
        metafields: Vec::new(),
        on_sale: false,
        unit_price_minor,
        discountable: true,
        gift_card: false,
    };
    LineFacts { position, quantity, gift_of: None, item }
}

fn lines() -> impl Strategy<Value = Vec<LineFacts>> {
    let some = (0..4_u32, 1..12_i32, minor(), prop::bool::weighted(0.1), prop::bool::weighted(0.05));
    let some = some.prop_map(|(product, quantity, unit_price_minor, fixed, gift_card)| {
        let mut line = line(0, product, quantity, unit_price_minor);
        (line.item.discountable, line.item.gift_card) = (!fixed, gift_card);
        line
    });
    prop::collection::vec(some, 0..7).prop_map(|mut lines| {
        lines.iter_mut().zip(1..).for_each(|(line, position)| line.position = position);
        lines
    })
}

/// A cart with everything that is asked about it.
#[derive(Debug, Clone)]
pub struct Case {
    pub currency: Currency,
    pub promotions: Vec<Promotion>,
    pub campaign: Campaign,
    pub lines: Vec<LineFacts>,
    pub charges: Vec<ChargeFacts>,
    pub ships: bool,
    pub codes: Vec<EnteredCode>,
    pub counts: Counts,
}

pub fn cases() -> impl Strategy<Value = Case> {
    let budget = prop_oneof![
        (1..100_000_i64).prop_map(|minor| Budget::Spend(amounts(minor))),
        (1..5_i64).prop_map(Budget::Uses),
    ];
    let charges = prop::collection::vec(0..2_000_i64, 0..3);
    let used = prop::collection::vec((0..4_i64, prop::option::of(0..4_i64)), 9);
    let rest = (budget, 0..60_000_i64, 0..3_i64, charges, prop::bool::weighted(0.9), used);
    let gifts = prop::option::weighted(0.3, 1..9_u32);
    (sample(&CURRENCIES), promotions(), lines(), rest, gifts).prop_map(|(code, promotions, mut lines, rest, gift)| {
        let (budget, spent, uses, charges, ships, used) = rest;
        if let (Some(of), Some(line)) = (gift, lines.last_mut()) {
            line.gift_of = Some(PromotionId(uuid(of)));
            line.item.variant = VariantId(uuid(70));
        }
        let charge = |(amount_minor, position): (i64, i32)| ChargeFacts {
            position,
            option: ShippingOptionId(uuid(1)),
            amount_minor,
        };
        let code_of = |(promotion, position): (&Promotion, i32)| EnteredCode {
            position,
            code: format!("CODE{position}"),
            known: Some(KnownCode { promotion: promotion.id, uses: 0, ends_at: None }),
        };
        let used = promotions.iter().zip(used);
        let uses_of = used.map(|(one, (in_all, by_buyer))| (one.id, Uses { in_all, by_buyer })).collect();
        let id = CampaignId(uuid(1));
        let spent = Spent { uses, amount_minor: spent };
        Case {
            currency: code.parse().unwrap(),
            campaign: Campaign { id, title: "A".to_owned(), starts_at: None, ends_at: None, budget: Some(budget) },
            charges: if ships { charges.into_iter().zip(1..).map(charge).collect() } else { Vec::new() },
            codes: promotions.iter().zip(1..).map(code_of).collect(),
            counts: Counts { promotions: uses_of, campaigns: HashMap::from([(id, spent)]) },
            ships,
            lines,
            promotions,
        }
    })
}

impl Case {
    pub fn compiled(&self) -> Compiled {
        Compiled::new(self.promotions.iter().cloned(), [self.campaign.clone()])
    }

    pub fn ask(&self) -> Outcome {
        self.ask_in(&self.compiled())
    }

    pub fn ask_in(&self, compiled: &Compiled) -> Outcome {
        let attributes = Attributes::new();
        compiled.apply(&Facts {
            buyer: BuyerFacts {
                currency: self.currency,
                now: NOW,
                local: LocalTime { weekday: Weekday::Monday, minute: 0 },
                attributes: &attributes,
                place: None,
                orders: None,
            },
            lines: &self.lines,
            charges: &self.charges,
            ships: self.ships,
            codes: &self.codes,
            gifts: &[GiftFacts { variant: VariantId(uuid(70)), unit_price_minor: 500 }],
            counts: &self.counts,
        })
    }

    pub fn of(&self, id: PromotionId) -> &Promotion {
        self.promotions.iter().find(|one| one.id == id).unwrap()
    }

    /// What each row came to before, by row.
    pub fn bases(&self) -> HashMap<AdjustedRow, i64> {
        let line = |line: &LineFacts| {
            (AdjustedRow::Line(line.position), line.item.unit_price_minor * i64::from(line.quantity))
        };
        let charge = |charge: &ChargeFacts| (AdjustedRow::Charge(charge.position), charge.amount_minor);
        self.lines.iter().map(line).chain(self.charges.iter().map(charge)).collect()
    }
}
