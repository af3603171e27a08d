//! What must hold of the database after every test, whatever happened in it.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use domain::cart::CartState;
use domain::checkout::CheckoutState;
use domain::flow::FlowState;
use domain::inventory::StockCount;
use domain::order::{fulfillment_status, payment_status};
use domain::payment::share;
use engine::ledger::spend::pays_here;
use engine::order::repo::counters;
use engine::payment::repo::{paid_of, with_ledgers};
use entity::{
    cart, checkout, event, flow, line_tax, order, order_line, order_shipping_line, payment, reservation, stock_level,
    stock_movement,
};
use sea_orm::EntityTrait;

use super::Shop;

/// Stock, money, numbers, histories and checkouts agree with themselves.
pub async fn invariants(shop: &Shop) {
    stock(shop).await;
    totals(shop).await;
    statuses(shop).await;
    numbers(shop).await;
    histories(shop).await;
    checkouts(shop).await;
    assert_eq!(engine::check::check(&shop.app).await.unwrap(), [], "what emporion check says");
}

async fn stock(shop: &Shop) {
    let conn = shop.app.read();
    let mut promised: BTreeMap<_, i32> = BTreeMap::new();
    for row in reservation::Entity::find().all(&conn).await.unwrap() {
        *promised.entry((row.item_id, row.location_id)).or_default() += row.quantity;
    }
    let mut moved: BTreeMap<_, i32> = BTreeMap::new();
    let mut coming: BTreeMap<_, i32> = BTreeMap::new();
    for row in stock_movement::Entity::find().all(&conn).await.unwrap() {
        let count = if row.counted == StockCount::Stocked { &mut moved } else { &mut coming };
        *count.entry((row.item_id, row.location_id)).or_default() += row.delta;
    }
    for level in stock_level::Entity::find().all(&conn).await.unwrap() {
        let place = (level.item_id, level.location_id);
        assert_eq!(level.reserved, promised.remove(&place).unwrap_or(0), "reserved is the sum of the promises");
        assert_eq!(level.stocked, moved.remove(&place).unwrap_or(0), "stocked is the sum of the movements");
        assert_eq!(level.incoming, coming.remove(&place).unwrap_or(0), "incoming is the sum of the movements");
        assert!(level.reserved >= 0 && level.stocked >= 0, "{level:?}");
    }
    assert!(promised.is_empty() && moved.is_empty() && coming.is_empty(), "promises or movements without a level");
}

async fn totals(shop: &Shop) {
    let conn = shop.app.read();
    let lines = order_line::Entity::find().all(&conn).await.unwrap();
    let charges = order_shipping_line::Entity::find().all(&conn).await.unwrap();
    let taxes = line_tax::Entity::find().all(&conn).await.unwrap();
    for order in order::Entity::find().all(&conn).await.unwrap() {
        let lines = lines.iter().filter(|line| line.order_id == order.id);
        let charges = charges.iter().filter(|charge| charge.order_id == order.id);
        let taxes: Vec<_> = taxes.iter().filter(|tax| tax.order_id == order.id).collect();
        let (mut total, mut tax, mut subtotal, mut shipping) = (0, 0, 0, 0);
        for line in lines {
            assert_eq!(line.net_minor + line.tax_minor, line.total_minor, "{line:?}");
            assert_eq!(line.unit_price_minor * i64::from(line.ordered), line.subtotal_minor, "{line:?}");
            let own = taxes.iter().filter(|tax| tax.order_line_id == Some(line.id)).map(|tax| tax.tax_minor);
            assert_eq!(own.sum::<i64>(), line.tax_minor, "{line:?}");
            assert!(line.net_minor >= 0 && line.tax_minor >= 0 && line.discount_minor >= 0, "{line:?}");
            total += line.total_minor;
            tax += line.tax_minor;
            subtotal += line.subtotal_minor;
        }
        for charge in charges {
            assert_eq!(charge.net_minor + charge.tax_minor, charge.total_minor, "{charge:?}");
            let own = taxes.iter().filter(|tax| tax.order_shipping_line_id == Some(charge.id));
            assert_eq!(own.map(|tax| tax.tax_minor).sum::<i64>(), charge.tax_minor, "{charge:?}");
            assert!(charge.net_minor >= 0 && charge.tax_minor >= 0, "{charge:?}");
            total += charge.total_minor;
            tax += charge.tax_minor;
            shipping += charge.amount_minor;
        }
        assert_eq!((order.total_minor, order.tax_minor), (total, tax), "{order:?}");
        assert_eq!((order.subtotal_minor, order.shipping_minor), (subtotal, shipping), "{order:?}");
        assert_eq!(taxes.iter().map(|tax| tax.tax_minor).sum::<i64>(), order.tax_minor, "{order:?}");
    }
}

