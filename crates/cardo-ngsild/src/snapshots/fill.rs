//! Making a snapshot, behind the answer to the request (clauses 5.16.1.4, 5.16.2.4 and 5.16.6).

use std::sync::Arc;

use axum::http::header::CONTENT_TYPE;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use cardo_engine::{
    BranchContent, BranchError, Caller, Choice, EntityQuery, EvolutionQuery, HistoryEvent,
    HistoryRow, Order, PageRequest, PageStart, Tells,
};
use cardo_model::{InstanceRef, NameId, Record, Timestamp, TwinId, splice, without};
use hashbrown::HashMap;
use serde_json::{Value, json};

use super::{Preparing, Stored};
use crate::face::Face;
use crate::fault::{Fault, NgsildError};
use crate::outbox::{Owner, OwnerKind};
use crate::represent::{Datasets, Members, Naming, Shape};
use crate::request::Ask;
use crate::subscriptions::Message;

/// A snapshot that is to be made.
pub(crate) struct Work {
    pub(crate) branch: TwinId,
    pub(crate) stored: Stored,
    /// Who asks, on the main branch.
    pub(crate) main: Caller,
    pub(crate) source: Source,
    /// Held until it is made.
    pub(crate) preparing: Preparing,
}

/// What a snapshot is made of.
pub(crate) enum Source {
    /// The answers to its queries, which are put under a context and on behalf of a request.
    Queries { parts: Box<Parts>, naming: Arc<Naming> },
    /// Another snapshot.
    Branch(TwinId),
}

/// Makes a snapshot, or says why not.
pub(crate) async fn prepare(face: &Arc<Face>, mut work: Work) {
    match &work.source {
        Source::Branch(from) => {
            let caller = Caller { twin: from.clone(), ..work.main.clone() };
            let made = make(face, &work, &Content::Whole(caller)).await;
            let status = if made.is_ok() { "success" } else { "failure" };
            status.clone_into(&mut work.stored.status);
        }
        Source::Queries { parts, naming } => {
            let ask = Ask::new(parts, work.main.clone(), None);
            let answered = match choose(face, &ask, naming, &work.stored).await {
                Some(answered) => answered,
                None => answer(face, &ask, naming, &work.stored).await,
            };
            let made = make(face, &work, &answered.content).await;
            let Answered { content, mut status, mut details, temporal_details } = answered;
            // The twin may go on.
            drop(content);
            if let Err(error) = made {
                let fault = Fault::from(error);
                for one in &mut details {
                    *one = failure(&fault);
                }
                status = "failure";
            }
            status.clone_into(&mut work.stored.status);
            work.stored.details = details;
            work.stored.temporal_details = temporal_details;
        }
    }
    if let Err(error) = finish(face, &work).await {
        tracing::error!(snapshot = %work.stored.id, ?error, "a snapshot could not be finished");
    }
    drop(work.preparing);
}

/// Tells of the end, unless the snapshot was deleted meanwhile.
async fn finish(face: &Arc<Face>, work: &Work) -> Result<(), Fault> {
    let Stored { status, details, temporal_details, .. } = work.stored.clone();
    let now = face.engine.now();
    // What was updated meanwhile stays.
    let change = |kept: &mut Stored| {
        (kept.status, kept.modified_at) = (status, now);
        (kept.details, kept.temporal_details) = (details, temporal_details);
    };
    let changed = face.change_snapshot(&work.main, &work.stored.id, change).await?;
    let Some((stored, _)) = changed else {
        face.engine.drop_branch(&work.branch).await?;
        return Ok(());
    };
    notify(face, &work.main, &stored, stored.expires_at).await;
    Ok(())
}

/// What a branch begins with.
enum Content {
    /// All that there is.
    Whole(Caller),
    /// Entities of the twin as they are, which it shares.
    Choice(Choice),
    /// What is in no twin as it is.
    Copies(BranchContent),
}

struct Answered {
    content: Content,
    status: &'static str,
    details: Vec<Value>,
    temporal_details: Vec<Value>,
}

