use std::sync::{Arc, Mutex};
use std::time::Instant;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::header::ALLOW;
use axum::http::{HeaderValue, Method, Response, Uri};
use axum::routing::{MethodRouter, any, get};
use cardo_engine::{Engine, Snapshot, Table, Tables};
use cardo_http::{EntityTags, Rights};
use cardo_model::TwinId;
use tokio::sync::Semaphore;
use tower::Service;

use crate::fault::Fault;
use crate::layers::Joined;
use crate::operations as op;
use crate::options::OgcOptions;
use crate::request::Ask;
use crate::respond;
use crate::tiles::KeptTiles;

/// Where the face stands.
pub const BASE: &str = "/ogc";

/// How many tiles may read much of a file at once; others wait for their turn.
const SCANS: usize = 2;

/// What all operations share.
pub(crate) struct Face {
    pub(crate) engine: Engine,
    pub(crate) options: OgcOptions,
    pub(crate) default_twin: TwinId,
    pub(crate) origin: Arc<str>,
    pub(crate) tags: EntityTags,
    /// Room for large answers.
    pub(crate) streams: Arc<Semaphore>,
    /// Turns of tiles for which much of a file is read.
    pub(crate) scans: Arc<Semaphore>,
    pub(crate) tiles: KeptTiles,
    pub(crate) joined: Mutex<Joined>,
}

/// Makes a handler of an operation `async fn(&Face, &Ask) -> Result<Response, Fault>`.
macro_rules! handler {
    ($face:expr, $label:literal, $operation:path) => {{
        let face: Arc<Face> = $face.clone();
        get(move |request: Request| {
            let face = face.clone();
            async move {
                let at = face.options.observer.is_some().then(Instant::now);
                let (parts, _) = request.into_parts();
                let outcome = match face.ask(&parts, Rights::Read).await {
                    Ok(ask) => {
                        $operation(&face, &ask).await.map(|answer| face.tagged(&ask, answer))
                    }
                    Err(fault) => Err(fault),
                };
                let response = outcome.unwrap_or_else(|fault| respond::fault(&parts, &fault));
                if let (Some(observer), Some(at)) = (&face.options.observer, at) {
                    observer.answered($label, response.status(), at.elapsed());
                }
                response
            }
        })
        .fallback(wrong_method)
    }};
}

/// Makes a handler of an operation `async fn(&Face, &Ask, Body) -> Result<Response, Fault>`.
macro_rules! change {
    ($face:expr, $label:literal, $rights:ident, $operation:path) => {{
        let face: Arc<Face> = $face.clone();
        move |request: Request| {
            let face = face.clone();
            async move {
                let at = face.options.observer.is_some().then(Instant::now);
                let (parts, body) = request.into_parts();
                let outcome = match face.ask(&parts, Rights::$rights).await {
                    Ok(ask) => $operation(&face, &ask, body).await,
                    Err(fault) => Err(fault),
                };
                let response = outcome.unwrap_or_else(|fault| respond::fault(&parts, &fault));
                if let (Some(observer), Some(at)) = (&face.options.observer, at) {
                    observer.answered($label, response.status(), at.elapsed());
                }
                response
            }
        }
    }};
}

/// The features of a collection: they are asked for, and one is added.
fn items(face: &Arc<Face>) -> MethodRouter {
    handler!(face, "ogc-features", op::features)
        .post(change!(face, "ogc-create", Write, op::create))
        .options(change!(face, "ogc-options", Read, op::options))
        .fallback(wrong_method_of_items)
}

/// A feature.
fn item(face: &Arc<Face>) -> MethodRouter {
    handler!(face, "ogc-feature", op::feature)
        .put(change!(face, "ogc-replace", Write, op::replace))
        .patch(change!(face, "ogc-update", Write, op::update))
        .delete(change!(face, "ogc-delete", Write, op::delete))
        .options(change!(face, "ogc-options", Read, op::options))
        .fallback(wrong_method_of_item)
}

/// Everything below [`BASE`].
pub fn router(engine: Engine, options: OgcOptions) -> Router {
    let streams = Arc::new(Semaphore::new(options.limits.streams));
    let face = Arc::new(Face {
        engine,
        tiles: KeptTiles::new(options.limits.tile_bytes),
        joined: Mutex::default(),
        options,
        default_twin: TwinId::default(),
        origin: "ogc-api".into(),
        tags: EntityTags::default(),
        streams,
        scans: Arc::new(Semaphore::new(SCANS)),
    });
    routes(&face)
}

