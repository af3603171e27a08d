//! Metafields: typed data of the merchant's own on products, variants and
//! orders. A definition says what a field holds and who reads it; [`value`]
//! reads and writes values in their one text form.

mod moment;
pub mod value;

use crate::refusal::{ErrorCode, Refusal, Refusals};
use crate::text::title;
use crate::word::words;

pub use value::{Key, Reference, Value};

/// The most definitions of one kind of owner.
pub const MAX_DEFINITIONS: usize = 250;
/// The most entries of one `metafieldsSet`.
pub const MAX_ENTRIES: usize = 250;
/// The most values that a definition may let one choose from.
pub const MAX_CHOICES: usize = 100;
/// The longest namespace or key, in characters.
pub const MAX_NAME: usize = 64;
/// The longest description, in characters.
pub const MAX_DESCRIPTION: usize = 1_000;

words! {
    /// What may have metafields.
    pub enum MetafieldOwnerType {
        /// A product.
        Product = "PRODUCT",
        /// A variant.
        Variant = "VARIANT",
        /// An order.
        Order = "ORDER",
    }
}

words! {
    /// What a metafield holds. Values travel as text in the form that each type names.
    pub enum MetafieldType {
        /// One line of at most 255 characters.
        SingleLineText = "SINGLE_LINE_TEXT",
        /// Text of several lines, at most 65535 characters.
        MultiLineText = "MULTI_LINE_TEXT",
        /// A whole number up to 2^53 - 1 in either direction, such as `42`.
        Integer = "INTEGER",
        /// A decimal number with at most 6 decimals, such as `1.75`: exact, never a float.
        Decimal = "DECIMAL",
        /// `true` or `false`.
        Boolean = "BOOLEAN",
        /// A day, such as `2026-02-28`.
        Date = "DATE",
        /// A moment with its offset, such as `2026-02-28T12:00:00+01:00`; it comes back in UTC.
        DateTime = "DATE_TIME",
        /// A web address, `http://…` or `https://…`.
        Url = "URL",
        /// A color as `#rrggbb` or `#rrggbbaa`.
        Color = "COLOR",
        /// Any JSON value of at most 65535 bytes.
        Json = "JSON",
        /// An amount of money: `{"amount":"19.99","currencyCode":"EUR"}`.
        Money = "MONEY",
        /// A weight: `{"value":"1.5","unit":"KILOGRAMS"}`; also GRAMS, OUNCES, POUNDS.
        Weight = "WEIGHT",
        /// A length: `{"value":"30","unit":"CENTIMETERS"}`; also MILLIMETERS, METERS, INCHES, FEET.
        Dimension = "DIMENSION",
        /// The id of a product.
        ProductReference = "PRODUCT_REFERENCE",
        /// The id of a variant.
        VariantReference = "VARIANT_REFERENCE",
        /// The id of a medium.
        FileReference = "FILE_REFERENCE",
        /// Lines of text: a JSON list of at most 128 texts.
        ListSingleLineText = "LIST_SINGLE_LINE_TEXT",
        /// Whole numbers: a JSON list of at most 128 numbers.
        ListInteger = "LIST_INTEGER",
        /// Decimal numbers: a JSON list of at most 128 texts.
        ListDecimal = "LIST_DECIMAL",
        /// Products: a JSON list of at most 128 ids.
        ListProductReference = "LIST_PRODUCT_REFERENCE",
        /// Variants: a JSON list of at most 128 ids.
        ListVariantReference = "LIST_VARIANT_REFERENCE",
        /// Media: a JSON list of at most 128 ids.
        ListFileReference = "LIST_FILE_REFERENCE",
    }
}

words! {
    /// What shoppers may do with a metafield.
    pub enum MetafieldStoreAccess {
        /// They never see it: it is as if it were not there.
        None = "NONE",
        /// They read it.
        Read = "READ",
    }
}

