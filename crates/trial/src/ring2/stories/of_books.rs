//! Stories of addresses and telephones that go to the shop because the file says so.

use super::of_customers::{BUYER, SEED, account, at_peace, buys, edited, edited_in_erp, owned, party, shopper, towns};
use super::*;
use crate::ring2::planted::LOSES_IDS;
use serde_json::json;
use syncline_core::id::SystemName;
use syncline_core::rules::FieldPolicy;
use syncline_engine::conflicts::{Choice, Which};
use syncline_engine::undo::Fate;

/// Towns in the buyer's book, in its order.
fn book(stage: &Stage) -> Vec<String> {
    let shopper = shopper(stage);
    let rows = shopper["addresses"].as_array().unwrap().iter();
    rows.map(|row| row["city"].as_str().unwrap().to_string()).collect()
}

fn ids(stage: &Stage) -> Vec<u64> {
    shopper(stage)["addresses"].as_array().unwrap().iter().map(|row| row["id"].as_u64().unwrap()).collect()
}

fn erps() -> FieldPolicy {
    FieldPolicy::Owner(SystemName::new("erp"))
}

/// A buyer whose first order has arrived, with a further address of their own.
async fn arrived(stage: &Stage) -> String {
    buys(stage, 1, BUYER);
    edited(stage, "address.new", "Zweitstadt");
    passes(stage, 300).await;
    let home = account(stage, BUYER)["addresses"][0]["city"].as_str().unwrap().to_string();
    assert_eq!(book(stage), [home.clone(), "Zweitstadt".to_string()]);
    at_peace(stage).await;
    home
}

#[test]
fn an_address_the_erp_owns_is_changed_where_it_stands_and_the_others_stay() {
    told(SEED, |mut stage| async move {
        for field in ["addresses", "phone"] {
            owned(&mut stage, field, erps());
        }
        arrived(&stage).await;
        let (before, ids_before) = (shopper(&stage), ids(&stage));
        edited_in_erp(&stage, "address.city", "Neustadt");
        passes(&stage, 300).await;
        assert_eq!(book(&stage), ["Neustadt", "Zweitstadt"]);
        assert_eq!(ids(&stage), ids_before, "no address is a new one");
        let after = shopper(&stage);
        assert_eq!(after["addresses"][1], before["addresses"][1]);
        for kept in ["street", "telephone", "billed"] {
            assert_eq!(after["addresses"][0][kept], before["addresses"][0][kept], "{kept}");
        }
        at_peace(&stage).await;
        edited_in_erp(&stage, "phone", "+49 89 1234");
        passes(&stage, 300).await;
        assert_eq!(shopper(&stage)["addresses"][0]["telephone"], "+49891234");
        edited(&stage, "address.city", "Altstadt");
        passes(&stage, 300).await;
        assert_eq!(book(&stage), ["Neustadt", "Zweitstadt"], "its owner puts it right");
        at_peace(&stage).await;
    });
}

#[test]
fn addresses_sent_without_their_ids_are_new_ones_which_the_story_shows() {
    planted(SEED, Some(LOSES_IDS), |mut stage| async move {
        owned(&mut stage, "addresses", erps());
        arrived(&stage).await;
        let before = ids(&stage);
        edited_in_erp(&stage, "address.city", "Neustadt");
        passes(&stage, 300).await;
        let after = ids(&stage);
        assert!(before.iter().all(|id| !after.contains(id)), "the planted bug shows: {after:?}");
        assert_eq!(book(&stage), ["Neustadt", "Zweitstadt"], "none is there twice all the same");
    });
}

#[test]
fn an_address_of_the_erp_is_added_once_and_only_what_it_withdrew_goes() {
    told(SEED, |mut stage| async move {
        owned(&mut stage, "addresses", erps());
        let home = arrived(&stage).await;
        edited_in_erp(&stage, "address.new", "Lagerstadt");
        passes(&stage, 600).await;
        assert_eq!(book(&stage), [home.as_str(), "Zweitstadt", "Lagerstadt"]);
        assert_ne!(shopper(&stage)["addresses"][2]["telephone"], "", "the customer's own");
        at_peace(&stage).await;
        edited_in_erp(&stage, "address.gone", "Lagerstadt");
        passes(&stage, 600).await;
        assert_eq!(book(&stage), [home.as_str(), "Zweitstadt"]);
        at_peace(&stage).await;
    });
}

