//! Opens what a command works with: the file, the store, the systems with their connectors.

use crate::clock::Wall;
use crate::failure::Failure;
use crate::loan;
use crate::out::Out;
use crate::patience::Patience;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;
use syncline_connect::http::Http;
use syncline_connect::{Connector, Ctx, Error, Fut, Probe, Request, Response, Transport, TransportError};
use syncline_connectors::{http_json, magento, tryton};
use syncline_core::id::SystemName;
use syncline_core::policy::ErrorKind;
use syncline_core::profile::Guard;
use syncline_core::rules::{Amendments, Branch, PaperRules, PaperTarget};
use syncline_engine::config::{Attribute, Config, ConfigError, Secret, SystemConfig, SystemKind};
use syncline_engine::{Engine, Settings, System};
use syncline_server::Ear;
use syncline_store::{Sql, Store};

/// Requests of commands that stay at home.
#[derive(Debug)]
struct Nowhere;

impl Transport for Nowhere {
    fn send(&self, _: Request) -> Fut<'_, Result<Response, TransportError>> {
        Box::pin(std::future::ready(Err(TransportError::NotSent("this command asks no system".to_string()))))
    }
}

/// Whether secrets are wanted.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reach {
    /// Systems are asked.
    Network,
    /// Only what the store holds is told.
    Stored,
}

/// The system of `system`, nothing asked yet.
fn system(config: &Config, system: &SystemConfig, reach: Reach) -> Result<System, Failure> {
    let file = config.shown();
    let told = |secret: &Secret, key: &str| match reach {
        Reach::Network => secret.read(&file, system.name.as_str(), key),
        Reach::Stored => Ok(String::new()),
    };
    let read = |secret: &Option<Secret>, key: &str| secret.as_ref().map_or(Ok(String::new()), |one| told(one, key));
    let (login, password) = (read(&system.login, "login")?, read(&system.password, "password")?);
    if system.kind != SystemKind::Magento && login.contains(':') {
        // Login and password are sent in one word with a colon between them (RFC 7617, 2).
        let what = format!("{file}: [systems.{}] login: it holds a colon, which cannot be sent", system.name);
        return Err(Failure::new("SYN-0427", what, "give that user a login without a colon"));
    }
    let connector: Arc<dyn Connector> = match system.kind {
        SystemKind::Magento => {
            let auth = entry(system, told)?.unwrap_or(magento::Auth::Login { user: login, password });
            Arc::new(magento::Magento::new(magento::Config {
                url: system.url.clone(),
                auth,
                views: system.views.clone(),
                category_root: system.category_root.clone(),
                website: system.website.clone(),
                attributes: carried(config).keys().cloned().collect(),
                images: config.carries_images(),
                groups: config.groups.contains_key(&system.name),
                families: config.options.is_some(),
                notify_shipments: system.notify_shipments,
                papers: config.papers.is_some(),
            }))
        }
        SystemKind::HttpJson => {
            let token = system.token.as_ref().map(|token| told(token, "token")).transpose()?;
            Arc::new(described(system, token, (login, password)))
        }
        SystemKind::Tryton => Arc::new(to_tryton(config, system, (login, password))),
    };
    let transport = road(reach)?;
    let profile = Arc::new(connector.profile().clone());
    let calls = system.calls.unwrap_or(profile.calls_in_flight);
    let ctx = Ctx::new(transport, Arc::new(Wall), Arc::new(Wall), calls, system.timeout);
    let beside = config.systems.values().filter(|other| other.name != system.name && other.is_beside(system));
    let beside = beside.map(|other| other.uid.clone()).collect();
    Ok(System { name: system.name.clone(), uid: system.uid.clone(), beside, connector, ctx, profile })
}

/// How the systems of `config` that sign hints are listened to.
pub(crate) fn ears(config: &Config) -> Result<BTreeMap<SystemName, Ear>, Failure> {
    let mut ears = BTreeMap::new();
    for told in config.systems.values() {
        let Some(secret) = &told.hook_secret else { continue };
        let secret = secret.read(&config.shown(), told.name.as_str(), "hook_secret")?;
        let System { name, uid, connector, .. } = system(config, told, Reach::Stored)?;
        ears.insert(name, Ear { uid, connector, secret });
    }
    Ok(ears)
}

