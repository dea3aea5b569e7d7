use geo_types::{
    Coord, Geometry as Shape, LineString, MultiLineString, MultiPoint, MultiPolygon, Point, Polygon,
};
use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, SeqAccess, Visitor};
use serde_json::value::RawValue;

use crate::{InvalidJson, JsonText};

mod canonical;

/// A GeoJSON geometry that may be the value of a GeoProperty: valid by RFC 7946, in WGS 84
/// longitude, latitude and, where given, height; never a GeometryCollection
/// (ETSI GS CIM 009, clause 4.7).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Geometry(JsonText);

/// Why a text is not a geometry that can be held.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidGeometry {
    /// Not JSON.
    #[error(transparent)]
    Json(#[from] InvalidJson),
    /// JSON, but not a geometry object.
    #[error("not a GeoJSON geometry: {0}")]
    Shape(String),
    /// A type that is no geometry of a GeoProperty.
    #[error(
        "the geometry type {0:?} is not one of Point, MultiPoint, LineString, MultiLineString, Polygon, MultiPolygon"
    )]
    Type(String),
    /// A number that is no longitude or latitude.
    #[error(
        "the position [{lon}, {lat}] is not on the globe: longitude goes from -180 to 180, latitude from -90 to 90"
    )]
    OffTheGlobe {
        /// The first number.
        lon: f64,
        /// The second number.
        lat: f64,
    },
    /// Fewer positions than the type needs.
    #[error("a {0} needs at least {1} positions")]
    TooFewPositions(&'static str, usize),
    /// A ring whose last position is not its first.
    #[error("a ring of the polygon is not closed: it begins at {0:?} and ends at {1:?}")]
    OpenRing([f64; 2], [f64; 2]),
}

#[derive(Deserialize)]
struct RawGeometry<'a> {
    #[serde(borrow, rename = "type")]
    kind: std::borrow::Cow<'a, str>,
    #[serde(borrow)]
    coordinates: Option<&'a RawValue>,
}

impl Geometry {
    /// Reads a GeoJSON geometry object and checks it.
    pub fn parse(text: &str) -> Result<Self, InvalidGeometry> {
        let json = JsonText::parse(text)?;
        let shape = read(json.as_str())?;
        check(&shape)?;
        Ok(Self(json))
    }

    /// Writes a shape as GeoJSON, in the order longitude, latitude, and checks it.
    pub fn from_shape(shape: &Shape<f64>) -> Result<Self, InvalidGeometry> {
        check(shape)?;
        write(shape).map(Self)
    }

    /// Takes text that was checked before, such as that of a record.
    pub fn from_canonical(text: impl Into<Box<str>>) -> Self {
        Self(JsonText::from_canonical(text))
    }

    /// The canonical GeoJSON text, heights included.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// The footprint: longitudes and latitudes without heights.
    pub fn shape(&self) -> Shape<f64> {
        read_shape(self.as_str()).expect("the text was checked when the geometry was made")
    }
}

/// Reads the footprint out of GeoJSON text, such as the value of a GeoProperty in a record.
pub fn read_shape(text: &str) -> Option<Shape<f64>> {
    let point = read_point(text).map(|[x, y]| Shape::Point(Point::new(x, y)));
    let simple = point.or_else(|| canonical::polygon(text).map(Shape::Polygon));
    simple.or_else(|| read(text).ok())
}

/// Reads the position of a canonical point without a general parser; `None` for all else.
pub fn read_point(text: &str) -> Option<[f64; 2]> {
    let Coord { x, y } = canonical::point(text)?;
    Some([x, y])
}

/// Reads the lowest and the highest height out of canonical GeoJSON text; `None` where no position
/// has one.
pub fn read_heights(text: &str) -> Option<[f64; 2]> {
    let (_, coordinates) = text.split_once("\"coordinates\":")?;
    let mut range: Option<[f64; 2]> = None;
    let mut depth = 0_usize;
    let mut start = 0;
    for (at, byte) in coordinates.bytes().enumerate() {
        match byte {
            b'[' => {
                depth += 1;
                start = at + 1;
            }
            b']' => {
                depth = depth.checked_sub(1)?;
                let third = coordinates.get(start..at).and_then(|text| text.split(',').nth(2));
                if let Some(height) = third.and_then(|text| text.parse::<f64>().ok()) {
                    let [low, high] = range.unwrap_or([height, height]);
                    range = Some([low.min(height), high.max(height)]);
                }
                // What closes next is a list of positions.
                start = at + 1;
                if depth == 0 {
                    break;
                }
            }
            _ => {}
        }
    }
    range
}

