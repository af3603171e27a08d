//! Where personal data stands, and how it is blanked: the one list. A column
//! that can tell who somebody is belongs here, in the issue that adds it.

use domain::id::{CheckoutId, CustomerId, OrderId};
use domain::text::Email;
use entity::{checkout, customer};
use sea_orm::{ActiveModelTrait, ConnectionTrait, EntityTrait, FromQueryResult, IntoActiveModel, Value};
use serde_json::json;
use uuid::Uuid;

use crate::auth::one_time;
use crate::db::statement;
use crate::error::Result;
use crate::op::Tx;

/// Whose rows a statement of the list is about.
#[derive(Debug, Clone, Copy)]
enum Whose {
    /// The customer's id.
    Id,
    /// His id as text, as logs hold it.
    Text,
}

/// What is deleted or blanked, table by table. `{erased}` is what stands
/// where an address was.
const PERSONAL: &[(&str, Whose)] = &[
    ("delete from address where customer_id = ?", Whose::Id),
    ("delete from customer_group_member where customer_id = ?", Whose::Id),
    ("delete from auth_identity where actor_kind = 'CUSTOMER' and actor_id = ?", Whose::Id),
    ("delete from session where actor_kind = 'CUSTOMER' and actor_id = ?", Whose::Id),
    (
        "update \"order\" set email = '{erased}', shipping_address = null, billing_address = null, tax_number = null,
            version = version + 1 where customer_id = ?",
        Whose::Id,
    ),
    ("update promotion_use set buyer = '' where customer_id = ?", Whose::Id),
    (
        "update promotion_use set buyer = '' where order_id in (select id from \"order\" where customer_id = ?)",
        Whose::Id,
    ),
    (
        "update order_token set revoked_at = created_at
            where revoked_at is null and order_id in (select id from \"order\" where customer_id = ?)",
        Whose::Id,
    ),
    (
        "update provider_event set body = '' where reference in (select provider_reference from checkout
            where cart_id in (select id from cart where customer_id = ?))",
        Whose::Id,
    ),
    (
        "update provider_event set body = '' where reference in (select provider_reference from checkout
            where order_id in (select id from \"order\" where customer_id = ?))",
        Whose::Id,
    ),
    (
        "update provider_event set body = '' where checkout_id in (select id from checkout
            where cart_id in (select id from cart where customer_id = ?))",
        Whose::Id,
    ),
    (
        "update provider_event set body = '' where checkout_id in (select id from checkout
            where order_id in (select id from \"order\" where customer_id = ?))",
        Whose::Id,
    ),
    (
        "update provider_event set body = '' where reference in (select provider_reference from payment
            where order_id in (select id from \"order\" where customer_id = ?))",
        Whose::Id,
    ),
    (
        "update payment set data = null, next_action = null, saved_method = null
            where order_id in (select id from \"order\" where customer_id = ?)",
        Whose::Id,
    ),
    (
        "update payment_link set revoked_at = created_at
            where revoked_at is null and order_id in (select id from \"order\" where customer_id = ?)",
        Whose::Id,
    ),
    (
        "update payment_entry set note = null where payment_id in (select id from payment
            where order_id in (select id from \"order\" where customer_id = ?))",
        Whose::Id,
    ),
    (
        "update ledger_entry set note = null where account_id in (select id from ledger_account where customer_id = ?)",
        Whose::Id,
    ),
    ("update ledger_account set note = null, version = version + 1 where customer_id = ?", Whose::Id),
    (
        "update ledger_account set recipient = null where recipient = (select email from customer where id = ?)",
        Whose::Id,
    ),
    (
        "update ledger_account set recipient = null where order_line_id in (select id from order_line
            where order_id in (select id from \"order\" where customer_id = ?))",
        Whose::Id,
    ),
    ("update payment_customer set forget_at = created_at where customer_id = ?", Whose::Id),
    ("delete from payment_session where cart_id in (select id from cart where customer_id = ?)", Whose::Id),
    (
        "update checkout set provider_data = null, next_action = null, saved_method = null
            where cart_id in (select id from cart where customer_id = ?)",
        Whose::Id,
    ),
    (
        "update checkout set provider_data = null, next_action = null, saved_method = null
            where order_id in (select id from \"order\" where customer_id = ?)",
        Whose::Id,
    ),
    (
        "update cart set email = null, shipping_address = null, billing_address = null, tax_number = null,
            version = version + 1, untouched_since = null,
            abandoned_at = case when state = 'OPEN' then null else abandoned_at end,
            state = case when state = 'OPEN' then 'ABANDONED' else state end where customer_id = ?",
        Whose::Id,
    ),
    // What he put into a cart without signing in, when the mailbox is proven to be his.
    (
        "update cart set email = null, shipping_address = null, billing_address = null, tax_number = null,
            version = version + 1, untouched_since = null
            where customer_id is null and state in ('OPEN', 'ABANDONED')
                and email = (select email from customer where id = ? and verified_at is not null)",
        Whose::Id,
    ),
    (
        "delete from payment_session where cart_id in
            (select checkout.cart_id from checkout join \"order\" on \"order\".checkout_id = checkout.id
                where \"order\".customer_id = ?)",
        Whose::Id,
    ),
    // A claimed order was bought with a cart that still has no owner.
    (
        "update cart set email = null, shipping_address = null, billing_address = null, tax_number = null where id in
            (select checkout.cart_id from checkout join \"order\" on \"order\".checkout_id = checkout.id
                where \"order\".customer_id = ?)",
        Whose::Id,
    ),
    ("delete from back_in_stock_request where email = (select email from customer where id = ?)", Whose::Id),
    ("delete from back_in_stock_request where customer_id = ?", Whose::Id),
    // What was held for him ends, as what has expired does.
    (
        "update reservation set expires_at = created_at where cart_id in (select id from cart where customer_id = ?)",
        Whose::Id,
    ),
    (
        "update notification set recipient = null, forget_copy = true,
            state = case when state = 'PENDING' then 'SKIPPED' else state end
            where (variant_id is not null or ledger_account_id is not null)
                and recipient = (select email from customer where id = ?)",
        Whose::Id,
    ),
    ("update audit_entry set before = null, after = null where entity = ?", Whose::Text),
];

/// Whether a checkout of one of his carts is under way, or a payment of one of his orders.
pub async fn is_paying(tx: &Tx, id: CustomerId) -> Result<bool> {
    let sql = "select 1 from cart where customer_id = ? and state = 'COMPLETING' union all
        select 1 from payment join \"order\" on \"order\".id = payment.order_id
            where \"order\".customer_id = ? and payment.state in ('PENDING', 'REQUIRES_ACTION')";
    let values = [Uuid::from(id).into(), Uuid::from(id).into()];
    Ok(tx.conn.query_one_raw(statement(&tx.conn, sql, values)).await?.is_some())
}

/// His orders that are not at their end, at most 10 of them.
pub async fn open_orders(tx: &Tx, id: CustomerId) -> Result<Vec<OrderId>> {
    #[derive(FromQueryResult)]
    struct Open {
        id: OrderId,
    }
    let sql = "select id from \"order\" where customer_id = ? and status not in ('COMPLETED', 'CANCELED', 'ARCHIVED')
        order by placed_at limit 10";
    let rows = tx.conn.query_all_raw(statement(&tx.conn, sql, [Uuid::from(id).into()])).await?;
    let rows: Vec<Open> = rows.iter().map(|row| Open::from_query_result(row, "")).collect::<Result<_, _>>()?;
    Ok(rows.into_iter().map(|row| row.id).collect())
}

/// Blanks everything that tells who a customer is. He is deleted with it.
pub async fn blank(tx: &mut Tx, row: &customer::Model) -> Result<()> {
    forget_frozen(tx, row.id).await?;
    for (sql, whose) in PERSONAL {
        let sql = sql.replace("{erased}", Email::erased().as_str());
        let value: Value = match whose {
            Whose::Id => Uuid::from(row.id).into(),
            Whose::Text => row.id.to_string().into(),
        };
        tx.conn.execute_raw(statement(&tx.conn, &sql, [value])).await?;
    }
    // After his orders: whoever writes a mail about one holds it, and is waited for.
    crate::notification::repo::blank(tx, row.id).await?;
    one_time::end_all(tx, row.id.into()).await?;
    let blank = customer::Model {
        version: row.version + 1,
        updated_at: tx.now(),
        deleted_at: Some(tx.now()),
        email: Email::erased(),
        first_name: None,
        last_name: None,
        phone: None,
        locale: None,
        accepts_marketing: false,
        verified_at: None,
        new_email: None,
        previous_email: None,
        search_text: String::new(),
        tax_number: None,
        ..row.clone()
    };
    super::update(tx, blank).await?;
    Ok(())
}

/// Takes mailbox and addresses out of what his checkouts froze.
async fn forget_frozen(tx: &mut Tx, id: CustomerId) -> Result<()> {
    let sql = "select id from checkout where cart_id in (select id from cart where customer_id = ?)
        or order_id in (select id from \"order\" where customer_id = ?)";
    let values = [Uuid::from(id).into(), Uuid::from(id).into()];
    let rows = tx.conn.query_all_raw(statement(&tx.conn, sql, values)).await?;
    let checkouts: Vec<CheckoutId> = rows.iter().map(|row| row.try_get("", "id")).collect::<Result<_, _>>()?;
    forget_frozen_of(tx, &checkouts).await
}

/// Takes mailbox and addresses out of what checkouts froze.
pub async fn forget_frozen_of(tx: &mut Tx, checkouts: &[CheckoutId]) -> Result<()> {
    for checkout in checkouts.iter().copied() {
        let Some(mut row) = checkout::Entity::find_by_id(checkout).one(&tx.conn).await? else { continue };
        if let Some(frozen) = row.frozen.as_object_mut() {
            frozen.insert("email".to_owned(), json!(Email::erased()));
            frozen.insert("shipping_address".to_owned(), json!(null));
            frozen.insert("billing_address".to_owned(), json!(null));
            frozen.insert("tax_number".to_owned(), json!(null));
        }
        row.into_active_model().reset_all().update(&tx.conn).await?;
    }
    Ok(())
}
