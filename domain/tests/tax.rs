//! Taxes of real places to the cent, and what holds of every choice of rates.

#![allow(clippy::unwrap_used)]

use domain::address::area::{Area, NewArea, Place};
use domain::id::{ProductId, ProductTypeId, ShippingOptionId, TaxRateId, TaxRegionId};
use domain::tax::{
    Buyer, TaxBasis, TaxChoice, TaxExemption, TaxMap, TaxNumber, TaxPassedOver, TaxRate, TaxRegion, TaxTarget, Taxed,
    choose, exemption,
};
use domain::totals::{LineInput, Rate, TaxRounding, Totals, TotalsInput, compute};
use proptest::prelude::*;
use uuid::Uuid;

const BOOK: ProductId = ProductId(Uuid::from_u128(1));
const SHIRT: ProductId = ProductId(Uuid::from_u128(2));
const BOOKS: ProductTypeId = ProductTypeId(Uuid::from_u128(3));
const POST: ShippingOptionId = ShippingOptionId(Uuid::from_u128(4));

fn region_id(id: u128) -> TaxRegionId {
    TaxRegionId(Uuid::from_u128(id))
}

fn area(country: &str, province: &str, city: &str, patterns: &[&str]) -> Area {
    let (county, city) = (None, Some(city.to_owned()));
    let postal_patterns = patterns.iter().map(|pattern| (*pattern).to_owned()).collect();
    let province = Some(province.to_owned());
    NewArea { country: country.parse().unwrap(), province, county, city, postal_patterns }.check(&[]).unwrap()
}

fn region(id: u128, parent: Option<u128>, area: Area, rates: Vec<TaxRate>) -> TaxRegion {
    TaxRegion { id: region_id(id), parent: parent.map(region_id), area, reverse_charge: false, rates, provider: None }
}

/// A default rate; its id is its place in the alphabet of codes, which doesn't matter.
fn rate(code: &str, rate_ppm: i32, combinable: bool) -> TaxRate {
    let id = code.bytes().fold(0, |id, b| id * 256 + u128::from(b));
    let rate = Rate { code: code.to_owned(), name: code.to_owned(), rate_ppm };
    TaxRate { id: TaxRateId(Uuid::from_u128(id)), rate, is_default: true, combinable, targets: Vec::new() }
}

fn override_for(target: TaxTarget, rate: TaxRate) -> TaxRate {
    TaxRate { is_default: false, targets: vec![target], ..rate }
}

fn place(country: &str, province: &str, city: &str, postal_code: &str) -> Place {
    Place::new(&country.parse().unwrap(), Some(province), Some(city), Some(postal_code))
}

/// The world as far as the examples go.
fn world() -> TaxMap {
    let country = |code: &str| area(code, "", "", &[]);
    let kind = TaxTarget::ProductType(BOOKS);
    TaxMap::new(vec![
        region(
            10,
            None,
            country("DE"),
            vec![
                rate("MWST", 190_000, false),
                override_for(kind, rate("MWST7", 70_000, false)),
                override_for(TaxTarget::ShippingOption(POST), rate("POST", 0, false)),
            ],
        ),
        region(20, None, country("US"), vec![]),
        region(21, Some(20), area("US", "NY", "", &[]), vec![rate("NY", 40_000, false)]),
        region(22, Some(21), area("US", "NY", "", &["100*", "104*", "112*"]), vec![rate("MCTD", 3_750, true)]),
        region(
            23,
            Some(22),
            area("US", "NY", "New York", &[]),
            vec![rate("NYC", 45_000, true), override_for(TaxTarget::Product(SHIRT), rate("NYCLO", 0, false))],
        ),
        region(30, None, country("CA"), vec![rate("GST", 50_000, false)]),
        region(31, Some(30), area("CA", "BC", "", &[]), vec![rate("PST", 70_000, true)]),
        region(32, Some(30), area("CA", "QC", "", &[]), vec![rate("QST", 99_750, true)]),
        region(33, Some(30), area("CA", "ON", "", &[]), vec![rate("HST", 130_000, false)]),
        region(
            40,
            None,
            country("JP"),
            vec![rate("JCT10", 100_000, false), override_for(kind, rate("JCT8", 80_000, false))],
        ),
        region(50, None, country("KW"), vec![rate("VAT", 50_000, false)]),
        region(
            60,
            None,
            country("CH"),
            vec![rate("MWST", 81_000, false), override_for(kind, rate("MWST2", 26_000, false))],
        ),
    ])
}

