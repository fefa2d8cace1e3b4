//! What follows where a system does not have a record any more: nothing is made again, and a person is asked once.

use crate::system::System;
use syncline_core::planner::Decision;
use syncline_core::policy::Hold;
use syncline_store::Case;

/// What is done about `case` between the systems of `pair` where one of them has lost it; none where both have it.
pub(crate) fn buried(case: &Case, pair: [&System; 2]) -> Option<Decision> {
    let [gone, left]: [Vec<&System>; 2] =
        [true, false].map(|is| pair.into_iter().filter(|s| case.gone.contains_key(&s.uid) == is).collect());
    let lost = gone.first()?;
    let Some(left) = left.first().filter(|_| !case.left_out()) else {
        return Some(Decision::Outside(format!("it was deleted in {}", lost.name)));
    };
    if case.kind.of_variant() {
        // Its variant stands in the inbox for it.
        return Some(Decision::Outside(format!("its product was deleted in {}", lost.name)));
    }
    let what = format!("it was deleted in {} and is still in {}", lost.name, left.name);
    let remedy = format!(
        "make it again in {}, delete it in {} too, or say that it is right so: `syncline resolve {}:{} --gone`",
        lost.name, left.name, case.kind, case.label
    );
    Some(Decision::Hold(Hold::new("SYN-0150", what, remedy)))
}
