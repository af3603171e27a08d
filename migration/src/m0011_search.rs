//! The search index of products, its vocabulary, and what finds a word that
//! somebody mistyped.

/// Words come folded and taken apart: neither database is asked to do it.
pub const UP: &[&str] = &[
    r#"
create table search_word (
    word {folded} not null primary key,
    products bigint not null
)
"#,
    r#"
create table search_slip (
    piece {folded} not null,
    word {folded} not null,
    primary key (piece, word)
)
"#,
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
    // Nothing but the index is kept there: the texts stand in search_product.
    r#"{sqlite}
create virtual table search_index using fts5 (
    title, code, keyword, body,
    content = '', contentless_delete = 1, detail = column, tokenize = 'ascii', prefix = '1 2 3'
)
"#,
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

pub const DOWN: &[&str] = &[
    r#"{sqlite} drop table search_index"#,
    r#"drop table search_product"#,
    r#"drop table search_slip"#,
    r#"drop table search_word"#,
];
