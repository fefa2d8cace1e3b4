//! What the flows shared field by field cannot carry, because one of the systems does not tell or take it.

use super::{Asked, Finding, Findings, choices};
use std::collections::{BTreeMap, BTreeSet};
use syncline_core::id::SystemName;
use syncline_core::kind::Kind;
use syncline_core::path::Path;
use syncline_core::profile::KindProfile;
use syncline_core::record::{CUSTOMER_SHARED, VARIANT_SHARED};
use syncline_core::rules::{FieldPolicy, FieldRules, PairRules, PriceRules};
use syncline_engine::config::Attribute;

/// Fields of the products flow that stay as they are.
pub(super) fn products(
    rules: &FieldRules,
    (attributes, options): (&BTreeMap<String, Attribute>, Option<&BTreeSet<String>>),
    asked: &[Asked],
    findings: &mut Findings,
) {
    for code in options.into_iter().flatten() {
        told_apart(rules, code, asked, findings);
    }
    let carried = carried(rules, attributes, asked, findings);
    // What else is told of an image goes as far as both sides tell it.
    let own = VARIANT_SHARED
        .into_iter()
        .filter(|field| !field.starts_with("attributes.") && !field.starts_with("images[*]."));
    let all: Vec<&str> = own.chain(carried.iter().map(String::as_str)).collect();
    fields(rules, (Kind::Variant, &all), asked, findings);
}

/// A problem where the option `code` is no attribute with choices: a shop lets buyers choose by no other.
fn told_apart(rules: &FieldRules, code: &str, asked: &[Asked], findings: &mut Findings) {
    for shop in rules.pairs.iter().map(|pair| &pair.target) {
        let Some(known) = choices(asked, shop, "attributes") else { continue };
        if let Some(found) = known.iter().find(|choice| choice.code == code && choice.hint != "choice") {
            let what = format!("[flows.products] `options` names `{code}`, which holds {} in {shop}", found.hint);
            let remedy = "name an attribute with a list of choices, of which a product has one";
            findings.problems.push(Finding::new("SYN-0456", what, remedy));
        }
    }
}

/// Fields of the customers flow that stay as they are.
pub(super) fn customers(rules: &FieldRules, asked: &[Asked], findings: &mut Findings) {
    fields(rules, (Kind::Customer, &CUSTOMER_SHARED), asked, findings);
}

fn fields(rules: &FieldRules, (kind, shared): (Kind, &[&str]), asked: &[Asked], findings: &mut Findings) {
    let profile = |name: &SystemName| {
        let one = asked.iter().find(|one| one.system.name == *name && one.probe.is_some())?;
        Some(one.system.kind(kind))
    };
    let Some(source) = profile(&rules.source) else { return };
    for pair in &rules.pairs {
        let name = &pair.target;
        let Some(target) = profile(name) else { continue };
        for field in shared {
            let Some(why) = hindrance(pair, field, (&rules.source, &source), (name, &target)) else { continue };
            let flow = kind.flow();
            let what = format!("`{field}` of {flow} stays as it is: {why}");
            let remedy = format!("`fields = {{ \"{field}\" = \"keep\" }}` under [flows.{flow}] says so on purpose");
            findings.warnings.push(Finding::new("SYN-0428", what, remedy));
        }
    }
}

/// The paths of the attributes that every system of the flow has; those that one lacks, or holds as something else, stand
/// in the way.
fn carried(
    rules: &FieldRules,
    attributes: &BTreeMap<String, Attribute>,
    asked: &[Asked],
    findings: &mut Findings,
) -> Vec<String> {
    let mut everywhere = Vec::new();
    for (code, attribute) in attributes {
        let (mut forms, mut lacks) = (Vec::new(), false);
        for system in rules.systems() {
            let Some(known) = choices(asked, system, "attributes") else { continue };
            if let Some(choice) = known.iter().find(|choice| choice.code == *code) {
                forms.push((system, choice.hint.as_str()));
                continue;
            }
            lacks = true;
            let what =
                format!("[flows.products.attributes] `{code} = \"{}\"`: {system} does not carry it", attribute.field);
            let remedy = "a warning above says why; write the shop's code = `identifier:TYPE`, `attribute:NAME` or \
                          `tax_category` of the ERP, or take the row out";
            findings.problems.push(Finding::new("SYN-0424", what, remedy));
        }
        if let Some(((one, first), (other, second))) = apart(&forms) {
            let what = format!("`attributes.{code}` holds {first} in {one} and {second} in {other}");
            let remedy = "name a field that holds the same, or take the row out";
            findings.problems.push(Finding::new("SYN-0448", what, remedy));
        } else if !lacks {
            everywhere.push(format!("attributes.{code}"));
        }
    }
    everywhere
}

