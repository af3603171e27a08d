//! What the templates of mail may say: variables, `if`, `for`, comparisons and
//! a few filters. The check runs before a template is kept, names the line,
//! and knows every variable.
//!
//! What could make a short template work for long or grow without end is not
//! part of it: no texts joined or repeated, no lists of its own, no variables
//! of its own, no functions, no other templates. A loop walks a list of the
//! order and nothing else, so what a template costs follows from its length.

use serde_json::Value;

/// The filters: what stands behind `|`.
pub const FILTERS: &[&str] = &["default", "first", "last", "length", "lower", "trim", "upper"];

/// What is wrong with a template, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The line, from 1.
    pub line: usize,
    /// What is wrong.
    pub message: String,
}

#[derive(Debug, Clone, PartialEq)]
enum Token {
    Word(String),
    Text,
    Number,
    Sign(&'static str),
}

/// A stretch of code between braces.
struct Code {
    statement: bool,
    tokens: Vec<(usize, Token)>,
}

/// The most code that a template holds, in stretches between braces.
const MAX_CODES: usize = 2_000;
/// Signs that an expression may hold, longer ones first.
const SIGNS: &[&str] = &["==", "!=", "<=", ">=", ".", "|", "(", ")", "<", ">"];
const WORDS: &[&str] = &["and", "or", "not", "in", "if", "else", "true", "false", "none", "True", "False", "None"];

/// Checks a template against a sample of what it may speak of, in which
/// nothing is missing: every list has an entry and every value is there.
pub fn check(source: &str, sample: &Value) -> Result<(), Vec<Fault>> {
    let codes = match split(source) {
        Ok(codes) => codes,
        Err(fault) => return Err(vec![fault]),
    };
    let mut checker = Checker { scopes: vec![(None, sample)], faults: Vec::new() };
    for code in &codes {
        checker.code(code);
    }
    if checker.faults.is_empty() { Ok(()) } else { Err(checker.faults) }
}

/// Every variable of a sample by its path; what an entry of a list has stands behind `[]`.
pub fn variables(sample: &Value) -> Vec<String> {
    fn walk(value: &Value, path: &str, found: &mut Vec<String>) {
        match value {
            Value::Object(fields) => {
                for (name, value) in fields {
                    let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                    walk(value, &path, found);
                }
            }
            Value::Array(entries) => match entries.first() {
                Some(first) => walk(first, &format!("{path}[]"), found),
                None => found.push(format!("{path}[]")),
            },
            _ => found.push(path.to_owned()),
        }
    }
    let mut found = Vec::new();
    walk(sample, "", &mut found);
    found
}

/// The code of a template; what stands outside braces is text.
fn split(source: &str) -> Result<Vec<Code>, Fault> {
    let mut codes = Vec::new();
    let (mut rest, mut line) = (source, 1);
    while let Some(at) = rest.find('{') {
        line += rest[..at].matches('\n').count();
        rest = &rest[at..];
        let (end, statement) = match rest.as_bytes().get(1) {
            Some(b'{') => ("}}", false),
            Some(b'%') => ("%}", true),
            Some(b'#') => {
                let length = rest.find("#}").ok_or_else(|| unclosed(line, "{#"))? + 2;
                line += rest[..length].matches('\n').count();
                rest = &rest[length..];
                continue;
            }
            _ => {
                rest = &rest[1..];
                continue;
            }
        };
        let begun = line;
        let inner = rest[2..].strip_prefix(['-', '+']).unwrap_or(&rest[2..]);
        let (tokens, length) = lex(inner, end, &mut line, begun)?;
        codes.push(Code { statement, tokens });
        if codes.len() > MAX_CODES {
            return Err(Fault { line, message: format!("There are more than {MAX_CODES} pairs of braces.") });
        }
        rest = &inner[length..];
    }
    Ok(codes)
}

fn unclosed(line: usize, sign: &str) -> Fault {
    Fault { line, message: format!("What begins with {sign} here has no end.") }
}

/// The tokens up to `end`, and how long that was.
fn lex(text: &str, end: &str, line: &mut usize, begun: usize) -> Result<(Vec<(usize, Token)>, usize), Fault> {
    let mut tokens = Vec::new();
    let mut at = 0;
    loop {
        let rest = &text[at..];
        let Some(c) = rest.chars().next() else {
            return Err(unclosed(begun, if end == "}}" { "{{" } else { "{%" }));
        };
        let closing = rest.strip_prefix(['-', '+']).unwrap_or(rest);
        if closing.starts_with(end) {
            return Ok((tokens, at + (rest.len() - closing.len()) + end.len()));
        }
        let length = match c {
            '\n' => {
                *line += 1;
                1
            }
            c if c.is_whitespace() => c.len_utf8(),
            '"' | '\'' => {
                let length = quoted(rest, c).ok_or_else(|| unclosed(*line, &c.to_string()))?;
                tokens.push((*line, Token::Text));
                *line += rest[..length].matches('\n').count();
                length
            }
            c if c.is_ascii_digit() => {
                tokens.push((*line, Token::Number));
                rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len())
            }
            c if c.is_ascii_alphabetic() || c == '_' => {
                let length = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len());
                tokens.push((*line, Token::Word(rest[..length].to_owned())));
                length
            }
            c => match SIGNS.iter().find(|sign| rest.starts_with(**sign)) {
                Some(sign) => {
                    tokens.push((*line, Token::Sign(sign)));
                    sign.len()
                }
                None => {
                    let message = format!("{c:?} can't stand in braces: there are variables, comparisons and filters.");
                    return Err(Fault { line: *line, message });
                }
            },
        };
        at += length;
    }
}

