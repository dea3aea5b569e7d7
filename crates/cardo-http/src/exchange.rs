//! What concerns every exchange and no face: other origins and compression. It is applied around
//! the router, so a request that asks for neither pays for two look-ups and nothing else.

use axum::body::Body;
use axum::http::header::{ACCEPT_ENCODING, ORIGIN, VARY};
use axum::http::{HeaderName, HeaderValue, Request, Response};

use crate::compress::Coding;
use crate::cors::{Cors, ForeignPage, Verdict};

/// What begins with a request.
#[derive(Debug)]
pub enum Opening {
    /// The answer is known: the request is not for a face.
    Answered(Response<Body>),
    /// A face answers, and the answer is to be closed.
    Open(Closing),
}

/// What is left to do with the answer to a request.
#[derive(Debug, Default)]
pub struct Closing {
    allowed: Option<HeaderValue>,
    coding: Option<Coding>,
}

impl Opening {
    /// Looks at a request before a router sees it, and marks it where it may change nothing.
    #[inline]
    pub fn of<B>(cors: &Cors, request: &mut Request<B>) -> Self {
        let coding = Coding::of(request);
        match cors.judge(request) {
            None => Self::Open(Closing { allowed: None, coding }),
            Some(Verdict::Go(allowed)) => Self::Open(Closing { allowed, coding }),
            Some(Verdict::GoReading(allowed)) => {
                request.extensions_mut().insert(ForeignPage);
                Self::Open(Closing { allowed: Some(allowed), coding })
            }
            Some(Verdict::Answer(response)) => Self::Answered(*response),
        }
    }
}

impl Closing {
    /// Completes an answer.
    #[inline]
    pub fn close(self, cors: &Cors, mut response: Response<Body>) -> Response<Body> {
        if cors.varies() {
            vary(&mut response, &ORIGIN);
        }
        if let Some(allowed) = self.allowed {
            if allowed != "*" && !cors.varies() {
                vary(&mut response, &ORIGIN);
            }
            cors.allow_in(allowed, response.headers_mut());
        }
        match self.coding {
            None => response,
            Some(coding) => {
                vary(&mut response, &ACCEPT_ENCODING);
                coding.apply(response)
            }
        }
    }
}

