//! What a filled shop will hold: how much, from when to when, who bought what, and what became of it. Everything
//! follows from the size and the last day, so that a fill that was cut goes on as if nothing had happened.

use std::collections::HashMap;

use chrono::{DateTime, Datelike, TimeDelta, Utc};
use domain::text::CountryCode;
use serde::{Deserialize, Serialize};

use super::dice::Dice;
use super::goods::{Good, demo_count, good};
use super::people::{Person, person};
use super::word::MONTHS;
use crate::error::Result;

/// What the draws of orders are about.
const ORDERS: u64 = 3;
/// What the draws of moments are about.
const TIMES: u64 = 4;
/// How long the shop has been selling.
const DAYS: i64 = 730;

/// How much there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Size {
    /// 30 products, 200 orders.
    S,
    /// 1,000 products, 5,000 orders.
    M,
    /// 100,000 products, 50,000 orders.
    L,
}

impl Size {
    /// How many products.
    pub fn products(self) -> usize {
        match self {
            Self::S => 30,
            Self::M => 1_000,
            Self::L => 100_000,
        }
    }

    /// How many orders.
    pub fn orders(self) -> usize {
        match self {
            Self::S => 200,
            Self::M => 5_000,
            Self::L => 50_000,
        }
    }

    /// The word of the command line.
    pub fn word(self) -> &'static str {
        match self {
            Self::S => "s",
            Self::M => "m",
            Self::L => "l",
        }
    }
}

/// A line of an order: which product, which of its variants, how many.
pub(super) type Line = (usize, usize, i32);

/// An order.
#[derive(Debug, Clone)]
pub(super) struct Bought {
    pub at: DateTime<Utc>,
    pub person: usize,
    /// Which of the shipping options that are offered.
    pub express: bool,
    pub lines: Vec<Line>,
    pub course: Course,
}

/// What became of an order until the last day.
#[derive(Debug, Clone, Default)]
pub(super) struct Course {
    /// When money was taken, and whether only a half of it.
    pub captured: Option<(DateTime<Utc>, bool)>,
    pub parcels: Vec<Parcel>,
    pub canceled: Option<DateTime<Utc>>,
}

/// A fulfillment.
#[derive(Debug, Clone)]
pub(super) struct Parcel {
    /// Places of lines, and how many of each.
    pub lines: Vec<(usize, i32)>,
    pub packed: DateTime<Utc>,
    pub shipped: Option<DateTime<Utc>>,
    pub delivered: Option<DateTime<Utc>>,
}

/// The whole.
#[derive(Debug)]
pub(super) struct Plan {
    pub size: Size,
    pub start: DateTime<Utc>,
    pub until: DateTime<Utc>,
    /// When each order is placed, in order.
    times: Vec<DateTime<Utc>>,
    /// The first order of each person.
    first: HashMap<usize, usize>,
    /// How many are ordered of each variant that anybody buys.
    demand: HashMap<(usize, usize), i32>,
}

impl Plan {
    pub fn new(size: Size, until: DateTime<Utc>) -> Result<Self> {
        let start = until - TimeDelta::days(DAYS);
        let times = times(start, size.orders());
        let mut plan = Self { size, start, until, times, first: HashMap::new(), demand: HashMap::new() };
        let (mut first, mut demand) = (HashMap::new(), HashMap::new());
        for place in 0..size.orders() {
            let bought = plan.bought(place)?;
            first.entry(bought.person).or_insert(place);
            if bought.course.canceled.is_none() {
                for (good, variant, quantity) in bought.lines {
                    *demand.entry((good, variant)).or_insert(0) += quantity;
                }
            }
        }
        (plan.first, plan.demand) = (first, demand);
        Ok(plan)
    }

    /// The product at a place.
    pub fn good(&self, place: usize) -> Result<Good> {
        good(place, self.start, self.until)
    }

    /// The person at a place.
    pub fn person(&self, place: usize, sold_to: &[CountryCode]) -> Result<Person> {
        person(place, sold_to)
    }

    /// Whether this order is the first of its person.
    pub fn is_first(&self, order: usize, person: usize) -> bool {
        self.first.get(&person) == Some(&order)
    }

    /// How many of a variant are ordered and not called off.
    pub fn demand(&self, good: usize, variant: usize) -> i32 {
        self.demand.get(&(good, variant)).copied().unwrap_or(0)
    }

    /// The order at a place.
    pub fn bought(&self, place: usize) -> Result<Bought> {
        let at = self.times[place];
        let mut dice = Dice::of(ORDERS, place);
        // Few people buy often, many buy once.
        let person = dice.low_below(self.size.orders() * 2 / 5);
        let mut lines: Vec<Line> = Vec::new();
        let wanted = match dice.below(100) {
            0..=49 => 1,
            50..=77 => 2,
            78..=91 => 3,
            _ => 4,
        };
        for _ in 0..wanted {
            let (place, good) = self.chosen(&mut dice, at)?;
            let variant = dice.below(good.variants.len());
            let quantity = match dice.below(100) {
                0..=74 => 1,
                75..=92 => 2,
                _ => 3,
            };
            if !lines.iter().any(|(known, of, _)| (*known, *of) == (place, variant)) {
                lines.push((place, variant, quantity));
            }
        }
        let express = dice.chance(15);
        let course = course(&mut dice, at, self.until, &lines);
        Ok(Bought { at, person, express, lines, course })
    }

