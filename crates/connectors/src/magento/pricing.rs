//! Prices written: one request for all permits of a sort, complaints by row, and everything read back.

use super::client::{Call, Scope, refusal};
use super::complaints::{Complaint, complaints};
use super::lists::{self, BASE, SPECIAL, Setup};
use super::prices::Known;
use super::{Magento, map, unsupported, verdict, wire};
use crate::wire::json;
use jiff::civil::Date;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use syncline_connect::{Ctx, Effect, Error, Outcome, Result};
use syncline_core::delivery::{Change, Permit};
use syncline_core::id::RemoteId;
use syncline_core::kind::Step;
use syncline_core::leaf::{Leaf, Leaves, Value as LeafValue};
use syncline_core::money::Money;
use syncline_core::path::Path;
use syncline_core::policy::ErrorKind;
use syncline_core::record::{PriceKey, PriceRow};
use syncline_core::text::shown;

/// What goes in one request, in the order the requests are sent: what is set comes before what is taken away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Part {
    Base,
    Special,
    SpecialGone,
    Tiers,
    TiersGone,
}

impl Part {
    /// The part a leaf belongs to; none for what is no price.
    fn of(path: &Path, leaves: &Leaves) -> Option<Self> {
        let key = PriceKey::of(path)?;
        let gone = leaves.get(&key.path()) == Leaf::Empty;
        Some(match (key.list.as_str(), gone) {
            (BASE, _) => Self::Base,
            (SPECIAL, false) => Self::Special,
            (SPECIAL, true) => Self::SpecialGone,
            (_, false) => Self::Tiers,
            (_, true) => Self::TiersGone,
        })
    }

    /// Where it is sent. `PUT tier-prices` is never used: it takes away all that is not named (recorded:
    /// tier-price-put-replaces-all).
    fn path(self) -> &'static str {
        match self {
            Self::Base => "products/base-prices",
            Self::Special => "products/special-price",
            Self::SpecialGone => "products/special-price-delete",
            Self::Tiers => "products/tier-prices",
            Self::TiersGone => "products/tier-prices-delete",
        }
    }
}

/// The parts of an update that go in one request each.
pub(super) fn split(leaves: &Leaves) -> Vec<Leaves> {
    let mut parts: BTreeMap<Option<Part>, Leaves> = BTreeMap::new();
    for (path, value) in leaves.iter() {
        parts.entry(Part::of(path, leaves)).or_default().tell(path.clone(), value.cloned());
    }
    parts.into_values().collect()
}

/// What is wanted of one row; what is not told stays as it is.
#[derive(Debug, Clone, Copy, Default)]
struct Wanted {
    amount: Option<Money>,
    until: Option<Option<Date>>,
}

/// What a permit allows.
#[derive(Debug, Clone)]
struct Wish {
    id: RemoteId,
    part: Part,
    set: BTreeMap<PriceKey, Wanted>,
    gone: BTreeSet<PriceKey>,
}

/// The rows that bring a wish about.
#[derive(Debug)]
struct Sending {
    part: Part,
    /// As the shop spells it, and so repeats it in its complaints.
    sku: String,
    rows: Vec<Value>,
    /// The wish itself is only sent after this: the shop keeps days that are not sent.
    clears: bool,
}

/// How far a permit has come.
enum State<'p> {
    Ended(Outcome),
    Ready { wish: Wish, sending: Sending, permit: &'p Permit },
    Sent { wish: Wish, clears: bool, own: Option<String>, stray: Option<String> },
}

impl Magento {
    /// What became of each permit. What already is as it is wanted is not sent.
    pub(super) async fn write_prices(&self, ctx: &Ctx, permits: Vec<Permit>) -> Vec<Outcome> {
        let mut states = self.prepared(ctx, &permits).await;
        let mut requests: BTreeMap<Part, Vec<usize>> = BTreeMap::new();
        for (at, state) in states.iter().enumerate() {
            if let State::Ready { sending, .. } = state {
                requests.entry(sending.part).or_default().push(at);
            }
        }
        for (part, places) in requests {
            self.send_part(ctx, part, &places, &mut states).await;
        }
        self.what_became(ctx, states).await
    }

