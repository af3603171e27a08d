//! A Redis server of one test's own, to be stopped and started at will.

use std::net::TcpListener;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use tokio::time::{Instant, sleep, timeout};

use super::socket::PATIENCE;

/// A Redis server. It ends with the test.
#[derive(Debug)]
pub struct PrivateRedis {
    port: u16,
    folder: tempfile::TempDir,
    child: Child,
}

impl PrivateRedis {
    /// Starts a server on a free port.
    pub async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        for _ in 0..5 {
            let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
            if let Some(child) = serve(port, folder.path()).await {
                return Self { port, folder, child };
            }
        }
        panic!("redis-server found no free port");
    }

    /// Its address.
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}/", self.port)
    }

    /// Stops it; whoever is connected loses the connection.
    pub async fn stop(&mut self) {
        self.child.kill().await.unwrap();
    }

    /// Starts it again on the same port.
    pub async fn start_again(&mut self) {
        self.child = serve(self.port, self.folder.path()).await.expect("the port is still free");
    }
}

/// A server that answers, or nothing when it ended, for want of the port.
async fn serve(port: u16, folder: &Path) -> Option<Child> {
    // Not resolved: Debian's redis-server is a link to a program that looks at the name it was called by.
    let server = std::env::var("EMPORION_TEST_REDIS_SERVER").expect("run the tests with make test, which finds Redis");
    let mut command = Command::new(server);
    command.args(["--port", &port.to_string(), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]);
    command.arg("--dir").arg(folder).args(["--daemonize", "no"]);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true);
    let mut child = command.spawn().unwrap();
    let deadline = Instant::now() + PATIENCE;
    while Instant::now() < deadline {
        if child.try_wait().unwrap().is_some() {
            return None;
        }
        if answers(port).await {
            return Some(child);
        }
        sleep(Duration::from_millis(20)).await;
    }
    panic!("redis-server does not answer");
}

async fn answers(port: u16) -> bool {
    let ask = async {
        let mut stream = TcpStream::connect(("127.0.0.1", port)).await?;
        stream.write_all(b"PING\r\n").await?;
        let mut answer = [0; 7];
        stream.read_exact(&mut answer).await?;
        Ok::<_, std::io::Error>(answer == *b"+PONG\r\n")
    };
    matches!(timeout(Duration::from_secs(1), ask).await, Ok(Ok(true)))
}
