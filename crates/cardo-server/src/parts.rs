//! Builds the parts of a server in order, joins them, and stops them in the opposite order.

use std::future::Future;
use std::net::{SocketAddr, TcpListener as StdListener};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use axum::Router;
use axum::routing::any;
use cardo_egress::{Certificate, EgressConfig, Gate};
use cardo_engine::{
    Caller, Engine, EngineOptions, Layers, QueryError, Retention, RetentionRule, StoreError, Terms,
};
use cardo_graphql::GraphqlOptions;
use cardo_http::{Authorize, Cors, InvalidOrigin, InvalidReach, PostedReads, Reach};
use cardo_ingest::{Ingestor, InvalidSource, Sources};
use cardo_jsonld::{Context, ContextError, Document, Limits};
use cardo_layers::{FileLayers, LayerFiles};
use cardo_ngsild::{DeliveryOptions, GateLoader, NgsildLimits, NgsildOptions, NotificationRunner};
use cardo_notify::{Courier, CourierOptions};
use cardo_ogcapi::{OgcLimits, OgcOptions, Systems};
use cardo_spatial::CrsError;
use cardo_store::{SqliteOptions, SqliteStore};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::auth::{AuthError, TokenAuthorizer};
use crate::config::{Config, EgressSection, HistoryConfig, LimitsConfig, NotifySection, Span};
use crate::contexts::{self, KnownContexts, terms};
use crate::courier::GateCourier;
use crate::http::{self, Clients};
use crate::metrics::RequestMetrics;
use crate::operations::{self, Operations};
use crate::reference;
use crate::tls::{Tls, TlsError};

/// Headers of answers that pages of other origins may read.
const EXPOSED: &str = "Link, Location, ETag, Date, Allow, Accept-Patch, Accept-Post, Content-Crs, Content-Disposition, Content-Range, \
     Retry-After, WWW-Authenticate, Preference-Applied, OGC-NumberMatched, OGC-NumberReturned, NGSILD-Results-Count, NGSILD-Tenant, NGSILD-EntityMap, NGSILD-Snapshot, NGSILD-Warning, Cardo-Revision";

/// Where pages of other origins may ask by POST, though they may not write.
const POSTED_READS: PostedReads = PostedReads {
    always: &[
        "/ngsi-ld/v1/entityOperations/query",
        "/ngsi-ld/v1/temporal/entityOperations/query",
        "/ngsi-ld/v1/stream",
    ],
    by_body: &["/graphql"],
};

