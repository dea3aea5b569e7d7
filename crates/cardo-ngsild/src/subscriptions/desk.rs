//! The desk of a twin: follows its log once, for all its subscriptions.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use cardo_engine::{Caller, Followed, Follower, LogError, Snapshot, StoreError};
use cardo_model::{Revision, Timestamp, TwinId};
use foldhash::fast::RandomState;
use hashbrown::HashMap;
use parking_lot::Mutex;
use tokio::sync::watch;
use tokio_util::task::TaskTracker;

use super::index::Index;
use super::keep::Keeper;
use super::lane::{Form, Lane, Ready};
use super::letters::Letter;
use super::matcher::News;
use super::progress::Progress;
use super::stored::{Deliveries, Stored};
use super::{
    DESK_FOLLOWER, FOLLOWER_PREFIX, RETRY_AFTER, STATE_KIND, SUBSCRIPTION_KIND, periodic, worker,
};
use crate::contexts::Place;
use crate::face::Face;
use crate::fault::Fault;

/// A context that is not there within this time is waited for aside.
const PROMPT: Duration = Duration::from_millis(50);

/// The subscriptions of a twin at work.
pub(crate) struct Desk {
    pub(super) face: Arc<Face>,
    pub(super) twin: TwinId,
    pub(super) caller: Caller,
    pub(super) lanes: Mutex<HashMap<Box<str>, Arc<Lane>, RandomState>>,
    pub(super) keeper: Keeper,
    /// The newest revision when the desk was opened.
    opened_at: Revision,
    /// The revision that is dealt out, or was last.
    pub(super) dealt: AtomicU64,
    /// The revision up to which everything is dealt out.
    pub(super) done: AtomicU64,
    pub(super) stopping: watch::Receiver<bool>,
    pub(super) work: TaskTracker,
    index: Mutex<Index>,
}

impl Desk {
    /// Opens the desk: every subscription goes on where it stopped.
    pub(super) async fn open(
        face: &Arc<Face>,
        twin: TwinId,
        stopping: watch::Receiver<bool>,
    ) -> Result<Arc<Self>, Fault> {
        let caller = Caller { twin: twin.clone(), ..Caller::local("subscriptions") };
        let snapshot = face.engine.snapshot(&caller).await?;
        let positions = face.engine.store().positions(&twin).await?;
        let positions: HashMap<Box<str>, Revision> = positions.into_iter().collect();
        let from = positions.get(DESK_FOLLOWER).copied().unwrap_or(snapshot.revision());
        let desk = Arc::new(Self {
            face: face.clone(),
            twin,
            caller,
            lanes: Mutex::default(),
            keeper: Keeper::new(positions.get(DESK_FOLLOWER).copied()),
            opened_at: snapshot.revision(),
            dealt: AtomicU64::new(from.0),
            done: AtomicU64::new(from.0),
            stopping,
            work: TaskTracker::new(),
            index: Mutex::default(),
        });
        for (id, document) in snapshot.documents(SUBSCRIPTION_KIND) {
            let own = positions.get(&*format!("{FOLLOWER_PREFIX}{id}")).copied();
            desk.restore(&snapshot, &id, document, own).await;
        }
        for (name, revision) in &positions {
            let Some(id) = name.strip_prefix(FOLLOWER_PREFIX) else { continue };
            if !desk.lanes.lock().contains_key(id) {
                desk.keeper.forget(id, Some(*revision));
            }
        }
        Ok(desk)
    }

    async fn restore(
        self: &Arc<Self>,
        snapshot: &Snapshot,
        id: &str,
        document: Arc<str>,
        own: Option<Revision>,
    ) {
        let deliveries = snapshot.document(STATE_KIND, id);
        let deliveries = deliveries.map(|text| Deliveries::from_text(&text)).unwrap_or_default();
        let position = own.unwrap_or(Revision(self.done.load(Ordering::Relaxed)));
        let progress = Progress::new(deliveries);
        let lane = Lane::new(id, document.clone(), progress, position, own.is_some());
        let lane = Arc::new(lane);
        self.lanes.lock().insert(id.into(), lane.clone());
        if own.is_some() {
            self.keeper.track(&lane, own);
        }
        self.install(&lane, document, position).await;
        if lane.begin() {
            self.begin(&lane);
        }
    }

