//! Promotions, their campaigns, codes and uses; the codes of a cart, and what promotions took off an order's rows.
//! A cart may hold a variant twice: as bought, and as the gift of a promotion.

pub const UP: &[&str] = &[
    r#"
create table campaign (
    id {id} not null primary key,
    version integer not null,
    created_at {time} not null,
    updated_at {time} not null,
    deleted_at {time},
    title text not null,
    starts_at {time},
    ends_at {time},
    budget {json},
    uses bigint not null,
    check (uses >= 0)
)
"#,
    r#"
create table campaign_spending (
    campaign_id {id} not null references campaign (id),
    currency text not null,
    spent_minor bigint not null,
    primary key (campaign_id, currency),
    check (spent_minor >= 0)
)
"#,
    r#"
create table promotion (
    id {id} not null primary key,
    version integer not null,
    created_at {time} not null,
    updated_at {time} not null,
    deleted_at {time},
    title text not null,
    method text not null,
    status text not null,
    priority integer not null,
    starts_at {time},
    ends_at {time},
    campaign_id {id} references campaign (id),
    exclusive boolean not null,
    combines_with {json} not null,
    limit_in_all bigint,
    limit_per_customer bigint,
    limit_per_code bigint,
    conditions {json} not null,
    offer {json} not null,
    uses bigint not null,
    check (uses >= 0)
)
"#,
    r#"create index promotion_created on promotion (created_at, id)"#,
    r#"create index promotion_campaign on promotion (campaign_id)"#,
    r#"
create table promotion_code (
    id {id} not null primary key,
    created_at {time} not null,
    deleted_at {time},
    promotion_id {id} not null references promotion (id),
    code text not null,
    batch text,
    ends_at {time},
    uses bigint not null,
    check (uses >= 0)
)
"#,
    r#"create unique index promotion_code_code on promotion_code (code) where deleted_at is null"#,
    r#"create index promotion_code_promotion on promotion_code (promotion_id, created_at, id)"#,
    r#"create index promotion_code_id on promotion_code (promotion_id, id)"#,
    r#"create index promotion_code_batch on promotion_code (promotion_id, batch, id)"#,
    r#"
create table promotion_use (
    id {id} not null primary key,
    created_at {time} not null,
    updated_at {time} not null,
    promotion_id {id} not null references promotion (id),
    promotion_code_id {id} references promotion_code (id),
    campaign_id {id} references campaign (id),
    checkout_id {id} not null references checkout (id),
    order_id {id},
    customer_id {id} references customer (id),
    buyer text not null,
    currency text not null,
    amount_minor bigint not null,
    spent_minor bigint not null,
    state text not null
)
"#,
    r#"create index promotion_use_promotion on promotion_use (promotion_id, created_at)"#,
    r#"create index promotion_use_code on promotion_use (promotion_code_id)"#,
    r#"create index promotion_use_campaign on promotion_use (campaign_id)"#,
    r#"create index promotion_use_checkout on promotion_use (checkout_id)"#,
    r#"create index promotion_use_order on promotion_use (order_id)"#,
    r#"create index promotion_use_customer on promotion_use (customer_id, promotion_id)"#,
    r#"create index promotion_use_buyer on promotion_use (buyer, promotion_id)"#,
    r#"
create table cart_code (
    cart_id {id} not null references cart (id),
    position integer not null,
    code text not null,
    applied boolean not null,
    primary key (cart_id, position)
)
"#,
    r#"alter table cart add column codes integer not null default 0"#,
    r#"
create table line_adjustment (
    id {id} not null primary key,
    order_id {id} not null references "order" (id),
    order_line_id {id} references order_line (id),
    order_shipping_line_id {id} references order_shipping_line (id),
    position integer not null,
    promotion_id {id} not null references promotion (id),
    title text not null,
    code text,
    units bigint not null,
    of_minor bigint not null,
    amount_minor bigint not null,
    explanation {json} not null,
    check (amount_minor > 0),
    check (amount_minor <= of_minor)
)
"#,
    r#"create index line_adjustment_order on line_adjustment (order_id)"#,
    r#"create index line_adjustment_promotion on line_adjustment (promotion_id)"#,
    r#"alter table cart_line add column gift_of {id} references promotion (id)"#,
    r#"{postgres}alter table cart_line drop constraint cart_line_cart_id_variant_id_key"#,
    r#"{sqlite}
create table cart_line_new (
    id {id} not null primary key,
    cart_id {id} not null references cart (id),
    position integer not null,
    variant_id {id} not null references variant (id),
    quantity integer not null,
    price_id {id},
    unit_price_minor bigint not null,
    includes_tax boolean not null,
    currency text,
    custom_price boolean not null default false,
    gift_of {id} references promotion (id),
    check (quantity > 0)
)
"#,
    r#"{sqlite}
insert into cart_line_new select id, cart_id, position, variant_id, quantity, price_id, unit_price_minor, includes_tax,
    currency, custom_price, gift_of from cart_line
"#,
    r#"{sqlite}drop table cart_line"#,
    r#"{sqlite}alter table cart_line_new rename to cart_line"#,
    r#"create unique index cart_line_variant on cart_line (cart_id, variant_id) where gift_of is null"#,
    r#"create unique index cart_line_gift on cart_line (cart_id, variant_id, gift_of) where gift_of is not null"#,
];

pub const DOWN: &[&str] = &[
    r#"delete from cart_line where gift_of is not null"#,
    r#"drop index cart_line_gift"#,
    r#"drop index cart_line_variant"#,
    r#"{postgres}alter table cart_line drop column gift_of"#,
    r#"{postgres}alter table cart_line add constraint cart_line_cart_id_variant_id_key unique (cart_id, variant_id)"#,
    r#"{sqlite}
create table cart_line_old (
    id {id} not null primary key,
    cart_id {id} not null references cart (id),
    position integer not null,
    variant_id {id} not null references variant (id),
    quantity integer not null,
    price_id {id},
    unit_price_minor bigint not null,
    includes_tax boolean not null,
    currency text,
    custom_price boolean not null default false,
    check (quantity > 0),
    unique (cart_id, variant_id)
)
"#,
    r#"{sqlite}
insert into cart_line_old select id, cart_id, position, variant_id, quantity, price_id, unit_price_minor, includes_tax,
    currency, custom_price from cart_line
"#,
    r#"{sqlite}drop table cart_line"#,
    r#"{sqlite}alter table cart_line_old rename to cart_line"#,
    r#"drop table line_adjustment"#,
    r#"alter table cart drop column codes"#,
    r#"drop table cart_code"#,
    r#"drop table promotion_use"#,
    r#"drop table promotion_code"#,
    r#"drop table promotion"#,
    r#"drop table campaign_spending"#,
    r#"drop table campaign"#,
];
