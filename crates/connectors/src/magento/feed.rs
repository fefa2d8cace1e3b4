//! Pages of what changed: a keyset over (updated_at, entity_id) that page numbers, late rows and bad rows cannot break.
//!
//! A pass starts [`OVERLAP_S`] before the highest change seen so far, because a row is stamped when its save begins
//! and shown when it is committed. It asks for rows from where it stands, in an order of its own, always page 1:
//! page numbers shift while rows change. Magento cannot ask for "later, or as late with a higher id" at once, so a
//! second with more rows than a page is read by id, and then what is past it.

use super::client::{Client, Scope, Search, Trouble};
use super::lost;
use super::map::moment;
use super::wire::Listing;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use syncline_connect::{Ctx, Cursor, Error, Result};
use syncline_core::policy::ErrorKind;

/// Seconds a pass goes back behind the highest change seen: longer than a checkout's transaction takes.
pub(super) const OVERLAP_S: i64 = 600;
/// Where the first pass starts.
const BEGINNING: &str = "1971-01-01 00:00:00";
/// Rows in a row that may fail before the shop counts as failing, not the rows.
const BAD_ROWS: u32 = 8;

/// Rows of a page that may stand elsewhere than they were asked for; more, and the shop does not sort.
const MOST_ODD: usize = 8;

/// Where a row stands: its change and its id.
type Place = (String, u64);

/// The list that is read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Table<'s> {
    /// The route of the search.
    pub(super) resource: &'static str,
    /// The id's name in an item; in filters it is always `entity_id`.
    pub(super) id: &'static str,
    /// The scope it is asked in.
    pub(super) scope: Scope<'s>,
    /// Filters of which one has to hold; empty for every row.
    pub(super) any: &'s [lost::Filter],
    /// What must hold of a row to be of the list: field, condition and value.
    pub(super) only: &'static [(&'static str, &'static str, &'static str)],
    /// What is asked of a row; empty for all of it.
    pub(super) fields: &'static str,
    /// What is asked of a row that cannot be read in full.
    pub(super) outline: &'static str,
}

impl Table<'_> {
    /// `filters` and what must hold of every row.
    pub(super) fn within(self, filters: Vec<lost::Filter>) -> Vec<lost::Filter> {
        let own = self.only.iter().map(|(field, condition, value)| (*field, *condition, (*value).to_owned()));
        filters.into_iter().chain(own).collect()
    }
}

/// One row of a page.
#[derive(Debug)]
pub(super) enum Row {
    /// As it came.
    Read(Value),
    /// The shop fails on it.
    Lost {
        /// Its outline; its id where not even that much came.
        outline: Value,
        /// What the shop said.
        error: Error,
    },
}

/// One page.
#[derive(Debug)]
pub(super) struct Slice {
    pub(super) rows: Vec<Row>,
    pub(super) next: Cursor,
    pub(super) more: bool,
}

/// The cursor's content.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct State {
    /// The highest change of the passes that ended.
    high: Option<String>,
    /// The pass under way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pass: Option<Pass>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Pass {
    at: At,
    /// The highest change seen in this pass.
    top: Option<String>,
    /// The change before the first row that was lost without its id: the next pass starts there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    stuck: Option<String>,
}

/// Where a pass stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum At {
    /// Everything from this second on.
    From(String),
    /// Everything behind this row; its second is asked for again and what is known is dropped.
    After(String, u64),
    /// The rows of this second with higher ids.
    Within(String, u64),
    /// Everything past this second.
    Past(String),
}

impl At {
    fn filters(&self) -> Vec<(&'static str, &'static str, String)> {
        match self {
            Self::From(time) | Self::After(time, _) => vec![("updated_at", "gteq", time.clone())],
            Self::Within(time, id) => {
                vec![("updated_at", "eq", time.clone()), ("entity_id", "gt", id.to_string())]
            }
            Self::Past(time) => vec![("updated_at", "gt", time.clone())],
        }
    }

