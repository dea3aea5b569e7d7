//! The nearest positions of geometries, by the straight chord.

use std::cell::Cell;
use std::ops::ControlFlow;

use geo_types::{Coord, Geometry, Line};

use super::earth::{GREATEST_RADIUS, chord_squared, ecef, ecef_with_derivatives};
use crate::packed::{Extent, PackedTree};
use crate::parts::{self, Part};

/// Edges are measured in pieces of at most this many degrees.
const PIECE: f64 = 0.25;
/// About as many pieces more than edges a geometry is divided into, however far its edges reach.
const MAX_PIECES: f64 = 4_096.0;
/// A piece that strays less than this from the straight line between its ends, in metres, is taken as straight.
const STRAIGHT: f64 = 1e-5;

/// The two positions between which a distance was found least.
#[derive(Clone, Copy, Debug)]
pub(super) struct Nearest {
    pub(super) a: Coord<f64>,
    pub(super) b: Coord<f64>,
}

/// Between which squared chords the least one lies.
#[derive(Clone, Copy, Debug)]
pub(super) struct ChordRange {
    pub(super) low: f64,
    pub(super) high: f64,
}

impl ChordRange {
    pub(super) const UNKNOWN: Self = Self { low: f64::INFINITY, high: f64::INFINITY };
}

/// A piece of an edge, straight in longitude and latitude.
#[derive(Clone, Copy, Debug)]
struct Piece {
    line: Line<f64>,
    ends: [[f64; 3]; 2],
    /// How far the piece may stray from the straight line between its ends, in metres.
    stray: f64,
}

/// The pieces of a geometry in continuous coordinates.
#[derive(Clone, Debug)]
pub(super) struct DistanceIndex {
    pieces: Vec<Piece>,
    tree: PackedTree<3>,
}

impl DistanceIndex {
    /// One with coordinates that are not on the globe is taken as empty.
    pub(super) fn new(geometry: &Geometry<f64>) -> Self {
        if parts::is_off_globe(geometry) {
            return Self { pieces: Vec::new(), tree: PackedTree::new(std::iter::empty()) };
        }
        let step = (total_span(geometry) / MAX_PIECES).max(PIECE);
        let mut pieces = Vec::new();
        parts::visit(geometry, &mut |part| match part {
            Part::Point(c) => add_edge(&mut pieces, Line::new(*c, *c), step),
            Part::Line(coords) | Part::Ring(coords) => match coords {
                [c] => add_edge(&mut pieces, Line::new(*c, *c), step),
                _ => coords
                    .windows(2)
                    .for_each(|edge| add_edge(&mut pieces, Line::new(edge[0], edge[1]), step)),
            },
        });
        let tree = PackedTree::new(pieces.iter().map(Piece::extent));
        Self { pieces, tree }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.pieces.is_empty()
    }

    /// Narrows a range of chords by those from a position. Stops as soon as the range is known to end below `enough`.
    pub(super) fn narrow(&self, range: &mut ChordRange, at: &[f64; 3], enough: f64) {
        let high = Cell::new(range.high);
        let mut low = range.low;
        let _ = self.tree.walk(
            |group| group.distance_squared(at) < high.get(),
            |items| {
                for piece in &self.pieces[items] {
                    let straight = piece.straight(at).0.sqrt();
                    high.set(high.get().min((straight + piece.stray).powi(2)));
                    low = low.min((straight - piece.stray).max(0.0).powi(2));
                }
                if high.get() < enough { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            },
        );
        *range = ChordRange { low: low.min(high.get()), high: high.get() };
    }

    /// The range of the least chord between two geometries that do not meet.
    pub(super) fn narrow_pair(&self, range: &mut ChordRange, other: &Self, enough: f64) {
        let corners =
            |index: &Self| index.pieces.iter().flat_map(Piece::corners).collect::<Vec<_>>();
        for (index, corners) in [(self, corners(other)), (other, corners(self))] {
            for (_, at) in corners {
                if range.high < enough {
                    return;
                }
                index.narrow(range, &at, enough);
            }
        }
    }

    /// The position of the geometry nearest to one given; `None` for an empty geometry.
    pub(super) fn nearest(&self, to: Coord<f64>) -> Option<Nearest> {
        let at = ecef(to);
        let mut range = ChordRange::UNKNOWN;
        self.narrow(&mut range, &at, 0.0);
        // The bound may be met exactly, and is computed with rounding.
        let best = Cell::new(range.high * (1.0 + 1e-9) + 1e-9);
        self.nearer_than(&best, to, &at)
    }

    /// The nearest positions of two geometries that do not meet. One of them is taken to be an end of a piece.
    pub(super) fn nearest_pair(&self, other: &Self) -> Option<Nearest> {
        let mut range = ChordRange::UNKNOWN;
        self.narrow_pair(&mut range, other, 0.0);
        let best = Cell::new(range.high * (1.0 + 1e-9) + 1e-9);
        let mut found = None;
        for piece in &other.pieces {
            for (c, at) in piece.corners() {
                found = self.nearer_than(&best, c, &at).or(found);
            }
        }
        for piece in &self.pieces {
            for (c, at) in piece.corners() {
                found = other.nearer_than(&best, c, &at).or(found);
            }
        }
        found
    }

    /// The nearest position, if its squared chord is below the best so far, which it then replaces.
    fn nearer_than(&self, best: &Cell<f64>, to: Coord<f64>, at: &[f64; 3]) -> Option<Nearest> {
        let mut found = None;
        let _ = self.tree.walk(
            |group| group.distance_squared(at) < best.get(),
            |range| {
                for piece in &self.pieces[range] {
                    if let Some((chord_squared, here)) = piece.nearer_than(best.get(), at) {
                        best.set(chord_squared);
                        found = Some(Nearest { a: here, b: to });
                    }
                }
                ControlFlow::Continue(())
            },
        );
        found
    }
}

fn total_span(geometry: &Geometry<f64>) -> f64 {
    let mut span = 0.0;
    parts::visit(geometry, &mut |part| {
        span += part.coords().windows(2).map(|edge| degrees(edge[0], edge[1])).sum::<f64>();
    });
    span
}

fn degrees(a: Coord<f64>, b: Coord<f64>) -> f64 {
    (b.x - a.x).abs().max((b.y - a.y).abs())
}

fn add_edge(pieces: &mut Vec<Piece>, edge: Line<f64>, step: f64) {
    let count = (degrees(edge.start, edge.end) / step).ceil().max(1.0);
    let mut start = edge.start;
    let mut from = ecef(start);
    let mut i = 1.0;
    while i <= count {
        let end = if i == count { edge.end } else { along(&edge, i / count) };
        let to = ecef(end);
        let reach = (end.x - start.x).abs().to_radians() + (end.y - start.y).abs().to_radians();
        pieces.push(Piece {
            line: Line::new(start, end),
            ends: [from, to],
            // Linear interpolation errs by an eighth of the second derivative, which no path exceeds here.
            stray: GREATEST_RADIUS * reach * reach / 8.0,
        });
        (start, from) = (end, to);
        i += 1.0;
    }
}

fn along(line: &Line<f64>, t: f64) -> Coord<f64> {
    Coord {
        x: line.start.x + (line.end.x - line.start.x) * t,
        y: line.start.y + (line.end.y - line.start.y) * t,
    }
}

impl Piece {
    fn extent(&self) -> Extent<3> {
        Extent::new(self.ends[0], self.ends[1]).grown(self.stray)
    }

