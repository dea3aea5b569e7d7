use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;

use async_graphql::dynamic::Schema;
use axum::Router;
use axum::http::request::Parts;
use cardo_engine::{
    Caller, Column, Engine, EntityQuery, Order, PageRequest, PageStart, Table, Tables,
};
use cardo_http::{Access, EntityTags, Rights, asked_twin};
use cardo_model::{EntityId, Iri, NameId, Record, TwinId};
use cardo_query::Filter;
use parking_lot::Mutex;

use crate::documents::Documents;
use crate::fault::{Code, Fault};
use crate::http;
use crate::model::{ColumnExt, Model, Seen, Targets};
use crate::options::GraphqlOptions;
use crate::plan::Plans;
use crate::resolve::ids_of;
use crate::schema;

/// Where the face stands.
pub const BASE: &str = "/graphql";

/// How many schemas are kept.
const MAX_SCHEMAS: usize = 256;
/// How many entities are looked at to learn where a relationship leads.
const SAMPLE: usize = 200;

/// What all requests share.
pub(crate) struct Face {
    pub(crate) engine: Engine,
    pub(crate) options: GraphqlOptions,
    default_twin: TwinId,
    origin: Arc<str>,
    pub(crate) documents: Documents,
    pub(crate) tags: EntityTags,
    schemas: Mutex<Schemas>,
    /// The number of the next schema.
    serial: AtomicU64,
    /// Relationships of which entities of several types were met after their schema was made.
    mixed: Mutex<HashSet<(TwinId, Iri, Box<str>)>>,
}

#[derive(Default)]
struct Schemas {
    by_key: HashMap<Key, Arc<Built>>,
    order: VecDeque<Key>,
}

/// Which schema: of which twin in which shape, and for whom, where not everything may be seen.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Key {
    twin: TwinId,
    version: u64,
    /// Tells layers apart, each in each of its versions.
    layers: u64,
    restricted: Option<Box<str>>,
}

/// A schema and what it was made of.
pub(crate) struct Built {
    pub(crate) schema: Schema,
    pub(crate) model: Arc<Model>,
    pub(crate) plans: Plans,
    /// Differs from that of every other schema of this run.
    pub(crate) serial: u64,
}

/// Everything at [`BASE`].
pub fn router(engine: Engine, options: GraphqlOptions) -> Router {
    http::routes(&Arc::new(Face::new(engine, options)))
}

/// The schema of the caller's twin in the schema language.
pub async fn sdl(engine: &Engine, caller: &Caller) -> Result<String, String> {
    let face = Face::new(engine.clone(), GraphqlOptions::default());
    let built = face.built(caller).await.map_err(|fault| fault.message)?;
    Ok(built.schema.sdl())
}

impl Face {
    fn new(engine: Engine, options: GraphqlOptions) -> Self {
        Self {
            engine,
            options,
            default_twin: TwinId::default(),
            origin: "graphql".into(),
            documents: Documents::default(),
            tags: EntityTags::default(),
            schemas: Mutex::default(),
            serial: AtomicU64::default(),
            mixed: Mutex::default(),
        }
    }

    /// Which twin a request is about: by header, or by the prefix of its path.
    pub(crate) fn twin(&self, parts: &Parts) -> Result<TwinId, Fault> {
        let twin = asked_twin(parts);
        let twin = twin.map_err(|error| Fault::new(Code::BadRequest, error.to_string()))?;
        Ok(twin.unwrap_or_else(|| self.default_twin.clone()))
    }

    /// Who asks, where they may do what they want.
    pub(crate) async fn caller(
        &self,
        headers: &axum::http::HeaderMap,
        twin: &TwinId,
        rights: Rights,
    ) -> Result<Caller, Fault> {
        let granted = self.options.authorize.authorize(&Access { headers, twin, rights })?;
        Ok(Caller {
            twin: twin.clone(),
            principal: granted.principal,
            view: granted.view,
            origin: self.origin.clone(),
            reach: cardo_http::reach(&self.engine, headers, twin).await?,
        })
    }

