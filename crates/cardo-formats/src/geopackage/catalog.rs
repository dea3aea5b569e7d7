//! What a GeoPackage says about its tables (clauses 1.1.2, 1.1.3 and 2.1.5).

use std::collections::HashMap;
use std::io::{Read, Seek};

use super::malformed;
use super::schema::{Column, columns};
use super::sqlite::{Cell, Database, Rows};
use crate::{Fault, format::choose_layer};

/// A table that can be read.
#[derive(Debug)]
pub(super) struct Layer {
    pub(super) name: String,
    pub(super) root: u32,
    pub(super) columns: Vec<Column>,
    /// The column of its geometry; attributes have none.
    pub(super) geometry: Option<String>,
    /// The reference system: a code, or well-known text.
    pub(super) crs: Option<String>,
}

/// A table or view of the database.
struct Table {
    kind: String,
    root: u32,
    sql: String,
}

/// A row by the names of its columns.
type Named = HashMap<String, Cell>;

/// The tables that `sqlite_schema` lists, by their names in lower case.
struct Tables(HashMap<String, Table>);

pub(super) fn layer<R: Read + Seek>(
    database: &mut Database<R>,
    wanted: Option<&str>,
) -> Result<Layer, Fault> {
    let tables = Tables::read(database)?;
    if !tables.0.contains_key("gpkg_contents") {
        return Err(Fault::Unsupported("an SQLite database that is no GeoPackage".to_owned()));
    }
    let contents = tables.rows(database, "gpkg_contents")?;
    let (mut features, mut others) = (Vec::new(), Vec::new());
    for row in &contents {
        let Some(name) = text(row, "table_name") else { continue };
        match text(row, "data_type").as_deref() {
            Some("features") => features.push(name),
            Some("attributes") => others.push(name),
            _ => {}
        }
    }
    let all: Vec<String> = features.iter().chain(&others).cloned().collect();
    let chosen = if wanted.is_some() {
        choose_layer("GeoPackage", &all, wanted)?
    } else {
        // Writers add empty tables to satisfy the standard, and attributes for styles.
        let mut candidates = tables.filled(database, &features)?;
        if candidates.is_empty() {
            candidates = tables.filled(database, &others)?;
        }
        if candidates.is_empty() {
            candidates = if features.is_empty() { others } else { features };
        }
        choose_layer("GeoPackage", &candidates, None)?
    };
    let columns = tables.columns(&chosen)?;
    let mut geometry = None;
    let mut srs = None;
    if tables.0.contains_key("gpkg_geometry_columns") {
        for row in tables.rows(database, "gpkg_geometry_columns")? {
            if text(&row, "table_name").is_some_and(|name| name.eq_ignore_ascii_case(&chosen)) {
                geometry = text(&row, "column_name");
                srs = int(&row, "srs_id");
            }
        }
    }
    let crs = match srs {
        Some(id) => tables.system(database, id)?,
        None => None,
    };
    let root = tables.get(&chosen)?.root;
    Ok(Layer { name: chosen, root, columns, geometry, crs })
}

impl Tables {
    fn read<R: Read + Seek>(database: &mut Database<R>) -> Result<Self, Fault> {
        let mut rows = Rows::of(1);
        let mut tables = HashMap::new();
        while let Some(row) = rows.next(database)? {
            if let [Cell::Text(kind), Cell::Text(name), _, root, Cell::Text(sql)] =
                row.cells?.as_slice()
            {
                let root = match root {
                    Cell::Int(root) => u32::try_from(*root).unwrap_or_default(),
                    _ => 0,
                };
                let table = Table { kind: kind.clone(), root, sql: sql.clone() };
                if matches!(kind.as_str(), "table" | "view") {
                    tables.insert(name.to_lowercase(), table);
                }
            }
        }
        Ok(Self(tables))
    }

    fn get(&self, name: &str) -> Result<&Table, Fault> {
        let table = self.0.get(&name.to_lowercase());
        let table =
            table.ok_or_else(|| malformed(format_args!("the table `{name}` is missing")))?;
        if table.kind == "view" {
            return Err(Fault::Unsupported(format!(
                "`{name}` is a view, which is not read; copy it to a table first (ogr2ogr)"
            )));
        }
        Ok(table)
    }

    fn columns(&self, name: &str) -> Result<Vec<Column>, Fault> {
        columns(name, &self.get(name)?.sql)
    }

    /// All rows of a small table.
    fn rows<R: Read + Seek>(
        &self,
        database: &mut Database<R>,
        name: &str,
    ) -> Result<Vec<Named>, Fault> {
        let columns = self.columns(name)?;
        let mut walk = Rows::of(self.get(name)?.root);
        let mut rows = Vec::new();
        while let Some(row) = walk.next(database)? {
            let stored = columns.iter().filter(|column| column.is_stored);
            let cells = stored.zip(row.cells?).map(|(column, cell)| {
                let cell = if column.is_row_id { Cell::Int(row.id) } else { cell };
                (column.name.to_lowercase(), cell)
            });
            rows.push(cells.collect());
        }
        Ok(rows)
    }

    /// Those of some tables that have a row.
    fn filled<R: Read + Seek>(
        &self,
        database: &mut Database<R>,
        names: &[String],
    ) -> Result<Vec<String>, Fault> {
        let mut filled = Vec::new();
        for name in names {
            let is_filled = match self.get(name) {
                Ok(table) => Rows::of(table.root).next(database)?.is_some(),
                Err(_) => true,
            };
            if is_filled {
                filled.push(name.clone());
            }
        }
        Ok(filled)
    }

    /// A reference system by its number in the file; none for those that are undefined on purpose.
    fn system<R: Read + Seek>(
        &self,
        database: &mut Database<R>,
        id: i64,
    ) -> Result<Option<String>, Fault> {
        if matches!(id, 0 | -1) {
            return Ok(None);
        }
        let rows = self.rows(database, "gpkg_spatial_ref_sys")?;
        let Some(row) = rows.iter().find(|row| int(row, "srs_id") == Some(id)) else {
            return Ok(Some(format!("srs_id {id}, which the file does not define")));
        };
        let code = int(row, "organization_coordsys_id").filter(|code| *code > 0);
        let organization = text(row, "organization").unwrap_or_default();
        if let (Some(code), true) = (code, organization.eq_ignore_ascii_case("EPSG")) {
            return Ok(Some(format!("EPSG:{code}")));
        }
        let definitions =
            ["definition", "definition_12_063"].into_iter().filter_map(|c| text(row, c));
        let mut definitions = definitions.filter(|text| text.contains('['));
        let name = || format!("{} of {organization}", text(row, "srs_name").unwrap_or_default());
        Ok(Some(definitions.next().unwrap_or_else(name)))
    }
}

fn text(row: &Named, column: &str) -> Option<String> {
    match row.get(column) {
        Some(Cell::Text(text)) => Some(text.clone()),
        _ => None,
    }
}

fn int(row: &Named, column: &str) -> Option<i64> {
    match row.get(column) {
        Some(Cell::Int(number)) => Some(*number),
        _ => None,
    }
}
