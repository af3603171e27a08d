//! Money that changes hands outside: transfer, cash, invoice. The provider
//! promises everything and moves nothing; staff capture when the money came.

use async_trait::async_trait;

use super::{Known, NewPayment, Outcome, PaymentProvider, PaymentStep, Said, Silent};

/// The provider `manual`.
#[derive(Debug, Clone, Copy)]
pub struct Manual;

#[async_trait]
impl PaymentProvider for Manual {
    fn name(&self) -> &'static str {
        "manual"
    }

    async fn create(&self, payment: &NewPayment) -> Result<Outcome, Silent> {
        Ok(Outcome::Authorized { reference: format!("manual:{}", payment.idempotency_key) })
    }

    async fn recall(&self, _: &NewPayment) -> Result<Option<Known>, Silent> {
        Ok(None)
    }

    async fn look_up(&self, reference: &str) -> Result<Option<Known>, Silent> {
        // It keeps no books: what it promised once, it promises for ever.
        let outcome = Outcome::Authorized { reference: reference.to_owned() };
        Ok(reference.starts_with("manual:").then_some(Known { outcome, sums: None }))
    }

    async fn capture(&self, step: &PaymentStep) -> Result<Said, Silent> {
        Ok(Ok(format!("{}:capture:{}", step.reference, step.idempotency_key)))
    }

    async fn void(&self, step: &PaymentStep) -> Result<Said, Silent> {
        Ok(Ok(format!("{}:void:{}", step.reference, step.idempotency_key)))
    }

    async fn refund(&self, step: &PaymentStep) -> Result<Said, Silent> {
        Ok(Ok(format!("{}:refund:{}", step.reference, step.idempotency_key)))
    }
}
