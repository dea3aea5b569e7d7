use std::borrow::Cow;
use std::sync::Arc;

use axum::body::Body;
use axum::http::Response;
use cardo_engine::{AskedBy, AskedSources, Reach};
use cardo_http::Params;
use cardo_model::Iri;
use cardo_query::{Filter, GeoParameters, QOptions};
use serde_json::value::RawValue;

use super::entities::{format_of, geometry_property};
use super::entity_maps::MapWish;
use super::query::Question;
use super::{OrderText, ProjectionText, QuestionText, ShapeText, question, source_filter};
use crate::face::Face;
use crate::fault::Fault;
use crate::federation::datasets_of;
use crate::parse::{
    DataFault, Document, InvalidInput, Items, Members, at_most, shorten, string, strings,
};
use crate::represent::Naming;
use crate::request::{Ask, ENTITY_TYPES, Media, flag};

const PARAMS: [&str; 8] =
    ["limit", "offset", "count", "options", "format", "local", "geometryProperty", "lang"];

/// Query entities by POST (clauses 5.7.2 and 6.23).
pub(crate) async fn query(
    face: &Arc<Face>,
    ask: &Ask<'_>,
    body: Body,
) -> Result<Response<Body>, Fault> {
    let media = ask.media(&ENTITY_TYPES)?;
    let (naming, question, wish) = face.read_posted(ask, body, media).await?;
    face.answer_question(ask, &naming, &question, &wish).await
}

impl Face {
    /// The question in a body, and the context that it was read in.
    pub(crate) async fn read_posted(
        &self,
        ask: &Ask<'_>,
        body: Body,
        media: Media,
    ) -> Result<(Arc<Naming>, Question, MapWish), Fault> {
        let params = ask.params(&PARAMS, &[])?;
        let payload = self.payload(ask, body).await?;
        let document = Document::from_body(&payload.bytes)?;
        let naming = self.document_naming(&payload, document.context()?).await?;
        let local = flag(&params, "local")?;
        let asked = Asked::read(document.members(), local)?;
        let wish = MapWish::read(ask, asked.entity_map, asked.map_lifetime.as_deref())?;
        let question = self.posted_question(ask, &naming, &asked, &params, media).await?;
        Ok((naming, question, wish))
    }

    /// The question of a Query by itself, put in a context.
    pub(crate) async fn query_document(
        &self,
        ask: &Ask<'_>,
        naming: &Arc<Naming>,
        query: &serde_json::Value,
    ) -> Result<Question, Fault> {
        let text = query.to_string();
        let document = Document::from_body(text.as_bytes())?;
        let asked = Asked::read(document.members(), None)?;
        self.posted_question(ask, naming, &asked, &Params::default(), Media::Json).await
    }

    async fn posted_question(
        &self,
        ask: &Ask<'_>,
        naming: &Arc<Naming>,
        asked: &Asked<'_>,
        params: &Params<'_>,
        media: Media,
    ) -> Result<Question, Fault> {
        let mut text = asked.shape_text();
        text.lang = text.lang.or(params.get("lang"));
        text.learn(self, ask, naming).await?;
        let (shape, attrs) = text.shape(self, ask, naming, format_of(params)?)?;
        let sources = AskedSources {
            split: asked.split.unwrap_or(self.options.split_entities),
            sources: source_filter(asked.csf.as_deref(), naming.context())?,
            datasets: datasets_of(asked.datasets.as_deref()),
            attributes: attrs.clone().unwrap_or_default(),
            by: AskedBy::Batch,
            ..AskedSources::default()
        };
        let mut caller = ask.caller_to(naming, sources);
        if asked.local == Some(true) {
            caller.reach = Reach::Local;
        }
        let levels = shape.join().map_or(0, |join| join.levels);
        let geometry = geometry_property(params, media, naming)?;
        Ok(Question {
            filter: asked.filter(naming, attrs.as_deref(), levels)?,
            order: asked.ordering.text().read(naming.context())?,
            paging: self.paging(params)?,
            asked: super::query::Asked { shape, geometry, media },
            caller,
        })
    }
}

/// How many selectors a question or a subscription may have.
pub(crate) const MAX_SELECTORS: usize = 1_000;

