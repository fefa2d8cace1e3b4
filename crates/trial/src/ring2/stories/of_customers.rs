//! Stories of customers that are shared field by field, adopted, deleted, or no customers at all.

use super::*;
use serde_json::json;
use syncline_core::id::SystemName;
use syncline_core::kind::Flow;
use syncline_core::path::Path;
use syncline_core::rules::FieldPolicy;
use syncline_engine::conflicts::{Choice, Which};
use syncline_engine::sweep::SweepOrder;
use syncline_sim::orders;

pub(super) const SEED: u64 = 7;
/// A private buyer with an address of their own.
pub(super) const BUYER: u64 = 4;

/// The account of `buyer` as the shop has it at first.
pub(super) fn account(stage: &Stage, buyer: u64) -> Value {
    let all = orders::customers(SEED, 0, stage.clock.true_now());
    all.into_iter().find(|one| one["id"] == buyer).unwrap()
}

/// Places order `n` of `buyer`, who has it sent home.
pub(super) fn buys(stage: &Stage, n: u64, buyer: u64) -> String {
    buys_reached_at(stage, n, buyer, None)
}

/// The same, to be reached under another telephone than their account says.
fn buys_reached_at(stage: &Stage, n: u64, buyer: u64, telephone: Option<&str>) -> String {
    let account = account(stage, buyer);
    place(stage, n, |order| {
        order["customer_id"] = json!(buyer);
        order["customer_is_guest"] = json!(0);
        for (theirs, ours) in
            [("customer_email", "email"), ("customer_firstname", "firstname"), ("customer_lastname", "lastname")]
        {
            order[theirs] = account[ours].clone();
        }
        let home = &account["addresses"][0];
        let lives = |address: &mut Value| {
            for field in ["firstname", "lastname", "company", "street", "city", "postcode", "country_id", "telephone"] {
                address[field] = home[field].clone();
            }
            address["region"] = home["region"]["region"].clone();
            address["region_code"] = home["region"]["region_code"].clone();
            address["email"] = account["email"].clone();
            if let Some(telephone) = telephone {
                address["telephone"] = json!(telephone);
            }
        };
        lives(&mut order["billing_address"]);
        let shipments = order.pointer_mut("/extension_attributes/shipping_assignments/0/shipping/address");
        shipments.into_iter().for_each(lives);
    })
}

pub(super) fn edited(stage: &Stage, field: &str, value: &str) {
    let now = stage.clock.true_now();
    assert!(open(&stage.world).shop.edit_customer(now, BUYER, field, value), "{field} = {value}");
}

#[test]
fn an_address_that_orders_tell_with_another_telephone_each_is_one_in_the_erp() {
    told(SEED, |stage| async move {
        for (n, telephone) in [(0, "+49 30 1111"), (1, "+49 30 2222"), (2, "+49 30 3333")] {
            buys_reached_at(&stage, n, BUYER, Some(telephone));
            passes(&stage, 300).await;
        }
        assert_eq!(differences(&stage), [""; 0]);
        let addresses = parties(&stage)[0]["addresses"].as_array().unwrap().len();
        assert_eq!((parties(&stage).len(), addresses), (1, 1), "{}", parties(&stage)[0]);
    });
}

/// The ERP's parties made from the shop.
fn parties(stage: &Stage) -> Vec<Value> {
    let ledger = open(&stage.world).erp.ledger();
    let all = ledger["customers"].as_array().unwrap().iter();
    all.filter(|row| row["reference"].as_str().unwrap().starts_with("SL")).cloned().collect()
}

pub(super) fn party(stage: &Stage) -> Value {
    let all = parties(stage);
    assert_eq!(all.len(), 1, "{all:?}");
    all.into_iter().next().unwrap()
}

pub(super) fn shopper(stage: &Stage) -> Value {
    let ledger = open(&stage.world).shop.ledger();
    ledger["customers"].as_array().unwrap().iter().find(|row| row["id"] == BUYER).unwrap().clone()
}

pub(super) fn edited_in_erp(stage: &Stage, field: &str, value: &str) {
    let (now, id) = (stage.clock.true_now(), party(stage)["id"].as_u64().unwrap());
    let mut world = open(&stage.world);
    assert!(world.erp.edit_party(now, id, field, value), "{field} = {value}");
    // Papers show what a clerk makes of an address: that is the ERP's own doing.
    world.papers.clear();
}

/// Towns of the party's addresses that are in use.
pub(super) fn towns(stage: &Stage) -> Vec<String> {
    let party = party(stage);
    let rows = party["addresses"].as_array().unwrap().iter().filter(|row| row["active"] == json!(true));
    rows.map(|row| row["city"].as_str().unwrap().split(',').next().unwrap().to_string()).collect()
}

