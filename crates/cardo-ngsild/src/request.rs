//! What every operation takes from its request.

use std::borrow::Cow;
use std::sync::Arc;

use axum::body::Body;
use axum::http::header::{ACCEPT, LINK};
use axum::http::request::Parts;
use bytes::Bytes;
use cardo_engine::{Caller, Snapshot};
use cardo_http::{Access, Params, Rights, asked_twin, best_media_type, min_revision, read_body};
use cardo_model::{Iri, TwinId};
use serde_json::value::RawValue;

use crate::contexts::{BodyContext, Place, body_kind, link_context};
use crate::face::{BASE, Face};
use crate::fault::Fault;
use crate::parse::{DataFault, Document, InvalidInput};
use crate::represent::{Naming, Version};
use crate::snapshots::asked_snapshot;

/// How long an answer may wait for the revision that its request names.
const MAX_WAIT: std::time::Duration = std::time::Duration::from_secs(10);

/// A request, and on whose behalf it runs.
pub(crate) struct Ask<'a> {
    pub(crate) parts: &'a Parts,
    pub(crate) caller: Caller,
    /// Which branch of its name is meant ([`cardo_engine::Engine::incarnation`]).
    pub(crate) incarnation: Option<u64>,
    /// The twin as it is, whose contexts hold for past ones too.
    home: TwinId,
}

/// The media types of answers, in the order of clause 6.3.4.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Media {
    Json,
    JsonLd,
    GeoJson,
}

pub(crate) const JSON_TYPES: [&str; 2] = ["application/json", "application/ld+json"];
pub(crate) const ENTITY_TYPES: [&str; 3] =
    ["application/json", "application/ld+json", "application/geo+json"];

impl Media {
    pub(crate) fn as_str(self) -> &'static str {
        ENTITY_TYPES[self as usize]
    }
}

/// A body that was read, and where its context stands.
pub(crate) struct Payload<'a> {
    pub(crate) bytes: Bytes,
    pub(crate) context: BodyContext<'a>,
    parts: &'a Parts,
    twin: TwinId,
}

impl Face {
    /// Finds out who asks and for which twin.
    pub(crate) async fn ask<'a>(&self, parts: &'a Parts, rights: Rights) -> Result<Ask<'a>, Fault> {
        let twin = asked_twin(parts)?.unwrap_or_else(|| self.default_twin.clone());
        let access = Access { headers: &parts.headers, twin: &twin, rights };
        let granted = self.options.authorize.authorize(&access)?;
        let twin = match asked_snapshot(parts, &twin)? {
            None => twin,
            Some(snapshot) => {
                self.snapshots.note_use(&snapshot.now(), self.engine.now());
                snapshot
            }
        };
        let caller = Caller {
            principal: granted.principal,
            view: granted.view,
            origin: self.origin.clone(),
            reach: self.reach(parts, &twin).await?,
            twin,
        };
        let wanted = min_revision(&parts.headers).map_err(|text| {
            Fault::invalid(format!("Cardo-Min-Revision: {text:?} is no revision"))
        })?;
        if let Some(revision) = wanted {
            self.engine.wait_for(&caller, revision, MAX_WAIT).await?;
        }
        let incarnation = self.engine.incarnation(&caller.twin);
        Ok(Ask::new(parts, caller, incarnation))
    }

    /// The twin as it is now.
    pub(crate) async fn snapshot(&self, ask: &Ask<'_>) -> Result<Snapshot, Fault> {
        match self.engine.loaded_snapshot(&ask.caller) {
            Some(snapshot) => Ok(snapshot),
            None => Ok(self.engine.snapshot(&ask.caller).await?),
        }
    }

    /// The context of a request without a body: that of the `Link` header, or the core
    /// (clause 6.3.5).
    pub(crate) async fn link_naming(&self, ask: &Ask<'_>) -> Result<Arc<Naming>, Fault> {
        let (headers, twin) = (&ask.parts.headers, &ask.home);
        let Some(first) = headers.get(LINK) else { return Ok(self.contexts.core().clone()) };
        let is_only = headers.get_all(LINK).iter().nth(1).is_none();
        if is_only && let Some(naming) = self.contexts.known_link(twin, first) {
            return Ok(naming);
        }
        let (naming, known) = match link_context(headers)? {
            Some(url) => self.contexts.used(ask.place(), &url).await?,
            None => (self.contexts.core().clone(), self.contexts.core_known()),
        };
        if is_only {
            self.contexts.remember_link(twin, first, &known);
        }
        Ok(naming)
    }

    /// Reads the body of a request.
    pub(crate) async fn payload<'a>(
        &self,
        ask: &Ask<'a>,
        body: Body,
    ) -> Result<Payload<'a>, Fault> {
        let is_patch = ask.parts.method == axum::http::Method::PATCH;
        let bytes = read_body(&ask.parts.headers, body, self.options.limits.body_bytes).await?;
        let context = body_kind(&ask.parts.headers, is_patch)?;
        Ok(Payload { bytes, context, parts: ask.parts, twin: ask.home.clone() })
    }

    /// The context of a document, by the media type it came with (clause 6.3.5). `member` is its
    /// own `@context`.
    pub(crate) async fn document_naming(
        &self,
        payload: &Payload<'_>,
        member: Option<&RawValue>,
    ) -> Result<Arc<Naming>, Fault> {
        let used = |source| self.contexts.used(payload.place(), source);
        match (&payload.context, member) {
            (BodyContext::Link(None), None) => Ok(self.contexts.core().clone()),
            (BodyContext::Link(Some(url)), None) => Ok(used(url).await?.0),
            (BodyContext::Link(_), Some(_)) => {
                Err(InvalidInput::from(DataFault::UnexpectedContext).into())
            }
            (BodyContext::Body, Some(raw)) => Ok(used(raw.get()).await?.0),
            (BodyContext::Body, None) => Err(InvalidInput::from(DataFault::NoContext).into()),
        }
    }
}

