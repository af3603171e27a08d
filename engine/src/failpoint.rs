//! Named points at which a test lets something go wrong. They are there when
//! the feature `failpoints` is, which the tests' own dependencies set and no
//! build for others does. `EMPORION_FAILPOINT` says what happens where:
//!
//! | value | what reaching the point does |
//! |---|---|
//! | `NAME` | ends the process as a lost machine would, with nothing flushed and nothing undone |
//! | `panic:NAME` | panics, as a mistake of ours would |
//! | `panic-once:NAME` | panics the first time |

use std::sync::atomic::{AtomicBool, Ordering};

/// Whether this build has them.
pub const BUILT_IN: bool = cfg!(feature = "failpoints");

/// What a panic at a point says, as one does that tells what it was working on.
pub const WORDS: &str = "ada@example.com does not fit";

/// Does here what the variable says of this point.
#[allow(clippy::panic, reason = "it is what the point is for")]
pub fn reach(name: &str) {
    static PANICKED: AtomicBool = AtomicBool::new(false);
    if !BUILT_IN {
        return;
    }
    let Ok(wanted) = std::env::var("EMPORION_FAILPOINT") else { return };
    match wanted.split_once(':') {
        None if wanted == name => std::process::abort(),
        Some(("panic", wanted)) if wanted == name => panic!("{name}: {WORDS}"),
        Some(("panic-once", wanted)) if wanted == name && !PANICKED.swap(true, Ordering::Relaxed) => {
            panic!("{name}: {WORDS}")
        }
        _ => {}
    }
}

/// The same of one of a kind of points: `KIND.NAME`.
pub fn reach_one(kind: &str, name: &str) {
    if BUILT_IN {
        reach(&format!("{kind}.{name}"));
    }
}
