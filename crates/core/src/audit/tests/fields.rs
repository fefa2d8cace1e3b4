//! What the checker makes of records that systems share field by field.

use super::*;
use crate::planner::Undone;

/// What is known of a record that the shop has from the ERP, and who may set what.
#[derive(Default)]
struct Record {
    policies: Vec<(&'static str, FieldPolicy)>,
    creates: bool,
    erp: Vec<(&'static str, Option<Value>)>,
    shop: Vec<(&'static str, Option<Value>)>,
    base: Vec<(&'static str, Option<Value>)>,
    chosen: Vec<(&'static str, Option<Value>)>,
    undone: Undoings,
}

impl Record {
    /// What is said against a step that sets `leaves` in the shop.
    fn step(&self, step: Step, leaves: Vec<(&str, Option<Value>)>) -> String {
        let policies = self.policies.iter().map(|(path, policy)| (Path::field(path), policy.clone())).collect();
        let rules = PairRules {
            source: SystemName::new("erp"),
            target: SystemName::new("shop"),
            policies,
            creates: self.creates,
        };
        let [seen, other_seen, base, chosen] =
            [&self.shop, &self.erp, &self.base, &self.chosen].map(|fields| told(fields.clone()));
        let shared =
            SharedFacts { rules: &rules, other_seen: &other_seen, base: &base, chosen: &chosen, undone: &self.undone };
        let plan = Planned { target: SystemName::new("shop"), ..plan(Kind::Variant, step, told(leaves)) };
        against(&plan, &Facts { shared: Some(shared), ..facts(&seen) })
    }

    fn write(&self, path: &str, value: Option<Value>) -> String {
        self.step(Step::Update, vec![(path, value)])
    }
}

/// A mug whose name both have agreed on, that has no weight in the shop, and whose tax class differs in both.
fn mug() -> Record {
    Record {
        erp: vec![("name", text("Mug")), ("weight", text("300 g")), ("tax", text("full")), ("colour", None)],
        shop: vec![("name", text("Cup")), ("weight", None), ("tax", text("less")), ("colour", text("red"))],
        base: vec![("name", text("Cup")), ("colour", text("red"))],
        ..Record::default()
    }
}

#[test]
fn a_field_is_set_where_both_once_agreed_on_it_or_the_target_has_nothing() {
    for (path, value, expected) in [
        ("name", text("Mug"), ""),
        ("weight", text("300 g"), ""),
        ("size", text("L"), ""),
        ("tax", text("full"), "`tax`, on which both never agreed"),
        ("colour", None, ""),
        ("name", None, "`name` emptied, which the other system does not say"),
        ("size", None, "`size` emptied, which the other system does not say"),
    ] {
        assert_eq!(mug().write(path, value.clone()), expected, "{path} {value:?}");
    }
    assert_eq!(mug().step(Step::Update, vec![]), "a write of nothing");
}

#[test]
fn nobody_sets_what_is_the_targets_own_or_what_each_keeps() {
    let system = |name: &str| SystemName::new(name);
    for (policy, expected) in [
        (FieldPolicy::Owner(system("erp")), ""),
        (FieldPolicy::Owner(system("shop")), "`name`, which is shop's own"),
        (FieldPolicy::Keep, "`name`, which each keeps for itself"),
        (FieldPolicy::Merge(None), ""),
        (FieldPolicy::Merge(Some(system("shop"))), ""),
        (FieldPolicy::Merge(Some(system("erp"))), ""),
    ] {
        let mut record = Record { policies: vec![("name", policy.clone())], ..mug() };
        assert_eq!(record.write("name", text("Mug")), expected, "{policy:?}");
        assert_eq!(record.write("weight", text("300 g")), "", "{policy:?}: another field");
        record.chosen = vec![("name", text("Mug"))];
        assert_eq!(record.write("name", text("Mug")), expected, "{policy:?}, whatever a person chose");
    }
}

#[test]
fn what_a_person_chose_or_took_back_is_set_whatever_was_agreed() {
    let mut record = mug();
    record.chosen = vec![("tax", text("full"))];
    assert_eq!(record.write("tax", text("full")), "");
    let back = |back: Option<Value>| {
        let undone = Undone { wrote: text("less"), back, refused: text("full") };
        Record { undone: [(Path::field("tax"), undone)].into(), ..mug() }
    };
    let never = "`tax`, on which both never agreed";
    assert_eq!([back(text("none")).write("tax", text("none")), back(None).write("tax", None)], ["", ""]);
    assert_eq!([back(text("none")).write("tax", text("full")), back(text("none")).write("tax", None)], [never, never]);
}

#[test]
fn a_second_copy_of_one_image_is_taken_out_without_asking_and_no_other_field_is() {
    let mut record = mug();
    record.shop.extend([("images[1f]", text("a")), ("images[1f].twice", text("yes"))]);
    assert_eq!(record.write("images[1f].twice", None), "");
    let never = |path: &str| alloc::format!("`{path}`, on which both never agreed");
    assert_eq!(record.write("images[1f].twice", text("no")), never("images[1f].twice"));
    assert_eq!(record.write("images[1f]", None), never("images[1f]"));
}

#[test]
fn what_is_made_for_another_system_says_what_its_source_says_and_is_not_on_sale_yet() {
    let record = |creates| Record { creates, shop: vec![], base: vec![], ..mug() };
    let made = |leaves| record(true).step(Step::Create, leaves);
    assert_eq!(made(vec![("name", text("Mug")), ("weight", text("300 g"))]), "");
    assert_eq!(made(vec![("name", text("Pot"))]), "`name`, which the other system does not say");
    assert_eq!(made(vec![("size", text("L"))]), "`size`, which the other system does not say");
    let active = || Some(Value::Bool(true));
    let offered = Record { erp: vec![("active", active())], ..record(true) };
    assert_eq!(
        offered.step(Step::Create, vec![("active", active())]),
        "a record that is offered before it has a price"
    );
    assert_eq!(
        record(false).step(Step::Create, vec![("name", text("Mug"))]),
        "a record made although the file does not ask for it"
    );
    assert_eq!(record(false).write("name", text("Mug")), "", "one that is there already may be written to");
}
