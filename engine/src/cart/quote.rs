//! What a cart costs at this moment, and what stands between it and an order:
//! the one place where carts, prices, stock, taxes and shipping meet. Cart,
//! checkout and every mutation's answer use it.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use domain::address::Address;
use domain::catalog::BackorderPolicy;
use domain::checkout::{DeliveryChoice, Readiness, missing};
use domain::id::{CartDeliveryId, CartLineId, CustomerGroupId, InventoryItemId, PriceId, VariantId};
use domain::inventory::{Demand, Level, Take};
use domain::money::{Currency, Money};
use domain::pricing::{Candidate, Situation, Weighed, choose, explain};
use domain::promotion::outcome::{AdjustedRow, Outcome};
use domain::refusal::{ErrorCode, Refusal};
use domain::shipping::group::ShippedLine;
use domain::tax::{TaxChoice, TaxExemption};
use domain::totals::{LineInput, RowTotals, ShippingInput, Totals, TotalsError, TotalsInput, compute};
use entity::{cart_line, price, product, promotion_code, variant};

use super::hold::Holds;
use super::means::{Means, means};
use super::promote::{Seen, gifts};
use super::repo::{CartRows, OfferRow, offers};
use super::stock::{counted_items, demand, levels, pickups, policy, reserve};
use super::taxed::{Lines, left, levy, payable};
use crate::db::Conn;
use crate::error::{Error, Result};
use crate::inventory::repo::StockRow;
use crate::pricing::buyer::Buyer;
use crate::settings::{Region, Settings};
use crate::shipping::offers::{Asked, QuotedGroup, Wish, asks_groups, deliver};
use crate::tax::due::due;

/// A variant that is for sale, with its product.
#[derive(Debug, Clone)]
pub struct Offer {
    /// The variant.
    pub variant: variant::Model,
    /// Its product.
    pub product: product::Model,
}

/// What one piece of a line costs, in minor units of the cart's currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LinePrice {
    /// Which price it is; none when staff agreed on it with the shopper.
    pub id: Option<PriceId>,
    /// The amount.
    pub amount_minor: i64,
    /// Whether it holds its tax.
    pub includes_tax: bool,
    /// The amount to strike through, in the same basis.
    pub compare_at_minor: Option<i64>,
}

/// A line with what is known of it now.
#[derive(Debug, Clone)]
pub struct QuotedLine {
    /// The line.
    pub row: cart_line::Model,
    /// The variant and its product, while it is for sale here.
    pub offer: Option<Offer>,
    /// The price that applies now.
    pub price: Option<LinePrice>,
    /// What the line comes to.
    pub totals: RowTotals,
    /// The tax rates that apply, and why.
    pub tax: TaxChoice,
}

/// Something that stands between a cart and an order, or that the shopper
/// should know before.
#[derive(Debug, Clone)]
pub struct Issue {
    /// What it is.
    pub refusal: Refusal,
    /// The line that it is about.
    pub line: Option<CartLineId>,
    /// Whether the cart can't become an order before it is settled.
    pub blocking: bool,
    /// What one piece cost when the shopper was shown it last, and what it costs now.
    pub prices: Option<(Money, Money)>,
}

impl Issue {
    /// An issue that is not about a price.
    pub fn new(refusal: Refusal, line: Option<CartLineId>, blocking: bool) -> Self {
        Self { refusal, line, blocking, prices: None }
    }
}

/// What a cart costs at this moment.
#[derive(Debug, Clone)]
pub struct Quote {
    /// The cart's rows.
    pub rows: CartRows,
    /// The region that it is in.
    pub region: Region,
    /// Its lines.
    pub lines: Vec<QuotedLine>,
    /// Its delivery groups by position, with what each is offered; none when nothing of it is sent.
    pub groups: Vec<QuotedGroup>,
    /// The tax rates that apply to what each delivery group chose, and why.
    pub delivery_taxes: Vec<TaxChoice>,
    /// Why no tax is due though rates would apply.
    pub tax_exemption: Option<TaxExemption>,
    /// What promotions give, and why others give nothing.
    pub outcome: Outcome,
    /// Its codes that the shop knows.
    pub codes: Vec<promotion_code::Model>,
    /// What it comes to.
    pub totals: Totals,
    /// What gift cards and store credit pay of that.
    pub means: Means,
    /// The items behind each variant, and how many one piece takes.
    pub items: Vec<(VariantId, InventoryItemId, i32)>,
    /// What stands between it and an order.
    pub issues: Vec<Issue>,
    /// The stock that it would take, when there is enough.
    pub takes: Vec<Take>,
    /// The stock that it may take from: what it holds itself is free to it.
    pub(super) levels: Vec<Level>,
    /// What is held for it.
    pub holds: Holds,
    /// Whether anything of it is sent to an address, and not all of it picked up.
    pub needs_address: bool,
    /// The moment at which it was worked out.
    pub at: DateTime<Utc>,
    pub(super) buyer: Buyer,
    pub(super) prices: HashMap<VariantId, Vec<Candidate>>,
}

