//! The courier: queues by key, and how they stop.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use cardo_egress::Gate;
use cardo_egress::mqtt::Publisher;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::delivery::{Delivery, DeliveryFailure, DeliveryOutcome};
use crate::options::CourierOptions;
use crate::queue::{Lane, Queue};

/// Delivers to endpoints through the gate. Clones are the same courier.
///
/// ```no_run
/// use cardo_egress::{Bytes, EgressConfig, Gate, HeaderMap};
/// use cardo_notify::{Courier, CourierOptions, Delivery, MqttOptions};
///
/// # async fn example() -> Result<(), cardo_notify::DeliveryFailure> {
/// let courier = Courier::new(Gate::new(EgressConfig::default()), CourierOptions::default());
/// let queue = courier.queue("urn:ngsi-ld:Subscription:1");
/// let outcome = queue
///     .deliver(Delivery {
///         endpoint: "https://receiver.example/notify".to_owned(),
///         headers: HeaderMap::new(),
///         mqtt: MqttOptions::default(),
///         body: Bytes::from_static(b"{}"),
///         timeout: None,
///     })
///     .await?;
/// println!("{} in {:?}", outcome.status, outcome.duration);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Courier {
    shared: Arc<Shared>,
}

pub(crate) struct Shared {
    pub(crate) gate: Gate,
    pub(crate) publisher: Publisher,
    pub(crate) options: CourierOptions,
    pub(crate) tasks: TaskTracker,
    /// No new deliveries or attempts begin.
    pub(crate) stopping: CancellationToken,
    /// Attempts under way are dropped.
    pub(crate) aborting: CancellationToken,
    lanes: Mutex<HashMap<String, Weak<Lane>>>,
    on_their_way: AtomicUsize,
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Courier").field("options", &self.options).finish_non_exhaustive()
    }
}

/// How much a courier has to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Depth {
    /// Queues that somebody holds.
    pub queues: usize,
    /// Deliveries that wait for an earlier one of their queue.
    pub waiting: usize,
    /// Deliveries that are tried, or pause between two attempts.
    pub on_their_way: usize,
}

impl Courier {
    /// A courier that sends through the gate. Its queues run on the runtime that opens them.
    pub fn new(gate: Gate, options: CourierOptions) -> Self {
        Self {
            shared: Arc::new(Shared {
                publisher: Publisher::new(gate.clone()),
                gate,
                options,
                tasks: TaskTracker::new(),
                stopping: CancellationToken::new(),
                aborting: CancellationToken::new(),
                lanes: Mutex::default(),
                on_their_way: AtomicUsize::new(0),
            }),
        }
    }

    /// The queue of a key, such as the id of a subscription; opened if nobody holds it.
    ///
    /// # Panics
    ///
    /// Outside of a Tokio runtime.
    pub fn queue(&self, key: &str) -> Queue {
        let mut lanes = self.shared.lanes();
        if let Some(lane) = lanes.get(key).and_then(Weak::upgrade) {
            return Queue::of(lane);
        }
        let queue = Queue::open(&self.shared, key);
        lanes.insert(key.to_owned(), Arc::downgrade(queue.lane()));
        queue
    }

    /// Delivers in the queue of the endpoint, and waits until that has succeeded or failed.
    pub async fn deliver(&self, delivery: Delivery) -> Result<DeliveryOutcome, DeliveryFailure> {
        self.queue(&delivery.endpoint).deliver(delivery).await
    }

    /// How much there is to do.
    pub fn depth(&self) -> Depth {
        // Collected before it is counted: a lane whose last handle is dropped here takes the lock itself.
        let lanes: Vec<Arc<Lane>> =
            self.shared.lanes().values().filter_map(Weak::upgrade).collect();
        let queues = lanes.len();
        let waiting = lanes.into_iter().map(|lane| Queue::of(lane).waiting()).sum();
        Depth { queues, waiting, on_their_way: self.shared.on_their_way.load(Ordering::Relaxed) }
    }

    /// Stops: what is being sent may end within the grace, and everything else ends as
    /// [`DeliveryFailure::Stopped`] at once.
    pub async fn shutdown(&self, grace: Duration) {
        self.shared.stopping.cancel();
        self.shared.tasks.close();
        if tokio::time::timeout(grace, self.shared.tasks.wait()).await.is_err() {
            tracing::warn!(?grace, "deliveries under way are dropped");
            self.shared.aborting.cancel();
            self.shared.tasks.wait().await;
        }
    }
}

impl Shared {
    fn lanes(&self) -> MutexGuard<'_, HashMap<String, Weak<Lane>>> {
        // The map is whole after every statement that changes it.
        self.lanes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Forgets a lane that has ended, unless another has its key by now.
    pub(crate) fn forget(&self, key: &str) {
        let mut lanes = self.lanes();
        if lanes.get(key).is_some_and(|lane| lane.strong_count() == 0) {
            lanes.remove(key);
        }
    }

    /// Counts a delivery as on its way while the guard is held.
    pub(crate) fn depart(&self) -> impl Drop {
        self.on_their_way.fetch_add(1, Ordering::Relaxed);
        OnItsWay(&self.on_their_way)
    }
}

struct OnItsWay<'a>(&'a AtomicUsize);

impl Drop for OnItsWay<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
