//! Imports in this process, as the command line does them.

use domain::catalog::OnError;
use domain::import::RowRefusal;
use engine::actor::Caller;
use engine::catalog::import::ImportInput;
use engine::job::runner;
use engine::job::text::hash_of;
use entity::job;
use tokio_util::sync::CancellationToken;

use super::Shop;

/// What became of the products of a file.
#[derive(Debug)]
pub struct Report {
    pub job: job::Model,
    pub errors: Vec<RowRefusal>,
}

/// Created, updated, unchanged, refused.
pub fn counts(report: &Report) -> [i64; 4] {
    [report.job.created, report.job.changed, report.job.unchanged, report.job.refused]
}

/// `row column value` of each refused cell.
pub fn cells(report: &Report) -> Vec<String> {
    report.errors.iter().map(|told| format!("{} {} {}", told.row, told.column, told.value)).collect()
}

/// An import that leaves refused products out.
pub fn skipping() -> ImportInput {
    ImportInput {
        path: None,
        hash: String::new(),
        name: "goods".to_owned(),
        dialect: None,
        currency: None,
        on_error: OnError::SkipRow,
        media_base: None,
    }
}

/// An import that one refused product refuses.
pub fn whole() -> ImportInput {
    ImportInput { on_error: OnError::Abort, ..skipping() }
}

/// Imports these bytes.
pub async fn import_bytes(shop: &Shop, bytes: &[u8], input: ImportInput, dry_run: bool) -> Report {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("goods");
    std::fs::write(&path, bytes).unwrap();
    let owner = runner::owner(&shop.app);
    let hash = match hash_of(path.clone(), owner.clone()).await.unwrap() {
        Ok(hash) => hash,
        Err(errors) => panic!("{errors:?}"),
    };
    let input = ImportInput { path: Some(path), hash, ..input };
    let created = shop.app.run(&Caller::system(), &input.job(dry_run, Some(owner)).unwrap()).await.unwrap();
    let job = runner::work(&shop.app, created, &CancellationToken::new(), &|_| {}).await.unwrap();
    let errors = serde_json::from_value(job.errors.clone()).unwrap();
    Report { job, errors }
}
