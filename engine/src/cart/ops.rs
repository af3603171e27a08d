//! What shoppers change about carts. Every op answers with the cart as it is
//! now, worked out within its own transaction.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use domain::cart::{CartState, add, must_be_open, quantity};
use domain::id::{CartDeliveryId, CartId, CartLineId, ChannelId, CustomerId, ShippingOptionId, VariantId};
use domain::refusal::{ErrorCode, Refusal, Refusals};
use entity::{cart, cart_delivery, cart_line, payment_session};

use super::buyer::{Addresses, Buyer};
use super::hold::hold;
use super::quote::{Asking, Quote, quote, quote_with};
use super::repo::{self, CartRows};
use super::{codes, gifts};
use crate::actor::{Actor, Need};
use crate::auth::token;
use crate::error::Result;
use crate::op::{Op, Tx};
use crate::payment::method::Choice;
use crate::settings::{Region, Settings};
use crate::shipping::offers::{QuotedGroup, Wish};

/// How long a cart is kept after its last change.
pub(super) const LIFE: TimeDelta = TimeDelta::days(30);

/// How a caller shows that a cart is his.
#[derive(Debug, Clone)]
pub struct CartAccess {
    /// Which cart.
    pub id: CartId,
    /// The token that came with it, for a guest.
    pub token: Option<String>,
}

/// Whether the cart is the caller's: a customer's by who he is, a guest's by
/// its token. What is not his is not there.
pub fn is_own(cart: &cart::Model, actor: &Actor, token_text: Option<&str>) -> bool {
    if *actor == Actor::System {
        return true;
    }
    match cart.customer_id {
        Some(owner) => actor.customer() == Some(owner),
        None => token_text.is_some_and(|text| token::same(&cart.token_hash, &token::hash(text))),
    }
}

/// The caller's cart, held and open, with its rows; what follows is undone
/// with the transaction when it turns out not to be his.
pub(super) async fn hold_open(tx: &mut Tx, access: &CartAccess) -> Result<(CartRows, Arc<Settings>)> {
    let held = repo::touch(tx, access.id, tx.now() + LIFE).await?;
    let own = held.filter(|(row, _)| is_own(row, tx.actor(), access.token.as_deref()));
    let (mut row, version) = own.ok_or_else(no_cart)?;
    must_be_open(row.state)?;
    if let (None, Some(customer)) = (row.customer_id, tx.actor().customer()) {
        row = super::merge::attach(tx, row, customer).await?;
    }
    let settings = tx.settings_at(version).await?;
    Ok((repo::rows_of(&tx.conn, row).await?, settings))
}

/// The one answer for a cart that is not there and for one that is not yours.
pub fn no_cart() -> Refusal {
    Refusal::new(ErrorCode::NotFound, "There is no such cart.").at(["cartId"])
}

/// Works out what the cart comes to, writes the prices that the shopper is
/// shown now, and refuses what was `added` and is not for sale here.
pub(super) async fn finish(
    tx: &mut Tx,
    settings: &Settings,
    rows: CartRows,
    lines_changed: bool,
    added: &[NewLine],
) -> Result<Quote> {
    let held = rows.deliveries.clone();
    let (mut told, mut lines_changed) = (quote(&tx.conn, settings, rows, tx.now()).await?, lines_changed);
    refuse_unsold(&told, added)?;
    if let Some(lines) = gifts::settled(&told, || tx.id()) {
        told = quote(&tx.conn, settings, CartRows { lines, ..told.rows }, tx.now()).await?;
        lines_changed = true;
    }
    settle(tx, &held, &mut told, lines_changed).await?;
    if lines_changed {
        hold(tx, &mut told).await?;
    }
    Ok(told)
}

