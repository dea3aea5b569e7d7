use cardo_engine::{Placed, Slot};
use cardo_spatial::{Aabb, TileFrame};
use foldhash::fast::FixedState;
use hashbrown::HashSet;

use super::{BUFFER, CELL, EXTENT, MOST, PIXEL};

/// Which features of a collection a tile shows; the module above has the rules.
pub(super) struct Selection {
    frame: TileFrame,
    /// The tile without its buffer.
    tile: Aabb,
    points: Vec<(Slot, [i32; 2])>,
    /// The grid of all points, once there are too many of them.
    thinned: Option<Grid>,
    shapes: Vec<Shape>,
    /// Those that other tiles show as well.
    over_edge: Vec<Shape>,
    /// The grid of what is too small or too much to be drawn.
    grid: Option<Grid>,
    /// The shapes that came before: one across the antimeridian comes twice.
    seen: HashSet<Slot, FixedState>,
}

#[derive(Clone, Copy)]
struct Shape {
    slot: Slot,
    area: f64,
    center: [f64; 2],
}

/// What is drawn, each kind in the order in which it is written.
pub(super) struct Selected {
    pub(super) merged: Vec<([i32; 2], u64)>,
    pub(super) shapes: Vec<Slot>,
    pub(super) points: Vec<(Slot, [i32; 2])>,
}

impl Selection {
    pub(super) fn new(frame: TileFrame) -> Self {
        Self {
            frame,
            tile: frame.bounds(),
            points: Vec::new(),
            thinned: None,
            shapes: Vec::new(),
            over_edge: Vec::new(),
            grid: None,
            seen: HashSet::default(),
        }
    }

    pub(super) fn take(&mut self, placed: Placed) {
        if placed.is_point {
            let [lon, lat] = placed.bounds.min;
            if let Some(at) = self.frame.place(lon, lat) {
                self.take_point(placed.slot, at);
            }
        } else if self.seen.insert(placed.slot) {
            let [width, height] = self.frame.size(&placed.bounds);
            let center = placed.bounds.center();
            let shape = Shape { slot: placed.slot, area: width * height, center };
            if width < PIXEL && height < PIXEL {
                self.merge(shape);
                return;
            }
            let bounds = &placed.bounds;
            let is_over_edge = self.tile.intersects(bounds) && !self.tile.contains(bounds);
            let shapes = if is_over_edge { &mut self.over_edge } else { &mut self.shapes };
            shapes.push(shape);
            if shapes.len() >= 2 * MOST {
                self.bound_shapes();
            }
        }
    }

    /// Expects more points than are drawn one by one.
    pub(super) fn thin(&mut self) {
        self.thinned.get_or_insert_default();
    }

    /// Takes some features at once as what is merged in the cell of their middle; not where they lie
    /// in more than one cell.
    pub(super) fn take_whole(&mut self, bounds: &Aabb, count: u64, are_points: bool) -> bool {
        let [min, max] = [bounds.min, bounds.max].map(|[lon, lat]| self.frame.place(lon, lat));
        let (Some(min), Some(max)) = (min, max) else { return false };
        let [lon, lat] = bounds.center();
        let Some(middle) = self.frame.place(lon, lat) else { return false };
        if Grid::cell_of(min) != Grid::cell_of(max) || Grid::cell_of(min) != Grid::cell_of(middle) {
            return false;
        }
        let grid = if are_points { &mut self.thinned } else { &mut self.grid };
        grid.get_or_insert_default().add_many(middle, count);
        true
    }

    fn take_point(&mut self, slot: Slot, at: [i32; 2]) {
        if let Some(grid) = &mut self.thinned {
            grid.add(at, Some(slot));
            return;
        }
        self.points.push((slot, at));
        if self.points.len() > MOST {
            let mut grid = Grid::default();
            for (slot, at) in self.points.drain(..) {
                grid.add(at, Some(slot));
            }
            self.thinned = Some(grid);
        }
    }

    fn merge(&mut self, shape: Shape) {
        let [lon, lat] = shape.center;
        if let Some(at) = self.frame.place(lon, lat) {
            self.grid.get_or_insert_default().add(at, None);
        }
    }

    /// Merges all but the largest shapes of either sort.
    fn bound_shapes(&mut self) {
        let (shapes, over_edge) =
            (std::mem::take(&mut self.shapes), std::mem::take(&mut self.over_edge));
        self.shapes = self.bounded(shapes);
        self.over_edge = self.bounded(over_edge);
    }

    fn bounded(&mut self, mut shapes: Vec<Shape>) -> Vec<Shape> {
        if shapes.len() > MOST {
            sort(&mut shapes);
            for shape in shapes.split_off(MOST) {
                self.merge(shape);
            }
        }
        shapes
    }

    pub(super) fn finish(mut self) -> Selected {
        self.bound_shapes();
        self.shapes.append(&mut self.over_edge);
        sort(&mut self.shapes);
        let mut merged = Vec::new();
        if let Some(grid) = &self.thinned {
            for cell in grid.cells.iter().filter(|cell| cell.count > 0) {
                match cell.alone {
                    Some(slot) if cell.count == 1 => self.points.push((slot, cell.middle())),
                    _ => merged.push((cell.middle(), cell.count)),
                }
            }
        }
        if let Some(grid) = &self.grid {
            let cells = grid.cells.iter().filter(|cell| cell.count > 0);
            merged.extend(cells.map(|cell| (cell.middle(), cell.count)));
        }
        self.points.sort_unstable_by_key(|(slot, _)| *slot);
        let shapes = self.shapes.iter().map(|shape| shape.slot).collect();
        Selected { merged, shapes, points: self.points }
    }
}

