//! Codes: what shoppers type to get a promotion or to pay with a gift card.
//!
//! A code is looked up by its one form ([`normalize`]). Staff write codes by
//! hand ([`check`]) or have them made ([`Shape`]) out of random bytes that the
//! caller brings.

use std::collections::HashSet;

use unicode_normalization::UnicodeNormalization;

use crate::refusal::{ErrorCode, Refusal, Refusals};

/// The shortest code that staff may write by hand.
pub const MIN_LENGTH: usize = 3;
/// The longest code.
pub const MAX_LENGTH: usize = 64;
/// The most codes that are made or brought in at once.
pub const MAX_BATCH: usize = 1_000_000;
/// The least random characters of a made code.
pub const MIN_RANDOM: usize = 6;
/// The most random characters of a made code.
pub const MAX_RANDOM: usize = 32;
/// The random characters of a made code, unless staff say otherwise: about 53 bits.
pub const USUAL_RANDOM: usize = 12;
/// The random characters of a gift card's code: about 71 bits, for it is money.
pub const GIFT_CARD_RANDOM: usize = 16;
/// For every made code of a batch so many others must be possible, so that guessing does not pay.
const SPARE: u128 = 1_000_000;

/// What made codes are made of: no two of these look alike, and without vowels
/// no word comes about.
const ALPHABET: &[u8; 22] = b"34679CDFGHJKMNPQRTVWXY";
/// Random bytes from here on would make the first letters likelier than the others.
const FAIR: u8 = 242;

/// The one form of a code: trimmed, wide and other forms of letters folded,
/// capitals. Also of text that can't be a code, which then is none that anybody knows.
pub fn normalize(text: &str) -> String {
    text.trim().nfkc().collect::<String>().trim().to_ascii_uppercase()
}

/// A code that staff write by hand, in its one form: letters A to Z, digits, and
/// single hyphens or underscores between them.
pub fn check(text: &str) -> Result<String, Refusal> {
    let code = normalize(text);
    if code.is_empty() {
        return Err(Refusal::new(ErrorCode::Required, "A code can't be empty."));
    }
    if !(MIN_LENGTH..=MAX_LENGTH).contains(&code.chars().count()) {
        let message = format!("A code has {MIN_LENGTH} to {MAX_LENGTH} characters.");
        return Err(Refusal::new(ErrorCode::Invalid, message).limit(MAX_LENGTH as i64));
    }
    if is_well_formed(&code) { Ok(code) } else { Err(malformed()) }
}

fn is_well_formed(code: &str) -> bool {
    let joins = |c: char| matches!(c, '-' | '_');
    code.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || joins(c))
        && !code.starts_with(joins)
        && !code.ends_with(joins)
        && code.as_bytes().windows(2).all(|pair| !(joins(pair[0].into()) && joins(pair[1].into())))
}

fn malformed() -> Refusal {
    let message = "A code has the letters A to Z, digits, and single hyphens or underscores between them.";
    Refusal::new(ErrorCode::Invalid, message)
}

/// Codes that staff bring, in their one form: none twice, whatever the capitals.
/// Paths begin with `codes` and the place.
pub fn check_all(texts: &[String]) -> Result<Vec<String>, Vec<Refusal>> {
    if texts.len() > MAX_BATCH {
        let message = format!("These are more than {MAX_BATCH} codes.");
        return Err(vec![Refusal::new(ErrorCode::TooMany, message).limit(MAX_BATCH as i64).at(["codes"])]);
    }
    let mut refusals = Refusals::default();
    let mut seen = HashSet::with_capacity(texts.len());
    let mut codes = Vec::with_capacity(texts.len());
    for (place, text) in texts.iter().enumerate() {
        let at = || ["codes".to_owned(), place.to_string()];
        let Some(code) = refusals.keep(check(text).map_err(|refusal| refusal.at(at()))) else { continue };
        if seen.insert(code.clone()) {
            codes.push(code);
        } else {
            refusals.push(Refusal::new(ErrorCode::Duplicate, format!("The code {code} stands here twice.")).at(at()));
        }
    }
    refusals.into_result().map(|()| codes)
}

/// How made codes look.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shape {
    prefix: String,
    random: usize,
    group: usize,
}