impl Quote {
    /// What it comes to.
    pub fn total(&self) -> Money {
        Money::new(self.totals.total_minor, self.rows.cart.currency)
    }

    /// What is left to pay of that, after gift cards and store credit.
    pub fn due(&self) -> Money {
        Money::new(self.totals.due_minor, self.rows.cart.currency)
    }

    /// What the chosen option of a delivery group comes to; nothing before one is chosen.
    pub fn delivery_totals(&self, group: &QuotedGroup) -> Option<&RowTotals> {
        self.totals.shipping.iter().find(|row| row.position == group.row.position)
    }

    /// What so many pieces of a variant take from stock; nothing when its stock is not counted.
    pub fn needs(&self, variant: VariantId, quantity: i32) -> Vec<(InventoryItemId, i32)> {
        let of_variant = self.items.iter().filter(|(known, _, _)| *known == variant);
        of_variant.map(|(_, item, required)| (*item, quantity.saturating_mul(*required))).collect()
    }

    /// Whether what is sold of a variant may have yet to come.
    pub fn may_wait(&self, variant: VariantId) -> bool {
        let line = self.lines.iter().find(|line| line.row.variant_id == variant);
        let offer = line.and_then(|line| line.offer.as_ref());
        offer.is_some_and(|offer| offer.variant.backorder != BackorderPolicy::Deny)
    }

    /// Every price that was looked at for a line, with what became of it, the chosen one first; none when staff
    /// agreed on the price.
    pub fn reasons<'q>(&'q self, settings: &'q Settings, line: &QuotedLine) -> Vec<Weighed<'q>> {
        if line.price.is_some_and(|price| price.id.is_none()) {
            return Vec::new();
        }
        let prices = self.prices.get(&line.row.variant_id).map(Vec::as_slice).unwrap_or_default();
        explain(prices, &self.buyer.situation(settings, &self.region, line.row.quantity, self.at))
    }

    /// Every reason why it can't become an order now.
    pub fn blocking(&self) -> Vec<Refusal> {
        self.issues.iter().filter(|issue| issue.blocking).map(|issue| issue.refusal.clone()).collect()
    }
}

/// Works out what a cart costs: two statements, whatever it holds; a third when it is a customer's.
pub async fn quote(conn: &Conn, settings: &Settings, rows: CartRows, now: DateTime<Utc>) -> Result<Quote> {
    quote_with(conn, settings, rows, now, Asking::default()).await
}

/// What is asked beside the cart itself.
#[derive(Debug, Clone, Default)]
pub struct Asking {
    /// Choices of delivery that are about to be made.
    pub wishes: Vec<Wish>,
    /// The customer groups that count, in place of those that the customer is in.
    pub groups: Option<Vec<CustomerGroupId>>,
    /// Whether prices of lists that don't serve the buyer are told too.
    pub explains: bool,
    /// What time it is, when the cart is worked out for another moment: answers of providers grow old by it.
    pub clock: Option<DateTime<Utc>>,
}

