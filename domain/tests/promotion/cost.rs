//! How long the promotions of a cart take.

use domain::collection::PriceRange;
use domain::id::{CampaignId, ProductId, PromotionId, ShippingOptionId};
use domain::promotion::campaign::Campaign;
use domain::promotion::condition::{CartTest, Conditions, ItemTest, Items, Tree};
use domain::promotion::facts::{ChargeFacts, Counts};
use domain::promotion::offer::{Amounts, BuyGet, Offer, Reduction, Target};
use domain::promotion::{Limits, Promotion, PromotionClass, PromotionMethod, PromotionStatus};

use crate::cart::{Case, line, uuid};

/// A cart of 100 lines under 200 active promotions of all kinds.
fn large() -> Case {
    let product =
        |number: u32| Tree::Is(ItemTest::Product((0..20).map(|next| ProductId(uuid(number + next))).collect()));
    let tenth = || Reduction::Percentage { rate_ppm: 10_000, at_most: Amounts::default() };
    let spend = |least: i64| {
        let range = PriceRange { currency: "EUR".parse().unwrap(), at_least: Some(least), at_most: None };
        Tree::Is(CartTest::Spend { of: Items::default(), ranges: vec![range] })
    };
    let offer = |number: u32| match number % 5 {
        0 => Offer::Reduce { target: Target::Order, reduction: tenth() },
        1 => Offer::BuyGet(BuyGet {
            buy: product(number),
            buy_quantity: 2,
            get: product(number + 10),
            get_quantity: 1,
            reduction: Reduction::Free,
            at_most_times: None,
            gives_dearest: false,
        }),
        2 => Offer::Reduce { target: Target::Shipping(Vec::new()), reduction: tenth() },
        _ => Offer::Reduce { target: Target::Items(product(number)), reduction: tenth() },
    };
    let one = |number: u32| Promotion {
        id: PromotionId(uuid(number)),
        title: "A promotion".to_owned(),
        method: PromotionMethod::Automatic,
        status: PromotionStatus::Active,
        priority: (number % 7) as i32,
        created_at: number.into(),
        starts_at: None,
        ends_at: None,
        campaign: None,
        // Some combine with nobody, so that who stays must be decided.
        exclusive: number % 40 == 39,
        combines_with: PromotionClass::ALL.to_vec(),
        limits: Limits::default(),
        conditions: Conditions(if number % 40 == 39 { spend(i64::MAX >> 11) } else { spend(100) }),
        offer: offer(number),
    };
    let line = |position: i32| line(position, position as u32 * 2, 3, 1_000 + i64::from(position));
    let charge = ChargeFacts { position: 1, option: ShippingOptionId(uuid(1)), amount_minor: 590 };
    Case {
        currency: "EUR".parse().unwrap(),
        promotions: (0..200).map(one).collect(),
        campaign: Campaign {
            id: CampaignId(uuid(1)),
            title: "A".to_owned(),
            starts_at: None,
            ends_at: None,
            budget: None,
        },
        lines: (0..100).map(line).collect(),
        charges: vec![charge],
        ships: true,
        codes: Vec::new(),
        counts: Counts::default(),
    }
}

/// 5 ms is the budget of a release build; one for tests gets forty times as much, beside
/// others that use the machine.
#[test]
fn a_large_cart_under_many_promotions_is_quick() {
    let case = large();
    let compiled = case.compiled();
    let timed = |_| {
        let start = std::time::Instant::now();
        let outcome = case.ask_in(&compiled);
        (start.elapsed(), outcome.applied.len())
    };
    // The quickest of some runs: others use the machine too.
    let (took, applied) = (0..20).map(timed).min().unwrap();
    println!("100 lines, 200 promotions of which {applied} give something: {took:?}");
    assert!(applied > 100);
    let budget = std::time::Duration::from_millis(if cfg!(debug_assertions) { 200 } else { 5 });
    assert!(took < budget, "{took:?}");
}
