//! Cells that become typed metafields.

use super::sheet::{Header, Row};
use super::{Context, RowRefusal};
use crate::metafield::{MAX_NAME, MetafieldOwnerType, MetafieldType, Validations, Value, check_value};
use crate::text::MAX_TITLE;

/// A metafield of a product or of one of its variants.
#[derive(Clone, Debug, PartialEq)]
pub struct Field {
    /// The place of the variant; the product itself when absent.
    pub variant: Option<usize>,
    /// The group of its key.
    pub namespace: String,
    /// Its key.
    pub key: String,
    /// What it holds.
    pub value: Value,
}

impl Field {
    /// On what it is.
    pub fn owner(&self) -> MetafieldOwnerType {
        if self.variant.is_some() { MetafieldOwnerType::Variant } else { MetafieldOwnerType::Product }
    }
}

/// A definition that the shop doesn't have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewField {
    /// On what.
    pub owner: MetafieldOwnerType,
    /// The group of its key.
    pub namespace: String,
    /// Its key.
    pub key: String,
    /// Its name for staff.
    pub name: String,
    /// What it holds.
    pub kind: MetafieldType,
    /// Where it is named first.
    pub row: usize,
    /// The column that names it.
    pub column: String,
}

/// A metafield as a file names it.
#[derive(Clone, Debug, PartialEq)]
pub struct FieldName {
    /// On what.
    pub owner: MetafieldOwnerType,
    /// The group of its key.
    pub namespace: String,
    /// Its key.
    pub key: String,
    /// Its name for staff.
    pub name: String,
    /// What it holds, when the file says.
    pub kind: Option<MetafieldType>,
}

/// A column of metafields.
#[derive(Clone, Debug, PartialEq)]
pub struct FieldColumn {
    /// Where it stands.
    pub place: usize,
    /// What it holds.
    pub name: FieldName,
}

