//! A write is a value, and one runner carries it out: permission → span →
//! idempotency → transaction → events → audit → retry.
//!
//! GraphQL, the command line, jobs and flows call ops the same way. An op runs
//! in exactly one transaction; nothing outside the database can be reached
//! from [`Tx`].

use std::collections::BTreeSet;
use std::future::Future;
use std::net::IpAddr;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use domain::id::{ChannelId, OrderId, ProductId};
use domain::refusal::{ErrorCode, Refusal};
use entity::idempotency;
use sea_orm::sea_query::OnConflict;
use sea_orm::{ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter};
use serde::Serialize;
use sha2::{Digest, Sha256};
use tracing::Instrument;
use uuid::Uuid;

use crate::actor::{Actor, Caller, Need};
use crate::app::App;
use crate::audit::NewAudit;
use crate::auth::vault::Vault;
use crate::db::{self, Conn};
use crate::epoch::is_staff;
use crate::error::{Error, Result};
use crate::event::{Aggregate, NewEvent};
use crate::failpoint;
use crate::provider::ask::ROUNDS;
use crate::settings::Settings;
use crate::sweeper::MOST;

/// How often a transaction is tried when the database says that it met another.
const TRIES: u32 = 8;
/// How long an idempotency key is remembered.
const KEY_LIFE: TimeDelta = TimeDelta::days(7);
/// The longest idempotency key, in characters.
const MAX_KEY: usize = 255;

/// A write.
pub trait Op: Send + Sync {
    /// `noun.verb`: the name in spans, in the audit log and for idempotency.
    const NAME: &'static str;
    /// What the caller must hold, checked before the transaction opens.
    const NEEDS: Need;
    /// What it answers.
    type Out: Send;

    /// Locks, loads, decides, writes, emits. May be run again from the start.
    fn run(&self, tx: &mut Tx) -> impl Future<Output = Result<Self::Out>> + Send;

    /// Whether what it wrote is kept; a rehearsal says no and only answers.
    fn commits(&self) -> bool {
        true
    }
}

/// A write that a client may send twice and that has its effect once.
pub trait Repeatable: Op + Serialize {
    /// The entity that stands for the effect.
    fn entity(out: &Self::Out) -> Uuid;

    /// The same answer again, read from the entity.
    fn replay(&self, tx: &mut Tx, entity: Uuid) -> impl Future<Output = Result<Self::Out>> + Send;
}

/// A client's key for one intention.
#[derive(Debug, Clone)]
pub struct IdempotencyKey {
    /// Whose key it is: two callers may use the same text.
    pub actor: String,
    /// The text that the client chose.
    pub key: String,
}

impl IdempotencyKey {
    /// Refuses an empty key and one that is too long.
    pub fn check(self) -> Result<Self, Refusal> {
        if self.key.trim().is_empty() || self.key.chars().count() > MAX_KEY {
            let message = format!("An idempotency key has 1 to {MAX_KEY} characters.");
            Err(Refusal::new(ErrorCode::Invalid, message).limit(MAX_KEY as i64).at(["idempotencyKey"]))
        } else {
            Ok(self)
        }
    }
}

/// The open transaction of an op, and what an op may know besides the database.
pub struct Tx {
    /// The connection, for the functions of `repo`.
    pub conn: Conn,
    app: Arc<App>,
    actor: Actor,
    channel: Option<ChannelId>,
    from: Option<IpAddr>,
    now: DateTime<Utc>,
    settings: Option<Arc<Settings>>,
    settings_touched: bool,
    events: Vec<NewEvent>,
    woken: BTreeSet<Uuid>,
    audits: Vec<NewAudit>,
    to_number: Option<OrderId>,
    to_index: BTreeSet<ProductId>,
}

impl Tx {
    /// Gives an order its number in the last statement before commit: the
    /// counter is held by everybody who places an order, so it is held shortly.
    pub fn number_last(&mut self, order: OrderId) {
        self.to_number = Some(order);
    }

    /// Says that shoppers find these products by other words from now on, though
    /// they are none of this op's events: what they share has another name.
    pub fn find_anew(&mut self, products: impl IntoIterator<Item = ProductId>) {
        self.to_index.extend(products);
    }

    /// The moment at which the op runs: the same for all that it writes.
    pub fn now(&self) -> DateTime<Utc> {
        self.now
    }

    /// Who is writing.
    pub fn actor(&self) -> &Actor {
        &self.actor
    }

