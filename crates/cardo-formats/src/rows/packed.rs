//! The packed R-tree of a FlatGeobuf, written a piece at a time: boxes of rows are kept in 28 bytes each, and those of
//! inner nodes are a fifteenth of them.

use std::io;

use flatgeobuf::packed_r_tree::NodeItem;

use super::rtree::{down, up};

/// How many children a node has; the header says it by being silent.
const NODE: usize = 16;
/// How many nodes are written together.
const TOGETHER: usize = 1_024;
/// The side of the grid of the curve along which rows lie.
const GRID: f64 = 65_535.0;

/// The box of a row, rounded outward.
#[derive(Clone, Copy, Debug)]
struct Leaf {
    /// Where its middle lies on the curve.
    place: u32,
    row: u32,
    /// How many bytes the row takes.
    size: u32,
    area: Area,
}

type Area = [f32; 4];

/// An index in the making, and then while it is written.
#[derive(Debug, Default)]
pub(super) struct PackedIndex {
    leaves: Vec<Leaf>,
    /// The boxes of each level above the rows, from the lowest up to the root.
    levels: Vec<Vec<Area>>,
    /// How many nodes are written.
    written: usize,
    /// Where the next row begins.
    offset: u64,
}

impl PackedIndex {
    /// Takes in the next row.
    pub(super) fn add(&mut self, area: &NodeItem, size: usize) -> io::Result<()> {
        let row = u32::try_from(self.leaves.len()).map_err(io::Error::other)?;
        let size = u32::try_from(size).map_err(io::Error::other)?;
        let area = [down(area.min_x), down(area.min_y), up(area.max_x), up(area.max_y)];
        self.leaves.push(Leaf { place: 0, row, size, area });
        Ok(())
    }

    /// Puts rows that are near one another together, and says in which order they are to come.
    pub(super) fn order(&mut self, extent: &NodeItem) -> Vec<u32> {
        let (width, height) = (extent.width(), extent.height());
        for leaf in &mut self.leaves {
            let [west, south, east, north] = leaf.area.map(f64::from);
            let at = |middle: f64, start: f64, length: f64| {
                let part = if length > 0.0 { (middle - start) / length } else { 0.0 };
                #[expect(clippy::cast_possible_truncation, reason = "within the grid")]
                #[expect(clippy::cast_sign_loss, reason = "within the grid")]
                let at = (part * GRID).clamp(0.0, GRID) as u32;
                at
            };
            let x = at(f64::midpoint(west, east), extent.min_x, width);
            leaf.place = hilbert(x, at(f64::midpoint(south, north), extent.min_y, height));
        }
        // Rows at one place stay in their order.
        self.leaves.sort_unstable_by_key(|leaf| (leaf.place, leaf.row));
        self.build();
        self.leaves.iter().map(|leaf| leaf.row).collect()
    }

    fn build(&mut self) {
        let around = |areas: &mut dyn Iterator<Item = Area>| {
            areas.fold(NOTHING, |all, area| {
                let [west, south, east, north] = area;
                [all[0].min(west), all[1].min(south), all[2].max(east), all[3].max(north)]
            })
        };
        let groups = self.leaves.chunks(NODE);
        let mut level: Vec<Area> =
            groups.map(|group| around(&mut group.iter().map(|leaf| leaf.area))).collect();
        while level.len() > 1 {
            let next = level.chunks(NODE).map(|group| around(&mut group.iter().copied())).collect();
            self.levels.push(std::mem::replace(&mut level, next));
        }
        self.levels.push(level);
    }

    /// Writes the next nodes, from the root down, and says whether there are more.
    pub(super) fn write(&mut self, out: &mut Vec<u8>) -> io::Result<bool> {
        let inner: usize = self.levels.iter().map(Vec::len).sum();
        let until = (self.written + TOGETHER).min(inner + self.leaves.len());
        while self.written < until.min(inner) {
            let (area, child) = self.inner(self.written);
            put(area, child, out)?;
            self.written += 1;
        }
        for leaf in &self.leaves[self.written.saturating_sub(inner)..until.saturating_sub(inner)] {
            put(leaf.area, self.offset, out)?;
            self.offset += u64::from(leaf.size);
        }
        self.written = until;
        let has_more = until < inner + self.leaves.len();
        if !has_more {
            (self.leaves, self.levels) = (Vec::new(), Vec::new());
        }
        Ok(has_more)
    }

