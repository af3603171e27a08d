//! Redis or PostgreSQL is away, slow or silent, and comes back.

use std::collections::BTreeSet;
use std::time::Duration;

use engine::db::{Db, StatementCount, statement};
use sea_orm::{ConnectionTrait, EntityTrait, PaginatorTrait};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;

use crate::support::client::Client;
use crate::support::database::{TestDatabase, on_postgres};
use crate::support::node::{Node, run_command};
use crate::support::postgres::PrivatePostgres;
use crate::support::proxy::{Proxy, Way};
use crate::support::redis::PrivateRedis;
use crate::support::socket::{PATIENCE, Socket, Subscription};
use crate::support::walker::{Placed, Walker, buy, in_stock, new_key, pack_at, sequence, unpack_at, watch};

/// How soon everything must be as before once what was away is back.
const RECOVERY: Duration = Duration::from_secs(5);
/// How late a client may know of a commit, in 19 of 20 cases, after that; on a machine that is busy with other things,
/// twice as late as before.
const LATE: Duration = Duration::from_millis(200);
const FEED: &str = "subscription { orderEvents { cursor order { id } event { sequence kind } } }";

/// Two processes of one shop, an order, and those who watch it at the second one.
struct Scene {
    a: Node,
    b: Node,
    owner: Client,
    placed: Placed,
    live: Subscription,
    feed: Subscription,
    _sockets: [Socket; 2],
    /// The last sequence that was told.
    last: i64,
    /// The fulfillment that holds the order, when it is packed.
    packed: Option<String>,
}

impl Scene {
    async fn of(database: &TestDatabase, more: &[&str]) -> Self {
        let mut a = Node::start(database, &[more, &["--demo"]].concat(), &[]).await;
        let token = a.owner_token().await;
        let owner = a.anonymous_admin.bearer(&token);
        let b = Node::start(database, more, &[]).await;
        let placed = buy(&a.store, &in_stock(&a.store).await, 1).await;
        let shopper = Socket::open(&b.store_socket, json!({})).await.unwrap();
        let mut live = watch(&shopper, &placed, None);
        assert_eq!(sequence(&live.next(PATIENCE).await), 2);
        let credential = json!({ "Authorization": format!("Bearer {token}") });
        let screen = Socket::open(&b.admin_socket, credential).await.unwrap();
        let mut feed = screen.subscribe(FEED, json!({}));
        // What happened before the feed began may or may not be told by it.
        while feed.try_next(Duration::from_millis(500)).await.is_some() {}
        Self { a, b, owner, placed, live, feed, _sockets: [shopper, screen], last: 2, packed: None }
    }

    /// Packs the order, or unpacks it: one event.
    async fn change(&mut self) {
        match self.packed.take() {
            None => self.packed = Some(pack_at(|| self.owner.clone(), &self.placed.id).await),
            Some(fulfillment) => unpack_at(|| self.owner.clone(), &fulfillment).await,
        }
    }

    /// Both watchers are told the next event, and no other.
    async fn told(&mut self) {
        self.last += 1;
        assert_eq!(sequence(&self.live.next(PATIENCE).await), self.last);
        assert_eq!(self.feed.next(PATIENCE).await["event"]["sequence"], self.last);
    }

    /// Changes the order; answers with how long that took, and how much later both watchers knew.
    async fn change_and_hear(&mut self) -> [Duration; 2] {
        let begun = Instant::now();
        self.change().await;
        let committed = Instant::now();
        self.told().await;
        [committed - begun, committed.elapsed()]
    }

    /// How long changes take, and how much later both watchers know, in so many percent of the cases.
    async fn usual(&mut self, percent: usize) -> [Duration; 2] {
        let mut measured = Vec::new();
        for _ in 0..25 {
            measured.push(self.change_and_hear().await);
        }
        [0, 1].map(|which| share(measured.iter().map(|both| both[which]), percent))
    }

    /// Nothing is told twice, and nobody fell down.
    async fn rests(&mut self) {
        assert!(self.live.try_next(Duration::from_millis(500)).await.is_none());
        assert!(self.feed.try_next(Duration::from_millis(100)).await.is_none());
        assert!(self.a.process.runs() && self.b.process.runs());
    }
}

fn share(of: impl Iterator<Item = Duration>, percent: usize) -> Duration {
    let mut sorted: Vec<_> = of.collect();
    sorted.sort();
    sorted[sorted.len() * percent / 100]
}

/// What befalls the way to Redis.
#[derive(Debug, Clone, Copy)]
enum Trouble {
    Lasting(Way),
    /// Up and down, again and again.
    Flapping,
}

