use std::borrow::Cow;
use std::sync::Arc;

use axum::body::Body;
use axum::http::header::{CONTENT_TYPE, HeaderName};
use axum::http::request::Parts;
use cardo_engine::Table;
use cardo_http::{media_type_of, read_body};
use cardo_model::EntityId;
use cardo_spatial::Crs;
use serde_json::{Map, Value};

use crate::documents::{GEOJSON, encode_segment};
use crate::face::Face;
use crate::fault::Fault;
use crate::systems::System;

/// What may be sent to features, and to a feature in part.
pub(crate) const ACCEPT_POST: &str = "application/geo+json, application/json";
pub(crate) const ACCEPT_PATCH: &str = "application/merge-patch+json";

/// The most properties of a feature that is sent.
const MAX_PROPERTIES: usize = 2_000;

/// A feature, or a part of one, as a client sent it.
#[derive(Debug)]
pub(crate) struct Sent {
    pub(crate) id: Option<Value>,
    /// Not said, none (null), or a geometry.
    pub(crate) geometry: Option<Value>,
    pub(crate) properties: Map<String, Value>,
    /// The reference system of all positions.
    pub(crate) system: Arc<System>,
}

impl Sent {
    /// Reads a GeoJSON feature.
    pub(crate) async fn feature(face: &Face, parts: &Parts, body: Body) -> Result<Self, Fault> {
        let accepted = [GEOJSON, "application/json"];
        let mut members = members(face, parts, body, &accepted, ACCEPT_POST).await?;
        match members.get("type") {
            Some(kind) if kind == "Feature" => {}
            Some(other) => {
                let other = shortened(other);
                return Err(Fault::invalid(format!(
                    "the body is no GeoJSON feature: its type is {other}"
                )));
            }
            None => return Err(Fault::invalid("the body is no GeoJSON feature: it has no type")),
        }
        let system = system_of(face, parts, &members)?;
        let properties = match members.remove("properties") {
            Some(Value::Object(properties)) => properties,
            None | Some(Value::Null) => Map::new(),
            Some(_) => return Err(Fault::invalid("the properties of the feature are no object")),
        };
        let (id, geometry) = (members.remove("id"), members.remove("geometry"));
        Self { id, geometry, properties, system }.checked()
    }

    /// Reads a merge patch (RFC 7396): of the GeoJSON feature where it has `properties`, else of the
    /// flat object that the schema of the collection describes (/req/features/update-json-merge-patch).
    pub(crate) async fn patch(face: &Face, parts: &Parts, body: Body) -> Result<Self, Fault> {
        let mut members = members(face, parts, body, &[ACCEPT_PATCH], ACCEPT_PATCH).await?;
        let system = system_of(face, parts, &members)?;
        for name in ["coordRefSys", "crs"] {
            members.remove(name);
        }
        let (id, geometry) = (members.remove("id"), members.remove("geometry"));
        let is_feature = members.get("type").is_some_and(|kind| kind == "Feature");
        if is_feature {
            members.remove("type");
        }
        let properties = match members.remove("properties") {
            Some(Value::Object(properties)) => properties,
            Some(other) => {
                return Err(Fault::invalid(format!(
                    "properties are an object and cannot be {}",
                    shortened(&other)
                )));
            }
            None if is_feature => Map::new(),
            None => members,
        };
        Self { id, geometry, properties, system }.checked()
    }

    fn checked(self) -> Result<Self, Fault> {
        if self.properties.len() > MAX_PROPERTIES {
            return Err(Fault::unprocessable(format!(
                "a feature with {} properties has more than the {MAX_PROPERTIES} that are accepted",
                self.properties.len()
            )));
        }
        Ok(self)
    }
}

