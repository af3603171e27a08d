//! A backup of a shop on the embedded database: one file with the database as it was at one moment and the originals of
//! what was uploaded, made while the shop is served.
//!
//! ```text
//! shop.db                                  the database; the shop's keys are in it
//! files/content/ab/cd/<hash>/original      each file that it names
//! manifest.json                            what this is: see [`Manifest`]
//! SHA256SUMS                               the hashes of all that
//! ```
//!
//! Not in it: what was drawn from pictures (it is drawn again), uploads that nothing names, mail that was written to
//! files, the settings of the process (`emporion.toml`, variables) and the secret that only they hold.
//!
//! | to change | edit |
//! |---|---|
//! | how the database is copied and looked over | `db/snapshot.rs` |
//! | the file itself | [`archive`] |
//! | what goes into it | [`pack`] |
//! | what comes out of it, and how it takes a shop's place | [`unpack`] |
//! | what the operator sees | `src/cli/backup.rs` |

pub mod archive;
pub mod pack;
pub mod unpack;

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;

use crate::error::Error;

/// The name of the database in a backup.
pub const DATABASE: &str = "shop.db";
/// The name of the entry that says what it is.
pub const MANIFEST: &str = "manifest.json";
/// The form of backups that this version writes and reads.
pub const FORMAT: u32 = 1;

/// What a backup says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// The form of the file.
    pub format: u32,
    /// The version that wrote it.
    pub emporion: String,
    /// What tells the shop from others.
    pub shop: String,
    /// When it was begun: whatever was acknowledged before is in it.
    pub created_at: DateTime<Utc>,
    /// The newest migration of the database.
    pub schema: String,
    /// How many bytes the database has.
    pub database_bytes: u64,
    /// SHA-256 of the database.
    pub database_sha256: String,
    /// Whether uploaded files are in it.
    pub with_files: bool,
    /// How many uploaded files are in it.
    pub files: u64,
    /// How many bytes they have.
    pub files_bytes: u64,
    /// Hashes of files that the database names and that were not there, or were not what their hash says.
    pub faulty_files: Vec<String>,
}

/// Why a file is no backup to build on.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// It is something else.
    #[error("not a backup of emporion")]
    NoBackup,
    /// Its end is missing.
    #[error("the backup is cut off: its end is missing")]
    Cut,
    /// A part of it is not what was written.
    #[error("the backup is damaged: {0} is not what was written")]
    Damaged(String),
    /// It is of a form that this version doesn't read.
    #[error("the backup is of form {0}, and this version reads form {FORMAT}: use the release that wrote it")]
    Form(u32),
    /// A part that belongs to it is not there.
    #[error("the backup is incomplete: {0} is missing")]
    Missing(String),
    /// It can't be read, or what comes out of it can't be written: that says nothing of the backup.
    #[error("it can't be read, or its copy can't be written: {0}")]
    Io(#[from] io::Error),
}

impl Fault {
    /// What a head is that can't be read: the first one tells what the file is.
    fn of_head(first: bool) -> Self {
        if first { Self::NoBackup } else { Self::Damaged("the head of an entry".to_owned()) }
    }
}

impl From<Fault> for Error {
    fn from(fault: Fault) -> Self {
        Self::internal(fault)
    }
}

/// What is said of something that was called off.
pub const OFF: &str = "it was called off: nothing was changed";

/// Bytes of somebody who may call it off.
struct Until<'s, R>(R, &'s CancellationToken);

impl<R: Read> Read for Until<'_, R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.1.is_cancelled() {
            return Err(io::Error::other(OFF));
        }
        self.0.read(into)
    }
}

/// What SQLite puts beside a database.
const BESIDE: [&str; 4] = ["-wal", "-shm", "-journal", "-lock"];
/// What a [`Passing`] is, at the end of its name.
const KINDS: [&str; 3] = ["db", "part", "restored"];

/// A file that goes when nobody needs it any more, unless it was given its final name. Whose process is lost, his go when
/// somebody else comes by ([`clear`]).
#[derive(Debug)]
pub struct Passing(PathBuf, OnceLock<File>);

impl Passing {
    /// Beside `path`, with its name and something that tells whose it is.
    pub fn beside(path: &Path, what: &str) -> io::Result<Self> {
        let name = path.file_name().ok_or(io::ErrorKind::IsADirectory)?;
        // In containers every process may have the same number.
        let own = format!(".{}.{}.{what}", name.to_string_lossy(), uuid::Uuid::new_v4().simple());
        Ok(Self(path.with_file_name(own), OnceLock::new()))
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Makes the file with nothing in it, for its owner alone.
    pub fn make(&self) -> io::Result<File> {
        let mut options = File::options();
        options.write(true).create_new(true);
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        loop {
            let made = options.open(&self.0)?;
            // It is locked as long as it is needed.
            made.lock()?;
            // Somebody may have taken it for one of a lost process before it was.
            if made.metadata()?.nlink() > 0 {
                let _ = self.1.set(made.try_clone()?);
                return Ok(made);
            }
        }
    }

    /// Gives it its final name, in the place of what bears it.
    pub fn settle(self, path: &Path) -> io::Result<()> {
        std::fs::rename(&self.0, path)?;
        sync_folder(path)
    }
}

impl Drop for Passing {
    fn drop(&mut self) {
        remove(&self.0);
    }
}

fn remove(passing: &Path) {
    let _ = std::fs::remove_file(passing);
    for end in BESIDE {
        let _ = std::fs::remove_file(grown(passing, end));
    }
}

/// Removes what processes left in a folder that were lost while they made, looked over or restored a backup.
///
/// # Errors
/// When the folder can't be read.
pub fn clear(folder: &Path) -> io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let name = BESIDE.iter().find_map(|end| name.strip_suffix(end)).unwrap_or(&name);
        if !is_passing(name) {
            continue;
        }
        let passing = path.with_file_name(name);
        // What is needed is locked by whoever needs it.
        match File::open(&passing) {
            Ok(file) if file.try_lock().is_err() => {}
            Ok(_) => remove(&passing),
            Err(error) if error.kind() == io::ErrorKind::NotFound => remove(&passing),
            Err(_) => {}
        }
    }
    Ok(())
}

/// Whether a file bears the name of a [`Passing`].
fn is_passing(name: &str) -> bool {
    let mut parts = name.rsplit('.');
    let kind = parts.next().is_some_and(|kind| KINDS.contains(&kind));
    let own = parts.next().is_some_and(|own| own.len() == 32 && own.bytes().all(|byte| byte.is_ascii_hexdigit()));
    kind && own && parts.next().is_some() && name.starts_with('.')
}

/// The folder of a path.
pub fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// A path with something at its end.
fn grown(path: &Path, end: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(end);
    name.into()
}

/// Makes the names in the folder of a path outlive the loss of power.
fn sync_folder(path: &Path) -> io::Result<()> {
    File::open(folder_of(path))?.sync_all()
}

/// The name of an uploaded file in a backup, by its hash.
fn entry_name(hash: &str) -> String {
    format!("files/content/{}/{}/{hash}/original", hash.get(..2).unwrap_or("00"), hash.get(2..4).unwrap_or("00"))
}

/// The hash in the name of an uploaded file, when it is one.
fn hash_in(name: &str) -> Option<&str> {
    let hash = name.rsplit('/').nth(1)?;
    let digits = hash.len() == 64 && hash.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    (digits && entry_name(hash) == name).then_some(hash)
}
