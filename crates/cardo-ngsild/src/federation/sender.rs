//! One exchange with a context source: where it goes, what it is told, how long it is waited for.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use cardo_egress::{
    Bytes, EgressError, Gate, HeaderMap, HeaderName, HeaderValue, Method, Request, Response, header,
};
use cardo_engine::{Forwarding, Registration, SourceFault};
use cardo_model::Timestamp;
use hashbrown::HashMap;
use parking_lot::Mutex;

use super::cache::{Cache, Question};
use crate::face::BASE;
use crate::operations::entity_maps::ENTITY_MAP;
use crate::respond::encode;

/// How long a source is waited for where its registration does not say.
const TIMEOUT: Duration = Duration::from_secs(5);
/// The most that is waited whatever a registration says.
const LONGEST: Duration = Duration::from_secs(60);
/// The largest answer of a source.
const MOST_BYTES: usize = 16 << 20;
/// Endpoints that are left alone for a while are remembered up to this number.
const MOST_COOLING: usize = 10_000;

/// The tenant, as a header of its own (clause 6.3.14).
const TENANT: HeaderName = HeaderName::from_static("ngsild-tenant");

/// Stands for the value that the triggering request had (clause 4.3.6.5).
const OF_REQUEST: &str = "urn:ngsi-ld:request";

/// Headers that `contextSourceInfo` cannot set (clause 6.3.19), and keys that are no headers
/// (clause 4.3.6.6).
const RESERVED: [&str; 19] = [
    "accept",
    "connection",
    "content-length",
    "content-type",
    "contenttype",
    "expect",
    "host",
    "jsonldcontext",
    "keep-alive",
    "link",
    "ngsildconformance",
    "ngsild-entitymap",
    "ngsild-tenant",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "user-agent",
    "via",
];

/// Sends requests to context sources.
pub(super) struct Sender {
    gate: Gate,
    cooling: Mutex<HashMap<Box<str>, Instant>>,
    cache: Cache,
}

/// What is sent.
pub(crate) struct Sending {
    pub(crate) method: Method,
    /// Below the base of the API, with its query.
    pub(crate) path: String,
    /// JSON whose names are those of the context in the `Link` header.
    pub(crate) body: Bytes,
    /// The URL of the context; the core is meant where there is none.
    pub(crate) context: Option<Box<str>>,
    /// Whether the context is a member of the body.
    pub(crate) is_inline: bool,
}

impl Sender {
    pub(super) fn new(gate: Gate) -> Self {
        Self { gate, cooling: Mutex::default(), cache: Cache::default() }
    }

    /// Sends a request on behalf of a call; the answer is whatever the source says.
    pub(super) async fn send(
        &self,
        registration: &Registration,
        forwarding: &Forwarding,
        sending: Sending,
    ) -> Result<Response, SourceFault> {
        let endpoint = base_of(&registration.endpoint);
        let headers = headers(registration, forwarding, &sending);
        let mut question = None;
        if sending.method == Method::GET {
            question = Question::of(registration, &endpoint, &sending.path, &headers);
        } else if sending.path != "/entityOperations/query" {
            self.cache.forget(&endpoint);
        }
        let now = Timestamp::now();
        let copy = question.as_ref().and_then(|one| self.cache.get(one, &forwarding.alias, now));
        if let Some(copy) = copy {
            return Ok(copy);
        }
        // A registration that asks for no cool-down is not held up by one that does.
        if registration.management.cooldown.is_some() && self.is_cooling(&endpoint) {
            return Err(SourceFault::Silent("it failed a moment ago and is left alone".to_owned()));
        }
        let management = &registration.management;
        let request = Request {
            headers,
            body: sending.body,
            timeout: Some(management.timeout.unwrap_or(TIMEOUT).min(LONGEST)),
            max_response_bytes: Some(MOST_BYTES),
            ..Request::new(sending.method, format!("{endpoint}{BASE}{}", sending.path))
        };
        let answer = self.gate.send(request).await.map_err(|error| fault(&error));
        let has_failed = match &answer {
            Ok(response) => response.status.is_server_error(),
            Err(fault) => matches!(fault, SourceFault::Silent(_)),
        };
        if let Some(cooldown) = management.cooldown.filter(|_| has_failed) {
            self.cool(endpoint, cooldown);
        }
        if let (Some(question), Ok(response)) = (question, &answer) {
            self.cache.put(question, response, now);
        }
        answer
    }

    fn is_cooling(&self, endpoint: &str) -> bool {
        self.cooling.lock().get(endpoint).is_some_and(|until| *until > Instant::now())
    }

