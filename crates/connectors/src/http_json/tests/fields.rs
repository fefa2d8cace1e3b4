//! Forms of fields, both ways, and descriptions that do not go together.

use super::world::{connector, flat, nested, number, text, with};
use proptest::prelude::*;
use rust_decimal::Decimal;
use serde_json::{Value as Json, json};
use syncline_connect::Connector;
use syncline_connect::json_api::Resource;
use syncline_core::kind::Kind;
use syncline_core::leaf::Value;
use syncline_core::path::Path;
use syncline_core::profile::Fit;

fn described(description: Json) -> Resource {
    super::world::described(description)
}

fn path(text: &str) -> Path {
    Path::try_from(text.to_owned()).unwrap()
}

/// `value` of the field `name` as it is written by `description` and read again.
fn there_and_back(description: &Resource, name: &str, value: &Value) -> Option<Value> {
    let mut record = json!({});
    let leaves = [(path("sku"), Some(text("MUG"))), (path(name), Some(value.clone()))].into_iter().collect();
    super::super::map::fill(description, &leaves, &mut record).unwrap();
    let read = super::super::map::variant(description, &record).unwrap();
    syncline_core::record::Record::Variant(read).to_leaves().value(&path(name)).cloned()
}

proptest! {
    #[test]
    fn a_decimal_comes_back_as_it_fits(mantissa in -1_000_000_000i64..1_000_000_000, scale in 0u32..6) {
        let value = Value::Number(Decimal::new(mantissa, scale).normalize());
        for description in [flat(), nested()] {
            let (api, resource) = (connector(description.clone()), described(description));
            let at = path("attributes.price");
            let kept = match api.fit(Kind::Variant, &at, &value) {
                Fit::Exact => value.clone(),
                Fit::As(kept, _) => kept,
                Fit::Refused(why) => return Err(TestCaseError::fail(why)),
            };
            prop_assert_eq!(there_and_back(&resource, "attributes.price", &value), Some(kept.clone()));
            prop_assert_eq!(api.fit(Kind::Variant, &at, &kept), Fit::Exact, "what fits once fits always");
        }
    }

    #[test]
    fn a_text_comes_back_as_it_fits(told in "\\PC{1,60}") {
        let (api, resource) = (connector(flat()), described(flat()));
        let at = path("texts.en.name");
        let kept = match api.fit(Kind::Variant, &at, &text(&told)) {
            Fit::As(kept, _) => kept,
            _ => text(&told),
        };
        prop_assert_eq!(there_and_back(&resource, "texts.en.name", &text(&told)), Some(kept.clone()));
        prop_assert_eq!(api.fit(Kind::Variant, &at, &kept), Fit::Exact);
    }
}

#[test]
fn each_value_is_kept_as_the_file_says() {
    let forms = |told: Json| described(with(flat(), json!({"fields": {"sku": "/sku", "attributes.a": told}})));
    for (told, value, wanted) in [
        (json!({"at": "/a", "as": "number"}), number("19.90"), "19.9"),
        (json!({"at": "/a", "as": "number-text"}), number("19.90"), "\"19.9\""),
        (json!({"at": "/a", "as": "number-text", "digits": 2}), number("19.9"), "\"19.90\""),
        (json!({"at": "/a", "as": "minor", "digits": 2}), number("19.905"), "1991"),
        (json!({"at": "/a", "as": "minor", "digits": 0}), number("19"), "19"),
        (json!({"at": "/a"}), number("1.50"), "\"1.5\""),
        (json!({"at": "/a", "as": "bool"}), Value::Bool(true), "true"),
        (json!({"at": "/a", "as": "bool", "yes": "on", "no": "off"}), Value::Bool(false), "\"off\""),
        (json!({"at": "/a", "as": "bool", "yes": 1, "no": 0}), Value::Bool(false), "0"),
        (json!({"at": "/a", "as": "number"}), text("7.25"), "7.25"),
    ] {
        let mut record = json!({});
        let leaves = [(path("attributes.a"), Some(value))].into_iter().collect();
        super::super::map::fill(&forms(told.clone()), &leaves, &mut record).unwrap();
        assert_eq!(record["a"].to_string(), wanted, "{told}");
    }
}

