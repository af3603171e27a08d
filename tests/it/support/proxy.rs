//! A way to a server that goes bad when a test says so.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::sleep;

/// What the way is like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    Open,
    /// Whatever is said arrives so much later.
    Slow(Duration),
    /// Connections are cut, new ones too.
    Shut,
    /// Connections are taken, and nothing is ever heard of them again: not even when the way is open again.
    Silent,
}

/// A proxy on a port of its own. It ends with the test.
#[derive(Debug)]
pub struct Proxy {
    port: u16,
    way: watch::Sender<Way>,
    _carrying: JoinSet<()>,
}

impl Proxy {
    /// An open way to a port of this machine.
    pub async fn before(server: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (port, way) = (listener.local_addr().unwrap().port(), watch::Sender::new(Way::Open));
        let watched = way.subscribe();
        let mut carrying = JoinSet::new();
        carrying.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((client, _)) = listener.accept().await {
                connections.spawn(carry(client, server, watched.clone()));
            }
        });
        Self { port, way, _carrying: carrying }
    }

    /// Where it listens on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// From now on the way is like this.
    pub fn turn(&self, way: Way) {
        self.way.send_replace(way);
    }
}

async fn carry(mut client: TcpStream, server: u16, mut way: watch::Receiver<Way>) {
    let mut carried = None;
    if matches!(*way.borrow_and_update(), Way::Open | Way::Slow(_)) {
        carried = TcpStream::connect(("127.0.0.1", server)).await.ok();
    }
    loop {
        let now = *way.borrow_and_update();
        let (Some(server), Way::Open | Way::Slow(_)) = (&mut carried, now) else {
            // The server is told that the connection has gone, the client is not.
            drop(carried);
            if now == Way::Silent {
                std::future::pending::<()>().await;
            }
            return;
        };
        let (mut asked, mut told) = ([0; 4096], [0; 4096]);
        let (from, to, count) = tokio::select! {
            _ = way.changed() => continue,
            count = client.read(&mut asked) => (&asked, &mut *server, count),
            count = server.read(&mut told) => (&told, &mut client, count),
        };
        let Ok(count @ 1..) = count else { return };
        if let Way::Slow(late) = now {
            sleep(late).await;
        }
        if to.write_all(&from[..count]).await.is_err() {
            return;
        }
    }
}
