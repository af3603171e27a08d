//! What staff change about categories.

use domain::auth::Permission;
use domain::category::{MAX_CATEGORIES, MAX_OF_PRODUCT, Tree, path};
use domain::id::{CategoryId, ProductId};
use domain::refusal::{ErrorCode, Refusal, Refusals};
use domain::text::Handle;
use entity::{category, product};
use serde_json::json;

use super::repo;
use crate::actor::Need;
use crate::catalog::texts::{TextChange, Texts};
use crate::error::{Error, Result};
use crate::event::Aggregate;
use crate::op::{Op, Tx};
use crate::version::{Change, check_version};

const WRITE: Need = Need::Permission(Permission::CatalogWrite);

/// A category as staff want it; what is not given stays.
#[derive(Debug, Clone, Default)]
pub struct SetCategory {
    /// Which one; without it the handle says which.
    pub id: Option<CategoryId>,
    /// Its handle; made from the title when neither is given.
    pub handle: Option<String>,
    /// The version that staff saw; 0 when there shall be none yet.
    pub expected_version: Option<i32>,
    /// Its texts.
    pub texts: TextChange,
    /// Whether shoppers see it and what is below it; something new is active.
    pub active: Option<bool>,
    /// The one above it; something new stands at the top.
    pub parent: Change<CategoryId>,
    /// Its place among its siblings, from 0; the end when it is new there.
    pub position: Option<i64>,
}

impl Op for SetCategory {
    const NAME: &'static str = "category.set";
    const NEEDS: Need = WRITE;
    type Out = category::Model;

    async fn run(&self, tx: &mut Tx) -> Result<category::Model> {
        let mut refusals = Refusals::default();
        let tree = repo::lock_tree(tx).await?;
        let (known, handle) = self.find(tx, &mut refusals).await?;
        if let Some(handle) = &handle
            && known.as_ref().is_some_and(|row| row.handle != *handle)
            && repo::find_handle(&tx.conn, handle).await?.is_some()
        {
            refusals.push(handle.taken());
        }
        let texts = self.texts.apply(known.as_ref().map(texts_of), &mut refusals);
        let id = known.as_ref().map(|row| row.id);
        let parent = match (&self.parent, &known) {
            (Change::Keep, Some(row)) => row.parent_id,
            (Change::To(parent), _) => Some(*parent),
            _ => None,
        };
        refusals.keep(tree.check_parent(id, parent));
        if known.is_none() && tree.len() >= MAX_CATEGORIES {
            let message = format!("A shop has at most {MAX_CATEGORIES} categories.");
            refusals.push(Refusal::new(ErrorCode::TooMany, message).limit(MAX_CATEGORIES as i64));
        }
        refusals.into_result()?;
        let handle = handle.ok_or_else(|| Error::internal("a refusal was lost"))?;
        check_version(self.expected_version, known.as_ref().map_or(0, |row| row.version))?;
        let mut row = category::Model {
            id: id.unwrap_or_else(|| tx.id()),
            version: known.as_ref().map_or(1, |row| row.version + 1),
            created_at: known.as_ref().map_or(tx.now(), |row| row.created_at),
            updated_at: tx.now(),
            deleted_at: None,
            handle,
            parent_id: parent,
            path: String::new(),
            rank: 0,
            active: self.active.or(known.as_ref().map(|row| row.active)).unwrap_or(true),
            title_fold: texts.title.to_lowercase(),
            title: texts.title,
            description_html: texts.description_html,
            seo_title: texts.seo_title,
            seo_description: texts.seo_description,
        };
        settle(tx, &tree, known.as_ref(), &mut row, self.position).await?;
        let row = repo::save(tx, row, known.is_none()).await?;
        let kind = if known.is_none() { "category.created" } else { "category.changed" };
        tx.emit(Aggregate::new("category", row.id), kind, json!({ "version": row.version }));
        tx.audit(row.id, known.as_ref().map(summary), Some(summary(&row)));
        Ok(row)
    }
}

