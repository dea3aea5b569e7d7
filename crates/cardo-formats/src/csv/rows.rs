//! Rows of bytes, and the cells in a row.

use std::{borrow::Cow, io::Read};

use crate::{Fault, source::Source};

/// How often an open quotation mark may cost a second look at what follows it.
const RETRIES: u32 = 100;

/// Finds rows, whose quoted cells may hold line ends.
#[derive(Debug)]
pub(super) struct Rows<R> {
    source: Source<R>,
    delimiter: u8,
    line: u64,
    limit: usize,
    retries: u32,
}

/// One row: where it stood and whether it is whole.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) offset: u64,
    pub(super) line: u64,
    pub(super) verdict: Result<(), Fault>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Cell {
    Start,
    Plain,
    Quoted,
    /// Behind a quotation mark inside a quoted cell: its end, or one half of two.
    QuoteMet,
}

impl<R: Read> Rows<R> {
    pub(super) fn new(
        mut source: Source<R>,
        delimiter: Option<u8>,
        limit: usize,
    ) -> Result<Self, Fault> {
        source.skip_byte_order_mark()?;
        let delimiter = match delimiter {
            Some(delimiter) => delimiter,
            None => sniff(source.ahead(SAMPLE)?),
        };
        Ok(Self { source, delimiter, line: 1, limit, retries: 0 })
    }

    pub(super) fn delimiter(&self) -> u8 {
        self.delimiter
    }

    pub(super) fn position(&self) -> u64 {
        self.source.position()
    }

    pub(super) fn line(&self) -> u64 {
        self.line
    }

    /// The next row that is not blank into `bytes`, without its line end.
    pub(super) fn next(&mut self, bytes: &mut Vec<u8>) -> Result<Option<Row>, Fault> {
        loop {
            let (offset, line) = (self.source.position(), self.line);
            bytes.clear();
            let Some(verdict) = self.scan(bytes)? else {
                return Ok(None);
            };
            if !bytes.is_empty() || verdict.is_err() {
                return Ok(Some(Row { offset, line, verdict }));
            }
        }
    }

    /// `None` at the end of the source.
    fn scan(&mut self, bytes: &mut Vec<u8>) -> Result<Option<Result<(), Fault>>, Fault> {
        let mut cell = Cell::Start;
        let mut too_long = false;
        let mut any = false;
        loop {
            let delimiter = self.delimiter;
            let chunk = self.source.chunk()?;
            if chunk.is_empty() {
                return match cell {
                    Cell::Quoted => self.open_quote(bytes).map(Some),
                    _ => Ok(any.then(|| self.verdict(too_long))),
                };
            }
            any = true;
            let (used, ended) = run(chunk, delimiter, &mut cell);
            let room = self.limit.saturating_sub(bytes.len());
            too_long |= used > room;
            bytes.extend_from_slice(&chunk[..used.min(room)]);
            self.line += memchr::memchr_iter(b'\n', &chunk[..used]).count() as u64;
            let line_end = usize::from(ended);
            if ended && chunk[used] == b'\n' {
                self.line += 1;
            }
            self.source.consume(used + line_end);
            if ended {
                return Ok(Some(self.verdict(too_long)));
            }
            if too_long && cell == Cell::Quoted {
                return self.open_quote(bytes).map(Some);
            }
        }
    }

    fn verdict(&self, too_long: bool) -> Result<(), Fault> {
        if too_long {
            return Err(Fault::TooLong { limit: self.limit });
        }
        Ok(())
    }

    /// The quote swallowed what follows: the row is its first line alone, and
    /// the reading goes on behind it.
    fn open_quote(&mut self, bytes: &mut Vec<u8>) -> Result<Result<(), Fault>, Fault> {
        self.retries += 1;
        let Some(end) = memchr::memchr(b'\n', bytes) else {
            return Ok(Err(Fault::OpenQuote));
        };
        if self.retries > RETRIES || bytes.len() >= self.limit {
            return Err(Fault::OpenQuote);
        }
        self.line -= memchr::memchr_iter(b'\n', &bytes[end + 1..]).count() as u64;
        self.source.unread(&bytes[end + 1..]);
        bytes.truncate(end);
        Ok(Err(Fault::OpenQuote))
    }
}

/// Runs through `chunk` up to a line end outside quotes; says how many bytes
/// stand before it and whether it was met.
fn run(chunk: &[u8], delimiter: u8, cell: &mut Cell) -> (usize, bool) {
    for (index, &byte) in chunk.iter().enumerate() {
        *cell = match (*cell, byte) {
            (Cell::Quoted, b'"') => Cell::QuoteMet,
            (Cell::Quoted, _) | (Cell::QuoteMet, b'"') => Cell::Quoted,
            (_, b'\n' | b'\r') => return (index, true),
            (_, byte) if byte == delimiter => Cell::Start,
            (Cell::Start, b'"') => Cell::Quoted,
            _ => Cell::Plain,
        };
    }
    (chunk.len(), false)
}

/// The cells of a row.
pub(super) fn cells(row: &[u8], delimiter: u8) -> Vec<Cow<'_, [u8]>> {
    let mut cells = Vec::new();
    let mut rest = Some(row);
    while let Some(text) = rest {
        let (cell, behind) = first_cell(text, delimiter);
        cells.push(cell);
        rest = behind;
    }
    cells
}

fn first_cell(text: &[u8], delimiter: u8) -> (Cow<'_, [u8]>, Option<&[u8]>) {
    if text.first() != Some(&b'"') {
        return match memchr::memchr(delimiter, text) {
            Some(end) => (text[..end].into(), Some(&text[end + 1..])),
            None => (text.into(), None),
        };
    }
    let mut cell = Vec::new();
    let mut at = 1;
    while let Some(quote) = memchr::memchr(b'"', &text[at..]) {
        cell.extend_from_slice(&text[at..at + quote]);
        at += quote + 1;
        if text.get(at) != Some(&b'"') {
            // What follows the closing mark up to the delimiter belongs to it.
            let end = memchr::memchr(delimiter, &text[at..]);
            let tail = &text[at..end.map_or(text.len(), |end| at + end)];
            cell.extend_from_slice(tail);
            return (cell.into(), end.map(|end| &text[at + end + 1..]));
        }
        cell.push(b'"');
        at += 1;
    }
    cell.extend_from_slice(&text[at..]);
    (cell.into(), None)
}

const SAMPLE: usize = 32 << 10;
const CANDIDATES: [u8; 4] = [b',', b';', b'\t', b'|'];

/// The delimiter that stands in the header, and in the rows of the sample as
/// often as there.
fn sniff(sample: &[u8]) -> u8 {
    let score = |delimiter: u8| {
        let mut cell = Cell::Start;
        let mut counts = Vec::new();
        let mut rest = sample;
        while !rest.is_empty() && counts.len() < 20 {
            let (end, ended) = run(rest, delimiter, &mut cell);
            cell = Cell::Start;
            if end > 0 && (ended || counts.is_empty()) {
                counts.push(cells(&rest[..end], delimiter).len() - 1);
            }
            rest = rest.get(end + 1..).unwrap_or_default();
        }
        let header = counts.first().copied().unwrap_or(0);
        let like_header = counts.iter().filter(|count| **count == header).count();
        (if header > 0 { like_header } else { 0 }, header)
    };
    let best = CANDIDATES.into_iter().rev().max_by_key(|delimiter| score(*delimiter));
    best.unwrap_or(b',')
}
