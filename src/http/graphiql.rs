//! `/graphiql`: a page to try operations on, from the binary alone. It loads
//! nothing from elsewhere, and its policy lets it load nothing.
//!
//! Examples are files in `graphiql/examples/SURFACE/`. Their first line is a
//! title; `# variables {…}` gives variables, `# $name = EXAMPLE PATH` takes one
//! from the data that another example answers.

use axum::Router;
use axum::http::header;
use axum::response::IntoResponse;
use axum::routing::get;
use serde::Serialize;
use serde_json::{Map, Value, json};

/// What the page may load, and who may show it: itself, and nobody.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; base-uri 'none'; \
                      form-action 'none'; frame-ancestors 'none'";

macro_rules! examples {
    ($surface:literal: $($name:literal)*) => {
        ($surface, &[$(($name, include_str!(concat!("graphiql/examples/", $surface, "/", $name, ".graphql")))),*])
    };
}

/// The examples of each surface, in the order in which they are shown.
const EXAMPLES: [(&str, &[(&str, &str)]); 3] = [
    examples!("store": "listing" "product" "sale" "quote" "search" "categories" "cart" "cart-live" "availability-live"),
    examples!("admin": "log-in" "me" "orders" "orders-live" "stock" "price-lists" "channels"),
    examples!("unified": "both" "store"),
];

/// An operation to begin with.
#[derive(Debug, Clone, Serialize)]
pub struct Example {
    /// What its file is named.
    pub name: String,
    /// What it shows.
    pub title: String,
    /// The document.
    pub query: String,
    /// Variables that it brings.
    pub variables: Value,
    /// Variables that others answer.
    pub needs: Vec<Need>,
}

/// A variable that another example answers.
#[derive(Debug, Clone, Serialize)]
pub struct Need {
    /// Its name.
    pub variable: String,
    /// The other example, of the same surface.
    pub from: String,
    /// Where it stands in the answer's data, such as `cart.lines.0.id`.
    pub path: String,
}

impl Example {
    fn read(name: &str, text: &str) -> Self {
        let (comments, query): (Vec<&str>, Vec<&str>) = text.lines().partition(|line| line.starts_with("# "));
        let comments: Vec<&str> = comments.iter().map(|line| line.trim_start_matches("# ")).collect();
        let variables = comments.iter().find_map(|line| line.strip_prefix("variables "));
        let needs = comments.iter().filter_map(|line| {
            let (variable, from) = line.strip_prefix('$')?.split_once(" = ")?;
            let (from, path) = from.split_once(' ')?;
            Some(Need { variable: variable.to_owned(), from: from.to_owned(), path: path.to_owned() })
        });
        Self {
            name: name.to_owned(),
            title: comments.first().copied().unwrap_or(name).to_owned(),
            query: query.join("\n") + "\n",
            variables: variables.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_else(|| json!({})),
            needs: needs.collect(),
        }
    }
}

/// The examples of each surface.
pub fn examples() -> Vec<(&'static str, Vec<Example>)> {
    let read = |(surface, files): &(&'static str, &[(&str, &str)])| {
        (*surface, files.iter().map(|(name, text)| Example::read(name, text)).collect())
    };
    EXAMPLES.iter().map(read).collect()
}

/// The page and what it loads.
pub fn routes() -> Router {
    let by_surface: Map<String, Value> =
        examples().into_iter().map(|(surface, examples)| (surface.to_owned(), json!(examples))).collect();
    let examples = Value::Object(by_surface).to_string();
    let told = |kind: &'static str, text: String| {
        let headers = [
            (header::CONTENT_TYPE, kind),
            (header::CONTENT_SECURITY_POLICY, POLICY),
            (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
            (header::REFERRER_POLICY, "no-referrer"),
            (header::CACHE_CONTROL, "no-cache"),
        ];
        get(move || async move { (headers, text).into_response() })
    };
    Router::new()
        .route("/graphiql", told("text/html; charset=utf-8", include_str!("graphiql/page.html").to_owned()))
        .route("/graphiql/page.css", told("text/css; charset=utf-8", include_str!("graphiql/page.css").to_owned()))
        .route("/graphiql/page.js", told("text/javascript; charset=utf-8", include_str!("graphiql/page.js").to_owned()))
        .route("/graphiql/examples.json", told("application/json", examples))
}
