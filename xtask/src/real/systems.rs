//! The systems of a real run: a simulated shop as a process, and a real ERP with the people who work in it.
use super::{field, parsed};
use crate::decimal::Dec;
use crate::goods::Word;
use crate::job::{self, Job, Running};
use crate::wire::{get, get_as, post, post_as};
use crate::{Res, files, guard};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// People who work in the ERP: their script, and the sorts of changes they make.
#[derive(Debug)]
pub struct Team {
    script: &'static str,
    sorts: &'static [&'static str],
}

/// Those who change what is sold, and who buys it.
pub const PEOPLE: Team = Team {
    script: "xtask/real/tryton_people.py",
    sorts: &["received", "counted", "shipped", "list_price", "price_list", "text", "name", "phone"],
};
/// The warehouse, the clerks and the till: what leaves, how it can be followed, what is asked for and paid, and what goes back.
pub const WAREHOUSE: Team = Team {
    script: "xtask/real/tryton_papers.py",
    sorts: &[
        "whole",
        "part",
        "parcel",
        "later",
        "numbered",
        "renumbered",
        "unnumbered",
        "posted",
        "paid",
        "all_back",
        "piece_back",
        "amount_back",
        "captured",
        "refunded_all",
        "refunded_piece",
        "refunded_freight",
    ],
};
/// Orders on a page.
const PAGE: usize = 100;
/// Looks at the shop before one is given up: its weather spoils every seventh.
const LOOKS: u32 = 20;

/// The simulated shop, as a process.
#[derive(Debug)]
pub struct Shop {
    pub url: String,
    pub token: String,
    process: Running,
}

impl Shop {
    pub fn start(orders: u64) -> Res<Self> {
        let held = (orders * 6).div_ceil(5) + 10;
        let args = format!(
            "sim serve magento --port 0 --seed 7 --products 120 --orders {held} --currency EUR --languages --weather storm"
        );
        let mut process = Job::new(files::binary("release")?).args(args.split(' ')).limit(7200).start()?;
        let told = parsed("sim serve magento", &process.first_line(Duration::from_secs(60))?)?;
        Ok(Self { url: field(&told, "url")?, token: field(&told, "token")?, process })
    }

    /// What it really holds; its weather may spoil a look, so there are a few.
    pub fn ledger(&self) -> Res<Value> {
        let url = format!("{}/_sim/ledger", self.url.trim_end_matches('/'));
        self.look(|| serde_json::from_slice(&get(&url)?).map_err(|e| format!("the shop's ledger is no JSON: {e}")))
    }

    fn look<T>(&self, look: impl Fn() -> Res<T>) -> Res<T> {
        let mut told = look();
        for _ in 0..LOOKS {
            if told.is_ok() {
                break;
            }
            std::thread::sleep(Duration::from_millis(200));
            told = look();
        }
        told.map_err(|why| format!("{why} (process {})", self.process.pid()))
    }

    /// The money it has taken for each order, by number, as its own API tells it.
    pub fn taken(&self) -> Res<BTreeMap<String, Dec>> {
        let mut taken = BTreeMap::new();
        for page in 1.. {
            let url = format!(
                "{}/rest/V1/orders?searchCriteria%5BpageSize%5D={PAGE}&searchCriteria%5BcurrentPage%5D={page}&fields=items%5Bincrement_id,total_invoiced%5D",
                self.url.trim_end_matches('/')
            );
            let rows: Vec<Value> = self.look(|| {
                let told: Value =
                    serde_json::from_slice(&get_as(&self.token, &url)?).map_err(|e| format!("{url}: {e}"))?;
                told["items"].as_array().cloned().ok_or_else(|| format!("{url}: no `items`"))
            })?;
            let before = taken.len();
            for row in &rows {
                let amount = Dec::from_json(&row["total_invoiced"]).unwrap_or_default();
                taken.insert(field(row, "increment_id")?, amount);
            }
            // The last page comes again for every page after it.
            if rows.len() < PAGE || taken.len() == before {
                break;
            }
        }
        Ok(taken)
    }

    /// Somebody who works there asks its API for something, past the weather.
    /// Whether it was done.
    pub fn ask(&self, path: &str, body: &Value) -> bool {
        let url = format!("{}/_sim/calm/rest/V1/{path}", self.url.trim_end_matches('/'));
        post_as(&self.token, &url, &body.to_string()).inspect_err(|why| eprintln!("{why}")).is_ok()
    }

    /// Nothing: somebody changes a field of a product in its back office, in one place of it or in all.
    pub fn edit(&self, sku: &str, place: Option<&str>, field: &str, value: &str) -> Res<()> {
        let url = format!("{}/_sim/products", self.url.trim_end_matches('/'));
        let body = json!({"sku": sku, "place": place, "field": field, "value": value});
        post(&url, &body.to_string()).map(drop)
    }
}

