//! Rate limits: who is refused, who never is, and what Redis has to do with it.

use std::net::IpAddr;
use std::time::Duration;

use domain::throttle::Budget;
use emporion::http::cached::Caching;
use emporion::http::gate::{Edge, Gate};
use emporion::http::rate::{Limit, Rates};
use engine::throttle::{Asker, Budgets, Throttle};
use futures_util::future::join_all;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, RETRY_AFTER};
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpSocket;
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;

use crate::support::Shop;
use crate::support::buying::eventually;
use crate::support::client::Client;
use crate::support::database::{TestDatabase, on_postgres};
use crate::support::events::Events;
use crate::support::node::Node;
use crate::support::proxy::{Proxy, Way};
use crate::support::redis::PrivateRedis;
use crate::support::walker::{Walker, new_key, stocked};
use crate::support::wire::Wire;

/// Costs 6 for the page, and 2 for each of a hundred products.
const HUNDRED: &str = "{ products(first: 100) { nodes { handle } } }";
const PAGE: u64 = 206;
/// The least that anything is worth.
const LITTLE: &str = "{ __typename }";

fn limit(text: &str) -> Limit {
    text.parse().unwrap()
}

fn address(text: &str) -> Rates {
    Rates { rate_address: limit(text), ..Rates::default() }
}

/// Serves the shop once more, with these limits; answers with where.
async fn served(shop: &Shop, rates: Rates) -> String {
    // What is kept and told again costs little: here everything is worked out.
    let caching = Caching { answer_cache: Duration::ZERO, ..Caching::default() };
    let edge = Edge { rates, caching, ..Edge::default() };
    shop.served_at(Gate::new(edge, CancellationToken::new())).await.to_string()
}

/// One answer.
#[derive(Debug)]
struct Sent {
    status: u16,
    body: Value,
    limit: String,
    policy: String,
    retry_after: Option<u64>,
}

impl Sent {
    /// The `r` of an address's bucket.
    fn left(&self) -> u64 {
        let left = self.limit.split_once("\"address\";r=").and_then(|(_, rest)| rest.split(';').next());
        left.unwrap_or_else(|| panic!("no address: {self:?}")).parse().unwrap()
    }

    fn code(&self) -> &str {
        self.body["errors"][0]["extensions"]["code"].as_str().unwrap_or_default()
    }

    /// Milliseconds to wait.
    fn wait(&self) -> u64 {
        self.body["errors"][0]["extensions"]["retryAfterMs"].as_u64().unwrap_or_else(|| panic!("no wait: {self:?}"))
    }
}

/// Sends a body from an address of this machine.
async fn post_from(place: [u8; 4], url: &str, bearer: &str, body: String) -> Sent {
    let client = reqwest::Client::builder().local_address(IpAddr::from(place)).build().unwrap();
    let request = client.post(url).header(CONTENT_TYPE, "application/json").body(body);
    let request = if bearer.is_empty() { request } else { request.header(AUTHORIZATION, format!("Bearer {bearer}")) };
    let answer = request.send().await.unwrap();
    let header = |name| answer.headers().get(name).map(|value| value.to_str().unwrap().to_owned());
    let (limit, policy) = (header("ratelimit").unwrap_or_default(), header("ratelimit-policy").unwrap_or_default());
    let retry_after = header(RETRY_AFTER.as_str()).map(|seconds| seconds.parse().unwrap());
    let status = answer.status().as_u16();
    let text = answer.text().await.unwrap();
    Sent { status, body: serde_json::from_str(&text).unwrap_or_default(), limit, policy, retry_after }
}

async fn ask(url: &str, bearer: &str, query: &str) -> Sent {
    post_from([127, 0, 0, 1], url, bearer, json!({ "query": query }).to_string()).await
}

/// Asks until it is refused; answers with how often it was not, and with the refusal.
async fn exhaust(url: &str, bearer: &str, query: &str) -> (u64, Sent) {
    for served in 0..1_000 {
        let sent = ask(url, bearer, query).await;
        if sent.status == 429 {
            return (served, sent);
        }
    }
    panic!("never refused: {query}");
}

