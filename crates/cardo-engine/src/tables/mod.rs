//! How a twin looks as tables: each type a table, its attributes columns, under short names.
//!
//! This is what standards share that know neither IRIs nor several instances of an attribute: OGC
//! features, tiles, CSV and GraphQL show the same columns under the same names.
//!
//! | column | what it shows |
//! |---|---|
//! | `temperature` | the value of the default instance, else of the first |
//! | `temperature__observedAt`, `temperature__unitCode` | what is said of that instance |
//! | `temperature__accuracy` | an attribute of the attribute, and so on further down |
//! | `temperature__at_modelA` | the instance whose `datasetId` ends in `modelA` |
//! | `name` | of a language map the text without a language, else the English, else the first by tag |
//! | `name__fi` | the text in a language |
//!
//! A name is the term of the configured context, else the last part of the IRI. The name that came
//! into the twin first keeps it; another IRI with the same name gets one with six digits of its
//! hash behind it, and is listed among the collisions.

mod build;
mod names;
mod read;

use std::borrow::Cow;
use std::sync::Arc;

use cardo_model::{Iri, NameId};
use cardo_query::{Path, Root as PathRoot};

pub use names::{Collision, Terms, Vocabulary};
pub use read::{Cell, Row};

use read::Reader;

/// The tables of a twin in one shape.
#[derive(Debug)]
pub struct Tables {
    all: Vec<Table>,
    collisions: Vec<Collision>,
    version: u64,
}

/// A type, and its attributes as columns.
#[derive(Clone, Debug)]
pub struct Table {
    /// The short name of the type.
    pub name: Box<str>,
    /// The type.
    pub type_name: Iri,
    /// The type within the engine.
    pub id: NameId,
    /// The columns, by attribute in the order of names, what belongs to an attribute behind it.
    pub columns: Vec<Column>,
    /// The column of the geometry by which entities are placed: `location`, else the first one.
    pub geometry: Option<usize>,
    /// The column of the time of rows, where one alone tells it: that of the only attribute that is
    /// observed, or the only column of moments of a layer.
    pub instant: Option<usize>,
    /// How many columns there are beyond the limit.
    pub left_out: usize,
    readers: Vec<Reader>,
    /// The attribute of each column.
    attributes: Vec<NameId>,
    terms: Terms,
}

/// One column.
#[derive(Clone, Debug, PartialEq)]
pub struct Column {
    /// The short name.
    pub name: Box<str>,
    /// Where in an entity it stands, for conditions and order.
    pub path: Path<Iri>,
    /// What its cells are.
    pub datatype: ColumnType,
    /// What of an instance it shows.
    pub part: ColumnPart,
    /// The code of the unit, where all its cells are numbers of the same.
    pub unit: Option<Box<str>>,
}

/// What the cells of a column are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ColumnType {
    /// Numbers.
    Number,
    /// Texts.
    Text,
    /// Truth values.
    Boolean,
    /// Dates.
    Date,
    /// Dates with a time.
    DateTime,
    /// Lists.
    List,
    /// Values of no one type, or objects.
    Json,
    /// GeoJSON geometries.
    Geometry,
    /// Ids of entities, one a cell.
    Relationship,
    /// Lists of ids of entities; a cell with one id may hold it without a list.
    Relationships,
    /// Names of a vocabulary.
    Vocab,
}

/// What of an instance a column shows.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum ColumnPart {
    /// Its value.
    Value,
    /// When it was observed.
    ObservedAt,
    /// The code of its unit.
    UnitCode,
    /// The text of its language map in this language.
    Language(Box<str>),
}

/// Names that stand for members of the entity itself; no column has one of them.
pub const RESERVED: [&str; 7] =
    ["id", "type", "scope", "createdAt", "modifiedAt", "expiresAt", "geometry"];

impl Tables {
    /// A number that differs wherever the tables do; equal tables have the same on every server.
    pub fn version(&self) -> u64 {
        self.version
    }

    /// The tables, in the order of names.
    pub fn all(&self) -> &[Table] {
        &self.all
    }

    /// The table of this name.
    pub fn get(&self, name: &str) -> Option<&Table> {
        let at = self.all.binary_search_by(|table| table.name.as_ref().cmp(name)).ok()?;
        self.all.get(at)
    }

    /// The table of a type.
    pub fn of_type(&self, type_name: &Iri) -> Option<&Table> {
        self.all.iter().find(|table| table.type_name == *type_name)
    }

    /// The table of a type by its id.
    pub fn of_id(&self, id: NameId) -> Option<&Table> {
        self.all.iter().find(|table| table.id == id)
    }

    /// These tables beside others, which are left out where their names are taken and listed among the
    /// collisions then. `version` differs where the others do.
    #[must_use]
    pub fn beside<'t>(&self, others: impl Iterator<Item = &'t Table>, version: u64) -> Self {
        let (mut all, mut collisions) = (self.all.clone(), self.collisions.clone());
        for other in others {
            if self.get(&other.name).is_none() {
                all.push(other.clone());
            } else {
                let (wanted, of) = (other.name.clone(), other.type_name.as_str().into());
                collisions.push(Collision { wanted, of, given: Box::default() });
            }
        }
        all.sort_by(|a, b| a.name.cmp(&b.name));
        let version = self.version.rotate_left(17) ^ version;
        Self { all, collisions, version }
    }

    pub(crate) fn into_first(self) -> Option<(Table, Vec<Collision>)> {
        Some((self.all.into_iter().next()?, self.collisions))
    }

    /// Names that more than one thing wanted, and what the others are called instead.
    pub fn collisions(&self) -> &[Collision] {
        &self.collisions
    }
}

impl Table {
    /// The column of this name.
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name.as_ref() == name)
    }

    /// The attribute that a column belongs to.
    pub(crate) fn attribute_at(&self, column: usize) -> Option<NameId> {
        self.attributes.get(column).copied()
    }

    /// Where a column stands, or a member of the entity itself, and what is found there.
    pub fn path(&self, name: &str) -> Option<(Path<Iri>, ColumnType)> {
        let (root, datatype) = match name {
            "id" => (PathRoot::Id, ColumnType::Text),
            "type" => (PathRoot::Type, ColumnType::Text),
            "scope" => (PathRoot::Scope, ColumnType::Text),
            "createdAt" => (PathRoot::CreatedAt, ColumnType::DateTime),
            "modifiedAt" => (PathRoot::ModifiedAt, ColumnType::DateTime),
            "expiresAt" => (PathRoot::ExpiresAt, ColumnType::DateTime),
            "geometry" => {
                let column = self.columns.get(self.geometry?)?;
                return Some((column.path.clone(), column.datatype));
            }
            _ => {
                let column = self.column(name)?;
                return Some((column.path.clone(), column.datatype));
            }
        };
        Some((Path::of_root(root), datatype))
    }

    /// The name of a vocabulary that is meant where one is asked for or given: the IRI of a term,
    /// or the name itself.
    pub fn full_name<'a>(&self, name: &'a str) -> Cow<'a, str> {
        self.terms.full(name)
    }
}

impl Column {
    /// The attribute of the entity that it belongs to.
    pub fn attribute(&self) -> &Iri {
        match &self.path.root {
            PathRoot::Attribute(name) => name,
            _ => unreachable!("columns are made of attributes"),
        }
    }
}

/// Tables that were made, and of which shape of the twin.
pub(crate) struct Made {
    pub(crate) shape: u64,
    pub(crate) lineage: u64,
    pub(crate) tables: Arc<Tables>,
}
