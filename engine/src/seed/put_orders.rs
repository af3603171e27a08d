//! Writing orders as they would stand if they had been bought, paid, packed and sent over two years: many in one
//! transaction, each with its cart, checkout, payment, parcels and history. The totals are worked out and frozen by
//! what works them out and freezes them for shoppers.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use domain::auth::ActorKind;
use domain::cart::CartState;
use domain::checkout::CheckoutState;
use domain::flow::FlowState;
use domain::fulfillment::FulfillmentState;
use domain::id::{CartId, CheckoutId, CustomerId, FulfillmentId, InventoryItemId};
use domain::inventory::{MovementReason, StockCount};
use domain::order::{OrderStatus, fulfillment_status, order_status, payment_status};
use domain::payment::{CaptureMode, Entry, EntryKind, EntryState, state};
use entity::{
    address, auth_identity, cart, cart_delivery, cart_line, checkout, customer, event, flow, fulfillment,
    fulfillment_item, fulfillment_line, line_tax, order, order_line, order_shipping_line, order_token, payment,
    payment_entry, payment_session, reservation, stock_movement, tracking,
};
use serde_json::json;
use uuid::Uuid;

use super::agree::{PROVIDER, Shared, Wanted, freeze, sold_to};
use super::fill::{Mark, move_on};
use super::goods::Good;
use super::people::Person;
use super::plan::{Bought, Plan};
use super::put_goods::created;
use super::repo;
use crate::actor::Need;
use crate::auth::token::ORDER_LINK_LIFE;
use crate::catalog::rows::default_location;
use crate::checkout::frozen::Frozen;
use crate::error::{Error, Result};
use crate::inventory::repo::promise;
use crate::op::{Op, Tx, input_hash};

/// How long a cart lived before it was bought.
const FILLED: TimeDelta = TimeDelta::minutes(12);

/// Writes the orders from one place to another.
#[derive(Debug)]
pub(super) struct PutOrders<'p> {
    pub plan: &'p Plan,
    pub mark: &'p Mark,
    pub to: usize,
}

/// Rows that wait to be written.
#[derive(Default)]
struct Rows {
    customers: Vec<customer::Model>,
    identities: Vec<auth_identity::Model>,
    addresses: Vec<address::Model>,
    carts: Vec<cart::Model>,
    cart_lines: Vec<cart_line::Model>,
    deliveries: Vec<cart_delivery::Model>,
    sessions: Vec<payment_session::Model>,
    checkouts: Vec<checkout::Model>,
    flows: Vec<flow::Model>,
    orders: Vec<order::Model>,
    lines: Vec<order_line::Model>,
    charges: Vec<order_shipping_line::Model>,
    taxes: Vec<line_tax::Model>,
    tokens: Vec<order_token::Model>,
    payments: Vec<payment::Model>,
    entries: Vec<payment_entry::Model>,
    fulfillments: Vec<fulfillment::Model>,
    packed: Vec<fulfillment_line::Model>,
    used: Vec<fulfillment_item::Model>,
    trackings: Vec<tracking::Model>,
    reservations: Vec<reservation::Model>,
    movements: Vec<stock_movement::Model>,
    events: Vec<event::Model>,
    levels: BTreeMap<InventoryItemId, (i32, i32)>,
}

/// An order on its way through its history.
struct Story {
    bought: Bought,
    order: order::Model,
    lines: Vec<order_line::Model>,
    items: Vec<InventoryItemId>,
    events: Vec<(DateTime<Utc>, &'static str, serde_json::Value)>,
}

impl Op for PutOrders<'_> {
    const NAME: &'static str = "seed.put_orders";
    const NEEDS: Need = Need::System;
    type Out = Mark;

