//! What entities amount to: how many there are, and the figures of their numbers, in all or by the
//! areas in which they lie.
//!
//! A number counts under the unit that its instance names, so that only what is of one unit is
//! added up. By areas, an entity counts in one area at the most, so that areas add up to no more
//! than there is: in the one in which its point lies, borders included, and of several in the one
//! that was created first. The point of an entity is its place, and of a line or polygon a
//! position on it (`cardo_spatial::representative_point`).

use std::time::Duration;

use cardo_model::{Record, read_shape};
use cardo_query::{Filter, Member, scalar_number};
use cardo_spatial::{Aabb, GeoRelation, PreparedQuery, representative_point};
use geo_types::Geometry as Shape;

use crate::area::{AreaQuery, AreaWalk, Placed};
use crate::engine::Engine;
use crate::plan::{Need, Plan, Run, Window};
use crate::query::QueryError;
use crate::snapshot::Snapshot;
use crate::tables::{Cell, Column, ColumnPart, ColumnType, Row, Table};

/// What is counted of a type.
#[derive(Clone, Debug)]
pub struct Counting<'a> {
    /// The type, as the caller sees it.
    pub table: &'a Table,
    /// Which of its entities.
    pub filter: Filter,
    /// The columns whose numbers are added up, by place.
    pub columns: Vec<usize>,
}

/// What entities of a type amount to.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Figures {
    /// How many there are.
    pub count: u64,
    /// The figures of their numbers, in the order of columns and units; what has no number is left
    /// out.
    pub numbers: Vec<NumberFigures>,
}

/// The numbers of a column that have the same unit.
#[derive(Clone, Debug, PartialEq)]
pub struct NumberFigures {
    /// The column, by place.
    pub column: usize,
    /// The code of the unit.
    pub unit: Option<Box<str>>,
    /// How many there are.
    pub count: u64,
    /// Their sum.
    pub sum: f64,
    /// The smallest.
    pub min: f64,
    /// The largest.
    pub max: f64,
}

impl NumberFigures {
    /// The sum by the count.
    pub fn mean(&self) -> f64 {
        self.sum / self.count as f64
    }
}

impl Table {
    /// The columns of attributes that have numbers, or may have some.
    pub fn number_columns(&self) -> impl Iterator<Item = usize> + '_ {
        let is_own = |column: &Column| {
            column.path.attributes.is_empty()
                && column.path.datasets == cardo_query::Datasets::Preferred
        };
        let columns = self.columns.iter().enumerate();
        columns.filter(move |(_, c)| can_have_numbers(c) && is_own(c)).map(|(at, _)| at)
    }
}

/// Whether the cells of a column can be numbers.
pub fn can_have_numbers(column: &Column) -> bool {
    column.part == ColumnPart::Value
        && matches!(column.datatype, ColumnType::Number | ColumnType::Json | ColumnType::List)
}

/// Records are read so many at a time, before others may run.
const READ_AT_ONCE: usize = 64;
/// Shapes take longer.
const SHAPES_AT_ONCE: usize = 8;

impl Engine {
    /// What the entities of a type amount to that meet the condition.
    pub async fn aggregate(
        &self,
        snapshot: &Snapshot,
        counting: &Counting<'_>,
    ) -> Result<Figures, QueryError> {
        let typed = Filter::Type(counting.table.type_name.clone());
        let filter = typed.and(counting.filter.clone());
        snapshot.check(&filter)?;
        let filter = snapshot.resolve(&filter);
        let plan = Plan::new(&snapshot.root, &filter, Need { first: usize::MAX, count: false });
        let mut run = Run::new(plan, Window::WHOLE);
        let mut tally = Tally::new(counting);
        let mut found = Vec::new();
        let expected = Duration::from_secs_f64(run.cost() / 1e9);
        let mut step = || {
            if found.is_empty() {
                let goes_on = run.step();
                found.append(&mut run.found);
                return goes_on || !found.is_empty();
            }
            for slot in found.drain(found.len().saturating_sub(READ_AT_ONCE)..) {
                if let Some(record) = snapshot.root.record(slot) {
                    tally.add(snapshot, record);
                }
            }
            true
        };
        self.in_slices(expected, &mut step).await?;
        Ok(tally.finish())
    }

