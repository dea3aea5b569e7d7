//! The rows of a table as records.

use std::io::{Read, Seek};
use std::sync::Arc;

use super::blob;
use super::catalog::{Layer, layer};
use super::malformed;
use super::schema::Column;
use super::sqlite::{Cell, Database, Row, Rows};
use crate::{
    Fault, FieldKind, FieldSchema, FieldValue, Limits, Record, RecordError, RecordReader,
    error::Place,
};

/// Reads the features of a table, or the rows of a table of attributes, in the order of their ids.
#[derive(Debug)]
pub struct GeoPackageReader<R> {
    database: Database<R>,
    rows: Rows,
    layer: Layer,
    schema: Vec<FieldSchema>,
    limits: Limits,
    ordinal: u64,
    ended: bool,
}

impl<R: Read + Seek> GeoPackageReader<R> {
    /// Opens the table `layer`, or the only one that has rows.
    ///
    /// # Errors
    /// If the input is no GeoPackage, or if it is not clear which table is meant.
    pub fn new(input: R, layer_name: Option<&str>, limits: Limits) -> Result<Self, RecordError> {
        let fatal = |fault| RecordError::fatal(Place::default(), fault);
        let mut database = Database::open(input, limits.record_bytes).map_err(fatal)?;
        let layer = layer(&mut database, layer_name).map_err(fatal)?;
        let fields = layer.columns.iter().filter(|column| !layer.is_geometry(column));
        let schema =
            fields.map(|c| FieldSchema { name: Arc::clone(&c.name), kind: kind(&c.declared) });
        Ok(Self {
            rows: Rows::of(layer.root),
            schema: schema.collect(),
            database,
            layer,
            limits,
            ordinal: 0,
            ended: false,
        })
    }

    fn record(&self, place: Place, row: Row) -> Result<Record, Fault> {
        let mut record = Record::at(place);
        let mut cells = row.cells?.into_iter();
        for column in &self.layer.columns {
            if !column.is_stored {
                continue;
            }
            // Rows are shorter than the table where it got columns later.
            let cell = cells.next().unwrap_or_else(|| column.default.clone());
            let cell = if column.is_row_id { Cell::Int(row.id) } else { cell };
            if self.layer.is_geometry(column) {
                record.geometry = match cell {
                    Cell::Null => None,
                    Cell::Blob(bytes) => blob::read(&bytes, self.limits.depth)?,
                    _ => return Err(malformed("a geometry that is no bytes")),
                };
            } else if let Some(value) = value(column, cell)? {
                record.fields.push((Arc::clone(&column.name), value));
            }
        }
        Ok(record)
    }
}

impl Layer {
    fn is_geometry(&self, column: &Column) -> bool {
        let name = self.geometry.as_deref();
        name.is_some_and(|name| name.eq_ignore_ascii_case(&column.name))
    }
}

/// The kind of a declared type (table 1 of the standard, and what writers add to it).
fn kind(declared: &str) -> FieldKind {
    match declared {
        "BOOLEAN" => FieldKind::Bool,
        "TINYINT" | "SMALLINT" | "MEDIUMINT" | "INT" | "INTEGER" | "BIGINT" => FieldKind::Int,
        "FLOAT" | "DOUBLE" | "REAL" | "DOUBLE PRECISION" | "NUMERIC" | "DECIMAL" => {
            FieldKind::Float
        }
        "TEXT" | "VARCHAR" | "STRING" => FieldKind::Text,
        "DATE" | "DATETIME" | "TIMESTAMP" => FieldKind::DateTime,
        "JSON" => FieldKind::Json,
        "BLOB" => FieldKind::Binary,
        _ => FieldKind::Any,
    }
}

/// The value of a field; none for bytes, which no record carries.
fn value(column: &Column, cell: Cell) -> Result<Option<FieldValue>, Fault> {
    let kind = kind(&column.declared);
    Ok(Some(match (cell, kind) {
        (Cell::Blob(_), _) => return Ok(None),
        (Cell::Null, _) => FieldValue::Null,
        (Cell::Int(number @ (0 | 1)), FieldKind::Bool) => FieldValue::Bool(number == 1),
        // SQLite stores whole numbers of a column of floats as integers.
        (Cell::Int(number), FieldKind::Float) => FieldValue::Float(number as f64),
        (Cell::Int(number), _) => FieldValue::Int(number),
        (Cell::Real(number), _) if number.is_nan() => FieldValue::Null,
        (Cell::Real(number), _) if number.is_infinite() => {
            return Err(Fault::NotFinite(format!("{number} in `{}`", column.name)));
        }
        (Cell::Real(number), _) => FieldValue::Float(number),
        (Cell::Text(text), FieldKind::DateTime) => FieldValue::DateTime(text),
        (Cell::Text(text), FieldKind::Json) => {
            match serde_json::from_str::<serde::de::IgnoredAny>(&text) {
                Ok(_) => FieldValue::Json(text),
                Err(_) => FieldValue::Text(text),
            }
        }
        (Cell::Text(text), _) => FieldValue::Text(text),
    }))
}

impl<R: Read + Seek> Iterator for GeoPackageReader<R> {
    type Item = Result<Record, RecordError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let place =
            Place { ordinal: self.ordinal, offset: RecordReader::position(self), line: None };
        match self.rows.next(&mut self.database) {
            Ok(Some(row)) => {
                let place = Place { offset: row.offset, ..place };
                self.ordinal += 1;
                Some(self.record(place, row).map_err(|fault| RecordError::new(place, fault)))
            }
            Ok(None) => {
                self.ended = true;
                None
            }
            Err(fault) => {
                self.ended = true;
                Some(Err(RecordError::fatal(place, fault)))
            }
        }
    }
}

impl<R: Read + Seek> RecordReader for GeoPackageReader<R> {
    fn crs(&self) -> Option<&str> {
        self.layer.crs.as_deref()
    }

    fn schema(&self) -> &[FieldSchema] {
        &self.schema
    }

    fn layer(&self) -> Option<&str> {
        Some(&self.layer.name)
    }

    fn position(&self) -> u64 {
        u64::from(self.rows.visited()) * self.database.page_bytes()
    }

    fn notes(&self) -> Vec<String> {
        let bytes = self.schema.iter().filter(|field| field.kind == FieldKind::Binary);
        bytes
            .map(|field| format!("the column `{}` holds bytes, which are left out", field.name))
            .collect()
    }
}
