//! Tiles of layers that are files. They follow the rules of the module above, with one difference:
//! a node of the file's index that is no larger than what is merged, and lies in one cell, counts as a
//! whole at its middle, and nothing in it is read.

use std::sync::Arc;

use cardo_engine::{
    Layer, LayerContents, LayerNode, LayerQuestionError, LayerVisit, Placed, Slot, View,
};
use cardo_query::Filter;
use cardo_spatial::{Aabb, Boxes};

use super::layer::Layer as Drawn;
use super::matrix::Tile;
use super::render::shape_of;
use super::select::{Selected, Selection};
use super::{CELL, MOST, PIXEL};

/// Features that one tile may look at, where it shows those that meet a condition.
const MOST_JUDGED: u64 = 1_000_000;
/// A tile that looks at more waits for its turn.
const CHEAPLY_JUDGED: u64 = 20_000;

/// A layer as a tile shows it.
#[derive(Clone)]
pub(crate) struct FileLayer {
    pub(crate) layer: Arc<dyn Layer>,
    /// The columns that are shown, by place.
    pub(crate) columns: Vec<bool>,
    /// Which of its features.
    pub(crate) filter: Filter,
}

impl FileLayer {
    /// Draws the layer; this waits for the disk.
    pub(crate) fn draw(self, tile: Tile) -> Result<Vec<u8>, LayerQuestionError> {
        let selected = self.select(tile)?;
        let description = self.layer.description();
        let mut drawn = Drawn::new(&description.table, &self.columns);
        for (at, count) in &selected.merged {
            drawn.merged(*at, *count);
        }
        let shapes = selected.shapes.into_iter().map(|slot| (slot, None));
        let points = selected.points.into_iter().map(|(slot, at)| (slot, Some(at)));
        for (slot, place) in shapes.chain(points) {
            if drawn.is_full() {
                break;
            }
            let Some(record) = self.layer.feature(slot.number().into())? else { continue };
            match place {
                Some(at) => drawn.point(&record.view(), at),
                None => drawn.shape(&record.view(), &shape_of(&description.table, &record, tile)),
            }
        }
        let mut out = Vec::new();
        drawn.finish(&mut out);
        Ok(out)
    }

    fn select(&self, tile: Tile) -> Result<Selected, LayerQuestionError> {
        let boxes = tile.frame.boxes();
        let mut selection = Selection::new(tile.frame);
        if self.filter != Filter::True {
            let mut take = |node: &LayerNode| selection.take(placed(node));
            self.layer.matches(&View::all(), &boxes, (&self.filter, MOST_JUDGED), &mut take)?;
            return Ok(selection.finish());
        }
        let contents = self.layer.description().contents;
        let are_points = contents == LayerContents::Points;
        // What is smaller than a pixel is merged however little there is; points are where there are many.
        let merges =
            contents == LayerContents::Shapes || self.has_more_than(MOST as u64, &boxes)?;
        if merges && are_points {
            selection.thin();
        }
        let most = if are_points { f64::from(CELL) } else { PIXEL };
        self.layer.walk(&mut |node| {
            if !meets(&boxes, &node.bounds) {
                return LayerVisit::Pass;
            }
            if node.is_feature {
                selection.take(placed(node));
                return LayerVisit::Pass;
            }
            let is_small = merges && tile.frame.size(&node.bounds).iter().all(|side| *side < most);
            if is_small && selection.take_whole(&node.bounds, node.count, are_points) {
                return LayerVisit::Pass;
            }
            LayerVisit::Enter
        })?;
        Ok(selection.finish())
    }

    /// Whether many features have to be looked at.
    pub(crate) fn is_costly(&self, tile: Tile) -> Result<bool, LayerQuestionError> {
        let boxes = tile.frame.boxes();
        Ok(self.filter != Filter::True && self.has_more_than(CHEAPLY_JUDGED, &boxes)?)
    }

    /// Whether more features than so many lie in some boxes.
    fn has_more_than(&self, most: u64, boxes: &Boxes) -> Result<bool, LayerQuestionError> {
        let mut count = 0;
        self.layer.walk(&mut |node| {
            if !meets(boxes, &node.bounds) {
                return LayerVisit::Pass;
            }
            let is_within = boxes.iter().any(|wanted| wanted.contains(&node.bounds));
            if !node.is_feature && !is_within {
                return LayerVisit::Enter;
            }
            count += node.count;
            if count > most { LayerVisit::Stop } else { LayerVisit::Pass }
        })?;
        Ok(count > most)
    }
}

fn meets(boxes: &Boxes, bounds: &Aabb) -> bool {
    boxes.iter().any(|wanted| wanted.intersects(bounds))
}

fn placed(node: &LayerNode) -> Placed {
    let slot = Slot::of_feature(u32::try_from(node.first).unwrap_or(u32::MAX));
    // The box of a line or an area has an extent.
    let is_point = node.bounds.min == node.bounds.max;
    Placed { slot, bounds: node.bounds, is_point }
}
