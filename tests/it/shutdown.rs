//! How a serving process ends, and how long it waits for whom.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};

use crate::support::Shop;
use crate::support::buying::eventually;
use crate::support::database::TestDatabase;
use crate::support::events::Events;
use crate::support::node::Node;
use crate::support::socket::PATIENCE;
use crate::support::walker::{buy, in_stock};
use crate::support::wire::Wire;

fn host(node: &Node) -> String {
    node.store_url.trim_start_matches("http://").trim_end_matches("/store/graphql").to_owned()
}

fn request(length: Option<usize>) -> String {
    let body = r#"{"query":"query Load { products(first: 2) { nodes { title } } }"}"#;
    let length = length.unwrap_or(body.len());
    format!(
        "POST /store/graphql HTTP/1.1\r\nhost: shop\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
    )
}

/// A client that keeps its connection as long as the server lets it, and tries nothing twice.
struct KeepAlive {
    host: String,
    stream: Option<TcpStream>,
}

impl KeepAlive {
    /// Whether the server closes behind its answer; nothing when no connection can be made any more.
    ///
    /// # Errors
    /// When a request that was sent is not answered.
    async fn ask(&mut self) -> Result<Option<bool>, String> {
        if self.stream.is_none() {
            match TcpStream::connect(&self.host).await {
                Ok(stream) => self.stream = Some(stream),
                Err(_) => return Ok(None),
            }
        }
        let stream = self.stream.as_mut().unwrap();
        stream.write_all(request(None).as_bytes()).await.map_err(|error| format!("not sent: {error}"))?;
        let mut read = Vec::new();
        loop {
            let text = String::from_utf8_lossy(&read).to_ascii_lowercase();
            if let Some((head, body)) = text.split_once("\r\n\r\n") {
                let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
                if body.len() >= length.parse::<usize>().unwrap() {
                    assert!(head.starts_with("http/1.1 200"), "{head}");
                    assert!(body.starts_with(r#"{"data":{"products""#), "{body}");
                    let closes = head.contains("connection: close");
                    if closes {
                        self.stream = None;
                    }
                    return Ok(Some(closes));
                }
            }
            let mut chunk = [0; 4096];
            match stream.read(&mut chunk).await {
                Ok(0) => return Err(format!("closed behind {} bytes of an answer", read.len())),
                Ok(count) => read.extend(&chunk[..count]),
                Err(error) => return Err(format!("not answered: {error}")),
            }
        }
    }
}

#[tokio::test]
async fn nothing_is_dropped_when_a_server_under_load_is_told_to_end() {
    let database = TestDatabase::empty().await;
    let mut node = Node::start(&database, &["--demo"], &[]).await;
    let (told, closing) = (Arc::new(OnceLock::<Instant>::new()), Arc::new(AtomicUsize::new(0)));
    let answered = Arc::new(AtomicUsize::new(0));
    let clients: Vec<_> = (0..20)
        .map(|number| {
            let mut client = KeepAlive { host: host(&node), stream: None };
            let (told, closing, answered) = (told.clone(), closing.clone(), answered.clone());
            tokio::spawn(async move {
                sleep(Duration::from_millis(number * 5)).await;
                loop {
                    match client.ask().await {
                        Ok(Some(closes)) => {
                            if !closes && told.get().is_some_and(|told| told.elapsed() > Duration::from_millis(700)) {
                                return Err("an answer that keeps the connection".to_owned());
                            }
                            answered.fetch_add(1, Ordering::Relaxed);
                            closing.fetch_add(usize::from(closes), Ordering::Relaxed);
                        }
                        // Nobody listens any more: a client would go to the next process.
                        Ok(None) if told.get().is_some() => return Ok(()),
                        Ok(None) => return Err("no connection".to_owned()),
                        Err(error) => return Err(error),
                    }
                    sleep(Duration::from_millis(95)).await;
                }
            })
        })
        .collect();
    eventually("two hundred answers", async || answered.load(Ordering::Relaxed) > 200).await;
    let began = Instant::now();
    told.set(began).unwrap();
    let ready = node.store_url.replace("/store/graphql", "/health/ready");
    let not_ready = tokio::spawn(async move {
        loop {
            match reqwest::get(&ready).await {
                Ok(answer) if answer.status() == 200 => sleep(Duration::from_millis(20)).await,
                Ok(answer) => return answer.status().as_u16(),
                Err(error) => panic!("it has gone without a word: {error}"),
            }
        }
    });
    assert!(node.process.terminate().await.success());
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    assert_eq!(not_ready.await.unwrap(), 503, "it says that it is not ready while it still answers");
    for client in clients {
        timeout(PATIENCE, client).await.expect("the client sees the end").unwrap().unwrap();
    }
    let closed = closing.load(Ordering::Relaxed);
    assert!(closed >= 20, "{closed} answers said that the connection is closed");
}

#[tokio::test]
async fn whatever_hangs_a_process_has_ended_ten_seconds_after_it_was_told_to() {
    let database = TestDatabase::empty().await;
    let mut node = Node::start(&database, &["--demo"], &[]).await;
    let variant = in_stock(&node.store).await;
    let placed = buy(&node.store, &variant, 1).await;
    // One sends half of a request and nothing more, one half of a head, one says nothing, one reads nothing.
    let mut held = TcpStream::connect(host(&node)).await.unwrap();
    held.write_all(request(Some(1_000)).as_bytes()).await.unwrap();
    let mut half = TcpStream::connect(host(&node)).await.unwrap();
    half.write_all(b"POST /store/graphql HTTP/1.1\r\nhost: sh").await.unwrap();
    let _silent = TcpStream::connect(host(&node)).await.unwrap();
    let mut wire = Wire::acknowledged(&node.store_socket).await;
    let watch = format!(
        "subscription {{ orderUpdated(orderId: {:?}, accessToken: {:?}) {{ sequence }} }}",
        placed.id, placed.token
    );
    wire.say(json!({ "type": "subscribe", "id": "a", "payload": { "query": watch } })).await;
    wire.hear().await;
    let mut events = Events::post(&node.store_url, &watch, &[]).await.unwrap();
    events.next().await.unwrap();
    let began = Instant::now();
    let ended = tokio::join!(node.process.terminate(), wire.closed(), async {
        let rest = events.next().await;
        (rest, began.elapsed())
    });
    let (status, (code, _), (rest, streamed)) = ended;
    assert!(status.success());
    assert_eq!((code, rest), (1001, None));
    assert!(streamed < Duration::from_secs(4), "{streamed:?}");
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
    assert_eq!(node.process.logged("connections are cut whose requests did not end in time").len(), 1);
}

#[tokio::test]
async fn a_second_signal_skips_the_grace() {
    let database = TestDatabase::empty().await;
    let mut node = Node::start(&database, &["--shutdown-grace", "20"], &[]).await;
    let ready = node.store_url.replace("/store/graphql", "/health/ready");
    let began = Instant::now();
    node.process.signal().await;
    eventually("it is not ready", async || reqwest::get(&ready).await.is_ok_and(|answer| answer.status() == 503)).await;
    assert!(node.process.runs());
    assert_eq!(node.store.send("{ __typename }", json!({})).await.status, 200, "it goes on for the grace");
    assert!(node.process.terminate().await.success());
    assert!(began.elapsed() < Duration::from_secs(8), "{:?}", began.elapsed());
}

#[tokio::test]
async fn slow_clients_are_let_go_and_others_do_not_wait_for_them() {
    let shop = Shop::open().await;
    let connect = async || TcpStream::connect(shop.address).await.unwrap();
    let until_closed = async |mut stream: TcpStream| {
        let (began, mut read) = (Instant::now(), Vec::new());
        // Being reset is an end as well.
        let _ = timeout(PATIENCE * 2, stream.read_to_end(&mut read)).await.expect("an end in time");
        (began.elapsed().as_secs(), String::from_utf8(read).unwrap())
    };
    let dripping = async {
        let (mut reads, mut writes) = connect().await.into_split();
        let drip = tokio::spawn(async move {
            for byte in b"POST /store/graphql HTTP/1.1\r\nhost: shop\r\nx-padding: abcdefghijklmnopq".iter() {
                if writes.write_all(&[*byte]).await.is_err() {
                    return;
                }
                sleep(Duration::from_millis(500)).await;
            }
        });
        let began = Instant::now();
        let _ = timeout(PATIENCE * 2, reads.read_to_end(&mut Vec::new())).await.expect("an end in time");
        drip.abort();
        began.elapsed().as_secs()
    };
    let half_of_a_body = async {
        let mut stream = connect().await;
        stream.write_all(request(Some(1_000)).as_bytes()).await.unwrap();
        until_closed(stream).await
    };
    // A connection that has been used may wait for longer than a head may take, and is still good.
    let idle = async {
        let mut client = KeepAlive { host: shop.address.to_string(), stream: None };
        // An empty shop has no products, and says so in the same form.
        assert_eq!(client.ask().await, Ok(Some(false)));
        sleep(Duration::from_secs(13)).await;
        assert_eq!(client.ask().await, Ok(Some(false)));
    };
    let others = async {
        for _ in 0..20 {
            let began = Instant::now();
            assert_eq!(shop.store.send("{ __typename }", json!({})).await.status, 200);
            assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
            sleep(Duration::from_millis(500)).await;
        }
    };
    let silent = async { until_closed(connect().await).await };
    // One after the other: the kernel lets only so many wait at the door.
    let mut crowd = Vec::new();
    for _ in 0..300 {
        crowd.push(connect().await);
    }
    let (dripped, silent, (waited, answer), (), ()) = tokio::join!(dripping, silent, half_of_a_body, idle, others);
    assert!((10..=14).contains(&dripped), "{dripped}");
    assert!((10..=14).contains(&silent.0), "{}", silent.0);
    assert_eq!(silent.1, "");
    assert!((30..=34).contains(&waited), "{waited}");
    assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
    assert!(answer.contains("BODY_TOO_SLOW"), "{answer}");
    for stream in crowd {
        assert!(until_closed(stream).await.0 <= 1, "half-open connections are gone by now");
    }
}
