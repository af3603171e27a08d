//! What staff change about price lists.

use chrono::{DateTime, Utc};
use domain::auth::Permission;
use domain::id::PriceListId;
use domain::pricing::check::{MAX_PRICE_LISTS, check_list};
use domain::pricing::{PriceListKind, PriceListStatus};
use domain::refusal::{ErrorCode, Refusal, Refusals};
use domain::rule::Rules;
use domain::text::{Handle, title};
use entity::{price_list, price_list_history};
use serde_json::json;

use super::repo;
use crate::actor::Need;
use crate::error::{Error, Result};
use crate::event::Aggregate;
use crate::op::{Op, Tx};
use crate::version::check_version;

/// The longest note about a list, in characters.
const MAX_DESCRIPTION: usize = 1_000;

pub(super) fn no_list() -> Refusal {
    Refusal::new(ErrorCode::NotFound, "There is no such price list.").at(["priceListId"])
}

/// A price list as staff want it; the handle says which one it is.
#[derive(Debug, Clone)]
pub struct SetPriceList {
    /// Its handle; made from the name when absent.
    pub handle: Option<String>,
    /// The version that staff saw, when it is known.
    pub expected_version: Option<i32>,
    /// Its name.
    pub name: String,
    /// What staff note about it.
    pub description: Option<String>,
    /// What it does to other prices.
    pub kind: PriceListKind,
    /// Whether it may count.
    pub status: PriceListStatus,
    /// When it starts, inclusive.
    pub starts_at: Option<DateTime<Utc>>,
    /// When it ends, exclusive.
    pub ends_at: Option<DateTime<Utc>>,
    /// The highest of several counts.
    pub priority: i32,
    /// For whom it is.
    pub rules: Rules,
}

impl Op for SetPriceList {
    const NAME: &'static str = "price_list.set";
    const NEEDS: Need = Need::Everywhere(Permission::CatalogWrite);
    type Out = price_list::Model;

    async fn run(&self, tx: &mut Tx) -> Result<price_list::Model> {
        let settings = tx.settings().await?;
        let mut refusals = Refusals::default();
        let name = refusals.keep(title(&self.name).map_err(|refusal| refusal.at(["name"])));
        let handle = refusals.keep(Handle::given_or_made(self.handle.as_deref(), &self.name));
        let description = self.description.as_deref().map(str::trim).filter(|text| !text.is_empty());
        if description.is_some_and(|text| text.chars().count() > MAX_DESCRIPTION) {
            let message = format!("This is longer than {MAX_DESCRIPTION} characters.");
            refusals.push(Refusal::new(ErrorCode::Invalid, message).limit(MAX_DESCRIPTION as i64).at(["description"]));
        }
        let micros = |moment: Option<DateTime<Utc>>| moment.map(|moment| moment.timestamp_micros());
        refusals.extend(check_list(micros(self.starts_at), micros(self.ends_at), self.priority));
        let rules = match self.rules.clone().check_buyer(&["rules"]) {
            Ok(rules) => rules,
            Err(more) => {
                refusals.extend(more);
                Rules::default()
            }
        };
        let known = match &handle {
            Some(handle) => repo::lock_list_named(tx, handle).await?,
            None => None,
        };
        if known.is_none()
            && settings.price_lists.iter().filter(|row| row.deleted_at.is_none()).count() >= MAX_PRICE_LISTS
        {
            let message = format!("A shop has at most {MAX_PRICE_LISTS} price lists: delete one that is over.");
            refusals.push(Refusal::new(ErrorCode::TooMany, message).limit(MAX_PRICE_LISTS as i64));
        }
        refusals.keep(check_version(self.expected_version, known.as_ref().map_or(0, |row| row.version)));
        refusals.into_result()?;
        let (Some(name), Some(handle)) = (name, handle) else { return Err(Error::internal("a refusal was lost")) };
        let before = known.as_ref().map(summary);
        let changed = known.as_ref().is_none_or(|known| self.changes(known, &rules));
        if let Some(known) = known.as_ref().filter(|_| changed) {
            remember(tx, known).await?;
        }
        let row = price_list::Model {
            id: known.as_ref().map_or_else(|| tx.id(), |row| row.id),
            version: known.as_ref().map_or(1, |row| row.version + 1),
            created_at: known.as_ref().map_or(tx.now(), |row| row.created_at),
            updated_at: tx.now(),
            deleted_at: None,
            handle,
            name,
            description: description.map(str::to_owned),
            kind: self.kind,
            status: self.status,
            starts_at: self.starts_at,
            ends_at: self.ends_at,
            priority: self.priority,
            rules,
            // Listings follow it soon.
            shown_at: None,
            terms_at: known.as_ref().and_then(|row| row.terms_at).filter(|_| !changed).or(Some(tx.now())),
        };
        let row = repo::save_list(tx, row, known.is_none()).await?;
        tx.emit(Aggregate::new("price_list", row.id), "price_list.changed", json!({ "version": row.version }));
        tx.audit(row.id, before, Some(summary(&row)));
        tx.touch_settings().await?;
        Ok(row)
    }
}

impl SetPriceList {
    /// Whether its prices count for others or at other times than before.
    fn changes(&self, known: &price_list::Model, rules: &Rules) -> bool {
        (self.kind, self.status, self.priority) != (known.kind, known.status, known.priority)
            || (self.starts_at, self.ends_at, rules) != (known.starts_at, known.ends_at, &known.rules)
    }
}

/// Keeps what a list was that is about to be changed: what it made cheaper is
/// told beside reductions to come.
async fn remember(tx: &mut Tx, known: &price_list::Model) -> Result<()> {
    let from = [known.starts_at, known.terms_at, Some(known.created_at)].into_iter().flatten().max();
    let until = known.ends_at.map_or_else(|| tx.now(), |end| end.min(tx.now()));
    let Some(from_at) = from.filter(|from| known.status == PriceListStatus::Active && *from < until) else {
        return Ok(());
    };
    let (price_list_id, kind, priority, rules) = (known.id, known.kind, known.priority, known.rules.clone());
    let row = price_list_history::Model { price_list_id, kind, priority, rules, from_at, until_at: until };
    repo::remember_list(tx, row).await
}

fn summary(row: &price_list::Model) -> serde_json::Value {
    json!({
        "handle": row.handle, "name": row.name, "kind": row.kind, "status": row.status, "startsAt": row.starts_at,
        "endsAt": row.ends_at, "priority": row.priority, "rules": row.rules,
    })
}

/// Deletes a price list: none of its prices counts from now on.
#[derive(Debug, Clone, Copy)]
pub struct DeletePriceList {
    /// Which list.
    pub id: PriceListId,
    /// The version that staff saw, when it is known.
    pub expected_version: Option<i32>,
}

impl Op for DeletePriceList {
    const NAME: &'static str = "price_list.delete";
    const NEEDS: Need = Need::Everywhere(Permission::CatalogWrite);
    type Out = PriceListId;

    async fn run(&self, tx: &mut Tx) -> Result<PriceListId> {
        let row = repo::lock_list(tx, self.id).await?.ok_or_else(no_list)?;
        check_version(self.expected_version, row.version)?;
        let before = summary(&row);
        let (version, deleted_at) = (row.version + 1, Some(tx.now()));
        let row = price_list::Model { version, deleted_at, updated_at: tx.now(), shown_at: None, ..row };
        let row = repo::save_list(tx, row, false).await?;
        tx.emit(Aggregate::new("price_list", row.id), "price_list.deleted", json!({ "version": row.version }));
        tx.audit(row.id, Some(before), None);
        tx.touch_settings().await?;
        Ok(row.id)
    }
}
