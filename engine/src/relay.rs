//! The log in the background: the relay that stamps positions, the reader that
//! follows them, and the wake-ups between processes. Who starts them is in
//! [`crate::background`].
//!
//! One relay stamps at a time. On PostgreSQL it holds an advisory lock on the
//! very connection that it stamps with, so that losing the connection loses
//! the office; on SQLite it holds a file lock.

use std::fmt::Display;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use redis::AsyncCommands;
use sea_orm::{ConnectionTrait, DbBackend};
use sqlx::Connection;
use sqlx::postgres::PgConnection;
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::app::App;
use crate::db::{DatabaseUrl, StatementCount, connect_postgres, statement};
use crate::epoch::is_shown;
use crate::error::{Error, Result};
use crate::event::{self, Aggregate};

/// How often the log is looked at when nobody wakes us: what bounds the delay
/// while Redis is away, and on SQLite after a foreign commit.
const POLL: Duration = Duration::from_millis(100);
/// How long to wait after a failure of the database or of Redis.
const REST: Duration = Duration::from_millis(500);
/// How long Redis, or a database that has nothing to do, may take to answer: one that takes longer is away.
const PATIENCE: Duration = Duration::from_secs(2);
/// How long stamping a batch may take.
const LONG: Duration = Duration::from_secs(30);
/// How often Redis is asked whether it is still there.
const BEAT: Duration = Duration::from_secs(1);
/// How many events are stamped or read at once.
const BATCH: u64 = 1_000;
/// How many wake-ups may wait for Redis; more are not told, and found in the log.
const OUTBOX: usize = 1_024;
/// The advisory lock of the relay on PostgreSQL.
const RELAY_LOCK: i64 = 0x656d_706f_7269_6f6e;

/// Stamps everything that is committed and has no position yet. Within one
/// batch the events of an aggregate keep the order of their sequence.
const STAMP: &str = "
    update event set position = stamped.position
    from (
        select id, (select coalesce(max(position), 0) from event)
            + row_number() over (order by aggregate_type, aggregate_id, sequence) as position
        from (select id, aggregate_type, aggregate_id, sequence from event where position is null
              order by aggregate_type, aggregate_id, sequence limit 1000) as waiting
    ) as stamped
    where event.id = stamped.id";

/// Stamps until `stop`. Any number of processes may: one holds the office, the others wait for it.
pub async fn stamp_forever(app: Arc<App>, stop: CancellationToken) {
    forever(app, stop, "relay", relay).await;
}

/// Follows the log until `stop`: what every process needs that somebody waits in.
pub async fn follow_forever(app: Arc<App>, stop: CancellationToken) {
    forever(app, stop, "reader", follow).await;
}

/// Listens to the other processes until `stop`.
pub async fn listen_forever(app: Arc<App>, stop: CancellationToken) {
    forever(app, stop, "redis", listen).await;
}

