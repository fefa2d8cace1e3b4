//! Two websites of one shop on one ERP: orders, people and texts of each, and nothing of one in the other.

use super::*;
use crate::ring2::desk;
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use syncline_core::rules::Branch;
use syncline_engine::conflicts::{Choice, Which as Meant};
use syncline_engine::sweep::SweepOrder;
use syncline_store::Retry;

const SKU: &str = "MUG";

/// A stage with two websites whose products are tied.
fn two_websites<F: Future<Output = ()>>(seed: u64, change: impl FnOnce(&mut Stage), story: impl FnOnce(Stage) -> F) {
    told(seed, |mut stage| async move {
        stage.stock = None;
        stage.sweep_s = None;
        stage.open_website();
        change(&mut stage);
        let engine = stage.boot().await.unwrap();
        let reports = engine.adopt_variants().await.unwrap();
        assert_eq!(reports.len(), 2, "each website is tied to the ERP");
        let (read, bound) = engine.adopting.so_far();
        let told: usize = reports.iter().map(|report| report.source + report.target).sum();
        assert!(read >= told && bound > 0, "who waits for it is told how far it has come: {read} of {told}, {bound}");
        assert_eq!(bound, reports.iter().map(|report| report.bound).sum::<usize>());
        story(stage).await;
    });
}

/// An order placed in the second website now, after `change` was made to it. Returns its number.
fn place_in_us(stage: &Stage, n: u64, change: impl FnOnce(&mut Value)) -> String {
    place(stage, n, |order| {
        order["store_id"] = json!(2);
        // Its accounts are others.
        order.as_object_mut().unwrap().remove("customer_id");
        order["customer_is_guest"] = json!(1);
        change(order);
    })
}

/// E-mail and mark of the people the ERP has from a shop.
fn people(stage: &Stage, email: &str) -> Vec<Value> {
    let ledger = open(&stage.world).erp.ledger();
    let rows = ledger["customers"].as_array().unwrap().iter().filter(|row| row["email"] == email);
    rows.map(|row| row["reference"].clone()).collect()
}

/// An account with one e-mail in each website, each with an order, both with one number. Returns number and e-mail.
fn one_buyer_in_both(stage: &Stage) -> (String, String) {
    let now = stage.clock.true_now();
    let email = "zoe@example.org";
    let register = |code: &str, name| open(&stage.world).shop.register(now, code, email, name).unwrap();
    let (here, there) = (register("base", ("Zoë", "Bolt")), register("us", ("Zoe", "Bolt")));
    let of = |order: &mut Value, id: u64| {
        order["customer_id"] = json!(id);
        order["customer_is_guest"] = json!(0);
        order["customer_email"] = json!(email);
    };
    let number = place(stage, 1, |order| of(order, here));
    place_in_us(stage, 2, |order| {
        order["increment_id"] = json!(number);
        of(order, there);
    });
    (number, email.to_string())
}

/// What waits for a person.
async fn held(engine: &Engine) -> Vec<String> {
    let filter = LaneFilter { states: vec!["held", "failed", "conflict"], ..LaneFilter::default() };
    let told = |lane: LaneRow| {
        let why = lane.why.map_or(String::new(), |why| format!("{} {}", why.code, why.what));
        format!("{} {}: {why}", lane.kind, lane.label)
    };
    engine.store.lanes(filter).await.unwrap().into_iter().map(told).collect()
}

/// Walks over every key, and believes what is not found.
async fn sweep(engine: &Engine, flow: Option<Flow>) {
    let order = SweepOrder { believe: true, ..SweepOrder::default() };
    for (system, kind) in engine.sweeps(flow).unwrap() {
        engine.sweep(system, kind, order, &mut |_| {}).await.unwrap();
    }
}

#[test]
fn s73_one_e_mail_in_two_websites_is_two_customers_and_each_order_is_there_once() {
    two_websites(
        73,
        |_| (),
        |stage| async move {
            let (number, email) = one_buyer_in_both(&stage);
            for n in 3..6 {
                place(&stage, n, |_| ());
                place_in_us(&stage, n + 10, |_| ());
            }
            passes(&stage, 600).await;
            assert_eq!(differences(&stage), [""; 0]);
            assert_eq!(broken(&stage), [""; 0]);
            let people = people(&stage, &email);
            assert_eq!(people.len(), 2, "{people:?}");
            let ledger = open(&stage.world).erp.ledger();
            let references: Vec<&Value> =
                ledger["orders"].as_array().unwrap().iter().map(|row| &row["reference"]).collect();
            assert!(references.contains(&&json!(number)) && references.contains(&&json!(format!("O{number}"))));
            let proof = stage.boot().await.unwrap().verify().await.unwrap();
            assert_eq!((proof.drift, proof.flows[&Flow::Orders].equal), (0, 8));
            let writes = open(&stage.world).writes;
            passes(&stage, 600).await;
            assert_eq!(open(&stage.world).writes, writes, "silent at rest");
        },
    );
}

