use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use cardo_egress::header::HeaderName;
use cardo_egress::{HeaderMap, HeaderValue, Security, Url};
use cardo_formats::Format;
use cardo_model::TwinId;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::duration::Interval;
use crate::mapping::{Mapping, MappingError};
use crate::options::JobOptions;
use crate::topic::{InvalidTopic, TopicPattern};

/// A source of the configuration, one table of `[[sources]]`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SourceConfig {
    /// By which name the twin knows it.
    pub name: String,
    /// A file to take in.
    pub file: Option<PathBuf>,
    /// An address to download.
    pub url: Option<String>,
    /// A recording of vehicle positions to replay in real time, over and over.
    pub replay: Option<PathBuf>,
    /// The address of `gbfs.json` of a bike or scooter sharing system.
    pub gbfs: Option<String>,
    /// A broker to listen to, `mqtt://host:1883` or `mqtts://host:8883`.
    pub mqtt: Option<String>,
    /// Whether records are pushed to `/sources/{name}/push`.
    pub push: bool,
    /// How often a file or an address is looked at; a file without it is taken in once. For GBFS
    /// the shortest time between two looks, 10s where nothing is said.
    pub every: Option<Interval>,
    /// Headers to ask with, such as one that holds a key.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, HeaderText>,
    /// What of a system is taken in: `stations` (default) or `vehicles`.
    pub feed: Option<GbfsFeed>,
    /// The language of names in GBFS, such as `fi`.
    pub language: Option<String>,
    /// Topics to listen to, with `+`, `#` and `{name}` for a level that becomes a field.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub topics: Vec<String>,
    /// By which name the broker knows this client and keeps its messages; no two may have the same.
    pub client_id: Option<String>,
    /// Who listens.
    pub username: Option<String>,
    /// The password to it.
    pub password: Option<String>,
    /// A file that holds the password.
    pub password_file: Option<PathBuf>,
    /// A PEM file with the certificates that a broker's has to come from; those of Mozilla without.
    pub ca: Option<PathBuf>,
    /// The largest message that is taken, in bytes; 1000000 where nothing is said.
    pub max_payload: Option<usize>,
    /// The SHA-256 of a secret that may push, beside tokens with the right to write.
    pub secret_sha256: Option<String>,
    /// How far ahead of this server's clock readings may be: 5m for feeds, and without a bound for
    /// files, where nothing is said.
    pub clock_ahead: Option<Interval>,
    /// How much faster than in real time a recording is replayed.
    pub speed: Option<f64>,
    /// The format, where name and content do not tell it.
    pub format: Option<String>,
    /// The table of a GeoPackage, or the shapefile of a zip, where there are several.
    pub layer: Option<String>,
    /// The type of the entities.
    #[serde(rename = "type")]
    pub type_name: Option<String>,
    /// The mapping file.
    pub mapping: Option<PathBuf>,
    /// The reference system of the coordinates.
    pub crs: Option<String>,
    /// The field that ids are made of.
    pub id_column: Option<String>,
    /// The context by which short names are expanded: a URL or a file.
    pub context: Option<String>,
    /// Whether entities are marked as simulated; those of a recording always are.
    pub simulated: bool,
    /// The tenant; the default one without it.
    pub tenant: Option<String>,
}

/// What a header says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum HeaderText {
    /// This.
    Text(String),
    /// What stands in a file.
    File {
        /// The file.
        file: PathBuf,
    },
}

/// What of a sharing system is taken in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum GbfsFeed {
    /// Stations with their status.
    #[default]
    Stations,
    /// Vehicles that stand free; those that are no longer listed are taken away.
    Vehicles,
}

/// The ways to get at data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SourceKind {
    /// A file.
    File,
    /// An address that is asked.
    Url,
    /// A recording.
    Replay,
    /// A sharing system.
    Gbfs,
    /// A broker.
    Mqtt,
    /// Others push.
    Push,
}

impl SourceKind {
    /// Its name, which is the key that stands for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::File => "file",
            Self::Url => "url",
            Self::Replay => "replay",
            Self::Gbfs => "gbfs",
            Self::Mqtt => "mqtt",
            Self::Push => "push",
        }
    }

    fn is_outgoing(self) -> bool {
        matches!(self, Self::Url | Self::Gbfs | Self::Mqtt)
    }
}

