//! Bytes as letters that a header or a body can carry, and back.

/// `bytes` in base64 (RFC 4648), with padding.
#[must_use]
pub fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let byte = |at: usize| chunk.get(at).map_or(0u32, |b| u32::from(*b));
        let group = (byte(0) << 16) | (byte(1) << 8) | byte(2);
        for (at, shift) in [18u32, 12, 6, 0].into_iter().enumerate() {
            let letter = LETTERS.get(((group >> shift) & 63) as usize).copied().unwrap_or(b'A');
            text.push(if at > chunk.len() { '=' } else { char::from(letter) });
        }
    }
    text
}

/// The bytes of `text`, whose lines may be broken anywhere; none where it is no base64.
#[must_use]
pub fn decoded(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3);
    let (mut held, mut bits, mut ended) = (0_u32, 0_u32, false);
    for letter in text.bytes().filter(|letter| !letter.is_ascii_whitespace()) {
        let six = match letter {
            b'=' => {
                ended = true;
                continue;
            }
            _ if ended => return None,
            b'A'..=b'Z' => letter - b'A',
            b'a'..=b'z' => letter - b'a' + 26,
            b'0'..=b'9' => letter - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        };
        held = held << 6 | u32::from(six);
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            bytes.push(u8::try_from(held >> bits & 0xff).ok()?);
            held &= (1 << bits) - 1;
        }
    }
    // A letter alone holds less than a byte.
    (bits < 6).then_some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn bytes_come_back_from_their_letters(bytes: Vec<u8>, at in 0usize..80) {
            let text = base64(&bytes);
            let (head, tail) = text.split_at(at.min(text.len()));
            prop_assert_eq!(decoded(&format!("{head}\r\n{tail}\n")), Some(bytes));
        }
    }

    #[test]
    fn what_is_no_base64_is_nothing() {
        for bad in ["Z", "Zm9v!", "Zg==Zg==", "é"] {
            assert_eq!(decoded(bad), None, "{bad}");
        }
    }

    #[test]
    fn credentials_are_encoded_as_the_standard_says() {
        for (plain, coded) in [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("sync:ü", "c3luYzrDvA==")] {
            assert_eq!(super::base64(plain.as_bytes()), coded);
        }
    }
}
