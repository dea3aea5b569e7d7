//! The tables that make an SQLite file a GeoPackage (OGC 12-128r19), and what is said in them.

use super::sqlite::{Field, record};

/// The definitions of tables that do not depend on data.
pub(super) const SYSTEMS: &str = "CREATE TABLE gpkg_spatial_ref_sys (srs_name TEXT NOT NULL, \
    srs_id INTEGER NOT NULL PRIMARY KEY, organization TEXT NOT NULL, \
    organization_coordsys_id INTEGER NOT NULL, definition TEXT NOT NULL, description TEXT)";
pub(super) const CONTENTS: &str = "CREATE TABLE gpkg_contents (table_name TEXT NOT NULL PRIMARY KEY, \
    data_type TEXT NOT NULL, identifier TEXT UNIQUE, description TEXT DEFAULT '', \
    last_change DATETIME NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ','now')), min_x DOUBLE, \
    min_y DOUBLE, max_x DOUBLE, max_y DOUBLE, srs_id INTEGER, CONSTRAINT fk_gc_r_srs_id \
    FOREIGN KEY (srs_id) REFERENCES gpkg_spatial_ref_sys(srs_id))";
pub(super) const GEOMETRY_COLUMNS: &str = "CREATE TABLE gpkg_geometry_columns (table_name TEXT NOT NULL, \
    column_name TEXT NOT NULL, geometry_type_name TEXT NOT NULL, srs_id INTEGER NOT NULL, \
    z TINYINT NOT NULL, m TINYINT NOT NULL, CONSTRAINT pk_geom_cols PRIMARY KEY (table_name, \
    column_name), CONSTRAINT uk_gc_table_name UNIQUE (table_name), CONSTRAINT fk_gc_tn FOREIGN KEY \
    (table_name) REFERENCES gpkg_contents(table_name), CONSTRAINT fk_gc_srs FOREIGN KEY (srs_id) \
    REFERENCES gpkg_spatial_ref_sys (srs_id))";
pub(super) const EXTENSIONS: &str = "CREATE TABLE gpkg_extensions (table_name TEXT, column_name TEXT, \
    extension_name TEXT NOT NULL, definition TEXT NOT NULL, scope TEXT NOT NULL, CONSTRAINT ge_tce \
    UNIQUE (table_name, column_name, extension_name))";

const WGS84: &str = "GEOGCS[\"WGS 84\",DATUM[\"WGS_1984\",SPHEROID[\"WGS 84\",6378137,298.257223563,\
    AUTHORITY[\"EPSG\",\"7030\"]],AUTHORITY[\"EPSG\",\"6326\"]],PRIMEM[\"Greenwich\",0,\
    AUTHORITY[\"EPSG\",\"8901\"]],UNIT[\"degree\",0.0174532925199433,AUTHORITY[\"EPSG\",\"9122\"]],\
    AUTHORITY[\"EPSG\",\"4326\"]]";
pub(super) const RTREE: &str = "gpkg_rtree_index";

/// The rows of the reference systems that every file names, and that of its table, by their ids.
pub(super) fn systems(epsg: u32, definition: Option<&str>) -> Vec<(i64, Vec<u8>)> {
    let row = |name: &str, organization: &str, code: i64, definition: &str, about: &str| {
        record(&[
            Field::Text(name),
            Field::Null,
            Field::Text(organization),
            Field::Int(code),
            Field::Text(definition),
            Field::Text(about),
        ])
    };
    let undefined = |name: &str, id: i64| (id, row(name, "NONE", id, "undefined", name));
    let mut rows = vec![
        undefined("Undefined Cartesian SRS", -1),
        undefined("Undefined geographic SRS", 0),
        (4326, row("WGS 84 geodetic", "EPSG", 4326, WGS84, "longitude and latitude in degrees")),
    ];
    if epsg != 4326 {
        let (about, code) = (format!("EPSG:{epsg}"), i64::from(epsg));
        // Readers know the systems of EPSG by their codes. A definition begins with its name.
        let name = definition.and_then(|text| text.split('"').nth(1)).unwrap_or(&about);
        rows.push((code, row(name, "EPSG", code, definition.unwrap_or("undefined"), &about)));
        rows.sort_by_key(|(id, _)| *id);
    }
    rows
}

/// A name as an identifier of SQL.
pub(super) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// What keeps the index of a geometry column up to date when somebody edits the file: name and
/// definition of each trigger (annex F.3; they need the functions `ST_…` of the editor).
pub(super) fn triggers(table: &str, column: &str, id: &str) -> Vec<(String, String)> {
    let index = format!("rtree_{table}_{column}");
    let (t, c, i, r) = (quoted(table), quoted(column), quoted(id), quoted(&index));
    let has = |row: &str| format!("({row}.{c} NOTNULL AND NOT ST_IsEmpty({row}.{c}))");
    let lacks = |row: &str| format!("({row}.{c} ISNULL OR ST_IsEmpty({row}.{c}))");
    let [x0, x1, y0, y1] = ["MinX", "MaxX", "MinY", "MaxY"].map(|f| format!("ST_{f}(NEW.{c})"));
    let insert = |verb: &str| format!("{verb} INTO {r} VALUES (NEW.{i}, {x0}, {x1}, {y0}, {y1});");
    let update = format!(
        "UPDATE {r} SET minx = {x0}, maxx = {x1}, miny = {y0}, maxy = {y1} WHERE id = NEW.{i};"
    );
    let delete = format!("DELETE FROM {r} WHERE id = OLD.{i};");
    let (stays, moves) = (format!("OLD.{i} = NEW.{i}"), format!("OLD.{i} != NEW.{i}"));
    let of_column = format!("AFTER UPDATE OF {c}");
    let replace = insert("INSERT OR REPLACE");
    let all = [
        ("insert", "AFTER INSERT".to_owned(), has("NEW"), replace.clone()),
        ("update2", of_column.clone(), format!("{stays} AND {}", lacks("NEW")), delete.clone()),
        (
            "update4",
            "AFTER UPDATE".to_owned(),
            format!("{moves} AND {}", lacks("NEW")),
            format!("DELETE FROM {r} WHERE id IN (OLD.{i}, NEW.{i});"),
        ),
        (
            "update5",
            "AFTER UPDATE".to_owned(),
            format!("{moves} AND {}", has("NEW")),
            format!("{delete} {replace}"),
        ),
        (
            "update6",
            of_column.clone(),
            format!("{stays} AND {} AND {}", has("NEW"), has("OLD")),
            update,
        ),
        (
            "update7",
            of_column,
            format!("{stays} AND {} AND {}", has("NEW"), lacks("OLD")),
            insert("INSERT"),
        ),
        ("delete", "AFTER DELETE".to_owned(), format!("OLD.{c} NOTNULL"), delete),
    ];
    let trigger = |(what, when, condition, work): (&str, String, String, String)| {
        let name = format!("{index}_{what}");
        let sql = format!(
            "CREATE TRIGGER {} {when} ON {t} WHEN {condition} BEGIN {work} END",
            quoted(&name)
        );
        (name, sql)
    };
    all.into_iter().map(trigger).collect()
}
