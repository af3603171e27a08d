//! Media as files of the shop, and permissions to upload them.

pub const UP: &[&str] = &[
    r#"alter table media add column version integer not null default 1"#,
    r#"alter table media add column updated_at {time} not null default '1970-01-01 00:00:00+00:00'"#,
    r#"update media set updated_at = created_at"#,
    r#"alter table media add column deleted_at {time}"#,
    r#"alter table media add column file_hash text"#,
    r#"alter table media add column file_type text"#,
    r#"alter table media add column file_size bigint"#,
    r#"alter table media add column filename text"#,
    r#"alter table media add column width integer"#,
    r#"alter table media add column height integer"#,
    r#"alter table media add column focal_x integer"#,
    r#"alter table media add column focal_y integer"#,
    r#"create index media_newest on media (created_at, id)"#,
    r#"create index media_file on media (file_hash)"#,
    r#"create index product_media_media on product_media (media_id)"#,
    r#"create index variant_media_media on variant_media (media_id)"#,
    r#"
create table staged_upload (
    id {id} not null primary key,
    created_at {time} not null,
    expires_at {time} not null,
    actor text not null,
    token_hash {bytes} not null unique,
    filename text not null,
    file_type text not null,
    file_size bigint not null,
    taken_at {time},
    file_hash text,
    width integer,
    height integer,
    media_id {id} references media (id)
)
"#,
    r#"create index staged_upload_expiry on staged_upload (expires_at)"#,
    r#"create index staged_upload_file on staged_upload (file_hash)"#,
    r#"create index staged_upload_actor on staged_upload (actor)"#,
];

pub const DOWN: &[&str] = &[
    r#"drop table staged_upload"#,
    r#"drop index variant_media_media"#,
    r#"drop index product_media_media"#,
    r#"drop index media_file"#,
    r#"drop index media_newest"#,
    r#"alter table media drop column focal_y"#,
    r#"alter table media drop column focal_x"#,
    r#"alter table media drop column height"#,
    r#"alter table media drop column width"#,
    r#"alter table media drop column filename"#,
    r#"alter table media drop column file_size"#,
    r#"alter table media drop column file_type"#,
    r#"alter table media drop column file_hash"#,
    r#"alter table media drop column deleted_at"#,
    r#"alter table media drop column updated_at"#,
    r#"alter table media drop column version"#,
];
