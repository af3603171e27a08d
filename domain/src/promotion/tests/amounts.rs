//! What each kind of offer comes to, to the minor unit.

use super::*;
use crate::promotion::offer::{BuyGet, Gift, Tier, TierStart};
use crate::promotion::outcome::{Gap, GivenGift};

/// What one promotion takes off each line.
fn one(cart: &Cart, offer: Offer) -> Vec<i64> {
    off_lines(cart, &cart.ask(&[promotion(1, offer)]))
}

#[test]
fn a_percentage_is_rounded_on_each_line() {
    let euros = cart("EUR", &[(1, 1_999), (3, 333), (1, 5)]);
    assert_eq!(one(&euros, off(everything(), percent(10))), [200, 100, 1]);
    assert_eq!(one(&euros, off(Target::Items(product(2)), percent(10))), [0, 100, 0]);
    assert_eq!(one(&cart("JPY", &[(3, 105)]), off(everything(), percent(15))), [47]);
    assert_eq!(one(&cart("BHD", &[(1, 12_345)]), off(everything(), percent(10))), [1_235]);
    let eighth = Reduction::Percentage { rate_ppm: 125_000, at_most: Amounts::default() };
    assert_eq!(one(&cart("BHD", &[(1, 1_004)]), off(everything(), eighth)), [126]);
    let outcome = euros.ask(&[promotion(1, off(everything(), percent(10)))]);
    assert_eq!(outcome.adjustments[0].message(currency("EUR")), "10 % of 19.99 EUR is 2.00 EUR.");
}

#[test]
fn a_percentage_may_have_a_most() {
    let capped = |code, most| Reduction::Percentage { rate_ppm: 500_000, at_most: amounts(&[(code, most)]) };
    let euros = cart("EUR", &[(1, 2_000), (1, 1_000)]);
    assert_eq!(one(&euros, off(everything(), capped("EUR", 1_000))), [667, 333]);
    assert_eq!(one(&euros, off(everything(), capped("EUR", 1_500))), [1_000, 500]);
    assert_eq!(one(&euros, off(everything(), capped("USD", 1))), [1_000, 500]);
    assert_eq!(one(&euros, off(Target::Order, capped("EUR", 1_000))), [667, 333]);
}

#[test]
fn a_fixed_amount_comes_off_as_often_as_it_says() {
    let euros = cart("EUR", &[(3, 1_000), (1, 300)]);
    let each = |allocation| one(&euros, off(everything(), fixed("EUR", 500, allocation)));
    assert_eq!(each(FixedAllocation::EachUnit), [1_500, 300]);
    assert_eq!(each(FixedAllocation::EachLine), [500, 300]);
    assert_eq!(each(FixedAllocation::Once), [455, 45]);
    let yen = cart("JPY", &[(1, 100), (1, 100), (1, 100)]);
    assert_eq!(one(&yen, off(everything(), fixed("JPY", 100, FixedAllocation::Once))), [34, 33, 33]);
    let dinars = cart("BHD", &[(2, 1_001)]);
    assert_eq!(one(&dinars, off(everything(), fixed("BHD", 5, FixedAllocation::EachUnit))), [10]);
    let outcome = euros.ask(&[promotion(1, off(everything(), fixed("USD", 500, FixedAllocation::Once)))]);
    assert_eq!(why(&outcome, 1), "CURRENCY_MISSING");
}

#[test]
fn an_order_discount_is_shared_by_largest_remainder() {
    let thirds = cart("EUR", &[(1, 100), (1, 100), (1, 100)]);
    assert_eq!(one(&thirds, off(Target::Order, percent(10))), [10, 10, 10]);
    assert_eq!(one(&thirds, off(Target::Order, fixed("EUR", 100, FixedAllocation::Once))), [34, 33, 33]);
    assert_eq!(one(&thirds, off(Target::Order, fixed("EUR", 1_000, FixedAllocation::Once))), [100, 100, 100]);
    // On the whole it is rounded once: 15 % of 9.99 is 1.50, line by line it would be 1.50 or more.
    assert_eq!(one(&cart("EUR", &[(1, 333), (1, 333), (1, 333)]), off(Target::Order, percent(15))), [50, 50, 50]);
    assert_eq!(one(&cart("JPY", &[(1, 3), (1, 3), (1, 3)]), off(Target::Order, percent(50))), [2, 2, 1]);
    assert_eq!(one(&cart("BHD", &[(1, 1), (1, 3)]), off(Target::Order, percent(50))), [1, 1]);
}