/// Makes the branch; where there is no room, less important snapshots make way (clause 5.5.15).
async fn make(face: &Face, work: &Work, content: &Content) -> Result<(), BranchError> {
    let end = Some(work.stored.expires_at);
    loop {
        let made = match content {
            Content::Whole(caller) => {
                face.engine.branch(caller, &work.branch, end).await.map(|_| ())
            }
            Content::Choice(choice) => {
                face.engine.branch_of(choice, &work.branch, end).await.map(|_| ())
            }
            Content::Copies(copies) => {
                face.engine.branch_with(&work.branch, end, copies.clone()).await
            }
        };
        match made {
            Err(BranchError::TooMany(_) | BranchError::NoRoom { .. })
                if make_way(face, work).await => {}
            made => return made,
        }
    }
}

/// Deletes the least important snapshot that is less important than a new one; whether there was one.
async fn make_way(face: &Face, work: &Work) -> bool {
    let Ok(all) = face.all_snapshots(&work.main).await else { return false };
    let others = all.into_iter().filter(|one| one.priority() < work.stored.priority());
    let least = others.min_by_key(|one| (one.priority(), one.expires_at));
    let Some(least) = least else { return false };
    let deleted = face.delete_snapshot(&work.main, &least.id).await;
    let now = face.engine.now();
    // Clause 5.3.4: an end before the notification says that it is deleted.
    notify(face, &work.main, &least, now.plus_micros(-1_000)).await;
    deleted.is_ok()
}

/// Puts the queries of a snapshot to the twin as it is at one revision, to choose what it shares with
/// the snapshot. None where something is wanted that is not in the twin as it is: histories, projections,
/// or what is in context sources.
async fn choose(
    face: &Face,
    ask: &Ask<'_>,
    naming: &Arc<Naming>,
    stored: &Stored,
) -> Option<Answered> {
    if !queries(stored, TEMPORAL_QUERIES).is_empty() {
        return None;
    }
    let mut choice = face.engine.choice(&ask.caller).await.ok()?;
    let mut details = Vec::new();
    for query in queries(stored, QUERIES) {
        let chosen = face.choose(ask, naming, &mut choice, query).await;
        details.push(detail(chosen.transpose()?));
    }
    let status = status(&details, &[]);
    Some(Answered {
        content: Content::Choice(choice),
        status,
        details,
        temporal_details: Vec::new(),
    })
}

const QUERIES: &str = "snapshotQueries";
const TEMPORAL_QUERIES: &str = "snapshotTemporalQueries";

fn queries<'s>(stored: &'s Stored, name: &str) -> &'s [Value] {
    stored.members.get(name).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// Puts the queries of a snapshot one after the other.
async fn answer(face: &Face, ask: &Ask<'_>, naming: &Arc<Naming>, stored: &Stored) -> Answered {
    let mut merged = Merged::default();
    let (mut details, mut temporal_details) = (Vec::new(), Vec::new());
    for query in queries(stored, QUERIES) {
        let answered = face.snapshot_query(ask, naming, query).await;
        details.push(detail(answered.map(|records| merged.take(records))));
    }
    let mut histories = Vec::new();
    let mut pasts = Vec::new();
    for query in queries(stored, TEMPORAL_QUERIES) {
        let answered = face.snapshot_evolution(ask, naming, query).await;
        temporal_details.push(detail(answered.map(|(rows, heads)| {
            let count = heads.len();
            histories.extend(rows);
            pasts.extend(heads);
            count
        })));
    }
    let status = status(&details, &temporal_details);
    let entities = merged.records;
    let content = Content::Copies(BranchContent { entities, history: histories, pasts });
    Answered { content, status, details, temporal_details }
}

/// Clause 5.16.1.4.
fn status(details: &[Value], temporal_details: &[Value]) -> &'static str {
    let all = || details.iter().chain(temporal_details);
    let has = |status: &str| all().any(|one| one["resultStatus"] == status);
    match (has("success"), has("empty"), has("failure")) {
        (true, false, false) => "success",
        (true, _, _) => "partial",
        (false, true, _) => "empty",
        (false, false, _) => "failure",
    }
}

/// Entities of one query that may be copied into a snapshot.
const MOST: usize = 1_000_000;

