//! Connections: what GraphQL says of a page.

use async_graphql::{Enum, SimpleObject};
use domain::refusal::{ErrorCode, Refusal};
use engine::page::Rows;
pub use engine::page::{ADMIN_MAX, Page, PageArgs, STORE_MAX};

/// Which way a list runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub enum SortDirection {
    /// From low to high, from old to new, from A to Z.
    Asc,
    /// From high to low, from new to old, from Z to A.
    Desc,
}

/// The sort of a list, at most one: `fallback` when none is asked for.
pub fn one_sort<T: Clone>(sort: Option<Vec<T>>, fallback: T) -> Result<T, Refusal> {
    match sort.unwrap_or_default().as_slice() {
        [] => Ok(fallback),
        [one] => Ok(one.clone()),
        _ => Err(Refusal::new(ErrorCode::TooMany, "A list is sorted by one field.").limit(1).at(["sort"])),
    }
}

/// Where a page lies in its list.
#[derive(Debug, Clone, SimpleObject)]
pub struct PageInfo {
    /// Whether there is more behind this page.
    pub has_next_page: bool,
    /// Whether there is more before this page.
    pub has_previous_page: bool,
    /// The cursor of the first row, to page backwards with `before`.
    pub start_cursor: Option<String>,
    /// The cursor of the last row, to page on with `after`.
    pub end_cursor: Option<String>,
}

impl<T> From<&Rows<T>> for PageInfo {
    fn from(rows: &Rows<T>) -> Self {
        Self {
            has_next_page: rows.has_next,
            has_previous_page: rows.has_previous,
            start_cursor: rows.rows.first().map(|(_, place)| rows.cursor(place)),
            end_cursor: rows.rows.last().map(|(_, place)| rows.cursor(place)),
        }
    }
}

/// Declares a connection and its edge over an entity that wraps a row.
macro_rules! connection {
    ($(#[$doc:meta])* $connection:ident, $edge:ident, $entity:ident, $row:ty) => {
        $(#[$doc])*
        #[derive(async_graphql::SimpleObject)]
        pub struct $connection {
            /// The rows with their cursors.
            pub edges: Vec<$edge>,
            /// The rows without their cursors.
            pub nodes: Vec<$entity>,
            /// Where this page lies in the list.
            pub page_info: $crate::api::page::PageInfo,
            /// The number of rows of the whole list; counted only when you select it.
            pub total_count: Option<i32>,
        }

        /// A row of a list with its cursor.
        #[derive(async_graphql::SimpleObject)]
        pub struct $edge {
            /// The row.
            pub node: $entity,
            /// The place of the row, for `after` and `before`.
            pub cursor: String,
        }

        impl From<engine::page::Rows<$row>> for $connection {
            fn from(rows: engine::page::Rows<$row>) -> Self {
                let page_info = $crate::api::page::PageInfo::from(&rows);
                let total_count = rows.total.map(|total| i32::try_from(total).unwrap_or(i32::MAX));
                let cursors: Vec<String> = rows.rows.iter().map(|(_, place)| rows.cursor(place)).collect();
                let nodes: Vec<$entity> = rows.rows.into_iter().map(|(row, _)| $entity::from(row)).collect();
                let edges =
                    nodes.iter().cloned().zip(cursors).map(|(node, cursor)| $edge { node, cursor }).collect();
                Self { edges, nodes, page_info, total_count }
            }
        }
    };
}

pub(crate) use connection;
