//! The real run: a real ERP, a stormy shop, replies that get lost, kill -9, and a count in the ERP's own database.
use crate::job::{self, Ended, Job, Running, now};
use crate::ledger::{self, Compared};
use crate::proxy::{Dice, Losses, Proxy};
use crate::wire::{get, split_url};
use crate::{Args, Res, files, guard};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::time::Duration;

/// What is asked of a run.
#[derive(Debug)]
pub struct Wish {
    /// How many released orders the shop must hold at least.
    pub orders: u64,
    pub kills: u64,
    /// When the kills come and what the road loses.
    pub seed: u64,
    /// Where the database and the shop's ledger are left.
    pub keep: Option<PathBuf>,
}

/// What a run found.
#[derive(Debug)]
pub struct Report {
    compared: Compared,
    least: usize,
    kills: u64,
    wanted_kills: u64,
    lost_replies: u64,
    lost_requests: u64,
    verify: Value,
    wrong: Vec<String>,
    seconds: u64,
    kept: Option<(PathBuf, PathBuf)>,
}

/// `cargo x real`: true where both ledgers agree.
pub fn chore(args: &mut Args) -> Res<bool> {
    let as_json = args.flag("--json");
    let wish = Wish {
        orders: args.number("--orders", 300)?,
        kills: args.number("--kills", 10)?,
        seed: args.number("--seed", 1)?,
        keep: args.option("--keep")?.map(PathBuf::from),
    };
    args.finish()?;
    Job::new("cargo").args(["build", "--quiet", "--release"]).dir(&files::root()?).limit(2400).echo().expect(&[0])?;
    let report = run(&wish)?;
    for line in report.differences() {
        eprintln!("{line}");
    }
    if as_json {
        println!("{}", report.json());
    } else {
        println!("{}", report.line());
    }
    Ok(report.agrees())
}

/// The whole run; the release binary must stand.
pub fn run(wish: &Wish) -> Res<Report> {
    let began = now();
    let place = files::target()?.join("real");
    let dir = place.join(format!("run-{}", std::process::id()));
    std::fs::create_dir_all(&dir).map_err(|e| format!("{}: cannot be made: {e}", dir.display()))?;
    let report = run_in(&dir, &place.join("cache"), wish);
    if report.as_ref().is_ok_and(Report::agrees) {
        let _ = std::fs::remove_dir_all(&dir);
    } else {
        eprintln!("what the run left behind lies in {}", dir.display());
    }
    report.map(|report| Report { seconds: began.elapsed().as_secs(), ..report })
}

fn run_in(dir: &Path, cache: &Path, wish: &Wish) -> Res<Report> {
    let shop = Shop::start(wish.orders)?;
    let erp = Erp::start(cache, dir)?;
    let (host, path) = split_url(&erp.url)?;
    let proxy = Proxy::start(&host, Losses { reply: 25, request: 60 }, wish.seed)?;
    let syncline = Syncline::set_up(dir, &shop, &erp, &format!("http://{}{path}", proxy.address))?;
    let kills = syncline.killed(wish)?;
    syncline.to_the_end()?;
    let verify = syncline.verify()?;
    let ledger = shop.ledger()?;
    let counted = erp.count()?;
    let compared = ledger::compare(&ledger::orders(&ledger)?, &ledger::orders(&counted)?);
    let lost_replies = proxy.counts.lost_replies.load(Ordering::Relaxed);
    let lost_requests = proxy.counts.lost_requests.load(Ordering::Relaxed);
    let kept = wish.keep.as_deref().map(|to| keep(to, erp, &ledger)).transpose()?;
    let mut report = Report {
        compared,
        least: usize::try_from(wish.orders).unwrap_or(usize::MAX),
        kills,
        wanted_kills: wish.kills,
        lost_replies,
        lost_requests,
        verify,
        wrong: Vec::new(),
        seconds: 0,
        kept,
    };
    report.judge();
    Ok(report)
}

/// The simulated shop, as a process.
#[derive(Debug)]
struct Shop {
    url: String,
    token: String,
    process: Running,
}

impl Shop {
    fn start(orders: u64) -> Res<Self> {
        let held = (orders * 6).div_ceil(5) + 10;
        let args = format!("sim serve magento --port 0 --seed 7 --products 120 --orders {held} --weather storm");
        let mut process = Job::new(files::binary("release")?).args(args.split(' ')).limit(7200).start()?;
        let told = parsed("sim serve magento", &process.first_line(Duration::from_secs(60))?)?;
        Ok(Self { url: field(&told, "url")?, token: field(&told, "token")?, process })
    }

