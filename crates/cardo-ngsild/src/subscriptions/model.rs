use std::sync::Arc;
use std::time::Duration;

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use cardo_model::{Iri, Timestamp};
use cardo_query::Filter;

use super::port::MqttParameters;
use crate::represent::{Datasets, Format, Languages, Naming};
use crate::request::Media;

/// A subscription as it is matched and notified (clause 5.2.12); names are full.
pub(crate) struct Subscription {
    /// The id.
    pub(crate) id: Iri,
    /// Which entities: any of the selectors, and `q`, `geoQ` and `scopeQ`.
    pub(crate) filter: Filter,
    /// Which attributes are watched; all where empty.
    pub(crate) watched: Vec<Iri>,
    /// Which changes count.
    pub(crate) triggers: Triggers,
    /// Whether it is under operation.
    pub(crate) is_active: bool,
    /// When it ends.
    pub(crate) expires_at: Option<Timestamp>,
    /// The least time between two notifications.
    pub(crate) throttling: Option<Duration>,
    /// The time between two notifications that come whatever changes.
    pub(crate) time_interval: Option<Duration>,
    /// How notifications are made.
    pub(crate) notification: Notification,
    /// The context of notifications.
    pub(crate) naming: Arc<Naming>,
}

/// How notifications are made (clause 5.2.14).
pub(crate) struct Notification {
    pub(crate) format: Format,
    pub(crate) sys_attrs: bool,
    pub(crate) show_changes: bool,
    pub(crate) attributes: Option<String>,
    pub(crate) pick: Option<String>,
    pub(crate) omit: Option<String>,
    pub(crate) datasets: Datasets,
    pub(crate) languages: Option<Languages>,
    pub(crate) endpoint: Endpoint,
}

/// Who receives them (clause 5.2.15).
pub(crate) struct Endpoint {
    pub(crate) uri: String,
    pub(crate) accept: Media,
    pub(crate) headers: Vec<(HeaderName, HeaderValue)>,
    pub(crate) mqtt: Option<Topic>,
    pub(crate) timeout: Option<Duration>,
    pub(crate) cooldown: Option<Duration>,
}

/// What is special of an endpoint that is a topic of a broker (clause 7.2).
pub(crate) struct Topic {
    pub(crate) parameters: MqttParameters,
    /// What the receiver is to be told beside `Content-Type` and `Link`.
    pub(crate) metadata: Vec<(String, String)>,
}

impl Endpoint {
    /// Whether the receiver wants GeoJSON without `@context` (clause 6.3.8).
    pub(crate) fn prefers_json(&self) -> bool {
        self.headers.iter().any(|(name, value)| name == "prefer" && value == "body=json")
    }

    /// The headers of the receiver's own.
    pub(crate) fn own_headers(&self) -> HeaderMap {
        self.headers.iter().cloned().collect()
    }
}

/// Which changes count (`notificationTrigger`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Triggers(u8);

impl Triggers {
    pub(crate) const ENTITY_CREATED: Self = Self(1);
    pub(crate) const ENTITY_DELETED: Self = Self(2);
    pub(crate) const ATTRIBUTE_CREATED: Self = Self(4);
    pub(crate) const ATTRIBUTE_UPDATED: Self = Self(8);
    pub(crate) const ATTRIBUTE_DELETED: Self = Self(16);
    /// What counts where nothing is said.
    pub(crate) const DEFAULT: Self = Self(4 | 8);
    pub(crate) const NONE: Self = Self(0);

    pub(crate) fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "entityCreated" => Self::ENTITY_CREATED,
            "entityDeleted" => Self::ENTITY_DELETED,
            "attributeCreated" => Self::ATTRIBUTE_CREATED,
            "attributeUpdated" => Self::ATTRIBUTE_UPDATED,
            "attributeDeleted" => Self::ATTRIBUTE_DELETED,
            "entityUpdated" => Self(4 | 8 | 16),
            _ => return None,
        })
    }

    pub(crate) fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    pub(crate) fn has(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }
}

impl Subscription {
    /// Whether notifications are sent at a moment.
    pub(crate) fn is_active_at(&self, now: Timestamp) -> bool {
        super::stored::status(self.is_active, self.expires_at, now) == "active"
    }
}
