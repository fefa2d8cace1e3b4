//! The demo: both systems as processes, faults on, Syncline killed again and again, and the proof counted in ledgers.

mod desk;
mod ledger;
mod papers;
mod process;

use ledger::{Counted, counted};
pub use papers::Papers;
use process::{Child, get_json};
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How to play it.
#[derive(Debug, Clone)]
pub struct Wish {
    /// Decides catalogue, orders and faults.
    pub seed: u64,
    /// Orders in the shop.
    pub orders: u64,
    /// Times Syncline is killed.
    pub kills: u64,
}

/// Why the demo cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    /// A process cannot be started, or ends too soon.
    #[error("{0}")]
    Process(String),
    /// A simulated system does not answer.
    #[error("the simulated system at {0} does not answer: {1}")]
    System(String, String),
}

/// Orders on both sides.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Orders {
    /// Orders the release rule lets go.
    pub source: usize,
    /// Of those, how many stand released in the ERP.
    pub target: usize,
    /// Orders that are not there.
    pub missing: usize,
    /// Documents too many.
    pub duplicate: usize,
}

/// Prices on both sides.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Prices {
    /// Prices the ERP's lists say of what both sell.
    pub source: usize,
    /// Of those, how many the shop shows.
    pub target: usize,
    /// Prices the shop lacks.
    pub missing: usize,
    /// Prices the shop shows otherwise.
    pub different: usize,
    /// Prices in these lists that the ERP does not say.
    pub extra: usize,
}

/// Figures or texts that both sides show.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Shown {
    /// Held against each other.
    pub compared: usize,
    /// Not the same.
    pub different: usize,
}

/// Records that need a person or another record.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Open {
    waiting: u64,
    held: u64,
    failed: u64,
    conflicts: u64,
}

/// What was counted at the end.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Proof {
    /// Orders on both sides.
    pub orders: Orders,
    /// Prices on both sides.
    pub prices: Prices,
    /// What was done about orders, on both sides.
    pub papers: Papers,
    /// What buyers may have, against what the ERP has free.
    pub stock: Shown,
    /// Names in three languages, against the ERP's.
    pub names: Shown,
    /// Sum of all differences in totals and lines, in minor units.
    pub cents_off: u64,
    /// What `verify` says, by flow.
    pub drift: BTreeMap<String, u64>,
    /// Of how many it says so.
    pub compared: BTreeMap<String, u64>,
    /// What is open.
    pub open: Open,
    /// Changes people made of products and prices at both desks meanwhile.
    pub edits: usize,
    /// Of those, how many were overwritten though their desk owns the field.
    pub overwritten: usize,
    /// What happened on the way.
    pub faults: BTreeMap<String, u64>,
    /// How long it took, in seconds.
    pub seconds: u64,
}

impl Proof {
    /// Whether every promise was kept, and something was really tried.
    #[must_use]
    pub fn holds(&self) -> bool {
        let Orders { source, target, missing, duplicate } = self.orders;
        let open = self.open.waiting + self.open.held + self.open.failed + self.open.conflicts;
        let counted = source > 0 && source == target && missing == 0 && duplicate == 0 && self.cents_off == 0;
        let compared = self.compared.get("orders").is_some_and(|compared| *compared >= source as u64);
        let Prices { source, target, extra, .. } = self.prices;
        let priced = source >= 50 && source == target && extra == 0;
        let beside =
            ["products", "inventory", "prices"].iter().all(|flow| self.compared.get(*flow).is_some_and(|of| *of >= 50));
        let shown = [&self.stock, &self.names].iter().all(|shown| shown.compared >= 50 && shown.different == 0);
        let people = self.compared.get("customers").is_some_and(|of| *of > 0);
        counted
            && compared
            && people
            && self.papers.hold(PARCELS)
            && beside
            && shown
            && priced
            && self.overwritten == 0
            && open == 0
            && self.drift.values().all(|drift| *drift == 0)
    }

