//! Walks, keys, reads and searches of both APIs.

use super::world::{Fault, Held, block, connector, flat, nested, walked, with};
use serde_json::json;
use std::collections::BTreeSet;
use syncline_connect::{Connector, Cursor, Lookup};
use syncline_core::id::RemoteId;
use syncline_core::kind::Kind;
use syncline_core::policy::ErrorKind;
use syncline_sim::json_api::{Api, Product, Shape};

fn told(pages: &[syncline_connect::Page]) -> BTreeSet<String> {
    pages.iter().flat_map(|page| &page.seen).map(|seen| seen.id.id.clone()).collect()
}

#[test]
fn a_walk_brings_every_product_once_in_each_style() {
    let offset = json!({"paging": {"style": "page", "parameter": "page", "size": 20, "size_parameter": "limit",
        "total": "/meta/total"}});
    let unsaid = json!({"paging": {"style": "page", "parameter": "page"}});
    for (shape, description, requests) in [
        (Shape::Flat, flat(), 3),
        (Shape::Flat, with(flat(), offset), 3),
        // Without a word of more the first empty page is the last.
        (Shape::Flat, with(flat(), unsaid), 2),
        (Shape::Nested, nested(), 3),
    ] {
        let held = Held::stocked(shape, 45);
        let (api, ctx) = (connector(description), held.ctx());
        let (pages, _) = block(walked(&api, &ctx, &Cursor::default())).unwrap();
        assert_eq!((told(&pages).len(), pages.iter().map(|page| page.seen.len()).sum::<usize>()), (45, 45));
        assert_eq!(held.log().len(), requests, "{shape:?}");
        assert!(pages.iter().flat_map(|page| &page.seen).all(|seen| seen.snapshot.is_ok()));
    }
}

#[test]
fn the_next_walk_asks_for_what_changed_since_and_a_little_more() {
    for (shape, description) in [(Shape::Flat, flat()), (Shape::Nested, nested())] {
        let held = Held::stocked(shape, 45);
        let (api, ctx) = (connector(description), held.ctx());
        held.wait(3_600);
        let (_, at) = block(walked(&api, &ctx, &Cursor::default())).unwrap();
        held.log();
        held.wait(3_600);
        held.with(|world| world.api.alter(world.now, 7, |product| product.description = Some("new".into())));
        let (pages, next) = block(walked(&api, &ctx, &at)).unwrap();
        // What was changed within the overlap before the last change comes again.
        assert_eq!(told(&pages).len(), 45);
        let log = held.log();
        let asked =
            if shape == Shape::Flat { "updated_since=2026-11-23T11%3A55%3A00Z" } else { "changed_after=1795434900" };
        assert!(log[0].contains(asked), "{log:?}");
        let (pages, _) = block(walked(&api, &ctx, &next)).unwrap();
        assert_eq!(told(&pages).len(), 1, "the last change and what is within five minutes of it");
    }
}

#[test]
fn what_changes_during_a_walk_is_told_by_the_next_one() {
    let held = Held::stocked(Shape::Flat, 45);
    let (api, ctx) = (connector(flat()), held.ctx());
    let (first, second) = block(async {
        held.wait(3_600);
        let page = api.changes(&ctx, Kind::Variant, &Cursor::default()).await.unwrap();
        held.wait(1_000);
        // One on the page that is read already, and one later that is still to come.
        held.with(|world| world.api.alter(world.now, 1, |product| product.active = false));
        held.wait(3_600);
        held.with(|world| world.api.alter(world.now, 45, |product| product.active = false));
        let (_, at) = walked(&api, &ctx, &page.next).await.unwrap();
        (page, walked(&api, &ctx, &at).await.unwrap().0)
    });
    assert!(first.more);
    assert!(told(&second).contains("1") && told(&second).contains("45"), "{:?}", told(&second));
}

#[test]
fn a_list_without_a_filter_is_read_whole_each_time() {
    let held = Held::stocked(Shape::Flat, 5);
    let api = connector(with(flat(), json!({"since": null})));
    let (_, at) = block(walked(&api, &held.ctx(), &Cursor::default())).unwrap();
    assert_eq!(at, Cursor::default());
}

#[test]
fn keys_come_with_their_versions_and_a_record_by_its_id() {
    let held = Held::stocked(Shape::Nested, 30);
    let (api, ctx) = (connector(nested()), held.ctx());
    let page = block(api.keys(&ctx, Kind::Variant, &Cursor::default())).unwrap();
    assert_eq!((page.keys.len(), page.more), (20, true));
    assert_eq!(page.keys[0], (RemoteId::new("", "p-000001"), Some("1795435200".to_owned())));
    let rest = block(api.keys(&ctx, Kind::Variant, &page.next)).unwrap();
    assert_eq!((rest.keys.len(), rest.more), (10, false));
    let ids = ["p-000002", "p-999999", "../secret"].map(|id| RemoteId::new("", id));
    let read = block(api.read(&ctx, Kind::Variant, &ids));
    let there: Vec<bool> = read.iter().map(|one| one.as_ref().unwrap().is_some()).collect();
    assert_eq!(there, [true, false, false]);
    assert!(held.log().iter().any(|line| line.ends_with("/v1/articles/..%2Fsecret")), "an id never leaves its place");
}

