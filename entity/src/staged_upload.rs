//! A permission to upload one file, and what came of it.

use domain::id::{MediaId, StagedUploadId};
use domain::media::FileType;
use sea_orm::entity::prelude::*;

/// A permission to upload one file, and what came of it.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "staged_upload")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: StagedUploadId,
    pub created_at: DateTimeUtc,
    pub expires_at: DateTimeUtc,
    /// Who may upload and use it, as the audit log names him.
    pub actor: String,
    #[sea_orm(unique)]
    pub token_hash: Vec<u8>,
    pub filename: String,
    pub file_type: FileType,
    pub file_size: i64,
    /// When somebody began to send the file: a token is good for one try.
    pub taken_at: Option<DateTimeUtc>,
    /// What was stored: the SHA-256 of the file in hexadecimal digits.
    pub file_hash: Option<String>,
    pub width: Option<i32>,
    pub height: Option<i32>,
    /// The medium that was made of it.
    pub media_id: Option<MediaId>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
