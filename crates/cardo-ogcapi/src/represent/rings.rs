//! Rings by the right-hand rule (RFC 7946, clause 3.1.6). A twin holds geometries as they were sent; what is shown of
//! them as features has its positions in the order that the rule wants, their digits and heights as they are.

use std::borrow::Cow;
use std::ops::RangeInclusive;

use cardo_model::read_shape;
use cardo_spatial::wrong_rings;
use geo_types::Geometry;

/// The canonical text of a geometry, its rings by the right-hand rule.
pub(crate) fn right_handed(json: &[u8]) -> Cow<'_, [u8]> {
    turned(json).map_or(Cow::Borrowed(json), Cow::Owned)
}

/// The text with those rings turned that run the wrong way; nothing where none does.
fn turned(json: &[u8]) -> Option<Vec<u8>> {
    if json.starts_with(b"{\"type\":\"Point\"") {
        return None;
    }
    let shape = read_shape(str::from_utf8(json).ok()?)?;
    // How deep in the brackets positions stand.
    let depth = match shape {
        Geometry::Polygon(_) => 3,
        Geometry::MultiPolygon(_) => 4,
        _ => return None,
    };
    let wrong = wrong_rings(&shape);
    if !wrong.contains(&true) {
        return None;
    }
    Some(turn(json, coordinates_at(json)?, depth, &wrong))
}

/// Writes a text with the positions of some rings in the opposite order.
fn turn(json: &[u8], start: usize, positions: usize, wrong: &[bool]) -> Vec<u8> {
    let mut out = Vec::with_capacity(json.len());
    let mut ring: Vec<RangeInclusive<usize>> = Vec::new();
    let mut wrong = wrong.iter();
    let (mut depth, mut opened, mut copied) = (0, 0, 0);
    for (at, byte) in json.iter().enumerate().skip(start) {
        match byte {
            b'[' => {
                depth += 1;
                opened = at;
            }
            b']' => {
                if depth == positions {
                    ring.push(opened..=at);
                } else if depth + 1 == positions {
                    if wrong.next() == Some(&true)
                        && let Some(first) = ring.first()
                    {
                        out.extend_from_slice(&json[copied..*first.start()]);
                        for (nth, position) in ring.iter().rev().enumerate() {
                            if nth > 0 {
                                out.push(b',');
                            }
                            out.extend_from_slice(&json[position.clone()]);
                        }
                        copied = at;
                    }
                    ring.clear();
                }
                depth -= 1;
                if depth == 0 {
                    break;
                }
            }
            _ => {}
        }
    }
    out.extend_from_slice(&json[copied..]);
    out
}

/// Where the value of the object's own member `coordinates` begins.
fn coordinates_at(json: &[u8]) -> Option<usize> {
    const NAME: &[u8] = b"\"coordinates\"";
    let (mut depth, mut at) = (0, 0);
    while let Some(byte) = json.get(at) {
        match byte {
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth -= 1,
            b'"' => {
                let end = at + string_length(&json[at..]);
                if depth == 1 && json.get(at..end) == Some(NAME) && json.get(end) == Some(&b':') {
                    return Some(end + 1);
                }
                at = end;
                continue;
            }
            _ => {}
        }
        at += 1;
    }
    None
}

