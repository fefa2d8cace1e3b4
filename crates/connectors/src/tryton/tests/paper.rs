//! Shipments as people in a simulated warehouse make them, and as the connector tells them of each sale.

use super::super::Config;
use super::bench::{Bench, World, dec, run};
use super::stock::sell;
use super::walk::product;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use syncline_connect::{Connector, Cursor, Seen};
use syncline_core::id::RemoteId;
use syncline_core::kind::Kind;
use syncline_core::leaf::Ref;
use syncline_core::policy::ErrorKind;
use syncline_core::record::{Paper, PaperLife};
use syncline_core::rules::Branch;
use syncline_sim::http::System;
use syncline_sim::tryton::Erp;

/// A feed of papers that goes on from where it stood.
pub(super) struct Walker<'a> {
    pub(super) bench: &'a Bench,
    pub(super) world: &'a World,
    pub(super) kind: Kind,
    pub(super) cursor: Cursor,
}

impl<'a> Walker<'a> {
    pub(super) fn new(bench: &'a Bench, world: &'a World, kind: Kind) -> Self {
        Self { bench, world, kind, cursor: Cursor::default() }
    }

    /// Everything told in one whole pass, in its order.
    pub(super) async fn seen(&mut self) -> Vec<Seen> {
        let mut seen = Vec::new();
        for _ in 0..50 {
            let page = self.bench.erp.changes(&self.bench.ctx, self.kind, &self.cursor).await.unwrap();
            seen.extend(page.seen);
            self.cursor = page.next;
            if !page.more {
                return seen;
            }
        }
        panic!("the walk does not end");
    }

    /// The papers of one whole pass by their ids.
    pub(super) async fn pass(&mut self) -> BTreeMap<String, Paper> {
        let paper = |seen: Seen| {
            let snapshot = seen.snapshot.unwrap();
            assert_eq!(snapshot.id, seen.id);
            (seen.id.id, snapshot.records.first().unwrap().1.paper().unwrap().clone())
        };
        self.seen().await.into_iter().map(paper).collect()
    }

    /// Lets time go by in small passes until nothing is told any more.
    pub(super) async fn rest(&mut self) {
        for _ in 0..4 {
            self.world.pass(SignedDuration::from_mins(11));
            if self.pass().await.is_empty() {
                return;
            }
        }
        panic!("the feed does not come to rest");
    }

    pub(super) fn act<T>(&self, act: impl FnOnce(&mut Erp, Timestamp) -> T) -> T {
        let now = self.bench.ctx.now();
        self.world.with(|erp| act(erp, now))
    }
}

pub(super) async fn read_one(bench: &Bench, kind: Kind, id: &str) -> Option<Paper> {
    let told = bench.erp.read(&bench.ctx, kind, &[RemoteId::new("", id)]).await.pop().unwrap().unwrap();
    told.map(|snapshot| snapshot.records.first().unwrap().1.paper().unwrap().clone())
}

/// Every key and its version, page by page.
pub(super) async fn keys(bench: &Bench, kind: Kind) -> BTreeMap<String, Option<String>> {
    let (mut keys, mut cursor) = (BTreeMap::new(), Cursor::default());
    loop {
        let page = bench.erp.keys(&bench.ctx, kind, &cursor).await.unwrap();
        keys.extend(page.keys.into_iter().map(|(id, version)| (id.id, version)));
        cursor = page.next;
        if !page.more {
            return keys;
        }
    }
}

/// That reading each key by itself tells the version the listing does.
pub(super) async fn keys_are_read(bench: &Bench, kind: Kind) {
    let keys = keys(bench, kind).await;
    let ids: Vec<RemoteId> = keys.keys().map(|id| RemoteId::new("", id.clone())).collect();
    let told = bench.erp.read(&bench.ctx, kind, &ids).await;
    assert!(!told.is_empty());
    for ((id, version), told) in keys.iter().zip(told) {
        assert_eq!(&told.unwrap().unwrap().version, version, "{id}");
    }
}

