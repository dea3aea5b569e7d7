use std::borrow::Cow;
use std::sync::Arc;

use axum::body::Body;
use axum::http::Response;
use cardo_query::{Filter, GeoParameters, QOptions};
use serde_json::value::RawValue;

use super::entities::{format_of, geometry_property};
use super::query::Question;
use super::{ProjectionText, QuestionText, dataset_ids, members, question};
use crate::face::Face;
use crate::fault::Fault;
use crate::parse::{DataFault, Document, InvalidInput, Items, Members, at_most, string, strings};
use crate::represent::{Naming, Shape};
use crate::request::{Ask, ENTITY_TYPES, flag};

const PARAMS: [&str; 7] =
    ["limit", "offset", "count", "options", "format", "local", "geometryProperty"];

/// Members of a Query (clause 5.2.23) that are understood, and those that are not built.
const UNBUILT_MEMBERS: &[&str] = &[
    "csf",
    "lang",
    "join",
    "joinLevel",
    "containedBy",
    "orderBy",
    "ordering",
    "orderFrom",
    "orderGeometry",
    "collation",
    "entityMap",
    "entityMapLifetime",
    "splitEntities",
    "expandValues",
    "jsonKeys",
];

/// Query entities by POST (clauses 5.7.2 and 6.23).
pub(crate) async fn query(
    face: &Arc<Face>,
    ask: &Ask<'_>,
    body: Body,
) -> Result<Response<Body>, Fault> {
    let params = ask.params(&PARAMS, &["lang"])?;
    let media = ask.media(&ENTITY_TYPES)?;
    let payload = face.payload(ask, body).await?;
    let document = Document::from_body(&payload.bytes)?;
    let naming = face.document_naming(&payload, document.context()?).await?;
    let local = flag(&params, "local")?;
    let asked = Asked::read(document.members(), local)?;
    let (filter, members) = asked.filter(face, &naming)?;
    let (format, sys_attrs) = format_of(&params)?;
    let datasets = dataset_ids(asked.datasets.as_deref())?;
    let question = Question {
        filter,
        shape: Shape { format, sys_attrs, members, datasets },
        paging: face.paging(&params)?,
        geometry: geometry_property(&params, media, &naming)?,
    };
    face.answer_question(ask, media, &naming, &question).await
}

/// How many selectors a question or a subscription may have.
pub(crate) const MAX_SELECTORS: usize = 1_000;

/// The members of a Query.
struct Asked<'a> {
    entities: Vec<Selector<'a>>,
    attrs: Option<String>,
    pick: Option<String>,
    omit: Option<String>,
    q: Option<Cow<'a, str>>,
    geo: Option<&'a RawValue>,
    scope_q: Option<Cow<'a, str>>,
    datasets: Option<String>,
    local: Option<bool>,
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
        question(&text, None, naming.context())
    }
}

impl<'a> Asked<'a> {
    fn read(members: &Members<'a>, local: Option<bool>) -> Result<Self, Fault> {
        let mut asked = Self {
            entities: Vec::new(),
            attrs: None,
            pick: None,
            omit: None,
            q: None,
            geo: None,
            scope_q: None,
            datasets: None,
            local,
        };
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
                "local" => asked.local = Some(raw.get() == "true"),
                _ if UNBUILT_MEMBERS.contains(&name) => {
                    return Err(Fault::not_implemented(format!(
                        "the member {name:?} is not implemented"
                    )));
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

    fn filter(
        &self,
        face: &Face,
        naming: &Naming,
    ) -> Result<(Filter, crate::represent::Members), Fault> {
        let text = ProjectionText {
            attrs: self.attrs.as_deref(),
            pick: self.pick.as_deref(),
            omit: self.omit.as_deref(),
        };
        let (members, attrs) = members(text, naming.context(), face.engine.names())?;
        let selectors: Vec<Filter> = self
            .entities
            .iter()
            .map(|selector| selector.filter(naming))
            .collect::<Result<_, _>>()?;
        let text = QuestionText {
            q: self.q.as_deref(),
            q_options: QOptions::default(),
            geo: GeoParameters::default(),
            geo_object: self.geo.map(RawValue::get),
            scope_q: self.scope_q.as_deref(),
            local: if selectors.is_empty() { self.local } else { Some(true) },
            ..QuestionText::default()
        };
        let rest = question(&text, attrs.as_deref(), naming.context())?;
        let filter = match <[Filter; 1]>::try_from(selectors) {
            Ok([one]) => one.and(rest),
            Err(several) if several.is_empty() => rest,
            Err(several) => Filter::Or(several).and(rest),
        };
        Ok((filter, members))
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
