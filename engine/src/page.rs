//! Pages by keyset, with cursors that are bound to the sort and
//! the filter of the list they came from.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use domain::refusal::{ErrorCode, Refusal};
use sea_orm::sea_query::{Expr, ExprTrait, SimpleExpr};
use sea_orm::{Condition, Order, Value};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use uuid::Uuid;

/// The page size when none is asked for.
pub const DEFAULT_FIRST: i32 = 20;
/// The largest page of the store surface.
pub const STORE_MAX: i32 = 100;
/// The largest page of the admin surface.
pub const ADMIN_MAX: i32 = 250;
/// The largest number of rows that `offset` may skip.
pub const MAX_OFFSET: i32 = 10_000;

/// How a page is asked for.
#[derive(Debug, Default, Clone)]
pub struct PageArgs {
    /// So many from the front.
    pub first: Option<i32>,
    /// Behind this cursor.
    pub after: Option<String>,
    /// So many from the back.
    pub last: Option<i32>,
    /// Before this cursor.
    pub before: Option<String>,
    /// Skipping so many, on the admin surface.
    pub offset: Option<i32>,
}

/// A place in a list: the sort key of a row, and its id to break ties.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// The value by which the list is sorted.
    pub key: Key,
    /// The id of the row.
    pub id: Uuid,
}

/// A value by which a list may be sorted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Key {
    /// Text, compared by its bytes.
    Text(String),
    /// A number.
    Number(i64),
    /// A moment.
    Time(chrono::DateTime<chrono::Utc>),
}

impl From<Key> for Value {
    fn from(key: Key) -> Self {
        match key {
            Key::Text(text) => text.into(),
            Key::Number(number) => number.into(),
            Key::Time(time) => time.into(),
        }
    }
}

/// A page that may be fetched.
#[derive(Debug, Clone)]
pub struct Page {
    /// How many rows to show.
    pub size: u64,
    /// How many to skip.
    pub offset: u64,
    /// Where to begin, exclusive.
    pub from: Option<Place>,
    /// Whether to walk from the back.
    pub backward: bool,
    /// Whether the list itself runs downwards.
    pub descending: bool,
    fingerprint: [u8; 6],
}

/// The rows of a page with what connections say of them.
#[derive(Debug, Clone)]
pub struct Rows<T> {
    /// In the order of the list.
    pub rows: Vec<(T, Place)>,
    /// Whether there is more behind.
    pub has_next: bool,
    /// Whether there is more before.
    pub has_previous: bool,
    /// The number of all rows, when it was asked for.
    pub total: Option<i64>,
    page: Page,
}

impl<T> Rows<T> {
    /// The same page of what is made of each row.
    pub fn map<U>(self, make: impl Fn(T) -> U) -> Rows<U> {
        let Self { rows, has_next, has_previous, total, page } = self;
        let rows = rows.into_iter().map(|(row, place)| (make(row), place)).collect();
        Rows { rows, has_next, has_previous, total, page }
    }
}

#[derive(Serialize, Deserialize)]
struct Cursor(Place, [u8; 6]);