/// Both sides agree field by field, over at least one customer, and another pass writes nothing.
pub(super) async fn at_peace(stage: &Stage) {
    let engine = stage.boot().await.unwrap();
    let writes = open(&stage.world).writes;
    engine.sync(None).await.unwrap();
    assert_eq!(open(&stage.world).writes, writes, "silence at rest");
    for proof in [engine.verify().await.unwrap(), engine.verify_stored().await.unwrap()] {
        let customers = &proof.flows[&Flow::Customers];
        assert!(customers.compared > 0 && customers.drift() == 0 && customers.open == 0, "{customers:?}");
    }
    assert_eq!(broken(stage), [""; 0]);
}

pub(super) fn owned(stage: &mut Stage, field: &str, policy: FieldPolicy) {
    stage.customers.pairs[0].policies.push((Path::try_from(field.to_string()).unwrap(), policy));
}

#[test]
fn what_a_buyer_changes_in_the_shop_reaches_the_erp_and_papers_keep_their_address() {
    told(SEED, |stage| async move {
        buys(&stage, 1, BUYER);
        passes(&stage, 300).await;
        let home = account(&stage, BUYER)["addresses"][0]["city"].as_str().unwrap().to_string();
        assert_eq!(towns(&stage), std::slice::from_ref(&home), "book and order say the same: one address");
        at_peace(&stage).await;
        for (field, value) in [("lastname", "Neumann"), ("email", "new@example.com"), ("taxvat", "DE111")] {
            edited(&stage, field, value);
        }
        edited(&stage, "address.city", "Neustadt");
        passes(&stage, 300).await;
        let after = party(&stage);
        let first = account(&stage, BUYER)["firstname"].as_str().unwrap().to_string();
        assert_eq!(after["name"], format!("{first} Neumann"));
        assert_eq!((&after["email"], &after["tax_id"]), (&json!("new@example.com"), &json!("DE111")));
        assert_eq!(towns(&stage), [home.clone(), "Neustadt".to_string()], "the order keeps what it was placed with");
        edited(&stage, "address.city", "Altstadt");
        passes(&stage, 300).await;
        assert_eq!(towns(&stage), [home, "Altstadt".to_string()], "changed where it stands");
        at_peace(&stage).await;
    });
}

#[test]
fn what_somebody_types_into_a_field_the_shop_owns_is_put_right_and_the_erps_own_goes_to_the_shop() {
    told(SEED, |mut stage| async move {
        owned(&mut stage, "tax_id", FieldPolicy::Owner(SystemName::new("erp")));
        buys(&stage, 1, BUYER);
        passes(&stage, 300).await;
        let before = shopper(&stage);
        edited_in_erp(&stage, "email", "clerk@example.com");
        edited_in_erp(&stage, "tax_id", "ATU99");
        passes(&stage, 300).await;
        assert_eq!(party(&stage)["email"], before["email"]);
        let after = shopper(&stage);
        assert_eq!(after["tax_id"], "ATU99");
        assert_eq!((&after["addresses"], &after["name"]), (&before["addresses"], &before["name"]), "the book stays");
        at_peace(&stage).await;
    });
}

#[test]
fn different_fields_cross_and_a_clash_is_asked_about() {
    told(SEED, |mut stage| async move {
        for field in ["name", "email"] {
            owned(&mut stage, field, FieldPolicy::Merge(None));
        }
        buys(&stage, 1, BUYER);
        passes(&stage, 300).await;
        edited(&stage, "email", "buyer@example.com");
        edited_in_erp(&stage, "name", "Ada King Lovelace");
        passes(&stage, 600).await;
        assert_eq!(party(&stage)["email"], "buyer@example.com");
        assert_eq!(shopper(&stage)["name"], "Ada King Lovelace");
        at_peace(&stage).await;
        edited(&stage, "lastname", "Byron");
        edited_in_erp(&stage, "name", "Ada Noel");
        passes(&stage, 600).await;
        let engine = stage.boot().await.unwrap();
        let rows = engine.conflicts(&Which::default()).await.unwrap();
        assert_eq!(rows.iter().map(|row| row.field.as_str()).collect::<Vec<_>>(), ["name"]);
        engine.resolve(&Which::default(), &Choice::Take(SystemName::new("shop"))).await.unwrap();
        passes(&stage, 600).await;
        assert_eq!(party(&stage)["name"], shopper(&stage)["name"]);
        at_peace(&stage).await;
    });
}

