//! Values of metafields: read from text, written as text in one form each, and
//! the keys by which they are looked up and compared.

use std::fmt;

use serde_json::json;

use super::MetafieldType;
use super::moment::{format_date, format_moment, parse_date, parse_moment};
use crate::id::{MediaId, ProductId, VariantId};
use crate::money::{Currency, MAX_MINOR, Money, divide_rounded, format_decimal, parse_decimal};
use crate::refusal::{ErrorCode, Refusal};
use crate::text::title;
use crate::word::words;

/// The most entries of a list.
pub const MAX_LIST: usize = 128;
/// The longest text of several lines in characters, and the longest JSON in bytes.
pub const MAX_LONG: usize = 65_535;
/// The decimals that decimal numbers keep.
const DECIMALS: u32 = 6;
/// The decimals that weights and lengths keep.
const MEASURE_DECIMALS: u32 = 3;
/// The greatest weight or length in any unit, in thousandths.
const MAX_MEASURE: i64 = 1_000_000_000;

words! {
    /// What a weight is measured in.
    pub enum WeightUnit {
        /// Grams.
        Grams = "GRAMS",
        /// Kilograms.
        Kilograms = "KILOGRAMS",
        /// International avoirdupois ounces.
        Ounces = "OUNCES",
        /// International avoirdupois pounds.
        Pounds = "POUNDS",
    }
}

words! {
    /// What a length is measured in.
    pub enum LengthUnit {
        /// Millimeters.
        Millimeters = "MILLIMETERS",
        /// Centimeters.
        Centimeters = "CENTIMETERS",
        /// Meters.
        Meters = "METERS",
        /// International inches.
        Inches = "INCHES",
        /// International feet.
        Feet = "FEET",
    }
}

impl WeightUnit {
    /// Nanograms of one unit.
    fn nanograms(self) -> i128 {
        match self {
            Self::Grams => 1_000_000_000,
            Self::Kilograms => 1_000_000_000_000,
            Self::Ounces => 28_349_523_125,
            Self::Pounds => 453_592_370_000,
        }
    }
}

impl LengthUnit {
    /// Micrometers of one unit.
    fn micrometers(self) -> i128 {
        match self {
            Self::Millimeters => 1_000,
            Self::Centimeters => 10_000,
            Self::Meters => 1_000_000,
            Self::Inches => 25_400,
            Self::Feet => 304_800,
        }
    }
}

/// A value.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// One line.
    Line(String),
    /// Several lines.
    Lines(String),
    /// A whole number.
    Integer(i64),
    /// Millionths.
    Decimal(i64),
    /// Yes or no.
    Boolean(bool),
    /// Days since 1970-01-01.
    Date(i64),
    /// Microseconds since 1970-01-01 in UTC.
    DateTime(i64),
    /// A web address.
    Url(String),
    /// `#rrggbb` or `#rrggbbaa`, in lower case.
    Color(String),
    /// Anything.
    Json(serde_json::Value),
    /// An amount.
    Money(Money),
    /// Thousandths of a unit of weight.
    Weight(i64, WeightUnit),
    /// Thousandths of a unit of length.
    Dimension(i64, LengthUnit),
    /// A product.
    Product(ProductId),
    /// A variant.
    Variant(VariantId),
    /// A medium.
    File(MediaId),
    /// Several of one type.
    List(Vec<Value>),
}

/// What another entity a value names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reference {
    /// A product.
    Product(ProductId),
    /// A variant.
    Variant(VariantId),
    /// A medium.
    File(MediaId),
}

/// By what a value is looked up and compared: text is equal or not, numbers
/// are ordered; of money it is the amount within a currency.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// The text, for everything that has no order; the currency of money.
    pub text: Option<String>,
    /// The number, for everything that has an order.
    pub number: Option<i64>,
}

fn wrong(message: impl Into<String>) -> Refusal {
    Refusal::new(ErrorCode::Invalid, message)
}

