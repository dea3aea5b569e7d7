//! GeoPackage 1.4 (OGC 12-128r19): one table of features or attributes, with the index of its
//! geometries, written from its first page to its last.

use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt::Write as _;
use std::io;

use cardo_model::Timestamp;
use geo_types::{Geometry, Rect};

use super::rtree::{Boxes, Part, Tree};
use super::sqlite::{Field, Plan, Rows, file_head, index_page, record};
use super::tables::{
    CONTENTS, EXTENSIONS, GEOMETRY_COLUMNS, RTREE, SYSTEMS, quoted, systems, triggers,
};
use super::{ColumnKind, Head, Row, RowWriter, Value, moment_text};
use crate::geometry::bounds;
use crate::{RecordGeometry, wkb};

/// Writes a table as a GeoPackage. Its rows are looked at before, for where they will stand.
#[derive(Debug)]
pub struct GeoPackageRows {
    head: Head,
    /// Its reference system as well-known text.
    system: Option<Box<str>>,
    names: Names,
    as_of: Timestamp,
    plan: Plan,
    boxes: Boxes,
    extent: Option<Rect<f64>>,
    kinds: Kinds,
    seen: i64,
    /// What writes the rows, and behind them the index.
    rows: Option<Rows>,
    index: Option<Index>,
    written: i64,
}

/// What the columns are called here, where names differ by more than their case.
#[derive(Debug)]
struct Names {
    table: String,
    row: String,
    geometry: String,
    columns: Vec<String>,
}

/// The tables of the spatial index, written a piece at a time.
#[derive(Debug)]
struct Index {
    tree: Tree,
    /// The plan of each part, and its root.
    plans: [(Plan, u32); 3],
    /// Which part is being written, how far, and by what.
    part: usize,
    at: usize,
    rows: Option<Rows>,
}

impl Index {
    /// Writes about as much as is sent at once; `false` where that was the last.
    fn write_piece(&mut self, out: &mut Vec<u8>) -> bool {
        let start = out.len();
        while let (Some(part), Some((plan, root))) =
            (Part::ALL.get(self.part), self.plans.get(self.part))
        {
            let rows = self.rows.get_or_insert_with(|| plan.begin(*root, &[], out));
            if let Some((id, payload)) = self.tree.row(*part, &mut self.at) {
                rows.add(id, &payload, out);
            } else {
                rows.finish(out);
                (self.part, self.at, self.rows) = (self.part + 1, 0, None);
            }
            if out.len() - start >= PIECE {
                return true;
            }
        }
        false
    }
}

/// How much of the index is written at once, about.
const PIECE: usize = 64 << 10;

/// Which geometries there are.
#[derive(Debug, Default)]
struct Kinds {
    one: Option<&'static str>,
    is_mixed: bool,
    some_high: bool,
    some_flat: bool,
}

/// A small table: name, definition, rows, and the key of each index on it, where it has a row.
type Small = (&'static str, &'static str, Vec<(i64, Vec<u8>)>, Vec<Option<Vec<u8>>>);

/// An object of the schema.
struct Object {
    kind: &'static str,
    name: String,
    table: String,
    root: u32,
    sql: Option<String>,
}

impl Object {
    fn record(&self) -> Vec<u8> {
        record(&[
            Field::Text(self.kind),
            Field::Text(&self.name),
            Field::Text(&self.table),
            Field::Wide(self.root),
            self.sql.as_deref().map_or(Field::Null, Field::Text),
        ])
    }
}

impl Names {
    fn of(head: &Head) -> Self {
        let lower = head.name.to_lowercase();
        let is_taken = ["gpkg_", "rtree_", "sqlite_"].iter().any(|start| lower.starts_with(start));
        let table = if is_taken { format!("t_{}", head.name) } else { head.name.to_string() };
        // Names are equal whatever their case.
        let mut seen: HashSet<String> = HashSet::from(["id".to_owned()]);
        let mut free = |name: &str| {
            let names = (2..).map(|number| format!("{name}_{number}"));
            let mut names = std::iter::once(name.to_owned()).chain(names);
            names.find(|name| seen.insert(name.to_lowercase())).unwrap_or_default()
        };
        let columns = head.columns.iter().map(|column| free(&column.name)).collect();
        Self { table, columns, row: free("fid"), geometry: free("geom") }
    }
}

impl GeoPackageRows {
    /// Begins a file that says it was last changed at a moment, and defines its reference system by
    /// well-known text (OGC 01-009).
    pub fn new(head: Head, system: Option<&str>, as_of: Timestamp) -> Self {
        Self {
            names: Names::of(&head),
            head,
            system: system.map(Box::from),
            as_of,
            plan: Plan::new(),
            boxes: Boxes::default(),
            extent: None,
            kinds: Kinds::default(),
            seen: 0,
            rows: None,
            index: None,
            written: 0,
        }
    }

