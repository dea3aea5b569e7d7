//! Starts and stops the tasks of subscriptions.

use std::sync::Arc;

use cardo_engine::Caller;
use foldhash::fast::RandomState;
use hashbrown::HashMap;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::registry::Key;
use super::task::Task;
use super::{FOLLOWER_PREFIX, SUBSCRIPTION_KIND, follower_name};
use crate::face::Face;

/// A task, and how it is asked to end.
struct Running {
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

/// Keeps every subscription going until `stop` comes; then ends them in order, their positions
/// kept.
pub(crate) async fn run(face: Arc<Face>, stop: impl Future<Output = ()> + Send) {
    restore(&face).await;
    let mut running: HashMap<Key, Running, RandomState> = HashMap::default();
    tokio::pin!(stop);
    loop {
        let changed = tokio::select! {
            () = &mut stop => break,
            changed = face.subscriptions.changes() => changed,
        };
        for key in changed {
            let before = running.remove(&key);
            if let Some(running_task) = start(&face, &key, before).await {
                running.insert(key, running_task);
            }
        }
    }
    for one in running.values() {
        let _ = one.stop.send(true);
    }
    for one in running.into_values() {
        let _ = one.task.await;
    }
}

/// Finds the subscriptions of earlier runs by their positions, so that twins without any stay
/// where they are.
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
                for (name, _) in positions {
                    if let Some(id) = name.strip_prefix(FOLLOWER_PREFIX) {
                        face.subscriptions.tell(&twin, id);
                    }
                }
            }
            Err(error) => {
                tracing::error!(twin = %twin, error = %error, "the positions of subscriptions could not be read");
            }
        }
    }
}

/// Puts a task in the place of the one before it; none where the subscription is gone.
async fn start(face: &Arc<Face>, key: &Key, before: Option<Running>) -> Option<Running> {
    if let Some(before) = &before {
        let _ = before.stop.send(true);
    }
    let caller = Caller { twin: key.0.clone(), ..Caller::local("subscriptions") };
    let document = match face.engine.snapshot(&caller).await {
        Ok(snapshot) => snapshot.document(SUBSCRIPTION_KIND, &key.1),
        Err(error) => {
            tracing::error!(twin = %key.0, error = %error, "a subscription could not be read");
            None
        }
    };
    let Some(document) = document else {
        face.subscriptions.forget(key);
        let name = follower_name(&key.1);
        if let Err(error) = face.engine.store().save_position(&key.0, &name, None).await {
            tracing::warn!(error = %error, "the position of a deleted subscription could not be dropped");
        }
        return None;
    };
    let (stop, stopped) = watch::channel(false);
    let task = Task { face: face.clone(), key: key.clone(), caller, document };
    let task = tokio::spawn(async move {
        if let Some(before) = before {
            // A delivery that has begun ends first, or it would be made twice.
            let _ = before.task.await;
        }
        task.run(stopped).await;
    });
    Some(Running { stop, task })
}
