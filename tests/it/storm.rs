//! Everything at once: hundreds watch, orders change all the time, connections
//! are cut, processes are killed, Redis goes away. Nobody misses an event and
//! nobody is told one twice.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};

use crate::support::client::Client;
use crate::support::database::{TestDatabase, on_postgres};
use crate::support::node::Node;
use crate::support::redis::PrivateRedis;
use crate::support::socket::{PATIENCE, Socket};
use crate::support::walker::{Placed, all_in_stock, buy, pack_at, sequence, unpack_at, watch};

const ORDERS: usize = 50;
const WATCHERS: usize = 500;
/// How many feeds of all orders are followed besides.
const FEEDS: usize = 4;
const CHANGES: usize = 2_000;
/// How many members of staff change orders at the same time.
const STAFF: usize = 10;
/// What a bought order has told before anybody changes it.
const PLACED: i64 = 2;
/// How long it may last, on a machine that does other things besides; a quiet one needs half a minute.
const STORM: Duration = Duration::from_secs(240);
/// How many messages a connection lives for at most.
const LIFE: u64 = 20;
const FEED: &str =
    "subscription($after: String) { orderEvents(after: $after) { cursor order { id } event { sequence } } }";

/// What chance decides is the same each time (splitmix64).
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % bound
    }
}

/// Where the shop is served at this moment.
struct Place {
    admin: Client,
    store_socket: String,
    admin_socket: String,
}

/// What everybody in the storm knows.
struct Sky {
    places: Mutex<Vec<Arc<Place>>>,
    token: String,
    changed: AtomicUsize,
    seed: u64,
}

impl Sky {
    fn dice(&self, who: usize) -> Dice {
        Dice(self.seed ^ ((who as u64) << 32))
    }

    fn place(&self, number: u64) -> Arc<Place> {
        let places = self.places.lock().unwrap();
        places[number as usize % places.len()].clone()
    }

    fn served(&self, node: &Node) -> Arc<Place> {
        Arc::new(Place {
            admin: node.anonymous_admin.bearer(&self.token),
            store_socket: node.store_socket.clone(),
            admin_socket: node.admin_socket.clone(),
        })
    }

    /// Packs and unpacks orders in turn, at whichever process answers.
    async fn change(self: Arc<Self>, orders: Vec<Placed>, who: usize) {
        let dice = Mutex::new(self.dice(who));
        let anybody = || self.place(dice.lock().unwrap().below(1 << 16)).admin.clone();
        for _ in 0..CHANGES / ORDERS / 2 {
            for order in &orders {
                let fulfillment = pack_at(anybody, &order.id).await;
                self.changed.fetch_add(1, Ordering::Relaxed);
                unpack_at(anybody, &fulfillment).await;
                self.changed.fetch_add(1, Ordering::Relaxed);
            }
        }
    }

    /// A connection to whichever process is there, sooner or later.
    async fn connect(&self, dice: &mut Dice, payload: &Value, url: impl Fn(&Place) -> &str) -> Socket {
        loop {
            let place = self.place(dice.below(1 << 16));
            match Socket::try_open(url(&place), payload.clone()).await {
                Ok(Ok(socket)) => return socket,
                // 1013: not at this moment.
                Ok(Err(closed)) => assert_eq!(closed.code, 1013, "a shopper is turned away: {closed:?}"),
                Err(_) => {}
            }
            sleep(Duration::from_millis(50 + dice.below(200))).await;
        }
    }

    /// Watches an order from its beginning to its last event over any number of connections.
    async fn watch(self: Arc<Self>, order: Placed, who: usize) {
        let mut dice = self.dice(who);
        let (mut seen, last) = (0, PLACED + (CHANGES / ORDERS) as i64);
        while seen < last {
            let socket = self.connect(&mut dice, &json!({}), |place| &place.store_socket).await;
            let mut live = watch(&socket, &order, Some(seen));
            for _ in 0..1 + dice.below(LIFE) {
                let Some(update) = live.next_or_lost().await else { break };
                assert_eq!(sequence(&update), seen + 1, "watcher {who} (seed {})", self.seed);
                seen += 1;
                if seen == last {
                    let more = timeout(Duration::from_millis(300), live.next_or_lost()).await;
                    assert!(!matches!(more, Ok(Some(_))), "watcher {who} is told more than happened: {more:?}");
                    return;
                }
            }
            socket.cut();
        }
    }

