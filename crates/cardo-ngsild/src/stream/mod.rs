//! Following a question, an extension of Cardo: what a subscription would tell a receiver is told to
//! one who stays connected, by Server-Sent Events or WebSocket at `/ngsi-ld/v1/stream`. Whoever was
//! cut off goes on where they were, by a cursor.
//!
//! The log is followed at the reader's own pace: a change is taken from it when the one before is
//! written, so a slow reader holds nothing but their place.

mod cursor;
mod following;
mod places;
mod question;
mod sse;
mod websocket;

pub(crate) use places::Places;
pub(crate) use sse::{follow, follow_posted};
pub(crate) use websocket::{accept, is_upgrade};
