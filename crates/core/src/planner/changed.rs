//! What of an order changed in its shop after its document was made, and does not stand in the ERP yet.

use super::World;
use super::order::{Bound, OrderCase};
use crate::leaf::Value;
use crate::path::Path;
use crate::policy::Hold;
use crate::record::{Order, OrderLife};
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use rust_decimal::Decimal;

/// Changes that a sentence names one by one.
const NAMED: usize = 5;

/// A line of which less is wanted than before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Less {
    /// Its key.
    pub key: String,
    /// Its SKU.
    pub sku: String,
    /// How many of it were taken back since.
    pub by: Decimal,
    /// How: `cancelled` or `refunded`.
    pub how: &'static str,
}

/// What changed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Changes {
    /// The order was cancelled or refunded as a whole.
    pub withdrawn: bool,
    /// Fields that hold another address: `billing`, `shipping`.
    pub addresses: Vec<&'static str>,
    /// Lines of which less is wanted.
    pub less: Vec<Less>,
    /// All else, each with what it was and is.
    pub others: Vec<String>,
}

impl Changes {
    /// What changed in the shop since the document was made, without what the document shows already.
    pub(super) fn of<W: World>(case: &OrderCase<'_, W>, bound: &Bound<'_>) -> Self {
        if case.source_base.is_empty() {
            return Self::default();
        }
        Self {
            withdrawn: withdrawn(case),
            addresses: ["billing", "shipping"].into_iter().filter(|field| moved(case, bound, field)).collect(),
            less: case.order.sold_lines().flat_map(|(key, line)| less(case, bound, key, line)).collect(),
            others: others(case),
        }
    }

    /// Whether nothing changed.
    pub(super) fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Whether some of it was cancelled, and all else is as it was.
    pub(super) fn is_fewer_only(&self) -> bool {
        let cancelled = self.less.iter().all(|one| one.how == "cancelled");
        !self.withdrawn && self.addresses.is_empty() && self.others.is_empty() && cancelled
    }

    /// A hold that names what changed.
    pub(super) fn hold(&self) -> Hold {
        let mut told: Vec<String> = Vec::new();
        if self.withdrawn {
            told.push("the order was cancelled or refunded in the shop after it arrived".to_string());
        } else {
            told.extend(self.less.iter().map(|one| {
                let (by, sku, key, how) = (one.by.normalize(), &one.sku, &one.key, one.how);
                alloc::format!("{by} × {sku} (line {key}) were {how} in the shop after the order arrived")
            }));
            let fields = self.addresses.iter().map(|field| alloc::format!("`{field}` is another address"));
            let fields: Vec<String> = fields.chain(self.others.iter().cloned()).collect();
            if !fields.is_empty() {
                let more = fields.len().saturating_sub(NAMED);
                let more = if more > 0 { alloc::format!(", and {more} more") } else { String::new() };
                let shown: Vec<&str> = fields.iter().take(NAMED).map(String::as_str).collect();
                told.push(alloc::format!("the order changed in the shop after it arrived: {}{more}", shown.join(", ")));
            }
        }
        Hold::new(
            "SYN-0110",
            told.join("; "),
            "make the same change to the document in the ERP by hand, then `syncline retry --accept` this order to take both as they are",
        )
    }
}

fn withdrawn<W: World>(case: &OrderCase<'_, W>) -> bool {
    // What the ERP gave back whole was withdrawn by itself.
    let by_erp = case.order.life == Some(OrderLife::Closed) && !case.given_back.is_empty();
    let now = !by_erp && matches!(case.order.life, Some(OrderLife::Cancelled | OrderLife::Closed));
    let before = matches!(
        case.source_base.value(&Path::field("life")),
        Some(Value::Code(word)) if word == "cancelled" || word == "closed"
    );
    now && !before
}

/// Whether the shop's order has another address in `field` than its document was made with, and the document has not.
fn moved<W: World>(case: &OrderCase<'_, W>, bound: &Bound<'_>, field: &'static str) -> bool {
    let path = Path::field(field);
    let (before, now) = (case.source_base.value(&path), case.source_seen.value(&path));
    if before == now || same_element(before, now) || now.is_none() {
        return false;
    }
    let wanted = match now {
        Some(Value::Ref(now)) => case.world.named(now),
        _ => None,
    };
    let there = if field == "billing" { &bound.seen.billing } else { &bound.seen.shipping };
    let stands = |there: &crate::leaf::Ref| wanted.is_some_and(|w| w.element.is_some() && w.element == there.element);
    !there.as_ref().is_some_and(stands)
}

/// What of a line was taken back since the document was made.
fn less<W: World>(case: &OrderCase<'_, W>, bound: &Bound<'_>, key: &str, line: &crate::record::Line) -> Option<Less> {
    let had = [("cancelled", line.had.cancelled), ("refunded", line.had.refunded)];
    had.into_iter().find_map(|(how, now)| {
        let before = match case.source_base.value(&Path::element("lines", key).dot(how)) {
            Some(Value::Number(before)) => *before,
            _ => Decimal::ZERO,
        };
        let ours = case.given_back.get(key).copied().filter(|_| how == "refunded").unwrap_or_default();
        let by = now?.saturating_sub(before).saturating_sub(ours);
        let there = bound.seen.lines.get(key).and_then(|line| line.quantity);
        let stands = how == "cancelled" && there.is_some() && there == Order::wanted(line);
        let sku = line.sku.as_deref().unwrap_or("?").to_string();
        (by > Decimal::ZERO && !stands).then(|| Less { key: key.to_string(), sku, by, how })
    })
}

/// What else of what is sold changed, with its value before and now.
fn others<W: World>(case: &OrderCase<'_, W>) -> Vec<String> {
    let demand = |path: &Path| {
        let figures = path.within("lines").is_some_and(|(_, f)| matches!(f, "sku" | "quantity" | "net"))
            || path.within("charges").is_some_and(|(_, f)| f == "net");
        figures || matches!(path.as_str(), "totals.grand" | "currency")
    };
    let changed = case.source_base.changed_by(case.source_seen);
    let changed = changed.iter().map(|(path, _)| path).filter(|path| demand(path));
    let gone =
        case.source_base.iter().filter(|(path, value)| value.is_some() && case.source_seen.value(path).is_none());
    let gone = gone.map(|(path, _)| path).filter(|path| demand(path));
    let mut paths: Vec<&Path> = changed.chain(gone).collect();
    paths.sort_unstable();
    paths.dedup();
    let show = |value: Option<&Value>| value.map_or("nothing".to_string(), ToString::to_string);
    let told = paths.into_iter().map(|path| {
        let (before, now) = (show(case.source_base.value(path)), show(case.source_seen.value(path)));
        alloc::format!("`{path}` was {before} and is {now}")
    });
    let billed_to = Path::field("billing");
    let lost = case.source_base.value(&billed_to).is_some() && case.source_seen.value(&billed_to).is_none();
    told.chain(lost.then(|| "`billing` is not told any more".to_string())).collect()
}

/// Whether both refer to the same address, whoever it belongs to: a guest that registers keeps its addresses.
fn same_element(a: Option<&Value>, b: Option<&Value>) -> bool {
    matches!((a, b), (Some(Value::Ref(a)), Some(Value::Ref(b))) if a.element.is_some() && a.element == b.element)
}

#[cfg(test)]
mod tests;
