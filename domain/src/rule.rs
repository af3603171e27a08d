//! Rules: for whom something counts. A price, a price list and a shipping
//! option count only where every one of their rules is met.
//!
//! A rule compares an attribute of the buyer's situation with values. What the
//! attributes are is up to the shop, so their names are text; the ones that
//! every request knows are the constants of [`attribute`].

use std::cmp::Ordering;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::money::parse_decimal;
use crate::refusal::{ErrorCode, Refusal, Refusals};
use crate::word::words;

/// The most rules of one thing.
pub const MAX_RULES: usize = 20;
/// The most values of one rule.
pub const MAX_VALUES: usize = 250;
/// The longest name of an attribute, and the longest value, in characters.
pub const MAX_LENGTH: usize = 200;
/// How many decimals a number may have that a rule compares.
const DECIMALS: u32 = 4;

/// Attributes that every request knows; what each holds is an id in text form
/// unless it says otherwise.
pub mod attribute {
    /// The region.
    pub const REGION: &str = "region";
    /// The channel.
    pub const CHANNEL: &str = "channel";
    /// Every group of the customer.
    pub const CUSTOMER_GROUP: &str = "customerGroup";
    /// The customer who is signed in.
    pub const CUSTOMER: &str = "customer";
    /// The country of the shipping address, by code.
    pub const COUNTRY: &str = "country";
    /// All of these.
    pub const ALL: &[&str] = &[REGION, CHANNEL, CUSTOMER_GROUP, CUSTOMER, COUNTRY];
}

words! {
    /// How a rule compares.
    pub enum RuleOperator {
        /// The attribute is the value.
        Eq = "EQ",
        /// The attribute is not the value, or there is none.
        Ne = "NE",
        /// The attribute is one of the values.
        In = "IN",
        /// The attribute is a number above the value.
        Gt = "GT",
        /// The attribute is a number at or above the value.
        Gte = "GTE",
        /// The attribute is a number below the value.
        Lt = "LT",
        /// The attribute is a number at or below the value.
        Lte = "LTE",
    }
}

impl RuleOperator {
    /// Whether it compares by order and not by equality.
    pub(crate) fn orders(self) -> bool {
        matches!(self, Self::Gt | Self::Gte | Self::Lt | Self::Lte)
    }
}

/// One comparison.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// The name of the attribute.
    pub attribute: String,
    /// How it compares.
    pub operator: RuleOperator,
    /// What with: exactly one value, but for [`RuleOperator::In`].
    pub values: Vec<String>,
}

/// Rules that must all be met, as a column holds them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "orm", derive(sea_orm::FromJsonQueryResult))]
#[serde(transparent)]
pub struct Rules(pub Vec<Rule>);

/// What is known of a buyer's situation. An attribute may have several values,
/// as a customer is in several groups.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Attributes(BTreeMap<String, Vec<String>>);

impl Attributes {
    /// Nothing is known.
    pub const fn new() -> Self {
        Self(BTreeMap::new())
    }

    /// Adds a value to an attribute.
    pub fn add(&mut self, attribute: &str, value: impl ToString) {
        self.0.entry(attribute.to_owned()).or_default().push(value.to_string());
    }

    /// With one more value of an attribute.
    #[must_use]
    pub fn with(mut self, attribute: &str, value: impl ToString) -> Self {
        self.add(attribute, value);
        self
    }

    /// The values of an attribute; none when nothing is known of it.
    pub fn values(&self, attribute: &str) -> &[String] {
        self.0.get(attribute).map(Vec::as_slice).unwrap_or_default()
    }
}

impl Rule {
    /// Whether it is met. An attribute of which nothing is known meets only
    /// [`RuleOperator::Ne`]; of several values one must meet the rule, and none
    /// may be the value of a `Ne`.
    pub fn is_met(&self, attributes: &Attributes) -> bool {
        let known = attributes.values(&self.attribute);
        let named = |value: &String| self.values.contains(value);
        let ordered = |wanted: &[Ordering]| {
            let meets = |value: &String| {
                let bound = self.values.first()?;
                Some(wanted.contains(&compare_decimals(value, bound)?))
            };
            known.iter().any(|value| meets(value) == Some(true))
        };
        match self.operator {
            RuleOperator::Eq | RuleOperator::In => known.iter().any(named),
            RuleOperator::Ne => !known.iter().any(named),
            RuleOperator::Gt => ordered(&[Ordering::Greater]),
            RuleOperator::Gte => ordered(&[Ordering::Greater, Ordering::Equal]),
            RuleOperator::Lt => ordered(&[Ordering::Less]),
            RuleOperator::Lte => ordered(&[Ordering::Less, Ordering::Equal]),
        }
    }
}

