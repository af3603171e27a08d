//! Refetching by id: `node` and `nodes`, which find the type by the prefix.

use async_graphql::{Context, ID, Interface, Object};
use domain::id::{
    CategoryId, CollectionId, CustomerGroupId, CustomerId, JobId, MediaId, NotificationId, OrderId, ProductId,
    VariantId,
};
use domain::refusal::{ErrorCode, Refusal};

use super::call::{Call, call};
use super::guard::admin;
use super::payload::top_level;
use crate::catalog::types::{AdminProduct, Product};
use crate::catalog::variant::types::{AdminVariant, Variant};
use crate::category::types::{AdminCategory, Category};
use crate::collection::types::{AdminCollection, Collection};
use crate::customer::types::{AdminCustomer, AdminCustomerGroup, Customer};
use crate::job::types::AdminJob;
use crate::media::types::AdminMedia;
use crate::notification::types::AdminNotification;
use crate::order::types::{AdminOrder, Order};
use crate::translation::load::feed_one;
use domain::auth::Permission;
use engine::actor::Need;
use engine::catalog::listing::Named;
use engine::catalog::repo::listing::{Which, find};
use engine::error::Result;

/// The most ids that are refetched at once.
const MAX_NODES: usize = 100;

/// Anything with an id that can be fetched again.
#[derive(Interface)]
#[graphql(field(name = "id", ty = "ID", desc = "Its id."))]
pub enum Node {
    /// A product.
    Product(Product),
    /// A variant.
    Variant(Variant),
    /// A collection.
    Collection(Collection),
    /// A category.
    Category(Category),
    /// A signed-in customer's order.
    Order(Order),
    /// The signed-in customer himself.
    Customer(Customer),
}

/// Anything with an id that staff can fetch again.
#[allow(clippy::large_enum_variant, reason = "there is one of it at a time")]
#[derive(Interface)]
#[graphql(field(name = "id", ty = "ID", desc = "Its id."))]
pub enum AdminNode {
    /// A product.
    AdminProduct(AdminProduct),
    /// A collection.
    AdminCollection(AdminCollection),
    /// A category.
    AdminCategory(AdminCategory),
    /// A variant.
    AdminVariant(AdminVariant),
    /// An order.
    AdminOrder(AdminOrder),
    /// A picture, film or file.
    AdminMedia(AdminMedia),
    /// A customer.
    AdminCustomer(AdminCustomer),
    /// A group of customers.
    AdminCustomerGroup(AdminCustomerGroup),
    /// A mail that the shop sent or will send.
    AdminNotification(AdminNotification),
    /// Work that takes longer than a request.
    AdminJob(AdminJob),
}

fn check(ids: &[ID]) -> async_graphql::Result<()> {
    if ids.len() <= MAX_NODES {
        return Ok(());
    }
    let message = format!("At most {MAX_NODES} ids at once.");
    let refusal = Refusal::new(ErrorCode::TooMany, message).limit(MAX_NODES as i64).at(["ids"]);
    Err(top_level(refusal.into()))
}

async fn fetch(call: &Call, id: &ID) -> Result<Option<Node>> {
    let conn = call.conn();
    if let Ok(id) = id.parse::<ProductId>() {
        let seen_in = Some((call.channel.id, call.app.clock.now()));
        let row = find(&conn, &Which::Id(id), seen_in).await?;
        feed_one(call, row.as_ref().map(|row| row.id)).await?;
        return Ok(row.map(|row| Node::Product(row.into())));
    }
    if let Ok(id) = id.parse::<VariantId>() {
        // A variant is seen where its product is.
        let row = engine::catalog::repo::variants_by_ids(&conn, &[id]).await?.into_iter().next();
        let Some(row) = row else { return Ok(None) };
        let seen_in = Some((call.channel.id, call.app.clock.now()));
        let product = find(&conn, &Which::Id(row.product_id), seen_in).await?;
        return Ok(product.map(|_| Node::Variant(row.into())));
    }
    if let Ok(id) = id.parse::<CollectionId>() {
        let seen_in = Some((call.channel.id, call.app.clock.now()));
        let found = engine::collection::repo::find(&conn, &Named::Id(id), seen_in).await?;
        return Ok(found.map(|row| Node::Collection(row.into())));
    }
    if let Ok(id) = id.parse::<CategoryId>() {
        let found = engine::category::repo::find(&conn, &Named::Id(id), true).await?;
        return Ok(found.map(|row| Node::Category(row.into())));
    }
    if let Ok(id) = id.parse::<OrderId>() {
        let own =
            engine::order::access::open(&call.app, &conn, &call.caller.actor, Permission::OrdersRead, id, None).await;
        return Ok(own.ok().map(|row| Node::Order(row.into())));
    }
    if let Ok(id) = id.parse::<CustomerId>()
        && call.caller.actor.customer() == Some(id)
    {
        return Ok(engine::customer::repo::find(&conn, id).await?.map(|row| Node::Customer(row.into())));
    }
    Ok(None)
}

