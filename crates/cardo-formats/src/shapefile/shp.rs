//! The shapes of a `.shp` (ESRI Shapefile Technical Description, July 1998).

use geo_types::{Coord, Geometry, MultiLineString, MultiPoint, Point};

use super::malformed;
use super::rings;
use crate::{
    Fault, RecordGeometry,
    geometry::{Heights, coord, line},
};

/// The header of the file in our own terms.
#[derive(Debug)]
pub(super) struct Header {
    /// Bytes of the file, as it says itself.
    pub(super) bytes: u64,
}

pub(super) const HEADER_BYTES: usize = 100;
const VERSION: i32 = 1000;

pub(super) fn header(bytes: &[u8; HEADER_BYTES]) -> Result<Header, Fault> {
    if bytes[..4] != super::MAGIC {
        return Err(malformed("the file does not begin with the file code 9994"));
    }
    let version = i32::from_le_bytes([bytes[28], bytes[29], bytes[30], bytes[31]]);
    if version != VERSION {
        return Err(Fault::Unsupported(format!("a Shapefile of version {version}")));
    }
    let words = u32::from_be_bytes([bytes[24], bytes[25], bytes[26], bytes[27]]);
    Ok(Header { bytes: u64::from(words) * 2 })
}

/// Below this a measure or height says that there is none.
const NO_DATA: f64 = -1e38;

/// Reads a shape; none where it is null or empty.
pub(super) fn shape(bytes: &[u8]) -> Result<Option<RecordGeometry>, Fault> {
    let mut cursor = Cursor(bytes);
    let kind = cursor.int()?;
    let has_height = matches!(kind, 11 | 13 | 15 | 18);
    match kind {
        0 => Ok(None),
        1 | 11 | 21 => {
            let position = cursor.position()?;
            let height = if has_height { Some(cursor.number()?) } else { None };
            Ok(with_heights(Point(position).into(), height.into_iter().collect()))
        }
        8 | 18 | 28 => {
            cursor.skip_box()?;
            let count = cursor.count()?;
            let positions = cursor.positions(count)?;
            let heights = cursor.heights(count, has_height)?;
            let points = positions.into_iter().map(Point).collect();
            Ok((count > 0).then(|| with_heights(MultiPoint(points).into(), heights)).flatten())
        }
        3 | 13 | 23 | 5 | 15 | 25 => {
            let parts = cursor.parts(has_height)?;
            if parts.is_empty() {
                return Ok(None);
            }
            if matches!(kind, 5 | 15 | 25) {
                rings::polygons(parts).map(Some)
            } else {
                lines(parts).map(Some)
            }
        }
        31 => Err(Fault::geometry("a MultiPatch, a surface in space, which is not taken in")),
        other => Err(malformed(format_args!("shape type {other}"))),
    }
}

/// Positions of a line or ring, and their heights where they are known.
pub(super) struct Part {
    pub(super) positions: Vec<Coord<f64>>,
    pub(super) heights: Vec<f64>,
}

fn lines(parts: Vec<Part>) -> Result<RecordGeometry, Fault> {
    let mut heights = Vec::new();
    let mut lines = Vec::with_capacity(parts.len());
    for part in parts {
        heights.extend(part.heights);
        lines.push(line(part.positions)?);
    }
    let shape = match <[_; 1]>::try_from(lines) {
        Ok([line]) => line.into(),
        Err(lines) => MultiLineString(lines).into(),
    };
    Ok(RecordGeometry { shape, heights })
}

fn with_heights(shape: Geometry<f64>, heights: Vec<f64>) -> Option<RecordGeometry> {
    let mut gathered = Heights::default();
    for height in heights {
        gathered
            .take(Some(height).filter(|height| *height > NO_DATA && height.is_finite()))
            .ok()?;
    }
    Some(gathered.with(shape))
}

struct Cursor<'a>(&'a [u8]);

impl Cursor<'_> {
    fn array<const N: usize>(&mut self) -> Result<[u8; N], Fault> {
        let (taken, rest) =
            self.0.split_first_chunk().ok_or_else(|| malformed("the shape is cut off"))?;
        self.0 = rest;
        Ok(*taken)
    }

    fn int(&mut self) -> Result<i32, Fault> {
        self.array().map(i32::from_le_bytes)
    }

    fn number(&mut self) -> Result<f64, Fault> {
        self.array().map(f64::from_le_bytes)
    }

    /// A number of things that take four bytes at least each.
    fn count(&mut self) -> Result<usize, Fault> {
        let count = self.int()?;
        usize::try_from(count)
            .ok()
            .filter(|count| *count <= self.0.len() / 4)
            .ok_or_else(|| malformed(format_args!("a count of {count}")))
    }

    fn skip_box(&mut self) -> Result<(), Fault> {
        self.array::<32>().map(|_| ())
    }

    fn position(&mut self) -> Result<Coord<f64>, Fault> {
        coord(self.number()?, self.number()?)
    }

    fn positions(&mut self, count: usize) -> Result<Vec<Coord<f64>>, Fault> {
        (0..count).map(|_| self.position()).collect()
    }

    /// Heights, which stand behind all positions; none where one of them is missing.
    fn heights(&mut self, count: usize, has_height: bool) -> Result<Vec<f64>, Fault> {
        if !has_height {
            return Ok(Vec::new());
        }
        self.array::<16>()?;
        let heights: Vec<f64> = (0..count).map(|_| self.number()).collect::<Result<_, _>>()?;
        let are_known = heights.iter().all(|height| height.is_finite() && *height > NO_DATA);
        Ok(if are_known { heights } else { Vec::new() })
    }

    fn parts(&mut self, has_height: bool) -> Result<Vec<Part>, Fault> {
        self.skip_box()?;
        let (parts, count) = (self.count()?, self.count()?);
        let mut begins = Vec::with_capacity(parts + 1);
        for _ in 0..parts {
            let begin = self.int()?;
            let begin = usize::try_from(begin).ok().filter(|begin| *begin <= count);
            begins.push(begin.ok_or_else(|| malformed("a part begins behind the shape"))?);
        }
        begins.push(count);
        let positions = self.positions(count)?;
        let heights = self.heights(count, has_height)?;
        let mut made = Vec::with_capacity(parts);
        for range in begins.windows(2) {
            let part = positions.get(range[0]..range[1]);
            let part = part.ok_or_else(|| malformed("the parts of a shape overlap"))?;
            if !part.is_empty() {
                let heights = heights.get(range[0]..range[1]).unwrap_or_default().to_vec();
                made.push(Part { positions: part.to_vec(), heights });
            }
        }
        Ok(made)
    }
}
