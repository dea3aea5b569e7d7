//! A GeoJSON file, its features streamed out of the array one by one.

use std::io::{Read, Seek, SeekFrom};

use super::{crs, feature};
use crate::{
    Fault, Limits, Record, RecordError, RecordReader,
    error::Place,
    names::Names,
    source::{Keep, Source},
};

/// Reads a FeatureCollection, a Feature, or a geometry by itself.
///
/// Members of a collection may stand in any order. Only one feature is in
/// memory at a time.
#[derive(Debug)]
pub struct GeoJsonReader<R> {
    source: Source<R>,
    limits: Limits,
    names: Names,
    state: State,
    kind: Option<String>,
    crs: Option<String>,
    /// Whether `crs` was searched for before the features were read.
    scanned: bool,
    streamed: bool,
    ordinal: u64,
    text: Vec<u8>,
    /// The members seen, as an object: it is the record if the file holds one.
    whole: Vec<u8>,
    /// Why `whole` is not whole. It matters only if the file is one record.
    beyond_limit: Option<Fault>,
    pending: Option<RecordError>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Before a member of the outer object.
    Member {
        first: bool,
    },
    /// Before an element of the array of features.
    Element {
        first: bool,
    },
    Ended,
}

impl<R: Read> GeoJsonReader<R> {
    /// Reads from a stream. A `crs` member must stand before the features.
    pub fn new(input: R, limits: Limits) -> Self {
        let mut reader = Self {
            source: Source::new(input),
            limits,
            names: Names::default(),
            state: State::Member { first: true },
            kind: None,
            crs: None,
            scanned: false,
            streamed: false,
            ordinal: 0,
            text: Vec::new(),
            whole: vec![b'{'],
            beyond_limit: None,
            pending: None,
        };
        // The head is read now, so that the reference system is known early.
        if let Err(fault) = reader.begin() {
            reader.pending = Some(reader.fatal(fault));
        }
        reader
    }

    /// Whether the features have begun or the object has ended.
    fn begin(&mut self) -> Result<(), Fault> {
        self.source.skip_byte_order_mark()?;
        self.source.skip_white_space()?;
        match self.source.next_byte()? {
            Some(b'{') => {}
            None => return Err(malformed("the source is empty")),
            Some(other) => return Err(unexpected(other, "`{`")),
        }
        self.members()
    }

    /// Reads members up to the array of features or the end of the object.
    fn members(&mut self) -> Result<(), Fault> {
        while let State::Member { first } = self.state {
            self.source.skip_white_space()?;
            match self.source.peek()?.ok_or(Fault::Truncated)? {
                b'}' => {
                    self.source.consume(1);
                    self.state = State::Ended;
                    return self.nothing_behind();
                }
                b',' if !first => {
                    self.source.consume(1);
                    self.source.skip_white_space()?;
                }
                _ if first => {}
                other => return Err(unexpected(other, "`,` or `}`")),
            }
            self.state = State::Member { first: false };
            self.member()?;
        }
        Ok(())
    }

    fn member(&mut self) -> Result<(), Fault> {
        let name = self.member_name()?;
        self.source.skip_white_space()?;
        match self.source.next_byte()?.ok_or(Fault::Truncated)? {
            b':' => self.source.skip_white_space()?,
            other => return Err(unexpected(other, "`:`")),
        }
        let first = self.source.peek()?.ok_or(Fault::Truncated)?;
        let foreign = self.kind.as_deref().is_some_and(|kind| kind != COLLECTION);
        if name == "features" && first == b'[' && !foreign {
            if self.streamed {
                return Err(malformed("the member `features` stands twice"));
            }
            self.source.consume(1);
            self.streamed = true;
            self.whole = Vec::new();
            self.state = State::Element { first: true };
            return Ok(());
        }
        self.other_member(&name)
    }

    fn member_name(&mut self) -> Result<String, Fault> {
        match self.source.peek()?.ok_or(Fault::Truncated)? {
            b'"' => {}
            other => return Err(unexpected(other, "the name of a member")),
        }
        self.text.clear();
        let mut keep = Keep::up_to(&mut self.text, NAME_LIMIT, 0);
        self.source.json_value(&mut keep)?;
        keep.verdict()?;
        serde_json::from_slice(&self.text).map_err(malformed)
    }

