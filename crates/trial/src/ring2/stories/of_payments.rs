//! Payments: what a shop took for its orders is booked in the ERP once, on their invoices, to the cent.

use super::of_invoices::{number, post, sale, unbilled};
use super::{PRODUCTS, begun, broken, killed, passes, place, troubled};
use crate::ring2::boot::Stage;
use crate::ring2::parcels;
use crate::ring2::weather::Fault;
use crate::ring2::world::open;
use rust_decimal::Decimal;
use serde_json::Value;
use syncline_core::kind::{Flow, Kind};
use syncline_core::rules::MoneyRule;
use syncline_engine::Engine;
use syncline_sim::http::System as _;
use syncline_store::{LaneFilter, Retry};

/// Plays `story` on a stage whose ERP is told of what the shop's gateway took.
pub(super) fn paying<F: Future<Output = ()>>(seed: u64, plant: Option<&'static str>, story: impl FnOnce(Stage) -> F) {
    begun((seed, PRODUCTS, plant), |mut stage| {
        parcels::open_warehouse(&mut stage);
        stage.stock = None;
        for target in stage.papers.iter_mut().flat_map(|rules| &mut rules.targets) {
            target.payments = [("braintree", "Gateway"), ("checkmo", "off")].map(|(a, b)| (a.into(), b.into())).into();
        }
        story(stage)
    });
}

/// An order paid by `method`, of which no money was taken yet. Returns its number.
pub(super) fn ordered(stage: &Stage, n: u64, method: &str) -> String {
    place(stage, n, |order| {
        order["state"] = "processing".into();
        order["payment"]["method"] = method.into();
        unbilled(order);
    })
}

/// The shop takes the money for so many of each named line of an order, of everything where none is named.
pub(super) fn take(stage: &Stage, number: &str, lines: &[(u64, u32)]) -> Option<u64> {
    let now = stage.clock.true_now();
    let id = order_of(stage, number);
    open(&stage.world).shop.invoice_by_hand(now, id, lines)
}

fn order_of(stage: &Stage, number: &str) -> u64 {
    let ledger = open(&stage.world).shop.ledger();
    let row = ledger["orders"].as_array().unwrap().iter().find(|row| row["number"] == number).unwrap();
    row["id"].as_u64().unwrap()
}

/// What the ERP has booked: of how much on which invoice.
pub(super) fn booked(stage: &Stage) -> Vec<(u64, Decimal)> {
    let ledger = open(&stage.world).erp.ledger();
    let rows = ledger["payments"].as_array().unwrap().iter();
    rows.map(|row| (row["invoice"].as_u64().unwrap(), number(&row["amount"]))).collect()
}

pub(super) fn amounts(stage: &Stage) -> Vec<Decimal> {
    let mut all: Vec<Decimal> = booked(stage).into_iter().map(|(_, amount)| amount).collect();
    all.sort_unstable();
    all
}

/// What the shop took, invoice by invoice.
pub(super) fn taken(stage: &Stage) -> Vec<Decimal> {
    let ledger = open(&stage.world).shop.ledger();
    let mut all: Vec<Decimal> =
        ledger["invoices"].as_array().unwrap().iter().map(|row| number(&row["total"])).collect();
    all.sort_unstable();
    all
}

/// How the payments' lanes stand, with what is said of each.
pub(super) async fn lanes(engine: &Engine) -> Vec<String> {
    let filter = LaneFilter { kind: Some(Kind::Payment), ..LaneFilter::default() };
    let lanes = engine.store.lanes(filter).await.unwrap();
    let told = |why: Option<syncline_core::policy::Hold>| {
        why.map_or(String::new(), |why| format!("{} {}", why.code, why.what))
    };
    lanes.into_iter().map(|lane| format!("{} {}", lane.state, told(lane.why)).trim().to_string()).collect()
}

