//! A cart as taxes see it: what is left of its lines and deliveries after discounts. Gift cards are money: what is bought
//! with one is taxed, and the card is not; and no card buys another.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use domain::id::VariantId;
use domain::money::Money;
use domain::promotion::outcome::{AdjustedRow, Outcome};
use domain::tax::{TaxChoice, Taxed};
use domain::totals::{RowTotals, Totals};
use entity::cart_line;

use super::quote::{LinePrice, Offer, last_shown};
use super::repo::CartRows;
use crate::db::Conn;
use crate::error::Result;
use crate::shipping::offers::QuotedGroup;
use crate::tax::due::{Due, Levied, TaxedRow};

/// The lines of a cart with what they cost.
pub(super) struct Lines<'q> {
    pub(super) rows: &'q CartRows,
    pub(super) priced: &'q [Option<LinePrice>],
    pub(super) offered: &'q HashMap<VariantId, Offer>,
}

/// What gift cards and store credit may pay of a total: all but the gift cards that are bought.
pub(super) fn payable(lines: &Lines<'_>, totals: &Totals) -> Money {
    let is_bought = |row: &&RowTotals| {
        let line = lines.rows.lines.iter().find(|line| line.position == row.position);
        line.is_some_and(|line| is_gift_card(lines.offered, line))
    };
    let bought: i64 = totals.lines.iter().filter(is_bought).map(|row| row.total_minor).sum();
    Money::new(totals.total_minor - bought, lines.rows.cart.currency)
}

/// The rates of all lines and deliveries.
pub(super) async fn levy(
    conn: &Conn,
    now: DateTime<Utc>,
    due: &Due<'_>,
    lines: &Lines<'_>,
    (groups, outcome): (&[QuotedGroup], &Outcome),
) -> Result<Levied> {
    let Lines { rows, priced, offered } = lines;
    let taxed = (taxed_lines(rows, priced, offered, outcome), taxed_deliveries(groups, outcome));
    let mut levied = due.levy(conn, now, rows.cart.currency, taxed).await?;
    levied.lines = with_gift_cards(rows, offered, levied.lines);
    Ok(levied)
}

/// What is left of a row after its discounts.
pub(super) fn left(outcome: &Outcome, row: AdjustedRow, minor: i64) -> i64 {
    (minor - outcome.discount_of(row)).max(0)
}

/// Whether a line sells money: what is bought with it is taxed, and it is not.
fn is_gift_card(offered: &HashMap<VariantId, Offer>, line: &cart_line::Model) -> bool {
    offered.get(&line.variant_id).is_some_and(|offer| offer.product.gift_card)
}

/// The rates of all lines, out of those of the lines that are taxed.
fn with_gift_cards(rows: &CartRows, offered: &HashMap<VariantId, Offer>, levied: Vec<TaxChoice>) -> Vec<TaxChoice> {
    let mut levied = levied.into_iter();
    let rates = |line: &cart_line::Model| match is_gift_card(offered, line) {
        true => TaxChoice::default(),
        false => levied.next().unwrap_or_default(),
    };
    rows.lines.iter().map(rates).collect()
}

/// The lines as taxes see them; gift cards are none of their business.
fn taxed_lines(
    rows: &CartRows,
    priced: &[Option<LinePrice>],
    offered: &HashMap<VariantId, Offer>,
    outcome: &Outcome,
) -> Vec<TaxedRow> {
    let row = |(line, price): (&cart_line::Model, &Option<LinePrice>)| {
        let offer = offered.get(&line.variant_id);
        let unit = price.map_or_else(|| last_shown(line, rows), |price| price.amount_minor);
        TaxedRow {
            position: line.position,
            taxed: offer
                .map_or(Taxed::Unknown, |offer| Taxed::Product { id: offer.product.id, kind: offer.product.type_id }),
            sku: offer.and_then(|offer| offer.variant.sku.clone()),
            quantity: line.quantity,
            amount_minor: left(outcome, AdjustedRow::Line(line.position), unit.saturating_mul(line.quantity.into())),
            includes_tax: price.map_or(line.includes_tax, |price| price.includes_tax),
        }
    };
    rows.lines.iter().zip(priced).filter(|(line, _)| !is_gift_card(offered, line)).map(row).collect()
}

/// What each delivery group chose, as taxes see it.
fn taxed_deliveries(groups: &[QuotedGroup], outcome: &Outcome) -> Vec<TaxedRow> {
    let row = |group: &QuotedGroup| {
        let chosen = group.chosen.as_ref();
        TaxedRow {
            position: group.row.position,
            taxed: chosen.map_or(Taxed::Unknown, |option| Taxed::ShippingOption(option.id)),
            sku: None,
            quantity: 1,
            amount_minor: chosen
                .map_or(0, |option| left(outcome, AdjustedRow::Charge(group.row.position), option.amount_minor)),
            includes_tax: chosen.is_some_and(|option| option.includes_tax),
        }
    };
    groups.iter().map(row).collect()
}
