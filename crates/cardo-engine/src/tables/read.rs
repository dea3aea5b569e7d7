use std::collections::BTreeMap;

use cardo_model::{AttributeRef, Attributes, EntityRef, InstanceRef, Kind, NameId, Timestamp};
use serde_json::value::RawValue;

use super::Table;

/// What stands in one cell of a row.
#[derive(Clone, Copy)]
pub enum Cell<'a> {
    /// The value of an instance, whose JSON text is the cell.
    Value(InstanceRef<'a>),
    /// JSON text out of a value.
    Json(&'a str),
    /// A text.
    Text(&'a str),
    /// A moment.
    Time(Timestamp),
}

/// Where the parts of an attribute go.
#[derive(Debug, Default)]
pub(super) struct Reader {
    pub(super) name: NameIdOrNone,
    pub(super) value: Option<usize>,
    /// The value is a language map, of which the column shows one text.
    pub(super) is_language_map: bool,
    /// The value is a moment, which may stand within a typed value.
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
    /// Calls `cell` with the place of each column that the entity has, and what stands there, in
    /// the order of the entity's attributes.
    #[inline]
    pub fn read<'a>(&self, entity: &EntityRef<'a>, cell: &mut impl FnMut(usize, Cell<'a>)) {
        read_attributes(&self.readers, entity.attributes(), cell);
    }

    /// What stands in one column, by its place.
    pub fn cell<'a>(&self, entity: &EntityRef<'a>, column: usize) -> Option<Cell<'a>> {
        let attribute = entity.attribute(*self.attributes.get(column)?)?;
        let name = NameIdOrNone(attribute.name());
        let reader = self.readers.binary_search_by_key(&name, |reader| reader.name).ok()?;
        let mut found = None;
        self.readers[reader].read(attribute, &mut |at, cell| {
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
    attributes: Attributes<'a>,
    cell: &mut impl FnMut(usize, Cell<'a>),
) {
    // Entities mostly have their attributes in the order in which the twin met the names.
    let mut expected = 0;
    for attribute in attributes {
        let name = NameIdOrNone(attribute.name());
        if readers.get(expected).is_none_or(|reader| reader.name != name) {
            let found = readers.binary_search_by_key(&name, |reader| reader.name);
            let Ok(at) = found else { continue };
            expected = at;
        }
        readers[expected].read(attribute, cell);
        expected += 1;
    }
}

/// The same for attributes of an attribute, which are few.
#[inline(never)]
fn read_inner<'a>(
    readers: &[Reader],
    attributes: Attributes<'a>,
    cell: &mut impl FnMut(usize, Cell<'a>),
) {
    read_attributes(readers, attributes, cell);
}

impl Reader {
    #[expect(clippy::inline_always, reason = "what a reader hands over is large")]
    #[inline(always)]
    fn read<'a>(&self, attribute: AttributeRef<'a>, cell: &mut impl FnMut(usize, Cell<'a>)) {
        let mut instances = attribute.instances();
        // The default instance stands first where there is one.
        let Some(first) = instances.next() else { return };
        self.read_instance(&first, cell);
        if !self.datasets.is_empty() {
            self.read_datasets(std::iter::once(first).chain(instances), cell);
        }
    }

    #[inline(never)]
    fn read_datasets<'a>(
        &self,
        instances: impl Iterator<Item = InstanceRef<'a>>,
        cell: &mut impl FnMut(usize, Cell<'a>),
    ) {
        for instance in instances {
            let Some(dataset) = instance.dataset_id() else { continue };
            if let Some((_, reader)) = self.datasets.iter().find(|(id, _)| id.as_ref() == dataset) {
                reader.read_instance(&instance, cell);
            }
        }
    }

    #[expect(clippy::inline_always, reason = "what a reader hands over is large")]
    #[inline(always)]
    fn read_instance<'a>(
        &self,
        instance: &InstanceRef<'a>,
        cell: &mut impl FnMut(usize, Cell<'a>),
    ) {
        let is_language_map = instance.kind() == Kind::LanguageProperty;
        if let Some(at) = self.value {
            match self.value_cell(instance, is_language_map) {
                Some(value) => cell(at, value),
                None => cell(at, Cell::Value(*instance)),
            }
        }
        if let (Some(at), Some(moment)) = (self.observed, instance.observed_at()) {
            cell(at, Cell::Time(moment));
        }
        if let (Some(at), Some(unit)) = (self.unit, instance.unit_code()) {
            cell(at, Cell::Text(unit));
        }
        if is_language_map {
            for (language, at) in &self.languages {
                if let Some(text) = member(instance.value(), language) {
                    cell(*at, Cell::Json(text));
                }
            }
        }
        if !self.attributes.is_empty() {
            read_inner(&self.attributes, instance.attributes(), cell);
        }
    }

    /// The value where it is another text than that of the instance.
    #[inline]
    fn value_cell<'a>(
        &self,
        instance: &InstanceRef<'a>,
        is_language_map: bool,
    ) -> Option<Cell<'a>> {
        if self.is_language_map && is_language_map {
            return preferred_text(instance.value()).map(Cell::Json);
        }
        if self.is_moment && instance.value_bytes().first() == Some(&b'{') {
            return member(instance.value(), "@value").map(Cell::Json);
        }
        None
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
