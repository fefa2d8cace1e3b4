//! Categories: the tree with the names of every language, without those that accounts go by.

use super::bench::{World, run};
use jiff::SignedDuration;
use serde_json::json;
use std::collections::BTreeMap;
use syncline_connect::{Connector, Cursor, Snapshot};
use syncline_core::kind::Kind;
use syncline_core::leaf::Target;
use syncline_core::record::{Category, Parent, Record};

pub(super) fn category(snapshot: &Snapshot) -> &Category {
    match &snapshot.records.first().unwrap().1 {
        Record::Category(category) => category,
        other => panic!("no category: {other:?}"),
    }
}

#[test]
fn a_tree_is_told_with_every_language_and_again_when_a_name_changes() {
    for web_shop in [true, false] {
        let world = World::new(web_shop);
        let bench = world.bench();
        run(async {
            let now = bench.ctx.now();
            let (lamps, desk) = world.with(|erp| {
                let lamps = erp.make_category(now, None, "Lamps").unwrap();
                let desk = erp.make_category(now, Some(lamps), "Desk").unwrap();
                assert!(erp.edit_category(now, lamps, Some("de"), "name", &json!("Lampen")));
                (lamps.to_string(), desk.to_string())
            });
            let page = bench.erp.changes(&bench.ctx, Kind::Category, &Cursor::default()).await.unwrap();
            let told: BTreeMap<String, Snapshot> =
                page.seen.into_iter().map(|seen| (seen.id.id, seen.snapshot.unwrap())).collect();
            assert_eq!(told.keys().collect::<Vec<_>>(), [&lamps, &desk], "those of accounts are none");
            let (first, second) = (category(&told[&lamps]), category(&told[&desk]));
            let name = |locale: &str| first.texts[locale].name.as_deref().unwrap();
            assert_eq!((name("en"), name("de"), name("fr")), ("Lamps", "Lampen", ""));
            assert_eq!((&first.parent, first.active), (&Some(Parent::Top), None));
            let Some(Parent::Below(parent)) = &second.parent else { panic!("{second:?}") };
            assert_eq!(parent.to, Target::Remote(syncline_core::id::RemoteId::new("", lamps.clone())));
            let keys = bench.erp.keys(&bench.ctx, Kind::Category, &Cursor::default()).await.unwrap();
            let version = |id: &String| told[id].version.clone();
            assert_eq!(keys.keys.iter().map(|(_, v)| v.clone()).collect::<Vec<_>>(), [version(&lamps), version(&desk)]);
            world.pass(SignedDuration::from_mins(30));
            let page = bench.erp.changes(&bench.ctx, Kind::Category, &page.next).await.unwrap();
            world.pass(SignedDuration::from_mins(30));
            let now = bench.ctx.now();
            let id = desk.parse().unwrap();
            assert!(world.with(|erp| erp.edit_category(now, id, Some("fr"), "name", &json!("Bureau"))));
            let page = bench.erp.changes(&bench.ctx, Kind::Category, &page.next).await.unwrap();
            // The pass after it goes back to the edit and no further.
            let page = bench.erp.changes(&bench.ctx, Kind::Category, &page.next).await.unwrap();
            let ids: Vec<&String> = page.seen.iter().map(|seen| &seen.id.id).collect();
            assert_eq!(ids, [&desk]);
        });
    }
}
