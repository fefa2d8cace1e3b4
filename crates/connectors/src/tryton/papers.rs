//! Shipments, invoices and credits: one paper for each sale that a document tells of, read with the lines of sales it comes
//! from.

use super::map::Origin;
use super::read::{LONG_PAGE, PAGE, Search, ascending, id_of, model, rest_of, scope, search, typed};
use super::reader::Reader;
use super::setup::Setup;
use super::whole::whole;
use super::wire::Named;
use super::wire_paper::{
    INVOICE_FIELDS, INVOICE_KEYS, InvoiceLineRow, InvoiceRow, MoveRow, PARCEL_FIELDS, PackageRow, SHIPMENT_FIELDS,
    SHIPMENT_KEYS, SOLD_FIELDS, ShipmentRow, SoldRow,
};
use super::{Tryton, drops, map, notes};
use rust_decimal::Decimal;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use syncline_connect::{Choice, Ctx, Cursor, Error, KeyPage, Result, Seen, Snapshot};
use syncline_core::id::RemoteId;
use syncline_core::kind::Kind;
use syncline_core::money;
use syncline_core::policy::ErrorKind;
use syncline_core::record::{Record, paper_apart};

/// The module that parcels have numbers with; shipments have their carrier with one that it needs.
pub(super) const MODULE: &str = "stock_package_shipping";

/// What the parts of documents come from.
#[derive(Debug, Default)]
pub(super) struct Behind {
    /// By what a part names as its origin: the sale, and the line of it as it was understood.
    pub(super) lines: BTreeMap<Origin, (i64, Result<SoldRow>)>,
    /// Invoices that were in force until a credit note undid them.
    pub(super) undone: BTreeSet<i64>,
}

impl Behind {
    /// The lines of sales in `rows`.
    pub(super) fn of(rows: &[Value]) -> Result<Self> {
        let sale = |row: &Value| row.get("sale").and_then(Value::as_i64);
        let rows = rows.iter().filter_map(|row| Some((row, sale(row)?)));
        let one = |(row, sale)| Ok((Origin::Sold(id_of(row)?), (sale, typed(row, "line of a sale"))));
        Ok(Self { lines: rows.map(one).collect::<Result<_>>()?, undone: BTreeSet::new() })
    }
}

/// The fields asked of a document, with those of its parcels where these are told.
pub(super) fn fields(kind: Kind, setup: &Setup) -> Vec<&'static str> {
    match kind {
        Kind::Shipment if setup.parcels => SHIPMENT_FIELDS.into_iter().chain(PARCEL_FIELDS).collect(),
        Kind::Shipment => SHIPMENT_FIELDS.to_vec(),
        _ => INVOICE_FIELDS.to_vec(),
    }
}

fn key_fields(kind: Kind, setup: &Setup) -> Vec<&'static str> {
    match kind {
        Kind::Shipment => {
            SHIPMENT_KEYS.into_iter().filter(|one| setup.parcels || !one.starts_with("packages")).collect()
        }
        _ => INVOICE_KEYS.to_vec(),
    }
}

/// The lists below a document that can change without it, the one first whose parts come from sales.
pub(super) fn lists(kind: Kind, setup: &Setup) -> &'static [&'static str] {
    match kind {
        Kind::Shipment if setup.parcels => &["moves", "packages"],
        Kind::Shipment => &["moves"],
        _ => &["lines"],
    }
}

/// The rows of a list below a document; none where it was not asked for.
pub(super) fn below<'a>(row: &'a Value, list: &str) -> &'a [Value] {
    row.get(format!("{list}.")).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// The list below a document whose parts come from lines of sales.
fn parts_of(kind: Kind, row: &Value) -> &[Value] {
    below(row, if kind == Kind::Shipment { "moves" } else { "lines" })
}

