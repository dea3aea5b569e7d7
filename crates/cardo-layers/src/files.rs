use std::collections::{BTreeMap, BTreeSet};
use std::fs::{File, Metadata};
use std::hash::BuildHasher;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use cardo_engine::{Layer, Layers, TileLayer};
use cardo_model::TwinId;
use foldhash::fast::FixedState;
use parking_lot::Mutex;

use crate::directories::Directories;
use crate::flatgeobuf::{FlatGeobufLayer, OpenError};
use crate::pmtiles::PmTilesLayer;

/// Where the files of layers are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LayerFiles {
    /// A folder of which every FlatGeobuf and every PMTiles is a layer, called like the file; it need
    /// not exist.
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
    directories: Arc<Directories>,
}

#[derive(Default)]
struct Found {
    looked: Option<Instant>,
    known: BTreeMap<String, Known>,
    /// Files whose names others have or no layer can have, so that they are no layers.
    hidden: BTreeSet<PathBuf>,
    layers: Arc<[Arc<dyn Layer>]>,
    tiles: Arc<[Arc<dyn TileLayer>]>,
}

/// A file as it was when it was opened.
struct Known {
    stamp: Stamp,
    opened: Opened,
}

/// What a file is.
enum Opened {
    Features(Arc<dyn Layer>),
    Tiles(Arc<dyn TileLayer>),
    Nothing,
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
const OTHER_NAME: &str = "a layer has a name of up to 64 letters, digits, - and _";
/// How names of files end that are layers: of two that are called alike the first is one.
const ENDINGS: [&str; 2] = ["fgb", "pmtiles"];

impl FileLayers {
    /// The layers of these files, which are looked at again after so long.
    pub fn new(files: LayerFiles, interval: Duration) -> Self {
        Self { files, interval, found: Mutex::default(), directories: Arc::default() }
    }

    fn look(&self, found: &mut Found) {
        let mut known = std::mem::take(&mut found.known);
        for (name, path) in self.paths(&mut found.hidden) {
            let Ok(metadata) = std::fs::metadata(&path) else {
                if self.files.named.contains_key(&name) && !known.contains_key(&name) {
                    tracing::warn!(layer = name, path = %path.display(), "the file of a layer is not there");
                }
                continue;
            };
            let stamp = Stamp::of(path, &metadata);
            let one = match known.remove(&name) {
                Some(one) if one.stamp == stamp => one,
                _ => Known { opened: self.open(&name, &stamp), stamp },
            };
            found.known.insert(name, one);
        }
        for (name, gone) in known {
            if !matches!(gone.opened, Opened::Nothing) {
                tracing::info!(layer = name, "the file of a layer is gone, and so is the layer");
            }
        }
        let opened = || found.known.values().map(|one| &one.opened);
        found.layers = opened()
            .filter_map(
                |one| if let Opened::Features(layer) = one { Some(layer.clone()) } else { None },
            )
            .collect();
        found.tiles = opened()
            .filter_map(
                |one| if let Opened::Tiles(layer) = one { Some(layer.clone()) } else { None },
            )
            .collect();
    }

    /// The files that there may be, by name; what the configuration names comes before the folder.
    fn paths(&self, hidden: &mut BTreeSet<PathBuf>) -> BTreeMap<String, PathBuf> {
        let folder = self.files.folder.as_ref().and_then(|folder| std::fs::read_dir(folder).ok());
        let entries = folder.into_iter().flatten().take(MOST_FILES).filter_map(Result::ok);
        let mut found: Vec<(usize, PathBuf)> = Vec::new();
        for path in entries.map(|entry| entry.path()) {
            let is = |ending: &&str| {
                path.extension().is_some_and(|own| own.eq_ignore_ascii_case(ending))
            };
            found.extend(ENDINGS.iter().position(is).map(|rank| (rank, path.clone())));
        }
        found.sort();
        let mut paths = self.files.named.clone();
        let hidden_before = std::mem::take(hidden);
        for (_, path) in found {
            let Some(stem) = path.file_stem().map(|stem| stem.to_string_lossy().into_owned())
            else {
                continue;
            };
            let name = stem.as_str();
            if !is_name(name) {
                // A dot before it hides a file from others until it is whole.
                if !name.starts_with('.') && !hidden_before.contains(&path) {
                    tracing::warn!(path = %path.display(), "{OTHER_NAME}");
                }
                hidden.insert(path);
                continue;
            }
            match paths.get(name) {
                None => {
                    paths.insert(name.to_owned(), path);
                }
                Some(other) if *other != path => {
                    if !hidden_before.contains(&path) {
                        let (other, own) = (other.display(), path.display());
                        tracing::warn!(layer = name, path = %own, %other, "a file is no layer: another has its name");
                    }
                    hidden.insert(path);
                }
                Some(_) => {}
            }
        }
        paths
    }