impl Selected {
    /// The features that are drawn one by one.
    pub(super) fn slots(&self) -> impl Iterator<Item = Slot> + '_ {
        let points = self.points.iter().map(|(slot, _)| *slot);
        self.shapes.iter().copied().chain(points)
    }

    /// How many these are.
    pub(super) fn count(&self) -> usize {
        self.shapes.len() + self.points.len()
    }
}

/// From the largest to the smallest.
fn sort(shapes: &mut [Shape]) {
    shapes.sort_unstable_by(|a, b| b.area.total_cmp(&a.area).then(a.slot.cmp(&b.slot)));
}

/// Cells over the tile and its buffer, each as large as those of the tiles beside.
struct Grid {
    cells: Vec<GridCell>,
}

#[derive(Clone, Copy, Default)]
struct GridCell {
    count: u64,
    /// The first that came in.
    alone: Option<Slot>,
    /// The sums of both axes, which come out the same in any order.
    sum: [i64; 2],
}

const BEFORE: i32 = BUFFER as i32;
/// Cells to a side.
const CELLS: i32 = (EXTENT as i32 + 2 * BEFORE) / CELL + 1;

impl Default for Grid {
    fn default() -> Self {
        let count = usize::try_from(CELLS * CELLS).expect("it is positive");
        Self { cells: vec![GridCell::default(); count] }
    }
}

impl Grid {
    fn cell_of(at: [i32; 2]) -> [i32; 2] {
        at.map(|axis| (axis + BEFORE) / CELL)
    }

    fn add_many(&mut self, at: [i32; 2], count: u64) {
        self.add(at, None);
        let [x, y] = Self::cell_of(at);
        let place = usize::try_from(y * CELLS + x).expect("positions lie in the buffer");
        let more = count.saturating_sub(1);
        let cell = &mut self.cells[place];
        cell.count += more;
        for (sum, axis) in cell.sum.iter_mut().zip(at) {
            *sum += i64::from(axis).saturating_mul(i64::try_from(more).unwrap_or(i64::MAX));
        }
    }

    fn add(&mut self, at: [i32; 2], slot: Option<Slot>) {
        let [x, y] = Self::cell_of(at);
        let place = usize::try_from(y * CELLS + x).expect("positions lie in the buffer");
        let cell = &mut self.cells[place];
        cell.alone = if cell.count == 0 { slot } else { None };
        cell.count += 1;
        for (sum, axis) in cell.sum.iter_mut().zip(at) {
            *sum += i64::from(axis);
        }
    }
}

impl GridCell {
    fn middle(&self) -> [i32; 2] {
        let count = i64::try_from(self.count).unwrap_or(i64::MAX);
        self.sum.map(|sum| i32::try_from(sum.div_euclid(count)).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use cardo_spatial::TilePlane;

    use super::*;

    /// Two tiles side by side.
    fn frames() -> [TileFrame; 2] {
        [8, 9].map(|col| TileFrame::new(TilePlane::Mercator, [4, 7, col], EXTENT, BUFFER).unwrap())
    }

    /// A square of so many units at a position of the first tile.
    fn square(slot: u32, [x, y]: [f64; 2], side: f64) -> Placed {
        let tile = frames()[0].bounds();
        let unit = [0, 1].map(|axis| (tile.max[axis] - tile.min[axis]) / f64::from(EXTENT));
        // On a few units Mercator is as good as even.
        let at = |x: f64, y: f64| [tile.min[0] + x * unit[0], tile.max[1] - y * unit[1]];
        let ([west, north], [east, south]) = (at(x, y), at(x + side, y + side));
        let bounds = Aabb { min: [west, south], max: [east, north] };
        Placed { slot: Slot::of_feature(slot), bounds, is_point: false }
    }

    #[test]
    fn what_reaches_over_the_edge_of_a_crowded_tile_is_drawn_on_both_sides() {
        // Far more than are drawn fill the first tile; the smallest of all reach into the second.
        let inside = (0..12_100_u32).map(|n| {
            square(n, [f64::from(n % 110) * 36.0 + 4.0, f64::from(n / 110) * 36.0 + 4.0], 30.0)
        });
        let over_edge = (0..50_u32)
            .map(|n| square(20_000 + n, [f64::from(EXTENT) - 10.0, f64::from(n) * 80.0], 20.0));
        let all: Vec<Placed> = inside.chain(over_edge).collect();
        let [crowded, other] = frames().map(|frame| {
            let mut selection = Selection::new(frame);
            let seen = frame.boxes();
            let is_seen = |placed: &&Placed| seen.iter().any(|one| one.intersects(&placed.bounds));
            for placed in all.iter().filter(is_seen) {
                selection.take(*placed);
            }
            selection.finish()
        });
        let drawn = |selected: &Selected| -> BTreeSet<u32> {
            selected
                .shapes
                .iter()
                .map(|slot| slot.number())
                .filter(|slot| *slot >= 20_000)
                .collect()
        };
        assert_eq!(drawn(&crowded).len(), 50);
        assert_eq!(drawn(&crowded), drawn(&other));
        // Those are beside the largest, and what is not drawn is counted.
        assert_eq!(crowded.shapes.len(), MOST + 50);
        assert_eq!(crowded.merged.iter().map(|(_, count)| count).sum::<u64>(), 2_100);
    }
}
