use std::hash::{BuildHasher, Hash, Hasher};
use std::time::Duration;

use cardo_engine::{AreaQuery, Engine, QueryError, Slot, Snapshot, Table, ahead};
use cardo_model::{Record, read_shape};
use cardo_query::Filter;
use cardo_spatial::TileShape;
use foldhash::fast::FixedState;

use super::layer::Layer;
use super::matrix::Tile;
use super::select::{Selected, Selection};
use super::tolerance;

/// A collection as a layer shows it.
pub(crate) struct Shown<'a> {
    pub(crate) table: &'a Table,
    /// The columns that are shown, by place.
    pub(crate) columns: Vec<bool>,
    /// Which of its features.
    pub(crate) filter: Filter,
}

/// What a tile shows of a snapshot, before it is drawn.
pub(crate) struct Picture<'a> {
    engine: &'a Engine,
    snapshot: &'a Snapshot,
    tile: Tile,
    layers: Vec<(Shown<'a>, Selected)>,
}

/// A feature and more take some microseconds; so much is done before others may run.
const DRAWN_AT_ONCE: usize = 128;
const LOOKED_AT_ONCE: usize = 64;
const DRAW: Duration = Duration::from_nanos(400);
const LOOK: Duration = Duration::from_nanos(20);

impl<'a> Picture<'a> {
    /// Chooses the features.
    pub(crate) async fn of(
        engine: &'a Engine,
        snapshot: &'a Snapshot,
        tile: Tile,
        shown: Vec<Shown<'a>>,
    ) -> Result<Self, QueryError> {
        let mut layers = Vec::with_capacity(shown.len());
        for one in shown {
            let Some(geometry) = one.table.geometry else { continue };
            snapshot.check(&Filter::Type(one.table.type_name.clone()))?;
            let mut walk = snapshot.area(&AreaQuery {
                type_name: one.table.type_name.clone(),
                attribute: one.table.columns[geometry].attribute().clone(),
                boxes: tile.frame.boxes(),
                filter: one.filter.clone(),
            });
            let mut selection = Selection::new(tile.frame);
            let expected = walk.expected();
            let step = &mut || walk.step(&mut |placed| selection.take(placed));
            engine.in_slices(expected, step).await?;
            layers.push((one, selection.finish()));
        }
        Ok(Self { engine, snapshot, tile, layers })
    }

    /// A number that differs where the tile does: of each feature where it was changed last, and of
    /// merged ones how many they are. Nothing has to be drawn for it.
    pub(crate) async fn fingerprint(&self) -> Result<u64, QueryError> {
        let mut hasher = FixedState::default().build_hasher();
        for (shown, selected) in &self.layers {
            shown.hash_into(selected, &mut hasher);
            self.hash_changes(selected.slots(), selected.count(), &mut hasher).await?;
        }
        Ok(hasher.finish())
    }

    async fn hash_changes(
        &self,
        mut slots: impl Iterator<Item = Slot> + Send,
        count: usize,
        hasher: &mut (impl Hasher + Send),
    ) -> Result<(), QueryError> {
        let mut step = || {
            // Where the records lie is not near: they are looked at together.
            let changes = self.snapshot.changes(slots.by_ref().take(LOOKED_AT_ONCE));
            for (seq, revision) in &changes {
                (seq.as_u64(), revision.0).hash(hasher);
            }
            !changes.is_empty()
        };
        self.engine.in_slices(LOOK * whole(count), &mut step).await
    }

    /// Draws the tile, and gives its fingerprint too, since each feature is looked at.
    pub(crate) async fn draw(&self) -> Result<(Vec<u8>, u64), QueryError> {
        let mut hasher = FixedState::default().build_hasher();
        let mut out = Vec::new();
        for (shown, selected) in &self.layers {
            shown.hash_into(selected, &mut hasher);
            let mut layer = Layer::new(shown.table, &shown.columns);
            for (at, count) in &selected.merged {
                layer.merged(*at, *count);
            }
            let mut drawn = 0;
            let mut shapes = selected.shapes.chunks(DRAWN_AT_ONCE);
            let mut points = selected.points.chunks(DRAWN_AT_ONCE);
            let mut look = |record: &Record| {
                let view = record.view();
                (view.seq().as_u64(), view.revision().0).hash(&mut hasher);
            };
            let mut step = || {
                if layer.is_full() {
                    return false;
                }
                if let Some(slots) = shapes.next() {
                    drawn += slots.len();
                    self.snapshot.call(shapes.clone().next().into_iter().flatten().copied());
                    for record in ahead(&self.snapshot.records(slots.iter().copied())) {
                        look(record);
                        layer.shape(&record.view(), &shape_of(shown.table, record, self.tile));
                    }
                } else if let Some(placed) = points.next() {
                    drawn += placed.len();
                    let later = points.clone().next().into_iter().flatten();
                    self.snapshot.call(later.map(|(slot, _)| *slot));
                    let records = self.snapshot.records(placed.iter().map(|(slot, _)| *slot));
                    for (record, (_, at)) in ahead(&records).zip(placed) {
                        look(record);
                        layer.point(&record.view(), *at);
                    }
                } else {
                    return false;
                }
                true
            };
            let count = selected.count();
            self.engine.in_slices(DRAW * whole(count), &mut step).await?;
            self.hash_changes(selected.slots().skip(drawn), count - drawn, &mut hasher).await?;
            layer.finish(&mut out);
        }
        Ok((out, hasher.finish()))
    }
}

impl Shown<'_> {
    /// What of a layer is no feature.
    fn hash_into(&self, selected: &Selected, hasher: &mut impl Hasher) {
        self.table.name.hash(hasher);
        for (column, is_shown) in self.table.columns.iter().zip(&self.columns) {
            (&column.name, column.datatype, is_shown).hash(hasher);
        }
        selected.merged.hash(hasher);
    }
}

fn whole(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

/// What of an entity a tile shows.
pub(super) fn shape_of(table: &Table, record: &Record, tile: Tile) -> TileShape {
    let geometry = table.geometry_of(&record.view()).and_then(read_shape);
    geometry.map_or(TileShape::Empty, |geometry| tile.frame.cut(&geometry, tolerance(tile)))
}
