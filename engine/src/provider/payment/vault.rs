//! Ways to pay that customers save. A provider keeps them, so that the shop
//! never holds more of a card than its last digits, and shows what is there now.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::id::CustomerId;

use super::Silent;

/// A way to pay that a customer saved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SavedMethod {
    /// The provider's name for it.
    pub reference: String,
    /// What it is, in the provider's words: `card`.
    pub kind: String,
    /// Whose card it is, such as `visa`.
    pub brand: Option<String>,
    /// The last digits of its number.
    pub last_digits: Option<String>,
    /// The last month in which it is good, and its year.
    pub expires: Option<(i32, i32)>,
    /// Since when it is saved.
    pub created_at: DateTime<Utc>,
}

/// What a payment has to do with what its customer saved.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Saving {
    /// The provider's name for the customer; nothing when it does not know him.
    pub customer: Option<String>,
    /// The saved method that pays; nothing when the payment session's data says what does.
    pub method: Option<String>,
    /// Whether the customer wishes to pay so again.
    pub save: bool,
}

/// Where a provider keeps what customers save.
#[async_trait]
pub trait PaymentVault: Send + Sync {
    /// Makes a customer known; the provider's name for him. Who is known keeps his name.
    async fn create_customer(&self, customer: CustomerId) -> Result<String, Silent>;

    /// What a customer saved, newest first, each card once; nothing when the provider does not know him, or not any more.
    async fn methods(&self, customer: &str) -> Result<Option<Vec<SavedMethod>>, Silent>;

    /// Whether a method is a customer's; nothing when the provider does not know him, or not any more.
    async fn owns(&self, customer: &str, method: &str) -> Result<Option<bool>, Silent>;

    /// Forgets a method of a customer; `false` when he has none of this name.
    async fn forget_method(&self, customer: &str, method: &str) -> Result<bool, Silent>;

    /// Forgets a customer with all that he saved, also under names whose answer got lost. Who is not known is no fault.
    async fn forget_customer(&self, customer: CustomerId, name: Option<&str>) -> Result<(), Silent>;
}