impl Shape {
    /// Codes that begin with `prefix`, a hyphen after it when there is one, and go
    /// on with so many random characters, a hyphen after every `group` of them; 0 sets none.
    ///
    /// # Errors
    /// Every part that can't be; paths are `prefix`, `length` and `group`.
    pub fn new(prefix: &str, random: usize, group: usize) -> Result<Self, Vec<Refusal>> {
        let mut refusals = Refusals::default();
        let prefix = normalize(prefix);
        if !is_well_formed(&prefix) {
            refusals.push(malformed().at(["prefix"]));
        }
        if !(MIN_RANDOM..=MAX_RANDOM).contains(&random) {
            let message = format!("A made code has {MIN_RANDOM} to {MAX_RANDOM} random characters.");
            refusals.push(Refusal::new(ErrorCode::Invalid, message).limit(MAX_RANDOM as i64).at(["length"]));
        }
        let shape = Self { prefix, random, group };
        if refusals.is_empty() && shape.length() > MAX_LENGTH {
            let message = format!("A code has at most {MAX_LENGTH} characters, with its prefix and hyphens.");
            refusals.push(Refusal::new(ErrorCode::Invalid, message).limit(MAX_LENGTH as i64).at(["length"]));
        }
        refusals.into_result().map(|()| shape)
    }

    /// How gift cards' codes look: four groups of four.
    pub fn gift_card() -> Self {
        Self { prefix: String::new(), random: GIFT_CARD_RANDOM, group: 4 }
    }

    fn length(&self) -> usize {
        let hyphens = self.random.saturating_sub(1).checked_div(self.group).unwrap_or(0);
        self.random + hyphens + if self.prefix.is_empty() { 0 } else { self.prefix.len() + 1 }
    }

    /// How many codes of this shape there are.
    fn possible(&self) -> u128 {
        (ALPHABET.len() as u128).saturating_pow(self.random as u32)
    }

    /// Refuses a batch that is too large, or so large for its shape that a guess would hit.
    pub fn check_count(&self, count: usize) -> Result<(), Refusal> {
        if !(1..=MAX_BATCH).contains(&count) {
            let message = format!("Between 1 and {MAX_BATCH} codes are made at once.");
            return Err(Refusal::new(ErrorCode::TooMany, message).limit(MAX_BATCH as i64).at(["count"]));
        }
        if self.possible() / (count as u128) < SPARE {
            let message = "Codes this short could be guessed among so many: make them longer.";
            return Err(Refusal::new(ErrorCode::Invalid, message).at(["length"]));
        }
        Ok(())
    }

    /// One code out of random bytes, every one as likely as another.
    pub fn make(&self, next_byte: &mut impl FnMut() -> u8) -> String {
        let mut code = String::with_capacity(self.length());
        if !self.prefix.is_empty() {
            code.push_str(&self.prefix);
            code.push('-');
        }
        for place in 0..self.random {
            if self.group > 0 && place > 0 && place % self.group == 0 {
                code.push('-');
            }
            let mut byte = next_byte();
            while byte >= FAIR {
                byte = next_byte();
            }
            code.push(ALPHABET[usize::from(byte) % ALPHABET.len()].into());
        }
        code
    }

