//! Order, priority and who stands beside whom.

use super::*;
use crate::totals::{LineInput, ShippingInput, TaxRounding, TotalsInput, compute};

#[test]
fn lines_come_before_the_order_and_shipping_comes_last() {
    let buyer = cart("EUR", &[(1, 10_000)]).with_charges(&[500]);
    let promotions = [
        promotion(1, off(Target::Shipping(vec![]), percent(50))).first(9),
        promotion(2, off(Target::Order, percent(10))).first(5),
        promotion(3, off(everything(), percent(10))),
        promotion(4, off(everything(), fixed("EUR", 1_000, FixedAllocation::Once))).first(1),
    ];
    let outcome = buyer.ask(&promotions);
    assert_eq!(given(&outcome), [4, 3, 2, 1]);
    let told: Vec<_> = outcome.adjustments.iter().map(|one| (one.of_minor, one.amount_minor)).collect();
    assert_eq!(told, [(10_000, 1_000), (9_000, 900), (8_100, 810), (500, 250)]);
}

#[test]
fn conditions_see_what_the_ones_before_left() {
    let buyer = cart("EUR", &[(1, 10_000)]);
    let tenth = promotion(1, off(everything(), percent(10)));
    let whole = promotion(2, off(Target::Order, percent(10)));
    assert_eq!(given(&buyer.ask(&[tenth.clone(), whole.clone().when(Tree::Is(spend(9_000)))])), [1, 2]);
    let outcome = buyer.ask(&[tenth, whole.when(Tree::Is(spend(9_001)))]);
    assert_eq!((given(&outcome), why(&outcome, 2)), (vec![1], "CONDITION_UNMET"));
}

#[test]
fn an_exclusive_promotion_stands_alone_when_it_ranks_first() {
    let buyer = cart("EUR", &[(1, 10_000)]).with_charges(&[500]);
    let tenth = promotion(1, off(everything(), percent(10)));
    let alone = promotion(2, off(Target::Order, percent(20))).alone();
    let free = promotion(3, off(Target::Shipping(vec![]), Reduction::Free));
    let outcome = buyer.ask(&[tenth.clone(), alone.clone().first(1), free.clone()]);
    assert_eq!((given(&outcome), outcome.discount()), (vec![2], 2_000));
    assert_eq!(outcome.why_not(promotion_id(1)).and_then(|why| why.with), Some(promotion_id(2)));
    // Of equal priority the older one stays.
    let outcome = buyer.ask(&[tenth.clone(), alone.clone(), free.clone()]);
    assert_eq!((given(&outcome), why(&outcome, 2)), (vec![1, 3], "NOT_COMBINABLE"));
    // Where its condition isn't met it keeps out nobody.
    let outcome = buyer.ask(&[tenth, alone.first(1).when(Tree::Is(spend(20_000))), free]);
    assert_eq!((given(&outcome), why(&outcome, 2)), (vec![1, 3], "CONDITION_UNMET"));
}

#[test]
fn rank_decides_even_where_the_other_one_would_come_first() {
    // The line discount would take the cart below what the exclusive one asks for; that one ranks higher.
    let buyer = cart("EUR", &[(1, 10_000)]);
    let line = promotion(1, off(everything(), percent(10)));
    let alone = promotion(2, off(Target::Order, percent(20))).alone().first(1).when(Tree::Is(spend(9_500)));
    assert_eq!(given(&buyer.ask(&[line, alone])), [2]);
}

#[test]
fn nobody_is_kept_out_by_one_that_gives_nothing() {
    let buyer = cart("EUR", &[(1, 10_000)]);
    let with = |mut promotion: Promotion, classes: &[PromotionClass]| {
        promotion.combines_with = classes.to_vec();
        promotion
    };
    // The order discount ranks first and keeps the second one out; the line discount, which combines with both,
    // comes before it and takes the cart below its condition.
    let order = promotion(1, off(Target::Order, percent(20))).first(9).when(Tree::Is(spend(9_500)));
    let order = with(order, &[PromotionClass::Item]);
    let other = with(promotion(2, off(Target::Order, percent(5))).first(5), &[PromotionClass::Item]);
    let line = promotion(3, off(everything(), percent(10)));
    let outcome = buyer.ask(&[order, other, line]);
    assert_eq!((given(&outcome), why(&outcome, 1)), (vec![3, 2], "CONDITION_UNMET"));
}

