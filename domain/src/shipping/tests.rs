use proptest::prelude::*;
use uuid::Uuid;

use super::table::{Band, Table, Threshold};
use super::*;
use crate::address::area::NewArea;

fn profile(number: u128) -> ShippingProfileId {
    ShippingProfileId(Uuid::from_u128(number))
}

fn euro() -> Currency {
    "EUR".parse().unwrap()
}

fn rule(attribute: &str, operator: RuleOperator, value: &str) -> Rule {
    Rule { attribute: attribute.to_owned(), operator, values: vec![value.to_owned()] }
}

/// Germany, New York's 100xx, and Albany.
fn areas() -> Vec<Area> {
    let area = |country: &str, province: Option<&str>, city: Option<&str>, patterns: &[&str]| {
        let text = |text: &str| text.to_owned();
        let area = NewArea {
            country: country.parse().unwrap(),
            province: province.map(text),
            county: None,
            city: city.map(text),
            postal_patterns: patterns.iter().map(|pattern| text(pattern)).collect(),
        };
        area.check(&[]).unwrap()
    };
    vec![
        area("DE", None, None, &[]),
        area("US", Some("NY"), None, &["100*"]),
        area("US", Some("NY"), Some("Albany"), &["12207"]),
    ]
}

/// An option and a group that is offered it for 4.90, before a test turns one of their screws.
struct Case {
    areas: Vec<Area>,
    kind: ShippingOptionKind,
    tables: Tables,
    free_from: FreeFrom,
    rules: Rules,
    group: Group,
    place: Option<Place>,
    attributes: Attributes,
    currency: Currency,
    pickup: Option<Pickup>,
    calculated: Option<Calculated>,
}

impl Case {
    fn new() -> Self {
        let group =
            Group { profile: profile(1), lines: vec![0], subtotal_minor: 4_000, weight_grams: 800, quantity: 2 };
        Self {
            areas: areas(),
            kind: ShippingOptionKind::Flat,
            tables: Tables::default(),
            free_from: FreeFrom::default(),
            rules: Rules::default(),
            group,
            place: Some(Place::of_country(&"DE".parse().unwrap())),
            attributes: Attributes::default(),
            currency: euro(),
            pickup: None,
            calculated: None,
        }
    }

    fn offer(&self) -> Result<i64, NotOffered> {
        self.price().map(|price| price.amount_minor)
    }

    fn price(&self) -> Result<ShippingPrice, NotOffered> {
        let terms = Terms {
            profile: profile(1),
            areas: &self.areas,
            kind: self.kind,
            prices: &[(euro(), 490)],
            tables: &self.tables,
            free_from: &self.free_from,
            rules: &self.rules,
        };
        terms.offer(&Situation {
            group: &self.group,
            currency: self.currency,
            place: self.place.as_ref(),
            attributes: &self.attributes,
            pickup: self.pickup,
            calculated: self.calculated.as_ref(),
        })
    }

    fn reason(&self) -> Option<DeliveryUnavailableReason> {
        self.offer().err().map(|refused| refused.reason)
    }

    /// Bands up to 31.5 kg, 100.00 or 31500 pieces.
    fn tabled(mut self, kind: ShippingOptionKind) -> Self {
        let bands = vec![
            Band { from: 0, below: Some(1_000), amount_minor: 490 },
            Band { from: 1_000, below: Some(31_501), amount_minor: 990 },
        ];
        self.kind = kind;
        self.tables = Tables(vec![Table { currency: euro(), bands }]);
        self
    }
}

fn us(province: &str, city: &str, postal_code: &str) -> Option<Place> {
    Some(Place::new(&"US".parse().unwrap(), Some(province), Some(city), Some(postal_code)))
}

#[test]
fn a_flat_option_costs_its_price_in_the_carts_currency() {
    assert_eq!(Case::new().offer(), Ok(490));
    let dollars = Case { currency: "USD".parse().unwrap(), ..Case::new() };
    assert_eq!(dollars.offer().unwrap_err().message, "This option has no price in USD.");
    assert_eq!(dollars.reason(), Some(DeliveryUnavailableReason::Currency));
}

