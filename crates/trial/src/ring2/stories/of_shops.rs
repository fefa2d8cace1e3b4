//! Two shops on one ERP: orders from both, one stock, each its own prices and languages, and one of them away.

use super::of_products::path_of;
use super::*;
use crate::ring2::world::Which;
use crate::ring2::{desk, prices, trade};
use rust_decimal::Decimal;
use serde_json::json;
use std::collections::BTreeMap;
use syncline_core::id::SystemName;
use syncline_core::rules::{FieldPolicy, PairRules};
use syncline_engine::conflicts::{Choice, Which as Meant};
use syncline_engine::sweep::SweepOrder;

const SKU: &str = "MUG";

/// A stage with two shops whose products are tied.
fn two_shops<F: Future<Output = ()>>(seed: u64, change: impl FnOnce(&mut Stage), story: impl FnOnce(Stage) -> F) {
    told(seed, |mut stage| async move {
        stage.stock = None;
        stage.sweep_s = None;
        stage.open_outlet();
        change(&mut stage);
        let reports = stage.boot().await.unwrap().adopt_variants().await.unwrap();
        assert_eq!(reports.len(), 2, "each shop is tied to the ERP");
        story(stage).await;
    });
}

/// An order of the outlet placed now, after `change` was made to it.
fn place_in_outlet(stage: &Stage, n: u64, change: impl FnOnce(&mut Value)) {
    let now = stage.clock.true_now();
    let mut order = place_like(5, n, &stage.catalogue, now);
    change(&mut order);
    open(&stage.world).outlet.as_mut().unwrap().place(now, order).unwrap();
}

fn for_sale(stage: &Stage) -> Vec<Decimal> {
    open(&stage.world).shops().map(|shop| trade::salable(&shop.ledger())[SKU]).collect()
}

/// Takes all but so many pieces from the warehouse.
fn leave(stage: &Stage, pieces: i64) {
    let now = stage.clock.true_now();
    let mut world = open(&stage.world);
    let there = trade::held(&world.erp.ledger())[SKU].free() - Decimal::from(pieces);
    assert!(world.erp.take(now, SKU, u32::try_from(there.normalize().mantissa()).unwrap()));
}

/// The people of the ERP that came from a shop: mark and e-mail.
fn people(stage: &Stage) -> Vec<(String, String)> {
    let ledger = open(&stage.world).erp.ledger();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_string();
    let rows = ledger["customers"].as_array().unwrap().iter().map(|row| (text(&row["reference"]), text(&row["email"])));
    rows.filter(|(mark, _)| mark.starts_with("SL")).collect()
}

async fn held_or_worse(engine: &Engine) -> Vec<String> {
    let filter = LaneFilter { states: vec!["held", "failed", "conflict"], ..LaneFilter::default() };
    let lanes = engine.store.lanes(filter).await.unwrap();
    lanes.into_iter().map(|lane| format!("{} {}: {:?}", lane.kind, lane.label, lane.why)).collect()
}

#[test]
fn s74_the_same_number_in_two_shops() {
    two_shops(
        74,
        |_| (),
        |stage| async move {
            let number = place(&stage, 1, |_| ());
            place_in_outlet(&stage, 2, |order| order["increment_id"] = json!(number));
            passes(&stage, 300).await;
            assert_eq!(differences(&stage), [""; 0]);
            assert_eq!(broken(&stage), [""; 0]);
            let ledger = open(&stage.world).erp.ledger();
            let references: Vec<&str> =
                ledger["orders"].as_array().unwrap().iter().filter_map(|row| row["reference"].as_str()).collect();
            assert!(references.contains(&number.as_str()) && references.contains(&format!("O{number}").as_str()));
            let proof = stage.boot().await.unwrap().verify().await.unwrap();
            assert_eq!((proof.drift, proof.flows[&syncline_core::kind::Flow::Orders].equal), (0, 2));
        },
    );
}

