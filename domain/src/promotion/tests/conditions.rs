//! When promotions count, and what staff may enter.

use super::*;
use crate::id::{CategoryId, CollectionId, CustomerId, MetafieldDefinitionId, ProductTypeId, TagId};
use crate::metafield::{MetafieldType, Value};
use crate::promotion::PromotionState;
use crate::promotion::condition::MetafieldTest;
use crate::promotion::hint::{Hint, HintCode, NeverReason, hints, hints_of};
use crate::promotion::offer::{BuyGet, Gift, Tier, TierStart};
use crate::promotion::simulation::Trial;
use crate::rule::{Rule, RuleOperator};
use crate::text::CountryCode;

fn tenth() -> Promotion {
    promotion(1, off(everything(), percent(10)))
}

fn counts(cart: &Cart, test: CartTest) -> bool {
    !cart.ask(&[tenth().when(Tree::Is(test))]).applied.is_empty()
}

fn rule(name: &str, value: &str) -> CartTest {
    CartTest::Buyer(Rule { attribute: name.to_owned(), operator: RuleOperator::Eq, values: vec![value.to_owned()] })
}

#[test]
fn each_test_of_a_cart_asks_what_it_says() {
    let mut buyer = cart("EUR", &[(2, 1_000), (3, 500)]);
    buyer.attributes = Attributes::new().with("channel", "web").with("customer", CustomerId(uuid(1)));
    let germany: CountryCode = "DE".parse().unwrap();
    buyer.place = Some(Place::of_country(&germany));
    let area = |code: &str| crate::address::area::Area::of_country(code.parse().unwrap());
    assert!(counts(&buyer, rule("channel", "web")) && !counts(&buyer, rule("channel", "app")));
    let both = vec![currency("JPY"), currency("EUR")];
    assert!(counts(&buyer, CartTest::Currency(both)) && !counts(&buyer, CartTest::Currency(vec![currency("JPY")])));
    assert!(
        counts(&buyer, CartTest::Address(vec![area("DE")])) && !counts(&buyer, CartTest::Address(vec![area("AT")]))
    );
    assert!(counts(&buyer, CartTest::SignedIn(true)) && !counts(&buyer, CartTest::SignedIn(false)));
    let first = |orders| {
        let buyer = Cart { orders, ..buyer.clone() };
        [true, false].map(|wanted| counts(&buyer, CartTest::FirstOrder(wanted)))
    };
    assert_eq!([None, Some(0), Some(1)].map(first), [[false, false], [true, false], [false, true]]);
    let day = |day| counts(&buyer, CartTest::Weekday(vec![day, Weekday::Sunday]));
    assert!(day(Weekday::Monday) && !day(Weekday::Tuesday));
    let time = |from, until| counts(&buyer, CartTest::TimeOfDay { from, until });
    assert!(time(600, 601) && !time(0, 600) && !time(601, 1_440));
    // Past midnight.
    assert!(time(1_320, 601) && !time(1_320, 600));
    let units = |of, at_least, at_most| counts(&buyer, CartTest::Quantity { of, at_least, at_most });
    assert!(units(Items::default(), Some(5), Some(5)) && !units(product(2), Some(4), None));
    let rows =
        |at_least| counts(&buyer, CartTest::Lines { of: Items::default(), at_least: Some(at_least), at_most: None });
    assert!(rows(2) && !rows(3));
    assert!(counts(&buyer, spend(3_500)) && !counts(&buyer, spend(3_501)));
    assert!(!counts(&cart("USD", &[(1, 9_900)]), spend(1)));
}

