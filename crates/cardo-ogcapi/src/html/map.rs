//! A small map drawn as SVG, in degrees that are as wide as they are in the middle of it.

use std::fmt::Write;

use cardo_spatial::Aabb;
use geo_types::{Coord, Geometry, LineString, Polygon};

use super::layout::escaped;

const WIDTH: f64 = 960.0;
const HEIGHT: f64 = 420.0;
/// The least that a map shows, in degrees: about 200 m.
const LEAST: f64 = 0.002;
/// What is left free around what is shown, as a part of it.
const MARGIN: f64 = 0.08;
/// Metres of a degree of latitude.
const METRES: f64 = 111_195.0;
/// Positions closer than this to the one before are not drawn, in units of the drawing.
const FINE: f64 = 0.6;

/// A map in the making.
pub(super) struct Map {
    west: f64,
    north: f64,
    /// Units of the drawing for a degree of longitude and of latitude.
    scale: [f64; 2],
    shapes: String,
}

impl Map {
    /// A map that shows these shapes; `None` where there is nothing to show.
    pub(super) fn of<'a>(shapes: impl Iterator<Item = &'a Geometry<f64>>) -> Option<Self> {
        let extent = shapes.filter_map(Aabb::of).reduce(|one, other| one.union(&other))?;
        Some(Self::around([extent.min[0], extent.min[1], extent.max[0], extent.max[1]]))
    }

    /// A map around west, south, east, north.
    pub(super) fn around([west, south, east, north]: [f64; 4]) -> Self {
        let (lon, lat) = (f64::midpoint(west, east), f64::midpoint(south, north));
        let narrowing = lat.to_radians().cos().max(0.1);
        let width = (east - west).max(LEAST) * (1.0 + 2.0 * MARGIN);
        let height = (north - south).max(LEAST / 2.0) * (1.0 + 2.0 * MARGIN);
        let y = (HEIGHT / height).min(WIDTH / (width * narrowing));
        let x = y * narrowing;
        Self {
            west: lon - WIDTH / x / 2.0,
            north: lat + HEIGHT / y / 2.0,
            scale: [x, y],
            shapes: String::new(),
        }
    }

    /// West, south, east, north of what it shows.
    fn bounds(&self) -> [f64; 4] {
        let [x, y] = self.scale;
        [self.west, self.north - HEIGHT / y, self.west + WIDTH / x, self.north]
    }

    /// Where else one might look: names and areas.
    pub(super) fn moves(&self) -> [(&'static str, [f64; 4]); 6] {
        let [west, south, east, north] = self.bounds();
        let (w, h) = (east - west, north - south);
        let to = |left: f64, down: f64, right: f64, up: f64| {
            [
                (west + left * w).clamp(-180.0, 180.0),
                (south + down * h).clamp(-90.0, 90.0),
                (east + right * w).clamp(-180.0, 180.0),
                (north + up * h).clamp(-90.0, 90.0),
            ]
        };
        [
            ("closer", to(0.25, 0.25, -0.25, -0.25)),
            ("farther", to(-0.5, -0.5, 0.5, 0.5)),
            ("west", to(-0.5, 0.0, -0.5, 0.0)),
            ("east", to(0.5, 0.0, 0.5, 0.0)),
            ("north", to(0.0, 0.5, 0.0, 0.5)),
            ("south", to(0.0, -0.5, 0.0, -0.5)),
        ]
    }

    fn place(&self, at: Coord<f64>) -> (f64, f64) {
        ((at.x - self.west) * self.scale[0], (self.north - at.y) * self.scale[1])
    }

    /// Draws a shape that leads to an address.
    pub(super) fn shape(&mut self, shape: &Geometry<f64>, url: &str, title: &str) {
        let mut marks = String::new();
        self.marks(shape, &mut marks);
        let (url, title) = (escaped(url), escaped(title));
        let _ = write!(self.shapes, "<a href=\"{url}\"><title>{title}</title>{marks}</a>");
    }

    /// Draws a box.
    pub(super) fn rectangle(
        &mut self,
        [west, south, east, north]: [f64; 4],
        url: &str,
        title: &str,
    ) {
        let rectangle = geo_types::Rect::new((west, south), (east, north));
        self.shape(&Geometry::Polygon(rectangle.to_polygon()), url, title);
    }

    fn marks(&self, shape: &Geometry<f64>, out: &mut String) {
        match shape {
            Geometry::Point(point) => self.point(point.0, out),
            Geometry::MultiPoint(points) => points.iter().for_each(|p| self.point(p.0, out)),
            Geometry::LineString(line) => self.path("line", std::slice::from_ref(line), out),
            Geometry::MultiLineString(lines) => self.path("line", &lines.0, out),
            Geometry::Polygon(polygon) => self.area(polygon, out),
            Geometry::MultiPolygon(polygons) => polygons.iter().for_each(|p| self.area(p, out)),
            // A GeoProperty holds nothing else.
            _ => {}
        }
    }

    fn point(&self, at: Coord<f64>, out: &mut String) {
        let (x, y) = self.place(at);
        let _ = write!(out, "<circle class=\"point\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"4.5\"/>");
    }

    fn area(&self, polygon: &Polygon<f64>, out: &mut String) {
        let mut rings = vec![polygon.exterior().clone()];
        rings.extend_from_slice(polygon.interiors());
        self.path("shape", &rings, out);
    }

    fn path(&self, class: &str, lines: &[LineString<f64>], out: &mut String) {
        let _ = write!(out, "<path class=\"{class}\" fill-rule=\"evenodd\" d=\"");
        for line in lines {
            let mut last: Option<(f64, f64)> = None;
            let end = line.0.len().saturating_sub(1);
            for (nth, at) in line.0.iter().enumerate() {
                let (x, y) = self.place(*at);
                let is_near =
                    last.is_some_and(|(a, b)| (a - x).abs() < FINE && (b - y).abs() < FINE);
                if is_near && nth != end {
                    continue;
                }
                let command = if last.is_none() { 'M' } else { 'L' };
                let _ = write!(out, "{command}{x:.1} {y:.1}");
                last = Some((x, y));
            }
        }
        out.push_str("\"/>");
    }

    /// The map as markup.
    pub(super) fn finish(self) -> String {
        let [x, y] = self.scale;
        format!(
            "<div class=\"map\"><svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-label=\"Map\" \
             data-bounds=\"{} {} {x} {y}\">{}{}{}</svg></div>",
            self.west,
            self.north,
            self.grid(),
            self.shapes,
            self.bar(),
        )
    }

    /// Meridians and parallels with their degrees.
    fn grid(&self) -> String {
        let [west, south, east, north] = self.bounds();
        let step = round_step((east - west) / 6.0);
        let decimals = decimals_of(step);
        let mut out = String::new();
        for lon in steps(west, east, step) {
            let (x, _) = self.place(Coord { x: lon, y: north });
            let _ = write!(
                out,
                "<path class=\"grid\" d=\"M{x:.1} 0V{HEIGHT}\"/><text x=\"{:.1}\" y=\"{:.1}\">{lon:.decimals$}°</text>",
                x + 3.0,
                HEIGHT - 5.0,
            );
        }
        for lat in steps(south, north, step) {
            let (_, y) = self.place(Coord { x: west, y: lat });
            let _ = write!(
                out,
                "<path class=\"grid\" d=\"M0 {y:.1}H{WIDTH}\"/><text x=\"4\" y=\"{:.1}\">{lat:.decimals$}°</text>",
                y - 3.0,
            );
        }
        out
    }

    /// How long a distance is.
    fn bar(&self) -> String {
        let per_metre = self.scale[1] / METRES;
        let metres = round_step(140.0 / per_metre);
        let length = metres * per_metre;
        let text = if metres >= 1_000.0 {
            format!("{} km", metres / 1_000.0)
        } else {
            format!("{metres} m")
        };
        let (right, y) = (WIDTH - 14.0, HEIGHT - 26.0);
        let left = right - length;
        format!(
            "<path class=\"bar\" d=\"M{left:.1} {:.1}V{y:.1}H{right:.1}V{:.1}\"/><text x=\"{:.1}\" y=\"{:.1}\">{text}</text>",
            y - 5.0,
            y - 5.0,
            left + 4.0,
            y - 6.0,
        )
    }
}

