//! Payments booked on invoices of a simulated Tryton: part by part, once, and never on what has moved on.

use super::bench::{Bench, Weather, World, dec, run};
use super::stock::sell;
use super::walk::product;
use serde_json::json;
use std::collections::BTreeMap;
use syncline_connect::{Connector, Lookup, Outcome, Snapshot};
use syncline_core::delivery::Permit;
use syncline_core::id::{Mark, RemoteId};
use syncline_core::kind::{Kind, Step};
use syncline_core::leaf::{Leaves, Value};
use syncline_core::money::Money;
use syncline_core::path::Path;
use syncline_core::policy::ErrorKind;
use syncline_core::record::Paper;
use syncline_sim::http::System;

/// A sale of 17.13 EUR whose invoice is posted, with the invoice.
async fn posted(bench: &Bench, world: &World, number: &str) -> (u64, u64) {
    let sku = product(bench).await;
    let sale = sell(bench, &sku, number).await;
    let now = bench.ctx.now();
    let bill = world.with(|erp| {
        assert!(erp.post_invoices(now, sale));
        *erp.invoices(sale).first().unwrap()
    });
    (sale, bill)
}

/// The permit to book so much on an invoice of a sale, as what is there already goes on or as something new.
fn part(bench: &Bench, mark: &Mark, (sale, bill): (u64, u64), euros: &str, there: Option<&Snapshot>) -> Permit {
    let mut leaves = Leaves::new();
    let net = Money::new(dec(euros), "EUR".parse().unwrap());
    leaves.put(Path::element("lines", &bill.to_string()).dot("net"), Value::Money(net));
    leaves.put(Path::field("method"), Value::Code("Gateway".into()));
    leaves.put(Path::field("number"), Value::Text("000000012".into()));
    leaves.put(Path::field("day"), Value::Day(jiff::civil::date(2026, 11, 20)));
    let elements = BTreeMap::from([(Paper::order_path(), sale.to_string())]);
    let step = if there.is_some() { Step::Attach("lines".into()) } else { Step::Create };
    bench.of_order(Kind::Payment, step, mark, there, leaves, elements)
}

fn paper(snapshot: &Snapshot) -> Paper {
    snapshot.records.first().unwrap().1.paper().unwrap().clone()
}

/// What was booked on the invoices of a sale, with what stands on it.
fn booked(world: &World, sale: u64) -> Vec<(String, String)> {
    let ledger = world.with(|erp| erp.ledger());
    let rows = ledger["payments"].as_array().unwrap().iter().filter(|row| row["sales"][0] == sale);
    rows.map(|row| (row["amount"].as_str().unwrap().into(), row["description"].as_str().unwrap().into())).collect()
}

#[test]
fn a_payment_is_booked_in_parts_and_read_back_as_one() {
    let world = World::new(true);
    let bench = world.bench();
    run(async {
        let (mark, at) = (bench.mark("p"), posted(&bench, &world, "one").await);
        let first = bench.done(part(&bench, &mark, at, "10", None)).await;
        assert_eq!((first.mark.as_deref(), paper(&first).grand.unwrap().amount), (Some(mark.as_str()), dec("10")));
        // The invoice is younger than the money: it is booked on the invoice's day.
        assert_eq!(paper(&first).day, Some(jiff::civil::date(2026, 11, 23)));
        let profile = bench.erp.profile();
        let reads = &profile.kinds[&Kind::Payment].reads;
        for (path, _) in first.records.first().unwrap().1.to_leaves().iter() {
            assert!(reads.iter().any(|one| path.matches(&Path::try_from(one.clone()).unwrap())), "{path}");
        }
        // The same once more is what is there.
        let again = bench.done(part(&bench, &mark, at, "10", None)).await;
        assert_eq!((again.id.clone(), booked(&world, at.0).len()), (first.id.clone(), 1));
        let by = Lookup::Paper { order: RemoteId::new("", at.0.to_string()), mark: mark.clone() };
        let found = bench.erp.find(&bench.ctx, Kind::Payment, &by).await.unwrap();
        assert!(matches!(found.as_slice(), [one] if one.id == first.id), "{found:?}");
        let read = bench.erp.read(&bench.ctx, Kind::Payment, &[first.id.clone(), RemoteId::new("", "1:999")]).await;
        let [Ok(Some(one)), Ok(None)] = read.as_slice() else { panic!("{read:?}") };
        assert_eq!(paper(one), paper(&first));
        // What another payment of the order pays is another one.
        let other = bench.mark("other");
        let second = bench.done(part(&bench, &other, at, "7.13", None)).await;
        assert_ne!(second.id, first.id);
        assert_eq!(world.with(|erp| erp.still_owed(at.0)), dec("0"));
        let told = booked(&world, at.0);
        assert_eq!(told[0], ("10".into(), format!("{} 000000012", mark.as_str())));
        assert!(
            world.sent().iter().any(|(method, notes)| method == "wizard.account.invoice.pay.execute" && *notes == 1)
        );
    });
}