fn routes(face: &Arc<Face>) -> Router {
    let known = Routes(Router::new())
        .at("", handler!(face, "ogc-landing-page", op::landing_page))
        .at("/api", handler!(face, "ogc-api-definition", op::api_definition))
        .at("/conformance", handler!(face, "ogc-conformance", op::conformance))
        .at("/functions", handler!(face, "ogc-functions", op::functions))
        .at("/collections", handler!(face, "ogc-collections", op::collections))
        .at("/collections/{id}", handler!(face, "ogc-collection", op::collection))
        .at("/collections/{id}/queryables", handler!(face, "ogc-queryables", op::queryables))
        .at("/collections/{id}/sortables", handler!(face, "ogc-sortables", op::sortables))
        .at("/collections/{id}/schema", handler!(face, "ogc-schema", op::schema))
        .at("/collections/{id}/items", items(face))
        .of_id("/collections/{id}/items/", item(face))
        .of_id("/features/", handler!(face, "ogc-feature-of-id", op::feature_of_id))
        .at("/collections/{id}/tiles", handler!(face, "ogc-tilesets", op::collection_tilesets))
        .at("/collections/{id}/tiles/{set}", handler!(face, "ogc-tileset", op::collection_tileset))
        .at(
            "/collections/{id}/tiles/{set}/{matrix}/{row}/{col}",
            handler!(face, "ogc-tile", op::collection_tile),
        )
        .at(
            "/collections/{id}/map/tiles",
            handler!(face, "ogc-map-tilesets", op::collection_map_tilesets),
        )
        .at(
            "/collections/{id}/map/tiles/{set}",
            handler!(face, "ogc-map-tileset", op::collection_map_tileset),
        )
        .at(
            "/collections/{id}/map/tiles/{set}/{matrix}/{row}/{col}",
            handler!(face, "ogc-map-tile", op::collection_map_tile),
        )
        .at("/tiles", handler!(face, "ogc-dataset-tilesets", op::dataset_tilesets))
        .at("/tiles/{set}", handler!(face, "ogc-dataset-tileset", op::dataset_tileset))
        .at(
            "/tiles/{set}/{matrix}/{row}/{col}",
            handler!(face, "ogc-dataset-tile", op::dataset_tile),
        )
        .at("/styles", handler!(face, "ogc-dataset-styles", op::dataset_styles))
        .at("/styles/{style}", handler!(face, "ogc-dataset-style", op::dataset_style))
        .at("/collections/{id}/styles", handler!(face, "ogc-styles", op::collection_styles))
        .at("/collections/{id}/styles/{style}", handler!(face, "ogc-style", op::collection_style))
        .at("/aggregates", handler!(face, "ogc-aggregates", op::aggregates))
        .at("/tileMatrixSets", handler!(face, "ogc-tile-matrix-sets", op::tile_matrix_sets))
        .at("/tileMatrixSets/{set}", handler!(face, "ogc-tile-matrix-set", op::tile_matrix_set))
        .0
        .route(
            &format!("{BASE}/assets/pages.js"),
            get(respond::page_script).fallback(wrong_method),
        );
    let again = known.clone().fallback(nothing_here);
    let glued = move |request: Request| glued(again.clone(), request);
    known.route(&format!("{BASE}/{{*rest}}"), any(glued))
}

/// Answers where a root with a slash at its end was glued to a path that begins with one.
async fn glued(mut known: Router, mut request: Request) -> Response<Body> {
    match joined(request.uri()) {
        Some(uri) => {
            *request.uri_mut() = uri;
            known.call(request).await.unwrap_or_else(|never| match never {})
        }
        None => nothing_here(request).await,
    }
}

fn joined(uri: &Uri) -> Option<Uri> {
    let rest = uri.path_and_query()?.as_str().strip_prefix(BASE)?;
    let path = format!("{BASE}/{}", rest.strip_prefix("//")?.trim_start_matches('/'));
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = Some(path.try_into().ok()?);
    Uri::from_parts(parts).ok()
}

/// Routes below [`BASE`], each with and without a slash at its end: clients glue paths to the root
/// that they were given.
struct Routes(Router);

impl Routes {
    /// What has an id, whatever that is made of.
    fn of_id(self, path: &str, methods: MethodRouter) -> Self {
        Self(self.0.route(&format!("{BASE}{path}{{*feature}}"), methods))
    }

    fn at(self, path: &str, methods: MethodRouter) -> Self {
        let path = format!("{BASE}{path}");
        let with_slash = format!("{path}/");
        Self(self.0.route(&path, methods.clone()).route(&with_slash, methods))
    }
}

async fn nothing_here(request: Request) -> Response<Body> {
    let (parts, _) = request.into_parts();
    let detail = format!("there is nothing at {:?}; {BASE} is where to start", parts.uri.path());
    respond::fault(&parts, &Fault::not_found(detail))
}

async fn wrong_method(request: Request) -> Response<Body> {
    let (parts, _) = request.into_parts();
    if parts.method == Method::OPTIONS {
        let mut response = Response::new(Body::empty());
        let methods = HeaderValue::from_static("GET, HEAD, OPTIONS");
        response.headers_mut().insert(ALLOW, methods);
        return response;
    }
    respond::fault(&parts, &Fault::wrong_method(&parts.method, "GET, HEAD"))
}

async fn wrong_method_of_items(request: Request) -> Response<Body> {
    let (parts, _) = request.into_parts();
    respond::fault(&parts, &Fault::wrong_method(&parts.method, op::ITEMS_METHODS))
}

async fn wrong_method_of_item(request: Request) -> Response<Body> {
    let (parts, _) = request.into_parts();
    respond::fault(&parts, &Fault::wrong_method(&parts.method, op::ITEM_METHODS))
}

impl Face {
    /// The tables of the twin that is asked for: its collections.
    pub(crate) async fn tables(&self, ask: &Ask<'_>) -> Result<Arc<Tables>, Fault> {
        let tables = self.with_layers(ask, self.engine.tables(&ask.caller).await?);
        // An answer is made of one shape; the first that was looked at decides.
        let _ = ask.shape.set(tables.version());
        Ok(tables)
    }

    /// The twin as it is now.
    pub(crate) async fn snapshot(&self, ask: &Ask<'_>) -> Result<Snapshot, Fault> {
        match self.engine.loaded_snapshot(&ask.caller) {
            Some(snapshot) => Ok(snapshot),
            None => Ok(self.engine.snapshot(&ask.caller).await?),
        }
    }
}

/// The collection that the path names.
pub(crate) fn collection_of<'t>(tables: &'t Tables, ask: &Ask<'_>) -> Result<&'t Table, Fault> {
    let name = ask.segment(1)?;
    tables.get(&name).ok_or_else(|| match ask.tile_layer(&name) {
        Some(layer) => op::no_features(layer.description()),
        None => Fault::not_found(format!(
            "there is no collection {name:?}; {BASE}/collections lists those that there are"
        )),
    })
}
