//! One flow of the file: its table checked and turned into rules.

use super::{Drawn, EVERY_S, Systems, seconds, word};
use crate::config::error::{Source, nearest};
use crate::config::{Config, ConfigError, FlowConfig, Mode, raw};
use std::collections::BTreeMap;
use syncline_core::id::SystemName;
use syncline_core::kind::{FLOWS, Flow};
use syncline_core::path::Path as Field;
use syncline_core::record::VARIANT_SHARED;
use syncline_core::rules::{FieldPolicy, FieldRules, OrderRules, PriceRules, ReleaseRule, StockRules};
use toml::Spanned;

const RELEASE_DAYS: u32 = 14;
const ROUNDING_PER_LINE: u32 = 1;

/// Adds the flow in `raw` to `drawn`; its table stands at `at`.
pub(super) fn draw(source: &Source<'_>, drawn: &mut Config, flow: Flow, at: usize, raw: raw::Flow) -> Drawn<()> {
    let drawing = Drawing { source, systems: &drawn.systems, flow, at };
    let told = drawing.common(&raw)?;
    match flow {
        Flow::Products => drawn.products = Some(drawing.products(&told, &raw)?),
        Flow::Prices => drawn.prices = Some(drawing.prices(&told, &raw)?),
        Flow::Inventory => drawn.inventory = Some(drawing.inventory(&told, &raw)?),
        Flow::Orders => drawn.orders = Some(drawing.orders(&told, raw, drawn.flows.get(&Flow::Customers))?),
        Flow::Customers => {}
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
        self.fitting(raw)?;
        let from = self.from(raw.from.as_ref())?;
        let to = self.to(&from, &raw.to)?;
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
        self.direction(&flow)?;
        Ok(flow)
    }

    /// Refuses keys that mean nothing in this flow.
    fn fitting(&self, raw: &raw::Flow) -> Drawn<()> {
        let orders = [Flow::Orders].as_slice();
        let keys = [
            ("start", raw.start.as_ref().map(|key| key.span().start), orders),
            ("tax", raw.tax.as_ref().map(|key| key.span().start), &[Flow::Orders, Flow::Prices]),
            ("number", raw.number.as_ref().map(|key| key.span().start), orders),
            ("release", raw.release.as_ref().map(|key| key.span().start), orders),
            ("release_days", raw.release_days.as_ref().map(|key| key.span().start), orders),
            ("rounding_per_line", raw.rounding_per_line.as_ref().map(|key| key.span().start), orders),
            ("payment_methods", raw.payment_methods.as_ref().map(|key| key.span().start), orders),
            ("taxes", raw.taxes.as_ref().map(|key| key.span().start), orders),
            ("safety", raw.safety.as_ref().map(|key| key.span().start), &[Flow::Inventory]),
            ("sources", raw.sources.as_ref().map(|key| key.span().start), &[Flow::Inventory]),
            ("lists", raw.lists.as_ref().map(|key| key.span().start), &[Flow::Prices]),
            ("fields", raw.fields.as_ref().map(|key| key.span().start), &[Flow::Products]),
            ("create", raw.create.as_ref().map(|key| key.span().start), &[Flow::Products]),
        ];
        for (key, at, flows) in keys {
            if let (Some(at), false) = (at, flows.contains(&self.flow)) {
                let homes: Vec<String> = flows.iter().map(|flow| format!("[flows.{flow}]")).collect();
                let what = format!("`{key}` means nothing in [flows.{}]", self.flow);
                let remedy = format!("move it to {}, or take it out", homes.join(" or "));
                return Err(self.source.error("SYN-0412", Some(at), what, remedy));
            }
        }
        Ok(())
    }

    fn orders(&self, flow: &FlowConfig, raw: raw::Flow, customers: Option<&FlowConfig>) -> Drawn<OrderRules> {
        let start = self.start(raw.start.as_ref())?;
        let release = raw.release.map(|rows| self.release(rows.get_ref())).transpose()?.unwrap_or_default();
        self.tax(raw.tax.as_ref())?;
        let number = self.number(raw.number.as_ref())?;
        let rows =
            |table: Option<Spanned<BTreeMap<String, String>>>| table.map(Spanned::into_inner).unwrap_or_default();
        let tables = [("taxes", rows(raw.taxes)), ("payment_methods", rows(raw.payment_methods))];
        Ok(OrderRules {
            source: flow.from.clone(),
            target: flow.to.clone(),
            start,
            release,
            release_days: raw.release_days.map_or(RELEASE_DAYS, Spanned::into_inner),
            rounding_per_line: raw.rounding_per_line.map_or(ROUNDING_PER_LINE, Spanned::into_inner),
            number,
            creates_customers: customers.is_some_and(|customers| customers.mode != Mode::Off),
            tables: tables.into_iter().map(|(name, rows)| (name.to_string(), rows)).collect(),
        })
    }

    fn inventory(&self, flow: &FlowConfig, raw: &raw::Flow) -> Drawn<StockRules> {
        let none = BTreeMap::new();
        let places = self.places(raw.sources.as_ref().map_or(&none, Spanned::get_ref))?;
        let safety = raw.safety.as_ref().map_or(0, |safety| *safety.get_ref()).into();
        Ok(StockRules { source: flow.from.clone(), targets: vec![flow.to.clone()], safety, places })
    }

    fn products(&self, flow: &FlowConfig, raw: &raw::Flow) -> Drawn<FieldRules> {
        let none = BTreeMap::new();
        let rows = raw.fields.as_ref().map_or(&none, Spanned::get_ref);
        let policies = self.policies(flow, rows, &VARIANT_SHARED)?;
        let creates = raw.create.as_ref().is_some_and(|told| *told.get_ref());
        Ok(FieldRules { source: flow.from.clone(), targets: vec![flow.to.clone()], policies, creates })
    }

    fn prices(&self, flow: &FlowConfig, raw: &raw::Flow) -> Drawn<PriceRules> {
        let net = raw.tax.as_ref().is_some_and(|tax| tax.get_ref() == "net");
        if !net {
            let what = "[flows.prices] does not say that the shop's prices are entered without tax";
            let remedy =
                "add `tax = \"net\"` if both sides keep prices without tax; prices that include it are not built yet";
            return Err(self.source.error("SYN-0414", Some(self.at), what, remedy));
        }
        let none = BTreeMap::new();
        let rows = raw.lists.as_ref().map_or(&none, Spanned::get_ref);
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
        let fields = FieldRules {
            source: flow.from.clone(),
            targets: vec![flow.to.clone()],
            policies: Vec::new(),
            creates: false,
        };
        Ok(PriceRules { fields, lists })
    }

    /// The policies of the flow's fields; each has to name a field there is, and no two may say different things of one.
    fn policies(
        &self,
        flow: &FlowConfig,
        rows: &BTreeMap<String, Spanned<String>>,
        shared: &[&str],
    ) -> Drawn<Vec<(Field, FieldPolicy)>> {
        let fields: Vec<Field> = shared.iter().filter_map(|field| Field::try_from((*field).to_string()).ok()).collect();
        let mut policies: Vec<(Field, FieldPolicy)> = Vec::new();
        for (pattern, word) in rows {
            let at = Some(word.span().start);
            let path =
                Field::try_from(pattern.clone()).ok().filter(|path| fields.iter().any(|field| meet(path, field)));
            let Some(path) = path else {
                let what = format!("`fields` names `{pattern}`, which is no field of the flow");
                let near = nearest(pattern, shared).map(|near| format!("did you mean `{near}`? "));
                let remedy = format!("{}It has: {}", near.unwrap_or_default(), shared.join(", "));
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

    fn policy(&self, flow: &FlowConfig, pattern: &str, word: &Spanned<String>) -> Drawn<FieldPolicy> {
        let named = |name: &str| [&flow.from, &flow.to].into_iter().find(|system| system.as_str() == name).cloned();
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
            let remedy = format!(
                "write who owns it, `{}` or `{}`; `keep` (each its own); `merge` (whoever changed it; both: a person); \
                 or `merge:{}` (both: that one wins)",
                flow.from, flow.to, flow.from
            );
            self.wrong(Some(word.span().start), what, remedy)
        })
    }

    /// The shop's places with their warehouses. A warehouse shown in two places would be sold twice.
    fn places(&self, rows: &BTreeMap<String, Spanned<Vec<String>>>) -> Drawn<Vec<(String, Vec<String>)>> {
        let example = "write one like `sources = { default = [\"WH\"] }`; `syncline systems` lists both sides' places";
        if rows.is_empty() {
            let what =
                format!("[flows.{}] has no `sources`: which place of the shop shows which warehouses", self.flow);
            return Err(self.source.error("SYN-0414", Some(self.at), what, example));
        }
        let mut seen: BTreeMap<&str, &str> = BTreeMap::new();
        for (place, warehouses) in rows {
            let at = Some(warehouses.span().start);
            if warehouses.get_ref().is_empty() {
                return Err(self.wrong(at, format!("`sources.{place}` names no warehouse"), example));
            }
            for warehouse in warehouses.get_ref() {
                if let Some(other) = seen.insert(warehouse, place) {
                    let what = format!("the warehouse `{warehouse}` is shown in `{other}` and in `{place}`");
                    return Err(self.wrong(at, what, "name each warehouse once, or its stock would be sold twice"));
                }
            }
        }
        Ok(rows.iter().map(|(place, warehouses)| (place.clone(), warehouses.get_ref().clone())).collect())
    }

    /// The system of this name.
    fn named(&self, text: &Spanned<String>) -> Drawn<SystemName> {
        let name = SystemName::new(text.get_ref().clone());
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
        Err(self.wrong(Some(text.span().start), what, remedy))
    }

    fn from(&self, text: Option<&Spanned<String>>) -> Drawn<SystemName> {
        let missing = || self.wrong(None, format!("[flows.{}] has no `from`", self.flow), "add `from = \"SYSTEM\"`");
        self.named(text.ok_or_else(missing)?)
    }

    fn to(&self, from: &SystemName, names: &[Spanned<String>]) -> Drawn<SystemName> {
        let head = format!("[flows.{}]", self.flow);
        match names {
            [] => Err(self.wrong(None, format!("{head} has no `to`"), "add `to = [\"SYSTEM\"]`")),
            [one] => {
                let to = self.named(one)?;
                if to == *from {
                    let what = format!("{head} goes from `{from}` to itself");
                    return Err(self.wrong(Some(one.span().start), what, "name another system in `to`"));
                }
                Ok(to)
            }
            [_, second, ..] => {
                let what = format!("{head} goes to several systems");
                Err(self.wrong(Some(second.span().start), what, "one target is all that is built so far: name one"))
            }
        }
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
    fn direction(&self, flow: &FlowConfig) -> Drawn<()> {
        let is_shop = |name: &SystemName| self.systems.get(name).is_some_and(|system| system.kind.is_shop());
        let (from, to) = (is_shop(&flow.from), is_shop(&flow.to));
        let fine = match self.flow {
            Flow::Products => from != to,
            Flow::Inventory | Flow::Prices => !from && to,
            Flow::Customers | Flow::Orders => from && !to,
        };
        if fine {
            return Ok(());
        }
        let what = format!("[flows.{}] goes from `{}` to `{}`, which is not built", self.flow, flow.from, flow.to);
        let remedy = match self.flow {
            Flow::Products => "products flow between a shop and an ERP, either way",
            Flow::Inventory | Flow::Prices => "stock and prices flow from an ERP (tryton) to a shop (magento)",
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
        let rest = text.get_ref().replace("{number}", "").replace("{scope}", "");
        if text.get_ref().contains("{number}") && !rest.contains(['{', '}']) {
            return Ok(text.get_ref().clone());
        }
        let what = format!("`number` is `{}`", syncline_core::text::shown(text.get_ref(), 60));
        let remedy = "it has to hold `{number}` and may hold `{scope}`, e.g. `W{scope}-{number}`";
        Err(self.source.error("SYN-0413", Some(text.span().start), what, remedy))
    }

    fn release(&self, rows: &BTreeMap<String, Spanned<String>>) -> Drawn<Vec<(String, ReleaseRule)>> {
        let known = ["placed", "authorized", "paid"];
        let read = |word: &str| match word {
            "placed" => Some(ReleaseRule::Placed),
            "authorized" => Some(ReleaseRule::Authorized),
            "paid" => Some(ReleaseRule::Paid),
            _ => None,
        };
        let one = |(method, text): (&String, &Spanned<String>)| {
            Ok((method.clone(), word(self.source, &format!("release.{method}"), text, &known, read)?))
        };
        rows.iter().map(one).collect()
    }
}

/// Whether one path can be named by both patterns, one of which may be shorter.
fn meet(one: &Field, other: &Field) -> bool {
    one.said_by(other).is_some() || other.said_by(one).is_some() || crosses(one, other)
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
