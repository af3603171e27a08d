//! Runs on the admin surface.

use async_graphql::{Context, ID, InputObject, Object, SimpleObject};
use chrono::{DateTime, Utc};
use domain::flow::FlowState;
use domain::id::FlowId;
use domain::refusal::{ErrorCode, Refusal};
use entity::flow;

use crate::api::call::{Call, call};
use crate::api::guard::{orders_read_everywhere, payments_write_everywhere};
use crate::api::page::{ADMIN_MAX, Page, PageArgs, connection};
use crate::api::payload::{payload, top_level};
use crate::api::scalar::{id, parse_id};
use crate::api::word::Enum;
use engine::error::{Error, Result};
use engine::flow::staff::{self, is_hung};
use engine::flow::{self as runs, FlowFilter};

/// The most kinds that are asked for at once.
const MAX_KINDS: usize = 20;

/// A run of steps around calls to a payment provider. After a crash it goes on where it stands, and while the provider
/// gives no answer it is tried again by itself, after a second, two, four, up to five minutes.
#[derive(Debug, Clone, SimpleObject)]
pub struct AdminFlow {
    /// Its id.
    pub id: ID,
    /// What it does: `checkout`, `order_payment`, `payment_entry` (a capture, a void or a refund), `checkout_return`
    /// (money that came too late goes back).
    pub kind: String,
    /// The id of what it is about: of a checkout, a payment or an entry of a payment.
    pub subject_id: String,
    /// Where it stands.
    pub state: Enum<FlowState>,
    /// Which step is next.
    pub step: String,
    /// How often it was taken up.
    pub attempts: i32,
    /// Whether somebody works on it at this moment.
    pub held: bool,
    /// Whether it was taken up five times and has not ended, waits longer than it should, or is `STUCK`: look at the
    /// provider.
    pub hung: bool,
    /// When it began.
    pub created_at: DateTime<Utc>,
    /// When it is tried again by itself; null when it has ended, is worked on or waits for a shopper.
    pub next_try_at: Option<DateTime<Utc>>,
    /// Until when it waits for a shopper; null when it does not.
    pub deadline: Option<DateTime<Utc>>,
}

impl AdminFlow {
    fn new(row: flow::Model, now: DateTime<Utc>) -> Self {
        let waits = row.state == FlowState::Parked && row.step == engine::payment::wanted::STEP;
        Self {
            id: id(row.id),
            hung: is_hung(&row, now),
            held: row.held && row.run_at > now,
            kind: row.kind,
            subject_id: row.key.trim_start_matches("return:").to_owned(),
            state: Enum(row.state),
            step: row.step,
            attempts: row.attempts,
            created_at: row.created_at,
            next_try_at: match row.state {
                FlowState::Running if !row.held => Some(row.run_at),
                FlowState::Parked if !waits => Some(row.deadline),
                _ => None,
            },
            deadline: waits.then_some(row.deadline),
        }
    }
}

/// A run at a moment.
#[derive(Debug)]
pub struct Seen(flow::Model, DateTime<Utc>);

impl From<Seen> for AdminFlow {
    fn from(seen: Seen) -> Self {
        Self::new(seen.0, seen.1)
    }
}

connection! {
    /// A page of runs.
    AdminFlowConnection, AdminFlowEdge, AdminFlow, Seen
}

/// What runs must be to be in the list. What you leave out is not asked.
#[derive(Debug, Clone, Default, InputObject)]
pub struct AdminFlowFilter {
    /// In one of these states.
    pub states: Option<Vec<Enum<FlowState>>>,
    /// Of one of these kinds; at most 20.
    pub kinds: Option<Vec<String>>,
    /// Whether it hangs.
    pub hung: Option<bool>,
}

/// Which run.
#[derive(Debug, InputObject)]
pub struct AdminFlowRetryInput {
    /// Which run.
    pub flow_id: ID,
}

payload! {
    /// What `flowRetry` did.
    AdminFlowRetryPayload {
        /// The run as it is now.
        flow: AdminFlow
    }
}

/// Which run.
#[derive(Debug, InputObject)]
pub struct AdminFlowCancelInput {
    /// Which run.
    pub flow_id: ID,
}

