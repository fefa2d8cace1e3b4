//! The store of ring 1 is a model; here it is held against the real one. Two committers send a transaction each at the same
//! moment: what both are told, and what every lane is like afterwards, is what the model says of one after the other.

use super::remote::Stage;
use super::stamp;
use super::store::{Ending, News, Refused, State, Store};
use crate::seed::Seed;
use futures::future::join;
use jiff::Timestamp;
use std::collections::BTreeMap;
use syncline_core::delivery::{Change, Progress};
use syncline_core::id::{DeliveryId, EntityId, Epoch, Mark, RemoteId, RunId, SystemName, SystemUid};
use syncline_core::journal::Entry;
use syncline_core::kind::{Kind, Step};
use syncline_core::leaf::{Leaves, Value};
use syncline_core::path::Path;
use syncline_core::policy::Hold;
use syncline_core::profile::Guard;
use syncline_store::{
    Accept, Claim, CommitPlan, Doubt, Incoming, LaneFilter, LaneState, Release, Sending, Settle, Sql, Still,
    StoreError, Told,
};
use syncline_store::{Ending as Ended, News as Learned, Store as _};

const LANES: usize = 3;
const LEASE_MS: u64 = 60_000;

/// One transaction, with what its sender believes.
#[derive(Debug, Clone)]
enum Wish {
    Claim,
    Plan { lane: usize, epoch: u64, revision: u64, number: u64 },
    Note { lane: usize, epoch: u64, delivery: DeliveryId, deadline: u64 },
    Doubt { lane: usize, epoch: u64, delivery: DeliveryId, news: News },
    Settle { lane: usize, epoch: u64, delivery: DeliveryId, ending: Ending },
    Release { lane: usize, epoch: u64, state: State },
    Accept { lane: usize, document: u64, stage: Stage },
}

/// What the sender is told.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Answer {
    Claimed(Option<(usize, u64, u32)>),
    Noted(u32),
    Done,
    Refused(Refused),
}

/// What can be seen of a lane.
#[derive(Debug, PartialEq, Eq)]
struct Face {
    open: Option<(DeliveryId, Progress, bool, u32)>,
    bound: Option<u64>,
    seen: Option<Stage>,
    revision: u64,
    strays: Vec<DeliveryId>,
    state: &'static str,
    ready_at: Option<u64>,
    lease_until: u64,
    attempts: u32,
}

fn erp() -> SystemUid {
    SystemUid::new("erp")
}

fn word(stage: Stage) -> &'static str {
    match stage {
        Stage::Draft => "draft",
        Stage::Released => "released",
        Stage::Gone => "gone",
    }
}

fn shows(stage: Stage) -> Leaves {
    std::iter::once((Path::field("stage"), Some(Value::Code(word(stage).to_string())))).collect()
}

fn document(id: u64) -> RemoteId {
    RemoteId::new("", id.to_string())
}

fn entity(lane: usize) -> EntityId {
    EntityId(lane as u64 + 1)
}

/// What the model says to `wish`.
fn in_model(model: &mut Store, wish: &Wish, now: u64) -> Answer {
    let told = |done: Result<(), Refused>| done.map_or_else(Answer::Refused, |()| Answer::Done);
    match wish.clone() {
        Wish::Claim => Answer::Claimed(model.claim(now, LEASE_MS)),
        Wish::Plan { lane, epoch, revision, number } => {
            told(model.commit_plan(lane, epoch, Some(revision), change(lane, number), guard()))
        }
        Wish::Note { lane, epoch, delivery, deadline } => match model.note_sending(lane, epoch, delivery, deadline) {
            Ok(noted) => Answer::Noted(noted.note().attempt),
            Err(why) => Answer::Refused(why),
        },
        Wish::Doubt { lane, epoch, delivery, news } => told(model.doubt(lane, epoch, delivery, news)),
        Wish::Settle { lane, epoch, delivery, ending } => told(model.settle(lane, epoch, delivery, ending)),
        Wish::Release { lane, epoch, state } => told(model.release(lane, epoch, state, now)),
        Wish::Accept { lane, stage, .. } => {
            model.accept(lane, stage, now);
            Answer::Done
        }
    }
}

fn change(lane: usize, number: u64) -> Change {
    Change {
        kind: Kind::Order,
        step: Step::Create,
        mark: Mark::new(format!("SL{lane}")),
        document: None,
        expect: None,
        leaves: std::iter::once((Path::field("reference"), Some(Value::Text(number.to_string())))).collect(),
        elements: BTreeMap::new(),
        adopt_only: false,
    }
}

