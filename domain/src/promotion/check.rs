//! What staff may enter as a promotion.

use super::condition::{CartTest, ItemTest, Items, MetafieldTest, Tree};
use super::offer::{Amounts, BuyGet, FixedAllocation, Gift, Offer, Reduction, Target, Tier, TierStart};
use super::{Promotion, PromotionClass, PromotionMethod};
use crate::collection::{self, PriceRange};
use crate::metafield::Value;
use crate::money::MAX_MINOR;
use crate::pricing::check::MAX_PRIORITY;
use crate::refusal::{ErrorCode, Refusal, Refusals};
use crate::rule::{MAX_VALUES, RuleOperator, Rules};
use crate::text::title;

/// The most promotions of a shop that are neither drafts nor over: each is asked about every cart.
pub const MAX_RUNNING: usize = 500;
/// How deep conditions may be nested, and items: a lone test has depth 1.
pub const MAX_DEPTH: usize = 5;
/// The most tests of one promotion, conditions and items together.
pub const MAX_TESTS: usize = 50;
/// The most tiers.
pub const MAX_TIERS: usize = 20;
/// The most gifts.
pub const MAX_GIFTS: usize = 10;
/// The most currencies of one amount.
pub const MAX_AMOUNTS: usize = 100;
/// The highest limit, and the most units that an offer names.
pub const MAX_COUNT: i64 = 1_000_000_000;
/// Minutes of a day.
const DAY: i32 = 24 * 60;
/// All of it, in parts per million.
pub(super) const WHOLE: i32 = 1_000_000;

/// A place in the input, outermost first.
#[derive(Debug, Clone)]
pub(super) struct Places(Vec<String>);

impl Places {
    pub(super) fn of(steps: &[&str]) -> Self {
        Self(steps.iter().map(ToString::to_string).collect())
    }

    /// A place within it.
    pub(super) fn then(&self, step: impl ToString) -> Self {
        Self(self.0.iter().cloned().chain([step.to_string()]).collect())
    }

    fn refuse(&self, code: ErrorCode, message: impl Into<String>) -> Refusal {
        Refusal::new(code, message).at(self.0.iter().map(String::as_str))
    }

    fn invalid(&self, message: impl Into<String>) -> Refusal {
        self.refuse(ErrorCode::Invalid, message)
    }
}

impl Promotion {
    /// Trims it and refuses what can't be, everything at once.
    pub fn check(mut self) -> Result<Self, Vec<Refusal>> {
        let mut refusals = Refusals::default();
        if let Some(title) = refusals.keep(title(&self.title).map_err(|refusal| refusal.at(["title"]))) {
            self.title = title;
        }
        if !(-MAX_PRIORITY..=MAX_PRIORITY).contains(&self.priority) {
            let message = format!("A priority lies between -{MAX_PRIORITY} and {MAX_PRIORITY}.");
            refusals.push(Places::of(&["priority"]).invalid(message).limit(MAX_PRIORITY.into()));
        }
        check_window(self.starts_at, self.ends_at, &mut refusals);
        self.check_limits(&mut refusals);
        self.check_combinations(&mut refusals);
        let trees = self.offer.items();
        let tests = self.conditions.0.tests();
        let inner = tests.iter().filter_map(|test| test.of()).chain(trees.iter().map(|(_, items)| *items));
        let count = tests.len() + inner.map(|items| items.tests().len()).sum::<usize>();
        if count > MAX_TESTS {
            let message = format!("A promotion has at most {MAX_TESTS} tests in its conditions and items.");
            let refusal = Places::of(&["conditions"]).refuse(ErrorCode::TooMany, message);
            refusals.push(refusal.limit(MAX_TESTS as i64));
            return refusals.into_result().map(|()| self);
        }
        let conditions = Places::of(&["conditions"]);
        check_tree(&mut self.conditions.0, &conditions, 1, &mut refusals, &mut check_cart_test);
        check_offer(&mut self.offer, &mut refusals);
        refusals.into_result().map(|()| self)
    }