    /// What each permit comes to, by what the shop shows just now.
    async fn prepared<'p>(&self, ctx: &Ctx, permits: &'p [Permit]) -> Vec<State<'p>> {
        let refused = |error| State::Ended(Outcome::Refused(error));
        let setup = match self.price_setup(ctx).await {
            Ok(setup) => setup,
            Err(error) => return permits.iter().map(|_| refused(error.clone())).collect(),
        };
        let wishes: Vec<Result<Wish>> = permits.iter().map(|permit| wish(permit.change(), &setup)).collect();
        let ids: Vec<RemoteId> = wishes.iter().flatten().map(|wish| wish.id.clone()).collect();
        let mut known = self.known_prices(ctx, &setup, &ids).await.into_iter();
        let state = |(wish, permit): (Result<Wish>, &'p Permit)| {
            let wish = match wish {
                Ok(wish) => wish,
                Err(error) => return refused(error),
            };
            let known = match known.next() {
                Some(Ok(Some(known))) => known,
                Some(Err(error)) => return refused(error),
                Some(Ok(None)) | None => return refused(nobodys(&wish.id)),
            };
            match sending(&wish, &known, &setup) {
                Err(error) => refused(error),
                Ok(None) => State::Ended(Outcome::Done(Box::new(known.snapshot))),
                Ok(Some(_)) if ctx.now() > permit.deadline() => {
                    refused(Error::new(ErrorKind::Stale, "its deadline passed before the first byte left"))
                }
                Ok(Some(sending)) => State::Ready { wish, sending, permit },
            }
        };
        wishes.into_iter().zip(permits).map(state).collect()
    }

    /// Sends the rows of all permits of a part once, and says of each what the answer tells.
    async fn send_part(&self, ctx: &Ctx, part: Part, places: &[usize], states: &mut [State<'_>]) {
        let (mut notes, mut deadline, mut rows) = (Vec::new(), None, Vec::new());
        for at in places {
            if let Some(State::Ready { sending, permit, .. }) = states.get_mut(*at) {
                notes.push(permit.note());
                deadline = Some(deadline.map_or(permit.deadline(), |so_far| permit.deadline().min(so_far)));
                rows.append(&mut sending.rows);
            }
        }
        let Some(deadline) = deadline else { return };
        let answer = self.send_rows(ctx, part, Effect::Write { notes, deadline }, rows).await;
        let sent: Vec<(usize, String)> = places
            .iter()
            .filter_map(|at| match states.get(*at) {
                Some(State::Ready { sending, .. }) => Some((*at, sending.sku.clone())),
                _ => None,
            })
            .collect();
        let told = answer.as_deref().unwrap_or_default();
        let is_about = |complaint: &Complaint, sku: &str| complaint.is_about(sku);
        let stray = |complaint: &&Complaint| !sent.iter().any(|(_, sku)| is_about(complaint, sku));
        let strays = texts(told.iter().filter(stray));
        for (at, sku) in &sent {
            let Some(state) = states.get_mut(*at) else { continue };
            let own = texts(told.iter().filter(|complaint| is_about(complaint, sku)));
            let State::Ready { wish, sending, .. } = state else { continue };
            *state = match &answer {
                Ok(_) => State::Sent { wish: wish.clone(), clears: sending.clears, own, stray: strays.clone() },
                Err((false, error)) => State::Ended(Outcome::Refused(error.clone())),
                Err((true, error)) => State::Ended(Outcome::Unknown { learned: None, error: error.clone() }),
            };
        }
    }

    /// The complaints about rows that were sent once.
    ///
    /// # Errors
    /// The error, and whether rows may have been stored.
    async fn send_rows(
        &self,
        ctx: &Ctx,
        part: Part,
        effect: Effect,
        rows: Vec<Value>,
    ) -> std::result::Result<Vec<Complaint>, (bool, Error)> {
        let call = Call { method: "POST", scope: Scope::ALL, path: part.path() };
        let saved = self.client.save(ctx, call, effect, &json!({"prices": rows})).await;
        let (request, response) = saved.map_err(|failed| (failed.sent, failed.error))?;
        if let Some(unknown) = verdict(&response) {
            return Err((unknown, refusal(&request, &response)));
        }
        json::<Value>(&request, &response).map(|told| complaints(&told)).map_err(|error| (true, error))
    }

    /// What became of what was sent, by what is there now: a success answer is no proof.
    async fn what_became(&self, ctx: &Ctx, states: Vec<State<'_>>) -> Vec<Outcome> {
        let sent = |state: &State<'_>| match state {
            State::Sent { wish, .. } => Some(wish.id.clone()),
            _ => None,
        };
        let ids: Vec<RemoteId> = states.iter().filter_map(sent).collect();
        let mut known = match (ids.is_empty(), self.price_setup(ctx).await) {
            (true, _) => Vec::new(),
            (false, Ok(setup)) => self.known_prices(ctx, &setup, &ids).await,
            (false, Err(error)) => ids.iter().map(|_| Err(error.clone())).collect(),
        }
        .into_iter();
        let outcome = |state: State<'_>| match state {
            State::Ended(outcome) => outcome,
            State::Ready { .. } => Outcome::Refused(Error::new(ErrorKind::Stale, "it was not sent")),
            State::Sent { wish, clears, own, stray } => became(&wish, clears, own, stray, known.next()),
        };
        states.into_iter().map(outcome).collect()
    }
}