    fn record(&self, row: &Row<'_>) -> Vec<u8> {
        let blob = row.geometry.filter(|_| self.head.has_geometry);
        let blob = blob.map(|geometry| geometry_blob(geometry, self.head.epsg));
        let texts: Vec<_> = self
            .head
            .columns
            .iter()
            .zip(row.values)
            .map(|(column, value)| stored_text(column.kind, value))
            .collect();
        let mut fields = vec![Field::Null];
        if self.head.has_geometry {
            fields.push(blob.as_deref().map_or(Field::Null, Field::Blob));
        }
        fields.push(Field::Text(row.id));
        for (value, text) in row.values.iter().zip(&texts) {
            fields.push(match (value, text) {
                (Value::Bool(value), _) => Field::Int(i64::from(*value)),
                (Value::Number(_), _) => value.number().map_or(Field::Null, Field::Real),
                (_, Some(text)) => Field::Text(text),
                (_, None) => Field::Null,
            });
        }
        record(&fields)
    }

    fn table_sql(&self) -> String {
        let Names { table, row, geometry, columns } = &self.names;
        let mut sql =
            format!("CREATE TABLE {} ({} INTEGER PRIMARY KEY NOT NULL", quoted(table), quoted(row));
        if self.head.has_geometry {
            let _ = write!(sql, ", {} {}", quoted(geometry), self.kinds.name());
        }
        sql.push_str(", \"id\" TEXT");
        for (name, column) in columns.iter().zip(&self.head.columns) {
            let kind = match column.kind {
                ColumnKind::Bool => "BOOLEAN",
                ColumnKind::Number => "DOUBLE",
                ColumnKind::Text | ColumnKind::Json => "TEXT",
                ColumnKind::Date => "DATE",
                ColumnKind::DateTime => "DATETIME",
            };
            let _ = write!(sql, ", {} {kind}", quoted(name));
        }
        sql.push(')');
        sql
    }

    /// The tables that say what the file holds.
    fn small_tables(&self) -> Vec<Small> {
        let (head, names) = (&self.head, &self.names);
        let data_type = if head.has_geometry { "features" } else { "attributes" };
        let srs = if head.has_geometry { Field::Int(head.epsg.into()) } else { Field::Null };
        let edge = |value: Option<f64>| value.map_or(Field::Null, Field::Real);
        let extent = self.extent;
        let changed = millis_text(&moment_text(self.as_of));
        let table = Field::Text(&names.table);
        let contents = record(&[
            table,
            Field::Text(data_type),
            table,
            Field::Text(""),
            Field::Text(&changed),
            edge(extent.map(|area| area.min().x)),
            edge(extent.map(|area| area.min().y)),
            edge(extent.map(|area| area.max().x)),
            edge(extent.map(|area| area.max().y)),
            srs,
        ]);
        let first = Field::Int(1);
        let key = || Some(record(&[table, first]));
        let mut all = vec![
            (
                "gpkg_spatial_ref_sys",
                SYSTEMS,
                systems(head.epsg, self.system.as_deref()),
                Vec::new(),
            ),
            ("gpkg_contents", CONTENTS, vec![(1, contents)], vec![key(), key()]),
        ];
        if head.has_geometry {
            let column = Field::Text(&names.geometry);
            let high = Field::Int(self.kinds.z());
            let about = [table, column, Field::Text(self.kinds.name()), srs, high, Field::Int(0)];
            let keys = vec![Some(record(&[table, column, first])), key()];
            all.push(("gpkg_geometry_columns", GEOMETRY_COLUMNS, vec![(1, record(&about))], keys));
            let extension = Field::Text(RTREE);
            let about = [
                table,
                column,
                extension,
                Field::Text("http://www.geopackage.org/spec140/#extension_rtree"),
                Field::Text("write-only"),
            ];
            let keys = vec![Some(record(&[table, column, extension, first]))];
            all.push(("gpkg_extensions", EXTENSIONS, vec![(1, record(&about))], keys));
        } else {
            // GDAL looks for tables of attributes only where this one is.
            all.push(("gpkg_geometry_columns", GEOMETRY_COLUMNS, Vec::new(), vec![None, None]));
        }
        all
    }
}

impl RowWriter for GeoPackageRows {
    fn surveys(&self) -> bool {
        true
    }

