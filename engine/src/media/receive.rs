//! An upload comes in: it is written as it comes, measured, looked at, and put
//! where the hash of its bytes says.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use domain::id::StagedUploadId;
use domain::media::FileType;
use domain::refusal::{ErrorCode, Refusal};
use entity::staged_upload;
use futures_util::{Stream, StreamExt};
use object_store::MultipartUpload;
use sha2::{Digest, Sha256};

use super::ops::{ClaimUpload, ForgetUpload, SettleUpload};
use super::picture::{self, Unusable};
use super::repo;
use crate::actor::{Actor, Caller};
use crate::app::App;
use crate::db::Conn;
use crate::error::Error;

/// How long sending a file may take.
const PATIENCE: Duration = Duration::from_secs(10 * 60);

/// Why an upload was not taken.
#[derive(Debug, thiserror::Error)]
pub enum Rejection {
    /// The token is unknown, was used, or its time is over.
    #[error("There is no such upload: it was used, its time is over, or it never was.")]
    Unknown,
    /// The request says another length than was agreed on, or the body has one.
    #[error("This upload has exactly {0} bytes.")]
    Length(i64),
    /// The request says another type than was agreed on.
    #[error("This upload is of the type {0}.")]
    Declared(FileType),
    /// The bytes are of another type than was agreed on.
    #[error("The bytes are not those of a file of the type {0}.")]
    Lying(FileType),
    /// Opening the picture would take too much memory.
    #[error("The picture has more than 50 million pixels, or an edge of more than 32767.")]
    TooManyPixels,
    /// The picture breaks the rules of its format.
    #[error("The picture can't be read.")]
    Broken,
    /// The connection was lost, or too slow.
    #[error("The upload was cut off.")]
    CutOff,
    /// The shop failed.
    #[error("{0}")]
    Failed(#[from] Error),
}

/// Takes in the file of an upload. The token is good for one try, whatever
/// comes of it.
pub async fn receive<E>(
    app: &Arc<App>,
    token: &str,
    length: u64,
    declared: &str,
    body: impl Stream<Item = Result<Bytes, E>> + Unpin,
) -> Result<staged_upload::Model, Rejection> {
    let claimed = app.run(&Caller::new(Actor::Guest), &ClaimUpload { token: token.to_owned() }).await;
    let row = claimed.map_err(|error| match error {
        Error::Refused(refusals) if refusals.iter().all(|one| one.code == ErrorCode::NotFound) => Rejection::Unknown,
        error => Rejection::Failed(error),
    })?;
    let announced = check_announced(&row, length, declared);
    let outcome = match announced {
        Ok(()) => take_in(app, &row, body).await,
        Err(rejection) => Err(rejection),
    };
    if outcome.is_err() {
        app.files.discard(row.id).await?;
        app.run(&Caller::system(), &ForgetUpload { id: row.id }).await?;
    }
    outcome
}

fn check_announced(row: &staged_upload::Model, length: u64, declared: &str) -> Result<(), Rejection> {
    if i64::try_from(length) != Ok(row.file_size) {
        return Err(Rejection::Length(row.file_size));
    }
    let essence = declared.split(';').next().unwrap_or_default().trim();
    if essence.eq_ignore_ascii_case(row.file_type.as_str()) { Ok(()) } else { Err(Rejection::Declared(row.file_type)) }
}

async fn take_in<E>(
    app: &Arc<App>,
    row: &staged_upload::Model,
    body: impl Stream<Item = Result<Bytes, E>> + Unpin,
) -> Result<staged_upload::Model, Rejection> {
    let mut incoming = app.files.begin(row.id).await?;
    let written = tokio::time::timeout(PATIENCE, write(incoming.as_mut(), row.file_size, body)).await;
    let hash = match written.unwrap_or(Err(Rejection::CutOff)) {
        Ok(hash) => hash,
        Err(rejection) => {
            incoming.abort().await.map_err(Error::internal)?;
            return Err(rejection);
        }
    };
    let file_type = row.file_type;
    let size = match file_type.is_data() {
        // It is read line by line when it is imported, never as a whole.
        true => None,
        false => {
            let bytes = app.files.taken_in(row.id).await?;
            tokio::task::spawn_blocking(move || look(&bytes, file_type)).await.map_err(Error::from)??
        }
    };
    // The row names the file before it is there, so that no sweep in between takes it for unwanted.
    let settle = SettleUpload { id: row.id, hash: hash.clone(), size };
    let settled = app.run(&Caller::system(), &settle).await?;
    app.files.settle(row.id, &hash).await?;
    Ok(settled)
}

/// Writes what comes and answers with its SHA-256 in hexadecimal digits.
async fn write<E>(
    incoming: &mut dyn MultipartUpload,
    expected: i64,
    mut body: impl Stream<Item = Result<Bytes, E>> + Unpin,
) -> Result<String, Rejection> {
    let mut hash = Sha256::new();
    let mut length: i64 = 0;
    while let Some(part) = body.next().await {
        let Ok(part) = part else { return Err(Rejection::CutOff) };
        length += part.len() as i64;
        if length > expected {
            return Err(Rejection::Length(expected));
        }
        hash.update(&part);
        incoming.put_part(part.into()).await.map_err(Error::internal)?;
    }
    if length != expected {
        return Err(Rejection::Length(expected));
    }
    incoming.complete().await.map_err(Error::internal)?;
    Ok(hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
}

/// What the bytes are decides, not what anybody says they are.
fn look(bytes: &[u8], declared: FileType) -> Result<Option<(u32, u32)>, Rejection> {
    if FileType::of(bytes) != Some(declared) {
        return Err(Rejection::Lying(declared));
    }
    if !declared.has_pixels() {
        return Ok(None);
    }
    match picture::measure(bytes) {
        Ok(size) => Ok(Some(size)),
        Err(Unusable::TooLarge) => Err(Rejection::TooManyPixels),
        Err(Unusable::Broken) => Err(Rejection::Broken),
    }
}

/// Refuses an upload whose file is not there: a crash came between the row and
/// the file. What else may stand against it, the op says.
pub async fn arrived(app: &App, conn: &Conn, id: StagedUploadId) -> Result<(), Error> {
    let row = repo::find_upload(conn, id).await?;
    match row.and_then(|row| row.file_hash) {
        Some(hash) if !app.files.has(&hash).await? => {
            let refusal = Refusal::new(ErrorCode::StateInvalid, "The file was lost on its way; upload it again.");
            Err(refusal.at(["stagedUploadId"]).about(id).into())
        }
        _ => Ok(()),
    }
}
