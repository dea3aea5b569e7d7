//! Contexts that short names are expanded by.

use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use cardo_jsonld::{Context, ContextBuilder, Limits, Step};
use serde_json::Value;

use crate::error::IngestError;
use crate::mapping::is_url;

/// Gives contexts by their URL. The server implements it over its cache and the egress gate.
#[async_trait]
pub trait Contexts: Send + Sync {
    /// The context of a URL, or why there is none.
    async fn context(&self, url: &str) -> Result<Arc<Context>, String>;
}

/// Knows no contexts but those that are built in.
#[derive(Clone, Copy, Debug, Default)]
pub struct BuiltIn;

#[async_trait]
impl Contexts for BuiltIn {
    async fn context(&self, _url: &str) -> Result<Arc<Context>, String> {
        Err("it is not built in, and nothing is downloaded here; name a local file instead".into())
    }
}

/// The context of a URL or a file; the core where none is named.
pub(crate) async fn find(
    name: Option<&str>,
    contexts: &dyn Contexts,
) -> Result<Arc<Context>, IngestError> {
    let Some(name) = name else { return Ok(Context::core()) };
    let failed = |reason: String| IngestError::Context { name: name.to_owned(), reason };
    if !is_url(name) {
        return read(Path::new(name)).map_err(failed);
    }
    match build(Value::String(name.to_owned())) {
        Ok(context) => Ok(context),
        Err(_) => contexts.context(name).await.map_err(failed),
    }
}

fn read(path: &Path) -> Result<Arc<Context>, String> {
    let bytes = std::fs::read(path).map_err(|error| error.to_string())?;
    let mut document: Value = serde_json::from_slice(&bytes).map_err(|error| error.to_string())?;
    match document.get_mut("@context") {
        Some(context) => build(context.take()),
        None => Err("it has no member @context".to_owned()),
    }
}

fn build(source: Value) -> Result<Arc<Context>, String> {
    match ContextBuilder::new(source, Limits::default()).step() {
        Ok(Step::Ready(context)) => Ok(context),
        Ok(Step::Needs(urls)) => Err(format!("it refers to {}", urls.join(", "))),
        Err(error) => Err(error.to_string()),
    }
}
