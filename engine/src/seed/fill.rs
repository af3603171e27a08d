//! Filling an empty shop: how far it is stands in the database, moved on in the transaction of what was written, so
//! that a fill that was cut goes on where it was and two never fill side by side.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use domain::inventory::{MovementReason, StockCount};
use domain::refusal::{ErrorCode, Refusal};
use entity::stock_movement;
use serde::{Deserialize, Serialize};

use super::agree::sold_to;
use super::goods::demo_count;
use super::plan::{Plan, Size};
use super::put_goods::PutGoods;
use super::put_orders::PutOrders;
use super::{repo, shelf};
use crate::actor::{Caller, Need};
use crate::app::App;
use crate::catalog::rows::default_location;
use crate::error::{Error, Result};
use crate::op::{Op, Tx};
use crate::relay;

/// How many products one transaction writes: few enough for others to come in between.
const GOODS: usize = 200;
/// How many orders.
const ORDERS: usize = 100;

/// How far a shop is filled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Mark {
    pub size: Size,
    pub until: DateTime<Utc>,
    /// Whether the demo shop's own products are there with what its orders take.
    pub opened: bool,
    pub products: usize,
    pub orders: usize,
    pub ended: bool,
}

impl Mark {
    fn text(&self) -> Result<String> {
        serde_json::to_string(self).map_err(Error::internal)
    }
}

/// Moves the mark on, or stops because somebody else did.
pub(super) async fn move_on(tx: &Tx, from: &Mark, to: &Mark) -> Result<()> {
    match repo::advance(tx, from.text()?, to.text()?).await? {
        true => Ok(()),
        false => Err(Refusal::new(ErrorCode::Conflict, "Somebody else is filling this shop: wait for him.").into()),
    }
}

/// What a fill made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Filled {
    /// Products in the shop.
    pub products: usize,
    /// Orders in the shop.
    pub orders: usize,
}

/// Fills an empty shop, or goes on with a fill that was cut. Orders cover the two years before `until`. `progress` is
/// told how many of how many `products` and `orders` are done.
pub async fn fill(
    app: &Arc<App>,
    size: Size,
    until: DateTime<Utc>,
    mut progress: impl FnMut(&'static str, usize, usize),
) -> Result<Filled> {
    let system = Caller::system();
    if until > app.clock.now() {
        let refusal = Refusal::new(ErrorCode::Invalid, "The last day of the orders can't lie in the future.");
        return Err(refusal.at(["until"]).into());
    }
    let mut mark = app.run(&system, &Begin { size, until }).await?;
    let plan = Plan::new(size, until)?;
    if !mark.opened {
        super::demo(app).await?;
        let open = Open { plan: &plan, mark: &mark };
        mark = app.run(&system, &open).await?;
    }
    if sold_to(&app.settings()).is_empty() {
        let message = "No region of this shop sells in EUR or USD to the demo's countries with a shipping option and the \
            payment provider manual: orders can't be made. Fill a new shop.";
        return Err(Refusal::new(ErrorCode::RegionMissing, message).into());
    }
    while mark.products < size.products() {
        progress("products", mark.products, size.products());
        let to = (mark.products + GOODS).min(size.products());
        mark = app.run(&system, &PutGoods { plan: &plan, mark: &mark, to }).await?;
        relay::stamp_unless_held(app).await?;
    }
    progress("products", mark.products, size.products());
    while mark.orders < size.orders() {
        progress("orders", mark.orders, size.orders());
        let to = (mark.orders + ORDERS).min(size.orders());
        mark = app.run(&system, &PutOrders { plan: &plan, mark: &mark, to }).await?;
        relay::stamp_unless_held(app).await?;
    }
    progress("orders", mark.orders, size.orders());
    if size != Size::S {
        shelf::seasons(app).await?;
    }
    let mark = app.run(&system, &End(&mark)).await?;
    relay::stamp_unless_held(app).await?;
    Ok(Filled { products: mark.products, orders: mark.orders })
}

/// Takes an empty shop, or one whose fill was cut.
#[derive(Debug)]
struct Begin {
    size: Size,
    until: DateTime<Utc>,
}

impl Op for Begin {
    const NAME: &'static str = "seed.begin";
    const NEEDS: Need = Need::System;
    type Out = Mark;

    async fn run(&self, tx: &mut Tx) -> Result<Mark> {
        let refused = |message: String| Error::from(Refusal::new(ErrorCode::StateInvalid, message));
        let new = Mark { size: self.size, until: self.until, opened: false, products: 0, orders: 0, ended: false };
        if let Some(text) = repo::mark(&tx.conn).await? {
            let mark: Mark = serde_json::from_str(&text).map_err(Error::internal)?;
            let same = (mark.size, mark.until) == (self.size, self.until);
            return match (mark.ended, same) {
                (false, true) => Ok(mark),
                (false, false) => Err(refused(format!(
                    "This shop was being filled when that was cut. Go on with `emporion seed demo --size {} --until {}`.",
                    mark.size.word(),
                    mark.until.date_naive()
                ))),
                (true, _) => Err(refused(format!(
                    "This shop was filled already, with size {}. Fill another one: name its place with --data-dir or \
                     --database-url.",
                    mark.size.word()
                ))),
            };
        }
        let (products, orders, customers) = repo::held(&tx.conn).await?;
        if products + orders + customers > 0 {
            return Err(refused(format!(
                "This shop holds {products} product(s), {orders} order(s) and {customers} customer(s): only an empty one \
                 is filled. Name the place of another with --data-dir or --database-url."
            )));
        }
        match repo::begin(tx, new.text()?).await? {
            true => Ok(new),
            false => Err(Error::Raced),
        }
    }
}

/// Lets the demo shop's own products have been there from the beginning, with all that will be taken of them.
#[derive(Debug)]
struct Open<'p> {
    plan: &'p Plan,
    mark: &'p Mark,
}

