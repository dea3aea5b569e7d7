use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;

/// Fetches the documents that contexts name by URL; the server gives one that passes the egress
/// gate.
#[async_trait]
pub trait ContextLoader: Send + Sync + 'static {
    /// The document at a URL, at most `limit` bytes of it.
    async fn load(&self, url: &str, limit: usize) -> Result<LoadedContext, ContextUnavailable>;
}

/// A document that was fetched.
#[derive(Debug, Clone)]
pub struct LoadedContext {
    /// Its bytes.
    pub bytes: Bytes,
    /// How long it may be kept, where its server says so (clause 6.3.16).
    pub max_age: Option<Duration>,
}

/// Why a document could not be fetched, in words for the client.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ContextUnavailable(pub String);

/// Fetches nothing: for servers that know all their contexts beforehand.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoContextLoader;

#[async_trait]
impl ContextLoader for NoContextLoader {
    async fn load(&self, _: &str, _: usize) -> Result<LoadedContext, ContextUnavailable> {
        Err(ContextUnavailable("this server loads no contexts".to_owned()))
    }
}
