//! Styles for MapLibre and others that read styles of Mapbox (version 8).

use cardo_engine::TileContent;
use serde_json::{Value, json};

use super::{InfoOf, Shows, Tileset};
use crate::request::Ask;
use crate::tiles::COUNT;

/// The relation to a list of styles.
pub(crate) const STYLES: &str = "http://www.opengis.net/def/rel/ogc/1.0/styles";
/// The media type of a style.
pub(crate) const STYLE: &str = "application/vnd.mapbox.style+json";

const SOURCE: &str = "cardo";

/// A plain style of the layers of a tileset, each in a colour of its own, which stays the same
/// whatever else there is.
pub(crate) fn style(ask: &Ask<'_>, tileset: &Tileset<'_>, info_of: InfoOf<'_>) -> Value {
    let mut layers = vec![json!({
        "id": "background",
        "type": "background",
        "paint": { "background-color": "#f5f5f2" },
    })];
    let names = layer_names(tileset);
    let is_map = names.is_none();
    // Areas lie below lines, and these below points, whichever collection they are of.
    for part in [areas, lines, points, merged] {
        layers.extend(names.iter().flatten().map(|name| part(name, &colour(name))));
    }
    if is_map {
        layers.push(json!({ "id": "map", "type": "raster", "source": SOURCE }));
    }
    let mut source = json!({
        "type": if is_map { "raster" } else { "vector" },
        "url": tileset.url(ask, "", "f=tilejson"),
    });
    if is_map {
        source["tileSize"] = 256.into();
    }
    let mut style = json!({
        "version": 8,
        "name": tileset.title,
        "sources": { SOURCE: source },
        "layers": layers,
    });
    if let Some((center, zoom)) = tileset.center(info_of) {
        style["center"] = json!(center);
        style["zoom"] = match tileset.shows {
            Shows::Tables(_) => 11.into(),
            Shows::Ready(_) => zoom.into(),
        };
    }
    style
}

/// The layers of vector tiles; none of images.
fn layer_names<'a>(tileset: &'a Tileset<'_>) -> Option<Vec<&'a str>> {
    match &tileset.shows {
        Shows::Tables(tables) => Some(tables.iter().map(|table| &*table.name).collect()),
        Shows::Ready(layer) => match &layer.content {
            TileContent::Vector(layers) => Some(layers.iter().map(|one| &*one.id).collect()),
            TileContent::Image(_) => None,
        },
    }
}

fn layer(kind: &str, part: &str, name: &str, filter: &Value, paint: &Value) -> Value {
    json!({
        "id": format!("{name}-{part}"),
        "type": kind,
        "source": SOURCE,
        "source-layer": name,
        "filter": filter,
        "paint": paint,
    })
}

fn areas(name: &str, colour: &str) -> Value {
    let filter = json!(["==", ["geometry-type"], "Polygon"]);
    layer("fill", "areas", name, &filter, &json!({ "fill-color": colour, "fill-opacity": 0.35 }))
}

fn lines(name: &str, colour: &str) -> Value {
    let filter = json!(["!=", ["geometry-type"], "Point"]);
    let width = json!(["interpolate", ["linear"], ["zoom"], 8, 0.5, 18, 2.5]);
    layer("line", "lines", name, &filter, &json!({ "line-color": colour, "line-width": width }))
}

fn points(name: &str, colour: &str) -> Value {
    let filter = json!(["all", ["==", ["geometry-type"], "Point"], ["!", ["has", COUNT]]]);
    let radius = json!(["interpolate", ["linear"], ["zoom"], 8, 1.5, 18, 7]);
    let paint = json!({
        "circle-color": colour,
        "circle-radius": radius,
        "circle-stroke-color": "#ffffff",
        "circle-stroke-width": ["interpolate", ["linear"], ["zoom"], 11, 0, 16, 1.5],
    });
    layer("circle", "points", name, &filter, &paint)
}

/// What stands for several features.
fn merged(name: &str, colour: &str) -> Value {
    let count = json!(["log10", ["max", 1, ["get", COUNT]]]);
    let radius = json!(["interpolate", ["linear"], count, 0, 1.5, 4, 9]);
    let paint = json!({ "circle-color": colour, "circle-radius": radius, "circle-opacity": 0.6 });
    layer("circle", "merged", name, &json!(["has", COUNT]), &paint)
}

/// A colour by the name (FNV-1a).
fn colour(name: &str) -> String {
    let hash = name
        .bytes()
        .fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    format!("hsl({}, 60%, 42%)", hash % 360)
}