#[tokio::test]
async fn whoever_asks_too_much_is_told_when_to_come_back() {
    let shop = Shop::open().await;
    let at = served(&shop, address("1000/2")).await;
    let url = format!("http://{at}/store/graphql");
    let first = ask(&url, "", HUNDRED).await;
    assert_eq!((first.status, first.policy.as_str()), (200, "\"address\";q=1000;qu=\"emporion-cost\";w=500"));
    assert_eq!(first.limit, format!("\"address\";r={};t={}", 1000 - PAGE, PAGE / 2));
    assert_eq!(first.retry_after, None);
    let (served, refused) = exhaust(&url, "", HUNDRED).await;
    assert_eq!(served, 3, "and one before");
    assert_eq!((refused.code(), refused.body.get("data")), ("THROTTLED", None));
    assert_eq!(refused.body["errors"][0]["extensions"]["policy"], "address");
    let (wait, seconds) = (refused.wait(), refused.retry_after.unwrap());
    assert_eq!(seconds, wait.div_ceil(1_000));
    assert!(refused.limit.ends_with(&format!(";t={seconds}")), "{}", refused.limit);
    assert!(refused.left() < PAGE);
    // Less is still there; and the wait is not said too long or too short by much.
    let little = ask(&url, "", LITTLE).await;
    assert_eq!(little.status, 200, "{little:?}");
    let again = ask(&url, "", HUNDRED).await;
    assert!(again.wait() <= wait + 5_000 + 1, "the little took 10 points, {} {wait}", again.wait());
    // Somebody else is nobody's neighbor.
    let body = json!({ "query": HUNDRED, "extensions": { "cost": true } }).to_string();
    let other = post_from([127, 0, 0, 2], &url, "", body).await;
    let told = json!({ "policy": "address", "available": 1000 - PAGE, "capacity": 1000, "perSecond": 2 });
    assert_eq!((other.status, &other.body["extensions"]["cost"]["budget"]), (200, &told));
    // The same over a websocket, which stays, and for events.
    let mut wire = Wire::acknowledged(&format!("ws://{at}/store/graphql")).await;
    let subscribe = |id: &str, query: &str| json!({ "id": id, "type": "subscribe", "payload": { "query": query } });
    wire.say(subscribe("1", HUNDRED)).await;
    let told = wire.hear().await;
    assert_eq!((&told["type"], &told["payload"][0]["extensions"]["code"]), (&json!("error"), &json!("THROTTLED")));
    assert!(told["payload"][0]["extensions"]["retryAfterMs"].as_u64().unwrap() > 1_000);
    wire.say(json!({ "type": "ping" })).await;
    assert_eq!(wire.hear().await, json!({ "type": "pong" }));
    let (status, page) = Events::post(&url, HUNDRED, &[]).await.unwrap_err();
    assert!(status == 429 && page.contains("THROTTLED"), "{page}");
    // What can't be run is not for nothing, and its errors are told no more.
    let (_, refused) = exhaust(&url, "", "{ nonsense").await;
    assert_eq!(refused.code(), "THROTTLED");
    assert_eq!(ask(&url, "", LITTLE).await.status, 429, "who sends nonsense has nothing left");
    let garbage = post_from([127, 0, 0, 1], &url, "", "{".to_owned()).await;
    assert_eq!(garbage.status, 429);
    assert!(Wire::connect(&format!("ws://{at}/store/graphql"), &[]).await.is_err_and(|status| status == 429));
    // A deal is a deal.
    sleep(Duration::from_millis(ask(&url, "", LITTLE).await.wait())).await;
    assert_eq!(ask(&url, "", LITTLE).await.status, 200);
}

