//! The `crs` member of GeoJSON 2008, which city exports still carry.

use serde::Deserialize;

use crate::Fault;

#[derive(Deserialize)]
struct Crs {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    properties: Properties,
}

#[derive(Default, Deserialize)]
struct Properties {
    name: Option<String>,
    code: Option<i64>,
}

/// The name of the system in the text of a `crs` member; `null` names none.
pub(super) fn parse(text: &[u8]) -> Result<Option<String>, Fault> {
    let crs: Option<Crs> =
        serde_json::from_slice(text).map_err(|error| Fault::malformed("crs member", error))?;
    let Some(crs) = crs else { return Ok(None) };
    match (crs.kind.as_str(), crs.properties) {
        (_, Properties { name: Some(name), .. }) => Ok(Some(name)),
        ("EPSG", Properties { code: Some(code), .. }) => Ok(Some(format!("EPSG:{code}"))),
        (kind, _) => {
            Err(Fault::Unsupported(format!("a crs member of type `{kind}` without a name")))
        }
    }
}
