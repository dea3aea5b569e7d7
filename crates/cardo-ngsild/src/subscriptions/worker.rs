//! Tells a subscriber, one notification after the other, until there is nothing left.

use std::sync::Arc;
use std::time::Duration;

use axum::http::StatusCode;
use cardo_engine::{Follower, LogError, StoreError};
use cardo_model::{Revision, Timestamp};

use super::RETRY_AFTER;
use super::desk::Desk;
use super::lane::{Form, Held, Lane, Next, Ready};
use super::letters::Letter;
use super::matcher::News;
use super::notification::{Rendering, notification_id};
use super::options::DeliveryOptions;
use super::port::{Courier, DeliveryError, Message};
use super::progress::Tally;

const INACTIVE: &str = "the subscription is paused or has expired";

/// How it goes on.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Then {
    Go,
    /// The lane was turned back; what was under way is told again, if at all.
    Turned,
    Stop,
}

pub(super) async fn work(desk: Arc<Desk>, lane: Arc<Lane>) {
    loop {
        let then = match lane.next() {
            Next::Nothing => break,
            Next::Tell(ready, turn) => hold(&desk, &lane, ready, turn, None).await,
            Next::Read(position, turn) => read(&desk, &lane, position, turn).await,
        };
        if then == Then::Stop {
            break;
        }
    }
    desk.keeper.note();
}

/// Tells what a log record holds. Within the time of throttling that waits, and is told together with
/// what comes meanwhile, each entity as it is then: two notifications stand so far apart as clause
/// 5.2.12 says, and no change is left untold (clause 5.8.6).
async fn hold(
    desk: &Arc<Desk>,
    lane: &Arc<Lane>,
    ready: Ready,
    turn: u64,
    mut follower: Option<&mut Follower>,
) -> Then {
    let pause = |form: &Form| {
        let is_active = form.subscription.is_active_at(Timestamp::now());
        let throttling = form.subscription.throttling.filter(|_| is_active);
        lane.progress.throttled(throttling)
    };
    if lane.form().is_none_or(|form| pause(&form).is_zero()) {
        return tell(desk, lane, ready, turn).await;
    }
    let mut held = Held::of(ready);
    let mut stopping = desk.stopping.clone();
    let mut moves = lane.moves();
    loop {
        moves.mark_unchanged();
        let Some(form) = desk.form(lane).await else {
            return if lane.is_gone() { Then::Turned } else { Then::Stop };
        };
        let pause = pause(&form);
        if pause.is_zero() {
            break;
        }
        let next = async {
            match &mut follower {
                Some(follower) if !held.is_full() => follower.next().await,
                _ => std::future::pending().await,
            }
        };
        tokio::select! {
            _ = stopping.wait_for(|stop| *stop) => return Then::Stop,
            _ = moves.changed() => {}
            () = tokio::time::sleep(pause) => {}
            next = next => match next {
                Ok(followed) => {
                    let (revision, at) = (followed.record.revision, followed.record.time);
                    held.put(Ready { revision, at, parts: desk.news(&form, &followed) });
                }
                // The reader of the log meets it again.
                Err(_) => break,
            },
        }
        if !lane.is_at(turn) {
            return Then::Turned;
        }
    }
    if follower.is_none() {
        while let Some(later) = lane.next_ready(turn) {
            held.put(later);
        }
    }
    tell(desk, lane, held.ready(), turn).await
}

/// Tells what there is, one part after the other.
async fn tell(desk: &Arc<Desk>, lane: &Arc<Lane>, ready: Ready, turn: u64) -> Then {
    for (part, news) in (0..).zip(&ready.parts) {
        let told = Told { revision: ready.revision, part, at: ready.at };
        match deliver(desk, lane, news, told, turn).await {
            Then::Go => {}
            other => return other,
        }
    }
    if !lane.reach(ready.revision, turn) {
        return Then::Turned;
    }
    desk.keeper.note();
    Then::Go
}

/// Reads the log behind a position, until the lane keeps up again with what is dealt out.
async fn read(desk: &Arc<Desk>, lane: &Arc<Lane>, position: Revision, turn: u64) -> Then {
    let mut stopping = desk.stopping.clone();
    let Some(mut follower) = desk.follower(position).await else { return Then::Stop };
    let mut is_silent = false;
    loop {
        let Some(form) = desk.form(lane).await else {
            return if lane.is_gone() { Then::Turned } else { Then::Stop };
        };
        if lane.has_caught_up(&desk.dealt, turn) {
            return Then::Turned;
        }
        let next = tokio::select! {
            _ = stopping.wait_for(|stop| *stop) => return Then::Stop,
            next = follower.next() => next,
        };
        let followed = match next {
            Ok(followed) => followed,
            Err(LogError::Gone { oldest }) => {
                desk.lost(lane, follower.position(), oldest);
                let before = Revision(oldest.0.saturating_sub(1));
                lane.reach(before, turn);
                let Some(again) = desk.follower(before).await else { return Then::Stop };
                follower = again;
                continue;
            }
            Err(LogError::Store(StoreError::Closed)) => return Then::Stop,
            Err(LogError::Store(error)) => {
                tracing::error!(subscription = %lane.id, error = %error, "the log could not be read");
                tokio::select! {
                    _ = stopping.wait_for(|stop| *stop) => return Then::Stop,
                    () = tokio::time::sleep(RETRY_AFTER) => continue,
                }
            }
        };
        let parts = desk.news(&form, &followed);
        let record = &followed.record;
        let is_active = form.subscription.is_active_at(Timestamp::now());
        if !parts.is_empty() && !is_active && !std::mem::replace(&mut is_silent, true) {
            let reason = format!("{INACTIVE}; what changed behind this revision was not told");
            desk.bury(lane, Letter::new(record.revision, 0, 0, &reason));
        }
        if parts.is_empty() || !is_active {
            if !lane.reach(record.revision, turn) {
                return Then::Turned;
            }
            continue;
        }
        let ready = Ready { revision: record.revision, at: record.time, parts };
        match hold(desk, lane, ready, turn, Some(&mut follower)).await {
            Then::Go => {}
            other => return other,
        }
    }
}