#[test]
fn s74_an_order_is_named_with_its_shop_where_both_have_its_number() {
    two_shops(
        274,
        |_| (),
        |stage| async move {
            let number = place(&stage, 1, |_| ());
            place_in_outlet(&stage, 2, |order| order["increment_id"] = json!(number));
            passes(&stage, 300).await;
            let engine = stage.boot().await.unwrap();
            assert_eq!(engine.named(Kind::Order, &number).await.unwrap().len(), 2);
            let mut named = Vec::new();
            for name in ["shop", "outlet"] {
                let [order] = engine.named(Kind::Order, &format!("{name}/{number}")).await.unwrap()[..] else {
                    panic!("one order of {name}");
                };
                let system = &engine.systems[&SystemName::new(name)].uid;
                assert!(engine.store.bound(order, system.clone()).await.unwrap().is_some());
                assert_eq!(engine.own_name(order).await.unwrap(), format!("order:{name}/{number}"));
                named.push(order);
            }
            assert_ne!(named[0], named[1]);
            // Both are in the ERP, which tells them apart by nothing but its own ids.
            assert_eq!(engine.named(Kind::Order, &format!("erp/{number}")).await.unwrap().len(), 2);
            // A slash of the label's own is one, whatever stands before it.
            for label in ["NUT/M8 ü", "outlet/M8"] {
                let id = syncline_core::id::RemoteId::new("", label);
                let ids = vec![(engine.systems[&SystemName::new("shop")].uid.clone(), id, Vec::new())];
                let nut = syncline_store::Adoption { kind: Kind::Variant, label: label.to_string(), ids };
                engine.store.adopt(vec![nut], stage.clock.true_now()).await.unwrap();
                let [nut] = engine.named(Kind::Variant, label).await.unwrap()[..] else { panic!("one nut") };
                let own = engine.own_name(nut).await.unwrap();
                let [same] = engine.named(Kind::Variant, own.strip_prefix("variant:").unwrap()).await.unwrap()[..]
                else {
                    panic!("one nut by {own}");
                };
                assert_eq!(same, nut);
            }
        },
    );
}

#[test]
fn s73_one_e_mail_in_two_shops_is_two_people() {
    two_shops(
        73,
        |_| (),
        |stage| async move {
            let mut same: Option<Value> = None;
            place(&stage, 1, |order| same = Some(order.clone()));
            let same = same.unwrap();
            place_in_outlet(&stage, 2, |order| {
                for field in ["customer_email", "customer_is_guest", "customer_id", "billing_address"] {
                    order[field] = same[field].clone();
                }
            });
            passes(&stage, 300).await;
            assert_eq!(differences(&stage), [""; 0]);
            let people: Vec<(String, String)> =
                people(&stage).into_iter().filter(|(_, email)| same["customer_email"] == json!(email)).collect();
            assert_eq!(people.len(), 2, "{people:?}");
            assert_ne!(people[0].0, people[1].0);
        },
    );
}

#[test]
fn one_e_mail_in_two_shops_is_one_party_where_the_file_says_so() {
    two_shops(
        173,
        |stage| stage.one_by_email = true,
        |stage| async move {
            let mut same: Option<Value> = None;
            for n in 0..3 {
                place(&stage, n, |order| {
                    let same = same.get_or_insert_with(|| order.clone());
                    order["customer_email"] = same["customer_email"].clone();
                });
                place_in_outlet(&stage, 10 + n, |order| {
                    order["customer_email"] = same.as_ref().unwrap()["customer_email"].clone();
                });
            }
            passes(&stage, 600).await;
            assert_eq!(differences(&stage), [""; 0]);
            assert_eq!(broken(&stage), [""; 0]);
            let email = same.unwrap()["customer_email"].clone();
            let all = people(&stage);
            let one: Vec<_> = all.iter().filter(|(_, theirs)| email == json!(theirs)).collect();
            assert_eq!(one.len(), 1, "{all:?}");
            assert_eq!(held_or_worse(&stage.boot().await.unwrap()).await, [""; 0]);
            let writes = open(&stage.world).writes;
            passes(&stage, 600).await;
            assert_eq!(open(&stage.world).writes, writes, "silent at rest");
        },
    );
}

