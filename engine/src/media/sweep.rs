//! What goes when nobody names it any more: uploads whose time is over, and
//! files that no medium shows.
//!
//! A file is put aside first and looked up once more before it is removed, so
//! that whoever uploads the same bytes at this moment finds them or stores
//! them again.

use std::sync::Arc;

use chrono::TimeDelta;
use domain::id::StagedUploadId;
use futures_util::TryStreamExt;

use super::repo;
use crate::actor::{Caller, Need};
use crate::app::App;
use crate::error::Result;
use crate::op::{Op, Tx};

/// How long a file may lie there that nobody names.
const AGE: TimeDelta = TimeDelta::days(1);
/// How often files are looked through.
const EVERY: TimeDelta = TimeDelta::hours(1);
/// How many are looked at together.
const BATCH: usize = 200;

/// Looks for uploads whose time is over and, now and then, through the files.
pub async fn sweep(app: &Arc<App>) -> Result<()> {
    uploads(app).await?;
    if app.files.sweep_due(app.clock.now(), EVERY) {
        files(app).await?;
    }
    Ok(())
}

/// Forgets uploads whose time is over.
#[derive(Debug, Clone)]
struct ForgetExpired {
    ids: Vec<StagedUploadId>,
}

impl Op for ForgetExpired {
    const NAME: &'static str = "stagedUpload.expire";
    const NEEDS: Need = Need::System;
    type Out = ();

    async fn run(&self, tx: &mut Tx) -> Result<()> {
        repo::delete_expired(tx, &self.ids).await
    }
}

/// Forgets uploads whose time is over, and removes what came with them unless
/// a medium was made of it.
pub async fn uploads(app: &Arc<App>) -> Result<()> {
    let expired = repo::expired_uploads(&app.read(), app.clock.now(), BATCH as u64).await?;
    if expired.is_empty() {
        return Ok(());
    }
    let ids = expired.iter().map(|row| row.id).collect();
    app.run(&Caller::system(), &ForgetExpired { ids }).await?;
    for row in &expired {
        if row.taken_at.is_some() && row.file_hash.is_none() {
            app.files.discard(row.id).await?;
        }
    }
    let hashes: Vec<String> = expired.into_iter().filter_map(|row| row.file_hash).collect();
    remove_unnamed(app, hashes).await
}

/// Looks through all files; removes those that are older than a day and that
/// nobody names.
pub async fn files(app: &Arc<App>) -> Result<()> {
    let before = app.clock.now() - AGE;
    app.files.clear_incoming(before).await?;
    // What a crash left aside is decided again.
    decide(app, app.files.aside().await?).await?;
    let mut batch = Vec::new();
    let mut originals = app.files.originals()?;
    while let Some((hash, came)) = originals.try_next().await? {
        if came < before {
            batch.push(hash);
        }
        if batch.len() == BATCH {
            remove_unnamed(app, std::mem::take(&mut batch)).await?;
        }
    }
    remove_unnamed(app, batch).await
}

async fn remove_unnamed(app: &Arc<App>, hashes: Vec<String>) -> Result<()> {
    if hashes.is_empty() {
        return Ok(());
    }
    let named = repo::named_files(&app.read(), &hashes).await?;
    let unnamed: Vec<String> = hashes.into_iter().filter(|hash| !named.contains(hash)).collect();
    for hash in &unnamed {
        app.files.put_aside(hash).await?;
    }
    decide(app, unnamed).await
}

/// Removes what was put aside, unless somebody has named it meanwhile.
async fn decide(app: &Arc<App>, hashes: Vec<String>) -> Result<()> {
    for some in hashes.chunks(BATCH) {
        let named = repo::named_files(&app.read(), some).await?;
        for hash in some {
            if named.contains(hash) {
                app.files.put_back(hash).await?;
            } else {
                app.files.remove(hash).await?;
            }
        }
    }
    Ok(())
}
