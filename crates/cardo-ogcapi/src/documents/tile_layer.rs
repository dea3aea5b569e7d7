//! Collections of ready tiles, which have no features.

use cardo_engine::{TileContent, TileImage, TileLayerDescription};
use serde_json::{Map, Value, json};

use super::{Link, MVT, STYLES, TILESETS, links_json, own_links};
use crate::request::{Ask, Format, HTML};
use crate::systems::CRS84;
use crate::tiles::{Limits, MatrixSet};

/// The relation to a list of tilesets of maps.
pub(crate) const MAP_TILESETS: &str = "http://www.opengis.net/def/rel/ogc/1.0/tilesets-map";

/// What tiles show (OGC 17-083r4, `dataType`).
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum DataType {
    Vector,
    Map,
}

impl DataType {
    pub(crate) fn of(layer: &TileLayerDescription) -> Self {
        match layer.content {
            TileContent::Vector(_) => Self::Vector,
            TileContent::Image(_) => Self::Map,
        }
    }

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Vector => "vector",
            Self::Map => "map",
        }
    }

    /// The path of the list of tilesets of a collection, behind that of the collection.
    pub(crate) fn path(self) -> &'static str {
        match self {
            Self::Vector => "/tiles",
            Self::Map => "/map/tiles",
        }
    }

    fn relation(self) -> &'static str {
        match self {
            Self::Vector => TILESETS,
            Self::Map => MAP_TILESETS,
        }
    }

    /// Its tiles as people call them.
    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::Vector => "Vector tiles",
            Self::Map => "Map tiles",
        }
    }
}

/// The media type of the tiles of a layer.
pub(crate) fn media_type(layer: &TileLayerDescription) -> &'static str {
    match layer.content {
        TileContent::Vector(_) => MVT,
        TileContent::Image(TileImage::Png) => "image/png",
        TileContent::Image(TileImage::Jpeg) => "image/jpeg",
        TileContent::Image(TileImage::Webp) => "image/webp",
        TileContent::Image(TileImage::Avif) => "image/avif",
    }
}

pub(crate) fn title(layer: &TileLayerDescription) -> &str {
    layer.title.as_deref().unwrap_or(&layer.name)
}

pub(crate) fn description(layer: &TileLayerDescription) -> String {
    layer.description.clone().unwrap_or_else(|| format!("The tiles of the file {}", layer.name))
}

/// The tiles that can be asked for.
pub(crate) fn limits(layer: &TileLayerDescription) -> impl Iterator<Item = Limits> {
    let [first, last] = layer.zooms;
    let last = last.min(MatrixSet::WebMercatorQuad.last());
    (first..=last).map(|zoom| Limits::of_mercator(zoom, &layer.bounds))
}

pub(crate) fn bbox(layer: &TileLayerDescription) -> [f64; 4] {
    let ([west, south], [east, north]) = (layer.bounds.min, layer.bounds.max);
    [west, south, east, north]
}

/// The description of the collection; `own` where it is the document itself. It links no items,
/// because there are none.
pub(crate) fn tile_collection(
    ask: &Ask<'_>,
    layer: &TileLayerDescription,
    own: Option<Format>,
) -> Value {
    let url = |rest: &str| ask.url(&format!("/collections/{}{rest}", layer.name));
    let mut links = match own {
        Some(format) => own_links(ask, format, "application/json"),
        None => vec![
            Link::new(url(""), "self", "application/json", "This collection"),
            Link::new(url("?f=html"), "alternate", HTML, "This collection as a page"),
        ],
    };
    let kind = DataType::of(layer);
    links.extend(tile_links(ask, layer));
    let mut body = json!({
        "id": layer.name,
        "title": title(layer),
        "description": description(layer),
        "links": links_json(&links),
        // What is nothing said of has features in OGC API Features.
        "itemType": "unknown",
        "dataType": kind.as_str(),
        "extent": { "spatial": { "bbox": [bbox(layer)], "crs": CRS84 } },
    });
    if let Some(attribution) = &layer.attribution {
        body["attribution"] = attribution.as_str().into();
    }
    body
}

/// Where its tiles are, and styles of them.
pub(crate) fn tile_links(ask: &Ask<'_>, layer: &TileLayerDescription) -> [Link; 2] {
    let url = |rest: &str| ask.url(&format!("/collections/{}{rest}", layer.name));
    let kind = DataType::of(layer);
    [
        Link::new(url(kind.path()), kind.relation(), "application/json", kind.title()),
        Link::new(url("/styles"), STYLES, "application/json", "Styles for maps"),
    ]
}

/// The layers of vector tiles, as a tileset describes them (OGC 17-083r4, `layers`).
pub(crate) fn layers_of(layer: &TileLayerDescription) -> Option<Value> {
    let TileContent::Vector(layers) = &layer.content else { return None };
    let one = |one: &cardo_engine::VectorLayer| {
        let properties: Map<String, Value> =
            one.fields.iter().map(|(name, says)| (name.clone(), property(says))).collect();
        let mut body = json!({
            "id": one.id,
            "title": one.id,
            "dataType": "vector",
            "minTileMatrix": one.zooms[0].to_string(),
            "maxTileMatrix": one.zooms[1].to_string(),
            "propertiesSchema": { "type": "object", "properties": properties },
        });
        if let Some(description) = &one.description {
            body["description"] = description.as_str().into();
        }
        body
    };
    Some(layers.iter().map(one).collect())
}

/// What is said of a field: its type by custom, else words (TileJSON 3.0, section 3.3.2).
fn property(says: &str) -> Value {
    match says.to_ascii_lowercase().as_str() {
        "number" => json!({ "type": "number" }),
        "string" => json!({ "type": "string" }),
        "boolean" => json!({ "type": "boolean" }),
        _ => json!({ "description": says }),
    }
}

/// The layers of vector tiles in TileJSON.
pub(crate) fn vector_layers(layer: &TileLayerDescription) -> Option<Value> {
    let TileContent::Vector(layers) = &layer.content else { return None };
    let one = |one: &cardo_engine::VectorLayer| {
        let fields: Map<String, Value> =
            one.fields.iter().map(|(name, says)| (name.clone(), says.as_str().into())).collect();
        let [first, last] = one.zooms;
        let mut body = json!({ "id": one.id, "fields": fields, "minzoom": first, "maxzoom": last });
        if let Some(description) = &one.description {
            body["description"] = description.as_str().into();
        }
        body
    };
    Some(layers.iter().map(one).collect())
}
