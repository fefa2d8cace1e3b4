//! Records two systems share compared field by field, as the flow's policies want them.

use super::{FlowProof, OpenLanes};
use crate::aside::Asides;
use crate::customers::of_guest;
use crate::reading::{CHUNK, read, show};
use crate::run::Engine;
use crate::system::EngineError;
use syncline_core::kind::Kind;
use syncline_core::path::Path;
use syncline_core::planner::Decision;
use syncline_core::rules::{FieldRules, PairRules};
use syncline_store::Case;

impl Engine {
    /// Every tied record of `kind`, read on both sides now.
    pub(super) async fn verify_shared(&self, kind: Kind, rules: &FieldRules) -> Result<FlowProof, EngineError> {
        let mut flow = FlowProof::default();
        let open = self.open_lanes(kind).await?;
        let source = self.system(&rules.source)?;
        for pair in &rules.pairs {
            let target = self.system(&pair.target)?;
            for chunk in self.store.bindings(target.uid.clone(), kind).await?.chunks(CHUNK) {
                let mut cases = Vec::with_capacity(chunk.len());
                for (entity, _) in chunk {
                    let case = self.store.load(*entity).await?;
                    if case.bound.contains_key(&source.uid) && !of_guest(&case, source) {
                        cases.push(case);
                    }
                }
                let (ours, theirs) =
                    futures::future::join(read(source, kind, &cases), read(target, kind, &cases)).await;
                for ((mut case, ours), theirs) in cases.into_iter().zip(ours?).zip(theirs?) {
                    let open = open.get(&case.entity).map(String::as_str);
                    let both = show(&mut case, source, ours) & show(&mut case, target, theirs);
                    self.compare_shared(&mut flow, &case, pair, both, open)?;
                }
            }
        }
        self.count_unmade(&mut flow, kind, rules, &open).await?;
        Ok(flow)
    }

    /// Counts what the source has and a target still lacks, where such is made.
    async fn count_unmade(
        &self,
        flow: &mut FlowProof,
        kind: Kind,
        rules: &FieldRules,
        open: &OpenLanes,
    ) -> Result<(), EngineError> {
        let source = self.system(&rules.source)?;
        if !self.begins_in(source, kind) {
            return Ok(());
        }
        for (entity, _) in self.store.bindings(source.uid.clone(), kind).await? {
            let case = self.store.load(entity).await?;
            for pair in &rules.pairs {
                let Some(Decision::Step(step)) = self.decide_create(&case, pair)? else { continue };
                flow.compared += 1;
                if let Some(waits_for) = open.get(&entity) {
                    flow.leave_open(format_args!("{kind} {}", case.label), waits_for);
                } else {
                    flow.missing += 1;
                    flow.tell(format!("{kind} {}: not made in {} yet", case.label, step.target));
                }
            }
        }
        Ok(())
    }

    /// Every tied record of `kind`, as both sides showed it when they were last read.
    pub(super) async fn stored_shared(&self, kind: Kind, rules: &FieldRules) -> Result<FlowProof, EngineError> {
        let mut flow = FlowProof::default();
        let open = self.open_lanes(kind).await?;
        let source = self.system(&rules.source)?;
        for pair in &rules.pairs {
            let target = self.system(&pair.target)?;
            for (entity, _) in self.store.bindings(target.uid.clone(), kind).await? {
                let case = self.store.load(entity).await?;
                if case.bound.contains_key(&source.uid) && !of_guest(&case, source) {
                    let both = [source, target].iter().all(|system| case.sides.contains_key(&system.uid));
                    self.compare_shared(&mut flow, &case, pair, both, open.get(&entity).map(String::as_str))?;
                }
            }
        }
        self.count_unmade(&mut flow, kind, rules, &open).await?;
        Ok(flow)
    }

    /// What would be done about `case` between the two systems of `rules`.
    fn wanted(&self, case: &Case, rules: &PairRules) -> Result<Decision, EngineError> {
        let (source, target) = (self.system(&rules.source)?, self.system(&rules.target)?);
        if let (Kind::Customer, Some(side)) = (case.kind, case.sides.get(&source.uid)) {
            return Ok(self.decide_customer(case, source, target, side, &Asides::new())?.decision);
        }
        Ok(match self.pair(case, rules)? {
            Ok(shared) => shared.decision,
            Err(lacks) => lacks,
        })
    }

    fn compare_shared(
        &self,
        flow: &mut FlowProof,
        case: &Case,
        rules: &PairRules,
        both: bool,
        open: Option<&str>,
    ) -> Result<(), EngineError> {
        if case.left_out() {
            return Ok(());
        }
        flow.compared += 1;
        let what = format_args!("{} {}", case.kind, case.label);
        if !both {
            // What a system has lost stands in the inbox, under its variant.
            if open.is_some() || !case.gone.is_empty() {
                flow.leave_open(what, open.unwrap_or("it is gone"));
            } else {
                flow.missing += 1;
                let (one, other) = (&rules.source, &rules.target);
                flow.tell(format!("{} {}: not told by both {one} and {other}", case.kind, case.label));
            }
            return Ok(());
        }
        let both = (self.system(&rules.source)?, self.system(&rules.target)?);
        match self.wanted(case, rules)? {
            // What cannot be compared is not the same.
            Decision::Agreed if self.incomparable(case, rules, both).is_some() => {
                flow.leave_open(what, "it cannot be compared");
            }
            Decision::Agreed => flow.equal += 1,
            Decision::Step(step) if open.is_none() => {
                let paths: Vec<String> = step.leaves.iter().map(|(path, _)| Path::to_string(path)).collect();
                flow.different += 1;
                let what = format!("{} not as it should be in {}", paths.join(", "), step.target);
                flow.tell(format!("{} {}: {what}", case.kind, case.label));
            }
            _ => flow.leave_open(what, open.unwrap_or("it cannot be decided")),
        }
        Ok(())
    }
}