    fn check_limits(&self, refusals: &mut Refusals) {
        let places = Places::of(&["limits"]);
        let limits = &self.limits;
        for (field, limit) in
            [("inAll", limits.in_all), ("perCustomer", limits.per_customer), ("perCode", limits.per_code)]
        {
            if limit.is_some_and(|limit| !(1..=MAX_COUNT).contains(&limit)) {
                let message = format!("A limit lies between 1 and {MAX_COUNT}.");
                refusals.push(places.then(field).invalid(message).limit(MAX_COUNT));
            }
        }
        if self.method == PromotionMethod::Automatic && limits.per_code.is_some() {
            refusals.push(places.then("perCode").invalid("An automatic promotion has no codes."));
        }
    }

    fn check_combinations(&mut self, refusals: &mut Refusals) {
        let places = Places::of(&["combinesWith"]);
        for (place, class) in self.combines_with.iter().enumerate() {
            if self.combines_with[..place].contains(class) {
                refusals.push(places.then(place).refuse(ErrorCode::Duplicate, "This class stands here twice."));
            }
        }
        self.combines_with.sort();
    }
}

/// Refuses an end that does not lie behind the start; at the path `endsAt`.
pub(super) fn check_window(starts_at: Option<i64>, ends_at: Option<i64>, refusals: &mut Refusals) {
    if let (Some(start), Some(end)) = (starts_at, ends_at)
        && end <= start
    {
        refusals.push(Places::of(&["endsAt"]).invalid("It would end before it starts."));
    }
}

/// Refuses amounts below `least`, none at all, and a currency that stands there twice.
pub(super) fn check_amounts(amounts: &Amounts, least: i64, places: &Places, refusals: &mut Refusals) {
    if amounts.0.is_empty() {
        refusals.push(places.refuse(ErrorCode::Required, "Name an amount in at least one currency."));
    }
    check_some_amounts(amounts, least, places, refusals);
}

fn check_some_amounts(amounts: &Amounts, least: i64, places: &Places, refusals: &mut Refusals) {
    if amounts.0.len() > MAX_AMOUNTS {
        let message = format!("These are more than {MAX_AMOUNTS} amounts.");
        refusals.push(places.refuse(ErrorCode::TooMany, message).limit(MAX_AMOUNTS as i64));
        return;
    }
    for (place, amount) in amounts.0.iter().enumerate() {
        if !(least..=MAX_MINOR).contains(&amount.amount_minor) {
            let message = if least > 0 { "The amount must be above zero." } else { "The amount can't be negative." };
            refusals.push(places.then(place).invalid(message));
        }
        if amounts.0[..place].iter().any(|other| other.currency == amount.currency) {
            refusals.push(places.then(place).refuse(ErrorCode::Duplicate, "This currency stands here twice."));
        }
    }
}

fn check_tree<T>(
    tree: &mut Tree<T>,
    places: &Places,
    depth: usize,
    refusals: &mut Refusals,
    check: &mut impl FnMut(&mut T, &Places, &mut Refusals),
) {
    if depth > MAX_DEPTH {
        let message = format!("Conditions are nested at most {MAX_DEPTH} deep.");
        refusals.push(places.refuse(ErrorCode::TooMany, message).limit(MAX_DEPTH as i64));
        return;
    }
    match tree {
        Tree::Is(test) => check(test, &places.then("is"), refusals),
        Tree::Not(part) => check_tree(part, &places.then("not"), depth + 1, refusals, check),
        Tree::All(parts) | Tree::Any(parts) if parts.len() > MAX_TESTS => {
            let message = format!("A list has at most {MAX_TESTS} parts.");
            refusals.push(places.refuse(ErrorCode::TooMany, message).limit(MAX_TESTS as i64));
        }
        Tree::All(parts) => {
            for (place, part) in parts.iter_mut().enumerate() {
                check_tree(part, &places.then("all").then(place), depth + 1, refusals, check);
            }
        }
        Tree::Any(parts) => {
            if parts.is_empty() {
                refusals.push(places.then("any").refuse(ErrorCode::Required, "Name at least one alternative."));
            }
            for (place, part) in parts.iter_mut().enumerate() {
                check_tree(part, &places.then("any").then(place), depth + 1, refusals, check);
            }
        }
    }
}

