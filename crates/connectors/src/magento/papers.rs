//! Papers of an order: found by our mark in a comment, read by their id below the order.
//!
//! Magento sends the same shipment twice where it is asked twice (recorded: ship-repeat-same-request), and has no field of
//! ours on a paper but its comments. So the mark is the first word of a comment that buyers do not see, and what was sent
//! is looked for there, among all papers of the order (recorded: shipments-of-it, invoices-of-it).

use super::client::{Call, Scope, Search};
use super::map::{Stores, invalid};
use super::rows::shape;
use super::wire_papers::{ORDER_FIELDS, OrderLine, PaperOrder};
use super::{Magento, numeric, unsupported, wire};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use rust_decimal::Decimal;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use syncline_connect::{Ctx, Error, Outcome, Result, Snapshot};
use syncline_core::delivery::{Change, Permit};
use syncline_core::id::{Mark, RemoteId};
use syncline_core::kind::{Kind, Step};
use syncline_core::leaf::Value as LeafValue;
use syncline_core::mark::is_mark;
use syncline_core::money::Money;
use syncline_core::policy::ErrorKind;
use syncline_core::record::{Paper, paper_apart, paper_below};
use syncline_core::text::shown;

/// Characters of an ERP's number that a comment repeats.
const NUMBER: usize = 60;

/// The order a paper is about.
#[derive(Debug, Clone)]
pub(super) struct About {
    pub(super) id: RemoteId,
    zone: TimeZone,
    pub(super) lines: BTreeMap<u64, OrderLine>,
}

impl About {
    pub(super) fn new(doc: PaperOrder, stores: &Stores) -> Self {
        Self {
            id: RemoteId::new(stores.scope(doc.store_id, doc.store_name.as_ref()), doc.entity_id.0.to_string()),
            zone: stores.zone(doc.store_id),
            lines: doc.items.into_iter().map(|line| (line.item_id.0, line)).collect(),
        }
    }

    /// The day of a moment, as the order's store view counts days.
    pub(super) fn day(&self, stamp: Option<&wire::Text>) -> Option<Date> {
        stamp.and_then(|text| super::map::moment(&text.0)).map(|moment| moment.to_zoned(self.zone.clone()).date())
    }

    /// The line a line is part of.
    pub(super) fn parent(&self, line: &OrderLine) -> Option<&OrderLine> {
        self.lines.get(&line.parent_item_id?.0)
    }

    /// The lines that are part of one and are shipped at all.
    pub(super) fn goods_of(&self, line: u64) -> impl Iterator<Item = &OrderLine> {
        self.lines
            .values()
            .filter(move |other| other.parent_item_id.is_some_and(|id| id.0 == line) && !never_shipped(other))
    }

    /// The id of a paper below the order.
    pub(super) fn paper(&self, own: wire::Id) -> RemoteId {
        paper_below(&self.id, &own.0.to_string())
    }
}

/// Of which sort a line is.
pub(super) fn sort_of(line: &OrderLine) -> &str {
    line.product_type.as_ref().map_or("", |text| text.0.as_str())
}

fn never_shipped(line: &OrderLine) -> bool {
    line.is_virtual.is_some_and(|flag| flag.0) || matches!(sort_of(line), "virtual" | "downloadable")
}

/// `error`, as `Stale` where the shop says by one of `nothing_left` that there is none to be made: its order moved on.
pub(super) fn moved_on(error: Error, nothing_left: &[&str]) -> Error {
    match error.kind {
        ErrorKind::Invalid if nothing_left.iter().any(|words| error.message.contains(words)) => {
            Error { kind: ErrorKind::Stale, ..error }
        }
        _ => error,
    }
}

/// What the lists and the single papers of a kind are called.
fn names(kind: Kind) -> (&'static str, &'static str) {
    match kind {
        Kind::Shipment => ("shipments", "shipment"),
        Kind::Credit => ("creditmemos", "creditmemo"),
        _ => ("invoices", "invoices"),
    }
}

