//! A store in memory: a real one for servers that keep nothing, and for tests.

mod faults;
mod twin;

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use cardo_engine::{
    Append, Behind, Cuts, EncodedRecord, HistoryQuery, HistoryRow, HistorySink, HistoryWalk,
    LogError, Projected, Projection, StateSink, Store, StoreError,
};
use cardo_model::{Iri, NameId, Record, Revision, Timestamp, TwinId};
use hashbrown::HashMap;
use parking_lot::Mutex;

use self::faults::Faults;
use self::twin::Twin;
use crate::check;

/// How many entities are handed to a sink at once.
const CHUNK: usize = 4_096;

/// A store that keeps everything in memory and nothing beyond its life. Cloning shares it.
///
/// It can be told to fail, so that what stands on it is tested against failing disks.
#[derive(Clone, Debug, Default)]
pub struct MemoryStore {
    inner: Arc<Mutex<Inner>>,
}

#[derive(Debug, Default)]
struct Inner {
    names: Vec<Iri>,
    ids: HashMap<Iri, NameId>,
    twins: BTreeMap<TwinId, Twin>,
    faults: Faults,
    is_closed: bool,
}

impl MemoryStore {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }

    /// Makes the next write to the log fail like a disk that does not sync. As with files, all
    /// writes behind it are refused until [`MemoryStore::reopen`].
    pub fn fail_next_append(&self) {
        self.inner.lock().faults.fail_next();
    }

    /// Makes writes fail for lack of room, or lifts that again.
    pub fn set_full(&self, is_full: bool) {
        self.inner.lock().faults.set_full(is_full);
    }

    /// Opens the store again after a failure or after it was closed, with all that it holds.
    pub fn reopen(&self) {
        let mut inner = self.inner.lock();
        inner.faults.reopen();
        inner.is_closed = false;
    }

    fn read<T>(&self, read: impl FnOnce(&Inner) -> T) -> Result<T, StoreError> {
        let inner = self.inner.lock();
        if inner.is_closed { Err(StoreError::Closed) } else { Ok(read(&inner)) }
    }

    fn write<T>(
        &self,
        write: impl FnOnce(&mut Inner) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let mut inner = self.inner.lock();
        if inner.is_closed {
            return Err(StoreError::Closed);
        }
        inner.faults.check()?;
        write(&mut inner)
    }
}

impl Inner {
    fn intern(&mut self, name: &Iri) -> NameId {
        if let Some(id) = self.ids.get(name) {
            return *id;
        }
        let id = NameId::new(u32::try_from(self.names.len()).unwrap_or(u32::MAX));
        self.names.push(name.clone());
        self.ids.insert(name.clone(), id);
        id
    }

    fn append(&mut self, appends: Vec<Append>) -> Result<Vec<Result<(), Behind>>, StoreError> {
        appends.iter().try_for_each(check::append)?;
        let mut results = Vec::with_capacity(appends.len());
        for append in appends {
            let known = self.twins.get(&append.twin).map(|twin| twin.head);
            let head = known.unwrap_or_default();
            let is_behind =
                if append.begins { head > Revision(0) } else { head != append.expected_head };
            if is_behind {
                results.push(Err(Behind { head }));
                continue;
            }
            if !append.records.is_empty() {
                let twin = self.twins.entry(append.twin).or_default();
                if append.begins {
                    twin.begin(append.expected_head);
                }
                twin.append(append.records);
            }
            results.push(Ok(()));
        }
        Ok(results)
    }
}

#[async_trait]
impl Store for MemoryStore {
    async fn names(&self) -> Result<Vec<(NameId, Iri)>, StoreError> {
        self.read(|inner| (0..).map(NameId::new).zip(inner.names.iter().cloned()).collect())
    }

    async fn intern(&self, names: &[Iri]) -> Result<Vec<NameId>, StoreError> {
        let known = self.read(|inner| {
            names.iter().map(|name| inner.ids.get(name).copied()).collect::<Option<Vec<_>>>()
        })?;
        if let Some(known) = known {
            return Ok(known);
        }
        self.write(|inner| Ok(names.iter().map(|name| inner.intern(name)).collect()))
    }

