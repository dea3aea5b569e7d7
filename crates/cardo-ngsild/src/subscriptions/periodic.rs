//! Notifications that come whatever changes (clause 5.8.6, `timeInterval`).

use std::sync::Arc;
use std::time::Duration;

use cardo_engine::{EntityQuery, Order, PageRequest, PageStart};

use super::desk::Desk;
use super::lane::{Form, Lane};
use super::matcher::News;
use super::worker;

/// How many entities a periodic notification tells of.
const MAX_ENTITIES: usize = 1_000;

/// Begins, where the subscription wants notifications at intervals.
pub(super) fn start(desk: &Arc<Desk>, lane: &Arc<Lane>, form: &Arc<Form>) {
    if let Some(interval) = form.subscription.time_interval {
        desk.work.spawn(repeat(desk.clone(), lane.clone(), form.clone(), interval));
    }
}

/// Goes on until the subscription is another one.
async fn repeat(desk: Arc<Desk>, lane: Arc<Lane>, form: Arc<Form>, interval: Duration) {
    let mut stopping = desk.stopping.clone();
    let mut moves = lane.moves();
    let mut ticks = tokio::time::interval(interval);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    ticks.tick().await;
    loop {
        let is_due = tokio::select! {
            _ = stopping.wait_for(|stop| *stop) => return,
            _ = moves.changed() => false,
            _ = ticks.tick() => true,
        };
        if !is_current(&lane, &form) {
            return;
        }
        if is_due {
            tell(&desk, &lane, &form).await;
        }
    }
}

fn is_current(lane: &Lane, form: &Arc<Form>) -> bool {
    !lane.is_gone() && lane.form().is_some_and(|current| Arc::ptr_eq(&current, form))
}

async fn tell(desk: &Arc<Desk>, lane: &Arc<Lane>, form: &Form) {
    let query = EntityQuery {
        filter: form.subscription.filter.clone(),
        order: Order::default(),
        page: PageRequest { limit: MAX_ENTITIES, start: PageStart::Offset(0) },
        count: false,
    };
    let page = match desk.face.engine.query(&desk.caller, &query).await {
        Ok(page) => page,
        Err(error) => {
            tracing::warn!(subscription = %lane.id, error = %error, "a periodic question failed");
            return;
        }
    };
    let news: Vec<News> = page.entities.into_iter().map(News::of_unchanged).collect();
    if !news.is_empty() {
        worker::tell_once(desk, lane, form, &news).await;
    }
}
