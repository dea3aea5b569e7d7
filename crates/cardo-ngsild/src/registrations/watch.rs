//! One subscription to registrations at work (clause 5.11.7).

use std::hash::BuildHasher;
use std::sync::Arc;
use std::time::{Duration, Instant};

use cardo_engine::{Batch, Caller, Operation};
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
use crate::operations::add_context;
use crate::request::Media;
use crate::subscriptions::{Deliveries, DeliveryError, Stored, envelope, try_briefly};

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
            if self.tell(&subscribed, &mut state).await == Next::Stop {
                return;
            }
            let next = async {
                match interval {
                    Some(interval) => tokio::time::sleep(interval).await,
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
        let earlier = || {
            let text = document(SUBSCRIPTION_STATE_KIND);
            text.map(|text| Deliveries::from_text(&text)).unwrap_or_default()
        };
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
                return Next::Go;
            }
        };
        let found = Found::all(subscribed.matching(&registrations, now), &snapshot);
        let notification = &subscribed.subscription.notification;
        let context = subscribed.subscription.naming.context();
        let form = Form { context, sys_attrs: notification.representation.sys_attrs };
        let news = match subscribed.subscription.time_interval {
            Some(_) => state.told.everything(&found, form),
            None => state.told.news(&found, form),
        };
        for one in &news {
            if self.notify(subscribed, state, one, now).await == Next::Stop {
                return Next::Stop;
            }
        }
        if !news.is_empty() {
            self.keep(state).await;
        }
        Next::Go
    }

    async fn notify(
        &self,
        subscribed: &Subscribed,
        state: &mut State,
        news: &News,
        now: Timestamp,
    ) -> Next {
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
        let message = envelope(subscription, &self.key.0, media, in_body, bytes);
        let options = &self.face.options;
        let has_arrived = match try_briefly(&*options.courier, &options.deliveries, message).await {
            Ok(_) => true,
            Err(DeliveryError::Failed { reason, .. }) => {
                tracing::warn!(subscription = %self.key.1, reason, "a notification of registrations was not delivered");
                false
            }
            Err(DeliveryError::Stopped) => return Next::Stop,
        };
        let at = Some(Instant::now());
        state.sent = at;
        let mut deliveries = state.deliveries.lock();
        deliveries.times_sent += 1;
        deliveries.last_notification = Some(now);
        if has_arrived {
            deliveries.last_success = Some(now);
        } else {
            state.failed = at;
            deliveries.times_failed += 1;
            deliveries.last_failure = Some(now);
        }
        Next::Go
    }

    /// Keeps what was told, and what came of it.
    async fn keep(&self, state: &State) {
        let put = |kind: &str, text: String| {
            let id = self.key.1.clone();
            let change = DocumentChange { kind: kind.into(), id, body: Some(text.into()) };
            Operation::Document(change)
        };
        let deliveries = state.deliveries.lock().to_text();
        let operations = vec![
            put(TOLD_KIND, state.told.to_text(self.version())),
            put(SUBSCRIPTION_STATE_KIND, deliveries),
        ];
        let batch = Batch { operations, ..Batch::default() };
        if let Err(error) = self.face.engine.apply(&self.caller, batch).await {
            tracing::warn!(subscription = %self.key.1, error = %error, "what was told of registrations was not kept");
        }
    }
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
