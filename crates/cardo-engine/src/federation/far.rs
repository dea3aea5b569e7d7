//! Calls that reach context sources.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Weak};

use cardo_model::{Iri, TwinId};
use cardo_query::Filter;

use super::gather::{BEHIND, Gathered};
use super::index::Registrations;
use super::matching::Match;
use super::operations::SourceOperation;
use super::question::Question;
use super::reach::Forwarding;
use super::sources::{ContextSources, SourceEntity};
use crate::caller::Caller;
use crate::engine::{Engine, Inner};
use crate::links::At;
use crate::ports::StoreError;
use crate::query::{EntityQuery, Page, PageStart, QueryError};
use crate::snapshot::Snapshot;
use crate::twin::Twin;

/// So many entities of one source are part of an answer at the most.
const MOST: usize = 10_000;
/// By so much more a source is asked again where too few of its entities met the question.
const MORE: usize = 8;
/// So great a part of the names that a store may hold can come from sources.
const SHARE_OF_NAMES: usize = 10;

type LookingForSources =
    fn(&Inner, &Registrations, &Question, &Forwarding) -> Vec<(Match, SourceOperation)>;

impl Engine {
    /// Asks context sources through this port, as long as somebody holds it.
    pub fn use_sources(&self, sources: &Arc<dyn ContextSources>) {
        *self.inner.sources.write() = Some(Arc::downgrade(sources));
    }

    /// Whether sources may be registered for a twin, without waiting: `false` is certain.
    #[inline]
    pub fn may_have_sources(&self, twin: &TwinId) -> bool {
        let inner = &self.inner;
        if twin.moment().is_some() {
            return false;
        }
        if twin.is_default() {
            let twin = inner.default_twin.load();
            return twin
                .as_ref()
                .as_ref()
                .is_none_or(|twin| twin.has_sources.load(Ordering::Acquire));
        }
        let twins = inner.twins.load();
        twins.get(twin).is_none_or(|twin| twin.has_sources.load(Ordering::Acquire))
    }

    /// Has a twin in memory, so that it is certain at once how far a question about it reaches. That
    /// there is no such twin is told by the question.
    pub async fn ready(&self, twin: &TwinId) -> Result<(), QueryError> {
        if twin.moment().is_none() && self.inner.loaded(twin).is_none() {
            Box::pin(self.inner.load(twin, twin.is_default())).await?;
        }
        Ok(())
    }

    /// The pseudonym of this server for a twin: each tenant counts as a source of its own (clause
    /// 4.3.6.4).
    pub fn alias(&self, twin: &TwinId) -> Box<str> {
        let own = match &self.inner.options.alias {
            Some(own) => own.to_string(),
            None => format!("cardo-{:016x}", self.inner.seed),
        };
        match (twin.is_default(), twin.tenant()) {
            (true, _) => own.into(),
            (false, tenant) => format!("{own}.{}", tenant.replace(':', "~")).into(),
        }
    }

    /// Whether the answer to a question depends on registered sources.
    pub async fn is_distributed(
        &self,
        caller: &Caller,
        filter: &Filter,
    ) -> Result<bool, QueryError> {
        self.inner.has_sources(caller, filter, Inner::sources_of).await
    }

    /// The same of a question about the past.
    pub async fn is_past_distributed(
        &self,
        caller: &Caller,
        filter: &Filter,
    ) -> Result<bool, QueryError> {
        self.inner.has_sources(caller, filter, Inner::sources_of_the_past).await
    }

    /// The twin of a snapshot, completed by what sources have of the entities that a condition is
    /// about; the same snapshot where none has anything.
    pub async fn completed(
        &self,
        caller: &Caller,
        snapshot: Snapshot,
        filter: &Filter,
    ) -> Result<Snapshot, QueryError> {
        Ok(self.inner.completed_by(caller, &snapshot, filter).await?.unwrap_or(snapshot))
    }

    /// The same for entities of any of the types; of one type alone, for those that meet its
    /// condition.
    pub async fn completed_of(
        &self,
        caller: &Caller,
        snapshot: Snapshot,
        types: &[(&Iri, &Filter)],
    ) -> Result<Snapshot, QueryError> {
        let filter = match types {
            [(one, condition)] => Filter::Type((*one).clone()).and((*condition).clone()),
            all => Filter::Or(all.iter().map(|(one, _)| Filter::Type((*one).clone())).collect()),
        };
        self.completed(caller, snapshot, &filter).await
    }

