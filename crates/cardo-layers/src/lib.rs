//! Layers from files: a FlatGeobuf that is named in the configuration, or lies in a folder, is a
//! collection of the default tenant. Nothing of it is imported: a question reads the nodes of its
//! packed index that it meets, and the features that these lead to. A PMTiles is a collection of tiles:
//! one is found by directories of the file, which are kept within a limit, and read as it stands.
//!
//! Files are looked at again from time to time. One that was replaced is opened anew, one that is
//! gone takes its layer with it, and one that cannot be read is named in the log, once, while all
//! others go on.

mod directories;
mod features;
mod files;
mod flatgeobuf;
mod pmtiles;
mod read_ahead;
mod system;

pub use files::{FileLayers, LayerFiles};
pub use flatgeobuf::OpenError;
