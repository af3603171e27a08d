//! `emporion backup create|verify|restore`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, SecondsFormat, Utc};
use clap::{Args, Subcommand};
use migration::{pending, status, unknown, up};
use tokio::task::spawn_blocking;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use super::Place;
use super::bar::Progress;
use super::ending::stop_signals;
use engine::app::App;
use engine::backup::pack::{Wish, pack};
use engine::backup::unpack::{hand_to, look_over, owner_of, put_files, take_place};
use engine::backup::{Manifest, OFF, Passing, clear, folder_of};
use engine::check::{Broken, check};
use engine::clock::StillClock;
use engine::db::hold::{alone, lock_beside};
use engine::db::{DatabaseUrl, Db, Stands, said_of_copy, stand_alone};
use engine::error::{Error, Result};
use engine::failpoint;
use engine::media::files::Files;

/// How long somebody may take who is just closing the database.
const LEAVING: Duration = Duration::from_secs(2);

/// Copies of a shop on SQLite, each one file, made while it is served. For PostgreSQL there are its own programs: see
/// docs/BACKUP.md.
#[derive(Debug, Args)]
pub struct Backup {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Write the shop as it is at this moment into a file, also while it is served: the database with its keys, and
    /// what was uploaded. Not in it are emporion.toml, variables such as EMPORION_SECRET, and mail in files.
    Create(Create),
    /// Look a backup over without changing it: every byte, the database's pages, its migrations, and the rules of
    /// `emporion check`. Ends with 1 when something is wrong.
    Verify(Verify),
    /// Put a backup into the shop's place. Nobody may have the shop open; the database that was there is kept.
    Restore(Restore),
}

#[derive(Debug, Args)]
struct Create {
    /// The file to make; emporion-backup-TIME.tar in the working folder when absent. It is there only once it is whole.
    /// Twice the database's size is needed meanwhile.
    #[arg(long, value_name = "FILE")]
    to: Option<PathBuf>,
    /// Replace such a file.
    #[arg(long)]
    replace: bool,
    /// Leave out what was uploaded, because its folder is copied by other means.
    #[arg(long)]
    without_files: bool,
    #[command(flatten)]
    progress: Progress,
    #[command(flatten)]
    place: Place,
}

#[derive(Debug, Args)]
struct Verify {
    /// The backup.
    file: PathBuf,
    /// Where a copy of the database may lie meanwhile; the backup's folder when absent.
    #[arg(long, value_name = "DIR")]
    scratch: Option<PathBuf>,
}

#[derive(Debug, Args)]
struct Restore {
    /// The backup.
    file: PathBuf,
    /// Take the place of the database that is there.
    #[arg(long)]
    replace: bool,
    #[command(flatten)]
    progress: Progress,
    #[command(flatten)]
    place: Place,
}

