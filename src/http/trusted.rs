//! Documents that the operator trusts: a build of the storefront writes them
//! down, the server reads them at its start, and requests name them by
//! [`documentId`][draft] instead of sending their text.
//!
//! [draft]: https://github.com/graphql/graphql-over-http/blob/main/spec/Appendix%20A%20--%20Persisted%20Documents.md

use std::any::TypeId;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_graphql::parser::types::ExecutableDocument;
use async_graphql::{Request, ServerError};
use clap::Args;
use domain::document::Limits;
use serde_json::Value;

use super::answer::coded;
use super::parameters::Named;
use super::persisted::sha256;
use super::{Door, Endpoint};
use crate::api::check::{Checks, Fault};

/// The longest id of a document, in bytes.
pub const LONGEST_ID: usize = 256;
/// What Apollo's manifests call their form.
const APOLLO: &str = "apollo-persisted-query-manifest";

/// Which documents are trusted, and what of the others.
#[derive(Debug, Clone, Default, Args)]
pub struct Trusting {
    /// Files of trusted documents, which requests name by `documentId`: a JSON object of ids and texts, as Relay and
    /// GraphQL Code Generator write it, or a manifest of Apollo's.
    #[arg(long, env = "EMPORION_TRUSTED_DOCUMENTS", value_name = "FILE", value_delimiter = ',')]
    pub trusted_documents: Vec<PathBuf>,
    /// On the store surface run trusted documents and nothing else.
    #[arg(long, env = "EMPORION_TRUSTED_ONLY", requires = "trusted_documents")]
    pub trusted_only: bool,
    /// What the files held when they were loaded.
    #[arg(skip)]
    manifest: Arc<Manifest>,
}

/// One trusted document. It is parsed once.
#[derive(Debug)]
struct Document {
    text: String,
    parsed: ExecutableDocument,
}

/// The trusted documents by their ids and hashes.
#[derive(Debug, Default)]
struct Manifest {
    documents: HashMap<String, Arc<Document>>,
    count: usize,
}

impl Trusting {
    /// Reads the files, and holds each document to the limits and to one of
    /// the schemas.
    ///
    /// # Errors
    /// The file, the id and what is wrong, in words for the operator.
    pub async fn load(&mut self, limits: &Limits) -> Result<(), String> {
        if self.trusted_documents.is_empty() {
            return match self.trusted_only {
                true => Err("--trusted-only needs --trusted-documents: nothing could be asked".to_owned()),
                false => Ok(()),
            };
        }
        let mut manifest = Manifest::default();
        let checks = Checks::default();
        for path in &self.trusted_documents {
            let wrong = |fault: String| format!("{}: {fault}", path.display());
            for (id, text) in read(path).map_err(wrong)? {
                let parsed = checks.check(&text, limits).await.map_err(|Fault { message, at }| {
                    let place = at.map(|at| format!(" (line {}, column {})", at.line, at.column)).unwrap_or_default();
                    wrong(format!("the trusted document {id:?} can't run: {message}{place}"))
                })?;
                manifest.add(id, Arc::new(Document { text, parsed })).map_err(wrong)?;
            }
        }
        tracing::info!(documents = manifest.count, only = self.trusted_only, "trusted documents are loaded");
        self.manifest = Arc::new(manifest);
        Ok(())
    }

    /// Files of documents, without anything said of others.
    pub fn in_files(trusted_documents: Vec<PathBuf>) -> Self {
        Self { trusted_documents, ..Self::default() }
    }

    /// How many documents are loaded.
    pub fn count(&self) -> usize {
        self.manifest.count
    }
}

/// Reads a file of documents.
fn read(path: &Path) -> Result<Vec<(String, String)>, String> {
    let text = std::fs::read_to_string(path).map_err(|error| format!("can't be read: {error}"))?;
    let file: Value = serde_json::from_str(&text).map_err(|error| format!("is no JSON: {error}"))?;
    let form = "is neither an object of ids and texts nor a manifest of Apollo's";
    let Value::Object(file) = file else { return Err(form.to_owned()) };
    let named = |id: &str, text: Option<&Value>| match text {
        _ if id.is_empty() || id.len() > LONGEST_ID => Err(format!("an id has 1 to {LONGEST_ID} bytes: {id:?}")),
        Some(Value::String(text)) => Ok((id.to_owned(), text.clone())),
        _ => Err(format!("the document {id:?} is no text")),
    };
    match file.get("format") {
        Some(Value::String(format)) if format == APOLLO => {
            let operations = file.get("operations").and_then(Value::as_array).ok_or("`operations` is no list")?;
            let one = |operation: &Value| {
                let id = operation.get("id").and_then(Value::as_str).ok_or("an operation has no `id`")?;
                named(id, operation.get("body"))
            };
            operations.iter().map(one).collect()
        }
        _ => file.iter().map(|(id, text)| named(id, Some(text))).collect(),
    }
}

