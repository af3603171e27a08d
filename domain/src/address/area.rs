//! Areas: a country, a province, county or city of it, or some of its postal codes. Tax regions and shipping zones are
//! told by them.

use serde::{Deserialize, Serialize};

use super::pattern::PostalPattern;
use super::postal::compact;
use super::province::{Provinces, folded};
use super::{Address, MAX_LINE};
use crate::refusal::{ErrorCode, Refusal, Refusals};
use crate::text::CountryCode;

/// The most postal patterns of one area.
pub const MAX_PATTERNS: usize = 250;

/// A country or a part of it. A place is in it when all that the area names is so.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Area {
    /// The country.
    pub country: CountryCode,
    /// The province, by its code.
    pub province: Option<String>,
    /// What the county is called. No address names its county, so the postal patterns tell who is in it.
    pub county: Option<String>,
    /// The city, whatever its capitals and accents.
    pub city: Option<String>,
    /// Patterns of postal codes, one of which must fit; none where postal codes don't matter.
    pub postal: Vec<PostalPattern>,
}

/// An area as somebody types it.
#[derive(Debug, Clone)]
pub struct NewArea {
    /// As [`Area::country`].
    pub country: CountryCode,
    /// The province, by code or name.
    pub province: Option<String>,
    /// As [`Area::county`].
    pub county: Option<String>,
    /// As [`Area::city`].
    pub city: Option<String>,
    /// Patterns as [`PostalPattern::read`] understands them.
    pub postal_patterns: Vec<String>,
}

/// What is known of where something goes, in the form in which areas compare it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Place {
    country: CountryCode,
    province: Option<String>,
    city: Option<String>,
    postal_code: Option<String>,
}

impl Place {
    /// What is not known is in no area that asks for it.
    pub fn new(country: &CountryCode, province: Option<&str>, city: Option<&str>, postal_code: Option<&str>) -> Self {
        let listed = |text: &str| {
            let found = Provinces::of(country).and_then(|provinces| provinces.find(country, text));
            found.map(|province| province.code.to_owned())
        };
        Self {
            country: country.clone(),
            province: province.and_then(listed),
            city: city.map(folded).filter(|city| !city.is_empty()),
            postal_code: postal_code.map(compact).filter(|code| !code.is_empty()),
        }
    }

    /// A country of which nothing else is known.
    pub fn of_country(country: &CountryCode) -> Self {
        Self::new(country, None, None, None)
    }

    /// The country.
    pub fn country(&self) -> &CountryCode {
        &self.country
    }
}

impl From<&Address> for Place {
    fn from(address: &Address) -> Self {
        let Address { country, province, city, postal_code, .. } = address;
        Self::new(country, province.as_deref(), Some(city), postal_code.as_deref())
    }
}

impl NewArea {
    /// Brings each part into the form of the country and names every one that can't be. Paths begin with `path`.
    pub fn check(self, path: &[&str]) -> Result<Area, Vec<Refusal>> {
        let mut refusals = Refusals::default();
        let at = |rest: &[&str]| path.iter().chain(rest).map(|part| (*part).to_owned()).collect::<Vec<_>>();
        let province = self.province.as_deref().map(str::trim).filter(|text| !text.is_empty());
        let province = province.and_then(|text| {
            refusals.keep(listed_province(&self.country, text).map_err(|refusal| refusal.at(at(&["provinceCode"]))))
        });
        let county = named(self.county)
            .and_then(|text| refusals.keep(short(text).map_err(|refusal| refusal.at(at(&["county"])))));
        let city =
            named(self.city).and_then(|text| refusals.keep(short(text).map_err(|refusal| refusal.at(at(&["city"])))));
        if self.postal_patterns.len() > MAX_PATTERNS {
            let message = format!("An area has at most {MAX_PATTERNS} patterns of postal codes.");
            let refusal = Refusal::new(ErrorCode::TooMany, message).limit(MAX_PATTERNS as i64);
            return Err(vec![refusal.at(at(&["postalPatterns"]))]);
        }
        let mut postal: Vec<PostalPattern> = Vec::with_capacity(self.postal_patterns.len());
        for (place, text) in self.postal_patterns.iter().enumerate() {
            let place = at(&["postalPatterns", &place.to_string()]);
            let Some(pattern) =
                refusals.keep(PostalPattern::read(&self.country, text).map_err(|refusal| refusal.at(place.clone())))
            else {
                continue;
            };
            if postal.contains(&pattern) {
                refusals.push(Refusal::new(ErrorCode::Duplicate, "This pattern stands here twice.").at(place));
            } else {
                postal.push(pattern);
            }
        }
        if county.is_some() && self.postal_patterns.is_empty() {
            let message = "Addresses name no county: say by patterns which postal codes are in it.";
            refusals.push(Refusal::new(ErrorCode::Required, message).at(at(&["postalPatterns"])));
        }
        refusals.into_result()?;
        Ok(Area { country: self.country, province, county, city, postal })
    }
}