/// Founds a second company that books what the second website sells.
fn two_companies(stage: &mut Stage) {
    assert!(stage.found_company());
}

/// The company and the web shop that each sale is booked in, by the website it came from.
fn booked(stage: &Stage) -> BTreeSet<[String; 3]> {
    let ledger = open(&stage.world).erp.ledger();
    let website = |row: &Value| if row["reference"].as_str().unwrap().starts_with('O') { "us" } else { "base" };
    let rows = ledger["orders"].as_array().unwrap().iter().filter(|row| row["state"] == "released");
    let text = |value: &Value| value.as_str().unwrap_or_default().to_string();
    rows.map(|row| [website(row).to_string(), text(&row["company"]), text(&row["web_shop"])]).collect()
}

#[test]
fn s73_two_websites_one_e_mail_two_companies() {
    // One ERP has web shops, the other elects drafts.
    let mut guards = BTreeSet::new();
    for seed in [73, 74, 75, 76] {
        two_websites(seed, two_companies, async |stage| {
            let unique = stage.boot().await.unwrap().systems[&SystemName::new("erp")].kind(Kind::Order).create_guard();
            guards.insert(unique.word());
            let shops = if unique.word() == "unique" { ["Webshop", "Beta shop"] } else { ["", ""] };
            let (_, email) = one_buyer_in_both(&stage);
            for n in 3..6 {
                place(&stage, n, |_| ());
                place_in_us(&stage, n + 10, |_| ());
            }
            passes(&stage, 600).await;
            assert_eq!(differences(&stage), [""; 0]);
            assert_eq!(broken(&stage), [""; 0]);
            assert_eq!(people(&stage, &email).len(), 2);
            let [shop, beta] = shops;
            let wanted = [["base", "Syncline Test Co", shop], ["us", "Beta", beta]];
            assert_eq!(booked(&stage), wanted.map(|row| row.map(str::to_string)).into(), "seed {seed}");
            let engine = stage.boot().await.unwrap();
            sweep(&engine, None).await;
            let proof = engine.verify().await.unwrap();
            assert_eq!((proof.drift, proof.flows[&Flow::Orders].equal), (0, 8), "sales of both companies are read");
            assert_eq!(held(&engine).await, [""; 0]);
            let writes = open(&stage.world).writes;
            passes(&stage, 600).await;
            assert_eq!(open(&stage.world).writes, writes, "silent at rest");
        });
    }
    assert_eq!(guards.len(), 2, "both sorts were met: {guards:?}");
}

#[test]
fn s73_a_user_who_is_shown_one_company_is_told_so_before_anything_is_booked() {
    told(73, |mut stage| async move {
        (stage.stock, stage.sweep_s) = (None, None);
        stage.open_website();
        two_companies(&mut stage);
        one_buyer_in_both(&stage);
        open(&stage.world).erp.show_all_companies(false);
        let error = stage.boot().await.err().unwrap();
        assert!(error.contains("company `Beta`") && error.contains("set it to `All`"), "{error}");
        assert_eq!(booked(&stage), BTreeSet::new(), "nothing is booked in the company that happened to be seen");
        open(&stage.world).erp.show_all_companies(true);
        stage.boot().await.unwrap().adopt_variants().await.unwrap();
        passes(&stage, 600).await;
        assert_eq!((differences(&stage), broken(&stage)), (Vec::new(), Vec::new()));
        let companies: BTreeSet<_> = booked(&stage).into_iter().map(|[site, company, _]| [site, company]).collect();
        assert_eq!(companies, [["base", "Syncline Test Co"], ["us", "Beta"]].map(|row| row.map(str::to_string)).into());
    });
}

