//! What holds of every document that the calculator prices, over random carts
//! in currencies of 0, 2 and 3 decimals.

use domain::totals::{
    LineInput, Rate, RowTotals, ShippingInput, TaxRounding, Totals, TotalsError, TotalsInput, compute, refundable,
    share_discount,
};
use proptest::prelude::*;

/// Rates that stand together on real receipts.
const RATE_SETS: &[&[(&str, i32)]] = &[
    &[],
    &[("VAT", 190_000)],
    &[("VAT", 70_000)],
    &[("JCT", 100_000)],
    &[("JCT", 80_000)],
    &[("GST", 50_000)],
    &[("GST", 50_000), ("QST", 99_750)],
    &[("GST", 50_000), ("PST", 70_000)],
    &[("STATE", 62_500), ("COUNTY", 10_000), ("CITY", 12_345)],
    &[("ZERO", 0)],
];

fn rates_of(set: &[(&str, i32)]) -> Vec<Rate> {
    let rate = |(code, rate_ppm): &(&str, i32)| Rate {
        code: (*code).to_owned(),
        name: (*code).to_owned(),
        rate_ppm: *rate_ppm,
    };
    set.iter().map(rate).collect()
}

fn real_rates() -> impl Strategy<Value = Vec<Rate>> {
    prop::sample::select(RATE_SETS).prop_map(rates_of)
}

fn wild_rates() -> impl Strategy<Value = Vec<Rate>> {
    prop::collection::vec(0..3_000_000_i32, 0..4).prop_map(|ppms| {
        let codes = ["A", "B", "C", "D"];
        rates_of(&codes.into_iter().zip(ppms).collect::<Vec<_>>())
    })
}

fn prices() -> impl Strategy<Value = i64> {
    prop_oneof![0..20_i64, 0..20_000_i64, 0..1_000_000_000_000_i64]
}

fn lines(rates: impl Strategy<Value = Vec<Rate>>) -> impl Strategy<Value = LineInput> {
    (1..50_i32, prices(), any::<bool>(), prop_oneof![Just(0), prices()], rates, prop::bool::weighted(0.1)).prop_map(
        |(quantity, unit_price_minor, includes_tax, discount_minor, rates, exempt)| LineInput {
            position: 0,
            quantity,
            unit_price_minor,
            includes_tax,
            discount_minor,
            rates,
            exempt,
        },
    )
}

fn documents() -> impl Strategy<Value = TotalsInput> {
    (
        prop::sample::select(&["JPY", "EUR", "KWD"][..]),
        prop::sample::select(TaxRounding::ALL),
        prop::collection::vec(lines(real_rates()), 0..9),
        prop::collection::vec(lines(real_rates()), 0..3),
    )
        .prop_filter_map("a known currency", |(currency, rounding, lines, charges)| {
            let charge = |(line, position): (LineInput, i32)| ShippingInput {
                position,
                amount_minor: line.unit_price_minor,
                includes_tax: line.includes_tax,
                discount_minor: line.discount_minor,
                rates: line.rates,
                exempt: line.exempt,
            };
            Some(TotalsInput {
                currency: currency.parse().ok()?,
                rounding,
                lines: lines.into_iter().zip(1..).map(|(line, position)| LineInput { position, ..line }).collect(),
                shipping: charges.into_iter().zip(1..).map(charge).collect(),
            })
        })
}

fn sum(rows: &[RowTotals], figure: impl Fn(&RowTotals) -> i64) -> i64 {
    rows.iter().map(figure).sum()
}

