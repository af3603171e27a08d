//! The one calculator of the shop: cart, checkout and order all show what
//! [`compute`] answered (rules: DESIGN section 6).
//!
//! Every figure is in minor units of one currency. Prices come inclusive or
//! exclusive of tax, row by row; "in the price's own basis" means gross for an
//! inclusive row and net for an exclusive one. What holds of every answer:
//! net + tax = total on each row, the rows sum to the document, the rates sum to
//! the tax, nothing is negative, an inclusive row that is not exempt costs its gross.

use std::fmt;

use crate::money::{Currency, MAX_MINOR, allocate, divide_rounded};
use crate::word::words;

const MILLION: i128 = 1_000_000;

/// The largest common denominator of fractions that are still summed exactly:
/// it leaves room in an `i128` for 2^24 rows and the rounding.
const MAX_DENOMINATOR: i128 = 1 << 96;

words! {
    /// Where tax is rounded; a setting of the region, frozen on cart and order.
    pub enum TaxRounding {
        /// On each row, per rate.
        Line = "LINE",
        /// Once per rate over the whole document, then shared to the rows.
        Document = "DOCUMENT",
    }
}

/// A tax rate that applies to a row. Several on one row add up; none compounds
/// on another.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Rate {
    /// Names the rate on documents; distinct on one row.
    pub code: String,
    /// What the shopper reads.
    pub name: String,
    /// Parts per million: 190000 is 19 %. Not negative.
    pub rate_ppm: i32,
}

/// A line to be priced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineInput {
    /// The stored position, distinct among the lines: decides ties and order.
    pub position: i32,
    /// Units, at least 1.
    pub quantity: i32,
    /// The price of one unit, not negative.
    pub unit_price_minor: i64,
    /// Whether the unit price holds its tax.
    pub includes_tax: bool,
    /// Sum of the adjustments on the line, in the price's own basis, not
    /// negative; what exceeds the line is cut off. What promotions take off is
    /// entered by [`crate::promotion::outcome::Outcome::enter`].
    pub discount_minor: i64,
    /// The rates that apply, or would apply if the row were not exempt.
    pub rates: Vec<Rate>,
    /// Exempt or reverse charge: no tax, and an inclusive price sheds its own.
    pub exempt: bool,
}

/// A shipping charge to be priced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShippingInput {
    /// The stored position, distinct among the shipping rows.
    pub position: i32,
    /// The charge, not negative.
    pub amount_minor: i64,
    /// Whether the charge holds its tax.
    pub includes_tax: bool,
    /// Sum of the adjustments, as for [`LineInput::discount_minor`].
    pub discount_minor: i64,
    /// As for [`LineInput::rates`].
    pub rates: Vec<Rate>,
    /// As for [`LineInput::exempt`].
    pub exempt: bool,
}

/// All that a document's figures depend on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TotalsInput {
    /// What the minor units belong to. No rule depends on it: all of them work
    /// on whole minor units, be they yen, cents or fils.
    pub currency: Currency,
    /// Where tax is rounded.
    pub rounding: TaxRounding,
    /// The lines, in any order.
    pub lines: Vec<LineInput>,
    /// The shipping charges, in any order.
    pub shipping: Vec<ShippingInput>,
}

/// What one rate came to, on a row or on the document.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct TaxAmount {
    /// [`Rate::code`].
    pub code: String,
    /// [`Rate::name`]; on the document, that of the first row with the rate.
    pub name: String,
    /// Parts per million.
    pub rate_ppm: i32,
    /// The net that was taxed, after discounts.
    pub base_minor: i64,
    /// The tax.
    pub tax_minor: i64,
}

/// A priced line or shipping charge.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct RowTotals {
    /// The stored position.
    pub position: i32,
    /// Price × quantity in the price's own basis, before discount.
    pub subtotal_minor: i64,
    /// The discount in the price's own basis, at most the subtotal.
    pub discount_minor: i64,
    /// Without tax, after discount.
    pub net_minor: i64,
    /// The tax of all rates.
    pub tax_minor: i64,
    /// Net + tax.
    pub total_minor: i64,
    /// Per rate, in the order of the input; empty on an exempt row, so that no
    /// rate's base counts what the rate did not tax.
    pub taxes: Vec<TaxAmount>,
}