impl Manifest {
    /// Adds a document under its id, and under its hash as the draft writes it.
    fn add(&mut self, id: String, document: Arc<Document>) -> Result<(), String> {
        self.count += 1;
        for id in [id, hash_id(&document.text)] {
            let known = self.documents.entry(id.clone()).or_insert_with(|| document.clone());
            if known.text != document.text {
                return Err(format!("the id {id:?} names two documents"));
            }
        }
        Ok(())
    }

    fn find(&self, id: &str) -> Option<&Arc<Document>> {
        self.documents.get(id)
    }
}

/// The id that the draft gives to a document by its hash.
fn hash_id(text: &str) -> String {
    format!("sha256:{}", sha256(text))
}

/// That a request's document was found; whether it is a trusted one.
struct Found(bool);

impl<S> Endpoint<S> {
    /// Puts in the document that a request names otherwise than by its text;
    /// whether it is a trusted one.
    ///
    /// # Errors
    /// When no document is known by this name.
    pub fn put_in(&self, request: &mut Request) -> Result<bool, Vec<ServerError>> {
        if let Some(Found(trusted)) = data(request) {
            return Ok(*trusted);
        }
        let only = self.trusts_only();
        let not_found = |id: &str| vec![coded(&format!("There is no trusted document {id:?}."), "DOCUMENT_NOT_FOUND")];
        let trusted = match data(request) {
            // What is sent and equals a trusted document to the byte is that document.
            None if only => match self.gate.edge.trusting.manifest.find(&hash_id(&request.query)) {
                Some(document) => {
                    run(request, &document.clone());
                    true
                }
                None => false,
            },
            None => false,
            Some(Named::Id(id)) => {
                let document = self.gate.edge.trusting.manifest.find(id).ok_or_else(|| not_found(id))?.clone();
                run(request, &document);
                true
            }
            Some(Named::Hash(hash)) => {
                // Apollo's clients name trusted documents like this, too.
                let (id, hash) = (hash.clone(), hash.to_ascii_lowercase());
                let documents = &self.gate.edge.trusting.manifest;
                match documents.find(&id).or_else(|| documents.find(&format!("sha256:{hash}"))) {
                    Some(document) if request.query.is_empty() || request.query == document.text => {
                        run(request, &document.clone());
                        true
                    }
                    None if only && request.query.is_empty() => return Err(not_found(&id)),
                    None if only => false,
                    _ => {
                        self.gate.persisted.put_in(request, &hash)?;
                        false
                    }
                }
            }
        };
        if !trusted && only && matches!(self.door, Door::Store) {
            return Err(vec![not_trusted()]);
        }
        request.data.insert(Found(trusted));
        Ok(trusted)
    }

    /// Knows a judged document by its hash from now on, when the request says it.
    pub fn persist(&self, request: &Request, trusted: bool) {
        if let Some(Named::Hash(hash)) = data(request)
            && !trusted
            && !self.trusts_only()
        {
            self.gate.persisted.keep(hash.to_ascii_lowercase(), &request.query);
        }
    }

    /// Whether shoppers run trusted documents and nothing else; staff run what they like.
    pub fn trusts_only(&self) -> bool {
        self.gate.edge.trusting.trusted_only && !matches!(self.door, Door::Admin)
    }
}

fn data<T: 'static>(request: &Request) -> Option<&T> {
    let held: &(dyn std::any::Any + Send + Sync) = request.data.get(&TypeId::of::<T>())?.as_ref();
    held.downcast_ref()
}

fn run(request: &mut Request, document: &Document) {
    request.query.clone_from(&document.text);
    request.set_parsed_query(document.parsed.clone());
}

/// The answer to any other document.
pub fn not_trusted() -> ServerError {
    coded("Only trusted documents run here: name one by `documentId`.", "DOCUMENT_NOT_TRUSTED")
}
