//! Promotions made ready once for many carts: ids in sets, and items that several
//! promotions ask for asked once per cart.

use std::collections::{HashMap, HashSet};

use super::campaign::Campaign;
use super::condition::{CartTest, ItemTest, Items, MetafieldTest, Tree};
use super::facts::{BuyerFacts, ItemFacts, LineFacts};
use super::offer::{Gift, Offer, Reduction, Target, Tier};
use super::{Promotion, PromotionMethod, PromotionState};
use crate::collection::PriceRange;
use crate::id::{
    CampaignId, CategoryId, CollectionId, MetafieldDefinitionId, ProductId, ProductTypeId, PromotionId, TagId,
    VariantId,
};
use crate::metafield::{Key, Value};
use crate::money::Currency;
use crate::rule::{RuleOperator, attribute};

/// The place of a filter in [`Compiled`].
pub(super) type FilterIndex = usize;

/// A test of a line, ready to be asked.
#[derive(Debug, Clone)]
pub(super) enum ReadyItem {
    Product(HashSet<ProductId>),
    Variant(HashSet<VariantId>),
    Collection(HashSet<CollectionId>),
    Category(HashSet<CategoryId>),
    Tag(HashSet<TagId>),
    ProductType(HashSet<ProductTypeId>),
    Metafield { definition: MetafieldDefinitionId, operator: RuleOperator, keys: Vec<Key> },
    OnSale(bool),
    UnitPrice(Vec<PriceRange>),
    Quantity { at_least: Option<i32>, at_most: Option<i32> },
}

/// A test of a cart, with the filter of the lines that it is about.
#[derive(Debug, Clone)]
pub(super) struct ReadyTest {
    pub(super) test: CartTest,
    pub(super) of: Option<FilterIndex>,
}

/// What an offer comes off, by its filter.
#[derive(Debug, Clone, Copy)]
pub(super) enum ReadyTarget {
    Items(FilterIndex),
    Order,
    Shipping,
}

/// An offer with its filters.
#[derive(Debug, Clone)]
pub(super) enum ReadyOffer {
    Reduce(ReadyTarget, Reduction),
    Tiers(ReadyTarget, Vec<Tier>),
    BuyGet { buy: FilterIndex, get: FilterIndex },
    Gifts(Vec<Gift>),
}

/// A promotion made ready.
#[derive(Debug, Clone)]
pub(super) struct Ready {
    pub(super) promotion: Promotion,
    pub(super) conditions: Tree<ReadyTest>,
    pub(super) offer: ReadyOffer,
}

/// Which facts any promotion asks for, so that the others need not be read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Needs {
    /// The collections of each line's product.
    pub collections: bool,
    /// The categories of each line's product, and those above them.
    pub categories: bool,
    /// The tags of each line's product.
    pub tags: bool,
    /// These metafields of each line's product and variant.
    pub metafields: HashSet<MetafieldDefinitionId>,
    /// The groups of the customer.
    pub groups: bool,
    /// How many orders the buyer placed.
    pub orders: bool,
    /// What each of these variants would cost, if it can be had.
    pub gifts: HashSet<VariantId>,
    /// How often these promotions were used; whether by this buyer too.
    pub uses: HashMap<PromotionId, bool>,
    /// What these campaigns gave.
    pub campaigns: HashSet<CampaignId>,
    /// Which variant it is, and not only of which product.
    pub variants: bool,
    /// What it costs, and whether that is lowered.
    pub prices: bool,
}

/// Promotions made ready for carts, as a snapshot of the settings holds them.
#[derive(Debug, Clone, Default)]
pub struct Compiled {
    /// By rank.
    pub(super) promotions: Vec<Ready>,
    pub(super) campaigns: HashMap<CampaignId, Campaign>,
    pub(super) filters: Vec<Tree<ReadyItem>>,
    needs: Needs,
    /// What [`Compiled::on_offer`] asks for.
    offer_needs: Needs,
    /// The promotion that counts as active whatever its state.
    trial: Option<PromotionId>,
}

