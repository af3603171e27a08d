//! Named points at which a test kills the process, in debug builds alone: the
//! variable `EMPORION_FAILPOINT` names one, and reaching it ends the process
//! as a lost machine would, with nothing flushed and nothing undone.

/// Ends the process here when the variable names this point.
pub fn reach(name: &str) {
    if cfg!(debug_assertions) && std::env::var("EMPORION_FAILPOINT").is_ok_and(|wanted| wanted == name) {
        std::process::abort();
    }
}
