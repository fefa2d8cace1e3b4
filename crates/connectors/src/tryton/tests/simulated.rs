//! Against the simulated Tryton, with and without its unique key, in fair weather and foul.

use super::super::Config;
use super::bench::{Bench, Weather, World, dec, order_of, run};
use super::walk::{self, jane, order, product};
use serde_json::json;
use syncline_connect::{Connector, Cursor, Lookup, Outcome, Snapshot};
use syncline_core::id::{Mark, RemoteId};
use syncline_core::kind::{Kind, Step};
use syncline_core::leaf::{Leaves, Value};
use syncline_core::money::Money;
use syncline_core::path::Path;
use syncline_core::policy::ErrorKind;
use syncline_core::profile::Guard;
use syncline_core::record::{Order, Record};

#[test]
fn a_simulated_tryton_takes_an_order_once() {
    for web_shop in [true, false] {
        run(walk::all(&World::new(web_shop).bench()));
    }
}

/// A customer in the ERP, its address, a product and a tax: what an order needs.
struct Ground {
    party: RemoteId,
    address: String,
    sku: (String, RemoteId),
}

async fn ground(bench: &Bench) -> Ground {
    let mark = bench.mark("ground");
    let leaves = Record::Customer(jane()).to_leaves();
    let made = bench.done(bench.permit(Kind::Customer, Step::Create, &mark, None, leaves)).await;
    let address = super::bench::customer_of(&made).addresses.keys().next().unwrap().clone();
    Ground { party: made.id, address, sku: product(bench).await }
}

impl Ground {
    fn order(&self) -> Order {
        order(&self.sku, &self.party, &self.address, "VAT 19%")
    }
}

fn wish(order: Order) -> Leaves {
    Record::Order(Box::new(order)).to_leaves()
}

async fn created(bench: &Bench, mark: &Mark, order: Order) -> Outcome {
    bench.one(bench.permit(Kind::Order, Step::Create, mark, None, wish(order))).await
}

async fn made(bench: &Bench, mark: &Mark, order: Order) -> Snapshot {
    bench.done(bench.permit(Kind::Order, Step::Create, mark, None, wish(order))).await
}

async fn refusal(bench: &Bench, mark: &Mark, order: Order) -> (ErrorKind, String) {
    match created(bench, mark, order).await {
        Outcome::Refused(error) => (error.kind, error.message),
        other => panic!("not refused: {other:?}"),
    }
}

async fn found(bench: &Bench, mark: &Mark) -> Vec<String> {
    let found = bench.erp.find(&bench.ctx, Kind::Order, &Lookup::Mark(mark.clone())).await.unwrap();
    found.into_iter().map(|snapshot| snapshot.id.id).collect()
}

#[test]
fn without_its_key_drafts_carry_the_mark_in_their_description() {
    let world = World::new(false);
    let bench = world.bench();
    run(async {
        let probe = bench.erp.probe(&bench.ctx).await.unwrap();
        let orders = probe.profile.kinds.get(&Kind::Order).unwrap();
        assert_eq!(orders.create_guard(), Guard::DraftElect { field: "description".into(), settle_s: 300 });
        let ground = ground(&bench).await;
        let mark = bench.mark("twice");
        let first = made(&bench, &mark, ground.order()).await;
        assert_eq!(first.mark.as_deref(), Some(mark.as_str()));
        let second = made(&bench, &mark, ground.order()).await;
        assert_eq!(found(&bench, &mark).await, [first.id.id.clone(), second.id.id.clone()]);
        let cancelled = bench.done(bench.permit(Kind::Order, Step::Cancel, &mark, Some(&second), Leaves::new())).await;
        assert_eq!(found(&bench, &mark).await, [first.id.id.as_str()], "the withdrawn one stands back");
        bench.done(bench.permit(Kind::Order, Step::Delete, &mark, Some(&cancelled), Leaves::new())).await;
        let any = bench.erp.find(&bench.ctx, Kind::Order, &Lookup::AnyMark).await.unwrap();
        assert_eq!(any.iter().map(|s| s.id.id.as_str()).collect::<Vec<_>>(), [first.id.id.as_str()]);
    });
}