/// A priced document.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Totals {
    /// The lines by stored position.
    pub lines: Vec<RowTotals>,
    /// The shipping charges by stored position.
    pub shipping: Vec<RowTotals>,
    /// Sum of the lines' subtotals.
    pub subtotal_minor: i64,
    /// Sum of the discounts on lines and shipping.
    pub discount_minor: i64,
    /// Sum of the shipping rows' subtotals.
    pub shipping_minor: i64,
    /// Sum of the rows' taxes.
    pub tax_minor: i64,
    /// Sum of the rows' totals.
    pub total_minor: i64,
    /// What is left of the total to be paid: all of it, until [`Totals::pay`].
    pub due_minor: i64,
    /// Per code and rate, in the order of first appearance on the rows.
    pub taxes: Vec<TaxAmount>,
}

/// Why there are no totals.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TotalsError {
    /// A figure lies beyond [`MAX_MINOR`], or so many unlike inclusive rates
    /// meet in one document that their exact sum does not fit.
    Overflow,
    /// A price, discount, rate or means of payment is negative.
    Negative,
    /// A quantity is below 1.
    QuantityOutOfRange,
}

impl fmt::Display for TotalsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Overflow => "an amount is too large",
            Self::Negative => "an amount is negative",
            Self::QuantityOutOfRange => "a quantity is below 1",
        })
    }
}

impl std::error::Error for TotalsError {}

/// A line or shipping charge on its way through the calculator.
struct Row<'a> {
    position: i32,
    subtotal: i64,
    discount: i64,
    includes_tax: bool,
    exempt: bool,
    rates: &'a [Rate],
}

impl<'a> Row<'a> {
    fn of_line(line: &'a LineInput) -> Result<Self, TotalsError> {
        if line.quantity < 1 {
            return Err(TotalsError::QuantityOutOfRange);
        }
        let row = Self {
            position: line.position,
            subtotal: figure(i128::from(not_negative(line.unit_price_minor)?) * i128::from(line.quantity))?,
            discount: line.discount_minor,
            includes_tax: line.includes_tax,
            exempt: line.exempt,
            rates: &line.rates,
        };
        row.checked()
    }

    fn of_shipping(shipping: &'a ShippingInput) -> Result<Self, TotalsError> {
        let row = Self {
            position: shipping.position,
            subtotal: figure(not_negative(shipping.amount_minor)?.into())?,
            discount: shipping.discount_minor,
            includes_tax: shipping.includes_tax,
            exempt: shipping.exempt,
            rates: &shipping.rates,
        };
        row.checked()
    }

    fn checked(mut self) -> Result<Self, TotalsError> {
        if self.rates.iter().any(|rate| rate.rate_ppm < 0) {
            return Err(TotalsError::Negative);
        }
        self.discount = not_negative(self.discount)?.min(self.subtotal);
        Ok(self)
    }

    /// After discount, in the price's own basis.
    fn charged(&self) -> i64 {
        self.subtotal - self.discount
    }

    /// What a million of net costs with every rate on top.
    fn gross_of_million(&self) -> i128 {
        MILLION + self.rates.iter().map(|rate| i128::from(rate.rate_ppm)).sum::<i128>()
    }

    /// The charged amount without the rates that an inclusive price holds.
    fn rounded_net(&self) -> i64 {
        if self.includes_tax {
            divide_rounded(i128::from(self.charged()) * MILLION, self.gross_of_million())
        } else {
            self.charged()
        }
    }

    /// The tax of one rate as an exact fraction: numerator and denominator.
    fn exact_tax(&self, rate: &Rate) -> (i128, i128) {
        let denominator = if self.includes_tax { self.gross_of_million() } else { MILLION };
        (i128::from(self.charged()) * i128::from(rate.rate_ppm), denominator)
    }

