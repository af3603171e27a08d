//! Collections and categories.

pub const UP: &[&str] = &[
    r#"
create table collection (
    id {id} not null primary key,
    version integer not null,
    created_at {time} not null,
    updated_at {time} not null,
    deleted_at {time},
    handle text not null,
    kind text not null,
    title text not null,
    title_fold {folded} not null,
    description_html text not null,
    seo_title text,
    seo_description text,
    media_id {id} references media (id),
    rule {json}
)
"#,
    r#"create unique index collection_handle on collection (handle) where deleted_at is null"#,
    r#"create index collection_title on collection (title_fold, id)"#,
    r#"create index collection_newest on collection (created_at, id)"#,
    r#"
create table collection_channel (
    collection_id {id} not null references collection (id),
    channel_id {id} not null references channel (id),
    published_at {time} not null,
    primary key (collection_id, channel_id)
)
"#,
    r#"
create table collection_product (
    collection_id {id} not null references collection (id),
    product_id {id} not null references product (id),
    rank bigint not null,
    primary key (collection_id, product_id)
)
"#,
    r#"create index collection_product_rank on collection_product (collection_id, rank)"#,
    r#"create index collection_product_product on collection_product (product_id)"#,
    r#"
create table category (
    id {id} not null primary key,
    version integer not null,
    created_at {time} not null,
    updated_at {time} not null,
    deleted_at {time},
    handle text not null,
    parent_id {id} references category (id),
    path {folded} not null,
    rank bigint not null,
    active boolean not null,
    title text not null,
    title_fold {folded} not null,
    description_html text not null,
    seo_title text,
    seo_description text
)
"#,
    r#"create unique index category_handle on category (handle) where deleted_at is null"#,
    r#"create index category_path on category (path)"#,
    r#"create index category_parent on category (parent_id, rank, id)"#,
    r#"create index category_inactive on category (path) where not active"#,
    r#"
create table product_category (
    product_id {id} not null references product (id),
    category_id {id} not null references category (id),
    rank bigint not null,
    primary key (product_id, category_id)
)
"#,
    r#"create index product_category_category on product_category (category_id)"#,
];

pub const DOWN: &[&str] = &[
    r#"drop table product_category"#,
    r#"drop table category"#,
    r#"drop table collection_product"#,
    r#"drop table collection_channel"#,
    r#"drop table collection"#,
];
