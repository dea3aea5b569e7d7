use cardo_engine::{Table, TileLayerDescription, TypeInfo};
use serde_json::{Map, Value, json};

use super::tile_layer::{DataType, layers_of, limits, media_type, vector_layers};
use super::{Collection, GEOJSON, Link, MVT, STYLE, links_json, tile_layer, type_of};
use crate::params::is_property;
use crate::request::{Ask, HTML};
use crate::systems::CRS84;
use crate::tiles::{Limits, MatrixSet};

/// The relation to a list of tilesets of vector tiles.
pub(crate) const TILESETS: &str = "http://www.opengis.net/def/rel/ogc/1.0/tilesets-vector";
/// The relation to the definition of a tile matrix set.
pub(crate) const TILING_SCHEME: &str = "http://www.opengis.net/def/rel/ogc/1.0/tiling-scheme";
/// The media type of TileJSON.
pub(crate) const TILE_JSON: &str = "application/vnd.mapbox.tile+json";

const JSON: &str = "application/json";
/// Maps draw what is nearer from the tiles of this level, in which a unit is some centimetres.
const NEAREST: u8 = 18;

/// What is known of a table.
pub(crate) type InfoOf<'a> = &'a dyn Fn(&Table) -> Option<TypeInfo>;

/// The tiles of a collection or of the dataset in a matrix set (OGC 20-057, /req/tileset).
pub(crate) struct Tileset<'a> {
    pub(crate) set: MatrixSet,
    pub(crate) title: String,
    /// The path of the list of tilesets, below the root of the API.
    pub(crate) path: String,
    pub(crate) shows: Shows<'a>,
    /// The parameters that its tiles are asked with.
    pub(crate) query: String,
}