impl MetafieldType {
    /// The type of one entry of a list; of anything else, itself.
    pub fn element(self) -> Self {
        match self {
            Self::ListSingleLineText => Self::SingleLineText,
            Self::ListInteger => Self::Integer,
            Self::ListDecimal => Self::Decimal,
            Self::ListProductReference => Self::ProductReference,
            Self::ListVariantReference => Self::VariantReference,
            Self::ListFileReference => Self::FileReference,
            single => single,
        }
    }

    /// Whether it holds several values.
    pub fn is_list(self) -> bool {
        self.element() != self
    }

    /// Whether values of it can be looked up: long text and JSON can't.
    pub fn is_indexed(self) -> bool {
        !matches!(self, Self::MultiLineText | Self::Json)
    }

    /// Whether one value of it can be less than another.
    pub fn is_ordered(self) -> bool {
        use MetafieldType as T;
        matches!(self.element(), T::Integer | T::Decimal | T::Date | T::DateTime | T::Money | T::Weight | T::Dimension)
    }

    fn is_text(self) -> bool {
        matches!(self.element(), Self::SingleLineText | Self::MultiLineText)
    }

    fn has_choices(self) -> bool {
        use MetafieldType as T;
        matches!(self.element(), T::SingleLineText | T::Integer | T::Decimal | T::Color | T::Url)
    }
}

/// What values of a definition must obey beyond their type.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Validations {
    /// The least value, in the type's own form.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min: Option<String>,
    /// The greatest value.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max: Option<String>,
    /// The longest text, in characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_length: Option<i32>,
    /// The only values, when there are any.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub choices: Vec<String>,
}

/// A definition as staff wish it.
#[derive(Debug, Clone)]
pub struct DefinitionDraft {
    /// The group of keys that it is in.
    pub namespace: String,
    /// Its key within that.
    pub key: String,
    /// Its name for staff.
    pub name: String,
    /// What it is for.
    pub description: Option<String>,
    /// What it holds.
    pub kind: MetafieldType,
    /// What values must obey.
    pub validations: Validations,
}

fn name_part(text: &str) -> Result<String, Refusal> {
    let well_formed = (1..=MAX_NAME).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_' || b == b'-')
        && text.starts_with(|c: char| c.is_ascii_lowercase());
    if well_formed {
        return Ok(text.to_owned());
    }
    let message = format!("This has a lower-case letter, then letters, digits, _ and -, at most {MAX_NAME}.");
    Err(Refusal::new(ErrorCode::Invalid, message).limit(MAX_NAME as i64))
}

/// Checks a wished definition; everything wrong is named at once. Bounds and
/// choices come back in the one form of the type.
pub fn check_definition(mut draft: DefinitionDraft) -> Result<DefinitionDraft, Vec<Refusal>> {
    let mut refusals = Refusals::default();
    refusals.keep(name_part(&draft.namespace).map_err(|refusal| refusal.at(["namespace"])));
    refusals.keep(name_part(&draft.key).map_err(|refusal| refusal.at(["key"])));
    if let Some(name) = refusals.keep(title(&draft.name).map_err(|refusal| refusal.at(["name"]))) {
        draft.name = name;
    }
    draft.description = draft.description.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
    if draft.description.as_ref().is_some_and(|text| text.chars().count() > MAX_DESCRIPTION) {
        let message = format!("This is longer than {MAX_DESCRIPTION} characters.");
        refusals.push(Refusal::new(ErrorCode::Invalid, message).limit(MAX_DESCRIPTION as i64).at(["description"]));
    }
    check_bounds(draft.kind, &mut draft.validations, &mut refusals);
    check_choices(draft.kind, &mut draft.validations, &mut refusals);
    refusals.into_result()?;
    Ok(draft)
}

