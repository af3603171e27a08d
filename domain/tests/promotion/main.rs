//! What holds of promotions on every cart, and how long they take.

#![allow(clippy::unwrap_used)]

mod cart;
mod cost;

use std::collections::HashMap;

use domain::id::PromotionId;
use domain::money::divide_rounded;
use domain::promotion::PromotionMethod;
use domain::promotion::campaign::Budget;
use domain::promotion::facts::{ChargeFacts, LineFacts};
use domain::promotion::offer::{Offer, Reduction, Target};
use domain::promotion::outcome::{AdjustedRow, Arithmetic, CodeVerdict, Outcome, PromotionObstacle};
use domain::totals::{LineInput, Rate, ShippingInput, TaxRounding, TotalsInput, compute};
use proptest::prelude::*;
use proptest::test_runner::TestCaseError;

use cart::{Case, cases};

fn no_discount_is_above_its_base_and_every_sum_is_exact(case: &Case, outcome: &Outcome) -> Result<(), TestCaseError> {
    let mut left = case.bases();
    for one in &outcome.adjustments {
        prop_assert!(one.amount_minor > 0 && one.amount_minor <= one.of_minor, "{:?}", one);
        let row = left.get_mut(&one.row).unwrap();
        prop_assert!(one.of_minor <= *row, "{:?} of {}", one, row);
        *row -= one.amount_minor;
        prop_assert!(*row >= 0);
        if let AdjustedRow::Line(position) = one.row {
            let line = case.lines.iter().find(|line| line.position == position).unwrap();
            prop_assert!(line.item.discountable && !line.item.gift_card);
            prop_assert!(line.gift_of.is_none_or(|of| of == one.promotion));
            prop_assert!(one.units <= line.quantity.into());
        }
    }
    for applied in &outcome.applied {
        let own = outcome.adjustments.iter().filter(|one| one.promotion == applied.promotion);
        prop_assert_eq!(own.map(|one| one.amount_minor).sum::<i64>(), applied.amount_minor);
    }
    let rows: i64 = case.bases().keys().map(|row| outcome.discount_of(*row)).sum();
    prop_assert_eq!(rows, outcome.discount());
    Ok(())
}

fn the_calculator_takes_all_of_it(case: &Case, outcome: &Outcome) -> Result<(), TestCaseError> {
    let vat = || vec![Rate { code: "VAT".to_owned(), name: "VAT".to_owned(), rate_ppm: 190_000 }];
    let line = |line: &LineFacts| LineInput {
        position: line.position,
        quantity: line.quantity,
        unit_price_minor: line.item.unit_price_minor,
        includes_tax: line.position % 2 == 0,
        discount_minor: 0,
        rates: vat(),
        exempt: false,
    };
    let charge = |charge: &ChargeFacts| ShippingInput {
        position: charge.position,
        amount_minor: charge.amount_minor,
        includes_tax: true,
        discount_minor: 0,
        rates: vat(),
        exempt: false,
    };
    let mut input = TotalsInput {
        currency: case.currency,
        rounding: TaxRounding::Line,
        lines: case.lines.iter().map(line).collect(),
        shipping: case.charges.iter().map(charge).collect(),
    };
    outcome.enter(&mut input);
    let totals = compute(&input).unwrap();
    prop_assert_eq!(totals.discount_minor, outcome.discount());
    for row in &totals.lines {
        prop_assert_eq!(row.discount_minor, outcome.discount_of(AdjustedRow::Line(row.position)));
        prop_assert!(row.net_minor >= 0 && row.total_minor >= 0);
    }
    Ok(())
}

fn an_order_discount_is_rounded_once_and_shared_exactly(case: &Case, outcome: &Outcome) -> Result<(), TestCaseError> {
    let mut left = case.bases();
    for applied in &outcome.applied {
        let own: Vec<_> = outcome.adjustments.iter().filter(|one| one.promotion == applied.promotion).collect();
        if let Offer::Reduce { target: Target::Order, reduction } = &case.of(applied.promotion).offer {
            let reached = |line: &&LineFacts| line.item.discountable && !line.item.gift_card && line.gift_of.is_none();
            let rows = case.lines.iter().filter(reached).map(|line| AdjustedRow::Line(line.position));
            let over: i64 = rows.map(|row| left[&row]).sum();
            let whole = match reduction {
                Reduction::Percentage { rate_ppm, at_most } => {
                    let part = divide_rounded(i128::from(over) * i128::from(*rate_ppm), 1_000_000);
                    at_most.in_currency(case.currency).map_or(part, |most| part.min(most))
                }
                Reduction::Fixed { amounts, .. } => amounts.in_currency(case.currency).unwrap().min(over),
                _ => over,
            };
            prop_assert_eq!(applied.amount_minor, whole);
        }
        for one in own {
            if let Arithmetic::Shared { whole_minor, over_minor } = one.how {
                prop_assert_eq!(whole_minor, applied.amount_minor, "what is shared is what comes off");
                prop_assert!(one.of_minor <= over_minor);
            }
            *left.get_mut(&one.row).unwrap() -= one.amount_minor;
        }
    }
    Ok(())
}

