use std::path::{Path, PathBuf};
use std::sync::Arc;

use cardo_formats::{Format, ReadOptions};
use sha2::{Digest, Sha256};

use crate::mapping::Mapping;

/// What a user says about a source.
#[derive(Clone, Debug, Default)]
pub struct JobOptions {
    /// The format; found out by name and first bytes where it is not given.
    pub format: Option<Format>,
    /// The type of the entities; wins over that of the mapping.
    pub type_name: Option<String>,
    /// How records become entities; without one every field becomes an attribute.
    pub mapping: Option<Arc<Mapping>>,
    /// The reference system of the coordinates; wins over mapping and source.
    pub crs: Option<String>,
    /// The field that ids are made of, where the mapping does not say it.
    pub id_column: Option<String>,
    /// The context by which short names are expanded: a URL or a file.
    pub context: Option<String>,
    /// The table of a GeoPackage, or the shapefile of a zip; wins over that of the mapping.
    pub layer: Option<String>,
    /// Whether every entity is marked with `simulated`.
    pub simulated: bool,
}

/// A file to take in.
#[derive(Clone, Debug)]
pub struct FileJob {
    /// The file.
    pub path: PathBuf,
    /// By which name the twin knows the source: its offset and its quarantine go by it.
    pub source: String,
    /// What the user says about it.
    pub options: JobOptions,
}

impl FileJob {
    /// A file that is known by its name without the folder, and by the layer where one is named.
    pub fn new(path: impl Into<PathBuf>, options: JobOptions) -> Self {
        let path = path.into();
        let source = match options.layer() {
            Some(layer) => format!("{}:{layer}", file_name(&path)),
            None => file_name(&path),
        };
        Self { path, source, options }
    }
}

pub(crate) fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned()
}

impl JobOptions {
    pub(crate) fn read_options(&self) -> ReadOptions {
        let csv = self.mapping.as_ref().map(|mapping| mapping.csv_options()).unwrap_or_default();
        ReadOptions { csv, layer: self.layer().map(str::to_owned), ..ReadOptions::default() }
    }

    /// The layer that is wanted.
    fn layer(&self) -> Option<&str> {
        let of_mapping = || self.mapping.as_ref().and_then(|mapping| mapping.layer());
        self.layer.as_deref().or_else(of_mapping)
    }

    /// Changes when records would become other entities.
    pub(crate) fn digest(&self) -> String {
        let mapping = self.mapping.as_ref().map_or("", |mapping| mapping.digest());
        let mut told = format!(
            "{mapping}|{:?}|{:?}|{:?}|{:?}|{:?}|{}",
            self.format, self.type_name, self.crs, self.id_column, self.context, self.simulated
        );
        // Offsets that were stored before there were layers stay good.
        if let Some(layer) = &self.layer {
            told.push('|');
            told.push_str(layer);
        }
        hex(&Sha256::digest(told.as_bytes())[..8])
    }
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digits = |byte: &u8| [DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]];
    bytes.iter().flat_map(digits).map(char::from).collect()
}
