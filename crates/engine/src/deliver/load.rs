//! Gets what fields of a write stand for, the bytes of images, from the system they come from, right before it is sent.

use super::{Moved, Ready, Work};
use crate::run::Engine;
use crate::system::{EngineError, System};
use jiff::Timestamp;
use syncline_core::delivery::{Content, Contents, Delivery};
use syncline_core::journal::Entry;
use syncline_core::kind::Step;
use syncline_core::leaf::{Leaves, Value};
use syncline_core::path::Path;
use syncline_core::planner::Decision;
use syncline_core::policy::Hold;
use syncline_core::record::{Composition, IMAGE_LIMIT, Image, Paper, image_key};
use syncline_store::{Case, Ending, Still};

impl Engine {
    /// The write with what its fields stand for. Where the image is not there any more it is decided anew from what its
    /// system shows now; one that is told there and not given is held.
    pub(super) async fn load(
        &self,
        work: Work,
        mut case: Case,
        delivery: Delivery,
        target: &System,
    ) -> Result<Moved, EngineError> {
        let (mut contents, mut still) = (Contents::new(), Still::default());
        if self.rests_on_others(&case, &delivery) {
            still = Still { since: case.journal, lanes: self.papers_around(&case).await? };
            if let Err((system, error)) = self.refresh_around(&case).await? {
                return self.trouble(work, &system, error).await;
            }
            case = self.store.load(case.entity).await?;
            let decided = self.decide(&case, false).await?;
            let stands = match &decided.decision {
                Decision::Step(plan) if plan.step == delivery.change.step && plan.target == target.name => self
                    .wish(&case, plan, &decided.resolution, target)
                    .is_ok_and(|leaves| leaves == delivery.change.leaves),
                _ => false,
            };
            if !stands {
                let entry = Entry::new("moved on", target.name.as_str(), "what it rests on is another one by now");
                self.end(&work, &delivery, target, Ending::Superseded, entry).await?;
                return Ok(Moved::Again(work));
            }
        }
        for (key, path) in Image::added(&delivery.change.leaves) {
            let peer = case.basis.as_ref().and_then(|basis| self.systems.values().find(|one| one.uid == basis.peer));
            let Some((peer, id)) = peer.and_then(|peer| Some((peer, &case.bound.get(&peer.uid)?.id))) else {
                return Err(EngineError::Setup("SYN-0909: an image that comes from nowhere".to_string()));
            };
            let told = peer.connector.content(&peer.ctx, delivery.change.kind, id, path, IMAGE_LIMIT).await;
            match told {
                Ok(Some(bytes)) if image_key(&bytes) == key => {
                    contents.insert(path.clone(), Content(bytes));
                }
                Ok(_) => {
                    let (peer, path) = (peer.clone(), path.clone());
                    let entry = Entry::new("image gone", peer.name.as_str(), path.to_string());
                    self.end(&work, &delivery, target, Ending::Superseded, entry).await?;
                    if !work.asked.contains(&peer.uid) {
                        return self.read_anew(work, &case, &peer).await;
                    }
                    let what = format!("{} tells of `{path}` and does not give it", peer.name);
                    let remedy = "look at that image there, upload it again if need be, then `syncline retry`";
                    return self.hold_for(work, target, Hold::new("SYN-0160", what, remedy)).await;
                }
                Err(error) => {
                    let peer = peer.clone();
                    return self.trouble(work, &peer, error).await;
                }
            }
        }
        Ok(Moved::Send(Box::new(Ready { work, delivery, case: Box::new(case), contents, still })))
    }

    /// Whether `delivery` is of a paper that moves goods or money: what it rests on is read anew right before it is sent.
    fn rests_on_others(&self, case: &Case, delivery: &Delivery) -> bool {
        let puts_in_force = |step: &Step| matches!(step, Step::Advance(_)) && self.is_refund(case);
        let step = &delivery.change.step;
        delivery.change.kind.is_paper() && (step.creates() || puts_in_force(step))
    }

    /// Until when an image or a part that `leaves` add may still come to `target` by an earlier request: nothing there keeps
    /// a second one away, so it is not sent again before that.
    pub(super) fn may_still_come(&self, case: &Case, target: &System, leaves: &Leaves) -> Option<Timestamp> {
        let (path, _) = leaves.iter().find(|(path, value)| adds(path, *value))?;
        let earlier = case.strays.iter().filter(|stray| {
            let change = &stray.delivery.change;
            stray.delivery.target == target.name && adds(path, change.leaves.value(path))
        });
        earlier.map(|stray| self.landed_at(stray.delivery.id, stray.at)).filter(|at| *at > self.now()).max()
    }
}

/// Whether a field with this value is an image, or a part of a bundle, that may have to be added: sent twice, it is there
/// twice.
fn adds(path: &Path, value: Option<&Value>) -> bool {
    match value {
        Some(Value::Number(quantity)) => Composition::part_of(path).is_some() && !quantity.is_zero(),
        Some(_) if Paper::track_of(path).is_some() => true,
        Some(_) => Image::at(path).is_some_and(|(_, field)| field.is_empty()),
        None => false,
    }
}