    /// An inner node by its number, and the number of its first child.
    fn inner(&self, number: usize) -> (Area, u64) {
        let mut first = 0;
        for level in self.levels.iter().rev() {
            let below = first + level.len();
            if let Some(area) = level.get(number - first) {
                return (*area, (below + (number - first) * NODE) as u64);
            }
            first = below;
        }
        (NOTHING, 0)
    }
}

const NOTHING: Area = [f32::INFINITY, f32::INFINITY, f32::NEG_INFINITY, f32::NEG_INFINITY];

fn put(area: Area, offset: u64, out: &mut Vec<u8>) -> io::Result<()> {
    let [min_x, min_y, max_x, max_y] = area.map(f64::from);
    NodeItem { min_x, min_y, max_x, max_y, offset }.write(out)
}

/// The number of a cell of a grid of 65,536 cells a side on Hilbert's curve.
fn hilbert(x: u32, y: u32) -> u32 {
    let (mut x, mut y, mut number) = (x, y, 0);
    for bit in (0..16).rev() {
        let (right, upper) = ((x >> bit) & 1, (y >> bit) & 1);
        number = (number << 2) | ((3 * right) ^ upper);
        if upper == 0 {
            if right == 1 {
                (x, y) = (!x, !y);
            }
            (x, y) = (y, x);
        }
    }
    number
}

#[cfg(test)]
mod tests {
    use flatgeobuf::packed_r_tree::PackedRTree;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn neighbours_on_the_curve_are_neighbours_in_the_grid() {
        let mut places: Vec<(u32, [u32; 2])> =
            (0..64).flat_map(|x| (0..64).map(move |y| (hilbert(x, y), [x, y]))).collect();
        places.sort_unstable();
        for (number, pair) in places.windows(2).enumerate() {
            assert_eq!(pair[0].0 as usize, number);
            let [[ax, ay], [bx, by]] = [pair[0].1, pair[1].1];
            assert_eq!(ax.abs_diff(bx) + ay.abs_diff(by), 1);
        }
        assert_eq!(places.last().unwrap().0, 4_095);
    }

    proptest! {
        #[test]
        fn the_tree_is_that_of_the_library(
            boxes in prop::collection::vec((-180.0..180.0_f64, -90.0..90.0_f64, 0.0..9.0_f64), 1..600),
        ) {
            let mut index = PackedIndex::default();
            let mut extent = NodeItem::create(0);
            for (at, (x, y, side)) in boxes.iter().enumerate() {
                let area = NodeItem::bounds(*x, *y, x + side, y + side);
                extent.expand(&area);
                index.add(&area, 10 + at).unwrap();
            }
            let order = index.order(&extent);
            let mut sorted = order.clone();
            sorted.sort_unstable();
            prop_assert!(sorted.into_iter().eq(0..u32::try_from(boxes.len()).unwrap()));
            let mut written = Vec::new();
            while index.write(&mut written).unwrap() {}
            let mut offset = 0;
            let leaves: Vec<NodeItem> = order.iter().map(|row| {
                let (x, y, side) = boxes[*row as usize];
                let mut node = NodeItem::create(offset);
                node.expand_xy(down(x).into(), down(y).into());
                node.expand_xy(up(x + side).into(), up(y + side).into());
                offset += 10 + u64::from(*row);
                node
            }).collect();
            let tree = PackedRTree::build(&leaves, &extent, PackedRTree::DEFAULT_NODE_SIZE).unwrap();
            let mut expected = Vec::new();
            tree.stream_write(&mut expected).unwrap();
            prop_assert_eq!(written, expected);
        }
    }
}
