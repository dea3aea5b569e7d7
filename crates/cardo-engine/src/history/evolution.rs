use std::collections::{HashSet, VecDeque};
use std::sync::Arc;
use std::time::Instant;

use cardo_model::{EntityId, EntityRef, InstanceRef, Iri, NameId, Revision, Seq, Timestamp};
use cardo_query::{Candidate, Collation, Datasets, Filter, Root, evaluate};

use super::{EntityHistory, HistoryRequest, MOST_ROWS, scopes};
use crate::engine::Inner;
use crate::federation::{Contributions, FarHistories, FarRow};
use crate::history::join::name_of;
use crate::order::Order;
use crate::plan::resolve;
use crate::ports::HistoryEvent;
use crate::query::{EntityQuery, PageRequest, PageStart, QueryError};
use crate::snapshot::Snapshot;
use crate::twin::Twin;

/// A question for entities by their history (clause 5.7.4).
#[derive(Clone, Debug)]
pub struct EvolutionQuery {
    /// Which entities, by ids and types.
    pub entities: Filter,
    /// What instances in the range of time have to meet: conditions on values and geometries.
    pub values: Filter,
    /// What scopes that were valid in the range of time have to meet; instances that lie outside
    /// their validity are left out.
    pub scopes: Filter,
    /// Which part of each history is wanted; its entity is not looked at. An entity of which
    /// nothing lies in it is none of the answer.
    pub history: HistoryRequest,
    /// In the order of ids; in that of creation where not given.
    pub by_id: Option<IdOrder>,
    /// At most so many entities; 0 asks for the count alone.
    pub limit: usize,
    /// So many matches are left out from the first.
    pub offset: usize,
    /// Whether the number of all is wanted.
    pub count: bool,
}

/// An order of ids (clause 4.23).
#[derive(Clone, Debug)]
pub struct IdOrder {
    /// The greatest first.
    pub descending: bool,
    /// How texts are compared.
    pub collation: Arc<Collation>,
}

/// One page of histories.
#[derive(Clone, Debug)]
pub struct EvolutionPage {
    /// The histories, in order.
    pub histories: Vec<EntityHistory>,
    /// How many match in all, where that was asked.
    pub count: Option<usize>,
    /// Whether more match behind the page.
    pub has_more: bool,
    /// Whether rows were left out because of the limit, all of them beyond one moment.
    pub is_cut: bool,
    /// The revision of the twin that answered.
    pub revision: Revision,
    /// What came of asking context sources; `None` where none was asked.
    pub contributions: Option<Contributions>,
}

/// So many entities are looked at before the question waits for its turn among the costly ones.
const CHEAP: usize = 32;
/// So many entities are asked for at once.
const CHUNK: usize = 256;

impl Inner {
    pub(crate) async fn evolution_in(
        self: &Arc<Self>,
        twin: &Arc<Twin>,
        snapshot: &Snapshot,
        query: &EvolutionQuery,
        far: &FarHistories,
    ) -> Result<EvolutionPage, QueryError> {
        let start = Instant::now();
        let mut turn = None;
        let mut page = EvolutionPage {
            histories: Vec::new(),
            count: None,
            has_more: false,
            is_cut: false,
            revision: snapshot.revision(),
            contributions: far.contributions.clone(),
        };
        let mut candidates = Candidates::new(snapshot, query, far);
        let tests = Tests::new(snapshot, query);
        let (mut seen, mut matched) = (0, 0);
        while let Some(id) = candidates.next(self, twin, snapshot).await? {
            seen += 1;
            if seen > CHEAP && turn.is_none() {
                let limit = self.options.query_timeout;
                let permit = tokio::time::timeout(limit, self.costly.acquire()).await;
                turn = Some(permit.map_err(|_| QueryError::Busy)?.map_err(|_| QueryError::Busy)?);
            }
            if start.elapsed() > self.options.query_timeout {
                return Err(QueryError::TookTooLong(self.options.query_timeout));
            }
            tokio::task::yield_now().await;
            let is_on_page = matched >= query.offset && page.histories.len() < query.limit;
            let rows = far.of(&id);
            let candidate = (id, is_on_page);
            let Some(history) =
                self.matching(twin, snapshot, query, &tests, rows, candidate).await?
            else {
                continue;
            };
            matched += 1;
            if is_on_page {
                page.histories.push(history);
            } else if matched > query.offset.saturating_add(query.limit) {
                page.has_more = true;
                if !query.count {
                    break;
                }
            }
        }
        page.count = query.count.then_some(matched);
        page.is_cut = cut_together(&mut page.histories, &query.history, far.reach(&query.history));
        Ok(page)
    }

