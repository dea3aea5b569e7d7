//! One subscription at work.

use std::sync::Arc;
use std::time::{Duration, Instant};

use cardo_engine::{
    Batch, Caller, EntityQuery, Follower, LogError, Operation, Order, PageRequest, PageStart,
    StoreError,
};
use cardo_model::{DocumentChange, Revision, Timestamp};
use tokio::sync::watch;

use super::matcher::{Matcher, News};
use super::model::Subscription;
use super::notification::Rendering;
use super::port::DeliveryError;
use super::registry::{Key, Progress};
use super::stored::{Deliveries, Stored};
use super::{STATE_KIND, SUBSCRIPTION_KIND, follower_name};
use crate::contexts::Place;
use crate::face::Face;

/// How often a position and the counters are kept at the most.
const KEEP_EVERY: Duration = Duration::from_secs(1);
const KEEP_COUNTERS_EVERY: Duration = Duration::from_secs(10);
/// How long to wait before what could not be done is tried again.
const RETRY_AFTER: Duration = Duration::from_secs(30);
/// How many entities a periodic notification tells of.
const MAX_ENTITIES: usize = 1_000;

/// A subscription's task.
pub(super) struct Task {
    pub(super) face: Arc<Face>,
    pub(super) key: Key,
    pub(super) caller: Caller,
    pub(super) document: Arc<str>,
}

/// What a task works with once its contexts are there.
struct Ready {
    subscription: Subscription,
    progress: Arc<Progress>,
}

/// What is to be kept, and when it last was.
struct Kept {
    position: Option<Revision>,
    position_at: Instant,
    deliveries: Deliveries,
    deliveries_at: Instant,
}

/// Whether a task goes on.
#[derive(PartialEq, Eq)]
enum Next {
    Go,
    Stop,
}

/// Why the work on one form of a subscription ended.
enum End {
    /// It was asked to, or cannot go on.
    Stopped,
    /// From here on in the log the subscription is another one.
    Changed(Arc<str>),
}

impl Task {
    /// Works until it is asked to stop, or the engine is closed.
    pub(super) async fn run(mut self, mut stopped: watch::Receiver<bool>) {
        while let Some(ready) = self.ready(&mut stopped).await {
            let now = Instant::now();
            let mut kept = Kept {
                position: None,
                position_at: now,
                deliveries: ready.progress.deliveries(),
                deliveries_at: now,
            };
            let end = match ready.subscription.time_interval {
                Some(interval) => self.repeat(&ready, interval, &mut stopped, &mut kept).await,
                None => self.follow(&ready, &mut stopped, &mut kept).await,
            };
            self.keep(&ready, &mut kept, Duration::ZERO).await;
            match end {
                End::Stopped => return,
                End::Changed(document) => self.document = document,
            }
        }
    }

    /// Reads the subscription; waits where its context cannot be fetched yet.
    async fn ready(&self, stopped: &mut watch::Receiver<bool>) -> Option<Ready> {
        let Some(stored) = Stored::from_text(&self.document) else {
            tracing::error!(subscription = %self.key.1, "a stored subscription cannot be read");
            return None;
        };
        loop {
            let place = Place { twin: &self.key.0, parts: None };
            let (limits, names) = (&self.face.options.limits, self.face.engine.names());
            match stored.compile(&self.face.contexts, place, limits, names).await {
                Ok(subscription) => {
                    let progress = self.face.subscriptions.progress(&self.key, || self.earlier());
                    return Some(Ready { subscription, progress });
                }
                Err(fault) => {
                    tracing::warn!(subscription = %self.key.1, problem = %fault.to_json(), "a subscription waits");
                }
            }
            tokio::select! {
                _ = stopped.wait_for(|stop| *stop) => return None,
                () = tokio::time::sleep(RETRY_AFTER) => {}
            }
        }
    }

    /// What an earlier run has counted.
    fn earlier(&self) -> Deliveries {
        let snapshot = self.face.engine.loaded_snapshot(&self.caller);
        let text = snapshot.and_then(|snapshot| snapshot.document(STATE_KIND, &self.key.1));
        text.map(|text| Deliveries::from_text(&text)).unwrap_or_default()
    }

    async fn position(&self, progress: &Progress) -> Option<Revision> {
        if let Some(position) = progress.position() {
            return Some(position);
        }
        let name = follower_name(&self.key.1);
        let positions = self.face.engine.store().positions(&self.key.0).await.ok()?;
        let own = positions.into_iter().find(|(other, _)| **other == *name);
        match own {
            Some((_, revision)) => Some(revision),
            None => Some(self.face.engine.snapshot(&self.caller).await.ok()?.revision()),
        }
    }