#[test]
fn what_has_moved_on_is_refused_and_what_is_wrong_is_said() {
    let world = World::new(true);
    let bench = world.bench();
    run(async {
        let (mark, at) = (bench.mark("p"), posted(&bench, &world, "one").await);
        assert_eq!(
            bench.refused(part(&bench, &mark, at, "17.14", None)).await,
            ErrorKind::Stale,
            "more than it asks for"
        );
        assert_eq!(bench.refused(part(&bench, &mark, (at.0, 999), "1", None)).await, ErrorKind::Gone);
        let now = bench.ctx.now();
        assert!(world.with(|erp| erp.pay_part(now, at.0, dec("10"))));
        assert_eq!(bench.refused(part(&bench, &mark, at, "10", None)).await, ErrorKind::Stale, "a clerk was faster");
        let mut wrong = part(&bench, &mark, at, "1", None).change().leaves.clone();
        wrong.put(Path::field("method"), Value::Code("Cheques".into()));
        let elements = BTreeMap::from([(Paper::order_path(), at.0.to_string())]);
        let permit = bench.of_order(Kind::Payment, Step::Create, &mark, None, wrong, elements);
        let Outcome::Refused(error) = bench.one(permit).await else { panic!() };
        assert!(error.kind == ErrorKind::Invalid && error.message.contains("it has Gateway"), "{error}");
        world.with(|erp| erp.close_books(jiff::civil::date(2026, 11, 30)));
        let Outcome::Refused(error) = bench.one(part(&bench, &mark, at, "1", None)).await else { panic!() };
        assert!(error.kind == ErrorKind::Closed && error.message.contains("reopen the period"), "{error}");
        assert_eq!(booked(&world, at.0), [("10".to_string(), "by hand".to_string())]);
        let sku = product(&bench).await;
        let draft = sell(&bench, &sku, "two").await;
        let bill = world.with(|erp| *erp.invoices(draft).first().unwrap());
        assert_eq!(
            bench.refused(part(&bench, &mark, (draft, bill), "1", None)).await,
            ErrorKind::Stale,
            "a draft asks nothing"
        );
    });
}

#[test]
fn a_booking_whose_answer_is_lost_is_found_and_not_made_again() {
    let world = World::new(true);
    let bench = world.bench();
    run(async {
        let (mark, at) = (bench.mark("p"), posted(&bench, &world, "one").await);
        for weather in [Weather::ReplyLost, Weather::Page] {
            world.weather(&[weather]);
            let before = booked(&world, at.0).len();
            match bench.one(part(&bench, &mark, at, "5", None)).await {
                Outcome::Unknown { learned: None, .. } => assert_eq!(before, 0),
                Outcome::Done(_) => assert_eq!(before, 1, "it is there already, and nothing is sent"),
                other => panic!("{other:?}"),
            }
        }
        assert_eq!(booked(&world, at.0).len(), 1);
        // What never arrived was not booked.
        world.weather(&[Weather::Refused]);
        let other = bench.mark("other");
        let Outcome::Refused(error) = bench.one(part(&bench, &other, at, "5", None)).await else { panic!() };
        assert_eq!((error.kind, booked(&world, at.0).len()), (ErrorKind::Unreachable, 1));
    });
}

/// Books a payment in parts on a Tryton, real or simulated, and finds it there; false where it has no payment method.
pub(super) async fn walk(bench: &Bench) -> bool {
    let setup = bench.erp.setup(&bench.ctx).await.unwrap();
    let Some((method, _)) = bench.erp.methods(&bench.ctx, &setup).await.unwrap().into_iter().next() else {
        return false;
    };
    // One whose own taxes are those it is sold with: a real one warns of others before it posts.
    let found = bench.erp.find(&bench.ctx, Kind::Variant, &Lookup::Number("MUG".into())).await.unwrap();
    let sku = ("MUG".to_string(), found.first().unwrap().id.clone());
    let sale = sell(bench, &sku, "paid").await;
    let asked = |method: &str, params: serde_json::Value| {
        let method = format!("model.{method}");
        async move { bench.erp.client.read::<serde_json::Value>(&bench.ctx, &method, params).await.unwrap() }
    };
    let told = asked("sale.sale.read", json!([[sale], ["invoices"], setup.context()])).await;
    let bill = told[0]["invoices"][0].as_u64().unwrap();
    asked("account.invoice.post", json!([[bill], setup.context()])).await;
    let by = |mark: &Mark, euros: &str| {
        let mut permit = part(bench, mark, (sale, bill), euros, None).change().clone();
        permit.leaves.put(Path::field("method"), Value::Code(method.clone()));
        permit.leaves.put(Path::field("day"), Value::Day(bench.ctx.now().to_zoned(jiff::tz::TimeZone::UTC).date()));
        bench.of_order(Kind::Payment, permit.step, mark, None, permit.leaves, permit.elements)
    };
    let (mark, other) = (bench.mark("payment"), bench.mark("another payment"));
    let first = bench.done(by(&mark, "10")).await;
    assert_eq!(bench.done(by(&mark, "10")).await.id, first.id, "it is there already");
    assert_eq!(bench.refused(by(&other, "17.13")).await, ErrorKind::Stale, "not so much is left");
    let second = bench.done(by(&other, "7.13")).await;
    assert_ne!(second.id, first.id);
    let read = bench.erp.read(&bench.ctx, Kind::Payment, &[first.id, second.id]).await;
    let sums: Vec<_> = read.into_iter().map(|one| paper(&one.unwrap().unwrap()).grand.unwrap().amount).collect();
    assert_eq!(sums, [dec("10"), dec("7.13")]);
    let told = asked("account.invoice.read", json!([[bill], ["state"], setup.context()])).await;
    assert_eq!(told[0]["state"], "paid");
    assert!(bench.erp.probe(&bench.ctx).await.unwrap().profile.kinds.contains_key(&Kind::Payment));
    true
}

#[test]
fn the_simulated_tryton_books_as_a_real_one_does() {
    let world = World::new(true);
    assert!(run(walk(&world.bench())));
}
