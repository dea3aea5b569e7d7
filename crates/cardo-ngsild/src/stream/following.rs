use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use axum::http::HeaderMap;
use cardo_engine::{
    Caller, EntityQuery, Followed, Follower, LogError, Order, PageRequest, PageStart, Reach,
    Snapshot, StoreError,
};
use cardo_http::{Access, Rights};
use cardo_model::{Revision, Timestamp};
use tokio::time::{Instant, Interval, MissedTickBehavior};

use super::cursor::Cursor;
use super::places::Place;
use super::question::Question;
use crate::face::Face;
use crate::fault::Fault;
use crate::subscriptions::{MAX_ENTITIES, Matcher, News, Rendering, Subscription};

/// After so long without a notification it is said that nothing has happened.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// How long one waits for the revision of a cursor that this server has not reached yet.
const MAX_WAIT: Duration = Duration::from_secs(10);
/// So many log records are judged before others get their turn.
const TURN: u32 = 64;

/// One who follows a question.
pub(crate) struct Following {
    face: Arc<Face>,
    caller: Caller,
    /// The credentials of the request, which are looked at again from time to time.
    headers: HeaderMap,
    subscription: Subscription,
    source: Source,
    /// What is to be told next.
    waiting: VecDeque<(Vec<News>, Cursor)>,
    position: Cursor,
    left: Option<u64>,
    notified: Option<Instant>,
    heartbeat: Interval,
    end: Option<Instant>,
    _place: Place,
}

/// Where news come from.
enum Source {
    Log(Box<Reading>),
    /// All that match, each time that an interval has gone by.
    Clock {
        ticks: Interval,
        rest: Option<(Snapshot, usize)>,
    },
}

struct Reading {
    follower: Follower,
    matcher: Matcher,
    /// What was read to see whether the log still has it.
    first: Option<Arc<Followed>>,
    /// What was told before, in the first record.
    told: usize,
}

/// What there is to be written.
pub(crate) enum Event {
    Notification(Vec<u8>, Cursor),
    /// Nothing has happened up to here.
    Alive(Cursor),
}

/// Why nothing more comes.
pub(crate) enum End {
    /// All that was wanted has been told.
    Complete,
    /// The server stops.
    Stopping,
    Failed(Fault),
}

impl From<Fault> for End {
    fn from(fault: Fault) -> Self {
        Self::Failed(fault)
    }
}

/// What has come in.
enum Taken {
    Record(Arc<Followed>),
    Tick,
}

impl Following {
    /// Begins to follow; a cursor that the log no longer has is refused.
    pub(crate) async fn begin(
        face: &Arc<Face>,
        caller: Caller,
        headers: HeaderMap,
        question: Question,
    ) -> Result<Self, Fault> {
        // Changes are those of this twin, and so is what is asked for beside them.
        let caller = Caller { reach: Reach::Local, ..caller };
        let place = face.places.take(&caller.twin, face.options.limits.followers)?;
        let Question { subscription, cursor, limit } = question;
        if let Some(cursor) = cursor {
            face.engine.wait_for(&caller, cursor.revision, MAX_WAIT).await?;
        }
        let now = face.engine.snapshot(&caller).await?.revision();
        let position = cursor.unwrap_or_else(|| Cursor::behind(now));
        let source = if let Some(interval) = subscription.time_interval {
            Source::Clock { ticks: every(interval), rest: None }
        } else {
            let reading = Reading::new(face, &caller, &subscription, position, now).await?;
            Source::Log(Box::new(reading))
        };
        let end = subscription.expires_at.map(until);
        Ok(Self {
            face: face.clone(),
            caller,
            headers,
            subscription,
            source,
            waiting: VecDeque::new(),
            position,
            left: limit,
            notified: None,
            heartbeat: every(HEARTBEAT),
            end,
            _place: place,
        })
    }

    /// How far has been read.
    pub(crate) fn position(&self) -> Cursor {
        self.position
    }

    /// Waits for the next thing to be written. What was begun has to be waited for to its end, or a
    /// notification may be lost.
    pub(crate) async fn next(&mut self) -> Result<Event, End> {
        let mut turn = 0;
        loop {
            if self.left == Some(0) {
                return Err(End::Complete);
            }
            if let Some((news, cursor)) = self.waiting.pop_front() {
                self.position = cursor;
                if let Some(body) = self.notification(&news).await {
                    return Ok(Event::Notification(body, cursor));
                }
                continue;
            }
            if self.turn_page().await? {
                continue;
            }
            turn += 1;
            if turn % TURN == 0 {
                tokio::task::yield_now().await;
            }
            let taken = tokio::select! {
                () = self.face.options.closing.cancelled() => return Err(End::Stopping),
                () = reached(self.end) => return Err(End::Complete),
                _ = self.heartbeat.tick() => {
                    self.check_access()?;
                    return Ok(Event::Alive(self.position));
                }
                taken = self.source.next() => taken?,
            };
            self.take(taken).await?;
        }
    }

    async fn take(&mut self, taken: Taken) -> Result<(), End> {
        match (&mut self.source, taken) {
            (Source::Log(reading), Taken::Record(followed)) => {
                let names = self.face.engine.names();
                let parts = reading.parts(&self.subscription, names, &followed);
                if parts.is_empty() {
                    self.position = Cursor::behind(followed.record.revision);
                }
                self.waiting.extend(parts);
            }
            (Source::Clock { rest, .. }, _) => {
                let snapshot = self.face.engine.snapshot(&self.caller).await;
                *rest = Some((snapshot.map_err(Fault::from)?, 0));
            }
            (Source::Log(_), Taken::Tick) => {}
        }
        Ok(())
    }

