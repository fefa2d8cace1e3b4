//! Who decides a field, what a person is asked, and in which words.

use super::*;
use crate::planner::Undone;
use crate::record::shared_paths;

fn system(name: &str) -> SystemName {
    SystemName::new(name)
}

/// A record of `kind` that an ERP and a shop share: what each shows, and what it showed when both last agreed.
struct Two {
    kind: Kind,
    policies: Vec<(&'static str, FieldPolicy)>,
    erp: [Leaves; 2],
    shop: [Leaves; 2],
    /// What a person chose, and took back of what was written to the shop.
    chosen: Leaves,
    undone: Undoings,
    /// What the shop would not keep.
    refuses: &'static str,
}

/// A record that both show alike but for the fields `erp` and `shop`, whose base is `base`.
fn two(kind: Kind, base: &[(&str, &str)], erp: &[(&str, &str)], shop: &[(&str, &str)]) -> Two {
    let base = leaves(base);
    let side = |seen| [base.overlaid(&leaves(seen)), base.clone()];
    let (policies, chosen, undone) = (Vec::new(), Leaves::new(), Undoings::new());
    Two { kind, policies, erp: side(erp), shop: side(shop), chosen, undone, refuses: "" }
}

impl Two {
    fn compared(&self) -> Shared {
        let all: Vec<String> = shared_paths(self.kind).iter().map(|path| (*path).to_string()).collect();
        let profile = KindProfile { reads: all.clone(), writes: all, ..KindProfile::default() };
        let policies =
            self.policies.iter().map(|(path, policy)| (Path::try_from((*path).to_string()).unwrap(), policy.clone()));
        let (erp, shop, none) = (system("erp"), system("shop"), Undoings::new());
        let rules =
            PairRules { source: erp.clone(), target: shop.clone(), policies: policies.collect(), creates: false };
        let keeps = |_: &Path, value: &Value| match value {
            Value::Text(text) if text == self.refuses => Fit::Refused("no such word".to_string()),
            _ => Fit::Exact,
        };
        let [[seen_a, base_a], [seen_b, base_b]] = [&self.erp, &self.shop];
        shared(&SharedCase {
            rules: &rules,
            kind: self.kind,
            shared: shared_paths(self.kind),
            source: Share { system: &erp, seen: seen_a, base: base_a, profile: &profile, fit: &exact, undone: &none },
            target: Share {
                system: &shop,
                seen: seen_b,
                base: base_b,
                profile: &profile,
                fit: &keeps,
                undone: &self.undone,
            },
            chosen: &self.chosen,
        })
    }

    /// What is decided, in one line.
    fn told(&self) -> String {
        match self.compared().decision {
            Decision::Step(plan) => {
                let value = |value: Option<&Value>| value.map(ToString::to_string).unwrap_or_default();
                let fields = plan.leaves.iter().map(|(path, told)| alloc::format!("{path}={}", value(told)));
                alloc::format!("{}: {} ({})", plan.target, fields.collect::<Vec<_>>().join(", "), plan.reason)
            }
            Decision::Hold(hold) | Decision::Conflict(hold) => alloc::format!("{}: {}", hold.code, hold.what),
            other => alloc::format!("{other:?}"),
        }
    }
}

#[test]
fn a_field_follows_its_owner_where_the_follower_can_be_told_it_and_else_each_keeps_its_own() {
    use Owner::{A, B, Keep, Merge};
    let owner = |name: &str| FieldPolicy::Owner(system(name));
    let merge = |name: Option<&str>| FieldPolicy::Merge(name.map(system));
    // Where both can be told the field, the target alone, the source alone, and neither.
    for (policy, expected) in [
        (owner("erp"), [A, A, Keep, Keep]),
        (owner("shop"), [B, Keep, B, Keep]),
        (owner("other"), [Keep; 4]),
        (FieldPolicy::Keep, [Keep; 4]),
        (merge(None), [Merge, A, B, Keep]),
        (merge(Some("erp")), [Merge, A, B, Keep]),
        (merge(Some("shop")), [Merge, A, B, Keep]),
    ] {
        let found = [(true, true), (false, true), (true, false), (false, false)]
            .map(|writes| owner_of(policy.clone(), &system("erp"), &system("shop"), writes));
        assert_eq!(found, expected, "{policy:?}");
    }
}

#[test]
fn a_field_is_shared_where_both_tell_it_and_one_of_them_can_be_told() {
    let profile = |reads: bool, writes: bool| {
        let paths = |yes: bool| if yes { ["texts.*.name".to_string()].to_vec() } else { Vec::new() };
        KindProfile { reads: paths(reads), writes: paths(writes), ..KindProfile::default() }
    };
    let (erp, shop, none, nothing) = (system("erp"), system("shop"), Undoings::new(), Leaves::new());
    let rules = PairRules { source: erp.clone(), target: shop.clone(), policies: Vec::new(), creates: false };
    let is = |a: KindProfile, b: KindProfile, shared: &[&str], path: &'static str| {
        let share =
            |system, profile| Share { system, seen: &nothing, base: &nothing, profile, fit: &exact, undone: &none };
        let (source, target) = (share(&erp, &a), share(&shop, &b));
        let case = SharedCase { rules: &rules, kind: Kind::Variant, shared, source, target, chosen: &nothing };
        is_shared(&case, &Path::try_from(path.to_string()).unwrap())
    };
    let name = ["texts.*.name"];
    for (a, b, yes) in [
        ((true, true), (true, true), true),
        ((true, false), (true, true), true),
        ((true, true), (true, false), true),
        ((true, false), (true, false), false),
        ((false, true), (true, true), false),
        ((true, true), (false, true), false),
    ] {
        let found = is(profile(a.0, a.1), profile(b.0, b.1), &name, "texts.de.name");
        assert_eq!(found, yes, "{a:?} {b:?}");
    }
    assert!(!is(profile(true, true), profile(true, true), &[], "texts.de.name"), "a field that nobody shares");
    assert!(!is(profile(true, true), profile(true, true), &name, "sku"));
}

