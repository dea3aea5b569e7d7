//! What one subscription still has to tell.
//!
//! The queue of a subscription is the log: a lane has a position up to which everything is told, or
//! is not to be told. While it keeps up, what it is to tell next waits here, ready; where that
//! becomes too much it is dropped, and read again from the log behind the position.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use cardo_engine::{Caller, Engine, Followed};
use cardo_model::{EntityId, Names, Revision, Timestamp};
use foldhash::fast::RandomState;
use hashbrown::HashMap;
use parking_lot::Mutex;
use tokio::sync::watch;

use super::matcher::{Matcher, News};
use super::model::Subscription;
use super::progress::Progress;

/// So many changes, or entities in them, wait ready at the most; fewer where the receiver fails.
const MAX_READY: usize = 256;
const MAX_READY_FAILING: usize = 8;
const MAX_ENTITIES: usize = 4_096;
/// So many entities are held back by throttling at the most.
const MAX_HELD: usize = 16_384;

/// A subscription as it is judged.
pub(super) struct Form {
    pub(super) subscription: Subscription,
    pub(super) created_at: Timestamp,
    matcher: Mutex<Matcher>,
}

impl Form {
    pub(super) fn new(
        subscription: Subscription,
        created_at: Timestamp,
        engine: &Engine,
        caller: &Caller,
    ) -> Self {
        let matcher = Mutex::new(Matcher::new(engine, caller, &subscription));
        Self { subscription, created_at, matcher }
    }

    /// What a log record holds for the subscription.
    pub(super) fn news(&self, names: &Names, followed: &Followed) -> Vec<Vec<News>> {
        self.matcher.lock().news(&self.subscription, names, followed)
    }
}

/// What a log record holds for a subscription.
pub(super) struct Ready {
    pub(super) revision: Revision,
    pub(super) at: Timestamp,
    pub(super) parts: Vec<Vec<News>>,
}

impl Ready {
    fn entities(&self) -> usize {
        self.parts.iter().map(Vec::len).sum()
    }
}

/// What throttling holds back: each entity once, as it is by then.
pub(super) struct Held {
    revision: Revision,
    at: Timestamp,
    all: Vec<News>,
    places: HashMap<EntityId, usize, RandomState>,
}

impl Held {
    pub(super) fn of(ready: Ready) -> Self {
        let (all, places) = (Vec::new(), HashMap::default());
        let mut held = Self { revision: ready.revision, at: ready.at, all, places };
        held.put(ready);
        held
    }

    /// Puts later changes to it.
    pub(super) fn put(&mut self, later: Ready) {
        (self.revision, self.at) = (later.revision, later.at);
        for news in later.parts.into_iter().flatten() {
            let id = news.record.id();
            if let Some(place) = self.places.get(&id) {
                self.all[*place].join(news);
            } else {
                self.places.insert(id, self.all.len());
                self.all.push(news);
            }
        }
    }

    /// Whether it is as much as may be held back; what comes then waits in the log.
    pub(super) fn is_full(&self) -> bool {
        self.all.len() >= MAX_HELD
    }

    pub(super) fn ready(mut self) -> Ready {
        let mut parts = Vec::new();
        while !self.all.is_empty() {
            let rest = self.all.split_off(self.all.len().min(super::MAX_ENTITIES));
            parts.push(std::mem::replace(&mut self.all, rest));
        }
        Ready { revision: self.revision, at: self.at, parts }
    }
}

/// What is to be done next. The number with it is lost when the lane is turned back.
pub(super) enum Next {
    Tell(Ready, u64),
    /// Read the log behind the revision.
    Read(Revision, u64),
    Nothing,
}

/// One subscription.
pub(crate) struct Lane {
    pub(super) id: Box<str>,
    pub(crate) progress: Progress,
    state: Mutex<State>,
    /// Moves whenever who works on the lane should look at it again.
    moved: watch::Sender<()>,
}

#[expect(clippy::struct_excessive_bools, reason = "each holds independently of the others")]
struct State {
    document: Arc<str>,
    /// None while its context cannot be had.
    form: Option<Arc<Form>>,
    is_gone: bool,
    position: Revision,
    turn: u64,
    reads_log: bool,
    is_worked_on: bool,
    is_failing: bool,
    ready: VecDeque<Ready>,
    entities: usize,
}

impl Lane {
    /// A lane that has told everything up to a position; it reads the log from there where
    /// `reads_log` says so, else it is told of what comes.
    pub(super) fn new(
        id: &str,
        document: Arc<str>,
        progress: Progress,
        position: Revision,
        reads_log: bool,
    ) -> Self {
        let state = State {
            document,
            form: None,
            is_gone: false,
            position,
            turn: 0,
            reads_log,
            is_worked_on: false,
            is_failing: false,
            ready: VecDeque::new(),
            entities: 0,
        };
        Self { id: id.into(), progress, state: Mutex::new(state), moved: watch::Sender::new(()) }
    }

    pub(super) fn document(&self) -> Arc<str> {
        self.state.lock().document.clone()
    }

    pub(super) fn form(&self) -> Option<Arc<Form>> {
        self.state.lock().form.clone()
    }