fn choice(map: &TaxMap, place: &Place, taxed: Taxed) -> TaxChoice {
    choose(&map.regions_of(place), taxed)
}

fn book() -> Taxed {
    Taxed::Product { id: BOOK, kind: Some(BOOKS) }
}

fn shirt() -> Taxed {
    Taxed::Product { id: SHIRT, kind: None }
}

/// What (goods, quantity, price) come to in a place.
fn bill(currency: &str, rounding: TaxRounding, includes_tax: bool, at: &Place, goods: &[(Taxed, i32, i64)]) -> Totals {
    let map = world();
    let line = |((taxed, quantity, unit_price_minor), position): (&(Taxed, i32, i64), i32)| LineInput {
        position,
        quantity: *quantity,
        unit_price_minor: *unit_price_minor,
        includes_tax,
        discount_minor: 0,
        rates: choice(&map, at, *taxed).rates(),
        exempt: false,
    };
    let lines = goods.iter().zip(1..).map(line).collect();
    let currency = currency.parse().unwrap();
    compute(&TotalsInput { currency, rounding, lines, shipping: Vec::new() }).unwrap()
}

/// Code, base and tax of each rate; then the total.
fn told(totals: &Totals) -> (Vec<(&str, i64, i64)>, i64) {
    let taxes = totals.taxes.iter().map(|tax| (tax.code.as_str(), tax.base_minor, tax.tax_minor)).collect();
    (taxes, totals.total_minor)
}

#[test]
fn germany_has_two_rates_in_its_prices() {
    let berlin = place("DE", "", "Berlin", "10115");
    let totals = bill("EUR", TaxRounding::Line, true, &berlin, &[(shirt(), 2, 1_999), (book(), 1, 1_499)]);
    // 39.98 / 1.19 = 33.5966 and 14.99 / 1.07 = 14.0093.
    assert_eq!(told(&totals), (vec![("MWST", 3_360, 638), ("MWST7", 1_401, 98)], 5_497));
}

#[test]
fn new_york_adds_city_district_and_state() {
    let line = TaxRounding::Line;
    let brooklyn = place("US", "NY", "New York", "11201");
    let totals = bill("USD", line, false, &brooklyn, &[(book(), 1, 10_000)]);
    // 8.875 % in all.
    assert_eq!(told(&totals), (vec![("NYC", 10_000, 450), ("MCTD", 10_000, 38), ("NY", 10_000, 400)], 10_888));
    // Clothing is free of the city's tax, and its rate stands alone.
    assert_eq!(told(&bill("USD", line, false, &brooklyn, &[(shirt(), 1, 10_000)])).1, 10_000);
    let albany = place("US", "NY", "Albany", "12207");
    assert_eq!(told(&bill("USD", line, false, &albany, &[(book(), 1, 1_999)])), (vec![("NY", 1_999, 80)], 2_079));
    let portland = place("US", "OR", "Portland", "97201");
    assert_eq!(told(&bill("USD", line, false, &portland, &[(book(), 1, 1_999)])), (vec![], 1_999));
}

#[test]
fn canada_has_a_tax_of_its_own_in_each_province() {
    for (province, taxes, total) in [
        ("AB", vec![("GST", 1_999, 100)], 2_099),
        ("BC", vec![("PST", 1_999, 140), ("GST", 1_999, 100)], 2_239),
        ("QC", vec![("QST", 1_999, 199), ("GST", 1_999, 100)], 2_298),
        ("ON", vec![("HST", 1_999, 260)], 2_259),
    ] {
        let at = place("CA", province, "Town", "K1A 0B1");
        let totals = bill("CAD", TaxRounding::Line, false, &at, &[(book(), 1, 1_999)]);
        assert_eq!(told(&totals), (taxes, total), "{province}");
    }
}