#[test]
fn what_a_record_tells_is_told_nothing_or_not_told() {
    let resource = described(flat());
    let told = |record: Json| {
        let variant = super::super::map::variant(&resource, &record).unwrap();
        syncline_core::record::Record::Variant(variant).to_leaves()
    };
    let bare = told(json!({"sku": "A"}));
    assert_eq!(bare.iter().count(), 1, "{bare:?}");
    let empty = told(json!({"sku": "A", "name": null, "description": "", "weight": null, "price": "", "status": null}));
    for field in ["texts.en.name", "texts.en.description", "weight", "attributes.price"] {
        assert_eq!(empty.get(&path(field)), syncline_core::leaf::Leaf::Empty, "{field}");
    }
    assert_eq!(empty.get(&path("active")), syncline_core::leaf::Leaf::Untold);
    let always = described(with(flat(), json!({"fields": {"sku": "/sku", "active": true}})));
    assert_eq!(super::super::map::variant(&always, &json!({"sku": "A"})).unwrap().active, Some(true));
}

#[test]
fn a_description_that_does_not_go_together_says_what_to_do() {
    let wrong = |change: Json| {
        let resource: Resource = serde_json::from_value(with(flat(), change)).unwrap();
        let mismatch = resource.checked().unwrap_err();
        format!("{}: {}", mismatch.what, mismatch.remedy)
    };
    let fields = |told: Json| json!({"fields": {"sku": "/sku", "weight": told}});
    for (change, wanted) in [
        (json!({"fields": {}}), "`fields` has no `sku`: add"),
        (json!({"find": null}), "`create` without `find`"),
        (json!({"read": null}), "what is written has to be read back"),
        (json!({"changed": null}), "`since` without `changed`"),
        (json!({"read": "/api/products"}), "`read` is `/api/products`: it has to hold `{id}`"),
        (json!({"list": "/api/{id}"}), "`{id}` cannot be filled in here"),
        (json!({"find": "/api/{id}?sku={sku}"}), "`{id}` cannot be filled in here"),
        (json!({"update": {"path": "/api/products"}}), "`update.path`"),
        (json!({"create": {"path": "/api", "body": "whole"}}), "`create` says `body`"),
        (json!({"paging": {"style": "page"}}), "`paging` has no `parameter`"),
        (json!({"paging": {"style": "none", "size": 3}}), "`paging.size` means nothing with `style = \"none\"`"),
        (json!({"paging": {"style": "link", "next": "/n", "total": "/t"}}), "`paging.total` means nothing"),
        (json!({"paging": {"style": "offset", "parameter": "o", "size": 5}}), "one of `size` and `size_parameter`"),
        (
            json!({"paging": {"style": "page", "parameter": "p", "size": 0, "size_parameter": "l"}}),
            "`paging.size` is 0",
        ),
        (fields(json!(true)), "`fields.weight` says nothing of where it stands"),
        (fields(json!({"at": "/w", "as": "text"})), "cannot have that form"),
        (fields(json!({"at": "/w", "as": "minor"})), "has no `digits`"),
        (fields(json!({"at": "/w", "digits": 9})), "`digits` that mean nothing"),
        (fields(json!({"at": "/w", "limit": 9})), "`limit` that means nothing"),
        (fields(json!({"at": "/w", "yes": "a", "no": "b"})), "words for yes and no"),
        (fields(json!("")), "is the whole record"),
        (fields(json!("/weights/0")), "a place of a list"),
        (json!({"fields": {"sku": {"at": "/sku", "limit": 5}}}), "is to be cut"),
        (json!({"fields": {"sku": "/s", "active": {"at": "/a", "yes": 1, "no": "1"}}}), "one word for yes and no"),
    ] {
        let told = wrong(change.clone());
        assert!(told.contains(wanted), "{change}: {told}");
    }
}
