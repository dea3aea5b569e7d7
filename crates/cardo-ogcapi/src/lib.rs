//! The OGC API face of a twin: Features (OGC 17-069r4) and vector tiles (OGC 20-057) over HTTP,
//! below `/ogc`.
//!
//! ```text
//! request ─ request.rs ─ operations/* ─ engine ─ represent/* (GeoJSON) ─ answer
//!             (caller,      (one call     (every   documents/* (JSON)
//!              format)       each)         rule)   html/*      (pages)
//!                                           answer/* (pages of features, whole or as a stream)
//!           receive/* (features that are sent, to changes)
//!           params/* (query strings to filters and pages)   tiles/* (vector tiles)
//! ```
//!
//! A type of entities is a collection, an entity a feature; names and columns are those of
//! [`cardo_engine::Tables`].

mod answer;
mod documents;
mod face;
mod fault;
mod html;
mod layers;
mod operations;
mod options;
mod params;
mod receive;
mod represent;
mod request;
mod respond;
mod survey;
mod systems;
mod tiles;

pub use face::{BASE, router};
pub use options::{OgcLimits, OgcOptions};
pub use systems::Systems;
