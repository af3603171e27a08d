//! What a tax provider is asked, and which of its answers count. It names rates; what comes of them the calculator of
//! the shop works out, so that every figure of a cart adds up whoever named the rates.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{AppliedRate, MAX_LEVELS, MAX_RATE_PPM, TaxBasis, TaxChoice, TaxPlace, TaxReason};
use crate::id::{ProductId, ProductTypeId, ShippingOptionId};
use crate::money::{Currency, parse_decimal};
use crate::provider::Destination;
use crate::text::CountryCode;
use crate::totals::Rate;
use crate::word::words;

/// The longest code, name and jurisdiction of an answer, in characters.
pub const MAX_TEXT: usize = 100;

words! {
    /// What is charged when the tax provider of a country gives no answer.
    pub enum TaxFallback {
        /// The rates that the shop itself has for the place.
        BuiltIn = "BUILT_IN",
        /// Nothing: a cart shows the rates that the shop itself has, and can't become an order.
        Refuse = "REFUSE",
    }
}

/// What a tax provider is asked about a cart. All that the answer may depend on is in it: the same question has the
/// same answer for a while.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TaxQuestion {
    /// The currency of every amount.
    pub currency_code: Currency,
    /// Where the goods go.
    pub destination: Destination,
    /// The countries that goods may come from.
    pub origin_country_codes: Vec<CountryCode>,
    /// The buyer's VAT number.
    pub tax_number: Option<String>,
    /// The goods, by position.
    pub lines: Vec<AskedLine>,
    /// The deliveries, by position.
    pub deliveries: Vec<AskedDelivery>,
}

/// Goods whose rates are asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AskedLine {
    /// Where the line stands in the cart.
    pub position: i32,
    /// The product; none when it is not for sale any more.
    pub product_id: Option<ProductId>,
    /// Its type.
    pub product_type_id: Option<ProductTypeId>,
    /// The SKU of the variant.
    pub sku: Option<String>,
    /// How many pieces.
    pub quantity: i32,
    /// What the line comes to after discounts, as a decimal.
    pub amount: String,
    /// Whether that includes tax.
    pub includes_tax: bool,
}

/// A delivery whose rates are asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AskedDelivery {
    /// Where the delivery group stands in the cart.
    pub position: i32,
    /// What was chosen for it.
    pub shipping_option_id: ShippingOptionId,
    /// What it costs after discounts, as a decimal.
    pub amount: String,
    /// Whether that includes tax.
    pub includes_tax: bool,
}

/// What a tax provider answers: the rates of each line and each delivery, none for what it doesn't tax.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaxAnswer {
    /// The rates of each line.
    #[serde(default)]
    pub lines: Vec<AnsweredRates>,
    /// The rates of each delivery.
    #[serde(default)]
    pub deliveries: Vec<AnsweredRates>,
}

/// The rates of a line or a delivery.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AnsweredRates {
    /// Which one.
    pub position: i32,
    /// Its rates: they add up, none compounds on another.
    pub rates: Vec<AnsweredRate>,
}

/// A rate as a provider names it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AnsweredRate {
    /// A short code for invoices; distinct on one row.
    pub code: String,
    /// What the shopper reads.
    pub name: String,
    /// The rate in percent with up to four decimals.
    pub percent: Percent,
    /// Whose tax it is, such as a county.
    #[serde(default)]
    pub jurisdiction: Option<String>,
}

/// A number of percent, written as a number of JSON or as text. Both are read digit by digit: `8.875` is 88750 parts
/// per million and nothing beside it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Percent {
    /// As text.
    Text(String),
    /// As a number.
    Number(serde_json::Number),
}

impl Percent {
    /// In parts per million; none when it is no rate.
    fn ppm(&self) -> Option<i32> {
        let text = match self {
            Self::Text(text) => text.clone(),
            Self::Number(number) => number.to_string(),
        };
        let ppm = parse_decimal(&text, 4).ok().and_then(|ppm| i32::try_from(ppm).ok())?;
        (0..=MAX_RATE_PPM).contains(&ppm).then_some(ppm)
    }
}

impl TaxQuestion {
    /// Whether there is anything to ask for.
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty() && self.deliveries.is_empty()
    }

    /// Refuses an answer that is not about every row of the question, or names what is no rate.
    ///
    /// # Errors
    /// What is wrong with it, for the operator's log.
    pub fn check(&self, answer: &TaxAnswer) -> Result<(), String> {
        let lines = self.lines.iter().map(|line| line.position);
        let deliveries = self.deliveries.iter().map(|delivery| delivery.position);
        check("line", lines, &answer.lines)?;
        check("delivery", deliveries, &answer.deliveries)
    }
}

