//! GeoPackage (OGC 12-128): the feature and attribute tables of a database file.
//!
//! The file is read as the bytes that it is (<https://www.sqlite.org/fileformat2.html>), page by page, in the order of
//! its rows. So it comes from a disk or a download alike, no library opens it on its own account, and what is damaged
//! in it is an error.

mod blob;
mod catalog;
mod reader;
mod schema;
mod sqlite;

pub use reader::GeoPackageReader;

/// The first bytes of an SQLite database.
pub(crate) const MAGIC: &[u8; 16] = b"SQLite format 3\0";

fn malformed(detail: impl std::fmt::Display) -> crate::Fault {
    crate::Fault::malformed("GeoPackage", detail)
}
