//! Purge entities (clauses 5.6.21 and 6.4.3.3).

use std::sync::Arc;

use axum::body::Body;
use axum::http::{Response, StatusCode};
use cardo_engine::{
    AskedSources, Batch, EntityQuery, Operation, Order, PageRequest, PageStart, Part, Purge,
    WhichInstances,
};
use cardo_model::{Iri, Record, Revision};
use cardo_query::{Filter, parse_attributes};
use serde_json::{Value, json};

use super::distributed::of_registration;
use super::entity_maps::{MapWish, name_map};
use super::{ContextNames, QuestionText, question, source_filter};
use crate::face::Face;
use crate::fault::{Fault, NgsildError};
use crate::request::Ask;
use crate::respond::{empty, plain_json};

const PARAMS: [&str; 16] = [
    "type",
    "id",
    "idPattern",
    "q",
    "attrs",
    "georel",
    "geometry",
    "coordinates",
    "geoproperty",
    "geometryProperty",
    "scopeQ",
    "keep",
    "drop",
    "local",
    "expandValues",
    "csf",
];

/// From so many operations on, a revision is made of them.
const OPERATIONS: usize = 1_000;

/// Purge entities (clause 5.6.21).
pub(crate) async fn purge(
    face: &Arc<Face>,
    ask: &Ask<'_>,
    _: Body,
) -> Result<Response<Body>, Fault> {
    let params = ask.params(&PARAMS, &[])?;
    let naming = face.link_naming(ask).await?;
    let names = ContextNames(naming.context());
    let list = |name: &str| params.get(name).map(|text| parse_attributes(text, &names)).transpose();
    let attrs = list("attrs")?;
    let text = QuestionText::of(&params)?;
    let purge = match (list("drop")?, list("keep")?) {
        (None, None) => Purge::Entities,
        (Some(names), None) => Purge::Drop(names),
        (None, Some(names)) => Purge::Keep(names),
        (Some(_), Some(_)) => return Err(Fault::bad_data("keep excludes drop")),
    };
    let sources = source_filter(params.get("csf"), naming.context())?;
    let filter = question(&text, attrs.as_deref(), naming.context(), 0)?;
    let caller = ask.caller_to(&naming, AskedSources { sources, ..AskedSources::default() });
    // Of a map that is not there any more nothing can be said (5.5.14): the question alone counts.
    let used = face.given_map(ask, &MapWish::read(ask, false, None)?);
    let (filter, caller) = match &used {
        None => (filter, caller),
        Some(used) => (filter.and(used.map.filter()), used.map.caller(&caller)),
    };
    // What is refused as a whole here is sent to nobody.
    let revision = face.purge(ask, filter.clone(), &purge).await?;
    let parts = face.engine.purge_sources(&caller, &filter, &purge).await?;
    let mut response = answer(&parts, revision);
    if let Some(used) = used {
        name_map(ask, &used.map.id, &mut response);
    }
    Ok(response)
}

impl Face {
    /// Purges what meets the filter now: all of it, in as many revisions as it takes.
    async fn purge(&self, ask: &Ask<'_>, filter: Filter, purge: &Purge) -> Result<Revision, Fault> {
        let most = self.options.limits.purge;
        let local = ask.caller.at_home();
        let snapshot = self.snapshot(ask).await?;
        let query = EntityQuery {
            filter,
            order: Order::default(),
            page: PageRequest { limit: most, start: PageStart::Offset(0) },
            count: false,
        };
        let page = self.engine.query_in(&local, &snapshot, &query).await?;
        if page.has_more {
            let detail = format!("more than {most} entities would be purged; narrow the question");
            return Err(Fault::new(NgsildError::TooManyResults, detail));
        }
        let mut revision = page.revision;
        let mut records = page.entities.iter();
        loop {
            let mut operations = Vec::new();
            for record in records.by_ref() {
                operations.extend(self.operations_of(record, purge));
                if operations.len() >= OPERATIONS {
                    break;
                }
            }
            if operations.is_empty() {
                break;
            }
            let batch = Batch { operations, ..Batch::default() };
            // What is gone meanwhile is as it should be, so single results do not matter.
            revision = self.engine.apply(&local, batch).await?.revision;
        }
        Ok(revision)
    }

    fn operations_of(&self, record: &Record, purge: &Purge) -> Vec<Operation> {
        let Ok(id) = Iri::new(record.view().id().to_owned()) else { return Vec::new() };
        let attributes = record.view().attributes();
        let names = attributes.filter_map(|a| self.engine.names().name(a.name()));
        let gone: Vec<Iri> = match purge {
            Purge::Entities => return vec![Operation::Delete(id)],
            Purge::Drop(dropped) => names.filter(|name| dropped.contains(name)).collect(),
            Purge::Keep(kept) => names.filter(|name| !kept.contains(name)).collect(),
        };
        let delete =
            |name| Operation::DeleteAttribute { id: id.clone(), name, which: WhichInstances::All };
        gone.into_iter().map(delete).collect()
    }
}

/// 204, or 207 where a source did not purge (clause 6.4.3.3). There is no entity to name, so that
/// the registration stands in its place as well.
fn answer(parts: &[Part], revision: Revision) -> Response<Body> {
    let failed = parts.iter().filter_map(|part| {
        let fault = Fault::of_source(&part.registration, part.result.as_ref().err()?);
        Some(of_registration(part.registration.as_str(), &part.registration, &fault))
    });
    let errors: Vec<Value> = failed.collect();
    if errors.is_empty() {
        return empty(StatusCode::NO_CONTENT, revision);
    }
    let body = json!({ "success": [], "errors": errors });
    plain_json(StatusCode::MULTI_STATUS, &body, revision)
}
