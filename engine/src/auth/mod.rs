//! Who people are: passwords, sessions, tokens, API keys.
//!
//! An access token lives for minutes and names its session; the session is
//! looked up with every request, so that revoking it works at once. A refresh
//! token is used once: presenting an older one betrays theft and ends the
//! session. Each surface has its own audience; a token of one opens nothing on
//! the other.
//!
//! | to change | edit |
//! |---|---|
//! | what a role may hold | `domain::auth` |
//! | how long tokens live | [`token`] |
//! | how passwords are kept | [`password`] |
//! | what can be done with keys | [`keys`] |
//! | how mailed tokens work | [`one_time`] |
//! | how many tries a guesser has | [`attempt`] |
//! | what staff prove besides a password | [`factor`], `domain::totp` |
//! | how staff log in at an identity provider | [`oidc`] |
//! | when those who listen are cut off | [`standing`] |
//! | how secrets that are read again are kept | [`vault`] |

pub mod attempt;
pub mod factor;
pub mod keys;
pub mod oidc;
pub mod one_time;
pub mod ops;
pub mod password;
pub mod repo;
pub mod standing;
pub mod token;
pub mod vault;

use domain::auth::Surface;

use crate::actor::Actor;
use crate::app::App;
use crate::db::StatementCount;
use crate::error::{Error, Result};

/// What begins a secret API key.
pub const API_KEY_PREFIX: &str = "emp_sk_";

/// Finds out who presents a credential on a surface. `credential` is what
/// follows `Bearer`.
pub async fn authenticate(
    app: &App,
    surface: Surface,
    credential: Option<&str>,
    count: &StatementCount,
) -> Result<Actor> {
    let Some(credential) = credential else { return Ok(Actor::Guest) };
    let conn = app.db.read(count);
    let now = app.clock.now();
    if credential.starts_with(API_KEY_PREFIX) {
        if surface != Surface::Admin {
            return Err(Error::Unauthenticated);
        }
        let key = repo::find_api_key(&conn, &token::hash(credential)).await?;
        let (key, grants) = key.ok_or(Error::Unauthenticated)?;
        keys::note_use(app, &key, now).await;
        return Ok(Actor::ApiKey { id: key.id, grants });
    }
    let session = app.keys.read_access(surface, credential, now).ok_or(Error::Unauthenticated)?;
    let actor = match surface {
        Surface::Admin => repo::find_staff_session(&conn, session, now).await?,
        Surface::Store => repo::find_customer_session(&conn, session, now).await?,
    };
    actor.ok_or(Error::Unauthenticated)
}
