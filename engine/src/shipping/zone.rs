//! What staff change about the zones that shipping options go to.

use std::sync::Arc;

use domain::address::area::{Area, NewArea};
use domain::auth::Permission;
use domain::id::ServiceZoneId;
use domain::refusal::{ErrorCode, Refusal, Refusals};
use domain::text::{CountryCode, Handle, title};
use entity::service_zone;
use serde_json::json;

use super::repo;
use crate::actor::Need;
use crate::error::{Error, Result};
use crate::op::{Op, Tx};
use crate::settings::{ServiceZone, Settings};
use crate::version::check_version;

/// The most zones of a shop.
pub const MAX_SERVICE_ZONES: usize = 250;
/// The most areas of a zone.
pub const MAX_AREAS: usize = 250;

/// A zone as staff want it; the handle says which one it is.
#[derive(Debug, Clone)]
pub struct SetServiceZone {
    /// Its handle; made from the name when absent.
    pub handle: Option<String>,
    /// The version that staff saw, when it is known.
    pub expected_version: Option<i32>,
    /// Its name.
    pub name: String,
    /// Its areas: what is in one of them is in the zone.
    pub areas: Vec<NewArea>,
}

fn summary(row: &service_zone::Model, areas: &[Area]) -> serde_json::Value {
    json!({ "handle": row.handle, "name": row.name, "areas": areas })
}

/// Checks the areas of a zone; no two may say the same. Paths begin with `areas`.
fn check_areas(areas: &[NewArea]) -> Result<Vec<Area>, Vec<Refusal>> {
    let mut refusals = Refusals::default();
    if areas.is_empty() {
        refusals.push(Refusal::new(ErrorCode::Required, "A zone has at least one area.").at(["areas"]));
    }
    if areas.len() > MAX_AREAS {
        let message = format!("A zone has at most {MAX_AREAS} areas.");
        return Err(vec![Refusal::new(ErrorCode::TooMany, message).limit(MAX_AREAS as i64).at(["areas"])]);
    }
    let mut checked: Vec<(usize, Area)> = Vec::with_capacity(areas.len());
    for (place, area) in areas.iter().enumerate() {
        match area.clone().check(&["areas", &place.to_string()]) {
            Ok(area) => {
                if let Some((other, _)) = checked.iter().find(|(_, other)| other.overlaps(&area)) {
                    let message = format!("Area {other} holds a part of this one, or all of it.");
                    let refusal = Refusal::new(ErrorCode::Overlap, message);
                    refusals.push(refusal.at(["areas".to_owned(), place.to_string()]));
                }
                checked.push((place, area));
            }
            Err(refused) => refusals.extend(refused),
        }
    }
    refusals.into_result().map(|()| checked.into_iter().map(|(_, area)| area).collect())
}

/// Refuses one zone more than there may be.
fn too_many(settings: &Settings) -> Option<Refusal> {
    let message = format!("A shop has at most {MAX_SERVICE_ZONES} zones.");
    let refusal = Refusal::new(ErrorCode::TooMany, message).limit(MAX_SERVICE_ZONES as i64);
    (settings.service_zones.len() >= MAX_SERVICE_ZONES).then_some(refusal)
}

impl Op for SetServiceZone {
    const NAME: &'static str = "service_zone.set";
    const NEEDS: Need = Need::Everywhere(Permission::SettingsWrite);
    type Out = ServiceZone;

    async fn run(&self, tx: &mut Tx) -> Result<ServiceZone> {
        tx.touch_settings().await?;
        let settings = tx.settings().await?;
        let mut refusals = Refusals::default();
        let name = refusals.keep(title(&self.name).map_err(|refusal| refusal.at(["name"])));
        let handle = refusals.keep(Handle::given_or_made(self.handle.as_deref(), &self.name));
        let areas = check_areas(&self.areas).unwrap_or_else(|refused| {
            refusals.extend(refused);
            Vec::new()
        });
        let known = match &handle {
            Some(handle) => repo::lock_zone_handle(tx, handle).await?,
            None => None,
        };
        if known.is_none() {
            refusals.extend(too_many(&settings));
        }
        refusals.into_result()?;
        let (Some(name), Some(handle)) = (name, handle) else { return Err(Error::internal("a refusal was lost")) };
        check_version(self.expected_version, known.as_ref().map_or(0, |row| row.version))?;
        write(tx, &settings, known, handle, name, areas).await
    }
}

