//! News of the twin: a subscription follows the log at its own pace, so that nothing is kept for a
//! reader who is slow; one who falls too far behind is let go.

use std::collections::VecDeque;
use std::sync::Arc;

use cardo_engine::{ColumnPart, Followed, Follower, Watch};
use cardo_model::{
    AttributeRef, EntityChange, InstanceRef, Iri, Record, Revision, Timestamp, decode_instance,
};
use cardo_query::Filter;
use futures_util::{Stream, stream};

use crate::fault::{Code, Fault};
use crate::resolve::{Group, Node};
use crate::session::Session;

/// What somebody wants to be told.
pub(crate) struct Wanted {
    of: Option<usize>,
    filter: Filter,
    kinds: Vec<String>,
    is_fence: bool,
}

impl Wanted {
    pub(crate) fn changes(of: Option<usize>, filter: Filter, kinds: Vec<String>) -> Self {
        Self { of, filter, kinds, is_fence: false }
    }

    pub(crate) fn fence(of: usize, filter: Filter, kinds: Vec<String>) -> Self {
        Self { of: Some(of), filter, kinds, is_fence: true }
    }
}

/// One event.
pub(crate) struct News {
    pub(crate) of: Option<usize>,
    pub(crate) kind: &'static str,
    pub(crate) node: Node,
    pub(crate) matches: bool,
    pub(crate) matched: bool,
    pub(crate) changed: Vec<String>,
    pub(crate) revision: Revision,
    pub(crate) time: Timestamp,
}

/// An event whose entity does not stand in a moment yet.
struct Event {
    kind: &'static str,
    record: Record,
    matches: bool,
    matched: bool,
    changed: Vec<String>,
    revision: Revision,
    time: Timestamp,
}

/// How often the lag is looked at, in revisions.
const LOOK_EVERY: u64 = 64;

struct Following {
    session: Arc<Session>,
    wanted: Wanted,
    follower: Follower,
    /// Who meets the condition, and who can be seen at all.
    meets: Watch,
    sees: Watch,
    waiting: VecDeque<Event>,
}

/// Everything from now on that is wanted.
pub(crate) async fn follow(
    session: Arc<Session>,
    wanted: Wanted,
) -> Result<impl Stream<Item = Result<News, Fault>> + Send, Fault> {
    let engine = &session.face.engine;
    let after = session.moment().snapshot.revision();
    let follower = engine.follow(&session.caller.twin, after).await?;
    let meets = engine.watch(&session.caller, wanted.filter.clone());
    let sees = engine.watch(&session.caller, Filter::True);
    let following = Following { session, wanted, follower, meets, sees, waiting: VecDeque::new() };
    Ok(stream::unfold(Some(following), |following| async move {
        let mut following = following?;
        match following.next().await {
            Ok(news) => Some((Ok(news), Some(following))),
            Err(fault) => Some((Err(fault), None)),
        }
    }))
}

impl Following {
    async fn next(&mut self) -> Result<News, Fault> {
        loop {
            if let Some(event) = self.waiting.pop_front() {
                return self.place(event).await;
            }
            let followed = self.follower.next().await?;
            self.check_lag(followed.record.revision)?;
            self.judge(&followed);
        }
    }

    /// The event with its entity, from which a question can go on into the twin of now.
    async fn place(&self, event: Event) -> Result<News, Fault> {
        let moment = self.session.move_on().await?;
        self.session.reach(event.revision);
        Ok(News {
            of: self.wanted.of,
            kind: event.kind,
            node: Group::of_one(moment, event.record),
            matches: event.matches,
            matched: event.matched,
            changed: event.changed,
            revision: event.revision,
            time: event.time,
        })
    }

    fn check_lag(&self, at: Revision) -> Result<(), Fault> {
        if !at.0.is_multiple_of(LOOK_EVERY) {
            return Ok(());
        }
        let session = &self.session;
        let Some(now) = session.face.engine.loaded_snapshot(&session.caller) else { return Ok(()) };
        let lag = now.revision().0.saturating_sub(at.0);
        let limit = session.face.options.limits.lag;
        if lag <= limit {
            return Ok(());
        }
        let message = format!("the reader is {lag} revisions behind, and {limit} are accepted");
        Err(Fault::new(Code::TooSlow, message).with("lag", lag).with("limit", limit))
    }

