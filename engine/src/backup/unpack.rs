//! Reading a backup, and putting it into the place of a shop.

use std::fs::{self, File, Metadata};
use std::io::{self, BufReader, Read, Write};
use std::os::unix::fs::{MetadataExt, chown};
use std::path::Path;

use serde::Deserialize;
use sha2::{Digest, Sha256};
use tokio_util::sync::CancellationToken;

use super::archive::{self, hex};
use super::{
    DATABASE, FORMAT, Fault, MANIFEST, Manifest, Passing, Until, clear, folder_of, grown, hash_in, sync_folder,
};
use crate::failpoint;
use crate::media::files::Files;

/// Reads all of a backup and makes sure that it is what was written; puts its database into `database`.
///
/// # Errors
/// Names what is wrong with it; or it was called off.
pub fn look_over(file: &Path, database: &Passing, stop: &CancellationToken) -> Result<Manifest, Fault> {
    let (mut manifest, mut written, mut files, mut bytes) = (None, None, 0, 0);
    archive::read(BufReader::new(Until(File::open(file)?, stop)), |entry| {
        match (entry.name, hash_in(entry.name)) {
            (DATABASE, _) => {
                let mut out = database.make()?;
                written = Some(io::copy(entry.bytes, &mut out)?);
                out.sync_all()?;
            }
            (MANIFEST, _) => manifest = Some(read_manifest(entry.bytes)?),
            (_, Some(_)) => {
                files += 1;
                bytes += entry.size;
            }
            (name, None) => return Err(Fault::Damaged(name.to_owned())),
        }
        Ok(())
    })?;
    let missing = |name: &str| Fault::Missing(name.to_owned());
    let manifest: Manifest = manifest.ok_or_else(|| missing(MANIFEST))?;
    if written.ok_or_else(|| missing(DATABASE))? != manifest.database_bytes {
        return Err(Fault::Damaged(DATABASE.to_owned()));
    }
    match (files, bytes) == (manifest.files, manifest.files_bytes) {
        true => Ok(manifest),
        false => Err(Fault::Damaged(MANIFEST.to_owned())),
    }
}

fn read_manifest(from: &mut dyn Read) -> Result<Manifest, Fault> {
    #[derive(Deserialize)]
    struct Form {
        format: u32,
    }
    let mut text = Vec::new();
    from.read_to_end(&mut text)?;
    let damaged = |_| Fault::Damaged(MANIFEST.to_owned());
    match serde_json::from_slice::<Form>(&text).map_err(damaged)?.format {
        FORMAT => serde_json::from_slice(&text).map_err(damaged),
        other => Err(Fault::Form(other)),
    }
}

/// Puts the uploaded files of a backup, which has been looked over, where the shop looks for them. Those that are there
/// as they should be stay. Answers with how many were put there.
///
/// # Errors
/// When something can't be written; what was put there before that does no harm.
pub fn put_files(
    file: &Path,
    manifest: &Manifest,
    files: &Files,
    stop: &CancellationToken,
    mut told: impl FnMut(usize, usize),
) -> Result<u64, Fault> {
    if manifest.files == 0 {
        return Ok(0);
    }
    let owner = owner_of(files.root())?;
    if !files.root().exists() {
        fs::create_dir_all(files.root())?;
        hand_to(files.root(), &owner);
    }
    let total = usize::try_from(manifest.files).unwrap_or(usize::MAX);
    let (mut put, mut done) = (0, 0);
    archive::read(BufReader::new(Until(File::open(file)?, stop)), |entry| {
        let Some(hash) = hash_in(entry.name) else { return Ok(()) };
        told(done, total);
        done += 1;
        let path = files.path_of(hash);
        if manifest.faulty_files.iter().any(|faulty| faulty == hash) || is_there(&path, hash)? {
            return Ok(());
        }
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
            clear(folder)?;
        }
        let making = Passing::beside(&path, "part")?;
        let mut out = making.make()?;
        io::copy(entry.bytes, &mut out)?;
        out.sync_all()?;
        // Whoever serves the shop must be able to remove it again.
        path.ancestors()
            .skip(1)
            .take_while(|folder| *folder != files.root())
            .for_each(|folder| hand_to(folder, &owner));
        hand_to(making.path(), &owner);
        making.settle(&path)?;
        put += 1;
        Ok(())
    })?;
    Ok(put)
}

/// Whether a file is there and is what its hash says.
fn is_there(path: &Path, hash: &str) -> io::Result<bool> {
    let mut found = match File::open(path) {
        Ok(found) => found,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(error),
    };
    struct Into(Sha256);
    impl Write for Into {
        fn write(&mut self, piece: &[u8]) -> io::Result<usize> {
            self.0.update(piece);
            Ok(piece.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let mut into = Into(Sha256::new());
    io::copy(&mut found, &mut into)?;
    Ok(hex(&into.0.finalize()) == hash)
}

/// To whom a path belongs, or the nearest folder above it that is there.
///
/// # Errors
/// When there is none that can be looked at.
pub fn owner_of(path: &Path) -> io::Result<Metadata> {
    let there = path.ancestors().find(|path| path.exists() && !path.as_os_str().is_empty());
    there.unwrap_or(Path::new(".")).metadata()
}

/// Gives a path to whom another one belongs, as far as the process may: a backup is often restored by root.
pub fn hand_to(path: &Path, owner: &Metadata) {
    let _ = chown(path, Some(owner.uid()), Some(owner.gid()));
}

/// Puts a database into the place of the one at `path`, which stays under the name `aside`; nobody has either open.
/// There is a database at `path` at every moment.
///
/// # Errors
/// When a file system refuses; the old database is still there then.
pub fn take_place(new: Passing, path: &Path, aside: &Path) -> io::Result<()> {
    let owner = match path.metadata() {
        Ok(old) => {
            fs::set_permissions(new.path(), old.permissions())?;
            old
        }
        Err(_) => folder_of(path).metadata()?,
    };
    hand_to(new.path(), &owner);
    // A write-ahead log is beside a damaged one alone. It would be taken for the new one's.
    for end in ["", "-wal", "-shm"] {
        let old = grown(path, end);
        if old.exists() {
            keep(&old, &grown(aside, end))?;
        }
    }
    sync_folder(path)?;
    for end in ["-wal", "-shm"] {
        let _ = fs::remove_file(grown(path, end));
    }
    failpoint::reach("backup.place");
    new.settle(path)
}

/// The same file under a second name; as a copy where the file system knows no second names.
fn keep(old: &Path, aside: &Path) -> io::Result<()> {
    if aside.exists() {
        return Err(io::ErrorKind::AlreadyExists.into());
    }
    match fs::hard_link(old, aside) {
        Ok(()) => Ok(()),
        Err(_) => {
            fs::copy(old, aside)?;
            File::open(aside)?.sync_all()
        }
    }
}
