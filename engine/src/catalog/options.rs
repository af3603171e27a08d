//! Options that products share: their names, order and looks.

use domain::auth::Permission;
use domain::catalog::{Swatch, made_title, option_handle};
use domain::id::{OptionId, OptionValueId, VariantId};
use domain::refusal::{ErrorCode, Refusal, Refusals};
use domain::text::{Handle, title};
use entity::{option, option_value, variant};
use serde_json::json;

use super::repo::{self, options as rows, write};
use crate::actor::Need;
use crate::error::{Error, Result};
use crate::event::Aggregate;
use crate::op::{Op, Tx};
use crate::version::{Change, check_version};

const WRITE: Need = Need::Permission(Permission::CatalogWrite);
/// Variants whose titles are made anew at once.
const TITLES: u64 = 500;

/// An option as staff set it up: a new one, or a known one under the same or
/// another name.
#[derive(Debug, Clone)]
pub struct SetOption {
    /// Which one; when absent, the one of this name, or a new one.
    pub id: Option<OptionId>,
    /// The version that staff saw.
    pub expected_version: Option<i32>,
    /// What shoppers read; needed without an id.
    pub name: Option<String>,
    /// Its place among the options of the shop.
    pub rank: Option<i32>,
}

fn named(name: &str) -> Result<(String, Handle), Refusal> {
    let at = |refusal: Refusal| refusal.at(["name"]);
    let name = title(name).map_err(at)?;
    let handle = option_handle(&name);
    let handle = handle.ok_or_else(|| at(Refusal::new(ErrorCode::Invalid, "This is no name.")))?;
    Ok((name, handle))
}

fn nameless() -> Refusal {
    Refusal::new(ErrorCode::Required, "Give an id or a name.").at(["name"])
}

fn apart(what: &str, other: impl std::fmt::Display) -> Refusal {
    let message = format!("Another {what} has this name already, and two can't be merged into one.");
    Refusal::new(ErrorCode::Taken, message).at(["name"]).about(other)
}

impl Op for SetOption {
    const NAME: &'static str = "option.set";
    const NEEDS: Need = WRITE;
    type Out = option::Model;

    async fn run(&self, tx: &mut Tx) -> Result<option::Model> {
        let named = self.name.as_deref().map(named).transpose()?;
        let of_name = match &named {
            Some((_, handle)) => rows::lock_handle(tx, handle).await?,
            None => None,
        };
        let before = match (self.id, &named) {
            (Some(id), _) => Some(rows::lock(tx, id).await?.ok_or_else(|| Error::not_found("option"))?),
            (None, Some(_)) => of_name.clone(),
            (None, None) => return Err(nameless().into()),
        };
        if let Some(before) = &before {
            check_version(self.expected_version, before.version)?;
            if let Some(other) = of_name.filter(|other| other.id != before.id) {
                return Err(apart("option", other.id).into());
            }
        }
        let mut row = match (&before, &named) {
            (Some(row), _) => row.clone(),
            (None, Some((name, handle))) => {
                let (id, created_at) = (tx.id(), tx.now());
                option::Model { id, created_at, handle: handle.clone(), name: name.clone(), version: 1, rank: 0 }
            }
            (None, None) => return Err(nameless().into()),
        };
        if let Some((name, handle)) = named {
            (row.name, row.handle) = (name, handle);
        }
        row.rank = self.rank.unwrap_or(row.rank);
        if before.as_ref() == Some(&row) {
            return Ok(row);
        }
        row.version += i32::from(before.is_some());
        let row = rows::save(tx, row, before.is_none()).await?;
        tx.emit(Aggregate::new("option", row.id), "option.set", json!({ "version": row.version }));
        let summary = |row: &option::Model| json!({ "name": row.name, "rank": row.rank });
        tx.audit(row.id, before.as_ref().map(summary), Some(summary(&row)));
        Ok(row)
    }
}

/// A value of an option as staff set it up.
#[derive(Debug, Clone)]
pub struct SetOptionValue {
    /// Which one; when absent, the one of this name, or a new one.
    pub id: Option<OptionValueId>,
    /// Of which option; needed without an id.
    pub option: Option<OptionId>,
    /// The version of the option that staff saw.
    pub expected_version: Option<i32>,
    /// What shoppers read.
    pub name: Option<String>,
    /// Its place among the values of its option.
    pub rank: Option<i32>,
    /// What it looks like.
    pub swatch: Change<Swatch>,
}

