//! Bytes as letters that a header can carry.

/// `bytes` in base64 (RFC 4648), with padding.
pub(crate) fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
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

#[cfg(test)]
mod tests {
    #[test]
    fn credentials_are_encoded_as_the_standard_says() {
        for (plain, coded) in [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("sync:ü", "c3luYzrDvA==")] {
            assert_eq!(super::base64(plain.as_bytes()), coded);
        }
    }
}
