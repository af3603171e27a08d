//! A document before it runs: which operation of it is meant, and whether it
//! is small enough to be read, checked and answered. Every transport asks
//! [`judge`], and nothing reaches the library that it has not let through.
//!
//! The library unfolds fragments where it validates, so its own limits come
//! too late: what it gets is bounded here, by the rules of [`domain::document`].
//!
//! | to change | edit |
//! |---|---|
//! | what is measured, and how | `domain/src/document/` |
//! | how long a list is taken to be | `table.rs` |
//! | which mutations check a secret | `table.rs` |
//! | which operation of a document is meant | `operation.rs` |
//! | which answers everybody gets alike | `public.rs` |

mod lower;
mod operation;
mod public;
mod table;

use async_graphql::indexmap::IndexMap;
use async_graphql::parser::parse_query;
use async_graphql::parser::types::{ExecutableDocument, OperationDefinition, OperationType};
use async_graphql::{Name, Positioned, Request, Response, ServerError, Value, Variables};
use domain::document::{Breach, Limits, Weight, scan, weigh, without_comments};

use super::variables::without_absent;

pub use public::{PERSONAL, PUBLIC};
pub use table::{AUTHENTICATING, Roots, stale};

/// The most errors that one answer tells of a document.
const MOST_ERRORS: usize = 50;
/// The largest number that JSON carries exactly.
const LARGEST: u64 = (1 << 53) - 1;

/// An operation that may run.
#[derive(Debug, Clone, Copy)]
pub struct Judged {
    /// Its kind.
    pub kind: OperationType,
    /// What it weighs.
    pub weight: Weight,
    /// Whether it asks for the schema.
    pub introspects: bool,
    /// Whether it is a query that everybody is answered alike who asks it without a credential.
    pub public: bool,
    /// Whether its document is one that the operator trusts.
    pub trusted: bool,
    /// What is left of the caller's budget, when he has one.
    pub left: Option<Left>,
    /// What it may cost.
    limit: u64,
    /// Whether the client wants to know the cost.
    asks_cost: bool,
}

/// What is left of a budget, for clients that want to know.
#[derive(Debug, Clone, Copy)]
pub struct Left {
    /// Whose budget it is.
    pub policy: &'static str,
    /// The points that are left.
    pub available: u64,
    /// The points of a full bucket.
    pub capacity: u32,
    /// The points that it gains in a second.
    pub per_second: u32,
}

/// Judges the operation that a request runs, without running anything.
///
/// # Errors
/// When the document passes a limit or can't be parsed, when it holds no such
/// operation, and when a subscription asks for more or less than one field.
pub fn judge(request: &mut Request, roots: Roots, limits: &Limits) -> Result<Judged, Vec<ServerError>> {
    // The parser takes longer over a comment than over anything else.
    if let Some(text) = without_comments(&request.query, limits).map_err(refused)? {
        request.set_parsed_query(parse_query(text).map_err(|error| unreadable(error.into()))?);
    }
    lower::variables(&request.variables, limits).map_err(refused)?;
    request.operation_name.take_if(|name| name.is_empty());
    // Not copied: they may be megabytes.
    let variables = std::mem::take(&mut request.variables);
    let judged = operation_of(request, &variables, roots, limits);
    request.variables = variables;
    let (judged, defaults) = judged?;
    // The library forgets them where `@skip` and `@include` ask.
    request.variables.extend(defaults);
    Ok(judged)
}

/// The values of variables that the client left out.
type Defaults = Vec<(Name, Value)>;

fn operation_of(
    request: &mut Request,
    variables: &Variables,
    roots: Roots,
    limits: &Limits,
) -> Result<(Judged, Defaults), Vec<ServerError>> {
    let asks_cost = matches!(request.extensions.get("cost"), Some(Value::Boolean(true)));
    let name = request.operation_name.clone();
    let document = request.parsed_query().map_err(unreadable)?;
    let operation = operation::chosen(document, name.as_deref())?;
    let mut judged = weighed(document, operation, variables, roots, limits)?;
    judged.asks_cost = asks_cost;
    // What is told of the cost is about whoever asks.
    judged.public &= !asks_cost;
    operation::needed_variables(operation, variables)?;
    let declared = operation.node.variable_definitions.iter().map(|declared| &declared.node);
    let absent = declared.filter(|declared| !variables.contains_key(&declared.name.node));
    let defaults =
        absent.filter_map(|declared| Some((declared.name.node.clone(), declared.default_value.as_ref()?.node.clone())));
    let defaults = defaults.collect();
    if let Some(without) = without_absent(document, variables) {
        request.set_parsed_query(without);
    }
    Ok((judged, defaults))
}

