use cardo_engine::{Cell, ColumnType, Table};
use cardo_model::{EntityRef, MomentWriter, write_json_string};

use super::text::write_moment;

/// Writes entities as features of a collection.
pub(crate) struct FeatureWriter<'a> {
    pub(crate) out: &'a mut Vec<u8>,
    table: &'a Table,
    keys: Keys,
    moments: MomentWriter,
}

/// What stands before the value of each column.
struct Keys {
    /// A comma, the name in quotes and a colon, one after the other.
    text: Vec<u8>,
    columns: Vec<Key>,
}

struct Key {
    from: u32,
    until: u32,
    datatype: ColumnType,
    is_geometry: bool,
}

impl Keys {
    fn of(table: &Table) -> Self {
        let mut text = Vec::with_capacity(table.columns.len() * 32);
        let place = |len: usize| u32::try_from(len).expect("columns are few");
        let columns = table.columns.iter().enumerate().map(|(at, column)| {
            let from = place(text.len());
            text.extend_from_slice(b",\"");
            // Names of columns are letters, digits and low lines.
            text.extend_from_slice(column.name.as_bytes());
            text.extend_from_slice(b"\":");
            Key {
                from,
                until: place(text.len()),
                datatype: column.datatype,
                is_geometry: table.geometry == Some(at),
            }
        });
        let columns = columns.collect();
        Self { text, columns }
    }
}

impl<'a> FeatureWriter<'a> {
    pub(crate) fn new(out: &'a mut Vec<u8>, table: &'a Table) -> Self {
        Self { out, table, keys: Keys::of(table), moments: MomentWriter::default() }
    }

    /// Writes a feature without the bracket at its end, so that members can follow.
    pub(crate) fn open_feature(&mut self, entity: &EntityRef<'_>) {
        let Self { out, table, keys, moments } = self;
        out.extend_from_slice(b"{\"type\":\"Feature\",\"id\":\"");
        // Ids are IRIs, which hold nothing that JSON would escape.
        out.extend_from_slice(entity.id_bytes());
        out.extend_from_slice(b"\",\"properties\":{");
        let mut geometry: Option<&[u8]> = None;
        // The first property has no comma before it.
        let mut skipped = 1;
        table.read(entity, &mut |at, cell| {
            let key = &keys.columns[at];
            if key.is_geometry {
                if let Cell::Value(instance) = cell {
                    geometry = Some(instance.value_bytes());
                }
                return;
            }
            out.extend_from_slice(&keys.text[key.from as usize + skipped..key.until as usize]);
            skipped = 0;
            if let Cell::Time(moment) = cell {
                out.push(b'"');
                moments.write(moment, out);
                out.push(b'"');
            } else {
                cell_json(table, &cell, key.datatype, out);
            }
        });
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
        Cell::Text(text) => write_json_string(text, out),
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