#[test]
fn without_a_place_for_one_the_list_is_walked_for_it() {
    let held = Held::stocked(Shape::Flat, 45);
    let (api, ctx) = (connector(with(flat(), json!({"read": null, "create": null, "update": null}))), held.ctx());
    let read = |ids: &[&str]| {
        let ids: Vec<RemoteId> = ids.iter().map(|id| RemoteId::new("", *id)).collect();
        let read = block(api.read(&ctx, Kind::Variant, &ids));
        read.into_iter().map(|one| one.unwrap().map(|one| one.id.id).unwrap_or_default()).collect::<Vec<_>>()
    };
    assert_eq!((read(&["30", "7"]), held.log().len()), (vec!["30".to_owned(), "7".to_owned()], 2));
    assert_eq!((read(&["46"]), held.log().len()), (vec![String::new()], 3));
    assert!(block(api.probe(&ctx)).is_ok());
}

#[test]
fn products_are_found_by_their_whole_sku() {
    let held = Held::of(Api::new(Shape::Flat, "secret"));
    for sku in ["A&B/ü 1", "MUG", "MUG"] {
        held.with(|world| world.api.stock(Product { sku: sku.into(), changed: world.now, ..Product::default() }));
    }
    let (api, ctx) = (connector(flat()), held.ctx());
    let found = |sku: &str| block(api.find(&ctx, Kind::Variant, &Lookup::Number(sku.into()))).unwrap().len();
    assert_eq!([found("A&B/ü 1"), found("MUG"), found("mug"), found("CUP")], [1, 2, 0, 0]);
    let other = block(api.find(&ctx, Kind::Variant, &Lookup::AnyMark)).unwrap_err();
    assert_eq!(other.kind, ErrorKind::Unsupported);
}

#[test]
fn a_search_that_brings_others_only_is_no_answer() {
    let held = Held::stocked(Shape::Flat, 3);
    // The parameter is not known there: the whole list comes.
    let api = connector(with(flat(), json!({"find": "/api/products?article={sku}"})));
    let error = block(api.find(&held.ctx(), Kind::Variant, &Lookup::Number("NEW".into()))).unwrap_err();
    assert!(error.kind == ErrorKind::Config && error.message.contains("3 other rows"), "{error}");
}

#[test]
fn a_probe_tries_what_the_file_says_before_anything_is_written() {
    let held = Held::stocked(Shape::Flat, 3);
    let ctx = held.ctx();
    let probe = block(connector(flat()).probe(&ctx)).unwrap();
    assert_eq!((probe.profile.name.as_str(), probe.warnings.len()), ("http-json", 0));
    let attributes: Vec<(&str, &str)> =
        probe.choices["attributes"].iter().map(|choice| (choice.code.as_str(), choice.hint.as_str())).collect();
    assert_eq!(attributes, [("price", "number")]);
    for (change, wanted) in [
        (json!({"read": "/api/product/{id}"}), "is not there where `read` says"),
        (json!({"find": "/api/products?sku=X{sku}"}), "`find` does not bring it"),
        (json!({"find": "/api/products?id={sku}&page=9"}), "`find` does not bring it"),
        (json!({"list": "/api/goods"}), "look at `url` and at `list`"),
        (json!({"items": "/items"}), "the rows are to lie in `/items`"),
    ] {
        let error = block(connector(with(flat(), change)).probe(&ctx)).unwrap_err();
        assert!(error.message.contains(wanted), "{error}");
    }
    let whole = block(connector(with(flat(), json!({"since": null}))).probe(&ctx)).unwrap();
    assert!(whole.warnings[0].contains("no `since`"));
    let strange = with(flat(), json!({"fields": {"sku": "/sku", "texts.en.name": "/id", "weight": "/name"}}));
    let warned = block(connector(strange).probe(&ctx)).unwrap();
    assert!(warned.warnings[0].contains("3 of the first 3 products cannot be read"), "{:?}", warned.warnings);
}

#[test]
fn whoever_we_are_is_told_and_the_pace_is_kept() {
    let held = Held::stocked(Shape::Flat, 45);
    let ctx = held.ctx();
    let variants = Some(super::world::described(flat()));
    let api = crate::http_json::HttpJson::new(crate::http_json::Config {
        url: "http://api.example".into(),
        auth: crate::http_json::Auth::Basic { login: "ann".into(), password: "s:ü".into() },
        per_second: Some(20),
        variants,
    });
    held.meets([Fault::Answer(401, vec![], "{\"error\":\"who are you?\"}".into())]);
    let error = block(api.changes(&ctx, Kind::Variant, &Cursor::default())).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Denied);
    let told = held.with(|world| world.headers.iter().find(|(name, _)| name == "authorization").cloned());
    assert_eq!(told.map(|(_, value)| value).as_deref(), Some("Basic YW5uOnM6w7w="));
    assert!(!format!("{api:?}{error:?}").contains("s:ü"));
    block(async {
        let began = tokio::time::Instant::now();
        held.meets(std::iter::repeat_n(Fault::Answer(200, vec![], "{\"data\":[]}".into()), 5));
        for _ in 0..5 {
            api.changes(&ctx, Kind::Variant, &Cursor::default()).await.unwrap();
        }
        assert!(began.elapsed() >= std::time::Duration::from_millis(200), "{:?}", began.elapsed());
    });
}
