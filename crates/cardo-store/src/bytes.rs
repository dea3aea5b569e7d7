//! Pieces of the binary forms that the store writes: varints, lengths, checksums.

use twox_hash::XxHash3_64;

/// Appends an unsigned integer, seven bits a byte, lowest first.
pub(crate) fn put_varint(out: &mut Vec<u8>, mut value: u64) {
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

pub(crate) fn put_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    put_varint(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

/// Reads the pieces one after the other; `None` where the bytes end too early.
#[derive(Clone, Copy)]
pub(crate) struct Reader<'a> {
    bytes: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    pub(crate) fn rest(&self) -> &'a [u8] {
        self.bytes
    }

    #[inline]
    pub(crate) fn u8(&mut self) -> Option<u8> {
        let (first, rest) = self.bytes.split_first()?;
        self.bytes = rest;
        Some(*first)
    }

    #[inline]
    pub(crate) fn varint(&mut self) -> Option<u64> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.u8()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Some(value);
            }
        }
        None
    }

    #[inline]
    pub(crate) fn u32(&mut self) -> Option<u32> {
        u32::try_from(self.varint()?).ok()
    }

    #[inline]
    pub(crate) fn u64(&mut self) -> Option<u64> {
        Some(u64::from_le_bytes(self.fixed()?))
    }

    #[inline]
    pub(crate) fn i64(&mut self) -> Option<i64> {
        Some(i64::from_le_bytes(self.fixed()?))
    }

    #[inline]
    fn fixed(&mut self) -> Option<[u8; 8]> {
        let (head, rest) = self.bytes.split_first_chunk::<8>()?;
        self.bytes = rest;
        Some(*head)
    }

    #[inline]
    pub(crate) fn take(&mut self, len: u64) -> Option<&'a [u8]> {
        let (head, rest) = self.bytes.split_at_checked(usize::try_from(len).ok()?)?;
        self.bytes = rest;
        Some(head)
    }

    #[inline]
    pub(crate) fn bytes(&mut self) -> Option<&'a [u8]> {
        let len = self.varint()?;
        self.take(len)
    }

    #[inline]
    pub(crate) fn str(&mut self) -> Option<&'a str> {
        std::str::from_utf8(self.bytes()?).ok()
    }
}

/// A number of 64 bits for a run of bytes; part of the format of files, so it never changes.
#[inline]
pub(crate) fn hash(bytes: &[u8]) -> u64 {
    XxHash3_64::oneshot(bytes)
}

const CHECK_BYTES: usize = 4;

fn checksum(bytes: &[u8], place: u64) -> [u8; CHECK_BYTES] {
    let sum = XxHash3_64::oneshot_with_seed(place, bytes);
    *sum.to_le_bytes().first_chunk().expect("eight bytes hold four")
}

/// Appends a checksum over `bytes` and the place where they are kept, so that neither flipped bits
/// nor a row of another place pass as sound.
pub(crate) fn seal(bytes: &mut Vec<u8>, place: u64) {
    let sum = checksum(bytes, place);
    bytes.extend_from_slice(&sum);
}

/// The bytes before the checksum; `None` where they are damaged.
pub(crate) fn unseal(sealed: &[u8], place: u64) -> Option<&[u8]> {
    let (bytes, sum) = sealed.split_last_chunk::<CHECK_BYTES>()?;
    (checksum(bytes, place) == *sum).then_some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn numbers_and_texts_come_back(number: u64, text: String) {
            let mut out = Vec::new();
            put_varint(&mut out, number);
            put_bytes(&mut out, text.as_bytes());
            let mut reader = Reader::new(&out);
            prop_assert_eq!(reader.varint(), Some(number));
            prop_assert_eq!(reader.str(), Some(text.as_str()));
            prop_assert!(reader.is_empty());
        }

        #[test]
        fn a_flipped_bit_or_another_place_breaks_the_seal(
            mut bytes in proptest::collection::vec(any::<u8>(), 1..64),
            place: u64,
            bit in 0_usize..512,
        ) {
            let plain = bytes.clone();
            seal(&mut bytes, place);
            prop_assert_eq!(unseal(&bytes, place), Some(plain.as_slice()));
            prop_assert_eq!(unseal(&bytes, place ^ 1), None);
            let bit = bit % (bytes.len() * 8);
            bytes[bit / 8] ^= 1 << (bit % 8);
            prop_assert_eq!(unseal(&bytes, place), None);
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes: Vec<u8>) {
            let mut reader = Reader::new(&bytes);
            while reader.varint().is_some() {}
            let _ = Reader::new(&bytes).str();
        }
    }
}
