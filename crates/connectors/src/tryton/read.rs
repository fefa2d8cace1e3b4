//! Looks into Tryton: documents by id and by mark, changes and keys page by page.

use super::Tryton;
use super::client::Client;
use super::images::MODULE;
use super::kits;
use super::map::{self, Source};
use super::papers;
use super::setup::Setup;
use super::whole::whole;
use super::wire::{
    KeyRow, Moment, PRODUCT_FIELDS, SALE_FIELDS, SaleRow, TimesRow, UNIT_FIELDS, VARIANT_FIELDS, WEIGHT_FIELDS,
};
use super::wire_party::{PARTY_FIELDS, PartyRow};
use super::wire_price::PRICED_FIELDS;
use super::wire_product::{ATTRIBUTE_FIELDS, CATEGORY_FIELDS, FAMILY_FIELDS, IDENTIFIER_FIELDS, TAX_CATEGORY_FIELDS};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use syncline_connect::{Ctx, Cursor, Error, Evidence, KeyPage, Lookup, Page, Result, Seen, Snapshot};
use syncline_core::id::RemoteId;
use syncline_core::kind::Kind;
use syncline_core::mark::is_mark;
use syncline_core::policy::ErrorKind;
use syncline_core::record::Record;

/// Documents in one answer.
pub(super) const PAGE: usize = 100;
/// Rows in one answer where each is small.
pub(super) const LONG_PAGE: usize = 500;
/// How far a later pass looks back: longer than Tryton works on one transaction.
pub(super) const OVERLAP: SignedDuration = SignedDuration::from_mins(10);

/// Tryton's model for a kind.
pub(super) fn model(kind: Kind) -> Result<&'static str> {
    match kind {
        Kind::Order => Ok("sale.sale"),
        Kind::Customer => Ok("party.party"),
        Kind::Category => Ok("product.category"),
        Kind::Variant | Kind::Stock | Kind::Price => Ok("product.product"),
        Kind::Product => Ok(map::TEMPLATE),
        Kind::Shipment => Ok("stock.shipment.out"),
        Kind::Invoice | Kind::Credit => Ok("account.invoice"),
        Kind::Payment => Ok("account.move"),
    }
}

pub(super) fn fields(kind: Kind, setup: &Setup) -> Vec<&'static str> {
    match kind {
        Kind::Order => {
            let web = setup.has_web_ids().then_some("web_id");
            SALE_FIELDS.into_iter().chain(web).collect()
        }
        Kind::Customer => {
            let list = setup.lists.is_some().then_some("sale_price_list.name");
            PARTY_FIELDS.into_iter().chain(list).collect()
        }
        Kind::Category => CATEGORY_FIELDS.to_vec(),
        Kind::Variant => {
            let weight = match (setup.weight_units.is_empty(), setup.modules.contains(kits::MODULE)) {
                (false, _) => &WEIGHT_FIELDS[..],
                (true, true) => &UNIT_FIELDS,
                (true, false) => &[],
            };
            let asks = |sort: fn(&Source) -> bool| setup.attributes.values().any(|one| sort(&one.source));
            let parts: [(bool, &[&str]); 3] = [
                (asks(|source| matches!(source, Source::Identifier(_))), &IDENTIFIER_FIELDS),
                (asks(|source| matches!(source, Source::Attribute(_))), &ATTRIBUTE_FIELDS),
                (asks(|source| *source == Source::TaxCategory), &TAX_CATEGORY_FIELDS),
            ];
            let more = parts.into_iter().filter(|(asked, _)| *asked).flat_map(|(_, fields)| fields.iter().copied());
            VARIANT_FIELDS.into_iter().chain(weight.iter().copied()).chain(more).collect()
        }
        Kind::Price => PRICED_FIELDS.to_vec(),
        Kind::Product => FAMILY_FIELDS.to_vec(),
        Kind::Stock => PRODUCT_FIELDS.to_vec(),
        Kind::Shipment | Kind::Invoice | Kind::Payment | Kind::Credit => papers::fields(kind, setup),
    }
}