    async fn run(&self, tx: &mut Tx) -> Result<Mark> {
        let next = Mark { orders: self.to, ..self.mark.clone() };
        move_on(tx, self.mark, &next).await?;
        let settings = tx.settings().await?;
        let sold_to = sold_to(&settings);
        let mut wanted = Vec::new();
        for place in self.mark.orders..self.to {
            let bought = self.plan.bought(place)?;
            let person = self.plan.person(bought.person, &sold_to)?;
            let lines = bought.lines.iter().map(|(good, ..)| self.plan.good(*good)).collect::<Result<Vec<_>>>()?;
            wanted.push((place, bought, person, lines));
        }
        let mut skus: Vec<String> = Vec::new();
        for (_, bought, _, goods) in &wanted {
            skus.extend(
                bought.lines.iter().zip(goods).map(|((_, variant, _), good)| good.variants[*variant].sku.clone()),
            );
        }
        skus.sort_unstable();
        skus.dedup();
        let accounts: Vec<String> = wanted
            .iter()
            .filter(|(_, _, person, _)| person.account)
            .map(|(_, _, person, _)| person.email.to_string())
            .collect();
        let channel = settings.default_channel()?;
        let mut shared = Shared {
            settings: &settings,
            channel: channel.id,
            locale: channel.default_locale.clone(),
            location: default_location(tx, &settings)?,
            stock: repo::of_skus(&tx.conn, &skus).await?,
            customers: repo::accounts(&tx.conn, &accounts).await?,
        };
        let first = repo::take_numbers(tx, wanted.len() as i64).await?;
        let mut rows = Rows::default();
        for (number, (place, bought, person, goods)) in (first..).zip(wanted) {
            if person.account && self.plan.is_first(place, bought.person) {
                let id = rows.register(tx, &shared, &person, bought.at - FILLED);
                shared.customers.insert(person.email.to_string(), id);
            }
            rows.tell(tx, &shared, number, bought, &person, goods)?;
        }
        let levels = std::mem::take(&mut rows.levels);
        rows.write(tx).await?;
        repo::change_levels(tx, shared.location, levels, tx.now()).await?;
        Ok(next)
    }
}

impl Rows {
    /// Somebody opens an account. It has no password: a new one is asked for by mail.
    fn register(&mut self, tx: &Tx, shared: &Shared<'_>, person: &Person, at: DateTime<Utc>) -> CustomerId {
        let id: CustomerId = tx.id();
        let row = customer::Model {
            id,
            version: 1,
            created_at: at,
            updated_at: at,
            deleted_at: None,
            email: person.email.clone(),
            has_account: true,
            first_name: person.address.first_name.clone(),
            last_name: Some(person.address.last_name.clone()),
            phone: None,
            locale: Some(shared.locale.clone()),
            accepts_marketing: person.accepts_marketing,
            verified_at: Some(at),
            new_email: None,
            previous_email: None,
            search_text: String::new(),
            tax_exempt: false,
            tax_number: None,
        };
        self.customers.push(customer::Model { search_text: crate::customer::searched(&row), ..row });
        self.identities.push(auth_identity::Model {
            id: tx.id(),
            actor_kind: ActorKind::Customer,
            actor_id: id.into(),
            provider: "password".to_owned(),
            subject: person.email.to_string(),
            secret_hash: None,
            created_at: at,
            updated_at: at,
        });
        self.addresses.push(address::Model {
            id: tx.id(),
            version: 1,
            created_at: at,
            updated_at: at,
            customer_id: id,
            address: person.address.clone(),
            default_shipping: true,
            default_billing: true,
        });
        self.events.push(created(tx, "customer", id.into(), at));
        id
    }

    /// From the cart to what has become of the order by the last day.
    fn tell(
        &mut self,
        tx: &Tx,
        shared: &Shared<'_>,
        number: i64,
        bought: Bought,
        person: &Person,
        goods: Vec<Good>,
    ) -> Result<()> {
        let at = bought.at;
        let lines = bought.lines.iter().zip(goods).map(|((_, variant, quantity), good)| {
            let stocked = shared.stock.get(&good.variants[*variant].sku).copied();
            let stocked = stocked.ok_or_else(|| Error::internal("a product that was to be bought is gone"))?;
            Ok(Wanted { good, variant: *variant, quantity: *quantity, stocked })
        });
        let lines = lines.collect::<Result<Vec<_>>>()?;
        let customer = shared.customers.get(person.email.as_str()).copied().filter(|_| person.account);
        let frozen = freeze(tx, shared, person, customer, bought.express, &lines)?;
        let (cart, checkout): (CartId, CheckoutId) = (tx.id(), tx.id());
        self.fill_cart(tx, cart, &frozen, at)?;
        self.check_out(tx, cart, checkout, &frozen, at)?;
        let mut new = frozen.rows(tx, checkout);
        new.order.number = Some(number);
        (new.order.created_at, new.order.updated_at, new.order.placed_at) = (at, at, at);
        (new.token.created_at, new.token.expires_at) = (at, at + ORDER_LINK_LIFE);
        self.charges.extend(new.shipping);
        self.taxes.extend(new.taxes);
        self.tokens.push(new.token);
        let total = json!({ "totalMinor": frozen.totals.total_minor, "currency": frozen.currency });
        let mut story = Story {
            bought,
            order: new.order,
            lines: new.lines,
            items: lines.iter().map(|line| line.stocked.item).collect(),
            events: vec![(at, "order.placed", total)],
        };
        let ledger = self.pay(tx, &mut story);
        self.send(tx, shared, &mut story);
        self.end(tx, story, &ledger);
        Ok(())
    }