    /// The history of an entity where it matches; of one that is only counted, as little as tells.
    async fn matching(
        &self,
        twin: &Twin,
        snapshot: &Snapshot,
        query: &EvolutionQuery,
        tests: &Tests,
        far: &[FarRow],
        (entity, is_on_page): (EntityId, bool),
    ) -> Result<Option<EntityHistory>, QueryError> {
        let mut request = HistoryRequest { entity, ..query.history.clone() };
        let mut validity = None;
        if let Some(filter) = &tests.scopes {
            let Some(history) = self.history_in(twin, snapshot, &request, None, far).await? else {
                return Ok(None);
            };
            let valid = scopes::valid(&history.scopes, filter, request.from, request.until);
            if valid.is_empty() {
                return Ok(None);
            }
            validity = Some(valid);
        }
        if let Some(filter) = &tests.values {
            let asked = HistoryRequest {
                attributes: tests.attributes.clone(),
                omitted: Vec::new(),
                datasets: None,
                last: None,
                limit: MOST_ROWS,
                ..request.clone()
            };
            let history = self.history_in(twin, snapshot, &asked, validity.as_deref(), far).await?;
            let Some(history) = history else { return Ok(None) };
            if history.is_cut {
                return Err(QueryError::TooMuchHistory(MOST_ROWS));
            }
            if !evaluate(filter, &Evolved { history: &history }) {
                return Ok(None);
            }
        }
        if !is_on_page {
            (request.last, request.limit) = (Some(1), 1);
        }
        let history = self.history_in(twin, snapshot, &request, validity.as_deref(), far).await?;
        Ok(history.filter(|history| !history.is_empty()))
    }
}

/// What the instances and scopes of an entity have to meet, by ids of names.
struct Tests {
    values: Option<Filter<NameId>>,
    scopes: Option<Filter<NameId>>,
    /// The attributes that the values are of.
    attributes: Vec<Iri>,
}

impl Tests {
    fn new(snapshot: &Snapshot, query: &EvolutionQuery) -> Self {
        let by_id = |filter: &Filter| {
            let names = &snapshot.names;
            any_dataset(&filter.map_names(&mut |name| names.id_or_unknown(name.as_str())))
        };
        let mut attributes = Vec::new();
        attributes_of(&query.values, &mut attributes);
        Self {
            values: (query.values != Filter::True).then(|| by_id(&query.values)),
            scopes: (query.scopes != Filter::True).then(|| by_id(&query.scopes)),
            attributes,
        }
    }
}

/// Every instance in the range counts, not only the first.
fn any_dataset(filter: &Filter<NameId>) -> Filter<NameId> {
    let all = |parts: &[Filter<NameId>]| parts.iter().map(any_dataset).collect();
    let any = |datasets: &mut Datasets| {
        if *datasets == Datasets::Preferred {
            *datasets = Datasets::Any;
        }
    };
    match filter {
        Filter::And(parts) => Filter::And(all(parts)),
        Filter::Or(parts) => Filter::Or(all(parts)),
        Filter::Not(part) => Filter::Not(Box::new(any_dataset(part))),
        Filter::Exists(path) => {
            let mut path = path.clone();
            any(&mut path.datasets);
            Filter::Exists(path)
        }
        Filter::Compare(comparison) => {
            let mut comparison = comparison.clone();
            any(&mut comparison.path.datasets);
            Filter::Compare(comparison)
        }
        Filter::Geo(condition) => {
            let mut condition = condition.clone();
            any(&mut condition.datasets);
            Filter::Geo(condition)
        }
        other => other.clone(),
    }
}

fn attributes_of(filter: &Filter, out: &mut Vec<Iri>) {
    let root = match filter {
        Filter::And(parts) | Filter::Or(parts) => {
            return parts.iter().for_each(|part| attributes_of(part, out));
        }
        Filter::Not(part) => return attributes_of(part, out),
        Filter::Exists(path) => &path.root,
        Filter::Compare(comparison) => &comparison.path.root,
        Filter::Geo(condition) => return out.push(condition.property.clone()),
        Filter::HasAttribute(name) => return out.push(name.clone()),
        _ => return,
    };
    if let Root::Attribute(name) = root {
        out.push(name.clone());
    }
}

/// An entity as its instances in a range of time.
struct Evolved<'a> {
    history: &'a EntityHistory,
}

