use std::collections::HashMap;
use std::fmt::Write as _;

use cardo_model::{Iri, Kind, NameId, Names};
use cardo_query::{Datasets, Key, Member, Path};

use super::names::{Given, fnv1a, last_part, plain};
use super::read::{NameIdOrNone, Reader};
use super::{Collision, Column, ColumnPart, ColumnType, RESERVED, Table, Tables, Terms};
use crate::live::{Facets, Root, TypeIndex};

/// The most columns of a table; a twin that uses data as names would have no end of them.
const MAX_COLUMNS: usize = 1_000;

/// Where entities are placed (clause 4.7.1 names it as the default geometry).
const LOCATION: &str = "https://uri.etsi.org/ngsi-ld/location";

impl Tables {
    /// The tables of a root.
    pub(crate) fn of(root: &Root, names: &Names, terms: &Terms) -> Self {
        let mut collisions = Vec::new();
        let types = name_types(root, names, terms, &mut collisions);
        let attributes = name_attributes(root, names, terms, &mut collisions);
        let mut tables: Vec<Table> = types
            .into_iter()
            .filter_map(|(id, iri, name)| {
                let mut builder =
                    Builder { names, terms, attributes: &attributes, collisions: &mut collisions };
                Some(builder.table(id, iri, name, root.types.get(&id)?))
            })
            .collect();
        tables.sort_by(|a, b| a.name.cmp(&b.name));
        let version = version(&tables);
        Self { all: tables, collisions, version }
    }
}

fn name_types(
    root: &Root,
    names: &Names,
    terms: &Terms,
    collisions: &mut Vec<Collision>,
) -> Vec<(NameId, Iri, Box<str>)> {
    let mut ids: Vec<NameId> = root.types.keys().copied().collect();
    ids.sort_unstable();
    let mut given = Given::new(terms, &[]);
    let named = ids.into_iter().filter_map(|id| {
        let iri = names.name(id)?;
        let name = given.give_iri(&iri, collisions);
        Some((id, iri, name))
    });
    named.collect()
}

/// An attribute is called the same in every table.
fn name_attributes(
    root: &Root,
    names: &Names,
    terms: &Terms,
    collisions: &mut Vec<Collision>,
) -> HashMap<NameId, Box<str>> {
    let mut ids: Vec<NameId> =
        root.types.values().flat_map(|t| t.attributes.keys().copied()).collect();
    ids.sort_unstable();
    ids.dedup();
    let mut given = Given::new(terms, &RESERVED);
    ids.into_iter()
        .filter_map(|id| Some((id, given.give_iri(&names.name(id)?, collisions))))
        .collect()
}

/// The hash of all that is to be seen of the tables.
fn version(tables: &[Table]) -> u64 {
    let mut text = String::new();
    for table in tables {
        let Table { name, type_name, columns, geometry, left_out, .. } = table;
        let _ = writeln!(text, "{name} {type_name:?} {geometry:?} {left_out}");
        for column in columns {
            let _ = writeln!(text, "{column:?}");
        }
    }
    fnv1a(text.as_bytes())
}

struct Builder<'a> {
    names: &'a Names,
    terms: &'a Terms,
    attributes: &'a HashMap<NameId, Box<str>>,
    collisions: &'a mut Vec<Collision>,
}

/// A table in the making.
struct Draft<'a> {
    columns: Vec<Column>,
    given: Given<'a>,
    left_out: usize,
    /// For what is told of a column whose name was taken.
    table: Box<str>,
}

