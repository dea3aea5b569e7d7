//! Pages of an SQLite database and the rows of its tables.

use std::io::{Read, Seek, SeekFrom};

use super::{MAGIC, malformed};
use crate::Fault;

/// A tree of more levels would hold more rows than a file can.
const MAX_DEPTH: usize = 20;
const TABLE_INTERIOR: u8 = 0x05;
const TABLE_LEAF: u8 = 0x0D;
/// The header of the file stands before the first page's own.
const FILE_HEADER: usize = 100;

/// The encoding of texts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Encoding {
    Utf8,
    Utf16Le,
    Utf16Be,
}

/// A database file.
#[derive(Debug)]
pub(super) struct Database<R> {
    input: R,
    page_size: usize,
    /// Bytes of a page without what extensions keep at its end.
    usable: usize,
    pages: u32,
    encoding: Encoding,
    /// Longest row that is read.
    limit: usize,
}

/// A value as it is stored.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Cell {
    Null,
    Int(i64),
    Real(f64),
    Text(String),
    Blob(Vec<u8>),
}

/// A row with where it stands.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) offset: u64,
    pub(super) id: i64,
    /// Its cells, or why they cannot be read.
    pub(super) cells: Result<Vec<Cell>, Fault>,
}

impl<R: Read + Seek> Database<R> {
    pub(super) fn open(mut input: R, limit: usize) -> Result<Self, Fault> {
        let mut header = [0; FILE_HEADER];
        input.seek(SeekFrom::Start(0))?;
        let got = fill(&mut input, &mut header)?;
        if !header[..got].starts_with(MAGIC) {
            return Err(malformed("the file is no SQLite database"));
        }
        if got < FILE_HEADER {
            return Err(Fault::Truncated);
        }
        let page_size = match u16::from_be_bytes([header[16], header[17]]) {
            1 => 65_536,
            size => usize::from(size),
        };
        let reserved = usize::from(header[20]);
        if !page_size.is_power_of_two() || page_size < 512 || page_size - reserved < 480 {
            return Err(malformed(format_args!("pages of {page_size} bytes")));
        }
        let encoding = match u32::from_be_bytes([header[56], header[57], header[58], header[59]]) {
            0 | 1 => Encoding::Utf8,
            2 => Encoding::Utf16Le,
            3 => Encoding::Utf16Be,
            other => return Err(malformed(format_args!("text encoding {other}"))),
        };
        let length = input.seek(SeekFrom::End(0))?;
        let pages = u32::try_from(length.div_ceil(page_size as u64)).unwrap_or(u32::MAX);
        Ok(Self { input, page_size, usable: page_size - reserved, pages, encoding, limit })
    }

    pub(super) fn page_bytes(&self) -> u64 {
        self.page_size as u64
    }

    fn page(&mut self, number: u32) -> Result<Page, Fault> {
        if number == 0 || number > self.pages {
            return Err(malformed(format_args!("page {number} of {}", self.pages)));
        }
        let offset = u64::from(number - 1) * self.page_bytes();
        self.input.seek(SeekFrom::Start(offset))?;
        let mut bytes = vec![0; self.page_size];
        if fill(&mut self.input, &mut bytes)? < self.page_size {
            return Err(Fault::Truncated);
        }
        Ok(Page { number, offset, bytes })
    }

    /// The row of a leaf's cell.
    fn row(&mut self, page: &Page, index: usize) -> Result<Row, Fault> {
        let at = page.cell(index)?;
        let mut cell = page.bytes.get(at..self.usable).ok_or_else(|| outside(page))?;
        let (size, id) = (varint(&mut cell)?, varint(&mut cell)?);
        let size = usize::try_from(size).map_err(|_| malformed("a row of negative length"))?;
        let offset = page.offset + at as u64;
        let cells = self.payload(cell, size).and_then(|bytes| self.cells(&bytes));
        Ok(Row { offset, id, cells })
    }

