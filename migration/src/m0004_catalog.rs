//! Products, options, variants, media, tags, types and prices.

pub const UP: &[&str] = &[
    r#"
create table product_type (
    id {id} not null primary key,
    value text not null,
    fold text not null unique
)
"#,
    r#"
create table tag (
    id {id} not null primary key,
    value text not null,
    fold text not null unique
)
"#,
    r#"
create table product (
    id {id} not null primary key,
    version integer not null,
    created_at {time} not null,
    updated_at {time} not null,
    deleted_at {time},
    handle text not null,
    status text not null,
    title text not null,
    title_fold {folded} not null,
    subtitle text,
    description_html text not null,
    vendor text,
    type_id {id} references product_type (id),
    external_reference text,
    discountable boolean not null,
    gift_card boolean not null,
    seo_title text,
    seo_description text,
    search_text {folded} not null,
    metadata {json} not null
)
"#,
    r#"create unique index product_handle on product (handle) where deleted_at is null"#,
    r#"create unique index product_external_reference on product (external_reference) where deleted_at is null"#,
    r#"create index product_newest on product (created_at, id)"#,
    r#"create index product_title on product (title_fold, id)"#,
    r#"
create table product_channel (
    product_id {id} not null references product (id),
    channel_id {id} not null references channel (id),
    published_at {time} not null,
    primary key (product_id, channel_id)
)
"#,
    r#"create index product_channel_newest on product_channel (channel_id, published_at, product_id)"#,
    r#"
create table product_tag (
    product_id {id} not null references product (id),
    tag_id {id} not null references tag (id),
    rank integer not null,
    primary key (product_id, tag_id)
)
"#,
    r#"create index product_tag_tag on product_tag (tag_id)"#,
    r#"
create table "option" (
    id {id} not null primary key,
    created_at {time} not null,
    handle text not null unique,
    name text not null
)
"#,
    r#"
create table option_value (
    id {id} not null primary key,
    option_id {id} not null references "option" (id),
    handle text not null,
    name text not null,
    rank integer not null,
    unique (option_id, handle)
)
"#,
    r#"
create table product_option (
    product_id {id} not null references product (id),
    option_id {id} not null references "option" (id),
    rank integer not null,
    primary key (product_id, option_id)
)
"#,
    r#"
create table variant (
    id {id} not null primary key,
    version integer not null,
    created_at {time} not null,
    updated_at {time} not null,
    deleted_at {time},
    product_id {id} not null references product (id),
    title text not null,
    sku text,
    barcode text,
    rank integer not null,
    combination text not null,
    weight_grams integer,
    backorder text not null,
    manage_inventory boolean not null,
    requires_shipping boolean not null,
    metadata {json} not null
)
"#,
    r#"create unique index variant_sku on variant (sku) where deleted_at is null"#,
    r#"create unique index variant_combination on variant (product_id, combination) where deleted_at is null"#,
    r#"
create table variant_option_value (
    variant_id {id} not null references variant (id),
    option_id {id} not null references "option" (id),
    option_value_id {id} not null references option_value (id),
    primary key (variant_id, option_id)
)
"#,
    r#"create index variant_option_value_value on variant_option_value (option_value_id)"#,
    r#"
create table media (
    id {id} not null primary key,
    created_at {time} not null,
    kind text not null,
    url text not null,
    alt text
)
"#,
    r#"
create table product_media (
    product_id {id} not null references product (id),
    media_id {id} not null references media (id),
    rank integer not null,
    primary key (product_id, media_id)
)
"#,
    r#"
create table variant_media (
    variant_id {id} not null references variant (id),
    media_id {id} not null references media (id),
    rank integer not null,
    primary key (variant_id, media_id)
)
"#,
    r#"
create table price (
    id {id} not null primary key,
    created_at {time} not null,
    updated_at {time} not null,
    variant_id {id} references variant (id),
    shipping_option_id {id} references shipping_option (id),
    currency text not null,
    amount_minor bigint not null,
    compare_at_minor bigint,
    includes_tax boolean not null,
    min_quantity integer,
    max_quantity integer,
    rule_count integer not null,
    check (amount_minor >= 0),
    check ((variant_id is null) <> (shipping_option_id is null))
)
"#,
    r#"create index price_variant on price (variant_id, currency)"#,
    r#"create index price_shipping_option on price (shipping_option_id)"#,
    r#"
create table listing_price (
    product_id {id} not null references product (id),
    channel_id {id} not null references channel (id),
    region_id {id} not null references region (id),
    currency text not null,
    min_minor bigint not null,
    max_minor bigint not null,
    primary key (product_id, channel_id, region_id)
)
"#,
    r#"create index listing_price_order on listing_price (channel_id, region_id, min_minor, product_id)"#,
];

pub const DOWN: &[&str] = &[
    r#"drop table listing_price"#,
    r#"drop table price"#,
    r#"drop table variant_media"#,
    r#"drop table product_media"#,
    r#"drop table media"#,
    r#"drop table variant_option_value"#,
    r#"drop table variant"#,
    r#"drop table product_option"#,
    r#"drop table option_value"#,
    r#"drop table "option""#,
    r#"drop table product_tag"#,
    r#"drop table product_channel"#,
    r#"drop table product"#,
    r#"drop table tag"#,
    r#"drop table product_type"#,
];
