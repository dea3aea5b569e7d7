//! Copies of what sources have answered, used again for as long as a registration says
//! (clauses 5.2.34 and 6.3.17).

use std::collections::VecDeque;

use cardo_egress::{HeaderMap, HeaderValue, Response, StatusCode};
use cardo_engine::{Duration, Registration};
use cardo_model::Timestamp;
use hashbrown::HashMap;
use parking_lot::Mutex;

/// Bytes of all copies together, and how many there may be; the oldest make room.
const MOST_BYTES: usize = 64 << 20;
const MOST_COPIES: usize = 10_000;

/// Which request it was: its path and all of its headers, since these may say who asks.
type Key = Box<[u8]>;

/// The copies, by the endpoints that they are from.
#[derive(Default)]
pub(super) struct Cache(Mutex<Copies>);

#[derive(Default)]
struct Copies {
    of: HashMap<Box<str>, HashMap<Key, Copy>>,
    /// In the order in which they came; some may be gone.
    order: VecDeque<(Box<str>, Key)>,
    bytes: usize,
}

struct Copy {
    response: Response,
    at: Timestamp,
}

/// A question of which a copy may be kept.
pub(super) struct Question {
    endpoint: Box<str>,
    key: Key,
    duration: Duration,
}

impl Question {
    /// None where the registration asks for no copies, or the question is not for entities.
    pub(super) fn of(
        registration: &Registration,
        endpoint: &str,
        path: &str,
        headers: &HeaderMap,
    ) -> Option<Self> {
        let duration = registration.management.cache_duration?;
        let resource = path.split('?').next().unwrap_or("");
        if resource != "/entities" && !resource.starts_with("/entities/") {
            return None;
        }
        let mut key = path.as_bytes().to_vec();
        for (name, value) in headers {
            key.push(b'\n');
            key.extend_from_slice(name.as_str().as_bytes());
            key.push(b':');
            key.extend_from_slice(value.as_bytes());
        }
        Some(Self { endpoint: endpoint.into(), key: key.into(), duration })
    }
}

impl Cache {
    /// The copy of an answer, with the warning that it is one.
    pub(super) fn get(&self, question: &Question, alias: &str, now: Timestamp) -> Option<Response> {
        let copies = self.0.lock();
        let copy = copies.of.get(&question.endpoint)?.get(&question.key)?;
        if question.duration.after(copy.at) <= now {
            return None;
        }
        let mut response = copy.response.clone();
        let warning = HeaderValue::try_from(format!("110 {alias} \"Response is Stale\"")).ok()?;
        response.headers.append("ngsild-warning", warning);
        Some(response)
    }

    /// Keeps an answer that says what there is.
    pub(super) fn put(&self, question: Question, response: &Response, now: Timestamp) {
        let bytes = response.body.len() + question.key.len();
        let is_known = matches!(response.status, StatusCode::OK | StatusCode::NOT_FOUND);
        if !is_known || bytes > MOST_BYTES / 64 {
            return;
        }
        let Question { endpoint, key, .. } = question;
        let mut copies = self.0.lock();
        copies.bytes += bytes;
        copies.order.push_back((endpoint.clone(), key.clone()));
        let copy = Copy { response: response.clone(), at: now };
        let before = copies.of.entry(endpoint).or_default().insert(key.clone(), copy);
        if let Some(before) = before {
            copies.bytes -= before.response.body.len() + key.len();
        }
        while copies.bytes > MOST_BYTES || copies.order.len() > MOST_COPIES {
            let Some((endpoint, key)) = copies.order.pop_front() else { break };
            copies.take_out(&endpoint, &key);
        }
    }

    /// Forgets what came from an endpoint that is told of a change.
    pub(super) fn forget(&self, endpoint: &str) {
        let mut copies = self.0.lock();
        let Some(gone) = copies.of.remove(endpoint) else { return };
        copies.bytes -=
            gone.iter().map(|(key, copy)| key.len() + copy.response.body.len()).sum::<usize>();
    }
}

impl Copies {
    fn take_out(&mut self, endpoint: &str, key: &[u8]) {
        let Some(copies) = self.of.get_mut(endpoint) else { return };
        if let Some(gone) = copies.remove(key) {
            self.bytes -= key.len() + gone.response.body.len();
        }
        if copies.is_empty() {
            self.of.remove(endpoint);
        }
    }
}
