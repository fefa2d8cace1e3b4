//! The product in a real run: set up, killed again and again, and brought to its end, by its own commands alone.
use super::machine::{Happened, Machine};
use super::systems::{Changes, Erp, Shop};
use super::{OFTEN, Urls, parsed};
use crate::job::{Ended, Job, now};
use crate::proxy::Dice;
use crate::{Res, files};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Rounds of people there are at most, before they give up on changing something of every sort.
const ROUNDS: u64 = 150;
/// How often a person tries again what is held.
const RETRIES: u32 = 3;
/// The flows beside orders whose fields are shared.
const SHARED: [&str; 3] = ["products", "prices", "customers"];
/// Papers go both ways: the ERP's to the shop, and what is paid and given back at the till to the ERP.
const PAPERS: &str = "carriers = { DHL = \"dhl\" }
invoices = \"paid\"
credits = \"posted\"
payments = { braintree = \"Cash\", \"*\" = \"off\" }
refunds = \"carry\"
";
/// What is held because the shop would make something else of it.
const OTHERWISE: &str = "SYN-0199";
/// Looks at the end, with a pause before each: what was sent to the ERP last is looked at once more after its settle time.
const LOOKS: u32 = 8;
const PAUSE: Duration = Duration::from_secs(15);
/// After that nothing that was sent to the shop can land any more: the time a request may take to leave, and the settle
/// time of the file.
const SETTLED: Duration = Duration::from_secs(20 + 5 + 1);

/// The product itself: its directory and what it needs to know.
#[derive(Debug)]
pub struct Syncline {
    exe: PathBuf,
    pub dir: PathBuf,
    /// What it runs on, where that is not just this machine.
    machine: Option<Machine>,
    secrets: [(&'static str, String); 3],
}

/// Runs that are killed while people work in the ERP.
#[derive(Debug)]
pub struct Storm<'a> {
    /// What is run.
    pub run: &'a [&'a str],
    /// What is counted on a road: a run is killed after some of it, at most so many.
    pub road: &'a AtomicU64,
    pub most: u64,
    /// One of four goes on for longer, up to so many: work that is cut off ever so early comes to no end.
    pub far: u64,
    /// A run that did not come so far is killed after so long all the same; whether that counts.
    pub waits: Duration,
    pub late_counts: bool,
    pub kills: u64,
    /// Decides when the kills come.
    pub seed: u64,
    /// Whether people have done enough.
    pub enough: fn(&Changes) -> bool,
}

/// What people of the shop do beside it, told among the changes.
pub type Beside<'a> = &'a mut dyn FnMut(&mut Changes) -> Res<()>;

impl Syncline {
    pub fn set_up(run: &Path, shop: &Shop, erp: &Erp, urls: &Urls) -> Res<Self> {
        let dir = run.join("syncline");
        std::fs::create_dir_all(&dir).map_err(|e| format!("{}: cannot be made: {e}", dir.display()))?;
        let secrets = [
            ("SYNCLINE_SHOP_TOKEN", shop.token.clone()),
            ("SYNCLINE_ERP_LOGIN", erp.login.clone()),
            ("SYNCLINE_ERP_PASSWORD", erp.password.clone()),
        ];
        let this = Self { exe: files::binary("release")?, dir, machine: None, secrets };
        let (shop, erp) = (format!("magento={}", urls.shop), format!("tryton={}", urls.erp));
        // The road loses replies from the first word on; a person would try again, too.
        this.until(5, &["init", "--yes", "--start", "all", "--shop", &shop, "--erp", &erp], &[0], |dir| {
            let _ = std::fs::remove_file(dir.join("syncline.toml"));
        })?;
        this.switch_on()?;
        this.until(5, &["check"], &[0], |_| ())?;
        this.until(5, &["adopt"], &[0, 2, 3], |_| ())?;
        // Customers come with their orders, in the storm.
        for flow in ["products", "prices"] {
            this.until(5, &["sync", flow], &[0, 3], |_| ())?;
        }
        this.decide()?;
        Ok(this)
    }

    /// Nothing: products, stock, prices and papers flow, too; accounts are called what the ERP calls them, and weights are each
    /// side's own, for the ERP has none.
    fn switch_on(&self) -> Res<()> {
        let file = self.dir.join("syncline.toml");
        let text = std::fs::read_to_string(&file).map_err(|e| format!("{}: {e}", file.display()))?;
        let (mut out, mut table) = (String::new(), "");
        for line in text.lines() {
            if line.starts_with('[') {
                table = line.split_whitespace().next().unwrap_or_default();
            }
            let off = line.starts_with("mode =")
                && ["[flows.products]", "[flows.inventory]", "[flows.prices]", "[flows.papers]"].contains(&table);
            out.push_str(if off { "mode = \"on\"" } else { line });
            out.push('\n');
            out.push_str(match line {
                "[systems.shop]" => "settle = \"5s\"\n",
                "[flows.products]" => "fields = { \"weight\" = \"keep\" }\n",
                "[flows.papers]" => PAPERS,
                "[flows.customers]" => "fields = { \"name\" = \"erp\" }\n",
                _ => "",
            });
        }
        files::write(&file, &out)
    }

    /// Nothing: a person takes the ERP's value where only a person can decide, and lets large changes through.
    fn decide(&self) -> Res<()> {
        for field in ["texts.*.name", "texts.*.description", "prices[*]", "name"] {
            self.until(5, &["resolve", "--all", "--field", field, "--take", "erp"], &[0, 1], |_| ())?;
        }
        for flow in SHARED {
            self.until(5, &["approve", flow], &[0], |_| ())?;
        }
        Ok(())
    }

    /// From here on it runs on `machine`, where there is one.
    pub fn moved_to(self, machine: Option<Machine>) -> Self {
        Self { machine, ..self }
    }

    /// What befell the machine it runs on.
    pub fn happened(&self) -> Option<Happened> {
        self.machine.as_ref().map(Machine::happened)
    }

    pub fn job(&self, args: &[&str], limit: u64) -> Job {
        let job = Job::new(&self.exe).args(args).dir(&self.dir).limit(limit);
        let job = match &self.machine {
            Some(machine) => machine.under(job),
            None => job,
        };
        self.secrets.iter().fold(job, |job, (key, value)| job.env(key, value))
    }

    /// How it ended, once it ended well; `before` makes ready for another try.
    pub fn until(&self, tries: u32, args: &[&str], good: &[i32], before: impl Fn(&Path)) -> Res<Ended> {
        let mut last = String::new();
        for _ in 0..tries {
            let ended = self.job(args, 1800).run()?;
            if ended.code.is_some_and(|code| good.contains(&code)) {
                return Ok(ended);
            }
            last = ended.story(&format!("syncline {}", args.join(" ")));
            before(&self.dir);
        }
        Err(format!("{tries} tries: {last}"))
    }

    /// How many runs were killed while they ran, and while people changed things in the ERP: as many as wished, or as
    /// there was work for, until people have done enough. Each was killed after so many requests, which a road counts: a slow
    /// machine is no reason to be killed before anything was done.
    pub fn killed(&self, storm: &Storm<'_>, erp: &Erp, changes: &mut Changes, beside: Beside<'_>) -> Res<u64> {
        let mut dice = Dice(storm.seed);
        let mut kills = 0;
        for _ in 0..storm.kills * 3 + 10 {
            if kills >= storm.kills && (storm.enough)(changes) {
                break;
            }
            let people = erp.people(changes)?;
            beside(changes)?;
            let most = if dice.below(4) == 0 { storm.far } else { storm.most };
            let killed = self.killed_once(storm, 1 + dice.below(most))?;
            kills += u64::from(killed);
            if killed && kills.is_multiple_of(20) {
                eprintln!("{kills} of {} kills, {} rounds", storm.kills, changes.round);
            }
            if let Some(machine) = &self.machine {
                machine.after_kill(self)?;
            }
            changes.add(people)?;
        }
        Ok(kills)
    }

    /// True where a run was killed after so many requests, while it ran.
    fn killed_once(&self, storm: &Storm<'_>, requests: u64) -> Res<bool> {
        let passed = || storm.road.load(Ordering::Relaxed);
        let (end, late) = (passed() + requests, now() + storm.waits);
        let mut process = self.job(storm.run, 300).start()?;
        while passed() < end && now() < late && !process.over()? {
            std::thread::sleep(Duration::from_millis(2));
        }
        let came = storm.late_counts || passed() >= end;
        Ok(process.kill()? && came)
    }

    /// Nothing: what is due is done, beside everything people may still hold back.
    pub fn caught_up(&self) -> Res<()> {
        self.until(6, &["sync"], &[0, 3], |_| ()).map(drop)
    }

    /// Nothing: passes beside which people go on until something of every sort was changed often enough; some sorts need
    /// orders that have arrived.
    pub fn beside_people(&self, erp: &Erp, changes: &mut Changes) -> Res<()> {
        let last = changes.round + ROUNDS;
        while changes.lacking(OFTEN).next().is_some() && changes.round < last {
            let mut pass = self.job(&["sync"], 1800).start()?;
            while changes.lacking(OFTEN).next().is_some() && changes.round < last && !pass.over()? {
                changes.add(erp.people(changes)?)?;
            }
            pass.wait()?;
        }
        Ok(())
    }

    /// How many papers were held on the way; passes until nothing is left to do, and nothing can land any more. What the
    /// shop's weather kept back and would be tried again by itself in ten minutes, a person tries again at once.
    pub fn to_the_end(&self) -> Res<u64> {
        self.until(6, &["sync"], &[0, 3], |_| ())?;
        self.decide()?;
        self.until(6, &["sync"], &[0, 3], |_| ())?;
        std::thread::sleep(SETTLED);
        self.until(6, &["sync"], &[0, 3], |_| ())?;
        let mut all = 0;
        for _ in 0..RETRIES {
            let held = self.held("papers")?;
            if held == 0 {
                break;
            }
            all += held;
            self.until(5, &["retry", "--all"], &[0, 3], |_| ())?;
            self.until(6, &["sync"], &[0, 3], |_| ())?;
        }
        Ok(all)
    }

    /// The numbers of credits that the other side cannot be told of as they are, the ERP's and the shop's: a person does them
    /// there by hand, and says so.
    pub fn left_to_people(&self) -> Res<Vec<String>> {
        let ended = self.until(5, &["failures", "--json"], &[0, 3], |_| ())?;
        let told = parsed("syncline failures --json", &ended.stdout)?;
        let rows = told["failures"].as_array().cloned().unwrap_or_default();
        let credits = rows.iter().filter(|row| row["kind"] == "credit" && row["code"] == OTHERWISE);
        let numbers: Vec<String> = credits.filter_map(|row| row["key"].as_str().map(str::to_owned)).collect();
        for number in &numbers {
            self.until(5, &["retry", "--accept", &format!("credit:{number}")], &[0, 3], |_| ())?;
        }
        self.caught_up()?;
        Ok(numbers)
    }

    /// What is held and failed, in words for people.
    pub fn failures(&self) -> Res<String> {
        Ok(self.until(5, &["failures"], &[0, 3], |_| ())?.stdout)
    }

    /// How much of a flow waits for a person.
    fn held(&self, flow: &str) -> Res<u64> {
        let ended = self.until(5, &["status", "--json"], &[0, 3], |_| ())?;
        let told = parsed("syncline status --json", &ended.stdout)?;
        told["flows"][flow]["held"].as_u64().ok_or_else(|| format!("no `held` of {flow} in {told}"))
    }

    /// What `verify` says once no paper is open any more, or after some looks.
    pub fn verify_at_rest(&self) -> Res<Value> {
        for _ in 1..LOOKS {
            let told = self.verify()?;
            if told["flows"]["papers"]["open"] == 0 {
                return Ok(told);
            }
            std::thread::sleep(PAUSE);
            self.caught_up()?;
        }
        self.verify()
    }

    pub fn verify(&self) -> Res<Value> {
        let ended = self.until(6, &["verify", "--json"], &[0, 2, 3], |_| ())?;
        parsed("syncline verify --json", &ended.stdout)
    }
}
