use std::fmt::Write;

use cardo_engine::{Table, TileContent, TileLayerDescription};
use cardo_query::all_functions;
use serde_json::Value;

use super::layout::{Page, escaped, grouped, link};
use super::map::Map;
use crate::documents::{Collection, DataType, Link, Schema, description, title};
use crate::options::OgcOptions;
use crate::request::Ask;
use crate::systems::Systems;

/// The start of what stands above a title.
fn page(ask: &Ask<'_>, title: &str) -> Page {
    Page::new(ask, title).below("OGC API", "")
}

fn page_of_collection(ask: &Ask<'_>, name: &str, title: &str) -> Page {
    page(ask, title)
        .below("Collections", "/collections")
        .below(name, &format!("/collections/{name}"))
}

pub(crate) fn landing_page(ask: &Ask<'_>, options: &OgcOptions) -> String {
    let mut page = Page::new(ask, options.title.as_str());
    page.add(format_args!("<p>{}</p>", escaped(&options.description)));
    page.add("<ul>");
    for (path, name, says) in [
        ("/collections", "Collections", "what there is, and where"),
        ("/tiles", "Tiles", "the collections as vector tiles, for maps"),
        ("/api", "API definition", "every operation and its parameters, in OpenAPI 3.0"),
        ("/functions", "Functions", "what filters may call"),
        ("/conformance", "Conformance", "which requirements are met"),
    ] {
        let link = link(&ask.url(&format!("{path}?f=html")), name);
        page.add(format_args!("<li>{link}: {says}</li>"));
    }
    page.add("</ul>");
    page.add(
        "<p class=\"soft\">For QGIS, ogr2ogr, OWSLib and other clients of OGC API Features, the \
         address of this page is the one to give.</p>",
    );
    page.finish()
}

/// A page that leads to the encodings of something that is for programs.
pub(crate) fn links_page(ask: &Ask<'_>, title: &str, links: &[Link]) -> String {
    let mut page = page(ask, title);
    page.add("<ul>");
    for one in links.iter().filter(|one| one.rel != "self") {
        let media = escaped(one.media_type);
        page.add(format_args!("<li>{}: <code>{media}</code></li>", link(&one.href, &one.title)));
    }
    page.add("</ul>");
    page.finish()
}

pub(crate) fn conformance_page(ask: &Ask<'_>, classes: &[&str]) -> String {
    let mut page = page(ask, "Conformance");
    page.add("<ul>");
    for class in classes {
        page.add(format_args!("<li><code>{}</code></li>", escaped(class)));
    }
    page.add("</ul>");
    page.finish()
}

pub(crate) fn functions_page(ask: &Ask<'_>) -> String {
    let mut page = page(ask, "Functions");
    page.add(
        "<p>What the parameter <code>filter</code> may call, beside the operators of CQL2.</p>",
    );
    page.add("<div class=\"scroll\"><table><tr><th>Function</th><th>Gives</th><th></th></tr>");
    for function in all_functions() {
        let arguments: Vec<&str> = function.arguments.iter().map(|(title, _)| *title).collect();
        page.add(format_args!(
            "<tr><th><code>{}({})</code></th><td>{:?}</td><td class=\"soft\">{}</td></tr>",
            function.name,
            arguments.join(", "),
            function.returns,
            escaped(function.description)
        ));
    }
    page.add("</table></div>");
    page.finish()
}

/// The reference systems that coordinates can be had and given in.
fn systems_of(page: &mut Page, systems: &Systems) {
    page.heading("Coordinate reference systems");
    page.add("<p>What is stored is in the first; <code>crs</code>, <code>bbox-crs</code> and <code>filter-crs</code> may name any.</p><ul>");
    for uri in systems.uris() {
        page.add(format_args!("<li><code>{}</code></li>", escaped(uri)));
    }
    page.add("</ul>");
}

