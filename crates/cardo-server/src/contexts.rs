use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use cardo_egress::Gate;
use cardo_engine::{Caller, Engine, Terms, Vocabulary, WhichInstances};
use cardo_ingest::{Contexts, Pushed, PushedEntity, ReadEntities, Told};
use cardo_jsonld::{Context, ContextBuilder, Document, Limits, Step, compact_value, compact_vocab};
use cardo_model::{Entity, InstanceRef, Iri, Kind};
use cardo_ngsild::{CONTEXT_KIND, ContextLoader, GateLoader, Notice, Notified};

/// Gives sources the contexts that the faces know too: those of the configuration, those that
/// `cardo context add` has kept, and downloads.
pub(crate) struct KnownContexts {
    engine: Engine,
    preloaded: Vec<Document>,
    loader: Option<GateLoader>,
    limits: Limits,
    learned: Mutex<HashMap<String, Learned>>,
}

/// A context of notifications, and when it was made.
type Learned = (Instant, Arc<Context>);

/// Notifications come often and name the same context; it is made anew after this long.
const LEARNED_FOR: Duration = Duration::from_secs(600);
/// So many are kept, and none larger than this in its text.
const MOST_LEARNED: usize = 64;
const LONGEST_LEARNED: usize = 16 << 10;

impl KnownContexts {
    /// Without a gate nothing is downloaded.
    pub(crate) fn new(engine: Engine, preloaded: Vec<Document>, gate: Option<Gate>) -> Self {
        let loader = gate.map(GateLoader::new);
        let limits = Limits::default();
        Self { engine, preloaded, loader, limits, learned: Mutex::default() }
    }

    async fn document(&self, url: &str) -> Result<Document, String> {
        if let Some(document) = self.preloaded.iter().find(|document| **document.url() == *url) {
            return Ok(document.clone());
        }
        let parse =
            |bytes: &[u8]| Document::parse(url, bytes, &self.limits).map_err(|e| e.to_string());
        // A store without a twin keeps no contexts yet.
        if let Ok(snapshot) = self.engine.snapshot(&Caller::local("contexts")).await
            && let Some(kept) = snapshot.document(CONTEXT_KIND, url)
        {
            return parse(kept.as_bytes());
        }
        let Some(loader) = &self.loader else {
            return Err(format!("{url} is not kept here; `cardo context add {url} FILE` keeps it"));
        };
        let loaded = loader.load(url, self.limits.document_bytes).await;
        parse(&loaded.map_err(|error| error.to_string())?.bytes)
    }
}

#[async_trait]
impl Contexts for KnownContexts {
    async fn context(&self, url: &str) -> Result<Arc<Context>, String> {
        self.build(url.into()).await
    }
}

impl KnownContexts {
    /// The context of a notification.
    async fn learned(&self, source: serde_json::Value) -> Result<Arc<Context>, String> {
        let lock = || self.learned.lock().unwrap_or_else(PoisonError::into_inner);
        let key = source.to_string();
        if let Some((made, context)) = lock().get(&key)
            && made.elapsed() < LEARNED_FOR
        {
            return Ok(Arc::clone(context));
        }
        let context = self.build(source).await?;
        if key.len() <= LONGEST_LEARNED {
            let mut learned = lock();
            if learned.len() >= MOST_LEARNED {
                learned.clear();
            }
            learned.insert(key, (Instant::now(), Arc::clone(&context)));
        }
        Ok(context)
    }

    async fn build(&self, source: serde_json::Value) -> Result<Arc<Context>, String> {
        let mut builder = ContextBuilder::new(source, self.limits);
        loop {
            match builder.step().map_err(|error| error.to_string())? {
                Step::Ready(context) => return Ok(context),
                Step::Needs(urls) => {
                    for url in urls {
                        builder.supply(Arc::new(self.document(&url).await?));
                    }
                }
            }
        }
    }
}

#[async_trait]
impl ReadEntities for KnownContexts {
    async fn notification(&self, pushed: Pushed<'_>) -> Result<Vec<PushedEntity>, String> {
        let frame = Notified::read(pushed.body)?;
        let named = || pushed.context.map(serde_json::Value::from);
        let context = match frame.context().cloned().or_else(named) {
            Some(source) => self.learned(source).await?,
            None => Context::core(),
        };
        let told = |notice| match notice {
            Notice::Entity(entity, told) => {
                let gone = gone(&entity, &told);
                Told::Entity(entity, gone)
            }
            Notice::Deleted(id, ..) => Told::Deleted(id),
        };
        let entities = frame.entities(&context).into_iter();
        let entities =
            entities.map(|one| PushedEntity { text: one.text, told: one.told.map(told) });
        Ok(entities.collect())
    }
}

/// Which instances of its attributes an entity has lost. One that is told of without a dataset, and
/// beside which nothing is told of its attribute, stands for all of them (clause 5.8.6).
fn gone(entity: &Entity, told: &[cardo_ngsild::Told]) -> Vec<(Iri, WhichInstances)> {
    let gone: Vec<_> = told.iter().filter(|one| one.is_gone).collect();
    let which = |one: &cardo_ngsild::Told| {
        if let Some(dataset_id) = &one.dataset_id {
            return WhichInstances::Dataset(dataset_id.clone());
        }
        let is_there = entity.attributes.iter().any(|attribute| attribute.name == one.name);
        let is_alone = gone.iter().filter(|other| other.name == one.name).count() == 1;
        if is_alone && !is_there { WhichInstances::All } else { WhichInstances::Default }
    };
    gone.iter().map(|one| (one.name.clone(), which(one))).collect()
}

/// The context whose terms are the short names outside NGSI-LD: made of nothing but the documents
/// of the configuration, because names may not depend on whether a download works.
pub(crate) fn names_context(
    url: Option<&str>,
    preloaded: &[Document],
) -> Result<Arc<Context>, String> {
    let Some(url) = url else { return Ok(Context::core()) };
    let text = serde_json::Value::from(url);
    let mut builder = ContextBuilder::new(text, Limits::default());
    loop {
        match builder.step().map_err(|error| error.to_string())? {
            Step::Ready(context) => return Ok(context),
            Step::Needs(urls) => {
                for url in urls {
                    let document = preloaded.iter().find(|document| **document.url() == *url);
                    let document = document.ok_or_else(|| {
                        format!("{url} is not in the table `contexts`, which gives it a file")
                    })?;
                    builder.supply(Arc::new(document.clone()));
                }
            }
        }
    }
}

/// The terms of a context as names of tables and columns, and in values.
pub(crate) fn terms(context: Arc<Context>) -> Terms {
    Terms::of(ContextNames(context))
}

struct ContextNames(Arc<Context>);

impl Vocabulary for ContextNames {
    fn term(&self, iri: &str) -> Option<String> {
        let term = self.0.compact_iri(iri);
        (*term != *iri).then(|| term.into_owned())
    }

    fn iri(&self, term: &str) -> Option<String> {
        self.0.expand_term(term).filter(|iri| iri.contains(':')).map(|iri| iri.to_string())
    }

    fn shortened(&self, value: &InstanceRef<'_>) -> Option<String> {
        let mut out = Vec::with_capacity(value.value_bytes().len());
        match value.kind() {
            Kind::VocabProperty => compact_vocab(value.value(), &self.0, &mut out),
            _ => compact_value(value.value(), &self.0, &mut out),
        }
        String::from_utf8(out).ok()
    }
}