/// How long a quoted text is, with its quotes.
fn quoted(text: &str, quote: char) -> Option<usize> {
    let mut escaped = false;
    for (place, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            c if c == quote => return Some(place + 1),
            _ => {}
        }
    }
    None
}

/// What is known at a place: the sample, and the entries of the loops around it.
struct Checker<'s> {
    /// The name of a loop's entry with a sample of it; the first one has none and is the whole sample.
    scopes: Vec<(Option<String>, &'s Value)>,
    faults: Vec<Fault>,
}

impl<'s> Checker<'s> {
    fn fault(&mut self, line: usize, message: impl Into<String>) {
        self.faults.push(Fault { line, message: message.into() });
    }

    fn code(&mut self, code: &Code) {
        if !code.statement {
            return self.expression(&code.tokens);
        }
        let Some(((line, Token::Word(word)), rest)) = code.tokens.split_first() else { return };
        match word.as_str() {
            "if" | "elif" => self.expression(rest),
            "else" | "endif" if rest.is_empty() => {}
            "endfor" if rest.is_empty() => {
                if self.scopes.len() > 1 {
                    self.scopes.pop();
                }
            }
            "for" => self.begin_loop(*line, rest),
            "else" | "endif" | "endfor" => self.fault(*line, format!("Nothing can stand behind {word}.")),
            other => self.fault(*line, format!("There is no {other:?} here, only if and for.")),
        }
    }

    fn begin_loop(&mut self, line: usize, rest: &[(usize, Token)]) {
        let none = (None, self.scopes[0].1);
        let [(_, Token::Word(name)), (_, Token::Word(word)), list @ ..] = rest else {
            self.fault(line, "A loop is written for line in order.lines.");
            return self.scopes.push(none);
        };
        let chain = chain(list);
        let whole = chain.len() * 2 == list.len() + 1 && !chain.is_empty() && word == "in";
        if !whole || WORDS.contains(&name.as_str()) || name == "loop" {
            self.fault(line, "A loop is written for line in order.lines.");
            return self.scopes.push(none);
        }
        match self.resolve(&chain) {
            Ok(Value::Array(entries)) => {
                let entry = entries.first().unwrap_or(&Value::Null);
                self.scopes.push((Some(name.clone()), entry));
            }
            Ok(_) => {
                self.fault(line, format!("{} is no list.", chain.join(".")));
                self.scopes.push(none);
            }
            Err(message) => {
                self.fault(line, message);
                self.scopes.push(none);
            }
        }
    }

    fn expression(&mut self, tokens: &[(usize, Token)]) {
        if tokens.is_empty() {
            return;
        }
        let mut at = 0;
        while let Some((line, token)) = tokens.get(at) {
            at += match token {
                Token::Sign("|") => self.filter(*line, &tokens[at + 1..]),
                Token::Word(word) if WORDS.contains(&word.as_str()) => 1,
                Token::Word(word) => {
                    let chain = chain(&tokens[at..]);
                    let length = chain.len() * 2 - 1;
                    if tokens.get(at + length).is_some_and(|(_, next)| *next == Token::Sign("(")) {
                        self.fault(*line, format!("There is no function {word:?}."));
                    } else if let Err(message) = self.resolve(&chain) {
                        self.fault(*line, message);
                    }
                    length
                }
                Token::Sign(".") => {
                    self.fault(*line, "Nothing stands before this point.");
                    1
                }
                _ => 1,
            };
        }
    }

    /// Checks the name of a filter; answers with how many tokens it has, the `|` before it too.
    fn filter(&mut self, line: usize, rest: &[(usize, Token)]) -> usize {
        match rest.first() {
            Some((_, Token::Word(name))) if FILTERS.contains(&name.as_str()) => {}
            Some((_, Token::Word(name))) => {
                self.fault(line, format!("There is no filter {name:?}; there are {}.", FILTERS.join(", ")));
            }
            _ => {
                self.fault(line, "The name of a filter stands behind |.");
                return 1;
            }
        }
        2
    }

    fn resolve(&self, chain: &[&str]) -> Result<&'s Value, String> {
        let unknown = || format!("There is no variable {}.", chain.join("."));
        let (first, rest) = chain.split_first().ok_or_else(unknown)?;
        if *first == "loop" && self.scopes.iter().any(|(name, _)| name.is_some()) {
            return match rest {
                ["first" | "last" | "index" | "index0" | "length"] => Ok(&Value::Null),
                _ => Err(unknown()),
            };
        }
        let entry = self.scopes.iter().rev().find(|(name, _)| name.as_deref() == Some(*first));
        let start = match entry {
            Some((_, value)) => Some(*value),
            None => self.scopes[0].1.get(first),
        };
        let found = rest.iter().try_fold(start.ok_or_else(unknown)?, |value, step| value.as_object()?.get(*step));
        found.ok_or_else(unknown)
    }
}

