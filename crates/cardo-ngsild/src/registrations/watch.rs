//! One subscription to registrations at work (clause 5.11.7).

use std::hash::BuildHasher;
use std::sync::Arc;
use std::time::{Duration, Instant};

use cardo_engine::{Batch, Caller, Operation, Snapshot};
use cardo_model::{DocumentChange, Timestamp};
use parking_lot::Mutex;
use serde_json::Value;
use tokio::sync::watch;

use super::registry::Key;
use super::subscribed::Subscribed;
use super::told::{Form, Found, News, Told, body};
use super::{SUBSCRIPTION_STATE_KIND, TOLD_KIND};
use crate::contexts::Place;
use crate::face::Face;
use crate::fault::Fault;
use crate::operations::add_context;
use crate::outbox::{Owner, OwnerKind};
use crate::request::Media;
use crate::subscriptions::{Deliveries, DeliveryError, Message, Stored, envelope, try_briefly};

/// How long to wait before what could not be done is tried again.
const RETRY_AFTER: Duration = Duration::from_secs(30);

/// A subscription's task.
pub(super) struct Watcher {
    pub(super) face: Arc<Face>,
    pub(super) key: Key,
    pub(super) caller: Caller,
    pub(super) stored: Stored,
}

/// What a task has come to.
struct State {
    told: Told,
    deliveries: Arc<Mutex<Deliveries>>,
    /// When a notification was last sent, and when one last failed.
    sent: Option<Instant>,
    failed: Option<Instant>,
}

/// Whether a task goes on.
#[derive(PartialEq, Eq)]
enum Next {
    Go,
    /// Again after a while, whatever changes.
    Later,
    Stop,
}

impl Watcher {
    /// Works until it is asked to stop.
    pub(super) async fn run(self, mut stopped: watch::Receiver<bool>) {
        let Some(subscribed) = self.ready(&mut stopped).await else { return };
        let mut changes = self.face.registrations.changes();
        let mut state = self.earlier();
        let interval = subscribed.subscription.time_interval;
        loop {
            if let Some(pause) = pause(&subscribed, &state) {
                tokio::select! {
                    _ = stopped.wait_for(|stop| *stop) => return,
                    () = tokio::time::sleep(pause) => {}
                }
            }
            changes.borrow_and_update();
            let then = self.tell(&subscribed, &mut state).await;
            if then == Next::Stop {
                return;
            }
            let next = async {
                match interval {
                    Some(interval) => tokio::time::sleep(interval).await,
                    None if then == Next::Later => tokio::time::sleep(RETRY_AFTER).await,
                    // The registry lives as long as the face.
                    None => drop(changes.changed().await),
                }
            };
            tokio::select! {
                _ = stopped.wait_for(|stop| *stop) => return,
                () = next => {}
            }
        }
    }

    /// Reads the subscription; waits where its context cannot be fetched yet.
    async fn ready(&self, stopped: &mut watch::Receiver<bool>) -> Option<Subscribed> {
        loop {
            let place = Place { twin: &self.key.0, parts: None };
            match Subscribed::compile(&self.face, &self.stored, place).await {
                Ok(subscribed) => return Some(subscribed),
                Err(fault) => {
                    tracing::warn!(subscription = %self.key.1, problem = %fault.to_json(), "a subscription to registrations waits");
                }
            }
            tokio::select! {
                _ = stopped.wait_for(|stop| *stop) => return None,
                () = tokio::time::sleep(RETRY_AFTER) => {}
            }
        }
    }

    /// A number that is another one after the subscription was changed.
    fn version(&self) -> u64 {
        foldhash::fast::FixedState::default().hash_one(self.stored.to_text())
    }

    /// What was told before, also by an earlier run.
    fn earlier(&self) -> State {
        let snapshot = self.face.engine.loaded_snapshot(&self.caller);
        let document =
            |kind| snapshot.as_ref().and_then(|snapshot| snapshot.document(kind, &self.key.1));
        let told = document(TOLD_KIND);
        let told = told.map(|text| Told::from_text(&text, self.version()));
        let earlier = || kept(snapshot.as_ref(), &self.key.1);
        State {
            told: told.unwrap_or_default(),
            deliveries: self.face.registrations.deliveries(&self.key, earlier),
            sent: None,
            failed: None,
        }
    }

    /// Tells what there is to tell now.
    async fn tell(&self, subscribed: &Subscribed, state: &mut State) -> Next {
        let now = Timestamp::now();
        if !subscribed.subscription.is_active_at(now) {
            return Next::Go;
        }
        let engine = &self.face.engine;
        let (registrations, snapshot) = match (
            engine.registrations(&self.caller).await,
            engine.snapshot(&self.caller).await,
        ) {
            (Ok(registrations), Ok(snapshot)) => (registrations, snapshot),
            (Err(error), _) | (_, Err(error)) => {
                tracing::error!(subscription = %self.key.1, error = %error, "registrations could not be read");
                return Next::Later;
            }
        };
        let found = Found::all(subscribed.matching(&registrations, now), &snapshot);
        let notification = &subscribed.subscription.notification;
        let context = subscribed.subscription.naming.context();
        let form = Form { context, sys_attrs: notification.representation.sys_attrs };
        if subscribed.subscription.time_interval.is_some() {
            let news = state.told.everything(&found, form);
            return self.tell_once(subscribed, state, &news, now).await;
        }
        let news = state.told.news(&found, form);
        if news.is_empty() {
            return Next::Go;
        }
        match self.post(subscribed, state, &snapshot, &news, now).await {
            Ok(()) => {
                state.sent = Some(Instant::now());
                Next::Go
            }
            Err(fault) => {
                tracing::warn!(subscription = %self.key.1, problem = %fault.to_json(), "a notification of registrations waits");
                // What was not posted was not told.
                state.told = self.earlier().told;
                Next::Later
            }
        }
    }