    /// All bytes of a row, of which the first stand in `cell` and the rest in a chain of pages.
    fn payload(&mut self, cell: &[u8], size: usize) -> Result<Vec<u8>, Fault> {
        if size > self.limit {
            return Err(Fault::TooLong { limit: self.limit });
        }
        let local = self.local(size);
        let mut payload =
            cell.get(..local).ok_or_else(|| malformed("a row leaves its page"))?.to_vec();
        if local == size {
            return Ok(payload);
        }
        let next = cell.get(local..local + 4).ok_or_else(|| malformed("a row leaves its page"))?;
        let mut next = be32(next);
        while payload.len() < size {
            let page = self.page(next)?;
            let take = (size - payload.len()).min(self.usable - 4);
            payload.extend_from_slice(&page.bytes[4..4 + take]);
            next = be32(&page.bytes[..4]);
        }
        Ok(payload)
    }

    /// How many bytes of a row stand in the page itself.
    fn local(&self, size: usize) -> usize {
        let most = self.usable - 35;
        if size <= most {
            return size;
        }
        let least = (self.usable - 12) * 32 / 255 - 23;
        let wanted = least + (size - least) % (self.usable - 4);
        if wanted <= most { wanted } else { least }
    }

    fn cells(&self, payload: &[u8]) -> Result<Vec<Cell>, Fault> {
        let mut start = payload;
        let length = usize::try_from(varint(&mut start)?).unwrap_or(usize::MAX);
        let mut body =
            payload.get(length..).ok_or_else(|| malformed("a row of a too long header"))?;
        let read = payload.len() - start.len();
        let mut types =
            payload.get(read..length).ok_or_else(|| malformed("a row of a too short header"))?;
        let mut cells = Vec::new();
        while !types.is_empty() {
            let kind = varint(&mut types)?;
            cells.push(self.cell(kind, &mut body)?);
        }
        Ok(cells)
    }

    fn cell(&self, kind: i64, body: &mut &[u8]) -> Result<Cell, Fault> {
        let size = match kind {
            0 | 8 | 9 => 0,
            1..=4 => kind,
            5 => 6,
            6 | 7 => 8,
            12.. => (kind - 12) / 2,
            _ => return Err(malformed(format_args!("a value of type {kind}"))),
        };
        let size = usize::try_from(size).unwrap_or(usize::MAX);
        let cut = || malformed("a row is cut off");
        let (bytes, rest) = body.split_at_checked(size).ok_or_else(cut)?;
        *body = rest;
        Ok(match kind {
            0 => Cell::Null,
            8 => Cell::Int(0),
            9 => Cell::Int(1),
            7 => Cell::Real(f64::from_be_bytes(bytes.try_into().map_err(|_| cut())?)),
            1..=6 => Cell::Int(integer(bytes)),
            _ if kind % 2 == 0 => Cell::Blob(bytes.to_vec()),
            _ => Cell::Text(self.text(bytes)?),
        })
    }

    fn text(&self, bytes: &[u8]) -> Result<String, Fault> {
        let wide = |of: fn([u8; 2]) -> u16| {
            let units = bytes.chunks_exact(2).map(|pair| of([pair[0], pair[1]]));
            char::decode_utf16(units).collect::<Result<String, _>>().ok()
        };
        let text = match self.encoding {
            Encoding::Utf8 => std::str::from_utf8(bytes).ok().map(str::to_owned),
            Encoding::Utf16Le => wide(u16::from_le_bytes),
            Encoding::Utf16Be => wide(u16::from_be_bytes),
        };
        text.ok_or_else(|| malformed("a text of invalid characters"))
    }
}

/// A walk over the rows of a table in the order of their ids.
#[derive(Debug)]
pub(super) struct Rows {
    /// Pages from the root to the leaf, with the cell that comes next.
    path: Vec<(Page, usize)>,
    root: u32,
    is_begun: bool,
    visited: u32,
}

impl Rows {
    pub(super) fn of(root: u32) -> Self {
        Self { path: Vec::new(), root, is_begun: false, visited: 0 }
    }

    /// How many pages were read.
    pub(super) fn visited(&self) -> u32 {
        self.visited
    }

