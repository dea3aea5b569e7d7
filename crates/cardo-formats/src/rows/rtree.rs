//! A packed R-tree in the tables of SQLite's module `rtree`
//! (<https://www.sqlite.org/rtree.html>, section 5).

use geo_types::Rect;

use super::sqlite::{Field, record};

/// The most entries of a node.
const ENTRIES: usize = 51;
/// The size of nodes; the module takes it from the first one.
const NODE: usize = 4 + 24 * ENTRIES;

/// The box of a row or node, as the module keeps it: rounded outward.
#[derive(Clone, Copy, Debug)]
struct Entry {
    id: u32,
    min: [f32; 2],
    max: [f32; 2],
}

/// The boxes of all rows, gathered while these are looked at.
#[derive(Debug, Default)]
pub(super) struct Boxes(Vec<Entry>);

/// The three tables of a tree, of which each row can be had by itself.
#[derive(Debug)]
pub(super) struct Tree {
    /// The entries of each level, from those of rows up to those of the root; so many after one another
    /// are a node. Those of inner nodes have places in the level below.
    levels: Vec<Vec<Entry>>,
    /// The number of the first node of each level: they are numbered from the root down.
    firsts: Vec<u32>,
    /// The leaf of each row by its id; 0 where it has no box.
    leaves: Vec<u32>,
    /// The parents of nodes but the root, by their numbers.
    parents: Vec<(u32, u32)>,
}

/// A table of a tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// The nodes with their entries.
    Nodes,
    /// In which leaf a row stands.
    Rows,
    /// Which node is above another.
    Parents,
}

impl Part {
    pub(super) const ALL: [Self; 3] = [Self::Nodes, Self::Rows, Self::Parents];
}

#[expect(clippy::cast_possible_truncation, reason = "rounded outward behind it")]
pub(super) fn down(number: f64) -> f32 {
    let near = number as f32;
    if f64::from(near) > number { near.next_down() } else { near }
}

#[expect(clippy::cast_possible_truncation, reason = "rounded outward behind it")]
pub(super) fn up(number: f64) -> f32 {
    let near = number as f32;
    if f64::from(near) < number { near.next_up() } else { near }
}

impl Boxes {
    pub(super) fn add(&mut self, id: u32, area: &Rect<f64>) {
        let (min, max) = (area.min(), area.max());
        let (min, max) = ([down(min.x), down(min.y)], [up(max.x), up(max.y)]);
        self.0.push(Entry { id, min, max });
    }

    /// Packs the boxes: those of a node lie near one another.
    pub(super) fn into_tree(self) -> Tree {
        let rows = self.0.last().map_or(0, |entry| entry.id as usize);
        let mut levels = vec![packed(self.0)];
        while let Some(level) = levels.last()
            && level.len() > ENTRIES
        {
            let boxes = level.chunks(ENTRIES).zip(0..).map(|(node, at)| around(node, at));
            let boxes = packed(boxes.collect());
            levels.push(boxes);
        }
        let mut firsts = vec![1; levels.len()];
        for height in (1..levels.len()).rev() {
            firsts[height - 1] = firsts[height] + number(levels[height].len().div_ceil(ENTRIES));
        }
        let mut leaves = vec![0; rows + 1];
        for (node, leaf) in levels[0].chunks(ENTRIES).zip(firsts[0]..) {
            for entry in node {
                leaves[entry.id as usize] = leaf;
            }
        }
        let mut parents = Vec::new();
        for height in 1..levels.len() {
            for (node, parent) in levels[height].chunks(ENTRIES).zip(firsts[height]..) {
                parents.extend(node.iter().map(|entry| (firsts[height - 1] + entry.id, parent)));
            }
        }
        parents.sort_unstable();
        Tree { levels, firsts, leaves, parents }
    }
}

fn number(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

/// Entries in the order of nodes: in strips from west to east, each from south to north.
fn packed(mut entries: Vec<Entry>) -> Vec<Entry> {
    let count = entries.len().div_ceil(ENTRIES).max(1);
    let strips = (1..=count).find(|strips| strips * strips >= count).unwrap_or(1);
    let strip = count.div_ceil(strips) * ENTRIES;
    let middle = |entry: &Entry, axis: usize| entry.min[axis] + entry.max[axis];
    entries.sort_unstable_by(|a, b| middle(a, 0).total_cmp(&middle(b, 0)));
    for strip in entries.chunks_mut(strip) {
        strip.sort_unstable_by(|a, b| middle(a, 1).total_cmp(&middle(b, 1)));
    }
    entries
}

fn around(node: &[Entry], id: u32) -> Entry {
    let mut all = Entry { id, min: [f32::INFINITY; 2], max: [f32::NEG_INFINITY; 2] };
    for entry in node {
        for axis in [0, 1] {
            all.min[axis] = all.min[axis].min(entry.min[axis]);
            all.max[axis] = all.max[axis].max(entry.max[axis]);
        }
    }
    all
}

impl Tree {
    /// The rows of a table.
    pub(super) fn rows(&self, part: Part) -> impl Iterator<Item = (i64, Vec<u8>)> {
        let mut at = 0;
        std::iter::from_fn(move || self.row(part, &mut at))
    }

    /// The next row of a table; `at` is where to look for it.
    pub(super) fn row(&self, part: Part, at: &mut usize) -> Option<(i64, Vec<u8>)> {
        let (id, field) = match part {
            Part::Nodes => return self.node(at),
            Part::Rows => {
                let rest = self.leaves.get(*at..)?;
                let next = *at + rest.iter().position(|leaf| *leaf != 0)?;
                *at = next + 1;
                (number(next), self.leaves[next])
            }
            Part::Parents => {
                let pair = *self.parents.get(*at)?;
                *at += 1;
                pair
            }
        };
        Some((id.into(), record(&[Field::Null, Field::Int(field.into())])))
    }

    fn node(&self, at: &mut usize) -> Option<(i64, Vec<u8>)> {
        *at += 1;
        let number = number(*at);
        // The highest level is the last.
        let height = self.firsts.iter().position(|first| *first <= number)?;
        let place = (number - self.firsts[height]) as usize;
        let entries = self.levels[height].chunks(ENTRIES).nth(place);
        // There is a root, whatever is in it.
        let entries = match entries {
            None if number == 1 => &[],
            entries => entries?,
        };
        let below = if height > 0 { self.firsts[height - 1] } else { 0 };
        let mut node = Vec::with_capacity(NODE);
        let depth = if number == 1 { self.levels.len() - 1 } else { 0 };
        node.extend_from_slice(&u16::try_from(depth).unwrap_or(u16::MAX).to_be_bytes());
        let count = u16::try_from(entries.len()).unwrap_or(u16::MAX);
        node.extend_from_slice(&count.to_be_bytes());
        for entry in entries {
            node.extend_from_slice(&i64::from(entry.id + below).to_be_bytes());
            for axis in [0, 1] {
                node.extend_from_slice(&entry.min[axis].to_be_bytes());
                node.extend_from_slice(&entry.max[axis].to_be_bytes());
            }
        }
        node.resize(NODE, 0);
        Some((number.into(), record(&[Field::Null, Field::Blob(&node)])))
    }
}