/// A source of the configuration that cannot run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidSource {
    /// No name.
    #[error("a source has no name")]
    NoName,
    /// Not one way to get at the data.
    #[error("source {0:?} needs one of `file`, `url`, `replay`, `gbfs`, `mqtt` and `push`")]
    Where(String),
    /// A key that has no meaning for this sort of source.
    #[error("source {name:?}: `{key}` {reason}")]
    Key {
        /// The source.
        name: String,
        /// The key.
        key: &'static str,
        /// Why it cannot stand there.
        reason: String,
    },
    /// A mapping that cannot be used.
    #[error("source {name:?}: {error}")]
    Mapping {
        /// The source.
        name: String,
        /// What is wrong.
        error: MappingError,
    },
    /// Downloads are not possible here.
    #[error("source {0:?} reaches out, and outgoing requests are not set up")]
    NoGate(String),
    /// Two of the same name, whose places and quarantines would be one.
    #[error("there are two sources {0:?} of the same tenant")]
    Twice(String),
}

impl SourceConfig {
    /// Makes relative paths begin at a folder, such as that of the configuration file.
    pub fn resolve(&mut self, folder: &Path) {
        let paths = [&mut self.file, &mut self.replay, &mut self.mapping];
        let more = [&mut self.password_file, &mut self.ca];
        for path in paths.into_iter().chain(more).flatten() {
            *path = folder.join(&*path);
        }
        for text in self.headers.values_mut() {
            if let HeaderText::File { file } = text {
                *file = folder.join(&*file);
            }
        }
        if let Some(context) = self.context.as_mut().filter(|c| !crate::mapping::is_url(c)) {
            *context = folder.join(&*context).to_string_lossy().into_owned();
        }
    }

    /// Finds what contradicts itself; gives the twin that the source is for.
    pub fn check(&self) -> Result<TwinId, InvalidSource> {
        if self.name.is_empty() {
            return Err(InvalidSource::NoName);
        }
        let key =
            |key, reason: String| Err(InvalidSource::Key { name: self.name.clone(), key, reason });
        let Some(kind) = self.kind() else {
            return Err(InvalidSource::Where(self.name.clone()));
        };
        for (name, is_given, kinds, reason) in self.keys_of_kinds() {
            if is_given && !kinds.contains(&kind) {
                return key(name, reason.into());
            }
        }
        for (name, text) in &self.headers {
            // Files are read when they are needed, as that of a password is.
            let text = if let HeaderText::Text(text) = text { text } else { "" };
            if let Err(reason) = header(name, text) {
                return key("headers", reason);
            }
        }
        if kind == SourceKind::Url && self.every.is_none() {
            return key("every", "says how often the address is asked, and is missing".into());
        }
        if self.speed.is_some_and(|speed| !(speed > 0.0 && speed <= 1_000.0)) {
            return key("speed", "goes from above 0 to 1000".into());
        }
        if kind == SourceKind::Mqtt {
            self.check_mqtt()?;
        }
        if self.secret_sha256.as_deref().is_some_and(|hash| sha256_of(hash).is_none()) {
            return key(
                "secret_sha256",
                "is 64 hexadecimal digits; `cardo token` makes them".into(),
            );
        }
        if let Err(error) = self.options_of(None) {
            return key("format", error);
        }
        if let Some(path) = &self.mapping {
            Mapping::read(path)
                .map_err(|error| InvalidSource::Mapping { name: self.name.clone(), error })?;
        }
        match &self.tenant {
            None => Ok(TwinId::default()),
            Some(tenant) => TwinId::of_tenant(tenant).or_else(|e| key("tenant", e.to_string())),
        }
    }