    /// The proof for people.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        let fault = |kind: &str| self.faults.get(kind).copied().unwrap_or_default();
        let drift: Vec<String> = self
            .compared
            .iter()
            .map(|(flow, of)| format!("{flow} {} of {of}", self.drift.get(flow).copied().unwrap_or_default()))
            .collect();
        let mut lines = vec![
            String::new(),
            format!("orders    {} released in the shop, {} in the ERP", self.orders.source, self.orders.target),
            format!(
                "          {} missing, {} twice, {} cents off",
                self.orders.missing, self.orders.duplicate, self.cents_off
            ),
            format!(
                "prices    {} in the ERP's lists, {} in the shop; {} missing, {} different, {} too many",
                self.prices.source, self.prices.target, self.prices.missing, self.prices.different, self.prices.extra
            ),
            format!(
                "goods     {} figures of stock, {} different; {} names in three languages, {} different",
                self.stock.compared, self.stock.different, self.names.compared, self.names.different
            ),
        ];
        lines.extend(self.papers.lines());
        lines.extend([
            format!("people    {} changes at both desks, {} overwritten", self.edits, self.overwritten),
            format!("verify    drift: {}", drift.join(", ")),
            format!(
                "open      {} waiting, {} held, {} failed, {} conflicts",
                self.open.waiting, self.open.held, self.open.failed, self.open.conflicts
            ),
            format!(
                "faults    {} kills, {} lost answers, {} lost requests, {} repeated requests, {} busy, {} server errors, {} pages of a proxy",
                fault("kills"),
                fault("lost_replies"),
                fault("lost_requests"),
                fault("repeated"),
                fault("busy"),
                fault("errors"),
                fault("html")
            ),
            format!("{} after {} s", if self.holds() { "agreed" } else { "NOT AGREED" }, self.seconds),
        ]);
        lines
    }
}

/// Both simulated systems, and a file that connects them.
#[derive(Debug)]
pub struct Stage {
    exe: PathBuf,
    folder: PathBuf,
    /// The folder stays when the stage goes.
    kept: bool,
    wish: Wish,
    shop: Child,
    erp: Child,
    shop_url: String,
    erp_url: String,
    secrets: Vec<(&'static str, String)>,
    typed: Vec<desk::Edit>,
    started: tokio::time::Instant,
}

/// Shipments that have to leave at least, or nothing is proven.
const PARCELS: usize = 20;
/// Longest time a single command may take, in seconds: with the storm, on a machine that has other work.
const LIMIT_S: u64 = 900;
/// Between two looks at how far a pass has come, in milliseconds: a look costs the system it is at some of its time.
const LOOK_MS: u64 = 150;

impl Stage {
    /// Starts both systems and writes the file.
    ///
    /// # Errors
    /// Where a process does not start.
    pub async fn set(exe: &Path, wish: &Wish, say: impl Fn(String)) -> Result<Self, DemoError> {
        let started = tokio::time::Instant::now();
        let folder = std::env::temp_dir().join(format!("syncline-demo-{}", std::process::id()));
        std::fs::create_dir_all(&folder)
            .map_err(|error| DemoError::Process(format!("{}: {error}", folder.display())))?;
        let (seed, orders) = (wish.seed.to_string(), wish.orders.to_string());
        let common = ["--port", "0", "--seed", &seed, "--products", "250", "--languages", "--weather", "storm"];
        let mut shop = Child::start(
            exe,
            &[&["sim", "serve", "magento", "--currency", "EUR", "--orders", &orders], &common[..]].concat(),
            &folder,
            &[],
        )?;
        let mut erp = Child::start(exe, &[&["sim", "serve", "tryton"], &common[..]].concat(), &folder, &[])?;
        let (shop_told, erp_told) = (shop.first_line().await?, erp.first_line().await?);
        let text = |told: &Value, key: &str| told[key].as_str().unwrap_or_default().to_string();
        let (shop_url, erp_url) = (text(&shop_told, "url"), text(&erp_told, "url"));
        say(format!(
            "a Magento shop with {orders} orders at {shop_url}, a Tryton ERP at {erp_url}, a storm between them"
        ));
        let secrets = vec![
            ("SYNCLINE_SHOP_TOKEN", text(&shop_told, "token")),
            ("SYNCLINE_ERP_LOGIN", text(&erp_told, "login")),
            ("SYNCLINE_ERP_PASSWORD", text(&erp_told, "password")),
        ];
        desk::first_list().make(&shop_url, &erp_url).await?;
        let (exe, wish, typed) = (exe.to_path_buf(), wish.clone(), Vec::new());
        Ok(Self { exe, folder, kept: false, wish, shop, erp, shop_url, erp_url, secrets, typed, started })
    }