fn check_items(items: &mut Items, places: &Places, refusals: &mut Refusals) {
    check_tree(items, places, 1, refusals, &mut check_item_test);
}

/// Refuses an empty list, one that is too long, and what stands in it twice.
fn check_list<V: PartialEq>(values: &[V], places: &Places, refusals: &mut Refusals) {
    if values.is_empty() {
        refusals.push(places.refuse(ErrorCode::Required, "Name at least one value."));
    } else if values.len() > MAX_VALUES {
        let message = format!("These are more than {MAX_VALUES} values.");
        refusals.push(places.refuse(ErrorCode::TooMany, message).limit(MAX_VALUES as i64));
    } else if let Some(place) = (1..values.len()).find(|place| values[..*place].contains(&values[*place])) {
        refusals.push(places.then(place).refuse(ErrorCode::Duplicate, "This value stands here twice."));
    }
}

fn check_bounds(at_least: Option<i32>, at_most: Option<i32>, places: &Places, refusals: &mut Refusals) {
    if at_least.is_none() && at_most.is_none() {
        refusals.push(places.refuse(ErrorCode::Required, "A range has at least one bound."));
    }
    for (field, bound) in [("atLeast", at_least), ("atMost", at_most)] {
        if bound.is_some_and(|bound| bound < 0) {
            refusals.push(places.then(field).invalid("A number of units can't be negative."));
        }
    }
    if let (Some(low), Some(high)) = (at_least, at_most)
        && low > high
    {
        refusals.push(places.then("atMost").invalid("The range ends before it begins."));
    }
}

fn check_ranges(ranges: &[PriceRange], places: &Places, refusals: &mut Refusals) {
    let at: Vec<&str> = places.0.iter().map(String::as_str).collect();
    collection::check_ranges(ranges, &at, refusals);
}

fn check_item_test(test: &mut ItemTest, places: &Places, refusals: &mut Refusals) {
    let places = places.then(test.name());
    match test {
        ItemTest::Product(ids) => check_list(ids, &places, refusals),
        ItemTest::Variant(ids) => check_list(ids, &places, refusals),
        ItemTest::Collection(ids) => check_list(ids, &places, refusals),
        ItemTest::Category(ids) => check_list(ids, &places, refusals),
        ItemTest::Tag(ids) => check_list(ids, &places, refusals),
        ItemTest::ProductType(ids) => check_list(ids, &places, refusals),
        ItemTest::Metafield(test) => check_metafield(test, &places, refusals),
        ItemTest::OnSale(_) => {}
        ItemTest::UnitPrice(ranges) => check_ranges(ranges, &places, refusals),
        ItemTest::Quantity { at_least, at_most } => check_bounds(*at_least, *at_most, &places, refusals),
    }
}

fn check_metafield(test: &mut MetafieldTest, places: &Places, refusals: &mut Refusals) {
    if !test.kind.is_indexed() {
        refusals.push(places.then("definition").invalid("What this metafield holds can't be compared."));
        return;
    }
    if test.operator.orders() && !test.kind.is_ordered() {
        refusals.push(places.then("operator").invalid("What this metafield holds has no order."));
    }
    let places = places.then("values");
    check_list(&test.values, &places, refusals);
    if test.operator != RuleOperator::In && test.values.len() > 1 {
        let message = format!("{} compares with one value; IN compares with several.", test.operator);
        refusals.push(places.invalid(message));
    }
    for (place, text) in test.values.iter_mut().enumerate() {
        let read = Value::parse(test.kind.element(), text.trim());
        let path = places.then(place);
        if let Some(value) = refusals.keep(read.map_err(|refusal| refusal.at(path.0))) {
            *text = value.to_string();
        }
    }
}

