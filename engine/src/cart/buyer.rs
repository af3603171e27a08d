//! Who buys with a cart and where it goes, as the shopper says.

use domain::address::Address;
use domain::refusal::{ErrorCode, Refusal, Refusals};
use domain::tax::TaxNumber;
use domain::text::Email;
use entity::cart;

use crate::settings::{Region, Settings};
use crate::version::Change;

/// Who is buying.
#[derive(Debug, Clone, Default)]
pub struct Buyer {
    /// Where mail about the order goes.
    pub email: Change<String>,
    /// The region, by id or handle.
    pub region: Option<String>,
    /// The language: a BCP 47 tag.
    pub locale: Option<String>,
    /// The buyer's VAT number.
    pub tax_number: Change<String>,
    /// Whether his store credit pays.
    pub uses_store_credit: Option<bool>,
}

impl Buyer {
    /// The region in which a new cart begins: the one that is named, else that of the country to which it goes, else
    /// the request's. One that is not there is refused later, with everything else.
    pub(super) fn region_of<'s>(
        &self,
        settings: &'s Settings,
        addresses: &Addresses,
        known: Option<&Region>,
    ) -> Result<&'s Region, Refusal> {
        let of_country = match &addresses.shipping {
            Change::To(address) => settings.region_of(&address.country),
            _ => None,
        };
        let region = match &self.region {
            Some(name) => settings.region_named(name),
            None => of_country.or_else(|| settings.region(known?.row.id)),
        };
        region.or(settings.regions.first()).ok_or_else(|| {
            let message = "The shop sells to no such region; staff make one with regionSet.";
            Refusal::new(ErrorCode::RegionMissing, message).at(["buyer", "region"])
        })
    }

    pub(super) fn apply(&self, cart: &mut cart::Model, settings: &Settings, path: &[&str], refusals: &mut Refusals) {
        let at = |name: &str| path.iter().map(ToString::to_string).chain([name.to_owned()]).collect::<Vec<_>>();
        let email = self.email.clone().try_map(|text| text.parse::<Email>());
        if let Some(email) = refusals.keep(email.map_err(|refusal| refusal.at(at("email")))) {
            email.apply(&mut cart.email);
        }
        let number = self.tax_number.clone().try_map(|text| text.parse::<TaxNumber>());
        if let Some(number) = refusals.keep(number.map_err(|refusal| refusal.at(at("taxNumber")))) {
            number.apply(&mut cart.tax_number);
        }
        match self.uses_store_credit {
            Some(true) if cart.customer_id.is_none() => {
                let message = "Store credit belongs to an account: log in to pay with it.";
                refusals.push(Refusal::new(ErrorCode::StateInvalid, message).at(at("useStoreCredit")));
            }
            Some(uses) => cart.uses_store_credit = uses,
            None => {}
        }
        if let Some(name) = &self.region {
            match settings.region_named(name) {
                Some(region) => {
                    cart.region_id = region.row.id;
                    cart.currency = region.row.currency;
                }
                None => refusals.push(Refusal::new(ErrorCode::NotFound, "There is no such region.").at(at("region"))),
            }
        }
        if let Some(text) = &self.locale
            && let Some(locale) =
                refusals.keep(domain::channel::locale(text).map_err(|refusal| refusal.at(at("locale"))))
        {
            cart.locale = locale;
        }
    }
}

/// Where an order is sent and billed to.
#[derive(Debug, Clone, Default)]
pub struct Addresses {
    /// Where it is sent.
    pub shipping: Change<Address>,
    /// Where it is billed to; where it is sent when absent.
    pub billing: Change<Address>,
}

impl Addresses {
    pub(super) fn apply(&self, cart: &mut cart::Model, path: &[&str], refusals: &mut Refusals) {
        for (change, place, name) in [
            (&self.shipping, &mut cart.shipping_address, "shipping"),
            (&self.billing, &mut cart.billing_address, "billing"),
        ] {
            let at: Vec<&str> = path.iter().copied().chain([name]).collect();
            match change.clone().try_map(|address| address.check(&at)) {
                Ok(change) => change.apply(place),
                Err(refused) => refusals.extend(refused),
            }
        }
    }
}
