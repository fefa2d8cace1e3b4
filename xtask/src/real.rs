//! The real run: a real ERP, a stormy shop, replies that get lost, kill -9, and a count in the ERP's own database.
mod machine;
mod product;
mod systems;
mod till;

use crate::goods::{self, Held};
use crate::job::{Job, now};
use crate::ledger::{self, Compared};
use crate::papers::{self, Papers};
use crate::proxy::{Losses, Proxy};
use crate::wire::split_url;
use crate::{Args, Res, files};
use machine::{Happened, Machine};
use product::{Storm, Syncline};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use systems::{Changes, Erp, PEOPLE, Shop, WAREHOUSE};
use till::Till;

/// What is asked of a run.
#[derive(Debug)]
pub struct Wish {
    /// How many released orders the shop must hold at least.
    pub orders: u64,
    /// Some of them come while papers are what is under way.
    pub kills: u64,
    /// When the kills come and what the road loses.
    pub seed: u64,
    /// Where the database and the shop's ledger are left.
    pub keep: Option<PathBuf>,
    /// Whether the machine itself has bad moments: power cuts, full disks, steps of its clock, stores put back.
    pub chaos: bool,
}

/// What a run found.
#[derive(Debug)]
pub struct Report {
    compared: Compared,
    /// What was held against each other beside orders, flow by flow.
    beside: Vec<Held>,
    /// What was done about orders.
    papers: Papers,
    /// What people changed in the ERP meanwhile.
    changes: Changes,
    /// What its warehouse and its clerks did.
    work: Changes,
    /// What was changed in the shop behind the product's back after the end, and seen.
    planted: Planted,
    least: usize,
    kills: u64,
    /// Of them, those among papers.
    papers_killed: u64,
    /// Papers that a person tried again.
    papers_held: u64,
    /// Credits that the other side would make otherwise, which a person did there by hand.
    by_hand: usize,
    /// In all, and among papers.
    wanted_kills: (u64, u64),
    lost_replies: u64,
    lost_requests: u64,
    verify: Value,
    /// What `failures` says at the end.
    failures: String,
    /// What befell the machine, where it has bad moments.
    machine: Option<Happened>,
    wrong: Vec<String>,
    seconds: u64,
    kept: Option<(PathBuf, PathBuf)>,
}

impl Wish {
    /// How many of the kills come while papers are under way: half of the first two hundred, a fifth of the others. What is in
    /// doubt among papers rests until no request can land any more.
    fn among_papers(&self) -> u64 {
        self.kills.min(200) / 2 + self.kills.saturating_sub(200) / 5
    }
}

/// Changes that nobody told the product of, by flow.
#[derive(Debug)]
struct Planted {
    made: Vec<&'static str>,
    /// Those that `verify` told as different.
    by_verify: Vec<&'static str>,
    /// Those that our own count told.
    by_count: Vec<&'static str>,
}

/// How often people change something of each sort at least.
const OFTEN: u64 = 5;
/// How much has to be held against each other at least, by flow; and how many of people's last words.
const LEAST: [(&str, usize); 5] =
    [("inventory", 50), ("prices", 150), ("products", 100), ("customers", 10), ("people", 30)];

/// How many shipments, how many invoices that the ERP was paid, how many credits and how many payments must be held against each
/// other.
const PAPERS: (usize, usize, usize, usize) = (40, 20, 6, 8);
/// What the till gives back: of what sort depends on what has left the shop by then.
const GIVEN_BACK: [&str; 3] = ["refunded_all", "refunded_piece", "refunded_freight"];
/// Requests to the ERP after which a run is killed at the latest; fewer where there are to be many kills, or too little is
/// left to do for the last of them. One that waits for something is killed after so long.
const REQUESTS: u64 = 150;
const WAITS: Duration = Duration::from_secs(15);
/// Papers the shop is told of after which a run among papers is killed at the latest; what is waited for them.
const TOLD: u64 = 5;
const PAPERS_WAIT: Duration = Duration::from_secs(60);

/// So many kills give everything that may befall a machine its chance.
const CHANCES: u64 = 100;