#[test]
fn where_it_doesn_t_go_the_nearest_area_says_why() {
    use DeliveryUnavailableReason::{AddressMissing, City, Country, PostalCode, Province};
    let to = |place| Case { place, ..Case::new() }.reason();
    assert_eq!(to(us("NY", "New York", "10011-1234")), None);
    assert_eq!(to(us("NY", "albany", "12207")), None);
    assert_eq!(to(us("NY", "Albany", "12208")), Some(PostalCode));
    assert_eq!(to(us("NY", "Troy", "12180")), Some(PostalCode));
    assert_eq!(to(us("NJ", "Newark", "07101")), Some(Province));
    assert_eq!(to(Some(Place::of_country(&"FR".parse().unwrap()))), Some(Country));
    assert_eq!(to(None), Some(AddressMissing));
    let cities = areas().split_off(2);
    let elsewhere = Case { areas: cities, place: us("NY", "Troy", "12207"), ..Case::new() };
    assert_eq!(elsewhere.reason(), Some(City));
    assert_eq!(Case { areas: Vec::new(), ..Case::new() }.reason(), Some(Country));
}

#[test]
fn each_table_goes_by_its_own_measure() {
    use ShippingOptionKind::{ByQuantity, BySubtotal, ByWeight};
    let told = |kind, weight_grams, subtotal_minor, quantity| {
        let mut case = Case::new().tabled(kind);
        case.group = Group { weight_grams, subtotal_minor, quantity, ..case.group };
        case.offer().map_err(|refused| refused.message)
    };
    assert_eq!(told(ByWeight, 999, 9_999, 9_999), Ok(490));
    assert_eq!(told(ByWeight, 1_000, 1, 1), Ok(990));
    assert_eq!(told(BySubtotal, 9_999, 999, 9_999), Ok(490));
    assert_eq!(told(ByQuantity, 1, 1, 1_000), Ok(990));
    let no = |measured: &str| Err(format!("The table of this option has no price for {measured}."));
    assert_eq!(told(ByWeight, 31_501, 1, 1), no("31.501 kg"));
    assert_eq!(told(BySubtotal, 1, 99_900, 1), no("999.00 EUR"));
    assert_eq!(told(ByQuantity, 1, 1, 31_501), no("31501 pieces"));
    let mut dollars = Case::new().tabled(ByWeight);
    dollars.currency = "USD".parse().unwrap();
    assert_eq!(dollars.reason(), Some(DeliveryUnavailableReason::Currency));
}

#[test]
fn it_is_free_from_an_amount_on_but_only_where_it_goes_at_all() {
    let free = |amount_minor| FreeFrom(vec![Threshold { currency: euro(), amount_minor }]);
    let from = |minor| Case { free_from: free(minor), ..Case::new() }.offer();
    assert_eq!([from(4_001), from(4_000), from(0)], [Ok(490), Ok(0), Ok(0)]);
    let mut heavy = Case { free_from: free(0), ..Case::new() }.tabled(ShippingOptionKind::ByWeight);
    heavy.group.weight_grams = 40_000;
    assert_eq!(heavy.reason(), Some(DeliveryUnavailableReason::Table));
    let calculated = |calculated| Case { kind: ShippingOptionKind::Calculated, calculated, ..Case::new() };
    assert_eq!(calculated(Some(Calculated::Amount(777))).offer(), Ok(777));
    for said in [None, Some(Calculated::Refused(None)), Some(Calculated::Refused(Some("Too heavy.".to_owned())))] {
        assert_eq!(calculated(said).reason(), Some(DeliveryUnavailableReason::Provider));
    }
    // A price of its own stands in for a provider that says nothing, and for nothing else.
    assert_eq!(calculated(Some(Calculated::Silent)).offer(), Ok(490));
    let yen = Case { currency: "JPY".parse().unwrap(), ..calculated(Some(Calculated::Silent)) };
    assert_eq!(yen.reason(), Some(DeliveryUnavailableReason::Provider));
}

