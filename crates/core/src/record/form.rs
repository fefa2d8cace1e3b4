//! What sort of thing a line of an order is.

/// What sort of line it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LineForm {
    /// One thing sold.
    Simple,
    /// Sold, never shipped.
    Virtual,
    /// The chosen member of a family: this line carries the money, its child names the thing.
    Configurable,
    /// Several things sold together; its children are what ships.
    Bundle,
    /// Text without goods or money.
    Comment,
}

impl LineForm {
    const ALL: [(Self, &'static str); 5] = [
        (Self::Simple, "simple"),
        (Self::Virtual, "virtual"),
        (Self::Configurable, "configurable"),
        (Self::Bundle, "bundle"),
        (Self::Comment, "comment"),
    ];

    /// The word stored for it.
    #[must_use]
    pub fn word(self) -> &'static str {
        Self::ALL.iter().find(|(form, _)| *form == self).map_or("simple", |(_, word)| *word)
    }

    pub(super) fn of(word: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, w)| *w == word).map(|(form, _)| *form)
    }
}