    async fn twins(&self) -> Result<Vec<TwinId>, StoreError> {
        self.read(|inner| {
            let written = inner.twins.iter().filter(|(_, twin)| twin.head > Revision(0));
            written.map(|(id, _)| id.clone()).collect()
        })
    }

    async fn head(&self, twin: &TwinId) -> Result<Option<Revision>, StoreError> {
        self.read(|inner| {
            inner.twins.get(twin).map(|twin| twin.head).filter(|head| *head > Revision(0))
        })
    }

    async fn append(&self, appends: Vec<Append>) -> Result<Vec<Result<(), Behind>>, StoreError> {
        self.write(|inner| inner.append(appends))
    }

    async fn read_log(
        &self,
        twin: &TwinId,
        after: Revision,
        max_bytes: usize,
    ) -> Result<Vec<EncodedRecord>, LogError> {
        self.read(|inner| match inner.twins.get(twin) {
            Some(twin) => twin.read_log(after, max_bytes),
            None => Ok(Vec::new()),
        })?
    }

    async fn cut_log(&self, twin: &TwinId, up_to: Revision) -> Result<(), StoreError> {
        self.write(|inner| {
            let reached = inner.twins.get(twin).map_or(Revision(0), Twin::reached);
            check::cut(twin, reached, up_to)?;
            if let Some(twin) = inner.twins.get_mut(twin) {
                twin.cut_log(up_to);
            }
            Ok(())
        })
    }

    async fn reached(&self, twin: &TwinId) -> Result<Revision, StoreError> {
        self.read(|inner| inner.twins.get(twin).map_or(Revision(0), Twin::reached))
    }

    async fn drop_twin(&self, twin: &TwinId) -> Result<(), StoreError> {
        self.write(|inner| {
            inner.twins.remove(twin);
            Ok(())
        })
    }

    async fn load(&self, twin: &TwinId, sink: &mut dyn StateSink) -> Result<Projected, StoreError> {
        let (projected, entities): (Projected, Vec<Record>) =
            self.read(|inner| inner.twins.get(twin).map(Twin::load).unwrap_or_default())?;
        for chunk in entities.chunks(CHUNK) {
            sink.entities(chunk.to_vec());
        }
        Ok(projected)
    }

    async fn project(&self, twin: &TwinId, projection: Projection) -> Result<(), StoreError> {
        self.write(|inner| {
            let reached = inner.twins.get(twin).map_or(Revision(0), Twin::reached);
            check::projection(twin, reached, &projection)?;
            match inner.twins.get_mut(twin).filter(|twin| twin.head > Revision(0)) {
                Some(twin) => twin.project(projection),
                None => return Err(check::never_appended(twin)),
            }
            Ok(())
        })
    }

    async fn history(
        &self,
        twin: &TwinId,
        query: &HistoryQuery,
    ) -> Result<Vec<HistoryRow>, StoreError> {
        self.read(|inner| inner.twins.get(twin).map(|twin| twin.history(query)).unwrap_or_default())
    }

    async fn walk_history(
        &self,
        twin: &TwinId,
        walk: &HistoryWalk,
        sink: &mut dyn HistorySink,
    ) -> Result<(), StoreError> {
        self.read(|inner| {
            if let Some(twin) = inner.twins.get(twin) {
                twin.walk_history(walk, sink);
            }
        })
    }

    async fn prune(
        &self,
        twin: &TwinId,
        now: Timestamp,
        cuts: Arc<dyn Cuts>,
    ) -> Result<(), StoreError> {
        self.write(|inner| {
            if let Some(twin) = inner.twins.get_mut(twin) {
                twin.prune(now, &*cuts);
            }
            Ok(())
        })
    }

    async fn positions(&self, twin: &TwinId) -> Result<Vec<(Box<str>, Revision)>, StoreError> {
        self.read(|inner| inner.twins.get(twin).map(Twin::positions).unwrap_or_default())
    }

    async fn save_positions(
        &self,
        twin: &TwinId,
        positions: &[(Box<str>, Option<Revision>)],
    ) -> Result<(), StoreError> {
        self.write(|inner| {
            let twin = inner.twins.entry(twin.clone()).or_default();
            for (follower, revision) in positions {
                twin.save_position(follower, *revision);
            }
            Ok(())
        })
    }

    async fn close(&self) -> Result<(), StoreError> {
        self.inner.lock().is_closed = true;
        Ok(())
    }
}
