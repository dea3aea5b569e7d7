//! The NGSI-LD face of a twin (ETSI GS CIM 009 v1.9.1, clause 6): entities, their history,
//! discovery and subscriptions over HTTP, below `/ngsi-ld/v1`.
//!
//! ```text
//! request ─ request.rs ─ operations/* ─ engine ─ represent/* ─ answer
//!             (caller,      (one call     (every   (records to
//!              context)      each)         rule)     JSON text)
//!                    parse/* (JSON text to write types)
//! subscriptions/*  follows the log and sends notifications
//! ```

mod contexts;
mod egress;
mod face;
mod fault;
mod federation;
mod notified;
mod openapi;
mod operations;
mod options;
mod outbox;
mod parse;
mod registrations;
mod represent;
mod request;
mod respond;
mod snapshots;
mod stream;
mod subscriptions;

pub use contexts::{
    CONTEXT_KIND, ContextLoader, ContextUnavailable, LoadedContext, NoContextLoader,
    context_operation,
};
pub use egress::GateLoader;
pub use face::{BASE, NotificationRunner, NotificationWatch, router};
pub use notified::{Notice, Notified, NotifiedEntity, Told};
pub use options::{NgsildLimits, NgsildOptions};

pub use subscriptions::{
    Courier, DeliveryError, DeliveryFigures, DeliveryOptions, Message, MqttParameters, NoCourier,
    SUBSCRIPTION_KIND,
};
