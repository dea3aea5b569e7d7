//! Opens and closes the desks of twins.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use cardo_model::TwinId;
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::desk::Desk;
use super::{DESK_FOLLOWER, FOLLOWER_PREFIX, RETRY_AFTER, keep};
use crate::face::Face;

/// Keeps every subscription going until `stop` comes; then ends them in order, their positions
/// kept.
pub(crate) async fn run(face: Arc<Face>, stop: impl Future<Output = ()> + Send) {
    let (stopping, stopped) = watch::channel(false);
    let mut desks = JoinSet::new();
    tokio::pin!(stop);
    let all = async {
        restore(&face).await;
        loop {
            for twin in face.subscriptions.wanted().await {
                desks.spawn(attend(face.clone(), twin, stopped.clone()));
            }
        }
    };
    tokio::select! {
        () = &mut stop => {}
        () = all => {}
    }
    let _ = stopping.send(true);
    while desks.join_next().await.is_some() {}
    face.subscriptions.close();
}

/// Finds the twins that had subscriptions in earlier runs by the positions of these, so that twins
/// without any stay where they are.
async fn restore(face: &Face) {
    let twins = match face.engine.twins().await {
        Ok(twins) => twins,
        Err(error) => {
            tracing::error!(error = %error, "the twins could not be listed; subscriptions of earlier runs wait");
            return;
        }
    };
    for twin in twins {
        match face.engine.store().positions(&twin).await {
            Ok(positions) => {
                let is_own =
                    |name: &str| name == DESK_FOLLOWER || name.starts_with(FOLLOWER_PREFIX);
                if positions.iter().any(|(name, _)| is_own(name)) {
                    face.subscriptions.tell(&twin);
                }
            }
            Err(error) => {
                tracing::error!(twin = %twin, error = %error, "the positions of subscriptions could not be read");
            }
        }
    }
}

/// Works at the desk of a twin until it is asked to stop.
async fn attend(face: Arc<Face>, twin: TwinId, mut stopping: watch::Receiver<bool>) {
    let desk = loop {
        match Desk::open(&face, twin.clone(), stopping.clone()).await {
            Ok(desk) => break desk,
            Err(fault) => {
                tracing::error!(twin = %twin, problem = %fault.to_json(), "subscriptions could not be read");
            }
        }
        tokio::select! {
            _ = stopping.wait_for(|stop| *stop) => return,
            () = tokio::time::sleep(RETRY_AFTER) => {}
        }
    };
    face.subscriptions.open(&desk);
    let keeping = tokio::spawn(keep::run(desk.clone()));
    desk.clone().run().await;
    let _ = stopping.wait_for(|stop| *stop).await;
    let _ = keeping.await;
    desk.work.close();
    desk.work.wait().await;
    desk.keep(true).await;
}

/// How the notifications of all twins go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DeliveryFigures {
    /// Subscriptions at work.
    pub subscriptions: usize,
    /// Those of them that have something left to tell.
    pub busy: usize,
    /// Changes that wait ready in memory; those that wait in the log alone are not counted.
    pub waiting: usize,
    /// Subscriptions of which it is not kept yet how far they have come: what these told last would be
    /// told again if the server were killed now.
    pub unkept: usize,
    /// Notifications that arrived in this run.
    pub delivered: u64,
    /// Attempts that failed in this run.
    pub failed: u64,
    /// Notifications that became dead letters in this run.
    pub dead_letters: u64,
}

pub(crate) fn figures(face: &Face) -> DeliveryFigures {
    let tally = &face.subscriptions.tally;
    let mut figures = DeliveryFigures {
        delivered: tally.delivered.load(Ordering::Relaxed),
        failed: tally.failed.load(Ordering::Relaxed),
        dead_letters: tally.dead_letters.load(Ordering::Relaxed),
        ..DeliveryFigures::default()
    };
    for desk in face.subscriptions.desks() {
        let lanes = desk.all();
        figures.subscriptions += lanes.len();
        figures.waiting += lanes.iter().map(|lane| lane.waiting()).sum::<usize>();
        figures.busy += desk.keeper.busy();
        figures.unkept += desk.unkept();
    }
    figures
}