fn guard() -> Guard {
    Guard::Unique { field: "mark".to_string() }
}

/// What the real store says to `wish`.
async fn in_sql(sql: &Sql, wish: Wish, now_ms: u64) -> Answer {
    let now = stamp(now_ms);
    let told = |done: Result<(), StoreError>| done.map_or_else(refused, |()| Answer::Done);
    match wish {
        Wish::Claim => {
            let lease_s = u32::try_from(LEASE_MS / 1000).unwrap();
            let claim = Claim { now, lease_s, limit: 1, only: Vec::new(), except: Vec::new() };
            let claimed = sql.claim(claim).await.unwrap().pop();
            let lane = |entity: EntityId| usize::try_from(entity.0).unwrap() - 1;
            Answer::Claimed(claimed.map(|one| (lane(one.entity), one.epoch.0, one.attempts)))
        }
        Wish::Plan { lane, epoch, revision, number } => {
            let place = (entity(lane), Epoch(epoch));
            told(sql.commit_plan(planned(place, revision, change(lane, number), now)).await.map(drop))
        }
        Wish::Note { lane, epoch, delivery, deadline } => {
            let note = Sending {
                delivery,
                lane: entity(lane),
                epoch: Epoch(epoch),
                deadline: stamp(deadline),
                pre_image: None,
                run: RunId(1),
                still: Still::default(),
                now,
            };
            let noted = sql.note_sending(vec![note]).await.unwrap().pop().unwrap();
            noted.map_or_else(refused, |noted| Answer::Noted(noted.note().attempt))
        }
        Wish::Doubt { lane, epoch, delivery, news } => {
            let (lane, epoch, entry) = (entity(lane), Epoch(epoch), Entry::new("tried", "", ""));
            told(sql.doubt(Doubt { delivery, lane, epoch, news: learned(news), entry, evidence: None, now }).await)
        }
        Wish::Settle { lane, epoch, delivery, ending } => {
            told(sql.settle(settled((entity(lane), Epoch(epoch)), delivery, ending, now)).await)
        }
        Wish::Release { lane, epoch, state } => {
            told(sql.release(given((entity(lane), Epoch(epoch)), state, now)).await)
        }
        Wish::Accept { document: id, stage, .. } => {
            let records = vec![incoming(document(id), shows(stage))];
            let accept = Accept { system: erp(), records, cursor: None, asked_at: None, now };
            told(sql.accept(accept).await.map(drop))
        }
    }
}

fn planned((lane, epoch): (EntityId, Epoch), revision: u64, change: Change, now: Timestamp) -> CommitPlan {
    CommitPlan {
        lane,
        epoch,
        revisions: BTreeMap::from([(erp(), revision)]),
        target: SystemName::new(""),
        guard: guard(),
        change,
        reason: String::new(),
        basis: None,
        now,
    }
}

fn learned(news: News) -> Learned {
    match news {
        News::Unknown(learned) => Learned::Unknown(learned),
        News::NotSent => Learned::NotSent,
        News::NothingFound => Learned::NothingFound,
    }
}

fn settled((lane, epoch): (EntityId, Epoch), delivery: DeliveryId, ending: Ending, now: Timestamp) -> Settle {
    let (ending, strays_at) = match ending {
        Ending::Done(id, stage, strays) => {
            let done = Ended::Done { id: document(id), leaves: shows(stage), version: None, elements: Vec::new() };
            (done, strays.map(stamp))
        }
        Ending::Refused => (Ended::Refused, None),
        Ending::Superseded => (Ended::Superseded, None),
    };
    Settle {
        delivery,
        lane,
        epoch,
        system: erp(),
        ending,
        commitments: None,
        strays_at,
        agreed: Vec::new(),
        entry: Entry::new("tried", "", ""),
        evidence: None,
        now,
    }
}

fn given((lane, epoch): (EntityId, Epoch), state: State, now: Timestamp) -> Release {
    let hold = || Hold::new("SYN-0000", "", "");
    let state = match state {
        State::Ready(at) => LaneState::Later(stamp(at), String::new()),
        State::Idle => LaneState::Idle,
        State::Held => LaneState::Held(hold()),
        State::Failed => LaneState::Failed(hold()),
    };
    Release {
        lane,
        epoch,
        state,
        again_at: None,
        progressed: false,
        entry: None,
        evidence: None,
        commitments: None,
        agreed: None,
        served: None,
        now,
    }
}

