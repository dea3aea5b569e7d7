//! What every operation takes from its request.

use std::borrow::Cow;
use std::sync::{Arc, OnceLock};

use axum::http::header::ACCEPT;
use axum::http::request::Parts;
use cardo_engine::{Caller, Engine, Layer, TileLayer};
use cardo_http::{Access, BaseUrl, Rights, asked_twin, best_media_type, min_revision, path_decode};

use crate::face::{BASE, Face};
use crate::fault::Fault;
use crate::params::{ParamFault, Query};

/// How long an answer may wait for the revision that its request names.
const MAX_WAIT: std::time::Duration = std::time::Duration::from_secs(10);

/// A request, and on whose behalf it runs.
pub(crate) struct Ask<'a> {
    pub(crate) parts: &'a Parts,
    pub(crate) caller: Caller,
    pub(crate) query: Query<'a>,
    /// The version of the tables that the answer is made of.
    pub(crate) shape: OnceLock<u64>,
    /// The layers beside the twin, once they were looked for.
    pub(crate) layers: OnceLock<Arc<[Arc<dyn Layer>]>>,
    /// The same for layers of ready tiles.
    pub(crate) tile_layers: OnceLock<Arc<[Arc<dyn TileLayer>]>>,
    /// What stands before [`BASE`].
    base: BaseUrl,
    /// Which branch of its name is meant ([`cardo_engine::Engine::incarnation`]).
    incarnation: Option<u64>,
}

/// The two encodings that every resource has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    Json,
    Html,
}

impl Format {
    /// The value of the parameter `f`.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Html => "html",
        }
    }

    pub(crate) fn other(self) -> Self {
        match self {
            Self::Json => Self::Html,
            Self::Html => Self::Json,
        }
    }
}

/// The media type of pages.
pub(crate) const HTML: &str = "text/html";

impl Face {
    /// Finds out who asks, for which twin, and with which parameters.
    pub(crate) async fn ask<'a>(&self, parts: &'a Parts, rights: Rights) -> Result<Ask<'a>, Fault> {
        let twin = asked_twin(parts)?.unwrap_or_else(|| self.default_twin.clone());
        let access = Access { headers: &parts.headers, twin: &twin, rights };
        let granted = self.options.authorize.authorize(&access)?;
        let caller = Caller {
            principal: granted.principal,
            view: granted.view,
            origin: self.origin.clone(),
            reach: cardo_http::reach(&self.engine, &parts.headers, &twin).await?,
            twin,
        };
        let wanted = min_revision(&parts.headers).map_err(|text| {
            Fault::invalid(format!("Cardo-Min-Revision: {text:?} is no revision"))
        })?;
        if let Some(revision) = wanted {
            self.engine.wait_for(&caller, revision, MAX_WAIT).await?;
        }
        let query = Query::parse(parts.uri.query())?;
        let incarnation = self.engine.incarnation(&caller.twin);
        Ok(Ask {
            parts,
            caller,
            query,
            shape: OnceLock::new(),
            layers: OnceLock::new(),
            tile_layers: OnceLock::new(),
            base: BaseUrl::of(parts),
            incarnation,
        })
    }
}

impl<'a> Ask<'a> {
    /// The same now, where it is certain that it has not changed meanwhile.
    pub(crate) fn incarnation(&self, engine: &Engine) -> Option<u64> {
        engine.incarnation(&self.caller.twin).filter(|now| Some(*now) == self.incarnation)
    }

    /// The layer of ready tiles of this name, once they were looked for.
    pub(crate) fn tile_layer(&self, name: &str) -> Option<&Arc<dyn TileLayer>> {
        let layers = self.tile_layers.get()?;
        layers.iter().find(|layer| layer.description().name == name)
    }

    /// The absolute address of a path below the root of the API.
    pub(crate) fn url(&self, path: &str) -> String {
        [self.base.as_str(), BASE, path].concat()
    }

    /// The root of the API.
    pub(crate) fn root(&self) -> String {
        self.url("")
    }