async fn members(
    face: &Face,
    parts: &Parts,
    body: Body,
    accepted: &[&str],
    hint: &'static str,
) -> Result<Map<String, Value>, Fault> {
    let given = parts.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let media_type = media_type_of(given.unwrap_or(""));
    if !accepted.iter().any(|known| media_type.eq_ignore_ascii_case(known)) {
        return Err(Fault::unsupported_media(given.unwrap_or(""), hint, &parts.method));
    }
    let bytes = read_body(&parts.headers, body, face.options.limits.max_body).await?;
    match serde_json::from_slice(&bytes) {
        Ok(Value::Object(members)) => Ok(members),
        Ok(_) => Err(Fault::invalid("the body is no JSON object")),
        Err(error) => Err(Fault::invalid(format!("the body is no JSON: {error}"))),
    }
}

/// The system that positions of a body are in: what it says itself, else what the header says, else
/// CRS84 (/req/features/crs-other-crs, /req/features/default-crs).
fn system_of(
    face: &Face,
    parts: &Parts,
    members: &Map<String, Value>,
) -> Result<Arc<System>, Fault> {
    let header = parts.headers.get(HeaderName::from_static("content-crs"));
    let header = header.map(|value| String::from_utf8_lossy(value.as_bytes()));
    let mut named = header.as_deref().map(|text| {
        let text = text.trim();
        Cow::Borrowed(
            text.strip_prefix('<').and_then(|text| text.strip_suffix('>')).unwrap_or(text),
        )
    });
    for name in ["coordRefSys", "crs"] {
        match members.get(name) {
            None | Some(Value::Null) => {}
            Some(given) => match named_by(given) {
                Some(uri) => named = Some(uri),
                None => return Err(Fault::invalid(format!("{name} names no reference system"))),
            },
        }
    }
    match named.as_deref() {
        None | Some("urn:ogc:def:crs:OGC:1.3:CRS84") => Ok(System::default_one()),
        Some(uri) => face.options.systems.find(uri).map_err(|error| {
            let shown: String = uri.chars().take(80).collect();
            Fault::invalid(format!("positions in {shown:?} are not read: {error}"))
        }),
    }
}

/// The name of a system in a body: as a text, as a reference or as references to the two parts of a compound one
/// (OGC 21-045r1, clause 8.8), or as GeoJSON had it once.
fn named_by(given: &Value) -> Option<Cow<'_, str>> {
    let Value::Array(parts) = given else { return named_alone(given).map(Cow::Borrowed) };
    let [ground, heights] = parts.as_slice() else { return None };
    let (ground, heights) = (named_alone(ground)?, named_alone(heights)?);
    let named = format!("http://www.opengis.net/def/crs-compound?1={ground}&2={heights}");
    Some(Crs::uri_of(&named).unwrap_or(named).into())
}

fn named_alone(given: &Value) -> Option<&str> {
    match given {
        Value::String(uri) => Some(uri),
        // Coordinates of a moment are brought to no other.
        Value::Object(members) if members.contains_key("epoch") => None,
        given => given["href"].as_str().or(given["properties"]["name"].as_str()),
    }
}

/// The id of a feature that is to be created: the one that was sent where it is a URI, else one made
/// of it, or of chance where none was sent (/per/create-replace-delete/rid).
pub(crate) fn given_id(table: &Table, sent: &Sent) -> Result<EntityId, Fault> {
    let own = match &sent.id {
        None | Some(Value::Null) => format!("{:032x}", fastrand::u128(..)),
        Some(Value::String(text)) if text.is_empty() => {
            return Err(Fault::unprocessable("the id of the feature is empty"));
        }
        Some(Value::String(text)) => {
            if let Some(id) = text.contains(':').then(|| EntityId::new(text.clone()).ok()).flatten()
            {
                return Ok(id);
            }
            encode_segment(text)
        }
        Some(Value::Number(number)) => number.to_string(),
        Some(_) => {
            return Err(Fault::unprocessable("the id of a feature is a string or a number"));
        }
    };
    EntityId::new(format!("urn:ngsi-ld:{}:{own}", table.name))
        .map_err(|error| Fault::unprocessable(error.to_string()))
}

pub(super) fn shortened(value: &Value) -> String {
    value.to_string().chars().take(80).collect()
}
