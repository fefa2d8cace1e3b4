//! Credits as a clerk at a simulated Tryton makes them, and as the connector tells them of each sale.

use super::bench::{Bench, World, dec, run};
use super::paper::{Walker, keys, keys_are_read, read_one};
use super::stock::sell;
use super::walk::product;
use serde_json::{Value, json};
use syncline_connect::Connector;
use syncline_core::kind::Kind;
use syncline_core::money::Money;
use syncline_core::record::{Paper, PaperLife};
use syncline_sim::http::System;

fn eur(text: &str) -> Option<Money> {
    Some(Money::new(dec(text), "EUR".parse().unwrap()))
}

/// Key, quantity and net of each line.
fn lines(paper: &Paper) -> Vec<String> {
    let one = |(key, line): (&String, &syncline_core::record::PaperLine)| {
        format!("{key} {} {}", line.quantity.unwrap(), line.net.unwrap().amount)
    };
    paper.lines.iter().map(one).collect()
}

/// A sale of three pieces at 3.3333, a discount, and freight, whose invoice is posted; and its lines by key.
async fn billed(bench: &Bench, world: &World, number: &str) -> (u64, String, Vec<String>) {
    let sku = product(bench).await;
    let sale = sell(bench, &sku, number).await;
    let now = bench.ctx.now();
    world.with(|erp| assert!(erp.post_invoices(now, sale)));
    let order = world.with(|erp| erp.ledger());
    let orders = order.get("orders").unwrap().as_array().unwrap();
    let own = orders.iter().find(|row| row.get("id") == Some(&json!(sale))).unwrap();
    let rows = own.get("lines").unwrap().as_array().unwrap();
    let keys = rows.iter().map(|row| format!("@{}", row.get("id").unwrap()));
    (sale, sku.0.clone(), keys.collect())
}

#[test]
fn a_credit_note_is_told_of_its_sale_as_it_is_posted_and_paid() {
    let world = World::new(true);
    let bench = world.bench();
    run(async {
        let (sale, code, own) = billed(&bench, &world, "one").await;
        let mut walker = Walker::new(&bench, &world, Kind::Credit);
        assert!(walker.pass().await.is_empty(), "an invoice is no credit");
        let note = walker.act(|erp, now| erp.credit(now, sale, &[(&code, dec("1"))])).unwrap();
        let id = format!("{sale}:{note}");
        let told = walker.pass().await;
        let paper = told.get(&id).unwrap();
        assert_eq!((paper.life, paper.in_force(), paper.number.is_some()), (Some(PaperLife::Done), true, true));
        assert_eq!(lines(paper), [format!("{} 1 3.33", own.first().unwrap())]);
        assert_eq!((paper.grand, paper.charges.len()), (eur("3.96"), 0));
        assert!(paper.day.is_some() && paper.currency.is_some());
        walker.rest().await;
        walker.act(|erp, now| assert!(erp.pay_credit(now, sale)));
        assert_eq!(walker.pass().await.get(&id).unwrap().life, Some(PaperLife::Paid));
        let freight = walker.act(|erp, now| erp.credit_freight(now, sale)).unwrap();
        let amount = walker.act(|erp, now| erp.credit_amount(now, sale, &code, dec("1.50"))).unwrap();
        let told = walker.pass().await;
        let paper = told.get(&format!("{sale}:{freight}")).unwrap();
        assert_eq!((paper.lines.len(), paper.charges.get("shipping").copied()), (0, eur("4.90")));
        assert_eq!(paper.grand, eur("5.83"));
        let paper = told.get(&format!("{sale}:{amount}")).unwrap();
        assert_eq!((lines(paper), paper.grand), (vec![format!("{} 1 1.5", own.first().unwrap())], eur("1.78")));
        walker.rest().await;
        assert_eq!(keys(&bench, Kind::Credit).await.len(), 3);
        keys_are_read(&bench, Kind::Credit).await;
        assert_eq!(keys(&bench, Kind::Invoice).await.len(), 1, "what gives money back asks for none");
        assert_eq!(read_one(&bench, Kind::Invoice, &id).await, None);
        assert_eq!(read_one(&bench, Kind::Credit, &format!("{sale}:1")).await, None, "an invoice");
    });
}

#[test]
fn an_invoice_undone_by_a_credit_note_was_in_force_and_one_that_is_withdrawn_is_void() {
    let world = World::new(true);
    let bench = world.bench();
    run(async {
        let (sale, _, _) = billed(&bench, &world, "one").await;
        let mut invoices = Walker::new(&bench, &world, Kind::Invoice);
        let mut walker = Walker::new(&bench, &world, Kind::Credit);
        invoices.pass().await;
        let notes = walker.act(|erp, now| erp.credit_all(now, sale));
        let note = notes.first().unwrap();
        let told = walker.pass().await;
        let paper = told.get(&format!("{sale}:{note}")).unwrap();
        assert_eq!((paper.life, paper.grand, notes.len()), (Some(PaperLife::Paid), eur("17.13"), 1));
        assert_eq!(paper.charges.get("shipping").copied(), eur("4.90"));
        let id = format!("{sale}:1");
        let invoice = invoices.pass().await.get(&id).unwrap().clone();
        assert_eq!((invoice.life, invoice.grand), (Some(PaperLife::Paid), eur("17.13")));
        assert_eq!(read_one(&bench, Kind::Invoice, &id).await, Some(invoice));
        let (other, _, _) = billed(&bench, &world, "two").await;
        walker.act(|erp, now| assert!(erp.cancel_invoices(now, other)));
        let told = invoices.pass().await;
        let withdrawn = told.iter().find(|(id, _)| id.starts_with(&format!("{other}:"))).unwrap().1;
        assert_eq!(withdrawn.life, Some(PaperLife::Void), "its move was undone by no credit note");
    });
}

