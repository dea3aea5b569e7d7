use std::fmt::Write;

use toml::{Table, Value};

use super::layers::find;
use super::{Effective, KEYS};

/// How much of a hash is shown.
const SHOWN_OF_HASH: usize = 8;

/// Every key with its value and where that came from, a line each. Hashes of tokens are cut short,
/// and passwords left out.
pub fn show(effective: &Effective) -> String {
    let table = Table::try_from(&effective.config).expect("the configuration is a table");
    let lines: Vec<(String, String)> = KEYS
        .iter()
        .map(|key| {
            let value = find(&table, key.path).map(|value| masked(value.clone()));
            let origin = match effective.origins.get(key.path) {
                Some(origin) => origin.to_string(),
                None if value.is_some() => "default".into(),
                None => "not set".into(),
            };
            let left = match value {
                Some(value) => format!("{} = {value}", key.path),
                None => key.path.to_owned(),
            };
            (left, format!("{origin}; {}", key.variable()))
        })
        .collect();
    let width = lines.iter().map(|(left, _)| left.chars().count()).max().unwrap_or(0).min(60);
    lines.iter().fold(String::new(), |mut text, (left, right)| {
        let _ = writeln!(text, "{left:<width$}  # {right}");
        text
    })
}

fn masked(value: Value) -> Value {
    match value {
        Value::Array(items) => Value::Array(items.into_iter().map(masked).collect()),
        Value::Table(table) => Value::Table(
            table
                .into_iter()
                .map(|(name, value)| match value {
                    Value::String(_) if name == "password" => (name, "…".into()),
                    Value::Table(headers) if name == "headers" => (name, hidden(headers)),
                    Value::String(hash) if name == "sha256" || name == "secret_sha256" => {
                        let begin: String = hash.chars().take(SHOWN_OF_HASH).collect();
                        (name, Value::String(format!("{begin}…")))
                    }
                    value => (name, masked(value)),
                })
                .collect(),
        ),
        value => value,
    }
}

/// Headers without what may be secret: the files that hold it are none.
fn hidden(headers: toml::Table) -> Value {
    let hide = |value| if matches!(value, Value::String(_)) { "…".into() } else { value };
    Value::Table(headers.into_iter().map(|(name, value)| (name, hide(value))).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Settings;

    #[test]
    fn passwords_of_sources_are_not_shown() {
        let source = "[{ name = \"m\", mqtt = \"mqtt://b\", topics = [\"a\"], username = \"u\", password = \"hush\" }]";
        let environment = vec![("CARDO_SOURCES".into(), source.into())];
        let shown = show(&Settings { environment, ..Settings::default() }.resolve().unwrap());
        assert!(shown.contains("mqtt://b") && !shown.contains("hush"), "{shown}");
        let source = "[{ name = \"m\", url = \"https://b\", every = \"1m\", headers = { x-key = \"hush\" } }]";
        let environment = vec![("CARDO_SOURCES".into(), source.into())];
        let shown = show(&Settings { environment, ..Settings::default() }.resolve().unwrap());
        assert!(shown.contains("x-key") && !shown.contains("hush"), "{shown}");
    }

    #[test]
    fn each_key_is_shown_with_its_origin_and_hashes_are_cut() {
        let hash = "b1946ac92492d2347c6235b4d2611184b1946ac92492d2347c6235b4d2611184";
        let mut settings = Settings {
            environment: vec![(
                "CARDO_AUTH_TOKENS".into(),
                format!("[{{ name = \"ops\", sha256 = \"{hash}\", rights = \"admin\" }}]"),
            )],
            ..Settings::default()
        };
        settings.flag("listen", Some("127.0.0.1:9000".into()));
        let shown = show(&settings.resolve().unwrap());
        assert_eq!(shown.lines().count(), KEYS.len());
        assert!(shown.contains("listen = \"127.0.0.1:9000\""), "{shown}");
        assert!(shown.contains("flag --listen"), "{shown}");
        assert!(shown.contains("variable CARDO_AUTH_TOKENS"), "{shown}");
        assert!(shown.contains("b1946ac9…") && !shown.contains(hash), "{shown}");
        assert!(shown.contains("limits.query_timeout = \"30s\""), "{shown}");
    }
}
