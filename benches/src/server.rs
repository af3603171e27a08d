//! The process that is measured.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use serde_json::json;
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};
use tokio::time::Instant;

use crate::Result;
use crate::http::Http;

/// Where a shop is kept, while no server runs on it too.
#[derive(Debug)]
pub struct Place {
    binary: PathBuf,
    folder: tempfile::TempDir,
    database_url: Option<String>,
    owner: Option<(String, String)>,
}

impl Place {
    /// An empty folder, and an empty database when that is named.
    pub fn new(binary: &Path, database_url: Option<&str>) -> Result<Self> {
        let (binary, database_url) = (binary.to_owned(), database_url.map(str::to_owned));
        Ok(Self { binary, folder: tempfile::tempdir()?, database_url, owner: None })
    }

    /// Whether the shop is on PostgreSQL.
    pub fn is_postgres(&self) -> bool {
        self.database_url.is_some()
    }

    /// The binary with these verbs, told where the shop is and nothing that the caller's environment says.
    pub fn command(&self, verbs: &[&str]) -> Command {
        let mut command = Command::new(&self.binary);
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("EMPORION_")) {
            command.env_remove(name);
        }
        command.args(verbs).arg("--data-dir").arg(self.folder.path());
        command.args(self.database_url.iter().flat_map(|url| ["--database-url", url]));
        command.env("EMPORION_LOG", "error").env("EMPORION_MAIL_PROVIDER", "none");
        command.stdin(Stdio::null()).stdout(Stdio::piped()).kill_on_drop(true);
        command
    }

    /// Starts a server with these arguments.
    pub async fn serve(&mut self, arguments: &[&str]) -> Result<Server> {
        let mut command = self.command(&["serve"]);
        command.args(["--listen", "127.0.0.1:0"]).args(arguments);
        // All of the driver's clients are at one address, and ask more than a shop's whole street.
        for budget in ["--rate-address", "--rate-customer", "--rate-staff", "--rate-api-key"] {
            command.args([budget, "off"]);
        }
        let started = Instant::now();
        let mut child = command.spawn()?;
        let mut lines = BufReader::new(child.stdout.take().ok_or("no output")?).lines();
        let store = told(&mut lines, "store").await?;
        let address: SocketAddr = store.split('/').nth(2).ok_or("no address")?.parse()?;
        Http::connect(address, "/store/graphql", None)
            .await?
            .send("{ shop { channel { handle } } }", json!({}))
            .await?;
        let start_up = started.elapsed().as_secs_f64() * 1e3;
        if self.owner.is_none() {
            let email = told(&mut lines, "owner").await?;
            self.owner = Some((email, told(&mut lines, "password").await?));
        }
        let login = "mutation($input: AdminStaffLoginInput!) { staffLogin(input: $input) {
            tokens { accessToken } userErrors { code message } } }";
        let (email, password) = self.owner.clone().unwrap_or_default();
        let input = json!({ "email": email, "password": password });
        let mut admin = Http::connect(address, "/admin/graphql", None).await?;
        let answer = admin.send(login, json!({ "input": input })).await?;
        let owner = answer["staffLogin"]["tokens"]["accessToken"].as_str().ok_or("no token")?.to_owned();
        Ok(Server { address, owner, start_up, child })
    }
}

/// A running server; it ends with the run.
#[derive(Debug)]
pub struct Server {
    /// Where it listens.
    pub address: SocketAddr,
    /// The access token of the owner.
    pub owner: String,
    /// Milliseconds from the start of the process to its first answer.
    pub start_up: f64,
    child: Child,
}

impl Server {
    /// Its process.
    pub fn id(&self) -> Result<u32> {
        Ok(self.child.id().ok_or("the server has ended")?)
    }

    /// A client of staff.
    pub async fn staff(&self) -> Result<Http> {
        Http::connect(self.address, "/admin/graphql", Some(&self.owner)).await
    }

    /// A shopper's client.
    pub async fn shopper(&self) -> Result<Http> {
        Http::connect(self.address, "/store/graphql", None).await
    }

    /// Ends it and waits until it has gone.
    pub async fn stop(mut self) -> Result<()> {
        self.child.kill().await?;
        Ok(())
    }
}

/// The first word behind `name` on the next line that begins with it.
async fn told(lines: &mut Lines<BufReader<ChildStdout>>, name: &str) -> Result<String> {
    loop {
        let line = lines.next_line().await?.ok_or("the server ended before it served")?;
        let mut words = line.split_whitespace();
        if words.next() == Some(name) {
            return Ok(words.next().unwrap_or_default().to_owned());
        }
    }
}
