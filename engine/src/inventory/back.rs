//! Those who want to know when a variant can be bought again: they ask once and are told once.

use std::collections::BTreeSet;

use domain::id::{CustomerId, InventoryItemId, LocationId, ProductId, VariantId};
use domain::inventory::{Availability, MAX_BACK_IN_STOCK_REQUESTS};
use domain::notification::NotificationTemplate;
use domain::refusal::{ErrorCode, Refusal};
use domain::text::Email;
use entity::{back_in_stock_request, event, notification, variant};

use super::repo::{self, BACK, WAITED_FOR, waiting};
use super::{sellable, told as told_of};
use crate::actor::Need;
use crate::error::Result;
use crate::notification::collect::blank;
use crate::op::{Op, Tx};
use crate::settings::Settings;

/// Wants to be told when a variant can be bought again in the channel of the call.
#[derive(Debug, Clone)]
pub struct RequestBackInStock {
    /// Which variant.
    pub variant: VariantId,
    /// Where the mail goes; a customer's own mailbox when absent.
    pub email: Option<String>,
    /// In which language: a BCP 47 tag.
    pub locale: String,
}

impl RequestBackInStock {
    async fn mailbox(&self, tx: &Tx, customer: Option<CustomerId>) -> Result<Email> {
        if let Some(text) = &self.email {
            return Ok(text.parse::<Email>().map_err(|refusal| refusal.at(["email"]))?);
        }
        let own = match customer {
            Some(id) => crate::customer::repo::find(&tx.conn, id).await?,
            None => None,
        };
        let missing = || Refusal::new(ErrorCode::EmailMissing, "Say where the mail shall go.").at(["email"]);
        Ok(own.ok_or_else(missing)?.email)
    }
}

impl Op for RequestBackInStock {
    const NAME: &'static str = "back_in_stock.request";
    const NEEDS: Need = Need::Nothing;
    type Out = variant::Model;

    async fn run(&self, tx: &mut Tx) -> Result<variant::Model> {
        let missing = || Refusal::new(ErrorCode::NotFound, "There is no such variant.").at(["variantId"]);
        let settings = tx.settings().await?;
        let channel = match tx.channel() {
            Some(channel) => channel,
            None => settings.default_channel()?.id,
        };
        let customer = tx.actor().customer();
        let email = self.mailbox(tx, customer).await?;
        let found = repo::for_sale(&tx.conn, &[self.variant], channel, tx.now()).await?;
        let row = found.into_iter().next().ok_or_else(missing)?;
        let stock = repo::of_variants(&tx.conn, &[self.variant]).await?;
        let here = locations(&settings, channel);
        if told_of(&row, sellable(&stock, &here), tx.now()) != Availability::OutOfStock {
            let message = "This can be bought now.";
            return Err(Refusal::new(ErrorCode::StateInvalid, message).at(["variantId"]).into());
        }
        if waiting::count_of(&tx.conn, &email).await? >= MAX_BACK_IN_STOCK_REQUESTS {
            // As if it were taken: whoever doesn't own the mailbox is told nothing of it.
            return Ok(row);
        }
        let request = back_in_stock_request::Model {
            id: tx.id(),
            created_at: tx.now(),
            variant_id: self.variant,
            channel_id: channel,
            email,
            locale: self.locale.clone(),
            customer_id: customer,
        };
        waiting::insert_once(tx, request).await?;
        Ok(row)
    }
}

fn locations(settings: &Settings, channel: domain::id::ChannelId) -> Vec<LocationId> {
    settings.locations_of(channel).iter().map(|location| location.id).collect()
}

/// The notifications to those who waited for what these events say is back, or may be bought before it is there; they
/// wait no longer.
pub(crate) async fn told(
    tx: &mut Tx,
    events: &[event::Model],
    settings: &Settings,
) -> Result<Vec<notification::Model>> {
    let back = events.iter().filter(|event| [BACK, WAITED_FOR].contains(&event.kind.as_str()));
    let items: BTreeSet<InventoryItemId> =
        back.filter_map(|event| event.payload.get("item")?.as_str()?.parse().ok()).collect();
    // What staff change about a product may let it be sold without being there.
    let products: BTreeSet<ProductId> = events
        .iter()
        .filter(|event| event.aggregate_type == "product")
        .map(|event| event.aggregate_id.into())
        .collect();
    if items.is_empty() && products.is_empty() {
        return Ok(Vec::new());
    }
    let (items, products): (Vec<_>, Vec<_>) = (items.into_iter().collect(), products.into_iter().collect());
    let requests = waiting::lock_of(tx, &items, &products).await?;
    if requests.is_empty() {
        return Ok(Vec::new());
    }
    let variants: Vec<VariantId> =
        requests.iter().map(|request| request.variant_id).collect::<BTreeSet<_>>().into_iter().collect();
    let stock = repo::of_variants(&tx.conn, &variants).await?;
    let rows = waiting::variants(&tx.conn, &variants).await?;
    let can_be_bought = |request: &back_in_stock_request::Model| {
        let row = rows.iter().find(|row| row.id == request.variant_id);
        let own = stock.iter().filter(|row| row.variant == request.variant_id);
        let sellable = sellable(own, &locations(settings, request.channel_id));
        row.is_some_and(|row| told_of(row, sellable, tx.now()) != Availability::OutOfStock)
    };
    let ready: Vec<_> = requests.into_iter().filter(can_be_bought).collect();
    waiting::delete(tx, &ready.iter().map(|request| request.id).collect::<Vec<_>>()).await?;
    let told = |request: back_in_stock_request::Model| notification::Model {
        variant_id: Some(request.variant_id),
        customer_id: request.customer_id,
        recipient: Some(request.email),
        locale: request.locale,
        ..blank(tx, NotificationTemplate::BackInStock, request.channel_id)
    };
    Ok(ready.into_iter().map(told).collect())
}
