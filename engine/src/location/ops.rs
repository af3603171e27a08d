//! What staff change about locations.

use domain::auth::Permission;
use domain::refusal::{ErrorCode, Refusal, Refusals};
use domain::text::{CountryCode, Handle, title};
use entity::location;
use serde_json::json;

use super::repo;
use crate::actor::Need;
use crate::error::{Error, Result};
use crate::op::{Op, Tx};
use crate::version::check_version;

/// The most locations of a shop.
pub const MAX_LOCATIONS: usize = 250;

/// A location as staff want it; the handle says which one it is.
#[derive(Debug, Clone)]
pub struct SetLocation {
    /// Its handle; made from the name when absent.
    pub handle: Option<String>,
    /// The version that staff saw, when it is known.
    pub expected_version: Option<i32>,
    /// Its name.
    pub name: String,
    /// The country that it is in.
    pub country: Option<CountryCode>,
    /// The lower number is taken from first.
    pub priority: i32,
}

impl Op for SetLocation {
    const NAME: &'static str = "location.set";
    const NEEDS: Need = Need::Permission(Permission::SettingsWrite);
    type Out = location::Model;

    async fn run(&self, tx: &mut Tx) -> Result<location::Model> {
        let settings = tx.settings().await?;
        let mut refusals = Refusals::default();
        let name = refusals.keep(title(&self.name).map_err(|refusal| refusal.at(["name"])));
        let handle = refusals.keep(Handle::given_or_made(self.handle.as_deref(), &self.name));
        let known = match &handle {
            Some(handle) => repo::lock_handle(tx, handle).await?,
            None => None,
        };
        let reach = crate::scope::locations(tx.actor(), Permission::SettingsWrite);
        let within = known.as_ref().map_or(reach.is_everything(), |row| reach.holds(row.id));
        if !within {
            // Whether the handle is taken out of reach is not told.
            return Err(Error::Forbidden);
        }
        if known.is_none() && settings.locations.len() >= MAX_LOCATIONS {
            let message = format!("A shop has at most {MAX_LOCATIONS} locations.");
            refusals.push(Refusal::new(ErrorCode::TooMany, message).limit(MAX_LOCATIONS as i64));
        }
        refusals.into_result()?;
        let (Some(name), Some(handle)) = (name, handle) else { return Err(Error::internal("a refusal was lost")) };
        check_version(self.expected_version, known.as_ref().map_or(0, |row| row.version))?;
        let summary =
            |row: &location::Model| json!({ "name": row.name, "country": row.country, "priority": row.priority });
        let row = location::Model {
            id: known.as_ref().map_or_else(|| tx.id(), |row| row.id),
            version: known.as_ref().map_or(1, |row| row.version + 1),
            created_at: known.as_ref().map_or(tx.now(), |row| row.created_at),
            updated_at: tx.now(),
            deleted_at: None,
            handle,
            name,
            country: self.country.clone(),
            priority: self.priority,
        };
        let row = repo::save(tx, row, known.is_none()).await?;
        tx.audit(row.id, known.as_ref().map(summary), Some(summary(&row)));
        tx.touch_settings().await?;
        Ok(row)
    }
}