fn check_bounds(kind: MetafieldType, validations: &mut Validations, refusals: &mut Refusals) {
    let unfit = |name: &str| {
        let message = format!("Values of type {kind} have no {name}.");
        Refusal::new(ErrorCode::Invalid, message).at(["validations", name])
    };
    let mut bounds = [None, None];
    for (place, (name, text)) in [("min", &mut validations.min), ("max", &mut validations.max)].into_iter().enumerate()
    {
        let Some(given) = text else { continue };
        // Amounts of several currencies can't be held against one bound.
        if !kind.is_ordered() || kind == MetafieldType::Money {
            refusals.push(unfit(name));
            continue;
        }
        let read = Value::parse(kind.element(), given).map_err(|refusal| refusal.at(["validations", name]));
        if let Some(value) = refusals.keep(read) {
            *given = value.to_string();
            bounds[place] = value.keys().first().and_then(|key| key.number);
        }
    }
    if let [Some(least), Some(most)] = bounds
        && least > most
    {
        let message = "The least value is greater than the greatest.";
        refusals.push(Refusal::new(ErrorCode::Invalid, message).at(["validations", "max"]));
    }
    match validations.max_length {
        Some(_) if !kind.is_text() => refusals.push(unfit("maxLength")),
        Some(length) if length < 1 => {
            refusals.push(Refusal::new(ErrorCode::Invalid, "This is at least 1.").at(["validations", "maxLength"]));
        }
        _ => {}
    }
}

fn check_choices(kind: MetafieldType, validations: &mut Validations, refusals: &mut Refusals) {
    let path = |place: usize| ["validations".to_owned(), "choices".to_owned(), place.to_string()];
    if validations.choices.is_empty() {
        return;
    }
    if !kind.has_choices() {
        let message = format!("Values of type {kind} have no choices.");
        refusals.push(Refusal::new(ErrorCode::Invalid, message).at(["validations", "choices"]));
        return;
    }
    if validations.choices.len() > MAX_CHOICES {
        let message = format!("There are more than {MAX_CHOICES} choices.");
        let refusal = Refusal::new(ErrorCode::TooMany, message).limit(MAX_CHOICES as i64);
        refusals.push(refusal.at(["validations", "choices"]));
        return;
    }
    let mut known: Vec<String> = Vec::with_capacity(validations.choices.len());
    for (place, choice) in validations.choices.iter().enumerate() {
        let read = Value::parse(kind.element(), choice).map_err(|refusal| refusal.at(path(place)));
        let Some(value) = refusals.keep(read) else { continue };
        let value = value.to_string();
        if known.contains(&value) {
            refusals.push(Refusal::new(ErrorCode::Duplicate, "This choice stands here twice.").at(path(place)));
        }
        known.push(value);
    }
    validations.choices = known;
}