    /// Which of the ways it is; `None` where there is none or more than one.
    pub fn kind(&self) -> Option<SourceKind> {
        let ways = [
            (self.file.is_some(), SourceKind::File),
            (self.url.is_some(), SourceKind::Url),
            (self.replay.is_some(), SourceKind::Replay),
            (self.gbfs.is_some(), SourceKind::Gbfs),
            (self.mqtt.is_some(), SourceKind::Mqtt),
            (self.push, SourceKind::Push),
        ];
        let mut given = ways.into_iter().filter(|(is, _)| *is).map(|(_, kind)| kind);
        given.next().filter(|_| given.next().is_none())
    }

    pub(crate) fn is_outgoing(&self) -> bool {
        self.kind().is_some_and(SourceKind::is_outgoing)
    }

    /// Keys that have a meaning for some kinds only: whether given, for which, and the reason.
    #[rustfmt::skip]
    fn keys_of_kinds(&self) -> [(&'static str, bool, &'static [SourceKind], &'static str); 13] {
        use SourceKind::{File, Gbfs, Mqtt, Push, Replay, Url};
        let of_broker = "is for brokers (`mqtt`)";
        [
            ("every", self.every.is_some(), &[File, Url, Gbfs], "is for what is asked again and again"),
            ("headers", !self.headers.is_empty(), &[Url, Gbfs], "is for what is asked by HTTP"),
            ("speed", self.speed.is_some(), &[Replay], "is for recordings"),
            ("feed", self.feed.is_some(), &[Gbfs], "is for sharing systems (`gbfs`)"),
            ("language", self.language.is_some(), &[Gbfs], "is for sharing systems (`gbfs`)"),
            ("topics", !self.topics.is_empty(), &[Mqtt], of_broker),
            ("client_id", self.client_id.is_some(), &[Mqtt], of_broker),
            ("username", self.username.is_some(), &[Mqtt], of_broker),
            ("password", self.password.is_some() || self.password_file.is_some(), &[Mqtt], of_broker),
            ("ca", self.ca.is_some(), &[Mqtt], of_broker),
            ("max_payload", self.max_payload.is_some(), &[Mqtt], of_broker),
            ("secret_sha256", self.secret_sha256.is_some(), &[Push], "is for what is pushed (`push`)"),
            ("format", self.format.is_some(), &[File, Url], "is known for this sort of source"),
        ]
    }

    fn check_mqtt(&self) -> Result<(), InvalidSource> {
        let key = |key, reason: String| InvalidSource::Key { name: self.name.clone(), key, reason };
        self.broker().map_err(|reason| key("mqtt", reason))?;
        if self.topics.is_empty() {
            return Err(key("topics", "says what is listened to, and is missing".into()));
        }
        self.patterns().map_err(|error| key("topics", error.to_string()))?;
        if self.password.is_some() && self.password_file.is_some() {
            return Err(key("password", "and `password_file` exclude each other".into()));
        }
        if (self.password.is_some() || self.password_file.is_some()) && self.username.is_none() {
            return Err(key("password", "needs `username`".into()));
        }
        if self.max_payload.is_some_and(|most| !(1..=MOST_PAYLOAD).contains(&most)) {
            return Err(key("max_payload", format!("goes from 1 to {MOST_PAYLOAD}")));
        }
        Ok(())
    }

    /// The headers to ask with. They are marked as sensitive, since they mostly hold keys.
    pub(crate) fn request_headers(&self) -> Result<HeaderMap, String> {
        let mut headers = HeaderMap::new();
        for (name, text) in &self.headers {
            let text = match text {
                HeaderText::Text(text) => Cow::Borrowed(text.as_str()),
                HeaderText::File { file } => {
                    let text = std::fs::read_to_string(file);
                    text.map_err(|error| format!("{}: {error}", file.display()))?.into()
                }
            };
            let (name, mut value) = header(name, text.trim())?;
            value.set_sensitive(true);
            headers.insert(name, value);
        }
        Ok(headers)
    }

    /// Where the broker is, and whether it is reached by TLS.
    pub(crate) fn broker(&self) -> Result<Broker, String> {
        let text = self.mqtt.as_deref().unwrap_or_default();
        let wanted = || "looks like mqtt://host:1883 or mqtts://host:8883".to_owned();
        let url = Url::parse(text).map_err(|_| wanted())?;
        let is_tls = match url.scheme() {
            "mqtt" => false,
            "mqtts" => true,
            _ => return Err(wanted()),
        };
        if !url.username().is_empty() || url.password().is_some() {
            return Err("holds credentials; give them as `username` and `password`".to_owned());
        }
        let host = url.host_str().filter(|host| !host.is_empty()).ok_or_else(wanted)?.to_owned();
        let port = url.port().unwrap_or(if is_tls { 8883 } else { 1883 });
        if !is_tls && self.ca.is_some() {
            return Err("has no certificates without TLS; `ca` needs mqtts://".to_owned());
        }
        let security = match (is_tls, &self.ca) {
            (false, _) => Security::Plain,
            (true, None) => Security::Tls,
            (true, Some(path)) => Security::TlsWith(path.as_path().into()),
        };
        Ok(Broker { host, port, security })
    }

    pub(crate) fn patterns(&self) -> Result<Vec<TopicPattern>, InvalidTopic> {
        self.topics.iter().map(|topic| TopicPattern::parse(topic)).collect()
    }

    /// How far ahead of the clock readings may be.
    pub(crate) fn clock_ahead(&self) -> Option<Duration> {
        match (self.clock_ahead, self.kind()) {
            (Some(span), _) => Some(span.as_duration()),
            (None, Some(SourceKind::File)) => None,
            (None, _) => Some(CLOCK_AHEAD),
        }
    }

    /// Whether a secret is the one that may push.
    pub(crate) fn is_secret(&self, secret: &str) -> bool {
        let wanted = self.secret_sha256.as_deref().and_then(sha256_of);
        let given: [u8; 32] = Sha256::digest(secret.as_bytes()).into();
        let difference =
            |wanted: [u8; 32]| wanted.iter().zip(given).fold(0, |d, (a, b)| d | (a ^ b));
        wanted.is_some_and(|wanted| std::hint::black_box(difference(wanted)) == 0)
    }

    /// What the source says about its records; the mapping is read anew each time.
    pub(crate) fn options(&self) -> Result<JobOptions, MappingError> {
        let mut mapping = self.mapping.as_deref().map(Mapping::read).transpose()?;
        if mapping.is_none() && self.gbfs.is_some() {
            mapping = Some(match self.feed.unwrap_or_default() {
                GbfsFeed::Stations => Mapping::gbfs_stations(),
                GbfsFeed::Vehicles => Mapping::gbfs_vehicles(),
            });
        }
        let options = self.options_of(mapping.map(Arc::new));
        Ok(options.unwrap_or_default())
    }

    fn options_of(&self, mapping: Option<Arc<Mapping>>) -> Result<JobOptions, String> {
        let format = self.format.as_deref().map(str::parse::<Format>).transpose();
        Ok(JobOptions {
            format: format.map_err(|error| error.to_string())?,
            type_name: self.type_name.clone(),
            mapping,
            crs: self.crs.clone(),
            id_column: self.id_column.clone(),
            context: self.context.clone(),
            layer: self.layer.clone(),
            simulated: self.simulated || self.replay.is_some(),
        })
    }
}

/// A broker.
#[derive(Clone, Debug)]
pub(crate) struct Broker {
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) security: Security,
}

