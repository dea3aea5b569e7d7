//! Compression of answers (RFC 9110, section 12.5.3).

use std::io;

use async_compression::Level;
use async_compression::tokio::bufread::{BrotliEncoder, GzipEncoder, ZstdEncoder};
use axum::body::{Body, BodyDataStream, HttpBody};
use axum::http::header::{
    ACCEPT_ENCODING, ACCEPT_RANGES, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_RANGE,
    CONTENT_TYPE, ETAG,
};
use axum::http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode};
use futures_util::{TryStreamExt, stream};
use tokio::io::AsyncRead;
use tokio_util::io::{ReaderStream, StreamReader};

use crate::coded::CodedForms;
use crate::media_type_of;

/// Smaller answers fit into a packet or two as they are.
const MIN_BYTES: u64 = 1_024;
/// How much compressed data is handed on at once.
const CHUNK: usize = 16 * 1_024;

/// A coding of content, the most welcome first where a client does not mind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Coding {
    Zstd,
    Brotli,
    Gzip,
}

const CODINGS: [(Coding, &str); 3] =
    [(Coding::Zstd, "zstd"), (Coding::Brotli, "br"), (Coding::Gzip, "gzip")];

impl Coding {
    /// The coding that a request asks for; none where its client prefers none.
    #[inline]
    pub(crate) fn of<B>(request: &Request<B>) -> Option<Self> {
        let first = request.headers().get(ACCEPT_ENCODING)?;
        if request.method() == Method::HEAD {
            return None;
        }
        let more = request.headers().get_all(ACCEPT_ENCODING).iter().skip(1);
        let mut text = first.to_str().ok()?.to_owned();
        for value in more {
            text.push(',');
            text.push_str(value.to_str().ok()?);
        }
        Self::best(&text)
    }

    fn best(accept: &str) -> Option<Self> {
        let mut best: Option<(Self, f32)> = None;
        for (coding, name) in CODINGS {
            let quality = quality(accept, name).or_else(|| quality(accept, "*")).unwrap_or(0.0);
            if quality > 0.0 && best.is_none_or(|(_, highest)| quality > highest) {
                best = Some((coding, quality));
            }
        }
        let plain = quality(accept, "identity").unwrap_or(0.0);
        best.filter(|(_, quality)| *quality >= plain).map(|(coding, _)| coding)
    }

    fn name(self) -> &'static str {
        CODINGS[self as usize].1
    }

    /// Compresses an answer where that is worth it and allowed.
    pub(crate) fn apply(self, response: Response<Body>) -> Response<Body> {
        if !is_worth_it(&response) {
            return response;
        }
        let (mut parts, body) = response.into_parts();
        let headers = &mut parts.headers;
        headers.insert(CONTENT_ENCODING, HeaderValue::from_static(self.name()));
        headers.remove(CONTENT_LENGTH);
        headers.remove(ACCEPT_RANGES);
        weaken(headers);
        let forms = parts.extensions.get::<CodedForms>().cloned();
        if let Some(ready) = forms.as_ref().and_then(|forms| forms.get(self as usize)) {
            return Response::from_parts(parts, ready.into());
        }
        let keep = forms.map(|forms| move |body| forms.keep(self as usize, body));
        let plain = StreamReader::new(body.into_data_stream().map_err(io::Error::other as Broken));
        let body = match self {
            Self::Zstd => stream(ZstdEncoder::with_quality(plain, Level::Precise(3)), keep),
            Self::Brotli => stream(BrotliEncoder::with_quality(plain, Level::Precise(4)), keep),
            Self::Gzip => stream(GzipEncoder::with_quality(plain, Level::Precise(5)), keep),
        };
        Response::from_parts(parts, body)
    }
}

type Broken = fn(<BodyDataStream as futures_util::TryStream>::Error) -> io::Error;

fn stream(
    compressed: impl AsyncRead + Send + 'static,
    keep: Option<impl FnOnce(Vec<u8>) + Send + 'static>,
) -> Body {
    let pieces = ReaderStream::with_capacity(compressed, CHUNK);
    let Some(keep) = keep else { return Body::from_stream(pieces) };
    let all = (Box::pin(pieces), Vec::new(), keep);
    Body::from_stream(stream::try_unfold(all, async |(mut pieces, mut all, keep)| {
        let piece = pieces.try_next().await?;
        let Some(piece) = piece else {
            keep(all);
            return Ok::<_, io::Error>(None);
        };
        all.extend_from_slice(&piece);
        Ok(Some((piece, (pieces, all, keep))))
    }))
}

