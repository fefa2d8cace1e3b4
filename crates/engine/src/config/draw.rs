//! Draws the checked configuration from the raw file; the first thing that is wrong is the answer.

mod at;
mod described;
mod flow;
mod groups;

use super::error::{Source, nearest};
use super::raw::{self, Text};
use super::{Config, ConfigError, FlowConfig, Keys, Mode, Secret, SystemConfig, SystemKind};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;
use syncline_core::id::{SystemName, SystemUid};
use syncline_core::kind::{Flow, KINDS, Kind};
use toml::Spanned;

/// Seconds between two looks where nothing is said.
pub(super) const EVERY_S: u32 = 60;
/// Seconds between two sweeps over the keys where nothing is said.
const SWEEP_S: u32 = 86_400;
/// Seconds between two sweeps that read everything where nothing is said.
const SWEEP_DEEP_S: u32 = 7 * 86_400;
/// Seconds that raw exchanges are kept where nothing is said.
const EVIDENCE_S: u32 = 90 * 86_400;
const TIMEOUT_S: u32 = 30;
/// A lane's lease has to outlast any request.
const LONGEST_TIMEOUT_S: u32 = 240;

type Systems = BTreeMap<SystemName, SystemConfig>;
type Drawn<T> = Result<T, ConfigError>;

/// The checked configuration.
pub(super) fn config(source: &Source<'_>, file: raw::File) -> Drawn<Config> {
    let home = source.file.parent().unwrap_or_else(|| Path::new(""));
    let store = home.join(file.store.as_deref().unwrap_or("syncline.db"));
    let systems = systems(source, home, &file.systems)?;
    let listen = listen(source, &file)?;
    let mut drawn = Config {
        file: source.file.to_path_buf(),
        store,
        listen,
        systems,
        flows: BTreeMap::new(),
        orders: Vec::new(),
        customers: Vec::new(),
        groups: BTreeMap::new(),
        one_by_email: false,
        products: None,
        beside: BTreeMap::new(),
        attributes: BTreeMap::new(),
        options: None,
        prices: None,
        inventory: None,
        papers: None,
        sweep_s: seconds_or_never(source, "sweep", &file.sweep, SWEEP_S)?,
        sweep_deep_s: seconds_or_never(source, "sweep_deep", &file.sweep_deep, SWEEP_DEEP_S)?,
        evidence_s: seconds_or_never(source, "keep_evidence", &file.keep_evidence, EVIDENCE_S)?,
    };
    for (flow, table) in [
        (Flow::Products, file.flows.products),
        (Flow::Customers, file.flows.customers),
        (Flow::Orders, file.flows.orders),
        (Flow::Inventory, file.flows.inventory),
        (Flow::Prices, file.flows.prices),
        (Flow::Papers, file.flows.papers),
    ] {
        if let Some(table) = table {
            let at = table.span().start;
            flow::draw(source, &mut drawn, flow, at, table.into_inner())?;
        }
    }
    alone(source, &drawn.flows)?;
    Ok(drawn)
}

/// Where hints are listened for. A system that signs hints needs it, and it needs one.
fn listen(source: &Source<'_>, file: &raw::File) -> Drawn<Option<SocketAddr>> {
    let signing = file.systems.values().find_map(|table| table.get_ref().hook_secret.as_ref());
    match (&file.listen, signing) {
        (None, None) => Ok(None),
        (None, Some(secret)) => {
            let remedy = "add `listen = \"127.0.0.1:8087\"` at the top, or take the secret out";
            let what = "`hook_secret` means nothing where nobody listens";
            Err(source.error("SYN-0476", Some(secret.span().start), what, remedy))
        }
        (Some(text), None) => {
            let what = "`listen`: no system has a `hook_secret`, so everything would be refused";
            let remedy = "add `hook_secret = \"env:…\"` to the systems that send hints, or take `listen` out";
            Err(source.error("SYN-0476", Some(text.span().start), what, remedy))
        }
        (Some(text), Some(_)) => text.get_ref().parse().map(Some).map_err(|_| {
            let what =
                format!("`listen` is no address with a port: `{}`", syncline_core::text::shown(text.get_ref(), 80));
            let remedy = "write one like `127.0.0.1:8087`, and let a proxy with TLS stand before it";
            source.error("SYN-0413", Some(text.span().start), what, remedy)
        }),
    }
}

/// Seconds between two sweeps; none for never.
fn seconds_or_never(source: &Source<'_>, key: &str, text: &Text, usual: u32) -> Drawn<Option<u32>> {
    match text {
        None => Ok(Some(usual)),
        Some(text) if text.get_ref() == "never" => Ok(None),
        Some(text) => seconds(source, key, text, 366 * 86_400).map(Some),
    }
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
        if let Some(other) = systems.values().find(|other| other.is_beside(&system)) {
            neighbours(source, other, &system, table)?;
        }
        systems.insert(system.name.clone(), system);
    }
    Ok(systems)
}