    fn time(&self) -> &str {
        match self {
            Self::From(time) | Self::After(time, _) | Self::Within(time, _) | Self::Past(time) => time,
        }
    }

    /// The last place of a page, taken off it: only that a later row follows tells that a row was not changed after it
    /// was sorted, and a pass that went on from such a row would leave out what lies between. It opens the next page.
    fn witness(&self, orderly: &mut Vec<Place>) -> Option<Place> {
        match self {
            Self::Within(..) => None,
            _ if orderly.len() < 2 => None,
            _ => orderly.pop(),
        }
    }

    /// Whether a row with this place may come where this was asked.
    fn admits(&self, (time, id): &Place) -> bool {
        match self {
            Self::From(from) | Self::After(from, _) => time >= from,
            Self::Within(second, above) => time == second && id > above,
            Self::Past(second) => time > second,
        }
    }

    fn is_new(&self, (time, id): &Place) -> bool {
        match self {
            Self::After(known, above) => (time, id) > (known, above),
            _ => true,
        }
    }
}

/// What was fetched for one page.
struct Fetched {
    items: Vec<Value>,
    lost: Vec<Row>,
    /// The shop failed on more rows than could be named.
    unnamed: bool,
    /// Nothing more matches what was asked.
    complete: bool,
}

/// The next page of changes.
///
/// # Errors
/// `Broken` for a cursor that is none of ours or a shop that repeats a page; what the shop refuses.
pub(super) async fn changes(client: &Client, ctx: &Ctx, table: Table<'_>, since: &Cursor) -> Result<Slice> {
    let state = parsed(since)?;
    let mut pass = match state.pass {
        Some(pass) => pass,
        None => Pass { at: At::From(start(state.high.as_deref())?), top: None, stuck: None },
    };
    let fetched = fetch(client, ctx, table, &mut pass.at).await?;
    let places: Vec<Place> = fetched.items.iter().filter_map(|item| place(item, table.id)).collect();
    let (mut orderly, odd) = sorted_out(table, &pass.at, &places, fetched.complete)?;
    let witness = if fetched.complete { None } else { pass.at.witness(&mut orderly) };
    pass.top = pass.top.into_iter().chain(places.iter().map(|(time, _)| time.clone())).max();
    if fetched.unnamed {
        let here = pass.at.time().to_owned();
        pass.stuck = Some(pass.stuck.map_or(here.clone(), |stuck| stuck.min(here)));
    }
    let mut rows = fetched.lost;
    let is_new = |item: &Value| {
        place(item, table.id).is_none_or(|place| {
            odd.contains(&place) || pass.at.is_new(&place) && witness.as_ref().is_none_or(|witness| place != *witness)
        })
    };
    let next = advanced(table, &pass.at, &orderly, fetched.complete)?;
    rows.extend(fetched.items.into_iter().filter(is_new).map(Row::Read));
    let (state, more) = match next {
        Some(at) => (State { high: state.high, pass: Some(Pass { at, ..pass }) }, true),
        None => (State { high: high(ctx.now(), state.high, pass), pass: None }, false),
    };
    let text =
        serde_json::to_string(&state).map_err(|error| broken(format!("the cursor cannot be written: {error}")))?;
    Ok(Slice { rows, next: Cursor(text), more })
}

fn broken(what: String) -> Error {
    Error::new(ErrorKind::Broken, what)
}

fn parsed(cursor: &Cursor) -> Result<State> {
    if cursor.0.is_empty() {
        return Ok(State::default());
    }
    serde_json::from_str(&cursor.0).map_err(|error| {
        broken(format!("the cursor `{}` is none of Magento's: {error}", syncline_core::text::shown(&cursor.0, 120)))
    })
}

/// Where a pass starts: the overlap before the highest change seen.
fn start(high: Option<&str>) -> Result<String> {
    let Some(high) = high else { return Ok(BEGINNING.to_owned()) };
    let top = moment(high).ok_or_else(|| broken(format!("the cursor holds `{high}`, which is no time")))?;
    let from = top.checked_sub(SignedDuration::from_secs(OVERLAP_S)).unwrap_or(top);
    Ok(stamp(from))
}