#[tokio::test]
async fn a_credential_has_a_budget_of_its_own_once_it_is_proven() {
    let shop = Shop::open().await;
    let rates = Rates {
        rate_customer: limit("500/1"),
        rate_staff: limit("3000/1"),
        rate_api_key: limit("3000/1"),
        ..address("2000/1")
    };
    let at = served(&shop, rates).await;
    let (store, admin) = (format!("http://{at}/store/graphql"), format!("http://{at}/admin/graphql"));
    let bearer = |client: &Client| client.credential().trim_start_matches("Bearer ").to_owned();
    let ada = bearer(&shop.customer("ada@shopper.example").await.client);
    let (served_to_ada, refused) = exhaust(&store, &ada, HUNDRED).await;
    assert_eq!((served_to_ada, refused.body["errors"][0]["extensions"]["policy"].as_str()), (2, Some("customer")));
    assert!(refused.policy.contains("\"customer\";q=500") && refused.policy.contains("\"address\";q=2000"));
    // Her own budget is used up, that of the address is not; what she was refused was not taken from it.
    let guest = ask(&store, "", HUNDRED).await;
    assert!((2000 - 3 * PAGE..2000 - 2 * PAGE).contains(&guest.left()), "{guest:?}");
    let (_, refused) = exhaust(&store, "", HUNDRED).await;
    assert_eq!(refused.body["errors"][0]["extensions"]["policy"], "address");
    // Staff of the same office go on, and their keys do once one was let in.
    let staff = bearer(&shop.admin);
    let page = "{ products(first: 100) { nodes { handle } } }";
    let answer = ask(&admin, &staff, page).await;
    assert_eq!((answer.status, answer.policy.as_str()), (200, "\"staff\";q=3000;qu=\"emporion-cost\";w=3000"));
    let made = shop.set("apiKeyCreate", json!({ "title": "ERP", "role": "viewer" }), "secret").await.done();
    let key = made["secret"].as_str().unwrap();
    let elsewhere = [127, 0, 0, 9];
    let body = json!({ "query": page }).to_string();
    assert_eq!(ask(&admin, key, page).await.status, 429, "nobody knows it yet, and the address has nothing left");
    assert!(post_from(elsewhere, &admin, key, body).await.policy.starts_with("\"address\""), "nor elsewhere");
    let answer = ask(&admin, key, page).await;
    assert_eq!((answer.status, answer.policy.as_str()), (200, "\"api-key\";q=3000;qu=\"emporion-cost\";w=3000"));
    let (served_to_key, _) = exhaust(&admin, key, page).await;
    assert_eq!(served_to_key, 13);
    // Whoever invents credentials is where he is.
    let mut refused = vec![];
    for number in 0..30 {
        let invented = format!("emp_sk_{number}");
        let sent = post_from([127, 0, 0, 7], &admin, &invented, json!({ "query": LITTLE }).to_string()).await;
        refused.push(sent.status);
    }
    let tries = refused.iter().filter(|status| **status == 401).count();
    assert!((17..=19).contains(&tries) && refused.ends_with(&[429; 5]), "{refused:?}");
}

/// What a shopper asks for from looking around to his order: 60 operations. Answers with the statuses other than 200.
async fn shops(store: &Client, variant: &str) -> Vec<u16> {
    let listing = "query($after: String) { products(first: 24, after: $after, sort: [{ field: PRICE }]) {
        totalCount pageInfo { hasNextPage endCursor }
        nodes { id handle title vendor variants { id title availability sku selectedOptions { name value }
            price { amount { amount currencyCode } } } } } }";
    let search = "{ search(query: \"rake\") { totalCount
        nodes { handle title variants { price { amount { amount } } } } } }";
    let mut statuses = vec![];
    for _ in 0..28 {
        for (query, list) in [(listing, "products"), (search, "search")] {
            let answer = store.send(query, json!({})).await;
            statuses.push(answer.status);
            answer.at(list);
        }
    }
    // Two operations until it is ready, one that buys, one that looks at what became of it.
    let walker = Walker::ready(store, variant, 1).await;
    let order = walker.complete(&new_key()).await;
    order.done();
    let look = "query($id: ID!, $token: String) { order(id: $id, accessToken: $token) { number status } }";
    let (id, token) = (order.text("cartComplete.order.id"), order.text("cartComplete.accessToken"));
    statuses.push(order.status);
    statuses.push(store.send(look, json!({ "id": id, "token": token })).await.status);
    statuses.retain(|status| *status != 200);
    statuses
}

#[tokio::test]
async fn a_checkout_of_sixty_operations_meets_no_limit_nor_do_twenty_at_one_address() {
    let shop = Shop::open().await;
    shop.europe(&["DE"], true).await;
    let variant = stocked(&shop, "Hoe", 100).await;
    for number in 0..30 {
        stocked(&shop, &format!("Rake {number}"), 5).await;
    }
    let at = served(&shop, Rates::default()).await;
    let store = Client::new(format!("http://{at}/store/graphql"));
    let all = join_all((0..20).map(|_| shops(&store, &variant))).await;
    assert!(all.iter().all(Vec::is_empty), "{all:?}");
    let ada = shop.customer("ada@shopper.example").await;
    let ada = store.with("authorization", &ada.client.credential());
    assert_eq!(shops(&ada, &variant).await, [0_u16; 0]);
    let sent = ask(&format!("http://{at}/store/graphql"), "", LITTLE).await;
    eprintln!("left of an address after 21 checkouts of 60 operations: {}", sent.limit);
}