    /// So many codes, no two alike and none that is taken already. The database
    /// has the last word on that: codes may be taken while these are made.
    ///
    /// # Errors
    /// As [`Shape::check_count`], and when random bytes keep making taken codes.
    pub fn batch(
        &self,
        count: usize,
        is_taken: impl Fn(&str) -> bool,
        next_byte: &mut impl FnMut() -> u8,
    ) -> Result<Vec<String>, Refusal> {
        self.check_count(count)?;
        let mut seen = HashSet::with_capacity(count);
        let mut codes = Vec::with_capacity(count);
        // One in a million tries meets a code of the batch: ten times as many tries mean broken randomness.
        for _ in 0..count.saturating_mul(10) {
            let code = self.make(next_byte);
            if !is_taken(&code) && seen.insert(code.clone()) {
                codes.push(code);
                if codes.len() == count {
                    return Ok(codes);
                }
            }
        }
        Err(Refusal::new(ErrorCode::Taken, "Too many codes of this shape are taken: choose another prefix or length."))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A plain congruential generator: enough to be unlike, and the same at every run.
    fn bytes(seed: u64) -> impl FnMut() -> u8 {
        let mut state = seed;
        move || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 56) as u8
        }
    }

    #[test]
    fn a_code_has_one_form() {
        assert_eq!(normalize("  summer-10 "), "SUMMER-10");
        assert_eq!(normalize("ＳＵＭＭＥＲ１０"), "SUMMER10");
        assert_eq!(check(" Summer_10 ").unwrap(), "SUMMER_10");
        for text in ["", "  ", "AB", "A B C", "-ABC", "ABC-", "A--B", "A-_B", "ÄPFEL", "ABC!", &"A".repeat(65)] {
            assert!(check(text).is_err(), "{text}");
        }
        assert!(check(&"A".repeat(64)).is_ok());
    }

    #[test]
    fn brought_codes_are_told_apart_by_their_one_form() {
        let brought = ["spring", "SPRING ", "x", "autumn"].map(str::to_owned);
        let refused = check_all(&brought).unwrap_err();
        let told: Vec<_> = refused.iter().map(|refusal| (refusal.code, refusal.path.join("."))).collect();
        assert_eq!(told, [(ErrorCode::Duplicate, "codes.1".to_owned()), (ErrorCode::Invalid, "codes.2".to_owned())]);
        assert_eq!(check_all(&brought[..1]).unwrap(), ["SPRING"]);
    }

    #[test]
    fn made_codes_have_their_shape() {
        let shape = Shape::new("vip", 8, 4).unwrap();
        let code = shape.make(&mut bytes(1));
        assert_eq!((code.len(), &code[..4], &code[8..9]), (13, "VIP-", "-"));
        assert_eq!(Shape::gift_card().make(&mut bytes(2)).len(), 19);
        assert_eq!(check(&code).unwrap(), code);
        let faults = |prefix, random| {
            let refused = Shape::new(prefix, random, 0).unwrap_err();
            refused.into_iter().map(|refusal| refusal.path.join(".")).collect::<Vec<_>>()
        };
        assert_eq!(faults("no blanks", 5), ["prefix", "length"]);
        assert_eq!(faults(&"P".repeat(33), 32), ["length"]);
    }

    #[test]
    fn no_two_letters_look_alike() {
        for pair in ["0O", "1I", "1L", "5S", "8B", "2Z", "UV"] {
            let both = pair.bytes().filter(|letter| ALPHABET.contains(letter)).count();
            assert!(both < 2, "{pair}");
        }
        assert_eq!(usize::from(FAIR) % ALPHABET.len(), 0);
    }

    #[test]
    fn a_batch_is_unique_and_out_of_reach_of_guesses() {
        let shape = Shape::new("", USUAL_RANDOM, 0).unwrap();
        let codes = shape.batch(20_000, |code| code.starts_with('3'), &mut bytes(7)).unwrap();
        assert_eq!(codes.iter().collect::<HashSet<_>>().len(), 20_000);
        assert!(codes.iter().all(|code| !code.starts_with('3')));
        assert_eq!(shape.check_count(MAX_BATCH), Ok(()));
        let short = Shape::new("", MIN_RANDOM, 0).unwrap();
        assert!(short.check_count(100).is_ok());
        assert_eq!(short.check_count(1_000).unwrap_err().path, ["length"]);
        assert_eq!(shape.check_count(MAX_BATCH + 1).unwrap_err().path, ["count"]);
        assert_eq!(shape.batch(1, |_| true, &mut bytes(7)).unwrap_err().code, ErrorCode::Taken);
        // A source that always says the same ends, too.
        assert!(shape.batch(2, |_| false, &mut || 0).is_err());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(10_000))]

        #[test]
        fn a_checked_code_stays_itself(text in "[ -~Ａ-Ｚ]{0,70}") {
            if let Ok(code) = check(&text) {
                prop_assert_eq!(normalize(&code), code.clone());
                prop_assert_eq!(check(&code.to_lowercase()), Ok(code));
            }
        }

        #[test]
        fn no_text_panics(text: String) {
            let _ = (normalize(&text), check(&text), Shape::new(&text, 8, 4));
        }

        #[test]
        fn every_made_code_is_valid(seed: u64, random in MIN_RANDOM..=MAX_RANDOM, group in 0..9_usize) {
            let Ok(shape) = Shape::new("a", random, group) else {
                prop_assert!(group == 1 && 2 * random + 1 > MAX_LENGTH);
                return Ok(());
            };
            let code = shape.make(&mut bytes(seed));
            prop_assert_eq!(check(&code), Ok(code.clone()));
        }
    }
}
