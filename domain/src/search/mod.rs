//! What a search means: how text becomes words, which words are close to each
//! other, and how a shopper's words become what the index is asked.
//!
//! Both databases are given words that were folded here, so that they find the
//! same whatever their own rules about capitals, accents and languages are.

mod language;

use std::collections::BTreeSet;

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

pub use language::{Text, Translated, documents};

use crate::refusal::{ErrorCode, Refusal};

/// The longest query, in characters.
pub const MAX_QUERY: usize = 200;
/// The most words of a query.
pub const MAX_WORDS: usize = 10;
/// Longer words are cut here, in the index and in queries alike.
const MAX_WORD: usize = 64;
/// The most different words of one product's description that are indexed.
const MAX_BODY: usize = 3_000;
/// Only the front of a word decides which words may be close to it.
const FRONT: usize = 7;
/// The words that stand for one that nobody wrote, at most.
const MAX_CLOSE: usize = 5;
/// How many price ranges shoppers choose from.
const BUCKETS: i64 = 5;

/// Text in the form in which it is compared: lower case, without accents.
pub fn fold(text: &str) -> String {
    let lower = text.to_lowercase();
    let plain = lower.nfkd().filter(|c| !('\u{300}'..='\u{36f}').contains(c)).nfc();
    let mut folded = String::with_capacity(lower.len());
    // Compatibility forms may bring capitals back, as in the sign for a trademark.
    for c in plain.flat_map(char::to_lowercase) {
        match c {
            'ß' => folded.push_str("ss"),
            'æ' => folded.push_str("ae"),
            'œ' => folded.push_str("oe"),
            'þ' => folded.push_str("th"),
            'ø' => folded.push('o'),
            'đ' | 'ð' => folded.push('d'),
            'ł' => folded.push('l'),
            'ħ' => folded.push('h'),
            'ı' => folded.push('i'),
            'ς' => folded.push('σ'),
            '\u{300}'..='\u{36f}' => {}
            c => folded.push(c),
        }
    }
    folded
}

/// Whether this is a letter of a script that puts no blanks between words.
fn stands_alone(c: char) -> bool {
    matches!(c, '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}'
        | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3134f}')
}

/// The runs of letters and digits of a text, folded.
fn runs(text: &str) -> Vec<String> {
    let joined: String = fold(text).chars().filter(|c| !matches!(c, '\'' | '’' | '\u{ad}')).collect();
    let apart = |c: char| !c.is_alphanumeric() && !is_combining_mark(c);
    joined.split(apart).filter(|run| run.chars().any(char::is_alphanumeric)).map(str::to_owned).collect()
}

/// The words of a text in order, folded. Where a script puts no blanks between
/// words, each of its letters is one.
pub fn words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    for run in runs(text) {
        let mut word = String::new();
        for c in run.chars() {
            if stands_alone(c) {
                words.extend((!word.is_empty()).then(|| std::mem::take(&mut word)));
                words.push(c.to_string());
            } else if word.chars().count() < MAX_WORD {
                word.push(c);
            }
        }
        words.extend((!word.is_empty()).then_some(word));
    }
    words
}

/// The words under which a text is found: those of [`words`], and the German
/// spelling of vowels with two dots, since many can't type them.
fn findable(text: &str) -> BTreeSet<String> {
    let mut found: BTreeSet<String> = words(text).into_iter().collect();
    if text.contains(['ä', 'ö', 'ü', 'Ä', 'Ö', 'Ü']) {
        let spelled = text.to_lowercase().replace('ä', "ae").replace('ö', "oe").replace('ü', "ue");
        found.extend(words(&spelled));
    }
    found
}

/// What a product says about itself, part by part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// Its title.
    Title,
    /// Its variants' stock keeping units and barcodes.
    Code,
    /// Vendor, type, tags, option values, subtitle and handle.
    Keyword,
    /// Its description as HTML.
    Body,
}

/// The words of a product, each part sorted and joined by blanks.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Document {
    /// The words of the title.
    pub title: String,
    /// The codes of the variants.
    pub code: String,
    /// What groups it.
    pub keyword: String,
    /// The words of the description.
    pub body: String,
}

