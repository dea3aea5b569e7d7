//! What departs from the plain way of writing entities: one language, an older version of the
//! specification, linked entities.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use cardo_model::{InstanceRef, Kind, NameId, Record};

use super::language::Languages;
use super::shape::Shape;

/// The most of linked entities in one answer, in bytes of their records.
const MOST_BYTES: usize = 64 << 20;

/// What departs from the plain way of writing.
#[derive(Debug, Clone, Default)]
pub(crate) struct Special {
    /// The languages of texts (clause 4.15).
    pub(crate) lang: Option<Languages>,
    /// The version that answers conform to (clause 4.3.6.8).
    pub(crate) version: Version,
    /// The linked entities that are written with those that link to them (clause 4.5.23).
    pub(crate) join: Option<Arc<Join>>,
    /// How the entities are written that some relationships lead to (clause 4.21).
    pub(crate) linked: Arc<[(NameId, Shape)]>,
    /// How those are written that all others lead to; as this one where there is none.
    pub(crate) others: Option<Arc<Shape>>,
    /// The entities within which this one is written, the outermost first.
    pub(crate) way: Vec<Box<str>>,
}

/// A version of the specification, by its minor number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Version(u8);

impl Version {
    /// That of this server.
    pub(crate) const NEWEST: Self = Self(9);

    /// The newest version that is no newer than the one asked for; none where that is no version.
    pub(crate) fn at_most(text: &str) -> Option<Self> {
        let (major, minor) = text.split_once('.').unwrap_or((text, "0"));
        let (major, minor) = (major.parse::<u8>().ok()?, minor.parse::<u8>().ok()?);
        match major {
            0 => None,
            1 => Some(Self(minor).min(Self::NEWEST)),
            _ => Some(Self::NEWEST),
        }
    }

    /// Whether what came with version 1.`minor` is a part of this one.
    pub(crate) fn has(self, minor: u8) -> bool {
        self.0 >= minor
    }
}

impl Default for Version {
    fn default() -> Self {
        Self::NEWEST
    }
}

impl std::fmt::Display for Version {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "1.{}", self.0)
    }
}

/// How linked entities stand in an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum JoinStyle {
    /// Within the relationships that lead to them (clause 4.5.23.2).
    Inline,
    /// Behind the entities of the answer (clause 4.5.23.3).
    Flat,
}

/// Linked entities of an answer.
#[derive(Debug)]
pub(crate) struct Join {
    pub(crate) style: JoinStyle,
    /// How many relationships are followed one after the other.
    pub(crate) levels: usize,
    /// What the client has met before (`containedBy`).
    pub(crate) known: HashSet<String>,
    /// The most that are written.
    pub(crate) most: usize,
    written: AtomicUsize,
    bytes: AtomicUsize,
    found: OnceLock<HashMap<Box<str>, Record>>,
}

impl Join {
    pub(crate) fn new(
        style: JoinStyle,
        levels: usize,
        known: HashSet<String>,
        most: usize,
    ) -> Self {
        let (written, bytes) = (AtomicUsize::new(0), AtomicUsize::new(0));
        Self { style, levels, known, most, written, bytes, found: OnceLock::new() }
    }

    /// Puts in what was found, once.
    pub(crate) fn fill(&self, found: HashMap<Box<str>, Record>) {
        let _ = self.found.set(found);
    }

    /// Begins to write: nothing is written yet.
    pub(crate) fn begin(&self) {
        self.written.store(0, Ordering::Relaxed);
        self.bytes.store(0, Ordering::Relaxed);
    }

    /// Whether more would have been written than is allowed.
    pub(crate) fn is_too_much(&self) -> bool {
        self.written.load(Ordering::Relaxed) > self.most
            || self.bytes.load(Ordering::Relaxed) > MOST_BYTES
    }

    /// Counts one that is to be written; whether it still may be.
    pub(crate) fn has_room(&self, record: &Record) -> bool {
        self.written.fetch_add(1, Ordering::Relaxed);
        self.bytes.fetch_add(record.as_bytes().len(), Ordering::Relaxed);
        !self.is_too_much()
    }

