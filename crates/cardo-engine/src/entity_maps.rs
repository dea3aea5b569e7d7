//! Entity maps (NGSI-LD, clauses 4.5.25 and 5.14): which entities a sequence of requests is about,
//! fixed when it began. They are kept in memory and go after a while.

use std::collections::HashSet;
use std::sync::Arc;

use cardo_model::{EntityId, Iri, Timestamp, TwinId};
use cardo_query::Filter;
use hashbrown::HashMap;
use parking_lot::Mutex;

use crate::caller::Caller;
use crate::engine::Engine;
use crate::federation::{AskedBy, Contribution, Contributions, Forwarding, Reach};
use crate::history::{EvolutionQuery, HistoryRequest};
use crate::order::Order;
use crate::query::{EntityQuery, Page, PageRequest, PageStart, QueryError};

/// Entities that one map may hold.
const MOST_ENTITIES: usize = 1_000_000;
/// Entities that all maps together may hold; beyond it the map that is the next to go goes early.
const MOST_IN_ALL: usize = 4_000_000;
/// Maps that may be kept at once.
const MOST_MAPS: usize = 10_000;
/// So many entities are looked at between two looks at whether the page is full.
const CHUNK: usize = 4_096;
/// An entity map ends at the latest after so long.
const LONGEST_MICROS: i64 = 24 * 3_600 * 1_000_000;

/// Which entities a sequence of requests is about, and who holds them.
#[derive(Clone, Debug)]
pub struct EntityMap {
    /// Its id.
    pub id: Iri,
    /// From when on it is gone.
    pub expires_at: Timestamp,
    /// The question that it answers; only who puts the same one takes entities out of it.
    pub question: Filter,
    /// The entities, in the order of their creation.
    pub entities: Vec<MappedEntity>,
    /// Which entity map each of the other context sources has made, by their registrations.
    pub linked: Vec<(Box<str>, Box<str>)>,
}

/// An entity of a map.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MappedEntity {
    /// Its id.
    pub id: EntityId,
    /// Whether this twin holds it, or a part of it.
    pub is_local: bool,
    /// The registrations of other sources that hold it, or a part of it.
    pub registrations: Box<[Arc<str>]>,
}

/// What is asked of a map: who made it on which twin, and its id.
type Key = (TwinId, Arc<str>, Iri);

/// What meets a question, to be fixed in a map.
#[derive(Debug)]
pub struct Mapped {
    /// The entities.
    pub ids: Vec<EntityId>,
    /// What context sources gave of them, where they were asked.
    pub contributions: Option<Contributions>,
}

/// All entity maps. One belongs to who asked for it: to others it is not there.
#[derive(Default)]
pub(crate) struct EntityMaps {
    kept: Mutex<HashMap<Key, Arc<EntityMap>>>,
}

/// A page of the entities of a map.
#[derive(Debug)]
pub struct MappedPage {
    /// The entities that still meet the question.
    pub page: Page,
    /// Entities of the map that were looked at and do not meet it any more.
    pub gone: HashSet<EntityId>,
}

impl EntityMap {
    /// A map of local entities.
    pub fn new(id: Iri, expires_at: Timestamp, question: Filter, entities: Vec<EntityId>) -> Self {
        let local = |id| MappedEntity { id, is_local: true, registrations: Box::default() };
        let entities = entities.into_iter().map(local).collect();
        Self { id, expires_at, question, entities, linked: Vec::new() }
    }

    /// Notes which sources have parts of the entities.
    pub fn note_sources(&mut self, contributions: &[Contribution]) {
        let mut of: HashMap<&EntityId, Vec<Arc<str>>> = HashMap::new();
        for one in contributions {
            let registration: Arc<str> = one.registration.as_str().into();
            for id in &one.ids {
                of.entry(id).or_default().push(registration.clone());
            }
        }
        for entity in &mut self.entities {
            if let Some(mut registrations) = of.remove(&entity.id) {
                registrations.dedup();
                entity.registrations = registrations.into();
            }
        }
        self.link(contributions);
    }

    /// Notes which maps sources have made or used; whether that is new.
    pub fn link(&mut self, contributions: &[Contribution]) -> bool {
        let mut is_new = false;
        for one in contributions {
            let Some(id) = &one.entity_map else { continue };
            let registration = one.registration.as_str();
            match self.linked.iter_mut().find(|(own, _)| **own == *registration) {
                Some((_, known)) if known == id => continue,
                Some((_, known)) => known.clone_from(id),
                None => self.linked.push((registration.into(), id.clone())),
            }
            is_new = true;
        }
        is_new
    }

