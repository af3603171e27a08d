//! Named points at which a test lets something go wrong. They are there when
//! the feature `failpoints` is, which the tests' own dependencies set and no
//! build for others does. `EMPORION_FAILPOINT` says what happens where:
//!
//! | value | what reaching the point does |
//! |---|---|
//! | `NAME` | ends the process as a lost machine would, with nothing flushed and nothing undone |
//! | `panic:NAME` | panics, as a mistake of ours would |
//! | `panic-once:NAME` | panics the first time |
//! | `fail:NAME` | an op of this name ends as if the database had been lost before it wrote |
//! | `fail-once:NAME` | the same, the first time |
//! | `delay:NAME` | waits for [`DELAY`], as a machine does that stands still for a while |

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// Whether this build has them.
pub const BUILT_IN: bool = cfg!(feature = "failpoints");

/// What a panic at a point says, as one does that tells what it was working on.
pub const WORDS: &str = "ada@example.com does not fit";

/// How long a point waits that is told to.
pub const DELAY: Duration = Duration::from_secs(3);

static DONE_ONCE: AtomicBool = AtomicBool::new(false);

/// Does here what the variable says of this point.
#[allow(clippy::panic, reason = "it is what the point is for")]
pub fn reach(name: &str) {
    if !BUILT_IN {
        return;
    }
    let Ok(wanted) = std::env::var("EMPORION_FAILPOINT") else { return };
    match wanted.split_once(':') {
        None if wanted == name => std::process::abort(),
        Some(("panic", wanted)) if wanted == name => panic!("{name}: {WORDS}"),
        Some(("panic-once", wanted)) if wanted == name && !DONE_ONCE.swap(true, Ordering::Relaxed) => {
            panic!("{name}: {WORDS}")
        }
        // Nothing else of this task goes on meanwhile, which is the point.
        Some(("delay", wanted)) if wanted == name => std::thread::sleep(DELAY),
        _ => {}
    }
}

/// Whether an op of this name is to fail here.
pub fn fails(name: &str) -> bool {
    if !BUILT_IN {
        return false;
    }
    let Ok(wanted) = std::env::var("EMPORION_FAILPOINT") else { return false };
    match wanted.split_once(':') {
        Some(("fail", wanted)) => wanted == name,
        Some(("fail-once", wanted)) => wanted == name && !DONE_ONCE.swap(true, Ordering::Relaxed),
        _ => false,
    }
}

/// The same of one of a kind of points: `KIND.NAME`.
pub fn reach_one(kind: &str, name: &str) {
    if BUILT_IN {
        reach(&format!("{kind}.{name}"));
    }
}