pub(crate) fn collections_page(
    ask: &Ask<'_>,
    all: &[Collection<'_>],
    layers: &[&TileLayerDescription],
    systems: &Systems,
) -> String {
    let mut page = page(ask, "Collections");
    page.add("<div class=\"scroll\"><table><tr><th>Collection</th><th>Features</th><th>Observed</th><th>Properties</th></tr>");
    for collection in all {
        let name = &collection.table.name;
        let items = ask.url(&format!("/collections/{name}/items?f=html"));
        let own = ask.url(&format!("/collections/{name}?f=html"));
        let observed = match collection.interval() {
            Some([from, to]) => format!("{} – {}", day(&from), day(&to)),
            None => String::new(),
        };
        page.add(format_args!(
            "<tr><th>{}</th><td class=\"number\">{}</td><td class=\"soft\">{observed}</td><td class=\"soft\">{} {}</td></tr>",
            link(&own, name),
            link(&items, &grouped(collection.info.count)),
            collection.table.columns.len(),
            if collection.table.geometry.is_some() { "with a geometry" } else { "" },
        ));
    }
    for layer in layers {
        let name = &layer.name;
        let own = ask.url(&format!("/collections/{name}?f=html"));
        let kind = DataType::of(layer);
        let tiles = ask.url(&format!("/collections/{name}{}?f=html", kind.path()));
        page.add(format_args!(
            "<tr><th>{}</th><td class=\"number\">{}</td><td></td><td class=\"soft\"></td></tr>",
            link(&own, name),
            link(&tiles, kind.title()),
        ));
    }
    page.add("</table></div>");
    if all.is_empty() && layers.is_empty() {
        page.add(
            "<p>There is nothing yet: the first entity that is created makes a collection.</p>",
        );
    } else {
        systems_of(&mut page, systems);
    }
    page.finish()
}

/// The day of a moment.
fn day(moment: &str) -> &str {
    moment.split('T').next().unwrap_or(moment)
}

pub(crate) fn collection_page(
    ask: &Ask<'_>,
    collection: &Collection<'_>,
    systems: &Systems,
) -> String {
    let Collection { table, info, damaged, .. } = collection;
    let name = &table.name;
    let mut page = page(ask, name).below("Collections", "/collections");
    page.add(format_args!(
        "<p>{} {} of the type <code>{}</code></p>",
        grouped(info.count),
        if info.count == 1 { "feature" } else { "features" },
        escaped(info.name.as_str())
    ));
    if *damaged > 0 {
        page.add(format_args!("<p>{} of the file are damaged and left out</p>", grouped(*damaged)));
    }
    let url = |rest: &str| ask.url(&format!("/collections/{name}{rest}?f=html"));
    page.add(format_args!(
        "<p class=\"links\">{}{}{}{}</p>",
        link(&url("/items"), "Look at the features"),
        link(&url("/queryables"), "What can be asked for"),
        link(&url("/sortables"), "What features can be sorted by"),
        link(&url("/schema"), "Schema"),
    ));
    if let Some(bbox) = collection.bbox() {
        let mut map = Map::around(bbox);
        map.rectangle(bbox, &url("/items"), "The features");
        page.add(map.finish());
        let [west, south, east, north] = bbox;
        page.add(format_args!(
            "<p class=\"soft\">Between {west:.5}° and {east:.5}° of longitude, {south:.5}° and {north:.5}° of latitude (CRS84)</p>"
        ));
    }
    if let Some([from, to]) = collection.interval() {
        page.add(format_args!("<p class=\"soft\">Observed from {from} to {to}</p>"));
    }
    page.heading("Properties");
    columns(&mut page, table, Schema::Returnables);
    systems_of(&mut page, systems);
    page.finish()
}

/// A collection of ready tiles.
pub(crate) fn tile_collection_page(ask: &Ask<'_>, layer: &TileLayerDescription) -> String {
    let name = &layer.name;
    let mut page = page(ask, title(layer)).below("Collections", "/collections");
    page.add(format_args!("<p>{}</p>", escaped(&description(layer))));
    let url = |rest: &str| ask.url(&format!("/collections/{name}{rest}?f=html"));
    let kind = DataType::of(layer);
    page.add(format_args!(
        "<p class=\"links\">{}{}</p>",
        link(&url(kind.path()), kind.title()),
        link(&url("/styles"), "Styles for maps"),
    ));
    let ([west, south], [east, north]) = (layer.bounds.min, layer.bounds.max);
    let mut map = Map::around([west, south, east, north]);
    map.rectangle([west, south, east, north], &url(kind.path()), kind.title());
    page.add(map.finish());
    let [first, last] = layer.zooms;
    page.add(format_args!(
        "<p class=\"soft\">Between {west:.5}° and {east:.5}° of longitude, {south:.5}° and {north:.5}° of latitude (CRS84), \
         at the zoom levels {first} to {last} of WebMercatorQuad</p>"
    ));
    if let Some(attribution) = &layer.attribution {
        page.add(format_args!("<p class=\"soft\">{}</p>", escaped(attribution)));
    }
    if let TileContent::Vector(layers) = &layer.content {
        page.heading("Layers");
        page.add("<div class=\"scroll\"><table><tr><th>Layer</th><th>Levels</th><th>Properties</th></tr>");
        for one in layers {
            let fields: Vec<&str> = one.fields.iter().map(|(name, _)| name.as_str()).collect();
            let [first, last] = one.zooms;
            page.add(format_args!(
                "<tr><th>{}</th><td class=\"soft\">{first} – {last}</td><td class=\"soft\">{}</td></tr>",
                escaped(&one.id),
                escaped(&fields.join(", "))
            ));
        }
        page.add("</table></div>");
    }
    page.finish()
}

pub(crate) fn schema_page(ask: &Ask<'_>, table: &Table, schema: Schema) -> String {
    let title = match schema {
        Schema::Queryables => "What can be asked for",
        Schema::Sortables => "What features can be sorted by",
        Schema::Returnables | Schema::Replacement | Schema::Feature => "Schema",
    };
    let mut page = page_of_collection(ask, &table.name, title).json_is("JSON Schema");
    columns(&mut page, table, schema);
    page.finish()
}

fn columns(page: &mut Page, table: &Table, schema: Schema) {
    page.add(
        "<div class=\"scroll\"><table><tr><th>Property</th><th>Type</th><th>Attribute</th></tr>",
    );
    for (at, column) in table.columns.iter().enumerate().filter(|(_, c)| schema.has(c)) {
        let datatype = if table.geometry == Some(at) {
            "Geometry, where features lie".to_owned()
        } else {
            format!("{:?}", column.datatype)
        };
        page.add(format_args!(
            "<tr><th>{}</th><td>{datatype}</td><td class=\"soft\"><code>{}</code></td></tr>",
            escaped(&column.name),
            escaped(column.attribute().as_str())
        ));
    }
    page.add("</table></div>");
    if table.left_out > 0 {
        page.add(format_args!("<p class=\"soft\">{} more are left out.</p>", table.left_out));
    }
}

/// The API definition as a list of operations.
pub(crate) fn definition_page(ask: &Ask<'_>, document: &Value) -> String {
    let mut page = page(ask, "API definition").json_is("OpenAPI 3.0");
    page.add(format_args!("<p>All paths are below <code>{}</code>.</p>", escaped(&ask.root())));
    let nothing = serde_json::Map::new();
    let items = document["paths"].as_object().unwrap_or(&nothing).iter();
    let operations = items.flat_map(|(path, item)| {
        let operations = item.as_object().unwrap_or(&nothing).iter();
        operations.map(move |(method, operation)| (path, method.to_uppercase(), operation))
    });
    for (path, method, operation) in operations {
        page.add(format_args!("<h2><code>{method} {}</code></h2>", escaped(path)));
        page.add(format_args!("<p>{}</p>", escaped(text(&operation["summary"]))));
        let parameters = operation["parameters"].as_array().map_or(&[][..], Vec::as_slice);
        let mut plain = String::new();
        let mut rows = String::new();
        for parameter in parameters {
            let shared = text(&parameter["$ref"]).rsplit('/').next().unwrap_or("");
            let is_shared = !shared.is_empty();
            let parameter =
                if is_shared { &document["components"]["parameters"][shared] } else { parameter };
            let (name, datatype) = (text(&parameter["name"]), text(&parameter["schema"]["type"]));
            if is_shared {
                let says = text(&parameter["description"]);
                let _ = write!(
                    rows,
                    "<tr><th>{}</th><td class=\"soft\">{}</td><td>{}</td></tr>",
                    escaped(name),
                    escaped(datatype),
                    escaped(says)
                );
            } else {
                let _ = write!(plain, "<code>{}</code> ({}) ", escaped(name), escaped(datatype));
            }
        }
        page.add(format_args!("<div class=\"scroll\"><table>{rows}</table></div>"));
        if !plain.is_empty() {
            page.add(format_args!(
                "<details><summary>Properties that can be asked for</summary><p>{plain}</p></details>"
            ));
        }
    }
    page.finish()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or("")
}