    /// The registrations of all sources that have a part of an entity.
    pub fn registrations(&self) -> Vec<Arc<str>> {
        let mut all: Vec<Arc<str>> =
            self.entities.iter().flat_map(|entity| entity.registrations.iter().cloned()).collect();
        all.sort_unstable();
        all.dedup();
        all
    }

    /// Those that have a part of one entity; none where the map does not list it.
    pub fn registrations_of(&self, id: &str) -> Vec<Arc<str>> {
        let found = self.entities.iter().find(|entity| entity.id.as_str() == id);
        found.map_or_else(Vec::new, |entity| entity.registrations.to_vec())
    }

    /// The caller, who asks no other sources than those of the map (clause 5.12).
    pub fn caller(&self, caller: &Caller) -> Caller {
        let Some(forwarding) = caller.reach.forwarding() else { return caller.clone() };
        let mut forwarding = Forwarding::clone(forwarding);
        forwarding.asked.only = Some(self.registrations());
        forwarding.asked.maps.linked.clone_from(&self.linked);
        Caller { reach: Reach::Sources(Arc::new(forwarding)), ..caller.clone() }
    }

    /// The filter that only entities of the map meet.
    pub fn filter(&self) -> Filter {
        Filter::Ids(self.entities.iter().map(|entity| entity.id.clone()).collect())
    }
}

impl EntityMaps {
    fn put(&self, key: Key, map: EntityMap, now: Timestamp) -> Arc<EntityMap> {
        let map = Arc::new(map);
        let mut kept = self.kept.lock();
        kept.retain(|_, map| map.expires_at > now);
        let mut held: usize = kept.values().map(|map| map.entities.len()).sum();
        while kept.len() >= MOST_MAPS || held + map.entities.len() > MOST_IN_ALL {
            let next =
                kept.iter().min_by_key(|(_, map)| map.expires_at).map(|(key, _)| key.clone());
            let Some(gone) = next.and_then(|key| kept.remove(&key)) else { break };
            held -= gone.entities.len();
        }
        kept.insert(key, map.clone());
        map
    }
}

impl Engine {
    /// Until when an entity map lasts that is to last until `wanted`.
    pub fn entity_map_end(&self, wanted: Timestamp) -> Timestamp {
        wanted.min(self.now().plus_micros(LONGEST_MICROS))
    }

    /// Keeps an entity map for its caller.
    pub fn keep_entity_map(&self, caller: &Caller, map: EntityMap) -> Arc<EntityMap> {
        self.entity_maps().put(key(caller, &map.id), map, self.now())
    }

    /// The caller's entity map of this id, where it has not expired.
    pub fn entity_map(&self, caller: &Caller, id: &Iri) -> Option<Arc<EntityMap>> {
        let map = self.entity_maps().kept.lock().get(&key(caller, id)).cloned()?;
        (map.expires_at > self.now()).then_some(map)
    }

    /// Changes the caller's entity map of this id; whether there is one.
    pub fn change_entity_map(
        &self,
        caller: &Caller,
        id: &Iri,
        change: impl FnOnce(&mut EntityMap),
    ) -> bool {
        let now = self.now();
        let mut kept = self.entity_maps().kept.lock();
        let Some(map) = kept.get_mut(&key(caller, id)).filter(|map| map.expires_at > now) else {
            return false;
        };
        change(Arc::make_mut(map));
        true
    }

    /// Forgets the caller's entity map of this id; whether there was one.
    pub fn forget_entity_map(&self, caller: &Caller, id: &Iri) -> bool {
        let now = self.now();
        let removed = self.entity_maps().kept.lock().remove(&key(caller, id));
        removed.is_some_and(|map| map.expires_at > now)
    }

    /// The ids of all entities that meet a question.
    pub async fn ids_of(&self, caller: &Caller, filter: &Filter) -> Result<Mapped, QueryError> {
        let query = EntityQuery {
            filter: filter.clone(),
            order: Order::default(),
            page: PageRequest { limit: MOST_ENTITIES, start: PageStart::Offset(0) },
            count: false,
        };
        let page = self.query(&mapping(caller), &query).await?;
        let ids = page.entities.iter().map(cardo_model::Record::id).collect();
        mapped(ids, page.contributions, page.has_more)
    }

