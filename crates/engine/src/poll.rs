//! Reads what changed in a system and takes it in, page by page, each page one transaction with its cursor.

use crate::merged::merged_into;
use crate::pages::Pages;
use crate::run::Engine;
use crate::system::{EngineError, System};
use crate::twins;
use syncline_connect::{Cursor, Error, Seen, Snapshot};
use syncline_core::id::RemoteId;
use syncline_core::kind::Kind;
use syncline_core::leaf::{Leaves, Target};
use syncline_core::planner;
use syncline_core::policy::{ErrorKind, Hold};
use syncline_core::record::Record;
use syncline_core::rules::FieldRules;
use syncline_store::{Accept, Accepted, Incoming, Taken, Told};

impl Engine {
    /// Everything that changed in `system` for `kind`, taken in.
    ///
    /// # Errors
    /// Where the system does not answer or the store fails; what was taken in before stays.
    pub async fn poll(&self, system: &System, kind: Kind) -> Result<Accepted, EngineError> {
        let mut total = Accepted::default();
        let cursor = Cursor(self.store.cursor(system.uid.clone(), kind).await?);
        let mut pages = Pages::from(system, kind, cursor);
        loop {
            let asked = self.asks(system, kind).await?;
            let Some(page) = pages.next().await? else { break };
            let counts = self.take_in_seen(asked, system, kind, page.seen, Some(page.next)).await?;
            total.add(counts);
            self.note_unhinted(system, kind, counts).await?;
            if self.stopping() {
                break;
            }
        }
        Ok(total)
    }

    /// Takes in what `system` shows of its records of `kind`, with how far its changes are read by that.
    pub(crate) async fn take_in_seen(
        &self,
        asked: Option<u64>,
        system: &System,
        kind: Kind,
        seen: Vec<Seen>,
        next: Option<Cursor>,
    ) -> Result<Accepted, EngineError> {
        let seen = self.without_echoes(system, kind, seen).await?;
        let mut records: Vec<Incoming> = seen.into_iter().flat_map(|seen| incoming(kind, seen)).collect();
        if kind == Kind::Order && self.fulfils(system) {
            records = self.documents_of_ours(system, records).await?;
        }
        if self.begins_in(system, kind) {
            let new = |row: &&mut Incoming| row.told == Told::News && planner::is_made(kind, &row.leaves);
            records.iter_mut().filter(new).for_each(|row| row.told = Told::Origin);
        }
        // Before the cursor moves on: who was merged is told of once.
        self.follow(system, kind, records.iter().filter_map(merged_into).collect()).await?;
        self.accept_of(asked, system, records, next.map(|next| (kind, next.0))).await
    }
}

impl Engine {
    /// Those of `records` that are documents of orders we know: an ERP's other sales are nobody's, and what it tells of
    /// customers and products beside them comes by feeds of their own.
    async fn documents_of_ours(&self, erp: &System, records: Vec<Incoming>) -> Result<Vec<Incoming>, EngineError> {
        let orders: Vec<Incoming> = records.into_iter().filter(|row| row.kind == Kind::Order).collect();
        let ids = orders.iter().map(|row| row.id.clone()).collect();
        let known = self.store.entities(erp.uid.clone(), Kind::Order, ids).await?;
        Ok(orders.into_iter().zip(known).filter_map(|(row, known)| known.map(|_| row)).collect())
    }

    /// Whether orders of shops become documents of `system`.
    pub(crate) fn fulfils(&self, system: &System) -> bool {
        self.flows.orders.iter().any(|rules| rules.target == system.name)
    }

    /// Where the journal stands when records of `kind` are asked for: what comes may be from before a write of ours that is
    /// noted meanwhile. Orders of a shop tell more than their fields, and nothing of them goes by who spoke last.
    pub(crate) async fn asks(&self, system: &System, kind: Kind) -> Result<Option<u64>, EngineError> {
        if self.field_rules(kind).is_none() && !(kind == Kind::Order && self.fulfils(system)) {
            return Ok(None);
        }
        Ok(Some(self.store.place_in_journal().await?))
    }

    /// Takes in what `system` tells now.
    pub(crate) async fn accept(&self, system: &System, records: Vec<Incoming>) -> Result<Accepted, EngineError> {
        self.accept_of(None, system, records, None).await
    }

    /// Takes in what `system` tells, which was `asked` for when the journal stood there, with how far its changes are read by
    /// that. What an order takes from stock its shop tells: the document in the ERP is what takes it there.
    pub(crate) async fn accept_of(
        &self,
        asked: Option<u64>,
        system: &System,
        mut records: Vec<Incoming>,
        cursor: Option<(Kind, String)>,
    ) -> Result<Accepted, EngineError> {
        if self.fulfils(system) {
            records.iter_mut().for_each(|row| row.takes = None);
        }
        let accept = Accept { system: system.uid.clone(), records, cursor, asked_at: asked, now: self.now() };
        Ok(self.store.accept(accept).await?)
    }

