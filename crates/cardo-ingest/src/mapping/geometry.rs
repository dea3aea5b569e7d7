//! Geometries of a source brought to WGS 84.

use cardo_formats::geojson::{parse_geometry, write_geometry};
use cardo_formats::{FieldValue, Limits, RecordGeometry, wkt};
use cardo_model::Geometry;
use cardo_spatial::{Crs, is_self_crossing, onto_globe};
use geo_types::{Geometry as Shape, Point};

use super::fault::MapFault;

/// The reference system of a source, and whether anybody has named it.
#[derive(Clone, Debug)]
pub(crate) struct Placement {
    pub(crate) crs: Crs,
    pub(crate) is_stated: bool,
}

/// A geometry that can be stored, and whether it crosses itself.
pub(crate) struct Placed {
    pub(crate) geometry: Geometry,
    pub(crate) self_crossing: bool,
}

impl Placement {
    /// Brings a geometry to WGS 84, its heights to metres.
    pub(crate) fn place(&self, geometry: &RecordGeometry) -> Result<Placed, MapFault> {
        let transformed;
        let placed = if self.crs.is_lon_lat() {
            onto_globe(&geometry.shape).map(|shape| (shape, geometry.heights.clone()))
        } else {
            Some(self.crs.place_with_heights(&geometry.shape, &geometry.heights)?)
        };
        let geometry = match placed {
            Some((shape, heights)) => {
                transformed = RecordGeometry { shape, heights };
                &transformed
            }
            None => geometry,
        };
        let checked = if geometry.heights.is_empty() {
            Geometry::from_shape(&geometry.shape)
        } else {
            Geometry::from_shape(&geometry.shape)
                .and_then(|_| Geometry::parse(&write_geometry(geometry)))
        };
        let checked = checked.map_err(|error| match error {
            cardo_model::InvalidGeometry::OffTheGlobe { .. } if !self.is_stated => {
                MapFault::Unlocated(error)
            }
            other => MapFault::Geometry(other),
        })?;
        Ok(Placed { geometry: checked, self_crossing: is_self_crossing(&geometry.shape) })
    }
}

/// A point out of the values of two or three fields.
pub(crate) fn point(
    x: &FieldValue,
    y: &FieldValue,
    z: Option<&FieldValue>,
    number: impl Fn(&FieldValue) -> Option<f64>,
) -> Result<RecordGeometry, MapFault> {
    let read = |value: &FieldValue| {
        number(value).ok_or_else(|| {
            MapFault::Shape(format!("`{}` is not a coordinate", value.to_text().trim()))
        })
    };
    let shape = Shape::Point(Point::new(read(x)?, read(y)?));
    Ok(RecordGeometry { shape, heights: z.map(read).transpose()?.into_iter().collect() })
}

/// A geometry written as text in a field: WKT, or GeoJSON.
pub(crate) fn from_field(value: &FieldValue) -> Result<Option<RecordGeometry>, MapFault> {
    let shape_fault = |error: cardo_formats::Fault| MapFault::Shape(error.to_string());
    let text = value.to_text();
    if text.trim_start().starts_with('{') {
        return parse_geometry(&text, &Limits::default()).map_err(shape_fault);
    }
    wkt::parse(&text).map(|read| read.geometry).map_err(shape_fault)
}
