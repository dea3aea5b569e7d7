use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use foldhash::fast::RandomState;
use hashbrown::HashMap;
use parking_lot::RwLock;

use crate::builder::{ContextBuilder, Document};
use crate::context::Context;

/// What a [`ContextCache`] may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CacheLimits {
    /// Compiled contexts.
    pub contexts: usize,
    /// Terms of all compiled contexts together.
    pub terms: usize,
    /// Documents besides the pinned ones.
    pub documents: usize,
    /// Bytes of a context given in place; longer ones are compiled each time.
    pub key_bytes: usize,
}

impl Default for CacheLimits {
    fn default() -> Self {
        Self { contexts: 512, terms: 500_000, documents: 256, key_bytes: 1 << 16 }
    }
}

/// Compiled contexts and the documents they were made from, the longest unused dropped first.
///
/// Only what was loaded and compiled is ever put in, so a failure is tried again at the next
/// request. Ages are kept by whoever fetches, who replaces or forgets what has expired.
#[derive(Debug, Default)]
pub struct ContextCache {
    limits: CacheLimits,
    clock: AtomicU64,
    held: RwLock<Held>,
}

#[derive(Debug, Default)]
struct Held {
    contexts: HashMap<Box<str>, Slot<Arc<Context>>, RandomState>,
    documents: HashMap<Arc<str>, Slot<Arc<Document>>, RandomState>,
    terms: usize,
}

#[derive(Debug)]
struct Slot<T> {
    value: T,
    used: AtomicU64,
    is_pinned: bool,
}

impl ContextCache {
    /// An empty cache.
    pub fn new(limits: CacheLimits) -> Self {
        Self { limits, ..Self::default() }
    }

    /// The compiled context for a URL, or for the JSON text of an `@context` member.
    pub fn get(&self, source: &str) -> Option<Arc<Context>> {
        let held = self.held.read();
        let slot = held.contexts.get(key(source))?;
        slot.used.store(self.tick(), Ordering::Relaxed);
        Some(slot.value.clone())
    }

    /// Keeps a compiled context under its URL or the JSON text it was given as.
    pub fn insert(&self, source: &str, context: Arc<Context>) {
        let key = key(source);
        if key.len() > self.limits.key_bytes || context.len() > self.limits.terms {
            return;
        }
        let mut held = self.held.write();
        held.drop_context(key);
        while held.contexts.len() >= self.limits.contexts
            || held.terms + context.len() > self.limits.terms
        {
            let Some(oldest) = oldest(&held.contexts) else { return };
            held.drop_context(&oldest);
        }
        held.terms += context.len();
        held.contexts.insert(key.into(), self.slot(context, false));
    }

    /// The document of a URL.
    pub fn document(&self, url: &str) -> Option<Arc<Document>> {
        let held = self.held.read();
        let slot = held.documents.get(url)?;
        slot.used.store(self.tick(), Ordering::Relaxed);
        Some(slot.value.clone())
    }

    /// Keeps a document until there are too many. Contexts made from another content of the same
    /// URL are dropped.
    pub fn keep(&self, document: Arc<Document>) {
        self.put(document, false);
    }

    /// Keeps a document for good, for servers that reach no network.
    pub fn pin(&self, document: Arc<Document>) {
        self.put(document, true);
    }

    /// Drops the document of a URL and the contexts made from it; false if it was not held.
    pub fn forget(&self, url: &str) -> bool {
        let mut held = self.held.write();
        held.drop_dependants(url);
        held.documents.remove(url).is_some()
    }

    /// Hands a builder what it asks for, as far as it is held; gives back the URLs that are not.
    pub fn supply(&self, builder: &mut ContextBuilder, urls: Vec<Arc<str>>) -> Vec<Arc<str>> {
        let mut missing = Vec::new();
        for url in urls {
            match self.document(&url) {
                Some(document) => builder.supply(document),
                None => missing.push(url),
            }
        }
        missing
    }

    fn put(&self, document: Arc<Document>, is_pinned: bool) {
        let mut held = self.held.write();
        let url = document.url().clone();
        let previous = held.documents.get(&url);
        let is_pinned = is_pinned || previous.is_some_and(|slot| slot.is_pinned);
        if previous.is_none_or(|slot| slot.value != document) {
            held.drop_dependants(&url);
        }
        held.documents.remove(&url);
        while held.documents.len() >= self.limits.documents && !is_pinned {
            let Some(oldest) = oldest(&held.documents) else { break };
            held.documents.remove(&oldest);
        }
        held.documents.insert(url, self.slot(document, is_pinned));
    }

    fn slot<T>(&self, value: T, is_pinned: bool) -> Slot<T> {
        Slot { value, used: self.tick().into(), is_pinned }
    }

    fn tick(&self) -> u64 {
        self.clock.fetch_add(1, Ordering::Relaxed)
    }
}

impl Held {
    fn drop_context(&mut self, key: &str) {
        if let Some(slot) = self.contexts.remove(key) {
            self.terms -= slot.value.len();
        }
    }

    fn drop_dependants(&mut self, url: &str) {
        let terms = &mut self.terms;
        self.contexts.retain(|_, slot| {
            let stays = !slot.value.documents().iter().any(|document| &**document == url);
            if !stays {
                *terms -= slot.value.len();
            }
            stays
        });
    }
}

fn oldest<K: Clone, T>(slots: &HashMap<K, Slot<T>, RandomState>) -> Option<K> {
    let free = slots.iter().filter(|(_, slot)| !slot.is_pinned);
    let oldest = free.min_by_key(|(_, slot)| slot.used.load(Ordering::Relaxed));
    oldest.map(|(key, _)| key.clone())
}

/// A URL in a `Link` header and the same URL as a JSON string are one source.
fn key(source: &str) -> &str {
    let text = source.trim();
    match text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
        Some(url) if !url.contains('\\') => url,
        _ => text,
    }
}
