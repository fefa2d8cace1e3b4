//! The story of one record: what both sides show, what was decided, sent and answered.

use crate::run::Engine;
use crate::system::EngineError;
use jiff::Timestamp;
use serde::Serialize;
use std::collections::BTreeMap;
use syncline_core::delivery::Progress;
use syncline_core::id::{EntityId, SystemUid};
use syncline_core::kind::{Flow, Kind, Step};
use syncline_core::leaf::Value;
use syncline_core::path::Path;
use syncline_core::policy::Hold;
use syncline_core::record::Paper;
use syncline_store::{Case, JournalRow, Story};

/// One system's side of a record.
#[derive(Debug, Clone, Serialize)]
pub struct SideStory {
    /// Its id there; none where the system does not have it.
    pub id: Option<String>,
    /// What the system shows, in our keys.
    pub shows: BTreeMap<String, String>,
}

/// One write.
#[derive(Debug, Clone, Serialize)]
pub struct WriteStory {
    /// Its number.
    pub delivery: u64,
    /// The system written to.
    pub target: String,
    /// The step.
    pub step: String,
    /// Our mark.
    pub mark: String,
    /// How the target keeps a second one away.
    pub guard: String,
    /// How far it came.
    pub progress: String,
    /// From when on nothing of it can land any more, where nobody knows whether it did: then it is looked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub settled_at: Option<Timestamp>,
    /// Why it was done.
    pub reason: String,
}

/// One paper of an order.
#[derive(Debug, Clone, Serialize)]
pub struct PaperStory {
    /// What it is called, its kind in front: `shipment:12`.
    pub key: String,
    /// Where it stands, in the words of a record's state.
    pub state: String,
    /// Why it is in that state, and what to do.
    pub why: Option<Hold>,
    /// Numbers of the parcels that can be followed.
    pub tracks: Vec<String>,
}

/// The story of one record.
#[derive(Debug, Clone, Serialize)]
pub struct RecordStory {
    /// Its kind.
    pub kind: String,
    /// What a person calls it.
    pub key: String,
    /// `idle`, `ready`, `awaiting`, `waiting`, `held`, `failed`, `conflict`, `outside`, `early`.
    pub state: String,
    /// Why it is in that state, and what to do.
    pub why: Option<Hold>,
    /// Where it is not due yet: when it is looked at again, and a person is asked about an order that was not paid by then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// Seconds from when an order was placed, or anything else was first seen, to when it stood on the other side; none where
    /// we did not make it there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub took_s: Option<u64>,
    /// In words: where it stands.
    pub summary: String,
    /// Both sides, by the systems' names.
    pub sides: BTreeMap<String, SideStory>,
    /// What was done about it, where it is an order: its papers.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub papers: Vec<PaperStory>,
    /// Its writes, oldest first.
    pub writes: Vec<WriteStory>,
    /// What happened, oldest first.
    pub journal: Vec<JournalRow>,
    /// The newest raw exchanges, newest first.
    pub evidence: Vec<serde_json::Value>,
}

impl Engine {
    /// The story of `entity`.
    ///
    /// # Errors
    /// Where the store fails.
    pub async fn explain(&self, entity: EntityId) -> Result<RecordStory, EngineError> {
        let story = self.store.story(entity).await?;
        let names: BTreeMap<SystemUid, String> =
            self.systems.values().map(|system| (system.uid.clone(), system.name.to_string())).collect();
        let mut sides = BTreeMap::new();
        for (uid, name) in &names {
            let bound = story.case.bound.get(uid);
            let seen = story.case.sides.get(uid).map(|side| match bound {
                Some(bound) => crate::translate::inbound(&side.seen, &bound.elements),
                None => side.seen.clone(),
            });
            let shows = seen
                .iter()
                .flat_map(|leaves| leaves.iter())
                .map(|(path, value)| (path.to_string(), value.map_or(String::new(), ToString::to_string)))
                .collect();
            sides.insert(name.clone(), SideStory { id: bound.map(|bound| bound.id.to_string()), shows });
        }
        let lane = story.lane.clone();
        let mut journal = story.journal.clone();
        for row in &mut journal {
            if let Some(name) = names.get(&SystemUid::new(row.entry.system.clone())) {
                row.entry.system = name.clone();
            }
        }
        Ok(RecordStory {
            kind: story.case.kind.to_string(),
            key: story.case.label.clone(),
            state: lane.as_ref().map_or("idle".to_string(), |lane| lane.state.clone()),
            why: lane.and_then(|lane| lane.why),
            until: until(&story),
            took_s: took(&story),
            summary: summary(&story, &sides),
            sides,
            papers: self.papers_told(&story.case).await?,
            writes: writes(&story),
            journal,
            evidence: story.evidence.iter().filter_map(|text| serde_json::from_str(text).ok()).collect(),
        })
    }
}