impl<'a> Builder<'a> {
    fn table(&mut self, id: NameId, type_name: Iri, name: Box<str>, index: &TypeIndex) -> Table {
        let mut attributes: Vec<(NameId, Iri, &Box<str>, &Facets)> = index
            .attributes
            .iter()
            .filter_map(|(id, index)| {
                Some((*id, self.names.name(*id)?, self.attributes.get(id)?, &index.facets))
            })
            .collect();
        attributes.sort_by(|a, b| a.2.cmp(b.2));
        // Attributes have their names before any part of one may take it.
        let own: Vec<&str> = attributes.iter().map(|a| a.2.as_ref()).chain(RESERVED).collect();
        let mut draft = Draft {
            columns: Vec::new(),
            given: Given::new(self.terms, &own),
            left_out: 0,
            table: name.clone(),
        };
        let mut readers = Vec::with_capacity(attributes.len());
        let mut of_columns = Vec::new();
        for (id, iri, name, facets) in attributes {
            let mut path = Path::of_attribute(iri);
            path.datasets = Datasets::Preferred;
            let mut reader = Reader { name: NameIdOrNone(id), ..Reader::default() };
            if !draft.has_room() {
                continue;
            }
            reader.value = Some(draft.columns.len());
            draft.push(name.clone(), &path, datatype(facets), ColumnPart::Value);
            draft.measure(facets);
            self.parts(name, &path, facets, &mut reader, &mut draft);
            self.datasets(name, &path, facets, &mut reader, &mut draft);
            readers.push(reader);
            of_columns.resize(draft.columns.len(), id);
        }
        readers.sort_by_key(|reader| reader.name);
        let geometry = primary_geometry(&draft.columns);
        let instant = primary_instant(&draft.columns);
        let Draft { columns, left_out, .. } = draft;
        let terms = self.terms.clone();
        let attributes = of_columns;
        Table {
            name,
            type_name,
            id,
            columns,
            geometry,
            instant,
            left_out,
            readers,
            attributes,
            terms,
        }
    }

    /// What is said of an instance, its languages and its attributes.
    fn parts(
        &mut self,
        name: &str,
        path: &Path<Iri>,
        facets: &Facets,
        reader: &mut Reader,
        draft: &mut Draft<'a>,
    ) {
        reader.is_language_map = facets.only_kind() == Some(Kind::LanguageProperty);
        reader.is_moment = matches!(datatype(facets), ColumnType::DateTime | ColumnType::Date);
        if facets.is_observed() {
            let path = Path { member: Member::ObservedAt, ..path.clone() };
            let wanted = format!("{name}__observedAt");
            let part = ColumnPart::ObservedAt;
            reader.observed = self.column(wanted, &path, ColumnType::DateTime, part, draft);
        }
        if facets.has_units() {
            let path = Path { member: Member::UnitCode, ..path.clone() };
            let wanted = format!("{name}__unitCode");
            reader.unit = self.column(wanted, &path, ColumnType::Text, ColumnPart::UnitCode, draft);
        }
        for language in facets.languages() {
            let path = Path { keys: vec![Key::plain(language)], ..path.clone() };
            let wanted = format!("{name}__{}", plain(language.trim_start_matches('@')));
            let part = ColumnPart::Language(language.into());
            let at = self.column(wanted, &path, ColumnType::Text, part, draft);
            reader.languages.extend(at.map(|at| (Box::from(language), at)));
        }
        for (id, facets) in facets.attributes() {
            let Some(iri) = self.names.name(id) else { continue };
            let wanted = format!("{name}__{}", self.terms.short(iri.as_str()));
            let mut path = path.clone();
            path.attributes.push(iri);
            let mut inner = Reader { name: NameIdOrNone(id), ..Reader::default() };
            if self.value(wanted, &path, facets, &mut inner, draft) {
                reader.attributes.push(inner);
            }
        }
        reader.attributes.sort_by_key(|reader| reader.name);
    }

    fn datasets(
        &mut self,
        name: &str,
        path: &Path<Iri>,
        facets: &Facets,
        reader: &mut Reader,
        draft: &mut Draft<'a>,
    ) {
        for (dataset, facets) in facets.datasets() {
            let Ok(id) = Iri::new(dataset) else { continue };
            let wanted = format!("{name}__at_{}", plain(last_part(dataset)));
            let path = Path { datasets: Datasets::Only(id), ..path.clone() };
            let mut inner = Reader::default();
            if self.value(wanted, &path, facets, &mut inner, draft) {
                reader.datasets.push((dataset.into(), inner));
            }
        }
    }

