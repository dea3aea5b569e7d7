use std::borrow::Cow;
use std::collections::BTreeMap;

use cardo_model::codec::Excerpt;
use cardo_model::{
    AttributeRef, Attributes, EntityRef, InstanceRef, Kind, NameId, Single, Timestamp,
};
use serde_json::value::RawValue;

use super::{Table, Terms};

/// What stands in one cell of a row.
#[derive(Clone, Debug)]
pub enum Cell<'a> {
    /// JSON text as the record holds it; it is UTF-8.
    Json(&'a [u8]),
    /// JSON text in which names that a context expanded stand as terms.
    Shown(Box<str>),
    /// A text.
    Text(&'a str),
    /// A moment.
    Time(Timestamp),
}

/// What takes the cells of a row.
pub trait Row<'a> {
    /// What stands in the column at this place.
    fn cell(&mut self, column: usize, cell: Cell<'a>);

    /// The same of JSON text, which nearly all cells are.
    #[inline]
    fn json(&mut self, column: usize, json: &'a [u8]) {
        self.cell(column, Cell::Json(json));
    }

    /// The same of JSON text among the bytes of its record.
    #[inline]
    fn excerpt(&mut self, column: usize, json: Excerpt<'a>) {
        self.json(column, json.bytes());
    }
}

impl<'a, F: FnMut(usize, Cell<'a>)> Row<'a> for F {
    fn cell(&mut self, column: usize, cell: Cell<'a>) {
        self(column, cell);
    }
}

/// Where the parts of an attribute go.
#[derive(Clone, Debug, Default)]
pub(super) struct Reader {
    pub(super) name: NameIdOrNone,
    pub(super) value: Option<usize>,
    /// The value is a language map, of which the column shows one text.
    pub(super) is_language_map: bool,
    /// The value is a moment or a date, which may stand within a typed value.
    pub(super) is_moment: bool,
    pub(super) observed: Option<usize>,
    pub(super) unit: Option<usize>,
    pub(super) languages: Vec<(Box<str>, usize)>,
    pub(super) attributes: Vec<Self>,
    pub(super) datasets: Vec<(Box<str>, Self)>,
}

/// The name of an attribute; readers of datasets have none of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct NameIdOrNone(pub(super) NameId);

impl Default for NameIdOrNone {
    fn default() -> Self {
        Self(NameId::UNKNOWN)
    }
}

impl Table {
    /// Hands a row the place of each column that the entity has, and what stands there, in the
    /// order of the entity's attributes.
    #[inline]
    pub fn read<'a>(&self, entity: &EntityRef<'a>, row: &mut impl Row<'a>) {
        read_attributes(&self.readers, &self.terms, entity.attributes(), row);
    }

    /// The GeoJSON text of the geometry by which an entity is placed.
    pub fn geometry_of<'a>(&self, entity: &EntityRef<'a>) -> Option<&'a str> {
        match self.cell(entity, self.geometry?)? {
            Cell::Json(json) => std::str::from_utf8(json).ok(),
            Cell::Shown(_) | Cell::Text(_) | Cell::Time(_) => None,
        }
    }

    /// What stands in one column, by its place.
    pub fn cell<'a>(&self, entity: &EntityRef<'a>, column: usize) -> Option<Cell<'a>> {
        let attribute = entity.attribute(*self.attributes.get(column)?)?;
        let name = NameIdOrNone(attribute.name());
        let reader = self.readers.binary_search_by_key(&name, |reader| reader.name).ok()?;
        let mut found = None;
        self.readers[reader].read(attribute, &self.terms, &mut |at, cell: Cell<'a>| {
            if at == column {
                found = Some(cell);
            }
        });
        found
    }
}

#[inline]
fn read_attributes<'a>(
    readers: &[Reader],
    terms: &Terms,
    mut attributes: Attributes<'a>,
    row: &mut impl Row<'a>,
) {
    // Entities mostly have their attributes in the order in which the twin met the names.
    let mut expected = 0;
    while let Some((attribute, value)) = attributes.next_with_value() {
        let name = NameIdOrNone(attribute.name());
        if readers.get(expected).is_none_or(|reader| reader.name != name) {
            let found = readers.binary_search_by_key(&name, |reader| reader.name);
            let Ok(at) = found else { continue };
            expected = at;
        }
        let reader = &readers[expected];
        match (reader.value, value) {
            (Some(at), Some(value)) if reader.shows_values() => row.excerpt(at, value),
            _ => reader.read(attribute, terms, row),
        }
        expected += 1;
    }
}

