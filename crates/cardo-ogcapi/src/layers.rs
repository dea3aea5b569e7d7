//! Layers that are files, beside the types of the twin.

use std::sync::Arc;

use cardo_engine::{
    EntityQuery, Layer, LayerError, LayerQuestionError, Page, Snapshot, Table, Tables, TileLayer,
    TypeInfo,
};
use cardo_model::Record;

use crate::face::Face;
use crate::fault::Fault;
use crate::request::Ask;

/// The largest page of a layer.
pub(crate) const MOST_ON_A_PAGE: usize = 10_000;

/// Tables with those of layers beside them, as they were last put together.
#[derive(Default)]
pub(crate) struct Joined {
    of: (u64, u64),
    tables: Option<Arc<Tables>>,
}

impl Face {
    /// The layers that the caller sees: whoever sees the twin as a whole sees them all.
    pub(crate) fn layers<'a>(&self, ask: &'a Ask<'_>) -> &'a [Arc<dyn Layer>] {
        ask.layers.get_or_init(|| {
            let layers = self.options.layers.as_ref();
            layers.map(|layers| layers.seen_by(&ask.caller)).unwrap_or_default()
        })
    }

    /// The layers of ready tiles that the caller sees.
    pub(crate) fn tile_layers<'a>(&self, ask: &'a Ask<'_>) -> &'a [Arc<dyn TileLayer>] {
        ask.tile_layers.get_or_init(|| {
            let layers = self.options.layers.as_ref();
            layers.map(|layers| layers.tiles_seen_by(&ask.caller)).unwrap_or_default()
        })
    }

    /// The tables of a twin with those of the layers; a type comes before a layer of its name.
    pub(crate) fn with_layers(&self, ask: &Ask<'_>, tables: Arc<Tables>) -> Arc<Tables> {
        let layers = self.layers(ask);
        if layers.is_empty() && self.tile_layers(ask).is_empty() {
            return tables;
        }
        let version = self.layers_version(ask);
        let of = (tables.version(), version);
        let Ok(mut joined) = self.joined.lock() else { return tables };
        if let Some(known) = joined.tables.as_ref().filter(|_| joined.of == of) {
            return known.clone();
        }
        let others = layers.iter().map(|layer| &layer.description().table);
        let both = Arc::new(tables.beside(others, version));
        *joined = Joined { of, tables: Some(both.clone()) };
        both
    }

    /// A number that differs where there are other layers, or others of the same names.
    pub(crate) fn layers_version(&self, ask: &Ask<'_>) -> u64 {
        let tables = self.layers(ask).iter().map(|layer| layer.description().version);
        let tiles = self.tile_layers(ask).iter().map(|layer| layer.description().version);
        tables.chain(tiles).fold(0, |all: u64, version| all.rotate_left(7) ^ version)
    }

    /// The layer that a table is of.
    pub(crate) fn layer_of(&self, ask: &Ask<'_>, table: &Table) -> Option<Arc<dyn Layer>> {
        let is_it =
            |layer: &&Arc<dyn Layer>| layer.description().table.type_name == table.type_name;
        self.layers(ask).iter().find(is_it).cloned()
    }

    /// What is known of a table: of a type by a snapshot, of a layer by its file.
    pub(crate) fn info_of(
        &self,
        ask: &Ask<'_>,
        snapshot: &Snapshot,
        table: &Table,
    ) -> Option<TypeInfo> {
        match self.layer_of(ask, table) {
            Some(layer) => Some(info_of_layer(&*layer)),
            None => snapshot.type_info(table.type_name.as_str()),
        }
    }

    /// A page of a layer. Files are read beside the threads that answer requests.
    pub(crate) async fn page_of_layer(
        &self,
        ask: &Ask<'_>,
        layer: Arc<dyn Layer>,
        query: &EntityQuery,
    ) -> Result<Page, Fault> {
        let (view, query) = (ask.caller.view.clone(), query.clone());
        let revision = self.snapshot(ask).await?.revision();
        let ask = move || match layer.query(&view, &query) {
            // How many match may be left out where it is not cheap (/req/core/fc-numberMatched).
            Err(LayerQuestionError::TooMuch { .. }) if query.count && query.order.by.is_empty() => {
                let page = layer.query(&view, &EntityQuery { count: false, ..query })?;
                // What comes before would have to be read from the beginning.
                Ok(Page { has_before: false, ..page })
            }
            answer => answer,
        };
        let page = in_background(ask).await??;
        Ok(Page { revision, ..page })
    }

    /// A feature of a layer by its id.
    pub(crate) async fn feature_of_layer(
        &self,
        ask: &Ask<'_>,
        layer: Arc<dyn Layer>,
        id: &str,
    ) -> Result<Option<Record>, Fault> {
        let (view, id) = (ask.caller.view.clone(), id.to_owned());
        in_background(move || match layer.retrieve(&view, &id)? {
            None if layer.is_damaged(&id) => Err(Fault::not_found(format!(
                "the feature {id:?} is damaged in the file of its layer and cannot be read"
            ))),
            found => Ok(found),
        })
        .await?
    }
}

/// What is known of a layer, without its features that cannot be read.
pub(crate) fn info_of_layer(layer: &dyn Layer) -> TypeInfo {
    let description = layer.description();
    TypeInfo { count: description.count(), ..description.info.clone() }
}

/// The layer of ready tiles that the path names; a collection with a table comes before one.
pub(crate) fn tile_layer_of<'a>(
    tables: &Tables,
    ask: &'a Ask<'_>,
) -> Result<Option<&'a Arc<dyn TileLayer>>, Fault> {
    let name = ask.segment(1)?;
    Ok(if tables.get(&name).is_some() { None } else { ask.tile_layer(&name) })
}

/// Work that waits for a disk.
pub(crate) async fn in_background<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Fault> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|error| Fault::failed(&error))
}

impl From<LayerError> for Fault {
    fn from(error: LayerError) -> Self {
        Self::unreadable(&error)
    }
}

impl From<LayerQuestionError> for Fault {
    fn from(error: LayerQuestionError) -> Self {
        match error {
            LayerQuestionError::Unreadable(error) => error.into(),
            LayerQuestionError::TooMuch { .. } => Self::invalid(error.to_string()),
        }
    }
}