#[test]
fn each_test_of_an_item_asks_what_it_says() {
    let mut buyer = cart("EUR", &[(2, 1_000), (3, 500)]);
    let field = MetafieldDefinitionId(uuid(8));
    let key = |text: &str| Value::parse(MetafieldType::Decimal, text).unwrap().keys().remove(0);
    let item = &mut buyer.lines[0].item;
    item.collections = vec![CollectionId(uuid(1))];
    item.categories = vec![CategoryId(uuid(1)), CategoryId(uuid(2))];
    (item.tags, item.product_type, item.on_sale) = (vec![TagId(uuid(1))], Some(ProductTypeId(uuid(1))), true);
    item.metafields = vec![(field, key("1.5"))];
    let metafield = |operator, values: &[&str]| {
        let values = values.iter().map(ToString::to_string).collect();
        ItemTest::Metafield(MetafieldTest { definition: field, kind: MetafieldType::Decimal, operator, values })
    };
    let range = |low, high| PriceRange { currency: currency("EUR"), at_least: low, at_most: high };
    let tests = [
        ItemTest::Product(vec![ProductId(uuid(1)), ProductId(uuid(9))]),
        ItemTest::Variant(vec![VariantId(uuid(1))]),
        ItemTest::Collection(vec![CollectionId(uuid(1))]),
        ItemTest::Category(vec![CategoryId(uuid(2))]),
        ItemTest::Tag(vec![TagId(uuid(1))]),
        ItemTest::ProductType(vec![ProductTypeId(uuid(1))]),
        ItemTest::OnSale(true),
        ItemTest::UnitPrice(vec![range(Some(1_000), None)]),
        ItemTest::Quantity { at_least: None, at_most: Some(2) },
        metafield(RuleOperator::Eq, &["1.50"]),
        metafield(RuleOperator::In, &["3", "1.5"]),
        metafield(RuleOperator::Gte, &["1.5"]),
        metafield(RuleOperator::Lt, &["1.6"]),
    ];
    for test in tests {
        let of = Target::Items(Tree::Is(test.clone()));
        assert_eq!(off_lines(&buyer, &buyer.ask(&[promotion(1, off(of, percent(10)))])), [200, 0], "{test:?}");
        let others = Target::Items(Tree::Not(Box::new(Tree::Is(test))));
        assert_eq!(off_lines(&buyer, &buyer.ask(&[promotion(1, off(others, percent(10)))])), [0, 150]);
    }
    let unequal = Target::Items(Tree::Is(metafield(RuleOperator::Ne, &["1.5"])));
    assert_eq!(off_lines(&buyer, &buyer.ask(&[promotion(1, off(unequal, percent(10)))])), [0, 150]);
}

#[test]
fn and_or_and_not_find_the_fault() {
    let buyer = cart("EUR", &[(1, 1_000)]);
    let (met, unmet) = (Tree::Is(spend(1)), Tree::Is(spend(5_000)));
    let holds = |tree| given(&buyer.ask(&[tenth().when(tree)])) == [1];
    assert!(holds(Tree::All(vec![])) && !holds(Tree::Any(vec![])));
    assert!(holds(Tree::Any(vec![unmet.clone(), met.clone()])) && !holds(Tree::All(vec![unmet.clone(), met.clone()])));
    assert!(holds(Tree::Not(Box::new(unmet.clone()))) && !holds(Tree::Not(Box::new(met.clone()))));
    let tree = Tree::All(vec![met, Tree::All(vec![unmet])]);
    let outcome = buyer.ask(&[tenth().when(tree)]);
    let why = outcome.why_not(promotion_id(1)).unwrap();
    assert_eq!((why.condition.join("."), why.test), ("all.1.all.0.is".to_owned(), Some("spend")));
    assert_eq!(why.message(buyer.currency), "A condition is not met: spend: 40.00 EUR more must be spent.");
}

#[test]
fn what_is_missing_to_free_shipping_is_told_when_nothing_else_is() {
    let free = |number, tree| promotion(number, off(Target::Shipping(vec![]), Reduction::Free)).when(tree);
    let buyer = cart("EUR", &[(1, 4_000)]);
    let missing = |tree| buyer.ask(&[free(1, tree)]).missing_to_free_shipping();
    assert_eq!(missing(Tree::Is(spend(5_000))), Some(1_000));
    assert_eq!(missing(Tree::Any(vec![Tree::Is(spend(9_000)), Tree::Is(spend(4_500))])), Some(500));
    assert_eq!(missing(Tree::All(vec![Tree::Is(spend(5_000)), Tree::Is(CartTest::SignedIn(true))])), None);
    assert_eq!(missing(Tree::All(vec![Tree::Is(spend(5_000)), Tree::Is(CartTest::SignedIn(false))])), Some(1_000));
    assert_eq!(missing(Tree::Is(spend(4_000))), None);
    // What others take off is not spent.
    let promotions = [tenth(), free(2, Tree::Is(spend(4_000)))];
    assert_eq!(buyer.ask(&promotions).missing_to_free_shipping(), Some(400));
    let digital = Cart { ships: false, ..buyer };
    let outcome = digital.ask(&promotions);
    assert_eq!((why(&outcome, 2), outcome.missing_to_free_shipping()), ("NOTHING_SHIPPED", None));
}

