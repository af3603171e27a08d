//! In which form a client sends its operation, and in which it takes the answer.

use axum::http::{HeaderMap, header};

/// The form of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Media {
    /// `application/json`: 200 to whatever is well-formed JSON, so that clients
    /// that know nothing of GraphQL's errors look into the body.
    Json,
    /// `application/graphql-response+json`: the status says whether the
    /// operation ran.
    GraphqlResponse,
}

impl Media {
    /// The value of `Content-Type`.
    pub fn content_type(self) -> &'static str {
        match self {
            Self::Json => "application/json; charset=utf-8",
            Self::GraphqlResponse => "application/graphql-response+json; charset=utf-8",
        }
    }

    /// The form that the client likes best; nothing when it takes neither. One
    /// that says nothing, or takes anything, gets plain JSON.
    pub fn of(headers: &HeaderMap) -> Option<Self> {
        let accepted: Vec<&str> = accepted(headers).collect();
        if accepted.is_empty() {
            return Some(Self::Json);
        }
        let json = quality(&accepted, "application/json");
        let response = quality(&accepted, "application/graphql-response+json");
        match (json, response) {
            (None, None) => None,
            // Only what is named is preferred: anything means plain JSON.
            (Some(json), Some(response)) if response > json || (response == json && response.1 == NAMED) => {
                Some(Self::GraphqlResponse)
            }
            (None, Some(_)) => Some(Self::GraphqlResponse),
            (Some(_), _) => Some(Self::Json),
        }
    }
}

/// How a client wants to be answered, by its `Accept`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wish {
    /// As one page of JSON.
    Page,
    /// As a stream of events.
    Events,
    /// As a page rather, but it takes a stream where there is more than one result to tell.
    Either,
}

impl Wish {
    /// What the headers say.
    pub fn of(headers: &HeaderMap) -> Self {
        // The weight of the kind that a client wants most; the first counts among equals.
        let (mut page, mut events) = (None, None);
        for (place, kind) in accepted(headers).enumerate() {
            let mut parts = kind.split(';').map(str::trim);
            let name = parts.next().unwrap_or_default().to_ascii_lowercase();
            let weight = parts.find_map(|part| part.strip_prefix("q=")?.parse::<f32>().ok()).unwrap_or(1.0);
            let wish = match name.as_str() {
                "text/event-stream" => &mut events,
                "*/*" | "application/*" | "application/json" | "application/graphql-response+json" => &mut page,
                _ => continue,
            };
            let known = wish.is_some_and(|(known, _)| known >= weight);
            if weight > 0.0 && !known {
                *wish = Some((weight, place));
            }
        }
        match (page, events) {
            (_, None) => Self::Page,
            (None, Some(_)) => Self::Events,
            (Some((page, first)), Some((events, second))) if page > events || (page == events && first < second) => {
                Self::Either
            }
            _ => Self::Events,
        }
    }
}

fn accepted(headers: &HeaderMap) -> impl Iterator<Item = &str> {
    let values = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).map(str::trim).filter(|range| !range.is_empty())
}

fn name_of(range: &str) -> &str {
    range.split(';').next().unwrap_or_default().trim()
}

/// A range that names the form itself.
const NAMED: u8 = 2;

/// How much a form is liked, in thousandths, by the range that fits it best;
/// nothing when it is not taken.
fn quality(accepted: &[&str], name: &str) -> Option<(u16, u8)> {
    let fitting = accepted.iter().filter_map(|range| {
        let fit = match name_of(range).to_ascii_lowercase().as_str() {
            "*/*" => 0,
            "application/*" => 1,
            own if own == name => NAMED,
            _ => return None,
        };
        let said = range.split(';').skip(1).filter_map(|part| part.trim().strip_prefix("q="));
        let quality = said.map(|text| text.trim().parse::<f32>().unwrap_or(1.0)).next().unwrap_or(1.0);
        Some(((quality.clamp(0.0, 1.0) * 1_000.0) as u16, fit))
    });
    fitting.max_by_key(|(_, fit)| *fit).filter(|(quality, _)| *quality > 0)
}

/// Whether a body says that it is JSON. A form or a plain text can be sent by
/// any page without asking; JSON can't.
pub fn is_json(headers: &HeaderMap) -> bool {
    let Some(kind) = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()) else { return false };
    let mut parts = kind.split(';').map(str::trim);
    let name = parts.next().unwrap_or_default();
    let readable = parts.filter_map(|part| part.split_once('=')).all(|(name, value)| {
        !name.trim().eq_ignore_ascii_case("charset") || value.trim().trim_matches('"').eq_ignore_ascii_case("utf-8")
    });
    name.eq_ignore_ascii_case("application/json") && readable
}
