//! The one typed configuration: what can be set, its defaults, and where it comes from.

mod keys;
mod layers;
mod show;
mod systems;
mod units;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use cardo_ingest::SourceConfig;
use serde::{Deserialize, Serialize};

pub use keys::{KEYS, Key, Shape};
pub use layers::{ConfigError, Effective, Origin, Settings};
pub use show::show;
pub use units::{ByteSize, Span, UnitError};

/// Everything that can be set.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Address and port to listen on; port 0 takes a free one.
    pub listen: String,
    /// The data directory.
    pub data: PathBuf,
    /// How clients reach the server.
    pub http: HttpConfig,
    /// Who may do what.
    pub auth: AuthConfig,
    /// What the server may reach.
    pub egress: EgressSection,
    /// How the server meets others of its kind.
    pub federation: FederationConfig,
    /// Notifications of subscriptions.
    pub notify: NotifySection,
    /// Bounds on what clients can ask for.
    pub limits: LimitsConfig,
    /// How long history is kept.
    pub history: HistoryConfig,
    /// Short names outside NGSI-LD.
    pub names: NamesConfig,
    /// Collections that stay files.
    pub layers: LayersConfig,
    /// The OGC API.
    pub ogc: OgcConfig,
    /// JSON-LD contexts to load at the start: URL and file.
    pub contexts: BTreeMap<String, PathBuf>,
    /// Files, feeds and recordings that are taken in while the server runs.
    pub sources: Vec<SourceConfig>,
    /// Logs.
    pub log: LogConfig,
}

/// How clients reach the server.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct HttpConfig {
    /// The URL under which clients know the server, such as `https://city.example/twin`. Not set:
    /// the host that a request names.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub public_url: Option<String>,
    /// Addresses and networks of proxies that are believed when they say, by `Forwarded` or
    /// `X-Forwarded-Proto`, `-Host` and `-Prefix`, how a client has addressed them.
    pub trusted_proxies: Vec<String>,
    /// Origins of web pages that may use the server; `*` is any. Where requests without a token may
    /// write, any page may read, but only pages of named origins and of this machine may do more.
    pub cors_origins: Vec<String>,
    /// A PEM file with the certificate of the server and those that lead to a known authority. With
    /// it and `key`, and not without, HTTP is spoken over TLS; a renewed file is read by itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub certificate: Option<PathBuf>,
    /// A PEM file with the private key that belongs to `certificate`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<PathBuf>,
}

/// Short names of types and attributes in OGC API, tiles and GraphQL, where clients bring no context.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct NamesConfig {
    /// The URL of a context among `contexts` whose terms are the names. Not set: the core context.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub context: Option<String>,
}

/// The OGC API.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct OgcConfig {
    /// Coordinate reference systems that coordinates can be had and given in, beside longitude and
    /// latitude of WGS 84: `EPSG:3067`, or `all` for every one that can be computed. Not set: WGS 84
    /// (`EPSG:4326`), the web's map (`EPSG:3857`) and Europe's (`EPSG:4258`).
    #[serde(deserialize_with = "systems::one_or_more")]
    pub crs: Vec<String>,
}

impl Default for OgcConfig {
    fn default() -> Self {
        Self { crs: ["EPSG:4326", "EPSG:3857", "EPSG:4258"].map(str::to_owned).into() }
    }
}

/// Files that are collections of OGC API and map layers without being taken in: FlatGeobufs with a
/// packed index, and PMTiles.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LayersConfig {
    /// A folder in which every `.fgb` and every `.pmtiles` is a layer called like the file; `layers` in
    /// the data directory where it is not set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub folder: Option<PathBuf>,
    /// Files by the name of their layer.
    pub files: BTreeMap<String, PathBuf>,
}

/// How the server meets other context sources.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct FederationConfig {
    /// The pseudonym by which other servers tell that a request has come through this one, a token
    /// of HTTP. Not set: one of chance, another with each start.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alias: Option<String>,
    /// Whether parts of one entity may be held by several servers where a request does not say: then
    /// conditions are judged here, when an entity is whole, and sources are asked without them.
    pub split_entities: bool,
}

