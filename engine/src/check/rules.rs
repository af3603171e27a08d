//! What a statement can tell to be broken. Each selects the broken rows alone: the id of the row, another id beside it
//! or itself again, and two numbers, what is there and what should be. `{due}` stands for the moment before which everything
//! that was due should be done.

use domain::id::{
    CampaignId, CartId, CheckoutId, CollectionId, CustomerId, EventId, FlowId, InventoryItemId, LedgerAccountId,
    LocationId, OrderId, OrderLineId, OrderShippingLineId, PaymentId, ProductId, PromotionCodeId, PromotionId,
    PromotionUseId, ReservationId, ServiceZoneId,
};
use uuid::Uuid;

/// How a row is named, out of its id and the other one.
pub type Name = fn(Uuid, Uuid) -> String;

/// A rule and the statement that finds what breaks it.
#[derive(Debug)]
pub struct Rule {
    /// What should be true.
    pub says: &'static str,
    /// How a row is named.
    pub name: Name,
    /// Selects `id`, `other`, `found`, `expected` of what breaks it.
    pub sql: &'static str,
}

fn level(item: Uuid, location: Uuid) -> String {
    format!("{} at {}", InventoryItemId(item), LocationId(location))
}

/// Every rule.
pub const RULES: &[Rule] = &[
    Rule {
        says: "what is on a gift card or store credit is the sum of its entries",
        name: |id, _| LedgerAccountId(id).to_string(),
        sql: "select account.id as id, account.id as other, account.balance_minor as found,
                coalesce(moved.amount, 0) as expected
            from ledger_account account left join (select account_id, cast(sum(amount_minor) as bigint) as amount
                from ledger_entry group by account_id) moved on moved.account_id = account.id
            where account.balance_minor <> coalesce(moved.amount, 0)",
    },
    Rule {
        says: "gift cards and store credit gave to a checkout what its payments say, and nothing to one that was called off",
        name: |id, _| CheckoutId(id).to_string(),
        sql: "select checkout.id as id, checkout.id as other, coalesce(moved.amount, 0) as found,
                coalesce(paid.amount, 0) as expected
            from checkout
            left join (select checkout_id, cast(sum(amount_minor) as bigint) as amount from ledger_entry
                where checkout_id is not null group by checkout_id) moved on moved.checkout_id = checkout.id
            left join (select payment.checkout_id, cast(sum(case entry.kind when 'REFUND' then entry.amount_minor
                        else -entry.amount_minor end) as bigint) as amount
                from payment join payment_entry entry on entry.payment_id = payment.id and entry.state = 'SUCCEEDED'
                where (payment.provider in ('gift_card', 'store_credit') and entry.kind in ('CAPTURE', 'REFUND'))
                    or (entry.kind = 'REFUND' and entry.cause = 'store_credit')
                group by payment.checkout_id) paid on paid.checkout_id = checkout.id
            where checkout.state in ('PLACED', 'ABANDONED') and coalesce(moved.amount, 0) <> coalesce(paid.amount, 0)",
    },
    Rule {
        says: "a provider is to forget every customer who is erased",
        name: |id, _| CustomerId(id).to_string(),
        sql: "select customer.id as id, customer.id as other, 1 as found, 0 as expected from payment_customer
            join customer on customer.id = payment_customer.customer_id
            where customer.deleted_at is not null and payment_customer.forget_at is null",
    },
    Rule {
        says: "the checkouts of an erased cart name no saved payment method",
        name: |id, other| format!("{} of {}", CheckoutId(id), CartId(other)),
        sql: "select checkout.id as id, cart.id as other, 1 as found, 0 as expected from checkout
            join cart on cart.id = checkout.cart_id
            where cart.erased_at is not null and checkout.saved_method is not null",
    },
    Rule {
        says: "what is reserved of a level is the sum of its reservations",
        name: level,
        sql: "select level.item_id as id, level.location_id as other, level.reserved as found,
                coalesce(promised.quantity, 0) as expected
            from stock_level level left join (select item_id, location_id, sum(quantity) as quantity
                from reservation group by item_id, location_id) promised
                on promised.item_id = level.item_id and promised.location_id = level.location_id
            where level.reserved <> coalesce(promised.quantity, 0)",
    },
    Rule {
        says: "what is stocked at a level is the sum of its movements",
        name: level,
        sql: "select level.item_id as id, level.location_id as other, level.stocked as found,
                coalesce(moved.delta, 0) as expected
            from stock_level level left join (select item_id, location_id, sum(delta) as delta
                from stock_movement where counted = 'STOCKED' group by item_id, location_id) moved
                on moved.item_id = level.item_id and moved.location_id = level.location_id
            where level.stocked <> coalesce(moved.delta, 0)",
    },
    Rule {
        says: "what is on its way to a level is the sum of its movements",
        name: level,
        sql: "select level.item_id as id, level.location_id as other, level.incoming as found,
                coalesce(moved.delta, 0) as expected
            from stock_level level left join (select item_id, location_id, sum(delta) as delta
                from stock_movement where counted = 'INCOMING' group by item_id, location_id) moved
                on moved.item_id = level.item_id and moved.location_id = level.location_id
            where level.incoming <> coalesce(moved.delta, 0)",
    },
    Rule {
        says: "no more is promised to those who may not wait than there is",
        name: level,
        sql: "select level.item_id as id, level.location_id as other, firm.quantity as found, level.stocked as expected
            from stock_level level join (select item_id, location_id, sum(quantity) as quantity
                from reservation where not may_wait group by item_id, location_id) firm
                on firm.item_id = level.item_id and firm.location_id = level.location_id
            where firm.quantity > level.stocked",
    },
    Rule {
        says: "what is promised or moved has a level",
        name: level,
        sql: "select item_id as id, location_id as other, count(*) as found, 0 as expected from (
                select item_id, location_id from reservation union all
                select item_id, location_id from stock_movement) as used
            where not exists (select 1 from stock_level where stock_level.item_id = used.item_id
                and stock_level.location_id = used.location_id)
            group by item_id, location_id",
    },
    Rule {
        says: "a checkout that was placed has its order, and no other has one",
        name: |id, _| CheckoutId(id).to_string(),
        sql: "select checkout.id as id, checkout.id as other,
                case when checkout.state = 'PLACED' then 0 else 1 end as found,
                case when checkout.state = 'PLACED' then 1 else 0 end as expected
            from checkout left join \"order\" on \"order\".checkout_id = checkout.id
            where (checkout.state = 'PLACED') <> (\"order\".id is not null)
                or (checkout.order_id is null) <> (\"order\".id is null)",
    },
    Rule {
        says: "a cart is completing while a checkout of it is open, and completed once one was placed",
        name: |id, _| CartId(id).to_string(),
        sql: "select cart.id as id, cart.id as other, coalesce(open.count, 0) as found,
                case when cart.state = 'COMPLETING' then 1 else 0 end as expected
            from cart left join (select cart_id, count(*) as count from checkout
                where state in ('PENDING', 'REQUIRES_ACTION') group by cart_id) open on open.cart_id = cart.id
            left join (select cart_id, count(*) as count from checkout where state = 'PLACED' group by cart_id) placed
                on placed.cart_id = cart.id
            where coalesce(open.count, 0) <> case when cart.state = 'COMPLETING' then 1 else 0 end
                or coalesce(placed.count, 0) <> case when cart.state = 'COMPLETED' then 1 else 0 end",
    },
    Rule {
        says: "what a checkout that was given up promised is free again",
        name: |id, _| ReservationId(id).to_string(),
        sql: "select reservation.id as id, reservation.id as other, reservation.quantity as found, 0 as expected
            from reservation join checkout on checkout.id = reservation.checkout_id where checkout.state = 'ABANDONED'",
    },
    Rule {
        says: "an order that costs something has a payment over it",
        name: |id, _| OrderId(id).to_string(),
        sql: "select \"order\".id as id, \"order\".id as other, coalesce(paid.amount, 0) as found, \"order\".total_minor as expected
            from \"order\" left join (select order_id, sum(amount_minor) as amount from payment group by order_id) paid
                on paid.order_id = \"order\".id
            where \"order\".total_minor > coalesce(paid.amount, 0)",
    },
    Rule {
        says: "no more of a payment is taken than was promised, nor given back than was taken",
        name: |id, _| PaymentId(id).to_string(),
        sql: "select payment_id as id, payment_id as other, taken as found, promised as expected from (
                select payment_id,
                    sum(case when kind = 'AUTHORIZE' then amount_minor else 0 end) as promised,
                    sum(case when kind = 'CAPTURE' then amount_minor else 0 end) as taken,
                    sum(case when kind = 'REFUND' then amount_minor when kind = 'REVERSAL' then -amount_minor else 0 end)
                        as given
                from payment_entry where state = 'SUCCEEDED' group by payment_id) as ledger
            where taken > promised or given > taken or given < 0",
    },
    Rule {
        says: "the lines and deliveries of an order come to its total",
        name: |id, _| OrderId(id).to_string(),
        sql: "select \"order\".id as id, \"order\".id as other, \"order\".total_minor as found,
                coalesce(lines.total, 0) + coalesce(sent.total, 0) as expected
            from \"order\" left join (select order_id, sum(total_minor) as total, sum(tax_minor) as tax
                from order_line group by order_id) lines on lines.order_id = \"order\".id
            left join (select order_id, sum(total_minor) as total, sum(tax_minor) as tax
                from order_shipping_line group by order_id) sent on sent.order_id = \"order\".id
            where \"order\".total_minor <> coalesce(lines.total, 0) + coalesce(sent.total, 0)
                or \"order\".tax_minor <> coalesce(lines.tax, 0) + coalesce(sent.tax, 0)",
    },
    Rule {
        says: "the taxes of an order's rows come to its tax",
        name: |id, _| OrderId(id).to_string(),
        sql: "select \"order\".id as id, \"order\".id as other, \"order\".tax_minor as found, coalesce(taxes.tax, 0) as expected
            from \"order\" left join (select order_id, sum(tax_minor) as tax from line_tax group by order_id) taxes
                on taxes.order_id = \"order\".id
            where \"order\".tax_minor <> coalesce(taxes.tax, 0)",
    },
    Rule {
        says: "every order has a number",
        name: |id, _| OrderId(id).to_string(),
        sql: "select id, id as other, 0 as found, 1 as expected from \"order\" where number is null",
    },
    Rule {
        says: "order numbers have no holes",
        name: |id, _| OrderId(id).to_string(),
        sql: "select id, id as other, number as found, before + 1 as expected from (
                select id, number, lag(number) over (order by number) as before from \"order\"
                where number is not null) as numbered
            where before is not null and number <> before + 1",
    },
    Rule {
        says: "the sequence of a history begins with 1 and has no holes",
        name: |id, _| id.to_string(),
        sql: "select aggregate_id as id, aggregate_id as other, count(*) as found, max(sequence) as expected
            from event group by aggregate_type, aggregate_id
            having count(*) <> max(sequence) or min(sequence) <> 1",
    },
    Rule {
        says: "the positions of the log have no holes",
        name: |id, _| EventId(id).to_string(),
        sql: "select id, id as other, position as found, before + 1 as expected from (
                select id, position, lag(position) over (order by position) as before from event
                where position is not null) as placed
            where before is not null and position <> before + 1",
    },
    Rule {
        says: "the next order number follows the last one",
        name: |id, _| OrderId(id).to_string(),
        sql: "select last.id as id, last.id as other, counter.value as found, last.number as expected
            from counter join \"order\" as last on last.number = (select max(number) from \"order\")
            where counter.name = 'order_number' and counter.value <> last.number",
    },
    Rule {
        says: "nobody has read further in the log than it goes",
        name: |id, _| EventId(id).to_string(),
        sql: "select last.id as id, last.id as other, consumer.position as found, last.position as expected
            from consumer join event as last on last.position = (select max(position) from event)
            where consumer.position > last.position",
    },
    Rule {
        says: "the options of a product stand in places from 0 without holes",
        name: |id, _| ProductId(id).to_string(),
        sql: "select product_id as id, product_id as other, count(distinct rank) as found, max(rank) + 1 as expected
            from product_option group by product_id
            having count(*) <> count(distinct rank) or min(rank) <> 0 or max(rank) + 1 <> count(*)",
    },
    Rule {
        says: "the tags of a product stand in places from 0 without holes",
        name: |id, _| ProductId(id).to_string(),
        sql: "select product_id as id, product_id as other, count(distinct rank) as found, max(rank) + 1 as expected
            from product_tag group by product_id
            having count(*) <> count(distinct rank) or min(rank) <> 0 or max(rank) + 1 <> count(*)",
    },
    Rule {
        says: "the areas of a service zone stand in places from 0 without holes",
        name: |id, _| ServiceZoneId(id).to_string(),
        sql: "select service_zone_id as id, service_zone_id as other, count(*) as found, max(position) + 1 as expected
            from geo_zone group by service_zone_id having min(position) <> 0 or max(position) + 1 <> count(*)",
    },
    Rule {
        says: "each product of a collection stands in a place of its own",
        name: |id, _| CollectionId(id).to_string(),
        sql: "select collection_id as id, collection_id as other, count(distinct rank) as found, count(*) as expected
            from collection_product group by collection_id having count(*) <> count(distinct rank)",
    },
    Rule {
        says: "each line of a cart stands in a place of its own",
        name: |id, _| CartId(id).to_string(),
        sql: "select cart_id as id, cart_id as other, count(distinct position) as found, count(*) as expected
            from cart_line group by cart_id having count(*) <> count(distinct position)",
    },
    Rule {
        says: "what promotions took off a line of an order is its discount",
        name: |id, _| OrderLineId(id).to_string(),
        sql: "select order_line.id as id, order_line.id as other, order_line.discount_minor as found,
                coalesce(taken.amount, 0) as expected
            from order_line left join (select order_line_id, sum(amount_minor) as amount from line_adjustment
                group by order_line_id) taken on taken.order_line_id = order_line.id
            where order_line.discount_minor <> coalesce(taken.amount, 0)",
    },
    Rule {
        says: "what promotions took off a delivery of an order is its discount",
        name: |id, _| OrderShippingLineId(id).to_string(),
        sql: "select sent.id as id, sent.id as other, sent.discount_minor as found, coalesce(taken.amount, 0) as expected
            from order_shipping_line sent left join (select order_shipping_line_id, sum(amount_minor) as amount
                from line_adjustment group by order_shipping_line_id) taken on taken.order_shipping_line_id = sent.id
            where sent.discount_minor <> coalesce(taken.amount, 0)",
    },
    Rule {
        says: "a promotion was used as often as its uses say",
        name: |id, _| PromotionId(id).to_string(),
        sql: "select promotion.id as id, promotion.id as other, promotion.uses as found, coalesce(used.count, 0) as expected
            from promotion left join (select promotion_id, count(*) as count from promotion_use
                where state <> 'RELEASED' group by promotion_id) used on used.promotion_id = promotion.id
            where promotion.uses <> coalesce(used.count, 0)",
    },
    Rule {
        says: "a code was used as often as the uses of its promotion say",
        name: |id, _| PromotionCodeId(id).to_string(),
        sql: "select code.id as id, code.id as other, code.uses as found, coalesce(used.count, 0) as expected
            from promotion_code code left join (select promotion_code_id, count(*) as count from promotion_use
                where state <> 'RELEASED' group by promotion_code_id) used on used.promotion_code_id = code.id
            where code.uses <> coalesce(used.count, 0)",
    },
    Rule {
        says: "a campaign was used as often as the uses of its promotions say",
        name: |id, _| CampaignId(id).to_string(),
        sql: "select campaign.id as id, campaign.id as other, campaign.uses as found, coalesce(used.count, 0) as expected
            from campaign left join (select campaign_id, count(*) as count from promotion_use
                where state <> 'RELEASED' group by campaign_id) used on used.campaign_id = campaign.id
            where campaign.uses <> coalesce(used.count, 0)",
    },
    Rule {
        says: "a campaign has spent what the uses of its promotions say",
        name: |id, _| CampaignId(id).to_string(),
        sql: "select spending.campaign_id as id, spending.campaign_id as other, spending.spent_minor as found,
                coalesce(used.spent, 0) as expected
            from campaign_spending spending left join (select campaign_id, currency, sum(spent_minor) as spent
                from promotion_use where state <> 'RELEASED' group by campaign_id, currency) used
                on used.campaign_id = spending.campaign_id and used.currency = spending.currency
            where spending.spent_minor <> coalesce(used.spent, 0)",
    },
    Rule {
        says: "what a checkout used of a promotion goes the way of the checkout and its order",
        name: |id, _| PromotionUseId(id).to_string(),
        sql: "select used.id as id, used.id as other, case when used.state = 'RELEASED' then 0 else 1 end as found,
                case when used.state = 'RELEASED' then 1 else 0 end as expected
            from promotion_use used join checkout on checkout.id = used.checkout_id
            left join \"order\" on \"order\".checkout_id = checkout.id
            where used.state <> case when checkout.state = 'ABANDONED' or \"order\".status = 'CANCELED' then 'RELEASED'
                when checkout.state = 'PLACED' then 'USED' else 'RESERVED' end
                or (used.state = 'USED' and used.order_id <> \"order\".id)",
    },
    Rule {
        says: "nothing lies, is promised or was packed at a location that is gone",
        name: |id, _| LocationId(id).to_string(),
        sql: "select location.id as id, location.id as other, count(*) as found, 0 as expected
            from location join (
                select location_id from stock_level where stocked <> 0 or incoming <> 0 union all
                select location_id from reservation union all
                select location_id from fulfillment where state in ('PACKED', 'SHIPPED')) used
                on used.location_id = location.id
            where location.deleted_at is not null group by location.id",
    },
    Rule {
        says: "a run goes on when it is due",
        name: |id, _| FlowId(id).to_string(),
        sql: "select id, id as other, attempts as found, 0 as expected from flow
            where (state = 'RUNNING' and run_at < {due}) or (state = 'PARKED' and deadline < {due})",
    },
    Rule {
        says: "what is held or put aside for a while ends in time",
        name: |id, _| ReservationId(id).to_string(),
        sql: "select id, id as other, quantity as found, 0 as expected from reservation where expires_at < {due}",
    },
];
