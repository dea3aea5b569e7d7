//! Which changes of a log record a subscription is about (clause 5.8.6).

use cardo_engine::{Caller, Engine, Followed, Watch};
use cardo_model::{
    EntityChange, InstanceChange, InstanceRef, NameId, Names, Record, Timestamp, decode_instance,
};
use cardo_query::Filter;

use super::model::{Subscription, Triggers};

/// A subscription's condition with names as the engine knows them. Names that were unknown may
/// have become known since, so it is made anew when there are more.
pub(crate) struct Matcher {
    known_names: usize,
    watched: Vec<NameId>,
    /// Who meets the condition.
    meets: Watch,
    /// What can be seen at all, where that is not everything.
    sees: Option<Watch>,
}

/// What happened to one entity that a subscription is about.
pub(crate) struct News {
    /// The entity as it is, or as it was where it is gone.
    pub(crate) record: Record,
    /// Whether it is gone.
    pub(crate) is_deleted: bool,
    /// Whether, though it is gone, its attributes are told of as deleted.
    pub(crate) attributes_are_told: bool,
    /// The instances that changed; of an entity that is gone, those whose deletion is to be told.
    pub(crate) changes: Vec<InstanceChange>,
    /// When that happened.
    pub(crate) at: Timestamp,
    /// Which change of its log record it is.
    pub(crate) place: usize,
}

/// A change as those see it who follow the log.
struct Seen {
    kind: Triggers,
    record: Record,
    changes: Vec<InstanceChange>,
}

impl News {
    /// An entity of which is told though nothing has changed.
    pub(crate) fn of_unchanged(record: Record) -> Self {
        Self {
            at: record.view().modified_at(),
            record,
            is_deleted: false,
            attributes_are_told: false,
            changes: Vec::new(),
            place: 0,
        }
    }
}

impl News {
    /// Puts to it what happened to the same entity later: what was stays, what is comes from there.
    pub(super) fn join(&mut self, later: Self) {
        let Self { record, is_deleted, attributes_are_told, changes, at, place } = later;
        for change in changes {
            let is_same = |known: &&mut InstanceChange| {
                known.name == change.name && known.dataset_id() == change.dataset_id()
            };
            match self.changes.iter_mut().find(is_same) {
                Some(known) => known.is = change.is,
                None => self.changes.push(change),
            }
        }
        // What came and went in between is no change.
        self.changes.retain(|change| change.was.is_some() || change.is.is_some());
        *self = Self {
            record,
            is_deleted,
            attributes_are_told,
            at,
            place,
            changes: std::mem::take(&mut self.changes),
        };
    }
}

impl Matcher {
    pub(crate) fn new(engine: &Engine, caller: &Caller, subscription: &Subscription) -> Self {
        let is_restricted = caller.view.restriction().is_some();
        Self {
            known_names: engine.names().len(),
            watched: watched(subscription, engine.names()),
            meets: engine.watch(caller, subscription.filter.clone()),
            sees: is_restricted.then(|| engine.watch(caller, Filter::True)),
        }
    }

    /// What a log record holds for a subscription. An entity that changed twice is told of twice,
    /// so each part is one notification (clause 5.5.11.3).
    pub(crate) fn news(
        &mut self,
        subscription: &Subscription,
        names: &Names,
        followed: &Followed,
    ) -> Vec<Vec<News>> {
        if names.len() != self.known_names {
            self.known_names = names.len();
            self.watched = watched(subscription, names);
        }
        let mut parts: Vec<Vec<News>> = Vec::new();
        for place in 0..followed.record.changes.len() {
            let Some(news) = self.news_of(subscription, followed, place) else { continue };
            let tells_of = |part: &Vec<News>| {
                part.iter().any(|other| other.record.view().id() == news.record.view().id())
            };
            match parts.last_mut() {
                Some(part) if !tells_of(part) && part.len() < MAX_ENTITIES => part.push(news),
                _ => parts.push(vec![news]),
            }
        }
        parts
    }

    fn news_of(
        &mut self,
        subscription: &Subscription,
        followed: &Followed,
        place: usize,
    ) -> Option<News> {
        let Seen { kind, record, changes } = self.seen(followed, place)?;
        let triggers = subscription.triggers;
        let is_deleted = kind == Triggers::ENTITY_DELETED;
        let is_watched = |change: &InstanceChange| {
            self.watched.is_empty() || self.watched.contains(&change.name)
        };
        let counts =
            |change: &InstanceChange| is_watched(change) && triggers.has(trigger_of(change));
        let by_attribute = changes.iter().any(counts);
        let by_entity =
            triggers.has(kind) && (self.watched.is_empty() || changes.iter().any(is_watched));
        if !by_attribute && !by_entity {
            return None;
        }
        // An entity that is deleted takes its attributes along; where that is what counts, they are
        // told of.
        let attributes_are_told =
            is_deleted && !by_entity && !subscription.notification.show_changes;
        let changes = if attributes_are_told {
            changes.into_iter().filter(counts).collect()
        } else {
            changes
        };
        let record = self.meets.judge(&record)?;
        let at = followed.record.time;
        Some(News { record, is_deleted, attributes_are_told, changes, at, place })
    }

