//! What headers carry as letters, as bytes again.

/// The bytes of a base64 text (RFC 4648); none where it has a letter that is none of these.
pub(crate) fn base64(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let (mut held, mut bits) = (0_u32, 0_u32);
    for one in text.bytes().filter(|one| *one != b'=') {
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

#[cfg(test)]
mod tests {
    use super::base64;

    #[test]
    fn letters_are_bytes_again() {
        assert_eq!(base64("c3luYzpwdw==").as_deref(), Some(b"sync:pw".as_slice()));
        assert_eq!(base64("é"), None);
    }
}
