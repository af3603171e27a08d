//! A migrated database for every test: migrated once, then copied.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use engine::db::{DatabaseUrl, Db, create_postgres_copy};

/// A database of its own for one test. Dropping it removes the folder.
#[derive(Debug)]
pub struct TestDatabase {
    pub url: DatabaseUrl,
    folder: tempfile::TempDir,
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
        let folder = tempfile::tempdir().unwrap();
        let url = if on_postgres() {
            let server = postgres_url();
            let template = postgres_template(&server).await;
            let copy = create_postgres_copy(&server, Some(&template), &random_name("t")).await.unwrap();
            DatabaseUrl::Postgres(copy)
        } else {
            let file = folder.path().join("shop.db");
            std::fs::copy(sqlite_template().await, &file).unwrap();
            DatabaseUrl::Sqlite(file)
        };
        Self { url, folder }
    }

    /// A database with nothing in it.
    pub async fn empty() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = if on_postgres() {
            DatabaseUrl::Postgres(create_postgres_copy(&postgres_url(), None, &random_name("e")).await.unwrap())
        } else {
            DatabaseUrl::Sqlite(folder.path().join("shop.db"))
        };
        Self { url, folder }
    }

    /// An empty database on a server of the test's own.
    pub fn at(url: String) -> Self {
        Self { url: DatabaseUrl::Postgres(url), folder: tempfile::tempdir().unwrap() }
    }

    /// The folder of what is uploaded.
    pub fn files(&self) -> PathBuf {
        self.folder.path().join("files")
    }

    /// The folder of mail that is written to files.
    pub fn mail(&self) -> PathBuf {
        self.folder.path().join("mail")
    }

    /// The address as the command line takes it.
    pub fn address(&self) -> String {
        match &self.url {
            DatabaseUrl::Sqlite(path) => format!("sqlite:{}", path.display()),
            DatabaseUrl::Postgres(url) => url.clone(),
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