impl Rules {
    /// Whether two lists ask for the same, whatever their order and the blanks around their values.
    pub fn say_the_same(&self, other: &Self) -> bool {
        fn plain(rule: &Rule) -> (&str, &'static str, Vec<&str>) {
            let mut values: Vec<&str> = rule.values.iter().map(|value| value.trim()).collect();
            values.sort_unstable();
            (rule.attribute.trim(), rule.operator.as_str(), values)
        }
        fn sorted(rules: &Rules) -> Vec<(&str, &'static str, Vec<&str>)> {
            let mut rules: Vec<_> = rules.0.iter().map(plain).collect();
            rules.sort_unstable();
            rules
        }
        sorted(self) == sorted(other)
    }

    /// Whether every rule is met; also when there is none.
    pub fn are_met(&self, attributes: &Attributes) -> bool {
        self.first_unmet(attributes).is_none()
    }

    /// The first rule that is not met.
    pub fn first_unmet(&self, attributes: &Attributes) -> Option<&Rule> {
        self.0.iter().find(|rule| !rule.is_met(attributes))
    }

    /// The same for rules about who buys: each must be about something that is
    /// known of a buyer before there is a cart.
    pub fn check_buyer(self, path: &[&str]) -> Result<Self, Vec<Refusal>> {
        let rules = self.check(path)?;
        let unknown = |(place, rule): (usize, &Rule)| {
            let message = format!(
                "Nobody who asks for a price has the attribute {:?}: it is one of {}.",
                rule.attribute,
                attribute::ALL.join(", ")
            );
            let place = place.to_string();
            let at = path.iter().copied().chain([place.as_str(), "attribute"]);
            let known = attribute::ALL.contains(&rule.attribute.as_str());
            (!known).then(|| Refusal::new(ErrorCode::Invalid, message).at(at))
        };
        let refusals: Vec<Refusal> = rules.0.iter().enumerate().filter_map(unknown).collect();
        if refusals.is_empty() { Ok(rules) } else { Err(refusals) }
    }

    /// Trims the rules and refuses what can't be compared. Paths begin with `path`.
    pub fn check(self, path: &[&str]) -> Result<Self, Vec<Refusal>> {
        let mut refusals = Refusals::default();
        let at = |place: usize, rest: &[&str]| {
            let place = place.to_string();
            let whole = path.iter().copied().chain([place.as_str()]).chain(rest.iter().copied());
            whole.map(str::to_owned).collect::<Vec<_>>()
        };
        if self.0.len() > MAX_RULES {
            let refusal = Refusal::new(ErrorCode::TooMany, format!("These are more than {MAX_RULES} rules."));
            return Err(vec![refusal.limit(MAX_RULES as i64).at(path.iter().copied())]);
        }
        let mut rules = Vec::with_capacity(self.0.len());
        for (place, rule) in self.0.into_iter().enumerate() {
            let attribute = rule.attribute.trim().to_owned();
            if attribute.is_empty() {
                refusals.push(Refusal::new(ErrorCode::Required, "Name an attribute.").at(at(place, &["attribute"])));
            }
            let values: Vec<String> = rule.values.iter().map(|value| value.trim().to_owned()).collect();
            let single = rule.operator != RuleOperator::In;
            if values.is_empty() || values.iter().any(String::is_empty) {
                refusals.push(Refusal::new(ErrorCode::Required, "Name a value.").at(at(place, &["values"])));
            } else if single && values.len() > 1 {
                let message = format!("{} compares with one value; IN compares with several.", rule.operator.as_str());
                refusals.push(Refusal::new(ErrorCode::Invalid, message).at(at(place, &["values"])));
            } else if values.len() > MAX_VALUES {
                let message = format!("These are more than {MAX_VALUES} values.");
                refusals.push(
                    Refusal::new(ErrorCode::TooMany, message).limit(MAX_VALUES as i64).at(at(place, &["values"])),
                );
            }
            if rule.operator.orders() && values.iter().any(|value| compare_decimals(value, value).is_none()) {
                let message = format!(
                    "{} compares numbers such as 12.50, with at most {DECIMALS} decimals.",
                    rule.operator.as_str()
                );
                refusals.push(Refusal::new(ErrorCode::Invalid, message).at(at(place, &["values"])));
            }
            if values.iter().chain([&attribute]).any(|text| text.chars().count() > MAX_LENGTH) {
                let message = format!("A name and a value have at most {MAX_LENGTH} characters.");
                refusals.push(Refusal::new(ErrorCode::Invalid, message).limit(MAX_LENGTH as i64).at(at(place, &[])));
            }
            rules.push(Rule { attribute, operator: rule.operator, values });
        }
        refusals.into_result().map(|()| Self(rules))
    }
}

