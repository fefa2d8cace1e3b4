//! One schedule: orders, a network, workers that die and stall, and what must hold at every moment.

use super::millis;
use super::remote::{Ask, Remote, Said, Stage};
use super::store::{Ending, Lane, Refused, State, Store};
use super::trace::Trace;
use super::weather::{Fate, Weather};
use super::words;
use super::worker::{Asked, Heard, Here, Next, Question, decide, hear, number};
use std::cmp::{Ordering, Reverse};
use std::collections::{BTreeSet, BinaryHeap};
use syncline_core::delivery::{Delivery, Permit, advance};
use syncline_core::id::{Mark, RemoteId, SystemUid};
use syncline_core::kind::{Kind, Step};
use syncline_core::mark::{Origin, mark};
use syncline_core::profile::Guard;

/// Steps after which a schedule is taken for one that never rests.
const MOST_STEPS: u32 = 20_000;

/// The numbers one schedule runs by; times in milliseconds.
#[derive(Debug, Clone)]
pub(super) struct Numbers {
    /// What the target really offers.
    pub(super) guard: Guard,
    /// Whether documents are released by a second step.
    pub(super) drafts: bool,
    /// When each order is placed.
    pub(super) placed: Vec<u64>,
    /// Workers side by side.
    pub(super) workers: usize,
    /// Whether each worker is a process of its own.
    pub(super) apart: bool,
    /// How long a lane is kept from others.
    pub(super) lease: u64,
    /// Within what a noted request has to leave.
    pub(super) leave: u64,
    /// How long an answer is waited for.
    pub(super) timeout: u64,
    /// From when on nothing goes wrong any more.
    pub(super) calm_at: u64,
    /// The longest a request may still land after it was sent.
    pub(super) latest: u64,
}

#[derive(Debug)]
enum Event {
    Placed(usize),
    Step { worker: usize, life: u64 },
    Death { worker: usize, life: u64, down: u64 },
    Boot { worker: Option<usize> },
    Land { worker: usize, serial: u64, ask: Ask, answer: Answer },
    Reply { worker: usize, serial: u64, heard: Heard },
}

/// What comes back of a request that lands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Answer {
    Comes,
    Never,
    ServerError,
    IdOnly,
}

#[derive(Debug)]
struct Due {
    at: u64,
    serial: u64,
    event: Event,
}

impl PartialEq for Due {
    fn eq(&self, other: &Self) -> bool {
        self.serial == other.serial
    }
}
impl Eq for Due {}
impl PartialOrd for Due {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Due {
    fn cmp(&self, other: &Self) -> Ordering {
        (self.at, self.serial).cmp(&(other.at, other.serial))
    }
}

/// A worker: everything it loses in a crash.
#[derive(Debug)]
struct Worker {
    /// Counts its lives; a step of an earlier one is void.
    life: u64,
    next: Next,
    asked: Option<(u64, Asked)>,
    lane: usize,
    epoch: u64,
    /// Which claim it works under, by the world's own count.
    claim: u64,
    attempts: u32,
    moves: u32,
    parked: bool,
    stalled: bool,
}

/// One schedule under way.
#[derive(Debug)]
pub(super) struct World {
    numbers: Numbers,
    now: u64,
    serial: u64,
    due: BinaryHeap<Reverse<Due>>,
    store: Store,
    remote: Remote,
    workers: Vec<Worker>,
    marks: Vec<Mark>,
    /// Who has each lane, by the world's own count of claims.
    holders: Vec<u64>,
    claims: u64,
    sent: BTreeSet<(u64, u32)>,
    /// When the last effect of a fault is over.
    quiet: u64,
    pub(super) weather: Weather,
    pub(super) trace: Trace,
    pub(super) broken: Option<&'static str>,
}

impl World {
    /// A schedule that runs by `numbers` in `weather`.
    pub(super) fn new(numbers: Numbers, weather: Weather, trace: Trace) -> Self {
        let worker = || Worker {
            life: 0,
            next: Next::Claim,
            asked: None,
            lane: 0,
            epoch: 0,
            claim: 0,
            attempts: 0,
            moves: 0,
            parked: true,
            stalled: false,
        };
        let mut world = Self {
            now: 0,
            serial: 0,
            due: BinaryHeap::new(),
            store: Store::default(),
            remote: Remote::new(numbers.guard.clone(), numbers.drafts),
            workers: (0..numbers.workers).map(|_| worker()).collect(),
            marks: (0..numbers.placed.len()).map(mark_of).collect(),
            holders: vec![0; numbers.placed.len()],
            claims: 0,
            sent: BTreeSet::new(),
            quiet: numbers.calm_at,
            weather,
            trace,
            broken: None,
            numbers,
        };
        for (order, at) in world.numbers.placed.clone().into_iter().enumerate() {
            world.store.add();
            world.later(at, Event::Placed(order));
        }
        world
    }

