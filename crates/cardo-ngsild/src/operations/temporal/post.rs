use std::borrow::Cow;
use std::sync::Arc;

use axum::body::Body;
use axum::http::Response;
use cardo_engine::{AskedBy, AskedSources, Caller, EvolutionQuery, Reach};
use cardo_query::{Filter, QOptions, TemporalParameters};
use serde_json::value::RawValue;

use super::asked::{Asked, TemporalText};
use super::query::{Evolved, Selection, order};
use crate::face::Face;
use crate::fault::Fault;
use crate::operations::entity_maps::MapWish;
use crate::operations::post_query::{MAX_SELECTORS, Selector, truth};
use crate::operations::query::Paging;
use crate::operations::{ProjectionText, QuestionText, source_filter};
use crate::parse::{DataFault, Document, InvalidInput, Items, Members, at_most, string, strings};
use crate::represent::Naming;
use crate::request::{Ask, JSON_TYPES, flag};

const PARAMS: [&str; 8] =
    ["limit", "offset", "count", "options", "format", "local", "lang", "splitEntities"];

/// Query the temporal evolution of entities by POST (clauses 5.7.4 and 6.24).
pub(crate) async fn post_query(
    face: &Arc<Face>,
    ask: &Ask<'_>,
    body: Body,
) -> Result<Response<Body>, Fault> {
    let media = ask.media(&JSON_TYPES)?;
    let (evolved, wish) = face.read_posted_evolution(ask, body).await?;
    face.answer_evolution(ask, media, evolved, &wish).await
}

/// Create entity map for query temporal evolution, by POST (clauses 5.14.5 and 6.35.3.2).
pub(crate) async fn post_map(
    face: &Arc<Face>,
    ask: &Ask<'_>,
    body: Body,
) -> Result<Response<Body>, Fault> {
    let media = ask.media(&JSON_TYPES)?;
    let (evolved, wish) = face.read_posted_evolution(ask, body).await?;
    face.answer_evolution_map(ask, media, &evolved, &wish).await
}

impl Face {
    async fn read_posted_evolution(
        &self,
        ask: &Ask<'_>,
        body: Body,
    ) -> Result<(Evolved, MapWish), Fault> {
        let params = ask.params(&PARAMS, &[])?;
        let payload = self.payload(ask, body).await?;
        let document = Document::from_body(&payload.bytes)?;
        let naming = self.document_naming(&payload, document.context()?).await?;
        let mut body = Question::read(document.members())?;
        body.local = flag(&params, "local")?.or(body.local);
        body.split = flag(&params, "splitEntities")?.or(body.split);
        let text = TemporalText {
            options: params.get("options"),
            format: params.get("format"),
            lang: body.lang.as_deref().or(params.get("lang")),
            ..body.temporal()
        };
        text.learn(self, ask, &naming).await?;
        let paging = self.paging(&params)?;
        let wish = MapWish::read(ask, body.entity_map, body.map_lifetime.as_deref())?;
        Ok((self.evolved_by(ask, naming, &body, &text, paging)?, wish))
    }

    /// The question of a Query by itself, put in a context.
    pub(crate) fn evolution_document(
        &self,
        ask: &Ask<'_>,
        naming: &Arc<Naming>,
        query: &serde_json::Value,
    ) -> Result<(EvolutionQuery, Caller), Fault> {
        let text = query.to_string();
        let document = Document::from_body(text.as_bytes())?;
        let body = Question::read(document.members())?;
        let asked = TemporalText { lang: body.lang.as_deref(), ..body.temporal() };
        let paging = Paging { limit: 0, offset: 0, count: false };
        let evolved = self.evolved_by(ask, naming.clone(), &body, &asked, paging)?;
        Ok((self.evolution_query(&evolved)?, evolved.caller))
    }

