//! What staff work out and agree on: what a cart would cost that nobody has,
//! which is forgotten, and the price of a line that counts in place of any other.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use domain::auth::Permission;
use domain::cart::must_be_open;
use domain::id::{CartId, CartLineId, ChannelId, CustomerGroupId, CustomerId, ShippingOptionId};
use domain::money::Money;
use domain::refusal::{ErrorCode, Refusal, Refusals};
use serde_json::json;

use super::buyer::{Addresses, Buyer};
use super::codes::{entered, find_cards};
use super::gifts::settled;
use super::ops::{LIFE, NewLine, empty, empty_group, finish, merged, no_cart, refuse_unsold};
use super::quote::{Asking, Quote, quote_with};
use super::repo::{self, CartRows};
use crate::actor::Need;
use crate::app::App;
use crate::db::Conn;
use crate::error::{Error, Result};
use crate::op::{Op, Tx};
use crate::scope;
use crate::settings::{Region, Settings};
use crate::shipping::offers::Wish;

/// How far away from now a quote may be.
const FURTHEST: TimeDelta = TimeDelta::days(3_653);

/// A cart that somebody thinks of.
#[derive(Debug, Clone)]
pub struct Rehearsal {
    /// In which channel.
    pub channel: ChannelId,
    /// In which region, unless the buyer names one.
    pub region: Option<Region>,
    /// In which language, unless the buyer names one.
    pub locale: String,
    /// What it holds.
    pub lines: Vec<NewLine>,
    /// What one piece of each line costs, where staff agreed on it; in the order of the lines.
    pub agreed: Vec<Option<Money>>,
    /// Who is buying, as he says.
    pub buyer: Buyer,
    /// Where it goes.
    pub addresses: Addresses,
    /// Who is buying, when he has an account.
    pub customer: Option<CustomerId>,
    /// The customer groups that count, in place of his own.
    pub groups: Option<Vec<CustomerGroupId>>,
    /// How it is sent.
    pub deliveries: Vec<ShippingOptionId>,
    /// Codes of promotions and gift cards that the shopper has.
    pub codes: Vec<String>,
    /// The moment for which it is asked.
    pub at: DateTime<Utc>,
    /// Whether prices that don't serve the buyer are told too.
    pub explains: bool,
}

/// Works out what it would cost; writes nothing.
pub async fn rehearse(app: &Arc<App>, conn: Conn, settings: &Settings, asked: &Rehearsal) -> Result<Quote> {
    let region = asked.buyer.region_of(settings, &asked.addresses, asked.region.as_ref())?;
    let now = app.clock.now();
    if (asked.at - now).abs() > FURTHEST {
        let message = "A quote is for a moment within ten years.";
        return Err(Refusal::new(ErrorCode::Invalid, message).at(["at"]).into());
    }
    // Ids never run ahead of the clock: later ones would follow them.
    let id = || app.ids.next(now);
    let place = (asked.channel, region);
    let mut cart = empty(id().into(), asked.at, place, asked.customer, (asked.locale.clone(), Vec::new()));
    let mut refusals = Refusals::default();
    if asked.lines.is_empty() {
        refusals.push(Refusal::new(ErrorCode::Required, "Name at least one line.").at(["lines"]));
    }
    asked.buyer.apply(&mut cart, settings, &["buyer"], &mut refusals);
    asked.addresses.apply(&mut cart, &["addresses"], &mut refusals);
    let lines = merged(|| id().into(), cart.id, &[], &asked.lines);
    let mut lines = lines.unwrap_or_else(|refused| {
        refusals.extend(refused);
        Vec::new()
    });
    for (place, (new, agreed)) in asked.lines.iter().zip(&asked.agreed).enumerate() {
        let Some(agreed) = agreed else { continue };
        if agreed.currency != cart.currency || agreed.minor < 0 {
            let message = format!("A price is not negative and in the cart's currency, {}.", cart.currency);
            let at = ["lines".to_owned(), place.to_string(), "unitPrice".to_owned()];
            refusals.push(Refusal::new(ErrorCode::Invalid, message).at(at));
        }
        for line in lines.iter_mut().filter(|line| line.variant_id == new.variant) {
            line.unit_price_minor = agreed.minor;
            line.includes_tax = region.row.prices_include_tax;
            line.currency = Some(agreed.currency);
            line.custom_price = true;
        }
    }
    let mut codes = entered(cart.id, &asked.codes, &[]).unwrap_or_else(|refused| {
        refusals.extend(refused);
        Vec::new()
    });
    refusals.into_result()?;
    find_cards(&conn, &app.vault, &mut codes).await?;
    let deliveries = vec![empty_group(id().into(), cart.id)];
    let rows = CartRows { cart, lines, deliveries, session: None, codes };
    let wishes = asked.deliveries.iter().map(|option| Wish { group: None, option: *option }).collect();
    let asking = Asking { wishes, groups: asked.groups.clone(), explains: asked.explains, clock: Some(now) };
    let mut told = quote_with(&conn, settings, rows, asked.at, asking.clone()).await?;
    if let Some(lines) = settled(&told, || id().into()) {
        told = quote_with(&conn, settings, CartRows { lines, ..told.rows }, asked.at, asking).await?;
    }
    refuse_unsold(&told, &asked.lines)?;
    // Nobody pays what is only asked about.
    let of_order = [ErrorCode::EmailMissing, ErrorCode::PaymentMissing, ErrorCode::ShippingAddressMissing];
    told.issues.retain(|issue| !of_order.contains(&issue.refusal.code));
    Ok(told)
}

