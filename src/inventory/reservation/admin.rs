//! Promises and movements on the admin surface.

use async_graphql::{Context, ID, InputObject, MaybeUndefined, Object};
use chrono::{DateTime, Utc};
use domain::id::ReservationId;
use domain::inventory::{MovementReason, ReservationKind, StockCount};
use entity::{reservation, stock_movement};

use crate::api::call::{Call, call};
use crate::api::guard::{catalog_read, inventory_write};
use crate::api::input::change;
use crate::api::page::{ADMIN_MAX, Page, PageArgs, connection};
use crate::api::payload::{payload, top_level};
use crate::api::scalar::{id, parse_id};
use crate::api::word::Enum;
use crate::inventory::admin::locations;
use crate::inventory::load::ItemBy;
use crate::inventory::types::{AdminInventoryItem, AdminReservation, reach};
use engine::error::Result;
use engine::inventory::promise::{CreateReservation, DeleteReservation, UpdateReservation};
use engine::inventory::repo::kept::{self, KeptFilter};
use engine::op::IdempotencyKey;

connection! {
    /// A page of promises.
    AdminReservationConnection, AdminReservationEdge, AdminReservation, reservation::Model
}

/// A change of what lies at a location, or is on its way there. It stays as it is for ever.
#[derive(Debug, Clone)]
pub struct AdminStockMovement(stock_movement::Model);

impl From<stock_movement::Model> for AdminStockMovement {
    fn from(row: stock_movement::Model) -> Self {
        Self(row)
    }
}

connection! {
    /// A page of movements.
    AdminStockMovementConnection, AdminStockMovementEdge, AdminStockMovement, stock_movement::Model
}

/// A change of what lies at a location, or is on its way there. It stays as it is for ever.
#[Object]
impl AdminStockMovement {
    /// Its id.
    async fn id(&self) -> ID {
        id(self.0.id)
    }

    /// When it was.
    async fn at(&self) -> DateTime<Utc> {
        self.0.at
    }

    /// Of what.
    async fn inventory_item(&self, ctx: &Context<'_>) -> async_graphql::Result<Option<AdminInventoryItem>> {
        Ok(call(ctx)?.load(ItemBy(self.0.item_id)).await?.map(AdminInventoryItem::from))
    }

    /// Where.
    async fn location_id(&self) -> ID {
        id(self.0.location_id)
    }

    /// Which count changed.
    async fn count(&self) -> Enum<StockCount> {
        Enum(self.0.counted)
    }

    /// How many more, or with a minus, fewer.
    async fn delta(&self) -> i32 {
        self.0.delta
    }

    /// Why.
    async fn reason(&self) -> Enum<MovementReason> {
        Enum(self.0.reason)
    }

    /// What caused it: an id, or somebody's own words.
    async fn cause(&self) -> Option<&str> {
        self.0.cause.as_deref()
    }

    /// Who did it.
    async fn actor(&self) -> &str {
        &self.0.actor
    }
}

/// What promises must be to be in the list; all that you name must hold.
#[derive(Debug, Clone, InputObject)]
pub struct AdminReservationFilter {
    /// They are of this item.
    pub inventory_item_id: Option<ID>,
    /// They are at this location.
    pub location_id: Option<ID>,
    /// They are of this kind.
    pub kind: Option<Enum<ReservationKind>>,
}

/// What movements must be to be in the list; all that you name must hold.
#[derive(Debug, Clone, InputObject)]
pub struct AdminStockMovementFilter {
    /// They are of this item.
    pub inventory_item_id: Option<ID>,
    /// They are at this location.
    pub location_id: Option<ID>,
    /// They have this reason.
    pub reason: Option<Enum<MovementReason>>,
}

fn kept_filter(ctx: &Context<'_>, item: Option<ID>, location: Option<ID>) -> async_graphql::Result<Result<KeptFilter>> {
    let reach = reach(ctx)?;
    let read = || {
        let item = item.map(|id| parse_id(&id, &["filter", "inventoryItemId"])).transpose()?;
        Ok(KeptFilter { item, locations: locations(&reach, location)? })
    };
    Ok(read())
}

/// Queries about promises and movements.
#[derive(Debug, Default)]
pub struct ReservationAdminQuery;

