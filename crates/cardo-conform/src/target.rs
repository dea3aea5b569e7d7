//! What a URL is.

use std::collections::HashMap;
use std::fmt::Write as _;

use serde_json::Value;
use thiserror::Error;
use url::Url;

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

/// The text of the API definition to which the landing page leads.
pub(crate) async fn definition(client: &Client, base: &str, options: &Options) -> String {
    let landing = get(client, options, base).await.ok().and_then(|answer| answer.json);
    let landing = landing.unwrap_or_default();
    let mut links = landing["links"].as_array().into_iter().flatten();
    let Some(link) = links.find(|link| link["rel"] == "service-desc") else {
        return String::new();
    };
    let href = link["href"].as_str().unwrap_or_default();
    let url = Url::parse(base).and_then(|base| base.join(href));
    let url = url.map_or_else(|_| href.to_owned(), Into::into);
    let mut headers = options.headers.clone();
    headers.extend(link["type"].as_str().map(|kind| ("Accept".to_owned(), kind.to_owned())));
    let sent = Sent { method: "GET".to_owned(), url, headers, body: None };
    let answer = client.send(&sent).await;
    answer.map(|answer| String::from_utf8_lossy(&answer.body).into_owned()).unwrap_or_default()
}

/// How many collections are looked at.
const MOST_COLLECTIONS: usize = 50;
/// How the types begin that checks make, which go again.
const OWN: &str = "Conform";

/// What a server of OGC API has that questions can be about.
#[derive(Debug, Clone, Default)]
pub(crate) struct Sample {
    pub(crate) variables: HashMap<String, String>,
}

impl Sample {
    /// The variables it may have.
    pub(crate) const NAMES: [&'static str; 6] =
        ["$collection", "$feature", "$bbox", "$tile", "$sortable", "$editable"];

    /// Looks for a collection of two features or more with geometries, and for another with one, to which
    /// checks may write that no other check counts.
    pub(crate) async fn take(client: &Client, base: &str, options: &Options) -> Option<Self> {
        let has_tiles = get(client, options, base).await.ok()?.json?["links"]
            .as_array()?
            .iter()
            .any(|link| link["rel"].as_str().is_some_and(|rel| rel.ends_with("tilesets-vector")));
        let collections = get(client, options, &format!("{base}/collections")).await.ok()?;
        let collections = collections.json?;
        let (mut sample, mut editable) = (None, None);
        for collection in collections["collections"].as_array()?.iter().take(MOST_COLLECTIONS) {
            let Some(id) = collection["id"].as_str().filter(|id| !id.starts_with(OWN)) else {
                continue;
            };
            let url = format!("{base}/collections/{id}/items?limit=2");
            let Ok(items) = get(client, options, &url).await else { continue };
            let Some(items) = items.json else { continue };
            match Self::of(id, &items) {
                Some(found) if sample.is_none() => sample = Some((id, found)),
                _ if editable.is_none() && placed(&items).is_some() => editable = Some(id),
                _ => {}
            }
            if sample.is_some() && editable.is_some() {
                break;
            }
        }
        let (id, mut sample) = sample?;
        if !has_tiles {
            sample.variables.remove("tile");
            sample.variables.remove("tile84");
        }
        let url = format!("{base}/collections/{id}/sortables");
        let sortables = get(client, options, &url).await.ok().and_then(|answer| answer.json);
        let sortables = sortables.unwrap_or_default();
        let first = sortables["properties"].as_object().and_then(|names| names.keys().next());
        let found = [("sortable", first.map(String::as_str)), ("editable", editable)];
        for (name, value) in found {
            sample.variables.extend(value.map(|value| (name.to_owned(), value.to_owned())));
        }
        Some(sample)
    }

    fn of(collection: &str, items: &Value) -> Option<Self> {
        let feature = placed(items)?;
        if items["features"].as_array()?.len() < 2 {
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
            ("tile84".to_owned(), tile_of_degrees(west, north)),
        ]);
        Some(Self { variables })
    }
}

/// The first feature with a geometry.
fn placed(items: &Value) -> Option<&Value> {
    items["features"].as_array()?.iter().find(|feature| feature["geometry"].is_object())
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

/// The same of WorldCRS84Quad.
fn tile_of_degrees(longitude: f64, latitude: f64) -> String {
    const LEVEL: u32 = 9;
    let height = f64::from(1 << LEVEL);
    let row = (90.0 - latitude) / 180.0 * height;
    let column = (longitude + 180.0) / 360.0 * height * 2.0;
    format!("{LEVEL}/{}/{}", row.floor().min(height - 1.0), column.floor().min(height * 2.0 - 1.0))
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
        assert_eq!(tile_of_degrees(24.94, 60.17), "9/84/582");
        assert_eq!(tile_of_degrees(180.0, -90.0), "9/511/1023");
    }
}