/// The real ERP, as the scripts in xtask/real started it.
#[derive(Debug)]
pub struct Erp {
    pub url: String,
    pub login: String,
    pub password: String,
    pub db: PathBuf,
    pid: u32,
    group: u32,
}

impl Erp {
    pub fn start(cache: &Path, dir: &Path) -> Res<Self> {
        std::fs::create_dir_all(cache).map_err(|e| format!("{}: cannot be made: {e}", cache.display()))?;
        let root = files::root()?;
        let catalogue = dir.join("catalogue.json");
        let args = ["sim", "catalogue", "--seed", "7", "--products", "120"];
        let told = Job::new(files::binary("release")?).args(args).limit(60).expect(&[0])?;
        files::write(&catalogue, &told.stdout)?;
        let script = root.join("xtask/real/tryton_up.sh");
        let words = [cache, &dir.join("erp"), &catalogue].map(|path| path.to_string_lossy().into_owned());
        let started = Job::new("bash")
            .args([script.to_string_lossy()])
            .args(words)
            .args(["papers"])
            .limit(1800)
            .echo()
            .leave()
            .start()?;
        let group = started.pid();
        let ended = started.wait()?;
        if !ended.ok() {
            job::kill_group(group);
            return Err(ended.story("xtask/real/tryton_up.sh"));
        }
        let line = ended.stdout.lines().rfind(|line| line.starts_with('{')).unwrap_or_default();
        let told = parsed("xtask/real/tryton_up.sh", line)?;
        let pid = told["pid"].as_u64().and_then(|pid| u32::try_from(pid).ok()).ok_or("tryton_up.sh tells no pid")?;
        guard::add(pid);
        let (url, login, password) = (field(&told, "url")?, field(&told, "login")?, field(&told, "password")?);
        Ok(Self { url, login, password, db: PathBuf::from(field(&told, "db")?), pid, group })
    }

    /// What its database holds, counted by a script that knows nothing of Syncline.
    pub fn count(&self) -> Res<Value> {
        let script = files::root()?.join("xtask/real/tryton_count.py");
        let words = [script, self.db.clone()].map(|path| path.to_string_lossy().into_owned());
        let ended = Job::new("python3").args(words).limit(300).expect(&[0])?;
        parsed("xtask/real/tryton_count.py", &ended.stdout)
    }

    /// People who work in it, past the road that loses things; each round they change something else, and round 0 of those
    /// who change goods is before everything.
    pub fn people(&self, changes: &Changes) -> Res<Running> {
        let script = files::root()?.join(changes.team.script).to_string_lossy().into_owned();
        let words = [script, self.url.clone(), self.login.clone(), self.password.clone(), changes.round.to_string()];
        Job::new("python3").args(words).args(&changes.told).limit(300).start()
    }
}

/// What people changed in the ERP.
#[derive(Debug)]
pub struct Changes {
    team: Team,
    /// How many changes, by sort.
    pub made: BTreeMap<String, u64>,
    /// What they said last of everything they said something of.
    pub last: BTreeMap<Word, String>,
    /// The next round; none is worked twice.
    pub round: u64,
    /// What the script is told beside its round.
    pub told: Vec<String>,
}

impl Changes {
    /// Nothing yet; the first round is `round`.
    pub fn by(team: Team, round: u64) -> Self {
        Self { team, made: BTreeMap::new(), last: BTreeMap::new(), round, told: Vec::new() }
    }

    /// Nothing: one more of a sort was made.
    pub fn count_one(&mut self, what: &str) {
        *self.made.entry(what.to_owned()).or_default() += 1;
    }

    /// Nothing: what a round of people came to is added.
    pub fn add(&mut self, people: Running) -> Res<()> {
        let ended = people.wait()?;
        if !ended.ok() {
            return Err(ended.story(self.team.script));
        }
        let told = parsed(self.team.script, &ended.stdout)?;
        for change in told.as_array().into_iter().flatten() {
            let word = Word { what: field(change, "what")?, of: field(change, "of")? };
            self.count_one(&word.what);
            if let Some(to) = change["to"].as_str() {
                self.last.insert(word, to.to_owned());
            }
        }
        self.round += 1;
        Ok(())
    }

    /// How many changes of these sorts were made.
    pub fn count(&self, sorts: &[&str]) -> u64 {
        sorts.iter().filter_map(|what| self.made.get(*what)).sum()
    }

    /// The sorts of changes that were made less often than `times`.
    pub fn lacking(&self, times: u64) -> impl Iterator<Item = &'static str> {
        self.team.sorts.iter().copied().filter(move |what| self.made.get(*what).is_none_or(|made| *made < times))
    }
}

impl Drop for Erp {
    fn drop(&mut self) {
        job::stop_process(self.pid);
        guard::forget(self.pid);
        job::kill_group(self.group);
        guard::forget(self.group);
    }
}