    /// Takes a document of `kind` in as news, with all it tells of others; it was `asked` for when the journal stood there.
    pub(crate) async fn take_in_news(
        &self,
        system: &System,
        kind: Kind,
        (snapshot, asked): (Snapshot, u64),
    ) -> Result<(), EngineError> {
        let records = incoming(kind, Seen { id: snapshot.id.clone(), snapshot: Ok(snapshot) });
        self.accept_of(Some(asked), system, records, None).await.map(drop)
    }

    /// Whether records of `kind` that only `system` has are made in others.
    pub(crate) fn begins_in(&self, system: &System, kind: Kind) -> bool {
        let creates = |rules: &&FieldRules| rules.pairs.iter().any(|pair| pair.creates);
        let rules = self.field_rules(kind).filter(creates);
        kind.of_catalogue() && rules.is_some_and(|rules| rules.source == system.name)
    }
}

/// What one row of a page brings into the store, dependencies first.
#[must_use]
pub fn incoming(kind: Kind, seen: Seen) -> Vec<Incoming> {
    match seen.snapshot {
        Ok(snapshot) => {
            let mut rows: Vec<Incoming> = snapshot
                .records
                .into_iter()
                .map(|(id, record)| {
                    let own = id == snapshot.id && record.kind() == kind;
                    let version = if own { snapshot.version.clone() } else { None };
                    row(id, &record, version, if own { Told::News } else { Told::InPassing })
                })
                .collect();
            rows.reverse();
            rows
        }
        Err(error) => vec![Incoming {
            kind,
            label: seen.id.id.clone(),
            id: seen.id,
            aliases: Vec::new(),
            leaves: Leaves::new(),
            version: None,
            told: Told::News,
            takes: None,
            refused: Some(unreadable(&error)),
        }],
    }
}

/// A record as the store takes it.
#[must_use]
pub fn row(id: RemoteId, record: &Record, version: Option<String>, told: Told) -> Incoming {
    let label = match record {
        Record::Order(order) => order.number.clone().unwrap_or_else(|| id.id.clone()),
        Record::Variant(variant) => variant.sku.clone().unwrap_or_else(|| id.id.clone()),
        Record::Category(category) => category.name().unwrap_or(&id.id).to_owned(),
        Record::Product(family) => family.key.clone().unwrap_or_else(|| id.id.clone()),
        Record::Customer(_) => customer_label(&id),
        Record::Stock(_) | Record::Price(_) => id.id.clone(),
        Record::Shipment(paper) | Record::Invoice(paper) | Record::Payment(paper) | Record::Credit(paper) => {
            paper.number.clone().unwrap_or_else(|| id.id.clone())
        }
    };
    let serial = match record {
        Record::Variant(variant) => variant.serial.as_ref(),
        Record::Product(family) => family.serial.as_ref(),
        _ => None,
    };
    let aliases = serial.iter().map(|serial| RemoteId::new(id.scope.clone(), format!("id:{serial}")));
    let cart = match record {
        Record::Order(order) => twins::alias(&id, order),
        _ => None,
    };
    let aliases = aliases.chain(cart).collect();
    Incoming {
        kind: record.kind(),
        id,
        aliases,
        leaves: record.to_leaves(),
        version,
        label,
        told,
        takes: takes(record),
        refused: None,
    }
}

/// What an order takes from stock; none for other kinds.
fn takes(record: &Record) -> Option<Vec<Taken>> {
    let Record::Order(order) = record else { return None };
    let taken = order.commits().into_iter().filter_map(|(variant, quantity)| match variant.to {
        Target::Remote(id) => Some(Taken { variant: id, alias: variant.alias, quantity }),
        Target::Entity(_) => None,
    });
    Some(taken.collect())
}

/// A customer's label without personal text: its number, or a short hash of a guest's address.
pub(crate) fn customer_label(id: &RemoteId) -> String {
    match id.id.strip_prefix("guest:") {
        None => id.id.clone(),
        Some(address) => {
            let mut leaves = Leaves::new();
            leaves.put(syncline_core::path::Path::field("email"), syncline_core::leaf::Value::Text(address.into()));
            let print: String = leaves.fingerprint().iter().take(4).map(|byte| format!("{byte:02x}")).collect();
            format!("guest-{print}")
        }
    }
}

/// A hold for a record that its own system tells in a way that cannot be understood.
#[must_use]
pub fn unreadable(error: &Error) -> Hold {
    let remedy = match error.kind {
        ErrorKind::Invalid | ErrorKind::Broken => {
            "correct what it names in the system it was read from, then `syncline retry`: it is read anew"
        }
        other => other.advice(),
    };
    Hold::new(error.kind.code(), format!("it cannot be read: {}", error.message), remedy)
}

/// A hold for what a system refused.
#[must_use]
pub fn refusal(error: &Error) -> Hold {
    Hold::new(error.kind.code(), error.message.clone(), error.kind.advice())
}