    /// Tax per rate, rounded on this row alone.
    fn taxes_by_line(&self) -> Vec<i64> {
        if self.exempt {
            Vec::new()
        } else if self.includes_tax {
            let weights: Vec<i64> = self.rates.iter().map(|rate| rate.rate_ppm.into()).collect();
            allocate(self.charged() - self.rounded_net(), &weights)
        } else {
            let tax = |rate| {
                let (numerator, denominator) = self.exact_tax(rate);
                divide_rounded(numerator, denominator)
            };
            self.rates.iter().map(tax).collect()
        }
    }

    /// The row with its taxes, which are empty when it is exempt.
    fn priced(&self, taxes: &[i64]) -> Result<RowTotals, TotalsError> {
        let tax = sum(taxes.iter().copied())?;
        // The gross is fixed: whatever tax the row got, the rest of it is the net.
        let net = if self.includes_tax && !self.exempt { self.charged() - tax } else { self.rounded_net() };
        let amounts = self.rates.iter().zip(taxes).map(|(rate, tax)| TaxAmount {
            code: rate.code.clone(),
            name: rate.name.clone(),
            rate_ppm: rate.rate_ppm,
            base_minor: net,
            tax_minor: *tax,
        });
        Ok(RowTotals {
            position: self.position,
            subtotal_minor: self.subtotal,
            discount_minor: self.discount,
            net_minor: net,
            tax_minor: tax,
            total_minor: sum([net, tax])?,
            taxes: amounts.collect(),
        })
    }
}

fn not_negative(minor: i64) -> Result<i64, TotalsError> {
    if minor < 0 { Err(TotalsError::Negative) } else { Ok(minor) }
}

fn figure(minor: i128) -> Result<i64, TotalsError> {
    if minor.abs() > i128::from(MAX_MINOR) { Err(TotalsError::Overflow) } else { Ok(minor as i64) }
}

fn sum(parts: impl IntoIterator<Item = i64>) -> Result<i64, TotalsError> {
    figure(parts.into_iter().map(i128::from).sum())
}

/// The part below one unit of the exact tax of one rate on one row.
struct Fraction {
    row: usize,
    rate: usize,
    numerator: i128,
    denominator: i128,
}

