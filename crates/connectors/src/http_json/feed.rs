//! Walks lists: what changed since a moment, and all keys, page by page.
//!
//! A walk asks for everything from one moment on and keeps that moment to its end, for a list goes on by places that shift
//! with what is asked for. The next walk begins at the last change that was seen, or at the moment this one began where that
//! is earlier: what changes meanwhile on a page that was read already is told then. Both less the overlap.

use super::client::Answer;
use super::wire::{self, broken};
use super::{HttpJson, map};
use jiff::{SignedDuration, Timestamp};
use ring::digest;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;
use syncline_connect::json_api::{Resource, Style};
use syncline_connect::url::encoded;
use syncline_connect::{Ctx, Cursor, Error, KeyPage, Page, Result, Seen, Snapshot, ctx};
use syncline_core::id::RemoteId;
use syncline_core::policy::ErrorKind;
use syncline_core::record::Record;
use syncline_core::text::shown;

/// Pages of a list at most that are walked for single records.
const MOST_PAGES: usize = 10_000;

/// Where a walk stands.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
struct Place {
    /// From which moment on it asks; none for everything.
    #[serde(skip_serializing_if = "Option::is_none")]
    since: Option<Timestamp>,
    /// What the page is asked for by; empty for the first one.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    at: String,
    /// The address that told of the page, where it is one itself.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    from: String,
    /// Rows of the pages before it.
    #[serde(default)]
    rows: u64,
    /// The last change seen so far.
    #[serde(skip_serializing_if = "Option::is_none")]
    last: Option<Timestamp>,
    /// When it began, by the clock of the API where that is told.
    #[serde(skip_serializing_if = "Option::is_none")]
    began: Option<Timestamp>,
    /// What the page before it held, to know one that repeats.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    print: String,
}

impl Place {
    /// The place `cursor` tells; the beginning where it tells none that is understood.
    fn of(cursor: &Cursor) -> Self {
        serde_json::from_str(&cursor.0).unwrap_or_default()
    }

    fn cursor(&self) -> Cursor {
        match *self == Self::default() {
            true => Cursor::default(),
            false => Cursor(serde_json::to_string(self).unwrap_or_default()),
        }
    }

    /// Where the next walk begins once this one is over.
    fn over(&self, resource: &Resource) -> Self {
        if resource.since.is_none() {
            return Self::default();
        }
        let overlap = SignedDuration::from_secs(i64::from(resource.overlap.0.0));
        let seen = self.last.map(|last| self.began.map_or(last, |began| last.min(began)));
        let back = seen.and_then(|seen| seen.checked_sub(overlap).ok());
        Self { since: self.since.max(back), ..Self::default() }
    }
}

/// One page as it was read.
struct Slice {
    rows: Vec<Value>,
    /// Where to go on; none at the end.
    next: Option<Place>,
    /// The place of the page, with what it told.
    place: Place,
}

impl HttpJson {
    /// One page of changed products.
    pub(super) async fn changed(&self, ctx: &Ctx, resource: &Resource, since: &Cursor) -> Result<Page> {
        let slice = self.slice(ctx, resource, Place::of(since)).await?;
        let mut seen: BTreeMap<RemoteId, (usize, Seen)> = BTreeMap::new();
        for (at, row) in slice.rows.iter().enumerate() {
            // One that a page tells twice is told as it came last.
            let one = told(resource, row);
            seen.insert(one.id.clone(), (at, one));
        }
        let mut seen: Vec<(usize, Seen)> = seen.into_values().collect();
        seen.sort_by_key(|(at, _)| *at);
        let (more, next) = match slice.next {
            Some(next) => (true, next.cursor()),
            None => (false, slice.place.over(resource).cursor()),
        };
        Ok(Page { seen: seen.into_iter().map(|(_, one)| one).collect(), next, more })
    }

    /// One page of keys, each with when it was changed where that is told. One without an id is none: the feed tells of it.
    pub(super) async fn keys_after(&self, ctx: &Ctx, resource: &Resource, after: &Cursor) -> Result<KeyPage> {
        let slice = self.slice(ctx, resource, Place::of(after)).await?;
        let key = |row: &Value| Some((remote(resource, row).ok()?, version(resource, row)));
        let keys: BTreeMap<RemoteId, Option<String>> = slice.rows.iter().filter_map(key).collect();
        let more = slice.next.is_some();
        let next = slice.next.map_or_else(Cursor::default, |next| next.cursor());
        Ok(KeyPage { keys: keys.into_iter().collect(), next, more })
    }

    /// The products `ids` as the list tells them, where no other way leads to one.
    pub(super) async fn listed(
        &self,
        ctx: &Ctx,
        resource: &Resource,
        ids: &[RemoteId],
    ) -> Result<BTreeMap<RemoteId, Result<Snapshot>>> {
        let (mut found, mut place) = (BTreeMap::new(), Some(Place::default()));
        for _ in 0..MOST_PAGES {
            let Some(at) = place.take().filter(|_| found.len() < ids.len()) else { return Ok(found) };
            let slice = self.slice(ctx, resource, at).await?;
            let told = slice.rows.iter().map(|row| told(resource, row)).filter(|seen| ids.contains(&seen.id));
            found.extend(told.map(|seen| (seen.id, seen.snapshot)));
            place = slice.next;
        }
        Err(broken(format!("the list does not end within {MOST_PAGES} pages")))
    }

