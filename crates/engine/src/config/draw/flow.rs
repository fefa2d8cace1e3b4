//! One flow of the file: its table checked and turned into rules.

mod papers;
mod stock;

use super::at::{self, Told};
use super::groups::{self, Groups};
use super::{Drawn, EVERY_S, Systems, seconds, word};
use crate::config::error::{Source, nearest};
use crate::config::{Attribute, Config, ConfigError, FlowConfig, Mode, raw};
use std::collections::{BTreeMap, BTreeSet};
use syncline_core::id::SystemName;
use syncline_core::kind::{FLOWS, Flow, Kind};
use syncline_core::path::Path as Field;
use syncline_core::record::{Variant, shared_paths};
use syncline_core::rules::{
    AdoptKey, Amendments, Cancels, FieldPolicy, FieldRules, OrderRules, PairRules, PriceRules, Release, ReleaseRule,
};
use toml::Spanned;

const RELEASE_DAYS: u32 = 14;
/// Ten years.
const LONGEST_S: u32 = 3650 * 86_400;
const ROUNDING_PER_LINE: u32 = 1;

/// Adds the flow in `raw` to `drawn`; its table stands at `at`.
pub(super) fn draw(source: &Source<'_>, drawn: &mut Config, flow: Flow, at: usize, raw: raw::Flow) -> Drawn<()> {
    let drawing = Drawing { source, systems: &drawn.systems, flow, at };
    let told = drawing.common(&raw)?;
    match flow {
        Flow::Products => {
            let mut by_kind = drawing.products(&told, &raw)?;
            drawn.products = by_kind.remove(&Kind::Variant);
            drawn.attributes = drawing.attributes(&raw)?;
            drawn.options = drawing.options(&raw, &drawn.attributes)?;
            if drawn.options.is_none() {
                by_kind.remove(&Kind::Product);
            }
            drawn.beside = by_kind;
        }
        Flow::Prices => drawn.prices = Some(drawing.prices(&told, &raw)?),
        Flow::Inventory => drawn.inventory = Some(drawing.inventory(&told, &raw)?),
        Flow::Papers => drawn.papers = Some(drawing.papers(&told, &raw, drawn)?),
        Flow::Orders => drawn.orders = drawing.orders(&told, &raw, drawn.flows.get(&Flow::Customers))?,
        Flow::Customers => {
            drawn.groups = groups::rows(&told.from, &raw);
            drawn.customers = drawing.customers(&told, &raw, &drawn.groups)?;
            drawn.one_by_email = drawing.one_by_email(&raw)?;
        }
    }
    drawn.flows.insert(flow, told);
    Ok(())
}

/// One flow's table while it is drawn.
struct Drawing<'a> {
    source: &'a Source<'a>,
    systems: &'a Systems,
    flow: Flow,
    at: usize,
}

