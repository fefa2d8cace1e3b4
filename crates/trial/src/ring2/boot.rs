//! Sets a schedule up: both systems, the watched store, and engines that can be started anew.

use super::clock::{SimClock, SimRng};
use super::desk;
use super::families;
use super::features;
use super::net::Net;
use super::payments;
use super::people;
use super::planted::{self, BadConnector, BadStore, BadTransport};
use super::prices;
use super::scenes::Scene;
use super::trade;
use super::watch::{Border, Durable};
use super::weather::Weather;
use super::world::{Shared, Which, World, open};
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use syncline_connect::{Connector, Ctx, Transport};
use syncline_connectors::{magento, tryton};
use syncline_core::id::{SystemName, SystemUid};
use syncline_core::kind::{Flow, Kind};
use syncline_core::profile::Profile;
use syncline_core::rules::{
    Amendments, Branch, Cancels, FieldRules, OrderRules, PairRules, PaperRules, PriceRules, StockRules, StockTarget,
};
use syncline_engine::owed::Owed;
use syncline_engine::{Engine, Flows, Settings, System};
use syncline_sim::catalogue::{Item, catalogue};
use syncline_sim::magento as shop;
use syncline_sim::random::Random;
use syncline_sim::tryton as erp;
use syncline_store::{Sql, Store};

/// Seconds a worker keeps a lane.
pub const LEASE_S: u32 = 100;
/// Seconds one call may take.
const TIMEOUT_S: u64 = 20;
/// The shop's uid.
pub const SHOP: &str = "7f3k";
/// The second shop's uid.
pub const OUTLET: &str = "9k2m";
/// The ERP's uid.
pub const ERP: &str = "q2xd";
/// The second company, where there is one.
pub const BETA: &str = "Beta";
/// Entries of the catalogue.
pub const PRODUCTS: usize = 12;

/// One schedule's parts that outlive the process.
#[derive(Debug)]
pub struct Stage {
    /// What waits to be sent by shops that hold too few: its processes are workers over one store.
    owed: Arc<Owed>,
    pub world: Shared,
    pub clock: Arc<SimClock>,
    seed: u64,
    rng: Arc<SimRng>,
    /// Whether the shop wants every request signed.
    signed: bool,
    pub catalogue: Vec<Item>,
    products_there: usize,
    /// What the file says of orders; read at every boot.
    pub rules: OrderRules,
    /// What it says of the second shop's orders, where there is one.
    pub outlet: Option<OrderRules>,
    /// Customers of both shops with one e-mail are one party.
    pub one_by_email: bool,
    /// The second shop is a website of the first one's installation.
    pub one_installation: bool,
    /// Whether the file tells the two websites apart.
    pub websites_named: bool,
    /// Locale of our records → store view of the second shop.
    pub outlet_views: BTreeMap<String, String>,
    /// What it says of stock, where it flows.
    pub stock: Option<StockRules>,
    /// What it says of customers.
    pub customers: FieldRules,
    /// The shop's groups of customers, each with the ERP's price list; empty where groups are not carried.
    pub groups: BTreeMap<String, String>,
    /// Whether buyers change their accounts in the chaos.
    pub buyers_type: bool,
    /// What it says of products, where they flow.
    pub products: Option<FieldRules>,
    /// What it says of families, where they flow, and the attributes that tell their variants apart.
    pub families: Option<(FieldRules, BTreeSet<String>)>,
    /// What it says of categories, where they flow.
    pub categories: Option<FieldRules>,
    /// What it carries of products beside: the shop's code and the ERP's field.
    pub attributes: Vec<(&'static str, &'static str)>,
    /// Whether images flow with products.
    pub images: bool,
    /// What it says of prices, where they flow.
    pub prices: Option<PriceRules>,
    /// Flows that only plan and verify.
    pub watched: Vec<Flow>,
    /// Systems that sign hints.
    pub hinting: BTreeSet<SystemName>,
    /// Seconds between two passes of the daemon.
    pub every_s: u32,
    /// Seconds between two sweeps over the keys, where there are any.
    pub sweep_s: Option<u32>,
    /// Whether some of them read every record whole.
    pub deep: bool,
    /// What the shop is told of what the ERP did about orders, where that flows.
    pub papers: Option<PaperRules>,
    /// Money of a closed period is booked today.
    pub late_today: bool,
    /// What happens beside the flows.
    pub scenes: BTreeSet<Scene>,
    store: Arc<dyn Store>,
    plant: Option<&'static str>,
    /// What the first probe of each system found; a system does not change in a schedule.
    profiles: Mutex<BTreeMap<&'static str, Arc<Profile>>>,
}