#[tokio::test]
async fn redis_that_is_lost_slow_flapping_or_silent_costs_nothing_and_comes_back() {
    if !on_postgres() {
        return;
    }
    let redis = PrivateRedis::start().await;
    let proxy = Proxy::before(redis.port()).await;
    let address = format!("redis://127.0.0.1:{}/", proxy.port());
    let database = TestDatabase::copy().await;
    let mut scene = Scene::of(&database, &["--redis-url", &address]).await;
    listened_to_by_both(&redis).await;
    let [took_before, late_before] = scene.usual(95).await;
    for trouble in [
        Trouble::Lasting(Way::Shut),
        Trouble::Lasting(Way::Slow(Duration::from_millis(400))),
        Trouble::Flapping,
        Trouble::Lasting(Way::Silent),
    ] {
        let flapping = async {
            let ways = match trouble {
                Trouble::Lasting(way) => [way, way],
                Trouble::Flapping => [Way::Shut, Way::Open],
            };
            for way in ways.into_iter().cycle().take(10) {
                proxy.turn(way);
                sleep(Duration::from_millis(250)).await;
            }
            proxy.turn(Way::Open);
            Instant::now()
        };
        let changes = async {
            let mut took = Vec::new();
            for _ in 0..10 {
                took.push(scene.change_and_hear().await[0]);
                sleep(Duration::from_millis(100)).await;
            }
            took
        };
        let (back, took) = tokio::join!(flapping, changes);
        // Whoever changes something does not wait for Redis.
        let took = share(took.into_iter(), 50);
        assert!(took < took_before + Duration::from_millis(100), "{trouble:?}: {took:?} instead of {took_before:?}");
        let listening = timeout(RECOVERY.saturating_sub(back.elapsed()), listened_to_by_both(&redis)).await;
        assert!(listening.is_ok(), "{trouble:?}: only {} listen", redis.listeners().await);
        sleep(RECOVERY / 2).await;
        let [_, late] = scene.usual(95).await;
        assert!(late < LATE.max(2 * late_before), "{trouble:?}: told {late:?} late, {late_before:?} before");
        scene.rests().await;
    }
}

async fn listened_to_by_both(redis: &PrivateRedis) {
    while redis.listeners().await != 2 {
        sleep(Duration::from_millis(50)).await;
    }
}

/// What a storefront sees, asking again and again.
async fn asks(store: Client, until: impl Fn() -> bool) -> Vec<(Instant, Duration, Option<Value>)> {
    let mut seen = Vec::new();
    while !until() {
        let begun = Instant::now();
        // What nobody has asked before, or it would be told again for a second, database or not.
        let query = format!("{{ time{}: products(first: 1) {{ nodes {{ handle }} }} }}", seen.len());
        let answer = store.send(&query, json!({})).await;
        let error = (!answer.body["errors"].is_null()).then(|| answer.body["errors"].clone());
        seen.push((begun, begun.elapsed(), error));
        sleep(Duration::from_millis(20)).await;
    }
    seen
}

#[tokio::test]
async fn postgres_that_is_restarted_costs_typed_errors_and_no_event() {
    if !on_postgres() {
        return;
    }
    let mut postgres = PrivatePostgres::start().await;
    let database = TestDatabase::at(postgres.url());
    let mut scene = Scene::of(&database, &[]).await;
    let [_, late_before] = scene.usual(95).await;
    for away in [Duration::ZERO, Duration::from_secs(3)] {
        let done = std::cell::Cell::new(false);
        let (store, stopped) = (scene.b.store.clone(), Instant::now());
        let trouble = async {
            sleep(Duration::from_millis(300)).await;
            postgres.stop().await;
            sleep(away).await;
            postgres.start_again().await;
            let back = Instant::now();
            sleep(RECOVERY).await;
            done.set(true);
            back
        };
        // Whoever changes the order meanwhile tries again with the same key.
        let changes = async {
            let mut count = 0;
            while !done.get() {
                scene.change().await;
                count += 1;
                sleep(Duration::from_millis(20)).await;
            }
            count
        };
        let (back, count, seen) = tokio::join!(trouble, changes, asks(store, || done.get()));
        for _ in 0..count {
            scene.told().await;
        }
        let refused: Vec<_> = seen.iter().filter(|(_, _, error)| error.is_some()).collect();
        for (_, took, error) in &refused {
            let error = error.as_ref().unwrap();
            assert_eq!(error[0]["extensions"]["code"], "UNAVAILABLE", "{error}");
            assert!(*took < Duration::from_secs(4), "told after {took:?}");
        }
        assert!(away.is_zero() || refused.len() > 5, "requests are answered while the database is away: {seen:?}");
        let last = refused.last().map_or(stopped, |(begun, took, _)| *begun + *took);
        assert!(last < back + RECOVERY / 2, "still refused {:?} after it is back", last - back);
        let [_, late] = scene.usual(95).await;
        assert!(late < LATE.max(2 * late_before), "told {late:?} late, {late_before:?} before");
        scene.rests().await;
    }
}

