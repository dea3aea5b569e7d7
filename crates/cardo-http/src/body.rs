use axum::body::Body;
use axum::http::HeaderMap;
use axum::http::header::CONTENT_LENGTH;
use bytes::{Bytes, BytesMut};
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
    /// The connection broke.
    #[error("the body could not be read to its end")]
    Interrupted,
}

/// Reads a body whose length is announced, up to `limit` bytes.
///
/// A body that announces more is refused before any of it is read.
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
    collect(body, length, limit).await
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

    #[tokio::test]
    async fn a_length_is_required() {
        for length in [None, Some("many"), Some("-1")] {
            let result = read(length, Body::from("abc"), 10).await;
            assert!(matches!(result, Err(BodyError::LengthRequired)), "{length:?}");
        }
    }
}
