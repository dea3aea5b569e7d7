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
use hashlink::LinkedHashMap;
use hashlink::linked_hash_map::RawEntryMut;

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

/// The tiles of all twins, within a number of bytes. What was not asked for the longest goes first.
pub(crate) struct KeptTiles {
    most: usize,
    /// Room for compressed forms, beside the tiles.
    coded: CodedRoom,
    tiles: Mutex<Tiles>,
    hasher: RandomState,
}

/// In the order in which they were asked for.
struct Tiles {
    all: LinkedHashMap<Key, Arc<Kept>, RandomState>,
    bytes: usize,
}

/// No tile takes more than this part of the room.
const PARTS: usize = 8;

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
        let hasher = RandomState::default();
        let all = LinkedHashMap::with_hasher(hasher.clone());
        Self {
            most: most - coded,
            coded: CodedRoom::new(coded),
            tiles: Mutex::new(Tiles { all, bytes: 0 }),
            hasher,
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
        let hash = self.hasher.hash_one((place.freshness.id(), place.view.as_deref(), address));
        let mut tiles = self.tiles.lock().ok()?;
        match tiles.all.raw_entry_mut().from_hash(hash, |key| key.is(place, address)) {
            RawEntryMut::Occupied(mut found) => {
                found.to_back();
                Some(found.get().clone())
            }
            RawEntryMut::Vacant(_) => None,
        }
    }

    /// Keeps a tile in the place of what was kept for the address before.
    pub(crate) fn keep(&self, place: &Place, address: &str, tile: Arc<Kept>) {
        let twin = place.freshness.id();
        let key = Key { twin, view: place.view.clone(), address: address.into() };
        let added = size(&key, &tile);
        if added > self.most / PARTS {
            return;
        }
        let Ok(mut tiles) = self.tiles.lock() else { return };
        let Tiles { all, bytes } = &mut *tiles;
        if let Some(before) = all.remove(&key) {
            *bytes = bytes.saturating_sub(size(&key, &before));
        }
        while *bytes + added > self.most
            && let Some((key, oldest)) = all.pop_front()
        {
            *bytes = bytes.saturating_sub(size(&key, &oldest));
        }
        *bytes += added;
        all.insert(key, tile);
    }
}

impl Key {
    fn is(&self, place: &Place, address: &str) -> bool {
        self.twin == place.freshness.id() && *self.address == *address && self.view == place.view
    }
}

/// How much an entry takes.
fn size(key: &Key, tile: &Kept) -> usize {
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
