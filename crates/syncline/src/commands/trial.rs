//! `sim --seeds`: the simulation everybody can rerun: schedules with faults, by seed, and the planted bugs it has to find.

use crate::clock;
use crate::failure::{Exit, Failure};
use crate::out::Out;
use clap::ValueEnum;
use serde::Serialize;
use serde_json::json;
use std::collections::BTreeMap;
use syncline_trial::{ring1, ring2};

/// Which ring to run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Ring {
    /// The delivery protocol and the merge alone: millions of schedules a minute
    Core,
    /// The real engine, connectors and SQL over simulated systems
    Engine,
    /// The same in calm weather, five minutes behind buyers who want the same few things
    Market,
    /// Orders of any amounts through both connectors, fifty a schedule, counted to the cent
    Money,
}

impl Ring {
    /// What the ring over simulated systems plays for it.
    fn play(self) -> ring2::Play {
        match self {
            Self::Market => ring2::Play::Market,
            Self::Money => ring2::Play::Money,
            Self::Core | Self::Engine => ring2::Play::Chaos,
        }
    }
}

/// What to run.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Trial {
    /// How many schedules
    #[arg(long)]
    seeds: Option<u64>,
    /// The first seed
    #[arg(long, default_value_t = 0, value_name = "FIRST")]
    seed: u64,
    /// Which ring
    #[arg(long)]
    ring: Option<Ring>,
    /// Plant a bug (its slug), or `all` in turn: each has to be found
    #[arg(long, value_name = "SLUG")]
    plant: Option<String>,
    /// Print the events of the one schedule `--seed` names
    #[arg(long)]
    trace: bool,
    /// Make the one schedule `--seed` names short: leave out one thing after the other while the same rule breaks
    #[arg(long, conflicts_with = "trace")]
    shrink: bool,
    /// Play every schedule of the ring `engine` whole; most are made small otherwise, so that more of them are tried
    #[arg(long)]
    whole: bool,
    /// Threads that share the work; the result does not depend on it
    #[arg(long, default_value_t = 2)]
    threads: usize,
}

#[derive(Debug, Clone, Serialize)]
struct Broken {
    seed: u64,
    invariant: String,
    detail: String,
}

#[derive(Debug, Serialize)]
struct Planted {
    bug: &'static str,
    ring: Ring,
    found: bool,
    /// Schedules it took.
    seeds: u64,
    /// Schedules within which it has to be found.
    within: u64,
    invariant: Option<String>,
}

#[derive(Debug, Default, Serialize)]
struct Told {
    ring: Option<Ring>,
    schedules: u64,
    violations: Vec<Broken>,
    faults: BTreeMap<&'static str, u64>,
    trace_hash: String,
    per_minute: u64,
    planted: Vec<Planted>,
}

impl Trial {
    /// Whether anything of it was asked for.
    pub(crate) fn is_asked(&self) -> bool {
        self.seeds.is_some() || self.ring.is_some() || self.plant.is_some() || self.trace || self.shrink
    }

    /// Runs it; exits 0 where nothing was broken and every planted bug was found.
    pub(crate) fn carry_out(&self, out: Out) -> Result<Exit, Failure> {
        if self.trace {
            return Ok(self.tell_one(out));
        }
        if self.shrink {
            return self.tell_short(out);
        }
        let told = match &self.plant {
            Some(slug) => self.plant(slug, out)?,
            None => self.plain(out),
        };
        let fine = told.violations.is_empty() && told.planted.iter().all(|planted| planted.found);
        if out.json {
            out.data(&told);
        } else {
            show(&told, out);
        }
        Ok(if fine { Exit::Agreed } else { Exit::Failed })
    }

    fn plain(&self, out: Out) -> Told {
        let ring = self.ring.unwrap_or(Ring::Engine);
        let seeds = self.seeds.unwrap_or(if ring == Ring::Core { 200_000 } else { 300 });
        let started = clock::now();
        let mut told = self.run(ring, seeds, None, false, out);
        let elapsed_ms = clock::now().duration_since(started).as_millis().max(1);
        told.per_minute = told.schedules.saturating_mul(60_000) / u64::try_from(elapsed_ms).unwrap_or(1);
        told
    }

