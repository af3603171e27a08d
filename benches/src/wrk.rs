//! Single requests, as many as go, by `wrk`.

use std::fs;
use std::net::SocketAddr;
use std::process::Stdio;

use serde_json::Value;
use tokio::process::Command;

use crate::Result;

/// What `wrk` runs: it sends the lines of a file in turn, and says at the end what it saw.
const SCRIPT: &str = r#"
local bodies, place = {}, 0
function init(arguments)
    for line in io.lines(arguments[1]) do bodies[#bodies + 1] = line end
end
function request()
    place = place % #bodies + 1
    return wrk.format("POST", nil, { ["Content-Type"] = "application/json" }, bodies[place])
end
function done(summary, latency, requests)
    local errors = summary.errors
    print(string.format('FIGURES {"requests":%d,"micros":%d,"bytes":%d,"failed":%d,"p50":%d,"p99":%d}',
        summary.requests, summary.duration, summary.bytes,
        errors.connect + errors.read + errors.write + errors.status + errors.timeout,
        latency:percentile(50), latency:percentile(99)))
end
"#;

/// What a load came to.
#[derive(Debug, Clone, Copy)]
pub struct Load {
    /// How many requests were answered.
    pub requests: f64,
    /// The same for each second.
    pub rate: f64,
    /// The middle latency, in milliseconds.
    pub p50: f64,
    /// The latency that one of a hundred exceeds, in milliseconds.
    pub p99: f64,
    /// How long an answer is, with its headers, in bytes.
    pub bytes: f64,
}

/// Sends these bodies in turn over so many connections, for so many seconds.
pub async fn load(server: SocketAddr, bodies: &[Value], connections: usize, seconds: u64) -> Result<Load> {
    let folder = tempfile::tempdir()?;
    let (script, lines) = (folder.path().join("script.lua"), folder.path().join("bodies"));
    fs::write(&script, SCRIPT)?;
    fs::write(&lines, bodies.iter().map(|body| format!("{body}\n")).collect::<String>())?;
    let mut command = Command::new("wrk");
    command.args(["-t1", &format!("-c{connections}"), &format!("-d{seconds}s"), "-s"]).arg(&script);
    command.arg(format!("http://{server}/store/graphql")).arg("--").arg(&lines);
    let output = command.stdin(Stdio::null()).stderr(Stdio::inherit()).output().await;
    let output = output.map_err(|error| format!("wrk can't be started ({error}): install Debian's package wrk"))?;
    let said = String::from_utf8_lossy(&output.stdout);
    let figures = said.lines().find_map(|line| line.strip_prefix("FIGURES ")).ok_or("wrk said no figures")?;
    let figures: Value = serde_json::from_str(figures)?;
    let figure = |name: &str| figures[name].as_f64().unwrap_or(f64::NAN);
    if figure("failed") != 0.0 || figure("requests") == 0.0 {
        return Err(format!("requests failed: {figures}").into());
    }
    Ok(Load {
        requests: figure("requests"),
        rate: figure("requests") / figure("micros") * 1e6,
        p50: figure("p50") / 1e3,
        p99: figure("p99") / 1e3,
        bytes: figure("bytes") / figure("requests"),
    })
}
