//! Sales that are sent elsewhere or cut down once they are processed, one call at a time, and what keeps them as they are.

use super::bench::{Bench, Weather, World, customer_of, dec, order_of, run};
use super::stock::sell;
use super::walk::{order, product};
use super::withdraw::read;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value as Json, json};
use std::collections::BTreeMap;
use syncline_connect::{Connector, Lookup, Outcome, Snapshot};
use syncline_core::delivery::Permit;
use syncline_core::id::{Mark, RemoteId};
use syncline_core::kind::{Kind, Step};
use syncline_core::leaf::{Leaves, Ref, Target, Value};
use syncline_core::path::Path;
use syncline_core::policy::ErrorKind;
use syncline_core::record::{Address, Customer, Record};
use syncline_sim::http::System;
use syncline_sim::tryton::Erp;

/// What a sale is to become.
#[derive(Debug, Clone)]
enum Wish {
    /// These of its addresses are another one.
    Elsewhere(&'static [&'static str], Ref),
    /// So many of its line of three.
    Fewer(&'static str),
}

/// A sale that is processed, of three and one of a product.
struct Sold<'a> {
    world: &'a World,
    bench: Bench,
    sale: u64,
    mark: Mark,
    sku: String,
}

impl<'a> Sold<'a> {
    async fn in_world(world: &'a World) -> Self {
        let bench = world.bench();
        let sku = product(&bench).await;
        let (sale, mark) = (sell(&bench, &sku, "one").await, bench.mark("sale of one"));
        Self { world, bench, sale, mark, sku: sku.0 }
    }

    /// The same in a Tryton with module `sale_amendment`.
    async fn amendable(world: &'a World) -> Self {
        let sold = Self::in_world(world).await;
        sold.with(|erp, now| erp.activate_amendments(now));
        world.pass(SignedDuration::from_secs(61));
        sold
    }

    fn with<T>(&self, work: impl FnOnce(&mut Erp, Timestamp) -> T) -> T {
        let now = self.bench.ctx.now();
        self.world.with(|erp| work(erp, now))
    }

    /// Presses buttons on its first shipment.
    fn press(&self, buttons: &[&str]) {
        let shipment = self.with(|erp, _| *erp.shipments(self.sale).first().unwrap());
        buttons.iter().for_each(|button| assert!(self.with(|erp, now| erp.press_shipment(now, shipment, button))));
    }

    /// A new address of its buyer, in Köln.
    async fn cologne(&self) -> Ref {
        let party = order_of(&read(&self.bench, self.sale).await).customer.clone().unwrap();
        let Target::Remote(id) = &party.to else { panic!("{party:?}") };
        let there = self.bench.erp.read(&self.bench.ctx, Kind::Customer, std::slice::from_ref(id)).await;
        let there = there.into_iter().next().unwrap().unwrap().unwrap();
        let more = Address { city: Some("Köln".into()), country: Some("DE".into()), ..Address::default() };
        let leaves = Record::Customer(Customer { addresses: [(more.key(), more)].into(), ..Customer::default() });
        let step = Step::Attach("addresses".into());
        let permit = self.bench.permit(Kind::Customer, step, &self.bench.mark("one"), Some(&there), leaves.to_leaves());
        let after = self.bench.done(permit).await;
        let is_it = |address: &Address| address.city.as_deref() == Some("Köln");
        let (key, _) = customer_of(&after).addresses.iter().find(|(_, address)| is_it(address)).unwrap();
        Ref { element: Some(Path::element("addresses", key)), ..party }
    }

    fn permit(&self, wish: &Wish, on: &Snapshot) -> Permit {
        let (mut leaves, mut elements) = (Leaves::new(), BTreeMap::new());
        match wish {
            Wish::Elsewhere(fields, to) => {
                fields.iter().for_each(|field| leaves.put(Path::field(field), Value::Ref(to.clone())));
            }
            Wish::Fewer(quantity) => {
                let line = Path::element("lines", "15");
                leaves.put(line.dot("quantity"), Value::Number(dec(quantity)));
                elements.insert(line, order_of(on).lines.iter().next().unwrap().0.clone());
            }
        }
        self.bench.naming(Kind::Order, Step::Amend, &self.mark, on, leaves, elements)
    }