fn no_unit_both_qualifies_and_is_given(case: &Case, outcome: &Outcome) -> Result<(), TestCaseError> {
    // Over all promotions of the kind together.
    let mut units: HashMap<i32, i64> = HashMap::new();
    for applied in &outcome.applied {
        let Offer::BuyGet(offer) = &case.of(applied.promotion).offer else { continue };
        let own = outcome.adjustments.iter().filter(|one| one.promotion == applied.promotion);
        let mut given = 0;
        for one in own {
            let AdjustedRow::Line(position) = one.row else { panic!("{one:?}") };
            *units.entry(position).or_default() += one.units;
            given += one.units;
        }
        let bought: i64 = applied.bought.iter().map(|(_, units)| units).sum();
        let times = bought / i64::from(offer.buy_quantity);
        prop_assert_eq!(bought % i64::from(offer.buy_quantity), 0);
        prop_assert!(times >= 1 && given <= times * i64::from(offer.get_quantity));
        prop_assert!(offer.at_most_times.is_none_or(|most| times <= most.into()));
        for (position, bought) in &applied.bought {
            *units.entry(*position).or_default() += bought;
        }
    }
    for line in &case.lines {
        prop_assert!(units.get(&line.position).copied().unwrap_or_default() <= line.quantity.into());
    }
    Ok(())
}

fn budgets_and_limits_hold(case: &Case, outcome: &Outcome) -> Result<(), TestCaseError> {
    let paid = outcome.applied.iter().filter(|applied| applied.campaign.is_some());
    let before = case.counts.campaigns[&case.campaign.id];
    let after = paid.clone().fold(before, |spent, applied| spent.and(applied.spent_minor));
    match case.campaign.budget.as_ref().unwrap() {
        _ if paid.count() == 0 => {}
        Budget::Spend(amounts) => prop_assert!(after.amount_minor <= amounts.in_currency(case.currency).unwrap()),
        Budget::Uses(most) => prop_assert!(after.uses <= *most),
    }
    for applied in &outcome.applied {
        let (limits, uses) = (case.of(applied.promotion).limits, case.counts.promotions[&applied.promotion]);
        prop_assert!(limits.in_all.is_none_or(|most| uses.in_all < most));
        prop_assert!(limits.per_customer.is_none_or(|most| uses.by_buyer.is_none_or(|uses| uses < most)));
        prop_assert!(applied.spent_minor >= applied.amount_minor);
        prop_assert!(applied.amount_minor > 0 || outcome.gifts.iter().any(|gift| gift.promotion == applied.promotion));
    }
    Ok(())
}

fn only_those_that_combine_stand_together(case: &Case, outcome: &Outcome) -> Result<(), TestCaseError> {
    let waits = outcome.not_applied.iter().filter(|(_, why)| why.obstacle == PromotionObstacle::DeliveryMissing);
    let applied = outcome.applied.iter().map(|applied| applied.promotion);
    let stand: Vec<PromotionId> = applied.chain(waits.map(|(id, _)| *id)).collect();
    for (place, one) in stand.iter().enumerate() {
        for other in &stand[..place] {
            prop_assert!(case.of(*one).combines(case.of(*other)));
        }
        prop_assert!(!case.of(*one).exclusive || stand.len() == 1);
    }
    for (id, why) in &outcome.not_applied {
        if why.obstacle == PromotionObstacle::NotCombinable {
            let with = why.with.unwrap();
            prop_assert!(stand.contains(&with), "{} is kept out by {}, which stands not", id, with);
            prop_assert!(!case.of(*id).combines(case.of(with)));
        }
    }
    Ok(())
}

fn every_promotion_and_every_code_is_answered_once(case: &Case, outcome: &Outcome) -> Result<(), TestCaseError> {
    let mut told: Vec<PromotionId> = outcome.applied.iter().map(|applied| applied.promotion).collect();
    told.extend(outcome.not_applied.iter().map(|(id, _)| *id));
    told.sort();
    prop_assert_eq!(told, case.promotions.iter().map(|one| one.id).collect::<Vec<_>>());
    for (answer, promotion) in outcome.codes.iter().zip(&case.promotions) {
        let gives = outcome.applied.iter().find(|applied| applied.promotion == promotion.id);
        if promotion.method == PromotionMethod::Automatic {
            prop_assert_eq!(answer.verdict, CodeVerdict::Unknown);
        } else {
            prop_assert_eq!(answer.verdict == CodeVerdict::Applied, gives.is_some());
            prop_assert_eq!(answer.amount_minor, gives.map_or(0, |applied| applied.amount_minor));
        }
    }
    Ok(())
}

fn shuffled<T>(mut list: Vec<T>, seed: u64) -> Vec<T> {
    let mut state = seed | 1;
    for place in (1..list.len()).rev() {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        list.swap(place, (state >> 33) as usize % (place + 1));
    }
    list
}

/// The same cart with every list in another order.
fn in_another_order(case: &Case, seed: u64) -> Case {
    Case {
        promotions: shuffled(case.promotions.clone(), seed),
        lines: shuffled(case.lines.clone(), seed),
        charges: shuffled(case.charges.clone(), seed),
        codes: shuffled(case.codes.clone(), seed),
        ..case.clone()
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10_000))]

    // One test for all of them: what takes its time is to think up carts.
    #[test]
    fn promotions_keep_their_promises(case in cases(), seed: u64) {
        let outcome = case.ask();
        no_discount_is_above_its_base_and_every_sum_is_exact(&case, &outcome)?;
        the_calculator_takes_all_of_it(&case, &outcome)?;
        an_order_discount_is_rounded_once_and_shared_exactly(&case, &outcome)?;
        no_unit_both_qualifies_and_is_given(&case, &outcome)?;
        budgets_and_limits_hold(&case, &outcome)?;
        only_those_that_combine_stand_together(&case, &outcome)?;
        every_promotion_and_every_code_is_answered_once(&case, &outcome)?;
        prop_assert_eq!(in_another_order(&case, seed).ask(), outcome, "the order of a list changed something");
    }
}
