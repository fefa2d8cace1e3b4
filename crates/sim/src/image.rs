//! Images: what they are by their first bytes, and small ones that people at the desks upload.

use ring::digest::{SHA256, digest};

/// What a file is by its first bytes; none where it is no image that shops show.
pub fn sort_of(bytes: &[u8]) -> Option<&'static str> {
    match bytes {
        [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n', ..] => Some("image/png"),
        [0xff, 0xd8, 0xff, ..] => Some("image/jpeg"),
        [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => Some("image/gif"),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Some("image/webp"),
        _ => None,
    }
}

/// What the ledgers call a content: the same letters for the same bytes, worked out unlike Syncline's own.
pub fn print_of(bytes: &[u8]) -> String {
    digest(&SHA256, bytes).as_ref().iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

/// An image of one point that says `words`; other words make other bytes.
pub fn drawn(words: &str) -> Vec<u8> {
    let mut bytes = b"GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff".to_vec();
    bytes.extend(b"\x21\xfe");
    for part in words.as_bytes().chunks(255) {
        bytes.push(u8::try_from(part.len()).unwrap_or(u8::MAX));
        bytes.extend(part);
    }
    bytes.extend(b"\x00\x2c\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02\x44\x01\x00\x3b");
    bytes
}

/// What an ERP keeps that makes every upload a JPEG: other bytes than were sent, also where it was one already.
pub fn converted(sent: &[u8]) -> Vec<u8> {
    let mut bytes = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01\x01\x01\x01\x2c\x01\x2c\x00\x00".to_vec();
    bytes.extend(digest(&SHA256, sent).as_ref());
    bytes.extend(b"\xff\xd9");
    bytes
}

#[cfg(test)]
mod tests {
    use super::{converted, drawn, print_of, sort_of};

    #[test]
    fn images_are_told_by_their_first_bytes() {
        assert_eq!(sort_of(&drawn("front")), Some("image/gif"));
        let kept = converted(&drawn("front"));
        assert_eq!((sort_of(&kept), sort_of(b"<svg/>")), (Some("image/jpeg"), None));
        assert_ne!(converted(&kept), kept, "what is converted twice is other bytes again");
        assert_ne!(print_of(&drawn("front")), print_of(&drawn("back")));
    }
}
