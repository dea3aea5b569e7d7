//! Plain JSON, as sensors and web services send it: an object is a record, and so is each element
//! of an array.

use std::io::Read;

use serde_json::value::RawValue;

use crate::{
    Fault, FieldValue, Limits, Record, RecordError, RecordGeometry, RecordReader,
    error::Place,
    geojson::{field, object_fields, parse_whole_feature},
    geometry::coord,
    names::Names,
    source::{Keep, Source},
};

/// Where the number of a record that is no object stands.
const VALUE: &str = "value";

/// Usual names of coordinates in degrees.
const LONGITUDES: [&str; 4] = ["lon", "lng", "long", "longitude"];
const LATITUDES: [&str; 2] = ["lat", "latitude"];

/// The records of a JSON text.
///
/// The members of an object become fields; a GeoJSON Feature is read as such. A number, text or
/// truth value by itself is the field `value`. The geometry is taken from members with the usual
/// names of degrees, `lon` and `lat`.
///
/// # Errors
/// A fault where the text as a whole is no JSON; a record that is wrong is an error in its place.
pub fn records(text: &[u8], limits: &Limits) -> Result<Vec<Result<Record, RecordError>>, Fault> {
    let text = whole(text, limits)?;
    let malformed = |error| Fault::malformed("JSON", error);
    let elements: Vec<&RawValue> = if text.trim_start().starts_with('[') {
        serde_json::from_str(text).map_err(malformed)?
    } else {
        vec![serde_json::from_str(text).map_err(malformed)?]
    };
    let mut names = Names::default();
    let base = text.as_ptr() as usize;
    let read = |(ordinal, element): (u64, &RawValue)| {
        let offset = (element.get().as_ptr() as usize - base) as u64;
        let place = Place { ordinal, offset, line: None };
        record(element, place, limits, &mut names).map_err(|fault| {
            RecordError::new(place, fault).with_raw(element.get().as_bytes(), limits.raw_bytes)
        })
    };
    Ok((0..).zip(elements).map(read).collect())
}

/// The text, once its size and depth are known to be within the limits.
fn whole<'a>(text: &'a [u8], limits: &Limits) -> Result<&'a str, Fault> {
    if text.len() > limits.record_bytes {
        return Err(Fault::TooLong { limit: limits.record_bytes });
    }
    let text = text.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(text);
    let mut source = Source::new(text);
    let mut keep = Keep::depth_only(limits.depth);
    source.skip_white_space()?;
    source.json_value(&mut keep)?;
    keep.verdict()?;
    std::str::from_utf8(text).map_err(|error| Fault::NotUtf8 { offset: error.valid_up_to() as u64 })
}

fn record(
    element: &RawValue,
    place: Place,
    limits: &Limits,
    names: &mut Names,
) -> Result<Record, Fault> {
    let text = element.get();
    if !text.starts_with('{') {
        let value = match field(element)? {
            FieldValue::Json(list) if list.starts_with('[') => {
                return Err(Fault::malformed("JSON", "an array where a record should stand"));
            }
            value => value,
        };
        return Ok(Record { fields: vec![(names.get(VALUE), value)], ..Record::at(place) });
    }
    let fields = object_fields(text, names)?;
    let of = |name: &str| fields.iter().find(|(known, _)| &**known == name).map(|(_, v)| v);
    let is_feature = of("type").and_then(FieldValue::as_str) == Some("Feature");
    if is_feature && of("geometry").is_some() {
        return parse_whole_feature(text.as_bytes(), place, limits, names);
    }
    let id = match of("id") {
        Some(FieldValue::Text(text)) => Some(text.clone()),
        Some(FieldValue::Int(number)) => Some(number.to_string()),
        _ => None,
    };
    let number = |usual: &[&str]| usual.iter().find_map(|name| of(name)?.as_f64());
    let geometry = match (number(&LONGITUDES), number(&LATITUDES)) {
        (Some(x), Some(y)) => Some(RecordGeometry::flat(geo_types::Point(coord(x, y)?))),
        _ => None,
    };
    Ok(Record { id, geometry, fields, ..Record::at(place) })
}

/// Reads JSON whole, since it may be one value.
#[derive(Debug)]
pub struct JsonReader {
    records: std::vec::IntoIter<Result<Record, RecordError>>,
    position: u64,
    expected: u64,
}

impl JsonReader {
    /// Reads the input to its end.
    ///
    /// # Errors
    /// A fatal error where the input is no JSON or larger than a record may be.
    pub fn new(input: impl Read, limits: Limits) -> Result<Self, RecordError> {
        let fatal = |fault| RecordError::fatal(Place::default(), fault);
        let mut text = Vec::new();
        let most = limits.record_bytes as u64 + 1;
        input.take(most).read_to_end(&mut text).map_err(|error| fatal(error.into()))?;
        let records = records(&text, &limits).map_err(fatal)?;
        let expected = records.len() as u64;
        Ok(Self { records: records.into_iter(), position: text.len() as u64, expected })
    }
}

impl Iterator for JsonReader {
    type Item = Result<Record, RecordError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.records.next()
    }
}

impl RecordReader for JsonReader {
    fn position(&self) -> u64 {
        self.position
    }

    fn expected(&self) -> Option<u64> {
        Some(self.expected)
    }
}
