//! Ends promises whose time is over: what was held for carts, and what staff put aside for a while.

use std::sync::Arc;

use super::repo;
use crate::actor::{Caller, Need};
use crate::app::App;
use crate::error::Result;
use crate::op::{Op, Tx};

/// How many are ended in one transaction.
const BATCH: u64 = 200;

/// Ends all that are due.
pub async fn end_expired(app: &Arc<App>) -> Result<()> {
    while repo::has_expired(&app.read(), app.clock.now()).await? {
        // Others may be ending the same ones.
        if app.run(&Caller::system(), &EndExpired).await? == 0 {
            break;
        }
    }
    Ok(())
}

struct EndExpired;

impl Op for EndExpired {
    const NAME: &'static str = "inventory.end_expired";
    const NEEDS: Need = Need::System;
    type Out = usize;

    async fn run(&self, tx: &mut Tx) -> Result<usize> {
        let rows = repo::lock_expired(tx, BATCH).await?;
        for row in &rows {
            repo::release(tx, row, row.quantity).await?;
        }
        Ok(rows.len())
    }
}
