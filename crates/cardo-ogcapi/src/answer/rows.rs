use std::borrow::Cow;
use std::io;

use cardo_engine::{Cell, ColumnType, Listing, Table};
use cardo_formats::rows::{ColumnKind, Head, Row, RowColumn, RowWriter, Value};
use cardo_formats::{Limits, RecordGeometry, geojson};
use cardo_model::{Record, read_point};
use cardo_spatial::{Crs, CrsError};
use geo::MapCoordsInPlace;
use geo_types::{Coord, Point};

use super::{PIECE, Pieces, View};
use crate::represent::{Placer, Shown, right_handed};

/// How many entities are looked at together.
const GROUP: usize = 64;
/// How many groups are looked at together before it is seen whether the answer is still wanted.
const GROUPS: usize = 64;

/// What a table is in formats that have columns with types.
pub(crate) fn head_of(table: &Table, shown: &Shown) -> Head {
    let columns = columns(table, shown).map(|at| {
        let column = &table.columns[at];
        RowColumn { name: column.name.clone(), kind: kind_of(column.datatype) }
    });
    let has_geometry = table.geometry.is_some_and(|at| shown.shows(table, at));
    Head {
        name: table.name.clone(),
        columns: columns.collect(),
        has_geometry,
        epsg: shown.system.crs.epsg().unwrap_or(4326),
    }
}

/// The places of the columns that stand among the properties.
fn columns<'t>(table: &'t Table, shown: &'t Shown) -> impl Iterator<Item = usize> {
    let all = 0..table.columns.len();
    all.filter(|at| table.geometry != Some(*at) && shown.shows(table, *at))
}

fn kind_of(datatype: ColumnType) -> ColumnKind {
    match datatype {
        ColumnType::Number => ColumnKind::Number,
        ColumnType::Text | ColumnType::Vocab | ColumnType::Relationship => ColumnKind::Text,
        ColumnType::Boolean => ColumnKind::Bool,
        ColumnType::Date => ColumnKind::Date,
        ColumnType::DateTime => ColumnKind::DateTime,
        ColumnType::List | ColumnType::Json | ColumnType::Geometry | ColumnType::Relationships => {
            ColumnKind::Json
        }
    }
}

/// A page in a format of tables, piece by piece.
pub(crate) struct RowPieces {
    view: View,
    listing: Listing,
    writer: Box<dyn RowWriter>,
    phase: Phase,
    /// How many rows are done in this phase.
    done: usize,
    order: Option<Vec<u32>>,
    /// Whether coordinates stand in the order of the authority of their system.
    is_authority_order: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    Survey,
    Begin,
    Rows,
    Finish,
    Closed,
}

impl RowPieces {
    /// `is_authority_order` is for formats in which the first coordinate is what the authority of the
    /// system says; in others it is longitude or easting whatever that says.
    pub(crate) fn new(
        view: View,
        listing: Listing,
        writer: Box<dyn RowWriter>,
        is_authority_order: bool,
    ) -> Self {
        let phase = if writer.surveys() { Phase::Survey } else { Phase::Begin };
        Self { view, listing, writer, phase, done: 0, order: None, is_authority_order }
    }
}

impl Pieces for RowPieces {
    fn next(&mut self, out: &mut Vec<u8>) -> io::Result<bool> {
        match self.phase {
            Phase::Survey | Phase::Rows => {
                let is_survey = self.phase == Phase::Survey;
                for _ in 0..GROUPS {
                    if self.done >= self.listing.len() || out.len() >= PIECE {
                        break;
                    }
                    let places = self.done..self.listing.len().min(self.done + GROUP);
                    self.done = places.end;
                    let records = match self.order.as_ref().filter(|_| !is_survey) {
                        None => self.listing.look(places),
                        Some(order) => self.listing.pick(&order[places]),
                    };
                    let Some(table) = self.view.table() else { return Ok(false) };
                    let writer = &mut self.writer;
                    let axes = self.is_authority_order;
                    each_row(table, &self.view.shown, axes, &records, |row| {
                        if is_survey { writer.survey(row) } else { writer.write(row, out) }
                    })?;
                }
                if self.done >= self.listing.len() {
                    self.done = 0;
                    if is_survey {
                        self.order = self.writer.order();
                        self.phase = Phase::Begin;
                    } else {
                        self.phase = Phase::Finish;
                    }
                }
                Ok(true)
            }
            Phase::Begin => {
                while out.len() < PIECE && self.phase == Phase::Begin {
                    if !self.writer.begin(out)? {
                        self.phase = Phase::Rows;
                    }
                }
                Ok(true)
            }
            Phase::Finish => {
                if !self.writer.finish(out)? {
                    self.phase = Phase::Closed;
                }
                Ok(true)
            }
            Phase::Closed => Ok(false),
        }
    }
}