    /// Methods that wrote since the last look.
    fn wrote(&self) -> Vec<String> {
        let sent = self.world.sent().into_iter().filter(|(_, notes)| *notes > 0);
        sent.map(|(method, _)| method.trim_start_matches("model.").to_string()).collect()
    }

    /// What became of one permit, on what is there, and what it wrote: one call at most.
    async fn one(&self, wish: &Wish) -> (Outcome, Vec<String>) {
        let at = read(&self.bench, self.sale).await;
        self.wrote();
        let outcome = self.bench.one(self.permit(wish, &at)).await;
        let wrote = self.wrote();
        assert!(wrote.len() <= 1, "{wrote:?}");
        (outcome, wrote)
    }

    /// What is written, a permit each, until nothing is any more.
    async fn all(&self, wish: &Wish) -> Vec<String> {
        let mut calls = Vec::new();
        loop {
            let (outcome, wrote) = self.one(wish).await;
            assert!(matches!(outcome, Outcome::Done(_)) && calls.len() < 8, "{outcome:?} after {calls:?}");
            if wrote.is_empty() {
                return calls;
            }
            calls.extend(wrote);
        }
    }

    /// Why a permit is refused; nothing is written.
    async fn refusal(&self, wish: &Wish) -> (ErrorKind, String) {
        match self.one(wish).await {
            (Outcome::Refused(error), wrote) if wrote.is_empty() => (error.kind, error.message),
            other => panic!("not refused: {other:?}"),
        }
    }

    /// How many it sells, how many are to leave or left for it, and how many draft invoices ask for it.
    fn pieces(&self) -> [String; 3] {
        let ledger = self.with(|erp, _| erp.ledger());
        let rows = |list: &str| ledger[list].as_array().unwrap().clone();
        let sum = |lines: Vec<Json>| {
            let goods = lines.iter().filter(|line| line["sku"] == self.sku.as_str());
            goods.map(|line| dec(line["qty"].as_str().unwrap())).sum::<rust_decimal::Decimal>().normalize().to_string()
        };
        let lines = |row: &Json| row["lines"].as_array().unwrap().clone();
        let sold = rows("orders").iter().filter(|row| row["id"] == self.sale).flat_map(&lines).collect();
        let out = rows("shipments").iter().filter(|row| row["state"] != "cancelled").flat_map(&lines).collect();
        let drafts = rows("invoices").iter().filter(|row| row["state"] == "draft").count();
        [sum(sold), sum(out), drafts.to_string()]
    }

    /// Towns of all its papers.
    fn towns(&self) -> [String; 2] {
        let ledger = self.with(|erp, _| erp.ledger());
        ["shipments", "invoices"].map(|list| {
            let town = |row: &Json| row["to"][3].as_str().unwrap().split(", ").next().unwrap().to_string();
            ledger[list].as_array().unwrap().iter().map(town).collect::<Vec<_>>().join(" ")
        })
    }
}

#[test]
fn a_sale_goes_elsewhere_with_what_waits_paper_by_paper_and_each_once() {
    for (fields, calls, towns) in [
        (
            &["billing", "shipping"][..],
            &["stock.shipment.out.write", "account.invoice.write", "sale.sale.write"][..],
            ["Köln", "Köln"],
        ),
        (&["shipping"], &["stock.shipment.out.write", "sale.sale.write"], ["Köln", "Berlin"]),
        (&["billing"], &["account.invoice.write", "sale.sale.write"], ["Berlin", "Köln"]),
    ] {
        let world = World::new(true);
        run(async {
            let sold = Sold::in_world(&world).await;
            let to = sold.cologne().await;
            let wish = Wish::Elsewhere(fields, to.clone());
            assert_eq!(sold.all(&wish).await, calls, "no module is needed");
            assert_eq!(sold.towns(), towns);
            let after = read(&sold.bench, sold.sale).await;
            let shown = [&order_of(&after).billing, &order_of(&after).shipping];
            let there = shown.map(|one| one.as_ref().unwrap().element == to.element);
            assert_eq!(there, ["billing", "shipping"].map(|field| fields.contains(&field)));
        });
    }
}