fn check(what: &str, asked: impl Iterator<Item = i32>, answered: &[AnsweredRates]) -> Result<(), String> {
    let mut open: BTreeMap<i32, bool> = asked.map(|position| (position, true)).collect();
    for row in answered {
        let position = row.position;
        match open.insert(position, false) {
            None => return Err(format!("there is no {what} {position}")),
            Some(false) => return Err(format!("{what} {position} stands twice")),
            Some(true) => {}
        }
        if row.rates.len() > MAX_LEVELS {
            return Err(format!("{what} {position} has more than {MAX_LEVELS} rates"));
        }
        for (place, rate) in row.rates.iter().enumerate() {
            let texts = [Some(&rate.code), Some(&rate.name), rate.jurisdiction.as_ref()];
            if let Some(text) = texts.into_iter().flatten().find(|text| !is_told(text)) {
                return Err(format!("{text:?} of {what} {position} is no code and no name"));
            }
            if row.rates[..place].iter().any(|other| other.code == rate.code) {
                return Err(format!("{what} {position} has the code {:?} twice", rate.code));
            }
            if rate.percent.ppm().is_none() {
                return Err(format!("{what} {position} has a rate that is none: {:?}", rate.percent));
            }
        }
    }
    match open.iter().find(|(_, open)| **open) {
        Some((position, _)) => Err(format!("{what} {position} has no answer")),
        None => Ok(()),
    }
}

fn is_told(text: &str) -> bool {
    !text.trim().is_empty() && text.chars().count() <= MAX_TEXT && !text.chars().any(char::is_control)
}

/// The rates that a provider named for the row at a position, given the country whose taxes it looks after.
pub fn answered(rows: &[AnsweredRates], position: i32, country: &TaxPlace) -> TaxChoice {
    let rates = rows.iter().find(|row| row.position == position).map(|row| row.rates.as_slice()).unwrap_or_default();
    let applied = |rate: &AnsweredRate| {
        let reason = TaxReason {
            basis: TaxBasis::Provider,
            rate: None,
            place: country.clone(),
            jurisdiction: rate.jurisdiction.clone(),
        };
        let rate_ppm = rate.percent.ppm()?;
        Some(AppliedRate { rate: Rate { code: rate.code.clone(), name: rate.name.clone(), rate_ppm }, reason })
    };
    TaxChoice { applied: rates.iter().filter_map(applied).collect(), passed_over: Vec::new() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn question() -> TaxQuestion {
        let line = |position| AskedLine {
            position,
            product_id: None,
            product_type_id: None,
            sku: None,
            quantity: 1,
            amount: "10.00".to_owned(),
            includes_tax: false,
        };
        let destination = Destination::of_country(&"US".parse().expect("a country"));
        TaxQuestion {
            currency_code: "USD".parse().expect("a currency"),
            destination,
            origin_country_codes: Vec::new(),
            tax_number: None,
            lines: vec![line(0), line(3)],
            deliveries: Vec::new(),
        }
    }

    fn checked(lines: serde_json::Value) -> Result<(), String> {
        let answer = serde_json::json!({ "lines": lines });
        let answer: TaxAnswer = serde_json::from_value(answer).map_err(|error| error.to_string())?;
        question().check(&answer)
    }

    fn one(rates: serde_json::Value) -> Result<(), String> {
        checked(serde_json::json!([{ "position": 0, "rates": rates }, { "position": 3, "rates": [] }]))
    }

    #[test]
    fn an_answer_is_about_every_row_once() {
        let row = |position: i32| serde_json::json!({ "position": position, "rates": [] });
        assert_eq!(checked(serde_json::json!([row(3), row(0)])), Ok(()));
        assert_eq!(checked(serde_json::json!([row(0)])), Err("line 3 has no answer".to_owned()));
        assert_eq!(checked(serde_json::json!([row(0), row(1)])), Err("there is no line 1".to_owned()));
        assert_eq!(checked(serde_json::json!([row(0), row(0)])), Err("line 0 stands twice".to_owned()));
    }

    #[test]
    fn rates_are_read_to_the_digit() {
        for (percent, ppm) in [
            (serde_json::json!("8.875"), 88_750),
            (serde_json::json!(8.875), 88_750),
            (serde_json::json!(0.1), 1_000),
            (serde_json::json!(19), 190_000),
            (serde_json::json!("0"), 0),
            (serde_json::json!("1000"), MAX_RATE_PPM),
        ] {
            let read: Percent = serde_json::from_value(percent.clone()).expect("a number");
            assert_eq!(read.ppm(), Some(ppm), "{percent}");
        }
        for wrong in ["-1", "1000.0001", "1.23456", "1e1", "", "19 %", "NaN"] {
            assert_eq!(Percent::Text(wrong.to_owned()).ppm(), None, "{wrong}");
        }
    }

    #[test]
    fn what_is_no_rate_is_refused() {
        let rate = |code: &str, percent: &str| serde_json::json!({ "code": code, "name": "A", "percent": percent });
        assert_eq!(one(serde_json::json!([rate("NY", "4"), rate("NYC", "4.5")])), Ok(()));
        assert!(one(serde_json::json!([rate("NY", "4"), rate("NY", "4.5")])).is_err());
        assert!(one(serde_json::json!([rate("", "4")])).is_err());
        assert!(one(serde_json::json!([rate("a\nb", "4")])).is_err());
        assert!(one(serde_json::json!([rate(&"x".repeat(MAX_TEXT + 1), "4")])).is_err());
        assert!(one(serde_json::json!([rate("NY", "-4")])).is_err());
        assert!(one(serde_json::Value::Array((0..7).map(|code| rate(&code.to_string(), "1")).collect())).is_err());
    }
}
