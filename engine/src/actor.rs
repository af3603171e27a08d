//! Who is asking, and what that lets him do.

use std::fmt;
use std::net::IpAddr;

use domain::auth::Permission;
use domain::id::{ApiKeyId, CustomerId, SessionId, StaffId};

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
        /// What his roles grant.
        permissions: Vec<Permission>,
    },
    /// An integration.
    ApiKey {
        /// The key.
        id: ApiKeyId,
        /// What its role grants.
        permissions: Vec<Permission>,
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
            (Self::Staff { permissions, .. } | Self::ApiKey { permissions, .. }, Need::Permission(_)) => permissions,
            (Self::Guest, _) => return Err(Error::Unauthenticated),
            _ => return Err(Error::Forbidden),
        };
        match need {
            Need::Permission(permission) if held.contains(&permission) => Ok(()),
            _ => Err(Error::Forbidden),
        }
    }

    /// What he holds, and so may grant.
    pub fn permissions(&self) -> &[Permission] {
        match self {
            Self::Staff { permissions, .. } | Self::ApiKey { permissions, .. } => permissions,
            Self::System => Permission::ALL,
            Self::Guest | Self::Customer { .. } => &[],
        }
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
    /// From where he asks, when that is known: who guesses is slowed down there, not everywhere.
    pub from: Option<IpAddr>,
}

impl Caller {
    /// A caller who has not asked anything yet.
    pub fn new(actor: Actor) -> Self {
        Self { actor, statements: StatementCount::default(), from: None }
    }

    /// The shop itself.
    pub fn system() -> Self {
        Self::new(Actor::System)
    }
}