    fn cool(&self, endpoint: String, cooldown: Duration) {
        let now = Instant::now();
        let mut cooling = self.cooling.lock();
        if cooling.len() >= MOST_COOLING {
            cooling.retain(|_, until| *until > now);
        }
        if cooling.len() < MOST_COOLING
            && let Some(until) = now.checked_add(cooldown)
        {
            cooling.insert(endpoint.into(), until);
        }
    }
}

/// An endpoint is where the API stands, with or without its base.
fn base_of(endpoint: &str) -> String {
    let endpoint = endpoint.trim_end_matches('/');
    endpoint.strip_suffix(BASE).unwrap_or(endpoint).trim_end_matches('/').to_owned()
}

/// Where the entity map of a source is.
fn map_at(registration: &Registration, id: &str) -> String {
    format!("{}{BASE}/entityMaps/{}", base_of(&registration.endpoint), encode(id))
}

fn fault(error: &EgressError) -> SourceFault {
    match error {
        EgressError::TooLarge { limit, .. } => {
            SourceFault::Invalid(format!("it is larger than {limit} bytes"))
        }
        // Which addresses are refused, and what else went wrong, is for the operator to know.
        EgressError::Timeout { after, .. } => {
            SourceFault::Silent(format!("no answer came within {} ms", after.as_millis()))
        }
        error => {
            tracing::debug!(%error, "a context source was not reached");
            SourceFault::Silent("it could not be reached".to_owned())
        }
    }
}

fn headers(registration: &Registration, forwarding: &Forwarding, sending: &Sending) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (key, value) in &registration.source_info {
        if RESERVED.iter().any(|name| key.eq_ignore_ascii_case(name)) {
            continue;
        }
        let value = if &**value == OF_REQUEST { said(forwarding, key) } else { Some(&**value) };
        let name = HeaderName::try_from(&**key);
        if let (Ok(name), Some(Ok(mut value))) = (name, value.map(HeaderValue::try_from)) {
            // They may be secrets, which do not follow a redirect to another origin.
            value.set_sensitive(true);
            headers.insert(name, value);
        }
    }
    let mut put = |name: HeaderName, value: Option<String>| {
        if let Some(Ok(value)) = value.map(HeaderValue::try_from) {
            headers.insert(name, value);
        }
    };
    put(header::ACCEPT, Some(accept(registration).to_owned()));
    put(header::VIA, Some(via(forwarding)));
    put(TENANT, registration.tenant.as_deref().map(str::to_owned));
    put(ENTITY_MAP, forwarding.asked.maps.of(registration).map(|id| map_at(registration, id)));
    if sending.is_inline {
        put(header::CONTENT_TYPE, Some("application/ld+json".to_owned()));
        return headers;
    }
    put(header::LINK, sending.context.as_deref().map(link));
    if !sending.body.is_empty() {
        put(header::CONTENT_TYPE, Some("application/json".to_owned()));
    }
    headers
}

/// What a registration says by a key with a meaning of its own (clause 4.3.6.6).
pub(super) fn told<'a>(registration: &'a Registration, key: &str) -> Option<&'a str> {
    let mut info = registration.source_info.iter();
    info.find(|(name, _)| name.eq_ignore_ascii_case(key)).map(|(_, value)| &**value)
}

/// The media type that the source is to answer with.
fn accept(registration: &Registration) -> &str {
    match told(registration, "accept") {
        Some("application/ld+json") => "application/ld+json",
        _ => "application/json",
    }
}

fn said<'a>(forwarding: &'a Forwarding, key: &str) -> Option<&'a str> {
    let mut said = forwarding.said.iter();
    said.find(|(name, _)| name.eq_ignore_ascii_case(key)).map(|(_, value)| &**value)
}

/// Those whom the request has passed, and this server (clause 6.3.18).
fn via(forwarding: &Forwarding) -> String {
    let mut via = String::new();
    for name in &forwarding.passed {
        let _ = write!(via, "1.1 {name}, ");
    }
    let _ = write!(via, "1.1 {}", forwarding.alias);
    via
}

fn link(url: &str) -> String {
    format!("<{url}>; rel=\"http://www.w3.org/ns/json-ld#context\"; type=\"application/ld+json\"")
}

#[cfg(test)]
mod tests {
    use super::base_of;

    #[test]
    fn an_endpoint_may_name_the_base_of_the_api_or_leave_it_out() {
        for endpoint in [
            "http://a.example:80/broker",
            "http://a.example:80/broker/",
            "http://a.example:80/broker/ngsi-ld/v1",
            "http://a.example:80/broker/ngsi-ld/v1/",
        ] {
            assert_eq!(base_of(endpoint), "http://a.example:80/broker");
        }
    }
}
