//! Against a running Tryton 8.0, where `SYNCLINE_TRYTON_URL`, `_LOGIN` and `_PASSWORD` name one.

use super::super::{Config, Tryton};
use jiff::{SignedDuration, Timestamp};
use std::sync::Arc;
use std::time::Duration;
use syncline_connect::http::Http;
use syncline_connect::{Clock, Connector, Ctx, Cursor, Lookup, Outcome, Snapshot};
use syncline_core::delivery::{Change, Noted, Permit, advance};
use syncline_core::id::{DeliveryId, Epoch, Mark, RemoteId, SystemUid};
use syncline_core::kind::{Kind, Step};
use syncline_core::leaf::{Leaves, Ref, Value};
use syncline_core::money::Money;
use syncline_core::path::Path;
use syncline_core::policy::ErrorKind;
use syncline_core::record::{
    Address, Charge, Customer, Line, LineForm, Lines, Order, Payment, Record, Tax, Totals, Variant,
};

#[derive(Debug)]
struct Wall;

impl Clock for Wall {
    #[expect(clippy::disallowed_methods, reason = "a test against a real system runs in real time")]
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }
}

struct Live {
    erp: Tryton,
    ctx: Ctx,
    /// Differs from run to run, so that marks are new each time.
    run: String,
}

fn live() -> Option<Live> {
    let told = |name: &str| std::env::var(name).ok();
    let url = told("SYNCLINE_TRYTON_URL")?;
    let config = Config::new(url, told("SYNCLINE_TRYTON_LOGIN")?, told("SYNCLINE_TRYTON_PASSWORD")?);
    let ctx = Ctx::new(Arc::new(Http::new().unwrap()), Arc::new(Wall), 4, Duration::from_secs(30));
    Some(Live { erp: Tryton::new(config), ctx, run: Wall.now().as_microsecond().to_string() })
}

fn dec(text: &str) -> rust_decimal::Decimal {
    syncline_core::money::decimal(text).unwrap()
}

impl Live {
    fn mark(&self, name: &str) -> Mark {
        syncline_core::mark::mark(&syncline_core::mark::Origin {
            source: &SystemUid::new("live"),
            kind: Kind::Order,
            id: &RemoteId::new(&self.run, name),
            target: &SystemUid::new("erp"),
            target_scope: "",
            role: "main",
            generation: 0,
        })
    }

    fn permit(&self, kind: Kind, step: Step, mark: &Mark, on: Option<&Snapshot>, leaves: Leaves) -> Permit {
        let deadline = Wall.now() + SignedDuration::from_secs(60);
        let change = Change {
            kind,
            step,
            mark: mark.clone(),
            document: on.map(|s| s.id.clone()),
            expect: on.and_then(|s| s.version.clone()),
            leaves,
            adopt_only: false,
        };
        advance(Noted::committed(DeliveryId(1), Epoch(1), 1, deadline), change)
    }

    async fn one(&self, permit: Permit) -> Outcome {
        self.erp.write(&self.ctx, vec![permit]).await.pop().unwrap()
    }

    async fn done(&self, permit: Permit) -> Snapshot {
        match self.one(permit).await {
            Outcome::Done(snapshot) => *snapshot,
            other => panic!("not done: {other:?}"),
        }
    }

    async fn refused(&self, permit: Permit) -> ErrorKind {
        match self.one(permit).await {
            Outcome::Refused(error) => error.kind,
            other => panic!("not refused: {other:?}"),
        }
    }
}

fn jane() -> Customer {
    let home = Address {
        name: Some("Jürgen\tGroß 😀".into()),
        company: None,
        street: Some("Hauptstr. 1\nHinterhof".into()),
        postcode: Some("10115".into()),
        city: Some("Berlin".into()),
        country: Some("DE".into()),
        region: Some("BER".into()),
        phone: Some("+49 30 1".into()),
    };
    let work = Address { company: Some("Firma GmbH".into()), region: Some("BE".into()), phone: None, ..home.clone() };
    Customer {
        name: Some("Jürgen Groß 😀".into()),
        email: Some("jane@example.com".into()),
        tax_id: Some("DE123".into()),
        addresses: [(home.key(), home), (work.key(), work)].into(),
        ..Customer::default()
    }
}

fn order_of(snapshot: &Snapshot) -> &Order {
    match &snapshot.records.first().unwrap().1 {
        Record::Order(order) => order,
        other => panic!("no order: {other:?}"),
    }
}

