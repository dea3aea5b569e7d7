//! Entity tags: whether a client has an answer already.

use std::hash::{BuildHasher, Hash, Hasher, RandomState};

use axum::body::Body;
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE, ETAG, IF_NONE_MATCH, VARY};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method, Response, StatusCode};
use cardo_engine::Caller;
use cardo_model::Revision;
use foldhash::fast::FixedState;

/// Makes entity tags for answers that are a function of the revision and of their form alone.
///
/// Tags are weak, so that they stay right when an answer is compressed on its way. They hold for
/// one run of the server: another may have other contexts, settings or data at the same revision.
#[derive(Debug, Clone)]
pub struct EntityTags {
    state: FixedState,
}

impl Default for EntityTags {
    fn default() -> Self {
        // The hasher of the standard library is seeded by the system.
        Self { state: FixedState::with_seed(RandomState::new().hash_one(0_u8)) }
    }
}

impl EntityTags {
    /// The tag of what a caller sees at a revision. `form` is whatever else decides about the bytes
    /// at one address, such as the media type or the names that are used. `incarnation` tells
    /// branches apart that had one name one after the other; where none is certain, the tag is one
    /// that nobody has had.
    pub fn tag(
        &self,
        caller: &Caller,
        incarnation: Option<u64>,
        revision: Revision,
        form: impl Hash,
    ) -> HeaderValue {
        let mut hasher = self.state.build_hasher();
        caller.twin.tenant().hash(&mut hasher);
        caller.twin.branch().hash(&mut hasher);
        caller.twin.moment().hash(&mut hasher);
        incarnation.unwrap_or_else(|| RandomState::new().hash_one(revision.0)).hash(&mut hasher);
        form.hash(&mut hasher);
        if let Some(restriction) = caller.view.restriction() {
            format!("{restriction:?}").hash(&mut hasher);
        }
        written(revision.0, hasher.finish())
    }
}