fn named(text: Option<String>) -> Option<String> {
    text.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty())
}

/// A line that can be compared: not too long, no control characters, at least one letter or digit.
fn short(text: String) -> Result<String, Refusal> {
    if text.chars().count() > MAX_LINE {
        let message = format!("This is longer than {MAX_LINE} characters.");
        Err(Refusal::new(ErrorCode::Invalid, message).limit(MAX_LINE as i64))
    } else if text.chars().any(char::is_control) || folded(&text).is_empty() {
        Err(Refusal::new(ErrorCode::Invalid, "This needs a letter or digit and can't hold control characters."))
    } else {
        Ok(text)
    }
}

fn listed_province(country: &CountryCode, text: &str) -> Result<String, Refusal> {
    let Some(provinces) = Provinces::of(country) else {
        let message = format!("Addresses in {country} name no province; use cities or postal codes.");
        return Err(Refusal::new(ErrorCode::Invalid, message));
    };
    match provinces.find(country, text) {
        Some(province) => Ok(province.code.to_owned()),
        None => {
            let one = provinces.list.first().map_or("", |province| province.code);
            let message = format!("{text:?} is no province of {country}; one of them is {one}.");
            Err(Refusal::new(ErrorCode::Invalid, message))
        }
    }
}

impl Area {
    /// A whole country.
    pub fn of_country(country: CountryCode) -> Self {
        Self { country, province: None, county: None, city: None, postal: Vec::new() }
    }

    /// Whether a place is in it.
    pub fn holds(&self, place: &Place) -> bool {
        self.country == place.country
            && self.province.as_ref().is_none_or(|province| Some(province) == place.province.as_ref())
            && (self.postal.is_empty()
                || place.postal_code.as_ref().is_some_and(|code| self.postal.iter().any(|pattern| pattern.holds(code))))
            && self.city.as_ref().is_none_or(|city| Some(folded(city)) == place.city)
    }

    /// How closely it describes a place: 0 a country, 1 a province, 2 a county, 3 a city, 4 postal codes that are not
    /// those of a county. Of two areas that hold a place, the deeper says more about it.
    pub fn depth(&self) -> u8 {
        match self {
            Self { postal, county: None, .. } if !postal.is_empty() => 4,
            Self { city: Some(_), .. } => 3,
            Self { county: Some(_), .. } => 2,
            Self { province: Some(_), .. } => 1,
            _ => 0,
        }
    }

    /// Whether a place may be in both; county names tell nothing apart.
    pub fn meets(&self, other: &Self) -> bool {
        let apart = |one: &Option<String>, other: &Option<String>, same: fn(&str, &str) -> bool| matches!((one, other), (Some(one), Some(other)) if !same(one, other));
        self.country == other.country
            && !apart(&self.province, &other.province, |one, other| one == other)
            && !apart(&self.city, &other.city, |one, other| folded(one) == folded(other))
            && (self.postal.is_empty()
                || other.postal.is_empty()
                || self.postal.iter().any(|pattern| other.postal.iter().any(|of_other| pattern.overlaps(of_other))))
    }