/// Reads a value and holds it against what its definition asks.
pub fn check_value(kind: MetafieldType, validations: &Validations, text: &str) -> Result<Value, Refusal> {
    let value = Value::parse(kind, text)?;
    let elements: Vec<&Value> = match &value {
        Value::List(values) => values.iter().collect(),
        single => vec![single],
    };
    let bound = |text: &Option<String>| {
        let value = Value::parse(kind.element(), text.as_deref()?).ok()?;
        value.keys().first().and_then(|key| key.number)
    };
    let (least, most) = (bound(&validations.min), bound(&validations.max));
    for element in elements {
        let number = element.keys().first().and_then(|key| key.number);
        if let (Some(number), Some(least)) = (number, least)
            && number < least
        {
            let message = format!("The least value is {}.", validations.min.as_deref().unwrap_or_default());
            return Err(Refusal::new(ErrorCode::Invalid, message));
        }
        if let (Some(number), Some(most)) = (number, most)
            && number > most
        {
            let message = format!("The greatest value is {}.", validations.max.as_deref().unwrap_or_default());
            return Err(Refusal::new(ErrorCode::Invalid, message));
        }
        let text = element.to_string();
        if let Some(longest) = validations.max_length
            && text.chars().count() > usize::try_from(longest).unwrap_or(0)
        {
            let message = format!("This is longer than {longest} characters.");
            return Err(Refusal::new(ErrorCode::Invalid, message).limit(longest.into()));
        }
        if !validations.choices.is_empty() && !validations.choices.contains(&text) {
            return Err(Refusal::new(ErrorCode::Invalid, "This is none of the choices."));
        }
    }
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draft(kind: MetafieldType, validations: Validations) -> DefinitionDraft {
        DefinitionDraft {
            namespace: "care".into(),
            key: "wash-at".into(),
            name: " Wash at ".into(),
            description: Some("  ".into()),
            kind,
            validations,
        }
    }

    fn some(text: &str) -> Option<String> {
        Some(text.to_owned())
    }

    #[test]
    fn a_definition_is_put_in_order() {
        let validations = Validations { min: some("01"), max: some("2.50"), ..Validations::default() };
        let checked = check_definition(draft(MetafieldType::Decimal, validations)).unwrap();
        assert_eq!((checked.name.as_str(), checked.description), ("Wash at", None));
        assert_eq!((checked.validations.min, checked.validations.max), (some("1"), some("2.5")));
    }

    #[test]
    fn everything_wrong_with_a_definition_is_named_at_once() {
        let validations = Validations {
            min: some("9"),
            max: some("1"),
            max_length: Some(5),
            choices: vec!["1".into(), "x".into(), "01".into()],
        };
        let wrong = DefinitionDraft {
            namespace: "Care".into(),
            key: String::new(),
            name: " ".into(),
            ..draft(MetafieldType::Integer, validations)
        };
        let faults: Vec<String> = check_definition(wrong).unwrap_err().iter().map(|r| r.path.join(".")).collect();
        let expected = ["namespace", "key", "name", "validations.max", "validations.maxLength"];
        assert_eq!(faults[..5], expected);
        assert_eq!(faults[5..], ["validations.choices.1", "validations.choices.2"]);
        let unfit = Validations { min: some("1"), choices: vec!["true".into()], ..Validations::default() };
        let faults = check_definition(draft(MetafieldType::Boolean, unfit)).unwrap_err();
        assert_eq!(faults.iter().map(|r| r.path[1].as_str()).collect::<Vec<_>>(), ["min", "choices"]);
        let many = Validations { choices: (0..101).map(|n| n.to_string()).collect(), ..Validations::default() };
        assert_eq!(check_definition(draft(MetafieldType::Integer, many)).unwrap_err()[0].code, ErrorCode::TooMany);
    }

    #[test]
    fn values_are_held_against_bounds_lengths_and_choices() {
        let bounds = Validations { min: some("2026-01-01"), max: some("2026-12-31"), ..Validations::default() };
        assert!(check_value(MetafieldType::Date, &bounds, "2026-12-31").is_ok());
        assert!(check_value(MetafieldType::Date, &bounds, "2025-12-31").is_err());
        assert!(check_value(MetafieldType::Date, &bounds, "2027-01-01").is_err());
        let bounds = Validations { max: some("3"), ..Validations::default() };
        assert!(check_value(MetafieldType::ListInteger, &bounds, "[1,3]").is_ok());
        assert!(check_value(MetafieldType::ListInteger, &bounds, "[1,4]").is_err());
        let short = Validations { max_length: Some(3), ..Validations::default() };
        assert!(check_value(MetafieldType::SingleLineText, &short, "äöü").is_ok());
        assert!(check_value(MetafieldType::SingleLineText, &short, "äöüß").is_err());
        let choices = Validations { choices: vec!["red".into(), "blue".into()], ..Validations::default() };
        assert!(check_value(MetafieldType::ListSingleLineText, &choices, r#"["red"]"#).is_ok());
        assert!(check_value(MetafieldType::ListSingleLineText, &choices, r#"["red","green"]"#).is_err());
    }
}
