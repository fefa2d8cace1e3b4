//! The port: what every connector does. One dyn-safe trait, boxed futures, remote ids only.

use crate::ctx::Ctx;
use crate::error::{Error, Evidence, Result};
use crate::hook::{Hint, Hook};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt::Debug;
use std::future::Future;
use std::pin::Pin;
use syncline_core::delivery::{Change, Permit};
use syncline_core::id::{Mark, RemoteId};
use syncline_core::kind::Kind;
use syncline_core::leaf::{Leaves, Value};
use syncline_core::path::Path;
use syncline_core::profile::{Fit, Profile};
use syncline_core::record::Record;

/// A boxed future that can cross threads.
pub type Fut<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Where a read goes on: opaque text of the connector; empty for the beginning.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Cursor(pub String);

/// A document as one read shows it.
#[derive(Debug, Clone)]
pub struct Snapshot {
    /// Its id.
    pub id: RemoteId,
    /// Our mark on it, where it carries one.
    pub mark: Option<String>,
    /// What it was found by, where it was searched for by what stands in a field.
    pub found_by: Option<String>,
    /// Its version where the system has one: what a guarded write expects, and what tells two reads apart.
    pub version: Option<String>,
    /// The record itself first, then others the same document tells of, each with its own id.
    pub records: Vec<(RemoteId, Record)>,
    /// The raw exchange; a page of changes may leave it out.
    pub evidence: Option<Evidence>,
}

/// One change noticed.
#[derive(Debug, Clone)]
pub struct Seen {
    /// Which record.
    pub id: RemoteId,
    /// The record, or why it cannot be understood; a record that cannot be read stops no other.
    pub snapshot: Result<Snapshot>,
}

/// One page of changes, oldest first.
#[derive(Debug, Clone)]
pub struct Page {
    /// What changed.
    pub seen: Vec<Seen>,
    /// Where to go on.
    pub next: Cursor,
    /// Whether more is there right now.
    pub more: bool,
}

/// One page of keys, in the profile's order.
#[derive(Debug, Clone)]
pub struct KeyPage {
    /// Ids, with a version where the listing tells one.
    pub keys: Vec<(RemoteId, Option<String>)>,
    /// Where to go on.
    pub next: Cursor,
    /// Whether more is there.
    pub more: bool,
}

/// What to search by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lookup {
    /// Our mark.
    Mark(Mark),
    /// Every document that carries any mark of ours, for `verify`.
    AnyMark,
    /// What people call it: the number of an order, the SKU of a variant.
    Number(String),
    /// What stands in a field, in the connector's words: `number`, `reference`, `id` and whatever else it has. Any of these
    /// values; each document tells by which one it was found.
    Told {
        /// The field.
        field: String,
        /// What may stand in it; none asks only whether the field can be searched by.
        values: Vec<String>,
    },
    /// The papers of this order that carry our mark.
    Paper {
        /// The order, as this system calls it.
        order: RemoteId,
        /// The mark.
        mark: Mark,
    },
    /// What has this name right below that record, or at the top where none is named: a category.
    Below {
        /// What it stands below.
        parent: Option<RemoteId>,
        /// What it is called.
        name: String,
    },
}

/// What became of one permit.
#[derive(Debug)]
pub enum Outcome {
    /// It happened; the document as read back.
    Done(Box<Snapshot>),
    /// It did not happen and will not by itself.
    Refused(Error),
    /// Nobody knows; the document it made where that much was learned.
    Unknown {
        /// The document, where its id came back.
        learned: Option<RemoteId>,
        /// What went wrong.
        error: Error,
    },
}

/// One row a mapping table can point to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Choice {
    /// The code, as the mapping table writes it.
    pub code: String,
    /// What a person sees.
    pub title: String,
    /// Rate in percent for taxes, ISO code for currencies; empty otherwise.
    pub hint: String,
}

/// What a probe of one system found.
#[derive(Debug, Clone, Serialize)]
pub struct Probe {
    /// Its version in its own words.
    pub version: String,
    /// The profile with the guards that are really there.
    pub profile: Profile,
    /// Scopes: id and name.
    pub scopes: Vec<(String, String)>,
    /// Its time zone (IANA), where it tells one.
    pub zone: Option<String>,
    /// Rows for mapping tables, by table: `taxes`, `payment_terms`, `currencies`, `products`, `web_shops` …
    pub choices: BTreeMap<String, Vec<Choice>>,
    /// What is amiss but does not stop work.
    pub warnings: Vec<String>,
}

/// What one system can do for us. Speaks remote ids only.
pub trait Connector: Debug + Send + Sync {
    /// What this kind of system can do at best.
    fn profile(&self) -> &Profile;

    /// What this one can do: version, rights, guards by installed modules, rows for the mapping tables.
    fn probe<'a>(&'a self, ctx: &'a Ctx) -> Fut<'a, Result<Probe>>;

    /// How this system will keep a value. Pure and idempotent.
    fn fit(&self, kind: Kind, path: &Path, value: &Value) -> Fit;

    /// Changes since `since`, oldest first, with an overlap that covers late commits.
    fn changes<'a>(&'a self, ctx: &'a Ctx, kind: Kind, since: &'a Cursor) -> Fut<'a, Result<Page>>;

    /// Keys after `after`, in the profile's order.
    fn keys<'a>(&'a self, ctx: &'a Ctx, kind: Kind, after: &'a Cursor) -> Fut<'a, Result<KeyPage>>;

    /// The documents `ids`, in their order; `None` for one that is not there. One bad id spoils nothing.
    fn read<'a>(&'a self, ctx: &'a Ctx, kind: Kind, ids: &'a [RemoteId]) -> Fut<'a, Vec<Result<Option<Snapshot>>>>;

    /// The documents that match, withdrawn ones left out where others are there.
    fn find<'a>(&'a self, ctx: &'a Ctx, kind: Kind, by: &'a Lookup) -> Fut<'a, Result<Vec<Snapshot>>>;

    /// The bytes behind the field `path` of the document `id`, an image for now: at most `most` of them, `Invalid` where there
    /// are more; `None` where the document or the image is not there.
    fn content<'a>(
        &'a self,
        ctx: &'a Ctx,
        kind: Kind,
        id: &'a RemoteId,
        path: &'a Path,
        most: usize,
    ) -> Fut<'a, Result<Option<Vec<u8>>>>;

    /// What became of each permit, in their order. All are of one kind and step. One permit is one remote effect.
    fn write<'a>(&'a self, ctx: &'a Ctx, permits: Vec<Permit>) -> Fut<'a, Vec<Outcome>>;

    /// Where a request that the system sent us says to look, once it is known to be the system's own. Pure. By Standard
    /// Webhooks where the vendor has no way of its own.
    ///
    /// # Errors
    /// `Denied` where it is not the system's, or too old; `Invalid` where it says nothing we know.
    fn hear(&self, hook: &Hook<'_>) -> Result<Vec<Hint>> {
        hook.standard()
    }

    /// The fields of one update that go in one request, in the order the requests are to be sent. Pure.
    ///
    /// One permit is one remote effect: where `leaves` need several requests, the first part is written and settled
    /// before the next is planned.
    fn split(&self, kind: Kind, leaves: &Leaves) -> Vec<Leaves>;

    /// Which element of a document made from `change` is which of ours: our path (`lines[15]`) → its id there. Pure.
    fn pair(&self, change: &Change, snapshot: &Snapshot) -> Vec<(Path, String)>;
}
