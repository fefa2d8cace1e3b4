//! Images of what is sold, each known by the hash of its content: what is equal byte by byte is one image.

use super::fields::{Fields, Malformed};
use crate::leaf::{Leaf, Leaves, Value};
use crate::path::Path;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::{String, ToString};
use rust_decimal::Decimal;

/// Bytes of the largest image that is carried; larger ones are told and held.
pub const LIMIT: usize = 8 * 1024 * 1024;
/// The paths of images.
pub const IMAGES: [&str; 4] = ["images[*]", "images[*].label", "images[*].position", "images[*].roles"];
/// What tells that one upload left two entries in a system.
pub const TWICE: &str = "images[*].twice";
const GALLERY: &str = "gallery";
const NAME: &str = "images";
/// Bytes of the hash that an image is known by.
const KEY_BYTES: usize = 16;

/// One image as a system shows it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Image {
    /// What its bytes are.
    pub sort: Sort,
    /// What is said of it for those who do not see it; told as nothing where it is empty.
    pub label: Option<String>,
    /// Its place among the others; 0 is told as none.
    pub position: Option<Decimal>,
    /// Where it is used, by the system's own words; told as nothing where there are none.
    pub roles: Option<BTreeSet<String>>,
    /// Whether one upload of ours left more than one entry of it.
    pub twice: bool,
}

/// What the bytes of an image are: their sort by the first of them, and how many there are.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Sort {
    /// The media type, e.g. `image/png`; empty where it is none that is known, or the bytes were not read.
    pub media: String,
    /// How many bytes.
    pub bytes: u64,
}

impl Sort {
    /// What `bytes` are.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self {
            media: media(bytes).unwrap_or_default().to_string(),
            bytes: u64::try_from(bytes.len()).unwrap_or(u64::MAX),
        }
    }

    /// What a leaf of an image says; none where it says something else.
    #[must_use]
    pub fn told(value: &Value) -> Option<Self> {
        let Value::Text(text) = value else { return None };
        let (media, bytes) = text.strip_suffix(" bytes")?.split_once(", ")?;
        let media = if media == UNKNOWN { "" } else { media };
        Some(Self { media: media.to_string(), bytes: bytes.parse().ok()? })
    }

    fn value(&self) -> Value {
        let media = if self.media.is_empty() { UNKNOWN } else { &self.media };
        Value::Text(alloc::format!("{media}, {} bytes", self.bytes))
    }
}

const UNKNOWN: &str = "no known sort";

/// The media type of what begins like this; none where it is no image that shops show.
fn media(bytes: &[u8]) -> Option<&'static str> {
    match bytes {
        [0x89, b'P', b'N', b'G', 0x0d, 0x0a, 0x1a, 0x0a, ..] => Some("image/png"),
        [0xff, 0xd8, 0xff, ..] => Some("image/jpeg"),
        [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => Some("image/gif"),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Some("image/webp"),
        _ => None,
    }
}

/// The key of an image of these bytes.
#[must_use]
pub fn key_of(bytes: &[u8]) -> String {
    blake3::hash(bytes).as_bytes().iter().take(KEY_BYTES).map(|byte| alloc::format!("{byte:02x}")).collect()
}

impl Image {
    /// The path of the image `key`.
    #[must_use]
    pub fn path(key: &str) -> Path {
        Path::element(NAME, key)
    }

    /// The path that tells all images of a variant whole: one that is not among them is not there.
    #[must_use]
    pub fn gallery() -> Path {
        Path::field(GALLERY)
    }

    /// Key and field (empty for the image itself) of a path of an image.
    #[must_use]
    pub fn at(path: &Path) -> Option<(String, &str)> {
        path.within(NAME)
    }

    /// The keys of the images that `leaves` ask for, not for something of them alone.
    pub fn added(leaves: &Leaves) -> impl Iterator<Item = (String, &Path)> {
        leaves.iter().filter_map(|(path, value)| match Self::at(path) {
            Some((key, "")) if value.is_some() => Some((key, path)),
            _ => None,
        })
    }
}

/// Adds what is told of all images of a variant.
pub(super) fn tell(leaves: &mut Leaves, images: &BTreeMap<String, Image>) {
    leaves.put(Image::gallery(), Value::Bool(true));
    for (key, image) in images {
        let path = Image::path(key);
        leaves.put(path.clone(), image.sort.value());
        if let Some(label) = &image.label {
            leaves.tell(path.dot("label"), (!label.is_empty()).then(|| Value::Text(label.clone())));
        }
        if let Some(position) = image.position {
            leaves.tell(path.dot("position"), (!position.is_zero()).then_some(Value::Number(position)));
        }
        if let Some(roles) = &image.roles {
            let lines: alloc::vec::Vec<&str> = roles.iter().map(String::as_str).collect();
            leaves.tell(path.dot("roles"), (!roles.is_empty()).then(|| Value::Text(lines.join("\n"))));
        }
        if image.twice {
            leaves.put(path.dot("twice"), Value::Bool(true));
        }
    }
}

/// The images that `leaves` tell; none where they are not told whole.
pub(super) fn told(leaves: &Leaves) -> Result<Option<BTreeMap<String, Image>>, Malformed> {
    if leaves.get(&Image::gallery()) == Leaf::Untold {
        return Ok(None);
    }
    let mut images = BTreeMap::new();
    for key in leaves.keys_of(NAME) {
        let path = Image::path(&key);
        let Some(value) = leaves.value(&path) else { continue };
        let sort = Sort::told(value).ok_or(Malformed::Type { path: path.clone(), wanted: "what an image is" })?;
        let fields = Fields::below(leaves, path.clone());
        let empty = |field: &str| leaves.get(&path.dot(field)) == Leaf::Empty;
        let roles = fields.text("roles")?.map(|lines| lines.lines().map(ToString::to_string).collect());
        let image = Image {
            sort,
            label: fields.text("label")?.or(empty("label").then(String::new)),
            position: fields.number("position")?.or(empty("position").then_some(Decimal::ZERO)),
            roles: roles.or(empty("roles").then(BTreeSet::new)),
            twice: fields.flag("twice")? == Some(true),
        };
        images.insert(key, image);
    }
    Ok(Some(images))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_image_is_shows_in_its_bytes_and_comes_back_from_its_leaf() {
        let png = [0x89, b'P', b'N', b'G', 0x0d, 0x0a, 0x1a, 0x0a, 0];
        assert_eq!(Sort::of(&png), Sort { media: "image/png".to_string(), bytes: 9 });
        assert_eq!(Sort::of(b"RIFF\0\0\0\0WEBPVP8 ").media, "image/webp");
        for bytes in [&png[..], b"GIF89a", b"<svg/>", b"", &[0xff, 0xd8, 0xff]] {
            let sort = Sort::of(bytes);
            assert_eq!(Sort::told(&sort.value()), Some(sort));
        }
        assert_eq!(Sort::told(&Value::Text("image/png".to_string())), None);
    }

    #[test]
    fn equal_bytes_have_one_key_and_only_they() {
        assert_eq!(key_of(b"one"), key_of(b"one"));
        assert_ne!(key_of(b"one"), key_of(b"two"));
        assert_eq!(key_of(b"one").len(), 32);
        let path = Image::path(&key_of(b"one"));
        assert!(path.is_named_by(IMAGES[0]) && path.dot("twice").is_named_by(TWICE));
    }
}
