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

    /// Where it listens on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// How many connections listen to the one shop that has it.
    pub async fn listeners(&self) -> usize {
        // Each connection that listens says so in its flags.
        let listed = ask(self.port, "CLIENT LIST TYPE pubsub\r\n").await.expect("Redis answers");
        listed.lines().filter(|line| line.starts_with("id=")).count()
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
    ask(port, "PING\r\n").await.is_some_and(|answer| answer.starts_with("+PONG"))
}

/// The answer to a command, when there is one.
async fn ask(port: u16, command: &str) -> Option<String> {
    let ask = async {
        let mut stream = TcpStream::connect(("127.0.0.1", port)).await?;
        stream.write_all(format!("{command}QUIT\r\n").as_bytes()).await?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await?;
        Ok::<_, std::io::Error>(answer)
    };
    timeout(Duration::from_secs(1), ask).await.ok()?.ok()
}