impl Magento {
    /// The order a paper is about; none where it is not there, or not within what is looked at.
    pub(super) async fn about(&self, ctx: &Ctx, order: &RemoteId) -> Result<Option<About>> {
        let told =
            self.about_of(ctx, &format!("orders/{}?fields={ORDER_FIELDS}", numeric(Kind::Order, order)?)).await?;
        Ok(told.map(|(about, _)| about))
    }

    /// The order at `path`, with what the shop tells of it.
    async fn about_of(&self, ctx: &Ctx, path: &str) -> Result<Option<(About, Value)>> {
        let value: Value = match self.client.get(ctx, path).await {
            Err(error) if error.kind == ErrorKind::Gone => return Ok(None),
            told => told?,
        };
        let stores = self.stores(ctx, &[&value]).await?;
        let about = About::new(shape("orders", &value)?, &stores);
        let bounds = self.client.bounds(ctx, super::ORDERS.resource).await?;
        Ok(Some((about, value)).filter(|(about, _)| bounds.hold(&about.id.scope)))
    }

    /// The papers of an order that carry `mark` in a comment. One that cannot be read stops only where it carries it.
    pub(super) async fn find_papers(
        &self,
        ctx: &Ctx,
        kind: Kind,
        order: &RemoteId,
        mark: &Mark,
    ) -> Result<Vec<Snapshot>> {
        let Some(about) = self.about(ctx, order).await? else { return Ok(Vec::new()) };
        let (resource, _) = names(kind);
        let search = Search {
            scope: Scope::DEFAULT,
            resource,
            filters: vec![("order_id", "eq", about.id.id.clone())],
            any: &[],
            sort: vec!["entity_id"],
            size: self.client.page_size(),
            page: 1,
            fields: "",
        };
        let mut found = BTreeMap::new();
        for value in self.client.every(ctx, &search).await? {
            if of_order(&value, &about) && words(&value)?.iter().any(|word| word == mark.as_str()) {
                let snapshot = snapshot(kind, &about, &value)?;
                found.insert(snapshot.id.clone(), Snapshot { mark: Some(mark.as_str().to_owned()), ..snapshot });
            }
        }
        Ok(found.into_values().collect())
    }

    /// One paper by its id; none where there is none of it below that order.
    pub(super) async fn read_paper(&self, ctx: &Ctx, kind: Kind, id: &RemoteId) -> Result<Option<Snapshot>> {
        let (order, own) = paper_apart(id)
            .ok_or_else(|| invalid(format!("`{}` is no id of a paper below an order", shown(&id.id, 60))))?;
        let Some(value) = self.paper(ctx, kind, own).await? else { return Ok(None) };
        match self.about(ctx, &order).await? {
            Some(about) if of_order(&value, &about) => snapshot(kind, &about, &value).map(Some),
            _ => Ok(None),
        }
    }

    /// One paper as the shop tells it.
    pub(super) async fn paper(&self, ctx: &Ctx, kind: Kind, own: &str) -> Result<Option<Value>> {
        let path = format!("{}/{}", names(kind).1, numeric(kind, &RemoteId::new("", own))?);
        match self.client.get(ctx, &path).await {
            Err(error) if error.kind == ErrorKind::Gone => Ok(None),
            told => told.map(Some),
        }
    }

    /// What became of a permit about a paper.
    pub(super) async fn write_paper(&self, ctx: &Ctx, permit: Permit) -> Outcome {
        match (permit.change().kind, &permit.change().step) {
            (Kind::Shipment, Step::Create) => self.make_shipment(ctx, permit).await,
            (Kind::Shipment, Step::Update) => self.write_track(ctx, permit).await,
            (Kind::Invoice, Step::Create) => self.make_invoice(ctx, permit).await,
            (Kind::Credit, Step::Create) => self.make_credit(ctx, permit).await,
            (kind, step) => Outcome::Refused(unsupported(&format!("a {kind} has no step `{step}`"))),
        }
    }