impl Engine {
    /// The papers of the order `case`; none of another record.
    async fn papers_told(&self, case: &Case) -> Result<Vec<PaperStory>, EngineError> {
        let rules = self.flows.papers.as_ref().filter(|_| case.kind == Kind::Order);
        let erp = rules.and_then(|rules| self.systems.get(&rules.source));
        let Some((erp, bound)) = erp.and_then(|erp| Some((erp, case.bound.get(&erp.uid)?))) else {
            return Ok(Vec::new());
        };
        let shops = rules.iter().flat_map(|rules| &rules.targets);
        let shops = shops.filter_map(|target| self.systems.get(&target.system));
        let shops = shops.filter_map(|shop| Some((shop, &case.bound.get(&shop.uid)?.id)));
        let mut papers = Vec::new();
        let kinds = Flow::Papers.kinds().iter().filter(|kind| **kind != Kind::Payment);
        let mut told_by: Vec<_> = kinds.map(|kind| (erp, *kind, &bound.id)).collect();
        told_by.extend(shops.map(|(shop, id)| (shop, Kind::Payment, id)));
        for (teller, kind, order) in told_by {
            for entity in self.store.papers_of(teller.uid.clone(), kind, order.clone()).await? {
                let story = self.store.story(entity).await?;
                let told = story.case.sides.get(&teller.uid).and_then(|side| Paper::from_leaves(&side.seen).ok());
                papers.push(PaperStory {
                    key: format!("{kind}:{}", self.record_name(&story.case).key),
                    state: story.lane.as_ref().map_or("idle", |lane| lane.state.as_str()).to_string(),
                    why: story.lane.and_then(|lane| lane.why),
                    tracks: told.into_iter().flat_map(|paper| paper.tracks.into_keys()).collect(),
                });
            }
        }
        Ok(papers)
    }
}

fn writes(story: &Story) -> Vec<WriteStory> {
    story
        .deliveries
        .iter()
        .map(|delivery| WriteStory {
            delivery: delivery.id.0,
            target: delivery.target.to_string(),
            step: delivery.change.step.to_string(),
            mark: delivery.change.mark.to_string(),
            guard: if delivery.change.step == Step::Create { delivery.guard.word() } else { "version" }.to_string(),
            progress: match &delivery.progress {
                Progress::Planned { .. } => "planned".to_string(),
                Progress::Sending { attempt, .. } => format!("under way, attempt {attempt}"),
                Progress::Unknown { attempt, .. } => match delivery.settled_at() {
                    Some(settled) => format!("unknown after attempt {attempt}, looked for at {settled:.0}"),
                    None => format!("unknown after attempt {attempt}, looked for at once"),
                },
                Progress::Done => "done".to_string(),
                Progress::Refused => "refused".to_string(),
                Progress::Superseded => "decided anew".to_string(),
            },
            settled_at: delivery.settled_at().filter(|_| matches!(delivery.progress, Progress::Unknown { .. })),
            reason: delivery.reason.clone(),
        })
        .collect()
}

/// How long it took to the other side, by our clock at the end.
fn took(story: &Story) -> Option<u64> {
    let is_create = |id| story.deliveries.iter().any(|one| Some(one.id) == id && one.change.step == Step::Create);
    let came = |row: &&JournalRow| ["done", "found"].contains(&row.entry.event.as_str()) && is_create(row.delivery);
    let there = story.journal.iter().find(came)?.at;
    let placed = story.case.sides.values().find_map(|side| match side.seen.value(&Path::field("placed")) {
        Some(Value::Instant(at)) => Some(*at),
        _ => None,
    });
    let seen = story.journal.iter().find(|row| row.entry.event == "seen").map(|row| row.at);
    // A shop's clock may be ahead of ours.
    u64::try_from(there.duration_since(placed.or(seen)?).as_secs()).ok()
}

/// Until when what is not due yet may wait.
fn until(story: &Story) -> Option<Timestamp> {
    story.lane.as_ref().filter(|lane| lane.state == "awaiting").map(|lane| lane.ready_at)
}

fn summary(story: &Story, sides: &BTreeMap<String, SideStory>) -> String {
    let there: Vec<String> = sides
        .iter()
        .filter_map(|(name, side)| {
            let id = side.id.as_ref()?;
            let number = side.shows.get("number").map_or(String::new(), |number| format!(" ({number})"));
            Some(format!("{name}: {id}{number}"))
        })
        .collect();
    let state = story.lane.as_ref().map_or("idle", |lane| lane.state.as_str());
    let word = match state {
        "idle" => "both sides agree",
        "outside" => "not part of the flow",
        "early" => "not carried over unless it is imported",
        "awaiting" => "not due yet",
        "waiting" => "waits for another record",
        "held" => "a rule keeps it back; a person has to do something",
        "conflict" => "a person has to decide",
        "failed" => "a system refused it, or it could not be read; a person has to look",
        _ if story.deliveries.iter().any(|delivery| matches!(delivery.progress, Progress::Unknown { .. })) => {
            "nobody knows yet whether the last write arrived; it is looked for before anything is sent again"
        }
        _ => "to be worked on",
    };
    let until = until(story).map_or(String::new(), |until| format!(", waits until {until:.0}"));
    let reason =
        story.lane.as_ref().and_then(|lane| lane.why.as_ref()).map_or(String::new(), |why| format!(": {}", why.what));
    format!("{} {}: {word}{reason}{until}; {}", story.case.kind, story.case.label, there.join(", "))
}
