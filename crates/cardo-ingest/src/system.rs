//! Whether what a source says of its reference system can be true, judged by its first positions.

use cardo_formats::{Format, RecordReader};
use cardo_spatial::Crs;
use geo_types::{Geometry, LineString};

use crate::error::IngestError;

/// So many records are looked at.
const SAMPLE: usize = 1_000;

/// Looks at the first positions of a source whose user has named no reference system; gives what a
/// user should know.
pub(crate) fn judge(
    source: &str,
    format: Format,
    reader: &mut (dyn RecordReader + Send),
) -> Result<Option<String>, IngestError> {
    let stated = reader.crs().map(Crs::from_user);
    let is_guessed = stated.is_none() && matches!(format, Format::GeoPackage | Format::Shapefile);
    match stated {
        Some(Ok(crs)) => believe(source, crs, &positions(reader)).map(|()| None),
        None if is_guessed => guess(source, &positions(reader)),
        // Of a system that is not known the plan will speak; other formats have one of their own.
        Some(Err(_)) | None => Ok(None),
    }
}

/// Refuses a system that most positions cannot be of. A few may be wrong in themselves.
fn believe(source: &str, crs: Crs, positions: &[[f64; 2]]) -> Result<(), IngestError> {
    let doubts: Vec<_> = positions.iter().filter_map(|at| Some((*at, crs.doubt(*at)?))).collect();
    match doubts.first() {
        Some((position, doubt)) if doubts.len() * 2 > positions.len() => {
            Err(IngestError::WrongCrs {
                source_name: source.to_owned(),
                crs,
                position: *position,
                doubt: *doubt,
            })
        }
        _ => Ok(()),
    }
}

/// Takes positions for longitude and latitude only where they can hardly be anything else.
fn guess(source: &str, positions: &[[f64; 2]]) -> Result<Option<String>, IngestError> {
    let is_degrees = |[x, y]: &[f64; 2]| x.abs() <= 180.0 && y.abs() <= 90.0;
    let Some(first) = positions.first() else { return Ok(None) };
    if let Some(other) = positions.iter().find(|at| !is_degrees(at)) {
        return Err(IngestError::NoCrs { source_name: source.to_owned(), position: *other });
    }
    // Whole numbers may be metres of a small plan as well.
    if positions.iter().flatten().all(|number| number.fract() == 0.0) {
        return Err(IngestError::NoCrs { source_name: source.to_owned(), position: *first });
    }
    Ok(Some(
        "the source names no reference system: its coordinates are taken for longitude and latitude"
            .to_owned(),
    ))
}

/// The first position of each of the first records.
fn positions(reader: &mut (dyn RecordReader + Send)) -> Vec<[f64; 2]> {
    let records = reader.take(SAMPLE).filter_map(Result::ok);
    let first = records.filter_map(|record| first_of(&record.geometry?.shape));
    first.collect()
}

fn first_of(shape: &Geometry<f64>) -> Option<[f64; 2]> {
    let line = |line: &LineString<f64>| line.0.first().map(|at| [at.x, at.y]);
    match shape {
        Geometry::Point(point) => Some([point.x(), point.y()]),
        Geometry::MultiPoint(points) => points.0.first().map(|point| [point.x(), point.y()]),
        Geometry::LineString(it) => line(it),
        Geometry::MultiLineString(lines) => lines.0.first().and_then(line),
        Geometry::Polygon(polygon) => line(polygon.exterior()),
        Geometry::MultiPolygon(polygons) => polygons.0.first().and_then(|p| line(p.exterior())),
        Geometry::GeometryCollection(members) => members.0.iter().find_map(first_of),
        Geometry::Line(_) | Geometry::Rect(_) | Geometry::Triangle(_) => None,
    }
}