/// A system, and what an attribute holds there.
type Held<'a> = (&'a SystemName, &'a str);

/// Two systems whose forms of one field cannot be turned into each other.
fn apart<'a>(forms: &[Held<'a>]) -> Option<(Held<'a>, Held<'a>)> {
    let alike = |a: &str, b: &str| a == b || (a != "yes-no" && b != "yes-no");
    let first = *forms.first()?;
    let other = forms.iter().find(|(_, form)| !alike(first.1, form))?;
    Some((first, *other))
}

/// Why `field` does not cross; none where it does, or is not meant to.
fn hindrance(
    rules: &PairRules,
    field: &str,
    a: (&SystemName, &KindProfile),
    b: (&SystemName, &KindProfile),
) -> Option<String> {
    let path = Path::try_from(field.to_string()).ok()?;
    // One that is described names the very fields: `texts.en.name` is one of `texts.*.name`.
    let is_one = |told: &String| Path::try_from(told.clone()).is_ok_and(|told| told.matches(&path));
    let names = |patterns: &[String]| patterns.iter().any(|told| told == field || is_one(told));
    let policy = rules.policy(&path);
    let followers: Vec<(&SystemName, &KindProfile)> = match &policy {
        FieldPolicy::Keep => return None,
        FieldPolicy::Owner(owner) => [a, b].into_iter().filter(|(name, _)| *name != owner).collect(),
        FieldPolicy::Merge(_) => vec![a, b],
    };
    if let Some((name, _)) = [a, b].into_iter().find(|(_, profile)| !names(&profile.reads)) {
        return Some(format!("{name} does not tell it"));
    }
    let deaf = followers.into_iter().find(|(_, profile)| !names(&profile.writes));
    deaf.map(|(name, _)| format!("{name} cannot be told it"))
}

/// Rows of groups that are not there on either side.
pub(super) fn groups(
    rules: &FieldRules,
    rows: Option<&BTreeMap<String, String>>,
    asked: &[Asked],
    findings: &mut Findings,
) {
    let mut missing = |system: &SystemName, table: &str, name: &str| {
        let Some(known) = choices(asked, system, table).filter(|known| !known.is_empty()) else { return };
        if name.is_empty() || known.iter().any(|choice| choice.title == name && choice.code != "list") {
            return;
        }
        let names: Vec<&str> = known.iter().map(|choice| choice.title.as_str()).take(20).collect();
        let what = format!("[flows.customers.groups] names `{name}`, which {system} does not have");
        findings.problems.push(Finding::new("SYN-0424", what, format!("it has: {}", names.join(", "))));
    };
    for (code, list) in rows.into_iter().flatten() {
        missing(&rules.source, "customer_groups", code);
        rules.pairs.iter().for_each(|pair| missing(&pair.target, "price_lists", list));
    }
}

/// Lists of the prices flow that are not there.
pub(super) fn prices(rules: &PriceRules, asked: &[Asked], findings: &mut Findings) {
    let mut missing = |system: &SystemName, list: &str| {
        let Some(known) = choices(asked, system, "price_lists") else { return };
        if known.iter().any(|choice| choice.code == list) {
            return;
        }
        let names: Vec<&str> = known.iter().map(|choice| choice.code.as_str()).take(20).collect();
        let what = format!("[flows.prices.lists] names `{list}`, which {system} does not have");
        findings.problems.push(Finding::new("SYN-0424", what, format!("it has: {}", names.join(", "))));
    };
    for (shop, (ours, theirs)) in rows(rules) {
        missing(shop, ours);
        missing(&rules.fields.source, theirs);
    }
    currencies(rules, asked, findings);
}

/// Lists whose prices are in another currency than those they are to show.
fn currencies(rules: &PriceRules, asked: &[Asked], findings: &mut Findings) {
    let of = |system: &SystemName, list: &str| {
        let choice = choices(asked, system, "price_lists")?.iter().find(|choice| choice.code == list)?;
        Some(choice.hint.clone()).filter(|hint| !hint.is_empty())
    };
    for (shop, (ours, theirs)) in rows(rules) {
        let Some(from) = of(&rules.fields.source, theirs) else { continue };
        let Some(to) = of(shop, ours).filter(|to| *to != from) else { continue };
        let what = format!("[flows.prices.lists] `{ours}` of {shop} is in {to}, `{theirs}` in {from}");
        let remedy = "name a list of the ERP in the shop's currency: no price is converted";
        findings.problems.push(Finding::new("SYN-0429", what, remedy));
    }
}

/// Each shop with each of its lists and the ERP's.
fn rows(rules: &PriceRules) -> impl Iterator<Item = (&SystemName, (&String, &String))> {
    rules.lists.iter().flat_map(|(shop, lists)| lists.iter().map(move |row| (shop, row)))
}
