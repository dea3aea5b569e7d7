use std::sync::Arc;

use cardo_spatial::Aabb;

use super::shared_vec::grown;

/// One box of a geometry: a point is its own box, a geometry across the antimeridian has two.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Entry {
    pub(crate) bounds: Aabb,
    pub(crate) slot: u32,
    /// Whether the box is the whole geometry, so that no record has to be read to test it.
    pub(crate) is_point: bool,
    /// Whether each side of the box surely has a position of the geometry.
    pub(crate) is_touched: bool,
}

/// Some entries that lie near one another, and the box of them.
#[derive(Clone)]
pub(super) struct Bucket {
    pub(super) bounds: Aabb,
    pub(super) entries: Entries,
}

/// What is in a bucket. Of points, which most geometries are, a page of memory holds twice as many.
#[derive(Clone)]
pub(super) enum Entries {
    Points(Arc<[Point]>),
    Any(Arc<[Entry]>),
}

/// An entry that is one point.
#[derive(Clone, Copy, PartialEq)]
pub(super) struct Point {
    lon: f64,
    lat: f64,
    slot: u32,
}

impl Bucket {
    pub(super) fn of(entries: &[Entry]) -> Self {
        Self { bounds: bounds_of(entries), entries: Entries::of(entries) }
    }

    pub(super) fn has(&self, entry: &Entry) -> bool {
        match &self.entries {
            Entries::Points(points) => {
                points.iter().any(|own| own.slot == entry.slot && own.entry() == *entry)
            }
            Entries::Any(entries) => {
                entries.iter().any(|own| own.slot == entry.slot && own == entry)
            }
        }
    }

    pub(super) fn insert(&mut self, entry: Entry) {
        self.bounds = self.bounds.union(&entry.bounds);
        self.entries.insert(entry);
    }

    pub(super) fn replace(&mut self, old: &Entry, new: Entry) {
        self.entries.replace(old, new);
        self.bounds = union(self.entries.iter().map(|entry| entry.bounds));
    }

    pub(super) fn remove(&mut self, entry: &Entry) {
        let mut entries = self.entries.to_vec();
        if let Some(at) = entries.iter().position(|own| own == entry) {
            entries.swap_remove(at);
        }
        *self = Self::of(&entries);
    }
}

impl Entries {
    fn of(entries: &[Entry]) -> Self {
        let points: Option<Arc<[Point]>> = entries.iter().map(Point::of).collect();
        points.map_or_else(|| Self::Any(entries.into()), Self::Points)
    }

    pub(super) fn len(&self) -> usize {
        match self {
            Self::Points(points) => points.len(),
            Self::Any(entries) => entries.len(),
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = Entry> {
        let (points, entries): (&[Point], &[Entry]) = match self {
            Self::Points(points) => (points, &[]),
            Self::Any(entries) => (&[], entries),
        };
        points.iter().map(Point::entry).chain(entries.iter().copied())
    }

    pub(super) fn to_vec(&self) -> Vec<Entry> {
        self.iter().collect()
    }

    /// Calls `visit` with every entry that meets a box, which may hold all of them.
    pub(super) fn search(&self, wanted: &Aabb, takes_all: bool, visit: &mut impl FnMut(&Entry)) {
        match self {
            Self::Points(points) => {
                let meets = |point: &Point| {
                    takes_all | Aabb::of_point(point.lon, point.lat).intersects(wanted)
                };
                visit_some(points, meets, |point| visit(&point.entry()));
            }
            Self::Any(entries) => {
                let meets = |entry: &Entry| takes_all | entry.bounds.intersects(wanted);
                visit_some(entries, meets, visit);
            }
        }
    }

    fn insert(&mut self, entry: Entry) {
        *self = match (&*self, Point::of(&entry)) {
            (Self::Points(points), Some(point)) => Self::Points(grown(points, point)),
            (Self::Points(_), None) => Self::Any(grown(&self.to_vec(), entry)),
            (Self::Any(entries), _) => Self::Any(grown(entries, entry)),
        };
    }

    fn replace(&mut self, old: &Entry, new: Entry) {
        match (&mut *self, Point::of(old), Point::of(&new)) {
            (Self::Points(points), Some(old), Some(new)) => put_in_place(points, &old, new),
            (Self::Points(_), ..) => {
                let mut entries = self.to_vec().into();
                put_in_place(&mut entries, old, new);
                *self = Self::Any(entries);
            }
            (Self::Any(entries), ..) => put_in_place(entries, old, new),
        }
    }

    /// One place in each line of memory.
    fn lines(&self) -> u32 {
        const LINE: usize = 64;
        let mixed = |all, slot| all ^ slot;
        match self {
            Self::Points(points) => {
                let each = points.iter().step_by(LINE / size_of::<Point>());
                each.map(|point| point.slot).fold(0, mixed)
            }
            Self::Any(entries) => {
                let each = entries.iter().step_by(LINE / size_of::<Entry>());
                each.map(|entry| entry.slot).fold(0, mixed)
            }
        }
    }
}

/// Calls `visit` with those that meet a condition. Which do is written down first, without branches that nobody
/// can guess.
fn visit_some<T>(all: &[T], meets: impl Fn(&T) -> bool, mut visit: impl FnMut(&T)) {
    const TOGETHER: usize = 64;
    for some in all.chunks(TOGETHER) {
        let (mut places, mut count) = ([0_u8; TOGETHER], 0);
        for (at, one) in (0_u8..).zip(some) {
            places[count % TOGETHER] = at;
            count += usize::from(meets(one));
        }
        for at in &places[..count] {
            visit(&some[usize::from(*at)]);
        }
    }
}

fn put_in_place<T: Copy + PartialEq>(all: &mut Arc<[T]>, old: &T, new: T) {
    if let Some(own) = Arc::make_mut(all).iter_mut().find(|own| *own == old) {
        *own = new;
    }
}

impl Point {
    fn of(entry: &Entry) -> Option<Self> {
        let Aabb { min: [lon, lat], max } = entry.bounds;
        let is_one = entry.is_point && entry.is_touched && max == [lon, lat];
        is_one.then_some(Self { lon, lat, slot: entry.slot })
    }

    #[inline]
    fn entry(&self) -> Entry {
        let bounds = Aabb::of_point(self.lon, self.lat);
        Entry { bounds, slot: self.slot, is_point: true, is_touched: true }
    }
}

/// Looks at every line of memory of some buckets, which lie anywhere: these looks do not depend on one
/// another and so wait at the same time.
pub(super) fn fetch(buckets: &[&Bucket]) {
    let seen = buckets.iter().fold(0, |all, bucket| all ^ bucket.entries.lines());
    std::hint::black_box(seen);
}

pub(super) fn bounds_of(entries: &[Entry]) -> Aabb {
    union(entries.iter().map(|entry| entry.bounds))
}

pub(super) fn union(bounds: impl Iterator<Item = Aabb>) -> Aabb {
    bounds.reduce(|a, b| a.union(&b)).unwrap_or(Aabb::of_point(0.0, 0.0))
}