fn read(text: &str) -> Result<Shape<f64>, InvalidGeometry> {
    let shape_error = |error: serde_json::Error| InvalidGeometry::Shape(error.to_string());
    let raw: RawGeometry<'_> = serde_json::from_str(text).map_err(shape_error)?;
    let coordinates = |expected: &'static str| {
        raw.coordinates.map(RawValue::get).ok_or_else(|| {
            InvalidGeometry::Shape(format!("{expected} without the member coordinates"))
        })
    };
    match raw.kind.as_ref() {
        "Point" => {
            let position: Position = parse(coordinates("a Point")?)?;
            Ok(Shape::Point(Point(position.0)))
        }
        "MultiPoint" => {
            let positions: Vec<Position> = parse(coordinates("a MultiPoint")?)?;
            Ok(Shape::MultiPoint(MultiPoint(positions.into_iter().map(|p| Point(p.0)).collect())))
        }
        "LineString" => Ok(Shape::LineString(line(parse(coordinates("a LineString")?)?))),
        "MultiLineString" => {
            let lines: Vec<Vec<Position>> = parse(coordinates("a MultiLineString")?)?;
            Ok(Shape::MultiLineString(MultiLineString(lines.into_iter().map(line).collect())))
        }
        "Polygon" => Ok(Shape::Polygon(polygon(parse(coordinates("a Polygon")?)?)?)),
        "MultiPolygon" => {
            let polygons: Vec<Vec<Vec<Position>>> = parse(coordinates("a MultiPolygon")?)?;
            let polygons: Result<Vec<_>, _> = polygons.into_iter().map(polygon).collect();
            Ok(Shape::MultiPolygon(MultiPolygon(polygons?)))
        }
        other => Err(InvalidGeometry::Type(other.chars().take(64).collect())),
    }
}

fn parse<'a, T: Deserialize<'a>>(text: &'a str) -> Result<T, InvalidGeometry> {
    serde_json::from_str(text).map_err(|error| InvalidGeometry::Shape(error.to_string()))
}

struct Position(Coord<f64>);

impl<'de> Deserialize<'de> for Position {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Numbers;
        impl<'de> Visitor<'de> for Numbers {
            type Value = Position;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a position of two or three numbers")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Position, A::Error> {
                let too_short = |n| serde::de::Error::invalid_length(n, &self);
                let x = seq.next_element()?.ok_or_else(|| too_short(0))?;
                let y = seq.next_element()?.ok_or_else(|| too_short(1))?;
                let _height: Option<f64> = seq.next_element()?;
                while seq.next_element::<IgnoredAny>()?.is_some() {}
                Ok(Position(Coord { x, y }))
            }
        }
        deserializer.deserialize_seq(Numbers)
    }
}

fn line(positions: Vec<Position>) -> LineString<f64> {
    LineString(positions.into_iter().map(|p| p.0).collect())
}

fn polygon(rings: Vec<Vec<Position>>) -> Result<Polygon<f64>, InvalidGeometry> {
    let mut rings = rings.into_iter().map(line);
    let exterior = rings.next().ok_or(InvalidGeometry::TooFewPositions("ring of a Polygon", 4))?;
    let interiors: Vec<_> = rings.collect();
    // geo closes rings by itself, so an open one has to be found before.
    for ring in std::iter::once(&exterior).chain(&interiors) {
        check_ring(ring)?;
    }
    Ok(Polygon::new(exterior, interiors))
}

