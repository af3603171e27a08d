//! Ways to pay that customers saved, on the store surface.

use async_graphql::{Context, ID, InputObject, Object, SimpleObject};
use chrono::{DateTime, Utc};

use crate::api::call::call;
use crate::api::payload::payload;
use engine::payment::method::{self, name};
use engine::provider::payment::vault::SavedMethod;

/// A way to pay that you saved. The payment provider keeps it; the shop knows no more of it than this.
#[derive(Debug, SimpleObject)]
pub struct PaymentMethod {
    /// Its name, for `paymentSessionCreate`, `orderPay` and `paymentMethodDelete`.
    pub id: ID,
    /// The name of the provider that keeps it.
    pub provider: String,
    /// What it is, in the provider's words, such as `card`.
    pub kind: String,
    /// Whose card it is, such as `visa`.
    pub brand: Option<String>,
    /// The last digits of its number, to tell it by.
    pub last_digits: Option<String>,
    /// The last month in which it is good: 1 to 12.
    pub expiry_month: Option<i32>,
    /// The year of that month, in four digits.
    pub expiry_year: Option<i32>,
    /// Since when it is saved.
    pub created_at: DateTime<Utc>,
}

impl From<(String, SavedMethod)> for PaymentMethod {
    fn from((provider, method): (String, SavedMethod)) -> Self {
        Self {
            id: name(&provider, &method.reference).into(),
            provider,
            kind: method.kind,
            brand: method.brand,
            last_digits: method.last_digits,
            expiry_month: method.expires.map(|(month, _)| month),
            expiry_year: method.expires.map(|(_, year)| year),
            created_at: method.created_at,
        }
    }
}

/// Which saved payment method is forgotten.
#[derive(Debug, InputObject)]
pub struct PaymentMethodDeleteInput {
    /// Its name.
    pub id: ID,
}

payload! {
    /// What `paymentMethodDelete` did.
    PaymentMethodDeletePayload {
        /// The name of what was forgotten.
        deleted_id: ID
    }
}

/// Mutations about what customers saved.
#[derive(Debug, Default)]
pub struct MethodStoreMutation;

#[Object]
impl MethodStoreMutation {
    /// Forgets a payment method that you saved, at its provider. What was paid with it stays paid.
    async fn payment_method_delete(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which one.")] input: PaymentMethodDeleteInput,
    ) -> async_graphql::Result<PaymentMethodDeletePayload> {
        let call = call(ctx)?;
        let deleted = method::delete(&call.app, &call.caller, &input.id).await;
        PaymentMethodDeletePayload::answer(deleted.map(|()| input.id))
    }
}
