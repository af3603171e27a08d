//! What a promotion would have done to orders of the past.
//!
//! They are looked at the oldest first, some at a time, so that limits and budgets are reached as they would have
//! been. An order tells what was bought, for how much, by whom, when and from where; to what its products belong, in
//! which groups its customer is and which other promotions there are is asked of today.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Utc};
use domain::address::area::Place;
use domain::id::{
    ChannelId, CustomerGroupId, CustomerId, OrderId, OrderLineId, ProductId, PromotionId, RegionId, ShippingOptionId,
    VariantId,
};
use domain::money::Currency;
use domain::order::OrderStatus;
use domain::pricing::choose;
use domain::pricing::kept::KeptPrice;
use domain::promotion::campaign::Spent;
use domain::promotion::compiled::Needs;
use domain::promotion::facts::{
    BuyerFacts, ChargeFacts, Counts, EnteredCode, Facts, GiftFacts, ItemFacts, KnownCode, LineFacts, Uses,
};
use domain::promotion::offer::Offer;
use domain::promotion::outcome::Arithmetic;
use domain::promotion::simulation::Trial;
use domain::rule::{Attributes, attribute};
use entity::{line_adjustment, order, order_line, order_shipping_line, price, product, promotion};
use uuid::Uuid;

use crate::catalog::repo as catalog;
use crate::db::Conn;
use crate::error::Result;
use crate::order::repo::{self as orders, OrderFilter};
use crate::pricing::buyer::Buyer;
use crate::promotion::assigned::{Assigned, Market};
use crate::promotion::local;
use crate::promotion::repo::{self, uses};
use crate::settings::Settings;

/// The most orders that are looked at.
pub const MAX_ORDERS: usize = 1_000;
/// Orders that are read together.
const CHUNK: usize = 200;
/// How many of those that it would have given something are named.
pub const NAMED: usize = 50;

/// An order that a promotion would have given something.
#[derive(Debug, Clone)]
pub struct Given {
    /// The order.
    pub order: order::Model,
    /// What the promotion would have taken off, in minor units.
    pub amount_minor: i64,
}

/// What a promotion would have done to orders.
#[derive(Debug, Clone, Default)]
pub struct OrdersTrial {
    /// How many were looked at.
    pub looked_at: usize,
    /// Whether there are older ones that were not.
    pub has_more: bool,
    /// How many it would have given something.
    pub given: usize,
    /// What it would have cost, in minor units: what would have come off more than without it.
    pub cost: HashMap<Currency, i64>,
    /// What those that it would have given something came to.
    pub revenue: HashMap<Currency, i64>,
    /// The newest of them, the newest first.
    pub newest: Vec<Given>,
}

/// Looks at the newest orders of a filter, at most `most`; canceled ones are left out.
pub async fn on_orders(
    conn: &Conn,
    settings: &Settings,
    row: &promotion::Model,
    (filter, most): (OrderFilter, usize),
    now: DateTime<Utc>,
) -> Result<OrdersTrial> {
    let counted = OrderStatus::ALL.iter().copied().filter(|status| *status != OrderStatus::Canceled);
    let filter = OrderFilter { status: Some(counted.collect()), ..filter };
    let mut ids = orders::newest(conn, &filter, most as u64 + 1).await?;
    let mut found = OrdersTrial { has_more: ids.len() > most, ..OrdersTrial::default() };
    ids.truncate(most);
    ids.reverse();
    let trial = super::trial(settings, row, false);
    let gifts = Gifts::read(conn, trial.needs()).await?;
    let mut past = Past { settings, trial, row, gifts, now, used: Vec::new(), spent: Spendings::default() };
    for ids in ids.chunks(CHUNK) {
        past.look_at(conn, ids, &mut found).await?;
    }
    found.newest.reverse();
    Ok(found)
}

/// What the promotion's campaign would have given so far: how often, and how much of each currency.
#[derive(Debug, Default)]
struct Spendings {
    uses: i64,
    amounts: HashMap<Currency, i64>,
}

/// Orders on trial, one after the other.
struct Past<'s> {
    settings: &'s Settings,
    trial: Trial,
    row: &'s promotion::Model,
    gifts: Gifts,
    now: DateTime<Utc>,
    /// Who would have used the promotion so far.
    used: Vec<(Option<CustomerId>, String)>,
    spent: Spendings,
}

