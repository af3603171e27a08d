//! From a template to what is sent. Templates are staff's, so they run with
//! bounds: a few filters, no other templates, no functions, so many steps, so
//! much output; an unknown variable is an error and not a blank.

use std::io;

use domain::notification::dialect::{self, Fault};
use domain::notification::{MAX_BODY, MAX_SUBJECT, NotificationTemplate, one_line};
use domain::refusal::{ErrorCode, Refusal};
use minijinja::value::{Serde, Value, ValueKind};
use minijinja::{AutoEscape, Environment, ErrorKind, UndefinedBehavior, escape_formatter};

use super::context::{Context, sample, sparse};
use crate::error::Result;

/// The steps that a template may take.
const FUEL: u64 = 200_000;
/// The most bytes that it may write.
const MAX_OUTPUT: usize = 512 * 1024;

/// The three parts of a mail: templates, or what became of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text {
    /// The subject.
    pub subject: String,
    /// The body as plain text.
    pub text: String,
    /// The body as HTML.
    pub html: String,
}

/// A fault and the part in which it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartFault {
    /// `subject`, `text` or `html`.
    pub part: &'static str,
    /// What is wrong, and in which line.
    pub fault: Fault,
}

impl std::fmt::Display for PartFault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}, line {}: {}", self.part, self.fault.line, self.fault.message)
    }
}

/// Writes no more than it may.
struct Bounded(Vec<u8>);

impl io::Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.0.len() + bytes.len() > MAX_OUTPUT {
            return Err(io::Error::other("too much output"));
        }
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn text_of(value: &Value) -> Result<&str, minijinja::Error> {
    value.as_str().ok_or_else(|| minijinja::Error::new(ErrorKind::InvalidOperation, "this filter is for texts"))
}

fn environment<'s>() -> Environment<'s> {
    let mut env = Environment::empty();
    env.set_undefined_behavior(UndefinedBehavior::Strict);
    env.set_fuel(Some(FUEL));
    env.set_auto_escape_callback(|part| if part == "html" { AutoEscape::Html } else { AutoEscape::None });
    env.set_formatter(|out, state, value| match value.kind() {
        ValueKind::None => Ok(()),
        ValueKind::Bool | ValueKind::Number | ValueKind::String | ValueKind::Undefined => {
            escape_formatter(out, state, value)
        }
        _ => Err(minijinja::Error::new(ErrorKind::InvalidOperation, "a list or an object can't be written")),
    });
    env.add_filter("upper", |value: Value| text_of(&value).map(str::to_uppercase));
    env.add_filter("lower", |value: Value| text_of(&value).map(str::to_lowercase));
    env.add_filter("trim", |value: Value| text_of(&value).map(|text| text.trim().to_owned()));
    env.add_filter("length", |value: Value| {
        value.len().ok_or_else(|| minijinja::Error::new(ErrorKind::InvalidOperation, "this has no length"))
    });
    env.add_filter(
        "default",
        |value: Value, other: Value| {
            if value.is_none() || value.is_undefined() { other } else { value }
        },
    );
    let end = |value: &Value, last: bool| -> Result<Value, minijinja::Error> {
        let mut entries = value.try_iter()?;
        let found = if last { entries.last() } else { entries.next() };
        Ok(found.unwrap_or_else(|| Value::from(())))
    };
    env.add_filter("first", move |value: Value| end(&value, false));
    env.add_filter("last", move |value: Value| end(&value, true));
    env
}

fn fault(part: &'static str, error: &minijinja::Error) -> PartFault {
    let message = match error.kind() {
        ErrorKind::OutOfFuel => "This takes too many steps.".to_owned(),
        ErrorKind::WriteFailure => format!("This writes more than {} KiB.", MAX_OUTPUT / 1024),
        kind => match error.detail() {
            Some(detail) => format!("{kind}: {detail}."),
            None => format!("{kind}."),
        },
    };
    PartFault { part, fault: Fault { line: error.line().unwrap_or(1), message } }
}

