//! The merchant's legal texts, for the whole shop and for channels.

pub const UP: &[&str] = &[
    r#"
create table policy (
    id {id} not null primary key,
    version integer not null,
    created_at {time} not null,
    updated_at {time} not null,
    deleted_at {time},
    kind text not null,
    channel_id {id} references channel (id),
    title text not null,
    body_html text not null
)
"#,
    r#"create unique index policy_shop on policy (kind) where channel_id is null and deleted_at is null"#,
    r#"create unique index policy_channel on policy (kind, channel_id)
        where channel_id is not null and deleted_at is null"#,
];

pub const DOWN: &[&str] = &[r#"drop table policy"#];
