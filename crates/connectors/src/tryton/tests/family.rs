//! Families: templates with several products, told with all of them, named once for all, in every language.

use super::bench::{Bench, World, run, variant_of};
use crate::tryton::{Carried, Config};
use jiff::SignedDuration;
use serde_json::json;
use std::collections::BTreeMap;
use syncline_connect::{Connector, Cursor, Outcome, Snapshot};
use syncline_core::id::RemoteId;
use syncline_core::kind::{Kind, Step};
use syncline_core::leaf::{Leaf, Leaves, Value};
use syncline_core::path::Path;
use syncline_core::policy::ErrorKind;
use syncline_core::record::{Product, Record};
use syncline_sim::http::System;
use syncline_sim::tryton::Erp;

/// What people at the ERP do.
type Edit = &'static dyn Fn(&mut Erp, jiff::Timestamp) -> bool;

fn bench(world: &World) -> Bench {
    let size = Carried { source: "attribute:size".to_string(), names: BTreeMap::new() };
    let plain = Config::new("http://erp.test/acme", "sync", "word");
    world.bench_of(Config {
        attributes: [("size".to_string(), size)].into(),
        families: Some(["size".to_string(), "colour".to_string()].into()),
        ..plain
    })
}

fn family_of(snapshot: &Snapshot) -> &Product {
    match &snapshot.records.first().unwrap().1 {
        Record::Product(family) => family,
        other => panic!("no family: {other:?}"),
    }
}

/// Everything of `kind` from `cursor` on; the cursor goes on.
async fn told(bench: &Bench, kind: Kind, cursor: &mut Cursor) -> Vec<Snapshot> {
    let mut found = Vec::new();
    loop {
        let page = bench.erp.changes(&bench.ctx, kind, cursor).await.unwrap();
        found.extend(page.seen.into_iter().map(|seen| seen.snapshot.unwrap()));
        *cursor = page.next;
        if !page.more {
            return found;
        }
    }
}

async fn bolts(bench: &Bench) -> Snapshot {
    let all = told(bench, Kind::Product, &mut Cursor::default()).await;
    all.into_iter().find(|one| family_of(one).key.as_deref() == Some("BOLT-CFG")).unwrap()
}

fn name(locale: &str, text: &str) -> Leaves {
    let mut leaves = Leaves::new();
    leaves.put(Path::try_from(format!("texts.{locale}.name")).unwrap(), Value::Text(text.to_string()));
    leaves
}

async fn edit(bench: &Bench, on: &Snapshot, leaves: Leaves) -> Outcome {
    bench.one(bench.permit(Kind::Product, Step::Update, &bench.mark("x"), Some(on), leaves)).await
}

#[test]
fn a_template_with_several_products_is_told_with_all_of_them_and_its_name_once() {
    let world = World::new(true);
    let bench = bench(&world);
    run(async {
        let all = told(&bench, Kind::Product, &mut Cursor::default()).await;
        assert!(all.iter().all(|one| family_of(one).variants.len() > 1), "no single product is a family: {all:?}");
        let bolts = bolts(&bench).await;
        let family = family_of(&bolts);
        assert_eq!((family.active, family.options.len(), family.variants.len()), (Some(true), 1, 2));
        assert_eq!(family.texts.get("en").unwrap().name.as_deref(), Some("Bolt family"));
        assert_eq!(family.texts.get("de").unwrap().name.as_deref(), Some(""), "every language is told");
        for variant in told(&bench, Kind::Variant, &mut Cursor::default()).await {
            let one = variant_of(&variant);
            let of_family = family.variants.contains_key(&variant.id.id);
            assert_eq!(one.family.as_ref() == Some(&bolts.id.id), of_family);
            let named = one.texts.get("en").unwrap().name.is_some();
            assert_eq!(named, one.family.is_none(), "a name stands on the family or on the variant: {one:?}");
            assert!(one.texts.get("en").unwrap().description.is_some());
        }
        let keys = bench.erp.keys(&bench.ctx, Kind::Product, &Cursor::default()).await.unwrap();
        assert!(keys.keys.contains(&(bolts.id.clone(), bolts.version.clone())));
        assert_eq!(keys.keys.len(), all.len());
    });
}

#[test]
fn a_name_in_one_language_is_written_once_and_guarded_by_its_version() {
    let world = World::new(true);
    let bench = bench(&world);
    run(async {
        let first = bolts(&bench).await;
        let Outcome::Done(now) = edit(&bench, &first, name("de", "Bolzen")).await else { panic!("not done") };
        let texts = &family_of(&now).texts;
        assert_eq!(texts.get("de").unwrap().name.as_deref(), Some("Bolzen"));
        assert_eq!(texts.get("en").unwrap().name.as_deref(), Some("Bolt family"));
        let late = edit(&bench, &first, name("de", "late")).await;
        assert!(matches!(&late, Outcome::Refused(error) if error.kind == ErrorKind::Stale), "{late:?}");
        let mut leaves = Leaves::new();
        leaves.set(Product::variant_path("1"), Leaf::Empty);
        let moved = edit(&bench, &now, leaves).await;
        assert!(matches!(&moved, Outcome::Refused(error) if error.kind == ErrorKind::Invalid), "{moved:?}");
        let mut leaves = Leaves::new();
        leaves.put(Path::field("active"), Value::Bool(false));
        let stocked = edit(&bench, &now, leaves).await;
        assert!(matches!(&stocked, Outcome::Refused(error) if error.message.contains("quantities")), "{stocked:?}");
    });
}

#[test]
fn a_product_more_a_name_and_a_product_out_of_use_are_told_of_the_family() {
    let world = World::new(true);
    let bench = bench(&world);
    run(async {
        let mut cursor = Cursor::default();
        told(&bench, Kind::Product, &mut cursor).await;
        let first = bolts(&bench).await;
        let changes: [Edit; 3] = [
            &|erp, now| erp.add_variant(now, "BOLT-CFG", "-9", "l"),
            &|erp, now| erp.edit_family(now, "BOLT-CFG", Some("fr"), "name", &json!("Boulons")),
            &|erp, now| erp.edit_product(now, "BOLT-CFG-0", None, "active", &json!(false)),
        ];
        for change in changes {
            world.pass(SignedDuration::from_mins(30));
            told(&bench, Kind::Product, &mut cursor).await;
            world.pass(SignedDuration::from_mins(30));
            let now = bench.ctx.now();
            assert!(world.with(|erp| change(erp, now)));
            let seen = told(&bench, Kind::Product, &mut cursor).await;
            assert!(seen.iter().any(|one| one.id == first.id));
        }
        let now = bolts(&bench).await;
        assert_eq!(family_of(&now).variants.len(), 3, "one that is out of use belongs to it as before");
        assert_ne!(now.version, first.version);
        let codes = world.with(|erp| erp.ledger()["families"][0]["products"].clone());
        assert_eq!(codes, json!(["BOLT-CFG-0", "BOLT-CFG-1", "BOLT-CFG-9"]));
        let read = bench.erp.read(&bench.ctx, Kind::Product, &[RemoteId::new("", "99999")]).await.remove(0);
        assert!(read.unwrap().is_none());
    });
}

#[test]
fn without_families_in_the_file_each_product_has_its_name() {
    let world = World::new(true);
    let bench = world.bench();
    run(async {
        for variant in told(&bench, Kind::Variant, &mut Cursor::default()).await {
            let one = variant_of(&variant);
            assert!(one.family.is_none() && one.texts.get("en").unwrap().name.is_some());
        }
    });
}
