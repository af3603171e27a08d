//! Products that stand beside a product.

use domain::auth::Permission;
use domain::catalog::check_related;
use domain::id::ProductId;
use domain::refusal::{ErrorCode, Refusal, Refusals};
use entity::product;
use serde_json::json;

use super::repo;
use crate::actor::Need;
use crate::error::{Error, Result};
use crate::event::Aggregate;
use crate::op::{Op, Tx};
use crate::version::check_version;

/// Says which products stand beside a product, all of them in order.
#[derive(Debug, Clone)]
pub struct SetRelated {
    /// Beside which product.
    pub id: ProductId,
    /// These and no others.
    pub related: Vec<ProductId>,
    /// The version that staff saw.
    pub expected_version: Option<i32>,
}

impl Op for SetRelated {
    const NAME: &'static str = "product.relate";
    const NEEDS: Need = Need::Permission(Permission::CatalogWrite);
    type Out = product::Model;

    async fn run(&self, tx: &mut Tx) -> Result<product::Model> {
        let mut row = repo::lock(tx, self.id).await?.ok_or_else(|| Error::not_found("product"))?;
        check_version(self.expected_version, row.version)?;
        let mut refusals = Refusals::default();
        let at = |place: usize| ["relatedIds".to_owned(), place.to_string()];
        if let Err(faults) = check_related(self.id, &self.related) {
            refusals.extend(faults.into_iter().map(|(place, refusal)| refusal.at(at(place))));
        }
        let asked = self.related.iter().take(domain::catalog::MAX_RELATED).copied().collect::<Vec<_>>();
        let known = repo::by_ids(&tx.conn, &asked).await?;
        for (place, id) in asked.iter().enumerate() {
            if !known.iter().any(|row| row.id == *id && row.deleted_at.is_none()) {
                refusals.push(Refusal::new(ErrorCode::NotFound, "There is no such product.").at(at(place)));
            }
        }
        refusals.into_result()?;
        let before = repo::write::related_ids(&tx.conn, self.id).await?;
        if before == self.related {
            return Ok(row);
        }
        repo::write::replace_related(tx, self.id, &self.related).await?;
        row.version += 1;
        row.updated_at = tx.now();
        let row = repo::update(tx, row).await?;
        tx.emit(Aggregate::new("product", row.id), "product.related", json!({ "related": self.related }));
        tx.audit(row.id, Some(json!({ "related": before })), Some(json!({ "related": self.related })));
        Ok(row)
    }
}