    fn survey(&mut self, row: &Row<'_>) -> io::Result<()> {
        self.seen += 1;
        let id = u32::try_from(self.seen).map_err(io::Error::other)?;
        self.plan.add(self.seen, self.record(row).len());
        if let Some(geometry) = row.geometry.filter(|_| self.head.has_geometry) {
            self.kinds.take(geometry);
            if let Some(area) = bounds(&geometry.shape) {
                self.boxes.add(id, &area);
                self.extent = Some(self.extent.map_or(area, |all| joined(all, area)));
            }
        }
        Ok(())
    }

    fn begin(&mut self, out: &mut Vec<u8>) -> io::Result<bool> {
        let tree = std::mem::take(&mut self.boxes).into_tree();
        let small = self.small_tables();
        // All sizes are known, whatever the places are: the schema is made once without these.
        let plans = Part::ALL.map(|part| planned(tree.rows(part)));
        let mut schema = self.schema(&small, 0, &plans);
        let mut plan = Plan::first();
        for (object, id) in schema.0.iter().zip(1..) {
            plan.add(id, object.record().len());
        }
        schema = self.schema(&small, plan.pages(), &plans);
        let (objects, roots, pages) = schema;
        let head = file_head(pages, 10_400, *b"GPKG");
        let mut rows = plan.begin(1, &head, out);
        for (object, id) in objects.iter().zip(1..) {
            rows.add(id, &object.record(), out);
        }
        rows.finish(out);
        let mut next = plan.pages() + 1;
        for (_, _, rows, keys) in small {
            next += write_table(rows.into_iter(), next, out);
            for key in keys {
                index_page(key.into_iter().collect(), out)?;
                next += 1;
            }
        }
        self.rows = Some(self.plan.begin(next, &[], out));
        if self.head.has_geometry {
            let [nodes, rows, parents] = plans;
            let plans = [(nodes, roots[0]), (rows, roots[1]), (parents, roots[2])];
            self.index = Some(Index { tree, plans, part: 0, at: 0, rows: None });
        }
        Ok(false)
    }

    fn write(&mut self, row: &Row<'_>, out: &mut Vec<u8>) -> io::Result<()> {
        self.written += 1;
        let record = self.record(row);
        let rows =
            self.rows.as_mut().ok_or_else(|| io::Error::other("the file has no beginning"))?;
        rows.add(self.written, &record, out);
        Ok(())
    }

    fn finish(&mut self, out: &mut Vec<u8>) -> io::Result<bool> {
        if self.written != self.seen {
            return Err(io::Error::other("there were other rows than those looked at"));
        }
        if let Some(mut rows) = self.rows.take() {
            rows.finish(out);
        }
        Ok(self.index.as_mut().is_some_and(|index| index.write_piece(out)))
    }
}

impl GeoPackageRows {
    /// The objects of the schema, which takes the first so many pages, the roots of the index, and
    /// how many pages the file has.
    fn schema(
        &self,
        small: &[Small],
        pages: u32,
        plans: &[Plan; 3],
    ) -> (Vec<Object>, [u32; 3], u32) {
        let mut objects = Vec::new();
        let mut next = pages + 1;
        for (name, sql, rows, keys) in small {
            let table = |kind, own: String, root, sql: Option<&str>| Object {
                kind,
                name: own,
                table: (*name).to_owned(),
                root,
                sql: sql.map(str::to_owned),
            };
            objects.push(table("table", (*name).to_owned(), next, Some(sql)));
            next += planned(rows.iter().cloned()).pages();
            for number in 1..=keys.len() {
                let own = format!("sqlite_autoindex_{name}_{number}");
                objects.push(table("index", own, next, None));
                next += 1;
            }
        }
        let Names { table, row, geometry, .. } = &self.names;
        let of_table = |kind, name: String, of: &str, root, sql| Object {
            kind,
            name,
            table: of.to_owned(),
            root,
            sql: Some(sql),
        };
        objects.push(of_table("table", table.clone(), table, next, self.table_sql()));
        next += self.plan.pages();
        if !self.head.has_geometry {
            return (objects, [0; 3], next - 1);
        }
        let index = format!("rtree_{table}_{geometry}");
        let sql = format!(
            "CREATE VIRTUAL TABLE {} USING rtree(id, minx, maxx, miny, maxy)",
            quoted(&index)
        );
        objects.push(of_table("table", index.clone(), &index, 0, sql));
        let mut roots = [0; 3];
        for (at, (part, columns)) in [
            ("node", "nodeno INTEGER PRIMARY KEY,data"),
            ("rowid", "rowid INTEGER PRIMARY KEY,nodeno"),
            ("parent", "nodeno INTEGER PRIMARY KEY,parentnode"),
        ]
        .into_iter()
        .enumerate()
        {
            let name = format!("{index}_{part}");
            let sql = format!("CREATE TABLE {}({columns})", quoted(&name));
            objects.push(of_table("table", name.clone(), &name, next, sql));
            roots[at] = next;
            next += plans[at].pages();
        }
        for (name, sql) in triggers(table, geometry, row) {
            objects.push(of_table("trigger", name, table, 0, sql));
        }
        (objects, roots, next - 1)
    }
}