/// Who may do what.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AuthConfig {
    /// What requests without a token may do. Not set: everything on loopback while no token is
    /// configured, else nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub anonymous: Option<Anonymous>,
    /// The tokens.
    pub tokens: Vec<TokenConfig>,
}

/// What requests without a token may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Anonymous {
    /// Nothing.
    None,
    /// Read.
    Read,
    /// Read and write.
    Write,
}

/// One token: its hash, and what its bearer may do.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TokenConfig {
    /// Under which name its bearer stands in the log.
    pub name: String,
    /// SHA-256 of the token, in hexadecimal; `cardo token` makes both.
    pub sha256: String,
    /// What its bearer may do; each right holds those before it.
    pub rights: Right,
    /// In which tenants, the empty name being the default tenant; in all where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenants: Option<Vec<String>>,
}

/// What a bearer may do; each holds those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Right {
    /// Ask.
    Read,
    /// Change entities and subscriptions.
    Write,
    /// Change the server itself.
    Admin,
}

/// What the server may reach by itself: notifications, feeds, contexts.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct EgressSection {
    /// Whether private addresses may be reached.
    pub allow_private: bool,
    /// Whether this machine may be reached by its loopback addresses.
    pub allow_loopback: bool,
    /// Hosts that may be reached whatever their address: names, addresses, or `*.` and a domain.
    pub allow_hosts: Vec<String>,
    /// A PEM file of authorities that are trusted beside the public ones.
    pub ca: Option<PathBuf>,
    /// The longest a request may take.
    pub timeout: Span,
    /// The largest answer that is read.
    pub max_response: ByteSize,
}

/// How long notifications are tried, and what is kept of those that never arrive.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct NotifySection {
    /// How old a change may be before its notification is given up.
    pub retry_for: Span,
    /// The longest pause between two attempts.
    pub longest_pause: Span,
    /// How long one attempt may take where the subscription does not say.
    pub timeout: Span,
    /// How many notifications of a subscription that were given up are kept; the oldest make room.
    pub dead_letters: usize,
}

/// Bounds on what clients can ask for.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LimitsConfig {
    /// The largest request body.
    pub body: ByteSize,
    /// How many instances of attributes one answer of the Temporal API holds; the rest comes with the
    /// next range of time.
    pub history: usize,
    /// The longest a question may run.
    pub query_timeout: Span,
    /// How many costly questions run at once.
    pub costly_queries: usize,
    /// How many connections are open at once.
    pub connections: usize,
    /// How long a request's head may take to arrive.
    pub header_timeout: Span,
    /// How long requests may go on after the server was told to stop.
    pub shutdown_timeout: Span,
    /// How much memory columns and ordered indexes may take.
    pub index_memory: ByteSize,
    /// How much memory finished map tiles may take; with 0 each is made anew.
    pub tile_memory: ByteSize,
    /// How many names of types and attributes may exist.
    pub names: usize,
    /// How many branches (NGSI-LD: snapshots) a tenant may have beside its twin.
    pub branches: usize,
    /// How much memory all branches may take beside the twins that they come from.
    pub branch_memory: ByteSize,
    /// How many past twins stay in memory.
    pub moments: usize,
    /// How much memory they may take beside the twins as they are.
    pub moment_memory: ByteSize,
    /// The longest that a branch is kept, whatever its maker asks for.
    pub branch_lifetime: Span,
    /// How much of the log may lie in memory, not yet projected, before writers wait.
    pub projector_memory: ByteSize,
    /// How old the log in memory may become before it is projected.
    pub projector_delay: Span,
}

/// How long history is kept. What is older goes within about an hour, when histories are pruned; the
/// last value before stays, since it holds until the next.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct HistoryConfig {
    /// How long values stay in the history; for ever where it is not set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub keep: Option<Span>,
    /// Whether deleting an entity deletes its history.
    pub delete_with_entity: bool,
    /// What holds instead for some tenants and types; the first that fits an entity.
    pub rules: Vec<HistoryRule>,
}