/// Whatever papers a Tryton has, that all of them are told, by the feed, by their keys and one by one.
pub(super) async fn look(bench: &Bench) {
    for kind in [Kind::Shipment, Kind::Invoice, Kind::Credit] {
        let (mut cursor, mut seen) = (Cursor::default(), BTreeSet::new());
        for _ in 0..2 {
            let mut more = true;
            while more {
                let page = bench.erp.changes(&bench.ctx, kind, &cursor).await.unwrap();
                seen.extend(page.seen.into_iter().map(|one| one.snapshot.unwrap().id.id));
                (cursor, more) = (page.next, page.more);
            }
        }
        assert_eq!(seen, keys(bench, kind).await.into_keys().collect::<BTreeSet<_>>(), "{kind}");
        keys_are_read(bench, kind).await;
        println!("live: {} {}", seen.len(), kind.plural());
    }
    let probe = bench.erp.probe(&bench.ctx).await.unwrap();
    assert!([Kind::Shipment, Kind::Invoice, Kind::Credit].iter().all(|kind| probe.profile.kinds.contains_key(kind)));
}

fn quantities(paper: &Paper) -> Vec<String> {
    paper.lines.values().map(|line| line.quantity.unwrap().to_string()).collect()
}

fn tracks(paper: &Paper) -> Vec<&str> {
    paper.tracks.keys().map(String::as_str).collect()
}

/// The moves out of the house that come from a sale.
fn moves_of(world: &World, sale: u64) -> Vec<u64> {
    let ledger = world.with(|erp| erp.ledger());
    let shipments = ledger.get("shipments").unwrap().as_array().unwrap();
    let lines = shipments.iter().flat_map(|row| row.get("lines").unwrap().as_array().unwrap());
    let own = lines.filter(|line| line.get("sale") == Some(&json!(sale)));
    own.map(|line| line.get("move").unwrap().as_u64().unwrap()).collect()
}

fn ids(papers: &BTreeMap<String, Paper>) -> Vec<&str> {
    papers.keys().map(String::as_str).collect()
}

#[test]
fn what_leaves_in_parts_is_told_part_by_part() {
    let world = World::new(true);
    let bench = world.bench();
    run(async {
        let sku = product(&bench).await;
        let mut walker = Walker::new(&bench, &world, Kind::Shipment);
        assert!(walker.pass().await.is_empty());
        let sale = sell(&bench, &sku, "one").await;
        let told = walker.pass().await;
        assert_eq!(ids(&told), [format!("{sale}:1")]);
        let paper = told.values().next().unwrap();
        assert_eq!((paper.life, paper.day, paper.place.as_deref()), (Some(PaperLife::Open), None, Some("WH")));
        assert_eq!(paper.order, Some(Ref::remote(Kind::Order, RemoteId::new("", sale.to_string()))));
        assert_eq!((quantities(paper), paper.number.as_deref()), (vec!["3".into(), "1".into()], Some("1")));
        let order = bench.erp.read(&bench.ctx, Kind::Order, &[RemoteId::new("", sale.to_string())]).await;
        let order = order.into_iter().next().unwrap().unwrap().unwrap();
        let lines = &super::bench::order_of(&order).lines;
        assert!(
            paper.lines.keys().all(|key| lines.iter().any(|(known, _)| known == key)),
            "keyed as the order's lines"
        );
        assert_eq!(paper.lines.values().next().unwrap().sku.as_deref(), Some(sku.0.as_str()));
        walker.rest().await;
        assert_eq!(walker.act(|erp, now| erp.ship_part(now, sale, &[(&sku.0, dec("9"))])), None, "not so many wait");
        walker.act(|erp, now| erp.ship_part(now, sale, &[(&sku.0, dec("2"))])).unwrap();
        let told = walker.pass().await;
        assert_eq!(ids(&told), [format!("{sale}:1"), format!("{sale}:2")]);
        let (first, second) = (told.values().next().unwrap(), told.values().nth(1).unwrap());
        assert_eq!((first.life, quantities(first)), (Some(PaperLife::Done), vec!["2".into()]));
        assert!(first.day.is_some() && first.in_force());
        assert_eq!((second.life, quantities(second)), (Some(PaperLife::Open), vec!["1".into(), "1".into()]));
        walker.rest().await;
        walker
            .act(|erp, now| assert!(erp.press_shipment(now, 2, "assign_force") && erp.press_shipment(now, 2, "pick")));
        walker.act(|erp, now| assert!(erp.press_shipment(now, 2, "pack") && erp.press_shipment(now, 2, "ship")));
        let told = walker.pass().await;
        assert_eq!(told.get(&format!("{sale}:2")).unwrap().life, Some(PaperLife::Done), "it has left the house");
        walker.act(|erp, now| assert!(erp.press_shipment(now, 2, "do") && erp.shipments(sale).len() == 2));
        assert!(walker.pass().await.get(&format!("{sale}:2")).unwrap().day.is_some());
        keys_are_read(&bench, Kind::Shipment).await;
        let ledger = world.with(|erp| erp.ledger());
        let lines = ledger.pointer("/orders/0/lines").and_then(Value::as_array).unwrap().iter();
        let left: Vec<&str> = lines.filter_map(|line| line.get("shipped")?.as_str()).collect();
        assert_eq!(left, ["3", "1", "0"]);
        walker.rest().await;
        world.sent();
        assert!(walker.pass().await.is_empty());
        assert_eq!(world.sent().len(), 2, "at rest: shipments and their moves");
    });
}

