//! What a cart is offered: its delivery groups, the options of each with their price, and why it is not offered others.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use domain::address::area::Place;
use domain::checkout::DeliveryChoice;
use domain::id::{CartDeliveryId, CartId, LocationId, ShippingOptionId, ShippingProfileId};
use domain::inventory::{AllocationPolicy, Demand, Level};
use domain::money::{Currency, Money};
use domain::provider::Destination;
use domain::refusal::{ErrorCode, Refusal};
use domain::rule::{Attributes, attribute};
use domain::shipping::asked::{AskedOption, Calculated, RateAnswer, RateQuestion};
use domain::shipping::group::{Group, HeldGroup, ShippedLine, groups, regroup};
use domain::shipping::{DeliveryUnavailableReason, NotOffered, Pickup, ShippingReason, Situation, Terms};
use entity::{cart, cart_delivery};
use sha2::{Digest, Sha256};
use uuid::{Builder, Uuid};

use crate::db::Conn;
use crate::error::{Error, Result};
use crate::provider::ask::{Question, answers};
use crate::settings::{Settings, ShippingOption};

/// A shipping option that a delivery group is offered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeliveryOption {
    /// Which option.
    pub id: ShippingOptionId,
    /// Its name.
    pub name: String,
    /// More about it.
    pub description: Option<String>,
    /// What it costs, in minor units of the cart's currency.
    pub amount_minor: i64,
    /// How that was found.
    pub reason: ShippingReason,
    /// Whether that includes tax.
    pub includes_tax: bool,
    /// Where it is picked up; it is sent when there is no such place.
    pub pickup: Option<LocationId>,
}

/// A shipping option that a delivery group is not offered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnavailableOption {
    /// Which option.
    pub id: ShippingOptionId,
    /// Its name.
    pub name: String,
    /// Why not.
    pub why: NotOffered,
}

/// Lines of a cart that ship together, with what they are offered.
#[derive(Debug, Clone, PartialEq)]
pub struct QuotedGroup {
    /// Its row; not every one is written yet.
    pub row: cart_delivery::Model,
    /// The places of its lines in the cart.
    pub lines: Vec<usize>,
    /// What it is offered, oldest first.
    pub offered: Vec<DeliveryOption>,
    /// What it is not offered.
    pub unavailable: Vec<UnavailableOption>,
    /// What was chosen for it, when that is still offered.
    pub chosen: Option<DeliveryOption>,
}

impl QuotedGroup {
    /// Whether it is sent to an address; also while nobody has said that it is picked up.
    pub fn is_sent(&self) -> bool {
        self.chosen.as_ref().is_none_or(|option| option.pickup.is_none())
    }

    /// How far its choice is.
    pub fn choice(&self) -> DeliveryChoice {
        match (self.row.shipping_option_id, self.fault()) {
            (None, _) => DeliveryChoice::Missing,
            (Some(_), None) => DeliveryChoice::Offered,
            (Some(_), Some(why)) => DeliveryChoice::Unavailable(why),
        }
    }

    /// Why what was chosen is not offered; nothing when it is, or nothing was chosen.
    pub fn fault(&self) -> Option<String> {
        let chosen = self.row.shipping_option_id.filter(|_| self.chosen.is_none())?;
        let known = self.unavailable.iter().find(|option| option.id == chosen && !option.why.personal);
        let gone = || "It is not offered for this cart and its address.".to_owned();
        Some(known.map_or_else(gone, |option| option.why.message.clone()))
    }
}

/// A choice that is about to be made.
#[derive(Debug, Clone, Copy)]
pub struct Wish {
    /// For which group; for the one that the option fits when absent.
    pub group: Option<CartDeliveryId>,
    /// Which option.
    pub option: ShippingOptionId,
}

/// All that the offers to a cart depend on.
pub struct Asked<'q> {
    /// The shop.
    pub settings: &'q Settings,
    /// The cart.
    pub cart: &'q cart::Model,
    /// The groups that it has.
    pub held: &'q [cart_delivery::Model],
    /// Choices that are about to be made.
    pub wishes: &'q [Wish],
    /// Its lines, each with what it takes from stock.
    pub lines: &'q [(ShippedLine, Vec<Demand>)],
    /// The stock of the channel's locations.
    pub levels: &'q [Level],
    /// Who buys and where.
    pub attributes: &'q Attributes,
}

