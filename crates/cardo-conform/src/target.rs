//! What a URL is.

use std::collections::HashMap;
use std::fmt::Write as _;

use serde_json::Value;
use thiserror::Error;

use crate::answer::Answer;
use crate::client::{Client, Sent};
use crate::session::Options;

/// What a server has, by where it stands.
#[derive(Debug, Clone, Default)]
pub struct Found {
    /// The base of NGSI-LD, as in `http://host/ngsi-ld/v1`.
    pub ngsi_ld: Option<String>,
    /// The landing page of OGC API.
    pub ogc_api: Option<String>,
}

/// Neither standard stands at a URL, nor where it would below it.
#[derive(Debug, Error)]
#[error("{0}")]
pub struct NothingFound(String);

impl Found {
    /// Asks at a URL, and where the standards usually stand below a root.
    pub(crate) async fn at(client: &Client, options: &Options) -> Result<Self, NothingFound> {
        let url = options.url.trim_end_matches('/');
        if !matches!(url.split_once("://"), Some(("http" | "https", rest)) if !rest.is_empty()) {
            return Err(NothingFound(format!("{url:?} is no URL with http or https")));
        }
        let mut tried = String::new();
        let mut found = Self::default();
        for base in [url.to_owned(), format!("{url}/ngsi-ld/v1")] {
            let answer = get(client, options, &format!("{base}/entities?type=Conform")).await;
            if is_ngsi_ld(&answer) {
                found.ngsi_ld = Some(base);
                break;
            }
            let _ = write!(tried, "\n  {base}/entities: {}", said(&answer));
        }
        for base in [url.to_owned(), format!("{url}/ogc")] {
            let answer = get(client, options, &base).await;
            if is_landing_page(&answer) {
                found.ogc_api = Some(base);
                break;
            }
            let _ = write!(tried, "\n  {base}: {}", said(&answer));
        }
        if found.ngsi_ld.is_none() && found.ogc_api.is_none() {
            let text = format!("neither NGSI-LD nor a landing page of OGC API was found:{tried}");
            return Err(NothingFound(text));
        }
        Ok(found)
    }
}

async fn get(client: &Client, options: &Options, url: &str) -> Result<Answer, String> {
    let mut headers = options.headers.clone();
    headers.push(("Accept".to_owned(), "application/json".to_owned()));
    if let Some(tenant) = &options.tenant {
        headers.push(("NGSILD-Tenant".to_owned(), tenant.clone()));
    }
    client.send(&Sent { method: "GET".to_owned(), url: url.to_owned(), headers, body: None }).await
}

fn said(answer: &Result<Answer, String>) -> String {
    answer.as_ref().map_or_else(Clone::clone, |answer| crate::answer::cut(&answer.summary(), 120))
}

/// A list of entities; or, where the tenant is yet to come, the error that says so.
fn is_ngsi_ld(answer: &Result<Answer, String>) -> bool {
    let Ok(answer) = answer else { return false };
    match &answer.json {
        Some(Value::Array(_)) => answer.status == 200,
        Some(json) => {
            let kind = json["type"].as_str().unwrap_or_default();
            kind.starts_with("https://uri.etsi.org/ngsi-ld/errors/") && answer.status != 501
        }
        None => false,
    }
}

fn is_landing_page(answer: &Result<Answer, String>) -> bool {
    let Ok(answer) = answer else { return false };
    let Some(links) = answer.json.as_ref().and_then(|json| json["links"].as_array()) else {
        return false;
    };
    let leads = |relation: &str| {
        links.iter().any(|link| link["rel"].as_str().is_some_and(|rel| rel.ends_with(relation)))
    };
    answer.status == 200 && leads("conformance") && (leads("data") || leads("service-desc"))
}

/// The conformance classes that a server of OGC API declares.
pub(crate) async fn declared(client: &Client, base: &str, options: &Options) -> Vec<String> {
    let answer = get(client, options, &format!("{base}/conformance")).await;
    let json = answer.ok().and_then(|answer| answer.json).unwrap_or_default();
    let classes = json["conformsTo"].as_array().into_iter().flatten();
    classes.filter_map(Value::as_str).map(str::to_owned).collect()
}

