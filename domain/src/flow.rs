//! A flow is a durable run of steps: after a crash another worker goes on where
//! its row says it was (DESIGN section 4).

use crate::word::words;

words! {
    /// Where a flow stands.
    pub enum FlowState {
        /// A worker holds it, or may take it up.
        Running = "RUNNING",
        /// It waits for the world outside, such as a shopper at a provider's
        /// page: a call, a webhook or its deadline resumes it.
        Parked = "PARKED",
        /// Its provider does not know the payment that it is about: nothing goes on by itself until staff try it again
        /// or call it off, or something is heard of the payment.
        Stuck = "STUCK",
        /// Every step is done. Final.
        Done = "DONE",
        /// A step failed for good; staff must look. Nothing goes on by itself.
        Failed = "FAILED",
        /// Called off, and what its steps had taken is given back. Final.
        Abandoned = "ABANDONED",
    }
}
