//! Draws the checked configuration from the raw file; the first thing that is wrong is the answer.

use super::error::{Source, nearest};
use super::raw::{self, Text};
use super::{Config, ConfigError, FlowConfig, Mode, Secret, SystemConfig, SystemKind};
use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;
use syncline_core::id::{SystemName, SystemUid};
use syncline_core::kind::{FLOWS, Flow, KINDS, Kind};
use syncline_core::rules::{OrderRules, ReleaseRule, StockRules};
use toml::Spanned;

/// Seconds between two looks where nothing is said.
pub(super) const EVERY_S: u32 = 60;
const TIMEOUT_S: u32 = 30;
/// A lane's lease has to outlast any request.
const LONGEST_TIMEOUT_S: u32 = 240;
const RELEASE_DAYS: u32 = 14;
const ROUNDING_PER_LINE: u32 = 1;

type Systems = BTreeMap<SystemName, SystemConfig>;
type Drawn<T> = Result<T, ConfigError>;

/// The checked configuration.
pub(super) fn config(source: &Source<'_>, file: raw::File) -> Drawn<Config> {
    let home = source.file.parent().unwrap_or_else(|| Path::new(""));
    let store = home.join(file.store.as_deref().unwrap_or("syncline.db"));
    let systems = systems(source, home, &file.systems)?;
    let mut flows = BTreeMap::new();
    for (flow, table) in [(Flow::Products, file.flows.products), (Flow::Customers, file.flows.customers)] {
        if let Some(table) = table {
            let at = table.span().start;
            flows.insert(flow, Drawing { source, systems: &systems, flow, at }.common(table.into_inner())?);
        }
    }
    let mut orders = None;
    if let Some(table) = file.flows.orders {
        let drawing = Drawing { source, systems: &systems, flow: Flow::Orders, at: table.span().start };
        let (flow, rules) = drawing.orders(table.into_inner(), flows.get(&Flow::Customers))?;
        flows.insert(Flow::Orders, flow);
        orders = Some(rules);
    }
    let mut inventory = None;
    if let Some(table) = file.flows.inventory {
        let drawing = Drawing { source, systems: &systems, flow: Flow::Inventory, at: table.span().start };
        let (flow, rules) = drawing.inventory(table.into_inner())?;
        flows.insert(Flow::Inventory, flow);
        inventory = Some(rules);
    }
    alone(source, &flows)?;
    Ok(Config { file: source.file.to_path_buf(), store, systems, flows, orders, inventory })
}

/// Refuses a customers flow that runs elsewhere than the orders.
fn alone(source: &Source<'_>, flows: &BTreeMap<Flow, FlowConfig>) -> Drawn<()> {
    let Some(customers) = flows.get(&Flow::Customers).filter(|flow| flow.mode != Mode::Off) else { return Ok(()) };
    let orders = flows.get(&Flow::Orders);
    if orders.is_some_and(|orders| orders.from == customers.from && orders.to == customers.to) {
        return Ok(());
    }
    let at = source.text.find("[flows.customers]");
    let what = "[flows.customers] runs without [flows.orders] from and to the same systems";
    Err(source.error("SYN-0419", at, what, "customers flow with orders so far: give both the same `from` and `to`"))
}

fn systems(source: &Source<'_>, home: &Path, tables: &BTreeMap<String, Spanned<raw::System>>) -> Drawn<Systems> {
    let mut systems = Systems::new();
    for (name, table) in tables {
        let system = system(source, home, name, table)?;
        if let Some(other) = systems.values().find(|other| other.uid == system.uid) {
            let at = table.get_ref().uid.as_ref().map(|uid| uid.span().start);
            let what = format!("[systems.{}] and [systems.{name}] have one uid, `{}`", other.name, system.uid);
            let remedy = "a uid names one system for ever: give the newer one another, never the one in use";
            return Err(source.error("SYN-0417", at, what, remedy));
        }
        systems.insert(system.name.clone(), system);
    }
    Ok(systems)
}