/// The same with more that is asked.
pub async fn quote_with(
    conn: &Conn,
    settings: &Settings,
    mut rows: CartRows,
    now: DateTime<Utc>,
    asking: Asking,
) -> Result<Quote> {
    let region = region_of(settings, &rows)?;
    let country = rows.cart.shipping_address.as_ref().map(|address| &address.country);
    let mut buyer = Buyer::new(rows.cart.channel_id, &region, rows.cart.customer_id, country);
    asking.groups.iter().for_each(|groups| buyer.joins(groups.iter().copied()));
    let (rows_offered, stock) = on_offer(conn, settings, &rows, &mut buyer, (now, asking.explains)).await?;
    let (offered, candidates) = by_variant(rows_offered);
    buyer.meet(conn, candidates.values().flatten()).await?;
    if asks_groups(settings) {
        buyer.learn(conn).await?;
    }
    let price = |line: &cart_line::Model| {
        let candidates = candidates.get(&line.variant_id).map(Vec::as_slice).unwrap_or_default();
        price_of(line, candidates, &buyer.situation(settings, &region, line.quantity, now))
    };
    let priced: Vec<Option<LinePrice>> = rows.lines.iter().map(price).collect();
    let items = counted_items(&rows.lines, &offered, &stock);
    let holds = Holds::of(conn, settings, &rows.cart, now).await?;
    let levels = levels(settings, &rows.cart, &stock, &holds);
    let seen = Seen {
        settings,
        region: &region,
        rows: &rows,
        priced: &priced,
        offered: &offered,
        candidates: &candidates,
        stock: &stock,
        levels: &levels,
        now,
    };
    let known = seen.learn(conn, &mut buyer).await?;
    // What is offered to send it goes by what is left of its lines.
    let early = known.apply(&seen, &buyer, &[]);
    let lines = shipped_lines(settings, &rows, &priced, &offered, &items, &early)?;
    let clock = asking.clock.unwrap_or(now);
    let groups = deliver(
        conn,
        clock,
        &Asked {
            settings,
            cart: &rows.cart,
            held: &rows.deliveries,
            wishes: &asking.wishes,
            lines: &lines,
            levels: &levels,
            attributes: &buyer.attributes,
        },
    )
    .await?;
    let outcome = known.apply(&seen, &buyer, &groups);
    if !groups.is_empty() {
        rows.deliveries = groups.iter().map(|group| group.row.clone()).collect();
    }
    let pickups = pickups(&groups, rows.lines.len());
    let picked_up = picked_up(settings, &groups);
    let due = due(conn, settings, &rows.cart, &region, (picked_up, asking.groups.as_deref())).await?;
    let priced_lines = Lines { rows: &rows, priced: &priced, offered: &offered };
    let levied = levy(conn, clock, &due, &priced_lines, (&groups, &outcome)).await?;
    let tax_exemption = due.exemption;
    let exempt = tax_exemption.is_some();
    let mut totals =
        add_up(&rows, &region, (&priced, &levied.lines), (&groups, &levied.deliveries), (exempt, &outcome))?;
    let means = means(conn, &rows, payable(&priced_lines, &totals), now).await?;
    totals.pay(means.spending.paid_minor);

    let lines = quoted_lines(&rows, (priced, levied.lines), &offered, &totals)?;
    let (takes, mut issues) = reserve(&lines, &items, (levels.clone(), policy(settings, &rows.cart)), &pickups);
    issues.extend(told(&rows, &lines, &outcome, &means));
    issues.extend(absences(&rows, &region, &groups, totals.due_minor));
    // Who owes no tax needs no rates.
    let refused = levied.refused.filter(|_| !exempt);
    issues.extend(refused.map(|refusal| Issue::new(refusal, None, true)));
    Ok(Quote {
        needs_address: groups.iter().any(QuotedGroup::is_sent),
        rows,
        region,
        lines,
        groups,
        delivery_taxes: levied.deliveries,
        tax_exemption,
        outcome,
        codes: known.codes,
        totals,
        means,
        items,
        issues,
        takes,
        levels,
        holds,
        at: now,
        buyer,
        prices: candidates,
    })
}

fn region_of(settings: &Settings, rows: &CartRows) -> Result<Region, Refusal> {
    let message = "The cart's region is gone: choose another one with cartBuyerUpdate.";
    settings.region(rows.cart.region_id).cloned().ok_or_else(|| Refusal::new(ErrorCode::RegionMissing, message))
}

/// What is for sale of what the cart holds and of what promotions may give beside, with its stock.
async fn on_offer(
    conn: &Conn,
    settings: &Settings,
    rows: &CartRows,
    buyer: &mut Buyer,
    (now, explains): (DateTime<Utc>, bool),
) -> Result<(Vec<OfferRow>, Vec<StockRow>)> {
    let mut variants: Vec<VariantId> = rows.lines.iter().map(|line| line.variant_id).collect();
    if variants.is_empty() {
        return Ok(Default::default());
    }
    variants.extend(gifts(settings).iter().filter(|gift| !rows.lines.iter().any(|line| line.variant_id == **gift)));
    let mut lists = buyer.read_lists(conn, settings, now).await?;
    if explains {
        lists = settings.lists.iter().map(|list| list.id).collect();
    }
    let offered = offers(conn, &variants, (rows.cart.channel_id, rows.cart.currency, &lists), now).await?;
    Ok((offered, crate::inventory::repo::of_variants(conn, &variants).await?))
}