/// Whether a request takes content that is coded already.
pub fn takes_coding(headers: &HeaderMap, name: &str) -> bool {
    let mut lists = headers.get_all(ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    lists.any(|list| quality(list, name).or_else(|| quality(list, "*")).unwrap_or(0.0) > 0.0)
}

/// The quality of a coding in an `Accept-Encoding` header; none where it is not listed.
fn quality(accept: &str, name: &str) -> Option<f32> {
    accept.split(',').find_map(|item| {
        let mut parts = item.split(';');
        let own = parts.next()?.trim();
        let own = if own.eq_ignore_ascii_case("x-gzip") { "gzip" } else { own };
        if !own.eq_ignore_ascii_case(name) {
            return None;
        }
        let value = parts.find_map(|parameter| {
            let (name, value) = parameter.split_once('=')?;
            name.trim().eq_ignore_ascii_case("q").then(|| value.trim())
        });
        // A quality that cannot be read is no wish.
        Some(value.map_or(1.0, |value| value.parse().unwrap_or(0.0)))
    })
}

fn is_worth_it(response: &Response<Body>) -> bool {
    let headers = response.headers();
    let status = response.status();
    let has_body = !status.is_informational()
        && status != StatusCode::NO_CONTENT
        && status != StatusCode::NOT_MODIFIED;
    let is_large = response.body().size_hint().exact().is_none_or(|bytes| bytes >= MIN_BYTES);
    has_body && is_large && is_compressible(headers) && !is_fixed(headers)
}

/// What may not be changed on its way: it is coded already, a range of bytes, or says so.
fn is_fixed(headers: &HeaderMap) -> bool {
    let holds = |name, text: &str| {
        headers
            .get(name)
            .and_then(|value: &HeaderValue| value.to_str().ok())
            .is_some_and(|value| value.to_ascii_lowercase().contains(text))
    };
    headers.contains_key(CONTENT_ENCODING)
        || holds(CONTENT_RANGE, "bytes")
        || holds(CACHE_CONTROL, "no-transform")
}

/// Text in its many forms, but for streams whose every event has to go out at once, and vector tiles.
fn is_compressible(headers: &HeaderMap) -> bool {
    let Some(content_type) = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()) else {
        return false;
    };
    let media_type = media_type_of(content_type).to_ascii_lowercase();
    let is_text = media_type.starts_with("text/") && media_type != "text/event-stream";
    let ends = ["json", "xml", "javascript", "wasm", "vnd.mapbox-vector-tile"];
    is_text || ends.iter().any(|end| media_type.ends_with(end))
}

/// A strong tag promises the same bytes, which are others now.
fn weaken(headers: &mut HeaderMap) {
    if let Some(tag) = headers.get(ETAG).filter(|tag| tag.as_bytes().starts_with(b"\""))
        && let Ok(weak) = HeaderValue::from_bytes(&[b"W/", tag.as_bytes()].concat())
    {
        headers.insert(ETAG, weak);
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt;

    use super::*;
    use crate::CodedRoom;

    #[test]
    fn the_most_welcome_coding_is_taken() {
        for (accept, coding) in [
            ("gzip", Some(Coding::Gzip)),
            ("gzip, deflate, br, zstd", Some(Coding::Zstd)),
            ("br;q=1.0, zstd;q=0.5, gzip", Some(Coding::Brotli)),
            ("GZIP;Q=0.3, br;q=0.2", Some(Coding::Gzip)),
            ("*", Some(Coding::Zstd)),
            ("zstd;q=0, *;q=0.4", Some(Coding::Brotli)),
            ("identity;q=1, gzip;q=0.5", None),
            ("identity;q=0.5, gzip;q=0.8", Some(Coding::Gzip)),
            ("x-gzip", Some(Coding::Gzip)),
            ("gzip;q=0", None),
            ("gzip;q=nonsense", None),
            ("deflate", None),
            ("", None),
        ] {
            assert_eq!(Coding::best(accept), coding, "{accept}");
        }
    }

    fn answer(headers: &[(&'static str, &'static str)], bytes: usize) -> Response<Body> {
        let mut response = Response::builder();
        for (name, value) in headers {
            response = response.header(*name, *value);
        }
        response.body(Body::from("x".repeat(bytes))).unwrap()
    }

    #[test]
    fn only_large_texts_that_are_plain_are_compressed() {
        let is_coded = |headers: &[_], bytes| {
            let response = Coding::Brotli.apply(answer(headers, bytes));
            response.headers().get(CONTENT_ENCODING).is_some_and(|coding| coding == "br")
        };
        for media_type in [
            "application/json",
            "application/geo+json; charset=utf-8",
            "text/html",
            "application/vnd.mapbox-vector-tile",
        ] {
            assert!(is_coded(&[("content-type", media_type)], 1_024), "{media_type}");
            assert!(!is_coded(&[("content-type", media_type)], 1_023), "{media_type}");
        }
        for media_type in ["text/event-stream", "image/png", "application/octet-stream"] {
            assert!(!is_coded(&[("content-type", media_type)], 9_000), "{media_type}");
        }
        let json = ("content-type", "application/json");
        for other in [
            ("content-encoding", "gzip"),
            ("cache-control", "public, no-transform"),
            ("content-range", "bytes 0-1/2"),
        ] {
            assert!(!is_coded(&[json, other], 9_000), "{other:?}");
        }
    }

    #[tokio::test]
    async fn a_body_that_is_given_out_again_is_compressed_once() {
        let room = CodedRoom::new(9_000);
        let forms = CodedForms::new(&room);
        let coded = async |coding: Coding| {
            let mut response = answer(&[("content-type", "application/json")], 9_000);
            response.extensions_mut().insert(forms.clone());
            let response = coding.apply(response);
            assert_eq!(response.headers()[CONTENT_ENCODING], coding.name());
            let is_ready = response.body().size_hint().exact().is_some();
            (is_ready, response.into_body().collect().await.unwrap().to_bytes())
        };
        for coding in [Coding::Zstd, Coding::Brotli, Coding::Gzip] {
            let (first, second) = (coded(coding).await, coded(coding).await);
            assert_eq!((first.0, second.0), (false, true));
            assert_eq!(first.1, second.1);
        }
    }

    #[test]
    fn a_strong_tag_becomes_weak() {
        let headers = [("content-type", "application/json"), ("etag", "\"a\"")];
        let response = Coding::Brotli.apply(answer(&headers, 9_000));
        assert_eq!(response.headers()[ETAG], "W/\"a\"");
        assert!(!response.headers().contains_key(CONTENT_LENGTH));
    }
}
