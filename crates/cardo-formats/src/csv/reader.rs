//! CSV rows as records.

use std::{io::Read, sync::Arc};

use super::{
    CsvOptions,
    cells::value,
    geometry::Columns,
    rows::{Row, Rows, cells},
};
use crate::{
    Fault, FieldKind, FieldSchema, Limits, ReadOptions, Record, RecordError, RecordReader,
    error::Place, source::Source,
};

/// Reads the rows below a header.
#[derive(Debug)]
pub struct CsvReader<R> {
    rows: Rows<R>,
    options: CsvOptions,
    limits: Limits,
    header: Vec<Arc<str>>,
    schema: Vec<FieldSchema>,
    columns: Columns,
    srid: Option<u32>,
    crs: Option<String>,
    ordinal: u64,
    bytes: Vec<u8>,
    /// The first row, read early to find out about the geometry.
    first: Option<Row>,
    ended: bool,
}

impl<R: Read> CsvReader<R> {
    /// Reads the header and looks at the first row.
    ///
    /// # Errors
    /// If there is no header, or it lacks a column that the options name.
    pub fn new(input: R, options: &ReadOptions) -> Result<Self, RecordError> {
        let fatal = |fault| RecordError::fatal(Place::default(), fault);
        let csv = &options.csv;
        let limit = options.limits.record_bytes;
        let mut rows = Rows::new(Source::new(input), csv.delimiter, limit).map_err(fatal)?;
        let mut bytes = Vec::new();
        let row = rows.next(&mut bytes).map_err(fatal)?;
        let row = row.ok_or_else(|| fatal(malformed("the source is empty")))?;
        row.verdict.map_err(fatal)?;
        let header = header(&bytes, row.offset, rows.delimiter()).map_err(fatal)?;
        let first = rows.next(&mut bytes).map_err(fatal)?;
        let mut reader = Self {
            rows,
            options: csv.clone(),
            limits: options.limits,
            columns: Columns::None,
            schema: Vec::new(),
            header,
            srid: None,
            crs: None,
            ordinal: 0,
            bytes,
            first: None,
            ended: false,
        };
        reader.find_geometry(first.as_ref()).map_err(fatal)?;
        reader.first = first;
        Ok(reader)
    }

    fn find_geometry(&mut self, first: Option<&Row>) -> Result<(), Fault> {
        let sample = match first {
            Some(row) => self.texts(row.offset).unwrap_or_default(),
            None => Vec::new(),
        };
        self.columns = Columns::find(&self.options.geometry, &self.header, &sample)?;
        let fields = self.header.iter().enumerate();
        let fields = fields.filter(|(column, _)| !self.columns.uses(*column));
        self.schema = fields
            .map(|(_, name)| FieldSchema { name: Arc::clone(name), kind: FieldKind::Any })
            .collect();
        if sample.len() == self.header.len()
            && let Ok((_, srid)) = self.geometry(&sample)
        {
            self.srid = srid;
            self.crs = srid.map(|srid| format!("EPSG:{srid}"));
        }
        Ok(())
    }

    /// The cells of the current row, which starts at `offset`.
    fn texts(&self, offset: u64) -> Result<Vec<String>, Fault> {
        if let Err(error) = std::str::from_utf8(&self.bytes) {
            return Err(Fault::NotUtf8 { offset: offset + error.valid_up_to() as u64 });
        }
        let cells = cells(&self.bytes, self.rows.delimiter());
        let texts = cells.into_iter().map(|cell| String::from_utf8(cell.into_owned()));
        // A delimiter is one ASCII byte, so cells of UTF-8 are UTF-8.
        texts.collect::<Result<_, _>>().map_err(|_| Fault::NotUtf8 { offset })
    }

    fn geometry(
        &self,
        row: &[String],
    ) -> Result<(Option<crate::RecordGeometry>, Option<u32>), Fault> {
        self.columns.read(&self.header, row, self.options.decimal_comma)
    }

    fn record(&mut self, row: Row) -> Result<Record, RecordError> {
        let place = Place { ordinal: self.ordinal, offset: row.offset, line: Some(row.line) };
        self.ordinal += 1;
        self.fields(row, place).map_err(|fault| {
            RecordError::new(place, fault).with_raw(&self.bytes, self.limits.raw_bytes)
        })
    }

    fn fields(&self, row: Row, place: Place) -> Result<Record, Fault> {
        row.verdict?;
        let texts = self.texts(row.offset)?;
        if texts.len() != self.header.len() {
            return Err(Fault::Ragged { found: texts.len(), expected: self.header.len() });
        }
        let (geometry, srid) = self.geometry(&texts)?;
        if geometry.is_some() && srid != self.srid {
            return Err(Fault::geometry(format!(
                "SRID {} among rows of SRID {}",
                srid.map_or("none".to_owned(), |srid| srid.to_string()),
                self.srid.map_or("none".to_owned(), |srid| srid.to_string()),
            )));
        }
        let mut fields = Vec::with_capacity(texts.len());
        for (column, text) in texts.iter().enumerate() {
            if !self.columns.uses(column) {
                let value = value(text, self.options.typed, self.options.decimal_comma);
                fields.push((Arc::clone(&self.header[column]), value));
            }
        }
        Ok(Record { geometry, fields, ..Record::at(place) })
    }

    fn next_row(&mut self) -> Result<Option<Row>, Fault> {
        match self.first.take() {
            Some(first) => Ok(Some(first)),
            None => self.rows.next(&mut self.bytes),
        }
    }
}

/// The names of the columns: trimmed, none empty, none twice.
fn header(row: &[u8], offset: u64, delimiter: u8) -> Result<Vec<Arc<str>>, Fault> {
    let mut names: Vec<Arc<str>> = Vec::new();
    for (index, cell) in cells(row, delimiter).into_iter().enumerate() {
        let name = std::str::from_utf8(&cell).map_err(|_| Fault::NotUtf8 { offset })?;
        let mut name = name.trim().to_owned();
        if name.is_empty() {
            name = format!("column_{}", index + 1);
        }
        while names.iter().any(|known| **known == *name) {
            name.push('_');
            name.push_str(&(index + 1).to_string());
        }
        names.push(name.into());
        if names.len() > MAX_COLUMNS {
            return Err(malformed(format_args!("more than {MAX_COLUMNS} columns")));
        }
    }
    Ok(names)
}

/// More columns than any table of a city has.
const MAX_COLUMNS: usize = 4096;

impl<R: Read> Iterator for CsvReader<R> {
    type Item = Result<Record, RecordError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        match self.next_row() {
            Ok(Some(row)) => Some(self.record(row)),
            Ok(None) => {
                self.ended = true;
                None
            }
            Err(fault) => {
                self.ended = true;
                let place = Place {
                    ordinal: self.ordinal,
                    offset: self.rows.position(),
                    line: Some(self.rows.line()),
                };
                Some(Err(RecordError::fatal(place, fault)))
            }
        }
    }
}

impl<R: Read> RecordReader for CsvReader<R> {
    fn crs(&self) -> Option<&str> {
        self.crs.as_deref()
    }

    fn schema(&self) -> &[FieldSchema] {
        &self.schema
    }

    fn position(&self) -> u64 {
        self.rows.position()
    }
}

fn malformed(detail: impl std::fmt::Display) -> Fault {
    Fault::malformed("CSV", detail)
}
