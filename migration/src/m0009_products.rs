//! Products in depth: numbers, sizes and customs of variants, looks and order
//! of options, products beside products, and the indexes of their lists.

pub const UP: &[&str] = &[
    r#"alter table variant add column sku_fold {folded} not null default ''"#,
    r#"update variant set sku_fold = lower(sku) where sku is not null"#,
    r#"alter table variant add column external_reference text"#,
    r#"alter table variant add column length_mm integer"#,
    r#"alter table variant add column width_mm integer"#,
    r#"alter table variant add column height_mm integer"#,
    r#"alter table variant add column hs_code text"#,
    r#"alter table variant add column origin_country text"#,
    r#"create unique index variant_external_reference on variant (external_reference) where deleted_at is null"#,
    r#"create index variant_barcode on variant (barcode)"#,
    r#"create index variant_sku_order on variant (sku_fold, id)"#,
    r#"create index variant_updated on variant (updated_at, id)"#,
    r#"create index variant_newest on variant (created_at, id)"#,
    r#"alter table "option" add column version integer not null default 1"#,
    r#"alter table "option" add column rank integer not null default 0"#,
    r#"create index option_rank on "option" (rank, id)"#,
    r#"alter table option_value add column swatch_color text"#,
    r#"alter table option_value add column swatch_url text"#,
    r#"
create table product_related (
    product_id {id} not null references product (id),
    related_id {id} not null references product (id),
    rank integer not null,
    primary key (product_id, related_id),
    check (product_id <> related_id)
)
"#,
    r#"create index product_related_related on product_related (related_id)"#,
    r#"create index product_of_type on product (type_id, id)"#,
    r#"create index product_of_vendor on product (vendor, id)"#,
    r#"create index product_tag_products on product_tag (tag_id, product_id)"#,
];

pub const DOWN: &[&str] = &[
    r#"drop index product_tag_products"#,
    r#"drop index product_of_vendor"#,
    r#"drop index product_of_type"#,
    r#"drop table product_related"#,
    r#"alter table option_value drop column swatch_url"#,
    r#"alter table option_value drop column swatch_color"#,
    r#"drop index option_rank"#,
    r#"alter table "option" drop column rank"#,
    r#"alter table "option" drop column version"#,
    r#"drop index variant_newest"#,
    r#"drop index variant_updated"#,
    r#"drop index variant_sku_order"#,
    r#"drop index variant_barcode"#,
    r#"drop index variant_external_reference"#,
    r#"alter table variant drop column origin_country"#,
    r#"alter table variant drop column hs_code"#,
    r#"alter table variant drop column height_mm"#,
    r#"alter table variant drop column width_mm"#,
    r#"alter table variant drop column length_mm"#,
    r#"alter table variant drop column external_reference"#,
    r#"alter table variant drop column sku_fold"#,
];