fn planned(rows: impl Iterator<Item = (i64, Vec<u8>)>) -> Plan {
    let mut plan = Plan::new();
    rows.for_each(|(id, payload)| plan.add(id, payload.len()));
    plan
}

/// Writes a small table and says how many pages it takes.
fn write_table(
    rows: impl Iterator<Item = (i64, Vec<u8>)> + Clone,
    root: u32,
    out: &mut Vec<u8>,
) -> u32 {
    let plan = planned(rows.clone());
    let pages = plan.pages();
    write_planned(&(plan, root), rows, out);
    pages
}

fn write_planned(
    (plan, root): &(Plan, u32),
    rows: impl Iterator<Item = (i64, Vec<u8>)>,
    out: &mut Vec<u8>,
) {
    let mut writer = plan.begin(*root, &[], out);
    rows.for_each(|(id, payload)| writer.add(id, &payload, out));
    writer.finish(out);
}

/// A geometry with its header (clause 2.1.3): points need no envelope.
fn geometry_blob(geometry: &RecordGeometry, epsg: u32) -> Vec<u8> {
    let mut blob = Vec::with_capacity(64);
    let area = bounds(&geometry.shape).filter(|_| !matches!(geometry.shape, Geometry::Point(_)));
    blob.extend_from_slice(&[b'G', b'P', 0, if area.is_some() { 0b011 } else { 0b001 }]);
    blob.extend_from_slice(&epsg.to_le_bytes());
    if let Some(area) = area {
        for number in [area.min().x, area.max().x, area.min().y, area.max().y] {
            blob.extend_from_slice(&number.to_le_bytes());
        }
    }
    wkb::write(geometry, &mut blob);
    blob
}

/// A value that is stored as text.
fn stored_text<'v>(kind: ColumnKind, value: &'v Value<'_>) -> Option<Cow<'v, str>> {
    let text = match value {
        Value::Text(_) | Value::Time(_) | Value::Json(_) => value.to_text()?,
        Value::Null | Value::Bool(_) | Value::Number(_) => return None,
    };
    Some(if kind == ColumnKind::DateTime { millis_text(&text).into() } else { text })
}

/// A moment as clause 1.1.1.1.3 has it: in UTC, with thousandths of a second.
fn millis_text(text: &str) -> String {
    let utc = Timestamp::parse(text).map_or_else(|_| text.to_owned(), moment_text);
    let Some((whole, fraction)) =
        utc.strip_suffix('Z').map(|text| text.split_once('.').unwrap_or((text, "")))
    else {
        return utc;
    };
    let fraction = fraction.get(..3).unwrap_or(fraction);
    format!("{whole}.{fraction:0<3}Z")
}

fn joined(one: Rect<f64>, other: Rect<f64>) -> Rect<f64> {
    let (a, b) = (one.min(), other.min());
    let (c, d) = (one.max(), other.max());
    Rect::new((a.x.min(b.x), a.y.min(b.y)), (c.x.max(d.x), c.y.max(d.y)))
}

impl Kinds {
    fn take(&mut self, geometry: &RecordGeometry) {
        let kind = match geometry.shape {
            Geometry::Point(_) => "POINT",
            Geometry::Line(_) | Geometry::LineString(_) => "LINESTRING",
            Geometry::Polygon(_) | Geometry::Rect(_) | Geometry::Triangle(_) => "POLYGON",
            Geometry::MultiPoint(_) => "MULTIPOINT",
            Geometry::MultiLineString(_) => "MULTILINESTRING",
            Geometry::MultiPolygon(_) => "MULTIPOLYGON",
            Geometry::GeometryCollection(_) => "GEOMETRYCOLLECTION",
        };
        self.is_mixed |= self.one.is_some_and(|known| known != kind);
        self.one = Some(kind);
        let is_high = !geometry.heights.is_empty();
        self.some_high |= is_high;
        self.some_flat |= !is_high;
    }

    fn name(&self) -> &'static str {
        self.one.filter(|_| !self.is_mixed).unwrap_or("GEOMETRY")
    }

    /// Whether heights are forbidden, needed or optional.
    fn z(&self) -> i64 {
        match (self.some_high, self.some_flat) {
            (false, _) => 0,
            (true, false) => 1,
            (true, true) => 2,
        }
    }
}