/// Refuses two shops at one address that are not told apart: the same orders would be carried over twice.
fn neighbours(
    source: &Source<'_>,
    other: &SystemConfig,
    system: &SystemConfig,
    table: &Spanned<raw::System>,
) -> Drawn<()> {
    let raw = table.get_ref();
    let at = raw.website.as_ref().or(raw.url.as_ref()).map_or(table.span().start, |text| text.span().start);
    let wrong = |code, what: String, remedy: &str| Err(source.error(code, Some(at), what, remedy));
    match (&other.website, &system.website) {
        (Some(one), Some(two)) if one == two => {
            let what = format!(
                "[systems.{}] and [systems.{}] are both the website `{one}` of {}",
                other.name, system.name, system.url
            );
            wrong("SYN-0468", what, "a website is one system: take one of the two out, and keep the uid in use")
        }
        (Some(_), Some(_)) => Ok(()),
        (one, _) => {
            let all = if one.is_none() { &other.name } else { &system.name };
            let what = format!(
                "[systems.{}] and [systems.{}] are at one address, and `{all}` names no `website`",
                other.name, system.name
            );
            let remedy = "add `website = \"CODE\"` to each, a different one (`syncline systems` lists them); if it is the \
                          same shop under a new uid, put its old uid back";
            wrong("SYN-0467", what, remedy)
        }
    }
}

fn system(source: &Source<'_>, home: &Path, name: &str, table: &Spanned<raw::System>) -> Drawn<SystemConfig> {
    let raw = table.get_ref();
    let at = Some(table.span().start);
    let missing = |key: &str, remedy: &str| {
        source.error("SYN-0414", at, format!("[systems.{name}] has no `{key}`"), remedy.to_string())
    };
    let kind = raw
        .kind
        .as_ref()
        .ok_or_else(|| missing("kind", "add `kind = \"magento\"`, `kind = \"tryton\"` or `kind = \"http-json\"`"))?;
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
        keys: if kind.is_shop() { keys(source, home, name, table)? } else { None },
        login: login(home, &raw.login),
        password: secret(source, home, "password", &raw.password)?,
        hook_secret: secret(source, home, "hook_secret", &raw.hook_secret)?,
        website: plain_text(&raw.website),
        views: raw.views.iter().map(|(locale, view)| (locale.clone(), view.get_ref().clone())).collect(),
        category_root: plain_text(&raw.category_root),
        notify_shipments: raw.notify_shipments.as_ref().is_some_and(|told| *told.get_ref()),
        company: plain_text(&raw.company),
        web_shop: plain_text(&raw.web_shop),
        warehouse: plain_text(&raw.warehouse),
        shipping_product: plain_text(&raw.shipping_product),
        rounding_product: plain_text(&raw.rounding_product),
        adjustment_product: plain_text(&raw.adjustment_product),
        late_today: late_today(source, &raw.closed_periods)?,
        described: described::drawn(source, name, kind, table)?,
        settle_s: raw.settle.as_ref().map(|text| seconds(source, "settle", text, 86_400)).transpose()?,
        timeout: timeout(source, &raw.timeout)?,
        calls: calls(source, raw.calls.as_ref())?,
        accept_none: kinds_named(source, &raw.accept_none)?,
    };
    fitting(source, raw, &system)?;
    one_way_in(source, raw, &system)?;
    credentials(kind, &system).map_or(Ok(()), |(key, remedy)| Err(missing(key, remedy)))?;
    Ok(system)
}

