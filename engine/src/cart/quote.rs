//! What a cart costs at this moment, and what stands between it and an order:
//! the one place where carts, prices, stock, taxes and shipping meet. Cart,
//! checkout and every mutation's answer use it.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use domain::catalog::BackorderPolicy;
use domain::checkout::{Readiness, missing};
use domain::id::{CartLineId, InventoryItemId, LocationId, ShippingOptionId, VariantId};
use domain::inventory::{Demand, Level, Take};
use domain::money::Money;
use domain::pricing::{Candidate, choose};
use domain::refusal::{ErrorCode, Refusal};
use domain::tax::{TaxChoice, TaxExemption, Taxed};
use domain::totals::{LineInput, RowTotals, ShippingInput, Totals, TotalsError, TotalsInput, compute};
use entity::{cart, cart_line, product, variant};

use super::repo::{CartRows, offers};
use crate::db::Conn;
use crate::error::{Error, Result};
use crate::inventory::repo::StockRow;
use crate::settings::{Region, Settings, ShippingOption};

/// A variant that is for sale, with its product.
#[derive(Debug, Clone)]
pub struct Offer {
    /// The variant.
    pub variant: variant::Model,
    /// Its product.
    pub product: product::Model,
}

/// A line with what is known of it now.
#[derive(Debug, Clone)]
pub struct QuotedLine {
    /// The line.
    pub row: cart_line::Model,
    /// The variant and its product, while it is for sale here.
    pub offer: Option<Offer>,
    /// The price that applies now.
    pub price: Option<Candidate>,
    /// What the line comes to.
    pub totals: RowTotals,
    /// The tax rates that apply, and why.
    pub tax: TaxChoice,
}

/// A shipping option that a cart is offered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeliveryOption {
    /// Which option.
    pub id: ShippingOptionId,
    /// Its name.
    pub name: String,
    /// What it costs, in minor units of the cart's currency.
    pub amount_minor: i64,
    /// Whether that includes tax.
    pub includes_tax: bool,
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
    /// What it is offered; empty while it has no shipping address.
    pub options: Vec<DeliveryOption>,
    /// What each delivery group chose, when that is still offered.
    pub chosen: Vec<Option<DeliveryOption>>,
    /// The tax rates that apply to what each delivery group chose, and why.
    pub delivery_taxes: Vec<TaxChoice>,
    /// Why no tax is due though rates would apply.
    pub tax_exemption: Option<TaxExemption>,
    /// What it comes to.
    pub totals: Totals,
    /// The items behind each variant, and how many one piece takes.
    pub items: Vec<(VariantId, InventoryItemId, i32)>,
    /// What stands between it and an order.
    pub issues: Vec<Issue>,
    /// The stock that it would take, when there is enough.
    pub takes: Vec<(Take, bool)>,
    /// Whether anything of it is sent to an address.
    pub needs_shipping: bool,
}

impl Quote {
    /// The sum to pay.
    pub fn total(&self) -> Money {
        Money::new(self.totals.total_minor, self.rows.cart.currency)
    }

    /// What so many pieces of a variant take from stock; nothing when its stock is not counted.
    pub fn needs(&self, variant: VariantId, quantity: i32) -> Vec<(InventoryItemId, i32)> {
        let of_variant = self.items.iter().filter(|(known, _, _)| *known == variant);
        of_variant.map(|(_, item, required)| (*item, quantity.saturating_mul(*required))).collect()
    }

    /// Every reason why it can't become an order now.
    pub fn blocking(&self) -> Vec<Refusal> {
        self.issues.iter().filter(|issue| issue.blocking).map(|issue| issue.refusal.clone()).collect()
    }
}