/// Every identity that must hold whatever the rounding.
fn check(input: &TotalsInput, totals: &Totals) -> Result<(), TestCaseError> {
    let rows: Vec<RowTotals> = totals.lines.iter().chain(&totals.shipping).cloned().collect();
    prop_assert_eq!(sum(&rows, |row| row.total_minor), totals.total_minor);
    prop_assert_eq!(sum(&rows, |row| row.tax_minor), totals.tax_minor);
    prop_assert_eq!(sum(&rows, |row| row.discount_minor), totals.discount_minor);
    prop_assert_eq!(sum(&rows, |row| row.net_minor) + totals.tax_minor, totals.total_minor);
    prop_assert_eq!(sum(&totals.lines, |row| row.subtotal_minor), totals.subtotal_minor);
    prop_assert_eq!(sum(&totals.shipping, |row| row.subtotal_minor), totals.shipping_minor);
    prop_assert_eq!(totals.taxes.iter().map(|tax| tax.tax_minor).sum::<i64>(), totals.tax_minor);
    prop_assert_eq!(totals.due_minor, totals.total_minor);
    for tax in &totals.taxes {
        let same = rows.iter().flat_map(|row| &row.taxes);
        let same = same.filter(|of_row| of_row.code == tax.code && of_row.rate_ppm == tax.rate_ppm);
        let (base, amount) = same.fold((0, 0), |at, of_row| (at.0 + of_row.base_minor, at.1 + of_row.tax_minor));
        prop_assert_eq!((base, amount), (tax.base_minor, tax.tax_minor));
    }
    let flags = input.lines.iter().map(|line| (line.includes_tax, line.exempt));
    let flags = flags.chain(input.shipping.iter().map(|row| (row.includes_tax, row.exempt)));
    for (row, (includes_tax, exempt)) in rows.iter().zip(flags) {
        prop_assert!(row.net_minor >= 0 && row.tax_minor >= 0 && row.discount_minor >= 0, "{row:?}");
        prop_assert!(row.taxes.iter().all(|tax| tax.tax_minor >= 0), "{row:?}");
        prop_assert_eq!(row.net_minor + row.tax_minor, row.total_minor);
        prop_assert_eq!(row.taxes.iter().map(|tax| tax.tax_minor).sum::<i64>(), row.tax_minor);
        let charged = row.subtotal_minor - row.discount_minor;
        match (includes_tax, exempt) {
            (true, false) => prop_assert_eq!(row.total_minor, charged),
            (true, true) => prop_assert!(row.total_minor <= charged && row.tax_minor == 0),
            (false, false) => prop_assert_eq!(row.net_minor, charged),
            (false, true) => prop_assert!(row.total_minor == charged && row.tax_minor == 0),
        }
    }
    Ok(())
}

