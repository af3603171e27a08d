//! Cards that customers of the provider `test` saved.

use async_trait::async_trait;
use domain::id::CustomerId;
use entity::{test_payment, test_payment_method};
use uuid::Uuid;

use super::super::Silent;
use super::super::vault::{PaymentVault, SavedMethod};
use super::{TestCards, repo, silent};
use crate::db::{Conn, StatementCount};
use crate::error::Result as Stored;

/// Saves the card of a payment that succeeded, when its customer wished so.
pub(super) async fn save(conn: &Conn, payment: &test_payment::Model) -> Stored<()> {
    let Some(customer) = payment.saves_for.clone() else { return Ok(()) };
    let row = test_payment_method::Model {
        reference: format!("test_card_{}", Uuid::new_v4().simple()),
        customer,
        card: payment.card.clone(),
        created_at: payment.created_at,
    };
    repo::insert_method(conn, row).await
}

fn name(customer: CustomerId) -> String {
    format!("test_{customer}")
}

impl TestCards {
    async fn forget(&self, customer: &str, method: &str) -> Stored<bool> {
        let conn = self.begin().await?;
        let forgotten = repo::delete_method(&conn, customer, method).await?;
        conn.commit().await?;
        Ok(forgotten)
    }

    async fn forget_all(&self, customer: &str) -> Stored<()> {
        let conn = self.begin().await?;
        repo::forget_customer(&conn, customer).await?;
        Ok(conn.commit().await?)
    }
}

#[async_trait]
impl PaymentVault for TestCards {
    async fn create_customer(&self, customer: CustomerId) -> Result<String, Silent> {
        Ok(name(customer))
    }

    async fn methods(&self, customer: &str) -> Result<Option<Vec<SavedMethod>>, Silent> {
        let rows = repo::methods_of(&self.db.read(&StatementCount::default()), customer).await.map_err(silent)?;
        let method = |row: test_payment_method::Model| SavedMethod {
            reference: row.reference,
            kind: "card".to_owned(),
            brand: Some(row.card),
            last_digits: None,
            expires: None,
            created_at: row.created_at,
        };
        Ok(Some(rows.into_iter().map(method).collect()))
    }

    async fn owns(&self, customer: &str, method: &str) -> Result<Option<bool>, Silent> {
        let methods = self.methods(customer).await?;
        Ok(methods.map(|methods| methods.iter().any(|kept| kept.reference == method)))
    }

    async fn forget_method(&self, customer: &str, method: &str) -> Result<bool, Silent> {
        self.forget(customer, method).await.map_err(silent)
    }

    async fn forget_customer(&self, customer: CustomerId, _: Option<&str>) -> Result<(), Silent> {
        self.forget_all(&name(customer)).await.map_err(silent)
    }
}
