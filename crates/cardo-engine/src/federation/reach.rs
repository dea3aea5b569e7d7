use std::sync::Arc;

use cardo_model::Iri;
use cardo_query::{Filter, TemporalRange};

use super::registration::Registration;

/// How far a call reaches.
#[derive(Clone, Debug, Default)]
pub enum Reach {
    /// No farther than the twin (clause 5.5.13).
    #[default]
    Local,
    /// To the context sources that are registered for it as well.
    Sources(Arc<Forwarding>),
}

/// How requests to context sources are made on behalf of a call.
#[derive(Clone, Debug, Default)]
pub struct Forwarding {
    /// The pseudonym of this server for the tenant (clause 5.2.40).
    pub alias: Box<str>,
    /// The pseudonyms of those whom the request has passed, first to last (clause 6.3.18).
    pub passed: Vec<Box<str>>,
    /// The URL of the context whose short names are used; full names are where there is none.
    pub context: Option<Arc<str>>,
    /// What the request says of itself, by names in lower case, for sources that are to be told
    /// (clause 4.3.6.5).
    pub said: Vec<(Box<str>, Box<str>)>,
    /// What the question asks for beside entities.
    pub asked: AskedSources,
}

/// What a question for entities says beside which they are.
#[derive(Clone, Debug, Default)]
pub struct AskedSources {
    /// Only these attributes are looked at, beside those of conditions; all where it is empty.
    pub attributes: Vec<Iri>,
    /// Only instances of these datasets, `@none` among them for default instances.
    pub datasets: Vec<Box<str>>,
    /// What describes the sources that are to be asked: `csf`.
    pub sources: Option<Filter>,
    /// None but these registrations, where an entity map names them.
    pub only: Option<Vec<Arc<str>>>,
    /// Whether parts of one entity may be in several places (clause 4.3.6.7).
    pub split: bool,
    /// The range of time that is asked for, in questions about the past.
    pub time: Option<TemporalRange>,
    /// Only the last so many instances of each attribute.
    pub last: Option<usize>,
    /// Whether one entity is asked for by its id, or many by a body.
    pub by: AskedBy,
    /// What sources are told of entity maps.
    pub maps: AskedMaps,
}

/// What a question says of the entity maps of sources (clause 5.5.14).
#[derive(Clone, Debug, Default)]
pub struct AskedMaps {
    /// Whether sources that can are to make maps of their own.
    pub are_wanted: bool,
    /// For how long, as the client has said it.
    pub lifetime: Option<Box<str>>,
    /// The ids of maps that sources have made, by their registrations.
    pub linked: Vec<(Box<str>, Box<str>)>,
}

/// With which operation a client has asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum AskedBy {
    /// Retrieve Entity (clause 5.7.1).
    Id,
    /// Query Entities (clause 5.7.2).
    #[default]
    Query,
    /// The same by POST.
    Batch,
    /// Which entities there are is fixed in a map (clause 5.14.4).
    Map,
}

impl AskedMaps {
    /// The id of the map that a source has made.
    pub fn of(&self, registration: &Registration) -> Option<&str> {
        let mut linked = self.linked.iter();
        linked.find(|(own, _)| **own == *registration.id.as_str()).map(|(_, id)| &**id)
    }
}

impl AskedSources {
    pub(super) fn may_ask(&self, registration: &Registration) -> bool {
        let is_it = |id: &Arc<str>| **id == *registration.id.as_str();
        self.only.as_ref().is_none_or(|only| only.iter().any(is_it))
    }
}

impl Reach {
    /// Whether context sources are asked.
    #[inline]
    pub fn is_far(&self) -> bool {
        matches!(self, Self::Sources(_))
    }

    /// How they are asked.
    #[inline]
    pub fn forwarding(&self) -> Option<&Arc<Forwarding>> {
        match self {
            Self::Local => None,
            Self::Sources(forwarding) => Some(forwarding),
        }
    }
}

impl Forwarding {
    /// Whether the request has passed this server before (clause 4.3.6.4).
    pub fn is_loop(&self) -> bool {
        self.passed.contains(&self.alias)
    }
}
