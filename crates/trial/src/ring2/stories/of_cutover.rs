//! Stories of a cut-over: orders and customers that another connector brought are tied, and nothing is made beside them.

use super::*;
use serde_json::json;
use std::collections::BTreeSet;
use syncline_core::rules::AdoptKey;
use syncline_engine::adopt::{OrdersAdopted, OrdersWanted};
use syncline_sim::elsewhere::Booked;

const SEED: u64 = 75;

/// Places order `n`, and has the other connector bring it as `change` says. Returns its number.
fn brought(stage: &Stage, n: u64, change: impl FnOnce(&mut Booked)) -> String {
    let now = stage.clock.true_now();
    let order = place_like(5, n, &stage.catalogue, now);
    let mut booked = Booked::of(&order).unwrap();
    change(&mut booked);
    let mut world = open(&stage.world);
    world.shop.place(now, order).unwrap();
    world.erp.bring(now, &booked).unwrap();
    booked.number
}

async fn adopted(stage: &Stage, wanted: &OrdersWanted) -> OrdersAdopted {
    let engine = stage.boot().await.unwrap();
    engine.adopt_orders(wanted, &mut |_| {}).await.unwrap().remove(0)
}

fn documents(stage: &Stage) -> Vec<Value> {
    open(&stage.world).erp.ledger()["orders"].as_array().unwrap().clone()
}

fn writes(stage: &Stage) -> u64 {
    open(&stage.world).writes
}

/// A stage whose file says how the other connector's sales are known.
fn cut_over<F: Future<Output = ()>>(products: usize, story: impl FnOnce(Stage) -> F) {
    stocked(SEED, products, |mut stage| {
        stage.stock = None;
        stage.rules.adopt = Some(AdoptKey { field: "reference".into(), value: "{number}".into() });
        story(stage)
    });
}

#[test]
fn s75_orders_another_connector_brought_are_tied_watched_and_never_made_again() {
    cut_over(300, |mut stage| async move {
        for n in 0..100 {
            brought(&stage, n, |_| ());
        }
        let before = (writes(&stage), documents(&stage).len());
        let report = adopted(&stage, &OrdersWanted::default()).await;
        assert_eq!((report.read, report.bound, report.before), (100, 100, 0), "{report:?}");
        assert!(report.customers > 10, "{report:?}");
        assert_eq!((report.different.count, report.ambiguous.count, report.unmatched.count), (0, 0, 0), "{report:?}");
        let again = adopted(&stage, &OrdersWanted::default()).await;
        assert_eq!((again.bound, again.before, again.customers), (0, 100, 0), "{again:?}");
        stage.watched = vec![Flow::Orders, Flow::Customers];
        let engine = stage.boot().await.unwrap();
        passes(&stage, 120).await;
        assert!(engine.plan(None).await.unwrap().rows.iter().all(|row| row.kind != "order"));
        for proof in [engine.verify().await.unwrap(), engine.verify_stored().await.unwrap()] {
            let orders = &proof.flows[&Flow::Orders];
            assert_eq!((orders.compared, orders.equal, orders.drift()), (100, 100, 0), "{orders:?}");
        }
        assert_eq!(writes(&stage), before.0, "watching writes nothing");
        // Brought while the other connector still ran beside.
        let late = brought(&stage, 100, |_| ());
        stage.watched = Vec::new();
        passes(&stage, 300).await;
        let held = lane(&stage.boot().await.unwrap(), &late).await;
        assert_eq!(held.why.unwrap().code, "SYN-0164", "it is looked for before it is made");
        assert_eq!(adopted(&stage, &OrdersWanted::default()).await.bound, 1);
        place(&stage, 101, |_| ());
        passes(&stage, 300).await;
        assert_eq!(documents(&stage).len(), before.1 + 2, "one brought, one made");
        assert_eq!(differences(&stage), [""; 0]);
        let engine = stage.boot().await.unwrap();
        assert_eq!(engine.verify().await.unwrap().flows[&Flow::Orders].drift(), 0);
        assert_eq!(broken(&stage), [""; 0]);
    });
}

