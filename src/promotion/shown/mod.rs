//! What promotions give, as shoppers and staff see it on carts, quotes and orders.

pub mod types;
