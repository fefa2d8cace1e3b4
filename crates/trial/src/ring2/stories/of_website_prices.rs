//! What two websites of one shop ask for the same goods, and what both sell from one shelf.

use super::*;
use crate::ring2::{prices, trade};
use rust_decimal::Decimal;
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::Arc;
use syncline_connect::Error;
use syncline_core::id::SystemName;
use syncline_core::policy::ErrorKind;
use syncline_core::rules::PairRules;
use syncline_engine::conflicts::{Choice, Which as Meant};
use syncline_engine::preview::OpenRow;
use syncline_sim::http::System;

const SKU: &str = "MUG";
/// The ERP's list for the second website, and what it asks of the list price.
const US: &str = "US";
const FORMULA: &str = "unit_price * 2";

/// A stage with two websites: the first asks the list price, the second what its own list asks, and groups have tiers in
/// both. Prices are the websites' own where `own`.
fn two_websites<F: Future<Output = ()>>(own: bool, story: impl FnOnce(Stage) -> F) {
    told(73, |mut stage| async move {
        (stage.stock, stage.sweep_s) = (None, None);
        stage.open_website();
        let now = stage.clock.true_now();
        {
            let mut world = open(&stage.world);
            if own {
                world.shop.price_by_website();
            }
            world.shop.set_currency("EUR");
            assert!(world.erp.set_price_list(now, US, &[(None, 0, FORMULA)]));
        }
        let mut rules = prices::rules();
        let (source, target) = (rules.fields.source.clone(), SystemName::new("outlet"));
        let lists = [("base", US), ("group:Wholesale", prices::LIST)];
        let lists = lists.map(|(ours, theirs)| (ours.to_string(), theirs.to_string()));
        rules.lists.insert(target.clone(), BTreeMap::from(lists));
        rules.fields.pairs.push(PairRules { source, target, policies: Vec::new(), creates: false });
        stage.prices = Some(rules);
        prices::open_lists(&stage);
        stage.boot().await.unwrap().adopt_variants().await.unwrap();
        story(stage).await;
    });
}

/// What the shop asks for one mug, by store view; 0 stands for all of them.
fn asked(stage: &Stage) -> BTreeMap<u64, Decimal> {
    let ledger = open(&stage.world).shop.ledger();
    let rows = ledger["prices"].as_array().unwrap().iter().filter(|row| row["sku"] == SKU && row["list"] == "base");
    rows.map(|row| (row["view"].as_u64().unwrap_or(0), row["amount"].as_str().unwrap().parse().unwrap())).collect()
}

/// The websites that have a price of a group for the mug, each with how many.
fn tiers(stage: &Stage) -> BTreeMap<u64, usize> {
    let ledger = open(&stage.world).shop.ledger();
    let of_group = |row: &&Value| row["sku"] == SKU && row["list"] == "group:Wholesale";
    let mut found = BTreeMap::new();
    for row in ledger["prices"].as_array().unwrap().iter().filter(of_group) {
        *found.entry(row["website"].as_u64().unwrap_or(0)).or_default() += 1;
    }
    found
}

async fn take_the_erps(stage: &Stage) {
    passes(stage, 120).await;
    let engine = stage.boot().await.unwrap();
    engine.resolve(&Meant::default(), &Choice::Take(SystemName::new("erp"))).await.unwrap();
    passes(stage, 300).await;
}

#[test]
fn two_websites_ask_what_their_own_lists_say_and_nothing_of_one_is_in_the_other() {
    two_websites(true, |stage| async move {
        open(&stage.world).shop.set_website_price(stage.clock.true_now(), "us", SKU, "99");
        let before = asked(&stage)[&0];
        take_the_erps(&stage).await;
        let now = stage.clock.true_now();
        assert!(open(&stage.world).erp.set_list_price(now, SKU, "8.5"));
        passes(&stage, 300).await;
        let shown = asked(&stage);
        let [here, there] = [shown[&1], shown[&2]];
        assert_eq!((here, there), (Decimal::new(85, 1), Decimal::new(17, 0)));
        assert_eq!(shown[&0], before, "what would hold in every website is left alone");
        assert_eq!(tiers(&stage), BTreeMap::from([(1, 2), (2, 2)]));
        let proof = stage.boot().await.unwrap().verify().await.unwrap();
        let flow = &proof.flows[&Flow::Prices];
        assert!(flow.compared > 0 && flow.different == 0 && flow.missing == 0 && flow.open == 0, "{flow:?}");
        let writes = open(&stage.world).writes;
        passes(&stage, 600).await;
        assert_eq!(open(&stage.world).writes, writes, "silent at rest");
        assert_eq!(broken(&stage), [""; 0]);
        // A price typed in one website is put right there, and the other one hears nothing of it.
        open(&stage.world).shop.set_website_price(stage.clock.true_now(), "us", SKU, "1");
        assert!(open(&stage.world).erp.set_list_price(stage.clock.true_now(), SKU, "9"));
        passes(&stage, 300).await;
        let shown = asked(&stage);
        assert_eq!([shown[&1], shown[&2]], [Decimal::new(9, 0), Decimal::new(18, 0)]);
    });
}

#[test]
fn where_prices_hold_in_all_websites_none_is_told_one_of_its_own() {
    two_websites(false, |stage| async move {
        let before = asked(&stage);
        passes(&stage, 300).await;
        assert_eq!((asked(&stage), tiers(&stage)), (before, BTreeMap::new()));
        let engine = stage.boot().await.unwrap();
        let shop = engine.systems.values().find(|system| system.name.as_str() == "shop").unwrap();
        let probe = shop.connector.probe(&shop.ctx).await.unwrap();
        assert!(!probe.profile.kinds.contains_key(&Kind::Price));
        let told = probe.warnings.iter().find(|told| told.contains("prices cannot be synchronised")).unwrap();
        assert!(told.contains("Catalog Price Scope"), "{told}");
    });
}

