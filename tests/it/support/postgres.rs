//! A PostgreSQL server of one test's own, to be stopped and started at will.

use std::net::TcpListener;
use std::os::unix::fs::{MetadataExt, chown};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tokio::process::{Child, Command};
use tokio::time::{Instant, sleep};

use super::socket::PATIENCE;

/// A server with the empty database `postgres`. It ends with the test.
#[derive(Debug)]
pub struct PrivatePostgres {
    port: u16,
    folder: tempfile::TempDir,
    child: Child,
}

impl PrivatePostgres {
    /// Starts a server on a free port.
    pub async fn start() -> Self {
        let parent = variable("EMPORION_TEST_POSTGRES_DIR");
        let folder = tempfile::tempdir_in(&parent).unwrap();
        let owner = parent.metadata().unwrap();
        chown(folder.path(), Some(owner.uid()), Some(owner.gid())).unwrap();
        let mut init = program("initdb", folder.path());
        init.args(["--username", "emporion", "--auth", "trust", "--encoding", "UTF8", "--locale", "C", "--no-sync"]);
        assert!(init.status().await.unwrap().success(), "initdb failed");
        for _ in 0..5 {
            let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
            if let Some(child) = serve(port, folder.path()).await {
                return Self { port, folder, child };
            }
        }
        panic!("PostgreSQL found no free port");
    }

    /// The address of its database.
    pub fn url(&self) -> String {
        format!("postgres://emporion@127.0.0.1:{}/postgres", self.port)
    }

    /// Stops it as `pg_ctl stop -m immediate` does: whoever is connected loses the connection, and what was committed
    /// is found again in its log.
    pub async fn stop(&mut self) {
        quit(&self.child);
        self.child.wait().await.unwrap();
    }

    /// Starts it again on the same port.
    pub async fn start_again(&mut self) {
        self.child = serve(self.port, self.folder.path()).await.expect("the port is still free");
    }
}

impl Drop for PrivatePostgres {
    fn drop(&mut self) {
        quit(&self.child);
    }
}

fn quit(child: &Child) {
    if let Some(id) = child.id() {
        let sent = std::process::Command::new("kill").args(["-QUIT", &id.to_string()]).status();
        assert!(sent.unwrap().success(), "PostgreSQL can't be stopped");
    }
}

fn variable(name: &str) -> PathBuf {
    std::env::var_os(name).expect("run the tests with make test, which finds PostgreSQL").into()
}

/// One of PostgreSQL's programs that speak to a server.
pub fn client_program(name: &str) -> Command {
    let mut command = Command::new(variable("EMPORION_TEST_POSTGRES_BIN").join(name));
    command.stdin(Stdio::null()).kill_on_drop(true);
    command
}

/// One of PostgreSQL's programs, run as whoever owns the folder: it refuses to be root's.
fn program(name: &str, data: &Path) -> Command {
    let owner = data.metadata().unwrap();
    let mut command = Command::new(variable("EMPORION_TEST_POSTGRES_BIN").join(name));
    command.arg("-D").arg(data).current_dir(data).uid(owner.uid()).gid(owner.gid());
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command
}

/// A server that is ready, or nothing when it ended, for want of the port.
async fn serve(port: u16, data: &Path) -> Option<Child> {
    let mut command = program("postgres", data);
    command.args(["-p", &port.to_string(), "-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories="]);
    // The machine does not crash here, but what the server has acknowledged must outlive the server.
    command.args(["-c", "fsync=off", "-c", "synchronous_commit=on", "-c", "max_connections=100"]);
    let mut child = command.kill_on_drop(true).spawn().unwrap();
    let deadline = Instant::now() + PATIENCE;
    while Instant::now() < deadline {
        if child.try_wait().unwrap().is_some() {
            return None;
        }
        // The eighth line of this file tells what the server is at.
        let told = std::fs::read_to_string(data.join("postmaster.pid")).unwrap_or_default();
        let ours = told.lines().next().and_then(|id| id.parse().ok()) == child.id();
        if ours && told.lines().nth(7).is_some_and(|state| state.trim() == "ready") {
            return Some(child);
        }
        sleep(Duration::from_millis(20)).await;
    }
    panic!("PostgreSQL does not answer");
}
