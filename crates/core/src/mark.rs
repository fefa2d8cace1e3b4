//! Marks: our key on a document we create, made of nothing a person renames and nothing lost with the store.

use crate::id::{Mark, RemoteId, SystemUid};
use crate::kind::Kind;
use alloc::string::String;

/// What a mark is made of.
#[derive(Debug, Clone)]
pub struct Origin<'a> {
    /// The system the record comes from.
    pub source: &'a SystemUid,
    /// Its kind.
    pub kind: Kind,
    /// Its id there, scope included.
    pub id: &'a RemoteId,
    /// The system the document is made in.
    pub target: &'a SystemUid,
    /// The scope it is made in; empty where there is one.
    pub target_scope: &'a str,
    /// Which of several documents of this record it is; `main` for the first.
    pub role: &'a str,
    /// Grows only when a person asks for the document to be made anew.
    pub generation: u32,
}

const ALPHABET: &[u8; 32] = b"ABCDEFGHJKMNPQRSTUVWXYZ023456789";

/// The mark of `origin`: `SL` and 16 characters (80 bits) that are read aloud without doubt.
#[must_use]
pub fn mark(origin: &Origin<'_>) -> Mark {
    let mut hasher = blake3::Hasher::new();
    let generation = alloc::format!("{}", origin.generation);
    let parts = [
        origin.source.as_str(),
        &origin.id.scope,
        origin.kind.word(),
        &origin.id.id,
        origin.target.as_str(),
        origin.target_scope,
        origin.role,
        &generation,
    ];
    for part in parts {
        hasher.update(&(part.len() as u64).to_le_bytes());
        hasher.update(part.as_bytes());
    }
    let hash = hasher.finalize();
    let mut text = String::from("SL");
    for byte in hash.as_bytes().iter().take(16) {
        let at = usize::from(byte & 31);
        text.push(char::from(ALPHABET[at]));
    }
    Mark::new(text)
}

/// Whether `text` has the form of a mark.
#[must_use]
pub fn is_mark(text: &str) -> bool {
    text.len() == 18 && text.starts_with("SL") && text.bytes().skip(2).all(|b| ALPHABET.contains(&b))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn of(source: &str, scope: &str, id: &str, generation: u32) -> Mark {
        mark(&Origin {
            source: &SystemUid::new(source),
            kind: Kind::Order,
            id: &RemoteId::new(scope, id),
            target: &SystemUid::new("q2xd"),
            target_scope: "",
            role: "main",
            generation,
        })
    }

    #[test]
    fn the_same_number_in_two_stores_has_two_marks() {
        assert_ne!(of("7f3k", "1", "12", 0), of("7f3k", "2", "12", 0));
        assert_ne!(of("7f3k", "1", "12", 0), of("7f3k", "11", "2", 0));
        assert_ne!(of("7f3k", "1", "12", 0), of("7f3k", "1", "12", 1));
    }

    #[test]
    fn a_mark_is_found_again_by_every_later_version() {
        assert_eq!(
            [of("7f3k", "1", "12", 0), of("7f3k", "", "1001", 3)].map(|mark| String::from(mark.as_str())),
            ["SLUU9ZSVK6SWG7BN9A", "SLHPNRJW06H9FYADV7"]
        );
        let bare = Origin {
            source: &SystemUid::new("7f3k"),
            kind: Kind::Order,
            id: &RemoteId::new("1", "12"),
            target: &SystemUid::new("q2xd"),
            target_scope: "",
            role: "main",
            generation: 0,
        };
        let others = [
            Origin { source: &SystemUid::new("7f3l"), ..bare.clone() },
            Origin { kind: Kind::Invoice, ..bare.clone() },
            Origin { id: &RemoteId::new("1", "13"), ..bare.clone() },
            Origin { target: &SystemUid::new("q2xe"), ..bare.clone() },
            Origin { target_scope: "ACME", ..bare.clone() },
            Origin { role: "second", ..bare.clone() },
        ];
        assert!(others.iter().all(|other| mark(other) != mark(&bare)), "what it is made of tells it from others");
    }

    #[test]
    fn a_text_has_the_form_of_a_mark_or_not() {
        for (text, is) in [
            ("SLABCDEFGH23456789", true),
            ("SLABCDEFGH2345678", false),
            ("SLABCDEFGH234567890", false),
            ("XLABCDEFGH23456789", false),
            ("SLABCDEFGH2345678I", false),
            ("SLabcdefgh23456789", false),
            ("", false),
        ] {
            assert_eq!(is_mark(text), is, "{text}");
        }
    }

    proptest! {
        #[test]
        fn every_mark_has_the_form_of_one(source in "\\PC{0,8}", scope in "\\PC{0,4}", id in "\\PC{0,12}") {
            prop_assert!(is_mark(of(&source, &scope, &id, 0).as_str()));
        }
    }
}
