//! A FlatGeobuf in place: its packed tree says where features lie, and single ones are read.

use std::fs::File;
use std::io;

use super::{
    header::{self, Head, NODE_BYTES, TypedColumn, malformed},
    reader,
};
use crate::{Fault, FieldSchema, Limits, Record, RecordError, error::Place, source::Source};

/// Something whose bytes can be read anywhere.
pub trait ReadAt {
    /// Fills the buffer with the bytes at a position.
    ///
    /// # Errors
    /// If there are not so many, or reading fails.
    fn read_exact_at(&self, buffer: &mut [u8], position: u64) -> io::Result<()>;
}

impl ReadAt for File {
    #[cfg(unix)]
    fn read_exact_at(&self, buffer: &mut [u8], position: u64) -> io::Result<()> {
        std::os::unix::fs::FileExt::read_exact_at(self, buffer, position)
    }

    #[cfg(windows)]
    fn read_exact_at(&self, mut buffer: &mut [u8], mut position: u64) -> io::Result<()> {
        while !buffer.is_empty() {
            let count = std::os::windows::fs::FileExt::seek_read(self, buffer, position)?;
            if count == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            buffer = &mut buffer[count..];
            position += count as u64;
        }
        Ok(())
    }
}

impl ReadAt for Vec<u8> {
    fn read_exact_at(&self, buffer: &mut [u8], position: u64) -> io::Result<()> {
        let bytes = usize::try_from(position).ok().and_then(|from| self.get(from..));
        let bytes = bytes.and_then(|bytes| bytes.get(..buffer.len()));
        buffer.copy_from_slice(bytes.ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }
}

/// A node of the packed tree: some features side by side, and a box that holds them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Node {
    /// West, south, east and north, in the coordinates of the file.
    pub bounds: [f64; 4],
    /// The first feature, by its place in the file.
    pub first: u64,
    /// How many features there are; one where the node is that feature itself.
    pub count: u64,
    /// Whether it is a single feature.
    pub is_feature: bool,
    /// Where the feature is.
    at: u64,
}

/// What becomes of a node that was visited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Visit {
    /// What is in it comes next.
    Enter,
    /// What is in it is passed over.
    Pass,
    /// The walk is over.
    Stop,
}

/// A FlatGeobuf that is read in place.
#[derive(Debug)]
pub struct IndexedFlatGeobuf<R> {
    source: R,
    limits: Limits,
    head: Head,
    schema: Vec<FieldSchema>,
    node_size: u64,
    index_at: u64,
    features_at: u64,
    /// Where the source ends.
    end: u64,
    /// The place of the first node and the number of nodes of each level, from the features up.
    levels: Vec<(u64, u64)>,
}

/// Reads on from a position.
struct From<'a, R>(&'a R, u64, u64);

impl<R: ReadAt> io::Read for From<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = buffer.len().min(usize::try_from(self.2 - self.1).unwrap_or(usize::MAX));
        self.0.read_exact_at(&mut buffer[..count], self.1)?;
        self.1 += count as u64;
        Ok(count)
    }
}

impl<R: ReadAt> IndexedFlatGeobuf<R> {
    /// Reads the header of a source of so many bytes.
    ///
    /// # Errors
    /// If it is no FlatGeobuf of version 3, or has no packed index.
    pub fn open(source: R, bytes: u64, limits: Limits) -> Result<Self, RecordError> {
        let start = Place { ordinal: 0, offset: 0, line: None };
        let open = || {
            let mut reader = Source::new(From(&source, 0, bytes));
            let head = header::read(&mut reader)?;
            let index_at = reader.position();
            let features_at = index_at.checked_add(head.index_bytes).filter(|at| *at <= bytes);
            Ok((head, index_at, features_at.ok_or(Fault::Truncated)?))
        };
        let (head, index_at, features_at) =
            open().map_err(|fault| RecordError::fatal(start, fault))?;
        if head.index_bytes == 0 {
            let fault = Fault::Unsupported("the FlatGeobuf has no packed index".into());
            return Err(RecordError::fatal(start, fault));
        }
        let node_size = u64::from(head.node_size);
        let mut sizes = vec![head.count];
        while let Some(size) = sizes.last().copied().filter(|size| *size > 1 || sizes.len() == 1) {
            sizes.push(size.div_ceil(node_size));
        }
        let mut end: u64 = sizes.iter().sum();
        let level = |size: &u64| {
            end -= size;
            (end, *size)
        };
        let levels = sizes.iter().map(level).collect();
        let schema = head.columns.iter().map(TypedColumn::schema).collect();
        let end = bytes;
        Ok(Self { source, limits, head, schema, node_size, index_at, features_at, end, levels })
    }

    /// How many features there are.
    pub fn count(&self) -> u64 {
        self.head.count
    }

    /// The reference system, as the file names it.
    pub fn crs(&self) -> Option<&str> {
        self.head.crs.as_deref()
    }

    /// The columns.
    pub fn schema(&self) -> &[FieldSchema] {
        &self.schema
    }