    fn other_member(&mut self, name: &str) -> Result<(), Fault> {
        let mut keep = match (self.kind.as_deref(), name) {
            (Some(COLLECTION), name) if name != "crs" => Keep::nothing(),
            _ if self.streamed && !matches!(name, "type" | "crs") => Keep::nothing(),
            _ => {
                self.text.clear();
                Keep::up_to(&mut self.text, self.limits.record_bytes, self.limits.depth)
            }
        };
        let before = self.source.position();
        self.source.json_value(&mut keep)?;
        if self.source.position() == before {
            return Err(malformed(format_args!("the member `{name}` has no value")));
        }
        let kept = keep.is_kept();
        let verdict = keep.verdict();
        if !kept {
            return Ok(());
        }
        match name {
            "type" => {
                verdict?;
                self.kind = Some(serde_json::from_slice(&self.text).map_err(malformed)?);
            }
            "crs" => {
                verdict?;
                let crs = crs::parse(&self.text)?;
                self.take_crs(crs)?;
            }
            _ => {
                if let Err(fault) = verdict {
                    self.beyond_limit.get_or_insert(fault);
                    return Ok(());
                }
            }
        }
        if !self.streamed {
            self.add_to_whole(name);
        }
        Ok(())
    }

    fn take_crs(&mut self, crs: Option<String>) -> Result<(), Fault> {
        if self.streamed && !self.scanned && self.ordinal > 0 && crs.is_some() {
            return Err(Fault::Unsupported(
                "the crs member stands behind the features, which a stream cannot wait for; \
                 read it from a file or name the crs"
                    .to_owned(),
            ));
        }
        self.crs = crs;
        Ok(())
    }

    fn add_to_whole(&mut self, name: &str) {
        let limit = self.limits.record_bytes;
        if self.whole.len() + self.text.len() > limit {
            self.beyond_limit.get_or_insert(Fault::TooLong { limit });
            return;
        }
        if self.whole.len() > 1 {
            self.whole.push(b',');
        }
        let mut quoted = String::new();
        crate::record::push_json_text(name, &mut quoted);
        self.whole.extend_from_slice(quoted.as_bytes());
        self.whole.push(b':');
        self.whole.extend_from_slice(&self.text);
    }

    fn nothing_behind(&mut self) -> Result<(), Fault> {
        self.source.skip_white_space()?;
        match self.source.peek()? {
            None => Ok(()),
            Some(other) => Err(unexpected(other, "the end of the file")),
        }
    }

    /// The next element of the array, or `None` where the array ends.
    fn element(&mut self, first: bool) -> Result<Option<Result<Record, RecordError>>, Fault> {
        self.source.skip_white_space()?;
        match self.source.peek()?.ok_or(Fault::Truncated)? {
            b']' => {
                self.source.consume(1);
                self.state = State::Member { first: false };
                return Ok(None);
            }
            b',' if !first => {
                self.source.consume(1);
                self.source.skip_white_space()?;
            }
            _ if first => {}
            other => return self.debris(other).map(Some),
        }
        self.state = State::Element { first: false };
        let place = self.place();
        self.text.clear();
        let limits = self.limits;
        let mut keep = Keep::up_to(&mut self.text, limits.record_bytes, limits.depth);
        self.source.json_value(&mut keep)?;
        self.ordinal += 1;
        let verdict = keep.verdict();
        let record =
            verdict.and_then(|()| feature::parse(&self.text, place, &limits, &mut self.names));
        Ok(Some(record.map_err(|fault| {
            RecordError::new(place, fault).with_raw(&self.text, limits.raw_bytes)
        })))
    }

    /// Passes over what stands between two features, such as one bracket too
    /// many, and reports it.
    fn debris(&mut self, found: u8) -> Result<Result<Record, RecordError>, Fault> {
        let place = self.place();
        self.ordinal += 1;
        self.text.clear();
        loop {
            let byte = self.source.peek()?.ok_or(Fault::Truncated)?;
            if matches!(byte, b',' | b']') {
                break;
            }
            if self.text.len() < self.limits.raw_bytes {
                self.text.push(byte);
            }
            self.source.consume(1);
        }
        let error = RecordError::new(place, unexpected(found, "`,` or `]`"));
        Ok(Err(error.with_raw(&self.text, self.limits.raw_bytes)))
    }

