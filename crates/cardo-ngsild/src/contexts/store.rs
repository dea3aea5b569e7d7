use std::sync::Arc;
use std::time::Duration;

use axum::http::HeaderValue;
use cardo_engine::{Batch, Caller, Engine, Operation, QueryError, Snapshot};
use cardo_jsonld::{
    CacheLimits, Context, ContextBuilder, ContextCache, ContextError, Document, Limits, Step,
};
use cardo_model::{DocumentChange, Timestamp, TwinId};
use foldhash::fast::RandomState;
use hashbrown::HashSet;
use parking_lot::RwLock;
use serde_json::Value;
use tokio::sync::OnceCell;

use super::cached::{Cached, Copies};
use super::hosted::{Hosted, Spaces};
use super::loader::{ContextLoader, LoadedContext};
use super::place::{Place, local_id};
use super::usage::{Clock, Known, Memo, Usage};
use crate::represent::Naming;

/// The kind of document under which contexts that an operator has added are kept in the default
/// twin, by URL.
pub const CONTEXT_KIND: &str = "context";
/// The kind under which downloaded contexts are kept there.
const CACHED_KIND: &str = "cached-context";
/// How long a download is kept where its server does not say (clause 6.3.16).
const HEURISTIC_AGE: Duration = Duration::from_secs(24 * 3_600);
/// How long to wait before a failed download is tried again.
const RETRY_AFTER: Duration = Duration::from_secs(300);

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
///
/// Copies of what others publish are of all tenants. What a tenant hosts is read from its twin and
/// kept apart, as is whatever leans on it.
pub(crate) struct Contexts {
    engine: Engine,
    loader: Arc<dyn ContextLoader>,
    limits: Limits,
    cache: ContextCache,
    core: Arc<Naming>,
    shared: RwLock<Memo>,
    spaces: Spaces,
    copies: Copies,
    /// The URLs whose documents an operator has given; they are never fetched.
    given: RwLock<HashSet<Box<str>, RandomState>>,
    restored: OnceCell<()>,
    clock: Clock,
}

/// A hosted context that another one was made of.
type Part = (Arc<str>, Arc<Usage>);

impl Contexts {
    pub(crate) fn new(
        engine: Engine,
        loader: Arc<dyn ContextLoader>,
        preloaded: Vec<Document>,
    ) -> Self {
        let contexts = Self {
            engine,
            loader,
            limits: Limits::default(),
            cache: ContextCache::new(CacheLimits::default()),
            core: Arc::new(Naming::new(Context::core())),
            shared: RwLock::default(),
            spaces: Spaces::default(),
            copies: Copies::new(),
            given: RwLock::default(),
            restored: OnceCell::new(),
            clock: Clock::start(),
        };
        for document in preloaded {
            contexts.give(document);
        }
        contexts
    }

    /// The core context alone.
    pub(crate) fn core(&self) -> &Arc<Naming> {
        &self.core
    }

    /// The core context, to be remembered for a header that names no other.
    pub(crate) fn core_known(&self) -> Arc<Known> {
        let generation = self.shared.read().generation();
        let usages = Box::default();
        Arc::new(Known { naming: self.core.clone(), usages, is_own: false, generation })
    }

    /// The naming for a `Link` header that was seen before, without parsing it; counted as a use.
    pub(crate) fn known_link(&self, twin: &TwinId, header: &HeaderValue) -> Option<Arc<Naming>> {
        let now = self.clock.now();
        if self.copies.is_due(now) {
            return None;
        }
        if let Some(naming) = self.spaces.used(twin, header.as_bytes(), now) {
            return Some(naming);
        }
        Some(self.shared.read().get(header.as_bytes())?.used(now).clone())
    }

    /// Remembers what a `Link` header means.
    pub(crate) fn remember_link(&self, twin: &TwinId, header: &HeaderValue, known: &Arc<Known>) {
        if known.is_own {
            self.spaces.of(twin).memo.write().insert(header.as_bytes(), known);
        } else {
            self.shared.write().insert(header.as_bytes(), known);
        }
    }

    /// What a request uses: a context given by URL, or as the JSON text of a member `@context`.
    pub(crate) async fn used(
        self: &Arc<Self>,
        place: Place<'_>,
        source: &str,
    ) -> Result<(Arc<Naming>, Arc<Known>), ContextFault> {
        let known = self.find(place, source).await?;
        Ok((known.used(self.clock.now()).clone(), known))
    }

