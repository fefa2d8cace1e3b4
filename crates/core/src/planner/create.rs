//! The first write of a variant, a family or a category that only the source of its flow has.

use super::shared::{named, owner_of};
use super::{Decision, Planned};
use crate::id::SystemName;
use crate::kind::{Kind, Step};
use crate::leaf::{Leaf, Leaves, Value};
use crate::merge::Owner;
use crate::path::Path;
use crate::profile::KindProfile;
use crate::record::{Composition, FAMILY, Image, Variant, shared_paths};
use crate::rules::PairRules;

/// What a record is made from.
#[derive(Debug)]
pub struct CreateCase<'a> {
    /// Its kind.
    pub kind: Kind,
    /// The rules between the two.
    pub rules: &'a PairRules,
    /// What the source shows, in the words both share.
    pub seen: &'a Leaves,
    /// What the source does with records of the kind.
    pub source: &'a KindProfile,
    /// The system that lacks it.
    pub target: &'a SystemName,
    /// What that one does with them.
    pub profile: &'a KindProfile,
}

/// Whether a record of `kind` that only its source has is made elsewhere: of variants what is sold, of families those that
/// are offered under a code, of categories all.
#[must_use]
pub fn is_made(kind: Kind, seen: &Leaves) -> bool {
    match kind {
        Kind::Variant => is_sellable(seen),
        Kind::Product => is_offered(seen) && text(seen, "key").is_some_and(|key| !key.is_empty()),
        Kind::Category => true,
        _ => false,
    }
}

/// Whether a variant is offered, has a SKU and is no service, and no kit whose parts are not told: only such are made
/// elsewhere.
fn is_sellable(seen: &Leaves) -> bool {
    let is_kit = Composition::is_fixed(seen);
    is_offered(seen)
        && text(seen, "sku").is_some_and(|sku| !sku.is_empty())
        && text(seen, "form").is_none_or(|form| form == "goods" || (form == "kit" && is_kit))
}

fn is_offered(seen: &Leaves) -> bool {
    seen.value(&Path::field("active")) == Some(&Value::Bool(true))
}

fn text<'a>(seen: &'a Leaves, field: &'static str) -> Option<&'a str> {
    match seen.value(&Path::field(field)) {
        Some(Value::Text(text)) => Some(text.trim()),
        _ => None,
    }
}

/// What a record goes by in its system, which is told when it is made and shared never: the names of the fields.
pub const NAMES: [&str; 3] = ["sku", "key", FAMILY];

/// The step that makes the record in the target, with every field that flows there but `active`: a variant begins
/// disabled, for it has neither price nor stock yet, and a category hidden, for nobody has looked at it yet.
#[must_use]
pub fn create(case: &CreateCase<'_>) -> Decision {
    if !case.profile.steps.contains(&Step::Create) {
        return Decision::Outside(alloc::format!("{} does not know it, and nothing is made there", case.target));
    }
    if case.kind == Kind::Category {
        return category(case);
    }
    if !is_made(case.kind, case.seen) {
        let why = match case.kind {
            Kind::Product => "only families that are offered and have a code are made there",
            _ => "only goods that are offered and have a SKU are made there",
        };
        return Decision::Outside(alloc::format!("{} does not know it; {why}", case.target));
    }
    let kit = Composition::is_fixed(case.seen);
    let mut parts = case.seen.iter().map(|(path, _)| path).filter(|path| Composition::part_of(path).is_some());
    if kit && !parts.any(|path| flows(case, path)) {
        let why = "a kit is made where its parts flow (`fields = { parts = … }`)";
        return Decision::Outside(alloc::format!("{} does not know it; {why}", case.target));
    }
    let told = told(case, |path| NAMES.contains(&path.as_str()) || *path == Composition::told_at());
    let why = "it begins disabled: enable it there once price and stock are right";
    step(case, told, why)
}

/// The step that makes a category; one that has no name yet is none for the target.
fn category(case: &CreateCase<'_>) -> Decision {
    let told = told(case, |_| false);
    if !told.iter().any(|(path, _)| path.is_named_by("texts.*.name")) {
        return Decision::Outside(alloc::format!("{} does not know it, and no name of it flows there", case.target));
    }
    step(case, told, "it begins hidden: show it there once it is right")
}

