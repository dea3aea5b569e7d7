use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, LazyLock, OnceLock};
use std::time::Instant;

use arc_swap::{ArcSwap, ArcSwapOption};
use cardo_model::{EntityChange, LogRecord, NameId, Revision, Timestamp, TwinId};
use hashbrown::HashMap;
use parking_lot::Mutex;
use tokio::sync::watch;

use crate::branch::Origin;
use crate::federation::{Compiled, FarTables, REGISTRATION_KIND, Registrations};
use crate::follow::Followed;
use crate::live::{Root, Touched, TypeIndex};
use crate::moment::Unknown;
use crate::plan::Wanted;
use crate::tables::Made;

/// One twin as it lives in memory.
pub(crate) struct Twin {
    pub(crate) id: TwinId,
    /// Under which name the store keeps it; for branches another than that of the public.
    pub(crate) place: TwinId,
    /// From where it has branched off, where it has.
    pub(crate) origin: Option<Origin>,
    /// The main branch of the tenant, of every other one.
    pub(crate) main: Option<Arc<Twin>>,
    /// The revision behind which its log begins.
    pub(crate) begin: Revision,
    /// What it began with, as long as that is not written.
    pub(crate) base: Mutex<Option<Arc<Root>>>,
    /// Branches that are not written yet: its state stays at the revision where they left it.
    holds: Mutex<BTreeMap<Box<str>, Revision>>,
    /// Whether the branch was taken out of the register.
    pub(crate) is_dropped: AtomicBool,
    /// From when on the branch is gone, as bits; the last moment that there is where it stays.
    expires: AtomicI64,
    pub(crate) root: ArcSwap<Root>,
    pub(crate) tail: Mutex<Tail>,
    pub(crate) published: watch::Sender<Revision>,
    pub(crate) projected: AtomicU64,
    /// Up to which revision the log was cut since the twin was loaded.
    pub(crate) cut: AtomicU64,
    /// The round of house-keeping in which it was last used.
    pub(crate) used: AtomicU64,
    /// How often an index was missed; built ones stay in with `u32::MAX`.
    pub(crate) asks: Mutex<HashMap<Wanted, u32>>,
    /// The tables as they were last made.
    pub(crate) tables: ArcSwapOption<Made>,
    /// The tables as they were last made with what context sources have.
    pub(crate) far_tables: ArcSwapOption<FarTables>,
    /// The registrations as they were last read.
    pub(crate) registrations: ArcSwapOption<Compiled>,
    /// Whether there are any, for those who would rather not look.
    pub(crate) has_sources: AtomicBool,
    /// What of a past twin is not known any more, and the types of which nothing else is.
    pub(crate) unknown: Option<Arc<Unknown>>,
    pub(crate) unknown_types: HashMap<NameId, Arc<TypeIndex>>,
    /// Where it was written to when, once somebody wants to know.
    touched: OnceLock<Arc<Touched>>,
}

/// The end of a twin's log that is kept in memory: all that is not projected yet, and some more
/// for followers.
#[derive(Default)]
pub(crate) struct Tail {
    records: VecDeque<Tailed>,
    bytes: usize,
}

pub(crate) struct Tailed {
    pub(crate) followed: Arc<Followed>,
    pub(crate) bytes: usize,
    pub(crate) since: Instant,
}

/// How many bytes of projected log are kept in memory for followers.
const KEPT_BYTES: usize = 1 << 20;

impl Twin {
    pub(crate) fn new(id: TwinId, root: Root, projected: Revision) -> Self {
        let (published, _) = watch::channel(root.revision);
        let has_sources = AtomicBool::new(root.has_sources());
        Self {
            place: id.clone(),
            id,
            origin: None,
            main: None,
            begin: Revision(0),
            base: Mutex::default(),
            holds: Mutex::default(),
            is_dropped: AtomicBool::new(false),
            expires: AtomicI64::new(Timestamp::MAX.to_bits()),
            root: ArcSwap::from_pointee(root),
            tail: Mutex::default(),
            published,
            projected: AtomicU64::new(projected.0),
            cut: AtomicU64::new(0),
            used: AtomicU64::new(0),
            asks: Mutex::default(),
            tables: ArcSwapOption::empty(),
            far_tables: ArcSwapOption::empty(),
            registrations: ArcSwapOption::empty(),
            has_sources,
            unknown: None,
            unknown_types: HashMap::new(),
            touched: OnceLock::new(),
        }
    }

