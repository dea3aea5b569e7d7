//! The metadata (chapter 5), as far as they are of use.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{TileKind, malformed};
use crate::Fault;

/// What an archive says of itself.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct PmTilesMetadata {
    /// Its name.
    pub name: Option<String>,
    /// What it is.
    pub description: Option<String>,
    /// Whom a map has to name.
    pub attribution: Option<String>,
    /// The layers of its vector tiles (TileJSON 3.0, section 3.3).
    pub vector_layers: Option<Vec<VectorLayerMetadata>>,
}

/// A layer of vector tiles.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct VectorLayerMetadata {
    /// Its name.
    pub id: String,
    /// Its properties, and what each is.
    #[serde(default)]
    pub fields: BTreeMap<String, String>,
    /// What it is.
    pub description: Option<String>,
    /// The first level that has it.
    pub minzoom: Option<f64>,
    /// The last.
    pub maxzoom: Option<f64>,
}

/// The most layers, and the most properties of all.
const MOST_LAYERS: usize = 1_000;
const MOST_FIELDS: usize = 20_000;

impl PmTilesMetadata {
    pub(super) fn read(json: &[u8], kind: TileKind) -> Result<Self, Fault> {
        let read: Self = serde_json::from_slice(json)
            .map_err(|error| malformed(format_args!("metadata that cannot be read: {error}")))?;
        if kind != TileKind::Mvt {
            return Ok(read);
        }
        let Some(layers) = &read.vector_layers else {
            return Err(malformed("metadata of vector tiles without vector_layers"));
        };
        let fields: usize = layers.iter().map(|layer| layer.fields.len()).sum();
        if layers.len() > MOST_LAYERS || fields > MOST_FIELDS {
            let layers = layers.len();
            return Err(malformed(format_args!("{layers} layers with {fields} properties")));
        }
        Ok(read)
    }
}
