use std::sync::Arc;
use std::time::Duration;

use cardo_egress::Gate;
use cardo_http::{AllowAll, Authorize, Observer};
use cardo_jsonld::Document;
use tokio_util::sync::CancellationToken;

use crate::contexts::{ContextLoader, NoContextLoader};
use crate::subscriptions::{Courier, DeliveryOptions, NoCourier};

/// What the face is given beside the engine.
#[derive(Clone)]
pub struct NgsildOptions {
    /// Says who may do what.
    pub authorize: Arc<dyn Authorize>,
    /// Fetches contexts that are not known yet.
    pub contexts: Arc<dyn ContextLoader>,
    /// Contexts that are known from the start and never fetched.
    pub preloaded_contexts: Vec<Document>,
    /// Through which context sources are asked; none are without it.
    pub sources: Option<Gate>,
    /// Whether parts of one entity may be in several places where a request does not say
    /// (clause 4.3.6.7).
    pub split_entities: bool,
    /// Takes notifications to their receivers.
    pub courier: Arc<dyn Courier>,
    /// Ends connections that would go on for ever, when the server stops.
    pub closing: CancellationToken,
    /// How often and how long they are tried.
    pub deliveries: DeliveryOptions,
    /// Is told of every answer.
    pub observer: Option<Arc<dyn Observer>>,
    /// Limits of what clients can make large.
    pub limits: NgsildLimits,
}

/// Limits of what clients can make large.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NgsildLimits {
    /// Bytes of a request's body.
    pub body_bytes: usize,
    /// Entities on a page where the client does not say.
    pub default_page: usize,
    /// The largest page a client may ask for.
    pub max_page: usize,
    /// Entities of a batch.
    pub batch: usize,
    /// Attributes of one entity.
    pub attributes: usize,
    /// Rows of history in one answer.
    pub history_rows: usize,
    /// Subscriptions of one tenant.
    pub subscriptions: usize,
    /// Registrations of context sources of one tenant.
    pub registrations: usize,
    /// Those of one tenant who follow questions at the same time.
    pub followers: usize,
    /// How long one who follows may leave an event unread before they are let go.
    pub unread: Duration,
    /// The longest that a snapshot lasts.
    pub snapshot_lifetime: Duration,
    /// Contexts that one tenant hosts.
    pub contexts: usize,
    /// Relationships that one question follows one after the other.
    pub join_levels: usize,
    /// Linked entities in one answer.
    pub linked: usize,
    /// Entities that one purge deletes or changes.
    pub purge: usize,
}

impl Default for NgsildLimits {
    fn default() -> Self {
        Self {
            body_bytes: 16 << 20,
            default_page: 20,
            max_page: 1_000,
            batch: 10_000,
            attributes: 1_000,
            history_rows: 10_000,
            subscriptions: 10_000,
            registrations: 10_000,
            followers: 1_000,
            unread: Duration::from_secs(30),
            snapshot_lifetime: Duration::from_secs(7 * 24 * 3_600),
            contexts: 1_000,
            join_levels: 10,
            linked: 10_000,
            purge: 1_000_000,
        }
    }
}

impl Default for NgsildOptions {
    /// Allows everything to everybody, knows the core contexts only and delivers nothing.
    fn default() -> Self {
        Self {
            authorize: Arc::new(AllowAll::default()),
            contexts: Arc::new(NoContextLoader),
            preloaded_contexts: Vec::new(),
            sources: None,
            split_entities: false,
            courier: Arc::new(NoCourier),
            closing: CancellationToken::new(),
            deliveries: DeliveryOptions::default(),
            observer: None,
            limits: NgsildLimits::default(),
        }
    }
}
