//! Which request something belongs to: one id, in the answer's header, in all
//! that is logged of the request, and in the errors that nobody expected.

use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use uuid::Builder;

/// The longest id that is taken from a client, in characters.
const MOST: usize = 64;

tokio::task_local! {
    static CURRENT: RequestId;
}

/// The id of a request, or of one operation of a socket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestId(Arc<str>);

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl RequestId {
    /// A new one.
    pub fn made() -> Self {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let millis = u64::try_from(now.as_millis()).unwrap_or_default();
        // It is no secret and shall only differ from all others: the system need not be asked for each.
        let mut bytes = [0; 10];
        bytes[..8].copy_from_slice(&RandomState::new().hash_one(millis).to_ne_bytes());
        bytes[8..].copy_from_slice(&RandomState::new().hash_one(millis).to_ne_bytes()[..2]);
        let id = Builder::from_unix_timestamp_millis(millis, &bytes).into_uuid();
        Self(id.to_string().into())
    }

    /// The one that a client, or a proxy before it, has given: up to 64 letters, digits, dots, dashes and underscores.
    pub fn given(text: &str) -> Option<Self> {
        let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
        ((1..=MOST).contains(&text.len()) && text.chars().all(fits)).then(|| Self(text.into()))
    }

    /// That of the operation of this number on a socket.
    #[must_use]
    pub fn of_operation(&self, number: u64) -> Self {
        Self(format!("{self}.{number}").into())
    }

    /// Does the work of this request.
    pub async fn scope<T>(&self, work: impl Future<Output = T>) -> T {
        CURRENT.scope(self.clone(), work).await
    }

    /// That of the request which is being worked on; a new one elsewhere.
    pub fn current() -> Self {
        CURRENT.try_with(Self::clone).unwrap_or_else(|_| Self::made())
    }
}