    /// Whether the subscription was deleted.
    pub(super) fn is_gone(&self) -> bool {
        self.state.lock().is_gone
    }

    pub(super) fn moves(&self) -> watch::Receiver<()> {
        self.moved.subscribe()
    }

    /// Gives it another form, judged by from now on.
    pub(super) fn change(&self, document: Arc<str>, form: Arc<Form>) {
        let mut state = self.state.lock();
        state.document = document;
        state.form = Some(form);
        drop(state);
        self.moved.send_replace(());
    }

    /// Gives it another form whose context is not there yet: what happens until then is read from
    /// the log later. Whether somebody has to begin work.
    pub(super) fn wait_for_form(&self, document: Arc<str>, at: Revision) -> bool {
        let mut state = self.state.lock();
        if !state.is_worked_on && state.ready.is_empty() && !state.reads_log {
            state.position = at;
        }
        state.document = document;
        state.form = None;
        state.read_log();
        let begins = !std::mem::replace(&mut state.is_worked_on, true);
        drop(state);
        self.moved.send_replace(());
        begins
    }

    /// Its context is there. False where the subscription has become another one meanwhile.
    pub(super) fn form_is_there(&self, document: &str, form: Arc<Form>) -> bool {
        let mut state = self.state.lock();
        let is_same = *state.document == *document;
        if is_same {
            state.form = Some(form);
        }
        is_same
    }

    pub(super) fn end(&self) {
        self.state.lock().is_gone = true;
        self.moved.send_replace(());
    }

    /// Takes what is to be told. Whether somebody has to begin work.
    pub(super) fn push(&self, ready: Ready) -> bool {
        let mut state = self.state.lock();
        if state.reads_log || state.is_gone || ready.revision <= state.position {
            return false;
        }
        if state.is_idle() {
            state.position = Revision(ready.revision.0.saturating_sub(1));
        }
        state.entities += ready.entities();
        state.ready.push_back(ready);
        let most = if state.is_failing { MAX_READY_FAILING } else { MAX_READY };
        if state.ready.len() > most || (state.entities > MAX_ENTITIES && state.ready.len() > 1) {
            state.read_log();
        }
        !std::mem::replace(&mut state.is_worked_on, true)
    }

    /// Whether somebody has to begin work on what an earlier run has left.
    pub(super) fn begin(&self) -> bool {
        let mut state = self.state.lock();
        state.reads_log && !std::mem::replace(&mut state.is_worked_on, true)
    }

    pub(super) fn next(&self) -> Next {
        let mut state = self.state.lock();
        if !state.is_gone {
            if state.reads_log {
                return Next::Read(state.position, state.turn);
            }
            if let Some(ready) = state.ready.pop_front() {
                state.entities -= ready.entities();
                return Next::Tell(ready, state.turn);
            }
        }
        state.is_worked_on = false;
        Next::Nothing
    }

    /// What waits ready, where there is more and the lane was not turned back.
    pub(super) fn next_ready(&self, turn: u64) -> Option<Ready> {
        let mut state = self.state.lock();
        if state.turn != turn || state.is_gone || state.reads_log {
            return None;
        }
        let ready = state.ready.pop_front()?;
        state.entities -= ready.entities();
        Some(ready)
    }

    /// Whether the lane was not turned back since.
    pub(super) fn is_at(&self, turn: u64) -> bool {
        self.state.lock().turn == turn
    }

    /// Everything up to a revision is told. False where the lane was turned back meanwhile.
    pub(super) fn reach(&self, revision: Revision, turn: u64) -> bool {
        let mut state = self.state.lock();
        if state.turn != turn {
            return false;
        }
        state.position = state.position.max(revision);
        true
    }

    /// Ends reading the log where the reader has come as far as what is dealt out. `dealt` is
    /// set before a revision is dealt out, so none falls between the two.
    pub(super) fn has_caught_up(&self, dealt: &AtomicU64, turn: u64) -> bool {
        let mut state = self.state.lock();
        if state.turn != turn {
            return true;
        }
        if state.position.0 < dealt.load(Ordering::Acquire) {
            return false;
        }
        state.reads_log = false;
        true
    }

    pub(super) fn set_failing(&self, is_failing: bool) {
        self.state.lock().is_failing = is_failing;
    }

    /// Turns it back to a position, whatever was told behind it. Whether somebody has to begin work.
    pub(super) fn turn_back(&self, position: Revision) -> bool {
        let mut state = self.state.lock();
        state.position = position;
        state.turn += 1;
        state.read_log();
        let begins = !std::mem::replace(&mut state.is_worked_on, true);
        drop(state);
        self.moved.send_replace(());
        begins
    }

    /// How far it has come, and whether that is all there is for it.
    pub(super) fn standing(&self) -> (Revision, bool) {
        let state = self.state.lock();
        (state.position, state.is_idle())
    }

    /// How many changes wait ready.
    pub(super) fn waiting(&self) -> usize {
        self.state.lock().ready.len()
    }
}

impl State {
    fn is_idle(&self) -> bool {
        !self.is_worked_on && self.ready.is_empty() && !self.reads_log
    }

    fn read_log(&mut self) {
        self.ready.clear();
        self.entities = 0;
        self.reads_log = true;
    }
}