fn lines(text: &str) -> Result<String, Refusal> {
    let text = text.replace("\r\n", "\n");
    if text.trim().is_empty() {
        Err(Refusal::new(ErrorCode::Required, "This can't be empty."))
    } else if text.chars().count() > MAX_LONG {
        Err(wrong(format!("This is longer than {MAX_LONG} characters.")).limit(MAX_LONG as i64))
    } else if text.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\t')) {
        Err(wrong("This can't hold control characters."))
    } else {
        Ok(text)
    }
}

fn decimal(text: &str, decimals: u32, what: &str) -> Result<i64, Refusal> {
    parse_decimal(text, decimals).map_err(|error| wrong(format!("{text:?} is no {what}: {error}.")))
}

fn url(text: &str) -> Result<String, Refusal> {
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    let well_formed = rest.is_some_and(|rest| !rest.is_empty() && !rest.starts_with(['/', '?', '#', ':', '@']))
        && text.len() <= 2048
        && !text.chars().any(|c| c.is_whitespace() || c.is_control() || c == '\\');
    if well_formed {
        Ok(text.to_owned())
    } else {
        Err(wrong("This is not a web address such as https://example.com/a."))
    }
}

fn color(text: &str) -> Result<String, Refusal> {
    let digits = text.strip_prefix('#').unwrap_or_default();
    if matches!(digits.len(), 6 | 8) && digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        Ok(text.to_ascii_lowercase())
    } else {
        Err(wrong("This is not a color such as #1e90ff."))
    }
}

/// A JSON object of exactly two texts.
fn pair(text: &str, names: [&str; 2], example: &str) -> Result<[String; 2], Refusal> {
    let refusal = || wrong(format!("This is not of the form {example}."));
    let value: serde_json::Value = serde_json::from_str(text).map_err(|_| refusal())?;
    let object = value.as_object().filter(|object| object.len() == 2).ok_or_else(refusal)?;
    let part = |name: &str| object.get(name).and_then(serde_json::Value::as_str).map(str::to_owned);
    match (part(names[0]), part(names[1])) {
        (Some(first), Some(second)) => Ok([first, second]),
        _ => Err(refusal()),
    }
}

