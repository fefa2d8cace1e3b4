//! Bodies decoded by what they are, not by what their label says: some servers label plain text as gzip.

use crate::transport::Response;
use flate2::read::GzDecoder;
use std::io::Read;

/// Longest body accepted, in bytes, packed or not.
pub const BODY_LIMIT: usize = 24 * 1024 * 1024;

/// Why a packed body cannot be had.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unpacked {
    /// It ends in the middle or is not what its first bytes say: the way here broke it.
    #[error("the packed answer is damaged: {0}")]
    Damaged(String),
    /// It is longer than anything we would read.
    #[error("the answer unpacks to more than {BODY_LIMIT} bytes and was not read")]
    TooLong,
}

/// `response` with a plain body: unpacked where the body starts with gzip's magic bytes, whatever its label.
///
/// # Errors
/// [`Unpacked`] where the packed body is damaged or unpacks beyond [`BODY_LIMIT`].
pub fn decoded(mut response: Response) -> Result<Response, Unpacked> {
    if !response.body.starts_with(&[0x1f, 0x8b]) {
        return Ok(response);
    }
    let mut plain = Vec::new();
    let mut reader = GzDecoder::new(response.body.as_slice()).take(BODY_LIMIT as u64 + 1);
    reader.read_to_end(&mut plain).map_err(|error| Unpacked::Damaged(error.to_string()))?;
    if plain.len() > BODY_LIMIT {
        return Err(Unpacked::TooLong);
    }
    response.body = plain;
    Ok(response)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn answer(body: Vec<u8>) -> Response {
        Response { status: 200, headers: vec![("content-encoding".into(), "gzip".into())], body }
    }

    #[test]
    fn plain_text_labelled_gzip_is_taken_as_it_is() {
        assert_eq!(decoded(answer(b"{}".to_vec())).unwrap().body, b"{}");
    }

    #[test]
    fn packed_is_unpacked_and_a_bomb_is_refused() {
        let pack = |bytes: &[u8]| {
            let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            packer.write_all(bytes).unwrap();
            packer.finish().unwrap()
        };
        assert_eq!(decoded(answer(pack(b"hello"))).unwrap().body, b"hello");
        assert!(decoded(answer(pack(&vec![0; BODY_LIMIT + 1]))).is_err());
        let mut cut = pack(b"hello hello hello");
        cut.truncate(12);
        assert!(decoded(answer(cut)).is_err());
    }
}
