//! Categories on the admin surface.

use async_graphql::{Context, Enum as GraphqlEnum, ID, InputObject, MaybeUndefined, Object};
use domain::refusal::{ErrorCode, Refusal, Refusals};

use super::store::CategoryBy;
use super::types::{AdminCategory, AdminCategoryConnection};
use crate::api::call::call;
use crate::api::guard::{catalog_read, catalog_write};
use crate::api::input::change;
use crate::api::page::{ADMIN_MAX, Page, PageArgs, SortDirection, one_sort};
use crate::api::payload::{payload, top_level};
use crate::api::scalar::{id, parse_id};
use crate::catalog::types::AdminProduct;
use crate::collection::admin::{parse_ids, searched};
use engine::catalog::texts::TextChange;
use engine::category::ops::{DeleteCategory, MoveCategory, SetCategory, SetProductCategories};
use engine::category::repo::{Below, SortKey, Wanted, find, page};
use engine::error::{Error, Result};

/// What categories must be to be in the list.
#[derive(Debug, Clone, InputObject)]
pub struct AdminCategoryFilter {
    /// Title or handle contain every word of this, whatever their capitals; at most 20 words.
    pub text: Option<String>,
    /// They stand directly below this one; with null, at the top.
    pub parent_id: MaybeUndefined<ID>,
    /// They themselves are active, whatever is above them.
    pub active: Option<bool>,
}

impl AdminCategoryFilter {
    fn read(self) -> Result<Wanted, Refusal> {
        let below = match &self.parent_id {
            MaybeUndefined::Undefined => Below::Anywhere,
            MaybeUndefined::Null => Below::Top,
            MaybeUndefined::Value(id) => Below::Parent(parse_id(id, &["filter", "parentId"])?),
        };
        Ok(Wanted { text: searched(self.text)?, below, active: self.active })
    }
}

/// What a list of categories is sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, GraphqlEnum)]
pub enum AdminCategorySortField {
    /// The place among the siblings: for the categories below one.
    Position,
    /// The title, whatever its capitals.
    Title,
    /// When it was made.
    Newest,
}

/// How a list of categories is sorted.
#[derive(Debug, Clone, InputObject)]
pub struct AdminCategorySort {
    /// By what.
    pub field: AdminCategorySortField,
    /// Which way.
    #[graphql(default_with = "SortDirection::Asc")]
    pub direction: SortDirection,
}

/// Queries about categories.
#[derive(Debug, Default)]
pub struct CategoryAdminQuery;

#[Object]
impl CategoryAdminQuery {
    /// All categories that are not deleted, whatever their level.
    #[graphql(guard = "catalog_read()")]
    #[allow(clippy::too_many_arguments)]
    async fn categories(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "So many from the front: 20 when absent, at most 250.")] first: Option<i32>,
        #[graphql(desc = "Behind this cursor.")] after: Option<String>,
        #[graphql(desc = "So many from the back, at most 250.")] last: Option<i32>,
        #[graphql(desc = "Before this cursor.")] before: Option<String>,
        #[graphql(desc = "Skip so many, at most 10000.")] offset: Option<i32>,
        #[graphql(desc = "What the categories must be.")] filter: Option<AdminCategoryFilter>,
        #[graphql(desc = "How they are sorted, by one field; by position when absent.")] sort: Option<
            Vec<AdminCategorySort>,
        >,
    ) -> async_graphql::Result<AdminCategoryConnection> {
        let call = call(ctx)?;
        let count = ctx.look_ahead().field("totalCount").exists();
        let outcome = async {
            let position = AdminCategorySort { field: AdminCategorySortField::Position, direction: SortDirection::Asc };
            let sort = one_sort(sort, position)?;
            let key = match sort.field {
                AdminCategorySortField::Position => SortKey::Position,
                AdminCategorySortField::Title => SortKey::Title,
                AdminCategorySortField::Newest => SortKey::Newest,
            };
            let wanted = filter.map(AdminCategoryFilter::read).transpose()?.unwrap_or_default();
            let args = PageArgs { first, after, last, before, offset };
            let descending = sort.direction == SortDirection::Desc;
            let asked = Page::read(args, ADMIN_MAX, descending, &("admin categories", key, descending, &wanted))?;
            page(&call.conn(), &wanted, key, asked, count).await
        };
        outcome.await.map(AdminCategoryConnection::from).map_err(top_level)
    }

    /// One category; null when there is none.
    #[graphql(guard = "catalog_read()")]
    async fn category(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which category.")] by: CategoryBy,
    ) -> async_graphql::Result<Option<AdminCategory>> {
        let Ok(named) = by.named(&[]) else { return Ok(None) };
        let found = find(&call(ctx)?.conn(), &named, false).await.map_err(top_level)?;
        Ok(found.map(AdminCategory::from))
    }
}

