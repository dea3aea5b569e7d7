//! The port to context sources: what is asked of them, and what comes of it.

use std::sync::Arc;

use async_trait::async_trait;
use cardo_model::{Attribute, Entity, EntityId, Iri, Scope, Timestamp};
use cardo_query::Filter;

use super::operations::SourceOperation;
use super::parcel::{SourceWrite, Written};
use super::purge::Purge;
use super::reach::Forwarding;
use super::registration::Registration;
use super::wanted::WantedEntities;
use crate::snapshot::TypeInfo;

/// Asks context sources on behalf of the engine.
#[async_trait]
pub trait ContextSources: Send + Sync + 'static {
    /// The entities that a source has of those that are asked for; the caller does not rely on it
    /// that they are of those.
    async fn entities(&self, request: &SourceRequest<'_>) -> Result<SourceEntities, SourceFault>;

    /// The types that a source knows of those that are registered, with their attributes as far as
    /// it tells them.
    async fn types(&self, request: &SourceRequest<'_>) -> Result<SourceTypes, SourceFault>;

    /// The same of their past, in the range of time that the call asks for.
    async fn evolutions(
        &self,
        request: &SourceRequest<'_>,
    ) -> Result<SourceEvolutions, SourceFault>;

    /// Tells a source of changes; a result for each of them, in order.
    async fn write(&self, request: &SourceWrite<'_>) -> Vec<Result<Written, SourceFault>>;

    /// Has a source purge the entities that meet a question, which it has to be told wholly, and
    /// that have one of these attributes where there are any.
    async fn purge(
        &self,
        request: &SourceRequest<'_>,
        having: &[Iri],
        purge: &Purge,
    ) -> Result<Written, SourceFault>;
}

/// A question to one source, within what is registered of it (clause 4.3.6.1).
#[derive(Clone, Debug)]
pub struct SourceRequest<'a> {
    /// The source.
    pub registration: &'a Registration,
    /// On behalf of which call.
    pub forwarding: &'a Forwarding,
    /// By which operation.
    pub operation: SourceOperation,
    /// Which entities.
    pub entities: WantedEntities,
    /// Only these attributes; all where it is empty.
    pub attributes: Vec<Iri>,
    /// What entities have to meet beyond that. A source that cannot be told is asked without.
    pub filter: Filter,
    /// At most so many.
    pub most: usize,
}

/// Entities of a source.
#[derive(Debug, Default)]
pub struct SourceEntities {
    /// The entities, in the order of the source.
    pub entities: Vec<SourceEntity>,
    /// How many of its entities cannot be used.
    pub unusable: usize,
    /// Whether the source has more.
    pub is_cut: bool,
    /// The revision of which the source says that it answers.
    pub revision: Option<u64>,
    /// What it says of sources that it has asked itself.
    pub warnings: Vec<Box<str>>,
    /// The id of the entity map that it has made or used.
    pub entity_map: Option<Box<str>>,
    /// The entities that it has, where it has only fixed which these are.
    pub mapped: Vec<EntityId>,
}

/// An entity as a source has it; the moments of its instances are those of the source.
#[derive(Debug)]
pub struct SourceEntity {
    /// The entity.
    pub entity: Entity,
    /// When it came into being, where the source tells.
    pub created_at: Option<Timestamp>,
    /// When it last changed, where the source tells.
    pub modified_at: Option<Timestamp>,
}

/// Types that a source knows.
#[derive(Debug, Default)]
pub struct SourceTypes {
    /// The types.
    pub types: Vec<TypeInfo>,
    /// What it says of sources that it has asked itself.
    pub warnings: Vec<Box<str>>,
}

/// Histories of a source.
#[derive(Debug, Default)]
pub struct SourceEvolutions {
    /// The histories, in the order of the source.
    pub evolutions: Vec<SourceEvolution>,
    /// How many of them cannot be used.
    pub unusable: usize,
    /// Whether the source has more.
    pub is_cut: bool,
    /// Whether they do not reach over all of the range of time (clause 6.3.10).
    pub is_part: bool,
    /// The revision of which the source says that it answers.
    pub revision: Option<u64>,
    /// What it says of sources that it has asked itself.
    pub warnings: Vec<Box<str>>,
    /// The id of the entity map that it has made or used.
    pub entity_map: Option<Box<str>>,
    /// The entities that it knows, where it has only fixed which these are.
    pub mapped: Vec<EntityId>,
}

/// The history of an entity as a source tells it.
#[derive(Debug)]
pub struct SourceEvolution {
    /// The entity.
    pub id: EntityId,
    /// Its types.
    pub types: Vec<Iri>,
    /// Its scopes, each since a moment where one is told.
    pub scopes: Vec<(Option<Timestamp>, Vec<Scope>)>,
    /// Instances, any number of each attribute.
    pub attributes: Vec<Attribute>,
    /// When the entity came into being, where the source tells.
    pub created_at: Option<Timestamp>,
    /// When it last changed, where the source tells.
    pub modified_at: Option<Timestamp>,
}

/// Why a source gave nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SourceFault {
    /// It did not answer in time, or could not be reached.
    #[error("{0}")]
    Silent(String),
    /// Nothing was sent, because the request has come here before, or through the source.
    #[error("the request would go round in a circle: it has come this way already")]
    Loop,
    /// It answered with an error.
    #[error("it answered with {status}: {detail}")]
    Refused {
        /// The status.
        status: u16,
        /// What it said, in short.
        detail: String,
    },
    /// What it answered cannot be used.
    #[error("its answer cannot be used: {0}")]
    Invalid(String),
}

impl SourceFault {
    /// Whether the source was asked and failed: what it has answered may be of no use all the same.
    pub(super) fn is_failure(&self) -> bool {
        matches!(self, Self::Silent(_) | Self::Refused { .. })
    }
}

/// What has come of asking a source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contribution {
    /// The registration.
    pub registration: Iri,
    /// What came.
    pub outcome: Result<Contributed, SourceFault>,
    /// The entities of which it gave something.
    pub ids: Vec<EntityId>,
    /// What the source said of those that it asked.
    pub warnings: Vec<Box<str>>,
    /// The id of the entity map that it has made or used.
    pub entity_map: Option<Box<str>>,
}

/// What a source gave.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Contributed {
    /// How many entities.
    pub entities: usize,
    /// How many of them cannot be used.
    pub unusable: usize,
    /// As of which revision of its twin, where it says so.
    pub revision: Option<u64>,
    /// Whether it has more that is not part of the answer.
    pub is_cut: bool,
}

/// What has come of all sources that were asked; nothing where none was.
pub type Contributions = Arc<[Contribution]>;
