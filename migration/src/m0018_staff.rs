//! How far roles and keys reach, invitations, second factors, and log-ins that
//! are under way at an identity provider.

pub const UP: &[&str] = &[
    r#"alter table staff_role add column channels {json} not null default '[]'"#,
    r#"alter table staff_role add column locations {json} not null default '[]'"#,
    r#"alter table api_key add column channels {json} not null default '[]'"#,
    r#"alter table api_key add column locations {json} not null default '[]'"#,
    r#"alter table staff add column joined_at {time}"#,
    r#"update staff set joined_at = created_at"#,
    r#"alter table session add column second_factor boolean not null default false"#,
    r#"create index auth_identity_actor on auth_identity (actor_id)"#,
    r#"
create table second_factor (
    staff_id {id} not null primary key references staff (id),
    created_at {time} not null,
    confirmed_at {time},
    secret {bytes} not null,
    last_step bigint not null
)
"#,
    r#"
create table recovery_code (
    staff_id {id} not null references staff (id),
    hash {bytes} not null,
    used_at {time},
    primary key (staff_id, hash)
)
"#,
    r#"
create table oidc_login (
    state_hash {bytes} not null primary key,
    provider text not null,
    token_hash {bytes} not null,
    nonce text not null,
    verifier {bytes} not null,
    expires_at {time} not null
)
"#,
    r#"create index oidc_login_expires on oidc_login (expires_at)"#,
];

pub const DOWN: &[&str] = &[
    r#"drop table oidc_login"#,
    r#"drop table recovery_code"#,
    r#"drop table second_factor"#,
    r#"drop index auth_identity_actor"#,
    r#"alter table session drop column second_factor"#,
    r#"alter table staff drop column joined_at"#,
    r#"alter table api_key drop column locations"#,
    r#"alter table api_key drop column channels"#,
    r#"alter table staff_role drop column locations"#,
    r#"alter table staff_role drop column channels"#,
];