#[test]
fn a_parcels_number_is_told_when_it_is_given_changed_and_taken_away() {
    let world = World::new(true);
    let bench = world.bench();
    run(async {
        let now = bench.ctx.now();
        world.with(|erp| erp.activate_parcels(now));
        let sku = product(&bench).await;
        let mut walker = Walker::new(&bench, &world, Kind::Shipment);
        let sale = sell(&bench, &sku, "one").await;
        let parcels = [(&[] as &[&str], None), (&[], Some("JD 02"))];
        let shipment = walker.act(|erp, now| erp.ship_in_parcels(now, sale, "Carrier GmbH", &parcels)).unwrap();
        let id = format!("{sale}:{shipment}");
        let told = walker.pass().await;
        let paper = told.get(&id).unwrap();
        assert_eq!((paper.life, tracks(paper)), (Some(PaperLife::Done), vec!["JD 02"]));
        let track = paper.tracks.values().next().unwrap();
        assert_eq!((track.carrier.as_deref(), track.title.as_deref()), (Some("Carrier GmbH"), Some("Carrier GmbH")));
        walker.rest().await;
        let parcel = walker.act(|erp, _| *erp.parcels(shipment).first().unwrap());
        for (number, shown) in
            [(Some("JD 01"), vec!["JD 01", "JD 02"]), (Some("X"), vec!["JD 02", "X"]), (None, vec!["JD 02"])]
        {
            walker.act(|erp, now| assert!(erp.track(now, parcel, number)));
            assert_eq!(tracks(walker.pass().await.get(&id).unwrap()), shown);
            walker.rest().await;
        }
        keys_are_read(&bench, Kind::Shipment).await;
        let before = keys(&bench, Kind::Shipment).await;
        walker.act(|erp, now| assert!(erp.remove(now, "stock.package", parcel + 1)));
        assert_ne!(keys(&bench, Kind::Shipment).await, before, "a parcel that is gone shows in the version");
        walker.act(|erp, now| {
            assert!(erp.directly(now, "stock.shipment.out", shipment, &json!({"shipping_reference": "S-1"})))
        });
        assert_eq!(
            tracks(walker.pass().await.get(&id).unwrap()),
            ["S-1"],
            "the shipment's own, where no parcel has one"
        );
        let probe = bench.erp.probe(&bench.ctx).await.unwrap();
        let carriers = probe.choices.get("carriers").unwrap().iter().map(|one| one.code.as_str());
        assert_eq!(carriers.collect::<Vec<_>>(), ["Carrier GmbH"]);
    });
}