/// Half up on a fraction that is not negative.
fn round(numerator: i128, denominator: i128) -> i64 {
    ((2 * numerator + denominator) / (2 * denominator)) as i64
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10_000))]

    #[test]
    fn every_sum_is_exact(input in documents()) {
        check(&input, &compute(&input).unwrap())?;
    }

    #[test]
    fn the_order_of_rows_does_not_matter(input in documents(), seed in prop::collection::vec(any::<u32>(), 12)) {
        let mut shuffled = input.clone();
        shuffled.lines.sort_by_key(|line| seed[line.position as usize]);
        shuffled.shipping.sort_by_key(|row| seed[row.position as usize]);
        prop_assert_eq!(compute(&shuffled), compute(&input));
    }

    #[test]
    fn nothing_is_negative_under_wild_rates(
        mut input in documents(),
        wild in prop::collection::vec((wild_rates(), 0..4_i64), 0..5),
    ) {
        let row = |((rates, unit_price_minor), position)| LineInput {
            position, quantity: 1, unit_price_minor, includes_tax: true, discount_minor: 0, rates, exempt: false,
        };
        input.lines = wild.into_iter().zip(1..).map(row).collect();
        match compute(&input) {
            Ok(totals) => check(&input, &totals)?,
            Err(error) => prop_assert_eq!(error, TotalsError::Overflow),
        }
    }

    #[test]
    fn partial_returns_sum_to_the_total(
        total_minor in 0..1_000_000_000_i64,
        parts in prop::collection::vec(1..20_i32, 1..12),
    ) {
        let quantity: i32 = parts.iter().sum();
        let (mut returned, mut refunded) = (0, 0);
        for part in parts {
            returned += part;
            let refund = refundable(total_minor, quantity, returned, refunded);
            prop_assert!(refund >= 0);
            refunded += refund;
            prop_assert!(refunded <= total_minor);
        }
        prop_assert_eq!(refunded, total_minor);
    }

    #[test]
    fn splitting_a_line_moves_its_tax_by_less_than_a_unit_per_part_and_rate(
        mut whole in documents(),
        line in lines(real_rates()),
        parts in prop::collection::vec(1..20_i32, 1..6),
    ) {
        whole.lines.insert(0, LineInput { position: 99, ..line });
        let line = &mut whole.lines[0];
        line.quantity = parts.iter().sum();
        let subtotal = |quantity: i32| line.unit_price_minor * i64::from(quantity);
        line.discount_minor = line.discount_minor.min(subtotal(line.quantity));
        let weights: Vec<(i32, i64)> = (100..).zip(parts.iter().map(|part| subtotal(*part))).collect();
        let discounts = share_discount(line.discount_minor, &weights);
        let part = |((quantity, discount_minor), position)| {
            LineInput { position, quantity, discount_minor, ..line.clone() }
        };
        let rates = line.rates.len() as i64;
        let pieces: Vec<LineInput> = parts.iter().copied().zip(discounts).zip(100..).map(part).collect();
        let mut split = whole.clone();
        split.lines.splice(..1, pieces);
        let [whole, split] = [whole, split].map(|input| compute(&input).unwrap());
        prop_assert_eq!(split.subtotal_minor, whole.subtotal_minor);
        prop_assert_eq!(split.discount_minor, whole.discount_minor);
        prop_assert!((split.tax_minor - whole.tax_minor).abs() <= parts.len() as i64 * rates);
    }

    #[test]
    fn returning_everything_in_any_sequence_gives_back_the_total(
        input in documents(),
        picks in prop::collection::vec((any::<prop::sample::Index>(), 1..20_i32), 0..60),
    ) {
        let totals = compute(&input).unwrap();
        let mut returned = vec![0; input.lines.len()];
        let mut refunded = vec![0; input.lines.len()];
        let mut give_back = |at: usize, pieces: i32| {
            let (line, row) = (&input.lines[at], &totals.lines[at]);
            returned[at] = (returned[at] + pieces).min(line.quantity);
            let refund = refundable(row.total_minor, line.quantity, returned[at], refunded[at]);
            refunded[at] += refund;
            refund
        };
        let mut all = 0;
        for (at, pieces) in picks.iter().filter(|_| !input.lines.is_empty()) {
            let refund = give_back(at.index(input.lines.len()), *pieces);
            prop_assert!(refund >= 0);
            all += refund;
        }
        // What is still out comes back at last.
        all += (0..input.lines.len()).map(|at| give_back(at, i32::MAX / 2)).sum::<i64>();
        prop_assert_eq!(all, sum(&totals.lines, |row| row.total_minor));
    }

    #[test]
    fn a_shared_discount_is_exact_and_capped(
        total_minor in prices(),
        left in prop::collection::vec(prices(), 0..12),
        seed in prop::collection::vec(any::<u32>(), 12),
    ) {
        let left: Vec<(i32, i64)> = (1..).zip(left).collect();
        let parts = share_discount(total_minor, &left);
        prop_assert_eq!(parts.iter().sum::<i64>(), total_minor.min(left.iter().map(|line| line.1).sum()));
        prop_assert!(parts.iter().zip(&left).all(|(part, line)| (0..=line.1).contains(part)));

        let mut shuffled = left.clone();
        shuffled.sort_by_key(|line| seed[line.0 as usize - 1]);
        let again = share_discount(total_minor, &shuffled);
        prop_assert!(shuffled.iter().zip(again).all(|(line, part)| parts[line.0 as usize - 1] == part));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10_000))]

    #[test]
    fn means_never_change_anything_but_the_due(input in documents(), means in prices()) {
        let without = compute(&input).unwrap();
        let mut with = without.clone();
        with.pay(means);
        prop_assert_eq!(with.due_minor, (without.total_minor - means).max(0));
        prop_assert_eq!(Totals { due_minor: with.due_minor, ..without }, with);
    }

    #[test]
    fn an_exclusive_document_is_rounded_once_per_rate(mut input in documents()) {
        input.rounding = TaxRounding::Document;
        input.lines.iter_mut().for_each(|line| line.includes_tax = false);
        input.shipping.iter_mut().for_each(|row| row.includes_tax = false);
        for tax in compute(&input).unwrap().taxes {
            prop_assert_eq!(tax.tax_minor, round(i128::from(tax.base_minor) * i128::from(tax.rate_ppm), 1_000_000));
        }
    }

    #[test]
    fn an_inclusive_document_of_one_rate_is_rounded_once(mut input in documents(), ppm in 0..300_000_i32) {
        input.rounding = TaxRounding::Document;
        input.shipping.clear();
        for line in &mut input.lines {
            line.includes_tax = true;
            line.exempt = false;
            line.rates = rates_of(&[("VAT", ppm)]);
        }
        let totals = compute(&input).unwrap();
        let ppm = i128::from(ppm);
        prop_assert_eq!(totals.tax_minor, round(i128::from(totals.total_minor) * ppm, 1_000_000 + ppm));
    }

    #[test]
    fn a_row_is_less_than_a_unit_away_from_its_exact_tax(input in documents()) {
        let totals = compute(&input).unwrap();
        for (line, row) in input.lines.iter().zip(&totals.lines).filter(|(line, _)| !line.exempt) {
            let charged = i128::from(row.subtotal_minor - row.discount_minor);
            let all: i128 = line.rates.iter().map(|rate| i128::from(rate.rate_ppm)).sum();
            let denominator = 1_000_000 + if line.includes_tax { all } else { 0 };
            for (rate, tax) in line.rates.iter().zip(&row.taxes) {
                let off = charged * i128::from(rate.rate_ppm) - i128::from(tax.tax_minor) * denominator;
                // Splitting a rounded tax over several rates may add the two roundings up.
                prop_assert!(off.abs() * 2 < denominator * 3, "{tax:?}");
                prop_assert!(input.rounding == TaxRounding::Line || off.abs() < denominator, "{tax:?}");
            }
        }
    }

    #[test]
    fn no_input_panics(
        figures in prop::collection::vec((any::<i32>(), any::<i64>(), any::<bool>(), any::<i64>(), any::<i32>()), 0..4),
        rounding in prop::sample::select(TaxRounding::ALL),
    ) {
        let line = |(quantity, unit_price_minor, includes_tax, discount_minor, ppm)| LineInput {
            position: quantity, quantity, unit_price_minor, includes_tax, discount_minor,
            rates: rates_of(&[("VAT", ppm), ("VAT", ppm)]), exempt: false,
        };
        let lines = figures.into_iter().map(line).collect();
        let currency = "EUR".parse().unwrap();
        let _ = compute(&TotalsInput { currency, rounding, lines, shipping: Vec::new() });
    }
}

#[test]
fn equal_remainders_go_to_the_lower_position() {
    assert_eq!(share_discount(100, &[(3, 50), (1, 50), (2, 50)]), [33, 34, 33]);
    assert_eq!(share_discount(500, &[(1, 50), (2, 0)]), [50, 0]);
    assert_eq!(share_discount(-5, &[(1, 50)]), [0]);
    assert!(share_discount(5, &[]).is_empty());
}

#[test]
fn a_return_gives_back_what_is_left_of_its_part() {
    assert_eq!([1, 2, 3].map(|returned| refundable(1000, 3, returned, 0)), [333, 667, 1000]);
    assert_eq!(refundable(1000, 3, 2, 333), 334);
    assert_eq!(refundable(1000, 3, 9, 667), 333);
    assert_eq!(refundable(1000, 3, 1, 500), 0);
    assert_eq!(refundable(1000, 0, 1, 0), 0);
}