impl Face {
    /// Chooses what a query brings; how many entities match. None where some of it is not in the twin as
    /// it is.
    async fn choose(
        &self,
        ask: &Ask<'_>,
        naming: &Arc<Naming>,
        choice: &mut Choice,
        query: &Value,
    ) -> Result<Option<usize>, Fault> {
        let question = self.query_document(ask, naming, query).await?;
        if self.engine.is_distributed(&question.caller, &question.filter).await? {
            return Ok(None);
        }
        let shape = &question.asked.shape;
        let shows_all = matches!(shape.members, Members::All) && shape.datasets == Datasets::All;
        if shows_all && shape.join().is_none() {
            return Ok(Some(self.engine.choose(choice, &question.filter).await?));
        }
        let asked = EntityQuery {
            filter: question.filter.clone(),
            order: Order::default(),
            page: PageRequest { limit: MOST, start: PageStart::Offset(0) },
            count: false,
        };
        let (home, snapshot) = (question.caller.at_home(), choice.snapshot().clone());
        let page = self.engine.query_in(&home, &snapshot, &asked).await?;
        let caller = question.caller.beside();
        let linked = self.linked_apart(&caller, &snapshot, &page.entities, shape).await?;
        // What a source has may stand for what the twin has.
        let is_of_twin =
            |record: &Record| snapshot.retrieve(record.view().id()).as_ref() == Some(record);
        let all = page.entities.iter().map(|record| (record, shape));
        let mut all = all.chain(linked.iter().map(|(record, shape)| (record, shape)));
        let is_as_it_is =
            |(record, shape)| projected(record, shape).is_none() && is_of_twin(record);
        if page.has_more || !all.all(is_as_it_is) {
            return Ok(None);
        }
        choice.choose_ids(page.entities.iter().map(|record| record.view().id()));
        choice.choose_ids(linked.iter().map(|(record, _)| record.view().id()));
        Ok(Some(page.entities.len()))
    }

    /// All entities that a query brings, page by page.
    async fn snapshot_query(
        &self,
        ask: &Ask<'_>,
        naming: &Arc<Naming>,
        query: &Value,
    ) -> Result<Vec<Record>, Fault> {
        let question = self.query_document(ask, naming, query).await?;
        let is_far = self.engine.is_distributed(&question.caller, &question.filter).await?;
        // Others answer with pages of a usual size.
        let limit = if is_far { self.options.limits.max_page } else { MOST };
        let (mut records, mut linked) = (Vec::new(), Vec::new());
        loop {
            let start = PageStart::Offset(records.len());
            let asked = EntityQuery {
                filter: question.filter.clone(),
                order: question.order.clone(),
                page: PageRequest { limit, start },
                count: false,
            };
            let page = self.engine.query(&question.caller, &asked).await?;
            let is_last = !page.has_more || page.entities.is_empty();
            let shape = &question.asked.shape;
            records.extend(page.entities.iter().map(|record| kept(record, shape)));
            if shape.join().is_some() {
                let (caller, now) = (question.caller.beside(), self.snapshot(ask).await?);
                let found = self.linked_apart(&caller, &now, &page.entities, shape).await?;
                linked.extend(found.iter().map(|(record, shape)| kept(record, shape)));
            }
            if records.len() > MOST || (!is_far && !is_last) {
                let detail = format!("a query brings more than the {MOST} entities that are kept");
                return Err(Fault::new(NgsildError::TooManyResults, detail));
            }
            if is_last {
                // Linked entities are kept beside those that lead to them.
                records.append(&mut linked);
                return Ok(records);
            }
        }
    }

    /// All histories that a temporal query brings: their lines, and whose they are.
    async fn snapshot_evolution(
        &self,
        ask: &Ask<'_>,
        naming: &Arc<Naming>,
        query: &Value,
    ) -> Result<(Vec<HistoryRow>, Vec<Record>), Fault> {
        let (query, caller) = self.evolution_document(ask, naming, query)?;
        let query = EvolutionQuery { limit: MOST, offset: 0, count: false, ..query };
        let page = self.engine.evolution(&caller, &query).await?;
        if page.has_more || page.is_cut {
            let detail = "a temporal query brings more than is kept; narrow it";
            return Err(Fault::new(NgsildError::TooManyResults, detail));
        }
        let mut heads = Vec::with_capacity(page.histories.len());
        let mut rows = Vec::new();
        for history in page.histories {
            rows.push(head_line(&history.head));
            rows.extend(history.rows);
            heads.push(history.head);
        }
        Ok((rows, heads))
    }
}

/// Clause 5.2.42.
fn detail(answered: Result<usize, Fault>) -> Value {
    match answered {
        Ok(0) => json!({ "resultStatus": "empty" }),
        Ok(_) => json!({ "resultStatus": "success" }),
        Err(fault) => failure(&fault),
    }
}

fn failure(fault: &Fault) -> Value {
    json!({ "resultStatus": "failure", "problemDetails": fault.to_json() })
}