    /// The question that a Query puts.
    fn evolved_by(
        &self,
        ask: &Ask<'_>,
        naming: Arc<Naming>,
        body: &Question<'_>,
        text: &TemporalText<'_>,
        paging: Paging,
    ) -> Result<Evolved, Fault> {
        let asked = Asked::read(self, ask, text, naming.context())?;
        let sources = AskedSources {
            sources: source_filter(body.csf.as_deref(), naming.context())?,
            split: body.split.unwrap_or(self.options.split_entities),
            ..asked.sources(AskedBy::Batch, body.datasets.as_deref())
        };
        let mut caller = ask.caller_to(&naming, sources);
        if body.local == Some(true) {
            caller.reach = Reach::Local;
        }
        let text = QuestionText {
            q: body.q.as_deref(),
            q_options: QOptions {
                expand_values: body.expand_values.as_deref(),
                json_keys: body.json_keys.as_deref(),
            },
            geo_object: body.geo.map(RawValue::get),
            scope_q: body.scope_q.as_deref(),
            local: if body.entities.is_empty() { body.local } else { Some(true) },
            ..QuestionText::default()
        };
        let mut selection = Selection::read(&text, asked.attrs.as_deref(), naming.context())?;
        let selectors: Vec<Filter> = body
            .entities
            .iter()
            .map(|selector| selector.filter(&naming))
            .collect::<Result<_, _>>()?;
        if !selectors.is_empty() {
            selection.entities = Filter::Or(selectors).and(selection.entities);
        }
        let by_id = order(body.order_by.as_deref(), body.collation.as_deref())?;
        Ok(Evolved { naming, asked, selection, by_id, paging, caller })
    }
}

/// The members of a Query (clause 5.2.23).
#[derive(Default)]
struct Question<'a> {
    entities: Vec<Selector<'a>>,
    attrs: Option<String>,
    pick: Option<String>,
    omit: Option<String>,
    datasets: Option<String>,
    q: Option<Cow<'a, str>>,
    geo: Option<&'a RawValue>,
    scope_q: Option<Cow<'a, str>>,
    expand_values: Option<String>,
    json_keys: Option<String>,
    csf: Option<Cow<'a, str>>,
    lang: Option<Cow<'a, str>>,
    order_by: Option<String>,
    collation: Option<Cow<'a, str>>,
    local: Option<bool>,
    split: Option<bool>,
    entity_map: bool,
    map_lifetime: Option<Cow<'a, str>>,
    relation: Option<Cow<'a, str>>,
    time_at: Option<Cow<'a, str>>,
    end_time_at: Option<Cow<'a, str>>,
    property: Option<Cow<'a, str>>,
    last: Option<&'a str>,
    methods: Option<String>,
    period: Option<Cow<'a, str>>,
}

impl<'a> Question<'a> {
    fn read(members: &Members<'a>) -> Result<Self, Fault> {
        let mut question = Self::default();
        let mut has_type = false;
        for (name, raw) in members.iter() {
            if name == "type" || name == "@type" {
                has_type = true;
                if string(raw, "the type Query")? != "Query" {
                    return Err(Fault::bad_data("the type of a query is Query"));
                }
            } else {
                question.member(name, raw).map_err(|error| error.within(name))?;
            }
        }
        if !has_type {
            return Err(Fault::bad_data("the member \"type\" is missing; it is Query"));
        }
        Ok(question)
    }

    fn member(&mut self, name: &str, raw: &'a RawValue) -> Result<(), InvalidInput> {
        match name {
            "@context" | "id" | "@id" => {}
            "entities" => {
                let items = Items::of(raw)?.0;
                at_most("selectors of entities", items.len(), MAX_SELECTORS)?;
                if items.is_empty() {
                    return Err(DataFault::Expected("[]".to_owned(), "a list of selectors").into());
                }
                self.entities = items.into_iter().map(Selector::read).collect::<Result<_, _>>()?;
            }
            "attrs" => self.attrs = Some(list(raw)?),
            "pick" => self.pick = Some(list(raw)?),
            "omit" => self.omit = Some(list(raw)?),
            "datasetId" => self.datasets = Some(list(raw)?),
            "orderBy" => self.order_by = Some(list(raw)?),
            "collation" => self.collation = Some(string(raw, "a collation")?),
            "ordering" => return self.ordering(&Members::of(raw)?),
            "expandValues" => self.expand_values = Some(list(raw)?),
            "jsonKeys" => self.json_keys = Some(list(raw)?),
            "csf" => self.csf = Some(string(raw, "a query")?),
            "lang" => self.lang = Some(string(raw, "a language filter")?),
            "splitEntities" => self.split = Some(truth(raw)?),
            "q" => self.q = Some(string(raw, "a query")?),
            "geoQ" => self.geo = Some(raw),
            "scopeQ" => self.scope_q = Some(string(raw, "a scope query")?),
            "entityMap" => self.entity_map = truth(raw)?,
            "entityMapLifetime" => self.map_lifetime = Some(string(raw, "a duration")?),
            "local" => self.local = Some(raw.get() == "true"),
            "temporalQ" => return self.temporal_members(&Members::of(raw)?),
            "aggrParams" => return self.aggregation(&Members::of(raw)?),
            _ => {
                let why = "a query has no such member";
                return Err(DataFault::Prohibited(name.to_owned(), why).into());
            }
        }
        Ok(())
    }

