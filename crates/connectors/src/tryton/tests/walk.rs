//! One walk through everything the connector does, on any Tryton: customers, addresses, sales to the last stage.

use super::bench::{Bench, dec, order_of, stock_of};
use syncline_connect::{Connector, Cursor, Lookup, Snapshot};
use syncline_core::id::{Mark, RemoteId};
use syncline_core::kind::{Kind, Step};
use syncline_core::leaf::{Leaves, Ref, Value};
use syncline_core::money::Money;
use syncline_core::path::Path;
use syncline_core::policy::ErrorKind;
use syncline_core::profile::Guard;
use syncline_core::record::{
    Address, Charge, Customer, Line, LineForm, Lines, Order, Payment, Record, Tax, Totals, Variant,
};

pub(super) fn jane() -> Customer {
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

/// An order of two goods lines, a heading and shipping, for the party and address given.
pub(super) fn order(sku: &(String, RemoteId), party: &RemoteId, address: &str, tax: &str) -> Order {
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

async fn customers(bench: &Bench) -> (Snapshot, String) {
    let mark = bench.mark("customer");
    let leaves = Record::Customer(jane()).to_leaves();
    let create = || bench.permit(Kind::Customer, Step::Create, &mark, None, leaves.clone());
    let made = bench.done(create()).await;
    assert_eq!(bench.refused(create()).await, ErrorKind::Exists, "a second party with one code");
    let found = bench.erp.find(&bench.ctx, Kind::Customer, &Lookup::Mark(mark.clone())).await.unwrap();
    assert_eq!(found.iter().map(|s| &s.id).collect::<Vec<_>>(), [&made.id]);
    let wish = create();
    let pairs = bench.erp.pair(wish.change(), &made);
    assert_eq!(pairs.len(), 2, "{pairs:?} of {made:?}");
    let Record::Customer(seen) = &made.records.first().unwrap().1 else { panic!("no customer") };
    let (_, work) = pairs.iter().find(|(_, id)| seen.addresses.get(id).unwrap().company.is_some()).unwrap();
    let there = seen.addresses.get(work).unwrap();
    assert_eq!(there.company.as_deref(), Some("Firma GmbH"));
    // As a record where the ERP has one, else behind the town.
    assert!(there.region.as_deref() == Some("BE") || there.city.as_deref() == Some("Berlin, BE"), "{there:?}");
    assert_eq!((seen.email.as_deref(), seen.tax_id.as_deref()), (Some("jane@example.com"), Some("DE123")));
    attach(bench, &mark, &made).await;
    (made, work.clone())
}

async fn attach(bench: &Bench, mark: &Mark, made: &Snapshot) {
    let step = || Step::Attach("addresses".into());
    let attach = |city: &str| {
        let more = Address { city: Some(city.into()), country: Some("DE".into()), ..Address::default() };
        let customer = Customer { addresses: [(more.key(), more)].into(), ..Customer::default() };
        bench.permit(Kind::Customer, step(), mark, Some(made), Record::Customer(customer).to_leaves())
    };
    let after = bench.done(attach("Köln")).await;
    assert_ne!(after.version, made.version);
    assert_eq!(bench.erp.pair(attach("Köln").change(), &after).len(), 1);
    let again = bench.done(attach("Köln")).await;
    assert_eq!(again.version, after.version, "what is there is not made once more");
    assert_eq!(bench.refused(attach("Bonn")).await, ErrorKind::Stale, "a further address on the old version");
    update(bench, mark, &after).await;
}

/// Every field of a party changed at once, its address where it stands; and none of it on an older version.
async fn update(bench: &Bench, mark: &Mark, made: &Snapshot) {
    let seen = super::bench::customer_of(made);
    let (remote, _) = seen.addresses.iter().find(|(_, address)| address.city.as_deref() == Some("Köln")).unwrap();
    let book = Customer::book_key("7");
    let moved = Address { city: Some("Ulm".into()), country: Some("DE".into()), ..Address::default() };
    let text = |text: &str| Some(text.to_string());
    let customer = Customer {
        name: text("Jane Doe-Müller"),
        email: text("jane.mueller@example.com"),
        tax_id: text(""),
        phone: text("+49 (221) 99"),
        addresses: [(book.clone(), moved)].into(),
        ..Customer::default()
    };
    let elements = || [(Customer::address_path(&book), remote.clone())].into();
    let change = |leaves: Leaves| bench.naming(Kind::Customer, Step::Update, mark, made, leaves, elements());
    let after = bench.done(change(Record::Customer(customer.clone()).to_leaves())).await;
    let told = super::bench::customer_of(&after);
    assert_eq!((&told.name, &told.email), (&customer.name, &customer.email));
    assert_eq!((told.tax_id.as_deref(), told.phone.as_deref()), (Some(""), Some("+4922199")));
    assert_eq!(told.addresses[remote].city.as_deref(), Some("Ulm"));
    assert_eq!(told.addresses.len(), seen.addresses.len(), "no address was added or lost");
    assert!(bench.erp.pair(change(Leaves::new()).change(), &after).is_empty());
    let old = change(Record::Customer(customer).to_leaves());
    assert_eq!(bench.refused(old).await, ErrorKind::Stale, "on the old version");
    let mut retired = Leaves::new();
    retired.tell(Customer::address_path(&book), None);
    let retire = bench.naming(Kind::Customer, Step::Update, mark, &after, retired, elements());
    let after = bench.done(retire).await;
    let told = super::bench::customer_of(&after);
    assert!(!told.addresses.contains_key(remote), "it is out of use, not deleted");
}

async fn sales(bench: &Bench, mark: &Mark, wish: Leaves, unique: bool) -> Snapshot {
    let create = || bench.permit(Kind::Order, Step::Create, mark, None, wish.clone());
    let made = bench.done(create()).await;
    if unique {
        assert_eq!(bench.refused(create()).await, ErrorKind::Exists, "a second sale with one mark");
    }
    let seen = order_of(&made);
    assert_eq!((seen.stage.as_deref(), seen.reference.as_deref()), (Some("draft"), Some("000000001")));
    let nets: Vec<_> = seen.lines.iter().map(|(_, line)| line.net.map(|net| net.amount)).collect();
    assert_eq!(nets, [Some(dec("10")), None, Some(dec("-0.5"))]);
    assert_eq!(seen.charges.get("shipping").unwrap().net.unwrap().amount, dec("4.9"));
    let pairs = bench.erp.pair(create().change(), &made);
    assert_eq!(pairs.iter().map(|(path, _)| path.as_str()).collect::<Vec<_>>(), ["lines[15]", "lines[16]", "lines[9]"]);
    let found = bench.erp.find(&bench.ctx, Kind::Order, &Lookup::Mark(mark.clone())).await.unwrap();
    assert_eq!(found.len(), 1);
    let any = bench.erp.find(&bench.ctx, Kind::Order, &Lookup::AnyMark).await.unwrap();
    assert!(any.iter().any(|snapshot| snapshot.id == made.id));
    made
}

async fn stages(bench: &Bench, mark: &Mark, made: Snapshot) {
    let mut level = Leaves::new();
    let cent = Money::new(dec("0.01"), "EUR".parse().unwrap());
    level.put(Path::element("charges", "rounding").dot("net"), Value::Money(cent));
    let lines = |on: &Snapshot| bench.permit(Kind::Order, Step::Lines, mark, Some(on), level.clone());
    let levelled = bench.done(lines(&made)).await;
    assert_eq!(order_of(&levelled).charges.get("rounding").unwrap().net, Some(cent));
    let total = |snapshot: &Snapshot| order_of(snapshot).totals.grand.unwrap().amount;
    assert_eq!(total(&levelled) - total(&made), dec("0.01"));
    let again = bench.done(lines(&levelled)).await;
    assert_eq!(again.version, levelled.version, "a level that is there is not written again");

    let go = |stage: &str, on: &Snapshot| {
        bench.permit(Kind::Order, Step::Advance(stage.into()), mark, Some(on), Leaves::new())
    };
    let quoted = bench.done(go("quote", &levelled)).await;
    assert_eq!(order_of(&quoted).stage.as_deref(), Some("quote"));
    assert!(order_of(&quoted).number.is_some());
    assert_eq!(bench.refused(go("quote", &quoted)).await, ErrorKind::Stale);
    let confirmed = bench.done(go("confirm", &quoted)).await;
    assert!(matches!(order_of(&confirmed).stage.as_deref(), Some("confirm" | "process")));
    bench.done(go("process", &confirmed)).await;
}

async fn withdrawn(bench: &Bench, wish: Leaves) {
    let mark = bench.mark("withdrawn");
    let made = bench.done(bench.permit(Kind::Order, Step::Create, &mark, None, wish)).await;
    let cancelled = bench.done(bench.permit(Kind::Order, Step::Cancel, &mark, Some(&made), Leaves::new())).await;
    assert_eq!(order_of(&cancelled).stage.as_deref(), Some("cancelled"));
    let found = bench.erp.find(&bench.ctx, Kind::Order, &Lookup::Mark(mark.clone())).await.unwrap();
    assert_eq!(found.len(), 1, "a cancelled sale still holds the key");
    bench.done(bench.permit(Kind::Order, Step::Delete, &mark, Some(&cancelled), Leaves::new())).await;
    assert!(bench.erp.find(&bench.ctx, Kind::Order, &Lookup::Mark(mark)).await.unwrap().is_empty());
}

/// A salable product of the ERP that is neither shipping nor rounding.
pub(super) async fn product(bench: &Bench) -> (String, RemoteId) {
    let page = bench.erp.changes(&bench.ctx, Kind::Variant, &Cursor::default()).await.unwrap();
    let told = page.seen.into_iter().find_map(|seen| {
        let snapshot = seen.snapshot.unwrap();
        let Record::Variant(Variant { sku: Some(sku), active: Some(true), .. }) = &snapshot.records.first().unwrap().1
        else {
            return None;
        };
        (!["SHIPPING", "ROUNDING"].contains(&sku.as_str())).then(|| (sku.clone(), snapshot.id.clone()))
    });
    told.unwrap()
}

/// Every product's stock, and that a read of many and the feed tell the same.
async fn stocks(bench: &Bench, variant: &RemoteId) {
    let (mut cursor, mut told) = (Cursor::default(), Vec::new());
    loop {
        let page = bench.erp.changes(&bench.ctx, Kind::Stock, &cursor).await.unwrap();
        told.extend(page.seen.into_iter().map(|seen| seen.snapshot.unwrap()));
        cursor = page.next;
        if !page.more {
            break;
        }
    }
    assert!(told.iter().any(|snapshot| &snapshot.id == variant));
    let ids: Vec<RemoteId> = told.iter().map(|snapshot| snapshot.id.clone()).collect();
    let read = bench.erp.read(&bench.ctx, Kind::Stock, &ids).await;
    for (told, read) in told.iter().zip(read) {
        assert_eq!(stock_of(told), stock_of(&read.unwrap().unwrap()));
        let stock = stock_of(told);
        assert_eq!(stock.managed.unwrap(), !stock.levels.is_empty());
    }
    let again = bench.erp.changes(&bench.ctx, Kind::Stock, &cursor).await.unwrap();
    assert!(again.seen.iter().all(|seen| seen.snapshot.is_ok()));
    assert!(again.next != cursor || !again.more, "a page that repeats");
}

/// The whole walk.
pub(super) async fn all(bench: &Bench) {
    let probe = bench.erp.probe(&bench.ctx).await.unwrap();
    let tax = probe.choices.get("taxes").unwrap().iter().find(|tax| tax.hint == "19").unwrap().code.clone();
    let guard = probe.profile.kinds.get(&Kind::Order).unwrap().create_guard();
    let unique = matches!(guard, Guard::Unique { .. });
    let sku = product(bench).await;
    stocks(bench, &sku.1).await;
    let (party, address) = customers(bench).await;
    let wish = Record::Order(Box::new(order(&sku, &party.id, &address, &tax))).to_leaves();
    let mark = bench.mark("order");
    let made = sales(bench, &mark, wish.clone(), unique).await;
    stages(bench, &mark, made).await;
    withdrawn(bench, wish).await;
    let page = bench.erp.changes(&bench.ctx, Kind::Order, &Cursor::default()).await.unwrap();
    assert!(page.seen.iter().all(|seen| seen.snapshot.is_ok()), "{page:?}");
    let ids = [RemoteId::new("", "999999"), RemoteId::new("", "1"), RemoteId::new("", "x")];
    let read = bench.erp.read(&bench.ctx, Kind::Order, &ids).await;
    assert!(matches!(read.as_slice(), [Ok(None), Ok(Some(_)), Ok(None)]), "{read:?}");
}
