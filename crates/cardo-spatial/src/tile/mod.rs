//! Geometries in the whole numbers of a map tile of WebMercatorQuad or WorldCRS84Quad.
//!
//! It stands here because a tile meets the antimeridian, the poles and faulty polygons like any other question of
//! place: what runs across 180° is cut out of its continuous form, and a polygon is the area within an odd number of
//! its rings, as everywhere in this crate.

mod area;
mod cut;
mod mercator;
mod simplify;

use geo_types::{Coord, Geometry, Polygon};

use crate::{Aabb, Boxes, antimeridian, parts};
use simplify::Line;

/// A geometry in whole numbers of a tile, x to the east and y to the south from the north-west corner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TileShape {
    /// Nothing of it lies in the tile.
    Empty,
    /// Positions.
    Points(Vec<[i32; 2]>),
    /// Lines of two positions or more.
    Lines(Vec<Vec<[i32; 2]>>),
    /// Polygons, each its exterior ring and then its holes, without the closing position. Exteriors have a positive
    /// area by the surveyor's formula, holes a negative one (Mapbox Vector Tile 2.1, section 4.3.4.4).
    Polygons(Vec<Vec<Vec<[i32; 2]>>>),
}

/// The plane that tiles cut the world on; a level has twice as many tiles to a side as the one before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TilePlane {
    /// Spherical Mercator: the world is one square (WebMercatorQuad).
    Mercator,
    /// Longitude and latitude: the world is two squares side by side (WorldCRS84Quad).
    Degrees,
}

impl TilePlane {
    /// The highest zoom level of the matrix set in the register (OGC 17-083r4, annex D).
    pub fn max_zoom(self) -> u8 {
        match self {
            Self::Mercator => 24,
            Self::Degrees => 17,
        }
    }

    /// How many rows and columns a zoom level has.
    pub fn size(self, zoom: u8) -> Option<[u32; 2]> {
        let rows = 1_u32.checked_shl(zoom.into()).filter(|_| zoom <= self.max_zoom())?;
        Some(match self {
            Self::Mercator => [rows, rows],
            Self::Degrees => [rows, 2 * rows],
        })
    }
}

/// The square of a tile, and how far beyond its border geometries are kept.
///
/// ```
/// use cardo_spatial::{TileFrame, TilePlane};
///
/// let whole_world = TileFrame::new(TilePlane::Mercator, [0, 0, 0], 4096, 64).unwrap();
/// assert_eq!(whole_world.place(0.0, 0.0), Some([2048, 2048]));
/// assert!(TileFrame::new(TilePlane::Mercator, [1, 0, 2], 4096, 64).is_none());
/// let east = TileFrame::new(TilePlane::Degrees, [0, 0, 1], 4096, 64).unwrap();
/// assert_eq!(east.place(90.0, 0.0), Some([2048, 2048]));
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TileFrame {
    plane: TilePlane,
    /// Units of the tile around the whole world.
    world: f64,
    /// The north-west corner in these units.
    corner: [f64; 2],
    extent: f64,
    buffer: f64,
    /// What stands for the projection near the tile.
    near: Option<mercator::Near>,
}

impl TileFrame {
    /// The tile of a zoom level, a row and a column, with so many units to a side and so many kept beyond its border;
    /// `None` where the matrix has no such tile.
    pub fn new(
        plane: TilePlane,
        [zoom, row, col]: [u32; 3],
        extent: u16,
        buffer: u16,
    ) -> Option<Self> {
        let [rows, cols] = plane.size(u8::try_from(zoom).ok()?)?;
        if row >= rows || col >= cols {
            return None;
        }
        let extent = f64::from(extent);
        let is_curved = plane == TilePlane::Mercator;
        Some(Self {
            plane,
            world: f64::from(cols) * extent,
            corner: [f64::from(col) * extent, f64::from(row) * extent],
            extent,
            buffer: f64::from(buffer),
            near: is_curved.then(|| mercator::Near::new(zoom, row, extent)).flatten(),
        })
    }

    /// The boxes of longitude and latitude that hold all that can be seen in the tile and its buffer.
    pub fn boxes(&self) -> Boxes {
        // A unit more on each side, for positions that are rounded into the tile.
        let margin = self.buffer + 1.0;
        let far = self.extent + margin;
        let [west, north] = self.degrees_of(-margin, -margin);
        let [east, south] = self.degrees_of(far, far);
        let (south, north) = (south.max(-90.0), north.min(90.0));
        if far + margin >= self.world {
            return Boxes::from_slice(&[Aabb { min: [-180.0, south], max: [180.0, north] }]);
        }
        let middle = Aabb { min: [west.max(-180.0), south], max: [east.min(180.0), north] };
        let mut boxes = Boxes::from_slice(&[middle]);
        if west < -180.0 {
            boxes.push(Aabb { min: [west + 360.0, south], max: [180.0, north] });
        }
        if east > 180.0 {
            boxes.push(Aabb { min: [-180.0, south], max: [east - 360.0, north] });
        }
        boxes
    }

