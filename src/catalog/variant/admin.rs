//! Variants of all products on the admin surface.

use async_graphql::{Context, Enum as GraphqlEnum, ID, InputObject, Object, OneofObject, SimpleObject};
use chrono::{DateTime, Utc};
use domain::catalog::{MAX_BULK_ROWS, OnError, StockState, WriteOutcome};
use domain::refusal::{ErrorCode, Refusal, Refusals};

use super::types::{AdminVariant, AdminVariantConnection};
use crate::api::call::call;
use crate::api::guard::{catalog_read, catalog_write};
use crate::api::page::{ADMIN_MAX, Page, PageArgs, SortDirection, one_sort};
use crate::api::payload::{UserError, find as found, part, top_level};
use crate::api::scalar::parse_id;
use crate::api::word::Enum;
use crate::catalog::load::VariantBy;
use crate::catalog::product::admin::AdminVariantSetInput;
use crate::catalog::store::TextFilter;
use engine::catalog::bulk::{Row, SetVariants};
use engine::catalog::listing::MAX_FILTER_VALUES;
use engine::catalog::repo::grid::{GridFilter, GridSort, WhichVariant, find, page};
use engine::error::{Error, Result};

/// Which variant you mean: exactly one of these.
#[derive(Debug, OneofObject)]
pub enum AdminVariantBy {
    /// By id.
    Id(ID),
    /// By your number for it.
    Sku(String),
    /// By its number in another system.
    ExternalReference(String),
}

impl AdminVariantBy {
    fn which(self) -> Result<WhichVariant> {
        Ok(match self {
            Self::Id(id) => WhichVariant::Id(parse_id(&id, &["by", "id"]).map_err(|_| Error::not_found("variant"))?),
            Self::Sku(sku) => WhichVariant::Sku(sku),
            Self::ExternalReference(text) => WhichVariant::ExternalReference(text),
        })
    }
}

/// What a list of variants is sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, GraphqlEnum)]
pub enum AdminVariantSortField {
    /// The SKU, whatever its capitals; variants without one come first.
    Sku,
    /// When it was changed last.
    Updated,
    /// When it was made.
    Newest,
}

/// How a list of variants is sorted.
#[derive(Debug, Clone, InputObject)]
pub struct AdminVariantSort {
    /// By what.
    pub field: AdminVariantSortField,
    /// Which way.
    #[graphql(default_with = "SortDirection::Asc")]
    pub direction: SortDirection,
}

/// What variants must be to be in the list; all that you name must hold.
#[derive(Debug, Clone, InputObject)]
pub struct AdminVariantFilter {
    /// It has this SKU.
    pub sku: Option<TextFilter>,
    /// It has this barcode.
    pub barcode: Option<TextFilter>,
    /// It is one of these products', at most 250.
    pub product_ids: Option<Vec<ID>>,
    /// SKU, barcode or product contain every word of this, whatever their capitals.
    pub text: Option<String>,
    /// What lies of it at all locations together.
    pub stock: Option<Enum<StockState>>,
    /// It was changed at this moment or later.
    pub updated_since: Option<DateTime<Utc>>,
}

fn too_many(name: &str) -> Refusal {
    let message = format!("A filter has at most {MAX_FILTER_VALUES} values.");
    Refusal::new(ErrorCode::TooMany, message).limit(MAX_FILTER_VALUES as i64).at(["filter", name])
}

/// The texts of which one must be there; none when nothing is asked for.
pub(crate) fn one_of(filter: Option<TextFilter>, name: &str) -> Result<Option<Vec<String>>, Refusal> {
    let Some(filter) = filter else { return Ok(None) };
    let values = match (filter.eq, filter.any) {
        (Some(eq), Some(any)) => any.into_iter().filter(|value| *value == eq).collect(),
        (Some(eq), None) => vec![eq],
        (None, any) => return any.map_or(Ok(None), |any| few(any, name).map(Some)),
    };
    few(values, name).map(Some)
}

fn few<T>(values: Vec<T>, name: &str) -> Result<Vec<T>, Refusal> {
    if values.len() > MAX_FILTER_VALUES { Err(too_many(name)) } else { Ok(values) }
}

