use std::collections::HashMap;

use axum::body::Body;
use axum::http::Response;
use cardo_engine::{Layer, Table, TypeInfo};
use cardo_query::Filter;
use serde_json::{Value, json};

use crate::documents::{Collection, links_json, own_links, tile_collection};
use crate::face::{Face, collection_of};
use crate::fault::Fault;
use crate::html;
use crate::layers::{info_of_layer, tile_layer_of};
use crate::request::{Ask, Format};
use crate::respond;

const JSON: &str = "application/json";

/// The collections: every type of the twin and every layer (clause 7.13).
pub(crate) async fn collections(face: &Face, ask: &Ask<'_>) -> Result<Response<Body>, Fault> {
    ask.query.only(&["f"])?;
    let format = ask.format(JSON)?;
    let tables = face.tables(ask).await?;
    let snapshot = face.engine.snapshot_with_times(&ask.caller).await?;
    let mut infos: HashMap<_, TypeInfo> =
        snapshot.types().into_iter().map(|info| (info.name.clone(), info)).collect();
    let all = tables.all().iter().filter_map(|table| {
        let Some(layer) = face.layer_of(ask, table) else {
            let info = infos.remove(&table.type_name)?;
            return Some(Collection { table, info, damaged: 0, system: None });
        };
        Some(of_layer(table, &*layer))
    });
    let all: Vec<Collection<'_>> = all.collect();
    // A layer whose name a collection has cannot be named.
    let layers = face.tile_layers(ask).iter().map(|layer| layer.description());
    let layers: Vec<_> = layers.filter(|layer| tables.get(&layer.name).is_none()).collect();
    let revision = snapshot.revision();
    if format == Format::Html {
        return Ok(respond::page(
            html::collections_page(ask, &all, &layers, &face.options.systems),
            revision,
        ));
    }
    let systems = &face.options.systems;
    let of_tables = all.iter().map(|one| one.to_json(ask, None, systems));
    let of_layers = layers.iter().map(|layer| tile_collection(ask, layer, None));
    let list: Vec<Value> = of_tables.chain(of_layers).collect();
    let links = links_json(&own_links(ask, format, JSON));
    let body =
        json!({ "links": links, "crs": systems.uris().collect::<Vec<_>>(), "collections": list });
    Ok(respond::json(JSON, &body, revision))
}

/// One collection (clause 7.14).
pub(crate) async fn collection(face: &Face, ask: &Ask<'_>) -> Result<Response<Body>, Fault> {
    ask.query.only(&["f"])?;
    let format = ask.format(JSON)?;
    let tables = face.tables(ask).await?;
    if let Some(layer) = tile_layer_of(&tables, ask)? {
        let (layer, revision) = (layer.description(), face.snapshot(ask).await?.revision());
        return Ok(match format {
            Format::Html => respond::page(html::tile_collection_page(ask, layer), revision),
            Format::Json => {
                respond::json(JSON, &tile_collection(ask, layer, Some(format)), revision)
            }
        });
    }
    let table = collection_of(&tables, ask)?;
    let snapshot = face.engine.snapshot_with_times(&ask.caller).await?;
    snapshot.check(&Filter::Type(table.type_name.clone()))?;
    let collection = if let Some(layer) = face.layer_of(ask, table) {
        of_layer(table, &*layer)
    } else {
        let info = snapshot.type_info(table.type_name.as_str());
        let info =
            info.ok_or_else(|| Fault::not_found(format!("{:?} is empty now", table.name)))?;
        Collection { table, info, damaged: 0, system: None }
    };
    let revision = snapshot.revision();
    if format == Format::Html {
        return Ok(respond::page(
            html::collection_page(ask, &collection, &face.options.systems),
            revision,
        ));
    }
    Ok(respond::json(JSON, &collection.to_json(ask, Some(format), &face.options.systems), revision))
}

fn of_layer<'t>(table: &'t Table, layer: &dyn Layer) -> Collection<'t> {
    let info = info_of_layer(layer);
    let damaged = layer.description().info.count.saturating_sub(info.count);
    let system = layer.description().system.clone();
    Collection { table, info, damaged, system }
}
