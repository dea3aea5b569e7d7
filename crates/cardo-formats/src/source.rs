//! Buffered bytes that know their position, and the scanner which finds
//! where a JSON value ends without building it.

use std::io::{self, Read};

use crate::Fault;

const CHUNK: usize = 64 << 10;

/// A buffered input with its byte position.
#[derive(Debug)]
pub(crate) struct Source<R> {
    input: R,
    buffer: Vec<u8>,
    start: usize,
    /// Position of `buffer[start]` in the source.
    position: u64,
    ended: bool,
}

impl<R: Read> Source<R> {
    pub(crate) fn new(input: R) -> Self {
        Self { input, buffer: Vec::new(), start: 0, position: 0, ended: false }
    }

    pub(crate) fn position(&self) -> u64 {
        self.position
    }

    /// At least `wanted` unread bytes, fewer only at the end.
    pub(crate) fn ahead(&mut self, wanted: usize) -> io::Result<&[u8]> {
        while self.buffer.len() - self.start < wanted && !self.ended {
            if self.start > 0 {
                self.buffer.drain(..self.start);
                self.start = 0;
            }
            let room = self.buffer.len();
            self.buffer.resize(room + CHUNK, 0);
            let got = loop {
                match self.input.read(&mut self.buffer[room..]) {
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    other => break other,
                }
            };
            let got = match got {
                Ok(got) => got,
                Err(error) => {
                    self.buffer.truncate(room);
                    return Err(error);
                }
            };
            self.buffer.truncate(room + got);
            self.ended = got == 0;
        }
        Ok(&self.buffer[self.start..])
    }

    /// Unread bytes; empty at the end.
    pub(crate) fn chunk(&mut self) -> io::Result<&[u8]> {
        self.ahead(1)
    }

    pub(crate) fn consume(&mut self, count: usize) {
        self.start += count;
        self.position += count as u64;
    }

    pub(crate) fn peek(&mut self) -> io::Result<Option<u8>> {
        Ok(self.chunk()?.first().copied())
    }

    pub(crate) fn next_byte(&mut self) -> io::Result<Option<u8>> {
        let byte = self.peek()?;
        self.consume(usize::from(byte.is_some()));
        Ok(byte)
    }

    /// Puts `bytes`, which were read last, back in front.
    pub(crate) fn unread(&mut self, bytes: &[u8]) {
        self.buffer.splice(..self.start, bytes.iter().copied());
        self.start = 0;
        self.position -= bytes.len() as u64;
    }

    pub(crate) fn skip_byte_order_mark(&mut self) -> io::Result<()> {
        if self.ahead(3)?.starts_with(b"\xEF\xBB\xBF") {
            self.consume(3);
        }
        Ok(())
    }

    /// Fills `into` with exactly `count` bytes, fewer only at the end; grows as
    /// bytes arrive, so that an absurd `count` costs nothing.
    pub(crate) fn take_into(&mut self, count: usize, into: &mut Vec<u8>) -> io::Result<()> {
        let mut left = count;
        while left > 0 {
            let chunk = self.chunk()?;
            if chunk.is_empty() {
                break;
            }
            let step = chunk.len().min(left);
            into.extend_from_slice(&chunk[..step]);
            self.consume(step);
            left -= step;
        }
        Ok(())
    }

    /// Passes over `count` bytes; the number passed is less only at the end.
    pub(crate) fn skip(&mut self, count: u64) -> io::Result<u64> {
        let mut left = count;
        while left > 0 {
            let available = self.chunk()?.len();
            if available == 0 {
                break;
            }
            let step = usize::try_from(left).map_or(available, |left| left.min(available));
            self.consume(step);
            left -= step as u64;
        }
        Ok(count - left)
    }

    pub(crate) fn skip_white_space(&mut self) -> io::Result<()> {
        loop {
            let chunk = self.chunk()?;
            let blank = chunk
                .iter()
                .take_while(|byte| matches!(byte, b' ' | b'\t' | b'\n' | b'\r'))
                .count();
            let whole = blank == chunk.len();
            let ended = chunk.is_empty();
            self.consume(blank);
            if ended || !whole {
                return Ok(());
            }
        }
    }

    /// Passes over one JSON value and appends it to `keep`.
    ///
    /// Only strings and brackets are understood here; a parser judges the rest.
    /// A closing bracket of the wrong kind closes what was left open inside, so
    /// that a feature with a lost bracket does not swallow its neighbours.
    pub(crate) fn json_value(&mut self, keep: &mut Keep<'_>) -> Result<(), Fault> {
        let mut scan = Scan::default();
        loop {
            let chunk = self.chunk()?;
            if chunk.is_empty() {
                return if scan.is_scalar() { Ok(()) } else { Err(Fault::Truncated) };
            }
            let (used, ended) = scan.advance(chunk, keep);
            keep.push(&chunk[..used]);
            self.consume(used);
            if ended {
                return Ok(());
            }
        }
    }
}