/// The records of `kind` our user sees; retired ones too where `all`, which Tryton hides unless asked.
pub(super) fn scope(kind: Kind, setup: &Setup, all: bool) -> Vec<Value> {
    match (kind, all) {
        (Kind::Order | Kind::Shipment, _) => vec![json!(["company", "=", setup.company])],
        (Kind::Invoice, _) => vec![json!(["company", "=", setup.company]), json!(["type", "=", "out"])],
        // Whatever comes to less than nothing has a line that does.
        (Kind::Credit, _) => vec![
            json!(["company", "=", setup.company]),
            json!(["type", "=", "out"]),
            json!(["lines", "where", ["OR", ["quantity", "<", 0], ["unit_price", "<", 0]]]),
        ],
        // Those that accounts and taxes go by are no shop's.
        (Kind::Category, _) if setup.modules.contains("account_product") => vec![json!(["accounting", "!=", true])],
        (Kind::Category, _) => Vec::new(),
        (_, true) => vec![json!(["active", "in", [true, false]])],
        (_, false) => Vec::new(),
    }
}

/// One search.
pub(super) struct Search<'a> {
    pub(super) kind: Kind,
    pub(super) domain: Vec<Value>,
    pub(super) limit: usize,
    pub(super) fields: &'a [&'a str],
}

/// The rows a search finds, by id upwards.
pub(super) async fn search(client: &Client, ctx: &Ctx, setup: &Setup, search: Search<'_>) -> Result<Vec<Value>> {
    let model = model(search.kind)?;
    let params = json!([search.domain, 0, search.limit, [["id", "ASC"]], search.fields, setup.context()]);
    whole(model, search.fields, client.read(ctx, &format!("model.{model}.search_read"), params).await?)
}

/// The id of a row.
pub(super) fn id_of(row: &Value) -> Result<i64> {
    row.get("id").and_then(Value::as_i64).ok_or_else(|| Error::new(ErrorKind::Broken, "a row without an id"))
}

pub(super) fn typed<T: serde::de::DeserializeOwned>(row: &Value, what: &str) -> Result<T> {
    T::deserialize(row).map_err(|error| {
        let id = row.get("id").map(Value::to_string).unwrap_or_default();
        Error::new(ErrorKind::Broken, format!("{what} {id} has another shape than expected: {error}"))
    })
}

impl Tryton {
    /// The documents of `kind` in `rows`, in their order. What stands apart from the rows is read for all at once.
    pub(super) async fn snapshots(
        &self,
        ctx: &Ctx,
        setup: &Setup,
        kind: Kind,
        rows: &[Value],
    ) -> Result<Vec<Result<Snapshot>>> {
        match kind {
            Kind::Variant => return self.products_told(ctx, setup, rows).await,
            Kind::Category => return self.categories_told(ctx, setup, rows).await,
            _ => {}
        }
        if kind == Kind::Product {
            let told = self.families_told(ctx, setup, rows, true).await?;
            return Ok(told.into_iter().flatten().collect());
        }
        Ok(rows.iter().map(|row| self.snapshot(kind, row)).collect())
    }

    /// The raw exchange behind `row`.
    pub(super) fn evidence(&self, kind: Kind, row: &Value) -> Result<Evidence> {
        Ok(Evidence {
            request: format!("{} {}", self.config.url, model(kind)?),
            sent: String::new(),
            status: 200,
            received: Evidence::excerpt(row.to_string().as_bytes()),
        })
    }

    /// The document of `kind` in `row`.
    fn snapshot(&self, kind: Kind, row: &Value) -> Result<Snapshot> {
        let evidence = self.evidence(kind, row)?;
        let told = match kind {
            Kind::Order => typed::<SaleRow>(row, "sale")
                .and_then(|sale| Ok((sale.id, map::sale_record(&sale, &self.codes)?, sale.version))),
            Kind::Customer => {
                typed::<PartyRow>(row, "party").map(|party| (party.id, map::party_record(&party), party.version))
            }
            _ => Err(Error::new(ErrorKind::Unsupported, format!("a {kind} stands in no single row"))),
        };
        let (id, record, version) = told.map_err(|error| error.with(evidence.clone()))?;
        let id = map::remote(id);
        let mark = mark_of(row).map(str::to_string);
        Ok(Snapshot {
            id: id.clone(),
            mark,
            found_by: None,
            version,
            records: vec![(id, record)],
            evidence: Some(evidence),
        })
    }

    /// The documents `ids`, by id; those that are not there are left out.
    pub(super) async fn documents(
        &self,
        ctx: &Ctx,
        setup: &Setup,
        kind: Kind,
        ids: &[i64],
    ) -> Result<BTreeMap<i64, Result<Snapshot>>> {
        self.documents_asked(ctx, setup, kind, ids, &fields(kind, setup)).await
    }

