//! What a context source answers, as entities.

use std::sync::Arc;

use cardo_egress::{HeaderMap, Response};
use cardo_engine::{SourceEntity, SourceEvolution, SourceFault};
use cardo_model::{EntityId, Iri, Timestamp};
use serde_json::value::RawValue;

use crate::contexts::{Contexts, Place};
use crate::operations::entity_maps::ENTITY_MAP;
use crate::options::NgsildLimits;
use crate::parse::{Document, EntityReader, Evolution, InvalidInput, Items, Reading, date};
use crate::represent::Naming;

/// So much of an error is told on.
const MOST_DETAIL: usize = 200;
/// So many warnings of one source are passed on.
const MOST_WARNINGS: usize = 16;

/// What is read of one item of an answer.
pub(super) trait OfSource: Sized {
    fn read(reader: &EntityReader<'_>, document: &Document<'_>) -> Result<Self, InvalidInput>;
}

impl OfSource for SourceEntity {
    fn read(reader: &EntityReader<'_>, document: &Document<'_>) -> Result<Self, InvalidInput> {
        let entity = reader.entity(document, None, Reading::OF_SOURCE)?;
        let [created_at, modified_at] = dates(document);
        Ok(Self { entity, created_at, modified_at })
    }
}

impl OfSource for SourceEvolution {
    fn read(reader: &EntityReader<'_>, document: &Document<'_>) -> Result<Self, InvalidInput> {
        let read = reader.evolution_as(document, None, Reading::PAST_OF_SOURCE)?;
        let Evolution { id, types, scopes, attributes } = read;
        let [created_at, modified_at] = dates(document);
        Ok(Self { id, types, scopes, attributes, created_at, modified_at })
    }
}

/// When an entity was created and last changed, as far as it tells.
pub(crate) fn dates(document: &Document<'_>) -> [Option<Timestamp>; 2] {
    ["createdAt", "modifiedAt"]
        .map(|name| document.members().get(name).ok().flatten().and_then(date))
}

/// The items of an answer, and how many of them are none that can be used. An answer that is no
/// entity or list of entities is refused (clause 6.3.17).
pub(super) async fn items<T: OfSource>(
    contexts: &Arc<Contexts>,
    place: Place<'_>,
    response: &Response,
    naming: &Arc<Naming>,
) -> Result<(Vec<T>, usize), SourceFault> {
    let invalid = |error: InvalidInput| SourceFault::Invalid(error.to_string());
    let body = response.body.trim_ascii();
    // No content is no data, which is as good as not found.
    if body.is_empty() {
        return Ok((Vec::new(), 0));
    }
    if !body.starts_with(b"[") {
        let document = Document::from_body(body).map_err(invalid)?;
        let entity = read(contexts, place, &document, naming).await.map_err(invalid)?;
        return Ok((vec![entity], 0));
    }
    let raw: &RawValue = serde_json::from_slice(body)
        .map_err(|error| SourceFault::Invalid(format!("it is no JSON: {error}")))?;
    let items = Items::of(raw).map_err(invalid)?.0;
    let (mut entities, mut bad) = (Vec::with_capacity(items.len()), 0);
    for item in items {
        let Ok(document) = Document::from_body(item.get().as_bytes()) else {
            bad += 1;
            continue;
        };
        match read(contexts, place, &document, naming).await {
            Ok(entity) => entities.push(entity),
            Err(error) => {
                tracing::debug!(%error, "an entity of a context source cannot be used");
                bad += 1;
            }
        }
    }
    if entities.is_empty() && bad > 0 {
        return Err(SourceFault::Invalid(format!("none of its {bad} items is an entity")));
    }
    Ok((entities, bad))
}

async fn read<T: OfSource>(
    contexts: &Arc<Contexts>,
    place: Place<'_>,
    document: &Document<'_>,
    naming: &Arc<Naming>,
) -> Result<T, InvalidInput> {
    let own = match document.context()? {
        Some(raw) => contexts.naming(place, raw.get()).await.ok(),
        None => None,
    };
    let context = own.as_ref().unwrap_or(naming).context();
    let reader = EntityReader { context, max_attributes: NgsildLimits::default().attributes };
    T::read(&reader, document)
}

/// What an error says, in short.
pub(super) fn detail(body: &[u8]) -> String {
    let problem: Option<serde_json::Value> = serde_json::from_slice(body).ok();
    let member = |name: &str| problem.as_ref()?.get(name)?.as_str().map(str::to_owned);
    let detail = member("detail").or_else(|| member("title")).unwrap_or_default();
    detail.chars().take(MOST_DETAIL).collect()
}

/// The revision that another Cardo answers with.
pub(super) fn revision(headers: &HeaderMap) -> Option<u64> {
    headers.get("cardo-revision")?.to_str().ok()?.parse().ok()
}

/// Whether the source has a next page (clause 6.3.10).
pub(super) fn has_next(headers: &HeaderMap) -> bool {
    let links = headers.get_all("link").iter().filter_map(|value| value.to_str().ok());
    let mut parts = links.flat_map(|text| text.split([',', ';']));
    parts.any(|part| matches!(part.trim(), "rel=next" | "rel=\"next\""))
}

/// The id of the entity map that the source has made or used.
pub(super) fn entity_map(headers: &HeaderMap) -> Option<Box<str>> {
    let address = headers.get(ENTITY_MAP)?.to_str().ok()?;
    let id = cardo_http::path_decode(address.rsplit('/').next()?)?;
    Iri::new(id.into_owned()).ok().map(|id| id.as_str().into())
}

/// An entity map (clause 5.2.39): its id, and the entities of which it says that there is a source.
pub(super) fn mapped(body: &[u8]) -> Option<(Box<str>, Vec<EntityId>)> {
    let map: serde_json::Value = serde_json::from_slice(body).ok()?;
    let id = Iri::new(map.get("id")?.as_str()?.to_owned()).ok()?;
    let entities = map.get("entityMap")?.as_object()?;
    let ids = entities.keys().filter_map(|id| EntityId::new(id.clone()).ok()).collect();
    (map.get("type")? == "EntityMap").then(|| (id.as_str().into(), ids))
}

/// What the source says of those that it has asked.
pub(super) fn warnings(headers: &HeaderMap) -> Vec<Box<str>> {
    let all = headers.get_all("ngsild-warning").iter();
    all.filter_map(|value| value.to_str().ok()).take(MOST_WARNINGS).map(Box::from).collect()
}
