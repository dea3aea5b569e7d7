//! Finished tiles, kept until what they show is written to.

use std::hash::{BuildHasher, Hash};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use axum::body::Bytes;
use axum::http::HeaderValue;
use cardo_engine::{Caller, Engine, Freshness, Snapshot};
use cardo_http::{CodedForms, CodedRoom};
use cardo_model::{NameId, Revision};
use cardo_spatial::Boxes;
use foldhash::fast::RandomState;
use hashbrown::HashTable;

/// A finished tile.
pub(crate) struct Kept {
    pub(crate) body: Bytes,
    pub(crate) tag: HeaderValue,
    /// What was compressed of it.
    pub(crate) coded: CodedForms,
    /// Up to which revision it is known to be what the twin shows.
    revision: AtomicU64,
    shape: (u64, u64),
    /// Which files there were beside the twin.
    pub(crate) layers_version: u64,
    /// What it was made of.
    pub(crate) types: Vec<NameId>,
    pub(crate) boxes: Boxes,
}

/// Whose tile is asked for: a twin as it was loaded, what of it is seen, and the address.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Key {
    twin: u64,
    view: Option<Box<str>>,
    address: Box<str>,
}

/// What finds a kept tile.
pub(crate) struct Place {
    pub(crate) snapshot: Snapshot,
    freshness: Freshness,
    view: Option<Box<str>>,
}

/// The tiles of all twins, within a number of bytes. What was not asked for while half of that came
/// in goes.
pub(crate) struct KeptTiles {
    most: usize,
    /// Room for compressed forms, beside the tiles.
    coded: CodedRoom,
    halves: Mutex<Halves>,
    hasher: RandomState,
}

#[derive(Default)]
struct Halves {
    young: Half,
    old: Half,
}

#[derive(Default)]
struct Half {
    tiles: HashTable<(Key, Arc<Kept>)>,
    bytes: usize,
}

/// What a tile takes beside its bytes and its address.
const BESIDE: usize = 400;

impl Place {
    /// Where tiles of the caller are kept; nowhere for what is asked of other servers as well.
    pub(crate) fn of(engine: &Engine, caller: &Caller) -> Option<Self> {
        if caller.reach.is_far() {
            return None;
        }
        let (snapshot, freshness) = engine.snapshot_with_freshness(caller)?;
        let view = caller.view.restriction().map(|restriction| format!("{restriction:?}").into());
        Some(Self { snapshot, freshness, view })
    }

    /// Whether a tile shows what it would if it were made anew.
    pub(crate) fn is_fresh(&self, tile: &Kept) -> bool {
        let now = self.snapshot.revision();
        let known = Revision(tile.revision.load(Ordering::Relaxed));
        if known == now {
            return true;
        }
        // Which columns there are under a view is no matter of places.
        let is_fresh = known < now
            && self.view.is_none()
            && tile.shape == self.snapshot.shape()
            && tile.types.iter().all(|id| self.freshness.is_untouched(*id, &tile.boxes, known));
        if is_fresh {
            self.keeps(tile);
        }
        is_fresh
    }

    /// Notes that a tile is what would be made of the snapshot.
    fn keeps(&self, tile: &Kept) {
        tile.revision.fetch_max(self.snapshot.revision().0, Ordering::Relaxed);
    }
}

impl KeptTiles {
    /// Room for so many bytes; none keeps nothing.
    pub(crate) fn new(most: usize) -> Self {
        let coded = most / 4;
        Self {
            most: most - coded,
            coded: CodedRoom::new(coded),
            halves: Mutex::default(),
            hasher: RandomState::default(),
        }
    }

    pub(crate) fn coded_room(&self) -> &CodedRoom {
        &self.coded
    }

    pub(crate) fn is_off(&self) -> bool {
        self.most == 0
    }

    /// The tile that is kept for an address.
    pub(crate) fn get(&self, place: &Place, address: &str) -> Option<Arc<Kept>> {
        let hash = self.hash(place, address);
        let is_it = |(key, _): &(Key, _)| key.is(place, address);
        let mut halves = self.halves.lock().ok()?;
        if let Some((_, tile)) = halves.young.tiles.find(hash, is_it) {
            return Some(tile.clone());
        }
        let found = halves.old.tiles.find_entry(hash, is_it).ok()?.remove().0;
        let tile = found.1.clone();
        halves.old.bytes = halves.old.bytes.saturating_sub(size(&found));
        self.insert(&mut halves, hash, found);
        Some(tile)
    }

    /// Keeps a tile in the place of what was kept for the address before.
    pub(crate) fn keep(&self, place: &Place, address: &str, tile: Arc<Kept>) {
        let twin = place.freshness.id();
        let entry = (Key { twin, view: place.view.clone(), address: address.into() }, tile);
        if size(&entry) > self.most / 8 {
            return;
        }
        let hash = self.hash(place, address);
        let Ok(mut halves) = self.halves.lock() else { return };
        let halves = &mut *halves;
        for half in [&mut halves.young, &mut halves.old] {
            let known = half.tiles.find_entry(hash, |(key, _)| key.is(place, address));
            if let Ok(known) = known {
                let (before, _) = known.remove();
                half.bytes = half.bytes.saturating_sub(size(&before));
            }
        }
        self.insert(halves, hash, entry);
    }

    fn insert(&self, halves: &mut Halves, hash: u64, entry: (Key, Arc<Kept>)) {
        let size = size(&entry);
        if halves.young.bytes + size > self.most / 2 {
            halves.old = std::mem::take(&mut halves.young);
        }
        halves.young.bytes += size;
        let hash_of = |(key, _): &(Key, _)| {
            self.hasher.hash_one((key.twin, key.view.as_deref(), &*key.address))
        };
        halves.young.tiles.insert_unique(hash, entry, hash_of);
    }

    fn hash(&self, place: &Place, address: &str) -> u64 {
        self.hasher.hash_one((place.freshness.id(), place.view.as_deref(), address))
    }
}

impl Key {
    fn is(&self, place: &Place, address: &str) -> bool {
        self.twin == place.freshness.id() && *self.address == *address && self.view == place.view
    }
}

/// How much an entry takes.
fn size((key, tile): &(Key, Arc<Kept>)) -> usize {
    let view = key.view.as_ref().map_or(0, |view| view.len());
    tile.body.len() + key.address.len() + view + BESIDE
}

impl Kept {
    /// A tile that was made of a place's snapshot.
    pub(crate) fn new(
        place: &Place,
        (body, coded): (Bytes, CodedForms),
        tag: HeaderValue,
        (types, boxes): (Vec<NameId>, Boxes),
        layers_version: u64,
    ) -> Self {
        let revision = AtomicU64::new(place.snapshot.revision().0);
        let shape = place.snapshot.shape();
        Self { body, tag, coded, revision, shape, layers_version, types, boxes }
    }
}
