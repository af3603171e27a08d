//! Conditions and offers between the form in which staff send and read them and the one in which they are stored.
//!
//! Both are the same tree with the same names. What differs is a few leaves: staff write money with its decimals and
//! percentages as such, areas as everywhere else, and of a metafield not what its definition says.

use domain::address::area::{Area, NewArea};
use domain::collection::PriceRange;
use domain::id::MetafieldDefinitionId;
use domain::money::{Currency, Money};
use domain::refusal::{ErrorCode, Refusal, Refusals};
use entity::metafield_definition;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use crate::api::scalar::{Decimal, percent_to_ppm, ppm_to_percent};

/// A choice that needs no more than its name.
const BARE: &[&str] = &["order", "free"];

/// What was sent, in the form in which it is stored; refusals say where it can't be.
pub fn stored<T: DeserializeOwned>(
    sent: Value,
    place: &str,
    known: &[metafield_definition::Model],
    refusals: &mut Refusals,
) -> Option<T> {
    let mut found = Refusals::default();
    let value = Reader { known, refusals: &mut found }.value(sent, &[place.to_owned()]);
    if found.is_empty() {
        let malformed = |error| Refusal::new(ErrorCode::Invalid, format!("This can't be read: {error}.")).at([place]);
        return refusals.keep(serde_json::from_value(value).map_err(malformed));
    }
    refusals.extend(found.into_result().err().unwrap_or_default());
    None
}

/// What is stored, in the form in which it is sent.
pub fn shown(kept: &impl Serialize) -> Value {
    serde_json::to_value(kept).map(|value| spell(&value)).unwrap_or_default()
}

/// The same refusals with paths as staff spell them.
pub fn spelled(refusals: Vec<Refusal>) -> Vec<Refusal> {
    let path = |step: String| if step == "ratePpm" { "percent".to_owned() } else { step };
    refusals
        .into_iter()
        .map(|mut refusal| {
            refusal.path = std::mem::take(&mut refusal.path).into_iter().map(path).collect();
            refusal
        })
        .collect()
}

struct Reader<'r> {
    known: &'r [metafield_definition::Model],
    refusals: &'r mut Refusals,
}

fn below(path: &[String], step: impl ToString) -> Vec<String> {
    path.iter().cloned().chain([step.to_string()]).collect()
}

impl Reader<'_> {
    fn refuse(&mut self, path: Vec<String>, message: impl Into<String>) -> Value {
        self.refusals.push(Refusal::new(ErrorCode::Invalid, message).at(path));
        Value::Null
    }

    fn value(&mut self, sent: Value, path: &[String]) -> Value {
        match sent {
            Value::Array(parts) => {
                let parts = parts.into_iter().enumerate();
                Value::Array(parts.map(|(place, part)| self.value(part, &below(path, place))).collect())
            }
            Value::Object(mut fields) => {
                fields.retain(|_, value| !value.is_null());
                self.object(fields, path)
            }
            plain => plain,
        }
    }

    fn object(&mut self, fields: Map<String, Value>, path: &[String]) -> Value {
        if fields.contains_key("gte") || fields.contains_key("lte") {
            return self.range(&fields, path);
        }
        if fields.contains_key("currencyCode") && fields.contains_key("amount") {
            let money = self.money(&Value::Object(fields), path);
            return money
                .map_or(Value::Null, |money| json!({ "currency": money.currency, "amountMinor": money.minor }));
        }
        let mut kept = Map::new();
        for (name, sent) in fields {
            let path = below(path, &name);
            if BARE.contains(&name.as_str()) && sent.is_boolean() {
                if sent == true {
                    return Value::String(name);
                }
                return self.refuse(path, "Send true, or choose something else.");
            }
            let (name, value) = match name.as_str() {
                "percent" => ("ratePpm".to_owned(), self.percent(&sent, &path)),
                "address" => (name, self.areas(&sent, &path)),
                "buyer" => (name, operated(sent)),
                "metafield" => (name, self.metafield(sent, &path)),
                _ => (name, self.value(sent, &path)),
            };
            kept.insert(name, value);
        }
        Value::Object(kept)
    }

    fn money(&mut self, sent: &Value, path: &[String]) -> Option<Money> {
        let text = |name: &str| sent[name].as_str().unwrap_or_default();
        let currency: Option<Currency> = text("currencyCode").parse().ok();
        let parsed = currency.map(|currency| Money::parse(text("amount"), currency));
        match parsed {
            Some(Ok(money)) => Some(money),
            Some(Err(error)) => {
                self.refuse(below(path, "amount"), format!("{:?} {error}.", text("amount")));
                None
            }
            None => {
                self.refuse(below(path, "currencyCode"), "This is no currency.");
                None
            }
        }
    }

    fn range(&mut self, fields: &Map<String, Value>, path: &[String]) -> Value {
        let mut bound = |name: &str| {
            let sent = fields.get(name)?;
            self.money(sent, &below(path, name))
        };
        let (low, high) = (bound("gte"), bound("lte"));
        let Some(currency) = low.or(high).map(|money| money.currency) else { return Value::Null };
        if low.zip(high).is_some_and(|(low, high)| low.currency != high.currency) {
            return self.refuse(below(path, "lte"), "Both bounds are in one currency.");
        }
        let minor = |bound: Option<Money>| bound.map(|money| money.minor);
        json!(PriceRange { currency, at_least: minor(low), at_most: minor(high) })
    }

    fn percent(&mut self, sent: &Value, path: &[String]) -> Value {
        let steps: Vec<&str> = path.iter().map(String::as_str).collect();
        let read = percent_to_ppm(&Decimal(sent.as_str().unwrap_or_default().to_owned()), &steps);
        self.refusals.keep(read).map_or(Value::Null, |ppm| json!(ppm))
    }

    fn areas(&mut self, sent: &Value, path: &[String]) -> Value {
        let mut areas = Vec::new();
        for (place, area) in sent.as_array().into_iter().flatten().enumerate() {
            let path = below(path, place);
            let text = |name: &str| area[name].as_str().map(str::to_owned);
            let Some(country) = text("countryCode").and_then(|code| code.parse().ok()) else {
                self.refuse(below(&path, "countryCode"), "This is no country.");
                continue;
            };
            let patterns = area["postalPatterns"].as_array().into_iter().flatten();
            let wished = NewArea {
                country,
                province: text("provinceCode"),
                county: text("county"),
                city: text("city"),
                postal_patterns: patterns.filter_map(|text| text.as_str().map(str::to_owned)).collect(),
            };
            let steps: Vec<&str> = path.iter().map(String::as_str).collect();
            match wished.check(&steps) {
                Ok(area) => areas.push(area),
                Err(more) => self.refusals.extend(more),
            }
        }
        json!(areas)
    }

    fn metafield(&mut self, sent: Value, path: &[String]) -> Value {
        let id: Option<MetafieldDefinitionId> = sent["definition"].as_str().and_then(|text| text.parse().ok());
        let Some(known) = self.known.iter().find(|known| Some(known.id) == id) else {
            self.refusals
                .push(Refusal::new(ErrorCode::NotFound, "There is no such metafield.").at(below(path, "definition")));
            return Value::Null;
        };
        let mut value = operated(sent);
        value["kind"] = json!(known.kind);
        value
    }
}