/// Sets what one piece of a line costs, or lets the price be chosen again.
#[derive(Debug, Clone)]
pub struct AgreeOnPrice {
    /// Whose cart.
    pub cart: CartId,
    /// Which line.
    pub line: CartLineId,
    /// What one piece costs, in the basis that is usual in the cart's region; chosen as for everybody when absent.
    pub unit_price: Option<Money>,
}

impl Op for AgreeOnPrice {
    const NAME: &'static str = "cart.agree_on_price";
    const NEEDS: Need = Need::Permission(Permission::OrdersWrite);
    type Out = Quote;

    async fn run(&self, tx: &mut Tx) -> Result<Quote> {
        let reach = scope::channels(tx.actor(), Permission::OrdersWrite);
        let held = repo::touch(tx, self.cart, tx.now() + LIFE).await?.filter(|(row, _)| reach.holds(row.channel_id));
        let (row, version) = held.ok_or_else(no_cart)?;
        must_be_open(row.state)?;
        let settings = tx.settings_at(version).await?;
        let region = settings.region(row.region_id).ok_or_else(|| Error::internal("the region of a cart is gone"))?;
        let includes_tax = region.row.prices_include_tax;
        let mut rows = repo::rows_of(&tx.conn, row).await?;
        let currency = rows.cart.currency;
        if self.unit_price.is_some_and(|price| price.currency != currency || price.minor < 0) {
            let message = format!("The price is not negative and in the cart's currency, {currency}.");
            return Err(Refusal::new(ErrorCode::Invalid, message).at(["unitPrice"]).into());
        }
        let line = rows.lines.iter_mut().find(|line| line.id == self.line);
        let line = line.ok_or_else(|| Refusal::new(ErrorCode::NotFound, "There is no such line.").at(["lineId"]))?;
        let before = json!({ "unitPriceMinor": line.unit_price_minor, "customPrice": line.custom_price });
        line.custom_price = self.unit_price.is_some();
        if let Some(price) = self.unit_price {
            line.unit_price_minor = price.minor;
            line.includes_tax = includes_tax;
            line.currency = Some(currency);
        }
        let after = json!({ "unitPriceMinor": line.unit_price_minor, "customPrice": line.custom_price });
        tx.audit(self.line, Some(before), Some(after));
        finish(tx, &settings, rows, true, &[]).await
    }
}