/// `cargo x real`, and `cargo x chaos`, where the machine has bad moments, too: true where both ledgers agree.
pub fn chore(args: &mut Args, chaos: bool) -> Res<bool> {
    let as_json = args.flag("--json");
    let wish = Wish {
        chaos,
        orders: args.number("--orders", 300)?,
        kills: args.number("--kills", if chaos { 500 } else { 20 })?,
        seed: args.number("--seed", 1)?,
        keep: args.option("--keep")?.map(PathBuf::from),
    };
    args.finish()?;
    Job::new("cargo").args(["build", "--quiet", "--release"]).dir(&files::root()?).limit(2400).echo().expect(&[0])?;
    let report = run(&wish)?;
    eprint!("{}", report.story());
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
    let began = now();
    let say = |what: &str| eprintln!("[{} s] {what}", began.elapsed().as_secs());
    let shop = Shop::start(wish.orders)?;
    let taken = shop.taken()?;
    let erp = Erp::start(cache, dir)?;
    say("a shop and an ERP");
    let mut changes = Changes::by(PEOPLE, 0);
    changes.add(erp.people(&changes)?)?;
    let roads = Roads::open(&shop, &erp, wish.seed)?;
    let syncline = Syncline::set_up(dir, &shop, &erp, &roads.urls)?.moved_to(machine(dir, wish)?);
    say("set up; it is killed while people change things in the ERP");
    let kills = syncline.killed(&among_orders(wish, &roads), &erp, &mut changes, &mut |_| Ok(()))?;
    say(&format!("{kills} kills, {} rounds of changes; people go on", changes.round));
    syncline.beside_people(&erp, &mut changes)?;
    syncline.caught_up()?;
    say(&format!("{} rounds of changes, the last; it is killed while goods leave and money comes", changes.round));
    let mut till = Till::open(&shop, &taken)?;
    let mut work = Changes::by(WAREHOUSE, 1);
    work.told = vec![till.numbers_in(dir)?];
    work.add(erp.people(&work)?)?;
    let papers_killed =
        syncline.killed(&among_papers(wish, &roads), &erp, &mut work, &mut |work| till.work(&shop, work))?;
    say(&format!("{papers_killed} kills, {} rounds of work; it is brought to its end", work.round));
    let mut papers_held = syncline.to_the_end()?;
    till.give_back_what_left(&shop, &mut work)?;
    papers_held += syncline.to_the_end()?;
    let by_hand = syncline.left_to_people()?;
    let verify = syncline.verify_at_rest()?;
    say("verified");
    let (ledger, counted) = counted(dir, &shop, &erp)?;
    let planted = planted(&syncline, &shop, &counted)?;
    let mut beside = goods::compare(&ledger, &counted);
    beside.push(goods::kept(&changes.last, &counted));
    let [there, here] = [ledger.clone(), counted].map(|counted| papers::without(counted, &by_hand));
    let papers = papers::compare(&there, &here, &taken, &till.numbers);
    let lost = |count: &AtomicU64| count.load(Ordering::Relaxed);
    let mut report = Report {
        compared: ledger::compare(&ledger::orders(&there)?, &ledger::orders(&here)?),
        beside,
        papers,
        changes,
        work,
        planted,
        least: usize::try_from(wish.orders).unwrap_or(usize::MAX),
        kills: kills + papers_killed,
        papers_killed,
        papers_held,
        by_hand: by_hand.len(),
        wanted_kills: (wish.kills, wish.among_papers()),
        lost_replies: lost(&roads.erp.counts.lost_replies),
        lost_requests: lost(&roads.erp.counts.lost_requests),
        verify,
        failures: syncline.failures()?,
        machine: syncline.happened(),
        wrong: Vec::new(),
        seconds: 0,
        kept: wish.keep.as_deref().map(|to| keep(to, erp, &ledger)).transpose()?,
    };
    report.judge();
    Ok(report)
}

/// What the product runs on, where that is not just this machine.
fn machine(dir: &Path, wish: &Wish) -> Res<Option<Machine>> {
    wish.chaos.then(|| Machine::built(dir, (wish.kills, wish.seed))).transpose()
}

/// What both really hold, kept in `dir` for whoever has to find out why they differ.
fn counted(dir: &Path, shop: &Shop, erp: &Erp) -> Res<(Value, Value)> {
    let (ledger, counted) = (shop.ledger()?, erp.count()?);
    files::write(&dir.join("shop-ledger.json"), &ledger.to_string())?;
    files::write(&dir.join("erp-count.json"), &counted.to_string())?;
    Ok((ledger, counted))
}

/// The ways to both systems: the one to the ERP loses things, the shop has weather of its own.
#[derive(Debug)]
struct Roads {
    shop: Proxy,
    erp: Proxy,
    urls: Urls,
}

/// Where the product finds both.
#[derive(Debug)]
struct Urls {
    shop: String,
    erp: String,
}

impl Roads {
    fn open(shop: &Shop, erp: &Erp, seed: u64) -> Res<Self> {
        let (host, path) = split_url(&erp.url)?;
        let to_erp = Proxy::start(&host, Losses { reply: 25, request: 60 }, seed)?;
        let (host, _) = split_url(&shop.url)?;
        let to_shop = Proxy::start(&host, Losses { reply: 0, request: 0 }, seed)?;
        let urls =
            Urls { shop: format!("http://{}", to_shop.address), erp: format!("http://{}{path}", to_erp.address) };
        Ok(Self { shop: to_shop, erp: to_erp, urls })
    }
}

