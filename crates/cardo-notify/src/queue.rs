//! Ordered, bounded queues, each with a task of its own.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use thiserror::Error;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};

use crate::attempt;
use crate::courier::Shared;
use crate::delivery::{Delivery, DeliveryFailure, DeliveryOutcome};

type Outcome = Result<DeliveryOutcome, DeliveryFailure>;

/// A delivery that waits, with the room it takes and whom to tell.
struct Waiting {
    delivery: Delivery,
    /// Keeps the queue of the key in being, so that there is never a second one beside it.
    lane: Arc<Lane>,
    tell: oneshot::Sender<Outcome>,
    _room: OwnedSemaphorePermit,
}

/// A handle to the queue of one key. Its deliveries go out one after another, in the order in which they were put in.
///
/// Clones, and handles for the same key, are the same queue; it ends when its deliveries are made and the last handle is
/// dropped.
#[derive(Clone)]
pub struct Queue {
    lane: Arc<Lane>,
}

impl std::fmt::Debug for Queue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Queue")
            .field("key", &self.lane.key)
            .field("waiting", &self.waiting())
            .finish()
    }
}

pub(crate) struct Lane {
    key: String,
    waiting: mpsc::Sender<Waiting>,
    /// Bytes that may still be put in.
    room: Arc<Semaphore>,
    shared: Arc<Shared>,
}

impl Drop for Lane {
    fn drop(&mut self) {
        self.shared.forget(&self.key);
    }
}

/// The queue holds as much as it may.
#[derive(Debug, Error)]
#[error("the queue {key:?} is full")]
pub struct QueueFull {
    /// The key of the queue.
    pub key: String,
    /// What did not fit, given back.
    pub delivery: Box<Delivery>,
}

/// The outcome of a delivery, to come. Dropping it does not stop the delivery.
#[derive(Debug)]
#[must_use = "the outcome tells whether to go on"]
pub struct Receipt(oneshot::Receiver<Outcome>);

impl Future for Receipt {
    type Output = Outcome;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Outcome> {
        Pin::new(&mut self.0)
            .poll(context)
            .map(|told| told.unwrap_or(Err(DeliveryFailure::Stopped)))
    }
}

impl Receipt {
    fn stopped() -> Self {
        Self(oneshot::channel().1)
    }
}

impl Queue {
    /// Puts a delivery in and waits until it has succeeded or failed. Waits for room first, if need be.
    pub async fn deliver(&self, delivery: Delivery) -> Result<DeliveryOutcome, DeliveryFailure> {
        self.enqueue(delivery).await.await
    }

    /// Puts a delivery in, waiting for room: the backpressure for a producer that goes on without the outcome.
    pub async fn enqueue(&self, delivery: Delivery) -> Receipt {
        let lane = &self.lane;
        let put = async {
            let room =
                Arc::clone(&lane.room).acquire_many_owned(lane.bytes(&delivery)).await.ok()?;
            let place = lane.waiting.reserve().await.ok()?;
            Some((room, place))
        };
        let put = tokio::select! {
            () = lane.shared.stopping.cancelled() => None,
            put = put => put,
        };
        match put {
            Some((room, place)) => {
                let (tell, receipt) = oneshot::channel();
                place.send(Waiting { delivery, lane: Arc::clone(lane), tell, _room: room });
                Receipt(receipt)
            }
            None => Receipt::stopped(),
        }
    }

    /// Puts a delivery in if there is room for it now.
    pub fn try_enqueue(&self, delivery: Delivery) -> Result<Receipt, QueueFull> {
        let lane = &self.lane;
        if lane.shared.stopping.is_cancelled() {
            return Ok(Receipt::stopped());
        }
        let full = |delivery| QueueFull { key: lane.key.clone(), delivery: Box::new(delivery) };
        let Ok(room) = Arc::clone(&lane.room).try_acquire_many_owned(lane.bytes(&delivery)) else {
            return Err(full(delivery));
        };
        let Ok(place) = lane.waiting.try_reserve() else {
            return Err(full(delivery));
        };
        let (tell, receipt) = oneshot::channel();
        place.send(Waiting { delivery, lane: Arc::clone(lane), tell, _room: room });
        Ok(Receipt(receipt))
    }

    /// How many deliveries wait, the one on its way not counted.
    pub fn waiting(&self) -> usize {
        self.lane.waiting.max_capacity() - self.lane.waiting.capacity()
    }

    /// The key of the queue.
    pub fn key(&self) -> &str {
        &self.lane.key
    }

    /// Opens the lane of a key and starts its task.
    pub(crate) fn open(shared: &Arc<Shared>, key: &str) -> Self {
        let (waiting, incoming) = mpsc::channel(shared.options.queue_length.max(1));
        let room = Arc::new(Semaphore::new(shared.options.queue_bytes.clamp(1, MOST_BYTES)));
        shared.tasks.spawn(work(Arc::clone(shared), incoming));
        let lane = Lane { key: key.to_owned(), waiting, room, shared: Arc::clone(shared) };
        Self { lane: Arc::new(lane) }
    }

    pub(crate) fn of(lane: Arc<Lane>) -> Self {
        Self { lane }
    }

    pub(crate) fn lane(&self) -> &Arc<Lane> {
        &self.lane
    }
}

/// What one permit of the semaphore's `u32` can stand for.
const MOST_BYTES: usize = u32::MAX as usize >> 3;

impl Lane {
    /// The room a delivery takes: its body, but never more than there is at all.
    fn bytes(&self, delivery: &Delivery) -> u32 {
        let all = self.shared.options.queue_bytes.clamp(1, MOST_BYTES);
        u32::try_from(delivery.body.len().clamp(1, all)).unwrap_or(u32::MAX >> 3)
    }
}

/// Delivers what comes in, one by one, until all handles are gone or the courier stops.
async fn work(shared: Arc<Shared>, mut incoming: mpsc::Receiver<Waiting>) {
    loop {
        let next = tokio::select! {
            biased;
            () = shared.stopping.cancelled() => return,
            next = incoming.recv() => next,
        };
        let Some(Waiting { delivery, lane, tell, _room }) = next else { return };
        let _on_its_way = shared.depart();
        let delivering = attempt::deliver(&shared, &delivery);
        let outcome = tokio::select! {
            () = shared.aborting.cancelled() => return,
            outcome = delivering => outcome,
        };
        drop(lane);
        // Nobody may be waiting for the receipt.
        let _ = tell.send(outcome);
    }
}