#[test]
fn without_naming_the_company_all_is_booked_in_one() {
    let change = |stage: &mut Stage| {
        two_companies(stage);
        stage.outlet.as_mut().unwrap().branch = Branch::default();
    };
    two_websites(73, change, |stage| async move {
        one_buyer_in_both(&stage);
        passes(&stage, 600).await;
        let companies: BTreeSet<String> = booked(&stage).into_iter().map(|[_, company, _]| company).collect();
        assert_eq!(companies.len(), 1);
    });
}

#[test]
fn a_lost_answer_is_looked_for_in_the_company_it_was_meant_for() {
    for seed in [73, 74] {
        two_websites(seed, two_companies, |stage| async move {
            for n in 1..4 {
                place(&stage, n, |_| ());
                place_in_us(&stage, n + 10, |_| ());
            }
            troubled(&stage, Fault::LostReply, 300);
            passes(&stage, 900).await;
            open(&stage.world).calm = true;
            passes(&stage, 1800).await;
            assert_eq!(differences(&stage), [""; 0], "seed {seed}");
            assert_eq!(broken(&stage), [""; 0]);
            let companies: BTreeSet<_> = booked(&stage).into_iter().map(|[site, company, _]| [site, company]).collect();
            let wanted = [["base", "Syncline Test Co"], ["us", "Beta"]];
            assert_eq!(companies, wanted.map(|row| row.map(str::to_string)).into());
        });
    }
}

#[test]
fn without_naming_the_websites_each_order_would_cross_twice() {
    two_websites(
        73,
        |stage| stage.websites_named = false,
        |stage| async move {
            one_buyer_in_both(&stage);
            passes(&stage, 600).await;
            assert!(!differences(&stage).is_empty(), "the file refuses such systems for this");
        },
    );
}

#[test]
fn a_buyer_who_moves_house_in_one_website_stays_where_they_were_in_the_other() {
    two_websites(
        173,
        |_| (),
        |stage| async move {
            let (_, email) = one_buyer_in_both(&stage);
            passes(&stage, 300).await;
            let now = stage.clock.true_now();
            let second = {
                let ledger = open(&stage.world).shop.ledger();
                let rows = ledger["customers"].as_array().unwrap();
                rows.iter().find(|row| row["email"] == email && row["website"] == 2).unwrap()["id"].as_u64().unwrap()
            };
            assert!(open(&stage.world).shop.edit_customer(now, second, "lastname", "Screw"));
            passes(&stage, 300).await;
            let ledger = open(&stage.world).erp.ledger();
            let mut names: Vec<&str> = ledger["customers"]
                .as_array()
                .unwrap()
                .iter()
                .filter(|row| row["email"] == email)
                .filter_map(|row| row["name"].as_str())
                .collect();
            names.sort_unstable();
            assert_eq!(names, ["Zoe Screw", "Zoë Bolt"]);
            assert_eq!(broken(&stage), [""; 0]);
        },
    );
}

/// The ERP's names in both websites; of each its own descriptions.
fn texts_of_each(stage: &mut Stage) {
    let mut rules = desk::rules();
    let pair = |target: &str| PairRules {
        source: SystemName::new("erp"),
        target: SystemName::new(target),
        policies: Vec::new(),
        creates: false,
    };
    rules.pairs = vec![pair("shop"), pair("outlet")];
    stage.products = Some(rules);
    // The first website shows English, the second German.
    stage.outlet_views = BTreeMap::from([("de".to_string(), "us_en".to_string())]);
}

/// What both websites and the ERP call their products, as the ERP does. Returns the process that saw to it.
async fn agreed(stage: &Stage) -> Arc<Engine> {
    let engine = stage.boot().await.unwrap();
    for system in engine.systems.values() {
        engine.store.forget_cursor(system.uid.clone(), Kind::Variant).await.unwrap();
    }
    passes(stage, 120).await;
    engine.resolve(&Meant::default(), &Choice::Take(SystemName::new("erp"))).await.unwrap();
    engine
}