    /// The channel in which he writes, when it is a request's.
    pub fn channel(&self) -> Option<ChannelId> {
        self.channel
    }

    /// From where he writes, when that is known.
    pub fn from(&self) -> Option<IpAddr> {
        self.from
    }

    /// The names of those who name tax rates from outside.
    pub fn tax_providers(&self) -> impl Iterator<Item = &str> {
        self.app.rate_providers.tax.keys().map(String::as_str)
    }

    /// The names of those who name shipping prices from outside.
    pub fn shipping_rate_providers(&self) -> impl Iterator<Item = &str> {
        self.app.rate_providers.shipping.keys().map(String::as_str)
    }

    /// Seals and opens secrets.
    pub fn vault(&self) -> &Vault {
        &self.app.vault
    }

    /// A new id.
    pub fn id<T: From<Uuid>>(&self) -> T {
        self.app.ids.next(self.now).into()
    }

    /// Writes an event with this transaction; it is delivered after commit.
    pub fn emit(&mut self, aggregate: Aggregate, kind: &'static str, payload: serde_json::Value) {
        self.events.push(NewEvent { aggregate, kind, payload });
    }

    /// Wakes those who wait for this after commit, though nothing of it is kept: they look what it has become.
    pub fn wake(&mut self, id: impl Into<Uuid>) {
        self.woken.insert(id.into());
    }

    /// Notes what staff or a key changed, before and after. What anybody else
    /// does is not kept here.
    pub fn audit(
        &mut self,
        entity: impl ToString,
        before: Option<serde_json::Value>,
        after: Option<serde_json::Value>,
    ) {
        self.audits.push(NewAudit { entity: entity.to_string(), before, after });
    }

    /// The settings as they stand in the database: the snapshot when its
    /// version is theirs, otherwise read again within this transaction.
    pub async fn settings(&mut self) -> Result<Arc<Settings>> {
        if let Some(settings) = &self.settings {
            return Ok(settings.clone());
        }
        let version = crate::settings::version(&self.conn).await?;
        self.settings_at(version).await
    }

    /// The settings at the version that a statement of this transaction read
    /// along with its own rows.
    pub async fn settings_at(&mut self, version: i64) -> Result<Arc<Settings>> {
        let snapshot = self.app.settings();
        let settings = match snapshot.version == version {
            true => snapshot,
            false => Arc::new(Settings::load(&self.conn, self.now).await?.paid_through(&self.app.payments)),
        };
        self.settings = Some(settings.clone());
        Ok(settings)
    }

    /// Says that this op changed a setting: the snapshot gets a new version.
    pub async fn touch_settings(&mut self) -> Result<()> {
        self.settings = None;
        if !self.settings_touched {
            self.settings_touched = true;
            let version = crate::settings::raise_version(&self.conn).await?;
            self.emit(Aggregate::SETTINGS, "settings.changed", serde_json::json!({ "version": version }));
        }
        Ok(())
    }

    /// Whatever changed a product says so with an event: what shoppers find is
    /// brought up to date with it, in the same transaction.
    async fn index(&self, events: &[NewEvent]) -> Result<()> {
        let products = events.iter().filter(|event| event.aggregate.kind == "product");
        let mut products: BTreeSet<ProductId> = products.map(|event| ProductId(event.aggregate.id)).collect();
        products.extend(&self.to_index);
        crate::search::repo::refresh(self, &products.into_iter().collect::<Vec<_>>()).await
    }

    async fn finish(mut self, op: &'static str, need: Need) -> Result<()> {
        let events = std::mem::take(&mut self.events);
        self.index(&events).await?;
        let audits = std::mem::take(&mut self.audits);
        crate::event::append(&self, &events).await?;
        if matches!(self.actor, Actor::Staff { .. } | Actor::ApiKey { .. }) {
            crate::audit::append(&self, op, audits).await?;
        }
        if let Some(order) = self.to_number {
            db::number_order(&self.conn, order).await?;
        }
        self.conn.commit().await?;
        let woken: Vec<Aggregate> = events.iter().map(|event| event.aggregate).collect();
        self.app.committed(&woken).await;
        if is_staff(need) {
            self.app.epoch.raise();
        }
        self.app.woken(self.woken);
        Ok(())
    }
}