/// An order of two goods lines, a heading and shipping, for the party and address given.
fn order(sku: &(String, RemoteId), party: &RemoteId, address: &str, tax: &str) -> Order {
    let eur = |text: &str| Some(Money::new(dec(text), "EUR".parse().unwrap()));
    let to = |element: Option<&str>| {
        let mut reference = Ref::remote(Kind::Customer, party.clone());
        reference.element = element.map(|key| Path::element("addresses", key));
        Some(reference)
    };
    let taxes: Tax = [(tax.to_string(), dec("19"))].into();
    let goods = |quantity: &str, net: &str| Line {
        sku: Some(sku.0.clone()),
        name: Some("Shirt".into()),
        variant: Some(Ref::remote(Kind::Variant, sku.1.clone())),
        quantity: Some(dec(quantity)),
        net: eur(net),
        taxes: taxes.clone(),
        ..Line::default()
    };
    let heading = Line {
        form: Some(LineForm::Comment),
        sku: Some("KIT".into()),
        name: Some("Kit".into()),
        quantity: Some(dec("1")),
        ..Line::default()
    };
    let mut lines = Lines::default();
    lines.insert("15".into(), goods("3", "10.00"));
    lines.insert("16".into(), heading);
    lines.insert("9".into(), goods("1", "-0.50"));
    Order {
        reference: Some("000000001".into()),
        day: Some(jiff::civil::date(2026, 11, 23)),
        currency: "EUR".parse().ok(),
        customer: to(None),
        billing: to(Some(address)),
        payment: Payment { method: Some(String::new()), ..Payment::default() },
        lines,
        charges: [("shipping".to_string(), Charge { net: eur("4.90"), taxes, ..Charge::default() })].into(),
        totals: Totals::default(),
        ..Order::default()
    }
}

async fn customers(live: &Live) -> (Snapshot, String) {
    let mark = live.mark("customer");
    let leaves = Record::Customer(jane()).to_leaves();
    let create = || live.permit(Kind::Customer, Step::Create, &mark, None, leaves.clone());
    let made = live.done(create()).await;
    assert_eq!(live.refused(create()).await, ErrorKind::Exists, "a second party with one code");
    let found = live.erp.find(&live.ctx, Kind::Customer, &Lookup::Mark(mark.clone())).await.unwrap();
    assert_eq!(found.iter().map(|s| &s.id).collect::<Vec<_>>(), [&made.id]);
    let wish = create();
    let pairs = live.erp.pair(wish.change(), &made);
    assert_eq!(pairs.len(), 2, "{pairs:?} of {made:?}");
    let Record::Customer(seen) = &made.records.first().unwrap().1 else { panic!("no customer") };
    let (_, work) = pairs.iter().find(|(_, id)| seen.addresses.get(id).unwrap().company.is_some()).unwrap();
    let there = seen.addresses.get(work).unwrap();
    assert_eq!((there.company.as_deref(), there.region.as_deref()), (Some("Firma GmbH"), Some("BE")));
    assert_eq!((seen.email.as_deref(), seen.tax_id.as_deref()), (Some("jane@example.com"), Some("DE123")));
    attach(live, &mark, &made).await;
    (made, work.clone())
}

async fn attach(live: &Live, mark: &Mark, made: &Snapshot) {
    let more = Address { city: Some("Köln".into()), country: Some("DE".into()), ..Address::default() };
    let mut leaves = Record::Customer(jane()).to_leaves();
    leaves.retain(|_| false);
    let key = more.key();
    for (path, value) in
        Record::Customer(Customer { addresses: [(key, more)].into(), ..Customer::default() }).to_leaves().iter()
    {
        leaves.tell(path.clone(), value.cloned());
    }
    let step = || Step::Attach("addresses".into());
    let attach = || live.permit(Kind::Customer, step(), mark, Some(made), leaves.clone());
    let after = live.done(attach()).await;
    assert_ne!(after.version, made.version);
    assert_eq!(live.erp.pair(attach().change(), &after).len(), 1);
    assert_eq!(live.refused(attach()).await, ErrorKind::Stale, "a second address on the old version");
}

