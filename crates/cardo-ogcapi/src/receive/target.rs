use std::sync::Arc;

use cardo_engine::{ColumnPart, ColumnType, RESERVED, Row, Table, Terms};
use cardo_model::{Iri, Kind, Record, Timestamp};
use cardo_query::{Datasets, Path};
use serde_json::Value;

use super::Sent;
use super::body::shortened;
use crate::fault::Fault;
use crate::represent::{Placer, cell_json};
use crate::systems::System;

/// Names that have no term and that no column has are those of the default context of NGSI-LD.
const DEFAULT_CONTEXT: &str = "https://uri.etsi.org/ngsi-ld/default-context/";
/// What places entities that nothing has placed yet (clause 4.7.1 of NGSI-LD).
const LOCATION: &str = "https://uri.etsi.org/ngsi-ld/location";

/// Where in an entity a property goes.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    pub(super) name: Box<str>,
    pub(super) path: Path<Iri>,
    pub(super) datatype: ColumnType,
    pub(super) part: ColumnPart,
    /// The kind of a new instance, where the columns tell it.
    pub(super) usual: Option<Kind>,
    column: Option<usize>,
}

/// A property that is to be another than it is; gone where it has no value.
#[derive(Debug)]
pub(crate) struct Change {
    pub(super) target: Target,
    pub(super) value: Option<Value>,
}

/// What is to change of a feature, values before what is said of them.
pub(crate) type Changes = Vec<Change>;

/// A feature as it is shown, for what is sent to be compared with.
pub(crate) struct Shape<'t> {
    table: &'t Table,
    terms: &'t Terms,
    id: &'t str,
    shown: Vec<Option<Value>>,
}

struct Shown<'s> {
    table: &'s Table,
    cells: &'s mut [Option<Value>],
    placer: Option<Placer>,
}

impl<'a> Row<'a> for Shown<'_> {
    fn cell(&mut self, column: usize, cell: cardo_engine::Cell<'a>) {
        let (mut json, datatype) = (Vec::new(), self.table.columns[column].datatype);
        cell_json(&cell, datatype, &mut json);
        if datatype == ColumnType::Geometry
            && let Some(placer) = &mut self.placer
        {
            let mut placed = Vec::new();
            // What has no place in a system is not what was sent in it.
            if placer.write(&json, &mut placed).is_ok() {
                json = placed;
            }
        }
        self.cells[column] = serde_json::from_slice(&json).ok();
    }
}

impl<'t> Shape<'t> {
    /// The feature of an entity with its positions in a system, or an empty one of which only the id
    /// is known.
    pub(crate) fn of(
        table: &'t Table,
        terms: &'t Terms,
        id: &'t str,
        (record, system): (Option<&Record>, &Arc<System>),
    ) -> Self {
        let mut shown = vec![None; table.columns.len()];
        if let Some(record) = record {
            let placer = Placer::of(system);
            table.read(&record.view(), &mut Shown { table, cells: &mut shown, placer });
        }
        Self { table, terms, id, shown }
    }

    /// What has to change so that the feature is the one that was sent.
    pub(crate) fn replaced(&self, sent: &Sent) -> Result<Changes, Fault> {
        let mut changes = Vec::new();
        let mut said = vec![false; self.shown.len()];
        for (target, value) in self.sent(sent)? {
            if value.is_null() {
                continue;
            }
            if let Some(column) = target.column {
                said[column] = true;
            }
            if !self.is_shown(&target, value) {
                changes.push(Change { target, value: Some(value.clone()) });
            }
        }
        for column in 0..self.shown.len() {
            if self.shown[column].is_some() && !said[column] && !self.is_told(column, &said) {
                changes.push(Change { target: self.column(column), value: None });
            }
        }
        Ok(in_order(changes))
    }

    /// What has to change by a merge patch (RFC 7396).
    pub(crate) fn patched(&self, sent: &Sent) -> Result<Changes, Fault> {
        if let Some(id) = sent.id.as_ref().filter(|id| id.as_str() != Some(self.id)) {
            let id = shortened(id);
            return Err(Fault::unprocessable(format!("the id of a feature cannot become {id}")));
        }
        let mut changes = Vec::new();
        for (target, patch) in self.sent(sent)? {
            let shown = target.column.and_then(|column| self.shown[column].clone());
            if patch.is_null() {
                if shown.is_some() {
                    changes.push(Change { target, value: None });
                }
                continue;
            }
            let mut value = shown.unwrap_or(Value::Null);
            merge(&mut value, patch);
            if !self.is_shown(&target, &value) {
                changes.push(Change { target, value: Some(value) });
            }
        }
        Ok(in_order(changes))
    }

