use std::str;
use std::sync::Arc;

use cardo_spatial::CrsError;

use crate::systems::System;

/// A feature that has no place in the system that was asked for.
#[derive(Debug, thiserror::Error)]
#[error("the feature {id:?} cannot be shown in {system}: {why}; ask for others, or in another crs")]
pub(crate) struct Misplaced {
    pub(crate) id: String,
    pub(crate) system: Arc<str>,
    pub(crate) why: CrsError,
}

/// Writes GeoJSON geometries with their positions in another system; heights stay as they are where they are metres up
/// there too.
pub(crate) struct Placer {
    pub(crate) system: Arc<System>,
    positions: Vec<[f64; 2]>,
    /// Where in the text the numbers of each position stand that are written anew.
    spans: Vec<(usize, usize)>,
    /// The positions that have heights, in longitude and latitude; of none where heights stay.
    high: Vec<Option<[f64; 3]>>,
}

/// Heights are told to a tenth of a millimetre.
const HEIGHT_DECIMALS: u32 = 4;

impl Placer {
    /// Nothing has to be written anew in the system that all is held in.
    pub(crate) fn of(system: &Arc<System>) -> Option<Self> {
        let is_needed = !system.crs.is_lon_lat();
        is_needed.then(|| Self {
            system: system.clone(),
            positions: Vec::new(),
            spans: Vec::new(),
            high: Vec::new(),
        })
    }

    /// Writes the canonical text of a geometry.
    pub(crate) fn write(&mut self, json: &[u8], out: &mut Vec<u8>) -> Result<(), CrsError> {
        self.read(json);
        self.system.crs.project_all(&mut self.positions)?;
        let decimals = self.system.decimals();
        let mut at = 0;
        for (nth, ([first, second], (start, end))) in
            self.positions.iter().zip(&self.spans).enumerate()
        {
            out.extend_from_slice(&json[at..*start]);
            let high = self.high.get(nth).copied().flatten();
            let high = high.map(|place| self.system.crs.project_high(place)).transpose()?;
            let [first, second] = high.map_or([*first, *second], |[x, y, _]| [x, y]);
            write_number(first, decimals, out);
            out.push(b',');
            write_number(second, decimals, out);
            if let Some([.., height]) = high {
                out.push(b',');
                write_number(height, HEIGHT_DECIMALS, out);
            }
            at = *end;
        }
        out.extend_from_slice(&json[at..]);
        Ok(())
    }

    /// A position is a bracket with a number behind it.
    fn read(&mut self, json: &[u8]) {
        self.positions.clear();
        self.spans.clear();
        self.high.clear();
        let keeps_heights = self.system.crs.keeps_heights();
        let mut at = 0;
        while let Some(bracket) = json[at..].iter().position(|byte| *byte == b'[') {
            let start = at + bracket + 1;
            at = start;
            let Some((lon, comma)) = number(json, start) else { continue };
            let Some((lat, mut end)) = number(json, comma + 1) else { continue };
            self.positions.push([lon, lat]);
            if !keeps_heights {
                let third = number(json, end + 1).filter(|_| json.get(end) == Some(&b','));
                self.high.push(third.map(|(height, _)| [lon, lat, height]));
                end = third.map_or(end, |(_, end)| end);
            }
            self.spans.push((start, end));
            at = end;
        }
    }
}

/// The number that begins somewhere, and its end.
fn number(json: &[u8], start: usize) -> Option<(f64, usize)> {
    let rest = json.get(start..)?;
    let length = rest.iter().position(|byte| matches!(byte, b',' | b']')).unwrap_or(rest.len());
    let text = str::from_utf8(rest.get(..length)?).ok()?;
    Some((text.parse().ok()?, start + length))
}

/// From here on a number has no decimals that its next neighbours do not have.
const MOST_SCALED: f64 = 9_007_199_254_740_992.0;