    /// The square of the tile itself in degrees.
    pub fn bounds(&self) -> Aabb {
        let [west, north] = self.degrees_of(0.0, 0.0);
        let [east, south] = self.degrees_of(self.extent, self.extent);
        Aabb { min: [west, south], max: [east, north] }
    }

    /// Where a position stands, if that is in the tile or its buffer.
    #[inline]
    pub fn place(&self, lon: f64, lat: f64) -> Option<[i32; 2]> {
        let at = self.project(Coord { x: lon, y: lat });
        // What is rounded into the range; nothing that is no number is.
        let (from, until) = (-self.buffer - 0.5, self.extent + self.buffer + 0.5);
        let is_in = |axis: &f64| from < *axis && *axis < until;
        let x = [at.x, at.x - self.world, at.x + self.world].into_iter().find(is_in)?;
        is_in(&at.y).then(|| [rounded(x), rounded(at.y)])
    }

    /// How many units a box is wide and high.
    pub fn size(&self, bounds: &Aabb) -> [f64; 2] {
        let south_west = self.project(Coord { x: bounds.min[0], y: bounds.min[1] });
        let north_east = self.project(Coord { x: bounds.max[0], y: bounds.max[1] });
        [north_east.x - south_west.x, south_west.y - north_east.y]
    }

    /// What of a geometry lies in the tile and its buffer; lines and rings lose positions that leave them within
    /// `tolerance` units of where they were. Edges are straight in the projection.
    pub fn cut(&self, geometry: &Geometry<f64>, tolerance: f64) -> TileShape {
        if let Geometry::Polygon(polygon) = geometry
            && self.is_well_inside(polygon)
        {
            let mut pieces = Pieces::default();
            self.take_polygon(polygon, 0.0, tolerance, &mut pieces);
            return pieces.into_shape();
        }
        if parts::has_non_finite(geometry) {
            return TileShape::Empty;
        }
        let geometry = antimeridian::unwrap(geometry);
        let Some(bounds) = Aabb::of(&geometry) else { return TileShape::Empty };
        let mut pieces = Pieces::default();
        pieces.points.extend(self.places(&geometry));
        for turn in [-self.world, 0.0, self.world] {
            let west = self.project_x(bounds.min[0]) + turn;
            let east = self.project_x(bounds.max[0]) + turn;
            if east >= -self.buffer && west <= self.extent + self.buffer {
                self.take(&geometry, turn, tolerance, &mut pieces);
            }
        }
        pieces.into_shape()
    }

    /// Whether nothing has to be thought of for a polygon in this tile: both lie off the antimeridian, as
    /// nearly all do.
    fn is_well_inside(&self, polygon: &Polygon<f64>) -> bool {
        let reach = 2.0 * self.buffer;
        let is_far = self.corner[0] > reach && self.corner[0] + self.extent + reach < self.world;
        let rings = std::iter::once(polygon.exterior()).chain(polygon.interiors());
        let (mut west, mut east, mut is_on_globe) = (f64::INFINITY, f64::NEG_INFINITY, true);
        for c in rings.flat_map(|ring| &ring.0) {
            (west, east) = (west.min(c.x), east.max(c.x));
            // False of what is no number, too.
            is_on_globe &= c.x.abs() < 180.0 && c.y.abs() <= 90.0;
        }
        is_far && is_on_globe && east - west <= 180.0
    }

    fn take(&self, geometry: &Geometry<f64>, turn: f64, tolerance: f64, pieces: &mut Pieces) {
        match geometry {
            Geometry::Point(_) | Geometry::MultiPoint(_) => {}
            Geometry::LineString(one) => self.take_line(&one.0, turn, tolerance, pieces),
            Geometry::MultiLineString(lines) => {
                lines.iter().for_each(|one| self.take_line(&one.0, turn, tolerance, pieces));
            }
            Geometry::Polygon(one) => self.take_polygon(one, turn, tolerance, pieces),
            Geometry::MultiPolygon(polygons) => {
                polygons.iter().for_each(|one| self.take_polygon(one, turn, tolerance, pieces));
            }
            Geometry::GeometryCollection(all) => {
                all.iter().for_each(|one| self.take(one, turn, tolerance, pieces));
            }
            Geometry::Line(one) => {
                self.take_line(&[one.start, one.end], turn, tolerance, pieces);
            }
            Geometry::Rect(one) => self.take_polygon(&one.to_polygon(), turn, tolerance, pieces),
            Geometry::Triangle(one) => {
                self.take_polygon(&one.to_polygon(), turn, tolerance, pieces);
            }
        }
    }

