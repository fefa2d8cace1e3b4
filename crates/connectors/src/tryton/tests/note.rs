//! Credit notes that a simulated Tryton is given: by lines, freight and amounts, brought to the cent and posted, each once.

use super::bench::{Bench, Weather, World, dec, order_of, run};
use super::stock::sell;
use super::walk::product;
use crate::tryton::Config;
use serde_json::json;
use std::collections::BTreeMap;
use syncline_connect::{Connector, Lookup, Outcome, Snapshot};
use syncline_core::delivery::{Change, Permit};
use syncline_core::id::RemoteId;
use syncline_core::kind::{Kind, Step};
use syncline_core::leaf::{Leaves, Value};
use syncline_core::money::Money;
use syncline_core::path::Path;
use syncline_core::policy::ErrorKind;
use syncline_core::record::{Paper, PaperLife, PaperLine, Record};
use syncline_sim::http::System;

fn eur(text: &str) -> Money {
    Money::new(dec(text), "EUR".parse().unwrap())
}

fn bench_of(world: &World) -> Bench {
    world.bench_of(Config { refunds: true, ..Config::new("http://erp.test/acme", "sync", "word") })
}

/// What was given back in the shop: so many of lines for so much, and amounts beside them.
fn memo(lines: &[(&str, &str, &str)], charges: &[(&str, &str)]) -> Leaves {
    let line = |(key, quantity, net): &(&str, &str, &str)| {
        let line = PaperLine { quantity: Some(dec(quantity)), net: Some(eur(net)), ..PaperLine::default() };
        ((*key).to_string(), line)
    };
    let paper = Paper {
        number: Some("000000012".into()),
        currency: "EUR".parse().ok(),
        lines: lines.iter().map(line).collect(),
        charges: charges.iter().map(|(name, net)| ((*name).to_string(), eur(net))).collect(),
        ..Paper::default()
    };
    Record::Credit(Box::new(paper)).to_leaves()
}

/// A sale of three pieces of one thing at 3.3333, a discount and freight, whose invoice is posted where asked; its lines by our
/// keys.
async fn sold(bench: &Bench, world: &World, name: &str, posted: bool) -> (u64, BTreeMap<Path, String>) {
    let sku = product(bench).await;
    let sale = sell(bench, &sku, name).await;
    let now = bench.ctx.now();
    if posted {
        world.with(|erp| assert!(erp.post_invoices(now, sale)));
    }
    let ledger = world.with(|erp| erp.ledger());
    let orders = ledger.get("orders").unwrap().as_array().unwrap();
    let own = orders.iter().find(|row| row.get("id") == Some(&json!(sale))).unwrap();
    let rows = own.get("lines").unwrap().as_array().unwrap();
    let keys = rows
        .iter()
        .enumerate()
        .map(|(at, row)| (Path::element("lines", &format!("{at}")), format!("@{}", row.get("id").unwrap())));
    let order = (Paper::order_path(), sale.to_string());
    (sale, keys.chain([order]).collect())
}

fn create(bench: &Bench, name: &str, leaves: Leaves, elements: &BTreeMap<Path, String>) -> Permit {
    let change = Change {
        kind: Kind::Credit,
        step: Step::Create,
        mark: bench.mark(name),
        document: None,
        expect: None,
        leaves,
        elements: elements.clone(),
        adopt_only: false,
    };
    bench.permit_of(change)
}

fn paper(snapshot: &Snapshot) -> &Paper {
    snapshot.records.first().unwrap().1.paper().unwrap()
}

fn advance(bench: &Bench, name: &str, on: &Snapshot) -> Permit {
    bench.permit(Kind::Credit, Step::Advance("post".into()), &bench.mark(name), Some(on), Leaves::new())
}

/// The note in force; taxes that its products do not have by themselves are said to be right on the way.
async fn posted(bench: &Bench, name: &str, mut note: Snapshot) -> Snapshot {
    for _ in 0..4 {
        match bench.one(advance(bench, name, &note)).await {
            Outcome::Done(done) if paper(&done).in_force() => return *done,
            Outcome::Done(done) => note = *done,
            Outcome::Refused(error) => assert_eq!(error.kind, ErrorKind::Stale, "{}", error.message),
            other => panic!("{other:?}"),
        }
    }
    panic!("it is not posted")
}

/// How many of the line `key` of a sale are billed and given back.
async fn levels(bench: &Bench, sale: u64, key: &str) -> (String, String) {
    let ids = [RemoteId::new("", sale.to_string())];
    let read = bench.erp.read(&bench.ctx, Kind::Order, &ids).await.remove(0).unwrap().unwrap();
    let had = &order_of(&read).lines.get(key).unwrap().had;
    (had.invoiced.unwrap().to_string(), had.refunded.unwrap().to_string())
}