impl Document {
    /// The document of a product with these texts.
    pub fn new<'t>(texts: impl IntoIterator<Item = (Part, &'t str)>) -> Self {
        let mut parts: [BTreeSet<String>; 4] = Default::default();
        for (part, text) in texts {
            match part {
                Part::Title => parts[0].extend(findable(text)),
                Part::Code => {
                    parts[1].extend(findable(text));
                    // `TS-41` is found as `ts41` too.
                    parts[1].extend(words(&runs(text).concat()));
                }
                Part::Keyword => parts[2].extend(findable(text)),
                Part::Body => parts[3].extend(findable(&without_tags(text))),
            }
        }
        let [title, code, keyword, body] = parts;
        let join = |words: BTreeSet<String>| words.into_iter().take(MAX_BODY).collect::<Vec<_>>().join(" ");
        Self { title: join(title), code: join(code), keyword: join(keyword), body: join(body) }
    }

    /// The words that may stand for one that nobody wrote.
    pub fn vocabulary(&self) -> BTreeSet<&str> {
        let parts = [&self.title, &self.keyword, &self.body];
        parts.into_iter().flat_map(|part| part.split(' ')).filter(|word| correctable(word)).collect()
    }
}

/// The text of an HTML fragment, its entities left out.
fn without_tags(html: &str) -> String {
    let mut text = String::with_capacity(html.len());
    let mut rest = html;
    while let Some(start) = rest.find(['<', '&']) {
        text.push_str(&rest[..start]);
        let tail = &rest[start..];
        let end = match tail.starts_with('<') {
            // So does a less-than sign that begins no tag.
            true => tail[1..]
                .starts_with(|c: char| c.is_ascii_alphabetic() || matches!(c, '/' | '!'))
                .then(|| tail.find('>'))
                .flatten(),
            // An ampersand that begins no entity is itself.
            false => tail[1..]
                .find(|c: char| c != '#' && !c.is_ascii_alphanumeric())
                .and_then(|end| (end > 0 && tail[1 + end..].starts_with(';')).then_some(end + 1)),
        };
        text.push(' ');
        rest = match end {
            Some(end) => &tail[end + 1..],
            None => &tail[1..],
        };
    }
    text.push_str(rest);
    text
}

/// Whether a word may be a slip of another: not too short, and no code.
fn correctable(word: &str) -> bool {
    let length = word.chars().count();
    (3..=40).contains(&length) && !word.chars().any(|c| c.is_numeric() || stands_alone(c))
}

/// How many slips a word that somebody typed may hold.
pub fn slips(word: &str) -> usize {
    match word.chars().count() {
        _ if !correctable(word) => 0,
        0..=3 => 0,
        4..=7 => 1,
        _ => 2,
    }
}

/// What is left of the front of a word when up to `gone` letters are left out,
/// the front itself among it. Two words that are at most `gone` slips apart
/// have one of these in common, which trigrams don't promise: `mgus` and `mugs`
/// share one of nine.
fn left_over(word: &str, gone: usize) -> BTreeSet<String> {
    let front: String = word.chars().take(FRONT).collect();
    let mut all = BTreeSet::from([front]);
    let mut last = all.clone();
    for _ in 0..gone {
        let mut next = BTreeSet::new();
        for piece in &last {
            for (place, c) in piece.char_indices() {
                next.insert(format!("{}{}", &piece[..place], &piece[place + c.len_utf8()..]));
            }
        }
        all.extend(next.iter().cloned());
        last = next;
    }
    all
}

/// The pieces under which a word of the vocabulary is found by those who mistype it.
pub fn pieces(word: &str) -> BTreeSet<String> {
    // Two slips are forgiven from eight letters on, so the word meant has six or more.
    left_over(word, if word.chars().count() >= 6 { 2 } else { 1 })
}

/// The pieces by which words are looked up that a mistyped word may mean.
pub fn pieces_of_slip(word: &str) -> BTreeSet<String> {
    match slips(word) {
        0 => BTreeSet::new(),
        slips => left_over(word, slips),
    }
}

/// How many slips lie between two words: letters left out, added, mistaken,
/// or two neighbors swapped.
pub fn distance(one: &str, other: &str) -> usize {
    let one: Vec<char> = one.chars().collect();
    let other: Vec<char> = other.chars().collect();
    let mut rows: Vec<Vec<usize>> = vec![(0..=other.len()).collect()];
    for (i, a) in one.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, b) in other.iter().enumerate() {
            let mut least = (rows[i][j + 1] + 1).min(row[j] + 1).min(rows[i][j] + usize::from(a != b));
            if i > 0 && j > 0 && *a == other[j - 1] && one[i - 1] == *b {
                least = least.min(rows[i - 1][j - 1] + 1);
            }
            row.push(least);
        }
        rows.push(row);
    }
    rows[one.len()][other.len()]
}

