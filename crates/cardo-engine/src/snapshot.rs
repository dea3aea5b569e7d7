use cardo_model::{Iri, Kind, Record, Revision, Timestamp};

use crate::query::{EntityQuery, Page};

/// A twin at one revision, as one caller sees it. Holding it blocks nobody.
#[derive(Clone)]
pub struct Snapshot {}

/// What is known of a type.
#[derive(Clone, Debug, PartialEq)]
pub struct TypeInfo {
    /// The type.
    pub name: Iri,
    /// How many entities have it.
    pub count: usize,
    /// Its attributes, in the order of names.
    pub attributes: Vec<AttributeInfo>,
    /// The earliest and latest time of an observation.
    pub time: Option<(Timestamp, Timestamp)>,
}

/// What is known of an attribute of a type.
#[derive(Clone, Debug, PartialEq)]
pub struct AttributeInfo {
    /// The attribute.
    pub name: Iri,
    /// How many entities of the type have it.
    pub count: usize,
    /// The kinds that occur.
    pub kinds: Vec<Kind>,
    /// The JSON datatypes of values that occur: `number`, `string`, `boolean`, `object`, `array`.
    pub datatypes: Vec<&'static str>,
    /// The languages that occur in language maps.
    pub languages: Vec<Box<str>>,
    /// West, south, east, north of all its geometries.
    pub extent: Option<[f64; 4]>,
}

impl Snapshot {
    /// The revision.
    pub fn revision(&self) -> Revision {
        unimplemented!()
    }

    /// The entity of this id, where the caller may see it; masked attributes are left out.
    pub fn retrieve(&self, _id: &str) -> Option<Record> {
        unimplemented!()
    }

    /// Answers a question here and now, without slices and limits of time: for small twins,
    /// tests and background work.
    pub fn query(&self, _query: &EntityQuery) -> Page {
        unimplemented!()
    }

    /// How many entities there are.
    pub fn len(&self) -> usize {
        unimplemented!()
    }

    /// Whether there is no entity.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// What is known of every type, in the order of names.
    pub fn types(&self) -> Vec<TypeInfo> {
        unimplemented!()
    }

    /// What is known of one type.
    pub fn type_info(&self, _name: &str) -> Option<TypeInfo> {
        unimplemented!()
    }

    /// The body of a document.
    pub fn document(&self, _kind: &str, _id: &str) -> Option<std::sync::Arc<str>> {
        unimplemented!()
    }

    /// Every document of a kind, in the order of ids.
    pub fn documents(&self, _kind: &str) -> Vec<(std::sync::Arc<str>, std::sync::Arc<str>)> {
        unimplemented!()
    }

    /// How far a source has come.
    pub fn source_offset(&self, _source: &str) -> Option<std::sync::Arc<str>> {
        unimplemented!()
    }
}
