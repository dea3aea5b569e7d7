//! Little pieces of the binary forms of records, of the log and of what a store keeps: varints,
//! lengths, fixed integers.

/// Appends an unsigned integer, seven bits a byte, lowest first.
pub fn put_varint(out: &mut Vec<u8>, mut value: u64) {
    loop {
        let low = value.to_le_bytes()[0] & 0x7f;
        value >>= 7;
        if value == 0 {
            out.push(low);
            return;
        }
        out.push(low | 0x80);
    }
}

pub(crate) fn put_len(out: &mut Vec<u8>, len: usize) {
    put_varint(out, len as u64);
}

/// Appends bytes behind their length.
pub fn put_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    put_len(out, bytes.len());
    out.extend_from_slice(bytes);
}

/// Appends what `body` writes, behind its length.
pub(crate) fn put_block(out: &mut Vec<u8>, body: impl FnOnce(&mut Vec<u8>)) {
    // Nearly all lengths take one byte, for which there is room; else what is written is moved.
    let start = out.len();
    out.push(0);
    body(out);
    let len = out.len() - start - 1;
    if let Ok(short) = u8::try_from(len)
        && short < 0x80
    {
        out[start] = short;
        return;
    }
    let end = out.len();
    put_len(out, len);
    let prefix = out.len() - end;
    out[start..].rotate_right(prefix);
    out.remove(start + prefix);
}

/// Bytes among others that can be read as well.
#[derive(Clone, Copy, Debug)]
pub struct Excerpt<'a> {
    /// The bytes, and what lies behind them.
    from: &'a [u8],
    len: usize,
}

impl<'a> Excerpt<'a> {
    /// The first `len` of these bytes; `None` where they are fewer.
    #[inline]
    pub fn new(from: &'a [u8], len: usize) -> Option<Self> {
        (len <= from.len()).then_some(Self { from, len })
    }

    /// The same, and what is behind it.
    #[inline]
    pub(crate) fn split(from: &'a [u8], len: usize) -> Option<(Self, Reader<'a>)> {
        let rest = from.get(len..)?;
        Some((Self { from, len }, Reader { bytes: rest }))
    }

    /// The bytes alone.
    #[inline]
    pub fn bytes(self) -> &'a [u8] {
        &self.from[..self.len]
    }

    /// The bytes, and what lies behind them.
    #[inline]
    pub fn with_rest(self) -> &'a [u8] {
        self.from
    }

    /// How many bytes there are.
    #[inline]
    #[expect(clippy::len_without_is_empty, reason = "nobody asks")]
    pub fn len(self) -> usize {
        self.len
    }

    /// The bytes and what lies behind them, so many in all, where they are no more.
    #[inline]
    pub fn within<const MOST: usize>(self) -> Option<&'a [u8; MOST]> {
        self.from.first_chunk().filter(|_| self.len <= MOST)
    }

    /// Appends the bytes. Where they are no more than `MOST`, so many are copied and the others taken away
    /// again: a copy of fixed size needs no call.
    #[expect(clippy::inline_always, reason = "a page copies thousands")]
    #[inline(always)]
    pub fn append_to<const MOST: usize>(self, out: &mut Vec<u8>) {
        match self.within::<MOST>() {
            Some(more) => {
                let end = out.len() + self.len;
                out.extend_from_slice(more);
                out.truncate(end);
            }
            None => out.extend_from_slice(self.bytes()),
        }
    }
}

/// Reads the pieces one after the other; `None` where the bytes end too early.
#[derive(Clone, Copy)]
pub struct Reader<'a> {
    bytes: &'a [u8],
}

