//! `emporion check`: does the whole database agree with itself? Every rule names each broken row. It only reads, and
//! says what was true when it looked: what others write meanwhile may stand between two of its statements, so a shop
//! that is being served is looked at twice before it is called broken.
//!
//! | to change | edit |
//! |---|---|
//! | a rule that one statement can tell | [`rules`] |
//! | what becomes of money and goods of an order | [`orders`] |
//! | the prices of listings | [`listings`] |

mod listings;
mod orders;
pub mod repo;
pub mod rules;

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::app::App;
use crate::error::Result;

/// How many broken rows of one rule are named.
pub const MOST: usize = 100;

/// A row that breaks a rule.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Broken {
    /// What should be true, in words.
    pub rule: &'static str,
    /// Which row: its id, and where it has none of its own, the ids that it is about.
    pub row: String,
    /// What is there instead.
    pub found: String,
}

/// Looks the whole database over: nothing is broken, or every broken row is named, at most [`MOST`] of each rule.
///
/// # Errors
/// When the database can't be read.
pub async fn check(app: &Arc<App>) -> Result<Vec<Broken>> {
    let first = look(app).await?;
    if first.is_empty() {
        return Ok(first);
    }
    // What is broken stays broken; what somebody was writing does not.
    let still: BTreeSet<Broken> = look(app).await?.into_iter().collect();
    Ok(first.into_iter().filter(|broken| still.contains(broken)).collect())
}

async fn look(app: &Arc<App>) -> Result<Vec<Broken>> {
    let mut broken = Vec::new();
    for rule in rules::RULES {
        broken.extend(repo::broken(&app.read(), rule, app.clock.now()).await?);
    }
    broken.extend(orders::broken(app).await?);
    broken.extend(listings::broken(app).await?);
    Ok(broken)
}
