//! Geometries of FlatGeobuf, whose coordinates stand in flat arrays.

use flatgeobuf::{Geometry as Flat, GeometryType};
use geo_types::{
    Coord, Geometry, GeometryCollection, MultiLineString, MultiPoint, MultiPolygon, Point,
};

use crate::{
    Fault, RecordGeometry,
    geometry::{Heights, coord, line, polygon},
};

/// Reads a geometry. `declared` is what the header says of all features.
pub(super) fn read(
    flat: Flat<'_>,
    declared: GeometryType,
    depth: usize,
) -> Result<Option<RecordGeometry>, Fault> {
    let kind = if declared == GeometryType::Unknown { flat.type_() } else { declared };
    let mut heights = Heights::default();
    let shape = shape(flat, kind, &mut heights, depth)?;
    Ok(shape.map(|shape| heights.with(shape)))
}

fn shape(
    flat: Flat<'_>,
    kind: GeometryType,
    heights: &mut Heights,
    depth: usize,
) -> Result<Option<Geometry<f64>>, Fault> {
    let Some(depth) = depth.checked_sub(1) else {
        return Err(Fault::geometry("geometries nested too deep"));
    };
    let parts = flat.parts().filter(|parts| !parts.is_empty());
    if kind == GeometryType::GeometryCollection {
        let mut members = Vec::new();
        for part in parts.iter().flatten() {
            members.extend(shape(part, part.type_(), heights, depth)?);
        }
        if members.is_empty() {
            return Ok(None);
        }
        return Ok(Some(Geometry::GeometryCollection(GeometryCollection(members))));
    }
    if kind == GeometryType::MultiPolygon
        && let Some(parts) = parts
    {
        let parts = parts.iter().map(|part| polygon(rings(part, heights)?));
        return Ok(Some(MultiPolygon(parts.collect::<Result<_, _>>()?).into()));
    }
    if flat.xy().is_none_or(|xy| xy.is_empty()) {
        return Ok(None);
    }
    Ok(Some(match kind {
        GeometryType::Point => {
            let positions = positions(flat, heights)?;
            match positions.as_slice() {
                [position] => Point(*position).into(),
                more => {
                    let detail = format!("a point of {} positions", more.len());
                    return Err(Fault::geometry(detail));
                }
            }
        }
        GeometryType::MultiPoint => {
            let positions = positions(flat, heights)?;
            MultiPoint(positions.into_iter().map(Point).collect()).into()
        }
        GeometryType::LineString => line(positions(flat, heights)?)?.into(),
        GeometryType::MultiLineString => {
            let lines = rings(flat, heights)?.into_iter().map(line);
            MultiLineString(lines.collect::<Result<_, _>>()?).into()
        }
        GeometryType::Polygon => polygon(rings(flat, heights)?)?.into(),
        GeometryType::MultiPolygon => MultiPolygon(vec![polygon(rings(flat, heights)?)?]).into(),
        other => {
            let name = other.variant_name().unwrap_or("unknown");
            let detail = format!("geometries of type {name} are not read");
            return Err(Fault::geometry(detail));
        }
    }))
}

fn positions(flat: Flat<'_>, heights: &mut Heights) -> Result<Vec<Coord<f64>>, Fault> {
    let Some(xy) = flat.xy() else { return Ok(Vec::new()) };
    if xy.len() % 2 == 1 {
        return Err(Fault::geometry("an odd number of ordinates"));
    }
    let count = xy.len() / 2;
    let z = flat.z().filter(|z| !z.is_empty());
    if let Some(z) = z
        && z.len() != count
    {
        let detail = format!("{} heights for {count} positions", z.len());
        return Err(Fault::geometry(detail));
    }
    (0..count)
        .map(|index| {
            heights.take(z.map(|z| z.get(index)))?;
            coord(xy.get(2 * index), xy.get(2 * index + 1))
        })
        .collect()
}

/// The positions cut at `ends`; without these they are one piece.
fn rings(flat: Flat<'_>, heights: &mut Heights) -> Result<Vec<Vec<Coord<f64>>>, Fault> {
    let mut rest = positions(flat, heights)?;
    let Some(ends) = flat.ends().filter(|ends| !ends.is_empty()) else {
        return Ok(vec![rest]);
    };
    let total = rest.len();
    let mut rings = Vec::new();
    let mut start = 0;
    for end in ends {
        let end = end as usize;
        if end < start || end > total {
            let detail = format!("a part that ends at {end} of {total} positions");
            return Err(Fault::geometry(detail));
        }
        let behind = rest.split_off(end - start);
        rings.push(std::mem::replace(&mut rest, behind));
        start = end;
    }
    if start < total {
        return Err(Fault::geometry("positions behind the last part"));
    }
    Ok(rings)
}
