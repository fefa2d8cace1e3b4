//! How the file describes a JSON API: where its records lie, how they are paged, changed and written, and which field is which.
//!
//! The description is read once, as it stands in the file, and used as it is: whoever reads the file and whoever speaks to
//! the API share these types. What a key may hold is said where it is read; what goes together by [`Resource::checked`].

mod call;
mod field;
mod place;
mod word;

pub use call::{Answer, Batch, Body, Call, IdAs, Method};
pub use field::{Field, Form, Leaf, Sign};
pub use place::{Pointer, Template};
pub use word::{HeaderName, Seconds, Word};

use serde::Deserialize;
use std::collections::BTreeMap;

/// Rows of one page at most: a longer one is refused.
pub const MOST_ROWS: u32 = 10_000;

/// One kind of record of an API.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Resource {
    /// Where all of them are listed: `/products`, with a fixed query where one is wanted.
    pub list: Template,
    /// Where the rows lie in the answer of a list; the answer itself where nothing is said.
    #[serde(default)]
    pub items: Pointer,
    /// How a list goes on.
    #[serde(default)]
    pub paging: Paging,
    /// Where a record tells its id: a text or a whole number.
    pub id: Pointer,
    /// Where a record tells when it was changed last.
    pub changed: Option<Pointer>,
    /// The parameter that leaves out of a list what was changed before a moment.
    pub since: Option<Word>,
    /// How that moment is written.
    #[serde(default)]
    pub since_as: Moment,
    /// How much is asked for again: commits that come late, and the clocks of both, may be so far apart.
    #[serde(default)]
    pub overlap: Overlap,
    /// Where one of them is read: `/products/{id}`. Without it the list is walked for it, and nothing is written.
    pub read: Option<Template>,
    /// Where the record lies in the answer of a read and of a write; the answer itself where nothing is said.
    #[serde(default)]
    pub record: Pointer,
    /// Where those of one SKU are found: `/products?sku={sku}`. Its rows lie as those of a list.
    pub find: Option<Template>,
    /// How one is made.
    pub create: Option<Call>,
    /// How fields of one are set.
    pub update: Option<Call>,
    /// Where an answer that looks well tells that it is none: anything but nothing, `false` or what is empty.
    pub error: Option<Pointer>,
    /// The header in which a create carries a key of ours that is the same each time it is sent.
    pub idempotency_header: Option<HeaderName>,
    /// Which of our fields stands where.
    pub fields: BTreeMap<Leaf, Field>,
}

/// How a list goes on.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Paging {
    /// In which way.
    #[serde(default)]
    pub style: Style,
    /// The parameter that says where: the number of the page, how many rows to skip, or what the last page told.
    pub parameter: Option<Word>,
    /// The number of the first page; 1 where nothing is said.
    pub first: Option<u32>,
    /// Rows of one page.
    pub size: Option<u32>,
    /// The parameter that says how many rows a page is to have.
    pub size_parameter: Option<Word>,
    /// Where a page tells what the next one is asked for by.
    pub next: Option<Pointer>,
    /// Where a page tells whether there is another one.
    pub more: Option<Pointer>,
    /// Where a page tells how many rows there are in all.
    pub total: Option<Pointer>,
}

/// The ways a list goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Style {
    /// Not at all: one answer holds everything.
    #[default]
    None,
    /// By the number of the page.
    Page,
    /// By how many rows are skipped.
    Offset,
    /// By a word that the last page told.
    Cursor,
    /// By an address that the last page told.
    Link,
}

/// How a moment is written in a query.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Moment {
    /// `2026-11-23T12:00:00Z` (RFC 3339).
    #[default]
    Text,
    /// Seconds since 1970.
    Seconds,
    /// Thousandths of a second since 1970.
    Milliseconds,
}

/// How much is asked for again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Overlap(pub Seconds);

impl Default for Overlap {
    fn default() -> Self {
        Self(Seconds(300))
    }
}

/// What does not go together in a description.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mismatch {
    /// What is wrong.
    pub what: String,
    /// What to do.
    pub remedy: String,
}

fn wrong(what: impl Into<String>, remedy: impl Into<String>) -> Result<(), Mismatch> {
    Err(Mismatch { what: what.into(), remedy: remedy.into() })
}