fn check_cart_test(test: &mut CartTest, places: &Places, refusals: &mut Refusals) {
    let places = places.then(test.name());
    match test {
        CartTest::Buyer(rule) => {
            let checked = Rules(vec![rule.clone()]).check_buyer(&[]);
            match checked.map(|mut rules| rules.0.pop()) {
                Ok(checked) => *rule = checked.unwrap_or_else(|| rule.clone()),
                // The rule stands alone: its place in a list is left out.
                Err(more) => refusals.extend(more.into_iter().map(|refusal| {
                    let path = places.0.iter().cloned().chain(refusal.path.iter().skip(1).cloned()).collect::<Vec<_>>();
                    refusal.at(path)
                })),
            }
        }
        CartTest::Currency(currencies) => check_list(currencies, &places, refusals),
        CartTest::Address(areas) => check_list(areas, &places, refusals),
        CartTest::Weekday(days) => check_list(days, &places, refusals),
        CartTest::SignedIn(_) | CartTest::FirstOrder(_) => {}
        CartTest::TimeOfDay { from, until } => {
            for (field, minute) in [("from", *from), ("until", *until)] {
                if !(0..=DAY).contains(&minute) {
                    refusals.push(places.then(field).invalid("A day has 1440 minutes.").limit(DAY.into()));
                }
            }
            if from == until {
                refusals.push(places.then("until").invalid("The time would end when it begins."));
            }
        }
        CartTest::Quantity { of, at_least, at_most } | CartTest::Lines { of, at_least, at_most } => {
            check_bounds(*at_least, *at_most, &places, refusals);
            check_items(of, &places.then("of"), refusals);
        }
        CartTest::Spend { of, ranges } => {
            check_ranges(ranges, &places.then("ranges"), refusals);
            check_items(of, &places.then("of"), refusals);
        }
    }
}

fn check_offer(offer: &mut Offer, refusals: &mut Refusals) {
    let class = offer.class();
    match offer {
        Offer::Reduce { target, reduction } => {
            let places = Places::of(&["offer", "reduce"]);
            check_target(target, &places.then("target"), refusals);
            check_reduction(reduction, class, &places.then("reduction"), refusals);
        }
        Offer::Tiers { target, tiers } => {
            let places = Places::of(&["offer", "tiers"]);
            check_target(target, &places.then("target"), refusals);
            check_tiers(tiers, &places.then("tiers"), refusals);
            for (place, tier) in tiers.iter().enumerate() {
                check_reduction(&tier.reduction, class, &places.then("tiers").then(place).then("reduction"), refusals);
            }
        }
        Offer::BuyGet(offer) => check_buy_get(offer, refusals),
        Offer::Gifts(gifts) => check_gifts(gifts, refusals),
    }
}

fn check_target(target: &mut Target, places: &Places, refusals: &mut Refusals) {
    match target {
        Target::Items(items) => check_items(items, &places.then("items"), refusals),
        Target::Shipping(options) if !options.is_empty() => check_list(options, &places.then("shipping"), refusals),
        Target::Order | Target::Shipping(_) => {}
    }
}

fn check_reduction(reduction: &Reduction, class: PromotionClass, places: &Places, refusals: &mut Refusals) {
    match reduction {
        Reduction::Percentage { rate_ppm, at_most } => {
            let places = places.then("percentage");
            if !(1..=WHOLE).contains(rate_ppm) {
                refusals.push(places.then("ratePpm").invalid("A percentage lies above 0 and is at most 100."));
            }
            check_some_amounts(at_most, 1, &places.then("atMost"), refusals);
        }
        Reduction::Fixed { amounts, allocation } => {
            let places = places.then("fixed");
            check_amounts(amounts, 1, &places.then("amounts"), refusals);
            if class == PromotionClass::Order && *allocation != FixedAllocation::Once {
                refusals.push(places.then("allocation").invalid("An amount comes off an order ONCE."));
            }
            if class == PromotionClass::Shipping && *allocation == FixedAllocation::EachUnit {
                refusals.push(places.then("allocation").invalid("A shipping charge has no units."));
            }
        }
        Reduction::FixedPrice { amounts } => {
            let places = places.then("fixedPrice");
            check_amounts(amounts, 0, &places.then("amounts"), refusals);
            if class == PromotionClass::Order {
                refusals.push(places.invalid("A price is fixed for items or shipping, not for an order."));
            }
        }
        Reduction::Free => {}
    }
}

