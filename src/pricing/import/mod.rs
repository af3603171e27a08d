//! How files of prices come in; what is done with them is said in `engine::pricing::import`.

pub mod admin;
