use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use toml::{Table, Value};

use super::{Config, Key};

/// Variables that begin with `CARDO_` and are no settings: the place of the file, and what tests read.
const NO_SETTINGS: [&str; 3] = ["CARDO_CONFIG", "CARDO_SAMPLES", "CARDO_KILLS"];

/// From where settings are read: later ones win.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// Values that stand in for the defaults of one command.
    pub defaults: Vec<(&'static str, Value)>,
    /// The configuration file.
    pub file: Option<PathBuf>,
    /// Environment variables that begin with `CARDO_`.
    pub environment: Vec<(String, String)>,
    /// Values of flags by the path of their key.
    pub flags: Vec<(&'static str, Value)>,
}

/// The configuration in force, and where each value came from.
#[derive(Clone, Debug)]
pub struct Effective {
    /// The values.
    pub config: Config,
    /// The origin of each key that is not at its default.
    pub origins: BTreeMap<&'static str, Origin>,
}

/// Where a value came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// It is the default of this command.
    Command,
    /// The configuration file.
    File(PathBuf),
    /// An environment variable.
    Variable(String),
    /// A flag of the command line.
    Flag(&'static str),
}

/// Why there is no configuration.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The file could not be read.
    #[error("the configuration file {path} cannot be read: {reason}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        reason: std::io::Error,
    },
    /// The file does not say what it should.
    #[error("the configuration file {path} is not valid:\n{reason}")]
    File {
        /// The file.
        path: PathBuf,
        /// Where and why.
        reason: String,
    },
    /// An environment variable that means nothing.
    #[error("the environment variable {0} is not a setting; `cardo config` lists all of them")]
    UnknownVariable(String),
    /// A value of the environment or a flag that cannot be.
    #[error("{origin} sets {key} to a value that cannot be: {reason}")]
    Value {
        /// Where it was set.
        origin: Origin,
        /// The key.
        key: &'static str,
        /// Why it cannot be.
        reason: String,
    },
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Command => write!(f, "default of this command"),
            Self::File(path) => write!(f, "file {}", path.display()),
            Self::Variable(name) => write!(f, "variable {name}"),
            Self::Flag(key) => write!(f, "flag --{}", flag_name(key)),
        }
    }
}

/// The flag of a key, such as `log-level`.
fn flag_name(key: &str) -> String {
    key.replace(['_', '.'], "-")
}

impl Settings {
    /// Settings from the environment of this process.
    pub fn from_environment() -> Self {
        let environment = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value)))
            .filter(|(name, _)| name.starts_with("CARDO_"))
            .map(|(name, value)| (name, value.to_string_lossy().into_owned()))
            .collect();
        Self { environment, ..Self::default() }
    }

    /// Sets a key by a flag, where the flag was given.
    pub fn flag(&mut self, key: &'static str, value: Option<String>) {
        if let Some(value) = value {
            self.flags.push((key, Value::String(value)));
        }
    }

    /// Joins the layers: flags over environment over file over defaults.
    pub fn resolve(&self) -> Result<Effective, ConfigError> {
        let mut merged = Table::new();
        let mut origins = BTreeMap::new();
        for (key, value) in &self.defaults {
            place(&mut merged, key, value.clone());
            origins.insert(*key, Origin::Command);
        }
        if let Some(path) = &self.file {
            let table = read_file(path)?;
            for key in super::KEYS {
                if let Some(value) = find(&table, key.path) {
                    place(&mut merged, key.path, value.clone());
                    origins.insert(key.path, Origin::File(path.clone()));
                }
            }
        }
        for (name, text) in &self.environment {
            if NO_SETTINGS.contains(&name.as_str()) {
                continue;
            }
            let key =
                Key::of_variable(name).ok_or_else(|| ConfigError::UnknownVariable(name.clone()))?;
            let origin = Origin::Variable(name.clone());
            let value = key.read(text).map_err(|reason| ConfigError::Value {
                origin: origin.clone(),
                key: key.path,
                reason,
            })?;
            set(&mut merged, &mut origins, key.path, value, origin)?;
        }
        for (key, value) in &self.flags {
            set(&mut merged, &mut origins, key, value.clone(), Origin::Flag(key))?;
        }
        let mut config = Config::deserialize(merged).expect("each value was checked by itself");
        if let Some(folder) = self.file.as_deref().and_then(Path::parent) {
            let is_of_file = |key: &str| matches!(origins.get(key), Some(Origin::File(_)));
            config.resolve_paths(folder, is_of_file);
        }
        Ok(Effective { config, origins })
    }
}

