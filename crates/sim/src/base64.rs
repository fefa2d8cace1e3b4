//! Bytes as letters, and letters as bytes again: what headers and images are carried in.

const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
/// Letters of a line where lines are broken.
const LINE: usize = 76;

/// The bytes of a base64 text (RFC 4648), line breaks left out; none where it has a letter that is none of these.
pub(crate) fn base64(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let (mut held, mut bits) = (0_u32, 0_u32);
    for one in text.bytes().filter(|one| !matches!(one, b'=' | b'\n' | b'\r')) {
        let six = match one {
            b'A'..=b'Z' => one - b'A',
            b'a'..=b'z' => one - b'a' + 26,
            b'0'..=b'9' => one - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        };
        held = (held << 6) | u32::from(six);
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            bytes.push(u8::try_from((held >> bits) & 0xff).ok()?);
            held &= (1 << bits) - 1;
        }
    }
    Some(bytes)
}

/// The base64 text of bytes in one line.
pub(crate) fn letters(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for some in bytes.chunks(3) {
        let held = some.iter().fold(0_usize, |held, byte| held << 8 | usize::from(*byte)) << (8 * (3 - some.len()));
        for place in 0..4 {
            let six = held >> (18 - 6 * place) & 63;
            text.push(if place > some.len() { '=' } else { char::from(LETTERS[six]) });
        }
    }
    text
}

/// The same in lines of 76 letters, each ended, as Python's `encodebytes` writes it.
pub(crate) fn lines(bytes: &[u8]) -> String {
    let whole = letters(bytes);
    let mut text = String::with_capacity(whole.len() + whole.len() / LINE + 1);
    for (at, letter) in whole.chars().enumerate() {
        if at > 0 && at % LINE == 0 {
            text.push('\n');
        }
        text.push(letter);
    }
    if !text.is_empty() {
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{base64, letters, lines};

    #[test]
    fn letters_are_bytes_again() {
        assert_eq!(base64("c3luYzpwdw==").as_deref(), Some(b"sync:pw".as_slice()));
        assert_eq!(base64("é"), None);
    }

    #[test]
    fn bytes_are_letters_in_one_line_or_in_many() {
        for (bytes, text) in [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("sync:pw", "c3luYzpwdw==")] {
            assert_eq!(letters(bytes.as_bytes()), text);
        }
        let long: Vec<u8> = (0..=255).collect();
        assert_eq!(base64(&letters(&long)), Some(long.clone()));
        assert_eq!((base64(&lines(&long)), lines(&long).lines().next().map(str::len)), (Some(long), Some(76)));
    }
}