    fn open(&self, name: &str, stamp: &Stamp) -> Opened {
        let path = stamp.path.display();
        if !is_name(name) {
            tracing::warn!(layer = name, path = %path, "{OTHER_NAME}");
            return Opened::Nothing;
        }
        self.try_open(name, stamp).unwrap_or_else(|error| {
            tracing::warn!(layer = name, path = %path, %error, "a file cannot be a layer");
            Opened::Nothing
        })
    }

    fn try_open(&self, name: &str, stamp: &Stamp) -> Result<Opened, OpenError> {
        let Stamp { path, bytes, .. } = stamp;
        let shown = path.display();
        if is_pmtiles(path)? {
            let directories = self.directories.clone();
            let layer = PmTilesLayer::open(name, path, *bytes, stamp.version(), directories)?;
            let [first, last] = layer.description().zooms;
            tracing::info!(layer = name, path = %shown, first, last, "a file is a layer of tiles");
            return Ok(Opened::Tiles(Arc::new(layer)));
        }
        let layer = FlatGeobufLayer::open(name, path, *bytes, stamp.version())?;
        let count = layer.description().info.count;
        tracing::info!(layer = name, path = %shown, features = count, "a file is a layer");
        Ok(Opened::Features(Arc::new(layer)))
    }

    fn with_found<T>(&self, twin: &TwinId, read: impl FnOnce(&Found) -> T) -> Option<T> {
        if !twin.tenant().is_empty() {
            return None;
        }
        let mut found = self.found.lock();
        if found.looked.is_none_or(|looked| looked.elapsed() >= self.interval) {
            self.look(&mut found);
            found.looked = Some(Instant::now());
        }
        Some(read(&found))
    }
}

/// Whether a file begins as a PMTiles does, however it is called, or is called so and begins as none.
fn is_pmtiles(path: &Path) -> std::io::Result<bool> {
    let mut start = Vec::new();
    File::open(path)?.take(7).read_to_end(&mut start)?;
    let is_called = || path.extension().is_some_and(|own| own.eq_ignore_ascii_case("pmtiles"));
    Ok(start == b"PMTiles" || is_called() && !start.starts_with(b"fgb"))
}

/// Whether a layer may be called so: its name stands in addresses and in the ids of its features.
fn is_name(name: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_-".contains(&byte);
    !name.is_empty() && name.len() <= 64 && name.bytes().all(is_plain)
}

impl Layers for FileLayers {
    fn of(&self, twin: &TwinId) -> Arc<[Arc<dyn Layer>]> {
        self.with_found(twin, |found| found.layers.clone()).unwrap_or_default()
    }

    fn tiles_of(&self, twin: &TwinId) -> Arc<[Arc<dyn TileLayer>]> {
        self.with_found(twin, |found| found.tiles.clone()).unwrap_or_default()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_file_is_called_says_what_a_broken_one_should_have_been() {
        let folder = tempfile::tempdir().unwrap();
        let layers = FileLayers::new(LayerFiles::default(), Duration::ZERO);
        let told = |name: &str, bytes: &[u8]| {
            let path = folder.path().join(name);
            std::fs::write(&path, bytes).unwrap();
            let stamp = Stamp { path, bytes: bytes.len() as u64, modified: None, number: 0 };
            layers.try_open("one", &stamp).err().map(|error| error.to_string()).unwrap()
        };
        let noise = [0x89; 400];
        for (name, format) in
            [("a.fgb", "FlatGeobuf"), ("a.pmtiles", "PMTiles"), ("a.PMTILES", "PMTiles")]
        {
            let told = told(name, &noise);
            assert!(told.contains(&format!("malformed {format}")), "{name}: {told}");
        }
        assert!(told("b.fgb", b"PMTiles\x03").contains("ends inside"));
        assert!(told("b.pmtiles", b"fgb\x03fgb\x00").contains("record 0"));
    }
}