async fn forever<F, Fut>(app: Arc<App>, stop: CancellationToken, name: &'static str, run: F)
where
    F: Fn(Arc<App>) -> Fut + Send,
    Fut: Future<Output = Result<()>> + Send,
{
    let mut failures: u32 = 0;
    while !stop.is_cancelled() {
        tokio::select! {
            () = stop.cancelled() => break,
            outcome = run(app.clone()) => {
                if let Err(error) = outcome {
                    // Said once a minute: nothing is lost meanwhile, the log is read all the same.
                    if failures.is_multiple_of(120) {
                        tracing::warn!(task = name, %error, "interrupted; trying again until it works");
                    }
                    failures = failures.wrapping_add(1);
                }
                sleep(REST).await;
            }
        }
    }
}

/// Holds the office of the relay and stamps.
async fn relay(app: Arc<App>) -> Result<()> {
    match app.db.url() {
        DatabaseUrl::Postgres(url) => relay_postgres(&app, url).await,
        DatabaseUrl::Sqlite(path) => relay_sqlite(&app, path).await,
    }
}

async fn relay_postgres(app: &App, url: &str) -> Result<()> {
    let mut connection = connect_postgres(url).await?;
    while !in_time(PATIENCE, take_office(&mut connection)).await? {
        sleep(REST).await;
    }
    let mut commits = app.bus.watch_commits();
    loop {
        commits.mark_unchanged();
        // A server that vanished without a word is noticed here, not by whoever waits for an event.
        let stamped = in_time(LONG, sqlx::query(STAMP).execute(&mut connection)).await?.rows_affected();
        if stamped > 0 {
            app.stamped().await;
        }
        // A full batch may have left some.
        if stamped < BATCH && timeout(POLL, commits.changed()).await.is_err() {
            in_time(PATIENCE, connection.ping()).await?;
        }
    }
}

/// Whether the office was free, or is held already.
async fn take_office(connection: &mut PgConnection) -> sqlx::Result<bool> {
    sqlx::query_scalar("select pg_try_advisory_lock($1)").bind(RELAY_LOCK).fetch_one(connection).await
}

/// The outcome of asking another server, which may take so long.
async fn in_time<T, E: Display>(patience: Duration, asking: impl Future<Output = Result<T, E>>) -> Result<T> {
    timeout(patience, asking).await.map_err(|_| Error::internal("no answer in time"))?.map_err(Error::internal)
}

async fn relay_sqlite(app: &App, path: &Path) -> Result<()> {
    let lock = std::fs::File::create(path.with_extension("relay")).map_err(Error::internal)?;
    while lock.try_lock().is_err() {
        sleep(REST).await;
    }
    let mut commits = app.bus.watch_commits();
    let reader = app.db.read(&StatementCount::default());
    loop {
        commits.mark_unchanged();
        let row = reader
            .query_one_raw(statement(
                &reader,
                "select count(*) from (select 1 from event where position is null limit 1) as one",
                [],
            ))
            .await?;
        let waiting: i64 = row.map(|row| row.try_get_by_index(0)).transpose()?.unwrap_or(0);
        if waiting > 0 {
            let writer = app.db.begin(&StatementCount::default()).await?;
            let stamped = writer.execute_unprepared(STAMP).await?.rows_affected();
            writer.commit().await?;
            app.stamped().await;
            if stamped == BATCH {
                continue;
            }
        }
        let _ = timeout(POLL, commits.changed()).await;
    }
}

/// Stamps what waits when nobody else holds the office: for commands that write much where no process works. Another
/// process that holds it stamps by itself.
pub async fn stamp_unless_held(app: &App) -> Result<()> {
    match app.db.url() {
        DatabaseUrl::Postgres(url) => {
            let mut connection = connect_postgres(url).await?;
            let held = take_office(&mut connection).await.map_err(Error::internal)?;
            while held
                && sqlx::query(STAMP).execute(&mut connection).await.map_err(Error::internal)?.rows_affected() > 0
            {
            }
            // The office is laid down before anybody is told that this has ended.
            connection.close().await.map_err(Error::internal)
        }
        DatabaseUrl::Sqlite(path) => {
            let lock = std::fs::File::create(path.with_extension("relay")).map_err(Error::internal)?;
            if lock.try_lock().is_err() {
                return Ok(());
            }
            loop {
                let writer = app.db.begin(&StatementCount::default()).await?;
                let stamped = writer.execute_unprepared(STAMP).await?.rows_affected();
                writer.commit().await?;
                if stamped == 0 {
                    return Ok(());
                }
            }
        }
    }
}

/// Follows the stamped log: wakes whoever waits for an aggregate, and renews
/// the settings. It makes good every wake-up that was lost on its way.
async fn follow(app: Arc<App>) -> Result<()> {
    let conn = app.db.read(&StatementCount::default());
    // After an interruption it goes on where it was.
    let mut last = match app.bus.position() {
        0 => event::last_position(&conn).await?,
        position => position,
    };
    app.refresh_settings().await?;
    app.bus.advance(last);
    let mut stamps = app.bus.watch_stamps();
    loop {
        stamps.mark_unchanged();
        let events = event::stamped_after(&conn, last, BATCH).await?;
        if let Some(newest) = events.last().and_then(|event| event.position) {
            last = newest;
            if events.iter().any(|event| event.aggregate_type == Aggregate::SETTINGS.kind) {
                app.refresh_settings().await?;
            }
            if events.iter().any(|event| is_shown(&event.aggregate_type)) {
                app.epoch.raise();
            }
            app.bus.wake(events.iter().map(|event| event.aggregate_id));
            app.bus.advance(last);
        }
        if (events.len() as u64) < BATCH {
            let _ = timeout(POLL, stamps.changed()).await;
        }
    }
}

/// Listens to what the other processes committed.
async fn listen(app: Arc<App>) -> Result<()> {
    let Some(redis) = &app.redis else { return Ok(()) };
    let listening = async {
        let mut messages = redis.client.get_async_pubsub().await?;
        messages.subscribe(&redis.channel).await?;
        Ok::<_, redis::RedisError>(messages.split())
    };
    let (mut asking, mut messages) = in_time(PATIENCE, listening).await?;
    tracing::info!("listening to Redis");
    let beats = async {
        loop {
            sleep(BEAT).await;
            // Who only listens never learns that a connection has silently gone.
            in_time(PATIENCE, asking.ping::<redis::Value>()).await?;
        }
    };
    let wakes = async {
        while let Some(message) = messages.next().await {
            let payload: String = message.get_payload().map_err(Error::internal)?;
            let mut ids = payload.split(' ').filter_map(|id| Uuid::parse_str(id).ok());
            // What this process committed has woken everybody here already.
            if ids.next() != Some(redis.process) {
                app.bus.wake(ids);
                app.bus.commit(&[]);
                app.bus.stamp();
            }
        }
        Err(Error::internal("Redis closed the connection"))
    };
    app.bus.set_hears(true);
    let ended = tokio::select! {
        ended = beats => ended,
        ended = wakes => ended,
    };
    app.bus.set_hears(false);
    ended
}

/// The way to the other processes.
#[derive(Debug)]
pub struct Redis {
    client: redis::Client,
    shop: String,
    channel: String,
    /// Who says something, in front of what is said.
    process: Uuid,
    outbox: tokio::sync::mpsc::Sender<String>,
}

impl Redis {
    /// Prepares the way; Redis need not be there yet. `shop` keeps the shops
    /// of one Redis apart.
    pub fn open(url: &str, shop: &str) -> Result<Self> {
        let client = redis::Client::open(url).map_err(Error::internal)?;
        let channel = format!("emporion:{shop}:committed");
        let (outbox, waiting) = tokio::sync::mpsc::channel(OUTBOX);
        let process = Uuid::new_v4();
        tokio::spawn(publish(client.clone(), channel.clone(), process, waiting));
        Ok(Self { client, shop: shop.to_owned(), channel, process, outbox })
    }

    /// Where it is.
    pub fn client(&self) -> &redis::Client {
        &self.client
    }

    /// What tells the shop from others of the same Redis.
    pub fn shop(&self) -> &str {
        &self.shop
    }

    /// Whether Redis answers within two seconds.
    pub async fn answers(&self) -> bool {
        let ask = async {
            let mut connection = self.client.get_multiplexed_async_connection().await?;
            redis::cmd("PING").query_async::<String>(&mut connection).await
        };
        in_time(PATIENCE, ask).await.is_ok()
    }

    /// Tells the other processes, without waiting: what does not get through
    /// they find in the log.
    pub fn tell(&self, woken: impl IntoIterator<Item = Uuid>) {
        let ids: Vec<String> = woken.into_iter().map(|id| id.to_string()).collect();
        let _ = self.outbox.try_send(ids.join(" "));
    }
}

/// Whether a text is an address that [`Redis::open`] takes.
pub fn is_redis_url(text: &str) -> bool {
    redis::Client::open(text).is_ok()
}

async fn publish(
    client: redis::Client,
    channel: String,
    process: Uuid,
    mut waiting: tokio::sync::mpsc::Receiver<String>,
) {
    let config = redis::AsyncConnectionConfig::new().set_response_timeout(Some(PATIENCE));
    let mut connection: Option<redis::aio::MultiplexedConnection> = None;
    let mut closed_until = Instant::now();
    let mut batch = Vec::new();
    // What gathered while Redis took its time is told at once.
    while waiting.recv_many(&mut batch, OUTBOX).await > 0 {
        let message = format!("{process} {}", batch.join(" "));
        batch.clear();
        if connection.is_none() && Instant::now() >= closed_until {
            let connecting = client.get_multiplexed_async_connection_with_config(&config);
            connection = in_time(PATIENCE, connecting).await.ok();
        }
        if let Some(open) = &mut connection {
            let sent: Result<()> = in_time(PATIENCE, open.publish(&channel, message)).await;
            if sent.is_err() {
                connection = None;
            }
        }
        if connection.is_none() {
            closed_until = closed_until.max(Instant::now() + REST);
        }
    }
}

/// Whether the database answers at all.
pub async fn database_answers(app: &App) -> bool {
    let conn = app.db.read(&StatementCount::default());
    let backend: DbBackend = conn.backend();
    let ask = sea_orm::Statement::from_string(backend, "select 1");
    matches!(timeout(PATIENCE, conn.query_one_raw(ask)).await, Ok(Ok(Some(_))))
}
