use std::fmt::Write as _;

use axum::body::Body;
use axum::http::header::{CONTENT_DISPOSITION, HeaderValue, LINK};
use axum::http::{HeaderMap, Response};

use crate::documents::{CSV, FLATGEOBUF, GEOJSON, GEOPACKAGE, Link, PARQUET};
use crate::fault::Fault;
use crate::params::{ParamFault, Profile, Profiles, References, profile_uri};
use crate::request::{Ask, HTML};

/// An encoding of features.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Encoding {
    GeoJson,
    /// GeoJSON with the members of JSON-FG; where a geometry stands in another reference system, the
    /// second profile has it in WGS 84 as well.
    JsonFg(Profile),
    Csv,
    FlatGeobuf,
    GeoPackage,
    GeoParquet,
    Html,
}

/// Those of pages of features; the first is for those who do not say.
const OF_ITEMS: [Encoding; 7] = [
    Encoding::GeoJson,
    Encoding::Html,
    Encoding::JsonFg(Profile::JsonFg),
    Encoding::Csv,
    Encoding::FlatGeobuf,
    Encoding::GeoPackage,
    Encoding::GeoParquet,
];
/// Those of single features.
const OF_ITEM: [Encoding; 3] =
    [Encoding::GeoJson, Encoding::Html, Encoding::JsonFg(Profile::JsonFg)];

impl Encoding {
    /// What pages of features can be had as.
    pub(crate) fn of_pages() -> &'static [Self] {
        &OF_ITEMS
    }

    /// What single features can be had as.
    pub(crate) fn of_features() -> &'static [Self] {
        &OF_ITEM
    }

    /// The value of the parameter `f`.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::GeoJson => "json",
            Self::JsonFg(_) => "jsonfg",
            Self::Csv => "csv",
            Self::FlatGeobuf => "fgb",
            Self::GeoPackage => "gpkg",
            Self::GeoParquet => "parquet",
            Self::Html => "html",
        }
    }

    pub(crate) fn media_type(self) -> &'static str {
        match self {
            Self::GeoJson | Self::JsonFg(_) => GEOJSON,
            Self::Csv => CSV,
            Self::FlatGeobuf => FLATGEOBUF,
            Self::GeoPackage => GEOPACKAGE,
            Self::GeoParquet => PARQUET,
            Self::Html => HTML,
        }
    }

    fn extension(self) -> &'static str {
        match self {
            Self::GeoJson => "geojson",
            Self::JsonFg(_) => "fg.json",
            other => other.name(),
        }
    }

    /// The encoding that a request for a page of features asks for.
    pub(crate) fn of_items(ask: &Ask<'_>) -> Result<Self, Fault> {
        Self::among(&OF_ITEMS, ask)
    }

    /// The same of a single feature.
    pub(crate) fn of_item(ask: &Ask<'_>) -> Result<Self, Fault> {
        Self::among(&OF_ITEM, ask)
    }

    fn among(offered: &'static [Self], ask: &Ask<'_>) -> Result<Self, Fault> {
        let profile = Profiles::parse(&ask.query)?.json;
        let found = match ask.query.get("f") {
            Some(name) => {
                offered.iter().find(|one| one.name() == name).copied().ok_or_else(|| {
                    let known: Vec<&str> = offered.iter().map(|one| one.name()).collect();
                    ParamFault::Format { text: name.into(), known: known.join(", ") }
                })?
            }
            None => Self::accepted(offered, ask)?,
        };
        // A profile is one of GeoJSON; other encodings have none.
        Ok(match (found, profile) {
            (Self::GeoJson, Some(profile @ (Profile::JsonFg | Profile::JsonFgPlus)))
            | (Self::JsonFg(_), Some(profile @ Profile::JsonFgPlus)) => Self::JsonFg(profile),
            (found, _) => found,
        })
    }

    /// What `Accept` likes best. Plain JSON is as welcome to a client as what is made of it.
    fn accepted(offered: &'static [Self], ask: &Ask<'_>) -> Result<Self, Fault> {
        if ask.has_no_preference() {
            return Ok(offered[0]);
        }
        let by_type = offered.iter().filter(|one| !matches!(one, Self::JsonFg(_)));
        let mut types = vec![(offered[0], "application/json")];
        // The media type of an encoding is told apart without its parameters.
        types.splice(0..0, by_type.map(|one| (*one, bare(one.media_type()))));
        let names: Vec<&str> = types.iter().map(|(_, name)| *name).collect();
        match ask.best_of(&names) {
            Some(at) => Ok(types[at].0),
            None => Err(Fault::not_acceptable(&names[..names.len() - 1])),
        }
    }

    /// How references are shown: tables have no room for links, and pages are made of them.
    pub(crate) fn references(self, asked: References) -> References {
        match self {
            Self::GeoJson | Self::JsonFg(_) => asked,
            Self::Csv | Self::FlatGeobuf | Self::GeoPackage | Self::GeoParquet => References::Key,
            Self::Html => References::Link,
        }
    }

    /// Links to the profiles of the answer (OGC 23-058r2, /req/profile-parameter/profile-param-response).
    pub(crate) fn profile_links(self, references: Option<References>) -> Vec<Link> {
        let names = [self.profile().map(Profile::name), references.map(References::name)];
        let link =
            |name| Link::new(profile_uri(name), "profile", HTML, "A profile that it keeps to");
        names.into_iter().flatten().map(link).collect()
    }

    /// The profile of an answer, where it has one (OGC 21-045r1, clause 14).
    fn profile(self) -> Option<Profile> {
        match self {
            Self::GeoJson => Some(Profile::Rfc7946),
            Self::JsonFg(profile) => Some(profile),
            _ => None,
        }
    }

    /// The profile in which features are written as JSON.
    pub(crate) fn profile_of_json(self) -> Profile {
        self.profile().unwrap_or(Profile::Rfc7946)
    }

    /// Links to a document itself and to its other encodings.
    pub(crate) fn own_links(self, ask: &Ask<'_>, is_page: bool) -> Vec<Link> {
        let offered = if is_page { &OF_ITEMS[..] } else { &OF_ITEM };
        let mut links = Vec::with_capacity(offered.len() + 4);
        links.push(Link::new(ask.own_url(), "self", self.media_type(), "This document"));
        let base = ask.url_with(&[("f", None), ("profile", None)]);
        let separator = if base.contains('?') { "&f=" } else { "?f=" };
        for other in offered.iter().filter(|other| other.name() != self.name()) {
            let href = [&base, separator, other.name()].concat();
            let title = other.alternate_title();
            links.push(Link::new(href, "alternate", other.media_type(), title));
        }
        links
    }

    fn alternate_title(self) -> &'static str {
        match self {
            Self::GeoJson => "This document as JSON",
            Self::JsonFg(_) => "This document as JSON-FG",
            Self::Csv => "This document as CSV",
            Self::FlatGeobuf => "This document as FlatGeobuf",
            Self::GeoPackage => "This document as GeoPackage",
            Self::GeoParquet => "This document as GeoParquet",
            Self::Html => "This document as a page",
        }
    }

    /// The headers that an answer has beside those of all: its profile, and the name of the file
    /// that people get who ask for one.
    pub(crate) fn describe(
        self,
        ask: &Ask<'_>,
        name: &str,
        references: Option<References>,
        response: &mut Response<Body>,
    ) {
        let headers = response.headers_mut();
        for link in self.profile_links(references) {
            if let Ok(value) = HeaderValue::try_from(format!("<{}>; rel=\"profile\"", link.href)) {
                headers.append(LINK, value);
            }
        }
        let kind = match self {
            Self::Html => return,
            Self::GeoJson if ask.query.get("f").is_none() => return,
            Self::GeoJson | Self::JsonFg(_) => "inline",
            _ => "attachment",
        };
        if let Some(value) = disposition(kind, name, self.extension()) {
            headers.insert(CONTENT_DISPOSITION, value);
        }
    }
}

