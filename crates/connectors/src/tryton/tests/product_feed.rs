//! The feed of products: everything at first, then what was changed on a product, on its template or in a language.

use super::bench::{Bench, World, run, variant_of};
use super::product::told;
use jiff::SignedDuration;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use syncline_connect::{Connector, Cursor, Snapshot};
use syncline_core::kind::Kind;
use syncline_core::policy::ErrorKind;

/// A walk that goes on from where it stood.
struct Walker<'a> {
    bench: &'a Bench,
    world: &'a World,
    cursor: Cursor,
}

impl Walker<'_> {
    /// The products of one whole pass, by SKU.
    async fn pass(&mut self) -> BTreeMap<String, Snapshot> {
        let mut seen = BTreeMap::new();
        for _ in 0..50 {
            let page = self.bench.erp.changes(&self.bench.ctx, Kind::Variant, &self.cursor).await.unwrap();
            for one in page.seen {
                let snapshot = one.snapshot.unwrap();
                seen.insert(variant_of(&snapshot).sku.clone().unwrap(), snapshot);
            }
            self.cursor = page.next;
            if !page.more {
                return seen;
            }
        }
        panic!("the walk does not end");
    }

    /// Past the overlap: an edit of one product, which is all that the next passes tell.
    fn person(&self, sku: &str, language: Option<&str>, field: &str, value: &Value) {
        self.world.pass(SignedDuration::from_mins(30));
        let now = self.bench.ctx.now();
        assert!(self.world.with(|erp| erp.edit_product(now, sku, language, field, value)), "{field}");
    }
}

fn names(seen: &BTreeMap<String, Snapshot>) -> Vec<&str> {
    seen.keys().map(String::as_str).collect()
}

#[test]
fn what_people_change_is_told_with_every_language() {
    let world = World::new(true);
    let bench = world.bench();
    run(async {
        let alone = variant_of(&told(&bench, true).await).sku.clone().unwrap();
        let several = variant_of(&told(&bench, false).await).sku.clone().unwrap();
        let mut walker = Walker { bench: &bench, world: &world, cursor: Cursor::default() };
        let all = walker.pass().await;
        let held = world
            .with(|erp| syncline_sim::http::System::ledger(erp).get("products").unwrap().as_array().unwrap().len());
        assert_eq!(all.len(), held);
        for (language, field, value) in [
            (Some("de"), "name", json!("Becher")),
            (Some("fr"), "description", json!("Joli")),
            (None, "weight", json!(0.5)),
            (None, "active", json!(false)),
        ] {
            walker.person(&alone, language, field, &value);
            walker.pass().await;
            let seen = walker.pass().await;
            assert_eq!(names(&seen), [alone.as_str()], "{field}");
        }
        let last = walker.pass().await;
        let last = variant_of(last.get(&alone).unwrap());
        assert_eq!((last.active, last.weight), (Some(false), Some(super::bench::dec("0.5"))));
        assert_eq!(last.texts.get("de").unwrap().name.as_deref(), Some("Becher"));
        assert_eq!(last.texts.get("fr").unwrap().name.as_deref(), Some(""), "English is not French");
        walker.person(&several, None, "name", &json!("Renamed"));
        walker.pass().await;
        let seen = walker.pass().await;
        assert!(seen.len() > 1 && seen.contains_key(&several), "all variants of the template: {:?}", names(&seen));
        assert!(seen.values().all(|one| variant_of(one).texts.get("en").unwrap().name.as_deref() == Some("Renamed")));
    });
}

#[test]
fn a_template_out_of_use_takes_its_products_with_it() {
    let world = World::new(true);
    let bench = world.bench();
    run(async {
        let sku = variant_of(&told(&bench, false).await).sku.clone().unwrap();
        let mut walker = Walker { bench: &bench, world: &world, cursor: Cursor::default() };
        walker.pass().await;
        walker.person(&sku, None, "template.active", &json!(false));
        walker.pass().await;
        let seen = walker.pass().await;
        assert!(seen.len() > 1 && seen.contains_key(&sku), "{:?}", names(&seen));
        assert!(seen.values().all(|one| variant_of(one).active == Some(false)));
    });
}

#[test]
fn keys_tell_the_same_versions_as_the_feed() {
    let world = World::new(true);
    let bench = world.bench();
    run(async {
        let page = bench.erp.changes(&bench.ctx, Kind::Variant, &Cursor::default()).await.unwrap();
        let keys = bench.erp.keys(&bench.ctx, Kind::Variant, &Cursor::default()).await.unwrap();
        for seen in page.seen {
            let snapshot = seen.snapshot.unwrap();
            assert!(keys.keys.contains(&(snapshot.id.clone(), snapshot.version.clone())), "{:?}", snapshot.id);
        }
        let wrong = bench.erp.changes(&bench.ctx, Kind::Variant, &Cursor("nonsense".into())).await.unwrap_err();
        assert_eq!(wrong.kind, ErrorKind::Broken);
    });
}

#[test]
fn a_party_that_is_retired_is_told() {
    let world = World::new(true);
    let bench = world.bench();
    run(async {
        let leaves = syncline_core::record::Record::Customer(super::walk::jane()).to_leaves();
        let step = syncline_core::kind::Step::Create;
        let made = bench.done(bench.permit(Kind::Customer, step, &bench.mark("jane"), None, leaves)).await;
        let first = bench.erp.changes(&bench.ctx, Kind::Customer, &Cursor::default()).await.unwrap();
        world.pass(SignedDuration::from_mins(30));
        let (now, id) = (bench.ctx.now(), made.id.id.parse().unwrap());
        assert!(world.with(|erp| erp.directly(now, "party.party", id, &json!({"active": false}))));
        let next = bench.erp.changes(&bench.ctx, Kind::Customer, &first.next).await.unwrap();
        let told: Vec<_> = next.seen.into_iter().filter(|seen| seen.id == made.id).collect();
        let snapshot = told.into_iter().next().unwrap().snapshot.unwrap();
        assert_eq!(super::bench::customer_of(&snapshot).active, Some(false));
    });
}