#[test]
fn a_promotion_runs_within_its_own_window_and_its_campaign_s() {
    let summer = Campaign { starts_at: Some(10), ends_at: Some(20), ..campaign(Budget::Uses(1)) };
    let timed = Promotion { starts_at: Some(5), ends_at: Some(30), ..tenth() };
    let states = |of: Option<&Campaign>| [4, 5, 10, 20, 30].map(|now| timed.state(of, now).as_str());
    assert_eq!(states(None), ["SCHEDULED", "ACTIVE", "ACTIVE", "ACTIVE", "EXPIRED"]);
    assert_eq!(states(Some(&summer)), ["SCHEDULED", "SCHEDULED", "ACTIVE", "EXPIRED", "EXPIRED"]);
    let state = |status| Promotion { status, ..timed.clone() }.state(None, 6);
    assert_eq!(state(PromotionStatus::Paused), PromotionState::Paused);
    assert_eq!(state(PromotionStatus::Draft), PromotionState::Draft);
}

/// The code and the path of each refusal.
fn faults(promotion: Promotion) -> Vec<String> {
    let refused = promotion.check().err().unwrap_or_default();
    refused.iter().map(|refusal| format!("{} {}", refusal.code, refusal.path.join("."))).collect()
}

#[test]
fn everything_that_cannot_be_is_refused_in_its_place() {
    let wrong = Promotion {
        title: " ".to_owned(),
        priority: i32::MAX,
        starts_at: Some(5),
        ends_at: Some(5),
        limits: Limits { in_all: Some(0), per_customer: Some(1), per_code: Some(1) },
        combines_with: vec![PromotionClass::Item, PromotionClass::Item],
        ..tenth()
    };
    let of_frame = ["REQUIRED title", "INVALID priority", "INVALID endsAt", "INVALID limits.inAll"];
    assert_eq!(faults(wrong), [&of_frame[..], &["INVALID limits.perCode", "DUPLICATE combinesWith.1"]].concat());
    let conditions = Tree::All(vec![
        Tree::Any(vec![]),
        Tree::Is(rule("shoe size", "44")),
        Tree::Is(CartTest::TimeOfDay { from: -1, until: -1 }),
        Tree::Is(CartTest::Quantity { of: Tree::Is(ItemTest::Tag(vec![])), at_least: Some(5), at_most: Some(4) }),
        Tree::Not(Box::new(Tree::Is(CartTest::Weekday(vec![Weekday::Friday, Weekday::Friday])))),
    ]);
    let expected = [
        "REQUIRED conditions.all.0.any",
        "INVALID conditions.all.1.is.buyer.attribute",
        "INVALID conditions.all.2.is.timeOfDay.from",
        "INVALID conditions.all.2.is.timeOfDay.until",
        "INVALID conditions.all.2.is.timeOfDay.until",
        "INVALID conditions.all.3.is.quantity.atMost",
        "REQUIRED conditions.all.3.is.quantity.of.is.tag",
        "DUPLICATE conditions.all.4.not.is.weekday.1",
    ];
    assert_eq!(faults(tenth().when(conditions)), expected);
    let deep = (0..5).fold(Tree::Is(spend(1)), |tree, _| Tree::Not(Box::new(tree)));
    assert_eq!(faults(tenth().when(deep)), ["TOO_MANY conditions.not.not.not.not.not"]);
    assert_eq!(faults(tenth().when(Tree::All(vec![Tree::Is(spend(1)); 51]))), ["TOO_MANY conditions"]);
}