impl AdminVariantFilter {
    fn read(self) -> Result<GridFilter> {
        let products = self.product_ids.map(|ids| {
            let read = |(place, id): (usize, &ID)| parse_id(id, &["filter", "productIds", &place.to_string()]);
            few(ids, "productIds")?.iter().enumerate().map(read).collect::<Result<Vec<_>, Refusal>>()
        });
        if self.text.as_ref().is_some_and(|text| text.split_whitespace().count() > MAX_FILTER_VALUES) {
            return Err(too_many("text").into());
        }
        Ok(GridFilter {
            skus: one_of(self.sku, "sku")?,
            barcodes: one_of(self.barcode, "barcode")?,
            products: products.transpose()?,
            text: self.text,
            stock: self.stock.map(|state| state.0),
            updated_since: self.updated_since,
        })
    }
}

/// Queries about variants.
#[derive(Debug, Default)]
pub struct VariantAdminQuery;

#[Object]
impl VariantAdminQuery {
    /// The variants of all products that are not deleted.
    #[graphql(guard = "catalog_read()")]
    #[allow(clippy::too_many_arguments)]
    async fn product_variants(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "So many from the front: 20 when absent, at most 250.")] first: Option<i32>,
        #[graphql(desc = "Behind this cursor.")] after: Option<String>,
        #[graphql(desc = "So many from the back, at most 250.")] last: Option<i32>,
        #[graphql(desc = "Before this cursor.")] before: Option<String>,
        #[graphql(desc = "Skip so many, at most 10000.")] offset: Option<i32>,
        #[graphql(desc = "What the variants must be.")] filter: Option<AdminVariantFilter>,
        #[graphql(desc = "How they are sorted, by one field; by SKU when absent.")] sort: Option<Vec<AdminVariantSort>>,
    ) -> async_graphql::Result<AdminVariantConnection> {
        let call = call(ctx)?;
        let count = ctx.look_ahead().field("totalCount").exists();
        let outcome = async {
            let by_sku = AdminVariantSort { field: AdminVariantSortField::Sku, direction: SortDirection::Asc };
            let sort = one_sort(sort, by_sku)?;
            let filter = filter.map(AdminVariantFilter::read).transpose()?.unwrap_or_default();
            let key = match sort.field {
                AdminVariantSortField::Sku => GridSort::Sku,
                AdminVariantSortField::Updated => GridSort::Updated,
                AdminVariantSortField::Newest => GridSort::Newest,
            };
            let args = PageArgs { first, after, last, before, offset };
            let list = ("admin variants", key, sort.direction, &filter);
            let asked = Page::read(args, ADMIN_MAX, sort.direction == SortDirection::Desc, &list)?;
            page(&call.conn(), &filter, key, asked, count).await
        };
        outcome.await.map(AdminVariantConnection::from).map_err(top_level)
    }

    /// One variant; null when there is none.
    #[graphql(guard = "catalog_read()")]
    async fn product_variant(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which variant.")] by: AdminVariantBy,
    ) -> async_graphql::Result<Option<AdminVariant>> {
        let call = call(ctx)?;
        let outcome = async { find(&call.conn(), &by.which()?).await };
        Ok(found(outcome.await)?.flatten().map(AdminVariant::from))
    }
}

/// A variant that is made, changed or deleted.
#[derive(Debug, InputObject)]
pub struct AdminVariantRowInput {
    /// Of which product; needed for a new variant.
    pub product_id: Option<ID>,
    /// Which variant, and what is wished of it. It is found by `id`, else by `externalReference`, else by `sku`; one
    /// that isn't found is made.
    pub variant: AdminVariantSetInput,
    /// Whether it is deleted instead.
    #[graphql(default = false)]
    pub delete: bool,
}

/// Many variants.
#[derive(Debug, InputObject)]
pub struct AdminProductVariantsBulkSetInput {
    /// The rows, at most 2000, of one product or of several.
    pub rows: Vec<AdminVariantRowInput>,
    /// What a refused row does to the others; it refuses all when absent.
    pub on_error: Option<Enum<OnError>>,
}

/// What became of a row.
#[derive(SimpleObject)]
#[graphql(complex)]
pub struct AdminVariantRowResult {
    /// The place of the row in your input, from 0.
    pub index: i32,
    /// What became of it.
    pub outcome: Enum<WriteOutcome>,
    /// Every reason against it; their paths begin at `rows`.
    pub user_errors: Vec<UserError>,
    #[graphql(skip)]
    id: Option<domain::id::VariantId>,
}

