//! The same bytes from a server that does nothing else: how fast an answer
//! could be at most, on this machine and by this HTTP library.

use std::path::PathBuf;
use std::process::Stdio;

use axum::Router;
use axum::http::header;
use axum::routing::post;
use clap::Args;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::net::TcpListener;
use tokio::process::{Child, Command};

use crate::Result;

/// What is served.
#[derive(Debug, Args)]
pub struct Options {
    /// A file with the bytes.
    file: PathBuf,
}

/// Serves the bytes, on as many threads as the shop has.
pub fn run(options: &Options) -> Result<()> {
    let bytes = axum::body::Bytes::from(std::fs::read(&options.file)?);
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(async {
        let answer =
            async move |_: axum::body::Bytes| ([(header::CONTENT_TYPE, "application/json; charset=utf-8")], bytes);
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        println!("{}", listener.local_addr()?);
        Ok(axum::serve(listener, Router::new().route("/store/graphql", post(answer))).await?)
    })
}

/// Starts such a server as a process of its own; answers with where it listens.
pub async fn start(bytes: &[u8], folder: &std::path::Path) -> Result<(Child, std::net::SocketAddr)> {
    let file = folder.join("still");
    std::fs::write(&file, bytes)?;
    let mut command = Command::new(std::env::current_exe()?);
    let mut child = command.arg("still").arg(file).stdout(Stdio::piped()).kill_on_drop(true).spawn()?;
    let mut lines = BufReader::new(child.stdout.take().ok_or("no output")?).lines();
    let address = lines.next_line().await?.ok_or("the still server did not start")?.parse()?;
    Ok((child, address))
}
