//! `emporion doctor`: what is wrong with the shop, and how to mend it.

use std::path::Path;
use std::process::ExitCode;

use clap::Args;
use migration::pending;

use super::Place;
use crate::http::limits::Documents;
use crate::http::trusted::Trusting;
use engine::app::App;
use engine::db::{DatabaseUrl, Db};
use engine::doctor::{Finding, Severity, disk, examine, secret};
use engine::error::{Error, Result};
use engine::provider::payment::PaymentProvider;

/// Looks the shop over and says how to mend what is wrong. Ends with 1 when
/// something does not work.
#[derive(Debug, Args)]
pub struct Doctor {
    #[command(flatten)]
    trusting: Trusting,
    #[command(flatten)]
    documents: Documents,
    #[command(flatten)]
    place: Place,
}

impl Doctor {
    /// Does it. Changes nothing.
    pub async fn run(self) -> Result<ExitCode> {
        let url = self.place.database();
        let mut found = Vec::new();
        match self.database(&url).await {
            Ok(db) => {
                found.push(Finding::fine(format!("the database {url} answers")));
                let pending = pending(db.admin()).await;
                match pending.as_slice() {
                    [] => {
                        found.push(Finding::fine("every migration is applied"));
                        let builder =
                            App::builder(&url).await?.redis(self.place.redis_url.clone()).mail(self.place.mail()?);
                        let builder = builder.rate_providers(self.place.rate_providers()?);
                        let app = builder.stripe(self.place.stripe()?).open().await?;
                        found.extend(examine(&app).await?);
                        app.db.close().await;
                    }
                    names => found.push(Finding::fault(
                        format!("{} migration(s) are missing: {}", names.len(), names.join(", ")),
                        "run emporion migrate up, or start emporion serve",
                    )),
                }
                db.close().await;
            }
            Err(error) => found.push(Finding::fault(
                format!("the database {url} can't be opened: {error}"),
                "mend --database-url or --data-dir, or set a shop up there with emporion migrate up or emporion serve",
            )),
        }
        found.extend(self.stripe().await?);
        found.extend(self.trusted().await);
        found.extend(self.disks(&url));
        let shared = matches!(url, DatabaseUrl::Postgres(_));
        found.extend(secret(std::env::var("EMPORION_SECRET").ok().as_deref(), shared));
        print(&found);
        let works = found.iter().all(|finding| finding.severity < Severity::Fault);
        Ok(if works { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }

    async fn database(&self, url: &DatabaseUrl) -> Result<Db> {
        if let DatabaseUrl::Sqlite(path) = url
            && !path.exists()
        {
            // Opening it would make an empty file that looks like a shop.
            return Err(Error::internal("there is no such file"));
        }
        Db::open(url).await
    }

    /// The account at Stripe, when there is one.
    async fn stripe(&self) -> Result<Vec<Finding>> {
        let Some(account) = self.place.stripe()? else { return Ok(Vec::new()) };
        let mut found = vec![match account.check().await {
            Ok(what) => Finding::fine(what),
            Err(what) => Finding::fault(what, "look at stripe_secret_key, and at the way to https://api.stripe.com"),
        }];
        if !account.sends_events() {
            let what = "Stripe has no way to tell of payments: who pays and never comes back gets no order for an hour";
            let remedy = "add an endpoint for /hooks/payment/stripe at Stripe, and set stripe_webhook_secret";
            found.push(Finding::warning(what, remedy));
        }
        Ok(found)
    }

    /// The trusted documents, when there are files of them.
    async fn trusted(&self) -> Option<Finding> {
        if self.trusting.trusted_documents.is_empty() && !self.trusting.trusted_only {
            return None;
        }
        let mut trusting = self.trusting.clone();
        Some(match trusting.load(&self.documents.limits()).await {
            Ok(()) => Finding::fine(format!("{} trusted document(s) fit the schema", trusting.count())),
            Err(fault) => Finding::fault(fault, "build the documents anew against schema.graphql of this release"),
        })
    }

    /// The folders that grow, each once.
    fn disks(&self, url: &DatabaseUrl) -> Vec<Finding> {
        let mut folders: Vec<&Path> = Vec::new();
        if let DatabaseUrl::Sqlite(path) = url {
            folders.extend(path.parent());
        }
        folders.push(self.place.files_dir.as_deref().unwrap_or(&self.place.data_dir));
        folders.dedup();
        let look = |folder: &Path| {
            // What is not there yet will be made in the first folder above that is; a bare name is in the working one.
            let there = folder.ancestors().find(|above| above.is_dir()).unwrap_or(Path::new("."));
            let space = rustix::fs::statvfs(there).ok()?;
            let named = if folder.as_os_str().is_empty() { there } else { folder };
            Some(disk(space.f_bavail.saturating_mul(space.f_frsize), &named.display().to_string()))
        };
        folders.into_iter().filter_map(look).collect()
    }
}

fn print(found: &[Finding]) {
    for finding in found {
        let mark = match finding.severity {
            Severity::Fine => "ok     ",
            Severity::Warning => "warning",
            Severity::Fault => "fault  ",
        };
        println!("{mark}  {}", finding.what);
        if !finding.remedy.is_empty() {
            println!("         → {}", finding.remedy);
        }
    }
    let count = |severity| found.iter().filter(|finding| finding.severity == severity).count();
    println!("{} fault(s), {} warning(s)", count(Severity::Fault), count(Severity::Warning));
}