/// A moment as Magento writes it.
fn stamp(moment: Timestamp) -> String {
    jiff::fmt::strtime::format("%Y-%m-%d %H:%M:%S", moment).unwrap_or_else(|_| BEGINNING.to_owned())
}

/// The high mark after a pass. A row stamped in the future must not hide what comes before that future.
fn high(now: Timestamp, before: Option<String>, pass: Pass) -> Option<String> {
    let top = pass.top.map(|top| top.min(stamp(now)));
    let high = before.into_iter().chain(top).max();
    match (high, pass.stuck) {
        (Some(high), Some(stuck)) => Some(high.min(stuck)),
        (high, _) => high,
    }
}

/// The place of a row, where it tells one.
fn place(item: &Value, id: &str) -> Option<Place> {
    let time = item.get("updated_at")?.as_str().filter(|text| moment(text).is_some())?;
    let id = match item.get(id)? {
        Value::String(text) => text.parse().ok()?,
        Value::Number(number) => number.to_string().parse().ok()?,
        _ => return None,
    };
    Some((time.to_owned(), id))
}

/// The places that came as they were asked for, and the few that did not: a row may be changed between the moment
/// the shop sorts it and the moment it shows it. Odd rows are taken in; the pass does not go on from them. Where all
/// that matches came at once, its order tells nothing.
fn sorted_out(table: Table<'_>, at: &At, places: &[Place], complete: bool) -> Result<(Vec<Place>, BTreeSet<Place>)> {
    let resource = table.resource;
    let (within, mut odd): (Vec<Place>, Vec<Place>) = places.iter().cloned().partition(|place| at.admits(place));
    if let (true, Some((time, id))) = (within.is_empty(), places.first()) {
        return Err(broken(format!("{resource}: page repeats: row {id} of {time} came where {at:?} was asked for")));
    }
    let (orderly, rest) = longest_sorted(within);
    odd.extend(rest);
    if !complete && odd.len() > (places.len() / 4).min(MOST_ODD) {
        let few = format!("{} of {} rows do not come in the order that was asked for", odd.len(), places.len());
        return Err(broken(format!("{resource}: {few}")));
    }
    Ok((orderly, odd.into_iter().collect()))
}

/// The longest part of `places` that is in order, and what is left.
fn longest_sorted(places: Vec<Place>) -> (Vec<Place>, Vec<Place>) {
    // Per place the length of the longest sorted run of places that ends with it, and the place before it there.
    let mut runs: Vec<(usize, Option<usize>)> = Vec::with_capacity(places.len());
    for (at, place) in places.iter().enumerate() {
        let before = (0..at).filter(|&earlier| places[earlier] <= *place).max_by_key(|&earlier| runs[earlier].0);
        runs.push((before.map_or(1, |before| runs[before].0 + 1), before));
    }
    let mut kept = BTreeSet::new();
    let mut last = (0..runs.len()).max_by_key(|&at| runs[at].0);
    while let Some(at) = last {
        kept.insert(at);
        last = runs[at].1;
    }
    let (orderly, rest): (Vec<_>, Vec<_>) = places.into_iter().enumerate().partition(|(at, _)| kept.contains(at));
    let bare = |list: Vec<(usize, Place)>| list.into_iter().map(|(_, place)| place).collect();
    (bare(orderly), bare(rest))
}

/// Where the pass goes on; none where it is over.
fn advanced(table: Table<'_>, at: &At, places: &[Place], complete: bool) -> Result<Option<At>> {
    if complete {
        return Ok(match at {
            At::Within(second, _) => Some(At::Past(second.clone())),
            _ => None,
        });
    }
    let (Some((first, _)), Some((time, id))) = (places.first(), places.last()) else {
        return Err(broken(format!("{}: page repeats: no row tells its id and its time", table.resource)));
    };
    let one_second = first == time;
    Ok(Some(match at {
        At::Within(..) => At::Within(time.clone(), *id),
        At::After(known, above) if one_second && known == time => At::Within(time.clone(), (*id).max(*above)),
        _ if one_second => At::Within(time.clone(), *id),
        _ => At::After(time.clone(), *id),
    }))
}

