//! Shapefiles (ESRI, July 1998) with their tables (dBASE), plain or in a zip.
//!
//! Shapes and rows are read side by side as streams, so memory stays flat; a shape that is wrong is an error in its
//! place and its neighbours go on.

mod archive;
mod code_page;
mod dbf;
mod reader;
mod rings;
mod shp;

pub use reader::{ShapefileParts, ShapefileReader};

/// The first bytes of a `.shp`: the file code 9994.
pub(crate) const MAGIC: [u8; 4] = 9994_i32.to_be_bytes();
/// The first bytes of a zip.
pub(crate) const ZIP: &[u8; 4] = b"PK\x03\x04";

fn malformed(detail: impl std::fmt::Display) -> crate::Fault {
    crate::Fault::malformed("Shapefile", detail)
}
