use std::slice::from_ref;
use std::sync::Arc;

use axum::body::Body;
use axum::http::Response;
use cardo_engine::{AskedBy, EntityHistory, Mapped, Snapshot};
use cardo_model::EntityId;
use cardo_query::Filter;

use super::asked::{Asked, PARAMS, TemporalText};
use super::query::partial;
use crate::face::Face;
use crate::fault::Fault;
use crate::federation::warned;
use crate::operations::entity_maps::{MapWish, name_map};
use crate::represent::Naming;
use crate::request::{Ask, JSON_TYPES, Media, flag};
use crate::respond::context_in_body;

/// Retrieve the temporal evolution of an entity (clause 5.7.3).
pub(crate) async fn retrieve(
    face: &Arc<Face>,
    ask: &Ask<'_>,
    _: Body,
) -> Result<Response<Body>, Fault> {
    let known: Vec<&str> = PARAMS.into_iter().chain(MapWish::PARAMS).collect();
    let params = ask.params(&known, &[])?;
    let media = ask.media(&JSON_TYPES)?;
    let wish = MapWish::of(ask, &params)?;
    flag(&params, "local")?;
    let naming = face.link_naming(ask).await?;
    let id = ask.id(2)?;
    let text = TemporalText::of(&params);
    text.learn(face, ask, &naming).await?;
    let asked = Asked::read(face, ask, &text, naming.context())?;
    let snapshot = face.snapshot(ask).await?;
    let given = face.given_map(ask, &wish);
    let mut sources = asked.sources(AskedBy::Id, params.get("datasetId"));
    sources.maps = wish.for_sources(given.as_ref());
    sources.only = given.as_ref().map(|used| used.map.registrations_of(id.as_str()));
    let caller = ask.caller_to(&naming, sources);
    let request = asked.request(face, id.clone());
    let (history, contributions) = face.engine.history_told(&caller, &request).await?;
    let answer = answered(face, ask, media, &naming, &asked, (&id, history, &snapshot));
    let mut response = warned(answer, contributions.as_deref(), &ask.caller)?;
    if !wish.is_none() {
        let used = if let Some(used) = given {
            face.note_linked(ask, &used, contributions.as_deref());
            used
        } else {
            let mapped = Mapped { ids: vec![id.clone()], contributions };
            face.make_map(ask, &wish, Filter::Ids(vec![id]), mapped, true).await?
        };
        // Table 6.19.3.1-2: retrieving has no 201.
        name_map(ask, &used.map.id, &mut response);
    }
    Ok(response)
}

/// Writes what is known of an entity.
fn answered(
    face: &Face,
    ask: &Ask<'_>,
    media: Media,
    naming: &Naming,
    asked: &Asked,
    (id, history, snapshot): (&EntityId, Option<EntityHistory>, &Snapshot),
) -> Result<Response<Body>, Fault> {
    let missing = || {
        Fault::not_found(format!(
            "nothing is known of entity {id} in this range of time and of what is asked for"
        ))
    };
    let history = history.ok_or_else(missing)?;
    if history.is_empty() && asked.is_narrow() {
        return Err(missing());
    }
    asked.check_whole(history.is_cut)?;
    let in_body = context_in_body(ask, media);
    let histories = from_ref(&history);
    let aggregates = asked.aggregates(histories)?;
    let written = asked.write(face, naming, (histories, &aggregates), in_body, false);
    if written.body.is_empty() {
        return Err(missing());
    }
    let response = face.answer_written(ask, media, naming, written, snapshot.revision());
    Ok(if history.is_cut { partial(response, asked, from_ref(&history)) } else { response })
}
