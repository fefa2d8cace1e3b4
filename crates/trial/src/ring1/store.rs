//! A store model: the durable rows a delivery lives in, with the transactions and the fence of the real store.

use super::remote::Stage;
use super::stamp;
use syncline_core::delivery::{Change, Delivery, Note, Noted, Progress};
use syncline_core::id::{DeliveryId, EntityId, Epoch, RemoteId, SystemName};
use syncline_core::profile::Guard;

/// Why a transaction was not made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refused {
    /// Another worker has the lane by now, or what was read has changed.
    Stale,
    /// The lane has another document already.
    Taken,
}

/// In which state a lane stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// To be taken up from this moment on, in milliseconds.
    Ready(u64),
    /// Nothing to do.
    Idle,
    /// A person has to decide.
    Held,
    /// The system refused.
    Failed,
}

/// What was learned about a delivery that is not over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum News {
    /// Nobody knows what became of the request; the document's id where that came back.
    Unknown(Option<RemoteId>),
    /// It was surely not carried out.
    NotSent,
    /// The target was searched and has nothing.
    NothingFound,
}

/// How a delivery ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ending {
    /// It happened: the document, its stage, and when to look for strays.
    Done(u64, Stage, Option<u64>),
    /// The target said no.
    Refused,
    /// Decided anew.
    Superseded,
}

/// One order's row, with its open delivery and what the target shows of it.
#[derive(Debug, Clone)]
pub(super) struct Lane {
    /// Counts the claims.
    pub(super) epoch: u64,
    /// Until when the lane is kept from others, in milliseconds.
    pub(super) lease_until: u64,
    /// Where it stands.
    pub(super) state: State,
    /// How often it was put off in a row.
    pub(super) attempts: u32,
    /// Its record changed while a worker had it.
    pub(super) dirty: bool,
    /// The delivery that is not over.
    pub(super) delivery: Option<Delivery>,
    /// Attempts noted for that delivery.
    pub(super) attempt: u32,
    /// Creates whose strays are still to be looked for, and when.
    pub(super) strays: Vec<(Delivery, u64)>,
    /// Its document.
    pub(super) bound: Option<u64>,
    /// What the document showed last.
    pub(super) seen: Option<Stage>,
    /// Grows with every change of what is shown.
    pub(super) revision: u64,
}

/// The durable rows: what a crash leaves.
#[derive(Debug, Default, Clone)]
pub(super) struct Store {
    /// A lane per order.
    pub(super) lanes: Vec<Lane>,
    /// Every note ever committed.
    pub(super) notes: Vec<Note>,
    last: u64,
}

impl Store {
    /// Adds a lane for an order that is not placed yet.
    pub(super) fn add(&mut self) {
        self.lanes.push(Lane {
            epoch: 0,
            lease_until: 0,
            state: State::Idle,
            attempts: 0,
            dirty: false,
            delivery: None,
            attempt: 0,
            strays: Vec::new(),
            bound: None,
            seen: None,
            revision: 0,
        });
    }

    /// The lane that has waited longest, under a lease and with a new epoch.
    pub(super) fn claim(&mut self, now: u64, lease: u64) -> Option<(usize, u64, u32)> {
        let ready = |lane: &Lane| match lane.state {
            State::Ready(at) if at <= now && lane.lease_until <= now => Some(at),
            _ => None,
        };
        let best = self.lanes.iter().enumerate().filter_map(|(n, lane)| ready(lane).map(|at| (at, n))).min();
        let (_, chosen) = best?;
        let lane = self.lanes.get_mut(chosen)?;
        lane.epoch += 1;
        lane.lease_until = now + lease;
        lane.dirty = false;
        Some((chosen, lane.epoch, lane.attempts))
    }

    /// When the next lane can be claimed; none where no lane is ready.
    pub(super) fn next_ready(&self) -> Option<u64> {
        let when = |lane: &Lane| match lane.state {
            State::Ready(at) => Some(at.max(lane.lease_until)),
            _ => None,
        };
        self.lanes.iter().filter_map(when).min()
    }

    /// The lane, if it is still in `epoch`.
    fn fenced(&mut self, lane: usize, epoch: u64) -> Result<&mut Lane, Refused> {
        self.lanes.get_mut(lane).filter(|lane| lane.epoch == epoch).ok_or(Refused::Stale)
    }

    /// Makes a planned step durable, unless what it was planned on has changed.
    pub(super) fn commit_plan(
        &mut self,
        lane: usize,
        epoch: u64,
        revision: Option<u64>,
        change: Change,
        guard: Guard,
    ) -> Result<(), Refused> {
        let id = DeliveryId(self.last + 1);
        let row = self.fenced(lane, epoch)?;
        if revision.is_some_and(|planned| planned != row.revision) || row.delivery.is_some() {
            return Err(Refused::Stale);
        }
        row.delivery = Some(Delivery {
            id,
            lane: EntityId(lane as u64),
            target: SystemName::new(""),
            guard,
            change,
            progress: Progress::Planned { looked: false, first: None },
            reason: String::new(),
            doubtful: false,
        });
        row.attempt = 0;
        self.last = id.0;
        Ok(())
    }

