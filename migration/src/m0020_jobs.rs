//! Work that takes longer than a request, and by which variants an item is taken.

pub const UP: &[&str] = &[
    r#"
create table job (
    id {id} not null primary key,
    version integer not null,
    created_at {time} not null,
    updated_at {time} not null,
    kind text not null,
    state text not null,
    step text not null,
    actor text not null,
    fingerprint text not null,
    input {json} not null,
    file_hash text,
    dry_run boolean not null,
    done bigint not null,
    total bigint,
    created bigint not null,
    changed bigint not null,
    unchanged bigint not null,
    refused bigint not null,
    errors {json} not null,
    error_count bigint not null,
    failure text,
    cancel_requested boolean not null,
    attempts integer not null,
    run_at {time} not null,
    lease_owner text,
    lease_until {time},
    paced_at {time},
    paced_from bigint not null,
    told_at {time},
    started_at {time},
    finished_at {time}
)
"#,
    r#"create index job_newest on job (created_at, id)"#,
    r#"create index job_open on job (run_at) where state in ('QUEUED', 'RUNNING')"#,
    r#"create index job_fingerprint on job (fingerprint)"#,
    r#"create index job_file on job (file_hash)"#,
    // What an item is taken by.
    r#"create index variant_item_item on variant_item (item_id)"#,
];

pub const DOWN: &[&str] = &[r#"drop index variant_item_item"#, r#"drop table job"#];
