//! Features that clients send, to changes of entities (OGC 20-002, clauses 6, 7 and 9).
//!
//! A feature is what the table of its collection shows, so a property is written where its column is
//! read: a value, when it was observed, its unit, the text in a language, an attribute of the
//! attribute, the instance of a dataset. A name that no column has is an attribute that is new to the
//! collection, called by the term of the configured context, else in the default context of NGSI-LD.
//!
//! What is sent is compared with what is shown, and only what differs is written: a feature that
//! comes back as it was read changes nothing. A replacement takes away what is shown and not sent;
//! what features do not show (further types, scopes, when the entity expires, attributes beyond the
//! limit of columns) is none of its business and stays.

mod body;
mod condition;
mod draft;
mod target;
mod value;

pub(crate) use body::{ACCEPT_PATCH, ACCEPT_POST, Sent, given_id};
pub(crate) use condition::{Conditions, State, last_modified};
pub(crate) use draft::Draft;
pub(crate) use target::Shape;