#[test]
fn offers_that_cannot_be_are_refused_in_their_place() {
    let refused = |offer| faults(promotion(1, offer));
    assert_eq!(refused(off(everything(), percent(101))), ["INVALID offer.reduce.reduction.percentage.ratePpm"]);
    let each = fixed("EUR", 0, FixedAllocation::EachUnit);
    let expected = ["fixed.amounts.0", "fixed.allocation"].map(|at| format!("INVALID offer.reduce.reduction.{at}"));
    assert_eq!(refused(off(Target::Order, each)), expected);
    let price = Reduction::FixedPrice { amounts: amounts(&[]) };
    let expected = ["REQUIRED offer.reduce.reduction.fixedPrice.amounts", "INVALID offer.reduce.reduction.fixedPrice"];
    assert_eq!(refused(off(Target::Order, price)), expected);
    let tier = |from, rate| Tier { from, reduction: percent(rate) };
    let euros = |minor| TierStart::Spend(amounts(&[("EUR", minor)]));
    let tiers = vec![tier(euros(100), 10), tier(euros(100), 0), tier(TierStart::Quantity(2), 5)];
    let expected =
        ["1.from", "2.from", "1.reduction.percentage.ratePpm"].map(|at| format!("INVALID offer.tiers.tiers.{at}"));
    assert_eq!(refused(Offer::Tiers { target: Target::Order, tiers }), expected);
    let bundle = BuyGet {
        buy: Items::default(),
        buy_quantity: 0,
        get: Tree::Any(vec![]),
        get_quantity: 1,
        reduction: fixed("EUR", 1, FixedAllocation::EachLine),
        at_most_times: Some(0),
        gives_dearest: false,
    };
    let expected = [
        "REQUIRED offer.buyGet.get.any",
        "INVALID offer.buyGet.buyQuantity",
        "INVALID offer.buyGet.atMostTimes",
        "INVALID offer.buyGet.reduction.fixed.allocation",
    ];
    assert_eq!(refused(Offer::BuyGet(bundle)), expected);
    let gift = |quantity| Gift { variant: VariantId(uuid(1)), quantity };
    let expected = ["QUANTITY_OUT_OF_RANGE offer.gifts.1.quantity", "DUPLICATE offer.gifts.1.variant"];
    assert_eq!(refused(Offer::Gifts(vec![gift(1), gift(0)])), expected);
    let budget = Campaign { title: String::new(), ..campaign(Budget::Spend(amounts(&[("EUR", 0)]))) };
    let told: Vec<_> = budget.check().unwrap_err().into_iter().map(|refusal| refusal.path.join(".")).collect();
    assert_eq!(told, ["title", "budget.spend.0"]);
}

