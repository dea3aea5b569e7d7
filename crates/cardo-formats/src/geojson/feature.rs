//! One GeoJSON object as a record: a Feature, or a geometry by itself.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::{
    geometry::{RawGeometry, is_geometry_type},
    value::{self, Members},
};
use crate::{
    Fault, Limits, Record,
    error::Place,
    names::Names,
    source::{Keep, Source},
};

/// A Feature or a geometry, before it is known which.
#[derive(Deserialize)]
struct RawObject<'a> {
    #[serde(rename = "type")]
    kind: Option<String>,
    #[serde(borrow)]
    id: Option<&'a RawValue>,
    #[serde(borrow)]
    geometry: Option<RawGeometry<'a>>,
    #[serde(borrow)]
    properties: Option<Members<'a>>,
    #[serde(borrow)]
    coordinates: Option<&'a RawValue>,
    #[serde(borrow)]
    geometries: Option<&'a RawValue>,
}

/// Reads one GeoJSON Feature, or a geometry standing by itself.
///
/// # Errors
/// The reason why the text is no feature.
pub fn parse_feature(text: &[u8], limits: &Limits) -> Result<Record, Fault> {
    if text.len() > limits.record_bytes {
        return Err(Fault::TooLong { limit: limits.record_bytes });
    }
    parse_within(text, Place::default(), limits, &mut Names::default())
}

/// Reads the text of a feature whose depth is still to be judged.
pub(super) fn parse_within(
    text: &[u8],
    place: Place,
    limits: &Limits,
    names: &mut Names,
) -> Result<Record, Fault> {
    let mut source = Source::new(text);
    let mut keep = Keep::depth_only(limits.depth);
    source.skip_white_space()?;
    source.json_value(&mut keep)?;
    keep.verdict()?;
    parse(text, place, limits, names)
}

/// Reads the text of a feature whose length and depth are within the limits.
pub(crate) fn parse(
    text: &[u8],
    place: Place,
    limits: &Limits,
    names: &mut Names,
) -> Result<Record, Fault> {
    let text = std::str::from_utf8(text)
        .map_err(|error| Fault::NotUtf8 { offset: place.offset + error.valid_up_to() as u64 })?;
    let raw: RawObject<'_> =
        serde_json::from_str(text).map_err(|error| Fault::malformed("GeoJSON", error))?;
    match raw.kind {
        Some(kind) if kind == "Feature" => Ok(Record {
            id: raw.id.map(value::id).transpose()?,
            geometry: match raw.geometry {
                Some(geometry) => geometry.into_geometry(limits)?,
                None => None,
            },
            fields: raw.properties.unwrap_or_default().into_fields(names)?,
            ..Record::at(place)
        }),
        Some(kind) if is_geometry_type(&kind) => {
            let RawObject { coordinates, geometries, .. } = raw;
            let geometry = RawGeometry { kind, coordinates, geometries };
            Ok(Record { geometry: geometry.into_geometry(limits)?, ..Record::at(place) })
        }
        Some(kind) => Err(Fault::malformed(
            "GeoJSON",
            format_args!("an object of type `{kind}` where a Feature should stand"),
        )),
        None => Err(Fault::malformed("GeoJSON", "an object without a type")),
    }
}