    /// A branch that begins with a root at a revision.
    pub(crate) fn branch(
        id: TwinId,
        place: TwinId,
        (mut root, begin): (Root, Revision),
        origin: Option<Origin>,
        main: Arc<Self>,
    ) -> Self {
        root.revision = begin;
        let main = Some(main);
        Self { place, origin, main, begin, ..Self::new(id, root, begin) }
    }

    /// A twin as it was, of one that is.
    pub(crate) fn past(id: TwinId, root: Root, now: &Self) -> Self {
        let revision = root.revision;
        Self { place: now.place.clone(), ..Self::new(id, root, revision) }
    }

    /// Makes the first record of a branch's log visible.
    pub(crate) fn publish_first(&self, record: Tailed) {
        let base = self.root.load_full();
        let mut root = Root::clone(&base);
        for document in &record.followed.record.documents {
            root.put_document(document);
        }
        root.revision = record.followed.record.revision;
        *self.base.lock() = Some(base);
        self.publish(Arc::new(root), vec![record]);
    }

    pub(crate) fn expire_at(&self, end: Option<Timestamp>) {
        self.expires.store(end.unwrap_or(Timestamp::MAX).to_bits(), Ordering::Release);
    }

    /// Whether its time is over.
    pub(crate) fn is_over(&self, now: Timestamp) -> bool {
        Timestamp::from_bits(self.expires.load(Ordering::Acquire)) <= now
    }

    /// Keeps state and history from going beyond a revision until a branch lets them.
    pub(crate) fn hold(&self, branch: &str, revision: Revision) {
        self.holds.lock().insert(branch.into(), revision);
    }

    pub(crate) fn release(&self, branch: &str) {
        self.holds.lock().remove(branch);
    }

    /// How far state and history may go.
    pub(crate) fn held_at(&self) -> Revision {
        self.holds.lock().values().copied().min().unwrap_or(Revision(u64::MAX))
    }

    pub(crate) fn projected(&self) -> Revision {
        Revision(self.projected.load(Ordering::Acquire))
    }

    /// The registrations of the published root.
    pub(crate) fn registrations(&self) -> Arc<Registrations> {
        static NONE: LazyLock<Arc<Registrations>> = LazyLock::new(Arc::default);
        let root = self.root.load();
        let Some(documents) = root.documents_of(REGISTRATION_KIND) else { return NONE.clone() };
        let known = self.registrations.load_full();
        if let Some(known) = known.as_ref().filter(|known| known.is_of(documents)) {
            return known.registrations.clone();
        }
        let compiled = Compiled::new(documents, known.as_deref());
        let registrations = compiled.registrations.clone();
        self.registrations.store(Some(Arc::new(compiled)));
        registrations
    }

    /// Where the twin was written to when; from the first call on.
    pub(crate) fn touched(&self) -> &Arc<Touched> {
        self.touched.get().unwrap_or_else(|| {
            // No root is published meanwhile.
            let _tail = self.tail.lock();
            let begin = || Arc::new(Touched::since(self.root.load().revision));
            self.touched.get_or_init(begin)
        })
    }

