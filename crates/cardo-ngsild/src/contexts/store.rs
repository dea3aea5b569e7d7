use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use axum::http::HeaderValue;
use cardo_engine::{Batch, Caller, Engine, Operation};
use cardo_jsonld::{
    CacheLimits, Context, ContextBuilder, ContextCache, ContextError, Document, Limits, Step,
};
use cardo_model::DocumentChange;
use foldhash::fast::RandomState;
use hashbrown::HashMap;
use parking_lot::{Mutex, RwLock};
use serde_json::Value;
use tokio::sync::OnceCell;

use super::loader::ContextLoader;
use crate::represent::Naming;

/// The kind of document under which contexts that an operator has added are kept in the default
/// twin, by URL.
pub const CONTEXT_KIND: &str = "context";
/// The kind under which downloaded contexts are kept.
const CACHED_KIND: &str = "cached-context";
/// How long a download is kept where its server does not say (clause 6.3.16).
const HEURISTIC_AGE: Duration = Duration::from_secs(24 * 3_600);
/// How long to wait before a failed download is tried again.
const RETRY_AFTER: Duration = Duration::from_secs(300);
/// How many namings are kept ready.
const MAX_NAMINGS: usize = 256;

/// Why a request has no context.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ContextFault {
    /// It could not be fetched (clause 5.5.6).
    #[error("the @context {url} is not available: {reason}")]
    Unavailable { url: String, reason: String },
    /// It is no context.
    #[error("the @context is invalid: {0}")]
    Invalid(#[from] ContextError),
}

/// Keeps a context under its URL for good: an operation for the default twin.
///
/// The document is checked, so that a server never holds one that it cannot use.
pub fn context_operation(url: &str, document: &[u8]) -> Result<Operation, ContextError> {
    Document::parse(url, document, &Limits::default())?;
    let body = String::from_utf8_lossy(document).into_owned().into_boxed_str();
    let change = DocumentChange { kind: CONTEXT_KIND.into(), id: url.into(), body: Some(body) };
    Ok(Operation::Document(change))
}

/// All contexts that the face knows, compiled and with their names ready.
pub(crate) struct Contexts {
    engine: Engine,
    loader: Arc<dyn ContextLoader>,
    limits: Limits,
    cache: ContextCache,
    core: Arc<Naming>,
    by_link: RwLock<HashMap<Box<[u8]>, Arc<Naming>, RandomState>>,
    restored: OnceCell<()>,
    ages: Mutex<Ages>,
    /// Seconds after `began` at which the first download expires.
    next_expiry: AtomicU64,
    began: Instant,
}

#[derive(Default)]
struct Ages(HashMap<Arc<str>, Instant, RandomState>);

impl Contexts {
    pub(crate) fn new(
        engine: Engine,
        loader: Arc<dyn ContextLoader>,
        preloaded: Vec<Document>,
    ) -> Self {
        let cache = ContextCache::new(CacheLimits::default());
        for document in preloaded {
            cache.pin(Arc::new(document));
        }
        Self {
            engine,
            loader,
            limits: Limits::default(),
            cache,
            core: Arc::new(Naming::new(Context::core())),
            by_link: RwLock::default(),
            restored: OnceCell::new(),
            ages: Mutex::default(),
            next_expiry: AtomicU64::new(u64::MAX),
            began: Instant::now(),
        }
    }

    /// The core context alone.
    pub(crate) fn core(&self) -> &Arc<Naming> {
        &self.core
    }

    /// The naming for a `Link` header that was seen before, without parsing it.
    pub(crate) fn known_link(&self, header: &HeaderValue) -> Option<Arc<Naming>> {
        if self.began.elapsed().as_secs() >= self.next_expiry.load(Ordering::Relaxed) {
            return None;
        }
        self.by_link.read().get(header.as_bytes()).cloned()
    }

    /// Remembers what a `Link` header means.
    pub(crate) fn remember_link(&self, header: &HeaderValue, naming: &Arc<Naming>) {
        let mut by_link = self.by_link.write();
        if by_link.len() >= MAX_NAMINGS {
            by_link.clear();
        }
        by_link.insert(header.as_bytes().into(), naming.clone());
    }

    /// The naming for a context given by URL, or as the JSON text of a member `@context`.
    pub(crate) async fn naming(
        self: &Arc<Self>,
        source: &str,
    ) -> Result<Arc<Naming>, ContextFault> {
        let context = self.context(source).await?;
        // Names of one context are learnt once, however it is given.
        let key = format!("ctx:{}", context.member());
        if let Some(naming) = self.by_link.read().get(key.as_bytes())
            && Arc::ptr_eq(naming.context(), &context)
        {
            return Ok(naming.clone());
        }
        let naming = Arc::new(Naming::new(context));
        let mut by_link = self.by_link.write();
        if by_link.len() >= MAX_NAMINGS {
            by_link.clear();
        }
        by_link.insert(key.into_bytes().into(), naming.clone());
        Ok(naming)
    }