impl Drawing<'_> {
    fn wrong(&self, at: Option<usize>, what: String, remedy: impl Into<String>) -> ConfigError {
        self.source.error("SYN-0418", at.or(Some(self.at)), what, remedy)
    }

    fn common(&self, raw: &raw::Flow) -> Drawn<FlowConfig> {
        let from = self.from(raw.from.as_ref())?;
        let to = self.to(&from, &raw.to)?;
        let shops = if matches!(self.flow, Flow::Orders | Flow::Customers) { &from } else { &to };
        at::fitting(self.source, self.flow, raw, shops)?;
        let flow = FlowConfig {
            flow: self.flow,
            why: raw.why.clone(),
            today: raw.today.clone(),
            every_s: self.every(raw.every.as_ref())?,
            mode: self.mode(raw.mode.as_ref())?,
            needs: self.needs(&raw.needs)?,
            from,
            to,
        };
        for (from, to) in pairs(&flow) {
            self.direction(from, to)?;
        }
        Ok(flow)
    }

    /// The rules of each shop's orders.
    fn orders(&self, flow: &FlowConfig, raw: &raw::Flow, customers: Option<&FlowConfig>) -> Drawn<Vec<OrderRules>> {
        self.tax(raw.tax.as_ref())?;
        let creates_customers = customers.is_some_and(|customers| customers.mode != Mode::Off);
        let mut all: Vec<OrderRules> = Vec::new();
        for (shop, erp) in pairs(flow) {
            let told = Told::of(raw, shop);
            let tables = [("taxes", told.taxes()), ("payment_methods", told.payment_methods())];
            let rules = OrderRules {
                source: shop.clone(),
                target: erp.clone(),
                start: self.start(told.start())?,
                release: self.release(&told.release())?,
                release_days: told.release_days().map_or(RELEASE_DAYS, |days| *days.get_ref()),
                rounding_per_line: told.rounding_per_line().map_or(ROUNDING_PER_LINE, |units| *units.get_ref()),
                number: self.number(told.number())?,
                adopt: self.adopt(told.adopt())?,
                creates_customers,
                branch: told.branch(),
                amendments: self.choice(
                    "amendments",
                    told.amendments(),
                    &[("ask", Amendments::Ask), ("carry", Amendments::Carry)],
                )?,
                cancels: self.choice("cancels", told.cancels(), &[("ask", Cancels::Ask), ("erp", Cancels::Erp)])?,
                tables: tables.into_iter().map(|(name, rows)| (name.to_string(), rows)).collect(),
            };
            if let Some(other) = all.iter().find(|other| same_numbers(other, &rules)) {
                let (other, shop) = (&other.source, &rules.source);
                let what = format!("orders of `{other}` and `{shop}` would have the same numbers in `{erp}`");
                let remedy = format!(
                    "tell them apart: `number = \"{{system}}-{{number}}\"` under [flows.orders], or a `number` of its \
                     own under [flows.orders.at.{shop}], e.g. `\"B{{number}}\"`"
                );
                return Err(self.wrong(told.number().map(|number| number.span().start), what, remedy));
            }
            all.push(rules);
        }
        Ok(all)
    }

    /// The choice that `key` names among `words`; the usual one where it says nothing.
    fn choice<T: Copy + Default>(&self, key: &str, text: Option<&Spanned<String>>, words: &[(&str, T)]) -> Drawn<T> {
        let Some(text) = text else { return Ok(T::default()) };
        let names: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
        word(self.source, key, text, &names, |told| words.iter().find(|(word, _)| *word == told).map(|(_, one)| *one))
    }

    /// Whether customers of several shops with one e-mail are one party of the ERP.
    fn one_by_email(&self, raw: &raw::Flow) -> Drawn<bool> {
        let Some(text) = &raw.matching else { return Ok(false) };
        let read = |word: &str| match word {
            "email" => Some(true),
            "none" => Some(false),
            _ => None,
        };
        word(self.source, "match", text, &["email", "none"], read)
    }

    /// The rules of each kind the products flow carries.
    fn products(&self, flow: &FlowConfig, raw: &raw::Flow) -> Drawn<BTreeMap<Kind, FieldRules>> {
        let of = |kind: &Kind| {
            let mut pairs = self.shared(flow, raw, *kind)?;
            pairs.iter_mut().filter(|_| *kind == Kind::Variant).for_each(keep_apart);
            Ok((*kind, FieldRules { source: self.only(&flow.from)?, pairs }))
        };
        self.flow.kinds().iter().map(of).collect()
    }

    /// The rules of each shop's customers.
    fn customers(&self, flow: &FlowConfig, raw: &raw::Flow, groups: &Groups) -> Drawn<Vec<FieldRules>> {
        let mut all = self.shared(flow, raw, Kind::Customer)?;
        groups::kept_without_rows(self.source, self.at, &mut all, groups)?;
        Ok(all.into_iter().map(|pair| FieldRules { source: pair.source.clone(), pairs: vec![pair] }).collect())
    }

    /// The rules of each pair that shares records of `kind` field by field.
    fn shared(&self, flow: &FlowConfig, raw: &raw::Flow, kind: Kind) -> Drawn<Vec<PairRules>> {
        let mut all = Vec::new();
        for (source, target) in pairs(flow) {
            let told = Told::of(raw, if self.flow == Flow::Customers { source } else { target });
            let policies = self.policies(flow, &told.fields(), kind)?;
            let creates = told.create().is_some_and(|told| *told.get_ref());
            all.push(PairRules { source: source.clone(), target: target.clone(), policies, creates });
        }
        Ok(all)
    }

    /// What is carried of products beside their own fields. A field of the ERP stands under one code, and a choice of
    /// the ERP under one label, or it could not be told which is meant.
    fn attributes(&self, raw: &raw::Flow) -> Drawn<BTreeMap<String, Attribute>> {
        let (no_rows, no_choices) = (BTreeMap::new(), BTreeMap::new());
        let rows = raw.attributes.as_ref().map_or(&no_rows, Spanned::get_ref);
        let choices = raw.choices.as_ref().map_or(&no_choices, Spanned::get_ref);
        let example = "write one like `attributes = { ean = \"identifier:ean\" }`: the shop's code = the ERP's field";
        let mut attributes: BTreeMap<String, Attribute> = BTreeMap::new();
        for (code, field) in rows {
            let at = Some(field.span().start);
            if Variant::attribute_path(code).is_none() {
                return Err(self.wrong(at, format!("`attributes` names `{code}`, which is no code"), example));
            }
            if let Some((other, _)) = attributes.iter().find(|(_, one)| one.field == *field.get_ref()) {
                let what = format!("`attributes` shows the ERP's `{}` as `{other}` and as `{code}`", field.get_ref());
                return Err(self.wrong(at, what, "name each field of the ERP once"));
            }
            let names = choices.get(code).map_or_else(BTreeMap::new, |table| table.get_ref().clone());
            attributes.insert(code.clone(), Attribute { field: field.get_ref().clone(), choices: names });
        }
        for (code, table) in choices {
            let at = Some(table.span().start);
            if !attributes.contains_key(code) {
                let what = format!("`choices.{code}` is for an attribute that `attributes` does not name");
                return Err(self.wrong(at, what, example));
            }
            let mut taken: BTreeMap<&str, &str> = BTreeMap::new();
            for (ours, theirs) in table.get_ref() {
                if let Some(other) = taken.insert(theirs, ours) {
                    let what = format!("`choices.{code}` calls the ERP's `{theirs}` both `{other}` and `{ours}`");
                    return Err(self.wrong(at, what, "name each choice of the ERP once"));
                }
            }
        }
        Ok(attributes)
    }

    /// The attributes that tell the variants of a family apart, each of them carried; none where there are no families.
    fn options(&self, raw: &raw::Flow, attributes: &BTreeMap<String, Attribute>) -> Drawn<Option<BTreeSet<String>>> {
        let Some(options) = &raw.options else {
            let rows = raw.fields.iter().flat_map(|rows| rows.get_ref());
            let word = format!("{}.", Kind::Product);
            if let Some((pattern, word)) = rows.into_iter().find(|(pattern, _)| pattern.starts_with(&word)) {
                let what = format!("`fields` names `{pattern}`, a field of families, and the flow carries none");
                let remedy = "add `options = [\"size\"]`: the attributes that tell the variants of a family apart";
                return Err(self.source.error("SYN-0454", Some(word.span().start), what, remedy));
            }
            return Ok(None);
        };
        let mut found = BTreeSet::new();
        for code in options.get_ref() {
            if !attributes.contains_key(code.get_ref()) {
                let what = format!("`options` names `{}`, which is not among `attributes`", code.get_ref());
                let remedy = "add it there, the shop's code = the ERP's field: a variant needs a value of each option";
                return Err(self.source.error("SYN-0453", Some(code.span().start), what, remedy));
            }
            found.insert(code.get_ref().clone());
        }
        Ok(Some(found))
    }

    fn prices(&self, flow: &FlowConfig, raw: &raw::Flow) -> Drawn<PriceRules> {
        let net = raw.tax.as_ref().is_some_and(|tax| tax.get_ref() == "net");
        if !net {
            let what = "[flows.prices] does not say that the shop's prices are entered without tax";
            let remedy =
                "add `tax = \"net\"` if both sides keep prices without tax; prices that include it are not built yet";
            return Err(self.source.error("SYN-0414", Some(self.at), what, remedy));
        }
        let (mut all, mut lists) = (Vec::new(), BTreeMap::new());
        for (source, target) in pairs(flow) {
            let (source, target) = (source.clone(), target.clone());
            lists.insert(target.clone(), self.lists(Told::of(raw, &target))?);
            all.push(PairRules { source, target, policies: Vec::new(), creates: false });
        }
        Ok(PriceRules { fields: FieldRules { source: self.only(&flow.from)?, pairs: all }, lists })
    }

    /// One shop's lists, each with the ERP's.
    fn lists(&self, told: Told<'_>) -> Drawn<BTreeMap<String, String>> {
        let none = BTreeMap::new();
        let rows = told.lists().map_or(&none, Spanned::get_ref);
        if rows.is_empty() {
            let what = "[flows.prices] has no `lists`: which of the shop's prices show which list of the ERP";
            let remedy = "write one like `lists = { base = \"list\" }`; `syncline systems` names both sides' lists";
            return Err(self.source.error("SYN-0414", Some(self.at), what, remedy));
        }
        let mut lists: BTreeMap<String, String> = BTreeMap::new();
        for (ours, theirs) in rows {
            if lists.values().any(|other| other == theirs.get_ref()) {
                let what = format!("`lists` shows the ERP's `{}` twice", theirs.get_ref());
                let remedy = "one list of the ERP is shown in one of the shop so far: name each once";
                return Err(self.wrong(Some(theirs.span().start), what, remedy));
            }
            lists.insert(ours.clone(), theirs.get_ref().clone());
        }
        Ok(lists)
    }

    /// The policies of the flow's fields of `kind`; each has to name a field there is, and no two may say different things
    /// of one. Those of a kind beside the flow's own stand behind its word: `category.texts.*.name`.
    fn policies(
        &self,
        flow: &FlowConfig,
        rows: &BTreeMap<&String, &Spanned<String>>,
        kind: Kind,
    ) -> Drawn<Vec<(Field, FieldPolicy)>> {
        let shared = shared_paths(kind);
        let fields: Vec<Field> = shared.iter().filter_map(|field| Field::try_from((*field).to_string()).ok()).collect();
        let mut policies: Vec<(Field, FieldPolicy)> = Vec::new();
        for (pattern, word) in rows {
            let at = Some(word.span().start);
            let (of, own) = self.kind_of(pattern, kind);
            if of != kind {
                continue;
            }
            let path =
                Field::try_from(own.to_string()).ok().filter(|path| fields.iter().any(|field| meet(path, field)));
            let Some(path) = path else {
                let what = format!("`fields` names `{pattern}`, which is no field of the flow");
                let known = self.fields_of_flow();
                let known: Vec<&str> = known.iter().map(String::as_str).collect();
                let near = nearest(pattern, &known).map(|near| format!("did you mean `{near}`? "));
                let remedy = format!("{}It has: {}", near.unwrap_or_default(), known.join(", "));
                return Err(self.wrong(at, what, remedy));
            };
            let policy = self.policy(flow, pattern, word)?;
            let clash = policies.iter().find(|(other, said)| *said != policy && rivals(other, &path));
            if let Some((other, _)) = clash {
                let what = format!("`fields` says different things of what both `{other}` and `{pattern}` name");
                return Err(self.wrong(at, what, "name one of the two more closely"));
            }
            policies.push((path, policy));
        }
        Ok(policies)
    }

    /// The kind that `pattern` is about, and the pattern without its word; of a flow of one kind it is that one.
    fn kind_of<'p>(&self, pattern: &'p str, kind: Kind) -> (Kind, &'p str) {
        let [beside @ .., own] = self.flow.kinds() else { return (kind, pattern) };
        let named = beside.iter().find_map(|kind| Some((*kind, pattern.strip_prefix(kind.word())?.strip_prefix('.')?)));
        named.unwrap_or((*own, pattern))
    }

    /// Every field of the flow as `fields` names it, those of its own kind first.
    fn fields_of_flow(&self) -> Vec<String> {
        let of = |kind: &Kind| shared_paths(*kind).iter().map(|path| (*path).to_string()).collect::<Vec<_>>();
        let [beside @ .., own] = self.flow.kinds() else { return Vec::new() };
        let others = beside.iter().flat_map(|kind| of(kind).into_iter().map(move |path| format!("{kind}.{path}")));
        of(own).into_iter().chain(others).collect()
    }

    fn policy(&self, flow: &FlowConfig, pattern: &str, word: &Spanned<String>) -> Drawn<FieldPolicy> {
        let systems: Vec<&SystemName> = flow.from.iter().chain(&flow.to).collect();
        let named = |name: &str| systems.iter().find(|system| system.as_str() == name).map(|name| (*name).clone());
        let told = word.get_ref();
        let policy = match told.split_once(':') {
            Some(("merge", winner)) => named(winner.trim()).map(|winner| FieldPolicy::Merge(Some(winner))),
            _ => match told.as_str() {
                "keep" => Some(FieldPolicy::Keep),
                "merge" => Some(FieldPolicy::Merge(None)),
                name => named(name).map(FieldPolicy::Owner),
            },
        };
        policy.ok_or_else(|| {
            let what = format!("`fields.{pattern}` is `{}`", syncline_core::text::shown(told, 40));
            let owners: Vec<String> = systems.iter().map(|system| format!("`{system}`")).collect();
            let remedy = format!(
                "write who owns it, {}; `keep` (each its own); `merge` (whoever changed it; both: a person); \
                 or `merge:{}` (both: that one wins)",
                owners.join(" or "),
                systems.first().map_or("", |system| system.as_str())
            );
            self.wrong(Some(word.span().start), what, remedy)
        })
    }

    /// The system of this name.
    fn named(&self, name: &str, at: usize) -> Drawn<SystemName> {
        let name = SystemName::new(name);
        if self.systems.contains_key(&name) {
            return Ok(name);
        }
        let known: Vec<&str> = self.systems.keys().map(SystemName::as_str).collect();
        let remedy = match nearest(name.as_str(), &known) {
            Some(near) => format!("did you mean `{near}`?"),
            None if known.is_empty() => "add a [systems.NAME] for it".to_string(),
            None => format!("the file has: {}", known.join(", ")),
        };
        let what = format!("[flows.{}] names the system `{name}`, which the file does not have", self.flow);
        Err(self.wrong(Some(at), what, remedy))
    }

    fn from(&self, names: Option<&Spanned<raw::Names>>) -> Drawn<Vec<SystemName>> {
        let missing = || self.wrong(None, format!("[flows.{}] has no `from`", self.flow), "add `from = \"SYSTEM\"`");
        let names = names.ok_or_else(missing)?;
        let at = names.span().start;
        let found: Vec<SystemName> =
            names.get_ref().0.iter().map(|name| self.named(name, at)).collect::<Drawn<Vec<_>>>()?;
        let several = matches!(self.flow, Flow::Orders | Flow::Customers);
        match found.as_slice() {
            [] => Err(missing()),
            [_, second, ..] if !several => {
                let what = format!("[flows.{}] comes from several systems: also from `{second}`", self.flow);
                Err(self.wrong(Some(at), what, "name the one that is master; orders may come from several shops"))
            }
            _ => self.once(found, |_| at),
        }
    }

    fn to(&self, from: &[SystemName], names: &[Spanned<String>]) -> Drawn<Vec<SystemName>> {
        let head = format!("[flows.{}]", self.flow);
        let mut found = Vec::new();
        for name in names {
            let at = name.span().start;
            let to = self.named(name.get_ref(), at)?;
            if from.contains(&to) {
                let what = format!("{head} goes from `{to}` to itself");
                return Err(self.wrong(Some(at), what, "name another system in `to`"));
            }
            found.push(to);
        }
        let several = matches!(self.flow, Flow::Products | Flow::Prices | Flow::Inventory | Flow::Papers);
        match (found.as_slice(), names) {
            ([], _) => Err(self.wrong(None, format!("{head} has no `to`"), "add `to = [\"SYSTEM\"]`")),
            ([_, _, ..], [_, second, ..]) if !several => {
                let what = format!("{head} goes to several systems");
                let remedy = "an order has one document, in one ERP: name that one";
                Err(self.wrong(Some(second.span().start), what, remedy))
            }
            _ => self.once(found, |at| names.get(at).map_or(self.at, |name| name.span().start)),
        }
    }

    /// `names`, where none is there twice; `at` says where each stands.
    fn once(&self, names: Vec<SystemName>, at: impl Fn(usize) -> usize) -> Drawn<Vec<SystemName>> {
        let twice =
            names.iter().enumerate().find(|(place, name)| names.iter().take(*place).any(|other| other == *name));
        match twice {
            Some((place, name)) => {
                let what = format!("[flows.{}] names `{name}` twice", self.flow);
                Err(self.wrong(Some(at(place)), what, "name each system once"))
            }
            None => Ok(names),
        }
    }

    /// The one system of `names`.
    fn only(&self, names: &[SystemName]) -> Drawn<SystemName> {
        let missing = || self.wrong(None, format!("[flows.{}] has no `from`", self.flow), "add `from = \"SYSTEM\"`");
        names.first().cloned().ok_or_else(missing)
    }

    fn every(&self, text: Option<&Spanned<String>>) -> Drawn<u32> {
        Ok(text.map(|text| seconds(self.source, "every", text, 86_400)).transpose()?.unwrap_or(EVERY_S))
    }

    fn mode(&self, text: Option<&Spanned<String>>) -> Drawn<Mode> {
        // Products were only tied before they could be written: a file that says nothing goes on as it did.
        let Some(text) = text else { return Ok(if self.flow == Flow::Products { Mode::Off } else { Mode::On }) };
        let read = |word: &str| [Mode::Off, Mode::Watch, Mode::On].into_iter().find(|mode| mode.word() == word);
        word(self.source, "mode", text, &["off", "watch", "on"], read)
    }

    fn needs(&self, words: &[Spanned<String>]) -> Drawn<Vec<Flow>> {
        let known: Vec<&str> = FLOWS.into_iter().filter(|flow| *flow != self.flow).map(Flow::word).collect();
        let read = |word: &str| word.parse().ok().filter(|flow| *flow != self.flow);
        words.iter().map(|text| word(self.source, "needs", text, &known, read)).collect()
    }

    /// Refuses a direction no connector can go.
    fn direction(&self, from: &SystemName, to: &SystemName) -> Drawn<()> {
        let is_shop = |name: &SystemName| self.systems.get(name).is_some_and(|system| system.kind.is_shop());
        let is_described = |name: &SystemName| self.systems.get(name).is_some_and(|system| system.kind.is_described());
        let described = is_described(from) || is_described(to);
        let (of_shop, to_shop) = (is_shop(from), is_shop(to));
        let fine = match self.flow {
            Flow::Products => described || of_shop != to_shop,
            _ if described => false,
            Flow::Inventory | Flow::Prices | Flow::Papers => !of_shop && to_shop,
            Flow::Customers | Flow::Orders => of_shop && !to_shop,
        };
        if fine {
            return Ok(());
        }
        let what = format!("[flows.{}] goes from `{from}` to `{to}`, which is not built", self.flow);
        let remedy = match self.flow {
            _ if described => "of a JSON API (http-json) products flow so far: take it out of this flow",
            Flow::Products => {
                "products flow between a shop and an ERP, either way, and from and to a JSON API (http-json)"
            }
            Flow::Inventory | Flow::Prices => "stock and prices flow from an ERP (tryton) to a shop (magento)",
            Flow::Papers => "papers flow from the ERP (tryton) to the shops (magento) that the orders are from",
            _ => "orders and customers flow from a shop (magento) to an ERP (tryton)",
        };
        Err(self.source.error("SYN-0419", Some(self.at), what, remedy))
    }

    fn start(&self, text: Option<&Spanned<String>>) -> Drawn<Option<jiff::civil::Date>> {
        let Some(text) = text else {
            let what = format!("[flows.{}] has no `start`", self.flow);
            let remedy = "add `start = \"2026-11-01\"` (earlier orders stay where they are) or `start = \"all\"`";
            return Err(self.source.error("SYN-0414", Some(self.at), what, remedy));
        };
        if text.get_ref() == "all" {
            return Ok(None);
        }
        text.get_ref().parse().map(Some).map_err(|_| {
            let what = format!("`start` is `{}`, which is no day", syncline_core::text::shown(text.get_ref(), 40));
            self.source.error("SYN-0413", Some(text.span().start), what, "write one like `2026-11-01`, or `all`")
        })
    }

    fn tax(&self, text: Option<&Spanned<String>>) -> Drawn<()> {
        let Some(text) = text else { return Ok(()) };
        if text.get_ref() == "shop" {
            let what = "`tax` is `shop`: forcing the shop's tax amounts is not built yet";
            let remedy = "write `tax = \"erp-check\"`: the ERP computes, the difference is checked to the cent";
            return Err(self.source.error("SYN-0419", Some(text.span().start), what, remedy));
        }
        word(self.source, "tax", text, &["erp-check"], |word| (word == "erp-check").then_some(()))
    }

    fn number(&self, text: Option<&Spanned<String>>) -> Drawn<String> {
        let Some(text) = text else { return Ok("{number}".to_string()) };
        let rest = ["{number}", "{scope}", "{system}"]
            .iter()
            .fold(text.get_ref().clone(), |rest, word| rest.replace(word, ""));
        if text.get_ref().contains("{number}") && !rest.contains(['{', '}']) {
            return Ok(text.get_ref().clone());
        }
        let what = format!("`number` is `{}`", syncline_core::text::shown(text.get_ref(), 60));
        let remedy = "it has to hold `{number}` and may hold `{scope}` and `{system}`, e.g. `W{scope}-{number}`";
        Err(self.source.error("SYN-0413", Some(text.span().start), what, remedy))
    }

    /// How documents of another connector are known.
    fn adopt(&self, told: Option<&Spanned<raw::Adopt>>) -> Drawn<Option<AdoptKey>> {
        let Some(told) = told else { return Ok(None) };
        let raw::Adopt { field, value } = told.get_ref();
        let words = AdoptKey::WORDS;
        let rest = words.iter().fold(value.clone(), |rest, word| rest.replace(word, ""));
        let tells_apart = ["{number}", "{id}", "{reference}"].iter().any(|word| value.contains(word));
        if !field.trim().is_empty() && tells_apart && !rest.contains(['{', '}']) {
            return Ok(Some(AdoptKey { field: field.clone(), value: value.clone() }));
        }
        let what = format!("`adopt` is `{field}` = `{}`", syncline_core::text::shown(value, 60));
        let remedy = format!(
            "name the ERP's field and what the other connector wrote there, e.g. `adopt = {{ field = \"reference\", \
             value = \"{{number}}\" }}`; the value may hold {}, and has to hold the number, the id or the reference",
            words.join(", ")
        );
        Err(self.source.error("SYN-0461", Some(told.span().start), what, remedy))
    }

    fn release(&self, rows: &BTreeMap<&String, &raw::Release>) -> Drawn<Vec<(String, Release)>> {
        let known = ["placed", "authorized", "paid"];
        let read = |word: &str| match word {
            "placed" => Some(ReleaseRule::Placed),
            "authorized" => Some(ReleaseRule::Authorized),
            "paid" => Some(ReleaseRule::Paid),
            _ => None,
        };
        let one = |(method, raw::Release(told)): (&&String, &&raw::Release)| {
            let when = word(self.source, &format!("release.{method}"), &told.when, &known, read)?;
            let key = format!("release.{method}.within");
            let within = told.within.as_ref().map(|text| seconds(self.source, &key, text, LONGEST_S));
            Ok(((*method).clone(), Release { when, within_s: within.transpose()? }))
        };
        rows.iter().map(one).collect()
    }
}