/// A category as you want it; of one that there is, what you leave out stays.
#[derive(Debug, InputObject)]
pub struct AdminCategorySetInput {
    /// Which category; without it the handle says which.
    pub id: Option<ID>,
    /// Its handle: without an id, a known one changes that category and a new one makes one. Made from the
    /// title when neither is given.
    pub handle: Option<String>,
    /// The version that you read, 0 for one that is new; another one in the database is a `CONFLICT`.
    pub expected_version: Option<i32>,
    /// Its title, 1 to 255 characters; a new category needs one.
    pub title: Option<String>,
    /// Its description as HTML; what is not safe is taken out.
    pub description_html: Option<String>,
    /// The title for search engines; null clears it.
    pub seo_title: MaybeUndefined<String>,
    /// The description for search engines; null clears it.
    pub seo_description: MaybeUndefined<String>,
    /// Whether shoppers see it and what is below it; a new one is active.
    pub active: Option<bool>,
    /// The category above it; null puts it at the top, where a new one stands. The tree is at most 8 deep.
    pub parent_id: MaybeUndefined<ID>,
    /// Its place among its siblings, from 0; the end when it is new there.
    pub position: Option<i32>,
}

/// Where a category goes, with all below it.
#[derive(Debug, InputObject)]
pub struct AdminCategoryMoveInput {
    /// Which category.
    pub id: ID,
    /// The version that you read; another one in the database is a `CONFLICT`.
    pub expected_version: Option<i32>,
    /// Below this one; to the top when absent. Never below itself.
    pub parent_id: Option<ID>,
    /// Its place among its siblings there, from 0; the end when absent.
    pub position: Option<i32>,
}

/// Which category goes.
#[derive(Debug, InputObject)]
pub struct AdminCategoryDeleteInput {
    /// Which category.
    pub id: ID,
    /// The version that you read; another one in the database is a `CONFLICT`.
    pub expected_version: Option<i32>,
}

/// In which categories a product is.
#[derive(Debug, InputObject)]
pub struct AdminProductCategoriesSetInput {
    /// Which product.
    pub product_id: ID,
    /// The version of the product that you read; another one in the database is a `CONFLICT`.
    pub expected_version: Option<i32>,
    /// In these and in no other, the main one first; at most 50.
    pub category_ids: Vec<ID>,
}

payload! {
    /// What `categorySet` did.
    AdminCategorySetPayload {
        /// The category as it is now.
        category: AdminCategory
    }
}

payload! {
    /// What `categoryMove` did.
    AdminCategoryMovePayload {
        /// The category as it is now.
        category: AdminCategory
    }
}

payload! {
    /// What `categoryDelete` did.
    AdminCategoryDeletePayload {
        /// The id of the category that is gone.
        deleted_category_id: ID
    }
}

payload! {
    /// What `productCategoriesSet` did.
    AdminProductCategoriesSetPayload {
        /// The product as it is now.
        product: AdminProduct
    }
}