    /// Whether all features are single points, so that their boxes are all of them, or none is; `None`
    /// where the header does not tell.
    pub fn has_points(&self) -> Option<bool> {
        use flatgeobuf::GeometryType as Kind;
        match self.head.geometry {
            Kind::Point => Some(true),
            Kind::LineString | Kind::MultiLineString | Kind::Polygon | Kind::MultiPolygon => {
                Some(false)
            }
            _ => None,
        }
    }

    /// Whether the last feature begins in the source, as in one that is there as a whole.
    ///
    /// # Errors
    /// If reading fails.
    pub fn has_all(&self) -> io::Result<bool> {
        let Some(last) = self.node(self.head.count.saturating_sub(1))? else { return Ok(true) };
        let begin = self.features_at.checked_add(last.at);
        Ok(begin.is_some_and(|begin| begin < self.end))
    }

    /// The box of all features.
    ///
    /// # Errors
    /// If reading fails.
    pub fn bounds(&self) -> io::Result<[f64; 4]> {
        let top = self.levels.len() - 1;
        Ok(self.nodes(top, 0, 1)?[0].bounds)
    }

    /// Goes through the tree from its top, features in the order of the file.
    ///
    /// # Errors
    /// If reading fails.
    pub fn walk(&self, visit: &mut dyn FnMut(&Node) -> Visit) -> io::Result<()> {
        let top = self.levels.len() - 1;
        let mut open: Vec<(usize, Node)> = vec![(top, self.nodes(top, 0, 1)?[0])];
        while let Some((level, node)) = open.pop() {
            match visit(&node) {
                Visit::Stop => return Ok(()),
                Visit::Enter if level > 0 => {
                    let first = node.first / self.per_node(level - 1);
                    let (_, size) = self.levels[level - 1];
                    let count = self.node_size.min(size - first);
                    let children = self.nodes(level - 1, first, count)?;
                    open.extend(children.into_iter().rev().map(|child| (level - 1, child)));
                }
                Visit::Enter | Visit::Pass => {}
            }
        }
        Ok(())
    }

    /// How many features a full node of a level holds.
    fn per_node(&self, level: usize) -> u64 {
        let level = u32::try_from(level).unwrap_or(u32::MAX);
        self.node_size.saturating_pow(level)
    }

    /// Some nodes of a level side by side.
    fn nodes(&self, level: usize, first: u64, count: u64) -> io::Result<Vec<Node>> {
        let (start, _) = self.levels[level];
        let bytes = usize::try_from(count * NODE_BYTES).map_err(io::Error::other)?;
        let mut buffer = vec![0; bytes];
        self.source.read_exact_at(&mut buffer, self.index_at + (start + first) * NODE_BYTES)?;
        let per_node = self.per_node(level);
        let chunks = buffer.chunks_exact(usize::try_from(NODE_BYTES).unwrap_or(40));
        let node = |(nth, chunk): (u64, &[u8])| {
            let word = |at: usize| {
                let mut word = [0; 8];
                word.copy_from_slice(&chunk[8 * at..8 * at + 8]);
                word
            };
            let at = (first + nth) * per_node;
            Node {
                bounds: [0, 1, 2, 3].map(|axis| f64::from_le_bytes(word(axis))),
                first: at,
                count: per_node.min(self.head.count - at),
                is_feature: level == 0,
                at: u64::from_le_bytes(word(4)),
            }
        };
        Ok((0..count).zip(chunks).map(node).collect())
    }

    /// The node of a feature by its place in the file.
    ///
    /// # Errors
    /// If reading fails.
    pub fn node(&self, feature: u64) -> io::Result<Option<Node>> {
        if feature >= self.head.count {
            return Ok(None);
        }
        Ok(self.nodes(0, feature, 1)?.first().copied())
    }

    /// Reads the feature of a node.
    ///
    /// # Errors
    /// If the feature cannot be read, or is longer than the limit.
    pub fn record(&self, node: &Node) -> Result<Record, RecordError> {
        self.record_from(&self.source, node)
    }

    /// The same from another view of the source.
    ///
    /// # Errors
    /// If the feature cannot be read, or is longer than the limit.
    pub fn record_from(&self, source: &impl ReadAt, node: &Node) -> Result<Record, RecordError> {
        let place = Place { ordinal: node.first, offset: node.at, line: None };
        self.read(source, node, place).map_err(|fault| RecordError::new(place, fault))
    }

    /// What is read.
    pub fn source(&self) -> &R {
        &self.source
    }

    fn read(&self, source: &impl ReadAt, node: &Node, place: Place) -> Result<Record, Fault> {
        let at = self.features_at.checked_add(node.at).ok_or(Fault::Truncated)?;
        let mut size = [0; 4];
        source.read_exact_at(&mut size, at)?;
        let bytes = u32::from_le_bytes(size) as usize;
        if bytes > self.limits.record_bytes {
            return Err(Fault::TooLong { limit: self.limits.record_bytes });
        }
        let mut feature = vec![0; bytes + 4];
        source.read_exact_at(&mut feature, at)?;
        if bytes < 8 {
            return Err(malformed("a feature without content"));
        }
        reader::decode(&feature, &self.head, &self.limits, place)
    }
}