/// What tiles are made of.
pub(crate) enum Shows<'a> {
    /// The features of these tables.
    Tables(Vec<&'a Table>),
    /// They stand ready in a file.
    Ready(&'a TileLayerDescription),
}

impl Tileset<'_> {
    fn data_type(&self) -> DataType {
        match self.shows {
            Shows::Tables(_) => DataType::Vector,
            Shows::Ready(layer) => DataType::of(layer),
        }
    }

    fn media_type(&self) -> &'static str {
        match self.shows {
            Shows::Tables(_) => MVT,
            Shows::Ready(layer) => media_type(layer),
        }
    }

    fn limits(&self) -> Value {
        match self.shows {
            Shows::Tables(_) => self.set.limits().map(Limits::to_json).collect(),
            Shows::Ready(layer) => limits(layer).map(Limits::to_json).collect(),
        }
    }

    /// The address of its document, or of what stands below that, with the parameters of its tiles
    /// and others.
    pub(crate) fn url(&self, ask: &Ask<'_>, below: &str, more: &str) -> String {
        let both = if self.query.is_empty() || more.is_empty() { "" } else { "&" };
        let mark = if self.query.is_empty() && more.is_empty() { "" } else { "?" };
        let (path, set) = (&self.path, self.set.id());
        ask.url(&format!("{path}/{set}{below}{mark}{}{both}{more}", self.query))
    }

    /// What stands of it in a list, and in its own document.
    fn item(&self, ask: &Ask<'_>, own: Vec<Link>) -> Map<String, Value> {
        let mut links = own;
        let scheme = ask.url(&format!("/tileMatrixSets/{}", self.set.id()));
        links.push(Link::new(scheme, TILING_SCHEME, JSON, "How space is tiled"));
        if self.set == MatrixSet::WebMercatorQuad {
            let style = self.style_url(ask);
            links.push(Link::new(style, "stylesheet", STYLE, "A style for maps"));
        }
        let mut links = links_json(&links);
        if let Some(list) = links.as_array_mut() {
            list.push(json!({
                "href": self.url(ask, "/{tileMatrix}/{tileRow}/{tileCol}", ""),
                "rel": "item",
                "type": self.media_type(),
                "title": "The tiles",
                "templated": true,
            }));
            if matches!(self.shows, Shows::Tables(_)) {
                list.push(json!({
                    "href": self.url(ask, "/{tileMatrix}/{tileRow}/{tileCol}", "f=geojson"),
                    "rel": "item",
                    "type": GEOJSON,
                    "title": "The tiles as GeoJSON",
                    "templated": true,
                }));
            }
        }
        let mut item = Map::new();
        item.insert("title".into(), self.title.as_str().into());
        item.insert("dataType".into(), self.data_type().as_str().into());
        item.insert("crs".into(), self.set.crs().into());
        item.insert("tileMatrixSetId".into(), self.set.id().into());
        item.insert("tileMatrixSetURI".into(), self.set.uri().into());
        item.insert("tileMatrixSetLimits".into(), self.limits());
        item.insert("links".into(), links);
        if let Shows::Ready(layer) = self.shows {
            item.insert("description".into(), tile_layer::description(layer).into());
            if let Some(attribution) = &layer.attribution {
                item.insert("attribution".into(), attribution.as_str().into());
            }
        }
        item
    }

    /// The member of the list of tilesets.
    pub(crate) fn listed(&self, ask: &Ask<'_>) -> Value {
        let mut own = vec![
            Link::new(self.url(ask, "", ""), "self", JSON, "This tileset"),
            Link::new(self.url(ask, "", "f=html"), "alternate", HTML, "As a page"),
        ];
        own.extend(self.tile_json_link(ask));
        self.item(ask, own).into()
    }

    /// Where the tileset can be had as TileJSON, which knows WebMercatorQuad only.
    pub(crate) fn tile_json_link(&self, ask: &Ask<'_>) -> Option<Link> {
        let url = self.url(ask, "", "f=tilejson");
        let title = "This tileset as TileJSON";
        self.has_tile_json().then(|| Link::new(url, "alternate", TILE_JSON, title))
    }

    pub(crate) fn has_tile_json(&self) -> bool {
        self.set == MatrixSet::WebMercatorQuad
    }

    /// The document of the tileset.
    pub(crate) fn to_json(&self, ask: &Ask<'_>, info_of: InfoOf<'_>, own: Vec<Link>) -> Value {
        let mut body = self.item(ask, own);
        if let Some(layers) = self.layers(info_of) {
            body.insert("layers".into(), layers);
        }
        if let Some(bounds) = self.bounds(info_of) {
            body.insert("boundingBox".into(), bounding_box(bounds));
        }
        if let Some((center, zoom)) = self.center(info_of) {
            let center =
                json!({ "coordinates": center, "crs": CRS84, "tileMatrix": zoom.to_string() });
            body.insert("centerPoint".into(), center);
        }
        body.into()
    }

    fn layers(&self, info_of: InfoOf<'_>) -> Option<Value> {
        let tables = match &self.shows {
            Shows::Tables(tables) => tables,
            Shows::Ready(layer) => return layers_of(layer),
        };
        let layers = tables.iter().map(|table| {
            let mut layer = json!({
                "id": table.name,
                "title": table.name,
                "dataType": "vector",
                "minTileMatrix": "0",
                "maxTileMatrix": self.set.last().to_string(),
                "propertiesSchema": { "type": "object", "properties": properties(table) },
            });
            if let Some(bounds) = bounds(table, info_of) {
                layer["boundingBox"] = bounding_box(bounds);
            }
            layer
        });
        Some(layers.collect())
    }

    /// The tileset as TileJSON 3.0.
    pub(crate) fn to_tile_json(&self, ask: &Ask<'_>, info_of: InfoOf<'_>) -> Value {
        let ([first, last], layers) = match &self.shows {
            Shows::Tables(tables) => ([0, NEAREST], Some(vector_layers_of(tables))),
            Shows::Ready(layer) => (layer.zooms, vector_layers(layer)),
        };
        let mut body = json!({
            "tilejson": "3.0.0",
            "name": self.title,
            "scheme": "xyz",
            "tiles": [self.url(ask, "/{z}/{y}/{x}", "")],
            "minzoom": first,
            "maxzoom": last.min(self.set.last()),
        });
        if let Some(layers) = layers {
            body["vector_layers"] = layers;
        }
        if let Shows::Ready(layer) = self.shows {
            for (name, text) in
                [("description", &layer.description), ("attribution", &layer.attribution)]
            {
                if let Some(text) = text {
                    body[name] = text.as_str().into();
                }
            }
        }
        if let Some(bounds) = self.bounds(info_of) {
            body["bounds"] = json!(bounds);
        }
        if let Some(([lon, lat], zoom)) = self.center(info_of) {
            body["center"] = json!([lon, lat, zoom]);
        }
        body
    }

    /// Where its style stands.
    pub(crate) fn style_url(&self, ask: &Ask<'_>) -> String {
        let of = self.path.trim_end_matches("/tiles").trim_end_matches("/map");
        let mark = if self.query.is_empty() { "" } else { "?" };
        ask.url(&format!("{of}/styles/default{mark}{}", self.query))
    }

    /// Where to look first, and at which level.
    pub(crate) fn center(&self, info_of: InfoOf<'_>) -> Option<([f64; 2], u8)> {
        match self.shows {
            Shows::Tables(_) => Some((middle(self.bounds(info_of)?), 12)),
            Shows::Ready(layer) => Some(layer.center),
        }
    }

    fn bounds(&self, info_of: InfoOf<'_>) -> Option<[f64; 4]> {
        let tables = match &self.shows {
            Shows::Tables(tables) => tables,
            Shows::Ready(layer) => return Some(tile_layer::bbox(layer)),
        };
        let all = tables.iter().filter_map(|table| bounds(table, info_of));
        all.reduce(|a, b| [a[0].min(b[0]), a[1].min(b[1]), a[2].max(b[2]), a[3].max(b[3])])
    }
}

fn vector_layers_of(tables: &[&Table]) -> Value {
    let layer = |table: &&Table| {
        let fields: Map<String, Value> = properties(table)
            .into_iter()
            .map(|(name, schema)| (name, schema["type"].as_str().unwrap_or("string").into()))
            .collect();
        json!({ "id": table.name, "fields": fields, "minzoom": 0, "maxzoom": NEAREST })
    };
    tables.iter().map(layer).collect()
}

fn bounds(table: &Table, info_of: InfoOf<'_>) -> Option<[f64; 4]> {
    let info = info_of(table)?;
    Collection { table, info, damaged: 0, system: None }.bbox()
}

fn bounding_box([west, south, east, north]: [f64; 4]) -> Value {
    json!({ "lowerLeft": [west, south], "upperRight": [east, north], "crs": CRS84 })
}

fn middle([west, south, east, north]: [f64; 4]) -> [f64; 2] {
    [f64::midpoint(west, east), f64::midpoint(south, north)]
}

fn properties(table: &Table) -> Map<String, Value> {
    let mut properties = Map::new();
    properties.insert("id".into(), json!({ "type": "string" }));
    for column in table.columns.iter().filter(|column| is_property(column.datatype)) {
        let mut schema = type_of(column.datatype);
        // Lists and objects stand as their JSON text.
        if schema.get("type").is_none_or(|kind| kind == "array") {
            schema = json!({ "type": "string" });
        }
        properties.insert(column.name.as_ref().into(), schema);
    }
    properties
}