#[test]
fn watching_orders_of_people_the_erp_does_not_know_comes_to_an_end_and_they_cross_once_it_is_on() {
    cut_over(12, |mut stage| async move {
        let numbers: Vec<String> = (0..6).map(|n| place(&stage, n, |_| ())).collect();
        let before = (writes(&stage), documents(&stage).len());
        stage.watched = vec![Flow::Orders, Flow::Customers];
        let engine = stage.boot().await.unwrap();
        let pass = tokio::time::timeout(std::time::Duration::from_secs(600), engine.sync(None));
        pass.await.expect("a pass that only watches ends").unwrap();
        for number in &numbers {
            assert_eq!(lane(&engine, number).await.state, "outside");
        }
        assert_eq!((writes(&stage), documents(&stage).len()), before);
        // Orders that are carried and people who are not: each order says what keeps it.
        stage.watched = vec![Flow::Customers];
        let engine = stage.boot().await.unwrap();
        engine.store.retry(syncline_store::Retry::Rules, stage.clock.true_now()).await.unwrap();
        let pass = tokio::time::timeout(std::time::Duration::from_secs(600), engine.sync(None));
        pass.await.expect("it ends as well").unwrap();
        let kept = lane(&engine, &numbers[0]).await;
        assert_eq!((kept.state.as_str(), kept.why.unwrap().code.as_str()), ("held", "SYN-0180"));
        stage.watched = Vec::new();
        let engine = stage.boot().await.unwrap();
        engine.store.retry(syncline_store::Retry::Rules, stage.clock.true_now()).await.unwrap();
        passes(&stage, 600).await;
        assert_eq!(differences(&stage), [""; 0]);
        assert_eq!(broken(&stage), [""; 0]);
    });
}

#[test]
fn without_adoption_a_cut_over_books_every_order_a_second_time() {
    cut_over(PRODUCTS, |mut stage| async move {
        stage.rules.adopt = None;
        for n in 0..4 {
            brought(&stage, n, |_| ());
        }
        passes(&stage, 600).await;
        assert_eq!(documents(&stage).len(), 8, "the story above can fail");
        assert_eq!(differences(&stage).len(), 4);
    });
}

#[test]
fn s75_what_differs_is_listed_and_neither_tied_nor_made_again() {
    cut_over(PRODUCTS, |stage| async move {
        let dearer = brought(&stage, 0, |booked| booked.total += rust_decimal::Decimal::ONE);
        let shorter = brought(&stage, 1, |booked| {
            booked.lines.pop();
        });
        let foreign = brought(&stage, 2, |booked| {
            booked.currency = if booked.currency == "USD" { "EUR" } else { "USD" }.into();
        });
        let twice = brought(&stage, 3, |_| ());
        let second = Booked::of(&place_like(5, 3, &stage.catalogue, stage.clock.true_now())).unwrap();
        open(&stage.world).erp.bring(stage.clock.true_now(), &second).unwrap();
        let cancelled = brought(&stage, 4, |_| ());
        let id = documents(&stage).iter().find(|row| row["reference"] == *cancelled).unwrap()["id"].as_u64().unwrap();
        assert!(open(&stage.world).erp.cancel_sale(stage.clock.true_now(), id));
        let fine = brought(&stage, 5, |_| ());
        let report = adopted(&stage, &OrdersWanted::default()).await;
        assert_eq!(report.bound, 1, "{report:?}");
        let named = |list: &[String], number: &str| list.iter().any(|line| line.starts_with(number));
        for number in [&dearer, &shorter, &foreign, &cancelled] {
            assert!(named(&report.different.first, number), "{number}: {report:?}");
        }
        assert!(named(&report.ambiguous.first, &twice), "{report:?}");
        let before = documents(&stage).len();
        passes(&stage, 600).await;
        let engine = stage.boot().await.unwrap();
        for number in [&dearer, &shorter, &foreign, &cancelled, &twice] {
            assert_eq!(lane(&engine, number).await.why.unwrap().code, "SYN-0164");
        }
        assert_eq!(lane(&engine, &fine).await.state, "idle");
        assert_eq!(documents(&stage).len(), before, "nothing is made beside what is there");
        // The clerk puts one right; it is tied then.
        let other = documents(&stage).iter().rfind(|row| row["reference"] == *twice).unwrap()["id"].as_u64().unwrap();
        let now = stage.clock.true_now();
        assert!(open(&stage.world).erp.directly(now, "sale.sale", other, &json!({"reference": "a copy"})));
        assert_eq!(adopted(&stage, &OrdersWanted::default()).await.bound, 1);
        passes(&stage, 120).await;
        assert_eq!(lane(&stage.boot().await.unwrap(), &twice).await.state, "idle");
        assert_eq!(broken(&stage), [""; 0]);
    });
}

