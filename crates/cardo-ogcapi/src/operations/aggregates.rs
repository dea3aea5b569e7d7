use axum::body::Body;
use axum::http::Response;
use axum::http::header::{CONTENT_DISPOSITION, HeaderValue};
use cardo_engine::{Counting, EntityQuery, Order, PageRequest, PageStart, Table, Tables};
use cardo_query::Filter;

use crate::documents::{CSV, GEOJSON};
use crate::face::Face;
use crate::fault::Fault;
use crate::params::{AGGREGATE_PARAMETERS, chosen_numbers, chosen_tables, filter};
use crate::represent::AreaTable;
use crate::request::Ask;
use crate::respond;

/// The encodings of the table.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Encoding {
    Csv,
    GeoJson,
}

/// What lies in the areas of a collection, a row an area. This is no part of a standard.
pub(crate) async fn aggregates(face: &Face, ask: &Ask<'_>) -> Result<Response<Body>, Fault> {
    ask.query.only(&AGGREGATE_PARAMETERS)?;
    let encoding = encoding(ask)?;
    let tables = face.engine.tables(&ask.caller).await?;
    let areas = areas_of(ask, &tables)?;
    let mut counted = chosen_tables(&ask.query, &tables)?;
    if ask.query.get("collections").is_none() {
        // Areas do not lie in one another unless that is asked.
        counted.retain(|table| table.id != areas.id);
    }
    let columns = chosen_numbers(&ask.query, &counted)?;
    let countings: Vec<Counting<'_>> = counted
        .iter()
        .zip(columns)
        .map(|(table, columns)| {
            let filter = filter(&ask.query, table, &face.options.systems)?;
            Ok(Counting { table, filter, columns })
        })
        .collect::<Result<_, Fault>>()?;
    let snapshot = face.snapshot(ask).await?;
    let query = EntityQuery {
        filter: Filter::Type(areas.type_name.clone()),
        order: Order::default(),
        page: PageRequest { limit: face.options.limits.max_areas, start: PageStart::Offset(0) },
        count: false,
    };
    let page = face.engine.query_in(&ask.caller, &snapshot, &query).await?;
    if page.has_more {
        let most = face.options.limits.max_areas;
        let name = &areas.name;
        return Err(Fault::invalid(format!(
            "{name} has more than {most} areas, the most of a table"
        )));
    }
    let found = page.entities;
    let types: Vec<_> = countings.iter().map(|one| (&one.table.type_name, &one.filter)).collect();
    let completed = face.engine.completed_of(&ask.caller, snapshot.clone(), &types).await?;
    let figures = face.engine.aggregate_by_area(&completed, areas, &found, &countings).await?;
    let table = AreaTable::of(areas, &countings, &figures);
    let (media_type, extension, body) = match encoding {
        Encoding::Csv => (CSV, "csv", table.to_csv(&found, &figures)),
        Encoding::GeoJson => {
            let geometry = |at: usize| areas.geometry_of(&found[at].view()).unwrap_or("null");
            (GEOJSON, "geojson", table.to_geojson(&found, &figures, &geometry))
        }
    };
    let mut response = respond::answer(media_type, body, snapshot.revision());
    let name = format!("attachment; filename=\"{}.{extension}\"", areas.name);
    if let Ok(name) = HeaderValue::from_str(&name) {
        response.headers_mut().insert(CONTENT_DISPOSITION, name);
    }
    Ok(response)
}

fn encoding(ask: &Ask<'_>) -> Result<Encoding, Fault> {
    match ask.query.get("f") {
        Some("csv") => Ok(Encoding::Csv),
        Some("geojson" | "json") => Ok(Encoding::GeoJson),
        Some(other) => {
            Err(Fault::invalid(format!("f={other:?}: the table can be had as csv and geojson")))
        }
        None => match ask.best_of(&[GEOJSON, "text/csv"]) {
            Some(0) => Ok(Encoding::GeoJson),
            Some(_) => Ok(Encoding::Csv),
            None => Err(Fault::not_acceptable(&[GEOJSON, CSV])),
        },
    }
}

fn areas_of<'t>(ask: &Ask<'_>, tables: &'t Tables) -> Result<&'t Table, Fault> {
    let name = ask.query.get("areas");
    let name = name.ok_or_else(|| Fault::invalid("areas has to name a collection of polygons"))?;
    tables.get(name).filter(|table| table.geometry.is_some()).ok_or_else(|| {
        Fault::invalid(format!("areas: {name:?} is no collection whose features have places"))
    })
}