/// Compares two decimal texts by value; `None` when one is no number of at most [`DECIMALS`] decimals.
fn compare_decimals(a: &str, b: &str) -> Option<Ordering> {
    let read = |text| parse_decimal(text, DECIMALS).ok();
    Some(read(a)?.cmp(&read(b)?))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn rule(attribute: &str, operator: RuleOperator, values: &[&str]) -> Rule {
        Rule { attribute: attribute.to_owned(), operator, values: values.iter().map(ToString::to_string).collect() }
    }

    #[test]
    fn each_operator_compares_as_it_says() {
        let buyer = Attributes::default().with("customerGroup", "a").with("customerGroup", "b").with("weight", "12.50");
        let meets = |attribute, operator, values: &[&str]| rule(attribute, operator, values).is_met(&buyer);
        assert!(meets("customerGroup", RuleOperator::Eq, &["b"]));
        assert!(!meets("customerGroup", RuleOperator::Eq, &["c"]));
        assert!(!meets("customerGroup", RuleOperator::Ne, &["a"]));
        assert!(meets("customerGroup", RuleOperator::Ne, &["c"]));
        assert!(meets("customerGroup", RuleOperator::In, &["c", "a"]));
        let compared = [RuleOperator::Gt, RuleOperator::Gte, RuleOperator::Lt, RuleOperator::Lte]
            .map(|operator| ["12.4", "12.5", "100"].map(|bound| meets("weight", operator, &[bound])));
        assert_eq!(compared, [[true, false, false], [true, true, false], [false, false, true], [false, true, true]]);
    }

    #[test]
    fn what_is_unknown_only_meets_a_negation() {
        let nobody = Attributes::default();
        let meets = |operator| rule("customerGroup", operator, &["1"]).is_met(&nobody);
        let all = RuleOperator::ALL.iter().copied().filter(|operator| meets(*operator)).collect::<Vec<_>>();
        assert_eq!(all, [RuleOperator::Ne]);
        assert!(Rules::default().are_met(&nobody));
    }

    #[test]
    fn what_cannot_be_compared_is_refused_where_it_stands() {
        let refused = |operator, values: &[&str]| {
            let rules = Rules(vec![rule("x", RuleOperator::Eq, &["1"]), rule("x", operator, values)]);
            rules.check(&["rules"]).unwrap_err().into_iter().map(|refusal| refusal.path.join(".")).collect::<Vec<_>>()
        };
        assert_eq!(refused(RuleOperator::Eq, &["1", "2"]), ["rules.1.values"]);
        assert_eq!(refused(RuleOperator::In, &[]), ["rules.1.values"]);
        assert_eq!(refused(RuleOperator::Gt, &["many"]), ["rules.1.values"]);
        let kept = Rules(vec![rule(" x ", RuleOperator::In, &[" 1", "2 "])]).check(&[]).unwrap();
        assert_eq!(kept.0, [rule("x", RuleOperator::In, &["1", "2"])]);
    }

    #[test]
    fn order_and_blanks_change_nothing() {
        let rule = |attribute: &str, values: &[&str]| Rule {
            attribute: attribute.to_owned(),
            operator: RuleOperator::In,
            values: values.iter().map(|value| (*value).to_owned()).collect(),
        };
        let one = Rules(vec![rule("country", &["DE", "AT"]), rule("region", &["a"])]);
        let same = Rules(vec![rule(" region", &[" a "]), rule("country", &["AT ", "DE"])]);
        assert!(one.say_the_same(&same) && !one.say_the_same(&Rules::default()));
        assert!(!one.say_the_same(&Rules(vec![rule("country", &["DE"]), rule("region", &["a"])])));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(10_000))]

        #[test]
        fn numbers_compare_by_value(a in -100_000_i64..100_000, b in -100_000_i64..100_000, zeros in 0..2_usize) {
            let text = |number: i64| {
                let sign = if number < 0 { "-" } else { "" };
                let number = number.abs();
                format!("{sign}{}{}.{:03}{}", "0".repeat(zeros), number / 1000, number % 1000, "0".repeat(zeros))
            };
            prop_assert_eq!(compare_decimals(&text(a), &text(b)), Some(a.cmp(&b)));
        }

        #[test]
        fn no_text_panics(a: String, b: String) {
            let _ = compare_decimals(&a, &b);
        }
    }
}