#[test]
fn two_shops_sell_one_stock_and_never_the_same_piece() {
    two_shops(
        45,
        |stage| stage.stock = Some(trade::rules()),
        |stage| async move {
            leave(&stage, 7);
            passes(&stage, 90).await;
            assert_eq!(for_sale(&stage), [Decimal::from(7), Decimal::from(7)]);
            let now = stage.clock.true_now();
            assert!(open(&stage.world).outlet.as_mut().unwrap().buy(now, SKU, 3));
            // On hold in its shop, so that the ERP does not hear of it: the other shop has to keep it back all the same.
            let id = {
                let mut world = open(&stage.world);
                let outlet = world.outlet.as_mut().unwrap();
                let id = check::unreferenced(outlet).pop().unwrap();
                assert!(outlet.set_state(now, id, "holded"));
                id
            };
            passes(&stage, 90).await;
            assert_eq!(for_sale(&stage), [Decimal::from(4), Decimal::from(4)]);
            assert!(open(&stage.world).shop.buy(stage.clock.true_now(), SKU, 4));
            passes(&stage, 90).await;
            assert_eq!(for_sale(&stage), [Decimal::ZERO, Decimal::ZERO]);
            let now = stage.clock.true_now();
            assert!(open(&stage.world).outlet.as_mut().unwrap().set_state(now, id, "processing"));
            passes(&stage, 600).await;
            assert_eq!(for_sale(&stage), [Decimal::ZERO, Decimal::ZERO]);
            assert_eq!(differences(&stage), [""; 0]);
            assert_eq!(held_or_worse(&stage.boot().await.unwrap()).await, [""; 0]);
        },
    );
}

#[test]
fn one_shop_that_is_down_for_an_hour_keeps_nothing_from_the_other() {
    let change = |stage: &mut Stage| {
        stage.stock = Some(trade::rules());
        stage.prices = Some(prices::rules());
        open(&stage.world).shops_mut().for_each(|shop| shop.set_currency("EUR"));
    };
    two_shops(46, change, |stage| async move {
        leave(&stage, 9);
        passes(&stage, 90).await;
        let engine = stage.boot().await.unwrap();
        engine.resolve(&Meant::default(), &Choice::Take(SystemName::new("erp"))).await.unwrap();
        passes(&stage, 120).await;
        open(&stage.world).down.insert(Which::Shop);
        for round in 0..12u64 {
            let now = stage.clock.true_now();
            place_in_outlet(&stage, round, |_| ());
            assert!(open(&stage.world).erp.set_list_price(now, SKU, &format!("{}.5", 20 + round)));
            if round % 4 == 0 {
                assert!(open(&stage.world).erp.take(now, SKU, 1));
            }
            passes(&stage, 300).await;
            let outlet = open(&stage.world).outlet.as_ref().unwrap().ledger();
            let prices = outlet["prices"].as_array().unwrap();
            let base = prices.iter().find(|row| row["sku"] == SKU && row["list"] == "base").unwrap();
            let asked: Decimal = base["amount"].as_str().unwrap().parse().unwrap();
            assert_eq!(asked, Decimal::new(205 + 10 * i64::try_from(round).unwrap(), 1), "in round {round}");
            let numbers = outlet["orders"].as_array().unwrap().iter().filter(|row| row["state"] == "released");
            assert!(numbers.into_iter().all(|row| !row["reference"].is_null()), "in round {round}");
        }
        let ordered = trade::held(&open(&stage.world).erp.ledger())[SKU].free();
        assert_eq!(for_sale(&stage)[1], ordered.floor().max(Decimal::ZERO));
        let error = engine.sync(None).await.unwrap_err();
        assert!(error.to_string().starts_with("shop: "), "who is away is told: {error}");
        open(&stage.world).down.clear();
        passes(&stage, 900).await;
        assert_eq!(prices::apart(&stage), [""; 0]);
        assert_eq!(differences(&stage), [""; 0]);
        assert_eq!(broken(&stage), [""; 0]);
        assert_eq!(for_sale(&stage)[0], for_sale(&stage)[1]);
        let writes = open(&stage.world).writes;
        passes(&stage, 600).await;
        assert_eq!(open(&stage.world).writes, writes, "silent at rest");
    });
}

