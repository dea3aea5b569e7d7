//! Starts and stops the tasks of subscriptions to registrations.

use std::sync::Arc;

use cardo_engine::{Batch, Caller, Operation};
use cardo_model::DocumentChange;
use foldhash::fast::RandomState;
use hashbrown::HashMap;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::registry::Key;
use super::watch::Watcher;
use super::{
    EXPIRY_POSITION, SUBSCRIPTION_KIND, SUBSCRIPTION_POSITION, SUBSCRIPTION_STATE_KIND, TOLD_KIND,
    clock, position_name,
};
use crate::face::Face;
use crate::subscriptions::Stored;

/// A task, and how it is asked to end.
struct Running {
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

/// Keeps subscriptions to registrations going, and deletes registrations whose time is over, until
/// it is asked to stop.
pub(crate) async fn run(face: Arc<Face>, mut stopped: watch::Receiver<bool>) {
    restore(&face).await;
    let clock = tokio::spawn(clock::run(face.clone(), stopped.clone()));
    let mut running: HashMap<Key, Running, RandomState> = HashMap::default();
    loop {
        let written = tokio::select! {
            _ = stopped.wait_for(|stop| *stop) => break,
            written = face.registrations.subscriptions() => written,
        };
        for key in written {
            let before = running.remove(&key);
            if let Some(task) = start(&face, &key, before).await {
                running.insert(key, task);
            }
        }
    }
    for one in running.values() {
        let _ = one.stop.send(true);
    }
    for one in running.into_values() {
        let _ = one.task.await;
    }
    let _ = clock.await;
}

/// Finds what earlier runs have left by positions in the log, so that twins without any of it stay
/// where they are.
async fn restore(face: &Face) {
    let twins = face.engine.twins().await.unwrap_or_else(|error| {
        tracing::error!(error = %error, "the twins could not be listed; subscriptions to registrations wait");
        Vec::new()
    });
    for twin in twins {
        let positions = face.engine.store().positions(&twin).await.unwrap_or_else(|error| {
            tracing::error!(twin = %twin, error = %error, "subscriptions to registrations could not be found");
            Vec::new()
        });
        for (name, _) in positions {
            if let Some(id) = name.strip_prefix(SUBSCRIPTION_POSITION) {
                face.registrations.tell_subscription(&twin, id);
            } else if &*name == EXPIRY_POSITION {
                face.registrations.tell(&twin, true);
            }
        }
    }
}

/// Puts a task in the place of the one before it; none where the subscription is gone.
async fn start(face: &Arc<Face>, key: &Key, before: Option<Running>) -> Option<Running> {
    if let Some(before) = &before {
        let _ = before.stop.send(true);
    }
    let caller = Caller { twin: key.0.clone(), ..Caller::local("registrations") };
    let document = match face.engine.snapshot(&caller).await {
        Ok(snapshot) => snapshot.document(SUBSCRIPTION_KIND, &key.1),
        Err(error) => {
            tracing::error!(twin = %key.0, error = %error, "a subscription to registrations could not be read");
            None
        }
    };
    let Some(stored) = document.and_then(|text| Stored::from_text(&text)) else {
        if let Some(before) = before {
            // Nothing more is sent, also not what is being tried (clause 5.11.6.4).
            before.task.abort();
            let _ = before.task.await;
        }
        forget(face, &caller, key).await;
        return None;
    };
    let (stop, stopped) = watch::channel(false);
    let watcher = Watcher { face: face.clone(), key: key.clone(), caller, stored };
    let task = tokio::spawn(async move {
        if let Some(before) = before {
            // A delivery that has begun ends first, so that the order stays.
            let _ = before.task.await;
        }
        watcher.run(stopped).await;
    });
    Some(Running { stop, task })
}

/// Drops what is left of a subscription.
async fn forget(face: &Face, caller: &Caller, key: &Key) {
    face.registrations.forget(key);
    let _writing = face.subscriptions.writing.lock().await;
    if let Some(snapshot) = face.engine.loaded_snapshot(caller) {
        if snapshot.document(SUBSCRIPTION_KIND, &key.1).is_some() {
            // It was created anew in the meantime, and its turn comes.
            return;
        }
        // What its task has kept after it was deleted.
        let kinds = [SUBSCRIPTION_STATE_KIND, TOLD_KIND];
        let left = kinds.into_iter().filter(|kind| snapshot.document(kind, &key.1).is_some());
        let operations: Vec<Operation> = left
            .map(|kind| {
                let id = key.1.clone();
                Operation::Document(DocumentChange { kind: kind.into(), id, body: None })
            })
            .collect();
        let batch = Batch { operations, ..Batch::default() };
        if !batch.operations.is_empty()
            && let Err(error) = face.engine.apply(caller, batch).await
        {
            tracing::warn!(error = %error, "what is left of a subscription could not be dropped");
        }
    }
    let name = position_name(&key.1);
    if let Err(error) = face.engine.store().save_position(&key.0, &name, None).await {
        tracing::warn!(error = %error, "the position of a deleted subscription could not be dropped");
    }
}
