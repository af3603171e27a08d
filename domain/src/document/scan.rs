//! One pass over the bytes of a document, before any parser sees it.
//!
//! It finds the tokens of the [grammar][lexical] and nothing more: whether they
//! make sense together is the parser's to say. A recursive parser can be sure
//! afterwards that brackets nest only so deep and that every text has an end.
//!
//! [lexical]: https://spec.graphql.org/September2025/#sec-Appendix-Grammar-Summary.Lexical-Tokens

use std::ops::Range;

use super::{Breach, Limits, Measure, within};

/// How deep brackets of any kind may nest. Twenty levels of fields with
/// filters as arguments take less than half of it.
pub const NESTING: u64 = 64;
/// The longest number, in characters: an integer has 19, an exact decimal 30.
pub const LONGEST_NUMBER: u64 = 64;
/// The longest name, in letters.
pub const LONGEST_NAME: u64 = 256;
/// So many bytes of one token take the parser as long as another token.
pub const BYTES_PER_TOKEN: u64 = 8;

/// What a pass found.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Scan {
    /// Tokens, and once more for every [`BYTES_PER_TOKEN`] bytes of each. A comment is one token however long.
    pub tokens: u64,
    /// The deepest nesting of brackets.
    pub nesting: u64,
    /// How often a byte was looked at to take it: the work that was done.
    pub steps: u64,
}

/// Goes once over a document.
///
/// # Errors
/// The first breach, where it is met: nothing behind it is looked at.
pub fn scan(text: &str, limits: &Limits) -> Result<Scan, Breach> {
    Ok(passed(text, limits)?.found)
}

/// The same; answers with the document without its comments when it has some.
/// What is left stands in the same place of the same line.
///
/// # Errors
/// As [`scan`].
pub fn without_comments(text: &str, limits: &Limits) -> Result<Option<String>, Breach> {
    let pass = passed(text, limits)?;
    if pass.comments.is_empty() {
        return Ok(None);
    }
    let (mut left, mut from) = (String::new(), 0);
    for comment in pass.comments {
        // Comments begin and end beside characters of ASCII or at the end.
        left.push_str(text.get(from..comment.start).unwrap_or_default());
        from = comment.end;
    }
    left.push_str(text.get(from..).unwrap_or_default());
    Ok(Some(left))
}

fn passed<'a>(text: &'a str, limits: &Limits) -> Result<Pass<'a>, Breach> {
    within(Measure::Bytes, text.len() as u64, limits.bytes)?;
    let mut pass = Pass { bytes: text.as_bytes(), at: 0, open: 0, found: Scan::default(), comments: Vec::new() };
    while let Some(byte) = pass.here() {
        pass.token(byte, limits)?;
    }
    Ok(pass)
}

struct Pass<'a> {
    bytes: &'a [u8],
    at: usize,
    open: u64,
    found: Scan,
    comments: Vec<Range<usize>>,
}

impl Pass<'_> {
    fn here(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn ahead(&self, text: &[u8]) -> bool {
        self.bytes.get(self.at..).is_some_and(|rest| rest.starts_with(text))
    }

    fn take(&mut self, count: usize) {
        self.at += count;
        self.found.steps += count as u64;
    }

    /// Takes bytes as long as they are of a kind; how many there were.
    fn take_while(&mut self, kind: impl Fn(u8) -> bool) -> u64 {
        let from = self.at;
        while self.here().is_some_and(&kind) {
            self.take(1);
        }
        (self.at - from) as u64
    }

    fn token(&mut self, byte: u8, limits: &Limits) -> Result<(), Breach> {
        let began = self.at;
        match byte {
            0 => return Err(Breach::Nul),
            b' ' | b'\t' | b'\n' | b'\r' | b',' => {
                self.take(1);
                return Ok(());
            }
            b'#' => {
                let from = self.at;
                self.take_while(|byte| !matches!(byte, b'\n' | b'\r' | 0));
                self.comments.push(from..self.at);
                return self.count(1, limits);
            }
            // The mark of UTF-8 is white space wherever it stands.
            0xEF if self.ahead(b"\xEF\xBB\xBF") => {
                self.take(3);
                return Ok(());
            }
            b'"' => self.text()?,
            b'0'..=b'9' | b'-' => {
                let length =
                    self.take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'+' | b'-' | b'_'));
                within(Measure::NumberLength, length, LONGEST_NUMBER)?;
            }
            b'_' | b'a'..=b'z' | b'A'..=b'Z' => {
                let length = self.take_while(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
                within(Measure::NameLength, length, LONGEST_NAME)?;
            }
            b'(' | b'[' | b'{' => {
                self.take(1);
                self.open += 1;
                within(Measure::Nesting, self.open, NESTING)?;
                self.found.nesting = self.found.nesting.max(self.open);
            }
            b')' | b']' | b'}' => {
                self.take(1);
                self.open = self.open.saturating_sub(1);
            }
            b'.' if self.ahead(b"...") => self.take(3),
            _ => self.take(1),
        }
        self.count(1 + (self.at - began) as u64 / BYTES_PER_TOKEN, limits)
    }

    fn count(&mut self, tokens: u64, limits: &Limits) -> Result<(), Breach> {
        self.found.tokens += tokens;
        within(Measure::Tokens, self.found.tokens, limits.tokens)
    }

    /// Takes a text up to the quotes that end it.
    fn text(&mut self) -> Result<(), Breach> {
        let from = self.at;
        let block = self.ahead(b"\"\"\"");
        self.take(if block { 3 } else { 1 });
        loop {
            match self.here() {
                None => return Err(Breach::Endless(from)),
                Some(0) => return Err(Breach::Nul),
                Some(b'"') if !block || self.ahead(b"\"\"\"") => break,
                Some(b'\n' | b'\r') if !block => return Err(Breach::Endless(from)),
                Some(b'\\') if !block && self.ahead(b"\\u0000") => return Err(Breach::Nul),
                // What is escaped ends nothing.
                Some(b'\\') if block && self.ahead(b"\\\"\"\"") => self.take(4),
                Some(b'\\') if !block && self.at + 1 < self.bytes.len() && !self.ahead(b"\\\0") => self.take(2),
                Some(_) => self.take(1),
            }
        }
        self.take(if block { 3 } else { 1 });
        Ok(())
    }
}