#[test]
fn japan_rounds_once_per_rate_and_document() {
    let tokyo = place("JP", "13", "Chiyoda", "100-0001");
    let goods = [(book(), 1, 104), (book(), 1, 107), (shirt(), 1, 1_015), (shirt(), 3, 105)];
    let totals = bill("JPY", TaxRounding::Document, false, &tokyo, &goods);
    // 211 × 8 % = 16.88 and 1330 × 10 % = 133.
    assert_eq!(told(&totals), (vec![("JCT8", 211, 17), ("JCT10", 1_330, 133)], 1_691));
    let by_line = bill("JPY", TaxRounding::Line, false, &tokyo, &goods);
    assert_eq!(told(&by_line), (vec![("JCT8", 211, 17), ("JCT10", 1_330, 134)], 1_692));
}

#[test]
fn kuwait_counts_in_fils_and_switzerland_has_its_rates_inside() {
    let kuwait = place("KW", "", "Kuwait City", "");
    let totals = bill("KWD", TaxRounding::Line, false, &kuwait, &[(shirt(), 3, 12_345)]);
    assert_eq!(told(&totals), (vec![("VAT", 37_035, 1_852)], 38_887));
    let zurich = place("CH", "", "Zürich", "8001");
    let totals = bill("CHF", TaxRounding::Line, true, &zurich, &[(shirt(), 1, 10_000), (book(), 1, 2_500)]);
    // 100 / 1.081 = 92.507 and 25 / 1.026 = 24.366.
    assert_eq!(told(&totals), (vec![("MWST", 9_251, 749), ("MWST2", 2_437, 63)], 12_500));
}

#[test]
fn deliveries_have_rates_of_their_own_or_the_default() {
    let (map, berlin) = (world(), place("DE", "", "Berlin", "10115"));
    let code = |taxed| choice(&map, &berlin, taxed).rates()[0].code.clone();
    assert_eq!(code(Taxed::ShippingOption(POST)), "POST");
    assert_eq!(code(Taxed::ShippingOption(ShippingOptionId(Uuid::from_u128(5)))), "MWST");
    assert_eq!(code(Taxed::Unknown), "MWST");
}

#[test]
fn a_choice_says_what_applied_and_what_was_passed_over() {
    let (map, brooklyn) = (world(), place("US", "NY", "New York", "11201"));
    let told = |taxed| {
        let choice = choice(&map, &brooklyn, taxed);
        let applied = choice.applied.into_iter().map(|rate| (rate.rate.code, rate.reason.place.id, rate.reason.basis));
        let passed = choice.passed_over.into_iter().map(|rate| (rate.code, rate.place.id, rate.reason));
        (applied.collect::<Vec<_>>(), passed.collect::<Vec<_>>())
    };
    let code = |code: &str| Some(code.to_owned());
    let (city, district, state, country) = (region_id(23), region_id(22), region_id(21), region_id(20));
    let (applied, passed) = told(shirt());
    assert_eq!(applied, [("NYCLO".to_owned(), city, TaxBasis::Product)]);
    assert_eq!(
        passed,
        [
            (code("NYC"), city, TaxPassedOver::Overridden),
            (code("MCTD"), district, TaxPassedOver::NotCombined),
            (code("NY"), state, TaxPassedOver::NotCombined),
            (None, country, TaxPassedOver::NoRate),
        ]
    );
    let (applied, passed) = told(book());
    let default = |code: &str, region| (code.to_owned(), region, TaxBasis::Default);
    assert_eq!(applied, [default("NYC", city), default("MCTD", district), default("NY", state)]);
    assert_eq!(passed, [(None, country, TaxPassedOver::NoRate)]);
}