    /// Runs to rest and looks at what is there; `guard` is what our side believes the target offers.
    pub(super) fn run(&mut self, guard: &Guard) {
        let mut steps = 0;
        while let Some(Reverse(due)) = self.due.pop() {
            self.now = due.at;
            self.happen(due.event, guard);
            steps += 1;
            if steps > MOST_STEPS {
                self.violated("rest: work never ends");
            }
            if self.broken.is_some() {
                return;
            }
        }
        self.at_rest();
    }

    fn later(&mut self, at: u64, event: Event) {
        self.serial += 1;
        self.due.push(Reverse(Due { at, serial: self.serial, event }));
    }

    fn violated(&mut self, what: &'static str) {
        if self.broken.is_none() {
            self.trace.tell(self.now, what, [0; 3]);
            self.broken = Some(what);
        }
    }

    fn happen(&mut self, event: Event, guard: &Guard) {
        match event {
            Event::Placed(order) => {
                self.trace.tell(self.now, "order #0 is placed", [order as u64, 0, 0]);
                if let Some(lane) = self.store.lanes.get_mut(order) {
                    lane.state = State::Ready(self.now);
                }
                self.wake();
            }
            Event::Boot { worker } => {
                self.trace.tell(self.now, "boots", [0; 3]);
                if worker.is_none() {
                    self.store.recover(self.now);
                }
                for n in 0..self.workers.len() {
                    if worker.is_none_or(|one| one == n) {
                        self.set(n, Next::Claim);
                    }
                }
            }
            Event::Death { worker, life, down } => {
                if self.workers.get(worker).is_some_and(|one| one.life == life) {
                    self.crash(worker, down);
                }
            }
            Event::Land { worker, serial, ask, answer } => self.land(worker, serial, ask, answer),
            Event::Reply { worker, serial, heard } => self.reply(worker, serial, heard),
            Event::Step { worker, life } => {
                if self.workers.get(worker).is_some_and(|one| one.life == life && !one.parked) {
                    self.step(worker, guard);
                }
            }
        }
    }

    fn wake(&mut self) {
        for n in 0..self.workers.len() {
            if self.workers.get(n).is_some_and(|worker| worker.parked && matches!(worker.next, Next::Claim)) {
                self.set(n, Next::Claim);
            }
        }
    }

    /// Gives a worker its next step, a little later.
    fn set(&mut self, n: usize, next: Next) {
        let at = self.now + self.weather.gap();
        let Some(worker) = self.workers.get_mut(n) else { return };
        worker.next = next;
        worker.parked = false;
        let life = worker.life;
        self.later(at, Event::Step { worker: n, life });
    }

    /// How many attempts are noted for what a worker has in hand.
    fn attempts(&self, n: usize) -> u32 {
        let lane = self.workers.get(n).and_then(|worker| self.store.lanes.get(worker.lane));
        lane.map_or(0, |lane| lane.attempt)
    }

    fn step(&mut self, n: usize, guard: &Guard) {
        let (idle, rested) = match self.workers.get(n) {
            Some(worker) => (matches!(worker.next, Next::Claim), worker.stalled),
            None => return,
        };
        if !idle && !rested {
            let attempts = self.attempts(n);
            if let Some(crash) = self.weather.crash(self.now, attempts) {
                return self.crash(n, crash.down);
            }
            if let Some(stall) = self.weather.stall(self.now, attempts) {
                return self.stall(n, stall);
            }
        }
        let Some(worker) = self.workers.get_mut(n) else { return };
        worker.stalled = false;
        let next = std::mem::replace(&mut worker.next, Next::Wait);
        match next {
            Next::Claim => self.claim(n),
            Next::Load => self.load(n),
            Next::Note(delivery) => self.note(n, delivery),
            Next::Send(permit, delivery) => self.send(n, &permit, delivery),
            Next::Ask(question) => self.ask(n, question),
            Next::Wait => {}
            other => self.commit(n, other, guard),
        }
    }

