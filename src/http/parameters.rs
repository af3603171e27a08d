//! The parameters of an operation, as [GraphQL over HTTP][spec] names them: in
//! a JSON object, or in the query of an address.
//!
//! [spec]: https://graphql.github.io/graphql-over-http/draft/#sec-Request-Parameters

use async_graphql::Request;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::trusted::LONGEST_ID;

/// Reads an operation from an object. What is null is as good as left out.
///
/// # Errors
/// A parameter of the wrong kind, in a sentence for the developer.
pub fn of_object(object: Value) -> Result<Request, String> {
    let Value::Object(mut object) = object else { return Err("an operation is a JSON object".to_owned()) };
    object.retain(|_, value| !value.is_null());
    let fits = |name: &str, kind: fn(&Value) -> bool, word: &str| match object.get(name) {
        Some(value) if !kind(value) => Err(format!("`{name}` must be {word}")),
        _ => Ok(()),
    };
    fits("query", Value::is_string, "a string")?;
    fits("documentId", Value::is_string, "a string")?;
    fits("operationName", Value::is_string, "a string")?;
    fits("variables", Value::is_object, "an object")?;
    fits("extensions", Value::is_object, "an object")?;
    let named = Named::of(&object)?;
    if named.is_none() && !object.contains_key("query") {
        return Err("`query` is missing".to_owned());
    }
    let request: Request = serde_json::from_value(Value::Object(object)).map_err(|error| error.to_string())?;
    Ok(match named {
        Some(named) => request.data(named),
        None => request,
    })
}

/// The document of a request, when it is named otherwise than by its text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Named {
    /// By `documentId`.
    Id(String),
    /// By its SHA-256 in hexadecimal, or by the id that a manifest of Apollo's gives it.
    Hash(String),
}

impl Named {
    fn of(object: &Map<String, Value>) -> Result<Option<Self>, String> {
        let text = |value: Option<&Value>| value.and_then(Value::as_str).map(str::to_owned);
        let hash = |persisted: &Value| {
            let hash = text(persisted.get("sha256Hash")).filter(|_| persisted.get("version") == Some(&json!(1)));
            let hash = hash.filter(|hash| !hash.is_empty() && hash.len() <= LONGEST_ID);
            hash.ok_or("`extensions.persistedQuery` holds a `version`, which is 1, and a `sha256Hash`".to_owned())
        };
        match (text(object.get("documentId")), object.get("extensions").and_then(|all| all.get("persistedQuery"))) {
            (Some(_), _) if object.contains_key("query") => {
                Err("a document is named by `documentId` or sent as `query`, not both".to_owned())
            }
            (Some(id), _) => Ok(Some(Self::Id(id))),
            (None, None | Some(Value::Null)) => Ok(None),
            (None, Some(persisted)) => Ok(Some(Self::Hash(hash(persisted)?))),
        }
    }
}

/// Reads an operation from the body of a request.
///
/// # Errors
/// As [`of_object`], and for what is no JSON.
pub fn of_body(body: &[u8]) -> Result<Request, String> {
    of_object(serde_json::from_slice(body).map_err(|error| format!("the body is no JSON: {error}"))?)
}

/// An operation in the query of an address; objects are JSON there.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Address {
    query: Option<String>,
    document_id: Option<String>,
    variables: Option<String>,
    operation_name: Option<String>,
    extensions: Option<String>,
}

impl Address {
    /// Reads it. What is empty is as good as left out.
    ///
    /// # Errors
    /// As [`of_object`], and for what is no JSON.
    pub fn read(self) -> Result<Request, String> {
        let given = |text: Option<String>| text.filter(|text| !text.is_empty());
        let object = |name: &str, text: Option<String>| match given(text) {
            None => Ok(Value::Null),
            Some(text) => serde_json::from_str(&text).map_err(|_| format!("`{name}` must be a JSON object")),
        };
        of_object(json!({
            "query": given(self.query),
            "documentId": given(self.document_id),
            "operationName": given(self.operation_name),
            "variables": object("variables", self.variables)?,
            "extensions": object("extensions", self.extensions)?,
        }))
    }
}
