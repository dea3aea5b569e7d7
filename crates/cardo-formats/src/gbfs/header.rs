//! What stands at the head of every file, the list of feeds, and the system they are of.

use serde::Deserialize;
use serde_json::Value;

use super::malformed;
use super::text::localized;
use crate::Fault;

/// The head of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// For how many seconds the content is good; 0 where it is always to be asked anew.
    pub ttl: u64,
    /// When the content was made, in seconds after 1970.
    pub last_updated: Option<i64>,
}

/// Which feeds there are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Discovery {
    /// The head of the file.
    pub header: Header,
    /// The version, such as `2.3`.
    pub version: String,
    /// The language of the feeds; before version 3 each has feeds of its own.
    pub language: Option<String>,
    feeds: Vec<Named>,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
struct Named {
    name: String,
    url: String,
}

/// Whose stations and vehicles these are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct System {
    /// The id, unique among all systems.
    pub id: String,
    /// The name in the wanted language, or in the first.
    pub name: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct File<D> {
    #[serde(default)]
    ttl: Value,
    #[serde(default)]
    last_updated: Value,
    #[serde(default)]
    version: Option<String>,
    pub(super) data: D,
}

impl<D> File<D> {
    pub(super) fn header(&self) -> Header {
        Header {
            ttl: self.ttl.as_u64().unwrap_or_default(),
            last_updated: seconds(&self.last_updated),
        }
    }
}

/// A moment: seconds before version 3, a text of RFC 3339 from then on.
pub(super) fn seconds(value: &Value) -> Option<i64> {
    match value {
        Value::Number(number) => number.as_i64().filter(|seconds| *seconds > 0),
        Value::String(text) => text.parse::<jiff::Timestamp>().ok().map(jiff::Timestamp::as_second),
        _ => None,
    }
}

pub(super) fn file<'a, D: Deserialize<'a>>(text: &'a [u8]) -> Result<File<D>, Fault> {
    serde_json::from_slice(text).map_err(malformed)
}

impl Discovery {
    /// The address of the first of these feeds that there is.
    pub fn url(&self, names: &[&str]) -> Option<&str> {
        let of = |name: &&str| self.feeds.iter().find(|feed| feed.name == **name);
        names.iter().find_map(of).map(|feed| feed.url.as_str())
    }
}

/// Reads the head of any file.
///
/// # Errors
/// What is no such file.
pub fn header(text: &[u8]) -> Result<Header, Fault> {
    let file: File<serde::de::IgnoredAny> = file(text)?;
    Ok(file.header())
}

/// Reads `gbfs.json`. Before version 3 the feeds of the wanted language are taken, or else of the
/// first.
///
/// # Errors
/// What is no such file.
pub fn discovery(text: &[u8], language: Option<&str>) -> Result<Discovery, Fault> {
    let file: File<Value> = file(text)?;
    let header = file.header();
    let Value::Object(data) = file.data else {
        return Err(malformed("`data` is no object"));
    };
    let feeds_of = |value: &Value| {
        let list = value.get("feeds").cloned().unwrap_or_default();
        serde_json::from_value::<Vec<Named>>(list).map_err(malformed)
    };
    if let Some(list) = data.get("feeds") {
        let feeds = serde_json::from_value(list.clone()).map_err(malformed)?;
        let version = file.version.unwrap_or_else(|| "3.0".to_owned());
        return Ok(Discovery { header, version, language: language.map(str::to_owned), feeds });
    }
    let wanted = language.and_then(|wanted| data.iter().find(|(name, _)| *name == wanted));
    let (name, feeds) = wanted
        .or_else(|| data.iter().next())
        .ok_or_else(|| malformed("`data` names neither feeds nor a language"))?;
    Ok(Discovery {
        header,
        version: file.version.unwrap_or_else(|| "1.0".to_owned()),
        language: Some(name.clone()),
        feeds: feeds_of(feeds)?,
    })
}

/// Reads `system_information`.
///
/// # Errors
/// What is no such file.
pub fn system(text: &[u8], language: Option<&str>) -> Result<System, Fault> {
    let file: File<Value> = file(text)?;
    let id = file.data.get("system_id").and_then(Value::as_str).filter(|id| !id.is_empty());
    let id = id.ok_or_else(|| malformed("`system_id` is missing"))?.to_owned();
    let name = file.data.get("name").and_then(|name| localized(name, language));
    Ok(System { id, name })
}