#[test]
fn classes_combine_when_both_say_so() {
    let buyer = cart("EUR", &[(1, 10_000)]).with_charges(&[500]);
    let with = |mut promotion: Promotion, classes: &[PromotionClass]| {
        promotion.combines_with = classes.to_vec();
        promotion
    };
    let line = |classes: &[PromotionClass]| with(promotion(1, off(everything(), percent(10))), classes);
    let order = |classes: &[PromotionClass]| with(promotion(2, off(Target::Order, percent(10))), classes);
    let free = promotion(3, off(Target::Shipping(vec![]), Reduction::Free));
    use PromotionClass::{Item, Order, Shipping};
    let asked = |one, other| given(&buyer.ask(&[one, other, free.clone()]));
    assert_eq!(asked(line(&[Order, Shipping]), order(&[Item, Shipping])), [1, 2, 3]);
    assert_eq!(asked(line(&[Order, Shipping]), order(&[Shipping])), [1, 3]);
    assert_eq!(asked(line(&[Order]), order(&[Item, Shipping])), [1, 2]);
    assert_eq!(asked(line(&[]).first(-1), order(&[Shipping])), [2, 3]);
}

#[test]
fn what_waits_for_a_delivery_has_its_place() {
    let line = promotion(1, off(everything(), percent(10)));
    let free = promotion(2, off(Target::Shipping(vec![]), Reduction::Free)).alone().first(1);
    let promotions = [line, free];
    let buyer = cart("EUR", &[(1, 10_000)]);
    let outcome = buyer.ask(&promotions);
    assert_eq!((why(&outcome, 1), why(&outcome, 2)), ("NOT_COMBINABLE", "DELIVERY_MISSING"));
    assert_eq!(given(&buyer.clone().with_charges(&[500]).ask(&promotions)), [2]);
    // It is picked up, and there is nothing to be free.
    let outcome = buyer.clone().with_charges(&[0]).ask(&promotions);
    assert_eq!((given(&outcome), why(&outcome, 2)), (vec![1], "NOTHING_LEFT"));
    assert_eq!(given(&Cart { ships: false, ..buyer }.ask(&promotions)), [1]);
}

#[test]
fn the_calculator_takes_what_comes_out() {
    let buyer = cart("EUR", &[(1, 1_000), (2, 999)]).with_charges(&[590]);
    let promotions =
        [promotion(1, off(Target::Order, percent(15))), promotion(2, off(Target::Shipping(vec![]), Reduction::Free))];
    let outcome = buyer.ask(&promotions);
    let line = |line: &LineFacts| LineInput {
        position: line.position,
        quantity: line.quantity,
        unit_price_minor: line.item.unit_price_minor,
        includes_tax: true,
        discount_minor: 0,
        rates: Vec::new(),
        exempt: false,
    };
    let charge = ShippingInput {
        position: 1,
        amount_minor: 590,
        includes_tax: true,
        discount_minor: 0,
        rates: Vec::new(),
        exempt: false,
    };
    let mut input = TotalsInput {
        currency: buyer.currency,
        rounding: TaxRounding::Line,
        lines: buyer.lines.iter().map(line).collect(),
        shipping: vec![charge],
    };
    outcome.enter(&mut input);
    let totals = compute(&input).unwrap();
    assert_eq!((totals.discount_minor, totals.total_minor), (450 + 590, 2_548));
    assert_eq!(totals.discount_minor, outcome.discount());
    let told = outcome.adjustments[0].message(buyer.currency);
    assert_eq!(told, "1.50 EUR of 4.50 EUR off 29.98 EUR, for the 10.00 EUR that it holds of them.");
}
