//! Provinces: the states, prefectures, departments of the countries in whose
//! addresses they stand. Codes are those of ISO 3166-2 without the country in
//! front, names too unless people use shorter ones.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::LazyLock;

use rust_iso3166::iso3166_2::{SUBDIVISION_COUNTRY_MAP, Subdivision};
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

use crate::text::CountryCode;
use crate::word::words;

words! {
    /// What provinces are called in a country.
    pub enum ProvinceLabel {
        /// An area that is called nothing in particular.
        Area = "AREA",
        /// A county.
        County = "COUNTY",
        /// A department.
        Department = "DEPARTMENT",
        /// An emirate.
        Emirate = "EMIRATE",
        /// A governorate.
        Governorate = "GOVERNORATE",
        /// A parish.
        Parish = "PARISH",
        /// A prefecture.
        Prefecture = "PREFECTURE",
        /// A province.
        Province = "PROVINCE",
        /// A region.
        Region = "REGION",
        /// A state.
        State = "STATE",
    }
}

/// A state, prefecture, department or the like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Province {
    /// Its ISO 3166-2 code without the country, such as `CA` of `US-CA`.
    pub code: &'static str,
    /// Its name.
    pub name: Cow<'static, str>,
}

/// What is asked for of the province in the addresses of a country.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Demand {
    /// One of the list must be named: who delivers or taxes goes by it.
    Listed,
    /// One must be named, and what is not in the list is taken as it is: it may be in the letters of the country.
    Any,
    /// Nothing; one of the list is understood.
    Nothing,
}

/// The provinces of a country.
#[derive(Debug)]
pub struct Provinces {
    /// What they are called.
    pub label: ProvinceLabel,
    /// What is asked for.
    pub demand: Demand,
    /// Whether the code, rather than the name, is written on a parcel.
    pub by_code: bool,
    /// All of them, by name.
    pub list: Vec<Province>,
}

impl Provinces {
    /// Those of a country; none where they stand in no address.
    pub fn of(country: &CountryCode) -> Option<&'static Self> {
        static ALL: LazyLock<HashMap<&'static str, Provinces>> =
            LazyLock::new(|| COUNTRIES.iter().map(|entry| (entry.0, made(entry))).collect());
        ALL.get(country.as_str())
    }

    /// The province that somebody means by its code, with or without the country, or by its name, whatever the
    /// capitals and accents.
    pub fn find(&self, country: &CountryCode, text: &str) -> Option<&Province> {
        let code = text.trim().to_uppercase();
        let bare = code.strip_prefix(country.as_str()).and_then(|rest| rest.strip_prefix('-')).unwrap_or(&code);
        let by_code = self.list.iter().find(|province| province.code == bare);
        by_code.or_else(|| {
            let name = folded(text);
            self.list.iter().find(|province| folded(&province.name) == name)
        })
    }
}

/// Letters and digits alone, small, without accents and with dots.
pub(super) fn folded(text: &str) -> String {
    let bare = text.nfkd().filter(|c| !is_combining_mark(*c) && c.is_alphanumeric());
    bare.flat_map(char::to_lowercase).map(|c| if c == 'ı' { 'i' } else { c }).collect()
}