impl SetCategory {
    /// The category that is meant, and the handle that it shall have.
    async fn find(&self, tx: &Tx, refusals: &mut Refusals) -> Result<(Option<category::Model>, Option<Handle>)> {
        if let Some(id) = self.id {
            let row = repo::by_ids(&tx.conn, &[id]).await?.pop().ok_or_else(|| Error::not_found("category"))?;
            let handle = match &self.handle {
                Some(text) => refusals.keep(text.parse().map_err(|refusal: Refusal| refusal.at(["handle"]))),
                None => Some(row.handle.clone()),
            };
            return Ok((Some(row), handle));
        }
        let title = self.texts.title.as_deref().unwrap_or_default();
        let handle = refusals.keep(Handle::given_or_made(self.handle.as_deref(), title));
        let known = match &handle {
            Some(handle) => repo::find_handle(&tx.conn, handle).await?,
            None => None,
        };
        Ok((known, handle))
    }
}

fn texts_of(row: &category::Model) -> Texts {
    Texts {
        title: row.title.clone(),
        description_html: row.description_html.clone(),
        seo_title: row.seo_title.clone(),
        seo_description: row.seo_description.clone(),
    }
}

fn summary(row: &category::Model) -> serde_json::Value {
    json!({
        "handle": row.handle, "title": row.title, "active": row.active,
        "parent": row.parent_id, "position": row.rank,
    })
}

/// Gives a category its place below its parent: its siblings make room and
/// close up, and what is below it comes along.
async fn settle(
    tx: &mut Tx,
    tree: &Tree,
    before: Option<&category::Model>,
    row: &mut category::Model,
    wished: Option<i64>,
) -> Result<()> {
    row.path = path(&tree.path_to(row.parent_id), row.id);
    let stays = before.is_some_and(|before| before.parent_id == row.parent_id);
    if let (Some(before), true, None) = (before, stays, wished) {
        row.rank = before.rank;
        return Ok(());
    }
    row.rank = tree.place(Some(row.id), row.parent_id, wished);
    if let Some(before) = before {
        repo::shift(tx, before.parent_id, row.id, before.rank, -1).await?;
        if !stays {
            repo::move_branch(tx, &before.path, &row.path).await?;
        }
    }
    repo::shift(tx, row.parent_id, row.id, row.rank, 1).await
}

/// Moves a category, and all below it, to another place of the tree.
#[derive(Debug, Clone)]
pub struct MoveCategory {
    /// Which one.
    pub id: CategoryId,
    /// The version that staff saw.
    pub expected_version: Option<i32>,
    /// Below this one; without it to the top.
    pub parent: Option<CategoryId>,
    /// Its place among its siblings there, from 0; the end when absent.
    pub position: Option<i64>,
}

impl Op for MoveCategory {
    const NAME: &'static str = "category.move";
    const NEEDS: Need = WRITE;
    type Out = category::Model;

    async fn run(&self, tx: &mut Tx) -> Result<category::Model> {
        let tree = repo::lock_tree(tx).await?;
        let found = repo::by_ids(&tx.conn, &[self.id]).await?.pop();
        let before = found.ok_or_else(|| Error::not_found("category"))?;
        check_version(self.expected_version, before.version)?;
        tree.check_parent(Some(self.id), self.parent)?;
        let mut row = before.clone();
        row.parent_id = self.parent;
        let wished = self.position.unwrap_or(i64::MAX);
        settle(tx, &tree, Some(&before), &mut row, Some(wished)).await?;
        row.version += 1;
        row.updated_at = tx.now();
        let row = repo::save(tx, row, false).await?;
        let payload = json!({ "version": row.version, "parent": row.parent_id });
        tx.emit(Aggregate::new("category", row.id), "category.moved", payload);
        tx.audit(row.id, Some(summary(&before)), Some(summary(&row)));
        Ok(row)
    }
}

