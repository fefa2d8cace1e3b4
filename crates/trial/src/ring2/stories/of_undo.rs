//! Runs taken back: a wrong price list, a process that dies on the way, what people typed meanwhile.

use super::of_prices::priced_of;
use super::of_products::{at_erp, at_shop, catalogued, in_shop};
use super::*;
use rust_decimal::Decimal;
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use syncline_core::delivery::{Delivery, Progress};
use syncline_core::id::{RunId, SystemName};
use syncline_core::kind::Flow;
use syncline_core::leaf::Leaves;
use syncline_core::rules::FieldPolicy;
use syncline_engine::conflicts::{Choice, Which};
use syncline_engine::undo::{Fate, Undo};

const SKU: &str = "MUG";

/// The shop's base prices by SKU.
fn base_prices(stage: &Stage) -> BTreeMap<String, Decimal> {
    let ledger = open(&stage.world).shop.ledger();
    let text = |row: &Value, key: &str| row[key].as_str().unwrap_or_default().to_string();
    let rows = ledger["prices"].as_array().unwrap().iter().filter(|row| row["list"] == "base");
    rows.map(|row| (text(row, "sku"), text(row, "amount").parse().unwrap())).collect()
}

fn writes(stage: &Stage) -> u64 {
    open(&stage.world).writes
}

/// The variants both sides have, and each of their list prices in the ERP a hundred times too high.
fn mistaken(stage: &Stage) -> usize {
    let now = stage.clock.true_now();
    let prices = base_prices(stage);
    let mut world = open(&stage.world);
    let raised = |(sku, price): (&String, &Decimal)| {
        usize::from(world.erp.set_list_price(now, sku, &(*price * Decimal::ONE_HUNDRED).to_string()))
    };
    prices.iter().map(raised).sum()
}

/// Plays `story` where the prices of so many entries of the catalogue flow and both sides agree.
fn agreed<F: Future<Output = ()>>(products: usize, story: impl FnOnce(Stage) -> F) {
    priced_of(products, |stage| async move {
        let engine = stage.boot().await.unwrap();
        for _ in 0..2 {
            engine.approve(Flow::Prices).await.unwrap();
            passes(&stage, 60).await;
            engine.resolve(&Which::default(), &Choice::Take(SystemName::new("erp"))).await.unwrap();
            passes(&stage, 300).await;
        }
        assert_eq!(engine.status().await.unwrap()[&Flow::Prices].open(), 0);
        story(stage).await;
    });
}

/// The pass with which the ERP's mistake crosses, approved where it has to be.
async fn crossed(stage: &Stage) -> RunId {
    let engine = stage.boot().await.unwrap();
    // What was written a moment ago may be behind what is read.
    passes(stage, 60).await;
    engine.approve(Flow::Prices).await.unwrap();
    engine.sync(None).await.unwrap();
    engine.runs(1).await.unwrap().newest.remove(0).run
}

async fn shown(engine: &Engine, run: RunId) -> Undo {
    engine.undo_of(run, &[]).await.unwrap().expect("there is such a run")
}

#[test]
fn s53_a_wrong_price_list_is_taken_back_and_stays_so() {
    agreed(240, |stage| async move {
        let right = base_prices(&stage);
        assert!(mistaken(&stage) >= 200, "{}", right.len());
        let run = crossed(&stage).await;
        let wrong = base_prices(&stage);
        let spoiled = right.iter().filter(|(sku, price)| wrong[*sku] != **price).count();
        assert!(spoiled >= 200, "{spoiled} of {}", right.len());

        let (engine, before) = (stage.boot().await.unwrap(), writes(&stage));
        let undo = shown(&engine, run).await;
        let base = undo.with(Fate::Back).filter(|row| row.field.as_str().ends_with("|base]")).count();
        assert_eq!((base, undo.fields.len(), undo.stays.len()), (spoiled, undo.with(Fate::Back).count(), 0));
        assert_eq!((writes(&stage), base_prices(&stage)), (before, wrong.clone()), "a look changes nothing");
        let done = engine.undo(&undo).await.unwrap();
        assert_eq!((done.undone, done.unfinished), (undo.fields.len(), Vec::new()));
        assert_eq!(base_prices(&stage), right);
        let named = engine.runs(9).await.unwrap().newest.remove(0);
        assert_eq!((named.command, named.run > run), (format!("undo {run}"), true));

        let before = writes(&stage);
        passes(&stage, 100 * 30).await;
        assert_eq!((writes(&stage), base_prices(&stage)), (before, right.clone()), "a hundred passes write nothing");
        let inbox = engine.conflicts(&Which::default()).await.unwrap();
        assert!(inbox.len() == undo.fields.len() && inbox.iter().all(|row| row.undone && !row.first));
        let proof = engine.verify().await.unwrap();
        assert_eq!((proof.drift, proof.flows[&Flow::Prices].open >= 200), (0, true), "it is open, not drift");

        // One is put right in the ERP, another one is let through.
        let other = right.keys().find(|sku| *sku != SKU && wrong[*sku] != right[*sku]).unwrap().clone();
        assert!(open(&stage.world).erp.set_list_price(stage.clock.true_now(), SKU, "12.5"));
        let records = engine.named(Kind::Price, &other).await.unwrap();
        let which = Which { records, ..Which::default() };
        engine.resolve(&which, &Choice::Take(SystemName::new("erp"))).await.unwrap();
        passes(&stage, 900).await;
        let mut wanted = right;
        wanted.insert(SKU.to_string(), "12.5".parse().unwrap());
        wanted.insert(other.clone(), wrong[&other]);
        assert_eq!(base_prices(&stage), wanted);
        assert_eq!(broken(&stage), [""; 0]);
    });
}