fn part(name: &'static str, source: &str, context: &Value) -> Result<String, PartFault> {
    let env = environment();
    let broken = |error: minijinja::Error| fault(name, &error);
    let template = env.template_from_named_str(name, source).map_err(broken)?;
    let mut output = Bounded(Vec::new());
    template.render_captured_to(context.clone(), &mut output).map_err(broken)?;
    Ok(String::from_utf8_lossy(&output.0).into_owned())
}

/// What a mail says, in a language.
pub fn render(text: &Text, context: &Context, locale: &str) -> Result<Text, PartFault> {
    let context = Value::from(Serde(context));
    Ok(Text {
        subject: one_line(&part("subject", &text.subject, &context)?),
        text: part("text", &text.text, &context)?,
        html: framed(part("html", &text.html, &context)?, locale),
    })
}

/// A whole page around a piece of HTML; what is a page already stays as it is.
fn framed(html: String, locale: &str) -> String {
    let start: String = html.trim_start().chars().take(9).collect::<String>().to_lowercase();
    if start == "<!doctype" || start.starts_with("<html") {
        return html;
    }
    format!(
        "<!doctype html>\n<html lang=\"{locale}\">\n<head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width\"></head>\n\
         <body style=\"margin:0;padding:24px;font:16px/1.5 sans-serif;color:#222\">\n\
         <div style=\"max-width:600px;margin:0 auto\">\n{html}\n</div>\n</body>\n</html>\n"
    )
}

/// Everything that is wrong with the templates of a kind of mail.
pub fn check(template: NotificationTemplate, text: &Text) -> Result<(), Vec<Refusal>> {
    let refusal = |fault: PartFault| {
        let message = format!("Line {}: {}", fault.fault.line, fault.fault.message);
        Refusal::new(ErrorCode::Invalid, message).at([fault.part])
    };
    let parts = [("subject", &text.subject), ("text", &text.text), ("html", &text.html)];
    let mut refusals = lengths(text);
    let full = sample(template);
    let known = serde_json::to_value(&full).unwrap_or_default();
    if refusals.is_empty() {
        for (part, source) in parts {
            let faults = dialect::check(source, &known).err().unwrap_or_default();
            refusals.extend(faults.into_iter().map(|fault| refusal(PartFault { part, fault })));
        }
    }
    // What is well written may still not work: with everything there, and with everything missing that may be.
    if refusals.is_empty() {
        let absent = " Not every such mail has it: ask for it with {% if … %} first.";
        for (context, hint) in [(&full, ""), (&sparse(template), absent)] {
            match render(text, context, "en") {
                Ok(sent) if sent.subject.is_empty() => {
                    refusals.push(Refusal::new(ErrorCode::Required, "A mail needs a subject.").at(["subject"]));
                }
                Ok(_) => {}
                Err(mut fault) => {
                    fault.fault.message.push_str(hint);
                    refusals.push(refusal(fault));
                }
            }
            if !refusals.is_empty() {
                break;
            }
        }
    }
    if refusals.is_empty() { Ok(()) } else { Err(refusals) }
}

fn lengths(text: &Text) -> Vec<Refusal> {
    let mut refusals = Vec::new();
    if text.subject.chars().count() > MAX_SUBJECT {
        let message = format!("A subject has at most {MAX_SUBJECT} characters.");
        refusals.push(Refusal::new(ErrorCode::Invalid, message).limit(MAX_SUBJECT as i64).at(["subject"]));
    }
    for (part, source) in [("text", &text.text), ("html", &text.html)] {
        if source.len() > MAX_BODY {
            let message = format!("A body has at most {MAX_BODY} bytes.");
            refusals.push(Refusal::new(ErrorCode::Invalid, message).limit(MAX_BODY as i64).at([part]));
        }
        if source.trim().is_empty() {
            refusals.push(Refusal::new(ErrorCode::Required, "A mail has both bodies.").at([part]));
        }
    }
    refusals
}
