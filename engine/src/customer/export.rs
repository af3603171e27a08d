//! Everything that the shop keeps about a person, for himself.

use domain::id::CustomerId;
use serde_json::{Value, json};

use super::repo;
use crate::db::Conn;
use crate::error::{Error, Result};

/// All personal data of a customer. What it holds is what erasure blanks.
pub async fn export(conn: &Conn, id: CustomerId) -> Result<Value> {
    let row = repo::find(conn, id).await?.ok_or(Error::Unauthenticated)?;
    let addresses = repo::addresses_of(conn, &[id]).await?;
    let groups = repo::groups_of(conn, &[id]).await?;
    let sessions = repo::sessions_of(conn, id).await?;
    let carts = repo::carts_of(conn, id).await?;
    let orders = repo::orders_of(conn, id).await?;
    let credits = crate::ledger::repo::credits_of(conn, &[id]).await?;
    let providers = crate::payment::repo::at_providers(conn, id).await?;
    let ids: Vec<_> = orders.iter().map(|order| order.id).collect();
    let lines = crate::order::repo::lines_of(conn, &ids).await?;
    let lines_of = |order| {
        let own = lines.iter().filter(|line| line.order_id == order);
        own.map(|line| {
            json!({ "title": line.title, "variantTitle": line.variant_title, "sku": line.sku,
            "quantity": line.ordered, "totalMinor": line.total_minor })
        })
        .collect::<Vec<_>>()
    };
    Ok(json!({
        "customer": {
            "id": row.id, "email": row.email, "newEmail": row.new_email, "previousEmail": row.previous_email,
            "firstName": row.first_name, "lastName": row.last_name, "phone": row.phone, "locale": row.locale,
            "acceptsMarketing": row.accepts_marketing, "taxNumber": row.tax_number, "createdAt": row.created_at, "verifiedAt": row.verified_at,
        },
        "addresses": addresses.iter().map(|row| json!({ "id": row.id, "address": row.address,
            "defaultShipping": row.default_shipping, "defaultBilling": row.default_billing })).collect::<Vec<_>>(),
        "storeCredit": credits.iter().map(|row| json!({ "currency": row.currency, "balanceMinor": row.balance_minor }))
            .collect::<Vec<_>>(),
        "paymentProviders": providers.iter().map(|row| json!({ "provider": row.provider, "reference": row.reference,
            "createdAt": row.created_at })).collect::<Vec<_>>(),
        "groups": groups.iter().map(|(_, group)| &group.name).collect::<Vec<_>>(),
        "sessions": sessions.iter().map(|row| json!({ "createdAt": row.created_at, "expiresAt": row.expires_at,
            "revokedAt": row.revoked_at })).collect::<Vec<_>>(),
        "carts": carts.iter().map(|row| json!({ "id": row.id, "email": row.email, "createdAt": row.created_at,
            "taxNumber": row.tax_number,
            "shippingAddress": row.shipping_address, "billingAddress": row.billing_address })).collect::<Vec<_>>(),
        "orders": orders.iter().map(|row| json!({ "id": row.id, "number": row.number, "email": row.email,
            "locale": row.locale, "placedAt": row.placed_at, "currency": row.currency, "totalMinor": row.total_minor,
            "shippingAddress": row.shipping_address, "billingAddress": row.billing_address,
            "taxNumber": row.tax_number, "lines": lines_of(row.id) })).collect::<Vec<_>>(),
    }))
}
