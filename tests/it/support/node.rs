//! The real binary as a process of its own: `serve` and the other verbs.

use std::process::{ExitStatus, Output, Stdio};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::mpsc;
use tokio::time::timeout;

use super::client::Client;
use super::database::{Kept, TestDatabase};
use super::log;
use super::socket::PATIENCE;

/// What is logged when a task of the background panicked.
pub const TASK_ENDED: &str = "a task of the background panicked; it begins anew";

fn emporion(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_emporion"));
    command.args(arguments).stdin(Stdio::null()).kill_on_drop(true);
    // What the caller's shell holds is not meant for the tests.
    for variable in
        ["EMPORION_FAILPOINT", "EMPORION_REDIS_URL", "EMPORION_DATABASE_URL", "EMPORION_LISTEN", "EMPORION_SECRET"]
    {
        command.env_remove(variable);
    }
    // A token in a mail would end the one that a test issues itself.
    command.env("EMPORION_MAIL_PROVIDER", "none");
    command.env("EMPORION_LOG", "warn").env("EMPORION_LOG_FORMAT", "json");
    command
}

/// Runs a verb on this database to its end.
pub async fn run_command(database: &TestDatabase, arguments: &[&str]) -> Output {
    let address = database.address();
    run_alone(&[arguments, &["--database-url", address.as_str()]].concat(), &[]).await
}

/// Runs a verb that needs no database, or names it itself, to its end.
pub async fn run_alone(arguments: &[&str], variables: &[(&str, &str)]) -> Output {
    let mut command = emporion(arguments);
    command.envs(variables.iter().copied());
    timeout(PATIENCE * 2, command.output()).await.expect("an end in time").unwrap()
}

/// A running verb whose lines are read as they come. It ends with the test.
#[derive(Debug)]
pub struct Process {
    child: Child,
    lines: mpsc::UnboundedReceiver<String>,
    logged: Arc<Mutex<Vec<Value>>>,
}

impl Drop for Process {
    fn drop(&mut self) {
        log::nothing_leaked();
    }
}

impl Process {
    /// Starts a verb with these arguments and these variables.
    pub fn start(arguments: &[&str], variables: &[(&str, &str)]) -> Self {
        let mut command = emporion(arguments);
        command.env("EMPORION_LOG", "trace").envs(variables.iter().copied());
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut printed = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut records = BufReader::new(child.stderr.take().unwrap()).lines();
        let (sender, lines) = mpsc::unbounded_channel();
        let logged = Arc::<Mutex<Vec<Value>>>::default();
        let kept = logged.clone();
        tokio::spawn(async move {
            while let Ok(Some(record)) = records.next_line().await {
                log::search(&record);
                match serde_json::from_str::<Value>(&record) {
                    Ok(record) => {
                        if ["WARN", "ERROR"].iter().any(|level| record["level"] == *level) {
                            eprintln!("{record}");
                        }
                        kept.lock().unwrap().push(record);
                    }
                    Err(_) => eprintln!("{record}"),
                }
            }
        });
        tokio::spawn(async move {
            while let Ok(Some(line)) = printed.next_line().await {
                // Read on even when nobody listens any more: a full pipe would stop the process.
                let _ = sender.send(line);
            }
        });
        Self { child, lines, logged }
    }

    /// The next line that it prints.
    pub async fn line(&mut self) -> String {
        let line = timeout(PATIENCE * 2, self.lines.recv()).await.expect("a line in time");
        line.expect("the process prints one more line before it ends")
    }

    /// The first word behind `name` on the next line that begins with it.
    pub async fn told(&mut self, name: &str) -> String {
        loop {
            let line = self.line().await;
            let mut words = line.split_whitespace();
            if words.next() == Some(name) {
                return words.next().unwrap().to_owned();
            }
        }
    }

    /// What it has logged with this message so far.
    pub fn logged(&self, message: &str) -> Vec<Value> {
        let logged = self.logged.lock().unwrap();
        logged.iter().filter(|record| record["message"] == message).cloned().collect()
    }

    /// How much memory it holds, in bytes, as the kernel counts it.
    pub fn memory(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id().unwrap())).unwrap();
        let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        resident.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1024
    }

    /// Ends it as a lost machine would.
    pub async fn kill(&mut self) {
        self.child.kill().await.unwrap();
    }

    /// Asks it to end, as a supervisor would, and waits until it has.
    pub async fn terminate(&mut self) -> ExitStatus {
        self.signal().await;
        self.ended().await
    }

    /// The same without waiting.
    pub async fn signal(&self) {
        let id = self.child.id().expect("it still runs").to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().await.unwrap().success());
    }

    /// Whether it has not ended.
    pub fn runs(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// Waits until it has ended by itself.
    pub async fn ended(&mut self) -> ExitStatus {
        timeout(PATIENCE, self.child.wait()).await.expect("an end in time").unwrap()
    }
}

/// A serving process.
#[derive(Debug)]
pub struct Node {
    pub process: Process,
    pub store: Client,
    pub store_url: String,
    pub store_socket: String,
    pub admin_socket: String,
    pub anonymous_admin: Client,
    _database: Kept,
}

impl Node {
    /// Serves this database on a free port; `more` are further arguments.
    pub async fn start(database: &TestDatabase, more: &[&str], variables: &[(&str, &str)]) -> Self {
        let address = database.address();
        let mut arguments = vec!["serve", "--listen", "127.0.0.1:0", "--database-url", address.as_str()];
        arguments.extend(more);
        let mut process = Process::start(&arguments, variables);
        let store_url = process.told("store").await;
        let admin_url = process.told("admin").await;
        let socket = |url: &str| url.replacen("http://", "ws://", 1);
        Self {
            _database: database.keep(),
            process,
            store: Client::new(store_url.clone()),
            store_socket: socket(&store_url),
            store_url,
            admin_socket: socket(&admin_url),
            anonymous_admin: Client::new(admin_url),
        }
    }

    /// The access token of the first owner, whose password was printed because the shop is new.
    pub async fn owner_token(&mut self) -> String {
        let email = self.process.told("owner").await;
        let password = self.process.told("password").await;
        log::plant(&password);
        let login = "mutation($input: AdminStaffLoginInput!) { staffLogin(input: $input) {
            tokens { accessToken } userErrors { code message } } }";
        let input = json!({ "email": email, "password": password });
        let answer = self.anonymous_admin.send(login, json!({ "input": input })).await;
        answer.done();
        answer.text("staffLogin.tokens.accessToken")
    }

    /// A client of the admin surface, logged in as the first owner.
    pub async fn owner(&mut self) -> Client {
        let token = self.owner_token().await;
        self.anonymous_admin.bearer(&token)
    }
}