/// 1, 2 or 5 times a power of ten, not above what is asked.
fn round_step(wanted: f64) -> f64 {
    let power = 10.0_f64.powf(wanted.max(1e-9).log10().floor());
    let times = [5.0, 2.0, 1.0].into_iter().find(|times| times * power <= wanted);
    times.unwrap_or(1.0) * power
}

fn decimals_of(step: f64) -> usize {
    (0..8)
        .find(|decimals| step * 10.0_f64.powi(*decimals) >= 0.999)
        .map_or(8, |found| usize::try_from(found).unwrap_or(8))
}

/// The multiples of a step between two numbers.
fn steps(from: f64, to: f64, step: f64) -> impl Iterator<Item = f64> {
    let first = (from / step).ceil();
    (0..64).map(move |nth| (first + f64::from(nth)) * step).take_while(move |at| *at <= to)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_round_and_not_many() {
        assert_eq!([0.05, 2.0, 100.0], [0.09, 4.9, 100.0].map(round_step));
        assert_eq!([2, 0, 1], [0.05, 2.0, 0.5].map(decimals_of));
        assert_eq!(steps(-0.3, 1.0, 0.5).collect::<Vec<_>>(), [-0.0, 0.5, 1.0]);
    }

    #[test]
    fn what_is_shown_lies_within_the_drawing() {
        for bbox in [[24.9, 60.1, 25.0, 60.2], [-180.0, -90.0, 180.0, 90.0], [5.0, 5.0, 5.0, 5.0]] {
            let map = Map::around(bbox);
            for corner in [Coord { x: bbox[0], y: bbox[1] }, Coord { x: bbox[2], y: bbox[3] }] {
                let (x, y) = map.place(corner);
                assert!((0.0..=WIDTH).contains(&x) && (0.0..=HEIGHT).contains(&y), "{bbox:?}");
            }
        }
    }

    #[test]
    fn every_shape_is_drawn_and_leads_somewhere() {
        let mut map = Map::around([0.0, 0.0, 1.0, 1.0]);
        let square = geo_types::Rect::new((0.0, 0.0), (1.0, 1.0)).to_polygon();
        map.shape(&Geometry::Polygon(square), "/x?a=1&b=2", "a <b>");
        map.shape(&Geometry::Point(geo_types::Point::new(0.5, 0.5)), "/p", "p");
        let drawn = map.finish();
        assert!(drawn.contains("href=\"/x?a=1&amp;b=2\"") && drawn.contains("a &lt;b&gt;"));
        assert!(drawn.contains("class=\"shape\"") && drawn.contains("<circle"));
    }
}
