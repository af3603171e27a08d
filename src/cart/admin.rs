//! Carts on the admin surface: those that were left.

use async_graphql::{Context, ID, InputObject, Object};
use chrono::{DateTime, Utc};
use domain::auth::Permission;
use domain::cart::CartState;
use domain::notification::link::LinkKind;
use engine::cart::left::repo::{self, LeftFilter, LeftLine};
use engine::error::Result;
use engine::scope;
use entity::cart;

use super::load::{LeftLinesOf, OrderOfCart};
use crate::api::call::{Call, call};
use crate::api::guard::orders_read;
use crate::api::page::{ADMIN_MAX, Page, PageArgs, connection};
use crate::api::payload::top_level;
use crate::api::scalar::{Money, id, parse_id};
use crate::api::word::Enum;
use crate::order::types::AdminOrder;

/// A cart that was left with something in it, by somebody who can be written to.
#[derive(Debug, Clone)]
pub struct AdminAbandonedCart(cart::Model);

impl From<cart::Model> for AdminAbandonedCart {
    fn from(row: cart::Model) -> Self {
        Self(row)
    }
}

connection! {
    /// A page of carts that were left.
    AdminAbandonedCartConnection, AdminAbandonedCartEdge, AdminAbandonedCart, cart::Model
}

/// A cart that was left with something in it, by somebody who can be written to.
#[Object]
impl AdminAbandonedCart {
    /// Its id.
    async fn id(&self) -> ID {
        id(self.0.id)
    }

    /// Where it is on its way.
    async fn state(&self) -> Enum<CartState> {
        Enum(self.0.state)
    }

    /// When it was last told to be abandoned.
    async fn abandoned_at(&self) -> DateTime<Utc> {
        self.0.abandoned_at.unwrap_or(self.0.updated_at)
    }

    /// Whether its shopper has come back since and changed it.
    async fn resumed(&self) -> bool {
        self.0.abandoned_at.is_some_and(|at| self.0.updated_at > at)
    }

    /// When it was made.
    async fn created_at(&self) -> DateTime<Utc> {
        self.0.created_at
    }

    /// When it was changed last.
    async fn updated_at(&self) -> DateTime<Utc> {
        self.0.updated_at
    }

    /// The channel that it is in.
    async fn channel_id(&self) -> ID {
        id(self.0.channel_id)
    }

    /// Its language: a BCP 47 tag.
    async fn locale(&self) -> &str {
        &self.0.locale
    }

    /// The mailbox that its shopper gave. That he gave it is no consent to advertising.
    async fn email(&self) -> Option<String> {
        self.0.email.as_ref().map(ToString::to_string)
    }

    /// Whose it is; null: a guest's.
    async fn customer_id(&self) -> Option<ID> {
        self.0.customer_id.map(id)
    }

    /// Its lines in the order in which they came, at most 100.
    async fn lines(&self, ctx: &Context<'_>) -> async_graphql::Result<Vec<AdminAbandonedCartLine>> {
        let lines = call(ctx)?.load(LeftLinesOf(self.0.id)).await?;
        Ok(lines.iter().cloned().map(|line| AdminAbandonedCartLine(line, self.0.clone())).collect())
    }

    /// What its lines came to when its shopper saw them last: without shipping, and without taxes that come on top.
    async fn subtotal(&self, ctx: &Context<'_>) -> async_graphql::Result<Money> {
        let lines = call(ctx)?.load(LeftLinesOf(self.0.id)).await?;
        let total = lines.iter().fold(0_i64, |sum, line| sum.saturating_add(line_total(line)));
        Ok(Money::new(total, self.0.currency))
    }

    /// Where its shopper finds it again; null when its channel has no storefront's address. The address opens nothing:
    /// the storefront shows the cart to who has its token, or has logged in as its customer.
    async fn recovery_url(&self, ctx: &Context<'_>) -> async_graphql::Result<Option<String>> {
        let channel = call(ctx)?.settings.channel(self.0.channel_id);
        let link = channel.and_then(|channel| {
            let paths = channel.link_paths.clone().unwrap_or_default();
            let base = channel.storefront_url.as_deref()?;
            Some(paths.link(LinkKind::Cart, base, &self.0.id.to_string(), ""))
        });
        Ok(link)
    }