    fn crash(&mut self, n: usize, down: u64) {
        self.trace.tell(self.now, "worker #0 dies, back in #1 ms", [n as u64, down, 0]);
        let alone = self.numbers.apart;
        for (m, worker) in self.workers.iter_mut().enumerate() {
            if !alone || m == n {
                worker.life += 1;
                worker.next = Next::Wait;
                worker.asked = None;
                worker.stalled = false;
                worker.parked = true;
            }
        }
        let at = self.now + down;
        self.quiet = self.quiet.max(at);
        self.later(at, Event::Boot { worker: alone.then_some(n) });
    }

    fn stall(&mut self, n: usize, stall: u64) {
        self.trace.tell(self.now, "worker #0 stalls for #1 ms", [n as u64, stall, 0]);
        let at = self.now + stall;
        self.quiet = self.quiet.max(at);
        let Some(worker) = self.workers.get_mut(n) else { return };
        worker.stalled = true;
        let life = worker.life;
        self.later(at, Event::Step { worker: n, life });
    }

    fn claim(&mut self, n: usize) {
        match self.store.claim(self.now, self.numbers.lease) {
            Some((lane, epoch, attempts)) => {
                self.trace.tell(self.now, "worker #0 has order #1 under epoch #2", [n as u64, lane as u64, epoch]);
                self.claims += 1;
                if let Some(holder) = self.holders.get_mut(lane) {
                    *holder = self.claims;
                }
                let claims = self.claims;
                if let Some(worker) = self.workers.get_mut(n) {
                    (worker.lane, worker.epoch, worker.attempts) = (lane, epoch, attempts);
                    (worker.claim, worker.moves) = (claims, 0);
                }
                self.set(n, Next::Load);
            }
            None => {
                let at = self.store.next_ready();
                let Some(worker) = self.workers.get_mut(n) else { return };
                worker.next = Next::Claim;
                worker.parked = at.is_none();
                let life = worker.life;
                if let Some(at) = at {
                    let at = at.max(self.now) + self.weather.gap();
                    self.later(at, Event::Step { worker: n, life });
                }
            }
        }
    }

    fn load(&mut self, n: usize) {
        let Some(worker) = self.workers.get_mut(n) else { return };
        worker.moves += 1;
        let (lane, moves, attempts) = (worker.lane, worker.moves, worker.attempts);
        let Some(next) = self.here(lane, attempts, |row, here| decide(row, moves, here)) else { return };
        self.set(n, next);
    }

