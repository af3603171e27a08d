//! Shopify's product CSV
//! (<https://help.shopify.com/en/manual/products/import-export/using-csv>): one
//! record for each variant or picture; the first record of a handle carries the
//! product's fields. Columns are found by their classic names and by those that
//! Shopify gives them at present. The caller splits the file into cells.
//!
//! A product is accepted or refused as a whole, with every reason at once, and
//! nothing is dropped silently: what has no place of its own in the shop goes
//! to the metadata under its column's name.

mod product;
mod sheet;
pub mod write;

pub use product::read_product;
pub use sheet::Sheet;

#[cfg(test)]
mod tests;