    /// The address of this request, without its query string.
    pub(crate) fn path_url(&self) -> String {
        self.base.to(self.parts.uri.path().trim_end_matches('/'))
    }

    /// The address of this request as it came.
    pub(crate) fn own_url(&self) -> String {
        match self.parts.uri.query() {
            None | Some("") => self.path_url(),
            Some(query) => format!("{}?{query}", self.path_url()),
        }
    }

    /// The address of this request with other values for some parameters; `None` leaves one out.
    pub(crate) fn url_with(&self, changed: &[(&str, Option<&str>)]) -> String {
        let mut url = self.path_url();
        let query = self.parts.uri.query().unwrap_or("");
        let more = changed.iter().map(|(name, value)| name.len() + value.map_or(0, str::len) + 2);
        url.reserve(query.len() + 1 + more.sum::<usize>());
        let mut separator = '?';
        let mut add = |parts: [&str; 3]| {
            url.push(separator);
            url.extend(parts);
            separator = '&';
        };
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let name = pair.split('=').next().unwrap_or("");
            if !changed.iter().any(|(other, _)| *other == name) {
                add([pair, "", ""]);
            }
        }
        for (name, value) in changed {
            if let Some(value) = value {
                add([name, "=", value]);
            }
        }
        url
    }

    /// The encoding of the answer: by the parameter `f`, else by `Accept`. `media_type` is that of
    /// the JSON encoding; plain JSON is as welcome to a client as what is made of it.
    pub(crate) fn format(&self, media_type: &'static str) -> Result<Format, Fault> {
        if let Some(name) = self.query.get("f") {
            return match name {
                "json" => Ok(Format::Json),
                "html" => Ok(Format::Html),
                other => {
                    let known = "json, html".to_owned();
                    Err(ParamFault::Format { text: other.into(), known }.into())
                }
            };
        }
        let accept = match self.parts.headers.get(ACCEPT) {
            None => return Ok(Format::Json),
            Some(value) => value.to_str().unwrap_or(""),
        };
        match best_media_type(Some(accept), &[media_type, "application/json", HTML]) {
            Some(2) => Ok(Format::Html),
            Some(_) => Ok(Format::Json),
            None => Err(Fault::not_acceptable(&[media_type, HTML])),
        }
    }

    /// Whether the request does not say in which media type it wants its answer.
    pub(crate) fn has_no_preference(&self) -> bool {
        self.parts.headers.get(ACCEPT).is_none_or(|value| value == "*/*")
    }

    /// The place of the media type that `Accept` likes best; the first where there is no such header.
    pub(crate) fn best_of(&self, offered: &[&str]) -> Option<usize> {
        let accept = self.parts.headers.get(ACCEPT).map(|value| value.to_str().unwrap_or(""));
        best_media_type(accept, offered)
    }

    /// What stands behind a segment of the path, decoded: the id of a feature, which clients glue to
    /// the address of the features as it is, although it has slashes.
    pub(crate) fn behind(&self, place: usize) -> Result<Cow<'a, str>, Fault> {
        let path = self.parts.uri.path();
        let rest = path.strip_prefix(BASE).unwrap_or(path).trim_start_matches('/');
        let rest = rest.splitn(place + 2, '/').nth(place + 1).unwrap_or("");
        decoded(rest.strip_suffix('/').unwrap_or(rest))
    }

    /// A segment of the path behind the base, decoded: 0 is the resource.
    pub(crate) fn segment(&self, place: usize) -> Result<Cow<'a, str>, Fault> {
        let path = self.parts.uri.path();
        let rest = path.strip_prefix(BASE).unwrap_or(path);
        let segment = rest.trim_start_matches('/').split('/').nth(place).unwrap_or("");
        decoded(segment)
    }
}

fn decoded(text: &str) -> Result<Cow<'_, str>, Fault> {
    path_decode(text)
        .ok_or_else(|| Fault::invalid(format!("{text:?} is no UTF-8 in percent-encoding")))
}