impl Compiled {
    /// Makes promotions ready, in any order and state: windows and pauses are looked at cart by cart.
    pub fn new(promotions: impl IntoIterator<Item = Promotion>, campaigns: impl IntoIterator<Item = Campaign>) -> Self {
        let campaigns: HashMap<_, _> = campaigns.into_iter().map(|campaign| (campaign.id, campaign)).collect();
        let mut filters = Filters::default();
        let (mut needs, mut offer_needs) = (Needs::default(), Needs::default());
        let mut ready = Vec::new();
        for promotion in promotions {
            needs.learn(&promotion, &campaigns);
            if promotion.method == PromotionMethod::Automatic {
                offer_needs.learn_offered(&promotion);
            }
            let conditions = promotion.conditions.0.map(&mut |test: &CartTest| ReadyTest {
                test: test.clone(),
                of: test.of().map(|items| filters.place(items)),
            });
            let offer = ReadyOffer::new(&promotion.offer, &mut filters);
            ready.push(Ready { promotion, conditions, offer });
        }
        ready.sort_by_cached_key(|ready| ready.promotion.rank());
        Self { promotions: ready, campaigns, filters: filters.ready, needs, offer_needs, trial: None }
    }

    /// Which facts they ask for.
    pub fn needs(&self) -> &Needs {
        &self.needs
    }

    /// Which of the facts of an item and of a buyer [`Compiled::on_offer`] asks for.
    pub fn offer_needs(&self) -> &Needs {
        &self.offer_needs
    }

    /// The same with a promotion that counts as active whatever its state.
    pub(super) fn on_trial(self, promotion: PromotionId) -> Self {
        Self { trial: Some(promotion), ..self }
    }

    /// Where a promotion is at a moment.
    pub(super) fn state(&self, promotion: &Promotion, now: i64) -> PromotionState {
        if self.trial == Some(promotion.id) {
            return PromotionState::Active;
        }
        promotion.state(self.campaign(promotion), now)
    }

    pub(super) fn campaign(&self, promotion: &Promotion) -> Option<&Campaign> {
        promotion.campaign.and_then(|id| self.campaigns.get(&id))
    }

    /// Whether any promotion comes by itself.
    pub fn has_automatic(&self) -> bool {
        self.promotions.iter().any(|ready| ready.promotion.method == PromotionMethod::Automatic)
    }

    /// The automatic promotions that may lower the price of an item for a buyer, by
    /// rank: those that are for it, and that nothing known of the buyer speaks
    /// against. What a cart must have beside it is left open, and so is where it
    /// goes and whether it is the first order as long as nobody knows.
    pub fn on_offer(&self, item: &ItemFacts, buyer: &BuyerFacts<'_>) -> Vec<&Promotion> {
        if !item.discountable || item.gift_card {
            return Vec::new();
        }
        let line = LineFacts { position: 0, quantity: 1, gift_of: None, item: item.clone() };
        let serves = |ready: &&Ready| {
            let promotion = &ready.promotion;
            let meant = match &ready.offer {
                ReadyOffer::Reduce(target, _) | ReadyOffer::Tiers(target, _) => match target {
                    ReadyTarget::Items(filter) => self.might_pass(*filter, &line, buyer.currency),
                    ReadyTarget::Order => true,
                    ReadyTarget::Shipping => false,
                },
                ReadyOffer::BuyGet { get, .. } => self.might_pass(*get, &line, buyer.currency),
                ReadyOffer::Gifts(_) => false,
            };
            meant
                && promotion.method == PromotionMethod::Automatic
                && self.state(promotion, buyer.now) == PromotionState::Active
                && ready.conditions.weigh(&mut |test| test.as_far_as_known(buyer)) != Some(false)
        };
        self.promotions.iter().filter(serves).map(|ready| &ready.promotion).collect()
    }

    /// Whether a line passes a filter in some quantity.
    fn might_pass(&self, filter: FilterIndex, line: &LineFacts, currency: Currency) -> bool {
        let ask = &mut |test: &ReadyItem| match test {
            ReadyItem::Quantity { .. } => None,
            test => Some(test.passes(line, currency)),
        };
        self.filters[filter].weigh(ask) != Some(false)
    }
}

/// The filters of all promotions, each of them once.
#[derive(Default)]
struct Filters {
    known: Vec<Items>,
    ready: Vec<Tree<ReadyItem>>,
}

impl Filters {
    fn place(&mut self, items: &Items) -> FilterIndex {
        if let Some(place) = self.known.iter().position(|known| known == items) {
            return place;
        }
        self.known.push(items.clone());
        self.ready.push(items.map(&mut ReadyItem::new));
        self.known.len() - 1
    }
}

