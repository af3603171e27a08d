//! A subtotal in a rule of a shipping option has a currency. A rule that named none is taken to mean that of the
//! oldest region.

pub const UP: &[&str] = &[
    r#"{sqlite}
update shipping_option set rules = replace(rules, '"attribute":"subtotal"',
    '"attribute":"subtotal.' || (select currency from region order by id limit 1) || '"')
where rules like '%"attribute":"subtotal"%' and exists (select 1 from region)
"#,
    r#"{postgres}
update shipping_option set rules = cast(replace(cast(rules as text), '"attribute": "subtotal"',
    '"attribute": "subtotal.' || (select currency from region order by id limit 1) || '"') as jsonb)
where cast(rules as text) like '%"attribute": "subtotal"%' and exists (select 1 from region)
"#,
];

pub const DOWN: &[&str] = &[
    r#"{sqlite}
update shipping_option set rules = replace(rules,
    '"attribute":"subtotal.' || (select currency from region order by id limit 1) || '"', '"attribute":"subtotal"')
where rules like '%"attribute":"subtotal.%' and exists (select 1 from region)
"#,
    r#"{postgres}
update shipping_option set rules = cast(replace(cast(rules as text),
    '"attribute": "subtotal.' || (select currency from region order by id limit 1) || '"',
    '"attribute": "subtotal"') as jsonb)
where cast(rules as text) like '%"attribute": "subtotal.%' and exists (select 1 from region)
"#,
];