/// Takes a category out of the tree; its products stay in the shop.
#[derive(Debug, Clone)]
pub struct DeleteCategory {
    /// Which one; nothing may stand below it.
    pub id: CategoryId,
    /// The version that staff saw.
    pub expected_version: Option<i32>,
}

impl Op for DeleteCategory {
    const NAME: &'static str = "category.delete";
    const NEEDS: Need = WRITE;
    type Out = CategoryId;

    async fn run(&self, tx: &mut Tx) -> Result<CategoryId> {
        let tree = repo::lock_tree(tx).await?;
        let found = repo::by_ids(&tx.conn, &[self.id]).await?.pop();
        let mut row = found.ok_or_else(|| Error::not_found("category"))?;
        check_version(self.expected_version, row.version)?;
        if tree.children(Some(self.id)) > 0 {
            let message = "Categories stand below this one; move or delete them first.";
            return Err(Refusal::new(ErrorCode::InUse, message).at(["id"]).into());
        }
        let before = summary(&row);
        repo::shift(tx, row.parent_id, row.id, row.rank, -1).await?;
        repo::empty(tx, row.id).await?;
        row.deleted_at = Some(tx.now());
        row.updated_at = tx.now();
        row.version += 1;
        let row = repo::save(tx, row, false).await?;
        tx.emit(Aggregate::new("category", row.id), "category.deleted", json!({}));
        tx.audit(row.id, Some(before), None);
        Ok(row.id)
    }
}

/// Refuses categories that a product can't be in.
pub(crate) async fn check_of_product(tx: &Tx, categories: &[CategoryId]) -> Result<Vec<Refusal>> {
    if categories.is_empty() {
        return Ok(Vec::new());
    }
    if categories.len() > MAX_OF_PRODUCT {
        let message = format!("A product is in at most {MAX_OF_PRODUCT} categories.");
        let refusal = Refusal::new(ErrorCode::TooMany, message).limit(MAX_OF_PRODUCT as i64);
        return Ok(vec![refusal.at(["categoryIds"])]);
    }
    let mut refusals = Vec::new();
    let there = repo::by_ids(&tx.conn, categories).await?;
    for (place, id) in categories.iter().enumerate() {
        let at = ["categoryIds".to_owned(), place.to_string()];
        if !there.iter().any(|row| row.id == *id) {
            refusals.push(Refusal::new(ErrorCode::NotFound, "There is no such category.").at(at));
        } else if categories[..place].contains(id) {
            refusals.push(Refusal::new(ErrorCode::Duplicate, "This category stands here twice.").at(at));
        }
    }
    Ok(refusals)
}

/// Says in which categories a product is, all of them.
#[derive(Debug, Clone)]
pub struct SetProductCategories {
    /// Which product.
    pub product: ProductId,
    /// The version of the product that staff saw.
    pub expected_version: Option<i32>,
    /// In these and in no other, the main one first.
    pub categories: Vec<CategoryId>,
}

impl Op for SetProductCategories {
    const NAME: &'static str = "product.set_categories";
    const NEEDS: Need = WRITE;
    type Out = product::Model;

    async fn run(&self, tx: &mut Tx) -> Result<product::Model> {
        let found = crate::catalog::repo::lock(tx, self.product).await?;
        let mut row = found.ok_or_else(|| Error::not_found("product"))?;
        check_version(self.expected_version, row.version)?;
        let mut refusals = Refusals::default();
        refusals.extend(check_of_product(tx, &self.categories).await?);
        refusals.into_result()?;
        repo::replace_of_product(tx, self.product, &self.categories).await?;
        row.version += 1;
        row.updated_at = tx.now();
        let row = crate::catalog::repo::update(tx, row).await?;
        tx.emit(Aggregate::new("product", row.id), "product.updated", json!({ "version": row.version }));
        tx.audit(row.id, None, Some(json!({ "categories": self.categories })));
        Ok(row)
    }
}
