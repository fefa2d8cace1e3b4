//! Refunds: what people of a shop give back becomes a credit note in the ERP, once and to the cent, and is never told back.

use super::of_invoices::{number, post, sale};
use super::{begun, broken, calmed, differences, killed, lane, passes, place, troubled};
use crate::ring2::boot::{PRODUCTS, Stage};
use crate::ring2::parcels;
use crate::ring2::weather::Fault;
use crate::ring2::world::open;
use rust_decimal::Decimal;
use serde_json::Value;
use syncline_core::id::EntityId;
use syncline_core::kind::{Flow, Kind};
use syncline_core::rules::{MoneyRule, Refunds};
use syncline_engine::Engine;
use syncline_sim::http::System as _;
use syncline_sim::orders::place_like;
use syncline_store::{LaneFilter, Retry};

/// A stage on which what either side gives back reaches the other one.
pub(super) fn refunding<F: Future<Output = ()>>(seed: u64, refunds: Refunds, story: impl FnOnce(Stage) -> F) {
    refunding_with((seed, None), refunds, story);
}

/// The same with a planted bug.
pub(super) fn refunding_with<F: Future<Output = ()>>(
    (seed, plant): (u64, Option<&'static str>),
    refunds: Refunds,
    story: impl FnOnce(Stage) -> F,
) {
    begun((seed, PRODUCTS, plant), |mut stage| {
        parcels::open_warehouse(&mut stage);
        stage.stock = None;
        for target in stage.papers.iter_mut().flat_map(|rules| &mut rules.targets) {
            (target.credits, target.refunds) = (MoneyRule::Posted, refunds);
        }
        story(stage)
    });
}

/// An order that arrived, is billed and paid in the shop, and, where asked, in the ERP. Returns its number.
pub(super) async fn sold(stage: &Stage, n: u64, posted: bool) -> String {
    let number = place(stage, n, |_| ());
    bill(stage, &number);
    passes(stage, 120).await;
    if posted {
        post(stage, &number);
    }
    number
}

/// People of the shop bill all of an order that is not billed there.
fn bill(stage: &Stage, reference: &str) {
    let (id, _) = order(stage, reference);
    let now = stage.clock.true_now();
    open(&stage.world).shop.invoice_by_hand(now, id, &[]);
}

/// The shop's order of that number: its id, and the lines sold of it: id, SKU and how many.
pub(super) fn order(stage: &Stage, reference: &str) -> (u64, Vec<(u64, String, u32)>) {
    let ledger = open(&stage.world).shop.ledger();
    let row = ledger["orders"].as_array().unwrap().iter().find(|row| row["number"] == reference).unwrap().clone();
    let line = |line: &Value| {
        let quantity = number(&line["qty"]).normalize().to_string().parse().ok()?;
        Some((line["id"].as_u64()?, line["sku"].as_str()?.to_string(), quantity))
    };
    let lines = row["lines"].as_array().unwrap().iter().filter(|line| line["parent"].is_null());
    (row["id"].as_u64().unwrap(), lines.filter_map(line).collect())
}

/// People of the shop give back so many of lines of the order, of its freight and beside them, in the website's currency.
pub(super) fn give_back(stage: &Stage, reference: &str, lines: &[(u64, u32)], freight: Decimal, more: Decimal) -> bool {
    let ((id, _), now) = (order(stage, reference), stage.clock.true_now());
    let made = open(&stage.world).shop.give_back(now, id, lines, freight, (more, Decimal::ZERO));
    made.is_some()
}

/// What either side gave back for the order of that number, credit by credit: the shop's memos, and what is in force in the ERP.
pub(super) fn given(stage: &Stage, reference: &str) -> (Vec<Decimal>, Vec<Decimal>) {
    let (id, _) = order(stage, reference);
    let (sale, ..) = sale(stage, reference);
    let shop = open(&stage.world).shop.ledger();
    let erp = open(&stage.world).erp.ledger();
    let memos = shop["memos"].as_array().unwrap().iter().filter(|row| row["order"].as_u64() == Some(id));
    let mut memos: Vec<Decimal> = memos.map(|row| number(&row["total"])).collect();
    let of_sale = |row: &&Value| {
        row["sales"].as_array().unwrap().iter().any(|one| one.as_u64() == Some(sale))
            && matches!(row["state"].as_str(), Some("posted" | "paid"))
    };
    let mut credits: Vec<Decimal> =
        erp["credits"].as_array().unwrap().iter().filter(of_sale).map(|row| number(&row["total"])).collect();
    memos.sort();
    credits.sort();
    (memos, credits)
}

/// What is open of credits, and the state of the order's lane.
pub(super) async fn open_of(engine: &Engine, reference: &str) -> (Vec<String>, String) {
    let filter = LaneFilter { kind: Some(Kind::Credit), states: vec!["held", "failed"], ..LaneFilter::default() };
    let lanes = engine.store.lanes(filter).await.unwrap();
    let open = lanes.into_iter().map(|lane| lane.why.map_or(String::new(), |why| format!("{} {}", why.code, why.what)));
    (open.collect(), lane(engine, reference).await.state)
}

/// The lanes of credits that are held.
async fn held(engine: &Engine) -> Vec<EntityId> {
    let filter = LaneFilter { kind: Some(Kind::Credit), states: vec!["held"], ..LaneFilter::default() };
    engine.store.lanes(filter).await.unwrap().into_iter().map(|lane| lane.entity).collect()
}

/// What the customers of one side owe in all: what was sold, less what was given back.
fn balance(rows: &Value, list: &str, back: &str, counts: impl Fn(&Value) -> bool) -> Decimal {
    let sum = |list: &str| -> Decimal {
        rows[list].as_array().unwrap().iter().filter(|row| counts(row)).map(|row| number(&row["total"])).sum()
    };
    sum(list) - sum(back)
}

#[test]
fn s28_a_refund_and_the_order_that_replaces_it_come_to_the_same_money_and_goods_on_both_sides() {
    for seed in 1..4 {
        refunding(28 + seed, Refunds::Carry, |stage| async move {
            let first = sold(&stage, seed, true).await;
            let now = stage.clock.true_now();
            let (sale_of_first, ..) = sale(&stage, &first);
            assert!(open(&stage.world).erp.ship(now, sale_of_first));
            passes(&stage, 120).await;
            let (_, lines) = order(&stage, &first);
            let (line, ..) = lines.iter().find(|(.., quantity)| *quantity > 0).unwrap().clone();
            assert!(give_back(&stage, &first, &[(line, 1)], Decimal::ZERO, Decimal::ZERO));
            // The order that replaces it is of the same buyer, and nothing in it names the first one.
            let before = place_like(5, seed, &stage.catalogue, now);
            let second = place(&stage, seed + 20, |order| {
                for field in ["customer_email", "customer_is_guest", "customer_id", "billing_address"] {
                    order[field] = before[field].clone();
                }
            });
            bill(&stage, &second);
            passes(&stage, 180).await;
            post(&stage, &second);
            let ((sale_of_second, ..), now) = (sale(&stage, &second), stage.clock.true_now());
            assert!(open(&stage.world).erp.ship(now, sale_of_second));
            passes(&stage, 180).await;
            let shop = open(&stage.world).shop.ledger();
            let erp = open(&stage.world).erp.ledger();
            let there = balance(&shop, "invoices", "memos", |_| true);
            let here =
                balance(&erp, "invoices", "credits", |row| matches!(row["state"].as_str(), Some("posted" | "paid")));
            assert_eq!((there > Decimal::ZERO, here), (true, there), "seed {seed}");
            assert_eq!((given(&stage, &first).0.len(), given(&stage, &second)), (1, (vec![], vec![])));
            assert_eq!(
                erp["customers"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .filter(|row| row["email"] == before["customer_email"])
                    .count(),
                1
            );
            assert_eq!(differences(&stage), [""; 0]);
            let parcels = parcels::apart(&stage, &open(&stage.world));
            assert_eq!(parcels, [""; 0]);
            assert_eq!(broken(&stage), [""; 0]);
            let engine = stage.boot().await.unwrap();
            let proof = engine.verify().await.unwrap();
            assert_eq!(
                (proof.drift, proof.flows[&Flow::Papers].open, proof.flows[&Flow::Orders].equal),
                (0, 0, 2),
                "{proof:?}"
            );
            for (reference, credits) in [(&first, 1), (&second, 0)] {
                let story = engine.explain(lane(&engine, reference).await.entity).await.unwrap();
                let told = story.papers.iter().filter(|paper| paper.key.starts_with("credit:")).count();
                assert_eq!(told, credits, "{:?}", story.papers);
            }
        });
    }
}

#[test]
fn s29_what_a_shop_gives_back_by_lines_freight_or_amount_is_credited_once_to_the_cent_and_not_told_back() {
    let all = std::cell::Cell::new(0);
    for seed in 1..8 {
        let all = &all;
        refunding(seed, Refunds::Carry, |stage| async move {
            let reference = sold(&stage, seed, true).await;
            let (_, lines) = order(&stage, &reference);
            let (first, ..) = lines.iter().find(|(.., quantity)| *quantity > 0).unwrap().clone();
            let one = give_back(&stage, &reference, &[(first, 1)], Decimal::ZERO, Decimal::ZERO);
            passes(&stage, 120).await;
            let two = give_back(&stage, &reference, &[], Decimal::ONE, Decimal::ZERO);
            let three = give_back(&stage, &reference, &[], Decimal::ZERO, Decimal::TWO);
            passes(&stage, 240).await;
            let engine = stage.boot().await.unwrap();
            let (memos, credits) = given(&stage, &reference);
            let made = memos.len();
            all.set(all.get() + made);
            assert_eq!(made, [one, two, three].into_iter().filter(|made| *made).count(), "seed {seed}");
            assert_eq!((open_of(&engine, &reference).await, credits), ((vec![], "idle".into()), memos), "seed {seed}");
            let proof = engine.verify().await.unwrap().flows[&Flow::Papers].clone();
            assert_eq!((proof.drift(), proof.cents_off, proof.open), (0, 0, 0), "{proof:?}");
            assert!(made == 0 || proof.compared > 0, "seed {seed}, {made} memos: {proof:?}");
            let writes = open(&stage.world).writes;
            passes(&stage, 3_600).await;
            assert_eq!(open(&stage.world).writes, writes, "silence at rest, seed {seed}");
            assert_eq!(broken(&stage), [""; 0]);
        });
    }
    assert!(all.get() > 6, "hardly anything was given back: {}", all.get());
}

#[test]
fn two_memos_of_one_line_and_all_that_is_left_are_each_credited_once() {
    for seed in 1..5 {
        refunding(seed, Refunds::Carry, |stage| async move {
            let reference = (0..60).find_map(|n| {
                let number = place(&stage, n, |_| ());
                bill(&stage, &number);
                let (_, lines) = order(&stage, &number);
                lines.iter().any(|(.., quantity)| *quantity > 2).then_some(number)
            });
            let reference = reference.unwrap();
            passes(&stage, 240).await;
            post(&stage, &reference);
            let (id, lines) = order(&stage, &reference);
            let (line, ..) = lines.iter().find(|(.., quantity)| *quantity > 2).unwrap().clone();
            assert!(give_back(&stage, &reference, &[(line, 1)], Decimal::ZERO, Decimal::ZERO));
            assert!(give_back(&stage, &reference, &[(line, 1)], Decimal::ZERO, Decimal::ZERO));
            passes(&stage, 240).await;
            let now = stage.clock.true_now();
            assert!(open(&stage.world).shop.refund_by_hand(now, id, &[], None).is_some(), "all that is left");
            passes(&stage, 240).await;
            let engine = stage.boot().await.unwrap();
            let (memos, credits) = given(&stage, &reference);
            assert_eq!(memos.len(), 3, "seed {seed}");
            assert_eq!((open_of(&engine, &reference).await, credits), ((vec![], "idle".into()), memos), "seed {seed}");
        });
    }
}

#[test]
fn what_the_erp_has_not_billed_awaits_it_unless_it_never_left() {
    refunding(11, Refunds::Carry, |stage| async move {
        let reference = sold(&stage, 1, false).await;
        assert!(give_back(&stage, &reference, &[], Decimal::ZERO, Decimal::TWO));
        passes(&stage, 120).await;
        let engine = stage.boot().await.unwrap();
        let filter = LaneFilter { kind: Some(Kind::Credit), ..LaneFilter::default() };
        let lanes = engine.store.lanes(filter).await.unwrap();
        assert_eq!(lanes.iter().map(|lane| lane.state.as_str()).collect::<Vec<_>>(), ["awaiting"]);
        assert_eq!(open_of(&engine, &reference).await, (vec![], "idle".into()));
        post(&stage, &reference);
        passes(&stage, 1_200).await;
        let (memos, credits) = given(&stage, &reference);
        assert_eq!((memos.len(), &memos), (1, &credits));
        // Goods that never left, and are not billed: nobody else takes them off the sale.
        let other = sold(&stage, 2, false).await;
        let (_, lines) = order(&stage, &other);
        let (line, ..) = lines[0].clone();
        assert!(give_back(&stage, &other, &[(line, 1)], Decimal::ZERO, Decimal::ZERO));
        passes(&stage, 120).await;
        let (open, state) = open_of(&engine, &other).await;
        assert!(open.len() == 1 && open[0].starts_with("SYN-0193"), "{open:?}");
        assert_eq!((state.as_str(), given(&stage, &other).1.len()), ("idle", 0));
        post(&stage, &other);
        passes(&stage, 1_200).await;
        let (memos, credits) = given(&stage, &other);
        assert_eq!((memos.len(), &memos), (1, &credits), "it is billed by now");
    });
}

#[test]
fn what_both_sides_gave_back_at_once_is_asked_about_where_it_may_be_the_same_money() {
    refunding(12, Refunds::Carry, |stage| async move {
        let reference = sold(&stage, 1, true).await;
        passes(&stage, 60).await;
        let (_, lines) = order(&stage, &reference);
        let (line, sku, _) = lines[0].clone();
        let ((sale, ..), now) = (sale(&stage, &reference), stage.clock.true_now());
        assert!(give_back(&stage, &reference, &[(line, 1)], Decimal::ZERO, Decimal::ZERO));
        assert!(open(&stage.world).erp.credit(now, sale, &[(sku.as_str(), Decimal::ONE)]).is_some());
        passes(&stage, 1_200).await;
        let engine = stage.boot().await.unwrap();
        let (open, _) = open_of(&engine, &reference).await;
        assert!(open.len() == 2 && open.iter().all(|one| one.starts_with("SYN-0192")), "{open:?}");
        let (memos, credits) = given(&stage, &reference);
        assert_eq!((memos.len(), credits.len()), (1, 1), "nothing is given back twice");
        for left in [1, 0] {
            // What a person says of one of them lets the other one go no further by itself.
            let entity = held(&engine).await[0];
            engine.store.retry(Retry::One { entity, rebase: true }, engine.now()).await.unwrap();
            passes(&stage, 1_200).await;
            assert_eq!(held(&engine).await.len(), left);
        }
        passes(&stage, 1_200).await;
        assert_eq!(open_of(&engine, &reference).await, (vec![], "idle".into()), "left to people");
        let (memos, credits) = given(&stage, &reference);
        assert_eq!((memos.len(), credits.len()), (1, 1));
    });
}

#[test]
fn a_draft_is_not_put_in_force_where_the_office_credited_the_same_goods_since() {
    refunding(12, Refunds::Carry, |stage| async move {
        let reference = sold(&stage, 1, true).await;
        let ((id, lines), (sale, ..)) = (order(&stage, &reference), sale(&stage, &reference));
        let (line, sku, _) = lines[0].clone();
        let hold = |state: &str| open(&stage.world).shop.set_state(stage.clock.true_now(), id, state);
        assert!(give_back(&stage, &reference, &[(line, 1)], Decimal::ZERO, Decimal::ZERO));
        hold("holded");
        passes(&stage, 240).await;
        let engine = stage.boot().await.unwrap();
        let (open_now, _) = open_of(&engine, &reference).await;
        assert!(open_now.len() == 1 && open_now[0].starts_with("SYN-0196"), "{open_now:?}");
        let now = stage.clock.true_now();
        assert!(open(&stage.world).erp.credit(now, sale, &[(sku.as_str(), Decimal::ONE)]).is_some());
        hold("processing");
        passes(&stage, 1_800).await;
        let (open_now, _) = open_of(&engine, &reference).await;
        assert!(open_now.len() == 2 && open_now.iter().all(|one| one.starts_with("SYN-0192")), "{open_now:?}");
        let (memos, credits) = given(&stage, &reference);
        assert_eq!((memos.len(), credits.len()), (1, 1), "nothing is given back twice");
        for entity in held(&engine).await {
            engine.store.retry(Retry::One { entity, rebase: true }, engine.now()).await.unwrap();
        }
        passes(&stage, 1_800).await;
        assert_eq!(open_of(&engine, &reference).await.0, [""; 0], "left to people");
        let (memos, credits) = given(&stage, &reference);
        assert_eq!((memos.len(), credits.len(), broken(&stage)), (1, 1, vec![]));
    });
}

#[test]
fn what_both_sides_gave_back_of_different_things_goes_both_ways() {
    refunding(13, Refunds::Carry, |stage| async move {
        let reference = sold(&stage, 1, true).await;
        let (_, lines) = order(&stage, &reference);
        let (_, sku, _) = lines[0].clone();
        let ((sale, ..), now) = (sale(&stage, &reference), stage.clock.true_now());
        assert!(give_back(&stage, &reference, &[], Decimal::ONE, Decimal::ZERO));
        assert!(open(&stage.world).erp.credit(now, sale, &[(sku.as_str(), Decimal::ONE)]).is_some());
        passes(&stage, 1_200).await;
        let engine = stage.boot().await.unwrap();
        let (memos, credits) = given(&stage, &reference);
        assert_eq!((open_of(&engine, &reference).await, memos.len()), ((vec![], "idle".into()), 2));
        assert_eq!(memos, credits);
    });
}

#[test]
fn a_draft_is_left_to_people_where_the_file_says_so() {
    refunding(14, Refunds::Draft, |stage| async move {
        let reference = sold(&stage, 1, true).await;
        let (_, lines) = order(&stage, &reference);
        assert!(give_back(&stage, &reference, &[(lines[0].0, 1)], Decimal::ZERO, Decimal::ZERO));
        passes(&stage, 1_200).await;
        let engine = stage.boot().await.unwrap();
        assert_eq!(open_of(&engine, &reference).await, (vec![], "idle".into()));
        assert_eq!(given(&stage, &reference).1.len(), 0, "nothing is in force");
        let proof = engine.verify().await.unwrap().flows[&Flow::Papers].clone();
        assert_eq!((proof.drift(), proof.open, proof.kinds[&Kind::Credit]), (0, 0, 2), "each way: {proof:?}");
        let ((sale, ..), now) = (sale(&stage, &reference), stage.clock.true_now());
        assert!(open(&stage.world).erp.post_credits(now, sale));
        passes(&stage, 600).await;
        let (memos, credits) = given(&stage, &reference);
        assert_eq!((memos.len(), &memos), (1, &credits));
        assert_eq!(engine.verify().await.unwrap().flows[&Flow::Papers].drift(), 0);
    });
}

#[test]
fn a_refund_is_credited_once_through_faults_and_deaths() {
    for fault in [Fault::ErrorAfter, Fault::LostReply, Fault::Truncated, Fault::Html] {
        refunding(15, Refunds::Carry, |stage| async move {
            let reference = sold(&stage, 1, true).await;
            let (_, lines) = order(&stage, &reference);
            assert!(give_back(&stage, &reference, &[(lines[0].0, 1)], Decimal::ZERO, Decimal::ZERO));
            assert!(give_back(&stage, &reference, &[], Decimal::ONE, Decimal::ZERO));
            troubled(&stage, fault, 500);
            killed(&stage, [300, 900, 2_100, 4_600]).await;
            passes(&stage, 600).await;
            calmed(&stage, fault);
            passes(&stage, 1_800).await;
            let (memos, credits) = given(&stage, &reference);
            assert_eq!((memos.len(), &credits, broken(&stage)), (2, &memos, vec![]), "{fault:?}");
        });
    }
}

#[test]
fn a_note_that_a_clerk_throws_away_is_missed_and_never_made_again() {
    refunding(16, Refunds::Draft, |stage| async move {
        let reference = sold(&stage, 1, true).await;
        let (_, lines) = order(&stage, &reference);
        assert!(give_back(&stage, &reference, &[(lines[0].0, 1)], Decimal::ZERO, Decimal::ZERO));
        passes(&stage, 1_200).await;
        let now = stage.clock.true_now();
        let drafts = {
            let ledger = open(&stage.world).erp.ledger();
            ledger["credits"].as_array().unwrap().iter().filter_map(|row| row["id"].as_u64()).collect::<Vec<_>>()
        };
        assert!(open(&stage.world).erp.remove(now, "account.invoice", drafts[0]));
        let engine = stage.boot().await.unwrap();
        let proof = engine.verify().await.unwrap().flows[&Flow::Papers].clone();
        assert_eq!((proof.missing, proof.drift()), (1, 1), "{proof:?}");
        passes(&stage, 1_200).await;
        let left = open(&stage.world).erp.ledger();
        assert_eq!((left["credits"].as_array().unwrap().len(), broken(&stage)), (0, vec![]));
    });
}

#[test]
fn what_is_planned_about_a_refund_is_what_a_pass_does() {
    refunding(17, Refunds::Carry, |stage| async move {
        // Billed in the ERP since it was last read.
        let reference = sold(&stage, 1, true).await;
        let (_, lines) = order(&stage, &reference);
        assert!(give_back(&stage, &reference, &[(lines[0].0, 1)], Decimal::ZERO, Decimal::ZERO));
        let engine = stage.boot().await.unwrap();
        let plan = engine.plan(Some(Flow::Papers)).await.unwrap();
        let planned: Vec<(&str, &str)> = plan.rows.iter().map(|row| (&*row.kind, &*row.step)).collect();
        assert_eq!((planned, plan.open.len()), (vec![("credit", "create")], 0), "{:?}", plan.open);
        passes(&stage, 240).await;
        let (memos, credits) = given(&stage, &reference);
        assert_eq!((memos.len(), &credits), (1, &memos));
    });
}

#[test]
fn a_fraction_of_a_yen_that_no_books_keep_is_no_drift() {
    refunding(18, Refunds::Carry, |stage| async move {
        let now = stage.clock.true_now();
        let yen = (0..60).find(|n| place_like(5, *n, &stage.catalogue, now)["order_currency_code"] == "JPY").unwrap();
        let reference = sold(&stage, yen, true).await;
        assert!(give_back(&stage, &reference, &[], Decimal::ZERO, Decimal::new(123, 2)));
        passes(&stage, 600).await;
        let (memos, credits) = given(&stage, &reference);
        assert!(memos.len() == 1 && credits.len() == 1 && memos != credits, "{memos:?} {credits:?}");
        assert_eq!(credits[0], memos[0].round());
        let engine = stage.boot().await.unwrap();
        let proof = engine.verify().await.unwrap().flows[&Flow::Papers].clone();
        assert_eq!((proof.drift(), proof.cents_off, proof.open), (0, 0, 0), "{proof:?}");
    });
}