/// What a part comes from, as far as papers of that sort go by it: a line of an invoice stands behind credits only.
pub(super) fn origin_of(kind: Kind, part: &Value) -> Option<Origin> {
    let origin = part.get("origin").and_then(Value::as_str).and_then(Origin::of);
    origin.filter(|origin| kind == Kind::Credit || matches!(origin, Origin::Sold(_)))
}

/// Whether a document tells papers of that sort: what gives money back is a credit, and nothing else is one.
pub(super) fn is_told(kind: Kind, row: &Value) -> bool {
    let total = row.pointer("/total_amount/decimal").and_then(Value::as_str);
    let total = total.and_then(|text| money::decimal(text).ok());
    total.is_some_and(|total| total < Decimal::ZERO) == (kind == Kind::Credit)
}

/// What tells two readings of a document apart: its own stamp, and of each list how many rows it has and the last stamp.
pub(super) fn version(kind: Kind, row: &Value, setup: &Setup) -> Option<String> {
    let stamp = |row: &Value| row.get("_timestamp").and_then(Value::as_str).map(str::to_string);
    let mut version = stamp(row)?;
    for list in lists(kind, setup) {
        let rows = below(row, list).iter().filter(|part| *list == "packages" || origin_of(kind, part).is_some());
        let stamps: Vec<String> = rows.filter_map(stamp).collect();
        let last = stamps.iter().max().cloned().unwrap_or_default();
        version = format!("{version} {}@{last}", stamps.len());
    }
    Some(version)
}

/// The parts of a document that come from a sale, by sale.
fn shares<'a>(kind: Kind, row: &'a Value, behind: &'a Behind) -> BTreeMap<i64, Vec<(&'a Value, &'a Result<SoldRow>)>> {
    let mut shares: BTreeMap<i64, Vec<_>> = BTreeMap::new();
    for part in parts_of(kind, row).iter().filter(|_| is_told(kind, row)) {
        if let Some((sale, line)) = origin_of(kind, part).and_then(|origin| behind.lines.get(&origin)) {
            shares.entry(*sale).or_default().push((part, line));
        }
    }
    shares
}