/// Writes a number without an exponent, without needless noughts, and nought without a sign.
pub(crate) fn write_number(value: f64, decimals: u32, out: &mut Vec<u8>) {
    let scale = 10_i64.pow(decimals);
    #[expect(clippy::cast_precision_loss, reason = "powers of ten as far as needed are exact")]
    let scaled = (value * scale as f64).round();
    if scaled.abs() >= MOST_SCALED {
        // No height of anything, and a number all the same.
        out.extend_from_slice(value.to_string().as_bytes());
        return;
    }
    #[expect(clippy::cast_possible_truncation, reason = "it was compared with the limit")]
    let whole = scaled as i64;
    if whole < 0 {
        out.push(b'-');
    }
    let whole = whole.unsigned_abs();
    let scale = scale.unsigned_abs();
    let mut digits = itoa::Buffer::new();
    out.extend_from_slice(digits.format(whole / scale).as_bytes());
    let (mut rest, mut unit) = (whole % scale, scale / 10);
    if rest > 0 {
        out.push(b'.');
    }
    while rest > 0 {
        out.push(b'0' + u8::try_from(rest / unit).unwrap_or(0));
        rest %= unit;
        unit /= 10;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::systems::Systems;
    use proptest::prelude::*;

    fn written(value: f64, decimals: u32) -> String {
        let mut out = Vec::new();
        write_number(value, decimals, &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn c12_numbers_have_no_exponent_and_nought_has_no_sign() {
        for (value, decimals, text) in [
            (0.0, 3, "0"),
            (-0.0, 9, "0"),
            (-1e-12, 9, "0"),
            (1e-9, 9, "0.000000001"),
            (-0.05, 3, "-0.05"),
            (385_611.316_74, 3, "385611.317"),
            (25_496_580.0, 3, "25496580"),
            (-179.999_999_999_9, 9, "-180"),
            (1.5e8, 3, "150000000"),
        ] {
            assert_eq!(written(value, decimals), text);
        }
    }

    proptest! {
        #[test]
        fn c12_a_number_is_read_back_as_near_as_its_decimals(value in -1e8..1e8_f64, decimals in 0_u32..10) {
            let text = written(value, decimals);
            let read: f64 = text.parse().unwrap();
            prop_assert!((read - value).abs() <= 0.51 / 10_f64.powi(i32::try_from(decimals).unwrap()) + 1e-7);
            prop_assert!(!text.contains('e'));
        }
    }

    #[test]
    fn heights_are_counted_as_the_system_counts_them() {
        let systems = Systems::new(["EPSG:8746", "EPSG:9883"]).unwrap();
        for (code, json, expected) in [
            // Feet of the survey, and depths.
            (8746, r#"{"type":"Point","coordinates":[-70.2665,44.279,1200]}"#, ",3937]}"),
            (9883, r#"{"type":"Point","coordinates":[10.5,59.5,-12.25]}"#, "[59.5,10.5,12.25]}"),
            (9883, r#"{"type":"Point","coordinates":[10.5,59.5,-1e18]}"#, ",1000000000000000000]}"),
            (
                9883,
                r#"{"type":"MultiPoint","coordinates":[[10.5,59.5],[10.5,59.5,3]]}"#,
                "[[59.5,10.5],[59.5,10.5,-3]]}",
            ),
        ] {
            let uri = format!("http://www.opengis.net/def/crs/EPSG/0/{code}");
            let mut out = Vec::new();
            let system = systems.find(&uri).unwrap();
            Placer::of(&system).unwrap().write(json.as_bytes(), &mut out).unwrap();
            let out = String::from_utf8(out).unwrap();
            assert!(out.ends_with(expected), "{out}");
        }
    }

    #[test]
    fn positions_are_placed_and_all_else_stays() {
        let system = Systems::default().find("http://www.opengis.net/def/crs/EPSG/0/4326").unwrap();
        let mut placer = Placer::of(&system).unwrap();
        for (json, expected) in [
            (
                r#"{"type":"Point","coordinates":[24.9,-0.0,12.5]}"#,
                r#"{"type":"Point","coordinates":[0,24.9,12.5]}"#,
            ),
            (
                r#"{"type":"MultiPolygon","coordinates":[[[[1,2],[3,4],[5e-1,6],[1,2]]],[]]}"#,
                r#"{"type":"MultiPolygon","coordinates":[[[[2,1],[4,3],[6,0.5],[2,1]]],[]]}"#,
            ),
        ] {
            let mut out = Vec::new();
            placer.write(json.as_bytes(), &mut out).unwrap();
            assert_eq!(String::from_utf8(out).unwrap(), expected);
        }
    }
}