fn money(text: &str) -> Result<Money, Refusal> {
    let [amount, code] = pair(text, ["amount", "currencyCode"], r#"{"amount":"19.99","currencyCode":"EUR"}"#)?;
    let currency: Currency = code.parse().map_err(|_| wrong(format!("{code:?} is no ISO 4217 currency code.")))?;
    Money::parse(&amount, currency).map_err(|error| wrong(format!("{amount:?} {error}.")))
}

fn measure<U: std::str::FromStr>(text: &str, example: &str) -> Result<(i64, U), Refusal> {
    let [value, unit] = pair(text, ["value", "unit"], example)?;
    let thousandths = decimal(&value, MEASURE_DECIMALS, "measure")?;
    let unit = unit.parse().map_err(|_| wrong(format!("{unit:?} is no unit; take one as in {example}.")))?;
    if (0..=MAX_MEASURE).contains(&thousandths) {
        Ok((thousandths, unit))
    } else {
        Err(wrong("A measure is between 0 and 1000000.").limit(MAX_MEASURE / 1_000))
    }
}

fn reference<T: std::str::FromStr>(text: &str, what: &str) -> Result<T, Refusal> {
    text.parse().map_err(|_| wrong(format!("This is not the id of a {what}.")))
}

fn list(kind: MetafieldType, text: &str) -> Result<Vec<Value>, Refusal> {
    let element = kind.element();
    let entries: Vec<serde_json::Value> =
        serde_json::from_str(text).map_err(|_| wrong(r#"This is not a JSON list such as ["a","b"]."#))?;
    if entries.len() > MAX_LIST {
        let message = format!("A list has at most {MAX_LIST} entries.");
        return Err(Refusal::new(ErrorCode::TooMany, message).limit(MAX_LIST as i64));
    }
    let read = |entry: &serde_json::Value| match entry {
        serde_json::Value::String(text) if element != MetafieldType::Integer => Value::parse(element, text),
        serde_json::Value::Number(number) if element == MetafieldType::Integer => {
            Value::parse(element, &number.to_string())
        }
        other => Err(wrong(format!("{other} can't be an entry of this list."))),
    };
    entries.iter().map(read).collect()
}

impl Value {
    /// Reads a value of a type from its text form.
    pub fn parse(kind: MetafieldType, text: &str) -> Result<Self, Refusal> {
        use MetafieldType as T;
        Ok(match kind {
            T::SingleLineText => Self::Line(title(text)?),
            T::MultiLineText => Self::Lines(lines(text)?),
            T::Integer => Self::Integer(decimal(text, 0, "whole number")?),
            T::Decimal => Self::Decimal(decimal(text, DECIMALS, "decimal number")?),
            T::Boolean => Self::Boolean(text.parse().map_err(|_| wrong("This is neither true nor false."))?),
            T::Date => Self::Date(parse_date(text).ok_or_else(|| wrong("This is not a day such as 2026-02-28."))?),
            T::DateTime => Self::DateTime(
                parse_moment(text).ok_or_else(|| wrong("This is not a moment such as 2026-02-28T12:00:00+01:00."))?,
            ),
            T::Url => Self::Url(url(text)?),
            T::Color => Self::Color(color(text)?),
            T::Json if text.len() > MAX_LONG => {
                return Err(wrong(format!("This is longer than {MAX_LONG} bytes.")).limit(MAX_LONG as i64));
            }
            T::Json => {
                Self::Json(serde_json::from_str(text).map_err(|error| wrong(format!("This is no JSON: {error}.")))?)
            }
            T::Money => Self::Money(money(text)?),
            T::Weight => {
                let (value, unit) = measure(text, r#"{"value":"1.5","unit":"KILOGRAMS"}"#)?;
                Self::Weight(value, unit)
            }
            T::Dimension => {
                let (value, unit) = measure(text, r#"{"value":"30","unit":"CENTIMETERS"}"#)?;
                Self::Dimension(value, unit)
            }
            T::ProductReference => Self::Product(reference(text, "product")?),
            T::VariantReference => Self::Variant(reference(text, "variant")?),
            T::FileReference => Self::File(reference(text, "medium")?),
            T::ListSingleLineText
            | T::ListInteger
            | T::ListDecimal
            | T::ListProductReference
            | T::ListVariantReference
            | T::ListFileReference => Self::List(list(kind, text)?),
        })
    }

    /// The value as JSON: numbers as numbers where they are exact, decimals as text.
    pub fn json(&self) -> serde_json::Value {
        match self {
            Self::Integer(number) => json!(number),
            Self::Boolean(yes) => json!(yes),
            Self::Json(value) => value.clone(),
            Self::Money(money) => json!({ "amount": money.decimal(), "currencyCode": money.currency.code() }),
            Self::Weight(value, unit) => json!({ "unit": unit.as_str(), "value": thousandths(*value) }),
            Self::Dimension(value, unit) => json!({ "unit": unit.as_str(), "value": thousandths(*value) }),
            Self::List(values) => values.iter().map(Self::json).collect(),
            other => json!(other.to_string()),
        }
    }

    /// What it is looked up by: one key for each entry; none for what is not indexed.
    pub fn keys(&self) -> Vec<Key> {
        let text = |text: String| vec![Key { text: Some(text), number: None }];
        let number = |number: i64| vec![Key { text: None, number: Some(number) }];
        match self {
            Self::Lines(_) | Self::Json(_) => Vec::new(),
            Self::Integer(value) | Self::Decimal(value) | Self::Date(value) | Self::DateTime(value) => number(*value),
            // In micrograms and micrometers, so that other units of one weight are equal.
            Self::Weight(value, unit) => number(divide_rounded(i128::from(*value) * unit.nanograms(), 1_000_000)),
            Self::Dimension(value, unit) => number(divide_rounded(i128::from(*value) * unit.micrometers(), 1_000)),
            Self::Money(money) => {
                vec![Key { text: Some(money.currency.code().to_owned()), number: Some(money.minor) }]
            }
            Self::List(values) => values.iter().flat_map(Self::keys).collect(),
            other => text(other.to_string()),
        }
    }

    /// The entities that it names.
    pub fn references(&self) -> Vec<Reference> {
        match self {
            Self::Product(id) => vec![Reference::Product(*id)],
            Self::Variant(id) => vec![Reference::Variant(*id)],
            Self::File(id) => vec![Reference::File(*id)],
            Self::List(values) => values.iter().flat_map(Self::references).collect(),
            _ => Vec::new(),
        }
    }
}

fn short(minor: i64, decimals: u32) -> String {
    let text = format_decimal(minor, decimals);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

fn thousandths(value: i64) -> String {
    short(value, MEASURE_DECIMALS)
}

impl fmt::Display for Value {
    /// The one text form.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Line(text) | Self::Lines(text) | Self::Url(text) | Self::Color(text) => f.write_str(text),
            Self::Integer(number) => number.fmt(f),
            Self::Decimal(millionths) => f.write_str(&short(*millionths, DECIMALS)),
            Self::Boolean(yes) => yes.fmt(f),
            Self::Date(days) => f.write_str(&format_date(*days)),
            Self::DateTime(moment) => f.write_str(&format_moment(*moment)),
            Self::Product(id) => id.fmt(f),
            Self::Variant(id) => id.fmt(f),
            Self::File(id) => id.fmt(f),
            Self::Json(_) | Self::Money(_) | Self::Weight(..) | Self::Dimension(..) | Self::List(_) => {
                self.json().fmt(f)
            }
        }
    }
}

const _: () = assert!(MAX_MEASURE as i128 * 1_000_000_000_000 / 1_000_000 < i64::MAX as i128 && MAX_MINOR > 0);

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use uuid::Uuid;

    fn again(kind: MetafieldType, text: &str) -> Option<String> {
        Value::parse(kind, text).ok().map(|value| value.to_string())
    }

    #[test]
    fn every_type_has_one_form() {
        use MetafieldType as T;
        let id = "prod_01h2xcejqtf2nbrexx3vqjhp41";
        let cases = [
            (T::SingleLineText, " a b ", "a b"),
            (T::MultiLineText, "a\r\nb", "a\nb"),
            (T::Integer, "-007", "-7"),
            (T::Integer, "9007199254740991", "9007199254740991"),
            (T::Decimal, "01.500000", "1.5"),
            (T::Decimal, "-0.000001", "-0.000001"),
            (T::Decimal, "100", "100"),
            (T::Boolean, "true", "true"),
            (T::Date, "2024-02-29", "2024-02-29"),
            (T::DateTime, "2026-01-01T01:00:00+01:00", "2026-01-01T00:00:00Z"),
            (T::Url, "https://example.com/a?b=c#d", "https://example.com/a?b=c#d"),
            (T::Color, "#1E90FF", "#1e90ff"),
            (T::Json, r#"{ "a": [1, null] }"#, r#"{"a":[1,null]}"#),
            (T::Money, r#"{"currencyCode":"EUR","amount":"5"}"#, r#"{"amount":"5.00","currencyCode":"EUR"}"#),
            (T::Weight, r#"{"value":"1.50","unit":"KILOGRAMS"}"#, r#"{"unit":"KILOGRAMS","value":"1.5"}"#),
            (T::Dimension, r#"{"value":"30","unit":"FEET"}"#, r#"{"unit":"FEET","value":"30"}"#),
            (T::ProductReference, id, id),
            (T::ListSingleLineText, r#"[" a ", "b"]"#, r#"["a","b"]"#),
            (T::ListInteger, "[2, -1]", "[2,-1]"),
            (T::ListDecimal, r#"["1.50"]"#, r#"["1.5"]"#),
            (T::ListProductReference, &format!("[{id:?}]"), &format!("[{id:?}]")),
            (T::ListFileReference, "[]", "[]"),
        ];
        for (kind, given, kept) in cases {
            let kept = match kind {
                // The order of names in an object is the library's.
                T::Money | T::Weight | T::Dimension => Value::parse(kind, kept).unwrap().to_string(),
                _ => kept.to_owned(),
            };
            assert_eq!(again(kind, given), Some(kept), "{kind} {given}");
        }
    }

    #[test]
    fn what_is_not_of_the_type_is_refused() {
        use MetafieldType as T;
        let cases: &[(T, &[&str])] = &[
            (T::SingleLineText, &["", "  ", "a\nb"]),
            (T::MultiLineText, &[" \n ", "a\u{7}b"]),
            (T::Integer, &["", "1.5", "1e3", "9007199254740992", "x", "+1"]),
            (T::Decimal, &["1.0000001", "1,5", ".5", "NaN"]),
            (T::Boolean, &["TRUE", "1", ""]),
            (T::Date, &["2026-02-29", "28.02.2026", "2026-02-28T00:00:00Z"]),
            (T::DateTime, &["2026-02-28", "2026-02-28T12:00:00"]),
            (T::Url, &["example.com", "javascript:alert(1)", "ftp://a", "https://", "https://a b", "https:///x"]),
            (T::Color, &["red", "#fff", "#gggggg", "1e90ff"]),
            (T::Json, &["", "{", "{a:1}"]),
            (
                T::Money,
                &[
                    "5",
                    r#"{"amount":"5.001","currencyCode":"EUR"}"#,
                    r#"{"amount":"5","currencyCode":"XXX"}"#,
                    r#"{"amount":5,"currencyCode":"EUR"}"#,
                    r#"{"amount":"5","currencyCode":"EUR","x":1}"#,
                ],
            ),
            (
                T::Weight,
                &[
                    "1",
                    r#"{"value":"-1","unit":"GRAMS"}"#,
                    r#"{"value":"1","unit":"METERS"}"#,
                    r#"{"value":"1000000.001","unit":"GRAMS"}"#,
                ],
            ),
            (T::Dimension, &[r#"{"value":"1","unit":"GRAMS"}"#, r#"{"value":"x","unit":"FEET"}"#]),
            (T::ProductReference, &["", "variant_01h2xcejqtf2nbrexx3vqjhp41"]),
            (T::VariantReference, &["prod_01h2xcejqtf2nbrexx3vqjhp41"]),
            (T::FileReference, &["prod_01h2xcejqtf2nbrexx3vqjhp41"]),
            (T::ListSingleLineText, &["a", "[1]", r#"[""]"#, r#"{"a":1}"#]),
            (T::ListInteger, &[r#"["1"]"#, "[1.5]", "[9007199254740992]"]),
            (T::ListDecimal, &["[1.5]"]),
            (T::ListVariantReference, &[r#"["x"]"#]),
        ];
        for (kind, texts) in cases {
            for text in *texts {
                assert!(Value::parse(*kind, text).is_err(), "{kind} {text}");
            }
        }
        let many = format!("[{}]", vec!["1"; MAX_LIST + 1].join(","));
        assert_eq!(Value::parse(T::ListInteger, &many).unwrap_err().code, ErrorCode::TooMany);
        assert!(Value::parse(T::MultiLineText, &"a".repeat(MAX_LONG + 1)).is_err());
        assert!(Value::parse(T::Json, &format!("{:?}", "a".repeat(MAX_LONG))).is_err());
    }

    #[test]
    fn weights_and_lengths_compare_across_units() {
        let weight = |value, unit| Value::Weight(value, unit).keys()[0].number.unwrap();
        assert_eq!(weight(1_000, WeightUnit::Kilograms), weight(1_000_000, WeightUnit::Grams));
        assert_eq!(weight(16_000, WeightUnit::Ounces), weight(1_000, WeightUnit::Pounds));
        assert!(weight(453_592, WeightUnit::Grams) < weight(1_000, WeightUnit::Pounds));
        let length = |value, unit| Value::Dimension(value, unit).keys()[0].number.unwrap();
        assert_eq!(length(12_000, LengthUnit::Inches), length(1_000, LengthUnit::Feet));
        assert_eq!(length(2_540, LengthUnit::Centimeters), length(1_000, LengthUnit::Inches));
    }

    fn single() -> impl Strategy<Value = (MetafieldType, Value)> {
        use MetafieldType as T;
        let number = -MAX_MINOR..=MAX_MINOR;
        let id = any::<u128>().prop_map(Uuid::from_u128);
        let weight = (0..=MAX_MEASURE, prop::sample::select(WeightUnit::ALL));
        let length = (0..=MAX_MEASURE, prop::sample::select(LengthUnit::ALL));
        let code = prop::sample::select(vec!["EUR", "JPY", "KWD"]);
        prop_oneof![
            "[a-zé\"\\\\ ]{0,20}[a-z]".prop_map(|text| (T::SingleLineText, Value::Line(text.trim().to_owned()))),
            "[a-z\n\t]{0,20}[a-z]".prop_map(|text| (T::MultiLineText, Value::Lines(text))),
            number.clone().prop_map(|number| (T::Integer, Value::Integer(number))),
            number.clone().prop_map(|number| (T::Decimal, Value::Decimal(number))),
            any::<bool>().prop_map(|yes| (T::Boolean, Value::Boolean(yes))),
            (-719_162i64..2_932_896).prop_map(|days| (T::Date, Value::Date(days))),
            (-62_135_596_800_000_000i64..253_402_300_800_000_000)
                .prop_map(|moment| (T::DateTime, Value::DateTime(moment))),
            "[0-9a-f]{6}".prop_map(|digits| (T::Color, Value::Color(format!("#{digits}")))),
            (number, code).prop_map(|(minor, code)| (T::Money, Value::Money(Money::new(minor, code.parse().unwrap())))),
            weight.prop_map(|(value, unit)| (T::Weight, Value::Weight(value, unit))),
            length.prop_map(|(value, unit)| (T::Dimension, Value::Dimension(value, unit))),
            id.clone().prop_map(|id| (T::ProductReference, Value::Product(id.into()))),
            id.clone().prop_map(|id| (T::VariantReference, Value::Variant(id.into()))),
            id.prop_map(|id| (T::FileReference, Value::File(id.into()))),
        ]
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_again((kind, value) in single()) {
            prop_assert_eq!(Value::parse(kind, &value.to_string()), Ok(value));
        }

        #[test]
        fn lists_come_back(numbers in prop::collection::vec(-MAX_MINOR..=MAX_MINOR, 0..MAX_LIST)) {
            let integers = Value::List(numbers.iter().map(|number| Value::Integer(*number)).collect());
            prop_assert_eq!(Value::parse(MetafieldType::ListInteger, &integers.to_string()), Ok(integers));
            let decimals = Value::List(numbers.iter().map(|number| Value::Decimal(*number)).collect());
            prop_assert_eq!(Value::parse(MetafieldType::ListDecimal, &decimals.to_string()), Ok(decimals));
        }

        #[test]
        fn no_text_panics(text: String, place in 0..MetafieldType::ALL.len()) {
            let _ = Value::parse(MetafieldType::ALL[place], &text);
        }
    }
}
