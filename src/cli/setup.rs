//! What a new shop gets without being asked.

use std::sync::Arc;

use domain::auth::OWNER;

use engine::actor::Caller;
use engine::app::App;
use engine::auth::ops::CreateStaff;
use engine::auth::{password, repo, token};
use engine::channel::ops::CreateChannel;
use engine::error::Result;
use engine::location::ops::SetLocation;
use engine::search::ops::index_if_missing;
use engine::staff::ops::MakeBuiltInRoles;
use engine::version::Change;

/// The e-mail of the first owner.
const OWNER_EMAIL: &str = "owner@localhost";

/// Makes what every shop needs to be used at all: a channel, a location, and the
/// search index of products that are older than it.
pub async fn furnish(app: &Arc<App>) -> Result<()> {
    let system = Caller::system();
    app.run(&system, &MakeBuiltInRoles).await?;
    if app.settings().channels.is_empty() {
        let channel = CreateChannel {
            name: "Default".to_owned(),
            handle: Some("default".to_owned()),
            ..CreateChannel::default()
        };
        app.run(&system, &channel).await?;
    }
    if app.settings().locations.is_empty() {
        let location = SetLocation {
            handle: Some("default".to_owned()),
            expected_version: None,
            name: "Default".to_owned(),
            country: None,
            priority: 0,
            pickup: None,
            address: Change::Keep,
        };
        app.run(&system, &location).await?;
    }
    index_if_missing(app).await
}

/// Makes the first owner. Answers with his e-mail and his password when he was
/// made now.
pub async fn first_owner(app: &Arc<App>) -> Result<Option<(String, String)>> {
    if repo::has_staff(&app.read()).await? {
        return Ok(None);
    }
    let secret = create_staff(app, OWNER_EMAIL, "Owner", OWNER).await?;
    Ok(Some((OWNER_EMAIL.to_owned(), secret)))
}

/// Makes a member of staff; answers with his password.
pub(super) async fn create_staff(app: &Arc<App>, email: &str, name: &str, role: &str) -> Result<String> {
    let secret = token::random_token("");
    let op = CreateStaff {
        email: email.to_owned(),
        name: name.to_owned(),
        role: role.to_owned(),
        secret_hash: password::hash(secret.clone()).await?,
    };
    app.run(&Caller::system(), &op).await?;
    Ok(secret)
}
