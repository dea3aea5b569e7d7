//! What stands before the features.

use std::{io::Read, sync::Arc};

use flatgeobuf::{Column, ColumnType, Crs, GeometryType, Header, size_prefixed_root_as_header};

use crate::{Fault, FieldKind, FieldSchema, source::Source};

/// The magic bytes; the fourth is the version.
pub(crate) const MAGIC: [u8; 8] = *b"fgb\x03fgb\x00";
/// Longest header read: headers hold names and a reference system.
const HEADER_LIMIT: u32 = 10 << 20;

/// The header in our own terms.
#[derive(Debug)]
pub(super) struct Head {
    pub(super) columns: Vec<TypedColumn>,
    pub(super) geometry: GeometryType,
    /// Number of features; 0 where it is unknown.
    pub(super) count: u64,
    pub(super) index_bytes: u64,
    /// Entries of a node of the index.
    pub(super) node_size: u16,
    pub(super) crs: Option<String>,
}

#[derive(Clone, Debug)]
pub(super) struct TypedColumn {
    pub(super) name: Arc<str>,
    pub(super) kind: ColumnType,
}

impl TypedColumn {
    pub(super) fn of(column: Column<'_>) -> Self {
        Self { name: column.name().into(), kind: column.type_() }
    }

    pub(super) fn schema(&self) -> FieldSchema {
        let kind = match self.kind {
            ColumnType::Bool => FieldKind::Bool,
            ColumnType::Float | ColumnType::Double => FieldKind::Float,
            ColumnType::String => FieldKind::Text,
            ColumnType::DateTime => FieldKind::DateTime,
            ColumnType::Json => FieldKind::Json,
            ColumnType::Binary => FieldKind::Binary,
            _ => FieldKind::Int,
        };
        FieldSchema { name: Arc::clone(&self.name), kind }
    }
}

pub(super) fn read<R: Read>(source: &mut Source<R>) -> Result<Head, Fault> {
    let mut start = Vec::new();
    source.take_into(12, &mut start)?;
    if !start.starts_with(b"fgb") || start.get(4..7) != Some(b"fgb") {
        return Err(malformed("the file does not begin with the magic bytes"));
    }
    if start[3] != MAGIC[3] {
        return Err(Fault::Unsupported(format!(
            "FlatGeobuf version {} where {} is read",
            start[3], MAGIC[3]
        )));
    }
    let size = start.get(8..12).and_then(|size| size.try_into().ok());
    let size: [u8; 4] = size.ok_or(Fault::Truncated)?;
    let size = u32::from_le_bytes(size);
    if !(8..=HEADER_LIMIT).contains(&size) {
        return Err(malformed(format_args!("a header of {size} bytes")));
    }
    // The length stays in front: alignment counts from there.
    let mut bytes = start.split_off(8);
    source.take_into(size as usize, &mut bytes)?;
    if bytes.len() < size as usize + 4 {
        return Err(Fault::Truncated);
    }
    let header = size_prefixed_root_as_header(&bytes).map_err(malformed)?;
    Ok(Head {
        columns: header
            .columns()
            .map(|columns| columns.iter().map(TypedColumn::of).collect())
            .unwrap_or_default(),
        geometry: header.geometry_type(),
        count: header.features_count(),
        index_bytes: index_bytes(&header)?,
        node_size: header.index_node_size(),
        crs: header.crs().and_then(crs),
    })
}

fn crs(crs: Crs<'_>) -> Option<String> {
    let organisation = crs.org().filter(|org| !org.is_empty()).unwrap_or("EPSG");
    if crs.code() != 0 {
        return Some(format!("{}:{}", organisation.to_ascii_uppercase(), crs.code()));
    }
    if let Some(code) = crs.code_string().filter(|code| !code.is_empty()) {
        return Some(format!("{}:{code}", organisation.to_ascii_uppercase()));
    }
    let text = crs.wkt().or(crs.name());
    text.filter(|text| !text.is_empty()).map(str::to_owned)
}

/// Size of a node of the index: a box of four numbers and an offset.
pub(super) const NODE_BYTES: u64 = 40;

/// Bytes of the packed tree between header and features.
fn index_bytes(header: &Header<'_>) -> Result<u64, Fault> {
    let node_size = u64::from(header.index_node_size());
    let mut level = header.features_count();
    if node_size == 0 || level == 0 {
        return Ok(0);
    }
    if node_size == 1 {
        return Err(malformed("an index of nodes of one entry"));
    }
    let mut nodes = level;
    loop {
        level = level.div_ceil(node_size);
        nodes = nodes.saturating_add(level);
        if level == 1 {
            break;
        }
    }
    nodes
        .checked_mul(NODE_BYTES)
        .ok_or_else(|| malformed(format_args!("a feature count of {}", header.features_count())))
}

pub(super) fn malformed(detail: impl std::fmt::Display) -> Fault {
    Fault::malformed("FlatGeobuf", detail)
}
