//! Lists of products that are walked along an index, and a search index for
//! each language.

pub const UP: &[&str] = &[
    r#"alter table product drop column search_text"#,
    // The place of a product in a list that staff ordered, ties and all.
    r#"drop index collection_product_rank"#,
    r#"create index collection_product_rank on collection_product (collection_id, rank, product_id)"#,
    // What has no price has a row too: it comes last and is found without looking for what is not there.
    r#"drop table listing_price"#,
    r#"
create table listing_price (
    product_id {id} not null references product (id),
    channel_id {id} not null references channel (id),
    region_id {id} not null references region (id),
    currency text not null,
    min_minor bigint,
    max_minor bigint,
    key_minor bigint not null,
    primary key (product_id, channel_id, region_id)
)
"#,
    r#"create index listing_price_order on listing_price (channel_id, region_id, key_minor, product_id)"#,
    r#"
insert into listing_price (product_id, channel_id, region_id, currency, min_minor, max_minor, key_minor)
select product.id, product_channel.channel_id, region.id, region.currency,
    min(price.amount_minor), max(price.amount_minor), coalesce(min(price.amount_minor), 9007199254740991)
from product
join product_channel on product_channel.product_id = product.id
join region on region.deleted_at is null
left join variant on variant.product_id = product.id and variant.deleted_at is null
left join price on price.variant_id = variant.id and price.currency = region.currency and price.rule_count = 0
    and (price.min_quantity is null or price.min_quantity <= 1)
where product.deleted_at is null
group by product.id, product_channel.channel_id, region.id, region.currency
"#,
    // The index is built anew when the shop opens.
    r#"delete from search_slip"#,
    r#"delete from search_word"#,
    r#"drop table search_product"#,
    r#"{sqlite} drop table search_index"#,
    r#"{sqlite}
create table search_product (
    number integer primary key,
    product_id blob not null references product (id),
    locale text not null,
    title text not null,
    code text not null,
    keyword text not null,
    body text not null,
    unique (product_id, locale)
)
"#,
    SEARCH_INDEX,
    r#"{postgres}
create table search_product (
    product_id uuid not null references product (id),
    locale text not null,
    title text not null,
    code text not null,
    keyword text not null,
    body text not null,
    document tsvector not null,
    primary key (product_id, locale)
)
"#,
    r#"{postgres} create index search_product_document on search_product using gin (document)"#,
];

const SEARCH_INDEX: &str = r#"{sqlite}
create virtual table search_index using fts5 (
    title, code, keyword, body,
    content = '', contentless_delete = 1, detail = column, tokenize = 'ascii', prefix = '1 2 3'
)
"#;

pub const DOWN: &[&str] = &[
    r#"delete from search_slip"#,
    r#"delete from search_word"#,
    r#"drop table search_product"#,
    r#"drop table listing_price"#,
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
    r#"
insert into listing_price (product_id, channel_id, region_id, currency, min_minor, max_minor)
select product.id, product_channel.channel_id, region.id, region.currency,
    min(price.amount_minor), max(price.amount_minor)
from product
join product_channel on product_channel.product_id = product.id
join variant on variant.product_id = product.id and variant.deleted_at is null
join price on price.variant_id = variant.id and price.rule_count = 0
    and (price.min_quantity is null or price.min_quantity <= 1)
join region on region.currency = price.currency and region.deleted_at is null
where product.deleted_at is null
group by product.id, product_channel.channel_id, region.id, region.currency
"#,
    r#"drop index collection_product_rank"#,
    r#"create index collection_product_rank on collection_product (collection_id, rank)"#,
    r#"alter table product add column search_text {folded} not null default ''"#,
    r#"{sqlite} drop table search_index"#,
    r#"{sqlite}
create table search_product (
    number integer primary key,
    product_id blob not null unique references product (id),
    title text not null,
    code text not null,
    keyword text not null,
    body text not null
)
"#,
    SEARCH_INDEX,
    r#"{postgres}
create table search_product (
    product_id uuid not null primary key references product (id),
    title text not null,
    code text not null,
    keyword text not null,
    body text not null,
    document tsvector not null
)
"#,
    r#"{postgres} create index search_product_document on search_product using gin (document)"#,
];