/// Whether an option asks which groups the customer is in.
pub fn asks_groups(settings: &Settings) -> bool {
    let asks =
        |option: &ShippingOption| option.row.rules.0.iter().any(|rule| rule.attribute == attribute::CUSTOMER_GROUP);
    settings.shipping_options.iter().any(asks)
}

/// What providers say that options cost, by the profile of the group that asked.
type Rates = HashMap<(ShippingProfileId, ShippingOptionId), Calculated>;

/// The delivery groups of a cart by position; none when nothing of it is sent. No statement; one when providers
/// calculate the price of what a group may choose.
///
/// # Errors
/// When a choice can't be made, and when a provider has to be asked first.
pub async fn deliver(conn: &Conn, now: DateTime<Utc>, asked: &Asked<'_>) -> Result<Vec<QuotedGroup>> {
    let lines: Vec<ShippedLine> = asked.lines.iter().map(|(line, _)| line.clone()).collect();
    let parcels = groups(&lines);
    let quoted = offer_all(asked, &parcels, &Rates::default())?;
    let questions = asked.questions(&parcels, &quoted);
    if questions.is_empty() {
        return Ok(quoted);
    }
    let wire: Vec<Question> =
        questions.iter().map(|(_, provider, asked)| Question::ShippingRates(provider.clone(), asked.clone())).collect();
    let mut rates = Rates::new();
    for ((profile, _, question), answer) in questions.iter().zip(answers::<RateAnswer>(conn, now, &wire).await?) {
        rates.extend(question.options.iter().map(|option| {
            let id = option.shipping_option_id;
            let told = answer.as_ref().map_or(Calculated::Silent, |answer| question.told(answer, id));
            ((*profile, id), told)
        }));
    }
    offer_all(asked, &parcels, &rates)
}

/// The groups with what each is offered, as far as that is known.
fn offer_all(asked: &Asked<'_>, parcels: &[Group], rates: &Rates) -> Result<Vec<QuotedGroup>> {
    let held: Vec<HeldGroup> =
        asked.held.iter().map(|row| HeldGroup { position: row.position, profile: row.shipping_profile_id }).collect();
    let needed: Vec<ShippingProfileId> = parcels.iter().map(|parcel| parcel.profile).collect();
    let slots = regroup(&held, &needed);
    let place = asked.cart.shipping_address.as_ref().map(Place::from);
    let mut quoted = Vec::with_capacity(slots.len());
    for slot in slots {
        let parcel = parcels.iter().find(|parcel| parcel.profile == slot.profile);
        let parcel = parcel.ok_or_else(|| Error::internal("a delivery group has no lines"))?;
        let known = slot.held.and_then(|place| asked.held.get(place));
        let row = cart_delivery::Model {
            id: known.map_or_else(|| group_id(asked.cart.id, slot.profile), |row| row.id),
            cart_id: asked.cart.id,
            position: slot.position,
            shipping_option_id: known.and_then(|row| row.shipping_option_id),
            shipping_profile_id: Some(slot.profile),
        };
        let (mut offered, mut unavailable) = (Vec::new(), Vec::new());
        for option in &asked.settings.shipping_options {
            let calculated = rates.get(&(slot.profile, option.row.id));
            match asked.offer(option, parcel, place.as_ref(), calculated)? {
                Ok(option) => offered.push(option),
                Err(option) => unavailable.push(option),
            }
        }
        quoted.push(QuotedGroup { row, lines: parcel.lines.clone(), offered, unavailable, chosen: None });
    }
    for wish in asked.wishes {
        asked.choose(&mut quoted, *wish)?;
    }
    for group in &mut quoted {
        let chosen = group.offered.iter().find(|option| Some(option.id) == group.row.shipping_option_id);
        group.chosen = chosen.cloned();
    }
    Ok(quoted)
}

