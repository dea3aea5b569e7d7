use std::sync::Arc;

use cardo_model::{EntityId, Iri, JsonText, Scope, Timestamp};
use cardo_query::Pattern;
use geo_types::Geometry as Shape;

use super::{Operations, SourceProgress};
use crate::history::Duration;

/// A context source as it was registered (clause 5.2.9); all names are full ones.
#[derive(Clone, Debug)]
pub struct Registration {
    /// The id of the registration.
    pub id: Iri,
    /// What the source may have; at least one.
    pub information: Vec<Information>,
    /// How requests are distributed (clause 4.3.6).
    pub mode: Mode,
    /// What the source takes; groups are resolved (clause 4.20).
    pub operations: Operations,
    /// Where its interface is, as it was given.
    pub endpoint: Box<str>,
    /// The tenant to be named in requests to it.
    pub tenant: Option<Box<str>>,
    /// `contextSourceInfo`: what it is told with each request (clauses 4.3.6.5 and 4.3.6.6).
    pub source_info: Vec<(Box<str>, Box<str>)>,
    /// The pseudonym by which loops are found (clause 4.3.6.4).
    pub alias: Option<Box<str>>,
    /// The datasets that it has, `@none` among them for default instances; empty where it says
    /// nothing of them.
    pub datasets: Vec<Box<str>>,
    /// The scopes for which it has entities; empty where it says nothing of them.
    pub scopes: Vec<Scope>,
    /// The location of what it has.
    pub location: Option<Shape<f64>>,
    /// What its entities observe.
    pub observation_space: Option<Shape<f64>>,
    /// Where its entities act.
    pub operation_space: Option<Shape<f64>>,
    /// The time of `observedAt` of the temporal information it has.
    pub observation_interval: Option<Interval>,
    /// The time of `createdAt`, `modifiedAt` and `deletedAt` of the temporal information it has.
    pub management_interval: Option<Interval>,
    /// When the registration ends.
    pub expires_at: Option<Timestamp>,
    /// How the source is to be asked (clause 5.2.34).
    pub management: Management,
    /// What describes the source, the standard's members and those of the registrant alike, for
    /// conditions on sources (clause 4.9).
    pub properties: Vec<(Iri, JsonText)>,
    /// What has come of requests to it; kept while other versions of the registration come.
    pub progress: Arc<SourceProgress>,
}

/// What a source may have (clause 5.2.10).
#[derive(Clone, Debug, PartialEq)]
pub struct Information {
    /// Which entities; any where it is empty.
    pub entities: Vec<EntityInfo>,
    /// Which properties.
    pub properties: Vec<Iri>,
    /// Which relationships. Where both are empty, any attribute.
    pub relationships: Vec<Iri>,
}

/// Entities that a source may have (clause 5.2.8).
#[derive(Clone, Debug, PartialEq)]
pub struct EntityInfo {
    /// The types of the entity; all of them, where it has several.
    pub types: Vec<Iri>,
    /// The entity.
    pub id: Option<EntityId>,
    /// What the ids look like; none where there is an id, which takes precedence.
    pub id_pattern: Option<Pattern>,
}

/// How requests are distributed to a source (clauses 4.3.6.2 and 4.3.6.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum Mode {
    /// The source is equal to all others and to the twin.
    #[default]
    Inclusive,
    /// The source alone has these attributes of this entity.
    Exclusive,
    /// The twin has none of it itself.
    Redirect,
    /// The source only adds to what others have.
    Auxiliary,
}

impl Mode {
    /// Reads the name of a mode.
    pub fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "inclusive" => Self::Inclusive,
            "exclusive" => Self::Exclusive,
            "redirect" => Self::Redirect,
            "auxiliary" => Self::Auxiliary,
            _ => return None,
        })
    }

    /// Whether the twin itself may not hold what is registered (clause 4.3.6.3).
    pub fn is_proxied(self) -> bool {
        matches!(self, Self::Exclusive | Self::Redirect)
    }
}

/// An interval of time, open where it has no end (clause 5.2.11).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Interval {
    /// Where it begins.
    pub start: Timestamp,
    /// Where it ends.
    pub end: Option<Timestamp>,
}

/// How a source is to be asked (clause 5.2.34).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Management {
    /// Requests act only on what the source holds itself.
    pub local_only: bool,
    /// After so long a request has failed.
    pub timeout: Option<std::time::Duration>,
    /// So long nothing is sent to the same endpoint after a failure.
    pub cooldown: Option<std::time::Duration>,
    /// So long what was read may be given again.
    pub cache_duration: Option<Duration>,
}

impl Registration {
    /// Whether the source has temporal information, and not the latest one (clause 5.9.1).
    pub fn is_temporal(&self) -> bool {
        self.observation_interval.is_some() || self.management_interval.is_some()
    }

    /// Whether its source is among those that a request has passed (clause 4.3.6.4).
    pub fn is_among(&self, passed: &[Box<str>]) -> bool {
        self.alias.as_ref().is_some_and(|alias| passed.contains(alias))
    }

    /// Whether its time is over.
    pub fn is_expired(&self, now: Timestamp) -> bool {
        self.expires_at.is_some_and(|end| end <= now)
    }
}

impl Information {
    /// Whether it names no attribute, and the source may have any.
    pub fn has_any_attribute(&self) -> bool {
        self.properties.is_empty() && self.relationships.is_empty()
    }

    /// The attributes it names.
    pub fn attributes(&self) -> impl Iterator<Item = &Iri> {
        self.properties.iter().chain(&self.relationships)
    }

    /// Whether the source may have an attribute.
    pub fn has_attribute(&self, name: &Iri) -> bool {
        self.has_any_attribute() || self.attributes().any(|attribute| attribute == name)
    }
}

impl EntityInfo {
    /// Whether an entity of this id may be meant.
    pub fn is_of_id(&self, id: &str) -> bool {
        match (&self.id, &self.id_pattern) {
            (Some(own), _) => own.as_str() == id,
            (None, Some(pattern)) => pattern.is_match(id),
            (None, None) => true,
        }
    }
}