#[test]
fn what_was_paid_before_the_invoice_waits_for_it_and_is_booked_once() {
    for seed in 1..6 {
        paying(seed, None, |stage| async move {
            let numbers: Vec<String> = (0..4).map(|n| ordered(&stage, n, "braintree")).collect();
            for number in &numbers {
                take(&stage, number, &[]).unwrap();
            }
            passes(&stage, 240).await;
            let engine = stage.boot().await.unwrap();
            let states = lanes(&engine).await;
            assert!(states.len() == 4 && states.iter().all(|state| state.starts_with("awaiting")), "{states:?}");
            assert_eq!((amounts(&stage), broken(&stage)), (vec![], vec![]));
            let plan = engine.plan(Some(Flow::Papers)).await.unwrap();
            assert_eq!((plan.rows.len(), plan.awaiting), (0, 4));
            numbers.iter().for_each(|number| post(&stage, number));
            let plan = engine.plan(Some(Flow::Papers)).await.unwrap();
            assert_eq!((plan.rows.len(), plan.awaiting), (4, 0), "{plan:?}");
            passes(&stage, 240).await;
            assert_eq!((amounts(&stage), broken(&stage)), (taken(&stage), vec![]), "{:?}", lanes(&engine).await);
            for number in &numbers {
                let (_, paid, total) = sale(&stage, number);
                assert_eq!(paid, total, "{number}");
            }
            let proof = engine.verify().await.unwrap().flows[&Flow::Papers].clone();
            assert_eq!((proof.compared, proof.equal, proof.drift(), proof.cents_off), (4, 4, 0, 0), "{proof:?}");
            let writes = open(&stage.world).writes;
            passes(&stage, if stage.seed() == 1 { 1000 * 30 } else { 60 }).await;
            assert_eq!(open(&stage.world).writes, writes, "silence at rest");
        });
    }
}

#[test]
fn what_was_taken_in_parts_is_booked_in_parts() {
    paying(21, None, |stage| async move {
        let number = ordered(&stage, 1, "braintree");
        passes(&stage, 120).await;
        post(&stage, &number);
        passes(&stage, 60).await;
        assert_eq!(amounts(&stage), []);
        let line = line_of(&stage, &number);
        take(&stage, &number, &[(line, 1)]).unwrap();
        passes(&stage, 60).await;
        assert_eq!((amounts(&stage), broken(&stage)), (taken(&stage), vec![]));
        let (_, paid, total) = sale(&stage, &number);
        assert!(paid < total);
        // All that is left, where one piece was not all.
        if take(&stage, &number, &[]).is_some() {
            passes(&stage, 60).await;
            assert_eq!(amounts(&stage).len(), 2);
        }
        let (_, paid, total) = sale(&stage, &number);
        let engine = stage.boot().await.unwrap();
        assert_eq!((amounts(&stage), paid), (taken(&stage), total), "{:?}", lanes(&engine).await);
        assert_eq!(engine.verify().await.unwrap().flows[&Flow::Papers].drift(), 0);
    });
}

/// A line of an order of which one piece can be billed and more is left.
fn line_of(stage: &Stage, number: &str) -> u64 {
    let ledger = open(&stage.world).shop.ledger();
    let row = ledger["orders"].as_array().unwrap().iter().find(|row| row["number"] == number).unwrap();
    let lines = row["lines"].as_array().unwrap();
    let fits = |line: &&Value| super::of_invoices::number(&line["total"]) > Decimal::ZERO;
    lines.iter().find(fits).unwrap()["id"].as_u64().unwrap()
}

#[test]
fn one_payment_is_booked_on_each_invoice_as_the_goods_leave() {
    for seed in [23, 24] {
        paying(seed, None, |stage| async move {
            let now = stage.clock.true_now();
            assert!(open(&stage.world).erp.invoice_by(now, "fulfillment"));
            let numbers: Vec<String> = (0..6).map(|n| ordered(&stage, n, "braintree")).collect();
            for number in &numbers {
                take(&stage, number, &[]).unwrap();
            }
            passes(&stage, 240).await;
            let mut several = 0;
            for number in &numbers {
                let ((sale, ..), now) = (sale(&stage, number), stage.clock.true_now());
                let mut world = open(&stage.world);
                let goods = waiting(&world.erp.ledger(), sale);
                if let Some((code, quantity)) = goods.first() {
                    several += usize::from(world.erp.ship_part(now, sale, &[(code.as_str(), *quantity)]).is_some());
                }
                world.erp.post_invoices(now, sale);
            }
            passes(&stage, 120).await;
            assert!(broken(&stage).is_empty() && several > 2, "{several} {:?}", broken(&stage));
            let first = amounts(&stage).len();
            assert!(first > 2, "what was invoiced first is paid: {:?}", booked(&stage));
            for number in &numbers {
                let ((sale, ..), now) = (sale(&stage, number), stage.clock.true_now());
                let mut world = open(&stage.world);
                world.erp.ship(now, sale);
                world.erp.post_invoices(now, sale);
            }
            passes(&stage, 240).await;
            let engine = stage.boot().await.unwrap();
            assert!(amounts(&stage).len() > first, "{:?}", booked(&stage));
            // Taxes of several invoices may come to other cents than those of the order: then it is said.
            let odd = numbers.iter().filter(|number| sale(&stage, number).1 != sale(&stage, number).2).count();
            for number in &numbers {
                let (id, paid, total) = sale(&stage, number);
                let owed = open(&stage.world).erp.still_owed(id);
                let cents = (total - paid).abs() <= Decimal::new(2, 2);
                assert!(owed.is_zero() && cents, "{number} {paid} {total} {:?}", lanes(&engine).await);
            }
            let told = lanes(&engine).await.into_iter().filter(|one| one.starts_with("held SYN-0187")).count();
            let proof = engine.verify().await.unwrap().flows[&Flow::Papers].clone();
            let named = proof
                .waiting
                .iter()
                .filter(|one| one.starts_with("payment ") && one.ends_with(": held (SYN-0187)"))
                .count();
            assert_eq!((proof.drift(), proof.open, told, named), (0, odd, odd, odd), "{proof:?}");
            assert_eq!(broken(&stage), [""; 0]);
        });
    }
}