#[test]
fn an_address_of_the_erp_is_there_once_through_faults_and_crashes() {
    for fault in [Fault::LostReply, Fault::LostRequest, Fault::Late(0), Fault::Repeated(0)] {
        told(SEED, |mut stage| async move {
            owned(&mut stage, "addresses", erps());
            buys(&stage, 1, BUYER);
            passes(&stage, 300).await;
            let before = book(&stage);
            edited_in_erp(&stage, "address.new", "Lagerstadt");
            edited_in_erp(&stage, "address.city", "Neustadt");
            troubled(&stage, fault, 300);
            killed(&stage, [40, 120, 400, 900]).await;
            passes(&stage, 1200).await;
            calmed(&stage, fault);
            passes(&stage, 1200).await;
            assert_eq!(book(&stage).len(), before.len() + 1, "{fault:?}: {:?}", book(&stage));
            assert_eq!(book(&stage).iter().filter(|town| *town == "Lagerstadt").count(), 1, "{fault:?}");
            assert_eq!(towns(&stage).iter().filter(|town| *town == "Lagerstadt").count(), 1, "{fault:?}");
            at_peace(&stage).await;
        });
    }
}

#[test]
fn an_address_a_buyer_takes_out_though_the_erp_owns_it_is_asked_about() {
    told(SEED, |mut stage| async move {
        owned(&mut stage, "addresses", erps());
        let home = arrived(&stage).await;
        edited(&stage, "address.gone", "Zweitstadt");
        passes(&stage, 300).await;
        assert_eq!(book(&stage), std::slice::from_ref(&home), "not put in again unasked");
        let engine = stage.boot().await.unwrap();
        let rows = engine.conflicts(&Which::default()).await.unwrap();
        assert_eq!(rows.len(), 1, "{rows:?}");
        engine.resolve(&Which::default(), &Choice::Take(SystemName::new("erp"))).await.unwrap();
        passes(&stage, 600).await;
        assert_eq!(book(&stage), [home, "Zweitstadt".to_string()]);
        at_peace(&stage).await;
    });
}

#[test]
fn where_both_may_change_addresses_the_later_edit_crosses_a_clash_is_asked_about_and_papers_keep_theirs() {
    told(SEED, |mut stage| async move {
        owned(&mut stage, "addresses", FieldPolicy::Merge(None));
        let home = arrived(&stage).await;
        edited_in_erp(&stage, "address.city", "Neustadt");
        passes(&stage, 300).await;
        assert_eq!(book(&stage), ["Neustadt", "Zweitstadt"]);
        edited(&stage, "address.city", "Altstadt");
        passes(&stage, 300).await;
        let mut there = towns(&stage);
        there.sort();
        assert_eq!(there, ["Altstadt", "Neustadt", "Zweitstadt"], "{home}: the order's stays as the clerk made it");
        at_peace(&stage).await;
        edited(&stage, "address.street", "Gasse 1");
        let id =
            party(&stage)["addresses"].as_array().unwrap().iter().find(|row| row["city"] == "Altstadt").unwrap()["id"]
                .as_u64()
                .unwrap();
        let now = stage.clock.true_now();
        assert!(open(&stage.world).erp.directly(now, "party.address", id, &json!({"city": "Anderswo"})));
        open(&stage.world).papers.clear();
        passes(&stage, 300).await;
        let engine = stage.boot().await.unwrap();
        assert_eq!(engine.conflicts(&Which::default()).await.unwrap().len(), 1);
        engine.resolve(&Which::default(), &Choice::Take(SystemName::new("shop"))).await.unwrap();
        passes(&stage, 300).await;
        assert_eq!(book(&stage), ["Altstadt", "Zweitstadt"]);
        at_peace(&stage).await;
    });
}

#[test]
fn an_undo_puts_an_address_back_and_leaves_alone_what_was_added() {
    told(SEED, |mut stage| async move {
        owned(&mut stage, "addresses", erps());
        let home = arrived(&stage).await;
        edited_in_erp(&stage, "address.city", "Neustadt");
        passes(&stage, 300).await;
        assert_eq!(book(&stage), ["Neustadt", "Zweitstadt"]);
        let engine = stage.boot().await.unwrap();
        let run = engine.runs(20).await.unwrap().newest.iter().map(|row| row.run).max().unwrap();
        let undo = engine.undo_of(run, &[]).await.unwrap().unwrap();
        assert_eq!((undo.with(Fate::Back).count(), undo.stays.len()), (1, 0), "{undo:?}");
        engine.undo(&undo).await.unwrap();
        passes(&stage, 300).await;
        assert_eq!(book(&stage), [home, "Zweitstadt".to_string()]);
        edited_in_erp(&stage, "address.new", "Lagerstadt");
        passes(&stage, 600).await;
        let run = engine.runs(20).await.unwrap().newest.iter().map(|row| row.run).max().unwrap();
        let undo = engine.undo_of(run, &[]).await.unwrap().unwrap();
        assert_eq!(undo.with(Fate::Back).count(), 0, "{undo:?}");
        assert!(book(&stage).contains(&"Lagerstadt".to_string()));
    });
}