impl Backup {
    /// Does it.
    pub async fn run(self) -> Result<ExitCode> {
        let (_, stop) = stop_signals(0);
        let off = || Error::internal(OFF);
        match self.what {
            What::Create(create) => create.run(stop).await?,
            What::Verify(verify) => {
                return stop.run_until_cancelled(verify.run(&stop)).await.ok_or_else(off)?;
            }
            What::Restore(restore) => stop.run_until_cancelled(restore.run(&stop)).await.ok_or_else(off)??,
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// The database's file.
fn embedded(place: &Place) -> Result<PathBuf> {
    match place.database() {
        DatabaseUrl::Sqlite(path) => Ok(path),
        url @ DatabaseUrl::Postgres(_) => Err(Error::internal(format!(
            "{url} is PostgreSQL's to back up: pg_dump --format=custom, then a copy of the folder of files; pg_restore \
             brings it back (docs/BACKUP.md has it step by step, and how to go back to any moment)"
        ))),
    }
}

/// A moment in the name of a file.
fn stamp(at: DateTime<Utc>) -> String {
    at.format("%Y%m%dT%H%M%SZ").to_string()
}

impl Create {
    async fn run(self, stop: CancellationToken) -> Result<()> {
        let path = embedded(&self.place)?;
        if !path.exists() {
            // Opening it would make an empty file that looks like a shop.
            return Err(Error::internal(format!("there is no shop in {}", path.display())));
        }
        let now = Utc::now();
        let to = self.to.unwrap_or_else(|| PathBuf::from(format!("emporion-backup-{}.tar", stamp(now))));
        let db = Db::open(&DatabaseUrl::Sqlite(path)).await?;
        let applied = status(db.admin()).await;
        let schema = applied.iter().rev().find(|(_, applied)| *applied).map(|(name, _)| *name);
        let schema = schema.ok_or_else(|| Error::internal("the database holds no shop"))?;
        let wish = Wish { to: to.clone(), with_files: !self.without_files, replace: self.replace, stop };
        let mut bar = self.progress.bar("files");
        let told = move |done, total| bar.show(done, total);
        let manifest = pack(&db, &self.place.files(), wish, schema, now, told).await;
        db.close().await;
        tell(&to, &manifest?);
        Ok(())
    }
}

fn tell(file: &Path, manifest: &Manifest) {
    println!("{}", file.display());
    println!("  made      {}", manifest.created_at.to_rfc3339_opts(SecondsFormat::Secs, true));
    println!("  by        emporion {}, schema {}", manifest.emporion, manifest.schema);
    println!("  shop      {}", manifest.shop);
    println!("  database  {} bytes, SHA-256 {}", manifest.database_bytes, manifest.database_sha256);
    match manifest.with_files {
        true => println!("  files     {}, {} bytes", manifest.files, manifest.files_bytes),
        false => println!("  files     left out"),
    }
    if !manifest.faulty_files.is_empty() {
        let count = manifest.faulty_files.len();
        println!("  missing   {count} file(s) that the shop names were not there or damaged when this was made:");
        manifest.faulty_files.iter().for_each(|hash| println!("            {hash}"));
    }
    println!("  not in it emporion.toml, variables (EMPORION_SECRET, keys of providers), mail in files");
}

/// Looks at everything in a backup that can be damaged; its database is in `copy` then.
async fn whole(file: &Path, copy: Passing, stop: &CancellationToken) -> Result<(Manifest, Passing)> {
    let (named, stop) = (file.to_owned(), stop.clone());
    let looked = spawn_blocking(move || look_over(&named, &copy, &stop).map(|manifest| (manifest, copy))).await?;
    failpoint::reach("backup.looked_over");
    let wrong = |fault: String| Error::internal(format!("{}: {fault}", file.display()));
    let (manifest, copy) = looked.map_err(|fault| wrong(fault.to_string()))?;
    let db = Db::open_still(copy.path()).await.map_err(|error| wrong(said_of_copy(&error)))?;
    let (unknown, damage) = (unknown(db.admin()).await, db.damage().await);
    db.close().await;
    let unknown = unknown.map_err(|error| wrong(said_of_copy(&error)))?;
    if !unknown.is_empty() {
        let numbers: Vec<String> = unknown.iter().map(ToString::to_string).collect();
        return Err(wrong(format!(
            "a newer release made it: this one doesn't know its migration(s) {}, use emporion {} or newer",
            numbers.join(", "),
            manifest.emporion
        )));
    }
    match damage.map_err(|error| wrong(said_of_copy(&error)))?.as_slice() {
        [] => Ok((manifest, copy)),
        damage => Err(wrong(format!("its database is damaged: {}", damage.join("; ")))),
    }
}

impl Verify {
    async fn run(self, stop: &CancellationToken) -> Result<ExitCode> {
        let cant = |error: std::io::Error| Error::internal(format!("{} can't be read: {error}", self.file.display()));
        let name = self.file.file_name().ok_or_else(|| cant(std::io::ErrorKind::IsADirectory.into()))?;
        let place = self.scratch.as_ref().map_or_else(|| self.file.clone(), |folder| folder.join(name));
        clear(folder_of(&place)).map_err(cant)?;
        let copy = Passing::beside(&place, "db").map_err(cant)?;
        let (manifest, copy) = whole(&self.file, copy, stop).await?;
        tell(&self.file, &manifest);
        let (missing, broken) = rules(copy.path(), manifest.created_at).await?;
        if missing > 0 {
            println!("an older release made it: {missing} migration(s) are applied when it is served");
        }
        for row in &broken {
            println!("{}: {}, {}", row.rule, row.row, row.found);
        }
        println!("whole, and {} broken row(s)", broken.len());
        Ok(if broken.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}

/// How many migrations a copy lacks, and what breaks the rules of the shop in it, looked at as of that moment.
async fn rules(copy: &Path, at: DateTime<Utc>) -> Result<(usize, Vec<Broken>)> {
    let url = DatabaseUrl::Sqlite(copy.to_owned());
    let builder = App::builder(&url).await?.clock(Arc::new(StillClock(at)));
    let missing = pending(builder.db().admin()).await.len();
    up(builder.db().admin()).await?;
    let app = builder.open().await?;
    let broken = check(&app).await;
    app.db.close().await;
    Ok((missing, broken?))
}

impl Restore {
    async fn run(self, stop: &CancellationToken) -> Result<()> {
        let path = embedded(&self.place)?;
        let cant = |error: std::io::Error| Error::internal(format!("{} can't be written: {error}", path.display()));
        if path.exists() && !self.replace {
            let message = format!("there is a shop in {}: --replace puts it aside", path.display());
            return Err(Error::internal(message));
        }
        // Often root restores what somebody else serves: what is made here is his to whom the folder belongs.
        let owner = owner_of(&path).map_err(cant)?;
        if let Some(folder) = path.parent().filter(|folder| !folder.exists()) {
            std::fs::create_dir_all(folder).map_err(cant)?;
            hand_to(folder, &owner);
        }
        let _others = alone_soon(&path).await.map_err(cant)?.ok_or_else(|| in_use(&path))?;
        hand_to(&lock_beside(&path), &owner);
        clear(folder_of(&path)).map_err(cant)?;
        let copy = Passing::beside(&path, "restored").map_err(cant)?;
        let (manifest, copy) = whole(&self.file, copy, stop).await?;
        // Last what takes time before it is looked whether anybody else has the file open: not all are ours.
        let put = self.put_files(&manifest, stop).await?;
        let damaged = match path.exists() {
            true => stand_alone(&path).await?,
            false => Stands::Alone,
        };
        let damaged = match damaged {
            Stands::InUse => return Err(in_use(&path)),
            stands => stands == Stands::Damaged,
        };
        let aside = put_aside(&path);
        let kept = path.exists();
        take_place(copy, &path, &aside).map_err(cant)?;
        tell(&self.file, &manifest);
        println!(
            "{} is this shop now; {put} file(s) were put into {}",
            path.display(),
            self.place.files().root().display()
        );
        if kept {
            let how = if damaged { ", damaged as it was, with what lay beside it" } else { "" };
            println!("what was there is {}{how}", aside.display());
        }
        Ok(())
    }

    async fn put_files(&self, manifest: &Manifest, stop: &CancellationToken) -> Result<u64> {
        let (file, manifest, files): (_, _, Files) = (self.file.clone(), manifest.clone(), self.place.files());
        let stop = stop.clone();
        let mut bar = self.progress.bar("files");
        Ok(spawn_blocking(move || put_files(&file, &manifest, &files, &stop, |done, total| bar.show(done, total)))
            .await??)
    }
}

/// A name beside the database's that nothing bears.
fn put_aside(path: &Path) -> PathBuf {
    let name = |number: u32| {
        let mut name = path.as_os_str().to_owned();
        name.push(format!(".replaced-{}", stamp(Utc::now())));
        if number > 1 {
            name.push(format!("-{number}"));
        }
        PathBuf::from(name)
    };
    let free = (1..u32::MAX).map(name).find(|name| !name.exists());
    free.unwrap_or_else(|| name(u32::MAX))
}

/// Holds a database alone; who has it open for a moment is waited for.
async fn alone_soon(path: &Path) -> std::io::Result<Option<std::fs::File>> {
    let until = Instant::now() + LEAVING;
    loop {
        match alone(path)? {
            None if Instant::now() < until => sleep(Duration::from_millis(20)).await,
            held => return Ok(held),
        }
    }
}

fn in_use(path: &Path) -> Error {
    Error::internal(format!(
        "a process has the shop in {} open: end emporion serve, workers and commands",
        path.display()
    ))
}