fn place(position: Option<i32>, refusals: &mut Refusals) -> Option<i64> {
    if position.is_some_and(|place| place < 0) {
        refusals.push(Refusal::new(ErrorCode::Invalid, "Places count from 0.").at(["position"]));
    }
    position.map(i64::from)
}

/// Mutations of categories.
#[derive(Debug, Default)]
pub struct CategoryAdminMutation;

#[Object]
impl CategoryAdminMutation {
    /// Makes or changes a category.
    #[graphql(guard = "catalog_write()")]
    async fn category_set(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The category.")] input: AdminCategorySetInput,
    ) -> async_graphql::Result<AdminCategorySetPayload> {
        let call = call(ctx)?;
        let outcome = async {
            let mut refusals = Refusals::default();
            let id = refusals.keep(input.id.as_ref().map(|id| parse_id(id, &["id"])).transpose()).flatten();
            let parent = change(input.parent_id).try_map(|id| parse_id(&id, &["parentId"]));
            let parent = refusals.keep(parent).unwrap_or_default();
            let position = place(input.position, &mut refusals);
            refusals.into_result()?;
            let texts = TextChange {
                title: input.title,
                description_html: input.description_html,
                seo_title: change(input.seo_title),
                seo_description: change(input.seo_description),
            };
            let (handle, expected_version) = (input.handle, input.expected_version);
            let op = SetCategory { id, handle, expected_version, texts, active: input.active, parent, position };
            call.app.run(&call.caller, &op).await.map(AdminCategory::from)
        };
        AdminCategorySetPayload::answer(outcome.await)
    }

    /// Moves a category, and all below it, to another place of the tree.
    #[graphql(guard = "catalog_write()")]
    async fn category_move(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What goes where.")] input: AdminCategoryMoveInput,
    ) -> async_graphql::Result<AdminCategoryMovePayload> {
        let call = call(ctx)?;
        let outcome = async {
            let mut refusals = Refusals::default();
            let id = refusals.keep(parse_id(&input.id, &["id"]));
            let parent = input.parent_id.as_ref().map(|id| parse_id(id, &["parentId"])).transpose();
            let parent = refusals.keep(parent).flatten();
            let position = place(input.position, &mut refusals);
            refusals.into_result()?;
            let id = id.ok_or_else(|| Error::internal("a refusal was lost"))?;
            let op = MoveCategory { id, expected_version: input.expected_version, parent, position };
            call.app.run(&call.caller, &op).await.map(AdminCategory::from)
        };
        AdminCategoryMovePayload::answer(outcome.await)
    }

    /// Takes a category out of the tree; its products stay in the shop. Nothing may stand below it.
    #[graphql(guard = "catalog_write()")]
    async fn category_delete(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The category.")] input: AdminCategoryDeleteInput,
    ) -> async_graphql::Result<AdminCategoryDeletePayload> {
        let call = call(ctx)?;
        let outcome = async {
            let op = DeleteCategory { id: parse_id(&input.id, &["id"])?, expected_version: input.expected_version };
            call.app.run(&call.caller, &op).await.map(id)
        };
        AdminCategoryDeletePayload::answer(outcome.await)
    }

    /// Says in which categories a product is.
    #[graphql(guard = "catalog_write()")]
    async fn product_categories_set(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The product and its categories.")] input: AdminProductCategoriesSetInput,
    ) -> async_graphql::Result<AdminProductCategoriesSetPayload> {
        let call = call(ctx)?;
        let outcome = async {
            let mut refusals = Refusals::default();
            let product = refusals.keep(parse_id(&input.product_id, &["productId"]));
            let categories = parse_ids(&input.category_ids, "categoryIds", &mut refusals);
            refusals.into_result()?;
            let product = product.ok_or_else(|| Error::internal("a refusal was lost"))?;
            let op = SetProductCategories { product, expected_version: input.expected_version, categories };
            call.app.run(&call.caller, &op).await.map(AdminProduct::from)
        };
        AdminProductCategoriesSetPayload::answer(outcome.await)
    }
}
