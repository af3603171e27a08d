//! Money that changes hands outside: transfer, cash, invoice. The provider
//! promises everything and moves nothing; staff capture when the money came.

use async_trait::async_trait;

use super::{NewPayment, Outcome, PaymentProvider, PaymentStep, Silent};

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

    async fn capture(&self, step: &PaymentStep) -> Result<Result<String, String>, Silent> {
        Ok(Ok(format!("{}:capture:{}", step.reference, step.idempotency_key)))
    }

    async fn void(&self, step: &PaymentStep) -> Result<Result<String, String>, Silent> {
        Ok(Ok(format!("{}:void:{}", step.reference, step.idempotency_key)))
    }

    async fn refund(&self, step: &PaymentStep) -> Result<Result<String, String>, Silent> {
        Ok(Ok(format!("{}:refund:{}", step.reference, step.idempotency_key)))
    }
}