/// A media type without its parameters.
fn bare(media_type: &'static str) -> &'static str {
    media_type.split(';').next().unwrap_or(media_type)
}

/// A `Content-Disposition` with a file name (RFC 6266).
fn disposition(kind: &str, name: &str, extension: &str) -> Option<HeaderValue> {
    let is_plain = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte));
    let mut value = String::from(kind);
    let _ = if is_plain {
        write!(value, "; filename=\"{name}.{extension}\"")
    } else {
        let encoded = crate::documents::encode_segment(name).replace(['\'', '*', '(', ')'], "_");
        write!(value, "; filename*=UTF-8''{encoded}.{extension}")
    };
    HeaderValue::try_from(value).ok()
}

/// Links as headers, for encodings that have no room for them.
pub(crate) fn link_headers(links: &[Link], headers: &mut HeaderMap) {
    for link in links {
        let (href, rel, media_type) = (&link.href, link.rel, link.media_type);
        let kind = media_type.replace('"', "");
        let value = format!("<{href}>; rel=\"{rel}\"; type=\"{kind}\"");
        match HeaderValue::try_from(value) {
            Ok(value) => {
                headers.append(LINK, value);
            }
            Err(error) => tracing::debug!(%error, href, "a link is no header"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_has_a_name_in_any_script() {
        let text = |name| disposition("inline", name, "csv").unwrap().to_str().unwrap().to_owned();
        assert_eq!(text("Sensor"), "inline; filename=\"Sensor.csv\"");
        assert_eq!(text("Pys\u{e4}kki"), "inline; filename*=UTF-8''Pys%C3%A4kki.csv");
    }
}