fn texts<'c>(complaints: impl Iterator<Item = &'c Complaint>) -> Option<String> {
    let all: Vec<&str> = complaints.map(|complaint| complaint.text.as_str()).collect();
    (!all.is_empty()).then(|| shown(&all.join("; "), 600))
}

/// What became of one wish. A complaint that names no SKU is about those that are not as they are wanted.
fn became(
    wish: &Wish,
    clears: bool,
    own: Option<String>,
    stray: Option<String>,
    read: Option<Result<Option<Known>>>,
) -> Outcome {
    let unknown = |error| Outcome::Unknown { learned: Some(wish.id.clone()), error };
    let invalid = |why: String| Outcome::Refused(map::invalid(format!("`{}`: {why}", shown(&wish.id.id, 80))));
    let known = match read {
        Some(Ok(Some(known))) => known,
        Some(Ok(None)) => return Outcome::Refused(nobodys(&wish.id)),
        Some(Err(error)) => return unknown(error),
        None => return unknown(Error::new(ErrorKind::Broken, "nothing was read back")),
    };
    match (own, stray) {
        (Some(why), _) => invalid(why),
        (None, Some(why)) if !landed(wish, &known) => invalid(why),
        _ if clears => {
            let what = "the special price was taken away first, because the shop keeps days that are not sent";
            unknown(Error::new(ErrorKind::Stale, what))
        }
        _ => Outcome::Done(Box::new(known.snapshot)),
    }
}

/// Whether all of a wish is there.
fn landed(wish: &Wish, known: &Known) -> bool {
    let rows = &known.sheet.rows;
    let is_set = |(key, wanted): (&PriceKey, &Wanted)| rows.get(key).is_some_and(|row| wanted.is(row));
    wish.set.iter().all(is_set) && wish.gone.iter().all(|key| !rows.contains_key(key))
}

impl Wanted {
    fn is(&self, row: &PriceRow) -> bool {
        self.amount.is_none_or(|amount| amount == row.amount) && self.until.is_none_or(|until| until == row.until)
    }
}

fn nobodys(id: &RemoteId) -> Error {
    Error::new(ErrorKind::Gone, format!("`{}`: the shop has no product with this SKU", shown(&id.id, 80)))
}