/// The members of a Query.
#[derive(Default)]
struct Asked<'a> {
    entities: Vec<Selector<'a>>,
    attrs: Option<String>,
    pick: Option<String>,
    omit: Option<String>,
    q: Option<Cow<'a, str>>,
    expand_values: Option<String>,
    json_keys: Option<String>,
    geo: Option<&'a RawValue>,
    scope_q: Option<Cow<'a, str>>,
    datasets: Option<String>,
    lang: Option<Cow<'a, str>>,
    join: Option<Cow<'a, str>>,
    join_level: Option<&'a str>,
    contained_by: Option<String>,
    ordering: Ordering<'a>,
    csf: Option<Cow<'a, str>>,
    local: Option<bool>,
    split: Option<bool>,
    entity_map: bool,
    map_lifetime: Option<Cow<'a, str>>,
}

/// The members of its ordering (clause 5.2.43).
#[derive(Default)]
struct Ordering<'a> {
    by: Option<String>,
    coordinates: Option<&'a str>,
    geometry: Option<Cow<'a, str>>,
    collation: Option<Cow<'a, str>>,
}

impl<'a> Ordering<'a> {
    fn read(raw: &'a RawValue) -> Result<Self, InvalidInput> {
        let mut ordering = Self::default();
        for (name, raw) in Members::of(raw)?.iter() {
            match name {
                "orderBy" => ordering.by = Some(list(raw)?),
                "coordinates" => ordering.coordinates = Some(raw.get()),
                "geometry" => ordering.geometry = Some(string(raw, "a type of geometry")?),
                "collation" => ordering.collation = Some(string(raw, "a collation")?),
                other => {
                    let why = "an ordering has orderBy, coordinates, geometry and collation";
                    return Err(DataFault::Prohibited(other.to_owned(), why).into());
                }
            }
        }
        Ok(ordering)
    }

    fn text(&self) -> OrderText<'_> {
        OrderText {
            by: self.by.as_deref(),
            from: self.coordinates,
            geometry: self.geometry.as_deref(),
            collation: self.collation.as_deref(),
        }
    }
}

/// Which entities (clause 5.2.33).
pub(crate) struct Selector<'a> {
    pub(crate) types: Cow<'a, str>,
    pub(crate) ids: Option<String>,
    pub(crate) id_pattern: Option<Cow<'a, str>>,
}

impl<'a> Selector<'a> {
    pub(crate) fn read(raw: &'a RawValue) -> Result<Self, InvalidInput> {
        let members = Members::of(raw)?;
        let known = ["type", "id", "idPattern"];
        if let Some((name, _)) = members.iter().find(|(name, _)| !known.contains(name)) {
            let why = "an entity selector has type, id and idPattern";
            return Err(DataFault::Prohibited(name.to_owned(), why).into());
        }
        let types = members.get("type")?.ok_or(DataFault::Missing("type"))?;
        let ids = match members.get("id")? {
            None => None,
            Some(raw) => Some(strings(raw, "a URI or an array of them")?.join(",")),
        };
        let id_pattern = match members.get("idPattern")? {
            None => None,
            Some(raw) => Some(string(raw, "a regular expression")?),
        };
        Ok(Self { types: string(types, "a selection of types")?, ids, id_pattern })
    }

    /// The filter of this selector alone.
    pub(crate) fn filter(&self, naming: &Naming) -> Result<Filter, Fault> {
        let text = QuestionText {
            types: Some(&self.types),
            ids: self.ids.as_deref(),
            id_pattern: self.id_pattern.as_deref(),
            ..QuestionText::default()
        };
        question(&text, None, naming.context(), 0)
    }
}