/// Where simulated time begins.
pub fn beginning() -> Timestamp {
    Timestamp::from_second(1_795_000_000).unwrap_or(Timestamp::UNIX_EPOCH)
}

impl Stage {
    /// The stage of `seed`.
    ///
    /// # Errors
    /// Where the store in memory cannot be made.
    pub fn set(seed: u64, plant: Option<&'static str>, keep_lines: bool) -> Result<Self, String> {
        Self::stocked(seed, PRODUCTS, plant, keep_lines)
    }

    /// The stage of `seed` whose catalogue has so many entries.
    ///
    /// # Errors
    /// As [`Stage::set`].
    pub fn stocked(seed: u64, products: usize, plant: Option<&'static str>, keep_lines: bool) -> Result<Self, String> {
        let mut random = Random::of(seed, 1, 0);
        let now = beginning();
        let mut shop =
            shop::Shop::new(shop::Options { seed, products, orders: 0, empty: true, now, token: "token".to_string() });
        shop.register_buyers(now);
        // What a planted bug sends twice has to arrive twice.
        let signed = plant.is_none() && Random::of(seed, 7, 0).chance(1, 3);
        if signed {
            shop.demand_signatures(shop::Keys::of(seed));
        }
        let web_shop = random.chance(1, 2);
        let erp = erp::Erp::new(erp::Options {
            seed,
            products,
            empty: true,
            web_shop,
            now,
            login: "sync".to_string(),
            password: "secret".to_string(),
        });
        let weather = Weather::drawn(seed, plant.is_some(), &mut random);
        let world = Arc::new(Mutex::new(World::new(seed, shop, erp, weather, keep_lines)));
        let store = empty_store(&world, plant)?;
        Ok(Self {
            world,
            clock: Arc::new(SimClock::new(now)),
            seed,
            rng: Arc::new(SimRng::new(seed)),
            signed,
            catalogue: catalogue(seed, products),
            products_there: products,
            rules: rules(),
            outlet: None,
            one_by_email: false,
            late_today: false,
            one_installation: false,
            websites_named: true,
            outlet_views: BTreeMap::new(),
            customers: people::rules("shop"),
            groups: BTreeMap::new(),
            buyers_type: Random::of(seed, 10, 0).chance(1, 3),
            prices: Random::of(seed, 8, 0).chance(1, 3).then(prices::rules),
            watched: Vec::new(),
            hinting: BTreeSet::new(),
            every_s: 15,
            owed: Arc::default(),
            sweep_s: Random::of(seed, 9, 0).chance(1, 3).then_some(40),
            deep: true,
            scenes: BTreeSet::new(),
            attributes: features::CARRIED.to_vec(),
            categories: None,
            images: false,
            families: None,
            products: Random::of(seed, 6, 0).chance(1, 3).then(desk::rules),
            stock: Random::of(seed, 5, 0).chance(1, 2).then(trade::rules),
            papers: None,
            store,
            plant,
            profiles: Mutex::default(),
        })
    }

