//! The courier, and how it stops.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use cardo_egress::Gate;
use cardo_egress::mqtt::Publisher;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::attempt;
use crate::delivery::{Delivery, DeliveryFailure, DeliveryOutcome};
use crate::options::CourierOptions;

/// Delivers to endpoints through the gate. Clones are the same courier.
///
/// ```no_run
/// use cardo_egress::{Bytes, EgressConfig, Gate, HeaderMap};
/// use cardo_notify::{Courier, CourierOptions, Delivery, MqttOptions};
///
/// # async fn example() -> Result<(), cardo_notify::DeliveryFailure> {
/// let courier = Courier::new(Gate::new(EgressConfig::default()), CourierOptions::default());
/// let outcome = courier
///     .deliver(&Delivery {
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
    under_way: TaskTracker,
    /// No new attempts begin.
    stopping: CancellationToken,
    /// Attempts under way are dropped.
    aborting: CancellationToken,
    endpoints: Mutex<HashMap<String, Arc<Semaphore>>>,
    on_their_way: AtomicUsize,
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Courier").field("options", &self.options).finish_non_exhaustive()
    }
}

impl Courier {
    /// A courier that sends through the gate.
    pub fn new(gate: Gate, options: CourierOptions) -> Self {
        Self {
            shared: Arc::new(Shared {
                publisher: Publisher::new(gate.clone()),
                gate,
                options,
                under_way: TaskTracker::new(),
                stopping: CancellationToken::new(),
                aborting: CancellationToken::new(),
                endpoints: Mutex::default(),
                on_their_way: AtomicUsize::new(0),
            }),
        }
    }

    /// Tries once to deliver. An attempt at an endpoint waits while as many as may be are under way
    /// there, so that a slow one holds nobody up but those who want to reach it.
    pub async fn deliver(&self, delivery: &Delivery) -> Result<DeliveryOutcome, DeliveryFailure> {
        let shared = &self.shared;
        let turns = shared.turns(&delivery.endpoint);
        let turn = tokio::select! {
            biased;
            () = shared.stopping.cancelled() => return Err(DeliveryFailure::Stopped),
            turn = turns.acquire() => turn,
        };
        let _under_way = shared.under_way.token();
        let _on_its_way = shared.depart();
        tokio::select! {
            () = shared.aborting.cancelled() => Err(DeliveryFailure::Stopped),
            outcome = attempt::once(shared, delivery) => {
                drop(turn);
                outcome
            }
        }
    }

    /// How many attempts are under way.
    pub fn on_their_way(&self) -> usize {
        self.shared.on_their_way.load(Ordering::Relaxed)
    }

    /// Stops: what is being sent may end within the grace, and everything else ends as
    /// [`DeliveryFailure::Stopped`] at once.
    pub async fn shutdown(&self, grace: Duration) {
        self.shared.stopping.cancel();
        self.shared.under_way.close();
        if tokio::time::timeout(grace, self.shared.under_way.wait()).await.is_err() {
            tracing::warn!(?grace, "deliveries under way are dropped");
            self.shared.aborting.cancel();
            self.shared.under_way.wait().await;
        }
    }
}

impl Shared {
    /// Who wants to reach an endpoint waits here.
    fn turns(&self, endpoint: &str) -> Arc<Semaphore> {
        // The map is whole after every statement that changes it.
        let mut endpoints = self.endpoints.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(turns) = endpoints.get(endpoint) {
            return turns.clone();
        }
        endpoints.retain(|_, turns| Arc::strong_count(turns) > 1);
        let turns = Arc::new(Semaphore::new(self.options.at_an_endpoint.max(1)));
        endpoints.entry(endpoint.to_owned()).or_insert(turns).clone()
    }

    /// Counts a delivery as on its way while the guard is held.
    fn depart(&self) -> impl Drop {
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
