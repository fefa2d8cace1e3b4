//! A remote system model: documents that carry a mark, and what its guard does about a second one.

use syncline_core::profile::Guard;

/// How far a document has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    /// Made, of no effect yet.
    Draft,
    /// Goods and money follow it.
    Released,
    /// Removed.
    Gone,
}

/// One document. Its id is its place among all documents, from 1.
#[derive(Debug, Clone, Copy)]
struct Doc {
    order: usize,
    stage: Stage,
}

/// What a request asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ask {
    /// Make a document for this order, with its mark.
    Create(usize),
    /// Release this document, if it is a draft.
    Release(u64),
    /// Remove this document, if it is a draft.
    Delete(u64),
    /// The documents of this order, removed ones left out.
    Find(usize),
    /// This document.
    Read(u64),
}

/// What the system says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Said {
    /// The document as it stands after the write, or as read.
    Shows(Shown),
    /// These documents.
    Found(Vec<Shown>),
    /// A document with this mark is there.
    Exists,
    /// The document moved on.
    Stale,
    /// There is no such document.
    Gone,
}

/// A document as an answer shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Shown {
    /// Its id.
    pub(super) id: u64,
    /// Its stage.
    pub(super) stage: Stage,
}

/// The system.
#[derive(Debug)]
pub(super) struct Remote {
    guard: Guard,
    drafts: bool,
    docs: Vec<Doc>,
    /// Order, document, and until when the key is remembered, in milliseconds.
    keys: Vec<(usize, u64, u64)>,
}

impl Remote {
    /// An empty system that keeps doubles away by `guard`; with `drafts` a document is released by a second step.
    pub(super) fn new(guard: Guard, drafts: bool) -> Self {
        Self { guard, drafts, docs: Vec::new(), keys: Vec::new() }
    }

    fn doc(&mut self, id: u64) -> Option<&mut Doc> {
        let at = usize::try_from(id.checked_sub(1)?).ok()?;
        self.docs.get_mut(at).filter(|doc| doc.stage != Stage::Gone)
    }

    fn shown(&mut self, id: u64) -> Said {
        match self.doc(id) {
            Some(doc) => Said::Shows(Shown { id, stage: doc.stage }),
            None => Said::Gone,
        }
    }

    /// Every document of `order` that is not removed.
    pub(super) fn of(&self, order: usize) -> Vec<Shown> {
        let mine = self.docs.iter().zip(1u64..).filter(|(doc, _)| doc.order == order && doc.stage != Stage::Gone);
        mine.map(|(doc, id)| Shown { id, stage: doc.stage }).collect()
    }

    /// What the system says to `ask` at `now`, having done it.
    pub(super) fn answer(&mut self, ask: Ask, now: u64) -> Said {
        match ask {
            Ask::Create(order) => self.create(order, now),
            Ask::Release(id) => self.step(id, Stage::Released),
            Ask::Delete(id) => self.step(id, Stage::Gone),
            Ask::Find(order) => Said::Found(self.of(order)),
            Ask::Read(id) => self.shown(id),
        }
    }

    fn create(&mut self, order: usize, now: u64) -> Said {
        match self.guard {
            Guard::Key { retention_s } => {
                let known = self.keys.iter().find(|(of, _, until)| *of == order && now < *until);
                if let Some((_, id, _)) = known {
                    return self.shown(*id);
                }
                let id = self.docs.len() as u64 + 1;
                self.keys.retain(|(of, ..)| *of != order);
                self.keys.push((order, id, now + u64::from(retention_s) * 1000));
            }
            Guard::Unique { .. } if !self.of(order).is_empty() => return Said::Exists,
            _ => {}
        }
        let stage = if self.drafts { Stage::Draft } else { Stage::Released };
        self.docs.push(Doc { order, stage });
        self.shown(self.docs.len() as u64)
    }

    fn step(&mut self, id: u64, to: Stage) -> Said {
        let Some(doc) = self.doc(id) else { return Said::Gone };
        if doc.stage != Stage::Draft {
            return Said::Stale;
        }
        doc.stage = to;
        Said::Shows(Shown { id, stage: doc.stage })
    }
}
