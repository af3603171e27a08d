//! Amounts and days as a reader of a language writes them.

use crate::money::{Currency, Money};

/// How a language writes numbers.
struct Figures {
    group: &'static str,
    point: &'static str,
    /// Whether the currency stands before the amount.
    before: bool,
}

fn figures(locale: &str) -> Figures {
    let (language, region) = split(locale);
    let of = |group, point, before| Figures { group, point, before };
    match (language.as_str(), region.as_deref()) {
        ("de" | "it" | "fr", Some("CH" | "LI")) => of("’", ".", true),
        ("es", Some("MX" | "US" | "GT" | "HN" | "SV" | "NI" | "PA" | "PE" | "DO" | "PR")) => of(",", ".", true),
        (
            "fr" | "nb" | "nn" | "no" | "sv" | "fi" | "cs" | "sk" | "pl" | "ru" | "uk" | "bg" | "hu" | "et" | "lv"
            | "lt",
            _,
        ) => of("\u{a0}", ",", false),
        (
            "de" | "es" | "it" | "nl" | "pt" | "da" | "tr" | "id" | "el" | "ro" | "hr" | "sl" | "sr" | "ca" | "is"
            | "vi",
            _,
        ) => of(".", ",", false),
        _ => of(",", ".", true),
    }
}

fn split(locale: &str) -> (String, Option<String>) {
    let mut parts = locale.split('-');
    let language = parts.next().unwrap_or_default().to_lowercase();
    (language, parts.find(|part| part.len() == 2).map(str::to_uppercase))
}

/// The sign of a currency, where everybody reads it as this one.
fn sign(currency: Currency) -> Option<&'static str> {
    match currency.code() {
        "EUR" => Some("€"),
        "GBP" => Some("£"),
        "USD" => Some("$"),
        "JPY" => Some("¥"),
        _ => None,
    }
}

/// An amount with the currency's decimals, as a language writes it: `€1,234.50`, `1.234,50 €`, `CHF 10.00`.
pub fn money(amount: Money, locale: &str) -> String {
    let figures = figures(locale);
    let decimal = amount.decimal();
    let (minus, digits) = match decimal.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", decimal.as_str()),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let mut number = String::with_capacity(digits.len() + 8);
    for (place, digit) in whole.chars().enumerate() {
        if place > 0 && (whole.len() - place).is_multiple_of(3) {
            number.push_str(figures.group);
        }
        number.push(digit);
    }
    if !fraction.is_empty() {
        number.push_str(figures.point);
        number.push_str(fraction);
    }
    match (sign(amount.currency), figures.before) {
        (Some(sign), true) => format!("{minus}{sign}{number}"),
        (None, true) => format!("{minus}{}\u{a0}{number}", amount.currency),
        (Some(sign), false) => format!("{minus}{number}\u{a0}{sign}"),
        (None, false) => format!("{minus}{number}\u{a0}{}", amount.currency),
    }
}

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// A day as a language writes it: `21.11.2026`, `21/11/2026`, `November 21, 2026`, else `2026-11-21`.
pub fn day(year: i32, month: u32, day: u32, locale: &str) -> String {
    let (language, region) = split(locale);
    let name = || MONTHS.get(month.saturating_sub(1) as usize).copied().unwrap_or_default();
    match language.as_str() {
        "en" if region.as_deref().is_none_or(|region| region == "US") => format!("{} {day}, {year}", name()),
        "en" => format!("{day} {} {year}", name()),
        "de" | "cs" | "da" | "fi" | "nb" | "nn" | "no" | "pl" | "ru" | "sk" | "sl" | "tr" | "uk" | "ro" | "bg" => {
            format!("{day:02}.{month:02}.{year}")
        }
        "fr" | "es" | "it" | "pt" | "el" | "ca" | "vi" | "id" => format!("{day:02}/{month:02}/{year}"),
        _ => format!("{year}-{month:02}-{day:02}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts() {
        for (minor, code, locale, text) in [
            (123_450, "EUR", "en", "€1,234.50"),
            (123_450, "EUR", "de", "1.234,50\u{a0}€"),
            (123_450, "EUR", "fr-FR", "1\u{a0}234,50\u{a0}€"),
            (123_450, "CHF", "de-CH", "CHF\u{a0}1’234.50"),
            (1_000, "JPY", "ja", "¥1,000"),
            (1_234_567, "KWD", "en", "KWD\u{a0}1,234.567"),
            (-5, "USD", "en-US", "-$0.05"),
            (99_999_999, "USD", "pt-BR", "999.999,99\u{a0}$"),
            (100, "EUR", "xx", "€1.00"),
        ] {
            assert_eq!(money(Money::new(minor, code.parse().unwrap()), locale), text, "{locale}");
        }
    }

    #[test]
    fn days() {
        for (locale, text) in [
            ("en", "March 4, 2026"),
            ("en-GB", "4 March 2026"),
            ("de-AT", "04.03.2026"),
            ("fr", "04/03/2026"),
            ("sv", "2026-03-04"),
        ] {
            assert_eq!(day(2026, 3, 4, locale), text, "{locale}");
        }
    }
}
