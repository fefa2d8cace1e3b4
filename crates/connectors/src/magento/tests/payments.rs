//! Payments: recorded invoices as the money they stand for, and the feed of a simulated shop.

use super::super::payments::{Paid, payment};
use super::papers::{about, paper, sold, told};
use super::world::{Held, shop};
use crate::magento::Magento;
use serde_json::{Value as Json, json};
use std::collections::BTreeMap;
use syncline_connect::{Connector, Cursor};
use syncline_core::id::RemoteId;
use syncline_core::kind::Kind;
use syncline_core::path::Path;
use syncline_core::policy::ErrorKind;
use syncline_core::record::{Paper, PaperLife};

fn paid() -> Paid {
    Paid { about: about("order-configurable"), method: Some("checkmo".to_owned()) }
}

#[test]
fn recorded_invoices_are_payments_in_the_orders_own_currency() {
    let invoice = told("invoices-of-it")[0].clone();
    let one = payment(&paid(), &invoice).unwrap();
    let money = paper(&one);
    assert_eq!((one.id.to_string(), money.grand.unwrap().to_string()), ("1/9:3".into(), "54.01 EUR".into()));
    assert_eq!((money.life, money.method.as_deref()), (Some(PaperLife::Paid), Some("checkmo")));
    assert_eq!(Paper::from_leaves(&one.records[0].1.to_leaves()).unwrap(), money);
    let profile = shop();
    let reads = &profile.profile().kinds[&Kind::Payment].reads;
    for (path, _) in one.records[0].1.to_leaves().iter() {
        assert!(reads.iter().any(|r| path.matches(&Path::try_from(r.clone()).unwrap())), "{path}");
    }
    for (state, life) in [(1, PaperLife::Open), (3, PaperLife::Void)] {
        let mut other = invoice.clone();
        other["state"] = json!(state);
        assert_eq!(paper(&payment(&paid(), &other).unwrap()).life, Some(life));
    }
    for (key, bad) in [("state", json!(9)), ("state", Json::Null), ("order_currency_code", json!("EURO"))] {
        let mut other = invoice.clone();
        other[key] = bad;
        let error = payment(&paid(), &other).unwrap_err();
        assert!(error.kind == ErrorKind::Invalid && error.evidence.is_some(), "{error}");
    }
}

/// Everything the feed tells from `cursor` on; the cursor behind it.
async fn fed(held: &Held, magento: &Magento, mut cursor: Cursor) -> (BTreeMap<String, Paper>, Cursor) {
    let mut all = BTreeMap::new();
    loop {
        let page = magento.changes(&held.ctx(), Kind::Payment, &cursor).await.expect("a page");
        all.extend(page.seen.into_iter().map(|one| (one.id.to_string(), paper(&one.snapshot.expect("read")))));
        cursor = page.next;
        if !page.more {
            return (all, cursor);
        }
    }
}

#[tokio::test]
async fn what_was_taken_is_fed_listed_and_read_with_the_method_of_its_order() {
    let (held, magento) = (sold(), shop());
    let (none, cursor) = fed(&held, &magento, Cursor::default()).await;
    assert!(none.is_empty());
    held.with(|world| world.shop.invoice_by_hand(world.now, 1, &[(3, 1)])).expect("by hand");
    held.wait(5);
    held.with(|world| world.shop.invoice_by_hand(world.now, 1, &[])).expect("the rest");
    let (all, cursor) = fed(&held, &magento, cursor).await;
    assert_eq!(all.keys().collect::<Vec<_>>(), ["1/1:1", "1/1:2"]);
    let sum: rust_decimal::Decimal = all.values().map(|one| one.grand.unwrap().amount).sum();
    assert_eq!((sum, all["1/1:1"].method.as_deref()), (93.into(), Some("checkmo")));
    let page = magento.keys(&held.ctx(), Kind::Payment, &Cursor::default()).await.unwrap();
    let ids: Vec<RemoteId> = page.keys.iter().map(|(id, _)| id.clone()).collect();
    assert!(ids.len() == 2 && page.keys.iter().all(|(_, version)| version.is_some()));
    let strange = [RemoteId::new("1", "2:1"), RemoteId::new("1", "1:77")];
    let read = magento.read(&held.ctx(), Kind::Payment, &[ids.as_slice(), &strange].concat()).await;
    let read: Vec<Option<Paper>> = read.into_iter().map(|one| one.unwrap().as_ref().map(paper)).collect();
    assert_eq!(read, [all.get("1/1:1").cloned(), all.get("1/1:2").cloned(), None, None]);
    // What was told within the overlap is told again, and nothing of long ago.
    held.with(|world| world.shop.place(world.now, json!({"state": "new", "store_id": 1, "items": []})))
        .expect("placed");
    assert_eq!(fed(&held, &magento, cursor).await.0, all);
}