#[test]
fn who_owes_no_tax() {
    let mut germany = region(10, None, area("DE", "", "", &[]), vec![rate("MWST", 190_000, false)]);
    germany.reverse_charge = true;
    let number = |text: &str| text.parse::<TaxNumber>().unwrap();
    let (german, austrian) = (number("DE123456789"), number("ATU12345678"));
    let with = |tax_number| Buyer { tax_number, ..Buyer::default() };
    let de = "DE".parse().unwrap();
    for (buyer, origins, expected) in [
        (Buyer { exempt: true, in_exempt_group: true, ..with(Some(&german)) }, vec![], Some(TaxExemption::Customer)),
        (Buyer { in_exempt_group: true, ..Buyer::default() }, vec![], Some(TaxExemption::CustomerGroup)),
        (with(Some(&german)), vec![austria()], Some(TaxExemption::ReverseCharge)),
        (with(Some(&austrian)), vec![austria()], None),
        (with(None), vec![austria()], None),
        // Within one country, and where nobody knows from where goods come.
        (with(Some(&german)), vec![austria(), de], None),
        (with(Some(&german)), vec![], None),
    ] {
        assert_eq!(exemption(buyer, &[&germany], &origins), expected, "{buyer:?} {origins:?}");
    }
    germany.reverse_charge = false;
    assert_eq!(exemption(with(Some(&german)), &[&germany], &[austria()]), None);
    assert_eq!(exemption(with(Some(&german)), &[], &[austria()]), None);
}

fn austria() -> domain::text::CountryCode {
    "AT".parse().unwrap()
}

/// A tree of regions in one country, as (parent among those before, area, default rate, combinable).
fn trees() -> impl Strategy<Value = Vec<TaxRegion>> {
    let areas = prop::sample::select(
        &[("NY", "", ""), ("NJ", "", ""), ("", "Albany", ""), ("", "", "1*"), ("", "", "12207")][..],
    );
    let node = (any::<prop::sample::Index>(), areas, prop::option::of(0..200_000_i32), any::<bool>());
    prop::collection::vec(node, 0..7).prop_map(|nodes| {
        let mut regions = vec![region(1, None, area("US", "", "", &[]), vec![rate("R1", 10_000, false)])];
        for ((parent, (province, city, pattern), ppm, combinable), id) in nodes.into_iter().zip(2..) {
            let parent = regions[parent.index(regions.len())].id.0.as_u128();
            let patterns: Vec<&str> = Some(pattern).filter(|pattern| !pattern.is_empty()).into_iter().collect();
            let rates = ppm.map(|ppm| rate(&format!("R{id}"), ppm, combinable)).into_iter().collect();
            regions.push(region(id, Some(parent), area("US", province, city, &patterns), rates));
        }
        regions
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10_000))]

    #[test]
    fn the_order_of_rows_does_not_matter(tree in trees(), seed in prop::collection::vec(any::<u32>(), 9)) {
        let albany = place("US", "NY", "Albany", "12207");
        let mut shuffled = tree.clone();
        shuffled.sort_by_key(|region| seed[region.id.0.as_u128() as usize]);
        prop_assert_eq!(
            choice(&TaxMap::new(tree), &albany, shirt()),
            choice(&TaxMap::new(shuffled), &albany, shirt())
        );
    }

    #[test]
    fn the_deeper_region_counts_first_and_each_lies_in_the_next(tree in trees()) {
        let albany = place("US", "NY", "Albany", "12207");
        let map = TaxMap::new(tree);
        let chain = map.regions_of(&albany);
        prop_assert!(chain.iter().all(|region| region.area.holds(&albany)));
        prop_assert!(chain.windows(2).all(|pair| pair[0].parent == Some(pair[1].id)));
        prop_assert_eq!(chain.last().map(|region| region.parent), Some(None));
        // Nothing that holds the place lies within the deepest, and no sibling on the way is deeper.
        prop_assert!(!map.within(Some(chain[0].id)).any(|region| region.area.holds(&albany)) || chain.len() == 6);
        for region in &chain {
            let beside = map.within(region.parent).filter(|other| other.area.holds(&albany));
            prop_assert!(beside.map(|other| other.area.depth()).max() == Some(region.area.depth()));
        }
        let choice = choose(&chain, shirt());
        let first = chain.iter().find(|region| !region.rates.is_empty());
        prop_assert_eq!(choice.applied.first().map(|rate| rate.reason.place.id), first.map(|region| region.id));
        // All but the last of the rates that apply are combinable.
        let combinable = |rate: &TaxRateId| map.regions().iter().flat_map(|region| &region.rates).any(|known| known.id == *rate && known.combinable);
        let ids: Vec<TaxRateId> = choice.applied.iter().filter_map(|rate| rate.reason.rate).collect();
        prop_assert!(ids.iter().rev().skip(1).all(combinable));
    }
}
