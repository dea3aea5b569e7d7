use std::sync::Arc;

use cardo_engine::{Cell, Column, ColumnPart, ColumnType, Snapshot, Table, Tables};
use cardo_model::{Record, Revision, write_json_string};
use serde_json::Value;

use super::cell_json;
use crate::documents::encode_segment;
use crate::params::References;

/// Shows references as the addresses of the features that they lead to (OGC 23-058r2, clause 14).
#[derive(Clone)]
pub(crate) struct Resolver {
    form: References,
    /// The root of the API.
    root: Box<str>,
    snapshot: Snapshot,
    tables: Arc<Tables>,
}

/// Columns whose text is what a feature is called, the best first.
const TITLES: [&str; 3] = ["name", "title", "label"];

/// Whether the cells of a column are ids of other features.
pub(crate) fn is_reference(column: &Column) -> bool {
    column.part == ColumnPart::Value
        && matches!(column.datatype, ColumnType::Relationship | ColumnType::Relationships)
}

/// The ids in a cell, of which there may be one or a list.
pub(crate) fn referenced(json: &[u8]) -> Vec<String> {
    match serde_json::from_slice(json) {
        Ok(Value::String(id)) => vec![id],
        Ok(Value::Array(ids)) => ids
            .into_iter()
            .filter_map(|id| if let Value::String(id) = id { Some(id) } else { None })
            .collect(),
        _ => Vec::new(),
    }
}

impl Resolver {
    pub(crate) fn new(
        form: References,
        root: String,
        snapshot: Snapshot,
        tables: Arc<Tables>,
    ) -> Self {
        Self { form, root: root.into(), snapshot, tables }
    }

    /// The state of the twin in which it looks.
    pub(crate) fn revision(&self) -> Revision {
        self.snapshot.revision()
    }

    /// Where a feature stands, and what it is called. What is not in the twin has the address at
    /// which it would be looked for, unless its id is one.
    pub(crate) fn find(&self, id: &str) -> (String, Option<String>) {
        let (root, segment) = (&self.root, encode_segment(id));
        let record = self.snapshot.retrieve(id);
        let table = record.as_ref().and_then(|record| table_of(&self.tables, record));
        match (record, table) {
            (Some(record), Some(table)) => {
                let address = format!("{root}/collections/{}/items/{segment}", table.name);
                (address, title_of(table, &record))
            }
            _ if id.starts_with("http://") || id.starts_with("https://") => (id.to_owned(), None),
            _ => (format!("{root}/features/{segment}"), None),
        }
    }

    /// Writes the references of a cell.
    pub(crate) fn write(&self, json: &[u8], datatype: ColumnType, out: &mut Vec<u8>) {
        let is_list = datatype == ColumnType::Relationships;
        if is_list {
            out.push(b'[');
        }
        for (at, id) in referenced(json).iter().enumerate() {
            if at > 0 {
                out.push(b',');
            }
            self.write_one(id, out);
        }
        if is_list {
            out.push(b']');
        }
    }

    fn write_one(&self, id: &str, out: &mut Vec<u8>) {
        let (address, title) = self.find(id);
        if self.form != References::Link {
            write_json_string(&address, out);
            return;
        }
        out.extend_from_slice(b"{\"href\":");
        write_json_string(&address, out);
        if let Some(title) = title {
            out.extend_from_slice(b",\"title\":");
            write_json_string(&title, out);
        }
        out.push(b'}');
    }
}

/// The collection in which an entity stands; of several the first of its types.
pub(crate) fn table_of<'t>(tables: &'t Tables, record: &Record) -> Option<&'t Table> {
    record.view().types().find_map(|name| tables.of_id(name))
}

fn title_of(table: &Table, record: &Record) -> Option<String> {
    let is_title = |column: &Column, name: &str| {
        column.name.as_ref() == name
            && column.datatype == ColumnType::Text
            && column.part == ColumnPart::Value
    };
    let place = |name: &&str| table.columns.iter().position(|column| is_title(column, name));
    let at = TITLES.iter().find_map(place)?;
    let cell = table.cell(&record.view(), at)?;
    if let Cell::Text(text) = cell {
        return Some(text.to_owned());
    }
    let mut json = Vec::new();
    cell_json(&cell, ColumnType::Text, &mut json);
    serde_json::from_slice(&json).ok()
}