/// Writes the prices that the shopper is shown now, which codes give something, and the delivery groups as they have
/// become.
async fn settle(tx: &mut Tx, held: &[cart_delivery::Model], told: &mut Quote, lines_changed: bool) -> Result<()> {
    let codes = codes::shown(&told.rows.codes, &told.outcome);
    if codes != told.rows.codes {
        repo::replace_codes(tx, told.rows.cart.id, &codes).await?;
        told.rows.codes = codes;
        // This answer tells of it.
        let told_now = told.issues.iter_mut().filter(|issue| CODES.contains(&issue.refusal.code));
        told_now.for_each(|issue| issue.blocking = false);
    }
    let lines = shown(told);
    if lines_changed || lines != told.rows.lines {
        repo::replace_lines(tx, told.rows.cart.id, lines).await?;
    }
    repo::keep_deliveries(tx, held, &told.rows.deliveries).await
}

/// What is said of codes that give nothing.
const CODES: [ErrorCode; 2] = [ErrorCode::CodeUnknown, ErrorCode::CodeNotApplied];

/// The lines with the prices at which the shopper sees them now.
fn shown(told: &Quote) -> Vec<cart_line::Model> {
    let mut lines = told.rows.lines.clone();
    for (line, quoted) in lines.iter_mut().zip(&told.lines) {
        if let Some(price) = &quoted.price {
            line.price_id = price.id.or(line.price_id);
            line.unit_price_minor = price.amount_minor;
            line.includes_tax = price.includes_tax;
            line.currency = Some(told.rows.cart.currency);
            line.custom_price &= price.id.is_none();
        }
    }
    lines
}

pub(super) fn refuse_unsold(told: &Quote, added: &[NewLine]) -> Result<(), Vec<Refusal>> {
    let mut refusals = Refusals::default();
    for (place, new) in added.iter().enumerate() {
        let line = told.lines.iter().find(|line| line.row.variant_id == new.variant);
        if line.is_none_or(|line| line.offer.is_none()) {
            let refusal = Refusal::new(ErrorCode::NotForSale, "There is no such variant for sale here.");
            refusals.push(refusal.about(new.variant).at([
                "lines".to_owned(),
                place.to_string(),
                "variantId".to_owned(),
            ]));
        }
    }
    refusals.into_result()
}

/// Pieces of a variant that a cart shall hold.
#[derive(Debug, Clone)]
pub struct NewLine {
    /// Which variant.
    pub variant: VariantId,
    /// How many more.
    pub quantity: i64,
}

/// The lines after `added` was put onto them.
pub(super) fn merged(
    mut id: impl FnMut() -> CartLineId,
    cart: CartId,
    held: &[cart_line::Model],
    added: &[NewLine],
) -> Result<Vec<cart_line::Model>, Vec<Refusal>> {
    let (gifts, held): (Vec<_>, Vec<_>) = held.iter().partition(|line| line.gift_of.is_some());
    let before: Vec<_> = held.iter().map(|line| (line.variant_id, line.quantity)).collect();
    let wanted: Vec<_> = added.iter().map(|line| (line.variant, line.quantity)).collect();
    let next = held.iter().chain(&gifts).map(|line| line.position).max().map_or(0, |last| last + 1);
    let lines = add(&before, &wanted)?;
    let rows = lines.into_iter().enumerate().map(|(place, (variant_id, quantity))| match held.get(place) {
        Some(line) => cart_line::Model { quantity, ..(*line).clone() },
        // A line without a price has not been shown at any yet.
        None => cart_line::Model {
            id: id(),
            cart_id: cart,
            position: next + (place - held.len()) as i32,
            variant_id,
            quantity,
            price_id: None,
            unit_price_minor: 0,
            includes_tax: false,
            currency: None,
            custom_price: false,
            gift_of: None,
        },
    });
    let mut rows: Vec<cart_line::Model> = rows.collect();
    rows.extend(gifts.into_iter().cloned());
    rows.sort_by_key(|row| row.position);
    Ok(rows)
}