/// The Tryton that `system` is, with what `config` carries from and to it.
fn to_tryton(config: &Config, system: &SystemConfig, (login, password): (String, String)) -> tryton::Tryton {
    let plain = tryton::Config::new(system.url.clone(), login, password);
    tryton::Tryton::new(tryton::Config {
        company: system.company.clone(),
        web_shop: system.web_shop.clone(),
        warehouse: system.warehouse.clone(),
        shipping_product: system.shipping_product.clone().unwrap_or(plain.shipping_product.clone()),
        rounding_product: system.rounding_product.clone().unwrap_or(plain.rounding_product.clone()),
        adjustment_product: system.adjustment_product.clone().unwrap_or(plain.adjustment_product.clone()),
        late_today: system.late_today,
        settle_s: system.settle_s,
        branches: branches(config, &system.name),
        attributes: carried(config).iter().map(|(code, one)| (code.clone(), in_tryton(one))).collect(),
        images: config.carries_images(),
        groups: !config.groups.is_empty(),
        families: config.options.clone(),
        papers: config.papers.is_some(),
        payments: config.papers.iter().flat_map(|rules| &rules.targets).any(PaperTarget::tells_payments),
        refunds: config.papers.as_ref().is_some_and(PaperRules::carries_refunds),
        amends: config.orders.iter().any(|rules| rules.amendments == Amendments::Carry),
        ..plain
    })
}

/// The JSON API that `system` describes, entered by a token, by login and password, or by everybody.
fn described(system: &SystemConfig, token: Option<String>, (login, password): (String, String)) -> http_json::HttpJson {
    let api = system.described.as_ref();
    let header = api.and_then(|api| api.token_header.clone());
    let auth = match (token, header) {
        (Some(token), Some(header)) => http_json::Auth::Header(header, token),
        (Some(token), None) => http_json::Auth::Bearer(token),
        (None, _) if system.login.is_some() => http_json::Auth::Basic { login, password },
        (None, _) => http_json::Auth::Open,
    };
    http_json::HttpJson::new(http_json::Config {
        url: system.url.clone(),
        auth,
        per_second: api.and_then(|api| api.per_second),
        variants: api.map(|api| api.variants.clone()),
    })
}

/// How a shop is entered where the file names keys or a token.
fn entry(
    system: &SystemConfig,
    told: impl Fn(&Secret, &str) -> Result<String, ConfigError>,
) -> Result<Option<magento::Auth>, Failure> {
    Ok(match (&system.keys, &system.token) {
        (Some(keys), _) => Some(magento::Auth::Signed(magento::Keys {
            consumer_key: told(&keys.consumer_key, "consumer_key")?,
            consumer_secret: told(&keys.consumer_secret, "consumer_secret")?,
            access_token: told(&keys.access_token, "access_token")?,
            access_token_secret: told(&keys.access_token_secret, "access_token_secret")?,
        })),
        (None, Some(token)) => Some(magento::Auth::Token(told(token, "token")?)),
        (None, None) => None,
    })
}

/// The way to a system.
fn road(reach: Reach) -> Result<Arc<dyn Transport>, Failure> {
    Ok(match reach {
        Reach::Network => {
            let remedy = "check the certificates of this machine";
            Arc::new(Http::new().map_err(|error| Failure::new("SYN-0906", error.to_string(), remedy))?)
        }
        Reach::Stored => Arc::new(Nowhere),
    })
}

/// What the file carries of products beside their own fields, where products flow.
fn carried(config: &Config) -> BTreeMap<String, Attribute> {
    config.in_force().products.map(|_| config.attributes.clone()).unwrap_or_default()
}

/// Where the file has orders booked in the ERP called `name`, beside its own company.
fn branches(config: &Config, name: &SystemName) -> Vec<Branch> {
    let named = config.orders.iter().filter(|rules| rules.target == *name).map(|rules| rules.branch.clone());
    named.filter(|branch| *branch != Branch::default()).collect::<BTreeSet<_>>().into_iter().collect()
}