async fn fetch_admin(call: &Call, id: &ID) -> Result<Option<AdminNode>> {
    let conn = call.conn();
    if let Ok(id) = id.parse::<ProductId>() {
        call.caller.actor.check(Need::Permission(Permission::CatalogRead))?;
        return Ok(find(&conn, &Which::Id(id), None).await?.map(|row| AdminNode::AdminProduct(row.into())));
    }
    if let Ok(id) = id.parse::<CollectionId>() {
        call.caller.actor.check(Need::Permission(Permission::CatalogRead))?;
        let found = engine::collection::repo::find(&conn, &Named::Id(id), None).await?;
        return Ok(found.map(|row| AdminNode::AdminCollection(row.into())));
    }
    if let Ok(id) = id.parse::<CategoryId>() {
        call.caller.actor.check(Need::Permission(Permission::CatalogRead))?;
        let found = engine::category::repo::find(&conn, &Named::Id(id), false).await?;
        return Ok(found.map(|row| AdminNode::AdminCategory(row.into())));
    }
    if let Ok(id) = id.parse::<VariantId>() {
        call.caller.actor.check(Need::Permission(Permission::CatalogRead))?;
        let row = engine::catalog::repo::variants_by_ids(&conn, &[id]).await?.into_iter().next();
        return Ok(row.map(|row| AdminNode::AdminVariant(row.into())));
    }
    if let Ok(id) = id.parse::<OrderId>() {
        call.caller.actor.check(Need::Permission(Permission::OrdersRead))?;
        let found = engine::order::access::find(&conn, &call.caller.actor, Permission::OrdersRead, id).await?;
        return Ok(found.map(|row| AdminNode::AdminOrder(row.into())));
    }
    if let Ok(id) = id.parse::<MediaId>() {
        call.caller.actor.check(Need::Permission(Permission::CatalogRead))?;
        return Ok(engine::media::repo::find(&conn, id).await?.map(|row| AdminNode::AdminMedia(row.into())));
    }
    if let Ok(id) = id.parse::<CustomerId>() {
        call.caller.actor.check(Need::Permission(Permission::CustomersRead))?;
        return Ok(engine::customer::repo::find(&conn, id).await?.map(|row| AdminNode::AdminCustomer(row.into())));
    }
    if let Ok(id) = id.parse::<CustomerGroupId>() {
        call.caller.actor.check(Need::Permission(Permission::CustomersRead))?;
        let row = engine::customer::repo::groups::find_group(&conn, id).await?;
        return Ok(row.map(|row| AdminNode::AdminCustomerGroup(row.into())));
    }
    if let Ok(id) = id.parse::<NotificationId>() {
        call.caller.actor.check(Need::Everywhere(Permission::CustomersRead))?;
        return Ok(crate::notification::admin::find(call, id).await?.map(AdminNode::AdminNotification));
    }
    if let Ok(id) = id.parse::<JobId>() {
        let Some(row) = engine::job::repo::find(&conn, id).await? else { return Ok(None) };
        call.caller.actor.check(Need::Permission(row.kind.reads()))?;
        return Ok(Some(AdminNode::AdminJob(row.into())));
    }
    Ok(None)
}

/// Refetching on the store surface.
#[derive(Debug, Default)]
pub struct NodeStoreQuery;

#[Object]
impl NodeStoreQuery {
    /// Anything by its id; null when there is nothing, or it isn't yours. Carts need their token: use `cart`.
    async fn node(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The id.")] id: ID,
    ) -> async_graphql::Result<Option<Node>> {
        fetch(call(ctx)?, &id).await.map_err(top_level)
    }

    /// Several at once, at most 100, each in its place.
    async fn nodes(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The ids, at most 100.")] ids: Vec<ID>,
    ) -> async_graphql::Result<Vec<Option<Node>>> {
        check(&ids)?;
        let call = call(ctx)?;
        let mut found = Vec::with_capacity(ids.len());
        for id in &ids {
            found.push(fetch(call, id).await.map_err(top_level)?);
        }
        Ok(found)
    }
}

/// Refetching on the admin surface.
#[derive(Debug, Default)]
pub struct NodeAdminQuery;

#[Object]
impl NodeAdminQuery {
    /// Anything by its id; null when there is nothing.
    #[graphql(guard = "admin()")]
    async fn node(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The id.")] id: ID,
    ) -> async_graphql::Result<Option<AdminNode>> {
        fetch_admin(call(ctx)?, &id).await.map_err(top_level)
    }

    /// Several at once, at most 100, each in its place.
    #[graphql(guard = "admin()")]
    async fn nodes(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The ids, at most 100.")] ids: Vec<ID>,
    ) -> async_graphql::Result<Vec<Option<AdminNode>>> {
        check(&ids)?;
        let call = call(ctx)?;
        let mut found = Vec::with_capacity(ids.len());
        for id in &ids {
            found.push(fetch_admin(call, id).await.map_err(top_level)?);
        }
        Ok(found)
    }
}
