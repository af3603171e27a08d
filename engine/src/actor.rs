//! Who is asking, and what that lets him do.

use std::fmt;
use std::net::IpAddr;

use domain::auth::Permission;
use domain::id::{ApiKeyId, ChannelId, CustomerId, SessionId, StaffId};
use domain::reach::Grants;

use crate::db::StatementCount;
use crate::error::{Error, Result};

/// Who is asking.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Actor {
    /// A shopper who has not signed in.
    Guest,
    /// A shopper with an account.
    Customer {
        /// The customer.
        id: CustomerId,
        /// The log-in.
        session: SessionId,
    },
    /// A person with admin access.
    Staff {
        /// The member of staff.
        id: StaffId,
        /// The log-in.
        session: SessionId,
        /// What his roles grant, and how far.
        grants: Grants,
    },
    /// An integration.
    ApiKey {
        /// The key.
        id: ApiKeyId,
        /// What its role grants, and how far.
        grants: Grants,
    },
    /// The shop itself: the command line, the sweeper, a resumed flow.
    System,
}

impl Actor {
    /// Whether he may do what needs `need`; `Err` says which refusal it is.
    pub fn check(&self, need: Need) -> Result<()> {
        let held = match (self, need) {
            (_, Need::Nothing) | (Self::System, _) => return Ok(()),
            (Self::Staff { .. } | Self::ApiKey { .. }, Need::Admin) => return Ok(()),
            (Self::Staff { grants, .. } | Self::ApiKey { grants, .. }, _) => grants,
            (Self::Guest, _) => return Err(Error::Unauthenticated),
            _ => return Err(Error::Forbidden),
        };
        match need {
            Need::Permission(permission) if held.holds(permission) => Ok(()),
            Need::Everywhere(permission) if held.everywhere_for(permission) => Ok(()),
            _ => Err(Error::Forbidden),
        }
    }

    /// What he holds, and so may grant.
    pub fn grants(&self) -> Grants {
        match self {
            Self::Staff { grants, .. } | Self::ApiKey { grants, .. } => grants.clone(),
            Self::System => Grants::everywhere(Permission::ALL),
            Self::Guest | Self::Customer { .. } => Grants::default(),
        }
    }

    /// Whether he may do this at all, in whatever channels and at whatever locations.
    pub fn holds(&self, permission: Permission) -> bool {
        self.check(Need::Permission(permission)).is_ok()
    }

    /// Whether he asks on the admin surface by right.
    pub fn is_admin(&self) -> bool {
        matches!(self, Self::Staff { .. } | Self::ApiKey { .. } | Self::System)
    }

    /// The customer, when he has signed in.
    pub fn customer(&self) -> Option<CustomerId> {
        match self {
            Self::Customer { id, .. } => Some(*id),
            _ => None,
        }
    }
}

impl Actor {
    /// What he is, for the log, which does not say who.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Guest => "guest",
            Self::Customer { .. } => "customer",
            Self::Staff { .. } => "staff",
            Self::ApiKey { .. } => "key",
            Self::System => "system",
        }
    }
}

impl fmt::Display for Actor {
    /// The name under which events, the audit log and idempotency keys know him.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Guest => f.write_str("guest"),
            Self::Customer { id, .. } => id.fmt(f),
            Self::Staff { id, .. } => id.fmt(f),
            Self::ApiKey { id, .. } => id.fmt(f),
            Self::System => f.write_str("system"),
        }
    }
}

/// What an op or an admin field needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// Anybody; the op itself checks whose the thing is.
    Nothing,
    /// Any admin credential.
    Admin,
    /// An admin credential that grants this.
    Permission(Permission),
    /// An admin credential that grants this without limit to channels or
    /// locations: for what is the whole shop's.
    Everywhere(Permission),
    /// The shop itself.
    System,
}

/// One caller with the count of his statements.
#[derive(Debug, Clone)]
pub struct Caller {
    /// Who it is.
    pub actor: Actor,
    /// Statements so far.
    pub statements: StatementCount,
    /// The channel in which he asks, when he asks in one.
    pub channel: Option<ChannelId>,
    /// From where he asks, when that is known: who guesses is slowed down there, not everywhere.
    pub from: Option<IpAddr>,
}

impl Caller {
    /// A caller who has not asked anything yet.
    pub fn new(actor: Actor) -> Self {
        Self { actor, statements: StatementCount::default(), channel: None, from: None }
    }

    /// The shop itself.
    pub fn system() -> Self {
        Self::new(Actor::System)
    }
}