fn in_tryton(attribute: &Attribute) -> tryton::Carried {
    tryton::Carried { source: attribute.field.clone(), names: attribute.choices.clone() }
}

/// The systems of `config`, ready to be asked; each tells of itself through `probe`.
pub(crate) fn systems(config: &Config) -> Result<Vec<System>, Failure> {
    config.systems.values().map(|told| system(config, told, Reach::Network)).collect()
}

/// The systems of `config`, each asked what it can do.
pub(crate) async fn probed(config: &Config) -> Result<Vec<(System, Probe)>, Failure> {
    let systems = systems(config)?;
    let probes = futures::future::join_all(systems.iter().map(probe)).await;
    let mut found = Vec::new();
    for (mut system, probe) in systems.into_iter().zip(probes) {
        let probe = probe.map_err(|error| Failure::system(&system.name, &error))?;
        settled(config, &mut system, &probe);
        found.push((system, probe));
    }
    Ok(found)
}

/// Gives `system` the profile it told, with the times of `config`.
fn settled(config: &Config, system: &mut System, probe: &Probe) {
    let mut profile = probe.profile.clone();
    let told = config.systems.get(&system.name).and_then(|told| told.settle_s);
    for kind in profile.kinds.values_mut() {
        kind.settle_s = kind.settle_s.map(|usual| told.unwrap_or(usual));
        for claim in &mut kind.guards {
            if let (Some(told), Guard::Look { settle_s, .. } | Guard::DraftElect { settle_s, .. }) =
                (told, &mut claim.guard)
            {
                *settle_s = told;
            }
        }
    }
    system.profile = Arc::new(profile);
}

/// What `system` says of itself. A page of a proxy, half an answer or a plea for patience is asked past.
pub(crate) async fn probe(system: &System) -> Result<Probe, Error> {
    let mut patience = Patience::default();
    loop {
        let error = match system.connector.probe(&system.ctx).await {
            Ok(probe) => return Ok(probe),
            Err(error) => error,
        };
        let Some(pause) = patience.pause(&error) else { return Err(error) };
        tokio::time::sleep(pause).await;
    }
}

/// Lanes a worker takes at once at most, however many a system takes by one request.
const MOST_LANES: usize = 100;

fn by_name(systems: impl IntoIterator<Item = System>) -> BTreeMap<SystemName, System> {
    systems.into_iter().map(|system| (system.name.clone(), system)).collect()
}

fn engine(config: &Config, store: Arc<dyn Store>, systems: BTreeMap<SystemName, System>) -> Engine {
    let longest = config.systems.values().map(|system| system.timeout.as_secs()).max().unwrap_or(0);
    let longest = u32::try_from(longest).unwrap_or(u32::MAX);
    let settings = Settings::default();
    let batches = systems.values().flat_map(|system| system.profile.kinds.values().map(|kind| kind.batch));
    let lanes = batches.max().unwrap_or(1).clamp(settings.lanes, MOST_LANES);
    let settings = Settings { lease_s: settings.lease_s.max(longest.saturating_add(60)), lanes, ..settings };
    Engine::new(store, systems, config.in_force(), settings, Arc::new(Wall))
}

/// The store to write to, held until dropped. A daemon that has it is asked to lend it.
pub(crate) async fn writer(config: &Config, out: Out) -> Result<Arc<dyn Store>, Failure> {
    loan::asked_for(&config.store, out).await;
    free(config)
}

/// The store to write to, where nobody has it; held until dropped.
pub(crate) fn free(config: &Config) -> Result<Arc<dyn Store>, Failure> {
    Ok(Arc::new(Sql::threaded(&config.store)?))
}

/// The store to look at; an empty one where none was written yet.
pub(crate) fn reader(config: &Config) -> Result<Arc<dyn Store>, Failure> {
    match config.store.exists() {
        true => Ok(Arc::new(Sql::reader(&config.store)?)),
        false => Ok(Arc::new(Sql::inline(":memory:")?)),
    }
}

