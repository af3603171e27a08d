//! A migrated database for every test: migrated once, then copied.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::UNIX_EPOCH;

use engine::db::{DatabaseUrl, Db, create_postgres_copy, drop_postgres_copy};

/// A database of its own for one test. It goes with the last who uses it: with this, and with every process that serves it.
#[derive(Debug)]
pub struct TestDatabase {
    pub url: DatabaseUrl,
    kept: Kept,
}

/// Keeps a test's database.
pub type Kept = Arc<Files>;

/// What a test's database is made of. Dropping it removes the folder, and the database from the run's server: that would
/// hold those of all tests otherwise, 10 GB.
#[derive(Debug)]
pub struct Files {
    folder: tempfile::TempDir,
    /// The server, and the name of the database there.
    there: Option<(String, String)>,
}

/// Whether this run is on PostgreSQL.
pub fn on_postgres() -> bool {
    match std::env::var("EMPORION_TEST_DATABASE").as_deref() {
        Ok("postgres") => true,
        Ok("sqlite") | Err(_) => false,
        Ok(other) => panic!("EMPORION_TEST_DATABASE is sqlite or postgres, not {other}"),
    }
}

impl TestDatabase {
    /// A copy of the migrated template.
    pub async fn copy() -> Self {
        if !on_postgres() {
            let database = Self::on_sqlite();
            if let DatabaseUrl::Sqlite(file) = &database.url {
                std::fs::copy(sqlite_template().await, file).unwrap();
            }
            return database;
        }
        let server = postgres_url();
        let template = postgres_template(&server).await;
        Self::made(server, Some(&template), random_name("t")).await
    }

    /// A database with nothing in it.
    pub async fn empty() -> Self {
        if !on_postgres() {
            return Self::on_sqlite();
        }
        Self::made(postgres_url(), None, random_name("e")).await
    }

    fn on_sqlite() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = DatabaseUrl::Sqlite(folder.path().join("shop.db"));
        Self { url, kept: Arc::new(Files { folder, there: None }) }
    }

    async fn made(server: String, template: Option<&str>, name: String) -> Self {
        let url = create_postgres_copy(&server, template, &name).await.unwrap();
        let kept = Files { folder: tempfile::tempdir().unwrap(), there: Some((server, name)) };
        Self { url: DatabaseUrl::Postgres(url), kept: Arc::new(kept) }
    }

    /// An empty database on a server of the test's own.
    pub fn at(url: String) -> Self {
        let kept = Files { folder: tempfile::tempdir().unwrap(), there: None };
        Self { url: DatabaseUrl::Postgres(url), kept: Arc::new(kept) }
    }

    /// Keeps the database for longer than this.
    pub fn keep(&self) -> Kept {
        self.kept.clone()
    }

    /// The folder of what is uploaded.
    pub fn files(&self) -> PathBuf {
        self.kept.folder.path().join("files")
    }

    /// The folder of mail that is written to files.
    pub fn mail(&self) -> PathBuf {
        self.kept.folder.path().join("mail")
    }

    /// The address as the command line takes it.
    pub fn address(&self) -> String {
        match &self.url {
            DatabaseUrl::Sqlite(path) => format!("sqlite:{}", path.display()),
            DatabaseUrl::Postgres(url) => url.clone(),
        }
    }
}

impl Drop for Files {
    fn drop(&mut self) {
        let Some((server, name)) = self.there.take() else { return };
        // On a thread of its own: the test's runtime may be the one that drops this.
        let dropped = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(drop_postgres_copy(&server, &name))
        });
        if let Err(error) = dropped.join().unwrap() {
            eprintln!("a test's database stays: {error}");
        }
    }
}

fn postgres_url() -> String {
    std::env::var("EMPORION_TEST_POSTGRES_URL").expect("run the tests with make test, which starts PostgreSQL")
}

fn random_name(prefix: &str) -> String {
    format!("{prefix}_{}", uuid::Uuid::new_v4().simple())
}

/// What tells this build's template from another's.
fn build() -> String {
    let binary = std::env::current_exe().unwrap().metadata().unwrap();
    let built = binary.modified().unwrap().duration_since(UNIX_EPOCH).unwrap();
    format!("{:x}", built.as_nanos() ^ u128::from(binary.len()))
}

/// One test process makes the template, the others wait for it.
fn template_lock(name: &str) -> (PathBuf, File) {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    std::fs::create_dir_all(folder).unwrap();
    let lock = File::create(folder.join(format!("{name}.lock"))).unwrap();
    lock.lock().unwrap();
    (folder.to_owned(), lock)
}

async fn migrate(url: &DatabaseUrl) {
    let db = Db::open(url).await.unwrap();
    migration::up(db.admin()).await.unwrap();
    db.close().await;
}

async fn sqlite_template() -> PathBuf {
    let (folder, _lock) = template_lock("sqlite");
    let template = folder.join(format!("template-{}.db", build()));
    if !template.exists() {
        for old in std::fs::read_dir(&folder).unwrap().flatten() {
            if old.file_name().to_string_lossy().starts_with("template-") {
                let _ = std::fs::remove_file(old.path());
            }
        }
        let making = folder.join("making.db");
        let _ = std::fs::remove_file(&making);
        migrate(&DatabaseUrl::Sqlite(making.clone())).await;
        std::fs::rename(&making, &template).unwrap();
    }
    template
}

async fn postgres_template(server: &str) -> String {
    let (_, _lock) = template_lock("postgres");
    let name = format!("template_{}", build());
    if let Ok(url) = create_postgres_copy(server, None, &name).await {
        migrate(&DatabaseUrl::Postgres(url)).await;
    }
    name
}