#[test]
fn sales_are_found_by_what_another_connector_wrote_on_them() {
    for web_shop in [true, false] {
        let world = World::new(web_shop);
        let bench = world.bench();
        run(async {
            let ground = ground(&bench).await;
            let mut order = ground.order();
            for (mark, reference) in [("one", "000000007"), ("two", "000000007"), ("three", "000000008")] {
                order.reference = Some(reference.to_string());
                made(&bench, &bench.mark(mark), order.clone()).await;
            }
            let told = async |field: &str, values: &[&str]| {
                let values = values.iter().map(ToString::to_string).collect();
                let by = Lookup::Told { field: field.to_string(), values };
                let found = bench.erp.find(&bench.ctx, Kind::Order, &by).await;
                found.map(|all| all.into_iter().filter_map(|one| one.found_by).collect::<Vec<_>>())
            };
            let found = told("reference", &["000000008", "000000007", "none"]).await.unwrap();
            assert_eq!(found, ["000000007", "000000007", "000000008"]);
            let mark = bench.mark("two");
            assert_eq!(told("web_id", &[mark.as_str()]).await.is_ok(), web_shop, "its module brings the field");
            assert!(told("id", &["x"]).await.unwrap().is_empty());
            let error = told("colour", &[]).await.unwrap_err();
            assert!(error.kind == ErrorKind::Config && error.message.contains("reference"), "{error}");
        });
    }
}

#[test]
fn one_call_carries_ten_orders_and_one_bad_one_stops_nothing() {
    let world = World::new(true);
    let bench = world.bench();
    run(async {
        let ground = ground(&bench).await;
        let permit = |at: usize| {
            let mut order = ground.order();
            if at == 3 {
                order.currency = "CHF".parse().ok();
            }
            bench.permit(Kind::Order, Step::Create, &bench.mark(&at.to_string()), None, wish(order))
        };
        world.pass(jiff::SignedDuration::from_secs(10));
        world.sent();
        let outcomes = bench.erp.write(&bench.ctx, (0..10).map(permit).collect()).await;
        let done = outcomes.iter().filter(|one| matches!(one, Outcome::Done(_))).count();
        assert_eq!(done, 9);
        let Some(Outcome::Refused(error)) = outcomes.get(3) else { panic!("not refused: {outcomes:?}") };
        assert!(error.message.contains("CHF") && error.kind == ErrorKind::Invalid, "{error}");
        let sent = world.sent();
        let sales: Vec<_> = sent.iter().filter(|(method, _)| !method.starts_with("model.product.product")).collect();
        let expected = [("model.sale.sale.create".to_string(), 9), ("model.sale.sale.read".to_string(), 0)];
        assert_eq!(sales, expected.iter().collect::<Vec<_>>(), "a set-up read a moment ago is not read again");
    });
}

#[test]
fn what_the_erp_refuses_in_a_batch_is_refused_for_all_and_stores_nothing() {
    let world = World::new(true);
    let bench = world.bench();
    run(async {
        let ground = ground(&bench).await;
        let taken = bench.mark("taken");
        made(&bench, &taken, ground.order()).await;
        let fresh = bench.mark("fresh");
        let permits =
            [&fresh, &taken].map(|mark| bench.permit(Kind::Order, Step::Create, mark, None, wish(ground.order())));
        let outcomes = bench.erp.write(&bench.ctx, permits.into()).await;
        let kinds: Vec<_> =
            outcomes.iter().map(|one| if let Outcome::Refused(e) = one { Some(e.kind) } else { None }).collect();
        assert_eq!(kinds, [Some(ErrorKind::Exists), Some(ErrorKind::Exists)]);
        assert!(found(&bench, &fresh).await.is_empty());
    });
}

#[test]
fn a_lost_reply_is_unknown_and_the_mark_tells() {
    let world = World::new(true);
    let bench = world.bench();
    run(async {
        let ground = ground(&bench).await;
        for (name, weather) in [("lost", Weather::ReplyLost), ("page", Weather::Page)] {
            let mark = bench.mark(name);
            world.weather(&[weather]);
            let outcome = created(&bench, &mark, ground.order()).await;
            assert!(matches!(outcome, Outcome::Unknown { learned: None, .. }), "{outcome:?}");
            assert_eq!(found(&bench, &mark).await.len(), 1);
            assert_eq!(refusal(&bench, &mark, ground.order()).await.0, ErrorKind::Exists);
        }
        let mark = bench.mark("refused");
        world.weather(&[Weather::Refused]);
        assert_eq!(refusal(&bench, &mark, ground.order()).await.0, ErrorKind::Unreachable);
        assert!(found(&bench, &mark).await.is_empty());
    });
}