    fn record(&self, id: &str) -> Option<&Record> {
        self.found.get()?.get(id).filter(|record| self.has_room(record))
    }
}

impl Special {
    /// The kind as which an attribute is written.
    pub(crate) fn kind_of(&self, kind: Kind) -> Kind {
        match kind {
            Kind::LanguageProperty if self.lang.is_some() || !self.version.has(4) => Kind::Property,
            Kind::JsonProperty | Kind::VocabProperty | Kind::ListProperty
                if !self.version.has(8) =>
            {
                Kind::Property
            }
            Kind::ListRelationship if !self.version.has(8) => Kind::Relationship,
            kind => kind,
        }
    }

    /// The linked entity of this id and how it is written here, unless it stands around it already.
    pub(crate) fn embedded(&self, relationship: NameId, id: &str) -> Option<(Record, Shape)> {
        let join = self.join.as_ref().filter(|join| join.style == JoinStyle::Inline)?;
        let is_met = || self.way.iter().any(|met| &**met == id) || join.known.contains(id);
        if self.way.len() > join.levels || is_met() {
            return None;
        }
        let record = join.record(id)?;
        let shape = self.below(relationship)?.within(&self.way, id);
        Some((record.clone(), shape))
    }

    /// How the entities are written that a relationship leads to; none where it is as this one.
    fn below(&self, relationship: NameId) -> Option<&Shape> {
        let of_name = self.linked.iter().find(|(name, _)| *name == relationship);
        of_name.map(|(_, shape)| shape).or(self.others.as_deref())
    }
}

impl Shape {
    /// The same within other entities.
    pub(crate) fn within(&self, way: &[Box<str>], id: &str) -> Self {
        let mut shape = self.clone();
        let mut special = shape.special.as_deref().cloned().unwrap_or_default();
        special.way = way.iter().cloned().chain([id.into()]).collect();
        if special.others.is_none() {
            special.others = Some(Arc::new(self.clone()));
        }
        shape.special = Some(Arc::new(special));
        shape
    }

    /// The same by the newest version, where this is one of an older version.
    pub(crate) fn newest(&self) -> Option<Self> {
        let special = self.special.as_deref().filter(|s| s.version != Version::NEWEST)?;
        let linked = special.linked.iter();
        let linked = linked.map(|(name, shape)| (*name, shape.newest().unwrap_or_default()));
        let special = Special {
            version: Version::NEWEST,
            linked: linked.collect(),
            others: special.others.as_deref().and_then(Self::newest).map(Arc::new),
            ..special.clone()
        };
        Some(Self { special: Some(Arc::new(special)), ..self.clone() })
    }

    /// How the entities are written that a relationship leads to.
    pub(crate) fn below(&self, relationship: NameId) -> &Self {
        let special = self.special.as_deref();
        special.and_then(|special| special.below(relationship)).unwrap_or(self)
    }

    /// The kind as which an attribute is written.
    #[inline]
    pub(crate) fn kind_of(&self, kind: Kind) -> Kind {
        match &self.special {
            None => kind,
            Some(special) => special.kind_of(kind),
        }
    }

    /// Whether what came with version 1.`minor` of the specification is written.
    #[inline]
    pub(crate) fn has_version(&self, minor: u8) -> bool {
        self.special.as_ref().is_none_or(|special| special.version.has(minor))
    }

    /// The languages that an instance is shown in, where it has texts of several.
    pub(crate) fn languages(&self, instance: &InstanceRef<'_>) -> Option<&Languages> {
        self.special.as_ref()?.lang.as_ref().filter(|_| instance.kind() == Kind::LanguageProperty)
    }
}

/// The ids that a relationship leads to. URIs hold no quotes, so those in JSON are their ends.
pub(crate) fn targets<'a>(instance: &InstanceRef<'a>) -> impl Iterator<Item = &'a str> + use<'a> {
    let is_link = matches!(instance.kind(), Kind::Relationship | Kind::ListRelationship);
    let text = if is_link { instance.value() } else { "" };
    text.split('"').skip(1).step_by(2)
}