/// `W/"`, the revision and the hash in hexadecimal, `"`.
fn written(revision: u64, hash: u64) -> HeaderValue {
    const ROOM: usize = 3 + 20 + 1 + 16 + 1;
    let mut text = [0; ROOM];
    let mut at = ROOM;
    let mut put = |byte: u8| {
        at -= 1;
        text[at] = byte;
    };
    put(b'"');
    for place in 0..16 {
        put(b"0123456789abcdef"[(hash >> (4 * place) & 15) as usize]);
    }
    put(b'-');
    let mut rest = revision;
    loop {
        put(b"0123456789"[(rest % 10) as usize]);
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    b"\"/W".iter().for_each(|byte| put(*byte));
    HeaderValue::from_bytes(&text[at..]).expect("hexadecimal digits are text")
}

/// Gives a successful answer to a GET its tag, and makes it 304 without a body where the request
/// says that its client has it (RFC 9110, section 13.1.2). `vary` names the headers of requests on
/// which the answers at this address depend.
pub fn tagged(
    request: &Parts,
    tag: HeaderValue,
    vary: &'static str,
    mut response: Response<Body>,
) -> Response<Body> {
    let is_get = matches!(request.method, Method::GET | Method::HEAD);
    if !is_get || response.status() != StatusCode::OK {
        return response;
    }
    if is_known(&request.headers, &tag) {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        *response.body_mut() = Body::empty();
        response.headers_mut().remove(CONTENT_TYPE);
        response.headers_mut().remove(CONTENT_LENGTH);
    }
    response.headers_mut().insert(ETAG, tag);
    response.headers_mut().insert(VARY, HeaderValue::from_static(vary));
    response
}

/// Whether `If-None-Match` holds a tag, by weak comparison.
pub fn is_known(headers: &HeaderMap, tag: &HeaderValue) -> bool {
    let mut conditions = headers.get_all(IF_NONE_MATCH).iter().peekable();
    conditions.peek().is_some() && conditions.any(|list| lists(list, tag))
}

fn lists(list: &HeaderValue, tag: &HeaderValue) -> bool {
    let (Ok(mut rest), Ok(tag)) = (list.to_str(), tag.to_str()) else { return false };
    let tag = tag.trim_start_matches("W/");
    if rest.trim() == "*" {
        return true;
    }
    loop {
        rest = rest.trim_start_matches([' ', '\t', ',']);
        rest = rest.strip_prefix("W/").unwrap_or(rest);
        let Some(inner) = rest.strip_prefix('"') else { return false };
        let Some(end) = inner.find('"') else { return false };
        if rest[..end + 2] == *tag {
            return true;
        }
        rest = &inner[end + 1..];
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::Request;
    use cardo_engine::{Mask, Restriction, View};
    use cardo_model::{Timestamp, TwinId};
    use cardo_query::Filter;

    fn tag_of(tags: &EntityTags, caller: &Caller, revision: u64, form: u8) -> String {
        tags.tag(caller, Some(0), Revision(revision), form).to_str().unwrap().to_owned()
    }

    #[test]
    fn a_tag_names_the_revision_and_differs_by_all_that_an_answer_depends_on() {
        let tags = EntityTags::default();
        let everybody = Caller::local("test");
        let plain = tag_of(&tags, &everybody, 17, 0);
        assert!(plain.starts_with("W/\"17-") && plain.ends_with('"'), "{plain}");
        assert_eq!(plain, tag_of(&tags, &everybody, 17, 0));
        let north = Caller { twin: TwinId::of_tenant("north").unwrap(), ..everybody.clone() };
        let moment = everybody.twin.at(Timestamp::from_seconds(1));
        let past = Caller { twin: moment, ..everybody.clone() };
        let restriction = Restriction { rows: Filter::True, attributes: Mask::Only(Vec::new()) };
        let blind = Caller { view: View::restricted(restriction), ..everybody.clone() };
        let others = [
            tag_of(&tags, &everybody, 18, 0),
            tag_of(&tags, &everybody, 17, 1),
            tag_of(&tags, &north, 17, 0),
            tag_of(&tags, &past, 17, 0),
            tag_of(&tags, &blind, 17, 0),
            tag_of(&EntityTags::default(), &everybody, 17, 0),
        ];
        for (at, other) in others.iter().enumerate() {
            assert!(*other != plain && !others[..at].contains(other), "{others:?}");
        }
        let later = tags.tag(&everybody, Some(1), Revision(17), 0_u8);
        let [one, other] = [0; 2].map(|_| tags.tag(&everybody, None, Revision(17), 0_u8));
        assert!(later != plain && one != plain && one != later && one != other);
        let longest = tag_of(&tags, &everybody, u64::MAX, 0);
        assert!(longest.starts_with("W/\"18446744073709551615-"), "{longest}");
    }

    #[test]
    fn a_condition_is_a_list_of_tags_or_a_star() {
        let tag = HeaderValue::from_static("W/\"1-a\"");
        let known = |condition: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(IF_NONE_MATCH, HeaderValue::from_static(condition));
            is_known(&headers, &tag)
        };
        for condition in ["W/\"1-a\"", "\"1-a\"", "\"x,y\", W/\"1-a\"", "*", " \"z\",\"1-a\""] {
            assert!(known(condition), "{condition}");
        }
        for condition in ["", "\"1-b\"", "1-a", "\"1-a", "W/1-a", "\"\"", "\"1-a \""] {
            assert!(!known(condition), "{condition}");
        }
        assert!(!is_known(&HeaderMap::new(), &tag));
    }

    #[test]
    fn only_successful_answers_to_get_are_tagged() {
        let answer = |method: &str, condition: &str, status: u16| {
            let request = Request::builder().method(method).header(IF_NONE_MATCH, condition);
            let parts = request.body(()).unwrap().into_parts().0;
            let response = Response::builder().status(status).header(CONTENT_TYPE, "text/plain");
            let response = response.body(Body::from("text")).unwrap();
            let tag = HeaderValue::from_static("W/\"1-a\"");
            let response = tagged(&parts, tag, "Accept", response);
            (response.status().as_u16(), response.headers().contains_key(ETAG))
        };
        assert_eq!(answer("GET", "\"other\"", 200), (200, true));
        assert_eq!(answer("GET", "\"1-a\"", 200), (304, true));
        assert_eq!(answer("HEAD", "\"1-a\"", 200), (304, true));
        assert_eq!(answer("POST", "\"1-a\"", 200), (200, false));
        assert_eq!(answer("GET", "\"1-a\"", 206), (206, false));
        assert_eq!(answer("GET", "\"1-a\"", 404), (404, false));
    }
}