    pub(super) fn lane(&self, id: &str) -> Option<Arc<Lane>> {
        self.lanes.lock().get(id).cloned()
    }

    /// Deals out the log until it is asked to stop, or the engine is closed.
    pub(super) async fn run(self: Arc<Self>) {
        let mut stopping = self.stopping.clone();
        let from = Revision(self.done.load(Ordering::Acquire));
        let Some(mut follower) = self.follower(from).await else { return };
        loop {
            let next = tokio::select! {
                _ = stopping.wait_for(|stop| *stop) => return,
                next = follower.next() => next,
            };
            match next {
                Ok(followed) => self.deal(&followed).await,
                Err(LogError::Gone { oldest }) => {
                    for lane in self.all() {
                        self.lost(&lane, follower.position(), oldest);
                    }
                    let again = self.follower(Revision(oldest.0.saturating_sub(1))).await;
                    let Some(again) = again else { return };
                    follower = again;
                }
                Err(LogError::Store(StoreError::Closed)) => return,
                Err(LogError::Store(error)) => {
                    tracing::error!(twin = %self.twin, error = %error, "the log could not be read");
                    tokio::select! {
                        _ = stopping.wait_for(|stop| *stop) => return,
                        () = tokio::time::sleep(RETRY_AFTER) => {}
                    }
                }
            }
        }
    }

    pub(super) async fn follower(&self, after: Revision) -> Option<Follower> {
        match self.face.engine.follow(&self.twin, after).await {
            Ok(follower) => Some(follower),
            Err(error) => {
                tracing::error!(twin = %self.twin, error = %error, "the log cannot be followed");
                None
            }
        }
    }

    /// The log was cut before a subscription had read it.
    pub(super) fn lost(&self, lane: &Arc<Lane>, after: Revision, oldest: Revision) {
        let reason = format!("gone: the log before revision {oldest} was cut");
        tracing::warn!(subscription = %lane.id, oldest = oldest.0, "the log was cut before a subscription had read it");
        self.bury(lane, Letter::new(after.next(), 0, 0, &reason));
    }

    /// Keeps what could not be delivered.
    pub(super) fn bury(&self, lane: &Arc<Lane>, letter: Letter) {
        super::progress::Tally::add(&self.face.subscriptions.tally.dead_letters);
        self.keeper.bury(lane, letter);
        self.keeper.track(lane, None);
    }

    /// Turns a subscription back to a position. False where it is not known.
    pub(crate) async fn replay(self: &Arc<Self>, id: &str, position: Revision) -> bool {
        let Some(lane) = self.lane(id) else { return false };
        self.keeper.track(&lane, Some(position));
        if lane.turn_back(position) {
            self.begin(&lane);
        }
        self.keep(false).await;
        true
    }

    pub(super) fn all(&self) -> Vec<Arc<Lane>> {
        self.lanes.lock().values().cloned().collect()
    }

    async fn deal(self: &Arc<Self>, followed: &Followed) {
        let record = &followed.record;
        self.dealt.store(record.revision.0, Ordering::Release);
        let names = self.face.engine.names();
        let candidates = self.index.lock().candidates(names, followed);
        let now = Timestamp::now();
        for (place, lane) in candidates.iter().enumerate() {
            if place % 256 == 255 {
                tokio::task::yield_now().await;
            }
            let Some(form) = lane.form() else { continue };
            if !form.subscription.is_active_at(now) {
                continue;
            }
            let parts = self.news(&form, followed);
            if parts.is_empty() {
                continue;
            }
            let ready = Ready { revision: record.revision, at: record.time, parts };
            let begins = lane.push(ready);
            self.keeper.track(lane, None);
            if begins {
                self.begin(lane);
            }
        }
        // What was answered before an update is judged by the old form, what came behind it by
        // the new one.
        for document in &record.documents {
            if *document.kind == *SUBSCRIPTION_KIND {
                let body = document.body.as_deref();
                self.document(&document.id, body, record.revision).await;
            }
        }
        self.done.store(record.revision.0, Ordering::Release);
        self.keeper.note();
    }

