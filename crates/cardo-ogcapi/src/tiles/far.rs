//! What context sources have of the features of a tile.

use std::sync::Arc;

use cardo_engine::{Caller, Engine, QueryError, Snapshot, Table};
use cardo_query::{Filter, GeoCondition, GeoTest};
use cardo_spatial::{Aabb, GeoRelation};
use geo_types::{Geometry, MultiPolygon, Rect};

use super::{Shown, Tile};

/// The twin of a snapshot with what sources have; the same where the caller reaches none.
pub(crate) async fn completed(
    (engine, caller): (&Engine, &Caller),
    snapshot: Snapshot,
    tile: &Tile,
    shown: &[Shown<'_>],
) -> Result<Snapshot, QueryError> {
    if !caller.reach.is_far() {
        return Ok(snapshot);
    }
    let within = |one: &Shown<'_>| one.filter.clone().and(meets_boxes(one.table, tile));
    let conditions: Vec<Filter> = shown.iter().map(within).collect();
    let types: Vec<_> =
        shown.iter().zip(&conditions).map(|(one, all)| (&one.table.type_name, all)).collect();
    engine.completed_of(caller, snapshot, &types).await
}

/// The condition that the geometry of an entity meets the boxes of a tile.
pub(crate) fn meets_boxes(table: &Table, tile: &Tile) -> Filter {
    let Some(column) = table.geometry.map(|geometry| &table.columns[geometry]) else {
        return Filter::False;
    };
    let rectangle = |one: &Aabb| Rect::new(one.min, one.max).to_polygon();
    let boxes = MultiPolygon::new(tile.frame.boxes().iter().map(rectangle).collect());
    Filter::Geo(GeoCondition {
        property: column.attribute().clone(),
        test: Arc::new(GeoTest::new(GeoRelation::Intersects, Geometry::MultiPolygon(boxes))),
        missing_matches: false,
        datasets: column.path.datasets.clone(),
    })
}
