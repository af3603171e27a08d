//! Why the shop said no: a code that clients branch on, a sentence that
//! developers read, and the path of the input that is at fault.

use std::fmt;

use crate::word::words;

words! {
    /// Every reason that a user of the API can cause. Clients branch on the
    /// code; messages are English defaults.
    pub enum ErrorCode {
        /// The value breaks a rule of its field; the message says which.
        Invalid = "INVALID",
        /// A field that is needed here is missing or empty.
        Required = "REQUIRED",
        /// Another entity has this value, which must be unique.
        Taken = "TAKEN",
        /// It doesn't exist, or it isn't yours: the answer is the same.
        NotFound = "NOT_FOUND",
        /// The quantity is not between 1 and the largest allowed.
        QuantityOutOfRange = "QUANTITY_OUT_OF_RANGE",
        /// More entries than this list may have.
        TooMany = "TOO_MANY",
        /// The same entry stands twice in this list.
        Duplicate = "DUPLICATE",
        /// Two entries of this list cover the same.
        Overlap = "OVERLAP",
        /// Between two entries of this list lies something that neither covers.
        Gap = "GAP",
        /// Less is in stock than was asked for.
        InsufficientStock = "INSUFFICIENT_STOCK",
        /// The variant has no price in the cart's currency.
        PriceMissing = "PRICE_MISSING",
        /// The price is no longer what the shopper saw last.
        PriceChanged = "PRICE_CHANGED",
        /// The variant is not for sale in this channel.
        NotForSale = "NOT_FOR_SALE",
        /// No region sells to this country or in this currency.
        RegionMissing = "REGION_MISSING",
        /// The cart's region does not deliver to this country.
        CountryNotServed = "COUNTRY_NOT_SERVED",
        /// The cart has no line.
        CartEmpty = "CART_EMPTY",
        /// A checkout of this cart is under way; cancel it or let it end.
        CartCompleting = "CART_COMPLETING",
        /// The cart has become an order.
        CartCompleted = "CART_COMPLETED",
        /// The cart has no e-mail address.
        EmailMissing = "EMAIL_MISSING",
        /// The cart needs a shipping address.
        ShippingAddressMissing = "SHIPPING_ADDRESS_MISSING",
        /// A delivery group has no chosen option.
        DeliveryMissing = "DELIVERY_MISSING",
        /// Nothing is sent, and nobody knows in which country tax is due: the cart needs a billing address.
        BillingAddressMissing = "BILLING_ADDRESS_MISSING",
        /// The chosen delivery option is not offered for this cart.
        DeliveryUnavailable = "DELIVERY_UNAVAILABLE",
        /// There is no such code, or it is not valid at this moment.
        CodeUnknown = "CODE_UNKNOWN",
        /// The code is known and gives this cart nothing; the message says why.
        CodeNotApplied = "CODE_NOT_APPLIED",
        /// A gift that lies in the cart is not given any more.
        GiftGone = "GIFT_GONE",
        /// The tax provider of the country gives no answer, and no other rates may be charged: try again later.
        TaxUnavailable = "TAX_UNAVAILABLE",
        /// Money is due and no payment session is chosen.
        PaymentMissing = "PAYMENT_MISSING",
        /// The provider is unknown or not offered in this region.
        PaymentProviderUnavailable = "PAYMENT_PROVIDER_UNAVAILABLE",
        /// The provider said no.
        PaymentDeclined = "PAYMENT_DECLINED",
        /// The total that the shopper saw is no longer the total.
        TotalChanged = "TOTAL_CHANGED",
        /// A payment of this order is under way; cancel it or let it end.
        PaymentPending = "PAYMENT_PENDING",
        /// There is no checkout to cancel.
        CheckoutMissing = "CHECKOUT_MISSING",
        /// The key was used before with other input.
        IdempotencyMismatch = "IDEMPOTENCY_MISMATCH",
        /// A call with this key is running at this moment.
        IdempotencyInFlight = "IDEMPOTENCY_IN_FLIGHT",
        /// Somebody changed the entity since you read it.
        Conflict = "CONFLICT",
        /// The cursor belongs to a list with another sort or filter.
        CursorMismatch = "CURSOR_MISMATCH",
        /// The entity's state does not allow this.
        StateInvalid = "STATE_INVALID",
        /// More than what is left to capture, refund or fulfill.
        AmountTooLarge = "AMOUNT_TOO_LARGE",
        /// E-mail or password is wrong.
        CredentialsInvalid = "CREDENTIALS_INVALID",
        /// The token is unknown, expired, used or revoked.
        TokenInvalid = "TOKEN_INVALID",
        /// The entity is in use and can't be deleted or changed so.
        InUse = "IN_USE",
        /// It would grant, change or take away permissions that you don't hold yourself.
        GrantExceedsOwn = "GRANT_EXCEEDS_OWN",
        /// The identity provider does not answer as it should; try again later.
        IdentityProviderUnavailable = "IDENTITY_PROVIDER_UNAVAILABLE",
        /// It would also change something in a channel or at a location that your roles don't reach.
        OutOfScope = "OUT_OF_SCOPE",
        /// Too many tries; wait.
        Throttled = "THROTTLED",
    }
}