/// Tax per row and rate under [`TaxRounding::Document`]: each rate's exact taxes
/// are summed over all rows and rounded once; a row gets the whole part of its
/// own, and the units left over go to the largest remainders, ties to the
/// earlier row.
///
/// Several rates on one tiny inclusive row may each round up beyond its gross.
/// A row takes no more than its gross holds, and the unit goes to the next
/// remainder; if no row can take it, nobody pays it.
fn taxes_by_document(rows: &[Row<'_>]) -> Result<Vec<Vec<i64>>, TotalsError> {
    let mut taxes: Vec<Vec<i64>> = Vec::with_capacity(rows.len());
    let mut room: Vec<i64> = Vec::with_capacity(rows.len());
    let mut by_rate: Vec<(&Rate, Vec<Fraction>)> = Vec::new();
    for (row_index, row) in rows.iter().enumerate() {
        let mut whole = Vec::new();
        let rates = if row.exempt { &[] } else { row.rates };
        for (rate_index, rate) in rates.iter().enumerate() {
            let (numerator, denominator) = row.exact_tax(rate);
            whole.push(figure(numerator / denominator)?);
            let fraction =
                Fraction { row: row_index, rate: rate_index, numerator: numerator % denominator, denominator };
            match by_rate.iter_mut().find(|(known, _)| known.code == rate.code && known.rate_ppm == rate.rate_ppm) {
                Some((_, fractions)) => fractions.push(fraction),
                None => by_rate.push((rate, vec![fraction])),
            }
        }
        room.push(if row.includes_tax { row.charged() - sum(whole.iter().copied())? } else { i64::MAX });
        taxes.push(whole);
    }
    for (_, mut fractions) in by_rate {
        let mut left = rounded_sum(&fractions)?;
        // Stable, so equal remainders stay in the order of the rows.
        fractions.sort_by(|a, b| (b.numerator * a.denominator).cmp(&(a.numerator * b.denominator)));
        for fraction in fractions.iter().filter(|fraction| fraction.numerator > 0) {
            if left > 0 && room[fraction.row] > 0 {
                taxes[fraction.row][fraction.rate] += 1;
                room[fraction.row] -= 1;
                left -= 1;
            }
        }
    }
    Ok(taxes)
}

/// The exact sum of the fractions, rounded once.
fn rounded_sum(fractions: &[Fraction]) -> Result<i64, TotalsError> {
    let mut numerator: i128 = 0;
    let mut denominator: i128 = 1;
    for fraction in fractions {
        let shared = gcd(fraction.numerator, fraction.denominator);
        let (top, bottom) = (fraction.numerator / shared, fraction.denominator / shared);
        let widen = bottom / gcd(bottom, denominator);
        // Both factors are small: the first by the check below, the second by the type of a rate.
        let common = denominator * widen;
        if common > MAX_DENOMINATOR {
            return Err(TotalsError::Overflow);
        }
        numerator = numerator * widen + top * (common / bottom);
        denominator = common;
    }
    Ok(divide_rounded(numerator, denominator))
}

fn gcd(mut a: i128, mut b: i128) -> i128 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

/// Prices a document.
///
/// The answer doesn't depend on the order in which rows come in. Refuses
/// figures beyond [`MAX_MINOR`], negative ones and quantities below 1.
pub fn compute(input: &TotalsInput) -> Result<Totals, TotalsError> {
    let mut rows = input.lines.iter().map(Row::of_line).collect::<Result<Vec<_>, _>>()?;
    rows.sort_by_key(|row| row.position);
    let mut charges = input.shipping.iter().map(Row::of_shipping).collect::<Result<Vec<_>, _>>()?;
    charges.sort_by_key(|row| row.position);
    rows.append(&mut charges);

    let taxes = match input.rounding {
        TaxRounding::Line => rows.iter().map(Row::taxes_by_line).collect(),
        TaxRounding::Document => taxes_by_document(&rows)?,
    };
    let mut lines =
        rows.iter().zip(&taxes).map(|(row, taxes)| row.priced(taxes)).collect::<Result<Vec<RowTotals>, _>>()?;

    let discount_minor = sum(lines.iter().map(|row| row.discount_minor))?;
    let tax_minor = sum(lines.iter().map(|row| row.tax_minor))?;
    let total_minor = sum(lines.iter().map(|row| row.total_minor))?;
    let taxes = taxes_of(&lines)?;
    let shipping = lines.split_off(input.lines.len());
    Ok(Totals {
        subtotal_minor: sum(lines.iter().map(|row| row.subtotal_minor))?,
        discount_minor,
        shipping_minor: sum(shipping.iter().map(|row| row.subtotal_minor))?,
        tax_minor,
        total_minor,
        due_minor: total_minor,
        taxes,
        lines,
        shipping,
    })
}

impl Totals {
    /// Pays a part of what is due with gift cards and store credit, in minor units: nothing else changes, no tax above
    /// all. What is more than is due pays nothing.
    pub fn pay(&mut self, means_minor: i64) {
        self.due_minor = self.due_minor.saturating_sub(means_minor.max(0)).max(0);
    }
}

fn taxes_of(rows: &[RowTotals]) -> Result<Vec<TaxAmount>, TotalsError> {
    let mut taxes: Vec<TaxAmount> = Vec::new();
    for tax in rows.iter().flat_map(|row| &row.taxes) {
        match taxes.iter_mut().find(|known| known.code == tax.code && known.rate_ppm == tax.rate_ppm) {
            Some(known) => {
                known.base_minor = sum([known.base_minor, tax.base_minor])?;
                known.tax_minor = sum([known.tax_minor, tax.tax_minor])?;
            }
            None => taxes.push(tax.clone()),
        }
    }
    Ok(taxes)
}

/// Shares an order discount over the lines, given as (stored position, what is
/// left of the line in its price's own basis); the parts come in the order of
/// the input.
///
/// By largest remainder, ties to the lower position. The parts sum to the
/// discount, or to all that is left where the discount is larger; no line gets
/// more than it has left. Negative figures count as zero.
pub fn share_discount(total_minor: i64, left: &[(i32, i64)]) -> Vec<i64> {
    let mut places: Vec<usize> = (0..left.len()).collect();
    places.sort_by_key(|place| left[*place].0);
    let weights: Vec<i64> = places.iter().map(|place| left[*place].1.max(0)).collect();
    let most = weights.iter().fold(0_i64, |sum, weight| sum.saturating_add(*weight));
    // Not more than all weights together, so no share exceeds its own weight.
    let shares = allocate(total_minor.clamp(0, most), &weights);
    let mut parts = vec![0; left.len()];
    for (place, share) in places.into_iter().zip(shares) {
        parts[place] = share;
    }
    parts
}

/// What to refund for a partial return of a row that cost `total_minor` for
/// `quantity` units: `returned` counts every unit returned so far with the ones
/// at hand, `refunded_minor` what was given back before.
///
/// Cumulative (DESIGN section 6), so that the last unit closes the row to the
/// minor unit. Never negative, even when more was given back out of courtesy.
pub fn refundable(total_minor: i64, quantity: i32, returned: i32, refunded_minor: i64) -> i64 {
    if quantity < 1 {
        return 0;
    }
    let returned = returned.clamp(0, quantity);
    let earned = divide_rounded(i128::from(total_minor) * i128::from(returned), quantity.into());
    earned.saturating_sub(refunded_minor).max(0)
}

// The properties over random carts stand in `tests/totals.rs`.
#[cfg(test)]
mod tests {
    use super::*;

    fn rate(code: &str, rate_ppm: i32) -> Rate {
        Rate { code: code.to_owned(), name: code.to_owned(), rate_ppm }
    }

    fn line(position: i32, quantity: i32, unit_price_minor: i64, includes_tax: bool, rates: &[Rate]) -> LineInput {
        let rates = rates.to_vec();
        LineInput { position, quantity, unit_price_minor, includes_tax, discount_minor: 0, rates, exempt: false }
    }

    fn document(currency: &str, rounding: TaxRounding, lines: Vec<LineInput>) -> TotalsInput {
        let currency = currency.parse().unwrap();
        TotalsInput { currency, rounding, lines, shipping: Vec::new() }
    }

    /// Net, tax and total of a document of one line under either rounding.
    fn one(currency: &str, line: LineInput) -> (i64, i64, i64) {
        let [first, second] = [TaxRounding::Line, TaxRounding::Document].map(|rounding| {
            let totals = compute(&document(currency, rounding, vec![line.clone()])).unwrap();
            (totals.lines[0].net_minor, totals.tax_minor, totals.total_minor)
        });
        assert_eq!(first, second);
        first
    }

    #[test]
    fn one_line_comes_out_to_the_unit() {
        let vat = [rate("VAT", 190_000)];
        assert_eq!(one("EUR", line(1, 2, 1800, false, &vat)), (3600, 684, 4284));
        assert_eq!(one("EUR", line(1, 1, 1000, true, &vat)), (840, 160, 1000));
        assert_eq!(one("JPY", line(1, 3, 105, false, &[rate("JCT", 100_000)])), (315, 32, 347));
        assert_eq!(one("JPY", line(1, 1, 108, true, &[rate("JCT", 80_000)])), (100, 8, 108));
        assert_eq!(one("KWD", line(1, 1, 1_010, false, &[rate("VAT", 50_000)])), (1_010, 51, 1_061));
        assert_eq!(one("EUR", line(1, 1, 1000, false, &[])), (1000, 0, 1000));
        assert_eq!(one("EUR", line(1, 1, 0, true, &vat)), (0, 0, 0));
        let discounted = LineInput { discount_minor: 100, ..line(1, 1, 1000, true, &vat) };
        assert_eq!(one("EUR", discounted), (756, 144, 900));
        let given_away = LineInput { discount_minor: 5000, ..line(1, 1, 1000, false, &vat) };
        assert_eq!(one("EUR", given_away), (0, 0, 0));
    }

    #[test]
    fn an_exempt_row_sheds_the_tax_of_an_inclusive_price() {
        let vat = [rate("VAT", 190_000)];
        let exempt = |includes_tax| LineInput { exempt: true, ..line(1, 1, 1000, includes_tax, &vat) };
        assert_eq!(one("EUR", exempt(true)), (840, 0, 840));
        assert_eq!(one("EUR", exempt(false)), (1000, 0, 1000));
    }

    #[test]
    fn two_rates_are_rounded_one_by_one_and_split_exactly() {
        let rates = [rate("GST", 50_000), rate("QST", 99_750)];
        let taxes = |includes_tax, rounding| {
            let totals = compute(&document("CAD", rounding, vec![line(1, 1, 1990, includes_tax, &rates)])).unwrap();
            totals.taxes.iter().map(|tax| tax.tax_minor).collect::<Vec<_>>()
        };
        assert_eq!(taxes(false, TaxRounding::Line), [100, 199]);
        assert_eq!(taxes(true, TaxRounding::Line), [86, 173]);
        assert_eq!(taxes(true, TaxRounding::Document), [87, 173]);
    }

    #[test]
    fn a_document_rounds_once_and_shares_to_the_lower_position() {
        let lines: Vec<_> = (1..=3).rev().map(|at| line(at, 1, 104, false, &[rate("JCT", 100_000)])).collect();
        let totals = |rounding| compute(&document("JPY", rounding, lines.clone())).unwrap();
        assert_eq!(totals(TaxRounding::Line).tax_minor, 30);
        let shared = totals(TaxRounding::Document);
        assert_eq!(
            shared.lines.iter().map(|row| (row.position, row.tax_minor)).collect::<Vec<_>>(),
            [(1, 11), (2, 10), (3, 10)]
        );
        assert_eq!((shared.taxes[0].base_minor, shared.taxes[0].tax_minor, shared.total_minor), (312, 31, 343));
    }

    #[test]
    fn shipping_is_taxed_and_means_only_pay() {
        let vat = vec![rate("VAT", 190_000)];
        let shipping = ShippingInput {
            position: 1,
            amount_minor: 590,
            includes_tax: true,
            discount_minor: 90,
            rates: vat.clone(),
            exempt: false,
        };
        let lines = vec![line(1, 1, 1000, false, &vat)];
        let input = TotalsInput { shipping: vec![shipping], ..document("EUR", TaxRounding::Line, lines) };
        let mut totals = compute(&input).unwrap();
        assert_eq!(totals.due_minor, 1690);
        totals.pay(700);
        assert_eq!((totals.subtotal_minor, totals.shipping_minor, totals.discount_minor), (1000, 590, 90));
        assert_eq!((totals.tax_minor, totals.total_minor, totals.due_minor), (270, 1690, 990));
        let before = totals.clone();
        totals.pay(-1);
        assert_eq!(totals, before);
        totals.pay(5000);
        assert_eq!(totals, Totals { due_minor: 0, ..before });
    }

    #[test]
    fn what_cannot_be_is_refused() {
        let of = |line| compute(&document("EUR", TaxRounding::Line, vec![line])).unwrap_err();
        assert_eq!(of(line(1, 0, 1, false, &[])), TotalsError::QuantityOutOfRange);
        assert_eq!(of(line(1, 1, -1, false, &[])), TotalsError::Negative);
        assert_eq!(of(line(1, 1, 1, false, &[rate("VAT", -1)])), TotalsError::Negative);
        assert_eq!(of(LineInput { discount_minor: -1, ..line(1, 1, 1, false, &[]) }), TotalsError::Negative);
        assert_eq!(of(line(1, 2, MAX_MINOR, false, &[])), TotalsError::Overflow);
        assert_eq!(of(line(1, i32::MAX, i64::MAX, false, &[])), TotalsError::Overflow);
        assert_eq!(of(line(1, 1, MAX_MINOR, false, &[rate("VAT", 1)])), TotalsError::Overflow);
    }
}
