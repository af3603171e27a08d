//! Whether whoever began to listen may still be who he was.

use std::sync::Arc;

use tokio::time::Instant;
use uuid::Uuid;

use super::repo;
use crate::actor::Actor;
use crate::app::App;
use crate::error::Result;
use crate::hub::Shared;

/// Somebody who listens for longer than a request. All who listen with one
/// credential share the looks at it.
#[derive(Debug)]
pub struct Standing {
    app: Arc<App>,
    actor: Actor,
    seen: Option<Arc<Shared<Option<Actor>>>>,
}

impl Standing {
    /// How somebody stands from now on.
    pub fn of(app: Arc<App>, actor: Actor) -> Self {
        let credential: Option<Uuid> = match &actor {
            Actor::Guest | Actor::System => None,
            Actor::Customer { session, .. } | Actor::Staff { session, .. } => Some((*session).into()),
            Actor::ApiKey { id, .. } => Some((*id).into()),
        };
        let seen = credential.map(|id| app.hub.shared(id, Uuid::nil(), || app.bus.watch(id)));
        Self { app, actor, seen }
    }

    /// Who it is.
    pub fn actor(&self) -> &Actor {
        &self.actor
    }

    /// Whether his session or his key has not been revoked and grants the
    /// same, by a look that was begun at `since` or later. A database that is
    /// away says nothing about anybody's rights.
    pub async fn is_unchanged(&self, since: Instant) -> bool {
        let Some(seen) = &self.seen else { return true };
        let seen = seen.read(|look| look.begun >= since, |_| self.look()).await;
        seen.map_or(true, |look| look.value.as_ref() == Some(&self.actor))
    }

    async fn look(&self) -> Result<Option<Actor>> {
        let (conn, now) = (self.app.read(), self.app.clock.now());
        match &self.actor {
            Actor::Guest | Actor::System => Ok(None),
            Actor::Customer { session, .. } => repo::find_customer_session(&conn, *session, now).await,
            Actor::Staff { session, .. } => repo::find_staff_session(&conn, *session, now).await,
            Actor::ApiKey { id, .. } => repo::find_api_key_by_id(&conn, *id).await,
        }
    }
}
