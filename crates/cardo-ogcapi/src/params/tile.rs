use cardo_engine::{ColumnType, Table, Tables, can_have_numbers};
use cardo_query::Filter;

use super::filter::filter_beside;
use super::{ParamFault, Query, datetime, shorten};
use crate::systems::Systems;

/// Parameters of tiles of the dataset.
pub(crate) const TILE_PARAMETERS: [&str; 8] =
    ["f", "properties", "collections", "datetime", "subset", "filter", "filter-lang", "filter-crs"];

/// Parameters of tiles of a collection.
pub(crate) const COLLECTION_TILE_PARAMETERS: [&str; 7] =
    ["f", "properties", "datetime", "subset", "filter", "filter-lang", "filter-crs"];

/// Parameters of the table of areas.
pub(crate) const AGGREGATE_PARAMETERS: [&str; 7] =
    ["f", "areas", "collections", "properties", "filter", "filter-lang", "filter-crs"];

/// Whether features of the collection have places.
pub(crate) fn is_tiled(table: &Table) -> bool {
    table.geometry.is_some()
}

/// The collections that the parameter `collections` names, in its order, else all that have tiles.
pub(crate) fn chosen_tables<'t>(
    params: &Query<'_>,
    tables: &'t Tables,
) -> Result<Vec<&'t Table>, ParamFault> {
    let Some(list) = params.get("collections") else {
        return Ok(tables.all().iter().filter(|table| is_tiled(table)).collect());
    };
    let mut chosen: Vec<&Table> = Vec::new();
    for name in list.split(',') {
        // A collection may be named by its address (OGC 20-057, /req/collections-selection).
        let own = name.trim_end_matches('/').rsplit("/collections/").next().unwrap_or(name);
        let table = tables.get(own).filter(|table| is_tiled(table));
        let table = table.ok_or_else(|| ParamFault::NotTiled(shorten(name)))?;
        if !chosen.iter().any(|known| known.id == table.id) {
            chosen.push(table);
        }
    }
    Ok(chosen)
}

/// Which features of each table the tile shows. A condition on a property that a collection does
/// not have, but another of the tile does, is about a value that is missing.
pub(crate) fn tile_filters(
    params: &Query<'_>,
    tables: &[&Table],
    systems: &Systems,
) -> Result<Vec<Filter>, ParamFault> {
    let time = time(params)?;
    let of_table =
        |table: &&Table| Ok(filter_beside(params, table, tables, systems)?.and(time.clone()));
    tables.iter().map(of_table).collect()
}

/// The parameter `datetime`, or `subset` with an interval of the axis `datetime` (OGC 20-057, table 12).
fn time(params: &Query<'_>) -> Result<Filter, ParamFault> {
    match (params.get("datetime"), params.get("subset")) {
        (None, None) => Ok(Filter::True),
        (Some(_), Some(_)) => Err(ParamFault::DatetimeAndSubset),
        (Some(text), None) => datetime::parse(text),
        (None, Some(text)) => {
            let fault = || ParamFault::Subset(shorten(text));
            let inner = text.strip_prefix("datetime(").and_then(|rest| rest.strip_suffix(')'));
            let inner = inner.and_then(|inner| inner.strip_prefix('"')?.strip_suffix('"'));
            let bound = |bound: &str| if bound == "*" { "..".to_owned() } else { bound.to_owned() };
            match inner.ok_or_else(fault)?.split("\":\"").collect::<Vec<_>>().as_slice() {
                [instant] => datetime::parse(instant),
                [from, until] => datetime::parse(&format!("{}/{}", bound(from), bound(until))),
                _ => Err(fault()),
            }
        }
    }
}

/// Which columns of each table the parameter `properties` names, else all but geometries.
pub(crate) fn chosen_columns(
    params: &Query<'_>,
    tables: &[&Table],
) -> Result<Vec<Vec<bool>>, ParamFault> {
    let names: Option<Vec<&str>> = params
        .get("properties")
        .map(|list| list.split(',').filter(|name| !name.is_empty()).collect());
    let all = || tables.iter().flat_map(|table| &table.columns).filter(|c| is_property(c.datatype));
    for name in names.iter().flatten() {
        if *name != "id" && !all().any(|column| column.name.as_ref() == *name) {
            let known = ["id"].into_iter().chain(all().map(|column| column.name.as_ref()));
            return Err(super::query::unknown_property(name, known));
        }
    }
    let is_shown = |name: &str| names.as_ref().is_none_or(|names| names.contains(&name));
    let of_table = |table: &&Table| {
        let columns = table.columns.iter();
        columns.map(|c| is_property(c.datatype) && is_shown(&c.name)).collect()
    };
    Ok(tables.iter().map(of_table).collect())
}

/// The columns of each table whose numbers are added up: those that the parameter `properties` names,
/// else all.
pub(crate) fn chosen_numbers(
    params: &Query<'_>,
    tables: &[&Table],
) -> Result<Vec<Vec<usize>>, ParamFault> {
    let Some(list) = params.get("properties") else {
        return Ok(tables.iter().map(|table| table.number_columns().collect()).collect());
    };
    let numbers = |table: &Table| -> Vec<usize> {
        let columns = table.columns.iter().enumerate();
        columns.filter(|(_, column)| can_have_numbers(column)).map(|(at, _)| at).collect()
    };
    let names: Vec<&str> = list.split(',').filter(|name| !name.is_empty()).collect();
    let known = || {
        let of = |table: &'_ &Table| {
            numbers(table)
                .into_iter()
                .map(|at| table.columns[at].name.to_string())
                .collect::<Vec<_>>()
        };
        tables.iter().flat_map(of).collect::<Vec<String>>()
    };
    for name in &names {
        if !tables.iter().any(|table| table.column(name).is_some_and(can_have_numbers)) {
            let known = known();
            return Err(super::query::unknown_property(name, known.iter().map(String::as_str)));
        }
    }
    let of_table = |table: &&Table| {
        let own = numbers(table).into_iter();
        own.filter(|at| names.contains(&table.columns[*at].name.as_ref())).collect()
    };
    Ok(tables.iter().map(of_table).collect())
}

/// Whether tiles show the values of a column: geometries beside that of the feature are too much.
pub(crate) fn is_property(datatype: ColumnType) -> bool {
    datatype != ColumnType::Geometry
}