    /// Takes the next page of all that match, where one is left.
    async fn turn_page(&mut self) -> Result<bool, End> {
        let Source::Clock { rest, .. } = &mut self.source else { return Ok(false) };
        let Some((snapshot, offset)) = rest.take() else { return Ok(false) };
        let query = EntityQuery {
            filter: self.subscription.filter.clone(),
            order: Order::default(),
            page: PageRequest { limit: MAX_ENTITIES, start: PageStart::Offset(offset) },
            count: false,
        };
        let page = self.face.engine.query_in(&self.caller, &snapshot, &query).await;
        let page = page.map_err(Fault::from)?;
        if page.has_more {
            *rest = Some((snapshot, offset + MAX_ENTITIES));
        }
        let news: Vec<News> = page.entities.into_iter().map(News::of_unchanged).collect();
        if !news.is_empty() {
            self.waiting.push_back((news, Cursor::behind(page.revision)));
        }
        Ok(true)
    }

    /// The notification of these news, unless it is too soon for one, or the time is over.
    async fn notification(&mut self, news: &[News]) -> Option<Vec<u8>> {
        let now = Timestamp::now();
        let is_soon = match (self.notified, self.subscription.throttling) {
            (Some(notified), Some(throttling)) => notified.elapsed() < throttling,
            _ => false,
        };
        if is_soon || !self.subscription.is_active_at(now) {
            return None;
        }
        let Self { face, caller, subscription, .. } = self;
        let body =
            Rendering { face, caller, subscription }.body(news, now, uuid::Uuid::new_v4()).await;
        self.notified = Some(Instant::now());
        self.left = self.left.map(|left| left - 1);
        self.heartbeat.reset();
        Some(body)
    }

    /// Whether who began may still look.
    fn check_access(&self) -> Result<(), Fault> {
        let (headers, twin) = (&self.headers, &self.caller.twin);
        let access = Access { headers, twin, rights: Rights::Read };
        self.face.options.authorize.authorize(&access)?;
        Ok(())
    }
}

impl Source {
    /// Waits for what comes in. May be cancelled.
    async fn next(&mut self) -> Result<Taken, End> {
        match self {
            Self::Clock { ticks, .. } => {
                ticks.tick().await;
                Ok(Taken::Tick)
            }
            Self::Log(reading) => {
                if let Some(first) = reading.first.take() {
                    return Ok(Taken::Record(first));
                }
                match reading.follower.next().await {
                    Ok(followed) => Ok(Taken::Record(followed)),
                    Err(LogError::Store(StoreError::Closed)) => Err(End::Stopping),
                    Err(error) => Err(fault_of(error, reading.follower.position()).into()),
                }
            }
        }
    }
}

impl Reading {
    async fn new(
        face: &Arc<Face>,
        caller: &Caller,
        subscription: &Subscription,
        position: Cursor,
        now: Revision,
    ) -> Result<Self, Fault> {
        let mut follower = face.engine.follow(&caller.twin, position.revision).await?;
        let mut first = None;
        if position.revision < now {
            let next = follower.next().await;
            first = Some(next.map_err(|error| fault_of(error, position.revision))?);
        }
        let matcher = Matcher::new(&face.engine, caller, subscription);
        Ok(Self { follower, matcher, first, told: position.places })
    }

    /// What a log record holds, in notifications, each with where one goes on behind it.
    fn parts(
        &mut self,
        subscription: &Subscription,
        names: &cardo_model::Names,
        followed: &Followed,
    ) -> Vec<(Vec<News>, Cursor)> {
        let told = std::mem::take(&mut self.told);
        let revision = followed.record.revision;
        let mut parts = self.matcher.news(subscription, names, followed);
        for part in &mut parts {
            part.retain(|news| news.place >= told);
        }
        parts.retain(|part| !part.is_empty());
        let last = parts.len().saturating_sub(1);
        let behind = |(at, part): (usize, Vec<News>)| {
            let next = part.last().map_or(0, |news| news.place + 1);
            let cursor =
                if at == last { Cursor::behind(revision) } else { Cursor::within(revision, next) };
            (part, cursor)
        };
        parts.into_iter().enumerate().map(behind).collect()
    }
}

/// The log is cut from its beginning: who comes too late is told where it begins.
fn fault_of(error: LogError, position: Revision) -> Fault {
    match error {
        LogError::Gone { oldest } => Fault::gone(position, oldest),
        LogError::Store(error) => error.into(),
    }
}

fn every(interval: Duration) -> Interval {
    let mut ticks = tokio::time::interval_at(Instant::now() + interval, interval);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks
}

fn until(end: Timestamp) -> Instant {
    let left = end.as_micros().saturating_sub(Timestamp::now().as_micros());
    let left = Duration::from_micros(u64::try_from(left).unwrap_or(0));
    // A timer that reaches further than a year is none.
    Instant::now() + left.min(Duration::from_secs(365 * 24 * 3_600))
}

async fn reached(end: Option<Instant>) {
    match end {
        Some(end) => tokio::time::sleep_until(end).await,
        None => std::future::pending().await,
    }
}