#[test]
fn a_clash_goes_to_whom_the_file_names_and_what_was_never_agreed_to_a_person() {
    let with = |winner: Option<&str>, base: &[(&str, &str)]| {
        let mut two = two(Kind::Variant, base, &[("weight", "3")], &[("weight", "4")]);
        two.policies = [("weight", FieldPolicy::Merge(winner.map(system)))].to_vec();
        two.told()
    };
    let once = [("weight", "2")];
    assert_eq!(with(Some("erp"), &once), "shop: weight=3 (erp changed it)");
    assert_eq!(with(Some("shop"), &once), "erp: weight=4 (shop changed it)");
    assert_eq!(with(None, &once), "SYN-0140: `weight` was changed on both sides");
    for winner in [None, Some("erp"), Some("shop")] {
        assert_eq!(with(winner, &[]), "SYN-0140: `weight` differed before they were tied", "{winner:?}");
    }
}

#[test]
fn what_somebody_took_out_of_a_family_is_asked_about_and_any_other_field_follows_its_owner() {
    let base = [("variants[1]", "a"), ("options[2]", "size"), ("texts.de.name", "Becher")];
    let of = |erp: &[(&str, &str)], shop: &[(&str, &str)]| two(Kind::Product, &base, erp, shop).told();
    assert_eq!(of(&[], &[("variants[1]", "")]), "SYN-0157: `variants[1]` was taken out by a person");
    assert_eq!(of(&[], &[("options[2]", "")]), "SYN-0157: `options[2]` was taken out by a person");
    assert_eq!(of(&[], &[("texts.de.name", "")]), "shop: texts.de.name=Becher (erp owns it)", "a text is no list");
    assert_eq!(of(&[], &[("variants[1]", "b")]), "shop: variants[1]=a (erp owns it)", "it is still there");
    assert_eq!(
        of(&[("variants[1]", "c")], &[("variants[1]", "")]),
        "shop: variants[1]=c (erp owns it)",
        "it is said anew"
    );
    assert_eq!(of(&[("variants[3]", "c")], &[("variants[3]", "")]), "shop: variants[3]=c (erp owns it)", "it is new");
    let both = of(&[], &[("variants[1]", ""), ("texts.de.name", "Pott")]);
    assert_eq!(both, "shop: texts.de.name=Becher (erp owns it)", "all else goes its way meanwhile");
    let variant = two(Kind::Variant, &[("attributes.size", "L")], &[], &[("attributes.size", "")]);
    assert_eq!(variant.told(), "shop: attributes.size=L (erp owns it)", "what is no family has no such list");
}

#[test]
fn what_a_buyer_took_out_of_the_book_is_asked_about_where_the_other_side_leads() {
    let base = [("addresses[book-1]", "Bonn"), ("addresses[@7]", "Ulm"), ("addresses[3f]", "Trier"), ("phone", "1")];
    let of = |erp: &[(&str, &str)], shop: &[(&str, &str)]| {
        let owner = || FieldPolicy::Owner(system("shop"));
        Two { policies: [("addresses", owner()), ("phone", owner())].to_vec(), ..two(Kind::Customer, &base, erp, shop) }
            .told()
    };
    assert_eq!(of(&[("addresses[book-1]", "")], &[]), "SYN-0157: `addresses[book-1]` was taken out by a person");
    assert_eq!(of(&[("addresses[@7]", "")], &[]), "SYN-0157: `addresses[@7]` was taken out by a person");
    assert_eq!(
        of(&[("addresses[3f]", "")], &[]),
        "erp: addresses[3f]=Trier (shop owns it)",
        "an order was placed with it"
    );
    assert_eq!(of(&[("phone", "")], &[]), "erp: phone=1 (shop owns it)");
    assert_eq!(
        of(&[("addresses[book-1]", "")], &[("addresses[book-1]", "Köln")]),
        "erp: addresses[book-1]=Köln (shop owns it)"
    );
}