    /// Where each property that was sent goes.
    fn sent<'s>(&self, sent: &'s Sent) -> Result<Vec<(Target, &'s Value)>, Fault> {
        let mut targets = Vec::with_capacity(sent.properties.len() + 1);
        for (name, value) in &sent.properties {
            if name == "id" && (value.is_null() || value.as_str() == Some(self.id)) {
                continue;
            }
            if RESERVED.contains(&name.as_str()) {
                return Err(Fault::unprocessable(format!(
                    "the property {name:?} is the server's own and cannot be written"
                )));
            }
            targets.push((self.target(name, value, sent)?, value));
        }
        if let Some(geometry) = &sent.geometry {
            targets.push((self.geometry(), geometry));
        }
        Ok(targets)
    }

    fn column(&self, at: usize) -> Target {
        let column = &self.table.columns[at];
        let is_map = column.datatype == ColumnType::Text
            && column.part == ColumnPart::Value
            && self.languages(at).next().is_some();
        Target {
            name: column.name.clone(),
            path: column.path.clone(),
            datatype: column.datatype,
            part: column.part.clone(),
            usual: is_map.then_some(Kind::LanguageProperty),
            column: Some(at),
        }
    }

    /// The columns of the texts in languages of a column.
    fn languages(&self, at: usize) -> impl Iterator<Item = usize> {
        let columns = &self.table.columns;
        let path = &columns[at].path;
        let is_of = move |other: &Path<Iri>| {
            (&other.root, &other.attributes, &other.datasets)
                == (&path.root, &path.attributes, &path.datasets)
        };
        let is_text = |part: &ColumnPart| matches!(part, ColumnPart::Language(_));
        (0..columns.len()).filter(move |n| is_text(&columns[*n].part) && is_of(&columns[*n].path))
    }

    /// Whether a text is told by its languages, so that it is there without being said.
    fn is_told(&self, column: usize, said: &[bool]) -> bool {
        self.table.columns[column].part == ColumnPart::Value
            && self.languages(column).any(|language| said[language])
    }

    fn geometry(&self) -> Target {
        self.table.geometry.map_or_else(
            || Target {
                name: "geometry".into(),
                path: preferred(Iri::new(LOCATION).expect("it is an IRI")),
                datatype: ColumnType::Geometry,
                part: ColumnPart::Value,
                usual: None,
                column: None,
            },
            |at| Target { name: "geometry".into(), ..self.column(at) },
        )
    }

    /// Where a property goes: into a column; into what would be one, such as the unit of a value
    /// that had none so far; or into a new attribute.
    fn target(&self, name: &str, value: &Value, sent: &Sent) -> Result<Target, Fault> {
        if let Some(at) = self.place(name) {
            if self.table.geometry == Some(at) {
                return Err(Fault::unprocessable(format!(
                    "{name:?} is the geometry of the feature and no property"
                )));
            }
            return Ok(self.column(at));
        }
        if let Some((base, part)) = name.rsplit_once("__")
            && (self.place(base).is_some() || sent.properties.contains_key(base))
            && let Some(target) = self.part_of(base, part, sent)?
        {
            return Ok(Target { name: name.into(), ..target });
        }
        let full = self.terms.full(name);
        let iri = if full.contains(':') {
            Iri::new(full.as_ref())
        } else {
            Iri::new(format!("{DEFAULT_CONTEXT}{name}"))
        };
        let iri = iri.map_err(|error| {
            Fault::unprocessable(format!("{name:?} cannot be the name of a property: {error}"))
        })?;
        Ok(Target {
            name: name.into(),
            path: preferred(iri),
            datatype: datatype_of(value),
            part: ColumnPart::Value,
            usual: None,
            column: None,
        })
    }

    fn place(&self, name: &str) -> Option<usize> {
        self.table.columns.iter().position(|column| column.name.as_ref() == name)
    }

    fn part_of(&self, base: &str, part: &str, sent: &Sent) -> Result<Option<Target>, Fault> {
        let base = self.target(base, sent.properties.get(base).unwrap_or(&Value::Null), sent)?;
        if base.part != ColumnPart::Value {
            return Ok(None);
        }
        let (part, datatype) = match part {
            "observedAt" => (ColumnPart::ObservedAt, ColumnType::DateTime),
            "unitCode" => (ColumnPart::UnitCode, ColumnType::Text),
            tag if base.usual == Some(Kind::LanguageProperty) && is_language(tag) => {
                (ColumnPart::Language(tag.replace('_', "-").into()), ColumnType::Text)
            }
            _ => return Ok(None),
        };
        Ok(Some(Target { part, datatype, column: None, ..base }))
    }

    /// Whether the feature shows a value already.
    fn is_shown(&self, target: &Target, value: &Value) -> bool {
        let Some(shown) = target.column.and_then(|column| self.shown[column].as_ref()) else {
            return false;
        };
        let moment = |value: &Value| value.as_str().and_then(|text| Timestamp::parse(text).ok());
        match (shown, value) {
            (Value::Number(shown), Value::Number(value)) => shown.as_f64() == value.as_f64(),
            _ if target.datatype == ColumnType::DateTime => {
                shown == value || moment(shown).is_some_and(|shown| Some(shown) == moment(value))
            }
            _ => shown == value,
        }
    }
}