fn read_file(path: &Path) -> Result<Table, ConfigError> {
    let text = std::fs::read_to_string(path)
        .map_err(|reason| ConfigError::Unreadable { path: path.into(), reason })?;
    // Read once as the struct, which refuses unknown keys and says where they stand.
    let refused = |error: toml::de::Error| ConfigError::File {
        path: path.into(),
        reason: error.to_string().trim_end().to_owned(),
    };
    toml::from_str::<Config>(&text).map_err(refused)?;
    toml::from_str(&text).map_err(refused)
}

fn set(
    merged: &mut Table,
    origins: &mut BTreeMap<&'static str, Origin>,
    key: &'static str,
    value: Value,
    origin: Origin,
) -> Result<(), ConfigError> {
    let mut alone = Table::new();
    place(&mut alone, key, value.clone());
    if let Err(error) = Config::deserialize(alone) {
        return Err(ConfigError::Value { origin, key, reason: error.message().to_owned() });
    }
    place(merged, key, value);
    origins.insert(key, origin);
    Ok(())
}

pub(super) fn find<'a>(table: &'a Table, path: &str) -> Option<&'a Value> {
    match path.split_once('.') {
        None => table.get(path),
        Some((head, rest)) => find(table.get(head)?.as_table()?, rest),
    }
}