#[test]
fn one_shipment_of_two_sales_is_a_paper_of_each_and_what_is_off_is_withdrawn() {
    let world = World::new(true);
    let bench = world.bench();
    run(async {
        let sku = product(&bench).await;
        let mut walker = Walker::new(&bench, &world, Kind::Shipment);
        let (one, two) = (sell(&bench, &sku, "one").await, sell(&bench, &sku, "two").await);
        let shipment = walker.act(|erp, now| erp.ship_together(now, one, two)).unwrap();
        let told = walker.pass().await;
        assert_eq!(ids(&told), [format!("{one}:{shipment}"), format!("{two}:{shipment}")]);
        assert!(told.values().all(|paper| quantities(paper) == ["3", "1"]));
        walker.rest().await;
        let now = bench.ctx.now();
        for id in moves_of(&world, two) {
            world.with(|erp| assert!(erp.directly(now, "stock.move", id, &json!({"state": "cancelled"}))));
        }
        let told = walker.pass().await;
        let lives: BTreeSet<&str> = told.values().map(|paper| paper.life.unwrap().word()).collect();
        assert_eq!((lives, told.len()), (BTreeSet::from(["open", "void"]), 2), "one sale is off, the other is not");
        walker.act(|erp, now| assert!(erp.cancel_shipment(now, shipment)));
        assert!(
            walker.pass().await.values().all(|paper| paper.life == Some(PaperLife::Void) && paper.lines.len() == 2)
        );
        walker.act(|erp, now| assert!(erp.send_anew(now, one)));
        let told = walker.pass().await;
        let anew = told.iter().find(|(_, paper)| paper.life == Some(PaperLife::Open)).unwrap();
        assert_eq!(quantities(anew.1), ["3", "1"]);
        for id in moves_of(&world, one) {
            world.with(|erp| assert!(erp.remove(now, "stock.move", id)));
        }
        assert_eq!(
            read_one(&bench, Kind::Shipment, &format!("{one}:{shipment}")).await,
            None,
            "nothing of the sale is left in it"
        );
        assert!(!keys(&bench, Kind::Shipment).await.contains_key(&format!("{one}:{shipment}")));
    });
}

#[test]
fn one_bad_paper_or_id_spoils_nothing() {
    let world = World::new(true);
    let bench = world.bench();
    run(async {
        let sku = product(&bench).await;
        let (one, two) = (sell(&bench, &sku, "one").await, sell(&bench, &sku, "two").await);
        let now = bench.ctx.now();
        world.with(|erp| {
            erp.ship_together(now, one, two).unwrap();
            assert!(erp.sell_in_packs(now, &sku.0, 6) && erp.directly(now, "product.uom", 5, &json!({"factor": null})));
            assert!(erp.directly(now, "sale.line", 1, &json!({"unit": 5})));
        });
        let mut walker = Walker::new(&bench, &world, Kind::Shipment);
        let seen = walker.seen().await;
        let [bad, good] = seen.as_slice() else { panic!("{} papers", seen.len()) };
        let error = bad.snapshot.as_ref().unwrap_err();
        assert!(
            error.kind == ErrorKind::Invalid && error.message.contains("factor") && good.snapshot.is_ok(),
            "{error}"
        );
        let asked = [
            format!("{one}:1"),
            format!("{two}:1"),
            "7".into(),
            ":1".into(),
            "x:y".into(),
            format!("{two}:99"),
            "99:1".into(),
        ];
        let asked = asked.map(|id| RemoteId::new("", id));
        let told = bench.erp.read(&bench.ctx, Kind::Shipment, &asked).await;
        assert!(matches!(told.as_slice(), [Err(_), Ok(Some(_)), Ok(None), Ok(None), Ok(None), Ok(None), Ok(None)]));
        let error = bench.erp.changes(&bench.ctx, Kind::Shipment, &Cursor("nonsense".into())).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Broken);
        world.with(|erp| assert!(erp.directly(now, "product.uom", 5, &json!({"factor": 6}))));
        let told = read_one(&bench, Kind::Shipment, &format!("{one}:1")).await.unwrap();
        assert_eq!(quantities(&told), ["0.5", "1"], "three pieces are half a pack");
    });
}

