//! Well-known text of geometries, and its extension with an SRID.

use std::fmt::Write as _;
use std::str::FromStr;

use geo_types::{
    Coord, Geometry, GeometryCollection, LineString, MultiLineString, MultiPoint, MultiPolygon,
    Point, Polygon,
};

use crate::{
    Fault, RecordGeometry,
    geometry::{Heights, coord, line, polygon},
};

/// Deepest nesting of geometry collections.
const DEPTH: usize = 64;

/// A geometry and the SRID before it.
#[derive(Clone, Debug, PartialEq)]
pub struct Ewkt {
    /// The number behind `SRID=`.
    pub srid: Option<u32>,
    /// The geometry; `None` where it is `EMPTY`.
    pub geometry: Option<RecordGeometry>,
}

/// Reads WKT or EWKT.
///
/// ```
/// let point = cardo_formats::wkt::parse("SRID=4326;POINT Z (24.94 60.17 12)")?;
/// assert_eq!(point.srid, Some(4326));
/// assert_eq!(point.geometry.and_then(|geometry| geometry.height(0)), Some(12.0));
/// # Ok::<(), cardo_formats::Fault>(())
/// ```
///
/// # Errors
/// The reason why the text is no geometry.
pub fn parse(text: &str) -> Result<Ewkt, Fault> {
    let (srid, text) = split_srid(text.trim())?;
    let mut parser = Parser { rest: text, heights: Heights::default() };
    let shape = parser.geometry(DEPTH)?;
    parser.blank();
    if !parser.rest.is_empty() {
        return Err(malformed(format_args!("`{}` behind the geometry", cut(parser.rest))));
    }
    Ok(Ewkt { srid, geometry: shape.map(|shape| parser.heights.with(shape)) })
}

/// A geometry as WKT (ISO 19125), with `Z` where it has heights. Numbers are never written with an
/// exponent.
///
/// ```
/// let point = cardo_formats::RecordGeometry::flat(geo_types::Point::new(24.94, 60.17));
/// assert_eq!(cardo_formats::wkt::write(&point), "POINT(24.94 60.17)");
/// ```
pub fn write(geometry: &RecordGeometry) -> String {
    let mut text = Text { out: String::with_capacity(64), heights: geometry.heights.iter() };
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
            Geometry::Point(point) => self.tagged("POINT", |text| text.list(&[point.0])),
            Geometry::Line(line) => {
                self.tagged("LINESTRING", |text| text.list(&[line.start, line.end]));
            }
            Geometry::LineString(line) => self.tagged("LINESTRING", |text| text.list(&line.0)),
            Geometry::Polygon(one) => self.tagged("POLYGON", |text| text.polygon(one)),
            Geometry::Rect(rect) => {
                self.tagged("POLYGON", |text| text.polygon(&rect.to_polygon()));
            }
            Geometry::Triangle(three) => {
                self.tagged("POLYGON", |text| text.polygon(&three.to_polygon()));
            }
            Geometry::MultiPoint(many) => self.tagged("MULTIPOINT", |text| {
                text.each(&many.0, |text, point| text.list(&[point.0]));
            }),
            Geometry::MultiLineString(many) => self.tagged("MULTILINESTRING", |text| {
                text.each(&many.0, |text, line| text.list(&line.0));
            }),
            Geometry::MultiPolygon(many) => self.tagged("MULTIPOLYGON", |text| {
                text.each(&many.0, Text::polygon);
            }),
            Geometry::GeometryCollection(many) => self.tagged("GEOMETRYCOLLECTION", |text| {
                text.each(&many.0, Text::geometry);
            }),
        }
    }

    fn tagged(&mut self, name: &str, body: impl FnOnce(&mut Self)) {
        self.out.push_str(name);
        if !self.heights.as_slice().is_empty() {
            self.out.push_str(" Z");
        }
        body(self);
    }

    fn each<T>(&mut self, items: &[T], mut write: impl FnMut(&mut Self, &T)) {
        if items.is_empty() {
            self.out.push_str(" EMPTY");
            return;
        }
        self.out.push('(');
        for (at, item) in items.iter().enumerate() {
            if at > 0 {
                self.out.push(',');
            }
            write(self, item);
        }
        self.out.push(')');
    }

    fn list(&mut self, positions: &[Coord<f64>]) {
        self.each(positions, |text, position| {
            let _ = write!(text.out, "{} {}", position.x, position.y);
            if let Some(height) = text.heights.next() {
                let _ = write!(text.out, " {height}");
            }
        });
    }

    fn polygon(&mut self, polygon: &Polygon<f64>) {
        let rings: Vec<&LineString<f64>> =
            std::iter::once(polygon.exterior()).chain(polygon.interiors()).collect();
        self.each(&rings, |text, ring| text.list(&ring.0));
    }
}