    fn run(&self, ring: Ring, seeds: u64, plant: Option<&'static str>, stop: bool, out: Out) -> Told {
        let (first, threads) = (self.seed, self.threads.clamp(1, 64));
        match ring {
            Ring::Core => {
                let plant = plant.and_then(ring1::Plant::named);
                let options = ring1::Options { seeds, first, plant, stop_at_first: stop, traces: false, threads };
                let report = ring1::run(options);
                let broken =
                    |v: ring1::Violation| Broken { seed: v.seed, invariant: v.invariant.into(), detail: String::new() };
                Told {
                    ring: Some(ring),
                    schedules: report.schedules,
                    violations: report.violations.into_iter().map(broken).collect(),
                    faults: report.faults,
                    trace_hash: report.trace_hash,
                    ..Told::default()
                }
            }
            Ring::Engine | Ring::Market | Ring::Money => {
                let play = ring.play();
                let whole = self.whole;
                let options = ring2::Options { seeds, first, play, plant, stop_at_first: stop, threads, whole };
                let mut told = 0;
                let report = ring2::run(&options, |so_far| {
                    if plant.is_some() {
                        return;
                    }
                    for broken in so_far.violations.iter().skip(told) {
                        out.say(format!("seed {}: {} {}", broken.seed, broken.invariant, broken.detail));
                    }
                    told = so_far.violations.len();
                    if so_far.schedules % 256 < 16 {
                        out.say(format!("{} of {seeds} schedules", so_far.schedules));
                    }
                });
                let broken =
                    |v: ring2::Violation| Broken { seed: v.seed, invariant: v.invariant.into(), detail: v.detail };
                Told {
                    ring: Some(ring),
                    schedules: report.schedules,
                    violations: report.violations.into_iter().map(broken).collect(),
                    faults: report.faults,
                    trace_hash: report.trace_hash,
                    ..Told::default()
                }
            }
        }
    }

    fn plant(&self, slug: &str, out: Out) -> Result<Told, Failure> {
        let asked: Vec<(Ring, &'static str, u64)> = bugs()
            .filter(|(ring, bug, _)| (slug == "all" || slug == *bug) && self.ring.is_none_or(|wanted| wanted == *ring))
            .collect();
        if asked.is_empty() {
            let known: Vec<&str> = bugs().map(|(_, bug, _)| bug).collect();
            let remedy = format!("one of {}, or `all`", known.join(", "));
            return Err(Failure::new("SYN-0434", format!("no bug is called `{slug}`"), remedy));
        }
        let mut told = Told { ring: self.ring, ..Told::default() };
        for (ring, bug, within) in asked {
            let run = self.run(ring, self.seeds.unwrap_or(within), Some(bug), true, out);
            told.schedules += run.schedules;
            // A rule that is not there for it may be broken by accident, or by a defect of ours: that is no find.
            let caught = |v: &Broken| {
                ring == Ring::Core || ring2::Planted::named(bug).is_some_and(|bug| bug.is_caught_by(&v.invariant))
            };
            let first = run.violations.iter().find(|v| caught(v)).or(run.violations.first()).cloned();
            told.planted.push(Planted {
                bug,
                ring,
                found: first.as_ref().is_some_and(caught),
                seeds: first.as_ref().map_or(run.schedules, |v| v.seed.saturating_sub(self.seed) + 1),
                within,
                invariant: first.map(|v| v.invariant),
            });
            out.say(format!(
                "planted {bug}: {}",
                if told.planted.last().is_some_and(|p| p.found) { "found" } else { "NOT FOUND" }
            ));
        }
        Ok(told)
    }

    fn tell_one(&self, out: Out) -> Exit {
        let plant = self.plant.as_deref();
        let (lines, broken) = match self.ring.unwrap_or(Ring::Engine) {
            Ring::Core => {
                let lines = ring1::trace(self.seed, plant.and_then(ring1::Plant::named));
                let broken = lines.iter().any(|line| line.contains("BROKEN"));
                (lines, broken)
            }
            ring @ (Ring::Engine | Ring::Market | Ring::Money) => {
                let plant = plant.and_then(ring2::Planted::named).map(|bug| bug.slug);
                // A schedule has a runtime of its own, so it needs a thread of its own.
                let (seed, cut) = (self.seed, self.sized(plant));
                let run = std::thread::spawn(move || match ring {
                    Ring::Market => ring2::market(seed, plant, true),
                    Ring::Money => ring2::money(seed, plant),
                    _ => ring2::cut_down(seed, plant, true, &cut),
                })
                .join();
                let outcome = run.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
                (outcome.lines, !outcome.violations.is_empty())
            }
        };
        for line in lines {
            out.line(line);
        }
        if broken { Exit::Failed } else { Exit::Agreed }
    }
}

impl Trial {
    /// What the schedule of `--seed` goes without.
    fn sized(&self, plant: Option<&'static str>) -> ring2::Cut {
        ring2::Cut::sized(self.seed, plant, self.whole)
    }