/// The parts of one sale, each as it was understood, with its line.
fn understood<'a, T: DeserializeOwned>(
    parts: &[(&Value, &'a Result<SoldRow>)],
    what: &str,
) -> Result<Vec<map::Part<'a, T>>> {
    let one =
        |(part, line): &(&Value, &'a Result<SoldRow>)| Ok((typed(part, what)?, line.as_ref().map_err(Clone::clone)?));
    parts.iter().map(one).collect()
}

impl Tryton {
    /// What the parts of `rows` come from.
    async fn behind(&self, ctx: &Ctx, setup: &Setup, kind: Kind, rows: &[Value]) -> Result<Behind> {
        if kind == Kind::Credit {
            return self.credited(ctx, setup, rows).await;
        }
        let sold = |part: &Value| match origin_of(kind, part) {
            Some(Origin::Sold(line)) => Some(line),
            _ => None,
        };
        let ids: BTreeSet<i64> = rows.iter().flat_map(|row| parts_of(kind, row)).filter_map(sold).collect();
        Behind::of(&self.rows_with(ctx, setup, ("sale.line", "id"), &ids, &SOLD_FIELDS).await?)
    }

    /// The rows of `model` whose `field` is one of `ids`, by id upwards.
    pub(super) async fn rows_with(
        &self,
        ctx: &Ctx,
        setup: &Setup,
        (model, field): (&str, &str),
        ids: &BTreeSet<i64>,
        fields: &[&str],
    ) -> Result<Vec<Value>> {
        let (method, mut all) = (format!("model.{model}.search_read"), Vec::new());
        let ids: Vec<i64> = ids.iter().copied().collect();
        for some in ids.chunks(LONG_PAGE) {
            let mut last = 0;
            loop {
                let domain = json!([[field, "in", some], ["id", ">", last]]);
                let params = json!([domain, 0, LONG_PAGE, [["id", "ASC"]], fields, setup.context()]);
                let found = whole(model, fields, self.client.read(ctx, &method, params).await?)?;
                last = ascending(&found, last)?;
                let more = found.len() >= LONG_PAGE && field != "id";
                all.extend(found);
                if !more {
                    break;
                }
            }
        }
        Ok(all)
    }

    /// The papers in `rows`, those of one document one after the other.
    pub(super) async fn papers_told(&self, ctx: &Ctx, setup: &Setup, kind: Kind, rows: &[Value]) -> Result<Vec<Seen>> {
        let mut behind = self.behind(ctx, setup, kind, rows).await?;
        if kind == Kind::Invoice {
            behind.undone = self.undone(ctx, setup, rows).await?;
        }
        let fresh = self.with_houses(ctx, setup, rows).await?;
        self.papers_in(fresh.as_deref().unwrap_or(setup), kind, rows, &behind)
    }

    /// The same where what the parts come from is known.
    pub(super) fn papers_in(&self, setup: &Setup, kind: Kind, rows: &[Value], behind: &Behind) -> Result<Vec<Seen>> {
        let mut seen = Vec::new();
        for row in rows {
            let id = id_of(row)?;
            let shares = shares(kind, row, behind);
            for (sale, parts) in &shares {
                let alone = shares.len() == 1;
                let told = match kind {
                    Kind::Shipment => shipment(setup, row, *sale, parts),
                    Kind::Credit => Self::bill(row, *sale, parts, |of| map::credit_record(of, alone, &self.codes)),
                    _ => Self::bill(row, *sale, parts, |of| {
                        map::invoice_record(of, alone, behind.undone.contains(&id), &self.codes)
                    }),
                };
                let id = map::paper_id(*sale, id);
                let snapshot = self.paper(kind, &id, row, told, version(kind, row, setup));
                seen.push(Seen { id, snapshot });
            }
        }
        Ok(seen)
    }

    /// The set-up read anew where a row names a warehouse that the one at hand does not know.
    async fn with_houses(&self, ctx: &Ctx, setup: &Setup, rows: &[Value]) -> Result<Option<Arc<Setup>>> {
        let known = |id: i64| setup.warehouses.iter().any(|warehouse| warehouse.id == id);
        let house = |row: &Value| row.get("warehouse").and_then(Value::as_i64);
        match rows.iter().filter_map(house).any(|id| !known(id)) {
            true => Ok(Some(self.fresh_setup(ctx).await?)),
            false => Ok(None),
        }
    }

    fn paper(
        &self,
        kind: Kind,
        id: &RemoteId,
        row: &Value,
        told: Result<Record>,
        version: Option<String>,
    ) -> Result<Snapshot> {
        let evidence = self.evidence(kind, row)?;
        let record = told.map_err(|error| error.with(evidence.clone()))?;
        let records = vec![(id.clone(), record)];
        let mark = notes::mark_of(row).filter(|_| kind == Kind::Credit);
        Ok(Snapshot { id: id.clone(), mark, found_by: None, version, records, evidence: Some(evidence) })
    }

    fn bill(
        row: &Value,
        sale: i64,
        parts: &[(&Value, &Result<SoldRow>)],
        record: impl Fn(&map::Billed<'_>) -> Result<Record>,
    ) -> Result<Record> {
        let head: InvoiceRow = typed(row, "invoice")?;
        let parts = understood::<InvoiceLineRow>(parts, "line of an invoice")?;
        record(&map::Billed { row: &head, sale, parts: &parts })
    }

    /// The papers `ids` in their order; none for what is not there, or tells nothing of that sale any more.
    pub(super) async fn papers(&self, ctx: &Ctx, kind: Kind, ids: &[RemoteId]) -> Vec<Result<Option<Snapshot>>> {
        let document = |id: &RemoteId| paper_apart(id).and_then(|(_, own)| map::document_of(kind, own));
        let wanted: BTreeSet<i64> = ids.iter().filter_map(document).collect();
        let found = self.papers_of(ctx, kind, &wanted.into_iter().collect::<Vec<_>>()).await;
        let one = |id: &RemoteId| match (&found, document(id)) {
            (_, None) => Ok(None),
            (Err(error), Some(_)) => Err(error.clone()),
            (Ok(found), Some(_)) => found.get(id).cloned().transpose(),
        };
        ids.iter().map(one).collect()
    }

    /// The papers in the documents `ids`, by their own ids.
    async fn papers_of(&self, ctx: &Ctx, kind: Kind, ids: &[i64]) -> Result<BTreeMap<RemoteId, Result<Snapshot>>> {
        let mut found = BTreeMap::new();
        if ids.is_empty() {
            return Ok(found);
        }
        for (setup, rows) in self.drops(ctx, ids).await? {
            let told = self.papers_told(ctx, &setup, kind, &rows).await?;
            found.extend(told.into_iter().map(|seen| (seen.id, seen.snapshot)));
        }
        let ids: Vec<i64> = ids.iter().copied().filter(|id| *id > 0).collect();
        if ids.is_empty() {
            return Ok(found);
        }
        for (setup, own) in self.owners(ctx, kind, &ids).await? {
            for some in own.chunks(PAGE) {
                let rows = self.rows(ctx, &setup, kind, some).await?;
                let is_ours = |row: &&Value| {
                    let company = row.get("company").and_then(Value::as_i64);
                    company == Some(setup.company) && row.get("type").is_none_or(|form| form == "out")
                };
                let rows: Vec<Value> = rows.iter().filter(is_ours).cloned().collect();
                let told = self.papers_told(ctx, &setup, kind, &rows).await?;
                found.extend(told.into_iter().map(|seen| (seen.id, seen.snapshot)));
            }
        }
        Ok(found)
    }

    /// Keys after `after`, by the documents' ids upwards: all papers of one document stand on one page. What suppliers send comes
    /// behind all others, by a cursor below nothing.
    pub(super) async fn paper_keys(&self, ctx: &Ctx, kind: Kind, after: &Cursor) -> Result<KeyPage> {
        let setups = self.looked_at(ctx, kind).await?;
        let setup = self.setup(ctx).await?;
        let last = rest_of(after)?;
        let behind_all = kind == Kind::Shipment && drops::are_told(&setup);
        if last < 0 {
            let (rows, end, more) = self.drop_keys(ctx, &setups, last.saturating_neg().saturating_sub(1)).await?;
            let behind =
                self.behind(ctx, &setup, kind, &rows.iter().map(|(row, _)| row.clone()).collect::<Vec<_>>()).await?;
            let keys = rows.iter().map(|(row, version)| keys_in(kind, row, version.as_deref(), &behind));
            let keys: Vec<_> = keys.collect::<Result<Vec<_>>>()?.into_iter().flatten().collect();
            return Ok(KeyPage { keys, next: Cursor((-1i64).saturating_sub(end).to_string()), more });
        }
        let domain = |setup: &Setup| {
            let mut domain = scope(kind, setup, true);
            domain.push(json!(["id", ">", last]));
            domain
        };
        let (rows, more) =
            self.across(ctx, &setups, (kind, last, LONG_PAGE), &domain, &key_fields(kind, &setup)).await?;
        let behind = self.behind(ctx, &setup, kind, &rows).await?;
        let mut keys = Vec::new();
        for row in &rows {
            keys.extend(keys_in(kind, row, version(kind, row, &setup).as_deref(), &behind)?);
        }
        let end = ascending(&rows, last)?;
        match behind_all && !more {
            true => Ok(KeyPage { keys, next: Cursor("-1".to_string()), more: true }),
            false => Ok(KeyPage { keys, next: Cursor(end.to_string()), more }),
        }
    }

    /// The kinds of papers our user may not read here, each with what is amiss.
    pub(super) async fn unread(&self, ctx: &Ctx, setup: &Setup) -> Result<Vec<(Kind, String)>> {
        let mut unread = Vec::new();
        if !self.config.papers {
            return Ok(unread);
        }
        for kind in [Kind::Shipment, Kind::Invoice, Kind::Credit] {
            let (domain, fields) = (scope(kind, setup, true), fields(kind, setup));
            let wanted = Search { kind, domain, limit: 1, fields: &fields };
            if let Err(error) = search(&self.client, ctx, setup, wanted).await {
                let what = model(kind)?;
                let why = refused(error)?;
                unread.push((kind, format!("{} stay as they are: `{what}` cannot be read: {why}", kind.plural())));
            }
        }
        Ok(unread)
    }

    /// The carriers that shipments can name, as rows a mapping table points to.
    pub(super) async fn carriers(&self, ctx: &Ctx, setup: &Setup) -> Result<Vec<Choice>> {
        #[derive(Deserialize)]
        struct Row {
            #[serde(rename = "party.")]
            party: Named,
        }
        if !setup.parcels {
            return Ok(Vec::new());
        }
        let reader = Reader::of(&self.client, ctx, setup.company);
        let rows: Vec<Row> = reader.rows("carrier", json!([["active", "in", [true, false]]]), &["party.name"]).await?;
        let names: BTreeSet<String> = rows.into_iter().filter_map(|row| row.party.name).collect();
        Ok(names.into_iter().map(|name| Choice { title: name.clone(), code: name, hint: String::new() }).collect())
    }
}

/// The keys of the papers in a document, each with its version.
fn keys_in(kind: Kind, row: &Value, version: Option<&str>, behind: &Behind) -> Result<Vec<(RemoteId, Option<String>)>> {
    let id = id_of(row)?;
    let ids = shares(kind, row, behind).into_keys().map(|sale| map::paper_id(sale, id));
    Ok(ids.map(|id| (id, version.map(str::to_string))).collect())
}

/// What a shipment tells of one sale.
fn shipment(setup: &Setup, row: &Value, sale: i64, parts: &[(&Value, &Result<SoldRow>)]) -> Result<Record> {
    let head: ShipmentRow = typed(row, "shipment")?;
    let moves = understood::<MoveRow>(parts, "move of shipment")?;
    let packages: Vec<PackageRow> =
        below(row, "packages").iter().map(|one| typed(one, "package")).collect::<Result<_>>()?;
    let packed = |part: &Value| {
        part.get("package").and_then(Value::as_i64).filter(|_| origin_of(Kind::Shipment, part).is_some())
    };
    let parcels = map::Parcels::of(packages, parts_of(Kind::Shipment, row).iter().filter_map(packed));
    // What a supplier sends leaves from no place of ours.
    let place = head.warehouse.map(|id| match setup.warehouses.iter().find(|warehouse| warehouse.id == id) {
        Some(known) => known.place.clone(),
        None => format!("warehouse with id {id}"),
    });
    map::shipment_record(&head, sale, &moves, &parcels, place.as_deref())
}

/// Whether numbers of parcels are told: where the module for them is there and our user may read them.
pub(super) async fn parcels(
    reader: &Reader<'_>,
    modules: &BTreeSet<String>,
    warnings: &mut Vec<String>,
) -> Result<bool> {
    if !modules.contains(MODULE) {
        return Ok(false);
    }
    // Access is asked of a model even where nothing of it is there.
    for (model, field) in [("stock.package", "shipping_reference"), ("carrier", "party.name")] {
        if let Err(error) = reader.first(model, &[field]).await {
            let why = refused(error)?;
            warnings.push(format!("numbers of parcels are not told: `{model}` cannot be read: {why}"));
            return Ok(false);
        }
    }
    Ok(true)
}

/// What a refusal says that no right or module would lift; any other error is handed on.
pub(super) fn refused(error: Error) -> Result<String> {
    match error.kind {
        ErrorKind::Denied | ErrorKind::Config | ErrorKind::Invalid => Ok(error.message),
        _ => Err(error),
    }
}
