//! Delivery of rendered bytes to an endpoint, with retry and limits.
//!
//! A binding that took a subscription renders its notifications and hands them to a [`Courier`], one ordered [`Queue`]
//! for each subscription. A queue has its own task, so an endpoint that is slow or dead delays nobody else; what waits in
//! it is bounded, and a full queue makes its producer wait. A producer that reads the change log by a persisted position
//! advances it when a delivery succeeded or [finally failed](DeliveryFailure::is_final), and not when the courier was
//! stopped before that was decided.

mod attempt;
mod courier;
mod delivery;
mod options;
mod queue;

pub use courier::{Courier, Depth};
pub use delivery::{Delivery, DeliveryFailure, DeliveryOutcome, MqttOptions};
pub use options::CourierOptions;
pub use queue::{Queue, QueueFull, Receipt};