    /// The same, of which these fields are asked.
    pub(super) async fn documents_asked(
        &self,
        ctx: &Ctx,
        setup: &Setup,
        kind: Kind,
        ids: &[i64],
        fields: &[&str],
    ) -> Result<BTreeMap<i64, Result<Snapshot>>> {
        let mut found = BTreeMap::new();
        for some in ids.chunks(PAGE) {
            let rows = self.rows_asked(ctx, setup, kind, some, fields).await?;
            let told = self.snapshots(ctx, setup, kind, &rows).await?;
            for (row, snapshot) in rows.iter().zip(told) {
                found.insert(id_of(row)?, snapshot);
            }
        }
        Ok(found)
    }

    /// The rows of `ids`. Read by id, which shows what was just written; only where one is missing, which refuses the
    /// whole read, searched for.
    pub(super) async fn rows(&self, ctx: &Ctx, setup: &Setup, kind: Kind, ids: &[i64]) -> Result<Vec<Value>> {
        self.rows_asked(ctx, setup, kind, ids, &fields(kind, setup)).await
    }

    /// The same, of which these fields are asked.
    pub(super) async fn rows_asked(
        &self,
        ctx: &Ctx,
        setup: &Setup,
        kind: Kind,
        ids: &[i64],
        fields: &[&str],
    ) -> Result<Vec<Value>> {
        let params = json!([ids, fields, setup.context()]);
        let model = model(kind)?;
        match self.client.read(ctx, &format!("model.{model}.read"), params).await {
            Err(error) if error.kind == ErrorKind::Gone => {
                let mut domain = scope(kind, setup, true);
                domain.push(json!(["id", "in", ids]));
                let wanted = Search { kind, domain, limit: ids.len(), fields };
                search(&self.client, ctx, setup, wanted).await
            }
            answer => whole(model, fields, answer?),
        }
    }

    /// The documents `ids` in their order.
    pub(super) async fn read_all(&self, ctx: &Ctx, kind: Kind, ids: &[RemoteId]) -> Vec<Result<Option<Snapshot>>> {
        if kind == Kind::Payment {
            return self.payments(ctx, ids).await;
        }
        if kind.is_paper() {
            return self.papers(ctx, kind, ids).await;
        }
        let numbers: Vec<Result<i64>> = ids.iter().map(map::number).collect();
        let good: Vec<i64> = numbers.iter().filter_map(|number| number.as_ref().ok().copied()).collect();
        let found = match self.setup(ctx).await {
            Ok(_) if kind == Kind::Order => self.sales(ctx, &good).await,
            Ok(setup) if kind == Kind::Stock => self.stocks(ctx, &setup, &good).await,
            Ok(setup) if kind == Kind::Price => self.prices(ctx, &setup, &good).await,
            Ok(setup) => self.documents(ctx, &setup, kind, &good).await,
            Err(error) => Err(error),
        };
        let one = |number: Result<i64>| match (&found, number) {
            (_, Err(_)) => Ok(None),
            (Err(error), Ok(_)) => Err(error.clone()),
            (Ok(found), Ok(id)) => found.get(&id).cloned().transpose(),
        };
        numbers.into_iter().map(one).collect()
    }

    /// The documents `by` finds. Of one mark: those in force, else those withdrawn, which still hold the unique key.
    pub(super) async fn look(&self, ctx: &Ctx, kind: Kind, by: &Lookup) -> Result<Vec<Snapshot>> {
        if let (Kind::Payment, Lookup::Paper { order, mark }) = (kind, by) {
            return self.find_payment(ctx, order, mark).await;
        }
        let setups = self.looked_at(ctx, kind).await?;
        let Some(setup) = setups.first() else { return Ok(Vec::new()) };
        let clause = match (kind, by) {
            (Kind::Credit, Lookup::Paper { order, mark }) => return self.find_notes(ctx, Some(order), mark).await,
            (Kind::Credit, Lookup::Mark(mark)) => return self.find_notes(ctx, None, mark).await,
            (_, Lookup::Told { field, values }) => return self.look_told(ctx, &setups, kind, field, values).await,
            (Kind::Order, Lookup::Mark(mark)) => marked(setup, "=", mark.as_str()),
            (Kind::Order, Lookup::AnyMark) => marked(setup, "like", "SL%"),
            (Kind::Order, Lookup::Number(number)) => json!(["reference", "=", number]),
            (Kind::Customer, Lookup::Mark(mark)) => json!(["code", "=", mark.as_str()]),
            (Kind::Customer, Lookup::AnyMark) => json!(["code", "like", "SL%"]),
            (Kind::Variant, Lookup::Number(code)) => json!(["code", "=", code]),
            _ => return Err(Error::new(ErrorKind::Unsupported, format!("no {kind} is searched that way in Tryton"))),
        };
        let mut found = Vec::new();
        for setup in &setups {
            let keep = |row: &Value| by != &Lookup::AnyMark || mark_of(row).is_some();
            let every = self.every(ctx, setup, kind, &clause, keep).await?;
            found.extend(every.into_iter().map(|(_, snapshot)| snapshot));
        }
        if by == &Lookup::AnyMark {
            return Ok(found);
        }
        let (withdrawn, in_force): (Vec<_>, Vec<_>) = found.into_iter().partition(is_withdrawn);
        Ok(if in_force.is_empty() { withdrawn } else { in_force })
    }