#[test]
fn two_notes_of_one_line_give_back_what_was_billed_and_no_more() {
    let world = World::new(true);
    let bench = bench_of(&world);
    run(async {
        let (sale, lines) = sold(&bench, &world, "one", true).await;
        let key = lines.get(&Path::element("lines", "0")).unwrap().clone();
        assert_eq!(levels(&bench, sale, &key).await, ("3".to_string(), "0".to_string()));
        let draft = bench.done(create(&bench, "a", memo(&[("0", "1", "3.33")], &[]), &lines)).await;
        assert_eq!((paper(&draft).life, paper(&draft).grand), (Some(PaperLife::Open), Some(eur("3.96"))));
        assert_eq!(draft.mark.as_deref(), Some(bench.mark("a").as_str()));
        let first = posted(&bench, "a", draft).await;
        assert_eq!(paper(&first).lines.get(&key).unwrap().quantity, Some(dec("1")));
        let second =
            bench.done(create(&bench, "b", memo(&[("0", "2", "6.67")], &[("shipping", "2.45")]), &lines)).await;
        let second = posted(&bench, "b", second).await;
        assert_eq!(paper(&second).charges.get("shipping"), Some(&eur("2.45")));
        assert_eq!(paper(&second).grand, Some(eur("10.85")), "6.67 + 2.45 and 19 % of both");
        assert_eq!(levels(&bench, sale, &key).await, ("3".to_string(), "3".to_string()));
        let over = create(&bench, "c", memo(&[("0", "1", "3.33")], &[]), &lines);
        assert_eq!(bench.refused(over).await, ErrorKind::Otherwise);
        let freight = create(&bench, "d", memo(&[], &[("shipping", "2.46")]), &lines);
        assert_eq!(bench.refused(freight).await, ErrorKind::Otherwise);
        let rest = bench.done(create(&bench, "e", memo(&[], &[("shipping", "2.45")]), &lines)).await;
        assert_eq!(paper(&rest).grand, Some(eur("2.92")));
    });
}

#[test]
fn an_amount_stands_beside_the_lines_without_a_tax_and_is_no_piece() {
    let world = World::new(true);
    let bench = bench_of(&world);
    run(async {
        let (sale, lines) = sold(&bench, &world, "one", true).await;
        let key = lines.get(&Path::element("lines", "0")).unwrap().clone();
        let alone = bench.done(create(&bench, "a", memo(&[], &[("adjustment", "1.50")]), &lines)).await;
        let alone = posted(&bench, "a", alone).await;
        assert_eq!((paper(&alone).grand, paper(&alone).lines.len()), (Some(eur("1.50")), 0));
        assert_eq!(paper(&alone).charges.get("adjustment"), Some(&eur("1.50")));
        // A fee is kept of what is given back.
        let fee = memo(&[("0", "1", "3.33")], &[("adjustment", "-0.50")]);
        let fee = bench.done(create(&bench, "b", fee, &lines)).await;
        assert_eq!(
            (paper(&fee).grand, paper(&fee).charges.get("adjustment")),
            (Some(eur("3.46")), Some(&eur("-0.50")))
        );
        assert_eq!(levels(&bench, sale, &key).await.1, "1");
    });
}

#[test]
fn a_draft_is_brought_to_the_cent_as_it_was_read_and_only_once() {
    let world = World::new(true);
    let bench = bench_of(&world);
    run(async {
        let (_, lines) = sold(&bench, &world, "one", true).await;
        let draft = bench.done(create(&bench, "a", memo(&[("0", "1", "3.33")], &[]), &lines)).await;
        let level = |cents: &str, on: &Snapshot| {
            let mut leaves = Leaves::new();
            leaves.put(Path::element("charges", "rounding").dot("net"), Value::Money(eur(cents)));
            bench.permit(Kind::Credit, Step::Lines, &bench.mark("a"), Some(on), leaves)
        };
        let one = bench.done(level("0.01", &draft)).await;
        assert_eq!((paper(&one).grand, paper(&one).charges.get("rounding")), (Some(eur("3.97")), Some(&eur("0.01"))));
        assert_eq!(bench.refused(level("0.02", &draft)).await, ErrorKind::Stale, "as it was read before");
        let less = bench.done(level("-0.01", &one)).await;
        assert_eq!(paper(&less).grand, Some(eur("3.95")));
        world.sent();
        assert_eq!(paper(&bench.done(level("-0.01", &less)).await).grand, Some(eur("3.95")));
        assert!(world.sent().iter().all(|(_, notes)| *notes == 0), "it is at that level");
        let last = posted(&bench, "a", less).await;
        assert_eq!(bench.refused(level("0.05", &last)).await, ErrorKind::Stale, "no draft any more");
    });
}

