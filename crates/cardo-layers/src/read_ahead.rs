use std::cell::RefCell;
use std::io;

use cardo_formats::ReadAt;

/// How much is read at once.
const PIECE: usize = 64 << 10;

/// Reads on behind what is asked for, since what comes next lies there.
pub(crate) struct ReadAhead<'a, R> {
    source: &'a R,
    piece: RefCell<Piece>,
}

#[derive(Default)]
struct Piece {
    start: u64,
    bytes: Vec<u8>,
}

impl<'a, R> ReadAhead<'a, R> {
    pub(crate) fn new(source: &'a R) -> Self {
        Self { source, piece: RefCell::default() }
    }
}

impl Piece {
    fn part(&self, position: u64, bytes: usize) -> Option<&[u8]> {
        let from = usize::try_from(position.checked_sub(self.start)?).ok()?;
        self.bytes.get(from..from.checked_add(bytes)?)
    }
}

impl<R: ReadAt> ReadAt for ReadAhead<'_, R> {
    fn read_exact_at(&self, buffer: &mut [u8], position: u64) -> io::Result<()> {
        let mut piece = self.piece.borrow_mut();
        if let Some(part) = piece.part(position, buffer.len()) {
            buffer.copy_from_slice(part);
            return Ok(());
        }
        let mut bytes = std::mem::take(&mut piece.bytes);
        bytes.resize(PIECE, 0);
        // Where there is not so much, as at the end, exactly what is wanted is read.
        if buffer.len() > PIECE || self.source.read_exact_at(&mut bytes, position).is_err() {
            return self.source.read_exact_at(buffer, position);
        }
        buffer.copy_from_slice(&bytes[..buffer.len()]);
        *piece = Piece { start: position, bytes };
        Ok(())
    }
}