/// A comparison whose operator may be left out.
fn operated(mut sent: Value) -> Value {
    if sent["operator"].is_null() {
        sent["operator"] = json!("EQ");
    }
    sent
}

fn spell(kept: &Value) -> Value {
    match kept {
        Value::Array(parts) => Value::Array(parts.iter().map(spell).collect()),
        Value::Object(fields) => spell_object(fields),
        plain => plain.clone(),
    }
}

fn money(minor: i64, currency: Currency) -> Value {
    json!({ "amount": Money::new(minor, currency).decimal(), "currencyCode": currency })
}

fn spell_object(fields: &Map<String, Value>) -> Value {
    let currency: Option<Currency> = fields.get("currency").and_then(Value::as_str).and_then(|text| text.parse().ok());
    if let (Some(currency), Some(minor)) = (currency, fields.get("amountMinor").and_then(Value::as_i64)) {
        return money(minor, currency);
    }
    if let Some(currency) = currency {
        let bound = |name: &str| fields.get(name).and_then(Value::as_i64).map(|minor| money(minor, currency));
        let bounds = [("gte", bound("at_least")), ("lte", bound("at_most"))];
        return bounds.into_iter().filter_map(|(name, bound)| Some((name.to_owned(), bound?))).collect();
    }
    let field = |(name, kept): (&String, &Value)| match (name.as_str(), kept) {
        (_, Value::Null) => None,
        ("ratePpm", kept) => {
            let ppm = kept.as_i64().and_then(|ppm| i32::try_from(ppm).ok()).unwrap_or_default();
            Some(("percent".to_owned(), json!(ppm_to_percent(ppm).0)))
        }
        ("target" | "reduction", Value::String(bare)) => Some((name.clone(), json!({ bare.as_str(): true }))),
        ("address", kept) => Some((name.clone(), spell_areas(kept))),
        ("metafield", Value::Object(fields)) => {
            let told = fields.iter().filter(|(name, _)| *name != "kind");
            Some((name.clone(), told.map(|(name, value)| (name.clone(), value.clone())).collect()))
        }
        (_, kept) => Some((name.clone(), spell(kept))),
    };
    fields.iter().filter_map(field).collect()
}

fn spell_areas(kept: &Value) -> Value {
    let areas: Vec<Area> = serde_json::from_value(kept.clone()).unwrap_or_default();
    let spell = |area: &Area| {
        let patterns: Vec<String> = area.postal.iter().map(ToString::to_string).collect();
        let mut told = Map::new();
        told.insert("countryCode".to_owned(), json!(area.country));
        for (name, text) in [("provinceCode", &area.province), ("county", &area.county), ("city", &area.city)] {
            told.extend(text.iter().map(|text| (name.to_owned(), json!(text))));
        }
        told.insert("postalPatterns".to_owned(), json!(patterns));
        Value::Object(told)
    };
    areas.iter().map(spell).collect()
}
