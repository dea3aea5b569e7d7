//! Shapes and rows side by side.

use std::io::{Read, Seek};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::code_page::CodePage;
use super::dbf::{Row, Table};
use super::shp::{self, HEADER_BYTES, Header};
use super::{archive, malformed};
use crate::{
    Fault, FieldKind, FieldSchema, Limits, Record, RecordError, RecordGeometry, RecordReader,
    error::Place, source::Source,
};

type Bytes<'a> = Box<dyn Read + Send + 'a>;

/// The files of which a shapefile is made.
pub struct ShapefileParts<'a> {
    /// The shapes.
    pub shp: Bytes<'a>,
    /// The table, without which there are no fields.
    pub dbf: Option<Bytes<'a>>,
    /// The reference system, as well-known text.
    pub prj: Option<Vec<u8>>,
    /// The encoding of texts in the table.
    pub cpg: Option<Vec<u8>>,
    /// Where packed bytes are counted.
    pub(super) read: Option<Arc<AtomicU64>>,
}

impl<'a> ShapefileParts<'a> {
    /// Shapes alone.
    pub fn new(shp: impl Read + Send + 'a) -> Self {
        Self { shp: Box::new(shp), dbf: None, prj: None, cpg: None, read: None }
    }
}

/// Reads the shapes of a `.shp` with the rows of its table.
pub struct ShapefileReader<'a> {
    source: Source<Bytes<'a>>,
    table: Option<Table<Bytes<'a>>>,
    header: Header,
    crs: Option<String>,
    schema: Vec<FieldSchema>,
    layer: Option<String>,
    read: Option<Arc<AtomicU64>>,
    limits: Limits,
    ordinal: u64,
    deleted: u64,
    notes: Vec<String>,
    content: Vec<u8>,
    ended: bool,
}

impl<'a> ShapefileReader<'a> {
    /// Reads the headers.
    ///
    /// # Errors
    /// If one of the files is not what it should be.
    pub fn new(parts: ShapefileParts<'a>, limits: Limits) -> Result<Self, RecordError> {
        Self::open(parts, None, limits).map_err(|fault| RecordError::fatal(Place::default(), fault))
    }

    /// Opens a shapefile of a zip: the one called `layer`, or the only one.
    ///
    /// # Errors
    /// If the zip cannot be read, or if it is not clear which shapefile is meant.
    pub fn in_zip<R>(input: R, layer: Option<&str>, limits: Limits) -> Result<Self, RecordError>
    where
        R: Read + Seek + Send + 'a,
    {
        archive::open(input, layer, limits.unpacked_bytes)
            .and_then(|(parts, layer)| Self::open(parts, Some(layer), limits))
            .map_err(|fault| RecordError::fatal(Place::default(), fault))
    }

    fn open(
        parts: ShapefileParts<'a>,
        layer: Option<String>,
        limits: Limits,
    ) -> Result<Self, Fault> {
        let mut source = Source::new(parts.shp);
        let mut header = Vec::new();
        source.take_into(HEADER_BYTES, &mut header)?;
        let header: [u8; HEADER_BYTES] = header.try_into().map_err(|_| Fault::Truncated)?;
        let header = shp::header(&header)?;
        let mut notes = Vec::new();
        let named = parts.cpg.map(|name| String::from_utf8_lossy(&name).trim().to_owned());
        let page = named.as_deref().and_then(CodePage::of_name);
        if let (Some(named), None) = (&named, page) {
            notes.push(format!("the encoding `{named}` is not known"));
        }
        let table = parts.dbf.map(|dbf| Table::open(dbf, page)).transpose()?;
        let schema = table.as_ref().map(Table::schema).unwrap_or_default();
        if table.is_none() {
            notes.push("there is no table (.dbf), so records have no fields".to_owned());
        }
        let left_out = schema.iter().filter(|field| field.kind == FieldKind::Binary);
        notes.extend(
            left_out
                .map(|field| format!("the column `{}` is of a kind that is not read", field.name)),
        );
        if table.as_ref().is_some_and(Table::is_guessed)
            && schema.iter().any(|f| f.kind == FieldKind::Text)
        {
            notes.push("nothing says the encoding of texts: UTF-8 where they are valid as that, else Windows-1252".to_owned());
        }
        let prj = parts.prj.map(|text| String::from_utf8_lossy(&text).trim().to_owned());
        Ok(Self {
            source,
            table,
            header,
            crs: prj.filter(|text| !text.is_empty()),
            schema,
            layer,
            read: parts.read,
            limits,
            ordinal: 0,
            deleted: 0,
            notes,
            content: Vec::new(),
            ended: false,
        })
    }