impl App {
    /// Carries out a write.
    pub async fn run<O: Op>(self: &Arc<Self>, caller: &Caller, op: &O) -> Result<O::Out> {
        caller.actor.check(O::NEEDS)?;
        let span = tracing::info_span!("op", name = O::NAME, actor = caller.actor.kind());
        let attempts = async {
            let (mut tries, mut rounds) = (0, 0);
            loop {
                tries += 1;
                match self.attempt(caller, op).await {
                    Err(Error::Unanswered(questions)) if rounds < ROUNDS => {
                        rounds += 1;
                        tries -= 1;
                        self.ask(&questions).await?;
                    }
                    Err(error) if tries < TRIES && error.is_retryable() => {
                        tracing::debug!(tries, %error, "trying again");
                        tokio::time::sleep(std::time::Duration::from_millis(u64::from(tries) * 10)).await;
                    }
                    outcome => return outcome,
                }
            }
        };
        attempts.instrument(span).await
    }

    /// Carries out a write once per key: the second call with the same key and
    /// input gets the answer of the first; with other input it is refused. A
    /// refusal leaves no trace: the same key may be tried again.
    pub async fn run_once<O: Repeatable>(
        self: &Arc<Self>,
        caller: &Caller,
        op: &O,
        key: IdempotencyKey,
    ) -> Result<O::Out> {
        caller.actor.check(O::NEEDS)?;
        let once = Once { op, key: key.check()?, hash: input_hash(op)? };
        self.run(caller, &once).await
    }

    async fn attempt<O: Op>(self: &Arc<Self>, caller: &Caller, op: &O) -> Result<O::Out> {
        let mut tx = Tx {
            conn: self.db.begin(&caller.statements).await?,
            app: self.clone(),
            actor: caller.actor.clone(),
            channel: caller.channel,
            from: caller.from,
            now: self.clock.now(),
            settings: None,
            settings_touched: false,
            events: Vec::new(),
            woken: BTreeSet::new(),
            audits: Vec::new(),
            to_number: None,
            to_index: BTreeSet::new(),
        };
        failpoint::reach_one("op", O::NAME);
        if failpoint::fails(O::NAME) {
            tx.conn.rollback().await?;
            return Err(Error::internal("the database was lost, as this point was told"));
        }
        match op.run(&mut tx).await {
            Ok(out) if op.commits() => {
                tx.finish(O::NAME, O::NEEDS).await?;
                Ok(out)
            }
            Ok(out) => {
                tx.conn.rollback().await?;
                Ok(out)
            }
            Err(error) => {
                // A database that is full or away has undone it by itself; why it was refused is what counts.
                if let Err(undone) = tx.conn.rollback().await {
                    tracing::debug!(%undone, "there was nothing to undo");
                }
                Err(taken_meanwhile(error))
            }
        }
    }
}

/// What was free when the op looked and taken when it wrote is refused like
/// what was taken from the start.
fn taken_meanwhile(error: Error) -> Error {
    match &error {
        Error::Database(broken) if db::unique_violation(broken).is_some() => {
            let message = "Somebody else has just taken one of these values, which must be unique.";
            Refusal::new(ErrorCode::Taken, message).into()
        }
        _ => error,
    }
}

/// A write that is only tried: it answers or refuses as it would, and nothing of it is kept.
#[derive(Debug)]
pub struct Rehearsal<'o, O>(pub &'o O);

impl<O: Op> Op for Rehearsal<'_, O> {
    const NAME: &'static str = O::NAME;
    const NEEDS: Need = O::NEEDS;
    type Out = O::Out;

    async fn run(&self, tx: &mut Tx) -> Result<O::Out> {
        self.0.run(tx).await
    }

    fn commits(&self) -> bool {
        false
    }
}

/// An op behind its idempotency key.
struct Once<'o, O> {
    op: &'o O,
    key: IdempotencyKey,
    hash: Vec<u8>,
}

impl<O: Repeatable> Op for Once<'_, O> {
    const NAME: &'static str = O::NAME;
    const NEEDS: Need = O::NEEDS;
    type Out = O::Out;

    async fn run(&self, tx: &mut Tx) -> Result<O::Out> {
        if let Some(entity) = claim_key(tx, O::NAME, &self.key, &self.hash, None).await? {
            return self.op.replay(tx, entity).await;
        }
        let out = self.op.run(tx).await?;
        settle_key(tx, O::NAME, &self.key, O::entity(&out)).await?;
        Ok(out)
    }
}