impl Op for Open<'_> {
    const NAME: &'static str = "seed.open";
    const NEEDS: Need = Need::System;
    type Out = Mark;

    async fn run(&self, tx: &mut Tx) -> Result<Mark> {
        let count = demo_count()?;
        let next = Mark { opened: true, products: count, ..self.mark.clone() };
        move_on(tx, self.mark, &next).await?;
        let settings = tx.settings().await?;
        let location = default_location(tx, &settings)?;
        let goods = (0..count).map(|place| self.plan.good(place)).collect::<Result<Vec<_>>>()?;
        let skus: Vec<String> =
            goods.iter().flat_map(|good| good.variants.iter().map(|variant| variant.sku.clone())).collect();
        let stock = repo::of_skus(&tx.conn, &skus).await?;
        let missing = || Error::internal("a product of the demo shop was changed while it was made");
        let (mut levels, mut movements, mut products) = (BTreeMap::new(), Vec::new(), Vec::new());
        let at = self.plan.start;
        for (place, good) in goods.iter().enumerate() {
            for (variant, wished) in good.variants.iter().enumerate() {
                let stocked = stock.get(&wished.sku).ok_or_else(missing)?;
                products.push(stocked.product);
                let delta = self.plan.demand(place, variant);
                if delta > 0 {
                    levels.insert(stocked.item, (delta, 0));
                    movements.push(stock_movement::Model {
                        id: tx.id(),
                        at,
                        item_id: stocked.item,
                        location_id: location,
                        counted: StockCount::Stocked,
                        delta,
                        reason: MovementReason::Received,
                        cause: None,
                        actor: tx.actor().to_string(),
                    });
                }
            }
        }
        products.sort_unstable();
        products.dedup();
        repo::insert::<stock_movement::Entity>(tx, movements).await?;
        repo::change_levels(tx, location, levels, tx.now()).await?;
        let launched = goods.first().map_or(at, |good| good.launched);
        repo::backdate(tx, &products, launched).await?;
        Ok(next)
    }
}

/// Notes that all is there.
#[derive(Debug)]
struct End<'p>(&'p Mark);

impl Op for End<'_> {
    const NAME: &'static str = "seed.end";
    const NEEDS: Need = Need::System;
    type Out = Mark;

    async fn run(&self, tx: &mut Tx) -> Result<Mark> {
        let next = Mark { ended: true, ..self.0.clone() };
        move_on(tx, self.0, &next).await?;
        Ok(next)
    }
}