    /// What a log record holds for a subscription. What was dealt out by an earlier run, before it
    /// was kept how far that had come, may be older than the subscription.
    pub(super) fn news(&self, form: &Form, followed: &Followed) -> Vec<Vec<News>> {
        let record = &followed.record;
        let is_older = record.revision <= self.opened_at && record.time < form.created_at;
        let is_told = !is_older && form.subscription.time_interval.is_none();
        if is_told { form.news(self.face.engine.names(), followed) } else { Vec::new() }
    }

    pub(super) fn begin(self: &Arc<Self>, lane: &Arc<Lane>) {
        self.work.spawn(worker::work(self.clone(), lane.clone()));
    }

    /// A subscription was created, changed or deleted.
    async fn document(self: &Arc<Self>, id: &str, body: Option<&str>, at: Revision) {
        let known = self.lane(id);
        match (body, known) {
            (None, None) => {}
            (None, Some(lane)) => {
                self.lanes.lock().remove(id);
                self.index.lock().remove(id, self.face.engine.names());
                lane.end();
                self.keeper.forget(id, Some(at));
            }
            (Some(text), Some(lane)) if *lane.document() == *text => {}
            (Some(text), Some(lane)) => self.install(&lane, text.into(), at).await,
            (Some(text), None) => {
                let document: Arc<str> = text.into();
                let progress = Progress::new(Deliveries::default());
                let lane = Lane::new(id, document.clone(), progress, at, false);
                let lane = Arc::new(lane);
                self.lanes.lock().insert(id.into(), lane.clone());
                self.keeper.track(&lane, None);
                self.install(&lane, document, at).await;
            }
        }
    }

    /// Gives a lane the form of a document, at once or as soon as its contexts are there.
    async fn install(self: &Arc<Self>, lane: &Arc<Lane>, document: Arc<str>, at: Revision) {
        match tokio::time::timeout(PROMPT, self.compile(&lane.id, &document)).await {
            Ok(Some(Ok(form))) => {
                let form = Arc::new(form);
                lane.change(document, form.clone());
                self.index.lock().put(lane, &form, self.face.engine.names());
                periodic::start(self, lane, &form);
            }
            Ok(None) => {}
            Ok(Some(Err(_))) | Err(_) => {
                self.index.lock().remove(&lane.id, self.face.engine.names());
                if lane.wait_for_form(document, at) {
                    self.begin(lane);
                }
                self.keeper.track(lane, None);
            }
        }
    }

    /// None where the document is not one.
    async fn compile(&self, id: &str, document: &str) -> Option<Result<Form, Fault>> {
        let Some(stored) = Stored::from_text(document) else {
            tracing::error!(subscription = id, "a stored subscription cannot be read");
            return None;
        };
        let place = Place { twin: &self.twin, parts: None };
        let Face { engine, contexts, options, .. } = &*self.face;
        let compiled = stored.compile(contexts, place, &options.limits, engine.names()).await;
        let form = |subscription| Form::new(subscription, stored.created_at, engine, &self.caller);
        Some(compiled.map(form))
    }

    /// The form of a lane, waited for where its context cannot be had yet; none where the desk
    /// stops, or the subscription is gone.
    pub(super) async fn form(self: &Arc<Self>, lane: &Arc<Lane>) -> Option<Arc<Form>> {
        let mut stopping = self.stopping.clone();
        let mut moves = lane.moves();
        loop {
            if *stopping.borrow() || lane.is_gone() {
                return None;
            }
            if let Some(form) = lane.form() {
                return Some(form);
            }
            let document = lane.document();
            match self.compile(&lane.id, &document).await? {
                Ok(form) => {
                    let form = Arc::new(form);
                    if lane.form_is_there(&document, form.clone()) {
                        self.index.lock().put(lane, &form, self.face.engine.names());
                        periodic::start(self, lane, &form);
                        return Some(form);
                    }
                    continue;
                }
                Err(fault) => {
                    tracing::warn!(subscription = %lane.id, problem = %fault.to_json(), "a subscription waits");
                }
            }
            tokio::select! {
                _ = stopping.wait_for(|stop| *stop) => return None,
                _ = moves.changed() => {}
                () = tokio::time::sleep(RETRY_AFTER) => {}
            }
        }
    }
}