/// Works out what a cart costs: two statements, whatever it holds; a third when it is a customer's.
pub async fn quote(conn: &Conn, settings: &Settings, rows: CartRows, now: DateTime<Utc>) -> Result<Quote> {
    let region = settings.region(rows.cart.region_id).cloned();
    let region = region.ok_or_else(|| Error::internal("the region of a cart is gone"))?;
    let variants: Vec<VariantId> = rows.lines.iter().map(|line| line.variant_id).collect();
    let (rows_offered, stock) = if variants.is_empty() {
        Default::default()
    } else {
        (
            offers(conn, &variants, rows.cart.channel_id, rows.cart.currency, now).await?,
            crate::inventory::repo::of_variants(conn, &variants).await?,
        )
    };
    let mut offered: HashMap<VariantId, Offer> = HashMap::new();
    let mut candidates: HashMap<VariantId, Vec<Candidate>> = HashMap::new();
    for (variant, product, price) in rows_offered {
        if let Some(price) = &price {
            candidates.entry(variant.id).or_default().push(crate::pricing::repo::candidate(price));
        }
        if let Some(product) = product {
            offered.insert(variant.id, Offer { variant, product });
        }
    }
    let due = crate::tax::due::due(conn, settings, &rows.cart, &region).await?;
    let needs_shipping = rows.lines.iter().any(|line| ships(&offered, line));
    let options = delivery_options(settings, &rows.cart, needs_shipping);
    let chosen: Vec<Option<DeliveryOption>> = rows
        .deliveries
        .iter()
        .map(|group| options.iter().find(|option| Some(option.id) == group.shipping_option_id).cloned())
        .collect();

    let priced: Vec<Option<Candidate>> = rows
        .lines
        .iter()
        .map(|line| choose(candidates.get(&line.variant_id)?, rows.cart.currency, line.quantity).cloned())
        .collect();
    let taxed = |line: &cart_line::Model| match offered.get(&line.variant_id) {
        Some(offer) => Taxed::Product { id: offer.product.id, kind: offer.product.type_id },
        None => Taxed::Unknown,
    };
    let line_taxes: Vec<TaxChoice> = rows.lines.iter().map(|line| due.on(taxed(line))).collect();
    let delivery_taxes: Vec<TaxChoice> = chosen
        .iter()
        .map(|option| due.on(option.as_ref().map_or(Taxed::Unknown, |option| Taxed::ShippingOption(option.id))))
        .collect();
    let tax_exemption = due.exemption;
    let exempt = tax_exemption.is_some();
    let totals = add_up(&rows, &region, (&priced, &line_taxes), (&chosen, &delivery_taxes), exempt)?;

    let lines: Vec<QuotedLine> = rows
        .lines
        .iter()
        .zip(priced)
        .zip(line_taxes)
        .map(|((row, price), tax)| {
            let totals = totals.lines.iter().find(|totals| totals.position == row.position).cloned();
            let totals = totals.ok_or_else(|| Error::internal("the calculator lost a line"))?;
            Ok(QuotedLine { row: row.clone(), offer: offered.get(&row.variant_id).cloned(), price, totals, tax })
        })
        .collect::<Result<_>>()?;
    let locations: Vec<(LocationId, i32)> =
        settings.locations_of(rows.cart.channel_id).iter().map(|location| (location.id, location.priority)).collect();
    let items = counted_items(&lines, &stock);
    let (takes, mut issues) = reserve(&lines, &items, &stock, &locations);
    issues.extend(line_issues(&lines));
    let deliveries: Vec<(bool, bool)> = rows
        .deliveries
        .iter()
        .zip(&chosen)
        .map(|(group, option)| (group.shipping_option_id.is_some(), option.is_some()))
        .collect();
    let absent = missing(&Readiness {
        lines: lines.len(),
        has_email: rows.cart.email.is_some(),
        needs_shipping,
        country: rows.cart.shipping_address.as_ref().map(|address| &address.country),
        region_countries: &region.countries,
        deliveries: &deliveries,
        due_minor: totals.due_minor,
        has_payment: rows.session.is_some(),
        payment_offered: rows.session.as_ref().is_none_or(|session| region.providers.contains(&session.provider)),
    });
    issues.extend(absent.into_iter().map(|refusal| Issue { refusal, line: None, blocking: true }));
    Ok(Quote {
        rows,
        region,
        lines,
        options,
        chosen,
        delivery_taxes,
        tax_exemption,
        totals,
        items,
        issues,
        takes,
        needs_shipping,
    })
}

/// What the lines and the chosen deliveries come to.
fn add_up(
    rows: &CartRows,
    region: &Region,
    (priced, line_taxes): (&[Option<Candidate>], &[TaxChoice]),
    (chosen, delivery_taxes): (&[Option<DeliveryOption>], &[TaxChoice]),
    exempt: bool,
) -> Result<Totals> {
    compute(&TotalsInput {
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
                unit_price_minor: price.as_ref().map_or(line.unit_price_minor, |price| price.amount_minor),
                includes_tax: price.as_ref().map_or(line.includes_tax, |price| price.includes_tax),
                discount_minor: 0,
                rates: tax.rates(),
                exempt,
            })
            .collect(),
        shipping: rows
            .deliveries
            .iter()
            .zip(chosen)
            .zip(delivery_taxes)
            .filter_map(|((group, option), tax)| {
                let option = option.as_ref()?;
                Some(ShippingInput {
                    position: group.position,
                    amount_minor: option.amount_minor,
                    includes_tax: option.includes_tax,
                    discount_minor: 0,
                    rates: tax.rates(),
                    exempt,
                })
            })
            .collect(),
        means_minor: 0,
    })
    .map_err(refuse_totals)
}

fn refuse_totals(error: TotalsError) -> Error {
    match error {
        TotalsError::Overflow => {
            Refusal::new(ErrorCode::AmountTooLarge, "The cart comes to more than can be paid at once.").into()
        }
        other => Error::internal(format!("the calculator refused a cart: {other:?}")),
    }
}

