//! The geometries of a group of rows with their boxes, and what is said of those of all.

use std::collections::BTreeSet;

use geo_types::Geometry;
use parquet::errors::ParquetError;

use super::columns::{Column, Group};
use crate::geometry::bounds;
use crate::{RecordGeometry, wkb};

#[derive(Debug)]
pub(super) struct Shapes {
    wkb: Column,
    /// West, south, east and north of each.
    edges: [Column; 4],
    types: BTreeSet<&'static str>,
    extent: Option<[f64; 4]>,
    heights: Option<[f64; 2]>,
}

impl Shapes {
    pub(super) fn new() -> Self {
        Self {
            wkb: Column::bytes(),
            edges: std::array::from_fn(|_| Column::numbers()),
            types: BTreeSet::new(),
            extent: None,
            heights: None,
        }
    }

    /// Takes the geometry of a row, and says how many bytes that is, about.
    pub(super) fn take(&mut self, geometry: Option<&RecordGeometry>) -> usize {
        let found = geometry.and_then(|geometry| Some((geometry, bounds(&geometry.shape)?)));
        let edges = found.map(|(_, area)| [area.min().x, area.min().y, area.max().x, area.max().y]);
        for (at, column) in self.edges.iter_mut().enumerate() {
            column.take_number(edges.map(|edges| edges[at]));
        }
        let mut size = 0;
        self.wkb.take_bytes(found.map(|(geometry, _)| {
            |out: &mut Vec<u8>| {
                let before = out.len();
                wkb::write(geometry, out);
                size = out.len() - before;
            }
        }));
        if let (Some((geometry, _)), Some(edges)) = (found, edges) {
            self.note(geometry, edges);
        }
        size + 40
    }

    fn note(&mut self, geometry: &RecordGeometry, edges: [f64; 4]) {
        let [west, south, east, north] = self.extent.unwrap_or(edges);
        let [w, s, e, n] = edges;
        self.extent = Some([west.min(w), south.min(s), east.max(e), north.max(n)]);
        for height in &geometry.heights {
            let [low, high] = self.heights.unwrap_or([*height; 2]);
            self.heights = Some([low.min(*height), high.max(*height)]);
        }
        self.types.insert(name_of(&geometry.shape, !geometry.heights.is_empty()));
    }

    /// Which geometries there are.
    pub(super) fn types(&self) -> &BTreeSet<&'static str> {
        &self.types
    }

    /// The box around all, with heights where there are any.
    pub(super) fn extent(&self) -> Option<Vec<f64>> {
        let [west, south, east, north] = self.extent?;
        Some(match self.heights {
            Some([low, high]) => vec![west, south, low, east, north, high],
            None => vec![west, south, east, north],
        })
    }

    pub(super) fn write(&mut self, group: &mut Group<'_>) -> Result<(), ParquetError> {
        self.wkb.write(group)?;
        self.edges.iter_mut().try_for_each(|column| column.write(group))
    }
}

fn name_of(shape: &Geometry<f64>, is_high: bool) -> &'static str {
    let [flat, high] = match shape {
        Geometry::Point(_) => ["Point", "Point Z"],
        Geometry::Line(_) | Geometry::LineString(_) => ["LineString", "LineString Z"],
        Geometry::Polygon(_) | Geometry::Rect(_) | Geometry::Triangle(_) => {
            ["Polygon", "Polygon Z"]
        }
        Geometry::MultiPoint(_) => ["MultiPoint", "MultiPoint Z"],
        Geometry::MultiLineString(_) => ["MultiLineString", "MultiLineString Z"],
        Geometry::MultiPolygon(_) => ["MultiPolygon", "MultiPolygon Z"],
        Geometry::GeometryCollection(_) => ["GeometryCollection", "GeometryCollection Z"],
    };
    if is_high { high } else { flat }
}
