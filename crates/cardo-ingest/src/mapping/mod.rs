//! How a record becomes an entity.

mod attribute;
mod fault;
mod field;
mod file;
mod geometry;
mod names;
mod plan;
mod rest;
mod template;
mod time;
mod value;

#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use cardo_formats::{CsvOptions, Format, GeometryColumns};
use cardo_jsonld::Context;
use sha2::{Digest, Sha256};

use crate::options::hex;

use file::{MappingFile, OtherFields, TimeSection};
use names::NameSpace;
pub(crate) use names::short_type;
pub(crate) use plan::{Identity, Mapped, Plan, PlanOptions};
pub(crate) use time::{is_moment, read_with_offset};

/// A mapping: data that says how a record becomes an entity. Its language is told in the
/// documentation of this crate.
#[derive(Clone, Debug, Default)]
pub struct Mapping {
    pub(crate) file: MappingFile,
    /// Where it was read from, for contexts named by a relative path.
    folder: Option<PathBuf>,
    digest: String,
}

/// Why a mapping cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MappingError {
    /// The file cannot be read.
    #[error("the mapping {} cannot be read: {error}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What happened.
        error: std::io::Error,
    },
    /// Something in it is not as the language has it; the message names line and column.
    #[error("the mapping{} is not right: {message}", path.as_ref().map_or_else(String::new, |p| format!(" {}", p.display())))]
    Syntax {
        /// The file, where it came from one.
        path: Option<PathBuf>,
        /// What is wrong, with line and column.
        message: String,
    },
    /// A name that means nothing, or that is kept for members of entities.
    #[error("{0:?} cannot name a type or an attribute")]
    Name(String),
    /// An attribute that contradicts itself.
    #[error("attribute `{name}` of the mapping: {reason}")]
    Attribute {
        /// Its key in the mapping.
        name: String,
        /// What is wrong.
        reason: String,
    },
    /// No type is given, neither here nor there.
    #[error("no type is given; name one with --type or with `type` in the mapping")]
    NoType,
    /// Two ways to make the id.
    #[error("only one of `id` and `key` can make the id of an entity")]
    TwoIds,
    /// A reference system that is not known.
    #[error(transparent)]
    Crs(#[from] cardo_spatial::CrsError),
    /// What the source says about its reference system is not understood.
    #[error(
        "the source names a coordinate reference system that is not known: {0:?}; give it as --crs EPSG:n"
    )]
    SourceCrs(String),
}

impl Mapping {
    /// Reads a mapping file.
    pub fn read(path: &Path) -> Result<Self, MappingError> {
        let text = std::fs::read_to_string(path)
            .map_err(|error| MappingError::Read { path: path.to_owned(), error })?;
        let mut mapping = Self::parse(&text).map_err(|error| match error {
            MappingError::Syntax { message, .. } => {
                MappingError::Syntax { path: Some(path.to_owned()), message }
            }
            other => other,
        })?;
        mapping.folder = path.parent().map(Path::to_owned);
        Ok(mapping)
    }

    /// Reads a mapping from text.
    pub fn parse(text: &str) -> Result<Self, MappingError> {
        let file: MappingFile = toml::from_str(text).map_err(|error| MappingError::Syntax {
            path: None,
            message: error.to_string().trim_end().to_owned(),
        })?;
        if file.id.is_some() && file.key.is_some() {
            return Err(MappingError::TwoIds);
        }
        if file.csv.delimiter.is_some_and(|delimiter| !delimiter.is_ascii()) {
            let message = "`delimiter` in the section csv has to be an ASCII character".to_owned();
            return Err(MappingError::Syntax { path: None, message });
        }
        let digest = Sha256::digest(text.as_bytes());
        Ok(Self { file, folder: None, digest: hex(&digest[..8]) })
    }

    /// What is done where there is no mapping: every field becomes an attribute of its own.
    ///
    /// Vehicle positions have names and units that their specification fixes, and with it the
    /// moment of observation.
    pub(crate) fn automatic(format: Format) -> Self {
        if format == Format::GtfsRealtime {
            let built_in = include_str!("gtfs_realtime.toml");
            return Self::parse(built_in).expect("the built-in mapping is tested");
        }
        let file = MappingFile { other_fields: OtherFields::Keep, ..MappingFile::default() };
        Self { file, ..Self::default() }
    }

    /// Stations of GBFS as the Smart Data Models name what is known of them.
    pub(crate) fn gbfs_stations() -> Self {
        Self::parse(include_str!("gbfs_stations.toml")).expect("the built-in mapping is tested")
    }

    /// Vehicles of GBFS.
    pub(crate) fn gbfs_vehicles() -> Self {
        Self::parse(include_str!("gbfs_vehicles.toml")).expect("the built-in mapping is tested")
    }

    /// Takes the moment of observation from a field of ISO text.
    pub(crate) fn observe_by(&mut self, field: &str) {
        self.file.observed_at = TimeSection::of_field(field).ok();
    }

    /// Whether it says how ids are made.
    pub(crate) fn makes_ids(&self) -> bool {
        self.file.id.is_some() || self.file.key.is_some()
    }

    /// The short names that it gives a meaning of its own.
    pub(crate) fn names(&self, context: Arc<Context>) -> NameSpace {
        NameSpace::new(self.file.terms.clone(), context)
    }

    /// The first type it names.
    pub(crate) fn type_name(&self) -> Option<&str> {
        self.file.types.0.first().map(String::as_str)
    }

    /// The context it names: a URL, or a path made absolute by the mapping's folder.
    pub fn context(&self) -> Option<String> {
        let name = self.file.context.as_ref()?;
        if is_url(name) {
            return Some(name.clone());
        }
        let path = self.folder.as_ref().map_or_else(|| PathBuf::from(name), |f| f.join(name));
        Some(path.to_string_lossy().into_owned())
    }

    /// The format it names.
    pub fn format(&self) -> Option<Format> {
        self.file.format.map(|format| format.0)
    }

    /// The layer it names.
    pub(crate) fn layer(&self) -> Option<&str> {
        self.file.layer.as_deref()
    }

    /// Whether it says in which reference system coordinates are.
    pub(crate) fn has_crs(&self) -> bool {
        self.file.crs.is_some()
    }

    /// How it wants CSV to be read.
    pub(crate) fn csv_options(&self) -> CsvOptions {
        let (csv, geometry) = (&self.file.csv, &self.file.geometry);
        let columns = match (&geometry.x, &geometry.y, &geometry.wkt) {
            (Some(x), Some(y), _) => {
                GeometryColumns::Xy { x: x.clone(), y: y.clone(), z: geometry.z.clone() }
            }
            (_, _, Some(wkt)) => GeometryColumns::Wkt(wkt.clone()),
            _ if geometry.none => GeometryColumns::None,
            _ => GeometryColumns::Guess,
        };
        CsvOptions {
            delimiter: csv.delimiter.and_then(|c| u8::try_from(c).ok()),
            decimal_comma: csv.decimal_comma,
            geometry: columns,
            ..CsvOptions::default()
        }
    }

    /// Changes when the mapping changes.
    pub(crate) fn digest(&self) -> &str {
        &self.digest
    }
}

pub(crate) fn is_url(text: &str) -> bool {
    text.starts_with("http://") || text.starts_with("https://")
}
