//! What is true in the shop, apart from how it is stored or shown.
//!
//! House rules: no async, no SQL, no GraphQL, no clock, no randomness and no
//! IO. Time, ids and random values come in as arguments; a function takes the
//! few fields it needs and answers with a decision or with every reason
//! ([`refusal::Refusal`]) why there is none.
//!
//! Start with [`money`] (integers in minor units, one rounding function),
//! then [`totals`] (the one calculator of the shop), then the noun you came for.

pub mod id;
pub mod money;
pub mod refusal;
pub mod text;
pub mod word;