    async fn follow(
        &self,
        ready: &Ready,
        stopped: &mut watch::Receiver<bool>,
        kept: &mut Kept,
    ) -> End {
        let names = self.face.engine.names();
        let mut matcher = Matcher::new(&self.face.engine, &self.caller, &ready.subscription);
        let Some(start) = self.position(&ready.progress).await else { return End::Stopped };
        let Some(mut follower) = self.follower(start).await else { return End::Stopped };
        loop {
            let next = tokio::select! {
                _ = stopped.wait_for(|stop| *stop) => return End::Stopped,
                next = follower.next() => next,
            };
            let followed = match next {
                Ok(followed) => followed,
                Err(LogError::Gone { oldest }) => {
                    tracing::warn!(
                        subscription = %self.key.1, oldest = oldest.0,
                        "the log was cut before a subscription had read it; changes before it are not told"
                    );
                    let Some(again) = self.follower(Revision(oldest.0.saturating_sub(1))).await
                    else {
                        return End::Stopped;
                    };
                    follower = again;
                    continue;
                }
                Err(LogError::Store(StoreError::Closed)) => return End::Stopped,
                Err(LogError::Store(error)) => {
                    tracing::error!(subscription = %self.key.1, error = %error, "the log could not be read");
                    tokio::select! {
                        _ = stopped.wait_for(|stop| *stop) => return End::Stopped,
                        () = tokio::time::sleep(RETRY_AFTER) => continue,
                    }
                }
            };
            for news in matcher.news(&ready.subscription, names, &followed) {
                if self.notify(ready, &news).await == Next::Stop {
                    return End::Stopped;
                }
            }
            ready.progress.reach(followed.record.revision);
            self.keep(ready, kept, KEEP_EVERY).await;
            // What was answered before an update is judged by the old form, what came behind it by
            // the new one.
            let own =
                followed.record.documents.iter().rev().find(|document| {
                    *document.kind == *SUBSCRIPTION_KIND && document.id == self.key.1
                });
            match own.map(|document| document.body.as_deref()) {
                Some(Some(text)) if *text != *self.document => return End::Changed(text.into()),
                Some(None) => return End::Stopped,
                Some(Some(_)) | None => {}
            }
        }
    }

    async fn follower(&self, after: Revision) -> Option<Follower> {
        match self.face.engine.follow(&self.key.0, after).await {
            Ok(follower) => Some(follower),
            Err(error) => {
                tracing::error!(subscription = %self.key.1, error = %error, "the log cannot be followed");
                None
            }
        }
    }

    /// Clause 5.8.6: a notification at each interval, of all entities that match.
    async fn repeat(
        &self,
        ready: &Ready,
        interval: Duration,
        stopped: &mut watch::Receiver<bool>,
        kept: &mut Kept,
    ) -> End {
        let mut ticks = tokio::time::interval(interval);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        ticks.tick().await;
        loop {
            tokio::select! {
                _ = stopped.wait_for(|stop| *stop) => return End::Stopped,
                _ = ticks.tick() => {}
            }
            let query = EntityQuery {
                filter: ready.subscription.filter.clone(),
                order: Order::default(),
                page: PageRequest { limit: MAX_ENTITIES, start: PageStart::Offset(0) },
                count: false,
            };
            let page = match self.face.engine.query(&self.caller, &query).await {
                Ok(page) => page,
                Err(error) => {
                    tracing::warn!(subscription = %self.key.1, error = %error, "a periodic question failed");
                    continue;
                }
            };
            ready.progress.reach(page.revision);
            let news: Vec<News> = page.entities.into_iter().map(News::of_unchanged).collect();
            if !news.is_empty() && self.notify(ready, &news).await == Next::Stop {
                return End::Stopped;
            }
            self.keep(ready, kept, KEEP_EVERY).await;
        }
    }

    /// Sends a notification, unless the subscription rests.
    async fn notify(&self, ready: &Ready, news: &[News]) -> Next {
        let now = Timestamp::now();
        if !ready.subscription.is_active_at(now) || rests(ready) {
            return Next::Go;
        }
        let rendering =
            Rendering { face: &self.face, caller: &self.caller, subscription: &ready.subscription };
        let message = rendering.message(news, now).await;
        let queue = format!("{}/{}", self.key.0, self.key.1);
        match self.face.options.courier.deliver(&queue, message).await {
            Ok(_) => ready.progress.count(now, true),
            Err(DeliveryError::Failed(reason)) => {
                tracing::warn!(subscription = %self.key.1, reason, "a notification was not delivered");
                ready.progress.count(now, false);
            }
            Err(DeliveryError::Stopped) => return Next::Stop,
        }
        Next::Go
    }

    /// Keeps the position and the counters where they have changed and some time has gone by.
    async fn keep(&self, ready: &Ready, kept: &mut Kept, every: Duration) {
        let position = ready.progress.position();
        if position.is_some() && position != kept.position && kept.position_at.elapsed() >= every {
            let name = follower_name(&self.key.1);
            match self.face.engine.store().save_position(&self.key.0, &name, position).await {
                Ok(()) => kept.position = position,
                Err(error) => {
                    tracing::warn!(error = %error, "the position of a subscription was not kept");
                }
            }
            kept.position_at = Instant::now();
        }
        let deliveries = ready.progress.deliveries();
        let every = if every.is_zero() { every } else { KEEP_COUNTERS_EVERY };
        if deliveries != kept.deliveries && kept.deliveries_at.elapsed() >= every {
            let change = DocumentChange {
                kind: STATE_KIND.into(),
                id: self.key.1.clone(),
                body: Some(deliveries.to_text().into()),
            };
            let batch = Batch { operations: vec![Operation::Document(change)], ..Batch::default() };
            if let Err(error) = self.face.engine.apply(&self.caller, batch).await {
                tracing::debug!(error = %error, "the counters of a subscription were not kept");
            }
            kept.deliveries = deliveries;
            kept.deliveries_at = Instant::now();
        }
    }
}

/// Whether throttling, or the time after a failure, forbids a notification now (clauses 5.2.12 and
/// 5.2.15).
fn rests(ready: &Ready) -> bool {
    let (sent, failed) = ready.progress.last_times();
    let is_within = |since: Option<Instant>, time: Option<Duration>| match (since, time) {
        (Some(since), Some(time)) => since.elapsed() < time,
        _ => false,
    };
    let subscription = &ready.subscription;
    is_within(sent, subscription.throttling)
        || is_within(failed, subscription.notification.endpoint.cooldown)
}