fn place(table: &mut Table, path: &str, value: Value) {
    match path.split_once('.') {
        None => {
            table.insert(path.into(), value);
        }
        Some((head, rest)) => {
            let inner = table.entry(head).or_insert_with(|| Value::Table(Table::new()));
            if let Value::Table(inner) = inner {
                place(inner, rest, value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;
    use crate::config::{Anonymous, Right};

    fn file(text: &str) -> tempfile::NamedTempFile {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(text.as_bytes()).unwrap();
        file
    }

    fn variable(name: &str, value: &str) -> (String, String) {
        (name.to_owned(), value.to_owned())
    }

    #[test]
    fn a_flag_wins_over_the_environment_and_that_over_the_file_and_that_over_the_default() {
        let file = file("listen = \"127.0.0.1:1\"\ndata = \"/file\"\n[log]\nlevel = \"debug\"\n");
        let mut settings = Settings { file: Some(file.path().into()), ..Settings::default() };
        settings.environment =
            vec![variable("CARDO_LISTEN", "127.0.0.1:2"), variable("CARDO_DATA", "/variable")];
        settings.flag("listen", Some("127.0.0.1:3".into()));
        let effective = settings.resolve().unwrap();
        assert_eq!(effective.config.listen, "127.0.0.1:3");
        assert_eq!(effective.config.data, PathBuf::from("/variable"));
        assert_eq!(effective.config.log.level, "debug");
        assert_eq!(effective.config.limits.costly_queries, 4);
        assert_eq!(effective.origins["listen"], Origin::Flag("listen"));
        assert_eq!(effective.origins["data"], Origin::Variable("CARDO_DATA".into()));
        assert_eq!(effective.origins["log.level"], Origin::File(file.path().into()));
        assert!(!effective.origins.contains_key("limits.costly_queries"));
    }

    #[test]
    fn a_reference_system_may_stand_without_a_list() {
        for (text, expected) in [
            ("crs = \"all\"", Ok(&["all"][..])),
            ("crs = [\"EPSG:3067\", \"EPSG:3879\"]", Ok(&["EPSG:3067", "EPSG:3879"])),
            ("crs = []", Ok(&[])),
            ("crs = 3067", Err("a code like \"EPSG:3067\"")),
            ("crs = [3067]", Err("3067")),
        ] {
            let file = file(&format!("[ogc]\n{text}\n"));
            let settings = Settings { file: Some(file.path().into()), ..Settings::default() };
            match (settings.resolve(), expected) {
                (Ok(found), Ok(expected)) => assert_eq!(found.config.ogc.crs, expected),
                (Err(error), Err(says)) => assert!(error.to_string().contains(says), "{error}"),
                (found, _) => panic!("{text}: {found:?}"),
            }
        }
        let environment = vec![variable("CARDO_OGC_CRS", "all")];
        let settings = Settings { environment, ..Settings::default() };
        assert_eq!(settings.resolve().unwrap().config.ogc.crs, ["all"]);
    }

    #[test]
    fn paths_in_the_file_begin_at_its_folder() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("cardo.toml");
        let text = "data = \"city\"\n[contexts]\n\"https://c.example\" = \"c.jsonld\"\n\
                    [[sources]]\nname = \"trees\"\nfile = \"trees.csv\"\ntype = \"Tree\"\n";
        std::fs::write(&file, text).unwrap();
        let mut settings = Settings { file: Some(file), ..Settings::default() };
        let config = settings.resolve().unwrap().config;
        assert_eq!(config.data, folder.path().join("city"));
        assert_eq!(config.contexts["https://c.example"], folder.path().join("c.jsonld"));
        assert_eq!(config.sources[0].file, Some(folder.path().join("trees.csv")));
        settings.flag("data", Some("elsewhere".into()));
        assert_eq!(settings.resolve().unwrap().config.data, PathBuf::from("elsewhere"));
    }

    #[test]
    fn an_unknown_key_of_the_file_is_refused_with_its_line() {
        let file = file("data = \"x\"\n[egress]\nalow_private = true\n");
        let settings = Settings { file: Some(file.path().into()), ..Settings::default() };
        let message = settings.resolve().unwrap_err().to_string();
        assert!(message.contains("alow_private") && message.contains("line 3"), "{message}");
    }

    #[test]
    fn an_unknown_variable_is_refused_and_one_of_the_tests_is_not() {
        let mut settings = Settings {
            environment: vec![variable("CARDO_SAMPLES", "/somewhere")],
            ..Settings::default()
        };
        assert!(settings.resolve().is_ok());
        settings.environment.push(variable("CARDO_EGRESS_PRIVATE", "true"));
        let message = settings.resolve().unwrap_err().to_string();
        assert!(message.contains("CARDO_EGRESS_PRIVATE"), "{message}");
    }

    #[test]
    fn keys_with_underscores_and_structured_keys_come_from_the_environment() {
        let settings = Settings {
            environment: vec![
                variable("CARDO_EGRESS_ALLOW_PRIVATE", "true"),
                variable("CARDO_EGRESS_ALLOW_HOSTS", "10.1.2.3, *.city.example"),
                variable("CARDO_AUTH_ANONYMOUS", "read"),
                variable(
                    "CARDO_AUTH_TOKENS",
                    "[{ name = \"a\", sha256 = \"00\", rights = \"write\", tenants = [\"t\"] }]",
                ),
                variable("CARDO_CONTEXTS", "{ \"https://c.example/x\" = \"x.jsonld\" }"),
            ],
            ..Settings::default()
        };
        let config = settings.resolve().unwrap().config;
        assert!(config.egress.allow_private);
        assert_eq!(config.egress.allow_hosts, ["10.1.2.3", "*.city.example"]);
        assert_eq!(config.auth.anonymous, Some(Anonymous::Read));
        assert_eq!(config.auth.tokens[0].rights, Right::Write);
        assert_eq!(config.contexts["https://c.example/x"], PathBuf::from("x.jsonld"));
    }

    #[test]
    fn a_value_that_cannot_be_names_its_variable() {
        for (name, value) in [
            ("CARDO_EGRESS_ALLOW_PRIVATE", "yes"),
            ("CARDO_LIMITS_NAMES", "-"),
            ("CARDO_LIMITS_QUERY_TIMEOUT", "soon"),
            ("CARDO_AUTH_TOKENS", "[{"),
            ("CARDO_AUTH_ANONYMOUS", "admin"),
            ("CARDO_LOG_FORMAT", "xml"),
        ] {
            let settings =
                Settings { environment: vec![variable(name, value)], ..Settings::default() };
            let message = settings.resolve().unwrap_err().to_string();
            assert!(message.contains(name), "{message}");
        }
    }
}