fn system(source: &Source<'_>, home: &Path, name: &str, table: &Spanned<raw::System>) -> Drawn<SystemConfig> {
    let raw = table.get_ref();
    let at = Some(table.span().start);
    let missing = |key: &str, remedy: &str| {
        source.error("SYN-0414", at, format!("[systems.{name}] has no `{key}`"), remedy.to_string())
    };
    let kind = raw.kind.as_ref().ok_or_else(|| missing("kind", "add `kind = \"magento\"` or `kind = \"tryton\"`"))?;
    let kinds: Vec<&str> = SystemKind::ALL.into_iter().map(SystemKind::word).collect();
    let kind = word(source, "kind", kind, &kinds, SystemKind::of)?;
    let uid = raw.uid.as_ref().ok_or_else(|| {
        missing("uid", "add the uid `init` once drew; for a new system any word no other has, never changed again")
    })?;
    let plain = |uid: &str| uid.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
    if !plain(uid.get_ref()) || !(2..=16).contains(&uid.get_ref().len()) {
        let what = format!("uid `{}` is not made of 2 to 16 of a–z and 0–9", uid.get_ref());
        return Err(source.error("SYN-0413", Some(uid.span().start), what, "write one like `7f3k`"));
    }
    let url = raw.url.as_ref().ok_or_else(|| missing("url", "add `url = \"https://…\"`"))?;
    address(source, url)?;
    let system = SystemConfig {
        name: SystemName::new(name),
        uid: SystemUid::new(uid.get_ref().clone()),
        kind,
        url: url.get_ref().trim().to_string(),
        token: secret(source, home, "token", &raw.token)?,
        login: login(home, &raw.login),
        password: secret(source, home, "password", &raw.password)?,
        company: plain_text(&raw.company),
        web_shop: plain_text(&raw.web_shop),
        warehouse: plain_text(&raw.warehouse),
        shipping_product: plain_text(&raw.shipping_product),
        rounding_product: plain_text(&raw.rounding_product),
        settle_s: raw.settle.as_ref().map(|text| seconds(source, "settle", text, 86_400)).transpose()?,
        timeout: timeout(source, &raw.timeout)?,
        calls: calls(source, raw.calls.as_ref())?,
        accept_none: kinds_named(source, &raw.accept_none)?,
    };
    fitting(source, raw, &system)?;
    credentials(kind, &system).map_or(Ok(()), |(key, remedy)| Err(missing(key, remedy)))?;
    Ok(system)
}

fn plain_text(text: &Text) -> Option<String> {
    text.as_ref().map(|text| text.get_ref().clone())
}

/// Refuses an address that is none, or that holds a password.
fn address(source: &Source<'_>, url: &Spanned<String>) -> Drawn<()> {
    let text = url.get_ref().trim();
    let host = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    let at = Some(url.span().start);
    match host {
        Some(host) if host.split('/').next().is_some_and(|host| host.contains('@')) => {
            let what = "`url` holds a login";
            Err(source.error("SYN-0415", at, what, "take it out of the address; `login` and `password` are for that"))
        }
        Some(host) if !host.is_empty() && !host.starts_with('/') && !host.contains(char::is_whitespace) => Ok(()),
        _ => {
            let what = format!("`url` is no address: `{}`", syncline_core::text::shown(text, 120));
            Err(source.error("SYN-0413", at, what, "write one like `https://shop.example`"))
        }
    }
}

/// The key a system lacks to be logged in to, with what to do.
fn credentials(kind: SystemKind, system: &SystemConfig) -> Option<(&'static str, &'static str)> {
    let by_login = system.login.is_some() && system.password.is_some();
    match kind {
        SystemKind::Magento if system.token.is_some() || by_login => None,
        SystemKind::Magento => Some((
            "token",
            "add `token = \"env:SYNCLINE_SHOP_TOKEN\"` (an integration's access token), or `login` and `password`",
        )),
        SystemKind::Tryton if by_login => None,
        SystemKind::Tryton if system.login.is_none() => Some(("login", "add `login = \"…\"`")),
        SystemKind::Tryton => Some(("password", "add `password = \"env:SYNCLINE_ERP_PASSWORD\"`")),
    }
}

