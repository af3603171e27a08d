//! From the event log to notifications: each event that asks for mail becomes
//! one row, in one transaction with the place up to which the log was read.
//! Whatever crashes, the next one begins where that transaction ended.

use std::collections::HashMap;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use domain::id::{ChannelId, CustomerId, FulfillmentId, LedgerAccountId, OrderId, PaymentId, StaffId};
use domain::notification::{About, NotificationState, NotificationTemplate};
use domain::text::Email;
use entity::{customer, event, ledger_account, notification, order, staff};

use super::repo;
use crate::actor::{Caller, Need};
use crate::app::App;
use crate::error::Result;
use crate::event::stamped_after;
use crate::op::{Op, Tx};
use crate::settings::Settings;

/// How many events are read at once.
const BATCH: u64 = 500;
/// What happened longer ago is no news any more: an order that came in with a history, a log that was read again.
const NEWS: TimeDelta = TimeDelta::days(3);

/// The kind of mail that an event asks for.
pub fn wanted(event: &event::Model) -> Option<NotificationTemplate> {
    if event.payload.get("notify").and_then(serde_json::Value::as_bool) == Some(false) {
        return None;
    }
    match event.kind.as_str() {
        "order.placed" => Some(NotificationTemplate::OrderConfirmation),
        "order.canceled" => Some(NotificationTemplate::OrderCanceled),
        "fulfillment.shipped" => Some(NotificationTemplate::OrderShipped),
        "gift_card.issued" if event.payload.get("mail").and_then(serde_json::Value::as_bool) == Some(true) => {
            Some(NotificationTemplate::GiftCard)
        }
        "payment.refunded" => Some(NotificationTemplate::OrderRefunded),
        "customer.mail_requested" | crate::order::MAIL_REQUESTED | "staff.mail_requested" => {
            NotificationTemplate::requested(event.payload.get("template")?.as_str()?)
        }
        _ => None,
    }
}

/// Whether somebody still wants to be told: whoever bought a card waits for its code however long it takes.
fn is_news((event, template): &(&event::Model, NotificationTemplate), since: DateTime<Utc>) -> bool {
    event.at >= since || *template == NotificationTemplate::GiftCard
}

/// Reads on in the log until it is read; answers with how many events that were.
pub async fn collect(app: &Arc<App>) -> Result<usize> {
    let mut read = 0;
    // One look without a lock tells whether there is anything: most of the time there is not.
    while !stamped_after(&app.read(), repo::position(&app.read()).await?, 1).await?.is_empty() {
        let some = app.run(&Caller::system(), &Collect).await?;
        read += some;
        // What came meanwhile wakes whoever called.
        if (some as u64) < BATCH {
            break;
        }
    }
    Ok(read)
}

/// A notification to nobody about nothing yet.
pub(crate) fn blank(tx: &Tx, template: NotificationTemplate, channel_id: ChannelId) -> notification::Model {
    notification::Model {
        id: tx.id(),
        version: 1,
        created_at: tx.now(),
        updated_at: tx.now(),
        template,
        event_id: None,
        channel_id,
        order_id: None,
        fulfillment_id: None,
        payment_id: None,
        payment_link_id: None,
        amount_minor: None,
        customer_id: None,
        staff_id: None,
        variant_id: None,
        ledger_account_id: None,
        recipient: None,
        locale: String::new(),
        state: NotificationState::Pending,
        attempts: 0,
        due_at: Some(tx.now()),
        sent_at: None,
        message_id: None,
        error: None,
        resend_of: None,
        forget_copy: false,
    }
}

struct Collect;

impl Op for Collect {
    const NAME: &'static str = "notification.collect";
    const NEEDS: Need = Need::System;
    type Out = usize;

    async fn run(&self, tx: &mut Tx) -> Result<usize> {
        let position = repo::lock_position(tx).await?;
        let events = stamped_after(&tx.conn, position, BATCH).await?;
        let Some(last) = events.last().and_then(|event| event.position) else { return Ok(0) };
        let since = tx.now() - NEWS;
        let asked: Vec<_> =
            events.iter().filter_map(|event| Some((event, wanted(event)?))).filter(|one| is_news(one, since)).collect();
        let people = People::of(tx, &asked).await?;
        let mut rows: Vec<_> = asked.iter().filter_map(|(event, template)| people.row(tx, event, *template)).collect();
        rows.extend(crate::inventory::back::told(tx, &events, &people.settings).await?);
        repo::insert_new(tx, rows).await?;
        repo::set_position(tx, last).await?;
        Ok(events.len())
    }
}

