//! FlatGeobuf 3, with its packed index where that is wanted.

use std::io;

use flatgeobuf::ColumnType;
use flatgeobuf::packed_r_tree::NodeItem;

use super::packed::PackedIndex;
use super::{ColumnKind, Head, Row, RowWriter, Value};
use crate::flatgeobuf::{Heading, Kinds, MAGIC, feature, push_text};
use crate::geometry::each_position;

/// Writes a table as FlatGeobuf. Rows are looked at before, for the type of geometries and the area
/// that they cover; with an index they come in the order of its curve.
#[derive(Debug)]
pub struct FlatGeobufRows {
    head: Head,
    is_indexed: bool,
    kinds: Kinds,
    extent: NodeItem,
    seen: u64,
    index: PackedIndex,
    has_begun: bool,
}

impl FlatGeobufRows {
    /// Begins a file. An index takes some thirty bytes of memory a row; a table in which a row has no
    /// geometry gets none.
    pub fn new(head: Head, is_indexed: bool) -> Self {
        Self {
            is_indexed: is_indexed && head.has_geometry,
            head,
            kinds: Kinds::None,
            extent: NodeItem::create(0),
            seen: 0,
            index: PackedIndex::default(),
            has_begun: false,
        }
    }

    fn feature(&self, row: &Row<'_>) -> io::Result<Vec<u8>> {
        let geometry = row.geometry.filter(|_| self.head.has_geometry);
        Ok(feature(geometry, &self.properties(row)?))
    }

    fn properties(&self, row: &Row<'_>) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::with_capacity(64);
        bytes.extend_from_slice(&0_u16.to_le_bytes());
        push_text(row.id, &mut bytes).map_err(io::Error::other)?;
        let columns = self.head.columns.iter().zip(1_u16..);
        for ((column, number), value) in columns.zip(row.values) {
            if *value == Value::Null {
                continue;
            }
            let before = bytes.len();
            bytes.extend_from_slice(&number.to_le_bytes());
            match (column.kind, value) {
                (ColumnKind::Bool, Value::Bool(value)) => bytes.push(u8::from(*value)),
                (ColumnKind::Bool, _) => bytes.truncate(before),
                (ColumnKind::Number, value) => match value.number() {
                    Some(number) => bytes.extend_from_slice(&number.to_le_bytes()),
                    None => bytes.truncate(before),
                },
                (_, value) => {
                    let text = value.to_text().unwrap_or_default();
                    push_text(&text, &mut bytes).map_err(io::Error::other)?;
                }
            }
        }
        Ok(bytes)
    }

    fn header(&self) -> Vec<u8> {
        let of_columns = self.head.columns.iter().map(|column| {
            let kind = match column.kind {
                ColumnKind::Bool => ColumnType::Bool,
                ColumnKind::Number => ColumnType::Double,
                ColumnKind::Text | ColumnKind::Date => ColumnType::String,
                ColumnKind::DateTime => ColumnType::DateTime,
                ColumnKind::Json => ColumnType::Json,
            };
            (column.name.as_ref(), kind)
        });
        Heading {
            name: &self.head.name,
            kinds: self.kinds,
            extent: (self.kinds != Kinds::None).then_some(&self.extent),
            count: self.seen,
            is_indexed: self.is_indexed,
            epsg: Some(i32::try_from(self.head.epsg).unwrap_or_default()),
        }
        .encode(std::iter::once(("id", ColumnType::String)).chain(of_columns))
    }
}

impl RowWriter for FlatGeobufRows {
    fn surveys(&self) -> bool {
        true
    }

    fn survey(&mut self, row: &Row<'_>) -> io::Result<()> {
        let geometry = row.geometry.filter(|_| self.head.has_geometry);
        let mut node = NodeItem::create(self.seen);
        if let Some(geometry) = geometry {
            self.kinds = self.kinds.with(geometry);
            each_position(&geometry.shape, &mut |position| node.expand_xy(position.x, position.y));
            self.extent.expand(&node);
        } else {
            self.is_indexed = false;
            self.index = PackedIndex::default();
        }
        if self.is_indexed {
            let size = self.feature(row)?.len();
            self.index.add(&node, size)?;
        }
        self.seen += 1;
        Ok(())
    }

    fn order(&mut self) -> Option<Vec<u32>> {
        self.is_indexed &= self.seen > 0;
        self.is_indexed.then(|| self.index.order(&self.extent))
    }

    fn begin(&mut self, out: &mut Vec<u8>) -> io::Result<bool> {
        if !self.has_begun {
            self.has_begun = true;
            out.extend_from_slice(&MAGIC);
            out.extend_from_slice(&self.header());
            return Ok(self.is_indexed);
        }
        self.index.write(out)
    }

    fn write(&mut self, row: &Row<'_>, out: &mut Vec<u8>) -> io::Result<()> {
        out.extend_from_slice(&self.feature(row)?);
        Ok(())
    }

    fn finish(&mut self, _out: &mut Vec<u8>) -> io::Result<bool> {
        Ok(false)
    }
}