    /// The record of a file that is no collection; an error if it is neither.
    fn ended(&mut self) -> Option<Result<Record, RecordError>> {
        let whole = std::mem::take(&mut self.whole);
        match self.kind.as_deref() {
            Some(COLLECTION) => {
                let missing = !self.streamed && !whole.is_empty();
                missing.then(|| {
                    self.streamed = true;
                    Err(self.fatal(malformed("a FeatureCollection without features")))
                })
            }
            kind if self.streamed => {
                let detail = match kind {
                    Some(kind) => format!("`features` in an object of type `{kind}`"),
                    None => "`features` in an object without a type".to_owned(),
                };
                // Said once: the kind is settled from here on.
                self.kind = Some(COLLECTION.to_owned());
                Some(Err(self.fatal(malformed(detail))))
            }
            _ if whole.is_empty() => None,
            _ => {
                let mut text = whole;
                text.push(b'}');
                let place = Place::default();
                let record = match self.beyond_limit.take() {
                    Some(fault) => Err(fault),
                    None => feature::parse(&text, place, &self.limits, &mut self.names),
                };
                self.ordinal = 1;
                Some(record.map_err(|fault| {
                    RecordError::new(place, fault).with_raw(&text, self.limits.raw_bytes)
                }))
            }
        }
    }

    fn place(&self) -> Place {
        Place { ordinal: self.ordinal, offset: self.source.position(), line: None }
    }

    /// Ends the iteration.
    fn fatal(&mut self, fault: Fault) -> RecordError {
        self.state = State::Ended;
        self.kind = Some(COLLECTION.to_owned());
        self.whole = Vec::new();
        RecordError::fatal(self.place(), fault)
    }
}

impl<R: Read + Seek> GeoJsonReader<R> {
    /// Reads from a file or a buffer, in which a `crs` member may stand
    /// anywhere: where it is not in front, the file is scanned for it first.
    ///
    /// # Errors
    /// If the input cannot be read or set back to its start.
    pub fn seekable(mut input: R, limits: Limits) -> Result<Self, RecordError> {
        let io = |error| RecordError::fatal(Place::default(), Fault::Io(error));
        let start = input.stream_position().map_err(io)?;
        let mut scan = GeoJsonReader::new(&mut input, limits);
        scan.pass_over_features();
        let crs = scan.crs.take();
        input.seek(SeekFrom::Start(start)).map_err(io)?;
        let mut reader = Self::new(input, limits);
        reader.scanned = true;
        reader.crs = crs;
        Ok(reader)
    }
}

impl<R: Read> GeoJsonReader<R> {
    /// Searches for `crs` behind the features; the reading that follows will
    /// tell of every error.
    fn pass_over_features(&mut self) {
        self.scanned = true;
        while self.crs.is_none() {
            let passed = match self.state {
                State::Ended => return,
                State::Member { .. } => self.members(),
                State::Element { .. } => self.pass_over_element(),
            };
            if passed.is_err() {
                return;
            }
        }
    }

    fn pass_over_element(&mut self) -> Result<(), Fault> {
        self.source.skip_white_space()?;
        match self.source.peek()?.ok_or(Fault::Truncated)? {
            b']' => {
                self.source.consume(1);
                self.state = State::Member { first: false };
                Ok(())
            }
            b'{' => self.source.json_value(&mut Keep::nothing()),
            _ => {
                self.source.consume(1);
                Ok(())
            }
        }
    }
}

impl<R: Read> Iterator for GeoJsonReader<R> {
    type Item = Result<Record, RecordError>;

    fn next(&mut self) -> Option<Self::Item> {
        if let Some(error) = self.pending.take() {
            return Some(Err(error));
        }
        loop {
            let step = match self.state {
                State::Ended => return self.ended(),
                State::Member { .. } => self.members().map(|()| None),
                State::Element { first } => self.element(first),
            };
            match step {
                Ok(Some(record)) => return Some(record),
                Ok(None) => {}
                Err(fault) => return Some(Err(self.fatal(fault))),
            }
        }
    }
}

impl<R: Read> RecordReader for GeoJsonReader<R> {
    fn crs(&self) -> Option<&str> {
        self.crs.as_deref()
    }

    fn position(&self) -> u64 {
        self.source.position()
    }
}

const COLLECTION: &str = "FeatureCollection";
const NAME_LIMIT: usize = 4096;

fn malformed(detail: impl std::fmt::Display) -> Fault {
    Fault::malformed("GeoJSON", detail)
}

fn unexpected(found: u8, wanted: &str) -> Fault {
    malformed(format_args!("`{}` where {wanted} should stand", found.escape_ascii()))
}