    /// The twin of a snapshot, completed by parts of entities that a source has told of, and by what
    /// other sources have of the same entities (clause 5.8.6).
    pub async fn completed_with(
        &self,
        caller: &Caller,
        snapshot: Snapshot,
        told: Vec<SourceEntity>,
    ) -> Result<Snapshot, QueryError> {
        let filter = Filter::Ids(told.iter().map(|one| one.entity.id.clone()).collect());
        let gathered = self.inner.gather(caller, &filter, MOST).await?;
        let gathered = Gathered::with(gathered, told);
        self.inner.with_gathered(&snapshot, gathered).await
    }

    /// Gives names their ids before sources are asked for them, so that what comes back can be
    /// told by them.
    pub async fn learn(&self, names: &[Iri]) -> Result<(), QueryError> {
        Ok(self.inner.learn_of_sources(names).await?)
    }
}

impl Inner {
    pub(crate) fn context_sources(&self) -> Option<Arc<dyn ContextSources>> {
        self.sources.read().as_ref().and_then(Weak::upgrade)
    }

    /// Whether one way to look for sources finds some for a question.
    async fn has_sources(
        self: &Arc<Self>,
        caller: &Caller,
        filter: &Filter,
        found: LookingForSources,
    ) -> Result<bool, QueryError> {
        let Some(forwarding) = caller.reach.forwarding() else { return Ok(false) };
        let registrations = self.twin(&caller.twin).await?.registrations();
        Ok(!found(self, &registrations, &Question::of(filter), forwarding).is_empty())
    }

    /// The twin of a snapshot with what sources have; `None` where none has anything.
    pub(crate) async fn completed_by(
        self: &Arc<Self>,
        caller: &Caller,
        snapshot: &Snapshot,
        filter: &Filter,
    ) -> Result<Option<Snapshot>, QueryError> {
        match self.gather(caller, filter, MOST).await? {
            None => Ok(None),
            Some(gathered) => self.with_gathered(snapshot, gathered).await.map(Some),
        }
    }

    /// Answers a question from the twin and from sources.
    pub(crate) async fn answer_far(
        self: &Arc<Self>,
        caller: &Caller,
        twin: &Arc<Twin>,
        snapshot: &Snapshot,
        query: &EntityQuery,
    ) -> Result<Page, QueryError> {
        let mut told = None;
        if query.filter.has_links() {
            let others = caller.beside();
            let at = At { twin, snapshot, far: Some(&others) };
            let filter = self.without_links(at, &query.filter).await?;
            told = Some(EntityQuery { filter, ..query.clone() });
        }
        let query = told.as_ref().unwrap_or(query);
        let mut most = needed(query);
        loop {
            let Some(gathered) = self.gather(caller, &query.filter, most).await? else {
                return self.answer_linked(twin, snapshot, query).await;
            };
            let is_cut = gathered.is_cut();
            let completed = self.with_gathered(snapshot, gathered).await?;
            let mut page = self.answer_linked(twin, &completed, query).await?;
            if !is_cut || most >= MOST || page.has_more {
                page.has_more |= is_cut;
                return Ok(page);
            }
            most = most.saturating_mul(MORE).min(MOST);
        }
    }

    /// Learns names that only sources use, up to a share of those that a store may hold; those
    /// beyond it stay unknown.
    pub(crate) async fn learn_of_sources(&self, names: &[Iri]) -> Result<(), StoreError> {
        let unknown: Vec<Iri> =
            names.iter().filter(|name| self.names.id(name.as_str()).is_none()).cloned().collect();
        if unknown.is_empty() {
            return Ok(());
        }
        let share = self.options.max_names / SHARE_OF_NAMES;
        let learnt = self.names_of_sources.fetch_add(unknown.len(), Ordering::Relaxed);
        if learnt + unknown.len() > share {
            self.names_of_sources.fetch_sub(unknown.len(), Ordering::Relaxed);
            tracing::warn!(share, "names of context sources are left out: they use up their share");
            return Ok(());
        }
        let ids = self.store.intern(&unknown).await?;
        self.names.learn(ids.into_iter().zip(unknown));
        Ok(())
    }
}

/// How many entities of each source are needed at the least.
fn needed(query: &EntityQuery) -> usize {
    if query.count || !query.order.by.is_empty() {
        return MOST;
    }
    let before = match query.page.start {
        PageStart::Offset(offset) => offset,
        PageStart::After(seq) if seq.revision() == BEHIND => seq.ordinal() as usize + 1,
        PageStart::After(_) => 0,
        PageStart::Before(_) => return MOST,
    };
    before.saturating_add(query.page.limit).saturating_add(1).min(MOST)
}
