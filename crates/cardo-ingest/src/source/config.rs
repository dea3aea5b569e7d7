use std::path::{Path, PathBuf};
use std::sync::Arc;

use cardo_formats::Format;
use cardo_model::TwinId;
use serde::{Deserialize, Serialize};

use super::duration::Interval;
use crate::mapping::{Mapping, MappingError};
use crate::options::JobOptions;

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
    /// How often a file or an address is looked at; a file without it is taken in once.
    pub every: Option<Interval>,
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

/// A source of the configuration that cannot run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidSource {
    /// No name.
    #[error("a source has no name")]
    NoName,
    /// Not one way to get at the data.
    #[error("source {0:?} needs one of `file`, `url` and `replay`")]
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
    #[error("source {0:?} is downloaded, and outgoing requests are not set up")]
    NoGate(String),
}

impl SourceConfig {
    /// Makes relative paths begin at a folder, such as that of the configuration file.
    pub fn resolve(&mut self, folder: &Path) {
        for path in [&mut self.file, &mut self.replay, &mut self.mapping].into_iter().flatten() {
            *path = folder.join(&*path);
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
        let places = [self.file.is_some(), self.url.is_some(), self.replay.is_some()];
        if places.into_iter().filter(|is| *is).count() != 1 {
            return Err(InvalidSource::Where(self.name.clone()));
        }
        if self.url.is_some() && self.every.is_none() {
            return key("every", "says how often the address is asked, and is missing".into());
        }
        if self.replay.is_some() && self.every.is_some() {
            return key("every", "has no meaning for a recording; see `speed`".into());
        }
        if self.speed.is_some() && self.replay.is_none() {
            return key("speed", "is for recordings".into());
        }
        if self.speed.is_some_and(|speed| !(speed > 0.0 && speed <= 1_000.0)) {
            return key("speed", "goes from above 0 to 1000".into());
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

    /// What the source says about its records; the mapping is read anew each time.
    pub(crate) fn options(&self) -> Result<JobOptions, MappingError> {
        let mapping = self.mapping.as_deref().map(Mapping::read).transpose()?;
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
            ("name='a'\nfile='x'\nformat='xls'", "xls"),
            ("name='a'\nfile='x'\ntenant='a b'", "`tenant`"),
            ("name='a'\nfile='x'\nmapping='/nowhere.toml'", "/nowhere.toml"),
        ] {
            let error = source(text).unwrap().check().unwrap_err().to_string();
            assert!(error.contains(needed), "{text}: {error}");
        }
    }

    #[test]
    fn relative_paths_begin_at_the_folder_of_the_configuration() {
        let mut config = source("name='a'\nfile='x.csv'\ncontext='https://a/b'").unwrap();
        config.resolve(Path::new("/etc/cardo"));
        assert_eq!(config.file.as_deref(), Some(Path::new("/etc/cardo/x.csv")));
        assert_eq!(config.context.as_deref(), Some("https://a/b"));
    }
}