    /// The next row; an error ends the walk, but for one inside the row.
    pub(super) fn next<R: Read + Seek>(
        &mut self,
        from: &mut Database<R>,
    ) -> Result<Option<Row>, Fault> {
        if !self.is_begun {
            self.is_begun = true;
            self.enter(from, self.root)?;
        }
        while let Some((page, index)) = self.path.last_mut() {
            let count = page.count();
            let at = *index;
            *index += 1;
            if page.kind() == TABLE_LEAF {
                if at < count {
                    return from.row(page, at).map(Some);
                }
                self.path.pop();
            } else if at > count {
                self.path.pop();
            } else {
                let child = if at == count { page.last_child() } else { page.child(at)? };
                self.enter(from, child)?;
            }
        }
        Ok(None)
    }

    fn enter<R: Read + Seek>(&mut self, from: &mut Database<R>, number: u32) -> Result<(), Fault> {
        // Each page belongs to one place of one tree, so more visits than pages are a circle.
        self.visited += 1;
        if self.visited > from.pages || self.path.len() >= MAX_DEPTH {
            return Err(malformed("the pages of a table form a circle"));
        }
        let page = from.page(number)?;
        if !matches!(page.kind(), TABLE_LEAF | TABLE_INTERIOR) {
            return Err(malformed(format_args!("page {number} is none of a table")));
        }
        self.path.push((page, 0));
        Ok(())
    }
}

#[derive(Debug)]
struct Page {
    number: u32,
    offset: u64,
    bytes: Vec<u8>,
}

impl Page {
    fn header(&self) -> usize {
        if self.number == 1 { FILE_HEADER } else { 0 }
    }

    fn kind(&self) -> u8 {
        self.bytes[self.header()]
    }

    fn count(&self) -> usize {
        let at = self.header() + 3;
        usize::from(u16::from_be_bytes([self.bytes[at], self.bytes[at + 1]]))
    }

    /// Where a cell stands in the page.
    fn cell(&self, index: usize) -> Result<usize, Fault> {
        let head = if self.kind() == TABLE_LEAF { 8 } else { 12 };
        let at = self.header() + head + 2 * index;
        let pointer = self.bytes.get(at..at + 2).ok_or_else(|| outside(self))?;
        Ok(usize::from(u16::from_be_bytes([pointer[0], pointer[1]])))
    }

    fn child(&self, index: usize) -> Result<u32, Fault> {
        let at = self.cell(index)?;
        self.bytes.get(at..at + 4).map(be32).ok_or_else(|| outside(self))
    }

    fn last_child(&self) -> u32 {
        be32(&self.bytes[self.header() + 8..])
    }
}

fn outside(page: &Page) -> Fault {
    malformed(format_args!("a cell outside page {}", page.number))
}

fn be32(bytes: &[u8]) -> u32 {
    u32::from_be_bytes([bytes[0], bytes[1], bytes[2], bytes[3]])
}

/// A big-endian integer of up to eight bytes.
fn integer(bytes: &[u8]) -> i64 {
    let negative = bytes.first().is_some_and(|first| first & 0x80 != 0);
    bytes.iter().fold(if negative { -1 } else { 0 }, |value, byte| (value << 8) | i64::from(*byte))
}

/// One to nine bytes, seven bits each, eight of the ninth.
fn varint(bytes: &mut &[u8]) -> Result<i64, Fault> {
    let mut value: u64 = 0;
    for index in 0..9 {
        let (byte, rest) = bytes.split_first().ok_or_else(|| malformed("a number is cut off"))?;
        *bytes = rest;
        if index == 8 {
            value = (value << 8) | u64::from(*byte);
            break;
        }
        value = (value << 7) | u64::from(byte & 0x7F);
        if byte & 0x80 == 0 {
            break;
        }
    }
    Ok(value.cast_signed())
}

fn fill<R: Read>(input: &mut R, into: &mut [u8]) -> std::io::Result<usize> {
    let mut got = 0;
    while got < into.len() {
        match input.read(&mut into[got..]) {
            Ok(0) => break,
            Ok(more) => got += more,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(got)
}
