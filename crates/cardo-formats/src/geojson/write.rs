//! Records as GeoJSON text.

use std::io::{self, Write};

use geo_types::{Coord, Geometry, LineString, Polygon};

use crate::{
    Record, RecordGeometry,
    record::{push_json_text, push_number},
};

/// A record as a GeoJSON Feature, on one line.
pub fn write_feature(record: &Record) -> String {
    let mut out = String::from(r#"{"type":"Feature""#);
    if let Some(id) = &record.id {
        out.push_str(r#","id":"#);
        push_json_text(id, &mut out);
    }
    out.push_str(r#","geometry":"#);
    match &record.geometry {
        Some(geometry) => out.push_str(&write_geometry(geometry)),
        None => out.push_str("null"),
    }
    out.push_str(r#","properties":{"#);
    for (index, (name, value)) in record.fields.iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        push_json_text(name, &mut out);
        out.push(':');
        value.write_json(&mut out);
    }
    out.push_str("}}");
    out
}

/// A geometry as a GeoJSON object, with heights where it has them.
pub fn write_geometry(geometry: &RecordGeometry) -> String {
    let mut text = Text { out: String::new(), heights: geometry.heights.iter() };
    text.geometry(&geometry.shape);
    text.out
}

struct Text<'a> {
    out: String,
    heights: std::slice::Iter<'a, f64>,
}

impl Text<'_> {
    fn geometry(&mut self, shape: &Geometry<f64>) {
        match shape {
            Geometry::Point(point) => self.object("Point", |text| text.position(point.0)),
            Geometry::Line(line) => self.object("LineString", |text| {
                text.list(&[line.start, line.end], |text, position| text.position(*position));
            }),
            Geometry::LineString(line) => self.object("LineString", |text| text.line(line)),
            Geometry::Polygon(polygon) => self.object("Polygon", |text| text.polygon(polygon)),
            Geometry::MultiPoint(points) => self.object("MultiPoint", |text| {
                text.list(&points.0, |text, point| text.position(point.0));
            }),
            Geometry::MultiLineString(lines) => self.object("MultiLineString", |text| {
                text.list(&lines.0, Text::line);
            }),
            Geometry::MultiPolygon(polygons) => self.object("MultiPolygon", |text| {
                text.list(&polygons.0, Text::polygon);
            }),
            Geometry::Rect(rect) => self.geometry(&rect.to_polygon().into()),
            Geometry::Triangle(triangle) => self.geometry(&triangle.to_polygon().into()),
            Geometry::GeometryCollection(collection) => {
                self.out.push_str(r#"{"type":"GeometryCollection","geometries":"#);
                self.list(&collection.0, Text::geometry);
                self.out.push('}');
            }
        }
    }

    fn object(&mut self, kind: &str, coordinates: impl FnOnce(&mut Self)) {
        self.out.push_str(r#"{"type":""#);
        self.out.push_str(kind);
        self.out.push_str(r#"","coordinates":"#);
        coordinates(self);
        self.out.push('}');
    }

    fn list<T>(&mut self, items: &[T], mut item: impl FnMut(&mut Self, &T)) {
        self.out.push('[');
        for (index, each) in items.iter().enumerate() {
            if index > 0 {
                self.out.push(',');
            }
            item(self, each);
        }
        self.out.push(']');
    }

    fn polygon(&mut self, polygon: &Polygon<f64>) {
        self.out.push('[');
        if !polygon.exterior().0.is_empty() {
            self.line(polygon.exterior());
            for ring in polygon.interiors() {
                self.out.push(',');
                self.line(ring);
            }
        }
        self.out.push(']');
    }

    fn line(&mut self, line: &LineString<f64>) {
        self.list(&line.0, |text, position| text.position(*position));
    }

    fn position(&mut self, position: Coord<f64>) {
        self.out.push('[');
        push_number(position.x, &mut self.out);
        self.out.push(',');
        push_number(position.y, &mut self.out);
        if let Some(height) = self.heights.next() {
            self.out.push(',');
            push_number(*height, &mut self.out);
        }
        self.out.push(']');
    }
}

/// How features follow one another in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// One FeatureCollection, a feature a line.
    Collection,
    /// One feature a line.
    Lines,
    /// RFC 8142: a record separator before and a line feed behind each.
    Sequence,
}

/// Writes features one after another.
#[derive(Debug)]
pub struct FeatureWriter<W> {
    out: W,
    framing: Framing,
    count: u64,
}

impl<W: Write> FeatureWriter<W> {
    /// Begins a file.
    pub fn new(mut out: W, framing: Framing) -> io::Result<Self> {
        if framing == Framing::Collection {
            out.write_all(b"{\"type\":\"FeatureCollection\",\"features\":[\n")?;
        }
        Ok(Self { out, framing, count: 0 })
    }

    /// Writes one feature.
    pub fn write(&mut self, record: &Record) -> io::Result<()> {
        let (before, after) = match self.framing {
            Framing::Collection if self.count > 0 => (",\n", ""),
            Framing::Collection => ("", ""),
            Framing::Lines => ("", "\n"),
            Framing::Sequence => ("\u{1E}", "\n"),
        };
        self.count += 1;
        self.out.write_all(before.as_bytes())?;
        self.out.write_all(write_feature(record).as_bytes())?;
        self.out.write_all(after.as_bytes())
    }

    /// Ends the file and gives the output back.
    pub fn finish(mut self) -> io::Result<W> {
        if self.framing == Framing::Collection {
            self.out.write_all(b"\n]}\n")?;
        }
        self.out.flush()?;
        Ok(self.out)
    }
}
