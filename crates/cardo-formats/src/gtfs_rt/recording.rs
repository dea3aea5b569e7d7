//! Feed messages one after another in a file, each with its length before it:
//! a feed as it was heard, to be replayed.

use std::io::{self, Read, Write};

use prost::Message;

use super::{
    messages::FeedMessage,
    reader::{malformed, varint},
};
use crate::{Fault, Limits, RecordError, error::Place, source::Source};

/// Reads a recording message by message.
///
/// An error that is not fatal names a message that was passed over; ordinals
/// and offsets are those of messages.
#[derive(Debug)]
pub struct Recording<R> {
    source: Source<R>,
    limits: Limits,
    ordinal: u64,
    ended: bool,
}

impl<R: Read> Recording<R> {
    /// Reads from a stream.
    pub fn new(input: R, limits: Limits) -> Self {
        Self { source: Source::new(input), limits, ordinal: 0, ended: false }
    }

    /// The bytes of the next message, without its length.
    fn bytes(&mut self) -> Result<Vec<u8>, Fault> {
        let length = varint(&mut self.source)?;
        let limit = self.limits.record_bytes;
        let wanted = usize::try_from(length).unwrap_or(usize::MAX);
        if wanted > limit {
            return Err(Fault::TooLong { limit });
        }
        let mut bytes = Vec::new();
        self.source.take_into(wanted, &mut bytes)?;
        if bytes.len() < wanted {
            return Err(Fault::Truncated);
        }
        Ok(bytes)
    }
}

impl<R: Read> Iterator for Recording<R> {
    type Item = Result<FeedMessage, RecordError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let place = Place { ordinal: self.ordinal, offset: self.source.position(), line: None };
        match self.source.peek() {
            Ok(None) => {
                self.ended = true;
                return None;
            }
            Ok(Some(_)) => {}
            Err(error) => {
                self.ended = true;
                return Some(Err(RecordError::fatal(place, error.into())));
            }
        }
        self.ordinal += 1;
        match self.bytes() {
            Ok(bytes) => Some(FeedMessage::decode(&*bytes).map_err(|error| {
                RecordError::new(place, malformed(error)).with_raw(&bytes, self.limits.raw_bytes)
            })),
            Err(fault) => {
                self.ended = true;
                Some(Err(RecordError::fatal(place, fault)))
            }
        }
    }
}

/// Writes messages as a recording.
pub fn write_recording<'m>(
    out: &mut impl Write,
    messages: impl IntoIterator<Item = &'m FeedMessage>,
) -> io::Result<()> {
    for message in messages {
        out.write_all(&message.encode_length_delimited_to_vec())?;
    }
    Ok(())
}
