//! Mail: what is sent and what became of it, texts that staff wrote, and where
//! links lead. A shop that is older gets no mail about what happened before.

pub const UP: &[&str] = &[
    r#"alter table channel add column link_paths {json}"#,
    r#"alter table channel add column mail_from text"#,
    r#"
create table notification (
    id {id} not null primary key,
    version integer not null,
    created_at {time} not null,
    updated_at {time} not null,
    template text not null,
    event_id {id} references event (id),
    channel_id {id} not null references channel (id),
    order_id {id} references "order" (id),
    fulfillment_id {id} references fulfillment (id),
    payment_id {id} references payment (id),
    amount_minor bigint,
    customer_id {id} references customer (id),
    staff_id {id} references staff (id),
    recipient text,
    locale text not null,
    state text not null,
    attempts integer not null,
    due_at {time},
    sent_at {time},
    message_id text,
    error text,
    resend_of {id} references notification (id),
    forget_copy boolean not null
)
"#,
    r#"create unique index notification_event on notification (event_id, template)"#,
    r#"create index notification_due on notification (due_at, id) where due_at is not null"#,
    r#"create index notification_created on notification (created_at, id)"#,
    r#"create index notification_state on notification (state, created_at, id)"#,
    r#"create index notification_order on notification (order_id, created_at, id)"#,
    r#"create index notification_customer on notification (customer_id, created_at, id)"#,
    r#"create index notification_resend on notification (resend_of)"#,
    r#"
create table notification_text (
    id {id} not null primary key,
    version integer not null,
    created_at {time} not null,
    updated_at {time} not null,
    template text not null,
    channel_id {id} references channel (id),
    locale text not null,
    subject text not null,
    text text not null,
    html text not null
)
"#,
    r#"create unique index notification_text_shop on notification_text (template, locale) where channel_id is null"#,
    r#"create unique index notification_text_channel on notification_text (template, locale, channel_id)
        where channel_id is not null"#,
    r#"insert into consumer (name, position) select 'notification', coalesce(max(position), 0) from event"#,
];

pub const DOWN: &[&str] = &[
    r#"delete from consumer where name = 'notification'"#,
    r#"drop table notification_text"#,
    r#"drop table notification"#,
    r#"alter table channel drop column mail_from"#,
    r#"alter table channel drop column link_paths"#,
];