#[test]
fn what_a_return_takes_back_is_told_of_the_sale_by_its_own_lines_where_these_are_plain() {
    let world = World::new(true);
    let bench = world.bench();
    run(async {
        let (sale, code, own) = billed(&bench, &world, "one").await;
        let mut walker = Walker::new(&bench, &world, Kind::Credit);
        walker.act(|erp, now| assert!(erp.ship(now, sale)));
        let goods = [(code.as_str(), dec("2")), ("SHIPPING", dec("1"))];
        let credit = walker.act(|erp, now| erp.take_back(now, sale, &goods)).unwrap();
        let told = walker.pass().await;
        let id = format!("{sale}:{credit}");
        assert_eq!(told.keys().collect::<Vec<_>>(), [&id]);
        let paper = told.get(&id).unwrap();
        assert_eq!(lines(paper), [format!("{} 2 6.67", own.first().unwrap())]);
        assert_eq!((paper.life, paper.charges.get("shipping").copied()), (Some(PaperLife::Done), eur("4.90")));
        keys_are_read(&bench, Kind::Credit).await;
        // The same goods at one price on two lines of the sale: nobody can say which of them is meant.
        let second: u64 = own.get(1).unwrap().trim_start_matches('@').parse().unwrap();
        let now = bench.ctx.now();
        let price = json!({"unit_price": {"__class__": "Decimal", "decimal": "3.3333"}});
        world.with(|erp| assert!(erp.directly(now, "sale.line", second, &price)));
        let paper = read_one(&bench, Kind::Credit, &id).await.unwrap();
        assert!(paper.lines.keys().all(|key| !own.contains(key)), "{:?}", paper.lines.keys());
        let feed = bench.erp.probe(&bench.ctx).await.unwrap();
        assert!(feed.profile.kinds.contains_key(&Kind::Credit));
    });
}

/// Answers of a running Tryton 8.0 about money that was given back.
fn recorded(list: &str) -> Vec<Value> {
    let recorded: Value = serde_json::from_str(include_str!("../fixtures/credits.json")).unwrap();
    recorded.get(list).and_then(Value::as_array).unwrap().clone()
}

/// What `rows` tell where their parts come from the lines of sales `sold`, returns of `original`: each paper in short.
async fn told_of(kind: Kind, rows: &[Value], sold: &[Value], original: &[Value]) -> Vec<(String, String)> {
    let bench = World::new(true).bench();
    let setup = bench.erp.setup(&bench.ctx).await.unwrap();
    let behind = super::super::credits::tied(&recorded("billed"), sold, original).unwrap();
    let seen = bench.erp.papers_in(&setup, kind, rows, &behind).unwrap();
    let short = |paper: &Paper| {
        let grand = paper.grand.map(|grand| grand.amount.to_string()).unwrap_or_default();
        format!("{} {} {grand}", paper.life.unwrap().word(), lines(paper).join(", "))
    };
    let told = seen.into_iter().map(|one| {
        let snapshot = one.snapshot.unwrap();
        (one.id.id, short(snapshot.records.first().unwrap().1.paper().unwrap()))
    });
    told.collect()
}

#[test]
fn contract_recorded_credits_mean_what_they_say() {
    run(async {
        let (rows, sold, original) = (recorded("credits"), recorded("sold"), recorded("original"));
        let told = told_of(Kind::Credit, &rows, &sold, &original).await;
        let told: Vec<(&str, &str)> = told.iter().map(|(id, text)| (id.as_str(), text.as_str())).collect();
        // Of the return nobody can say which line it means: both are of one product, unit and price.
        assert_eq!(
            told,
            [
                ("1:2", "paid @1 3 30, @2 2 20 59.5"),
                ("2:4", "paid @3 1 2.5 2.98"),
                ("3:6", "void @5 1 10 11.9"),
                ("4:8", "done @8 3 30, @9 2 20 59.5"),
            ]
        );
        assert!(told_of(Kind::Invoice, &rows, &sold, &original).await.is_empty());
        println!("contract: ran {}", rows.len());
    });
}

#[test]
fn a_recorded_return_means_the_only_line_of_its_product_or_of_several_the_one_at_its_price() {
    run(async {
        let rows = recorded("credits");
        let last = async |sold: &[Value], original: &[Value]| {
            let (id, text) = told_of(Kind::Credit, &rows, sold, original).await.pop().unwrap();
            format!("{id} {text}")
        };
        let (mut sold, mut original) = (recorded("sold"), recorded("original"));
        assert_eq!(last(&sold, original.get(..1).unwrap()).await, "4:8 done @6 5 50 59.5");
        let dear = json!({"__class__": "Decimal", "decimal": "20.0000"});
        original.last_mut().unwrap()["unit_price"] = dear.clone();
        sold.last_mut().unwrap()["unit_price"] = dear;
        assert_eq!(last(&sold, &original).await, "4:8 done @6 3 30, @7 2 20 59.5");
        for row in &mut original {
            row["product."]["id"] = json!(99);
        }
        assert_eq!(last(&sold, &original).await, "4:8 done @8 3 30, @9 2 20 59.5", "nobody sold it");
        for odd in [json!({"origin": "stock.move,4"}), json!([7]), Value::Null] {
            sold.iter_mut().for_each(|row| row["sale."] = odd.clone());
            assert_eq!(last(&sold, &original).await, "5:8 done @8 3 30, @9 2 20 59.5", "a return of none");
        }
    });
}
