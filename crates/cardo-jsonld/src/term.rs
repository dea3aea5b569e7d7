use std::sync::Arc;

use serde_json::Value;

/// How values of a term are read (`@type` of its definition).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Coercion {
    /// Nothing is said.
    #[default]
    Unset,
    /// Strings are identifiers (`@id`).
    Id,
    /// Strings are terms of the vocabulary (`@vocab`).
    Vocab,
    /// The value is opaque JSON (`@json`).
    Json,
    /// No coercion, said expressly (`@none`).
    Never,
    /// Literals of this datatype IRI.
    Datatype(Arc<str>),
}

/// What holds the values of a term (`@container`), as a set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Containers(u8);

impl Containers {
    /// No container.
    pub const NONE: Self = Self(0);
    /// `@list`
    pub const LIST: Self = Self(1);
    /// `@set`
    pub const SET: Self = Self(2);
    /// `@language`
    pub const LANGUAGE: Self = Self(4);
    /// `@index`
    pub const INDEX: Self = Self(8);
    /// `@id`
    pub const ID: Self = Self(16);
    /// `@type`
    pub const TYPE: Self = Self(32);
    /// `@graph`
    pub const GRAPH: Self = Self(64);

    pub(crate) fn from_keyword(keyword: &str) -> Option<Self> {
        Some(match keyword {
            "@list" => Self::LIST,
            "@set" => Self::SET,
            "@language" => Self::LANGUAGE,
            "@index" => Self::INDEX,
            "@id" => Self::ID,
            "@type" => Self::TYPE,
            "@graph" => Self::GRAPH,
            _ => return None,
        })
    }

    pub(crate) fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Holds every container of `other`.
    pub fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Whether this set is one that JSON-LD 1.1 allows (section 9.15.1).
    pub(crate) fn is_allowed(self) -> bool {
        let without_set = self.0 & !Self::SET.0;
        let with_set = self.contains(Self::SET);
        match Self(without_set) {
            Self::LIST => !with_set,
            Self::NONE | Self::LANGUAGE | Self::INDEX | Self::ID | Self::TYPE | Self::GRAPH => true,
            graph => {
                graph == Self::GRAPH.union(Self::ID) || graph == Self::GRAPH.union(Self::INDEX)
            }
        }
    }

    /// The object under such a term maps ids, types or indexes, not terms, to values.
    pub(crate) fn has_free_keys(self) -> bool {
        self.0 & (Self::INDEX.0 | Self::ID.0 | Self::TYPE.0) != 0
    }
}

/// What a context says of a term.
#[derive(Debug, Clone, Default)]
pub struct TermDefinition {
    pub(crate) iri: Option<Arc<str>>,
    pub(crate) coercion: Coercion,
    pub(crate) containers: Containers,
    pub(crate) is_prefix: bool,
    pub(crate) is_reverse: bool,
    pub(crate) is_protected: bool,
    /// `@language`, `@direction`, `@nest` and `@index`, which NGSI-LD makes no use of.
    pub(crate) unused: Vec<(Box<str>, Value)>,
}

impl TermDefinition {
    /// The IRI or keyword the term stands for; none where the context unmaps it (`null`).
    pub fn iri(&self) -> Option<&Arc<str>> {
        self.iri.as_ref()
    }

    /// How values of the term are read.
    pub fn coercion(&self) -> &Coercion {
        &self.coercion
    }

    /// What holds the values of the term.
    pub fn containers(&self) -> Containers {
        self.containers
    }

    /// The term may stand before the colon of a compact IRI.
    pub fn is_prefix(&self) -> bool {
        self.is_prefix
    }

    /// The IRI or keyword that a name of this term means.
    ///
    /// A reverse property means its IRI the other way round, so as a name it means nothing.
    pub(crate) fn name(&self) -> Option<&Arc<str>> {
        if self.is_reverse { None } else { self.iri.as_ref() }
    }

    /// Says the same, protection aside (JSON-LD 1.1 API, 4.2.2 step 27).
    pub(crate) fn says_the_same(&self, other: &Self) -> bool {
        self.iri == other.iri
            && self.coercion == other.coercion
            && self.containers == other.containers
            && self.is_prefix == other.is_prefix
            && self.is_reverse == other.is_reverse
            && self.unused == other.unused
    }
}