fn weighed(
    document: &ExecutableDocument,
    operation: &Positioned<OperationDefinition>,
    variables: &Variables,
    roots: Roots,
    limits: &Limits,
) -> Result<Judged, Vec<ServerError>> {
    let kind = operation.node.ty;
    let lowered = lower::document(document, operation, variables, roots, limits).map_err(refused)?;
    let weight = weigh(&lowered.document, limits).map_err(refused)?.weight;
    if kind == OperationType::Subscription {
        operation::one_root_field(document, operation)?;
    }
    let (introspects, public) = (lowered.introspects, lowered.public && kind == OperationType::Query);
    Ok(Judged { kind, weight, introspects, public, trusted: false, left: None, limit: limits.cost, asks_cost: false })
}

/// Parses a document and judges each of its operations, before anybody says
/// what its variables are.
///
/// # Errors
/// As [`judge`].
pub fn judge_all(text: &str, roots: Roots, limits: &Limits) -> Result<ExecutableDocument, Vec<ServerError>> {
    scan(text, limits).map_err(refused)?;
    let document = parse_query(text).map_err(|error| unreadable(error.into()))?;
    for (_, operation) in document.operations.iter() {
        weighed(&document, operation, &Variables::default(), roots, limits)?;
    }
    Ok(document)
}

impl Judged {
    /// The response as the client gets it: with the cost when it asked for it,
    /// and with no more errors than help.
    pub fn tell(&self, mut response: Response) -> Response {
        if was_not_run(&response) {
            response.errors.truncate(MOST_ERRORS);
            let errors = std::mem::take(&mut response.errors);
            response.errors = errors.into_iter().map(|error| coded(error, "DOCUMENT_INVALID")).collect();
        }
        if self.asks_cost {
            let figures = [("requested", self.weight.cost), ("limit", self.limit)];
            let mut cost: IndexMap<Name, Value> =
                figures.into_iter().map(|(name, figure)| (Name::new(name), Value::from(figure))).collect();
            if let Some(left) = self.left {
                cost.insert(Name::new("budget"), left.into());
            }
            response.extensions.insert("cost".to_owned(), Value::Object(cost));
        }
        response
    }

    /// Tells besides how often the database was asked, when the client wants to know the cost.
    pub fn count(&self, response: &mut Response, statements: u64) {
        if let Some(Value::Object(cost)) = response.extensions.get_mut("cost").filter(|_| self.asks_cost) {
            cost.insert(Name::new("statements"), statements.into());
        }
    }
}

impl From<Left> for Value {
    fn from(left: Left) -> Self {
        let told = [
            ("policy", Self::from(left.policy)),
            ("available", left.available.into()),
            ("capacity", left.capacity.into()),
            ("perSecond", left.per_second.into()),
        ];
        Self::Object(told.into_iter().map(|(name, value)| (Name::new(name), value)).collect())
    }
}

/// Whether a response tells that the document was refused: no error of it
/// belongs to a field.
pub fn was_not_run(response: &Response) -> bool {
    response.data == Value::Null && response.is_err() && response.errors.iter().all(|error| error.path.is_empty())
}

/// The error with a code, unless it has one.
fn coded(mut error: ServerError, code: &str) -> ServerError {
    let extensions = error.extensions.get_or_insert_default();
    if extensions.get("code").is_none() {
        extensions.set("code", code);
    }
    error
}

/// A parser's complaint without the picture of the document, which may be as
/// long as the document; the place is in `locations`.
fn unreadable(mut error: ServerError) -> Vec<ServerError> {
    if let Some((_, expected)) = error.message.rsplit_once("\n  = ") {
        error.message = format!("The document can't be parsed: {expected}.");
    }
    vec![coded(error, "DOCUMENT_INVALID")]
}

fn refused(breach: Breach) -> Vec<ServerError> {
    let mut error = coded(ServerError::new(breach.to_string(), None), breach.code());
    if let Breach::Over { measure, limit, found } = breach {
        let extensions = error.extensions.get_or_insert_default();
        extensions.set("measure", measure.as_str());
        extensions.set("limit", limit.min(LARGEST));
        extensions.set("found", found.min(LARGEST));
    }
    vec![error]
}