    /// Makes a note durable and proves it.
    pub(super) fn note_sending(
        &mut self,
        lane: usize,
        epoch: u64,
        delivery: DeliveryId,
        deadline: u64,
    ) -> Result<Noted, Refused> {
        let row = self.fenced(lane, epoch)?;
        let open = row.delivery.as_mut().filter(|open| open.id == delivery).ok_or(Refused::Stale)?;
        if matches!(open.progress, Progress::Sending { .. }) {
            return Err(Refused::Stale);
        }
        row.attempt += 1;
        let (attempt, deadline) = (row.attempt, stamp(deadline));
        let first = open.progress.first().or(Some(deadline));
        open.progress = Progress::Sending { attempt, deadline, first };
        self.notes.push(Note { delivery, epoch: Epoch(epoch), attempt });
        Ok(Noted::committed(delivery, Epoch(epoch), attempt, deadline))
    }

    /// Keeps what was learned about a delivery that is not over.
    pub(super) fn doubt(&mut self, lane: usize, epoch: u64, delivery: DeliveryId, news: News) -> Result<(), Refused> {
        let row = self.fenced(lane, epoch)?;
        let open = row.delivery.as_mut().filter(|open| open.id == delivery).ok_or(Refused::Stale)?;
        let old = open.progress.clone();
        let (progress, doubtful) = match (news, old) {
            (News::Unknown(learned), Progress::Sending { attempt, deadline, first }) => {
                (Progress::Unknown { attempt, deadline, first, learned }, true)
            }
            (News::NotSent, old) => (Progress::Planned { looked: true, first: old.first() }, false),
            (News::NothingFound, _) => (Progress::Planned { looked: true, first: None }, false),
            (News::Unknown(_), other) => (other, true),
        };
        open.progress = progress;
        open.doubtful |= doubtful;
        Ok(())
    }

    /// Ends a delivery, or the search for its strays.
    pub(super) fn settle(
        &mut self,
        lane: usize,
        epoch: u64,
        delivery: DeliveryId,
        ending: Ending,
    ) -> Result<(), Refused> {
        let row = self.fenced(lane, epoch)?;
        let open = row.delivery.take_if(|open| open.id == delivery);
        let Some(open) = open else {
            row.strays.retain(|(stray, _)| stray.id != delivery);
            return Ok(());
        };
        if let Ending::Done(id, stage, strays) = ending {
            if row.bound.is_some_and(|other| other != id) {
                row.delivery = Some(open);
                return Err(Refused::Taken);
            }
            row.bound = Some(id);
            row.seen = Some(stage);
            row.revision += 1;
            if let Some(at) = strays {
                row.strays.push((open, at));
            }
        }
        Ok(())
    }

    /// Takes in what the target shows. No worker needs the lane for it, so nothing fences it.
    pub(super) fn accept(&mut self, lane: usize, stage: Stage, now: u64) {
        let Some(row) = self.lanes.get_mut(lane) else { return };
        if row.seen != Some(stage) {
            row.seen = Some(stage);
            row.revision += 1;
            row.attempts = 0;
            row.dirty = true;
            row.state = match row.state {
                State::Ready(at) => State::Ready(at.min(now)),
                _ => State::Ready(now),
            };
        }
    }

    /// Gives a lane back.
    pub(super) fn release(&mut self, lane: usize, epoch: u64, state: State, now: u64) -> Result<(), Refused> {
        let row = self.fenced(lane, epoch)?;
        row.lease_until = 0;
        row.attempts = if matches!(state, State::Ready(_)) { row.attempts + 1 } else { 0 };
        row.state = if row.dirty { State::Ready(now) } else { state };
        Ok(())
    }

    /// At the start of a process: what was under way becomes unknown, looks count no more, leases end, open deliveries go on.
    pub(super) fn recover(&mut self, now: u64) {
        for row in &mut self.lanes {
            if let Some(open) = &mut row.delivery {
                open.doubtful |= matches!(open.progress, Progress::Sending { .. });
                open.progress = open.progress.clone().anew();
            }
            let leased = row.lease_until > 0;
            row.state = match row.state {
                State::Ready(at) if leased || row.delivery.is_some() => State::Ready(at.min(now)),
                State::Idle if row.delivery.is_some() => State::Ready(now),
                other => other,
            };
            row.lease_until = 0;
        }
    }
}