/// How far ahead the clock of a feed may be where nothing is said.
const CLOCK_AHEAD: Duration = Duration::from_secs(300);
/// The largest bound of messages.
const MOST_PAYLOAD: usize = 64_000_000;

fn sha256_of(text: &str) -> Option<[u8; 32]> {
    let text = text.as_bytes();
    let digit = |byte: &u8| char::from(*byte).to_digit(16).and_then(|d| u8::try_from(d).ok());
    let pairs = text.chunks(2).map(|pair| match pair {
        [high, low] => Some(digit(high)? << 4 | digit(low)?),
        _ => None,
    });
    pairs.collect::<Option<Vec<u8>>>()?.try_into().ok()
}

fn header(name: &str, text: &str) -> Result<(HeaderName, HeaderValue), String> {
    let wrong = || format!("has {name:?}, which is no header");
    let value = HeaderValue::from_str(text).map_err(|_| wrong())?;
    Ok((HeaderName::from_bytes(name.as_bytes()).map_err(|_| wrong())?, value))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(text: &str) -> Result<SourceConfig, String> {
        toml::from_str(text).map_err(|error: toml::de::Error| error.to_string())
    }

    #[test]
    fn a_source_is_one_table_of_known_keys() {
        let config = source("name='trams'\nreplay='t.rec'\ntype='Tram'\nspeed=2").unwrap();
        assert!(config.check().unwrap().is_default());
        assert!(config.options().unwrap().simulated);
        let unknown = source("name='a'\nflie='x'").unwrap_err();
        assert!(unknown.contains("flie") && unknown.contains("line 2"), "{unknown}");
        assert!(source("name='a'\nfile='x'\nevery='soon'").is_err());
    }

    #[test]
    fn what_contradicts_itself_is_refused() {
        for (text, needed) in [
            ("file='x'", "no name"),
            ("name='a'", "one of"),
            ("name='a'\nfile='x'\nurl='https://a'", "one of"),
            ("name='a'\nurl='https://a'", "`every`"),
            ("name='a'\nreplay='x'\nevery='1s'", "`every`"),
            ("name='a'\nfile='x'\nspeed=2", "`speed`"),
            ("name='a'\nreplay='x'\nspeed=0", "`speed`"),
            ("name='a'\nfile='x'\ntopics=['a']", "`topics`"),
            ("name='a'\nmqtt='mqtt://b'", "`topics`"),
            ("name='a'\nmqtt='http://b'\ntopics=['a']", "`mqtt`"),
            ("name='a'\nmqtt='mqtt://u:p@b'\ntopics=['a']", "`username`"),
            ("name='a'\nmqtt='mqtt://b'\ntopics=['a+']", "a+"),
            ("name='a'\nmqtt='mqtt://b'\ntopics=['a']\npassword='x'", "`username`"),
            ("name='a'\nfile='x'\nheaders={ 'x-key'='a' }", "`headers`"),
            ("name='a'\nurl='https://a'\nevery='1s'\nheaders={ 'x key'='a' }", "x key"),
            ("name='a'\nmqtt='mqtt://b'\ntopics=['a']\nmax_payload=0", "`max_payload`"),
            ("name='a'\npush=true\nsecret_sha256='abc'", "`secret_sha256`"),
            ("name='a'\npush=true\nevery='1s'", "`every`"),
            ("name='a'\nfile='x'\nformat='xls'", "xls"),
            ("name='a'\nfile='x'\ntenant='a b'", "`tenant`"),
            ("name='a'\nfile='x'\nmapping='/nowhere.toml'", "/nowhere.toml"),
        ] {
            let error = source(text).unwrap().check().unwrap_err().to_string();
            assert!(error.contains(needed), "{text}: {error}");
        }
    }

    #[test]
    fn a_broker_has_a_host_a_port_and_perhaps_tls() {
        let broker = |text: &str| source(text).unwrap().broker().unwrap();
        let plain = broker("mqtt='mqtt://mqtt.example.org'");
        assert_eq!((plain.host.as_str(), plain.port), ("mqtt.example.org", 1883));
        let secure = broker("mqtt='mqtts://[::1]:9'\nca='ca.pem'");
        assert_eq!((secure.host.as_str(), secure.port), ("[::1]", 9));
        assert!(matches!(secure.security, Security::TlsWith(_)));
    }

    #[test]
    fn a_secret_is_known_by_its_hash() {
        let hash = "2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b";
        let config = source(&format!("push=true\nsecret_sha256='{hash}'")).unwrap();
        assert!(config.is_secret("secret") && !config.is_secret("Secret"));
        assert!(!source("push=true").unwrap().is_secret(""));
    }

    #[test]
    fn relative_paths_begin_at_the_folder_of_the_configuration() {
        let mut config = source("name='a'\nfile='x.csv'\ncontext='https://a/b'").unwrap();
        config.resolve(Path::new("/etc/cardo"));
        assert_eq!(config.file.as_deref(), Some(Path::new("/etc/cardo/x.csv")));
        assert_eq!(config.context.as_deref(), Some("https://a/b"));
    }
}