    /// The naming for such a source, not counted as a use.
    pub(crate) async fn naming(
        self: &Arc<Self>,
        place: Place<'_>,
        source: &str,
    ) -> Result<Arc<Naming>, ContextFault> {
        Ok(self.find(place, source).await?.naming.clone())
    }

    /// The compiled context for such a source, not counted as a use.
    pub(crate) async fn context(
        self: &Arc<Self>,
        place: Place<'_>,
        source: &str,
    ) -> Result<Arc<Context>, ContextFault> {
        Ok(self.find(place, source).await?.naming.context().clone())
    }

    async fn find(
        self: &Arc<Self>,
        place: Place<'_>,
        source: &str,
    ) -> Result<Arc<Known>, ContextFault> {
        self.refresh();
        if let Some(known) = self.spaces.known(place.twin, source.as_bytes()) {
            return Ok(known);
        }
        let generation = self.shared.read().generation();
        if !source.contains("/jsonldContexts/")
            && let Some(context) = self.cache.get(source)
        {
            return Ok(self.shared_known(context, generation));
        }
        self.restored.get_or_init(|| self.restore()).await;
        let own_generation = self.spaces.get(place.twin).map(|s| s.memo.read().generation());
        let (context, parts) = self.build(place, source).await?;
        if parts.is_empty() {
            if self.shared.read().generation() == generation {
                self.cache.insert(source, context.clone());
            }
            return Ok(self.shared_known(context, generation));
        }
        let usages = self.usages(&context, &parts);
        let naming = Arc::new(Naming::new(context));
        let generation = own_generation.unwrap_or_default();
        let known = Arc::new(Known { naming, usages, is_own: true, generation });
        self.spaces.of(place.twin).memo.write().insert(source.as_bytes(), &known);
        Ok(known)
    }

    /// Names of one context are learnt once, however it is given.
    fn shared_known(&self, context: Arc<Context>, generation: u64) -> Arc<Known> {
        let key = format!("ctx:{}", context.member());
        if let Some(known) = self.shared.read().get(key.as_bytes())
            && Arc::ptr_eq(known.naming.context(), &context)
        {
            return known.clone();
        }
        let usages = self.usages(&context, &[]);
        let naming = Arc::new(Naming::new(context));
        let known = Arc::new(Known { naming, usages, is_own: false, generation });
        self.shared.write().insert(key.as_bytes(), &known);
        known
    }

    fn usages(&self, context: &Context, parts: &[Part]) -> Box<[Arc<Usage>]> {
        let usage = |url: &Arc<str>| match parts.iter().find(|(own, _)| own == url) {
            Some((_, usage)) => usage.clone(),
            None => self.copies.of_document(url).usage.clone(),
        };
        context.documents().iter().map(usage).collect()
    }

    async fn build(
        &self,
        place: Place<'_>,
        source: &str,
    ) -> Result<(Arc<Context>, Vec<Part>), ContextFault> {
        let value = match source.as_bytes().first() {
            Some(b'{' | b'[' | b'"' | b'n' | b't' | b'f' | b'-' | b'0'..=b'9') => {
                serde_json::from_str(source).unwrap_or_else(|_| Value::from(source))
            }
            _ => Value::from(source),
        };
        let mut builder = ContextBuilder::new(value, self.limits);
        let mut parts = Vec::new();
        loop {
            match builder.step()? {
                Step::Ready(context) => return Ok((context, parts)),
                Step::Needs(urls) => {
                    for url in urls {
                        if let Some((document, usage)) = self.hosted_document(place, &url).await? {
                            builder.supply(document);
                            parts.push((url, usage));
                        } else {
                            builder.supply(self.copy(&url).await?);
                        }
                    }
                }
            }
        }
    }

    /// The document of a URL that leads to a context of the tenant's own.
    async fn hosted_document(
        &self,
        place: Place<'_>,
        url: &str,
    ) -> Result<Option<(Arc<Document>, Arc<Usage>)>, ContextFault> {
        let Some(id) = local_id(url) else { return Ok(None) };
        let unavailable =
            |reason: String| ContextFault::Unavailable { url: url.to_owned(), reason };
        let snapshot = self.twin(place.twin).await.map_err(|e| unavailable(e.to_string()))?;
        match snapshot.and_then(|snapshot| Hosted::find(&snapshot, &id)) {
            Some(hosted) => {
                let text = hosted.document();
                let document = Document::parse(url, text.as_bytes(), &self.limits)?;
                Ok(Some((document.into(), self.spaces.of(place.twin).usage(&id))))
            }
            // The server does not ask itself for what it does not have.
            None if place.is_here(url) => {
                Err(unavailable("this server has no such context".to_owned()))
            }
            None => Ok(None),
        }
    }

