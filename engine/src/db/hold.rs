//! The lock beside a file of the embedded database, `shop.db-lock`. Whoever has the database open holds it together with
//! others; whoever puts another file into its place holds it alone. It ends with the process that holds it.

use std::fs::{File, Permissions, TryLockError};
use std::io::{self, ErrorKind};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// The name of the lock of a database.
pub fn lock_beside(database: &Path) -> PathBuf {
    let mut name = database.as_os_str().to_owned();
    name.push("-lock");
    name.into()
}

/// Holds a database together with others; nothing when somebody holds it alone.
///
/// # Errors
/// When there can be no lock beside it.
pub fn together(database: &Path) -> io::Result<Option<File>> {
    held(opened(database)?, File::try_lock_shared)
}

/// Holds a database alone; nothing when somebody else has it open.
///
/// # Errors
/// When there can be no lock beside it.
pub fn alone(database: &Path) -> io::Result<Option<File>> {
    held(opened(database)?, File::try_lock)
}

fn held(lock: File, take: impl Fn(&File) -> Result<(), TryLockError>) -> io::Result<Option<File>> {
    match take(&lock) {
        Ok(()) => Ok(Some(lock)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

/// The file is never removed: one who waits for it would hold what others no longer see.
fn opened(database: &Path) -> io::Result<File> {
    let path = lock_beside(database);
    loop {
        match File::open(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            opened => return opened,
        }
        match File::options().read(true).write(true).create_new(true).open(&path) {
            // Whoever makes it, the others must be able to open it, too. There is nothing in it.
            Ok(made) => {
                made.set_permissions(Permissions::from_mode(0o644))?;
                return Ok(made);
            }
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
}
