//! Where files lie: one folder, which all nodes of a shop share.
//!
//! ```text
//! content/ab/cd/<hash>/original     what was uploaded, by the hash of its bytes
//! content/ab/cd/<hash>/96x96-….webp what was drawn from it
//! incoming/<upload>                 what is being uploaded
//! trash/<hash>                      what is about to be removed
//! ```

use std::path::{Path as FilePath, PathBuf};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use bytes::Bytes;
use chrono::{DateTime, TimeDelta, Utc};
use domain::id::StagedUploadId;
use domain::refusal::{ErrorCode, Refusal};
use futures_util::stream::BoxStream;
use futures_util::{StreamExt, TryStreamExt};
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::{GetResult, MultipartUpload, ObjectMeta, ObjectStore, ObjectStoreExt};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::error::{Error, Result};

/// How many pictures are opened at once: each may take hundreds of megabytes.
const AT_ONCE: usize = 2;
/// How long somebody waits for his turn to have a picture drawn.
const PATIENCE: Duration = Duration::from_secs(20);
/// How many drawn pictures are kept beside one original; more are drawn anew
/// each time, so that nobody can fill the disk by asking.
const KEPT: usize = 64;

/// The shop's files.
#[derive(Debug)]
pub struct Files {
    root: PathBuf,
    max_upload: u64,
    store: OnceLock<LocalFileSystem>,
    turns: Arc<Semaphore>,
    swept: AtomicI64,
}

fn missing<T>(result: object_store::Result<T>) -> Result<Option<T>> {
    match result {
        Ok(found) => Ok(Some(found)),
        Err(object_store::Error::NotFound { .. }) => Ok(None),
        Err(error) => Err(Error::internal(error)),
    }
}

fn folder(hash: &str) -> String {
    let part = |range| hash.get(range).unwrap_or("00");
    format!("content/{}/{}/{hash}", part(0..2), part(2..4))
}

fn original(hash: &str) -> Path {
    Path::from(format!("{}/original", folder(hash)))
}

fn incoming(upload: StagedUploadId) -> Path {
    Path::from(format!("incoming/{upload}"))
}

/// The hash of a stored file, and when it came.
pub(super) type Stored = (String, DateTime<Utc>);

fn trash(hash: &str) -> Path {
    Path::from(format!("trash/{hash}"))
}

impl Files {
    /// Files in this folder, which is made when the first one comes.
    pub fn new(root: impl Into<PathBuf>, max_upload: u64) -> Self {
        Self {
            root: root.into(),
            max_upload,
            store: OnceLock::new(),
            turns: Arc::new(Semaphore::new(AT_ONCE)),
            swept: AtomicI64::new(0),
        }
    }

    /// The largest upload, in bytes.
    pub fn max_upload(&self) -> u64 {
        self.max_upload
    }

    /// The folder.
    pub fn root(&self) -> &FilePath {
        &self.root
    }

    fn store(&self) -> Result<&LocalFileSystem> {
        if let Some(store) = self.store.get() {
            return Ok(store);
        }
        std::fs::create_dir_all(&self.root).map_err(|error| {
            Error::internal(format!("the folder of files {} can't be made: {error}", self.root.display()))
        })?;
        let store = LocalFileSystem::new_with_prefix(&self.root).map_err(Error::internal)?;
        // A file that was acknowledged survives power loss, like the rows that name it.
        Ok(self.store.get_or_init(|| store.with_automatic_cleanup(true).with_fsync(true)))
    }

    /// Begins to take in an upload.
    pub(super) async fn begin(&self, upload: StagedUploadId) -> Result<Box<dyn MultipartUpload>> {
        self.store()?.put_multipart(&incoming(upload)).await.map_err(Error::internal)
    }

    /// What was taken in.
    pub(super) async fn taken_in(&self, upload: StagedUploadId) -> Result<Bytes> {
        let found = self.store()?.get(&incoming(upload)).await.map_err(Error::internal)?;
        found.bytes().await.map_err(Error::internal)
    }

    /// Puts what was taken in where its hash says; equal bytes take the place
    /// of equal bytes.
    pub(super) async fn settle(&self, upload: StagedUploadId, hash: &str) -> Result<()> {
        self.store()?.rename(&incoming(upload), &original(hash)).await.map_err(Error::internal)
    }

    /// Forgets what was taken in.
    pub(super) async fn discard(&self, upload: StagedUploadId) -> Result<()> {
        missing(self.store()?.delete(&incoming(upload)).await).map(|_| ())
    }

    /// Where an original lies, for whoever reads it piece by piece.
    pub fn path_of(&self, hash: &str) -> PathBuf {
        self.root.join(folder(hash)).join("original")
    }

    /// Whether an original is there.
    pub async fn has(&self, hash: &str) -> Result<bool> {
        Ok(missing(self.store()?.head(&original(hash)).await)?.is_some())
    }

    /// An original, to be sent as it is read.
    pub async fn open(&self, hash: &str) -> Result<Option<GetResult>> {
        missing(self.store()?.get(&original(hash)).await)
    }

