//! Tells an older look at a record from a newer one: what a page of changes shows of a record that was written while the page
//! was on its way is from before the write, and nobody's change.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use syncline_connect::Seen;
use syncline_core::id::{RemoteId, SystemUid};
use syncline_core::kind::Kind;

type Key = (SystemUid, Kind, RemoteId);

/// The looks under way and what was written since the first of them began.
#[derive(Debug, Default)]
pub struct Looks(Mutex<Book>);

#[derive(Debug, Default)]
struct Book {
    /// Looks and writes so far.
    turn: u64,
    /// When each look that is under way began.
    open: Vec<u64>,
    /// When each record was last written, as far as a look is under way.
    written: BTreeMap<Key, u64>,
}

/// A look that is under way.
#[derive(Debug)]
pub(crate) struct Look<'l> {
    looks: &'l Looks,
    began: u64,
}

impl Looks {
    fn book(&self) -> MutexGuard<'_, Book> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A look that begins now and ends when it is let go.
    pub(crate) fn begin(&self) -> Look<'_> {
        let mut book = self.book();
        book.turn += 1;
        let began = book.turn;
        book.open.push(began);
        Look { looks: self, began }
    }

    /// Notes that a write to the record `id` was answered, and what it shows read back.
    pub(crate) fn wrote(&self, system: &SystemUid, kind: Kind, id: &RemoteId) {
        let mut book = self.book();
        if !book.open.is_empty() {
            book.turn += 1;
            let turn = book.turn;
            book.written.insert((system.clone(), kind, id.clone()), turn);
        }
    }
}

impl Look<'_> {
    /// Those of `seen` that were not written since the look began. What is left out was read back after its write; what
    /// changed after that comes with the next page, for every feed reads back over what was written while it was walked.
    pub(crate) fn latest(&self, system: &SystemUid, kind: Kind, mut seen: Vec<Seen>) -> Vec<Seen> {
        let book = self.looks.book();
        let after = |id: &RemoteId| {
            let written = book.written.get(&(system.clone(), kind, id.clone()));
            written.is_some_and(|turn| *turn > self.began)
        };
        seen.retain(|one| !after(&one.id));
        seen
    }
}

impl Drop for Look<'_> {
    fn drop(&mut self) {
        let mut book = self.looks.book();
        book.open.retain(|began| *began != self.began);
        if book.open.is_empty() {
            book.written.clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use syncline_connect::Error;
    use syncline_core::policy::ErrorKind;

    #[test]
    fn what_was_written_during_a_look_is_left_out_of_that_look_alone() {
        let (looks, shop) = (Looks::default(), SystemUid::new("shop"));
        let id = |id: &str| RemoteId::new("", id);
        let row = |one: &str| Seen { id: id(one), snapshot: Err(Error::new(ErrorKind::Broken, "")) };
        let ids = |look: &Look<'_>, kind: Kind| {
            let rows = vec![row("MUG"), row("PEN")];
            look.latest(&shop, kind, rows).into_iter().map(|one| one.id.id).collect::<Vec<_>>()
        };
        looks.wrote(&shop, Kind::Variant, &id("PEN"));
        let first = looks.begin();
        looks.wrote(&shop, Kind::Variant, &id("MUG"));
        let second = looks.begin();
        assert_eq!(ids(&first, Kind::Variant), ["PEN"]);
        assert_eq!(
            (ids(&second, Kind::Variant), ids(&first, Kind::Price)),
            (ids(&first, Kind::Stock), ids(&second, Kind::Stock))
        );
        drop((first, second));
        assert!(looks.book().written.is_empty(), "nothing is kept once nobody looks");
    }
}