/// The words closest to one that nobody wrote, out of words of the vocabulary
/// with the number of products that have them: fewest slips, then most products.
pub fn closest(word: &str, known: &[(String, i64)]) -> Vec<String> {
    let most = slips(word);
    let mut close: Vec<(usize, i64, &str)> = known
        .iter()
        .map(|(other, products)| (distance(word, other), -products, other.as_str()))
        .filter(|(slips, _, _)| (1..=most).contains(slips))
        .collect();
    close.sort_unstable();
    close.dedup();
    let fewest = close.first().map_or(0, |(slips, _, _)| *slips);
    let best = close.iter().take_while(|(slips, _, _)| *slips == fewest).take(MAX_CLOSE);
    best.map(|(_, _, word)| (*word).to_owned()).collect()
}

/// A word that must be found, in one of these forms.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Term {
    /// The word, or the words that stand for it.
    pub forms: Vec<String>,
    /// Whether it may go on: it is still being typed.
    pub open: bool,
}

/// What somebody asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query {
    /// The words in order; empty when the text holds none.
    pub words: Vec<String>,
    /// Whether nothing at all was asked: blanks ask for everything, signs without a word for nothing.
    pub blank: bool,
}

impl Query {
    /// Reads a text. Nothing in it has a meaning but its words.
    pub fn read(text: &str) -> Result<Self, Refusal> {
        if text.chars().count() > MAX_QUERY {
            let message = format!("A text to search for has at most {MAX_QUERY} characters.");
            return Err(Refusal::new(ErrorCode::Invalid, message).limit(MAX_QUERY as i64));
        }
        if runs(text).len() > MAX_WORDS {
            let message = format!("A text to search for has at most {MAX_WORDS} words.");
            return Err(Refusal::new(ErrorCode::TooMany, message).limit(MAX_WORDS as i64));
        }
        Ok(Self { words: words(text), blank: text.trim().is_empty() })
    }

    /// The terms as they were typed: the last word may go on.
    pub fn terms(&self) -> Vec<Term> {
        let last = self.words.len().saturating_sub(1);
        let term = |(place, word): (usize, &String)| Term { forms: vec![word.clone()], open: place == last };
        self.words.iter().enumerate().map(term).collect()
    }
}

/// The words and phrases out of titles that complete what is being typed: the
/// last word of `terms` completed, and with the word that follows it. Those of
/// most titles come first, then the shorter.
pub fn completions(terms: &[Term], titles: &[&str], most: usize) -> Vec<String> {
    let Some((last, before)) = terms.split_last() else { return Vec::new() };
    let head: Vec<&str> = before.iter().filter_map(|term| term.forms.first()).map(String::as_str).collect();
    let mut found: Vec<(String, String, usize)> = Vec::new();
    for title in titles {
        let shown: Vec<String> = title
            .split_whitespace()
            .map(|word| word.trim_matches(|c: char| !c.is_alphanumeric()).to_lowercase())
            .filter(|word| !word.is_empty())
            .collect();
        let mut own = BTreeSet::new();
        for (place, word) in shown.iter().enumerate() {
            let folded = fold(word);
            let goes_on = |form: &String| if last.open { folded.starts_with(form.as_str()) } else { folded == *form };
            if !last.forms.iter().any(goes_on) || head.iter().any(|known| *known == folded) {
                continue;
            }
            own.insert([&head[..], &[word.as_str()]].concat().join(" "));
            if let Some(next) = shown.get(place + 1)
                && !head.iter().any(|known| *known == fold(next))
            {
                own.insert([&head[..], &[word.as_str(), next.as_str()]].concat().join(" "));
            }
        }
        for phrase in own {
            let key = fold(&phrase);
            match found.iter_mut().find(|(known, _, _)| *known == key) {
                Some((_, _, count)) => *count += 1,
                None => found.push((key, phrase, 1)),
            }
        }
    }
    found.sort_by(|a, b| b.2.cmp(&a.2).then(a.0.chars().count().cmp(&b.0.chars().count())).then(a.0.cmp(&b.0)));
    found.into_iter().take(most).map(|(_, phrase, _)| phrase).collect()
}

/// The ranges of the same width between the lowest and the highest price, both
/// inclusive; the one in which a price lies is `(price - lowest) * 5 / (highest - lowest + 1)`.
pub fn price_ranges(lowest: i64, highest: i64) -> Vec<(i64, i64)> {
    let span = i128::from(highest) - i128::from(lowest) + 1;
    let start = |place: i64| {
        let whole = i128::from(place) * span;
        let up = whole.div_euclid(i128::from(BUCKETS)) + i128::from(whole.rem_euclid(i128::from(BUCKETS)) > 0);
        lowest.saturating_add(i64::try_from(up).unwrap_or(i64::MAX))
    };
    (0..BUCKETS).map(|place| (start(place), start(place + 1).saturating_sub(1))).collect()
}

#[cfg(test)]
mod tests;