    /// The bug that is planted in it, if one is.
    pub fn plant(&self) -> Option<&'static str> {
        self.plant
    }

    /// What everything about it is drawn from.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// Opens a second shop with the same goods. Its orders, its stock and its list prices flow from now on.
    pub fn open_outlet(&mut self) {
        let token = "token".to_string();
        let (seed, products, now) = (self.seed, self.products_there, beginning());
        let mut outlet = shop::Shop::new(shop::Options { seed, products, orders: 0, empty: true, now, token });
        outlet.register_buyers(now);
        open(&self.world).outlet = Some(outlet);
        let number = "O{number}".to_string();
        self.outlet = Some(OrderRules { source: SystemName::new("outlet"), number, ..self.rules.clone() });
    }

    /// Opens a second website, `us`, of the shop with the same goods: it is a system of its own, as the first one, `base`,
    /// is from now on. Of a website orders, people and stock flow in schedules.
    pub fn open_website(&mut self) {
        (self.products, self.prices) = (None, None);
        let now = self.clock.true_now();
        {
            let mut world = open(&self.world);
            world.shop.open_website("us", "United States", "us_en", "en_US");
            world.shop.sell_all_in(now, "us");
        }
        self.tell_apart();
    }

    /// The file names both websites from now on, each as a system.
    pub fn tell_apart(&mut self) {
        self.one_installation = true;
        self.profiles = Mutex::default();
        let number = "O{number}".to_string();
        self.outlet = Some(OrderRules { source: SystemName::new("outlet"), number, ..self.rules.clone() });
    }

    /// Founds a second company, `Beta`, that books what the second shop sells, and shows our user both. False where the ERP
    /// refuses it.
    pub fn found_company(&mut self) -> bool {
        let founded = {
            let erp = &mut open(&self.world).erp;
            erp.show_all_companies(true);
            erp.found_company(self.clock.true_now(), BETA, "Beta shop")
        };
        if let Some(outlet) = self.outlet.as_mut().filter(|_| founded) {
            outlet.branch = Branch { company: Some(BETA.to_string()), ..Branch::default() };
        }
        self.profiles = Mutex::default();
        founded
    }

    /// The website that is `code`, where the file tells them apart.
    fn website(&self, code: &str) -> Option<String> {
        (self.one_installation && self.websites_named).then(|| code.to_string())
    }

    /// The rules of the kinds that flow beside the variants.
    fn beside(&self) -> BTreeMap<Kind, FieldRules> {
        let categories = self.categories.iter().map(|rules| (Kind::Category, rules.clone()));
        let families = self.families.iter().map(|(rules, _)| (Kind::Product, rules.clone()));
        categories.chain(families).collect()
    }

    /// The rules of each shop's customers.
    fn customer_rules(&self) -> Vec<FieldRules> {
        let outlet = self.outlet.iter().map(|_| people::rules("outlet"));
        std::iter::once(self.customers.clone()).chain(outlet).collect()
    }

    /// Carries the first shop's groups of customers by these rows; both systems are probed anew.
    pub fn carry_groups(&mut self, rows: &[(&str, &str)]) {
        self.groups = rows.iter().map(|(code, list)| ((*code).to_string(), (*list).to_string())).collect();
        self.profiles = Mutex::default();
    }

    /// The groups of the first shop, where they are carried.
    fn group_rows(&self) -> BTreeMap<SystemName, BTreeMap<String, String>> {
        let shop = Some(self.groups.clone()).filter(|rows| !rows.is_empty());
        shop.map(|rows| (SystemName::new("shop"), rows)).into_iter().collect()
    }

    /// Where the file has orders booked beside the ERP's own company.
    fn branches(&self) -> Vec<Branch> {
        let named = self.order_rules().into_iter().map(|rules| rules.branch);
        named.filter(|branch| *branch != Branch::default()).collect()
    }

    /// The rules of each shop's orders.
    pub fn order_rules(&self) -> Vec<OrderRules> {
        std::iter::once(&self.rules).chain(&self.outlet).cloned().collect()
    }

    /// What the file says of stock; the second shop shows what the first one does. A second website sells from the shelf of
    /// the first, which is told once.
    fn stock_rules(&self) -> Option<StockRules> {
        let mut rules = self.stock.clone()?;
        if let (Some(outlet), Some(first), false) =
            (&self.outlet, rules.targets.first().cloned(), self.one_installation)
        {
            let missing = rules.targets.iter().all(|target| target.system != outlet.source);
            rules.targets.extend(missing.then(|| StockTarget { system: outlet.source.clone(), ..first }));
        }
        Some(rules)
    }

    /// What it says of prices; the second shop asks the list price.
    pub fn price_rules(&self) -> Option<PriceRules> {
        let mut rules = self.prices.clone()?;
        if let Some(outlet) = self.outlet.as_ref().filter(|outlet| !rules.lists.contains_key(&outlet.source)) {
            let (source, target) = (rules.fields.source.clone(), outlet.source.clone());
            let list = BTreeMap::from([("base".to_string(), "list".to_string())]);
            rules.lists.insert(target.clone(), list);
            rules.fields.pairs.push(PairRules { source, target, policies: Vec::new(), creates: false });
        }
        Some(rules)
    }

    /// Families flow from now on, where products do.
    pub fn carry_families(&mut self) {
        let Some(rules) = self.products.clone() else { return };
        self.families = Some((rules, BTreeSet::from([families::OPTION.0.to_string()])));
        self.attributes.push(families::OPTION);
        open(&self.world).has_families = true;
        self.profiles = Mutex::default();
    }

    /// The shop has no sources from now on: one figure of each thing, which it lowers by itself. It is asked anew what it has.
    pub fn switch_off_sources(&mut self) {
        open(&self.world).shop.switch_off_sources();
        self.profiles = Mutex::default();
    }

    /// Whether the shop keeps its stock by sources.
    #[cfg(test)]
    pub fn has_sources(&self) -> bool {
        open(&self.world).shop.has_sources()
    }

    /// Images flow from now on, and the ERP has the module for them. Both systems are asked anew what they have.
    pub fn carry_images(&mut self) {
        open(&self.world).erp.activate_images(beginning());
        self.images = true;
        self.profiles = Mutex::default();
    }

    /// Adds a field to what the file carries of products; both systems are asked anew for what they have.
    #[cfg(test)]
    pub fn carry(&mut self, code: &'static str, field: &'static str) {
        self.attributes.push((code, field));
        self.profiles = Mutex::default();
    }

    /// Everything the store knows is lost; both systems stay as they are.
    ///
    /// # Errors
    /// Where the store in memory cannot be made.
    #[cfg(test)]
    pub fn lose_the_store(&mut self) -> Result<(), String> {
        self.store = empty_store(&self.world, self.plant)?;
        Ok(())
    }

    /// The store lies in the file `path` from now on, and knows nothing yet.
    ///
    /// # Errors
    /// Where the file cannot be made.
    pub fn keep_in_file(&mut self, path: &std::path::Path) -> Result<(), String> {
        self.store = store_in(&self.world, self.plant, &path.display().to_string())?;
        Ok(())
    }

    /// What the file holds now. No process may be running.
    ///
    /// # Errors
    /// Where the file cannot be read.
    #[cfg(test)]
    pub fn copied(&mut self, path: &std::path::Path) -> Result<Vec<u8>, String> {
        // The last one that has it open is dropped: then all of it stands in the one file.
        self.store = empty_store(&self.world, self.plant)?;
        let copy = std::fs::read(path).map_err(|error| error.to_string())?;
        self.keep_in_file(path)?;
        Ok(copy)
    }

    /// An older `copy` of the file is put in its place; both systems stay as they are. No process may be running.
    ///
    /// # Errors
    /// Where the file cannot be written.
    #[cfg(test)]
    pub fn put_back(&mut self, path: &std::path::Path, copy: &[u8]) -> Result<(), String> {
        self.store = empty_store(&self.world, self.plant)?;
        std::fs::write(path, copy).map_err(|error| error.to_string())?;
        open(&self.world).forget_notes();
        self.keep_in_file(path)
    }

    /// Whether the planted bug of this stage has shown itself.
    pub fn found_plant(&self) -> bool {
        self.plant.is_some() && !open(&self.world).violations.is_empty()
    }

    /// Whether `verify` knows the marks of this stage's documents; the bug `mark-from-name` gives them others.
    pub fn marks_are_known(&self) -> bool {
        self.plant != Some("mark-from-name")
    }

    /// A process: an engine over the same store and systems, with nothing remembered but what the store keeps.
    ///
    /// # Errors
    /// Where a system cannot be probed.
    pub async fn boot(&self) -> Result<Arc<Engine>, String> {
        let mut systems = BTreeMap::new();
        let outlet = self.outlet.as_ref().map(|_| Which::Outlet);
        for which in [Which::Shop, Which::Erp].into_iter().chain(outlet) {
            let system = self.connect(which).await?;
            systems.insert(system.name.clone(), system);
        }
        let flows = Flows {
            products: planted::read_by(self.plant, self.products.clone()),
            beside: self.beside(),
            prices: self.price_rules(),
            orders: self.order_rules(),
            customers: self.customer_rules(),
            one_by_email: self.one_by_email,
            groups: self.group_rows(),
            inventory: self.stock_rules(),
            papers: self.papers.clone(),
            watched: self.watched.clone(),
            every_s: self.every_s,
            sweep_s: self.sweep_s,
            sweep_deep_s: self.sweep_s.filter(|_| self.deep).map(|every_s| every_s * 3),
            hinting: self.hinting.clone(),
            evidence_s: Some(600),
        };
        let settings = Settings { workers: 2, lanes: 3, lease_s: LEASE_S, leave_s: 15, patience_s: 40 };
        let mut engine = Engine::new(self.store.clone(), systems, flows, settings, self.clock.clone());
        engine.owed = self.owed.clone();
        Ok(Arc::new(engine))
    }

    /// How the shop is entered.
    fn entry(&self) -> magento::Auth {
        if !self.signed {
            return magento::Auth::Token("token".to_string());
        }
        let shop::Keys { consumer_key, consumer_secret, access_token, access_token_secret } = shop::Keys::of(self.seed);
        magento::Auth::Signed(magento::Keys { consumer_key, consumer_secret, access_token, access_token_secret })
    }

    /// How the ERP is entered, and where it books.
    fn books(&self) -> tryton::Config {
        tryton::Config {
            settle_s: Some(240),
            branches: self.branches(),
            attributes: self.attributes.iter().map(|(code, field)| carried(code, field)).collect(),
            images: self.images,
            groups: !self.groups.is_empty(),
            families: self.families.as_ref().map(|(_, options)| options.clone()),
            papers: self.papers.is_some(),
            payments: payments::is_open(self),
            late_today: self.late_today,
            refunds: self.papers.as_ref().is_some_and(PaperRules::carries_refunds),
            ..tryton::Config::new("http://erp.example/erp", "sync", "secret")
        }
    }

    /// A connector to the shop at `url`, of its website `code` where the file tells websites apart.
    fn to_shop(
        &self,
        url: &str,
        auth: magento::Auth,
        views: &BTreeMap<String, String>,
        code: &str,
    ) -> Arc<dyn Connector> {
        Arc::new(magento::Magento::new(magento::Config {
            url: url.to_string(),
            auth,
            views: views.clone(),
            category_root: None,
            website: self.website(code),
            attributes: self.attributes.iter().map(|(code, _)| (*code).to_string()).collect(),
            images: self.images,
            groups: code == "base" && !self.groups.is_empty(),
            families: self.families.is_some(),
            notify_shipments: false,
            papers: self.papers.is_some(),
        }))
    }

    async fn connect(&self, which: Which) -> Result<System, String> {
        let served = if which == Which::Outlet && self.one_installation { Which::Shop } else { which };
        let net = Net { world: self.world.clone(), clock: self.clock.clone(), which: served };
        let mut transport: Arc<dyn Transport> = Arc::new(net);
        if let Some(plant) = self.plant {
            let applies = match plant {
                "retry-write" => true,
                planted::CANCELS_OVER | planted::REDIRECTS | planted::UNLOOKED => which == Which::Erp,
                _ => which == Which::Shop,
            };
            if applies {
                transport = Arc::new(BadTransport::new(transport, plant));
            }
        }
        let mut connector: Arc<dyn Connector> = match which {
            Which::Outlet if served == which => {
                let auth = magento::Auth::Token("token".to_string());
                self.to_shop("http://outlet.example", auth, &self.outlet_views, "us")
            }
            Which::Outlet => self.to_shop("http://shop.example", self.entry(), &self.outlet_views, "us"),
            Which::Shop => self.to_shop("http://shop.example", self.entry(), &BTreeMap::new(), "base"),
            Which::Erp => Arc::new(tryton::Tryton::new(self.books())),
        };
        if let (Some(plant), Which::Shop) = (self.plant, which) {
            connector = Arc::new(BadConnector { connector, plant, world: self.world.clone() });
        }
        let ctx = Ctx::new(transport, self.clock.clone(), self.rng.clone(), 4, Duration::from_secs(TIMEOUT_S));
        let (name, uid, neighbour) = match which {
            Which::Shop => ("shop", SHOP, Some(OUTLET)),
            Which::Outlet => ("outlet", OUTLET, Some(SHOP)),
            Which::Erp => ("erp", ERP, None),
        };
        let known = self.profiles.lock().ok().and_then(|known| known.get(name).cloned());
        let profile = match known {
            Some(profile) => profile,
            None => Arc::new(connector.probe(&ctx).await.map_err(|error| error.to_string())?.profile),
        };
        if let Ok(mut known) = self.profiles.lock() {
            known.insert(name, profile.clone());
        }
        let beside = neighbour.filter(|_| self.one_installation).map(SystemUid::new).into_iter().collect();
        Ok(System { name: SystemName::new(name), uid: SystemUid::new(uid), beside, connector, ctx, profile })
    }
}