    /// The schema of the twin as the caller sees it; made anew when the twin has another shape, or
    /// other layers.
    pub(crate) async fn built(&self, caller: &Caller) -> Result<Arc<Built>, Fault> {
        let tables = self.engine.tables(caller).await?;
        let restricted = caller.view.restriction().map(|_| caller.principal.as_str().into());
        let layers = self.options.layers.as_ref().map(|layers| layers.seen_by(caller));
        let layers = layers.unwrap_or_default();
        let of_layers = layers.iter().fold(layers.len() as u64, |all, layer| {
            all.rotate_left(7) ^ layer.description().version
        });
        let (twin, version) = (caller.twin.clone(), tables.version());
        let key = Key { twin, version, layers: of_layers, restricted };
        if let Some(built) = self.schemas.lock().by_key.get(&key) {
            return Ok(built.clone());
        }
        let targets = self.sample(caller, &tables).await?;
        let model = Arc::new(Model::new(tables, layers, &targets));
        let schema = schema::build(&model).map_err(|error| {
            tracing::error!(%error, "no schema could be made of the twin");
            Fault::new(Code::Internal, "no schema could be made of the twin; the log says why")
        })?;
        let serial = self.serial.fetch_add(1, Relaxed);
        let built = Arc::new(Built { schema, model, plans: Plans::default(), serial });
        self.schemas.lock().put(key, built.clone());
        Ok(built)
    }

    /// Learns that a relationship leads to entities of several types.
    pub(crate) fn learn_mixed(&self, caller: &Caller, table: &Table, column: &Column) {
        let key = (caller.twin.now(), table.type_name.clone(), column.name.clone());
        self.mixed.lock().insert(key);
        self.schemas.lock().forget(&caller.twin);
    }

    /// Looks where relationships lead.
    async fn sample(&self, caller: &Caller, tables: &Tables) -> Result<Sample, Fault> {
        let mut sample = Sample::default();
        for table in tables.all() {
            for (at, column) in table.columns.iter().enumerate() {
                if !column.is_relationship() {
                    continue;
                }
                let filter =
                    Filter::Type(table.type_name.clone()).and(Filter::Exists(column.path.clone()));
                let records = self.some(caller, filter).await?;
                let ids = records.iter().flat_map(|record| ids_of(table, record, at));
                let mut ids: Vec<EntityId> = ids.filter_map(|id| EntityId::new(id).ok()).collect();
                ids.sort_unstable();
                ids.dedup();
                ids.truncate(SAMPLE);
                let mut seen = self.seen(&self.some(caller, Filter::Ids(ids)).await?);
                let key = (caller.twin.now(), table.type_name.clone(), column.name.clone());
                if self.mixed.lock().contains(&key) {
                    seen.all.clear();
                }
                sample.0.insert((table.type_name.clone(), column.name.clone()), seen);
            }
        }
        Ok(sample)
    }

    async fn some(&self, caller: &Caller, filter: Filter) -> Result<Vec<Record>, Fault> {
        let page = PageRequest { limit: SAMPLE, start: PageStart::Offset(0) };
        let query = EntityQuery { filter, order: Order::default(), page, count: false };
        Ok(self.engine.query(caller, &query).await?.entities)
    }

    fn seen(&self, records: &[Record]) -> Seen {
        let mut any: Vec<NameId> = Vec::new();
        let mut all: Option<Vec<NameId>> = None;
        for record in records {
            let types: Vec<NameId> = record.view().types().collect();
            any.extend(types.iter().copied());
            match &mut all {
                None => all = Some(types),
                Some(all) => all.retain(|name| types.contains(name)),
            }
        }
        any.sort_unstable();
        any.dedup();
        let iris = |names: Vec<NameId>| {
            names.into_iter().filter_map(|name| self.engine.names().name(name)).collect()
        };
        Seen { any: iris(any), all: iris(all.unwrap_or_default()) }
    }
}

impl Schemas {
    fn put(&mut self, key: Key, built: Arc<Built>) {
        if self.by_key.insert(key.clone(), built).is_none() {
            self.order.push_back(key);
        }
        while self.order.len() > MAX_SCHEMAS {
            let Some(oldest) = self.order.pop_front() else { return };
            self.by_key.remove(&oldest);
        }
    }

    fn forget(&mut self, twin: &TwinId) {
        self.by_key.retain(|key, _| key.twin != *twin);
        self.order.retain(|key| key.twin != *twin);
    }
}

/// What was seen of relationships, by type and column.
#[derive(Default)]
struct Sample(HashMap<(Iri, Box<str>), Seen>);

impl Targets for Sample {
    fn of(&self, table: &Table, column: &Column) -> Seen {
        self.0.get(&(table.type_name.clone(), column.name.clone())).cloned().unwrap_or_default()
    }
}