/// Every source of the flow with every target.
fn pairs(flow: &FlowConfig) -> impl Iterator<Item = (&SystemName, &SystemName)> {
    flow.from.iter().flat_map(|from| flow.to.iter().map(move |to| (from, to)))
}

/// Whether an order of one shop can have the number of one of the other: what is written around their own is alike.
fn same_numbers(one: &OrderRules, other: &OrderRules) -> bool {
    let around = |rules: &OrderRules| rules.reference("", "");
    around(one) == around(other)
}

/// Whether one path can be named by both patterns, one of which may be shorter.
fn meet(one: &Field, other: &Field) -> bool {
    one.said_by(other).is_some() || other.said_by(one).is_some() || crosses(one, other)
}

/// Has each side keep what the file names no owner of: its images, which cost requests, and doubled ones would be seen; and
/// what its bundles are made of, which buyers pay for.
fn keep_apart(pair: &mut PairRules) {
    for field in ["images", "parts"].map(Field::field) {
        if pair.policies.iter().all(|(path, _)| *path != field) {
            pair.policies.push((field, FieldPolicy::Keep));
        }
    }
}

/// Whether patterns with `*` in different places name one path.
fn crosses(one: &Field, other: &Field) -> bool {
    let (a, b): (Vec<&str>, Vec<&str>) = (one.as_str().split('.').collect(), other.as_str().split('.').collect());
    a.iter().zip(&b).all(|(a, b)| a == b || *a == "*" || *b == "*")
}

/// Whether two patterns can name one path and neither names it more closely.
fn rivals(one: &Field, other: &Field) -> bool {
    let closeness = |field: &Field| field.said_by(field);
    meet(one, other) && closeness(one) == closeness(other)
}