    /// Whether a place may be in both and neither is deeper, so that nothing says which counts.
    pub fn overlaps(&self, other: &Self) -> bool {
        self.depth() == other.depth() && self.meets(other)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn typed(country: &str, province: &str, county: &str, city: &str, patterns: &[&str]) -> NewArea {
        let given = |text: &str| Some(text.to_owned());
        NewArea {
            country: country.parse().unwrap(),
            province: given(province),
            county: given(county),
            city: given(city),
            postal_patterns: patterns.iter().map(|pattern| (*pattern).to_owned()).collect(),
        }
    }

    fn area(country: &str, province: &str, county: &str, city: &str, patterns: &[&str]) -> Area {
        typed(country, province, county, city, patterns).check(&[]).unwrap()
    }

    fn place(country: &str, province: &str, city: &str, postal_code: &str) -> Place {
        Place::new(&country.parse().unwrap(), Some(province), Some(city), Some(postal_code))
    }

    #[test]
    fn a_place_is_in_an_area_when_all_that_it_names_is_so() {
        let brooklyn = place("US", "New York", " new york ", "11201-1832");
        for (area, held, depth) in [
            (area("US", "", "", "", &[]), true, 0),
            (area("US", "us-ny", "", "", &[]), true, 1),
            (area("US", "NY", "Kings", "", &["112*"]), true, 2),
            (area("US", "NY", "", "New York", &[]), true, 3),
            (area("US", "NY", "Kings", "New York", &["112*"]), true, 3),
            (area("US", "NY", "", "", &["11200-11299"]), true, 4),
            (area("US", "", "", "", &["11201"]), true, 4),
            (area("US", "NJ", "", "", &[]), false, 1),
            (area("US", "NY", "", "Albany", &[]), false, 3),
            (area("US", "NY", "", "New York", &["100*"]), false, 4),
            (area("CA", "", "", "", &[]), false, 0),
        ] {
            assert_eq!((area.holds(&brooklyn), area.depth()), (held, depth), "{area:?}");
        }
        assert!(!area("US", "NY", "", "", &[]).holds(&Place::of_country(&"US".parse().unwrap())));
        assert!(area("MX", "Ciudad de México", "", "", &[]).holds(&place("MX", "CMX", "", "")));
        assert!(area("DE", "", "", "Köln", &[]).holds(&place("DE", "", "KOLN", "50667")));
    }

    #[test]
    fn every_part_that_can_t_be_is_named() {
        use ErrorCode::{Duplicate, Invalid, Required, TooMany};
        let many = vec!["94105"; MAX_PATTERNS + 1];
        for (area, refused) in [
            (typed("US", "Bavaria", "", "", &[]), vec![(Invalid, "area.provinceCode")]),
            (typed("DE", "Bayern", "", "", &[]), vec![(Invalid, "area.provinceCode")]),
            (typed("US", "CA", "Marin", "", &[]), vec![(Required, "area.postalPatterns")]),
            (
                typed("US", "CA", "", "--", &["94x", "941*", "941*"]),
                vec![(Invalid, "area.city"), (Invalid, "area.postalPatterns.0"), (Duplicate, "area.postalPatterns.2")],
            ),
            (typed("US", "", "a\u{7}", "", &["94105"]), vec![(Invalid, "area.county")]),
            (typed("US", "", "", "", &many), vec![(TooMany, "area.postalPatterns")]),
        ] {
            let told = area.check(&["area"]).unwrap_err();
            let told: Vec<_> = told.iter().map(|refusal| (refusal.code, refusal.path.join("."))).collect();
            let refused: Vec<_> = refused.into_iter().map(|(code, path)| (code, path.to_owned())).collect();
            assert_eq!(told, refused);
        }
    }

    #[test]
    fn areas_overlap_where_nothing_tells_them_apart_and_neither_is_deeper() {
        for (one, other, overlaps) in [
            (area("US", "NY", "", "", &[]), area("US", "NY", "", "", &[]), true),
            (area("US", "NY", "", "", &[]), area("US", "NJ", "", "", &[]), false),
            (area("US", "NY", "", "", &[]), area("US", "NY", "", "Albany", &[]), false),
            (area("US", "", "", "Albany", &[]), area("US", "NY", "", "ALBANY", &[]), true),
            (area("US", "NY", "", "", &["100*"]), area("US", "NY", "", "", &["10000-10099"]), true),
            (area("US", "NY", "", "", &["100*"]), area("US", "NY", "", "", &["101*"]), false),
            (area("US", "", "A", "", &["100*"]), area("US", "", "B", "", &["10001"]), true),
            (area("US", "", "", "", &["100*"]), area("DE", "", "", "", &["100*"]), false),
        ] {
            assert_eq!((one.overlaps(&other), other.overlaps(&one)), (overlaps, overlaps), "{one:?} {other:?}");
        }
    }

    fn areas() -> impl Strategy<Value = Area> {
        let part = |texts: &'static [&'static str]| prop::sample::select(texts);
        (part(&["US", "CA"]), part(&["", "NY", "NJ"]), part(&["", "Albany", "Troy"]), part(&["", "1*", "10001", "12-"]))
            .prop_map(|(country, province, city, pattern)| {
                let (province, pattern) = if country == "US" { (province, pattern) } else { ("", "") };
                let pattern = if pattern == "12-" { "12000-12999" } else { pattern };
                let patterns: Vec<&str> = Some(pattern).filter(|pattern| !pattern.is_empty()).into_iter().collect();
                area(country, province, "", city, &patterns)
            })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(10_000))]

        #[test]
        fn areas_that_hold_one_place_meet(
            one in areas(),
            other in areas(),
            province in "NY|NJ|",
            city in "Albany|Troy",
            code in "10001|12180|94105",
        ) {
            let place = place("US", &province, &city, &code);
            prop_assert!(!(one.holds(&place) && other.holds(&place)) || one.meets(&other));
            prop_assert_eq!(one.meets(&other), other.meets(&one));
        }
    }
}