impl Past<'_> {
    async fn look_at(&mut self, conn: &Conn, ids: &[OrderId], found: &mut OrdersTrial) -> Result<()> {
        let read = Read::of(conn, self.settings, self.trial.needs(), ids, self.now).await?;
        for order in &read.orders {
            // Others shall have their turn: each order is worked out twice.
            tokio::task::yield_now().await;
            found.looked_at += 1;
            let Some((amount, cost)) = self.ask(&read, order) else { continue };
            found.given += 1;
            *found.cost.entry(order.currency).or_default() += cost;
            *found.revenue.entry(order.currency).or_default() += order.total_minor;
            if found.newest.len() == NAMED {
                found.newest.remove(0);
            }
            found.newest.push(Given { order: order.clone(), amount_minor: amount });
        }
        Ok(())
    }

    /// What the promotion would have taken off an order, and what that would have cost; nothing when nothing.
    fn ask(&mut self, read: &Read, order: &order::Model) -> Option<(i64, i64)> {
        let lines = read.lines(order);
        let charges = read.charges(order);
        let attributes = read.attributes(order);
        let place = order.shipping_address.as_ref().map(Place::from);
        let codes = read.codes(order);
        let gifts = self.gifts.of(self.settings, order);
        let ships = read.rows(&read.lines, order).iter().any(|line| line.requires_shipping);
        let counts = self.counts(order);
        let facts = Facts {
            buyer: BuyerFacts {
                currency: order.currency,
                now: order.placed_at.timestamp_micros(),
                local: local(order.placed_at),
                attributes: &attributes,
                place: place.as_ref(),
                orders: read.earlier.get(&order.id).copied().or(Some(0)),
            },
            lines: &lines,
            charges: &charges,
            ships,
            codes: &codes,
            gifts: &gifts,
            counts: &counts,
        };
        let told = self.trial.run(&facts);
        let given = self.trial.given(&told)?.spent_minor;
        self.used.push((order.customer_id, order.email.to_string().to_lowercase()));
        self.spent.uses += 1;
        *self.spent.amounts.entry(order.currency).or_default() += given;
        Some((given, told.cost_minor()))
    }

    /// How often the promotion would have been used before.
    fn counts(&self, order: &order::Model) -> Counts {
        let email = order.email.to_string().to_lowercase();
        let own = |(customer, known): &&(Option<CustomerId>, String)| {
            *known == email || (customer.is_some() && *customer == order.customer_id)
        };
        let uses = Uses { in_all: self.used.len() as i64, by_buyer: Some(self.used.iter().filter(own).count() as i64) };
        let amount_minor = self.spent.amounts.get(&order.currency).copied().unwrap_or(0);
        let spent = Spent { uses: self.spent.uses, amount_minor };
        Counts {
            promotions: HashMap::from([(self.row.id, uses)]),
            campaigns: self.row.campaign_id.map(|campaign| (campaign, spent)).into_iter().collect(),
        }
    }
}

/// Some orders with all that is asked of them.
struct Read {
    /// The oldest first.
    orders: Vec<order::Model>,
    lines: HashMap<OrderId, Vec<order_line::Model>>,
    shipping: HashMap<OrderId, Vec<order_shipping_line::Model>>,
    adjustments: HashMap<OrderId, Vec<line_adjustment::Model>>,
    /// The lines that were gifts, and of which promotion.
    given: HashMap<OrderLineId, PromotionId>,
    products: HashMap<ProductId, product::Model>,
    assigned: HashMap<(ChannelId, RegionId), Assigned>,
    groups: HashMap<CustomerId, Vec<CustomerGroupId>>,
    /// How many orders their buyers had placed before.
    earlier: HashMap<OrderId, i64>,
}

fn by_order<R>(rows: Vec<R>, order: impl Fn(&R) -> OrderId) -> HashMap<OrderId, Vec<R>> {
    let mut found: HashMap<OrderId, Vec<R>> = HashMap::new();
    for row in rows {
        found.entry(order(&row)).or_default().push(row);
    }
    found
}

