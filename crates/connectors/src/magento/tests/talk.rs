//! The client against a simulated shop: paging, tokens, faults, the one write.

use super::world::{Fault, Held, TOKEN};
use crate::magento::{Auth, Config, Magento};
use std::collections::BTreeMap;
use syncline_connect::{Connector, Cursor, Seen};
use syncline_core::kind::Kind;
use syncline_core::record::Record;
use syncline_core::totals::balanced;

fn shop() -> Magento {
    Magento::new(Config { url: "http://shop.example/".into(), auth: Auth::Token(TOKEN.into()) })
}

/// One pass to its end; the cursor after it.
async fn pass(magento: &Magento, held: &Held, kind: Kind, since: &Cursor) -> (Vec<Seen>, Cursor) {
    let (ctx, mut seen, mut cursor) = (held.ctx(), Vec::new(), since.clone());
    for _ in 0..500 {
        let page = magento.changes(&ctx, kind, &cursor).await.expect("a page");
        seen.extend(page.seen);
        cursor = page.next;
        if !page.more {
            return (seen, cursor);
        }
    }
    panic!("the pass does not end");
}

#[tokio::test]
async fn every_seeded_order_is_read_once_and_adds_up() {
    let held = Held::new(700);
    let (seen, _) = pass(&shop(), &held, Kind::Order, &Cursor::default()).await;
    let mut count: BTreeMap<String, u32> = BTreeMap::new();
    for one in &seen {
        *count.entry(one.id.to_string()).or_default() += 1;
        let snapshot = one.snapshot.as_ref().expect("a readable order");
        let Some((_, Record::Order(order))) = snapshot.records.first() else { panic!("an order first") };
        balanced(order).unwrap_or_else(|error| panic!("{}: {error}", one.id));
    }
    assert!(count.values().all(|times| *times == 1));
    let ledger = held.with(|world| syncline_sim::http::System::ledger(&world.shop));
    assert_eq!(count.len(), ledger["orders"].as_array().unwrap().len());
    let _ = Fault::None;
}