impl Reader {
    /// Whether values are shown whole.
    fn shows_values(&self) -> bool {
        !self.is_language_map && !self.is_moment && self.languages.is_empty()
    }

    #[inline(never)]
    fn read<'a>(&self, attribute: AttributeRef<'a>, terms: &Terms, row: &mut impl Row<'a>) {
        // Nearly all attributes have one instance, of which nothing has to be looked up.
        match attribute.single() {
            Some(single) if self.shows_values() => self.read_single(single, row),
            _ => self.read_instances(attribute, terms, row),
        }
    }

    fn read_single<'a>(&self, single: Single<'a>, row: &mut impl Row<'a>) {
        if let Some(at) = self.value {
            row.excerpt(at, single.value);
        }
        if let (Some(at), Some(moment)) = (self.observed, single.observed_at) {
            row.cell(at, Cell::Time(moment));
        }
        if let (Some(at), Some(unit)) = (self.unit, single.unit_code) {
            row.cell(at, Cell::Text(unit));
        }
    }

    fn read_instances<'a>(
        &self,
        attribute: AttributeRef<'a>,
        terms: &Terms,
        row: &mut impl Row<'a>,
    ) {
        // The default instance stands first where there is one.
        let Some(first) = attribute.instances().next() else { return };
        self.read_instance(&first, terms, row);
        if self.datasets.is_empty() {
            return;
        }
        for instance in attribute.instances() {
            let Some(dataset) = instance.dataset_id() else { continue };
            if let Some((_, reader)) = self.datasets.iter().find(|(id, _)| id.as_ref() == dataset) {
                reader.read_instance(&instance, terms, row);
            }
        }
    }

    fn read_instance<'a>(&self, instance: &InstanceRef<'a>, terms: &Terms, row: &mut impl Row<'a>) {
        let is_language_map = instance.kind() == Kind::LanguageProperty;
        if let Some(at) = self.value {
            row.cell(at, self.value_cell(instance, is_language_map, terms));
        }
        if let (Some(at), Some(moment)) = (self.observed, instance.observed_at()) {
            row.cell(at, Cell::Time(moment));
        }
        if let (Some(at), Some(unit)) = (self.unit, instance.unit_code()) {
            row.cell(at, Cell::Text(unit));
        }
        if is_language_map {
            for (language, at) in &self.languages {
                if let Some(text) = member(instance.value(), language) {
                    row.json(*at, text.as_bytes());
                }
            }
        }
        if !self.attributes.is_empty() {
            read_attributes(&self.attributes, terms, instance.attributes(), row);
        }
    }

    fn value_cell<'a>(
        &self,
        instance: &InstanceRef<'a>,
        is_language_map: bool,
        terms: &Terms,
    ) -> Cell<'a> {
        let part = if self.is_language_map && is_language_map {
            preferred_text(instance.value())
        } else if self.is_moment && instance.value_bytes().first() == Some(&b'{') {
            // A typed value.
            member(instance.value(), "@value")
        } else {
            None
        };
        match (part, terms.value(instance)) {
            (Some(part), _) => Cell::Json(part.as_bytes()),
            (None, Cow::Borrowed(value)) => Cell::Json(value.as_bytes()),
            (None, Cow::Owned(value)) => Cell::Shown(value.into()),
        }
    }
}

/// The text of a language map for those who did not ask for a language: the one without a
/// language, else the English one, else the first by its tag.
fn preferred_text(map: &str) -> Option<&str> {
    let texts = members(map);
    let text = texts.get("@none").or_else(|| texts.get("en")).or_else(|| texts.values().next());
    text.map(|text| text.get())
}

fn member<'a>(object: &'a str, key: &str) -> Option<&'a str> {
    members(object).get(key).map(|text| text.get())
}

fn members(object: &str) -> BTreeMap<String, &RawValue> {
    serde_json::from_str(object).unwrap_or_default()
}
