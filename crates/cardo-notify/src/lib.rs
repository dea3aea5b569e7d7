//! Delivery of rendered bytes to an endpoint: one attempt at a time, by HTTP or MQTT, within limits.
//!
//! A binding that took a subscription renders its notifications and hands them to a [`Courier`] one after the other. When
//! to try again, and what happens to what never arrives, is for the binding to say: it knows the position in the log up to
//! which everything has arrived. A courier says whether trying again may help.

mod attempt;
mod courier;
mod delivery;
mod options;

pub use courier::Courier;
pub use delivery::{Delivery, DeliveryFailure, DeliveryOutcome, MqttOptions};
pub use options::CourierOptions;
