//! Features one after another.

use std::io::Read;

use flatgeobuf::size_prefixed_root_as_feature;

use super::{
    geometry,
    header::{self, Head, TypedColumn, malformed},
    properties,
};
use crate::{
    Fault, FieldSchema, Limits, Record, RecordError, RecordReader, error::Place, source::Source,
};

/// Reads features in the order of the file, passing over its index.
#[derive(Debug)]
pub struct FlatGeobufReader<R> {
    source: Source<R>,
    limits: Limits,
    head: Head,
    schema: Vec<FieldSchema>,
    ordinal: u64,
    /// The current feature with its length in front.
    feature: Vec<u8>,
    passed_index: bool,
    ended: bool,
}

impl<R: Read> FlatGeobufReader<R> {
    /// Reads the header.
    ///
    /// # Errors
    /// If the source is no FlatGeobuf of version 3.
    pub fn new(input: R, limits: Limits) -> Result<Self, RecordError> {
        let mut source = Source::new(input);
        let head = header::read(&mut source)
            .map_err(|fault| RecordError::fatal(Place::default(), fault))?;
        Ok(Self {
            schema: head.columns.iter().map(TypedColumn::schema).collect(),
            source,
            limits,
            head,
            ordinal: 0,
            feature: Vec::new(),
            passed_index: false,
            ended: false,
        })
    }

    fn place(&self) -> Place {
        Place { ordinal: self.ordinal, offset: self.source.position(), line: None }
    }

    fn pass_index(&mut self) -> Result<(), Fault> {
        if !self.passed_index {
            self.passed_index = true;
            let bytes = self.head.index_bytes;
            if self.source.skip(bytes)? < bytes {
                return Err(Fault::Truncated);
            }
        }
        Ok(())
    }

    /// Reads the next feature whole; `None` at the end, an inner error where it
    /// was passed over.
    fn load(&mut self) -> Result<Option<Result<(), Fault>>, Fault> {
        self.feature.clear();
        if self.head.count > 0 && self.ordinal == self.head.count {
            return Ok(None);
        }
        self.source.take_into(4, &mut self.feature)?;
        if self.feature.is_empty() && self.head.count == 0 {
            return Ok(None);
        }
        let size = self.feature.first_chunk().ok_or(Fault::Truncated)?;
        let size = u32::from_le_bytes(*size);
        let limit = self.limits.record_bytes;
        if size as usize > limit {
            if self.source.skip(size.into())? < u64::from(size) {
                return Err(Fault::Truncated);
            }
            return Ok(Some(Err(Fault::TooLong { limit })));
        }
        self.source.take_into(size as usize, &mut self.feature)?;
        if self.feature.len() < size as usize + 4 {
            return Err(Fault::Truncated);
        }
        Ok(Some(Ok(())))
    }

    fn record(&self, place: Place) -> Result<Record, Fault> {
        // The root of a feature needs eight bytes before it can be verified.
        if self.feature.len() < 12 {
            return Err(malformed("a feature without content"));
        }
        decode(&self.feature, &self.head, &self.limits, place)
    }
}

/// The record of a feature that has its length in front.
pub(super) fn decode(
    bytes: &[u8],
    head: &Head,
    limits: &Limits,
    place: Place,
) -> Result<Record, Fault> {
    let feature = size_prefixed_root_as_feature(bytes).map_err(malformed)?;
    let own_columns: Vec<TypedColumn>;
    let columns = match feature.columns().filter(|columns| !columns.is_empty()) {
        Some(columns) => {
            own_columns = columns.iter().map(TypedColumn::of).collect();
            &own_columns
        }
        None => &head.columns,
    };
    let geometry = match feature.geometry() {
        Some(flat) => geometry::read(flat, head.geometry, limits.depth)?,
        None => None,
    };
    let fields = match feature.properties() {
        Some(bytes) => properties::read(bytes.bytes(), columns)?,
        None => Vec::new(),
    };
    Ok(Record { geometry, fields, ..Record::at(place) })
}

impl<R: Read> Iterator for FlatGeobufReader<R> {
    type Item = Result<Record, RecordError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let loaded = self.pass_index();
        let place = self.place();
        match loaded.and_then(|()| self.load()) {
            Ok(None) => {
                self.ended = true;
                None
            }
            Ok(Some(whole)) => {
                self.ordinal += 1;
                let record = whole.and_then(|()| self.record(place));
                Some(record.map_err(|fault| {
                    RecordError::new(place, fault).with_raw(&self.feature, self.limits.raw_bytes)
                }))
            }
            Err(fault) => {
                self.ended = true;
                Some(Err(RecordError::fatal(place, fault)))
            }
        }
    }
}

impl<R: Read> RecordReader for FlatGeobufReader<R> {
    fn crs(&self) -> Option<&str> {
        self.head.crs.as_deref()
    }

    fn schema(&self) -> &[FieldSchema] {
        &self.schema
    }

    fn position(&self) -> u64 {
        self.source.position()
    }

    fn expected(&self) -> Option<u64> {
        (self.head.count > 0).then_some(self.head.count)
    }
}