/// What the source tells that flows to the target, and what is `wanted` beside.
fn told(case: &CreateCase<'_>, wanted: impl Fn(&Path) -> bool) -> Leaves {
    // What is made is put into its categories and gets its images afterwards, each a request of its own.
    let later =
        |path: &Path| path.as_str() == "active" || Variant::category_of(path).is_some() || Image::at(path).is_some();
    let told = case.seen.iter().filter(|(_, value)| value.is_some());
    let flowing = told.filter(|(path, _)| wanted(path) || (flows(case, path) && !later(path)));
    flowing.map(|(path, value)| (path.clone(), value.cloned())).collect()
}

fn step(case: &CreateCase<'_>, leaves: Leaves, why: &str) -> Decision {
    Decision::Step(Planned {
        target: case.target.clone(),
        kind: case.kind,
        step: Step::Create,
        leaves,
        reason: alloc::format!("{} has it and {} has not; {why}", case.rules.source, case.target),
        adopt_only: false,
    })
}

/// Whether the source's value at `path` is carried to the target.
fn flows(case: &CreateCase<'_>, path: &Path) -> bool {
    let shared = named(shared_paths(case.kind), path)
        && [case.source, case.profile].into_iter().all(|profile| named(&profile.reads, path));
    let (to_source, to_target) = (named(&case.source.writes, path), named(&case.profile.writes, path));
    let owner = owner_of(case.rules.policy(path), &case.rules.source, case.target, (to_source, to_target));
    shared && matches!(owner, Owner::A | Owner::Merge) && to_target
}

/// What both agree on once the target shows `shown` of a record that was made of `sent`, where `from` is what the source
/// showed of every field that flows: those of the target, those of the source.
///
/// What was not sent yet, as a text of another language, is told as changed by the source. `active` is told as never
/// said, which is how [`is_veiled`] knows it again.
#[must_use]
pub fn agreed_by_create(sent: &Leaves, from: &Leaves, shown: &Leaves) -> (Leaves, Leaves) {
    let (mut of_target, mut of_source) = (Leaves::new(), Leaves::new());
    for (path, value) in from.iter().filter(|(path, _)| !NAMES.contains(&path.as_str())) {
        let there = shown.get(path);
        if there == Leaf::Untold {
            continue;
        }
        let origin = if path.as_str() == "active" {
            Leaf::Empty
        } else if sent.get(path) == there {
            value.map_or(Leaf::Empty, |value| Leaf::Value(value.clone()))
        } else {
            there.clone()
        };
        of_target.set(path.clone(), there);
        of_source.set(path.clone(), origin);
    }
    (of_target, of_source)
}