    /// Every document of `kind` that `clause` finds and `keep` wants, page by page, each with its row.
    pub(super) async fn every(
        &self,
        ctx: &Ctx,
        setup: &Setup,
        kind: Kind,
        clause: &Value,
        keep: impl Fn(&Value) -> bool + Send,
    ) -> Result<Vec<(Value, Snapshot)>> {
        let (mut found, mut last) = (Vec::new(), 0);
        loop {
            let mut domain = scope(kind, setup, true);
            domain.extend([clause.clone(), json!(["id", ">", last])]);
            let wanted = Search { kind, domain, limit: LONG_PAGE, fields: &fields(kind, setup) };
            let rows = search(&self.client, ctx, setup, wanted).await?;
            last = ascending(&rows, last)?;
            let full = rows.len() == LONG_PAGE;
            let kept: Vec<Value> = rows.into_iter().filter(|row| keep(row)).collect();
            let told = self.snapshots(ctx, setup, kind, &kept).await?;
            for (row, snapshot) in kept.into_iter().zip(told) {
                found.push((row, snapshot?));
            }
            if !full {
                return Ok(found);
            }
        }
    }

    /// Keys after `after`, by id upwards.
    pub(super) async fn keys_after(&self, ctx: &Ctx, kind: Kind, after: &Cursor) -> Result<KeyPage> {
        if kind == Kind::Payment {
            return Err(unlisted());
        }
        if kind.is_paper() {
            return self.paper_keys(ctx, kind, after).await;
        }
        let setups = self.looked_at(ctx, kind).await?;
        let last = rest_of(after)?;
        let domain = |setup: &Setup| {
            let mut domain = scope(kind, setup, kind == Kind::Customer);
            domain.push(json!(["id", ">", last]));
            if matches!(kind, Kind::Stock | Kind::Price) {
                domain.push(json!(["code", "!=", null]));
            }
            domain
        };
        let stamps: &[&str] =
            if kind == Kind::Variant { &["_timestamp", "template._timestamp"] } else { &["_timestamp"] };
        let (rows, more) = self.across(ctx, &setups, (kind, last, LONG_PAGE), &domain, stamps).await?;
        let next = Cursor(ascending(&rows, last)?.to_string());
        let keys: Result<Vec<KeyRow>> = rows.iter().map(|row| typed(row, "key")).collect();
        if kind == Kind::Product {
            let rows: Vec<_> = keys?.into_iter().map(|row| (row.id, row.version)).collect();
            let setup = self.setup(ctx).await?;
            return Ok(KeyPage { keys: self.family_keys(ctx, &setup, &rows).await?, next, more });
        }
        // A product's version does not move with its stock or its price lists.
        let version = |row: KeyRow| match kind {
            Kind::Stock | Kind::Price => None,
            Kind::Variant => map::version(row.version.as_deref(), row.template.and_then(|t| t.version).as_deref()),
            _ => row.version,
        };
        Ok(KeyPage { keys: keys?.into_iter().map(|row| (map::remote(row.id), version(row))).collect(), next, more })
    }