impl ReadyItem {
    fn new(test: &ItemTest) -> Self {
        match test {
            ItemTest::Product(ids) => Self::Product(ids.iter().copied().collect()),
            ItemTest::Variant(ids) => Self::Variant(ids.iter().copied().collect()),
            ItemTest::Collection(ids) => Self::Collection(ids.iter().copied().collect()),
            ItemTest::Category(ids) => Self::Category(ids.iter().copied().collect()),
            ItemTest::Tag(ids) => Self::Tag(ids.iter().copied().collect()),
            ItemTest::ProductType(ids) => Self::ProductType(ids.iter().copied().collect()),
            ItemTest::Metafield(MetafieldTest { definition, kind, operator, values }) => {
                // What can't be read any more is no value that anything has.
                let read = values.iter().filter_map(|text| Value::parse(kind.element(), text).ok());
                let keys = read.flat_map(|value| value.keys()).collect();
                Self::Metafield { definition: *definition, operator: *operator, keys }
            }
            ItemTest::OnSale(wanted) => Self::OnSale(*wanted),
            ItemTest::UnitPrice(ranges) => Self::UnitPrice(ranges.clone()),
            ItemTest::Quantity { at_least, at_most } => Self::Quantity { at_least: *at_least, at_most: *at_most },
        }
    }

    /// Whether a line is so.
    pub(super) fn passes(&self, line: &LineFacts, currency: Currency) -> bool {
        let item = &line.item;
        match self {
            Self::Product(ids) => ids.contains(&item.product),
            Self::Variant(ids) => ids.contains(&item.variant),
            Self::Collection(ids) => item.collections.iter().any(|id| ids.contains(id)),
            Self::Category(ids) => item.categories.iter().any(|id| ids.contains(id)),
            Self::Tag(ids) => item.tags.iter().any(|id| ids.contains(id)),
            Self::ProductType(ids) => item.product_type.is_some_and(|id| ids.contains(&id)),
            Self::Metafield { definition, operator, keys } => {
                let mut held = item.metafields.iter().filter(|(id, _)| id == definition).map(|(_, key)| key);
                match operator {
                    RuleOperator::Ne => !held.any(|key| keys.contains(key)),
                    RuleOperator::Eq | RuleOperator::In => held.any(|key| keys.contains(key)),
                    _ => held.any(|key| keys.first().is_some_and(|bound| is_ordered_so(key, *operator, bound))),
                }
            }
            Self::OnSale(wanted) => item.on_sale == *wanted,
            Self::UnitPrice(ranges) => in_range(ranges, currency, item.unit_price_minor),
            Self::Quantity { at_least, at_most } => {
                in_bounds(line.quantity.into(), at_least.map(i64::from), at_most.map(i64::from))
            }
        }
    }
}

/// Compares keys of one type; money of two currencies has no order.
fn is_ordered_so(key: &Key, operator: RuleOperator, bound: &Key) -> bool {
    let (Some(held), Some(bound), true) = (key.number, bound.number, key.text == bound.text) else { return false };
    match operator {
        RuleOperator::Gt => held > bound,
        RuleOperator::Gte => held >= bound,
        RuleOperator::Lt => held < bound,
        RuleOperator::Lte => held <= bound,
        RuleOperator::Eq | RuleOperator::Ne | RuleOperator::In => false,
    }
}

/// Whether a number lies between bounds, both inclusive.
pub(super) fn in_bounds(number: i64, at_least: Option<i64>, at_most: Option<i64>) -> bool {
    at_least.is_none_or(|low| low <= number) && at_most.is_none_or(|high| number <= high)
}

/// Whether an amount lies in the range of its currency; without one it lies in none.
pub(super) fn in_range(ranges: &[PriceRange], currency: Currency, minor: i64) -> bool {
    let range = ranges.iter().find(|range| range.currency == currency);
    range.is_some_and(|range| in_bounds(minor, range.at_least, range.at_most))
}

impl ReadyTest {
    /// What a buyer alone tells; `None` for what his cart must tell.
    pub(super) fn of_buyer(&self, buyer: &BuyerFacts<'_>) -> Option<bool> {
        Some(match &self.test {
            CartTest::Buyer(rule) => rule.is_met(buyer.attributes),
            CartTest::Currency(currencies) => currencies.contains(&buyer.currency),
            CartTest::Address(areas) => buyer.place.is_some_and(|place| areas.iter().any(|area| area.holds(place))),
            CartTest::SignedIn(wanted) => buyer.attributes.values(attribute::CUSTOMER).is_empty() != *wanted,
            CartTest::FirstOrder(wanted) => buyer.orders.is_some_and(|orders| (orders == 0) == *wanted),
            CartTest::Weekday(days) => days.contains(&buyer.local.weekday),
            CartTest::TimeOfDay { from, until } => {
                let minute = buyer.local.minute;
                if from < until { (*from..*until).contains(&minute) } else { minute >= *from || minute < *until }
            }
            CartTest::Quantity { .. } | CartTest::Lines { .. } | CartTest::Spend { .. } => return None,
        })
    }
}