    /// The same by areas: for each of the records, which are of the table `of`, the figures of each
    /// counting. Its geometry has to be a polygon, or several.
    pub async fn aggregate_by_area(
        &self,
        snapshot: &Snapshot,
        of: &Table,
        areas: &[Record],
        countings: &[Counting<'_>],
    ) -> Result<Vec<Vec<Figures>>, QueryError> {
        let mut claimed: Vec<Claimed> = countings.iter().map(|_| Claimed::default()).collect();
        // Of several areas the one that was created first has an entity.
        let mut order: Vec<usize> = (0..areas.len()).collect();
        order.sort_by_key(|at| areas[*at].view().seq());
        let mut all = vec![Vec::new(); areas.len()];
        for counting in countings {
            snapshot.check(&Filter::Type(counting.table.type_name.clone()))?;
        }
        for at in order {
            let area = Area::of(of, &areas[at]);
            for (counting, claimed) in countings.iter().zip(&mut claimed) {
                let mut tally = Tally::new(counting);
                if let Some(area) = &area {
                    let mut join = Join::new(snapshot, area, counting, claimed);
                    let expected =
                        join.as_ref().map_or(Duration::ZERO, |join| join.walk.expected());
                    let mut step = || join.as_mut().is_some_and(|join| join.step(&mut tally));
                    self.in_slices(expected, &mut step).await?;
                }
                all[at].push(tally.finish());
            }
        }
        Ok(all)
    }
}

/// An area that entities may lie in.
struct Area {
    test: PreparedQuery,
    boxes: cardo_spatial::Boxes,
}

impl Area {
    fn of(table: &Table, record: &Record) -> Option<Self> {
        let shape = shape_of(table, record)?;
        if !matches!(shape, Shape::Polygon(_) | Shape::MultiPolygon(_)) {
            return None;
        }
        let boxes = Aabb::covering(&shape);
        Some(Self { test: PreparedQuery::new(GeoRelation::Intersects, shape), boxes })
    }
}

/// The geometry by which an entity is placed.
fn shape_of(table: &Table, record: &Record) -> Option<Shape<f64>> {
    table.geometry_of(&record.view()).and_then(read_shape)
}

/// The entities of a type in one area.
struct Join<'a> {
    snapshot: &'a Snapshot,
    area: &'a Area,
    table: &'a Table,
    walk: AreaWalk<'a>,
    waiting: Vec<Placed>,
    claimed: &'a mut Claimed,
}

impl<'a> Join<'a> {
    /// `None` where the entities have no places.
    fn new(
        snapshot: &'a Snapshot,
        area: &'a Area,
        counting: &Counting<'a>,
        claimed: &'a mut Claimed,
    ) -> Option<Self> {
        let table = counting.table;
        let walk = snapshot.area(&AreaQuery {
            type_name: table.type_name.clone(),
            attribute: table.columns[table.geometry?].attribute().clone(),
            boxes: area.boxes.clone(),
            filter: counting.filter.clone(),
        });
        Some(Self { snapshot, area, table, walk, waiting: Vec::new(), claimed })
    }

    fn step(&mut self, tally: &mut Tally<'_>) -> bool {
        if self.waiting.is_empty() {
            let waiting = &mut self.waiting;
            let goes_on = self.walk.step(&mut |placed| waiting.push(placed));
            return goes_on;
        }
        let from = self.waiting.len().saturating_sub(SHAPES_AT_ONCE);
        for placed in self.waiting.drain(from..) {
            if self.claimed.has(placed.slot.0) {
                continue;
            }
            let Some(record) = self.snapshot.root.record(placed.slot.0) else { continue };
            let point = if placed.is_point {
                Some(placed.bounds.min)
            } else {
                shape_of(self.table, record).and_then(|shape| representative_point(&shape))
            };
            if point.is_some_and(|[lon, lat]| self.area.test.matches_point(lon, lat)) {
                self.claimed.take(placed.slot.0);
                tally.add(self.snapshot, record);
            }
        }
        true
    }
}

/// The slots that lie in an area already.
#[derive(Default)]
struct Claimed(Vec<u64>);

impl Claimed {
    fn has(&self, slot: u32) -> bool {
        self.0.get(slot as usize / 64).is_some_and(|word| word >> (slot % 64) & 1 == 1)
    }