#[test]
fn what_is_missing_in_the_erp_is_named_and_found_once_it_is_there() {
    let world = World::new(true);
    let bench = world.bench();
    run(async {
        let ground = ground(&bench).await;
        let with_tax = |name: &str| order(&ground.sku, &ground.party, &ground.address, name);
        let (kind, text) = refusal(&bench, &bench.mark("tax"), with_tax("USt 19")).await;
        assert!(kind == ErrorKind::Invalid && text.contains("USt 19") && text.contains("line 15"), "{text}");
        let moment = world.with(|erp| {
            erp.directly("2026-11-23T11:00:00Z".parse().unwrap(), "account.tax", 1, &json!({"name": "USt 19"}))
        });
        assert!(moment);
        world.pass(jiff::SignedDuration::from_secs(61));
        made(&bench, &bench.mark("tax"), with_tax("USt 19")).await;

        let mut term = with_tax("USt 19");
        term.payment.method = Some("Barter".into());
        assert!(refusal(&bench, &bench.mark("term"), term).await.1.contains("Barter"));
        let mut gone = with_tax("USt 19");
        for (_, line) in gone.lines.iter_mut() {
            line.variant = line
                .variant
                .as_ref()
                .map(|_| syncline_core::leaf::Ref::remote(Kind::Variant, RemoteId::new("", "987654")));
        }
        assert!(refusal(&bench, &bench.mark("gone"), gone).await.1.contains("987654"));
        let mut half = with_tax("USt 19");
        for (_, line) in half.lines.iter_mut().filter(|(_, line)| line.form.is_none()) {
            line.quantity = Some(dec("1.5"));
        }
        assert!(refusal(&bench, &bench.mark("half"), half).await.1.contains("0 decimals"));
    });
}

#[test]
fn nothing_is_sold_to_the_guest_of_a_web_shop() {
    let world = World::new(true);
    let bench = world.bench();
    run(async {
        let ground = ground(&bench).await;
        let parties = bench.erp.changes(&bench.ctx, Kind::Customer, &Cursor::default()).await.unwrap();
        let guest = parties
            .seen
            .iter()
            .map(|seen| seen.snapshot.as_ref().unwrap())
            .find(|snapshot| super::bench::customer_of(snapshot).name.as_deref() == Some("Webshop Guest"));
        let order = order(&ground.sku, &guest.unwrap().id, &ground.address, "VAT 19%");
        let (kind, text) = refusal(&bench, &bench.mark("guest"), order).await;
        assert!(kind == ErrorKind::Config && text.contains("guest"), "{text}");
    });
}

#[test]
fn a_country_that_is_not_there_is_named_and_its_neighbour_goes_through() {
    let world = World::new(true);
    let bench = world.bench();
    run(async {
        let mut far = jane();
        for address in far.addresses.values_mut() {
            address.country = Some("XX".into());
        }
        let permit = |name: &str, customer| {
            let leaves = Record::Customer(customer).to_leaves();
            bench.permit(Kind::Customer, Step::Create, &bench.mark(name), None, leaves)
        };
        let outcomes = bench.erp.write(&bench.ctx, vec![permit("far", far), permit("near", jane())]).await;
        let [Outcome::Refused(error), Outcome::Done(_)] = outcomes.as_slice() else { panic!("{outcomes:?}") };
        assert!(error.message.contains("`XX`"), "{error}");
    });
}

#[test]
fn amounts_come_out_in_currencies_of_none_and_three_digits() {
    let world = World::new(true);
    let bench = world.bench();
    run(async {
        let ground = ground(&bench).await;
        for (code, net, shipping) in [("JPY", "1001", "500"), ("KWD", "10.001", "1.234")] {
            let money = |text: &str| Some(Money::new(dec(text), code.parse().unwrap()));
            let mut order = ground.order();
            order.currency = code.parse().ok();
            for (_, line) in order.lines.iter_mut().filter(|(_, line)| line.form.is_none()) {
                line.net = money(net);
            }
            order.charges.get_mut("shipping").unwrap().net = money(shipping);
            let seen = made(&bench, &bench.mark(code), order).await;
            let told = order_of(&seen);
            for (_, line) in told.lines.iter().filter(|(_, line)| line.form.is_none()) {
                assert_eq!(line.net, money(net));
            }
            assert_eq!(told.charges.get("shipping").unwrap().net, money(shipping));
        }
    });
}