/// What of a scanned value is kept.
pub(crate) struct Keep<'a> {
    bytes: Option<&'a mut Vec<u8>>,
    limit: usize,
    depth_limit: usize,
    length: usize,
    deepest: usize,
}

impl<'a> Keep<'a> {
    /// Keeps up to `limit` bytes in `bytes`.
    pub(crate) fn up_to(bytes: &'a mut Vec<u8>, limit: usize, depth_limit: usize) -> Self {
        Self { bytes: Some(bytes), limit, depth_limit, length: 0, deepest: 0 }
    }

    pub(crate) fn nothing() -> Keep<'static> {
        Keep::depth_only(usize::MAX)
    }

    pub(crate) fn depth_only(depth_limit: usize) -> Keep<'static> {
        Keep { bytes: None, limit: usize::MAX, depth_limit, length: 0, deepest: 0 }
    }

    fn push(&mut self, part: &[u8]) {
        self.length = self.length.saturating_add(part.len());
        if let Some(bytes) = &mut self.bytes {
            let room = self.limit.saturating_sub(bytes.len());
            bytes.extend_from_slice(&part[..part.len().min(room)]);
        }
    }

    pub(crate) fn is_kept(&self) -> bool {
        self.bytes.is_some()
    }

    /// Whether the value stayed within the limits.
    pub(crate) fn verdict(&self) -> Result<(), Fault> {
        if self.length > self.limit {
            return Err(Fault::TooLong { limit: self.limit });
        }
        if self.deepest > self.depth_limit {
            return Err(Fault::TooDeep { limit: self.depth_limit });
        }
        Ok(())
    }
}

/// Bracket kinds are remembered to this depth; below, only their number.
const REMEMBERED: usize = 256;

/// State of the scanner between chunks.
#[derive(Default)]
struct Scan {
    stack: Vec<u8>,
    beyond: usize,
    in_string: bool,
    escaped: bool,
    scalar: bool,
}

impl Scan {
    /// Whether a number or word is being read, which the end of input ends.
    fn is_scalar(&self) -> bool {
        self.scalar
    }

    /// Bytes used of `chunk`, and whether the value ended with them.
    fn advance(&mut self, chunk: &[u8], keep: &mut Keep<'_>) -> (usize, bool) {
        let mut at = 0;
        while at < chunk.len() {
            if self.in_string {
                at = self.string(chunk, at);
                if !self.in_string && self.depth() == 0 {
                    return (at, true);
                }
                continue;
            }
            let byte = chunk[at];
            match byte {
                b'"' if !self.scalar => self.in_string = true,
                b'{' | b'[' if !self.scalar => {
                    self.open(byte);
                    keep.deepest = keep.deepest.max(self.depth());
                }
                b'}' | b']' if self.depth() > 0 => {
                    self.close(byte);
                    if self.depth() == 0 {
                        return (at + 1, true);
                    }
                }
                _ if self.depth() > 0 => {}
                b',' | b']' | b'}' | b' ' | b'\t' | b'\n' | b'\r' | b':' => return (at, true),
                _ => self.scalar = true,
            }
            at += 1;
        }
        (at, false)
    }

    /// Runs through a string; returns the index behind what was read.
    fn string(&mut self, chunk: &[u8], mut at: usize) -> usize {
        if self.escaped {
            self.escaped = false;
            at += 1;
        }
        while at < chunk.len() {
            let Some(found) = memchr::memchr2(b'"', b'\\', &chunk[at..]) else {
                return chunk.len();
            };
            at += found + 1;
            if chunk[at - 1] == b'"' {
                self.in_string = false;
                return at;
            }
            if at == chunk.len() {
                self.escaped = true;
                return at;
            }
            at += 1;
        }
        at
    }

    fn depth(&self) -> usize {
        self.stack.len() + self.beyond
    }

    fn open(&mut self, bracket: u8) {
        if self.stack.len() < REMEMBERED {
            self.stack.push(bracket);
        } else {
            self.beyond += 1;
        }
    }

    fn close(&mut self, bracket: u8) {
        if self.beyond > 0 {
            self.beyond -= 1;
            return;
        }
        let opening = if bracket == b'}' { b'{' } else { b'[' };
        if let Some(index) = self.stack.iter().rposition(|open| *open == opening) {
            self.stack.truncate(index);
        }
    }
}
