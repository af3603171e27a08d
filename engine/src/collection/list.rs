//! The products that a collection lists by hand, in their order.

use domain::auth::Permission;
use domain::collection::{CollectionKind, MAX_LIST, MAX_PRODUCTS, check_list, reordered};
use domain::id::{CollectionId, ProductId};
use domain::refusal::{ErrorCode, Refusal, Refusals};
use entity::collection;
use serde_json::json;

use super::repo;
use crate::actor::Need;
use crate::error::{Error, Result};
use crate::event::Aggregate;
use crate::op::{Op, Tx};
use crate::version::check_version;

const WRITE: Need = Need::Permission(Permission::CatalogWrite);

/// Refuses products that are not there; `field` is the list's place in the input.
pub(super) async fn check_products(tx: &Tx, products: &[ProductId], field: &str) -> Result<Vec<Refusal>> {
    let refused = check_list(products, field);
    if !refused.is_empty() || products.is_empty() {
        return Ok(refused);
    }
    let rows = crate::catalog::repo::by_ids(&tx.conn, products).await?;
    let there = |id: &ProductId| rows.iter().any(|row| row.id == *id && row.deleted_at.is_none());
    let missing = products.iter().enumerate().filter(|(_, id)| !there(id));
    let refusal = |(place, _): (usize, &ProductId)| {
        let at = [field.to_owned(), place.to_string()];
        Refusal::new(ErrorCode::NotFound, "There is no such product.").at(at)
    };
    Ok(missing.map(refusal).collect())
}

async fn lock_manual(tx: &Tx, id: CollectionId, expected_version: Option<i32>) -> Result<collection::Model> {
    let row = repo::lock(tx, id).await?.ok_or_else(|| Error::not_found("collection"))?;
    check_version(expected_version, row.version)?;
    if row.kind != CollectionKind::Manual {
        let message = "The rule of this collection chooses its products.";
        return Err(Refusal::new(ErrorCode::StateInvalid, message).at(["id"]).into());
    }
    Ok(row)
}

/// Raises the version of a collection whose list is another one now.
async fn changed(tx: &mut Tx, mut row: collection::Model, audit: serde_json::Value) -> Result<collection::Model> {
    row.version += 1;
    row.updated_at = tx.now();
    let row = repo::save(tx, row, false).await?;
    tx.emit(Aggregate::new("collection", row.id), "collection.changed", json!({ "version": row.version }));
    tx.audit(row.id, None, Some(audit));
    Ok(row)
}

/// Puts products at the end of a collection.
#[derive(Debug, Clone)]
pub struct AddProducts {
    /// Which collection.
    pub id: CollectionId,
    /// The version that staff saw.
    pub expected_version: Option<i32>,
    /// These, in this order; those that it lists already stay where they are.
    pub products: Vec<ProductId>,
}

impl Op for AddProducts {
    const NAME: &'static str = "collection.add_products";
    const NEEDS: Need = WRITE;
    type Out = collection::Model;

    async fn run(&self, tx: &mut Tx) -> Result<collection::Model> {
        let row = lock_manual(tx, self.id, self.expected_version).await?;
        let mut refusals = Refusals::default();
        refusals.extend(check_products(tx, &self.products, "productIds").await?);
        let held = repo::listed(&tx.conn, self.id).await?;
        let new: Vec<ProductId> =
            self.products.iter().copied().filter(|id| !held.iter().any(|(known, _)| known == id)).collect();
        if held.len() + new.len() > MAX_PRODUCTS {
            let message = format!("A collection lists at most {MAX_PRODUCTS} products.");
            refusals.push(Refusal::new(ErrorCode::TooMany, message).limit(MAX_PRODUCTS as i64).at(["productIds"]));
        }
        refusals.into_result()?;
        if new.is_empty() {
            return Ok(row);
        }
        let next = held.last().map_or(0, |(_, rank)| rank + 1);
        let placed: Vec<_> = new.iter().copied().zip(next..).collect();
        repo::put(tx, self.id, &placed).await?;
        changed(tx, row, json!({ "added": new })).await
    }
}

/// Takes products out of a collection.
#[derive(Debug, Clone)]
pub struct RemoveProducts {
    /// Which collection.
    pub id: CollectionId,
    /// The version that staff saw.
    pub expected_version: Option<i32>,
    /// These; what it doesn't list is gone already.
    pub products: Vec<ProductId>,
}

impl Op for RemoveProducts {
    const NAME: &'static str = "collection.remove_products";
    const NEEDS: Need = WRITE;
    type Out = collection::Model;

    async fn run(&self, tx: &mut Tx) -> Result<collection::Model> {
        let row = lock_manual(tx, self.id, self.expected_version).await?;
        let mut refusals = Refusals::default();
        refusals.extend(check_list(&self.products, "productIds"));
        refusals.into_result()?;
        let held = repo::listed(&tx.conn, self.id).await?;
        let gone: Vec<ProductId> =
            self.products.iter().copied().filter(|id| held.iter().any(|(known, _)| known == id)).collect();
        if gone.is_empty() {
            return Ok(row);
        }
        repo::take_out(tx, self.id, &gone).await?;
        changed(tx, row, json!({ "removed": gone })).await
    }
}

/// Moves products within a collection.
#[derive(Debug, Clone)]
pub struct ReorderProducts {
    /// Which collection.
    pub id: CollectionId,
    /// The version that staff saw.
    pub expected_version: Option<i32>,
    /// Which product goes where, one after the other; places count from 0.
    pub moves: Vec<(ProductId, usize)>,
}

impl Op for ReorderProducts {
    const NAME: &'static str = "collection.reorder_products";
    const NEEDS: Need = WRITE;
    type Out = collection::Model;

    async fn run(&self, tx: &mut Tx) -> Result<collection::Model> {
        if self.moves.len() > MAX_LIST {
            let message = format!("At most {MAX_LIST} moves at once.");
            return Err(Refusal::new(ErrorCode::TooMany, message).limit(MAX_LIST as i64).at(["moves"]).into());
        }
        let row = lock_manual(tx, self.id, self.expected_version).await?;
        let held = repo::listed(&tx.conn, self.id).await?;
        let order: Vec<ProductId> = held.iter().map(|(id, _)| *id).collect();
        let order = reordered(&order, &self.moves)?;
        // The ranks that there are, given out anew: what keeps its place is not written.
        let ranked = order.iter().zip(&held).filter(|(id, (before, _))| *id != before);
        let placed: Vec<_> = ranked.map(|(id, (_, rank))| (*id, *rank)).collect();
        if placed.is_empty() {
            return Ok(row);
        }
        repo::put(tx, self.id, &placed).await?;
        let moves = self.moves.iter().map(|(id, place)| json!({ "product": id, "position": place }));
        changed(tx, row, json!({ "moves": moves.collect::<Vec<_>>() })).await
    }
}