/// What is for sale, and every price of it that may be chosen.
fn by_variant(
    rows: Vec<(variant::Model, Option<product::Model>, Option<price::Model>)>,
) -> (HashMap<VariantId, Offer>, HashMap<VariantId, Vec<Candidate>>) {
    let mut offered: HashMap<VariantId, Offer> = HashMap::new();
    let mut candidates: HashMap<VariantId, Vec<Candidate>> = HashMap::new();
    for (variant, product, price) in rows {
        if let Some(price) = &price {
            candidates.entry(variant.id).or_default().push(crate::pricing::repo::candidate(price));
        }
        if let Some(product) = product {
            offered.insert(variant.id, Offer { variant, product });
        }
    }
    (offered, candidates)
}

/// The lines with what is known of them now.
fn quoted_lines(
    rows: &CartRows,
    (priced, taxes): (Vec<Option<LinePrice>>, Vec<TaxChoice>),
    offered: &HashMap<VariantId, Offer>,
    totals: &Totals,
) -> Result<Vec<QuotedLine>> {
    let quoted = |((row, price), tax): ((&cart_line::Model, Option<LinePrice>), TaxChoice)| {
        let totals = totals.lines.iter().find(|totals| totals.position == row.position).cloned();
        let totals = totals.ok_or_else(|| Error::internal("the calculator lost a line"))?;
        Ok(QuotedLine { row: row.clone(), offer: offered.get(&row.variant_id).cloned(), price, totals, tax })
    };
    rows.lines.iter().zip(priced).zip(taxes).map(quoted).collect()
}

/// What is missing for an order, apart from the lines.
fn absences(rows: &CartRows, region: &Region, groups: &[QuotedGroup], due_minor: i64) -> Vec<Issue> {
    let deliveries: Vec<(CartDeliveryId, DeliveryChoice)> =
        groups.iter().map(|group| (group.row.id, group.choice())).collect();
    let absent = missing(&Readiness {
        lines: rows.lines.len(),
        has_email: rows.cart.email.is_some(),
        needs_address: groups.iter().any(QuotedGroup::is_sent),
        country: rows.cart.shipping_address.as_ref().map(|address| &address.country),
        billing_country: rows.cart.billing_address.as_ref().map(|address| &address.country),
        region_countries: &region.countries,
        deliveries: &deliveries,
        due_minor,
        has_payment: rows.session.is_some(),
        payment_offered: rows.session.as_ref().is_none_or(|session| region.providers.contains(&session.provider)),
    });
    absent.into_iter().map(|refusal| Issue::new(refusal, None, true)).collect()
}

/// Where everything that has to be delivered is picked up, when nothing of it is sent.
fn picked_up<'s>(settings: &'s Settings, groups: &[QuotedGroup]) -> Option<&'s Address> {
    if groups.iter().any(QuotedGroup::is_sent) {
        return None;
    }
    let location = groups.first()?.chosen.as_ref()?.pickup?;
    settings.locations.iter().find(|known| known.id == location)?.address.as_ref()
}

/// The price of a line: what staff agreed on, as long as it is in the cart's currency, else what is chosen.
fn price_of(line: &cart_line::Model, candidates: &[Candidate], situation: &Situation<'_>) -> Option<LinePrice> {
    if line.custom_price && line.currency == Some(situation.currency) {
        let (amount_minor, includes_tax) = (line.unit_price_minor, line.includes_tax);
        return Some(LinePrice { id: None, amount_minor, includes_tax, compare_at_minor: None });
    }
    let choice = choose(candidates, situation)?;
    Some(LinePrice {
        id: Some(choice.price.id),
        amount_minor: choice.price.amount_minor,
        includes_tax: choice.price.includes_tax,
        compare_at_minor: choice.compare_at(situation),
    })
}