impl Evolved<'_> {
    fn head(&self) -> EntityRef<'_> {
        self.history.head.view()
    }

    fn instances(&self) -> impl Iterator<Item = (NameId, InstanceRef<'_>)> {
        self.history.rows.iter().filter_map(|row| match &row.event {
            HistoryEvent::Instance { name, instance } => {
                Some((*name, InstanceRef::from_bytes(instance)?))
            }
            _ => None,
        })
    }
}

impl Candidate for Evolved<'_> {
    fn id(&self) -> &str {
        self.head().id()
    }

    fn has_type(&self, name: NameId) -> bool {
        self.head().types().any(|t| t == name)
    }

    fn any_type(&self, visit: &mut dyn FnMut(NameId) -> bool) -> bool {
        self.head().types().any(visit)
    }

    fn any_scope(&self, visit: &mut dyn FnMut(&str) -> bool) -> bool {
        self.history.scopes.iter().flat_map(|change| &change.scopes).any(|scope| visit(scope))
    }

    fn any_instance(&self, name: NameId, visit: &mut dyn FnMut(&InstanceRef<'_>) -> bool) -> bool {
        let mut own = self.instances().filter(|(other, _)| *other == name);
        own.any(|(_, instance)| visit(&instance))
    }

    fn latest_observation(&self, counts: &dyn Fn(NameId) -> bool) -> Option<Timestamp> {
        let counted = self.instances().filter(|(name, _)| counts(*name));
        counted.filter_map(|(_, instance)| instance.observed_at()).max()
    }

    fn created_at(&self) -> Option<Timestamp> {
        Some(self.head().created_at())
    }

    fn modified_at(&self) -> Option<Timestamp> {
        Some(self.head().modified_at())
    }

    fn expires_at(&self) -> Option<Timestamp> {
        self.head().expires_at()
    }
}

/// The entities that a question is about, those in the twin and those that are not any more.
struct Candidates<'q> {
    filter: &'q Filter,
    by_id: Option<&'q IdOrder>,
    pasts: VecDeque<(Seq, EntityId)>,
    live: VecDeque<(Seq, EntityId)>,
    after: Option<Seq>,
    is_done: bool,
    /// Those that context sources know, and who of them had their turn.
    far: VecDeque<EntityId>,
    seen: HashSet<EntityId>,
}

impl<'q> Candidates<'q> {
    fn new(snapshot: &Snapshot, query: &'q EvolutionQuery, far: &FarHistories) -> Self {
        let mut pasts = Vec::new();
        // Whom a view shows a part only, it shows nothing of what is gone.
        if snapshot.view.restriction().is_none() {
            let filter = resolve(&query.entities, &snapshot.view, &snapshot.names);
            for (id, past) in snapshot.root.pasts.iter() {
                if meets(&filter, id, &past.types)
                    && let Ok(id) = EntityId::new(id.as_ref())
                {
                    pasts.push((past.seq, id));
                }
            }
            pasts.sort_unstable_by_key(|(seq, _)| *seq);
        }
        let (filter, by_id) = (&query.entities, query.by_id.as_ref());
        Self {
            filter,
            by_id,
            pasts: pasts.into(),
            live: VecDeque::new(),
            after: None,
            is_done: false,
            far: far.ids.iter().cloned().collect(),
            seen: HashSet::new(),
        }
    }

    async fn next(
        &mut self,
        inner: &Arc<Inner>,
        twin: &Arc<Twin>,
        snapshot: &Snapshot,
    ) -> Result<Option<EntityId>, QueryError> {
        if self.live.is_empty() && !self.is_done {
            self.load(inner, twin, snapshot).await?;
            if let Some(order) = self.by_id {
                while !self.is_done {
                    self.load(inner, twin, snapshot).await?;
                }
                self.sort(order);
            }
        }
        let takes_past = match (self.pasts.front(), self.live.front()) {
            (Some(past), Some(live)) => past.0 < live.0,
            (past, _) => past.is_some(),
        };
        let from = if takes_past { &mut self.pasts } else { &mut self.live };
        match from.pop_front() {
            Some((_, id)) => {
                if !self.far.is_empty() {
                    self.seen.insert(id.clone());
                }
                Ok(Some(id))
            }
            // Entities of sources stand behind all others.
            None => {
                Ok(std::iter::from_fn(|| self.far.pop_front()).find(|id| !self.seen.contains(id)))
            }
        }
    }

