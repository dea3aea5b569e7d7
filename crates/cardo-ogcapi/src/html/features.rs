use std::fmt::Write;

use cardo_engine::{Cell, Column, ColumnType, Page as Found, PageStart, Table};
use cardo_model::{EntityRef, Record, read_shape};

use super::layout::{Page, escaped, grouped, link};
use super::map::Map;
use crate::documents::{Link, encode_segment};
use crate::params::{Bbox, ItemsQuery, is_queryable};
use crate::represent::{Placer, Shown, cell_json, is_reference, referenced};
use crate::request::Ask;

/// How much of a value a table shows, in characters.
const SHOWN: usize = 80;

pub(crate) fn features_page(
    ask: &Ask<'_>,
    table: &Table,
    items: &ItemsQuery,
    found: &Found,
    links: &[Link],
) -> String {
    let name = &table.name;
    let mut page = Page::new(ask, format!("Features of {name}"))
        .below("OGC API", "")
        .below("Collections", "/collections")
        .below(name, &format!("/collections/{name}"))
        .json_is("GeoJSON");
    page.add(format_args!("<p>{}</p>", summary(items, found)));
    form(&mut page, ask, table, items);
    if table.geometry.is_some() && items.shown.geometry {
        page.add(map_of(ask, table, items, found));
    }
    let mut pages = String::from("<p class=\"pages\">");
    for (rel, text) in [("prev", "← Page before"), ("next", "Next page →")] {
        if let Some(found) = links.iter().find(|link| link.rel == rel) {
            pages.push_str(&link(&found.href, text));
        }
    }
    pages.push_str("</p>");
    page.add(&pages);
    downloads(&mut page, links);
    table_of(&mut page, ask, table, found, &items.shown);
    page.add(pages);
    page.finish()
}

/// The same page of features in other encodings.
fn downloads(page: &mut Page, links: &[Link]) {
    let others = links.iter().filter(|link| link.rel == "alternate");
    let others = others.map(|other| {
        let name = other.title.strip_prefix("This document as ").unwrap_or(&other.title);
        link(&other.href, if name == "JSON" { "GeoJSON" } else { name })
    });
    let others = others.collect::<Vec<_>>().join(" ");
    page.add(format_args!("<p class=\"pages soft\">Download these features: {others}</p>"));
}

fn summary(items: &ItemsQuery, found: &Found) -> String {
    let shown = found.entities.len();
    let Some(count) = found.count else {
        let what = if shown == 1 { "feature" } else { "features" };
        return format!("{} {what} of a number that is not counted", grouped(shown));
    };
    let of = grouped(count);
    let what = if count == 1 { "feature matches" } else { "features match" };
    match items.query.page.start {
        PageStart::Offset(0) if shown == count => format!("{of} {what}"),
        PageStart::Offset(0) => format!("{of} {what}; these are the first {}", grouped(shown)),
        _ => format!("{of} {what}; these are {} of them", grouped(shown)),
    }
}

/// The box that was asked for, in CRS84.
fn area(ask: &Ask<'_>, items: &ItemsQuery) -> String {
    match items.bbox.as_ref().and_then(Bbox::outline) {
        Some(outline) if ask.query.get("bbox-crs").is_some() => {
            outline.map(|number| format!("{number:.6}")).join(",")
        }
        _ => escaped(ask.query.get("bbox").unwrap_or("")),
    }
}