fn check_ring(ring: &LineString<f64>) -> Result<(), InvalidGeometry> {
    let (Some(first), Some(last)) = (ring.0.first(), ring.0.last()) else {
        return Err(InvalidGeometry::TooFewPositions("ring of a Polygon", 4));
    };
    if first != last {
        return Err(InvalidGeometry::OpenRing([first.x, first.y], [last.x, last.y]));
    }
    if ring.0.len() < 4 {
        return Err(InvalidGeometry::TooFewPositions("ring of a Polygon", 4));
    }
    Ok(())
}

fn check(shape: &Shape<f64>) -> Result<(), InvalidGeometry> {
    match shape {
        Shape::Point(point) => check_position(point.0),
        Shape::MultiPoint(points) => {
            at_least("MultiPoint", points.0.len(), 1)?;
            points.iter().try_for_each(|p| check_position(p.0))
        }
        Shape::LineString(line) => check_line(line),
        Shape::MultiLineString(lines) => {
            at_least("MultiLineString", lines.0.len(), 1)?;
            lines.iter().try_for_each(check_line)
        }
        Shape::Polygon(polygon) => check_polygon(polygon),
        Shape::MultiPolygon(polygons) => {
            at_least("MultiPolygon", polygons.0.len(), 1)?;
            polygons.iter().try_for_each(check_polygon)
        }
        Shape::GeometryCollection(_) => Err(InvalidGeometry::Type("GeometryCollection".to_owned())),
        Shape::Line(_) | Shape::Rect(_) | Shape::Triangle(_) => {
            Err(InvalidGeometry::Type("not of GeoJSON".to_owned()))
        }
    }
}

fn at_least(what: &'static str, found: usize, needed: usize) -> Result<(), InvalidGeometry> {
    if found < needed {
        return Err(InvalidGeometry::TooFewPositions(what, needed));
    }
    Ok(())
}

fn check_line(line: &LineString<f64>) -> Result<(), InvalidGeometry> {
    at_least("LineString", line.0.len(), 2)?;
    line.0.iter().try_for_each(|c| check_position(*c))
}

fn check_polygon(polygon: &Polygon<f64>) -> Result<(), InvalidGeometry> {
    for ring in std::iter::once(polygon.exterior()).chain(polygon.interiors()) {
        check_ring(ring)?;
        ring.0.iter().try_for_each(|c| check_position(*c))?;
    }
    Ok(())
}

fn check_position(position: Coord<f64>) -> Result<(), InvalidGeometry> {
    if position.x.abs() <= 180.0 && position.y.abs() <= 90.0 {
        return Ok(());
    }
    Err(InvalidGeometry::OffTheGlobe { lon: position.x, lat: position.y })
}

fn write(shape: &Shape<f64>) -> Result<JsonText, InvalidGeometry> {
    let mut out = String::with_capacity(64);
    let mut writer = Writer { out: &mut out };
    match shape {
        Shape::Point(p) => writer.object("Point", |w| w.position(p.0)),
        Shape::MultiPoint(ps) => {
            writer.object("MultiPoint", |w| w.list(&ps.0, |w, p| w.position(p.0)));
        }
        Shape::LineString(l) => writer.object("LineString", |w| w.line(l)),
        Shape::MultiLineString(ls) => {
            writer.object("MultiLineString", |w| w.list(&ls.0, Writer::line));
        }
        Shape::Polygon(p) => writer.object("Polygon", |w| w.polygon(p)),
        Shape::MultiPolygon(ps) => {
            writer.object("MultiPolygon", |w| w.list(&ps.0, Writer::polygon));
        }
        _ => return Err(InvalidGeometry::Type("GeometryCollection".to_owned())),
    }
    Ok(JsonText::from_canonical(out))
}

struct Writer<'a> {
    out: &'a mut String,
}

