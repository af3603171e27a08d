//! Making a backup.

use std::fs::File;
use std::io::{self, BufWriter, ErrorKind};
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use tokio_util::sync::CancellationToken;

use super::archive::Writer;
use super::{DATABASE, FORMAT, Fault, MANIFEST, Manifest, OFF, Passing, Until, clear, entry_name, folder_of};
use crate::db::{Db, StatementCount};
use crate::error::{Error, Result};
use crate::failpoint;
use crate::media::files::Files;
use crate::{auth, media};

/// What goes into a backup besides the database, and where it is written.
#[derive(Debug, Clone)]
pub struct Wish {
    /// The file to make.
    pub to: PathBuf,
    /// Whether uploaded files go into it.
    pub with_files: bool,
    /// Whether a file that is there already may be replaced.
    pub replace: bool,
    /// Calls it off; what was begun goes.
    pub stop: CancellationToken,
}

/// Makes a backup of an embedded database, which may be written to meanwhile. The file gets its name when it is whole
/// and on the disk. `told` hears how many files of how many are done.
///
/// # Errors
/// When there is such a file already, and when something can't be read or written; then no such file is made.
pub async fn pack(
    db: &Db,
    files: &Files,
    wish: Wish,
    schema: &str,
    now: DateTime<Utc>,
    told: impl FnMut(usize, usize) + Send + 'static,
) -> Result<Manifest> {
    let cant = |error: io::Error| Error::internal(format!("{} can't be written: {error}", wish.to.display()));
    free(&wish)?;
    clear(folder_of(&wish.to)).map_err(cant)?;
    let copy = Passing::beside(&wish.to, "db").map_err(cant)?;
    copy.make().map_err(cant)?;
    wish.stop.run_until_cancelled(db.copy_into(copy.path())).await.ok_or_else(|| Error::internal(OFF))??;
    let (shop, hashes) = named(copy.path(), wish.with_files).await?;
    let sources = hashes.into_iter().map(|hash| (files.path_of(&hash), hash)).collect();
    let manifest = Manifest {
        format: FORMAT,
        emporion: env!("CARGO_PKG_VERSION").to_owned(),
        shop,
        created_at: now,
        schema: schema.to_owned(),
        database_bytes: 0,
        database_sha256: String::new(),
        with_files: wish.with_files,
        files: 0,
        files_bytes: 0,
        faulty_files: Vec::new(),
    };
    Ok(tokio::task::spawn_blocking(move || write(&wish, &copy, sources, manifest, told)).await??)
}

/// Refuses a name that is taken.
fn free(wish: &Wish) -> Result<()> {
    match wish.to.exists() && !wish.replace {
        true => Err(Error::internal(format!("{} is there already: take another name", wish.to.display()))),
        false => Ok(()),
    }
}

/// What tells the shop from others, and the files that a copy of its database names.
async fn named(copy: &Path, with_files: bool) -> Result<(String, Vec<String>)> {
    let copy = Db::open_still(copy).await?;
    let conn = copy.read(&StatementCount::default());
    let shop = auth::token::shop_of(&conn).await?;
    let hashes = if with_files { media::repo::all_named_files(&conn).await? } else { Vec::new() };
    drop(conn);
    copy.close().await;
    Ok((shop, hashes))
}

fn write(
    wish: &Wish,
    copy: &Passing,
    sources: Vec<(PathBuf, String)>,
    mut manifest: Manifest,
    mut told: impl FnMut(usize, usize),
) -> Result<Manifest, Fault> {
    let making = Passing::beside(&wish.to, "part")?;
    let at = u64::try_from(manifest.created_at.timestamp()).unwrap_or_default();
    let mut writer = Writer::new(BufWriter::new(making.make()?), at);
    let database = File::open(copy.path())?;
    manifest.database_bytes = database.metadata()?.len();
    manifest.database_sha256 = writer.add(DATABASE, manifest.database_bytes, Until(database, &wish.stop))?;
    let total = sources.len();
    for (done, (path, hash)) in sources.into_iter().enumerate() {
        told(done, total);
        let source = match File::open(&path) {
            Ok(source) => source,
            Err(error) if error.kind() == ErrorKind::NotFound => {
                manifest.faulty_files.push(hash);
                continue;
            }
            Err(error) => return Err(error.into()),
        };
        let size = source.metadata()?.len();
        if writer.add(&entry_name(&hash), size, Until(source, &wish.stop))? != hash {
            manifest.faulty_files.push(hash);
        }
        manifest.files += 1;
        manifest.files_bytes += size;
    }
    let text = serde_json::to_vec_pretty(&manifest).map_err(io::Error::other)?;
    writer.add(MANIFEST, text.len() as u64, text.as_slice())?;
    let out = writer.end()?.into_inner().map_err(|error| error.into_error())?;
    out.sync_all()?;
    failpoint::reach("backup.name");
    if wish.to.exists() && !wish.replace {
        return Err(io::Error::from(ErrorKind::AlreadyExists).into());
    }
    making.settle(&wish.to)?;
    Ok(manifest)
}
