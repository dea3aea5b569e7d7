use std::sync::Arc;

use cardo_model::{Geometry, InvalidGeometry};
use cardo_spatial::GeoRelation;
use serde_json::value::RawValue;

use super::{InvalidName, NameResolver};
use crate::{Datasets, Filter, GeoCondition, GeoTest};

/// The longest coordinates of a reference geometry that are read, in bytes.
pub const MAX_COORDINATES_BYTES: usize = 1 << 20;

/// The property that a geoquery looks at where it names none (clause 4.10).
const DEFAULT_GEO_PROPERTY: &str = "location";

/// The parameters of a geoquery as they came (clause 4.10).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GeoParameters<'a> {
    /// `georel`.
    pub relation: Option<&'a str>,
    /// `geometry`: the GeoJSON type of the reference geometry.
    pub geometry: Option<&'a str>,
    /// `coordinates`: those of the reference geometry, as JSON.
    pub coordinates: Option<&'a str>,
    /// `geoproperty`.
    pub property: Option<&'a str>,
}

/// Why a geoquery was refused.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum GeoError {
    /// A parameter that the others need.
    #[error("{0} is missing: a geoquery needs georel, geometry and coordinates")]
    Missing(&'static str),
    /// A relation that does not exist.
    #[error(
        "georel {0:?} is not one of near;maxDistance==METRES, near;minDistance==METRES, within, contains, intersects, equals, disjoint, overlaps"
    )]
    Relation(String),
    /// A distance that is no positive number.
    #[error("the distance {0:?} of georel is not a number of metres greater than 0")]
    Distance(String),
    /// Coordinates that are no JSON array.
    #[error("coordinates {0:?} are not an array of numbers or of arrays")]
    Coordinates(String),
    /// Coordinates of more than [`MAX_COORDINATES_BYTES`].
    #[error(
        "coordinates of {0} bytes are longer than the {MAX_COORDINATES_BYTES} that are accepted"
    )]
    TooLong(usize),
    /// Type and coordinates are no geometry.
    #[error("the reference geometry: {0}")]
    Geometry(#[from] InvalidGeometry),
    /// A property that does not expand.
    #[error("geoproperty: {0}")]
    Property(InvalidName),
    /// A geoquery that is no JSON object with the members of Table 5.2.13-1.
    #[error("the geoquery is not as table 5.2.13-1 has it: {0}")]
    Object(String),
}

/// Reads a geoquery; `None` where none of its parameters was given, but for `geoproperty`, which
/// stands with an order by distance as well.
pub fn parse_geo(
    parameters: GeoParameters<'_>,
    names: &impl NameResolver,
) -> Result<Option<Filter>, GeoError> {
    let GeoParameters { relation, geometry, coordinates, property } = parameters;
    if relation.is_none() && geometry.is_none() && coordinates.is_none() {
        return Ok(None);
    }
    let relation = parse_relation(relation.ok_or(GeoError::Missing("georel"))?)?;
    let kind = geometry.ok_or(GeoError::Missing("geometry"))?;
    let coordinates = coordinates.ok_or(GeoError::Missing("coordinates"))?;
    let reference = parse_geometry(kind, coordinates)?;
    let property =
        names.attribute(property.unwrap_or(DEFAULT_GEO_PROPERTY)).map_err(GeoError::Property)?;
    Ok(Some(Filter::Geo(GeoCondition {
        property,
        test: Arc::new(GeoTest::new(relation, reference.shape())),
        missing_matches: false,
        datasets: Datasets::Any,
    })))
}

/// Reads the JSON object of a geoquery (clause 5.2.13), whose coordinates may stand in a string.
pub fn parse_geo_query(json: &str, names: &impl NameResolver) -> Result<Filter, GeoError> {
    let members: std::collections::HashMap<String, &RawValue> =
        serde_json::from_str(json).map_err(|error| GeoError::Object(error.to_string()))?;
    let known = ["georel", "geometry", "coordinates", "geoproperty"];
    if let Some(other) = members.keys().find(|name| !known.contains(&name.as_str())) {
        return Err(GeoError::Object(format!("unknown member {:?}", shorten(other))));
    }
    let text = |name: &str| -> Result<Option<String>, GeoError> {
        let Some(value) = members.get(name) else { return Ok(None) };
        serde_json::from_str(value.get())
            .map(Some)
            .map_err(|_| GeoError::Object(format!("{name} is not a string")))
    };
    let coordinates = match members.get("coordinates").map(|value| value.get()) {
        Some(quoted) if quoted.starts_with('"') => text("coordinates")?,
        other => other.map(str::to_owned),
    };
    let (relation, geometry, property) = (text("georel")?, text("geometry")?, text("geoproperty")?);
    let parameters = GeoParameters {
        relation: relation.as_deref(),
        geometry: geometry.as_deref(),
        coordinates: coordinates.as_deref(),
        property: property.as_deref(),
    };
    parse_geo(parameters, names)?.ok_or(GeoError::Missing("georel"))
}

fn parse_relation(text: &str) -> Result<GeoRelation, GeoError> {
    let mut parts = text.split(';').map(str::trim);
    let relation = match (parts.next(), parts.next(), parts.next()) {
        (Some("near"), Some(modifier), None) => parse_near(modifier, text)?,
        (Some("within"), None, _) => GeoRelation::Within,
        (Some("contains"), None, _) => GeoRelation::Contains,
        (Some("intersects"), None, _) => GeoRelation::Intersects,
        (Some("equals"), None, _) => GeoRelation::Equals,
        (Some("disjoint"), None, _) => GeoRelation::Disjoint,
        (Some("overlaps"), None, _) => GeoRelation::Overlaps,
        _ => return Err(GeoError::Relation(shorten(text))),
    };
    Ok(relation)
}

fn parse_near(modifier: &str, whole: &str) -> Result<GeoRelation, GeoError> {
    match modifier.split_once("==").map(|(name, metres)| (name.trim(), metres.trim())) {
        Some(("maxDistance", metres)) => {
            Ok(GeoRelation::Near { min: None, max: Some(parse_metres(metres)?) })
        }
        Some(("minDistance", metres)) => {
            Ok(GeoRelation::Near { min: Some(parse_metres(metres)?), max: None })
        }
        _ => Err(GeoError::Relation(shorten(whole))),
    }
}

/// A number of RFC 8259, section 6, that is finite and greater than 0.
fn parse_metres(text: &str) -> Result<f64, GeoError> {
    serde_json::from_str::<serde_json::Number>(text)
        .ok()
        .and_then(|number| number.as_f64())
        .filter(|metres| metres.is_finite() && *metres > 0.0)
        .ok_or_else(|| GeoError::Distance(shorten(text)))
}

/// Reads a geometry by its GeoJSON type and its coordinates in JSON.
pub fn parse_geometry(kind: &str, coordinates: &str) -> Result<Geometry, GeoError> {
    if coordinates.len() > MAX_COORDINATES_BYTES {
        return Err(GeoError::TooLong(coordinates.len()));
    }
    let is_array = coordinates.trim_start().starts_with('[')
        && serde_json::from_str::<&RawValue>(coordinates).is_ok();
    if !is_array {
        return Err(GeoError::Coordinates(shorten(coordinates)));
    }
    let kind = serde_json::to_string(kind).expect("a text is always JSON");
    Ok(Geometry::parse(&format!("{{\"type\":{kind},\"coordinates\":{coordinates}}}"))?)
}

fn shorten(text: &str) -> String {
    text.chars().take(80).collect()
}
