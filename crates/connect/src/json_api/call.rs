//! How something is written: one by one, or many at once.

use super::place::{Pointer, Template};
use super::{MOST_ROWS, Mismatch, wrong};
use serde::Deserialize;

/// How something is written.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Call {
    /// `POST`, `PUT` or `PATCH`; what is usual where nothing is said.
    pub method: Option<Method>,
    /// Where: `/products` for a create, `/products/{id}` for an update.
    pub path: Template,
    /// What is sent: the fields that change, or the whole record with them.
    #[serde(default)]
    pub body: Body,
    /// Where the record lies in what is sent; all of it where nothing is said.
    #[serde(default)]
    pub record: Pointer,
    /// What its answer tells.
    #[serde(default)]
    pub answer: Answer,
    /// Whether a second one of one SKU is refused there: then none is looked for before one is made.
    #[serde(default)]
    pub unique: bool,
    /// How many are written at once; one by one where nothing is said.
    pub batch: Option<Batch>,
}

/// The methods of writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Method {
    /// Makes one.
    Post,
    /// Puts one in the place of what is there.
    Put,
    /// Changes some fields.
    Patch,
}

impl Method {
    /// The word for it in a request.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
        }
    }
}

/// What an update sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Body {
    /// The fields that change and nothing else.
    #[default]
    Changed,
    /// The record as it was just read, with the fields that change.
    Whole,
}

/// What the answer to a write tells of the record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Answer {
    /// Its id at most: the record is read afterwards.
    #[default]
    Id,
    /// The record as it is kept from now on, as a read would tell it: it is not read again.
    Record,
}

/// How many records are written by one request. It answers with a row for each, in the order in which they were sent.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Batch {
    /// `POST`, `PUT` or `PATCH`; that of one by one where nothing is said.
    pub method: Option<Method>,
    /// Where: `/products/batch`.
    pub path: Template,
    /// Records of one request at most.
    pub most: u32,
    /// Where they lie in what is sent; all of it where nothing is said.
    #[serde(default)]
    pub items: Pointer,
    /// Where the rows lie in the answer; all of it where nothing is said.
    #[serde(default)]
    pub results: Pointer,
    /// Where the record, or its id, lies in a row; all of it where nothing is said.
    #[serde(default)]
    pub record: Pointer,
    /// How an update says which record is meant, at the place of `id`.
    #[serde(default)]
    pub id_as: IdAs,
    /// Where a row tells how it went, by the numbers of HTTP.
    pub status: Option<Pointer>,
    /// Where a row tells that it is none: anything but nothing, `false` or what is empty.
    pub error: Option<Pointer>,
}

/// How an id is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum IdAs {
    /// As a text.
    #[default]
    Text,
    /// As a whole number.
    Number,
}

impl Call {
    pub(super) fn checked_as_create(&self, keyed: bool) -> Result<(), Mismatch> {
        if self.body == Body::Whole {
            return wrong("`create` says `body`", "take it out: what is made is always sent whole");
        }
        let Some(batch) = &self.batch else { return Ok(()) };
        if keyed {
            let remedy = "take one of them out: a header carries the key of one record";
            return wrong("`create.batch` stands beside `idempotency_header`", remedy);
        }
        batch.checked("create")
    }

    pub(super) fn checked_as_update(&self, id: &Pointer) -> Result<(), Mismatch> {
        if self.unique {
            let remedy = "take it out: it says of `create` that a second one is refused";
            return wrong("`update` says `unique`", remedy);
        }
        let Some(batch) = &self.batch else { return Ok(()) };
        if id.is_whole() || id.counts() {
            let remedy = "name in `id` a place with a name, or take the batch out";
            return wrong("`update.batch` has to send ids, and `id` is no place of a record to put one", remedy);
        }
        batch.checked("update")
    }
}

impl Batch {
    fn checked(&self, call: &str) -> Result<(), Mismatch> {
        if self.most < 2 || self.most > MOST_ROWS {
            return wrong(format!("`{call}.batch.most` is {}", self.most), format!("write one of 2 to {MOST_ROWS}"));
        }
        if self.status.is_none() && self.error.is_none() {
            let remedy = "add `status = \"/status\"` (by the numbers of HTTP), or `error = \"/error\"` (what only a row has that failed)";
            return wrong(format!("`{call}.batch` does not say how a row tells that it failed"), remedy);
        }
        Ok(())
    }
}
