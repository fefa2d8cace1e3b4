//! The lines of an order by key, in document order.

use super::order_line::Line;
use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;

/// Lines by key, in document order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Lines {
    lines: Vec<(String, Line)>,
    /// Where each key stands.
    places: BTreeMap<String, usize>,
}

impl Lines {
    /// Adds `line` under `key`, in place of one that has it already.
    pub fn insert(&mut self, key: String, line: Line) {
        match self.places.get(&key).and_then(|place| self.lines.get_mut(*place)) {
            Some((_, old)) => *old = line,
            None => {
                self.places.insert(key.clone(), self.lines.len());
                self.lines.push((key, line));
            }
        }
    }

    /// The line under `key`.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Line> {
        self.places.get(key).and_then(|place| self.lines.get(*place)).map(|(_, line)| line)
    }

    /// Keys and lines in document order.
    pub fn iter(&self) -> impl Iterator<Item = (&String, &Line)> {
        self.lines.iter().map(|(key, line)| (key, line))
    }

    /// Keys and lines in document order, to be changed.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = (&String, &mut Line)> {
        self.lines.iter_mut().map(|(key, line)| (&*key, line))
    }

    /// Takes out every line for which `keep` says no.
    pub fn retain(&mut self, mut keep: impl FnMut(&String, &Line) -> bool) {
        self.lines.retain(|(key, line)| keep(key, line));
        self.places = self.lines.iter().enumerate().map(|(place, (key, _))| (key.clone(), place)).collect();
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.lines.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }
}

impl FromIterator<(String, Line)> for Lines {
    fn from_iter<I: IntoIterator<Item = (String, Line)>>(pairs: I) -> Self {
        let mut lines = Self::default();
        for (key, line) in pairs {
            lines.insert(key, line);
        }
        lines
    }
}
