//! Which changes of a log record a subscription is about (clause 5.8.6).

use cardo_engine::Followed;
use cardo_model::{
    EntityChange, InstanceChange, InstanceRef, NameId, Names, Record, decode_instance,
};
use cardo_query::{Resolved, evaluate};

use super::model::{Subscription, Triggers};

/// A subscription's condition with names as the engine knows them. Names that were unknown may
/// have become known since, so it is made anew when there are more.
pub(crate) struct Matcher {
    known_names: usize,
    filter: Resolved,
    watched: Vec<NameId>,
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
}

impl Matcher {
    pub(crate) fn new(subscription: &Subscription, names: &Names) -> Self {
        let known_names = names.len();
        let filter = subscription.filter.map_names(&mut |name| names.id_or_unknown(name.as_str()));
        let watched = subscription.watched.iter().map(|name| names.id_or_unknown(name.as_str()));
        Self { known_names, filter, watched: watched.collect() }
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
            *self = Self::new(subscription, names);
        }
        let mut parts: Vec<Vec<News>> = Vec::new();
        for (place, change) in followed.record.changes.iter().enumerate() {
            let Some(news) = self.news_of(subscription, followed, place, change) else { continue };
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
        &self,
        subscription: &Subscription,
        followed: &Followed,
        place: usize,
        change: &EntityChange,
    ) -> Option<News> {
        let triggers = subscription.triggers;
        let (kind, changes) = match change {
            EntityChange::Created(record) => {
                (Triggers::ENTITY_CREATED, difference(None, Some(record)))
            }
            EntityChange::Deleted(record) => {
                (Triggers::ENTITY_DELETED, difference(Some(record), None))
            }
            EntityChange::Replaced { was, is } => (Triggers::NONE, difference(Some(was), Some(is))),
            EntityChange::Updated { instances, .. } => {
                let changed = instances.iter().filter(|change| is_change(change));
                (Triggers::NONE, changed.cloned().collect())
            }
            EntityChange::Observed { .. }
            | EntityChange::Recorded { .. }
            | EntityChange::Amended { .. } => return None,
        };
        let is_deleted = kind == Triggers::ENTITY_DELETED;
        let record = match change {
            EntityChange::Created(record) | EntityChange::Replaced { is: record, .. } => {
                record.clone()
            }
            EntityChange::Deleted(record) => record.clone(),
            EntityChange::Updated { .. }
            | EntityChange::Observed { .. }
            | EntityChange::Recorded { .. }
            | EntityChange::Amended { .. } => followed.entities.get(place)?.clone()?,
        };
        let is_watched = |change: &InstanceChange| {
            self.watched.is_empty() || self.watched.contains(&change.name)
        };
        let counts =
            |change: &InstanceChange| is_watched(change) && triggers.has(trigger_of(change));
        let by_attribute = changes.iter().any(counts);
        let by_entity =
            triggers.has(kind) && (self.watched.is_empty() || changes.iter().any(is_watched));
        let matches = (by_attribute || by_entity) && evaluate(&self.filter, &record.view());
        // An entity that is deleted takes its attributes along; where that is what counts, they are
        // told of.
        let attributes_are_told =
            is_deleted && !by_entity && !subscription.notification.show_changes;
        let changes = if attributes_are_told {
            changes.into_iter().filter(counts).collect()
        } else {
            changes
        };
        matches.then_some(News { record, is_deleted, attributes_are_told, changes })
    }
}

/// How many entities one notification tells of.
const MAX_ENTITIES: usize = 1_000;

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
                was: old.map(|old| old.as_bytes().into()),
                is: Some(instance.as_bytes().into()),
            });
        }
    }
    for attribute in was.into_iter().flat_map(|record| record.view().attributes()) {
        let after = is.and_then(|is| is.view().attribute(attribute.name()));
        for instance in attribute.instances() {
            if after.and_then(|after| after.instance(instance.dataset_id())).is_none() {
                let was = Some(instance.as_bytes().into());
                changes.push(InstanceChange { name: attribute.name(), was, is: None });
            }
        }
    }
    changes
}
