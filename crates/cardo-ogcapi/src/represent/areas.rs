use std::fmt::Write;

use cardo_engine::{Cell, ColumnType, Counting, Figures, NumberFigures, Table};
use cardo_model::{Record, write_json_string};
use serde_json::{Map, Value};

use super::right_handed;

/// A table with a row an area: what the area is called, and the figures of what lies in it.
pub(crate) struct AreaTable<'a> {
    areas: &'a Table,
    /// The columns of texts and numbers of the area itself.
    own: Vec<usize>,
    countings: &'a [Counting<'a>],
    /// The numbers of each counting that occur in any area: the column and the unit.
    numbers: Vec<Vec<(usize, Option<Box<str>>)>>,
}

type Part = fn(&NumberFigures) -> f64;

/// What there is of numbers beside how many they are, in the order of columns.
const PARTS: [(&str, Part); 4] = [
    ("sum", |numbers| numbers.sum),
    ("mean", NumberFigures::mean),
    ("min", |numbers| numbers.min),
    ("max", |numbers| numbers.max),
];

impl<'a> AreaTable<'a> {
    pub(crate) fn of(
        areas: &'a Table,
        countings: &'a [Counting<'a>],
        figures: &[Vec<Figures>],
    ) -> Self {
        let is_shown = |datatype: ColumnType| {
            matches!(datatype, ColumnType::Text | ColumnType::Number | ColumnType::Boolean)
        };
        let own = areas.columns.iter().enumerate();
        let own = own.filter(|(_, c)| is_shown(c.datatype)).map(|(at, _)| at).collect();
        let numbers = (0..countings.len()).map(|of| {
            let all = figures.iter().flat_map(|area| &area[of].numbers);
            let mut seen: Vec<_> = all.map(|n| (n.column, n.unit.clone())).collect();
            seen.sort();
            seen.dedup();
            seen
        });
        Self { areas, own, countings, numbers: numbers.collect() }
    }

    /// The names of the columns. No name of a collection or of its columns has a dot.
    fn names(&self) -> Vec<String> {
        let own = self.own.iter().map(|at| self.areas.columns[*at].name.to_string());
        let mut names: Vec<String> = std::iter::once("id".to_owned()).chain(own).collect();
        for (counting, numbers) in self.countings.iter().zip(&self.numbers) {
            let table = &counting.table;
            names.push(format!("{}.count", table.name));
            for (column, unit) in numbers {
                let mut start = format!("{}.{}", table.name, table.columns[*column].name);
                if let Some(unit) = unit {
                    let _ = write!(start, ".{unit}");
                }
                names.push(format!("{start}.count"));
                names.extend(PARTS.iter().map(|(part, _)| format!("{start}.{part}")));
            }
        }
        names
    }

    /// The values of a row, null where there is none.
    fn row(&self, area: &Record, figures: &[Figures]) -> Vec<Value> {
        let mut values = vec![Value::from(area.view().id())];
        values.extend(self.own.iter().map(|at| {
            let cell = self.areas.cell(&area.view(), *at);
            cell.map_or(Value::Null, |cell| match cell {
                Cell::Json(json) => serde_json::from_slice(json).unwrap_or_default(),
                Cell::Shown(text) => serde_json::from_str(&text).unwrap_or_default(),
                Cell::Text(text) => text.into(),
                Cell::Time(_) => Value::Null,
            })
        }));
        for (figures, numbers) in figures.iter().zip(&self.numbers) {
            values.push(figures.count.into());
            for (column, unit) in numbers {
                let is_it = |n: &&NumberFigures| n.column == *column && n.unit == *unit;
                let found = figures.numbers.iter().find(is_it);
                values.push(found.map_or(0, |n| n.count).into());
                for (_, part) in PARTS {
                    values.push(found.map(part).into());
                }
            }
        }
        values
    }

    /// The table as CSV (RFC 4180).
    pub(crate) fn to_csv(&self, areas: &[Record], figures: &[Vec<Figures>]) -> Vec<u8> {
        let mut out = String::new();
        let mut line = |cells: Vec<String>| {
            out.push_str(&cells.join(","));
            out.push_str("\r\n");
        };
        line(self.names().iter().map(|name| quoted(name)).collect());
        for (area, figures) in areas.iter().zip(figures) {
            line(self.row(area, figures).iter().map(csv_cell).collect());
        }
        out.into_bytes()
    }

    /// The table as features, each with the geometry of its area.
    pub(crate) fn to_geojson<'g>(
        &self,
        areas: &[Record],
        figures: &[Vec<Figures>],
        geometry: &impl Fn(usize) -> &'g str,
    ) -> Vec<u8> {
        let names = self.names();
        let mut out = b"{\"type\":\"FeatureCollection\",\"features\":[".to_vec();
        for (at, (area, figures)) in areas.iter().zip(figures).enumerate() {
            if at > 0 {
                out.push(b',');
            }
            out.extend_from_slice(b"{\"type\":\"Feature\",\"id\":");
            write_json_string(area.view().id(), &mut out);
            let row = self.row(area, figures);
            let row: Map<String, Value> = names.iter().cloned().zip(row).collect();
            out.extend_from_slice(b",\"properties\":");
            out.extend_from_slice(Value::Object(row).to_string().as_bytes());
            out.extend_from_slice(b",\"geometry\":");
            out.extend_from_slice(&right_handed(geometry(at).as_bytes()));
            out.push(b'}');
        }
        out.extend_from_slice(b"]}");
        out
    }
}

fn csv_cell(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => quoted(text),
        other => other.to_string(),
    }
}

/// A text as a cell. What a spreadsheet would take for a formula is marked as text.
fn quoted(text: &str) -> String {
    let mark = if text.starts_with(['=', '+', '-', '@', '\t', '\r']) { "'" } else { "" };
    if mark.is_empty() && !text.contains(['"', ',', '\n', '\r']) {
        return text.to_owned();
    }
    format!("\"{mark}{}\"", text.replace('"', "\"\""))
}
