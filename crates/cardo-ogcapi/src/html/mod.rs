//! Pages for people: the same content and links as the JSON documents.

mod capabilities;
mod features;
mod layout;
mod map;

pub(crate) use capabilities::{
    collection_page, collections_page, conformance_page, definition_page, functions_page,
    landing_page, links_page, schema_page, tile_collection_page,
};
pub(crate) use features::{feature_page, features_page};
pub(crate) use layout::fault_page;