    /// Changes since `since`, each pass by id. Products once more for the templates that were written since, whose names
    /// are theirs, families for their products; parties once more for what hangs on them.
    pub(super) async fn changed(&self, ctx: &Ctx, kind: Kind, since: &Cursor) -> Result<Page> {
        if kind == Kind::Stock {
            return self.stock_changed(ctx, since).await;
        }
        if kind == Kind::Price {
            return self.prices_changed(ctx, since).await;
        }
        if kind == Kind::Payment {
            return Err(unlisted());
        }
        if kind.is_paper() {
            return self.papers_changed(ctx, kind, since).await;
        }
        let setups = self.looked_at(ctx, kind).await?;
        let setup = self.setup(ctx).await?;
        let mut walk: Walk = walk_of(since)?;
        let start = *walk.start.get_or_insert(ctx.now());
        loop {
            let domain = |setup: &Setup| walk.domain(kind, setup);
            let wanted = (kind, walk.id, PAGE);
            let (rows, full) = self.across(ctx, &setups, wanted, &domain, &fields(kind, &setup)).await?;
            walk.id = ascending(&rows, walk.id)?;
            walk.top = rows.iter().map(moment_of).fold(walk.top, Option::max);
            let with_images = setups.iter().any(|setup| setup.modules.contains(MODULE)) && self.config.images;
            let ended = !full && !walk.goes_on(kind, with_images);
            if rows.is_empty() && !ended {
                continue;
            }
            let told = match kind {
                Kind::Product => self.families_told(ctx, &setup, &rows, false).await?,
                _ => self.snapshots(ctx, &setup, kind, &rows).await?.into_iter().map(Some).collect(),
            };
            let moments = told.iter().flatten().flatten().filter_map(changed_at);
            walk.top = moments.fold(walk.top, |top, at| top.max(Some(at)));
            let seen = |(row, snapshot): (&Value, Option<Result<Snapshot>>)| {
                let snapshot = snapshot?;
                Some(id_of(row).map(|id| Seen { id: map::remote(id), snapshot }))
            };
            let seen: Result<Vec<Seen>> = rows.iter().zip(told).filter_map(seen).collect();
            let next = if ended { walk.ended(start) } else { walk };
            return Ok(Page { seen: seen?, next: cursor_of(&next)?, more: !ended });
        }
    }
}

fn unlisted() -> Error {
    Error::new(ErrorKind::Unsupported, "payments come from the shop: those that were booked are read with their sale")
}

fn marked(setup: &Setup, operator: &str, text: &str) -> Value {
    let described = json!(["description", operator, text]);
    if setup.has_web_ids() { json!(["OR", ["web_id", operator, text], described]) } else { described }
}

/// Our mark on a row, where it carries one.
fn mark_of(row: &Value) -> Option<&str> {
    let told = |field: &str| row.get(field).and_then(Value::as_str).filter(|text| is_mark(text));
    ["web_id", "description", "code"].into_iter().find_map(told)
}

pub(super) fn is_withdrawn(snapshot: &Snapshot) -> bool {
    match snapshot.records.first() {
        Some((_, Record::Order(order))) => order.stage.as_deref() == Some("cancelled"),
        _ => false,
    }
}

/// Written since, or made since and never written: `write_date` of sales and moves is null until the first write.
///
/// Not for what can be retired: within `OR` Tryton adds `active = true` by itself, whatever is asked beside it.
pub(super) fn changed_since(since: Timestamp) -> Value {
    let from = Moment(since);
    json!(["OR", ["write_date", ">=", from], [["write_date", "=", null], ["create_date", ">=", from]]])
}

/// Written since. Parties, products and whatever else has a code are written as they are made.
pub(super) fn written_since(since: Timestamp) -> Value {
    json!(["write_date", ">=", Moment(since)])
}

/// When a row was last written; for a product, or its template.
pub(super) fn moment_of(row: &Value) -> Option<Timestamp> {
    let told = |row: &Value| TimesRow::deserialize(row).ok().and_then(|times| times.moment());
    told(row).max(row.get("template.").and_then(told))
}

/// The id of the last row; an error where ids do not grow, which would repeat a page for ever.
pub(super) fn ascending(rows: &[Value], mut last: i64) -> Result<i64> {
    for row in rows {
        let id = id_of(row)?;
        if id <= last {
            let message = format!("Tryton listed id {id} after {last}: a page repeats or is out of order");
            return Err(Error::new(ErrorKind::Broken, message));
        }
        last = id;
    }
    Ok(last)
}

fn foreign(cursor: &Cursor) -> Error {
    let shown = syncline_core::text::shown(&cursor.0, 80);
    Error::new(ErrorKind::Broken, format!("`{shown}` is no cursor of this connector"))
}

/// The last id of a listing, as its cursor tells it; zero for the beginning.
pub(super) fn rest_of(after: &Cursor) -> Result<i64> {
    match after.0.as_str() {
        "" => Ok(0),
        text => text.parse().map_err(|_| foreign(after)),
    }
}

