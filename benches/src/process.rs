//! Memory and time of processes, as Linux tells them.

use std::fs;
use std::time::Duration;

use tokio::time::sleep;

use crate::Result;

/// Ticks of a second in `/proc`; the same on every Linux that this runs on.
const TICKS: f64 = 100.0;
/// How long the allocator keeps what nobody needs any more, and a little.
const REST: Duration = Duration::from_secs(12);

/// The resident memory of a process at this moment, in KiB.
pub fn resident(id: u32) -> Result<f64> {
    status(id, "VmRSS:")
}

/// The most memory that it ever had, in KiB.
pub fn peak(id: u32) -> Result<f64> {
    status(id, "VmHWM:")
}

fn status(id: u32, name: &str) -> Result<f64> {
    let status = fs::read_to_string(format!("/proc/{id}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix(name)).ok_or("no such figure of a process")?;
    Ok(line.trim().trim_end_matches(" kB").parse()?)
}

/// The resident memory, once it has come to rest.
pub async fn resting(id: u32) -> Result<f64> {
    let mut last = f64::NAN;
    loop {
        sleep(Duration::from_secs(1)).await;
        let now = resident(id)?;
        if (now - last).abs() < 512.0 {
            return Ok(now);
        }
        last = now;
    }
}

/// The same of a server that was just started: what a log-in needed is given back within ten seconds.
pub async fn at_rest(id: u32) -> Result<f64> {
    sleep(REST).await;
    resting(id).await
}

/// The processor time that a process has used, in seconds.
pub fn spent(id: u32) -> Result<f64> {
    Ok(times(&fs::read_to_string(format!("/proc/{id}/stat"))?).unwrap_or_default())
}

/// The processor time that all processes of a name have used, in seconds.
pub fn spent_by_all(name: &str) -> Result<f64> {
    let mut sum = 0.0;
    for entry in fs::read_dir("/proc")? {
        // A process may end while its file is opened.
        let Ok(stat) = fs::read_to_string(entry?.path().join("stat")) else { continue };
        if stat.contains(&format!("({name})")) {
            sum += times(&stat).unwrap_or_default();
        }
    }
    Ok(sum)
}

/// User and system time out of a line of `/proc/ID/stat`, whose second field may hold anything up to its last bracket.
fn times(stat: &str) -> Option<f64> {
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace().skip(11);
    let user: f64 = fields.next()?.parse().ok()?;
    let system: f64 = fields.next()?.parse().ok()?;
    Some((user + system) / TICKS)
}
