//! What promotions make of a cart: what they must know of it, and what they take off.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Utc};
use domain::address::area::Place;
use domain::cart::CartState;
use domain::catalog::BackorderPolicy;
use domain::id::{ProductId, VariantId};
use domain::inventory::Level;
use domain::pricing::{Candidate, choose};
use domain::promotion::compiled::Needs;
use domain::promotion::facts::{
    BuyerFacts, ChargeFacts, Counts, EnteredCode, Facts, GiftFacts, ItemFacts, KnownCode, LineFacts, Uses,
};
use domain::promotion::offer::Offer as Given;
use domain::promotion::outcome::Outcome;
use domain::promotion::{PromotionMethod, campaign::Spent};
use entity::{cart, promotion_code, promotion_use};

use super::quote::{LinePrice, Offer, last_shown};
use super::repo::CartRows;
use crate::db::Conn;
use crate::error::Result;
use crate::inventory::repo::StockRow;
use crate::pricing::buyer::Buyer;
use crate::promotion::assigned::{Assigned, Market};
use crate::promotion::local;
use crate::promotion::repo::codes;
use crate::promotion::repo::uses::{self, BuyerKey};
use crate::promotion::reserve::buyer_key;
use crate::settings::{Region, Settings};
use crate::shipping::offers::QuotedGroup;

/// What a cart is worked out from, as far as promotions look at it.
pub(super) struct Seen<'q> {
    pub(super) settings: &'q Settings,
    pub(super) region: &'q Region,
    pub(super) rows: &'q CartRows,
    pub(super) priced: &'q [Option<LinePrice>],
    pub(super) offered: &'q HashMap<VariantId, Offer>,
    pub(super) candidates: &'q HashMap<VariantId, Vec<Candidate>>,
    pub(super) stock: &'q [StockRow],
    pub(super) levels: &'q [Level],
    pub(super) now: DateTime<Utc>,
}

/// What promotions know of a cart.
#[derive(Default)]
pub(super) struct Known {
    lines: Vec<LineFacts>,
    ships: bool,
    entered: Vec<EnteredCode>,
    gifts: Vec<GiftFacts>,
    counts: Counts,
    orders: Option<i64>,
    place: Option<Place>,
    /// The codes that were entered and are known.
    pub(super) codes: Vec<promotion_code::Model>,
    /// Whether no promotion and no code comes into question.
    idle: bool,
}

/// The variants that promotions may give, beside what the cart holds.
pub(super) fn gifts(settings: &Settings) -> &HashSet<VariantId> {
    &settings.promotions.compiled.needs().gifts
}