#[test]
fn a_text_of_one_website_leaves_that_of_the_other_alone() {
    two_websites(78, texts_of_each, |stage| async move {
        agreed(&stage).await;
        passes(&stage, 240).await;
        let row = |stage: &Stage| {
            let ledger = open(&stage.world).shop.ledger();
            ledger["products"].as_array().unwrap().iter().find(|row| row["sku"] == SKU).unwrap().clone()
        };
        let before = row(&stage);
        let now = stage.clock.true_now();
        assert!(open(&stage.world).erp.edit_product(now, SKU, Some("de"), "name", &json!("Humpen")));
        passes(&stage, 240).await;
        let after = row(&stage);
        assert_eq!(after["views"]["us_en"]["name"], "Humpen");
        assert_eq!((&after["name"], &after["views"]["default"]), (&before["name"], &before["views"]["default"]));
        assert!(open(&stage.world).erp.edit_product(now, SKU, None, "name", &json!("Tankard")));
        passes(&stage, 240).await;
        let both = row(&stage);
        assert_eq!(both["views"]["default"]["name"], "Tankard");
        assert_eq!((&both["name"], &both["views"]["us_en"]["name"]), (&before["name"], &json!("Humpen")));
        assert_eq!(broken(&stage), [""; 0]);
    });
}

#[test]
fn a_product_taken_out_of_one_website_is_asked_about_there_and_goes_on_in_the_other() {
    two_websites(50, texts_of_each, |stage| async move {
        let engine = agreed(&stage).await;
        passes(&stage, 120).await;
        assert!(open(&stage.world).shop.take_out_of_website(stage.clock.true_now(), SKU, "us"));
        sweep(&engine, None).await;
        let now = stage.clock.true_now();
        assert!(open(&stage.world).erp.edit_product(now, SKU, None, "name", &json!("Tankard")));
        passes(&stage, 240).await;
        let ledger = open(&stage.world).shop.ledger();
        let row = ledger["products"].as_array().unwrap().iter().find(|row| row["sku"] == SKU).unwrap().clone();
        assert_eq!(row["views"]["default"]["name"], "Tankard");
        let asked = held(&engine).await;
        assert!(asked.iter().any(|line| line.starts_with("variant MUG: SYN-0150")), "{asked:?}");
    });
}

#[test]
fn what_crossed_before_two_websites_were_told_apart_does_not_cross_again() {
    told(74, |mut stage| async move {
        stage.stock = None;
        stage.sweep_s = None;
        open(&stage.world).shop.open_website("us", "United States", "us_en", "en_US");
        let crossed = place_in_us(&stage, 1, |_| ());
        // Its answer with the ERP's number never came back to the shop, and one is not released yet.
        passes(&stage, 300).await;
        let now = stage.clock.true_now();
        let unpaid = place_in_us(&stage, 2, |order| {
            order["state"] = "pending_payment".into();
            order["payment"]["method"] = "paypal_express".into();
        });
        passes(&stage, 120).await;
        assert!(open(&stage.world).shop.edit_order_unseen(&crossed, "ext_order_id", &Value::Null));
        open(&stage.world).shop.sell_all_in(now, "us");
        stage.tell_apart();
        let engine = stage.boot().await.unwrap();
        engine.adopt_variants().await.unwrap();
        let numbers = |stage: &Stage| -> Vec<String> {
            let ledger = open(&stage.world).erp.ledger();
            let text = |row: &Value| row["reference"].as_str().unwrap_or_default().to_string();
            ledger["orders"].as_array().unwrap().iter().map(text).collect()
        };
        passes(&stage, 300).await;
        assert_eq!(numbers(&stage), std::slice::from_ref(&crossed));
        let asked = held(&engine).await;
        let unsure = asked.iter().find(|line| line.starts_with(&format!("order {crossed}: SYN-0170")));
        assert!(unsure.is_some_and(|line| line.contains("document")), "{asked:?}");
        // What had not crossed goes on under its website, once it is known to be gone from where it was.
        let id = check::orders_in(&open(&stage.world).shop, "draft").remove(0);
        assert!(open(&stage.world).shop.set_state(stage.clock.true_now(), id, "processing"));
        passes(&stage, 120).await;
        assert_eq!(numbers(&stage), std::slice::from_ref(&crossed), "it may still be carried over from where it was");
        sweep(&engine, Some(Flow::Orders)).await;
        engine.store.retry(Retry::All, engine.now()).await.unwrap();
        passes(&stage, 300).await;
        assert_eq!(numbers(&stage), [crossed.clone(), format!("O{unpaid}")]);
        assert_eq!(broken(&stage), [""; 0]);
        let asked = held(&engine).await;
        assert!(asked.iter().all(|line| line.contains("SYN-0170")), "nobody is asked about what only moved: {asked:?}");
    });
}
