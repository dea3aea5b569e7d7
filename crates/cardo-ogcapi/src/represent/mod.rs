//! Records to GeoJSON (RFC 7946).

mod areas;
mod feature;
mod placed;
mod reference;
mod rings;
mod shown;
mod text;

pub(crate) use areas::AreaTable;
pub(crate) use feature::{FeatureWriter, cell_json};
pub(crate) use placed::{Misplaced, Placer};
pub(crate) use reference::{Resolver, is_reference, referenced, table_of};
pub(crate) use rings::right_handed;
pub(crate) use shown::Shown;
pub(crate) use text::{quoted, write_moment};