#[tokio::test]
async fn a_socket_that_talks_too_fast_is_listened_to_more_slowly() {
    let shop = Shop::open().await;
    let mut wire = Wire::acknowledged(&format!("ws://{}/store/graphql", shop.address)).await;
    let begun = Instant::now();
    for _ in 0..400 {
        wire.say(json!({ "type": "ping" })).await;
    }
    for _ in 0..400 {
        assert_eq!(wire.hear().await, json!({ "type": "pong" }), "nothing is lost");
    }
    let took = begun.elapsed();
    assert!(took > Duration::from_millis(1_900), "two hundred at once, then a hundred a second: {took:?}");
}

#[tokio::test]
async fn a_client_that_takes_nothing_of_a_long_answer_is_cut() {
    let shop = Shop::open().await;
    for number in 0..5 {
        let text = format!("<p>{}</p>", "long ".repeat(4_000));
        shop.product(&format!("Book {number}")).price("9.00").with("descriptionHtml", json!(text)).create().await;
    }
    let edge = Edge { sockets_per_address: 1, ..Edge::default() };
    let at = shop.served_at(Gate::new(edge, CancellationToken::new())).await;
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4_096).unwrap();
    let mut deaf = socket.connect(at).await.unwrap();
    let aliases: String = (0..50).map(|number| format!("a{number}: descriptionHtml ")).collect();
    let body = json!({ "query": format!("{{ products(first: 5) {{ nodes {{ {aliases} }} }} }}") }).to_string();
    let head = format!(
        "POST /store/graphql HTTP/1.1\r\nhost: {at}\r\ncontent-type: application/json\r\naccept: text/event-stream\r\n\
         content-length: {}\r\n\r\n{body}",
        body.len()
    );
    deaf.write_all(head.as_bytes()).await.unwrap();
    let url = format!("http://{at}/store/graphql");
    let taken = async || match Events::post(&url, LITTLE, &[]).await {
        Ok(_) => false,
        Err((status, _)) => status == 429,
    };
    sleep(Duration::from_secs(2)).await;
    assert!(taken().await, "he has the one place");
    let begun = Instant::now();
    let freed = timeout(Duration::from_secs(90), async {
        while taken().await {
            sleep(Duration::from_secs(1)).await;
        }
    });
    assert!(freed.await.is_ok(), "he still has it");
    eprintln!("cut after {:?}", begun.elapsed());
    drop(deaf);
}

fn from(place: u32) -> Asker {
    Asker::at(Some(IpAddr::from(place.to_be_bytes())))
}

#[tokio::test]
async fn a_million_addresses_take_no_more_memory_than_there_is_and_hide_nobody() {
    let budget = Some(Budget::new(1_000, 1).unwrap());
    let throttle = Throttle::new(Budgets { address: budget, ..Budgets::default() }, None);
    let attacker = from(7);
    throttle.take(&attacker, 1_000).await;
    let begun = Instant::now();
    for place in 0..1_000_000_u32 {
        throttle.take(&from(0x0b00_0000 + place), 1 + u64::from(place % 90)).await;
    }
    eprintln!("one take in this process: {:?}", begun.elapsed() / 1_000_000);
    assert!(throttle.kept() <= 16 * 4_096, "{} are kept", throttle.kept());
    let standing = throttle.take(&attacker, 500).await;
    assert!(standing[0].wait.is_some(), "who used most is not forgotten");
    // A network of IPv6 is one place.
    let [one, other] = ["2001:db8:1:2::1", "2001:db8:1:2:ffff::9"].map(|text| Asker::at(text.parse().ok()));
    throttle.take(&one, 1_000).await;
    assert!(throttle.take(&other, 500).await[0].wait.is_some());
}