    /// Sets Syncline up, kills it again and again, lets it finish, and counts.
    ///
    /// # Errors
    /// Where a process cannot be started or a system does not answer.
    pub async fn play(&mut self, say: impl Fn(String)) -> Result<Proof, DemoError> {
        let (shop, erp) = (format!("magento={}", self.shop_url), format!("tryton={}", self.erp_url));
        self.until_done(&["init", "--yes", "--force", "--start", "all", "--shop", &shop, "--erp", &erp], &[0]).await?;
        desk::switch_on(&self.folder.join("syncline.toml"))?;
        self.until_done(&["adopt"], &[0, 3]).await?;
        say("set up: file written, products in three languages tied by SKU; stock, products and prices flow, too"
            .to_string());
        self.until_done(&["sync", "prices"], &[0, 3]).await?;
        self.approve("prices", &say).await?;
        let mut kills = self.kill_among_prices(&say).await?;
        let released = counted(&self.ledger(&self.shop_url).await?, &Value::Null).orders.source;
        kills = self.kill_and_kill_again(kills, released, &say).await?;
        self.come_to_rest(&say).await?;
        say("the last pass came to its end; now both sides are counted".to_string());
        let verify = self.until_done(&["verify", "--json"], &[0, 2, 3]).await?;
        let status = self.until_done(&["status", "--json"], &[0, 3]).await?;
        let (shop, erp) = (self.ledger(&self.shop_url).await?, self.ledger(&self.erp_url).await?);
        let mut proof = self.proof(counted(&shop, &erp), &verify, &status, kills).await?;
        proof.prices = ledger::prices(&shop, &erp);
        proof.papers = papers::papers(&shop, &erp);
        proof.stock = ledger::stock(&shop, &erp);
        proof.names = ledger::names(&shop, &erp);
        proof.edits = self.typed.len();
        proof.overwritten = desk::overwritten(&self.typed, &shop, &erp);
        Ok(proof)
    }

    /// Passes until nothing is left, a person deciding what only a person can.
    async fn come_to_rest(&self, say: &impl Fn(String)) -> Result<(), DemoError> {
        self.until_done(&["sync"], &[0, 3]).await?;
        let told = self.until_done(&["conflicts", "--json"], &[0, 3]).await?;
        let conflicts = told["conflicts"].as_array().map_or(0, Vec::len);
        if conflicts > 0 {
            say(format!(
                "{conflicts} fields on which only a person can decide: the ERP counts, descriptions are the shop's"
            ));
            for (field, system) in [("texts.*.name", "erp"), ("texts.*.description", "shop"), ("prices[*]", "erp")] {
                self.until_done(&["resolve", "--all", "--field", field, "--take", system], &[0, 1]).await?;
            }
            self.until_done(&["sync"], &[0, 3]).await?;
        }
        for flow in ["products", "prices"] {
            self.approve(flow, say).await?;
        }
        self.until_done(&["sync"], &[0]).await?;
        // Figures and fields are looked at once more when nothing can land any more.
        tokio::time::sleep(Duration::from_secs(desk::SETTLED_S)).await;
        self.until_done(&["sync"], &[0]).await?;
        Ok(())
    }

    /// A person lets a pass through that changes a large part of a flow's records, where one waits.
    async fn approve(&self, flow: &str, say: &impl Fn(String)) -> Result<(), DemoError> {
        let told = self.until_done(&["approve", flow, "--json"], &[0]).await?;
        if let Some(changes) = told["approved"]["changes"].as_u64() {
            say(format!("{changes} records of {flow} would change at once: nothing was written until it was approved"));
        }
        Ok(())
    }

    /// Starts passes over the prices and kills each at the next share of them. Returns how often one was really killed.
    async fn kill_among_prices(&mut self, say: &impl Fn(String)) -> Result<u64, DemoError> {
        let mut kills = 0;
        let wanted = usize::try_from(self.wish.kills / 3).unwrap_or(1);
        for share in 1..=wanted {
            let erp = self.ledger(&self.erp_url).await?;
            let mut pass = Child::start(&self.exe, &["sync", "prices"], &self.folder, &self.secrets)?;
            let counted = loop {
                tokio::time::sleep(Duration::from_millis(LOOK_MS)).await;
                let counted = ledger::prices(&self.ledger(&self.shop_url).await?, &erp);
                if counted.missing <= counted.source * (wanted + 1 - share) / (2 * wanted + 1) || pass.has_ended()? {
                    break counted;
                }
            };
            if pass.kill().await? {
                kills += 1;
                self.people(kills).await?;
                say(format!("{} of {} prices in the shop; SIGKILL number {kills}", counted.target, counted.source));
            }
        }
        Ok(kills)
    }

    /// People change something at both desks after the kill of that number.
    async fn people(&mut self, kill: u64) -> Result<(), DemoError> {
        let (shop, erp) = (self.ledger(&self.shop_url).await?, self.ledger(&self.erp_url).await?);
        for edit in desk::edits(kill, &shop, &erp) {
            edit.make(&self.shop_url, &self.erp_url).await?;
            self.typed.push(edit);
        }
        Ok(())
    }