impl SetOptionValue {
    async fn locked(&self, tx: &Tx) -> Result<(option::Model, Option<option_value::Model>)> {
        let value = match self.id {
            Some(id) => {
                let found = rows::value(&tx.conn, id).await?;
                Some(found.ok_or_else(|| Error::not_found("option value"))?)
            }
            None => None,
        };
        let id = value.as_ref().map(|value| value.option_id).or(self.option);
        let Some(id) = id else {
            let message = "Give the id of the value, or the option and a name.";
            return Err(Refusal::new(ErrorCode::Required, message).at(["optionId"]).into());
        };
        let mut refusals = Refusals::default();
        if value.is_some() && self.option.is_some_and(|option| option != id) {
            refusals.push(Refusal::new(ErrorCode::Invalid, "The value is one of another option.").at(["optionId"]));
        }
        refusals.into_result()?;
        let missing = || Refusal::new(ErrorCode::NotFound, "There is no such option.").at(["optionId"]);
        let option = rows::lock(tx, id).await?.ok_or_else(missing)?;
        Ok((option, value))
    }
}

impl Op for SetOptionValue {
    const NAME: &'static str = "option_value.set";
    const NEEDS: Need = WRITE;
    type Out = (option::Model, option_value::Model);

    async fn run(&self, tx: &mut Tx) -> Result<Self::Out> {
        let (mut option, by_id) = self.locked(tx).await?;
        check_version(self.expected_version, option.version)?;
        let named = self.name.as_deref().map(named).transpose()?;
        let values = write::values_of(&tx.conn, &[option.id]).await?;
        let of_name = named.as_ref().and_then(|(_, handle)| values.iter().find(|value| value.handle == *handle));
        if let (Some(value), Some(other)) = (&by_id, of_name)
            && value.id != other.id
        {
            return Err(apart("value of the option", other.id).into());
        }
        let before = by_id.or_else(|| of_name.cloned());
        let mut row = match (&before, &named) {
            (Some(row), _) => row.clone(),
            (None, Some((name, handle))) => {
                let last = values.iter().map(|value| value.rank).max().unwrap_or(-1);
                write::new_value(tx.id(), option.id, handle.clone(), name.clone(), last.saturating_add(1))
            }
            (None, None) => return Err(nameless().into()),
        };
        if let Some((name, handle)) = named {
            (row.name, row.handle) = (name, handle);
        }
        row.rank = self.rank.unwrap_or(row.rank);
        if self.swatch != Change::Keep {
            (row.swatch_color, row.swatch_url) = match self.swatch.clone() {
                Change::To(Swatch::Color(color)) => (Some(color), None),
                Change::To(Swatch::Image(url)) => (None, Some(url)),
                Change::Clear | Change::Keep => (None, None),
            };
        }
        if before.as_ref() == Some(&row) {
            return Ok((option, row));
        }
        if let Some(before) = before.as_ref().filter(|before| before.name != row.name) {
            rename(tx, before, &row.name).await?;
        }
        let row = rows::save_value(tx, row, before.is_none()).await?;
        option.version += 1;
        let option = rows::save(tx, option, false).await?;
        let payload = json!({ "version": option.version, "value": row.id });
        tx.emit(Aggregate::new("option", option.id), "option.set", payload);
        let summary = |row: &option_value::Model| json!({ "name": row.name, "rank": row.rank, "color": row.swatch_color, "image": row.swatch_url });
        tx.audit(row.id, before.as_ref().map(summary), Some(summary(&row)));
        Ok((option, row))
    }
}

/// Titles that were made from the values are made again; titles of their own stay.
async fn rename(tx: &mut Tx, value: &option_value::Model, name: &str) -> Result<()> {
    let mut behind: Option<VariantId> = None;
    loop {
        let found = rows::variants_with(&tx.conn, value.id, behind, TITLES).await?;
        let ids: Vec<VariantId> = found.iter().map(|(row, _)| row.id).collect();
        let Some(last) = ids.last().copied() else { return Ok(()) };
        behind = Some(last);
        tx.find_anew(found.iter().map(|(row, _)| row.product_id));
        let chosen = repo::selected_of(&tx.conn, &ids).await?;
        let mut changed = Vec::new();
        for (row, product) in found {
            let of: Vec<_> = chosen.iter().filter(|(id, _)| *id == row.id).map(|(_, chosen)| chosen).collect();
            let product_title = product.map(|product| product.title).unwrap_or_default();
            if row.title != made_title(&product_title, of.iter().map(|chosen| chosen.value_name.as_str())) {
                continue;
            }
            let names =
                of.iter().map(|chosen| if chosen.value == value.id { name } else { chosen.value_name.as_str() });
            let title = made_title(&product_title, names);
            changed.push(variant::Model { title, version: row.version + 1, updated_at: tx.now(), ..row });
        }
        write::put_variants(tx, changed).await?;
        if (ids.len() as u64) < TITLES {
            return Ok(());
        }
    }
}