#[test]
fn what_our_user_may_not_read_is_said_and_left_out() {
    let world = World::new(true);
    let bench = world.bench();
    run(async {
        let now = bench.ctx.now();
        world.with(|erp| erp.activate_parcels(now));
        let probe = bench.erp.probe(&bench.ctx).await.unwrap();
        let told = |probe: &syncline_connect::Probe, kind| probe.profile.kinds.get(&kind).map(|one| one.reads.clone());
        assert!(told(&probe, Kind::Shipment).unwrap().contains(&"tracks[*]".to_string()));
        assert!(told(&probe, Kind::Invoice).is_some());
        assert!(!probe.warnings.iter().any(|text| text.contains("cannot be read")), "{:?}", probe.warnings);
        let sku = product(&bench).await;
        let sale = sell(&bench, &sku, "one").await;
        world.with(|erp| erp.forbid("stock.package", true));
        let poor = world.bench();
        let probe = poor.erp.probe(&poor.ctx).await.unwrap();
        assert!(!told(&probe, Kind::Shipment).unwrap().contains(&"tracks[*]".to_string()));
        assert!(
            probe.warnings.iter().any(|text| text.contains("numbers of parcels") && text.contains("Stock Package"))
        );
        assert!(read_one(&poor, Kind::Shipment, &format!("{sale}:1")).await.is_some(), "the rest is told all the same");
        for (model, kind) in
            [("stock.shipment.out", Kind::Shipment), ("stock.move", Kind::Shipment), ("account.invoice", Kind::Invoice)]
        {
            world.with(|erp| erp.forbid(model, true));
            let probe = poor.erp.probe(&poor.ctx).await.unwrap();
            world.with(|erp| erp.forbid(model, false));
            assert!(told(&probe, kind).is_none(), "{model}");
            assert!(probe.warnings.iter().any(|text| text.contains("cannot be read")), "{:?}", probe.warnings);
        }
        world.with(|erp| erp.forbid("stock.shipment.out", true));
        let error = poor.erp.changes(&poor.ctx, Kind::Shipment, &Cursor::default()).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Denied);
    });
}

#[test]
fn papers_of_every_company_the_file_names_are_told() {
    let world = World::new(true);
    let now: Timestamp = "2026-11-23T10:00:00Z".parse().unwrap();
    world.with(|erp| {
        assert!(erp.found_company(now, "Beta", "Beta shop"));
        erp.show_all_companies(true);
    });
    let plain = Config::new("http://erp.test/acme", "sync", "word");
    let plain = Config { company: Some("Syncline Test Co".into()), web_shop: Some("Webshop".into()), ..plain };
    let beta = Branch { company: Some("Beta".into()), ..Branch::default() };
    let alone = world.bench_of(plain.clone());
    let both = world.bench_of(Config { branches: vec![beta], ..plain });
    run(async {
        let sku = product(&alone).await;
        let (one, two) = (sell(&alone, &sku, "one").await, sell(&alone, &sku, "two").await);
        world.with(|erp| {
            assert!(erp.directly(now, "sale.sale", two, &json!({"company": 2})));
            assert!(erp.directly(now, "stock.shipment.out", 2, &json!({"company": 2})));
            assert!(erp.directly(now, "account.invoice", 2, &json!({"company": 2})));
        });
        for kind in [Kind::Shipment, Kind::Invoice] {
            let (first, second) = (format!("{one}:1"), format!("{two}:2"));
            let own = Walker::new(&alone, &world, kind).pass().await;
            assert_eq!(ids(&own).join(" "), first, "{kind}");
            let all = Walker::new(&both, &world, kind).pass().await;
            assert_eq!(ids(&all).join(" "), format!("{first} {second}"), "{kind}");
            assert_eq!(keys(&both, kind).await.len(), 2);
            assert_eq!(read_one(&alone, kind, &second).await, None, "another company's");
            assert!(read_one(&both, kind, &second).await.is_some());
            keys_are_read(&both, kind).await;
        }
    });
}

