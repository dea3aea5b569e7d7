use std::sync::Arc;

use cardo_model::{Iri, NameId};
use smallvec::SmallVec;

use super::special::Special;

/// The representation of an entity (clause 6.3.7).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(crate) enum Format {
    /// Everything, with types (clauses 4.5.2.2 and others).
    #[default]
    Normalized,
    /// Everything, without what can be inferred (clauses 4.5.2.3 and others).
    Concise,
    /// Values alone (clause 4.5.4).
    Simplified,
}

impl std::str::FromStr for Format {
    type Err = ();

    fn from_str(name: &str) -> Result<Self, ()> {
        match name {
            "normalized" => Ok(Self::Normalized),
            "concise" => Ok(Self::Concise),
            "simplified" | "keyValues" => Ok(Self::Simplified),
            _ => Err(()),
        }
    }
}

/// Which part of an entity is written, and how.
#[derive(Debug, Clone, Default)]
pub(crate) struct Shape {
    /// The representation.
    pub(crate) format: Format,
    /// Whether `createdAt`, `modifiedAt` and `expiresAt` are written (clause 6.3.11).
    pub(crate) sys_attrs: bool,
    /// Which members are written (clause 4.21).
    pub(crate) members: Members,
    /// Which instances are written (clause 4.5.5).
    pub(crate) datasets: Datasets,
    /// What departs from the plain way of writing, where anything does.
    pub(crate) special: Option<Arc<Special>>,
}

/// A projection of an entity's members.
#[derive(Debug, Clone, Default)]
pub(crate) enum Members {
    /// All of them.
    #[default]
    All,
    /// None but these.
    Only(Picked),
    /// All but these.
    Without(Picked),
}

/// Members by name.
#[derive(Debug, Clone, Default)]
pub(crate) struct Picked {
    /// `id`
    pub(crate) id: bool,
    /// `type`
    pub(crate) types: bool,
    /// `scope`
    pub(crate) scope: bool,
    /// Attributes.
    pub(crate) attributes: SmallVec<[NameId; 8]>,
}

impl Members {
    /// The attributes of the parameter `attrs`: id, type and scope stay (clause 6.4.3.2).
    pub(crate) fn attributes(attributes: SmallVec<[NameId; 8]>) -> Self {
        Self::Only(Picked { id: true, types: true, scope: true, attributes })
    }

    fn has(&self, of: impl Fn(&Picked) -> bool) -> bool {
        match self {
            Self::All => true,
            Self::Only(picked) => of(picked),
            Self::Without(picked) => !of(picked),
        }
    }

    pub(crate) fn has_id(&self) -> bool {
        self.has(|picked| picked.id)
    }

    pub(crate) fn has_types(&self) -> bool {
        self.has(|picked| picked.types)
    }

    pub(crate) fn has_scope(&self) -> bool {
        self.has(|picked| picked.scope)
    }

    #[inline]
    pub(crate) fn has_attribute(&self, name: NameId) -> bool {
        self.has(|picked| picked.attributes.contains(&name))
    }
}

/// Which instances of attributes are written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) enum Datasets {
    /// All of them.
    #[default]
    All,
    /// Those with one of these ids; none stands for the default instance.
    Only(Vec<Option<Iri>>),
}

impl Shape {
    /// Whether attributes are written whole, as the newest version does, without the times that the twin gives.
    #[inline]
    pub(crate) fn is_usual(&self) -> bool {
        self.format == Format::Normalized
            && self.special.is_none()
            && !self.sys_attrs
            && matches!(self.datasets, Datasets::All)
    }
}

impl Datasets {
    pub(crate) fn has(&self, dataset_id: Option<&str>) -> bool {
        match self {
            Self::All => true,
            Self::Only(ids) => ids.iter().any(|id| id.as_ref().map(Iri::as_str) == dataset_id),
        }
    }
}