    async fn load(
        &mut self,
        inner: &Arc<Inner>,
        twin: &Arc<Twin>,
        snapshot: &Snapshot,
    ) -> Result<(), QueryError> {
        let start = self.after.map_or(PageStart::Offset(0), PageStart::After);
        let query = EntityQuery {
            filter: self.filter.clone(),
            order: Order::default(),
            page: PageRequest { limit: CHUNK, start },
            count: false,
        };
        let page = inner.answer(twin, snapshot, &query).await?;
        self.is_done = !page.has_more || page.entities.is_empty();
        self.after = page.entities.last().map(|record| record.view().seq());
        self.live.extend(page.entities.iter().map(|record| (record.view().seq(), record.id())));
        Ok(())
    }

    /// Puts all of them in the order of ids.
    fn sort(&mut self, order: &IdOrder) {
        let far = self.far.drain(..).map(|id| (Seq::default(), id));
        let own = self.live.drain(..).chain(self.pasts.drain(..));
        let mut all: Vec<_> = own.chain(far).collect();
        all.sort_unstable_by(|a, b| order.collation.compare(a.1.as_str(), b.1.as_str()));
        let mut seen = HashSet::new();
        all.retain(|(_, id)| seen.insert(id.clone()));
        if order.descending {
            all.reverse();
        }
        self.live = all.into();
    }
}

/// Whether an entity of which nothing but id and types is known meets a condition on these.
fn meets(filter: &Filter<NameId>, id: &str, types: &[NameId]) -> bool {
    match filter {
        Filter::True => true,
        Filter::And(parts) => parts.iter().all(|part| meets(part, id, types)),
        Filter::Or(parts) => parts.iter().any(|part| meets(part, id, types)),
        Filter::Not(part) => !meets(part, id, types),
        Filter::Ids(ids) => ids.iter().any(|wanted| wanted.as_str() == id),
        Filter::IdPattern(pattern) => pattern.is_match(id),
        Filter::Type(name) => types.contains(name),
        _ => false,
    }
}

/// Cuts histories to a limit of rows that holds for all of them together, at one moment, which lies
/// behind the reach of none of their sources (clause 6.3.10); whether any was cut.
pub(crate) fn cut_together(
    histories: &mut [EntityHistory],
    request: &HistoryRequest,
    reach_of_sources: Option<i64>,
) -> bool {
    let is_backward = request.last.is_some();
    let moments_of = |history: &EntityHistory| -> Vec<i64> {
        history.rows.iter().map(|row| moment_of(row, request, is_backward)).collect()
    };
    let mut all: Vec<i64> = histories.iter().flat_map(moments_of).collect();
    let mut reach = reach_of_sources;
    let mut stop_at = |moment: Option<i64>| {
        if let Some(moment) = moment {
            reach = Some(reach.map_or(moment, |known| known.min(moment)));
        }
    };
    for history in histories.iter().filter(|history| history.is_cut) {
        stop_at(moments_of(history).into_iter().max());
    }
    if all.len() > request.limit {
        all.sort_unstable();
        // A page that begins at a moment, which is told again, has to lead beyond it.
        let from = request.from.filter(|_| !is_backward).map(cardo_model::Timestamp::as_micros);
        let last = request.limit.checked_sub(1).map(|last| all[last]);
        let beyond = all.iter().copied().find(|moment| Some(*moment) > from);
        stop_at(last.map(|last| if Some(last) == from { beyond.unwrap_or(last) } else { last }));
    }
    let Some(reach) = reach else { return histories.iter().any(|history| history.is_cut) };
    for history in histories {
        let mut kinds = std::mem::take(&mut history.kinds).into_iter();
        let names: Vec<NameId> = history.rows.iter().filter_map(name_of).collect();
        history.rows.retain(|row| {
            let kind = kinds.next();
            let keep = moment_of(row, request, is_backward) <= reach;
            history.kinds.extend(kind.filter(|_| keep));
            keep
        });
        for name in names {
            let has_rows = history.rows.iter().any(|row| name_of(row) == Some(name));
            if !has_rows && !history.emptied.contains(&name) {
                history.emptied.push(name);
            }
        }
    }
    true
}

/// The moment of a row, counted in the direction of the pages.
pub(crate) fn moment_of(
    row: &crate::HistoryRow,
    request: &HistoryRequest,
    is_backward: bool,
) -> i64 {
    let moment = request.property.and_then(|property| super::moment(row, property));
    let micros = moment.unwrap_or(row.time).as_micros();
    if is_backward { -micros } else { micros }
}