/// Whom the events of a batch are about.
struct People {
    settings: Arc<Settings>,
    orders: HashMap<OrderId, order::Model>,
    customers: HashMap<CustomerId, customer::Model>,
    staff: HashMap<StaffId, staff::Model>,
    cards: HashMap<LedgerAccountId, ledger_account::Model>,
}

impl People {
    async fn of(tx: &mut Tx, asked: &[(&event::Model, NotificationTemplate)]) -> Result<Self> {
        let ids = |about: About| asked.iter().filter(move |(_, kind)| kind.about() == about).map(|(event, _)| event);
        let orders: Vec<OrderId> = ids(About::Order).map(|event| event.aggregate_id.into()).collect();
        let customers: Vec<CustomerId> = ids(About::Customer).map(|event| event.aggregate_id.into()).collect();
        let staff: Vec<StaffId> = ids(About::Staff).map(|event| event.aggregate_id.into()).collect();
        let cards: Vec<LedgerAccountId> = ids(About::GiftCard).map(|event| event.aggregate_id.into()).collect();
        let settings = tx.settings().await?;
        let customers = repo::hold_customers(tx, &customers).await?;
        let orders = repo::hold_orders(tx, &orders).await?;
        let staff = repo::staff(&tx.conn, &staff).await?;
        let cards = crate::ledger::repo::hold_all(tx, &cards).await?;
        Ok(Self {
            settings,
            orders: orders.into_iter().map(|row| (row.id, row)).collect(),
            customers: customers.into_iter().map(|row| (row.id, row)).collect(),
            staff: staff.into_iter().map(|row| (row.id, row)).collect(),
            cards: cards.into_iter().map(|row| (row.id, row)).collect(),
        })
    }

    /// The row for an event; nothing when nobody is there any more to be told.
    fn row(&self, tx: &Tx, event: &event::Model, template: NotificationTemplate) -> Option<notification::Model> {
        let id = |name: &str| event.payload.get(name).and_then(serde_json::Value::as_str);
        let mut row = notification::Model {
            event_id: Some(event.id),
            fulfillment_id: id("fulfillment").and_then(|text| text.parse::<FulfillmentId>().ok()),
            payment_id: id("payment").and_then(|text| text.parse::<PaymentId>().ok()),
            payment_link_id: id("paymentLink").and_then(|text| text.parse().ok()),
            amount_minor: event.payload.get("amountMinor").and_then(serde_json::Value::as_i64),
            ..blank(tx, template, self.channel(id("channelId").and_then(|text| text.parse().ok()))?)
        };
        match template.about() {
            About::Order => {
                let order = self.orders.get(&event.aggregate_id.into())?;
                row.order_id = Some(order.id);
                row.customer_id = order.customer_id;
                row.channel_id = order.channel_id;
                row.recipient = Some(order.email.clone());
                row.locale.clone_from(&order.locale);
            }
            About::Customer => {
                let customer = self.customers.get(&event.aggregate_id.into())?;
                row.customer_id = Some(customer.id);
                row.recipient = super::compose::mailbox_of(customer, template);
                row.locale = customer.locale.clone().unwrap_or_else(|| self.language(row.channel_id));
            }
            About::Staff => {
                let staff = self.staff.get(&event.aggregate_id.into())?;
                row.staff_id = Some(staff.id);
                row.recipient = Some(staff.email.clone());
                row.locale = self.language(row.channel_id);
            }
            About::GiftCard => {
                let card = self.cards.get(&event.aggregate_id.into())?;
                row.ledger_account_id = Some(card.id);
                row.order_id = id("order").and_then(|text| text.parse().ok());
                row.recipient = Some(card.recipient.clone()?);
                row.locale = card.locale.clone().unwrap_or_else(|| self.language(row.channel_id));
            }
            // Nobody stands in the event: those who asked are looked up.
            About::Variant => return None,
        }
        // An erased person is told nothing.
        (row.recipient != Some(Email::erased())).then_some(row)
    }

    /// The channel in which it was asked for, else the shop's first.
    fn channel(&self, named: Option<ChannelId>) -> Option<ChannelId> {
        let known = named.filter(|id| self.settings.channels.iter().any(|channel| channel.id == *id));
        let first = || self.settings.default_channel().ok().or(self.settings.channels.first()).map(|row| row.id);
        known.or_else(first)
    }

    fn language(&self, channel: ChannelId) -> String {
        let row = self.settings.channels.iter().find(|row| row.id == channel);
        row.map_or_else(|| "en".to_owned(), |row| row.default_locale.clone())
    }
}