#[test]
fn a_note_whose_answer_is_lost_is_found_by_its_mark_and_a_second_draft_can_be_deleted() {
    let world = World::new(true);
    let bench = bench_of(&world);
    run(async {
        let (sale, lines) = sold(&bench, &world, "one", true).await;
        world.weather(&[Weather::ReplyLost]);
        let wish = memo(&[("0", "1", "3.33")], &[]);
        assert!(matches!(bench.one(create(&bench, "a", wish.clone(), &lines)).await, Outcome::Unknown { .. }));
        let order = RemoteId::new("", sale.to_string());
        let by = Lookup::Paper { order, mark: bench.mark("a") };
        let found = bench.erp.find(&bench.ctx, Kind::Credit, &by).await.unwrap();
        assert_eq!(found.len(), 1);
        let elsewhere = Lookup::Paper { order: RemoteId::new("", "999"), mark: bench.mark("a") };
        assert!(bench.erp.find(&bench.ctx, Kind::Credit, &elsewhere).await.unwrap().is_empty());
        let second = bench.done(create(&bench, "a", wish, &lines)).await;
        let both = bench.erp.find(&bench.ctx, Kind::Credit, &Lookup::Mark(bench.mark("a"))).await.unwrap();
        assert_eq!(both.len(), 2);
        bench.done(bench.permit(Kind::Credit, Step::Delete, &bench.mark("a"), Some(&second), Leaves::new())).await;
        let left = bench.erp.find(&bench.ctx, Kind::Credit, &Lookup::Mark(bench.mark("a"))).await.unwrap();
        assert_eq!(left.iter().map(|one| &one.id).collect::<Vec<_>>(), [&found.first().unwrap().id]);
        let first = left.into_iter().next().unwrap();
        let last = posted(&bench, "a", first).await;
        assert_eq!(bench.refused(advance(&bench, "a", &last)).await, ErrorKind::Stale, "posted once");
        let delete = bench.permit(Kind::Credit, Step::Delete, &bench.mark("a"), Some(&last), Leaves::new());
        assert_eq!(bench.refused(delete).await, ErrorKind::Invalid, "what is posted stays");
    });
}

#[test]
fn taxes_that_no_product_has_are_said_to_be_right_for_one_note_by_a_write_of_its_own() {
    let world = World::new(true);
    let bench = bench_of(&world);
    run(async {
        let (_, lines) = sold(&bench, &world, "one", true).await;
        let now = bench.ctx.now();
        // The freight's product has another tax by itself than it was sold with.
        world.with(|erp| assert!(erp.directly(now, "product.category", 1, &json!({"customer_taxes": [["add", [2]]]}))));
        let draft = bench.done(create(&bench, "a", memo(&[], &[("shipping", "4.90")]), &lines)).await;
        world.sent();
        assert_eq!(bench.refused(advance(&bench, "a", &draft)).await, ErrorKind::Stale, "a person is asked");
        let still = bench.done(advance(&bench, "a", &draft)).await;
        assert_eq!(paper(&still).life, Some(PaperLife::Open));
        assert!(paper(&bench.done(advance(&bench, "a", &still)).await).in_force());
        let writes: Vec<String> =
            world.sent().into_iter().filter(|(_, notes)| *notes > 0).map(|(name, _)| name).collect();
        let post = "model.account.invoice.post";
        assert_eq!(writes, [post, "model.res.user.warning.skip", post]);
    });
}

#[test]
fn what_is_not_billed_is_not_given_back_and_levels_say_so() {
    let world = World::new(true);
    let bench = bench_of(&world);
    run(async {
        let (sale, lines) = sold(&bench, &world, "one", false).await;
        let key = lines.get(&Path::element("lines", "0")).unwrap().clone();
        assert_eq!(levels(&bench, sale, &key).await, ("0".to_string(), "0".to_string()));
        let early = create(&bench, "a", memo(&[("0", "1", "3.33")], &[]), &lines);
        assert_eq!(bench.refused(early).await, ErrorKind::Otherwise);
        let amount = create(&bench, "b", memo(&[], &[("adjustment", "1.00")]), &lines);
        assert_eq!(bench.refused(amount).await, ErrorKind::Otherwise);
    });
}