impl Read {
    /// A statement for each kind of rows, however many orders there are.
    async fn of(conn: &Conn, settings: &Settings, needs: &Needs, ids: &[OrderId], now: DateTime<Utc>) -> Result<Self> {
        let mut rows = orders::find_all(conn, ids).await?;
        rows.sort_by_key(|row| (row.placed_at, row.id));
        let lines = orders::lines_of(conn, ids).await?;
        let adjustments = orders::adjustments_of(conn, ids).await?;
        let given = given(conn, &adjustments).await?;
        let mut products: Vec<ProductId> = lines.iter().filter_map(|line| line.product_id).collect();
        products.sort_unstable();
        products.dedup();
        let products = catalog::by_ids(conn, &products).await?;
        let lines = by_order(lines, |line| line.order_id);
        let customers: HashSet<CustomerId> = rows.iter().filter_map(|row| row.customer_id).collect();
        let customers: Vec<CustomerId> = customers.into_iter().collect();
        let mut groups: HashMap<CustomerId, Vec<CustomerGroupId>> = HashMap::new();
        if needs.groups && !customers.is_empty() {
            for (customer, group) in crate::customer::repo::groups_of(conn, &customers).await? {
                groups.entry(customer).or_default().push(group.id);
            }
        }
        Ok(Self {
            shipping: by_order(orders::shipping_of(conn, ids).await?, |row| row.order_id),
            adjustments: by_order(adjustments, |row| row.order_id),
            given,
            products: products.into_iter().map(|row| (row.id, row)).collect(),
            assigned: assigned(conn, settings, needs, (&rows, &lines), now).await?,
            groups,
            earlier: if needs.orders { uses::orders_before(conn, ids).await? } else { HashMap::new() },
            orders: rows,
            lines,
        })
    }

    fn rows<'r, R>(&self, of: &'r HashMap<OrderId, Vec<R>>, order: &order::Model) -> &'r [R] {
        of.get(&order.id).map(Vec::as_slice).unwrap_or_default()
    }

    fn lines(&self, order: &order::Model) -> Vec<LineFacts> {
        let assigned = self.assigned.get(&(order.channel_id, order.region_id));
        let fact = |line: &order_line::Model| {
            let variant = line.variant_id.unwrap_or(VariantId(Uuid::nil()));
            let product = line.product_id.and_then(|id| self.products.get(&id));
            let kept = line.explanation.clone().and_then(|kept| serde_json::from_value::<KeptPrice>(kept).ok());
            let item = match product.zip(assigned) {
                Some((product, assigned)) => assigned.item(product, variant),
                // What is gone belongs to nothing any more.
                None => gone(variant),
            };
            let on_sale = kept.is_some_and(|kept| kept.compare_at_minor.is_some());
            LineFacts {
                position: line.position,
                quantity: line.ordered,
                gift_of: self.given.get(&line.id).copied(),
                item: ItemFacts { on_sale, unit_price_minor: line.unit_price_minor, ..item },
            }
        };
        self.rows(&self.lines, order).iter().map(fact).collect()
    }

    fn charges(&self, order: &order::Model) -> Vec<ChargeFacts> {
        let fact = |row: &order_shipping_line::Model| ChargeFacts {
            position: row.position,
            option: row.shipping_option_id.unwrap_or(ShippingOptionId(Uuid::nil())),
            amount_minor: row.amount_minor,
        };
        self.rows(&self.shipping, order).iter().map(fact).collect()
    }

    fn attributes(&self, order: &order::Model) -> Attributes {
        let mut attributes = Attributes::new();
        attributes.add(attribute::CHANNEL, order.channel_id);
        attributes.add(attribute::REGION, order.region_id);
        if let Some(address) = &order.shipping_address {
            attributes.add(attribute::COUNTRY, &address.country);
        }
        if let Some(customer) = order.customer_id {
            attributes.add(attribute::CUSTOMER, customer);
            let groups = self.groups.get(&customer).into_iter().flatten();
            groups.for_each(|group| attributes.add(attribute::CUSTOMER_GROUP, group));
        }
        attributes
    }

    /// The codes by which other promotions gave something then.
    fn codes(&self, order: &order::Model) -> Vec<EnteredCode> {
        let mut codes: Vec<EnteredCode> = Vec::new();
        for row in self.rows(&self.adjustments, order) {
            let Some(code) = &row.code else { continue };
            if codes.iter().all(|known| known.code != *code) {
                let known = KnownCode { promotion: row.promotion_id, uses: 0, ends_at: None };
                codes.push(EnteredCode { position: codes.len() as i32, code: code.clone(), known: Some(known) });
            }
        }
        codes
    }
}