#[test]
fn a_price_says_how_it_was_found() {
    let reason = |case: Case| case.price().unwrap().reason;
    let plain = ShippingReason::plain;
    assert_eq!(reason(Case::new()), plain(ShippingOptionKind::Flat));
    let weighed = Case::new().tabled(ShippingOptionKind::ByWeight);
    let measured = weighed.group.weight_grams;
    let band = weighed.tables.0[0].band(measured).unwrap();
    let band = Some(MeasuredBand { measured, from: band.from, below: band.below });
    assert_eq!(reason(weighed), ShippingReason { band, ..plain(ShippingOptionKind::ByWeight) });
    let free_from = FreeFrom(vec![Threshold { currency: euro(), amount_minor: 3_000 }]);
    let free = Some(FreeReason { from_minor: 3_000, before_minor: 490 });
    assert_eq!(reason(Case { free_from, ..Case::new() }), ShippingReason { free, ..plain(ShippingOptionKind::Flat) });
    let kind = ShippingOptionKind::Calculated;
    let said = |said| Case { kind, calculated: Some(said), ..Case::new() };
    assert_eq!(reason(said(Calculated::Amount(777))), plain(kind));
    assert_eq!(reason(said(Calculated::Silent)), ShippingReason { stands_in: true, ..plain(kind) });
}

#[test]
fn a_rule_that_is_not_met_is_named_unless_it_is_about_the_buyer() {
    let ruled = |rule| Case { rules: Rules(vec![rule]), ..Case::new() };
    let heavy = ruled(rule("weight", RuleOperator::Lte, "750")).offer().unwrap_err();
    assert_eq!((heavy.message.as_str(), heavy.personal), ("The weight must be at most 750; it is 800.", false));
    let cheap = ruled(rule("subtotal.EUR", RuleOperator::Gt, "40")).offer().unwrap_err();
    assert_eq!(cheap.message, "The subtotal.EUR must be above 40; it is 40.00.");
    let foreign = ruled(rule("subtotal.JPY", RuleOperator::Gt, "1")).offer().unwrap_err();
    assert_eq!(foreign.message, "The subtotal.JPY must be above 1; it is nothing.");
    assert_eq!(ruled(rule("quantity", RuleOperator::Eq, "2")).offer(), Ok(490));
    let mut friends = ruled(rule("customerGroup", RuleOperator::Eq, "friends"));
    assert!(friends.offer().unwrap_err().personal);
    friends.attributes.add("customerGroup", "friends");
    assert_eq!(friends.offer(), Ok(490));
    let typo = check_rules(Rules(vec![rule("weight", RuleOperator::Lt, "5"), rule("wieght", RuleOperator::Lt, "5")]));
    assert_eq!(typo.unwrap_err()[0].path, ["rules", "1", "attribute"]);
}

#[test]
fn what_is_picked_up_needs_no_address_but_goods_at_its_location() {
    use DeliveryUnavailableReason::{Country, PickupClosed, PickupStock};
    let at = |pickup| Case { pickup: Some(pickup), place: None, ..Case::new() };
    assert_eq!(at(Pickup::Ready).offer(), Ok(490));
    assert_eq!(at(Pickup::Closed).reason(), Some(PickupClosed));
    assert_eq!(at(Pickup::OutOfStock).reason(), Some(PickupStock));
    let abroad = Case { place: Some(Place::of_country(&"FR".parse().unwrap())), ..at(Pickup::Ready) };
    assert_eq!(abroad.reason(), Some(Country));
}

#[test]
fn an_option_is_for_the_products_of_its_profile() {
    let mut other = Case::new();
    other.group.profile = profile(2);
    assert_eq!(other.reason(), Some(DeliveryUnavailableReason::Profile));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10_000))]

    #[test]
    fn an_offer_is_never_below_zero_and_costs_what_its_band_says(
        weight_grams in 0..40_000_i64,
        subtotal_minor in 0..20_000_i64,
        from in prop::option::of(0..20_000_i64),
    ) {
        let mut case = Case::new().tabled(ShippingOptionKind::ByWeight);
        case.group = Group { weight_grams, subtotal_minor, ..case.group };
        case.free_from = FreeFrom(from.into_iter().map(|amount_minor| Threshold { currency: euro(), amount_minor }).collect());
        let band = match weight_grams { 0..1_000 => Some(490), 1_000..31_501 => Some(990), _ => None };
        let free = from.is_some_and(|from| from <= subtotal_minor);
        prop_assert_eq!(case.offer().ok(), band.map(|amount| if free { 0 } else { amount }));
    }
}
