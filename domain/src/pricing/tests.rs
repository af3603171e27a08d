use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::rule::{RuleOperator, attribute};

fn price(id: u128, amount_minor: i64) -> Candidate {
    Candidate {
        id: PriceId(Uuid::from_u128(id)),
        currency: "EUR".parse().unwrap(),
        amount_minor,
        includes_tax: false,
        compare_at_minor: None,
        min_quantity: None,
        max_quantity: None,
        list: None,
        rules: Rules::default(),
    }
}

fn listed(id: u128, amount_minor: i64, list: u128) -> Candidate {
    Candidate { list: Some(PriceListId(Uuid::from_u128(list))), ..price(id, amount_minor) }
}

fn list(id: u128, kind: PriceListKind, priority: i32) -> PriceList {
    PriceList {
        id: PriceListId(Uuid::from_u128(id)),
        kind,
        status: PriceListStatus::Active,
        starts_at: None,
        ends_at: None,
        priority,
        rules: Rules::default(),
    }
}

fn rule(attribute: &str, value: &str) -> Rule {
    Rule { attribute: attribute.to_owned(), operator: RuleOperator::Eq, values: vec![value.to_owned()] }
}

const NOBODY: &Attributes = &Attributes::new();

fn wants<'s>(quantity: i32, attributes: &'s Attributes, lists: &'s [PriceList]) -> Situation<'s> {
    Situation { currency: "EUR".parse().unwrap(), quantity, attributes, lists, now: 100, default_rate_ppm: 0 }
}

fn chosen(prices: &[Candidate], situation: &Situation<'_>) -> Option<u128> {
    choose(prices, situation).map(|choice| choice.price.id.0.as_u128())
}

#[test]
fn tiers_include_both_ends() {
    let tier = [Candidate { min_quantity: Some(5), max_quantity: Some(9), ..price(1, 100) }];
    assert_eq!(
        [4, 5, 9, 10].map(|quantity| chosen(&tier, &wants(quantity, NOBODY, &[]))),
        [None, Some(1), Some(1), None]
    );
}

#[test]
fn rules_beat_tiers_beat_amounts_beat_ids() {
    let buyer = Attributes::default().with(attribute::CUSTOMER_GROUP, "wholesale");
    let for_ten = wants(10, &buyer, &[]);
    let mut prices = vec![price(2, 100), price(1, 100), price(3, 101)];
    assert_eq!(chosen(&prices, &for_ten), Some(1));
    prices.push(Candidate { min_quantity: Some(5), ..price(4, 200) });
    assert_eq!(chosen(&prices, &for_ten), Some(4));
    prices.push(Candidate { rules: Rules(vec![rule(attribute::CUSTOMER_GROUP, "wholesale")]), ..price(5, 300) });
    assert_eq!(chosen(&prices, &for_ten), Some(5));
    assert_eq!(chosen(&prices, &wants(10, NOBODY, &[])), Some(4));
    assert_eq!(choose(&prices, &Situation { currency: "USD".parse().unwrap(), ..for_ten }), None);
}

#[test]
fn unlike_bases_are_compared_net() {
    let prices = [Candidate { includes_tax: true, ..price(1, 1180) }, price(2, 1000)];
    let at = |default_rate_ppm| chosen(&prices, &Situation { default_rate_ppm, ..wants(1, NOBODY, &[]) });
    assert_eq!((at(190_000), at(170_000)), (Some(1), Some(2)));
}

#[test]
fn a_sale_only_lowers_and_an_override_replaces() {
    let lists = [list(7, PriceListKind::Sale, 0), list(8, PriceListKind::Override, 0)];
    let of = |prices: &[Candidate]| chosen(prices, &wants(1, NOBODY, &lists));
    assert_eq!(of(&[price(1, 1000), listed(2, 900, 7)]), Some(2));
    assert_eq!(of(&[price(1, 1000), listed(2, 1000, 7)]), Some(1));
    assert_eq!(of(&[price(1, 1000), listed(3, 1200, 8)]), Some(3));
    assert_eq!(of(&[price(1, 1000), listed(3, 1200, 8), listed(2, 1100, 7)]), Some(2), "lower than the override");
    assert_eq!(of(&[listed(2, 900, 7)]), Some(2), "a sale needs no base price");
}