    /// A column of a value with all that belongs to it; whether there was room.
    fn value(
        &mut self,
        wanted: String,
        path: &Path<Iri>,
        facets: &Facets,
        reader: &mut Reader,
        draft: &mut Draft<'a>,
    ) -> bool {
        let at = self.column(wanted, path, datatype(facets), ColumnPart::Value, draft);
        let Some(at) = at else { return false };
        reader.value = Some(at);
        draft.measure(facets);
        let name = draft.columns[at].name.clone();
        self.parts(&name, path, facets, reader, draft);
        true
    }

    /// A column under the wanted name, or another where that is taken.
    fn column(
        &mut self,
        wanted: String,
        path: &Path<Iri>,
        datatype: ColumnType,
        part: ColumnPart,
        draft: &mut Draft<'a>,
    ) -> Option<usize> {
        if !draft.has_room() {
            return None;
        }
        let of = format!("{}: {path:?}", draft.table);
        let name = draft.given.give(wanted, &of, self.collisions);
        draft.push(name, path, datatype, part);
        Some(draft.columns.len() - 1)
    }
}

impl Draft<'_> {
    fn has_room(&mut self) -> bool {
        let has_room = self.columns.len() < MAX_COLUMNS;
        self.left_out += usize::from(!has_room);
        has_room
    }

    fn push(&mut self, name: Box<str>, path: &Path<Iri>, datatype: ColumnType, part: ColumnPart) {
        self.columns.push(Column { name, path: path.clone(), datatype, part, unit: None });
    }

    /// Says the unit of the column that was made last.
    fn measure(&mut self, facets: &Facets) {
        if let Some(column) = self.columns.last_mut()
            && column.datatype == ColumnType::Number
        {
            column.unit = facets.only_unit().map(Box::from);
        }
    }
}

fn datatype(facets: &Facets) -> ColumnType {
    match facets.only_kind() {
        Some(Kind::Property) if facets.only_moments() => ColumnType::DateTime,
        Some(Kind::Property) if facets.only_dates() => ColumnType::Date,
        Some(Kind::Property) => match facets.only_datatype() {
            Some("number") => ColumnType::Number,
            Some("string") => ColumnType::Text,
            Some("boolean") => ColumnType::Boolean,
            Some("array") => ColumnType::List,
            _ => ColumnType::Json,
        },
        Some(Kind::GeoProperty) => ColumnType::Geometry,
        Some(Kind::ListProperty) => ColumnType::List,
        Some(Kind::Relationship) if !facets.has_lists() => ColumnType::Relationship,
        Some(Kind::Relationship | Kind::ListRelationship) => ColumnType::Relationships,
        Some(Kind::LanguageProperty) => ColumnType::Text,
        Some(Kind::VocabProperty) if !facets.has_lists() => ColumnType::Vocab,
        _ => ColumnType::Json,
    }
}

fn primary_geometry(columns: &[Column]) -> Option<usize> {
    let is_own = |column: &Column| {
        column.datatype == ColumnType::Geometry
            && column.path.attributes.is_empty()
            && column.path.datasets == Datasets::Preferred
    };
    let location = columns.iter().position(|c| is_own(c) && c.attribute().as_str() == LOCATION);
    location.or_else(|| columns.iter().position(is_own))
}

/// The time of a row is that of its latest observation, so it is told by a column where one attribute
/// alone is observed.
fn primary_instant(columns: &[Column]) -> Option<usize> {
    let is_observation = |at: &usize| columns[*at].part == ColumnPart::ObservedAt;
    let mut observed = (0..columns.len()).filter(is_observation);
    observed.next().filter(|_| observed.next().is_none())
}