/// Refuses keys that mean nothing for the system's kind.
fn fitting(source: &Source<'_>, raw: &raw::System, system: &SystemConfig) -> Drawn<()> {
    let of_erp = [
        ("company", &raw.company),
        ("web_shop", &raw.web_shop),
        ("warehouse", &raw.warehouse),
        ("shipping_product", &raw.shipping_product),
        ("rounding_product", &raw.rounding_product),
    ];
    let of_shop = [("token", &raw.token)];
    let strange: &[(&str, &Text)] = if system.kind.is_shop() { &of_erp } else { &of_shop };
    for (key, text) in strange {
        if let Some(text) = text {
            let what = format!("`{key}` means nothing for a {} system", system.kind.word());
            let remedy = "remove it, or move it to the system it belongs to";
            return Err(source.error("SYN-0412", Some(text.span().start), what, remedy));
        }
    }
    Ok(())
}

fn secret(source: &Source<'_>, home: &Path, key: &str, text: &Text) -> Drawn<Option<Secret>> {
    let Some(text) = text else { return Ok(None) };
    match Secret::of(text.get_ref(), home) {
        Some(secret) => Ok(Some(secret)),
        None => {
            let at = Some(text.span().start);
            let remedy = format!("write `{key} = \"env:NAME\"` or `\"file:PATH\"`, and change the one that stood here");
            Err(source.error("SYN-0415", at, format!("`{key}` stands here in plain"), remedy))
        }
    }
}

fn login(home: &Path, text: &Text) -> Option<Secret> {
    let text = text.as_ref()?.get_ref();
    Some(Secret::of(text, home).unwrap_or_else(|| Secret::Plain(text.clone())))
}

fn timeout(source: &Source<'_>, text: &Text) -> Drawn<Duration> {
    let told = text.as_ref().map(|text| seconds(source, "timeout", text, LONGEST_TIMEOUT_S)).transpose()?;
    Ok(Duration::from_secs(u64::from(told.unwrap_or(TIMEOUT_S))))
}

fn calls(source: &Source<'_>, told: Option<&Spanned<u32>>) -> Drawn<Option<usize>> {
    let Some(told) = told else { return Ok(None) };
    if !(1..=64).contains(told.get_ref()) {
        let what = format!("`calls` is {}; it has to be 1 to 64", told.get_ref());
        return Err(source.error("SYN-0413", Some(told.span().start), what, "most shops and ERPs bear 4"));
    }
    Ok(usize::try_from(*told.get_ref()).ok())
}

fn kinds_named(source: &Source<'_>, words: &[Spanned<String>]) -> Drawn<Vec<Kind>> {
    let known: Vec<&str> = KINDS.into_iter().map(Kind::word).collect();
    words.iter().map(|text| word(source, "accept_none", text, &known, |word| word.parse().ok())).collect()
}

/// One word of `known`, as `read` understands it.
fn word<T>(
    source: &Source<'_>,
    key: &str,
    text: &Spanned<String>,
    known: &[&str],
    read: impl Fn(&str) -> Option<T>,
) -> Drawn<T> {
    read(text.get_ref()).ok_or_else(|| {
        let what = format!("`{key}` is `{}`", syncline_core::text::shown(text.get_ref(), 60));
        let remedy = match nearest(text.get_ref(), known) {
            Some(near) => format!("did you mean `{near}`? It is one of: {}", known.join(", ")),
            None => format!("write one of: {}", known.join(", ")),
        };
        source.error("SYN-0413", Some(text.span().start), what, remedy)
    })
}