    /// Follows all orders to the last event of each, from a cursor over any number of connections.
    async fn follow(self: Arc<Self>, who: usize, mut cursor: String) {
        let mut dice = self.dice(who);
        let payload = json!({ "Authorization": format!("Bearer {}", self.token) });
        let (mut seen, mut told) = (HashMap::<String, i64>::new(), 0);
        while told < CHANGES {
            let socket = self.connect(&mut dice, &payload, |place| &place.admin_socket).await;
            let mut feed = socket.subscribe(FEED, json!({ "after": cursor }));
            for _ in 0..1 + dice.below(20 * LIFE) {
                let Some(item) = feed.next_or_lost().await else { break };
                let order = item["order"]["id"].as_str().unwrap().to_owned();
                let before = seen.entry(order).or_insert(PLACED);
                assert_eq!(item["event"]["sequence"], *before + 1, "feed {who} (seed {})", self.seed);
                *before += 1;
                told += 1;
                cursor = item["cursor"].as_str().unwrap().to_owned();
                if told == CHANGES {
                    break;
                }
            }
            socket.cut();
        }
        assert!(seen.values().all(|last| *last == PLACED + (CHANGES / ORDERS) as i64), "{seen:?}");
    }

    /// Waits until so many percent of the changes have been made.
    async fn progress(&self, percent: usize) {
        while self.changed.load(Ordering::Relaxed) < CHANGES * percent / 100 {
            sleep(Duration::from_millis(10)).await;
        }
    }
}

/// The feed's place at this moment, when nothing goes on.
async fn newest(sky: &Sky, orders: &[Placed]) -> String {
    let payload = json!({ "Authorization": format!("Bearer {}", sky.token) });
    let socket = sky.connect(&mut Dice(0), &payload, |place| &place.admin_socket).await;
    let mut feed = socket.subscribe(FEED, json!({ "after": "feed_0" }));
    let mut cursor = String::new();
    for _ in 0..orders.len() as i64 * PLACED {
        cursor = feed.next(PATIENCE).await["cursor"].as_str().unwrap().to_owned();
    }
    cursor
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn in_a_storm_every_watcher_is_told_every_event_once_and_in_order() {
    let seed = std::env::var("EMPORION_TEST_SEED").map_or(20_261_129, |seed| seed.parse().unwrap());
    println!("EMPORION_TEST_SEED={seed}");
    let database = TestDatabase::copy().await;
    // An embedded database has one server.
    let mut redis = if on_postgres() { Some(PrivateRedis::start().await) } else { None };
    let address = redis.as_ref().map(PrivateRedis::url);
    let more: Vec<&str> = ["--sockets-per-address", "1000"]
        .into_iter()
        .chain(address.iter().flat_map(|address| ["--redis-url", address]))
        .collect();
    let mut nodes = vec![Node::start(&database, &[&more[..], &["--demo"]].concat(), &[]).await];
    let token = nodes[0].owner_token().await;
    if on_postgres() {
        nodes.push(Node::start(&database, &more, &[]).await);
        nodes.push(Node::start(&database, &more, &[]).await);
    }
    let sky = Sky { places: Mutex::default(), token, changed: AtomicUsize::new(0), seed };
    let places = nodes.iter().map(|node| sky.served(node)).collect();
    *sky.places.lock().unwrap() = places;
    let sky = Arc::new(sky);

    let mut orders = Vec::new();
    for variant in all_in_stock(&nodes[0].store).await.iter().cycle().take(ORDERS) {
        orders.push(buy(&nodes[0].store, variant, 1).await);
    }
    let cursor = newest(&sky, &orders).await;
    let mut everybody = JoinSet::new();
    for who in 0..WATCHERS {
        everybody.spawn(sky.clone().watch(orders[who % ORDERS].clone(), who));
    }
    for who in 0..FEEDS {
        everybody.spawn(sky.clone().follow(WATCHERS + who, cursor.clone()));
    }
    for (who, share) in orders.chunks(ORDERS / STAFF).enumerate() {
        everybody.spawn(sky.clone().change(share.to_vec(), WATCHERS + FEEDS + who));
    }
    let trouble = async {
        for (percent, killed) in [(20, 0), (65, nodes.len() - 1)] {
            sky.progress(percent).await;
            nodes[killed].process.kill().await;
            nodes[killed] = Node::start(&database, &more, &[]).await;
            let place = sky.served(&nodes[killed]);
            sky.places.lock().unwrap()[killed] = place;
            if let Some(redis) = &mut redis
                && percent == 20
            {
                sky.progress(40).await;
                redis.stop().await;
                sky.progress(55).await;
                redis.start_again().await;
            }
        }
    };
    let all = async {
        while let Some(ended) = everybody.join_next().await {
            ended.unwrap();
        }
    };
    let begun = Instant::now();
    timeout(STORM, async { tokio::join!(trouble, all) }).await.unwrap_or_else(|_| {
        panic!("after {} of {CHANGES} changes somebody still waits", sky.changed.load(Ordering::Relaxed))
    });
    println!("the storm took {:?}", begun.elapsed());
    assert_eq!(sky.changed.load(Ordering::Relaxed), CHANGES);
    assert!(nodes.iter_mut().all(|node| node.process.runs()));
}