#[test]
fn a_sale_that_nobody_waits_for_is_cancelled_and_one_that_left_in_part_is_done() {
    let world = World::new(true);
    let bench = world.bench();
    run(async {
        let sku = product(&bench).await;
        let stage = async |sale: u64| {
            let read = bench.erp.read(&bench.ctx, Kind::Order, &[RemoteId::new("", sale.to_string())]).await;
            let told = read.into_iter().next().unwrap().unwrap().unwrap();
            super::bench::order_of(&told).stage.clone().unwrap()
        };
        let (one, two) = (sell(&bench, &sku, "one").await, sell(&bench, &sku, "two").await);
        let mut walker = Walker::new(&bench, &world, Kind::Shipment);
        walker.pass().await;
        walker.act(|erp, now| assert!(!erp.ignore_cancelled(now, one) && erp.withdraw_sale(now, one)));
        assert_eq!(stage(one).await, "cancelled");
        assert_eq!(read_one(&bench, Kind::Invoice, &format!("{one}:1")).await.unwrap().life, Some(PaperLife::Void));
        let told = walker.pass().await;
        assert_eq!(told.get(&format!("{one}:1")).unwrap().life, Some(PaperLife::Void));
        walker.act(|erp, now| erp.ship_part(now, two, &[(&sku.0, dec("1"))])).unwrap();
        walker.act(|erp, now| assert!(erp.post_invoices(now, two) && erp.withdraw_sale(now, two)));
        assert_eq!(stage(two).await, "process", "money is owed still");
        walker.act(|erp, now| assert!(erp.pay_invoices(now, two)));
        assert_eq!(stage(two).await, "done");
    });
}

#[test]
fn more_papers_than_a_page_holds_are_all_told_once_by_their_keys() {
    let world = World::new(true);
    let bench = world.bench();
    run(async {
        let (sku, now) = (product(&bench).await, bench.ctx.now());
        let booked = syncline_sim::elsewhere::Booked {
            number: "1".into(),
            reference: "1".into(),
            web_id: String::new(),
            currency: "EUR".into(),
            total: dec("600"),
            lines: vec![(sku.0.clone(), dec("600"), dec("600"), dec("0"))],
            shipping: (dec("0"), dec("0")),
            buyer: ("Ada".into(), "ada@example.com".into()),
            addresses: vec![["Ada", "Gasse 1", "50667", "Köln", "DE"].map(String::from)],
            draft: false,
        };
        let many = 520;
        let sale = world.with(|erp| erp.bring(now, &booked)).unwrap();
        world.with(|erp| (1..many).for_each(|_| assert!(erp.ship_part(now, sale, &[(&sku.0, dec("1"))]).is_some())));
        world.sent();
        let keys = keys(&bench, Kind::Shipment).await;
        let expected: BTreeSet<String> = (1..=many).map(|shipment| format!("{sale}:{shipment}")).collect();
        assert_eq!(keys.into_keys().collect::<BTreeSet<_>>(), expected);
        let searches = world.sent().iter().filter(|(method, _)| method.contains("shipment.out")).count();
        assert_eq!(searches, 2, "pages of five hundred");
        let mut walker = Walker::new(&bench, &world, Kind::Shipment);
        let seen = walker.seen().await;
        assert_eq!(
            (seen.len(), walker.pass().await.len()),
            (many, many),
            "all at first, and once more for what lay open"
        );
        walker.rest().await;
    });
}

/// Answers of a running Tryton 8.0 with module `stock_package_shipping`.
fn recorded(list: &str) -> Vec<Value> {
    let recorded: Value = serde_json::from_str(include_str!("../fixtures/papers.json")).unwrap();
    recorded.get(list).and_then(Value::as_array).unwrap().clone()
}