    /// The order that it became after it was left.
    async fn recovered_order(&self, ctx: &Context<'_>) -> async_graphql::Result<Option<AdminOrder>> {
        if self.0.state != CartState::Completed {
            return Ok(None);
        }
        Ok(call(ctx)?.load(OrderOfCart(self.0.id)).await?.map(AdminOrder::from))
    }
}

/// A line of a cart that was left.
#[derive(Debug, Clone)]
pub struct AdminAbandonedCartLine(LeftLine, cart::Model);

fn line_total(line: &LeftLine) -> i64 {
    line.line.unit_price_minor.saturating_mul(i64::from(line.line.quantity))
}

/// A line of a cart that was left.
#[Object]
impl AdminAbandonedCartLine {
    /// Its id.
    async fn id(&self) -> ID {
        id(self.0.line.id)
    }

    /// The variant.
    async fn variant_id(&self) -> ID {
        id(self.0.variant.id)
    }

    /// The product.
    async fn product_id(&self) -> ID {
        id(self.0.product.id)
    }

    /// The title of the product.
    async fn title(&self) -> &str {
        &self.0.product.title
    }

    /// The title of the variant.
    async fn variant_title(&self) -> &str {
        &self.0.variant.title
    }

    /// The merchant's number for the variant.
    async fn sku(&self) -> Option<String> {
        self.0.variant.sku.as_ref().map(ToString::to_string)
    }

    /// How many pieces.
    async fn quantity(&self) -> i32 {
        self.0.line.quantity
    }

    /// What one piece cost when its shopper saw it last.
    async fn unit_price(&self) -> Money {
        Money::new(self.0.line.unit_price_minor, self.1.currency)
    }

    /// Whether taxes are in it.
    async fn includes_tax(&self) -> bool {
        self.0.line.includes_tax
    }

    /// What all pieces cost.
    async fn total(&self) -> Money {
        Money::new(line_total(&self.0), self.1.currency)
    }
}

/// What carts must be to be in the list; all that you name must hold.
#[derive(Debug, Clone, Default, InputObject)]
pub struct AdminAbandonedCartFilter {
    /// They are in this channel.
    pub channel_id: Option<ID>,
    /// They were left at this moment or later.
    pub since: Option<DateTime<Utc>>,
    /// Their shoppers gave a mailbox, or did not.
    pub has_email: Option<bool>,
    /// They became orders afterwards, or did not.
    pub recovered: Option<bool>,
}

impl AdminAbandonedCartFilter {
    fn read(self, call: &Call) -> Result<LeftFilter> {
        let channel = self.channel_id.as_ref().map(|id| parse_id(id, &["filter", "channelId"])).transpose()?;
        Ok(LeftFilter {
            channels: scope::channels(&call.caller.actor, Permission::OrdersRead),
            channel,
            since: self.since,
            has_email: self.has_email,
            recovered: self.recovered,
        })
    }
}

/// Queries about carts.
#[derive(Debug, Default)]
pub struct CartAdminQuery;

#[Object]
impl CartAdminQuery {
    /// Carts of the channels that your roles reach that were left with something in them by somebody who can be written
    /// to, the latest first. A cart stays here until its rows are erased, 30 days after its time was over, also when it
    /// has become an order. It needs no more than ORDERS_READ, as the orders that they become.
    #[graphql(guard = "orders_read()")]
    #[allow(clippy::too_many_arguments)]
    async fn abandoned_carts(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "So many from the front: 20 when absent, at most 250.")] first: Option<i32>,
        #[graphql(desc = "Behind this cursor.")] after: Option<String>,
        #[graphql(desc = "So many from the back, at most 250.")] last: Option<i32>,
        #[graphql(desc = "Before this cursor.")] before: Option<String>,
        #[graphql(desc = "Skip so many, at most 10000.")] offset: Option<i32>,
        #[graphql(desc = "What the carts must be.")] filter: Option<AdminAbandonedCartFilter>,
    ) -> async_graphql::Result<AdminAbandonedCartConnection> {
        let call = call(ctx)?;
        let count = ctx.look_ahead().field("totalCount").exists();
        let outcome = async {
            let filter = filter.unwrap_or_default().read(call)?;
            let args = PageArgs { first, after, last, before, offset };
            let page = Page::read(args, ADMIN_MAX, true, &("abandoned carts", &filter))?;
            repo::page(&call.conn(), &filter, page, count).await
        };
        outcome.await.map(AdminAbandonedCartConnection::from).map_err(top_level)
    }
}