async fn sales(live: &Live, party: &RemoteId, address: &str, sku: &(String, RemoteId), tax: &str) {
    let mark = live.mark("order");
    let wish = Record::Order(Box::new(order(sku, party, address, tax))).to_leaves();
    let create = || live.permit(Kind::Order, Step::Create, &mark, None, wish.clone());
    let made = live.done(create()).await;
    assert_eq!(live.refused(create()).await, ErrorKind::Exists, "a second sale with one mark");
    let seen = order_of(&made);
    assert_eq!((seen.stage.as_deref(), seen.reference.as_deref()), (Some("draft"), Some("000000001")));
    let nets: Vec<_> = seen.lines.iter().map(|(_, line)| line.net.map(|net| net.amount)).collect();
    assert_eq!(nets, [Some(dec("10")), None, Some(dec("-0.5"))]);
    assert_eq!(seen.charges.get("shipping").unwrap().net.unwrap().amount, dec("4.9"));
    let pairs = live.erp.pair(create().change(), &made);
    assert_eq!(pairs.iter().map(|(path, _)| path.as_str()).collect::<Vec<_>>(), ["lines[15]", "lines[16]", "lines[9]"]);
    let found = live.erp.find(&live.ctx, Kind::Order, &Lookup::Mark(mark.clone())).await.unwrap();
    assert_eq!(found.len(), 1);
    let any = live.erp.find(&live.ctx, Kind::Order, &Lookup::AnyMark).await.unwrap();
    assert!(any.iter().any(|snapshot| snapshot.id == made.id));

    let mut level = Leaves::new();
    let cent = Money::new(dec("0.01"), "EUR".parse().unwrap());
    level.put(Path::element("charges", "rounding").dot("net"), Value::Money(cent));
    let lines = |on: &Snapshot| live.permit(Kind::Order, Step::Lines, &mark, Some(on), level.clone());
    let levelled = live.done(lines(&made)).await;
    assert_eq!(order_of(&levelled).charges.get("rounding").unwrap().net, Some(cent));
    let total = |snapshot: &Snapshot| order_of(snapshot).totals.grand.unwrap().amount;
    assert_eq!(total(&levelled) - total(&made), dec("0.01"));
    let again = live.done(lines(&levelled)).await;
    assert_eq!(again.version, levelled.version, "a level that is there is not written again");

    let go = |stage: &str, on: &Snapshot| {
        live.permit(Kind::Order, Step::Advance(stage.into()), &mark, Some(on), Leaves::new())
    };
    let quoted = live.done(go("quote", &levelled)).await;
    assert_eq!(order_of(&quoted).stage.as_deref(), Some("quote"));
    assert!(order_of(&quoted).number.is_some());
    assert_eq!(live.refused(go("quote", &quoted)).await, ErrorKind::Stale);
    let confirmed = live.done(go("confirm", &quoted)).await;
    assert!(matches!(order_of(&confirmed).stage.as_deref(), Some("confirm" | "process")));
    live.done(go("process", &confirmed)).await;
}

async fn withdrawn(live: &Live, party: &RemoteId, address: &str, sku: &(String, RemoteId), tax: &str) {
    let mark = live.mark("withdrawn");
    let wish = Record::Order(Box::new(order(sku, party, address, tax))).to_leaves();
    let made = live.done(live.permit(Kind::Order, Step::Create, &mark, None, wish)).await;
    let cancelled = live.done(live.permit(Kind::Order, Step::Cancel, &mark, Some(&made), Leaves::new())).await;
    assert_eq!(order_of(&cancelled).stage.as_deref(), Some("cancelled"));
    let found = live.erp.find(&live.ctx, Kind::Order, &Lookup::Mark(mark.clone())).await.unwrap();
    assert_eq!(found.len(), 1, "a cancelled sale still holds the key");
    live.done(live.permit(Kind::Order, Step::Delete, &mark, Some(&cancelled), Leaves::new())).await;
    assert!(live.erp.find(&live.ctx, Kind::Order, &Lookup::Mark(mark)).await.unwrap().is_empty());
}

/// A salable product of the ERP that is neither shipping nor rounding.
async fn product(live: &Live) -> (String, RemoteId) {
    let page = live.erp.changes(&live.ctx, Kind::Variant, &Cursor::default()).await.unwrap();
    let told = page.seen.into_iter().find_map(|seen| {
        let snapshot = seen.snapshot.unwrap();
        let Record::Variant(Variant { sku: Some(sku), .. }) = &snapshot.records.first().unwrap().1 else { return None };
        (!["SHIPPING", "ROUNDING"].contains(&sku.as_str())).then(|| (sku.clone(), snapshot.id.clone()))
    });
    told.unwrap()
}

#[test]
fn a_live_tryton_takes_an_order_once() {
    let Some(live) = live() else {
        println!("contract: skipped 1");
        return;
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let probe = live.erp.probe(&live.ctx).await.unwrap();
        println!("{}", serde_json::to_string(&probe).unwrap());
        let tax = probe.choices.get("taxes").unwrap().iter().find(|tax| tax.hint == "19").unwrap().code.clone();
        let sku = product(&live).await;
        let (party, address) = customers(&live).await;
        sales(&live, &party.id, &address, &sku, &tax).await;
        withdrawn(&live, &party.id, &address, &sku, &tax).await;
        let page = live.erp.changes(&live.ctx, Kind::Order, &Cursor::default()).await.unwrap();
        assert!(page.seen.iter().all(|seen| seen.snapshot.is_ok()), "{page:?}");
        let ids = [RemoteId::new("", "999999"), RemoteId::new("", "1"), RemoteId::new("", "x")];
        let read = live.erp.read(&live.ctx, Kind::Order, &ids).await;
        assert!(matches!(read.as_slice(), [Ok(None), Ok(Some(_)), Ok(None)]), "{read:?}");
    });
    println!("contract: ran 1");
}