    /// The next shape; none at the end, an inner error where it was passed over or is wrong.
    fn load(&mut self) -> Result<Option<Result<Option<RecordGeometry>, Fault>>, Fault> {
        self.content.clear();
        let mut head = Vec::new();
        let begin = self.source.position();
        self.source.take_into(8, &mut head)?;
        if head.is_empty() {
            return if begin < self.header.bytes { Err(Fault::Truncated) } else { Ok(None) };
        }
        let head: [u8; 8] = head.try_into().map_err(|_| Fault::Truncated)?;
        let size = u64::from(u32::from_be_bytes([head[4], head[5], head[6], head[7]])) * 2;
        if !(4..1 << 32).contains(&size) {
            return Err(malformed(format_args!("a shape of {size} bytes")));
        }
        let limit = self.limits.record_bytes;
        let Some(size) = usize::try_from(size).ok().filter(|size| *size <= limit) else {
            if self.source.skip(size)? < size {
                return Err(Fault::Truncated);
            }
            return Ok(Some(Err(Fault::TooLong { limit })));
        };
        self.source.take_into(size, &mut self.content)?;
        if self.content.len() < size {
            return Err(Fault::Truncated);
        }
        Ok(Some(shp::shape(&self.content)))
    }

    fn row(&mut self) -> Result<Result<Row, Fault>, Fault> {
        let Some(table) = &mut self.table else { return Ok(Ok(Row::Fields(Vec::new()))) };
        let row = table.next()?;
        row.ok_or_else(|| malformed("the table (.dbf) has fewer rows than there are shapes"))
    }

    /// Rows behind the last shape have none.
    fn end(&mut self) {
        self.ended = true;
        let rows = self.table.as_ref().map_or(0, |table| u64::from(table.rows));
        if let Some(more) = rows.checked_sub(self.ordinal).filter(|more| *more > 0) {
            self.notes
                .push(format!("{more} rows of the table (.dbf) are without a shape, and left out"));
        }
    }
}

impl Iterator for ShapefileReader<'_> {
    type Item = Result<Record, RecordError>;

    fn next(&mut self) -> Option<Self::Item> {
        while !self.ended {
            let place = Place { ordinal: self.ordinal, offset: self.source.position(), line: None };
            let loaded = self.load().and_then(|shape| match shape {
                None => Ok(None),
                Some(shape) => self.row().map(|row| Some((shape, row))),
            });
            let (shape, row) = match loaded {
                Ok(None) => {
                    self.end();
                    return None;
                }
                Ok(Some(both)) => both,
                Err(fault) => {
                    self.ended = true;
                    return Some(Err(RecordError::fatal(place, fault)));
                }
            };
            self.ordinal += 1;
            let fields = match row {
                Ok(Row::Deleted) => {
                    self.deleted += 1;
                    continue;
                }
                Ok(Row::Fields(fields)) => Ok(fields),
                Err(fault) => Err(fault),
            };
            let record = shape.and_then(|geometry| Ok((geometry, fields?)));
            return Some(match record {
                Ok((geometry, fields)) => Ok(Record { geometry, fields, ..Record::at(place) }),
                Err(fault) => {
                    let error = RecordError::new(place, fault);
                    Err(error.with_raw(&self.content, self.limits.raw_bytes))
                }
            });
        }
        None
    }
}

impl RecordReader for ShapefileReader<'_> {
    fn crs(&self) -> Option<&str> {
        self.crs.as_deref()
    }

    fn schema(&self) -> &[FieldSchema] {
        &self.schema
    }

    fn layer(&self) -> Option<&str> {
        self.layer.as_deref()
    }

    fn position(&self) -> u64 {
        match &self.read {
            Some(read) => read.load(Ordering::Relaxed),
            None => self.source.position() + self.table.as_ref().map_or(0, Table::position),
        }
    }

    fn skipped(&self) -> u64 {
        self.deleted
    }

    fn notes(&self) -> Vec<String> {
        self.notes.clone()
    }
}