    /// Tells the schedule of `--seed` in short.
    fn tell_short(&self, out: Out) -> Result<Exit, Failure> {
        if self.ring.is_some_and(|ring| ring != Ring::Engine) {
            return Err(Failure::usage("only schedules of the ring `engine` are made short", "leave --ring out"));
        }
        let plant = self.plant.as_deref().map(|slug| {
            let known = ring2::Planted::named(slug).filter(|bug| bug.play == ring2::Play::Chaos);
            known.map(|bug| bug.slug).ok_or_else(|| {
                Failure::new(
                    "SYN-0434",
                    format!("no bug of the ring `engine` is called `{slug}`"),
                    "see `sim --plant all`",
                )
            })
        });
        let (seed, plant) = (self.seed, plant.transpose()?);
        let cut = self.sized(plant);
        let short = std::thread::spawn(move || ring2::shrink(seed, plant, cut, |line| out.say(line))).join();
        let short = short.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        let Some(short) = short else {
            out.line(format!("seed {seed} breaks no rule"));
            return Ok(Exit::Agreed);
        };
        let left: Vec<&str> =
            ring2::PARTS.into_iter().filter(|part| short.cut.keeps(*part)).map(ring2::Part::word).collect();
        if out.json {
            out.data(&json!({
                "seed": seed, "invariant": short.broken.invariant, "detail": short.broken.detail, "left": left,
                "orders": short.cut.orders, "seconds": short.cut.seconds, "draw": short.cut.draw, "tries": short.tries,
                "events": short.lines,
            }));
        } else {
            for line in &short.lines {
                out.line(line);
            }
            let all = |what: Option<String>| what.unwrap_or_else(|| "all".to_string());
            out.line(format!("seed {seed}: {} {}", short.broken.invariant, short.broken.detail));
            out.line(format!(
                "it takes: {}; orders: {}; seconds of chaos: {}; draw {}, found in {} schedules",
                if left.is_empty() { "nothing".to_string() } else { left.join(", ") },
                all(short.cut.orders.map(|n| n.to_string())),
                all(short.cut.seconds.map(|n| n.to_string())),
                short.cut.draw,
                short.tries
            ));
        }
        Ok(Exit::Failed)
    }
}

/// Every planted bug with its ring and the schedules within which it has to be found.
fn bugs() -> impl Iterator<Item = (Ring, &'static str, u64)> {
    let of = |play: ring2::Play| match play {
        ring2::Play::Market => Ring::Market,
        ring2::Play::Money => Ring::Money,
        ring2::Play::Chaos => Ring::Engine,
    };
    let engine = ring2::PLANTS.into_iter().map(move |bug| (of(bug.play), bug.slug, bug.within));
    let within = |bug: &str| ring1::Plant::named(bug).map_or(0, ring1::Plant::found_within);
    engine.chain(ring1::PLANTS.into_iter().map(move |bug| (Ring::Core, bug, within(bug))))
}

fn show(told: &Told, out: Out) {
    for broken in told.violations.iter().take(50) {
        out.line(format!("seed {}: {} {}", broken.seed, broken.invariant, broken.detail));
    }
    for planted in &told.planted {
        let how = match &planted.invariant {
            Some(invariant) if planted.found => format!("found after {} schedules by `{invariant}`", planted.seeds),
            Some(other) => format!("NOT FOUND: `{other}` was broken first, after {} schedules", planted.seeds),
            None => format!("NOT FOUND in {} schedules", planted.seeds),
        };
        out.line(format!("{}: {how}", planted.bug));
    }
    if told.planted.is_empty() {
        let faults: Vec<String> = told.faults.iter().map(|(kind, count)| format!("{kind} {count}")).collect();
        out.line(format!(
            "{} schedules, {} violations, {} a minute, trace {}; faults: {}",
            told.schedules,
            told.violations.len(),
            told.per_minute,
            told.trace_hash,
            faults.join(", ")
        ));
    }
}