/// A new cart, as full as the caller likes.
#[derive(Debug, Clone)]
pub struct CreateCart {
    /// In which channel.
    pub channel: ChannelId,
    /// In which region, unless the buyer names one.
    pub region: Option<Region>,
    /// In which language, unless the buyer names one.
    pub locale: String,
    /// The token that will open it, drawn at random by the caller.
    pub token: String,
    /// What it holds.
    pub lines: Vec<NewLine>,
    /// Who is buying.
    pub buyer: Buyer,
    /// Where it goes.
    pub addresses: Addresses,
    /// Codes that the shopper has.
    pub codes: Vec<String>,
}

impl Op for CreateCart {
    const NAME: &'static str = "cart.create";
    const NEEDS: Need = Need::Nothing;
    type Out = Quote;

    async fn run(&self, tx: &mut Tx) -> Result<Quote> {
        let settings = tx.settings().await?;
        let region = self.buyer.region_of(&settings, &self.addresses, self.region.as_ref())?;
        let customer = tx.actor().customer();
        let hash = token::hash(&self.token);
        let mut cart = empty(tx.id(), tx.now(), (self.channel, region), customer, (self.locale.clone(), hash));
        let mut refusals = Refusals::default();
        if let Some(customer) = cart.customer_id {
            super::merge::know(tx, &mut cart, customer).await?;
        }
        self.buyer.apply(&mut cart, &settings, &["buyer"], &mut refusals);
        self.addresses.apply(&mut cart, &["addresses"], &mut refusals);
        let lines = merged(|| tx.id(), cart.id, &[], &self.lines).unwrap_or_else(|refused| {
            refusals.extend(refused);
            Vec::new()
        });
        let group = empty_group(tx.id(), cart.id);
        let lines_are_fine = lines.len() == self.lines.len() || !lines.is_empty();
        let mut codes = codes::entered(cart.id, &self.codes, &[]).unwrap_or_else(|refused| {
            refusals.extend(refused);
            Vec::new()
        });
        codes::find_cards(&tx.conn, tx.vault(), &mut codes).await?;
        cart.codes = codes.len() as i32;
        let rows = CartRows { cart, lines, deliveries: vec![group], session: None, codes };
        let mut told = quote(&tx.conn, &settings, rows, tx.now()).await?;
        if lines_are_fine && let Err(refused) = refuse_unsold(&told, &self.lines) {
            refusals.extend(refused);
        }
        refusals.into_result()?;
        if let Some(lines) = gifts::settled(&told, || tx.id()) {
            told = quote(&tx.conn, &settings, CartRows { lines, ..told.rows }, tx.now()).await?;
        }
        told.rows.lines = shown(&told);
        told.rows.codes = codes::shown(&told.rows.codes, &told.outcome);
        repo::insert(tx, &told.rows).await?;
        codes::forgive(tx, &self.token, &told, |_| true).await?;
        hold(tx, &mut told).await?;
        Ok(told)
    }
}

/// A cart that holds nothing yet.
pub(super) fn empty(
    id: CartId,
    now: DateTime<Utc>,
    (channel, region): (ChannelId, &Region),
    customer: Option<CustomerId>,
    (locale, token_hash): (String, Vec<u8>),
) -> cart::Model {
    cart::Model {
        id,
        version: 1,
        created_at: now,
        updated_at: now,
        token_hash,
        channel_id: channel,
        region_id: region.row.id,
        currency: region.row.currency,
        customer_id: customer,
        email: None,
        locale,
        shipping_address: None,
        billing_address: None,
        state: CartState::Open,
        expires_at: now + LIFE,
        tax_number: None,
        untouched_since: Some(now),
        abandoned_at: None,
        erased_at: None,
        codes: 0,
        uses_store_credit: false,
    }
}

/// The delivery group with which every cart begins.
pub(super) fn empty_group(id: CartDeliveryId, cart: CartId) -> cart_delivery::Model {
    cart_delivery::Model { id, cart_id: cart, position: 0, shipping_option_id: None, shipping_profile_id: None }
}