#[test]
fn a_fixed_price_raises_nothing() {
    let price = |code, minor| Reduction::FixedPrice { amounts: amounts(&[(code, minor)]) };
    let euros = cart("EUR", &[(3, 1_000), (1, 400)]);
    assert_eq!(one(&euros, off(everything(), price("EUR", 500))), [1_500, 0]);
    assert_eq!(one(&euros, off(everything(), price("EUR", 0))), [3_000, 400]);
    assert_eq!(one(&cart("JPY", &[(2, 980)]), off(everything(), price("JPY", 500))), [960]);
    assert_eq!(one(&cart("BHD", &[(2, 1_999)]), off(everything(), price("BHD", 999))), [2_000]);
    let outcome = euros.ask(&[promotion(1, off(everything(), price("EUR", 500)))]);
    let told = outcome.adjustments[0].message(currency("EUR"));
    assert_eq!(told, "3 units at 5.00 EUR each in place of 30.00 EUR: 15.00 EUR off.");
}

#[test]
fn shipping_is_free_or_cheaper() {
    let shipped = cart("EUR", &[(1, 1_000)]).with_charges(&[590, 1_200]);
    let charges = |offer| {
        let outcome = shipped.ask(&[promotion(1, offer)]);
        [1, 2].map(|position| outcome.discount_of(AdjustedRow::Charge(position)))
    };
    assert_eq!(charges(off(Target::Shipping(vec![]), Reduction::Free)), [590, 1_200]);
    assert_eq!(charges(off(Target::Shipping(vec![ShippingOptionId(uuid(2))]), Reduction::Free)), [0, 1_200]);
    assert_eq!(charges(off(Target::Shipping(vec![]), percent(50))), [295, 600]);
    let once = fixed("EUR", 1_000, FixedAllocation::Once);
    assert_eq!(charges(off(Target::Shipping(vec![]), once)), [330, 670]);
    let each = Reduction::FixedPrice { amounts: amounts(&[("EUR", 500)]) };
    assert_eq!(charges(off(Target::Shipping(vec![]), each)), [90, 700]);
}

fn tiers(target: Target, tiers: &[(i64, i32)]) -> Offer {
    let tier = |(from, rate): &(i64, i32)| Tier {
        from: TierStart::Spend(amounts(&[("EUR", *from)])),
        reduction: percent(*rate),
    };
    Offer::Tiers { target, tiers: tiers.iter().map(tier).collect() }
}

#[test]
fn the_highest_tier_that_is_reached_counts() {
    let steps = [promotion(1, tiers(Target::Order, &[(5_000, 10), (10_000, 20)]))];
    let asked = |price| cart("EUR", &[(1, price)]).ask(&steps);
    assert_eq!([4_999, 5_000, 9_999, 10_000].map(|price| asked(price).discount()), [0, 500, 1_000, 2_000]);
    let low = asked(4_000);
    assert_eq!(
        (why(&low, 1), low.missing[0].gap, low.missing[0].tier),
        ("TIER_NOT_REACHED", Gap::Spend(1_000), Some(0))
    );
    let middle = asked(7_000);
    assert_eq!(
        (middle.applied[0].tier, middle.missing[0].gap, middle.missing[0].tier),
        (Some(0), Gap::Spend(3_000), Some(1))
    );
    assert!(asked(10_000).missing.is_empty());
}

