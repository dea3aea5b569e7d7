use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use cardo_engine::Caller;
use cardo_model::TwinId;
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::copies::{Copy, bring};
use crate::face::Face;
use crate::subscriptions::SUBSCRIPTION_KIND;

/// How many subscriptions are brought to sources at once.
const AT_ONCE: usize = 16;
/// How long to wait before a source that did not answer is asked again.
const RETRY_AFTER: Duration = Duration::from_secs(30);

/// Keeps the copies of subscriptions at sources as they have to be until it is asked to stop.
pub(crate) async fn run(face: Arc<Face>, mut stopped: watch::Receiver<bool>) {
    if face.sources.is_none() {
        return;
    }
    loop {
        let work = tokio::select! {
            _ = stopped.wait_for(|stop| *stop) => return,
            work = face.copies.next() => work,
        };
        let mut all: BTreeSet<(TwinId, Box<str>)> = BTreeSet::new();
        for (twin, subscription) in work {
            if let Some(id) = subscription {
                all.insert((twin, id));
            } else {
                let ids = of_twin(&face, &twin).await.into_iter();
                all.extend(ids.map(|id| (twin.clone(), id)));
            }
        }
        let mut tasks = JoinSet::new();
        for (twin, id) in all {
            if tasks.len() >= AT_ONCE {
                let _ = tasks.join_next().await;
            }
            let face = face.clone();
            tasks.spawn(async move {
                let caller = Caller { twin: twin.clone(), ..Caller::local("subscriptions") };
                if !bring(&face, &caller, &id).await {
                    tokio::spawn(async move {
                        tokio::time::sleep(RETRY_AFTER).await;
                        face.copies.tell(&twin, Some(&id), None);
                    });
                }
            });
        }
        let rest = async { while tasks.join_next().await.is_some() {} };
        tokio::select! {
            _ = stopped.wait_for(|stop| *stop) => return,
            () = rest => {}
        }
    }
}

/// The subscriptions of a twin, and those that are gone and have copies left.
async fn of_twin(face: &Face, twin: &TwinId) -> Vec<Box<str>> {
    let caller = Caller { twin: twin.clone(), ..Caller::local("subscriptions") };
    let Ok(snapshot) = face.engine.snapshot(&caller).await else { return Vec::new() };
    let subscriptions = snapshot.documents(SUBSCRIPTION_KIND);
    let mut ids: Vec<Box<str>> = subscriptions.iter().map(|(id, _)| id.as_ref().into()).collect();
    ids.extend(Copy::all(&snapshot, None).into_iter().map(|copy| copy.subscription));
    ids
}
