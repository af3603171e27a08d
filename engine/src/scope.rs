//! How far the caller gets: one function per dimension. What belongs to a
//! channel asks [`channels`], what belongs to a location asks [`locations`],
//! and what is the whole shop's needs [`crate::actor::Need::Everywhere`]. What
//! is out of reach is not there: lists leave it out, look-ups find nothing, and
//! a write that names it is refused like one that names nothing.

use domain::auth::Permission;
use domain::id::{ChannelId, LocationId};
use domain::reach::Reach;
use domain::refusal::{ErrorCode, Refusal};
use sea_orm::ColumnTrait;
use sea_orm::sea_query::SimpleExpr;
use uuid::Uuid;

use crate::actor::Actor;
use crate::db::{Conn, any};

/// The channels in which the caller may do this.
pub fn channels(actor: &Actor, permission: Permission) -> Reach<ChannelId> {
    match actor {
        Actor::System => Reach::Everything,
        Actor::Staff { grants, .. } | Actor::ApiKey { grants, .. } => grants.channels(permission),
        Actor::Guest | Actor::Customer { .. } => Reach::nothing(),
    }
}

/// The locations at which the caller may do this.
pub fn locations(actor: &Actor, permission: Permission) -> Reach<LocationId> {
    match actor {
        Actor::System => Reach::Everything,
        Actor::Staff { grants, .. } | Actor::ApiKey { grants, .. } => grants.locations(permission),
        Actor::Guest | Actor::Customer { .. } => Reach::nothing(),
    }
}

/// `column` is in reach, as a condition of a statement; none when there is no limit.
pub fn within<C, T>(conn: &Conn, column: C, reach: &Reach<T>) -> Option<SimpleExpr>
where
    C: ColumnTrait,
    T: Copy + Ord + Into<Uuid>,
{
    Some(any(conn, column, reach.limits()?.iter().copied()))
}

/// The refusal of a write that would also change what is out of reach.
pub fn out_of_scope(what: &str) -> Refusal {
    Refusal::new(ErrorCode::OutOfScope, format!("This also changes {what} that your roles don't reach."))
}