/// Whether the text begins like WKT or EWKT.
pub(crate) fn looks_like(text: &str) -> bool {
    let text = text.trim_start();
    let word = text.split(|c: char| !c.is_ascii_alphabetic()).next();
    word.is_some_and(|word| word.eq_ignore_ascii_case("SRID") || Kind::from_str(word).is_ok())
}

fn split_srid(text: &str) -> Result<(Option<u32>, &str), Fault> {
    if !text.get(..5).is_some_and(|head| head.eq_ignore_ascii_case("SRID=")) {
        return Ok((None, text));
    }
    let wrong = || malformed(format_args!("`{}` is no SRID", cut(text)));
    let (number, rest) = text[5..].split_once(';').ok_or_else(wrong)?;
    let srid = number.trim().parse().map_err(|_| wrong())?;
    Ok((Some(srid), rest))
}

#[derive(Clone, Copy)]
enum Kind {
    Point,
    LineString,
    Polygon,
    MultiPoint,
    MultiLineString,
    MultiPolygon,
    Collection,
}

impl FromStr for Kind {
    type Err = ();

    fn from_str(word: &str) -> Result<Self, ()> {
        let word = word.to_ascii_uppercase();
        let bare = ["ZM", "Z", "M"]
            .into_iter()
            .find_map(|suffix| word.strip_suffix(suffix))
            .unwrap_or(&word);
        Ok(match bare {
            "POINT" => Self::Point,
            "LINESTRING" => Self::LineString,
            "POLYGON" => Self::Polygon,
            "MULTIPOINT" => Self::MultiPoint,
            "MULTILINESTRING" => Self::MultiLineString,
            "MULTIPOLYGON" => Self::MultiPolygon,
            "GEOMETRYCOLLECTION" => Self::Collection,
            _ => return Err(()),
        })
    }
}

struct Parser<'a> {
    rest: &'a str,
    heights: Heights,
}

impl<'a> Parser<'a> {
    fn blank(&mut self) {
        self.rest = self.rest.trim_start();
    }

    fn eat(&mut self, token: char) -> bool {
        self.blank();
        let rest = self.rest.strip_prefix(token);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    fn expect(&mut self, token: char) -> Result<(), Fault> {
        if self.eat(token) {
            return Ok(());
        }
        Err(malformed(format_args!("`{}` where `{token}` should stand", cut(self.rest))))
    }

    fn word(&mut self) -> &'a str {
        self.blank();
        let end = self.rest.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(end);
        self.rest = rest;
        word
    }

    fn geometry(&mut self, depth: usize) -> Result<Option<Geometry<f64>>, Fault> {
        self.blank();
        let start = self.rest;
        let word = self.word();
        let kind = Kind::from_str(word)
            .map_err(|()| malformed(format_args!("`{}` is no geometry", cut(start))))?;
        let mut measured = ends_with(word, "M") && !ends_with(word, "ZM");
        let before = self.rest;
        match self.word().to_ascii_uppercase().as_str() {
            "EMPTY" => return Ok(None),
            "Z" | "ZM" => {}
            "M" => measured = true,
            _ => self.rest = before,
        }
        let before = self.rest;
        if self.word().eq_ignore_ascii_case("EMPTY") {
            return Ok(None);
        }
        self.rest = before;
        self.body(kind, measured, depth).map(Some)
    }

