//! What goes wrong and when: drawn from a seed, or walked through choice by choice.

use crate::seed::Seed;
use std::collections::BTreeMap;

/// How often each fault comes, per 1000 chances for it.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Rates {
    pub(super) crash: u64,
    pub(super) stall: u64,
    pub(super) lost_request: u64,
    pub(super) lost_reply: u64,
    pub(super) late: u64,
    pub(super) repeated: u64,
    pub(super) commit_then_error: u64,
    pub(super) error: u64,
    pub(super) busy: u64,
    pub(super) unread: u64,
}

impl Rates {
    /// Faults of one schedule: each is on or off first, then has a rate (swarm testing: Groce et al. 2012).
    pub(super) fn draw(seed: &mut Seed) -> Self {
        let mut one = |most: u64| if seed.chance(500) { seed.between(most / 8 + 1, most) } else { 0 };
        Self {
            crash: one(80),
            stall: one(80),
            lost_request: one(300),
            lost_reply: one(400),
            late: one(400),
            repeated: one(300),
            commit_then_error: one(300),
            error: one(200),
            busy: one(300),
            unread: one(300),
        }
    }
}

/// What becomes of one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    /// Lands after so many milliseconds; the answer comes.
    Fine(u64),
    /// Never lands.
    LostRequest,
    /// Lands; its answer does not come.
    LostReply(u64),
    /// Lands after so many milliseconds, perhaps when nobody waits any more.
    Late(u64),
    /// Lands twice, so many milliseconds apart.
    Repeated(u64, u64),
    /// Lands, and the answer is a server error.
    CommitThenError(u64),
    /// Does not land, and the answer is a server error.
    Error,
    /// Does not land: the system asks for so many seconds of patience.
    Busy(u64),
    /// Lands, the id comes back, and the document cannot be read after.
    Unread(u64),
}

/// A worker that is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Crash {
    /// Until it is back, in milliseconds.
    pub(super) down: u64,
}

/// Where chance comes from.
#[derive(Debug)]
pub(super) enum Chance {
    /// From a seed.
    Drawn {
        /// The row of numbers.
        seed: Seed,
        /// How often what comes.
        rates: Rates,
        /// From when on nothing goes wrong any more, in milliseconds.
        calm_at: u64,
    },
    /// From a list of choices that is worked through.
    Script(Script),
}

/// The weather of one schedule, with a count of what really came.
#[derive(Debug)]
pub(super) struct Weather {
    /// Where chance comes from.
    pub(super) chance: Chance,
    /// Latest landing after the send, in milliseconds.
    pub(super) latest: u64,
    /// A stall that outlasts every lease, in milliseconds.
    pub(super) stall: u64,
    /// Whether a proxy may repeat requests.
    pub(super) repeats: bool,
    /// Whether our side may be down, or the system ask for patience, for a day.
    pub(super) nights: bool,
    /// What really came, by sort.
    pub(super) faults: BTreeMap<&'static str, u64>,
}

impl Weather {
    fn count(&mut self, fault: &'static str) {
        *self.faults.entry(fault).or_default() += 1;
    }

    /// Milliseconds between two steps of a worker.
    pub(super) fn gap(&mut self) -> u64 {
        match &mut self.chance {
            Chance::Drawn { seed, .. } => seed.between(1, 60),
            Chance::Script(_) => 10,
        }
    }

    /// Whether the worker about to make a step dies first.
    pub(super) fn crash(&mut self, now: u64, attempts: u32) -> Option<Crash> {
        let nights = self.nights;
        let found = match &mut self.chance {
            Chance::Drawn { seed, rates, calm_at } => {
                let dies = now < *calm_at && seed.chance(rates.crash);
                dies.then(|| {
                    // Mostly a restart, at times a night.
                    let most = if nights && seed.chance(50) { 100_000_000 } else { 20_000 };
                    Crash { down: seed.between(100, most) }
                })
            }
            Chance::Script(script) => script.crash(attempts),
        };
        if found.is_some() {
            self.count("crashes");
        }
        found
    }

    /// How long the worker about to make a step is held up, where it is.
    pub(super) fn stall(&mut self, now: u64, attempts: u32) -> Option<u64> {
        let longest = self.stall;
        let found = match &mut self.chance {
            Chance::Drawn { seed, rates, calm_at } => {
                let held = now < *calm_at && seed.chance(rates.stall);
                held.then(|| {
                    // Half of them end before the deadline of what was noted.
                    let most = if seed.chance(500) { 20_000 } else { longest };
                    seed.between(1000, most)
                })
            }
            Chance::Script(script) => script.stall(attempts, longest),
        };
        if found.is_some() {
            self.count("stalls");
        }
        found
    }

    /// What becomes of a request that changes something.
    pub(super) fn write(&mut self, now: u64, attempts: u32, learns: bool) -> Fate {
        let may = May { latest: self.latest, repeats: self.repeats, nights: self.nights, learns };
        let fate = match &mut self.chance {
            Chance::Drawn { seed, rates, calm_at } if now < *calm_at => drawn(seed, *rates, may),
            Chance::Drawn { seed, .. } => Fate::Fine(seed.between(5, 400)),
            Chance::Script(script) => script.write(attempts, may.latest),
        };
        self.tally(fate);
        fate
    }