impl Resource {
    /// Whether all of it goes together.
    ///
    /// # Errors
    /// The first [`Mismatch`], with what to do.
    pub fn checked(&self) -> Result<(), Mismatch> {
        if !self.fields.contains_key(&Leaf::sku()) {
            return wrong("`fields` has no `sku`", "add `sku = \"/sku\"`: products are known by it in all systems");
        }
        for (key, template, name) in self.templates() {
            template.holds(name).or_else(|remedy| wrong(format!("`{key}` is `{template}`"), remedy))?;
        }
        for (leaf, field) in &self.fields {
            field.checked(leaf).or_else(|(what, remedy)| wrong(format!("`fields.{leaf}` {what}"), remedy))?;
        }
        if self.read.is_none() && (self.create.is_some() || self.update.is_some()) {
            let what = "what is written has to be read back, and there is no `read`";
            return wrong(what, "add `read = \"/products/{id}\"`, or take `create` and `update` out");
        }
        if self.create.is_some() && self.find.is_none() {
            let what = "`create` without `find`: what was made could not be looked for after a lost answer";
            return wrong(what, "add `find = \"/products?sku={sku}\"`, or take `create` out");
        }
        if self.since.is_some() && self.changed.is_none() {
            let remedy = "add `changed = \"/updated_at\"`: where a record tells when it was changed last";
            return wrong("`since` without `changed`", remedy);
        }
        if let Some(create) = &self.create {
            create.checked_as_create(self.idempotency_header.is_some())?;
        }
        if let Some(update) = &self.update {
            update.checked_as_update(&self.id)?;
        }
        self.paging.checked()
    }

    /// The paths of the description, each with the name it has to hold.
    fn templates(&self) -> impl Iterator<Item = (&'static str, &Template, Option<&'static str>)> {
        let create = self.create.as_ref().map(|call| ("create.path", &call.path, None));
        let creates =
            self.create.as_ref().and_then(|call| Some(("create.batch.path", &call.batch.as_ref()?.path, None)));
        let update = self.update.as_ref().map(|call| ("update.path", &call.path, Some("id")));
        let updates =
            self.update.as_ref().and_then(|call| Some(("update.batch.path", &call.batch.as_ref()?.path, None)));
        let find = self.find.as_ref().map(|find| ("find", find, Some("sku")));
        let read = self.read.as_ref().map(|read| ("read", read, Some("id")));
        let calls = create.into_iter().chain(creates).chain(update).chain(updates);
        std::iter::once(("list", &self.list, None)).chain(read).chain(find).chain(calls)
    }
}

impl Paging {
    /// Whether its keys go together.
    fn checked(&self) -> Result<(), Mismatch> {
        let style = self.style;
        let told = [
            ("parameter", self.parameter.is_some()),
            ("first", self.first.is_some()),
            ("size", self.size.is_some()),
            ("size_parameter", self.size_parameter.is_some()),
            ("next", self.next.is_some()),
            ("more", self.more.is_some()),
            ("total", self.total.is_some()),
        ];
        let (needed, allowed): (&[&str], &[&str]) = match style {
            Style::None => (&[], &[]),
            Style::Page => (&["parameter"], &["parameter", "first", "size", "size_parameter", "more", "total"]),
            Style::Offset => (&["parameter"], &["parameter", "size", "size_parameter", "more", "total"]),
            Style::Cursor => (&["parameter", "next"], &["parameter", "next", "size", "size_parameter", "more"]),
            Style::Link => (&["next"], &["next", "size", "size_parameter", "more"]),
        };
        let word = style.word();
        for (key, is_told) in told {
            if is_told && !allowed.contains(&key) {
                let remedy = format!("take it out; known with that style are: {}", allowed.join(", "));
                return wrong(format!("`paging.{key}` means nothing with `style = \"{word}\"`"), remedy);
            }
            if !is_told && needed.contains(&key) {
                let remedy = format!("add it; with `style = \"{word}\"` are needed: {}", needed.join(", "));
                return wrong(format!("`paging` has no `{key}`"), remedy);
            }
        }
        if self.size_parameter.is_some() != self.size.is_some() {
            let remedy = "name both, e.g. `size = 100` and `size_parameter = \"limit\"`, or none";
            return wrong("`paging` has one of `size` and `size_parameter`", remedy);
        }
        match self.size {
            Some(size) if !(1..=MOST_ROWS).contains(&size) => {
                wrong(format!("`paging.size` is {size}"), format!("write one of 1 to {MOST_ROWS}"))
            }
            _ => Ok(()),
        }
    }
}

impl Style {
    /// The word for it in the file.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Page => "page",
            Self::Offset => "offset",
            Self::Cursor => "cursor",
            Self::Link => "link",
        }
    }
}
