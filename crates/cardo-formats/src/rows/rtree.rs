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

/// The three tables of a tree: what stands in the rows of each, by their ids.
#[derive(Debug)]
pub(super) struct Tree {
    /// The entries of each node; the root is the first.
    nodes: Vec<Vec<Entry>>,
    /// How far the leaves are below the root.
    depth: u16,
    /// The parents of nodes but the root, by their numbers.
    parents: Vec<(u32, u32)>,
    /// The leaf of each row that has a box.
    leaves: Vec<(u32, u32)>,
}

#[expect(clippy::cast_possible_truncation, reason = "rounded outward behind it")]
fn down(number: f64) -> f32 {
    let near = number as f32;
    if f64::from(near) > number { near.next_down() } else { near }
}

#[expect(clippy::cast_possible_truncation, reason = "rounded outward behind it")]
fn up(number: f64) -> f32 {
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
        let mut levels = vec![packed(self.0)];
        while let Some(nodes) = levels.last()
            && nodes.len() > 1
        {
            let boxes = nodes.iter().zip(0..).map(|(node, at)| around(node, at)).collect();
            levels.push(packed(boxes));
        }
        let depth = u16::try_from(levels.len() - 1).unwrap_or(u16::MAX);
        // Nodes are numbered from the root down; entries of inner nodes hold places in their level.
        let (mut nodes, mut parents, mut first) = (Vec::new(), Vec::new(), 1_u32);
        for (height, level) in levels.iter().enumerate().rev() {
            let is_inner = height > 0;
            let below = first + u32::try_from(level.len()).unwrap_or(u32::MAX);
            for (node, number) in level.iter().zip(first..) {
                let mut node = node.clone();
                if is_inner {
                    for entry in &mut node {
                        entry.id += below;
                        parents.push((entry.id, number));
                    }
                }
                nodes.push(node);
            }
            first = below;
        }
        parents.sort_unstable();
        let lowest = levels.first().map_or(0, Vec::len);
        let at = nodes.len() - lowest;
        let numbered = nodes[at..].iter().zip(at + 1..);
        let mut leaves: Vec<(u32, u32)> = numbered
            .flat_map(|(node, number)| {
                let number = u32::try_from(number).unwrap_or(u32::MAX);
                node.iter().map(move |entry| (entry.id, number))
            })
            .collect();
        leaves.sort_unstable();
        Tree { nodes, depth, parents, leaves }
    }
}

/// Entries in nodes: in strips from west to east, each from south to north. There is always a node.
fn packed(mut entries: Vec<Entry>) -> Vec<Vec<Entry>> {
    let count = entries.len().div_ceil(ENTRIES).max(1);
    let strips = (1..=count).find(|strips| strips * strips >= count).unwrap_or(1);
    let strip = count.div_ceil(strips) * ENTRIES;
    let middle = |entry: &Entry, axis: usize| entry.min[axis] + entry.max[axis];
    entries.sort_unstable_by(|a, b| middle(a, 0).total_cmp(&middle(b, 0)));
    for strip in entries.chunks_mut(strip) {
        strip.sort_unstable_by(|a, b| middle(a, 1).total_cmp(&middle(b, 1)));
    }
    if entries.is_empty() {
        return vec![Vec::new()];
    }
    entries.chunks(ENTRIES).map(<[Entry]>::to_vec).collect()
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
    /// The rows of the table of nodes.
    pub(super) fn nodes(&self) -> impl Iterator<Item = (i64, Vec<u8>)> {
        self.nodes.iter().zip(1..).map(|(entries, number)| {
            let mut node = Vec::with_capacity(NODE);
            let depth = if number == 1 { self.depth } else { 0 };
            node.extend_from_slice(&depth.to_be_bytes());
            let count = u16::try_from(entries.len()).unwrap_or(u16::MAX);
            node.extend_from_slice(&count.to_be_bytes());
            for entry in entries {
                node.extend_from_slice(&i64::from(entry.id).to_be_bytes());
                for axis in [0, 1] {
                    node.extend_from_slice(&entry.min[axis].to_be_bytes());
                    node.extend_from_slice(&entry.max[axis].to_be_bytes());
                }
            }
            node.resize(NODE, 0);
            (number, record(&[Field::Null, Field::Blob(&node)]))
        })
    }

    /// The rows of the table that says in which leaf a row stands.
    pub(super) fn rows(&self) -> impl Iterator<Item = (i64, Vec<u8>)> {
        pairs(&self.leaves)
    }

    /// The rows of the table that says which node is above another.
    pub(super) fn parents(&self) -> impl Iterator<Item = (i64, Vec<u8>)> {
        pairs(&self.parents)
    }
}

fn pairs(pairs: &[(u32, u32)]) -> impl Iterator<Item = (i64, Vec<u8>)> {
    pairs
        .iter()
        .map(|(id, value)| (i64::from(*id), record(&[Field::Null, Field::Int(i64::from(*value))])))
}
