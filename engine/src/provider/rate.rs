//! Who names tax rates and shipping prices from outside.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use domain::shipping::asked::{RateAnswer, RateQuestion};
use domain::tax::asked::{TaxAnswer, TaxQuestion};
use serde::Deserialize;

use super::Silent;
use super::http::{HttpConfig, HttpProvider};

/// The most providers of one kind.
const MAX_PROVIDERS: usize = 20;

/// Somebody who names tax rates.
#[async_trait]
pub trait TaxProvider: std::fmt::Debug + Send + Sync {
    /// The rates of each row of a cart. The same question may come again.
    async fn tax_rates(&self, question: &TaxQuestion) -> Result<TaxAnswer, Silent>;
}

/// Somebody who names what shipping options cost.
#[async_trait]
pub trait ShippingRateProvider: std::fmt::Debug + Send + Sync {
    /// What options cost a delivery group. The same question may come again.
    async fn shipping_rates(&self, question: &RateQuestion) -> Result<RateAnswer, Silent>;
}

#[async_trait]
impl TaxProvider for HttpProvider {
    async fn tax_rates(&self, question: &TaxQuestion) -> Result<TaxAnswer, Silent> {
        self.ask("tax.rates", question, |answer| question.check(answer)).await
    }
}

#[async_trait]
impl ShippingRateProvider for HttpProvider {
    async fn shipping_rates(&self, question: &RateQuestion) -> Result<RateAnswer, Silent> {
        self.ask("shipping.rates", question, |answer| question.check(answer)).await
    }
}

/// The operator's file: who is asked, by kind.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RateProviderFile {
    /// Who names tax rates.
    #[serde(default)]
    pub tax: Vec<HttpConfig>,
    /// Who names what shipping options cost.
    #[serde(default)]
    pub shipping: Vec<HttpConfig>,
}

/// Everybody who names tax rates and shipping prices, by the name that staff choose them by.
#[derive(Debug, Clone, Default)]
pub struct RateProviders {
    /// Who names tax rates.
    pub tax: BTreeMap<String, Arc<dyn TaxProvider>>,
    /// Who names what shipping options cost.
    pub shipping: BTreeMap<String, Arc<dyn ShippingRateProvider>>,
}

impl RateProviders {
    /// Those that an operator describes.
    ///
    /// # Errors
    /// What is wrong with the description, in words.
    pub fn new(file: RateProviderFile) -> Result<Self, String> {
        let mut providers = Self::default();
        for provider in opened("tax", file.tax)? {
            providers.tax.insert(provider.name().to_owned(), Arc::new(provider));
        }
        for provider in opened("shipping", file.shipping)? {
            providers.shipping.insert(provider.name().to_owned(), Arc::new(provider));
        }
        Ok(providers)
    }
}

fn opened(kind: &str, configs: Vec<HttpConfig>) -> Result<Vec<HttpProvider>, String> {
    if configs.len() > MAX_PROVIDERS {
        return Err(format!("a shop has at most {MAX_PROVIDERS} providers of one kind"));
    }
    let mut opened: Vec<HttpProvider> = Vec::with_capacity(configs.len());
    for config in configs {
        let name = config.name.clone();
        let provider = HttpProvider::new(config).map_err(|fault| format!("{kind} provider {name:?}: {fault}"))?;
        if opened.iter().any(|known| known.name() == name) {
            return Err(format!("{kind} provider {name:?} stands there twice"));
        }
        opened.push(provider);
    }
    Ok(opened)
}