    /// Makes a paper by one request to `order/<id>/<way>`; `understood` sorts what is refused by what is to be done about it.
    pub(super) async fn make_paper(
        &self,
        ctx: &Ctx,
        permit: Permit,
        ready: Result<(About, Value)>,
        way: &str,
        understood: impl FnOnce(Error, &Change) -> Error,
    ) -> Outcome {
        let (about, body) = match ready {
            Ok(ready) => ready,
            Err(error) => return Outcome::Refused(error),
        };
        let kind = permit.change().kind;
        match self.send_for(ctx, Call::post(&format!("order/{}/{way}", about.id.id)), &permit, &body).await {
            Ok(answer) => self.made(ctx, kind, &about, &answer).await,
            Err(Outcome::Refused(error)) => match self.there_all_the_same(ctx, &about, &permit, &error).await {
                Some(there) => there,
                None => Outcome::Refused(understood(error, permit.change())),
            },
            Err(other) => other,
        }
    }

    /// The paper with the mark of a request that was refused: a proxy that sends one twice tells of the second answer, and
    /// what the first one took is not left.
    async fn there_all_the_same(&self, ctx: &Ctx, about: &About, permit: &Permit, error: &Error) -> Option<Outcome> {
        let change = permit.change();
        if error.kind != ErrorKind::Invalid {
            return None;
        }
        let found = self.find_papers(ctx, change.kind, &about.id, &change.mark).await.ok()?;
        found.into_iter().next().map(|there| Outcome::Done(Box::new(there)))
    }

    /// The paper `answer` names, read back: what was really done counts, not what was asked for.
    pub(super) async fn made(&self, ctx: &Ctx, kind: Kind, about: &About, answer: &Value) -> Outcome {
        let own = match wire::typed::<wire::Id>(answer) {
            Ok(own) => own,
            Err(what) => {
                let error = Error::new(ErrorKind::Broken, format!("the {kind} was answered without its id: {what}"));
                return Outcome::Unknown { learned: None, error };
            }
        };
        let learned = Some(about.paper(own));
        match self.paper(ctx, kind, &own.0.to_string()).await {
            Ok(Some(value)) => match snapshot(kind, about, &value) {
                Ok(snapshot) => Outcome::Done(Box::new(snapshot)),
                Err(error) => Outcome::Unknown { learned, error },
            },
            Ok(None) => {
                let what = format!("{kind} {} of order {} is not there when read back", own.0, about.id);
                Outcome::Unknown { learned, error: Error::new(ErrorKind::Gone, what) }
            }
            Err(error) => Outcome::Unknown { learned, error },
        }
    }

    /// The order a paper is to be made for.
    pub(super) async fn order_of(&self, ctx: &Ctx, change: &Change) -> Result<About> {
        let named = named(change)?;
        self.about(ctx, &named).await?.ok_or_else(|| gone(&named))
    }

    /// The same, with all the shop tells of the order.
    pub(super) async fn whole_order_of(&self, ctx: &Ctx, change: &Change) -> Result<(About, Value)> {
        let named = named(change)?;
        let path = format!("orders/{}", numeric(Kind::Order, &named)?);
        self.about_of(ctx, &path).await?.ok_or_else(|| gone(&named))
    }
}

/// The id of the order a paper is to be made for.
fn named(change: &Change) -> Result<RemoteId> {
    let named = change.elements.get(&Paper::order_path());
    named
        .map(|id| RemoteId::new("", id.as_str()))
        .ok_or_else(|| unsupported("a paper is made for an order that is there"))
}

fn gone(order: &RemoteId) -> Error {
    Error::new(ErrorKind::Gone, format!("order `{}` is not there", shown(&order.id, 40)))
}

