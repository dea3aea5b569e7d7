//! One module a resource.

mod aggregates;
mod collections;
mod definition;
mod edit;
mod features;
mod functions;
mod geojson_tile;
mod landing;
mod schemas;
mod styles;
mod tile_layers;
mod tiles;
mod tilesets;

pub(crate) use aggregates::aggregates;
pub(crate) use collections::{collection, collections};
pub(crate) use definition::api_definition;
pub(crate) use edit::{ITEM_METHODS, ITEMS_METHODS, create, delete, options, replace, update};
pub(crate) use features::{feature, feature_of_id, features};
pub(crate) use functions::functions;
pub(crate) use landing::{conformance, landing_page};
pub(crate) use schemas::{queryables, schema, sortables};
pub(crate) use styles::{collection_style, collection_styles, dataset_style, dataset_styles};
pub(crate) use tile_layers::{
    collection_map_tile, collection_map_tileset, collection_map_tilesets, no_features,
};
pub(crate) use tiles::{collection_tile, dataset_tile};
pub(crate) use tilesets::{
    collection_tileset, collection_tilesets, dataset_tileset, dataset_tilesets, tile_matrix_set,
    tile_matrix_sets,
};
