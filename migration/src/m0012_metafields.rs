//! Metafields: what they may be, what they hold, and the keys by which they are looked up.

pub const UP: &[&str] = &[
    r#"
create table metafield_definition (
    id {id} not null primary key,
    version integer not null,
    created_at {time} not null,
    updated_at {time} not null,
    owner_type text not null,
    namespace text not null,
    key text not null,
    name text not null,
    description text,
    kind text not null,
    validations {json} not null,
    store_access text not null,
    filterable boolean not null,
    unique (owner_type, namespace, key)
)
"#,
    r#"
create table metafield (
    id {id} not null primary key,
    created_at {time} not null,
    updated_at {time} not null,
    definition_id {id} not null references metafield_definition (id),
    owner_id {id} not null,
    value text not null,
    unique (owner_id, definition_id)
)
"#,
    r#"create index metafield_definition_id on metafield (definition_id, owner_id)"#,
    r#"
create table metafield_value (
    definition_id {id} not null references metafield_definition (id),
    owner_id {id} not null,
    position integer not null,
    text_value {folded},
    number_value bigint,
    primary key (owner_id, definition_id, position)
)
"#,
    r#"create index metafield_value_text on metafield_value (definition_id, text_value, owner_id)"#,
    r#"create index metafield_value_number on metafield_value (definition_id, number_value, owner_id)"#,
];

pub const DOWN: &[&str] =
    &[r#"drop table metafield_value"#, r#"drop table metafield"#, r#"drop table metafield_definition"#];
