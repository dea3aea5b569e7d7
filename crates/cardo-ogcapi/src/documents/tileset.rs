use cardo_engine::{Table, TypeInfo};
use serde_json::{Map, Value, json};

use super::{Collection, Link, MVT, STYLE, links_json, type_of};
use crate::params::is_property;
use crate::request::{Ask, HTML};
use crate::systems::CRS84;
use crate::tiles::MatrixSet;

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
    pub(crate) tables: Vec<&'a Table>,
    /// The parameters that its tiles are asked with.
    pub(crate) query: String,
}

impl Tileset<'_> {
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
                "type": MVT,
                "title": "The tiles",
                "templated": true,
            }));
        }
        let mut item = Map::new();
        item.insert("title".into(), self.title.as_str().into());
        item.insert("dataType".into(), "vector".into());
        item.insert("crs".into(), self.set.crs().into());
        item.insert("tileMatrixSetId".into(), self.set.id().into());
        item.insert("tileMatrixSetURI".into(), self.set.uri().into());
        item.insert("tileMatrixSetLimits".into(), self.set.limits());
        item.insert("links".into(), links);
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
        let layers = self.tables.iter().map(|table| {
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
        body.insert("layers".into(), layers.collect());
        if let Some(bounds) = self.bounds(info_of) {
            body.insert("boundingBox".into(), bounding_box(bounds));
            let center = json!({ "coordinates": middle(bounds), "crs": CRS84, "tileMatrix": "12" });
            body.insert("centerPoint".into(), center);
        }
        body.into()
    }

    /// The tileset as TileJSON 3.0.
    pub(crate) fn to_tile_json(&self, ask: &Ask<'_>, info_of: InfoOf<'_>) -> Value {
        let layers = self.tables.iter().map(|table| {
            let fields: Map<String, Value> = properties(table)
                .into_iter()
                .map(|(name, schema)| (name, schema["type"].as_str().unwrap_or("string").into()))
                .collect();
            json!({ "id": table.name, "fields": fields, "minzoom": 0, "maxzoom": NEAREST })
        });
        let layers: Vec<Value> = layers.collect();
        let mut body = json!({
            "tilejson": "3.0.0",
            "name": self.title,
            "scheme": "xyz",
            "tiles": [self.url(ask, "/{z}/{y}/{x}", "")],
            "vector_layers": layers,
            "minzoom": 0,
            "maxzoom": NEAREST,
        });
        if let Some(bounds) = self.bounds(info_of) {
            let [lon, lat] = middle(bounds);
            body["bounds"] = json!(bounds);
            body["center"] = json!([lon, lat, 12]);
        }
        body
    }

    /// Where its style stands.
    pub(crate) fn style_url(&self, ask: &Ask<'_>) -> String {
        let of = self.path.trim_end_matches("/tiles");
        let mark = if self.query.is_empty() { "" } else { "?" };
        ask.url(&format!("{of}/styles/default{mark}{}", self.query))
    }

    /// The middle of its layers.
    pub(crate) fn center(&self, info_of: InfoOf<'_>) -> Option<[f64; 2]> {
        self.bounds(info_of).map(middle)
    }

    fn bounds(&self, info_of: InfoOf<'_>) -> Option<[f64; 4]> {
        let all = self.tables.iter().filter_map(|table| bounds(table, info_of));
        all.reduce(|a, b| [a[0].min(b[0]), a[1].min(b[1]), a[2].max(b[2]), a[3].max(b[3])])
    }
}

fn bounds(table: &Table, info_of: InfoOf<'_>) -> Option<[f64; 4]> {
    let info = info_of(table)?;
    Collection { table, info }.bbox()
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