#[test]
fn what_the_other_side_would_not_keep_is_held_with_what_to_do_about_it() {
    let of = |kind, path: &str| {
        let base = [(path, "x")];
        let hold = Two { refuses: "bad", ..two(kind, &base, &[(path, "bad")], &[]) }.compared().decision;
        let Decision::Hold(hold) = hold else { panic!("{hold:?}") };
        (hold.code, hold.what, hold.remedy.contains("[flows.customers.groups]"))
    };
    let plain = |path: &str| ("SYN-0109".to_string(), alloc::format!("`{path}` cannot be kept: no such word"), false);
    let group = ("SYN-0171".to_string(), "`group` cannot be told: no such word".to_string(), true);
    assert_eq!(of(Kind::Customer, "group"), group);
    assert_eq!([of(Kind::Customer, "phone"), of(Kind::Variant, "weight")], [plain("phone"), plain("weight")]);
}

#[test]
fn of_many_conflicts_three_are_named_and_the_rest_counted() {
    let of = |count: usize| {
        let names = ["attributes.a", "attributes.b", "attributes.c", "attributes.d", "attributes.e"];
        let fields = |text: &'static str| names.iter().take(count).map(|name| (*name, text)).collect::<Vec<_>>();
        let two = two(Kind::Variant, &fields("x"), &fields("y"), &fields("z"));
        Two { policies: [("attributes", FieldPolicy::Merge(None))].to_vec(), ..two }.told()
    };
    assert_eq!(of(2), "SYN-0140: `attributes.a`, `attributes.b` was changed on both sides");
    assert_eq!(of(3), "SYN-0140: `attributes.a`, `attributes.b`, `attributes.c` was changed on both sides");
    assert!(of(4).ends_with("`attributes.c` and 1 more was changed on both sides"), "{}", of(4));
    assert!(of(5).ends_with("`attributes.c` and 2 more was changed on both sides"), "{}", of(5));
}

#[test]
fn a_write_says_whose_it_is_how_many_fields_and_that_a_person_decided() {
    let base = [("weight", "2"), ("texts.de.name", "Becher")];
    let merge = || [("weight", FieldPolicy::Merge(None)), ("texts", FieldPolicy::Merge(None))].to_vec();
    let one = || two(Kind::Variant, &base, &[("weight", "3")], &[]);
    assert_eq!(one().told(), "shop: weight=3 (erp owns it)");
    assert_eq!(Two { policies: merge(), ..one() }.told(), "shop: weight=3 (erp changed it)");
    let both = two(Kind::Variant, &base, &[("weight", "3"), ("texts.de.name", "Tasse")], &[]);
    assert_eq!(both.told(), "shop: texts.de.name=Tasse, weight=3 (erp owns them)");
    let chosen = leaves(&[("weight", "5")]);
    assert_eq!(Two { chosen: chosen.clone(), ..one() }.told(), "shop: weight=5 (as a person decided)");
    let shows = Two { chosen, shop: [leaves(&[("weight", "5")]), leaves(&base)], ..one() };
    assert_eq!(shows.told(), "erp: weight=5 (as a person decided)", "where the shop shows it already");
    let text = |text: &str| Some(Value::Text(text.to_string()));
    let undone = || {
        let undone = Undone { wrote: text("3"), back: text("2"), refused: text("3") };
        [(Path::field("weight"), undone)].into()
    };
    let back = two(Kind::Variant, &base, &[("weight", "3")], &[("weight", "3")]);
    assert_eq!(Two { undone: undone(), ..back }.told(), "shop: weight=2 (undone by a person)");
    assert_eq!(Two { undone: undone(), ..one() }.told(), "SYN-0145: `weight` was undone by a person");
}

#[test]
fn what_was_made_without_a_price_is_not_enabled_by_its_source() {
    let of = |veiled: bool| {
        let mut two = two(Kind::Variant, &[("active", "no")], &[("active", "yes")], &[]);
        if veiled {
            two.erp[1] = leaves(&[("active", "")]);
        }
        two.told()
    };
    assert_eq!(of(false), "shop: active=yes (erp owns it)");
    assert_eq!(of(true), "Agreed");
}

#[test]
fn only_a_list_of_prices_is_told_whole() {
    let path = shared_paths(Kind::Price)[0].replace('*', "a");
    let never = |kind, path: &str| two(kind, &[], &[(path, "")], &[(path, "9")]).compared();
    let price = never(Kind::Price, &path);
    assert_eq!(price.conflicts.len(), 1, "what the ERP does not have is said as clearly as what it has: {price:?}");
    assert_eq!(never(Kind::Variant, "weight").conflicts.len(), 0);
}
