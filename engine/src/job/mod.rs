//! Jobs: work that takes longer than a request.
//!
//! The row says where a job stands. Whoever works on it holds it by a lease
//! that he renews; when he is silent for too long, another process takes it up
//! where it was: what an entry changes and that it is done are written in one
//! transaction. Calling it off is seen between two of them.
//!
//! | to change | edit |
//! |---|---|
//! | which jobs there are, and what they need | `domain::job` |
//! | who takes a job up, and when it is tried again | [`runner`] |
//! | what the API and a runner write | [`ops`] |
//! | how a file that a job reads is opened | [`text`], [`records`] |
//! | what a job of a kind does | the noun that it is about: `catalog::import`, `pricing::import`, `promotion::batch` |

pub mod ops;
pub mod records;
pub mod repo;
pub mod runner;
pub mod text;

use chrono::{DateTime, TimeDelta, Utc};
use domain::id::JobId;
use domain::job::Pace;
use entity::job;

use crate::event::Aggregate;

/// How long a process may be silent before its job is taken up by another.
pub const LEASE: TimeDelta = TimeDelta::seconds(20);
/// How often those who wait are told at most.
pub const TELL: TimeDelta = TimeDelta::milliseconds(500);
/// How long ended jobs are remembered.
pub const KEPT: TimeDelta = TimeDelta::days(30);

/// The history of a job.
pub fn aggregate(id: JobId) -> Aggregate {
    Aggregate::new("job", id)
}

/// Who works on which job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    /// The job.
    pub job: JobId,
    /// The process.
    pub owner: String,
}

/// How fast a job goes: nothing before its first entry.
pub fn pace(row: &job::Model) -> Option<Pace> {
    let since: DateTime<Utc> = row.paced_at?;
    let milliseconds = (row.updated_at - since).num_milliseconds();
    let left = row.total.map_or(0, |total| total - row.done);
    Some(domain::job::pace(row.done - row.paced_from, milliseconds, left))
}
