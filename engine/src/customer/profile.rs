//! What a customer changes about himself: names, language, address book.

use domain::address::Address;
use domain::customer::{MAX_ADDRESSES, line};
use domain::id::AddressId;
use domain::refusal::{ErrorCode, Refusal, Refusals};
use domain::tax::TaxNumber;
use entity::{address, customer};
use serde_json::json;

use super::{aggregate, hold_own, repo, save};
use crate::actor::Need;
use crate::error::{Error, Result};
use crate::op::{Op, Tx};
use crate::version::Change;

/// What is known of a person besides his mailbox. What is kept stays.
#[derive(Debug, Clone, Default)]
pub struct Person {
    /// His given name.
    pub first_name: Change<String>,
    /// His family name.
    pub last_name: Change<String>,
    /// His telephone number.
    pub phone: Change<String>,
    /// His language: a BCP 47 tag.
    pub locale: Change<String>,
    /// Whether he wants to be sent news.
    pub accepts_marketing: Option<bool>,
    /// His VAT number.
    pub tax_number: Change<String>,
}

impl Person {
    pub(super) fn apply(&self, row: &mut customer::Model, refusals: &mut Refusals) {
        for (change, place, name) in [
            (&self.first_name, &mut row.first_name, "firstName"),
            (&self.last_name, &mut row.last_name, "lastName"),
            (&self.phone, &mut row.phone, "phone"),
        ] {
            match change.clone().try_map(|text| line(&text)) {
                Ok(Change::To(text)) => *place = text,
                Ok(Change::Clear) => *place = None,
                Ok(Change::Keep) => {}
                Err(refusal) => refusals.push(refusal.at([name])),
            }
        }
        let locale = self.locale.clone().try_map(|text| domain::channel::locale(&text));
        if let Some(locale) = refusals.keep(locale.map_err(|refusal| refusal.at(["locale"]))) {
            locale.apply(&mut row.locale);
        }
        let number = self.tax_number.clone().try_map(|text| text.parse::<TaxNumber>());
        if let Some(number) = refusals.keep(number.map_err(|refusal| refusal.at(["taxNumber"]))) {
            number.apply(&mut row.tax_number);
        }
        if let Some(accepts) = self.accepts_marketing {
            row.accepts_marketing = accepts;
        }
    }
}

/// Changes what the caller is called and how he is written to.
#[derive(Debug, Clone)]
pub struct UpdateProfile(pub Person);

impl Op for UpdateProfile {
    const NAME: &'static str = "customer.update_profile";
    const NEEDS: Need = Need::Nothing;
    type Out = customer::Model;

    async fn run(&self, tx: &mut Tx) -> Result<customer::Model> {
        let mut row = hold_own(tx).await?;
        let mut refusals = Refusals::default();
        self.0.apply(&mut row, &mut refusals);
        refusals.into_result()?;
        let row = save(tx, row).await?;
        tx.emit(aggregate(row.id), "customer.updated", json!({}));
        Ok(row)
    }
}

/// An entry of the address book. What is absent stays as it is.
#[derive(Debug, Clone)]
pub struct Entry {
    /// The address.
    pub address: Option<Address>,
    /// Whether things are sent there unless the customer says otherwise.
    pub default_shipping: Option<bool>,
    /// Whether he is billed there unless he says otherwise.
    pub default_billing: Option<bool>,
}

async fn write(tx: &mut Tx, mut row: address::Model, entry: &Entry, new: bool) -> Result<address::Model> {
    row.default_shipping = entry.default_shipping.unwrap_or(row.default_shipping);
    row.default_billing = entry.default_billing.unwrap_or(row.default_billing);
    row.updated_at = tx.now();
    repo::clear_defaults(tx, row.customer_id, row.id, row.default_shipping, row.default_billing).await?;
    let row = if new { repo::insert_address(tx, row).await? } else { repo::update_address(tx, row).await? };
    tx.emit(aggregate(row.customer_id), "customer.updated", json!({ "addressId": row.id.to_string() }));
    Ok(row)
}

/// Puts an address into the caller's book; the first one is the default for everything.
#[derive(Debug, Clone)]
pub struct CreateAddress(pub Entry);

impl Op for CreateAddress {
    const NAME: &'static str = "customer.create_address";
    const NEEDS: Need = Need::Nothing;
    type Out = address::Model;

    async fn run(&self, tx: &mut Tx) -> Result<address::Model> {
        let owner = hold_own(tx).await?;
        let held = repo::addresses_of(&tx.conn, &[owner.id]).await?.len();
        let wanted = self.0.address.clone().ok_or_else(|| Error::internal("a new address is empty"))?;
        let checked = wanted.check(&["address"]);
        let mut refusals = Refusals::default();
        if held >= MAX_ADDRESSES {
            let message = format!("A customer has at most {MAX_ADDRESSES} addresses.");
            refusals.push(Refusal::new(ErrorCode::TooMany, message).limit(MAX_ADDRESSES as i64).at(["address"]));
        }
        let checked = checked.map_err(|refused| refusals.extend(refused));
        refusals.into_result()?;
        let Ok(checked) = checked else { return Err(Error::internal("a refusal was lost")) };
        let row = address::Model {
            id: tx.id(),
            version: 1,
            created_at: tx.now(),
            updated_at: tx.now(),
            customer_id: owner.id,
            address: checked,
            default_shipping: held == 0,
            default_billing: held == 0,
        };
        write(tx, row, &self.0, true).await
    }
}

fn no_address() -> Refusal {
    Refusal::new(ErrorCode::NotFound, "There is no such address.").at(["id"])
}

/// Changes an address of the caller's book.
#[derive(Debug, Clone)]
pub struct UpdateAddress {
    /// Which address.
    pub id: AddressId,
    /// What it becomes.
    pub entry: Entry,
}

impl Op for UpdateAddress {
    const NAME: &'static str = "customer.update_address";
    const NEEDS: Need = Need::Nothing;
    type Out = address::Model;

    async fn run(&self, tx: &mut Tx) -> Result<address::Model> {
        let owner = hold_own(tx).await?;
        let mut row = repo::find_address(&tx.conn, owner.id, self.id).await?.ok_or_else(no_address)?;
        if let Some(wanted) = &self.entry.address {
            row.address = wanted.clone().check(&["address"])?;
        }
        row.version += 1;
        write(tx, row, &self.entry, false).await
    }
}

/// Takes an address out of the caller's book.
#[derive(Debug, Clone, Copy)]
pub struct DeleteAddress(pub AddressId);

impl Op for DeleteAddress {
    const NAME: &'static str = "customer.delete_address";
    const NEEDS: Need = Need::Nothing;
    type Out = AddressId;

    async fn run(&self, tx: &mut Tx) -> Result<AddressId> {
        let owner = hold_own(tx).await?;
        let row = repo::find_address(&tx.conn, owner.id, self.0).await?.ok_or_else(no_address)?;
        repo::delete_address(tx, row.id).await?;
        tx.emit(aggregate(owner.id), "customer.updated", json!({ "addressId": row.id.to_string() }));
        Ok(row.id)
    }
}