    /// Clause 5.2.43, of which temporal questions use no places.
    fn ordering(&mut self, members: &Members<'a>) -> Result<(), InvalidInput> {
        for (name, raw) in members.iter() {
            match name {
                "orderBy" => self.order_by = Some(list(raw)?),
                "collation" => self.collation = Some(string(raw, "a collation")?),
                _ => {
                    let why = "an ordering of histories has orderBy and collation";
                    return Err(DataFault::Prohibited(name.to_owned(), why).into());
                }
            }
        }
        Ok(())
    }

    /// Clause 5.2.21.
    fn temporal_members(&mut self, members: &Members<'a>) -> Result<(), InvalidInput> {
        for (name, raw) in members.iter() {
            let text = || string(raw, "a text").map_err(|error| error.within(name));
            match name {
                "timerel" => self.relation = Some(text()?),
                "timeAt" => self.time_at = Some(text()?),
                "endTimeAt" => self.end_time_at = Some(text()?),
                "timeproperty" => self.property = Some(text()?),
                "lastN" => self.last = Some(raw.get()),
                "aggrMethods" | "aggrPeriodDuration" => self.aggregate(name, raw)?,
                _ => {
                    let why = "a temporal query has no such member";
                    return Err(DataFault::Prohibited(name.to_owned(), why).into());
                }
            }
        }
        Ok(())
    }

    /// Clause 5.2.44.
    fn aggregation(&mut self, members: &Members<'a>) -> Result<(), InvalidInput> {
        members.iter().try_for_each(|(name, raw)| self.aggregate(name, raw))
    }

    fn aggregate(&mut self, name: &str, raw: &'a RawValue) -> Result<(), InvalidInput> {
        match name {
            "aggrMethods" => {
                let methods = strings(raw, "methods").map_err(|error| error.within(name))?;
                self.methods = Some(methods.join(","));
            }
            "aggrPeriodDuration" => {
                let period = string(raw, "a duration").map_err(|error| error.within(name))?;
                self.period = Some(period);
            }
            _ => {
                let why = "an aggregation has aggrMethods and aggrPeriodDuration";
                return Err(DataFault::Prohibited(name.to_owned(), why).into());
            }
        }
        Ok(())
    }

    fn temporal(&self) -> TemporalText<'_> {
        TemporalText {
            projection: ProjectionText {
                attrs: self.attrs.as_deref(),
                pick: self.pick.as_deref(),
                omit: self.omit.as_deref(),
            },
            time: TemporalParameters {
                relation: self.relation.as_deref(),
                time_at: self.time_at.as_deref(),
                end_time_at: self.end_time_at.as_deref(),
                property: self.property.as_deref(),
            },
            last: self.last,
            methods: self.methods.as_deref(),
            period: self.period.as_deref(),
            datasets: self.datasets.as_deref(),
            lang: None,
            options: None,
            format: None,
            methods_suffice: true,
        }
    }
}

/// An array of strings as the text of a parameter.
fn list(raw: &RawValue) -> Result<String, InvalidInput> {
    let names = strings(raw, "an array of strings")?;
    if names.is_empty() {
        return Err(DataFault::Expected("[]".to_owned(), "a list of at least one name").into());
    }
    Ok(names.join(","))
}
