//! FlatGeobuf, version 3: read as a stream, written with its index.

mod geometry;
mod header;
mod indexed;
mod properties;
mod reader;
mod writer;

pub(crate) use header::MAGIC;
pub use indexed::{IndexedFlatGeobuf, Node, ReadAt, Visit};
pub use reader::FlatGeobufReader;
pub use writer::FlatGeobufWriter;
pub(crate) use writer::{Heading, Kinds, feature, push_text};