fn search<'s>(client: &Client, table: Table<'s>, at: &At, size: u32) -> Search<'s> {
    let sort = vec!["updated_at", "entity_id"];
    let size = size.min(client.page_size());
    Search {
        scope: table.scope,
        resource: table.resource,
        filters: table.within(at.filters()),
        any: table.any,
        sort,
        size,
        page: 1,
        fields: table.fields,
    }
}

/// One page; smaller and smaller where the shop fails on it, down to the row it fails on.
async fn fetch(client: &Client, ctx: &Ctx, table: Table<'_>, at: &mut At) -> Result<Fetched> {
    let mut size = client.page_size();
    loop {
        match client.list(ctx, &search(client, table, at, size)).await {
            Ok(listing) => return Ok(whole(listing, size)),
            Err(Trouble { smaller_may_help: true, .. }) if size > 1 => {
                size /= 2;
                // A small page must hold nothing that would be dropped, or it would never get on.
                if let At::After(time, id) = at {
                    *at = At::Within(time.clone(), *id);
                }
            }
            Err(Trouble { smaller_may_help: true, .. }) => return around(client, ctx, table, at).await,
            Err(trouble) => return Err(trouble.error),
        }
    }
}

fn whole(listing: Listing, size: u32) -> Fetched {
    let items = listing.items.unwrap_or_default();
    let short = items.len() < usize::try_from(size).unwrap_or(usize::MAX);
    let complete = items.is_empty() || listing.total_count.map_or(short, |total| items.len() >= total);
    Fetched { items, lost: Vec::new(), unnamed: false, complete }
}

/// The first row behind those the shop fails on, and those rows.
async fn around(client: &Client, ctx: &Ctx, table: Table<'_>, at: &At) -> Result<Fetched> {
    let (mut lost, mut silent) = (Vec::new(), Vec::new());
    let mut one = search(client, table, at, 1);
    let items = loop {
        match client.list(ctx, &one).await {
            Ok(listing) => break listing.items.unwrap_or_default(),
            Err(trouble) if !trouble.smaller_may_help || one.page > BAD_ROWS => return Err(trouble.error),
            Err(trouble) => {
                let outline = client.list(ctx, &Search { fields: table.outline, ..one.clone() }).await;
                match outline.ok().and_then(|listing| listing.items?.into_iter().next()) {
                    Some(outline) => lost.push(Row::Lost { outline, error: trouble.error }),
                    None => silent.push(trouble.error),
                }
                one.page += 1;
            }
        }
    };
    let behind = items.first().and_then(|item| place(item, table.id));
    let ids = named(client, ctx, table, at, behind, silent.len()).await?;
    let unnamed = ids.len() < silent.len();
    let named = ids.into_iter().zip(silent).map(|(id, error)| Row::Lost { outline: json!({table.id: id}), error });
    lost.extend(named);
    Ok(Fetched { complete: items.is_empty(), items, lost, unnamed })
}

/// The ids of `count` rows the shop fails on that stand before the place `behind`.
async fn named(
    client: &Client,
    ctx: &Ctx,
    table: Table<'_>,
    at: &At,
    behind: Option<Place>,
    count: usize,
) -> Result<Vec<u64>> {
    let mut windows = vec![table.within(at.filters())];
    if let Some((time, id)) = behind {
        let mut same_second = table.within(at.filters());
        same_second.extend([("updated_at", "eq", time.clone()), ("entity_id", "lt", id.to_string())]);
        windows.push(same_second);
        windows[0].push(("updated_at", "lt", time));
    }
    let mut ids = Vec::new();
    for window in windows {
        ids.extend(lost::ids(client, ctx, table, &window, count - ids.len()).await?);
    }
    Ok(ids)
}