#[test]
fn what_is_stored_comes_back() {
    let tree = Tree::All(vec![Tree::Is(spend(5_000)), Tree::Not(Box::new(Tree::Is(rule("channel", "web"))))]);
    let kept = serde_json::to_string(&Conditions(tree.clone())).unwrap();
    assert_eq!(serde_json::from_str::<Conditions>(&kept).unwrap().0, tree);
    let read: Conditions = serde_json::from_str(r#"{"is":{"quantity":{"atLeast":2}}}"#).unwrap();
    assert_eq!(read.0, Tree::Is(CartTest::Quantity { of: Items::default(), at_least: Some(2), at_most: None }));
    let offer = off(Target::Items(product(1)), fixed("EUR", 5, FixedAllocation::Once));
    let kept = serde_json::to_value(&offer).unwrap();
    assert_eq!(kept["reduce"]["reduction"]["fixed"]["allocation"], "ONCE");
    assert_eq!(kept["reduce"]["reduction"]["fixed"]["amounts"][0]["amountMinor"], 5);
    assert_eq!(serde_json::from_value::<Offer>(kept).unwrap(), offer);
    let outcome = cart("EUR", &[(1, 1_000)]).ask(&[tenth()]);
    let kept = serde_json::to_string(&outcome.adjustments).unwrap();
    assert_eq!(serde_json::from_str::<Vec<crate::promotion::outcome::Adjustment>>(&kept).unwrap(), outcome.adjustments);
}

#[test]
fn staff_are_told_what_can_never_count() {
    let told = |promotions: &[Promotion]| hints(promotions, &[campaign(Budget::Spend(amounts(&[("EUR", 1)])))], NOW);
    let never = |why| vec![Hint::Never { promotion: promotion_id(1), why, by: None }];
    let odd = Tree::All(vec![Tree::Is(rule("channel", "web")), Tree::Is(rule("channel", "app"))]);
    assert_eq!(told(&[tenth().when(odd)]), never(NeverReason::Conditions));
    // Somebody may be in two groups.
    let groups = Tree::All(vec![Tree::Is(rule("customerGroup", "a")), Tree::Is(rule("customerGroup", "b"))]);
    assert_eq!(told(&[tenth().when(groups)]), []);
    let none = Tree::All(vec![Tree::Is(spend(1)), Tree::Not(Box::new(Tree::Is(spend(1))))]);
    assert_eq!(told(&[tenth().when(none)]), never(NeverReason::Conditions));
    let any = |days: &[Weekday]| Tree::Any(days.iter().map(|day| Tree::Is(CartTest::Weekday(vec![*day]))).collect());
    let monday = Tree::Is(CartTest::Weekday(vec![Weekday::Monday]));
    let week = |days| Tree::All(vec![monday.clone(), any(days)]);
    assert_eq!(told(&[tenth().when(week(&[Weekday::Friday, Weekday::Sunday]))]), never(NeverReason::Conditions));
    assert_eq!(told(&[tenth().when(week(&[Weekday::Friday, Weekday::Monday]))]), []);
    let two = Target::Items(Tree::All(vec![product(1), product(2)]));
    assert_eq!(told(&[promotion(1, off(two, percent(10)))]), never(NeverReason::Items));
    let dollars = promotion(1, off(Target::Order, fixed("USD", 5, FixedAllocation::Once)));
    assert_eq!(told(&[dollars.clone().when(Tree::Is(spend(5)))]), never(NeverReason::Currency));
    assert_eq!(told(&[dollars.within(&campaign(Budget::Uses(1)))]), never(NeverReason::Currency));
    let over = Promotion { ends_at: Some(NOW), ..tenth() }.when(none_of_it());
    assert_eq!(told(&[over]), []);
}

fn none_of_it() -> Tree<CartTest> {
    Tree::All(vec![Tree::Is(CartTest::SignedIn(true)), Tree::Is(CartTest::SignedIn(false))])
}

#[test]
fn staff_are_told_who_keeps_out_whom() {
    let half = promotion(2, off(Target::Items(product(1)), percent(50)));
    let both = |one: Promotion, other: Promotion| {
        let all = [one, other];
        let told = hints(&all, &[], NOW);
        // Each of both is told what is said of it, and no more.
        for one in &all {
            assert_eq!(hints_of(one.id, &all, &[], NOW), told);
            let codes: Vec<HintCode> = told.iter().map(|hint| hint.code(one.id)).collect();
            let keeps = [HintCode::Stays, HintCode::KeepsOut];
            assert!(
                codes
                    .iter()
                    .all(|code| keeps.contains(code) == (one.rank() == all.iter().map(Promotion::rank).min().unwrap()))
            );
        }
        told
    };
    let kept_out = Hint::Never { promotion: promotion_id(2), why: NeverReason::KeptOut, by: Some(promotion_id(1)) };
    assert_eq!(both(half.clone(), tenth().alone()), [kept_out]);
    let exclude = [Hint::Exclude { stays: promotion_id(1), yields: promotion_id(2) }];
    assert_eq!(both(half.clone(), tenth().alone().when(Tree::Is(spend(1)))), exclude);
    assert_eq!(
        both(half.clone().alone().first(5), tenth()),
        [Hint::Exclude { stays: promotion_id(2), yields: promotion_id(1) }]
    );
    assert_eq!(both(half.clone(), tenth()), []);
    // Where nothing can be discounted shipping is free all the same.
    let free = promotion(2, off(Target::Shipping(vec![]), Reduction::Free));
    assert_eq!(both(free, tenth().alone()), exclude);
    // A code may keep out the one that keeps out, and let the other stand.
    let code = promotion(9, off(Target::Order, percent(5))).by_code().first(9);
    assert_eq!(hints(&[half.clone(), tenth().alone(), code], &[], NOW), exclude);
    let third = promotion(3, off(Target::Order, percent(1))).alone();
    let all = [half.clone(), tenth().alone().when(Tree::Is(spend(1))), third];
    let of_half = hints_of(promotion_id(2), &all, &[], NOW);
    assert_eq!(
        of_half.iter().map(|hint| hint.code(promotion_id(2))).collect::<Vec<_>>(),
        [HintCode::Yields, HintCode::Stays]
    );
    assert_eq!(
        of_half.iter().map(|hint| hint.other(promotion_id(2))).collect::<Vec<_>>(),
        [Some(promotion_id(1)), Some(promotion_id(3))]
    );
    assert_eq!(hints(&all, &[], NOW).len(), 3);
    // They never meet.
    let day = |day| Tree::Is(CartTest::Weekday(vec![day]));
    assert_eq!(both(half.clone().when(day(Weekday::Friday)), tenth().alone().when(day(Weekday::Monday))), []);
    let early = Promotion { ends_at: Some(NOW + 5), ..tenth().alone() };
    let late = Promotion { starts_at: Some(NOW + 5), ..half.clone() };
    assert_eq!(both(late, early), []);
    assert_eq!(both(half.by_code(), tenth().alone().when(Tree::Is(spend(1)))), []);
}

#[test]
fn a_draft_is_tried_as_if_it_counted() {
    let draft = Promotion { status: PromotionStatus::Draft, starts_at: Some(NOW + 9), ..tenth().by_code().alone() };
    let others = [promotion(2, off(Target::Order, percent(4))), draft.clone()];
    let trial = Trial::new(draft, &others, &[]);
    let buyer = cart("EUR", &[(1, 1_000)]);
    let facts_of = |compiled: &Compiled| buyer.ask_in(compiled).discount();
    assert_eq!(facts_of(&Compiled::new(others.clone(), [])), 40);
    let counts = Counts::default();
    let facts = Facts {
        buyer: BuyerFacts {
            currency: buyer.currency,
            now: NOW,
            local: buyer.local,
            attributes: &buyer.attributes,
            place: None,
            orders: None,
        },
        lines: &buyer.lines,
        charges: &[],
        ships: true,
        codes: &[],
        gifts: &[],
        counts: &counts,
    };
    let simulation = trial.run(&facts);
    assert_eq!((given(&simulation.with), simulation.cost_minor()), (vec![1], 60));
    assert_eq!(trial.why_not(&simulation), None);
}

#[test]
fn products_know_what_is_on_offer_for_them() {
    let buyer = cart("EUR", &[(1, 1_000)]);
    let facts = BuyerFacts {
        currency: buyer.currency,
        now: NOW,
        local: buyer.local,
        attributes: &buyer.attributes,
        place: None,
        orders: None,
    };
    let promotions = [
        promotion(1, off(Target::Items(product(1)), percent(10))).when(Tree::Is(spend(5_000))),
        promotion(2, off(Target::Items(product(2)), percent(10))),
        promotion(3, off(Target::Order, percent(10))).when(Tree::Is(CartTest::SignedIn(true))),
        promotion(4, off(Target::Order, percent(10))).by_code(),
        promotion(5, off(Target::Items(Tree::Is(ItemTest::Quantity { at_least: Some(3), at_most: None })), percent(5))),
        Promotion { status: PromotionStatus::Paused, ..promotion(6, off(Target::Order, percent(10))) },
        // Nobody knows yet where it goes, and whether it is the first one.
        promotion(7, off(Target::Order, percent(1))).when(Tree::Is(CartTest::FirstOrder(true))),
        promotion(8, off(Target::Order, percent(1))).when(Tree::Is(CartTest::Address(Vec::new()))),
        promotion(9, off(Target::Order, percent(1))).when(Tree::Is(rule("country", "DE"))),
        promotion(10, off(Target::Items(Tree::Is(ItemTest::OnSale(true))), percent(5))),
    ];
    let compiled = Compiled::new(promotions, []);
    let needs = compiled.offer_needs();
    assert_eq!((needs.prices, needs.orders, needs.variants, needs.tags), (true, true, false, false));
    let numbers =
        |item: &ItemFacts| compiled.on_offer(item, &facts).iter().map(|found| found.id.0.as_u128()).collect::<Vec<_>>();
    assert_eq!(numbers(&buyer.lines[0].item), [1, 5, 7, 8, 9]);
    let known = BuyerFacts { orders: Some(1), ..facts };
    let told: Vec<u128> =
        compiled.on_offer(&buyer.lines[0].item, &known).iter().map(|one| one.id.0.as_u128()).collect();
    assert_eq!(told, [1, 5, 8, 9]);
    assert_eq!(numbers(&ItemFacts { discountable: false, ..buyer.lines[0].item.clone() }), [0; 0]);
}
