use std::sync::atomic::{AtomicU64, Ordering};

use cardo_model::{NameId, Record, Revision, Seq};
use cardo_spatial::Aabb;

use super::Root;
use super::attribute_index::boxes_of;

/// The revisions at which places of a twin were last written to, by type and coarsely: what
/// collides counts as written, so a place may seem touched that is not, never the other way round.
///
/// The world is cut into cells at several levels, each with twice as many to a side. A write marks
/// its old and its new boxes at all levels; who asks looks at the level whose cells are about as
/// large as what they ask for.
pub(crate) struct Touched {
    /// Tells apart what was kept of this twin and of others that had its name.
    id: u64,
    /// Nothing is known of what was written up to here.
    all: AtomicU64,
    marks: Box<[AtomicU64]>,
}

/// How many marks there are, which share 128 KiB.
const MARKS: usize = 1 << 14;
/// The last level, whose cells are some hundreds of metres wide.
const LEVELS: u32 = 17;
/// A box that covers more cells of a level is marked as large there.
const MOST_CELLS: u32 = 16;
/// More changes than these touch everything.
const MOST_CHANGES: usize = 1 << 14;
/// The column of large boxes.
const LARGE: u32 = u32::MAX;

impl Touched {
    pub(crate) fn since(revision: Revision) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        Self {
            id: NEXT.fetch_add(1, Ordering::Relaxed),
            all: AtomicU64::new(revision.0),
            marks: (0..MARKS).map(|_| AtomicU64::new(0)).collect(),
        }
    }

    pub(crate) fn id(&self) -> u64 {
        self.id
    }

    /// Takes in what changes from one root to the next, before that one is published.
    pub(crate) fn take(&self, old: &Root, new: &Root, changed: impl Iterator<Item = Seq>) {
        for (count, seq) in changed.enumerate() {
            if count == MOST_CHANGES {
                self.take_all(new.revision);
                return;
            }
            let record = |root: &'_ Root| root.slot_of(seq).and_then(|at| root.record(at).cloned());
            let (before, after) = (record(old), record(new));
            let boxes = |record: Option<&Record>| record.map(boxes_of).unwrap_or_default();
            let mut boxes_touched = boxes(before.as_ref());
            for bounds in boxes(after.as_ref()) {
                if !boxes_touched.contains(&bounds) {
                    boxes_touched.push(bounds);
                }
            }
            let types = |record: &Option<Record>| -> Vec<NameId> {
                record.as_ref().map(|r| r.view().types().collect()).unwrap_or_default()
            };
            let mut names = types(&before);
            names.extend(types(&after));
            names.sort_unstable();
            names.dedup();
            for name in names {
                for bounds in &boxes_touched {
                    self.mark(name, bounds, new.revision);
                }
            }
        }
    }

    pub(crate) fn take_all(&self, revision: Revision) {
        self.all.fetch_max(revision.0, Ordering::Relaxed);
    }

    fn mark(&self, name: NameId, bounds: &Aabb, revision: Revision) {
        let set = |place: usize| self.marks[place].fetch_max(revision.0, Ordering::Relaxed);
        for level in 0..LEVELS {
            let [from, to] = cells(level, bounds);
            let count = (to[0] - from[0] + 1).saturating_mul(to[1] - from[1] + 1);
            if count > MOST_CELLS {
                set(place(name, level, [LARGE, LARGE]));
                continue;
            }
            for x in from[0]..=to[0] {
                for y in from[1]..=to[1] {
                    set(place(name, level, [x, y]));
                }
            }
        }
    }

    /// Whether entities of a type may have come, gone or changed within some boxes behind a
    /// revision.
    pub(crate) fn may_have_changed(&self, name: NameId, boxes: &[Aabb], since: Revision) -> bool {
        let is_newer = |mark: &AtomicU64| mark.load(Ordering::Relaxed) > since.0;
        if is_newer(&self.all) {
            return true;
        }
        let marked = |level, cell| is_newer(&self.marks[place(name, level, cell)]);
        boxes.iter().any(|bounds| {
            let level = level_of(bounds);
            let [from, to] = cells(level, bounds);
            marked(level, [LARGE, LARGE])
                || (from[0]..=to[0]).any(|x| (from[1]..=to[1]).any(|y| marked(level, [x, y])))
        })
    }
}

/// The level whose cells are not smaller than a box.
fn level_of(bounds: &Aabb) -> u32 {
    let [width, height] = [bounds.max[0] - bounds.min[0], bounds.max[1] - bounds.min[1]];
    let mut level = 0;
    while level + 1 < LEVELS
        && 180.0 / f64::from(1_u32 << level) >= width
        && 90.0 / f64::from(1_u32 << level) >= height
    {
        level += 1;
    }
    level
}

/// The first and the last cell of a level that a box meets.
fn cells(level: u32, bounds: &Aabb) -> [[u32; 2]; 2] {
    let count = 1_u32 << level;
    let cell = |axis: f64, whole: f64| {
        let at = ((axis / whole + 0.5) * f64::from(count)).clamp(0.0, f64::from(count - 1));
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped")]
        let at = at as u32;
        at
    };
    [bounds.min, bounds.max].map(|[lon, lat]| [cell(lon, 360.0), cell(lat, 180.0)])
}

/// Where the mark of a cell stands.
fn place(name: NameId, level: u32, [x, y]: [u32; 2]) -> usize {
    const MIX: u64 = 0x9e37_79b9_7f4a_7c15;
    let mut hash = u64::from(name.as_u32()) << 5 | u64::from(level);
    for part in [x, y] {
        hash = (hash ^ u64::from(part)).wrapping_mul(MIX);
        hash ^= hash >> 29;
    }
    usize::try_from(hash % MARKS as u64).expect("there are not so many marks")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn tree() -> NameId {
        NameId::new(7)
    }

    fn square(x: f64, y: f64, size: f64) -> Aabb {
        Aabb { min: [x, y], max: [x + size, y + size] }
    }

    proptest! {
        #[test]
        fn what_meets_a_place_that_was_written_to_is_told(
            (x, y) in (-180.0..170.0_f64, -90.0..80.0_f64),
            (size, other) in (0.0..10.0_f64, 0.0..10.0_f64),
            (dx, dy) in (0.0..=1.0_f64, 0.0..=1.0_f64),
        ) {
            let touched = Touched::since(Revision(3));
            touched.mark(tree(), &square(x, y, size), Revision(9));
            // A box that shares a point with the one that was written.
            let asked = square(x + dx * size - dy * other, y + dy * size - dx * other, other);
            prop_assert!(touched.may_have_changed(tree(), &[asked], Revision(8)));
            prop_assert!(!touched.may_have_changed(tree(), &[asked], Revision(9)));
            prop_assert!(touched.may_have_changed(tree(), &[asked], Revision(2)));
        }
    }

    #[test]
    fn other_types_and_other_places_stay_untouched() {
        let touched = Touched::since(Revision(1));
        touched.mark(tree(), &square(24.9, 60.1, 0.0), Revision(2));
        let beside = square(25.0, 60.1, 0.01);
        assert!(!touched.may_have_changed(tree(), &[beside], Revision(1)));
        assert!(touched.may_have_changed(tree(), &[square(24.8, 60.0, 0.2)], Revision(1)));
        let here = square(24.899, 60.099, 0.01);
        assert!(touched.may_have_changed(tree(), &[beside, here], Revision(1)));
        assert!(!touched.may_have_changed(NameId::new(8), &[here], Revision(1)));
        touched.take_all(Revision(5));
        assert!(touched.may_have_changed(NameId::new(8), &[beside], Revision(4)));
    }
}