    /// The page at `place`.
    async fn slice(&self, ctx: &Ctx, resource: &Resource, mut place: Place) -> Result<Slice> {
        let url = self.page_url(resource, &place)?;
        let answer = self.list(ctx, resource, url).await?;
        let told = |error: Error| error.with(ctx::evidence(&answer.request, &answer.response));
        let rows = wire::rows(resource, &answer.body).map_err(told)?.to_vec();
        let print = print(resource, &rows);
        if !rows.is_empty() && print == place.print {
            return Err(told(broken(format!("{} repeats: a page tells what the one before told", answer.request.url))));
        }
        place.began = place.began.or_else(|| Some(clock(&answer).unwrap_or_else(|| ctx.now())));
        place.last =
            place.last.max(rows.iter().filter_map(|row| wire::moment(resource.changed.as_ref()?.get(row)?)).max());
        let at = wire::next(&resource.paging, &answer.body, &place.at, place.rows, rows.len()).map_err(told)?;
        let from = if resource.paging.style == Style::Link { answer.request.url.clone() } else { String::new() };
        let after = place.rows.saturating_add(rows.len() as u64);
        let next = at.map(|at| Place { at, from, rows: after, print, ..place.clone() });
        Ok(Slice { rows, next, place })
    }

    /// What the list at `url` answers.
    pub(super) async fn list(&self, ctx: &Ctx, resource: &Resource, url: String) -> Result<Answer> {
        let missing = || {
            let what = format!("{} is not there: look at `url` and at `list` and `find` in the file", ctx::shown(&url));
            Error::new(ErrorKind::Config, what)
        };
        self.client.read(ctx, url.clone(), resource.error.as_ref()).await?.ok_or_else(missing)
    }

    /// The address of the page at `place`.
    fn page_url(&self, resource: &Resource, place: &Place) -> Result<String> {
        let paging = &resource.paging;
        if paging.style == Style::Link && !place.at.is_empty() {
            return self.client.followed(&place.at, &place.from);
        }
        let mut url = self.client.address(resource.list.as_str());
        let mut add = |name: &str, value: &str| {
            url.push(if url.contains('?') { '&' } else { '?' });
            url.push_str(&format!("{name}={}", encoded(value)));
        };
        if let (Some(since), Some(at)) = (&resource.since, place.since) {
            add(&since.0, &wire::told_moment(at, resource.since_as));
        }
        if let (Some(parameter), Some(size)) = (&paging.size_parameter, paging.size) {
            add(&parameter.0, &size.to_string());
        }
        let first = match paging.style {
            Style::Page => paging.first.unwrap_or(1).to_string(),
            Style::Offset => "0".to_owned(),
            _ => String::new(),
        };
        let at = if place.at.is_empty() { &first } else { &place.at };
        if let Some(parameter) = paging.parameter.as_ref().filter(|_| !at.is_empty()) {
            add(&parameter.0, at);
        }
        Ok(url)
    }
}

/// The clock of the API, by the `Date` of an answer (RFC 9110, 6.6.1).
fn clock(answer: &Answer) -> Option<Timestamp> {
    let date = answer.response.header("date")?;
    jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(date).ok()
}

/// The id of a row.
fn remote(resource: &Resource, row: &Value) -> Result<RemoteId> {
    wire::id(&resource.id, row).map(|id| RemoteId::new("", id))
}

/// What a row says of when it was changed, as it says it.
fn version(resource: &Resource, row: &Value) -> Option<String> {
    match resource.changed.as_ref()?.get(row)? {
        Value::String(text) => Some(shown(text, 80)),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// A row as it is told: the record, or why it cannot be understood.
pub(super) fn told(resource: &Resource, row: &Value) -> Seen {
    match remote(resource, row) {
        Ok(id) => Seen { snapshot: snapshot(resource, id.clone(), row), id },
        Err(error) => {
            let sku = resource.fields.get(&syncline_connect::json_api::Leaf::sku()).and_then(|field| field.at.as_ref());
            let name = sku.and_then(|at| at.get(row)).map_or_else(|| wire::seen(row), wire::seen);
            Seen { id: RemoteId::new("", format!("unknown:{name}")), snapshot: Err(error) }
        }
    }
}

/// The product that `row` tells under `id`.
pub(super) fn snapshot(resource: &Resource, id: RemoteId, row: &Value) -> Result<Snapshot> {
    let variant = map::variant(resource, row)?;
    Ok(Snapshot {
        mark: None,
        found_by: None,
        version: version(resource, row),
        records: vec![(id.clone(), Record::Variant(variant))],
        id,
        evidence: None,
    })
}

/// What a page holds, in short: another one for another page.
fn print(resource: &Resource, rows: &[Value]) -> String {
    let mut hash = digest::Context::new(&digest::SHA256);
    for row in rows {
        let id = resource.id.get(row).map(Value::to_string).unwrap_or_default();
        hash.update(id.as_bytes());
        hash.update(b"\n");
    }
    hash.finish().as_ref().iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}