#[test]
fn a_line_is_cut_down_by_an_amendment_and_what_waits_is_made_anew() {
    for (pressed, calls) in [
        (&[][..], &["sale.sale.write", "stock.shipment.out.draft", "sale.amendment.validate_amendment"][..]),
        (
            &["assign_force"],
            &[
                "sale.sale.write",
                "stock.shipment.out.wait",
                "stock.shipment.out.draft",
                "sale.amendment.validate_amendment",
            ],
        ),
    ] {
        let world = World::new(true);
        run(async {
            let sold = Sold::amendable(&world).await;
            assert_eq!(sold.pieces(), ["4", "4", "1"]);
            sold.press(pressed);
            assert_eq!(sold.all(&Wish::Fewer("3")).await, [""; 0], "as many as there are");
            assert_eq!(sold.all(&Wish::Fewer("1")).await, calls);
            assert_eq!(sold.pieces(), ["2", "2", "1"]);
            assert_eq!(sold.all(&Wish::Fewer("0")).await.len(), 3, "and then all of it");
            assert_eq!(sold.pieces(), ["1", "1", "1"]);
        });
    }
}

#[test]
fn a_draft_of_ours_that_says_something_else_goes_first_and_that_of_others_stays() {
    let world = World::new(true);
    run(async {
        let sold = Sold::amendable(&world).await;
        let (_, wrote) = sold.one(&Wish::Fewer("2")).await;
        assert_eq!(wrote, ["sale.sale.write"]);
        // One that landed late, and one of a clerk.
        let more =
            json!({"amendments": [["create", [{"description": sold.mark.as_str()}, {"description": "by hand"}]]]});
        assert!(sold.with(|erp, now| erp.directly(now, "sale.sale", sold.sale, &more)));
        let calls = [
            "sale.amendment.delete",
            "sale.sale.write",
            "stock.shipment.out.draft",
            "sale.amendment.validate_amendment",
        ];
        assert_eq!(sold.all(&Wish::Fewer("1")).await, calls);
        assert_eq!(sold.pieces(), ["2", "2", "1"]);
        let last = |id: u64| sold.with(|erp, now| erp.remove(now, "sale.amendment", id));
        assert_eq!([last(1), last(2), last(3)], [false, false, true], "the clerk's is there");
    });
}

#[test]
fn what_has_left_stays_and_the_rest_of_the_line_is_cut_down() {
    let world = World::new(true);
    run(async {
        let sold = Sold::amendable(&world).await;
        assert!(sold.with(|erp, now| erp.ship_part(now, sold.sale, &[(&sold.sku, dec("2"))])).is_some());
        let at = read(&sold.bench, sold.sale).await;
        let (_, line) = order_of(&at).lines.iter().next().unwrap();
        assert_eq!((line.had.shipped, order_of(&at).left.as_deref()), (Some(dec("2")), Some("shipment 1 (done)")));
        assert_eq!(sold.refusal(&Wish::Fewer("1")).await.0, ErrorKind::Stale);
        assert_eq!(sold.all(&Wish::Fewer("2")).await.len(), 3);
        assert_eq!(sold.pieces(), ["3", "3", "1"]);
    });
}