/// Puts pieces into a cart.
#[derive(Debug, Clone)]
pub struct AddLines {
    /// Whose cart.
    pub access: CartAccess,
    /// What.
    pub lines: Vec<NewLine>,
}

impl Op for AddLines {
    const NAME: &'static str = "cart.add_lines";
    const NEEDS: Need = Need::Nothing;
    type Out = Quote;

    async fn run(&self, tx: &mut Tx) -> Result<Quote> {
        let (mut rows, settings) = hold_open(tx, &self.access).await?;
        rows.lines = merged(|| tx.id(), rows.cart.id, &rows.lines, &self.lines)?;
        finish(tx, &settings, rows, true, &self.lines).await
    }
}

fn no_line(place: usize, name: &str) -> Refusal {
    Refusal::new(ErrorCode::NotFound, "The cart has no such line.").at([
        name.to_owned(),
        place.to_string(),
        "lineId".to_owned(),
    ])
}

/// Changes how many pieces lines hold.
#[derive(Debug, Clone)]
pub struct UpdateLines {
    /// Whose cart.
    pub access: CartAccess,
    /// Which lines, and how many each shall hold.
    pub lines: Vec<(CartLineId, i64)>,
}

impl Op for UpdateLines {
    const NAME: &'static str = "cart.update_lines";
    const NEEDS: Need = Need::Nothing;
    type Out = Quote;

    async fn run(&self, tx: &mut Tx) -> Result<Quote> {
        let (mut rows, settings) = hold_open(tx, &self.access).await?;
        let mut refusals = Refusals::default();
        for (place, (id, wanted)) in self.lines.iter().enumerate() {
            let at = ["lines".to_owned(), place.to_string(), "quantity".to_owned()];
            let wanted = refusals.keep(quantity(*wanted).map_err(|refusal| refusal.at(at)));
            match (rows.lines.iter_mut().find(|line| line.id == *id), wanted) {
                (Some(line), _) if line.gift_of.is_some() => refusals.push(gifts::fixed(place, "lines")),
                (Some(line), Some(wanted)) => line.quantity = wanted,
                (Some(_), None) => {}
                (None, _) => refusals.push(no_line(place, "lines")),
            }
        }
        refusals.into_result()?;
        finish(tx, &settings, rows, true, &[]).await
    }
}

/// Takes lines out of a cart.
#[derive(Debug, Clone)]
pub struct RemoveLines {
    /// Whose cart.
    pub access: CartAccess,
    /// Which lines.
    pub lines: Vec<CartLineId>,
}

impl Op for RemoveLines {
    const NAME: &'static str = "cart.remove_lines";
    const NEEDS: Need = Need::Nothing;
    type Out = Quote;

    async fn run(&self, tx: &mut Tx) -> Result<Quote> {
        let (mut rows, settings) = hold_open(tx, &self.access).await?;
        let mut refusals = Refusals::default();
        for (place, id) in self.lines.iter().enumerate() {
            match rows.lines.iter().find(|line| line.id == *id) {
                None => refusals.push(
                    Refusal::new(ErrorCode::NotFound, "The cart has no such line.")
                        .at(["lineIds".to_owned(), place.to_string()]),
                ),
                Some(line) if line.gift_of.is_some() => refusals.push(gifts::fixed(place, "lineIds")),
                Some(_) => {}
            }
        }
        refusals.into_result()?;
        rows.lines.retain(|line| !self.lines.contains(&line.id));
        finish(tx, &settings, rows, true, &[]).await
    }
}

/// Changes who is buying.
#[derive(Debug, Clone)]
pub struct UpdateBuyer {
    /// Whose cart.
    pub access: CartAccess,
    /// What changes.
    pub buyer: Buyer,
}

impl Op for UpdateBuyer {
    const NAME: &'static str = "cart.update_buyer";
    const NEEDS: Need = Need::Nothing;
    type Out = Quote;