#[Object]
impl ReservationAdminQuery {
    /// What is promised at the locations that your roles reach, the latest first.
    #[graphql(guard = "catalog_read()")]
    #[allow(clippy::too_many_arguments)]
    async fn reservations(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "So many from the front: 20 when absent, at most 250.")] first: Option<i32>,
        #[graphql(desc = "Behind this cursor.")] after: Option<String>,
        #[graphql(desc = "So many from the back, at most 250.")] last: Option<i32>,
        #[graphql(desc = "Before this cursor.")] before: Option<String>,
        #[graphql(desc = "Skip so many, at most 10000.")] offset: Option<i32>,
        #[graphql(desc = "What the promises must be.")] filter: Option<AdminReservationFilter>,
    ) -> async_graphql::Result<AdminReservationConnection> {
        let call = call(ctx)?;
        let count = ctx.look_ahead().field("totalCount").exists();
        let (item, location, kind) =
            filter.map(|filter| (filter.inventory_item_id, filter.location_id, filter.kind)).unwrap_or_default();
        let (filter, kind) = (kept_filter(ctx, item, location)?, kind.map(|kind| kind.0));
        let outcome = async {
            let filter = filter?;
            let args = PageArgs { first, after, last, before, offset };
            let asked = Page::read(args, ADMIN_MAX, true, &("reservations", &filter, kind))?;
            kept::reservations(&call.conn(), (&filter, kind), asked, count).await
        };
        outcome.await.map(AdminReservationConnection::from).map_err(top_level)
    }

    /// Everything that changed what lies at the locations that your roles reach, or is on its way there, the latest
    /// first.
    #[graphql(guard = "catalog_read()")]
    #[allow(clippy::too_many_arguments)]
    async fn stock_movements(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "So many from the front: 20 when absent, at most 250.")] first: Option<i32>,
        #[graphql(desc = "Behind this cursor.")] after: Option<String>,
        #[graphql(desc = "So many from the back, at most 250.")] last: Option<i32>,
        #[graphql(desc = "Before this cursor.")] before: Option<String>,
        #[graphql(desc = "Skip so many, at most 10000.")] offset: Option<i32>,
        #[graphql(desc = "What the movements must be.")] filter: Option<AdminStockMovementFilter>,
    ) -> async_graphql::Result<AdminStockMovementConnection> {
        let call = call(ctx)?;
        let count = ctx.look_ahead().field("totalCount").exists();
        let (item, location, reason) =
            filter.map(|filter| (filter.inventory_item_id, filter.location_id, filter.reason)).unwrap_or_default();
        let (filter, reason) = (kept_filter(ctx, item, location)?, reason.map(|reason| reason.0));
        let outcome = async {
            let filter = filter?;
            let args = PageArgs { first, after, last, before, offset };
            let asked = Page::read(args, ADMIN_MAX, true, &("stock movements", &filter, reason))?;
            kept::movements(&call.conn(), (&filter, reason), asked, count).await
        };
        outcome.await.map(AdminStockMovementConnection::from).map_err(top_level)
    }
}

/// Stock to put aside.
#[derive(Debug, InputObject)]
pub struct AdminReservationCreateInput {
    /// Your name for this intention, 1 to 255 characters: the same key again has the same effect once.
    pub idempotency_key: String,
    /// Of which item.
    pub inventory_item_id: ID,
    /// Where.
    pub location_id: ID,
    /// How many, at least 1; they must be available there.
    pub quantity: i32,
    /// Why, 1 to 255 characters.
    pub note: Option<String>,
    /// When it ends by itself; it stays until you delete it when absent.
    pub expires_at: Option<DateTime<Utc>>,
}

/// What changes about stock that is put aside. What you leave out stays.
#[derive(Debug, InputObject)]
pub struct AdminReservationUpdateInput {
    /// Which promise; one that staff made by hand.
    pub id: ID,
    /// How many, at least 1.
    pub quantity: Option<i32>,
    /// Why, 1 to 255 characters.
    pub note: MaybeUndefined<String>,
    /// When it ends by itself; null: it stays.
    pub expires_at: MaybeUndefined<DateTime<Utc>>,
}

/// Which stock is not put aside any more.
#[derive(Debug, InputObject)]
pub struct AdminReservationDeleteInput {
    /// Which promise; one that staff made by hand.
    pub id: ID,
}

payload! {
    /// What `reservationCreate` did.
    AdminReservationCreatePayload {
        /// The new promise.
        reservation: AdminReservation
    }
}

payload! {
    /// What `reservationUpdate` did.
    AdminReservationUpdatePayload {
        /// The promise as it is now.
        reservation: AdminReservation
    }
}

payload! {
    /// What `reservationDelete` did.
    AdminReservationDeletePayload {
        /// The id of the promise that is gone.
        deleted_id: ID
    }
}

/// Mutations of promises.
#[derive(Debug, Default)]
pub struct ReservationAdminMutation;

async fn create(call: &Call, input: AdminReservationCreateInput) -> Result<AdminReservation> {
    let op = CreateReservation {
        item: parse_id(&input.inventory_item_id, &["inventoryItemId"])?,
        location: parse_id(&input.location_id, &["locationId"])?,
        quantity: input.quantity,
        note: input.note,
        expires_at: input.expires_at,
    };
    let key = IdempotencyKey { actor: call.caller.actor.to_string(), key: input.idempotency_key };
    call.app.run_once(&call.caller, &op, key).await.map(AdminReservation::from)
}

#[Object]
impl ReservationAdminMutation {
    /// Puts stock aside by hand, so that nobody can buy it.
    #[graphql(guard = "inventory_write()")]
    async fn reservation_create(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to put aside.")] input: AdminReservationCreateInput,
    ) -> async_graphql::Result<AdminReservationCreatePayload> {
        AdminReservationCreatePayload::answer(create(call(ctx)?, input).await)
    }

    /// Changes stock that staff put aside.
    #[graphql(guard = "inventory_write()")]
    async fn reservation_update(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What changes.")] input: AdminReservationUpdateInput,
    ) -> async_graphql::Result<AdminReservationUpdatePayload> {
        let call = call(ctx)?;
        let outcome = async {
            let op = UpdateReservation {
                id: parse_id::<ReservationId>(&input.id, &["id"])?,
                quantity: input.quantity,
                note: change(input.note),
                expires_at: change(input.expires_at),
            };
            call.app.run(&call.caller, &op).await.map(AdminReservation::from)
        };
        AdminReservationUpdatePayload::answer(outcome.await)
    }

    /// Lets go of stock that staff put aside.
    #[graphql(guard = "inventory_write()")]
    async fn reservation_delete(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What is not put aside any more.")] input: AdminReservationDeleteInput,
    ) -> async_graphql::Result<AdminReservationDeletePayload> {
        let call = call(ctx)?;
        let outcome = async {
            let op = DeleteReservation(parse_id(&input.id, &["id"])?);
            call.app.run(&call.caller, &op).await.map(id)
        };
        AdminReservationDeletePayload::answer(outcome.await)
    }
}