#[test]
fn s75_numbers_go_to_the_shop_only_where_a_person_chose_so_and_drafts_stay_drafts() {
    cut_over(PRODUCTS, |mut stage| async move {
        stage.watched = vec![Flow::Customers];
        let numbers: Vec<String> = (0..3).map(|n| brought(&stage, n, |_| ())).collect();
        let draft = brought(&stage, 3, |booked| booked.draft = true);
        let report = adopted(&stage, &OrdersWanted::default()).await;
        assert_eq!((report.bound, report.unreleased.count, report.numbers.count), (4, 1, 3), "{report:?}");
        let before = writes(&stage);
        passes(&stage, 300).await;
        assert_eq!(writes(&stage), before, "nobody asked for the numbers, and a draft is not ours to confirm");
        let state =
            |number: &str| documents(&stage).iter().find(|row| row["reference"] == *number).unwrap()["state"].clone();
        assert_eq!(state(&draft), "draft");
        let back = OrdersWanted { numbers_to_shop: true, ..OrdersWanted::default() };
        assert_eq!(adopted(&stage, &back).await.bound, 0);
        passes(&stage, 300).await;
        assert_eq!(writes(&stage), before + 3, "each number once");
        let ledger = open(&stage.world).shop.ledger();
        let referring: BTreeSet<&str> = ledger["orders"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|row| !row["reference"].is_null())
            .filter_map(|row| row["number"].as_str())
            .collect();
        assert_eq!(referring, numbers.iter().map(String::as_str).collect());
        passes(&stage, 120).await;
        assert_eq!(writes(&stage), before + 3);
        let proof = stage.boot().await.unwrap().verify().await.unwrap();
        assert_eq!(proof.flows[&Flow::Orders].drift(), 0, "{proof:?}");
    });
}

#[test]
fn s75_a_list_ties_what_no_field_tells_and_the_default_is_tried_where_the_file_says_nothing() {
    cut_over(PRODUCTS, |mut stage| async move {
        stage.rules.adopt = None;
        let odd = brought(&stage, 0, |booked| booked.reference = "old-77".into());
        let plain = brought(&stage, 1, |_| ());
        let report = adopted(&stage, &OrdersWanted::default()).await;
        assert_eq!(
            (report.bound, report.unmatched.first.as_slice()),
            (1, std::slice::from_ref(&odd)),
            "{plain} {report:?}"
        );
        let pairs = [(&*odd, "old-77"), ("nowhere", "old-78"), (&*plain, "old-77")];
        let pairs = pairs.map(|(one, other)| (one.to_string(), other.to_string())).to_vec();
        let listed = OrdersWanted { pairs: Some(pairs), ..OrdersWanted::default() };
        let report = adopted(&stage, &listed).await;
        assert_eq!((report.bound, report.before, report.unmatched.count), (1, 1, 1), "{report:?}");
        let before = documents(&stage).len();
        passes(&stage, 300).await;
        assert_eq!(documents(&stage).len(), before);
        assert_eq!(broken(&stage), [""; 0]);
    });
}

#[test]
fn s75_two_orders_of_one_number_are_never_guessed_apart() {
    cut_over(PRODUCTS, |stage| async move {
        open(&stage.world).shop.add_store_view("second", "Second view", "de_DE");
        let number = brought(&stage, 1, |_| ());
        place(&stage, 2, |order| {
            order["increment_id"] = number.clone().into();
            order["store_id"] = 2.into();
        });
        let report = adopted(&stage, &OrdersWanted::default()).await;
        assert_eq!((report.bound, report.ambiguous.count), (0, 2), "{report:?}");
    });
}

#[test]
fn s75_the_buyer_of_an_adopted_order_is_the_party_that_was_there() {
    cut_over(PRODUCTS, |stage| async move {
        let number = brought(&stage, 1, |_| ());
        assert_eq!(adopted(&stage, &OrdersWanted::default()).await.customers, 1);
        let email = |ledger: Value| {
            ledger["customers"].as_array().unwrap().iter().map(|row| row["email"].clone()).collect::<Vec<_>>()
        };
        let before = email(open(&stage.world).erp.ledger());
        let first = place_like(5, 1, &stage.catalogue, stage.clock.true_now());
        place(&stage, 2, |order| {
            for field in ["customer_email", "customer_is_guest", "customer_id", "billing_address"] {
                order[field] = first[field].clone();
            }
        });
        passes(&stage, 300).await;
        assert_eq!(email(open(&stage.world).erp.ledger()), before, "no party is made for the buyer of {number}");
        assert_eq!(documents(&stage).len(), 2);
        assert_eq!(differences(&stage), [""; 0]);
        assert_eq!(broken(&stage), [""; 0]);
    });
}
