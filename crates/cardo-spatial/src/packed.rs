//! A static tree of boxes over items that come in a spatially coherent order, such as the edges of a ring.

use std::ops::{ControlFlow, Range};

use geo_types::Line;

const FAN: usize = 8;

/// A box in `D` dimensions.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Extent<const D: usize> {
    pub(crate) min: [f64; D],
    pub(crate) max: [f64; D],
}

impl<const D: usize> Extent<D> {
    pub(crate) const EMPTY: Self = Self { min: [f64::INFINITY; D], max: [f64::NEG_INFINITY; D] };

    pub(crate) fn new(a: [f64; D], b: [f64; D]) -> Self {
        let mut extent = Self::EMPTY;
        for i in 0..D {
            extent.min[i] = a[i].min(b[i]);
            extent.max[i] = a[i].max(b[i]);
        }
        extent
    }

    pub(crate) fn grown(mut self, by: f64) -> Self {
        for i in 0..D {
            self.min[i] -= by;
            self.max[i] += by;
        }
        self
    }

    pub(crate) fn add(&mut self, other: &Self) {
        for i in 0..D {
            self.min[i] = self.min[i].min(other.min[i]);
            self.max[i] = self.max[i].max(other.max[i]);
        }
    }

    /// Squared distance from a point to the box, 0 inside.
    pub(crate) fn distance_squared(&self, point: &[f64; D]) -> f64 {
        let mut sum = 0.0;
        for (i, at) in point.iter().enumerate() {
            let gap = (self.min[i] - at).max(at - self.max[i]).max(0.0);
            sum += gap * gap;
        }
        sum
    }
}

impl Extent<2> {
    pub(crate) fn of_edge(edge: &Line<f64>) -> Self {
        Self::new([edge.start.x, edge.start.y], [edge.end.x, edge.end.y])
    }

    pub(crate) fn overlaps(&self, other: &Self) -> bool {
        self.min[0] <= other.max[0]
            && self.max[0] >= other.min[0]
            && self.min[1] <= other.max[1]
            && self.max[1] >= other.min[1]
    }
}

/// Boxes of groups of eight items, of eight groups, and so on. Memory is a seventh of a box per item.
#[derive(Clone, Debug)]
pub(crate) struct PackedTree<const D: usize> {
    levels: Vec<Vec<Extent<D>>>,
    items: usize,
}

impl<const D: usize> PackedTree<D> {
    pub(crate) fn new(extents: impl ExactSizeIterator<Item = Extent<D>>) -> Self {
        let items = extents.len();
        let mut level: Vec<Extent<D>> = Vec::with_capacity(items.div_ceil(FAN));
        for (i, extent) in extents.enumerate() {
            if i % FAN == 0 {
                level.push(extent);
            } else if let Some(group) = level.last_mut() {
                group.add(&extent);
            }
        }
        let mut levels = Vec::new();
        while level.len() > 1 {
            let above = level
                .chunks(FAN)
                .map(|group| {
                    let mut sum = Extent::EMPTY;
                    for extent in group {
                        sum.add(extent);
                    }
                    sum
                })
                .collect();
            levels.push(std::mem::replace(&mut level, above));
        }
        levels.push(level);
        Self { levels, items }
    }

    /// Hands the ranges of items whose group passes `keep` to `leaf`, until it breaks.
    pub(crate) fn walk(
        &self,
        mut keep: impl FnMut(&Extent<D>) -> bool,
        mut leaf: impl FnMut(Range<usize>) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        let top = self.levels.len() - 1;
        for group in 0..self.levels[top].len() {
            self.descend(top, group, &mut keep, &mut leaf)?;
        }
        ControlFlow::Continue(())
    }

    fn descend(
        &self,
        level: usize,
        group: usize,
        keep: &mut impl FnMut(&Extent<D>) -> bool,
        leaf: &mut impl FnMut(Range<usize>) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        if !keep(&self.levels[level][group]) {
            return ControlFlow::Continue(());
        }
        if level == 0 {
            return leaf(group * FAN..((group + 1) * FAN).min(self.items));
        }
        let below = self.levels[level - 1].len();
        for child in group * FAN..((group + 1) * FAN).min(below) {
            self.descend(level - 1, child, keep, leaf)?;
        }
        ControlFlow::Continue(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_item_is_reached_once_and_in_order() {
        for count in [0_u32, 1, 7, 8, 9, 64, 65, 1000] {
            let tree = PackedTree::<1>::new(
                (0..count)
                    .collect::<Vec<_>>()
                    .into_iter()
                    .map(|i| Extent::new([f64::from(i)], [f64::from(i)])),
            );
            let mut seen = Vec::new();
            let _ = tree.walk(
                |_| true,
                |range| {
                    seen.extend(range);
                    ControlFlow::Continue(())
                },
            );
            assert_eq!(seen, (0..count as usize).collect::<Vec<_>>());
        }
    }

    #[test]
    fn groups_away_from_the_point_are_left_out() {
        let tree = PackedTree::<1>::new(
            (0..1000_u32)
                .collect::<Vec<_>>()
                .into_iter()
                .map(|i| Extent::new([f64::from(i)], [f64::from(i)])),
        );
        let mut seen = Vec::new();
        let _ = tree.walk(
            |extent| extent.distance_squared(&[500.5]) < 1.0,
            |range| {
                seen.extend(range);
                ControlFlow::Continue(())
            },
        );
        assert!(seen.contains(&500) && seen.contains(&501) && seen.len() <= 16);
    }
}