/// What a change wants.
fn wish(change: &Change, setup: &Setup) -> Result<Wish> {
    let (Some(id), Step::Update) = (&change.document, &change.step) else {
        return Err(unsupported("only prices of products that are there are written"));
    };
    let mut parts = BTreeSet::new();
    let (mut set, mut gone) = (BTreeMap::<PriceKey, Wanted>::new(), BTreeSet::new());
    for (path, value) in change.leaves.iter() {
        let found = PriceKey::of(path).zip(path.within("prices")).zip(Part::of(path, &change.leaves));
        let Some(((key, (_, field)), part)) = found else {
            return Err(unsupported(&format!("`{path}` of prices is not written")));
        };
        parts.insert(part);
        match (field, value) {
            (_, None) if matches!(part, Part::SpecialGone | Part::TiersGone) => drop(gone.insert(key)),
            ("", None) => return Err(map::invalid(format!("`{path}`: a base price cannot be taken away"))),
            ("", Some(LeafValue::Money(amount))) => {
                lists::written(&key, *amount, setup)?;
                set.entry(key).or_default().amount = Some(*amount);
            }
            ("until", None) => set.entry(key).or_default().until = Some(None),
            ("until", Some(LeafValue::Day(day))) if key.list == SPECIAL => {
                set.entry(key).or_default().until = Some(Some(*day));
            }
            _ => return Err(unsupported(&format!("`{path}` of prices is not written like this"))),
        }
    }
    match (parts.len(), parts.first()) {
        (1, Some(part)) => Ok(Wish { id: id.clone(), part: *part, set, gone }),
        (0, _) | (_, None) => Err(unsupported("a change of prices without a price")),
        _ => Err(unsupported("a change of prices of several sorts is several requests")),
    }
}

/// The rows that bring a wish about; none where all is as it is wanted.
fn sending(wish: &Wish, known: &Known, setup: &Setup) -> Result<Option<Sending>> {
    for key in wish.set.keys().chain(&wish.gone) {
        if let Some(why) = known.sheet.closed(&key.list) {
            return Err(unsupported(&format!(
                "the list `{}` of this product is not ours: {why}",
                shown(&key.list, 60)
            )));
        }
    }
    if landed(wish, known) {
        return Ok(None);
    }
    let sku = &known.told.sku;
    let (part, rows) = match wish.part {
        Part::Base => (Part::Base, base_rows(wish, sku, setup)?),
        Part::Special => return special_rows(wish, known, setup).map(Some),
        Part::SpecialGone => (Part::SpecialGone, old_special(known, setup)?),
        Part::Tiers => (Part::Tiers, tier_rows(wish, known, setup)?),
        Part::TiersGone => (Part::TiersGone, old_tiers(wish, known, setup)?),
    };
    // A last day that is to be taken away where there is no price is gone already.
    Ok((!rows.is_empty()).then(|| Sending { part, sku: sku.clone(), rows, clears: false }))
}

fn base_rows(wish: &Wish, sku: &str, setup: &Setup) -> Result<Vec<Value>> {
    let mut rows = Vec::new();
    for amount in wish.set.values().filter_map(|wanted| wanted.amount) {
        for view in setup.views() {
            rows.push(json!({"price": lists::number(amount.amount)?, "store_id": view, "sku": sku}));
        }
    }
    Ok(rows)
}