    fn seen(&mut self, followed: &Followed, place: usize) -> Option<Seen> {
        let change = followed.record.changes.get(place)?;
        if change.is_history_only() {
            return None;
        }
        match &mut self.sees {
            None => seen(followed, change, place),
            Some(sees) => seen_in_part(followed, change, place, sees),
        }
    }
}

fn watched(subscription: &Subscription, names: &Names) -> Vec<NameId> {
    subscription.watched.iter().map(|name| names.id_or_unknown(name.as_str())).collect()
}

/// What a change is to those who see everything.
fn seen(followed: &Followed, change: &EntityChange, place: usize) -> Option<Seen> {
    Some(match change {
        EntityChange::Created(record) => Seen {
            kind: Triggers::ENTITY_CREATED,
            record: record.clone(),
            changes: difference(None, Some(record)),
        },
        EntityChange::Deleted(record) => Seen {
            kind: Triggers::ENTITY_DELETED,
            record: record.clone(),
            changes: difference(Some(record), None),
        },
        EntityChange::Replaced { was, is } => Seen {
            kind: Triggers::NONE,
            record: is.clone(),
            changes: difference(Some(was), Some(is)),
        },
        EntityChange::Updated { instances, .. } => Seen {
            kind: Triggers::NONE,
            record: followed.entities.get(place)?.clone()?,
            changes: instances.iter().filter(|change| is_change(change)).cloned().collect(),
        },
        EntityChange::Observed { .. }
        | EntityChange::Recorded { .. }
        | EntityChange::Amended { .. } => return None,
    })
}

/// What it is to those who see a part of the twin: what comes into their sight comes into being, and
/// what leaves it is gone.
fn seen_in_part(
    followed: &Followed,
    change: &EntityChange,
    place: usize,
    sees: &mut Watch,
) -> Option<Seen> {
    let after = match change {
        EntityChange::Deleted(_) => None,
        EntityChange::Created(is) | EntityChange::Replaced { is, .. } => Some(is.clone()),
        _ => followed.entities.get(place)?.clone(),
    };
    let before = followed.before(place);
    let was = before.as_ref().and_then(|record| sees.judge(record));
    let is = after.as_ref().and_then(|record| sees.judge(record));
    let changes = difference(was.as_ref(), is.as_ref());
    let kind = match (&was, &is) {
        (None, _) => Triggers::ENTITY_CREATED,
        (Some(_), None) => Triggers::ENTITY_DELETED,
        (Some(_), Some(_)) => Triggers::NONE,
    };
    let record = if is.is_some() { after } else { was.and(before) };
    Some(Seen { kind, record: record?, changes })
}

/// How many entities one notification tells of.
pub(crate) const MAX_ENTITIES: usize = 1_000;

fn trigger_of(change: &InstanceChange) -> Triggers {
    match (&change.was, &change.is) {
        (None, _) => Triggers::ATTRIBUTE_CREATED,
        (Some(_), Some(_)) => Triggers::ATTRIBUTE_UPDATED,
        (Some(_), None) => Triggers::ATTRIBUTE_DELETED,
    }
}

/// Whether anything but the time of modification differs.
fn is_change(change: &InstanceChange) -> bool {
    match (change.was(), change.is()) {
        (Some(was), Some(is)) => differ(&was, &is),
        _ => true,
    }
}

fn differ(was: &InstanceRef<'_>, is: &InstanceRef<'_>) -> bool {
    was.value_bytes() != is.value_bytes()
        || was.observed_at() != is.observed_at()
        || !decode_instance(was).same_content(&decode_instance(is))
}

/// The instances in which two states of an entity differ.
fn difference(was: Option<&Record>, is: Option<&Record>) -> Vec<InstanceChange> {
    let mut changes = Vec::new();
    for attribute in is.into_iter().flat_map(|record| record.view().attributes()) {
        let before = was.and_then(|was| was.view().attribute(attribute.name()));
        for instance in attribute.instances() {
            let old = before.and_then(|before| before.instance(instance.dataset_id()));
            if old.is_some_and(|old| !differ(&old, &instance)) {
                continue;
            }
            changes.push(InstanceChange {
                name: attribute.name(),
                was: old.map(|old| old.to_bytes()),
                is: Some(instance.to_bytes()),
            });
        }
    }
    for attribute in was.into_iter().flat_map(|record| record.view().attributes()) {
        let after = is.and_then(|is| is.view().attribute(attribute.name()));
        for instance in attribute.instances() {
            if after.and_then(|after| after.instance(instance.dataset_id())).is_none() {
                let was = Some(instance.to_bytes());
                changes.push(InstanceChange { name: attribute.name(), was, is: None });
            }
        }
    }
    changes
}
