//! Media: pictures, films and files that products show. What the shop stores
//! itself comes in by a staged upload; what lies elsewhere is only named and
//! never fetched.
//!
//! An upload has three steps. Staff ask for a permission and get an address
//! with a token; the file is sent there once, is looked at and stored under
//! the hash of its bytes ([`receive`]); a medium is made of it ([`ops`]).
//!
//! | to change | edit |
//! |---|---|
//! | which files are taken, and which sizes are drawn | `domain::media` |
//! | where files lie | [`files`] |
//! | how a picture is opened, cut and written | [`picture`] |
//! | what goes when nobody names it any more | [`sweep`] |
//! | who gets what over HTTP | `src/media/http.rs` |

pub mod files;
pub mod ops;
pub mod picture;
pub mod receive;
pub mod repo;
pub mod sweep;

use chrono::{DateTime, Utc};
use domain::catalog::MediaKind;
use domain::id::MediaId;
use domain::media::{FileType, FocalPoint, MediaFit, Plan, Transform, plan};
use entity::media;

use crate::app::App;
use crate::error::{Error, Result};

/// A medium that lies elsewhere.
pub fn external(id: MediaId, now: DateTime<Utc>, kind: MediaKind, url: String, alt: Option<String>) -> media::Model {
    media::Model {
        id,
        created_at: now,
        kind,
        url,
        alt,
        version: 1,
        updated_at: now,
        deleted_at: None,
        file_hash: None,
        file_type: None,
        file_size: None,
        filename: None,
        width: None,
        height: None,
        focal_x: None,
        focal_y: None,
    }
}

/// The point of a picture that is never cut off, when staff named one.
pub fn focal_point(row: &media::Model) -> Option<FocalPoint> {
    Some(FocalPoint { x: row.focal_x?, y: row.focal_y? })
}

/// What must be drawn to show a medium as asked; nothing when the file itself
/// is the answer, as it is for drawings and for what lies elsewhere.
pub fn drawn(row: &media::Model, asked: &Transform) -> Option<Plan> {
    let kind = row.file_type.filter(|kind: &FileType| kind.has_pixels() && asked.changes())?;
    let edge = |edge: Option<i32>| u32::try_from(edge?).ok().filter(|edge| *edge > 0);
    let size = (edge(row.width)?, edge(row.height)?);
    let plan = plan(kind, size, focal_point(row).unwrap_or(FocalPoint::CENTER), asked);
    let as_it_is = plan.part == size && plan.size == size && asked.format.is_none_or(|wish| wish.file_type() == kind);
    (!as_it_is).then_some(plan)
}

/// The address under which a browser gets a medium as asked.
pub fn address(row: &media::Model, asked: &Transform) -> String {
    if drawn(row, asked).is_none() {
        return row.url.clone();
    }
    let mut words = Vec::new();
    words.extend(asked.width.map(|edge| format!("w={edge}")));
    words.extend(asked.height.map(|edge| format!("h={edge}")));
    if asked.width.is_some() && asked.height.is_some() {
        words.push(format!("fit={}", asked.fit.as_str().to_lowercase()));
    }
    words.extend(asked.format.map(|format| format!("format={}", format.extension())));
    if asked.fit == MediaFit::Cover && focal_point(row).is_some() {
        // Answers are kept for a year: another focal point needs another address.
        words.push(format!("v={}", row.version));
    }
    format!("{}?{}", row.url, words.join("&"))
}

/// A picture drawn to a plan: taken from beside the original when somebody
/// asked for it before. `None` when the original is gone.
pub async fn draw(app: &App, hash: &str, plan: Plan) -> Result<Option<bytes::Bytes>> {
    let name = plan.name();
    if let Some(kept) = app.files.variant(hash, &name).await? {
        return Ok(Some(kept));
    }
    let turn = app.files.turn().await?;
    // Whoever was before us may have drawn the same.
    if let Some(kept) = app.files.variant(hash, &name).await? {
        return Ok(Some(kept));
    }
    let Some(original) = app.files.original(hash).await? else { return Ok(None) };
    let drawing = move || {
        // Held until the work is done, even when nobody waits for it any more.
        let _turn = turn;
        picture::draw(&original, &plan)
    };
    let drawn = tokio::task::spawn_blocking(drawing).await?.map_err(Error::internal)?;
    let drawn = bytes::Bytes::from(drawn);
    app.files.keep_variant(hash, &name, drawn.clone()).await?;
    Ok(Some(drawn))
}