    /// What becomes of a request that only reads.
    pub(super) fn read(&mut self, now: u64) -> Fate {
        let fate = match &mut self.chance {
            Chance::Drawn { seed, rates, calm_at } if now < *calm_at => {
                if seed.chance(rates.lost_request / 2) {
                    Fate::LostRequest
                } else if seed.chance(rates.error / 2) {
                    Fate::Error
                } else if seed.chance(rates.late / 2) {
                    Fate::Late(seed.between(400, 20_000))
                } else {
                    Fate::Fine(seed.between(5, 400))
                }
            }
            Chance::Drawn { seed, .. } => Fate::Fine(seed.between(5, 400)),
            Chance::Script(_) => Fate::Fine(100),
        };
        if !matches!(fate, Fate::Fine(_)) {
            self.count("troubled_reads");
        }
        fate
    }

    fn tally(&mut self, fate: Fate) {
        let fault = match fate {
            Fate::Fine(_) => return,
            Fate::LostRequest => "lost_requests",
            Fate::LostReply(_) => "lost_replies",
            Fate::Late(_) => "late",
            Fate::Repeated(..) => "repeated",
            Fate::CommitThenError(_) => "commit_then_error",
            Fate::Error => "errors",
            Fate::Busy(_) => "busy",
            Fate::Unread(_) => "unread",
        };
        self.count(fault);
    }

    /// Counts a commit refused to a worker that was held up past its lease.
    pub(super) fn fenced(&mut self) {
        self.count("zombies");
    }
}

/// What may become of a write at all.
#[derive(Debug, Clone, Copy)]
struct May {
    latest: u64,
    repeats: bool,
    nights: bool,
    learns: bool,
}

fn drawn(seed: &mut Seed, rates: Rates, may: May) -> Fate {
    let latest = may.latest;
    let soon = seed.between(5, 400).min(latest);
    if seed.chance(rates.lost_request) {
        Fate::LostRequest
    } else if seed.chance(rates.lost_reply) {
        Fate::LostReply(soon)
    } else if seed.chance(rates.late) {
        Fate::Late(seed.between(soon, latest))
    } else if may.repeats && seed.chance(rates.repeated) {
        Fate::Repeated(soon, seed.between(1, latest - soon))
    } else if seed.chance(rates.commit_then_error) {
        Fate::CommitThenError(soon)
    } else if seed.chance(rates.error) {
        Fate::Error
    } else if seed.chance(rates.busy) {
        let long = may.nights && seed.chance(100);
        Fate::Busy(if long { seed.between(60, 90_000) } else { seed.between(1, 60) })
    } else if may.learns && seed.chance(rates.unread) {
        Fate::Unread(soon)
    } else {
        Fate::Fine(soon)
    }
}

/// A stall that outlasts the lease of a small case and ends short of the deadline of what was noted, in milliseconds.
const SHORT_STALL: u64 = 19_900;

/// How many of each fault a walk through all choices may hold.
#[derive(Debug, Clone, Copy)]
pub(super) struct Budget {
    pub(super) crashes: u32,
    pub(super) stalls: u32,
    pub(super) lost_requests: u32,
    pub(super) lost_replies: u32,
    pub(super) late: u32,
    /// No fault comes once so many attempts are noted.
    pub(super) attempts: u32,
}

/// A path through the tree of choices: the choices made, each with how many there were.
#[derive(Debug)]
pub(super) struct Script {
    path: Vec<(u32, u32)>,
    at: usize,
    left: Budget,
}

impl Script {
    /// The first path.
    pub(super) fn first(budget: Budget) -> Self {
        Self { path: Vec::new(), at: 0, left: budget }
    }

    /// The next path; none after the last.
    pub(super) fn next(mut self, budget: Budget) -> Option<Self> {
        self.path.truncate(self.at);
        while let Some((chosen, of)) = self.path.pop() {
            if chosen + 1 < of {
                self.path.push((chosen + 1, of));
                return Some(Self { path: self.path, at: 0, left: budget });
            }
        }
        None
    }

    /// This path once more.
    pub(super) fn replay(&self, budget: Budget) -> Self {
        Self { path: self.path.clone(), at: 0, left: budget }
    }

    /// How many choices this path has met.
    pub(super) fn met(&self) -> usize {
        self.at
    }

    fn choose(&mut self, of: u32) -> u32 {
        if self.at == self.path.len() {
            self.path.push((0, of));
        }
        let chosen = self.path.get(self.at).map_or(0, |(chosen, _)| *chosen);
        self.at += 1;
        chosen
    }

    fn crash(&mut self, attempts: u32) -> Option<Crash> {
        if self.left.crashes == 0 || attempts >= self.left.attempts || self.choose(2) == 0 {
            return None;
        }
        self.left.crashes -= 1;
        Some(Crash { down: 500 })
    }

    fn stall(&mut self, attempts: u32, longest: u64) -> Option<u64> {
        if self.left.stalls == 0 || attempts >= self.left.attempts {
            return None;
        }
        let found = match self.choose(3) {
            0 => return None,
            1 => SHORT_STALL,
            _ => longest,
        };
        self.left.stalls -= 1;
        Some(found)
    }

    fn write(&mut self, attempts: u32, latest: u64) -> Fate {
        let open = attempts < self.left.attempts;
        let mut fates = vec![Fate::Fine(100)];
        if open && self.left.lost_replies > 0 {
            fates.push(Fate::LostReply(100));
        }
        if open && self.left.lost_requests > 0 {
            fates.push(Fate::LostRequest);
        }
        if open && self.left.late > 0 {
            fates.extend([Fate::Late(latest / 2), Fate::Late(latest)]);
        }
        let chosen = self.choose(u32::try_from(fates.len()).unwrap_or(1));
        let fate = fates.get(chosen as usize).copied().unwrap_or(Fate::Fine(100));
        match fate {
            Fate::LostReply(_) => self.left.lost_replies -= 1,
            Fate::LostRequest => self.left.lost_requests -= 1,
            Fate::Late(_) => self.left.late -= 1,
            _ => {}
        }
        fate
    }
}
