//! What a provider of shipping prices is asked, and which of its answers count.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::id::ShippingOptionId;
use crate::money::{Currency, Money};
use crate::provider::Destination;
use crate::text::{CountryCode, Handle};

/// The longest reason of an answer, in characters.
pub const MAX_REASON: usize = 200;

/// What a provider is asked about a delivery group: what each of these options costs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RateQuestion {
    /// The currency of every amount, also of those that are answered.
    pub currency_code: Currency,
    /// Where the goods go.
    pub destination: Destination,
    /// The countries that goods may come from.
    pub origin_country_codes: Vec<CountryCode>,
    /// What the group weighs, in grams.
    pub weight_grams: i64,
    /// How many pieces it holds.
    pub quantity: i64,
    /// What its lines come to after their discounts, as a decimal.
    pub subtotal: String,
    /// The options that are asked about.
    pub options: Vec<AskedOption>,
}

/// An option whose price is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AskedOption {
    /// Which one.
    pub shipping_option_id: ShippingOptionId,
    /// Its handle: staff choose it so that the provider knows it.
    pub handle: Handle,
}

/// What a provider answers. An option that it leaves out is not offered.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RateAnswer {
    /// What the options cost.
    pub options: Vec<AnsweredOption>,
}

/// What a provider says of an option: its price, or why there is none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AnsweredOption {
    /// Which one.
    pub shipping_option_id: ShippingOptionId,
    /// What it costs, as a decimal; none when it doesn't go there.
    #[serde(default)]
    pub amount: Option<String>,
    /// Why it doesn't, in a sentence for the shopper.
    #[serde(default)]
    pub reason: Option<String>,
}

/// What became of the question for an option.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Calculated {
    /// It costs so much, in minor units.
    Amount(i64),
    /// The provider doesn't offer it, perhaps with a reason.
    Refused(Option<String>),
    /// The provider gave no answer.
    Silent,
}

impl RateQuestion {
    /// Refuses an answer about options that were not asked for, and amounts that are none.
    ///
    /// # Errors
    /// What is wrong with it, for the operator's log.
    pub fn check(&self, answer: &RateAnswer) -> Result<(), String> {
        let mut open: BTreeMap<ShippingOptionId, bool> =
            self.options.iter().map(|option| (option.shipping_option_id, true)).collect();
        for option in &answer.options {
            let id = option.shipping_option_id;
            match open.insert(id, false) {
                None => return Err(format!("nobody asked for {id}")),
                Some(false) => return Err(format!("{id} stands twice")),
                Some(true) => {}
            }
            if let Some(amount) = &option.amount {
                let read = Money::parse(amount, self.currency_code);
                if read.is_err() || read.is_ok_and(|money| money.minor < 0) {
                    return Err(format!("{amount:?} is no amount of {}", self.currency_code));
                }
            }
            let told = |reason: &String| reason.chars().count() <= MAX_REASON && !reason.chars().any(char::is_control);
            if !option.reason.as_ref().is_none_or(told) {
                return Err(format!("the reason of {id} is no short sentence"));
            }
        }
        Ok(())
    }

    /// What an answer that was checked says of an option.
    pub fn told(&self, answer: &RateAnswer, option: ShippingOptionId) -> Calculated {
        let Some(told) = answer.options.iter().find(|told| told.shipping_option_id == option) else {
            return Calculated::Refused(None);
        };
        let amount = told.amount.as_ref().and_then(|amount| Money::parse(amount, self.currency_code).ok());
        amount.map_or_else(|| Calculated::Refused(told.reason.clone()), |money| Calculated::Amount(money.minor))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(last: u8) -> ShippingOptionId {
        ShippingOptionId(uuid::Uuid::from_u128(last.into()))
    }

    fn question(currency: &str) -> RateQuestion {
        let option = |last| AskedOption {
            shipping_option_id: id(last),
            handle: Handle::from_title("parcel").expect("a handle"),
        };
        RateQuestion {
            currency_code: currency.parse().expect("a currency"),
            destination: Destination::of_country(&"DE".parse().expect("a country")),
            origin_country_codes: Vec::new(),
            weight_grams: 1_000,
            quantity: 1,
            subtotal: "10".to_owned(),
            options: vec![option(1), option(2)],
        }
    }

    fn told(last: u8, amount: Option<&str>) -> AnsweredOption {
        AnsweredOption { shipping_option_id: id(last), amount: amount.map(str::to_owned), reason: None }
    }

    #[test]
    fn an_answer_names_amounts_of_what_was_asked() {
        let question = question("EUR");
        let answer = RateAnswer { options: vec![told(1, Some("4.90"))] };
        assert_eq!(question.check(&answer), Ok(()));
        assert_eq!(question.told(&answer, id(1)), Calculated::Amount(490));
        assert_eq!(question.told(&answer, id(2)), Calculated::Refused(None));
        for wrong in [told(3, Some("1")), told(1, Some("4.905")), told(1, Some("-1")), told(1, Some("free"))] {
            assert!(question.check(&RateAnswer { options: vec![wrong.clone()] }).is_err(), "{wrong:?}");
        }
        assert!(question.check(&RateAnswer { options: vec![told(1, None), told(1, None)] }).is_err());
    }

    #[test]
    fn yen_have_no_decimals() {
        let answer = |amount: &str| RateAnswer { options: vec![told(1, Some(amount))] };
        assert_eq!(question("JPY").check(&answer("500")), Ok(()));
        assert!(question("JPY").check(&answer("500.50")).is_err());
    }

    #[test]
    fn a_reason_is_kept() {
        let refused = AnsweredOption { reason: Some("Too heavy.".to_owned()), ..told(1, None) };
        let answer = RateAnswer { options: vec![refused] };
        assert_eq!(question("EUR").check(&answer), Ok(()));
        let told = question("EUR").told(&answer, id(1));
        assert_eq!(told, Calculated::Refused(Some("Too heavy.".to_owned())));
    }
}