/// One reason for a no. Several are answered at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// What clients branch on.
    pub code: ErrorCode,
    /// One English sentence for the developer.
    pub message: String,
    /// Where in the input the fault lies, outermost first; empty when it lies
    /// in no single field.
    pub path: Vec<String>,
    /// What can still be had, for [`ErrorCode::InsufficientStock`].
    pub quantity_available: Option<i32>,
    /// The bound that was passed, where there is one.
    pub limit: Option<i64>,
    /// The version in the database, for [`ErrorCode::Conflict`].
    pub current_version: Option<i32>,
    /// Milliseconds to wait, for [`ErrorCode::Throttled`] and [`ErrorCode::IdempotencyInFlight`].
    pub retry_after_ms: Option<i64>,
    /// The entity that the refusal is about, as its text id.
    pub entity_id: Option<String>,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.message)
    }
}

impl std::error::Error for Refusal {}

impl Refusal {
    /// A refusal that lies in no single field.
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            path: Vec::new(),
            quantity_available: None,
            limit: None,
            current_version: None,
            retry_after_ms: None,
            entity_id: None,
        }
    }

    /// The same at this place of the input: `["lines", "0", "quantity"]`.
    #[must_use]
    pub fn at<P: Into<String>>(mut self, path: impl IntoIterator<Item = P>) -> Self {
        self.path = path.into_iter().map(Into::into).collect();
        self
    }

    /// The same with the bound that was passed.
    #[must_use]
    pub fn limit(mut self, limit: i64) -> Self {
        self.limit = Some(limit);
        self
    }

    /// The same with what can still be had.
    #[must_use]
    pub fn available(mut self, quantity: i32) -> Self {
        self.quantity_available = Some(quantity);
        self
    }

    /// The same about this entity.
    #[must_use]
    pub fn about(mut self, id: impl fmt::Display) -> Self {
        self.entity_id = Some(id.to_string());
        self
    }
}

/// Everything that stands against a wish, gathered before the answer.
#[derive(Debug, Default)]
pub struct Refusals(Vec<Refusal>);

impl Refusals {
    /// Adds one.
    pub fn push(&mut self, refusal: Refusal) {
        self.0.push(refusal);
    }

    /// Keeps the value, or adds the refusals that came instead.
    pub fn keep<T>(&mut self, result: Result<T, Refusal>) -> Option<T> {
        result.map_err(|refusal| self.0.push(refusal)).ok()
    }

    /// Adds all of them.
    pub fn extend(&mut self, refusals: impl IntoIterator<Item = Refusal>) {
        self.0.extend(refusals);
    }

    /// Whether nothing stands against it.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// `Err` with all of them, or `Ok` when there is none.
    pub fn into_result(self) -> Result<(), Vec<Refusal>> {
        if self.0.is_empty() { Ok(()) } else { Err(self.0) }
    }
}