/// The words of `a.b.c` at the front.
fn chain(tokens: &[(usize, Token)]) -> Vec<&str> {
    let mut words = Vec::new();
    let mut at = 0;
    while let Some((_, Token::Word(word))) = tokens.get(at) {
        words.push(word.as_str());
        match tokens.get(at + 1) {
            Some((_, Token::Sign("."))) if matches!(tokens.get(at + 2), Some((_, Token::Word(_)))) => at += 2,
            _ => break,
        }
    }
    words
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn faults(source: &str) -> Vec<String> {
        let sample = json!({ "shop": { "name": "S" }, "link": "l",
            "order": { "number": 1, "lines": [{ "title": "T", "options": [{ "name": "N" }] }], "hints": ["h"] } });
        let found = check(source, &sample).err().unwrap_or_default();
        found.into_iter().map(|fault| format!("{}: {}", fault.line, fault.message)).collect()
    }

    #[test]
    fn what_mails_need_is_there() {
        for source in [
            "",
            "No code { at all } }} %}",
            "{{ shop.name }}{# a note {{ nothing }} #}",
            "{% if link and not (order.number == 3 or order.number >= 9) %}{{ link }}{% else %}-{% endif %}",
            "{%- for line in order.lines -%}{{ loop.index }} {{ line.title | upper }}\n\
             {% for option in line.options %}{{ option.name }}{% endfor %}{%- endfor -%}",
            "{% for hint in order.hints %}{{ hint }}{% else %}{{ 'no }} hint' }}{% endfor %}",
            "{{ link | default('a \\' b') }}{{ order.lines | length }}",
            "{{ 'a' if link else 'b' }}{{ 'x' in order.hints }}",
        ] {
            assert_eq!(faults(source), Vec::<String>::new(), "{source}");
        }
    }

    #[test]
    fn unknown_variables_are_named_with_their_line() {
        assert_eq!(faults("a\n\n{{ order.nmber }}"), ["3: There is no variable order.nmber."]);
        assert_eq!(
            faults("{{ name }}\n{{ shop }}{{ shop.name.x }}"),
            ["1: There is no variable name.", "2: There is no variable shop.name.x.",]
        );
        let inside = "{% for line in order.lines %}\n{{ line.tilte }}{% endfor %}\n{{ line.title }}{{ loop.index }}";
        assert_eq!(
            faults(inside),
            [
                "2: There is no variable line.tilte.",
                "3: There is no variable line.title.",
                "3: There is no variable loop.index.",
            ]
        );
        assert_eq!(faults("{% for x in shop.name %}{% endfor %}"), ["1: shop.name is no list."]);
    }

    #[test]
    fn what_could_grow_or_reach_out_is_refused() {
        for source in [
            "{{ shop.name ~ shop.name }}",
            "{{ shop.name + 'x' }}",
            "{{ 'x' * 1000000 }}",
            "{{ [1] }}",
            "{{ {1: 2} }}",
            "{{ order['number'] }}",
            "{% for x in (order.lines, order.lines) %}{% endfor %}",
            "{% for x in order.lines recursive %}{{ loop(x) }}{% endfor %}",
            "{% for x in range(9) %}{% endfor %}",
            "{% for a, b in order.lines %}{% endfor %}",
            "{% set x = link %}",
            "{% include 'secret' %}",
            "{% extends 'x' %}",
            "{% macro m() %}{% endmacro %}",
            "{% raw %}{{ x }}{% endraw %}",
            "{% autoescape false %}{% endautoescape %}",
            "{% filter upper %}x{% endfilter %}",
            "{% with x = link %}{% endwith %}",
            "{{ link | safe }}",
            "{{ link | replace('a') }}",
            "{{ debug() }}",
            "{{ shop.name.upper() }}",
            "{{ self.x }}",
            "{{ link is defined }}",
            "{{ link",
            "{% if link",
            "{# note",
            "{{ 'open }}",
            "{{ link | }}",
            "{{ .x }}",
        ] {
            assert_ne!(faults(source), Vec::<String>::new(), "{source}");
        }
        assert_eq!(faults(&"{{ link }}".repeat(2_001)).len(), 1);
    }

    #[test]
    fn variables_are_listed_by_their_path() {
        let sample = json!({ "a": { "b": 1 }, "l": [{ "x": "y" }], "t": ["z"] });
        assert_eq!(variables(&sample), ["a.b", "l[].x", "t[]"]);
    }

    proptest::proptest! {
        #[test]
        fn no_text_panics(source: String) {
            let _ = faults(&source);
        }

        #[test]
        fn no_code_panics(source in "[{}%#a-z.|()'\"\\-+ \n]{0,40}") {
            let _ = faults(&source);
        }
    }
}