fn form(page: &mut Page, ask: &Ask<'_>, table: &Table, items: &ItemsQuery) {
    let value = |name: &str| escaped(ask.query.get(name).unwrap_or(""));
    page.add(format_args!("<form action=\"{}\">", escaped(&ask.path_url())));
    page.add("<input type=\"hidden\" name=\"f\" value=\"html\">");
    // What the form has no field for stays as it is.
    for name in ["crs", "sortby", "properties", "skipGeometry"] {
        if ask.query.get(name).is_some() {
            let text = value(name);
            page.add(format_args!("<input type=\"hidden\" name=\"{name}\" value=\"{text}\">"));
        }
    }
    page.add(format_args!(
        "<label>Area: west,south,east,north<input name=\"bbox\" value=\"{}\" placeholder=\"drag on the map\"></label>\
         <label>Time<input name=\"datetime\" value=\"{}\" placeholder=\"2026-11-01/..\"></label>\
         <label>Page size<input name=\"limit\" type=\"number\" min=\"1\" value=\"{}\"></label>\
         <button>Ask</button>",
        area(ask, items),
        value("datetime"),
        items.limit,
    ));
    let columns: Vec<_> = table.columns.iter().filter(|c| is_queryable(c.datatype)).collect();
    let is_open = columns.iter().any(|column| ask.query.get(&column.name).is_some());
    let open = if is_open { " open" } else { "" };
    page.add(format_args!("<details{open}><summary>Properties</summary><div>"));
    for column in columns {
        let name = escaped(&column.name);
        page.add(format_args!(
            "<label>{name}<input name=\"{name}\" value=\"{}\"></label>",
            value(&column.name)
        ));
    }
    page.add("</div></details></form>");
}

/// The features of the page, or the area that was asked for where it has none.
fn map_of(ask: &Ask<'_>, table: &Table, items: &ItemsQuery, found: &Found) -> String {
    let shapes: Vec<_> = found
        .entities
        .iter()
        .filter_map(|record| {
            let view = record.view();
            Some((view.id(), read_shape(table.geometry_of(&view)?)?))
        })
        .collect();
    let asked = items.bbox.as_ref().and_then(Bbox::outline);
    let Some(mut map) = asked.map(Map::around).or_else(|| Map::of(shapes.iter().map(|s| &s.1)))
    else {
        return "<p class=\"soft\">No feature of this page has a place.</p>".to_owned();
    };
    for (id, shape) in &shapes {
        map.shape(shape, &feature_url(ask, table, id), id);
    }
    let here = |bbox: [f64; 4]| {
        let bbox = bbox.map(|number| format!("{number:.6}")).join(",");
        ask.url_with(&[
            ("f", Some("html")),
            ("cursor", None),
            ("offset", None),
            ("bbox-crs", None),
            ("bbox", Some(bbox.as_str())),
        ])
    };
    let moves = map.moves().map(|(name, bbox)| link(&here(bbox), name)).join(" ");
    format!("{}<p class=\"pages soft\">Ask for another area: {moves}</p>", map.finish())
}

fn feature_url(ask: &Ask<'_>, table: &Table, id: &str) -> String {
    ask.url(&format!("/collections/{}/items/{}?f=html", table.name, encode_segment(id)))
}

fn table_of(page: &mut Page, ask: &Ask<'_>, table: &Table, found: &Found, selection: &Shown) {
    let mut occurs = vec![false; table.columns.len()];
    for record in &found.entities {
        table.read(&record.view(), &mut |at: usize, _: Cell<'_>| occurs[at] = true);
    }
    let shown: Vec<usize> = (0..occurs.len())
        .filter(|at| occurs[*at] && table.columns[*at].datatype != ColumnType::Geometry)
        .filter(|at| selection.shows(table, *at))
        .collect();
    let mut head = String::from("<th>id</th>");
    for at in &shown {
        let _ = write!(head, "<th>{}</th>", escaped(&table.columns[*at].name));
    }
    page.add(format_args!("<div class=\"scroll\"><table class=\"wide\"><tr>{head}</tr>"));
    for record in &found.entities {
        let view = record.view();
        let mut cells = vec![None; table.columns.len()];
        table.read(&view, &mut |at: usize, cell: Cell<'_>| {
            cells[at] = Some(cell_html(&cell, &table.columns[at], selection));
        });
        let id = view.id();
        let mut row = format!("<th>{}</th>", link(&feature_url(ask, table, id), &cut(id)));
        for at in &shown {
            let text = cells[*at].take().unwrap_or_default();
            let class = match table.columns[*at].datatype {
                ColumnType::Number => " class=\"number\"",
                _ => "",
            };
            let _ = write!(row, "<td{class}>{text}</td>");
        }
        page.add(format_args!("<tr>{row}</tr>"));
    }
    page.add("</table></div>");
}

