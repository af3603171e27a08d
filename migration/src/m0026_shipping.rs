//! Shipping profiles, zones of areas smaller than a country, tables, rules and pickup.
//!
//! Columns that are added refer to other tables without saying so: SQLite could not drop them again.

pub const UP: &[&str] = &[
    r#"
create table shipping_profile (
    id {id} not null primary key,
    version integer not null,
    created_at {time} not null,
    updated_at {time} not null,
    deleted_at {time},
    handle text not null,
    name text not null,
    is_default boolean not null
)
"#,
    r#"create unique index shipping_profile_handle on shipping_profile (handle) where deleted_at is null"#,
    r#"create unique index shipping_profile_default on shipping_profile (is_default) where is_default"#,
    // Products and options that name no profile are of this one.
    r#"{sqlite}
insert into shipping_profile (id, version, created_at, updated_at, handle, name, is_default)
values (x'019b76da280070008000000000000001', 1, '2026-01-01T00:00:00+00:00', '2026-01-01T00:00:00+00:00',
    'default', 'Default', true)
"#,
    r#"{postgres}
insert into shipping_profile (id, version, created_at, updated_at, handle, name, is_default)
values ('019b76da-2800-7000-8000-000000000001', 1, '2026-01-01T00:00:00+00:00', '2026-01-01T00:00:00+00:00',
    'default', 'Default', true)
"#,
    r#"alter table service_zone add column version integer not null default 1"#,
    r#"alter table service_zone add column created_at {time} not null default '2026-01-01T00:00:00+00:00'"#,
    r#"alter table service_zone add column updated_at {time} not null default '2026-01-01T00:00:00+00:00'"#,
    r#"alter table service_zone add column deleted_at {time}"#,
    r#"alter table service_zone add column handle text not null default ''"#,
    // Until now each option had a zone of its own.
    r#"
update service_zone set
    handle = (select min(handle) from shipping_option where service_zone_id = service_zone.id),
    created_at = (select min(created_at) from shipping_option where service_zone_id = service_zone.id),
    updated_at = (select min(updated_at) from shipping_option where service_zone_id = service_zone.id)
where exists (select 1 from shipping_option where service_zone_id = service_zone.id)
"#,
    r#"create unique index service_zone_handle on service_zone (handle) where deleted_at is null"#,
    r#"alter table geo_zone rename to geo_zone_before"#,
    r#"
create table geo_zone (
    service_zone_id {id} not null references service_zone (id) on delete cascade,
    position integer not null,
    country text not null,
    province text,
    county text,
    city text,
    postal {json} not null,
    primary key (service_zone_id, position)
)
"#,
    r#"
insert into geo_zone (service_zone_id, position, country, postal)
select service_zone_id, row_number() over (partition by service_zone_id order by country) - 1, country,
    cast('[]' as {json})
from geo_zone_before
"#,
    r#"drop table geo_zone_before"#,
    r#"alter table shipping_option add column shipping_profile_id {id}"#,
    r#"alter table shipping_option add column description text"#,
    r#"alter table shipping_option add column kind text not null default 'FLAT'"#,
    r#"alter table shipping_option add column includes_tax boolean not null default false"#,
    r#"alter table shipping_option add column tables {json} not null default '[]'"#,
    r#"alter table shipping_option add column free_from {json} not null default '[]'"#,
    r#"alter table shipping_option add column rules {json} not null default '[]'"#,
    r#"alter table shipping_option add column pickup_location_id {id}"#,
    r#"
update shipping_option set includes_tax = true
where exists (select 1 from price where price.shipping_option_id = shipping_option.id and price.includes_tax)
"#,
    r#"alter table product add column shipping_profile_id {id}"#,
    r#"
create index product_shipping_profile on product (shipping_profile_id) where shipping_profile_id is not null
"#,
    r#"alter table location add column pickup boolean not null default false"#,
    r#"alter table location add column address {json}"#,
    r#"alter table cart_delivery add column shipping_profile_id {id}"#,
];

pub const DOWN: &[&str] = &[
    // What is offered to some alone would be offered to everybody by those who know no rules.
    r#"
update shipping_option set deleted_at = updated_at where deleted_at is null and (kind <> 'FLAT'
    or pickup_location_id is not null or cast(rules as text) <> '[]' or exists (
        select 1 from geo_zone where geo_zone.service_zone_id = shipping_option.service_zone_id
        and (geo_zone.province is not null or geo_zone.city is not null or cast(geo_zone.postal as text) <> '[]')))
"#,
    r#"alter table cart_delivery drop column shipping_profile_id"#,
    r#"alter table location drop column address"#,
    r#"alter table location drop column pickup"#,
    r#"drop index product_shipping_profile"#,
    r#"alter table product drop column shipping_profile_id"#,
    r#"alter table shipping_option drop column pickup_location_id"#,
    r#"alter table shipping_option drop column rules"#,
    r#"alter table shipping_option drop column free_from"#,
    r#"alter table shipping_option drop column tables"#,
    r#"alter table shipping_option drop column includes_tax"#,
    r#"alter table shipping_option drop column kind"#,
    r#"alter table shipping_option drop column description"#,
    r#"alter table shipping_option drop column shipping_profile_id"#,
    r#"alter table geo_zone rename to geo_zone_after"#,
    r#"
create table geo_zone (
    service_zone_id {id} not null references service_zone (id) on delete cascade,
    country text not null,
    primary key (service_zone_id, country)
)
"#,
    r#"insert into geo_zone (service_zone_id, country) select distinct service_zone_id, country from geo_zone_after"#,
    r#"drop table geo_zone_after"#,
    r#"drop index service_zone_handle"#,
    r#"alter table service_zone drop column handle"#,
    r#"alter table service_zone drop column deleted_at"#,
    r#"alter table service_zone drop column updated_at"#,
    r#"alter table service_zone drop column created_at"#,
    r#"alter table service_zone drop column version"#,
    r#"drop table shipping_profile"#,
];