    fn body(&mut self, kind: Kind, measured: bool, depth: usize) -> Result<Geometry<f64>, Fault> {
        Ok(match kind {
            Kind::Point => {
                self.expect('(')?;
                let point = Point(self.position(measured)?);
                self.expect(')')?;
                point.into()
            }
            Kind::LineString => line(self.positions(measured)?)?.into(),
            Kind::Polygon => polygon(self.rings(measured)?)?.into(),
            Kind::MultiPoint => MultiPoint(self.list(|parser| {
                let bracketed = parser.eat('(');
                let point = Point(parser.position(measured)?);
                if bracketed {
                    parser.expect(')')?;
                }
                Ok(point)
            })?)
            .into(),
            Kind::MultiLineString => {
                MultiLineString(self.list(|parser| line(parser.positions(measured)?))?).into()
            }
            Kind::MultiPolygon => {
                MultiPolygon(self.list(|parser| polygon(parser.rings(measured)?))?).into()
            }
            Kind::Collection => {
                let deeper = depth
                    .checked_sub(1)
                    .ok_or_else(|| Fault::geometry("geometry collections nested too deep"))?;
                let members = self.list(|parser| parser.geometry(deeper))?;
                let members = members.into_iter().flatten().collect();
                Geometry::GeometryCollection(GeometryCollection(members))
            }
        })
    }

    fn rings(&mut self, measured: bool) -> Result<Vec<Vec<Coord<f64>>>, Fault> {
        self.list(|parser| parser.positions(measured))
    }

    fn positions(&mut self, measured: bool) -> Result<Vec<Coord<f64>>, Fault> {
        self.list(|parser| parser.position(measured))
    }

    fn list<T>(
        &mut self,
        mut item: impl FnMut(&mut Self) -> Result<T, Fault>,
    ) -> Result<Vec<T>, Fault> {
        self.expect('(')?;
        let mut items = vec![item(self)?];
        while self.eat(',') {
            items.push(item(self)?);
        }
        self.expect(')')?;
        Ok(items)
    }

    /// Two to four numbers; the third is a height unless it is a measure.
    fn position(&mut self, measured: bool) -> Result<Coord<f64>, Fault> {
        let (x, y) = (self.number()?, self.number()?);
        let third = self.optional_number()?;
        if third.is_some() {
            self.optional_number()?;
        }
        self.heights.take(third.filter(|_| !measured))?;
        coord(x, y)
    }

    fn optional_number(&mut self) -> Result<Option<f64>, Fault> {
        self.blank();
        if self.rest.starts_with([',', ')']) {
            return Ok(None);
        }
        self.number().map(Some)
    }

    fn number(&mut self) -> Result<f64, Fault> {
        self.blank();
        let end = self
            .rest
            .find(|c: char| c.is_whitespace() || matches!(c, ',' | '(' | ')'))
            .unwrap_or(self.rest.len());
        let (number, rest) = self.rest.split_at(end);
        self.rest = rest;
        number.parse().map_err(|_| malformed(format_args!("`{}` is no number", cut(number))))
    }
}

fn ends_with(word: &str, suffix: &str) -> bool {
    word.to_ascii_uppercase().ends_with(suffix)
}

/// A piece of the text short enough for a message.
fn cut(text: &str) -> &str {
    match text.char_indices().nth(40) {
        Some((end, _)) => &text[..end],
        None => text,
    }
}

fn malformed(detail: impl std::fmt::Display) -> Fault {
    Fault::malformed("WKT", detail)
}
