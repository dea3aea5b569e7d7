//! A feed read entity by entity, so that a broken one leaves its neighbours.

use std::io::Read;

use prost::Message;

use super::{
    messages::{FeedEntity, FeedHeader},
    record::Entities,
};
use crate::{Fault, Limits, Record, RecordError, RecordReader, error::Place, source::Source};

/// Reads the vehicle positions of one FeedMessage.
#[derive(Debug)]
pub struct GtfsRealtimeReader<R> {
    source: Source<R>,
    limits: Limits,
    entities: Entities,
    ordinal: u64,
    skipped: u64,
    buffer: Vec<u8>,
    met_header: bool,
    ended: bool,
}

/// Fields of FeedMessage.
const HEADER: u64 = 1;
const ENTITY: u64 = 2;

impl<R: Read> GtfsRealtimeReader<R> {
    /// Reads from a stream.
    pub fn new(input: R, limits: Limits) -> Self {
        Self {
            source: Source::new(input),
            limits,
            entities: Entities::default(),
            ordinal: 0,
            skipped: 0,
            buffer: Vec::new(),
            met_header: false,
            ended: false,
        }
    }

    fn place(&self) -> Place {
        Place { ordinal: self.ordinal, offset: self.source.position(), line: None }
    }

    /// The next field of the message; `None` where it is no vehicle.
    fn field(&mut self, place: Place) -> Result<Option<Result<Record, RecordError>>, Fault> {
        let key = varint(&mut self.source)?;
        match (key >> 3, key & 7) {
            (HEADER, 2) => {
                self.delimited()?;
                let header = FeedHeader::decode(&*self.buffer).map_err(malformed)?;
                self.entities.feed_time = header.timestamp;
                self.met_header = true;
                Ok(None)
            }
            (ENTITY, 2) => {
                let whole = self.delimited();
                self.ordinal += 1;
                match whole {
                    Err(Fault::TooLong { limit }) => {
                        let fault = Fault::TooLong { limit };
                        return Ok(Some(Err(RecordError::new(place, fault))));
                    }
                    other => other?,
                }
                Ok(self.entity(place))
            }
            (number, kind) => {
                self.pass_over(number, kind)?;
                Ok(None)
            }
        }
    }

    fn entity(&mut self, place: Place) -> Option<Result<Record, RecordError>> {
        let record = FeedEntity::decode(&*self.buffer)
            .map_err(malformed)
            .and_then(|entity| self.entities.record(entity, place));
        match record {
            Ok(None) => {
                self.skipped += 1;
                None
            }
            Ok(Some(record)) => Some(Ok(record)),
            Err(fault) => {
                let error = RecordError::new(place, fault);
                Some(Err(error.with_raw(&self.buffer, self.limits.raw_bytes)))
            }
        }
    }

    /// Reads a length and that many bytes.
    fn delimited(&mut self) -> Result<(), Fault> {
        let length = varint(&mut self.source)?;
        let limit = self.limits.record_bytes;
        let wanted = usize::try_from(length).unwrap_or(usize::MAX);
        if wanted > limit {
            if self.source.skip(length)? < length {
                return Err(Fault::Truncated);
            }
            return Err(Fault::TooLong { limit });
        }
        self.buffer.clear();
        self.source.take_into(wanted, &mut self.buffer)?;
        if self.buffer.len() < wanted {
            return Err(Fault::Truncated);
        }
        Ok(())
    }

    fn pass_over(&mut self, number: u64, kind: u64) -> Result<(), Fault> {
        let length = match kind {
            0 => return varint(&mut self.source).map(|_| ()),
            1 => 8,
            2 => varint(&mut self.source)?,
            5 => 4,
            _ => {
                return Err(malformed(format_args!("field {number} of wire type {kind}")));
            }
        };
        if self.source.skip(length)? < length {
            return Err(Fault::Truncated);
        }
        Ok(())
    }

    fn fatal(&mut self, fault: Fault) -> RecordError {
        self.ended = true;
        RecordError::fatal(self.place(), fault)
    }
}

impl<R: Read> Iterator for GtfsRealtimeReader<R> {
    type Item = Result<Record, RecordError>;

    fn next(&mut self) -> Option<Self::Item> {
        while !self.ended {
            match self.source.peek() {
                Err(error) => return Some(Err(self.fatal(error.into()))),
                Ok(None) => {
                    self.ended = true;
                    if !self.met_header {
                        return Some(Err(self.fatal(malformed("no feed header"))));
                    }
                }
                Ok(Some(_)) => match self.field(self.place()) {
                    Ok(None) => {}
                    Ok(Some(record)) => return Some(record),
                    Err(fault) => return Some(Err(self.fatal(fault))),
                },
            }
        }
        None
    }
}

impl<R: Read> RecordReader for GtfsRealtimeReader<R> {
    fn position(&self) -> u64 {
        self.source.position()
    }

    fn skipped(&self) -> u64 {
        self.skipped
    }
}

/// A base-128 number of Protocol Buffers, at most ten bytes.
pub(super) fn varint<R: Read>(source: &mut Source<R>) -> Result<u64, Fault> {
    let mut value = 0_u64;
    for shift in (0..64).step_by(7) {
        let byte = source.next_byte()?.ok_or(Fault::Truncated)?;
        let bits = u64::from(byte & 0x7F);
        if shift == 63 && bits > 1 {
            break;
        }
        value |= bits << shift;
        if byte & 0x80 == 0 {
            return Ok(value);
        }
    }
    Err(malformed("a number longer than 64 bits"))
}

pub(super) fn malformed(detail: impl std::fmt::Display) -> Fault {
    Fault::malformed("GTFS-Realtime", detail)
}
