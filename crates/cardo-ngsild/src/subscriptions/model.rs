use std::sync::Arc;
use std::time::Duration;

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use cardo_jsonld::Context;
use cardo_model::{Iri, Names, Timestamp};
use cardo_query::Filter;

use super::port::MqttParameters;
use crate::fault::Fault;
use crate::operations::{ProjectionText, ShapeText};
use crate::options::NgsildLimits;
use crate::represent::{Format, Naming, Shape, Version};
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
    pub(crate) representation: Representation,
    pub(crate) show_changes: bool,
    pub(crate) endpoint: Endpoint,
}

/// How the entities of notifications are represented: the texts that say so, with full names.
pub(crate) struct Representation {
    pub(crate) format: Format,
    pub(crate) sys_attrs: bool,
    pub(crate) attributes: Option<String>,
    pub(crate) pick: Option<String>,
    pub(crate) omit: Option<String>,
    pub(crate) datasets: Option<String>,
    pub(crate) lang: Option<String>,
    pub(crate) join: Option<String>,
    pub(crate) join_level: Option<String>,
    /// The version that they conform to (clause 4.3.6.8).
    pub(crate) version: Version,
}

impl Representation {
    /// The shape of the entities of one notification.
    pub(crate) fn shape(&self, limits: &NgsildLimits, names: &Names) -> Result<Shape, Fault> {
        let text = ShapeText {
            projection: ProjectionText {
                attrs: self.attributes.as_deref(),
                pick: self.pick.as_deref(),
                omit: self.omit.as_deref(),
            },
            datasets: self.datasets.as_deref(),
            lang: self.lang.as_deref(),
            join: self.join.as_deref(),
            join_level: self.join_level.as_deref(),
            contained_by: None,
        };
        let form = (self.format, self.sys_attrs);
        Ok(text.shape_in(limits, &Context::core(), names, self.version, form)?.0)
    }
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
    /// Whether the `@context` is in the body of a notification (clause 6.3.8).
    pub(crate) fn has_context(&self) -> bool {
        let prefers_json =
            || self.headers.iter().any(|(name, value)| name == "prefer" && value == "body=json");
        match self.accept {
            Media::Json => false,
            Media::JsonLd => true,
            Media::GeoJson => !prefers_json(),
        }
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