    fn corners(&self) -> [(Coord<f64>, [f64; 3]); 2] {
        [(self.line.start, self.ends[0]), (self.line.end, self.ends[1])]
    }

    /// The nearest position and its squared chord, if that is below `best`.
    fn nearer_than(&self, best: f64, at: &[f64; 3]) -> Option<(f64, Coord<f64>)> {
        let (straight, t) = self.straight(at);
        let least = (straight.sqrt() - self.stray).max(0.0);
        if least * least >= best {
            return None;
        }
        let (squared, t) = if self.stray < STRAIGHT { (straight, t) } else { self.curved(at) };
        (squared < best).then(|| (squared, along(&self.line, t)))
    }

    /// By the straight line between the ends.
    fn straight(&self, at: &[f64; 3]) -> (f64, f64) {
        let [start, end] = &self.ends;
        let along = [end[0] - start[0], end[1] - start[1], end[2] - start[2]];
        let length = dot(&along, &along);
        if length == 0.0 {
            return (chord_squared(start, at), 0.0);
        }
        let offset = [at[0] - start[0], at[1] - start[1], at[2] - start[2]];
        let t = (dot(&offset, &along) / length).clamp(0.0, 1.0);
        let foot = [start[0] + along[0] * t, start[1] + along[1] * t, start[2] + along[2] * t];
        (chord_squared(&foot, at), t)
    }

    /// By the piece as it runs over the ellipsoid: the zero of the derivative, if there is one between the ends.
    fn curved(&self, at: &[f64; 3]) -> (f64, f64) {
        let (mut low, mut high) = (0.0, 1.0);
        let (mut at_low, mut at_high) = (self.slope(at, low), self.slope(at, high));
        if at_low < 0.0 && at_high > 0.0 {
            // Regula falsi with the Illinois rule, which halves the weight of an end that stays.
            for _ in 0..60 {
                let middle = high - at_high * (high - low) / (at_high - at_low);
                let slope = self.slope(at, middle);
                if slope == 0.0
                    || high - low < 1e-13
                    || (middle - low).min(high - middle) <= f64::EPSILON
                {
                    (low, high) = (middle, middle);
                    break;
                }
                if slope < 0.0 {
                    (low, at_low) = (middle, slope);
                    at_high *= 0.5;
                } else {
                    (high, at_high) = (middle, slope);
                    at_low *= 0.5;
                }
            }
        }
        [0.0, f64::midpoint(low, high), 1.0]
            .into_iter()
            .map(|t| (chord_squared(&ecef(along(&self.line, t)), at), t))
            .fold((f64::INFINITY, 0.0), |best, found| if found.0 < best.0 { found } else { best })
    }

    /// Half the derivative of the squared chord.
    fn slope(&self, at: &[f64; 3], t: f64) -> f64 {
        let (here, by_lon, by_lat) = ecef_with_derivatives(along(&self.line, t));
        let (lon, lat) = (self.line.end.x - self.line.start.x, self.line.end.y - self.line.start.y);
        (0..3).map(|i| (here[i] - at[i]) * (by_lon[i] * lon + by_lat[i] * lat)).sum()
    }
}

fn dot(a: &[f64; 3], b: &[f64; 3]) -> f64 {
    a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
}