/// Hands over entities as rows.
fn each_row(
    table: &Table,
    shown: &Shown,
    is_authority_order: bool,
    records: &[Cow<'_, Record>],
    mut take: impl FnMut(&Row<'_>) -> io::Result<()>,
) -> io::Result<()> {
    let mut places = vec![None; table.columns.len()];
    for (value, column) in columns(table, shown).enumerate() {
        places[column] = Some(value);
    }
    let mut values = vec![Value::Null; columns(table, shown).count()];
    let mut placer = Placer::of(&shown.system);
    let shows_geometry = table.geometry.is_some_and(|at| shown.shows(table, at));
    for record in records {
        values.fill(Value::Null);
        let view = record.view();
        let mut cells = Cells {
            table,
            places: &places,
            placer: &mut placer,
            fault: None,
            values: &mut values,
            geometry: None,
        };
        table.read(&view, &mut cells);
        if let Some(fault) = cells.fault {
            return Err(io::Error::other(fault));
        }
        let is_right = shown.is_right_handed;
        let geometry = cells.geometry.filter(|_| shows_geometry);
        let geometry = geometry.map(|cell| geometry_of(&cell, is_right));
        let mut geometry = geometry.transpose()?.flatten();
        if let Some(geometry) = geometry.as_mut().filter(|_| !shown.system.crs.is_lon_lat()) {
            place(geometry, &shown.system.crs, is_authority_order)?;
        }
        take(&Row { id: view.id(), geometry: geometry.as_ref(), values: &values })?;
    }
    Ok(())
}

/// Takes the cells of an entity as the values of a row.
struct Cells<'r, 'a> {
    table: &'r Table,
    places: &'r [Option<usize>],
    placer: &'r mut Option<Placer>,
    fault: Option<CrsError>,
    values: &'r mut [Value<'a>],
    geometry: Option<Cell<'a>>,
}

impl<'a> cardo_engine::Row<'a> for Cells<'_, 'a> {
    fn cell(&mut self, column: usize, cell: Cell<'a>) {
        if self.table.geometry == Some(column) {
            self.geometry = Some(cell);
            return;
        }
        let Some(place) = self.places[column] else { return };
        let datatype = self.table.columns[column].datatype;
        self.values[place] = match (&cell, self.placer.as_mut()) {
            // All geometries are in the system that was asked for.
            (Cell::Json(json), Some(placer)) if datatype == ColumnType::Geometry => {
                let mut out = Vec::new();
                let json = right_handed(json);
                self.fault = self.fault.take().or(placer.write(&json, &mut out).err());
                Value::Json(String::from_utf8(out).unwrap_or_default().into())
            }
            _ => value_of(cell, datatype),
        };
    }
}

fn value_of(cell: Cell<'_>, datatype: ColumnType) -> Value<'_> {
    let json = match cell {
        Cell::Time(moment) => return Value::Time(moment),
        Cell::Text(text) => return Value::Text(text.into()),
        Cell::Json(json) if datatype == ColumnType::Geometry => {
            let json = right_handed(json).into_owned();
            Cow::Owned(String::from_utf8(json).unwrap_or_default())
        }
        Cell::Json(json) => Cow::Borrowed(std::str::from_utf8(json).unwrap_or("null")),
        Cell::Shown(json) => Cow::Owned(json.into_string()),
    };
    match kind_of(datatype) {
        ColumnKind::Number => match json {
            Cow::Borrowed(text) if text.starts_with(|c: char| c == '-' || c.is_ascii_digit()) => {
                Value::Number(text)
            }
            other => Value::Json(other),
        },
        ColumnKind::Bool => match json.as_ref() {
            "true" => Value::Bool(true),
            "false" => Value::Bool(false),
            _ => Value::Null,
        },
        ColumnKind::Text | ColumnKind::Date | ColumnKind::DateTime => text_of(json),
        ColumnKind::Json if datatype == ColumnType::Relationships && json.starts_with('"') => {
            // A list of one id is held without its brackets.
            Value::Json(format!("[{json}]").into())
        }
        ColumnKind::Json => Value::Json(json),
    }
}

/// The text that a JSON string holds.
fn text_of(json: Cow<'_, str>) -> Value<'_> {
    let inner = match &json {
        Cow::Borrowed(text) => text.strip_prefix('"').and_then(|text| text.strip_suffix('"')),
        Cow::Owned(_) => None,
    };
    match inner.filter(|text| !text.contains('\\')) {
        Some(text) => Value::Text(text.into()),
        None => match serde_json::from_str::<String>(&json) {
            Ok(text) => Value::Text(text.into()),
            Err(_) => Value::Text(json),
        },
    }
}

/// Brings a geometry into another system.
fn place(geometry: &mut RecordGeometry, crs: &Crs, is_authority_order: bool) -> io::Result<()> {
    let placed = crs.project_with_heights(&geometry.shape, &geometry.heights);
    (geometry.shape, geometry.heights) = placed.map_err(io::Error::other)?;
    if !is_authority_order {
        geometry.shape.map_coords_in_place(|Coord { x, y }| {
            let [east, north] = crs.east_north([x, y]);
            Coord { x: east, y: north }
        });
    }
    Ok(())
}

fn geometry_of(cell: &Cell<'_>, is_right_handed: bool) -> io::Result<Option<RecordGeometry>> {
    let Cell::Json(json) = cell else { return Ok(None) };
    let json = if is_right_handed { Cow::Borrowed(*json) } else { right_handed(json) };
    let text = std::str::from_utf8(&json).map_err(io::Error::other)?;
    // Points have a form of their own, which is read without a parser; it has no heights.
    if let Some([x, y]) = read_point(text).filter(|_| text.matches(',').count() == 2) {
        return Ok(Some(RecordGeometry::flat(Point::new(x, y))));
    }
    geojson::parse_geometry(text, &Limits::default()).map_err(io::Error::other)
}
