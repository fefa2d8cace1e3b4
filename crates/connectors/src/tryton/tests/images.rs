//! Images of products: told with their hashes, by a feed of their own, and never written.

use super::super::{Config, Tryton};
use super::bench::{Bench, World, run, variant_of};
use jiff::SignedDuration;
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use syncline_connect::{Connector, Cursor, Lookup, Snapshot};
use syncline_core::kind::Kind;
use syncline_core::leaf::Leaf;
use syncline_core::record::{IMAGE_LIMIT, IMAGES, Image, image_key};
use syncline_sim::image::{converted, drawn};

const SKU: &str = "MUG";

fn carrying(world: &World) -> Bench {
    world.bench_of(Config { images: true, ..Config::new("http://erp.test/acme", "sync", "word") })
}

/// A Tryton with the module of images.
fn with_images() -> World {
    let world = World::new(true);
    let now = world.bench().ctx.now();
    world.with(|erp| erp.activate_images(now));
    world
}

fn upload(world: &World, sku: &str, words: &str, place: (Option<u32>, bool)) -> u64 {
    world.pass(SignedDuration::from_mins(30));
    let now = world.bench().ctx.now();
    world.with(|erp| erp.add_image(now, sku, &drawn(words), place).unwrap())
}

fn key(words: &str) -> String {
    image_key(&converted(&drawn(words)))
}

async fn mug(bench: &Bench) -> Snapshot {
    bench.erp.find(&bench.ctx, Kind::Variant, &Lookup::Number(SKU.into())).await.unwrap().remove(0)
}

fn keys(snapshot: &Snapshot) -> Option<BTreeSet<String>> {
    Some(variant_of(snapshot).images.as_ref()?.keys().cloned().collect())
}

/// The products of one whole pass, by SKU.
async fn pass(bench: &Bench, cursor: &mut Cursor) -> BTreeMap<String, Snapshot> {
    let mut seen = BTreeMap::new();
    loop {
        let page = bench.erp.changes(&bench.ctx, Kind::Variant, cursor).await.unwrap();
        for one in page.seen {
            let snapshot = one.snapshot.unwrap();
            seen.insert(variant_of(&snapshot).sku.clone().unwrap(), snapshot);
        }
        *cursor = page.next;
        if !page.more {
            return seen;
        }
    }
}

#[test]
fn a_variant_shows_its_own_images_and_those_of_its_family() {
    let world = with_images();
    let bench = carrying(&world);
    run(async {
        assert_eq!(keys(&mug(&bench).await), Some(BTreeSet::new()), "told that there are none");
        upload(&world, SKU, "front", (Some(2), false));
        upload(&world, SKU, "family", (None, true));
        upload(&world, "PEN", "another one's", (None, false));
        let told = mug(&bench).await;
        assert_eq!(keys(&told), Some(BTreeSet::from([key("front"), key("family")])));
        let leaves = told.records[0].1.to_leaves();
        assert_eq!(leaves.get(&Image::path(&key("family")).dot("position")), Leaf::Empty);
        let (id, path) = (told.id.clone(), Image::path(&key("front")));
        let bytes = bench.erp.content(&bench.ctx, Kind::Variant, &id, &path, IMAGE_LIMIT).await.unwrap();
        assert_eq!(bytes, Some(converted(&drawn("front"))));
        assert!(bench.erp.content(&bench.ctx, Kind::Variant, &id, &path, 3).await.is_err());
        let other = Image::path(&key("another one's"));
        assert_eq!(bench.erp.content(&bench.ctx, Kind::Variant, &id, &other, IMAGE_LIMIT).await.unwrap(), None);
    });
}

#[test]
fn an_image_that_was_added_moves_no_product_and_is_told_all_the_same() {
    let world = with_images();
    let bench = carrying(&world);
    run(async {
        let mut cursor = Cursor::default();
        pass(&bench, &mut cursor).await;
        world.pass(SignedDuration::from_mins(30));
        let (renamed, now) = (json!("Notebook"), bench.ctx.now());
        assert!(world.with(|erp| erp.edit_product(now, "BOOK", None, "name", &renamed)));
        pass(&bench, &mut cursor).await;
        upload(&world, SKU, "front", (None, false));
        assert_eq!(pass(&bench, &mut cursor).await.keys().collect::<Vec<_>>(), ["BOOK", SKU], "it reads back a little");
        upload(&world, "PEN", "pen", (None, true));
        let (seen, asked) = (pass(&bench, &mut cursor).await, world.sent());
        assert_eq!(seen.keys().collect::<Vec<_>>(), [SKU, "PEN"], "the feed has moved on by the image alone");
        let read = asked.iter().filter(|(method, _)| method == "model.product.image.read").count();
        assert_eq!(read, 2, "each one's bytes are read once");
        let now = bench.ctx.now();
        let id = world.with(|erp| erp.add_image(now, SKU, &drawn("back"), (None, false)).unwrap());
        world.pass(SignedDuration::from_mins(30));
        let now = bench.ctx.now();
        assert!(world.with(|erp| erp.remove_image(now, id)));
        assert_eq!(keys(&mug(&bench).await), Some(BTreeSet::from([key("front")])));
    });
}

#[test]
fn without_the_module_or_where_they_are_not_carried_no_images_are_told() {
    let bare = World::new(true);
    let told = |bench: &Bench| run(async { (keys(&mug(bench).await), bench.erp.probe(&bench.ctx).await.unwrap()) });
    let (none, probe) = told(&carrying(&bare));
    let reads =
        |probe: &syncline_connect::Probe| probe.profile.kinds[&Kind::Variant].reads.contains(&IMAGES[0].to_string());
    assert!(none.is_none() && !reads(&probe) && probe.warnings.iter().any(|text| text.contains("product_image")));
    let world = with_images();
    let (none, probe) = told(&world.bench());
    assert!(none.is_none() && reads(&probe));
    assert!(world.sent().iter().all(|(method, _)| !method.contains("product.image")));
    let best = Tryton::new(Config::new("http://erp.test/acme", "", ""));
    let writes = &best.profile().kinds[&Kind::Variant].writes;
    assert!(writes.iter().all(|path| !path.starts_with("images")), "it converts what is uploaded");
}