/// A field of the ERP under the shop's code.
fn carried(code: &str, field: &str) -> (String, tryton::Carried) {
    (code.to_string(), tryton::Carried { source: field.to_string(), names: BTreeMap::new() })
}

/// A new store in memory between its watchers.
fn empty_store(world: &Shared, plant: Option<&'static str>) -> Result<Arc<dyn Store>, String> {
    store_in(world, plant, ":memory:")
}

/// The store in `path` between its watchers.
fn store_in(world: &Shared, plant: Option<&'static str>, path: &str) -> Result<Arc<dyn Store>, String> {
    let store = Sql::inline(path).map_err(|error| error.to_string())?;
    let store: Arc<dyn Store> = Arc::new(Durable { store: Arc::new(store), world: world.clone() });
    let store: Arc<dyn Store> = match plant {
        Some(plant) => Arc::new(BadStore { store, plant, epochs: Mutex::default() }),
        None => store,
    };
    let lease_s = u64::from(LEASE_S);
    Ok(Arc::new(Border { store, world: world.clone(), epochs: Arc::default(), lease_s }))
}

/// The rules every schedule runs by: what `init` would write.
pub fn rules() -> OrderRules {
    let row = |a: &str, b: &str| (a.to_string(), b.to_string());
    let taxes = [
        row("DE-19b", "VAT 19%"),
        row("DE-7b", "VAT 7%"),
        row("19%", "VAT 19%"),
        row("7%", "VAT 7%"),
        row("0%", "VAT 0%"),
    ];
    let tables = [
        ("taxes".to_string(), BTreeMap::from(taxes)),
        ("payment_methods".to_string(), BTreeMap::from([row("*", "Immediate")])),
    ];
    OrderRules {
        source: SystemName::new("shop"),
        target: SystemName::new("erp"),
        start: None,
        release: Vec::new(),
        release_days: 14,
        rounding_per_line: 1,
        number: "{number}".to_string(),
        adopt: None,
        creates_customers: true,
        branch: Branch::default(),
        amendments: Amendments::Ask,
        cancels: Cancels::Ask,
        tables: BTreeMap::from(tables),
    }
}