#[async_graphql::ComplexObject]
impl AdminVariantRowResult {
    /// The variant, if there is one now.
    async fn variant(&self, ctx: &Context<'_>) -> async_graphql::Result<Option<AdminVariant>> {
        let Some(id) = self.id else { return Ok(None) };
        Ok(call(ctx)?.load(VariantBy(id)).await?.map(|row| AdminVariant::from((*row).clone())))
    }
}

/// What `productVariantsBulkSet` did.
#[derive(SimpleObject)]
pub struct AdminProductVariantsBulkSetPayload {
    /// What became of each row, in the order of your input; null when nothing was written.
    pub results: Option<Vec<AdminVariantRowResult>>,
    /// How many variants are new.
    pub created: i32,
    /// How many were changed.
    pub updated: i32,
    /// How many were as wished.
    pub unchanged: i32,
    /// How many are gone.
    pub deleted: i32,
    /// How many rows were refused.
    pub refused: i32,
    /// Every reason against every row; with `SKIP_ROW` the other rows were written all the same.
    pub user_errors: Vec<UserError>,
}

impl AdminProductVariantsBulkSetInput {
    fn op(self) -> Result<SetVariants> {
        if self.rows.len() > MAX_BULK_ROWS {
            let message = format!("At most {MAX_BULK_ROWS} rows at once.");
            return Err(Refusal::new(ErrorCode::TooMany, message).limit(MAX_BULK_ROWS as i64).at(["rows"]).into());
        }
        let mut refused = Vec::new();
        let mut rows = Vec::with_capacity(self.rows.len());
        for (place, row) in self.rows.into_iter().enumerate() {
            let number = place.to_string();
            let mut refusals = Refusals::default();
            let product = row.product_id.as_ref().map(|id| parse_id(id, &["rows", &number, "productId"])).transpose();
            let product = refusals.keep(product).flatten();
            let variant = row.variant.wish(&["rows", &number, "variant"], &mut refusals);
            if let Err(faults) = refusals.into_result() {
                refused.extend(faults.into_iter().map(|fault| (place, fault)));
            }
            rows.push(Row { product, variant, delete: row.delete });
        }
        Ok(SetVariants { rows, on_error: self.on_error.map_or(OnError::Abort, |word| word.0), refused })
    }
}

/// Mutations of variants.
#[derive(Debug, Default)]
pub struct VariantAdminMutation;

#[Object]
impl VariantAdminMutation {
    /// Makes, changes and deletes up to 2000 variants of one product or several, in one transaction.
    #[graphql(guard = "catalog_write()")]
    async fn product_variants_bulk_set(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The rows, and what a refused one does to the others.")]
        input: AdminProductVariantsBulkSetInput,
    ) -> async_graphql::Result<AdminProductVariantsBulkSetPayload> {
        let call = call(ctx)?;
        let rows = i32::try_from(input.rows.len()).unwrap_or(i32::MAX);
        let outcome = async { call.app.run(&call.caller, &input.op()?).await };
        let (done, mut user_errors) = part(outcome.await)?;
        let Some(done) = done else {
            return Ok(AdminProductVariantsBulkSetPayload {
                results: None,
                created: 0,
                updated: 0,
                unchanged: 0,
                deleted: 0,
                refused: rows,
                user_errors,
            });
        };
        let count = |word| done.iter().filter(|done| done.outcome == word).count() as i32;
        let counts = [
            count(WriteOutcome::Created),
            count(WriteOutcome::Updated),
            count(WriteOutcome::Unchanged),
            count(WriteOutcome::Deleted),
            count(WriteOutcome::Refused),
        ];
        user_errors.extend(done.iter().flat_map(|done| done.refusals.iter().cloned()).map(UserError::from));
        let result = |(place, done): (usize, engine::catalog::bulk::Done)| AdminVariantRowResult {
            index: place as i32,
            outcome: Enum(done.outcome),
            user_errors: done.refusals.into_iter().map(UserError::from).collect(),
            id: done.variant,
        };
        let results = Some(done.into_iter().enumerate().map(result).collect());
        let [created, updated, unchanged, deleted, refused] = counts;
        Ok(AdminProductVariantsBulkSetPayload { results, created, updated, unchanged, deleted, refused, user_errors })
    }
}