    fn fill_cart(&mut self, tx: &Tx, id: CartId, frozen: &Frozen, at: DateTime<Utc>) -> Result<()> {
        self.carts.push(cart::Model {
            id,
            version: 5,
            created_at: at - FILLED,
            updated_at: at,
            // Of no token: nobody comes back to it.
            token_hash: input_hash(&tx.id::<Uuid>())?,
            channel_id: frozen.channel,
            region_id: frozen.region,
            currency: frozen.currency,
            customer_id: frozen.customer,
            email: Some(frozen.email.clone()),
            locale: frozen.locale.clone(),
            shipping_address: frozen.shipping_address.clone(),
            billing_address: None,
            state: CartState::Completed,
            expires_at: at + TimeDelta::days(30),
            tax_number: frozen.tax_number.clone(),
            untouched_since: None,
            abandoned_at: None,
            erased_at: None,
            codes: 0,
            uses_store_credit: false,
        });
        self.cart_lines.extend(frozen.lines.iter().map(|line| cart_line::Model {
            id: tx.id(),
            cart_id: id,
            position: line.position,
            variant_id: line.variant,
            quantity: line.quantity,
            price_id: None,
            unit_price_minor: line.unit_price_minor,
            includes_tax: line.includes_tax,
            currency: Some(frozen.currency),
            custom_price: false,
            gift_of: None,
        }));
        self.deliveries.extend(frozen.shipping.iter().map(|charge| cart_delivery::Model {
            id: tx.id(),
            cart_id: id,
            position: charge.position,
            shipping_option_id: Some(charge.option),
            shipping_profile_id: None,
        }));
        self.sessions.push(payment_session::Model {
            id: tx.id(),
            created_at: at - FILLED,
            cart_id: id,
            provider: PROVIDER.to_owned(),
            data: json!({}),
            saved_method: None,
            saves_method: false,
        });
        Ok(())
    }

    fn check_out(&mut self, tx: &Tx, cart: CartId, id: CheckoutId, frozen: &Frozen, at: DateTime<Utc>) -> Result<()> {
        self.checkouts.push(checkout::Model {
            id,
            version: 2,
            created_at: at,
            updated_at: at,
            cart_id: cart,
            state: CheckoutState::Placed,
            frozen: serde_json::to_value(frozen).map_err(Error::internal)?,
            frozen_hash: input_hash(frozen)?,
            total_minor: frozen.totals.due_minor,
            currency: frozen.currency,
            provider: Some(PROVIDER.to_owned()),
            provider_data: Some(json!({})),
            provider_reference: Some(format!("{PROVIDER}:{id}")),
            next_action: None,
            order_id: Some(frozen.order),
            capture: Some(CaptureMode::Manual),
            saved_method: None,
            saves_method: false,
        });
        self.flows.push(flow_row(tx, crate::checkout::flow::KIND, id.to_string(), at));
        Ok(())
    }

