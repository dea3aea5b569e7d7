use toml::Value;

/// A key of the configuration.
#[derive(Clone, Copy, Debug)]
pub struct Key {
    /// Its path, with dots.
    pub path: &'static str,
    /// How its value is written in an environment variable.
    pub shape: Shape,
}

/// How a value is written in an environment variable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// As it is.
    Text,
    /// `true` or `false`.
    Bool,
    /// A whole number.
    Integer,
    /// Texts separated by commas.
    List,
    /// A TOML value: an array or inline table.
    Toml,
}

/// Every key, in the order in which they are shown.
pub const KEYS: &[Key] = &[
    key("listen", Shape::Text),
    key("data", Shape::Text),
    key("http.public_url", Shape::Text),
    key("http.trusted_proxies", Shape::List),
    key("http.cors_origins", Shape::List),
    key("http.certificate", Shape::Text),
    key("http.key", Shape::Text),
    key("auth.anonymous", Shape::Text),
    key("auth.tokens", Shape::Toml),
    key("egress.allow_private", Shape::Bool),
    key("egress.allow_loopback", Shape::Bool),
    key("egress.allow_hosts", Shape::List),
    key("egress.ca", Shape::Text),
    key("egress.timeout", Shape::Text),
    key("egress.max_response", Shape::Text),
    key("federation.alias", Shape::Text),
    key("federation.split_entities", Shape::Bool),
    key("notify.retry_for", Shape::Text),
    key("notify.longest_pause", Shape::Text),
    key("notify.timeout", Shape::Text),
    key("notify.dead_letters", Shape::Integer),
    key("limits.body", Shape::Text),
    key("limits.history", Shape::Integer),
    key("limits.query_timeout", Shape::Text),
    key("limits.costly_queries", Shape::Integer),
    key("limits.connections", Shape::Integer),
    key("limits.header_timeout", Shape::Text),
    key("limits.shutdown_timeout", Shape::Text),
    key("limits.index_memory", Shape::Text),
    key("limits.tile_memory", Shape::Text),
    key("limits.names", Shape::Integer),
    key("limits.branches", Shape::Integer),
    key("limits.branch_memory", Shape::Text),
    key("limits.moments", Shape::Integer),
    key("limits.moment_memory", Shape::Text),
    key("limits.branch_lifetime", Shape::Text),
    key("limits.projector_memory", Shape::Text),
    key("limits.projector_delay", Shape::Text),
    key("history.keep", Shape::Text),
    key("history.delete_with_entity", Shape::Bool),
    key("history.rules", Shape::Toml),
    key("names.context", Shape::Text),
    key("layers.folder", Shape::Text),
    key("layers.files", Shape::Toml),
    key("ogc.crs", Shape::List),
    key("contexts", Shape::Toml),
    key("sources", Shape::Toml),
    key("log.format", Shape::Text),
    key("log.level", Shape::Text),
];

const fn key(path: &'static str, shape: Shape) -> Key {
    Key { path, shape }
}

impl Key {
    /// The key of this path.
    pub fn of(path: &str) -> Option<&'static Self> {
        KEYS.iter().find(|key| key.path == path)
    }

    /// The key that an environment variable sets.
    pub fn of_variable(name: &str) -> Option<&'static Self> {
        KEYS.iter().find(|key| key.variable() == name)
    }

    /// The environment variable that sets it.
    pub fn variable(&self) -> String {
        format!("CARDO_{}", self.path.to_uppercase().replace('.', "_"))
    }

    /// Reads a value from the text of an environment variable.
    pub(super) fn read(&self, text: &str) -> Result<Value, String> {
        match self.shape {
            Shape::Text => Ok(Value::String(text.into())),
            Shape::Bool => text
                .parse()
                .map(Value::Boolean)
                .map_err(|_| format!("{text:?} is neither true nor false")),
            Shape::Integer => text
                .parse()
                .map(Value::Integer)
                .map_err(|_| format!("{text:?} is not a whole number")),
            Shape::List if !text.trim_start().starts_with('[') => Ok(Value::Array(
                text.split(',')
                    .map(str::trim)
                    .filter(|item| !item.is_empty())
                    .map(|item| Value::String(item.into()))
                    .collect(),
            )),
            Shape::List | Shape::Toml => read_toml(text),
        }
    }
}

fn read_toml(text: &str) -> Result<Value, String> {
    let document: toml::Table =
        toml::from_str(&format!("value = {text}")).map_err(|error| error.message().to_owned())?;
    document.get("value").cloned().ok_or_else(|| "no value".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    /// Paths whose tables hold names of the operator's choice.
    const OPEN: [&str; 2] = ["contexts", "layers.files"];
    /// Keys without a default value.
    const UNSET: [&str; 9] = [
        "auth.anonymous",
        "egress.ca",
        "federation.alias",
        "history.keep",
        "http.public_url",
        "http.certificate",
        "http.key",
        "layers.folder",
        "names.context",
    ];

    fn leaves(prefix: &str, table: &toml::Table, into: &mut Vec<String>) {
        for (name, value) in table {
            let path = if prefix.is_empty() { name.clone() } else { format!("{prefix}.{name}") };
            match value {
                Value::Table(inner) if !OPEN.contains(&path.as_str()) => leaves(&path, inner, into),
                _ => into.push(path),
            }
        }
    }

    #[test]
    fn the_table_of_keys_lists_exactly_what_the_struct_holds() {
        let table = toml::Table::try_from(Config::default()).unwrap();
        let mut held: Vec<String> = UNSET.iter().map(|path| (*path).to_owned()).collect();
        leaves("", &table, &mut held);
        held.sort();
        let mut listed: Vec<String> = KEYS.iter().map(|key| key.path.to_owned()).collect();
        listed.sort();
        assert_eq!(held, listed);
    }

    #[test]
    fn every_variable_means_one_key() {
        for key in KEYS {
            assert_eq!(Key::of_variable(&key.variable()).unwrap().path, key.path);
        }
        assert_eq!(
            Key::of_variable("CARDO_EGRESS_ALLOW_PRIVATE").unwrap().path,
            "egress.allow_private"
        );
    }
}
