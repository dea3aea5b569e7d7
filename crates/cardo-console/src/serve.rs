//! Answers with the files of the page.

use axum::Router;
use axum::body::Body;
use axum::extract::Path;
use axum::http::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG,
    REFERRER_POLICY, VARY, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Request, Response, StatusCode};
use axum::routing::get;
use cardo_http::{BaseUrl, is_known};

use crate::files::{self, File};

/// The page loads and reaches nothing but this server. Styles of elements are set by scripts, which
/// no policy forbids; maps are drawn by a worker that is a file of the page; images of maps are
/// made in the browser.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; \
                      font-src 'self'; connect-src 'self'; worker-src 'self'; manifest-src 'self'; \
                      base-uri 'self'; form-action 'none'; frame-ancestors 'self'";

/// Files with a hash in their name never change.
const FOREVER: &str = "public, max-age=31536000, immutable";

/// The files that the page loads, below `/console/`.
pub fn router<S: Clone + Send + Sync + 'static>() -> Router<S> {
    Router::new().route("/console/{*file}", get(file))
}

/// The page itself, for whoever asks for it by this request.
pub fn page(parts: &Parts) -> Response<Body> {
    let Some(page) = files::find("index.html") else {
        return answer(StatusCode::NOT_FOUND, Body::empty());
    };
    let base = format!("{}/", escaped(BaseUrl::of(parts).path()));
    let tag = format!("\"{}{}\"", page.tag, tag_of(&base));
    let text = String::from_utf8_lossy(page.plain)
        .replace("<base href=\"/\"", &format!("<base href=\"{base}\""));
    let mut response = answer(StatusCode::OK, Body::empty());
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(page.media_type()));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(VARY, HeaderValue::from_static("Accept"));
    finish(response, &parts.headers, &tag, text.into())
}

async fn file(Path(name): Path<String>, request: Request<Body>) -> Response<Body> {
    let found = files::find(&format!("console/{name}"));
    found.map_or_else(|| missing(&name), |file| whole(file, request.headers()))
}

fn whole(file: &'static File, asked: &HeaderMap) -> Response<Body> {
    let (coding, bytes) = coded(file, asked);
    let mut response = answer(StatusCode::OK, Body::empty());
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(file.media_type()));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static(FOREVER));
    headers.insert(VARY, HeaderValue::from_static("Accept-Encoding"));
    // A worker has the policy of its own file, not that of the page.
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    let tag = match coding {
        None => format!("\"{}\"", file.tag),
        Some(coding) => {
            headers.insert(CONTENT_ENCODING, HeaderValue::from_static(coding));
            format!("\"{}-{coding}\"", file.tag)
        }
    };
    finish(response, asked, &tag, Body::from(bytes))
}

/// Adds tag and body, or says that the client has it already (RFC 9110, section 13.1.2).
fn finish(
    mut response: Response<Body>,
    asked: &HeaderMap,
    tag: &str,
    body: Body,
) -> Response<Body> {
    let tag = HeaderValue::try_from(tag).expect("hexadecimal digits and a coding are a header");
    if is_known(asked, &tag) {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        response.headers_mut().remove(CONTENT_TYPE);
        response.headers_mut().remove(CONTENT_ENCODING);
    } else {
        *response.body_mut() = body;
    }
    response.headers_mut().insert(ETAG, tag);
    response
}