    fn here<T>(&self, lane: usize, attempts: u32, ask: impl FnOnce(&Lane, Here<'_>) -> T) -> Option<T> {
        let (row, mark) = (self.store.lanes.get(lane)?, self.marks.get(lane)?);
        let here = Here { now: self.now, attempts, mark, leave: self.numbers.leave };
        Some(ask(row, here))
    }

    /// A commit that was made: nobody else may have the lane. One that was refused as stale: the lane is another's.
    fn committed(&mut self, n: usize, result: Result<(), Refused>, then: Next) {
        let Some((claim, lane)) = self.workers.get(n).map(|worker| (worker.claim, worker.lane)) else { return };
        match result {
            Ok(()) => {
                if self.holders.get(lane) != Some(&claim) {
                    self.violated("fence: a worker that lost its lane made a commit");
                }
                self.set(n, then);
            }
            Err(Refused::Stale) => {
                self.trace.tell(self.now, "worker #0 is refused: order #1 is another's", [n as u64, lane as u64, 0]);
                if self.holders.get(lane) != Some(&claim) {
                    self.weather.fenced();
                }
                self.set(n, Next::Claim);
            }
            Err(Refused::Taken) => self.set(n, Next::Give(State::Held)),
        }
    }

    fn commit(&mut self, n: usize, next: Next, guard: &Guard) {
        let Some((lane, epoch)) = self.workers.get(n).map(|worker| (worker.lane, worker.epoch)) else { return };
        let (now, who) = (self.now, n as u64);
        let after = |give: Option<State>| give.map_or(Next::Load, Next::Give);
        match next {
            Next::Plan(change, revision) => {
                let guard = if change.step == Step::Create { guard.clone() } else { Guard::None };
                self.trace.tell(now, words::step(&change.step), [who, lane as u64, 0]);
                let result = self.store.commit_plan(lane, epoch, revision, *change, guard);
                self.committed(n, result, Next::Load);
            }
            Next::Doubt(delivery, news, give) => {
                self.trace.tell(now, words::news(&news), [who, delivery.0, 0]);
                let result = self.store.doubt(lane, epoch, delivery, news);
                self.committed(n, result, after(give));
            }
            Next::TakeIn(delivery, shown) => {
                self.trace.tell(now, "worker #0 takes in what document #1 shows", [who, shown.id, 0]);
                self.store.accept(lane, shown.stage, now);
                self.wake();
                self.set(n, Next::Settle(delivery, Ending::Superseded, None));
            }
            Next::Settle(delivery, ending, give) => {
                self.trace.tell(now, "worker #0 ends delivery #1 of order #2", [who, delivery.0, lane as u64]);
                let result = self.store.settle(lane, epoch, delivery, ending);
                self.committed(n, result, after(give));
            }
            Next::Give(state) => {
                self.trace.tell(now, words::state(state), [who, lane as u64, 0]);
                let result = self.store.release(lane, epoch, state, now);
                self.committed(n, result, Next::Claim);
                self.wake();
            }
            _ => {}
        }
    }

    fn note(&mut self, n: usize, delivery: Box<Delivery>) {
        let Some((lane, epoch)) = self.workers.get(n).map(|worker| (worker.lane, worker.epoch)) else { return };
        let deadline = self.now + self.numbers.leave;
        match self.store.note_sending(lane, epoch, delivery.id, deadline) {
            Ok(noted) => {
                let change = delivery.change.clone();
                let permit = Box::new(advance(noted, change));
                let attempt = u64::from(permit.note().attempt);
                self.trace.tell(
                    self.now,
                    "worker #0 notes delivery #1, attempt #2",
                    [n as u64, delivery.id.0, attempt],
                );
                self.committed(n, Ok(()), Next::Send(permit, delivery));
            }
            Err(refused) => self.committed(n, Err(refused), Next::Claim),
        }
    }

    fn send(&mut self, n: usize, permit: &Permit, delivery: Box<Delivery>) {
        if self.now > millis(permit.deadline()) {
            self.trace.tell(self.now, "worker #0 lets its deadline pass: delivery #1", [n as u64, delivery.id.0, 0]);
            return self.heard(n, Asked::Write(delivery), Heard::TooLate);
        }
        let note = permit.note();
        if !self.store.notes.contains(&note) {
            self.violated("note: a request without an older note");
        }
        if !self.sent.insert((note.delivery.0, note.attempt)) {
            self.violated("note: sent twice");
        }
        let Some(order) = self.marks.iter().position(|mark| *mark == permit.change().mark) else { return };
        let document = permit.change().document.as_ref().map_or(0, number);
        let ask = match permit.change().step {
            Step::Create => Ask::Create(order),
            Step::Delete => Ask::Delete(document),
            _ => Ask::Release(document),
        };
        let fate = self.weather.write(self.now, note.attempt, permit.change().step == Step::Create);
        self.trace.tell(self.now, words::fate(fate), [n as u64, note.delivery.0, u64::from(note.attempt)]);
        if let Some(crash) = self.weather.crash(self.now, note.attempt) {
            let life = self.workers.get(n).map_or(0, |worker| worker.life);
            let at = self.now + self.weather.gap();
            self.later(at, Event::Death { worker: n, life, down: crash.down });
        }
        self.fly(n, ask, fate, Asked::Write(delivery));
    }

    fn ask(&mut self, n: usize, question: Question) {
        let fate = self.weather.read(self.now);
        let lane = self.workers.get(n).map_or(0, |worker| worker.lane);
        let ask = match &question {
            Question::Search(_) | Question::Sweep(..) => Ask::Find(lane),
            Question::Adopt(_, id) | Question::Reread(_, id) => Ask::Read(*id),
        };
        self.trace.tell(self.now, "worker #0 asks about order #1", [n as u64, lane as u64, 0]);
        self.fly(n, ask, fate, Asked::Question(question));
    }

    /// Lets a request leave: it belongs to the network from now on, whatever becomes of the worker.
    fn fly(&mut self, n: usize, ask: Ask, fate: Fate, asked: Asked) {
        self.serial += 1;
        let (serial, now) = (self.serial, self.now);
        let land = |after: u64, answer| (now + after, Event::Land { worker: n, serial, ask, answer });
        let reply = |heard| (now + 50, Event::Reply { worker: n, serial, heard });
        let (first, second) = match fate {
            Fate::Fine(after) | Fate::Late(after) => (Some(land(after, Answer::Comes)), None),
            Fate::LostRequest => (None, None),
            Fate::LostReply(after) => (Some(land(after, Answer::Never)), None),
            Fate::Repeated(after, gap) => (Some(land(after, Answer::Comes)), Some(land(after + gap, Answer::Never))),
            Fate::CommitThenError(after) => (Some(land(after, Answer::ServerError)), None),
            Fate::Error => (Some(reply(Heard::Error)), None),
            Fate::Busy(seconds) => (Some(reply(Heard::Busy(seconds))), None),
            Fate::Unread(after) => (Some(land(after, Answer::IdOnly)), None),
        };
        for (at, event) in [first, second].into_iter().flatten() {
            self.later(at, event);
        }
        if let Fate::Busy(seconds) = fate {
            self.quiet = self.quiet.max(now + seconds * 1000);
        }
        self.later(now + self.numbers.timeout, Event::Reply { worker: n, serial, heard: Heard::Silence });
        if let Some(worker) = self.workers.get_mut(n) {
            worker.asked = Some((serial, asked));
            worker.next = Next::Wait;
        }
    }

    fn land(&mut self, worker: usize, serial: u64, ask: Ask, answer: Answer) {
        let said = self.remote.answer(ask, self.now);
        let id = if let Said::Shows(shown) = &said { shown.id } else { 0 };
        self.trace.tell(self.now, words::ask(ask), [worker as u64, id, 0]);
        for order in 0..self.marks.len() {
            if self.remote.of(order).iter().filter(|shown| shown.stage == Stage::Released).count() > 1 {
                self.violated("once: two released documents for one order");
            }
        }
        let heard = match answer {
            Answer::Comes => Heard::Said(said),
            Answer::Never => return,
            Answer::ServerError => Heard::Error,
            Answer::IdOnly if id > 0 => Heard::Unread(id),
            Answer::IdOnly => Heard::Said(said),
        };
        self.later(self.now + 20, Event::Reply { worker, serial, heard });
    }

    fn reply(&mut self, n: usize, serial: u64, heard: Heard) {
        let Some(worker) = self.workers.get_mut(n) else { return };
        match worker.asked.take() {
            Some((waited, asked)) if waited == serial => {
                self.trace.tell(self.now, words::heard(&heard), [n as u64, 0, 0]);
                self.heard(n, asked, heard);
            }
            other => worker.asked = other,
        }
    }

    fn heard(&mut self, n: usize, asked: Asked, heard: Heard) {
        let Some((lane, attempts)) = self.workers.get(n).map(|worker| (worker.lane, worker.attempts)) else { return };
        let Some(next) = self.here(lane, attempts, |_, here| hear(asked, heard, here)) else { return };
        self.set(n, next);
    }

    /// What must hold when nothing is left to happen.
    fn at_rest(&mut self) {
        let numbers = &self.numbers;
        let settle = numbers.guard.settle_s().map_or(0, |s| u64::from(s) * 1000);
        let keys = if let Guard::Key { retention_s } = numbers.guard { u64::from(retention_s) * 1000 } else { 0 };
        let bound = keys + 2 * (numbers.lease + numbers.timeout + numbers.leave + settle + numbers.latest) + 2_400_000;
        if self.now > self.quiet + bound {
            self.violated("rest: it took too long");
        }
        for order in 0..self.marks.len() {
            let Some(lane) = self.store.lanes.get(order) else { continue };
            let docs = self.remote.of(order);
            let inbox = lane.state == State::Held && self.numbers.guard == Guard::None;
            let whole = docs.len() == 1 && docs.iter().all(|shown| shown.stage == Stage::Released);
            let over = lane.state == State::Idle && lane.delivery.is_none() && lane.strays.is_empty();
            if inbox && docs.len() <= 1 {
                continue;
            }
            if docs.is_empty() {
                self.violated("arrives: an order is missing");
            } else if docs.len() > 1 {
                self.violated("strays: a second document is left");
            } else if !whole {
                self.violated("arrives: a document is not released");
            } else if !over {
                self.violated("rest: a lane is left open");
            } else if lane.bound != docs.first().map(|shown| shown.id) {
                self.violated("arrives: bound to another document");
            }
        }
    }
}

fn mark_of(order: usize) -> Mark {
    mark(&Origin {
        source: &SystemUid::new("shop"),
        kind: Kind::Order,
        id: &RemoteId::new("", order.to_string()),
        target: &SystemUid::new("erp"),
        target_scope: "",
        role: "main",
        generation: 0,
    })
}
