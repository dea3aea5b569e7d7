use cardo_engine::{ColumnType, Table, Tables};

use super::{ParamFault, Query, shorten};

/// Parameters of tiles; those of a collection are the first two.
pub(crate) const TILE_PARAMETERS: [&str; 3] = ["f", "properties", "collections"];

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
        // A collection may be named by its address (OGC 20-057, clause 11).
        let own = name.trim_end_matches('/').rsplit("/collections/").next().unwrap_or(name);
        let table = tables.get(own).filter(|table| is_tiled(table));
        let table = table.ok_or_else(|| ParamFault::NotTiled(shorten(name)))?;
        if !chosen.iter().any(|known| known.id == table.id) {
            chosen.push(table);
        }
    }
    Ok(chosen)
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

/// Whether tiles show the values of a column: geometries beside that of the feature are too much.
pub(crate) fn is_property(datatype: ColumnType) -> bool {
    datatype != ColumnType::Geometry
}