    /// The ids of all entities whose history meets a question.
    pub async fn evolved_ids(
        &self,
        caller: &Caller,
        query: &EvolutionQuery,
    ) -> Result<Mapped, QueryError> {
        // As little of each history as tells that it matches.
        let history = HistoryRequest { last: Some(1), limit: 1, ..query.history.clone() };
        let query = EvolutionQuery {
            history,
            by_id: None,
            limit: MOST_ENTITIES,
            offset: 0,
            count: false,
            ..query.clone()
        };
        let page = self.evolution(&mapping(caller), &query).await?;
        let ids = page.histories.iter().map(|history| history.head.id()).collect();
        mapped(ids, page.contributions, page.has_more)
    }

    /// Answers a question from the entities of a map alone. Each is judged anew, and pages are
    /// filled as long as there are some (clause 5.5.9.3).
    pub async fn query_mapped(
        &self,
        caller: &Caller,
        map: &EntityMap,
        query: &EntityQuery,
    ) -> Result<MappedPage, QueryError> {
        let caller = &map.caller(caller);
        let snapshot = self.snapshot(caller).await?;
        let PageStart::Offset(offset) = query.page.start else {
            let filter = query.filter.clone().and(map.filter());
            let query = EntityQuery { filter, ..query.clone() };
            let page = self.query_in(caller, &snapshot, &query).await?;
            return Ok(MappedPage { page, gone: HashSet::new() });
        };
        let needs_all = query.count || !query.order.by.is_empty();
        let need = if needs_all { usize::MAX } else { offset.saturating_add(query.page.limit) };
        let (mut matched, mut gone) = (Vec::new(), HashSet::new());
        let mut contributions = None;
        for chunk in map.entities.chunks(CHUNK) {
            let ids: Vec<EntityId> = chunk.iter().map(|entity| entity.id.clone()).collect();
            let asked = EntityQuery {
                filter: query.filter.clone().and(Filter::Ids(ids)),
                order: Order::default(),
                page: PageRequest { limit: CHUNK, start: PageStart::Offset(0) },
                count: false,
            };
            let page = self.query_in(caller, &snapshot, &asked).await?;
            let found: HashSet<&str> = page.entities.iter().map(|r| r.view().id()).collect();
            let is_gone = |id: &&EntityId| !found.contains(id.as_str());
            gone.extend(chunk.iter().map(|entity| &entity.id).filter(is_gone).cloned());
            matched.extend(page.entities);
            contributions = page.contributions.or(contributions);
            if matched.len() > need {
                break;
            }
        }
        let page = if query.order.by.is_empty() {
            let page = cut(matched, offset, query, snapshot.revision());
            Page { contributions, ..page }
        } else {
            let ids = matched.iter().map(cardo_model::Record::id).collect();
            let ordered = EntityQuery { filter: Filter::Ids(ids), ..query.clone() };
            self.query_in(caller, &snapshot, &ordered).await?
        };
        Ok(MappedPage { page, gone })
    }
}

/// The caller, who asks which entities there are (clauses 5.14.4.4 and 5.14.5.4).
fn mapping(caller: &Caller) -> Caller {
    let Some(forwarding) = caller.reach.forwarding() else { return caller.clone() };
    let mut forwarding = Forwarding::clone(forwarding);
    forwarding.asked.by = AskedBy::Map;
    Caller { reach: Reach::Sources(Arc::new(forwarding)), ..caller.clone() }
}

/// What was found, with what the maps of sources list beyond that: it is judged when it is shown.
fn mapped(
    mut ids: Vec<EntityId>,
    contributions: Option<Contributions>,
    has_more: bool,
) -> Result<Mapped, QueryError> {
    let mut known: HashSet<EntityId> = ids.iter().cloned().collect();
    let maps = contributions.iter().flat_map(|all| all.iter());
    for id in maps.filter(|one| one.entity_map.is_some()).flat_map(|one| &one.ids) {
        if known.insert(id.clone()) {
            ids.push(id.clone());
        }
    }
    if has_more || ids.len() > MOST_ENTITIES {
        return Err(QueryError::TooManyMapped(MOST_ENTITIES));
    }
    Ok(Mapped { ids, contributions })
}

fn cut(
    mut matched: Vec<cardo_model::Record>,
    offset: usize,
    query: &EntityQuery,
    revision: cardo_model::Revision,
) -> Page {
    let count = query.count.then_some(matched.len());
    let has_more = matched.len() > offset.saturating_add(query.page.limit);
    matched.drain(..offset.min(matched.len()));
    matched.truncate(query.page.limit);
    let has_before = offset > 0;
    Page {
        entities: matched,
        keys: Vec::new(),
        count,
        has_more,
        has_before,
        revision,
        contributions: None,
    }
}

fn key(caller: &Caller, id: &Iri) -> Key {
    (caller.twin.clone(), caller.principal.as_str().into(), id.clone())
}