    /// Positions in units of the tile, so far to the east.
    fn projected(&self, coords: &[Coord<f64>], turn: f64) -> Line {
        let at = |c: &Coord<f64>| [self.project_x(c.x) + turn, self.project_y(c.y)];
        coords.iter().map(at).collect()
    }

    /// The single positions of a geometry, each once although the world goes round.
    fn places(&self, geometry: &Geometry<f64>) -> Vec<[i32; 2]> {
        let mut places = Vec::new();
        parts::visit(geometry, &mut |part| {
            if let parts::Part::Point(c) = part {
                places.extend(self.place(c.x, c.y));
            }
        });
        places
    }

    fn take_line(&self, line: &[Coord<f64>], turn: f64, tolerance: f64, pieces: &mut Pieces) {
        for mut run in cut::line(self.projected(line, turn), &self.window()) {
            simplify::line(&mut run, tolerance);
            let run = whole_line(&run);
            if run.len() > 1 {
                pieces.lines.push(run);
            }
        }
    }

    fn take_polygon(&self, polygon: &Polygon<f64>, turn: f64, tolerance: f64, pieces: &mut Pieces) {
        let window = self.window();
        for (at, ring) in std::iter::once(polygon.exterior()).chain(polygon.interiors()).enumerate()
        {
            let open = ring.0.split_last().map_or(&[][..], |(_, rest)| rest);
            let mut ring = cut::ring(self.projected(open, turn), &window);
            simplify::ring(&mut ring, tolerance);
            let mut ring = whole_line(&ring);
            while ring.len() > 1 && ring.first() == ring.last() {
                ring.pop();
            }
            if area::is_broad(&ring) {
                pieces.rings.push(ring);
            } else if at == 0 {
                // Holes of nothing are nothing.
                return;
            }
        }
        pieces.polygons += 1;
    }

    fn window(&self) -> [f64; 2] {
        [-self.buffer, self.extent + self.buffer]
    }

    #[inline]
    fn project_x(&self, lon: f64) -> f64 {
        (lon + 180.0) / 360.0 * self.world - self.corner[0]
    }

    #[inline]
    fn project(&self, c: Coord<f64>) -> Coord<f64> {
        Coord { x: self.project_x(c.x), y: self.project_y(c.y) }
    }

    #[inline]
    fn project_y(&self, lat: f64) -> f64 {
        if let Some(y) = self.near.and_then(|near| near.project(lat)) {
            return y;
        }
        let from_north = match self.plane {
            TilePlane::Mercator => mercator::from_north(lat),
            TilePlane::Degrees => (90.0 - lat) / 360.0,
        };
        from_north * self.world - self.corner[1]
    }

    fn degrees_of(&self, x: f64, y: f64) -> [f64; 2] {
        let lon = (x + self.corner[0]) / self.world * 360.0 - 180.0;
        let from_north = (y + self.corner[1]) / self.world;
        let lat = match self.plane {
            TilePlane::Mercator => mercator::latitude(from_north),
            TilePlane::Degrees => 90.0 - from_north * 360.0,
        };
        [lon, lat]
    }
}

/// What was cut out, by kind.
#[derive(Default)]
struct Pieces {
    points: Vec<[i32; 2]>,
    lines: Vec<Vec<[i32; 2]>>,
    rings: Vec<Vec<[i32; 2]>>,
    polygons: usize,
}

impl Pieces {
    /// Of several kinds, the one of the highest dimension.
    fn into_shape(self) -> TileShape {
        if self.polygons > 0 {
            let polygons = area::sound(self.rings, self.polygons);
            return if polygons.is_empty() {
                TileShape::Empty
            } else {
                TileShape::Polygons(polygons)
            };
        }
        match (self.lines.is_empty(), self.points.is_empty()) {
            (false, _) => TileShape::Lines(self.lines),
            (true, false) => TileShape::Points(self.points),
            (true, true) => TileShape::Empty,
        }
    }
}

/// The positions in whole numbers, each that differs from the one before.
fn whole_line(line: &[[f64; 2]]) -> Vec<[i32; 2]> {
    let mut out: Vec<[i32; 2]> = line.iter().map(|at| at.map(rounded)).collect();
    out.dedup();
    out
}

/// The same as `round`, which is a call where the processor may lack the instruction.
#[inline]
fn rounded(axis: f64) -> i32 {
    whole(axis + 0.5_f64.copysign(axis))
}

/// A number that lies in a tile or its buffer.
#[expect(clippy::cast_possible_truncation, reason = "tiles have at most 65,536 units and a buffer")]
fn whole(axis: f64) -> i32 {
    axis as i32
}

#[cfg(test)]
mod tests;