/// Why a server did not start, or did not stop well.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RunError {
    /// Nobody, or everybody, could use it.
    #[error(transparent)]
    Auth(#[from] AuthError),
    /// Nobody can reach it like that.
    #[error("the section http of the configuration: {0}")]
    Reach(#[from] InvalidReach),
    /// The certificate of the configuration cannot be used.
    #[error("TLS: {0}")]
    Tls(#[from] TlsError),
    /// An origin that cannot be.
    #[error("http.cors_origins: {0}")]
    Origin(#[from] InvalidOrigin),
    /// A pseudonym that cannot stand in a header.
    #[error("federation.alias: {0:?} is no token of HTTP")]
    Alias(String),
    /// The data directory cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The authorities of `egress.ca` cannot be read.
    #[error("egress.ca: {0}")]
    Authorities(String),
    /// A context of the configuration cannot be read.
    #[error("the context {url} cannot be read from {path}: {reason}")]
    ContextFile {
        /// The URL it stands for.
        url: String,
        /// The file.
        path: PathBuf,
        /// What the system said.
        reason: std::io::Error,
    },
    /// A context of the configuration is none.
    #[error("{path} is no context for {url}: {reason}")]
    Context {
        /// The URL it stands for.
        url: String,
        /// The file.
        path: PathBuf,
        /// Why.
        reason: ContextError,
    },
    /// The context that names come from cannot be used.
    #[error("names.context is {url}, and cannot be used: {reason}")]
    NamesContext {
        /// Its URL.
        url: String,
        /// Why.
        reason: String,
    },
    /// A type in `history.rules` is no name.
    #[error("history.rules: {0}; a type is named in full, as a URI")]
    History(String),
    /// A reference system of the configuration cannot be offered.
    #[error("ogc.crs: {0}")]
    Crs(#[from] CrsError),
    /// A source of the configuration cannot run.
    #[error(transparent)]
    Source(#[from] InvalidSource),
    /// The listener is not usable.
    #[error("the listener cannot be used: {0}")]
    Listener(std::io::Error),
}

/// Serves with a configuration until `shutdown` is done; when it returns `Ok`, everything that was
/// acknowledged is on disk and the store is closed.
pub async fn run(
    listener: StdListener,
    config: &Config,
    shutdown: impl Future<Output = ()>,
) -> Result<(), RunError> {
    let address = listener.local_addr().map_err(RunError::Listener)?;
    Parts::open(config, address, None).await?.serve(listener, config, shutdown).await
}

/// An opened server that does not serve yet.
pub(crate) struct Parts {
    pub(crate) engine: Engine,
    pub(crate) ingestor: Ingestor,
    sources: Sources,
    pub(crate) router: Router,
    address: SocketAddr,
    clients: Clients,
    gate: Gate,
    courier: Courier,
    notifications: NotificationRunner,
    /// Ends connections that would go on for ever.
    closing: CancellationToken,
}

impl Parts {
    /// Opens the data directory and joins everything that answers.
    pub(crate) async fn open(
        config: &Config,
        address: SocketAddr,
        notice: Option<&'static str>,
    ) -> Result<Self, RunError> {
        let started = Instant::now();
        let reach = Reach::new(config.http.public_url.as_deref(), &config.http.trusted_proxies)?;
        let policy =
            TokenAuthorizer::new(&config.auth, &config.listen, http::is_loopback(address))?;
        tracing::info!(decision = policy.decision(), "access is decided");
        let is_guarded = policy.anonymous_may_write();
        let cors =
            Arc::new(Cors::new(&config.http.cors_origins, EXPOSED, is_guarded, POSTED_READS)?);
        let authorizer: Arc<dyn Authorize> = Arc::new(policy);
        let tls = Tls::of(&config.http)?;
        for source in &config.sources {
            source.check()?;
        }
        let preloaded = read_contexts(config)?;
        let names = names_context(config, &preloaded)?;
        let engine = open_engine(config, terms(names)).await?;
        let gate = Gate::new(egress(&config.egress)?);
        let timeout = config.notify.timeout.as_duration();
        let courier = CourierOptions { timeout, ..CourierOptions::default() };
        let courier = Courier::new(gate.clone(), courier);
        let requests = Arc::new(RequestMetrics::default());
        let limits = NgsildLimits {
            body_bytes: config.limits.body.as_usize(),
            history_rows: config.limits.history.max(1),
            snapshot_lifetime: config.limits.branch_lifetime.as_duration(),
            ..NgsildLimits::default()
        };
        let closing = CancellationToken::new();
        let options = NgsildOptions {
            authorize: Arc::clone(&authorizer),
            contexts: Arc::new(GateLoader::new(gate.clone())),
            preloaded_contexts: preloaded.clone(),
            sources: Some(gate.clone()),
            split_entities: config.federation.split_entities,
            courier: Arc::new(GateCourier(courier.clone())),
            closing: closing.clone(),
            deliveries: deliveries(&config.notify),
            observer: Some(requests.clone()),
            limits,
        };
        let (face, notifications) = cardo_ngsild::router(engine.clone(), options);
        let systems = Systems::new(config.ogc.crs.iter().map(String::as_str))?;
        let folder = config.layers.folder.clone().unwrap_or_else(|| config.data.join("layers"));
        let named = config.layers.files.clone();
        let files = LayerFiles { folder: Some(folder), named };
        let layers: Arc<dyn Layers> = Arc::new(FileLayers::new(files, LOOK_AT_LAYERS));
        let features = OgcOptions {
            layers: Some(layers.clone()),
            systems,
            authorize: Arc::clone(&authorizer),
            observer: Some(requests.clone()),
            limits: OgcLimits {
                tile_bytes: config.limits.tile_memory.as_usize(),
                ..OgcLimits::default()
            },
            ..OgcOptions::default()
        };
        let graph = GraphqlOptions {
            layers: Some(layers.clone()),
            authorize: Arc::clone(&authorizer),
            observer: Some(requests.clone()),
            ..GraphqlOptions::default()
        };
        let contexts = KnownContexts::new(engine.clone(), preloaded, Some(gate.clone()));
        let contexts = Arc::new(contexts);
        let ingestor = Ingestor::new(engine.clone()).with_contexts(contexts.clone());
        let sources = Sources::new(ingestor.clone()).with_entities(contexts);
        let operations = Operations {
            engine: engine.clone(),
            authorizer,
            requests,
            courier: courier.clone(),
            notifications: notifications.watch(),
            sources: sources.clone(),
            layers,
            max_body: config.limits.body.as_usize(),
            started,
            notice,
        };
        let faces = face
            .merge(cardo_ogcapi::router(engine.clone(), features))
            .merge(cardo_graphql::router(engine.clone(), graph));
        let router = Router::new()
            .merge(faces.clone())
            .merge(reference::router(faces))
            .merge(operations::router(operations))
            .fallback(any(operations::nothing_here));
        Ok(Self {
            engine,
            ingestor,
            sources,
            router,
            address,
            clients: Clients { reach, cors, tls },
            gate,
            courier,
            notifications,
            closing,
        })
    }

    /// Done when the twin that most requests are for is in memory, or cannot be.
    pub(crate) fn loaded(&self) -> impl Future<Output = ()> + Send + use<> {
        let engine = self.engine.clone();
        async move {
            let _ = engine.snapshot(&Caller::local("start")).await;
        }
    }

    /// Serves until `shutdown` is done, then stops everything in order.
    pub(crate) async fn serve(
        self,
        listener: StdListener,
        config: &Config,
        shutdown: impl Future<Output = ()>,
    ) -> Result<(), RunError> {
        let listener = TcpListener::from_std(listener).map_err(RunError::Listener)?;
        let stopping = CancellationToken::new();
        let sources = self.sources.start(config.sources.clone(), Some(self.gate), &stopping)?;
        warm_up(self.engine.clone());
        let notifications =
            tokio::spawn(self.notifications.run(stopping.clone().cancelled_owned()));
        tracing::info!(address = %self.address, data = %config.data.display(), "listening");
        let closing = self.closing;
        let shutdown = async move {
            shutdown.await;
            closing.cancel();
        };
        http::serve(listener, self.router, self.clients, &config.limits, shutdown).await;
        tracing::info!("stopping: no more requests are taken");
        stopping.cancel();
        stop_sources(sources).await;
        // A message that was not delivered is due again after the next start.
        self.courier.shutdown(config.limits.shutdown_timeout.as_duration()).await;
        if let Err(error) = notifications.await {
            tracing::error!(%error, "the notifications ended badly");
        }
        self.engine.close().await?;
        tracing::info!("stopped: everything that was acknowledged is on disk");
        Ok(())
    }
}

/// Loads the twin that most requests are for, so that the first of them need not wait as long.
fn warm_up(engine: Engine) {
    tokio::spawn(async move {
        match engine.snapshot(&Caller::local("start")).await {
            Ok(twin) => tracing::info!(entities = twin.len(), "the default tenant is loaded"),
            Err(QueryError::UnknownTenant(_)) => {}
            Err(error) => tracing::error!(%error, "the default tenant could not be loaded"),
        }
    });
}

async fn stop_sources(mut sources: JoinSet<()>) {
    while let Some(ended) = sources.join_next().await {
        if let Err(error) = ended {
            tracing::error!(%error, "a source ended badly");
        }
    }
}

/// Opens the data directory of a configuration; `terms` are the names in tables.
pub(crate) async fn open_engine(config: &Config, terms: Terms) -> Result<Engine, RunError> {
    let alias = config.federation.alias.as_deref().map(token).transpose()?;
    let retention = retention(&config.history)?;
    let options = EngineOptions { terms, alias, retention, ..engine_options(&config.limits) };
    let store = SqliteStore::open(&config.data, SqliteOptions::default()).await?;
    Ok(Engine::open(Arc::new(store), options).await?)
}

/// The context whose terms are the names of types and attributes outside NGSI-LD.
fn names_context(config: &Config, preloaded: &[Document]) -> Result<Arc<Context>, RunError> {
    let url = config.names.context.as_deref();
    contexts::names_context(url, preloaded).map_err(|reason| RunError::NamesContext {
        url: url.unwrap_or_default().to_owned(),
        reason,
    })
}

/// How often the files of layers are looked at.
const LOOK_AT_LAYERS: std::time::Duration = std::time::Duration::from_secs(1);

fn engine_options(limits: &LimitsConfig) -> EngineOptions {
    EngineOptions {
        query_timeout: limits.query_timeout.as_duration(),
        costly_queries: limits.costly_queries,
        projector_bytes: limits.projector_memory.as_usize(),
        projector_delay: limits.projector_delay.as_duration(),
        max_names: limits.names,
        index_bytes: limits.index_memory.as_usize(),
        branches: limits.branches,
        branch_bytes: limits.branch_memory.as_usize(),
        moments: limits.moments,
        moment_bytes: limits.moment_memory.as_usize(),
        ..EngineOptions::default()
    }
}

/// The rules of the configuration; what holds for all comes last.
fn retention(history: &HistoryConfig) -> Result<Retention, RunError> {
    let mut rules = Vec::new();
    for rule in &history.rules {
        let of_all = RetentionRule {
            tenant: rule.tenant.as_deref().map(Box::from),
            keep: rule.keep.map(Span::as_duration),
            with_entity: rule.delete_with_entity,
            ..RetentionRule::default()
        };
        rules.push(match &rule.type_name {
            Some(name) => of_all.of_type(name).map_err(|e| RunError::History(e.to_string()))?,
            None => of_all,
        });
    }
    rules.push(RetentionRule {
        keep: history.keep.map(Span::as_duration),
        with_entity: history.delete_with_entity,
        ..RetentionRule::default()
    });
    Ok(Retention { rules })
}

fn deliveries(section: &NotifySection) -> DeliveryOptions {
    DeliveryOptions {
        retry_for: section.retry_for.as_duration(),
        longest_pause: section.longest_pause.as_duration(),
        dead_letters: section.dead_letters,
        ..DeliveryOptions::default()
    }
}

fn egress(section: &EgressSection) -> Result<EgressConfig, RunError> {
    let millis = section.timeout.as_duration().as_millis();
    let roots = section.ca.as_deref().map(Certificate::read).transpose();
    Ok(EgressConfig {
        roots: roots.map_err(RunError::Authorities)?.unwrap_or_default(),
        allow_private: section.allow_private,
        allow_loopback: section.allow_loopback,
        allow_hosts: section.allow_hosts.clone(),
        timeout_ms: u64::try_from(millis).unwrap_or(u64::MAX),
        max_response_bytes: section.max_response.as_usize(),
        ..EgressConfig::default()
    })
}

/// Reads the contexts of a configuration.
pub(crate) fn read_contexts(config: &Config) -> Result<Vec<Document>, RunError> {
    let read = |(url, path): (&String, &PathBuf)| {
        let bytes = std::fs::read(path).map_err(|reason| RunError::ContextFile {
            url: url.clone(),
            path: path.clone(),
            reason,
        })?;
        Document::parse(url, &bytes, &Limits::default()).map_err(|reason| RunError::Context {
            url: url.clone(),
            path: path.clone(),
            reason,
        })
    };
    config.contexts.iter().map(read).collect()
}

/// A pseudonym as `Via` has it (RFC 9110, section 5.6.2).
fn token(alias: &str) -> Result<Box<str>, RunError> {
    let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    if alias.is_empty() || !alias.bytes().all(is_token) {
        return Err(RunError::Alias(alias.to_owned()));
    }
    Ok(alias.into())
}