#[test]
fn tiers_go_by_quantity_too() {
    let tier = |from, rate| Tier { from: TierStart::Quantity(from), reduction: percent(rate) };
    let offer = Offer::Tiers { target: Target::Items(product(1)), tiers: vec![tier(3, 10), tier(5, 20)] };
    let asked = |quantity| cart("EUR", &[(quantity, 1_000), (9, 1_000)]).ask(&[promotion(1, offer.clone())]);
    assert_eq!([2, 3, 5].map(|quantity| asked(quantity).discount()), [0, 300, 1_000]);
    assert_eq!(asked(2).missing[0].gap, Gap::Units(1));
}

fn buy_get(buy: i32, get: i32) -> BuyGet {
    BuyGet {
        buy: Items::default(),
        buy_quantity: buy,
        get: Items::default(),
        get_quantity: get,
        reduction: Reduction::Free,
        at_most_times: None,
        gives_dearest: false,
    }
}

#[test]
fn two_are_bought_and_the_cheapest_third_is_free() {
    let free = |quantity| one(&cart("EUR", &[(quantity, 1_000)]), Offer::BuyGet(buy_get(2, 1)));
    assert_eq!([1, 2, 3, 5, 6, 9].map(|quantity| free(quantity)[0] / 1_000), [0, 0, 1, 1, 2, 3]);
    let mixed = cart("EUR", &[(1, 3_000), (1, 1_000), (1, 2_000)]);
    assert_eq!(one(&mixed, Offer::BuyGet(buy_get(2, 1))), [0, 1_000, 0]);
    assert_eq!(one(&mixed, Offer::BuyGet(BuyGet { gives_dearest: true, ..buy_get(2, 1) })), [3_000, 0, 0]);
    let twice = BuyGet { at_most_times: Some(2), ..buy_get(2, 1) };
    assert_eq!(one(&cart("EUR", &[(9, 1_000)]), Offer::BuyGet(twice)), [2_000]);
    let half = BuyGet { reduction: percent(50), ..buy_get(1, 1) };
    assert_eq!(one(&cart("JPY", &[(2, 333)]), Offer::BuyGet(half)), [167]);
    let less = BuyGet { reduction: fixed("BHD", 500, FixedAllocation::EachUnit), ..buy_get(1, 2) };
    assert_eq!(one(&cart("BHD", &[(3, 1_250)]), Offer::BuyGet(less)), [1_000]);
}

#[test]
fn what_is_bought_and_what_is_given_may_differ() {
    let offer = BuyGet { buy: product(1), get: product(2), ..buy_get(1, 1) };
    let asked = |lines: &[(i32, i64)]| cart("EUR", lines).ask(&[promotion(1, Offer::BuyGet(offer.clone()))]);
    assert_eq!(asked(&[(2, 5_000), (3, 700)]).discount(), 1_400);
    let outcome = asked(&[(0, 5_000), (3, 700)]);
    assert_eq!((why(&outcome, 1), outcome.missing[0].gap), ("TOO_FEW_BOUGHT", Gap::Units(1)));
    assert_eq!(why(&asked(&[(2, 5_000)]), 1), "NOTHING_TO_GIVE");
    // The dearer one would qualify first, but then nothing could be given: the other one does.
    let either = BuyGet { buy: Items::default(), get: product(1), ..buy_get(1, 1) };
    let outcome = cart("EUR", &[(1, 5_000), (1, 700)]).ask(&[promotion(1, Offer::BuyGet(either))]);
    assert_eq!((outcome.discount(), outcome.applied[0].bought.clone()), (5_000, vec![(2, 1)]));
}

#[test]
fn no_unit_counts_for_two_of_them() {
    let promotions = [promotion(1, Offer::BuyGet(buy_get(1, 1))), promotion(2, Offer::BuyGet(buy_get(2, 1)))];
    let asked = |quantity| {
        let outcome = cart("EUR", &[(quantity, 1_000)]).ask(&promotions);
        outcome.applied.iter().map(|applied| applied.amount_minor / 1_000).collect::<Vec<_>>()
    };
    // The first one leaves at most one unit over.
    assert_eq!(asked(5), [2]);
    let few = [promotion(1, Offer::BuyGet(BuyGet { at_most_times: Some(1), ..buy_get(1, 1) })), promotions[1].clone()];
    let outcome = cart("EUR", &[(5, 1_000)]).ask(&few);
    assert_eq!(outcome.applied.iter().map(|applied| applied.amount_minor).collect::<Vec<_>>(), [1_000, 1_000]);
}

