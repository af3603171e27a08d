//! How far access goes: a role grants permissions, and whoever has the role
//! may be limited to some channels and some locations.
//!
//! Each dimension is asked by itself: whoever may write orders in two channels
//! by two roles with a location each may do so in both channels and at both
//! locations.

use crate::auth::Permission;
use crate::id::{ChannelId, LocationId};

/// The most channels, and the most locations, that one role of somebody is limited to.
pub const MAX_LIMITS: usize = 250;

/// What of one kind somebody gets at.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub enum Reach<T> {
    /// All there is and all that will come.
    #[default]
    Everything,
    /// These and nothing else; sorted, each once.
    Only(Vec<T>),
}

impl<T: Copy + Ord> Reach<T> {
    /// No limit when nothing is listed, otherwise what is listed.
    pub fn limited_to(ids: impl IntoIterator<Item = T>) -> Self {
        let only = Self::only(ids);
        if only == Self::nothing() { Self::Everything } else { only }
    }

    /// What is listed, though it be nothing.
    pub fn only(ids: impl IntoIterator<Item = T>) -> Self {
        let mut ids: Vec<T> = ids.into_iter().collect();
        ids.sort();
        ids.dedup();
        Self::Only(ids)
    }

    /// Not a thing.
    pub fn nothing() -> Self {
        Self::Only(Vec::new())
    }

    /// Whether there is no limit.
    pub fn is_everything(&self) -> bool {
        matches!(self, Self::Everything)
    }

    /// What it is limited to, if it is.
    pub fn limits(&self) -> Option<&[T]> {
        match self {
            Self::Everything => None,
            Self::Only(ids) => Some(ids),
        }
    }

    /// Whether this one is in reach.
    pub fn holds(&self, id: T) -> bool {
        self.limits().is_none_or(|ids| ids.binary_search(&id).is_ok())
    }

    /// Whether all of `other` is in reach.
    pub fn covers(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Everything, _) => true,
            (Self::Only(_), Self::Everything) => false,
            (Self::Only(_), Self::Only(ids)) => ids.iter().all(|id| self.holds(*id)),
        }
    }

    fn join(self, other: &Self) -> Self {
        match (self, other) {
            (Self::Only(ids), Self::Only(more)) => Self::only(ids.into_iter().chain(more.iter().copied())),
            _ => Self::Everything,
        }
    }
}

/// What one role gives to one holder.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Grant {
    /// What may be done.
    pub permissions: Vec<Permission>,
    /// In which channels.
    pub channels: Reach<ChannelId>,
    /// At which locations.
    pub locations: Reach<LocationId>,
}

/// All that somebody holds.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Grants(Vec<Grant>);

impl From<Vec<Grant>> for Grants {
    fn from(grants: Vec<Grant>) -> Self {
        Self(grants)
    }
}

impl Grants {
    /// These permissions without any limit.
    pub fn everywhere(permissions: &[Permission]) -> Self {
        Self(vec![Grant { permissions: permissions.to_vec(), ..Grant::default() }])
    }

    /// Each permission once.
    pub fn permissions(&self) -> Vec<Permission> {
        let mut all: Vec<Permission> = self.0.iter().flat_map(|grant| grant.permissions.iter().copied()).collect();
        all.sort();
        all.dedup();
        all
    }

    /// Whether this may be done at all.
    pub fn holds(&self, permission: Permission) -> bool {
        self.with(permission).next().is_some()
    }

    /// In which channels this may be done.
    pub fn channels(&self, permission: Permission) -> Reach<ChannelId> {
        self.with(permission).fold(Reach::nothing(), |reach, grant| reach.join(&grant.channels))
    }

    /// At which locations this may be done.
    pub fn locations(&self, permission: Permission) -> Reach<LocationId> {
        self.with(permission).fold(Reach::nothing(), |reach, grant| reach.join(&grant.locations))
    }

    /// Whether this may be done without any limit.
    pub fn everywhere_for(&self, permission: Permission) -> bool {
        self.channels(permission).is_everything() && self.locations(permission).is_everything()
    }

