//! The process that is measured.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use serde_json::json;
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};
use tokio::time::sleep;

use crate::Result;
use crate::http::Http;
use crate::socket::PER_ADDRESS;

/// A server with the demo shop; it ends with the run.
#[derive(Debug)]
pub struct Server {
    /// Where it listens.
    pub address: SocketAddr,
    /// The access token of the owner.
    pub owner: String,
    child: Child,
    _folder: tempfile::TempDir,
}

impl Server {
    /// Starts it on an empty folder, and on an empty database when that is named.
    pub async fn start(binary: &Path, database_url: Option<&str>) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let mut command = Command::new(binary);
        command.args(["serve", "--demo", "--listen", "127.0.0.1:0", "--data-dir"]).arg(folder.path());
        command.args(["--sockets-per-address", &(PER_ADDRESS + 100).to_string()]);
        command.args(database_url.iter().flat_map(|url| ["--database-url", url]));
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("EMPORION_")) {
            command.env_remove(name);
        }
        command.env("EMPORION_LOG", "error").env("EMPORION_MAIL_PROVIDER", "none");
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).kill_on_drop(true).spawn()?;
        let mut lines = BufReader::new(child.stdout.take().ok_or("no output")?).lines();
        let store = told(&mut lines, "store").await?;
        let host = store.split('/').nth(2).ok_or("no address")?;
        let address: SocketAddr = host.parse()?;
        let email = told(&mut lines, "owner").await?;
        let password = told(&mut lines, "password").await?;
        let login = "mutation($input: AdminStaffLoginInput!) { staffLogin(input: $input) {
            tokens { accessToken } userErrors { code message } } }";
        let input = json!({ "email": email, "password": password });
        let mut admin = Http::connect(address, "/admin/graphql", None).await?;
        let answer = admin.send(login, json!({ "input": input })).await?;
        let owner = answer["staffLogin"]["tokens"]["accessToken"].as_str().ok_or("no token")?.to_owned();
        Ok(Self { address, owner, child, _folder: folder })
    }

    /// The resident memory in KiB, once it has come to rest.
    pub async fn memory(&self) -> Result<f64> {
        let id = self.child.id().ok_or("the server has ended")?;
        let mut last = f64::NAN;
        loop {
            sleep(Duration::from_secs(1)).await;
            let status = tokio::fs::read_to_string(format!("/proc/{id}/status")).await?;
            let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).ok_or("no resident memory")?;
            let resident: f64 = line.trim().trim_end_matches(" kB").parse()?;
            if (resident - last).abs() < 512.0 {
                return Ok(resident);
            }
            last = resident;
        }
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