fn snapshot(kind: Kind, about: &About, value: &Value) -> Result<Snapshot> {
    match kind {
        Kind::Shipment => super::shipments::snapshot(about, value),
        Kind::Invoice => super::invoices::snapshot(about, value),
        Kind::Credit => super::credits::snapshot(about, value),
        _ => Err(unsupported("only shipments, invoices and credits are papers here")),
    }
}

fn of_order(paper: &Value, about: &About) -> bool {
    let told = paper.get("order_id").and_then(|id| wire::typed::<wire::Id>(id).ok());
    told.is_some_and(|id| id.0.to_string() == about.id.id)
}

/// The words of a paper's comments.
///
/// # Errors
/// `Broken` where the comments are no list of texts: whether it is ours cannot be told then.
fn words(paper: &Value) -> Result<Vec<String>> {
    let broken = || Error::new(ErrorKind::Broken, "the comments of a paper are no list of texts");
    let rows = match paper.get("comments") {
        None | Some(Value::Null) => return Ok(Vec::new()),
        Some(rows) => rows.as_array().ok_or_else(broken)?,
    };
    let mut words = Vec::new();
    for row in rows {
        match row.get("comment") {
            None | Some(Value::Null) => {}
            Some(Value::String(text)) => {
                words.extend(text.split(|one: char| !one.is_alphanumeric()).map(str::to_owned));
            }
            Some(_) => return Err(broken()),
        }
    }
    Ok(words)
}

/// Our mark on a paper, where it carries one.
pub(super) fn mark_of(paper: &Value) -> Option<String> {
    words(paper).ok()?.into_iter().find(|word| is_mark(word))
}

/// The comment that carries our mark, with the ERP's number for people; buyers do not see it.
pub(super) fn comment(change: &Change) -> Value {
    let number = match change.leaves.value(&syncline_core::path::Path::field("number")) {
        Some(LeafValue::Text(number)) => format!("{} {} of the ERP", change.kind, shown(number, NUMBER)),
        _ => format!("{} of the ERP", change.kind),
    };
    json!({"comment": format!("{} {number}", change.mark.as_str()), "is_visible_on_front": 0})
}

/// What a paper of `change` has to come to; none where that is not told.
pub(super) fn asked_for(change: &Change) -> Option<Money> {
    match change.leaves.value(&syncline_core::path::Path::field("grand")) {
        Some(LeafValue::Money(money)) => Some(*money),
        _ => None,
    }
}

/// How much of which line a change asks for.
///
/// # Errors
/// `Invalid` naming the line: every line is named with a quantity above nothing, for a list without any means all of them
/// (recorded: bundle-ship-children, refund-shipping-only).
pub(super) fn wanted(change: &Change) -> Result<BTreeMap<u64, Decimal>> {
    let wanted = quantities(change)?;
    if wanted.is_empty() { Err(invalid(format!("a {} without a line", change.kind))) } else { Ok(wanted) }
}

/// The same, where there may be none.
pub(super) fn quantities(change: &Change) -> Result<BTreeMap<u64, Decimal>> {
    let mut wanted = BTreeMap::new();
    for key in change.leaves.keys_of("lines") {
        let path = syncline_core::path::Path::element("lines", &key).dot("quantity");
        let line =
            key.parse().map_err(|_| invalid(format!("`{path}`: `{}` is no line of an order", shown(&key, 40))))?;
        match change.leaves.value(&path) {
            Some(LeafValue::Number(quantity)) if *quantity > Decimal::ZERO => drop(wanted.insert(line, *quantity)),
            _ => return Err(invalid(format!("`{path}` has to be a number above 0"))),
        }
    }
    Ok(wanted)
}

/// The rows of a request that names these lines.
pub(super) fn rows(wanted: &BTreeMap<u64, Decimal>) -> Result<Vec<Value>> {
    let row = |(line, quantity): (&u64, &Decimal)| {
        let path = syncline_core::path::Path::element("lines", &line.to_string());
        Ok(json!({"order_item_id": line, "qty": super::stock::figure(&path, *quantity)?}))
    };
    wanted.iter().map(row).collect()
}
