//! Connections: how they are taken, and how they end when the process goes.
//!
//! 1. The process is to go: it says so to whoever asks whether it is ready,
//!    takes requests as before, and closes each connection behind its answer.
//! 2. After the grace nothing more is taken. Sockets and streams of events are
//!    told to go elsewhere, requests that run are answered, and connections
//!    that say nothing are closed.
//! 3. What has not ended by then is cut.

use std::convert::Infallible;
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::StatusCode;
use axum::response::Response;
use futures_util::FutureExt;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::gate::demand_taking;
use super::slow::{IDLE, Patient, Phase};

/// How long a connection that says nothing is left open when nothing more is taken: what its client has sent by then
/// is read and answered.
const LINGER: Duration = Duration::from_millis(500);
/// How long requests that run have to end.
const END: Duration = Duration::from_secs(5);
/// How long to wait when there is no room for another connection.
const REST: Duration = Duration::from_millis(500);

/// How many clients may wait to be taken: the library's own number is soon reached when a crowd comes at once.
const WAITING: u32 = 1024;

/// Listens on an address.
///
/// # Errors
/// When it is taken, or not this machine's.
pub fn bind(address: SocketAddr) -> std::io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    // What lingers of connections of a server before this one does not hold the address.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(WAITING)
}

/// Serves connections until `stop`, and to their end.
pub async fn serve(listener: TcpListener, router: Router, stop: &CancellationToken) {
    let (connections, cut) = (TaskTracker::new(), CancellationToken::new());
    let take = |(stream, peer)| connections.spawn(converse(stream, peer, router.clone(), stop.clone(), cut.clone()));
    loop {
        tokio::select! {
            () = stop.cancelled() => break,
            accepted = listener.accept() => match accepted {
                Ok(accepted) => drop(take(accepted)),
                Err(error) if is_the_client_s(error.kind()) => {}
                Err(error) => {
                    tracing::error!(%error, "connections wait");
                    sleep(REST).await;
                }
            },
        }
    }
    // Whoever has connected is served.
    while let Some(Ok(accepted)) = listener.accept().now_or_never() {
        take(accepted);
    }
    drop(listener);
    connections.close();
    if timeout(END, connections.wait()).await.is_err() {
        tracing::warn!(connections = connections.len(), "connections are cut whose requests did not end in time");
        cut.cancel();
        connections.wait().await;
    }
}

fn is_the_client_s(error: ErrorKind) -> bool {
    matches!(error, ErrorKind::ConnectionRefused | ErrorKind::ConnectionAborted | ErrorKind::ConnectionReset)
}

/// One connection, to its end or until it becomes a socket.
async fn converse(
    stream: TcpStream,
    peer: SocketAddr,
    router: Router,
    stop: CancellationToken,
    cut: CancellationToken,
) {
    // What is written is written as a whole: waiting for more would only delay it.
    let _ = stream.set_nodelay(true);
    demand_taking(&stream);
    let phase = Phase::connected();
    let stream = TokioIo::new(Patient::new(stream, phase.clone()));
    let router = TowerToHyperService::new(router);
    let answer = service_fn(move |mut request: hyper::Request<Incoming>| {
        phase.works();
        request.extensions_mut().insert(ConnectInfo(peer));
        let (answer, phase) = (router.call(request.map(Body::new)), phase.clone());
        async move {
            let answer: Result<Response, Infallible> = answer.await;
            // What has become a socket has no next request.
            if !matches!(&answer, Ok(answer) if answer.status() == StatusCode::SWITCHING_PROTOCOLS) {
                phase.waits();
            }
            answer
        }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(IDLE)
        .serve_connection(stream, answer)
        .with_upgrades();
    tokio::pin!(connection);
    let stopped = async {
        stop.cancelled().await;
        sleep(LINGER).await;
    };
    tokio::select! {
        // How a client goes is no concern of ours.
        _ = connection.as_mut() => return,
        () = stopped => connection.as_mut().graceful_shutdown(),
    }
    tokio::select! {
        _ = connection => {}
        () = cut.cancelled() => {}
    }
}