    /// A product that is for sale, rather one whose season it is.
    fn chosen(&self, dice: &mut Dice, at: DateTime<Utc>) -> Result<(usize, Good)> {
        for attempt in 0..6 {
            let place = match dice.chance(60) {
                true => dice.low_below(self.size.products()),
                false => dice.below(self.size.products()),
            };
            let good = self.good(place)?;
            if good.is_sold(at) && (good.season.holds(at.month()) || attempt > 3) {
                return Ok((place, good));
            }
        }
        // The demo shop's own are there from the first day.
        let place = dice.below(demo_count()?);
        Ok((place, self.good(place)?))
    }
}

/// The moments of orders: more towards the end of the year, at the end of the week, and from year to year.
fn times(start: DateTime<Utc>, count: usize) -> Vec<DateTime<Utc>> {
    let mut ends: Vec<u64> = Vec::with_capacity(DAYS as usize);
    let mut all = 0;
    for day in 0..DAYS {
        let date = start + TimeDelta::days(day);
        let weekday = if date.weekday().num_days_from_monday() >= 5 { 130 } else { 100 };
        all += MONTHS[date.month0() as usize % MONTHS.len()] * weekday * (100 + 60 * day as u64 / DAYS as u64);
        ends.push(all);
    }
    let spacing = all / (count.max(1) as u64);
    let moment = |place: usize| {
        let mut dice = Dice::of(TIMES, place);
        let at = spacing * place as u64 + dice.below(spacing as usize) as u64;
        let day = ends.partition_point(|end| *end <= at).min(ends.len() - 1);
        let from = if day == 0 { 0 } else { ends[day - 1] };
        let awake = TimeDelta::hours(17).num_microseconds().unwrap_or(0) as u128;
        let within = u128::from(at - from) * awake / u128::from((ends[day] - from).max(1));
        start + TimeDelta::days(day as i64) + TimeDelta::hours(6) + TimeDelta::microseconds(within as i64)
    };
    (0..count).map(moment).collect()
}

/// What becomes of an order. What would happen after the last day has not happened yet.
fn course(dice: &mut Dice, at: DateTime<Utc>, until: DateTime<Utc>, lines: &[Line]) -> Course {
    let hours = |dice: &mut Dice, low: i64, high: i64| TimeDelta::minutes(dice.between(low * 60, high * 60));
    let by = |moment: DateTime<Utc>| (moment < until).then_some(moment);
    let fate = dice.below(100);
    let paid_at = at + hours(dice, 1, 30);
    let packed_at = paid_at + hours(dice, 2, 40);
    let shipped_at = packed_at + hours(dice, 1, 20);
    let delivered_at = shipped_at + hours(dice, 24, 110);
    let captured = by(paid_at);
    // Some are called off before or after the money came; what was taken is given back.
    if fate < 2 {
        return Course { canceled: by(at + TimeDelta::minutes(40)), ..Course::default() };
    }
    if fate < 5 {
        let canceled = captured.and_then(|_| by(paid_at + TimeDelta::minutes(90)));
        return Course { captured: captured.map(|at| (at, false)), canceled, ..Course::default() };
    }
    // Some hang somewhere: nobody paid, only a half came, nobody packed, the carrier lost track.
    if fate < 7 {
        return Course::default();
    }
    if fate < 8 {
        return Course { captured: captured.map(|at| (at, true)), ..Course::default() };
    }
    let mut course = Course { captured: captured.map(|at| (at, false)), ..Course::default() };
    if fate < 10 {
        return course;
    }
    let whole: Vec<(usize, i32)> = lines.iter().enumerate().map(|(place, line)| (place, line.2)).collect();
    let pieces: i32 = whole.iter().map(|(_, quantity)| quantity).sum();
    let in_parts = pieces > 1 && (10..18).contains(&fate);
    let first = if in_parts { vec![(0, (whole[0].1 / 2).max(1))] } else { whole.clone() };
    let rest: Vec<(usize, i32)> = whole
        .iter()
        .map(|(place, quantity)| {
            let gone = first.iter().find(|(known, _)| known == place).map_or(0, |(_, quantity)| *quantity);
            (*place, quantity - gone)
        })
        .filter(|(_, left)| *left > 0)
        .collect();
    // How many steps a parcel takes: packed, shipped, delivered.
    let steps = match fate {
        17 | 18 => 1,
        16 | 19 => 2,
        _ => 3,
    };
    let mut send = |lines: Vec<(usize, i32)>, later: TimeDelta| {
        if let Some(packed) = by(packed_at + later) {
            let shipped = by(shipped_at + later).filter(|_| steps > 1);
            let delivered = by(delivered_at + later).filter(|_| steps > 2);
            course.parcels.push(Parcel { lines, packed, shipped, delivered });
        }
    };
    send(first, TimeDelta::zero());
    // The second parcel of some never leaves.
    if in_parts && fate < 15 {
        send(rest, TimeDelta::days(2));
    }
    course
}