    /// The payment with its ledger.
    fn pay(&mut self, tx: &Tx, story: &mut Story) -> Vec<Entry> {
        let (order, course) = (&story.order, &story.bought.course);
        let reference = format!("{PROVIDER}:{}", order.checkout_id);
        let total = order.total_minor;
        let mut steps = vec![(EntryKind::Authorize, order.placed_at, total)];
        if let Some((at, half)) = course.captured {
            steps.push((EntryKind::Capture, at, if half { (total / 2).max(1) } else { total }));
        }
        if let Some(at) = course.canceled {
            // Called off first, then the provider answers.
            let kind = if course.captured.is_some() { EntryKind::Refund } else { EntryKind::Void };
            steps.push((kind, at + TimeDelta::seconds(1), total));
        }
        let id = tx.id();
        let mut ledger = Vec::new();
        for (kind, at, amount_minor) in &steps {
            let row = payment_entry::Model {
                id: tx.id(),
                at: *at,
                payment_id: id,
                kind: *kind,
                state: EntryState::Succeeded,
                amount_minor: *amount_minor,
                provider_reference: None,
                cause: String::new(),
                reason: None,
                note: None,
            };
            let entry = row.id;
            let (cause, said) = match kind {
                EntryKind::Authorize => (order.checkout_id.to_string(), reference.clone()),
                EntryKind::Capture => ("staff".to_owned(), format!("{reference}:capture:{entry}")),
                EntryKind::Refund => ("cancel".to_owned(), format!("{reference}:refund:{entry}")),
                EntryKind::Void => ("cancel".to_owned(), format!("{reference}:void:{entry}")),
                EntryKind::Reversal => ("provider".to_owned(), reference.clone()),
            };
            if *kind != EntryKind::Authorize {
                self.flows.push(flow_row(tx, crate::payment::flow::KIND, entry.to_string(), *at));
            }
            ledger.push(crate::payment::repo::entry(&row));
            self.entries.push(payment_entry::Model { provider_reference: Some(said), cause, ..row });
            let payload = json!({ "payment": id, "amountMinor": amount_minor });
            story.events.push((*at, crate::payment::event_kind(*kind), payload));
        }
        let last = steps.last().map_or(order.placed_at, |(_, at, _)| *at);
        self.payments.push(payment::Model {
            id,
            version: steps.len() as i32,
            created_at: order.placed_at,
            updated_at: last,
            checkout_id: order.checkout_id,
            order_id: Some(order.id),
            provider: PROVIDER.to_owned(),
            amount_minor: total,
            currency: order.currency,
            state: state(total, &ledger, false),
            provider_reference: Some(reference),
            data: None,
            next_action: None,
            capture: Some(CaptureMode::Manual),
            failure: None,
            link_id: None,
            saved_method: None,
            saves_method: false,
        });
        ledger
    }

    /// Parcels, what they take from stock, and what stays promised.
    fn send(&mut self, tx: &Tx, shared: &Shared<'_>, story: &mut Story) {
        let parcels = std::mem::take(&mut story.bought.course.parcels);
        for parcel in parcels {
            let id: FulfillmentId = tx.id();
            let state = match (parcel.shipped, parcel.delivered) {
                (_, Some(_)) => FulfillmentState::Delivered,
                (Some(_), None) => FulfillmentState::Shipped,
                (None, None) => FulfillmentState::Packed,
            };
            self.fulfillments.push(fulfillment::Model {
                id,
                version: 1 + i32::from(parcel.shipped.is_some()) + i32::from(parcel.delivered.is_some()),
                created_at: parcel.packed,
                updated_at: parcel.delivered.or(parcel.shipped).unwrap_or(parcel.packed),
                order_id: story.order.id,
                location_id: shared.location,
                state,
                shipped_at: parcel.shipped,
                delivered_at: parcel.delivered,
                canceled_at: None,
            });
            for (place, quantity) in parcel.lines {
                let (line, item) = (&mut story.lines[place], story.items[place]);
                line.fulfilled += quantity;
                line.shipped += if parcel.shipped.is_some() { quantity } else { 0 };
                line.delivered += if parcel.delivered.is_some() { quantity } else { 0 };
                self.packed.push(fulfillment_line::Model {
                    id: tx.id(),
                    fulfillment_id: id,
                    order_line_id: line.id,
                    quantity,
                });
                self.used.push(fulfillment_item::Model {
                    fulfillment_id: id,
                    order_line_id: line.id,
                    item_id: item,
                    quantity,
                });
                self.movements.push(stock_movement::Model {
                    id: tx.id(),
                    at: parcel.packed,
                    item_id: item,
                    location_id: shared.location,
                    counted: StockCount::Stocked,
                    delta: -quantity,
                    reason: MovementReason::Sold,
                    cause: Some(id.to_string()),
                    actor: tx.actor().to_string(),
                });
                self.levels.entry(item).or_default().0 -= quantity;
            }
            let steps = [
                (Some(parcel.packed), "fulfillment.created"),
                (parcel.shipped, "fulfillment.shipped"),
                (parcel.delivered, "fulfillment.delivered"),
            ];
            for (at, kind) in steps {
                story.events.extend(at.map(|at| (at, kind, json!({ "fulfillment": id }))));
            }
            if parcel.shipped.is_some() {
                let number = format!("0034{:08}{:02}", story.order.number.unwrap_or(0), self.trackings.len() % 100);
                let carrier = Some("DHL".to_owned());
                self.trackings.push(tracking::Model { id: tx.id(), fulfillment_id: id, number, carrier, url: None });
            }
        }
        for (line, item) in story.lines.iter_mut().zip(&story.items) {
            if story.bought.course.canceled.is_some() {
                line.canceled = line.ordered;
                continue;
            }
            let open = line.ordered - line.fulfilled;
            if open > 0 {
                self.levels.entry(*item).or_default().1 += open;
                self.reservations.push(reservation::Model {
                    created_at: story.order.placed_at,
                    checkout_id: Some(story.order.checkout_id),
                    position: Some(line.position),
                    order_line_id: Some(line.id),
                    ..promise(tx, (*item, shared.location), open)
                });
            }
        }
    }