/// Everything flows, and is killed by what it asks the ERP.
fn among_orders<'a>(wish: &Wish, roads: &'a Roads) -> Storm<'a> {
    let kills = wish.kills - wish.among_papers();
    let most = (REQUESTS * 10).checked_div(kills).map_or(REQUESTS, |share| share.clamp(REQUESTS / 2, REQUESTS));
    Storm {
        run: &["sync"],
        road: &roads.erp.counts.requests,
        most,
        far: REQUESTS,
        waits: WAITS,
        late_counts: true,
        kills,
        seed: wish.seed,
        enough: |changes| changes.lacking(1).next().is_none(),
    }
}

/// Papers flow, and are killed by what the shop is told, until enough has left and was paid.
fn among_papers<'a>(wish: &Wish, roads: &'a Roads) -> Storm<'a> {
    Storm {
        run: &["sync", "papers"],
        road: &roads.shop.counts.papers,
        most: TOLD,
        far: TOLD,
        waits: PAPERS_WAIT,
        late_counts: false,
        kills: wish.among_papers(),
        seed: wish.seed + 1,
        enough: |work| {
            let (sent, paid) = (work.count(&["whole", "part", "parcel", "later"]), work.count(&["paid"]));
            let back = work.count(&["all_back", "piece_back", "amount_back"]) >= PAPERS.2 as u64;
            // Some are paid that the shop was paid for already.
            let till = work.count(&["captured"]) >= PAPERS.3 as u64 * 3 / 2 && work.count(&GIVEN_BACK) >= 2;
            // What the shop's people give back of goods waits until these have left there, too.
            let often = work.lacking(2).all(|what| GIVEN_BACK.contains(&what));
            often && back && till && sent >= PAPERS.0 as u64 && paid >= PAPERS.1 as u64 * 3 / 2
        },
    }
}

/// A price and a German name, both the ERP's, are changed in the shop behind the product's back; who sees it.
fn planted(syncline: &Syncline, shop: &Shop, erp: &Value) -> Res<Planted> {
    let there = shop.ledger()?;
    let is_sold = |sku: &str| {
        there["prices"].as_array().into_iter().flatten().any(|row| row["list"] == "base" && row["sku"] == sku)
    };
    let named = |row: &&Value| row["texts"]["de"]["name"].is_string() && row["sku"].as_str().is_some_and(is_sold);
    let found = erp["products"].as_array().into_iter().flatten().find(named);
    let sku = found.and_then(|row| row["sku"].as_str()).ok_or("nothing that is sold has a German name in the ERP")?;
    shop.edit(sku, Some("base"), "price", "4711.11")?;
    shop.edit(sku, Some("german"), "name", "hinter dem Rücken")?;
    let verify = syncline.verify()?;
    let beside = goods::compare(&shop.ledger()?, erp);
    let made = vec!["prices", "products"];
    let told = |flow: &&&str| verify["flows"][**flow]["different"].as_u64() == Some(1);
    let counted = |flow: &&&str| beside.iter().any(|held| held.flow == **flow && held.wrong.len() == 1);
    let by_verify = made.iter().filter(told).copied().collect();
    let by_count = made.iter().filter(counted).copied().collect();
    Ok(Planted { made, by_verify, by_count })
}