/// The rows of the one special price the shop keeps, one for each view; its old one is taken away first where it has a day the new one lacks.
fn special_rows(wish: &Wish, known: &Known, setup: &Setup) -> Result<Sending> {
    let mut wanted = wish.set.iter();
    let (Some((key, wanted)), None) = (wanted.next(), wanted.next()) else {
        return Err(map::invalid("the shop keeps one special price of a product, not several".to_owned()));
    };
    let old = known.sheet.special();
    let same = old.filter(|(old, _)| *old == key).map(|(_, row)| row);
    let Some(amount) = wanted.amount.or(same.map(|row| row.amount)) else {
        return Err(Error::new(ErrorKind::Stale, "the special price whose last day was to change is there no more"));
    };
    let until = wanted.until.unwrap_or_else(|| same.and_then(|row| row.until));
    let lacks = |(was, row): (&PriceKey, &PriceRow)| {
        (was.from.is_some() && key.from.is_none()) || (row.until.is_some() && until.is_none())
    };
    if old.is_some_and(lacks) {
        return Ok(Sending {
            part: Part::SpecialGone,
            sku: known.told.sku.clone(),
            rows: old_special(known, setup)?,
            clears: true,
        });
    }
    let mut row = json!({"price": lists::number(amount.amount)?, "sku": known.told.sku});
    // Both begin their day, as the back office stores them: the shop itself adds a day to the last one.
    for (field, day) in [("price_from", key.from), ("price_to", until)] {
        if let (Some(day), Some(fields)) = (day, row.as_object_mut()) {
            fields.insert(field.to_owned(), json!(format!("{day} 00:00:00")));
        }
    }
    let of_view = |view: u64| {
        let mut row = row.clone();
        row.as_object_mut().map(|fields| fields.insert("store_id".to_owned(), json!(view)));
        row
    };
    let rows = setup.views().into_iter().map(of_view).collect();
    Ok(Sending { part: Part::Special, sku: known.told.sku.clone(), rows, clears: false })
}

/// The special price as the shop told it just now.
fn old_special(known: &Known, setup: &Setup) -> Result<Vec<Value>> {
    let views = setup.views();
    let row = |old: &wire::SpecialPrice| {
        let price = lists::number(old.price.map(|price| price.0).unwrap_or_default())?;
        let time = |text: &Option<wire::Text>| text.as_ref().map_or("", |text| text.0.as_str()).to_owned();
        let (from, to) = (time(&old.price_from), time(&old.price_to));
        Ok(json!({
            "price": price, "store_id": old.store_id.0, "sku": known.told.sku, "price_from": from, "price_to": to,
        }))
    };
    let ours = |old: &&wire::SpecialPrice| old.price.is_some() && views.contains(&old.store_id.0);
    known.told.special.iter().filter(ours).map(row).collect()
}

fn tier(sku: &str, key: &PriceKey, amount: Money, website: u64) -> Result<Value> {
    let (price, quantity) = (lists::number(amount.amount)?, lists::number(key.quantity)?);
    let group = lists::group_of(&key.list);
    Ok(json!({
        "price": price, "price_type": "fixed", "website_id": website, "sku": sku, "customer_group": group,
        "quantity": quantity,
    }))
}

/// The tiers that are other than wanted. Whether there is such a group the shop says: ours may be newer than the list of them.
fn tier_rows(wish: &Wish, known: &Known, setup: &Setup) -> Result<Vec<Value>> {
    let mut rows = Vec::new();
    for (key, wanted) in &wish.set {
        let Some(amount) = wanted.amount else { continue };
        if known.sheet.rows.get(key).is_none_or(|row| row.amount != amount) {
            rows.push(tier(&known.told.sku, key, amount, setup.website())?);
        }
    }
    Ok(rows)
}

/// The tiers that are to go, as the shop told them just now: it finds them by their amount.
fn old_tiers(wish: &Wish, known: &Known, setup: &Setup) -> Result<Vec<Value>> {
    let rows = wish.gone.iter().filter_map(|key| Some((key, known.sheet.rows.get(key)?)));
    let row = |(key, row): (&PriceKey, &PriceRow)| {
        if row.amount.amount.is_zero() {
            let what = "the shop takes a tier of nothing away in its back office only";
            return Err(map::invalid(format!("`{}`: {what}", key.path())));
        }
        tier(&known.told.sku, key, row.amount, setup.website())
    };
    rows.map(row).collect()
}