#[test]
fn a_rounding_line_is_made_changed_and_taken_away_by_its_level() {
    let world = World::new(true);
    let bench = world.bench();
    run(async {
        let ground = ground(&bench).await;
        let mark = bench.mark("level");
        let mut now = made(&bench, &mark, ground.order()).await;
        let start = order_of(&now).totals.grand.unwrap().amount;
        let lines = order_of(&now).lines.len();
        let level = |text: &str, on: &Snapshot| {
            let money = Money::new(dec(text), "EUR".parse().unwrap());
            let mut leaves = Leaves::new();
            leaves.put(Path::element("charges", "rounding").dot("net"), Value::Money(money));
            bench.permit(Kind::Order, Step::Lines, &mark, Some(on), leaves)
        };
        for text in ["0.02", "0.02", "-0.01", "0"] {
            now = bench.done(level(text, &now)).await;
            assert_eq!(order_of(&now).totals.grand.unwrap().amount, start + dec(text));
            assert_eq!(order_of(&now).lines.len(), lines);
        }
        let quoted = bench
            .done(bench.permit(Kind::Order, Step::Advance("quote".into()), &mark, Some(&now), Leaves::new()))
            .await;
        assert_eq!(bench.refused(level("0.01", &quoted)).await, ErrorKind::Stale);
    });
}

#[test]
fn changes_are_told_once_they_rest_and_again_when_they_move() {
    let world = World::new(true);
    let bench = world.bench();
    run(async {
        let ground = ground(&bench).await;
        let mark = bench.mark("walk");
        let sale = made(&bench, &mark, ground.order()).await;
        let changes = async |cursor: &Cursor| bench.erp.changes(&bench.ctx, Kind::Order, cursor).await.unwrap();
        let first = changes(&Cursor::default()).await;
        assert!(first.seen.iter().any(|seen| seen.id == sale.id) && !first.more);
        world.pass(jiff::SignedDuration::from_hours(1));
        let later = made(&bench, &bench.mark("later"), ground.order()).await;
        let second = changes(&first.next).await;
        assert!(second.seen.iter().any(|seen| seen.id == later.id));
        world.pass(jiff::SignedDuration::from_hours(1));
        let third = changes(&second.next).await;
        assert!(third.seen.iter().all(|seen| seen.id != sale.id), "{:?}", third.seen);
        bench.done(bench.permit(Kind::Order, Step::Advance("quote".into()), &mark, Some(&sale), Leaves::new())).await;
        let fourth = changes(&third.next).await;
        assert!(fourth.seen.iter().any(|seen| seen.id == sale.id));
        let error = bench.erp.changes(&bench.ctx, Kind::Order, &Cursor("nonsense".into())).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Broken);

        let keys = bench.erp.keys(&bench.ctx, Kind::Order, &Cursor::default()).await.unwrap();
        assert_eq!(keys.keys.iter().map(|(id, _)| id).collect::<Vec<_>>(), [&sale.id, &later.id]);
        assert!(keys.keys.iter().all(|(_, version)| version.is_some()) && !keys.more);
    });
}

#[test]
fn every_product_with_a_code_is_told_page_by_page() {
    let world = World::new(true);
    let bench = world.bench();
    run(async {
        let (mut cursor, mut count) = (Cursor::default(), 0);
        loop {
            let page = bench.erp.changes(&bench.ctx, Kind::Variant, &cursor).await.unwrap();
            count += page.seen.len();
            cursor = page.next;
            if !page.more {
                break;
            }
        }
        let held = world
            .with(|erp| syncline_sim::http::System::ledger(erp).get("products").unwrap().as_array().unwrap().len());
        assert_eq!(count, held);
    });
}

#[test]
fn a_wrong_password_is_denied_and_a_right_one_works_after() {
    let world = World::new(true);
    let bad = world.bench_of(Config::new("http://erp.test/acme", "sync", "wrong"));
    assert_eq!(run(bad.erp.probe(&bad.ctx)).unwrap_err().kind, ErrorKind::Denied);
    let lost = World::new(true);
    let named = Config { web_shop: Some("Elsewhere".into()), ..Config::new("http://erp.test/acme", "sync", "word") };
    let bench = lost.bench_of(named);
    let error = run(bench.erp.probe(&bench.ctx)).unwrap_err();
    assert!(error.kind == ErrorKind::Config && error.message.contains("Webshop"), "{error}");
}