    /// Starts passes and kills each at the next share of the orders, `kills` being those before. Returns how often one
    /// was really killed.
    async fn kill_and_kill_again(
        &mut self,
        mut kills: u64,
        released: usize,
        say: &impl Fn(String),
    ) -> Result<u64, DemoError> {
        let parts = usize::try_from(self.wish.kills).unwrap_or(1) + 2;
        while kills < self.wish.kills {
            let share = released * (usize::try_from(kills).unwrap_or(0) + 1) / parts;
            let mut pass = Child::start(&self.exe, &["sync"], &self.folder, &self.secrets)?;
            let there = loop {
                tokio::time::sleep(Duration::from_millis(LOOK_MS)).await;
                let there = ledger::released(&self.ledger(&self.erp_url).await?);
                if there >= share || pass.has_ended()? {
                    break there;
                }
            };
            if pass.kill().await? {
                kills += 1;
                self.people(kills).await?;
                say(format!("{there} of {released} orders in the ERP; SIGKILL number {kills}"));
            } else if there >= released {
                break;
            }
        }
        Ok(kills)
    }

    async fn ledger(&self, url: &str) -> Result<Value, DemoError> {
        get_json(&format!("{}/_sim/ledger", root(url))).await
    }

    /// The output of a command that ends well, tried a few times: the storm hits it too.
    async fn until_done(&self, arguments: &[&str], fine: &[i32]) -> Result<Value, DemoError> {
        let mut told = String::new();
        for _ in 0..8 {
            let mut child = Child::start(&self.exe, arguments, &self.folder, &self.secrets)?;
            let ended = child.end(Duration::from_secs(LIMIT_S)).await?;
            if fine.contains(&ended.code) {
                return Ok(serde_json::from_str(&ended.stdout).unwrap_or(Value::Null));
            }
            told = format!("`syncline {}` ended with {}: {}", arguments.join(" "), ended.code, ended.stderr);
        }
        if let Some(open) = self.failures().await {
            told = format!("{told}\n{open}");
        }
        Err(DemoError::Process(told))
    }

    /// What waits for a person, as far as it can be told.
    async fn failures(&self) -> Option<String> {
        let mut child = Child::start(&self.exe, &["failures"], &self.folder, &self.secrets).ok()?;
        let ended = child.end(Duration::from_secs(LIMIT_S)).await.ok()?;
        (ended.code == 3).then_some(ended.stdout)
    }

    async fn proof(&self, counted: Counted, verify: &Value, status: &Value, kills: u64) -> Result<Proof, DemoError> {
        let mut proof = Proof { orders: counted.orders, cents_off: counted.cents_off, ..Proof::default() };
        for (flow, told) in verify["flows"].as_object().into_iter().flatten() {
            let number = |key: &str| told[key].as_u64().unwrap_or_default();
            proof.drift.insert(flow.clone(), number("different") + number("missing") + number("extra"));
            proof.compared.insert(flow.clone(), number("compared"));
        }
        for (_, told) in status["flows"].as_object().into_iter().flatten() {
            let number = |key: &str| told[key].as_u64().unwrap_or_default();
            proof.open.waiting += number("waiting");
            proof.open.held += number("held");
            proof.open.failed += number("failed");
            proof.open.conflicts += number("conflicts");
        }
        for url in [&self.shop_url, &self.erp_url] {
            let faults = get_json(&format!("{}/_sim/faults", root(url))).await?;
            for (kind, count) in faults.as_object().into_iter().flatten() {
                *proof.faults.entry(kind.clone()).or_default() += count.as_u64().unwrap_or_default();
            }
        }
        proof.faults.insert("kills".to_string(), kills);
        proof.seconds = self.started.elapsed().as_secs();
        Ok(proof)
    }

    /// The folder with the file and the store, which stays for a look at what went wrong.
    pub fn keep(&mut self) -> &Path {
        self.kept = true;
        &self.folder
    }

    /// What a visitor can try while both systems are up.
    #[must_use]
    pub fn invitation(&self) -> Vec<String> {
        let mut lines = vec![String::new(), "Both systems stay up until Ctrl-C. In another terminal:".to_string()];
        lines.push(format!("  cd {}", self.folder.display()));
        lines.extend(self.secrets.iter().map(|(name, value)| format!("  export {name}={value}")));
        let exe = self.exe.display();
        for command in ["status", "explain order:000000012", "verify", "plan", "systems"] {
            lines.push(format!("  {exe} {command}"));
        }
        lines.push(format!("  curl {}/_sim/ledger", root(&self.shop_url)));
        lines
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        self.shop.put_down();
        self.erp.put_down();
        if !self.kept {
            drop(std::fs::remove_dir_all(&self.folder));
        }
    }
}

/// Scheme and host of an address.
fn root(url: &str) -> String {
    let mut parts = url.splitn(4, '/');
    let (scheme, _, host) = (parts.next().unwrap_or("http:"), parts.next(), parts.next().unwrap_or(""));
    format!("{scheme}//{host}")
}