fn incoming(id: RemoteId, leaves: Leaves) -> Incoming {
    Incoming {
        kind: Kind::Order,
        label: id.id.clone(),
        id,
        aliases: Vec::new(),
        leaves,
        version: None,
        told: Told::News,
        takes: None,
        refused: None,
    }
}

fn refused(error: StoreError) -> Answer {
    match error {
        StoreError::Stale => Answer::Refused(Refused::Stale),
        StoreError::Taken(_) => Answer::Refused(Refused::Taken),
        other => panic!("{other}"),
    }
}

/// The lanes as the model has them.
fn model_faces(model: &Store) -> Vec<Face> {
    let faces = model.lanes.iter().map(|lane| {
        let (state, ready_at) = match lane.state {
            State::Ready(at) => ("ready", Some(at)),
            State::Idle => ("idle", None),
            State::Held => ("held", None),
            State::Failed => ("failed", None),
        };
        let open = lane.delivery.as_ref();
        Face {
            open: open.map(|open| (open.id, open.progress.clone(), open.doubtful, lane.attempt)),
            bound: lane.bound,
            seen: lane.seen,
            revision: lane.revision,
            strays: lane.strays.iter().map(|(stray, _)| stray.id).collect(),
            state,
            ready_at,
            lease_until: lane.lease_until,
            attempts: lane.attempts,
        }
    });
    faces.collect()
}

/// The lanes as the real store has them.
async fn sql_faces(sql: &Sql) -> Vec<Face> {
    let rows = sql.lanes(LaneFilter::default()).await.unwrap();
    let mut faces = Vec::new();
    for lane in 0..LANES {
        let case = sql.load(entity(lane)).await.unwrap();
        let row = rows.iter().find(|row| row.entity == entity(lane)).unwrap();
        let side = case.sides.get(&erp());
        let stage = |leaves: &Leaves| {
            [Stage::Draft, Stage::Released, Stage::Gone].into_iter().find(|one| shows(*one) == *leaves)
        };
        let state = ["ready", "idle", "held", "failed"].into_iter().find(|word| *word == row.state).unwrap();
        let open = case.delivery.as_ref();
        faces.push(Face {
            open: open.map(|open| (open.id, open.progress.clone(), open.doubtful, case.attempt)),
            bound: case.bound.get(&erp()).map(|bound| bound.id.id.parse().unwrap()),
            seen: side.and_then(|side| stage(&side.seen)),
            revision: side.map_or(0, |side| side.revision),
            strays: case.strays.iter().map(|stray| stray.delivery.id).collect(),
            state,
            ready_at: (state == "ready").then(|| super::millis(row.ready_at)),
            lease_until: super::millis(row.leased_until),
            attempts: row.attempts,
        });
    }
    faces
}

/// Someone who takes a lane, works on it, and goes on believing that it is theirs.
#[derive(Debug, Default)]
struct Committer {
    lane: Option<(usize, u64)>,
}

impl Committer {
    /// What it does next, from what is there.
    fn wish(&mut self, model: &Store, row: &mut Seed, now: u64, number: u64) -> Wish {
        let told = |lane: usize| model.lanes.get(lane).and_then(|lane| Some((lane.bound?, lane.clone())));
        if row.chance(150)
            && let Some((document, _)) = told(usize::try_from(row.below(LANES as u64)).unwrap())
        {
            let lane = model.lanes.iter().position(|lane| lane.bound == Some(document)).unwrap();
            return Wish::Accept { lane, document, stage: stage(row) };
        }
        let Some((lane, epoch)) = self.lane else { return Wish::Claim };
        let here = model.lanes.get(lane).unwrap();
        if row.chance(120) {
            self.lane = None;
            let state = [State::Ready(now + row.below(90_000)), State::Idle, State::Held, State::Failed];
            return Wish::Release { lane, epoch, state: row.pick(&state, State::Idle) };
        }
        let Some(open) = &here.delivery else {
            let revision = here.revision.saturating_sub(u64::from(row.chance(100)));
            return Wish::Plan { lane, epoch, revision, number };
        };
        let (delivery, sending) = (open.id, matches!(open.progress, Progress::Sending { .. }));
        match row.below(10) {
            0..=3 if !sending => Wish::Note { lane, epoch, delivery, deadline: now + 20_000 },
            0..=3 => {
                let learned = row.chance(300).then(|| document(number));
                let news = if row.chance(500) { News::Unknown(learned) } else { News::NotSent };
                Wish::Doubt { lane, epoch, delivery, news }
            }
            4 => Wish::Doubt { lane, epoch, delivery, news: News::NothingFound },
            5 => Wish::Note { lane, epoch, delivery, deadline: now + 20_000 },
            6 => {
                let ending = row.pick(&[Ending::Refused, Ending::Superseded], Ending::Refused);
                Wish::Settle { lane, epoch, delivery, ending }
            }
            _ => {
                let id = here.bound.filter(|_| row.chance(900)).unwrap_or(number);
                let strays = row.chance(300).then_some(now + 300_000);
                Wish::Settle { lane, epoch, delivery, ending: Ending::Done(id, stage(row), strays) }
            }
        }
    }

