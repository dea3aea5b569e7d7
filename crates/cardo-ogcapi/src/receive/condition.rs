use std::time::{Duration, UNIX_EPOCH};

use axum::http::header::{HeaderName, IF_MATCH, IF_NONE_MATCH, IF_UNMODIFIED_SINCE};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue};
use cardo_model::{Record, Revision, Timestamp};

use crate::face::Face;
use crate::fault::Fault;
use crate::request::Ask;

/// The state of an entity, as conditions know it.
pub(crate) struct State {
    /// What its tags begin with: the revision that changed it last, within a twin, a view and a run of the server.
    tag: String,
    modified: Timestamp,
}

impl State {
    pub(crate) fn of(face: &Face, ask: &Ask<'_>, record: &Record) -> Self {
        let view = record.view();
        let tag = start_of_tag(face, ask, view.id(), view.revision());
        Self { tag, modified: view.modified_at() }
    }
}

fn start_of_tag(face: &Face, ask: &Ask<'_>, id: &str, changed: Revision) -> String {
    let tag = face.tags.tag(&ask.caller, ask.incarnation(&face.engine), changed, id);
    let text = tag.to_str().unwrap_or_default();
    text.trim_start_matches("W/").trim_matches('"').to_owned()
}

/// The value of the header `Last-Modified`, which knows whole seconds (RFC 9110, section 8.8.2).
pub(crate) fn last_modified(moment: Timestamp) -> Option<HeaderValue> {
    let seconds = u64::try_from(second_of(moment)).ok()?;
    let text = httpdate::fmt_http_date(UNIX_EPOCH + Duration::from_secs(seconds));
    HeaderValue::try_from(text).ok()
}

fn second_of(moment: Timestamp) -> i64 {
    moment.as_micros().div_euclid(1_000_000)
}

/// The conditions under which a feature is to be changed or read (RFC 9110, sections 13.1.1, 13.1.2 and 13.1.4).
///
/// A tag of ours begins with the state of the entity, behind which stands the form of an answer. It is
/// the state that is compared: which form a client has read, compressed or not, makes no difference
/// to what it saw. A time of modification tells two changes within a second not apart, so tags come first.
pub(crate) struct Conditions<'a> {
    if_match: Option<Tags<'a>>,
    if_none_match: Option<Tags<'a>>,
    /// The second since 1970; only where there is no `If-Match`.
    unmodified_since: Option<i64>,
}

enum Tags<'a> {
    Any,
    Listed(Vec<&'a str>),
}

impl<'a> Conditions<'a> {
    pub(crate) fn of(parts: &'a Parts) -> Result<Self, Fault> {
        let if_none_match = tags(&parts.headers, &IF_NONE_MATCH)?;
        Ok(Self { if_none_match, ..Self::of_read(parts)? })
    }

    /// Those under which a feature is to be read; what `If-None-Match` says there is answered by 304.
    pub(crate) fn of_read(parts: &'a Parts) -> Result<Self, Fault> {
        let headers = &parts.headers;
        let if_match = tags(headers, &IF_MATCH)?;
        // What is no date is to be ignored.
        let date = headers.get(IF_UNMODIFIED_SINCE).filter(|_| if_match.is_none());
        let date = date.and_then(|date| httpdate::parse_http_date(date.to_str().ok()?).ok());
        let since = date.and_then(|date| date.duration_since(UNIX_EPOCH).ok());
        let unmodified_since = since.and_then(|since| i64::try_from(since.as_secs()).ok());
        Ok(Self { if_match, if_none_match: None, unmodified_since })
    }

    /// Whether a change has to be of the state that was judged.
    pub(crate) fn is_locking(&self) -> bool {
        let has_tags = self.if_match.is_some() || self.if_none_match.is_some();
        has_tags || self.unmodified_since.is_some()
    }

    /// Judges the state of the feature, `None` where there is no such feature.
    pub(crate) fn check(&self, state: Option<&State>) -> Result<(), Fault> {
        let tag = state.map(|state| state.tag.as_str());
        if self.if_match.as_ref().is_some_and(|tags| !tags.hold(tag)) {
            return Err(Fault::precondition(match tag {
                Some(_) => "the feature has changed since it was read (If-Match)",
                None => "there is no such feature (If-Match)",
            }));
        }
        if self.if_none_match.as_ref().is_some_and(|tags| tags.hold(tag)) {
            return Err(Fault::precondition("there is such a feature already (If-None-Match)"));
        }
        let is_later = |date: i64| state.is_none_or(|state| second_of(state.modified) > date);
        if self.unmodified_since.is_some_and(is_later) {
            return Err(Fault::precondition(match state {
                Some(_) => "the feature has changed since then (If-Unmodified-Since)",
                None => "there is no such feature (If-Unmodified-Since)",
            }));
        }
        Ok(())
    }
}

impl Tags<'_> {
    fn hold(&self, state: Option<&str>) -> bool {
        let Some(state) = state else { return false };
        let is_of = |tag: &&str| {
            tag.strip_prefix(state).is_some_and(|form| form.is_empty() || form.starts_with('.'))
        };
        match self {
            Self::Any => true,
            Self::Listed(tags) => tags.iter().any(is_of),
        }
    }
}

fn tags<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Result<Option<Tags<'a>>, Fault> {
    let mut listed = None;
    for value in headers.get_all(name) {
        let fault = || Fault::invalid(format!("{name} is no list of entity tags"));
        let text = value.to_str().map_err(|_| fault())?.trim();
        if text == "*" {
            return Ok(Some(Tags::Any));
        }
        let tags = listed.get_or_insert_with(Vec::new);
        let mut rest = text;
        while !rest.is_empty() {
            rest = rest.trim_start_matches([' ', '\t', ',']);
            rest = rest.strip_prefix("W/").unwrap_or(rest);
            if rest.is_empty() {
                break;
            }
            let inner = rest.strip_prefix('"').ok_or_else(fault)?;
            let (tag, behind) = inner.split_once('"').ok_or_else(fault)?;
            tags.push(tag);
            rest = behind;
        }
    }
    Ok(listed.map(Tags::Listed))
}

impl Face {
    /// The tag of a feature in a form: media type and query string decide about its bytes, and so do
    /// the columns of its table.
    pub(crate) fn feature_tag(
        &self,
        ask: &Ask<'_>,
        (id, changed): (&str, Revision),
        form: (&str, Option<&str>, Option<u64>),
    ) -> HeaderValue {
        let state = start_of_tag(self, ask, id, changed);
        let form = self.tags.tag(&ask.caller, Some(0), Revision(0), form);
        let form = form.to_str().unwrap_or_default().trim_end_matches('"');
        let form = form.rsplit('-').next().unwrap_or_default();
        let tag = HeaderValue::try_from(format!("\"{state}.{form}\""));
        tag.unwrap_or(HeaderValue::from_static("\"\""))
    }
}