/// The smallest form that the client takes.
fn coded(file: &'static File, asked: &HeaderMap) -> (Option<&'static str>, &'static [u8]) {
    let takes = |coding: &str| {
        let lists = asked.get_all(ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
        lists.flat_map(|list| list.split(',')).any(|member| {
            let mut parts = member.split(';').map(str::trim);
            let is_named = parts.next().is_some_and(|name| name.eq_ignore_ascii_case(coding));
            let refused = |weight: &str| weight.parse() == Ok(0.0_f32);
            is_named && !parts.filter_map(|part| part.strip_prefix("q=")).any(refused)
        })
    };
    match (file.br, file.gz) {
        (Some(bytes), _) if takes("br") => (Some("br"), bytes),
        (_, Some(bytes)) if takes("gzip") => (Some("gzip"), bytes),
        _ => (None, file.plain),
    }
}

fn missing(name: &str) -> Response<Body> {
    let shown: String = name.chars().filter(|c| !c.is_control()).take(80).collect();
    let text = format!(
        "the console has no file {shown:?}; a page that asks for it is of another version\n"
    );
    let mut response = answer(StatusCode::NOT_FOUND, Body::from(text));
    let plain = HeaderValue::from_static("text/plain; charset=utf-8");
    response.headers_mut().insert(CONTENT_TYPE, plain);
    response
}

fn answer(status: StatusCode, body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response.headers_mut().insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

/// The page differs by the path below which it is served, and its tag with it.
fn tag_of(base: &str) -> String {
    let hash = base.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    format!("-{hash:016x}")
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt;
    use tower::ServiceExt;

    use super::*;

    async fn ask(path: &str, headers: &[(&str, &str)]) -> (Response<Body>, Vec<u8>) {
        let mut request = Request::builder().uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Body::empty()).unwrap();
        let router: Router = router();
        let (parts, body) = router.oneshot(request).await.unwrap().into_parts();
        let bytes = body.collect().await.unwrap().to_bytes().to_vec();
        (Response::from_parts(parts, Body::empty()), bytes)
    }

    fn text(response: &Response<Body>, name: &str) -> String {
        response
            .headers()
            .get(name)
            .map(|value| value.to_str().unwrap().to_owned())
            .unwrap_or_default()
    }

    /// A script of the page.
    fn script() -> String {
        let page = files::find("index.html").unwrap();
        let page = String::from_utf8_lossy(page.plain).into_owned();
        let start = page.find("src=\"./console/").unwrap() + "src=\".".len();
        page[start..].split('"').next().unwrap().to_owned()
    }

    #[tokio::test]
    async fn a_file_comes_in_the_coding_that_the_client_takes_and_stays_forever() {
        let script = script();
        let (plain, bytes) = ask(&script, &[]).await;
        assert_eq!(plain.status(), 200);
        assert_eq!(text(&plain, "content-encoding"), "");
        assert!(text(&plain, "cache-control").contains("immutable"));
        assert!(text(&plain, "content-type").starts_with("text/javascript"));
        let mut tags = vec![text(&plain, "etag")];
        for (takes, coding) in
            [("gzip, br", "br"), ("br;q=0, gzip", "gzip"), ("GZIP;q=0.5", "gzip")]
        {
            let (answer, fewer) = ask(&script, &[("accept-encoding", takes)]).await;
            assert_eq!(text(&answer, "content-encoding"), coding, "{takes}");
            assert!(fewer.len() < bytes.len());
            tags.push(text(&answer, "etag"));
        }
        assert!(tags[0] != tags[1] && tags[1] != tags[2] && tags[2] == tags[3], "{tags:?}");
        assert!(tags.iter().all(|tag| tag.starts_with('"')), "{tags:?}");
        let known = ask(&script, &[("if-none-match", tags[0].as_str())]).await;
        assert_eq!((known.0.status().as_u16(), known.1.len()), (304, 0));
    }

    #[tokio::test]
    async fn a_file_of_another_version_is_said_to_be_missing() {
        for path in ["/console/none-00000000.js", "/console/../Cargo.toml", "/console/index.html"] {
            let (answer, _) = ask(path, &[]).await;
            assert_eq!(answer.status(), 404, "{path}");
        }
    }

    #[tokio::test]
    async fn the_page_says_where_it_is_and_reaches_nothing_else() {
        let request = Request::builder().uri("/").header("host", "city.example").body(()).unwrap();
        let mut request = cardo_http::strip_tenant(request).into_parts().0;
        let answer = page(&request);
        let policy = text(&answer, "content-security-policy");
        assert!(policy.contains("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
        let tag = text(&answer, "etag");
        request.headers.insert("if-none-match", HeaderValue::try_from(&tag).unwrap());
        assert_eq!(page(&request).status(), 304);
        let north = Request::builder().uri("/tenants/north").header("host", "city.example");
        let north = cardo_http::strip_tenant(north.body(()).unwrap()).into_parts().0;
        let answer = page(&north);
        assert_ne!(text(&answer, "etag"), tag);
        let body = answer.into_body().collect().await.unwrap().to_bytes();
        assert!(String::from_utf8_lossy(&body).contains("<base href=\"/tenants/north/\""));
    }
}