/// Fields that were written back more than once, by what was answered well.
async fn doubled(engine: &Engine, undo: &Undo) -> Vec<String> {
    let mut times: BTreeMap<String, usize> = BTreeMap::new();
    for lane in undo.with(Fate::Back).map(|row| row.entity).collect::<BTreeSet<_>>() {
        let story = engine.store.story(lane).await.unwrap();
        let back = |one: &&Delivery| one.reason == "undone by a person" && one.progress == Progress::Done;
        for (path, _) in story.deliveries.iter().filter(back).flat_map(|one| one.change.leaves.iter()) {
            *times.entry(format!("{lane} {path}")).or_default() += 1;
        }
    }
    times.into_iter().filter(|(_, times)| *times > 1).map(|(field, _)| field).collect()
}

/// The ERP's mistake is taken back while `trouble` goes on and the process dies after so many writes of it.
async fn cut_off(stage: &Stage, writes_before_the_end: u64, trouble: Option<Fault>) {
    let right = base_prices(stage);
    assert!(mistaken(stage) > 30);
    let run = crossed(stage).await;
    let engine = stage.boot().await.unwrap();
    let undo = shown(&engine, run).await;
    assert!(undo.with(Fate::Back).count() > 30, "{undo:?}");
    if let Some(fault) = trouble {
        troubled(stage, fault, 300);
    }
    let before = writes(stage);
    let mut cut_off = false;
    // In trouble it may give up by itself before it comes so far: then it is asked for again.
    for _ in 0..if trouble.is_some() { 5 } else { 1 } {
        let (dying, asked) = (engine.clone(), undo.clone());
        let task = tokio::spawn(async move { drop(dying.undo(&asked).await) });
        while writes(stage) < before + writes_before_the_end && !task.is_finished() {
            sleep(Duration::from_millis(1)).await;
        }
        cut_off = !task.is_finished();
        task.abort();
        if cut_off {
            break;
        }
    }
    assert!(cut_off, "it ended before it was cut off");
    open(&stage.world).calm = true;
    let engine = stage.boot().await.unwrap();
    engine.recover().await.unwrap();
    assert_ne!(base_prices(stage), right, "some are still to be put back");
    passes(stage, 900).await;
    assert_eq!(base_prices(stage), right, "the next passes go on, with no further approval");
    assert_eq!(doubled(&engine, &undo).await, [""; 0]);
    assert_eq!(shown(&engine, run).await.with(Fate::Back).count(), 0, "nothing is left to be put back");
    let before = writes(stage);
    passes(stage, 900).await;
    assert_eq!((writes(stage), broken(stage)), (before, Vec::new()));
}

#[test]
fn an_undo_that_is_cut_off_goes_on_with_the_next_pass_and_writes_each_field_back_once() {
    for writes_before_the_end in [1, 3, 6] {
        agreed(50, |stage| async move { cut_off(&stage, writes_before_the_end, None).await });
    }
    agreed(50, |stage| async move { cut_off(&stage, 4, Some(Fault::LostReply)).await });
}