/// Adds a name to `Vary` where it is not there.
fn vary(response: &mut Response<Body>, name: &HeaderName) {
    let is_named = response.headers().get_all(VARY).iter().any(|value| {
        let names = value.to_str().unwrap_or("").split(',').map(str::trim);
        names.into_iter().any(|known| known == "*" || known.eq_ignore_ascii_case(name.as_str()))
    });
    if !is_named {
        response.headers_mut().append(VARY, HeaderValue::from(name.clone()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::PostedReads;
    use axum::http::header::ACCESS_CONTROL_ALLOW_ORIGIN;

    const PAGE: &str = "https://app.example";

    fn cors(origins: &[&str], is_guarded: bool) -> Cors {
        let origins: Vec<String> = origins.iter().map(|origin| (*origin).to_owned()).collect();
        let posted = PostedReads { always: &["/ask"], by_body: &["/say"] };
        Cors::new(&origins, "ETag, Link", is_guarded, posted).unwrap()
    }

    /// The status, who may read the answer, and on what it depends.
    fn ask(cors: &Cors, method: &str, headers: &[(&str, &str)]) -> (u16, String, String) {
        let (status, allowed, vary, _) = ask_at(cors, method, "/x", headers);
        (status, allowed, vary)
    }

    /// The same at an address, and whether the request may change nothing.
    fn ask_at(
        cors: &Cors,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
    ) -> (u16, String, String, bool) {
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let mut request = request.body(()).unwrap();
        let response = match Opening::of(cors, &mut request) {
            Opening::Answered(response) => response,
            Opening::Open(closing) => closing.close(cors, Response::new(Body::empty())),
        };
        let text = |name: HeaderName| {
            let value = response.headers().get(name);
            value.map_or(String::new(), |value| value.to_str().unwrap().to_owned())
        };
        let is_marked = request.extensions().get::<ForeignPage>().is_some();
        let allowed = text(ACCESS_CONTROL_ALLOW_ORIGIN);
        (response.status().as_u16(), allowed, text(VARY), is_marked)
    }

    fn preflight(cors: &Cors, origin: &str, method: &str) -> (u16, String) {
        let headers = [("origin", origin), ("access-control-request-method", method)];
        let (status, allowed, _) = ask(cors, "OPTIONS", &headers);
        (status, allowed)
    }

    #[test]
    fn any_page_may_use_a_server_that_asks_writers_for_a_token() {
        let cors = cors(&["*"], false);
        assert_eq!(ask(&cors, "GET", &[("origin", PAGE)]), (200, "*".into(), String::new()));
        assert_eq!(preflight(&cors, PAGE, "DELETE"), (204, "*".into()));
        assert_eq!(ask(&cors, "GET", &[]), (200, String::new(), String::new()));
    }

    #[test]
    fn strange_pages_only_read_where_no_token_is_needed_to_write() {
        let cors = cors(&["*", "https://known.example"], true);
        assert_eq!(ask(&cors, "GET", &[("origin", PAGE)]).1, "*");
        assert_eq!(preflight(&cors, PAGE, "POST").0, 403);
        assert_eq!(ask(&cors, "POST", &[("origin", PAGE)]).0, 403);
        assert_eq!(ask(&cors, "GET", &[("origin", PAGE), ("upgrade", "websocket")]).0, 403);
        assert_eq!(ask(&cors, "POST", &[("origin", "null")]).0, 403);
        for known in [
            "https://known.example",
            "http://localhost:5173",
            "http://127.0.0.1",
            "http://[::1]:80",
            "http://app.localhost",
        ] {
            assert_eq!(preflight(&cors, known, "PATCH"), (204, known.to_owned()));
        }
        for strange in ["http://localhost.example", "http://127.example", "http://[::1].example"] {
            assert_eq!(preflight(&cors, strange, "PATCH").0, 403, "{strange}");
        }
        let own = [("origin", "http://twin.example:8787"), ("host", "twin.example:8787")];
        assert_eq!(ask(&cors, "POST", &own).0, 200);
        assert_eq!(ask(&cors, "POST", &[]).0, 200);
    }

    #[test]
    fn a_strange_page_may_post_what_only_asks_and_is_marked_where_the_body_decides() {
        let guarded = cors(&["*", "https://known.example"], true);
        let post = |origin, path| {
            let (status, allowed, _, marked) =
                ask_at(&guarded, "POST", path, &[("origin", origin)]);
            (status, allowed, marked)
        };
        let star = || "*".to_owned();
        assert_eq!(post(PAGE, "/ask"), (200, star(), false));
        assert_eq!(post(PAGE, "/say"), (200, star(), true));
        assert_eq!(post(PAGE, "/say/"), (200, star(), true));
        for elsewhere in ["/x", "/say/more", "/%73ay", "/say//", "//say", "/SAY"] {
            assert_eq!(post(PAGE, elsewhere).0, 403, "{elsewhere}");
        }
        for trusted in ["https://known.example", "http://localhost:1"] {
            assert_eq!(post(trusted, "/say"), (200, trusted.to_owned(), false));
        }
        let wanted = [("origin", PAGE), ("access-control-request-method", "POST")];
        for (path, status) in [("/ask", 204), ("/say", 204), ("/x", 403)] {
            assert_eq!(ask_at(&guarded, "OPTIONS", path, &wanted).0, status, "{path}");
        }
        let wanted = [("origin", PAGE), ("access-control-request-method", "DELETE")];
        assert_eq!(ask_at(&guarded, "OPTIONS", "/say", &wanted).0, 403);
        let socket = [("origin", PAGE), ("upgrade", "websocket")];
        assert_eq!(ask_at(&guarded, "GET", "/say", &socket).0, 403);
        let closed = cors(&["https://known.example"], true);
        assert_eq!(ask_at(&closed, "POST", "/say", &[("origin", PAGE)]).0, 403);
        let open = cors(&["*"], false);
        assert!(!ask_at(&open, "POST", "/say", &[("origin", PAGE)]).3);
    }

    #[test]
    fn where_origins_are_named_others_read_nothing_and_caches_know() {
        let cors = cors(&[PAGE], false);
        assert_eq!(ask(&cors, "GET", &[("origin", PAGE)]), (200, PAGE.into(), "origin".into()));
        let other = [("origin", "https://other.example")];
        assert_eq!(ask(&cors, "GET", &other), (200, String::new(), "origin".into()));
        assert_eq!(ask(&cors, "GET", &[]), (200, String::new(), "origin".into()));
        assert_eq!(preflight(&cors, "https://other.example", "GET").0, 403);
    }

    #[test]
    fn an_origin_that_cannot_be_is_refused() {
        for wrong in ["app.example", "https://app.example/", "https://a b", "https://", ""] {
            assert!(
                Cors::new(&[wrong.to_owned()], "", false, PostedReads::default()).is_err(),
                "{wrong}"
            );
        }
    }
}
