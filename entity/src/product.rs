//! A product.

use domain::catalog::ProductStatus;
use domain::id::{ProductId, ProductTypeId, ShippingProfileId};
use domain::text::Handle;
use sea_orm::entity::prelude::*;

/// A product.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "product")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: ProductId,
    pub version: i32,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
    pub deleted_at: Option<DateTimeUtc>,
    pub handle: Handle,
    pub status: ProductStatus,
    pub title: String,
    /// The title in lower case: what sorting by title compares.
    pub title_fold: String,
    pub subtitle: Option<String>,
    /// Sanitised when written.
    pub description_html: String,
    pub vendor: Option<String>,
    pub type_id: Option<ProductTypeId>,
    pub external_reference: Option<String>,
    pub discountable: bool,
    pub gift_card: bool,
    /// How it is shipped; as the default profile says when absent.
    pub shipping_profile_id: Option<ShippingProfileId>,
    pub seo_title: Option<String>,
    pub seo_description: Option<String>,
    pub metadata: Json,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
