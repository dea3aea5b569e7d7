use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use cardo_jsonld::Document;
use cardo_model::Timestamp;
use foldhash::fast::RandomState;
use hashbrown::HashMap;
use parking_lot::{Mutex, RwLock};
use serde_json::{Value, json};

use super::hosted::new_id;
use super::usage::{Usage, millis};

/// How many downloads are kept; of more, the one that was not used for the longest time goes.
const MAX_CACHED: usize = 200;

const VERSION: u64 = 1;

/// A context that is kept as a copy (clause 5.13.1).
#[derive(Debug, Clone)]
pub(crate) struct Cached {
    pub(crate) url: Arc<str>,
    pub(crate) local_id: Box<str>,
    pub(crate) created_at: Timestamp,
    /// None where its copy does not age: an operator has given it.
    pub(crate) expires_at: Option<Timestamp>,
    pub(super) usage: Arc<Usage>,
}

impl Cached {
    /// The text that keeps it, with its document.
    pub(super) fn to_text(&self, document: &Document) -> String {
        json!({
            "version": VERSION,
            "localId": self.local_id,
            "createdAt": self.created_at.to_string(),
            "expiresAt": self.expires_at.map(|moment| moment.to_string()),
            "@context": document.context(),
        })
        .to_string()
    }

    /// Reads that text again.
    pub(super) fn from_text(url: &Arc<str>, text: &str) -> Option<Self> {
        let members: Value = serde_json::from_str(text).ok()?;
        if members.get("version")?.as_u64()? != VERSION {
            return None;
        }
        let moment = |name: &str| Timestamp::parse(members.get(name)?.as_str()?).ok();
        Some(Self {
            url: url.clone(),
            local_id: members.get("localId")?.as_str()?.into(),
            created_at: moment("createdAt")?,
            expires_at: moment("expiresAt"),
            usage: Arc::default(),
        })
    }

    /// How long its copy is good yet.
    pub(super) fn left(&self) -> Option<Duration> {
        let left = self.expires_at?.as_micros().saturating_sub(Timestamp::now().as_micros());
        Some(Duration::from_micros(u64::try_from(left).unwrap_or(0)))
    }
}

/// All that are kept, and when they are due to be fetched again.
pub(super) struct Copies {
    by_url: RwLock<HashMap<Arc<str>, Arc<Cached>, RandomState>>,
    due: Mutex<HashMap<Arc<str>, u64, RandomState>>,
    next_due: AtomicU64,
}

impl Copies {
    pub(super) fn new() -> Self {
        let next_due = AtomicU64::new(u64::MAX);
        Self { by_url: RwLock::default(), due: Mutex::default(), next_due }
    }

    /// The one of a URL.
    pub(super) fn get(&self, url: &str) -> Option<Arc<Cached>> {
        self.by_url.read().get(url).cloned()
    }

    /// The one of a local id or URL.
    pub(super) fn find(&self, id: &str) -> Option<Arc<Cached>> {
        let by_url = self.by_url.read();
        let by_id = || by_url.values().find(|one| *one.local_id == *id);
        by_url.get(id).or_else(by_id).cloned()
    }

    pub(super) fn all(&self) -> Vec<Arc<Cached>> {
        self.by_url.read().values().cloned().collect()
    }

    /// Notes a copy of this moment; one of the same URL before keeps its id and what was counted.
    pub(super) fn note(&self, url: &Arc<str>, age: Option<Duration>) -> Arc<Cached> {
        let created_at = Timestamp::now();
        let expires_at = age.map(|age| later(created_at, age));
        let mut by_url = self.by_url.write();
        let (local_id, usage) = match by_url.get(url) {
            Some(before) => (before.local_id.clone(), before.usage.clone()),
            None => (new_id(), Arc::default()),
        };
        let cached = Arc::new(Cached { url: url.clone(), local_id, created_at, expires_at, usage });
        by_url.insert(url.clone(), cached.clone());
        cached
    }

    /// The one of a document that is there, noted now where it is not yet.
    pub(super) fn of_document(&self, url: &Arc<str>) -> Arc<Cached> {
        self.get(url).unwrap_or_else(|| self.note(url, None))
    }

    /// Takes back what an earlier run has kept.
    pub(super) fn restore(&self, cached: Cached) {
        self.by_url.write().insert(cached.url.clone(), cached.into());
    }

    pub(super) fn remove(&self, url: &str) {
        self.by_url.write().remove(url);
        let mut due = self.due.lock();
        due.remove(url);
        self.set_next(&due);
    }

    /// Which has to go for there to be room.
    pub(super) fn surplus(&self, newest: &str) -> Option<Arc<Cached>> {
        let by_url = self.by_url.read();
        let downloads = || by_url.values().filter(|cached| cached.expires_at.is_some());
        if downloads().count() <= MAX_CACHED {
            return None;
        }
        let others = downloads().filter(|cached| *cached.url != *newest);
        others.min_by_key(|cached| (cached.usage.rank(), cached.created_at.as_micros())).cloned()
    }

    /// Says when a copy has to be fetched again.
    pub(super) fn fetch_again(&self, url: &Arc<str>, now: u64, age: Duration) {
        let mut due = self.due.lock();
        due.insert(url.clone(), now.saturating_add(millis(age.max(Duration::from_secs(1)))));
        self.set_next(&due);
    }

    fn set_next(&self, due: &HashMap<Arc<str>, u64, RandomState>) {
        self.next_due.store(due.values().min().copied().unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    /// Whether something is due.
    #[inline]
    pub(super) fn is_due(&self, now: u64) -> bool {
        now >= self.next_due.load(Ordering::Relaxed)
    }

    /// What is due; it is due once more after `again`.
    pub(super) fn take_due(&self, now: u64, again: Duration) -> Vec<Arc<str>> {
        let mut due = self.due.lock();
        let mut taken = Vec::new();
        for (url, at) in due.iter_mut().filter(|(_, at)| **at <= now) {
            *at = now.saturating_add(millis(again));
            taken.push(url.clone());
        }
        self.set_next(&due);
        taken
    }
}

fn later(moment: Timestamp, by: Duration) -> Timestamp {
    let micros = i64::try_from(by.as_micros()).unwrap_or(i64::MAX);
    Timestamp::from_micros(moment.as_micros().saturating_add(micros))
}
