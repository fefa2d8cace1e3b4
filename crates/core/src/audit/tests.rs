//! What the checker makes of amendments; of all else in the modules below.

mod booking;
mod fields;
mod making;
mod stock;

use super::*;
use crate::id::{RemoteId, SystemName};
use crate::leaf::Ref;
use alloc::vec;

/// A plan to do `step` to a document of `kind` in the ERP.
fn plan(kind: Kind, step: Step, leaves: Leaves) -> Planned {
    Planned { target: SystemName::new("erp"), kind, step, leaves, reason: String::new(), adopt_only: false }
}

/// What the checker is told of a record whose document shows `seen`, where nothing else is known.
fn facts(seen: &Leaves) -> Facts<'_> {
    let (owed, has, taken, stock, shared) = (None, None, None, None, None);
    Facts { bound: false, owed, withdrawn: false, has, taken, target_seen: seen, stock, shared }
}

/// All that is said against `plan`, in one line.
fn against(plan: &Planned, facts: &Facts<'_>) -> String {
    objections(plan, facts).join("; ")
}

/// Fields by their paths; an empty one where there is no value.
fn told(fields: Vec<(&str, Option<Value>)>) -> Leaves {
    fields.into_iter().map(|(path, value)| (Path::try_from(path.to_string()).unwrap(), value)).collect()
}

fn money(cents: i64, currency: &str) -> Money {
    Money::new(Decimal::new(cents, 2), currency.parse().unwrap())
}

/// So many cents of a euro, as a field tells them.
fn euros(cents: i64) -> Option<Value> {
    Some(Value::Money(money(cents, "EUR")))
}

fn code(word: &str) -> Option<Value> {
    Some(Value::Code(word.to_string()))
}

fn text(words: &str) -> Option<Value> {
    Some(Value::Text(words.to_string()))
}

/// What is said against a document being amended by `leaves` that shows `seen`.
fn said(leaves: &Leaves, seen: &Leaves) -> String {
    against(&plan(Kind::Order, Step::Amend, leaves.clone()), &Facts { bound: true, ..facts(seen) })
}

fn elsewhere() -> Value {
    Value::Ref(Ref::remote(Kind::Customer, RemoteId::new("1", "4")))
}

fn number(quantity: i64) -> Value {
    Value::Number(quantity.into())
}

/// A document of three pieces, one of which has left.
fn seen() -> Leaves {
    let (mut seen, line) = (Leaves::new(), Path::element("lines", "7"));
    seen.put(line.dot("quantity"), number(3));
    seen.put(line.dot("shipped"), number(1));
    seen
}

#[test]
fn where_a_document_goes_and_how_many_may_change_and_nothing_else() {
    let (line, eur) = (Path::element("lines", "7"), "EUR".parse().unwrap());
    let one = |path: &Path, value: Option<Value>| {
        let mut leaves = Leaves::new();
        leaves.tell(path.clone(), value);
        leaves
    };
    let cent = || Value::Money(Money::new(Decimal::new(1, 2), eur));
    let quantity = line.dot("quantity");
    for (leaves, expected) in [
        (one(&Path::field("billing"), Some(elsewhere())), ""),
        (one(&Path::field("shipping"), Some(elsewhere())), ""),
        (one(&quantity, Some(number(2))), ""),
        (one(&quantity, Some(number(1))), ""),
        (one(&quantity, Some(number(3))), ""),
        (Leaves::new(), "a write of nothing"),
        (one(&quantity, Some(number(0))), "`lines[7].quantity`: less than what has left"),
        (one(&quantity, Some(number(4))), "`lines[7].quantity`: more than there is, or less than nothing"),
        (
            one(&Path::element("lines", "8").dot("quantity"), Some(number(1))),
            "`lines[8].quantity`: more than there is, or less than nothing",
        ),
        (one(&quantity, None), "`lines[7].quantity` of a document in force"),
        (one(&line.dot("cancelled"), Some(number(2))), "`lines[7].cancelled` of a document in force"),
        (one(&line.dot("net"), Some(cent())), "`lines[7].net` of a document in force"),
        (
            one(&Path::element("charges", "rounding").dot("net"), Some(cent())),
            "`charges[rounding].net` of a document in force",
        ),
        (one(&Path::field("currency"), Some(Value::Code("CHF".to_string()))), "`currency` of a document in force"),
        (one(&Path::field("shipping"), None), "`shipping` of a document in force"),
        (one(&Path::field("billing"), Some(Value::Text("Bonn".to_string()))), "`billing` of a document in force"),
        (one(&Path::field("customer"), Some(elsewhere())), "`customer` of a document in force"),
    ] {
        assert_eq!(said(&leaves, &seen()), expected, "{leaves:?}");
    }
    let mut nothing_left = seen();
    nothing_left.put(line.dot("shipped"), number(0));
    assert_eq!(said(&one(&quantity, Some(number(0))), &nothing_left), "", "a line that is cancelled whole");
    let below = said(&one(&quantity, Some(number(-1))), &nothing_left);
    assert!(below.contains("less than nothing") && below.contains("has left"), "{below}");
}

#[test]
fn what_is_in_hand_has_left_or_was_posted_keeps_what_depends_on_it() {
    for (stands, billing, shipping, quantity) in
        [("in_force", false, true, false), ("in_hand", true, false, false), ("left", true, false, true)]
    {
        for (named, frozen) in [("one (done)", true), ("", false)] {
            let mut shown = seen();
            shown.put(Path::field(stands), Value::Text(named.to_string()));
            let quantity_path = Path::element("lines", "7").dot("quantity");
            let rows = [
                (Path::field("billing"), elsewhere(), billing),
                (Path::field("shipping"), elsewhere(), shipping),
                (quantity_path, number(2), quantity),
            ];
            for (path, value, may) in rows {
                let mut leaves = Leaves::new();
                leaves.put(path.clone(), value);
                assert_eq!(
                    said(&leaves, &shown).is_empty(),
                    may || !frozen,
                    "`{path}` where `{stands}` says `{named}`"
                );
            }
        }
    }
}
