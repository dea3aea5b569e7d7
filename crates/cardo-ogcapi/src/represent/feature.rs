use cardo_engine::{Cell, Column, ColumnType, Table};
use cardo_model::EntityRef;

use super::text::{write_moment, write_quoted};

/// Writes entities as features of a collection.
pub(crate) struct FeatureWriter<'a> {
    pub(crate) out: &'a mut Vec<u8>,
    table: &'a Table,
    /// What stands before the value of each column.
    keys: Vec<Box<[u8]>>,
}

impl<'a> FeatureWriter<'a> {
    pub(crate) fn new(out: &'a mut Vec<u8>, table: &'a Table) -> Self {
        // Names of columns are letters, digits and low lines.
        let key = |column: &Column| format!("\"{}\":", column.name).into_bytes().into();
        let keys = table.columns.iter().map(key).collect();
        Self { out, table, keys }
    }

    /// Writes a feature without the bracket at its end, so that members can follow.
    pub(crate) fn open_feature(&mut self, entity: &EntityRef<'_>) {
        let Self { out, table, keys } = self;
        out.extend_from_slice(b"{\"type\":\"Feature\",\"id\":\"");
        // Ids are IRIs, which hold nothing that JSON would escape.
        out.extend_from_slice(entity.id_bytes());
        out.extend_from_slice(b"\",\"properties\":{");
        let mut geometry: Option<&[u8]> = None;
        table.read(entity, &mut |at, cell| {
            if table.geometry == Some(at) {
                if let Cell::Value(instance) = cell {
                    geometry = Some(instance.value_bytes());
                }
                return;
            }
            out.extend_from_slice(&keys[at]);
            cell_json(table, &cell, table.columns[at].datatype, out);
            out.push(b',');
        });
        if out.last() == Some(&b',') {
            out.pop();
        }
        out.extend_from_slice(b"},\"geometry\":");
        out.extend_from_slice(geometry.unwrap_or(b"null"));
    }

    /// Writes a feature.
    pub(crate) fn feature(&mut self, entity: &EntityRef<'_>) {
        self.open_feature(entity);
        self.out.push(b'}');
    }
}

/// Writes what stands in a cell as JSON.
#[inline]
pub(crate) fn cell_json(table: &Table, cell: &Cell<'_>, datatype: ColumnType, out: &mut Vec<u8>) {
    match cell {
        Cell::Value(instance) if instance.is_coerced() => {
            out.extend_from_slice(table.value(instance).as_bytes());
        }
        Cell::Value(instance) => {
            let json = instance.value_bytes();
            // A list of one id is held without its brackets.
            let is_one = datatype == ColumnType::Relationships && json.first() == Some(&b'"');
            if is_one {
                out.push(b'[');
            }
            out.extend_from_slice(json);
            if is_one {
                out.push(b']');
            }
        }
        Cell::Json(text) => out.extend_from_slice(text.as_bytes()),
        Cell::Text(text) => write_quoted(text, out),
        Cell::Time(moment) => write_moment(*moment, out),
    }
}

/// The GeoJSON text of the geometry by which an entity is placed.
pub(crate) fn geometry_of<'r>(table: &Table, entity: &EntityRef<'r>) -> Option<&'r str> {
    let mut geometry = None;
    table.read(entity, &mut |at, cell| {
        if let (true, Cell::Value(instance)) = (table.geometry == Some(at), cell) {
            geometry = Some(instance.value());
        }
    });
    geometry
}
