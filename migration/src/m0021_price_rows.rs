//! A row of prices for every product in every channel and region, also where it
//! is not for sale: staff's list by price walks along it as shoppers' does.

pub const UP: &[&str] = &[
    r#"alter table listing_price add column listed boolean not null default true"#,
    r#"
insert into listing_price (product_id, channel_id, region_id, currency, min_minor, max_minor, key_minor, listed)
select product.id, channel.id, region.id, region.currency,
    min(price.amount_minor), max(price.amount_minor), coalesce(min(price.amount_minor), 9007199254740991), false
from product
join channel on channel.deleted_at is null
join region on region.deleted_at is null
left join variant on variant.product_id = product.id and variant.deleted_at is null
left join price on price.variant_id = variant.id and price.currency = region.currency and price.rule_count = 0
    and (price.min_quantity is null or price.min_quantity <= 1)
where product.deleted_at is null and not exists (
    select 1 from listing_price as known where known.product_id = product.id
    and known.channel_id = channel.id and known.region_id = region.id)
group by product.id, channel.id, region.id, region.currency
"#,
    // What is for sale, so that a channel of few products doesn't walk past those of all others.
    r#"
create index listing_price_listed on listing_price (channel_id, region_id, key_minor, product_id) where listed
"#,
];

pub const DOWN: &[&str] = &[
    r#"drop index listing_price_listed"#,
    r#"delete from listing_price where not listed"#,
    r#"alter table listing_price drop column listed"#,
];