impl<'a> Reader<'a> {
    /// Begins at the first of these bytes.
    #[inline]
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { bytes }
    }

    /// Whether nothing is left.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// The next byte.
    #[inline]
    pub fn u8(&mut self) -> Option<u8> {
        let (first, rest) = self.bytes.split_first()?;
        self.bytes = rest;
        Some(*first)
    }

    /// A number of [`put_varint`]; nearly all are of one byte or two.
    #[expect(clippy::inline_always, reason = "a record holds dozens, and pages are made of them")]
    #[inline(always)]
    pub fn varint(&mut self) -> Option<u64> {
        match self.bytes {
            [one, rest @ ..] if *one < 0x80 => {
                self.bytes = rest;
                Some(u64::from(*one))
            }
            [one, two, rest @ ..] if *two < 0x80 => {
                self.bytes = rest;
                Some(u64::from(one & 0x7f) | u64::from(*two) << 7)
            }
            _ => {
                let (value, rest) = long_varint(self.bytes)?;
                self.bytes = rest;
                Some(value)
            }
        }
    }

    #[inline]
    pub(crate) fn len(&mut self) -> Option<usize> {
        usize::try_from(self.varint()?).ok()
    }

    /// A number of [`put_varint`] that fits into 32 bits.
    #[inline]
    pub fn u32(&mut self) -> Option<u32> {
        u32::try_from(self.varint()?).ok()
    }

    /// Eight bytes, lowest first.
    #[inline]
    pub fn i64(&mut self) -> Option<i64> {
        self.u64().map(u64::cast_signed)
    }

    /// Eight bytes, lowest first.
    #[inline]
    pub fn u64(&mut self) -> Option<u64> {
        let (head, rest) = self.bytes.split_first_chunk::<8>()?;
        self.bytes = rest;
        Some(u64::from_le_bytes(*head))
    }

    #[inline]
    pub(crate) fn take(&mut self, len: usize) -> Option<&'a [u8]> {
        let (head, rest) = self.bytes.split_at_checked(len)?;
        self.bytes = rest;
        Some(head)
    }

    /// What [`put_bytes`] has written.
    #[inline]
    pub fn bytes(&mut self) -> Option<&'a [u8]> {
        let len = self.len()?;
        self.take(len)
    }

    /// The same with what lies behind.
    #[inline]
    pub fn excerpt(&mut self) -> Option<Excerpt<'a>> {
        let len = self.len()?;
        let (excerpt, rest) = Excerpt::split(self.bytes, len)?;
        *self = rest;
        Some(excerpt)
    }

    /// The same where it is a text.
    #[inline]
    pub fn str(&mut self) -> Option<&'a str> {
        std::str::from_utf8(self.bytes()?).ok()
    }

    /// What is left.
    #[inline]
    pub fn rest(&self) -> &'a [u8] {
        self.bytes
    }
}

/// A number of any length, and what is left. It takes the bytes and not the reader, which would have to stand in
/// memory for it all the time.
#[inline(never)]
fn long_varint(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let mut value = 0;
    for (byte, shift) in bytes.iter().zip((0..64).step_by(7)) {
        value |= u64::from(byte & 0x7f) << shift;
        if *byte < 0x80 {
            return Some((value, &bytes[shift / 7 + 1..]));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn numbers_of_any_length_are_read_back(value in any::<u64>(), shift in 0_u32..64, more in any::<u8>()) {
            let value = value >> shift;
            let mut bytes = Vec::new();
            put_varint(&mut bytes, value);
            bytes.push(more);
            let mut reader = Reader::new(&bytes);
            prop_assert_eq!(reader.varint(), Some(value));
            prop_assert_eq!(reader.rest(), &[more]);
            bytes.truncate(bytes.len() - 2);
            prop_assert_eq!(Reader::new(&bytes).varint(), None);
        }

        #[test]
        fn an_excerpt_is_appended_alone(
            from in prop::collection::vec(any::<u8>(), 0..80), len in 0_usize..80, before in any::<u8>(),
        ) {
            let excerpt = Excerpt::new(&from, len);
            prop_assert_eq!(excerpt.is_some(), len <= from.len());
            if let Some(excerpt) = excerpt {
                let mut out = vec![before];
                excerpt.append_to::<32>(&mut out);
                prop_assert_eq!(out, [&[before], &from[..len]].concat());
            }
        }
    }

    #[test]
    fn a_number_without_end_is_none() {
        assert_eq!(Reader::new(&[0xff; 40]).varint(), None);
    }
}