    async fn run(&self, tx: &mut Tx) -> Result<Quote> {
        let (mut rows, settings) = hold_open(tx, &self.access).await?;
        let mut refusals = Refusals::default();
        self.buyer.apply(&mut rows.cart, &settings, &[], &mut refusals);
        refusals.into_result()?;
        rows.cart = repo::update(tx, rows.cart).await?;
        finish(tx, &settings, rows, false, &[]).await
    }
}

/// Changes where a cart goes.
#[derive(Debug, Clone)]
pub struct UpdateAddresses {
    /// Whose cart.
    pub access: CartAccess,
    /// What changes.
    pub addresses: Addresses,
}

impl Op for UpdateAddresses {
    const NAME: &'static str = "cart.update_addresses";
    const NEEDS: Need = Need::Nothing;
    type Out = Quote;

    async fn run(&self, tx: &mut Tx) -> Result<Quote> {
        let (mut rows, settings) = hold_open(tx, &self.access).await?;
        let mut refusals = Refusals::default();
        self.addresses.apply(&mut rows.cart, &[], &mut refusals);
        refusals.into_result()?;
        rows.cart = repo::update(tx, rows.cart).await?;
        finish(tx, &settings, rows, false, &[]).await
    }
}

/// Chooses how a delivery group is sent.
#[derive(Debug, Clone)]
pub struct SelectDelivery {
    /// Whose cart.
    pub access: CartAccess,
    /// Which group; the one that the option is for when absent.
    pub group: Option<CartDeliveryId>,
    /// Which of the options that it is offered.
    pub option: ShippingOptionId,
}

impl Op for SelectDelivery {
    const NAME: &'static str = "cart.select_delivery";
    const NEEDS: Need = Need::Nothing;
    type Out = Quote;

    async fn run(&self, tx: &mut Tx) -> Result<Quote> {
        let (rows, settings) = hold_open(tx, &self.access).await?;
        let held = rows.deliveries.clone();
        let wish = Wish { group: self.group, option: self.option };
        let mut told =
            quote_with(&tx.conn, &settings, rows, tx.now(), Asking { wishes: vec![wish], ..Asking::default() }).await?;
        let mut chose = told.groups.iter().filter(|group| group.row.shipping_option_id == Some(self.option));
        if let Some(why) = chose.find_map(QuotedGroup::fault) {
            return Err(Refusal::new(ErrorCode::DeliveryUnavailable, why).at(["deliveryOptionId"]).into());
        }
        settle(tx, &held, &mut told, false).await?;
        Ok(told)
    }
}

/// Chooses how a cart is paid; moves no money.
#[derive(Debug, Clone)]
pub struct CreatePaymentSession {
    /// Whose cart.
    pub access: CartAccess,
    /// Which provider.
    pub provider: String,
    /// What the provider needs to know.
    pub data: serde_json::Value,
    /// What was chosen of what the customer saved.
    pub choice: Choice,
}

impl Op for CreatePaymentSession {
    const NAME: &'static str = "cart.create_payment_session";
    const NEEDS: Need = Need::Nothing;
    type Out = Quote;

    async fn run(&self, tx: &mut Tx) -> Result<Quote> {
        let (mut rows, settings) = hold_open(tx, &self.access).await?;
        let region = settings.region(rows.cart.region_id);
        if !region.is_some_and(|region| region.providers.contains(&self.provider)) {
            let message = "This payment provider is not offered in the cart's region.";
            return Err(Refusal::new(ErrorCode::PaymentProviderUnavailable, message).at(["provider"]).into());
        }
        let row = payment_session::Model {
            id: tx.id(),
            created_at: tx.now(),
            cart_id: rows.cart.id,
            provider: self.provider.clone(),
            data: self.data.clone(),
            saved_method: self.choice.method.clone(),
            saves_method: self.choice.save,
        };
        repo::put_session(tx, row.clone()).await?;
        rows.session = Some(row);
        finish(tx, &settings, rows, false, &[]).await
    }
}
