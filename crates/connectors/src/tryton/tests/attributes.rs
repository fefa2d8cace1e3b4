//! Identifiers, attributes and the tax category of products: read, written where Tryton would take anything, and guarded.

use super::super::{Carried, Config};
use super::bench::{Bench, World, run, variant_of};
use serde_json::json;
use std::collections::BTreeMap;
use syncline_connect::{Connector, Lookup, Outcome, Snapshot};
use syncline_core::kind::{Kind, Step};
use syncline_core::leaf::{Leaves, Value};
use syncline_core::path::Path;
use syncline_core::policy::ErrorKind;

const FIELDS: [(&str, &str); 6] = [
    ("ean", "identifier:ean"),
    ("color", "attribute:colour"),
    ("material", "attribute:material"),
    ("watts", "attribute:watts"),
    ("washable", "attribute:washable"),
    ("tax_class_id", "tax_category"),
];

fn carrying(world: &World) -> Bench {
    let plain = Config::new("http://erp.test/acme", "sync", "word");
    let one = |(code, source): (&str, &str)| {
        let names = match code {
            "tax_class_id" => BTreeMap::from([("Taxable Goods".to_string(), "Goods VAT 19%".to_string())]),
            _ => BTreeMap::new(),
        };
        (code.to_string(), Carried { source: source.to_string(), names })
    };
    world.bench_of(Config { attributes: FIELDS.into_iter().map(one).collect(), ..plain })
}

async fn mug(bench: &Bench) -> Snapshot {
    bench.erp.find(&bench.ctx, Kind::Variant, &Lookup::Number("MUG".into())).await.unwrap().remove(0)
}

fn text(text: &str) -> Value {
    Value::Text(text.to_string())
}

async fn edit(bench: &Bench, on: &Snapshot, code: &str, value: Option<Value>) -> Outcome {
    let mut leaves = Leaves::new();
    leaves.tell(Path::try_from(format!("attributes.{code}")).unwrap(), value);
    bench.one(bench.permit(Kind::Variant, Step::Update, &bench.mark(code), Some(on), leaves)).await
}

async fn edited(bench: &Bench, on: &Snapshot, code: &str, value: Option<Value>) -> Snapshot {
    match edit(bench, on, code, value.clone()).await {
        Outcome::Done(now) => {
            assert_eq!(variant_of(&now).attributes[code], value, "{code}");
            *now
        }
        other => panic!("{code}: {other:?}"),
    }
}

fn refusal(outcome: Outcome) -> (ErrorKind, String) {
    match outcome {
        Outcome::Refused(error) => (error.kind, error.message),
        other => panic!("{other:?}"),
    }
}

#[test]
fn each_field_is_written_where_it_lives_and_guarded_by_the_product() {
    let world = World::new(true);
    let bench = carrying(&world);
    run(async {
        let first = mug(&bench).await;
        let told = &variant_of(&first).attributes;
        assert_eq!((&told["tax_class_id"], &told["color"]), (&Some(text("Taxable Goods")), &None));
        assert!(told["ean"].is_some(), "half of the goods have a barcode");
        let now = edited(&bench, &first, "ean", Some(text("4006381333931"))).await;
        assert_eq!(refusal(edit(&bench, &first, "ean", Some(text("96385074"))).await).0, ErrorKind::Stale);
        let now = edited(&bench, &now, "color", Some(text("Größer & grün"))).await;
        let now = edited(&bench, &now, "material", Some(text("Cotton\nWool"))).await;
        let now = edited(&bench, &now, "watts", Some(Value::Number("12.345".parse().unwrap()))).await;
        let now = edited(&bench, &now, "washable", Some(Value::Bool(false))).await;
        assert_eq!(variant_of(&now).attributes["color"], Some(text("Größer & grün")), "the others stay");
        let now = edited(&bench, &now, "color", None).await;
        let now = edited(&bench, &now, "ean", None).await;
        assert_eq!(variant_of(&now).attributes["material"], Some(text("Cotton\nWool")));
        let (kind, message) = refusal(edit(&bench, &now, "tax_class_id", Some(text("Reduced"))).await);
        assert!(kind == ErrorKind::Invalid && message.contains("only read"), "{message}");
    });
}

#[test]
fn what_tryton_would_keep_without_a_word_is_refused() {
    let world = World::new(true);
    let bench = carrying(&world);
    run(async {
        let first = mug(&bench).await;
        for (code, value, why) in [
            ("color", text("Purple"), "no choice"),
            ("ean", text("123"), "EAN"),
            ("washable", text("maybe"), "yes-no"),
            ("watts", text("abc"), "number"),
        ] {
            let (_, message) = refusal(edit(&bench, &first, code, Some(value)).await);
            assert!(message.contains(why), "{code}: {message}");
        }
        // A product whose attribute set does not have it.
        assert!(world.with(|erp| {
            let now = "2026-11-23T10:00:00Z".parse().unwrap();
            erp.edit_product(now, "MUG", None, "attribute_set", &json!(null))
        }));
        let now = mug(&bench).await;
        let (_, message) = refusal(edit(&bench, &now, "color", Some(text("Red"))).await);
        assert!(message.contains("attribute set"), "{message}");
    });
}

#[test]
fn without_its_module_there_are_no_attributes_and_a_probe_says_so() {
    let world = World::new(false);
    let bench = carrying(&world);
    run(async {
        let probe = bench.erp.probe(&bench.ctx).await.unwrap();
        let told: Vec<&str> = probe.choices["attributes"].iter().map(|one| one.code.as_str()).collect();
        assert_eq!(told, ["ean", "tax_class_id"]);
        let writes = &probe.profile.kinds[&Kind::Variant].writes;
        assert!(
            writes.contains(&"attributes.ean".to_string()) && !writes.contains(&"attributes.tax_class_id".to_string())
        );
        assert_eq!(probe.warnings.iter().filter(|text| text.contains("attribute:")).count(), 4);
        assert_eq!(variant_of(&mug(&bench).await).attributes.len(), 2);
    });
}

#[test]
fn a_choice_that_was_added_since_is_told_by_its_label() {
    let world = World::new(true);
    let bench = carrying(&world);
    run(async {
        assert_eq!(variant_of(&mug(&bench).await).attributes["color"], None);
        world.pass(jiff::SignedDuration::from_mins(5));
        let now = "2026-11-23T10:05:00Z".parse().unwrap();
        let more = json!({"selection": "red:Red\nviolet:Violet"});
        assert!(world.with(|erp| erp.directly(now, "product.attribute", 1, &more)));
        assert!(world.with(|erp| erp.edit_product(now, "MUG", None, "attribute:colour", &json!("violet"))));
        assert_eq!(variant_of(&mug(&bench).await).attributes["color"], Some(text("Violet")));
    });
}