/// Writes a zone, new or known, with its areas; after the settings were touched.
async fn write(
    tx: &mut Tx,
    settings: &Settings,
    known: Option<service_zone::Model>,
    handle: Handle,
    name: String,
    areas: Vec<Area>,
) -> Result<ServiceZone> {
    let row = service_zone::Model {
        id: known.as_ref().map_or_else(|| tx.id(), |row| row.id),
        version: known.as_ref().map_or(1, |row| row.version + 1),
        created_at: known.as_ref().map_or(tx.now(), |row| row.created_at),
        updated_at: tx.now(),
        deleted_at: None,
        handle,
        name,
    };
    let row = repo::save_zone(tx, row, known.is_none()).await?;
    repo::replace_areas(tx, row.id, &areas).await?;
    let before = known.as_ref().map(|before| {
        let areas = settings.service_zone(before.id).map(|zone| zone.areas.clone());
        summary(before, &areas.unwrap_or_default())
    });
    tx.audit(row.id, before, Some(summary(&row, &areas)));
    Ok(ServiceZone { row, areas: Arc::new(areas) })
}

/// Makes the zone that an option has for itself the whole of some countries. What it is called is the option's.
pub(super) async fn write_own(
    tx: &mut Tx,
    settings: &Settings,
    known: Option<ServiceZoneId>,
    handle: &Handle,
    name: &str,
    countries: &[CountryCode],
) -> Result<ServiceZone> {
    let known = match known {
        Some(id) => repo::lock_zone(tx, id).await?,
        None => repo::lock_zone_handle(tx, handle).await?,
    };
    if known.is_none()
        && let Some(refusal) = too_many(settings)
    {
        return Err(refusal.into());
    }
    let mut countries = countries.to_vec();
    countries.sort();
    let areas = countries.into_iter().map(Area::of_country).collect();
    let (handle, name) = match &known {
        Some(row) => (row.handle.clone(), row.name.clone()),
        None => (handle.clone(), name.to_owned()),
    };
    write(tx, settings, known, handle, name, areas).await
}

/// Takes a zone away to which no option goes any more.
#[derive(Debug, Clone)]
pub struct DeleteServiceZone {
    /// Which one.
    pub id: ServiceZoneId,
    /// The version that staff saw.
    pub expected_version: Option<i32>,
}

impl Op for DeleteServiceZone {
    const NAME: &'static str = "service_zone.delete";
    const NEEDS: Need = Need::Everywhere(Permission::SettingsWrite);
    type Out = ServiceZoneId;

    async fn run(&self, tx: &mut Tx) -> Result<ServiceZoneId> {
        tx.touch_settings().await?;
        let settings = tx.settings().await?;
        let missing = || Refusal::new(ErrorCode::NotFound, "There is no such zone.").at(["id"]);
        let mut row = repo::lock_zone(tx, self.id).await?.ok_or_else(missing)?;
        check_version(self.expected_version, row.version)?;
        if let Some(option) = settings.shipping_options.iter().find(|option| option.row.service_zone_id == row.id) {
            let message = format!("The shipping option {:?} goes there.", option.row.handle.as_str());
            return Err(Refusal::new(ErrorCode::InUse, message).about(option.row.id).at(["id"]).into());
        }
        let areas = settings.service_zone(row.id).map(|zone| zone.areas.clone()).unwrap_or_default();
        tx.audit(row.id, Some(summary(&row, &areas)), None);
        repo::replace_areas(tx, row.id, &[]).await?;
        row.version += 1;
        row.updated_at = tx.now();
        row.deleted_at = Some(tx.now());
        Ok(repo::save_zone(tx, row, false).await?.id)
    }
}