/// How long the string is that a text begins with, quotes included.
fn string_length(json: &[u8]) -> usize {
    let mut at = 1;
    while let Some(byte) = json.get(at) {
        match byte {
            b'"' => return at + 1,
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    json.len()
}

#[cfg(test)]
mod tests {
    use cardo_model::Geometry as Held;
    use geo_types::{Coord, LineString, MultiPolygon, Polygon};
    use proptest::prelude::*;

    use super::*;

    fn shown(json: &str) -> String {
        let held = Held::parse(json).unwrap();
        String::from_utf8(right_handed(held.as_str().as_bytes()).into_owned()).unwrap()
    }

    #[test]
    fn f36_positions_keep_their_digits_and_heights_and_all_else_stays() {
        for (stored, expected) in [
            (
                r#"{"type":"Polygon","coordinates":[[[0,0.0,1],[0,9.50],[9,9e0,3],[0,0,4]]]}"#,
                r#"{"type":"Polygon","coordinates":[[[0,0,4],[9,9e0,3],[0,9.50],[0,0.0,1]]]}"#,
            ),
            (
                r#"{"bbox":[0,0,9,9],"coordinates":[[[0,0],[0,9],[9,9],[0,0]]],"x":{"coordinates":[[1]]},"type":"Polygon"}"#,
                r#"{"bbox":[0,0,9,9],"coordinates":[[[0,0],[9,9],[0,9],[0,0]]],"x":{"coordinates":[[1]]},"type":"Polygon"}"#,
            ),
            (
                r#"{"type":"MultiPolygon","coordinates":[[[[0,0],[9,0],[9,9],[0,0]],[[5,1],[6,1],[6,2],[5,1]]],[[[20,0],[20,9],[29,9],[20,0]]]]}"#,
                r#"{"type":"MultiPolygon","coordinates":[[[[0,0],[9,0],[9,9],[0,0]],[[5,1],[6,2],[6,1],[5,1]]],[[[20,0],[29,9],[20,9],[20,0]]]]}"#,
            ),
        ] {
            assert_eq!(shown(stored), expected);
            assert_eq!(shown(expected), expected);
        }
        for right in [
            r#"{"type":"Point","coordinates":[1,2]}"#,
            r#"{"type":"LineString","coordinates":[[0,0],[0,9],[9,9],[0,0]]}"#,
            r#"{"type":"MultiLineString","coordinates":[[[0,0],[0,9],[9,9],[0,0]]]}"#,
            r#"{"type":"Polygon","coordinates":[[[170,0],[-170,0],[-170,9],[170,9],[170,0]]]}"#,
        ] {
            assert_eq!(shown(right), right);
        }
    }

    fn star() -> impl Strategy<Value = LineString<f64>> {
        let center = (-90.0..90.0_f64, -60.0..60.0_f64);
        (center, prop::collection::vec(0.1..9.0_f64, 3..20), any::<bool>()).prop_map(
            |((x, y), radii, turns)| {
                #[expect(clippy::cast_precision_loss, reason = "few corners")]
                let step = std::f64::consts::TAU / radii.len() as f64;
                let mut angle = 0.0;
                let mut ring: Vec<_> = radii
                    .iter()
                    .map(|radius| {
                        angle += step;
                        Coord { x: x + radius * angle.cos(), y: y + radius * angle.sin() }
                    })
                    .collect();
                ring.extend(ring.first().copied());
                if turns {
                    ring.reverse();
                }
                LineString(ring)
            },
        )
    }

    proptest! {
        #[test]
        fn f36_exteriors_run_counterclockwise_and_holes_clockwise(
            stars in prop::collection::vec(prop::collection::vec(star(), 1..4), 1..4),
        ) {
            let polygons: Vec<_> = stars.iter().map(|rings| {
                Polygon::new(rings[0].clone(), rings[1..].to_vec())
            }).collect();
            let stored = Held::from_shape(&MultiPolygon(polygons.clone()).into()).unwrap();
            let Geometry::MultiPolygon(after) = read_shape(&shown(stored.as_str())).unwrap() else {
                panic!("several polygons")
            };
            for (before, after) in polygons.iter().zip(&after) {
                let rings = |polygon: &Polygon<f64>| {
                    std::iter::once(polygon.exterior().clone())
                        .chain(polygon.interiors().iter().cloned())
                        .collect::<Vec<_>>()
                };
                for (nth, (before, after)) in rings(before).iter().zip(&rings(after)).enumerate() {
                    let area: f64 = after.lines().map(|edge| edge.determinant()).sum();
                    prop_assert!(area == 0.0 || (area > 0.0) == (nth == 0), "{after:?}");
                    let mut back = after.clone();
                    back.0.reverse();
                    prop_assert!(before == after || *before == back);
                }
            }
        }
    }
}