    /// The twin of a tenant, where there is one.
    pub(crate) async fn twin(&self, twin: &TwinId) -> Result<Option<Snapshot>, QueryError> {
        let caller = Caller { twin: twin.clone(), ..Caller::local("contexts") };
        match self.engine.snapshot(&caller).await {
            Ok(snapshot) => Ok(Some(snapshot)),
            Err(QueryError::UnknownTenant(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The document that others have under a URL: the copy, or a download.
    async fn copy(&self, url: &Arc<str>) -> Result<Arc<Document>, ContextFault> {
        if let Some(document) = self.cache.document(url) {
            return Ok(document);
        }
        // The memory for documents is bounded; what was dropped there is still in the twin.
        if self.copies.get(url).is_some()
            && let Ok(snapshot) = self.engine.snapshot(&Caller::local("contexts")).await
            && let Some(text) = snapshot.document(CACHED_KIND, url)
            && let Ok(document) = Document::parse(url, text.as_bytes(), &self.limits)
        {
            let document = Arc::new(document);
            self.cache.keep(document.clone());
            return Ok(document);
        }
        self.download(url).await
    }

    async fn download(&self, url: &Arc<str>) -> Result<Arc<Document>, ContextFault> {
        let loaded = self.fetch(url).await?;
        let document = Arc::new(Document::parse(url, &loaded.bytes, &self.limits)?);
        self.keep(&document, loaded.max_age).await;
        Ok(document)
    }

    async fn fetch(&self, url: &str) -> Result<LoadedContext, ContextFault> {
        let loaded = self.loader.load(url, self.limits.document_bytes).await;
        loaded.map_err(|error| ContextFault::Unavailable {
            url: url.to_owned(),
            reason: error.to_string(),
        })
    }

    /// Keeps a download, in the twin too.
    async fn keep(&self, document: &Arc<Document>, max_age: Option<Duration>) {
        let url = document.url();
        let age = max_age.unwrap_or(HEURISTIC_AGE);
        self.cache.keep(document.clone());
        let cached = self.copies.note(url, Some(age));
        self.copies.fetch_again(url, self.clock.now(), age);
        let mut changes = vec![cached_change(url, Some(cached.to_text(document)))];
        if let Some(surplus) = self.copies.surplus(url) {
            self.drop_copy(&surplus);
            changes.push(cached_change(&surplus.url, None));
        }
        self.write(changes).await;
    }

    async fn write(&self, operations: Vec<Operation>) {
        let batch = Batch { operations, ..Batch::default() };
        if let Err(error) = self.engine.apply(&Caller::local("contexts"), batch).await {
            tracing::warn!(error = %error, "downloaded contexts could not be kept for later starts");
        }
    }

    fn drop_copy(&self, cached: &Cached) {
        self.copies.remove(&cached.url);
        if !self.given.read().contains(&*cached.url) {
            self.cache.forget(&cached.url);
        }
        self.forget_namings();
    }

    /// What was made of contexts is to be made anew.
    fn forget_namings(&self) {
        self.shared.write().clear();
        self.spaces.clear();
    }

    /// Fetches downloads again whose time is over (clause 6.3.16). What was fetched before stays in
    /// use until then, and where its server cannot be reached.
    fn refresh(self: &Arc<Self>) {
        let now = self.clock.now();
        if !self.copies.is_due(now) {
            return;
        }
        for url in self.copies.take_due(now, RETRY_AFTER) {
            let this = self.clone();
            tokio::spawn(async move {
                match this.download(&url).await {
                    Ok(_) => this.forget_namings(),
                    Err(error) => {
                        tracing::warn!(url = %url, error = %error, "a context could not be fetched again; the last download stays in use");
                    }
                }
            });
        }
    }

    /// Takes back what earlier runs have kept.
    async fn restore(&self) {
        let Ok(snapshot) = self.engine.snapshot(&Caller::local("contexts")).await else { return };
        for (kind, is_given) in [(CONTEXT_KIND, true), (CACHED_KIND, false)] {
            for (url, body) in snapshot.documents(kind) {
                match Document::parse(&url, body.as_bytes(), &self.limits) {
                    Ok(document) if is_given => self.give(document),
                    Ok(document) if self.cache.document(&url).is_none() => {
                        // Otherwise it is of another version, and is fetched anew.
                        let Some(cached) = Cached::from_text(&url, &body) else { continue };
                        self.cache.keep(document.into());
                        let left = cached.left().unwrap_or(HEURISTIC_AGE);
                        self.copies.restore(cached);
                        self.copies.fetch_again(&url, self.clock.now(), left);
                    }
                    Ok(_) => {}
                    Err(error) => {
                        tracing::warn!(url = %url, error = %error, "a stored context is invalid");
                    }
                }
            }
        }
    }

    fn give(&self, document: Document) {
        self.given.write().insert(document.url().as_ref().into());
        self.cache.pin(document.into());
    }
}

/// What the operations of clause 5.13 need.
impl Contexts {
    /// Checks a context that is to be found at a URL, as far as that is possible without fetching
    /// what it names (clause 5.5.4).
    pub(crate) fn check(&self, url: &str, document: &[u8]) -> Result<Value, ContextError> {
        // What is named relatively needs a base, also where the client has named no host.
        let url = if url.starts_with('/') { &format!("http://localhost{url}") } else { url };
        let document = Arc::new(Document::parse(url, document, &self.limits)?);
        let mut builder = ContextBuilder::new(document.url().as_ref().into(), self.limits);
        builder.supply(document.clone());
        builder.step()?;
        Ok(document.context().clone())
    }

    /// The copies, those of earlier runs too.
    pub(crate) async fn copies(&self) -> Vec<Arc<Cached>> {
        self.restored.get_or_init(|| self.restore()).await;
        self.copies.all()
    }

    /// The copy of a local id or URL.
    pub(crate) async fn find_copy(&self, id: &str) -> Option<Arc<Cached>> {
        self.restored.get_or_init(|| self.restore()).await;
        self.copies.find(id)
    }

    /// Downloads a copy again; where that fails it stays as it is (clause 5.13.5.4).
    pub(crate) async fn reload(&self, cached: &Cached) -> Result<(), ContextFault> {
        if self.given.read().contains(&*cached.url) {
            self.copies.note(&cached.url, None);
            return Ok(());
        }
        let loaded = self.fetch(&cached.url).await?;
        let invalid = |error: ContextError| ContextFault::Unavailable {
            url: cached.url.to_string(),
            reason: error.to_string(),
        };
        self.check(&cached.url, &loaded.bytes).map_err(invalid)?;
        let document =
            Document::parse(&cached.url, &loaded.bytes, &self.limits).map_err(invalid)?;
        self.keep(&document.into(), loaded.max_age).await;
        self.forget_namings();
        Ok(())
    }

    /// Removes a copy; it comes again when it is used again.
    pub(crate) async fn delete_copy(&self, cached: &Cached) {
        self.drop_copy(cached);
        self.write(vec![cached_change(&cached.url, None)]).await;
    }

    /// Says that a hosted context is gone from its twin.
    pub(crate) fn deleted(&self, twin: &TwinId, id: &str) {
        self.spaces.of(twin).forget(id);
    }

    /// How often a context was found, and when last; with `is_found` this is once more.
    pub(crate) fn usage(
        &self,
        twin: &TwinId,
        stored: Stored<'_>,
        is_found: bool,
    ) -> (u64, Option<Timestamp>) {
        let usage = match stored {
            Stored::Copy(cached) => cached.usage.clone(),
            Stored::Own(hosted) => self.spaces.of(twin).usage(&hosted.id),
        };
        let said = (usage.hits(), usage.last(&self.clock));
        if is_found {
            usage.count(self.clock.now());
        }
        said
    }

    /// Since when the built-in contexts are there.
    pub(crate) fn began_at(&self) -> Timestamp {
        self.clock.began_at()
    }
}

/// A context in the storage.
#[derive(Clone, Copy)]
pub(crate) enum Stored<'a> {
    Copy(&'a Cached),
    Own(&'a Hosted),
}

fn cached_change(url: &str, body: Option<String>) -> Operation {
    let body = body.map(String::into_boxed_str);
    Operation::Document(DocumentChange { kind: CACHED_KIND.into(), id: url.into(), body })
}