#[test]
fn what_both_websites_sell_from_one_shelf_is_told_once_and_never_put_up_twice() {
    told(73, |mut stage| async move {
        stage.sweep_s = None;
        stage.open_website();
        stage.stock = Some(trade::rules());
        stage.boot().await.unwrap().adopt_variants().await.unwrap();
        passes(&stage, 120).await;
        for n in 0..6 {
            place(&stage, n, |_| ());
            place(&stage, n + 20, |order| {
                order["store_id"] = json!(2);
                order.as_object_mut().unwrap().remove("customer_id");
                order["customer_is_guest"] = json!(1);
            });
            passes(&stage, 60).await;
        }
        passes(&stage, 600).await;
        assert_eq!((broken(&stage), differences(&stage)), (Vec::new(), Vec::new()));
        let world = open(&stage.world);
        let goods = trade::held(&world.erp.ledger());
        let shown = trade::salable(&world.shop.ledger());
        let all: Vec<&String> = shown.keys().filter(|sku| goods.contains_key(*sku)).collect();
        assert!(all.len() > 3, "{all:?}");
        for sku in all {
            assert_eq!(shown[sku], goods[sku].free().floor().max(Decimal::ZERO), "{sku}");
        }
    });
}

/// A process that the first website gave no answer when it began; the other website and the ERP did.
async fn begun_without_the_first(stage: &Stage) -> Arc<Engine> {
    let engine = stage.boot().await.unwrap();
    engine.leave_out(SystemName::new("shop"), Error::new(ErrorKind::Unreachable, "no answer"));
    engine
}

/// One pass of such a process.
async fn pass_without_the_first(stage: &Stage) {
    let engine = begun_without_the_first(stage).await;
    let error = engine.sync(None).await.unwrap_err();
    assert!(error.to_string().starts_with("shop: "), "who is away is told: {error}");
}

/// What a person would be asked about.
async fn asked_about(stage: &Stage) -> Vec<String> {
    let filter = LaneFilter { states: vec!["held", "failed", "conflict"], ..LaneFilter::default() };
    let lanes = stage.boot().await.unwrap().store.lanes(filter).await.unwrap();
    lanes.into_iter().map(|lane| format!("{} {}: {:?}", lane.kind, lane.label, lane.why)).collect()
}

#[test]
fn no_figure_is_told_on_what_a_website_showed_before_it_was_away() {
    told(73, |mut stage| async move {
        stage.sweep_s = None;
        stage.open_website();
        stage.stock = Some(trade::rules());
        stage.boot().await.unwrap().adopt_variants().await.unwrap();
        let sides = |stage: &Stage| {
            let world = open(&stage.world);
            let free = trade::held(&world.erp.ledger())[SKU].free().floor().max(Decimal::ZERO);
            (trade::salable(&world.shop.ledger())[SKU], free)
        };
        // Its stock was never read: that is waited for, and nobody is asked.
        pass_without_the_first(&stage).await;
        assert_eq!(asked_about(&stage).await, [""; 0]);
        passes(&stage, 120).await;
        let (shown, free) = sides(&stage);
        assert_eq!(shown, free);
        // It keeps back two pieces when it is read, and has handed them over by the time it is away.
        assert!(open(&stage.world).shop.buy(stage.clock.true_now(), SKU, 2));
        let bought = check::unreferenced(&open(&stage.world).shop).pop().unwrap();
        passes(&stage, 120).await;
        {
            let now = stage.clock.true_now();
            let mut world = open(&stage.world);
            assert!(
                trade::ship_one(&mut world.erp, now) && world.shop.ship(now, bought) && world.erp.take(now, SKU, 1)
            );
        }
        let engine = begun_without_the_first(&stage).await;
        let plan = engine.plan(Some(Flow::Inventory)).await.unwrap();
        let waits = |row: &&OpenRow| row.state == "waiting" && row.key == SKU && row.why.what == "shop: no answer";
        assert!(plan.rows.is_empty() && plan.open.iter().any(|row| waits(&row)), "{plan:?}");
        pass_without_the_first(&stage).await;
        assert_eq!(sides(&stage), (free - Decimal::from(2), free - Decimal::from(3)), "nothing is told meanwhile");
        passes(&stage, 120).await;
        assert_eq!(sides(&stage), (free - Decimal::from(3), free - Decimal::from(3)));
        assert_eq!((broken(&stage), asked_about(&stage).await), (Vec::new(), Vec::new()));
    });
}

#[test]
fn prices_that_were_never_read_in_a_website_that_was_away_are_no_agreement() {
    two_websites(true, |mut stage| async move {
        // Prices go to the first website alone.
        let rules = stage.prices.as_mut().unwrap();
        rules.fields.pairs.truncate(1);
        assert!(open(&stage.world).shop.set_website_price(stage.clock.true_now(), "base", SKU, "99"));
        let (before, writes) = (asked(&stage), open(&stage.world).writes);
        pass_without_the_first(&stage).await;
        assert_eq!((asked(&stage), open(&stage.world).writes), (before.clone(), writes));
        passes(&stage, 90).await;
        let open_lanes = asked_about(&stage).await;
        assert!(open_lanes.iter().any(|lane| lane.starts_with("price MUG")), "it is asked about: {open_lanes:?}");
        assert_eq!(asked(&stage), before);
    });
}