    /// Keeps notifications until they have arrived, at once with what is told by them.
    async fn post(
        &self,
        subscribed: &Subscribed,
        state: &State,
        snapshot: &Snapshot,
        news: &[News],
        now: Timestamp,
    ) -> Result<(), Fault> {
        let owner = Owner::new(OwnerKind::Registrations, &self.key.1);
        let cooldown = subscribed.subscription.notification.endpoint.cooldown;
        let mut operations = vec![self.put(TOLD_KIND, state.told.to_text(self.version()))];
        for one in news {
            let message = self.message(subscribed, one, now);
            operations.push(self.face.posting(snapshot, &owner, &message, cooldown)?);
        }
        self.face.post(&self.caller, &owner, operations).await
    }

    /// Tells what an interval brought: once, since the next one tells all of it again.
    async fn tell_once(
        &self,
        subscribed: &Subscribed,
        state: &mut State,
        news: &[News],
        now: Timestamp,
    ) -> Next {
        let options = &self.face.options;
        for one in news {
            let message = self.message(subscribed, one, now);
            let outcome = match try_briefly(&*options.courier, &options.deliveries, message).await {
                Ok(_) => Ok(()),
                Err(DeliveryError::Failed { reason, .. }) => {
                    tracing::warn!(subscription = %self.key.1, reason, "a notification of registrations was not delivered");
                    state.failed = Some(Instant::now());
                    Err(reason)
                }
                Err(DeliveryError::Stopped) => return Next::Stop,
            };
            let outcome = outcome.as_ref().copied().map_err(String::as_str);
            state.deliveries.lock().count(now, true, outcome);
        }
        if !news.is_empty() {
            self.keep(state).await;
        }
        Next::Go
    }

    fn message(&self, subscribed: &Subscribed, news: &News, now: Timestamp) -> Message {
        let subscription = &subscribed.subscription;
        let mut told = body(news, &self.key.1, now);
        // Registrations have no form in GeoJSON.
        let media = match subscription.notification.endpoint.accept {
            Media::JsonLd => Media::JsonLd,
            Media::Json | Media::GeoJson => Media::Json,
        };
        let in_body = media == Media::JsonLd;
        if in_body {
            add_context(&mut told, &subscription.naming);
            if let Some(data) = told.get_mut("data").filter(|data| data.is_array()) {
                add_context(data, &subscription.naming);
            }
        }
        let bytes = Value::to_string(&told).into_bytes();
        envelope(subscription, &self.key.0, media, in_body, bytes)
    }

    fn put(&self, kind: &str, text: String) -> Operation {
        let id = self.key.1.clone();
        Operation::Document(DocumentChange { kind: kind.into(), id, body: Some(text.into()) })
    }

    /// Keeps what was told, and what came of it.
    async fn keep(&self, state: &State) {
        let deliveries = state.deliveries.lock().to_text();
        let operations = vec![
            self.put(TOLD_KIND, state.told.to_text(self.version())),
            self.put(SUBSCRIPTION_STATE_KIND, deliveries),
        ];
        let batch = Batch { operations, ..Batch::default() };
        if let Err(error) = self.face.engine.apply(&self.caller, batch).await {
            tracing::warn!(subscription = %self.key.1, error = %error, "what was told of registrations was not kept");
        }
    }
}

/// What an earlier run has kept of a subscription's notifications.
fn kept(snapshot: Option<&Snapshot>, id: &str) -> Deliveries {
    let text = snapshot.and_then(|snapshot| snapshot.document(SUBSCRIPTION_STATE_KIND, id));
    text.map(|text| Deliveries::from_text(&text)).unwrap_or_default()
}

/// Counts an attempt to send a notification; the document that keeps that.
pub(crate) fn counted(
    face: &Face,
    snapshot: &Snapshot,
    key: &Key,
    at: Timestamp,
    is_first: bool,
    outcome: Result<(), &str>,
) -> String {
    let deliveries = face.registrations.deliveries(key, || kept(Some(snapshot), &key.1));
    let mut deliveries = deliveries.lock();
    deliveries.count(at, is_first, outcome);
    deliveries.to_text()
}

/// How long throttling, or the time after a failure, forbids a notification (clauses 5.2.12 and
/// 5.2.15).
fn pause(subscribed: &Subscribed, state: &State) -> Option<Duration> {
    let left = |since: Option<Instant>, time: Option<Duration>| {
        time?.checked_sub(since?.elapsed()).filter(|left| !left.is_zero())
    };
    let subscription = &subscribed.subscription;
    let throttled = left(state.sent, subscription.throttling);
    throttled.max(left(state.failed, subscription.notification.endpoint.cooldown))
}
