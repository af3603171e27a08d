//! Opening a shop that is there already, for commands that write beside the server.

use std::sync::Arc;

use super::{Place, setup};
use engine::app::App;
use engine::db::DatabaseUrl;
use engine::error::{Error, Result};

/// Opens the shop at a place, with the channel and the location that every
/// shop has. Only `serve` and `migrate` make or change a schema: what is not
/// set up is refused with the remedy.
pub(super) async fn open_shop(place: &Place) -> Result<Arc<App>> {
    let app = open_furnished(place).await?;
    setup::furnish(&app).await?;
    Ok(app)
}

/// The same without making anything: for commands that find what `serve` set up.
pub(super) async fn open_furnished(place: &Place) -> Result<Arc<App>> {
    let url = place.database();
    let remedy = "run `emporion serve` or `emporion migrate up` first";
    if let DatabaseUrl::Sqlite(path) = &url
        && !path.exists()
    {
        // Opening it would make an empty file that looks like a shop.
        return Err(Error::internal(format!("there is no shop in {url}; {remedy}")));
    }
    let builder = App::builder(&url).await?.redis(place.redis_url.clone()).files(place.files());
    // What a server began with a test card, a worker beside it goes on with; it offers nothing to anybody.
    let builder = builder.mail(place.mail()?).secret(place.secret.clone()).stripe(place.stripe()?).test_cards(true);
    builder.open().await.map_err(|error| match error {
        Error::Database(error) => Error::internal(format!("the shop in {url} is not set up ({error}); {remedy}")),
        other => other,
    })
}