    fn heard(&mut self, told: &Answer) {
        if let Answer::Claimed(Some((lane, epoch, _))) = told {
            self.lane = Some((*lane, *epoch));
        }
    }
}

fn stage(row: &mut Seed) -> Stage {
    row.pick(&[Stage::Draft, Stage::Released, Stage::Gone], Stage::Draft)
}

/// A real store with a lane for each order, and its model.
async fn both(sql: &Sql) -> Store {
    assert_eq!(sql.begin_run("sync".to_string(), stamp(0)).await, Ok(RunId(1)));
    let mut model = Store::default();
    for lane in 0..LANES {
        let at = 1 + lane as u64;
        let records = vec![incoming(RemoteId::new("", format!("10{lane}")), Leaves::new())];
        let accept = Accept { system: SystemUid::new("shop"), records, cursor: None, asked_at: None, now: stamp(at) };
        sql.accept(accept).await.unwrap();
        model.add();
        model.lanes[lane].state = State::Ready(at);
    }
    assert_eq!(sql_faces(sql).await, model_faces(&model));
    model
}

/// Which of both orders made of `model` what `told` says; the model as it then is.
fn explained(model: &Store, wishes: &[Wish; 2], told: &[Answer; 2], now: u64) -> Vec<Store> {
    let mut found = Vec::new();
    for order in [[0, 1], [1, 0]] {
        let mut next = model.clone();
        if order.into_iter().all(|at| in_model(&mut next, &wishes[at], now) == told[at]) {
            found.push(next);
        }
    }
    found
}

async fn held_against(seed: u64, steps: u64, path: &std::path::Path) -> u64 {
    let sql = Sql::threaded(path).unwrap();
    let mut model = both(&sql).await;
    let (mut row, mut now) = (Seed::new(seed), 1_000);
    let mut committers = [Committer::default(), Committer::default()];
    let mut refusals = 0;
    for step in 0..steps {
        now += row.between(1, 30_000);
        if row.chance(30) {
            sql.recover(stamp(now)).await.unwrap();
            model.recover(now);
            // A new process: nobody believes anything any more, but for who has not noticed.
            committers[0].lane = None;
        }
        let mut numbers = (0..2).map(|side| 1_000 + step * 2 + side);
        let wishes = [0, 1].map(|at| {
            let number = numbers.next().unwrap();
            committers[at].wish(&model, &mut row, now, number)
        });
        let (one, two) = join(in_sql(&sql, wishes[0].clone(), now), in_sql(&sql, wishes[1].clone(), now)).await;
        let told = [one, two];
        let faces = sql_faces(&sql).await;
        let ways = explained(&model, &wishes, &told, now);
        let way = ways.iter().find(|way| model_faces(way) == faces).cloned();
        model = way.unwrap_or_else(|| {
            panic!(
                "seed {seed}, step {step}, at {now}: {wishes:?}\ntold {told:?}\n{faces:#?}\nbefore {:#?}",
                model_faces(&model)
            )
        });
        for (committer, told) in committers.iter_mut().zip(&told) {
            committer.heard(told);
            refusals += u64::from(matches!(told, Answer::Refused(_)));
        }
    }
    refusals
}

#[tokio::test]
async fn the_real_store_does_what_its_model_does_whoever_commits_at_the_same_moment() {
    let place = std::env::temp_dir().join(format!("syncline-twin-{}", std::process::id()));
    std::fs::create_dir_all(&place).unwrap();
    let mut refusals = 0;
    for seed in 0..12 {
        refusals += held_against(seed, 150, &place.join(format!("{seed}.db"))).await;
    }
    drop(std::fs::remove_dir_all(&place));
    assert!(refusals > 100, "those who came too late: {refusals}");
}
