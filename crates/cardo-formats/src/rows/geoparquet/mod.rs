//! GeoParquet 1.1: geometries as WKB, each with its box as a covering
//! (<https://geoparquet.org/releases/v1.1.0/>). Rows are gathered into groups, which are written a
//! column after the other; what is said of all of them stands at the end of the file.

mod columns;
mod shapes;

use std::io;
use std::sync::Arc;

use parquet::basic::{Compression, LogicalType, Repetition, TimeUnit, Type as Physical, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::{ColumnPath, Type, TypePtr};

use self::columns::Column;
use self::shapes::Shapes;
use super::{ColumnKind, Head, Row, RowWriter, Value};

/// How many rows stand in memory before they are written together, and how many bytes at about.
const GROUP_ROWS: usize = 50_000;
const GROUP_BYTES: usize = 4 << 20;
/// The numbers of a covering, in the order in which they are kept.
const EDGES: [&str; 4] = ["xmin", "ymin", "xmax", "ymax"];

/// Writes a table as GeoParquet, or as Parquet where it has no geometries. Of its rows not more than a
/// group is held.
pub struct GeoParquetRows {
    head: Head,
    /// The reference system as PROJJSON.
    system: Option<serde_json::Value>,
    geometry: String,
    covering: String,
    writer: Option<SerializedFileWriter<Vec<u8>>>,
    columns: Vec<Column>,
    shapes: Shapes,
    rows: usize,
    bytes: usize,
}

impl GeoParquetRows {
    /// Begins a file in a reference system that is described by PROJJSON; without one, in longitude and
    /// latitude of WGS 84.
    pub fn new(head: Head, system: Option<serde_json::Value>) -> Self {
        let free = |name: &str| {
            let is_taken = |name: &String| {
                head.columns.iter().any(|column| column.name.eq_ignore_ascii_case(name))
            };
            let names = (2..=head.columns.len() + 2).map(|number| format!("{name}_{number}"));
            let mut names = std::iter::once(name.to_owned()).chain(names);
            names.find(|name| !is_taken(name)).unwrap_or_default()
        };
        let (geometry, covering) = (free("geometry"), free("bbox"));
        let columns = head.columns.iter().map(|column| Column::of(column.kind));
        let columns = std::iter::once(Column::bytes()).chain(columns).collect();
        let shapes = Shapes::new();
        Self { head, system, geometry, covering, writer: None, columns, shapes, rows: 0, bytes: 0 }
    }

    fn schema(&self) -> Result<TypePtr, ParquetError> {
        let mut fields = vec![optional("id", ColumnKind::Text)?];
        for column in &self.head.columns {
            fields.push(optional(&column.name, column.kind)?);
        }
        if self.head.has_geometry {
            let wkb = Type::primitive_type_builder(&self.geometry, Physical::BYTE_ARRAY);
            fields.push(Arc::new(wkb.with_repetition(Repetition::OPTIONAL).build()?));
            let mut edges = Vec::new();
            for edge in EDGES {
                let edge = Type::primitive_type_builder(edge, Physical::DOUBLE);
                edges.push(Arc::new(edge.with_repetition(Repetition::REQUIRED).build()?));
            }
            // There is a box wherever there is a geometry.
            let covering = Type::group_type_builder(&self.covering).with_fields(edges);
            fields.push(Arc::new(covering.with_repetition(Repetition::OPTIONAL).build()?));
        }
        let schema = Type::group_type_builder("schema").with_fields(fields);
        Ok(Arc::new(schema.build()?))
    }

    /// Places are seldom equal, and the least and the greatest of geometries mean nothing.
    fn properties(&self) -> WriterProperties {
        let geometry = ColumnPath::from(self.geometry.as_str());
        let mut properties = WriterProperties::builder()
            .set_compression(Compression::ZSTD(ZstdLevel::default()))
            .set_column_dictionary_enabled(geometry.clone(), false)
            .set_column_statistics_enabled(geometry, EnabledStatistics::None);
        for edge in EDGES {
            let edge = ColumnPath::new(vec![self.covering.clone(), edge.to_owned()]);
            properties = properties.set_column_dictionary_enabled(edge, false);
        }
        properties.build()
    }

    /// What is said of the geometries, as JSON.
    fn metadata(&self) -> String {
        let edge = |edge: &str| serde_json::json!([self.covering, edge]);
        let mut column = serde_json::json!({
            "encoding": "WKB",
            "geometry_types": self.shapes.types(),
            "covering": {
                "bbox": {
                    "xmin": edge("xmin"),
                    "ymin": edge("ymin"),
                    "xmax": edge("xmax"),
                    "ymax": edge("ymax"),
                },
            },
        });
        if let Some(extent) = self.shapes.extent() {
            column["bbox"] = extent.into();
        }
        // Without a system, longitude and latitude of WGS 84 are meant.
        if let Some(system) = &self.system {
            column["crs"] = system.clone();
        }
        let mut columns = serde_json::Map::new();
        columns.insert(self.geometry.clone(), column);
        serde_json::json!({
            "version": "1.1.0",
            "primary_column": self.geometry,
            "columns": columns,
        })
        .to_string()
    }

    /// Writes the rows that are gathered.
    fn write_group(&mut self, out: &mut Vec<u8>) -> Result<(), ParquetError> {
        let Some(writer) = self.writer.as_mut().filter(|_| self.rows > 0) else { return Ok(()) };
        let mut group = writer.next_row_group()?;
        for column in &mut self.columns {
            column.write(&mut group)?;
        }
        if self.head.has_geometry {
            self.shapes.write(&mut group)?;
        }
        group.close()?;
        (self.rows, self.bytes) = (0, 0);
        drain(writer, out)
    }
}

/// Hands over what is written.
fn drain(
    writer: &mut SerializedFileWriter<Vec<u8>>,
    out: &mut Vec<u8>,
) -> Result<(), ParquetError> {
    writer.flush()?;
    out.append(writer.inner_mut());
    Ok(())
}

fn optional(name: &str, kind: ColumnKind) -> Result<TypePtr, ParquetError> {
    let (physical, logical) = match kind {
        ColumnKind::Bool => (Physical::BOOLEAN, None),
        ColumnKind::Number => (Physical::DOUBLE, None),
        ColumnKind::Text => (Physical::BYTE_ARRAY, Some(LogicalType::String)),
        ColumnKind::Json => (Physical::BYTE_ARRAY, Some(LogicalType::Json)),
        ColumnKind::Date => (Physical::INT32, Some(LogicalType::Date)),
        ColumnKind::DateTime => {
            (Physical::INT64, Some(LogicalType::timestamp(true, TimeUnit::MICROS)))
        }
    };
    let field = Type::primitive_type_builder(name, physical).with_logical_type(logical);
    Ok(Arc::new(field.with_repetition(Repetition::OPTIONAL).build()?))
}

impl RowWriter for GeoParquetRows {
    fn begin(&mut self, out: &mut Vec<u8>) -> io::Result<bool> {
        let schema = self.schema().map_err(io::Error::other)?;
        let properties = Arc::new(self.properties());
        let writer = SerializedFileWriter::new(Vec::new(), schema, properties);
        let writer = self.writer.insert(writer.map_err(io::Error::other)?);
        drain(writer, out).map_err(io::Error::other)?;
        Ok(false)
    }

    fn write(&mut self, row: &Row<'_>, out: &mut Vec<u8>) -> io::Result<()> {
        let id = Value::Text(row.id.into());
        let values = std::iter::once(&id).chain(row.values);
        for (column, value) in self.columns.iter_mut().zip(values) {
            self.bytes += column.take(value);
        }
        if self.head.has_geometry {
            self.bytes += self.shapes.take(row.geometry);
        }
        self.rows += 1;
        if self.rows >= GROUP_ROWS || self.bytes >= GROUP_BYTES {
            self.write_group(out).map_err(io::Error::other)?;
        }
        Ok(())
    }

    fn finish(&mut self, out: &mut Vec<u8>) -> io::Result<bool> {
        self.write_group(out).map_err(io::Error::other)?;
        let metadata = self.head.has_geometry.then(|| self.metadata());
        let Some(mut writer) = self.writer.take() else {
            return Err(io::Error::other("the file has no beginning"));
        };
        if let Some(metadata) = metadata {
            writer.append_key_value_metadata(KeyValue::new("geo".to_owned(), metadata));
        }
        out.append(&mut writer.into_inner().map_err(io::Error::other)?);
        Ok(false)
    }
}