impl Page {
    /// Reads the arguments. `list` is anything that tells this sort and filter
    /// from others; cursors of another list are refused.
    pub fn read(args: PageArgs, max: i32, descending: bool, list: &impl std::fmt::Debug) -> Result<Self, Refusal> {
        let digest = Sha256::digest(format!("{list:?}"));
        let mut fingerprint = [0; 6];
        fingerprint.copy_from_slice(&digest[..6]);
        let size = |name: &str, asked: i32| match asked {
            0.. if asked <= max => Ok(asked as u64),
            _ => Err(Refusal::new(ErrorCode::Invalid, format!("{name} is between 0 and {max}."))
                .limit(max.into())
                .at([name.to_owned()])),
        };
        let backward = match (&args.first, &args.last) {
            (Some(_), Some(_)) => {
                return Err(Refusal::new(ErrorCode::Invalid, "Ask for first or for last, not for both.").at(["last"]));
            }
            (_, last) => last.is_some(),
        };
        let (cursor, name) = match (args.after, args.before) {
            (Some(_), Some(_)) => {
                return Err(
                    Refusal::new(ErrorCode::Invalid, "Ask for after or for before, not for both.").at(["before"])
                );
            }
            (Some(_), None) if backward => {
                return Err(Refusal::new(ErrorCode::Invalid, "after goes with first, before with last.").at(["after"]));
            }
            (None, Some(_)) if !backward => {
                return Err(Refusal::new(ErrorCode::Invalid, "after goes with first, before with last.").at(["before"]));
            }
            (Some(after), None) => (Some(after), "after"),
            (None, before) => (before, "before"),
        };
        let from = cursor.map(|text| read_cursor(&text, fingerprint, name)).transpose()?;
        let offset = match args.offset.unwrap_or(0) {
            offset @ 0..=MAX_OFFSET => offset as u64,
            _ => {
                let message = format!("offset is between 0 and {MAX_OFFSET}; use cursors to go further.");
                return Err(Refusal::new(ErrorCode::Invalid, message).limit(MAX_OFFSET.into()).at(["offset"]));
            }
        };
        let size = match (args.first, args.last) {
            (_, Some(last)) => size("last", last)?,
            (first, None) => size("first", first.unwrap_or(DEFAULT_FIRST))?,
        };
        Ok(Self { size, offset, from, backward, descending, fingerprint })
    }

    /// The direction in which the statement sorts.
    pub fn order(&self) -> Order {
        if self.descending == self.backward { Order::Asc } else { Order::Desc }
    }

    /// The condition that lets only rows behind the cursor through; `key` and
    /// `id` are what the statement sorts by.
    pub fn condition(&self, key: SimpleExpr, id: SimpleExpr) -> Condition {
        let Some(from) = &self.from else { return Condition::all() };
        let row = Expr::tuple([key, id]);
        let place = Expr::tuple([Expr::val(Value::from(from.key.clone())), Expr::val(from.id)]);
        Condition::all().add(match self.order() {
            Order::Asc => row.gt(place),
            _ => row.lt(place),
        })
    }

    /// How many rows to fetch: one more than shown tells whether there is more.
    pub fn limit(&self) -> u64 {
        self.size + 1
    }

    /// Makes the page out of what the statement gave.
    pub fn rows<T>(self, mut fetched: Vec<(T, Place)>, total: Option<i64>) -> Rows<T> {
        let more = fetched.len() as u64 > self.size;
        fetched.truncate(self.size as usize);
        if self.backward {
            fetched.reverse();
        }
        let behind = self.from.is_some() || self.offset > 0;
        let (has_previous, has_next) = if self.backward { (more, behind) } else { (behind, more) };
        Rows { rows: fetched, has_next, has_previous, total, page: self }
    }
}

fn read_cursor(text: &str, fingerprint: [u8; 6], name: &str) -> Result<Place, Refusal> {
    let decoded = BASE64_URL_SAFE_NO_PAD.decode(text).ok();
    let cursor: Option<Cursor> = decoded.and_then(|bytes| serde_json::from_slice(&bytes).ok());
    match cursor {
        None => Err(Refusal::new(ErrorCode::Invalid, "This is not a cursor.").at([name])),
        Some(Cursor(_, other)) if other != fingerprint => Err(Refusal::new(
            ErrorCode::CursorMismatch,
            "This cursor comes from a list with another sort or filter; start again without it.",
        )
        .at([name])),
        Some(Cursor(place, _)) => Ok(place),
    }
}

impl<T> Rows<T> {
    /// The cursor of a row of this page.
    pub fn cursor(&self, place: &Place) -> String {
        let cursor = serde_json::to_vec(&Cursor(place.clone(), self.page.fingerprint)).unwrap_or_default();
        BASE64_URL_SAFE_NO_PAD.encode(cursor)
    }
}