impl Seen<'_> {
    /// Reads what the shop's promotions ask for and nothing else: no statement where there are none.
    pub(super) async fn learn(&self, conn: &Conn, buyer: &mut Buyer) -> Result<Known> {
        let promotions = &self.settings.promotions;
        if promotions.rows.is_empty() {
            let entered = self.entered(&[], &[]);
            return Ok(Known { idle: entered.is_empty(), entered, ..Known::default() });
        }
        let needs = promotions.compiled.needs();
        if needs.groups {
            buyer.learn(conn).await?;
        }
        let codes = self.known_codes(conn).await?;
        let own = match self.rows.cart.state {
            CartState::Open => Vec::new(),
            // What its own checkout holds keeps nobody else's place.
            _ => uses::of_cart(conn, self.rows.cart.id).await?,
        };
        let who = who(&self.rows.cart);
        Ok(Known {
            lines: self.lines(conn, needs).await?,
            ships: self.ships(),
            entered: self.entered(&codes, &own),
            gifts: self.gifts(buyer),
            counts: self.counts(conn, needs, &who, &own).await?,
            orders: self.orders(conn, needs).await?,
            place: self.rows.cart.shipping_address.as_ref().map(Place::from),
            codes,
            idle: false,
        })
    }

    /// The codes that are not of gift cards.
    fn of_promotions(&self) -> impl Iterator<Item = &entity::cart_code::Model> {
        self.rows.codes.iter().filter(|row| row.ledger_account_id.is_none())
    }

    async fn known_codes(&self, conn: &Conn) -> Result<Vec<promotion_code::Model>> {
        let by_code = |row: &entity::promotion::Model| row.method == PromotionMethod::Code;
        if self.of_promotions().next().is_none() || !self.settings.promotions.rows.iter().any(by_code) {
            return Ok(Vec::new());
        }
        let texts: Vec<String> = self.of_promotions().map(|row| row.code.clone()).collect();
        codes::named(conn, &texts).await
    }

    fn entered(&self, codes: &[promotion_code::Model], own: &[promotion_use::Model]) -> Vec<EnteredCode> {
        let entered = |row: &entity::cart_code::Model| {
            let known = codes.iter().find(|code| code.code == row.code).map(|code| {
                let held = own.iter().filter(|used| used.promotion_code_id == Some(code.id)).count() as i64;
                let ends_at = code.ends_at.map(|end| end.timestamp_micros());
                KnownCode { promotion: code.promotion_id, uses: code.uses - held, ends_at }
            });
            EnteredCode { position: row.position, code: row.code.clone(), known }
        };
        self.of_promotions().map(entered).collect()
    }

    /// Whether anything of it is delivered.
    fn ships(&self) -> bool {
        let ships = |variant: VariantId| self.offered.get(&variant).is_none_or(|offer| offer.variant.requires_shipping);
        self.rows.lines.iter().any(|line| ships(line.variant_id))
    }

    async fn lines(&self, conn: &Conn, needs: &Needs) -> Result<Vec<LineFacts>> {
        let lines = self.rows.lines.iter().zip(self.priced);
        let offered: Vec<_> =
            lines.filter_map(|(line, price)| Some((line, price, self.offered.get(&line.variant_id)?))).collect();
        let mut products: Vec<ProductId> = offered.iter().map(|(_, _, offer)| offer.product.id).collect();
        products.sort_unstable();
        products.dedup();
        let (channel, region) = (self.rows.cart.channel_id, Some(self.region.row.id));
        let market = Market { settings: self.settings, channel, region, now: self.now };
        let variants = offered.iter().map(|(_, _, offer)| offer.variant.id);
        let known = Assigned::read(conn, market, needs, &products, variants).await?;
        let fact = |(line, price, offer): (&entity::cart_line::Model, &Option<LinePrice>, &Offer)| LineFacts {
            position: line.position,
            quantity: line.quantity,
            gift_of: line.gift_of,
            item: ItemFacts {
                on_sale: price.is_some_and(|price| price.compare_at_minor.is_some()),
                unit_price_minor: price.map_or_else(|| last_shown(line, self.rows), |price| price.amount_minor),
                ..known.item(&offer.product, offer.variant.id)
            },
        };
        Ok(offered.into_iter().map(fact).collect())
    }

    /// The gifts that can be had: for sale here, priced, and in stock beside what the cart buys of them.
    fn gifts(&self, buyer: &Buyer) -> Vec<GiftFacts> {
        let fact = |variant: &VariantId| {
            let offer = self.offered.get(variant)?;
            if offer.product.gift_card || !offer.product.discountable || !self.is_left(offer) {
                return None;
            }
            let candidates = self.candidates.get(variant)?;
            let choice = choose(candidates, &buyer.situation(self.settings, self.region, 1, self.now))?;
            Some(GiftFacts { variant: *variant, unit_price_minor: choice.price.amount_minor })
        };
        gifts(self.settings).iter().filter_map(fact).collect()
    }

    /// Whether as many of a gift are left as any promotion gives of it.
    fn is_left(&self, offer: &Offer) -> bool {
        if !offer.variant.manage_inventory || offer.variant.backorder != BackorderPolicy::Deny {
            return true;
        }
        let id = offer.variant.id;
        let given = self.settings.promotions.rows.iter().flat_map(|row| match &row.offer {
            Given::Gifts(gifts) => gifts.as_slice(),
            _ => &[],
        });
        let most = given.filter(|gift| gift.variant == id).map(|gift| i64::from(gift.quantity)).max().unwrap_or(0);
        let bought = self.rows.lines.iter().filter(|line| line.variant_id == id && line.gift_of.is_none());
        let wanted = most + bought.map(|line| i64::from(line.quantity)).sum::<i64>();
        let mut items: Vec<_> = self.stock.iter().filter(|row| row.variant == id).collect();
        items.dedup_by_key(|row| row.item);
        let free = |row: &&StockRow| {
            let here = self.levels.iter().filter(|level| level.item == row.item);
            here.map(|level| level.free().max(0)).sum::<i64>() >= wanted * i64::from(row.required)
        };
        !items.is_empty() && items.iter().all(free)
    }

    async fn counts(&self, conn: &Conn, needs: &Needs, who: &BuyerKey, own: &[promotion_use::Model]) -> Result<Counts> {
        let mut counts = Counts::default();
        if !needs.uses.is_empty() {
            let ids: Vec<_> = needs.uses.keys().copied().collect();
            let in_all = uses::of_promotions(conn, &ids).await?;
            let per_buyer: Vec<_> = needs.uses.iter().filter(|(_, by_buyer)| **by_buyer).map(|(id, _)| *id).collect();
            let is_known = who.customer.is_some() || who.buyer.is_some();
            let by_buyer = match is_known && !per_buyer.is_empty() {
                true => uses::of_buyer(conn, &per_buyer, who).await?,
                false => HashMap::new(),
            };
            for id in ids {
                let held = own.iter().filter(|used| used.promotion_id == id).count() as i64;
                let less = |count: Option<&i64>| (count.copied().unwrap_or(0) - held).max(0);
                let uses = Uses { in_all: less(in_all.get(&id)), by_buyer: is_known.then(|| less(by_buyer.get(&id))) };
                counts.promotions.insert(id, uses);
            }
        }
        if !needs.campaigns.is_empty() {
            let ids: Vec<_> = needs.campaigns.iter().copied().collect();
            counts.campaigns = uses::of_campaigns(conn, &ids, self.rows.cart.currency).await?;
            for used in own.iter().filter(|used| used.currency == self.rows.cart.currency) {
                let Some(spent) = used.campaign_id.and_then(|id| counts.campaigns.get_mut(&id)) else { continue };
                let (uses, amount_minor) = (spent.uses - 1, spent.amount_minor - used.spent_minor);
                *spent = Spent { uses: uses.max(0), amount_minor: amount_minor.max(0) };
            }
        }
        Ok(counts)
    }

    async fn orders(&self, conn: &Conn, needs: &Needs) -> Result<Option<i64>> {
        let cart = &self.rows.cart;
        if !needs.orders || (cart.customer_id.is_none() && cart.email.is_none()) {
            return Ok(None);
        }
        let email = cart.email.as_ref().map(ToString::to_string);
        let placed = uses::orders_of(conn, cart.customer_id, email.as_deref()).await?;
        let own = i64::from(cart.state == CartState::Completed);
        Ok(Some((placed - own).max(0)))
    }
}

fn who(cart: &cart::Model) -> BuyerKey {
    BuyerKey { customer: cart.customer_id, buyer: cart.email.as_ref().map(buyer_key) }
}

impl Known {
    /// What comes off, when these groups have chosen their delivery.
    pub(super) fn apply(&self, seen: &Seen<'_>, buyer: &Buyer, groups: &[QuotedGroup]) -> Outcome {
        if self.idle {
            return Outcome::default();
        }
        let charge = |group: &QuotedGroup| {
            let option = group.chosen.as_ref()?;
            Some(ChargeFacts { position: group.row.position, option: option.id, amount_minor: option.amount_minor })
        };
        let charges: Vec<ChargeFacts> = groups.iter().filter_map(charge).collect();
        let facts = Facts {
            buyer: BuyerFacts {
                currency: seen.rows.cart.currency,
                now: seen.now.timestamp_micros(),
                local: local(seen.now),
                attributes: &buyer.attributes,
                place: self.place.as_ref(),
                orders: self.orders,
            },
            lines: &self.lines,
            charges: &charges,
            ships: self.ships,
            codes: &self.entered,
            gifts: &self.gifts,
            counts: &self.counts,
        };
        seen.settings.promotions.compiled.apply(&facts)
    }
}