    /// The statuses that follow from all of it, and the history.
    fn end(&mut self, tx: &Tx, mut story: Story, ledger: &[Entry]) {
        let mut order = story.order;
        let paid = crate::payment::repo::paid([(state(order.total_minor, ledger, false), ledger)]);
        let counted: Vec<_> = story.lines.iter().map(crate::order::repo::counters).collect();
        order.payment_status = payment_status(order.total_minor, &paid);
        order.fulfillment_status = fulfillment_status(&counted);
        if let Some(at) = story.bought.course.canceled {
            order.canceled_at = Some(at);
            order.status = OrderStatus::Canceled;
            story.events.push((at, "order.canceled", json!({})));
        }
        order.status = order_status(order.status, order.payment_status, order.fulfillment_status);
        story.events.sort_by_key(|(at, ..)| *at);
        order.updated_at = story.events.last().map_or(order.placed_at, |(at, ..)| *at);
        // Placed and authorized in one; every event after those is a change.
        order.version = (story.events.len() as i32 - 1).max(1);
        for (sequence, (at, kind, payload)) in (1..).zip(story.events) {
            self.events.push(event::Model {
                id: tx.id(),
                aggregate_type: "order".to_owned(),
                aggregate_id: order.id.into(),
                sequence,
                kind: kind.to_owned(),
                version: 1,
                payload,
                actor: tx.actor().to_string(),
                at,
                position: None,
            });
        }
        self.orders.push(order);
        self.lines.extend(story.lines);
    }

    async fn write(self, tx: &Tx) -> Result<()> {
        repo::insert::<customer::Entity>(tx, self.customers).await?;
        repo::insert::<auth_identity::Entity>(tx, self.identities).await?;
        repo::insert::<address::Entity>(tx, self.addresses).await?;
        repo::insert::<cart::Entity>(tx, self.carts).await?;
        repo::insert::<cart_line::Entity>(tx, self.cart_lines).await?;
        repo::insert::<cart_delivery::Entity>(tx, self.deliveries).await?;
        repo::insert::<payment_session::Entity>(tx, self.sessions).await?;
        repo::insert::<checkout::Entity>(tx, self.checkouts).await?;
        repo::insert::<flow::Entity>(tx, self.flows).await?;
        repo::insert::<order::Entity>(tx, self.orders).await?;
        repo::insert::<order_line::Entity>(tx, self.lines).await?;
        repo::insert::<order_shipping_line::Entity>(tx, self.charges).await?;
        repo::insert::<line_tax::Entity>(tx, self.taxes).await?;
        repo::insert::<order_token::Entity>(tx, self.tokens).await?;
        repo::insert::<payment::Entity>(tx, self.payments).await?;
        repo::insert::<payment_entry::Entity>(tx, self.entries).await?;
        repo::insert::<fulfillment::Entity>(tx, self.fulfillments).await?;
        repo::insert::<fulfillment_line::Entity>(tx, self.packed).await?;
        repo::insert::<fulfillment_item::Entity>(tx, self.used).await?;
        repo::insert::<tracking::Entity>(tx, self.trackings).await?;
        repo::insert::<reservation::Entity>(tx, self.reservations).await?;
        repo::insert::<stock_movement::Entity>(tx, self.movements).await?;
        repo::insert::<event::Entity>(tx, self.events).await
    }
}

fn flow_row(tx: &Tx, kind: &str, key: String, at: DateTime<Utc>) -> flow::Model {
    flow::Model {
        id: tx.id(),
        version: 2,
        created_at: at,
        updated_at: at,
        kind: kind.to_owned(),
        key,
        state: FlowState::Done,
        step: "provider".to_owned(),
        attempts: 1,
        run_at: at,
        deadline: at + crate::flow::PARKED_LIFE,
        data: json!({}),
        held: false,
        provider: None,
    }
}
