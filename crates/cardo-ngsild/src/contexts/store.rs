use std::sync::Arc;

use axum::http::HeaderValue;
use cardo_engine::{Caller, Engine, Operation, QueryError, Snapshot};
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
use super::loader::ContextLoader;
use super::place::{Place, local_id};
use super::usage::{Clock, Known, Memo, Usage};
use crate::represent::Naming;

/// The kind of document under which contexts that an operator has added are kept in the default
/// twin, by URL.
pub const CONTEXT_KIND: &str = "context";

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
    pub(super) engine: Engine,
    pub(super) loader: Arc<dyn ContextLoader>,
    pub(super) limits: Limits,
    pub(super) cache: ContextCache,
    core: Arc<Naming>,
    pub(super) shared: RwLock<Memo>,
    pub(super) spaces: Spaces,
    pub(super) copies: Copies,
    /// The URLs whose documents an operator has given; they are never fetched.
    pub(super) given: RwLock<HashSet<Box<str>, RandomState>>,
    pub(super) restored: OnceCell<()>,
    pub(super) clock: Clock,
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
        if let Some(context) = self.cache.get(source)
            && !self.hosts_part(place.twin, &context).await
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

    /// Whether a context of all tenants names one that this tenant hosts, which then counts.
    async fn hosts_part(&self, twin: &TwinId, context: &Context) -> bool {
        let ids: Vec<_> = context.documents().iter().filter_map(|url| local_id(url)).collect();
        if ids.is_empty() {
            return false;
        }
        let Ok(Some(snapshot)) = self.twin(twin).await else { return false };
        ids.iter().any(|id| Hosted::find(&snapshot, id).is_some())
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
