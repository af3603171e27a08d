//! Automatic persisted queries: a client sends the SHA-256 of a document, and
//! the document itself only when it is not known, as [Apollo's protocol][apq]
//! has it. Known documents are those that were asked last.
//!
//! [apq]: https://www.apollographql.com/docs/apollo-server/performance/apq

use std::fmt::Write;
use std::sync::{Arc, Mutex, PoisonError};

use async_graphql::{Request, ServerError};
use lru::LruCache;
use sha2::{Digest, Sha256};

use super::answer::coded;

/// How many bytes of documents are known at most.
const MOST_BYTES: usize = 16 * 1024 * 1024;

/// The error that asks for the document's text.
const NOT_FOUND: &str = "PERSISTED_QUERY_NOT_FOUND";

/// The documents that are known by their hash.
#[derive(Debug)]
pub struct Persisted {
    most: usize,
    known: Mutex<Known>,
}

#[derive(Debug)]
struct Known {
    texts: LruCache<String, Arc<str>>,
    bytes: usize,
}

impl Persisted {
    /// Nothing is known yet; at most `most` documents will be.
    pub fn new(most: usize) -> Self {
        Self { most, known: Mutex::new(Known { texts: LruCache::unbounded(), bytes: 0 }) }
    }

    /// Puts in the text of the document with this hash, or holds the text that
    /// the request brings to the hash.
    ///
    /// # Errors
    /// Errors that Apollo's clients know by their message and code: the text
    /// is asked for, or hashes are not taken.
    pub fn put_in(&self, request: &mut Request, hash: &str) -> Result<(), Vec<ServerError>> {
        if !request.query.is_empty() {
            return match sha256(&request.query) == hash {
                true => Ok(()),
                false => Err(vec![coded("The provided sha256Hash is not that of the document.", "INVALID")]),
            };
        }
        if self.most == 0 {
            return Err(vec![coded("PersistedQueryNotSupported", "PERSISTED_QUERY_NOT_SUPPORTED")]);
        }
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        match known.texts.get(hash) {
            Some(text) => {
                request.query = text.to_string();
                Ok(())
            }
            None => Err(vec![coded("PersistedQueryNotFound", NOT_FOUND)]),
        }
    }

    /// Knows a document from now on. Only what was judged comes here: what is
    /// refused shall take nobody's place.
    pub fn keep(&self, hash: String, text: &str) {
        if self.most == 0 {
            return;
        }
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.texts.contains(&hash) {
            return;
        }
        known.bytes += text.len();
        known.texts.put(hash, text.into());
        while known.texts.len() > self.most || known.bytes > MOST_BYTES {
            let Some((_, gone)) = known.texts.pop_lru() else { break };
            known.bytes -= gone.len();
        }
    }

    /// How many documents are known, and their bytes.
    pub fn known(&self) -> (usize, usize) {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        (known.texts.len(), known.bytes)
    }
}

/// The SHA-256 of a text in lower-case hexadecimal.
pub fn sha256(text: &str) -> String {
    Sha256::digest(text).iter().fold(String::with_capacity(64), |mut hash, byte| {
        let _ = write!(hash, "{byte:02x}");
        hash
    })
}

/// Whether errors ask for a document's text. It is no fault of the client's:
/// Apollo's clients for phones stop at any status but 200.
pub fn asks_for_text(errors: &[ServerError]) -> bool {
    let code = errors.first().and_then(|error| error.extensions.as_ref()?.get("code"));
    matches!(code, Some(async_graphql::Value::String(code)) if code == NOT_FOUND)
}
