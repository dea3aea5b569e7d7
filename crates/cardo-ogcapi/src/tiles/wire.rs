//! The few parts of Protocol Buffers that vector tiles are made of.

/// The number of a field and how its value is written.
pub(super) fn tag(field: u8, wire: Wire, out: &mut Vec<u8>) {
    out.push(field << 3 | wire as u8);
}

/// How the value of a field is written.
#[derive(Clone, Copy)]
pub(super) enum Wire {
    Varint = 0,
    Fixed64 = 1,
    Bytes = 2,
}

pub(super) fn varint(mut number: u64, out: &mut Vec<u8>) {
    while number >= 0x80 {
        out.push(number.to_le_bytes()[0] | 0x80);
        number >>= 7;
    }
    out.push(number.to_le_bytes()[0]);
}

/// Two numbers, of which nearly all take one byte or two.
#[inline]
pub(super) fn varints([first, second]: [u64; 2], out: &mut Vec<u8>) {
    let byte = |number: u64, at: u32| (number >> (7 * at)).to_le_bytes()[0];
    match (first, second) {
        (0..0x80, 0..0x80) => out.extend_from_slice(&[byte(first, 0), byte(second, 0)]),
        (0..0x80, 0x80..0x4000) => {
            out.extend_from_slice(&[byte(first, 0), byte(second, 0) | 0x80, byte(second, 1)]);
        }
        (0x80..0x4000, 0x80..0x4000) => out.extend_from_slice(&[
            byte(first, 0) | 0x80,
            byte(first, 1),
            byte(second, 0) | 0x80,
            byte(second, 1),
        ]),
        _ => {
            varint(first, out);
            varint(second, out);
        }
    }
}

/// A signed number so that small ones are short.
#[expect(clippy::cast_sign_loss, reason = "the bits are what is meant")]
pub(super) fn zigzag(number: i64) -> u64 {
    ((number << 1) ^ (number >> 63)) as u64
}

/// A field that is a number.
pub(super) fn number(field: u8, value: u64, out: &mut Vec<u8>) {
    tag(field, Wire::Varint, out);
    varint(value, out);
}

/// How many bytes a field takes that is a number.
pub(super) fn number_len(value: u64) -> u64 {
    1 + varint_len(value)
}

/// How many bytes a field takes that is text, bytes or a message.
pub(super) fn bytes_len(value: &[u8]) -> u64 {
    let len = value.len() as u64;
    1 + varint_len(len) + len
}

fn varint_len(number: u64) -> u64 {
    u64::from((64 - (number | 1).leading_zeros()).div_ceil(7))
}

/// A field that is text, bytes or a message.
pub(super) fn bytes(field: u8, value: &[u8], out: &mut Vec<u8>) {
    tag(field, Wire::Bytes, out);
    varint(value.len() as u64, out);
    out.extend_from_slice(value);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn two_numbers_are_written_like_one_after_the_other(
            first in any::<u64>(), second in any::<u64>(), shifts in (0_u32..64, 0_u32..64),
        ) {
            let numbers = [first >> shifts.0, second >> shifts.1];
            let (mut together, mut single) = (Vec::new(), Vec::new());
            varints(numbers, &mut together);
            for number in numbers {
                varint(number, &mut single);
            }
            prop_assert_eq!(together, single);
        }
    }
}
