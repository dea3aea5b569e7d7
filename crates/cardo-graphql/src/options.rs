use std::sync::Arc;
use std::time::Duration;

use cardo_engine::Layers;
use cardo_http::{AllowAll, Authorize, Observer};

/// What the face is given beside the engine.
#[derive(Clone)]
pub struct GraphqlOptions {
    /// Says who may do what.
    pub authorize: Arc<dyn Authorize>,
    /// Is told of every answer.
    pub observer: Option<Arc<dyn Observer>>,
    /// Collections that are files.
    pub layers: Option<Arc<dyn Layers>>,
    /// Limits of what clients can make large.
    pub limits: GraphqlLimits,
}

/// Limits of what clients can make large.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GraphqlLimits {
    /// Bytes of a request's body, and of a message over WebSocket.
    pub body_bytes: usize,
    /// Bytes of a document.
    pub document_bytes: usize,
    /// Tokens of a document.
    pub tokens: usize,
    /// Levels of fields in one another.
    pub depth: usize,
    /// Rows times fields that a question may touch, by estimate.
    pub cost: u64,
    /// The same for questions about the schema, for each type that it has.
    pub introspection_cost: u64,
    /// Requests of a batch.
    pub batch: usize,
    /// How long a question or change may run.
    pub time: Duration,
    /// Entities on a page where the client does not say.
    pub default_page: usize,
    /// The largest page a client may ask for.
    pub max_page: usize,
    /// Rows that one level of a reverse relationship may have over all its parents.
    pub level_rows: usize,
    /// Subscriptions of one connection.
    pub subscriptions: usize,
    /// How many revisions a subscriber may lag behind before the connection is closed.
    pub lag: u64,
    /// How long a client may leave a message unread before the connection is closed.
    pub unread: Duration,
    /// How long a client may take to begin a connection.
    pub begin: Duration,
}

impl Default for GraphqlLimits {
    fn default() -> Self {
        Self {
            body_bytes: 1 << 20,
            document_bytes: 64 << 10,
            tokens: 10_000,
            depth: 16,
            cost: 100_000,
            introspection_cost: 5_000,
            batch: 10,
            time: Duration::from_secs(10),
            default_page: 20,
            max_page: 1_000,
            level_rows: 20_000,
            subscriptions: 100,
            lag: 10_000,
            unread: Duration::from_secs(10),
            begin: Duration::from_secs(5),
        }
    }
}

impl Default for GraphqlOptions {
    /// Allows everything to everybody.
    fn default() -> Self {
        Self {
            authorize: Arc::new(AllowAll::default()),
            observer: None,
            layers: None,
            limits: GraphqlLimits::default(),
        }
    }
}