    /// What it really holds; its weather may spoil a look, so there are a few.
    fn ledger(&self) -> Res<Value> {
        let url = format!("{}/_sim/ledger", self.url.trim_end_matches('/'));
        let look = || serde_json::from_slice(&get(&url)?).map_err(|e| format!("the shop's ledger is no JSON: {e}"));
        let mut told: Res<Value> = look();
        for _ in 0..4 {
            if told.is_ok() {
                break;
            }
            std::thread::sleep(Duration::from_millis(200));
            told = look();
        }
        told.map_err(|why| format!("{why} (process {})", self.process.pid()))
    }
}

/// The real ERP, as the scripts in xtask/real started it.
#[derive(Debug)]
struct Erp {
    url: String,
    login: String,
    password: String,
    db: PathBuf,
    pid: u32,
    group: u32,
}

impl Erp {
    fn start(cache: &Path, dir: &Path) -> Res<Self> {
        std::fs::create_dir_all(cache).map_err(|e| format!("{}: cannot be made: {e}", cache.display()))?;
        let root = files::root()?;
        let catalogue = dir.join("catalogue.json");
        let args = ["sim", "catalogue", "--seed", "7", "--products", "120"];
        let told = Job::new(files::binary("release")?).args(args).limit(60).expect(&[0])?;
        files::write(&catalogue, &told.stdout)?;
        let script = root.join("xtask/real/tryton_up.sh");
        let words = [cache, &dir.join("erp"), &catalogue].map(|path| path.to_string_lossy().into_owned());
        let started =
            Job::new("bash").args([script.to_string_lossy()]).args(words).limit(1800).echo().leave().start()?;
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
    fn count(&self) -> Res<Value> {
        let script = files::root()?.join("xtask/real/tryton_count.py");
        let words = [script, self.db.clone()].map(|path| path.to_string_lossy().into_owned());
        let ended = Job::new("python3").args(words).limit(300).expect(&[0])?;
        parsed("xtask/real/tryton_count.py", &ended.stdout)
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

/// The product itself: its directory and what it needs to know.
#[derive(Debug)]
struct Syncline {
    exe: PathBuf,
    dir: PathBuf,
    secrets: [(&'static str, String); 3],
}

impl Syncline {
    fn set_up(run: &Path, shop: &Shop, erp: &Erp, erp_url: &str) -> Res<Self> {
        let dir = run.join("syncline");
        std::fs::create_dir_all(&dir).map_err(|e| format!("{}: cannot be made: {e}", dir.display()))?;
        let secrets = [
            ("SYNCLINE_SHOP_TOKEN", shop.token.clone()),
            ("SYNCLINE_ERP_LOGIN", erp.login.clone()),
            ("SYNCLINE_ERP_PASSWORD", erp.password.clone()),
        ];
        let this = Self { exe: files::binary("release")?, dir, secrets };
        let (shop, erp) = (format!("magento={}", shop.url), format!("tryton={erp_url}"));
        // The road loses replies from the first word on; a person would try again, too.
        this.until(5, &["init", "--yes", "--start", "all", "--shop", &shop, "--erp", &erp], &[0], |dir| {
            let _ = std::fs::remove_file(dir.join("syncline.toml"));
        })?;
        this.until(5, &["check"], &[0], |_| ())?;
        this.until(5, &["adopt"], &[0, 2, 3], |_| ())?;
        Ok(this)
    }

    fn job(&self, args: &[&str], limit: u64) -> Job {
        let job = Job::new(&self.exe).args(args).dir(&self.dir).limit(limit);
        self.secrets.iter().fold(job, |job, (key, value)| job.env(key, value))
    }

    /// How it ended, once it ended well; `before` makes ready for another try.
    fn until(&self, tries: u32, args: &[&str], good: &[i32], before: impl Fn(&Path)) -> Res<Ended> {
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

    /// How many runs were killed while they ran: as many as wished, or as there was work for.
    fn killed(&self, wish: &Wish) -> Res<u64> {
        let mut dice = Dice(wish.seed);
        let mut kills = 0;
        for _ in 0..wish.kills * 3 + 10 {
            if kills >= wish.kills {
                break;
            }
            let mut process = self.job(&["sync"], 60).start()?;
            let end = now() + Duration::from_millis(300 + dice.below(2200));
            while now() < end && !process.over()? {
                std::thread::sleep(Duration::from_millis(5));
            }
            kills += u64::from(process.kill()?);
        }
        Ok(kills)
    }

    fn to_the_end(&self) -> Res<()> {
        self.until(6, &["sync"], &[0, 3], |_| ()).map(drop)
    }

    fn verify(&self) -> Res<Value> {
        let ended = self.until(6, &["verify", "--json"], &[0, 2, 3], |_| ())?;
        parsed("syncline verify --json", &ended.stdout)
    }
}

impl Report {
    fn judge(&mut self) {
        let count = |path: &str| self.verify.pointer(path).and_then(Value::as_u64);
        if self.compared.source < self.least {
            self.wrong.push(format!("the shop released {} orders, {} were wished", self.compared.source, self.least));
        }
        if self.kills < self.wanted_kills {
            self.wrong
                .push(format!("{} of {} kills hit a running sync; raise --orders", self.kills, self.wanted_kills));
        }
        if count("/drift") != Some(0) {
            self.wrong.push(format!("verify tells drift {}", self.verify["drift"]));
        }
        if count("/flows/orders/compared").is_none_or(|n| n < self.compared.source as u64) {
            self.wrong.push(format!(
                "verify compared {} orders of {}",
                self.verify["flows"]["orders"]["compared"], self.compared.source
            ));
        }
    }

    fn differences(&self) -> impl Iterator<Item = &String> {
        self.wrong.iter().chain(&self.compared.wrong)
    }

    /// True where nothing differs.
    pub fn agrees(&self) -> bool {
        self.differences().next().is_none()
    }

    /// The run in one line.
    pub fn line(&self) -> String {
        let found = &self.compared;
        let head = format!(
            "{} released orders, {} once in the ERP, {} missing, {} duplicate, {} extra, {} lines held against each other, {} kills, {} lost replies, {} lost requests, {} s",
            found.source,
            found.once,
            found.missing,
            found.duplicate,
            found.extra,
            found.lines,
            self.kills,
            self.lost_replies,
            self.lost_requests,
            self.seconds
        );
        let first: Vec<&str> = self.differences().take(5).map(String::as_str).collect();
        if first.is_empty() { head } else { format!("{head}; {}", first.join("; ")) }
    }

    fn json(&self) -> Value {
        let found = &self.compared;
        let path = |path: Option<&PathBuf>| path.map(|path| path.display().to_string());
        json!({
            "tryton_db": path(self.kept.as_ref().map(|kept| &kept.0)),
            "shop_ledger": path(self.kept.as_ref().map(|kept| &kept.1)),
            "kills": self.kills, "orders": found.source, "once": found.once, "missing": found.missing,
            "duplicates": found.duplicate, "extra": found.extra, "lines": found.lines, "lost_replies": self.lost_replies,
            "lost_requests": self.lost_requests, "verify": self.verify, "wrong": self.differences().collect::<Vec<_>>(),
            "seconds": self.seconds,
        })
    }
}

/// Where the database and the ledger lie now; the ERP is stopped first, so that its file is whole.
fn keep(to: &Path, erp: Erp, ledger: &Value) -> Res<(PathBuf, PathBuf)> {
    std::fs::create_dir_all(to).map_err(|e| format!("{}: cannot be made: {e}", to.display()))?;
    let to = to.canonicalize().map_err(|e| format!("{}: {e}", to.display()))?;
    let (db, shop) = (to.join("tryton.sqlite"), to.join("shop-ledger.json"));
    let from = erp.db.clone();
    drop(erp);
    std::fs::copy(&from, &db).map_err(|e| format!("{} cannot be copied: {e}", from.display()))?;
    files::write(&shop, &ledger.to_string())?;
    Ok((db, shop))
}

fn parsed(who: &str, text: &str) -> Res<Value> {
    serde_json::from_str(text.trim())
        .map_err(|e| format!("{who} printed no JSON ({e}): {}", text.chars().take(200).collect::<String>()))
}

fn field(told: &Value, name: &str) -> Res<String> {
    told[name].as_str().map(str::to_owned).ok_or_else(|| format!("no `{name}` in {told}"))
}
