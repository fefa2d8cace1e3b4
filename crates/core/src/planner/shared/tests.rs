//! What is decided about records that two systems share, field by field.

mod asked;

use super::*;
use alloc::vec;

fn exact(_: &Path, _: &Value) -> Fit {
    Fit::Exact
}

fn leaves(pairs: &[(&str, &str)]) -> Leaves {
    let leaf = |text: &str| (!text.is_empty()).then(|| Value::Text(text.to_string()));
    pairs.iter().map(|(path, text)| (Path::try_from(path.to_string()).unwrap(), leaf(text))).collect()
}

fn planned(policies: &[(&str, FieldPolicy)], a: [&Leaves; 2], b: [&Leaves; 2], chosen: &Leaves) -> Shared {
    let (erp, shop) = (SystemName::new("erp"), SystemName::new("shop"));
    let rules = PairRules {
        source: erp.clone(),
        target: shop.clone(),
        policies: policies.iter().map(|(p, o)| (Path::try_from(p.to_string()).unwrap(), o.clone())).collect(),
        creates: false,
    };
    let all = vec!["texts.*.name".to_string(), "texts.*.description".to_string()];
    let profile = KindProfile { reads: all.clone(), writes: all, ..KindProfile::default() };
    let none = Undoings::new();
    shared(&SharedCase {
        rules: &rules,
        kind: Kind::Variant,
        shared: &crate::record::VARIANT_SHARED,
        source: Share { system: &erp, seen: a[0], base: a[1], profile: &profile, fit: &exact, undone: &none },
        target: Share { system: &shop, seen: b[0], base: b[1], profile: &profile, fit: &exact, undone: &none },
        chosen,
    })
}

fn step(shared: &Shared) -> (String, Leaves) {
    match &shared.decision {
        Decision::Step(step) => (step.target.to_string(), step.leaves.clone()),
        other => (alloc::format!("{other:?}"), Leaves::new()),
    }
}

#[test]
fn the_shop_keeps_what_it_owns_and_gets_what_the_erp_owns() {
    let shops = [("texts.*.description", FieldPolicy::Owner(SystemName::new("shop")))];
    let base = leaves(&[("texts.de.name", "Becher"), ("texts.de.description", "alt")]);
    let erp = leaves(&[("texts.de.name", "Tasse"), ("texts.de.description", "vom ERP")]);
    let shop = leaves(&[("texts.de.name", "Pott"), ("texts.de.description", "vom Shop")]);
    let none = Leaves::new();
    let first = planned(&shops, [&erp, &base], [&shop, &base], &none);
    assert_eq!(step(&first), ("shop".to_string(), leaves(&[("texts.de.name", "Tasse")])));
    let shop = leaves(&[("texts.de.name", "Tasse"), ("texts.de.description", "vom Shop")]);
    let then = planned(&shops, [&erp, &base], [&shop, &base], &none);
    assert_eq!(step(&then), ("erp".to_string(), leaves(&[("texts.de.description", "vom Shop")])));
}

#[test]
fn an_image_is_added_taken_away_with_its_owner_and_left_where_it_is_the_shops() {
    let all = |texts: &[&str]| texts.iter().map(|text| (*text).to_string()).collect::<Vec<_>>();
    let images = all(&["images[*]", "images[*].position", "images[*].twice"]);
    let (erp, shop) = (SystemName::new("erp"), SystemName::new("shop"));
    let reading = KindProfile { reads: images.clone(), ..KindProfile::default() };
    let writing = KindProfile { reads: images.clone(), writes: images, ..KindProfile::default() };
    let asked = |policy: Option<FieldPolicy>, a: [&Leaves; 2], b: [&Leaves; 2]| {
        let policies = policy.map(|policy| (Path::field("images"), policy)).into_iter().collect();
        let rules = PairRules { source: erp.clone(), target: shop.clone(), policies, creates: false };
        let none = Undoings::new();
        shared(&SharedCase {
            rules: &rules,
            kind: Kind::Variant,
            shared: &crate::record::VARIANT_SHARED,
            source: Share { system: &erp, seen: a[0], base: a[1], profile: &reading, fit: &exact, undone: &none },
            target: Share { system: &shop, seen: b[0], base: b[1], profile: &writing, fit: &exact, undone: &none },
            chosen: &Leaves::new(),
        })
    };
    let none = Leaves::new();
    let (has, lacks) = (leaves(&[("images[1f]", "a")]), leaves(&[("images[1f]", "")]));
    let added = asked(None, [&has, &none], [&lacks, &none]);
    assert_eq!(step(&added), ("shop".to_string(), has.clone()));
    let own = asked(None, [&lacks, &none], [&has, &none]);
    assert_eq!((&own.decision, own.conflicts.len()), (&Decision::Agreed, 0), "the shop's own");
    let gone = asked(None, [&lacks, &has], [&has, &has]);
    assert_eq!(step(&gone), ("shop".to_string(), lacks.clone()));
    let twice = leaves(&[("images[1f]", "a"), ("images[1f].twice", "yes")]);
    let mended = asked(None, [&has, &has], [&twice, &has]);
    assert_eq!(step(&mended), ("shop".to_string(), leaves(&[("images[1f].twice", "")])));
    let kept = asked(Some(FieldPolicy::Keep), [&has, &none], [&twice, &none]);
    assert_eq!(kept.decision, Decision::Agreed, "where each keeps its own nothing is touched");
}

#[test]
fn a_clash_goes_to_a_person_or_to_whom_the_file_names() {
    let merge = |winner: Option<&str>| [("texts", FieldPolicy::Merge(winner.map(SystemName::new)))];
    let base = leaves(&[("texts.de.name", "Becher"), ("texts.en.name", "Mug")]);
    let erp = leaves(&[("texts.de.name", "Tasse"), ("texts.en.name", "Mug")]);
    let shop = leaves(&[("texts.de.name", "Pott"), ("texts.en.name", "Cup")]);
    let none = Leaves::new();
    let asked = planned(&merge(None), [&erp, &base], [&shop, &base], &none);
    // The other field goes its way meanwhile.
    assert_eq!(step(&asked), ("erp".to_string(), leaves(&[("texts.en.name", "Cup")])));
    assert_eq!(asked.conflicts.len(), 1);
    let won = planned(&merge(Some("shop")), [&erp, &base], [&shop, &base], &none);
    assert!(won.conflicts.is_empty());
    let both = leaves(&[("texts.de.name", "Pott"), ("texts.en.name", "Cup")]);
    assert_eq!(step(&won), ("erp".to_string(), both));
    let chosen = leaves(&[("texts.de.name", "Humpen")]);
    let decided = planned(&merge(None), [&erp, &base], [&shop, &base], &chosen);
    assert_eq!(step(&decided), ("shop".to_string(), chosen));
}

#[test]
fn what_differed_before_it_was_tied_waits_for_a_person_and_what_is_alike_is_agreed() {
    let none = Leaves::new();
    let erp = leaves(&[("texts.de.name", "Tasse"), ("texts.en.name", "Mug"), ("texts.fr.name", "Bol")]);
    let shop = leaves(&[("texts.de.name", "Pott"), ("texts.en.name", "Mug"), ("sku", "MUG")]);
    let first = planned(&[], [&erp, &none], [&shop, &none], &none);
    assert!(matches!(first.decision, Decision::Conflict(_)));
    let agreed = leaves(&[("texts.en.name", "Mug")]);
    assert_eq!(first.agreed, (agreed.clone(), agreed));
}