/// Whether a record was made in the target and nobody enabled it there since, by what its source showed last.
#[must_use]
pub fn is_veiled(source_base: &Leaves) -> bool {
    source_base.get(&Path::field("active")) == Leaf::Empty
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::FieldPolicy;
    use alloc::string::{String, ToString};
    use alloc::vec::Vec;

    fn leaves(pairs: &[(&str, &str)]) -> Leaves {
        let value = |text: &str| match text {
            "" => None,
            "yes" => Some(Value::Bool(true)),
            "no" => Some(Value::Bool(false)),
            text => Some(Value::Text(text.to_string())),
        };
        pairs.iter().map(|(path, text)| (Path::try_from(path.to_string()).unwrap(), value(text))).collect()
    }

    const MUG: [(&str, &str); 5] = [
        ("sku", "MUG"),
        ("active", "yes"),
        ("texts.en.name", "Mug"),
        ("texts.de.name", "Becher"),
        ("texts.en.description", ""),
    ];

    fn planned(seen: &[(&str, &str)], policies: &[(&str, FieldPolicy)], steps: &[Step]) -> Decision {
        planned_of(&leaves(seen), policies, steps)
    }

    fn planned_of(seen: &Leaves, policies: &[(&str, FieldPolicy)], steps: &[Step]) -> Decision {
        let all: Vec<String> = shared_paths(Kind::Variant).iter().map(|path| path.to_string()).collect();
        let source = KindProfile { reads: all.clone(), writes: all, ..KindProfile::default() };
        let target = KindProfile { steps: steps.to_vec(), ..source.clone() };
        let rules = PairRules {
            source: SystemName::new("erp"),
            target: SystemName::new("shop"),
            policies: policies.iter().map(|(p, o)| (Path::try_from(p.to_string()).unwrap(), o.clone())).collect(),
            creates: true,
        };
        let shop = SystemName::new("shop");
        let kind = Kind::Variant;
        create(&CreateCase { kind, rules: &rules, seen, source: &source, target: &shop, profile: &target })
    }

    #[test]
    fn what_flows_is_sent_and_what_the_shop_keeps_is_not() {
        let Decision::Step(step) = planned(&MUG, &[], &[Step::Create]) else { panic!("no step") };
        let wanted = leaves(&[("sku", "MUG"), ("texts.en.name", "Mug"), ("texts.de.name", "Becher")]);
        assert_eq!((step.step, step.leaves), (Step::Create, wanted));
        assert!(step.reason.contains("disabled"), "{}", step.reason);
        let policies =
            [("texts.de.name", FieldPolicy::Keep), ("texts.en.name", FieldPolicy::Owner(SystemName::new("shop")))];
        let Decision::Step(step) = planned(&MUG, &policies, &[Step::Create]) else { panic!("no step") };
        assert_eq!(step.leaves, leaves(&[("sku", "MUG")]));
    }

    #[test]
    fn what_is_not_sold_is_not_made() {
        let with = |change: (&'static str, &'static str)| {
            let mut seen: Vec<(&str, &str)> = MUG.iter().filter(|(path, _)| *path != change.0).copied().collect();
            seen.push(change);
            planned(&seen, &[], &[Step::Create])
        };
        for change in [("active", "no"), ("sku", ""), ("form", "service")] {
            assert!(matches!(with(change), Decision::Outside(_)), "{change:?}");
        }
        assert!(matches!(with(("form", "goods")), Decision::Step(_)));
        assert!(matches!(planned(&MUG, &[], &[Step::Update]), Decision::Outside(_)));
    }

    #[test]
    fn a_kit_is_made_with_its_parts_where_they_flow_and_are_told() {
        let kit = |policies: &[(&str, FieldPolicy)], told: &str| {
            let mut seen = leaves(&MUG);
            seen.put(Path::field("form"), Value::Text("kit".to_string()));
            seen.put(Composition::told_at(), Value::Text(told.to_string()));
            seen.put(Composition::part_path("CUP"), Value::Number(2.into()));
            planned_of(&seen, policies, &[Step::Create])
        };
        let Decision::Step(step) = kit(&[], "fixed") else { panic!("no step") };
        assert_eq!(step.leaves.value(&Composition::part_path("CUP")), Some(&Value::Number(2.into())));
        assert!(step.leaves.value(&Composition::told_at()).is_some());
        for outside in [kit(&[("parts", FieldPolicy::Keep)], "fixed"), kit(&[], "buyers choose")] {
            assert!(matches!(outside, Decision::Outside(_)), "{outside:?}");
        }
    }

    #[test]
    fn after_the_first_write_other_languages_are_still_to_come_and_active_waits() {
        let from = leaves(&MUG);
        let shown = leaves(&[("sku", "MUG"), ("active", "no"), ("texts.en.name", "Mug"), ("texts.de.name", "Mug")]);
        let sent = leaves(&[("sku", "MUG"), ("texts.en.name", "Mug")]);
        let (target, source) = agreed_by_create(&sent, &from, &shown);
        assert_eq!(target, leaves(&[("active", "no"), ("texts.en.name", "Mug"), ("texts.de.name", "Mug")]));
        assert_eq!(source, leaves(&[("active", ""), ("texts.en.name", "Mug"), ("texts.de.name", "Mug")]));
        assert!(is_veiled(&source) && !is_veiled(&target) && !is_veiled(&Leaves::new()));
    }

    #[test]
    fn of_each_kind_only_what_is_offered_under_its_name_is_made() {
        let family = [("active", "yes"), ("key", "CUPS")];
        for (kind, seen, made) in [
            (Kind::Product, &family[..], true),
            (Kind::Product, &[("active", "no"), ("key", "CUPS")], false),
            (Kind::Product, &[("active", "yes"), ("key", " ")], false),
            (Kind::Product, &[("active", "yes"), ("sku", "CUPS")], false),
            (Kind::Product, &[("key", "CUPS")], false),
            (Kind::Variant, &[("active", "yes"), ("sku", "MUG")], true),
            (Kind::Variant, &[("active", "yes"), ("sku", "MUG"), ("form", "goods")], true),
            (Kind::Variant, &[("active", "yes"), ("sku", " MUG "), ("form", " goods ")], true),
            (Kind::Variant, &[("active", "yes"), ("sku", " ")], false),
            (Kind::Variant, &[("active", "yes"), ("sku", "yes")], false),
            (Kind::Variant, &[("sku", "MUG")], false),
            (Kind::Variant, &[("active", "yes"), ("sku", "SET"), ("form", "kit")], false),
            (Kind::Variant, &[("active", "yes"), ("sku", "SET"), ("form", "kit"), ("composition", "fixed")], true),
            (Kind::Variant, &[("active", "yes"), ("sku", "SET"), ("form", "service"), ("composition", "fixed")], false),
            (Kind::Category, &[], true),
            (Kind::Customer, &family, false),
            (Kind::Stock, &family, false),
        ] {
            assert_eq!(is_made(kind, &leaves(seen)), made, "{kind} {seen:?}");
        }
    }

    /// What is decided about a record of `kind` where the source reads and the target reads and writes these paths.
    fn made_of(kind: Kind, seen: &[(&str, &str)], reads: [&[&str]; 2], writes: &[&str]) -> Decision {
        let all = |paths: &[&str]| paths.iter().map(|path| (*path).to_string()).collect::<Vec<_>>();
        let source = KindProfile { reads: all(reads[0]), ..KindProfile::default() };
        let steps = [Step::Create].to_vec();
        let profile = KindProfile { reads: all(reads[1]), writes: all(writes), steps, ..KindProfile::default() };
        let (erp, shop) = (SystemName::new("erp"), SystemName::new("shop"));
        let rules = PairRules { source: erp, target: shop.clone(), policies: Vec::new(), creates: true };
        create(&CreateCase {
            kind,
            rules: &rules,
            seen: &leaves(seen),
            source: &source,
            target: &shop,
            profile: &profile,
        })
    }

    fn sent(decision: Decision) -> Vec<String> {
        match decision {
            Decision::Step(plan) => plan.leaves.iter().map(|(path, _)| path.to_string()).collect(),
            other => [alloc::format!("{other:?}")].to_vec(),
        }
    }

    #[test]
    fn a_field_flows_where_both_tell_it_and_the_target_can_be_told() {
        let (seen, name) = ([("sku", "MUG"), ("active", "yes"), ("texts.en.name", "Mug")], &["texts.*.name"][..]);
        let of = |reads, writes| sent(made_of(Kind::Variant, &seen, reads, writes));
        assert_eq!(of([name, name], name), ["sku", "texts.en.name"]);
        for (reads, writes) in [([&[][..], name], name), ([name, &[]], name), ([name, name], &[])] {
            assert_eq!(of(reads, writes), ["sku"], "{reads:?} {writes:?}");
        }
        let other = &["serial"][..];
        let unshared = [("sku", "MUG"), ("active", "yes"), ("serial", "4")];
        assert_eq!(sent(made_of(Kind::Variant, &unshared, [other, other], other)), ["sku"], "what is never shared");
    }

    #[test]
    fn what_is_made_comes_without_categories_and_images_and_is_not_enabled_yet() {
        let all = shared_paths(Kind::Variant);
        let seen = [
            ("sku", "MUG"),
            ("family", "CUPS"),
            ("active", "yes"),
            ("weight", "3"),
            ("categories[4]", "yes"),
            ("images[1f]", "image/png, 9 bytes"),
            ("texts.en.description", ""),
        ];
        assert_eq!(sent(made_of(Kind::Variant, &seen, [all, all], all)), ["family", "sku", "weight"]);
    }

    #[test]
    fn a_category_is_made_hidden_once_a_name_of_it_flows() {
        let all = shared_paths(Kind::Category);
        let of = |seen: &[(&str, &str)]| made_of(Kind::Category, seen, [all, all], all);
        let named = of(&[("active", "no"), ("parent", "top"), ("texts.en.name", "Cups"), ("key", "cups")]);
        assert!(matches!(&named, Decision::Step(plan) if plan.reason.contains("hidden")), "{named:?}");
        assert_eq!(sent(named), ["parent", "texts.en.name"]);
        let unnamed = of(&[("active", "yes"), ("parent", "top"), ("texts.en.description", "Cups")]);
        assert!(matches!(&unnamed, Decision::Outside(why) if why.contains("no name of it")), "{unnamed:?}");
    }

    #[test]
    fn what_is_not_made_says_what_would_be() {
        let why = |kind| match made_of(kind, &[("active", "no")], [&[], &[]], &[]) {
            Decision::Outside(why) => why,
            other => panic!("{other:?}"),
        };
        assert!(why(Kind::Product).ends_with("only families that are offered and have a code are made there"));
        assert!(why(Kind::Variant).ends_with("only goods that are offered and have a SKU are made there"));
    }
}
