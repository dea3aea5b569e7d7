//! Copies of the contexts that others publish: downloaded when they are needed, aged, kept in the
//! default twin.

use std::sync::Arc;
use std::time::Duration;

use cardo_engine::{Batch, Caller, Operation};
use cardo_jsonld::{ContextError, Document};
use cardo_model::DocumentChange;

use super::cached::Cached;
use super::loader::LoadedContext;
use super::store::{CONTEXT_KIND, ContextFault, Contexts};

/// The kind of document under which downloaded contexts are kept, by URL.
const CACHED_KIND: &str = "cached-context";
/// How long a download is kept where its server does not say (clause 6.3.16).
const HEURISTIC_AGE: Duration = Duration::from_secs(24 * 3_600);
/// How long to wait before a failed download is tried again.
const RETRY_AFTER: Duration = Duration::from_secs(300);
/// Of a download that has brought nothing new, an age below this is not kept for later starts.
const WORTH_WRITING: Duration = Duration::from_secs(60);

impl Contexts {
    /// The document that others have under a URL: the copy, or a download.
    pub(super) async fn copy(&self, url: &Arc<str>) -> Result<Arc<Document>, ContextFault> {
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
        let is_same = self.cache.document(url).is_some_and(|before| before == *document);
        self.cache.keep(document.clone());
        let cached = self.copies.note(url, Some(age));
        self.copies.fetch_again(url, self.clock.now(), age);
        if is_same && age < WORTH_WRITING {
            return;
        }
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
    pub(super) fn refresh(self: &Arc<Self>) {
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
    pub(super) async fn restore(&self) {
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

    pub(super) fn give(&self, document: Document) {
        self.given.write().insert(document.url().as_ref().into());
        self.cache.pin(document.into());
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
}

fn cached_change(url: &str, body: Option<String>) -> Operation {
    let body = body.map(String::into_boxed_str);
    Operation::Document(DocumentChange { kind: CACHED_KIND.into(), id: url.into(), body })
}