async fn statuses(shop: &Shop) {
    let conn = shop.app.read();
    let lines = order_line::Entity::find().all(&conn).await.unwrap();
    for order in order::Entity::find().all(&conn).await.unwrap() {
        let paid = paid_of(&conn, order.id).await.unwrap();
        assert_eq!(order.payment_status, payment_status(order.total_minor, &paid), "{order:?}");
        let counted: Vec<_> = lines.iter().filter(|line| line.order_id == order.id).map(counters).collect();
        assert_eq!(order.fulfillment_status, fulfillment_status(&counted), "{order:?}");
    }
}

async fn numbers(shop: &Shop) {
    let orders = order::Entity::find().all(&shop.app.read()).await.unwrap();
    let numbers: BTreeSet<_> = orders.iter().map(|order| order.number).collect();
    let expected: BTreeSet<Option<i64>> = (1_001..).map(Some).take(orders.len()).collect();
    assert_eq!(numbers, expected, "order numbers have no holes");
}

async fn histories(shop: &Shop) {
    let mut histories: BTreeMap<_, BTreeSet<i64>> = BTreeMap::new();
    let mut count = 0_usize;
    for event in event::Entity::find().all(&shop.app.read()).await.unwrap() {
        histories.entry((event.aggregate_type, event.aggregate_id)).or_default().insert(event.sequence);
        count += 1;
    }
    assert_eq!(histories.values().map(BTreeSet::len).sum::<usize>(), count, "no sequence twice");
    for (aggregate, sequences) in histories {
        let dense: BTreeSet<i64> = (1..).take(sequences.len()).collect();
        assert_eq!(sequences, dense, "{aggregate:?} is dense");
    }
}

async fn checkouts(shop: &Shop) {
    let conn = shop.app.read();
    let orders: HashMap<_, _> =
        order::Entity::find().all(&conn).await.unwrap().into_iter().map(|order| (order.checkout_id, order)).collect();
    let mut payments = payment::Entity::find().all(&conn).await.unwrap();
    payments.sort_by_key(|payment| payment.id);
    for order in orders.values() {
        let own: Vec<_> = payments.iter().filter(|payment| payment.order_id == Some(order.id)).collect();
        // What gift cards and store credit don't pay, one provider takes at first.
        let here = own.iter().filter(|payment| pays_here(&payment.provider));
        let rest = order.total_minor - here.map(|payment| payment.amount_minor).sum::<i64>();
        let first = own.iter().find(|payment| !pays_here(&payment.provider));
        assert_eq!(first.map(|payment| payment.amount_minor), (rest > 0).then_some(rest), "{order:?}");
        // What came later pays for what the first one did not.
        let ledgers = with_ledgers(&conn, &[order.id]).await.unwrap();
        let covered: i64 = ledgers.iter().map(|(_, ledger)| share(ledger)).sum();
        assert!(covered <= order.total_minor, "{covered} of {order:?}");
    }
    let checkouts = checkout::Entity::find().all(&conn).await.unwrap();
    let runs = flow::Entity::find().all(&conn).await.unwrap();
    let runs: HashMap<&str, FlowState> = runs.iter().map(|run| (run.key.as_str(), run.state)).collect();
    let mut states: HashMap<_, Vec<CheckoutState>> = HashMap::new();
    for checkout in &checkouts {
        let order = orders.get(&checkout.id).map(|order| order.id);
        assert_eq!(checkout.order_id, order, "{checkout:?}");
        assert_eq!(checkout.state == CheckoutState::Placed, order.is_some(), "{checkout:?}");
        states.entry(checkout.cart_id).or_default().push(checkout.state);
        let run = runs[checkout.id.to_string().as_str()];
        let expected: &[FlowState] = match checkout.state {
            CheckoutState::Placed => &[FlowState::Done],
            CheckoutState::Abandoned => &[FlowState::Abandoned],
            _ => &[FlowState::Running, FlowState::Parked, FlowState::Stuck],
        };
        assert!(expected.contains(&run), "the run of {checkout:?} is {run:?}");
    }
    for cart in cart::Entity::find().all(&conn).await.unwrap() {
        let states = states.remove(&cart.id).unwrap_or_default();
        let of = |wanted: &[CheckoutState]| states.iter().filter(|state| wanted.contains(state)).count();
        let placed = of(&[CheckoutState::Placed]);
        let waiting = of(&[CheckoutState::Pending, CheckoutState::RequiresAction]);
        assert_eq!(placed, usize::from(cart.state == CartState::Completed), "{cart:?}");
        assert_eq!(waiting, usize::from(cart.state == CartState::Completing), "{cart:?}");
    }
}