impl Asked<'_> {
    /// What providers have to be asked, each about all of its options that a group may choose: the group's profile,
    /// the provider, the question.
    fn questions(&self, parcels: &[Group], quoted: &[QuotedGroup]) -> Vec<(ShippingProfileId, String, RateQuestion)> {
        let Some(address) = &self.cart.shipping_address else { return Vec::new() };
        let mut questions: Vec<(ShippingProfileId, String, RateQuestion)> = Vec::new();
        for group in quoted {
            let parcel = parcels.iter().find(|parcel| Some(parcel.profile) == group.row.shipping_profile_id);
            let Some(parcel) = parcel else { continue };
            let open = group.unavailable.iter().filter(|no| no.why.reason == DeliveryUnavailableReason::Provider);
            for option in open.filter_map(|option| self.settings.shipping_option(option.id)) {
                let known = questions
                    .iter_mut()
                    .find(|(profile, provider, _)| (*profile, provider) == (parcel.profile, &option.row.provider));
                let asked = AskedOption { shipping_option_id: option.row.id, handle: option.row.handle.clone() };
                match known {
                    Some((_, _, question)) => question.options.push(asked),
                    None => {
                        let question = RateQuestion {
                            currency_code: self.cart.currency,
                            destination: Destination::from(address),
                            origin_country_codes: self.settings.origins_of(self.cart.channel_id),
                            weight_grams: parcel.weight_grams,
                            quantity: parcel.quantity,
                            subtotal: Money::new(parcel.subtotal_minor, self.cart.currency).decimal(),
                            options: vec![asked],
                        };
                        questions.push((parcel.profile, option.row.provider.clone(), question));
                    }
                }
            }
        }
        questions
    }

    /// Writes a choice to its group: the one that is named, else the one of the option's profile.
    fn choose(&self, groups: &mut [QuotedGroup], wish: Wish) -> Result<()> {
        if groups.is_empty() {
            let message = "Nothing that this cart holds is sent.";
            return Err(Refusal::new(ErrorCode::DeliveryUnavailable, message).at(["deliveryOptionId"]).into());
        }
        let option = self.settings.shipping_option(wish.option);
        let profile =
            option.map(|option| self.settings.profile_or_default(option.row.shipping_profile_id)).transpose()?;
        let place = match wish.group {
            Some(id) => groups.iter().position(|group| group.row.id == id),
            None => Some(groups.iter().position(|group| group.row.shipping_profile_id == profile).unwrap_or(0)),
        };
        let missing =
            || Refusal::new(ErrorCode::NotFound, "The cart has no such delivery group.").at(["deliveryGroupId"]);
        groups[place.ok_or_else(missing)?].row.shipping_option_id = Some(wish.option);
        Ok(())
    }

    /// What an option costs a group, or why it is not offered.
    fn offer(
        &self,
        option: &ShippingOption,
        group: &Group,
        place: Option<&Place>,
        calculated: Option<&Calculated>,
    ) -> Result<Result<DeliveryOption, UnavailableOption>> {
        let row = &option.row;
        let prices: Vec<(Currency, i64)> =
            option.prices.iter().map(|price| (price.currency, price.amount_minor)).collect();
        let terms = Terms {
            profile: self.settings.profile_or_default(row.shipping_profile_id)?,
            areas: &option.areas,
            kind: row.kind,
            prices: &prices,
            tables: &row.tables,
            free_from: &row.free_from,
            rules: &row.rules,
        };
        let offer = terms.offer(&Situation {
            group,
            currency: self.cart.currency,
            place,
            attributes: self.attributes,
            pickup: row.pickup_location_id.map(|location| self.pickup(location, group)),
            calculated,
        });
        Ok(match offer {
            Ok(price) => Ok(DeliveryOption {
                id: row.id,
                name: row.name.clone(),
                description: row.description.clone(),
                amount_minor: price.amount_minor,
                reason: price.reason,
                includes_tax: row.includes_tax,
                pickup: row.pickup_location_id,
            }),
            Err(why) => Err(UnavailableOption { id: row.id, name: row.name.clone(), why }),
        })
    }

    /// Whether a group can be picked up at a location.
    fn pickup(&self, location: LocationId, group: &Group) -> Pickup {
        let serves = self.settings.locations_of(self.cart.channel_id);
        if !serves.iter().any(|known| known.id == location && known.pickup) {
            return Pickup::Closed;
        }
        let lines = group.lines.iter().filter_map(|place| self.lines.get(*place));
        let demand: Vec<Demand> = lines.flat_map(|(_, demand)| demand.iter().cloned()).collect();
        let levels: Vec<Level> = self.levels.iter().filter(|level| level.location == location).cloned().collect();
        match domain::inventory::reserve(&demand, &levels, AllocationPolicy::Priority) {
            Ok(_) => Pickup::Ready,
            Err(_) => Pickup::OutOfStock,
        }
    }
}

/// The id of a group that is not written yet: the same each time it is shown, whoever looks.
fn group_id(cart: CartId, profile: ShippingProfileId) -> CartDeliveryId {
    let mut hash = Sha256::new();
    hash.update(Uuid::from(cart).as_bytes());
    hash.update(Uuid::from(profile).as_bytes());
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&hash.finalize()[..16]);
    CartDeliveryId(Builder::from_random_bytes(bytes).into_uuid())
}