#[test]
fn what_somebody_typed_in_the_shop_since_survives_an_undo() {
    agreed(12, |stage| async move {
        let (right, now) = (base_prices(&stage), stage.clock.true_now());
        let other = right.keys().find(|sku| *sku != SKU).unwrap().clone();
        mistaken(&stage);
        let run = crossed(&stage).await;
        assert!(open(&stage.world).shop.set_price(now, SKU, "base", 1, Some("77")));
        let engine = stage.boot().await.unwrap();
        let undo = shown(&engine, run).await;
        let of_mug = undo.fields.iter().find(|row| row.key == SKU && row.field.as_str().ends_with("|base]")).unwrap();
        assert_eq!((of_mug.fate, of_mug.why.as_deref()), (Fate::Kept, Some("it was changed in shop since")));
        // And one more after it was shown.
        assert!(open(&stage.world).shop.set_price(now, &other, "base", 1, Some("78")));
        let done = engine.undo(&undo).await.unwrap();
        assert_eq!(done.unfinished.iter().map(|row| &row.key).collect::<Vec<_>>(), [&other]);
        passes(&stage, 900).await;
        let mut wanted = right;
        wanted.extend([(SKU.to_string(), Decimal::from(77)), (other, Decimal::from(78))]);
        assert_eq!(base_prices(&stage), wanted);
        assert_eq!(broken(&stage), [""; 0]);
    });
}

/// The shop's prices of the mug for the group the ERP's list goes to: quantity → amount.
fn of_group(stage: &Stage) -> BTreeMap<String, Decimal> {
    let ledger = open(&stage.world).shop.ledger();
    let text = |row: &Value, key: &str| row[key].as_str().unwrap_or_default().to_string();
    let rows = ledger["prices"].as_array().unwrap().iter();
    let rows = rows.filter(|row| row["sku"] == SKU && row["list"] == "group:Wholesale");
    rows.map(|row| (text(row, "quantity"), text(row, "amount").parse().unwrap())).collect()
}

#[test]
fn a_row_that_went_comes_back_and_one_that_came_goes_again() {
    agreed(12, |stage| async move {
        let (right, now) = (of_group(&stage), stage.clock.true_now());
        assert!(right.contains_key("1") && right.contains_key("10"), "{right:?}");
        let rows = [(None, 50, "unit_price * 0.5"), (None, 0, "unit_price * 0.9")];
        assert!(open(&stage.world).erp.set_price_list(now, "Wholesale", &rows));
        let run = crossed(&stage).await;
        let wrong = of_group(&stage);
        assert!(!wrong.contains_key("10") && wrong.contains_key("50"), "{wrong:?}");
        let engine = stage.boot().await.unwrap();
        let undo = shown(&engine, run).await;
        let done = engine.undo(&undo).await.unwrap();
        assert_eq!((done.undone, done.unfinished, of_group(&stage)), (undo.fields.len(), Vec::new(), right.clone()));
        let before = writes(&stage);
        passes(&stage, 900).await;
        assert_eq!((writes(&stage), of_group(&stage), broken(&stage)), (before, right, Vec::new()));
    });
}

#[test]
fn an_undo_lets_nothing_through_that_waits_for_an_approval() {
    agreed(50, |stage| async move {
        let (right, now) = (base_prices(&stage), stage.clock.true_now());
        assert!(open(&stage.world).erp.set_list_price(now, SKU, "999"));
        let engine = stage.boot().await.unwrap();
        passes(&stage, 60).await;
        let run = engine.runs(1).await.unwrap().newest.remove(0).run;
        assert!(open(&stage.world).erp.set_price_list(now, "Wholesale", &[(None, 0, "unit_price * 0.1")]));
        let groups = of_group(&stage);
        engine.sync(None).await.unwrap();
        assert!(engine.shut().contains_key(&Flow::Prices));
        let asked = async |engine: &Engine| {
            let told = engine.asking().await.unwrap();
            (
                told.into_iter().map(|one| one.why.code).collect::<Vec<_>>(),
                engine.status().await.unwrap()[&Flow::Prices].held,
            )
        };
        let other = stage.boot().await.unwrap();
        assert_eq!(asked(&other).await, (vec!["SYN-0141".to_string()], 1), "whoever asks is told what waits");
        let done = engine.undo(&shown(&engine, run).await).await.unwrap();
        assert_eq!(done.unfinished.iter().map(|row| row.why.code.as_str()).collect::<Vec<_>>(), ["SYN-0141"]);
        assert_eq!(of_group(&stage), groups, "what nobody approved of stays out");
        engine.approve(Flow::Prices).await.unwrap();
        assert_eq!(asked(&other).await, (vec![], 0));
        passes(&stage, 300).await;
        assert_eq!((base_prices(&stage), of_group(&stage) != groups), (right, true), "then both go");
        assert_eq!(broken(&stage), [""; 0]);
    });
}

