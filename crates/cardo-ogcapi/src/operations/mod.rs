//! One module a resource.

mod collections;
mod definition;
mod features;
mod landing;
mod schemas;

pub(crate) use collections::{collection, collections};
pub(crate) use definition::api_definition;
pub(crate) use features::{feature, features};
pub(crate) use landing::{conformance, landing_page};
pub(crate) use schemas::{queryables, schema};
