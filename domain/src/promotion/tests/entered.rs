//! Codes, limits and budgets.

use super::*;
use crate::promotion::campaign::Spent;
use crate::promotion::facts::Uses;

fn coded(number: u128, rate: i32) -> Promotion {
    promotion(number, off(Target::Order, percent(rate))).by_code()
}

fn verdicts(outcome: &Outcome) -> Vec<&'static str> {
    outcome.codes.iter().map(|answer| answer.verdict.as_str()).collect()
}

#[test]
fn every_code_is_answered() {
    let promotions = [
        coded(1, 10),
        coded(2, 10).when(Tree::Is(spend(9_000))),
        Promotion { ends_at: Some(NOW), ..coded(3, 10) },
        Promotion { status: PromotionStatus::Draft, ..coded(4, 10) },
        Promotion { starts_at: Some(NOW + 1), ..coded(5, 10) },
        coded(6, 10).alone(),
        Promotion { limits: Limits { per_code: Some(1), ..Limits::default() }, ..coded(7, 10) },
        promotion(8, off(Target::Items(product(9)), percent(10))).by_code(),
        promotion(9, off(Target::Shipping(vec![]), Reduction::Free)).by_code(),
        promotion(10, off(Target::Order, percent(1))),
    ];
    let mut buyer = cart("EUR", &[(1, 1_000)]).with_code("NOBODY", None);
    for number in 1..=10 {
        buyer = buyer.with_code(&format!("CODE{number}"), Some(number));
    }
    buyer = buyer.with_code("AGAIN", Some(1));
    buyer.codes[7].known.as_mut().unwrap().uses = 1;
    let outcome = buyer.ask(&promotions);
    let expected = [
        "UNKNOWN",
        "APPLIED",
        "CONDITION_UNMET",
        "EXPIRED",
        "UNKNOWN",
        "UNKNOWN",
        "NOT_COMBINABLE",
        "LIMIT_REACHED",
        "NOTHING_TO_DISCOUNT",
        "WAITING",
        "UNKNOWN",
        "ALREADY_ENTERED",
    ];
    assert_eq!(verdicts(&outcome), expected);
    assert_eq!(given(&outcome), [1, 10]);
    let [_, applied, unmet, _, draft, _, kept_out, ..] = &outcome.codes[..] else { panic!() };
    assert_eq!((applied.amount_minor, applied.promotion), (100, Some(promotion_id(1))));
    assert_eq!(unmet.why.as_ref().and_then(|why| why.test), Some("spend"));
    assert_eq!(draft.promotion, None);
    assert_eq!(kept_out.why.as_ref().and_then(|why| why.with), Some(promotion_id(1)));
    assert_eq!(outcome.adjustments[0].code.as_deref(), Some("CODE1"));
    // Nobody entered it: it is not even looked at.
    assert_eq!(cart("EUR", &[(1, 1_000)]).ask(&promotions[..9]).not_applied, []);
}

#[test]
fn a_code_ends_before_its_promotion_and_the_next_one_takes_its_place() {
    let mut buyer = cart("EUR", &[(1, 1_000)]).with_code("OLD", Some(1)).with_code("NEW", Some(1));
    buyer.codes[0].known.as_mut().unwrap().ends_at = Some(NOW);
    let outcome = buyer.ask(&[coded(1, 10)]);
    assert_eq!(verdicts(&outcome), ["EXPIRED", "APPLIED"]);
    buyer.codes[0].known.as_mut().unwrap().ends_at = Some(NOW + 1);
    assert_eq!(verdicts(&buyer.ask(&[coded(1, 10)])), ["APPLIED", "ALREADY_ENTERED"]);
    // Positions count, not the order of the list.
    buyer.codes.reverse();
    assert_eq!(buyer.ask(&[coded(1, 10)]).adjustments[0].code.as_deref(), Some("OLD"));
}

#[test]
fn limits_hold_in_all_and_for_each_buyer() {
    let limited = |in_all, per_customer| {
        let limits = Limits { in_all, per_customer, per_code: None };
        Promotion { limits, ..promotion(1, off(Target::Order, percent(10))) }
    };
    let asked = |limited: Promotion, in_all, by_buyer| {
        let mut buyer = cart("EUR", &[(1, 1_000)]);
        buyer.counts.promotions.insert(promotion_id(1), Uses { in_all, by_buyer });
        why(&buyer.ask(&[limited]), 1)
    };
    assert_eq!(asked(limited(Some(10), None), 9, Some(9)), "");
    assert_eq!(asked(limited(Some(10), None), 10, None), "LIMIT_REACHED");
    assert_eq!(asked(limited(None, Some(1)), 10, Some(0)), "");
    assert_eq!(asked(limited(None, Some(1)), 10, Some(1)), "CUSTOMER_LIMIT_REACHED");
    // Who buys is not known yet.
    assert_eq!(asked(limited(None, Some(1)), 10, None), "");
    assert_eq!(cart("EUR", &[(1, 1_000)]).ask(&[limited(Some(1), Some(1))]).discount(), 100);
}

#[test]
fn a_budget_pays_whole_or_not_at_all() {
    let summer = campaign(Budget::Spend(amounts(&[("EUR", 1_000)])));
    let promotions = [1, 2].map(|number| promotion(number, off(Target::Order, percent(10))).within(&summer));
    let asked = |code, spent| {
        let mut buyer = cart(code, &[(1, 5_000)]);
        buyer.counts.campaigns.insert(summer.id, Spent { uses: 1, amount_minor: spent });
        buyer.ask_with(&promotions, &summer)
    };
    let paid = |outcome: &Outcome| outcome.applied.iter().map(|applied| applied.spent_minor).collect::<Vec<_>>();
    assert_eq!(paid(&asked("EUR", 0)), [500, 450]);
    // What is left pays the first one, and not the second.
    let outcome = asked("EUR", 100);
    assert_eq!((paid(&outcome), why(&outcome, 2)), (vec![500], "BUDGET_SPENT"));
    assert_eq!(paid(&asked("EUR", 600)), [0; 0]);
    assert_eq!(paid(&asked("EUR", 500)), [500]);
    assert_eq!(why(&asked("USD", 0), 1), "BUDGET_CURRENCY");
    let budget = summer.budget.clone().unwrap();
    assert_eq!(budget.left(Spent { uses: 0, amount_minor: 1_200 }, currency("EUR")), Some(0));
}

#[test]
fn each_promotion_of_a_campaign_is_a_use() {
    let summer = campaign(Budget::Uses(10));
    let promotions = [1, 2].map(|number| promotion(number, off(Target::Order, percent(10))).within(&summer));
    let asked = |uses| {
        let mut buyer = cart("EUR", &[(1, 5_000)]);
        buyer.counts.campaigns.insert(summer.id, Spent { uses, amount_minor: 0 });
        given(&buyer.ask_with(&promotions, &summer))
    };
    assert_eq!([8, 9, 10].map(asked), [vec![1, 2], vec![1], vec![]]);
}
