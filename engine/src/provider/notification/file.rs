//! Mail as files: each one an `.eml` that mail programs open. For trying the
//! shop out, and for those who have their own way to send.

use std::path::PathBuf;

use async_trait::async_trait;
use domain::id::NotificationId;
use tokio::io::AsyncWriteExt;

use super::{Failure, Mail, NotificationProvider, formatted};

/// Writes each mail into a folder.
#[derive(Debug, Clone)]
pub struct FileMail {
    folder: PathBuf,
}

impl FileMail {
    /// Into this folder, which is made when the first mail comes.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into() }
    }

    /// Where a mail is or will be.
    pub fn path(&self, id: NotificationId) -> PathBuf {
        self.folder.join(format!("{id}.eml"))
    }

    async fn write(&self, id: NotificationId, bytes: &[u8]) -> std::io::Result<()> {
        // Mail opens accounts: it is nobody else's on this machine.
        tokio::fs::DirBuilder::new().recursive(true).mode(0o700).create(&self.folder).await?;
        let making = self.folder.join(format!("{id}.part"));
        let mut options = tokio::fs::OpenOptions::new();
        let mut file = options.write(true).create(true).truncate(true).mode(0o600).open(&making).await?;
        file.write_all(bytes).await?;
        file.sync_all().await?;
        tokio::fs::rename(&making, self.path(id)).await
    }
}

#[async_trait]
impl NotificationProvider for FileMail {
    fn name(&self) -> &'static str {
        "file"
    }

    async fn send(&self, mail: &Mail) -> Result<(), Failure> {
        let bytes = formatted(mail)?;
        let failed = |error| Failure::NotTaken(format!("{} can't be written to: {error}", self.folder.display()));
        self.write(mail.id, &bytes).await.map_err(failed)
    }

    async fn forget(&self, id: NotificationId) -> Result<(), Failure> {
        for path in [self.path(id), self.folder.join(format!("{id}.part"))] {
            match tokio::fs::remove_file(&path).await {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    return Err(Failure::NotTaken(format!("{} can't be removed: {error}", path.display())));
                }
                _ => {}
            }
        }
        Ok(())
    }

    async fn check(&self) -> Result<String, String> {
        Ok(format!("mail is written to files in {} and sent to nobody", self.folder.display()))
    }
}