/// What the lines and the chosen deliveries come to.
fn add_up(
    rows: &CartRows,
    region: &Region,
    (priced, line_taxes): (&[Option<LinePrice>], &[TaxChoice]),
    (groups, delivery_taxes): (&[QuotedGroup], &[TaxChoice]),
    (exempt, outcome): (bool, &Outcome),
) -> Result<Totals> {
    let mut input = TotalsInput {
        currency: rows.cart.currency,
        rounding: region.row.tax_rounding,
        lines: rows
            .lines
            .iter()
            .zip(priced)
            .zip(line_taxes)
            .map(|((line, price), tax)| LineInput {
                position: line.position,
                quantity: line.quantity,
                unit_price_minor: price.map_or_else(|| last_shown(line, rows), |price| price.amount_minor),
                includes_tax: price.map_or(line.includes_tax, |price| price.includes_tax),
                discount_minor: 0,
                rates: tax.rates(),
                exempt,
            })
            .collect(),
        shipping: groups
            .iter()
            .zip(delivery_taxes)
            .filter_map(|(group, tax)| {
                let option = group.chosen.as_ref()?;
                Some(ShippingInput {
                    position: group.row.position,
                    amount_minor: option.amount_minor,
                    includes_tax: option.includes_tax,
                    discount_minor: 0,
                    rates: tax.rates(),
                    exempt,
                })
            })
            .collect(),
    };
    outcome.enter(&mut input);
    compute(&input).map_err(refuse_totals)
}

/// What a line without a price was shown at last; nothing when that was in another currency.
pub fn last_shown(line: &cart_line::Model, rows: &CartRows) -> i64 {
    if line.currency == Some(rows.cart.currency) { line.unit_price_minor } else { 0 }
}

fn refuse_totals(error: TotalsError) -> Error {
    match error {
        TotalsError::Overflow => {
            Refusal::new(ErrorCode::AmountTooLarge, "The cart comes to more than can be paid at once.").into()
        }
        other => Error::internal(format!("the calculator refused a cart: {other:?}")),
    }
}

/// The lines as delivery sees them, each with what it takes from stock. What can't be looked up any more is refused
/// for other reasons: it ships by the default profile.
fn shipped_lines(
    settings: &Settings,
    rows: &CartRows,
    priced: &[Option<LinePrice>],
    offered: &HashMap<VariantId, Offer>,
    items: &[(VariantId, InventoryItemId, i32)],
    outcome: &Outcome,
) -> Result<Vec<(ShippedLine, Vec<Demand>)>> {
    let shipped = |(line, price): (&cart_line::Model, &Option<LinePrice>)| {
        let offer = offered.get(&line.variant_id);
        let profile = settings.profile_or_default(offer.and_then(|offer| offer.product.shipping_profile_id))?;
        let unit = price.map_or_else(|| last_shown(line, rows), |price| price.amount_minor);
        let shipped = ShippedLine {
            profile: Some(profile).filter(|_| offer.is_none_or(|offer| offer.variant.requires_shipping)),
            quantity: line.quantity,
            weight_grams: offer.and_then(|offer| offer.variant.weight_grams),
            subtotal_minor: left(outcome, AdjustedRow::Line(line.position), unit.saturating_mul(line.quantity.into())),
        };
        Ok((shipped, demand(line, offer, items)))
    };
    rows.lines.iter().zip(priced).map(shipped).collect()
}

/// What is to be said of its lines and codes.
fn told(rows: &CartRows, lines: &[QuotedLine], outcome: &Outcome, means: &Means) -> Vec<Issue> {
    let mut told = line_issues(lines, rows.cart.currency);
    told.extend(super::gifts::issues(rows, outcome));
    told.extend(super::codes::issues(&rows.codes, outcome, rows.cart.currency));
    told.extend(super::means::issues(&rows.codes, means));
    told
}

fn line_issues(lines: &[QuotedLine], currency: Currency) -> Vec<Issue> {
    let issue = |line: &QuotedLine| {
        let told = |code, message: &str, blocking| {
            let refusal = Refusal::new(code, message).about(line.row.variant_id);
            Some(Issue::new(refusal, Some(line.row.id), blocking))
        };
        if line.offer.is_none() {
            return told(ErrorCode::NotForSale, "This is not for sale here any more: remove the line.", true);
        }
        let Some(price) = &line.price else {
            return told(ErrorCode::PriceMissing, "This has no price in the cart's currency.", true);
        };
        let shown = (line.row.unit_price_minor, line.row.includes_tax, line.row.currency.unwrap_or(currency));
        if line.row.price_id.is_none() || (price.amount_minor, price.includes_tax, currency) == shown {
            return None;
        }
        let prices = (Money::new(shown.0, shown.2), Money::new(price.amount_minor, currency));
        let message = format!("The price of one piece changed from {} to {}.", prices.0, prices.1);
        told(ErrorCode::PriceChanged, &message, false).map(|issue| Issue { prices: Some(prices), ..issue })
    };
    lines.iter().filter_map(issue).collect()
}