/// Whether money that falls into a closed period is booked today; a person is asked unless the file says so.
fn late_today(source: &Source<'_>, text: &Text) -> Drawn<bool> {
    let read = |word: &str| match word {
        "ask" => Some(false),
        "today" => Some(true),
        _ => None,
    };
    text.as_ref().map_or(Ok(false), |text| word(source, "closed_periods", text, &["ask", "today"], read))
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

/// The four secrets an integration signs with, by their names in the file.
fn of_keys(raw: &raw::System) -> [(&'static str, &Text); 4] {
    [
        ("consumer_key", &raw.consumer_key),
        ("consumer_secret", &raw.consumer_secret),
        ("access_token", &raw.access_token),
        ("access_token_secret", &raw.access_token_secret),
    ]
}

/// What an integration signs with: all four or none.
fn keys(source: &Source<'_>, home: &Path, name: &str, table: &Spanned<raw::System>) -> Drawn<Option<Keys>> {
    let told = of_keys(table.get_ref());
    let Some((there, _)) = told.iter().find(|(_, text)| text.is_some()) else { return Ok(None) };
    let read = |(key, text): (&'static str, &Text)| {
        secret(source, home, key, text)?.ok_or_else(|| {
            let what = format!("[systems.{name}] has `{there}` and no `{key}`");
            let remedy = "an integration signs with all four that it was given when it was activated: `consumer_key`, \
                          `consumer_secret`, `access_token` and `access_token_secret`";
            source.error("SYN-0414", Some(table.span().start), what, remedy)
        })
    };
    let [consumer_key, consumer_secret, access_token, access_token_secret] = told;
    Ok(Some(Keys {
        consumer_key: read(consumer_key)?,
        consumer_secret: read(consumer_secret)?,
        access_token: read(access_token)?,
        access_token_secret: read(access_token_secret)?,
    }))
}

/// Refuses a shop that could be entered in several ways: which one was meant, nobody can tell.
fn one_way_in(source: &Source<'_>, raw: &raw::System, system: &SystemConfig) -> Drawn<()> {
    if !system.kind.is_shop() {
        return Ok(());
    }
    let [consumer_key, ..] = of_keys(raw);
    let ways = [("token", &raw.token), consumer_key, ("login", &raw.login), ("password", &raw.password)];
    let told: Vec<(&str, usize)> =
        ways.iter().filter_map(|(key, text)| Some((*key, text.as_ref()?.span().start))).collect();
    match told.as_slice() {
        [(first, _), (second, at), ..] if *first != "login" => {
            let what = format!("[systems.{}] has both `{first}` and `{second}`", system.name);
            let remedy = "keep one way in: `token`, or `consumer_key` with its three, or `login` and `password`";
            Err(source.error("SYN-0412", Some(*at), what, remedy))
        }
        _ => Ok(()),
    }
}

/// The key a system lacks to be logged in to, with what to do.
fn credentials(kind: SystemKind, system: &SystemConfig) -> Option<(&'static str, &'static str)> {
    let by_login = system.login.is_some() && system.password.is_some();
    match kind {
        SystemKind::Magento if system.keys.is_some() || system.token.is_some() || by_login => None,
        SystemKind::Magento => Some((
            "token",
            "add `token = \"env:SYNCLINE_SHOP_TOKEN\"` (an integration's access token), or its `consumer_key`, \
             `consumer_secret`, `access_token` and `access_token_secret`, or `login` and `password`",
        )),
        // Its own ways are looked at where it is described.
        SystemKind::HttpJson => None,
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
        ("adjustment_product", &raw.adjustment_product),
        ("closed_periods", &raw.closed_periods),
    ];
    let [consumer_key, consumer_secret, access_token, access_token_secret] = of_keys(raw);
    let root = ("category_root", &raw.category_root);
    let of_shop = [consumer_key, consumer_secret, access_token, access_token_secret, root];
    let token = [("token", &raw.token)];
    let strange: Vec<&(&str, &Text)> = match system.kind {
        SystemKind::Magento => of_erp.iter().collect(),
        SystemKind::Tryton => token.iter().chain(&of_shop).collect(),
        SystemKind::HttpJson => of_erp.iter().chain(&of_shop).collect(),
    };
    for (key, text) in strange {
        if let Some(text) = text {
            let what = format!("`{key}` means nothing for a {} system", system.kind.word());
            let remedy = "remove it, or move it to the system it belongs to";
            return Err(source.error("SYN-0412", Some(text.span().start), what, remedy));
        }
    }
    if let Some(told) = raw.notify_shipments.as_ref().filter(|_| !system.kind.is_shop()) {
        let what = format!("`notify_shipments` means nothing for a {} system", system.kind.word());
        return Err(source.error("SYN-0412", Some(told.span().start), what, "move it to the shop it belongs to"));
    }
    if let Some(website) = raw.website.as_ref().filter(|_| !system.kind.is_shop()) {
        let what = format!("`website` means nothing for a {} system", system.kind.word());
        return Err(source.error("SYN-0412", Some(website.span().start), what, "move it to the shop it belongs to"));
    }
    if let Some((locale, view)) = raw.views.iter().next().filter(|_| !system.kind.is_shop()) {
        let what = format!("`views.{locale}` means nothing for a {} system", system.kind.word());
        return Err(source.error("SYN-0412", Some(view.span().start), what, "move it to the shop it belongs to"));
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

/// Seconds of a duration like `30s`, `5m`, `2h`, `7d`; 1 to `most`.
fn seconds(source: &Source<'_>, key: &str, text: &Spanned<String>, most: u32) -> Drawn<u32> {
    let told = text.get_ref();
    match syncline_core::text::seconds(told) {
        Some(seconds) if (1..=most).contains(&seconds) => Ok(seconds),
        told_as => {
            let shown = syncline_core::text::shown(told, 40);
            let what = match told_as {
                Some(_) => format!("`{key}` is `{shown}`; it has to be 1 to {most} seconds"),
                None => format!("`{key}` is `{shown}`, which is no duration"),
            };
            Err(source.error("SYN-0413", Some(text.span().start), what, "write one like `30s`, `5m`, `2h` or `7d`"))
        }
    }
}