    /// The bytes of an original.
    pub(super) async fn original(&self, hash: &str) -> Result<Option<Bytes>> {
        match self.open(hash).await? {
            Some(found) => Ok(Some(found.bytes().await.map_err(Error::internal)?)),
            None => Ok(None),
        }
    }

    /// What was drawn from an original.
    pub(super) async fn variant(&self, hash: &str, name: &str) -> Result<Option<Bytes>> {
        let path = Path::from(format!("{}/{name}", folder(hash)));
        match missing(self.store()?.get(&path).await)? {
            Some(found) => Ok(Some(found.bytes().await.map_err(Error::internal)?)),
            None => Ok(None),
        }
    }

    /// Keeps what was drawn, unless enough is kept of this original.
    pub(super) async fn keep_variant(&self, hash: &str, name: &str, drawn: Bytes) -> Result<()> {
        let store = self.store()?;
        let beside = store.list_with_delimiter(Some(&Path::from(folder(hash)))).await.map_err(Error::internal)?;
        // One of them is the original.
        if beside.objects.len() > KEPT {
            return Ok(());
        }
        let path = Path::from(format!("{}/{name}", folder(hash)));
        store.put(&path, drawn.into()).await.map_err(Error::internal)?;
        Ok(())
    }

    /// Waits for the turn to open a picture.
    pub(super) async fn turn(&self) -> Result<OwnedSemaphorePermit> {
        match tokio::time::timeout(PATIENCE, self.turns.clone().acquire_owned()).await {
            Ok(turn) => turn.map_err(Error::internal),
            Err(_) => {
                let mut refusal = Refusal::new(ErrorCode::Throttled, "Too many pictures are being drawn; wait.");
                refusal.retry_after_ms = Some(5_000);
                Err(refusal.into())
            }
        }
    }

    /// Whether files are due to be swept: once in so long per process.
    pub(super) fn sweep_due(&self, now: DateTime<Utc>, every: TimeDelta) -> bool {
        let last = self.swept.load(Ordering::Relaxed);
        let due = now.timestamp() - last >= every.num_seconds() && self.root.is_dir();
        if due {
            self.swept.store(now.timestamp(), Ordering::Relaxed);
        }
        due
    }

    /// The originals and when they came, with their hashes.
    pub(super) fn originals(&self) -> Result<BoxStream<'_, Result<Stored>>> {
        let listed = self.store()?.list(Some(&Path::from("content")));
        let named = |meta: ObjectMeta| {
            let parts: Vec<String> = meta.location.parts().map(|part| part.as_ref().to_owned()).collect();
            match parts.as_slice() {
                [_, _, _, hash, name] if name == "original" => Some((hash.clone(), meta.last_modified)),
                _ => None,
            }
        };
        Ok(listed.map_err(Error::internal).try_filter_map(move |meta| async move { Ok(named(meta)) }).boxed())
    }

    /// Puts an original aside; whoever uploads the same bytes now stores them again.
    pub(super) async fn put_aside(&self, hash: &str) -> Result<()> {
        missing(self.store()?.rename(&original(hash), &trash(hash)).await).map(|_| ())
    }

    /// The hashes of what was put aside.
    pub(super) async fn aside(&self) -> Result<Vec<String>> {
        let listed = self.store()?.list_with_delimiter(Some(&Path::from("trash"))).await.map_err(Error::internal)?;
        Ok(listed.objects.iter().filter_map(|meta| meta.location.filename().map(str::to_owned)).collect())
    }

    /// Puts back what was put aside, because somebody names it after all.
    pub(super) async fn put_back(&self, hash: &str) -> Result<()> {
        if self.has(hash).await? {
            return missing(self.store()?.delete(&trash(hash)).await).map(|_| ());
        }
        missing(self.store()?.rename(&trash(hash), &original(hash)).await).map(|_| ())
    }

    /// Removes what was put aside, and all that was drawn from it.
    pub(super) async fn remove(&self, hash: &str) -> Result<()> {
        let store = self.store()?;
        missing(store.delete(&trash(hash)).await)?;
        if self.has(hash).await? {
            return Ok(());
        }
        let beside = store.list_with_delimiter(Some(&Path::from(folder(hash)))).await.map_err(Error::internal)?;
        for drawn in beside.objects {
            missing(store.delete(&drawn.location).await)?;
        }
        Ok(())
    }

    /// Removes what uploads left behind that were cut off by a crash.
    pub(super) async fn clear_incoming(&self, before: DateTime<Utc>) -> Result<()> {
        let Ok(mut entries) = tokio::fs::read_dir(self.root.join("incoming")).await else { return Ok(()) };
        while let Some(entry) = entries.next_entry().await.map_err(Error::internal)? {
            let came = entry.metadata().await.and_then(|meta| meta.modified());
            if came.is_ok_and(|came| DateTime::<Utc>::from(came) < before) {
                // Another node may be faster.
                let _ = tokio::fs::remove_file(entry.path()).await;
            }
        }
        Ok(())
    }
}