fn check_tiers(tiers: &[Tier], places: &Places, refusals: &mut Refusals) {
    if tiers.is_empty() {
        refusals.push(places.refuse(ErrorCode::Required, "Name at least one tier."));
    }
    if tiers.len() > MAX_TIERS {
        let message = format!("These are more than {MAX_TIERS} tiers.");
        refusals.push(places.refuse(ErrorCode::TooMany, message).limit(MAX_TIERS as i64));
    }
    for (place, tier) in tiers.iter().enumerate() {
        let places = places.then(place).then("from");
        match &tier.from {
            TierStart::Spend(amounts) => check_amounts(amounts, 1, &places.then("spend"), refusals),
            TierStart::Quantity(quantity) if i64::from(*quantity) < 1 => {
                refusals.push(places.then("quantity").invalid("A tier begins at 1 unit or above."));
            }
            TierStart::Quantity(_) => {}
        }
        let Some(before) = place.checked_sub(1).and_then(|before| tiers.get(before)) else { continue };
        let message = match (&before.from, &tier.from) {
            (TierStart::Quantity(low), TierStart::Quantity(high)) if low < high => continue,
            (TierStart::Spend(low), TierStart::Spend(high)) => {
                let named = |amounts: &Amounts| amounts.0.iter().map(|one| one.currency).collect::<Vec<_>>();
                let rises = |low: &super::offer::Amount| high.in_currency(low.currency) > Some(low.amount_minor);
                if named(low).len() != named(high).len() || named(low).iter().any(|c| !named(high).contains(c)) {
                    "Every tier names the same currencies."
                } else if low.0.iter().all(rises) {
                    continue;
                } else {
                    "A tier begins above the one before it."
                }
            }
            (TierStart::Quantity(_), TierStart::Quantity(_)) => "A tier begins above the one before it.",
            _ => "Tiers go by spend or by quantity, not by both.",
        };
        refusals.push(places.invalid(message));
    }
}

fn check_buy_get(offer: &mut BuyGet, refusals: &mut Refusals) {
    let places = Places::of(&["offer", "buyGet"]);
    check_items(&mut offer.buy, &places.then("buy"), refusals);
    check_items(&mut offer.get, &places.then("get"), refusals);
    let counts = [
        ("buyQuantity", Some(offer.buy_quantity)),
        ("getQuantity", Some(offer.get_quantity)),
        ("atMostTimes", offer.at_most_times),
    ];
    for (field, count) in counts {
        if count.is_some_and(|count| !(1..=MAX_COUNT).contains(&count.into())) {
            refusals.push(places.then(field).invalid("This is 1 or above."));
        }
    }
    let places = places.then("reduction");
    check_reduction(&offer.reduction, PromotionClass::Item, &places, refusals);
    if matches!(offer.reduction, Reduction::Fixed { allocation: FixedAllocation::EachLine, .. }) {
        let message = "What is given are units: an amount comes off EACH_UNIT, or ONCE.";
        refusals.push(places.then("fixed").then("allocation").invalid(message));
    }
}

fn check_gifts(gifts: &[Gift], refusals: &mut Refusals) {
    let places = Places::of(&["offer", "gifts"]);
    if gifts.is_empty() {
        refusals.push(places.refuse(ErrorCode::Required, "Name at least one gift."));
    }
    if gifts.len() > MAX_GIFTS {
        let message = format!("These are more than {MAX_GIFTS} gifts.");
        refusals.push(places.refuse(ErrorCode::TooMany, message).limit(MAX_GIFTS as i64));
    }
    for (place, gift) in gifts.iter().enumerate() {
        let places = places.then(place);
        if let Err(refusal) = crate::cart::quantity(gift.quantity.into()) {
            refusals.push(refusal.at(places.then("quantity").0));
        }
        if gifts[..place].iter().any(|other| other.variant == gift.variant) {
            refusals.push(places.then("variant").refuse(ErrorCode::Duplicate, "This variant stands here twice."));
        }
    }
}