#[test]
fn a_customer_deleted_in_the_shop_is_asked_about_once_and_its_party_stays() {
    told(SEED, |stage| async move {
        buys(&stage, 1, BUYER);
        passes(&stage, 300).await;
        assert!(open(&stage.world).shop.delete_customer(BUYER));
        let engine = stage.boot().await.unwrap();
        let sweeps = engine.sweeps(Some(Flow::Customers)).unwrap();
        assert_eq!(sweeps.len(), 2);
        for (system, kind) in sweeps {
            let swept = engine.sweep(system, kind, SweepOrder::default(), &mut |_| {}).await.unwrap();
            assert_eq!(swept.gone, u64::from(system.name.as_str() == "shop"), "{swept:?}");
        }
        passes(&stage, 120).await;
        let filter = || LaneFilter { kind: Some(Kind::Customer), states: vec!["held"], ..LaneFilter::default() };
        let held = engine.store.lanes(filter()).await.unwrap();
        assert_eq!(
            held.iter().filter_map(|lane| Some(lane.why.as_ref()?.code.as_str())).collect::<Vec<_>>(),
            ["SYN-0150"]
        );
        assert!(engine.accept_gone(held[0].entity).await.unwrap());
        passes(&stage, 120).await;
        assert!(engine.store.lanes(filter()).await.unwrap().is_empty());
        assert_eq!(party(&stage)["active"], true, "nothing is deleted because of it");
        assert_eq!(broken(&stage), [""; 0]);
    });
}

#[test]
fn customers_both_sides_know_are_tied_by_what_identifies_them() {
    told(SEED, |stage| async move {
        let email = account(&stage, BUYER)["email"].as_str().unwrap().to_string();
        let ids: Vec<u64> = {
            let world = open(&stage.world);
            let ledger = world.erp.ledger();
            ledger["customers"].as_array().unwrap().iter().filter_map(|row| row["id"].as_u64()).collect()
        };
        let now = stage.clock.true_now();
        let known = *ids.first().unwrap_or(&1);
        assert!(open(&stage.world).erp.edit_party(now, known, "email", &email.to_uppercase()));
        let engine = stage.boot().await.unwrap();
        let report = engine.adopt_customers().await.unwrap().remove(0);
        assert_eq!((report.matched, report.bound, report.ambiguous.len()), (1, 1, 0), "{report:?}");
        assert_eq!(engine.adopt_customers().await.unwrap()[0].bound, 0);
        buys(&stage, 1, BUYER);
        passes(&stage, 300).await;
        assert!(parties(&stage).is_empty(), "the order went to the party that was there");
        assert_eq!(differences(&stage), [""; 0]);
        assert_eq!(broken(&stage), [""; 0]);
    });
}

#[test]
fn s34_an_order_without_a_customer_is_held_and_never_a_sale_without_a_party() {
    told(SEED, |stage| async move {
        let number = place(&stage, 1, |order| {
            let fields = order.as_object_mut().unwrap();
            for field in ["customer_id", "customer_email", "billing_address"] {
                fields.remove(field);
            }
            fields.insert("customer_is_guest".to_string(), json!(1));
            fields.insert("is_virtual".to_string(), json!(1));
        });
        passes(&stage, 120).await;
        let engine = stage.boot().await.unwrap();
        let held = lane(&engine, &number).await;
        assert_eq!(held.state, "held");
        assert_eq!(held.why.unwrap().code, "SYN-0106");
        assert!(open(&stage.world).erp.ledger()["orders"].as_array().unwrap().is_empty());
    });
}

#[test]
fn s56_a_guest_who_orders_twice_is_one_customer_and_two_guests_are_two() {
    told(SEED, |stage| async move {
        for (n, email) in [(1, "Guest@Example.com"), (2, " guest@example.com"), (3, "other@example.com")] {
            place(&stage, n, |order| {
                order.as_object_mut().unwrap().remove("customer_id");
                order["customer_is_guest"] = json!(1);
                order["customer_email"] = json!(email);
            });
        }
        passes(&stage, 300).await;
        assert_eq!(parties(&stage).len(), 2);
        assert_eq!(differences(&stage), [""; 0]);
        at_peace(&stage).await;
    });
}

#[test]
fn s57_a_region_is_looked_up_with_its_country_and_stays_text_where_nobody_knows_it() {
    told(SEED, |stage| async move {
        let to = |country: &'static str, region: &'static str, city: &'static str| {
            move |order: &mut Value| {
                order.as_object_mut().unwrap().remove("customer_id");
                order["customer_is_guest"] = json!(1);
                order["customer_email"] = json!(format!("{region}@example.com"));
                let moves = |address: &mut Value| {
                    for (field, value) in
                        [("country_id", country), ("region_code", region), ("region", region), ("city", city)]
                    {
                        address[field] = json!(value);
                    }
                };
                moves(&mut order["billing_address"]);
                let there = order.pointer_mut("/extension_attributes/shipping_assignments/0/shipping/address");
                there.into_iter().for_each(moves);
            }
        };
        // `BE` is Berlin in Germany and a canton in Switzerland; `XX` is nothing anywhere.
        place(&stage, 1, to("DE", "BE", "Berlin"));
        place(&stage, 2, to("DE", "XX", "Nirgendwo"));
        passes(&stage, 300).await;
        let cities: Vec<String> = parties(&stage)
            .iter()
            .flat_map(|party| party["addresses"].as_array().unwrap().clone())
            .map(|row| row["city"].as_str().unwrap().to_string())
            .collect();
        assert_eq!(cities, ["Berlin", "Nirgendwo, XX"]);
        at_peace(&stage).await;
    });
}