/// How long the histories of some entities are kept.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HistoryRule {
    /// Only in this tenant, the empty name being the default tenant; in all where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant: Option<String>,
    /// Only of entities with this type, by its full name; of all where it is left out.
    #[serde(default, rename = "type", skip_serializing_if = "Option::is_none")]
    pub type_name: Option<String>,
    /// How long values stay; for ever where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keep: Option<Span>,
    /// Whether deleting an entity deletes its history.
    #[serde(default)]
    pub delete_with_entity: bool,
}

/// Logs.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LogConfig {
    /// The form of the lines.
    pub format: LogFormat,
    /// What is logged: a level, or directives such as `info,cardo_ingest=debug`.
    pub level: String,
}

/// The form of log lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    Text,
    /// An object a line.
    Json,
}

impl Config {
    /// Makes relative paths of these keys begin at a folder.
    fn resolve_paths(&mut self, folder: &Path, is_of_file: impl Fn(&str) -> bool) {
        if is_of_file("data") {
            self.data = folder.join(&self.data);
        }
        if is_of_file("layers.folder")
            && let Some(path) = &mut self.layers.folder
        {
            *path = folder.join(&*path);
        }
        if is_of_file("layers.files") {
            for path in self.layers.files.values_mut() {
                *path = folder.join(&*path);
            }
        }
        if is_of_file("contexts") {
            for path in self.contexts.values_mut() {
                *path = folder.join(&*path);
            }
        }
        if is_of_file("sources") {
            for source in &mut self.sources {
                source.resolve(folder);
            }
        }
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: "127.0.0.1:8787".into(),
            data: "./cardo-data".into(),
            http: HttpConfig::default(),
            auth: AuthConfig::default(),
            egress: EgressSection::default(),
            federation: FederationConfig::default(),
            notify: NotifySection::default(),
            limits: LimitsConfig::default(),
            history: HistoryConfig::default(),
            names: NamesConfig::default(),
            layers: LayersConfig::default(),
            ogc: OgcConfig::default(),
            contexts: BTreeMap::new(),
            sources: Vec::new(),
            log: LogConfig::default(),
        }
    }
}

impl HttpConfig {
    /// The scheme of the server's own addresses.
    pub fn scheme(&self) -> &'static str {
        if self.certificate.is_some() { "https" } else { "http" }
    }
}

impl Default for HttpConfig {
    fn default() -> Self {
        Self {
            public_url: None,
            trusted_proxies: Vec::new(),
            cors_origins: vec!["*".into()],
            certificate: None,
            key: None,
        }
    }
}

impl Default for NotifySection {
    fn default() -> Self {
        Self {
            retry_for: Span::from_secs(24 * 3_600),
            longest_pause: Span::from_secs(60),
            timeout: Span::from_secs(10),
            dead_letters: 1_000,
        }
    }
}

impl Default for EgressSection {
    fn default() -> Self {
        Self {
            allow_private: false,
            allow_loopback: false,
            allow_hosts: Vec::new(),
            ca: None,
            timeout: Span::from_secs(30),
            max_response: ByteSize::new(64_000_000),
        }
    }
}

impl Default for LimitsConfig {
    fn default() -> Self {
        Self {
            body: ByteSize::new(16_000_000),
            history: 10_000,
            query_timeout: Span::from_secs(30),
            costly_queries: 4,
            connections: 10_000,
            header_timeout: Span::from_secs(30),
            shutdown_timeout: Span::from_secs(10),
            index_memory: ByteSize::new(1_000_000_000),
            tile_memory: ByteSize::new(64_000_000),
            names: 1_000_000,
            branches: 100,
            branch_memory: ByteSize::new(1_000_000_000),
            moments: 16,
            moment_memory: ByteSize::new(1_000_000_000),
            branch_lifetime: Span::from_secs(7 * 24 * 3_600),
            projector_memory: ByteSize::new(64_000_000),
            projector_delay: Span::from_secs(5),
        }
    }
}

impl Default for LogConfig {
    fn default() -> Self {
        Self { format: LogFormat::Text, level: "info".into() }
    }
}
