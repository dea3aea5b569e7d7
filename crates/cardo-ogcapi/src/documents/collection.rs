use cardo_engine::{AttributeInfo, Table, TypeInfo};
use serde_json::{Value, json};

use super::{
    CSV, FLATGEOBUF, GEOJSON, GEOPACKAGE, Link, PARQUET, SCHEMA, STYLES, TILESETS, links_json,
    own_links,
};
use crate::params::is_tiled;
use crate::represent::quoted;
use crate::request::{Ask, Format, HTML};
use crate::systems::{CRS84, Systems};

/// How the types of layers from files begin.
const LAYER: &str = "urn:cardo:layer/";
const GREGORIAN: &str = "http://www.opengis.net/def/uom/ISO-8601/0/Gregorian";
const QUERYABLES: &str = "http://www.opengis.net/def/rel/ogc/1.0/queryables";
const SCHEMA_REL: &str = "http://www.opengis.net/def/rel/ogc/1.0/schema";
const SORTABLES: &str = "http://www.opengis.net/def/rel/ogc/1.0/sortables";

/// A type as a collection of features.
pub(crate) struct Collection<'a> {
    pub(crate) table: &'a Table,
    pub(crate) info: TypeInfo,
    /// How many features of its file are left out because they cannot be read.
    pub(crate) damaged: usize,
    /// The system in which its file is, where it is another than CRS84.
    pub(crate) system: Option<String>,
}

impl Collection<'_> {
    /// West, south, east and north of the geometries by which its features are placed.
    pub(crate) fn bbox(&self) -> Option<[f64; 4]> {
        let name = self.table.columns[self.table.geometry?].attribute();
        let is_placing = |attribute: &&AttributeInfo| attribute.name == *name;
        self.info.attributes.iter().find(is_placing)?.extent
    }

    /// The first and the last observation.
    pub(crate) fn interval(&self) -> Option<[String; 2]> {
        let (from, to) = self.info.time?;
        Some([quoted(from), quoted(to)])
    }

    pub(crate) fn description(&self) -> String {
        let name = self.info.name.as_str();
        match name.strip_prefix(LAYER) {
            Some(layer) if self.damaged > 0 => {
                let damaged = self.damaged;
                format!("The features of the file {layer} but {damaged}, which are damaged")
            }
            Some(layer) => format!("The features of the file {layer}"),
            None => format!("The entities of the type {name}"),
        }
    }

    fn extent(&self) -> Option<Value> {
        let mut extent = serde_json::Map::new();
        if let Some(bbox) = self.bbox() {
            extent.insert("spatial".into(), json!({ "bbox": [bbox], "crs": CRS84 }));
        }
        if let Some(interval) = self.interval() {
            extent.insert("temporal".into(), json!({ "interval": [interval], "trs": GREGORIAN }));
        }
        (!extent.is_empty()).then_some(Value::Object(extent))
    }

    /// The description of the collection; `own` where it is the document itself.
    pub(crate) fn to_json(&self, ask: &Ask<'_>, own: Option<Format>, systems: &Systems) -> Value {
        let id = &self.table.name;
        let url = |rest: &str| ask.url(&format!("/collections/{id}{rest}"));
        let mut links = match own {
            Some(format) => own_links(ask, format, "application/json"),
            None => vec![
                Link::new(url(""), "self", "application/json", "This collection"),
                Link::new(url("?f=html"), "alternate", HTML, "This collection as a page"),
            ],
        };
        links.extend([
            Link::new(url("/items"), "items", GEOJSON, "The features as GeoJSON"),
            Link::new(url("/items?f=html"), "items", HTML, "The features as a page"),
            Link::new(url("/items?f=csv"), "items", CSV, "The features as CSV"),
            Link::new(url("/items?f=fgb"), "items", FLATGEOBUF, "The features as FlatGeobuf"),
            Link::new(url("/items?f=gpkg"), "items", GEOPACKAGE, "The features as GeoPackage"),
            Link::new(url("/items?f=parquet"), "items", PARQUET, "The features as GeoParquet"),
            Link::new(url("/queryables"), QUERYABLES, SCHEMA, "What can be asked for"),
            Link::new(url("/sortables"), SORTABLES, SCHEMA, "What features can be sorted by"),
            Link::new(url("/schema"), SCHEMA_REL, SCHEMA, "What the features have and take"),
            Link::new(url("/schema?type=feature"), "describedby", SCHEMA, "A feature in GeoJSON"),
            // Case makes no difference to what a relation is (RFC 8288, section 2.1.1) but to older GDAL.
            Link::new(url("/schema?type=feature"), "describedBy", SCHEMA, "A feature in GeoJSON"),
        ]);
        if is_tiled(self.table) {
            let title = "The features as vector tiles";
            links.push(Link::new(url("/tiles"), TILESETS, "application/json", title));
            let title = "Styles for maps";
            links.push(Link::new(url("/styles"), STYLES, "application/json", title));
        }
        // The list of collections has the identifiers once (requirement /req/crs/fc-md-crs-list-global).
        let crs = match own {
            Some(_) => systems.uris().collect(),
            None => vec!["#/crs"],
        };
        let mut body = json!({
            "id": id,
            "title": id,
            "description": self.description(),
            "links": links_json(&links),
            "itemType": "feature",
            "crs": crs,
        });
        // What is stored otherwise is told where it is a system of the list (/req/crs/fc-md-storageCrs).
        let stored = self.system.as_deref().unwrap_or(CRS84);
        if systems.has(stored) {
            body["storageCrs"] = stored.into();
        }
        if !self.info.name.as_str().starts_with(LAYER) {
            body["supportsNonAutogeneratedResourceIds"] = true.into();
        }
        if let Some(extent) = self.extent() {
            body["extent"] = extent;
        }
        body
    }
}
