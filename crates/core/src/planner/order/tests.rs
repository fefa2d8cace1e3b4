//! What is decided about orders: the order all tests below begin with, and what is asked of it.

mod draft;
mod made;
mod making;

use super::*;
use crate::leaf::{Ref, Target};
use crate::planner::stand_ins::order_rules;
use crate::record::{Charge, Record, Tax};
use crate::rules::Branch;

/// A world in which mugs are tied to a product of the ERP, buyer 4 is known there, 5 and 6 are on their way, and nobody else.
struct Trade {
    tied: bool,
}

impl World for Trade {
    fn resolve(&self, reference: &Ref) -> Resolved {
        let Target::Remote(id) = &reference.to else { return Resolved::Unknown };
        match (reference.kind, id.id.as_str()) {
            (Kind::Variant, "MUG") | (Kind::Customer, "4") => Resolved::There,
            (Kind::Variant, "CUP") => Resolved::Unbound(crate::id::EntityId(1)),
            (Kind::Customer, "5") => Resolved::Unbound(crate::id::EntityId(5)),
            (Kind::Customer, "6") => Resolved::Unbound(crate::id::EntityId(6)),
            _ => Resolved::Unknown,
        }
    }
    fn named(&self, _: &Ref) -> Option<&Ref> {
        None
    }
    fn any_product_tied(&self) -> bool {
        self.tied
    }
}

fn euros(cents: i64) -> Option<Money> {
    Some(Money::new(Decimal::new(cents, 2), "EUR".parse().unwrap()))
}

fn buyer(id: &str) -> Option<Ref> {
    Some(Ref::remote(Kind::Customer, RemoteId::new("1", id)))
}

fn product(sku: &str) -> Option<Ref> {
    Some(Ref::remote(Kind::Variant, RemoteId::new("1", sku)))
}

fn taxed() -> Tax {
    [("DE-19".to_string(), Decimal::from(19))].into()
}

/// Two mugs for 20.00 and freight for 5.00, both with 19 % on top, of which nothing has happened yet.
fn two_mugs() -> Order {
    let mugs = Line {
        form: Some(LineForm::Simple),
        sku: Some("MUG".to_string()),
        variant: product("MUG"),
        quantity: Some(2.into()),
        net: euros(2_000),
        tax: euros(380),
        taxes: taxed(),
        ..Line::default()
    };
    let freight = Charge { net: euros(500), tax: euros(95), taxes: taxed(), ..Charge::default() };
    let mut order = Order {
        number: Some("1001".to_string()),
        life: Some(OrderLife::Open),
        placed: Some(Timestamp::UNIX_EPOCH),
        day: Some(jiff::civil::date(1970, 1, 1)),
        currency: "EUR".parse().ok(),
        customer: buyer("4"),
        billing: buyer("4"),
        shipping: buyer("4"),
        lines: [("7".to_string(), mugs)].into_iter().collect(),
        charges: [("shipping".to_string(), freight)].into(),
        ..Order::default()
    };
    (order.payment.method, order.payment.authorised) = (Some("paypal_express".to_string()), Some(true));
    (order.totals.grand, order.totals.tax) = (euros(2_975), euros(475));
    order
}

/// An order, and all that is known of it.
struct Asked {
    order: Order,
    /// Its document in the ERP, where there is one.
    there: Option<Order>,
    /// What the document showed at the last settled write.
    written: Leaves,
    /// What the shop showed when the document was made, or when a person left the order to people.
    before: Option<Order>,
    rules: OrderRules,
    profile: KindProfile,
    /// Seconds after the order was placed.
    now: i64,
    admitted: bool,
    adopted: bool,
    chosen: Leaves,
    keeps_reference: bool,
    tied: bool,
}

/// `order`, which the ERP does not have yet.
fn asked(order: Order) -> Asked {
    let table = |rows: &[(&str, &str)]| rows.iter().map(|(a, b)| ((*a).to_string(), (*b).to_string())).collect();
    let mut rules = order_rules();
    rules.tables.insert("taxes".to_string(), table(&[("DE-19", "19 % sales tax")]));
    rules.tables.insert("payment_methods".to_string(), table(&[("paypal*", "PayPal"), ("checkmo", "CHECK")]));
    let stages = ["quote", "confirm", "process"].map(ToString::to_string).to_vec();
    let profile = KindProfile { stages, released_from: "confirm".to_string(), ..KindProfile::default() };
    Asked {
        order,
        there: None,
        written: Leaves::new(),
        before: None,
        rules,
        profile,
        now: 0,
        admitted: false,
        adopted: false,
        chosen: Leaves::new(),
        keeps_reference: true,
        tied: true,
    }
}

/// `order`, whose document in the ERP is alike and stands at `stage`.
fn made(order: Order, stage: &str) -> Asked {
    let mut there = order.clone();
    (there.life, there.stage, there.number) = (None, Some(stage.to_string()), Some("SO7".to_string()));
    Asked { there: Some(there), ..asked(order) }
}

fn leaves_of(order: &Order) -> Leaves {
    Record::Order(alloc::boxed::Box::new(order.clone())).to_leaves()
}

impl Asked {
    fn decided(&self) -> Decision {
        let (id, there) = (RemoteId::new("1", "7"), RemoteId::new("", "70"));
        let (before, now) = (self.before.as_ref().map(leaves_of).unwrap_or_default(), leaves_of(&self.order));
        order(&OrderCase {
            now: Timestamp::from_second(self.now).unwrap(),
            rules: &self.rules,
            source_id: &id,
            order: &self.order,
            admitted: self.admitted,
            source_base: &before,
            source_seen: &now,
            target: self.there.as_ref().map(|seen| Bound { id: &there, seen, base: &self.written }),
            profile: &self.profile,
            adopted: self.adopted,
            chosen: &self.chosen,
            given_back: &BTreeMap::new(),
            source_keeps_reference: self.keeps_reference,
            source_cancels: true,
            world: &Trade { tied: self.tied },
        })
    }

    /// What is decided, in a few words.
    fn word(&self) -> String {
        match self.decided() {
            Decision::Agreed => "agreed".to_string(),
            Decision::Outside(_) => "outside".to_string(),
            Decision::Early(day) => alloc::format!("early: {day}"),
            Decision::Awaiting(..) => "awaiting".to_string(),
            Decision::Wait(lanes, _) => {
                let lanes: Vec<String> = lanes.iter().map(ToString::to_string).collect();
                alloc::format!("waits for {}", lanes.join(", "))
            }
            Decision::Hold(hold) | Decision::Conflict(hold) => hold.code,
            Decision::Step(plan) => alloc::format!("{} in {}", plan.step.word(), plan.target),
        }
    }

    /// The hold that is decided, as its code, what it is about and what to do.
    fn hold(&self) -> [String; 3] {
        match self.decided() {
            Decision::Hold(hold) => [hold.code, hold.what, hold.remedy],
            other => [alloc::format!("{other:?}"), String::new(), String::new()],
        }
    }

    /// The step that is decided.
    fn step(&self) -> Planned {
        match self.decided() {
            Decision::Step(plan) => plan,
            other => panic!("{other:?}"),
        }
    }
}

type Twist = fn(&mut Asked);

/// The first line of `order`.
fn line(order: &mut Order) -> &mut Line {
    order.lines.iter_mut().map(|(_, line)| line).next().unwrap()
}

/// The fields of `leaves` with their values.
fn shown(leaves: &Leaves) -> Vec<String> {
    let value = |value: Option<&Value>| value.map(ToString::to_string).unwrap_or_default();
    leaves.iter().map(|(path, told)| alloc::format!("{path} {}", value(told))).collect()
}
