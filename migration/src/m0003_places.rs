//! Channels, regions, taxes, shipping options and locations.

pub const UP: &[&str] = &[
    r#"
create table location (
    id {id} not null primary key,
    version integer not null,
    created_at {time} not null,
    updated_at {time} not null,
    deleted_at {time},
    handle text not null,
    name text not null,
    country text,
    priority integer not null
)
"#,
    r#"create unique index location_handle on location (handle) where deleted_at is null"#,
    r#"
create table region (
    id {id} not null primary key,
    version integer not null,
    created_at {time} not null,
    updated_at {time} not null,
    deleted_at {time},
    handle text not null,
    name text not null,
    currency text not null,
    prices_include_tax boolean not null,
    tax_rounding text not null,
    automatic_taxes boolean not null
)
"#,
    r#"create unique index region_handle on region (handle) where deleted_at is null"#,
    r#"
create table region_country (
    country text not null primary key,
    region_id {id} not null references region (id)
)
"#,
    r#"create index region_country_region on region_country (region_id)"#,
    r#"
create table region_payment_provider (
    region_id {id} not null references region (id),
    provider text not null,
    primary key (region_id, provider)
)
"#,
    r#"
create table channel (
    id {id} not null primary key,
    version integer not null,
    created_at {time} not null,
    updated_at {time} not null,
    deleted_at {time},
    handle text not null,
    name text not null,
    default_region_id {id} references region (id),
    default_locale text not null,
    storefront_url text,
    active boolean not null
)
"#,
    r#"create unique index channel_handle on channel (handle) where deleted_at is null"#,
    r#"
create table publishable_key (
    id {id} not null primary key,
    version integer not null,
    created_at {time} not null,
    updated_at {time} not null,
    token text not null unique,
    title text not null,
    channel_id {id} not null references channel (id),
    revoked_at {time}
)
"#,
    r#"
create table channel_location (
    channel_id {id} not null references channel (id),
    location_id {id} not null references location (id),
    primary key (channel_id, location_id)
)
"#,
    r#"
create table tax_region (
    id {id} not null primary key,
    version integer not null,
    created_at {time} not null,
    updated_at {time} not null,
    country text not null unique
)
"#,
    r#"
create table tax_rate (
    id {id} not null primary key,
    version integer not null,
    created_at {time} not null,
    updated_at {time} not null,
    tax_region_id {id} not null references tax_region (id),
    code text not null,
    name text not null,
    rate_ppm integer not null,
    is_default boolean not null,
    combinable boolean not null,
    unique (tax_region_id, code),
    check (rate_ppm between 0 and 10000000)
)
"#,
    r#"
create table service_zone (
    id {id} not null primary key,
    name text not null
)
"#,
    r#"
create table geo_zone (
    service_zone_id {id} not null references service_zone (id) on delete cascade,
    country text not null,
    primary key (service_zone_id, country)
)
"#,
    r#"
create table shipping_option (
    id {id} not null primary key,
    version integer not null,
    created_at {time} not null,
    updated_at {time} not null,
    deleted_at {time},
    handle text not null,
    name text not null,
    service_zone_id {id} not null references service_zone (id),
    provider text not null
)
"#,
    r#"create unique index shipping_option_handle on shipping_option (handle) where deleted_at is null"#,
];

pub const DOWN: &[&str] = &[
    r#"drop table shipping_option"#,
    r#"drop table geo_zone"#,
    r#"drop table service_zone"#,
    r#"drop table tax_rate"#,
    r#"drop table tax_region"#,
    r#"drop table channel_location"#,
    r#"drop table publishable_key"#,
    r#"drop table channel"#,
    r#"drop table region_payment_provider"#,
    r#"drop table region_country"#,
    r#"drop table region"#,
    r#"drop table location"#,
];
