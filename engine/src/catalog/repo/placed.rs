//! Rows of the widest tables, read by the places of their columns. By their names, which are looked up again for each
//! row, the variants and pictures of a page take twice the time.

use entity::{media, product, variant};
use sea_orm::{DbErr, QueryResult};
#[cfg(debug_assertions)]
use sea_orm::{IdenStatic, Iterable};

/// Declares how a row is read whose statement names all columns of a table in their order, before any others.
macro_rules! placed {
    ($(#[$doc:meta])* $read:ident of $table:ident { $($column:ident),* $(,)? }) => {
        $(#[$doc])*
        pub(super) fn $read(row: &QueryResult) -> Result<$table::Model, DbErr> {
            #[cfg(debug_assertions)]
            assert!($table::Column::iter().map(|column| column.as_str()).eq([$(stringify!($column)),*]));
            let mut places = 0..;
            let mut next = || places.next().unwrap_or_default();
            Ok($table::Model { $($column: row.try_get_by_index(next())?),* })
        }
    };
}

placed! {
    /// A variant.
    variant_of of variant {
        id, version, created_at, updated_at, deleted_at, product_id, title, sku, sku_fold, barcode, rank, combination,
        external_reference, weight_grams, length_mm, width_mm, height_mm, hs_code, origin_country, backorder,
        manage_inventory, release_at, requires_shipping, metadata,
    }
}

placed! {
    /// A picture, film or file.
    medium_of of media {
        id, created_at, kind, url, alt, version, updated_at, deleted_at, file_hash, file_type, file_size, filename,
        width, height, focal_x, focal_y,
    }
}

placed! {
    /// A product.
    product_of of product {
        id, version, created_at, updated_at, deleted_at, handle, status, title, title_fold, subtitle, description_html,
        vendor, type_id, external_reference, discountable, gift_card, shipping_profile_id, seo_title, seo_description,
        metadata,
    }
}
