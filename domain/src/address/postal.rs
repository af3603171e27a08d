//! Postal codes: how those of each country look.
//!
//! A form is written with `#` for a digit, `@` for a letter and `?` for
//! either; a blank or hyphen stands where the post of the country puts one.
//! Who types may leave blanks and hyphens out, put others in, write small
//! letters or wide digits, and put the country's code in front.

use unicode_normalization::UnicodeNormalization;

use crate::text::CountryCode;

/// The postal codes of a country.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PostalCodes {
    /// One of them.
    pub example: &'static str,
    /// Whether mail without one is not delivered well.
    pub needed: bool,
    country: &'static str,
    forms: &'static [&'static str],
}

impl PostalCodes {
    /// Those of a country; none when it has none, or when their form is not known for sure.
    pub fn of(country: &CountryCode) -> Option<Self> {
        let place = CODES.binary_search_by_key(&country.as_str(), |(code, ..)| code).ok()?;
        let (country, needed, example, forms) = CODES[place];
        Some(Self { example, needed, country, forms })
    }

    /// The postal code in the form of the country; nothing when it can't be one of it.
    pub fn read(&self, text: &str) -> Option<String> {
        let compact = compact(text);
        let without = compact.strip_prefix(self.country).unwrap_or_default();
        let with = self.with_country(&compact);
        let mut spellings = [compact.as_str(), without, &with].into_iter();
        spellings.find_map(|spelling| self.forms.iter().find_map(|form| filled(form, spelling)))
    }

    /// With the country's code in front where codes of the country begin with it.
    fn with_country(&self, compact: &str) -> String {
        let begin = self.forms.iter().any(|form| form.starts_with(self.country));
        if begin { format!("{}{compact}", self.country) } else { String::new() }
    }

    /// The beginning of a postal code, in capitals and without blanks and hyphens; nothing when no code of the country
    /// is longer and begins so.
    pub fn read_beginning(&self, text: &str) -> Option<String> {
        let compact = compact(text);
        let with = self.with_country(&compact);
        let begins = |spelling: &str| {
            let places = |form: &&str| form.chars().filter(|c| !is_separator(*c)).collect::<Vec<_>>();
            let mut forms = self.forms.iter().map(places);
            let letters: Vec<char> = spelling.chars().collect();
            forms.any(|form| form.len() > letters.len() && form.iter().zip(&letters).all(|(at, c)| fits(*at, *c)))
        };
        let spellings = [compact.strip_prefix(self.country).unwrap_or_default(), &compact, &with];
        spellings.into_iter().find(|spelling| !spelling.is_empty() && begins(spelling)).map(str::to_owned)
    }

    /// A regular expression in the syntax of ECMAScript for what surely is one,
    /// from end to end. More is understood: see [`Self::read`].
    pub fn pattern(&self) -> String {
        let part = |c: char| match c {
            '#' => r"\d".to_owned(),
            '@' => "[A-Za-z]".to_owned(),
            '?' => r"[A-Za-z\d]".to_owned(),
            ' ' => "[ ]?".to_owned(),
            '-' => "-?".to_owned(),
            c if c.is_ascii_alphabetic() => format!("[{c}{}]", c.to_ascii_lowercase()),
            c => c.to_string(),
        };
        let forms: Vec<String> = self.forms.iter().map(|form| form.chars().map(part).collect()).collect();
        format!("^(?:{})$", forms.join("|"))
    }
}

/// A postal code as two are compared: in capitals, without blanks and hyphens.
pub fn compact(text: &str) -> String {
    text.nfkc().filter(|c| !is_separator(*c)).collect::<String>().to_uppercase()
}

fn is_separator(c: char) -> bool {
    c.is_whitespace() || matches!(c, '-' | '‐' | '‑' | '–' | '−' | '〒')
}

/// The form with its places filled; nothing when the text doesn't fit.
fn filled(form: &str, compact: &str) -> Option<String> {
    let mut given = compact.chars();
    let mut code = String::with_capacity(form.len());
    for place in form.chars() {
        if is_separator(place) {
            code.push(place);
            continue;
        }
        let c = given.next()?;
        if !fits(place, c) {
            return None;
        }
        code.push(c);
    }
    given.next().is_none().then_some(code)
}

/// Whether a letter or digit can stand at this place of a form.
pub(crate) fn fits(place: char, c: char) -> bool {
    match place {
        '#' => c.is_ascii_digit(),
        '@' => c.is_ascii_uppercase(),
        '?' => c.is_ascii_digit() || c.is_ascii_uppercase(),
        literal => c == literal,
    }
}

type Entry = (&'static str, bool, &'static str, &'static [&'static str]);