    /// The compiled context for a URL, or for the JSON text of a member `@context`.
    pub(crate) async fn context(
        self: &Arc<Self>,
        source: &str,
    ) -> Result<Arc<Context>, ContextFault> {
        self.refresh();
        if let Some(context) = self.cache.get(source) {
            return Ok(context);
        }
        self.restored.get_or_init(|| self.restore()).await;
        let value = match source.as_bytes().first() {
            Some(b'{' | b'[' | b'"' | b'n' | b't' | b'f' | b'-' | b'0'..=b'9') => {
                serde_json::from_str(source).unwrap_or_else(|_| Value::from(source))
            }
            _ => Value::from(source),
        };
        let mut builder = ContextBuilder::new(value, self.limits);
        loop {
            match builder.step()? {
                Step::Ready(context) => {
                    self.cache.insert(source, context.clone());
                    return Ok(context);
                }
                Step::Needs(urls) => {
                    for url in self.cache.supply(&mut builder, urls) {
                        let document = self.load(&url).await?;
                        builder.supply(document);
                    }
                }
            }
        }
    }

    async fn load(&self, url: &str) -> Result<Arc<Document>, ContextFault> {
        let unavailable =
            |reason: String| ContextFault::Unavailable { url: url.to_owned(), reason };
        let loaded = self.loader.load(url, self.limits.document_bytes).await;
        let loaded = loaded.map_err(|error| unavailable(error.to_string()))?;
        let document = Arc::new(Document::parse(url, &loaded.bytes, &self.limits)?);
        self.cache.keep(document.clone());
        self.note_age(document.url(), loaded.max_age.unwrap_or(HEURISTIC_AGE));
        self.keep_durably(url, &loaded.bytes).await;
        Ok(document)
    }

    fn note_age(&self, url: &Arc<str>, age: Duration) {
        let deadline = Instant::now() + age.max(Duration::from_secs(1));
        let mut ages = self.ages.lock();
        ages.0.insert(url.clone(), deadline);
        self.set_next_expiry(&ages);
    }

    fn set_next_expiry(&self, ages: &Ages) {
        let first = ages.0.values().min().map(|first| first.duration_since(self.began).as_secs());
        self.next_expiry.store(first.unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    /// Fetches downloads again whose time is over (clause 6.3.16). What was fetched before stays in
    /// use until then, and where its server cannot be reached.
    fn refresh(self: &Arc<Self>) {
        if self.began.elapsed().as_secs() < self.next_expiry.load(Ordering::Relaxed) {
            return;
        }
        let now = Instant::now();
        let mut ages = self.ages.lock();
        for (url, deadline) in &mut ages.0 {
            if *deadline > now {
                continue;
            }
            *deadline = now + RETRY_AFTER;
            let (this, url) = (self.clone(), url.clone());
            tokio::spawn(async move {
                match this.load(&url).await {
                    Ok(_) => this.by_link.write().clear(),
                    Err(error) => {
                        tracing::warn!(url = %url, error = %error, "a context could not be fetched again; the last download stays in use");
                    }
                }
            });
        }
        self.set_next_expiry(&ages);
    }

    async fn keep_durably(&self, url: &str, bytes: &[u8]) {
        let body: Cow<'_, str> = String::from_utf8_lossy(bytes);
        let change = DocumentChange {
            kind: CACHED_KIND.into(),
            id: url.into(),
            body: Some(body.into_owned().into_boxed_str()),
        };
        let batch = Batch { operations: vec![Operation::Document(change)], ..Batch::default() };
        if let Err(error) = self.engine.apply(&Caller::local("contexts"), batch).await {
            tracing::warn!(url, error = %error, "a downloaded context could not be kept for later starts");
        }
    }

    /// Takes back what earlier runs have kept.
    async fn restore(&self) {
        let Ok(snapshot) = self.engine.snapshot(&Caller::local("contexts")).await else { return };
        for (kind, is_pinned) in [(CONTEXT_KIND, true), (CACHED_KIND, false)] {
            for (url, body) in snapshot.documents(kind) {
                match Document::parse(&url, body.as_bytes(), &self.limits) {
                    Ok(document) if is_pinned => self.cache.pin(document.into()),
                    Ok(document) if self.cache.document(&url).is_none() => {
                        self.cache.keep(document.into());
                        self.note_age(&url, HEURISTIC_AGE);
                    }
                    Ok(_) => {}
                    Err(error) => {
                        tracing::warn!(url = %url, error = %error, "a stored context is invalid");
                    }
                }
            }
        }
    }
}
