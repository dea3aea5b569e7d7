//! Layers: collections that stay files. They are read where they lie, by an index of their own, and
//! never written. What reads them is a port; which of their features answer a question is said here.

mod damaged;
mod question;
mod tiles;

use std::sync::Arc;

use cardo_model::{Iri, NameId, Names, Record, TwinId};
use cardo_spatial::Aabb;

use crate::caller::Caller;
use crate::live::Root;
use crate::snapshot::{AttributeInfo, TypeInfo};
use crate::tables::{Collision, Table, Tables, Terms};

pub use damaged::{Damaged, Noted};
pub use question::LayerQuestionError;
pub use tiles::{
    TileContent, TileForm, TileImage, TileLayer, TileLayerDescription, TilePacking, TilePlace,
    VectorLayer,
};

/// The layers that a server has.
pub trait Layers: Send + Sync + 'static {
    /// Those of a twin as they are now, in the order of names.
    fn of(&self, twin: &TwinId) -> Arc<[Arc<dyn Layer>]>;

    /// Those of ready tiles, in the order of names.
    fn tiles_of(&self, twin: &TwinId) -> Arc<[Arc<dyn TileLayer>]>;
}

impl dyn Layers {
    /// Those that a caller sees: whoever sees the twin as a whole sees them all.
    pub fn seen_by(&self, caller: &Caller) -> Arc<[Arc<dyn Layer>]> {
        match caller.view.restriction() {
            None => self.of(&caller.twin),
            Some(_) => Arc::default(),
        }
    }

    /// Those of ready tiles that a caller sees.
    pub fn tiles_seen_by(&self, caller: &Caller) -> Arc<[Arc<dyn TileLayer>]> {
        match caller.view.restriction() {
            None => self.tiles_of(&caller.twin),
            Some(_) => Arc::default(),
        }
    }
}

/// A layer. Reading it waits for the disk, so it is no work for threads that answer requests.
pub trait Layer: Send + Sync + 'static {
    /// What it looks like as a table, and what is known of it.
    fn description(&self) -> &LayerDescription;

    /// Goes through boxes of features from the largest, features in the order of the layer.
    ///
    /// # Errors
    /// If the layer cannot be read.
    fn walk(&self, visit: &mut dyn FnMut(&LayerNode) -> LayerVisit) -> Result<(), LayerError>;

    /// Goes through boxes as [`walk`](Layer::walk) does, and reads the features that are entered, until
    /// `take` says `false`. Where attributes are named, records need have no others. Damaged features are
    /// passed over.
    ///
    /// # Errors
    /// If the layer cannot be read.
    fn scan(
        &self,
        attributes: Option<&[NameId]>,
        choose: &mut dyn FnMut(&LayerNode) -> LayerVisit,
        take: &mut dyn FnMut(&LayerNode, &Record) -> bool,
    ) -> Result<(), LayerError>;

    /// Reads a feature by its place; `None` where there is none, or a damaged one.
    ///
    /// # Errors
    /// If the layer cannot be read.
    fn feature(&self, place: u64) -> Result<Option<Record>, LayerError>;
}

/// Some features side by side, and a box that holds them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LayerNode {
    /// The box.
    pub bounds: Aabb,
    /// The first feature, by its place.
    pub first: u64,
    /// How many features there are.
    pub count: u64,
    /// Whether it is a single feature.
    pub is_feature: bool,
}

/// What becomes of a node that was visited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LayerVisit {
    /// What is in it comes next.
    Enter,
    /// What is in it is passed over.
    Pass,
    /// The walk is over.
    Stop,
}

/// Why a layer cannot be read.
#[derive(Clone, Debug, thiserror::Error)]
#[error("the layer {layer:?} cannot be read: {reason}")]
pub struct LayerError {
    /// The layer.
    pub layer: String,
    /// Why.
    pub reason: String,
    /// Whether what was wanted is damaged in its file, rather than out of reach.
    pub is_damage: bool,
}

/// What a layer is.
#[derive(Debug)]
pub struct LayerDescription {
    /// Its columns.
    pub table: Table,
    /// Its number of features, as its file says it, and where they lie.
    pub info: TypeInfo,
    /// Names that more than one of its columns wanted.
    pub collisions: Vec<Collision>,
    /// Its names, which are none of the engine's.
    pub names: Arc<Names>,
    /// A number that differs where the layer does.
    pub version: u64,
    /// Of which sort the geometries are.
    pub contents: LayerContents,
    /// Its features that cannot be read.
    pub damaged: Damaged,
    /// The URI of the reference system in which it is kept, where that is another than that of GeoJSON.
    pub system: Option<String>,
}

/// Of which sort the geometries of a layer are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LayerContents {
    /// All are single points.
    Points,
    /// None is a single point.
    Shapes,
    /// There may be both.
    #[default]
    Any,
}

impl LayerDescription {
    /// Describes a layer by features that have what its features may have: its name, how many there
    /// are, the box of all, and the attribute that places them.
    pub fn new(
        name: &str,
        names: Arc<Names>,
        samples: Vec<Record>,
        (geometry, bounds): (&Iri, Aabb),
        count: u64,
    ) -> Option<Self> {
        let root = Root::build(0, samples);
        let tables = Tables::of(&root, &names, &Terms::default());
        let (mut table, collisions) = tables.into_first()?;
        table.name = name.into();
        let type_name = table.type_name.clone();
        let extent = Some([bounds.min[0], bounds.min[1], bounds.max[0], bounds.max[1]]);
        let attribute = AttributeInfo {
            name: geometry.clone(),
            count: usize::try_from(count).unwrap_or(usize::MAX),
            kinds: vec![cardo_model::Kind::GeoProperty],
            datatypes: Vec::new(),
            languages: Vec::new(),
            extent,
        };
        let count = attribute.count;
        let info = TypeInfo { name: type_name, count, attributes: vec![attribute], time: None };
        let (contents, damaged) = (LayerContents::Any, Damaged::default());
        let version = 0;
        Some(Self { table, info, collisions, names, version, contents, damaged, system: None })
    }

    /// How many of its features there are to be seen.
    pub fn count(&self) -> usize {
        let damaged = usize::try_from(self.damaged.count()).unwrap_or(usize::MAX);
        self.info.count.saturating_sub(damaged)
    }

    /// The type of its features, by its own names.
    pub fn type_id(&self) -> NameId {
        self.table.id
    }
}