/// The engine that writes, every system asked. The store comes first: where it is held, nobody is bothered.
pub(crate) async fn working(config: &Config, out: Out) -> Result<Engine, Failure> {
    working_on(config, writer(config, out).await?).await
}

/// The same over a store that is held already.
pub(crate) async fn working_on(config: &Config, store: Arc<dyn Store>) -> Result<Engine, Failure> {
    crate::uids::kept(config, store.as_ref()).await?;
    let (systems, absent) = answering(config).await?;
    let engine = engine(config, store, by_name(systems));
    for (name, error) in &absent {
        engine.leave_out(name.clone(), error.clone());
    }
    match absent.first() {
        Some((name, error)) if engine.stalled() => Err(Failure::system(name, error)),
        _ => Ok(engine),
    }
}

/// The systems of `config`, each asked what it can do, and those that gave no answer. What is answered and is not
/// understood is a failure all the same.
async fn answering(config: &Config) -> Result<(Vec<System>, Vec<(SystemName, Error)>), Failure> {
    let mut systems = systems(config)?;
    let probes = futures::future::join_all(systems.iter().map(probe)).await;
    let mut absent = Vec::new();
    for (system, probe) in systems.iter_mut().zip(probes) {
        match probe {
            Ok(probe) => settled(config, system, &probe),
            Err(error) if passes(&error) => absent.push((system.name.clone(), error)),
            Err(error) => return Err(Failure::system(&system.name, &error)),
        }
    }
    Ok((systems, absent))
}

/// Whether a system that answers like this may answer otherwise later.
fn passes(error: &Error) -> bool {
    matches!(error.kind, ErrorKind::Unreachable | ErrorKind::Busy | ErrorKind::Broken)
}

/// Once one of the systems that `engine` leaves out says what it can do; never where it leaves out none.
pub(crate) async fn back(config: &Config, engine: &Engine, every: Duration) {
    let absent = engine.absent();
    let asked: Vec<System> = match systems(config) {
        Ok(all) => all.into_iter().filter(|system| absent.contains_key(&system.name)).collect(),
        Err(_) => Vec::new(),
    };
    if asked.is_empty() {
        std::future::pending::<()>().await;
    }
    loop {
        tokio::time::sleep(every).await;
        for system in &asked {
            if system.connector.probe(&system.ctx).await.is_ok() {
                return;
            }
        }
    }
}

/// The engine that reads the systems and its store, and writes to neither.
pub(crate) async fn watching(config: &Config) -> Result<Engine, Failure> {
    let store = reader(config)?;
    let systems = probed(config).await?;
    Ok(engine(config, store, by_name(systems.into_iter().map(|(system, _)| system))))
}

/// The engine over what the store holds; no system is asked.
pub(crate) fn looking(config: &Config) -> Result<Engine, Failure> {
    Ok(engine(config, reader(config)?, at_home(config)?))
}

/// The engine that changes its own store; no system is asked.
pub(crate) async fn deciding(config: &Config, out: Out) -> Result<Engine, Failure> {
    Ok(engine(config, writer(config, out).await?, at_home(config)?))
}

fn at_home(config: &Config) -> Result<BTreeMap<SystemName, System>, Failure> {
    let systems = config.systems.values().map(|told| system(config, told, Reach::Stored));
    Ok(by_name(systems.collect::<Result<Vec<_>, _>>()?))
}

/// Connectors of every kind this binary has, for what they say of themselves.
pub(crate) fn kinds() -> Vec<(SystemKind, Box<dyn Connector>)> {
    let auth = magento::Auth::Token(String::new());
    SystemKind::ALL
        .into_iter()
        .map(|kind| {
            let connector: Box<dyn Connector> = match kind {
                SystemKind::Magento => Box::new(magento::Magento::new(magento::Config::new("", auth.clone()))),
                SystemKind::Tryton => Box::new(tryton::Tryton::new(tryton::Config::new("", "", ""))),
                SystemKind::HttpJson => Box::new(http_json::HttpJson::new(http_json::Config::undescribed())),
            };
            (kind, connector)
        })
        .collect()
}