payload! {
    /// What `flowCancel` did.
    AdminFlowCancelPayload {
        /// The run as it is now.
        flow: AdminFlow
    }
}

/// Queries about runs.
#[derive(Debug, Default)]
pub struct FlowAdminQuery;

#[Object]
impl FlowAdminQuery {
    /// The runs around payment providers, the newest first. They are of the whole shop, so this needs ORDERS_READ
    /// without limit to channels.
    #[graphql(guard = "orders_read_everywhere()")]
    #[allow(clippy::too_many_arguments)]
    async fn flows(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "So many from the front: 20 when absent, at most 250.")] first: Option<i32>,
        #[graphql(desc = "Behind this cursor.")] after: Option<String>,
        #[graphql(desc = "So many from the back, at most 250.")] last: Option<i32>,
        #[graphql(desc = "Before this cursor.")] before: Option<String>,
        #[graphql(desc = "Skip so many, at most 10000.")] offset: Option<i32>,
        #[graphql(desc = "What the runs must be.")] filter: Option<AdminFlowFilter>,
    ) -> async_graphql::Result<AdminFlowConnection> {
        let call = call(ctx)?;
        let count = ctx.look_ahead().field("totalCount").exists();
        let now = call.app.clock.now();
        let outcome = async {
            let filter = filter.unwrap_or_default();
            if filter.kinds.as_ref().is_some_and(|kinds| kinds.len() > MAX_KINDS) {
                let refusal = Refusal::new(ErrorCode::TooMany, format!("At most {MAX_KINDS} at once."));
                return Err(Error::from(refusal.limit(MAX_KINDS as i64).at(["filter", "kinds"])));
            }
            let states = filter.states.map(|states| states.into_iter().map(|state| state.0).collect());
            let filter = FlowFilter { states, kinds: filter.kinds, hung: filter.hung };
            let args = PageArgs { first, after, last, before, offset };
            let page = Page::read(args, ADMIN_MAX, true, &("flows", &filter))?;
            runs::page(&call.conn(), &filter, now, page, count).await
        };
        let rows = outcome.await.map_err(top_level)?;
        Ok(AdminFlowConnection::from(rows.map(|row| Seen(row, now))))
    }
}

/// Mutations of runs.
#[derive(Debug, Default)]
pub struct FlowAdminMutation;

#[Object]
impl FlowAdminMutation {
    /// Tries a run at once instead of later. One that waits for a shopper is looked at, and goes on when he has paid.
    #[graphql(guard = "payments_write_everywhere()")]
    async fn flow_retry(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which run.")] input: AdminFlowRetryInput,
    ) -> async_graphql::Result<AdminFlowRetryPayload> {
        let call = call(ctx)?;
        let outcome = async {
            let id: FlowId = parse_id(&input.flow_id, &["flowId"])?;
            staff::retry(&call.app, &call.caller, id).await?;
            shown(call, id).await
        };
        AdminFlowRetryPayload::answer(outcome.await)
    }

    /// Calls off a checkout or a payment of an order: first at the provider, then here. A capture, a void or a refund
    /// can't be called off: whether the money moved is asked until the provider answers. Of a provider that does not know
    /// the payment, nothing is given up: look there before you call off what is `STUCK`.
    #[graphql(guard = "payments_write_everywhere()")]
    async fn flow_cancel(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which run.")] input: AdminFlowCancelInput,
    ) -> async_graphql::Result<AdminFlowCancelPayload> {
        let call = call(ctx)?;
        let outcome = async {
            let id: FlowId = parse_id(&input.flow_id, &["flowId"])?;
            staff::cancel(&call.app, &call.caller, id).await?;
            shown(call, id).await
        };
        AdminFlowCancelPayload::answer(outcome.await)
    }
}

async fn shown(call: &Call, id: FlowId) -> Result<AdminFlow> {
    let row = runs::find_by_id(&call.conn(), id).await?.ok_or_else(|| Error::internal("a run vanished"))?;
    Ok(AdminFlow::new(row, call.app.clock.now()))
}