/// Which notification it is.
#[derive(Clone, Copy)]
struct Told {
    revision: Revision,
    part: u32,
    at: Timestamp,
}

impl Told {
    fn age(self, now: Timestamp) -> Duration {
        Duration::from_micros(now.as_micros().saturating_sub(self.at.as_micros()).unsigned_abs())
    }
}

/// Delivers one notification: it arrives, or it is a dead letter.
async fn deliver(desk: &Arc<Desk>, lane: &Arc<Lane>, news: &[News], told: Told, turn: u64) -> Then {
    let mut stopping = desk.stopping.clone();
    let mut moves = lane.moves();
    let mut attempts = 0;
    loop {
        moves.mark_unchanged();
        let Some(form) = desk.form(lane).await else {
            return if lane.is_gone() { Then::Turned } else { Then::Stop };
        };
        let subscription = &form.subscription;
        let now = Timestamp::now();
        let bury = |attempts: u32, reason: &str| {
            let letter = Letter::new(told.revision, told.part, attempts, reason);
            desk.bury(lane, letter);
            Then::Go
        };
        if !subscription.is_active_at(now) {
            return bury(attempts, INACTIVE);
        }
        let cooldown = subscription.notification.endpoint.cooldown;
        let throttling = subscription.throttling.filter(|_| attempts == 0);
        let throttled = lane.progress.throttled(throttling);
        let mut pause = lane.progress.cooling(cooldown).max(throttled);
        if pause.is_zero() {
            let id = notification_id(&desk.twin, &lane.id, told.revision, told.part);
            let outcome = attempt(desk, lane, &form, news, id, attempts == 0).await;
            attempts += 1;
            lane.set_failing(outcome.is_err());
            match outcome {
                Ok(()) => return Then::Go,
                Err(DeliveryError::Stopped) => return Then::Stop,
                Err(DeliveryError::Failed { reason, is_final, pause: asked }) => {
                    let options = &desk.face.options.deliveries;
                    let age = told.age(now);
                    if is_final || age >= options.retry_for {
                        return bury(attempts, &reason);
                    }
                    pause = options.pause(attempts).max(asked.unwrap_or_default());
                    pause = pause.min(options.longest_pause);
                }
            }
            desk.keeper.note();
        }
        tokio::select! {
            _ = stopping.wait_for(|stop| *stop) => return Then::Stop,
            // It was changed, paused, deleted or turned back.
            _ = moves.changed() => {}
            () = tokio::time::sleep(pause) => {}
        }
        if !lane.is_at(turn) {
            return Then::Turned;
        }
    }
}

async fn attempt(
    desk: &Arc<Desk>,
    lane: &Arc<Lane>,
    form: &Form,
    news: &[News],
    id: uuid::Uuid,
    is_first: bool,
) -> Result<(), DeliveryError> {
    let subscription = &form.subscription;
    let face = &desk.face;
    let rendering = Rendering { face, caller: &desk.caller, subscription };
    let now = Timestamp::now();
    let message = rendering.message(news, now, id).await;
    let tally = &face.subscriptions.tally;
    let outcome = face.options.courier.deliver(message).await;
    match &outcome {
        Ok(_) => {
            Tally::add(&tally.delivered);
            lane.progress.count(now, is_first, Ok(()));
        }
        Err(DeliveryError::Failed { reason, .. }) => {
            Tally::add(&tally.failed);
            tracing::debug!(subscription = %lane.id, reason, "a notification was not delivered");
            if is_first {
                tracing::warn!(subscription = %lane.id, reason, "a notification was not delivered");
            }
            lane.progress.count(now, is_first, Err(reason));
        }
        Err(DeliveryError::Stopped) => {}
    }
    outcome.map(|_| ())
}

/// Tries a few times what is not kept for later.
pub(crate) async fn try_briefly(
    courier: &dyn Courier,
    options: &DeliveryOptions,
    message: Message,
) -> Result<StatusCode, DeliveryError> {
    const MAX_ATTEMPTS: u32 = 4;
    let mut attempts = 0;
    loop {
        attempts += 1;
        match courier.deliver(message.clone()).await {
            Err(DeliveryError::Failed { is_final: false, .. }) if attempts < MAX_ATTEMPTS => {
                tokio::time::sleep(options.pause(attempts)).await;
            }
            outcome => return outcome,
        }
    }
}

/// Delivers what an interval brought: once, since the next one tells more.
pub(super) async fn tell_once(desk: &Arc<Desk>, lane: &Arc<Lane>, form: &Form, news: &[News]) {
    if !form.subscription.is_active_at(Timestamp::now()) {
        return;
    }
    let cooldown = form.subscription.notification.endpoint.cooldown;
    if lane.progress.cooling(cooldown).is_zero() {
        let _ = attempt(desk, lane, form, news, uuid::Uuid::new_v4(), true).await;
        desk.keeper.track(lane, None);
        desk.keeper.note();
    }
}