/// The lines that came as gifts: an order keeps that they were free, and whose promotion that was.
async fn given(conn: &Conn, adjustments: &[line_adjustment::Model]) -> Result<HashMap<OrderLineId, PromotionId>> {
    let free = |row: &&line_adjustment::Model| row.explanation == Arithmetic::Free && row.order_line_id.is_some();
    let mut promotions: Vec<PromotionId> = adjustments.iter().filter(free).map(|row| row.promotion_id).collect();
    promotions.sort_unstable();
    promotions.dedup();
    if promotions.is_empty() {
        return Ok(HashMap::new());
    }
    let known = repo::by_ids(conn, &promotions).await?;
    let gives: HashSet<PromotionId> =
        known.iter().filter(|row| matches!(row.offer, Offer::Gifts(_))).map(|row| row.id).collect();
    let gifts = adjustments.iter().filter(free).filter(|row| gives.contains(&row.promotion_id));
    Ok(gifts.filter_map(|row| Some((row.order_line_id?, row.promotion_id))).collect())
}

/// To what the products of orders belong, in each channel and region in which they were bought.
async fn assigned(
    conn: &Conn,
    settings: &Settings,
    needs: &Needs,
    (rows, lines): (&[order::Model], &HashMap<OrderId, Vec<order_line::Model>>),
    now: DateTime<Utc>,
) -> Result<HashMap<(ChannelId, RegionId), Assigned>> {
    let mut sold: HashMap<(ChannelId, RegionId), (HashSet<ProductId>, HashSet<VariantId>)> = HashMap::new();
    for row in rows {
        let (products, variants) = sold.entry((row.channel_id, row.region_id)).or_default();
        for line in lines.get(&row.id).into_iter().flatten() {
            products.extend(line.product_id);
            variants.extend(line.variant_id);
        }
    }
    let mut found = HashMap::new();
    for ((channel, region), (products, variants)) in sold {
        let market = Market { settings, channel, region: Some(region), now };
        let products: Vec<ProductId> = products.into_iter().collect();
        let read = Assigned::read(conn, market, needs, &products, variants.into_iter()).await?;
        found.insert((channel, region), read);
    }
    Ok(found)
}

fn gone(variant: VariantId) -> ItemFacts {
    ItemFacts {
        variant,
        product: ProductId(Uuid::nil()),
        product_type: None,
        tags: Vec::new(),
        collections: Vec::new(),
        categories: Vec::new(),
        metafields: Vec::new(),
        on_sale: false,
        unit_price_minor: 0,
        discountable: true,
        gift_card: false,
    }
}

/// What gifts would cost: their prices of today, as if enough of them lay there.
struct Gifts(HashMap<VariantId, Vec<price::Model>>);

impl Gifts {
    async fn read(conn: &Conn, needs: &Needs) -> Result<Self> {
        if needs.gifts.is_empty() {
            return Ok(Self(HashMap::new()));
        }
        let variants: Vec<VariantId> = needs.gifts.iter().copied().collect();
        let variants = catalog::variants_by_ids(conn, &variants).await?;
        let products: Vec<ProductId> = variants.iter().map(|row| row.product_id).collect();
        let products = catalog::by_ids(conn, &products).await?;
        let may_be_given = |id: ProductId| {
            let product = products.iter().find(|row| row.id == id);
            product.is_some_and(|row| row.discountable && !row.gift_card)
        };
        let given = variants.iter().filter(|row| may_be_given(row.product_id));
        let mut found: HashMap<VariantId, Vec<price::Model>> = given.map(|row| (row.id, Vec::new())).collect();
        let variants: Vec<VariantId> = found.keys().copied().collect();
        for row in crate::pricing::repo::all_of_variants(conn, &variants).await? {
            if let Some(prices) = row.variant_id.and_then(|variant| found.get_mut(&variant)) {
                prices.push(row);
            }
        }
        Ok(Self(found))
    }

    fn of(&self, settings: &Settings, order: &order::Model) -> Vec<GiftFacts> {
        let Some(region) = settings.region(order.region_id).filter(|_| !self.0.is_empty()) else { return Vec::new() };
        let country = order.shipping_address.as_ref().map(|address| &address.country);
        let buyer = Buyer::new(order.channel_id, region, order.customer_id, country);
        let fact = |(variant, prices): (&VariantId, &Vec<price::Model>)| {
            let own = prices.iter().filter(|price| price.currency == order.currency);
            let candidates: Vec<_> = own.map(crate::pricing::repo::candidate).collect();
            let choice = choose(&candidates, &buyer.situation(settings, region, 1, order.placed_at))?;
            Some(GiftFacts { variant: *variant, unit_price_minor: choice.price.amount_minor })
        };
        self.0.iter().filter_map(fact).collect()
    }
}
