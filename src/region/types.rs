//! How a region looks: to shoppers, and to staff.

use async_graphql::{ID, Object, SimpleObject};
use domain::payment::CaptureMode;
use domain::totals::TaxRounding;

use crate::api::scalar::{Country, CurrencyCode, id};
use crate::api::word::Enum;
use engine::settings;

/// A market: one currency, some countries.
#[derive(Debug, Clone)]
pub struct Region(pub settings::Region);

/// A market: one currency, some countries.
#[Object]
impl Region {
    /// Its id; send it or the handle as `X-Region`.
    async fn id(&self) -> ID {
        id(self.0.row.id)
    }

    /// Its handle.
    async fn handle(&self) -> &str {
        self.0.row.handle.as_str()
    }

    /// Its name.
    async fn name(&self) -> &str {
        &self.0.row.name
    }

    /// The currency in which it sells.
    async fn currency_code(&self) -> CurrencyCode {
        CurrencyCode(self.0.row.currency)
    }

    /// The countries to which it sells. At most 249.
    async fn countries(&self) -> Vec<Country> {
        self.0.countries.iter().cloned().map(Country).collect()
    }

    /// Whether the prices that it shows include tax.
    async fn prices_include_tax(&self) -> bool {
        self.0.row.prices_include_tax
    }

    /// The names of the payment providers that it offers, for `paymentSessionCreate`.
    async fn payment_providers(&self) -> &[String] {
        &self.0.providers
    }
}

/// A market as staff see it.
#[derive(Debug, Clone)]
pub struct AdminRegion(pub settings::Region);

/// A market as staff see it.
#[Object]
impl AdminRegion {
    /// Its id.
    async fn id(&self) -> ID {
        id(self.0.row.id)
    }

    /// Rises with every change; send it as `expectedVersion`.
    async fn version(&self) -> i32 {
        self.0.row.version
    }

    /// Its handle.
    async fn handle(&self) -> &str {
        self.0.row.handle.as_str()
    }

    /// Its name.
    async fn name(&self) -> &str {
        &self.0.row.name
    }

    /// The currency in which it sells.
    async fn currency_code(&self) -> CurrencyCode {
        CurrencyCode(self.0.row.currency)
    }

    /// The countries to which it sells. At most 249.
    async fn countries(&self) -> Vec<Country> {
        self.0.countries.iter().cloned().map(Country).collect()
    }

    /// Whether prices entered for its currency include tax.
    async fn prices_include_tax(&self) -> bool {
        self.0.row.prices_include_tax
    }

    /// Where tax is rounded.
    async fn tax_rounding(&self) -> Enum<TaxRounding> {
        Enum(self.0.row.tax_rounding)
    }

    /// The names of the payment providers that it offers.
    async fn payment_providers(&self) -> &[String] {
        &self.0.providers
    }

    /// When the money of each of them is taken.
    async fn payment_captures(&self) -> Vec<AdminPaymentCaptureSetting> {
        let setting = |(provider, mode): (&String, &CaptureMode)| AdminPaymentCaptureSetting {
            provider: provider.clone(),
            mode: Enum(*mode),
        };
        self.0.captures.iter().map(setting).collect()
    }
}

/// When a provider's money is taken.
#[derive(Debug, SimpleObject)]
pub struct AdminPaymentCaptureSetting {
    /// The name of the provider.
    pub provider: String,
    /// When its money is taken.
    pub mode: Enum<CaptureMode>,
}