/// Forgets up to [`MOST`] keys whose time is over; answers with how many.
pub async fn forget_expired_keys(app: &App) -> Result<u64> {
    let now = app.clock.now();
    let expired = idempotency::Column::ExpiresAt.lte(now);
    if idempotency::Entity::find().filter(expired).one(&app.read()).await?.is_none() {
        return Ok(0);
    }
    let conn = app.db.begin(&db::StatementCount::default()).await?;
    let sql = format!(
        "delete from idempotency where (actor, operation, key) in (select old.actor, old.operation, old.key
            from idempotency as old where old.expires_at <= ? order by old.expires_at limit {MOST})"
    );
    let forgotten = conn.execute_raw(db::statement(&conn, &sql, [now.into()])).await?.rows_affected();
    conn.commit().await?;
    Ok(forgotten)
}

/// SHA-256 of an input in its serialised form.
pub fn input_hash(input: &impl Serialize) -> Result<Vec<u8>> {
    let text = serde_json::to_vec(input).map_err(Error::internal)?;
    Ok(Sha256::digest(text).to_vec())
}

/// Takes the key for this call, or answers with what it was used for.
/// `entity` is what stands for the effect, when that is known beforehand.
pub async fn claim_key(
    tx: &Tx,
    operation: &str,
    key: &IdempotencyKey,
    hash: &[u8],
    entity: Option<Uuid>,
) -> Result<Option<Uuid>> {
    let row = idempotency::ActiveModel {
        actor: Set(key.actor.clone()),
        operation: Set(operation.to_owned()),
        key: Set(key.key.clone()),
        input_hash: Set(hash.to_vec()),
        entity_id: Set(entity),
        created_at: Set(tx.now()),
        expires_at: Set(tx.now() + KEY_LIFE),
    };
    // A call with the same key that is still in its transaction holds this
    // insert until it ends, so that the two never run side by side.
    let inserted = idempotency::Entity::insert(row)
        .on_conflict(OnConflict::new().do_nothing().to_owned())
        .exec_without_returning(&tx.conn)
        .await?;
    if inserted == 1 {
        return Ok(None);
    }
    match used_for(tx, operation, key, hash).await? {
        Some(entity) => Ok(Some(entity)),
        None => Err(in_flight().into()),
    }
}

/// What a key was used for, if it was used; other input is refused.
pub async fn used_for(tx: &Tx, operation: &str, key: &IdempotencyKey, hash: &[u8]) -> Result<Option<Uuid>> {
    match find_key(&tx.conn, operation, key).await? {
        Some(used) if used.input_hash != hash => Err(Refusal::new(
            ErrorCode::IdempotencyMismatch,
            "This idempotency key was used with other input; take a new key for a new intention.",
        )
        .at(["idempotencyKey"])
        .into()),
        Some(used) => Ok(used.entity_id),
        None => Ok(None),
    }
}

/// Forgets the keys that were used for an entity: its effect was undone.
pub async fn forget_keys(tx: &Tx, operation: &str, entity: Uuid) -> Result<()> {
    let sql = "delete from idempotency where operation = ? and entity_id = ?";
    let statement = db::statement(&tx.conn, sql, [operation.into(), entity.into()]);
    sea_orm::ConnectionTrait::execute_raw(&tx.conn, statement).await?;
    Ok(())
}

/// The refusal of a call whose twin is running at this moment.
pub fn in_flight() -> Refusal {
    let mut refusal =
        Refusal::new(ErrorCode::IdempotencyInFlight, "A call with this key is running; ask again in a moment.")
            .at(["idempotencyKey"]);
    refusal.retry_after_ms = Some(1_000);
    refusal
}

/// What a key was used for.
pub async fn find_key(conn: &Conn, operation: &str, key: &IdempotencyKey) -> Result<Option<idempotency::Model>> {
    let id = (key.actor.clone(), operation.to_owned(), key.key.clone());
    Ok(idempotency::Entity::find_by_id(id).one(conn).await?)
}

/// Stores what the key was used for.
pub async fn settle_key(tx: &Tx, operation: &str, key: &IdempotencyKey, entity: Uuid) -> Result<()> {
    let sql = "update idempotency set entity_id = ? where actor = ? and operation = ? and key = ?";
    let values = [entity.into(), key.actor.clone().into(), operation.into(), key.key.clone().into()];
    sea_orm::ConnectionTrait::execute_raw(&tx.conn, db::statement(&tx.conn, sql, values)).await?;
    Ok(())
}