/// A text as a namespace or key may be written.
pub fn name_part(text: &str) -> Option<String> {
    let text = text.trim().trim_start_matches("$app:").to_lowercase();
    let plain: String = text.chars().map(|c| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' }).collect();
    let plain = plain.trim_start_matches(|c: char| !c.is_ascii_lowercase());
    let plain: String = plain.chars().take(MAX_NAME).collect();
    (!plain.is_empty()).then_some(plain)
}

/// What a column header says about a metafield: `Care (product.metafields.custom.care)`,
/// `Metafield: custom.care [single_line_text_field]`, `Variant Metafield: custom.care`.
pub fn read_header(name: &str) -> Option<FieldName> {
    let lower = name.to_lowercase();
    let (owner, path, label, kind) = if let Some(start) = lower.rfind(".metafields.") {
        let owner = if lower[..start].ends_with("variant") { "variant" } else { "product" };
        let before = lower[..start].strip_suffix(owner)?;
        let path = name.get(start + ".metafields.".len()..)?.trim_end_matches(')');
        let label = name.get(..before.len())?.trim().trim_end_matches('(').trim();
        (owner, path, label, None)
    } else {
        let (owner, rest) = [("variant", "variant metafield:"), ("product", "metafield:")]
            .into_iter()
            .find_map(|(owner, start)| lower.starts_with(start).then(|| (owner, name.get(start.len()..))))?;
        let rest = rest?.trim();
        let (path, kind) = match rest.split_once('[') {
            Some((path, kind)) => (path.trim(), shopify_type(kind.trim_end_matches(']').trim())),
            None => (rest, None),
        };
        (owner, path, "", kind)
    };
    let (namespace, key) = path.trim().split_once('.')?;
    let label = if label.is_empty() { key } else { label };
    Some(FieldName {
        owner: if owner == "variant" { MetafieldOwnerType::Variant } else { MetafieldOwnerType::Product },
        namespace: name_part(namespace)?,
        key: name_part(key)?,
        name: label.chars().filter(|c| !c.is_control()).take(MAX_TITLE).collect(),
        kind,
    })
}

/// The columns of a header that hold metafields.
pub fn columns(header: &Header) -> Vec<FieldColumn> {
    let names = header.names().iter().enumerate();
    names.filter_map(|(place, name)| Some(FieldColumn { place, name: read_header(name)? })).collect()
}

fn shopify_type(text: &str) -> Option<MetafieldType> {
    use MetafieldType as T;
    Some(match text.to_lowercase().as_str() {
        "single_line_text_field" | "string" | "id" => T::SingleLineText,
        "multi_line_text_field" => T::MultiLineText,
        "number_integer" | "integer" => T::Integer,
        "number_decimal" | "rating" => T::Decimal,
        "boolean" => T::Boolean,
        "date" => T::Date,
        "date_time" => T::DateTime,
        "url" | "link" => T::Url,
        "color" => T::Color,
        "json" | "json_string" | "rich_text_field" => T::Json,
        "money" => T::Money,
        "weight" => T::Weight,
        "dimension" => T::Dimension,
        "list.single_line_text_field" => T::ListSingleLineText,
        "list.number_integer" => T::ListInteger,
        "list.number_decimal" => T::ListDecimal,
        // What refers to things of another shop is kept as the text that it is.
        _ => return None,
    })
}

/// A text in the form that its type asks for, where other systems write it otherwise.
fn in_form(kind: MetafieldType, text: &str) -> String {
    use MetafieldType as T;
    match kind {
        T::Boolean => text.to_lowercase(),
        T::ListSingleLineText | T::ListInteger | T::ListDecimal if !text.starts_with('[') => {
            let parts = text.split([';', '\n']).map(str::trim).filter(|part| !part.is_empty());
            let parts: Vec<serde_json::Value> = match kind {
                T::ListInteger => {
                    parts.map(|part| part.parse::<i64>().map_or_else(|_| part.into(), Into::into)).collect()
                }
                _ => parts.map(Into::into).collect(),
            };
            serde_json::Value::from(parts).to_string()
        }
        T::Money | T::Weight | T::Dimension => measure(kind, text).unwrap_or_else(|| text.to_owned()),
        _ => text.to_owned(),
    }
}

/// `{"value":1.5,"unit":"kg"}`, `1.5 kg`, and money with `currency_code`.
fn measure(kind: MetafieldType, text: &str) -> Option<String> {
    let parsed: Option<serde_json::Value> = serde_json::from_str(text).ok().filter(serde_json::Value::is_object);
    let part = |name: &str| match parsed.as_ref()?.get(name)? {
        serde_json::Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    };
    if kind == MetafieldType::Money {
        let code = part("currency_code").or_else(|| part("currencyCode"))?;
        return Some(serde_json::json!({ "amount": part("amount")?, "currencyCode": code }).to_string());
    }
    let (value, unit) = match (&parsed, text.split_once(' ')) {
        (Some(_), _) => (part("value")?, part("unit")?),
        (None, Some((value, unit))) => (value.to_owned(), unit.trim().to_owned()),
        (None, None) => return None,
    };
    let unit = match unit.to_lowercase().as_str() {
        "g" => "GRAMS".to_owned(),
        "kg" => "KILOGRAMS".to_owned(),
        "oz" => "OUNCES".to_owned(),
        "lb" => "POUNDS".to_owned(),
        "mm" => "MILLIMETERS".to_owned(),
        "cm" => "CENTIMETERS".to_owned(),
        "m" => "METERS".to_owned(),
        "in" => "INCHES".to_owned(),
        "ft" => "FEET".to_owned(),
        other => other.to_uppercase(),
    };
    Some(serde_json::json!({ "value": value, "unit": unit }).to_string())
}

/// Metafields of one product while it is read.
#[derive(Debug, Default)]
pub struct Fields {
    /// The values.
    pub fields: Vec<Field>,
    /// The definitions that they need.
    pub new: Vec<NewField>,
    /// Values that can't be read.
    pub refusals: Vec<RowRefusal>,
}

impl Fields {
    /// Takes a value in; `at` says its row and column for a refusal.
    pub fn add(
        &mut self,
        context: &Context,
        name: &FieldName,
        variant: Option<usize>,
        text: &str,
        (row, column): (usize, &str),
    ) {
        if text.is_empty() {
            return;
        }
        let known = context
            .fields
            .iter()
            .find(|field| (field.owner, &field.namespace, &field.key) == (name.owner, &name.namespace, &name.key));
        let one_line = text.chars().count() <= MAX_TITLE && !text.chars().any(char::is_control);
        let kind = match (known, name.kind) {
            (Some(known), _) => known.kind,
            (None, Some(kind)) => kind,
            (None, None) if one_line => MetafieldType::SingleLineText,
            (None, None) => MetafieldType::MultiLineText,
        };
        let none = Validations::default();
        let validations = known.map_or(&none, |known| &known.validations);
        match check_value(kind, validations, &in_form(kind, text)) {
            Ok(value) => {
                let (namespace, key) = (name.namespace.clone(), name.key.clone());
                self.fields.push(Field { variant, namespace, key, value });
            }
            Err(refusal) => self.refusals.push(RowRefusal::new(row, column, text, refusal.message)),
        }
        if known.is_none() {
            self.new.push(NewField {
                owner: name.owner,
                namespace: name.namespace.clone(),
                key: name.key.clone(),
                name: name.name.clone(),
                kind,
                row,
                column: column.to_owned(),
            });
        }
    }

    /// Takes the metafields of a product's records in. Those of the product
    /// stand in the first record that has any; others must not say otherwise.
    pub fn read(
        &mut self,
        context: &Context,
        header: &Header,
        columns: &[FieldColumn],
        rows: &[Row<'_>],
        variants: &[Row<'_>],
    ) {
        for column in columns {
            let told = header.names().get(column.place).map_or("", String::as_str);
            if column.name.owner == MetafieldOwnerType::Variant {
                for (place, row) in variants.iter().enumerate() {
                    self.add(context, &column.name, Some(place), row.at(column.place), (row.number(), told));
                }
                continue;
            }
            let mut filled = rows.iter().filter(|row| !row.at(column.place).is_empty());
            let Some(first) = filled.next() else { continue };
            self.add(context, &column.name, None, first.at(column.place), (first.number(), told));
            for row in filled.filter(|row| row.at(column.place) != first.at(column.place)) {
                let reason = format!("Line {} says something else about the same product.", first.number());
                self.refusals.push(row.refuse_at(column.place, reason));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_name_metafields() {
        let read = |text: &str| {
            read_header(text).map(|name| (name.owner, format!("{}.{}", name.namespace, name.key), name.name, name.kind))
        };
        let (product, variant) = (MetafieldOwnerType::Product, MetafieldOwnerType::Variant);
        let care = read("Care (product.metafields.custom.care)");
        assert_eq!(care, Some((product, "custom.care".into(), "Care".into(), None)));
        let typed = read("Metafield: custom.Wash At [number_integer]");
        let expected = (product, "custom.wash_at".into(), "Wash At".into(), Some(MetafieldType::Integer));
        assert_eq!(typed, Some(expected));
        let variant_care = read("Variant Metafield: custom.care");
        assert_eq!(variant_care, Some((variant, "custom.care".into(), "care".into(), None)));
        assert_eq!(read("Fit (variant.metafields.custom.fit)").map(|told| told.0), Some(variant));
        assert_eq!(read("Title"), None);
        assert_eq!(read("Metafield: nothing"), None);
    }

    #[test]
    fn values_take_the_form_of_their_type() {
        let form = |kind, text: &str| Value::parse(kind, &in_form(kind, text)).map(|value| value.to_string());
        assert_eq!(form(MetafieldType::Boolean, "TRUE").unwrap(), "true");
        assert_eq!(form(MetafieldType::ListSingleLineText, "red; blue").unwrap(), r#"["red","blue"]"#);
        assert_eq!(form(MetafieldType::ListInteger, "1;2").unwrap(), "[1,2]");
        assert!(form(MetafieldType::ListInteger, "1;x").is_err());
        let weight = form(MetafieldType::Weight, r#"{"value":1.5,"unit":"kg"}"#).unwrap();
        assert_eq!(weight, form(MetafieldType::Weight, "1.5 KILOGRAMS").unwrap());
        let money = form(MetafieldType::Money, r#"{"amount":"5.99","currency_code":"EUR"}"#).unwrap();
        assert!(money.contains("currencyCode"), "{money}");
    }

    #[test]
    fn a_known_definition_decides_the_type() {
        let mut context = Context::new("EUR".parse().unwrap());
        let name = read_header("Metafield: care.wash [single_line_text_field]").unwrap();
        let mut free = Fields::default();
        free.add(&context, &name, None, "40", (2, "Wash"));
        assert_eq!((free.new.len(), free.fields[0].value.to_string()), (1, "40".to_owned()));
        context.fields.push(super::super::KnownField {
            owner: MetafieldOwnerType::Product,
            namespace: "care".into(),
            key: "wash".into(),
            kind: MetafieldType::Integer,
            validations: Validations { max: Some("60".into()), ..Validations::default() },
        });
        let mut bound = Fields::default();
        bound.add(&context, &name, None, "40", (2, "Wash"));
        bound.add(&context, &name, None, "90", (3, "Wash"));
        assert_eq!((bound.new.len(), &bound.fields[0].value), (0, &Value::Integer(40)));
        let told = &bound.refusals[0];
        assert_eq!((told.row, told.column.as_str(), told.value.as_str()), (3, "Wash", "90"));
    }
}