/// The answers to several queries: an entity of more than one has the attributes of all.
#[derive(Default)]
struct Merged {
    records: Vec<Record>,
    places: HashMap<Box<str>, usize>,
}

impl Merged {
    fn take(&mut self, records: Vec<Record>) -> usize {
        let count = records.len();
        for record in records {
            if let Some(place) = self.places.get(record.view().id()) {
                let known = &mut self.records[*place];
                *known = joined(known, &record);
            } else {
                self.places.insert(record.view().id().into(), self.records.len());
                self.records.push(record);
            }
        }
        count
    }
}

fn joined(known: &Record, more: &Record) -> Record {
    let view = known.view();
    let new = more.view().attributes().filter(|one| view.attribute(one.name()).is_none());
    let new: Vec<(NameId, Vec<InstanceRef<'_>>)> =
        new.map(|one| (one.name(), one.instances().collect())).collect();
    if new.is_empty() { known.clone() } else { splice(known, view.header(), &new) }
}

/// The entity with the attributes and instances that a query asks for.
fn kept(record: &Record, shape: &Shape) -> Record {
    projected(record, shape).unwrap_or_else(|| record.clone())
}

/// The same where it is another entity.
fn projected(record: &Record, shape: &Shape) -> Option<Record> {
    let view = record.view();
    let mut changed: Vec<(NameId, Vec<InstanceRef<'_>>)> = Vec::new();
    for attribute in view.attributes() {
        if !shape.members.has_attribute(attribute.name()) {
            changed.push((attribute.name(), Vec::new()));
            continue;
        }
        let all = attribute.instances().count();
        let kept: Vec<InstanceRef<'_>> = attribute
            .instances()
            .filter(|instance| shape.datasets.has(instance.dataset_id()))
            .collect();
        if kept.len() < all {
            changed.push((attribute.name(), kept));
        }
    }
    (!changed.is_empty()).then(|| splice(record, view.header(), &changed))
}

/// A line of history that says of which types an entity was.
fn head_line(head: &Record) -> HistoryRow {
    let view = head.view();
    let bare = without(head, |_| true).unwrap_or_else(|| head.clone());
    HistoryRow {
        entity: head.id(),
        time: view.created_at(),
        revision: view.revision(),
        ordinal: 0,
        event: HistoryEvent::Head(bare),
        written: view.created_at(),
        tells: Tells::History,
    }
}

/// Tells the receiver of a snapshot how it is (clauses 5.3.4 and 5.16.6).
pub(crate) async fn notify(face: &Face, main: &Caller, stored: &Stored, expires_at: Timestamp) {
    let Some(endpoint) = stored.members.get("endpoint").and_then(Value::as_str) else { return };
    let mut body = json!({
        "id": format!("urn:ngsi-ld:SnapshotNotification:{}", uuid::Uuid::new_v4()),
        "type": "SnapshotNotification",
        "notifiedAt": face.engine.now().to_string(),
        "expiresAt": expires_at.to_string(),
        "snapshotId": stored.id,
        "snapshotPriority": stored.priority(),
        "snapshotStatus": stored.status,
    });
    let lists = [
        ("snapshotQueriesDetails", &stored.details),
        ("temporalSnapshotQueriesDetails", &stored.temporal_details),
    ];
    for (name, details) in lists {
        if !details.is_empty() {
            body[name] = details.clone().into();
        }
    }
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    let pairs = stored.members.get("receiverInfo").and_then(Value::as_array);
    for pair in pairs.into_iter().flatten() {
        let name = pair["key"].as_str().and_then(|key| key.parse::<HeaderName>().ok());
        let value = pair["value"].as_str().and_then(|text| HeaderValue::from_str(text).ok());
        if let (Some(name), Some(value)) = (name, value) {
            headers.insert(name, value);
        }
    }
    let message = Message {
        endpoint: endpoint.to_owned(),
        headers,
        body: body.to_string().into(),
        mqtt: None,
        timeout: None,
    };
    let owner = Owner::new(OwnerKind::Snapshot, &stored.id);
    let posted = async {
        let snapshot = face.engine.snapshot(main).await?;
        let posted = face.posting(&snapshot, &owner, &message, None)?;
        face.post(main, &owner, vec![posted]).await
    };
    if let Err(fault) = posted.await {
        let problem = fault.to_json();
        tracing::warn!(snapshot = %stored.id, %problem, "a notification of a snapshot was not kept");
    }
}