/// Where a walk stands, as its cursor tells it; the beginning for an empty one.
pub(super) fn walk_of<T: Default + serde::de::DeserializeOwned>(cursor: &Cursor) -> Result<T> {
    match cursor.0.as_str() {
        "" => Ok(T::default()),
        text => serde_json::from_str(text).map_err(|_| foreign(cursor)),
    }
}

/// The cursor that tells where a walk stands.
pub(super) fn cursor_of(walk: &impl Serialize) -> Result<Cursor> {
    let text = serde_json::to_string(walk)
        .map_err(|error| Error::new(ErrorKind::Broken, format!("a cursor cannot be written: {error}")))?;
    Ok(Cursor(text))
}

/// Where a walk through changes stands.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Walk {
    /// Changes before this are known; none for all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    since: Option<Timestamp>,
    /// When this pass began, by our clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    start: Option<Timestamp>,
    /// The latest change met in this pass, by Tryton's clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    top: Option<Timestamp>,
    /// The last id of this pass.
    #[serde(default)]
    id: i64,
    /// Whether this pass goes through the products of changed templates, the templates of changed products, or the parties
    /// of changed addresses and the like.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    families: bool,
    /// Whether it goes through the products of changed images.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    images: bool,
}

/// Parties with something below them that was written or made since: each can be changed without its party. What was
/// retired counts, too, which rules out one search for both.
fn changed_below(since: Timestamp) -> Value {
    let mut any = vec![json!("OR")];
    for list in ["addresses", "contact_mechanisms", "identifiers"] {
        any.push(json!([list, "where", [["active", "in", [true, false]], written_since(since)]]));
        any.push(json!([list, "where", [["create_date", ">=", Moment(since)]]]));
    }
    Value::Array(any)
}

/// Products with an image that was written or made since, their own or their template's; each moves no product. One that
/// was taken away shows only with a write of the product, as in its form, or to a sweep that reads every record whole.
fn images_changed(since: Timestamp) -> Value {
    let all = json!(["active", "in", [true, false]]);
    let images = json!(["images", "where", changed_since(since)]);
    json!(["OR", [all, images], [all, ["template", "where", [all, images]]]])
}

/// When a product was last changed, its template and images with it.
fn changed_at(snapshot: &Snapshot) -> Option<Timestamp> {
    match snapshot.records.first() {
        Some((_, Record::Variant(variant))) => variant.changed.at,
        _ => None,
    }
}

impl Walk {
    /// What the next page is searched by. What was retired has changed, too.
    fn domain(&self, kind: Kind, setup: &Setup) -> Vec<Value> {
        let mut domain = scope(kind, setup, true);
        domain.push(json!(["id", ">", self.id]));
        if kind == Kind::Variant {
            domain.push(json!(["code", "!=", null]));
        }
        let since = self.since.map(|since| match kind {
            Kind::Variant if self.images => images_changed(since),
            Kind::Variant if self.families => {
                json!(["template", "where", [["active", "in", [true, false]], written_since(since)]])
            }
            Kind::Customer if self.families => changed_below(since),
            Kind::Product if self.families => {
                json!(["products", "where", [["active", "in", [true, false]], written_since(since)]])
            }
            Kind::Customer | Kind::Variant | Kind::Product => written_since(since),
            _ => changed_since(since),
        });
        domain.extend(since);
        domain
    }

    /// Whether this pass goes on after its last page: from products to those of changed templates and then to those of
    /// changed images, from templates to those of changed products, from parties to those of changed addresses and the
    /// like.
    fn goes_on(&mut self, kind: Kind, images: bool) -> bool {
        let more = matches!(kind, Kind::Variant | Kind::Product | Kind::Customer) && self.since.is_some();
        let images = more && self.families && !self.images && kind == Kind::Variant && images;
        let families = more && !self.families;
        if families || images {
            (self.families, self.images, self.id) = (true, images, 0);
        }
        families || images
    }

    /// The next pass: from what this one met, but not from after it began, since what is written while it runs may
    /// lie behind it; and always a little further back, for transactions that were still open.
    fn ended(&self, start: Timestamp) -> Self {
        let since = match self.top {
            Some(top) => top.min(start).checked_sub(OVERLAP).ok(),
            None => None,
        };
        Self { since: since.max(self.since), ..Self::default() }
    }
}