impl ReadyTest {
    /// The same, where what is not known yet of the buyer is left open.
    fn as_far_as_known(&self, buyer: &BuyerFacts<'_>) -> Option<bool> {
        let is_open = match &self.test {
            CartTest::Address(_) => buyer.place.is_none(),
            CartTest::FirstOrder(_) => buyer.orders.is_none(),
            CartTest::Buyer(rule) if rule.attribute == attribute::COUNTRY => {
                buyer.attributes.values(attribute::COUNTRY).is_empty()
            }
            _ => false,
        };
        if is_open { None } else { self.of_buyer(buyer) }
    }
}

impl ReadyOffer {
    fn new(offer: &Offer, filters: &mut Filters) -> Self {
        let mut ready = |target: &Target| match target {
            Target::Items(items) => ReadyTarget::Items(filters.place(items)),
            Target::Order => ReadyTarget::Order,
            Target::Shipping(_) => ReadyTarget::Shipping,
        };
        match offer {
            Offer::Reduce { target, reduction } => Self::Reduce(ready(target), reduction.clone()),
            Offer::Tiers { target, tiers } => Self::Tiers(ready(target), tiers.clone()),
            Offer::BuyGet(offer) => Self::BuyGet { buy: filters.place(&offer.buy), get: filters.place(&offer.get) },
            Offer::Gifts(gifts) => Self::Gifts(gifts.clone()),
        }
    }
}

impl Needs {
    fn learn(&mut self, promotion: &Promotion, campaigns: &HashMap<CampaignId, Campaign>) {
        let conditions = promotion.conditions.0.tests();
        self.learn_buyer(&conditions);
        let of_offer = promotion.offer.items().into_iter().map(|(_, items)| items);
        conditions.iter().filter_map(|test| test.of()).chain(of_offer).for_each(|items| self.learn_items(items));
        if let Offer::Gifts(gifts) = &promotion.offer {
            self.gifts.extend(gifts.iter().map(|gift| gift.variant));
        }
        let limits = &promotion.limits;
        if limits.in_all.is_some() || limits.per_customer.is_some() {
            self.uses.insert(promotion.id, limits.per_customer.is_some());
        }
        let budgeted = |id: &CampaignId| campaigns.get(id).is_some_and(|campaign| campaign.budget.is_some());
        self.campaigns.extend(promotion.campaign.filter(budgeted));
    }

    /// What is asked for when the items are looked for that it might lower.
    fn learn_offered(&mut self, promotion: &Promotion) {
        self.learn_buyer(&promotion.conditions.0.tests());
        match &promotion.offer {
            Offer::Reduce { target: Target::Items(items), .. } | Offer::Tiers { target: Target::Items(items), .. } => {
                self.learn_items(items);
            }
            Offer::BuyGet(offer) => self.learn_items(&offer.get),
            _ => {}
        }
    }

    fn learn_buyer(&mut self, conditions: &[&CartTest]) {
        for test in conditions {
            match test {
                CartTest::Buyer(rule) if rule.attribute == attribute::CUSTOMER_GROUP => self.groups = true,
                CartTest::FirstOrder(_) => self.orders = true,
                _ => {}
            }
        }
    }

    fn learn_items(&mut self, items: &Items) {
        for test in items.tests() {
            match test {
                ItemTest::Collection(_) => self.collections = true,
                ItemTest::Category(_) => self.categories = true,
                ItemTest::Tag(_) => self.tags = true,
                ItemTest::Metafield(test) => {
                    self.metafields.insert(test.definition);
                    self.variants = true;
                }
                ItemTest::Variant(_) => self.variants = true,
                ItemTest::OnSale(_) | ItemTest::UnitPrice(_) => self.prices = true,
                ItemTest::Product(_) | ItemTest::ProductType(_) | ItemTest::Quantity { .. } => {}
            }
        }
    }
}