/// The goods of a sale that have not left, by code.
fn waiting(erp: &Value, sale: u64) -> Vec<(String, Decimal)> {
    let row = erp["orders"].as_array().unwrap().iter().find(|row| row["id"] == sale).unwrap();
    let lines = row["lines"].as_array().unwrap().iter().filter(|line| line["shipped"] == "0");
    let goods = lines.filter(|line| !matches!(line["sku"].as_str(), None | Some("SHIPPING" | "ROUNDING")));
    goods.map(|line| (line["sku"].as_str().unwrap().to_string(), super::of_invoices::number(&line["qty"]))).collect()
}

#[test]
fn money_is_booked_once_through_faults_and_deaths() {
    let faults =
        [Fault::ErrorAfter, Fault::LostReply, Fault::Truncated, Fault::Html, Fault::Late(90), Fault::Repeated(2)];
    for fault in faults {
        paying(44, None, |stage| async move {
            let number = ordered(&stage, 1, "braintree");
            passes(&stage, 120).await;
            post(&stage, &number);
            let line = line_of(&stage, &number);
            // In part: a second booking of it would find the invoice open.
            take(&stage, &number, &[(line, 1)]).unwrap();
            troubled(&stage, fault, 700);
            killed(&stage, [300, 700, 1_500, 2_600]).await;
            passes(&stage, 240).await;
            open(&stage.world).calm = true;
            passes(&stage, 900).await;
            assert_eq!((amounts(&stage), broken(&stage)), (taken(&stage), vec![]), "{fault:?}");
        });
    }
}

#[test]
fn what_somebody_booked_by_hand_is_left_alone_or_asked_about() {
    paying(45, None, |stage| async move {
        let (whole, part) = (ordered(&stage, 1, "braintree"), ordered(&stage, 2, "braintree"));
        passes(&stage, 120).await;
        for number in [&whole, &part] {
            post(&stage, number);
        }
        let ((whole_sale, ..), (part_sale, ..), now) =
            (sale(&stage, &whole), sale(&stage, &part), stage.clock.true_now());
        assert!(open(&stage.world).erp.pay_invoices(now, whole_sale));
        assert!(open(&stage.world).erp.pay_part(now, part_sale, Decimal::ONE));
        for number in [&whole, &part] {
            take(&stage, number, &[]).unwrap();
        }
        passes(&stage, 120).await;
        let engine = stage.boot().await.unwrap();
        let states = lanes(&engine).await;
        assert_eq!((amounts(&stage), broken(&stage)), (vec![Decimal::ONE], vec![]), "{states:?}");
        assert!(states.iter().any(|one| one.starts_with("held SYN-0192")), "{states:?}");
        assert!(states.iter().any(|one| one == "outside  the ERP has it already"), "{states:?}");
        // A clerk books the rest, and leaves it to people.
        let held = held(&engine).await;
        engine.store.retry(Retry::One { entity: held, rebase: true }, engine.now()).await.unwrap();
        let now = stage.clock.true_now();
        assert!(open(&stage.world).erp.pay_invoices(now, part_sale));
        passes(&stage, 120).await;
        assert_eq!(amounts(&stage), [Decimal::ONE]);
        let proof = engine.verify().await.unwrap().flows[&Flow::Papers].clone();
        assert_eq!((proof.drift(), proof.open), (0, 0), "{proof:?}");
    });
}

