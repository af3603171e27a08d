//! The scalars of the schema and the money that is made of them.

use super::ready::at_once;
use async_graphql::{
    ID, InputObject, InputValueError, InputValueResult, Number, Scalar, ScalarType, SimpleObject, Value,
};
use domain::money::{self, AmountError, Currency, MAX_MINOR};
use domain::refusal::{ErrorCode, Refusal};
use domain::text::CountryCode;

/// A whole number between −(2^53 − 1) and 2^53 − 1, written as a JSON number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Int64(pub i64);

/// A whole number between −(2^53 − 1) and 2^53 − 1, written as a JSON number.
#[Scalar(name = "Int64", specified_by_url = "https://www.rfc-editor.org/rfc/rfc8259#section-6")]
impl ScalarType for Int64 {
    fn parse(value: Value) -> InputValueResult<Self> {
        match &value {
            Value::Number(number) => match number.as_i64() {
                Some(whole) if whole.abs() <= MAX_MINOR => Ok(Self(whole)),
                _ => Err(InputValueError::custom("Int64 holds whole numbers up to 2^53 - 1 in either direction")),
            },
            _ => Err(InputValueError::expected_type(value)),
        }
    }

    fn to_value(&self) -> Value {
        Value::Number(Number::from(self.0))
    }
}

/// A decimal number as text, such as `"19.99"`: exact, never a float.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decimal(pub String);

/// A decimal number as text, such as `"19.99"`: exact, never a float.
#[Scalar(name = "Decimal")]
impl ScalarType for Decimal {
    fn parse(value: Value) -> InputValueResult<Self> {
        match value {
            Value::String(text) => match money::parse_decimal(&text, 9) {
                Err(AmountError::Malformed) => Err(InputValueError::custom("Decimal is text such as \"19.99\"")),
                _ => Ok(Self(text)),
            },
            other => Err(InputValueError::expected_type(other)),
        }
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.clone())
    }
}

/// An ISO 4217 currency code in upper case, such as `EUR`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CurrencyCode(pub Currency);

/// An ISO 4217 currency code in upper case, such as `EUR`.
#[Scalar(name = "CurrencyCode", specified_by_url = "https://www.iso.org/iso-4217-currency-codes.html")]
impl ScalarType for CurrencyCode {
    fn parse(value: Value) -> InputValueResult<Self> {
        match &value {
            Value::String(text) => {
                text.parse().map(Self).map_err(|_| InputValueError::custom("not an ISO 4217 currency code such as EUR"))
            }
            _ => Err(InputValueError::expected_type(value)),
        }
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.code().to_owned())
    }
}

/// An ISO 3166-1 alpha-2 country code in upper case, such as `DE`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Country(pub CountryCode);

/// An ISO 3166-1 alpha-2 country code in upper case, such as `DE`.
#[Scalar(name = "CountryCode", specified_by_url = "https://www.iso.org/iso-3166-country-codes.html")]
impl ScalarType for Country {
    fn parse(value: Value) -> InputValueResult<Self> {
        match &value {
            Value::String(text) => text
                .parse()
                .map(Self)
                .map_err(|_| InputValueError::custom("not an ISO 3166-1 alpha-2 country code such as DE")),
            _ => Err(InputValueError::expected_type(value)),
        }
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.as_str().to_owned())
    }
}

/// Free data of your own: a JSON value.
#[derive(Debug, Clone)]
pub struct Json(pub serde_json::Value);

/// Free data of your own: a JSON value.
#[Scalar(name = "JSON", specified_by_url = "https://www.rfc-editor.org/rfc/rfc8259")]
impl ScalarType for Json {
    fn parse(value: Value) -> InputValueResult<Self> {
        Ok(Self(value.into_json()?))
    }

    fn to_value(&self) -> Value {
        Value::from_json(self.0.clone()).unwrap_or_default()
    }
}

/// An amount of money. The decimal text and the minor units are the same
/// amount; neither is ever rounded.
#[derive(Debug, Clone, SimpleObject)]
pub struct Money {
    /// The amount as decimal text with exactly the currency's decimals.
    pub amount: Decimal,
    /// The amount in minor units of the currency: cents for EUR, yen for JPY.
    pub amount_minor: Int64,
    /// The currency.
    pub currency_code: CurrencyCode,
}

at_once!(Money { amount, amount_minor, currency_code });

impl Money {
    /// `minor` units of `currency`.
    pub fn new(minor: i64, currency: Currency) -> Self {
        Self {
            amount: Decimal(domain::money::Money::new(minor, currency).decimal()),
            amount_minor: Int64(minor),
            currency_code: CurrencyCode(currency),
        }
    }
}

/// An amount of money that you send.
#[derive(Debug, Clone, InputObject)]
pub struct MoneyInput {
    /// The amount as decimal text, with no more decimals than the currency has.
    pub amount: Decimal,
    /// The currency.
    pub currency_code: CurrencyCode,
}

impl MoneyInput {
    /// The amount in minor units, or why it has none. `path` leads to this input.
    pub fn check(&self, path: &[&str]) -> Result<domain::money::Money, Refusal> {
        let currency = self.currency_code.0;
        domain::money::Money::parse(&self.amount.0, currency).map_err(|error| {
            Refusal::new(ErrorCode::Invalid, format!("{:?} {error}.", self.amount.0))
                .at(path.iter().copied().chain(["amount"]))
        })
    }
}

/// A percentage as parts per million: `"19"` is 190000.
pub fn percent_to_ppm(percent: &Decimal, path: &[&str]) -> Result<i32, Refusal> {
    let ppm = money::parse_decimal(&percent.0, 4).ok().and_then(|ppm| i32::try_from(ppm).ok());
    match ppm {
        Some(ppm) if (0..=10_000_000).contains(&ppm) => Ok(ppm),
        _ => Err(Refusal::new(ErrorCode::Invalid, "A rate is between 0 and 1000 percent, with up to four decimals.")
            .at(path.iter().copied())),
    }
}

/// Parts per million as a percentage: 190000 is `"19"`.
pub fn ppm_to_percent(ppm: i32) -> Decimal {
    let text = money::format_decimal(ppm.into(), 4);
    Decimal(text.trim_end_matches('0').trim_end_matches('.').to_owned())
}

/// A typed id out of the text that a client sent. `path` leads to the input.
pub fn parse_id<T: std::str::FromStr>(id: &ID, path: &[&str]) -> Result<T, Refusal> {
    id.parse().map_err(|_| {
        Refusal::new(ErrorCode::Invalid, "This is not an id of the kind that is expected here.")
            .at(path.iter().copied())
    })
}

/// The text form of an id for a client.
pub fn id(id: impl std::fmt::Display) -> ID {
    ID(id.to_string())
}