    fn judge(&mut self, followed: &Followed) {
        for (place, change) in followed.record.changes.iter().enumerate() {
            if change.is_history_only() {
                continue;
            }
            let after = match change {
                EntityChange::Deleted(_) => None,
                EntityChange::Created(record) | EntityChange::Replaced { is: record, .. } => {
                    Some(record.clone())
                }
                _ => followed.entities.get(place).cloned().flatten(),
            };
            let event = self.event(followed, followed.before(place), after);
            self.waiting.extend(event);
        }
    }

    /// What a change is to the one who follows: what they cannot see is not there.
    fn event(
        &mut self,
        followed: &Followed,
        before: Option<Record>,
        after: Option<Record>,
    ) -> Option<Event> {
        let matched = before.as_ref().is_some_and(|record| self.meets.judge(record).is_some());
        let matches = after.as_ref().is_some_and(|record| self.meets.judge(record).is_some());
        if !matched && !matches {
            return None;
        }
        let before = before.and_then(|record| self.sees.judge(&record));
        let after = after.and_then(|record| self.sees.judge(&record));
        let kind = if self.wanted.is_fence {
            match (matched, matches) {
                (false, _) => "ENTER",
                (true, false) => "LEAVE",
                (true, true) => "INSIDE",
            }
        } else {
            match (&before, &after) {
                (None, _) => "CREATED",
                (Some(_), None) => "DELETED",
                (Some(_), Some(_)) => "UPDATED",
            }
        };
        if !self.wanted.kinds.is_empty() && !self.wanted.kinds.iter().any(|wanted| wanted == kind) {
            return None;
        }
        let changed = self.changed(before.as_ref(), after.as_ref());
        let is_restricted = self.session.caller.view.restriction().is_some();
        if is_restricted && changed.is_empty() && before.is_some() && after.is_some() {
            return None;
        }
        Some(Event {
            kind,
            record: after.or(before)?,
            matches,
            matched,
            changed,
            revision: followed.record.revision,
            time: followed.record.time,
        })
    }

    /// The attributes in which two states differ, as the columns of the type are called.
    fn changed(&self, before: Option<&Record>, after: Option<&Record>) -> Vec<String> {
        let mut names: Vec<_> =
            before.into_iter().chain(after).flat_map(Record::attribute_names).collect();
        names.sort_unstable();
        names.dedup();
        let known = self.session.face.engine.names();
        let differs = names.into_iter().filter(|name| {
            let was = before.and_then(|record| record.view().attribute(*name));
            !says_the_same(was, after.and_then(|record| record.view().attribute(*name)))
        });
        differs.filter_map(|name| Some(self.short(&known.name(name)?))).collect()
    }

    fn short(&self, attribute: &Iri) -> String {
        let tables = self.session.model.tables.all();
        let own = self.wanted.of.and_then(|of| tables.get(of));
        let columns = own.into_iter().chain(tables).flat_map(|table| &table.columns);
        let mut values = columns
            .filter(|column| column.part == ColumnPart::Value && column.path.attributes.is_empty());
        let found = values.find(|column| column.attribute() == attribute);
        found.map_or_else(|| attribute.as_str().to_owned(), |column| column.name.to_string())
    }
}

/// Whether two states of an attribute are the same but for the moments at which they were written.
fn says_the_same(one: Option<AttributeRef<'_>>, other: Option<AttributeRef<'_>>) -> bool {
    let (Some(one), Some(other)) = (one, other) else { return one.is_none() && other.is_none() };
    let is_there = |instance: InstanceRef<'_>| {
        let same = other.instance(instance.dataset_id());
        same.is_some_and(|same| decode_instance(&same).same_content(&decode_instance(&instance)))
    };
    one.as_bytes() == other.as_bytes()
        || (one.instances().len() == other.instances().len() && one.instances().all(is_there))
}