const US: &[&str] = &["#####", "#####-####"];
const BRITISH: &[&str] = &[
    "@# #@@",
    "@## #@@",
    "@@# #@@",
    "@@## #@@",
    "@#@ #@@",
    "@@#@ #@@",
    "GIR 0AA",
    "BFPO #",
    "BFPO ##",
    "BFPO ###",
    "BFPO ####",
];
const FIVE: &[&str] = &["#####"];
const FOUR: &[&str] = &["####"];
const SIX: &[&str] = &["######"];

/// Country, whether one is needed, an example, the forms; by country.
#[rustfmt::skip]
const CODES: &[Entry] = &[
    ("AD", false, "AD500", &["AD###"]),
    ("AF", false, "1001", FOUR),
    ("AI", false, "AI-2640", &["AI-2640"]),
    ("AL", false, "1001", FOUR),
    ("AM", false, "0010", &["####", "37####"]),
    ("AR", false, "C1070AAM", &["@####@@@", "####"]),
    ("AS", true, "96799", US),
    ("AT", true, "1010", FOUR),
    ("AU", true, "2000", FOUR),
    ("AX", true, "22100", FIVE),
    ("AZ", false, "AZ 1000", &["AZ ####"]),
    ("BA", false, "71000", FIVE),
    ("BB", false, "BB11000", &["BB#####"]),
    ("BD", false, "1000", FOUR),
    ("BE", true, "1000", FOUR),
    ("BG", false, "1000", FOUR),
    ("BH", false, "317", &["###", "####"]),
    ("BL", true, "97133", FIVE),
    ("BM", false, "HM 12", &["@@ ##", "@@ @@"]),
    ("BN", false, "BS8211", &["@@####"]),
    ("BR", true, "01310-100", &["#####-###"]),
    ("BT", false, "11001", FIVE),
    ("BY", false, "220050", SIX),
    ("CA", true, "K1A 0B1", &["@#@ #@#"]),
    ("CC", false, "6799", FOUR),
    ("CH", true, "8001", FOUR),
    ("CL", false, "8320000", &["#######"]),
    ("CN", true, "100000", SIX),
    ("CO", false, "110111", SIX),
    ("CR", false, "10101", &["#####", "####", "#####-####"]),
    ("CU", false, "10100", FIVE),
    ("CV", false, "7600", FOUR),
    ("CX", false, "6798", FOUR),
    ("CY", false, "1010", FOUR),
    ("CZ", true, "110 00", &["### ##"]),
    ("DE", true, "10115", FIVE),
    ("DK", true, "1050", FOUR),
    ("DO", false, "10101", FIVE),
    ("DZ", false, "16000", FIVE),
    ("EC", false, "170515", SIX),
    ("EE", true, "10111", FIVE),
    ("EG", false, "11511", &["#####", "#######"]),
    ("EH", false, "70000", FIVE),
    ("ES", true, "28001", FIVE),
    ("ET", false, "1000", FOUR),
    ("FI", true, "00100", FIVE),
    ("FK", true, "FIQQ 1ZZ", &["FIQQ 1ZZ"]),
    ("FM", true, "96941", US),
    ("FO", false, "100", &["###"]),
    ("FR", true, "75001", FIVE),
    ("GB", true, "SW1A 1AA", BRITISH),
    ("GE", false, "0101", FOUR),
    ("GF", true, "97300", FIVE),
    ("GG", true, "GY1 1WR", &["GY# #@@", "GY## #@@"]),
    ("GI", false, "GX11 1AA", &["GX11 1AA"]),
    ("GL", true, "3900", FOUR),
    ("GN", false, "001", &["###"]),
    ("GP", true, "97100", FIVE),
    ("GR", true, "105 57", &["### ##"]),
    ("GS", true, "SIQQ 1ZZ", &["SIQQ 1ZZ"]),
    ("GT", false, "01001", FIVE),
    ("GU", true, "96910", US),
    ("GW", false, "1000", FOUR),
    ("HM", false, "7050", FOUR),
    ("HN", false, "11101", &["#####", "@@####"]),
    ("HR", false, "10000", FIVE),
    ("HT", false, "HT6110", &["HT####"]),
    ("HU", true, "1051", FOUR),
    ("ID", false, "10110", FIVE),
    ("IE", false, "D02 AF30", &["@#? ????"]),
    ("IL", false, "9614303", &["#######", "#####"]),
    ("IM", true, "IM1 1AD", &["IM# #@@", "IM## #@@"]),
    ("IN", true, "110001", SIX),
    ("IO", true, "BBND 1ZZ", &["BBND 1ZZ"]),
    ("IQ", false, "10001", FIVE),
    ("IR", false, "11369-14151", &["#####-#####"]),
    ("IS", false, "101", &["###"]),
    ("IT", true, "00118", FIVE),
    ("JE", true, "JE1 1AA", &["JE# #@@", "JE## #@@"]),
    ("JO", false, "11118", FIVE),
    ("JP", true, "100-0001", &["###-####"]),
    ("KE", false, "00100", FIVE),
    ("KG", false, "720001", SIX),
    ("KH", false, "120101", &["######", "#####"]),
    ("KR", true, "04524", FIVE),
    ("KW", false, "13001", FIVE),
    ("KY", false, "KY1-1100", &["KY#-####"]),
    ("KZ", false, "010000", &["######", "@##@#@#"]),
    ("LA", false, "01000", FIVE),
    ("LB", false, "1107 2810", &["#### ####", "####", "#####"]),
    ("LI", true, "9490", FOUR),
    ("LK", false, "00100", FIVE),
    ("LR", false, "1000", FOUR),
    ("LS", false, "100", &["###"]),
    ("LT", true, "LT-01103", &["LT-#####"]),
    ("LU", true, "1009", FOUR),
    ("LV", true, "LV-1010", &["LV-####"]),
    ("MA", false, "10000", FIVE),
    ("MC", false, "98000", &["980##"]),
    ("MD", false, "MD-2001", &["MD-####"]),
    ("ME", false, "81000", FIVE),
    ("MF", true, "97150", FIVE),
    ("MG", false, "101", &["###"]),
    ("MH", true, "96960", US),
    ("MK", false, "1000", FOUR),
    ("MM", false, "11181", FIVE),
    ("MN", false, "14200", &["#####", "######"]),
    ("MP", true, "96950", US),
    ("MQ", true, "97200", FIVE),
    ("MT", false, "VLT 1117", &["@@@ ####", "@@@ ##"]),
    ("MU", false, "11328", FIVE),
    ("MV", false, "20026", FIVE),
    ("MX", true, "06000", FIVE),
    ("MY", true, "50000", FIVE),
    ("MZ", false, "1100", FOUR),
    ("NA", false, "10001", FIVE),
    ("NC", true, "98800", FIVE),
    ("NE", false, "8001", FOUR),
    ("NF", false, "2899", FOUR),
    ("NG", false, "900211", SIX),
    ("NI", false, "11001", FIVE),
    ("NL", true, "1012 AB", &["#### @@"]),
    ("NO", true, "0150", FOUR),
    ("NP", false, "44600", FIVE),
    ("NZ", true, "6011", FOUR),
    ("OM", false, "112", &["###"]),
    ("PA", false, "0801", FOUR),
    ("PE", false, "15001", &["#####", "LIMA #", "LIMA ##", "CALLAO #", "CALLAO ##"]),
    ("PF", true, "98714", FIVE),
    ("PG", false, "121", &["###"]),
    ("PH", false, "1000", FOUR),
    ("PK", false, "44000", FIVE),
    ("PL", true, "00-950", &["##-###"]),
    ("PM", true, "97500", FIVE),
    ("PN", true, "PCRN 1ZZ", &["PCRN 1ZZ"]),
    ("PR", true, "00901", US),
    ("PT", true, "1000-205", &["####-###", "####"]),
    ("PW", true, "96940", US),
    ("PY", false, "1209", &["####", "######"]),
    ("RE", true, "97400", FIVE),
    ("RO", true, "010011", SIX),
    ("RS", false, "11000", &["#####", "######"]),
    ("RU", true, "101000", SIX),
    ("SA", false, "11564", &["#####", "#####-####"]),
    ("SD", false, "11111", FIVE),
    ("SE", true, "111 22", &["### ##"]),
    ("SG", true, "018956", SIX),
    ("SH", true, "STHL 1ZZ", &["STHL 1ZZ", "ASCN 1ZZ", "TDCU 1ZZ"]),
    ("SI", false, "1000", FOUR),
    ("SJ", true, "9170", FOUR),
    ("SK", true, "811 01", &["### ##"]),
    ("SM", true, "47890", &["4789#"]),
    ("SN", false, "10000", FIVE),
    ("SO", false, "JH 09010", &["@@ #####"]),
    ("SV", false, "1101", &["####", "CP ####"]),
    ("SZ", false, "H100", &["@###"]),
    ("TC", true, "TKCA 1ZZ", &["TKCA 1ZZ"]),
    ("TH", false, "10200", FIVE),
    ("TJ", false, "734000", SIX),
    ("TM", false, "744000", SIX),
    ("TN", false, "1000", FOUR),
    ("TR", true, "06010", FIVE),
    ("TT", false, "120110", SIX),
    ("TW", true, "100", &["###", "###-##", "######"]),
    ("TZ", false, "11101", &["#####", "####"]),
    ("UA", true, "01001", FIVE),
    ("UM", false, "96898", FIVE),
    ("US", true, "20500", US),
    ("UY", false, "11000", FIVE),
    ("UZ", false, "100000", SIX),
    ("VA", false, "00120", &["00120"]),
    ("VC", false, "VC0100", &["VC####"]),
    ("VE", false, "1010", FOUR),
    ("VG", false, "VG1110", &["VG####"]),
    ("VI", true, "00802", US),
    ("VN", false, "100000", &["######", "#####"]),
    ("WF", true, "98600", FIVE),
    ("YT", true, "97600", FIVE),
    ("ZA", true, "0001", FOUR),
    ("ZM", false, "10101", FIVE),
];

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(country: &str) -> PostalCodes {
        PostalCodes::of(&country.parse().unwrap()).unwrap()
    }

    #[test]
    fn every_example_is_a_code_of_its_country_as_it_stands() {
        assert!(CODES.windows(2).all(|pair| pair[0].0 < pair[1].0), "by country, each once");
        for (country, _, example, _) in CODES {
            assert_eq!(of(country).read(example).as_deref(), Some(*example), "{country}");
        }
    }

    #[test]
    fn codes_are_understood_as_people_write_them() {
        for (country, written, code) in [
            ("DE", " 10115 ", "10115"),
            ("DE", "DE-10115", "10115"),
            ("NL", "1012ab", "1012 AB"),
            ("GB", "sw1a1aa", "SW1A 1AA"),
            ("GB", "M1 1AE", "M1 1AE"),
            ("GB", "EC1A-1BB", "EC1A 1BB"),
            ("CA", "k1a0b1", "K1A 0B1"),
            ("JP", "〒１００－０００１", "100-0001"),
            ("BR", "01310100", "01310-100"),
            ("US", "205000001", "20500-0001"),
            ("LT", "01103", "LT-01103"),
            ("SE", "SE-11122", "111 22"),
            ("PL", "00950", "00-950"),
        ] {
            assert_eq!(of(country).read(written).as_deref(), Some(code), "{country} {written}");
        }
        for (country, written) in [
            ("DE", "1011"),
            ("DE", "1011A"),
            ("AT", "10115"),
            ("GB", "10115"),
            ("GB", "1 1AA"),
            ("US", "2050"),
            ("CA", "90210"),
            ("NL", ""),
            ("FR", "7500١"),
        ] {
            assert_eq!(of(country).read(written), None, "{country} {written}");
        }
    }

    #[test]
    fn a_pattern_names_every_form() {
        assert_eq!(of("US").pattern(), r"^(?:\d\d\d\d\d|\d\d\d\d\d-?\d\d\d\d)$");
        assert_eq!(of("NL").pattern(), r"^(?:\d\d\d\d[ ]?[A-Za-z][A-Za-z])$");
        assert_eq!(of("KY").pattern(), r"^(?:[Kk][Yy]\d-?\d\d\d\d)$");
    }

    #[test]
    fn beginnings_are_those_of_some_code() {
        for (country, text, beginning) in [
            ("US", "941", Some("941")),
            ("US", "94105-12", Some("9410512")),
            ("US", "94105", Some("94105")),
            ("US", "94A", None),
            ("DE", "10115", None),
            ("GB", "sw1", Some("SW1")),
            ("GB", "bt", Some("BT")),
            ("GB", "9", None),
            ("LT", "01", Some("LT01")),
            ("LT", "lt-0", Some("LT0")),
            ("CA", "k1a 0", Some("K1A0")),
            ("PL", "00-", Some("00")),
            ("US", "", None),
        ] {
            assert_eq!(of(country).read_beginning(text).as_deref(), beginning, "{country} {text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_read_is_read_again_as_it_stands(country in 0..CODES.len(), text in "[A-Za-z0-9 -]{0,12}") {
            let codes = of(CODES[country].0);
            if let Some(code) = codes.read(&text) {
                let again = codes.read(&code);
                prop_assert_eq!(again, Some(code));
            }
        }

        #[test]
        fn no_text_panics(country in 0..CODES.len(), text: String) {
            let _ = of(CODES[country].0).read(&text);
        }

        #[test]
        fn whatever_fills_a_form_is_a_code(country in 0..CODES.len(), form: prop::sample::Index, seed: [u8; 16]) {
            let forms = CODES[country].3;
            let form = forms[form.index(forms.len())];
            let mut draws = seed.iter().cycle();
            let mut drawn = |from: &[u8]| char::from(from[usize::from(*draws.next().unwrap()) % from.len()]);
            let code: String = form.chars().map(|place| match place {
                '#' => drawn(b"0123456789"),
                '@' => drawn(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ"),
                '?' => drawn(b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"),
                literal => literal,
            }).collect();
            prop_assert!(of(CODES[country].0).read(&code).is_some(), "{}", code);
            prop_assert!(of(CODES[country].0).read(&code.replace([' ', '-'], "").to_lowercase()).is_some(), "{}", code);
        }
    }
}
