use super::*;
use crate::import::RegionName;

fn cells(line: &str) -> Vec<String> {
    line.split('|').map(str::to_owned).collect()
}

fn context() -> Context {
    let region = |name: &str, handle: &str, code: &str| RegionName {
        name: name.into(),
        handle: handle.into(),
        currency: code.parse().unwrap(),
    };
    let mut context = Context::new("EUR".parse().unwrap());
    context.regions =
        vec![region("Test Region", "test", "USD"), region("North", "north", "EUR"), region("South", "south", "EUR")];
    context
}

#[test]
fn unknown_columns_and_regions_are_refused_with_their_names() {
    let header = cells(
        "Product Handle|Product Title|Product field|Price Test region [USD]|Price nowhere [EUR]|\
            Price Test region [EUR]|Price XX",
    );
    let refusals = Template::new(&header, &context()).unwrap_err();
    let told: Vec<_> = refusals.iter().map(|refusal| (refusal.row, refusal.column.as_str())).collect();
    assert_eq!(
        told,
        [(1, "Product field"), (1, "Price nowhere [EUR]"), (1, "Price Test region [EUR]"), (1, "Price XX")]
    );
}

#[test]
fn prices_stand_by_currency_and_region() {
    let header = cells(
        "Product Handle|Product Title|Price Test region [USD]|Price USD|Price North [EUR]|Price EUR|Option 1 Name|\
            Option 1 Value",
    );
    let template = Template::new(&header, &context()).unwrap();
    let record = |row, line| Record { row, cells: cells(line) };
    let records = [record(2, "cap|Cap|1.00|1.10|2.00|2.50|Size|S"), record(3, "cap|Cap||1.20|||Size|L")];
    let cap = template.read(&records, &context()).unwrap();
    let prices = |place: usize| {
        let prices = cap.product.variants[place].prices.iter();
        prices.map(|price| (price.currency.code(), price.amount_minor)).collect::<Vec<_>>()
    };
    assert_eq!(prices(0), [("USD", 100), ("EUR", 250)], "the only region in USD pays its own price");
    assert_eq!(prices(1), [("USD", 120)]);
    assert_eq!(cap.product.variants[0].metadata["Price North [EUR]"], "2.00", "kept: there are two regions in EUR");
    assert_eq!(cap.rows, [2, 3]);

    let wrong = [record(2, "cap|Cap|1,00|||||S")];
    let told = template.read(&wrong, &context()).unwrap_err();
    let told: Vec<_> = told.refusals.iter().map(|refusal| (refusal.row, refusal.column.as_str())).collect();
    assert_eq!(told, [(2, "Option 1 Name"), (2, "Price Test region [USD]")]);
}

#[test]
fn ids_of_another_shop_are_references_and_ours_are_ids() {
    let header = cells(
        "Product Id|Product Handle|Product Title|Variant Id|Product Category 1|Product Category 2 Handle|\
            Product Sales Channel 1|Product Image 1",
    );
    let template = Template::new(&header, &context()).unwrap();
    let line = "prod_01J44RRJZ3M5F63NY82434RNM5|cap|Cap|variant_01J44RRJZW1T9KQB6XG7Q6K61F|\
        pcat_01J44RRKGS2N86A8V37ZJD877K|hats|Web|cap.png";
    let cap = template.read(&[Record { row: 2, cells: cells(line) }], &context()).unwrap();
    assert_eq!(cap.id, None);
    assert_eq!(cap.product.external_reference.as_deref(), Some("prod_01J44RRJZ3M5F63NY82434RNM5"));
    assert_eq!(cap.product.variants[0].external_reference.as_deref(), Some("variant_01J44RRJZW1T9KQB6XG7Q6K61F"));
    assert_eq!(cap.categories.iter().map(|named| named.handle.as_str()).collect::<Vec<_>>(), ["hats"]);
    assert_eq!(cap.channels.unwrap()[0].channel.handle, "web");
    assert_eq!((cap.product.media.len(), cap.product.metadata["Product Image 1"].as_str()), (0, "cap.png"));
    let own = ProductId(uuid::Uuid::from_u128(7)).to_string();
    let line = line.replacen("prod_01J44RRJZ3M5F63NY82434RNM5", &own, 1);
    let cap = template.read(&[Record { row: 2, cells: cells(&line) }], &context()).unwrap();
    assert_eq!((cap.id, cap.product.external_reference), (Some(ProductId(uuid::Uuid::from_u128(7))), None));
}
