//! Carts that nobody comes back to.
//!
//! | a cart | what becomes of it |
//! |---|---|
//! | `OPEN`, not changed for as long as its channel says, with lines and with somebody to write to | `cart.abandoned`, once for each pause: a cart that is changed and left again is told again. An inactive channel tells nothing, and what should have been told longer than [`NEWS`] ago, because the channel wished it or was opened only later, is told no more |
//! | `OPEN`, not changed for 30 days | `ABANDONED`: it can't be bought any more |
//! | `ABANDONED`, [`RETENTION`] after its time was over | erased: its rows go, unless a checkout of it was tried. Then the cart and the checkout stay for the payment's sake and tell of nobody any more |
//!
//! A cart in `COMPLETING` is never touched, and one that became an order is kept with it.

pub mod repo;

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use domain::id::ChannelId;
use serde_json::json;

use crate::actor::{Caller, Need};
use crate::app::App;
use crate::error::Result;
use crate::event::Aggregate;
use crate::op::{Op, Tx};
use crate::sweeper::in_turns;

/// For how long a cart is kept whose time is over.
pub const RETENTION: TimeDelta = TimeDelta::days(30);
/// For how long it is news that a cart was left.
pub const NEWS: TimeDelta = TimeDelta::days(1);

/// Does what is due, in small transactions.
pub async fn sweep(app: &Arc<App>) -> Result<()> {
    let (system, now) = (Caller::system(), app.clock.now());
    for channel in app.settings().channels.iter().filter(|channel| channel.active) {
        let Some(minutes) = channel.abandoned_after_minutes else { continue };
        let before = now - TimeDelta::minutes(minutes.into());
        in_turns(|| async {
            match repo::any_untouched(&app.read(), channel.id, before).await? {
                true => app.run(&system, &TellAbandoned { channel: channel.id, before }).await,
                false => Ok(0),
            }
        })
        .await?;
    }
    in_turns(|| async {
        match repo::any_expired(&app.read(), now).await? {
            true => app.run(&system, &EndExpired).await,
            false => Ok(0),
        }
    })
    .await?;
    in_turns(|| async {
        match repo::any_over(&app.read(), now - RETENTION).await? {
            true => app.run(&system, &EraseOver).await,
            false => Ok(0),
        }
    })
    .await
}

/// Tells which carts of a channel were left. One statement takes them, so that of two processes one tells.
#[derive(Debug, Clone, Copy)]
struct TellAbandoned {
    channel: ChannelId,
    before: DateTime<Utc>,
}

impl Op for TellAbandoned {
    const NAME: &'static str = "cart.tell_abandoned";
    const NEEDS: Need = Need::System;
    type Out = u64;

    async fn run(&self, tx: &mut Tx) -> Result<u64> {
        let left = repo::take_untouched(tx, self.channel, self.before, self.before - NEWS).await?;
        for (id, _) in left.iter().filter(|(_, told)| *told) {
            let payload = json!({ "channelId": self.channel.to_string() });
            tx.emit(Aggregate::new("cart", *id), "cart.abandoned", payload);
        }
        Ok(left.len() as u64)
    }
}

/// Ends carts whose time is over.
#[derive(Debug, Clone, Copy)]
struct EndExpired;

impl Op for EndExpired {
    const NAME: &'static str = "cart.end_expired";
    const NEEDS: Need = Need::System;
    type Out = u64;

    async fn run(&self, tx: &mut Tx) -> Result<u64> {
        repo::end_expired(tx).await
    }
}

/// Erases carts whose time has long been over.
#[derive(Debug, Clone, Copy)]
struct EraseOver;

impl Op for EraseOver {
    const NAME: &'static str = "cart.erase";
    const NEEDS: Need = Need::System;
    type Out = u64;

    async fn run(&self, tx: &mut Tx) -> Result<u64> {
        let carts = repo::lock_over(tx, tx.now() - RETENTION).await?;
        repo::erase(tx, &carts).await?;
        Ok(carts.len() as u64)
    }
}
