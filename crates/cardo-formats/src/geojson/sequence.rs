//! GeoJSON text sequences: RFC 8142 with its record separators, and the plain
//! form of one object a line.

use std::io::Read;

use super::feature;
use crate::{
    Fault, Limits, Record, RecordError, RecordReader, error::Place, names::Names, source::Source,
};

const RECORD_SEPARATOR: u8 = 0x1E;

/// Reads a sequence of features, told apart by record separators where the
/// first text has one, and by line ends where not.
#[derive(Debug)]
pub struct GeoJsonSeqReader<R> {
    source: Source<R>,
    limits: Limits,
    names: Names,
    separator: Option<u8>,
    line: u64,
    ordinal: u64,
    text: Vec<u8>,
    ended: bool,
}

impl<R: Read> GeoJsonSeqReader<R> {
    /// Reads from a stream.
    pub fn new(input: R, limits: Limits) -> Self {
        Self {
            source: Source::new(input),
            limits,
            names: Names::default(),
            separator: None,
            line: 1,
            ordinal: 0,
            text: Vec::new(),
            ended: false,
        }
    }

    fn separator(&mut self) -> Result<u8, Fault> {
        if let Some(separator) = self.separator {
            return Ok(separator);
        }
        self.source.skip_byte_order_mark()?;
        self.blank()?;
        let separator = match self.source.peek()? {
            Some(RECORD_SEPARATOR) => RECORD_SEPARATOR,
            _ => b'\n',
        };
        self.separator = Some(separator);
        Ok(separator)
    }

    /// Passes over white space, and over separators once it is known whether
    /// these tell texts apart.
    fn blank(&mut self) -> Result<(), Fault> {
        while let Some(byte) = self.source.peek()? {
            match byte {
                b'\n' => self.line += 1,
                b' ' | b'\t' | b'\r' => {}
                RECORD_SEPARATOR if self.separator.is_some() => {}
                _ => break,
            }
            self.source.consume(1);
        }
        Ok(())
    }

    /// The next text into `self.text`; `None` at the end, else its length.
    fn text(&mut self) -> Result<Option<(Place, usize)>, Fault> {
        let separator = self.separator()?;
        self.blank()?;
        let place =
            Place { ordinal: self.ordinal, offset: self.source.position(), line: Some(self.line) };
        self.text.clear();
        let mut length = 0_usize;
        loop {
            let chunk = self.source.chunk()?;
            if chunk.is_empty() {
                break;
            }
            let end = memchr::memchr(separator, chunk);
            let part = &chunk[..end.unwrap_or(chunk.len())];
            let room = self.limits.record_bytes.saturating_sub(self.text.len());
            self.text.extend_from_slice(&part[..part.len().min(room)]);
            self.line += memchr::memchr_iter(b'\n', part).count() as u64;
            length = length.saturating_add(part.len());
            let used = part.len();
            self.source.consume(used);
            if end.is_some() {
                break;
            }
        }
        Ok((length > 0).then_some((place, length)))
    }

    fn record(&mut self, place: Place, length: usize) -> Result<Record, Fault> {
        let limits = &self.limits;
        if length > limits.record_bytes {
            return Err(Fault::TooLong { limit: limits.record_bytes });
        }
        let mut record = feature::parse_within(&self.text, place, limits, &mut self.names)?;
        record.line = place.line;
        Ok(record)
    }
}

impl<R: Read> Iterator for GeoJsonSeqReader<R> {
    type Item = Result<Record, RecordError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        match self.text() {
            Ok(Some((place, length))) => {
                self.ordinal += 1;
                let record = self.record(place, length);
                Some(record.map_err(|fault| {
                    RecordError::new(place, fault).with_raw(&self.text, self.limits.raw_bytes)
                }))
            }
            Ok(None) => {
                self.ended = true;
                None
            }
            Err(fault) => {
                self.ended = true;
                let place = Place {
                    ordinal: self.ordinal,
                    offset: self.source.position(),
                    line: Some(self.line),
                };
                Some(Err(RecordError::fatal(place, fault)))
            }
        }
    }
}

impl<R: Read> RecordReader for GeoJsonSeqReader<R> {
    fn position(&self) -> u64 {
        self.source.position()
    }
}