/// What the recorded rows of `kind` tell, each paper in short.
async fn told_of(kind: Kind, rows: &[Value]) -> Vec<(String, Result<String, ErrorKind>)> {
    let bench = World::new(true).bench();
    let mut setup = (*bench.erp.setup(&bench.ctx).await.unwrap()).clone();
    setup.parcels = true;
    let behind = super::super::papers::Behind::of(&recorded("sold")).unwrap();
    let seen = bench.erp.papers_in(&setup, kind, rows, &behind).unwrap();
    let short = |paper: &Paper| {
        let lines = paper.lines.iter().map(|(key, line)| match line.net {
            Some(net) => format!("{key} {} {}", line.quantity.unwrap(), net.amount),
            None => format!("{key} {}", line.quantity.unwrap()),
        });
        let lines = lines.collect::<Vec<_>>().join(", ");
        let grand = paper.grand.map(|grand| grand.amount.to_string()).unwrap_or_default();
        let day = paper.day.map(|day| day.to_string()).unwrap_or_default();
        format!("{} {day} {lines} {}{grand}", paper.life.unwrap().word(), tracks(paper).join(" "))
    };
    let told = seen.into_iter().map(|one| {
        let told = one.snapshot.map(|snapshot| short(snapshot.records.first().unwrap().1.paper().unwrap()));
        (one.id.id, told.map_err(|error| error.kind))
    });
    told.collect()
}

#[test]
fn contract_recorded_papers_mean_what_they_say() {
    run(async {
        let rows = recorded("shipments");
        let told = told_of(Kind::Shipment, &rows).await;
        let told: Vec<(&str, &str)> =
            told.iter().map(|(id, text)| (id.as_str(), text.as_ref().unwrap().as_str())).collect();
        assert_eq!(
            told,
            [
                ("1:1", "done 2026-11-29 @1 1, @2 2 JD 01"),
                ("1:2", "open  @1 2 "),
                ("2:3", "void  @3 2, @4 1 "),
                ("3:4", "open  @5 3, @6 1 "),
                ("4:5", "open  @7 1 "),
            ]
        );
        let rows = recorded("invoices");
        let told = told_of(Kind::Invoice, &rows).await;
        let told: Vec<(&str, &str)> =
            told.iter().map(|(id, text)| (id.as_str(), text.as_ref().unwrap().as_str())).collect();
        assert_eq!(
            told,
            [
                ("1:1", "open  @1 3 30, @2 2 20 59.5"),
                ("2:2", "open  @3 2 20, @4 1 10 35.7"),
                ("3:3", "paid 2026-11-29 @5 3 30, @6 1 10 47.6"),
                ("4:4", "void  @7 1 10 11.9"),
            ]
        );
        println!("contract: ran {}", recorded("shipments").len() + rows.len());
    });
}

#[test]
fn a_row_of_another_shape_is_an_error_of_its_own_papers_only() {
    run(async {
        let torn = [
            ("/0/state", json!(7)),
            ("/1/moves./0/quantity", json!("many")),
            ("/1/moves./1/quantity", json!("many")),
            ("/2/effective_date", json!("today")),
            ("/3/moves.", json!({"0": "none"})),
            ("/4/warehouse", json!(99)),
        ];
        let mut rows = json!(recorded("shipments"));
        for (place, value) in torn {
            *rows.pointer_mut(place).unwrap() = value;
        }
        let told = told_of(Kind::Shipment, rows.as_array().unwrap()).await;
        let kinds: Vec<(&str, Option<ErrorKind>)> =
            told.iter().map(|(id, told)| (id.as_str(), told.as_ref().err().copied())).collect();
        let broken = Some(ErrorKind::Broken);
        assert_eq!(
            kinds,
            [("1:1", broken), ("1:2", broken), ("2:3", broken), ("4:5", None)],
            "a list that is none tells no paper"
        );
    });
}