/// Seconds of a duration like `30s`, `5m`, `2h`; 1 to `most`.
fn seconds(source: &Source<'_>, key: &str, text: &Spanned<String>, most: u32) -> Drawn<u32> {
    let told = text.get_ref();
    let parsed = told.char_indices().last().and_then(|(at, unit)| {
        let number: u32 = told.get(..at)?.parse().ok()?;
        let factor = match unit {
            's' => 1,
            'm' => 60,
            'h' => 3600,
            _ => return None,
        };
        number.checked_mul(factor)
    });
    match parsed {
        Some(seconds) if (1..=most).contains(&seconds) => Ok(seconds),
        told_as => {
            let shown = syncline_core::text::shown(told, 40);
            let what = match told_as {
                Some(_) => format!("`{key}` is `{shown}`; it has to be 1 to {most} seconds"),
                None => format!("`{key}` is `{shown}`, which is no duration"),
            };
            Err(source.error("SYN-0413", Some(text.span().start), what, "write one like `30s`, `5m` or `2h`"))
        }
    }
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

    fn common(&self, raw: raw::Common) -> Drawn<FlowConfig> {
        let from = self.from(raw.from.as_ref())?;
        let to = self.to(&from, &raw.to)?;
        let flow = FlowConfig {
            flow: self.flow,
            why: raw.why,
            today: raw.today,
            every_s: self.every(raw.every.as_ref())?,
            mode: self.mode(raw.mode.as_ref())?,
            needs: self.needs(&raw.needs)?,
            from,
            to,
        };
        self.direction(&flow)?;
        Ok(flow)
    }

    fn orders(&self, raw: raw::Orders, customers: Option<&FlowConfig>) -> Drawn<(FlowConfig, OrderRules)> {
        let (start, release) = (self.start(raw.start.as_ref())?, self.release(&raw.release)?);
        self.tax(raw.tax.as_ref())?;
        let number = self.number(raw.number.as_ref())?;
        let common = raw::Common {
            why: raw.why,
            today: raw.today,
            from: raw.from,
            to: raw.to,
            every: raw.every,
            mode: raw.mode,
            needs: raw.needs,
        };
        let flow = self.common(common)?;
        let tables = [("taxes", raw.taxes), ("payment_methods", raw.payment_methods)];
        let rules = OrderRules {
            source: flow.from.clone(),
            target: flow.to.clone(),
            start,
            release,
            release_days: raw.release_days.unwrap_or(RELEASE_DAYS),
            rounding_per_line: raw.rounding_per_line.unwrap_or(ROUNDING_PER_LINE),
            number,
            creates_customers: customers.is_some_and(|customers| customers.mode != Mode::Off),
            tables: tables.into_iter().map(|(name, rows)| (name.to_string(), rows)).collect(),
        };
        Ok((flow, rules))
    }

    fn inventory(&self, raw: raw::Inventory) -> Drawn<(FlowConfig, StockRules)> {
        let places = self.places(&raw.sources)?;
        let flow = self.common(raw::Common {
            why: raw.why,
            today: raw.today,
            from: raw.from,
            to: raw.to,
            every: raw.every,
            mode: raw.mode,
            needs: raw.needs,
        })?;
        let rules =
            StockRules { source: flow.from.clone(), targets: vec![flow.to.clone()], safety: raw.safety.into(), places };
        Ok((flow, rules))
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
        let writes = self.flow != Flow::Products;
        let Some(text) = text else { return Ok(if writes { Mode::On } else { Mode::Off }) };
        let read = |word: &str| [Mode::Off, Mode::Watch, Mode::On].into_iter().find(|mode| mode.word() == word);
        let mode = word(self.source, "mode", text, &["off", "watch", "on"], read)?;
        if mode != Mode::Off && !writes {
            let what = format!("[flows.{}] mode = `{}`: writing products is not built yet", self.flow, mode.word());
            let remedy = "write `mode = \"off\"`; `syncline adopt` ties what both sides have, whatever the mode";
            return Err(self.source.error("SYN-0419", Some(text.span().start), what, remedy));
        }
        Ok(mode)
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
            Flow::Inventory => !from && to,
            Flow::Customers | Flow::Orders => from && !to,
        };
        if fine {
            return Ok(());
        }
        let what = format!("[flows.{}] goes from `{}` to `{}`, which is not built", self.flow, flow.from, flow.to);
        let remedy = match self.flow {
            Flow::Products => "products are tied between a shop and an ERP",
            Flow::Inventory => "stock flows from an ERP (tryton) to a shop (magento)",
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