#[test]
fn a_product_one_shop_lost_is_held_there_and_goes_on_in_the_other() {
    let change = |stage: &mut Stage| {
        stage.stock = Some(trade::rules());
        languages(stage);
    };
    two_shops(50, change, |stage| async move {
        let engine = stage.boot().await.unwrap();
        for system in engine.systems.values() {
            engine.store.forget_cursor(system.uid.clone(), Kind::Variant).await.unwrap();
        }
        leave(&stage, 8);
        passes(&stage, 120).await;
        let which = Meant { field: Some(path_of("texts.*.name")), ..Meant::default() };
        engine.resolve(&which, &Choice::Take(SystemName::new("erp"))).await.unwrap();
        passes(&stage, 120).await;
        assert!(open(&stage.world).outlet.as_mut().unwrap().delete_product(SKU));
        for (system, kind) in engine.sweeps(None).unwrap() {
            engine.sweep(system, kind, SweepOrder::default(), &mut |_| {}).await.unwrap();
        }
        let now = stage.clock.true_now();
        assert!(open(&stage.world).erp.edit_product(now, SKU, Some("de"), "name", &json!("Krug")));
        assert!(open(&stage.world).erp.take(now, SKU, 3));
        passes(&stage, 240).await;
        let shop = open(&stage.world).shop.ledger();
        let rows = shop["products"].as_array().unwrap();
        let row = rows.iter().find(|row| row["sku"] == SKU).unwrap();
        assert_eq!(row["views"]["german"]["name"], "Krug", "names go on to the shop that has it");
        assert_eq!(trade::salable(&shop)[SKU], Decimal::from(5), "and so does stock");
        let open_lanes = held_or_worse(&engine).await;
        let lost = open_lanes.iter().find(|lane| lane.starts_with("variant MUG") && lane.contains("outlet"));
        assert!(lost.is_some_and(|lane| lane.contains("SYN-0150")), "a person is asked: {open_lanes:?}");
    });
}

/// Products of both shops: the ERP's names; the outlet has its own descriptions.
fn languages(stage: &mut Stage) {
    let mut rules = desk::rules();
    let policies = vec![(path_of("texts.*.description"), FieldPolicy::Owner(SystemName::new("shop")))];
    let pair = |target: &str, policies| PairRules {
        source: SystemName::new("erp"),
        target: SystemName::new(target),
        policies,
        creates: false,
    };
    let own = vec![(path_of("texts.*.description"), FieldPolicy::Keep)];
    rules.pairs = vec![pair("shop", policies), pair("outlet", own)];
    stage.products = Some(rules);
    // The outlet has one language, German, in its only view.
    stage.outlet_views = BTreeMap::from([("de".to_string(), "default".to_string())]);
    desk::open_views(stage);
}

#[test]
fn each_shop_has_its_own_languages_and_a_conflict_with_one_does_not_silence_the_other() {
    two_shops(78, languages, |stage| async move {
        let engine = stage.boot().await.unwrap();
        {
            // Different in the shop and the ERP before both were tied; the outlet keeps its own anyway.
            let now = stage.clock.true_now();
            let mut world = open(&stage.world);
            assert!(world.shop.edit_product(now, SKU, Some("german"), "description", "vom Shop"));
            assert!(world.erp.edit_product(now, SKU, Some("de"), "description", &json!("vom ERP")));
        }
        for system in engine.systems.values() {
            engine.store.forget_cursor(system.uid.clone(), Kind::Variant).await.unwrap();
        }
        passes(&stage, 120).await;
        for (system, winner) in [("shop", "erp"), ("outlet", "erp")] {
            let field = Some(path_of("texts.*.name"));
            let which = Meant { field, system: Some(SystemName::new(system)), ..Meant::default() };
            engine.resolve(&which, &Choice::Take(SystemName::new(winner))).await.unwrap();
        }
        passes(&stage, 240).await;
        // The shop's own description differs from the ERP's: nobody has decided that, and yet names flow to both.
        let open_lanes = held_or_worse(&engine).await;
        let undecided = open_lanes.iter().find(|lane| lane.starts_with("variant MUG"));
        assert!(undecided.is_some_and(|lane| lane.contains("shop: `texts")), "whose it is is told: {open_lanes:?}");
        let now = stage.clock.true_now();
        assert!(open(&stage.world).erp.edit_product(now, SKU, Some("de"), "name", &json!("Humpen")));
        assert!(open(&stage.world).erp.edit_product(now, SKU, None, "name", &json!("Tankard")));
        passes(&stage, 240).await;
        let row = |ledger: &Value| {
            let rows = ledger["products"].as_array().unwrap();
            rows.iter().find(|row| row["sku"] == SKU).unwrap().clone()
        };
        let (shop, outlet) = {
            let world = open(&stage.world);
            (row(&world.shop.ledger()), row(&world.outlet.as_ref().unwrap().ledger()))
        };
        assert_eq!((&shop["name"], &shop["views"]["german"]["name"]), (&json!("Tankard"), &json!("Humpen")));
        let german = if outlet["views"]["default"]["name"].is_null() {
            &outlet["name"]
        } else {
            &outlet["views"]["default"]["name"]
        };
        assert_eq!(german, "Humpen");
        assert_eq!(broken(&stage), [""; 0]);
    });
}