impl Report {
    fn judge(&mut self) {
        let count = |path: &str| self.verify.pointer(path).and_then(Value::as_u64);
        if self.compared.source < self.least {
            self.wrong.push(format!("the shop released {} orders, {} were wished", self.compared.source, self.least));
        }
        if self.kills < self.wanted_kills.0 {
            self.wrong
                .push(format!("{} of {} kills hit a running sync; raise --orders", self.kills, self.wanted_kills.0));
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
        if self.kills >= CHANCES {
            let never = self.machine.iter().flat_map(|happened| happened.lacking());
            self.wrong.extend(never.map(|what| format!("there was no {what}")));
        }
        self.judge_beside();
        self.judge_papers();
    }

    /// Nothing: what was done about orders, how often a kill hit it, and whether `verify` looked at all of it.
    fn judge_papers(&mut self) {
        self.wrong.extend(self.papers.differences(PAPERS));
        let wanted = self.wanted_kills.1;
        if self.papers_killed < wanted {
            self.wrong.push(format!("{} of {wanted} kills hit papers", self.papers_killed));
        }
        let few = self.work.lacking(1).filter(|what| !GIVEN_BACK.contains(what));
        self.wrong.extend(few.map(|what| format!("the warehouse did nothing of the sort `{what}`")));
        if self.work.count(&GIVEN_BACK) < 2 {
            self.wrong.push("the till gave hardly any money back".to_owned());
        }
        if self.by_hand * 3 > self.papers.credit.source {
            self.wrong.push(format!("{} credits were left to people", self.by_hand));
        }
        let proof = &self.verify["flows"]["papers"];
        if proof["open"].as_u64() != Some(0) {
            self.wrong.push(format!("verify leaves {} papers open: {}", proof["open"], proof["waiting"]));
        }
        let (told, least) = (&proof["compared"], self.papers.sources());
        if told.as_u64().is_none_or(|n| n < least as u64) {
            self.wrong.push(format!("verify compared {told} papers, we {least}"));
        }
    }

    /// Nothing: what people did, and what both sides hold beside orders; `verify` must have looked at as much as we did.
    fn judge_beside(&mut self) {
        let few = self.changes.lacking(OFTEN);
        self.wrong
            .extend(few.map(|what| format!("people changed less than {OFTEN} times something of the sort `{what}`")));
        for held in &self.beside {
            let least = LEAST.iter().find(|(flow, _)| *flow == held.flow).map_or(1, |(_, least)| *least);
            if held.compared < least {
                self.wrong.push(format!("{}: {} held against each other, must be {least}", held.flow, held.compared));
            }
            if held.flow == "people" {
                continue;
            }
            let proof = &self.verify["flows"][held.flow];
            if proof["open"].as_u64() != Some(0) {
                self.wrong.push(format!("verify leaves {} of {} open", proof["open"], held.flow));
            }
            let told = &proof["compared"];
            if told.as_u64().is_none_or(|n| n < held.records.len() as u64) {
                self.wrong.push(format!("verify compared {told} records of {}, we {}", held.flow, held.records.len()));
            }
        }
        let Planted { made, by_verify, by_count } = &self.planted;
        for (who, seen) in [("verify", by_verify), ("our own count", by_count)] {
            let missed = made.iter().filter(|flow| !seen.contains(flow));
            self.wrong.extend(missed.map(|flow| format!("{who} did not see what was changed of {flow} in the shop")));
        }
    }

    fn differences(&self) -> impl Iterator<Item = &String> {
        self.wrong.iter().chain(&self.compared.wrong).chain(self.beside.iter().flat_map(|held| &held.wrong))
    }

    /// True where nothing differs.
    pub fn agrees(&self) -> bool {
        self.differences().next().is_none()
    }

    /// Every difference in a line, and what was left in words; nothing where nothing differs.
    pub fn story(&self) -> String {
        let lines: String = self.differences().flat_map(|line| [line.as_str(), "\n"]).collect();
        if lines.is_empty() { lines } else { lines + &self.failures }
    }

    /// The run in one line.
    pub fn line(&self) -> String {
        let found = &self.compared;
        let head = format!(
            "{} released orders, {} once in the ERP, {} missing, {} duplicate, {} extra, {} lines held against each other; {}; {}, {} credits done by hand; {} changes by people in the ERP, {} of {} planted changes seen; {} kills, {} lost replies, {} lost requests, {} s",
            found.source,
            found.once,
            found.missing,
            found.duplicate,
            found.extra,
            found.lines,
            self.beside
                .iter()
                .map(|held| format!("{} {} of {} differ", held.flow, held.wrong.len(), held.compared))
                .collect::<Vec<_>>()
                .join(", "),
            self.papers.line(),
            self.by_hand,
            self.changes.made.values().sum::<u64>(),
            self.planted.by_verify.len(),
            self.planted.made.len(),
            self.kills,
            self.lost_replies,
            self.lost_requests,
            self.seconds
        );
        let head = self.machine.map_or(head.clone(), |happened| format!("{head}; {}", happened.line()));
        let first: Vec<&str> = self.differences().take(5).map(String::as_str).collect();
        if first.is_empty() { head } else { format!("{head}; {}", first.join("; ")) }
    }

    fn json(&self) -> Value {
        let found = &self.compared;
        let path = |path: Option<&PathBuf>| path.map(|path| path.display().to_string());
        json!({
            "tryton_db": path(self.kept.as_ref().map(|kept| &kept.0)),
            "shop_ledger": path(self.kept.as_ref().map(|kept| &kept.1)),
            "beside": self.beside.iter().map(|held| (held.flow.to_owned(), json!({
                "records": held.records.len(), "compared": held.compared, "wrong": held.wrong.len(),
            }))).collect::<serde_json::Map<_, _>>(),
            "papers": self.papers.json(self.papers_killed, self.papers_held), "work": self.work.made,
            "changes": self.changes.made, "planted": {"made": self.planted.made.len(), "seen": self.planted.by_verify.len()},
            "kills": self.kills, "orders": found.source, "once": found.once, "missing": found.missing,
            "duplicates": found.duplicate, "extra": found.extra, "lines": found.lines, "lost_replies": self.lost_replies,
            "lost_requests": self.lost_requests, "verify": self.verify, "wrong": self.differences().collect::<Vec<_>>(),
            "by_hand": self.by_hand, "seconds": self.seconds, "machine": self.machine.map(Happened::json),
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
