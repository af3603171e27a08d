//! Tax regions as a tree of areas, rates as overrides, who owes no tax, and why a tax was levied.
//!
//! SQLite can't take back that a country stands once: the two tables are written anew.

pub const UP: &[&str] = &[
    r#"
create table tax_region_tree (
    id {id} not null primary key,
    version integer not null,
    created_at {time} not null,
    updated_at {time} not null,
    parent_id {id} references tax_region_tree (id),
    country text not null,
    province text,
    county text,
    city text,
    postal {json} not null,
    reverse_charge boolean not null
)
"#,
    r#"
insert into tax_region_tree (id, version, created_at, updated_at, country, postal, reverse_charge)
select id, version, created_at, updated_at, country, cast('[]' as {json}), false from tax_region
"#,
    r#"
create table tax_rate_tree (
    id {id} not null primary key,
    version integer not null,
    created_at {time} not null,
    updated_at {time} not null,
    tax_region_id {id} not null references tax_region_tree (id),
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
insert into tax_rate_tree
    (id, version, created_at, updated_at, tax_region_id, code, name, rate_ppm, is_default, combinable)
select id, version, created_at, updated_at, tax_region_id, code, name, rate_ppm, is_default, combinable from tax_rate
"#,
    r#"drop table tax_rate"#,
    r#"drop table tax_region"#,
    r#"alter table tax_region_tree rename to tax_region"#,
    r#"alter table tax_rate_tree rename to tax_rate"#,
    r#"create unique index tax_region_country on tax_region (country) where parent_id is null"#,
    r#"create index tax_region_parent on tax_region (parent_id)"#,
    r#"create unique index tax_rate_default on tax_rate (tax_region_id) where is_default"#,
    r#"
create table tax_rate_target (
    tax_rate_id {id} not null references tax_rate (id) on delete cascade,
    target_id {id} not null,
    kind text not null,
    primary key (tax_rate_id, target_id)
)
"#,
    r#"alter table customer add column tax_exempt boolean not null default false"#,
    r#"alter table customer add column tax_number text"#,
    r#"alter table customer_group add column tax_exempt boolean not null default false"#,
    r#"alter table cart add column tax_number text"#,
    r#"alter table "order" add column tax_number text"#,
    r#"alter table "order" add column tax_exemption text"#,
    r#"alter table line_tax add column explanation {json}"#,
];

pub const DOWN: &[&str] = &[
    r#"alter table line_tax drop column explanation"#,
    r#"alter table "order" drop column tax_exemption"#,
    r#"alter table "order" drop column tax_number"#,
    r#"alter table cart drop column tax_number"#,
    r#"alter table customer_group drop column tax_exempt"#,
    r#"alter table customer drop column tax_number"#,
    r#"alter table customer drop column tax_exempt"#,
    r#"drop table tax_rate_target"#,
    r#"
create table tax_region_flat (
    id {id} not null primary key,
    version integer not null,
    created_at {time} not null,
    updated_at {time} not null,
    country text not null unique
)
"#,
    r#"
insert into tax_region_flat (id, version, created_at, updated_at, country)
select id, version, created_at, updated_at, country from tax_region where parent_id is null
"#,
    r#"
create table tax_rate_flat (
    id {id} not null primary key,
    version integer not null,
    created_at {time} not null,
    updated_at {time} not null,
    tax_region_id {id} not null references tax_region_flat (id),
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
insert into tax_rate_flat
    (id, version, created_at, updated_at, tax_region_id, code, name, rate_ppm, is_default, combinable)
select id, version, created_at, updated_at, tax_region_id, code, name, rate_ppm, is_default, combinable from tax_rate
where is_default and tax_region_id in (select id from tax_region_flat)
"#,
    r#"drop table tax_rate"#,
    r#"drop table tax_region"#,
    r#"alter table tax_region_flat rename to tax_region"#,
    r#"alter table tax_rate_flat rename to tax_rate"#,
];