    /// Makes a root visible, with the log records that led to it.
    pub(crate) fn publish(&self, root: Arc<Root>, records: Vec<Tailed>) {
        let revision = root.revision;
        self.has_sources.store(root.has_sources(), Ordering::Release);
        let touched = self.touched.get();
        if let Some(touched) = touched {
            let changes = records.iter().flat_map(|tailed| &tailed.followed.record.changes);
            touched.take(&self.root.load(), &root, changes.map(EntityChange::seq));
        }
        {
            let mut tail = self.tail.lock();
            if touched.is_none()
                && let Some(touched) = self.touched.get()
            {
                // Somebody began to watch in between.
                touched.take_all(revision);
            }
            for record in records {
                tail.bytes += record.bytes;
                tail.records.push_back(record);
            }
            self.root.store(root);
        }
        self.published.send_replace(revision);
    }
}

impl Tailed {
    pub(crate) fn new(followed: Arc<Followed>, bytes: usize) -> Self {
        Self { followed, bytes, since: Instant::now() }
    }
}

impl Tail {
    /// How many bytes the records behind a revision take.
    pub(crate) fn bytes_behind(&self, after: Revision) -> usize {
        let behind = self.records.iter().filter(|t| t.followed.record.revision > after);
        behind.map(|t| t.bytes).sum()
    }

    /// The record of a revision, where it is still in memory.
    pub(crate) fn get(&self, revision: Revision) -> Option<Arc<Followed>> {
        let first = self.records.front()?.followed.record.revision;
        let at = usize::try_from(revision.0.checked_sub(first.0)?).ok()?;
        self.records.get(at).map(|tailed| tailed.followed.clone())
    }

    /// The records behind a revision, up to about so many bytes.
    pub(crate) fn behind(&self, after: Revision, max_bytes: usize) -> Vec<Arc<Followed>> {
        let mut bytes = 0;
        self.records
            .iter()
            .skip_while(|tailed| tailed.followed.record.revision <= after)
            .take_while(|tailed| {
                let fits = bytes < max_bytes;
                bytes += tailed.bytes;
                fits
            })
            .map(|tailed| tailed.followed.clone())
            .collect()
    }

    /// Since when a record behind this revision has been waiting.
    pub(crate) fn waiting_since(&self, projected: Revision) -> Option<Instant> {
        let mut records = self.records.iter();
        records.find(|t| t.followed.record.revision > projected).map(|t| t.since)
    }

    /// Lets go of projected records beyond those kept for followers; gives the bytes behind
    /// `from` up to `to`.
    pub(crate) fn projected(&mut self, from: Revision, to: Revision) -> usize {
        let revision_of = |tailed: &Tailed| tailed.followed.record.revision;
        let done = self.records.iter().filter(|t| revision_of(t) > from && revision_of(t) <= to);
        let bytes = done.map(|t| t.bytes).sum();
        while self.bytes > KEPT_BYTES {
            match self.records.front() {
                Some(first) if revision_of(first) <= to => {
                    self.bytes -= first.bytes;
                    self.records.pop_front();
                }
                _ => break,
            }
        }
        bytes
    }
}

impl Root {
    fn has_sources(&self) -> bool {
        self.documents_of(REGISTRATION_KIND).is_some_and(|documents| !documents.is_empty())
    }

    /// Takes in a log record that was read back; gives what it left behind.
    pub(crate) fn replay(&mut self, record: LogRecord) -> Followed {
        let mut entities = Vec::with_capacity(record.changes.len());
        for change in &record.changes {
            let slot = self.slot_of(change.seq());
            let old = slot.and_then(|slot| self.record(slot).cloned());
            let new = change.apply(old.as_ref(), record.revision, record.time);
            match (change, slot, &new) {
                (EntityChange::Created(_), _, Some(new)) => self.create(new.clone()),
                (EntityChange::Deleted(_), Some(slot), _) => self.delete(slot),
                (
                    EntityChange::Replaced { .. } | EntityChange::Updated { .. },
                    Some(slot),
                    Some(new),
                ) => {
                    self.replace(slot, new.clone());
                }
                _ => {}
            }
            entities.push(new);
        }
        for document in &record.documents {
            self.put_document(document);
        }
        for offset in &record.offsets {
            self.put_offset(offset);
        }
        self.revision = record.revision;
        Followed { record, entities }
    }
}