#[test]
fn a_name_is_taken_back_alone_and_an_undo_can_be_undone() {
    catalogued(&[], |stage| async move {
        let engine = stage.boot().await.unwrap();
        let (name, text) = (in_shop(&stage)["name"].clone(), in_shop(&stage)["description"].clone());
        at_erp(&stage, None, "name", &json!("Bidet"));
        let run = engine.sync(None).await.unwrap().run.unwrap();
        let undo = shown(&engine, run).await;
        assert_eq!(undo.with(Fate::Back).map(|row| row.field.to_string()).collect::<Vec<_>>(), ["texts.en.name"]);
        let paths = |leaves: &Leaves| leaves.iter().map(|(path, _)| path.clone()).collect::<Vec<_>>();
        let kept = engine.store.run_writes(run).await.unwrap().remove(0);
        assert_eq!(
            kept.before.as_ref().map(paths),
            Some(paths(&kept.delivery.change.leaves)),
            "no more than was written"
        );
        assert_eq!(engine.undo(&undo).await.unwrap().undone, 1);
        at_erp(&stage, None, "description", &json!("Holds tea."));
        passes(&stage, 600).await;
        let shown_now = in_shop(&stage);
        assert_eq!(
            (&shown_now["name"], &shown_now["description"]),
            (&name, &json!("Holds tea.")),
            "{text}: other fields"
        );

        let undone = engine.runs(9).await.unwrap().newest.into_iter().find(|row| row.command == format!("undo {run}"));
        let back = shown(&engine, undone.unwrap().run).await;
        assert_eq!(engine.undo(&back).await.unwrap().undone, 1);
        passes(&stage, 600).await;
        assert_eq!(in_shop(&stage)["name"], "Bidet");
        assert!(engine.conflicts(&Which::default()).await.unwrap().iter().all(|row| !row.undone));
        assert_eq!(broken(&stage), [""; 0]);
    });
}

#[test]
fn a_field_the_shop_owns_is_taken_back_in_the_erp_until_the_shop_says_something_new() {
    let owner = FieldPolicy::Owner(SystemName::new("shop"));
    catalogued(&[("texts.*.description", owner)], |stage| async move {
        let engine = stage.boot().await.unwrap();
        let in_erp = |stage: &Stage| {
            let ledger = open(&stage.world).erp.ledger();
            let rows = ledger["products"].as_array().unwrap();
            rows.iter().find(|row| row["sku"] == SKU).unwrap()["description"].clone()
        };
        at_shop(&stage, None, "description", "Fine.");
        passes(&stage, 300).await;
        at_shop(&stage, None, "description", "Broken.");
        let run = engine.sync(None).await.unwrap().run.unwrap();
        assert_eq!(in_erp(&stage), "Broken.");
        engine.undo(&shown(&engine, run).await).await.unwrap();
        passes(&stage, 600).await;
        assert_eq!((in_erp(&stage), in_shop(&stage)["description"].clone()), (json!("Fine."), json!("Broken.")));
        at_shop(&stage, None, "description", "Mended.");
        passes(&stage, 600).await;
        assert_eq!(in_erp(&stage), "Mended.");
        assert_eq!(broken(&stage), [""; 0]);
    });
}

#[test]
fn what_is_no_matter_of_fields_stays_and_says_why() {
    told(9, |stage| async move {
        let number = place(&stage, 1, |_| ());
        let engine = stage.boot().await.unwrap();
        let run = engine.sync(None).await.unwrap().run.unwrap();
        let undo = shown(&engine, run).await;
        assert_eq!(undo.fields, Vec::new());
        let order = undo.stays.iter().find(|row| row.key == number && row.target.as_str() == "erp").unwrap();
        assert_eq!((order.steps[0].as_str(), order.why.as_str()), ("create", "cancel the order in erp by hand"));
        assert!(engine.undo_of(RunId(run.0 + 1), &[]).await.unwrap().is_none(), "there is no such run");
        assert_eq!(engine.sync(None).await.unwrap().run, None, "a pass that writes nothing is no run");
    });
}