impl Writer<'_> {
    fn object(&mut self, kind: &str, coordinates: impl FnOnce(&mut Self)) {
        self.out.push_str("{\"type\":\"");
        self.out.push_str(kind);
        self.out.push_str("\",\"coordinates\":");
        coordinates(self);
        self.out.push('}');
    }

    fn list<T>(&mut self, items: &[T], mut item: impl FnMut(&mut Self, &T)) {
        self.out.push('[');
        for (at, each) in items.iter().enumerate() {
            if at > 0 {
                self.out.push(',');
            }
            item(self, each);
        }
        self.out.push(']');
    }

    fn position(&mut self, c: Coord<f64>) {
        self.out.push('[');
        self.number(c.x);
        self.out.push(',');
        self.number(c.y);
        self.out.push(']');
    }

    fn number(&mut self, value: f64) {
        self.out.push_str(ryu::Buffer::new().format_finite(value));
    }

    fn line(&mut self, line: &LineString<f64>) {
        self.list(&line.0, |w, c| w.position(*c));
    }

    fn polygon(&mut self, polygon: &Polygon<f64>) {
        let rings: Vec<_> =
            std::iter::once(polygon.exterior()).chain(polygon.interiors()).collect();
        self.list(&rings, |w, ring| w.line(ring));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_point_keeps_its_height_and_digits() {
        let point =
            Geometry::parse(r#"{"type": "Point", "coordinates": [24.90, 60.1, 12]}"#).unwrap();
        assert_eq!(point.as_str(), r#"{"type":"Point","coordinates":[24.90,60.1,12]}"#);
        assert_eq!(point.shape(), Shape::Point(Point::new(24.9, 60.1)));
    }

    #[test]
    fn heights_are_those_of_positions() {
        let heights = |text: &str| read_heights(Geometry::parse(text).unwrap().as_str());
        assert_eq!(heights(r#"{"type":"Point","coordinates":[24.9,60.1]}"#), None);
        assert_eq!(heights(r#"{"type":"Point","coordinates":[24.9,60.1,12]}"#), Some([12.0, 12.0]));
        let ring = r#"{"type":"Polygon","coordinates":[[[0,0,-1],[1,0,5],[1,1],[0,0,-1]]]}"#;
        assert_eq!(heights(ring), Some([-1.0, 5.0]));
        let three = r#"{"type":"LineString","coordinates":[[0,0],[1,0],[2,0]],"bbox":[0,0,9,9]}"#;
        assert_eq!(heights(three), None);
    }

    #[test]
    fn every_kind_survives_text() {
        for text in [
            r#"{"type":"MultiPoint","coordinates":[[1.0,2.0],[3.0,4.0]]}"#,
            r#"{"type":"LineString","coordinates":[[1.0,2.0],[3.0,4.0]]}"#,
            r#"{"type":"MultiLineString","coordinates":[[[1.0,2.0],[3.0,4.0]]]}"#,
            r#"{"type":"Polygon","coordinates":[[[0.0,0.0],[1.0,0.0],[1.0,1.0],[0.0,0.0]]]}"#,
            r#"{"type":"MultiPolygon","coordinates":[[[[0.0,0.0],[1.0,0.0],[1.0,1.0],[0.0,0.0]]]]}"#,
        ] {
            let geometry = Geometry::parse(text).unwrap();
            assert_eq!(Geometry::from_shape(&geometry.shape()).unwrap().as_str(), text);
        }
    }

    #[test]
    fn what_is_no_geometry_is_refused() {
        for text in [
            "1",
            "{}",
            r#"{"type":"Point"}"#,
            r#"{"type":"Point","coordinates":[1]}"#,
            r#"{"type":"Point","coordinates":["1","2"]}"#,
            r#"{"type":"Point","coordinates":[1e999,2]}"#,
            r#"{"type":"Point","coordinates":[10,91]}"#,
            r#"{"type":"Point","coordinates":[181,1]}"#,
            r#"{"type":"LineString","coordinates":[[1,2]]}"#,
            r#"{"type":"Polygon","coordinates":[]}"#,
            r#"{"type":"Polygon","coordinates":[[[0,0],[1,0],[1,1],[0,1]]]}"#,
            r#"{"type":"Polygon","coordinates":[[[0,0],[1,0],[0,0]]]}"#,
            r#"{"type":"MultiPoint","coordinates":[]}"#,
            r#"{"type":"GeometryCollection","geometries":[]}"#,
            r#"{"type":"Circle","coordinates":[1,2]}"#,
        ] {
            assert!(Geometry::parse(text).is_err(), "{text} was accepted");
        }
    }
}