#[test]
fn the_list_of_higher_priority_counts() {
    let lists = [list(7, PriceListKind::Sale, 1), list(8, PriceListKind::Override, 5), list(9, PriceListKind::Sale, 9)];
    let of = |prices: &[Candidate]| chosen(prices, &wants(1, NOBODY, &lists));
    let prices = [price(1, 1000), listed(2, 500, 7), listed(3, 800, 8)];
    assert_eq!(of(&prices), Some(3), "an override that ranks first is not touched by a sale");
    assert_eq!(of(&[price(1, 1000), listed(3, 800, 8), listed(4, 700, 9)]), Some(4));
    assert_eq!(of(&[price(1, 1000), listed(3, 800, 8), listed(4, 900, 9)]), Some(3), "not lower than the override");
    assert_eq!(of(&[price(1, 1000), listed(2, 500, 7), listed(4, 900, 9)]), Some(4));
}

#[test]
fn a_list_counts_from_its_start_until_before_its_end_and_for_whom_it_is() {
    let at = |starts_at, ends_at, status| {
        let lists = [PriceList { starts_at, ends_at, status, ..list(7, PriceListKind::Sale, 0) }];
        (lists[0].state(100), chosen(&[listed(2, 900, 7)], &wants(1, NOBODY, &lists)))
    };
    assert_eq!(at(Some(100), Some(101), PriceListStatus::Active), (PriceListState::Running, Some(2)));
    assert_eq!(at(Some(101), None, PriceListStatus::Active), (PriceListState::Scheduled, None));
    assert_eq!(at(None, Some(100), PriceListStatus::Active), (PriceListState::Ended, None));
    assert_eq!(at(None, None, PriceListStatus::Draft), (PriceListState::Draft, None));

    let lists =
        [PriceList { rules: Rules(vec![rule(attribute::REGION, "de")]), ..list(7, PriceListKind::Override, 0) }];
    let prices = [price(1, 1000), listed(2, 900, 7)];
    let from = |region| {
        let buyer = Attributes::default().with(attribute::REGION, region);
        chosen(&prices, &wants(1, &buyer, &lists))
    };
    assert_eq!((from("de"), from("fr")), (Some(2), Some(1)));
}

#[test]
fn what_a_list_replaces_is_struck_through_in_the_same_basis() {
    let lists = [list(7, PriceListKind::Sale, 0)];
    let struck = |base: Candidate, sale: Candidate| {
        let prices = [base, sale];
        let situation = Situation { default_rate_ppm: 190_000, ..wants(1, NOBODY, &lists) };
        choose(&prices, &situation).unwrap().compare_at(&situation)
    };
    let gross = |price: Candidate| Candidate { includes_tax: true, ..price };
    assert_eq!(struck(price(1, 1000), listed(2, 900, 7)), Some(1000));
    assert_eq!(struck(price(1, 1000), gross(listed(2, 1000, 7))), Some(1190));
    assert_eq!(struck(gross(price(1, 1190)), listed(2, 900, 7)), Some(1000));
    let compared = Candidate { compare_at_minor: Some(1500), ..price(1, 1000) };
    assert_eq!(struck(compared.clone(), listed(2, 900, 7)), Some(1500));
    let entered = Candidate { compare_at_minor: Some(1100), ..listed(2, 900, 7) };
    assert_eq!(struck(compared, entered), Some(1100));
    assert_eq!(struck(price(1, 800), listed(2, 900, 7)), None);
}

#[test]
fn a_lower_price_is_not_struck_through() {
    let struck = |compare_at_minor| {
        let prices = [Candidate { compare_at_minor, ..price(1, 100) }];
        let situation = wants(1, NOBODY, &[]);
        choose(&prices, &situation).unwrap().compare_at(&situation)
    };
    assert_eq!([None, Some(99), Some(100), Some(101)].map(struck), [None, None, None, Some(101)]);
}