    /// These permissions as far as they are held here; what isn't held, without limit.
    pub fn as_far(&self, permissions: &[Permission]) -> Self {
        let grant = |permission: &Permission| match self.holds(*permission) {
            true => Grant {
                permissions: vec![*permission],
                channels: self.channels(*permission),
                locations: self.locations(*permission),
            },
            false => Grant { permissions: vec![*permission], ..Grant::default() },
        };
        Self(permissions.iter().map(grant).collect())
    }

    fn with(&self, permission: Permission) -> impl Iterator<Item = &Grant> {
        self.0.iter().filter(move |grant| grant.permissions.contains(&permission))
    }

    /// What of `wanted` goes beyond this, each permission once: what is not
    /// held at all, and what is held with closer limits. Nobody grants,
    /// changes or takes away what he does not hold himself.
    pub fn beyond(&self, wanted: &Self) -> Beyond {
        let mut beyond = Beyond::default();
        for permission in wanted.permissions() {
            if !self.holds(permission) {
                beyond.missing.push(permission);
            } else if !self.channels(permission).covers(&wanted.channels(permission))
                || !self.locations(permission).covers(&wanted.locations(permission))
            {
                beyond.limited.push(permission);
            }
        }
        beyond
    }
}

/// What goes beyond what somebody holds.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Beyond {
    /// Not held at all.
    pub missing: Vec<Permission>,
    /// Held, but not so far.
    pub limited: Vec<Permission>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use Permission::{CatalogWrite, OrdersRead, OrdersWrite};
    use uuid::Uuid;

    fn channel(number: u128) -> ChannelId {
        ChannelId(Uuid::from_u128(number))
    }

    fn location(number: u128) -> LocationId {
        LocationId(Uuid::from_u128(number))
    }

    fn grant(permissions: &[Permission], channels: &[u128], locations: &[u128]) -> Grant {
        Grant {
            permissions: permissions.to_vec(),
            channels: Reach::limited_to(channels.iter().map(|number| channel(*number))),
            locations: Reach::limited_to(locations.iter().map(|number| location(*number))),
        }
    }

    #[test]
    fn an_empty_list_limits_nothing() {
        assert_eq!(Reach::<ChannelId>::limited_to([]), Reach::Everything);
        assert!(!Reach::nothing().holds(channel(1)));
        let some = Reach::limited_to([channel(2), channel(1), channel(2)]);
        assert_eq!(some.limits(), Some([channel(1), channel(2)].as_slice()));
        assert!(some.holds(channel(2)) && !some.holds(channel(3)));
    }

    #[test]
    fn each_permission_reaches_as_far_as_the_roles_that_hold_it() {
        let grants = Grants::from(vec![
            grant(&[OrdersRead, OrdersWrite], &[1], &[]),
            grant(&[OrdersRead], &[2], &[7]),
            grant(&[CatalogWrite], &[], &[]),
        ]);
        assert_eq!(grants.channels(OrdersRead), Reach::only([channel(1), channel(2)]));
        assert_eq!(grants.channels(OrdersWrite), Reach::only([channel(1)]));
        assert_eq!(grants.locations(OrdersRead), Reach::Everything, "one of the roles has no limit");
        assert_eq!(grants.channels(Permission::PaymentsWrite), Reach::nothing());
        assert!(grants.everywhere_for(CatalogWrite) && !grants.everywhere_for(OrdersRead));
        assert_eq!(grants.permissions(), [CatalogWrite, OrdersRead, OrdersWrite]);
    }

    #[test]
    fn nobody_grants_beyond_what_he_holds_nor_beyond_his_limits() {
        let own = Grants::from(vec![grant(&[OrdersRead, OrdersWrite], &[1, 2], &[])]);
        let within = Grants::from(vec![grant(&[OrdersRead], &[2], &[7])]);
        assert_eq!(own.beyond(&within), Beyond::default());
        let wide = Grants::from(vec![grant(&[OrdersRead, CatalogWrite], &[], &[]), grant(&[OrdersWrite], &[3], &[])]);
        let beyond = own.beyond(&wide);
        assert_eq!((beyond.missing, beyond.limited), (vec![CatalogWrite], vec![OrdersRead, OrdersWrite]));
        assert_eq!(Grants::everywhere(Permission::ALL).beyond(&wide), Beyond::default());
    }
}