    fn take(&mut self, slot: u32) {
        let word = slot as usize / 64;
        if self.0.len() <= word {
            self.0.resize(word + 1, 0);
        }
        self.0[word] |= 1 << (slot % 64);
    }
}

/// Figures in the making.
struct Tally<'a> {
    table: &'a Table,
    count: u64,
    columns: &'a [usize],
    /// What each column of the table is in the row.
    roles: Vec<Role>,
    row: Vec<Seen>,
    units: Vec<Box<str>>,
    sums: Vec<Sum>,
}

#[derive(Clone, Copy)]
enum Role {
    None,
    Number(usize),
    Unit(usize),
}

/// A number of the present record and the place of its unit.
#[derive(Clone, Copy, Default)]
struct Seen {
    number: Option<f64>,
    unit: Option<usize>,
}

struct Sum {
    place: usize,
    unit: Option<usize>,
    count: u64,
    total: f64,
    /// What additions lost (after Neumaier), so that the order of them does not show.
    lost: f64,
    min: f64,
    max: f64,
}

impl<'a> Tally<'a> {
    fn new(counting: &'a Counting<'a>) -> Self {
        let Counting { table, columns, .. } = counting;
        let mut roles = vec![Role::None; table.columns.len()];
        for (place, at) in columns.iter().enumerate() {
            roles[*at] = Role::Number(place);
            let mut path = table.columns[*at].path.clone();
            path.member = Member::UnitCode;
            let unit = table.columns.iter().position(|column| column.path == path);
            if let Some(unit) = unit {
                roles[unit] = Role::Unit(place);
            }
        }
        let row = vec![Seen::default(); columns.len()];
        Self { table, count: 0, columns, roles, row, units: Vec::new(), sums: Vec::new() }
    }

    fn add(&mut self, snapshot: &Snapshot, record: &Record) {
        self.count += 1;
        if self.columns.is_empty() {
            return;
        }
        self.row.fill(Seen::default());
        let table = self.table;
        table.read(&snapshot.visible(record).view(), self);
        for place in 0..self.row.len() {
            let Seen { number: Some(number), unit } = self.row[place] else { continue };
            let known = self.sums.iter().position(|s| (s.place, s.unit) == (place, unit));
            let at = known.unwrap_or_else(|| {
                self.sums.push(Sum::new(place, unit));
                self.sums.len() - 1
            });
            self.sums[at].add(number);
        }
    }

    fn finish(self) -> Figures {
        let mut numbers: Vec<NumberFigures> = self
            .sums
            .into_iter()
            .map(|sum| NumberFigures {
                column: self.columns[sum.place],
                unit: sum.unit.map(|at| self.units[at].clone()),
                count: sum.count,
                sum: sum.total + sum.lost,
                min: sum.min,
                max: sum.max,
            })
            .collect();
        numbers.sort_by(|a, b| (a.column, &a.unit).cmp(&(b.column, &b.unit)));
        Figures { count: self.count, numbers }
    }
}

impl<'r> Row<'r> for Tally<'_> {
    fn cell(&mut self, column: usize, cell: Cell<'r>) {
        match (self.roles[column], cell) {
            (Role::Number(place), Cell::Json(json)) => self.row[place].number = scalar_number(json),
            (Role::Unit(place), Cell::Text(unit)) => {
                let known = self.units.iter().position(|known| known.as_ref() == unit);
                let at = known.unwrap_or_else(|| {
                    self.units.push(unit.into());
                    self.units.len() - 1
                });
                self.row[place].unit = Some(at);
            }
            _ => {}
        }
    }
}

impl Sum {
    fn new(place: usize, unit: Option<usize>) -> Self {
        let (min, max) = (f64::INFINITY, f64::NEG_INFINITY);
        Self { place, unit, count: 0, total: 0.0, lost: 0.0, min, max }
    }

    fn add(&mut self, number: f64) {
        let total = self.total + number;
        self.lost += if self.total.abs() >= number.abs() {
            (self.total - total) + number
        } else {
            (number - total) + self.total
        };
        self.total = total;
        self.count += 1;
        self.min = self.min.min(number);
        self.max = self.max.max(number);
    }
}
