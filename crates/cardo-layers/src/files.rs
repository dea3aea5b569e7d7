use std::collections::BTreeMap;
use std::fs::Metadata;
use std::hash::BuildHasher;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use cardo_engine::{Layer, Layers};
use cardo_model::TwinId;
use foldhash::fast::FixedState;
use parking_lot::Mutex;

use crate::flatgeobuf::FlatGeobufLayer;

/// Where the files of layers are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LayerFiles {
    /// A folder of which every FlatGeobuf is a layer, called like the file; it need not exist.
    pub folder: Option<PathBuf>,
    /// Files by the name of their layer.
    pub named: BTreeMap<String, PathBuf>,
}

/// The layers of some files.
pub struct FileLayers {
    files: LayerFiles,
    /// How long what was found in the folder is taken as it was.
    interval: Duration,
    found: Mutex<Found>,
}

#[derive(Default)]
struct Found {
    looked: Option<Instant>,
    known: BTreeMap<String, Known>,
    layers: Arc<[Arc<dyn Layer>]>,
}

/// A file as it was when it was opened.
struct Known {
    stamp: Stamp,
    layer: Option<Arc<dyn Layer>>,
}

/// What tells that a file is another one.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Stamp {
    path: PathBuf,
    bytes: u64,
    modified: Option<SystemTime>,
    number: u64,
}

/// The most files that a folder may hold for layers.
const MOST_FILES: usize = 1_000;

impl FileLayers {
    /// The layers of these files, which are looked at again after so long.
    pub fn new(files: LayerFiles, interval: Duration) -> Self {
        Self { files, interval, found: Mutex::default() }
    }

    fn look(&self, found: &mut Found) {
        let mut known = std::mem::take(&mut found.known);
        for (name, path) in self.paths() {
            let Ok(metadata) = std::fs::metadata(&path) else {
                if self.files.named.contains_key(&name) && !known.contains_key(&name) {
                    tracing::warn!(layer = name, path = %path.display(), "the file of a layer is not there");
                }
                continue;
            };
            let stamp = Stamp::of(path, &metadata);
            let one = match known.remove(&name) {
                Some(one) if one.stamp == stamp => one,
                _ => Known { layer: open(&name, &stamp), stamp },
            };
            found.known.insert(name, one);
        }
        for (name, gone) in known {
            if gone.layer.is_some() {
                tracing::info!(layer = name, "the file of a layer is gone, and so is the layer");
            }
        }
        found.layers = found.known.values().filter_map(|one| one.layer.clone()).collect();
    }

    /// The files that there may be, by name; what the configuration names comes before the folder.
    fn paths(&self) -> BTreeMap<String, PathBuf> {
        let mut paths = BTreeMap::new();
        let folder = self.files.folder.as_ref().and_then(|folder| std::fs::read_dir(folder).ok());
        let entries = folder.into_iter().flatten().take(MOST_FILES).filter_map(Result::ok);
        for path in entries.map(|entry| entry.path()) {
            let is_layer =
                path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("fgb"));
            let name = path.file_stem().and_then(|stem| stem.to_str());
            if let Some(name) = name.filter(|name| is_layer && is_name(name)) {
                paths.insert(name.to_owned(), path);
            }
        }
        paths.extend(self.files.named.clone());
        paths
    }
}

/// Whether a layer may be called so: its name stands in addresses and in the ids of its features.
fn is_name(name: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_-".contains(&byte);
    !name.is_empty() && name.len() <= 64 && name.bytes().all(is_plain)
}

fn open(name: &str, stamp: &Stamp) -> Option<Arc<dyn Layer>> {
    let path = stamp.path.display();
    if !is_name(name) {
        tracing::warn!(layer = name, path = %path, "a layer has a name of letters, digits, - and _");
        return None;
    }
    match FlatGeobufLayer::open(name, &stamp.path, stamp.bytes, stamp.version()) {
        Ok(layer) => {
            let count = layer.description().info.count;
            tracing::info!(layer = name, path = %path, features = count, "a file is a layer");
            Some(Arc::new(layer))
        }
        Err(error) => {
            tracing::warn!(layer = name, path = %path, %error, "a file cannot be a layer");
            None
        }
    }
}

impl Layers for FileLayers {
    fn of(&self, twin: &TwinId) -> Arc<[Arc<dyn Layer>]> {
        if !twin.tenant().is_empty() {
            return Arc::default();
        }
        let mut found = self.found.lock();
        if found.looked.is_none_or(|looked| looked.elapsed() >= self.interval) {
            self.look(&mut found);
            found.looked = Some(Instant::now());
        }
        found.layers.clone()
    }
}

impl Stamp {
    fn of(path: PathBuf, metadata: &Metadata) -> Self {
        Self {
            number: number(metadata, &path),
            path,
            bytes: metadata.len(),
            modified: metadata.modified().ok(),
        }
    }

    fn version(&self) -> u64 {
        FixedState::default().hash_one(self)
    }
}

/// The number by which the system knows the file, where it tells.
#[cfg(unix)]
fn number(metadata: &Metadata, _: &Path) -> u64 {
    std::os::unix::fs::MetadataExt::ino(metadata)
}

#[cfg(not(unix))]
fn number(_: &Metadata, _: &Path) -> u64 {
    0
}
