//! A shopper: a guest, or the owner of an account.

use domain::id::CustomerId;
use domain::tax::TaxNumber;
use domain::text::Email;
use sea_orm::entity::prelude::*;

/// A shopper: a guest, or the owner of an account.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "customer")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: CustomerId,
    pub version: i32,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
    pub deleted_at: Option<DateTimeUtc>,
    pub email: Email,
    pub has_account: bool,
    pub first_name: Option<String>,
    pub last_name: Option<String>,
    pub phone: Option<String>,
    /// The language in which he is written to.
    pub locale: Option<String>,
    pub accepts_marketing: bool,
    /// When the owner of the account proved that the mailbox is his.
    pub verified_at: Option<DateTimeUtc>,
    /// The address that he wants instead and has not proved yet.
    pub new_email: Option<Email>,
    /// The address that he had before, so that it can be told.
    pub previous_email: Option<Email>,
    /// What staff search in, folded.
    pub search_text: String,
    pub tax_exempt: bool,
    pub tax_number: Option<TaxNumber>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