/// Country, label, demand, whether the code is written, and the kinds of subdivisions that count; all of them when
/// none is named.
type Entry = (&'static str, ProvinceLabel, Demand, bool, &'static [&'static str]);

use Demand::{Any, Listed, Nothing};
use ProvinceLabel as L;

#[rustfmt::skip]
const COUNTRIES: &[Entry] = &[
    ("AE", L::Emirate, Any, false, &[]),
    ("AR", L::Province, Nothing, false, &[]),
    ("AU", L::State, Listed, true, &[]),
    ("BO", L::Department, Nothing, false, &[]),
    ("BR", L::State, Listed, true, &[]),
    ("CA", L::Province, Listed, true, &[]),
    ("CL", L::Region, Nothing, false, &[]),
    ("CN", L::Province, Any, false, &[]),
    ("CO", L::Department, Any, false, &[]),
    ("CR", L::Province, Nothing, false, &[]),
    ("EC", L::Province, Nothing, false, &[]),
    ("EG", L::Governorate, Nothing, false, &[]),
    ("ES", L::Province, Listed, false, &["Province", "Autonomous city in north africa"]),
    ("GT", L::Department, Nothing, false, &[]),
    ("HK", L::Area, Nothing, false, &[]),
    ("HN", L::Department, Nothing, false, &[]),
    ("ID", L::Province, Any, false, &["Province", "Capital district", "Special region"]),
    ("IE", L::County, Nothing, false, &["County"]),
    ("IN", L::State, Listed, false, &[]),
    ("IT", L::Province, Listed, true, &["Province", "Metropolitan city", "Free municipal consortium", "Autonomous province", "Decentralized regional entity"]),
    ("JM", L::Parish, Nothing, false, &[]),
    ("JP", L::Prefecture, Any, false, &[]),
    ("KR", L::Province, Any, false, &[]),
    ("KW", L::Governorate, Nothing, false, &[]),
    ("MX", L::State, Listed, false, &[]),
    ("MY", L::State, Nothing, false, &[]),
    ("NG", L::State, Nothing, false, &[]),
    ("NI", L::Department, Nothing, false, &[]),
    ("PA", L::Province, Nothing, false, &[]),
    ("PE", L::Region, Nothing, false, &[]),
    ("PH", L::Province, Nothing, false, &["Province"]),
    ("PY", L::Department, Nothing, false, &[]),
    ("RO", L::County, Nothing, false, &[]),
    ("SA", L::Region, Nothing, false, &[]),
    ("SV", L::Department, Nothing, false, &[]),
    ("TH", L::Province, Nothing, false, &["Province", "Metropolitan administration"]),
    ("TR", L::Province, Nothing, false, &[]),
    ("TW", L::County, Nothing, false, &[]),
    ("UA", L::Region, Nothing, false, &[]),
    ("US", L::State, Listed, true, &[]),
    ("UY", L::Department, Nothing, false, &[]),
    ("VE", L::State, Nothing, false, &[]),
    ("ZA", L::Province, Nothing, false, &[]),
];

/// What the standard doesn't have, or has as something else, and mail does: where armed forces get theirs, the areas
/// of Hong Kong, the regions that are no provinces.
const BESIDES: &[(&str, &str, &str)] = &[
    ("HK", "HK", "Hong Kong Island"),
    ("HK", "KL", "Kowloon"),
    ("HK", "NT", "New Territories"),
    ("IT", "AO", "Aosta"),
    ("PH", "00", "Metro Manila"),
    ("US", "AA", "Armed Forces Americas"),
    ("US", "AE", "Armed Forces Europe"),
    ("US", "AP", "Armed Forces Pacific"),
];

/// Names that people use where the standard has longer or other ones.
#[rustfmt::skip]
const NAMES: &[(&str, &[(&str, &str)])] = &[
    ("AE", &[("AJ", "Ajman"), ("AZ", "Abu Dhabi"), ("DU", "Dubai"), ("FU", "Fujairah"), ("RK", "Ras al Khaimah"),
        ("SH", "Sharjah"), ("UQ", "Umm Al Quwain")]),
    ("CN", &[("AH", "Anhui"), ("BJ", "Beijing"), ("CQ", "Chongqing"), ("FJ", "Fujian"), ("GD", "Guangdong"),
        ("GS", "Gansu"), ("GX", "Guangxi"), ("GZ", "Guizhou"), ("HA", "Henan"), ("HB", "Hubei"), ("HE", "Hebei"),
        ("HI", "Hainan"), ("HK", "Hong Kong"), ("HL", "Heilongjiang"), ("HN", "Hunan"), ("JL", "Jilin"),
        ("JS", "Jiangsu"), ("JX", "Jiangxi"), ("LN", "Liaoning"), ("MO", "Macao"), ("NM", "Inner Mongolia"),
        ("NX", "Ningxia"), ("QH", "Qinghai"), ("SC", "Sichuan"), ("SD", "Shandong"), ("SH", "Shanghai"),
        ("SN", "Shaanxi"), ("SX", "Shanxi"), ("TJ", "Tianjin"), ("TW", "Taiwan"), ("XJ", "Xinjiang"),
        ("XZ", "Tibet"), ("YN", "Yunnan"), ("ZJ", "Zhejiang")]),
    ("CO", &[("DC", "Bogotá, D.C.")]),
    ("EG", &[("ALX", "Alexandria"), ("ASN", "Aswan"), ("AST", "Asyut"), ("BA", "Red Sea"), ("BH", "Beheira"),
        ("BNS", "Beni Suef"), ("C", "Cairo"), ("DK", "Dakahlia"), ("DT", "Damietta"), ("FYM", "Faiyum"),
        ("GH", "Gharbia"), ("GZ", "Giza"), ("IS", "Ismailia"), ("JS", "South Sinai"), ("KB", "Qalyubia"),
        ("KFS", "Kafr el-Sheikh"), ("KN", "Qena"), ("LX", "Luxor"), ("MN", "Minya"), ("MNF", "Monufia"),
        ("MT", "Matrouh"), ("PTS", "Port Said"), ("SHG", "Sohag"), ("SHR", "Sharqia"), ("SIN", "North Sinai"),
        ("SUZ", "Suez"), ("WAD", "New Valley")]),
    ("ID", &[("JK", "Jakarta")]),
    ("KR", &[("11", "Seoul"), ("26", "Busan"), ("27", "Daegu"), ("28", "Incheon"), ("29", "Gwangju"),
        ("30", "Daejeon"), ("31", "Ulsan"), ("41", "Gyeonggi"), ("42", "Gangwon"), ("43", "North Chungcheong"),
        ("44", "South Chungcheong"), ("45", "North Jeolla"), ("46", "South Jeolla"), ("47", "North Gyeongsang"),
        ("48", "South Gyeongsang"), ("49", "Jeju"), ("50", "Sejong")]),
    ("MY", &[("14", "Kuala Lumpur"), ("15", "Labuan"), ("16", "Putrajaya")]),
    ("NG", &[("FC", "Federal Capital Territory")]),
    ("PE", &[("LMA", "Metropolitan Lima")]),
    ("TH", &[("10", "Bangkok")]),
    ("TW", &[("CYI", "Chiayi City"), ("CYQ", "Chiayi County"), ("HSQ", "Hsinchu County"), ("HSZ", "Hsinchu City")]),
];

fn made((country, label, demand, by_code, kinds): &Entry) -> Provinces {
    let names = NAMES.iter().find(|(of, _)| of == country).map_or(&[][..], |(_, names)| names);
    let name = |found: &'static Subdivision| match names.iter().find(|(code, _)| *code == found.region_code) {
        Some((_, name)) => Cow::Borrowed(*name),
        // In English, names of India go without the marks of a transcription.
        None if *country == "IN" => found.name.nfkd().filter(|c| !is_combining_mark(*c)).collect::<String>().into(),
        None => Cow::Borrowed(found.name),
    };
    let standard = SUBDIVISION_COUNTRY_MAP.get(country).copied().unwrap_or_default().iter();
    let standard = standard.filter(|found| kinds.is_empty() || kinds.contains(&found.subdivision_type));
    let besides = BESIDES.iter().filter(|(of, ..)| of == country);
    let mut list: Vec<Province> = standard
        .map(|found| Province { code: found.region_code, name: name(found) })
        .chain(besides.map(|(_, code, name)| Province { code, name: Cow::Borrowed(*name) }))
        .collect();
    list.sort_by_cached_key(|province| folded(&province.name));
    Provinces { label: *label, demand: *demand, by_code: *by_code, list }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    fn of(country: &str) -> &'static Provinces {
        Provinces::of(&country.parse().unwrap()).unwrap()
    }

    #[test]
    fn codes_and_names_are_each_one_s_own() {
        for (country, ..) in COUNTRIES {
            let list = &of(country).list;
            let codes: BTreeSet<_> = list.iter().map(|province| province.code).collect();
            let names: BTreeSet<_> = list.iter().map(|province| folded(&province.name)).collect();
            assert!(list.len() >= 3, "{country}");
            assert_eq!(codes.len(), list.len(), "{country}");
            assert_eq!(names.len(), list.len(), "{country}: {list:?}");
            let code: CountryCode = country.parse().unwrap();
            for province in list {
                for text in [province.code.to_lowercase(), format!("{country}-{}", province.code)] {
                    assert_eq!(of(country).find(&code, &text), Some(province), "{text}");
                }
                let named = of(country).find(&code, &province.name.to_uppercase());
                assert_eq!(named, Some(province), "{country}: a name that is another one's code");
            }
        }
    }

    #[test]
    fn every_name_of_ours_is_of_a_province_and_countries_are_complete() {
        for (country, names) in NAMES {
            for (code, name) in *names {
                let found = of(country).list.iter().find(|province| province.code == *code);
                assert_eq!(found.map(|province| province.name.as_ref()), Some(*name), "{country}-{code}");
            }
        }
        let counts = [
            ("US", 60),
            ("CA", 13),
            ("MX", 32),
            ("BR", 27),
            ("AU", 8),
            ("IN", 36),
            ("JP", 47),
            ("IT", 107),
            ("ES", 52),
            ("AR", 24),
            ("CN", 34),
            ("KR", 17),
            ("AE", 7),
            ("EG", 27),
            ("IE", 26),
            ("RO", 42),
            ("TR", 81),
            ("ZA", 9),
            ("NG", 37),
            ("CL", 16),
            ("CO", 33),
            ("MY", 16),
            ("TH", 77),
            ("ID", 38),
            ("PH", 83),
            ("HK", 3),
        ];
        for (country, count) in counts {
            assert_eq!(of(country).list.len(), count, "{country}");
        }
    }

    #[test]
    fn a_province_is_understood_as_people_write_it() {
        for (country, text, code) in [
            ("US", "california", Some("CA")),
            ("US", " us-ca ", Some("CA")),
            ("US", "AE", Some("AE")),
            ("US", "Bavaria", None),
            ("MX", "Ciudad de Mexico", Some("CMX")),
            ("BR", "sao paulo", Some("SP")),
            ("JP", "tokyo", Some("13")),
            ("IN", "Arunachal Pradesh", Some("AR")),
            ("CA", "", None),
        ] {
            let found = of(country).find(&country.parse().unwrap(), text).map(|province| province.code);
            assert_eq!(found, code, "{country} {text}");
        }
        assert!(Provinces::of(&"DE".parse().unwrap()).is_none());
    }

    proptest! {
        #[test]
        fn no_text_panics(country in 0..COUNTRIES.len(), text: String) {
            let country = COUNTRIES[country].0;
            let _ = of(country).find(&country.parse().unwrap(), &text);
        }
    }
}
