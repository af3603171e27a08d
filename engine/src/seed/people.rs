//! Who buys. Nobody of them exists: their mailboxes are at `example.com`, which is kept for such use.

use domain::address::Address;
use domain::text::{CountryCode, Email};

use super::dice::Dice;
use super::word::{COUNTRIES, FAMILY, GIVEN, STREETS};
use crate::error::Result;

/// What the draws of people are about.
const PEOPLE: u64 = 2;

/// Somebody who buys.
#[derive(Debug, Clone)]
pub(super) struct Person {
    pub email: Email,
    pub address: Address,
    /// Whether he has an account; the others are guests each time.
    pub account: bool,
    pub accepts_marketing: bool,
}

/// The person at a place, in one of the countries that can be sold to.
pub(super) fn person(place: usize, sold_to: &[CountryCode]) -> Result<Person> {
    let mut dice = Dice::of(PEOPLE, place);
    let open: Vec<_> =
        COUNTRIES.iter().filter(|(code, ..)| sold_to.iter().any(|known| known.as_str() == *code)).collect();
    let all: usize = open.iter().map(|(_, share, _)| share).sum();
    let mut drawn = dice.below(all);
    let mut chosen = open[0];
    for country in open {
        chosen = country;
        match drawn.checked_sub(country.1) {
            Some(rest) => drawn = rest,
            None => break,
        }
    }
    let (code, _, towns) = chosen;
    let (first, last) = (*dice.pick(&GIVEN), *dice.pick(&FAMILY));
    let (city, postal_code, province) = *dice.pick(towns);
    let address = Address {
        first_name: Some(first.to_owned()),
        last_name: last.to_owned(),
        company: None,
        address1: format!("{} {}", dice.pick(&STREETS), dice.between(1, 120)),
        address2: None,
        city: city.to_owned(),
        province: Some(province.to_owned()),
        postal_code: Some(postal_code.to_owned()),
        country: code.parse()?,
        phone: None,
    };
    let address = address.check(&[])?;
    let email = format!("{}.{}.{}@example.com", first.to_lowercase(), last.to_lowercase(), place + 1).parse()?;
    Ok(Person { email, address, account: dice.chance(65), accepts_marketing: dice.chance(30) })
}
