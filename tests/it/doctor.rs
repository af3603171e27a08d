//! What the doctor finds, and what he says to do about it.

use std::process::Command;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta};
use domain::shipping::ShippingOptionKind;
use domain::tax::{TaxFallback, TaxMap};
use engine::actor::Caller;
use engine::app::App;
use engine::channel::ops::CreateChannel;
use engine::doctor::{Severity, clock, disk, nameless, secret, settings};
use engine::provider::rate::RateProviders;
use engine::settings::Settings;
use engine::tax::Taxes;
use serde_json::json;

use crate::support::Shop;
use crate::support::clock::TestClock;
use crate::support::database::TestDatabase;
use crate::support::node::run_command;

async fn told(database: &TestDatabase) -> String {
    String::from_utf8(run_command(database, &["doctor"]).await.stdout).unwrap()
}

#[test]
fn an_empty_shop_can_sell_nothing_and_is_told_why() {
    let found = settings(&Settings::default());
    let faults: Vec<&str> = found.iter().map(|finding| finding.what.as_str()).collect();
    assert_eq!(faults, ["no sales channel is active", "there is no region, so nothing can be sold"]);
    assert!(found.iter().all(|finding| finding.severity == Severity::Fault && !finding.remedy.is_empty()));
}

#[tokio::test]
async fn a_provider_that_staff_chose_and_nobody_describes_is_named() {
    let shop = Shop::open().await;
    shop.europe(&["DE"], true).await;
    let mut settings = Settings::clone(&shop.app.settings());
    assert_eq!(nameless(&settings, &RateProviders::default()), []);
    let mut regions = settings.taxes.0.regions().to_vec();
    regions[0].provider = Some(("rates".to_owned(), TaxFallback::BuiltIn));
    settings.taxes = Taxes(TaxMap::new(regions));
    settings.shipping_options[0].row.kind = ShippingOptionKind::Calculated;
    let found = nameless(&settings, &RateProviders::default());
    let faults: Vec<&str> = found.iter().map(|finding| finding.what.as_str()).collect();
    let named = "nobody describes the provider \"manual\" of the shipping option \"parcel\"";
    assert_eq!(faults, ["nobody describes the tax provider \"rates\" of DE", named]);
    assert!(found.iter().all(|finding| finding.remedy.contains("--rate-providers")));
}

#[test]
fn clocks_may_differ_by_five_seconds() {
    let now = DateTime::UNIX_EPOCH;
    assert_eq!(clock(now + TimeDelta::seconds(5), now).severity, Severity::Fine);
    let apart = clock(now - TimeDelta::seconds(6), now);
    assert_eq!(apart.severity, Severity::Warning);
    assert!(apart.what.contains("6 s apart") && apart.remedy.contains("time server"), "{apart:?}");
}

#[test]
fn a_full_disk_is_a_fault_from_500_mb_down() {
    let megabyte = 1024 * 1024;
    assert_eq!(disk(500 * megabyte, "shop").severity, Severity::Fine);
    let full = disk(500 * megabyte - 1, "shop");
    assert_eq!((full.severity, full.what.as_str()), (Severity::Fault, "only 499 MB are free for shop"));
    assert!(full.remedy.contains("--data-dir"), "{full:?}");
}

#[test]
fn a_weak_secret_is_named_and_never_repeated() {
    assert_eq!(secret(None, false), None, "a shop on one machine does without");
    assert_eq!(secret(None, true).unwrap().severity, Severity::Warning);
    for weak in ["hunter2-hunter2-hunter2", &"ab".repeat(20), &"0123456789".repeat(3)] {
        let found = secret(Some(weak), false).unwrap();
        assert_eq!(found.severity, Severity::Fault, "{weak}");
        assert!(!format!("{found:?}").contains(weak) && found.remedy.contains("openssl rand -hex 32"), "{found:?}");
    }
    let good = secret(Some("6f1d0c52b7e94a3388f2a1c5d0e9b764"), true).unwrap();
    assert_eq!((good.severity, good.what.as_str()), (Severity::Fine, "EMPORION_SECRET is set"));
}

#[test]
fn the_binary_reads_the_secret_from_its_surroundings() {
    let folder = tempfile::tempdir().unwrap();
    let run = |value: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_emporion"));
        let output = command.arg("doctor").current_dir(folder.path()).env("EMPORION_SECRET", value).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    let weak = "ab".repeat(20);
    let told = run(&weak);
    assert!(told.contains("fault    EMPORION_SECRET is weak") && !told.contains(&weak), "{told}");
    assert!(run("6f1d0c52b7e94a3388f2a1c5d0e9b764").contains("ok       EMPORION_SECRET is set"));
}

#[tokio::test]
async fn a_channel_without_a_location_has_no_stock() {
    let shop = Shop::open().await;
    shop.europe(&["DE"], true).await;
    let mut found = Settings::clone(&shop.app.settings());
    found.locations.clear();
    let found = settings(&found);
    let fault = found.iter().find(|finding| finding.severity == Severity::Fault).unwrap();
    assert_eq!(fault.what, "channel default has no location, so it has no stock");
    assert!(fault.remedy.contains("locationSet"), "{fault:?}");
}

#[tokio::test]
async fn a_country_in_no_region_is_named() {
    let shop = Shop::open().await;
    shop.europe(&["DE"], true).await;
    let rate = json!({ "countryCode": "FR", "code": "VAT", "name": "VAT", "percent": "20" });
    shop.set("taxRateSet", rate, "taxRate { id }").await.done();
    let told = told(&shop.database).await;
    let line = "warning  shipping or taxes are set up for countries in no region: FR\n         → add them to a region";
    assert!(told.contains(line), "{told}");
    assert!(told.contains(" MB are free for "), "{told}");
}

#[tokio::test]
async fn an_event_log_that_is_behind_is_noticed() {
    let database = TestDatabase::copy().await;
    let late = Arc::new(TestClock::default());
    late.pass(TimeDelta::minutes(-2));
    let app = App::builder(&database.url).await.unwrap().clock(late).open().await.unwrap();
    let channel = CreateChannel { name: "Late".to_owned(), ..CreateChannel::default() };
    app.run(&Caller::system(), &channel).await.unwrap();
    let behind = told(&database).await;
    assert!(behind.contains("event(s) have waited for over a minute\n         → no process serves"), "{behind}");
    engine::relay::stamp_unless_held(&app).await.unwrap();
    assert!(told(&database).await.contains("ok       the event log is up to date"));
}
