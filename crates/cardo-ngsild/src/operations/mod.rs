//! One function an operation of clause 5: parameters in, one engine call, an answer out.

pub(crate) mod attributes;
pub(crate) mod batch;
pub(crate) mod contexts;
pub(crate) mod deliveries;
pub(crate) mod discovery;
mod distributed;
mod documents;
pub(crate) mod entities;
pub(crate) mod entity_maps;
pub(crate) mod identity;
mod join;
pub(crate) mod merge;
mod names;
mod ordering;
pub(crate) mod parcels;
pub(crate) mod post_query;
mod projection;
pub(crate) mod purge;
pub(crate) mod query;
pub(crate) mod registrations;
mod representation;
mod selection;
pub(crate) mod snapshots;
pub(crate) mod source_subscriptions;
pub(crate) mod subscriptions;
pub(crate) mod temporal;

pub(crate) use discovery::add_context;
pub(crate) use join::Shaped;
pub(crate) use names::ContextNames;
pub(crate) use ordering::OrderText;
pub(crate) use projection::{ProjectionText, dataset_ids, members};
pub(crate) use representation::ShapeText;
pub(crate) use selection::{QuestionText, check_source_filter, question, selects, source_filter};
