//! Building the index anew.

use std::sync::Arc;

use domain::auth::Permission;
use domain::id::ProductId;

use super::repo;
use crate::actor::{Caller, Need};
use crate::app::App;
use crate::error::Result;
use crate::op::{Op, Tx};

/// Products that one transaction indexes: few enough for shoppers' orders to
/// come in between.
const BATCH: u64 = 100;

/// Forgets the index.
#[derive(Debug)]
pub struct ClearIndex;

impl Op for ClearIndex {
    const NAME: &'static str = "search.clear";
    const NEEDS: Need = Need::Permission(Permission::CatalogWrite);
    type Out = ();

    async fn run(&self, tx: &mut Tx) -> Result<()> {
        Ok(crate::db::search::clear_documents(&tx.conn).await?)
    }
}

/// Indexes the products that follow one.
#[derive(Debug)]
pub struct IndexProducts {
    /// Behind this one, from the first when absent.
    pub after: Option<ProductId>,
}

impl Op for IndexProducts {
    const NAME: &'static str = "search.index";
    const NEEDS: Need = Need::Permission(Permission::CatalogWrite);
    type Out = Vec<ProductId>;

    async fn run(&self, tx: &mut Tx) -> Result<Vec<ProductId>> {
        let products = repo::products_after(&tx.conn, self.after, BATCH).await?;
        repo::refresh(tx, &products).await?;
        Ok(products)
    }
}

/// Builds the index anew, telling `progress` how many of how many products
/// are done. Until it ends, searches find only what is done; products that are
/// changed meanwhile are indexed all the same.
pub async fn reindex(app: &Arc<App>, progress: impl FnMut(usize, usize)) -> Result<usize> {
    app.run(&Caller::system(), &ClearIndex).await?;
    fill(app, progress).await
}

/// Builds the index of a shop whose products are older than it.
pub async fn index_if_missing(app: &Arc<App>) -> Result<()> {
    if repo::is_missing(&app.read()).await? {
        tracing::info!("building the search index");
        let products = fill(app, |_, _| {}).await?;
        tracing::info!(products, "the search index is built");
    }
    Ok(())
}

async fn fill(app: &Arc<App>, mut progress: impl FnMut(usize, usize)) -> Result<usize> {
    let total = usize::try_from(crate::catalog::repo::listing::count(&app.read()).await?).unwrap_or(0);
    let (mut done, mut after) = (0, None);
    loop {
        progress(done.min(total), total);
        let products = app.run(&Caller::system(), &IndexProducts { after }).await?;
        let Some(last) = products.last() else { break };
        done += products.len();
        after = Some(*last);
    }
    progress(total, total);
    Ok(done)
}