#[test]
fn later_promotions_spare_what_is_free() {
    let free = Offer::BuyGet(buy_get(2, 1));
    let each = off(everything(), fixed("EUR", 300, FixedAllocation::EachUnit));
    let outcome = cart("EUR", &[(3, 1_000)]).ask(&[promotion(1, free), promotion(2, each)]);
    let told: Vec<_> = outcome.adjustments.iter().map(|one| (one.units, one.of_minor, one.amount_minor)).collect();
    assert_eq!(told, [(1, 1_000, 1_000), (2, 2_000, 600)]);
}

#[test]
fn a_gift_is_named_until_it_lies_in_the_cart_and_free_then() {
    let mug = VariantId(uuid(77));
    let offer = Offer::Gifts(vec![Gift { variant: mug, quantity: 1 }]);
    let promotions = [promotion(1, offer).when(Tree::Is(spend(5_000)))];
    let mut buyer = cart("EUR", &[(1, 6_000)]);
    assert_eq!(why(&buyer.ask(&promotions), 1), "GIFT_UNAVAILABLE");
    buyer.gifts = vec![GiftFacts { variant: mug, unit_price_minor: 900 }];
    let outcome = buyer.ask(&promotions);
    let gift = GivenGift { promotion: promotion_id(1), variant: mug, quantity: 1 };
    assert_eq!((outcome.gifts.as_slice(), outcome.discount(), outcome.applied[0].spent_minor), (&[gift][..], 0, 900));
    let mut line = buyer.lines[0].clone();
    (line.position, line.quantity, line.gift_of) = (2, 2, Some(promotion_id(1)));
    (line.item.variant, line.item.unit_price_minor) = (mug, 900);
    buyer.lines.push(line);
    // One of the two is a gift; the other one was put there by nobody's leave.
    assert_eq!(off_lines(&buyer, &buyer.ask(&promotions)), [0, 900]);
    // It counts for no condition and is reached by no other promotion.
    buyer.lines[0].item.unit_price_minor = 4_500;
    let outcome = buyer.ask(&[promotions[0].clone(), promotion(2, off(Target::Order, percent(10)))]);
    assert_eq!((off_lines(&buyer, &outcome), outcome.gifts.len()), (vec![450, 0], 0));
    assert_eq!(outcome.missing[0].gap, Gap::Spend(500));
}

#[test]
fn gift_cards_and_what_has_its_fixed_price_are_left_alone() {
    let mut buyer = cart("EUR", &[(1, 5_000), (1, 5_000), (1, 1_000)]);
    buyer.lines[0].item.gift_card = true;
    buyer.lines[1].item.discountable = false;
    for offer in [
        off(everything(), percent(10)),
        off(Target::Order, percent(10)),
        off(everything(), fixed("EUR", 100, FixedAllocation::EachUnit)),
        off(Target::Order, fixed("EUR", 100, FixedAllocation::Once)),
    ] {
        assert_eq!(one(&buyer, offer), [0, 0, 100]);
    }
    // What may not be discounted is bought all the same; a gift card is money, and no spending.
    let reached =
        |minor| given(&buyer.ask(&[promotion(1, off(Target::Order, percent(10))).when(Tree::Is(spend(minor)))]));
    assert_eq!((reached(6_000), reached(6_001)), (vec![1], vec![]));
    let pair = BuyGet { buy: Items::default(), get: Items::default(), ..buy_get(1, 1) };
    assert_eq!(one(&buyer, Offer::BuyGet(pair)), [0, 0, 1_000]);
    let alone = cart("EUR", &[]);
    assert_eq!(why(&alone.ask(&[promotion(1, off(Target::Order, percent(10)))]), 1), "NO_ITEM");
}
