use std::fs::File;
use std::io::ErrorKind;
use std::path::Path;

use cardo_engine::{
    Layer, LayerContents, LayerDescription, LayerError, LayerNode, LayerVisit, Noted,
};
use cardo_formats::{Fault, IndexedFlatGeobuf, Limits, Node, ReadAt, RecordError, Visit};
use cardo_model::{NameId, Record};
use cardo_spatial::Aabb;

use crate::features::Features;
use crate::read_ahead::ReadAhead;
use crate::system::System;

/// The longest feature that is read.
const FEATURE_BYTES: usize = 16 << 20;
/// How many damaged features of a file are named in the log; all are counted.
const NAMED: u64 = 10;

/// A FlatGeobuf as a layer.
pub(crate) struct FlatGeobufLayer {
    description: LayerDescription,
    file: IndexedFlatGeobuf<File>,
    features: Features,
    bounds: Aabb,
    system: System,
}

/// Why a file is no layer.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// It cannot be opened.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// It is no FlatGeobuf with a packed index, or is damaged.
    #[error(transparent)]
    Format(#[from] RecordError),
    /// It is no PMTiles that is read, or is damaged.
    #[error(transparent)]
    Tiles(#[from] Fault),
    /// Its coordinates are of a system that cannot be computed.
    #[error("its coordinates are of {0}, a reference system that is not known here")]
    System(String),
    /// Its index places features off the globe, or over too much of it.
    #[error(
        "its index spans {0:?}, which is no box on the globe that its reference system has a place for"
    )]
    Bounds([f64; 4]),
    /// It has more features than a layer counts.
    #[error("it has {0} features, more than a layer can have")]
    TooMany(u64),
    /// It ends before its last feature, as one does that is still being copied.
    #[error("it ends before the last of its features")]
    CutOff,
}

impl FlatGeobufLayer {
    /// Opens a file of so many bytes, and reads its header and the top of its index.
    pub(crate) fn open(
        name: &str,
        path: &Path,
        bytes: u64,
        version: u64,
    ) -> Result<Self, OpenError> {
        let limits = Limits { record_bytes: FEATURE_BYTES, ..Limits::default() };
        let file = IndexedFlatGeobuf::open(File::open(path)?, bytes, limits)?;
        let system = System::of(file.crs())?;
        if file.count() >= u32::MAX.into() {
            return Err(OpenError::TooMany(file.count()));
        }
        if !file.has_all()? {
            return Err(OpenError::CutOff);
        }
        let spanned = file.bounds()?;
        let bounds = system.extent(spanned).ok_or(OpenError::Bounds(spanned))?;
        let features = Features::new(name, file.schema());
        let description = features.describe(name, bounds, file.count());
        let contents = match file.has_points() {
            Some(true) => LayerContents::Points,
            Some(false) => LayerContents::Shapes,
            None => LayerContents::Any,
        };
        let description =
            LayerDescription { version, contents, system: system.uri(), ..description };
        Ok(Self { description, file, features, bounds, system })
    }

    fn read(
        &self,
        source: &impl ReadAt,
        node: &Node,
        attributes: Option<&[NameId]>,
    ) -> Result<Option<Record>, LayerError> {
        let place = node.first;
        if self.description.damaged.has(place) {
            return Ok(None);
        }
        match self.file.record_from(source, node) {
            Ok(mut record) => {
                record.geometry = record.geometry.and_then(|geometry| self.system.place(geometry));
                Ok(Some(self.features.record(place, &record, attributes)))
            }
            Err(error) if is_of_feature(&error) => self.leave_out(place, &error).map(|()| None),
            Err(error) => Err(self.fault(error)),
        }
    }

    fn shown(&self, node: &Node) -> LayerNode {
        // What has no place may lie anywhere.
        let bounds = self.system.bounds(node.bounds).unwrap_or(self.bounds);
        LayerNode { bounds, first: node.first, count: node.count, is_feature: node.is_feature }
    }

    /// Notes that a feature cannot be read; it is left out.
    fn leave_out(&self, place: u64, error: &RecordError) -> Result<(), LayerError> {
        let layer = &*self.description.table.name;
        match self.description.damaged.note(place) {
            Noted::New(nth) if nth <= NAMED => {
                tracing::warn!(layer, %error, "a damaged feature of a layer is left out");
                if nth == NAMED {
                    tracing::warn!(layer, "further ones are counted at /metrics, and not named");
                }
                Ok(())
            }
            Noted::New(_) | Noted::Known => Ok(()),
            Noted::TooMany => Err(self.fault("too many of its features are damaged")),
        }
    }

    fn fault(&self, reason: impl std::fmt::Display) -> LayerError {
        let layer = self.description.table.name.to_string();
        LayerError { layer, reason: reason.to_string(), is_damage: false }
    }
}

impl Layer for FlatGeobufLayer {
    fn description(&self) -> &LayerDescription {
        &self.description
    }

    fn walk(&self, visit: &mut dyn FnMut(&LayerNode) -> LayerVisit) -> Result<(), LayerError> {
        let walked = self.file.walk(&mut |node| match visit(&self.shown(node)) {
            LayerVisit::Enter => Visit::Enter,
            LayerVisit::Pass => Visit::Pass,
            LayerVisit::Stop => Visit::Stop,
        });
        walked.map_err(|error| self.fault(error))
    }

    fn scan(
        &self,
        attributes: Option<&[NameId]>,
        choose: &mut dyn FnMut(&LayerNode) -> LayerVisit,
        take: &mut dyn FnMut(&LayerNode, &Record) -> bool,
    ) -> Result<(), LayerError> {
        let source = ReadAhead::new(self.file.source());
        let mut failed = None;
        let walked = self.file.walk(&mut |node| {
            let shown = self.shown(node);
            match choose(&shown) {
                LayerVisit::Pass => return Visit::Pass,
                LayerVisit::Stop => return Visit::Stop,
                LayerVisit::Enter if !node.is_feature => return Visit::Enter,
                LayerVisit::Enter => {}
            }
            match self.read(&source, node, attributes) {
                Ok(None) => Visit::Pass,
                Ok(Some(record)) if take(&shown, &record) => Visit::Pass,
                Ok(Some(_)) => Visit::Stop,
                Err(error) => {
                    failed = Some(error);
                    Visit::Stop
                }
            }
        });
        walked.map_err(|error| self.fault(error))?;
        failed.map_or(Ok(()), Err)
    }

    fn feature(&self, place: u64) -> Result<Option<Record>, LayerError> {
        match self.file.node(place).map_err(|error| self.fault(error))? {
            Some(node) => self.read(self.file.source(), &node, None),
            None => Ok(None),
        }
    }
}

/// Whether the feature is at fault, and not what it is read from.
fn is_of_feature(error: &RecordError) -> bool {
    match &*error.fault {
        Fault::Io(error) => error.kind() == ErrorKind::UnexpectedEof,
        _ => true,
    }
}