#[tokio::test]
async fn two_processes_share_a_budget_through_redis_and_none_waits_for_it() {
    let redis = PrivateRedis::start().await;
    let proxy = Proxy::before(redis.port()).await;
    let way = format!("redis://127.0.0.1:{}/", proxy.port());
    let shop = Shop::on(TestDatabase::copy().await.into(), |builder| builder.redis(Some(way))).await;
    let rates = address("100000/1");
    let url = async || format!("http://{}/store/graphql", served(&shop, rates).await);
    let (a, b) = (url().await, url().await);
    // Asks nobody, so that it is as slow as the machine is at the moment and no slower.
    let unlimited = Rates { rate_address: Limit(None), ..Rates::default() };
    let alone = format!("http://{}/store/graphql", served(&shop, unlimited).await);
    let shared = async || {
        let [one, two] = [ask(&a, "", LITTLE).await.left(), ask(&b, "", LITTLE).await.left()];
        (9..=10).contains(&(one.saturating_sub(two)))
    };
    eventually("both take from one bucket", &shared).await;
    for url in [&a, &b] {
        for _ in 0..150 {
            assert_eq!(ask(url, "", HUNDRED).await.status, 200);
        }
    }
    let left = ask(&a, "", LITTLE).await.left();
    assert!(left < 100_000 - 300 * PAGE, "{left}");
    let wait = async |url: &str| {
        let begun = Instant::now();
        assert_eq!(ask(url, "", LITTLE).await.status, 200);
        begun.elapsed()
    };
    // In turns, so that what the machine does besides slows both.
    let latency = async |count: usize| {
        let (mut limited, mut unlimited) = (vec![], vec![]);
        for _ in 0..count {
            limited.push(wait(&a).await);
            unlimited.push(wait(&alone).await);
        }
        [limited, unlimited].map(|mut took| {
            took.sort();
            (took[count / 2], took[count * 95 / 100], took[count - 1])
        })
    };
    let [(p50, p95, _), _] = latency(200).await;
    eprintln!("with Redis: p50 {p50:?}, p95 {p95:?}");
    for trouble in [Way::Shut, Way::Silent, Way::Slow(Duration::from_millis(400)), Way::Slow(Duration::from_millis(50))]
    {
        let before = ask(&a, "", LITTLE).await.left();
        proxy.turn(trouble);
        let [(_, _, longest), _] = latency(20).await;
        assert!(longest < Duration::from_millis(400), "{trouble:?}: somebody waited {longest:?}");
        let [(median, late, _), (_, p95, _)] = latency(200).await;
        eprintln!("{trouble:?}: longest at first {longest:?}, then p50 {median:?}, p95 {late:?}");
        assert!(late < p95 + Duration::from_millis(20), "{trouble:?}: {late:?} instead of {p95:?}");
        let sent = ask(&a, "", LITTLE).await;
        assert!(sent.left() < before, "it goes on where it was: {} {before}", sent.left());
        proxy.turn(Way::Open);
        eventually("they share it again", &shared).await;
    }
}

#[tokio::test]
async fn the_binary_limits_what_it_is_told_to_and_two_of_them_together() {
    let redis = PrivateRedis::start().await;
    let (redis, database) = (redis.url(), TestDatabase::copy().await);
    let limits = ["--rate-address", "3000/1", "--answer-cache", "off", "--redis-url", redis.as_str()];
    let one = Node::start(&database, &limits, &[]).await;
    if !on_postgres() {
        let (served, refused) = exhaust(&one.store_url, "", HUNDRED).await;
        assert_eq!((served, refused.code()), (14, "THROTTLED"));
        return;
    }
    let two = Node::start(&database, &limits, &[]).await;
    eventually("they share a bucket", async || {
        let [one, two] = [ask(&one.store_url, "", LITTLE).await.left(), ask(&two.store_url, "", LITTLE).await.left()];
        (9..=10).contains(&(one.saturating_sub(two)))
    })
    .await;
    let (served, _) = exhaust(&one.store_url, "", HUNDRED).await;
    assert!((5..=14).contains(&served), "{served}");
    assert_eq!(ask(&two.store_url, "", HUNDRED).await.status, 429);
    let off =
        Node::start(&database, &["--rate-address", "off", "--answer-cache", "off"], &[("EMPORION_RATE_STAFF", "0")])
            .await;
    let sent = ask(&off.store_url, "", HUNDRED).await;
    assert_eq!((sent.status, sent.limit.as_str(), sent.policy.as_str()), (200, "", ""));
}
