//! Which roles somebody gets, and how far each of them reaches.

use domain::auth::{MAX_ROLES_EACH, OWNER};
use domain::id::{ChannelId, LocationId, RoleId};
use domain::reach::{Grant, Grants, MAX_LIMITS, Reach};
use domain::refusal::{ErrorCode, Refusal, Refusals};
use entity::role;
use serde_json::{Value, json};

use super::repo;
use crate::auth::repo::granted_by;
use crate::error::Result;
use crate::op::Tx;
use crate::settings::Settings;

/// A role that somebody has.
#[derive(Debug, Clone)]
pub struct HeldRole {
    /// The role.
    pub role: role::Model,
    /// In which channels.
    pub channels: Reach<ChannelId>,
    /// At which locations.
    pub locations: Reach<LocationId>,
}

impl HeldRole {
    /// What it gives.
    pub fn grant(&self) -> Grant {
        Grant {
            permissions: granted_by(&self.role),
            channels: self.channels.clone(),
            locations: self.locations.clone(),
        }
    }

    /// Whether it lets its holder do everything everywhere.
    pub fn is_owner(&self) -> bool {
        self.role.name == OWNER && self.channels.is_everything() && self.locations.is_everything()
    }

    /// For the audit log.
    pub fn summary(&self) -> Value {
        if self.channels.is_everything() && self.locations.is_everything() {
            return self.role.name.clone().into();
        }
        json!({ "role": self.role.name, "channels": words(&self.channels), "locations": words(&self.locations) })
    }
}

/// All that roles give together.
pub fn grants_of<'h>(held: impl IntoIterator<Item = &'h HeldRole>) -> Grants {
    held.into_iter().map(HeldRole::grant).collect::<Vec<_>>().into()
}

/// Limits as they are stored: the ids in text form, none for no limit.
pub fn words<T: Copy + Ord + std::fmt::Display>(reach: &Reach<T>) -> Value {
    reach.limits().unwrap_or_default().iter().map(T::to_string).collect::<Vec<_>>().into()
}

/// Limits out of what is stored. A word that this version doesn't know is
/// nothing that anybody reaches.
pub fn limits<T: Copy + Ord + std::str::FromStr>(stored: &Value) -> Reach<T> {
    let words = stored.as_array().map(Vec::as_slice).unwrap_or_default();
    if words.is_empty() {
        return Reach::Everything;
    }
    Reach::only(words.iter().filter_map(Value::as_str).filter_map(|word| word.parse().ok()))
}

/// A role that somebody shall have.
#[derive(Debug, Clone)]
pub struct RoleWish {
    /// Which one.
    pub role: RoleId,
    /// In which channels; in all when none is listed.
    pub channels: Vec<ChannelId>,
    /// At which locations; at all when none is listed.
    pub locations: Vec<LocationId>,
}

/// All roles that somebody shall have.
#[derive(Debug, Clone)]
pub struct RoleWishes {
    /// The input field that lists them: `roles`, or `roleIds` when it lists ids alone.
    pub field: &'static str,
    /// The roles.
    pub wishes: Vec<RoleWish>,
}

impl RoleWishes {
    fn role_at(&self, index: usize) -> Vec<String> {
        let mut path = vec![self.field.to_owned(), index.to_string()];
        if self.field == "roles" {
            path.push("roleId".to_owned());
        }
        path
    }

    /// The roles, when they are there; what is wrong with the wish otherwise.
    pub async fn check(&self, tx: &mut Tx, refusals: &mut Refusals) -> Result<Vec<HeldRole>> {
        if self.wishes.is_empty() {
            refusals.push(Refusal::new(ErrorCode::Required, "A member of staff has a role.").at([self.field]));
        }
        if self.wishes.len() > MAX_ROLES_EACH {
            let message = format!("A member of staff has at most {MAX_ROLES_EACH} roles.");
            refusals.push(Refusal::new(ErrorCode::TooMany, message).limit(MAX_ROLES_EACH as i64).at([self.field]));
            return Ok(Vec::new());
        }
        let settings = tx.settings().await?;
        let ids: Vec<RoleId> = self.wishes.iter().map(|wish| wish.role).collect();
        let found = repo::roles_by_ids(&tx.conn, &ids).await?;
        let mut held: Vec<HeldRole> = Vec::with_capacity(ids.len());
        for (index, wish) in self.wishes.iter().enumerate() {
            let Some(role) = found.iter().find(|role| role.id == wish.role) else {
                refusals.push(Refusal::new(ErrorCode::NotFound, "There is no such role.").at(self.role_at(index)));
                continue;
            };
            if held.iter().any(|known| known.role.id == role.id) {
                refusals
                    .push(Refusal::new(ErrorCode::Duplicate, "This role stands here twice.").at(self.role_at(index)));
                continue;
            }
            let path = [self.field.to_owned(), index.to_string()];
            let (channels, locations) = check_limits(&settings, &wish.channels, &wish.locations, &path, refusals);
            held.push(HeldRole { role: role.clone(), channels, locations });
        }
        Ok(held)
    }
}

/// Limits that are wished for, when all of them are there. `path` leads to the
/// input that holds the two lists.
pub fn check_limits(
    settings: &Settings,
    channels: &[ChannelId],
    locations: &[LocationId],
    path: &[String],
    refusals: &mut Refusals,
) -> (Reach<ChannelId>, Reach<LocationId>) {
    let at = |field: &str, index: usize| -> Vec<String> {
        path.iter().cloned().chain([field.to_owned(), index.to_string()]).collect()
    };
    for (field, count) in [("channelIds", channels.len()), ("locationIds", locations.len())] {
        if count > MAX_LIMITS {
            let message = format!("At most {MAX_LIMITS}.");
            let path = path.iter().cloned().chain([field.to_owned()]);
            refusals.push(Refusal::new(ErrorCode::TooMany, message).limit(MAX_LIMITS as i64).at(path));
            return Default::default();
        }
    }
    for (index, id) in channels.iter().enumerate() {
        if settings.channels.iter().all(|channel| channel.id != *id) {
            let refusal = Refusal::new(ErrorCode::NotFound, "There is no such channel.");
            refusals.push(refusal.at(at("channelIds", index)));
        }
    }
    for (index, id) in locations.iter().enumerate() {
        if settings.locations.iter().all(|location| location.id != *id) {
            let refusal = Refusal::new(ErrorCode::NotFound, "There is no such location.");
            refusals.push(refusal.at(at("locationIds", index)));
        }
    }
    (Reach::limited_to(channels.iter().copied()), Reach::limited_to(locations.iter().copied()))
}