/// What a server of OGC API has that questions can be about.
#[derive(Debug, Clone, Default)]
pub(crate) struct Sample {
    pub(crate) variables: HashMap<String, String>,
}

impl Sample {
    /// The variables it may have.
    pub(crate) const NAMES: [&'static str; 4] = ["$collection", "$feature", "$bbox", "$tile"];

    /// Looks for a collection of two features or more with geometries.
    pub(crate) async fn take(client: &Client, base: &str, options: &Options) -> Option<Self> {
        let has_tiles = get(client, options, base).await.ok()?.json?["links"]
            .as_array()?
            .iter()
            .any(|link| link["rel"].as_str().is_some_and(|rel| rel.ends_with("tilesets-vector")));
        let collections = get(client, options, &format!("{base}/collections")).await.ok()?;
        let collections = collections.json?;
        for collection in collections["collections"].as_array()?.iter().take(50) {
            let Some(id) = collection["id"].as_str() else { continue };
            let url = format!("{base}/collections/{id}/items?limit=2");
            let Ok(items) = get(client, options, &url).await else { continue };
            let found = items.json.as_ref().and_then(|items| Self::of(id, items));
            let Some(mut sample) = found else { continue };
            if !has_tiles {
                sample.variables.remove("tile");
            }
            return Some(sample);
        }
        None
    }

    fn of(collection: &str, items: &Value) -> Option<Self> {
        let features = items["features"].as_array()?;
        let feature = features.iter().find(|feature| feature["geometry"].is_object())?;
        if features.len() < 2 {
            return None;
        }
        let id = match &feature["id"] {
            Value::String(id) => id.clone(),
            other => other.to_string(),
        };
        let [west, south, east, north] = bounds(&feature["geometry"])?;
        let variables = HashMap::from([
            ("collection".to_owned(), collection.to_owned()),
            ("featureId".to_owned(), feature["id"].to_string()),
            ("feature".to_owned(), id),
            ("bbox".to_owned(), format!("{west},{south},{east},{north}")),
            ("tile".to_owned(), tile(west, north)),
        ]);
        Some(Self { variables })
    }
}

/// The bounds of all positions.
fn bounds(geometry: &Value) -> Option<[f64; 4]> {
    let mut bounds = [f64::INFINITY, f64::INFINITY, f64::NEG_INFINITY, f64::NEG_INFINITY];
    let mut rest = vec![&geometry["coordinates"]];
    while let Some(value) = rest.pop() {
        let Some(items) = value.as_array() else { continue };
        if let (Some(x), Some(y)) =
            (items.first().and_then(Value::as_f64), items.get(1).and_then(Value::as_f64))
        {
            bounds = [bounds[0].min(x), bounds[1].min(y), bounds[2].max(x), bounds[3].max(y)];
        } else {
            rest.extend(items);
        }
    }
    bounds[0].is_finite().then_some(bounds)
}

/// Level, row and column of the tile of WebMercatorQuad that a position is in.
fn tile(longitude: f64, latitude: f64) -> String {
    const LEVEL: u32 = 10;
    let width = f64::from(1 << LEVEL);
    let sine = latitude.to_radians().sin();
    let column = (longitude + 180.0) / 360.0 * width;
    let row = (0.5 - ((1.0 + sine) / (1.0 - sine)).ln() / (4.0 * std::f64::consts::PI)) * width;
    format!("{LEVEL}/{}/{}", row.floor(), column.floor())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn bounds_and_tile_of_a_feature_are_found() {
        let line = json!({"type": "LineString", "coordinates": [[24.94, 60.17], [24.95, 60.18]]});
        assert_eq!(bounds(&line), Some([24.94, 60.17, 24.95, 60.18]));
        assert_eq!(bounds(&json!(null)), None);
        assert_eq!(tile(24.94, 60.17), "10/296/582");
    }
}