#[test]
fn every_price_says_what_became_of_it() {
    let ended = PriceList { ends_at: Some(50), ..list(8, PriceListKind::Override, 3) };
    let group =
        PriceList { rules: Rules(vec![rule(attribute::CUSTOMER_GROUP, "w")]), ..list(9, PriceListKind::Override, 2) };
    let lists = [list(7, PriceListKind::Sale, 0), ended, group];
    let prices = [
        listed(6, 100, 9),
        listed(5, 100, 8),
        Candidate { min_quantity: Some(10), ..price(4, 800) },
        price(3, 1100),
        listed(2, 1000, 7),
        price(1, 1000),
    ];
    let told: Vec<_> = explain(&prices, &wants(1, NOBODY, &lists))
        .into_iter()
        .map(|one| (one.price.id.0.as_u128(), one.verdict, one.unmet.map(|rule| rule.attribute.as_str())))
        .collect();
    assert_eq!(
        told,
        [
            (1, PriceVerdict::Chosen, None),
            (2, PriceVerdict::NotLower, None),
            (3, PriceVerdict::Outranked, None),
            (5, PriceVerdict::ListEnded, None),
            (6, PriceVerdict::ListRuleUnmet, Some("customerGroup")),
            (4, PriceVerdict::OtherQuantity, None),
        ]
    );
}

/// Amount, number of rules, tier, list, whether it includes tax.
type Figures = (i64, usize, Option<i32>, Option<u8>, bool);

fn prices() -> impl Strategy<Value = Vec<Candidate>> {
    let figures = (0..4_i64, 0..3_usize, prop::option::of(1..4_i32), prop::option::of(0..3_u8), any::<bool>());
    prop::collection::vec(figures, 0..10).prop_map(|figures| {
        let make = |(figures, id): (Figures, u128)| {
            let (amount, rules, min_quantity, list, includes_tax) = figures;
            Candidate {
                rules: Rules(vec![rule(attribute::REGION, "de"); rules]),
                min_quantity,
                list: list.map(|id: u8| PriceListId(Uuid::from_u128(id.into()))),
                includes_tax,
                ..price(id, amount)
            }
        };
        figures.into_iter().zip(1..).map(make).collect()
    })
}

fn lists() -> impl Strategy<Value = Vec<PriceList>> {
    prop::collection::vec((any::<bool>(), -1..2_i32), 3).prop_map(|figures| {
        let kind = |over| if over { PriceListKind::Override } else { PriceListKind::Sale };
        figures.into_iter().zip(0..).map(|((over, priority), id)| list(id, kind(over), priority)).collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10_000))]

    #[test]
    fn order_does_not_matter(mut prices in prices(), lists in lists(), turn in 0..10_usize) {
        let buyer = Attributes::default().with(attribute::REGION, "de");
        let situation = Situation { default_rate_ppm: 190_000, ..wants(2, &buyer, &lists) };
        let before = chosen(&prices, &situation);
        let length = prices.len().max(1);
        prices.rotate_left(turn % length);
        prop_assert_eq!(chosen(&prices, &situation), before);
        prices.reverse();
        prop_assert_eq!(chosen(&prices, &situation), before);
    }

    #[test]
    fn the_explanation_tells_the_choice(prices in prices(), lists in lists()) {
        let buyer = Attributes::default().with(attribute::REGION, "de");
        let situation = wants(2, &buyer, &lists);
        let told = explain(&prices, &situation);
        prop_assert_eq!(told.len(), prices.len());
        let said: Vec<_> = told.iter().filter(|one| one.verdict == PriceVerdict::Chosen).map(|one| one.price.id).collect();
        prop_assert_eq!(said, choose(&prices, &situation).map(|choice| choice.price.id).into_iter().collect::<Vec<_>>());
    }

    #[test]
    fn a_sale_never_raises_a_price(prices in prices(), lists in lists()) {
        let buyer = Attributes::default().with(attribute::REGION, "de");
        let situation = wants(2, &buyer, &lists);
        let without: Vec<PriceList> = lists.iter().filter(|list| list.kind != PriceListKind::Sale).cloned().collect();
        let plain = Situation { lists: &without, ..situation };
        if let (Some(with), Some(without)) = (choose(&prices, &situation), choose(&prices, &plain)) {
            prop_assert!(situation.weight(with.price) <= situation.weight(without.price));
        }
    }
}
