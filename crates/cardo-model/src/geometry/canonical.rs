//! Points and polygons as Cardo itself writes them, read without a general parser. What looks otherwise
//! is left to that.

use geo_types::{Coord, LineString, Polygon};

pub(super) fn point(text: &str) -> Option<Coord<f64>> {
    let mut reader = Reader(text.strip_prefix("{\"type\":\"Point\",\"coordinates\":")?.as_bytes());
    let position = reader.position()?;
    (reader.0 == b"}").then_some(position)
}

pub(super) fn polygon(text: &str) -> Option<Polygon<f64>> {
    let rest = text.strip_prefix("{\"type\":\"Polygon\",\"coordinates\":[")?;
    let mut reader = Reader(rest.as_bytes());
    let exterior = reader.ring()?;
    let mut interiors = Vec::new();
    while reader.takes(b',') {
        interiors.push(reader.ring()?);
    }
    (reader.0 == b"]}").then(|| Polygon::new(exterior, interiors))
}

struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn takes(&mut self, byte: u8) -> bool {
        let rest = self.0.split_first().filter(|(first, _)| **first == byte);
        if let Some((_, rest)) = rest {
            self.0 = rest;
        }
        rest.is_some()
    }

    /// A ring that is closed and long enough.
    fn ring(&mut self) -> Option<LineString<f64>> {
        self.takes(b'[').then_some(())?;
        let mut positions = Vec::with_capacity(8);
        positions.push(self.position()?);
        while self.takes(b',') {
            positions.push(self.position()?);
        }
        let is_sound = positions.len() >= 4 && positions.first() == positions.last();
        (self.takes(b']') && is_sound).then_some(LineString(positions))
    }

    /// Two numbers, or three, of which the last is a height.
    #[inline]
    fn position(&mut self) -> Option<Coord<f64>> {
        self.takes(b'[').then_some(())?;
        let x = self.number()?;
        self.takes(b',').then_some(())?;
        let y = self.number()?;
        if self.takes(b',') {
            self.number()?;
        }
        self.takes(b']').then_some(Coord { x, y })
    }

    /// Up to fifteen digits and a power of ten up to 22 are floating-point numbers exactly, and so their
    /// quotient is the one that is nearest to the decimal number.
    fn number(&mut self) -> Option<f64> {
        const POWERS: [f64; 16] =
            [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15];
        let whole_text = self.0;
        let is_negative = self.takes(b'-');
        let (mut whole, mut count, mut point) = (0_u64, 0, None);
        for (at, byte) in self.0.iter().enumerate() {
            match byte {
                b'0'..=b'9' if count < 15 => {
                    whole = whole * 10 + u64::from(byte - b'0');
                    count += 1;
                }
                b'.' if point.is_none() => point = Some(count),
                b',' | b']' => {
                    self.0 = &self.0[at..];
                    #[expect(clippy::cast_precision_loss, reason = "fifteen digits are exact")]
                    let number = whole as f64 / POWERS[count - point.unwrap_or(count)];
                    return (count > 0).then_some(if is_negative { -number } else { number });
                }
                _ => break,
            }
        }
        self.0 = whole_text;
        self.other_number()
    }

    /// A number that has more digits or an exponent.
    #[cold]
    fn other_number(&mut self) -> Option<f64> {
        let len = self.0.iter().position(|byte| matches!(byte, b',' | b']'))?;
        let (text, rest) = self.0.split_at(len);
        self.0 = rest;
        std::str::from_utf8(text).ok()?.parse().ok()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn numbers_are_those_that_the_general_parser_reads(
            text in "-?(0|[1-9][0-9]{0,4})(\\.[0-9]{1,18})?([eE][+-]?[0-9]{1,2})?",
        ) {
            let expected: f64 = text.parse().unwrap();
            let read = Reader(format!("{text},").as_bytes()).number().unwrap();
            prop_assert_eq!(read.to_bits(), expected.to_bits());
        }

        #[test]
        fn what_is_no_polygon_is_none(text in "[\\[\\],0-9.e-]{0,24}") {
            let whole = format!("{{\"type\":\"Polygon\",\"coordinates\":[{text}]}}");
            let read: Option<Vec<Vec<Vec<f64>>>> = serde_json::from_str(&format!("[{text}]")).ok();
            prop_assert!(polygon(&whole).is_none() || read.is_some());
        }
    }

    #[test]
    fn heights_are_read_over_and_holes_kept() {
        let text = "{\"type\":\"Polygon\",\"coordinates\":[[[0,0,5],[9,0],[9,9],[0,0]],[[1,1],[2,1],[2,2],[1,1]]]}";
        let read = polygon(text).unwrap();
        assert_eq!((read.exterior().0.len(), read.interiors().len()), (4, 1));
        for open in ["[[[0,0],[9,0],[9,9],[0,1]]]", "[[[0,0],[9,0],[0,0]]]", "[[]]", "[]"] {
            let text = format!("{{\"type\":\"Polygon\",\"coordinates\":{open}}}");
            assert_eq!(polygon(&text), None);
        }
    }
}