async fn held(engine: &Engine) -> syncline_core::id::EntityId {
    let filter = LaneFilter { kind: Some(Kind::Payment), states: vec!["held"], ..LaneFilter::default() };
    engine.store.lanes(filter).await.unwrap().remove(0).entity
}

#[test]
fn what_a_clerk_takes_back_is_not_booked_again() {
    paying(46, None, |stage| async move {
        let number = ordered(&stage, 1, "braintree");
        passes(&stage, 120).await;
        post(&stage, &number);
        let line = line_of(&stage, &number);
        take(&stage, &number, &[(line, 1)]).unwrap();
        passes(&stage, 60).await;
        assert_eq!(amounts(&stage).len(), 1);
        let ((sale, ..), now) = (sale(&stage, &number), stage.clock.true_now());
        assert!(open(&stage.world).erp.unbook(now, sale));
        passes(&stage, 120).await;
        let engine = stage.boot().await.unwrap();
        let states = lanes(&engine).await;
        assert_eq!(amounts(&stage), []);
        assert!(states.len() == 1 && states[0].starts_with("held SYN-0195"), "{states:?}");
    });
}

#[test]
fn s11_money_that_is_told_of_before_its_order_is_booked_once() {
    paying(48, None, |stage| async move {
        // The order is seen only when its transaction ends; the capture is told of at once.
        open(&stage.world).shop.quirks_mut().late_commit_s = 120;
        let number = ordered(&stage, 1, "braintree");
        take(&stage, &number, &[]).unwrap();
        passes(&stage, 90).await;
        let engine = stage.boot().await.unwrap();
        assert_eq!(lanes(&engine).await, Vec::<String>::new(), "nobody's here yet");
        passes(&stage, 240).await;
        assert_eq!(lanes(&engine).await.len(), 1);
        post(&stage, &number);
        passes(&stage, 120).await;
        assert_eq!((amounts(&stage), broken(&stage)), (taken(&stage), vec![]), "{:?}", lanes(&engine).await);
    });
}

#[test]
fn s65_a_capture_that_is_declined_leaves_the_invoice_open_and_is_one_alert() {
    paying(49, None, |mut stage| async move {
        for target in stage.papers.iter_mut().flat_map(|rules| &mut rules.targets) {
            target.invoices = MoneyRule::Posted;
        }
        let number = ordered(&stage, 1, "braintree");
        passes(&stage, 120).await;
        open(&stage.world).shop.decline_captures(true);
        post(&stage, &number);
        passes(&stage, 300).await;
        let engine = stage.boot().await.unwrap();
        let filter = || LaneFilter { states: vec!["held", "failed"], ..LaneFilter::default() };
        let open_lanes = engine.store.lanes(filter()).await.unwrap();
        let told: Vec<String> = open_lanes.iter().map(|lane| format!("{} {}", lane.kind, lane.state)).collect();
        assert_eq!(told, ["invoice failed"], "one alert");
        assert!(open_lanes[0].why.as_ref().is_some_and(|why| why.what.contains("gateway")), "{open_lanes:?}");
        let (id, paid, total) = sale(&stage, &number);
        assert_eq!((paid, open(&stage.world).erp.still_owed(id)), (Decimal::ZERO, total));
        let writes = open(&stage.world).writes;
        passes(&stage, 900).await;
        assert_eq!(
            (taken(&stage), open(&stage.world).writes),
            (vec![], writes),
            "nothing is asked for again by itself"
        );
        // The buyer's card is good again, and a person lets it go on.
        open(&stage.world).shop.decline_captures(false);
        engine.store.retry(Retry::One { entity: open_lanes[0].entity, rebase: false }, engine.now()).await.unwrap();
        passes(&stage, 240).await;
        let captures = open(&stage.world).shop.ledger()["captures"].as_array().unwrap().len();
        assert_eq!((captures, taken(&stage), amounts(&stage), broken(&stage)), (1, vec![total], vec![total], vec![]));
        assert_eq!(engine.store.lanes(filter()).await.unwrap().len(), 0);
        assert_eq!(sale(&stage, &number).1, total);
    });
}