/// How many buy at once, at two processes in turns.
const BUYERS: usize = 6;

/// Buys one thing after another until told to stop; answers with the orders, and how long the slowest took. Where it is
/// refused because something is away, the same key is tried again.
async fn buys(stores: [Client; 2], variant: String, stop: CancellationToken) -> (Vec<String>, Duration) {
    let (mut orders, mut slowest) = (Vec::new(), Duration::ZERO);
    while !stop.is_cancelled() {
        let store = &stores[orders.len() % 2];
        let began = Instant::now();
        let (walker, key) = (Walker::ready(store, &variant, 1).await, new_key());
        let placed = loop {
            let answer = walker.complete(&key).await;
            if answer.body["errors"].is_null() {
                break answer;
            }
            assert_eq!(answer.error_code(), "UNAVAILABLE", "{answer:?}");
            sleep(Duration::from_millis(50)).await;
        };
        placed.done();
        slowest = slowest.max(began.elapsed());
        orders.push(placed.text("cartComplete.order.id"));
    }
    (orders, slowest)
}

#[tokio::test]
async fn redis_that_is_stopped_under_buyers_costs_no_order_and_comes_back() {
    if !on_postgres() {
        return;
    }
    let mut redis = PrivateRedis::start().await;
    let database = TestDatabase::copy().await;
    let mut scene = Scene::of(&database, &["--redis-url", &redis.url()]).await;
    listened_to_by_both(&redis).await;
    let variant = in_stock(&scene.a.store).await;
    let db = Db::open(&database.url).await.unwrap();
    let conn = db.begin(&StatementCount::default()).await.unwrap();
    for sql in [
        "update stock_level set stocked = stocked + 100000 where stocked > 0",
        "update stock_movement set delta = delta + 100000",
    ] {
        conn.execute_raw(statement(&conn, sql, [])).await.unwrap();
    }
    conn.commit().await.unwrap();
    let stop = CancellationToken::new();
    let buyers: Vec<_> = (0..BUYERS)
        .map(|_| {
            let stores = [scene.a.store.clone(), scene.b.store.clone()];
            tokio::spawn(buys(stores, variant.clone(), stop.clone()))
        })
        .collect();
    for away in [Duration::from_millis(500), Duration::from_secs(3)] {
        sleep(Duration::from_millis(500)).await;
        redis.stop().await;
        sleep(away).await;
        redis.start_again().await;
        let listening = timeout(RECOVERY, listened_to_by_both(&redis)).await;
        assert!(listening.is_ok(), "only {} listen", redis.listeners().await);
        // What is changed by then is told; the feed tells of the buyers' orders, too.
        scene.change().await;
        scene.last += 1;
        assert_eq!(sequence(&scene.live.next(PATIENCE).await), scene.last);
    }
    stop.cancel();
    let (mut orders, mut slowest) = (BTreeSet::new(), Duration::ZERO);
    for buyer in buyers {
        let (bought, took) = buyer.await.unwrap();
        orders.extend(bought);
        slowest = slowest.max(took);
    }
    println!("{} orders of {BUYERS} buyers, the slowest of whom waited for {slowest:?}", orders.len());
    assert!(orders.len() > 20 && slowest < Duration::from_secs(5), "{} orders, {slowest:?}", orders.len());
    assert!(scene.live.try_next(Duration::from_millis(500)).await.is_none(), "nothing is told twice");
    assert!(scene.a.process.runs() && scene.b.process.runs());
    let kept = entity::order::Entity::find().count(&db.read(&StatementCount::default())).await.unwrap();
    assert_eq!(kept, orders.len() as u64 + 1, "each buyer got the orders that he was told of, and nobody another one");
    db.close().await;
    let checked = run_command(&database, &["check"]).await;
    assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stdout));
}

#[tokio::test]
async fn a_machine_that_vanishes_does_not_hold_its_locks_for_hours() {
    if !on_postgres() {
        return;
    }
    let database = TestDatabase::copy().await;
    let db = Db::open(&database.url).await.unwrap();
    let conn = db.read(&StatementCount::default());
    for (setting, value) in [
        ("idle_in_transaction_session_timeout", "1min"),
        ("tcp_keepalives_idle", "10"),
        ("tcp_keepalives_interval", "5"),
        ("tcp_keepalives_count", "3"),
    ] {
        let asked = statement(&conn, "select current_setting(?)", [setting.into()]);
        let told: String = conn.query_one_raw(asked).await.unwrap().unwrap().try_get_by_index(0).unwrap();
        assert_eq!(told, value, "{setting}");
    }
}