impl<'a> Payload<'a> {
    /// A message that came over a connection: its context stands in it, or is that of the request
    /// by which the connection was opened.
    pub(crate) fn of_message(ask: &Ask<'a>, text: String) -> Result<Self, Fault> {
        let bytes = Bytes::from(text);
        let has_own = Document::from_body(&bytes)?.context()?.is_some();
        let context = if has_own {
            BodyContext::Body
        } else {
            BodyContext::Link(link_context(&ask.parts.headers)?)
        };
        Ok(Self { bytes, context, parts: ask.parts, twin: ask.home.clone() })
    }

    /// For whom its context is looked for.
    fn place(&self) -> Place<'_> {
        Place { twin: &self.twin, parts: Some(self.parts) }
    }
}

impl<'a> Ask<'a> {
    /// A request of a caller.
    pub(crate) fn new(parts: &'a Parts, caller: Caller, incarnation: Option<u64>) -> Self {
        let home = caller.twin.now();
        Self { parts, caller, incarnation, home }
    }

    /// For whom contexts are looked for.
    pub(crate) fn place(&self) -> Place<'_> {
        Place { twin: &self.home, parts: Some(self.parts) }
    }

    /// The parameters of the request.
    pub(crate) fn params(
        &self,
        known: &[&'static str],
        unbuilt: &[&'static str],
    ) -> Result<Params<'a>, Fault> {
        Ok(Params::parse(self.parts.uri.query(), known, unbuilt)?)
    }

    /// A segment of the path behind the base, decoded: 0 is the resource.
    pub(crate) fn segment(&self, place: usize) -> Result<Cow<'a, str>, Fault> {
        let path = self.parts.uri.path();
        let rest = path.strip_prefix(BASE).unwrap_or(path);
        let segment = rest.trim_start_matches('/').split('/').nth(place).unwrap_or("");
        percent_decode(segment)
            .ok_or_else(|| Fault::bad_data(format!("{segment:?} is no UTF-8 in percent-encoding")))
    }

    /// The id in the path.
    pub(crate) fn id(&self, place: usize) -> Result<Iri, Fault> {
        Ok(Iri::new(self.segment(place)?.into_owned())?)
    }

    /// The media type of the answer (clause 6.3.4).
    pub(crate) fn media(&self, offered: &'static [&'static str]) -> Result<Media, Fault> {
        let accept = match self.parts.headers.get(ACCEPT) {
            None => None,
            Some(value) => Some(value.to_str().unwrap_or("")),
        };
        match best_media_type(accept, offered) {
            Some(0) => Ok(Media::Json),
            Some(1) => Ok(Media::JsonLd),
            Some(_) => Ok(Media::GeoJson),
            None => Err(Fault::NotAcceptable(offered)),
        }
    }

    /// Whether a `Prefer` header asks for something (RFC 7240).
    pub(crate) fn prefers(&self, name: &str, value: Option<&str>) -> bool {
        self.preference(name).is_some_and(|found| value.is_none_or(|value| found == value))
    }

    /// The version of the specification that an answer is to conform to, and that this server can
    /// give (clause 4.3.6.8); none where no version is asked for.
    pub(crate) fn version(&self) -> Option<Version> {
        if !self.parts.headers.contains_key("prefer") {
            return None;
        }
        self.preference("ngsi-ld").and_then(Version::at_most)
    }

    /// The value of a preference.
    pub(crate) fn preference(&self, name: &str) -> Option<&'a str> {
        let headers = self.parts.headers.get_all("prefer").iter();
        let preferences =
            headers.filter_map(|value| value.to_str().ok()).flat_map(|v| v.split([',', ';']));
        let mut pairs = preferences.filter_map(|preference| preference.trim().split_once('='));
        let (_, value) = pairs.find(|(key, _)| key.trim().eq_ignore_ascii_case(name))?;
        Some(value.trim().trim_matches('"'))
    }
}

fn percent_decode(text: &str) -> Option<Cow<'_, str>> {
    if !text.contains('%') {
        return Some(Cow::Borrowed(text));
    }
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        if bytes[at] == b'%' {
            let high = char::from(*bytes.get(at + 1)?).to_digit(16)?;
            let low = char::from(*bytes.get(at + 2)?).to_digit(16)?;
            out.push(u8::try_from(high * 16 + low).ok()?);
            at += 3;
        } else {
            out.push(bytes[at]);
            at += 1;
        }
    }
    String::from_utf8(out).ok().map(Cow::Owned)
}

/// A parameter that is `true` or `false`.
pub(crate) fn flag(params: &Params<'_>, name: &str) -> Result<Option<bool>, Fault> {
    match params.get(name) {
        None => Ok(None),
        Some("true") => Ok(Some(true)),
        Some("false") => Ok(Some(false)),
        Some(other) => Err(Fault::bad_data(format!("{name}={other:?} is neither true nor false"))),
    }
}