#[test]
fn what_keeps_a_sale_as_it_is_is_named_and_nothing_is_written() {
    type Twist = fn(&Sold<'_>);
    let picked: Twist = |sold| sold.press(&["assign_force", "pick"]);
    let posted: Twist = |sold| assert!(sold.with(|erp, now| erp.post_invoices(now, sold.sale)));
    let unread: Twist = |sold| sold.with(|erp, _| erp.forbid("stock.shipment.out", true));
    let by_hand: Twist = |sold| {
        let address = json!({"delivery_address": sold.with(|erp, _| *erp.addresses(1).first().unwrap())});
        let shipment = sold.with(|erp, _| *erp.shipments(sold.sale).first().unwrap());
        assert!(sold.with(|erp, now| erp.directly(now, "stock.shipment.out", shipment, &address)));
    };
    for (twist, shipping, billing, fewer, named) in [
        (picked, Some(ErrorKind::Stale), None, Some(ErrorKind::Stale), "shipment 1 (picked)"),
        (posted, None, Some(ErrorKind::Stale), Some(ErrorKind::Stale), "invoice 1 (posted)"),
        (unread, Some(ErrorKind::Invalid), Some(ErrorKind::Invalid), Some(ErrorKind::Invalid), "may not read"),
        (by_hand, Some(ErrorKind::Invalid), None, None, "address of its own"),
    ] {
        let world = World::new(true);
        run(async {
            let sold = Sold::amendable(&world).await;
            let to = sold.cologne().await;
            twist(&sold);
            let wishes = [
                (Wish::Elsewhere(&["shipping"], to.clone()), shipping),
                (Wish::Elsewhere(&["billing"], to), billing),
                (Wish::Fewer("1"), fewer),
            ];
            for (wish, refused) in wishes {
                if let Some(kind) = refused {
                    let (found, what) = sold.refusal(&wish).await;
                    assert!(found == kind && what.contains(named), "{wish:?}: {found:?} {what}");
                } else {
                    assert!(sold.all(&wish).await.len() >= 2, "{wish:?} where {named}");
                }
            }
        });
    }
}

#[test]
fn what_cannot_be_asked_of_a_sale_is_refused_before_anything_is_written() {
    let world = World::new(true);
    run(async {
        let sold = Sold::in_world(&world).await;
        let (kind, what) = sold.refusal(&Wish::Fewer("1")).await;
        assert!(kind == ErrorKind::Invalid && what.contains("`sale_amendment` is not activated"), "{what}");
        sold.with(|erp, now| erp.activate_amendments(now));
        world.pass(SignedDuration::from_secs(61));
        assert_eq!(sold.refusal(&Wish::Fewer("4")).await.0, ErrorKind::Stale, "more than there is");
        let at = read(&sold.bench, sold.sale).await;
        let mut strange = Leaves::new();
        strange.put(Path::element("lines", "77").dot("quantity"), Value::Number(dec("1")));
        let permit = sold.bench.permit(Kind::Order, Step::Amend, &sold.mark, Some(&at), strange);
        assert_eq!(sold.bench.refused(permit).await, ErrorKind::Invalid, "a line that is not there");
        let party = order_of(&at).customer.clone().unwrap();
        let nowhere = Wish::Elsewhere(&["shipping"], party);
        assert_eq!(sold.refusal(&nowhere).await.0, ErrorKind::Invalid, "a party without an address");
        let gone = Snapshot { id: RemoteId::new("", "999999"), ..at };
        assert_eq!(sold.bench.refused(sold.permit(&Wish::Fewer("1"), &gone)).await, ErrorKind::Gone);
    });
}

#[test]
fn a_sale_that_is_not_processed_goes_elsewhere_in_the_version_that_was_read_and_is_not_cut_down() {
    let world = World::new(true);
    run(async {
        let sold = Sold::amendable(&world).await;
        let (party, to) = (order_of(&read(&sold.bench, sold.sale).await).customer.clone(), sold.cologne().await);
        let Target::Remote(party) = party.unwrap().to else { panic!("no party") };
        let sku = product(&sold.bench).await;
        let address = order_of(&read(&sold.bench, sold.sale).await).billing.clone().unwrap().element.unwrap();
        let (address, _) = address.within("addresses").unwrap();
        let wish = Record::Order(Box::new(order(&sku, &party, &address, "VAT 19%"))).to_leaves();
        let mark = sold.bench.mark("draft");
        let made = sold.bench.done(sold.bench.permit(Kind::Order, Step::Create, &mark, None, wish)).await;
        let draft = Sold { sale: made.id.id.parse().unwrap(), mark, bench: world.bench(), world: &world, sku: sku.0 };
        assert_eq!(draft.refusal(&Wish::Fewer("1")).await.0, ErrorKind::Stale);
        let moved = Wish::Elsewhere(&["billing", "shipping"], to);
        let old = read(&draft.bench, draft.sale).await;
        world.pass(SignedDuration::from_secs(1));
        assert!(draft.with(|erp, now| erp.directly(now, "sale.sale", draft.sale, &json!({"description": "by hand"}))));
        assert_eq!(draft.bench.refused(draft.permit(&moved, &old)).await, ErrorKind::Stale, "on the old version");
        assert_eq!(draft.all(&moved).await, ["sale.sale.write"]);
    });
}

#[test]
fn a_lost_reply_is_unknown_a_look_finds_what_landed_and_no_call_is_made_twice() {
    for weather in [Weather::ReplyLost, Weather::Page, Weather::Refused] {
        for cut in [true, false] {
            let world = World::new(true);
            run(async {
                let sold = Sold::amendable(&world).await;
                let to = sold.cologne().await;
                let wish = if cut { Wish::Fewer("1") } else { Wish::Elsewhere(&["billing", "shipping"], to.clone()) };
                let mut calls = Vec::new();
                loop {
                    world.weather(&[weather]);
                    let (outcome, wrote) = sold.one(&wish).await;
                    world.weather(&[]);
                    let by = Lookup::Mark(sold.mark.clone());
                    let found = sold.bench.erp.find(&sold.bench.ctx, Kind::Order, &by).await.unwrap();
                    assert_eq!(found.iter().map(|one| one.id.id.clone()).collect::<Vec<_>>(), [sold.sale.to_string()]);
                    let order = order_of(&found[0]);
                    let landed = match cut {
                        true => order.lines.iter().next().unwrap().1.quantity == Some(dec("1")),
                        false => order.shipping.as_ref().unwrap().element == to.element,
                    };
                    match (outcome, weather) {
                        (Outcome::Done(_), _) if wrote.is_empty() => break assert!(landed),
                        (Outcome::Refused(error), Weather::Refused) => {
                            assert!(error.kind == ErrorKind::Unreachable && !landed);
                            // It never arrived: the same call is made once more.
                            calls.extend(sold.one(&wish).await.1);
                        }
                        (Outcome::Unknown { learned: None, .. }, _) => calls.extend(wrote),
                        other => panic!("{other:?}"),
                    }
                    assert!(calls.len() <= 3 && (calls.len() == 3 || !landed), "{calls:?}");
                }
                let last = if cut { "sale.amendment.validate_amendment" } else { "sale.sale.write" };
                assert_eq!((calls.len(), calls.last().map(String::as_str)), (3, Some(last)), "{weather:?}");
                let (pieces, towns) = (sold.pieces(), sold.towns());
                match cut {
                    true => assert_eq!(pieces, ["2", "2", "1"]),
                    false => assert_eq!(
                        (pieces, towns),
                        (["4", "4", "1"].map(str::to_string), ["Köln", "Köln"].map(str::to_string))
                    ),
                }
            });
        }
    }
}

#[test]
fn what_people_do_between_the_look_and_the_call_has_it_refused() {
    type Work = fn(&mut Erp, Timestamp);
    fn press(erp: &mut Erp, now: Timestamp, buttons: &[&str]) {
        let shipment = *erp.shipments(1).first().unwrap();
        buttons.iter().for_each(|button| assert!(erp.press_shipment(now, shipment, button)));
    }
    // Of a shipment that goes on from there to be picked Tryton looks at no stamp: three buttons within one call go by unseen.
    let wait: Work = |erp, now| press(erp, now, &["wait"]);
    let pick: Work = |erp, now| press(erp, now, &["assign_force", "pick"]);
    let post: Work = |erp, now| assert!(erp.post_invoices(now, 1));
    let write: Work = |erp, now| assert!(erp.directly(now, "sale.sale", 1, &json!({"description": "by hand"})));
    for (cut, before, work, call) in [
        (false, 0, pick, "stock.shipment.out.write"),
        (false, 1, post, "account.invoice.write"),
        (false, 2, write, "sale.sale.write"),
        (true, 0, write, "sale.sale.write"),
        (true, 1, pick, "stock.shipment.out.draft"),
        (true, 2, wait, "sale.amendment.validate_amendment"),
        (true, 2, post, "sale.amendment.validate_amendment"),
        (true, 2, write, "sale.amendment.validate_amendment"),
    ] {
        let world = World::new(true);
        run(async {
            let sold = Sold::amendable(&world).await;
            let to = sold.cologne().await;
            let wish = if cut { Wish::Fewer("1") } else { Wish::Elsewhere(&["billing", "shipping"], to) };
            for _ in 0..before {
                assert!(matches!(sold.one(&wish).await.0, Outcome::Done(_)));
            }
            let stands = || (sold.pieces()[..2].to_vec(), sold.towns());
            let there = stands();
            world.meanwhile(work);
            let (outcome, wrote) = sold.one(&wish).await;
            let Outcome::Refused(error) = outcome else { panic!("{call}: {outcome:?}") };
            assert_eq!(error.kind, ErrorKind::Stale, "{call}: {error}");
            assert_eq!((sold.sale, wrote, stands()), (1, vec![call.to_string()], there));
        });
    }
}