/// What stands in a cell as text for people.
fn cell_text(cell: &Cell<'_>, datatype: ColumnType) -> String {
    let mut json = Vec::new();
    cell_json(cell, datatype, &mut json);
    match serde_json::from_slice::<serde_json::Value>(&json) {
        Ok(serde_json::Value::String(text)) => text,
        _ => String::from_utf8(json).unwrap_or_default(),
    }
}

/// The same for a table; references are links.
fn cell_html(cell: &Cell<'_>, column: &Column, shown: &Shown) -> String {
    match (&shown.references, cell) {
        (Some(references), Cell::Json(json)) if is_reference(column) => {
            let links = referenced(json).into_iter().map(|id| {
                let (address, title) = references.find(&id);
                link(&address, &cut(title.as_ref().unwrap_or(&id)))
            });
            links.collect::<Vec<_>>().join(" ")
        }
        _ => escaped(&cut(&cell_text(cell, column.datatype))),
    }
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

pub(crate) fn feature_page(ask: &Ask<'_>, table: &Table, record: &Record, shown: &Shown) -> String {
    let view = record.view();
    let name = &table.name;
    let mut page = Page::new(ask, view.id())
        .below("OGC API", "")
        .below("Collections", "/collections")
        .below(name, &format!("/collections/{name}"))
        .below("Features", &format!("/collections/{name}/items"))
        .json_is("GeoJSON");
    if shown.geometry
        && let Some(shape) = table.geometry_of(&view).and_then(read_shape)
        && let Some(mut map) = Map::of(std::iter::once(&shape))
    {
        map.shape(&shape, &ask.own_url(), view.id());
        page.add(map.finish());
    }
    if table.geometry.is_some() && shown.geometry {
        page.add(format_args!("<p class=\"soft\">{}</p>", coordinates(shown)));
    }
    properties(&mut page, table, &view, shown);
    page.finish()
}

/// Which reference system coordinates are in.
fn coordinates(shown: &Shown) -> String {
    format!("Coordinates are in <code>{}</code>.", escaped(&shown.system.uri))
}

/// The text of a geometry in the system that was asked for.
fn placed(placer: Option<&mut Placer>, text: String) -> String {
    let Some(placer) = placer else { return text };
    let mut out = Vec::new();
    match placer.write(text.as_bytes(), &mut out) {
        Ok(()) => String::from_utf8(out).unwrap_or_default(),
        Err(why) => why.to_string(),
    }
}

fn properties(page: &mut Page, table: &Table, view: &EntityRef<'_>, shown: &Shown) {
    let mut placer = Placer::of(&shown.system);
    page.add("<div class=\"scroll\"><table>");
    table.read(view, &mut |at: usize, cell: Cell<'_>| {
        if !shown.shows(table, at) {
            return;
        }
        let column = &table.columns[at];
        let class = if column.datatype == ColumnType::Geometry { " class=\"soft\"" } else { "" };
        let text = match column.datatype {
            ColumnType::Geometry => {
                let text = cell_text(&cell, column.datatype);
                escaped(&cut(&placed(placer.as_mut(), text)))
            }
            _ if is_reference(column) => cell_html(&cell, column, shown),
            _ => escaped(&cell_text(&cell, column.datatype)),
        };
        let name = escaped(&column.name);
        page.add(format_args!("<tr><th>{name}</th><td{class}>{text}</td></tr>"));
    });
    page.add("</table></div>");
}
