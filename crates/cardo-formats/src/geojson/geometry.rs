//! GeoJSON geometries (RFC 7946, 3.1).

use std::fmt;

use geo_types::{
    Coord, Geometry, GeometryCollection, LineString, MultiLineString, MultiPoint, MultiPolygon,
    Point, Polygon,
};
use serde::{
    Deserialize, Deserializer,
    de::{self, SeqAccess, Visitor},
};
use serde_json::value::RawValue;

use crate::{
    Fault, Limits, RecordGeometry,
    geometry::{Heights, coord, line, polygon},
};

#[derive(Deserialize)]
pub(super) struct RawGeometry<'a> {
    #[serde(rename = "type")]
    pub(super) kind: String,
    #[serde(borrow)]
    pub(super) coordinates: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) geometries: Option<&'a RawValue>,
}

/// A position: two numbers, a height, and anything behind it unheard.
struct Position {
    x: f64,
    y: f64,
    z: Option<f64>,
}

impl<'de> Deserialize<'de> for Position {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Numbers;
        impl<'de> Visitor<'de> for Numbers {
            type Value = Position;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a position of two or three numbers")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Position, A::Error> {
                let missing = |count| de::Error::invalid_length(count, &self);
                let x = seq.next_element()?.ok_or_else(|| missing(0))?;
                let y = seq.next_element()?.ok_or_else(|| missing(1))?;
                let z = seq.next_element()?;
                while seq.next_element::<f64>()?.is_some() {}
                Ok(Position { x, y, z })
            }
        }
        deserializer.deserialize_seq(Numbers)
    }
}

/// Reads a GeoJSON geometry object; `None` for `null` and for a geometry
/// without positions.
pub fn parse_geometry(text: &str, limits: &Limits) -> Result<Option<RecordGeometry>, Fault> {
    if text.trim() == "null" {
        return Ok(None);
    }
    let raw: RawGeometry<'_> = serde_json::from_str(text).map_err(malformed)?;
    raw.into_geometry(limits)
}

impl RawGeometry<'_> {
    pub(super) fn into_geometry(self, limits: &Limits) -> Result<Option<RecordGeometry>, Fault> {
        let mut heights = Heights::default();
        let shape = shape(&self, &mut heights, limits.depth)?;
        Ok(shape.map(|shape| heights.with(shape)))
    }
}

/// The geometry types of RFC 7946.
pub(super) fn is_geometry_type(kind: &str) -> bool {
    matches!(
        kind,
        "Point"
            | "LineString"
            | "Polygon"
            | "MultiPoint"
            | "MultiLineString"
            | "MultiPolygon"
            | "GeometryCollection"
    )
}

fn shape(
    raw: &RawGeometry<'_>,
    heights: &mut Heights,
    depth: usize,
) -> Result<Option<Geometry<f64>>, Fault> {
    if raw.kind == "GeometryCollection" {
        return collection(raw.geometries, heights, depth);
    }
    if !is_geometry_type(&raw.kind) {
        let detail = format!("`{}` is no geometry type", raw.kind);
        return Err(Fault::geometry(detail));
    }
    let Some(coordinates) = raw.coordinates else {
        let detail = format!("a {} without coordinates", raw.kind);
        return Err(Fault::geometry(detail));
    };
    // RFC 7946, 3.1: an empty array may be read as no geometry.
    let text = coordinates.get();
    let inside = text.strip_prefix('[').map(str::trim_start);
    if inside.is_some_and(|inside| inside.starts_with(']')) {
        return Ok(None);
    }
    let mut build = Build { heights };
    Ok(Some(match raw.kind.as_str() {
        "Point" => Point(build.coord(&parse(text)?)?).into(),
        "MultiPoint" => {
            let positions = build.coords(&parse::<Vec<Position>>(text)?)?;
            MultiPoint(positions.into_iter().map(Point).collect()).into()
        }
        "LineString" => build.line(&parse::<Vec<_>>(text)?)?.into(),
        "MultiLineString" => {
            let lines: Vec<Vec<Position>> = parse(text)?;
            let lines = lines.iter().map(|line| build.line(line));
            MultiLineString(lines.collect::<Result<_, _>>()?).into()
        }
        "Polygon" => build.polygon(&parse::<Vec<_>>(text)?)?.into(),
        _ => {
            let polygons: Vec<Vec<Vec<Position>>> = parse(text)?;
            let polygons = polygons.iter().map(|rings| build.polygon(rings));
            MultiPolygon(polygons.collect::<Result<_, _>>()?).into()
        }
    }))
}

fn collection(
    members: Option<&RawValue>,
    heights: &mut Heights,
    depth: usize,
) -> Result<Option<Geometry<f64>>, Fault> {
    let Some(members) = members else {
        return Err(Fault::geometry("a GeometryCollection without geometries"));
    };
    let Some(depth) = depth.checked_sub(1) else {
        return Err(Fault::geometry("geometry collections nested too deep"));
    };
    let members: Vec<RawGeometry<'_>> = parse(members.get())?;
    let mut shapes = Vec::with_capacity(members.len());
    for member in members {
        shapes.extend(shape(&member, heights, depth)?);
    }
    if shapes.is_empty() {
        return Ok(None);
    }
    Ok(Some(Geometry::GeometryCollection(GeometryCollection(shapes))))
}

struct Build<'h> {
    heights: &'h mut Heights,
}

impl Build<'_> {
    fn coord(&mut self, position: &Position) -> Result<Coord<f64>, Fault> {
        self.heights.take(position.z)?;
        coord(position.x, position.y)
    }

    fn coords(&mut self, positions: &[Position]) -> Result<Vec<Coord<f64>>, Fault> {
        positions.iter().map(|position| self.coord(position)).collect()
    }

    fn line(&mut self, positions: &[Position]) -> Result<LineString<f64>, Fault> {
        line(self.coords(positions)?)
    }

    fn polygon(&mut self, rings: &[Vec<Position>]) -> Result<Polygon<f64>, Fault> {
        let rings = rings.iter().map(|ring| self.coords(ring));
        polygon(rings.collect::<Result<_, _>>()?)
    }
}

fn parse<'a, T: Deserialize<'a>>(text: &'a str) -> Result<T, Fault> {
    serde_json::from_str(text).map_err(malformed)
}

fn malformed(error: serde_json::Error) -> Fault {
    Fault::malformed("geometry", error)
}