fn ships(offered: &HashMap<VariantId, Offer>, line: &cart_line::Model) -> bool {
    // What can't be looked up any more is refused for other reasons.
    offered.get(&line.variant_id).is_none_or(|offer| offer.variant.requires_shipping)
}

fn delivery_options(settings: &Settings, cart: &cart::Model, needs_shipping: bool) -> Vec<DeliveryOption> {
    let Some(address) = cart.shipping_address.as_ref().filter(|_| needs_shipping) else { return Vec::new() };
    let offered = |option: &ShippingOption| {
        let price = option.prices.iter().find(|price| price.currency == cart.currency)?;
        option.countries.contains(&address.country).then(|| DeliveryOption {
            id: option.row.id,
            name: option.row.name.clone(),
            amount_minor: price.amount_minor,
            includes_tax: price.includes_tax,
        })
    };
    settings.shipping_options.iter().filter_map(offered).collect()
}

/// The items of the lines whose stock is counted.
fn counted_items(lines: &[QuotedLine], stock: &[StockRow]) -> Vec<(VariantId, InventoryItemId, i32)> {
    let counted = |row: &&StockRow| {
        let line = lines.iter().find(|line| line.row.variant_id == row.variant);
        line.and_then(|line| line.offer.as_ref()).is_some_and(|offer| offer.variant.manage_inventory)
    };
    let mut items: Vec<_> = stock.iter().filter(counted).map(|row| (row.variant, row.item, row.required)).collect();
    items.sort();
    items.dedup();
    items
}

/// The stock that the lines would take, or an issue for each that is short.
fn reserve(
    lines: &[QuotedLine],
    items: &[(VariantId, InventoryItemId, i32)],
    stock: &[StockRow],
    locations: &[(LocationId, i32)],
) -> (Vec<(Take, bool)>, Vec<Issue>) {
    let mut demand = Vec::new();
    let mut whose = Vec::new();
    for line in lines {
        let Some(offer) = &line.offer else { continue };
        let may_exceed = offer.variant.backorder == BackorderPolicy::Allow;
        for (_, item, required) in items.iter().filter(|(variant, _, _)| *variant == line.row.variant_id) {
            let quantity = line.row.quantity.saturating_mul(*required);
            demand.push(Demand { item: *item, quantity, may_exceed });
            whose.push((*item, *required, line));
        }
    }
    let mut levels: Vec<Level> = Vec::new();
    for row in stock {
        let Some((_, priority)) = locations.iter().find(|(location, _)| *location == row.location) else { continue };
        if !levels.iter().any(|level| level.item == row.item && level.location == row.location) {
            levels.push(Level {
                item: row.item,
                location: row.location,
                stocked: row.stocked,
                reserved: row.reserved,
                priority: *priority,
            });
        }
    }
    match domain::inventory::reserve(&demand, &levels) {
        Ok(takes) => {
            let exceeds = |take: &Take| demand.iter().any(|wish| wish.item == take.item && wish.may_exceed);
            (
                takes
                    .into_iter()
                    .map(|take| {
                        let may = exceeds(&take);
                        (take, may)
                    })
                    .collect(),
                Vec::new(),
            )
        }
        Err(shorts) => {
            let issue = |(item, required, line): &(_, i32, &QuotedLine)| {
                let short = shorts.iter().find(|short| short.item == *item)?;
                let available = short.available / required;
                let message = format!("Only {available} of this can be had.");
                let refusal = Refusal::new(ErrorCode::InsufficientStock, message);
                let refusal = refusal.available(available).about(line.row.variant_id);
                Some(Issue { refusal, line: Some(line.row.id), blocking: true })
            };
            (Vec::new(), whose.iter().filter_map(issue).collect())
        }
    }
}

fn line_issues(lines: &[QuotedLine]) -> Vec<Issue> {
    let mut issues = Vec::new();
    for line in lines {
        let mut add = |code, message: String, blocking| {
            let refusal = Refusal::new(code, message).about(line.row.variant_id);
            issues.push(Issue { refusal, line: Some(line.row.id), blocking });
        };
        match (&line.offer, &line.price) {
            (None, _) => {
                add(ErrorCode::NotForSale, "This is not for sale here any more: remove the line.".into(), true)
            }
            (_, None) => add(ErrorCode::PriceMissing, "This has no price in the cart's currency.".into(), true),
            (_, Some(price))
                if line.row.price_id.is_some()
                    && (price.amount_minor, price.includes_tax)
                        != (line.row.unit_price_minor, line.row.includes_tax) =>
            {
                let before = Money::new(line.row.unit_price_minor, price.currency);
                let after = Money::new(price.amount_minor, price.currency);
                add(
                    ErrorCode::PriceChanged,
                    format!("The price of one piece changed from {before} to {after}."),
                    false,
                );
            }
            _ => {}
        }
    }
    issues
}