fn preferred(name: Iri) -> Path<Iri> {
    Path { datasets: Datasets::Preferred, ..Path::of_attribute(name) }
}

fn in_order(mut changes: Changes) -> Changes {
    changes.sort_by_key(|change| {
        let target = &change.target;
        (target.column.is_none(), target.column, target.part != ColumnPart::Value)
    });
    changes
}

/// A language tag in letters, digits and low lines.
fn is_language(text: &str) -> bool {
    let mut parts = text.split('_');
    let is_primary = |part: &str| {
        (2..=8).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_lowercase())
    };
    let is_part = |part: &str| {
        (1..=8).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphanumeric())
    };
    parts.next().is_some_and(is_primary) && parts.all(is_part)
}

/// What a new property is.
fn datatype_of(value: &Value) -> ColumnType {
    match value {
        Value::Number(_) => ColumnType::Number,
        Value::String(_) => ColumnType::Text,
        Value::Bool(_) => ColumnType::Boolean,
        Value::Array(_) => ColumnType::List,
        Value::Object(members) if members.contains_key("coordinates") => ColumnType::Geometry,
        Value::Object(_) | Value::Null => ColumnType::Json,
    }
}

/// RFC 7396, section 2.
fn merge(target: &mut Value, patch: &Value) {
    let Value::Object(patch) = patch else {
        target.clone_from(patch);
        return;
    };
    if !target.is_object() {
        *target = Value::Object(serde_json::Map::new());
    }
    let Some(target) = target.as_object_mut() else { return };
    for (name, value) in patch {
        if value.is_null() {
            target.shift_remove(name);
        } else {
            merge(target.entry(name.as_str()).or_insert(Value::Null), value);
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_merge_patch_does_what_the_examples_of_its_standard_say() {
        // RFC 7396, appendix A.
        for (target, patch, result) in [
            (json!({"a":"b"}), json!({"a":"c"}), json!({"a":"c"})),
            (json!({"a":"b"}), json!({"b":"c"}), json!({"a":"b","b":"c"})),
            (json!({"a":"b"}), json!({"a":null}), json!({})),
            (json!({"a":["b"]}), json!({"a":"c"}), json!({"a":"c"})),
            (json!({"a":"c"}), json!({"a":["b"]}), json!({"a":["b"]})),
            (json!({"a":{"b":"c"}}), json!({"a":{"b":"d","c":null}}), json!({"a":{"b":"d"}})),
            (json!({"a":"foo"}), json!("bar"), json!("bar")),
            (json!({"e":null}), json!({"a":1}), json!({"e":null,"a":1})),
            (json!([1, 2]), json!({"a":"b","c":null}), json!({"a":"b"})),
            (json!({}), json!({"a":{"bb":{"ccc":null}}}), json!({"a":{"bb":{}}})),
        ] {
            let mut merged = target.clone();
            merge(&mut merged, &patch);
            assert_eq!(merged, result, "{target} {patch}");
        }
    }
}
