//! Pieces of the binary forms that the store writes: hashes and checksums, beside those of the model.

pub(crate) use cardo_model::codec::{Reader, put_bytes, put_varint};
use twox_hash::XxHash3_64;

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