impl<'a> Asked<'a> {
    fn read(members: &Members<'a>, local: Option<bool>) -> Result<Self, Fault> {
        let mut asked = Self { local, ..Self::default() };
        let mut has_type = false;
        for (name, raw) in members.iter() {
            let within = |error: InvalidInput| Fault::from(error.within(name));
            match name {
                "@context" | "id" | "@id" => {}
                "type" | "@type" => {
                    has_type = true;
                    if string(raw, "the type Query").map_err(within)? != "Query" {
                        return Err(Fault::bad_data("the type of a query is Query"));
                    }
                }
                "entities" => {
                    let items = Items::of(raw).map_err(within)?.0;
                    at_most("selectors of entities", items.len(), MAX_SELECTORS).map_err(within)?;
                    for item in items {
                        asked.entities.push(Selector::read(item).map_err(within)?);
                    }
                    if asked.entities.is_empty() {
                        return Err(Fault::bad_data("entities: the list is empty"));
                    }
                }
                "attrs" => asked.attrs = Some(list(raw).map_err(within)?),
                "pick" => asked.pick = Some(list(raw).map_err(within)?),
                "omit" => asked.omit = Some(list(raw).map_err(within)?),
                "datasetId" => asked.datasets = Some(list(raw).map_err(within)?),
                "q" => asked.q = Some(string(raw, "a query").map_err(within)?),
                "geoQ" => asked.geo = Some(raw),
                "scopeQ" => asked.scope_q = Some(string(raw, "a scope query").map_err(within)?),
                "local" => asked.local = Some(truth(raw).map_err(within)?),
                "splitEntities" => asked.split = Some(truth(raw).map_err(within)?),
                "csf" => asked.csf = Some(string(raw, "a query").map_err(within)?),
                "expandValues" => asked.expand_values = Some(names(raw).map_err(within)?),
                "jsonKeys" => asked.json_keys = Some(names(raw).map_err(within)?),
                "lang" => asked.lang = Some(string(raw, "a list of languages").map_err(within)?),
                "join" => asked.join = Some(string(raw, "a kind of join").map_err(within)?),
                "joinLevel" => asked.join_level = Some(raw.get()),
                "containedBy" => asked.contained_by = Some(list(raw).map_err(within)?),
                "ordering" => asked.ordering = Ordering::read(raw).map_err(within)?,
                "entityMap" => asked.entity_map = truth(raw).map_err(within)?,
                "entityMapLifetime" => {
                    asked.map_lifetime = Some(string(raw, "a duration").map_err(within)?);
                }
                _ => {
                    return Err(Fault::bad_data(format!("{name:?} is not a member of a query")));
                }
            }
        }
        if !has_type {
            return Err(Fault::bad_data("the member \"type\" is missing; it is Query"));
        }
        Ok(asked)
    }

    fn shape_text(&self) -> ShapeText<'_> {
        ShapeText {
            projection: ProjectionText {
                attrs: self.attrs.as_deref(),
                pick: self.pick.as_deref(),
                omit: self.omit.as_deref(),
            },
            datasets: self.datasets.as_deref(),
            lang: self.lang.as_deref(),
            join: self.join.as_deref(),
            join_level: self.join_level,
            contained_by: self.contained_by.as_deref(),
        }
    }

    fn filter(
        &self,
        naming: &Naming,
        attrs: Option<&[Iri]>,
        levels: usize,
    ) -> Result<Filter, Fault> {
        let selectors: Vec<Filter> = self
            .entities
            .iter()
            .map(|selector| selector.filter(naming))
            .collect::<Result<_, _>>()?;
        let text = QuestionText {
            q: self.q.as_deref(),
            q_options: QOptions {
                expand_values: self.expand_values.as_deref(),
                json_keys: self.json_keys.as_deref(),
            },
            geo: GeoParameters::default(),
            geo_object: self.geo.map(RawValue::get),
            scope_q: self.scope_q.as_deref(),
            local: if selectors.is_empty() { self.local } else { Some(true) },
            ..QuestionText::default()
        };
        let rest = question(&text, attrs, naming.context(), levels)?;
        Ok(match <[Filter; 1]>::try_from(selectors) {
            Ok([one]) => one.and(rest),
            Err(several) if several.is_empty() => rest,
            Err(several) => Filter::Or(several).and(rest),
        })
    }
}

pub(crate) fn truth(raw: &RawValue) -> Result<bool, InvalidInput> {
    match raw.get() {
        "true" => Ok(true),
        "false" => Ok(false),
        other => Err(DataFault::Expected(shorten(other), "true or false").into()),
    }
}

/// Names in one string, or an array of them.
fn names(raw: &RawValue) -> Result<String, InvalidInput> {
    Ok(strings(raw, "a list of names")?.join(","))
}

/// An array of strings as the text of a parameter.
fn list(raw: &RawValue) -> Result<String, InvalidInput> {
    let names = strings(raw, "an array of strings")?;
    if names.is_empty() {
        return Err(DataFault::Expected("[]".to_owned(), "a list of at least one name").into());
    }
    Ok(names.join(","))
}
