use std::io::Read;

use axum::body::Body;
use axum::http::HeaderMap;
use axum::http::header::{CONTENT_ENCODING, CONTENT_LENGTH};
use bytes::{Bytes, BytesMut};
use flate2::bufread::MultiGzDecoder;
use http_body_util::BodyExt;

/// Why a body was not read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BodyError {
    /// No `Content-Length` was given.
    #[error("the Content-Length header is missing")]
    LengthRequired,
    /// It is longer than what is accepted.
    #[error("the body is larger than the {limit} bytes that are accepted")]
    TooLarge {
        /// The most that is accepted, in bytes.
        limit: usize,
    },
    /// It is coded in a way that is not understood: 415 with `Accept-Encoding: gzip`.
    #[error("the body is coded as {0:?}; only gzip is understood, or no coding at all")]
    Coding(String),
    /// It says that it is gzip and is not.
    #[error("the body is no gzip")]
    NoGzip,
    /// The connection broke.
    #[error("the body could not be read to its end")]
    Interrupted,
}

/// Reads a body whose length is announced, up to `limit` bytes.
///
/// A body that announces more is refused before any of it is read. One in gzip is unpacked; the
/// limit then holds for both of its forms.
pub async fn read_body(headers: &HeaderMap, body: Body, limit: usize) -> Result<Bytes, BodyError> {
    let announced = headers.get(CONTENT_LENGTH).ok_or(BodyError::LengthRequired)?;
    let length: u64 = announced
        .to_str()
        .ok()
        .and_then(|text| text.trim().parse().ok())
        .ok_or(BodyError::LengthRequired)?;
    let length = usize::try_from(length).unwrap_or(usize::MAX);
    if length > limit {
        return Err(BodyError::TooLarge { limit });
    }
    let is_gzip = is_gzip(headers)?;
    let bytes = collect(body, length, limit).await?;
    if is_gzip { unpack(&bytes, limit) } else { Ok(bytes) }
}

fn is_gzip(headers: &HeaderMap) -> Result<bool, BodyError> {
    let Some(coding) = headers.get(CONTENT_ENCODING) else { return Ok(false) };
    let is = |name: &str| coding.as_bytes().eq_ignore_ascii_case(name.as_bytes());
    if is("gzip") || is("x-gzip") {
        return Ok(true);
    }
    if is("identity") {
        return Ok(false);
    }
    let shown = String::from_utf8_lossy(coding.as_bytes()).chars().take(64).collect();
    Err(BodyError::Coding(shown))
}

fn unpack(bytes: &[u8], limit: usize) -> Result<Bytes, BodyError> {
    let most = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
    let mut plain = Vec::with_capacity(limit.min(bytes.len().saturating_mul(4)));
    let read = MultiGzDecoder::new(bytes).take(most).read_to_end(&mut plain);
    if plain.len() > limit {
        return Err(BodyError::TooLarge { limit });
    }
    read.map(|_| plain.into()).map_err(|_| BodyError::NoGzip)
}

async fn collect(mut body: Body, length: usize, limit: usize) -> Result<Bytes, BodyError> {
    let mut first: Option<Bytes> = None;
    let mut rest = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| BodyError::Interrupted)?;
        let Ok(data) = frame.into_data() else { continue };
        if first.is_none() && rest.is_empty() && data.len() >= length {
            first = Some(data);
        } else {
            if rest.is_empty() {
                rest.reserve(length);
                if let Some(first) = first.take() {
                    rest.extend_from_slice(&first);
                }
            }
            rest.extend_from_slice(&data);
        }
        if rest.len() > limit || first.as_ref().is_some_and(|first| first.len() > limit) {
            return Err(BodyError::TooLarge { limit });
        }
    }
    Ok(first.unwrap_or_else(|| rest.freeze()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    async fn read(
        length: Option<&'static str>,
        body: Body,
        limit: usize,
    ) -> Result<Bytes, BodyError> {
        let mut headers = HeaderMap::new();
        if let Some(length) = length {
            headers.insert(CONTENT_LENGTH, HeaderValue::from_static(length));
        }
        read_body(&headers, body, limit).await
    }

    #[tokio::test]
    async fn a_body_is_read_in_one_piece_or_many() {
        assert_eq!(read(Some("3"), Body::from("abc"), 10).await.unwrap(), "abc");
        let pieces = ["ab", "c", "de"].map(|piece| Ok::<_, std::io::Error>(Bytes::from(piece)));
        let body = Body::from_stream(futures_util::stream::iter(pieces));
        assert_eq!(read(Some("5"), body, 10).await.unwrap(), "abcde");
        assert_eq!(read(Some("0"), Body::empty(), 10).await.unwrap(), "");
    }

    #[tokio::test]
    async fn a_large_body_is_refused_before_it_is_read() {
        let never = futures_util::stream::poll_fn(
            |_| -> std::task::Poll<Option<Result<Bytes, std::io::Error>>> {
                panic!("a body that announces too much is not read")
            },
        );
        let result = read(Some("104857600"), Body::from_stream(never), 1 << 20).await;
        assert!(matches!(result, Err(BodyError::TooLarge { limit: 1_048_576 })));
    }

    #[tokio::test]
    async fn a_body_that_announces_too_little_is_cut_off() {
        let result = read(Some("2"), Body::from("abcdefgh"), 4).await;
        assert!(matches!(result, Err(BodyError::TooLarge { limit: 4 })));
    }

    async fn read_coded(coding: &'static str, body: Vec<u8>) -> Result<Bytes, BodyError> {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_LENGTH, HeaderValue::from(body.len()));
        headers.insert(CONTENT_ENCODING, HeaderValue::from_static(coding));
        read_body(&headers, Body::from(body), 1_000).await
    }

    fn gzip(bytes: usize) -> Vec<u8> {
        let mut packed = Vec::new();
        let text = vec![b'a'; bytes];
        let mut encoder = flate2::bufread::GzEncoder::new(&*text, flate2::Compression::best());
        encoder.read_to_end(&mut packed).unwrap();
        packed
    }

    #[tokio::test]
    async fn a_body_in_gzip_is_unpacked_within_the_limit() {
        assert_eq!(read_coded("gzip", gzip(1_000)).await.unwrap().len(), 1_000);
        assert_eq!(read_coded("identity", b"abc".to_vec()).await.unwrap(), "abc");
        let bomb = read_coded("GZIP", gzip(1_001)).await;
        assert!(matches!(bomb, Err(BodyError::TooLarge { limit: 1_000 })));
        let broken = read_coded("gzip", gzip(500)[..20].to_vec()).await;
        assert!(matches!(broken, Err(BodyError::NoGzip)));
        let other = read_coded("br", vec![1, 2, 3]).await;
        assert!(matches!(other, Err(BodyError::Coding(coding)) if coding == "br"));
    }

    #[tokio::test]
    async fn a_length_is_required() {
        for length in [None, Some("many"), Some("-1")] {
            let result = read(length, Body::from("abc"), 10).await;
            assert!(matches!(result, Err(BodyError::LengthRequired)), "{length:?}");
        }
    }
}
